//! The partition drill: the line between the desks and the server fails in every way a line can, again and again, and
//! nothing that was acknowledged may be gone or there twice.
//!
//! A relay stands in the line. It turns callers away, swallows what they say, lets a request pass and keeps its answer
//! back, or cuts an answer in the middle: then the server has recorded what the desk believes unsaid.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::chance::{Chance, Purpose};
use crate::desks::{Desks, Losses};
use crate::program::Program;

/// What is drilled.
#[derive(Clone, Debug)]
pub struct PartitionSettings {
    /// The program.
    pub baton: PathBuf,
    /// A folder that does not exist yet.
    pub data: PathBuf,
    pub cuts: u32,
    pub devices: u32,
    pub seed: u64,
    /// The line holds, and fails, at most this long at a time.
    pub spell_ms_max: u32,
}

/// What the drill found.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct PartitionReport {
    pub cuts: u32,
    /// Facts acknowledged while the line held a request back or cut its answer: none can be.
    pub acknowledged_without_line: u64,
    #[serde(flatten)]
    pub losses: Losses,
}

impl PartitionReport {
    pub fn passed(&self) -> bool {
        self.losses.none() && self.acknowledged_without_line == 0
    }

    pub fn rows(&self) -> Vec<(String, String)> {
        let own = [("cuts of the line", u64::from(self.cuts)), ("acknowledged without a line", self.acknowledged_without_line)];
        [own.map(|(name, value)| (name.to_owned(), value.to_string())).to_vec(), self.losses.rows()].concat()
    }
}

/// How the line is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Line {
    Holds,
    /// Nobody is let in.
    Refuses,
    /// Callers are let in and never hear a word; the server hears nothing.
    Swallows,
    /// The server hears everything; its answers do not come through.
    KeepsAnswers,
    /// The server hears everything; its answer breaks off after a few bytes.
    CutsAnswers,
}

const FAILURES: [Line; 4] = [Line::Refuses, Line::Swallows, Line::KeepsAnswers, Line::CutsAnswers];

/// Runs the drill; `progress` hears how many cuts are done.
///
/// # Errors
/// When a server does not start, or a device is refused: the drill itself is broken then. What the drill finds is in the report.
pub fn drill(settings: &PartitionSettings, progress: impl Fn(u32)) -> anyhow::Result<PartitionReport> {
    let program = Program::new(&settings.baton, &settings.data);
    let desks = Desks::begin(&program, settings.devices)?;
    let server = program.serve(&[])?;
    let (set, line) = watch::channel(Line::Holds);
    let listener = desks.runtime().block_on(TcpListener::bind("127.0.0.1:0"))?;
    let here = format!("http://{}", listener.local_addr()?);
    let there: Arc<str> = server.base.trim_start_matches("http://").into();
    desks.runtime().spawn(relay(listener, there, line));
    desks.talk_to(Some(&here));
    let mut chance = Chance::new(settings.seed, Purpose::Kill, 0);
    let most = settings.spell_ms_max.max(20);
    let mut without = 0;
    for cut in 0..settings.cuts {
        desks.live(u64::from(chance.between(10, most)))?;
        set.send_replace(FAILURES[cut as usize % FAILURES.len()]);
        // What was answered before the line failed may still be on its way to its desk.
        std::thread::sleep(Duration::from_millis(50));
        let before = desks.acknowledged();
        std::thread::sleep(Duration::from_millis(u64::from(chance.between(10, most))));
        without += desks.acknowledged() - before;
        set.send_replace(Line::Holds);
        progress(cut + 1);
    }
    Ok(PartitionReport { cuts: settings.cuts, acknowledged_without_line: without, losses: desks.close(server)? })
}

async fn relay(listener: TcpListener, there: Arc<str>, line: watch::Receiver<Line>) {
    while let Ok((caller, _)) = listener.accept().await {
        if *line.borrow() == Line::Refuses {
            continue; // dropped: the caller hears that nobody is there
        }
        tokio::spawn(connected(caller, there.clone(), line.clone()));
    }
}

/// One connection. It ends whenever the line changes: no connection outlives a change of the network.
async fn connected(mut caller: TcpStream, there: Arc<str>, mut line: watch::Receiver<Line>) {
    let how = *line.borrow_and_update();
    tokio::select! {
        _ = line.changed() => {}
        _ = carried(&mut caller, &there, how) => {}
    }
}

async fn carried(caller: &mut TcpStream, there: &str, how: Line) -> std::io::Result<()> {
    if how == Line::Swallows {
        return std::future::pending().await;
    }
    let mut server = TcpStream::connect(there).await?;
    if how == Line::Holds {
        return tokio::io::copy_bidirectional(caller, &mut server).await.map(|_| ());
    }
    let (mut from_caller, mut to_caller) = caller.split();
    let (mut from_server, mut to_server) = server.split();
    let answers = async {
        let mut answer = [0; 512];
        let heard = from_server.read(&mut answer).await?;
        if how == Line::CutsAnswers {
            to_caller.write_all(&answer[..heard.min(20)]).await?;
            return Ok(());
        }
        std::future::pending().await
    };
    tokio::select! {
        asked = tokio::io::copy(&mut from_caller, &mut to_server) => asked.map(|_| ()),
        answered = answers => answered,
    }
}
