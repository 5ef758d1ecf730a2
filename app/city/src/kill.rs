//! The kill drill: a server is shot again and again while devices send, and nothing that was acknowledged may be gone.
//!
//! The drill starts `baton serve` as a child, lets the desks of [`crate::desks`] send to it, and ends the server with
//! SIGKILL at random moments.

use std::path::PathBuf;

use crate::chance::{Chance, Purpose};
use crate::desks::{Desks, Losses};
use crate::program::Program;

/// What is drilled.
#[derive(Clone, Debug)]
pub struct KillSettings {
    /// The program.
    pub baton: PathBuf,
    /// A folder that does not exist yet.
    pub data: PathBuf,
    pub kills: u32,
    pub devices: u32,
    pub seed: u64,
    /// A server lives at most this long under load before it is shot.
    pub life_ms_max: u32,
}

/// What the drill found.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct KillReport {
    pub kills: u32,
    #[serde(flatten)]
    pub losses: Losses,
}

impl KillReport {
    pub fn passed(&self) -> bool {
        self.losses.none()
    }

    pub fn rows(&self) -> Vec<(String, String)> {
        [vec![("kill -9".to_owned(), self.kills.to_string())], self.losses.rows()].concat()
    }
}

/// Runs the drill; `progress` hears how many kills are done.
///
/// # Errors
/// When a server does not start, or a device is refused: the drill itself is broken then. What the drill finds is in the report.
pub fn drill(settings: &KillSettings, progress: impl Fn(u32)) -> anyhow::Result<KillReport> {
    let program = Program::new(&settings.baton, &settings.data);
    let desks = Desks::begin(&program, settings.devices)?;
    let mut chance = Chance::new(settings.seed, Purpose::Kill, 0);
    for kill in 0..settings.kills {
        let server = program.serve(&[])?;
        desks.talk_to(Some(&server.base));
        desks.live(u64::from(chance.between(5, settings.life_ms_max.max(5))))?;
        server.shoot()?;
        desks.talk_to(None);
        progress(kill + 1);
    }
    Ok(KillReport { kills: settings.kills, losses: desks.close(program.serve(&[])?)? })
}
