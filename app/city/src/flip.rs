//! The flip drill: one bit of one store file is turned over, again and again, and Baton must find it or refuse, never serve what is wrong.
//!
//! Every flip is done to a fresh copy of a small installation. Then `verify` is asked, with the head noted before and with
//! the tables held against the ledger. What `verify` passes is served, and somebody signs in: a flip in the keys must show there.
//! A flip in a byte that nothing uses changes nothing, and counts as harmless: every event, mark, head, row, index entry and key was read and
//! is as before, and so is sign-in. Such bytes are the unused room in pages, pages that are free, and header fields such as the version of
//! the program that wrote last.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use baton_ledger::Conn;
use baton_ledger::door::Durability;
use serde_json::{Value, json};

use crate::chance::{Chance, Purpose};
use crate::client::{Client, Sayer};
use crate::desks::tube_of_ten;
use crate::program::{PASSWORD, Program};

/// Tubes of ten in the installation.
const TUBES: i64 = 40;

/// What is drilled.
#[derive(Clone, Debug)]
pub struct FlipSettings {
    /// The program.
    pub baton: PathBuf,
    /// A folder that does not exist yet.
    pub data: PathBuf,
    pub flips: u32,
    pub seed: u64,
}

/// What became of the flips of one file.
#[derive(Clone, PartialEq, Eq, Debug, Default, serde::Serialize)]
pub struct FlipsOf {
    pub file: String,
    pub flips: u32,
    pub found_by_verify: u32,
    /// The program did not start, or refused to serve what the flip concerned.
    pub refused: u32,
    pub harmless: u32,
}

/// What the drill found.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct FlipReport {
    pub files: Vec<FlipsOf>,
    pub flips: u32,
    /// Flips after which something else was served than before, and nothing said so.
    pub served_wrong: u32,
}

impl FlipReport {
    fn count(&mut self, file: usize, fate: Fate) {
        let of = &mut self.files[file];
        of.flips += 1;
        self.flips += 1;
        match fate {
            Fate::Found => of.found_by_verify += 1,
            Fate::Refused => of.refused += 1,
            Fate::Harmless => of.harmless += 1,
            Fate::ServedWrong => self.served_wrong += 1,
        }
    }

    pub fn passed(&self) -> bool {
        self.served_wrong == 0 && self.flips > 0
    }

    pub fn rows(&self) -> Vec<(String, String)> {
        let file =
            |of: &FlipsOf| (of.file.clone(), format!("{} flips: {} found, {} refused, {} harmless", of.flips, of.found_by_verify, of.refused, of.harmless));
        let mut rows: Vec<_> = self.files.iter().map(file).collect();
        rows.push(("flips".to_owned(), self.flips.to_string()));
        rows.push(("wrong data served".to_owned(), self.served_wrong.to_string()));
        rows
    }
}

/// What became of one flip.
enum Fate {
    Found,
    Refused,
    Harmless,
    ServedWrong,
}

/// Runs the drill; `progress` hears how many flips are done.
///
/// # Errors
/// When the installation cannot be made or is not sound before the first flip.
pub fn drill(settings: &FlipSettings, progress: impl Fn(u32)) -> anyhow::Result<FlipReport> {
    let sound = Program::new(&settings.baton, &settings.data.join("sound"));
    std::fs::create_dir(&settings.data).with_context(|| settings.data.display().to_string())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let head = prepare(&sound, &runtime)?;
    let answered = answer_of_a_sound_copy(&sound, &sound.on(&settings.data.join("flipped")), &head, &runtime)?;
    let bench = Bench { files: files(&sound.data)?, sound, head, answered, seed: settings.seed };
    let files = bench.files.iter().map(|file| FlipsOf { file: name(file), ..FlipsOf::default() }).collect();
    let mut report = FlipReport { files, flips: 0, served_wrong: 0 };
    let at_once = std::thread::available_parallelism().map_or(1, std::num::NonZero::get) as u32;
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        for lane in 0..at_once {
            let (bench, tell, data) = (&bench, tell.clone(), &settings.data);
            scope.spawn(move || {
                let flips = (lane..settings.flips).step_by(at_once as usize);
                for fate in flips.map(|flip| bench.flip(flip, &data.join(format!("flipped-{lane}")))) {
                    let broken = fate.is_err();
                    if tell.send(fate).is_err() || broken {
                        break;
                    }
                }
            });
        }
        drop(tell);
        for fate in told {
            let (file, fate) = fate?;
            report.count(file, fate);
            progress(report.flips);
        }
        Ok(report)
    })
}

/// What every flip is held against.
struct Bench {
    sound: Program,
    files: Vec<PathBuf>,
    head: String,
    answered: Value,
    seed: u64,
}

impl Bench {
    /// One bit of one file of a fresh copy: which file, and what became of it.
    fn flip(&self, flip: u32, folder: &Path) -> anyhow::Result<(usize, Fate)> {
        let (copy, at) = (self.sound.on(folder), flip as usize % self.files.len());
        copy_folder(&self.sound.data, &copy.data)?;
        turn_a_bit(&copy.data.join(&self.files[at]), &mut Chance::new(self.seed, Purpose::Flip, u64::from(flip)))?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let fate = fate(&copy, &self.head, &self.answered, &runtime)?;
        std::fs::remove_dir_all(&copy.data)?;
        Ok((at, fate))
    }
}

/// Without a flip nothing may be found, or the drill would prove nothing; what is served then is what must be served.
fn answer_of_a_sound_copy(sound: &Program, copy: &Program, head: &str, runtime: &tokio::runtime::Runtime) -> anyhow::Result<Value> {
    copy_folder(&sound.data, &copy.data)?;
    copy.ask(&["verify"], &["--json", "--tables", "--head", head])?;
    let answered = runtime.block_on(signs_in(copy)).context("a sound copy")?;
    std::fs::remove_dir_all(&copy.data)?;
    Ok(answered)
}

/// A small installation, at rest; gives the head of its ledger.
fn prepare(program: &Program, runtime: &tokio::runtime::Runtime) -> anyhow::Result<String> {
    program.create()?;
    program.ask(&["user", "add"], &["--login", "nurse", "--name", "Nurse", "--role", "sampling_nurse", "--scope", "everywhere"])?;
    let given = program.ask(&["device", "add"], &["--name", "Scanner", "--login", "nurse"])?;
    let server = program.serve(&[])?;
    runtime.block_on(async {
        let sayer = Sayer::given(&Client::new(&server.base), &given)?;
        for tube in 0..TUBES {
            sayer.post("/v1/facts", &tube_of_ten(&sayer, 1_774_566_000_000_000 + tube * 60_000_000)).await?;
        }
        anyhow::Ok(())
    })?;
    server.stop()?;
    // Into the files themselves: what still lay in a write-ahead log would hide the flips.
    for store in ["ledger.db", "projections.db", "keys.db"] {
        Conn::open_sqlite(&program.data.join(store), Durability::Full)?.checkpoint()?;
    }
    let verdict = program.ask(&["verify"], &["--json", "--tables"])?;
    if verdict["verify"] != "ok" || verdict["tables"] != "same" {
        bail!("the installation is not sound before the first flip: {verdict}");
    }
    Ok(verdict["ledger_head"].as_str().context("the head")?.to_owned())
}

/// Files with what must not be lost or wrong; the lock and the settings are not among them.
fn files(data: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for folder in [data.to_owned(), data.join("secrets")] {
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            let store = path.extension().is_some_and(|extension| extension == "db" || extension == "key");
            if store && std::fs::metadata(&path)?.len() > 0 {
                files.push(path.strip_prefix(data)?.to_owned());
            }
        }
    }
    files.sort();
    Ok(files)
}

fn name(file: &Path) -> String {
    file.display().to_string()
}

fn copy_folder(from: &Path, to: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

fn turn_a_bit(file: &Path, chance: &mut Chance) -> anyhow::Result<()> {
    let mut bytes = std::fs::read(file)?;
    let at = chance.between(0, u32::try_from(bytes.len())? - 1) as usize;
    bytes[at] ^= 1 << chance.between(0, 7);
    Ok(std::fs::write(file, bytes)?)
}

fn fate(program: &Program, head: &str, answered: &Value, runtime: &tokio::runtime::Runtime) -> anyhow::Result<Fate> {
    let verified = program.command(&["verify"]).args(["--json", "--tables", "--head", head]).output()?;
    if !verified.status.success() {
        return Ok(Fate::Found);
    }
    Ok(match runtime.block_on(signs_in(program)) {
        Err(_) => Fate::Refused,
        Ok(now) if now == *answered => Fate::Harmless,
        Ok(_) => Fate::ServedWrong,
    })
}

/// Serves the installation and lets the nurse in; what she is told about a person, without what differs from time to time.
async fn signs_in(program: &Program) -> anyhow::Result<Value> {
    let server = program.serve(&[])?;
    let client = Client::new(&server.base).with_tries(2);
    let sayer = Sayer::sign_in(&client, "nurse", PASSWORD).await?;
    let key = sayer.get("/v1/registry/code-key").await?;
    let told = json!({"device": sayer.device.number(), "key": key});
    server.stop()?;
    Ok(told)
}
