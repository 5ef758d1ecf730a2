//! `POST /v1/facts`: what already happened. Never refused for what it says; each fact has its own answer.

mod carried;
mod door;
mod noter;
mod told;

use axum::Json;
use axum::extract::State;
use baton_kit::{Device, EventId, Refusal, Timestamp, TypedId};
use baton_ledger::{Draft, Note};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::accounts::store;
use crate::actor::Actor;
use crate::answer::{Answered, RefusalAnswer};
use crate::form::Body;
use crate::room::{Access, Budget, Route};
use crate::{App, Desk};

pub use door::{FactContext, FactDoor, Memo};
pub(crate) use noter::Noters;
use noter::{Parsed, Sayer};
pub(crate) use told::Recent;
pub use told::{Earlier, Key, Told};

/// How many facts one request may carry.
const BATCH_LIMIT: usize = 500;

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
    #[schemars(with = "serde_json::Value")]
    body: Box<RawValue>,
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

pub(crate) fn routes() -> Vec<Route> {
    vec![said_here(), carried::route()]
}

fn said_here() -> Route {
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
    let parsed = sent.facts.into_iter().map(|fact| parse(&app, &actor, &mine, fact)).collect();
    let answers = app.noters.record(Sayer { actor: actor.clone(), sent: sent.sent_us, carried_by: None }, parsed).await?;
    Ok(Json(answered(&app, &actor, ids, answers)))
}

fn answered(app: &Desk, asker: &Actor, ids: Vec<EventId>, answers: Vec<baton_ledger::Answer>) -> FactsAnswered {
    let answers = ids.into_iter().zip(answers).map(|(id, answer)| FactAnswered { id, outcome: outcome(app, asker, answer) });
    FactsAnswered { answers: answers.collect() }
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

fn parse(app: &Desk, actor: &Actor, mine: &[Device], fact: FactSent) -> Result<Parsed, Refusal> {
    let mut doors = app.rooms.iter().enumerate().flat_map(|(room, of)| of.facts.iter().enumerate().map(move |(at, door)| ((room, at), door)));
    let found = doors.find(|(_, door)| door.kind == fact.kind);
    let (at, door) = found.ok_or_else(|| Refusal::malformed("fact-unknown").with("kind", &fact.kind))?;
    if !actor.has_any(door.roles) {
        return Err(Refusal::forbidden("role-missing"));
    }
    if !mine.contains(&fact.id.packed().device()) {
        return Err(Refusal::forbidden("not-your-device").with("id", fact.id));
    }
    let (text, body) = (door.parse)(&fact.body).map_err(|problem| Refusal::malformed("fact-wrong").with("kind", door.kind).with("problem", problem))?;
    let draft = Draft { id: fact.id, kind: door.kind.to_owned(), happened: fact.happened_us, actor: actor.account, body: text, notes: Vec::new() };
    Ok(Parsed { draft, body, door: at })
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
