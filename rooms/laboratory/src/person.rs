//! A person's result, put together from their tubes: for the page, the API and the signed report.

use baton_kit::{LotId, PersonId, PlateId, Timestamp, TubeId};
use baton_ledger::{StoreResult, Tx, Vault};
use baton_registry::model::Brief;
use baton_registry::store as registry;
use baton_screening::campaign::store as campaigns;
use serde_json::{Value, json};

use crate::events::{TargetRead, TubeOutcome};
use crate::model::{PersonResult, TubeClock, TubeResult};
use crate::rules::person::{is_own, result_of};
use crate::store::{bench, lineage, results};

/// One lot that touched a tube.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LotUsed {
    pub lot: LotId,
    pub code: String,
    pub product: String,
    pub expires: Timestamp,
    pub recalled: bool,
}

/// One tube of a person, with everything a report says of it.
#[derive(Clone, Debug)]
pub struct TubeOfPerson {
    pub clock: TubeClock,
    pub swabbed: Timestamp,
    pub result: PersonResult,
    pub own: bool,
    pub campaign: Option<String>,
    pub assay: Option<String>,
    pub point: Option<String>,
    pub laboratory: Option<String>,
    pub rules: Option<String>,
    pub versions: Vec<TubeResult>,
    pub lots: Vec<LotUsed>,
    pub readings: Vec<TargetRead>,
}

/// A person and what they may be told.
#[derive(Clone, Debug)]
pub struct PersonReport {
    pub person: PersonId,
    /// Nothing when unknown to the registry, withdrawn or shredded.
    pub brief: Option<Brief>,
    /// Newest first.
    pub tubes: Vec<TubeOfPerson>,
}

impl PersonReport {
    /// What holds now: the newest tube's answer. An older hold is lifted by a newer answer of their own.
    pub fn result(&self) -> PersonResult {
        self.tubes.first().map_or(PersonResult::Pending, |tube| tube.result)
    }
}

pub fn person_report(tx: &mut Tx<'_>, vault: &Vault, person: PersonId) -> StoreResult<PersonReport> {
    let brief = registry::person_brief(tx, vault, person)?;
    let mut tubes = Vec::new();
    for membership in results::memberships(tx, person)?.into_iter().take(50) {
        tubes.push(tube_of_person(tx, membership.clock, membership.swabbed)?);
    }
    Ok(PersonReport { person, brief, tubes })
}

fn tube_of_person(tx: &mut Tx<'_>, clock: TubeClock, swabbed: Timestamp) -> StoreResult<TubeOfPerson> {
    let own = is_own(&clock);
    let campaign = clock.campaign.map_or(Ok(None), |id| campaigns::campaign(tx, id))?;
    let name = |tx: &mut Tx<'_>, place| -> StoreResult<Option<String>> { Ok(registry::place(tx, place)?.map(|place| place.name)) };
    let point = clock.point.map_or(Ok(None), |place| name(tx, place))?;
    let laboratory = clock.laboratory.map_or(Ok(None), |place| name(tx, place))?;
    let run = clock.run.map_or(Ok(None), |run| bench::run(tx, run))?;
    let well = lineage::wells_of_tube(tx, clock.tube)?.into_iter().find(|well| clock.run.is_some() && well.run == clock.run);
    let readings = match (&well, clock.run) {
        // A pool's curves say nothing about one of its people.
        (Some(well), Some(run)) if own => bench::readings(tx, run, Some(well.well))?,
        _ => Vec::new(),
    };
    Ok(TubeOfPerson {
        result: result_of(&clock),
        own,
        swabbed,
        assay: campaign.as_ref().map(|campaign| campaign.assay.clone()),
        campaign: campaign.map(|campaign| campaign.name),
        point,
        laboratory,
        rules: run.map(|run| run.rules),
        versions: results::versions(tx, clock.tube)?,
        lots: lots_of_tube(tx, &clock)?,
        readings,
        clock,
    })
}

/// Fluid, extraction and reagent lots of a tube, with their expiry.
pub fn lots_of_tube(tx: &mut Tx<'_>, clock: &TubeClock) -> StoreResult<Vec<LotUsed>> {
    let plate = clock.plate.map_or(Ok(None), |plate: PlateId| bench::plate(tx, plate))?;
    let of_plate = plate.map_or([None, None], |plate| [plate.extraction_lot, plate.pcr_lot]);
    let mut used = Vec::new();
    for id in [clock.fluid_lot].into_iter().chain(of_plate).flatten() {
        if let Some(lot) = registry::lot(tx, id)? {
            used.push(LotUsed { lot: id, code: lot.code, product: lot.product, expires: lot.expires, recalled: lot.recalled.is_some() });
        }
    }
    Ok(used)
}

/// What the signed file says. Times in the site's own words; whoever reads it offline has no other.
pub fn report_json(report: &PersonReport, installation: &str, site: &baton_kit::Site, issued: Timestamp) -> Value {
    let brief = report.brief.as_ref();
    json!({
        "installation": installation,
        "person": report.person.to_string(),
        "name": brief.map(|brief| brief.name.clone()),
        "document_tail": brief.map(|brief| brief.document_tail.clone()),
        "result": report.result().name(),
        "issued": site.show(issued),
        "tubes": report.tubes.iter().map(|tube| tube_json(tube, site)).collect::<Vec<Value>>(),
    })
}

fn tube_json(tube: &TubeOfPerson, site: &baton_kit::Site) -> Value {
    let show = |at: Option<Timestamp>| at.map(|at| site.show(at));
    // The versions that were out before the one that holds.
    let out: Vec<&TubeResult> = tube.versions.iter().filter(|version| version.state.is_out()).collect();
    let earlier: Vec<Value> =
        out.iter().take(out.len().saturating_sub(1)).map(|version| json!({"outcome": version.outcome.name(), "at": site.show(version.at)})).collect();
    json!({
        "tube": tube.clock.tube.to_string(),
        "code": tube.clock.code,
        "people": tube.clock.members,
        "own_specimen": tube.own,
        "result": tube.result.name(),
        "campaign": tube.campaign,
        "assay": tube.assay,
        "rules": tube.rules,
        "point": tube.point,
        "laboratory": tube.laboratory,
        "swabbed": site.show(tube.swabbed),
        "released": show(tube.clock.released),
        "amended": out.len() > 1,
        "earlier": earlier,
        "lots": tube.lots.iter().map(|lot| json!({"code": lot.code, "product": lot.product, "expires": site.show(lot.expires), "recalled": lot.recalled})).collect::<Vec<Value>>(),
        "targets": tube.readings.iter().map(|reading| json!({"target": reading.target, "call": reading.call, "cq_hundredths": reading.cq.map(|cq| (cq * 100.0).round() as i64)})).collect::<Vec<Value>>(),
    })
}

/// What every tube with results means for its members, tube by tube.
pub fn each_answer(tx: &mut Tx<'_>, mut take: impl FnMut(PersonId, TubeId, PersonResult)) -> StoreResult<()> {
    for clock in crate::store::clock::resulted(tx)? {
        let result = result_of(&clock);
        for member in baton_screening::specimen::store::members(tx, clock.tube)? {
            take(member.person, clock.tube, result);
        }
    }
    Ok(())
}

/// The people a positive answer of their own went out for.
pub fn people_positive(tx: &mut Tx<'_>) -> StoreResult<Vec<PersonId>> {
    let mut people = Vec::new();
    each_answer(tx, |person, _, result| {
        if result == PersonResult::Own(TubeOutcome::Positive) {
            people.push(person);
        }
    })?;
    people.sort_unstable();
    people.dedup();
    Ok(people)
}
