//! From cookie or token to [`Actor`], for every request.

use std::collections::HashMap;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, header, request::Parts};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use baton_kit::{Language, Refusal, Status, Timestamp, time::SECOND_US};
use parking_lot::Mutex;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::accounts::store;
use crate::actor::Actor;
use crate::answer::{RefusalAnswer, Refused, Unworded};
use crate::{App, page};

pub(crate) const SESSION_COOKIE: &str = "baton_session";
pub(crate) const LANGUAGE_COOKIE: &str = "baton_language";
/// For how long a resolved token is believed without looking again.
const BELIEVED_US: i64 = 5 * SECOND_US;
const REMEMBERED: usize = 10_000;

/// Tokens that may be looked up at once: whoever comes with more is told to come back before the store is asked.
const LOOKED_UP: usize = 64;

/// Tokens resolved a moment ago, and room for resolving others.
pub(crate) struct Sessions {
    known: Mutex<HashMap<String, (Timestamp, Actor)>>,
    room: Semaphore,
}

impl Default for Sessions {
    fn default() -> Self {
        Self { known: Mutex::default(), room: Semaphore::new(LOOKED_UP) }
    }
}

impl Sessions {
    /// Room to ask the store who somebody is, or a refusal at once.
    fn may_look(&self) -> Result<SemaphorePermit<'_>, Refusal> {
        self.room.try_acquire().map_err(|_| Refusal::new("budget-full", Status::Full).with("seconds", 1))
    }
    fn recall(&self, hash: &str, now: Timestamp) -> Option<Actor> {
        let known = self.known.lock();
        let (at, actor) = known.get(hash)?;
        still_believed(*at, now).then(|| actor.clone())
    }
    fn remember(&self, hash: String, now: Timestamp, actor: Actor) {
        let mut known = self.known.lock();
        if known.len() >= REMEMBERED {
            known.retain(|_, (at, _)| still_believed(*at, now));
        }
        known.insert(hash, (now, actor));
    }
    /// After a sign-out or a change of rights nobody is believed.
    pub(crate) fn forget(&self) {
        self.known.lock().clear();
    }
}

/// What was resolved "later than now" is not believed either: the machine's clock was set back since.
fn still_believed(at: Timestamp, now: Timestamp) -> bool {
    (0..BELIEVED_US).contains(&now.since(at))
}

pub(crate) fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('=')).find(|(key, _)| *key == name).map(|(_, value)| value)
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")
}

fn language(headers: &HeaderMap) -> Option<Language> {
    cookie(headers, LANGUAGE_COOKIE).and_then(Language::from_tag)
}

fn accepted_language(headers: &HeaderMap) -> Language {
    let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    accepted.and_then(Language::negotiate).unwrap_or_default()
}

async fn identify(app: &App, headers: &HeaderMap) -> Result<Actor, Refusal> {
    let token = bearer(headers).or_else(|| cookie(headers, SESSION_COOKIE));
    let Some(token) = token else { return Ok(Actor::anonymous(language(headers).unwrap_or_else(|| accepted_language(headers)))) };
    let hash = app.ledger.secrets().token_hash(token);
    let now = app.ledger.now();
    let mut actor = match app.sessions.recall(&hash, now) {
        Some(actor) => actor,
        None => {
            let _room = app.sessions.may_look()?;
            let (key, vault) = (hash.clone(), app.ledger.vault().clone());
            let found = app.read(move |tx| Ok(store::actor_by_token(tx, &vault, &key, now)?)).await?;
            let Some(mut actor) = found else {
                return Ok(Actor::anonymous(language(headers).unwrap_or_else(|| accepted_language(headers))));
            };
            actor.csrf = app.ledger.secrets().token_hash(&format!("csrf {hash}"));
            app.sessions.remember(hash, now, actor.clone());
            actor
        }
    };
    if let Some(chosen) = language(headers) {
        actor.language = chosen;
    }
    Ok(actor)
}

/// Another site may make a browser send our cookie, but it cannot lie about where the request comes from.
fn comes_from_us(request: &Request, actor: &Actor) -> bool {
    let headers = request.headers();
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if text("x-baton-csrf").is_some_and(|shown| !actor.csrf.is_empty() && shown == actor.csrf) {
        return true;
    }
    match (text("sec-fetch-site"), text("origin"), text("host")) {
        (Some(site), _, _) => site == "same-origin" || site == "none",
        (None, Some(origin), Some(host)) => origin.split_once("://").is_some_and(|(_, from)| from == host),
        _ => false,
    }
}

/// Around every request: who is asking, is it really them, and refusals in their words.
pub(crate) async fn at_the_desk(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let actor = match identify(&app, request.headers()).await {
        Ok(actor) => actor,
        Err(refusal) => return Refused(refusal).into_response(),
    };
    let html = wants_html(&request);
    let target = request.uri().path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string);
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let by_cookie = bearer(request.headers()).is_none() && actor.account.is_some();
    request.extensions_mut().insert(actor.clone());
    let response = if changes && by_cookie && !comes_from_us(&request, &actor) {
        Refused(Refusal::forbidden("other-site")).into_response()
    } else {
        next.run(request).await
    };
    let mut response = match response.extensions().get::<Unworded>().cloned() {
        Some(Unworded(refusal)) => worded(&app, &actor, refusal, response, html, &target),
        None => response,
    };
    guard_headers(response.headers_mut());
    response
}

fn wants_html(request: &Request) -> bool {
    let accept = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or("");
    let path = request.uri().path();
    accept.contains("text/html") && !path.starts_with("/v1/") && !path.starts_with("/fhir/")
}

fn worded(app: &App, actor: &Actor, refusal: Refusal, bare: Response, html: bool, target: &str) -> Response {
    if html && refusal.status == Status::Unknown {
        let next: String = target.bytes().map(|b| if b.is_ascii_alphanumeric() || b == b'/' { (b as char).to_string() } else { format!("%{b:02X}") }).collect();
        return Redirect::to(&format!("/sign-in?next={next}")).into_response();
    }
    let (message, next) = app.texts.words(actor.language).refusal(&refusal);
    let (mut parts, _) = bare.into_parts();
    let body = if html {
        parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        page::refusal(app, actor, &refusal, &message, next.as_deref()).into_string()
    } else if target.starts_with("/fhir/") {
        parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(baton_fhir::MEDIA_TYPE));
        outcome(&refusal, &message, next)
    } else {
        parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let answer = RefusalAnswer { code: refusal.code.to_owned(), message, next };
        serde_json::to_string(&answer).unwrap_or_default()
    };
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.extensions.remove::<Unworded>();
    Response::from_parts(parts, body.into())
}

/// A refusal as whoever speaks FHIR expects it: the code among the details, what to do next among the diagnostics.
fn outcome(refusal: &Refusal, message: &str, next: Option<String>) -> String {
    let issue = match refusal.status {
        Status::Malformed => "invalid",
        Status::Unknown => "login",
        Status::Forbidden => "forbidden",
        Status::Absent => "not-found",
        Status::Conflict => "conflict",
        Status::Ruled => "business-rule",
        Status::Slow | Status::Full => "throttled",
        Status::Broken => "exception",
    };
    let mut details = baton_fhir::CodeableConcept::of(baton_fhir::Coding::new("urn:x-baton:refusal", refusal.code, message));
    details.text = Some(message.to_owned());
    serde_json::to_string(&baton_fhir::OperationOutcome::error(issue, details, next)).unwrap_or_default()
}

fn guard_headers(headers: &mut HeaderMap) {
    // Compiled code is let in for the reader of codes; no text is ever run as a script.
    const GUARDS: [(&str, &str); 5] = [
        (
            "content-security-policy",
            "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
        ),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "same-origin"),
        ("permissions-policy", "camera=(self)"),
        ("cross-origin-opener-policy", "same-origin"),
    ];
    for (name, value) in GUARDS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
}

impl<S: Sync> FromRequestParts<S> for Actor {
    type Rejection = Refused;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refused> {
        parts.extensions.get::<Actor>().cloned().ok_or_else(|| Refused(Refusal::new("not-signed-in", Status::Unknown)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crowd_of_strangers_is_refused_before_the_store_is_asked() {
        let sessions = Sessions::default();
        let looking: Vec<_> = (0..LOOKED_UP).map(|_| sessions.may_look().unwrap()).collect();
        let refusal = sessions.may_look().err().unwrap();
        assert_eq!((refusal.code, refusal.status), ("budget-full", Status::Full));
        drop(looking);
        assert!(sessions.may_look().is_ok());
    }

    #[test]
    fn nobody_is_believed_longer_because_the_clock_was_set_back() {
        let sessions = Sessions::default();
        let resolved = Timestamp(1_774_000_000_000_000);
        sessions.remember("hash".to_owned(), resolved, Actor::anonymous(Language::English));
        let believed = |us: i64| sessions.recall("hash", resolved.plus_us(us)).is_some();
        assert!(believed(0) && believed(BELIEVED_US - 1));
        assert!(!believed(BELIEVED_US) && !believed(-1) && !believed(-86_400 * SECOND_US));
    }
}
