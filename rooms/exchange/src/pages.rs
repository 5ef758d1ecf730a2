//! Pages: what came from other systems, whom it fits, and its own text.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect};
use baton_desk::form::{Asked, At, Form};
use baton_desk::{Access, Actor, Answered, App, Card, Page, Role, Route, Scope, Tone, any_id};
use baton_kit::{AnyId, Bucket, EventId, OperationalDay, Refusal, Timestamp, TypedId};
use baton_ledger::{StoreResult, Tx, Undecided};
use maud::{Markup, html};
use serde::Deserialize;

use crate::events::SettleMessage;
use crate::model::{Received, Unit};
use crate::reach::Sight;
use crate::{rules, store};

pub(crate) const WATCHERS: Access = Access::Roles(&[Role::Technician, Role::LaboratoryDirector, Role::Administrator]);
/// Messages on one page.
const PAGE_ROWS: i64 = 50;
/// Open findings counted for the home page.
const COUNTED: i64 = 999;

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::get("/exchange", WATCHERS, "Messages from other systems", list),
        Route::get("/exchange/{message}", WATCHERS, "One message: whom it fits, and its text", one),
        Route::post("/exchange/{message}", WATCHERS, "Settle what does not fit in a message", settle),
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
            Some(finding) if row.settled.is_some() => { (page.t(&format!("exchange-finding-{finding}"))) " · " (page.t("exchange-settled")) },
            Some(finding) => span.bad { (page.t(&format!("exchange-finding-{finding}"))) },
            None => span.good { (page.t("exchange-fits-yes")) },
        }
    }
}

/// A message within the actor's sight.
fn seen(tx: &mut Tx<'_>, actor: &Actor, day: OperationalDay, id: EventId) -> Result<Received, Undecided> {
    let row = store::message(tx, id)?.ok_or_else(|| Refusal::absent("exchange-message-unknown").with("message", id))?;
    Sight::must(sees(tx, &mut Sight::of(actor, day), actor, &row)?)?;
    Ok(row)
}

#[derive(Deserialize)]
struct SettleForm {
    id: EventId,
    remark: String,
}

async fn settle(State(app): State<App>, actor: Actor, At(message): At<EventId>, Form(form): Form<SettleForm>) -> Answered {
    let (asker, day) = (actor.clone(), app.site.day_of(app.ledger.now()));
    let command = SettleMessage { message, remark: form.remark.trim().to_owned() };
    let decide = move |tx: &mut Tx<'_>, command: &SettleMessage, _| Ok(rules::settle(&seen(tx, &asker, day, message)?, &command.remark)?);
    app.decide(&actor, form.id, command, decide).await?;
    Ok(Redirect::to(&format!("/exchange/{message}")).into_response())
}

/// How many messages wait for somebody to look into them. Only who sees everything is told: the rest is not counted by scope.
pub(crate) fn cards(tx: &mut Tx<'_>, actor: &Actor, _: Timestamp) -> StoreResult<Vec<Card>> {
    if !WATCHERS.admits(actor) || actor.scope != Scope::Everywhere {
        return Ok(Vec::new());
    }
    let open = store::open_findings(tx, COUNTED)?;
    Ok(if open == 0 { Vec::new() } else { vec![Card::new(open, "card-messages-open", "/exchange").tone(Tone::Warn)] })
}

async fn one(State(app): State<App>, actor: Actor, At(id): At<EventId>) -> Answered<Markup> {
    let (asker, day, vault) = (actor.clone(), app.site.day_of(app.ledger.now()), app.ledger.vault().clone());
    let (row, text) = app.read(move |tx| Ok((seen(tx, &asker, day, id)?, store::message_text(tx, &vault, id)?))).await?;
    let settle_id = app.form_id(Bucket::INSTALLATION).await?;
    let looked: Vec<AnyId> = row.person.map(any_id).into_iter().chain([AnyId::from_packed(id.packed())]).collect();
    app.looked(&actor, looked, "hl7-message");
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
            @if let Some(settled) = &row.settled { p.notice { (page.t("exchange-settled")) " " (page.time(settled.at)) ": " (settled.remark) } }
            @else if row.finding.is_some() { (settle_form(&page, &row, settle_id)) }
            h2 { (page.t("exchange-text")) }
            @if text.is_none() { p.empty { (page.t("exchange-text-gone")) } } @else {
                div.scroll tabindex="0" role="region" aria-label=(page.t("exchange-text")) { pre { @for line in segments { (line) "\n" } } }
            }
        },
    ))
}

fn settle_form(page: &Page<'_>, row: &Received, id: EventId) -> Markup {
    html! {
        form.narrow id="settle" method="post" action={ "/exchange/" (row.id) } {
            input type="hidden" name="id" value=(id);
            label { span { (page.t("exchange-remark")) } textarea name="remark" maxlength=(rules::REMARK_LIMIT) rows="2" required {} }
            button.primary { (page.t("exchange-settle")) }
        }
    }
}
