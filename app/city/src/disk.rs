//! The full disk: the desks' server works on a small file system that is filled up and cleared again while they send.
//!
//! A full disk must refuse at once and say so, stay alive, keep what it acknowledged, and go on by itself when there is
//! room. The file system is a `tmpfs` that the drill mounts over its folder, which takes an administrator's rights; no disk of the machine is filled.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, bail};

use crate::client::{Client, Failure};
use crate::desks::{Desks, Losses};
use crate::program::Program;

/// Size of the file system.
const SIZE_MIB: u64 = 64;
/// How long a full server is watched.
const FULL: Duration = Duration::from_millis(700);
/// A server that finds room again must acknowledge within this time.
const BACK: Duration = Duration::from_secs(30);

/// What is drilled.
#[derive(Clone, Debug)]
pub struct DiskSettings {
    /// The program.
    pub baton: PathBuf,
    /// A folder that does not exist yet; the small file system is mounted there.
    pub data: PathBuf,
    pub fills: u32,
    pub devices: u32,
}

/// What the drill found.
#[derive(Clone, PartialEq, Debug, serde::Serialize)]
pub struct DiskReport {
    pub fills: u32,
    /// Fills after which the server went on answering its health page.
    pub alive: u32,
    /// The longest time until facts were acknowledged again, in seconds.
    pub back_s_max: f64,
    #[serde(flatten)]
    pub losses: Losses,
}

impl DiskReport {
    pub fn passed(&self) -> bool {
        self.losses.none() && self.alive == self.fills
    }

    pub fn rows(&self) -> Vec<(String, String)> {
        let own = [
            ("times the disk was full", self.fills.to_string()),
            ("alive while it was", self.alive.to_string()),
            ("acknowledging again after at most, s", format!("{:.2}", self.back_s_max)),
        ];
        [own.map(|(name, value)| (name.to_owned(), value)).to_vec(), self.losses.rows()].concat()
    }
}

/// A small file system; unmounted when dropped.
struct Small(PathBuf);

impl Small {
    fn mount(at: &Path) -> anyhow::Result<Self> {
        if at.exists() {
            bail!("{} exists: the drill makes its own folder", at.display());
        }
        std::fs::create_dir_all(at)?;
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &format!("size={SIZE_MIB}m"), "tmpfs"]).arg(at).output().context("mount")?;
        if !mounted.status.success() {
            std::fs::remove_dir(at)?;
            bail!("a small file system could not be mounted ({}): the drill needs an administrator's rights", String::from_utf8_lossy(&mounted.stderr).trim());
        }
        Ok(Self(at.to_owned()))
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

/// Runs the drill; `progress` hears how often the disk was full.
///
/// # Errors
/// When no small file system can be mounted, or a server does not start. What the drill finds is in the report.
pub fn drill(settings: &DiskSettings, progress: impl Fn(u32)) -> anyhow::Result<DiskReport> {
    let small = Small::mount(&settings.data)?;
    let program = Program::new(&settings.baton, &small.0.join("baton"));
    let desks = Desks::begin(&program, settings.devices)?;
    let server = program.serve(&[])?;
    desks.talk_to(Some(&server.base));
    let ballast = small.0.join("ballast");
    let (mut alive, mut back_s_max) = (0, 0.0_f64);
    for fill in 0..settings.fills {
        desks.live(200)?;
        fill_up(&ballast)?;
        std::thread::sleep(FULL);
        alive += u32::from(desks.runtime().block_on(answers(&server.base)));
        std::fs::remove_file(&ballast)?;
        back_s_max = back_s_max.max(back_again(&desks)?.as_secs_f64());
        progress(fill + 1);
    }
    Ok(DiskReport { fills: settings.fills, alive, back_s_max, losses: desks.close(server)? })
}

/// Waits until something is acknowledged again; gives the time that took, to five milliseconds.
fn back_again(desks: &Desks) -> anyhow::Result<Duration> {
    const LOOK: Duration = Duration::from_millis(5);
    let before = desks.acknowledged();
    for looks in 0..BACK.as_millis() as u32 / 5 {
        if desks.acknowledged() > before {
            return Ok(LOOK * looks);
        }
        std::thread::sleep(LOOK);
    }
    bail!("{} s after there was room again nothing was acknowledged", BACK.as_secs())
}

/// Writes until not another byte goes in.
fn fill_up(ballast: &Path) -> anyhow::Result<()> {
    let mut file = File::create(ballast)?;
    for size in [1 << 20, 4096, 1] {
        let block = vec![0; size];
        while file.write_all(&block).is_ok() {}
    }
    Ok(())
}

/// Whether the server says how it is, good or bad.
async fn answers(base: &str) -> bool {
    let said = Client::new(base).with_tries(1).send(hyper::Method::GET, "/readyz", None, None).await;
    matches!(said, Ok(_) | Err(Failure::Refused { .. }))
}
