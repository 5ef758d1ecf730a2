//! Milliseconds to parse the text export of a 384-well QuantStudio run of two targets: `cargo bench -p baton-instruments`.
//! The file is made here, so that the figure needs no data files.

#![allow(clippy::print_stdout, clippy::disallowed_methods)] // a benchmark reads the clock and prints

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::Instant;

use baton_instruments::{Limits, parse, well_label};

const TARGETS: [&str; 2] = ["ORF1ab", "IC"];
const CYCLES: u32 = 45;
const PASSES: u32 = 40;

/// Processor time of this thread in milliseconds, where the system tells: a busy machine does not spoil it.
fn processor_milliseconds() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split_whitespace().next()?.parse::<f64>().ok().map(|nanoseconds| nanoseconds / 1e6)
}

fn export() -> String {
    let mut text =
        "* Block Type = 384-Well Block\n* Instrument Type = QuantStudio 7 Flex\n\n[Amplification Data]\nWell\tCycle\tTarget Name\tRn\tDelta Rn\n".to_owned();
    let wells = || (0..384_u16).flat_map(|well| TARGETS.map(|target| (well, target)));
    for (well, target) in wells() {
        for cycle in 1..=CYCLES {
            let rise = 3.0 / (1.0 + (-0.6 * (f64::from(cycle) - 20.0 - f64::from(well % 20))).exp());
            let _ = writeln!(text, "{}\t{cycle}\t{target}\t{:.6}\t{rise:.6}", well + 1, 0.9 + rise);
        }
    }
    text.push_str("\n[Results]\nWell\tWell Position\tOmit\tSample Name\tTarget Name\tTask\tReporter\tCt\tCt Threshold\n");
    for (well, target) in wells() {
        let position = well_label(well / 24, well % 24);
        let _ = writeln!(text, "{}\t{position}\tfalse\tT-{well}\t{target}\tUNKNOWN\tFAM\t{:.4}\t0.2", well + 1, 20.0 + f64::from(well % 20));
    }
    text
}

fn main() {
    let text = export();
    let (runs, problems) = parse(text.as_bytes(), "run.txt", Limits::default()).expect("the export is sound");
    assert_eq!((runs[0].wells.len(), problems.len()), (384, 0));
    let mut best = f64::INFINITY;
    let before = processor_milliseconds();
    for _ in 0..PASSES {
        let start = Instant::now();
        black_box(parse(text.as_bytes(), "run.txt", Limits::default()).is_ok());
        best = best.min(start.elapsed().as_secs_f64() * 1e3);
    }
    let spent = before.zip(processor_milliseconds()).map(|(before, after)| (after - before) / f64::from(PASSES));
    let processor = spent.map_or(String::new(), |spent| format!("; processor time {spent:.2} ms, mean of all"));
    println!("384 wells, 2 targets, {CYCLES} cycles, {} KiB: {best:.2} ms, best of {PASSES}{processor}", text.len() / 1024);
}
