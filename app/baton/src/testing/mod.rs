//! An installation in a temporary folder, with a clock that the test moves. On both stores: PostgreSQL when BATON_TEST_POSTGRES names one.

mod browser;
mod journeys;
mod operations;
mod routes;
mod sessions;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::body::Body;
use axum::http::{Request, header};
use baton_desk::accounts::pages::{NewUser, create_account};
use baton_desk::{App, Role, Scope};
use baton_kit::{AccountId, Bucket, Language, SeededEntropy, Site, VirtualClock};
use serde_json::Value;
use tower::ServiceExt;

use crate::installation::{Held, Settings, Where, operator};

/// A running installation without a network.
pub(crate) struct Installation {
    pub(crate) held: Held,
    pub(crate) clock: Arc<VirtualClock>,
    router: axum::Router,
    folder: PathBuf,
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
    pub(crate) fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }
}

static NUMBER: AtomicU32 = AtomicU32::new(0);

/// A database of its own for a test, when there is a PostgreSQL server to test on.
fn postgres_database(number: u32) -> Option<String> {
    let Ok(server) = std::env::var("BATON_TEST_POSTGRES") else {
        eprintln!("skipped on PostgreSQL: BATON_TEST_POSTGRES is not set");
        return None;
    };
    let name = format!("baton_app_{}_{number}", std::process::id());
    let mut conn = baton_ledger::Conn::open_postgres(&server).expect("the test server");
    conn.execute_ddl(&format!("CREATE DATABASE {name}")).expect("a database of its own");
    let (base, tail) = server.split_at(server.rfind('/').filter(|at| *at > "postgres://".len()).unwrap_or(server.len()));
    let options = tail.split_once('?').map_or(String::new(), |(_, options)| format!("?{options}"));
    Some(format!("{base}/{name}{options}"))
}

impl Installation {
    /// On the embedded store.
    pub(crate) fn embedded() -> Self {
        Self::new(None, NUMBER.fetch_add(1, Ordering::Relaxed))
    }

    /// On the embedded store, at the time it really is: a browser has a clock of its own.
    pub(crate) fn embedded_now() -> Self {
        let installation = Self::embedded();
        installation.clock.advance_to(baton_kit::Clock::now(&baton_kit::SystemClock));
        installation
    }

    /// One on each store there is.
    pub(crate) fn on_each_store() -> Vec<Self> {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let database = postgres_database(number);
        let second = database.map(|url| Self::new(Some(url), NUMBER.fetch_add(1, Ordering::Relaxed)));
        std::iter::once(Self::new(None, number)).chain(second).collect()
    }

    fn new(database: Option<String>, number: u32) -> Self {
        let folder = std::env::temp_dir().join(format!("baton-test-{}-{number}", std::process::id()));
        _ = std::fs::remove_dir_all(&folder);
        let at = Where { data: folder.clone(), database };
        let entropy = Arc::new(SeededEntropy::new(7));
        at.create(&Settings { name: "Test".to_owned(), ..Settings::default() }, &*entropy).expect("a new installation");
        let start = Site::shanghai().parse("2026-03-27 07:00").expect("a time");
        let clock = Arc::new(VirtualClock::new(start));
        let held = at.hold_with(clock.clone(), entropy).expect("an installation");
        let router = baton_desk::router(&held.app);
        Self { held, clock, router, folder }
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
        let mut request = Request::builder().method(method).uri(path).header(header::ACCEPT, "application/json").header(header::ACCEPT_LANGUAGE, "en");
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        let request = request.header(header::CONTENT_TYPE, "application/json").body(body).expect("a request");
        let response = self.router.clone().oneshot(request).await.expect("an answer");
        let status = response.status().as_u16();
        let bytes = axum::body::to_bytes(response.into_body(), 64 << 20).await.expect("a body");
        Reply { status, text: String::from_utf8_lossy(&bytes).into_owned() }
    }
}

fn password(login: &str) -> String {
    format!("{login}-{login}-password")
}

impl Drop for Installation {
    fn drop(&mut self) {
        _ = std::fs::remove_dir_all(&self.folder);
    }
}
