//! First run, sign-in, home and devices.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Redirect};
use baton_kit::{AccountId, Bucket, EventId, Language, Refusal, Status, time::HOUR_US};
use baton_ledger::{Sealed, Undecided};
use maud::{Markup, html};
use serde::Deserialize;

use super::events::*;
use super::{rules, store};
use crate::actor::{Actor, Role, Scope};
use crate::answer::Answered;
use crate::form::{Asked, Form};
use crate::page::Page;
use crate::room::{Access, Budget, InboxItem, Route};
use crate::{App, Card, operations, session};

pub(super) const ADMINISTRATOR: Access = Access::Roles(&[Role::Administrator]);
/// A sign-in lasts one long shift.
const SESSION_US: i64 = 14 * HOUR_US;

pub fn routes() -> Vec<Route> {
    vec![
        Route::get("/", Access::SignedIn, "Home: everything whose baton is in my hand", home),
        Route::get("/setup", Access::Public, "First run: make the first administrator", setup_page),
        Route::post("/setup", Access::Public, "Make the first administrator", setup),
        Route::get("/sign-in", Access::Public, "Sign-in page", sign_in_page).within(Budget::SignIns),
        Route::post("/sign-in", Access::Public, "Sign in", sign_in).within(Budget::SignIns),
        Route::post("/v1/sign-in", Access::Public, "Sign in and get a token and a device number", sign_in_json)
            .takes::<SignInAsked>()
            .answers::<SignedIn>()
            .within(Budget::SignIns),
        Route::post("/sign-out", Access::SignedIn, "Sign out", sign_out).within(Budget::SignIns),
        Route::post("/language", Access::Public, "Choose a language", choose_language),
        Route::get("/devices", ADMINISTRATOR, "Devices", devices_page),
        Route::post("/devices", ADMINISTRATOR, "Enrol a device", enrol_device),
        Route::post("/v1/devices", ADMINISTRATOR, "Enrol a device and get its token; sent again, the same one", enrol_json)
            .takes::<DeviceAsked>()
            .answers::<SignedIn>(),
        Route::post("/devices/revoke", ADMINISTRATOR, "Revoke a device", revoke_device),
    ]
}

async fn home(State(app): State<App>, actor: Actor) -> Answered<Markup> {
    let (desk, asker) = (app.clone(), actor.clone());
    let now = app.ledger.now();
    let (mut items, mut cards) = app
        .read(move |tx| {
            let (mut items, mut cards): (Vec<InboxItem>, Vec<Card>) = (Vec::new(), Vec::new());
            for room in &desk.rooms {
                items.extend((room.inbox)(tx, &asker, now)?);
                cards.extend((room.cards)(tx, &asker, now)?);
            }
            Ok((items, cards))
        })
        .await?;
    if actor.has(Role::Administrator) {
        cards.extend(operations::cards(&app).await?);
    }
    items.sort_by_key(|item| item.deadline_us.unwrap_or(baton_kit::Timestamp(i64::MAX)));
    let page = Page::new(&app, &actor);
    let nothing = items.is_empty() && cards.iter().all(|card| card.stored.is_some());
    let hand = html! {
        @if nothing { p.empty { (page.t("home-empty")) } }
        (crate::card::cards(&page, cards, now))
        @if !items.is_empty() { ul.inbox { @for item in &items { (inbox_row(&page, item, now)) } } }
    };
    // Time makes it old, and many people have it open all day: it is drawn again each minute, not with every change.
    Ok(page.frame(&page.t("home-title"), page.live("hand", "", 60, hand)))
}

fn inbox_row(page: &Page<'_>, item: &InboxItem, now: baton_kit::Timestamp) -> Markup {
    let values: Vec<(&str, &str)> = item.arguments.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let late = item.deadline_us.is_some_and(|deadline| deadline < now);
    html! {
        li.late[late] {
            a href=(item.link) { (page.with(item.words, &values)) }
            @if let Some(deadline) = item.deadline_us { " " time { (page.with("home-by", &[("time", &page.time(deadline))])) } }
        }
    }
}

async fn setup_page(State(app): State<App>, actor: Actor) -> Answered {
    if app.read(|tx| Ok(store::any_account(tx)?)).await? {
        return Ok(Redirect::to("/sign-in").into_response());
    }
    let id = app.form_id(Bucket::INSTALLATION).await?;
    let page = Page::new(&app, &actor);
    let content = html! {
        p { (page.t("setup-words")) }
        form method="post" action="/setup" {
            input type="hidden" name="id" value=(id);
            (field(&page, "setup-token", "token", "text", "off"))
            (field(&page, "user-name", "name", "text", "name"))
            (field(&page, "user-login", "login", "text", "username"))
            (field(&page, "user-password", "password", "password", "new-password"))
            button.primary { (page.t("setup-do")) }
        }
    };
    Ok(page.frame(&page.t("setup-title"), content).into_response())
}

pub(super) fn field(page: &Page<'_>, words: &str, name: &str, kind: &str, complete: &str) -> Markup {
    html! { label { span { (page.t(words)) } input type=(kind) name=(name) autocomplete=(complete) required; } }
}

#[derive(Deserialize)]
struct SetupForm {
    id: EventId,
    token: String,
    name: String,
    login: String,
    password: String,
}

async fn setup(State(app): State<App>, actor: Actor, Form(form): Form<SetupForm>) -> Answered {
    if form.token.trim() != app.setup_token {
        app.attempts.check("setup", app.ledger.now())?;
        app.attempts.failed("setup", app.ledger.now());
        return Err(Refusal::forbidden("setup-token-wrong").into());
    }
    let new = NewUser {
        login: form.login,
        name: form.name,
        password: form.password,
        roles: vec![Role::Administrator],
        scope: Scope::Everywhere,
        language: actor.language,
        first: true,
    };
    create_account(&app, &actor, form.id, new).await?;
    Ok(Redirect::to("/sign-in").into_response())
}

/// A user to be made.
#[derive(Clone, Debug)]
pub struct NewUser {
    pub login: String,
    pub name: String,
    pub password: String,
    pub roles: Vec<Role>,
    pub scope: Scope,
    pub language: Language,
    pub first: bool,
}

/// Makes an account; the password is hashed away from the async threads.
pub async fn create_account(app: &App, actor: &Actor, id: EventId, new: NewUser) -> Result<AccountId, Refusal> {
    let login = rules::login(&new.login)?;
    rules::password(&new.password)?;
    let account: AccountId = id.created();
    let ledger = app.ledger.clone();
    let (key, sealed) = app
        .blocking(move || {
            let secret =
                AccountSecret { name: new.name.trim().to_owned(), password: hash_password(&new.password, ledger.vault().random()), login: login.clone() };
            let sealed = seal(&ledger, account, &secret)?;
            Ok((ledger.secrets().lookup("login", &login), sealed))
        })
        .await?;
    let command = CreateAccount { login_key: key, sealed, roles: new.roles, scope: new.scope, language: new.language, first: new.first };
    let decision =
        app.decide(actor, id, command, |tx, command: &CreateAccount, _| Ok(rules::create_account(store::accounts_now(tx, command.login_key)?, command)?));
    decision.await?;
    Ok(account)
}

pub(super) fn seal(ledger: &baton_ledger::Ledger, account: AccountId, secret: &AccountSecret) -> Result<Sealed, Undecided> {
    let text = baton_ledger::to_json(secret)?;
    Ok(Sealed(ledger.vault().seal(crate::any_id(account), text.as_bytes())?))
}

pub(super) fn hash_password(password: &str, salt: [u8; 16]) -> String {
    use argon2::password_hash::{PasswordHasher, phc::Salt};
    let salt = Salt::new(&salt).expect("sixteen bytes are a salt");
    argon2::Argon2::default().hash_password_with_salt(password.as_bytes(), salt.as_ref()).expect("default parameters hash").to_string()
}

fn password_fits(password: &str, hash: &str) -> bool {
    use argon2::password_hash::PasswordVerifier;
    argon2::Argon2::default().verify_password(password.as_bytes(), hash).is_ok()
}

#[derive(Deserialize)]
struct NextAsked {
    #[serde(default)]
    next: String,
}

async fn sign_in_page(State(app): State<App>, actor: Actor, Asked(asked): Asked<NextAsked>) -> Answered {
    if !app.read(|tx| Ok(store::any_account(tx)?)).await? {
        return Ok(Redirect::to("/setup").into_response());
    }
    let page = Page::new(&app, &actor);
    let content = html! {
        form.narrow method="post" action="/sign-in" {
            input type="hidden" name="next" value=(asked.next);
            (field(&page, "user-login", "login", "text", "username"))
            (field(&page, "user-password", "password", "password", "current-password"))
            button.primary { (page.t("sign-in-do")) }
        }
    };
    Ok(page.frame(&page.t("sign-in-title"), content).into_response())
}

#[derive(Deserialize)]
struct SignInForm {
    login: String,
    password: String,
    #[serde(default)]
    next: String,
}

async fn sign_in(State(app): State<App>, Form(form): Form<SignInForm>) -> Answered {
    let signed = enter(&app, SignInAsked { login: form.login, password: form.password }).await?;
    let next = if form.next.starts_with('/') && !form.next.starts_with("//") { form.next } else { "/".to_owned() };
    let cookie = format!("{}={}; Path=/; HttpOnly; SameSite=Lax; Max-Age={}", session::SESSION_COOKIE, signed.token, SESSION_US / 1_000_000);
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to(&next)).into_response())
}

/// Who wants in.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct SignInAsked {
    login: String,
    password: String,
}

/// A sign-in: show the token as `Authorization: Bearer`, and number your events under `device`.
#[derive(Debug, serde::Serialize, schemars::JsonSchema)]
struct SignedIn {
    token: String,
    device: baton_kit::Device,
}

async fn sign_in_json(State(app): State<App>, crate::form::Body(asked): crate::form::Body<SignInAsked>) -> Answered<axum::Json<SignedIn>> {
    Ok(axum::Json(enter(&app, asked).await?))
}

async fn enter(app: &App, asked: SignInAsked) -> Result<SignedIn, Refusal> {
    let login = asked.login.trim().to_lowercase();
    let now = app.ledger.now();
    app.attempts.check(&login, now)?;
    let (ledger, name) = (app.ledger.clone(), login.clone());
    let account = app
        .blocking(move || {
            let key = ledger.secrets().lookup("login", &name);
            let account = ledger.read(|tx| Ok(store::account_by_login(tx, ledger.vault(), key)?))?;
            // As much work for a name that is not there as for one that is.
            let hash = account.as_ref().map_or_else(|| hash_password("nobody", [0; 16]), |account| account.secret.password.clone());
            let fits = password_fits(&asked.password, &hash);
            Ok(account.filter(|account| fits && account.enabled))
        })
        .await?;
    let Some(account) = account else {
        app.attempts.failed(&login, now);
        return Err(Refusal::new("sign-in-wrong", Status::Unknown));
    };
    app.attempts.succeeded(&login);
    start_session(app, account.id).await
}

async fn start_session(app: &App, account: AccountId) -> Result<SignedIn, Refusal> {
    let token = new_token(app);
    let command = SignIn { account, token_hash: app.ledger.secrets().token_hash(&token), expires_us: app.ledger.now().plus_us(SESSION_US) };
    let id = app.form_id(Bucket::INSTALLATION).await?;
    let nobody = Actor { account: Some(account), ..Actor::anonymous(Language::default()) };
    let server = app.ledger.server();
    let decision = app.decide(&nobody, id, command, move |tx, _, _| Ok(SayerGiven { device: store::next_device(tx, server)? })).await?;
    Ok(SignedIn { token, device: decision.outcome.device })
}

fn new_token(app: &App) -> String {
    baton_ledger::hex(&app.ledger.vault().random::<32>())
}

async fn sign_out(State(app): State<App>, actor: Actor) -> Answered {
    if let Some(session) = actor.session {
        let id = app.form_id(Bucket::INSTALLATION).await?;
        app.decide(&actor, id, SignOut { session }, |_, _, _| Ok(())).await?;
        app.sessions.forget();
    }
    let cookie = format!("{}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0", session::SESSION_COOKIE);
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to("/sign-in")).into_response())
}

#[derive(Deserialize)]
struct LanguageForm {
    language: String,
}

async fn choose_language(headers: axum::http::HeaderMap, Form(form): Form<LanguageForm>) -> Answered {
    let language = Language::from_tag(&form.language).ok_or_else(|| Refusal::malformed("language-unknown"))?;
    let cookie = format!("{}={}; Path=/; SameSite=Lax; Max-Age=31536000", session::LANGUAGE_COOKIE, language.tag());
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to(&came_from(&headers))).into_response())
}

/// The path of the page the form was on; nothing of another host is followed.
fn came_from(headers: &axum::http::HeaderMap) -> String {
    let referer = headers.get(header::REFERER).and_then(|value| value.to_str().ok()).unwrap_or("");
    let path = referer.split_once("://").and_then(|(_, rest)| rest.find('/').map(|at| &rest[at..])).unwrap_or("/");
    if path.starts_with("//") { "/".to_owned() } else { path.to_owned() }
}

async fn devices_page(State(app): State<App>, actor: Actor) -> Answered<Markup> {
    devices_with(&app, &actor, None).await
}

async fn devices_with(app: &App, actor: &Actor, fresh: Option<&(String, baton_kit::Device)>) -> Answered<Markup> {
    let devices = app.read(|tx| Ok(store::devices(tx)?)).await?;
    let id = app.form_id(Bucket::INSTALLATION).await?;
    let revoke = app.form_id(Bucket::INSTALLATION).await?;
    let page = Page::new(app, actor);
    Ok(page.frame(
        &page.t("devices-title"),
        html! {
            @if let Some((token, device)) = fresh {
                div.notice.good role="status" { p { (page.with("device-token-once", &[("device", &device.number().to_string())])) } p.code { (token) } }
            }
            table {
                thead { tr { th { (page.t("device-number")) } th { (page.t("device-name")) } th { (page.t("device-enrolled")) } th {} } }
                tbody { @for device in &devices { tr.off[device.revoked] {
                    td { (device.device) } td { (device.name) } td { (page.time(device.enrolled)) }
                    td { @if !device.revoked { form.inline method="post" action="/devices/revoke" {
                        input type="hidden" name="id" value=(revoke);
                        button name="device" value=(device.device) { (page.t("device-revoke")) }
                    } } }
                } } }
            }
            h2 { (page.t("device-new")) }
            form method="post" action="/devices" {
                input type="hidden" name="id" value=(id);
                (field(&page, "device-name", "name", "text", "off"))
                (field(&page, "user-login", "login", "text", "off"))
                button.primary { (page.t("device-enrol")) }
            }
        },
    ))
}

#[derive(Deserialize)]
struct DeviceForm {
    id: EventId,
    name: String,
    login: String,
}

async fn enrol_device(State(app): State<App>, actor: Actor, Form(form): Form<DeviceForm>) -> Answered<Markup> {
    let given = enrol(&app, &actor, form.id, &form.name, &form.login).await?;
    devices_with(&app, &actor, Some(&given)).await
}

/// A device that will say its own events with the rights of a user.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct DeviceAsked {
    id: EventId,
    name: String,
    login: String,
}

async fn enrol_json(State(app): State<App>, actor: Actor, crate::form::Body(asked): crate::form::Body<DeviceAsked>) -> Answered<axum::Json<SignedIn>> {
    let (token, device) = enrol(&app, &actor, asked.id, &asked.name, &asked.login).await?;
    Ok(axum::Json(SignedIn { token, device }))
}

/// Gives a device a number and a token; it acts with the rights of the account that uses it.
pub async fn enrol(app: &App, actor: &Actor, id: EventId, name: &str, login: &str) -> Result<(String, baton_kit::Device), Refusal> {
    let (ledger, login) = (app.ledger.clone(), login.trim().to_lowercase());
    let account = app
        .blocking(move || {
            let key = ledger.secrets().lookup("login", &login);
            ledger.read(|tx| Ok(store::account_by_login(tx, ledger.vault(), key)?))?.ok_or_else(|| Refusal::absent("login-unknown").with("login", login).into())
        })
        .await?;
    let token = app.ledger.secrets().token_of(id);
    let command = EnrolDevice { name: name.trim().to_owned(), account: account.id, token_hash: app.ledger.secrets().token_hash(&token) };
    let server = app.ledger.server();
    let decision = app.decide(actor, id, command, move |tx, _, _| Ok(SayerGiven { device: store::next_device(tx, server)? })).await?;
    Ok((token, decision.outcome.device))
}

#[derive(Deserialize)]
struct RevokeForm {
    id: EventId,
    device: u32,
}

async fn revoke_device(State(app): State<App>, actor: Actor, Form(form): Form<RevokeForm>) -> Answered {
    let device = baton_kit::Device::new(form.device).map_err(|_| Refusal::absent("no-such-thing"))?;
    app.decide(&actor, form.id, RevokeDevice { device }, |_, _, _| Ok(())).await?;
    app.sessions.forget();
    Ok(Redirect::to("/devices").into_response())
}
