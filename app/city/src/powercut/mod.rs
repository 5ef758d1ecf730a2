//! The power cut: the desks' server works on a disk that keeps only what was synced, and its power is cut again and again.
//!
//! The disk is a file system of this program's own, mounted through FUSE (`mount`), over an image in memory (`image`). A cut drops what
//! was not synced, in the instant it happens; the server is shot, the disk mounted anew, and everything acknowledged must be there. First
//! the method is proved: on a disk that says "synced" and does nothing, the same drill must find losses.

mod image;
mod mount;

use std::path::{Path, PathBuf};

use crate::chance::{Chance, Purpose};
use crate::desks::{Desks, Losses};
use crate::load::Calibration;
use crate::program::{Program, Server};
use mount::Disk;

/// What the drill takes, for those who have not got it.
const NEEDS: &str = "The drill needs /dev/fuse and fusermount3 (on Debian: apt-get install fuse3), or an administrator's rights";

/// What is drilled.
#[derive(Clone, Debug)]
pub struct PowercutSettings {
    /// The program.
    pub baton: PathBuf,
    /// A folder that does not exist yet; the disk is mounted in it.
    pub data: PathBuf,
    /// Cuts of an honest disk; 0 to prove the method only.
    pub cuts: u32,
    pub devices: u32,
    pub seed: u64,
    /// A server lives at most this long under load before the power goes.
    pub life_ms_max: u32,
}

/// What the drill found.
#[derive(Clone, PartialEq, Debug, serde::Serialize)]
pub struct PowercutReport {
    pub before: Calibration,
    pub after: Calibration,
    /// Acknowledged facts lost on a disk that lies about its syncs: must not be 0, or the cuts cut nothing.
    pub lost_on_a_lying_disk: u64,
    pub cuts: u32,
    /// Sectors of 512 bytes that were written, not synced, and gone after a cut.
    pub sectors_dropped: u64,
    /// Nothing when only the method was proved.
    #[serde(flatten)]
    pub losses: Option<Losses>,
}

impl PowercutReport {
    pub fn passed(&self) -> bool {
        self.lost_on_a_lying_disk > 0 && self.losses.as_ref().is_none_or(Losses::none)
    }

    pub fn rows(&self) -> Vec<(String, String)> {
        let own = [
            ("acknowledged and lost on a lying disk (must be)", self.lost_on_a_lying_disk.to_string()),
            ("power cuts", self.cuts.to_string()),
            ("unsynced sectors dropped", self.sectors_dropped.to_string()),
        ];
        let own = own.map(|(name, value)| (name.to_owned(), value)).to_vec();
        [Calibration::rows(&self.before, &self.after), own, self.losses.iter().flat_map(Losses::rows).collect()].concat()
    }
}

/// What is missing on this machine for the drill, if anything.
pub fn missing() -> Option<String> {
    let device = std::fs::OpenOptions::new().read(true).write(true).open("/dev/fuse");
    device.err().map(|error| format!("/dev/fuse: {error}. {NEEDS}"))
}

/// Runs the drill; `progress` hears how many cuts are done.
///
/// # Errors
/// When the disk cannot be mounted, a server does not start, or a device is refused. What the drill finds is in the report.
pub fn drill(settings: &PowercutSettings, progress: impl Fn(u32)) -> anyhow::Result<PowercutReport> {
    std::fs::create_dir_all(&settings.data)?;
    let before = Calibration::measure(&settings.data)?;
    let lost_on_a_lying_disk = prove(settings)?;
    let (mut sectors_dropped, mut losses) = (0, None);
    if settings.cuts > 0 {
        let (dropped, found) = cut_and_cut(settings, progress)?;
        (sectors_dropped, losses) = (dropped, Some(found));
    }
    let after = Calibration::measure(&settings.data)?;
    Ok(PowercutReport { before, after, lost_on_a_lying_disk, cuts: settings.cuts, sectors_dropped, losses })
}

/// A disk in the drill's folder, and the program on it.
fn plug_in(settings: &PowercutSettings, name: &str) -> anyhow::Result<(Disk, Program)> {
    let at: &Path = &settings.data.join(name);
    Ok((Disk::mount(at)?, Program::new(&settings.baton, &at.join("baton"))))
}

/// The power goes under this server: gives how many sectors were lost.
fn cut(disk: &mut Disk, server: Server, desks: &Desks, chance: &mut Chance) -> anyhow::Result<u64> {
    let dropped = disk.cut(chance);
    server.shoot_then(|| disk.let_go())?;
    desks.talk_to(None);
    disk.restart()?;
    Ok(dropped)
}

/// Gives how much is lost when syncs do nothing.
fn prove(settings: &PowercutSettings) -> anyhow::Result<u64> {
    let (mut disk, program) = plug_in(settings, "lying")?;
    let desks = Desks::begin(&program, settings.devices)?;
    let server = program.serve(&[])?;
    disk.lie(true);
    desks.talk_to(Some(&server.base));
    desks.live(u64::from(settings.life_ms_max))?;
    cut(&mut disk, server, &desks, &mut Chance::new(settings.seed, Purpose::Power, 0))?;
    disk.lie(false);
    Ok(desks.close(program.serve(&[])?)?.lost)
}

fn cut_and_cut(settings: &PowercutSettings, progress: impl Fn(u32)) -> anyhow::Result<(u64, Losses)> {
    let mut chance = Chance::new(settings.seed, Purpose::Power, 1);
    let (mut disk, program) = plug_in(settings, "disk")?;
    let desks = Desks::begin(&program, settings.devices)?;
    // What making the installation left unsynced goes first: its keys, its settings, its users.
    let mut dropped = disk.cut(&mut chance);
    disk.let_go();
    disk.restart()?;
    for done in 0..settings.cuts {
        let server = program.serve(&[])?;
        desks.talk_to(Some(&server.base));
        desks.live(u64::from(chance.between(5, settings.life_ms_max.max(5))))?;
        dropped += cut(&mut disk, server, &desks, &mut chance)?;
        progress(done + 1);
    }
    let losses = desks.close(program.serve(&[])?)?;
    Ok((dropped, losses))
}
