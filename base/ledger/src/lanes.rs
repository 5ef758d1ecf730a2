//! Lanes: what waits to be written, bounded per bucket, and the thread that writes it in groups.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use baton_kit::{Bucket, Clock, EventId, Refusal, Status, Timestamp, TypedId};
use crossbeam_channel::{Receiver, Sender, TrySendError};
use parking_lot::Mutex;
use sha2::Digest;

use crate::door::{Conn, StoreError, StoreResult, Tx};
use crate::event::{Acknowledgement, Draft, Event};
use crate::meter::{Meter, Stopwatch};
use crate::projector::{self, Projector};
use crate::vault::{Secrets, hex};
use crate::writer::{Appender, HighWater, acknowledge, acknowledge_decision, id_conflict, shared, store_refusal};

/// How many facts and commands may wait in one bucket's lane before the next is refused at once.
pub const LANE_LIMIT: usize = 16_384;
/// How many facts and commands are committed together at most; a request is not cut.
const GROUP_LIMIT: usize = 4096;
/// How many facts and commands may wait in all lanes together.
pub const ALL_LANES_LIMIT: usize = 65_536;
/// Nobody is asked to wait longer than this before trying again.
const RETRY_AFTER_S_MAX: u64 = 30;
/// How much the last group counts in the pace that is remembered, of 8.
const PACE_NEWEST: u64 = 2;

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
    /// What it counts in a lane: its facts.
    fn weight(&self) -> usize {
        match self {
            Job::Facts { drafts, .. } => drafts.len().max(1),
            Job::Decision { .. } => 1,
        }
    }

    fn bucket(&self) -> Bucket {
        match self {
            Job::Facts { drafts, .. } => drafts.first().map_or(Bucket::INSTALLATION, Draft::bucket),
            Job::Decision { id, .. } => id.bucket(),
        }
    }
}

/// What waits: in each lane, in all of them, and how fast it is written lately.
pub(crate) struct Waiting {
    lanes: Box<[AtomicUsize]>,
    all: AtomicUsize,
    per_second: AtomicU64,
}

impl Waiting {
    fn enter(&self, bucket: Bucket, weight: usize) -> bool {
        let lane = self.lanes[usize::from(bucket.number())].fetch_add(weight, Ordering::Relaxed);
        let all = self.all.fetch_add(weight, Ordering::Relaxed);
        // Whoever finds a lane empty is let in, however much they bring.
        let fits = (lane == 0 || lane + weight <= LANE_LIMIT) && (all == 0 || all + weight <= ALL_LANES_LIMIT);
        if !fits {
            self.leave(bucket, weight);
        }
        fits
    }

    fn leave(&self, bucket: Bucket, weight: usize) {
        self.lanes[usize::from(bucket.number())].fetch_sub(weight, Ordering::Relaxed);
        self.all.fetch_sub(weight, Ordering::Relaxed);
    }

    fn wrote(&self, weight: usize, us: u64) {
        let pace = (weight as u64).saturating_mul(1_000_000) / us.max(1);
        let known = self.per_second.load(Ordering::Relaxed);
        self.per_second.store(if known == 0 { pace } else { (known * (8 - PACE_NEWEST) + pace * PACE_NEWEST) / 8 }, Ordering::Relaxed);
    }

    /// When what waits now will be written, at the pace of the last groups.
    fn retry_after_s(&self) -> u64 {
        let pace = self.per_second.load(Ordering::Relaxed).max(1);
        (self.all.load(Ordering::Relaxed) as u64).div_ceil(pace).clamp(1, RETRY_AFTER_S_MAX)
    }
}

/// The sending side: bounded, never blocks.
pub(crate) struct Lanes {
    sender: Sender<Job>,
    waiting: Arc<Waiting>,
    meter: Arc<Meter>,
}

impl Lanes {
    pub(crate) fn new(meter: Arc<Meter>) -> (Self, Receiver<Job>) {
        let (sender, receiver) = crossbeam_channel::bounded(ALL_LANES_LIMIT);
        let lanes = (0..Bucket::COUNT).map(|_| AtomicUsize::new(0)).collect();
        let waiting = Waiting { lanes, all: AtomicUsize::new(0), per_second: AtomicU64::new(0) };
        (Self { sender, waiting: Arc::new(waiting), meter }, receiver)
    }

    pub(crate) fn waiting_counters(&self) -> Arc<Waiting> {
        self.waiting.clone()
    }

    /// How many facts and commands wait in all lanes.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.all.load(Ordering::Relaxed)
    }

    pub(crate) fn waiting_by_lane(&self) -> Vec<(u8, usize)> {
        let lanes = self.waiting.lanes.iter().zip(0..);
        lanes.map(|(waiting, lane)| (lane, waiting.load(Ordering::Relaxed))).filter(|(_, waiting)| *waiting > 0).collect()
    }

    pub(crate) fn submit(&self, job: Job) -> Result<(), Refusal> {
        let (bucket, weight) = (job.bucket(), job.weight());
        if !self.waiting.enter(bucket, weight) {
            return Err(self.full());
        }
        self.sender.try_send(job).map_err(|error| {
            self.waiting.leave(bucket, weight);
            match error {
                TrySendError::Full(_) => self.full(),
                TrySendError::Disconnected(_) => Refusal::new("shutting-down", Status::Full).with("seconds", 10),
            }
        })
    }

    fn full(&self) -> Refusal {
        self.meter.shed.fetch_add(1, Ordering::Relaxed);
        Refusal::new("lane-full", Status::Full).with("seconds", self.waiting.retry_after_s())
    }
}

/// The writing side; one per server.
pub(crate) struct Writer {
    pub(crate) ledger: Conn,
    pub(crate) secrets: Arc<Secrets>,
    pub(crate) projector: Arc<Mutex<Projector>>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) waiting: Arc<Waiting>,
    pub(crate) meter: Arc<Meter>,
    pub(crate) committed: Box<dyn Fn(i64) + Send>,
    pub(crate) folded: Box<dyn Fn(i64) + Send>,
    pub(crate) known: HighWater,
}

impl Writer {
    /// Writes until every sender is gone.
    pub(crate) fn run(mut self, receiver: &Receiver<Job>) {
        while let Ok(first) = receiver.recv() {
            let mut weight = first.weight();
            let mut group = vec![first];
            while weight < GROUP_LIMIT {
                let Ok(next) = receiver.try_recv() else { break };
                weight += next.weight();
                group.push(next);
            }
            let weights: Vec<_> = group.iter().map(|job| (job.bucket(), job.weight())).collect();
            let watch = Stopwatch::start();
            self.write(group);
            // What is being written still takes room, so that what waits is never more than the bound.
            for (bucket, weight) in weights {
                self.waiting.leave(bucket, weight);
            }
            self.waiting.wrote(weight, watch.us());
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
        let mut appended = self.append_facts(&lists);
        if appended.as_ref().is_err_and(StoreError::is_away) {
            // Nobody's fault: once more, all together. A commit that came about unheard is found by its ids.
            appended = self.append_facts(&lists);
        }
        let answers = match appended {
            Ok(answers) => answers,
            // A failing job must not take its neighbours down: once more, each alone.
            Err(error) if !error.is_away() && (lists.len() > 1 || error.is_passing()) => {
                tracing::warn!(%error, jobs = lists.len(), "a group failed; its jobs are tried one by one");
                lists.iter().map(|drafts| self.append_alone(drafts)).collect()
            }
            Err(error) => refuse_lists(&lists, &error),
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
            Err(error) => refuse_lists(&[drafts], &error).remove(0),
        }
    }

    fn append_facts(&mut self, lists: &[&[Draft]]) -> StoreResult<Vec<Vec<Answer>>> {
        let watch = Stopwatch::start();
        let result = append_in_transaction(&mut self.ledger, &self.secrets, self.clock.now(), &mut self.known, &self.meter, lists);
        self.meter.group_us.record(watch.us());
        self.meter.wrote(result.is_ok());
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
        let mut decided = self.decide_group(&mut jobs);
        if decided.as_ref().is_err_and(StoreError::is_away) {
            decided = self.decide_group(&mut jobs);
        }
        let answers = match decided {
            Ok(answers) => answers,
            Err(error) if error.is_away() => vec![Err(store_refusal(&error)); jobs.len()],
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
                answers.push(if answers_command(&stored.body, command) { Ok(acknowledge_decision(&stored, true)?) } else { Err(id_conflict(*id)) });
                continue;
            }
            match state.savepoint(|state| guarded(*id, command, decide, state, now)) {
                Err(Undecided::Refused(refusal)) => answers.push(Err(refusal)),
                Err(Undecided::Store(error)) => return Err(error),
                Ok(draft) => {
                    let mut appended = appender.append(&mut ledger, &mut known, vec![draft])?;
                    projector::apply_all(&mut state, folds, vault, &appended[0])?;
                    answers.push(Ok(acknowledge_decision(&appended[0], false)?));
                    events.append(&mut appended);
                }
            }
        }
        let ordinal = appender.finish(&mut ledger)?;
        projector::set_watermark(&mut state, ordinal)?;
        let watch = Stopwatch::start();
        ledger.commit()?;
        self.meter.commit_us.record(watch.us());
        self.meter.decisions.fetch_add(events.len() as u64, Ordering::Relaxed);
        self.meter.wrote(true);
        self.known.forget();
        (self.committed)(ordinal);
        // The ledger is the truth: should this second commit fail, the follower folds these events again.
        let moved = state.take_moved();
        if state.commit().is_ok() {
            projector.moves.folded(moved, ordinal);
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

fn refuse_lists(lists: &[&[Draft]], error: &StoreError) -> Vec<Vec<Answer>> {
    let refusal = store_refusal(error);
    lists.iter().map(|drafts| vec![Err(refusal.clone()); drafts.len()]).collect()
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

fn append_in_transaction(
    conn: &mut Conn,
    secrets: &Secrets,
    now: Timestamp,
    known: &mut HighWater,
    meter: &Meter,
    lists: &[&[Draft]],
) -> StoreResult<FactAnswers> {
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
    let events = appender.append(&mut tx, known, fresh)?;
    let ordinal = appender.finish(&mut tx)?;
    let watch = Stopwatch::start();
    tx.commit()?;
    meter.commit_us.record(watch.us());
    meter.group_facts.record(events.len() as u64);
    meter.facts.fetch_add(events.len() as u64, Ordering::Relaxed);
    let told: usize = lists.iter().map(|drafts| drafts.len()).sum();
    meter.repeated.fetch_add(told.saturating_sub(events.len()) as u64, Ordering::Relaxed);
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
        let meter = Arc::new(Meter::default());
        let (lanes, receiver) = Lanes::new(meter.clone());
        let job = || Job::Facts { drafts: Vec::new(), answer: Box::new(|_| {}) };
        for _ in 0..LANE_LIMIT {
            lanes.submit(job()).unwrap();
        }
        let refusal = lanes.submit(job()).unwrap_err();
        assert_eq!((refusal.code, refusal.status), ("lane-full", Status::Full));
        assert_eq!((lanes.waiting(), lanes.waiting_by_lane(), meter.shed.load(Ordering::Relaxed)), (LANE_LIMIT, vec![(0, LANE_LIMIT)], 1));
        drop(receiver);
    }

    #[test]
    fn a_lane_without_a_writer_refuses() {
        let (lanes, receiver) = Lanes::new(Arc::default());
        drop(receiver);
        let refusal = lanes.submit(Job::Facts { drafts: Vec::new(), answer: Box::new(|_| {}) }).unwrap_err();
        assert_eq!((refusal.code, refusal.status), ("shutting-down", Status::Full));
    }

    #[test]
    fn come_back_when_what_waits_is_written_at_the_pace_of_lately() {
        let (lanes, _receiver) = Lanes::new(Arc::default());
        let waiting = lanes.waiting_counters();
        assert_eq!(waiting.retry_after_s(), 1);
        assert!(waiting.enter(Bucket::INSTALLATION, 12_000));
        waiting.wrote(4_000, 1_000_000);
        assert_eq!(waiting.retry_after_s(), 3);
        waiting.wrote(1_000, 10_000_000);
        assert_eq!(waiting.retry_after_s(), 4, "a slow group makes the wait longer");
        assert!(!waiting.enter(Bucket::INSTALLATION, LANE_LIMIT), "more than the lane holds");
        waiting.leave(Bucket::INSTALLATION, 12_000);
        assert!(waiting.enter(Bucket::INSTALLATION, LANE_LIMIT + 1), "an empty lane takes any one request");
    }
}
