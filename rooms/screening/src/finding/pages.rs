//! Findings: what contradicts itself, and what a person says was so.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect};
use baton_desk::form::{Asked, Form};
use baton_desk::{Actor, Answered, App, Page, Route, any_id};
use baton_kit::{AnyId, Bucket, EventId, PersonId, TubeId, TypedId};
use baton_registry::store as registry;
use maud::{Markup, html};
use serde::Deserialize;

use super::store::{self, Finding};
use crate::campaign::routes::settle_finding;
use crate::events::SettleFinding;
use crate::view::{SETTLERS, briefs};

const LIMIT: i64 = 300;

pub fn routes() -> Vec<Route> {
    vec![
        Route::get("/screening/findings", SETTLERS, "Contradictions among sampling facts", list),
        Route::post("/screening/findings", SETTLERS, "Settle a contradiction with a remark", settle),
    ]
}

#[derive(Deserialize)]
struct FindingsAsked {
    #[serde(default)]
    settled: u8,
}

struct Row {
    finding: Finding,
    tube_code: String,
    point: String,
    person: String,
}

async fn list(State(app): State<App>, actor: Actor, Asked(asked): Asked<FindingsAsked>) -> Answered<Markup> {
    let (asker, vault) = (actor.clone(), app.ledger.vault().clone());
    let settled = asked.settled == 1;
    let rows = app
        .read(move |tx| {
            let mut rows = Vec::new();
            for finding in store::findings(tx, settled, LIMIT)? {
                let chain = finding.point.map(|point| registry::place_chain(tx, point)).transpose()?.unwrap_or_default();
                if !asker.scope.reaches_any(&chain) {
                    continue;
                }
                let tube = crate::specimen::store::tube(tx, TubeId::from_packed(finding.subject.packed()))?;
                let point = baton_registry::store::place_names(tx, finding.point.as_slice())?
                    .into_values()
                    .next()
                    .map(|(code, name)| format!("{code} {name}"))
                    .unwrap_or_default();
                let person = briefs(tx, &vault, finding.person.as_slice())?.into_values().next().map(|brief| brief.name).unwrap_or_default();
                rows.push(Row { finding, tube_code: tube.map(|tube| tube.code).unwrap_or_default(), point, person });
            }
            Ok(rows)
        })
        .await?;
    app.looked(&actor, rows.iter().filter_map(|row| row.finding.person).map(any_id).collect(), "findings");
    let form_id = app.form_id(Bucket::INSTALLATION).await?;
    let page = Page::new(&app, &actor);
    let content = html! {
        p { a href="/screening/findings" aria-current=[(!settled).then_some("page")] { (page.t("screening-findings-open")) } " · " a href="/screening/findings?settled=1" aria-current=[settled.then_some("page")] { (page.t("screening-findings-settled")) } }
        @if rows.is_empty() { p.empty { (page.t("screening-findings-empty")) } } @else { (table(&page, &rows, !settled)) }
        @if !settled && !rows.is_empty() {
            form id="settle" method="post" action="/screening/findings" {
                input type="hidden" name="id" value=(form_id);
                label { span { (page.t("screening-remark-settle")) } textarea name="remark" rows="2" maxlength="500" required {} }
                button.primary { (page.t("screening-settle")) }
            }
        }
    };
    Ok(page.frame(&page.t("screening-findings"), content))
}

fn table(page: &Page<'_>, rows: &[Row], open: bool) -> Markup {
    html! {
        div.scroll { table id="findings" {
            thead { tr { @if open { th {} } th { (page.t("screening-finding")) } th { (page.t("sampling-tube")) } th { (page.t("screening-person-name")) } th { (page.t("sampling-point")) } th { (page.t("screening-when")) } @if !open { th { (page.t("screening-remark")) } } } }
            tbody { @for row in rows { tr {
                @if open { td { input type="radio" name="which" form="settle" required aria-label=(page.t("screening-settle")) value=(format!("{} {} {}", row.finding.subject, row.finding.code, row.finding.person.map_or(0, TypedId::raw))); } }
                td { (page.t(&format!("finding-{}", row.finding.code))) }
                td.code { (row.tube_code) } td { (row.person) } td { (row.point) } td { (page.time(row.finding.at)) }
                @if let Some((_, remark)) = &row.finding.settled { td { (remark) } }
            } } }
        } }
    }
}

#[derive(Deserialize)]
struct SettleForm {
    id: EventId,
    /// Subject, code and person (0 for none), with blanks between.
    which: String,
    remark: String,
}

async fn settle(State(app): State<App>, actor: Actor, Form(form): Form<SettleForm>) -> Answered {
    let unknown = || baton_kit::Refusal::absent("screening-finding-unknown");
    let mut parts = form.which.split(' ');
    let subject: AnyId = parts.next().and_then(|text| text.parse().ok()).ok_or_else(unknown)?;
    let code = parts.next().ok_or_else(unknown)?.to_owned();
    let person = parts.next().and_then(|text| text.parse::<PersonId>().ok()).filter(|person| person.raw() != 0);
    let command = SettleFinding { subject, code, person, remark: form.remark.trim().to_owned() };
    let ordinal = settle_finding(&app, &actor, form.id, command).await?;
    app.seen(ordinal).await;
    Ok(Redirect::to("/screening/findings").into_response())
}
