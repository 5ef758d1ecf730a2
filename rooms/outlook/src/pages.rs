//! Pages: tonight, and what if.

mod tonight;
mod what_if;

use axum::http::header;
use baton_desk::{Access, Route};
use maud::{Markup, html};

use crate::routes::{FORETELLERS, STATERS, WATCHERS};

const STYLE: &str = include_str!("../assets/outlook.css");

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::get("/tonight", WATCHERS, "When the last result is out, which tubes will be late, where the bottleneck is", tonight::page),
        Route::post("/tonight", FORETELLERS, "Foretell now", tonight::foretell),
        Route::get("/what-if", WATCHERS, "What a change would change tonight", what_if::page),
        Route::post("/what-if/equipment", STATERS, "State the machines of a laboratory", what_if::state),
        Route::get("/assets/outlook.css", Access::Public, "Style of tonight and what if", || async {
            ([(header::CONTENT_TYPE, "text/css; charset=utf-8"), (header::CACHE_CONTROL, "public, max-age=86400")], STYLE)
        }),
    ]
}

/// The style sheet belongs to the head; a link in the body is allowed and drawn before what follows it.
fn styled(content: Markup) -> Markup {
    html! { link rel="stylesheet" href="/assets/outlook.css"; (content) }
}

/// A length of time as hours and minutes; a minus sign when it lies behind.
fn span(us: i64) -> String {
    let minutes = us.abs() / 60_000_000;
    let sign = if us < 0 { "−" } else { "" };
    format!("{sign}{}:{:02}", minutes / 60, minutes % 60)
}
