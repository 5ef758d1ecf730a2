//! What screening does about other rooms' events. Rooms downstream are read by kind, with only the fields needed.

use baton_kit::{PersonId, TubeId};
use baton_ledger::{Command, Event, EventBody, StoreResult, Tx};
use baton_registry::events::{AddLot, PeopleLeft, PeopleRecorded, PeopleWithdrawn, RecallLot};
use serde::Deserialize;

use crate::campaign;
use crate::finding;
use crate::model::Outcome;
use crate::specimen::store::{self as specimen, Told};

#[derive(Deserialize)]
struct Outcomes {
    outcome: TubesRead,
}

#[derive(Deserialize)]
struct TubesRead {
    tubes: Vec<TubeRead>,
}

#[derive(Deserialize)]
struct TubeRead {
    tube: TubeId,
    result: String,
}

#[derive(Deserialize)]
struct Accessioned {
    tube: TubeId,
    #[serde(default)]
    rejected: Option<String>,
}

#[derive(Deserialize)]
struct Lost {
    tubes: Vec<TubeId>,
    reason: String,
}

pub(crate) fn apply(tx: &mut Tx<'_>, event: &Event) -> StoreResult<()> {
    match event.kind.as_str() {
        "laboratory.run_read" => outcomes(tx, event, |outcome| Told::Read { outcome }),
        "laboratory.results_signed" | "laboratory.result_amended" => outcomes(tx, event, |outcome| Told::Released { outcome }),
        "laboratory.tube_accessioned" => {
            let body: Accessioned = event.body()?;
            specimen::tube_told(tx, body.tube, Told::Accessioned { event: event.id, rejected: body.rejected.as_deref().unwrap_or("") }, event.happened)
        }
        "custody.tubes_lost" => {
            let body: Lost = event.body()?;
            body.tubes.iter().try_for_each(|tube| specimen::tube_told(tx, *tube, Told::Lost { reason: &body.reason }, event.happened))
        }
        PeopleRecorded::KIND => recorded(tx, event),
        PeopleLeft::KIND => {
            let body: PeopleLeft = event.body()?;
            each_running(tx, event, &body.people, |tx, campaign, person| campaign::store::person_left(tx, campaign, person, event))
        }
        PeopleWithdrawn::KIND => {
            let body: PeopleWithdrawn = event.body()?;
            each_running(tx, event, &body.people, campaign::store::person_withdrawn)
        }
        AddLot::KIND => specimen::lot_changed(tx, event.id.created()),
        RecallLot::KIND => specimen::lot_changed(tx, event.decided::<RecallLot>()?.command.lot),
        _ => Ok(()),
    }
}

/// An outcome this version does not know holds the tube: the unknown is never clean.
fn outcomes(tx: &mut Tx<'_>, event: &Event, told: fn(Outcome) -> Told<'static>) -> StoreResult<()> {
    let body: Outcomes = event.body()?;
    for read in &body.outcome.tubes {
        let outcome = Outcome::from_name(&read.result).unwrap_or(Outcome::Invalid);
        specimen::tube_told(tx, read.tube, told(outcome), event.happened)?;
    }
    Ok(())
}

fn recorded(tx: &mut Tx<'_>, event: &Event) -> StoreResult<()> {
    if campaign::store::campaigns(tx)?.is_empty() {
        return Ok(()); // a first import, half a million people long
    }
    let people: Vec<PersonId> = event.body::<PeopleRecorded>()?.people.iter().map(|record| record.person).collect();
    each_running(tx, event, &people, campaign::store::people_recorded)?;
    for person in people {
        if finding::store::any_of_person(tx, person)? {
            for specimen in specimen::specimens(tx, person)? {
                if let Some(campaign) = specimen.tube.campaign {
                    specimen::person_changed(tx, campaign, specimen.tube.round, person)?;
                }
            }
        }
    }
    Ok(())
}

fn each_running(
    tx: &mut Tx<'_>,
    event: &Event,
    people: &[PersonId],
    mut work: impl FnMut(&mut Tx<'_>, &crate::model::Campaign, PersonId) -> StoreResult<()>,
) -> StoreResult<()> {
    for campaign in campaign::store::running(tx, event.happened)? {
        for person in people {
            work(tx, &campaign, *person)?;
        }
    }
    Ok(())
}
