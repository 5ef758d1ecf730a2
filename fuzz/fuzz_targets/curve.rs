#![no_main]

#[path = "../../engines/pcr/tests/sound/mod.rs"]
mod sound;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    _ = sound::curve(bytes);
});
