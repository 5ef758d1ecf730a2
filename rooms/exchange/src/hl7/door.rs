//! A message comes in: recorded as a fact, whatever it says, and acknowledged once that is durable.

use std::time::Duration;

use baton_desk::{App, any_id};
use baton_hl7::{Acknowledgement, Fault, Message, ParseError, Verdict, acknowledge, parse, time};
use baton_kit::{AnyId, Bucket, EventId, PersonId, Refusal, TubeId, TypedId};
use baton_laboratory::store as laboratory;
use baton_ledger::{Draft, Sealed, StoreResult, Tx, Undecided};
use baton_registry::events::DocumentKind;
use baton_registry::store as registry;
use baton_screening::specimen::store as screening;

use crate::events::MessageReceived;
use crate::rules::{self, KINDS};
use crate::store;

/// How long a resend waits to find the first one in the tables.
const PATIENCE: Duration = Duration::from_secs(5);

/// What became of a message: the answer to be sent, and the fact it became.
#[derive(Clone, Debug)]
pub struct Taken {
    pub verdict: Verdict,
    pub answer: String,
    /// Nothing when it was not taken.
    pub message: Option<EventId>,
    /// It was here before.
    pub repeated: bool,
}

/// One message at a time: whether it was here before is asked and recorded in one step.
static ONE_AT_A_TIME: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// Takes a message in.
pub async fn receive(app: &App, bytes: Vec<u8>) -> Taken {
    let _one = ONE_AT_A_TIME.lock().await;
    let read = parse(&bytes);
    let (message, problems) = match read {
        Ok(read) => read,
        Err(error) => return refused(app, None, Verdict::Reject, wrong_bytes(&error)),
    };
    if let Err((verdict, fault)) = acceptable(&message) {
        return refused(app, Some(&message), verdict, fault);
    }
    let problems = u32::try_from(problems.len()).unwrap_or(u32::MAX);
    match record(app, &bytes, &message, problems).await {
        Ok((id, repeated)) => answered(app, &message, id, repeated),
        Err(refusal) => {
            let fault = Fault::new(Fault::INTERNAL, app.texts.words(baton_kit::Language::English).refusal(&refusal).0);
            refused(app, Some(&message), Verdict::Reject, fault)
        }
    }
}

fn wrong_bytes(error: &ParseError) -> Fault {
    Fault::new(Fault::SEQUENCE, error.to_string())
}

/// What cannot be answered or understood at all is turned away; everything else is a fact.
fn acceptable(message: &Message) -> Result<(), (Verdict, Fault)> {
    if message.control_id().is_empty() {
        return Err((Verdict::Error, Fault::new(Fault::REQUIRED, "MSH-10 is empty: without a control id a resend would count twice").at("MSH", "10")));
    }
    let version = message.get("MSH", 12, 1);
    if !version.starts_with("2.") {
        return Err((Verdict::Reject, Fault::new(Fault::VERSION, format!("version {version:.10} is not 2.x")).at("MSH", "12")));
    }
    if !KINDS.contains(&message.kind().as_str()) {
        return Err((Verdict::Reject, Fault::new(Fault::KIND, format!("only {} are taken", KINDS.join(" and "))).at("MSH", "9")));
    }
    Ok(())
}

async fn record(app: &App, bytes: &[u8], message: &Message, problems: u32) -> Result<(EventId, bool), Refusal> {
    let (desk, bytes, message) = (app.clone(), bytes.to_vec(), message.clone());
    let prepared = app.blocking(move || prepare(&desk, &bytes, &message, problems)).await?;
    let draft = match prepared {
        Prepared::Known(id) => return Ok((id, true)),
        Prepared::New(draft) => draft,
    };
    let id = draft.id;
    let answer = app.record(vec![draft]).await?.pop();
    answer.unwrap_or_else(|| Err(Refusal::new("shutting-down", baton_kit::Status::Full).with("seconds", 10)))?;
    Ok((id, false))
}

enum Prepared {
    Known(EventId),
    New(Draft),
}

fn prepare(app: &App, bytes: &[u8], message: &Message, problems: u32) -> Result<Prepared, Undecided> {
    let ledger = &app.ledger;
    ledger.wait_folded(ledger.position().0, PATIENCE);
    let (application, facility) = message.sender();
    let secrets = ledger.secrets();
    let sender_key = secrets.lookup("hl7 control id", &format!("{application}\0{facility}\0{}", message.control_id()));
    let content_key = secrets.lookup("hl7 text", &String::from_utf8_lossy(bytes));
    let named = rules::named(message);
    let looked = ledger.read(|tx| {
        if let Some(id) = store::message_known(tx, sender_key, content_key)? {
            return Ok(Err(id));
        }
        let tube = tube_named(tx, &named.specimens)?;
        let person = person_named(tx, secrets, &named.people)?;
        Ok(Ok((store::control_used(tx, sender_key)?, tube, person)))
    })?;
    let (control_used, tube, person) = match looked {
        Err(id) => return Ok(Prepared::Known(id)),
        Ok(looked) => looked,
    };
    let id = ledger.next_id(Bucket::INSTALLATION)?;
    let body = MessageReceived {
        kind: message.kind(),
        sender: format!("{application:.40} · {facility:.40}"),
        sender_key,
        content_key,
        sealed: Sealed(ledger.vault().seal(any_id(id), bytes)?),
        finding: rules::finding(control_used, person.is_some(), tube.is_some(), !named.people.is_empty()).map(str::to_owned),
        person,
        tube,
        problems,
    };
    Ok(Prepared::New(Draft::of(id, ledger.now(), None, &body)?))
}

fn number<T: TypedId>(text: &str) -> Option<T> {
    text.parse::<AnyId>().ok().map(|id| T::from_packed(id.packed()))
}

/// The tube that bears one of these labels or numbers, or holds the swab of this number.
fn tube_named(tx: &mut Tx<'_>, names: &[String]) -> StoreResult<Option<TubeId>> {
    for name in names {
        if let Some(clock) = laboratory::tubes_by_code(tx, name)?.into_iter().next() {
            return Ok(Some(clock.tube));
        }
        let Some(id) = number::<EventId>(name) else { continue };
        if let Some(tube) = screening::scan(tx, id)?.and_then(|scan| scan.tube) {
            return Ok(Some(tube));
        }
        if laboratory::tube(tx, id.created())?.is_some() {
            return Ok(Some(id.created()));
        }
    }
    Ok(None)
}

/// The person of one of these numbers: ours, or a document's.
fn person_named(tx: &mut Tx<'_>, secrets: &baton_ledger::Secrets, names: &[String]) -> StoreResult<Option<PersonId>> {
    for name in names {
        if let Some(id) = number::<PersonId>(name)
            && registry::exists(tx, id)?
        {
            return Ok(Some(id));
        }
        for kind in DocumentKind::ALL {
            if let Some(person) = registry::person_by_document(tx, secrets, kind, name)? {
                return Ok(Some(person));
            }
        }
    }
    Ok(None)
}

fn written(app: &App, message: Option<&Message>, verdict: Verdict, faults: &[Fault], control_id: &str) -> String {
    let ack = Acknowledgement { verdict, faults, control_id, time: &time(app.ledger.now().0), application: "BATON", facility: &app.name };
    acknowledge(message, &ack).write()
}

fn refused(app: &App, message: Option<&Message>, verdict: Verdict, fault: Fault) -> Taken {
    let control = baton_ledger::hex(&app.ledger.vault().random::<8>());
    Taken { verdict, answer: written(app, message, verdict, &[fault], &control), message: None, repeated: false }
}

/// The control id of the answer follows from the fact, so that a resend is answered under the same one.
fn answered(app: &App, message: &Message, id: EventId, repeated: bool) -> Taken {
    let answer = written(app, Some(message), Verdict::Accept, &[], &id.to_string());
    Taken { verdict: Verdict::Accept, answer, message: Some(id), repeated }
}
