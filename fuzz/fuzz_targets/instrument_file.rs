#![no_main]

#[path = "../../codecs/instruments/tests/sound/mod.rs"]
mod sound;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    _ = sound::file("fuzz", bytes);
});
