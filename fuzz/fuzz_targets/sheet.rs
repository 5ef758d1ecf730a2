#![no_main]

#[path = "../../codecs/sheets/tests/sound/mod.rs"]
mod sound;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    _ = sound::file("fuzz.csv", bytes);
});
