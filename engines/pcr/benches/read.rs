//! Microseconds per curve, one thread, in memory, from fluorescence to the full reading: `cargo bench -p baton-pcr`.
//! Simulated curves, half of them amplified, so that the figure needs no data files.

#![allow(clippy::print_stdout, clippy::disallowed_methods)] // a benchmark reads the clock and prints

use std::hint::black_box;
use std::time::Instant;

use baton_pcr::simulate::{Params, axis, synthesise};
use baton_pcr::{Curve, Reader, Settings};

/// Processor time of this thread in seconds, where the system tells: a busy machine does not spoil it.
fn processor_seconds() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split_whitespace().next()?.parse::<f64>().ok().map(|nanoseconds| nanoseconds / 1e9)
}

const PASSES: u32 = 40;

fn main() {
    let mut state = 1u64;
    let mut uniform = move || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 11) as f64 / (1u64 << 53) as f64
    };
    let mut curves = Vec::new();
    for index in 0..2000 {
        let cq = (index % 2 == 0).then(|| 12.0 + 20.0 * uniform());
        let params = Params { cq, plateau: 500.0 + 5000.0 * uniform(), ..Params::default() };
        curves.push(synthesise(&params, || (0..12).map(|_| uniform()).sum::<f64>() - 6.0));
    }
    let cycles = axis(40);
    let mut reader = Reader::new();
    for (name, part) in [("amplified", 0), ("flat", 1)] {
        let mut best = f64::INFINITY;
        let before = processor_seconds();
        for _ in 0..PASSES {
            let start = Instant::now();
            for fluorescence in curves.iter().skip(part).step_by(2) {
                black_box(reader.read(&Curve { cycles: &cycles, fluorescence }, &Settings::default()));
            }
            best = best.min(start.elapsed().as_secs_f64() * 1e6 / 1000.0);
        }
        let spent = before.zip(processor_seconds()).map(|(before, after)| (after - before) * 1e6 / 1000.0 / f64::from(PASSES));
        let processor = spent.map_or(String::new(), |spent| format!("; processor time {spent:.2} µs, mean of all"));
        println!("{name}: {best:.2} µs per curve of 40 cycles, best of {PASSES} passes over 1,000 curves{processor}");
    }
}
