//! Campaigns, coverage board, missing list, door-to-door sheet.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect};
use baton_desk::form::{Asked, At, Form};
use baton_desk::paper::download;
use baton_desk::{Actor, Answered, App, Page, Route, any_id};
use baton_kit::{Bucket, CampaignId, EventId, PersonId, PlaceId, Refusal, Timestamp, time::HOUR_US};
use baton_ledger::{Tx, Undecided};
use baton_registry::events::PlaceKind;
use baton_registry::store as registry;
use baton_sheets::ColumnKind;
use maud::{Markup, html};
use serde::Deserialize;

use super::routes::{self, Coverage, PlaceCounts, ask_for, coverage_of, curve_of, may_manage};
use super::store::{self, Ask, By};
use crate::board::{self, curve::Curve};
use crate::events::{Cadence, ExemptPerson, OpenCampaign, OpenRound, Who};
use crate::model::{Campaign, Due};
use crate::rules::{EXEMPTIONS, RATIOS};
use crate::view::{self, CHASERS, MANAGERS, VIEWERS, figure, place_of, reach};

/// People on one page of the missing list.
const PAGE: i64 = 100;
/// People in one download; more needs a smaller place.
const EXPORT_LIMIT: i64 = 20_000;
/// Places in one table: more would be heavy on a phone, and need a smaller place.
const ROWS_SHOWN: usize = 1_000;
/// People on one door-to-door sheet.
const SHEET_LIMIT: i64 = 500;

pub fn routes() -> Vec<Route> {
    vec![
        Route::get("/campaigns", VIEWERS, "Campaigns", list),
        Route::post("/campaigns", MANAGERS, "Open a campaign", open),
        Route::get("/campaigns/{campaign}", VIEWERS, "Coverage of a campaign", board),
        Route::post("/campaigns/{campaign}/rounds", MANAGERS, "Open the next round", open_round),
        Route::get("/campaigns/{campaign}/missing", CHASERS, "Who is still missing", missing),
        Route::post("/campaigns/{campaign}/exemptions", MANAGERS, "Excuse a person", exempt),
        Route::get("/campaigns/{campaign}/missing.csv", CHASERS, "Missing people as CSV", missing_csv),
        Route::get("/campaigns/{campaign}/missing.xlsx", CHASERS, "Missing people as XLSX", missing_xlsx),
        Route::get("/campaigns/{campaign}/doors", CHASERS, "Door-to-door sheet", doors),
    ]
}

async fn list(State(app): State<App>, actor: Actor) -> Answered<Markup> {
    let now = app.ledger.now();
    let reached = reach(&actor);
    let (rows, zones) = app
        .read(move |tx| {
            let mut rows = Vec::new();
            for campaign in store::campaigns(tx)?.into_iter().take(50) {
                let ask = store::Ask { campaign: campaign.id, round: campaign.rounds, reach: reached.clone(), within: None };
                let counts = store::total(tx, &ask)?;
                rows.push((campaign, counts));
            }
            Ok((rows, registry::places_of_kind(tx, PlaceKind::Zone, 200)?))
        })
        .await?;
    let form_id = if may_manage(&actor) { Some(app.form_id(Bucket::INSTALLATION).await?) } else { None };
    let page = Page::new(&app, &actor);
    let content = html! {
        link rel="stylesheet" href="/assets/screening.css";
        @if rows.is_empty() { p.empty { (page.t("screening-no-campaigns")) } }
        @else {
            div.scroll { table {
                thead { tr {
                    th { (page.t("screening-campaign")) } th { (page.t("screening-window")) } th.number { (page.t("screening-round")) } th.number { (page.t("screening-ratio")) }
                    th.number { (page.t("screening-listed")) } th.number { (page.t("screening-came")) } th { (page.t("screening-coverage")) }
                } }
                tbody { @for (campaign, counts) in &rows { (campaign_row(&page, campaign, counts, now)) } }
            } }
        }
        @if let Some(id) = form_id { (open_form(&page, id, &zones, now)) }
    };
    Ok(page.frame(&page.t("screening-campaigns"), content))
}

fn campaign_row(page: &Page<'_>, campaign: &Campaign, counts: &store::Counts, now: Timestamp) -> Markup {
    html! {
        tr {
            td { a href=(format!("/campaigns/{}", campaign.id)) { (campaign.name) } @if campaign.runs(now) { " " span.good { (page.t("screening-running")) } } }
            td { (page.time(campaign.opens)) " – " (page.time(campaign.closes)) }
            td.number { (campaign.rounds) }
            td.number { (campaign.ratio) ":1" }
            td.number { (counts.listed()) }
            td.number { (counts.came()) }
            td { (coverage_bar(counts.resulted, counts.came() - counts.resulted - counts.held, counts.held, counts.listed() - counts.exempt)) }
        }
    }
}

fn coverage_bar(resulted: i64, under_way: i64, held: i64, whole: i64) -> Markup {
    view::bar(&[("resulted", resulted), ("sampled", under_way), ("held", held)], whole)
}

fn open_form(page: &Page<'_>, id: EventId, zones: &[baton_registry::model::Place], now: Timestamp) -> Markup {
    let field = |words: &str, name: &str, kind: &str, value: String| html! { label { span { (page.t(words)) } input type=(kind) name=(name) id=(format!("campaign-{name}")) value=(value) required; } };
    let local = |at: Timestamp| page.time(at).replace(' ', "T");
    html! {
        h2 { (page.t("screening-open-campaign")) }
        form id="open-campaign" method="post" action="/campaigns" {
            input type="hidden" name="id" value=(id);
            (field("screening-name", "name", "text", String::new()))
            fieldset { legend { (page.t("screening-zones")) }
                @for zone in zones.iter().filter(|zone| !zone.closed && page.actor.scope.reaches(zone.id)) {
                    label.check { input type="checkbox" name="zone" value=(zone.id); span { (zone.code) " " (zone.name) } }
                }
            }
            label { span { (page.t("screening-places")) } textarea name="places" id="campaign-places" rows="2" {} }
            label { span { (page.t("screening-tags")) } input name="tags" id="campaign-tags"; }
            label { span { (page.t("screening-people")) } textarea name="people" id="campaign-people" rows="2" {} }
            (field("screening-assay", "assay", "text", "orf1ab-n-ic".to_owned()))
            label { span { (page.t("screening-ratio")) } select name="ratio" id="campaign-ratio" { @for ratio in RATIOS { option value=(ratio) selected[ratio == 10] { (ratio) ":1" } } } }
            (field("screening-opens", "opens", "datetime-local", local(now)))
            (field("screening-closes", "closes", "datetime-local", local(now.plus_us(12 * HOUR_US))))
            (field("screening-every-days", "every_days", "number", "0".to_owned()))
            button.primary { (page.t("screening-open-campaign")) }
        }
    }
}

#[derive(Deserialize)]
struct OpenForm {
    id: EventId,
    name: String,
    #[serde(default)]
    zone: Vec<PlaceId>,
    #[serde(default)]
    places: String,
    #[serde(default)]
    tags: String,
    #[serde(default)]
    people: String,
    assay: String,
    ratio: u16,
    opens: String,
    closes: String,
    every_days: u16,
}

fn pieces(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c.is_whitespace() || [',', ';', ',', '、', ';'].contains(&c)).filter(|piece| !piece.is_empty())
}

async fn open(State(app): State<App>, actor: Actor, Form(form): Form<OpenForm>) -> Answered {
    let (zone, texts) = (form.zone, form.places);
    let mut places = app.read(move |tx| pieces(&texts).map(|code| place_named(tx, code)).collect::<Result<Vec<PlaceId>, Undecided>>()).await?;
    places.extend(zone);
    let people: Result<Vec<PersonId>, Refusal> = pieces(&form.people).map(|text| text.parse().map_err(|_| Refusal::ruled("who-unknown"))).collect();
    let when = |text: &str| app.site.parse(text).ok_or_else(|| Refusal::ruled("window-wrong"));
    let command = OpenCampaign {
        name: form.name.trim().to_owned(),
        who: Who { places, tags: pieces(&form.tags).map(str::to_owned).collect(), people: people? },
        assay: form.assay.trim().to_owned(),
        ratio: form.ratio,
        opens_us: when(&form.opens)?,
        closes_us: when(&form.closes)?,
        cadence: if form.every_days == 0 { Cadence::Once } else { Cadence::EveryDays(form.every_days) },
    };
    let opened = routes::open_campaign(&app, &actor, form.id, command).await?;
    Ok(Redirect::to(&format!("/campaigns/{}", opened.campaign)).into_response())
}

/// A place by its id or by its code among grids, buildings, enterprises and zones.
fn place_named(tx: &mut Tx<'_>, text: &str) -> Result<PlaceId, Undecided> {
    if let Ok(id) = text.parse::<PlaceId>()
        && registry::place(tx, id)?.is_some()
    {
        return Ok(id);
    }
    for kind in [PlaceKind::Grid, PlaceKind::Building, PlaceKind::Enterprise, PlaceKind::Zone] {
        if let Some(id) = registry::place_by_code(tx, kind, text)? {
            return Ok(id);
        }
    }
    registry::place_by_credit_code(tx, text)?.ok_or_else(|| Refusal::ruled("screening-place-code-unknown").with("code", text).into())
}

#[derive(Deserialize)]
struct BoardAsked {
    #[serde(default = "By::zone")]
    by: By,
    round: Option<u16>,
    within: Option<PlaceId>,
}

impl By {
    fn zone() -> Self {
        By::Zone
    }
}

async fn board(State(app): State<App>, actor: Actor, At(id): At<CampaignId>, Asked(asked): Asked<BoardAsked>) -> Answered<Markup> {
    let (reached, now) = (reach(&actor), app.ledger.now());
    let (by, within) = (asked.by, asked.within);
    let (campaign, coverage, reasons, follow_ups, place, picture) = app
        .read(move |tx| {
            let campaign = store::campaign(tx, id)?.ok_or_else(|| Refusal::absent("campaign-unknown"))?;
            let coverage = coverage_of(tx, id, asked.round, by, reached.clone(), within, now)?;
            let (ask, window) = ask_for(tx, id, asked.round, reached, within)?;
            let picture = Picture::load(tx, &ask, window, &coverage.total, now)?;
            let reasons = board::store::reasons(tx, &ask)?;
            let follow_ups = crate::follow_up::store::counts(tx, id)?;
            let place = within.map(|place| registry::place(tx, place)).transpose()?.flatten();
            Ok((campaign, coverage, reasons, follow_ups, place, picture))
        })
        .await?;
    let form_id = if may_manage(&actor) && campaign.cadence != Cadence::Once { Some(app.form_id(Bucket::INSTALLATION).await?) } else { None };
    let page = Page::new(&app, &actor);
    let open_follow_ups: i64 = follow_ups.iter().filter(|(closed, _)| closed.is_empty()).map(|(_, n)| n).sum();
    let title = place.map_or_else(|| campaign.name.clone(), |place| format!("{} · {}", campaign.name, place.name));
    let live = html! {
        (totals(&page, &coverage))
        (picture.draw(&page, &coverage))
        (reason_list(&page, &reasons))
        nav.by aria-label=(page.t("screening-by")) { @for choice in By::ALL { a href=(link(id, &coverage, choice, within)) aria-current=[(choice == by).then_some("page")] { (page.t(&format!("screening-by-{}", choice.name()))) } } }
        (coverage_table(&page, &coverage, by))
    };
    let content = html! {
        link rel="stylesheet" href="/assets/screening.css";
        p.soft { (page.time(campaign.opens)) " – " (page.time(campaign.closes)) " · " (campaign.ratio) ":1 · " span.code { (campaign.assay) } " · " (page.with("screening-round-n", &[("round", &coverage.round.to_string())])) }
        p {
            @if CHASERS.admits(&actor) { a.button id="missing-list" href=(format!("/campaigns/{id}/missing")) { (page.t("screening-missing-list")) } " " a.button id="follow-up-list" href=(format!("/campaigns/{id}/follow-up")) { (page.t("screening-follow-up")) " " (open_follow_ups) } " " }
            @for round in 1..=campaign.rounds { @if campaign.rounds > 1 { a href=(format!("/campaigns/{id}?round={round}")) { (page.with("screening-round-n", &[("round", &round.to_string())])) } " " } }
        }
        (page.live("board", &format!("campaign:{id}"), 60, live))
        p id="report" { (page.t("screening-report")) " " @for form in ["pdf", "xlsx", "csv"] { a.button href=(format!("/v1/screening/campaigns/{id}/report.{form}?round={}", coverage.round)) aria-label={ (page.t("screening-report")) " " (form.to_uppercase()) } { (form.to_uppercase()) } " " } }
        @if let Some(form) = form_id { (round_form(&page, form, &campaign)) }
    };
    Ok(page.frame(&title, content))
}

/// What the board draws beside its tables.
struct Picture {
    spots: Vec<board::store::Spot>,
    names: std::collections::HashMap<PlaceId, (String, String)>,
    /// Nothing where quarters of an hour do not tell everybody who is shown: below a grid.
    curve: Option<Curve>,
}

impl Picture {
    fn load(tx: &mut Tx<'_>, ask: &Ask, window: routes::Window, total: &routes::CountsAnswered, now: Timestamp) -> Result<Self, Undecided> {
        let spots = board::store::spots(tx, ask)?;
        let names = registry::place_names(tx, &board::drawing::places(&spots))?;
        let curve = curve_of(tx, ask, window, total, now)?;
        Ok(Self { spots, names, curve })
    }

    fn draw(&self, page: &Page<'_>, coverage: &Coverage) -> Markup {
        let to = |place: PlaceId| {
            if CHASERS.admits(page.actor) {
                format!("/campaigns/{}/missing?round={}&within={place}", coverage.campaign, coverage.round)
            } else {
                link(coverage.campaign, coverage, By::Building, Some(place))
            }
        };
        html! {
            @if let Some(curve) = &self.curve { (board::drawing::curve(page, curve)) }
            @if self.spots.iter().any(|spot| spot.counts.listed() > spot.counts.exempt) { (board::drawing::map(page, &self.spots, &self.names, &to)) }
        }
    }
}

fn link(id: CampaignId, coverage: &Coverage, by: By, within: Option<PlaceId>) -> String {
    let within = within.map(|place| format!("&within={place}")).unwrap_or_default();
    format!("/campaigns/{id}?by={}&round={}{within}", by.name(), coverage.round)
}

fn totals(page: &Page<'_>, coverage: &Coverage) -> Markup {
    let total = &coverage.total;
    html! {
        dl.figures id="totals" {
            (figure(page, "screening-listed", total.listed))
            @if coverage.over { (figure(page, "screening-state-missed", total.missed)) } @else { (figure(page, "screening-state-due", total.due)) }
            (figure(page, "screening-state-sampled", total.sampled))
            (figure(page, "screening-state-pending", total.pending))
            (figure(page, "screening-state-resulted", total.resulted))
            (figure(page, "screening-state-held", total.held))
            (figure(page, "screening-state-exempt", total.exempt))
            (figure(page, "screening-extra", total.extra))
        }
    }
}

fn reason_list(page: &Page<'_>, reasons: &[(crate::model::DueState, String, i64)]) -> Markup {
    html! {
        @if !reasons.is_empty() {
            ul id="reasons" { @for (state, reason, n) in reasons { li { (page.t(&format!("screening-state-{}", state.name()))) ": " (reason_words(page, reason)) " " (n) } } }
        }
    }
}

/// A coded reason in words; codes of other rooms that have none here are shown as they are.
pub fn reason_words(page: &Page<'_>, reason: &str) -> String {
    page.words.find(&format!("screening-reason-{reason}"), &[]).unwrap_or_else(|| reason.to_owned())
}

fn coverage_table(page: &Page<'_>, coverage: &Coverage, by: By) -> Markup {
    let gone = if coverage.over { "screening-state-missed" } else { "screening-state-due" };
    html! {
        div.scroll { table id="coverage" {
            thead { tr {
                th { (page.t(&format!("screening-by-{}", by.name()))) } th.number { (page.t("screening-listed")) } th.number { (page.t(gone)) }
                @for state in ["sampled", "pending", "resulted", "held", "exempt"] { th.number { (page.t(&format!("screening-state-{state}"))) } }
                th.number { (page.t("screening-extra")) } th { (page.t("screening-coverage")) }
            } }
            tbody { @for row in coverage.places.iter().take(ROWS_SHOWN) { (coverage_row(page, coverage, row, by)) } }
        } }
        @if coverage.places.len() > ROWS_SHOWN { p.soft { (page.with("screening-coverage-cut", &[("limit", &ROWS_SHOWN.to_string())])) } }
    }
}

fn coverage_row(page: &Page<'_>, coverage: &Coverage, row: &PlaceCounts, by: By) -> Markup {
    let counts = &row.counts;
    let deeper = match by {
        By::Zone => By::Grid,
        By::Grid => By::Building,
        By::Building | By::Enterprise => By::Enterprise,
    };
    let open = counts.due + counts.missed;
    html! {
        tr {
            td { @match row.place {
                Some(place) => { a href=(link(coverage.campaign, coverage, deeper, Some(place))) { (row.code) " " (row.name) } }
                None => { span.soft { (page.t("screening-no-place")) } }
            } }
            td.number { (counts.listed) }
            td.number { @match row.place {
                Some(place) if open > 0 && CHASERS.admits(page.actor) => { a href=(format!("/campaigns/{}/missing?round={}&within={place}", coverage.campaign, coverage.round)) { (open) } }
                _ => { (open) }
            } }
            td.number { (counts.sampled) } td.number { (counts.pending) } td.number { (counts.resulted) } td.number { (counts.held) } td.number { (counts.exempt) } td.number { (counts.extra) }
            td { (coverage_bar(counts.resulted, counts.sampled + counts.pending, counts.held, counts.listed - counts.exempt)) }
        }
    }
}

fn round_form(page: &Page<'_>, id: EventId, campaign: &Campaign) -> Markup {
    let days = match campaign.cadence {
        Cadence::EveryDays(days) => i64::from(days),
        Cadence::Once => 1,
    };
    let local = |at: Timestamp| page.time(at.plus_us(days * 24 * HOUR_US)).replace(' ', "T");
    html! {
        h2 { (page.t("screening-next-round")) }
        form id="open-round" method="post" action=(format!("/campaigns/{}/rounds", campaign.id)) {
            input type="hidden" name="id" value=(id);
            input type="hidden" name="round" value=(campaign.rounds + 1);
            label { span { (page.t("screening-opens")) } input type="datetime-local" name="opens" value=(local(campaign.opens)) required; }
            label { span { (page.t("screening-closes")) } input type="datetime-local" name="closes" value=(local(campaign.closes)) required; }
            button { (page.t("screening-next-round")) }
        }
    }
}

#[derive(Deserialize)]
struct RoundForm {
    id: EventId,
    round: u16,
    opens: String,
    closes: String,
}

async fn open_round(State(app): State<App>, actor: Actor, At(campaign): At<CampaignId>, Form(form): Form<RoundForm>) -> Answered {
    let when = |text: &str| app.site.parse(text).ok_or_else(|| Refusal::ruled("window-wrong"));
    let command = OpenRound { campaign, round: form.round, opens_us: when(&form.opens)?, closes_us: when(&form.closes)? };
    routes::open_round(&app, &actor, form.id, command).await?;
    Ok(Redirect::to(&format!("/campaigns/{campaign}")).into_response())
}

#[derive(Deserialize)]
struct MissingAsked {
    round: Option<u16>,
    within: Option<PlaceId>,
    #[serde(default)]
    skip: i64,
}

impl MissingAsked {
    /// As it stands behind a `?`, for links.
    fn query(&self) -> String {
        let round = self.round.map(|round| format!("round={round}&")).unwrap_or_default();
        let within = self.within.map(|place| format!("within={place}&")).unwrap_or_default();
        format!("{round}{within}")
    }
}

/// One missing person, ready to be shown.
struct Row {
    due: Due,
    name: String,
    document_tail: String,
    phone: String,
    address: String,
    /// Zone, grid, building, enterprise by name.
    places: [String; 4],
}

/// Loads missing people with their names and puts the look on record.
async fn load(app: &App, actor: &Actor, campaign: CampaignId, asked: &MissingAsked, limit: i64) -> Result<(Vec<Row>, i64, Campaign), Refusal> {
    let (reached, round, within, skip) = (reach(actor), asked.round, asked.within, asked.skip.max(0));
    let vault = app.ledger.vault().clone();
    let (rows, all, campaign) = app
        .read(move |tx| {
            let found = store::campaign(tx, campaign)?.ok_or_else(|| Refusal::absent("campaign-unknown"))?;
            let (ask, _) = ask_for(tx, campaign, round, reached, within)?;
            let all = store::total(tx, &ask)?.due;
            let mut rows = Vec::new();
            for due in store::missing(tx, &ask, skip, limit)? {
                let particulars = registry::person(tx, &vault, due.person)?.and_then(|person| person.particulars);
                let (name, document, phone, address) =
                    particulars.map_or_else(Default::default, |p| (p.name, p.document, p.phone.unwrap_or_default(), p.address.unwrap_or_default()));
                rows.push(Row { document_tail: baton_registry::rules::document::tail(&document), due, name, phone, address, places: Default::default() });
            }
            let names = registry::place_names(tx, &rows.iter().flat_map(|row| row.due.at.chain()).collect::<Vec<PlaceId>>())?;
            let name = |raw: i64| place_of(raw).and_then(|place| names.get(&place)).map(|(_, name)| name.clone()).unwrap_or_default();
            for row in &mut rows {
                row.places = [name(row.due.at.zone), name(row.due.at.grid), name(row.due.at.building), name(row.due.at.enterprise)];
            }
            Ok((rows, all, found))
        })
        .await?;
    app.looked(actor, rows.iter().map(|row| any_id(row.due.person)).collect(), "missing list");
    Ok((rows, all, campaign))
}

async fn missing(State(app): State<App>, actor: Actor, At(id): At<CampaignId>, Asked(asked): Asked<MissingAsked>) -> Answered<Markup> {
    let (rows, all, campaign) = load(&app, &actor, id, &asked, PAGE).await?;
    let form_id = if may_manage(&actor) { Some(app.form_id(Bucket::INSTALLATION).await?) } else { None };
    let page = Page::new(&app, &actor);
    let query = asked.query();
    let content = html! {
        link rel="stylesheet" href="/assets/screening.css";
        p { (page.with("screening-missing-count", &[("count", &all.to_string())])) }
        p.no-print {
            a.button href=(format!("/campaigns/{id}/missing.xlsx?{query}")) { "XLSX" } " " a.button href=(format!("/campaigns/{id}/missing.csv?{query}")) { "CSV" } " "
            a.button href=(format!("/campaigns/{id}/doors?{query}")) { (page.t("screening-doors")) }
        }
        @if rows.is_empty() { p.empty { (page.t("screening-nobody-missing")) } } @else { (missing_table(&page, &rows, form_id.is_some())) }
        p {
            @if asked.skip > 0 { a.button rel="prev" href=(format!("/campaigns/{id}/missing?{query}skip={}", (asked.skip - PAGE).max(0))) { (page.t("screening-previous")) } " " }
            @if asked.skip + PAGE < all { a.button rel="next" href=(format!("/campaigns/{id}/missing?{query}skip={}", asked.skip.max(0) + PAGE)) { (page.t("screening-next")) } }
        }
        @if let Some(form) = form_id.filter(|_| !rows.is_empty()) { (exempt_form(&page, form, id)) }
    };
    Ok(page.frame(&page.with("screening-missing-of", &[("campaign", &campaign.name)]), content))
}

const COLUMNS: [&str; 8] = [
    "screening-person-name",
    "screening-document-tail",
    "screening-phone",
    "screening-by-zone",
    "screening-by-grid",
    "screening-by-building",
    "screening-by-enterprise",
    "screening-reason",
];

fn cells(page: &Page<'_>, row: &Row) -> [String; 8] {
    let [zone, grid, building, enterprise] = row.places.clone();
    let reason = if row.due.standing.reason.is_empty() { String::new() } else { reason_words(page, &row.due.standing.reason) };
    [row.name.clone(), row.document_tail.clone(), row.phone.clone(), zone, grid, building, enterprise, reason]
}

fn missing_table(page: &Page<'_>, rows: &[Row], choose: bool) -> Markup {
    html! {
        div.scroll { table id="missing" {
            thead { tr { @if choose { th {} } @for column in COLUMNS { th { (page.t(column)) } } } }
            tbody { @for row in rows { tr {
                @if choose { td { input type="radio" name="person" value=(row.due.person) form="exempt" aria-label=(page.t("screening-exempt-do")) required; } }
                @for cell in cells(page, row) { td { (cell) } }
            } } }
        } }
    }
}

fn exempt_form(page: &Page<'_>, id: EventId, campaign: CampaignId) -> Markup {
    html! {
        h2 { (page.t("screening-exempt-title")) }
        form id="exempt" method="post" action=(format!("/campaigns/{campaign}/exemptions")) {
            input type="hidden" name="id" value=(id);
            label { span { (page.t("screening-reason")) } select name="reason" { @for reason in EXEMPTIONS { option value=(reason) { (reason_words(page, reason)) } } } }
            label { span { (page.t("screening-remark")) } input name="remark" maxlength="500"; }
            button { (page.t("screening-exempt-do")) }
        }
    }
}

#[derive(Deserialize)]
struct ExemptForm {
    id: EventId,
    person: PersonId,
    reason: String,
    #[serde(default)]
    remark: String,
}

async fn exempt(State(app): State<App>, actor: Actor, At(campaign): At<CampaignId>, Form(form): Form<ExemptForm>) -> Answered {
    let command = ExemptPerson { campaign, person: form.person, reason: form.reason, remark: form.remark };
    let ordinal = routes::exempt_person(&app, &actor, form.id, command).await?;
    app.seen(ordinal).await;
    Ok(Redirect::to(&format!("/campaigns/{campaign}/missing")).into_response())
}

/// A download holds everybody or is refused: a list cut short would pass for the whole.
fn fits_download(people: i64) -> Result<(), Refusal> {
    if people > EXPORT_LIMIT {
        return Err(Refusal::ruled("list-too-long").with("count", people).with("limit", EXPORT_LIMIT));
    }
    Ok(())
}

async fn export(app: &App, actor: &Actor, id: CampaignId, asked: &MissingAsked) -> Result<(Vec<String>, Vec<[String; 8]>), Refusal> {
    let (rows, all, _) = load(app, actor, id, asked, EXPORT_LIMIT).await?;
    fits_download(all)?;
    let page = Page::new(app, actor);
    Ok((COLUMNS.iter().map(|column| page.t(column)).collect(), rows.iter().map(|row| cells(&page, row)).collect()))
}

async fn missing_csv(State(app): State<App>, actor: Actor, At(id): At<CampaignId>, Asked(asked): Asked<MissingAsked>) -> Answered {
    let (headers, rows) = export(&app, &actor, id, &asked).await?;
    Ok(download(baton_sheets::write_csv(&headers, rows), "text/csv; charset=utf-8", "missing.csv"))
}

async fn missing_xlsx(State(app): State<App>, actor: Actor, At(id): At<CampaignId>, Asked(asked): Asked<MissingAsked>) -> Answered {
    let (headers, rows) = export(&app, &actor, id, &asked).await?;
    let bytes = app
        .blocking(move || {
            baton_sheets::write_xlsx("missing", &headers, rows, &[ColumnKind::Text; 8]).map_err(|error| baton_ledger::StoreError::Other(error).into())
        })
        .await?;
    Ok(download(bytes, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "missing.xlsx"))
}

async fn doors(State(app): State<App>, actor: Actor, At(id): At<CampaignId>, Asked(asked): Asked<MissingAsked>) -> Answered<Markup> {
    let (mut rows, all, campaign) = load(&app, &actor, id, &asked, SHEET_LIMIT).await?;
    // A household opens one door, wherever its people work.
    rows.sort_by_key(|row| (row.due.at.zone, row.due.at.grid, row.due.at.building, row.due.at.household, row.due.person));
    let page = Page::new(&app, &actor);
    let content = html! {
        link rel="stylesheet" href="/assets/screening.css";
        p.no-print { button.primary data-print="" { (page.t("screening-print")) } " " (page.with("screening-missing-count", &[("count", &all.to_string())])) }
        @if all > SHEET_LIMIT { p.notice.warn { (page.with("screening-sheet-cut", &[("limit", &SHEET_LIMIT.to_string())])) } }
        @for group in rows.chunk_by(|a, b| (a.due.at.zone, a.due.at.grid, a.due.at.building) == (b.due.at.zone, b.due.at.grid, b.due.at.building)) { (building_sheet(&page, group)) }
    };
    Ok(page.frame(&page.with("screening-doors-of", &[("campaign", &campaign.name)]), content))
}

/// One building's people, a household after the other, with boxes to tick at the door.
fn building_sheet(page: &Page<'_>, group: &[Row]) -> Markup {
    let places: Vec<&str> = group.first().map(|row| row.places[..3].iter().map(String::as_str).filter(|name| !name.is_empty()).collect()).unwrap_or_default();
    let heading = if places.is_empty() { page.t("screening-no-place") } else { places.join(" · ") };
    html! {
        section.building {
            h2 { (heading) }
            table.doors {
                thead { tr {
                    th { (page.t("screening-person-name")) } th { (page.t("screening-document-tail")) } th { (page.t("screening-phone")) } th { (page.t("screening-address")) } th { (page.t("screening-by-enterprise")) }
                    th { (page.t("screening-door-swabbed")) } th { (page.t("screening-door-absent")) } th { (page.t("screening-door-declined")) }
                } }
                @for household in group.chunk_by(|a, b| a.due.at.household != 0 && a.due.at.household == b.due.at.household) {
                    tbody { @for row in household { tr { td { (row.name) } td { (row.document_tail) } td { @if !row.phone.is_empty() { a href={ "tel:" (row.phone) } { (row.phone) } } } td { (row.address) } td { (row.places[3]) } td.tick { "☐" } td.tick { "☐" } td.tick { "☐" } } } }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_download_is_whole_or_refused() {
        assert_eq!(fits_download(EXPORT_LIMIT), Ok(()));
        let refusal = fits_download(EXPORT_LIMIT + 1).unwrap_err();
        assert_eq!((refusal.code, &refusal.arguments[0]), ("list-too-long", &("count", "20001".to_owned())));
    }
}
