//! Lots of fluid and kits.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect};
use baton_desk::form::Form;
use baton_desk::{Actor, Answered, App, Page, Route};
use baton_kit::{Bucket, EventId, LotId, Refusal, Timestamp};
use maud::{Markup, html};
use serde::Deserialize;

use super::{choice, input};
use crate::events::{AddLot, LotKind, RecallLot};
use crate::model::Lot;
use crate::routes::{self, SEE_LOTS, WRITE_LOTS};
use crate::store;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/registry/lots", SEE_LOTS, "Lots with expiry and recall", list),
        Route::post("/registry/lots", WRITE_LOTS, "Add a lot", add),
        Route::post("/registry/lots/recall", WRITE_LOTS, "Recall a lot", recall),
    ]
}

async fn list(State(app): State<App>, actor: Actor) -> Answered<Markup> {
    let lots = app.read(|tx| Ok(store::lots(tx, None)?)).await?;
    let (id, recall_id) = (app.form_id(Bucket::INSTALLATION).await?, app.form_id(Bucket::INSTALLATION).await?);
    let now = app.ledger.now();
    let page = Page::new(&app, &actor);
    let may_write = WRITE_LOTS.admits(&actor);
    Ok(page.frame(&page.t("registry-lots"), html! {
        @if lots.is_empty() { p.empty { (page.t("registry-lots-none")) } } @else {
            div.scroll { table {
                thead { tr { th { (page.t("registry-lot-kind")) } th { (page.t("registry-lot-code")) } th { (page.t("registry-lot-product")) } th { (page.t("registry-lot-expires")) } th { (page.t("registry-lot-state")) } th {} } }
                tbody { @for lot in &lots { (row(&page, lot, now, may_write.then_some(recall_id))) } }
            } }
        }
        @if may_write { (add_form(&page, id)) }
    }))
}

fn row(page: &Page<'_>, lot: &Lot, now: Timestamp, recall: Option<EventId>) -> Markup {
    html! {
        tr {
            td { (page.t(&format!("registry-lot-{}", lot.kind.name()))) }
            td.code { (lot.code) }
            td { (lot.product) }
            td { (page.time(lot.expires)) }
            td { @match &lot.recalled {
                Some((at, reason)) => span.bad { (page.with("registry-lot-recalled", &[("time", &page.time(*at)), ("reason", reason)])) },
                None if lot.expires <= now => span.bad { (page.t("registry-lot-expired")) },
                None => span.good { (page.t("registry-lot-usable")) },
            } }
            td { @if let (Some(id), None) = (recall, &lot.recalled) {
                form.inline method="post" action="/registry/lots/recall" {
                    input type="hidden" name="id" value=(id);
                    input type="hidden" name="lot" value=(lot.id);
                    input name="reason" aria-label=(page.t("registry-reason")) placeholder=(page.t("registry-reason")) required;
                    button.danger { (page.t("registry-lot-recall")) }
                }
            } }
        }
    }
}

fn add_form(page: &Page<'_>, id: EventId) -> Markup {
    html! {
        h2 { (page.t("registry-lot-new")) }
        form method="post" action="/registry/lots" {
            input type="hidden" name="id" value=(id);
            (choice(page, "registry-lot-kind", "kind", "registry-lot-", &LotKind::ALL.map(LotKind::name)))
            (input(page, "registry-lot-code", "code", "text", true))
            (input(page, "registry-lot-product", "product", "text", true))
            (input(page, "registry-lot-expires-day", "last_day", "date", true))
            button.primary { (page.t("registry-lot-add")) }
        }
    }
}

#[derive(Deserialize)]
struct LotForm {
    id: EventId,
    kind: LotKind,
    code: String,
    product: String,
    /// The last day of use, as printed on the pack.
    last_day: String,
}

async fn add(State(app): State<App>, actor: Actor, Form(form): Form<LotForm>) -> Answered {
    let midnight = app.site.parse(&format!("{} 00:00", form.last_day.trim())).ok_or_else(|| Refusal::ruled("day-wrong"))?;
    let expires_us = midnight.plus_us(baton_kit::time::DAY_US);
    let command = AddLot { kind: form.kind, code: form.code.trim().to_owned(), product: form.product.trim().to_owned(), expires_us };
    let made = routes::add_lot(&app, &actor, Some(form.id), command).await?;
    app.seen(made.ordinal).await;
    Ok(Redirect::to("/registry/lots").into_response())
}

#[derive(Deserialize)]
struct RecallForm {
    id: EventId,
    lot: LotId,
    reason: String,
}

async fn recall(State(app): State<App>, actor: Actor, Form(form): Form<RecallForm>) -> Answered {
    let made = routes::recall(&app, &actor, Some(form.id), RecallLot { lot: form.lot, reason: form.reason }).await?;
    app.seen(made.ordinal).await;
    Ok(Redirect::to("/registry/lots").into_response())
}
