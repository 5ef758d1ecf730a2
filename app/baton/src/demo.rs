//! `demo`: a seeded city, a screening day at speed through this program's own front door, and its pages.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Instant;

use anyhow::{Context, bail};
use baton_city::day::{self, Around, Credentials, Outcome, PlaySettings, Stage};
use baton_desk::accounts::pages::{NewUser, create_account};
use baton_desk::{App, Role, Scope};
use baton_kit::{Bucket, Clock, Entropy, Language, PlaceId, SeededEntropy, Site, Timestamp, VirtualClock, time::HOUR_US};
use baton_ledger::{Ledger, hex};
use baton_registry::events::PlaceKind;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use tokio::net::TcpListener;

use crate::installation::{Settings, Where, folds, in_words, operator};
use crate::{safekeeping, serve};

/// The file that says a folder is a demo and may be replaced.
const MARK: &str = "demo.json";
const FIRST_DAY: &str = "2026-03-27 07:00";
const ADMINISTRATOR: &str = "admin";

#[derive(Args)]
pub(crate) struct Demo {
    /// How many people live in the city.
    #[arg(long, default_value_t = 4_000, value_parser = clap::value_parser!(u32).range(50..=2_000_000))]
    people: u32,
    /// Another seed, another city.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Folder of the demo; an older demo in it is replaced.
    #[arg(long, default_value = "demo-data")]
    data: PathBuf,
    /// Keep the data in an empty PostgreSQL database: postgres://user@host/database
    #[arg(long)]
    database: Option<String>,
    /// Stop when the day is over instead of serving its pages.
    #[arg(long)]
    no_serve: bool,
    /// Print exactly one JSON object.
    #[arg(long)]
    json: bool,
    /// Put an instrument's file through a plate of its own, so that its curves show on the bench page.
    #[arg(long, value_name = "FILE")]
    run: Option<PathBuf>,
    /// Address to listen on.
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: String,
}

/// Stands while the day is played, and runs on at real speed afterwards.
struct DemoClock {
    played: VirtualClock,
    running: OnceLock<Instant>,
}

#[allow(clippy::disallowed_methods)] // measuring how long the demo itself takes
fn instant() -> Instant {
    Instant::now()
}

impl Clock for DemoClock {
    fn now(&self) -> Timestamp {
        let since = self.running.get().map_or(0, |since| i64::try_from(since.elapsed().as_micros()).unwrap_or(i64::MAX));
        self.played.now().plus_us(since)
    }
}

/// Everything that is printed.
struct Report {
    outcome: Outcome,
    violations: Vec<(String, String)>,
    verify: String,
    ledger_head: String,
    state_hash: String,
    events: i64,
    wall_s: f64,
    put_through: Option<String>,
}

impl Demo {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let began = instant();
        let at = Where { data: self.data.clone(), database: self.database.clone() };
        make_folder(&self.data)?;
        let opens = Site::shanghai().parse(FIRST_DAY).context("the first day")?;
        let clock = Arc::new(DemoClock { played: VirtualClock::new(opens.plus_us(-24 * HOUR_US)), running: OnceLock::new() });
        let entropy: Arc<dyn Entropy> = Arc::new(SeededEntropy::new(self.seed));
        at.create(&Settings { name: "临港健康服务中心 · Demo".to_owned(), ..Settings::default() }, &*entropy)?;
        std::fs::write(self.data.join(MARK), serde_json::json!({"people": self.people, "seed": self.seed}).to_string())?;
        let held = at.hold_with(clock.clone(), entropy)?;
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        // The installation is closed after the runtime: a store is neither opened nor closed in async code.
        runtime.block_on(self.play(&held.app, &clock, opens, began))
    }

    async fn play(&self, app: &App, clock: &DemoClock, opens: Timestamp, began: Instant) -> anyhow::Result<ExitCode> {
        add_administrator(app).await?;
        let listen = if self.no_serve { "127.0.0.1:0" } else { &self.listen };
        let listener = TcpListener::bind(listen).await.with_context(|| listen.to_owned())?;
        let base = format!("http://{}", listener.local_addr()?);
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let serving = tokio::spawn({
            let app = app.clone();
            async move { serve::serve(&app, listener, async { _ = stopped.await }).await }
        });
        let outcome = self.play_day(&base, clock, opens).await?;
        let put_through = match &self.run {
            Some(file) => Some(put_through(app, file).await?),
            None => None,
        };
        let app = app.clone();
        let report = tokio::task::spawn_blocking(move || report(&app, outcome, put_through, began)).await??;
        self.print(&report, &base);
        if self.no_serve {
            _ = stop.send(());
            serving.await??;
            return Ok(report.exit());
        }
        _ = clock.running.set(instant());
        tokio::select! {
            () = serve::stop_signal() => {}
            served = serving => served??,
        }
        Ok(report.exit())
    }

    async fn play_day(&self, base: &str, clock: &DemoClock, opens: Timestamp) -> anyhow::Result<Outcome> {
        let bar = Bar::new(self.json);
        let around = Around { clock: &|at| clock.played.advance_to(at), progress: &|stage, done, all| bar.show(stage, done, all) };
        let admin = Credentials { login: ADMINISTRATOR.to_owned(), password: day::PASSWORD.to_owned() };
        let played = day::run(base, admin, PlaySettings::new(self.seed, self.people, opens), around).await;
        bar.bar.finish_and_clear();
        played
    }

    fn print(&self, report: &Report, base: &str) {
        if self.json {
            println!("{}", report.json());
            return;
        }
        report.print();
        if !self.no_serve {
            println!("\nThe pages: {base}   (stop with Ctrl-C)\nPassword of everybody: {}", day::PASSWORD);
            for (role, login, name) in report.logins() {
                println!("  {login:<16}{role:<22}{name}");
            }
        }
    }
}

fn report(app: &App, outcome: Outcome, put_through: Option<String>, began: Instant) -> anyhow::Result<Report> {
    let ledger = &app.ledger;
    if !ledger.wait_folded(ledger.position().0, std::time::Duration::from_secs(600)) {
        bail!("the tables do not catch up with the ledger");
    }
    let violations = ledger.read(|tx| Ok(crate::rooms::violations(tx)?))?;
    let verdict = safekeeping::verify(ledger.place())?;
    let state = Ledger::state_hash(ledger.place(), &folds(), true)?;
    Ok(Report {
        outcome,
        violations,
        verify: verdict.problems.first().map_or_else(|| "ok".to_owned(), ToString::to_string),
        ledger_head: hex(&verdict.ledger_head),
        state_hash: hex(&state),
        events: verdict.events,
        wall_s: began.elapsed().as_secs_f64(),
        put_through,
    })
}

/// A fresh folder, or one that holds nothing but an older demo.
fn make_folder(folder: &Path) -> anyhow::Result<()> {
    let empty = std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none());
    if folder.exists() && !empty {
        if !folder.join(MARK).exists() {
            bail!("{} holds something that is no demo: give another folder with --data", folder.display());
        }
        std::fs::remove_dir_all(folder).with_context(|| folder.display().to_string())?;
    }
    std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())
}

async fn add_administrator(app: &App) -> anyhow::Result<()> {
    let id = app.form_id(Bucket::INSTALLATION).await.map_err(|refusal| in_words(app, &refusal))?;
    let new = NewUser {
        login: ADMINISTRATOR.to_owned(),
        name: "管理员".to_owned(),
        password: day::PASSWORD.to_owned(),
        roles: vec![Role::Administrator],
        scope: Scope::Everywhere,
        language: Language::ChineseSimplified,
        first: true,
    };
    create_account(app, &operator(), id, new).await.map_err(|refusal| in_words(app, &refusal))?;
    Ok(())
}

async fn put_through(app: &App, file: &Path) -> anyhow::Result<String> {
    let bytes = std::fs::read(file).with_context(|| file.display().to_string())?;
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let laboratories =
        app.read(|tx| Ok(baton_registry::store::places_of_kind(tx, PlaceKind::Laboratory, 1)?)).await.map_err(|refusal| in_words(app, &refusal))?;
    let laboratory: PlaceId = laboratories.first().context("a laboratory")?.id;
    let taken = baton_laboratory::commands::run_file_on_new_plate(app, &operator(), laboratory, &name, bytes.into()).await;
    let taken = taken.map_err(|refusal| in_words(app, &refusal))?;
    let mut calls: BTreeMap<&str, usize> = BTreeMap::new();
    for reading in &taken.decision.outcome.readings {
        *calls.entry(&reading.call).or_default() += 1;
    }
    let calls: Vec<String> = calls.iter().map(|(call, count)| format!("{count} {call}")).collect();
    Ok(format!("{name}: {} curves ({}) on the bench page /laboratory/runs/{}", taken.decision.outcome.readings.len(), calls.join(", "), taken.run))
}

/// Peak resident memory of this process.
fn peak_rss_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
    peak.unwrap_or(0) / 1024
}

impl Report {
    fn exit(&self) -> ExitCode {
        let good = self.violations.is_empty() && self.verify == "ok" && self.outcome.score.missed == 0 && self.outcome.score.false_positives == 0;
        if good { ExitCode::SUCCESS } else { ExitCode::from(2) }
    }

    fn json(&self) -> serde_json::Value {
        let (outcome, score) = (&self.outcome, &self.outcome.score);
        serde_json::json!({
            "people": outcome.people,
            "sampled": outcome.sampled,
            "tubes": outcome.tubes,
            "boxes": outcome.boxes,
            "plates": outcome.plates,
            "wells": outcome.wells,
            "positives": {"true": score.infected, "found": score.found, "in_follow_up": score.in_follow_up, "missed": score.missed, "false": score.false_positives},
            "invariant_violations": self.violations.len(),
            "verify": self.verify,
            "ledger_head": self.ledger_head,
            "state_hash": self.state_hash,
            "events": self.events,
            "turnaround_s": outcome.turnaround,
            "evening": outcome.evening,
            "wall_s": (self.wall_s * 10.0).round() / 10.0,
            "peak_rss_mib": peak_rss_mib(),
        })
    }

    fn print(&self) {
        let (outcome, score) = (&self.outcome, &self.outcome.score);
        let hours = |seconds: i64| format!("{}:{:02} h", seconds / 3600, seconds / 60 % 60);
        println!(
            "{} people, {} of them swabbed into {} tubes, {} boxes, {} plates, {} wells read in {} runs",
            outcome.people, outcome.sampled, outcome.tubes, outcome.boxes, outcome.plates, outcome.wells, outcome.runs
        );
        let released: Vec<String> = outcome.released.iter().map(|(result, tubes)| format!("{tubes} {result}")).collect();
        println!("Tubes released: {}; {} rounds of single swabs", released.join(", "), outcome.follow_up_rounds);
        println!(
            "Infected and swabbed: {}; found {}, in follow-up {}, missed {}; falsely positive {}",
            score.infected, score.found, score.in_follow_up, score.missed, score.false_positives
        );
        println!(
            "From swab to result: half within {}, nine of ten within {}, all within {}",
            hours(outcome.turnaround.p50),
            hours(outcome.turnaround.p90),
            hours(outcome.turnaround.max)
        );
        println!("{} facts and {} decisions said over HTTP, {} events in the ledger; verify: {}", outcome.facts, outcome.decisions, self.events, self.verify);
        let notes: Vec<String> = outcome.notes.iter().map(|(code, count)| format!("{code} {count}")).collect();
        println!("Told at once: {}", if notes.is_empty() { "nothing".to_owned() } else { notes.join(", ") });
        for (person, standing) in &score.missed_people {
            println!("MISSED    person {person} of the city: {standing:?}");
        }
        for (name, detail) in self.violations.iter().take(20) {
            println!("VIOLATED  {name}: {detail}");
        }
        if let Some(line) = &self.put_through {
            println!("{line}");
        }
        println!("Ledger head {}\nState       {}\n{:.1} s, {} MiB at most", self.ledger_head, self.state_hash, self.wall_s, peak_rss_mib());
    }

    /// One login for each role.
    fn logins(&self) -> Vec<(&'static str, String, String)> {
        let mut seen = Vec::new();
        let mut logins = vec![("administrator", ADMINISTRATOR.to_owned(), "管理员".to_owned())];
        for login in &self.outcome.logins {
            if !seen.contains(&login.role) {
                seen.push(login.role);
                logins.push((login.role, login.login.clone(), login.name.clone()));
            }
        }
        logins
    }
}

/// Shows on standard error how far the day is.
struct Bar {
    bar: ProgressBar,
    stage: Mutex<Option<Stage>>,
}

impl Bar {
    fn new(silent: bool) -> Self {
        let bar = if silent && !std::io::stderr().is_terminal() { ProgressBar::hidden() } else { ProgressBar::new(0) };
        if let Ok(style) = ProgressStyle::with_template("{msg:<28} {wide_bar} {human_pos}/{human_len} {elapsed}") {
            bar.set_style(style);
        }
        Self { bar, stage: Mutex::new(None) }
    }

    fn show(&self, stage: Stage, done: u64, all: u64) {
        let mut shown = self.stage.lock().unwrap_or_else(PoisonError::into_inner);
        if *shown != Some(stage) {
            *shown = Some(stage);
            self.bar.set_message(match stage {
                Stage::SettingUp => "users, points, laboratories".to_owned(),
                Stage::Importing => "roster".to_owned(),
                Stage::Round(0) => "the day".to_owned(),
                Stage::Round(round) => format!("single swabs, round {round}"),
                Stage::Reckoning => "what Baton says of everybody".to_owned(),
            });
        }
        self.bar.set_length(all);
        self.bar.set_position(done);
    }
}
