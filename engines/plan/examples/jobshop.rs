//! `jobshop <file> <seconds> [seed] [hands]`: plans a job shop (`.fjs`: a flexible one) and prints what the checker found.
//! `20` is wall time; `20c` is CPU time of all hands together, which a busy machine does not distort.
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

/// CPU seconds of this process so far.
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    fields.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<f64>().ok()).sum::<f64>() / 100.0
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<String> = std::env::args().collect();
    let file = words.get(1).ok_or("usage: jobshop <file> <seconds> [seed] [hands]")?;
    let budget = words.get(2).map_or("60", String::as_str);
    let seconds: f64 = budget.trim_end_matches('c').parse()?;
    let seed: u64 = words.get(3).map_or(Ok(1), |word| word.parse())?;
    let hands: usize = words.get(4).map_or(Ok(2), |word| word.parse())?;
    let text = std::fs::read_to_string(file)?;
    let shop = if file.ends_with(".fjs") { parse_flexible(&text)? } else { parse_job_shop(&text)? };
    let start = Instant::now();
    let (mut found, mut in_round) = (0.0, 0);
    let keep_going = || (if budget.ends_with('c') { cpu() } else { start.elapsed().as_secs_f64() }) < seconds;
    let plan = solve(&shop, seed, &Threads(hands), &keep_going, &mut |progress| (found, in_round) = (cpu(), progress.rounds));
    let report = check::check(&shop, &plan);
    println!(
        "{file}\tmakespan {}\tbound {}\tviolations {:?}\tfound after {found:.1} CPU s in round {in_round}\twall {:.1} s\tCPU {:.1} s",
        report.makespan,
        plan.bound,
        report.violations,
        start.elapsed().as_secs_f64(),
        cpu()
    );
    Ok(())
}
