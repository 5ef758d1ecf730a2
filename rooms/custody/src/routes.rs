//! JSON of custody, and what is said at once about its facts.

use axum::Json;
use axum::extract::State;
use baton_desk::answer::Answered;
use baton_desk::form::{At, Body};
use baton_desk::{Access, Actor, App, Decision, Role, Route};
use baton_kit::{BoxId, EventId, PlaceId, Refusal, Timestamp, TubeId};
use baton_ledger::Acknowledgement;
use baton_registry::store as registry;
use serde::{Deserialize, Serialize};

use crate::events::*;
use crate::rules::{self, AdmissionState};
use crate::store;

pub(crate) const CARRIERS: &[Role] = &[Role::SamplingNurse, Role::PointLeader, Role::Courier, Role::Accession, Role::Administrator];
pub(crate) const RECEIVERS: &[Role] = &[Role::Accession, Role::Technician, Role::LaboratoryDirector];
const WATCHERS: &[Role] = &[
    Role::SamplingNurse,
    Role::PointLeader,
    Role::Courier,
    Role::Accession,
    Role::Technician,
    Role::LaboratoryDirector,
    Role::ZoneManager,
    Role::Administrator,
    Role::Auditor,
];

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::get("/v1/custody/boxes/{box}", Access::Roles(WATCHERS), "A box: holder, offer, tubes, steps", box_answer).answers::<BoxAnswer>(),
        Route::post("/v1/custody/boxes/{box}/admit", Access::Roles(RECEIVERS), "Admit a box to a laboratory, up to its declared capacity", admit_json)
            .takes::<AdmitAsked>()
            .answers::<Acknowledgement>(),
    ]
}

pub(crate) fn watchers() -> Access {
    Access::Roles(WATCHERS)
}
pub(crate) fn receivers() -> Access {
    Access::Roles(RECEIVERS)
}

/// A box for a device.
#[derive(Debug, Serialize, schemars::JsonSchema)]
struct BoxAnswer {
    #[serde(rename = "box")]
    id: BoxId,
    code: String,
    stage: String,
    holder: Option<Taker>,
    offered_to: Option<Taker>,
    held_since_us: Option<Timestamp>,
    sealed_count: Option<i64>,
    tubes: Vec<TubeId>,
    findings: Vec<String>,
}

async fn box_answer(State(app): State<App>, At(id): At<BoxId>) -> Answered<Json<BoxAnswer>> {
    let answer = app.read(move |tx| {
        let row = store::one_box(tx, id)?.ok_or_else(|| Refusal::absent("box-unknown"))?;
        let holder = row.holder_account.map(Taker::Account).or(row.holder_laboratory.map(Taker::Laboratory));
        let offered_to = row.offered_account.map(Taker::Account).or(row.offered_laboratory.map(Taker::Laboratory));
        let findings = store::findings(tx, id)?.into_iter().map(|(code, _)| code).collect();
        Ok(BoxAnswer {
            id,
            code: row.code,
            stage: row.stage,
            holder,
            offered_to,
            held_since_us: row.held_since,
            sealed_count: row.sealed_count,
            tubes: store::tubes_in(tx, id)?,
            findings,
        })
    });
    Ok(Json(answer.await?))
}

/// A laboratory's admission of a box; the id is made by the asker, so that a resend counts once.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct AdmitAsked {
    id: EventId,
    laboratory: PlaceId,
    count: u16,
    seal_intact: bool,
    #[serde(default)]
    temperature_tenths_c: Option<i64>,
}

async fn admit_json(State(app): State<App>, actor: Actor, At(box_id): At<BoxId>, Body(asked): Body<AdmitAsked>) -> Answered<Json<Acknowledgement>> {
    let command =
        AdmitBox { box_id, laboratory: asked.laboratory, count: asked.count, seal_intact: asked.seal_intact, temperature_tenths_c: asked.temperature_tenths_c };
    Ok(Json(admit(&app, &actor, asked.id, command).await?.acknowledgement))
}

/// Decides an admission on what the laboratory declared and took on in this operational day.
pub(crate) async fn admit(app: &App, actor: &Actor, id: EventId, command: AdmitBox) -> Result<Decision<()>, Refusal> {
    actor.must_reach(&[command.laboratory])?;
    let site = app.site.clone();
    app.decide(actor, id, command, move |tx, command: &AdmitBox, now| {
        let today = site.day_of(now);
        let (from, to) = (site.start_of(today), site.start_of(baton_kit::OperationalDay(today.0 + 1)));
        let declared = registry::place(tx, command.laboratory)?.and_then(|place| place.details.capacity);
        let state = AdmissionState { custody: store::custody(tx, command.box_id)?, declared, taken: store::taken_by(tx, command.laboratory, from, to)? };
        Ok(rules::admit(&state, command)?)
    })
    .await
}
