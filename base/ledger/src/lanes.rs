//! Lanes: what waits to be written, bounded per bucket, and the thread that writes it in groups.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use baton_kit::{Bucket, Clock, EventId, Refusal, Status, Timestamp, TypedId};
use crossbeam_channel::{Receiver, Sender, TrySendError};
use parking_lot::Mutex;
use sha2::Digest;

use crate::door::{Conn, StoreError, StoreResult, Tx};
use crate::event::{Acknowledgement, Draft, Event};
use crate::projector::{self, Projector};
use crate::vault::{Secrets, hex};
use crate::writer::{Appender, HighWater, acknowledge, id_conflict, shared, store_refusal};

/// How many jobs may wait in one bucket's lane before the next is refused at once.
pub const LANE_LIMIT: usize = 8192;
/// How many jobs are committed together at most.
const GROUP_LIMIT: usize = 4096;
/// How many jobs may wait in all lanes together.
const ALL_LANES_LIMIT: usize = 65_536;

pub type Answer = Result<Acknowledgement, Refusal>;

/// Why a decision did not come about.
#[derive(Debug, thiserror::Error)]
pub enum Undecided {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Looks at the folded state and decides what becomes of a command. May be run again after a failed group, so it has no effects of its own.
pub type Decide = Box<dyn FnMut(&mut Tx<'_>, Timestamp) -> Result<Draft, Undecided> + Send>;

pub(crate) enum Job {
    Facts { drafts: Vec<Draft>, answer: Box<dyn FnOnce(Vec<Answer>) + Send> },
    Decision { id: EventId, command: String, decide: Decide, answer: Box<dyn FnOnce(Answer) + Send> },
}

impl Job {
    fn bucket(&self) -> Bucket {
        match self {
            Job::Facts { drafts, .. } => drafts.first().map_or(Bucket::INSTALLATION, Draft::bucket),
            Job::Decision { id, .. } => id.bucket(),
        }
    }
}

/// The sending side: bounded, never blocks.
pub(crate) struct Lanes {
    sender: Sender<Job>,
    waiting: Arc<[AtomicUsize]>,
}

impl Lanes {
    pub(crate) fn new() -> (Self, Receiver<Job>) {
        let (sender, receiver) = crossbeam_channel::bounded(ALL_LANES_LIMIT);
        let waiting = (0..Bucket::COUNT).map(|_| AtomicUsize::new(0)).collect();
        (Self { sender, waiting }, receiver)
    }

    pub(crate) fn counters(&self) -> Arc<[AtomicUsize]> {
        self.waiting.clone()
    }

    /// How many jobs wait in all lanes.
    pub(crate) fn waiting(&self) -> usize {
        self.sender.len()
    }

    pub(crate) fn submit(&self, job: Job) -> Result<(), Refusal> {
        let lane = &self.waiting[usize::from(job.bucket().number())];
        let full = || Refusal::new("lane-full", Status::Full).with("seconds", 2);
        if lane.fetch_add(1, Ordering::Relaxed) >= LANE_LIMIT {
            lane.fetch_sub(1, Ordering::Relaxed);
            return Err(full());
        }
        self.sender.try_send(job).map_err(|error| {
            lane.fetch_sub(1, Ordering::Relaxed);
            match error {
                TrySendError::Full(_) => full(),
                TrySendError::Disconnected(_) => Refusal::new("shutting-down", Status::Full).with("seconds", 10),
            }
        })
    }
}

/// The writing side; one per server.
pub(crate) struct Writer {
    pub(crate) ledger: Conn,
    pub(crate) secrets: Arc<Secrets>,
    pub(crate) projector: Arc<Mutex<Projector>>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) waiting: Arc<[AtomicUsize]>,
    pub(crate) committed: Box<dyn Fn(i64) + Send>,
    pub(crate) folded: Box<dyn Fn(i64) + Send>,
    pub(crate) known: HighWater,
}

impl Writer {
    /// Writes until every sender is gone.
    pub(crate) fn run(mut self, receiver: &Receiver<Job>) {
        while let Ok(first) = receiver.recv() {
            let mut group = vec![first];
            group.extend(receiver.try_iter().take(GROUP_LIMIT - 1));
            for job in &group {
                self.waiting[usize::from(job.bucket().number())].fetch_sub(1, Ordering::Relaxed);
            }
            self.write(group);
        }
    }

    /// Runs of facts and runs of decisions, in the order they came.
    fn write(&mut self, group: Vec<Job>) {
        let mut facts = Vec::new();
        let mut decisions = Vec::new();
        for job in group {
            match job {
                Job::Facts { .. } if decisions.is_empty() => facts.push(job),
                Job::Facts { .. } => {
                    self.write_decisions(std::mem::take(&mut decisions));
                    facts.push(job);
                }
                Job::Decision { .. } => {
                    self.write_facts(std::mem::take(&mut facts));
                    decisions.push(job);
                }
            }
        }
        self.write_facts(facts);
        self.write_decisions(decisions);
    }

    fn write_facts(&mut self, jobs: Vec<Job>) {
        if jobs.is_empty() {
            return;
        }
        let lists: Vec<&[Draft]> = jobs.iter().map(|job| if let Job::Facts { drafts, .. } = job { &drafts[..] } else { &[] }).collect();
        let answers = match self.append_facts(&lists) {
            Ok(answers) => answers,
            // A failing job must not take its neighbours down: once more, each alone.
            Err(error) if lists.len() > 1 || error.is_passing() => {
                tracing::warn!(%error, jobs = lists.len(), "a group failed; its jobs are tried one by one");
                lists.iter().map(|drafts| self.append_alone(drafts)).collect()
            }
            Err(error) => vec![refuse_all(lists[0], &error)],
        };
        for (job, answers) in jobs.into_iter().zip(answers) {
            if let Job::Facts { answer, .. } = job {
                tell(|| answer(answers));
            }
        }
    }

    fn append_alone(&mut self, drafts: &[Draft]) -> Vec<Answer> {
        match self.append_facts(&[drafts]) {
            Ok(mut answers) => answers.remove(0),
            Err(error) => refuse_all(drafts, &error),
        }
    }

    fn append_facts(&mut self, lists: &[&[Draft]]) -> StoreResult<Vec<Vec<Answer>>> {
        let result = append_in_transaction(&mut self.ledger, &self.secrets, self.clock.now(), &mut self.known, lists);
        if result.is_err() || shared(&self.ledger) {
            self.known.forget();
        }
        let (answers, ordinal) = result?;
        (self.committed)(ordinal);
        Ok(answers)
    }

    fn write_decisions(&mut self, mut jobs: Vec<Job>) {
        if jobs.is_empty() {
            return;
        }
        let answers = match self.decide_group(&mut jobs) {
            Ok(answers) => answers,
            Err(error) if jobs.len() > 1 || error.is_passing() => {
                tracing::warn!(%error, jobs = jobs.len(), "a group of decisions failed; they are tried one by one");
                jobs.iter_mut().map(|job| self.decide_alone(job)).collect()
            }
            Err(error) => vec![Err(store_refusal(&error))],
        };
        for (job, result) in jobs.into_iter().zip(answers) {
            if let Job::Decision { answer, .. } = job {
                tell(|| answer(result));
            }
        }
    }

    fn decide_alone(&mut self, job: &mut Job) -> Answer {
        match self.decide_group(std::slice::from_mut(job)) {
            Ok(mut answers) => answers.remove(0),
            Err(error) => Err(store_refusal(&error)),
        }
    }

    fn decide_group(&mut self, jobs: &mut [Job]) -> StoreResult<Vec<Answer>> {
        let now = self.clock.now();
        let projector = self.projector.clone();
        let mut projector = projector.lock();
        let mut ledger = self.ledger.begin()?;
        let mut appender = Appender::begin(&mut ledger, &self.secrets, now)?;
        projector.catch_up(|_, _| {})?;
        let Projector { projections, folds, vault, .. } = &mut *projector;
        let mut state = projections.begin()?;
        let mut known = HighWater::default();
        let mut events = Vec::new();
        let mut answers = Vec::with_capacity(jobs.len());
        for job in jobs {
            let Job::Decision { id, command, decide, .. } = job else { continue };
            if let Some(stored) = appender.stored(&mut ledger, &mut known, *id)? {
                answers.push(if answers_command(&stored.body, command) { Ok(acknowledge(&stored, true)?) } else { Err(id_conflict(*id)) });
                continue;
            }
            match state.savepoint(|state| guarded(*id, command, decide, state, now)) {
                Err(Undecided::Refused(refusal)) => answers.push(Err(refusal)),
                Err(Undecided::Store(error)) => return Err(error),
                Ok(draft) => {
                    let mut appended = appender.append(&mut ledger, &mut known, &[draft])?;
                    projector::apply_all(&mut state, folds, vault, &appended[0])?;
                    answers.push(Ok(acknowledge(&appended[0], false)?));
                    events.append(&mut appended);
                }
            }
        }
        let ordinal = appender.finish(&mut ledger)?;
        projector::set_watermark(&mut state, ordinal)?;
        ledger.commit()?;
        self.known.forget();
        (self.committed)(ordinal);
        // The ledger is the truth: should this second commit fail, the follower folds these events again.
        if state.commit().is_ok() {
            projector.passed(&events, ordinal);
            (self.folded)(ordinal);
        }
        Ok(answers)
    }
}

/// A caller that panics over its answer keeps nobody else from theirs, and the writer goes on.
fn tell(answer: impl FnOnce()) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(answer)) {
        tracing::error!(problem = projector::panic_words(&*panic), "a caller panicked over its answer");
    }
}

fn refuse_all(drafts: &[Draft], error: &StoreError) -> Vec<Answer> {
    vec![Err(store_refusal(error)); drafts.len()]
}

/// Runs a rule; one that panics or answers another command than its own is a bug that stays with its caller.
fn guarded(id: EventId, command: &str, decide: &mut Decide, state: &mut Tx<'_>, now: Timestamp) -> Result<Draft, Undecided> {
    let broken = |problem: String| {
        tracing::error!(%id, problem, "a rule is broken");
        Err(Undecided::Refused(Refusal::new("rule-broken", Status::Broken)))
    };
    match catch_unwind(AssertUnwindSafe(|| decide(state, now))) {
        Err(panic) => broken(projector::panic_words(&*panic)),
        Ok(Ok(draft)) if draft.id != id || !answers_command(&draft.body, command) => broken(format!("its {} does not bear its own id and command", draft.kind)),
        Ok(decided) => decided,
    }
}

/// Whether a decision's body came from this very command.
fn answers_command(body: &str, command: &str) -> bool {
    body.strip_prefix("{\"command\":").and_then(|rest| rest.strip_prefix(command)).is_some_and(|rest| rest.starts_with(",\"outcome\":"))
}

/// Where the answer to one draft comes from.
enum Slot {
    New(usize),
    Resent(usize),
    Stored(Box<Event>),
    Conflict(EventId),
}

type FactAnswers = (Vec<Vec<Answer>>, i64);

fn append_in_transaction(conn: &mut Conn, secrets: &Secrets, now: Timestamp, known: &mut HighWater, lists: &[&[Draft]]) -> StoreResult<FactAnswers> {
    let mut tx = conn.begin()?;
    let mut appender = Appender::begin(&mut tx, secrets, now)?;
    let mut fresh: Vec<Draft> = Vec::new();
    let mut places: HashMap<EventId, usize> = HashMap::new();
    let mut slots = Vec::with_capacity(lists.len());
    for drafts in lists {
        let mut list = Vec::with_capacity(drafts.len());
        for draft in *drafts {
            list.push(slot(&mut tx, &appender, known, draft, &mut fresh, &mut places)?);
            if let Some(Slot::Conflict(id)) = list.last() {
                fresh.push(conflict_finding(appender.own_id(fresh.len()), now, draft, *id));
            }
        }
        slots.push(list);
    }
    let events = appender.append(&mut tx, known, &fresh)?;
    let ordinal = appender.finish(&mut tx)?;
    tx.commit()?;
    let answers = slots.into_iter().map(|list| list.into_iter().map(|slot| answer_of(slot, &events)).collect()).collect::<StoreResult<_>>()?;
    Ok((answers, ordinal))
}

fn slot(
    tx: &mut Tx<'_>,
    appender: &Appender<'_>,
    known: &mut HighWater,
    draft: &Draft,
    fresh: &mut Vec<Draft>,
    places: &mut HashMap<EventId, usize>,
) -> StoreResult<Slot> {
    if let Some(&at) = places.get(&draft.id) {
        let first = &fresh[at];
        let same = (&first.kind, first.happened, &first.body) == (&draft.kind, draft.happened, &draft.body);
        return Ok(if same { Slot::Resent(at) } else { Slot::Conflict(draft.id) });
    }
    if let Some(stored) = appender.stored(tx, known, draft.id)? {
        let same = (&stored.kind, stored.happened, &stored.body) == (&draft.kind, draft.happened, &draft.body);
        return Ok(if same { Slot::Stored(Box::new(stored)) } else { Slot::Conflict(draft.id) });
    }
    places.insert(draft.id, fresh.len());
    fresh.push(draft.clone());
    Ok(Slot::New(fresh.len() - 1))
}

fn answer_of(slot: Slot, events: &[Event]) -> StoreResult<Answer> {
    Ok(match slot {
        Slot::New(at) => Ok(acknowledge(&events[at], false)?),
        Slot::Resent(at) => Ok(acknowledge(&events[at], true)?),
        Slot::Stored(event) => Ok(acknowledge(&event, true)?),
        Slot::Conflict(id) => Err(id_conflict(id)),
    })
}

/// The kind of the finding that an id was used for two different events.
pub const ID_CONFLICT: &str = "ledger.id_conflict";

/// The finding names the id and the hash of what was offered, never its text.
fn conflict_finding(own: EventId, now: Timestamp, offered: &Draft, id: EventId) -> Draft {
    let body = serde_json::json!({"id": id, "kind": offered.kind, "body_sha256": hex(&sha2::Sha256::digest(offered.body.as_bytes()))});
    Draft { id: own, kind: ID_CONFLICT.to_owned(), happened: now, actor: offered.actor, body: body.to_string(), notes: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lane_refuses_at_once_when_it_is_full() {
        let (lanes, receiver) = Lanes::new();
        let job = || Job::Facts { drafts: Vec::new(), answer: Box::new(|_| {}) };
        for _ in 0..LANE_LIMIT {
            lanes.submit(job()).unwrap();
        }
        let refusal = lanes.submit(job()).unwrap_err();
        assert_eq!((refusal.code, refusal.status), ("lane-full", Status::Full));
        drop(receiver);
    }

    #[test]
    fn a_lane_without_a_writer_refuses() {
        let (lanes, receiver) = Lanes::new();
        drop(receiver);
        let refusal = lanes.submit(Job::Facts { drafts: Vec::new(), answer: Box::new(|_| {}) }).unwrap_err();
        assert_eq!((refusal.code, refusal.status), ("shutting-down", Status::Full));
    }
}
