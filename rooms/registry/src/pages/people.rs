//! Finding people, one person, registering on the spot, codes, shredding.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect};
use baton_desk::form::{Asked, At, Form};
use baton_desk::paper::LanguageAsked;
use baton_desk::{Access, Actor, Answered, App, Page, Role, Route, any_id};
use baton_documents::{ErrorCorrection, qr_svg};
use baton_kit::{Bucket, EventId, Language, PersonId, PlaceId, Refusal, Status, Timestamp, TypedId};
use maud::{Markup, PreEscaped, html};
use serde::Deserialize;

use super::{choice, input};
use crate::code::person_code;
use crate::events::{DocumentKind, Membership, ShredPerson};
use crate::model::{Brief, Person, PersonState, Stay};
use crate::routes::{self, LOOK_UP, PersonAsked, REGISTER, SEE};
use crate::store;

const SHRED: Access = Access::Roles(&[Role::Administrator]);
/// Looks shown on a person's page.
const LOOKS: i64 = 50;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/registry/people", LOOK_UP, "Find people", search_page),
        Route::post("/registry/people/find", LOOK_UP, "People who answer a question", search),
        Route::get("/registry/people/new", REGISTER, "Register a person", new_page),
        Route::post("/registry/people", REGISTER, "Register a person on the spot", register),
        Route::get("/registry/people/{person}", SEE, "One person", one),
        Route::get("/registry/people/{person}/code", LOOK_UP, "A person's code to show or print", code),
        Route::post("/registry/people/{person}/shred", SHRED, "Destroy a person's data key for ever", shred),
    ]
}

pub(super) fn table(page: &Page<'_>, people: &[Brief]) -> Markup {
    html! {
        div.scroll { table {
            thead { tr { th { (page.t("registry-field-name")) } th { (page.t("registry-field-document_number")) } th { (page.t("registry-field-tag")) } th {} } }
            tbody { @for person in people { tr {
                td { a href={ "/registry/people/" (person.person) } { (person.name) } }
                td { (page.t(&format!("registry-document-{}", person.document_kind.name()))) " " span.code { "···" (person.document_tail) } }
                td { (person.tags.join(" · ")) }
                td { a href={ "/registry/people/" (person.person) "/code" } { (page.t("registry-code")) } }
            } } }
        } }
    }
}

fn search_form(page: &Page<'_>, actor: &Actor) -> Markup {
    // A question names people: it travels in the body, not in an address that servers log.
    html! {
        form method="post" action="/registry/people/find" {
            (input(page, "registry-find-what", "text", "search", true))
            button.primary { (page.t("registry-find")) }
        }
        @if REGISTER.admits(actor) { p { a href="/registry/people/new" { (page.t("registry-register")) } } }
    }
}

async fn search_page(State(app): State<App>, actor: Actor) -> Answered<Markup> {
    let page = Page::new(&app, &actor);
    Ok(page.frame(&page.t("registry-find-title"), search_form(&page, &actor)))
}

#[derive(Deserialize)]
struct SearchForm {
    text: String,
}

async fn search(State(app): State<App>, actor: Actor, Form(form): Form<SearchForm>) -> Answered<Markup> {
    let found = routes::find_people(&app, &actor, form.text).await?;
    let briefs: Vec<Brief> = found.into_iter().map(|(brief, _)| brief).collect();
    let page = Page::new(&app, &actor);
    Ok(page.frame(
        &page.t("registry-find-title"),
        html! {
            (search_form(&page, &actor))
            @if briefs.is_empty() { p.empty { (page.t("registry-find-none")) } } @else { (table(&page, &briefs)) }
            @if briefs.len() == routes::FOUND_MAX { p.soft { (page.with("registry-find-first", &[("count", &routes::FOUND_MAX.to_string())])) } }
        },
    ))
}

#[derive(Deserialize)]
struct PlaceAsked {
    place: Option<PlaceId>,
}

async fn new_page(State(app): State<App>, actor: Actor, Asked(asked): Asked<PlaceAsked>) -> Answered<Markup> {
    let id = app.form_id(asked.place.map_or(Bucket::INSTALLATION, TypedId::bucket)).await?;
    let place = match asked.place {
        Some(place) => Some(app.read(move |tx| Ok(store::place(tx, place)?)).await?.ok_or_else(|| Refusal::absent("no-such-thing"))?),
        None => None,
    };
    let page = Page::new(&app, &actor);
    let kinds = DocumentKind::ALL.map(DocumentKind::name);
    Ok(page.frame(
        &page.t("registry-register"),
        html! {
            form method="post" action="/registry/people" {
                input type="hidden" name="id" value=(id);
                @if let Some(place) = &place { p { (place.name) } input type="hidden" name="place" value=(place.id); }
                (input(&page, "registry-field-name", "name", "text", true))
                (choice(&page, "registry-field-document_type", "document_kind", "registry-document-", &kinds))
                (input(&page, "registry-field-document_number", "document", "text", true))
                (input(&page, "registry-field-phone", "phone", "tel", false))
                (input(&page, "registry-field-address", "address", "text", false))
                (language_choice(&page))
                (input(&page, "registry-field-tag", "tag", "text", false))
                button.primary { (page.t("registry-register")) }
            }
        },
    ))
}

#[derive(Deserialize)]
struct PersonForm {
    id: EventId,
    place: Option<PlaceId>,
    name: String,
    document_kind: DocumentKind,
    document: String,
    #[serde(default)]
    phone: String,
    #[serde(default)]
    address: String,
    #[serde(default)]
    language: String,
    #[serde(default)]
    tag: String,
}

/// Nothing chosen: what the document suggests.
fn language_choice(page: &Page<'_>) -> Markup {
    html! {
        label { span { (page.t("registry-field-language")) }
            select name="language" {
                option value="" { (page.t("registry-language-by-document")) }
                @for language in Language::ALL { option value=(language.tag()) lang=(language.tag()) { (language.own_name()) } }
            }
        }
    }
}

async fn register(State(app): State<App>, actor: Actor, Form(form): Form<PersonForm>) -> Answered<Markup> {
    let tags = Some(form.tag.trim().to_owned()).filter(|tag| !tag.is_empty()).into_iter().collect();
    let language = LanguageAsked { language: Some(form.language) }.stated()?;
    let PersonForm { id, place, name, document_kind, document, phone, address, .. } = form;
    let asked = PersonAsked { id: Some(id), name, document_kind, document, phone: Some(phone), address: Some(address), language, place, tags };
    let person = routes::register(&app, &actor, asked).await?.person;
    // Shown at once and not behind a redirect: the person stands there with the document, whatever zone they belong to.
    let vault = app.ledger.vault().clone();
    let brief = app.read(move |tx| Ok(store::person_brief(tx, &vault, person)?)).await?;
    code_page(&app, &actor, &brief.ok_or_else(|| Refusal::absent("no-such-thing"))?)
}

/// Everything a person's page shows.
struct Shown {
    person: Person,
    stays: Vec<(Stay, Vec<String>)>,
    looks: Vec<(Timestamp, String, String)>,
}

async fn one(State(app): State<App>, actor: Actor, At(id): At<PersonId>) -> Answered<Markup> {
    let (asker, vault, day) = (actor.clone(), app.ledger.vault().clone(), app.site.day_of(app.ledger.now()));
    let shown = app
        .read(move |tx| {
            let person = store::person(tx, &vault, id)?.ok_or_else(|| Refusal::absent("no-such-thing"))?;
            let membership = store::membership(tx, id, day)?;
            asker.must_reach(&routes::reach_of(membership.as_ref()))?;
            let mut stays = Vec::new();
            for stay in store::stays(tx, id)? {
                let mut names = Vec::new();
                for place in routes::reach_of(stay.membership.as_ref()) {
                    names.extend(store::place(tx, place)?.map(|place| place.name));
                }
                stays.push((stay, names));
            }
            Ok(Shown { person, stays, looks: routes::looks(tx, &vault, id, LOOKS)? })
        })
        .await?;
    app.looked(&actor, vec![any_id(id)], "person-page");
    let form_id = app.form_id(id.bucket()).await?;
    let page = Page::new(&app, &actor);
    let title = shown.person.particulars.as_ref().map_or_else(|| page.t("registry-person"), |particulars| particulars.name.clone());
    Ok(page.frame(
        &title,
        html! {
            (particulars(&page, &shown.person))
            h2 { (page.t("registry-membership")) }
            (history(&page, &shown.stays))
            h2 { (page.t("registry-looks")) }
            table { tbody { @for (at, name, purpose) in &shown.looks { tr { td { (page.time(*at)) } td { (name) } td { (purpose_words(&page, purpose)) } } } } }
            @if SHRED.admits(&actor) && shown.person.state != PersonState::Shredded { (shred_form(&page, id, form_id)) }
        },
    ))
}

/// Purposes are stored as codes; those of other rooms have their words there.
fn purpose_words(page: &Page<'_>, purpose: &str) -> String {
    page.words.find(&format!("purpose-{purpose}"), &[]).unwrap_or_else(|| purpose.to_owned())
}

fn particulars(page: &Page<'_>, person: &Person) -> Markup {
    html! {
        @match person.state {
            PersonState::Shredded => div.notice.bad { p { (page.t("registry-shredded")) } },
            PersonState::Withdrawn => div.notice.warn { p { (page.t("registry-withdrawn")) } },
            PersonState::Active => {}
        }
        p.code { (person.id) }
        @if let Some(p) = &person.particulars {
            dl {
                dt.soft { (page.t(&format!("registry-document-{}", p.document_kind.name()))) } dd.code { (p.document) }
                @if let Some(phone) = &p.phone { dt.soft { (page.t("registry-field-phone")) } dd.code { (phone) } }
                @if let Some(address) = &p.address { dt.soft { (page.t("registry-field-address")) } dd { (address) } }
                @if let Some(language) = p.told_in() { dt.soft { (page.t("registry-field-language")) } dd lang=(language.tag()) { (language.own_name()) } }
                @if !person.tags.is_empty() { dt.soft { (page.t("registry-field-tag")) } dd { (person.tags.join(" · ")) } }
            }
            p { a.button href={ "/registry/people/" (person.id) "/code" } { (page.t("registry-code")) } }
        }
    }
}

fn history(page: &Page<'_>, stays: &[(Stay, Vec<String>)]) -> Markup {
    let site = &page.desk.site;
    html! {
        table { tbody { @for (stay, names) in stays { tr {
            td { (site.show_day(stay.from_day)) " – " @if let Some(to_day) = stay.to_day { (site.show_day(to_day)) } }
            td { @match &stay.membership {
                None => (page.t("registry-nowhere")),
                Some(membership) if *membership == Membership::default() => (page.t("registry-passing")),
                Some(_) => (names.join(" · ")),
            } }
        } } } }
    }
}

fn shred_form(page: &Page<'_>, person: PersonId, id: EventId) -> Markup {
    html! {
        details {
            summary { (page.t("registry-shred")) }
            div.notice.bad { p { (page.t("registry-shred-words")) } }
            form method="post" action={ "/registry/people/" (person) "/shred" } {
                input type="hidden" name="id" value=(id);
                (input(page, "registry-reason", "reason", "text", true))
                label.check { input type="checkbox" name="confirm" value="yes" required; span { (page.t("registry-shred-confirm")) } }
                p { button.danger { (page.t("registry-shred-do")) } }
            }
        }
    }
}

#[derive(Deserialize)]
struct ShredForm {
    id: EventId,
    reason: String,
    #[serde(default)]
    confirm: String,
}

async fn shred(State(app): State<App>, actor: Actor, At(person): At<PersonId>, Form(form): Form<ShredForm>) -> Answered {
    if form.confirm != "yes" {
        return Err(Refusal::ruled("shred-unconfirmed").into());
    }
    let made = routes::shred(&app, &actor, Some(form.id), ShredPerson { person, reason: form.reason }).await?;
    app.seen(made.ordinal).await;
    Ok(Redirect::to(&format!("/registry/people/{person}")).into_response())
}

async fn code(State(app): State<App>, actor: Actor, At(person): At<PersonId>) -> Answered<Markup> {
    let (brief, _) = routes::in_reach(&app, &actor, person, "code").await?;
    code_page(&app, &actor, &brief)
}

fn code_page(app: &App, actor: &Actor, brief: &Brief) -> Answered<Markup> {
    let drawn = qr_svg(&person_code(app.ledger.secrets(), brief.person), ErrorCorrection::Quartile, 4, 60.0).map_err(|error| {
        tracing::error!(%error, "a code could not be drawn");
        Refusal::new("rule-broken", Status::Broken)
    })?;
    let page = Page::new(app, actor);
    Ok(page.frame(
        &page.t("registry-code"),
        html! {
            link rel="stylesheet" href="/assets/registry.css";
            div.code-card { (PreEscaped(drawn)) p { strong { (brief.name) } br; span.code { "···" (brief.document_tail) } } }
            p.no-print { button.primary type="button" data-print { (page.t("registry-print")) } }
        },
    ))
}
