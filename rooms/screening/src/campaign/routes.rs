//! Campaigns as JSON, and the functions behind pages, command line and demo.

use axum::Json;
use axum::extract::State;
use baton_desk::form::{Asked, At, Body};
use baton_desk::{Actor, Answered, App, Role, Route, Scope};
use baton_kit::{CampaignId, EventId, PersonId, PlaceId, Refusal, Timestamp};
use baton_ledger::{StoreResult, Tx, Undecided};
use baton_registry::store as registry;
use serde::{Deserialize, Serialize};

use super::store::{self, Ask, By, Counts};
use crate::board::curve::Curve;
use crate::board::store as board;
use crate::events::{Cadence, CloseFollowUp, ExemptPerson, OpenCampaign, OpenRound, SettleFinding, Who};
use crate::model::Campaign;
use crate::roster::store as roster;
use crate::rules::{self, CampaignContext};
use crate::view::{CHASERS, MANAGERS, VIEWERS, reach};
use crate::{finding, follow_up};

/// Rows in one answer.
pub const ROWS_LIMIT: i64 = 2_000;

pub fn routes() -> Vec<Route> {
    vec![
        Route::get("/v1/screening/campaigns", VIEWERS, "Campaigns, the one that ends last first", list).answers::<Campaigns>(),
        Route::post("/v1/screening/campaigns", MANAGERS, "Open a campaign and its first round", open).takes::<CampaignAsked>().answers::<CampaignOpened>(),
        Route::post("/v1/screening/campaigns/{campaign}/rounds", MANAGERS, "Open the next round", next_round).takes::<RoundAsked>().answers::<CampaignOpened>(),
        Route::post("/v1/screening/campaigns/{campaign}/exemptions", MANAGERS, "Excuse a person, with a reason", exempt).takes::<ExemptionAsked>(),
        Route::get("/v1/screening/campaigns/{campaign}/coverage", VIEWERS, "Who is due, sampled, pending, resulted, held, exempt, by place", coverage)
            .asks::<CoverageAsked>()
            .answers::<Coverage>(),
        Route::get("/v1/screening/campaigns/{campaign}/missing", CHASERS, "People who are still due, without names", missing)
            .asks::<MissingAsked>()
            .answers::<Missing>(),
    ]
}

/// A campaign to be opened. `id` makes a resend harmless; take it from your own sequence.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CampaignAsked {
    pub id: EventId,
    pub name: String,
    pub who: Who,
    pub assay: String,
    pub ratio: u16,
    pub opens_us: Timestamp,
    pub closes_us: Timestamp,
    #[serde(default = "once")]
    pub cadence: Cadence,
}

fn once() -> Cadence {
    Cadence::Once
}

#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct CampaignOpened {
    pub campaign: CampaignId,
    pub round: u16,
    /// People on its list.
    pub listed: i64,
}

async fn open(State(app): State<App>, actor: Actor, Body(asked): Body<CampaignAsked>) -> Answered<Json<CampaignOpened>> {
    let command = OpenCampaign {
        name: asked.name,
        who: asked.who,
        assay: asked.assay,
        ratio: asked.ratio,
        opens_us: asked.opens_us,
        closes_us: asked.closes_us,
        cadence: asked.cadence,
    };
    Ok(Json(open_campaign(&app, &actor, asked.id, command).await?))
}

/// Opens a campaign: everybody it names is due.
pub async fn open_campaign(app: &App, actor: &Actor, id: EventId, command: OpenCampaign) -> Result<CampaignOpened, Refusal> {
    let asker = actor.clone();
    let decision = app.decide(actor, id, command, move |tx, command: &OpenCampaign, now| {
        rules::open_campaign(campaign_context(tx, &command.who)?, command, now)?;
        within_scope(tx, &asker, &command.who)
    });
    decision.await?;
    let campaign: CampaignId = id.created();
    opened(app, campaign, 1).await
}

fn campaign_context(tx: &mut Tx<'_>, who: &Who) -> Result<CampaignContext, Undecided> {
    let mut context = CampaignContext { places_known: true, people_known: true };
    for place in who.places.iter().take(rules::WHO_LIMIT) {
        context.places_known &= registry::place(tx, *place)?.is_some();
    }
    for person in who.people.iter().take(rules::WHO_LIMIT) {
        context.people_known &= registry::exists(tx, *person)?;
    }
    Ok(context)
}

/// Whom somebody puts on a list must lie in their scope; tags name people everywhere.
fn within_scope(tx: &mut Tx<'_>, actor: &Actor, who: &Who) -> Result<(), Undecided> {
    if actor.scope == Scope::Everywhere {
        return Ok(());
    }
    if !who.tags.is_empty() {
        return Err(Refusal::forbidden("out-of-scope").into());
    }
    for place in &who.places {
        let chain = registry::place_chain(tx, *place)?;
        actor.must_reach(&chain)?;
    }
    for person in &who.people {
        actor.must_reach(&roster::whereabouts(tx, *person)?.unwrap_or_default().chain())?;
    }
    Ok(())
}

async fn opened(app: &App, campaign: CampaignId, round: u16) -> Result<CampaignOpened, Refusal> {
    let ask = Ask { campaign, round, reach: store::Reach::Everywhere, within: None };
    let counts = app.read(move |tx| Ok(store::total(tx, &ask)?)).await?;
    Ok(CampaignOpened { campaign, round, listed: counts.listed() })
}

/// The next round; without a number it is the one after the last.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct RoundAsked {
    id: EventId,
    round: u16,
    opens_us: Timestamp,
    closes_us: Timestamp,
}

async fn next_round(State(app): State<App>, actor: Actor, At(campaign): At<CampaignId>, Body(asked): Body<RoundAsked>) -> Answered<Json<CampaignOpened>> {
    let command = OpenRound { campaign, round: asked.round, opens_us: asked.opens_us, closes_us: asked.closes_us };
    Ok(Json(open_round(&app, &actor, asked.id, command).await?))
}

pub async fn open_round(app: &App, actor: &Actor, id: EventId, command: OpenRound) -> Result<CampaignOpened, Refusal> {
    let (campaign, round) = (command.campaign, command.round);
    let asker = actor.clone();
    let decision = app.decide(actor, id, command, move |tx, command: &OpenRound, now| {
        let campaign = store::campaign(tx, command.campaign)?;
        rules::open_round(campaign.as_ref(), command, now)?;
        campaign.map_or(Ok(()), |campaign| within_scope(tx, &asker, &campaign.who))
    });
    decision.await?;
    opened(app, campaign, round).await
}

#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct ExemptionAsked {
    id: EventId,
    person: PersonId,
    /// `medical`, `tested_elsewhere`, `left`, `under_age`, `other`.
    reason: String,
    #[serde(default)]
    remark: String,
}

async fn exempt(State(app): State<App>, actor: Actor, At(campaign): At<CampaignId>, Body(asked): Body<ExemptionAsked>) -> Answered<Json<serde_json::Value>> {
    let command = ExemptPerson { campaign, person: asked.person, reason: asked.reason, remark: asked.remark };
    let ordinal = exempt_person(&app, &actor, asked.id, command).await?;
    Ok(Json(serde_json::json!({ "ordinal": ordinal })))
}

pub async fn exempt_person(app: &App, actor: &Actor, id: EventId, command: ExemptPerson) -> Result<i64, Refusal> {
    let asker = actor.clone();
    let decision = app.decide(actor, id, command, move |tx, command: &ExemptPerson, _| {
        let campaign = store::campaign(tx, command.campaign)?;
        let round = campaign.as_ref().map_or(0, |campaign| campaign.rounds);
        let due = store::due(tx, command.campaign, round, command.person)?;
        rules::exempt_person(campaign.as_ref(), due.as_ref().map(|due| due.standing.state), command)?;
        Ok(asker.must_reach(&due.map(|due| due.at.chain()).unwrap_or_default())?)
    });
    Ok(decision.await?.acknowledgement.ordinal)
}

pub async fn close_follow_up(app: &App, actor: &Actor, id: EventId, command: CloseFollowUp) -> Result<i64, Refusal> {
    let asker = actor.clone();
    let decision = app.decide(actor, id, command, move |tx, command: &CloseFollowUp, _| {
        rules::close_follow_up(follow_up::store::is_open(tx, command.tube, command.person)?, command)?;
        Ok(asker.must_reach(&roster::whereabouts(tx, command.person)?.unwrap_or_default().chain())?)
    });
    Ok(decision.await?.acknowledgement.ordinal)
}

pub async fn settle_finding(app: &App, actor: &Actor, id: EventId, command: SettleFinding) -> Result<i64, Refusal> {
    let asker = actor.clone();
    let decision = app.decide(actor, id, command, move |tx, command: &SettleFinding, _| {
        rules::settle_finding(finding::store::is_open(tx, command.subject, &command.code, command.person)?, command)?;
        let about = finding::store::findings_of_subject(tx, command.subject)?.into_iter().find_map(|finding| finding.point);
        let chain = about.map(|point| registry::place_chain(tx, point)).transpose()?.unwrap_or_default();
        Ok(asker.must_reach(&chain)?)
    });
    Ok(decision.await?.acknowledgement.ordinal)
}

#[derive(Debug, Serialize, schemars::JsonSchema)]
struct Campaigns {
    campaigns: Vec<CampaignRow>,
}

/// A campaign as listed.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct CampaignRow {
    pub campaign: CampaignId,
    pub name: String,
    pub assay: String,
    pub ratio: u16,
    pub cadence: Cadence,
    pub round: u16,
    pub opens_us: Timestamp,
    pub closes_us: Timestamp,
    pub running: bool,
}

impl CampaignRow {
    pub fn of(campaign: Campaign, now: Timestamp) -> Self {
        let running = campaign.runs(now);
        Self {
            campaign: campaign.id,
            name: campaign.name,
            assay: campaign.assay,
            ratio: campaign.ratio,
            cadence: campaign.cadence,
            round: campaign.rounds,
            opens_us: campaign.opens,
            closes_us: campaign.closes,
            running,
        }
    }
}

async fn list(State(app): State<App>) -> Answered<Json<Campaigns>> {
    let now = app.ledger.now();
    let campaigns = app.read(|tx| Ok(store::campaigns(tx)?)).await?;
    Ok(Json(Campaigns { campaigns: campaigns.into_iter().map(|campaign| CampaignRow::of(campaign, now)).collect() }))
}

#[derive(Debug, Deserialize, schemars::JsonSchema)]
struct CoverageAsked {
    #[serde(default = "by_zone")]
    by: By,
    round: Option<u16>,
    within: Option<PlaceId>,
}

fn by_zone() -> By {
    By::Zone
}

/// People by state and place. Tubes are never derived from these.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct Coverage {
    pub campaign: CampaignId,
    pub round: u16,
    /// True once the round's window is over: who is still due was missed.
    pub over: bool,
    pub total: CountsAnswered,
    pub places: Vec<PlaceCounts>,
}

#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct PlaceCounts {
    /// Nothing: people who belong to no place of this kind.
    pub place: Option<PlaceId>,
    pub code: String,
    pub name: String,
    #[serde(flatten)]
    pub counts: CountsAnswered,
}

#[derive(Clone, Copy, Debug, Serialize, schemars::JsonSchema)]
pub struct CountsAnswered {
    pub listed: i64,
    /// Not swabbed and the window is open.
    pub due: i64,
    /// Not swabbed and the window is over.
    pub missed: i64,
    pub sampled: i64,
    pub pending: i64,
    pub resulted: i64,
    pub held: i64,
    pub exempt: i64,
    /// Came without being on the list; not part of any other number.
    pub extra: i64,
}

impl CountsAnswered {
    pub fn of(counts: &Counts, over: bool) -> Self {
        let (due, missed) = if over { (0, counts.due) } else { (counts.due, 0) };
        Self {
            listed: counts.listed(),
            due,
            missed,
            sampled: counts.sampled,
            pending: counts.pending,
            resulted: counts.resulted,
            held: counts.held,
            exempt: counts.exempt,
            extra: counts.extra,
        }
    }
}

async fn coverage(State(app): State<App>, actor: Actor, At(campaign): At<CampaignId>, Asked(asked): Asked<CoverageAsked>) -> Answered<Json<Coverage>> {
    let (reach, now) = (reach(&actor), app.ledger.now());
    let answer = app.read(move |tx| coverage_of(tx, campaign, asked.round, asked.by, reach, asked.within, now));
    Ok(Json(answer.await?))
}

/// Coverage of one round (the last when none is named), for API, command line and pages.
pub fn coverage_of(
    tx: &mut Tx<'_>,
    campaign: CampaignId,
    round: Option<u16>,
    by: By,
    reach: store::Reach,
    within: Option<PlaceId>,
    now: Timestamp,
) -> Result<Coverage, Undecided> {
    let (ask, (_, closes)) = ask_for(tx, campaign, round, reach, within)?;
    let over = closes <= now;
    let total = store::total(tx, &ask)?;
    let rows = store::coverage(tx, &ask, by, ROWS_LIMIT)?;
    let names = registry::place_names(tx, &rows.iter().filter_map(|(place, _)| *place).collect::<Vec<PlaceId>>())?;
    let places = rows.into_iter().map(|(place, counts)| {
        let (code, name) = place.and_then(|place| names.get(&place).cloned()).unwrap_or_default();
        PlaceCounts { place, code, name, counts: CountsAnswered::of(&counts, over) }
    });
    Ok(Coverage { campaign, round: ask.round, over, total: CountsAnswered::of(&total, over), places: places.collect() })
}

/// From when to when a round runs.
pub type Window = (Timestamp, Timestamp);

/// What is asked of a round, and its window.
pub fn ask_for(tx: &mut Tx<'_>, campaign: CampaignId, round: Option<u16>, reach: store::Reach, within: Option<PlaceId>) -> Result<(Ask, Window), Undecided> {
    let unknown = || Refusal::absent("campaign-unknown");
    let found = store::campaign(tx, campaign)?.ok_or_else(unknown)?;
    let round = round.unwrap_or(found.rounds);
    let window = store::round_window(tx, campaign, round)?.ok_or_else(unknown)?;
    Ok((Ask { campaign, round, reach, within }, window))
}

/// The curve of those asked for; nothing where quarters of an hour do not tell everybody who is counted: below a grid.
pub fn curve_of(tx: &mut Tx<'_>, ask: &Ask, (opens, closes): Window, total: &CountsAnswered, now: Timestamp) -> StoreResult<Option<Curve>> {
    let curve = Curve { opens, closes, now, whole: total.listed - total.exempt, quarters: board::quarters(tx, ask)? };
    Ok(Some(curve).filter(|curve| curve.came() == total.sampled + total.pending + total.resulted + total.held))
}

#[derive(Debug, Deserialize, schemars::JsonSchema)]
struct MissingAsked {
    round: Option<u16>,
    within: Option<PlaceId>,
    #[serde(default)]
    skip: i64,
}

#[derive(Debug, Serialize, schemars::JsonSchema)]
struct Missing {
    people: Vec<MissingPerson>,
}

#[derive(Debug, Serialize, schemars::JsonSchema)]
struct MissingPerson {
    person: PersonId,
    /// Zone, grid, building, enterprise; only those there are.
    places: Vec<PlaceId>,
    /// Why they are due again: `missing`, `leaked`, …; empty when they never came.
    reason: String,
}

async fn missing(State(app): State<App>, actor: Actor, At(campaign): At<CampaignId>, Asked(asked): Asked<MissingAsked>) -> Answered<Json<Missing>> {
    let reach = reach(&actor);
    let people = app
        .read(move |tx| {
            let (ask, _) = ask_for(tx, campaign, asked.round, reach, asked.within)?;
            Ok(store::missing(tx, &ask, asked.skip.max(0), ROWS_LIMIT)?)
        })
        .await?;
    let people =
        people.into_iter().map(|due| MissingPerson { person: due.person, places: due.at.chain().into_iter().rev().collect(), reason: due.standing.reason });
    Ok(Json(Missing { people: people.collect() }))
}

/// Who sees this campaign's people by name: their scope is theirs alone, so nothing else is asked here.
pub fn may_manage(actor: &Actor) -> bool {
    actor.has_any(&[Role::Administrator, Role::ZoneManager])
}
