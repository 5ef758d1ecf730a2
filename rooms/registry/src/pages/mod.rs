//! HTML of the registry.

mod import;
mod lots;
mod people;
mod places;
mod upload;

use axum::http::header;
use axum::response::{IntoResponse, Response};
use baton_desk::{Access, NavItem, Page, Route};
use maud::{Markup, html};

use crate::routes::{LOOK_UP, SEE, SEE_LOTS, WRITE};

pub(crate) fn routes() -> Vec<Route> {
    let mut routes = vec![Route::get("/assets/registry.css", Access::Public, "Style of printed codes", style)];
    routes.extend(places::routes());
    routes.extend(people::routes());
    routes.extend(lots::routes());
    routes.extend(import::routes());
    routes
}

pub(crate) fn nav() -> Vec<NavItem> {
    vec![
        NavItem { words: "nav-registry", link: "/registry", access: SEE },
        NavItem { words: "nav-people", link: "/registry/people", access: LOOK_UP },
        NavItem { words: "nav-lots", link: "/registry/lots", access: SEE_LOTS },
        NavItem { words: "nav-imports", link: "/registry/imports", access: WRITE },
    ]
}

async fn style() -> Response {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8"), (header::CACHE_CONTROL, "public, max-age=86400")], include_str!("../../assets/registry.css"))
        .into_response()
}

/// One labelled line to type in.
fn input(page: &Page<'_>, words: &str, name: &str, kind: &str, required: bool) -> Markup {
    html! { label { span { (page.t(words)) } input type=(kind) name=(name) autocomplete="off" required[required]; } }
}

/// A choice whose words are `prefix` and the option's name.
fn choice(page: &Page<'_>, words: &str, name: &str, prefix: &str, options: &[&str]) -> Markup {
    html! {
        label {
            span { (page.t(words)) }
            select name=(name) { @for option in options { option value=(option) { (page.t(&format!("{prefix}{option}"))) } } }
        }
    }
}
