//! The follower that folds the ledger into the rooms' tables: in order, exactly once, watermark in the same transaction.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use baton_kit::Bucket;

use crate::chain::{self, EVENT_COLUMNS, event_of};
use crate::door::{Conn, StoreError, StoreResult, Tx};
use crate::event::Event;
use crate::meter::{Meter, Stopwatch};
use crate::moves::Moves;
use crate::params;
use crate::vault::Vault;

/// How many events are folded in one transaction.
const FOLD_BATCH: i64 = 8192;

/// What a room does to its tables for one event. Kinds it does not know it passes by.
pub type Apply = fn(&mut Tx<'_>, &Event, &Vault) -> StoreResult<()>;

/// A room's short way through events of these kinds that follow each other. It must leave the very rows that [`Fold::apply`] leaves
/// for one after the other, and, when several rooms have one for the same kind, whatever order they are asked in.
#[derive(Clone, Copy)]
pub struct Run {
    pub kinds: &'static [&'static str],
    pub apply: fn(&mut Tx<'_>, &[Event]) -> StoreResult<()>,
}

/// One room's projections.
#[derive(Clone, Copy)]
pub struct Fold {
    pub room: &'static str,
    /// Its tables, in PostgreSQL's words.
    pub schema: &'static str,
    pub apply: Apply,
    pub run: Option<Run>,
    /// Columns that may differ between two equal histories (sealed texts, ordinals): `table.column`.
    pub volatile: &'static [&'static str],
}

impl std::fmt::Debug for Fold {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Fold({})", self.room)
    }
}

pub(crate) struct Projector {
    pub(crate) ledger: Conn,
    pub(crate) projections: Conn,
    pub(crate) folds: Arc<[Fold]>,
    pub(crate) vault: Arc<Vault>,
    pub(crate) meter: Arc<Meter>,
    pub(crate) moves: Arc<Moves>,
    /// Nothing after this ordinal is folded.
    pub(crate) until: i64,
    /// Where each chain stood at ordinal `at`.
    last_hash: HashMap<Bucket, [u8; 32]>,
    at: i64,
}

impl Projector {
    pub(crate) fn new(ledger: Conn, projections: Conn, folds: Arc<[Fold]>, vault: Arc<Vault>) -> Self {
        Self { ledger, projections, folds, vault, meter: Arc::default(), moves: Arc::default(), until: i64::MAX, last_hash: HashMap::new(), at: 0 }
    }

    /// Folds everything committed so far; the ordinal reached.
    pub(crate) fn catch_up(&mut self, mut progress: impl FnMut(i64, i64)) -> StoreResult<i64> {
        loop {
            let (reached, all) = self.step(&mut progress)?;
            if all {
                return Ok(reached);
            }
        }
    }

    /// Folds one batch: the ordinal reached, and whether that is everything committed so far.
    pub(crate) fn step(&mut self, mut progress: impl FnMut(i64, i64)) -> StoreResult<(i64, bool)> {
        let (from, end) = (self.folded()?, self.end()?);
        if from != self.at {
            self.last_hash.clear(); // another server folded meanwhile
            self.at = from;
            self.moves.everything(from);
        }
        if from >= end {
            return Ok((from, true));
        }
        let to = end.min(from + FOLD_BATCH);
        let watch = Stopwatch::start();
        let events = self.read(from, to)?;
        self.check_chain(&events)?;
        // One bad event must not stop the others: once more, each on its own.
        let folded = self.fold(&events, from, to, false).or_else(|_| self.fold(&events, from, to, true))?;
        if !folded {
            return Ok((from, false));
        }
        self.passed(&events, to);
        self.meter.fold_us.record(watch.us());
        progress(to, end);
        Ok((to, false))
    }

    pub(crate) fn folded(&mut self) -> StoreResult<i64> {
        watermark(&mut self.projections.begin_read()?)
    }

    fn end(&mut self) -> StoreResult<i64> {
        let end = self.ledger.begin_read()?.one("SELECT ordinal FROM ledger_clock WHERE bucket = 0", &[])?.int(0)?;
        Ok(end.min(self.until))
    }

    fn read(&mut self, from: i64, to: i64) -> StoreResult<Vec<Event>> {
        events_between(&mut self.ledger.begin_read()?, from, to)
    }

    /// Nothing damaged is ever folded into what people look at.
    fn check_chain(&mut self, events: &[Event]) -> StoreResult<()> {
        let mut last = HashMap::new();
        for event in events {
            let known = last.get(&event.bucket).or_else(|| self.last_hash.get(&event.bucket));
            let previous = match known {
                Some(hash) => *hash,
                None => hash_before(&mut self.ledger, event)?,
            };
            if chain::link(&previous, event) != event.hash {
                return Err(StoreError::Inconsistent {
                    table: "event",
                    row: event.id.to_string(),
                    problem: format!("the chain is broken at ordinal {}: run baton verify", event.ordinal),
                });
            }
            last.insert(event.bucket, event.hash);
        }
        Ok(())
    }

    /// False when another server folded some of these meanwhile: then nothing was done.
    fn fold(&mut self, events: &[Event], from: i64, to: i64, one_by_one: bool) -> StoreResult<bool> {
        let mut tx = self.projections.begin()?;
        if lock_watermark(&mut tx)? != from {
            return Ok(false);
        }
        if one_by_one {
            for event in events {
                apply_guarded(&mut tx, &self.folds, &self.vault, event)?;
            }
        } else {
            apply_in_runs(&mut tx, &self.folds, &self.vault, events)?;
        }
        set_watermark(&mut tx, to)?;
        let moved = tx.take_moved();
        tx.commit()?;
        self.moves.folded(moved, to);
        Ok(true)
    }

    /// These events, up to this ordinal, are folded: remember where the chains stand.
    pub(crate) fn passed(&mut self, events: &[Event], ordinal: i64) {
        self.at = ordinal;
        for event in events {
            self.last_hash.insert(event.bucket, event.hash);
        }
    }
}

/// All events after `from` up to `to`, by ordinal: a hole among them is an error.
pub(crate) fn events_between(tx: &mut Tx<'_>, from: i64, to: i64) -> StoreResult<Vec<Event>> {
    let buckets = tx.query("SELECT bucket FROM head WHERE ordinal > $1", params![from])?;
    let sql = format!("SELECT {EVENT_COLUMNS} FROM event WHERE bucket = $1 AND ordinal > $2 AND ordinal <= $3");
    let mut events = Vec::new();
    for bucket in buckets {
        tx.each(&sql, params![bucket.int(0)?, from, to], |row| {
            events.push(event_of(&row)?);
            Ok(())
        })?;
    }
    events.sort_unstable_by_key(|event| event.ordinal);
    let dense = events.iter().zip(from + 1..).all(|(event, ordinal)| event.ordinal == ordinal);
    if !dense || events.len() as i64 != (to - from).max(0) {
        return Err(StoreError::Other(format!("the ledger has a hole between ordinal {from} and {to}: run baton verify")));
    }
    Ok(events)
}

fn hash_before(ledger: &mut Conn, event: &Event) -> StoreResult<[u8; 32]> {
    let sql = "SELECT hash FROM event WHERE bucket = $1 AND ordinal < $2 ORDER BY ordinal DESC LIMIT 1";
    let row = ledger.begin_read()?.first(sql, params![i64::from(event.bucket.number()), event.ordinal])?;
    let Some(row) = row else { return Ok(chain::GENESIS) };
    row.bytes(0)?.try_into().map_err(|_| StoreError::Other("a hash of another length".to_owned()))
}

pub(crate) fn watermark(tx: &mut Tx<'_>) -> StoreResult<i64> {
    tx.one("SELECT ordinal FROM watermark WHERE bucket = 0 AND follower = 'rooms'", &[])?.int(0)
}

/// Reads the watermark and keeps other servers from folding until this transaction ends.
fn lock_watermark(tx: &mut Tx<'_>) -> StoreResult<i64> {
    tx.one("UPDATE watermark SET ordinal = ordinal WHERE bucket = 0 AND follower = 'rooms' RETURNING ordinal", &[])?.int(0)
}

pub(crate) fn set_watermark(tx: &mut Tx<'_>, ordinal: i64) -> StoreResult<()> {
    tx.execute("UPDATE watermark SET ordinal = $1 WHERE bucket = 0 AND follower = 'rooms'", params![ordinal])?;
    Ok(())
}

/// Gives all events to every room; those that follow each other at once, where a room has a short way for their kinds.
fn apply_in_runs(tx: &mut Tx<'_>, folds: &[Fold], vault: &Vault, events: &[Event]) -> StoreResult<()> {
    let mut rest = events;
    while let Some(first) = rest.first() {
        let kinds = folds.iter().filter_map(|fold| fold.run).map(|run| run.kinds).find(|kinds| kinds.contains(&first.kind.as_str()));
        let length = kinds.map_or(1, |kinds| rest.iter().take_while(|event| kinds.contains(&event.kind.as_str())).count());
        let (run, later) = rest.split_at(length);
        for fold in folds {
            match fold.run.filter(|short| length > 1 && Some(short.kinds) == kinds) {
                Some(short) => guarded(|| (short.apply)(tx, run))?,
                None => run.iter().try_for_each(|event| apply_one(tx, fold, vault, event))?,
            }
        }
        rest = later;
    }
    Ok(())
}

/// Gives one event to every room, in the order of the rooms.
pub(crate) fn apply_all(tx: &mut Tx<'_>, folds: &[Fold], vault: &Vault, event: &Event) -> StoreResult<()> {
    for fold in folds {
        apply_one(tx, fold, vault, event)?;
    }
    Ok(())
}

fn apply_one(tx: &mut Tx<'_>, fold: &Fold, vault: &Vault, event: &Event) -> StoreResult<()> {
    guarded(|| (fold.apply)(tx, event, vault))
}

/// A rule that panics is a bug in one room; it must not take the relay down.
fn guarded(apply: impl FnOnce() -> StoreResult<()>) -> StoreResult<()> {
    catch_unwind(AssertUnwindSafe(apply)).unwrap_or_else(|panic| Err(StoreError::Other(panic_words(&*panic))))
}

fn apply_guarded(tx: &mut Tx<'_>, folds: &[Fold], vault: &Vault, event: &Event) -> StoreResult<()> {
    for fold in folds {
        let result: StoreResult<()> = tx.savepoint(|tx| apply_one(tx, fold, vault, event));
        if let Err(error) = result {
            if error.is_passing() {
                return Err(error); // not this event's fault: the follower tries again
            }
            tracing::error!(room = fold.room, ordinal = event.ordinal, kind = event.kind, %error, "an event could not be folded");
            tx.execute(
                "INSERT INTO fold_trouble (bucket, ordinal, room, problem) VALUES ($1, $2, $3, $4) ON CONFLICT (bucket, ordinal, room) DO NOTHING",
                params![i64::from(event.bucket.number()), event.ordinal, fold.room, &error.to_string()],
            )?;
        }
    }
    Ok(())
}

pub(crate) fn panic_words(panic: &(dyn std::any::Any + Send)) -> String {
    let words = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    words.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "a panic without words".to_owned())
}
