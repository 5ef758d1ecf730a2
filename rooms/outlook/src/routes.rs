//! The JSON API, under /v1/outlook.

use axum::Json;
use axum::extract::State;
use baton_desk::answer::Answered;
use baton_desk::form::{Asked, Body};
use baton_desk::{Access, Actor, App, Role, Route};
use baton_kit::{Bucket, EventId, PlaceId, Refusal, Timestamp};
use baton_laboratory::commands::reach;
use baton_simulate::twin::{Delta, Estimate};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::compute;
use crate::events::{EquipmentStated, ForecastMade, LastResult};
use crate::model::{Change, Compared, Kept, LineAhead};
use crate::rules::change::{LONGER_MOST, SURGE_MOST};
use crate::rules::score::{Evening, evenings};
use crate::store;

/// Who sees what the twin foretells, and may ask it.
pub(crate) const WATCHERS: Access = Access::Roles(&[Role::Technician, Role::LaboratoryDirector, Role::ZoneManager, Role::Administrator, Role::Auditor]);
/// Who may put a forecast on record.
pub(crate) const FORETELLERS: Access = Access::Roles(&[Role::Technician, Role::LaboratoryDirector, Role::ZoneManager, Role::Administrator]);
/// Who says what machines a laboratory has.
pub(crate) const STATERS: Access = Access::Roles(&[Role::LaboratoryDirector, Role::Administrator]);
/// Forecasts on one page, and so many are judged together.
pub(crate) const FORECASTS: i64 = 400;

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::post("/v1/outlook/forecasts", FORETELLERS, "Foretell tonight and put it on record", foretell)
            .takes::<ForetellAsked>()
            .answers::<ForecastShown>(),
        Route::get("/v1/outlook/forecasts", WATCHERS, "Forecasts on record, the latest first, with what came of them", forecasts)
            .asks::<ForecastsAsked>()
            .answers::<Vec<ForecastShown>>(),
        Route::get("/v1/outlook/evenings", WATCHERS, "Evenings that are over: how good their forecasts were", judged).answers::<Vec<EveningShown>>(),
        Route::get("/v1/outlook/what-if", WATCHERS, "What a change would change, under the same chances", what_if)
            .asks::<WhatIfAsked>()
            .answers::<WhatIfShown>(),
        Route::post("/v1/outlook/equipment", STATERS, "State the machines of a laboratory", state_equipment).takes::<EquipmentAsked>().answers::<Recorded>(),
    ]
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ForetellAsked {
    #[serde(default)]
    id: Option<EventId>,
}

/// A forecast as it was said, and what came of it.
#[derive(Serialize, JsonSchema)]
struct ForecastShown {
    id: EventId,
    made_us: Timestamp,
    #[serde(flatten)]
    forecast: ForecastMade,
    /// Nothing while a tube it meant is on its way.
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<ScoreShown>,
}

#[derive(Serialize, JsonSchema)]
struct ScoreShown {
    first_swab_us: Timestamp,
    last_result_us: Timestamp,
    /// Whether that lay within the band of 80 %.
    within: bool,
    /// Later than the middle of the forecast is positive.
    error_s: i64,
}

impl ForecastShown {
    fn of(kept: Kept) -> Self {
        let score = kept.score.map(|score| ScoreShown {
            first_swab_us: score.first_swab,
            last_result_us: score.last_result,
            within: score.within(&kept.foretold()),
            error_s: score.error_us(&kept.foretold()) / 1_000_000,
        });
        Self { id: kept.id, made_us: kept.made, forecast: kept.forecast, score }
    }
}

async fn foretell(State(app): State<App>, actor: Actor, Body(asked): Body<ForetellAsked>) -> Answered<Json<ForecastShown>> {
    let id = match asked.id {
        Some(id) => id,
        None => app.form_id(Bucket::INSTALLATION).await?,
    };
    Ok(Json(ForecastShown::of(compute::record_for(&app, &actor, id).await?)))
}

#[derive(Deserialize, JsonSchema)]
struct ForecastsAsked {
    /// Made before this.
    before_us: Option<Timestamp>,
    /// At most so many, 50 unless said.
    limit: Option<i64>,
}

async fn forecasts(State(app): State<App>, Asked(asked): Asked<ForecastsAsked>) -> Answered<Json<Vec<ForecastShown>>> {
    let (before, limit) = (asked.before_us.unwrap_or(Timestamp(i64::MAX)), asked.limit.unwrap_or(50).clamp(1, FORECASTS));
    let kept = app.read(move |tx| Ok(store::forecasts(tx, before, limit)?)).await?;
    Ok(Json(kept.into_iter().map(ForecastShown::of).collect()))
}

/// One evening: how its forecasts did, and the one nearest to half time.
#[derive(Serialize, JsonSchema)]
struct EveningShown {
    first_swab_us: Timestamp,
    last_result_us: Timestamp,
    forecasts: usize,
    /// Forecasts in whose band of 80 % the last result came.
    within: usize,
    half_time_us: Timestamp,
    /// When the forecast nearest to half time was made, and what it said.
    made_us: Timestamp,
    foretold: LastResult,
    half_time_within: bool,
    half_time_error_s: i64,
    /// Without its sign, as a share of the time that was left.
    half_time_error_share: Option<f64>,
}

impl EveningShown {
    fn of(evening: &Evening) -> Self {
        let (score, half) = (evening.score, &evening.at_half_time);
        Self {
            first_swab_us: score.first_swab,
            last_result_us: score.last_result,
            forecasts: evening.forecasts,
            within: evening.within,
            half_time_us: score.half_time(),
            made_us: half.made,
            foretold: half.last,
            half_time_within: score.within(half),
            half_time_error_s: score.error_us(half) / 1_000_000,
            half_time_error_share: score.error_share(half),
        }
    }
}

async fn judged(State(app): State<App>) -> Answered<Json<Vec<EveningShown>>> {
    let foretold = app.read(move |tx| Ok(store::foretold(tx, FORECASTS)?)).await?;
    Ok(Json(evenings(&foretold).iter().map(EveningShown::of).collect()))
}

/// What is changed; one kind at a time.
#[derive(Deserialize, JsonSchema, Clone, Default)]
pub(crate) struct WhatIfAsked {
    /// `lane`, `van`, `desk`, `extractor`, `cycler`, `longer`, `surge` or `closed`.
    pub change: Option<String>,
    /// `longer`: minutes, 1 to 240. `surge`: per cent, 1 to 300.
    pub amount: Option<u32>,
    /// `lane` and `closed`: the point.
    pub point: Option<PlaceId>,
}

impl WhatIfAsked {
    /// The change meant; nothing when none is named.
    pub(crate) fn change(&self) -> Result<Option<Change>, Refusal> {
        let wrong = |field: &str| Refusal::malformed("outlook-change-wrong").with("field", field);
        let point = || self.point.ok_or_else(|| wrong("point"));
        let amount = |most: u32| self.amount.filter(|amount| (1..=most).contains(amount)).ok_or_else(|| wrong("amount"));
        Ok(Some(match self.change.as_deref() {
            None | Some("") => return Ok(None),
            Some("lane") => Change::Lane(point()?),
            Some("van") => Change::Van,
            Some("desk") => Change::Desk,
            Some("extractor") => Change::Extractor,
            Some("cycler") => Change::Cycler,
            Some("longer") => Change::LongerMinutes(amount(LONGER_MOST)?),
            Some("surge") => Change::SurgePercent(amount(SURGE_MOST)?),
            Some("closed") => Change::Closed(point()?),
            Some(_) => return Err(wrong("change")),
        }))
    }
}

/// A mean difference and the half-width of its 95 % interval.
#[derive(Serialize, JsonSchema)]
struct Difference {
    mean: f64,
    ci95: Option<f64>,
}

impl From<Estimate> for Difference {
    fn from(estimate: Estimate) -> Self {
        Self { mean: estimate.mean, ci95: estimate.ci95 }
    }
}

#[derive(Serialize, JsonSchema)]
struct WhatIfShown {
    /// As things are.
    base: ForecastMade,
    /// With the change less without it; nothing where it would change nothing.
    difference: Option<DifferenceShown>,
    /// The line the change is about, or the one whose wait it changes most.
    line: Option<LineShown>,
}

#[derive(Serialize, JsonSchema)]
struct LineShown {
    point: PlaceId,
    /// Lanes that are open now.
    lanes: u32,
    people_per_lane_hour: f64,
    /// Measured from the scans of the last quarter of an hour; otherwise the plan's figure.
    measured: bool,
    /// How long people wait there on average as things are, and the difference.
    wait_s: f64,
    wait_difference_s: Difference,
    /// People who turn away at any point because the line is too long, as things are, and the difference.
    turned_away: f64,
    turned_away_difference: Difference,
}

impl From<LineAhead> for LineShown {
    fn from(line: LineAhead) -> Self {
        Self {
            point: line.point,
            lanes: line.lanes,
            people_per_lane_hour: line.per_hour,
            measured: line.measured,
            wait_s: line.wait_s,
            wait_difference_s: line.difference_s.into(),
            turned_away: line.away,
            turned_away_difference: line.away_difference.into(),
        }
    }
}

#[derive(Serialize, JsonSchema)]
struct DifferenceShown {
    last_result_s: Difference,
    /// Tubes past six hours.
    late: Difference,
    /// Waiting from now on, all tubes together.
    waiting_s: Difference,
}

impl From<Delta> for DifferenceShown {
    fn from(delta: Delta) -> Self {
        Self { last_result_s: delta.last_result_s.into(), late: delta.late.into(), waiting_s: delta.waiting_s.into() }
    }
}

async fn what_if(State(app): State<App>, Asked(asked): Asked<WhatIfAsked>) -> Answered<Json<WhatIfShown>> {
    let change = asked.change()?.ok_or_else(|| Refusal::malformed("outlook-change-wrong").with("field", "change"))?;
    let Compared { base, delta, line } = compute::compare(&app, change).await?;
    Ok(Json(WhatIfShown { base, difference: delta.map(Into::into), line: line.map(Into::into) }))
}

#[derive(Deserialize, JsonSchema)]
struct EquipmentAsked {
    #[serde(default)]
    id: Option<EventId>,
    #[serde(flatten)]
    stated: StatedAsked,
}

/// Machines of a laboratory.
#[derive(Deserialize, JsonSchema, Clone)]
pub(crate) struct StatedAsked {
    pub laboratory: PlaceId,
    /// 1 to 1000.
    pub extractors: u16,
    /// 1 to 600.
    pub extraction_minutes: u16,
    /// 1 to 1000.
    pub cyclers: u16,
}

#[derive(Serialize, JsonSchema)]
struct Recorded {
    id: EventId,
}

/// Records the machines of a laboratory within the actor's scope.
pub(crate) async fn stated(app: &App, actor: &Actor, id: EventId, stated: StatedAsked) -> Result<(), Refusal> {
    let within = [("extractors", stated.extractors, 1000), ("extraction_minutes", stated.extraction_minutes, 600), ("cyclers", stated.cyclers, 1000)];
    if let Some((field, ..)) = within.into_iter().find(|(_, value, most)| !(1..=*most).contains(value)) {
        return Err(Refusal::malformed("outlook-change-wrong").with("field", field));
    }
    let (asker, laboratory) = (actor.clone(), stated.laboratory);
    app.read(move |tx| reach(tx, &asker, laboratory)).await?;
    let StatedAsked { laboratory, extractors, extraction_minutes, cyclers } = stated;
    app.tell(actor, id, &EquipmentStated { laboratory, extractors, extraction_minutes, cyclers }).await
}

async fn state_equipment(State(app): State<App>, actor: Actor, Body(asked): Body<EquipmentAsked>) -> Answered<Json<Recorded>> {
    let id = match asked.id {
        Some(id) => id,
        None => app.form_id(Bucket::INSTALLATION).await?,
    };
    stated(&app, &actor, id, asked.stated).await?;
    Ok(Json(Recorded { id }))
}
