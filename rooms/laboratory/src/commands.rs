//! What people do here, for the API and the pages alike: look, decide, record.

use baton_desk::{Actor, App, Decision, Earlier, FactContext, FactDoor, Memo, Role, signed_in};
use baton_kit::{Bucket, EventId, OperationalDay, PlaceId, PlateId, Refusal, RunId, Timestamp, TubeId, TypedId};
use baton_ledger::{Draft, Note, StoreResult, Tx, Undecided};
use baton_pcr::rules::RuleSet;
use baton_registry::model::Place;
use baton_registry::store as registry;
use sha2::{Digest, Sha256};

use crate::events::*;
use crate::intake;
use crate::model::LIMIT_US;
use crate::rules::signing::Signer;
use crate::rules::{self, amendment, plate, reading, signing};
use crate::store::{self, bench, clock, results};

/// Who takes tubes in.
pub const RECEIVERS: &[Role] = &[Role::Accession, Role::Technician, Role::LaboratoryDirector];
/// Who lays plates, reads runs and signs.
pub const BENCH: &[Role] = &[Role::Technician, Role::LaboratoryDirector];
/// Who looks at the laboratory's work.
pub const WATCHERS: &[Role] = &[Role::Accession, Role::Technician, Role::LaboratoryDirector, Role::Auditor, Role::Administrator];

/// Refuses a laboratory that lies outside the actor's scope.
pub fn reach(tx: &mut Tx<'_>, actor: &Actor, laboratory: PlaceId) -> Result<(), Undecided> {
    let chain = registry::place_chain(tx, laboratory)?;
    Ok(actor.must_reach(if chain.is_empty() { std::slice::from_ref(&laboratory) } else { &chain })?)
}

async fn reached(app: &App, actor: &Actor, laboratory: PlaceId) -> Result<(), Refusal> {
    let actor = actor.clone();
    app.read(move |tx| reach(tx, &actor, laboratory)).await
}

/// The laboratories an actor works for, by code.
pub fn laboratories(tx: &mut Tx<'_>, actor: &Actor) -> StoreResult<Vec<Place>> {
    let mut mine = Vec::new();
    for place in registry::places_of_kind(tx, baton_registry::events::PlaceKind::Laboratory, 2000)? {
        if actor.scope.reaches_any(&registry::place_chain(tx, place.id)?) {
            mine.push(place);
        }
    }
    Ok(mine)
}
/// The given id, or a new one of this server.
pub async fn id_or_new(app: &App, id: Option<EventId>, bucket: Bucket) -> Result<EventId, Refusal> {
    match id {
        Some(id) => Ok(id),
        None => app.form_id(bucket).await,
    }
}

pub async fn lay_plate(app: &App, actor: &Actor, id: EventId, command: LayPlate) -> Result<Decision<PlateLaid>, Refusal> {
    reached(app, actor, command.laboratory).await?;
    app.decide(actor, id, command, |tx, command, now| Ok(plate::lay_plate(&bench::plates_now(tx, command)?, command, now)?)).await
}

pub async fn lay_bench_plate(app: &App, actor: &Actor, id: EventId, command: LayBenchPlate) -> Result<Decision<()>, Refusal> {
    reached(app, actor, command.laboratory).await?;
    app.decide(actor, id, command, |tx, command, _| Ok(plate::lay_bench_plate(bench::plate_code_taken(tx, command.laboratory, &command.code)?, command)?)).await
}

pub async fn discard_plate(app: &App, actor: &Actor, id: EventId, command: DiscardPlate) -> Result<Decision<()>, Refusal> {
    plate_reached(app, actor, command.plate).await?;
    app.decide(actor, id, command, |tx, command, _| Ok(plate::discard(bench::plate(tx, command.plate)?.as_ref(), command.plate, &command.reason)?)).await
}

async fn plate_reached(app: &App, actor: &Actor, plate: PlateId) -> Result<(), Refusal> {
    let actor = actor.clone();
    app.read(move |tx| match bench::plate(tx, plate)? {
        Some(plate) => reach(tx, &actor, plate.laboratory),
        None => Err(Refusal::absent("lab-plate-unknown").with("plate", plate).into()),
    })
    .await
}

async fn run_reached(app: &App, actor: &Actor, run: RunId) -> Result<(), Refusal> {
    let actor = actor.clone();
    app.read(move |tx| match bench::run(tx, run)? {
        Some(run) => reach(tx, &actor, run.laboratory),
        None => Err(run_unknown(run).into()),
    })
    .await
}

fn run_unknown(run: RunId) -> Refusal {
    Refusal::absent("lab-run-unknown").with("run", run)
}

/// An instrument's file for a plate.
#[derive(Clone, Debug)]
pub struct FileGiven {
    pub plate: PlateId,
    pub file_name: String,
    pub bytes: axum::body::Bytes,
}

/// A run that was read.
#[derive(Clone, Debug)]
pub struct RunTaken {
    pub run: RunId,
    pub decision: Decision<RunRead>,
    /// What was odd about the file.
    pub remarks: Vec<String>,
}

/// Reads a file onto a plate. Parsing and calling happen here, outside the lane; the lane only looks whether the plate still takes it.
pub async fn read_run(app: &App, actor: &Actor, id: EventId, file: FileGiven) -> Result<RunTaken, Refusal> {
    plate_reached(app, actor, file.plate).await?;
    let ledger = app.ledger.clone();
    let (command, outcome, remarks) = app
        .blocking(move || {
            let state = ledger.read(|tx| Ok(bench::plate_for_reading(tx, file.plate)?))?;
            let state = state.ok_or_else(|| Refusal::absent("lab-plate-unknown").with("plate", file.plate))?;
            let rules = state.plate.assay.as_deref().and_then(RuleSet::builtin);
            let taken = intake::take(&file.bytes, &file.file_name, &state.plate.code, state.plate.wells, rules.as_ref())?;
            let outcome = reading::read_run(&state, rules.as_ref(), &taken.curves);
            let sha256 = baton_ledger::hex(&Sha256::digest(&file.bytes));
            let file_name: String = file.file_name.chars().take(200).collect();
            Ok((ReadRun { plate: file.plate, file_name, file_sha256: sha256, instrument: taken.instrument, curves: taken.curves }, outcome, taken.remarks))
        })
        .await?;
    let decision = app
        .decide(actor, id, command, move |tx, command, _| {
            let plate = bench::plate(tx, command.plate)?;
            let (out, held) = bench::standing_of_run(tx, plate.as_ref().and_then(|plate| plate.run))?;
            plate::may_be_read(plate.as_ref(), command.plate, out, held)?;
            Ok(outcome.clone())
        })
        .await?;
    Ok(RunTaken { run: decision.acknowledgement.id.created(), decision, remarks })
}

/// Puts a file through a plate of its own that holds nobody's specimen, so that its curves can be looked at and each well is called.
pub async fn run_file_on_new_plate(app: &App, actor: &Actor, laboratory: PlaceId, file_name: &str, bytes: axum::body::Bytes) -> Result<RunTaken, Refusal> {
    let wells = wells_needed(&bytes, file_name);
    let id = app.form_id(laboratory.bucket()).await?;
    let code = format!("B{}", id.packed().sequence());
    lay_bench_plate(app, actor, id, LayBenchPlate { code, laboratory, wells }).await?;
    let file = FileGiven { plate: id.created(), file_name: file_name.to_owned(), bytes };
    read_run(app, actor, app.form_id(laboratory.bucket()).await?, file).await
}

/// The smallest plate that has every well of the file; what cannot be read is refused later, in its own words.
fn wells_needed(bytes: &[u8], file_name: &str) -> u16 {
    let fits_96 = |run: &baton_instruments::Run| run.wells.iter().filter_map(|well| well.position.place).all(|(row, column)| row < 8 && column < 12);
    match baton_instruments::parse(bytes, file_name, baton_instruments::Limits::default()) {
        Ok((runs, _)) if !runs.iter().all(fits_96) => 384,
        _ => 96,
    }
}

fn signer(actor: &Actor) -> Result<Signer, Refusal> {
    Ok(Signer { account: signed_in(actor)?, director: actor.has(Role::LaboratoryDirector) })
}

pub async fn sign(app: &App, actor: &Actor, id: EventId, command: SignResults) -> Result<Decision<ResultsSigned>, Refusal> {
    run_reached(app, actor, command.run).await?;
    let signer = signer(actor)?;
    app.decide(actor, id, command, move |tx, command, _| {
        let state = bench::run_now(tx, command.run)?.ok_or_else(|| run_unknown(command.run))?;
        Ok(signing::sign(&state, command, signer)?)
    })
    .await
}

pub async fn propose_override(app: &App, actor: &Actor, id: EventId, command: ProposeOverride) -> Result<Decision<Proposed>, Refusal> {
    run_reached(app, actor, command.run).await?;
    let director = signer(actor)?.director;
    app.decide(actor, id, command, move |tx, command, _| {
        let run = bench::run(tx, command.run)?.ok_or_else(|| run_unknown(command.run))?;
        signing::propose_override(&run, &command.reason)?;
        Ok(Proposed { director })
    })
    .await
}

pub async fn confirm_override(app: &App, actor: &Actor, id: EventId, command: ConfirmOverride) -> Result<Decision<()>, Refusal> {
    run_reached(app, actor, command.run).await?;
    let signer = signer(actor)?;
    app.decide(actor, id, command, move |tx, command, _| {
        let run = bench::run(tx, command.run)?.ok_or_else(|| run_unknown(command.run))?;
        Ok(signing::confirm_override(&run, signer)?)
    })
    .await
}

/// Refuses a tube of a laboratory outside the actor's scope.
pub async fn tube_reached(app: &App, actor: &Actor, tube: TubeId) -> Result<(), Refusal> {
    let actor = actor.clone();
    app.read(move |tx| {
        let clock = store::tube(tx, tube)?.ok_or_else(|| Refusal::absent("lab-tube-unknown").with("tube", tube))?;
        match clock.laboratory.or(clock.point) {
            Some(place) => reach(tx, &actor, place),
            None => Ok(actor.must_reach(&[])?),
        }
    })
    .await
}

pub async fn propose_amendment(app: &App, actor: &Actor, id: EventId, command: ProposeAmendment) -> Result<Decision<Proposed>, Refusal> {
    tube_reached(app, actor, command.tube).await?;
    let director = signer(actor)?.director;
    app.decide(actor, id, command, move |tx, command, _| {
        amendment::propose(results::last_result(tx, command.tube)?.as_ref(), command)?;
        Ok(Proposed { director })
    })
    .await
}

pub async fn amend(app: &App, actor: &Actor, id: EventId, command: AmendResult) -> Result<Decision<ResultAmended>, Refusal> {
    tube_reached(app, actor, command.tube).await?;
    let signer = signer(actor)?;
    app.decide(actor, id, command, move |tx, command, _| {
        let result = results::last_result(tx, command.tube)?;
        let proposed = results::amendment(tx, command.tube)?;
        Ok(amendment::amend(result.as_ref(), proposed.as_ref(), command, signer)?)
    })
    .await
}

pub async fn settle(app: &App, actor: &Actor, id: EventId, command: SettleFinding) -> Result<Decision<()>, Refusal> {
    let (who, finding, code) = (actor.clone(), command.finding, command.code.clone());
    let seen = app
        .read(move |tx| {
            let subject = results::finding(tx, finding, &code)?.map(|found| found.subject);
            subject.map_or(Ok(true), |subject| crate::routes::Sight::of(&who).sees_subject(tx, subject))
        })
        .await?;
    if !seen {
        return Err(Refusal::forbidden("out-of-scope"));
    }
    app.decide(actor, id, command, |tx, command, _| {
        let finding = results::finding(tx, command.finding, &command.code)?.ok_or_else(|| Refusal::absent("no-such-thing"))?;
        Ok(rules::settle_finding(finding.settled.is_some(), &command.remark)?)
    })
    .await
}

pub fn facts() -> Vec<FactDoor> {
    vec![FactDoor::of::<TubeAccessioned>(RECEIVERS, accession_notes)]
}

/// What the person at the bench is told at once. Nothing of it is a refusal: the tube is here.
pub fn accession_notes(tx: &mut Tx<'_>, body: &TubeAccessioned, context: &FactContext) -> StoreResult<Vec<Note>> {
    let mut notes = Vec::new();
    let known = store::tube(tx, body.tube)?;
    let code = known.as_ref().and_then(|clock| clock.code.clone());
    let label = code.clone().unwrap_or_else(|| body.tube.to_string());
    if code.is_none() {
        notes.push(Note::new("lab-tube-not-opened").with("tube", &label));
    }
    if known.as_ref().is_some_and(|clock| clock.accessioned.is_some()) {
        notes.push(Note::new("lab-accessioned-twice").with("tube", &label));
    }
    if let Some(began) = known.and_then(|clock| clock.began())
        && context.happened.since(began) > LIMIT_US
    {
        notes.push(Note::new("lab-tube-late").with("tube", &label).with("hours", context.happened.since(began) / baton_kit::time::HOUR_US));
    }
    let (taken, declared) = capacity_today(tx, body.laboratory, &context.site, context.happened)?;
    if body.rejected.is_none() && declared.is_some_and(|declared| taken >= declared) {
        notes.push(Note::new("lab-over-capacity").with("taken", taken + 1).with("declared", declared.unwrap_or(0)));
    }
    Ok(notes)
}

/// Tubes a laboratory took in during the operational day of `at`, and how many it declared it can.
pub fn capacity_today(tx: &mut Tx<'_>, laboratory: PlaceId, site: &baton_kit::Site, at: Timestamp) -> StoreResult<(i64, Option<i64>)> {
    let day = site.day_of(at);
    let (from, to) = (site.start_of(day), site.start_of(OperationalDay(day.0 + 1)));
    let declared = registry::place(tx, laboratory)?.and_then(|place| place.details.capacity);
    Ok((clock::throughput(tx, laboratory, from, to)?.0, declared))
}

/// Takes tubes in, or rejects them, from a page of this server.
pub async fn accession(app: &App, actor: &Actor, laboratory: PlaceId, tubes: Vec<(EventId, TubeId)>, rejected: Option<String>) -> Result<Vec<Note>, Refusal> {
    reached(app, actor, laboratory).await?;
    let (now, site) = (app.ledger.now(), app.site.clone());
    let (who, account) = (actor.clone(), signed_in(actor)?);
    let drafts = app
        .read(move |tx| {
            let mut drafts = Vec::with_capacity(tubes.len());
            for (id, tube) in tubes {
                let body = TubeAccessioned { tube, laboratory, rejected: rejected.clone() };
                let context = FactContext { id, happened: now, actor: who.clone(), site: site.clone(), earlier: Earlier::default(), memo: Memo::default() };
                let notes = accession_notes(tx, &body, &context)?;
                drafts.push(Draft { notes, ..Draft::of(id, now, Some(account), &body)? });
            }
            Ok(drafts)
        })
        .await?;
    let mut notes = Vec::new();
    let mut last = 0;
    for answer in app.record(drafts).await? {
        let acknowledged = answer?;
        last = last.max(acknowledged.ordinal);
        notes.extend(acknowledged.notes);
    }
    app.seen(last).await;
    Ok(notes)
}
