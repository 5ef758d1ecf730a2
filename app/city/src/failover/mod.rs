//! The fail-over: two servers on one database cluster, whose leader is killed under load, again and again.
//!
//! Nobody tells the servers: they must find the new leader themselves, and what was being committed when the old one died is
//! said again under the same ids. Everything acknowledged must be there, once.

mod cluster;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::bail;
use baton_ledger::Stopwatch;

use crate::desks::{Desks, Losses};
use crate::load::Calibration;
use crate::program::Program;
use cluster::Cluster;

/// Writes must be back within this time.
const BACK_S: f64 = 30.0;
/// After this time nobody believes that they will be.
const GIVEN_UP: Duration = Duration::from_secs(120);
/// What was answered before the kill is on its way to its desk no longer than this.
const UNDER_WAY: Duration = Duration::from_millis(500);

/// What is drilled.
#[derive(Clone, Debug)]
pub struct FailoverSettings {
    /// The program.
    pub baton: PathBuf,
    /// A folder that does not exist yet.
    pub data: PathBuf,
    pub kills: u32,
    pub devices: u32,
}

/// What the drill found.
#[derive(Clone, PartialEq, Debug, serde::Serialize)]
pub struct FailoverReport {
    pub before: Calibration,
    pub after: Calibration,
    /// Seconds from each kill until something new was acknowledged.
    pub back_s: Vec<f64>,
    #[serde(flatten)]
    pub losses: Losses,
}

impl FailoverReport {
    pub fn passed(&self) -> bool {
        self.losses.none() && !self.back_s.is_empty() && self.back_s.iter().all(|seconds| *seconds <= BACK_S)
    }

    pub fn rows(&self) -> Vec<(String, String)> {
        let times: Vec<String> = self.back_s.iter().map(|seconds| format!("{seconds:.1}")).collect();
        let own = vec![("leaders killed".to_owned(), self.back_s.len().to_string()), (format!("writes back after s (at most {BACK_S})"), times.join(" "))];
        [Calibration::rows(&self.before, &self.after), own, self.losses.rows()].concat()
    }
}

/// What is missing on this machine for the drill, if anything.
pub fn missing() -> Option<String> {
    cluster::missing()
}

/// Runs the drill; `progress` hears how many leaders were killed.
///
/// # Errors
/// When the cluster does not come up, a server does not start, or a device is refused. What the drill finds is in the report.
pub fn drill(settings: &FailoverSettings, progress: impl Fn(u32)) -> anyhow::Result<FailoverReport> {
    if settings.data.exists() {
        bail!("{} exists: the drill makes its own folder", settings.data.display());
    }
    std::fs::create_dir_all(&settings.data)?;
    let before = Calibration::measure(&settings.data)?;
    let mut cluster = Cluster::start(&settings.data)?;
    let program = Program::new(&settings.baton, &settings.data.join("baton")).with_database(&cluster.url());
    let desks = Desks::begin(&program, settings.devices.max(2))?;
    let other = program.on(&settings.data.join("baton-other"));
    second_folder(&program.data, &other.data)?;
    let (one, two) = (program.serve(&[])?, other.serve(&[])?);
    desks.talk_to_each(&[&one.base, &two.base]);
    let mut back_s = Vec::new();
    for kill in 0..settings.kills {
        desks.live(2_000)?;
        let dead = cluster.kill_leader()?;
        back_s.push(back_again(&desks)?);
        desks.live(1_000)?;
        // Meanwhile nobody sends: everything sent is asked for again in the end, and folded again on a cluster.
        desks.talk_to(None);
        cluster.restart(dead)?;
        cluster.settle()?;
        desks.talk_to_each(&[&one.base, &two.base]);
        progress(kill + 1);
    }
    two.stop()?;
    let losses = desks.close(one)?;
    drop(cluster);
    let after = Calibration::measure(&settings.data)?;
    Ok(FailoverReport { before, after, back_s, losses })
}

/// Another server needs the installation's keys and settings, and nothing else.
fn second_folder(one: &Path, two: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(two.join("secrets"))?;
    for name in ["baton.json", "secrets/signing.key", "secrets/wrapping.key", "secrets/lookup.key"] {
        std::fs::copy(one.join(name), two.join(name))?;
    }
    Ok(())
}

fn back_again(desks: &Desks) -> anyhow::Result<f64> {
    let watch = Stopwatch::start();
    std::thread::sleep(UNDER_WAY);
    let before = desks.acknowledged();
    while desks.acknowledged() == before {
        if watch.us() > GIVEN_UP.as_micros() as u64 {
            bail!("{} s after its leader died the cluster took no writes", GIVEN_UP.as_secs());
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(watch.us() as f64 / 1e6)
}
