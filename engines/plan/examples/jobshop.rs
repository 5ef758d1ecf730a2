//! `jobshop <file> <seconds> [seed] [hands]`: plans a job shop (`.fjs`: a flexible one) and prints what the checker found.
#![allow(clippy::disallowed_methods, clippy::print_stdout)] // a measuring program

use std::time::Instant;

use baton_plan::Crew;
use baton_plan::production::{check, parse_flexible, parse_job_shop, solve};
use baton_plan::routes::crew::Job;

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
    let file = words.get(1).ok_or("usage: jobshop <file> <seconds> [seed] [hands]")?;
    let seconds: f64 = words.get(2).map_or(Ok(60.0), |word| word.parse())?;
    let seed: u64 = words.get(3).map_or(Ok(1), |word| word.parse())?;
    let hands: usize = words.get(4).map_or(Ok(2), |word| word.parse())?;
    let text = std::fs::read_to_string(file)?;
    let shop = if file.ends_with(".fjs") { parse_flexible(&text)? } else { parse_job_shop(&text)? };
    let start = Instant::now();
    let mut found = 0.0;
    let mut in_round = 0;
    let keep_going = || start.elapsed().as_secs_f64() < seconds;
    let plan = solve(&shop, seed, &Threads(hands), &keep_going, &mut |progress| {
        found = start.elapsed().as_secs_f64();
        in_round = progress.rounds;
    });
    let report = check::check(&shop, &plan);
    println!(
        "{file}\tmakespan {}\tbound {}\tviolations {:?}\tfound after {found:.1} s in round {in_round}\twall {:.1} s",
        report.makespan,
        plan.bound,
        report.violations,
        start.elapsed().as_secs_f64()
    );
    Ok(())
}
