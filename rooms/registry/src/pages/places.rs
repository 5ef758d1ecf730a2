//! Zones with their counts, one place and what lies in it, its people and their codes.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect};
use baton_desk::form::{Asked, At, Form};
use baton_desk::paper::download;
use baton_desk::{Actor, Answered, App, Page, Route, Scope, any_id};
use baton_documents::pdf::label_sheet_pdf;
use baton_documents::{Label, SheetLayout, label_sheet_pages};
use baton_kit::{Bucket, EventId, PersonId, PlaceId, Refusal, Status, TypedId};
use baton_ledger::{StoreResult, Tx};
use maud::{Markup, PreEscaped, html};
use serde::Deserialize;

use super::{choice, input};
use crate::code::person_code;
use crate::events::{AddPlace, ChangePlace, PlaceDetails, PlaceKind};
use crate::model::{Brief, Place};
use crate::routes::{self, REGISTER, SEE, WRITE};
use crate::{rules, store};

/// People of one page of a list.
const PAGE: usize = 100;
/// Codes of one printed document.
const CODES: usize = 240;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/registry", SEE, "Zones and their people", home),
        Route::post("/registry/places", WRITE, "Add a place", add),
        Route::get("/registry/places/{place}", SEE, "One place", one),
        Route::post("/registry/places/{place}", WRITE, "Change a place", change),
        Route::get("/registry/places/{place}/people", SEE, "People of a place", people),
        Route::get("/registry/places/{place}/codes", SEE, "Printable codes of a place's people", codes),
        Route::get("/registry/places/{place}/codes.pdf", SEE, "Codes of a place's people as label sheets in PDF", codes_pdf),
        Route::get("/registry/findings", SEE, "Records that contradict each other", findings),
        Route::post("/registry/findings", WRITE, "Settle a finding", settle),
    ]
}

async fn home(State(app): State<App>, actor: Actor) -> Answered<Markup> {
    let asker = actor.clone();
    let (places, others, open) = app
        .read(move |tx| {
            let mut others = store::places_of_kind(tx, PlaceKind::Laboratory, 500)?;
            others.retain(|place| asker.scope.reaches(place.id));
            Ok((uppermost(tx, &asker)?, others, store::open_findings(tx)?))
        })
        .await?;
    let page = Page::new(&app, &actor);
    let total: i64 = places.iter().map(|place| place.people).sum();
    let zones = places.iter().filter(|place| place.kind == PlaceKind::Zone).count();
    Ok(page.frame(
        &page.t("registry-title"),
        html! {
            dl.figures {
                @if zones > 0 { div { dt { (page.t("registry-zones")) } dd { (zones) } } }
                div { dt { (page.t("registry-people")) } dd { (total) } }
                @if open > 0 { div { dt { a href="/registry/findings" { (page.t("registry-findings-open")) } } dd.warn { (open) } } }
            }
            @if places.is_empty() { p.empty { (page.t("registry-no-zones")) } }
            (place_table(&page, &places))
            @if !others.is_empty() { h2 { (page.t("registry-kind-laboratory")) } (place_table(&page, &others)) }
            @if WRITE.admits(&actor) && actor.scope.reaches_any(&[]) { (new_place(&page, None, &["zone", "laboratory"])) }
        },
    ))
}

/// Where somebody begins: every zone, or the places of their scope.
fn uppermost(tx: &mut Tx<'_>, actor: &Actor) -> StoreResult<Vec<Place>> {
    match &actor.scope {
        Scope::Everywhere => store::places_of_kind(tx, PlaceKind::Zone, 5_000),
        Scope::Nowhere => Ok(Vec::new()),
        Scope::Places(places) => {
            let mut found = Vec::new();
            for place in places {
                found.extend(store::place(tx, *place)?);
            }
            // A laboratory has a list of its own.
            found.retain(|place| place.kind != PlaceKind::Laboratory);
            Ok(found)
        }
    }
}

fn place_table(page: &Page<'_>, places: &[Place]) -> Markup {
    html! {
        @if !places.is_empty() {
            div.scroll { table {
                thead { tr { th { (page.t("registry-place-kind")) } th { (page.t("registry-place-code")) } th { (page.t("registry-place-name")) } th.number { (page.t("registry-people")) } } }
                tbody { @for place in places { tr.off[place.closed] {
                    td { (page.t(&format!("registry-kind-{}", place.kind.name()))) }
                    td.code { (place.code) }
                    td { a href={ "/registry/places/" (place.id) } { (place.name) } }
                    td.number { (place.people) }
                } } }
            } }
        }
    }
}

fn new_place(page: &Page<'_>, parent: Option<PlaceId>, kinds: &[&str]) -> Markup {
    html! {
        details {
            summary { (page.t("registry-place-new")) }
            form method="post" action="/registry/places" {
                @if let Some(parent) = parent { input type="hidden" name="parent" value=(parent); }
                (choice(page, "registry-place-kind", "kind", "registry-kind-", kinds))
                (input(page, "registry-place-code", "code", "text", true))
                (input(page, "registry-place-name", "name", "text", true))
                (input(page, "registry-field-enterprise_code", "credit_code", "text", false))
                (input(page, "registry-field-address", "address", "text", false))
                (input(page, "registry-opening-hours", "opening_hours", "text", false))
                (input(page, "registry-lanes", "lanes", "number", false))
                (input(page, "registry-capacity", "capacity", "number", false))
                button.primary { (page.t("registry-place-add")) }
            }
        }
    }
}

#[derive(Deserialize)]
struct PlaceForm {
    kind: PlaceKind,
    code: String,
    name: String,
    parent: Option<PlaceId>,
    #[serde(default)]
    credit_code: String,
    #[serde(default)]
    address: String,
    #[serde(default)]
    opening_hours: String,
    #[serde(default)]
    lanes: String,
    #[serde(default)]
    capacity: String,
}

/// A text field that may be left blank.
fn given(text: &str) -> Option<String> {
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

fn number(text: &str) -> Result<Option<i64>, Refusal> {
    given(text).map(|text| text.parse().map_err(|_| Refusal::ruled("place-capacity-wrong"))).transpose()
}

async fn add(State(app): State<App>, actor: Actor, Form(form): Form<PlaceForm>) -> Answered {
    let details = PlaceDetails {
        credit_code: given(&form.credit_code).map(|code| code.to_uppercase()),
        address: given(&form.address),
        opening_hours: given(&form.opening_hours),
        lanes: number(&form.lanes)?,
        capacity: number(&form.capacity)?,
        ..PlaceDetails::default()
    };
    let command = AddPlace { kind: form.kind, code: form.code.trim().to_owned(), name: form.name.trim().to_owned(), parent: form.parent, details };
    // A code is given once, so a form sent twice adds one place.
    let made = routes::add_place(&app, &actor, None, command).await?;
    app.seen(made.ordinal).await;
    Ok(Redirect::to(&format!("/registry/places/{}", made.id)).into_response())
}

/// A place the actor reaches, and the way up from it.
async fn reached(app: &App, actor: &Actor, id: PlaceId) -> Result<(Place, Vec<Place>), Refusal> {
    let found = app
        .read(move |tx| {
            let Some(place) = store::place(tx, id)? else { return Ok(None) };
            let mut above = Vec::new();
            for id in store::place_chain(tx, id)?.into_iter().skip(1) {
                above.extend(store::place(tx, id)?);
            }
            Ok(Some((place, above)))
        })
        .await?;
    let (place, above) = found.ok_or_else(|| Refusal::absent("no-such-thing"))?;
    let chain: Vec<PlaceId> = std::iter::once(place.id).chain(above.iter().map(|place| place.id)).collect();
    actor.must_reach(&chain)?;
    Ok((place, above))
}

#[derive(Deserialize)]
struct PageAsked {
    #[serde(default)]
    page: usize,
}

async fn one(State(app): State<App>, actor: Actor, At(id): At<PlaceId>, Asked(asked): Asked<PageAsked>) -> Answered<Markup> {
    let (place, above) = reached(&app, &actor, id).await?;
    let paged = store::Paged { limit: 500, offset: i64::try_from(asked.page.min(10_000)).unwrap_or(0) * 500 };
    let inside = app.read(move |tx| Ok(store::places_under(tx, id, paged)?)).await?;
    let page = Page::new(&app, &actor);
    let form_id = app.form_id(place.id.bucket()).await?;
    let chain: Vec<PlaceId> = above.iter().map(|place| place.id).collect();
    // Who is let in here may not be let in above.
    let reaches = |n: usize| actor.scope.reaches_any(&chain[n..]);
    let has_people = matches!(place.kind, PlaceKind::Zone | PlaceKind::Grid | PlaceKind::Building | PlaceKind::Enterprise);
    Ok(page.frame(
        &place.name,
        html! {
            p.soft {
                (page.t(&format!("registry-kind-{}", place.kind.name()))) " " span.code { (place.code) }
                @for (n, above) in above.iter().enumerate() {
                    " · "
                    @if reaches(n) { a href={ "/registry/places/" (above.id) } { (above.name) } } @else { (above.name) }
                }
            }
            p.code { (page.with("registry-place-id", &[("id", &place.id.to_string())])) }
            (details(&page, &place))
            @if has_people { p {
                a.button href={ "/registry/places/" (place.id) "/people" } { (page.with("registry-people-count", &[("count", &place.people.to_string())])) } " "
                a.button href={ "/registry/places/" (place.id) "/codes" } { (page.t("registry-codes")) } " "
                (page.way(REGISTER, &format!("/registry/people/new?place={}", place.id), &page.t("registry-register")))
            } }
            (place_table(&page, &inside))
            @if inside.len() == 500 { p { a href={ "?page=" (asked.page + 1) } { (page.t("registry-more")) } } }
            @if WRITE.admits(&actor) {
                @if has_people { (new_place(&page, Some(place.id), kinds_inside(place.kind))) }
                (change_form(&page, &place, form_id))
            }
        },
    ))
}

fn kinds_inside(kind: PlaceKind) -> &'static [&'static str] {
    match kind {
        PlaceKind::Zone => &["grid", "building", "enterprise", "point", "laboratory", "gate"],
        PlaceKind::Grid => &["building", "enterprise", "point", "laboratory", "gate"],
        PlaceKind::Building => &["enterprise", "point", "laboratory", "gate"],
        _ => &["point", "laboratory", "gate"],
    }
}

fn details(page: &Page<'_>, place: &Place) -> Markup {
    let PlaceDetails { credit_code, address, latitude_e6: _, longitude_e6: _, lanes, capacity, opening_hours } = &place.details;
    let number = |value: &Option<i64>| value.map(|n| n.to_string());
    let lines = [
        ("registry-field-enterprise_code", credit_code.clone()),
        ("registry-field-address", address.clone()),
        ("registry-opening-hours", opening_hours.clone()),
        ("registry-lanes", number(lanes)),
        ("registry-capacity", number(capacity)),
    ];
    html! { dl { @for (words, value) in lines { @if let Some(value) = value { dt.soft { (page.t(words)) } dd { (value) } } } } }
}

fn change_form(page: &Page<'_>, place: &Place, id: EventId) -> Markup {
    let (words, closed) = if place.closed { ("registry-place-open", "false") } else { ("registry-place-close", "true") };
    html! {
        details {
            summary { (page.t("registry-place-change")) }
            form method="post" action={ "/registry/places/" (place.id) } {
                input type="hidden" name="id" value=(id);
                label { span { (page.t("registry-place-name")) } input name="name" value=(place.name) required; }
                button.primary { (page.t("registry-save")) } " "
                button name="closed" value=(closed) { (page.t(words)) }
            }
        }
    }
}

#[derive(Deserialize)]
struct ChangeForm {
    id: EventId,
    name: String,
    closed: Option<bool>,
}

async fn change(State(app): State<App>, actor: Actor, At(place): At<PlaceId>, Form(form): Form<ChangeForm>) -> Answered {
    reached(&app, &actor, place).await?;
    let command = ChangePlace { place, name: given(&form.name), details: None, closed: form.closed };
    let decision = app
        .decide(&actor, form.id, command, |tx, command: &ChangePlace, _| Ok(rules::place::change_place(store::place(tx, command.place)?.is_some(), command)?))
        .await?;
    app.seen(decision.acknowledgement.ordinal).await;
    Ok(Redirect::to(&format!("/registry/places/{place}")).into_response())
}

/// A stretch of a place's people today, with what can be read of them, and how many there are.
async fn people_of(app: &App, actor: &Actor, place: &Place, skip: usize, limit: usize, purpose: &'static str) -> Result<(Vec<Brief>, usize), Refusal> {
    let (id, kind, day, vault) = (place.id, place.kind, app.site.day_of(app.ledger.now()), app.ledger.vault().clone());
    let (briefs, all) = app
        .read(move |tx| {
            let mut people: Vec<PersonId> = Vec::new();
            store::people_in(tx, id, kind, day, |person, _| {
                people.push(person);
                Ok(())
            })?;
            let some: Vec<PersonId> = people.iter().skip(skip).take(limit).copied().collect();
            Ok((store::open_people(tx, &vault, &some)?, people.len()))
        })
        .await?;
    app.looked(actor, briefs.iter().map(|brief| any_id(brief.person)).collect(), purpose);
    Ok((briefs, all))
}

async fn people(State(app): State<App>, actor: Actor, At(id): At<PlaceId>, Asked(asked): Asked<PageAsked>) -> Answered<Markup> {
    let (place, _) = reached(&app, &actor, id).await?;
    let (briefs, all) = people_of(&app, &actor, &place, asked.page.saturating_mul(PAGE), PAGE, "list").await?;
    let page = Page::new(&app, &actor);
    let title = page.with("registry-people-of", &[("place", &place.name)]);
    Ok(page.frame(
        &title,
        html! {
            p.soft { (page.with("registry-people-count", &[("count", &all.to_string())])) }
            (super::people::table(&page, &briefs))
            p {
                @if asked.page > 0 { a href={ "?page=" (asked.page - 1) } { (page.t("registry-earlier")) } " " }
                @if (asked.page + 1).saturating_mul(PAGE) < all { a href={ "?page=" (asked.page + 1) } { (page.t("registry-more")) } }
            }
        },
    ))
}

async fn codes(State(app): State<App>, actor: Actor, At(id): At<PlaceId>, Asked(asked): Asked<PageAsked>) -> Answered<Markup> {
    let (place, _) = reached(&app, &actor, id).await?;
    let (briefs, all) = people_of(&app, &actor, &place, asked.page.saturating_mul(CODES), CODES, "codes").await?;
    let (held, name) = (app.clone(), place.name.clone());
    let sheets = app.blocking(move || label_sheet_pages(&labels_of(&held, &briefs, &name), &SheetLayout::grid(3, 8)).map_err(undrawn)).await?;
    let page = Page::new(&app, &actor);
    Ok(page.frame(
        &page.with("registry-codes-of", &[("place", &place.name)]),
        html! {
            link rel="stylesheet" href="/assets/registry.css";
            p.no-print { button.primary type="button" data-print { (page.t("registry-print")) } " "
                a.button href={ "/registry/places/" (place.id) "/codes.pdf?page=" (asked.page) } { (page.t("registry-codes-pdf")) } }
            @if (asked.page + 1).saturating_mul(CODES) < all { p.no-print { a href={ "?page=" (asked.page + 1) } { (page.t("registry-more")) } } }
            div.sheet { @for sheet in &sheets { (PreEscaped(sheet)) } }
        },
    ))
}

fn labels_of(app: &App, briefs: &[Brief], place: &str) -> Vec<Label> {
    let label = |brief: &Brief| {
        Label::person(&person_code(app.ledger.secrets(), brief.person), &brief.name, vec![format!("·{}", brief.document_tail), place.to_owned()])
    };
    briefs.iter().map(label).collect()
}

fn undrawn(error: baton_documents::DocumentError) -> baton_ledger::Undecided {
    tracing::error!(%error, "codes could not be drawn");
    Refusal::new("rule-broken", Status::Broken).into()
}

/// The same labels as a file that prints at true size from any program.
async fn codes_pdf(State(app): State<App>, actor: Actor, At(id): At<PlaceId>, Asked(asked): Asked<PageAsked>) -> Answered {
    let (place, _) = reached(&app, &actor, id).await?;
    let (briefs, _) = people_of(&app, &actor, &place, asked.page.saturating_mul(CODES), CODES, "codes").await?;
    let words = app.texts.words(actor.language);
    let (title, language) = (words.with("registry-codes-of", &[("place", &place.name)]), actor.language);
    let held = app.clone();
    let draw = move || label_sheet_pdf(&title, language.tag(), &held.name, &labels_of(&held, &briefs, &place.name), &SheetLayout::grid(3, 8)).map_err(undrawn);
    let bytes = app.blocking(draw).await?;
    Ok(download(bytes, "application/pdf", &format!("codes-{id}.pdf")))
}

async fn findings(State(app): State<App>, actor: Actor) -> Answered<Markup> {
    let found = app.read(|tx| Ok(store::findings(tx, 200)?)).await?;
    let id = app.form_id(Bucket::INSTALLATION).await?;
    let page = Page::new(&app, &actor);
    Ok(page.frame(
        &page.t("registry-findings"),
        html! {
            @if found.is_empty() { p.empty { (page.t("registry-findings-none")) } }
            @for finding in &found {
                div.notice.warn[!finding.settled] {
                    p { (page.t(&format!("finding-{}", finding.code))) " · " time { (page.time(finding.found)) } }
                    p { @for person in [finding.subject, finding.other] { a.code href={ "/registry/people/" (person) } { (person) } " " } }
                    @if !finding.settled && WRITE.admits(&actor) { form.inline method="post" action="/registry/findings" {
                        input type="hidden" name="id" value=(id);
                        input type="hidden" name="code" value=(finding.code);
                        input type="hidden" name="subject" value=(finding.subject);
                        input type="hidden" name="other" value=(finding.other);
                        button { (page.t("registry-finding-settle")) }
                    } }
                }
            }
        },
    ))
}

#[derive(Deserialize)]
struct SettleForm {
    id: EventId,
    code: String,
    subject: PersonId,
    other: PersonId,
}

async fn settle(State(app): State<App>, actor: Actor, Form(form): Form<SettleForm>) -> Answered {
    routes::in_reach(&app, &actor, form.subject, "finding").await?;
    let command = crate::events::SettleFinding { code: form.code, subject: form.subject, other: form.other };
    let decision = app.decide(&actor, form.id, command, |_, _, _| Ok(())).await?;
    app.seen(decision.acknowledgement.ordinal).await;
    Ok(Redirect::to("/registry/findings").into_response())
}
