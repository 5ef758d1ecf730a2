//! `baton`: one binary for an installation, from its first administrator to its restored backup.

#![allow(clippy::print_stdout, clippy::print_stderr)] // the terminal is this crate's door

mod admin;
mod campaign;
mod demo;
mod hl7;
mod import;
mod installation;
mod pcr;
mod plan;
mod pool;
mod report;
mod rooms;
mod safekeeping;
mod schema;
mod serve;
mod simulate;
#[cfg(test)]
mod testing;
mod vehicle;
mod web;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Baton: the relay that keeps a district tested and producing, from the roster to the signed report.
#[derive(Parser)]
#[command(
    name = "baton",
    version,
    after_help = "Example:\n  baton demo                          a zone, a screening day, and its pages\n  baton init --data /srv/baton && baton serve --data /srv/baton"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make a city, play a screening day in it at speed, and serve its pages.
    #[command(after_help = "Example:\n  baton demo\n  baton demo --people 4000 --no-serve --json\n  baton demo --run plate.rdml")]
    Demo(demo::Demo),
    /// Make a new installation: data folder, keys, empty ledger.
    #[command(after_help = "Example:\n  baton init --data /srv/baton --name 'Lingang Service Centre'")]
    Init(admin::Init),
    /// Serve the pages and the API.
    #[command(after_help = "Example:\n  baton serve --data /srv/baton --listen 0.0.0.0:8080")]
    Serve(serve::Serve),
    /// Add and list users; the pages disable them.
    #[command(subcommand, after_help = "Example:\n  baton user add --data /srv/baton --login wang --name 王芳 --role sampling_nurse --scope everywhere")]
    User(admin::UserCommand),
    /// Enrol and list handheld devices; the pages revoke them.
    #[command(subcommand, after_help = "Example:\n  baton device add --data /srv/baton --name 'Scanner 3' --login wang")]
    Device(admin::DeviceCommand),
    /// Take in a roster: what is new, changed, gone, and which rows are wrong.
    #[command(
        after_help = "Example:\n  baton import roster.xlsx --data /srv/baton --dry-run\n  baton import roster.xlsx --data /srv/baton\n  baton import --undo 4294967311 --data /srv/baton"
    )]
    Import(import::Import),
    /// Open campaigns and see who is missing.
    #[command(subcommand, after_help = "Example:\n  baton campaign list --data /srv/baton")]
    Campaign(campaign::CampaignCommand),
    /// Rosters, routes and production, each checked independently.
    #[command(subcommand, after_help = "Example:\n  baton plan roster Instance1.txt --format schedulingbenchmarks --seconds 60 --out roster.json")]
    Plan(plan::PlanCommand),
    /// Plan, decode and simulate pools.
    #[command(subcommand, after_help = "Example:\n  baton pool plan --prevalence 0.01")]
    Pool(pool::PoolCommand),
    /// Play a model of stations many times: waits, queues, when the last is done.
    #[command(after_help = "Example:\n  baton simulate day.json --replications 200 --threads 2\n  baton simulate day.json --compare one-more-lane.json --json")]
    Simulate(simulate::Simulate),
    /// Results and orders as HL7 v2.5.1 messages, and messages sent by MLLP.
    #[command(subcommand, after_help = "Example:\n  baton hl7 export --data /srv/baton --out results.hl7\n  baton hl7 send --to 10.0.0.7:2575 results.hl7")]
    Hl7(hl7::Hl7Command),
    /// Check every link, mark and head of the ledger.
    #[command(after_help = "Example:\n  baton verify --data /srv/baton --json")]
    Verify(safekeeping::Verify),
    /// Drop all tables folded from the ledger and fold them again.
    #[command(after_help = "Example:\n  baton rebuild --data /srv/baton")]
    Rebuild(safekeeping::Rebuild),
    /// Copy the ledger while it runs. Keys of personal data are not in the copy: see `baton keys`.
    #[command(after_help = "Example:\n  baton backup --data /srv/baton /mnt/backup/2026-11-23.baton")]
    Backup(safekeeping::Backup),
    /// Make an installation from a backup and its keys.
    #[command(after_help = "Example:\n  baton restore --data /srv/baton-new /mnt/backup/2026-11-23.baton --keys /mnt/safe/keys.baton")]
    Restore(safekeeping::Restore),
    /// Make a restored copy into a vehicle's: what happens there is sent to the centre by `serve --centre`.
    #[command(
        after_help = "Example:\n  baton restore --data /srv/vehicle copy.baton --keys keys.baton\n  baton vehicle --data /srv/vehicle --number 3\n  baton serve --data /srv/vehicle --centre http://10.0.0.1:8080 --centre-token token.txt"
    )]
    Vehicle(vehicle::MakeVehicle),
    /// Print the tables as PostgreSQL makes them, or what Citus is told about them.
    #[command(after_help = "Example:\n  baton schema --citus | psql \"$BATON_DATABASE\"")]
    Schema(schema::Schema),
    /// Copy the keys to a file sealed by a passphrase; keep it apart from the backups.
    #[command(subcommand, after_help = "Example:\n  BATON_PASSPHRASE=… baton keys export --data /srv/baton /mnt/safe/keys.baton")]
    Keys(safekeeping::KeysCommand),
    /// Call amplification curves, convert instrument files, and read an installation's history again with other rules.
    #[command(subcommand, after_help = "Example:\n  baton pcr call plate.rdml --json\n  baton pcr recall --data /srv/baton --rules orf1ab-n-ic-v3.json")]
    Pcr(pcr::PcrCommand),
    /// Check a signed report, anywhere, without a connection.
    #[command(after_help = "Example:\n  baton verify-report report.json --key 1f2e…")]
    VerifyReport(report::VerifyReport),
}

fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    match cli.command {
        Command::Demo(command) => command.run(),
        Command::Init(command) => command.run(),
        Command::Serve(command) => command.run(),
        Command::User(command) => command.run(),
        Command::Device(command) => command.run(),
        Command::Import(command) => command.run(),
        Command::Campaign(command) => command.run(),
        Command::Plan(command) => command.run(),
        Command::Pool(command) => command.run(),
        Command::Simulate(command) => command.run(),
        Command::Hl7(command) => command.run(),
        Command::Verify(command) => command.run(),
        Command::Rebuild(command) => command.run(),
        Command::Backup(command) => command.run(),
        Command::Restore(command) => command.run(),
        Command::Vehicle(command) => command.run(),
        Command::Schema(command) => command.run(),
        Command::Keys(command) => command.run(),
        Command::Pcr(command) => command.run(),
        Command::VerifyReport(command) => command.run(),
    }
}

fn main() -> ExitCode {
    sigpipe::reset(); // `baton … | head` ends quietly
    let filter = tracing_subscriber::EnvFilter::try_from_env("BATON_LOG").unwrap_or_else(|_| "warn".into());
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if std::env::var("BATON_LOG_FORMAT").is_ok_and(|format| format == "json") {
        log.json().init();
    } else {
        log.init();
    }
    run(Cli::parse()).unwrap_or_else(|error| {
        eprintln!("baton: {error:#}");
        ExitCode::FAILURE
    })
}
