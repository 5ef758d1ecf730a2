//! One tube: its way by stage, its results with every earlier value, its lots and hands, and the way to correct it.

use std::collections::HashMap;

use axum::extract::State;
use axum::response::Redirect;
use baton_desk::answer::Answered;
use baton_desk::form::{At, Form};
use baton_desk::{Actor, App, Page, Route};
use baton_kit::{AccountId, EventId, Refusal, TubeId};
use maud::{Markup, html};
use serde::Deserialize;

use super::{account_names, coded, finding_words, form_id, name_of, outcome_class, outcome_words, span, styled};
use crate::commands::{self, BENCH};
use crate::events::{AmendResult, ProposeAmendment, TubeOutcome};
use crate::model::{LIMIT_US, Release, ResultState, TubeClock, TubeResult};
use crate::person::{LotUsed, lots_of_tube};
use crate::routes::{BENCH_ACCESS, TRACE_ACCESS, WATCH_ACCESS};
use crate::rules::amendment::Proposed;
use crate::store::lineage::{Hand, Origin, WellOf, hands_of_tube, wells_of_tube};
use crate::store::{self, results};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/laboratory/tubes/{tube}", WATCH_ACCESS, "One tube: way, results, lots, hands", tube_page),
        Route::post("/laboratory/tubes/{tube}/amend", BENCH_ACCESS, "Propose or confirm a correction", amend),
    ]
}

struct Tube {
    clock: TubeClock,
    versions: Vec<TubeResult>,
    amendment: Option<Proposed>,
    wells: Vec<WellOf>,
    hands: Vec<Hand>,
    lots: Vec<LotUsed>,
    findings: Vec<results::Finding>,
    names: HashMap<AccountId, String>,
}

async fn tube_page(State(app): State<App>, actor: Actor, At(id): At<TubeId>) -> Answered<Markup> {
    commands::tube_reached(&app, &actor, id).await?;
    let vault = app.ledger.vault().clone();
    let tube = app
        .read(move |tx| {
            let clock = store::tube(tx, id)?.ok_or_else(|| Refusal::absent("lab-tube-unknown").with("tube", id))?;
            let (hands, versions) = (hands_of_tube(tx, id)?, results::versions(tx, id)?);
            let amendment = results::amendment(tx, id)?;
            let people = hands.iter().map(|hand| hand.account).chain(amendment.iter().filter_map(|proposed| proposed.by));
            let names = account_names(tx, &vault, people)?;
            Ok(Tube {
                lots: lots_of_tube(tx, &clock)?,
                findings: results::open_findings_of(tx, id)?,
                amendment,
                wells: wells_of_tube(tx, id)?,
                clock,
                hands,
                versions,
                names,
            })
        })
        .await?;
    let page = Page::new(&app, &actor);
    let now = app.ledger.now();
    let place = tube.clock.laboratory.or(tube.clock.point).ok_or_else(|| Refusal::absent("lab-tube-unknown").with("tube", id))?;
    let form = form_id(&app, place).await?;
    let title = tube.clock.code.clone().unwrap_or_else(|| id.to_string());
    Ok(page.frame(&title, styled(html! {
        p { (page.t(&format!("laboratory-stage-{}", tube.clock.stage().name()))) " · " (page.with("laboratory-people", &[("count", &tube.clock.members.to_string())]))
            @if let Some(ratio) = tube.clock.ratio { " · " (ratio) ":1" }
            @if tube.clock.follow_up { " · " (page.t("laboratory-follow-up")) }
            @if let (None, Some(began)) = (tube.clock.released, tube.clock.began()) { " · " (page.with("laboratory-time-left", &[("time", &span(LIMIT_US - now.since(began)))])) }
        }
        @for found in &tube.findings { p.notice.warn { (finding_words(&page, &found.code)) " · " (page.time(found.at)) } }
        (way(&page, &tube.clock))
        (results_part(&page, &tube))
        (amendment_part(&page, &tube, form))
        (wells_part(&page, &tube))
        (hands_part(&page, &tube))
        p { (page.way(TRACE_ACCESS, &format!("/laboratory/lineage/tube/{id}"), &page.t("laboratory-people-of")))
            (page.way(TRACE_ACCESS, &format!("/v1/laboratory/tubes/{id}/evidence.pdf"), &page.t("laboratory-paper-evidence"))) }
    })))
}

fn way(page: &Page<'_>, clock: &TubeClock) -> Markup {
    let began = clock.began();
    html! {
        ol.timeline { @for (stage, at) in clock.stages() {
            li { (page.t(&format!("laboratory-stage-{}", stage.name()))) time { (page.time(at)) @if let Some(began) = began { " +" (span(at.since(began))) } } }
        } }
        @if let Some(reason) = clock.rejected.as_ref().or(clock.lost.as_ref()) { p.notice.bad { (coded(page, "reject", reason)) } }
    }
}

fn results_part(page: &Page<'_>, tube: &Tube) -> Markup {
    let last = tube.versions.last().map(|version| version.version);
    html! {
        h2 { (page.t("laboratory-results")) }
        @if tube.versions.is_empty() { p.empty { (page.t("laboratory-none-results")) } }
        @for version in tube.versions.iter().rev() {
            p.struck[Some(version.version) != last] {
                strong.(outcome_class(version.outcome)) { (outcome_words(page, version.outcome)) } " · " (page.with("laboratory-version", &[("number", &version.version.to_string())])) " · "
                (page.time(version.at)) " · " (state_words(page, tube, &version.state)) " · "
                a href={ "/laboratory/runs/" (version.run) } { (page.t("laboratory-to-run")) }
            }
        }
    }
}

fn state_words(page: &Page<'_>, tube: &Tube, state: &ResultState) -> Markup {
    let name = |id: AccountId| name_of(&tube.names, id);
    html! {
        @match state {
            ResultState::Preliminary => (page.t("laboratory-preliminary")),
            ResultState::SignedOnce { by, at, .. } => (page.with("laboratory-signed-by", &[("name", &name(*by)), ("time", &page.time(*at))])),
            ResultState::Released(Release::ByTwo { by, and }) => (page.with("laboratory-released-by-two", &[("one", &name(*by)), ("other", &name(*and))])),
            ResultState::Released(Release::ByRule { passed, by }) => {
                (page.with("laboratory-released-by-rule", &[("name", &name(*by))])) ": "
                (passed.iter().map(|rule| coded(page, "rule", rule)).collect::<Vec<_>>().join(" · "))
            },
            ResultState::Amended { by, and, reason } => { (page.with("laboratory-amended-by", &[("one", &name(*by)), ("other", &name(*and))])) ": " (reason) },
        }
    }
}

fn amendment_part(page: &Page<'_>, tube: &Tube, id: EventId) -> Markup {
    let out = tube.versions.last().is_some_and(|version| version.state.is_out());
    let action = format!("/laboratory/tubes/{}/amend", tube.clock.tube);
    html! {
        @if out && page.actor.has_any(BENCH) {
            @if let Some(proposed) = &tube.amendment {
                div.notice.warn {
                    p { (page.with("laboratory-amendment-by", &[("name", &proposed.by.map(|by| name_of(&tube.names, by)).unwrap_or_default())])) ": "
                        strong { (outcome_words(page, proposed.outcome)) } " · " (proposed.reason) }
                    @if proposed.by != page.actor.account {
                        form method="post" action=(action) {
                            input type="hidden" name="id" value=(id);
                            input type="hidden" name="result" value=(proposed.outcome.name());
                            input type="hidden" name="reason" value=(proposed.reason);
                            input type="hidden" name="confirm" value="1";
                            button.danger { (page.t("laboratory-amend-confirm")) }
                        }
                    }
                }
            } @else {
                details { summary { (page.t("laboratory-amend")) }
                    form method="post" action=(action) {
                        input type="hidden" name="id" value=(id);
                        label { span { (page.t("laboratory-amend-to")) } select name="result" { @for outcome in TubeOutcome::ALL { option value=(outcome.name()) { (outcome_words(page, outcome)) } } } }
                        label { span { (page.t("laboratory-remark")) } input name="reason" required minlength="4"; }
                        button.danger { (page.t("laboratory-amend-propose")) }
                    }
                }
            }
        }
    }
}

fn wells_part(page: &Page<'_>, tube: &Tube) -> Markup {
    html! {
        h2 { (page.t("laboratory-wells-lots")) }
        ul { @for well in &tube.wells {
            li { a href={ "/laboratory/plates/" (well.plate) } { (well.plate_code) } " " strong { (well.label) } }
        } }
        ul { @for lot in &tube.lots {
            li { (super::trace_link(page, Origin::Lot(lot.lot), &lot.code)) " " (lot.product) " · " (page.with("laboratory-expires", &[("time", &page.time(lot.expires))]))
                @if lot.recalled { " · " strong.bad { (page.t("laboratory-recalled")) } } }
        } }
    }
}

fn hands_part(page: &Page<'_>, tube: &Tube) -> Markup {
    html! {
        h2 { (page.t("laboratory-hands")) }
        ul { @for hand in &tube.hands {
            li { (page.time(hand.at_us)) " · " (coded(page, "deed", &format!("{}-{}", hand.kind, hand.deed))) " · " (super::trace_link(page, Origin::Operator(hand.account), &name_of(&tube.names, hand.account))) }
        } }
    }
}

#[derive(Deserialize)]
struct AmendForm {
    id: EventId,
    result: TubeOutcome,
    reason: String,
    #[serde(default)]
    confirm: Option<String>,
}

async fn amend(State(app): State<App>, actor: Actor, At(tube): At<TubeId>, Form(form): Form<AmendForm>) -> Answered<Redirect> {
    let ordinal = if form.confirm.is_some() {
        commands::amend(&app, &actor, form.id, AmendResult { tube, result: form.result, reason: form.reason }).await?.acknowledgement.ordinal
    } else {
        commands::propose_amendment(&app, &actor, form.id, ProposeAmendment { tube, result: form.result, reason: form.reason }).await?.acknowledgement.ordinal
    };
    app.seen(ordinal).await;
    Ok(Redirect::to(&format!("/laboratory/tubes/{tube}")))
}
