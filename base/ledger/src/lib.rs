//! The ledger: one append-only, hash-chained log of everything that happens, and the tables folded from it.

pub mod backup;
pub mod chain;
pub mod door;
pub mod event;
mod lanes;
pub mod meter;
mod moves;
pub mod place;
mod projector;
mod readers;
pub mod schema;
mod sealed;
mod vault;
mod verify;
mod writer;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::time::Duration;

use baton_kit::{Bucket, Clock, Device, Entropy, EventId, Refusal, Status, Timestamp};
use parking_lot::{Condvar, Mutex};

pub use door::{Backend, Conn, Param, Row, StoreError, StoreResult, Tx, Value};
pub use event::{Acknowledgement, Command, Decided, Draft, Event, EventBody, Note, to_json};
pub use lanes::{ALL_LANES_LIMIT, Answer, Decide, ID_CONFLICT, LANE_LIMIT, Undecided};
pub use meter::{Histogram, Meter, Stopwatch};
pub use moves::{Moves, Topic};
pub use place::Place;
pub use projector::{Apply, Fold, Run};
pub use sealed::Sealed;
pub use vault::{Secrets, Vault, hex, seal};
pub use writer::store_refusal;

/// How many sequence numbers a server reserves at a time for its own events.
const SEQUENCE_BLOCK: i64 = 65_536;
/// So many events are worth a transaction of the follower; fewer wait for more, for [`LINGER`] at most.
const TOGETHER: i64 = 1_024;
/// Shorter than what anybody who looks at a board would notice.
const LINGER: Duration = Duration::from_millis(40);
/// For what somebody looks at the folded state. Each has connections of its own, so that none can take another's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reading {
    /// The notes of facts that are being recorded.
    Scans,
    /// People who ask for their results.
    LookUps,
    /// Everything else.
    Pages,
}

/// How many may look at once, in the order of [`Reading`].
const READERS: [usize; 3] = [4, 2, 8];

/// What an open ledger needs from outside.
pub struct Surroundings {
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    /// The rooms, in the order in which they fold.
    pub folds: Vec<Fold>,
    /// This server's own number as a sayer.
    pub server: Device,
}

/// An open ledger: its writer and its follower run until it is dropped.
pub struct Ledger {
    place: Place,
    lanes: Option<lanes::Lanes>,
    readers: [readers::Readers; 3],
    log_readers: readers::Readers,
    vault: Arc<Vault>,
    clock: Arc<dyn Clock>,
    folds: Arc<[Fold]>,
    progress: Arc<Progress>,
    meter: Arc<Meter>,
    moves: Arc<Moves>,
    sequences: Mutex<HashMap<Bucket, (i64, i64)>>,
    server: Device,
    threads: Vec<std::thread::JoinHandle<()>>,
}

#[derive(Default)]
struct Progress {
    meter: Arc<Meter>,
    committed: AtomicI64,
    folded: Mutex<i64>,
    moved: Condvar,
    work: Condvar,
    /// Wakes a follower that lets events come together.
    hurry: Condvar,
    /// How many wait to see what they were told.
    waiting: AtomicUsize,
    stopping: AtomicBool,
}

impl Progress {
    fn committed_to(&self, ordinal: i64) {
        if self.committed.fetch_max(ordinal, Ordering::SeqCst) < ordinal {
            self.meter.committed(ordinal);
        }
        // Under the lock, so that the follower cannot miss it between looking and sleeping.
        let folded = self.folded.lock();
        self.work.notify_all();
        if ordinal - *folded >= TOGETHER {
            self.hurry.notify_all();
        }
    }
    /// Waits until `ordinal` is folded; false when that takes longer than `patience`.
    fn wait_folded(&self, ordinal: i64, patience: Duration) -> bool {
        let mut folded = self.folded.lock();
        if *folded >= ordinal {
            return true;
        }
        self.waiting.fetch_add(1, Ordering::SeqCst);
        self.hurry.notify_all();
        self.moved.wait_while_for(&mut folded, |folded| *folded < ordinal, patience);
        self.waiting.fetch_sub(1, Ordering::SeqCst);
        *folded >= ordinal
    }
    /// Sleeps until something is committed; then lets more come together, unless there is enough or somebody waits to see it.
    fn wait_for_work(&self) {
        let mut folded = self.folded.lock();
        if *folded >= self.committed.load(Ordering::SeqCst) {
            self.work.wait_for(&mut folded, Duration::from_millis(250));
        }
        let few = |folded: i64| (1..TOGETHER).contains(&(self.committed.load(Ordering::SeqCst) - folded));
        if few(*folded) && self.waiting.load(Ordering::SeqCst) == 0 && !self.stopping.load(Ordering::SeqCst) {
            self.hurry.wait_for(&mut folded, LINGER);
        }
    }
    fn folded_to(&self, ordinal: i64) {
        let mut folded = self.folded.lock();
        if *folded < ordinal {
            self.meter.folded.fetch_add((ordinal - *folded).unsigned_abs(), Ordering::Relaxed);
            *folded = ordinal;
            self.meter.folded_to(ordinal);
        }
        self.moved.notify_all();
    }
}

impl Ledger {
    /// Opens the stores and starts the writer and the follower. Folds what is not folded yet; `progress` hears (done, all).
    pub fn open(place: Place, around: Surroundings, progress: impl FnMut(i64, i64)) -> StoreResult<Self> {
        if around.server.number() == 0 {
            return Err(StoreError::Other("device 0 numbers the ledger's own findings: a server needs another number".to_owned()));
        }
        let secrets = Arc::new(Secrets::load(&place.secrets_folder())?);
        let vault = Arc::new(Vault::new(place.open_vault()?, secrets.clone(), around.entropy));
        let folds: Arc<[Fold]> = around.folds.into();
        if !place.projections_match(&folds) {
            tracing::info!("the projections are made anew from the ledger");
            place.reset_projections(&folds)?;
        }
        let mut projector = open_projector(&place, &folds, &vault)?;
        let folded = projector.catch_up(progress)?;
        let meter = Arc::new(Meter::default());
        let state = Arc::new(Progress { meter: meter.clone(), committed: AtomicI64::new(folded), folded: Mutex::new(folded), ..Progress::default() });
        projector.meter = meter.clone();
        let moves = projector.moves.clone();
        let (lanes, receiver) = lanes::Lanes::new(meter.clone());
        let projector = Arc::new(Mutex::new(projector));
        let (committed, decided) = (state.clone(), state.clone());
        let writer = lanes::Writer {
            ledger: place.open_ledger()?,
            secrets: secrets.clone(),
            projector: projector.clone(),
            clock: around.clock.clone(),
            waiting: lanes.waiting_counters(),
            meter: meter.clone(),
            committed: Box::new(move |ordinal| committed.committed_to(ordinal)),
            folded: Box::new(move |ordinal| decided.folded_to(ordinal)),
            known: writer::HighWater::default(),
        };
        let following = state.clone();
        let threads = vec![spawn("baton-writer", move || writer.run(&receiver))?, spawn("baton-follower", move || follow(&projector, &following))?];
        let log = place.clone();
        let readers = READERS.map(|limit| {
            let place = place.clone();
            readers::Readers::new(limit, move || place.open_projections_for_reading())
        });
        Ok(Self {
            readers,
            log_readers: readers::Readers::new(2, move || log.open_ledger_for_reading()),
            place,
            lanes: Some(lanes),
            vault,
            clock: around.clock,
            folds,
            progress: state,
            meter,
            moves,
            sequences: Mutex::default(),
            server: around.server,
            threads,
        })
    }

    /// Puts facts into their bucket's lane; `answer` is called from the writer once they are durable.
    pub fn record(&self, drafts: Vec<Draft>, answer: impl FnOnce(Vec<Answer>) + Send + 'static) -> Result<(), Refusal> {
        self.submit(lanes::Job::Facts { drafts, answer: Box::new(answer) })
    }

    /// Puts a command into its bucket's lane. `command` is its JSON: a resend with the same text gets the first answer again.
    pub fn decide(&self, id: EventId, command: String, decide: Decide, answer: impl FnOnce(Answer) + Send + 'static) -> Result<(), Refusal> {
        self.submit(lanes::Job::Decision { id, command, decide, answer: Box::new(answer) })
    }

    fn submit(&self, job: lanes::Job) -> Result<(), Refusal> {
        self.lanes.as_ref().map_or_else(|| Err(Refusal::new("shutting-down", Status::Full).with("seconds", 10)), |lanes| lanes.submit(job))
    }

    /// As [`Ledger::record`], waiting for the answers.
    pub fn record_now(&self, drafts: Vec<Draft>) -> Result<Vec<Answer>, Refusal> {
        let (send, receive) = crossbeam_channel::bounded(1);
        self.record(drafts, move |answers| _ = send.send(answers))?;
        receive.recv().map_err(|_| Refusal::new("shutting-down", Status::Full).with("seconds", 10))
    }

    /// As [`Ledger::decide`], waiting for the answer.
    pub fn decide_now(&self, id: EventId, command: String, decide: Decide) -> Answer {
        let (send, receive) = crossbeam_channel::bounded(1);
        self.decide(id, command, decide, move |answer| _ = send.send(answer))?;
        receive.recv().map_err(|_| Refusal::new("shutting-down", Status::Full).with("seconds", 10))?
    }

    /// Looks at the folded state: one consistent picture.
    pub fn read<T>(&self, work: impl FnOnce(&mut Tx<'_>) -> Result<T, Undecided>) -> Result<T, Undecided> {
        self.read_for(Reading::Pages, work)
    }

    /// As [`Ledger::read`], on the connections kept for this.
    pub fn read_for<T>(&self, reading: Reading, work: impl FnOnce(&mut Tx<'_>) -> Result<T, Undecided>) -> Result<T, Undecided> {
        self.readers[reading as usize].read(work)
    }

    /// Under which number this server speaks.
    pub fn server(&self) -> Device {
        self.server
    }

    /// At most so many events after this ordinal, oldest first: of those that are folded, whose chain was looked at.
    pub fn events_after(&self, ordinal: i64, limit: i64) -> Result<Vec<Event>, Undecided> {
        let to = self.position().1.min(ordinal + limit);
        self.read_log(|tx| Ok(projector::events_between(tx, ordinal, to)?))
    }

    /// Looks at the log itself.
    pub fn read_log<T>(&self, work: impl FnOnce(&mut Tx<'_>) -> Result<T, Undecided>) -> Result<T, Undecided> {
        self.log_readers.read(work)
    }

    /// Waits until the tables show everything up to `ordinal`; false when that takes longer than `patience`.
    pub fn wait_folded(&self, ordinal: i64, patience: Duration) -> bool {
        self.progress.wait_folded(ordinal, patience)
    }

    /// The last ordinal that is durable, and the last one folded.
    pub fn position(&self) -> (i64, i64) {
        (self.progress.committed.load(Ordering::SeqCst), *self.progress.folded.lock())
    }

    /// How many facts and commands wait to be written.
    pub fn waiting(&self) -> usize {
        self.lanes.as_ref().map_or(0, lanes::Lanes::waiting)
    }

    /// The lanes in which something waits: bucket and how much.
    pub fn waiting_by_lane(&self) -> Vec<(u8, usize)> {
        self.lanes.as_ref().map_or_else(Vec::new, lanes::Lanes::waiting_by_lane)
    }

    pub fn meter(&self) -> &Meter {
        &self.meter
    }

    /// What of the tables moved lately.
    pub fn moves(&self) -> &Moves {
        &self.moves
    }

    pub fn vault(&self) -> &Arc<Vault> {
        &self.vault
    }
    pub fn secrets(&self) -> &Secrets {
        self.vault.secrets()
    }
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }
    pub fn place(&self) -> &Place {
        &self.place
    }
    pub fn folds(&self) -> &[Fold] {
        &self.folds
    }

    /// A new id said by this server itself, for pages whose form carries its own id.
    pub fn next_id(&self, bucket: Bucket) -> StoreResult<EventId> {
        let mut sequences = self.sequences.lock();
        let block = sequences.entry(bucket).or_insert((0, 0));
        if block.0 >= block.1 {
            let end = self.reserve(bucket)?;
            *block = (end - SEQUENCE_BLOCK, end);
        }
        block.0 += 1;
        let sequence = u32::try_from(block.0).map_err(|_| StoreError::Other("this server's sequence is used up: give it a new device number".to_owned()))?;
        Ok(EventId::new(bucket, self.server, sequence))
    }

    fn reserve(&self, bucket: Bucket) -> StoreResult<i64> {
        let mut conn = self.place.open_ledger()?;
        let mut tx = conn.begin()?;
        let row = tx.one(
            "INSERT INTO sequence_block (bucket, device, reserved_to) VALUES ($1, $2, $3) \
             ON CONFLICT (bucket, device) DO UPDATE SET reserved_to = sequence_block.reserved_to + excluded.reserved_to RETURNING reserved_to",
            params![i64::from(bucket.number()), i64::from(self.server.number()), SEQUENCE_BLOCK],
        )?;
        tx.commit()?;
        row.int(0)
    }

    /// Drops every projection of an installation that is not running and folds the ledger again.
    pub fn rebuild(place: &Place, folds: &[Fold], entropy: Arc<dyn Entropy>, progress: impl FnMut(i64, i64)) -> StoreResult<i64> {
        let secrets = Arc::new(Secrets::load(&place.secrets_folder())?);
        let vault = Arc::new(Vault::new(place.open_vault()?, secrets, entropy));
        place.reset_projections(folds)?;
        let folds: Arc<[Fold]> = folds.to_vec().into();
        open_projector(place, &folds, &vault)?.catch_up(progress)
    }

    /// Folds the ledger anew beside the tables of an installation that is not running, as far as these have come; true when both hold the same,
    /// every index agrees with its table, and every key opens.
    pub fn tables_are_sound(place: &Place, folds: &[Fold], entropy: Arc<dyn Entropy>, progress: impl FnMut(i64, i64)) -> StoreResult<bool> {
        let vault = Vault::new(place.open_vault()?, Arc::new(Secrets::load(&place.secrets_folder())?), entropy.clone());
        vault.check()?;
        for (store, conn) in [("ledger", place.open_ledger_for_reading()), ("tables", place.open_projections_for_reading()), ("keys", place.open_vault())] {
            if let Some(damage) = conn?.damage()? {
                tracing::error!(store, damage, "a store is damaged");
                return Ok(false);
            }
        }
        let scratch = Place::embedded(place.folder.join("verify-tables"));
        std::fs::create_dir_all(&scratch.folder)?;
        let sound = Self::fold_beside(place, &scratch, folds, entropy, progress);
        std::fs::remove_dir_all(&scratch.folder)?;
        sound
    }

    fn fold_beside(place: &Place, scratch: &Place, folds: &[Fold], entropy: Arc<dyn Entropy>, progress: impl FnMut(i64, i64)) -> StoreResult<bool> {
        let come = projector::watermark(&mut place.open_projections_for_reading()?.begin_read()?)?;
        let held = Self::state_hash(place, folds, false)?;
        let secrets = Arc::new(Secrets::load(&place.secrets_folder())?);
        let vault = Arc::new(Vault::new(place.open_vault()?, secrets, entropy));
        scratch.reset_projections(folds)?;
        let all: Arc<[Fold]> = folds.to_vec().into();
        let mut projector = projector::Projector::new(place.open_ledger_for_reading()?, scratch.open_projections()?, all, vault);
        projector.until = come;
        let reached = projector.catch_up(progress)?;
        drop(projector);
        Ok(reached == come && Self::state_hash(scratch, folds, false)? == held)
    }

    /// A hash over all projections. `logical` leaves out what may differ between equal histories.
    pub fn state_hash(place: &Place, folds: &[Fold], logical: bool) -> StoreResult<[u8; 32]> {
        let schemas: Vec<&str> = folds.iter().map(|fold| fold.schema).collect();
        let skipped: Vec<&str> = if logical { folds.iter().flat_map(|fold| fold.volatile).copied().collect() } else { Vec::new() };
        let mut conn = place.open_projections_for_reading()?;
        backup::digest(&mut conn.begin_read()?, &schemas, &skipped)
    }
}

impl Drop for Ledger {
    fn drop(&mut self) {
        self.lanes = None;
        self.progress.stopping.store(true, Ordering::SeqCst);
        self.progress.work.notify_all();
        self.progress.hurry.notify_all();
        for thread in self.threads.drain(..) {
            _ = thread.join();
        }
    }
}

fn open_projector(place: &Place, folds: &Arc<[Fold]>, vault: &Arc<Vault>) -> StoreResult<projector::Projector> {
    Ok(projector::Projector::new(place.open_ledger_for_reading()?, place.open_projections()?, folds.clone(), vault.clone()))
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> StoreResult<std::thread::JoinHandle<()>> {
    Ok(std::thread::Builder::new().name(name.to_owned()).spawn(work)?)
}

/// Folds whenever something was committed, and looks by itself now and then, since another server may have written.
fn follow(projector: &Mutex<projector::Projector>, progress: &Progress) {
    while !progress.stopping.load(Ordering::SeqCst) {
        // One batch at a time: other servers may write without end, and whoever decides or stops must come between.
        let reached = projector.lock().step(|done, _| progress.folded_to(done));
        match reached {
            Ok((ordinal, all)) => {
                progress.committed_to(ordinal);
                progress.folded_to(ordinal);
                if !all {
                    continue;
                }
            }
            Err(error) => {
                tracing::error!(%error, "the follower stands still");
                std::thread::sleep(Duration::from_millis(500));
            }
        }
        progress.wait_for_work();
    }
}
