//! The clock drill: the server's clock jumps by up to a day, forwards and back, while desks send whose own clocks are wrong too.
//!
//! What counts must not hang on any clock: nothing is lost or doubled, everything a device said stands in the order it said it,
//! and every time a wrong clock gave is flagged. The server's clock is led astray by libfaketime; only what it says of the
//! day jumps, not how fast it runs.

use std::path::PathBuf;
use std::time::Duration;

use crate::chance::{Chance, Purpose};
use crate::desks::{Clocks, Desks, Losses};
use crate::load::Calibration;
use crate::program::Program;

/// What the drill takes, for those who have not got it.
const NEEDS: &str = "libfaketime was not found under /usr/lib or /usr/local/lib (on Debian: apt-get install faketime)";
/// libfaketime looks for a new time once a second.
const NOTICED: Duration = Duration::from_millis(1_100);

/// What is drilled.
#[derive(Clone, Debug)]
pub struct ClockSettings {
    /// The program.
    pub baton: PathBuf,
    /// A folder that does not exist yet.
    pub data: PathBuf,
    pub jumps: u32,
    /// Every second one has a wrong clock.
    pub devices: u32,
    pub seed: u64,
}

/// What the drill found.
#[derive(Clone, PartialEq, Debug, serde::Serialize)]
pub struct ClockReport {
    pub before: Calibration,
    pub after: Calibration,
    pub jumps: u32,
    pub jumps_back: u32,
    pub disordered: u64,
    pub flagged: u64,
    pub unflagged: u64,
    #[serde(flatten)]
    pub losses: Losses,
}

impl ClockReport {
    pub fn passed(&self) -> bool {
        self.losses.none() && self.disordered == 0 && self.unflagged == 0 && self.flagged > 0
    }

    pub fn rows(&self) -> Vec<(String, String)> {
        let own = [
            ("jumps of the server's clock", u64::from(self.jumps)),
            ("of them back", u64::from(self.jumps_back)),
            ("out of their device's order", self.disordered),
            ("times flagged", self.flagged),
            ("times of wrong clocks not flagged", self.unflagged),
        ];
        let own = own.map(|(name, value)| (name.to_owned(), value.to_string())).to_vec();
        [Calibration::rows(&self.before, &self.after), own, self.losses.rows()].concat()
    }
}

/// What is missing on this machine for the drill, if anything.
pub fn missing() -> Option<String> {
    library().is_none().then(|| NEEDS.to_owned())
}

fn library() -> Option<PathBuf> {
    let below = |folder: &str| std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path().join("faketime"));
    let own = ["/usr/lib/faketime", "/usr/local/lib/faketime"].map(PathBuf::from);
    let folders = own.into_iter().chain(below("/usr/lib"));
    folders.map(|folder| folder.join("libfaketimeMT.so.1")).find(|library| library.exists())
}

/// Runs the drill; `progress` hears how many jumps are done.
///
/// # Errors
/// When libfaketime is missing, a server does not start, or a device is refused. What the drill finds is in the report.
pub fn drill(settings: &ClockSettings, progress: impl Fn(u32)) -> anyhow::Result<ClockReport> {
    let library = library().ok_or_else(|| anyhow::anyhow!(NEEDS))?.display().to_string();
    let before = Calibration::measure(&settings.data)?;
    let program = Program::new(&settings.baton, &settings.data);
    let desks = Desks::begin_with(&program, settings.devices.max(2), Clocks::OddOnesWrong)?;
    let (told, asked) = (settings.data.join("told-time"), settings.data.join("told-time.new"));
    let tell = |hours: i64| std::fs::write(&asked, format!("{hours:+}h\n")).and_then(|()| std::fs::rename(&asked, &told));
    tell(0)?;
    let told_name = told.display().to_string();
    let led =
        [("LD_PRELOAD", library.as_str()), ("FAKETIME_TIMESTAMP_FILE", &told_name), ("FAKETIME_CACHE_DURATION", "1"), ("FAKETIME_DONT_FAKE_MONOTONIC", "1")];
    let server = program.serve(&led)?;
    desks.talk_to(Some(&server.base));
    let mut chance = Chance::new(settings.seed, Purpose::Clock, 0);
    let (mut hours, mut jumps_back) = (0, 0);
    for jump in 0..settings.jumps {
        desks.live(300)?;
        let next = hours_off(jump, &mut chance);
        jumps_back += u32::from(next < hours);
        hours = next;
        tell(hours)?;
        std::thread::sleep(NOTICED);
        progress(jump + 1);
    }
    desks.live(300)?;
    let (losses, seen) = desks.close_seeing(server)?;
    let after = Calibration::measure(&settings.data)?;
    Ok(ClockReport { before, after, jumps: settings.jumps, jumps_back, disordered: seen.disordered, flagged: seen.flagged, unflagged: seen.unflagged, losses })
}

/// First a day ahead, then a day behind, then right, then anything between. Always whole hours: no wrong device's clock agrees with it.
fn hours_off(jump: u32, chance: &mut Chance) -> i64 {
    match jump {
        0 => 24,
        1 => -24,
        2 => 0,
        _ => i64::from(chance.between(0, 48)) - 24,
    }
}
