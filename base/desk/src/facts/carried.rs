//! `POST /v1/facts/carried`: what another device said and could not send itself, brought by whoever has a connection.
//!
//! The sayer's device sealed it, so that whoever carries it can neither change nor invent what others did.

use axum::Json;
use axum::extract::State;
use baton_kit::{AccountId, Device, EventId, Refusal, TypedId};
use serde::Deserialize;

use super::{BATCH_LIMIT, FactSent, FactsAnswered, answered, devices_of, parse};
use crate::accounts::store;
use crate::actor::Actor;
use crate::answer::Answered;
use crate::form::Body;
use crate::room::{Access, Budget, Route};
use crate::{App, Vehicle};

/// Facts under the seal of the device that says them.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct Carried {
    /// The JSON text of what is said, just as it was sealed: `{"device": number, "facts": [as for /v1/facts]}`; a vehicle adds `"account"`.
    said: String,
    /// Hexadecimal HMAC-SHA-256 of that text under the key which the device was given with its sampling page, or which a vehicle has.
    #[serde(with = "hexadecimal")]
    #[schemars(with = "String")]
    seal: Vec<u8>,
}

/// What stands under the seal.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    device: Device,
    /// Whose facts these are, by the word of a vehicle.
    #[serde(default)]
    account: Option<AccountId>,
    facts: Vec<FactSent>,
}

/// Who answers for what was said.
enum Sayer {
    /// A device, for the account it was given to.
    Device(Device),
    /// A vehicle's server, for whoever signed in there.
    Vehicle(AccountId),
}

mod hexadecimal {
    use serde::{Deserialize, Deserializer, de::Error};

    pub(super) fn deserialize<'d, D: Deserializer<'d>>(from: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(from)?;
        let digits: Option<Vec<u8>> = text.chars().map(|letter| letter.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
        match digits {
            Some(digits) if digits.len() % 2 == 0 => Ok(digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()),
            _ => Err(D::Error::custom("not pairs of hexadecimal digits")),
        }
    }
}

pub(super) fn route() -> Route {
    Route::post("/v1/facts/carried", Access::SignedIn, "Record what another device said and sealed; safe to send again", record)
        .takes::<Carried>()
        .answers::<FactsAnswered>()
        .up_to(4 << 20)
        .within(Budget::Scans)
}

async fn record(State(app): State<App>, carrier: Actor, Body(carried): Body<Carried>) -> Answered<Json<FactsAnswered>> {
    let (device, by, facts) = opened(&app, &carried)?;
    let ids: Vec<EventId> = facts.iter().map(|fact| fact.id).collect();
    let sayer = who(&app, &by).await?.ok_or_else(|| Refusal::forbidden("carried-sayer-gone").with("device", device.number()))?;
    let theirs = match by {
        Sayer::Device(_) => devices_of(&app, &sayer, &ids).await?,
        // The numbers it gave are known to the vehicle alone.
        Sayer::Vehicle(_) => ids.iter().map(|id| id.packed().device()).collect(),
    };
    let parsed = facts.into_iter().map(|fact| parse(&app, &sayer, &theirs, fact)).collect();
    // The carrier reads the answer. When the sayer's clock was read is not known.
    let carried_by = carrier.account.filter(|account| sayer.account != Some(*account));
    let actor = Actor { language: carrier.language, ..sayer };
    let answers = app.noters.record(super::Sayer { actor, sent: None, carried_by }, parsed).await?;
    Ok(Json(answered(&app, &carrier, ids, answers)))
}

/// The seal is looked at before anything that was said is believed.
fn opened(app: &App, carried: &Carried) -> Result<(Device, Sayer, Vec<FactSent>), Refusal> {
    let unread = |problem: &dyn std::fmt::Display| Refusal::malformed("carried-unread").with("problem", problem);
    let said: Said = serde_json::from_str(&carried.said).map_err(|problem| unread(&problem))?;
    if !app.ledger.secrets().sealed_by(said.device, &carried.said, &carried.seal) {
        return Err(Refusal::forbidden("carried-seal-wrong").with("device", said.device.number()));
    }
    if said.facts.len() > BATCH_LIMIT {
        return Err(Refusal::malformed("batch-too-long").with("limit", BATCH_LIMIT));
    }
    let by = match (Vehicle::of_server(said.device), said.account) {
        (None, None) => Sayer::Device(said.device),
        (Some(_), Some(account)) => Sayer::Vehicle(account),
        _ => return Err(unread(&"a vehicle, and nobody else, names the account")),
    };
    Ok((said.device, by, said.facts))
}

async fn who(app: &App, by: &Sayer) -> Result<Option<Actor>, Refusal> {
    let vault = app.ledger.vault().clone();
    let (device, account) = match by {
        Sayer::Device(device) => (Some(*device), None),
        Sayer::Vehicle(account) => (None, Some(*account)),
    };
    app.read(move |tx| {
        let owner = match device {
            Some(device) => store::owner_of(tx, device)?,
            None => account,
        };
        Ok(owner.map(|owner| store::actor_of(tx, &vault, owner, device)).transpose()?.flatten())
    })
    .await
}
