//! Users: who they are, what they may do and where, and their passwords.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect};
use baton_kit::{AccountId, Bucket, EventId, PlaceId, Refusal};
use baton_ledger::Undecided;
use maud::{Markup, html};
use serde::Deserialize;

use super::events::*;
use super::pages::{ADMINISTRATOR, NewUser, create_account, field, hash_password, seal};
use super::{rules, store};
use crate::App;
use crate::actor::{Actor, Role, Scope};
use crate::answer::Answered;
use crate::form::{At, Form};
use crate::page::Page;
use crate::room::{Directory, PlaceNames, Route};

pub fn routes() -> Vec<Route> {
    vec![
        Route::get("/users", ADMINISTRATOR, "Users", users),
        Route::post("/users", ADMINISTRATOR, "Create a user", create),
        Route::get("/users/{account}", ADMINISTRATOR, "A user: rights, password", one),
        Route::post("/users/{account}", ADMINISTRATOR, "Change a user's rights, disable or enable them, or give a new password", change),
    ]
}

/// Names of the places of these scopes.
async fn names_of(app: &App, accounts: &[store::Account]) -> Result<PlaceNames, Refusal> {
    let places: Vec<PlaceId> =
        accounts.iter().flat_map(|account| if let Scope::Places(places) = &account.scope { places.clone() } else { Vec::new() }).collect();
    let directory = app.directory();
    app.read(move |tx| Ok((directory.names)(tx, &places)?)).await
}

async fn users(State(app): State<App>, actor: Actor) -> Answered<Markup> {
    let vault = app.ledger.vault().clone();
    let accounts = app.read(move |tx| Ok(store::accounts(tx, &vault)?)).await?;
    let names = names_of(&app, &accounts).await?;
    let id = app.form_id(Bucket::INSTALLATION).await?;
    let page = Page::new(&app, &actor);
    let content = html! {
        div.scroll { table {
            thead { tr { th { (page.t("user-login")) } th { (page.t("user-name")) } th { (page.t("user-roles")) } th { (page.t("user-scope")) } } }
            tbody { @for account in &accounts { (user_row(&page, account, &names)) } }
        } }
        h2 { (page.t("user-new")) }
        form method="post" action="/users" {
            input type="hidden" name="id" value=(id);
            (field(&page, "user-name", "name", "text", "off"))
            (field(&page, "user-login", "login", "text", "off"))
            (field(&page, "user-password", "password", "password", "new-password"))
            (roles_field(&page, &[]))
            (scope_field(&page, ""))
            button.primary { (page.t("user-create")) }
        }
    };
    Ok(page.frame(&page.t("users-title"), content))
}

fn user_row(page: &Page<'_>, account: &store::Account, names: &PlaceNames) -> Markup {
    html! {
        tr.off[!account.enabled] {
            td { a href={ "/users/" (account.id) } { (account.secret.login) } }
            td { (account.secret.name) }
            td { (roles_words(page, &account.roles)) }
            td { (scope_words(page, &account.scope, names)) }
        }
    }
}

fn roles_field(page: &Page<'_>, chosen: &[Role]) -> Markup {
    html! {
        fieldset {
            legend { (page.t("user-roles")) }
            @for role in Role::ALL {
                label.check { input type="checkbox" name="role" value=(role.name()) checked[chosen.contains(&role)]; span { (role_name(page, role)) } }
            }
        }
    }
}

fn scope_field(page: &Page<'_>, now: &str) -> Markup {
    html! { label { span { (page.t("user-scope")) } input name="scope" value=(now) placeholder=(page.t("user-scope-hint")) autocomplete="off" spellcheck="false"; } }
}

fn role_name(page: &Page<'_>, role: Role) -> String {
    page.t(&format!("role-{}", role.name()))
}

pub(super) fn roles_words(page: &Page<'_>, roles: &[Role]) -> String {
    roles.iter().map(|role| role_name(page, *role)).collect::<Vec<_>>().join(" · ")
}

fn scope_words(page: &Page<'_>, scope: &Scope, names: &PlaceNames) -> String {
    let named = |place: &PlaceId| names.get(place).map_or_else(|| place.to_string(), |(code, name)| format!("{code} {name}"));
    match scope {
        Scope::Everywhere => page.t("scope-everywhere"),
        Scope::Nowhere => page.t("scope-nowhere"),
        Scope::Places(places) => places.iter().map(named).collect::<Vec<_>>().join(" · "),
    }
}

/// As somebody would type it: the codes of the places.
fn scope_text(scope: &Scope, names: &PlaceNames) -> String {
    let typed = |place: &PlaceId| names.get(place).map_or_else(|| place.to_string(), |(code, _)| code.clone());
    match scope {
        Scope::Everywhere => "everywhere".to_owned(),
        Scope::Nowhere => String::new(),
        Scope::Places(places) => places.iter().map(typed).collect::<Vec<_>>().join(", "),
    }
}

/// `everywhere`, nothing, or places separated by commas: each by its code, or by its id. `find` gives all places of a code.
pub fn scope_from(text: &str, mut find: impl FnMut(&str) -> Result<Vec<PlaceId>, Undecided>) -> Result<Scope, Undecided> {
    let text = text.trim();
    match text {
        "" => return Ok(Scope::Nowhere),
        "everywhere" | "*" => return Ok(Scope::Everywhere),
        _ => {}
    }
    let mut places = Vec::new();
    for part in text.split([',', '，', '、', ';', ' ']).map(str::trim).filter(|part| !part.is_empty()) {
        let found = find(part)?;
        let place = match found.as_slice() {
            [] => part.parse().map_err(|_| Refusal::malformed("scope-wrong").with("part", part))?,
            [place] => *place,
            _ => return Err(Refusal::malformed("scope-ambiguous").with("part", part).into()),
        };
        places.push(place);
    }
    Ok(Scope::Places(places))
}

/// A scope as typed, its codes looked up.
pub async fn scope_of(app: &App, text: &str) -> Result<Scope, Refusal> {
    let (Directory { find, .. }, text) = (app.directory(), text.to_owned());
    app.read(move |tx| scope_from(&text, |code| Ok(find(tx, code)?))).await
}

pub fn roles_from(names: &[String]) -> Result<Vec<Role>, Refusal> {
    names.iter().map(|name| Role::from_name(name).ok_or_else(|| Refusal::malformed("role-unknown").with("role", name))).collect()
}

#[derive(Deserialize)]
struct UserForm {
    id: EventId,
    name: String,
    login: String,
    password: String,
    #[serde(default)]
    role: Vec<String>,
    #[serde(default)]
    scope: String,
}

async fn create(State(app): State<App>, actor: Actor, Form(form): Form<UserForm>) -> Answered {
    let new = NewUser {
        login: form.login,
        name: form.name,
        password: form.password,
        roles: roles_from(&form.role)?,
        scope: scope_of(&app, &form.scope).await?,
        language: actor.language,
        first: false,
    };
    create_account(&app, &actor, form.id, new).await?;
    Ok(Redirect::to("/users").into_response())
}

async fn found(app: &App, id: AccountId) -> Result<store::Account, Refusal> {
    let vault = app.ledger.vault().clone();
    app.read(move |tx| store::account(tx, &vault, id)?.ok_or_else(|| Refusal::absent("no-such-thing").into())).await
}

async fn one(State(app): State<App>, actor: Actor, At(id): At<AccountId>) -> Answered<Markup> {
    let account = found(&app, id).await?;
    let names = names_of(&app, std::slice::from_ref(&account)).await?;
    let (rights, password, standing) =
        (app.form_id(Bucket::INSTALLATION).await?, app.form_id(Bucket::INSTALLATION).await?, app.form_id(Bucket::INSTALLATION).await?);
    let page = Page::new(&app, &actor);
    let action = format!("/users/{id}");
    let own = actor.account == Some(id);
    let (words, enable) = if account.enabled { ("user-disable", "false") } else { ("user-enable", "true") };
    let content = html! {
        p.soft { (account.secret.login) @if !account.enabled { " · " (page.t("user-disabled")) } }
        @if !own {
            h2 { (page.t("user-rights")) }
            form id="rights" method="post" action=(action) {
                input type="hidden" name="id" value=(rights);
                (roles_field(&page, &account.roles))
                (scope_field(&page, &scope_text(&account.scope, &names)))
                p.soft { (scope_words(&page, &account.scope, &names)) }
                button.primary name="what" value="rights" { (page.t("user-change")) }
            }
        }
        h2 { (page.t("user-password-new")) }
        form id="password" method="post" action=(action) {
            input type="hidden" name="id" value=(password);
            (field(&page, "user-password", "password", "password", "new-password"))
            button name="what" value="password" { (page.t("user-password-give")) }
        }
        @if !own {
            h2 { (page.t(words)) }
            form id="standing" method="post" action=(action) {
                input type="hidden" name="id" value=(standing);
                input type="hidden" name="enabled" value=(enable);
                button name="what" value="standing" { (page.t(words)) }
            }
        }
    };
    Ok(page.frame(&account.secret.name, content))
}

#[derive(Deserialize)]
struct UserChange {
    id: EventId,
    /// Which of the three forms was sent.
    what: What,
    enabled: Option<bool>,
    #[serde(default)]
    password: String,
    #[serde(default)]
    role: Vec<String>,
    #[serde(default)]
    scope: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum What {
    Rights,
    Password,
    Standing,
}

async fn change(State(app): State<App>, actor: Actor, At(account): At<AccountId>, Form(form): Form<UserChange>) -> Answered {
    if form.what != What::Password && actor.account == Some(account) {
        return Err(Refusal::ruled("not-yourself").into());
    }
    let known = found(&app, account).await?;
    let mut command = ChangeAccount { account, roles: None, scope: None, enabled: None, sealed: None };
    match form.what {
        What::Rights => {
            let roles = roles_from(&form.role)?;
            if roles.is_empty() {
                return Err(Refusal::ruled("account-without-role").into());
            }
            (command.roles, command.scope) = (Some(roles), Some(scope_of(&app, &form.scope).await?));
        }
        What::Password => command.sealed = Some(resealed(&app, known, form.password).await?),
        What::Standing => command.enabled = form.enabled,
    }
    app.decide(&actor, form.id, command, |_, _, _| Ok(())).await?;
    app.sessions.forget();
    Ok(Redirect::to(&format!("/users/{account}")).into_response())
}

/// The account's secret with another password.
async fn resealed(app: &App, account: store::Account, password: String) -> Result<baton_ledger::Sealed, Refusal> {
    rules::password(&password)?;
    let ledger = app.ledger.clone();
    app.blocking(move || {
        let hash = hash_password(&password, ledger.vault().random());
        seal(&ledger, account.id, &AccountSecret { password: hash, ..account.secret })
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(n: u32) -> PlaceId {
        EventId::from_raw((5 << 56) | (1 << 32) | i64::from(n)).unwrap().created()
    }

    fn town(code: &str) -> Result<Vec<PlaceId>, Undecided> {
        Ok(match code {
            "Z1" => vec![place(1)],
            "7" => vec![place(7)],
            "TWICE" => vec![place(2), place(3)],
            _ => Vec::new(),
        })
    }

    fn code_of(scope: Result<Scope, Undecided>) -> &'static str {
        match scope {
            Err(Undecided::Refused(refusal)) => refusal.code,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_scope_is_typed_by_codes_or_ids() {
        assert_eq!(scope_from(" ", town).unwrap(), Scope::Nowhere);
        assert_eq!(scope_from("everywhere", town).unwrap(), Scope::Everywhere);
        assert_eq!(scope_from(&format!("Z1，{} 7", place(9)), town).unwrap(), Scope::Places(vec![place(1), place(9), place(7)]));
        assert_eq!(code_of(scope_from("Z1, Z2", town)), "scope-wrong");
        assert_eq!(code_of(scope_from("TWICE", town)), "scope-ambiguous");
    }
}
