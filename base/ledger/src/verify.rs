//! The check of the whole ledger: every link, mark, head and ordinal, and where the first thing is wrong.

use std::collections::BTreeMap;

use baton_kit::{Bucket, EventId};
use ed25519_dalek::VerifyingKey;

use crate::chain::{self, CHECKPOINT_EVERY, EVENT_COLUMNS, Head, bucket_of, event_of, head_of, ledger_head, link};
use crate::door::{Row, StoreResult, Tx};
use crate::params;

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
    #[error("bucket {}: the signed mark at ordinal {ordinal} is missing or does not match the chain: it or an event after ordinal {after} was changed", .bucket.number())]
    Checkpoint { bucket: Bucket, after: i64, ordinal: i64 },
    #[error("bucket {}: the chain up to ordinal {ordinal} is not the one that was signed: an event after ordinal {after} was rewritten", .bucket.number())]
    Rewritten { bucket: Bucket, after: i64, ordinal: i64 },
    #[error("bucket {}: the chain ends at ordinal {found} with {count} events, its signed head says {head} with {head_count}", .bucket.number())]
    Truncated { bucket: Bucket, found: i64, count: i64, head: i64, head_count: i64 },
    #[error("bucket {}: the head is not signed by this installation", .bucket.number())]
    Unsigned { bucket: Bucket },
    #[error("bucket {}: the stored event after ordinal {ordinal} cannot be read: {problem}", .bucket.number())]
    Unreadable { bucket: Bucket, ordinal: i64, problem: String },
    #[error("ordinal {ordinal} is missing: an event was removed")]
    Missing { ordinal: i64 },
    #[error("the event at ordinal {ordinal} stands after the end of the ledger at {last}: it was added")]
    Beyond { ordinal: i64, last: i64 },
    #[error("the ledger's last ordinal {ordinal} is not signed by this installation: events may be missing at its end")]
    Clock { ordinal: i64 },
    #[error("{number} is no bucket, yet something is stored under it")]
    NoBucket { number: i64 },
}

/// Re-reads the whole ledger and checks every link, mark, head and ordinal. `progress` hears the number of events read.
pub fn verify(tx: &mut Tx<'_>, key: &VerifyingKey, mut progress: impl FnMut(i64)) -> StoreResult<Verdict> {
    let mut check = Check { key, ordinals: Ordinals::default(), verdict: Verdict::default(), progress: &mut progress };
    let heads = check.heads(tx)?;
    check.verdict.buckets = heads.len();
    check.verdict.ledger_head = ledger_head(&heads.values().map(|(head, _)| *head).collect::<Vec<Head>>());
    let mut buckets: Vec<Bucket> = heads.keys().copied().collect();
    buckets.extend(check.headless(tx, &heads)?);
    for bucket in buckets {
        let end = check.walk(tx, bucket)?;
        if let Some((head, signature)) = heads.get(&bucket) {
            check.head(head, signature, end);
        }
    }
    check.clock(tx)?;
    Ok(check.verdict)
}

type Heads = BTreeMap<Bucket, (Head, Vec<u8>)>;

struct Check<'c> {
    key: &'c VerifyingKey,
    ordinals: Ordinals,
    verdict: Verdict,
    progress: &'c mut dyn FnMut(i64),
}

/// How far a bucket's chain was followed.
struct End {
    head: Head,
    /// Ordinal of the last mark that matched.
    marked: i64,
    /// Nothing more can be said of this chain's end.
    broken: bool,
}

impl Check<'_> {
    fn found(&mut self, problem: ChainProblem) {
        if !self.verdict.problems.contains(&problem) {
            self.verdict.problems.push(problem);
        }
    }

    fn heads(&mut self, tx: &mut Tx<'_>) -> StoreResult<Heads> {
        let mut heads = Heads::new();
        for row in tx.query("SELECT bucket, ordinal, count, hash, signature FROM head ORDER BY bucket", &[])? {
            match (bucket_of(row.int(0)?), head_of(&row)) {
                (Ok(bucket), Ok(head)) => _ = heads.insert(bucket, head),
                // Its events, if there are any, are then without a head.
                (Ok(bucket), Err(_)) => self.found(ChainProblem::Unsigned { bucket }),
                (Err(_), _) => self.found(ChainProblem::NoBucket { number: row.int(0)? }),
            }
        }
        Ok(heads)
    }

    /// Buckets that hold events but have no head.
    fn headless(&mut self, tx: &mut Tx<'_>, heads: &Heads) -> StoreResult<Vec<Bucket>> {
        let mut headless = Vec::new();
        for row in tx.query("SELECT DISTINCT bucket FROM event ORDER BY bucket", &[])? {
            match bucket_of(row.int(0)?) {
                Ok(bucket) if heads.contains_key(&bucket) => {}
                Ok(bucket) => {
                    self.found(ChainProblem::Unsigned { bucket });
                    headless.push(bucket);
                }
                Err(_) => self.found(ChainProblem::NoBucket { number: row.int(0)? }),
            }
        }
        Ok(headless)
    }

    /// Follows one bucket's chain; after the first bad event it only counts.
    fn walk(&mut self, tx: &mut Tx<'_>, bucket: Bucket) -> StoreResult<End> {
        let mut marks = marks(tx, bucket)?;
        let mut end = End { head: Head::empty(bucket), marked: 0, broken: false };
        let mut first = None;
        let sql = format!("SELECT {EVENT_COLUMNS} FROM event WHERE bucket = $1 ORDER BY ordinal");
        tx.each(&sql, params![i64::from(bucket.number())], |row| {
            let problem = self.step(&row, &mut end, &mut marks);
            if first.is_none() {
                first = problem;
            }
            Ok(())
        })?;
        let left_over = marks.keys().next().map(|&ordinal| ChainProblem::Checkpoint { bucket, after: end.marked, ordinal });
        end.broken = matches!(first, Some(ChainProblem::Broken { .. } | ChainProblem::Unreadable { .. }));
        self.verdict.problems.extend(first.or(left_over));
        Ok(end)
    }

    fn step(&mut self, row: &Row, end: &mut End, marks: &mut BTreeMap<i64, Vec<u8>>) -> Option<ChainProblem> {
        self.verdict.events += 1;
        if self.verdict.events % 8192 == 0 {
            (self.progress)(self.verdict.events);
        }
        let (bucket, previous) = (end.head.bucket, end.head);
        end.head.count += 1;
        let event = match event_of(row) {
            Ok(event) => event,
            Err(error) => return Some(ChainProblem::Unreadable { bucket, ordinal: previous.ordinal, problem: error.to_string() }),
        };
        self.ordinals.saw(event.ordinal);
        end.head = Head { ordinal: event.ordinal, hash: event.hash, ..end.head };
        let mark = marks.remove(&event.ordinal);
        if link(&previous.hash, &event) != event.hash {
            return Some(ChainProblem::Broken { bucket, ordinal: event.ordinal, id: event.id });
        }
        let due = end.head.count % CHECKPOINT_EVERY == 0;
        let matches = mark.as_ref().is_some_and(|signature| end.head.is_mark_signed_by(self.key, signature));
        if matches {
            end.marked = event.ordinal;
        }
        let wrong = (due || mark.is_some()) && !matches;
        wrong.then_some(ChainProblem::Checkpoint { bucket, after: end.marked, ordinal: event.ordinal })
    }

    fn head(&mut self, head: &Head, signature: &[u8], end: End) {
        let bucket = head.bucket;
        if !head.is_signed_by(self.key, signature) {
            self.found(ChainProblem::Unsigned { bucket });
        }
        if end.broken || *head == end.head {
            return;
        }
        self.found(if (head.ordinal, head.count) == (end.head.ordinal, end.head.count) {
            ChainProblem::Rewritten { bucket, after: end.marked, ordinal: head.ordinal }
        } else {
            ChainProblem::Truncated { bucket, found: end.head.ordinal, count: end.head.count, head: head.ordinal, head_count: head.count }
        });
    }

    fn clock(&mut self, tx: &mut Tx<'_>) -> StoreResult<()> {
        let row = tx.first("SELECT ordinal, signature FROM ledger_clock WHERE bucket = 0", &[])?;
        let last = row.as_ref().map_or(Ok(0), |row| row.int(0))?;
        if !row.is_some_and(|row| row.bytes(1).is_ok_and(|signature| chain::is_clock_signed(self.key, last, signature))) {
            self.found(ChainProblem::Clock { ordinal: last });
        }
        if let Some(ordinal) = self.ordinals.first_gap(last) {
            self.found(ChainProblem::Missing { ordinal });
        }
        if let Some(ordinal) = self.ordinals.first_after(last) {
            self.found(ChainProblem::Beyond { ordinal, last });
        }
        Ok(())
    }
}

fn marks(tx: &mut Tx<'_>, bucket: Bucket) -> StoreResult<BTreeMap<i64, Vec<u8>>> {
    let rows = tx.query("SELECT ordinal, signature FROM checkpoint WHERE bucket = $1", params![i64::from(bucket.number())])?;
    rows.iter().map(|row| Ok((row.int(0)?, row.bytes(1)?.to_vec()))).collect()
}

/// Which of 1…n were seen, one bit each: a hole is a removed event even when its whole bucket went with it.
#[derive(Default)]
struct Ordinals(Vec<u64>);

impl Ordinals {
    /// A damaged ordinal may be any number; one far beyond the others is not kept, its hole shows it all the same.
    const LEAP: usize = 1_000_000;

    fn saw(&mut self, ordinal: i64) {
        let Ok(at) = usize::try_from(ordinal) else { return };
        if at / 64 >= self.0.len() + Self::LEAP {
            return;
        }
        if at / 64 >= self.0.len() {
            self.0.resize(at / 64 + 1, 0);
        }
        self.0[at / 64] |= 1 << (at % 64);
    }
    fn has(&self, ordinal: i64) -> bool {
        usize::try_from(ordinal).is_ok_and(|at| self.0.get(at / 64).is_some_and(|word| word & (1 << (at % 64)) != 0))
    }
    fn first_gap(&self, last: i64) -> Option<i64> {
        // A clock that was set far ahead is answered by the first hole, which is not far.
        (1..=last).find(|&ordinal| !self.has(ordinal))
    }
    fn first_after(&self, last: i64) -> Option<i64> {
        (last.max(0) + 1..self.0.len() as i64 * 64).find(|&ordinal| self.has(ordinal))
    }
}
