//! Pages: what came from other systems, whom it fits, and its own text.

use axum::extract::State;
use baton_desk::form::{Asked, At};
use baton_desk::{Access, Actor, Answered, App, Page, Role, Route, Scope, any_id};
use baton_kit::{AnyId, EventId, Refusal, Timestamp, TypedId};
use baton_ledger::{Tx, Undecided};
use maud::{Markup, html};
use serde::Deserialize;

use crate::model::{Received, Unit};
use crate::reach::Sight;
use crate::store;

pub(crate) const WATCHERS: Access = Access::Roles(&[Role::Technician, Role::LaboratoryDirector, Role::Administrator]);
/// Messages on one page.
const PAGE_ROWS: i64 = 50;

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::get("/exchange", WATCHERS, "Messages from other systems", list),
        Route::get("/exchange/{message}", WATCHERS, "One message: whom it fits, and its text", one),
    ]
}

/// A message is seen by whoever sees what it fits; what fits nothing, only by those who see everything.
fn sees(tx: &mut Tx<'_>, sight: &mut Sight<'_>, actor: &Actor, message: &Received) -> Result<bool, Undecided> {
    if actor.scope == Scope::Everywhere {
        return Ok(true);
    }
    if let Some(tube) = message.tube {
        let unit: Option<Unit> = store::units_of_tube(tx, tube)?.into_iter().next();
        if let Some(unit) = unit
            && sight.unit(tx, &unit)?
        {
            return Ok(true);
        }
    }
    message.person.map_or(Ok(false), |person| sight.person(tx, person))
}

#[derive(Deserialize)]
struct ListAsked {
    #[serde(default)]
    before_us: Option<Timestamp>,
    #[serde(default)]
    before: Option<EventId>,
}

async fn list(State(app): State<App>, actor: Actor, Asked(asked): Asked<ListAsked>) -> Answered<Markup> {
    let (asker, day) = (actor.clone(), app.site.day_of(app.ledger.now()));
    let last = EventId::from_raw(i64::MAX).map_err(|_| Refusal::absent("no-such-thing"))?;
    let before = (asked.before_us.unwrap_or(Timestamp(i64::MAX)), asked.before.unwrap_or(last));
    let (rows, more) = app
        .read(move |tx| {
            let mut sight = Sight::of(&asker, day);
            let all = store::messages(tx, before, PAGE_ROWS)?;
            let more = (all.len() as i64 == PAGE_ROWS).then(|| all.last().cloned()).flatten();
            let mut rows = Vec::new();
            for message in all {
                if sees(tx, &mut sight, &asker, &message)? {
                    rows.push(message);
                }
            }
            Ok((rows, more))
        })
        .await?;
    let page = Page::new(&app, &actor);
    Ok(page.frame(
        &page.t("exchange-title"),
        html! {
            p { (page.t("exchange-about")) " " a href="/openapi" { (page.t("openapi-title")) } }
            @if rows.is_empty() { p.empty { (page.t("exchange-none")) } } @else { (table(&page, &rows)) }
            @if let Some(last) = more { p { a href={ "/exchange?before_us=" (last.received.0) "&before=" (last.id) } { (page.t("exchange-older")) } } }
        },
    ))
}

fn table(page: &Page<'_>, rows: &[Received]) -> Markup {
    html! {
        div.scroll { table {
            thead { tr { th { (page.t("exchange-received")) } th { (page.t("exchange-kind")) } th { (page.t("exchange-sender")) } th { (page.t("exchange-fits")) } } }
            tbody { @for row in rows { tr {
                td { a href={ "/exchange/" (row.id) } { (page.time(row.received)) } }
                td.code { (row.kind) }
                td { (row.sender) }
                td { (standing(page, row)) }
            } } }
        } }
    }
}

fn standing(page: &Page<'_>, row: &Received) -> Markup {
    html! {
        @match &row.finding {
            Some(finding) => span.bad { (page.t(&format!("exchange-finding-{finding}"))) },
            None => span.good { (page.t("exchange-fits-yes")) },
        }
    }
}

async fn one(State(app): State<App>, actor: Actor, At(id): At<EventId>) -> Answered<Markup> {
    let (asker, day, vault) = (actor.clone(), app.site.day_of(app.ledger.now()), app.ledger.vault().clone());
    let (row, text) = app
        .read(move |tx| {
            let row = store::message(tx, id)?.ok_or_else(|| Refusal::absent("exchange-message-unknown").with("message", id))?;
            Sight::must(sees(tx, &mut Sight::of(&asker, day), &asker, &row)?)?;
            Ok((row, store::message_text(tx, &vault, id)?))
        })
        .await?;
    let seen: Vec<AnyId> = row.person.map(any_id).into_iter().chain([AnyId::from_packed(id.packed())]).collect();
    app.looked(&actor, seen, "hl7-message");
    let page = Page::new(&app, &actor);
    let segments: Vec<&str> = text.as_deref().unwrap_or_default().split(['\r', '\n']).filter(|line| !line.is_empty()).collect();
    Ok(page.frame(
        &page.with("exchange-message", &[("kind", &row.kind)]),
        html! {
            dl {
                div { dt { (page.t("exchange-received")) } dd { (page.time(row.received)) } }
                div { dt { (page.t("exchange-sender")) } dd { (row.sender) } }
                div { dt { (page.t("exchange-fits")) } dd { (standing(&page, &row)) } }
                @if let Some(person) = row.person { div { dt { (page.t("exchange-person")) } dd.code { (person) } } }
                @if let Some(tube) = row.tube { div { dt { (page.t("exchange-tube")) } dd { a href={ "/laboratory/tubes/" (tube) } { (tube) } } } }
                div { dt { (page.t("exchange-problems")) } dd { (row.problems) } }
            }
            h2 { (page.t("exchange-text")) }
            @if text.is_none() { p.empty { (page.t("exchange-text-gone")) } } @else {
                div.scroll tabindex="0" role="region" aria-label=(page.t("exchange-text")) { pre { @for line in segments { (line) "\n" } } }
            }
        },
    ))
}
