//! Style and script, in the binary. No build step, no other host.

use axum::http::header;
use axum::response::{IntoResponse, Response};

use crate::room::{Access, Budget, Route};

const STYLE: &str = include_str!("../assets/baton.css");
const SCRIPT: &str = include_str!("../assets/baton.js");
const WORKER: &str = include_str!("../assets/offline-worker.js");

fn cached(kind: &'static str, text: &'static str) -> Response {
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "public, max-age=86400")], text).into_response()
}

/// It stands at the root because a worker keeps only what lies below it, and is asked for anew each time so that it can change.
async fn worker() -> Response {
    ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8"), (header::CACHE_CONTROL, "no-cache")], WORKER).into_response()
}

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::get("/assets/baton.css", Access::Public, "The style sheet", || async { cached("text/css; charset=utf-8", STYLE) }),
        Route::get("/assets/baton.js", Access::Public, "The script all pages share", || async { cached("text/javascript; charset=utf-8", SCRIPT) }),
        Route::get("/offline-worker.js", Access::Public, "Keeps a page on the device: the verification page, the sampling screen", worker).within(Budget::Free),
    ]
}
