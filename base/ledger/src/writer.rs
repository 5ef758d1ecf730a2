//! The one writer: takes what waits in the lanes, commits it as a group, then answers.
//!
//! *Facts* are appended. *Decisions* see everything recorded before them, decide, and are appended and folded before the next one.
//! Nothing is acknowledged before it is durable.

use std::collections::{BTreeMap, HashMap};

use baton_kit::{Bucket, Device, EventId, Packed, Refusal, Status, Timestamp, TypedId};

use crate::chain::{self, CHECKPOINT_EVERY, EVENT_COLUMNS, Head, event_of};
use crate::door::{Backend, Conn, Param, StoreError, StoreResult, Tx};
use crate::event::{Acknowledgement, Draft, Event, to_json};
use crate::params;
use crate::vault::Secrets;

/// Appends drafts inside one ledger transaction.
pub(crate) struct Appender<'s> {
    secrets: &'s Secrets,
    recorded: Timestamp,
    ordinal: i64,
    heads: BTreeMap<Bucket, Head>,
    checkpoints: Vec<Head>,
}

/// The highest sequence each device has said, so that a new one needs no look-up. Valid while no other server writes.
#[derive(Default)]
pub(crate) struct HighWater(HashMap<(Bucket, Device), Option<u32>>);

impl HighWater {
    fn is_new(&mut self, tx: &mut Tx<'_>, id: EventId) -> StoreResult<bool> {
        let key = (id.bucket(), id.packed().device());
        let known = match self.0.get(&key) {
            Some(known) => *known,
            None => *self.0.entry(key).or_insert(highest(tx, id)?),
        };
        Ok(known.is_none_or(|highest| id.packed().sequence() > highest))
    }
    fn said(&mut self, id: EventId) {
        let highest = self.0.entry((id.bucket(), id.packed().device())).or_insert(None);
        *highest = (*highest).max(Some(id.packed().sequence()));
    }
    /// Forgets everything: after a rollback, or when other servers may have written.
    pub(crate) fn forget(&mut self) {
        self.0.clear();
    }
}

fn highest(tx: &mut Tx<'_>, id: EventId) -> StoreResult<Option<u32>> {
    let first = Packed::new(id.bucket(), id.packed().device(), 0);
    let last = Packed::new(id.bucket(), id.packed().device(), u32::MAX);
    let sql = "SELECT max(id) FROM event WHERE bucket = $1 AND id >= $2 AND id <= $3";
    let row = tx.one(sql, params![id.bucket_number(), first.raw(), last.raw()])?;
    let highest: Option<EventId> = row.maybe_id(0)?;
    Ok(highest.map(|id| id.packed().sequence()))
}

impl<'s> Appender<'s> {
    /// Locks the ledger for this transaction.
    pub(crate) fn begin(tx: &mut Tx<'_>, secrets: &'s Secrets, recorded: Timestamp) -> StoreResult<Self> {
        let row = tx.one("UPDATE ledger_clock SET ordinal = ordinal WHERE bucket = 0 RETURNING ordinal", &[])?;
        Ok(Self { secrets, recorded, ordinal: row.int(0)?, heads: BTreeMap::new(), checkpoints: Vec::new() })
    }

    /// An id for an event the ledger itself will place after `before` others: device 0, numbered by its ordinal.
    pub(crate) fn own_id(&self, before: usize) -> EventId {
        let ordinal = self.ordinal + before as i64 + 1;
        let bucket = Bucket::new(((ordinal >> 32) & 0x7f) as u8).unwrap_or(Bucket::INSTALLATION);
        EventId::new(bucket, Device::new(0).expect("zero fits"), ordinal as u32)
    }

    /// The event stored under this id, if any.
    pub(crate) fn stored(&self, tx: &mut Tx<'_>, known: &mut HighWater, id: EventId) -> StoreResult<Option<Event>> {
        if known.is_new(tx, id)? {
            return Ok(None);
        }
        let sql = format!("SELECT {EVENT_COLUMNS} FROM event WHERE bucket = $1 AND id = $2");
        tx.first(&sql, params![id.bucket_number(), id])?.as_ref().map(event_of).transpose()
    }

    /// Chains drafts, none of whose ids is stored, and inserts them.
    pub(crate) fn append(&mut self, tx: &mut Tx<'_>, known: &mut HighWater, drafts: Vec<Draft>) -> StoreResult<Vec<Event>> {
        let events = drafts.into_iter().map(|draft| self.place(tx, draft)).collect::<StoreResult<Vec<Event>>>()?;
        let rows: Vec<Vec<Param<'_>>> = events.iter().map(row_of).collect();
        let head = format!("INSERT INTO event ({EVENT_COLUMNS}) VALUES");
        tx.insert_many(&head, 10, &rows, "")?;
        for event in &events {
            known.said(event.id);
        }
        Ok(events)
    }

    fn place(&mut self, tx: &mut Tx<'_>, draft: Draft) -> StoreResult<Event> {
        let bucket = draft.bucket();
        let mut head = match self.heads.get(&bucket) {
            Some(head) => *head,
            None => load_head(tx, bucket)?,
        };
        self.ordinal += 1;
        let noted = if draft.notes.is_empty() { String::new() } else { to_json(&draft.notes)? };
        let mut event = Event {
            bucket,
            ordinal: self.ordinal,
            id: draft.id,
            kind: draft.kind,
            happened: draft.happened,
            recorded: self.recorded,
            actor: draft.actor,
            body: draft.body,
            noted,
            hash: chain::GENESIS,
        };
        event.hash = chain::link(&head.hash, &event);
        head = Head { bucket, ordinal: event.ordinal, count: head.count + 1, hash: event.hash };
        if head.count % CHECKPOINT_EVERY == 0 {
            self.checkpoints.push(head);
        }
        self.heads.insert(bucket, head);
        Ok(event)
    }

    /// Signs the marks passed, the heads and the clock. The caller commits.
    pub(crate) fn finish(self, tx: &mut Tx<'_>) -> StoreResult<i64> {
        if self.heads.is_empty() {
            return Ok(self.ordinal);
        }
        for mark in &self.checkpoints {
            let signature = mark.sign_mark(&self.secrets.signing);
            tx.execute(
                "INSERT INTO checkpoint (bucket, ordinal, signature) VALUES ($1, $2, $3)",
                params![i64::from(mark.bucket.number()), mark.ordinal, signature.as_slice()],
            )?;
        }
        for head in self.heads.values() {
            let signature = head.sign(&self.secrets.signing);
            tx.execute(
                "INSERT INTO head (bucket, ordinal, count, hash, signature) VALUES ($1, $2, $3, $4, $5) \
                 ON CONFLICT (bucket) DO UPDATE SET ordinal = excluded.ordinal, count = excluded.count, hash = excluded.hash, signature = excluded.signature",
                params![i64::from(head.bucket.number()), head.ordinal, head.count, head.hash.as_slice(), signature.as_slice()],
            )?;
        }
        let signature = chain::sign_clock(self.ordinal, &self.secrets.signing);
        tx.execute("UPDATE ledger_clock SET ordinal = $1, signature = $2 WHERE bucket = 0", params![self.ordinal, signature.as_slice()])?;
        Ok(self.ordinal)
    }
}

fn load_head(tx: &mut Tx<'_>, bucket: Bucket) -> StoreResult<Head> {
    let sql = "SELECT bucket, ordinal, count, hash, signature FROM head WHERE bucket = $1";
    let row = tx.first(sql, params![i64::from(bucket.number())])?;
    row.map_or(Ok(Head::empty(bucket)), |row| chain::head_of(&row).map(|(head, _)| head))
}

fn row_of(event: &Event) -> Vec<Param<'_>> {
    vec![
        i64::from(event.bucket.number()).into(),
        event.ordinal.into(),
        event.id.into(),
        event.kind.as_str().into(),
        event.happened.into(),
        event.recorded.into(),
        event.actor.map_or(-1, TypedId::raw).into(),
        event.body.as_str().into(),
        event.noted.as_str().into(),
        event.hash.as_slice().into(),
    ]
}

/// The answer to an event that is in the ledger.
pub(crate) fn acknowledge(event: &Event, repeated: bool) -> StoreResult<Acknowledgement> {
    let notes = event.notes()?;
    Ok(Acknowledgement { id: event.id, ordinal: event.ordinal, recorded_us: event.recorded, notes, body: None, repeated })
}

/// As [`acknowledge`], with what was decided.
pub(crate) fn acknowledge_decision(event: &Event, repeated: bool) -> StoreResult<Acknowledgement> {
    Ok(Acknowledgement { body: Some(event.body.clone()), ..acknowledge(event, repeated)? })
}

/// The refusal for an id that already names something else.
pub(crate) fn id_conflict(id: EventId) -> Refusal {
    Refusal::conflict("id-conflict").with("id", id)
}

/// After how many seconds to ask again for a store that is away.
const AWAY_S: u32 = 2;

/// What a caller is told when the store failed: try again when it was full or away, our fault otherwise. Logged here, once.
pub fn store_refusal(error: &StoreError) -> Refusal {
    tracing::error!(%error, "the store failed");
    match error {
        full if full.is_full() => Refusal::new("store-full", Status::Full),
        away if away.is_away() => Refusal::new("store-away", Status::Full).with("seconds", AWAY_S),
        _ => Refusal::new("store-broken", Status::Broken),
    }
}

/// True when other servers may write to the same ledger.
pub(crate) fn shared(conn: &Conn) -> bool {
    conn.backend() == Backend::Postgres
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_that_is_away_is_no_broken_store() {
        let said = |kind: std::io::ErrorKind| store_refusal(&StoreError::Io(kind.into()));
        let away = said(std::io::ErrorKind::ConnectionRefused);
        assert_eq!((away.code, away.status), ("store-away", Status::Full));
        assert!(away.arguments.contains(&("seconds", AWAY_S.to_string())), "{away:?}");
        assert_eq!(said(std::io::ErrorKind::StorageFull).code, "store-full");
        assert_eq!(store_refusal(&StoreError::Other("no sense".to_owned())).code, "store-broken");
    }
}
