//! The hash chain of a bucket and its signed head. Any edit, deletion, reorder or truncation is seen by [`verify`].

use std::collections::BTreeMap;

use baton_kit::{Bucket, EventId, TypedId};
use ed25519_dalek::{Signature, Signer, SigningKey, Verifier, VerifyingKey};
use sha2::{Digest, Sha256};

use crate::door::{Row, StoreError, StoreResult, Tx};
use crate::event::Event;
use crate::params;

/// The hash before the first event of a chain.
pub const GENESIS: [u8; 32] = [0; 32];

/// How many events may pass in a bucket before its chain is signed in passing, so that a finding can be placed.
pub const CHECKPOINT_EVERY: i64 = 256;

/// The hash of an event: over the hash before it and every stored field, each with its length.
pub fn link(previous: &[u8; 32], event: &Event) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update(previous);
    hasher.update([event.bucket.number()]);
    for number in [event.ordinal, event.id.raw(), event.happened.0, event.recorded.0, event.actor.map_or(-1, TypedId::raw)] {
        hasher.update(number.to_be_bytes());
    }
    for text in [&event.kind, &event.body, &event.noted] {
        hasher.update((text.len() as u64).to_be_bytes());
        hasher.update(text.as_bytes());
    }
    hasher.finalize().into()
}

/// The end of a bucket's chain.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Head {
    pub bucket: Bucket,
    /// Ordinal of the last event.
    pub ordinal: i64,
    /// Events in the bucket.
    pub count: i64,
    pub hash: [u8; 32],
}

impl Head {
    pub fn empty(bucket: Bucket) -> Self {
        Self { bucket, ordinal: 0, count: 0, hash: GENESIS }
    }

    fn signed_text(&self) -> Vec<u8> {
        let mut text = b"baton head 1".to_vec();
        text.push(self.bucket.number());
        text.extend(self.ordinal.to_be_bytes());
        text.extend(self.count.to_be_bytes());
        text.extend(self.hash);
        text
    }
    pub fn sign(&self, key: &SigningKey) -> [u8; 64] {
        key.sign(&self.signed_text()).to_bytes()
    }
    pub fn is_signed_by(&self, key: &VerifyingKey, signature: &[u8]) -> bool {
        Signature::from_slice(signature).is_ok_and(|signature| key.verify(&self.signed_text(), &signature).is_ok())
    }
}

/// One number for the whole ledger: the hash over all heads in bucket order.
pub fn ledger_head(heads: &[Head]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for head in heads {
        hasher.update(head.signed_text());
    }
    hasher.finalize().into()
}

/// What [`verify`] found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Verdict {
    pub events: i64,
    pub buckets: usize,
    pub ledger_head: [u8; 32],
    pub problems: Vec<ChainProblem>,
}

/// One thing wrong with the ledger; the first bad event of each bucket is named.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ChainProblem {
    #[error("bucket {}: event {id} at ordinal {ordinal} does not follow from the one before it (edited, moved, or its predecessor removed)", .bucket.number())]
    Broken { bucket: Bucket, ordinal: i64, id: EventId },
    #[error("bucket {}: the signed mark at ordinal {ordinal} does not match the chain: an event at or before it was changed", .bucket.number())]
    Checkpoint { bucket: Bucket, ordinal: i64 },
    #[error("bucket {}: the chain ends at ordinal {found} with {count} events, its signed head says {head} with {head_count}", .bucket.number())]
    Truncated { bucket: Bucket, found: i64, count: i64, head: i64, head_count: i64 },
    #[error("bucket {}: the head is not signed by this installation", .bucket.number())]
    Unsigned { bucket: Bucket },
    #[error("ordinal {ordinal} is missing: an event was removed")]
    Missing { ordinal: i64 },
    #[error("bucket {}: the stored event after ordinal {ordinal} cannot be read: {problem}", .bucket.number())]
    Unreadable { bucket: Bucket, ordinal: i64, problem: String },
}

pub(crate) const EVENT_COLUMNS: &str = "bucket, ordinal, id, kind, happened_us, recorded_us, actor, body, noted, hash";

pub(crate) fn event_of(row: &Row) -> StoreResult<Event> {
    let actor = row.int(6)?;
    Ok(Event {
        bucket: bucket_of(row.int(0)?)?,
        ordinal: row.int(1)?,
        id: row.id(2)?,
        kind: row.text(3)?.to_owned(),
        happened: row.time(4)?,
        recorded: row.time(5)?,
        actor: if actor < 0 { None } else { Some(row.id(6)?) },
        body: row.text(7)?.to_owned(),
        noted: row.text(8)?.to_owned(),
        hash: hash_of(row.bytes(9)?)?,
    })
}

pub(crate) fn bucket_of(number: i64) -> StoreResult<Bucket> {
    let bucket = u8::try_from(number).ok().and_then(|n| Bucket::new(n).ok());
    bucket.ok_or_else(|| StoreError::Other(format!("{number} is no bucket")))
}

fn hash_of(bytes: &[u8]) -> StoreResult<[u8; 32]> {
    bytes.try_into().map_err(|_| StoreError::Other(format!("a hash has 32 bytes, not {}", bytes.len())))
}

/// The heads in bucket order, each with its signature.
pub fn heads(tx: &mut Tx<'_>) -> StoreResult<Vec<(Head, Vec<u8>)>> {
    let rows = tx.query("SELECT bucket, ordinal, count, hash, signature FROM head ORDER BY bucket", &[])?;
    rows.iter().map(head_of).collect()
}

pub(crate) fn head_of(row: &Row) -> StoreResult<(Head, Vec<u8>)> {
    let head = Head { bucket: bucket_of(row.int(0)?)?, ordinal: row.int(1)?, count: row.int(2)?, hash: hash_of(row.bytes(3)?)? };
    Ok((head, row.bytes(4)?.to_vec()))
}

/// Re-reads the whole ledger and checks every link, mark, head and ordinal. `progress` hears the number of events read.
pub fn verify(tx: &mut Tx<'_>, key: &VerifyingKey, mut progress: impl FnMut(i64)) -> StoreResult<Verdict> {
    let heads = heads(tx)?;
    let mut verdict = Verdict { buckets: heads.len(), ..Verdict::default() };
    let mut ordinals = Ordinals::default();
    let mut buckets: Vec<Bucket> = heads.iter().map(|(head, _)| head.bucket).collect();
    for row in tx.query("SELECT DISTINCT bucket FROM event ORDER BY bucket", &[])? {
        let bucket = bucket_of(row.int(0)?)?;
        if !buckets.contains(&bucket) {
            buckets.push(bucket);
            verdict.problems.push(ChainProblem::Unsigned { bucket });
        }
    }
    for bucket in buckets {
        let end = walk(tx, bucket, key, &mut ordinals, &mut verdict, &mut progress)?;
        if let Some((head, signature)) = heads.iter().find(|(head, _)| head.bucket == bucket) {
            check_head(head, signature, key, end, &mut verdict);
        }
    }
    let last = tx.one("SELECT ordinal FROM ledger_clock WHERE bucket = 0", &[])?.int(0)?;
    verdict.problems.extend(ordinals.first_gap(last).map(|ordinal| ChainProblem::Missing { ordinal }));
    let heads: Vec<Head> = heads.into_iter().map(|(head, _)| head).collect();
    verdict.ledger_head = ledger_head(&heads);
    Ok(verdict)
}

fn check_head(head: &Head, signature: &[u8], key: &VerifyingKey, end: Head, verdict: &mut Verdict) {
    if !head.is_signed_by(key, signature) {
        verdict.problems.push(ChainProblem::Unsigned { bucket: head.bucket });
    }
    let broken = verdict.problems.iter().any(|p| matches!(p, ChainProblem::Broken { bucket, .. } | ChainProblem::Unreadable { bucket, .. } if *bucket == head.bucket));
    if !broken && *head != end {
        verdict.problems.push(ChainProblem::Truncated { bucket: head.bucket, found: end.ordinal, count: end.count, head: head.ordinal, head_count: head.count });
    }
}

/// Follows one bucket's chain; after the first bad event it only counts.
fn walk(tx: &mut Tx<'_>, bucket: Bucket, key: &VerifyingKey, ordinals: &mut Ordinals, verdict: &mut Verdict, progress: &mut impl FnMut(i64)) -> StoreResult<Head> {
    let marks = checkpoints(tx, bucket)?;
    let mut end = Head::empty(bucket);
    let mut bad = None;
    let sql = format!("SELECT {EVENT_COLUMNS} FROM event WHERE bucket = $1 ORDER BY ordinal");
    tx.each(&sql, params![i64::from(bucket.number())], |row| {
        end.count += 1;
        verdict.events += 1;
        if verdict.events % 8192 == 0 {
            progress(verdict.events);
        }
        match event_of(&row) {
            Err(error) => _ = bad.get_or_insert(ChainProblem::Unreadable { bucket, ordinal: end.ordinal, problem: error.to_string() }),
            Ok(event) => {
                ordinals.saw(event.ordinal);
                let hash = link(&end.hash, &event);
                if hash != event.hash {
                    bad.get_or_insert(ChainProblem::Broken { bucket, ordinal: event.ordinal, id: event.id });
                }
                end.ordinal = event.ordinal;
                end.hash = event.hash;
                let mark = marks.get(&event.ordinal);
                if mark.is_some_and(|signature| !end.is_signed_by(key, signature)) {
                    bad.get_or_insert(ChainProblem::Checkpoint { bucket, ordinal: event.ordinal });
                }
            }
        }
        Ok(())
    })?;
    verdict.problems.extend(bad);
    Ok(end)
}

fn checkpoints(tx: &mut Tx<'_>, bucket: Bucket) -> StoreResult<BTreeMap<i64, Vec<u8>>> {
    let rows = tx.query("SELECT ordinal, signature FROM checkpoint WHERE bucket = $1", params![i64::from(bucket.number())])?;
    rows.iter().map(|row| Ok((row.int(0)?, row.bytes(1)?.to_vec()))).collect()
}

/// Which of 1…n were seen, one bit each: a hole is a removed event even when its whole bucket went with it.
#[derive(Default)]
struct Ordinals(Vec<u64>);

impl Ordinals {
    fn saw(&mut self, ordinal: i64) {
        let Ok(at) = usize::try_from(ordinal) else { return };
        // A damaged ordinal may be any number; a hole shows it all the same.
        if at / 64 >= self.0.len() + 1_000_000 {
            return;
        }
        if at / 64 >= self.0.len() {
            self.0.resize(at / 64 + 1, 0);
        }
        self.0[at / 64] |= 1 << (at % 64);
    }
    fn first_gap(&self, last: i64) -> Option<i64> {
        (1..=last).find(|&ordinal| {
            let at = ordinal as usize;
            self.0.get(at / 64).is_none_or(|word| word & (1 << (at % 64)) == 0)
        })
    }
}
