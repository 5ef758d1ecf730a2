//! The follow-up list: whom to visit and swab again.

use std::collections::BTreeSet;

use axum::extract::State;
use axum::response::{IntoResponse, Redirect};
use baton_desk::form::{At, Form};
use baton_desk::{Actor, Answered, App, Page, Route, any_id};
use baton_kit::{Bucket, CampaignId, EventId, PersonId, Refusal, TubeId};
use baton_registry::store as registry;
use maud::{Markup, html};
use serde::Deserialize;

use super::store::{self, Entry};
use crate::campaign::pages::reason_words;
use crate::campaign::routes::{close_follow_up, may_manage};
use crate::events::CloseFollowUp;
use crate::rules::{WAIVERS, priority};
use crate::view::{CHASERS, MANAGERS, figure, place_of};

const LIMIT: i64 = 5_000;

pub fn routes() -> Vec<Route> {
    vec![
        Route::get("/campaigns/{campaign}/follow-up", CHASERS, "Who must be swabbed again", list),
        Route::post("/campaigns/{campaign}/follow-up", MANAGERS, "Close an entry of the follow-up list with a reason", close),
    ]
}

struct Row {
    entry: Entry,
    name: String,
    document_tail: String,
    phone: String,
    address: String,
    place: String,
}

async fn list(State(app): State<App>, actor: Actor, At(id): At<CampaignId>) -> Answered<Markup> {
    let (asker, vault) = (actor.clone(), app.ledger.vault().clone());
    let (rows, name) = app
        .read(move |tx| {
            let campaign = crate::campaign::store::campaign(tx, id)?.ok_or_else(|| Refusal::absent("campaign-unknown"))?;
            let mut rows = Vec::new();
            for entry in store::open_entries(tx, id, LIMIT)?.into_iter().filter(|entry| asker.scope.reaches_any(&entry.at.chain())) {
                let particulars = registry::person(tx, &vault, entry.person)?.and_then(|person| person.particulars);
                let (name, document, phone, address) =
                    particulars.map_or_else(Default::default, |p| (p.name, p.document, p.phone.unwrap_or_default(), p.address.unwrap_or_default()));
                let names = baton_registry::store::place_names(tx, &entry.at.chain())?;
                let place = [entry.at.grid, entry.at.building, entry.at.enterprise]
                    .into_iter()
                    .filter_map(place_of)
                    .filter_map(|place| names.get(&place))
                    .map(|(_, name)| name.as_str())
                    .collect::<Vec<_>>()
                    .join(" · ");
                rows.push(Row { document_tail: baton_registry::rules::document::tail(&document), entry, name, phone, address, place });
            }
            rows.sort_by_key(visiting_order);
            Ok((rows, campaign.name))
        })
        .await?;
    app.looked(&actor, rows.iter().map(|row| any_id(row.entry.person)).collect(), "follow-up list");
    let form_id = if may_manage(&actor) { Some(app.form_id(Bucket::INSTALLATION).await?) } else { None };
    let page = Page::new(&app, &actor);
    let content = html! {
        p.notice { (page.t("screening-follow-up-words")) }
        (figures(&page, &rows))
        p.no-print { button data-print="" { (page.t("screening-print")) } }
        @if rows.is_empty() { p.empty { (page.t("screening-follow-up-empty")) } } @else { (table(&page, &rows, form_id.is_some())) }
        @if let Some(form) = form_id.filter(|_| !rows.is_empty()) { (close_form(&page, form, id)) }
    };
    Ok(page.frame(&page.with("screening-follow-up-of", &[("campaign", &name)]), content))
}

/// Whoever was not swabbed again comes first, the urgent before the others, then door by door.
fn visiting_order(row: &Row) -> (bool, u8, i64, i64, i64) {
    let entry = &row.entry;
    (entry.again.is_some(), priority(&entry.reason), entry.at.grid, entry.at.building, entry.at.household)
}

/// People and tubes are two different numbers.
fn figures(page: &Page<'_>, rows: &[Row]) -> Markup {
    let people = |again: bool| rows.iter().filter(|row| row.entry.again.is_some() == again).map(|row| row.entry.person).collect::<BTreeSet<_>>().len() as i64;
    let tubes = rows.iter().map(|row| row.entry.tube).collect::<BTreeSet<_>>().len() as i64;
    html! {
        dl.figures {
            (figure(page, "screening-people-to-swab", people(false)))
            (figure(page, "screening-people-swabbed-again", people(true)))
            (figure(page, "screening-tubes-behind", tubes))
        }
    }
}

fn table(page: &Page<'_>, rows: &[Row], choose: bool) -> Markup {
    html! {
        div.scroll { table id="follow-up" {
            thead { tr {
                @if choose { th.no-print {} }
                th.number { (page.t("screening-priority")) } th { (page.t("screening-person-name")) } th { (page.t("screening-document-tail")) } th { (page.t("screening-phone")) } th { (page.t("screening-address")) } th { (page.t("screening-where")) }
                th { (page.t("screening-why-again")) } th { (page.t("screening-since")) } th { (page.t("screening-again")) }
            } }
            tbody { @for row in rows { tr {
                @if choose { td.no-print { input type="radio" name="which" value=(format!("{} {}", row.entry.tube, row.entry.person)) form="close-follow-up" aria-label=(page.t("screening-close-entry")) required; } }
                td.number { (priority(&row.entry.reason)) } td { (row.name) } td { (row.document_tail) } td { (row.phone) } td { (row.address) } td { (row.place) }
                td { (reason_words(page, &format!("tube-{}", row.entry.reason))) }
                td { (page.time(row.entry.opened)) }
                td { @if row.entry.again.is_some() { (page.t("screening-swabbed-again")) } @else if row.entry.single { (page.t("screening-swab-single")) } @else { (page.t("screening-swab-any")) } }
            } } }
        } }
    }
}

fn close_form(page: &Page<'_>, id: EventId, campaign: CampaignId) -> Markup {
    html! {
        h2.no-print { (page.t("screening-close-entry")) }
        form.no-print id="close-follow-up" method="post" action=(format!("/campaigns/{campaign}/follow-up")) {
            input type="hidden" name="id" value=(id);
            label { span { (page.t("screening-reason")) } select name="reason" { @for reason in WAIVERS { option value=(reason) { (reason_words(page, reason)) } } } }
            label { span { (page.t("screening-remark")) } input name="remark" maxlength="500"; }
            button { (page.t("screening-close-entry")) }
        }
    }
}

#[derive(Deserialize)]
struct CloseForm {
    id: EventId,
    /// Tube and person, with a blank between.
    which: String,
    reason: String,
    #[serde(default)]
    remark: String,
}

async fn close(State(app): State<App>, actor: Actor, At(campaign): At<CampaignId>, Form(form): Form<CloseForm>) -> Answered {
    let parts = form.which.split_once(' ').and_then(|(tube, person)| Some((tube.parse::<TubeId>().ok()?, person.parse::<PersonId>().ok()?)));
    let (tube, person) = parts.ok_or_else(|| Refusal::absent("follow-up-unknown"))?;
    let command = CloseFollowUp { tube, person, reason: form.reason, remark: form.remark };
    let ordinal = close_follow_up(&app, &actor, form.id, command).await?;
    app.seen(ordinal).await;
    Ok(Redirect::to(&format!("/campaigns/{campaign}/follow-up")).into_response())
}
