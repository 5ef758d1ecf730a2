//! The threads that note facts: whatever requests wait are looked at on one picture of the tables, then go to their lanes.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Weak};
use std::time::Duration;

use baton_kit::{AccountId, Refusal, Status, Timestamp, time::MINUTE_US};
use baton_ledger::{Answer, Draft, Note, Reading, StoreResult, Tx, Undecided, store_refusal};
use crossbeam_channel::{Receiver, Sender};
use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::told::{Earlier, FactBody, Recent, Remembered};
use super::{FactContext, Memo};
use crate::Desk;
use crate::actor::Actor;

/// With tables this far behind no fact waits for them.
const LAG_US_HOPELESS: u64 = 1_000_000;
/// How long a fact whose notes know only the tables waits for what came before it.
const PATIENCE: Duration = Duration::from_millis(40);
/// Requests that are noted together at most.
const GROUP_LIMIT: usize = 256;

/// A fact that may be recorded, with its typed body and its place among the doors.
pub(super) struct Parsed {
    pub(super) draft: Draft,
    pub(super) body: FactBody,
    pub(super) door: (usize, usize),
}

/// One answer per fact of a request; a refusal as a whole when nothing of it was recorded.
pub(super) type Noted = Result<Vec<Answer>, Refusal>;

/// Who says the facts of a request, and how they came.
pub(super) struct Sayer {
    pub(super) actor: Actor,
    /// What the sayer's clock says while they are sent.
    pub(super) sent: Option<Timestamp>,
    /// The account whose device brought them, when it was not the sayer's own.
    pub(super) carried_by: Option<AccountId>,
}

struct Asked {
    sayer: Sayer,
    facts: Vec<Result<Parsed, Refusal>>,
    answer: oneshot::Sender<Noted>,
}

/// Where facts are handed in. What waits is bounded by the budget of the requests.
pub(crate) struct Noters {
    sender: Sender<Asked>,
    receiver: Receiver<Asked>,
}

impl Default for Noters {
    fn default() -> Self {
        let (sender, receiver) = crossbeam_channel::unbounded();
        Self { sender, receiver }
    }
}

impl Noters {
    /// Starts the threads; they end with the desk.
    pub(crate) fn start(desk: &Arc<Desk>) -> std::io::Result<()> {
        // Beside SQLite one thread is as fast as its tables; from a database on the network it mostly waits.
        let threads = if desk.ledger.place().database.is_none() { 1 } else { 4 };
        for _ in 0..threads {
            let (desk, receiver) = (Arc::downgrade(desk), desk.noters.receiver.clone());
            std::thread::Builder::new().name("baton-noter".to_owned()).spawn(move || run(&desk, &receiver))?;
        }
        Ok(())
    }

    /// Notes and records; the answer comes once everything is durable.
    pub(super) async fn record(&self, sayer: Sayer, facts: Vec<Result<Parsed, Refusal>>) -> Noted {
        let (answer, answered) = oneshot::channel();
        self.sender.send(Asked { sayer, facts, answer }).map_err(|_| crate::shutting_down())?;
        answered.await.map_err(|_| crate::shutting_down())?
    }
}

fn run(desk: &Weak<Desk>, receiver: &Receiver<Asked>) {
    // A receiver of its own keeps the channel open: the desk's end is seen by asking for it now and then.
    loop {
        let first = receiver.recv_timeout(Duration::from_millis(500));
        let Some(desk) = desk.upgrade() else { return };
        let Ok(first) = first else { continue };
        let mut group = vec![first];
        group.extend(receiver.try_iter().take(GROUP_LIMIT - 1));
        // Whoever asked hears that it broke; the thread goes on, since nobody else notes.
        if catch_unwind(AssertUnwindSafe(|| serve(&desk, group))).is_err() {
            tracing::error!("noting a group of facts panicked");
        }
    }
}

/// Waits for the tables where a note needs them, notes the group and hands each request to its lane.
fn serve(desk: &Desk, group: Vec<Asked>) {
    let waits = |asked: &Asked| asked.facts.iter().flatten().any(|fact| desk.rooms[fact.door.0].facts[fact.door.1].needs_tables);
    if group.iter().any(waits) && desk.ledger.meter().lag_us() < LAG_US_HOPELESS {
        desk.ledger.wait_folded(desk.ledger.position().0, PATIENCE);
    }
    let mut noted = Vec::with_capacity(group.len());
    let mut rest = group.into_iter();
    let looked = desk.ledger.read_for(Reading::Scans, |tx| {
        let mut memo = Memo::default();
        for asked in rest.by_ref() {
            noted.push(note_one(desk, tx, &mut memo, asked));
        }
        Ok(())
    });
    for (asked, facts) in noted {
        hand_in(desk, asked, facts);
    }
    desk.recent.forget(desk.ledger.position().1);
    // Whoever could not be looked at is told why.
    if let Err(problem) = looked {
        let refusal = refusal_of(problem);
        for asked in rest {
            _ = asked.answer.send(Err(refusal.clone()));
        }
    }
}

fn refusal_of(problem: Undecided) -> Refusal {
    match problem {
        Undecided::Refused(refusal) => refusal,
        Undecided::Store(error) => store_refusal(&error),
    }
}

type Ready = Result<Vec<Result<(Draft, Remembered), Refusal>>, Refusal>;

/// Notes one request. A rule that panics stays with its request.
fn note_one(desk: &Desk, tx: &mut Tx<'_>, memo: &mut Memo, mut asked: Asked) -> (Asked, Ready) {
    let facts = std::mem::take(&mut asked.facts);
    let noted = catch_unwind(AssertUnwindSafe(|| note_all(desk, tx, memo, &asked, facts)));
    let ready = match noted {
        Ok(Ok(facts)) => Ok(facts),
        Ok(Err(error)) => Err(store_refusal(&error)),
        Err(_) => {
            tracing::error!("a note panicked");
            Err(Refusal::new("rule-broken", Status::Broken))
        }
    };
    (asked, ready)
}

type AllNoted = StoreResult<Vec<Result<(Draft, Remembered), Refusal>>>;

fn note_all(desk: &Desk, tx: &mut Tx<'_>, memo: &mut Memo, asked: &Asked, facts: Vec<Result<Parsed, Refusal>>) -> AllNoted {
    let now = desk.ledger.now();
    let mut noted = Vec::with_capacity(facts.len());
    let mut context: Option<FactContext> = None;
    for fact in facts {
        let Parsed { mut draft, body, door } = match fact {
            Ok(parsed) => parsed,
            Err(refusal) => {
                noted.push(Err(refusal));
                continue;
            }
        };
        let door = &desk.rooms[door.0].facts[door.1];
        let context = context.get_or_insert_with(|| FactContext {
            id: draft.id,
            happened: draft.happened,
            actor: asked.sayer.actor.clone(),
            site: desk.site.clone(),
            earlier: Earlier::after(desk.recent.clone()),
            memo: std::mem::take(memo),
        });
        (context.id, context.happened) = (draft.id, draft.happened);
        draft.notes = (door.note)(tx, &body, context)?;
        draft.notes.extend(clock_note(asked.sayer.sent, draft.happened, now));
        draft.notes.extend(asked.sayer.carried_by.map(|account| Note::new("fact-carried").with("account", account)));
        let keys = (door.keys)(draft.id, &body).into();
        let remembered = Remembered { id: draft.id, happened: draft.happened, actor: draft.actor, body, keys };
        context.earlier.push(&remembered);
        noted.push(Ok((draft, remembered)));
    }
    if let Some(context) = context {
        *memo = context.memo;
    }
    Ok(noted)
}

/// A clock that is off by more than this is worth a word.
const CLOCK_OFF_US: i64 = 10 * MINUTE_US;

/// Flags the time a device gives: by its clock while it sends, or since nothing happens in the future.
fn clock_note(sent: Option<Timestamp>, happened: Timestamp, now: Timestamp) -> Option<Note> {
    let off_us = sent.map_or_else(|| happened.since(now).max(0), |sent| sent.since(now));
    let code = if off_us > 0 { "clock-ahead" } else { "clock-behind" };
    (off_us.abs() > CLOCK_OFF_US).then(|| Note::new(code).with("minutes", off_us.abs() / MINUTE_US))
}

/// Into the lane; what becomes durable is remembered before its sayer hears of it.
fn hand_in(desk: &Desk, asked: Asked, ready: Ready) {
    let facts = match ready {
        Ok(facts) => facts,
        Err(refusal) => {
            _ = asked.answer.send(Err(refusal));
            return;
        }
    };
    let (mut drafts, mut remembered, mut places) = (Vec::with_capacity(facts.len()), Vec::with_capacity(facts.len()), Vec::with_capacity(facts.len()));
    for fact in facts {
        places.push(fact.map(|(draft, fact)| {
            drafts.push(draft);
            remembered.push(fact);
        }));
    }
    let recent = desk.recent.clone();
    // Whoever is refused by the lane is told so from here, everybody else by the writer.
    let answer = Arc::new(Mutex::new(Some(asked.answer)));
    let told = answer.clone();
    let handed = desk.ledger.record(drafts, move |answers| {
        keep(&recent, remembered, &answers);
        let mut answers = answers.into_iter();
        let all = places.into_iter().map(|place| place.and_then(|()| answers.next().unwrap_or_else(|| Err(crate::shutting_down()))));
        tell(&told, Ok(all.collect()));
    });
    if let Err(refusal) = handed {
        tell(&answer, Err(refusal));
    }
}

fn tell(whom: &Mutex<Option<oneshot::Sender<Noted>>>, what: Noted) {
    if let Some(whom) = whom.lock().take() {
        _ = whom.send(what);
    }
}

fn keep(recent: &Recent, facts: Vec<Remembered>, answers: &[Answer]) {
    let new = facts.into_iter().zip(answers).filter_map(|(fact, answer)| answer.as_ref().ok().filter(|told| !told.repeated).map(|told| (told.ordinal, fact)));
    recent.remember(new);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_clock_is_told_from_facts_that_waited() {
        let at = |minutes: i64| Timestamp(minutes * MINUTE_US);
        let now = at(100_000);
        let said = |sent: Option<i64>, happened: i64| clock_note(sent.map(|minutes| at(100_000 + minutes)), at(100_000 + happened), now);
        let off = |code: &str, minutes: i64| Some(Note::new(code).with("minutes", minutes));
        assert_eq!(said(None, -1440), None, "it may have waited for a day");
        assert_eq!(said(Some(0), -1440), None, "it did: the clock is right now");
        assert_eq!(said(Some(-1440), -1440), off("clock-behind", 1440));
        assert_eq!(said(Some(1440), 1440), off("clock-ahead", 1440));
        assert_eq!(said(None, 1440), off("clock-ahead", 1440), "nothing happens in the future");
        assert_eq!((said(Some(10), 10), said(Some(-10), -10), said(None, 10)), (None, None, None));
    }
}
