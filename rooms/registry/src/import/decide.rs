//! Decisions and facts straight on the ledger, for work that runs without a request.

use baton_desk::Actor;
use baton_kit::{EventId, Refusal, Status, Timestamp};
use baton_ledger::{Answer, Command, Decide, Decided, Draft, Ledger, StoreError, Tx, Undecided, to_json};

/// How many decisions wait together; a lane takes more.
const WAITING_MAX: usize = 2_000;

fn step<C: Command + Send + 'static>(
    actor: &Actor,
    id: EventId,
    command: C,
    mut rule: impl FnMut(&mut Tx<'_>, &C, Timestamp) -> Result<C::Outcome, Undecided> + Send + 'static,
) -> Result<(String, Decide), Undecided> {
    let text = to_json(&command)?;
    let (actor, body) = (actor.account, text.clone());
    let decide = move |tx: &mut Tx<'_>, now| {
        let outcome = to_json(&rule(tx, &command, now)?)?;
        let body = format!("{{\"command\":{body},\"outcome\":{outcome}}}");
        Ok(Draft { id, kind: C::KIND.to_owned(), happened: now, actor, body, notes: Vec::new() })
    };
    Ok((text, Box::new(decide)))
}

/// One decision, waited for.
pub(super) fn decide<C: Command + Send + 'static>(
    ledger: &Ledger,
    actor: &Actor,
    id: EventId,
    command: C,
    rule: impl FnMut(&mut Tx<'_>, &C, Timestamp) -> Result<C::Outcome, Undecided> + Send + 'static,
) -> Result<C::Outcome, Undecided> {
    let (text, decide) = step(actor, id, command, rule)?;
    let acknowledged = ledger.decide_now(id, text, decide)?;
    let decided: Decided<C, C::Outcome> = serde_json::from_str(acknowledged.body.as_deref().unwrap_or_default())
        .map_err(|error| StoreError::Other(format!("the body of decision {id}: {error}")))?;
    Ok(decided.outcome)
}

/// Many decisions of one kind, in their order, some thousand per commit.
pub(super) fn decide_many<C: Command<Outcome = ()> + Send + 'static>(
    ledger: &Ledger,
    actor: &Actor,
    commands: Vec<(EventId, C)>,
    rule: fn(&mut Tx<'_>, EventId, &C) -> Result<(), Undecided>,
) -> Result<(), Undecided> {
    let mut commands = commands.into_iter().peekable();
    while commands.peek().is_some() {
        let (send, receive) = std::sync::mpsc::channel::<Answer>();
        for (id, command) in commands.by_ref().take(WAITING_MAX) {
            let (text, decide) = step(actor, id, command, move |tx, command, _| rule(tx, id, command))?;
            let send = send.clone();
            ledger.decide(id, text, decide, move |answer| _ = send.send(answer))?;
        }
        drop(send);
        for answer in receive {
            answer?;
        }
    }
    Ok(())
}

/// Facts, waited for until they are durable; the last ordinal.
pub(super) fn fact(ledger: &Ledger, drafts: Vec<Draft>) -> Result<i64, Undecided> {
    let mut ordinal = 0;
    for answer in ledger.record_now(drafts)? {
        ordinal = ordinal.max(answer?.ordinal);
    }
    if ordinal == 0 {
        return Err(Refusal::new("store-broken", Status::Broken).into());
    }
    Ok(ordinal)
}
