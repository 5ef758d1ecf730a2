//! `plan`: rosters, routes, production. A plan is a proposal; every figure printed is the independent checker's.

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use anyhow::Context;
use baton_plan::production::factory::{self, Factory};
use baton_plan::roster::{self, relay};
use baton_plan::routes::couriers;
use baton_plan::{Crew, Job, production, routes};
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

/// No file of a plan is larger.
const FILE_BYTES_MAX: u64 = 256 << 20;

#[derive(Subcommand)]
pub(crate) enum PlanCommand {
    /// Who works which shift.
    #[command(after_help = "Example:\n  baton plan roster Instance1.txt --format schedulingbenchmarks --seconds 60 --seed 1 --out roster.json")]
    Roster(Roster),
    /// Which vehicle visits whom, in what order.
    #[command(after_help = "Example:\n  baton plan routes R101.txt --format solomon --seconds 60 --seed 1 --out routes.json")]
    Routes(Routes),
    /// Which operation runs when on which machine, and whether the factory reaches a rate.
    #[command(
        after_help = "Example:\n  baton plan production ft06 --format jobshop --seconds 60 --out schedule.json\n  baton plan production factory.json --format factory --per-day 2600000"
    )]
    Production(Production),
}

impl PlanCommand {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Roster(command) => command.run(),
            Self::Routes(command) => command.run(),
            Self::Production(command) => command.run(),
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

fn seconds(text: &str) -> Result<f64, String> {
    let value: f64 = text.parse().map_err(|_| "is no number".to_owned())?;
    if (0.0..=1e6).contains(&value) { Ok(value) } else { Err("is not between 0 and 1000000".to_owned()) }
}

impl Asked {
    fn read(&self) -> anyhow::Result<String> {
        let length = std::fs::metadata(&self.file).with_context(|| self.file.display().to_string())?.len();
        anyhow::ensure!(length <= FILE_BYTES_MAX, "{}: larger than {FILE_BYTES_MAX} bytes", self.file.display());
        std::fs::read_to_string(&self.file).with_context(|| self.file.display().to_string())
    }

    /// What is wrong with the file, with its name.
    fn wrong(&self, problem: impl Display) -> anyhow::Error {
        anyhow::anyhow!("{}: {problem}", self.file.display())
    }

    fn search(&self) -> anyhow::Result<Search> {
        let stopped = Arc::new(AtomicBool::new(false));
        let flag = stopped.clone();
        ctrlc::set_handler(move || flag.store(true, Ordering::Relaxed)).context("listening for Ctrl-C")?;
        Ok(Search { began: instant(), seconds: self.seconds, stopped })
    }

    /// Writes the plan and says what the checker found.
    fn done(&self, plan: &str, figures: Value, violations: &[String]) -> anyhow::Result<ExitCode> {
        match &self.out {
            Some(out) => write_whole(out, plan)?,
            None => println!("{plan}"),
        }
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
    stopped: Arc<AtomicBool>,
}

impl Search {
    fn spent(&self) -> f64 {
        if self.stopped.load(Ordering::Relaxed) { 1.0 } else { self.began.elapsed().as_secs_f64() / self.seconds.max(1e-6) }
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

#[derive(Clone, Copy, ValueEnum)]
enum RosterFormat {
    Schedulingbenchmarks,
    /// Baton's own: posts, skills, wishes around the clock.
    Relay,
}

#[derive(Args)]
pub(crate) struct Roster {
    #[command(flatten)]
    asked: Asked,
    #[arg(long, value_enum)]
    format: RosterFormat,
}

impl Roster {
    fn run(self) -> anyhow::Result<ExitCode> {
        let asked = &self.asked;
        let text = asked.read()?;
        let crew = Threads(asked.threads.into());
        match self.format {
            RosterFormat::Schedulingbenchmarks => {
                let problem = roster::format::parse(&text).map_err(|error| asked.wrong(error))?;
                let search = asked.search()?;
                let spent = || search.spent() as f32;
                let mut tell = search.teller();
                let budget = roster::solve::Budget::Share(&spent);
                let plan = roster::solve::solve(&problem, asked.seed, &crew, budget, &mut |progress| tell(progress.objective));
                let report = roster::check::check(&problem, &plan);
                let violations: Vec<String> = report.violations.iter().map(|violation| format!("{violation:?}")).collect();
                asked.done(
                    &roster::format::write_plan(&problem, &plan, report.objective()),
                    json!({"objective": report.objective(), "assignments": plan.assignments.len()}),
                    &violations,
                )
            }
            RosterFormat::Relay => {
                let problem = relay::parse(&text).map_err(|error| asked.wrong(error))?;
                let search = asked.search()?;
                let spent = || search.spent() as f32;
                let mut tell = search.teller();
                let budget = roster::solve::Budget::Share(&spent);
                let plan = relay::plan(&problem, asked.seed, &crew, budget, &mut |progress| tell(progress.objective)).map_err(|error| asked.wrong(error))?;
                asked.done(&serde_json::to_string(&plan)?, json!({"objective": plan.objective, "duties": plan.duties.len()}), &[])
            }
        }
    }
}

#[derive(Clone, Copy, ValueEnum)]
enum RoutesFormat {
    Solomon,
    Vrplib,
    /// Baton's own: boxes whose tubes grow old, vans, laboratories with an intake.
    Couriers,
}

#[derive(Args)]
pub(crate) struct Routes {
    #[command(flatten)]
    asked: Asked,
    #[arg(long, value_enum)]
    format: RoutesFormat,
}

impl Routes {
    fn run(self) -> anyhow::Result<ExitCode> {
        let asked = &self.asked;
        let text = asked.read()?;
        let crew = Threads(asked.threads.into());
        if let RoutesFormat::Couriers = self.format {
            let problem: couriers::Problem = serde_json::from_str(&text).map_err(|error| asked.wrong(error))?;
            problem.validate().map_err(|error| asked.wrong(error))?;
            let search = asked.search()?;
            let mut tell = search.teller();
            let plan = couriers::solve(&problem, asked.seed, &crew, &|| search.going(), &mut |progress| tell(progress.tubes_unplaced));
            let report = couriers::check(&problem, &plan);
            let figures = json!({"driving_minutes": report.driving_minutes, "tubes_delivered": report.tubes_delivered, "tubes_unplaced": report.tubes_unplaced, "age_minutes_max": report.age_minutes_max});
            return asked.done(&serde_json::to_string(&plan)?, figures, &report.violations);
        }
        let problem = routes::parse(&text).map_err(|error| asked.wrong(error))?;
        let search = asked.search()?;
        let mut tell = search.teller();
        let plan = routes::solve(&problem, asked.seed, &crew, &|| search.spent(), &mut |progress| tell(progress.cost));
        let report = routes::check(&problem, &plan);
        let mut written = serde_json::to_value(&plan)?;
        written["cost"] = number(plan.cost);
        asked.done(&written.to_string(), json!({"cost": number(report.cost), "routes": report.vehicles}), &report.violations)
    }
}

/// A whole number is written as one.
fn number(value: f64) -> Value {
    if value.fract() == 0.0 && value.abs() < 9e15 { json!(value as i64) } else { json!(value) }
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum ProductionFormat {
    Jobshop,
    /// Operations that may run on one of several machines.
    Flexible,
    /// Baton's own: a reagent factory with stages, shifts, yields, quarantine and expiry.
    Factory,
}

#[derive(Args)]
pub(crate) struct Production {
    #[command(flatten)]
    asked: Asked,
    #[arg(long, value_enum)]
    format: ProductionFormat,
    /// Of a factory: can it deliver so many tests a day, what stands in the way, and what would help?
    #[arg(long)]
    per_day: Option<i64>,
}

impl Production {
    fn run(self) -> anyhow::Result<ExitCode> {
        let asked = &self.asked;
        let text = asked.read()?;
        if self.format == ProductionFormat::Factory {
            return self.factory(&text);
        }
        let parsed = if self.format == ProductionFormat::Jobshop { production::parse_job_shop(&text) } else { production::parse_flexible(&text) };
        let shop = parsed.map_err(|error| asked.wrong(error))?;
        let search = asked.search()?;
        let mut tell = search.teller();
        let crew = Threads(asked.threads.into());
        let plan = production::solve(&shop, asked.seed, &crew, &|| search.going(), &mut |progress| tell(progress.makespan));
        let report = production::check(&shop, &plan);
        asked.done(&serde_json::to_string(&plan)?, json!({"makespan": report.makespan, "bound": plan.bound}), &report.violations)
    }

    fn factory(&self, text: &str) -> anyhow::Result<ExitCode> {
        let asked = &self.asked;
        let factory: Factory = serde_json::from_str(text).map_err(|error| asked.wrong(error))?;
        factory.validate().map_err(|error| asked.wrong(error))?;
        if let Some(per_day) = self.per_day {
            let reach = factory::reach(&factory, per_day);
            let stage = |index: usize| factory.stages.get(index).map_or("?", |stage| &stage.id);
            let figures = json!({"reachable": reach.reachable, "most_per_day": reach.most_per_day, "binding": stage(reach.binding)});
            return asked.done(&serde_json::to_string(&reach)?, figures, &[]);
        }
        let plan = factory::solve(&factory);
        let report = factory::check(&factory, &plan);
        asked.done(&serde_json::to_string(&plan)?, json!({"delivered": report.delivered, "missing": report.missing}), &report.violations)
    }
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
