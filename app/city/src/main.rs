//! `city`: drills with a real server.

#![allow(clippy::print_stdout, clippy::print_stderr)] // the terminal is this program's door

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use baton_city::clock::{self, ClockSettings};
use baton_city::disk::{self, DiskSettings};
use baton_city::failover::{self, FailoverSettings};
use baton_city::flip::{self, FlipSettings};
use baton_city::forecast::{self, ForecastSettings};
use baton_city::kill::{self, KillSettings};
use baton_city::load::{self, LoadReport, LoadSettings};
use baton_city::pages::{self, PagesSettings};
use baton_city::partition::{self, PartitionSettings};
use baton_city::peers::{self, PeersSettings};
use baton_city::powercut::{self, PowercutSettings};
use clap::{Args, Parser, Subcommand};
use indicatif::ProgressBar;

/// A seeded city that keeps a Baton server busy.
#[derive(Parser)]
#[command(name = "city", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Shoot a server under load with SIGKILL, again and again, and look for what is lost.
    #[command(after_help = "Example:\n  city kill -n 50 --baton target/release/baton")]
    Kill {
        /// How often.
        #[arg(short, default_value_t = 10)]
        n: u32,
        #[command(flatten)]
        at: At,
        #[arg(long, default_value_t = 6)]
        devices: u32,
    },
    /// Let the line between desks and server fail in every way a line can, again and again, and look for what is lost or doubled.
    #[command(after_help = "Example:\n  city partition -n 50 --baton target/release/baton")]
    Partition {
        /// How often.
        #[arg(short, default_value_t = 20)]
        n: u32,
        #[command(flatten)]
        at: At,
        #[arg(long, default_value_t = 6)]
        devices: u32,
    },
    /// Fill the server's disk and clear it again, again and again, while desks send. Mounts a small file system of its own.
    #[command(after_help = "Example (as an administrator):\n  city diskfull -n 20 --baton target/release/baton")]
    Diskfull {
        /// How often.
        #[arg(short, default_value_t = 10)]
        n: u32,
        #[command(flatten)]
        at: At,
        #[arg(long, default_value_t = 6)]
        devices: u32,
    },
    /// Cut the power of the server's disk under load, again and again: what was not synced is gone. Mounts a file system of its own.
    #[command(
        after_help = "Example:\n  city powercut -n 200 --baton target/release/baton\n  city powercut --prove          only that the method finds losses\nNeeds /dev/fuse and fusermount3 (Debian: apt-get install fuse3)."
    )]
    Powercut {
        /// How often.
        #[arg(short, default_value_t = 20)]
        n: u32,
        /// Only show that the cuts lose what was not synced, on a disk that lies about its syncs.
        #[arg(long)]
        prove: bool,
        #[command(flatten)]
        at: At,
        #[arg(long, default_value_t = 6)]
        devices: u32,
    },
    /// Set the server's clock forwards and back by up to a day under load, while every second desk's clock is wrong too.
    #[command(after_help = "Example:\n  city clock -n 50 --baton target/release/baton\nNeeds libfaketime (Debian: apt-get install faketime).")]
    Clock {
        /// How often.
        #[arg(short, default_value_t = 12)]
        n: u32,
        #[command(flatten)]
        at: At,
        #[arg(long, default_value_t = 6)]
        devices: u32,
    },
    /// Kill the leader of a PostgreSQL cluster under two servers, again and again. The cluster (etcd, three nodes under Patroni) is the drill's own.
    #[command(
        after_help = "Example:\n  city failover -n 5 --baton target/release/baton\nNeeds PostgreSQL, Patroni and etcd (Debian: apt-get install postgresql patroni etcd-server python3-etcd)."
    )]
    Failover {
        /// How often.
        #[arg(short, default_value_t = 2)]
        n: u32,
        #[command(flatten)]
        at: At,
        #[arg(long, default_value_t = 6)]
        devices: u32,
    },
    /// Turn over one bit of one store file, again and again: it must be found or refused before anything wrong is served.
    #[command(after_help = "Example:\n  city flip -n 200 --baton target/release/baton")]
    Flip {
        /// How often.
        #[arg(short, default_value_t = 50)]
        n: u32,
        #[command(flatten)]
        at: At,
    },
    /// Play days of different cities and judge what was foretold at half time about the last result.
    #[command(after_help = "Example:\n  city forecast --days 50 --people 2000")]
    Forecast {
        #[command(flatten)]
        at: At,
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
        days: u32,
        /// People of each city.
        #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(50..=500_000))]
        people: u32,
    },
    /// Ask for every page of every role of a played day: how long the server takes, and what each weighs.
    #[command(after_help = "Example:\n  baton demo --people 500000 --no-serve --data /tmp/city && city pages --data /tmp/city")]
    Pages {
        /// The program; otherwise the one beside `city`.
        #[arg(long)]
        baton: Option<PathBuf>,
        /// The folder of a demo.
        #[arg(long)]
        data: PathBuf,
        /// How often each page is asked for.
        #[arg(long, default_value_t = 20)]
        times: usize,
        #[arg(long)]
        json: bool,
    },
    /// Sample people at a pace and count every acknowledged fact again.
    #[command(after_help = "Example:\n  city load --rate 2000 --minutes 1 --people 200000\n  city load --rate 0 --batch 1 --json")]
    Load {
        #[command(flatten)]
        load: Load,
    },
    /// Hold Baton against PostgreSQL with one row per transaction behind the same HTTP shell. The database is the drill's own.
    #[command(after_help = "Example:\n  city peers --minutes 0.5 --people 60000\nNeeds PostgreSQL (Debian: apt-get install postgresql).")]
    Peers {
        #[command(flatten)]
        load: Load,
    },
    /// The same, while people ask for their results again and again.
    #[command(after_help = "Example:\n  city storm --rate 1000 --look-ups 5000 --minutes 1")]
    Storm {
        #[command(flatten)]
        load: Load,
        /// Result look-ups per second.
        #[arg(long, default_value_t = 2000)]
        look_ups: u32,
    },
    /// Find the capacity, offer several times as much, and see what becomes of what was accepted and what was refused.
    #[command(after_help = "Example:\n  city overload --times 3 --minutes 1")]
    Overload {
        #[command(flatten)]
        load: Load,
        #[arg(long, default_value_t = 3.0)]
        times: f64,
    },
}

/// Where a drill is done.
#[derive(Args)]
struct At {
    /// The program; otherwise the one beside `city`.
    #[arg(long)]
    baton: Option<PathBuf>,
    /// A folder for the drill that does not exist yet; otherwise a temporary one that is removed when the drill passes.
    #[arg(long)]
    data: Option<PathBuf>,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    #[arg(long)]
    json: bool,
}

impl At {
    fn baton(&self) -> anyhow::Result<PathBuf> {
        self.baton.clone().or_else(baton_city::beside_this_program).context("where is baton? Give --baton PATH")
    }
    fn folder(&self, drill: &str) -> PathBuf {
        self.data.clone().unwrap_or_else(|| std::env::temp_dir().join(format!("city-{drill}-{}", std::process::id())))
    }
    /// Prints the report, and removes the folder of a drill that passed.
    fn close(&self, report: &impl serde::Serialize, rows: Vec<(String, String)>, passed: bool, data: PathBuf) -> anyhow::Result<ExitCode> {
        if self.json {
            println!("{}", serde_json::to_string(report)?);
        } else {
            let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0) + 2;
            for (name, value) in rows {
                println!("{name:<width$}{value:>24}");
            }
        }
        if !passed {
            eprintln!("The folder is kept: {}", data.display());
            return Ok(ExitCode::from(2));
        }
        if self.data.is_none() {
            std::fs::remove_dir_all(data)?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

#[derive(Args)]
struct Load {
    #[command(flatten)]
    at: At,
    /// People sampled per second; 0 for as many as the server takes.
    #[arg(long, default_value_t = 0)]
    rate: u32,
    /// How long it lasts at most: it ends when everybody on the roster was sampled in every round.
    #[arg(long, default_value_t = 0.5)]
    minutes: f64,
    /// People on the roster.
    #[arg(long, default_value_t = 100_000)]
    people: u32,
    /// Campaigns the whole roster comes to, one after the other.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// Sampling nurses' devices, each with a connection of its own.
    #[arg(long, default_value_t = 64)]
    connections: u32,
    /// People told about in one request.
    #[arg(long, default_value_t = 50)]
    batch: u32,
}

impl Load {
    fn settings(&self, drill: &str) -> anyhow::Result<LoadSettings> {
        Ok(LoadSettings {
            baton: self.at.baton()?,
            data: self.at.folder(drill),
            seed: self.at.seed,
            people: self.people,
            rounds: self.rounds,
            connections: self.connections.max(1),
            batch: self.batch.clamp(1, 400),
            rate: self.rate,
            seconds: self.minutes * 60.0,
            look_ups: 0,
            times: 1.0,
        })
    }

    fn run(&self, drill: impl Fn(&LoadSettings, &dyn Fn(&str)) -> anyhow::Result<LoadReport>, settings: &LoadSettings) -> anyhow::Result<ExitCode> {
        let bar = ProgressBar::new_spinner();
        bar.enable_steady_tick(std::time::Duration::from_millis(200));
        let report = drill(settings, &|stage| bar.set_message(stage.to_owned()))?;
        bar.finish_and_clear();
        self.at.close(&report, report.rows(), report.passed(), settings.data.clone())
    }
}

fn main() -> ExitCode {
    run(Cli::parse().command).unwrap_or_else(|error| {
        eprintln!("city: {error:#}");
        ExitCode::FAILURE
    })
}

fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Kill { n, at, devices } => run_kill(n, &at, devices),
        Command::Partition { n, at, devices } => run_partition(n, &at, devices),
        Command::Diskfull { n, at, devices } => run_disk(n, &at, devices),
        Command::Powercut { n, prove, at, devices } => run_powercut(if prove { 0 } else { n }, &at, devices),
        Command::Clock { n, at, devices } => run_clock(n, &at, devices),
        Command::Failover { n, at, devices } => run_failover(n, &at, devices),
        Command::Flip { n, at } => run_flip(n, &at),
        Command::Forecast { at, days, people } => run_forecast(&at, days, people),
        Command::Pages { baton, data, times, json } => run_pages(At { baton, data: Some(data), seed: 0, json }, times),
        Command::Load { load } => load.run(|settings, say| load::load(settings, say), &load.settings("load")?),
        Command::Storm { load, look_ups } => load.run(|settings, say| load::storm(settings, say), &LoadSettings { look_ups, ..load.settings("storm")? }),
        Command::Peers { load } => run_peers(&load),
        Command::Overload { load, times } => load.run(|settings, say| load::overload(settings, say), &LoadSettings { times, ..load.settings("overload")? }),
    }
}

/// A drill with a bar that shows how many of its blows are done.
fn counted<R>(blows: u32, doing: &'static str, drill: impl FnOnce(&dyn Fn(u32)) -> anyhow::Result<R>) -> anyhow::Result<R> {
    let bar = ProgressBar::new(u64::from(blows)).with_message(doing);
    let report = drill(&|done| bar.set_position(u64::from(done)))?;
    bar.finish_and_clear();
    Ok(report)
}

fn run_flip(flips: u32, at: &At) -> anyhow::Result<ExitCode> {
    let settings = FlipSettings { baton: at.baton()?, data: at.folder("flip"), flips, seed: at.seed };
    let report = counted(flips, "turning bits over", |done| flip::drill(&settings, done))?;
    at.close(&report, report.rows(), report.passed(), settings.data)
}

fn run_forecast(at: &At, days: u32, people: u32) -> anyhow::Result<ExitCode> {
    let settings = ForecastSettings { baton: at.baton()?, data: at.folder("forecast"), seed: at.seed, days, people };
    let report = counted(days, "playing days", |done| forecast::drill(&settings, done))?;
    at.close(&report, report.rows(), report.passed(), settings.data)
}

fn run_pages(at: At, times: usize) -> anyhow::Result<ExitCode> {
    let settings = PagesSettings { baton: at.baton()?, data: at.folder("pages"), times };
    let bar = ProgressBar::new_spinner();
    bar.enable_steady_tick(std::time::Duration::from_millis(200));
    let report = pages::drill(&settings, |page| bar.set_message(page.to_owned()))?;
    bar.finish_and_clear();
    at.close(&report, report.rows(), report.passed(), settings.data)
}

fn run_kill(kills: u32, at: &At, devices: u32) -> anyhow::Result<ExitCode> {
    let settings = KillSettings { baton: at.baton()?, data: at.folder("kill"), kills, devices, seed: at.seed, life_ms_max: 700 };
    let report = counted(kills, "shooting the server", |done| kill::drill(&settings, done))?;
    at.close(&report, report.rows(), report.passed(), settings.data)
}

fn run_partition(cuts: u32, at: &At, devices: u32) -> anyhow::Result<ExitCode> {
    let settings = PartitionSettings { baton: at.baton()?, data: at.folder("partition"), cuts, devices, seed: at.seed, spell_ms_max: 400 };
    let report = counted(cuts, "cutting the line", |done| partition::drill(&settings, done))?;
    at.close(&report, report.rows(), report.passed(), settings.data)
}

/// Says what this machine has not got.
fn there(missing: Option<String>) -> anyhow::Result<()> {
    missing.map_or(Ok(()), |missing| Err(anyhow::anyhow!(missing)))
}

fn run_powercut(cuts: u32, at: &At, devices: u32) -> anyhow::Result<ExitCode> {
    there(powercut::missing())?;
    let settings = PowercutSettings { baton: at.baton()?, data: at.folder("powercut"), cuts, devices, seed: at.seed, life_ms_max: 700 };
    let report = counted(cuts, "cutting the power", |done| powercut::drill(&settings, done))?;
    at.close(&report, report.rows(), report.passed(), settings.data)
}

fn run_clock(jumps: u32, at: &At, devices: u32) -> anyhow::Result<ExitCode> {
    there(clock::missing())?;
    let settings = ClockSettings { baton: at.baton()?, data: at.folder("clock"), jumps, devices, seed: at.seed };
    let report = counted(jumps, "setting the clock", |done| clock::drill(&settings, done))?;
    at.close(&report, report.rows(), report.passed(), settings.data)
}

fn run_failover(kills: u32, at: &At, devices: u32) -> anyhow::Result<ExitCode> {
    there(failover::missing())?;
    let settings = FailoverSettings { baton: at.baton()?, data: at.folder("failover"), kills, devices };
    let report = counted(kills, "killing leaders", |done| failover::drill(&settings, done))?;
    at.close(&report, report.rows(), report.passed(), settings.data)
}

fn run_peers(load: &Load) -> anyhow::Result<ExitCode> {
    there(peers::missing())?;
    let LoadSettings { baton, data, seed, people, seconds, connections, .. } = load.settings("peers")?;
    let settings = PeersSettings { baton, data, seed, people, seconds, connections };
    let bar = ProgressBar::new_spinner();
    bar.enable_steady_tick(std::time::Duration::from_millis(200));
    let report = peers::compare(&settings, |stage| bar.set_message(stage.to_owned()))?;
    bar.finish_and_clear();
    load.at.close(&report, report.rows(), report.passed(), settings.data)
}

fn run_disk(fills: u32, at: &At, devices: u32) -> anyhow::Result<ExitCode> {
    let settings = DiskSettings { baton: at.baton()?, data: at.folder("diskfull"), fills, devices };
    let report = counted(fills, "filling the disk", |done| disk::drill(&settings, done))?;
    at.close(&report, report.rows(), report.passed(), settings.data)
}
