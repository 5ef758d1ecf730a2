//! Tonight: the newest forecast on record beside what has happened since, and how good the forecasts were.

use std::collections::HashMap;

use axum::extract::State;
use axum::response::{IntoResponse, Redirect};
use baton_desk::accounts::store as accounts;
use baton_desk::form::Form;
use baton_desk::{Access, Actor, Answered, App, Page, Scope};
use baton_kit::time::HOUR_US;
use baton_kit::{Bucket, EventId, PlaceId, Timestamp};
use baton_laboratory::commands::WATCHERS as LABORATORY;
use baton_laboratory::model::{LIMIT_US, Stage, TubeClock};
use baton_ledger::{StoreResult, Tx, Vault};
use baton_registry::store as registry;
use maud::{Markup, html};
use serde::Deserialize;

use super::{span, styled};
use crate::drawing::{Evening, picture};
use crate::events::{LateTube, StageAhead};
use crate::model::{Foretold, Kept};
use crate::routes::{FORECASTS, FORETELLERS, WATCHERS};
use crate::rules::score::{self, evenings};
use crate::{compute, store};

/// Evenings and forecasts listed.
const EVENINGS: usize = 14;
const LISTED: usize = 24;
/// Results are drawn from so long before the forecast.
const DRAWN_US: i64 = 14 * HOUR_US;

/// A tube that may be late, as it stands now, and who has it.
struct LateNow {
    late: LateTube,
    clock: TubeClock,
    holder: String,
}

struct Tonight {
    now: Timestamp,
    latest: Option<Kept>,
    late: Vec<LateNow>,
    /// Named tubes that lie outside the reader's scope.
    elsewhere: usize,
    out: Vec<(Timestamp, i64)>,
    names: HashMap<PlaceId, (String, String)>,
    foretold: Vec<Foretold>,
}

impl Tonight {
    fn load(tx: &mut Tx<'_>, vault: &Vault, actor: &Actor, now: Timestamp) -> StoreResult<Self> {
        let (foretold, latest) = (store::foretold(tx, FORECASTS)?, store::latest(tx)?);
        let (mut late, mut elsewhere, mut names, mut out) = (Vec::new(), 0, HashMap::new(), Vec::new());
        if let Some(latest) = &latest {
            let places: Vec<PlaceId> = latest.forecast.stages.iter().filter_map(|stage| stage.laboratory).collect();
            names = registry::place_names(tx, &places)?;
            out = store::out_since(tx, latest.made.plus_us(-DRAWN_US))?;
            for tube in latest.forecast.late_tubes.iter().filter(|_| latest.score.is_none()) {
                let Some(clock) = baton_laboratory::store::tube(tx, tube.tube)? else { continue };
                if !sees(tx, actor, &clock)? {
                    elsewhere += 1;
                } else if !matches!(clock.stage(), Stage::Released | Stage::Rejected | Stage::Lost) {
                    late.push(LateNow { holder: holder(tx, vault, &clock)?, late: tube.clone(), clock });
                }
            }
        }
        Ok(Self { now, latest, late, elsewhere, out, names, foretold })
    }
}

/// A tube is seen through its point or its laboratory.
fn sees(tx: &mut Tx<'_>, actor: &Actor, clock: &TubeClock) -> StoreResult<bool> {
    if actor.scope == Scope::Everywhere {
        return Ok(true);
    }
    for place in [clock.laboratory, clock.point].into_iter().flatten() {
        if actor.scope.reaches_any(&registry::place_chain(tx, place)?) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Who has the tube in hand: the point, whoever carries the box, the laboratory.
fn holder(tx: &mut Tx<'_>, vault: &Vault, clock: &TubeClock) -> StoreResult<String> {
    let named = |tx: &mut Tx<'_>, place: Option<PlaceId>| -> StoreResult<String> {
        place.map_or(Ok(None), |place| registry::place(tx, place)).map(|place| place.map(|place| place.name).unwrap_or_default())
    };
    let carried = clock.box_id.filter(|_| clock.accessioned.is_none());
    let Some(row) = carried.map_or(Ok(None), |id| baton_custody::store::one_box(tx, id))? else {
        return named(tx, if clock.accessioned.is_some() { clock.laboratory } else { clock.point });
    };
    if let Some(account) = row.holder_account {
        return Ok(accounts::account(tx, vault, account)?.map_or_else(|| account.to_string(), |account| account.secret.name));
    }
    named(tx, row.holder_laboratory.or(clock.point))
}

pub(super) async fn page(State(app): State<App>, actor: Actor) -> Answered<Markup> {
    let (now, asker, vault) = (app.ledger.now(), actor.clone(), app.ledger.vault().clone());
    let tonight = app.read(move |tx| Ok(Tonight::load(tx, &vault, &asker, now)?)).await?;
    let page = Page::new(&app, &actor);
    let id = if FORETELLERS.admits(&actor) { Some(app.form_id(Bucket::INSTALLATION).await?) } else { None };
    let content = html! {
        @if let Some(id) = id {
            form method="post" action="/tonight" { input type="hidden" name="id" value=(id); button.primary { (page.t("outlook-foretell")) } " " (page.way(WATCHERS, "/what-if", &page.t("outlook-what-if"))) }
        } @else { p { (page.way(WATCHERS, "/what-if", &page.t("outlook-what-if"))) } }
        (page.live("tonight", "outlook", 60, drawn(&page, &tonight)))
    };
    Ok(page.frame(&page.t("outlook-tonight"), styled(content)))
}

#[derive(Deserialize)]
pub(super) struct ForetellForm {
    id: EventId,
}

pub(super) async fn foretell(State(app): State<App>, actor: Actor, Form(form): Form<ForetellForm>) -> Answered {
    compute::record_for(&app, &actor, form.id).await?;
    Ok(Redirect::to("/tonight").into_response())
}

fn drawn(page: &Page<'_>, tonight: &Tonight) -> Markup {
    let Some(latest) = &tonight.latest else { return html! { p.empty { (page.t("outlook-none")) } } };
    html! {
        (figures(page, latest))
        (picture(page, &Evening { out: &tonight.out, forecast: &latest.forecast, made: latest.made, now: tonight.now.min(latest.score.map_or(tonight.now, |score| score.last_result)) }))
        h2 { (page.t("outlook-late-tubes")) }
        (late_table(page, tonight))
        h2 { (page.t("outlook-bottleneck")) }
        (stages(page, tonight, latest))
        h2 { (page.t("outlook-judged")) }
        (judged(page, &tonight.foretold))
    }
}

fn figures(page: &Page<'_>, latest: &Kept) -> Markup {
    let forecast = &latest.forecast;
    let (last, late) = (forecast.last, forecast.late);
    let made = [("time", &*page.time(latest.made)), ("days", &forecast.replications.to_string())];
    let taken = forecast.measured;
    let taken = [("rounds", &*taken.rounds.to_string()), ("plates", &taken.plates.to_string()), ("tubes", &taken.tubes.to_string())];
    html! {
        dl.figures {
            div { dt { (page.t("outlook-last-result")) } dd id="last-result" { (page.hour(last.p50_us)) } dd.note { (page.with("outlook-band", &[("from", &page.hour(last.p10_us)), ("to", &page.hour(last.p90_us))])) } }
            div { dt { (page.t("outlook-late-count")) } dd.bad[late.p50 > 0] { (late.p50) } dd.note { (page.with("outlook-band", &[("from", &late.p10.to_string()), ("to", &late.p90.to_string())])) } }
            div { dt { (page.t("outlook-under-way")) } dd { (forecast.tubes) } }
            div { dt { (page.t("outlook-expected")) } dd { (forecast.expected) } dd.note { (page.with("outlook-until", &[("time", &page.hour(forecast.until_us))])) } }
            @if let Some(score) = latest.score { div { dt { (page.t("outlook-actual")) } dd { (page.hour(score.last_result)) } } }
        }
        p.soft { (page.with("outlook-made", &made)) " " (page.with("outlook-measured", &taken)) " " (page.with("outlook-stretched", &[("percent", &forecast.stretch_percent.to_string())])) }
    }
}

fn late_table(page: &Page<'_>, tonight: &Tonight) -> Markup {
    html! {
        @if tonight.late.is_empty() { p.empty { (page.t("outlook-no-late")) } } @else {
            div.scroll { table {
                thead { tr { th { (page.t("outlook-tube")) } th.number { (page.t("outlook-chance")) } th.number { (page.t("outlook-left")) } th { (page.t("outlook-now-at")) } th { (page.t("outlook-holder")) } th { (page.t("outlook-cause")) } th { (page.t("outlook-lineage")) } } }
                tbody { @for row in &tonight.late {
                    @let code = row.clock.code.clone().unwrap_or_else(|| row.clock.tube.to_string());
                    @let left = LIMIT_US - tonight.now.since(row.clock.began().unwrap_or(tonight.now));
                    tr {
                        td { (page.link(Access::Roles(LABORATORY), &format!("/laboratory/tubes/{}", row.clock.tube), &code)) }
                        td.number { span.bad[row.late.percent >= 50].warn[row.late.percent < 50] { (row.late.percent) "%" } }
                        td.number { (span(left)) }
                        td { (page.t(&format!("laboratory-stage-{}", row.clock.stage().name()))) }
                        td { (row.holder) }
                        td { (page.t(&format!("outlook-stage-{}", row.late.cause))) }
                        td { (page.link(baton_laboratory::TRACE_ACCESS, &format!("/laboratory/lineage/tube/{}", row.clock.tube), &page.t("outlook-people"))) }
                    }
                } }
            } }
        }
        @if tonight.elsewhere > 0 { p.soft { (page.with("outlook-elsewhere", &[("count", &tonight.elsewhere.to_string())])) } }
    }
}

fn stages(page: &Page<'_>, tonight: &Tonight, latest: &Kept) -> Markup {
    let forecast = &latest.forecast;
    let words = |stage: &StageAhead| page.t(&format!("outlook-stage-{}", stage.stage));
    let place = |stage: &StageAhead| stage.laboratory.and_then(|id| tonight.names.get(&id)).map(|(_, name)| name.clone()).unwrap_or_default();
    html! {
        @if let Some(worst) = forecast.stages.get(forecast.bottleneck).filter(|worst| worst.wait_share_percent > 0) {
            p id="bottleneck" { (page.with("outlook-bottleneck-is", &[("stage", &words(worst)), ("place", &place(worst)), ("percent", &worst.wait_share_percent.to_string())])) }
        }
        div.scroll { table {
            thead { tr { th { (page.t("outlook-stage")) } th { (page.t("outlook-laboratory")) } th.number { (page.t("outlook-tubes")) } th.number { (page.t("outlook-used")) } th.number { (page.t("outlook-waiting")) } th { span.hidden { (page.t("outlook-waiting")) } } } }
            tbody { @for stage in &forecast.stages { tr {
                td { (words(stage)) } td { (place(stage)) } td.number { (stage.tubes) }
                td.number { @match stage.utilisation_percent { Some(percent) => { (percent) "%" }, None => "–" } }
                td.number { (stage.wait_share_percent) "%" }
                td { svg.share viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true" { rect.whole width="100" height="10" {} rect.part width=(stage.wait_share_percent) height="10" {} } }
            } } }
        } }
    }
}

/// How good the forecasts were: by evening at half time, and the latest one by one.
fn judged(page: &Page<'_>, foretold: &[Foretold]) -> Markup {
    let evenings = evenings(foretold);
    let (held, all): (usize, usize) = evenings.iter().fold((0, 0), |(held, all), evening| (held + evening.within, all + evening.forecasts));
    html! {
        @if evenings.is_empty() { p.empty { (page.t("outlook-not-judged")) } } @else {
            p { (page.with("outlook-coverage", &[("held", &held.to_string()), ("all", &all.to_string()), ("percent", &(held * 100 / all.max(1)).to_string())])) }
            div.scroll { table {
                thead { tr { th { (page.t("outlook-actual")) } th.number { (page.t("outlook-forecasts")) } th.number { (page.t("outlook-held")) } th { (page.t("outlook-half-time")) } th.number { (page.t("outlook-error")) } th.number { (page.t("outlook-error-share")) } } }
                tbody { @for evening in evenings.iter().take(EVENINGS) { (evening_row(page, evening)) } }
            } }
        }
        details { summary { (page.t("outlook-all-forecasts")) }
            div.scroll { table {
                thead { tr { th { (page.t("outlook-made-at")) } th { (page.t("outlook-last-result")) } th { (page.t("outlook-band-80")) } th { (page.t("outlook-actual")) } th { (page.t("outlook-held")) } } }
                tbody { @for foretold in foretold.iter().take(LISTED) { (forecast_row(page, foretold)) } }
            } }
        }
    }
}

fn evening_row(page: &Page<'_>, evening: &score::Evening) -> Markup {
    let (score, half) = (evening.score, &evening.at_half_time);
    let share = score.error_share(half).map(|share| format!("{:.0}%", share * 100.0));
    html! { tr {
        td { (page.time(score.last_result)) }
        td.number { (evening.forecasts) }
        td.number { (evening.within * 100 / evening.forecasts.max(1)) "%" }
        td { (page.with("outlook-foretold", &[("made", &page.hour(half.made)), ("last", &page.hour(half.last.p50_us))])) }
        td.number { (span(score.error_us(half))) }
        td.number { (share.unwrap_or_default()) }
    } }
}

fn forecast_row(page: &Page<'_>, foretold: &Foretold) -> Markup {
    let last = foretold.last;
    html! { tr {
        td { (page.time(foretold.made)) } td { (page.hour(last.p50_us)) } td { (page.hour(last.p10_us)) "–" (page.hour(last.p90_us)) }
        @match foretold.score {
            Some(score) => { td { (page.hour(score.last_result)) } td { @if score.within(foretold) { span.good { (page.t("outlook-yes")) } } @else { span.bad { (page.t("outlook-no")) } } } },
            None => { td {} td {} },
        }
    } }
}
