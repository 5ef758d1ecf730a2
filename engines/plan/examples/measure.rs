//! Measures the roster search within a budget of processor time, which a loaded machine does not distort.
//!
//! ```text
//! rosters FILE CPU_SECONDS SEED [THREADS]
//! rosters generate DAYS STAFF SHIFTS SEED tight|loose
//! ```
#![allow(clippy::print_stdout, clippy::print_stderr, clippy::disallowed_methods)]

#[path = "../tests/family/mod.rs"]
mod family;

use std::cell::Cell;
use std::time::{Duration, Instant};

use baton_plan::roster::solve::{Budget, solve};
use baton_plan::roster::{check, format};
use baton_plan::{Crew, Job};

struct Threads(usize);

impl Crew for Threads {
    fn hands(&self) -> usize {
        self.0
    }

    fn run<'a>(&self, jobs: Vec<Job<'a>>) {
        std::thread::scope(|scope| jobs.into_iter().for_each(|job| _ = scope.spawn(job)));
    }
}

/// Seconds of processor time of the whole process (Linux; ticks of 10 ms).
fn processor_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux tells the processor time");
    let fields: Vec<f64> = stat.rsplit(')').next().expect("a name").split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse().ok()).collect();
    fields.iter().sum::<f64>() / 100.0
}

thread_local! {
    static LAST: Cell<Option<(Instant, f64)>> = const { Cell::new(None) };
}

/// The same, looked up once a millisecond.
fn spent() -> f64 {
    match LAST.get() {
        Some((at, seconds)) if at.elapsed() < Duration::from_millis(1) => seconds,
        _ => {
            let seconds = processor_seconds();
            LAST.set(Some((Instant::now(), seconds)));
            seconds
        }
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize| arguments[at].parse::<u64>().expect("a number");
    if arguments[0] == "generate" {
        print!("{}", family::instance(number(4), number(1) as usize, number(2) as usize, number(3) as usize, arguments[5] == "tight"));
        return;
    }
    let text = std::fs::read_to_string(&arguments[0]).expect("the file");
    let problem = format::parse(&text).expect("an instance");
    let budget = number(1) as f64;
    let threads = arguments.get(3).map_or(2, |_| number(3) as usize);
    let share = || (spent() / budget) as f32;
    let (began, mut told) = (Instant::now(), i64::MAX);
    let mut tell = |progress: baton_plan::roster::solve::Progress| {
        if progress.objective != told {
            told = progress.objective;
            eprintln!("{:>7.1} CPU-s  {told}  {} illegal, {} M steps", processor_seconds(), progress.illegal_rows, progress.work / 1_000_000);
        }
    };
    let plan = solve(&problem, number(2), &Threads(threads), Budget::Share(&share), &mut tell);
    let report = check::check(&problem, &plan);
    let name = arguments[0].rsplit('/').next().unwrap_or_default();
    println!(
        "{name} seed {}: {} with {} violations; {:.1} CPU-s, {:.1} s",
        arguments[2],
        report.objective(),
        report.violations.len(),
        processor_seconds(),
        began.elapsed().as_secs_f64()
    );
}
