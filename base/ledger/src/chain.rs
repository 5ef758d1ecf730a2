//! The hash chain of a bucket and its signed head. Any edit, deletion, reorder or truncation is seen by [`verify`].

use baton_kit::{Bucket, TypedId};
use ed25519_dalek::{Signature, Signer, SigningKey, Verifier, VerifyingKey};
use sha2::{Digest, Sha256};

use crate::door::{Row, StoreError, StoreResult, Tx};
use crate::event::Event;
pub use crate::verify::{ChainProblem, Verdict, verify};

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

    /// A mark in passing says something else than a head, so that an old mark never passes for the end of a chain.
    fn text(&self, what: &[u8]) -> Vec<u8> {
        let mut text = what.to_vec();
        text.push(self.bucket.number());
        text.extend(self.ordinal.to_be_bytes());
        text.extend(self.count.to_be_bytes());
        text.extend(self.hash);
        text
    }
    pub fn sign(&self, key: &SigningKey) -> [u8; 64] {
        key.sign(&self.text(HEAD)).to_bytes()
    }
    pub fn is_signed_by(&self, key: &VerifyingKey, signature: &[u8]) -> bool {
        is_signed(key, &self.text(HEAD), signature)
    }
    pub(crate) fn sign_mark(&self, key: &SigningKey) -> [u8; 64] {
        key.sign(&self.text(MARK)).to_bytes()
    }
    pub(crate) fn is_mark_signed_by(&self, key: &VerifyingKey, signature: &[u8]) -> bool {
        is_signed(key, &self.text(MARK), signature)
    }
}

const HEAD: &[u8] = b"baton head 1";
const MARK: &[u8] = b"baton mark 1";
const CLOCK: &[u8] = b"baton clock 1";

fn is_signed(key: &VerifyingKey, text: &[u8], signature: &[u8]) -> bool {
    Signature::from_slice(signature).is_ok_and(|signature| key.verify(text, &signature).is_ok())
}

/// Signs the last ordinal of the ledger, so that whole buckets cannot be cut from its end.
pub(crate) fn sign_clock(ordinal: i64, key: &SigningKey) -> [u8; 64] {
    key.sign(&clock_text(ordinal)).to_bytes()
}

fn clock_text(ordinal: i64) -> Vec<u8> {
    [CLOCK, &ordinal.to_be_bytes()].concat()
}

/// One number for the whole ledger: the hash over all heads in bucket order.
pub fn ledger_head(heads: &[Head]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for head in heads {
        hasher.update(head.text(HEAD));
    }
    hasher.finalize().into()
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

/// Whether the ledger's last ordinal bears this installation's signature; an empty ledger needs none.
pub(crate) fn is_clock_signed(key: &VerifyingKey, ordinal: i64, signature: &[u8]) -> bool {
    (ordinal == 0 && signature.is_empty()) || is_signed(key, &clock_text(ordinal), signature)
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
