//! `POST /v1/facts/carried`: what another device said and could not send itself, brought by whoever has a connection.
//!
//! The sayer's device sealed it, so that whoever carries it can neither change nor invent what others did.

use axum::Json;
use axum::extract::State;
use baton_kit::{Device, EventId, Refusal};
use serde::Deserialize;

use super::{BATCH_LIMIT, FactSent, FactsAnswered, Sayer, answered, devices_of, parse};
use crate::App;
use crate::accounts::store;
use crate::actor::Actor;
use crate::answer::Answered;
use crate::form::Body;
use crate::room::{Access, Budget, Route};

/// Facts under the seal of the device that says them.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct Carried {
    /// The JSON text of what is said, just as it was sealed: `{"device": number, "facts": [as for /v1/facts]}`.
    said: String,
    /// Hexadecimal HMAC-SHA-256 of that text under the key which the device was given with its sampling page.
    #[serde(with = "hexadecimal")]
    #[schemars(with = "String")]
    seal: Vec<u8>,
}

/// What stands under the seal.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    device: u32,
    facts: Vec<FactSent>,
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
    let (device, facts) = opened(&app, &carried)?;
    let vault = app.ledger.vault().clone();
    let sayer = app.read(move |tx| Ok(store::actor_by_device(tx, &vault, device)?)).await?;
    let sayer = sayer.ok_or_else(|| Refusal::forbidden("carried-sayer-gone").with("device", device.number()))?;
    let ids: Vec<EventId> = facts.iter().map(|fact| fact.id).collect();
    let theirs = devices_of(&app, &sayer, &ids).await?;
    let parsed = facts.into_iter().map(|fact| parse(&app, &sayer, &theirs, fact)).collect();
    // The carrier reads the answer. When the sayer's clock was read is not known.
    let carried_by = carrier.account.filter(|account| sayer.account != Some(*account));
    let actor = Actor { language: carrier.language, ..sayer };
    let answers = app.noters.record(Sayer { actor, sent: None, carried_by }, parsed).await?;
    Ok(Json(answered(&app, &carrier, ids, answers)))
}

/// The seal is looked at before anything that was said is believed.
fn opened(app: &App, carried: &Carried) -> Result<(Device, Vec<FactSent>), Refusal> {
    let said: Said = serde_json::from_str(&carried.said).map_err(|problem| Refusal::malformed("carried-unread").with("problem", problem))?;
    let device = Device::new(said.device).map_err(|problem| Refusal::malformed("carried-unread").with("problem", problem))?;
    if !app.ledger.secrets().sealed_by(device, &carried.said, &carried.seal) {
        return Err(Refusal::forbidden("carried-seal-wrong").with("device", device.number()));
    }
    if said.facts.len() > BATCH_LIMIT {
        return Err(Refusal::malformed("batch-too-long").with("limit", BATCH_LIMIT));
    }
    Ok((device, said.facts))
}
