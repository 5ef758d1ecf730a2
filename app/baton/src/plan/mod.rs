//! `plan`: rosters, routes, production. A plan is a proposal; every figure printed is the independent checker's.

mod assignment;
mod osrm;
mod production;
mod roster;
mod routes;

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use anyhow::Context;
use baton_plan::{Crew, Job};
use clap::{Args, Subcommand};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// No file of a plan is larger.
const FILE_BYTES_MAX: u64 = 256 << 20;

#[derive(Subcommand)]
pub(crate) enum PlanCommand {
    /// Who works which shift; what an existing roster breaks.
    #[command(after_help = roster::HELP)]
    Roster(roster::Roster),
    /// Which vehicle visits whom, in what order.
    #[command(after_help = routes::HELP)]
    Routes(routes::Routes),
    /// Which operation runs when on which machine, and whether the factory reaches a rate.
    #[command(after_help = production::HELP)]
    Production(production::Production),
    /// Who sleeps in which room.
    #[command(after_help = assignment::BEDS_HELP)]
    Beds(assignment::Beds),
    /// Which laboratory takes the tubes of which sampling point.
    #[command(after_help = assignment::POINTS_HELP)]
    Points(assignment::Points),
}

impl PlanCommand {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Roster(command) => command.run(),
            Self::Routes(command) => command.run(),
            Self::Production(command) => command.run(),
            Self::Beds(command) => command.run(),
            Self::Points(command) => command.run(),
        }
    }
}

/// What every planner is asked.
#[derive(Args)]
struct Asked {
    /// The problem.
    file: PathBuf,
    /// How long to search, on the wall clock. Ctrl-C ends it earlier and keeps the best plan.
    #[arg(long, default_value = "60", value_parser = seconds)]
    seconds: f64,
    /// Search so much instead of so long: rounds, for rosters moves of each searcher. The same seed, threads and work give the same plan to the byte.
    #[arg(long, conflicts_with = "seconds", value_parser = clap::value_parser!(u64).range(1..))]
    work: Option<u64>,
    #[arg(long, default_value = "1")]
    seed: u64,
    #[arg(long, default_value = "2", value_parser = clap::value_parser!(u16).range(1..=64))]
    threads: u16,
    /// Where the plan goes; to standard output without it.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Say the checker's figures as JSON.
    #[arg(long, requires = "out")]
    json: bool,
}

fn read_bytes(file: &Path) -> anyhow::Result<Vec<u8>> {
    let length = std::fs::metadata(file).with_context(|| file.display().to_string())?.len();
    anyhow::ensure!(length <= FILE_BYTES_MAX, "{}: larger than {FILE_BYTES_MAX} bytes", file.display());
    std::fs::read(file).with_context(|| file.display().to_string())
}

/// A text file; what is no UTF-8 is named by its line.
fn read(file: &Path) -> anyhow::Result<String> {
    String::from_utf8(read_bytes(file)?).map_err(|error| {
        let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        anyhow::anyhow!("{}: line {line}: is no UTF-8 text", file.display())
    })
}

/// A JSON file of a shape.
fn read_json<T: DeserializeOwned>(file: &Path) -> anyhow::Result<T> {
    serde_json::from_str(&read(file)?).with_context(|| file.display().to_string())
}

fn seconds(text: &str) -> Result<f64, String> {
    let value: f64 = text.parse().map_err(|_| "is no number".to_owned())?;
    if (0.0..=1e6).contains(&value) { Ok(value) } else { Err("is not between 0 and 1000000".to_owned()) }
}

impl Asked {
    fn read(&self) -> anyhow::Result<String> {
        read(&self.file)
    }

    /// What is wrong with the file, with its name.
    fn wrong(&self, problem: impl Display) -> anyhow::Error {
        anyhow::anyhow!("{}: {problem}", self.file.display())
    }

    fn search(&self) -> anyhow::Result<Search> {
        let stopped = Arc::new(AtomicBool::new(false));
        let flag = stopped.clone();
        ctrlc::set_handler(move || flag.store(true, Ordering::Relaxed)).context("listening for Ctrl-C")?;
        Ok(Search { began: instant(), seconds: self.seconds, work: self.work.map(|rounds| (rounds, AtomicU64::new(0))), stopped })
    }

    /// Writes the plan and says what the checker found.
    fn done(&self, plan: &str, figures: Value, violations: &[String]) -> anyhow::Result<ExitCode> {
        let write = || match &self.out {
            Some(out) => write_whole(out, plan),
            None => {
                println!("{plan}");
                Ok(())
            }
        };
        self.done_with(write, figures, violations)
    }

    fn done_with(&self, write: impl FnOnce() -> anyhow::Result<()>, figures: Value, violations: &[String]) -> anyhow::Result<ExitCode> {
        write()?;
        for violation in violations.iter().take(20) {
            eprintln!("VIOLATED  {violation}");
        }
        if self.json {
            let mut said = figures;
            said["violations"] = json!(violations);
            println!("{said}");
        } else if self.out.is_some() {
            let figures = figures.as_object().into_iter().flatten().map(|(name, value)| format!("{name} {value}"));
            println!("{}; {} violations", figures.collect::<Vec<_>>().join(", "), violations.len());
        }
        Ok(if violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(2) })
    }
}

/// A plan is there whole or not at all.
fn write_whole(path: &Path, text: &str) -> anyhow::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".part");
    std::fs::write(&beside, text).and_then(|()| std::fs::rename(&beside, path)).with_context(|| path.display().to_string())
}

#[allow(clippy::disallowed_methods)] // the budget people give is wall time
fn instant() -> Instant {
    Instant::now()
}

/// How much of the time is gone, and what is told meanwhile.
struct Search {
    began: Instant,
    seconds: f64,
    /// Rounds that may be searched, and those begun: every planner asks once per round.
    work: Option<(u64, AtomicU64)>,
    stopped: Arc<AtomicBool>,
}

impl Search {
    fn spent(&self) -> f64 {
        if self.stopped.load(Ordering::Relaxed) {
            return 1.0;
        }
        match &self.work {
            Some((rounds, begun)) => begun.fetch_add(1, Ordering::Relaxed) as f64 / *rounds as f64,
            None => self.began.elapsed().as_secs_f64() / self.seconds.max(1e-6),
        }
    }

    fn going(&self) -> bool {
        self.spent() < 1.0
    }

    /// Tells of a better plan, at most once a second.
    fn teller<V: PartialEq + Display>(&self) -> impl FnMut(V) {
        let (began, mut last, mut told) = (self.began, None, -1.0);
        move |value| {
            let now = began.elapsed().as_secs_f64();
            if last.as_ref() != Some(&value) && now - told >= 1.0 {
                eprintln!("{now:>7.1} s  {value}");
                (last, told) = (Some(value), now);
            }
        }
    }
}

/// Threads that take one job each.
struct Threads(usize);

impl Crew for Threads {
    fn hands(&self) -> usize {
        self.0
    }

    fn run<'a>(&self, jobs: Vec<Job<'a>>) {
        std::thread::scope(|scope| jobs.into_iter().for_each(|job| _ = scope.spawn(job)));
    }
}

/// A whole number is written as one.
fn number(value: f64) -> Value {
    if value.fract() == 0.0 && value.abs() < 9e15 { json!(value as i64) } else { json!(value) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_are_written_without_a_point() {
        assert_eq!((number(950.9).to_string(), number(930.0).to_string()), ("950.9".to_owned(), "930".to_owned()));
    }

    #[test]
    fn a_plan_replaces_the_one_before() {
        let out = std::env::temp_dir().join(format!("baton-plan-{}.json", std::process::id()));
        write_whole(&out, "1").expect("written");
        write_whole(&out, "2").expect("written");
        assert_eq!(std::fs::read_to_string(&out).expect("read"), "2");
        std::fs::remove_file(out).expect("removed");
    }
}
