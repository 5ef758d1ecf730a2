//! `POST /v1/facts`: what already happened. Never refused for what it says; each fact has its own answer.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use baton_kit::{Device, EventId, Refusal, Timestamp, TypedId, time::MINUTE_US};
use baton_ledger::{Draft, Note, Reading, StoreResult, Tx, Undecided};
use serde::{Deserialize, Serialize};

use crate::accounts::store;
use crate::actor::Actor;
use crate::answer::{Answered, RefusalAnswer};
use crate::form::Body;
use crate::room::{Access, Budget, Earlier, FactBody, FactContext, Memo, Route};
use crate::{App, Desk};

/// How many facts one request may carry.
const BATCH_LIMIT: usize = 500;
/// With a follower this far behind no fact waits.
const LAG_US_HOPELESS: u64 = 1_000_000;
/// How long a fact waits for the one before it to show, so that its notes are right.
const NOTE_PATIENCE: Duration = Duration::from_millis(40);

/// Facts of one device, oldest first.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FactsSent {
    facts: Vec<FactSent>,
    /// What the device's clock says while it sends. With it a wrong clock is told from facts that waited.
    #[serde(default)]
    sent_us: Option<Timestamp>,
}

#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FactSent {
    /// `bucket·device·sequence`, made by the device and the same at every resend.
    id: EventId,
    kind: String,
    happened_us: Timestamp,
    body: serde_json::Value,
}

/// One answer per fact, in the order sent.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub(crate) struct FactsAnswered {
    answers: Vec<FactAnswered>,
}

#[derive(Debug, Serialize, schemars::JsonSchema)]
pub(crate) struct FactAnswered {
    id: EventId,
    #[serde(flatten)]
    outcome: Outcome,
}

#[derive(Debug, Serialize, schemars::JsonSchema)]
#[serde(tag = "status", rename_all = "snake_case")]
pub(crate) enum Outcome {
    /// Durable. A resend gets this very answer again.
    Recorded { ordinal: i64, recorded_us: Timestamp, notes: Vec<NoteAnswered> },
    /// Not recorded: see the code.
    Refused { refusal: RefusalAnswer },
}

#[derive(Debug, Serialize, schemars::JsonSchema)]
pub(crate) struct NoteAnswered {
    code: String,
    /// In the asker's language.
    message: String,
    arguments: Vec<(String, String)>,
}

pub(crate) fn route() -> Route {
    Route::post("/v1/facts", Access::SignedIn, "Record what happened; safe to send again", record)
        .takes::<FactsSent>()
        .answers::<FactsAnswered>()
        .up_to(4 << 20)
        .within(Budget::Scans)
}

async fn record(State(app): State<App>, actor: Actor, Body(sent): Body<FactsSent>) -> Answered<Json<FactsAnswered>> {
    if sent.facts.len() > BATCH_LIMIT {
        return Err(Refusal::malformed("batch-too-long").with("limit", BATCH_LIMIT).into());
    }
    let ids: Vec<EventId> = sent.facts.iter().map(|fact| fact.id).collect();
    let mine = devices_of(&app, &actor, &ids).await?;
    let parsed = sent.facts.into_iter().map(|fact| draft(&app, &actor, &mine, fact)).collect();
    let mut drafts = Vec::with_capacity(ids.len());
    let mut refused = Vec::with_capacity(ids.len());
    for noted in note(&app, &actor, sent.sent_us, parsed).await? {
        refused.push(noted.map(|draft| drafts.push(draft)));
    }
    let mut answers = app.record(drafts).await?.into_iter();
    let mut answered = Vec::with_capacity(ids.len());
    for (id, refused) in ids.into_iter().zip(refused) {
        let result = refused.and_then(|()| answers.next().unwrap_or_else(|| Err(crate::shutting_down())));
        answered.push(FactAnswered { id, outcome: outcome(&app, &actor, result) });
    }
    Ok(Json(FactsAnswered { answers: answered }))
}

/// Of the devices named in these ids, those the actor speaks for: their own, and the numbers of their account's earlier
/// sign-ins, under which facts may still wait in the browser.
async fn devices_of(app: &App, actor: &Actor, ids: &[EventId]) -> Result<Vec<Device>, Refusal> {
    let mut named: Vec<Device> = ids.iter().map(|id| id.packed().device()).collect();
    named.sort_unstable();
    named.dedup();
    if named.iter().all(|device| actor.device == Some(*device)) {
        return Ok(named);
    }
    let (account, own) = (actor.account, actor.device);
    app.read(move |tx| {
        let mut mine = Vec::new();
        for device in named {
            if own == Some(device) || (account.is_some() && store::owner_of(tx, device)? == account) {
                mine.push(device);
            }
        }
        Ok(mine)
    })
    .await
}

fn draft(app: &Desk, actor: &Actor, mine: &[Device], fact: FactSent) -> Result<(Draft, FactBody), Refusal> {
    let door = app.rooms.iter().flat_map(|room| &room.facts).find(|door| door.kind == fact.kind);
    let door = door.ok_or_else(|| Refusal::malformed("fact-unknown").with("kind", &fact.kind))?;
    if !actor.has_any(door.roles) {
        return Err(Refusal::forbidden("role-missing"));
    }
    if !mine.contains(&fact.id.packed().device()) {
        return Err(Refusal::forbidden("not-your-device").with("id", fact.id));
    }
    let (text, body) = (door.parse)(fact.body).map_err(|problem| Refusal::malformed("fact-wrong").with("kind", door.kind).with("problem", problem))?;
    Ok((Draft { id: fact.id, kind: door.kind.to_owned(), happened: fact.happened_us, actor: actor.account, body: text, notes: Vec::new() }, body))
}

/// What the sayer is told at once. It is stored with the fact, so that a resend hears the same.
async fn note(
    app: &App,
    actor: &Actor,
    sent: Option<Timestamp>,
    drafts: Vec<Result<(Draft, FactBody), Refusal>>,
) -> Result<Vec<Result<Draft, Refusal>>, Refusal> {
    let (desk, actor) = (app.clone(), actor.clone());
    app.blocking(move || {
        // A follower that is far behind will not catch up in our patience: then the finding tells instead of the note.
        if desk.ledger.meter().lag_us() < LAG_US_HOPELESS {
            desk.ledger.wait_folded(desk.ledger.position().0, NOTE_PATIENCE);
        }
        desk.ledger.read_for(Reading::Scans, |tx| Ok::<_, Undecided>(note_all(&desk, tx, actor, sent, drafts)?))
    })
    .await
}

fn note_all(
    desk: &Desk,
    tx: &mut Tx<'_>,
    actor: Actor,
    sent: Option<Timestamp>,
    drafts: Vec<Result<(Draft, FactBody), Refusal>>,
) -> StoreResult<Vec<Result<Draft, Refusal>>> {
    let now = desk.ledger.now();
    let mut noted = Vec::with_capacity(drafts.len());
    let mut context: Option<FactContext> = None;
    for draft in drafts {
        let (mut draft, body) = match draft {
            Ok(parsed) => parsed,
            Err(refusal) => {
                noted.push(Err(refusal));
                continue;
            }
        };
        let context = context.get_or_insert_with(|| FactContext {
            id: draft.id,
            happened: draft.happened,
            actor: actor.clone(),
            site: desk.site.clone(),
            earlier: Earlier::default(),
            memo: Memo::default(),
        });
        (context.id, context.happened) = (draft.id, draft.happened);
        let door = desk.rooms.iter().flat_map(|room| &room.facts).find(|door| door.kind == draft.kind);
        draft.notes = door.map_or(Ok(Vec::new()), |door| (door.note)(tx, &body, context))?;
        draft.notes.extend(clock_note(sent, draft.happened, now));
        context.earlier.push(draft.id, draft.happened, body);
        noted.push(Ok(draft));
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

fn outcome(app: &Desk, actor: &Actor, result: baton_ledger::Answer) -> Outcome {
    let words = app.texts.words(actor.language);
    match result {
        Ok(acknowledged) => {
            let notes =
                acknowledged.notes.into_iter().map(|note: Note| NoteAnswered { message: words.note(&note), code: note.code, arguments: note.arguments });
            Outcome::Recorded { ordinal: acknowledged.ordinal, recorded_us: acknowledged.recorded_us, notes: notes.collect() }
        }
        Err(refusal) => {
            let (message, next) = words.refusal(&refusal);
            Outcome::Refused { refusal: RefusalAnswer { code: refusal.code.to_owned(), message, next } }
        }
    }
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
