//! Opening an installation: where it is, who holds it, what it is called.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, bail};
use baton_desk::{Actor, App, Desk, Vehicle};
use baton_kit::{Clock, Entropy, Language, Refusal, Site, SystemClock, SystemEntropy};
use baton_ledger::{Fold, Ledger, Place, Surroundings};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde::{Deserialize, Serialize};

use crate::rooms::rooms;

/// Where an installation is.
#[derive(Args, Clone, Debug)]
pub(crate) struct Where {
    /// Folder of the installation: its keys, settings and, with the embedded store, its data.
    #[arg(long, env = "BATON_DATA", default_value = "baton-data")]
    pub data: PathBuf,
    /// Keep the data in PostgreSQL instead of the folder: postgres://user@host/database
    #[arg(long, env = "BATON_DATABASE")]
    pub database: Option<String>,
}

/// What is written in `baton.json` of the data folder.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Settings {
    pub name: String,
    pub time_zone: String,
    pub day_starts_hour: i8,
    /// Set on a copy that works away from the centre: see `vehicle.rs`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vehicle: Option<crate::vehicle::Copied>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { name: "Baton".to_owned(), time_zone: "Asia/Shanghai".to_owned(), day_starts_hour: 4, vehicle: None }
    }
}

/// An installation held by this process alone.
pub(crate) struct Held {
    pub app: App,
    _lock: File,
}

impl Where {
    pub(crate) fn place(&self) -> Place {
        Place::new(self.data.clone(), self.database.clone())
    }

    /// The place of an installation that exists.
    pub(crate) fn existing(&self) -> anyhow::Result<Place> {
        let place = self.place();
        if !place.exists() {
            bail!("there is no installation in {}: make one with `baton init --data {0}`", self.data.display());
        }
        Ok(place)
    }

    pub(crate) fn create(&self, settings: &Settings, entropy: &dyn Entropy) -> anyhow::Result<()> {
        self.place().create(entropy)?;
        self.write_settings(settings)
    }

    pub(crate) fn write_settings(&self, settings: &Settings) -> anyhow::Result<()> {
        let mut file = File::create(self.data.join("baton.json")).context("baton.json")?;
        file.write_all(serde_json::to_string_pretty(settings)?.as_bytes()).context("baton.json")?;
        file.sync_all().context("baton.json")?;
        baton_ledger::place::sync_with_parent(&self.data).with_context(|| self.data.display().to_string())
    }

    pub(crate) fn settings(&self) -> anyhow::Result<Settings> {
        let path = self.data.join("baton.json");
        let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        serde_json::from_str(&text).with_context(|| path.display().to_string())
    }

    /// Keeps every other process of this folder out until the file is dropped.
    pub(crate) fn lock(&self) -> anyhow::Result<File> {
        let file = File::create(self.data.join("lock")).context("lock")?;
        if file.try_lock().is_err() {
            bail!("{} is in use by a running baton: stop it first, or do this on its pages", self.data.display());
        }
        Ok(file)
    }

    /// Opens with the machine's clock.
    pub(crate) fn hold(&self) -> anyhow::Result<Held> {
        self.hold_with(Arc::new(SystemClock), Arc::new(SystemEntropy))
    }

    pub(crate) fn hold_with(&self, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> anyhow::Result<Held> {
        let place = self.existing()?;
        let lock = self.lock()?;
        let settings = self.settings()?;
        let site = Site::new(&settings.time_zone, settings.day_starts_hour)?;
        let server = settings.vehicle.map_or(Ok(baton_desk::centre()), |copied| copied.vehicle().map(Vehicle::server))?;
        let bar = progress("folding the ledger");
        let ledger = Ledger::open(place, Surroundings { clock, entropy, folds: folds(), server }, |done, all| show(&bar, done, all))?;
        bar.finish_and_clear();
        // A shredding that is on record and was cut off is carried out before anybody looks.
        baton_registry::finish_shredding(&ledger)?;
        let app = Desk::new(Arc::new(ledger), site, settings.name, rooms()).map_err(anyhow::Error::msg)?;
        Ok(Held { app, _lock: lock })
    }
}

/// The folds of all rooms, in order.
pub(crate) fn folds() -> Vec<Fold> {
    rooms().into_iter().map(|room| room.fold).collect()
}

/// Whoever stands at the server's own terminal.
pub(crate) fn operator() -> Actor {
    let mut actor = Actor::anonymous(language());
    actor.scope = baton_desk::Scope::Everywhere;
    actor.roles = vec![baton_desk::Role::Administrator];
    actor
}

/// The language of the terminal.
pub(crate) fn language() -> Language {
    let tag = std::env::var("LC_ALL").or_else(|_| std::env::var("LANG")).unwrap_or_default();
    Language::from_tag(&tag.replace('_', "-")).unwrap_or(Language::English)
}

/// A refusal in the terminal's words.
pub(crate) fn in_words(app: &App, refusal: &Refusal) -> anyhow::Error {
    let (message, next) = app.texts.words(language()).refusal(refusal);
    anyhow::anyhow!("{message}{}", next.map(|next| format!("\n{next}")).unwrap_or_default())
}

/// A progress bar on standard error; silent when that is no terminal.
pub(crate) fn progress(what: &str) -> ProgressBar {
    let bar = ProgressBar::new(0).with_message(what.to_owned());
    if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {human_pos}/{human_len} {eta}") {
        bar.set_style(style);
    }
    bar
}

pub(crate) fn show(bar: &ProgressBar, done: i64, all: i64) {
    bar.set_length(all.unsigned_abs());
    bar.set_position(done.unsigned_abs());
}

/// A small runtime for commands that take one decision.
pub(crate) fn wait_for<T>(work: impl Future<Output = T>) -> anyhow::Result<T> {
    Ok(tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?.block_on(work))
}
