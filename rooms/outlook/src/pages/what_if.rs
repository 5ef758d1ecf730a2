//! What if: one change against things as they are, under the same chances; and the machines a laboratory says it has.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect};
use baton_desk::form::{Asked, Form};
use baton_desk::{Actor, Answered, App, Page};
use baton_kit::{Bucket, EventId, PlaceId, Timestamp};
use baton_laboratory::commands::laboratories;
use baton_ledger::StoreResult;
use baton_registry::events::PlaceKind;
use baton_registry::model::Place;
use baton_registry::store as registry;
use baton_simulate::twin::{Delta, Estimate};
use maud::{Markup, html};
use serde::Deserialize;

use super::styled;
use crate::drawing::interval;
use crate::events::ForecastMade;
use crate::model::{Compared, Equipment, LineAhead};
use crate::routes::{STATERS, StatedAsked, WhatIfAsked, stated};
use crate::rules::change::{LONGER_MOST, SURGE_MOST};
use crate::{compute, store};

const POINTS: i64 = 2_000;
/// The changes that are offered, by the name under which they are asked for.
const CHANGES: [&str; 8] = ["lane", "van", "desk", "extractor", "cycler", "longer", "surge", "closed"];

pub(super) async fn page(State(app): State<App>, actor: Actor, Asked(asked): Asked<WhatIfAsked>) -> Answered<Markup> {
    let asker = actor.clone();
    let (points, machines) = app
        .read(move |tx| {
            let points = registry::places_of_kind(tx, PlaceKind::Point, POINTS)?;
            let mine = if STATERS.admits(&asker) { laboratories(tx, &asker)? } else { Vec::new() };
            let machines: StoreResult<Vec<_>> = mine.into_iter().map(|place| Ok((store::equipment(tx, place.id)?, place))).collect();
            Ok((points, machines?))
        })
        .await?;
    let compared = match asked.change()? {
        Some(change) => Some(compute::compare(&app, change).await),
        None => None,
    };
    let page = Page::new(&app, &actor);
    let mut forms = Vec::new();
    for (equipment, place) in &machines {
        forms.push(machine_form(&page, app.form_id(Bucket::INSTALLATION).await?, place, *equipment));
    }
    let content = html! {
        p { (page.t("outlook-what-if-about")) }
        (choice(&page, &asked, &points))
        @match compared {
            None => {},
            Some(Ok(Compared { base, delta: Some(delta), line: ahead })) => { (difference(&page, &base, &delta)) @if let Some(ahead) = &ahead { (line(&page, ahead, &points)) } },
            Some(Ok(Compared { delta: None, .. })) => { p.notice role="status" { (page.t("outlook-changes-nothing")) } },
            Some(Err(refusal)) => { p.notice.warn role="status" { (page.t(&format!("refusal-{}", refusal.code))) } },
        }
        @if !forms.is_empty() { h2 { (page.t("outlook-machines")) } p.soft { (page.t("outlook-machines-about")) } @for form in &forms { (form) } }
        p { a href="/tonight" { (page.t("outlook-tonight")) } }
    };
    Ok(page.frame(&page.t("outlook-what-if"), styled(content)))
}

fn choice(page: &Page<'_>, asked: &WhatIfAsked, points: &[Place]) -> Markup {
    html! {
        form.narrow method="get" action="/what-if" {
            label { span { (page.t("outlook-change")) }
                select name="change" required { @for change in CHANGES { option value=(change) selected[asked.change.as_deref() == Some(change)] { (page.t(&format!("outlook-change-{change}"))) } } }
            }
            label { span { (page.with("outlook-amount", &[("minutes", &LONGER_MOST.to_string()), ("percent", &SURGE_MOST.to_string())])) } input name="amount" type="number" min="1" max=(SURGE_MOST) value=(asked.amount.unwrap_or(60)); }
            label { span { (page.t("outlook-point")) } select name="point" { @for point in points.iter().filter(|point| !point.closed) { option value=(point.id) selected[asked.point == Some(point.id)] { (point.name) } } } }
            button.primary { (page.t("outlook-compare")) }
        }
    }
}

/// How much, with its interval, in the unit of its words.
fn amount(estimate: Estimate, unit: f64) -> (f64, f64, String) {
    let (mean, half) = (estimate.mean / unit, estimate.ci95.unwrap_or(0.0) / unit);
    (mean, half, format!("{:+.1} ± {half:.1}", mean))
}

fn difference(page: &Page<'_>, base: &ForecastMade, delta: &Delta) -> Markup {
    let (mean, half, minutes) = amount(delta.last_result_s, 60.0);
    let sure = mean.abs() > half;
    let changed = |at: Timestamp| at.plus_us((delta.last_result_s.mean * 1e6) as i64);
    let words = [("base", &*page.hour(base.last.p50_us)), ("changed", &page.hour(changed(base.last.p50_us))), ("minutes", &minutes)];
    html! {
        h2 { (page.t("outlook-difference")) }
        p id="difference" { strong { (page.with(if sure { "outlook-difference-last" } else { "outlook-difference-none" }, &words)) } }
        (interval(page, mean, half))
        dl.figures {
            div { dt { (page.t("outlook-difference-minutes")) } dd { (minutes) } }
            div { dt { (page.t("outlook-difference-late")) } dd { (amount(delta.late, 1.0).2) } }
            div { dt { (page.t("outlook-difference-waiting")) } dd { (amount(delta.waiting_s, 3600.0).2) } }
        }
        p.soft { (page.with("outlook-same-chances", &[("days", &base.replications.to_string())])) }
    }
}

/// What becomes of the line, and by which figures: measured ones, or the plan's.
fn line(page: &Page<'_>, ahead: &LineAhead, points: &[Place]) -> Markup {
    let name = points.iter().find(|point| point.id == ahead.point).map_or_else(|| ahead.point.to_string(), |point| point.name.clone());
    let (lanes, people) = (ahead.lanes.to_string(), format!("{:.0}", ahead.per_hour));
    let words = if ahead.measured { "outlook-lanes-measured" } else { "outlook-lanes-planned" };
    html! {
        h3 { (page.with("outlook-line-of", &[("point", &name)])) }
        p id="line-by" { (page.with(words, &[("lanes", &lanes), ("people", &people)])) }
        dl.figures {
            div { dt { (page.t("outlook-line-wait")) } dd { (format!("{:.1}", ahead.wait_s / 60.0)) } }
            div { dt { (page.t("outlook-line-difference")) } dd id="line-difference" { (amount(ahead.difference_s, 60.0).2) } }
            @if ahead.away > 0.0 || ahead.away_difference.mean != 0.0 {
                div { dt { (page.t("outlook-turned-away")) } dd { (format!("{:.0}", ahead.away)) } }
                div { dt { (page.t("outlook-turned-away-difference")) } dd { (amount(ahead.away_difference, 1.0).2) } }
            }
        }
    }
}

fn machine_form(page: &Page<'_>, id: EventId, place: &Place, equipment: Option<Equipment>) -> Markup {
    let number = |name: &str, words: String, value: Option<u32>, most: u32| html! { label { span { (words) } input name=(name) type="number" min="1" max=(most) value=[value] required; } };
    html! {
        form.narrow method="post" action="/what-if/equipment" {
            h3 { (place.name) }
            input type="hidden" name="id" value=(id);
            input type="hidden" name="laboratory" value=(place.id);
            (number("extractors", page.t("outlook-extractors"), equipment.map(|it| it.extractors), 1000))
            (number("extraction_minutes", page.t("outlook-extraction-minutes"), equipment.map(|it| it.extraction_s / 60), 600))
            (number("cyclers", page.t("outlook-cyclers"), equipment.map(|it| it.cyclers), 1000))
            button { (page.t("outlook-state")) }
        }
    }
}

#[derive(Deserialize)]
pub(super) struct MachineForm {
    id: EventId,
    laboratory: PlaceId,
    extractors: u16,
    extraction_minutes: u16,
    cyclers: u16,
}

pub(super) async fn state(State(app): State<App>, actor: Actor, Form(form): Form<MachineForm>) -> Answered {
    let MachineForm { id, laboratory, extractors, extraction_minutes, cyclers } = form;
    stated(&app, &actor, id, StatedAsked { laboratory, extractors, extraction_minutes, cyclers }).await?;
    Ok(Redirect::to("/what-if").into_response())
}
