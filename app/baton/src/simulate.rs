//! `simulate`: replications of a model file.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::Context;
use baton_simulate::{Model, Report, Settings, Workers, parse, run};
use clap::Args;
use cpu_time::ProcessTime;

#[derive(Args)]
pub(crate) struct Simulate {
    /// The model: arrivals, stations, batches, calendar.
    model: PathBuf,
    /// How many independent days are played.
    #[arg(long, default_value = "30", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    replications: u32,
    #[arg(long, default_value = "1")]
    seed: u64,
    /// What comes out does not depend on it.
    #[arg(long, default_value = "1", value_parser = clap::value_parser!(u32).range(1..=256))]
    threads: u32,
    /// A second model that meets the same demands: what would it change?
    #[arg(long)]
    compare: Option<PathBuf>,
    #[arg(long)]
    json: bool,
}

/// So many threads, each taking the next job that nobody has.
struct Threads(u32);

impl Workers for Threads {
    fn each(&self, jobs: u32, job: &(dyn Fn(u32) + Sync)) {
        let next = AtomicU32::new(0);
        let work = || {
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                if index >= jobs {
                    break;
                }
                job(index);
            }
        };
        std::thread::scope(|scope| {
            (1..self.0.min(jobs)).for_each(|_| _ = scope.spawn(work));
            work();
        });
    }
}

impl Simulate {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let model = read(&self.model)?;
        let other = self.compare.as_deref().map(read).transpose()?;
        let settings = Settings { replications: self.replications, seed: self.seed };
        let began = ProcessTime::now();
        let report = run(&model, other.as_ref(), &settings, &Threads(self.threads), &|| true).map_err(|error| anyhow::anyhow!("{error}"))?;
        let report = report.timed(began.elapsed().as_secs_f64());
        if self.json {
            println!("{}", serde_json::to_string(&report)?);
        } else {
            print(&report);
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn read(path: &Path) -> anyhow::Result<Model> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    parse(&text).map_err(|error| anyhow::anyhow!("{}: {error}", path.display()))
}

fn print(report: &Report) {
    let interval = |half: Option<f64>| half.map_or(String::new(), |half| format!(" ± {half:.2}"));
    println!("{} replications, {} events; the last leaves after {:.1} s on average", report.replications, report.events, report.horizon_s);
    println!("{:<20}{:>22}{:>13}{:>13}", "station", "mean wait, s", "utilisation", "mean queue");
    for station in &report.stations {
        let wait = format!("{:.2}{}", station.mean_wait_s, interval(station.ci95_s));
        println!("{:<20}{wait:>22}{:>13.3}{:>13.2}", station.name, station.utilisation, station.mean_queue);
    }
    let sojourn = &report.sojourn;
    println!("inside, s: {:.2}{} on average", sojourn.mean_s, interval(sojourn.ci95_s));
    println!("  half within {:.2}, 95 % within {:.2}, 99 % within {:.2}", sojourn.p50_s, sojourn.p95_s, sojourn.p99_s);
    if let Some(difference) = &report.difference {
        println!("the other model changes the mean by {:+.3} s", difference.mean_s);
    }
}
