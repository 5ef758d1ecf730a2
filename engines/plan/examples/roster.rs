//! Solves one benchmark file: `roster FILE SECONDS [SEED [THREADS]] [--cpu] [--json]`. Figures come from the checker.
#![allow(clippy::disallowed_methods, clippy::print_stdout, clippy::print_stderr)]

use std::time::Instant;

use baton_plan::roster::solve::{Budget, solve_within};
use baton_plan::roster::{check, format};

/// CPU seconds of all threads of this process, where the system tells.
fn cpu_seconds() -> Option<f32> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let fields: Vec<&str> = stat.rsplit(')').next()?.split_whitespace().collect();
    let ticks: f32 = fields.get(11)?.parse::<f32>().ok()? + fields.get(12)?.parse::<f32>().ok()?;
    Some(ticks / 100.0)
}

fn main() -> Result<(), String> {
    let (flags, plain): (Vec<String>, Vec<String>) = std::env::args().skip(1).partition(|a| a.starts_with("--"));
    let file = plain.first().ok_or("usage: roster FILE SECONDS [SEED [THREADS]] [--cpu] [--json]")?;
    let number = |at: usize, otherwise: f64| plain.get(at).map_or(Ok(otherwise), |text| text.parse::<f64>().map_err(|e| format!("{text}: {e}")));
    let (seconds, seed, threads) = (number(1, 60.0)? as f32, number(2, 1.0)? as u64, number(3, 2.0)? as usize);
    let text = std::fs::read_to_string(file).map_err(|e| format!("{file}: {e}"))?;
    let problem = format::parse(&text).map_err(|e| e.to_string())?;
    let by_cpu = flags.iter().any(|f| f == "--cpu");
    let start = Instant::now();
    let share = || match cpu_seconds().filter(|_| by_cpu) {
        Some(used) => used / (seconds * threads as f32),
        None => start.elapsed().as_secs_f32() / seconds,
    };
    let plan = solve_within(&problem, seed, threads, Budget::Share(&share), &mut |p| {
        if flags.iter().any(|f| f == "--verbose") {
            eprintln!("{:6.2} s  {:?}", start.elapsed().as_secs_f32(), p);
        }
    });
    let report = check::check(&problem, &plan);
    if flags.iter().any(|f| f == "--json") {
        println!("{}", format::write_plan(&problem, &plan, report.objective()));
    }
    for violation in report.violations.iter().take(20) {
        eprintln!("{violation:?} {}", problem.staff.get(violation.employee).map_or("?", |e| &e.id));
    }
    let cpu = cpu_seconds().unwrap_or_default();
    let name = file.rsplit('/').next().unwrap_or(file);
    println!(
        "{name} seed {seed} objective {} violations {} cpu {cpu:.1} s wall {:.1} s",
        report.objective(),
        report.violations.len(),
        start.elapsed().as_secs_f32()
    );
    Ok(())
}
