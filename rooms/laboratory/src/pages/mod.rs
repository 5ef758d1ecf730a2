//! The laboratory's pages.

mod accession;
mod bench;
mod clock;
mod controls;
mod drawing;
mod graph;
mod home;
mod person;
mod plates;
mod pools;
mod standing;
mod trace;
mod tube;
mod verify;

use std::collections::HashMap;

use axum::http::header;
use axum::response::{IntoResponse, Response};
use baton_desk::accounts::store as accounts;
use baton_desk::{Access, Actor, App, Page, Route, Scope};
use baton_kit::{AccountId, PlaceId, Refusal, Timestamp, time::MINUTE_US};
use baton_ledger::{StoreResult, Tx, Undecided, Vault};
use baton_registry::model::Place;
use maud::{Markup, html};

use crate::commands;
use crate::events::TubeOutcome;
use crate::routes::TRACE_ACCESS;
use crate::store::lineage::Origin;

pub(crate) use home::{cards, inbox};
pub(crate) use pools::PLAN_ACCESS;

const STYLE: &str = include_str!("../../assets/laboratory.css");
const SCRIPT: &str = include_str!("../../assets/laboratory.js");
/// Style and script that the bench's pages add to the frame's own.
pub(crate) const SCRIPTS: &[&str] = &["/assets/laboratory.js"];

pub(crate) fn routes() -> Vec<Route> {
    let mut routes = vec![
        Route::get("/assets/laboratory.css", Access::Public, "The laboratory's style sheet", || async { asset("text/css; charset=utf-8", STYLE) }),
        Route::get("/assets/laboratory.js", Access::Public, "The laboratory's script", || async { asset("text/javascript; charset=utf-8", SCRIPT) }),
    ];
    routes.extend(
        [
            home::routes(),
            accession::routes(),
            plates::routes(),
            bench::routes(),
            tube::routes(),
            person::routes(),
            clock::routes(),
            controls::routes(),
            trace::routes(),
            pools::routes(),
            verify::routes(),
            standing::routes(),
        ]
        .concat(),
    );
    routes
}

fn asset(kind: &'static str, text: &'static str) -> Response {
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "public, max-age=86400")], text).into_response()
}

/// The style sheet belongs to the head; a link in the body is allowed and drawn before what follows it.
fn styled(content: Markup) -> Markup {
    html! { link rel="stylesheet" href="/assets/laboratory.css"; (content) }
}

/// The laboratory a page is about: the one asked for, or the first the actor works for.
fn chosen(tx: &mut Tx<'_>, actor: &Actor, asked: Option<PlaceId>) -> Result<(Place, Vec<Place>), Undecided> {
    let mine = commands::laboratories(tx, actor)?;
    let place = mine.iter().find(|place| asked.is_none_or(|asked| place.id == asked)).cloned();
    Ok((place.ok_or_else(|| Refusal::absent("lab-no-laboratory"))?, mine))
}

/// Links to the same page for the other laboratories of the actor.
fn laboratory_choice(page: &Page<'_>, here: &Place, mine: &[Place], path: &str) -> Markup {
    html! {
        p.laboratory { strong { (here.name) }
            @for other in mine.iter().filter(|other| other.id != here.id).take(30) { " · " a href={ (path) "?laboratory=" (other.id) } { (other.name) } }
            @if mine.len() > 31 { " " span.soft { (page.with("laboratory-more", &[("count", &(mine.len() - 31).to_string())])) } }
        }
    }
}

/// Names of people who sign in, for those of them that are known.
fn account_names(tx: &mut Tx<'_>, vault: &Vault, ids: impl Iterator<Item = AccountId>) -> StoreResult<HashMap<AccountId, String>> {
    let mut names = HashMap::new();
    for id in ids {
        if !names.contains_key(&id)
            && let Some(account) = accounts::account(tx, vault, id)?
        {
            names.insert(id, account.secret.name);
        }
    }
    Ok(names)
}

fn name_of(names: &HashMap<AccountId, String>, id: AccountId) -> String {
    names.get(&id).cloned().unwrap_or_else(|| id.to_string())
}

/// A length of time as hours and minutes; a minus sign when it lies behind.
fn span(us: i64) -> String {
    let minutes = us.abs() / MINUTE_US;
    let sign = if us < 0 { "−" } else { "" };
    format!("{sign}{}:{:02}", minutes / 60, minutes % 60)
}

fn outcome_words(page: &Page<'_>, outcome: TubeOutcome) -> String {
    page.t(&format!("laboratory-outcome-{}", outcome.name().replace('_', "-")))
}

/// Green for a negative, red for a positive, amber for what nobody can rely on.
fn outcome_class(outcome: TubeOutcome) -> &'static str {
    match outcome {
        TubeOutcome::Negative => "good",
        TubeOutcome::Positive => "bad",
        TubeOutcome::SingleTarget | TubeOutcome::Invalid => "warn",
    }
}

/// A code of the engine or the rules in words; a code without words is shown as it is.
fn coded(page: &Page<'_>, topic: &str, code: &str) -> String {
    let key = format!("laboratory-{topic}-{}", code.replace('_', "-"));
    page.words.find(&key, &[]).unwrap_or_else(|| code.to_owned())
}

/// `code:target` in words.
fn reason_words(page: &Page<'_>, reason: &str) -> String {
    match reason.split_once(':') {
        Some((code, target)) => format!("{target}: {}", coded(page, "reason", code)),
        None => coded(page, "reason", reason),
    }
}

fn finding_words(page: &Page<'_>, code: &str) -> String {
    let key = format!("finding-lab-{}", code.replace('_', "-"));
    page.words.find(&key, &[]).unwrap_or_else(|| code.to_owned())
}

fn time_or_dash(page: &Page<'_>, at: Option<Timestamp>) -> String {
    at.map_or_else(|| "–".to_owned(), |at| page.time(at))
}

/// A hidden id, so that a form sent twice counts once.
async fn form_id(app: &App, place: PlaceId) -> Result<baton_kit::EventId, Refusal> {
    app.form_id(baton_kit::TypedId::bucket(place)).await
}

/// A link to everybody an origin leads to, for those who may follow it: lots and operators belong to no place.
fn trace_link(page: &Page<'_>, origin: Origin, words: &str) -> Markup {
    let everywhere = page.actor.scope == Scope::Everywhere;
    let reached = everywhere || !matches!(origin, Origin::Lot(_) | Origin::Operator(_));
    html! { @if reached { (page.link(TRACE_ACCESS, &format!("/laboratory/lineage/{}/{}", origin.name(), origin.id()), words)) } @else { (words) } }
}
