//! A person's result, put together from their tubes: for the page, the API and the signed report.

use std::collections::HashMap;

use baton_desk::accounts::store as accounts;
use baton_kit::{AccountId, LotId, PersonId, PlateId, Timestamp, TubeId};
use baton_ledger::{StoreResult, Tx, Vault};
use baton_registry::model::Brief;
use baton_registry::store as registry;
use baton_screening::campaign::store as campaigns;
use serde_json::{Value, json};

use crate::events::{TargetRead, TubeOutcome};
use crate::model::{PersonResult, Release, ResultState, TubeClock, TubeResult};
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
    pub laboratory_code: Option<String>,
    pub rules: Option<String>,
    pub versions: Vec<TubeResult>,
    pub lots: Vec<LotUsed>,
    pub readings: Vec<TargetRead>,
}

impl TubeOfPerson {
    /// The versions that went out, oldest first: the last one holds, the others were corrected.
    pub fn out(&self) -> Vec<&TubeResult> {
        self.versions.iter().filter(|version| version.state.is_out()).collect()
    }
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

/// One tube of a person as it stands now; nothing when no swab of theirs is in it.
pub fn tube_of(tx: &mut Tx<'_>, person: PersonId, tube: TubeId) -> StoreResult<Option<TubeOfPerson>> {
    let membership = results::memberships(tx, person)?.into_iter().find(|membership| membership.clock.tube == tube);
    membership.map(|membership| tube_of_person(tx, membership.clock, membership.swabbed)).transpose()
}

fn tube_of_person(tx: &mut Tx<'_>, clock: TubeClock, swabbed: Timestamp) -> StoreResult<TubeOfPerson> {
    let own = is_own(&clock);
    let campaign = clock.campaign.map_or(Ok(None), |id| campaigns::campaign(tx, id))?;
    let point = clock.point.map_or(Ok(None), |place| registry::place(tx, place))?.map(|place| place.name);
    let (laboratory, laboratory_code) = clock.laboratory.map_or(Ok(None), |place| registry::place(tx, place))?.map(|place| (place.name, place.code)).unzip();
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
        laboratory_code,
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

/// Names of those who let a result of the report out, by account.
pub type Signers = HashMap<AccountId, String>;

/// Who let the results of a report out. Asked only when a report is written: a look at a page needs no names.
pub fn signers(tx: &mut Tx<'_>, vault: &Vault, report: &PersonReport) -> StoreResult<Signers> {
    let mut names = Signers::new();
    for account in report.tubes.iter().flat_map(|tube| &tube.versions).flat_map(|version| released_by(&version.state)) {
        if !names.contains_key(&account)
            && let Some(known) = accounts::account(tx, vault, account)?
        {
            names.insert(account, known.secret.name);
        }
    }
    Ok(names)
}

/// On whose word a version went out: one person for a negative by rule, two otherwise.
pub fn released_by(state: &ResultState) -> Vec<AccountId> {
    match state {
        ResultState::Preliminary | ResultState::SignedOnce { .. } => Vec::new(),
        ResultState::Released(Release::ByRule { by, .. }) => vec![*by],
        ResultState::Released(Release::ByTwo { by, and }) | ResultState::Amended { by, and, .. } => vec![*by, *and],
    }
}

/// An account whose name is not known any more is told by its number.
pub fn signer_names(signers: &Signers, state: &ResultState) -> Vec<String> {
    released_by(state).into_iter().map(|account| signers.get(&account).cloned().unwrap_or_else(|| account.to_string())).collect()
}

/// What the signed file says. Times in the site's own words; whoever reads it offline has no other.
pub fn report_json(report: &PersonReport, signers: &Signers, installation: &str, site: &baton_kit::Site, issued: Timestamp) -> Value {
    let brief = report.brief.as_ref();
    json!({
        "installation": installation,
        "person": report.person.to_string(),
        "name": brief.map(|brief| brief.name.clone()),
        "document_tail": brief.map(|brief| brief.document_tail.clone()),
        "result": report.result().name(),
        "issued": site.show(issued),
        "tubes": report.tubes.iter().map(|tube| tube_json(tube, signers, site)).collect::<Vec<Value>>(),
    })
}

fn tube_json(tube: &TubeOfPerson, signers: &Signers, site: &baton_kit::Site) -> Value {
    let show = |at: Option<Timestamp>| at.map(|at| site.show(at));
    // The versions that were out before the one that holds.
    let out = tube.out();
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
        "received": show(tube.clock.accessioned),
        "read": show(tube.clock.read),
        "released": show(tube.clock.released),
        "released_by": out.last().map(|version| signer_names(signers, &version.state)),
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
