//! `routes <file> <seconds> [seed] [hands]`: plans a file and prints what the checker found.
#![allow(clippy::disallowed_methods, clippy::print_stdout)] // a measuring program

use std::time::Instant;

use baton_plan::Crew;
use baton_plan::routes::crew::Job;
use baton_plan::routes::{check, parse, solve_within};

struct Threads(usize);

impl Crew for Threads {
    fn hands(&self) -> usize {
        self.0
    }

    fn run<'a>(&self, jobs: Vec<Job<'a>>) {
        std::thread::scope(|scope| {
            for job in jobs {
                scope.spawn(job);
            }
        });
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<String> = std::env::args().collect();
    let file = words.get(1).ok_or("usage: routes <file> <seconds> [seed] [hands]")?;
    let seconds: f64 = words.get(2).map_or(Ok(60.0), |word| word.parse())?;
    let seed: u64 = words.get(3).map_or(Ok(1), |word| word.parse())?;
    let hands: usize = words.get(4).map_or(Ok(2), |word| word.parse())?;
    let problem = parse(&std::fs::read_to_string(file)?)?;
    let start = Instant::now();
    let spent = || start.elapsed().as_secs_f64() / seconds;
    let mut rounds = 0;
    let plan = solve_within(&problem, seed, &Threads(hands), &spent, &mut |progress| rounds = progress.rounds);
    let report = check::check(&problem, &plan);
    let cpu = std::fs::read_to_string("/proc/self/stat").ok().and_then(|stat| {
        let fields: Vec<f64> = stat.rsplit_once(')')?.1.split_whitespace().skip(11).take(2).filter_map(|field| field.parse().ok()).collect();
        Some(fields.iter().sum::<f64>() / 100.0)
    });
    println!(
        "{}\tcost {}\tvehicles {}\tviolations {:?}\tlast better in round {rounds}\twall {:.1} s\tCPU {:.1} s",
        problem.name,
        report.cost,
        report.vehicles,
        report.violations,
        start.elapsed().as_secs_f64(),
        cpu.unwrap_or(f64::NAN)
    );
    Ok(())
}
