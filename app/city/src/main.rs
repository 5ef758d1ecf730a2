//! `city`: drills with a real server.

#![allow(clippy::print_stdout, clippy::print_stderr)] // the terminal is this program's door

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use baton_city::kill::{self, KillReport, KillSettings};
use clap::{Parser, Subcommand};
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
        /// The program; otherwise the one beside `city`.
        #[arg(long)]
        baton: Option<PathBuf>,
        /// A folder for the drill that does not exist yet; otherwise a temporary one that is removed when the drill passes.
        #[arg(long)]
        data: Option<PathBuf>,
        #[arg(long, default_value_t = 6)]
        devices: u32,
        #[arg(long, default_value_t = 1)]
        seed: u64,
        #[arg(long)]
        json: bool,
    },
}

fn main() -> ExitCode {
    let Command::Kill { n, baton, data, devices, seed, json } = Cli::parse().command;
    run(n, baton, data, devices, seed, json).unwrap_or_else(|error| {
        eprintln!("city: {error:#}");
        ExitCode::FAILURE
    })
}

fn run(kills: u32, baton: Option<PathBuf>, data: Option<PathBuf>, devices: u32, seed: u64, json: bool) -> anyhow::Result<ExitCode> {
    let baton = baton.or_else(kill::beside_this_program).context("where is baton? Give --baton PATH")?;
    let temporary = data.is_none();
    let data = data.unwrap_or_else(|| std::env::temp_dir().join(format!("city-kill-{}", std::process::id())));
    let settings = KillSettings { baton, data, kills, devices, seed, life_ms_max: 700 };
    let bar = ProgressBar::new(u64::from(kills)).with_message("shooting the server");
    let report = kill::drill(&settings, |done| bar.set_position(u64::from(done)))?;
    bar.finish_and_clear();
    if json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        print_table(&report);
    }
    if !report.passed() {
        eprintln!("The folder is kept: {}", settings.data.display());
        return Ok(ExitCode::from(2));
    }
    if temporary {
        std::fs::remove_dir_all(&settings.data)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn print_table(report: &KillReport) {
    let rows = [
        ("kill -9", report.kills.to_string()),
        ("facts acknowledged", report.acknowledged.to_string()),
        ("facts sent more than once", report.resent.to_string()),
        ("acknowledged and lost", report.lost.to_string()),
        ("recorded twice", report.doubled.to_string()),
        ("events in the ledger", report.events.to_string()),
        ("verify", report.verify.clone()),
        ("tables as folded anew", if report.tables_same { "yes" } else { "NO" }.to_owned()),
    ];
    for (name, value) in rows {
        println!("{name:<28}{value:>12}");
    }
}
