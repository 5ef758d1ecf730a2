//! The JSON API, under /v1/laboratory.

use std::collections::HashMap;

use axum::Json;
use axum::body::{Body as HttpBody, Bytes};
use axum::extract::{FromRequest, Multipart, Query, Request, State};
use axum::http::header;
use axum::response::Response;
use baton_desk::answer::Answered;
use baton_desk::form::{Asked, At, Body};
use baton_desk::paper::download;
use baton_desk::{Access, Actor, App, Role, Route, Scope, any_id};
use baton_instruments::{PlateFormat, Worklist, WorklistTarget, WorklistWell};
use baton_kit::{AnyId, EventId, LotId, PersonId, PlaceId, PlateId, Refusal, RunId, Timestamp, TubeId, TypedId, time::DAY_US};
use baton_ledger::{Tx, Undecided};
use baton_pcr::rules::RuleSet;
use baton_registry::store as registry;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::commands::{self, BENCH, FileGiven, RECEIVERS, WATCHERS, id_or_new};
use crate::events::*;
use crate::model::{LIMIT_US, Plate, TubeClock};
use crate::person::{PersonReport, person_report};
use crate::rules::layout;
use crate::store::clock::Turnaround;
use crate::store::lineage::{Extent, Hand, Origin, Reached, WellOf};
use crate::store::{self, bench, clock, lineage, results};
use crate::turnaround::{By, grouped, spread};

mod both_ways;
mod days;
mod papers;

use both_ways::{LineageAnswered, PageAsked, PersonLineage, lineage_csv, lineage_json, lineage_person};
pub(crate) use both_ways::{origin_of, people_page, reach_origin};
use papers::report_file;
pub(crate) use papers::{json_download, reports_download};

pub(crate) const BENCH_ACCESS: Access = Access::Roles(BENCH);
pub(crate) const WATCH_ACCESS: Access = Access::Roles(WATCHERS);
pub(crate) const RECEIVE_ACCESS: Access = Access::Roles(RECEIVERS);
/// Who follows a lot or a person through hands and wells.
pub(crate) const TRACE_ROLES: &[Role] = &[Role::Technician, Role::LaboratoryDirector, Role::Auditor, Role::Administrator, Role::ZoneManager];
pub const TRACE_ACCESS: Access = Access::Roles(TRACE_ROLES);
/// An instrument's file; the codec's own limit is lower than what axum would take in memory.
pub(crate) const FILE_BYTES_MAX: usize = 64 << 20;
/// People on one page of a look-up.
const PAGE_LIMIT: i64 = 500;

pub(crate) fn routes() -> Vec<Route> {
    let mut routes = vec![
        Route::get("/v1/laboratory/waiting", WATCH_ACCESS, "Tubes taken in that wait for a plate, oldest first", waiting)
            .asks::<LaboratoryAsked>()
            .answers::<Vec<TubeWaiting>>(),
        Route::post("/v1/laboratory/plates", BENCH_ACCESS, "Lay a plate by rule, some wells by hand", lay_plate)
            .takes::<PlateAsked>()
            .answers::<PlateAnswered>(),
        Route::post("/v1/laboratory/bench-plates", BENCH_ACCESS, "Lay a plate that holds nobody's specimen", lay_bench_plate)
            .takes::<BenchPlateAsked>()
            .answers::<PlateMade>(),
        Route::get("/v1/laboratory/plates/{plate}", WATCH_ACCESS, "A plate and its layout", plate).answers::<PlateAnswered>(),
        Route::post("/v1/laboratory/plates/{plate}/discard", BENCH_ACCESS, "Take a plate out of use before it is read", discard)
            .takes::<ReasonAsked>()
            .answers::<Done>(),
        Route::get(
            "/v1/laboratory/plates/{plate}/worklist",
            WATCH_ACCESS,
            "The layout as a file for the instrument's software: ?for=quantstudio or ?for=cfx&dye=FAM",
            worklist,
        )
        .asks::<WorklistAsked>()
        .gives("text/plain"),
        Route::post(
            "/v1/laboratory/runs",
            BENCH_ACCESS,
            "Read an instrument's file onto a plate: multipart (plate, file) or the bare file with ?plate=…&file_name=…",
            read_run,
        )
        .asks::<RunAsked>()
        .answers::<RunAnswered>()
        .up_to(FILE_BYTES_MAX),
        Route::get("/v1/laboratory/runs/{run}", WATCH_ACCESS, "A run: controls, findings, calls and readings", run).answers::<RunShown>(),
        Route::post("/v1/laboratory/runs/{run}/sign", BENCH_ACCESS, "Sign tubes of a run; without tubes, release every clean negative by rule", sign)
            .takes::<SignAsked>()
            .answers::<SignAnswered>(),
        Route::post("/v1/laboratory/runs/{run}/override", BENCH_ACCESS, "Propose to let a held run through", propose_override)
            .takes::<ReasonAsked>()
            .answers::<Done>(),
        Route::post("/v1/laboratory/runs/{run}/override/confirm", BENCH_ACCESS, "Confirm as the second person", confirm_override)
            .takes::<IdAsked>()
            .answers::<Done>(),
        Route::post("/v1/laboratory/tubes/{tube}/amendment", BENCH_ACCESS, "Propose to correct a released result", propose_amendment)
            .takes::<AmendmentAsked>()
            .answers::<Done>(),
        Route::post("/v1/laboratory/tubes/{tube}/amend", BENCH_ACCESS, "Correct a released result as the second person", amend)
            .takes::<AmendmentAsked>()
            .answers::<Done>(),
        Route::post("/v1/laboratory/findings/settle", BENCH_ACCESS, "Close a finding", settle).takes::<SettleAsked>().answers::<Done>(),
        Route::get("/v1/laboratory/clock", WATCH_ACCESS, "Tubes on their way, oldest first, and how long released ones took", clock_json)
            .asks::<ClockAsked>()
            .answers::<ClockAnswered>(),
        Route::get("/v1/laboratory/capability", WATCH_ACCESS, "What each laboratory declared and what it did", capability_json).answers::<Vec<Capability>>(),
        Route::get("/v1/laboratory/lineage/person/{person}", TRACE_ACCESS, "From a person to tubes, hands, lots, wells and runs", lineage_person)
            .answers::<PersonLineage>(),
        Route::get("/v1/laboratory/lineage/{origin}/{id}", TRACE_ACCESS, "From a lot, plate, operator, box or tube to the people", lineage_json)
            .asks::<PageAsked>()
            .answers::<LineageAnswered>(),
        Route::get("/v1/laboratory/lineage/{origin}/{id}/people.csv", TRACE_ACCESS, "All people of a look-up, as a file", lineage_csv),
        Route::get("/v1/laboratory/people/{person}/report", REPORT_ACCESS, "A person's result as a signed file", report_file),
    ];
    routes.extend(papers::routes());
    routes
}

/// Who may see one person's result.
pub(crate) const REPORT_ROLES: &[Role] = &[Role::Technician, Role::LaboratoryDirector, Role::Administrator, Role::ZoneManager, Role::GridWarden];
pub(crate) const REPORT_ACCESS: Access = Access::Roles(REPORT_ROLES);
/// Who may print the results of many.
pub(crate) const REPORTS_ACCESS: Access = Access::Roles(&[Role::Technician, Role::LaboratoryDirector, Role::Administrator, Role::ZoneManager]);

#[derive(Deserialize, schemars::JsonSchema)]
struct LaboratoryAsked {
    laboratory: PlaceId,
}

/// A tube that waits.
#[derive(Serialize, JsonSchema)]
pub(crate) struct TubeWaiting {
    tube: TubeId,
    code: Option<String>,
    assay: Option<String>,
    ratio: Option<i64>,
    follow_up: bool,
    first_swab_us: Option<Timestamp>,
}

async fn waiting(State(app): State<App>, actor: Actor, Asked(asked): Asked<LaboratoryAsked>) -> Answered<Json<Vec<TubeWaiting>>> {
    let tubes = app
        .read(move |tx| {
            commands::reach(tx, &actor, asked.laboratory)?;
            let mut tubes = Vec::new();
            for clock in clock::waiting_for_plate(tx, asked.laboratory, 5_000)? {
                let assay = assay_of(tx, &clock)?;
                tubes.push(TubeWaiting {
                    tube: clock.tube,
                    code: clock.code,
                    assay,
                    ratio: clock.ratio,
                    follow_up: clock.follow_up,
                    first_swab_us: clock.first_swab,
                });
            }
            Ok(tubes)
        })
        .await?;
    Ok(Json(tubes))
}

pub(crate) fn assay_of(tx: &mut Tx<'_>, clock: &TubeClock) -> Result<Option<String>, Undecided> {
    let Some(campaign) = clock.campaign else { return Ok(None) };
    Ok(baton_screening::campaign::store::campaign(tx, campaign)?.map(|campaign| campaign.assay))
}

#[derive(Deserialize, JsonSchema)]
struct PlateAsked {
    /// The same at every resend; new when left out.
    #[serde(default)]
    id: Option<EventId>,
    #[serde(flatten)]
    plate: LayPlate,
}

#[derive(Deserialize, JsonSchema)]
struct BenchPlateAsked {
    #[serde(default)]
    id: Option<EventId>,
    #[serde(flatten)]
    plate: LayBenchPlate,
}

#[derive(Serialize, JsonSchema)]
struct PlateMade {
    plate: PlateId,
}

#[derive(Serialize, JsonSchema)]
struct PlateAnswered {
    plate: PlateId,
    code: String,
    laboratory: PlaceId,
    wells: u16,
    assay: Option<String>,
    fingerprint: u16,
    state: String,
    run: Option<RunId>,
    layout: Vec<WellLaid>,
}

/// Written, and shown by every page from now on.
#[derive(Serialize, JsonSchema)]
struct Done {
    id: EventId,
    ordinal: i64,
}

impl From<baton_ledger::Acknowledgement> for Done {
    fn from(acknowledged: baton_ledger::Acknowledgement) -> Self {
        Done { id: acknowledged.id, ordinal: acknowledged.ordinal }
    }
}

async fn lay_plate(State(app): State<App>, actor: Actor, Body(asked): Body<PlateAsked>) -> Answered<Json<PlateAnswered>> {
    let id = id_or_new(&app, asked.id, asked.plate.laboratory.bucket()).await?;
    let command = asked.plate.clone();
    let decision = commands::lay_plate(&app, &actor, id, asked.plate).await?;
    Ok(Json(PlateAnswered {
        plate: decision.acknowledgement.id.created(),
        code: command.code,
        laboratory: command.laboratory,
        wells: command.wells,
        assay: Some(command.assay),
        fingerprint: decision.outcome.fingerprint,
        state: "laid".to_owned(),
        run: None,
        layout: decision.outcome.layout,
    }))
}

async fn lay_bench_plate(State(app): State<App>, actor: Actor, Body(asked): Body<BenchPlateAsked>) -> Answered<Json<PlateMade>> {
    let id = id_or_new(&app, asked.id, asked.plate.laboratory.bucket()).await?;
    let decision = commands::lay_bench_plate(&app, &actor, id, asked.plate).await?;
    Ok(Json(PlateMade { plate: decision.acknowledgement.id.created() }))
}

async fn plate(State(app): State<App>, actor: Actor, At(plate): At<PlateId>) -> Answered<Json<PlateAnswered>> {
    let (plate, layout) = app.read(move |tx| plate_and_layout(tx, &actor, plate)).await?;
    Ok(Json(PlateAnswered {
        plate: plate.plate,
        code: plate.code,
        laboratory: plate.laboratory,
        wells: plate.wells,
        assay: plate.assay,
        fingerprint: plate.fingerprint,
        state: plate.state.name().to_owned(),
        run: plate.run,
        layout,
    }))
}

pub(crate) fn plate_and_layout(tx: &mut Tx<'_>, actor: &Actor, id: PlateId) -> Result<(Plate, Vec<WellLaid>), Undecided> {
    let plate = bench::plate(tx, id)?.ok_or_else(|| Refusal::absent("lab-plate-unknown").with("plate", id))?;
    commands::reach(tx, actor, plate.laboratory)?;
    Ok((plate, bench::layout(tx, id)?))
}

#[derive(Deserialize, JsonSchema)]
struct ReasonAsked {
    #[serde(default)]
    id: Option<EventId>,
    reason: String,
}

#[derive(Deserialize, JsonSchema)]
struct IdAsked {
    #[serde(default)]
    id: Option<EventId>,
}

async fn discard(State(app): State<App>, actor: Actor, At(plate): At<PlateId>, Body(asked): Body<ReasonAsked>) -> Answered<Json<Done>> {
    let id = id_or_new(&app, asked.id, plate.bucket()).await?;
    let decision = commands::discard_plate(&app, &actor, id, DiscardPlate { plate, reason: asked.reason }).await?;
    Ok(Json(decision.acknowledgement.into()))
}

#[derive(Deserialize, schemars::JsonSchema)]
struct WorklistAsked {
    #[serde(rename = "for")]
    software: String,
    #[serde(default)]
    dye: Option<String>,
}

async fn worklist(State(app): State<App>, actor: Actor, At(plate): At<PlateId>, Asked(asked): Asked<WorklistAsked>) -> Answered {
    let (plate, list) = app
        .read(move |tx| {
            let (plate, layout) = plate_and_layout(tx, &actor, plate)?;
            let codes = bench::tubes_on(tx, plate.plate)?;
            let list = worklist_of(&plate, &layout, |well| codes.get(&well).and_then(|clock| clock.code.clone()));
            Ok((plate, list))
        })
        .await?;
    let (text, name) = match (asked.software.as_str(), asked.dye) {
        ("quantstudio", _) => (baton_instruments::worklist_quantstudio(&list), format!("{}.txt", plate.code)),
        ("cfx", Some(dye)) => (baton_instruments::worklist_cfx_for_dye(&list, &dye), format!("{}-{dye}.csv", plate.code)),
        ("cfx", None) => (baton_instruments::worklist_cfx(&list), format!("{}.csv", plate.code)),
        _ => return Err(Refusal::malformed("lab-worklist-unknown").with("software", asked.software).into()),
    };
    Ok(download(text, "text/plain; charset=utf-8", &name))
}

fn worklist_of(plate: &Plate, layout: &[WellLaid], code: impl Fn(u16) -> Option<String>) -> Worklist {
    let rules = plate.assay.as_deref().and_then(RuleSet::builtin);
    let targets: Vec<WorklistTarget> = rules
        .iter()
        .flat_map(|rules| &rules.targets)
        .map(|target| WorklistTarget { name: target.name.clone(), dye: target.dye.clone(), quencher: None })
        .collect();
    let columns = layout::columns(plate.wells);
    let well = |laid: &WellLaid| {
        let (sample, content) = match laid.content {
            WellContent::Tube(tube) => (code(laid.well).unwrap_or_else(|| tube.to_string()), baton_instruments::Content::Unknown),
            WellContent::NoTemplateControl => ("NTC".to_owned(), baton_instruments::Content::NoTemplateControl),
            WellContent::PositiveControl => ("PC".to_owned(), baton_instruments::Content::PositiveControl),
            WellContent::ExtractionControl => ("EC".to_owned(), baton_instruments::Content::NegativeControl),
        };
        WorklistWell { place: (laid.well / columns, laid.well % columns), sample, content, targets: targets.clone(), quantity: None }
    };
    let format = PlateFormat { rows: plate.wells / columns, columns };
    Worklist { plate_name: plate.code.clone(), plate: format, wells: layout.iter().map(well).collect() }
}

#[derive(Deserialize, schemars::JsonSchema)]
struct RunAsked {
    plate: PlateId,
    #[serde(default)]
    file_name: String,
    #[serde(default)]
    id: Option<EventId>,
}

/// A run as read.
#[derive(Serialize, JsonSchema)]
struct RunAnswered {
    run: RunId,
    ordinal: i64,
    rules: String,
    controls_valid: bool,
    findings: Vec<FindingShown>,
    /// Preliminary outcomes.
    tubes: Vec<TubeRead>,
    readings: usize,
    /// What was odd about the file.
    remarks: Vec<String>,
}

/// Something wrong, and exactly the wells it holds.
#[derive(Serialize, JsonSchema)]
struct FindingShown {
    code: String,
    wells: Vec<u16>,
    seen_in: Vec<u16>,
    target: Option<String>,
    matches: Option<PlateId>,
}

impl From<RunFinding> for FindingShown {
    fn from(finding: RunFinding) -> Self {
        Self { code: finding.code, wells: finding.wells, seen_in: finding.seen_in, target: finding.target, matches: finding.matches }
    }
}

async fn read_run(State(app): State<App>, actor: Actor, request: Request) -> Answered<Json<RunAnswered>> {
    let (file, id) = file_given(&app, request).await?;
    let id = id_or_new(&app, id, file.plate.bucket()).await?;
    let taken = commands::read_run(&app, &actor, id, file).await?;
    let outcome = taken.decision.outcome;
    Ok(Json(RunAnswered {
        run: taken.run,
        ordinal: taken.decision.acknowledgement.ordinal,
        rules: outcome.rules,
        controls_valid: outcome.controls_valid,
        findings: outcome.findings.into_iter().map(FindingShown::from).collect(),
        tubes: outcome.tubes,
        readings: outcome.readings.len(),
        remarks: taken.remarks,
    }))
}

/// A file from a form or a bare body.
pub(crate) async fn file_given(app: &App, request: Request) -> Result<(FileGiven, Option<EventId>), Refusal> {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    if kind.starts_with("multipart/form-data") {
        return from_form(app, request).await;
    }
    let asked = Query::<RunAsked>::try_from_uri(request.uri()).map_err(|error| Refusal::malformed("query-wrong").with("problem", error))?.0;
    let bytes = Bytes::from_request(request, app).await.map_err(|error| Refusal::malformed("body-unread").with("problem", error))?;
    Ok((FileGiven { plate: asked.plate, file_name: asked.file_name, bytes }, asked.id))
}

async fn from_form(app: &App, request: Request) -> Result<(FileGiven, Option<EventId>), Refusal> {
    let unread = |error: &dyn std::fmt::Display| Refusal::malformed("body-unread").with("problem", error);
    let mut form = Multipart::from_request(request, app).await.map_err(|error| unread(&error))?;
    let (mut plate, mut id, mut file) = (None, None, None);
    while let Some(field) = form.next_field().await.map_err(|error| unread(&error))? {
        let name = field.name().unwrap_or_default().to_owned();
        match name.as_str() {
            "file" => {
                let file_name = field.file_name().unwrap_or_default().to_owned();
                file = Some((file_name, field.bytes().await.map_err(|error| unread(&error))?));
            }
            "plate" | "id" => {
                let text = field.text().await.map_err(|error| unread(&error))?;
                let number: AnyId = text.parse().map_err(|error| Refusal::malformed("form-wrong").with("problem", format!("{name}: {error}")))?;
                if name == "plate" {
                    plate = Some(PlateId::from_packed(number.packed()));
                } else {
                    id = Some(EventId::from_packed(number.packed()));
                }
            }
            _ => {}
        }
    }
    let missing = |name: &str| Refusal::malformed("form-wrong").with("problem", format!("{name} is missing"));
    let (file_name, bytes) = file.ok_or_else(|| missing("file"))?;
    Ok((FileGiven { plate: plate.ok_or_else(|| missing("plate"))?, file_name, bytes }, id))
}

#[derive(Serialize, JsonSchema)]
struct RunShown {
    run: RunId,
    plate: PlateId,
    rules: String,
    controls_valid: bool,
    overridden: bool,
    file_name: String,
    file_sha256: String,
    instrument: String,
    read_us: Timestamp,
    findings: Vec<FindingShown>,
    calls: Vec<CallShown>,
    readings: Vec<ReadingShown>,
}

#[derive(Serialize, JsonSchema)]
struct CallShown {
    well: u16,
    tube: Option<TubeId>,
    result: String,
    reasons: Vec<String>,
    action: String,
    not_passed: Vec<String>,
}

#[derive(Serialize, JsonSchema)]
struct ReadingShown {
    well: u16,
    target: String,
    call: String,
    p_positive: f64,
    cq: Option<f64>,
    reasons: Vec<String>,
}

async fn run(State(app): State<App>, actor: Actor, At(id): At<RunId>) -> Answered<Json<RunShown>> {
    let shown = app
        .read(move |tx| {
            let run = bench::run(tx, id)?.ok_or_else(|| Refusal::absent("lab-run-unknown").with("run", id))?;
            commands::reach(tx, &actor, run.laboratory)?;
            let calls = bench::calls(tx, id)?.into_iter().map(|(call, tube)| CallShown {
                well: call.well,
                tube,
                result: call.result,
                reasons: call.reasons,
                action: call.action,
                not_passed: call.not_passed,
            });
            let readings = bench::readings(tx, id, None)?.into_iter().map(|r| ReadingShown {
                well: r.well,
                target: r.target,
                call: r.call,
                p_positive: r.p_positive,
                cq: r.cq,
                reasons: r.reasons,
            });
            Ok(RunShown {
                run: id,
                plate: run.plate,
                rules: run.rules,
                controls_valid: run.controls_valid,
                overridden: matches!(run.release, crate::model::Override::Confirmed { .. }),
                file_name: run.file_name,
                file_sha256: run.file_sha256,
                instrument: run.instrument,
                read_us: run.read,
                findings: run.findings.into_iter().map(FindingShown::from).collect(),
                calls: calls.collect(),
                readings: readings.collect(),
            })
        })
        .await?;
    Ok(Json(shown))
}

#[derive(Deserialize, JsonSchema)]
struct SignAsked {
    #[serde(default)]
    id: Option<EventId>,
    /// Empty: every negative that passed all rules.
    #[serde(default)]
    tubes: Vec<TubeId>,
}

#[derive(Serialize, JsonSchema)]
struct SignAnswered {
    ordinal: i64,
    released: Vec<TubeRead>,
    /// Signed once; another person must sign too.
    waiting: Vec<TubeId>,
    passed: Vec<String>,
}

async fn sign(State(app): State<App>, actor: Actor, At(run): At<RunId>, Body(asked): Body<SignAsked>) -> Answered<Json<SignAnswered>> {
    let id = id_or_new(&app, asked.id, run.bucket()).await?;
    let decision = commands::sign(&app, &actor, id, SignResults { run, tubes: asked.tubes }).await?;
    let outcome = decision.outcome;
    Ok(Json(SignAnswered { ordinal: decision.acknowledgement.ordinal, released: outcome.tubes, waiting: outcome.waiting, passed: outcome.passed }))
}

async fn propose_override(State(app): State<App>, actor: Actor, At(run): At<RunId>, Body(asked): Body<ReasonAsked>) -> Answered<Json<Done>> {
    let id = id_or_new(&app, asked.id, run.bucket()).await?;
    let decision = commands::propose_override(&app, &actor, id, ProposeOverride { run, reason: asked.reason }).await?;
    Ok(Json(decision.acknowledgement.into()))
}

async fn confirm_override(State(app): State<App>, actor: Actor, At(run): At<RunId>, Body(asked): Body<IdAsked>) -> Answered<Json<Done>> {
    let id = id_or_new(&app, asked.id, run.bucket()).await?;
    let decision = commands::confirm_override(&app, &actor, id, ConfirmOverride { run }).await?;
    Ok(Json(decision.acknowledgement.into()))
}

#[derive(Deserialize, JsonSchema)]
struct AmendmentAsked {
    #[serde(default)]
    id: Option<EventId>,
    result: TubeOutcome,
    reason: String,
}

async fn propose_amendment(State(app): State<App>, actor: Actor, At(tube): At<TubeId>, Body(asked): Body<AmendmentAsked>) -> Answered<Json<Done>> {
    let id = id_or_new(&app, asked.id, tube.bucket()).await?;
    let decision = commands::propose_amendment(&app, &actor, id, ProposeAmendment { tube, result: asked.result, reason: asked.reason }).await?;
    Ok(Json(decision.acknowledgement.into()))
}

async fn amend(State(app): State<App>, actor: Actor, At(tube): At<TubeId>, Body(asked): Body<AmendmentAsked>) -> Answered<Json<Done>> {
    let id = id_or_new(&app, asked.id, tube.bucket()).await?;
    let decision = commands::amend(&app, &actor, id, AmendResult { tube, result: asked.result, reason: asked.reason }).await?;
    Ok(Json(decision.acknowledgement.into()))
}

#[derive(Deserialize, JsonSchema)]
struct SettleAsked {
    #[serde(default)]
    id: Option<EventId>,
    #[serde(flatten)]
    settle: SettleFinding,
}

async fn settle(State(app): State<App>, actor: Actor, Body(asked): Body<SettleAsked>) -> Answered<Json<Done>> {
    let id = id_or_new(&app, asked.id, asked.settle.finding.bucket()).await?;
    let decision = commands::settle(&app, &actor, id, asked.settle).await?;
    Ok(Json(decision.acknowledgement.into()))
}

#[derive(Deserialize, schemars::JsonSchema)]
struct ClockAsked {
    /// Released since then; one day back when left out.
    #[serde(default)]
    from_us: Option<Timestamp>,
    #[serde(default)]
    limit: Option<i64>,
}

#[derive(Serialize, JsonSchema)]
struct ClockAnswered {
    limit_s: i64,
    waiting: i64,
    /// Of those waiting, older than the limit.
    late: i64,
    tubes: Vec<TubeTicking>,
    turnaround_s: SpreadShown,
    by: Vec<GroupShown>,
}

#[derive(Serialize, JsonSchema)]
struct TubeTicking {
    tube: TubeId,
    code: Option<String>,
    stage: String,
    began_us: Option<Timestamp>,
    left_s: Option<i64>,
}

#[derive(Serialize, JsonSchema)]
struct SpreadShown {
    tubes: usize,
    p50: i64,
    p90: i64,
    max: i64,
}

impl From<crate::turnaround::Spread> for SpreadShown {
    fn from(spread: crate::turnaround::Spread) -> Self {
        Self { tubes: spread.tubes, p50: spread.p50_us / 1_000_000, p90: spread.p90_us / 1_000_000, max: spread.max_us / 1_000_000 }
    }
}

#[derive(Serialize, JsonSchema)]
struct GroupShown {
    by: String,
    id: AnyId,
    turnaround_s: SpreadShown,
}

async fn clock_json(State(app): State<App>, actor: Actor, Asked(asked): Asked<ClockAsked>) -> Answered<Json<ClockAnswered>> {
    let now = app.ledger.now();
    let from = asked.from_us.unwrap_or(now.plus_us(-DAY_US));
    let limit = asked.limit.unwrap_or(200).clamp(0, 5_000);
    let answer = app
        .read(move |tx| {
            let mut sight = Sight::of(&actor);
            let (waiting, late, tubes) = sight.waiting(tx, now, limit)?;
            let released = sight.turnarounds(tx, from)?;
            let tick = |clock: TubeClock| TubeTicking {
                left_s: clock.began().map(|began| (LIMIT_US - now.since(began)) / 1_000_000),
                began_us: clock.began(),
                stage: clock.stage().name().to_owned(),
                tube: clock.tube,
                code: clock.code,
            };
            let groups = By::ALL.iter().flat_map(|by| {
                grouped(&released, *by).into_iter().take(50).map(|(id, spread)| GroupShown { by: by.name().to_owned(), id, turnaround_s: spread.into() })
            });
            Ok(ClockAnswered {
                limit_s: LIMIT_US / 1_000_000,
                waiting,
                late,
                tubes: tubes.into_iter().map(tick).collect(),
                by: groups.collect(),
                turnaround_s: spread(released.iter().map(|tube| tube.took_us).collect()).into(),
            })
        })
        .await?;
    Ok(Json(answer))
}

/// What of the clock an actor may see: tubes from points or in laboratories within their scope.
pub(crate) struct Sight<'a> {
    actor: &'a Actor,
    known: HashMap<PlaceId, bool>,
}

impl<'a> Sight<'a> {
    pub(crate) fn of(actor: &'a Actor) -> Self {
        Self { actor, known: HashMap::new() }
    }

    fn sees(&mut self, tx: &mut Tx<'_>, places: [Option<PlaceId>; 2]) -> Result<bool, Undecided> {
        if self.actor.scope == Scope::Everywhere {
            return Ok(true);
        }
        for place in places.into_iter().flatten() {
            let known = match self.known.get(&place) {
                Some(known) => *known,
                None => *self.known.entry(place).or_insert(self.actor.scope.reaches_any(&registry::place_chain(tx, place)?)),
            };
            if known {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether a finding is theirs: about a tube, a box or a place within their scope. A lot belongs to everybody.
    pub(crate) fn sees_subject(&mut self, tx: &mut Tx<'_>, subject: AnyId) -> Result<bool, Undecided> {
        let packed = subject.packed();
        if registry::lot(tx, LotId::from_packed(packed))?.is_some() {
            return Ok(true);
        }
        if let Some(clock) = store::tube(tx, TubeId::from_packed(packed))? {
            return self.sees(tx, [clock.laboratory, clock.point]);
        }
        let of_box = clock::place_of_box(tx, baton_kit::BoxId::from_packed(packed))?;
        self.sees(tx, [of_box, Some(PlaceId::from_packed(packed))])
    }

    /// How many wait, how many of them too long, and the oldest of them.
    pub(crate) fn waiting(&mut self, tx: &mut Tx<'_>, now: Timestamp, limit: i64) -> Result<(i64, i64, Vec<TubeClock>), Undecided> {
        if self.actor.scope == Scope::Everywhere {
            let (all, late) = clock::counts(tx, now.plus_us(-LIMIT_US))?;
            return Ok((all, late, clock::waiting(tx, limit)?));
        }
        let mut seen = Vec::new();
        for clock in clock::waiting(tx, SCANNED_MAX)? {
            if self.sees(tx, [clock.laboratory, clock.point])? {
                seen.push(clock);
            }
        }
        let late = seen.iter().filter(|clock| clock.began().is_some_and(|began| now.since(began) > LIMIT_US)).count();
        let all = seen.len();
        seen.truncate(usize::try_from(limit).unwrap_or(0));
        Ok((all as i64, late as i64, seen))
    }

    pub(crate) fn turnarounds(&mut self, tx: &mut Tx<'_>, from: Timestamp) -> Result<Vec<Turnaround>, Undecided> {
        let mut seen = Vec::new();
        for tube in clock::turnarounds(tx, from)? {
            if self.sees(tx, [tube.laboratory, tube.point])? {
                seen.push(tube);
            }
        }
        Ok(seen)
    }
}

/// Waiting tubes looked through for somebody who may not see all of them.
const SCANNED_MAX: i64 = 100_000;

/// What a laboratory declared, and what it did.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct Capability {
    pub(crate) laboratory: PlaceId,
    pub(crate) name: String,
    pub(crate) declared_per_day: Option<i64>,
    pub(crate) taken_in_today: i64,
    pub(crate) released_today: i64,
    /// Most tubes released on one of the last fourteen operational days.
    pub(crate) demonstrated_per_day: i64,
    pub(crate) plates_waiting: i64,
}

pub(crate) fn capabilities(tx: &mut Tx<'_>, actor: &Actor, site: &baton_kit::Site, now: Timestamp) -> Result<Vec<Capability>, Undecided> {
    let today = site.day_of(now);
    let mut all = Vec::new();
    for place in commands::laboratories(tx, actor)? {
        let mut days = Vec::new();
        for back in 0..14 {
            let day = baton_kit::OperationalDay(today.0 - back);
            days.push(clock::throughput(tx, place.id, site.start_of(day), site.start_of(baton_kit::OperationalDay(day.0 + 1)))?);
        }
        all.push(Capability {
            laboratory: place.id,
            name: place.name,
            declared_per_day: place.details.capacity,
            taken_in_today: days[0].0,
            released_today: days[0].1,
            demonstrated_per_day: days.iter().map(|(_, released)| *released).max().unwrap_or(0),
            plates_waiting: clock::plates_to_run(tx, place.id)?.0,
        });
    }
    Ok(all)
}

async fn capability_json(State(app): State<App>, actor: Actor) -> Answered<Json<Vec<Capability>>> {
    let (site, now) = (app.site.clone(), app.ledger.now());
    Ok(Json(app.read(move |tx| capabilities(tx, &actor, &site, now)).await?))
}

/// A person is reached through where they belong, or through a laboratory that has one of their tubes.
pub(crate) fn reach_person(tx: &mut Tx<'_>, actor: &Actor, person: PersonId, day: baton_kit::OperationalDay) -> Result<(), Undecided> {
    let membership = registry::membership(tx, person, day)?;
    let mut places: Vec<PlaceId> = membership.map(|m| [m.zone, m.grid, m.building, m.enterprise].into_iter().flatten().collect()).unwrap_or_default();
    for membership in results::memberships(tx, person)? {
        if let Some(laboratory) = membership.clock.laboratory {
            places.extend(registry::place_chain(tx, laboratory)?);
        }
    }
    Ok(actor.must_reach(&places)?)
}
