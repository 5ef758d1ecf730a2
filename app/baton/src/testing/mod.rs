//! An installation in a temporary folder, with a clock that the test moves. On both stores: PostgreSQL when BATON_TEST_POSTGRES names one.

mod boards;
mod browser;
mod exchange;
mod hand_over;
mod hands;
mod journeys;
mod live;
mod operations;
mod outlook;
mod pools;
mod routes;
mod screens;
mod sessions;
mod vehicle;
mod verify;

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, header};
use baton_desk::accounts::pages::{NewUser, create_account};
use baton_desk::{App, Role, Scope};
use baton_ground::Plot;
use baton_kit::{AccountId, Bucket, Language, SeededEntropy, Site, VirtualClock};
use serde_json::Value;
use tower::ServiceExt;

use crate::installation::{Held, Settings, Where, operator};

/// A running installation without a network.
pub(crate) struct Installation {
    pub(crate) held: Held,
    pub(crate) clock: Arc<VirtualClock>,
    router: axum::Router,
    /// Last, so that it goes after the ledger is closed.
    _plot: Plot,
}

/// One answer.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) text: String,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }
    /// The refusal's code, in our own form or in FHIR's.
    pub(crate) fn code(&self) -> String {
        let json = self.json();
        json["code"].as_str().or(json["issue"][0]["details"]["coding"][0]["code"].as_str()).unwrap_or_default().to_owned()
    }
}

impl Installation {
    /// On the embedded store.
    pub(crate) fn embedded() -> Self {
        Self::on(Plot::embedded())
    }

    /// On the embedded store, at the time it really is: a browser has a clock of its own.
    pub(crate) fn embedded_now() -> Self {
        let installation = Self::embedded();
        installation.clock.advance_to(baton_kit::Clock::now(&baton_kit::SystemClock));
        installation
    }

    /// One on each store there is.
    pub(crate) fn on_each_store() -> Vec<Self> {
        Plot::on_each_store("journeys").into_iter().map(Self::on).collect()
    }

    fn on(plot: Plot) -> Self {
        let at = Where { data: plot.folder.clone(), database: plot.database.clone() };
        let entropy = Arc::new(SeededEntropy::new(7));
        at.create(&Settings { name: "Test".to_owned(), ..Settings::default() }, &*entropy).expect("a new installation");
        Self::opened(plot, entropy)
    }

    /// One that is there already, as whoever made it left it.
    fn opened(plot: Plot, entropy: Arc<SeededEntropy>) -> Self {
        let at = Where { data: plot.folder.clone(), database: plot.database.clone() };
        let start = Site::shanghai().parse("2026-03-27 07:00").expect("a time");
        let clock = Arc::new(VirtualClock::new(start));
        let held = at.hold_with(clock.clone(), entropy).expect("an installation");
        let router = baton_desk::router(&held.app);
        Self { router, held, clock, _plot: plot }
    }

    pub(crate) fn app(&self) -> &App {
        &self.held.app
    }

    pub(crate) fn store_name(&self) -> &'static str {
        if self.app().ledger.place().database.is_some() { "PostgreSQL" } else { "SQLite" }
    }

    /// A user with these roles; the password is the login twice over.
    pub(crate) async fn user(&self, login: &str, roles: &[Role], scope: Scope) -> AccountId {
        let id = self.app().form_id(Bucket::INSTALLATION).await.expect("an id");
        let new = NewUser {
            login: login.to_owned(),
            name: login.to_owned(),
            password: password(login),
            roles: roles.to_vec(),
            scope,
            language: Language::English,
            first: false,
        };
        create_account(self.app(), &operator(), id, new).await.expect("a user")
    }

    /// Signs in: token and device number.
    pub(crate) async fn sign_in(&self, login: &str) -> (String, u32) {
        let body = serde_json::json!({"login": login, "password": password(login)});
        let reply = self.send("POST", "/v1/sign-in", None, Some(&body)).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        let answer = reply.json();
        (answer["token"].as_str().expect("a token").to_owned(), answer["device"].as_u64().expect("a device") as u32)
    }

    pub(crate) async fn send(&self, method: &str, path: &str, token: Option<&str>, body: Option<&Value>) -> Reply {
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        self.sent(method, path, token, ("application/json", body)).await
    }

    /// Sends a page's form with a token.
    pub(crate) async fn submit(&self, path: &str, token: &str, form: &str) -> Reply {
        self.sent("POST", path, Some(token), ("application/x-www-form-urlencoded", Body::from(form.to_owned()))).await
    }

    async fn sent(&self, method: &str, path: &str, token: Option<&str>, (kind, body): (&str, Body)) -> Reply {
        let mut request = Request::builder().method(method).uri(path).header(header::ACCEPT, "application/json").header(header::ACCEPT_LANGUAGE, "en");
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let request = request.header(header::CONTENT_TYPE, kind).body(body).expect("a request");
        let response = self.router.clone().oneshot(request).await.expect("an answer");
        let status = response.status().as_u16();
        let bytes = axum::body::to_bytes(response.into_body(), 64 << 20).await.expect("a body");
        Reply { status, text: String::from_utf8_lossy(&bytes).into_owned() }
    }
}

pub(super) fn password(login: &str) -> String {
    format!("{login}-{login}-password")
}
