//! Competence of staff: who was found able to do what, by whom, until when.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::{IntoResponse, Redirect};
use baton_kit::{AccountId, Bucket, EventId, Refusal, Timestamp, time::DAY_US};
use maud::{Markup, html};
use serde::Deserialize;

use super::events::{RecordCompetence, Task};
use super::users::roles_words;
use super::{rules, store};
use crate::App;
use crate::actor::{Actor, Role};
use crate::answer::Answered;
use crate::form::Form;
use crate::page::Page;
use crate::room::{Access, Route};

/// Who sees it; an auditor looks only.
pub(super) const READERS: Access = Access::Roles(&[Role::LaboratoryDirector, Role::Administrator, Role::Auditor]);
/// Who judges.
const ASSESSORS: Access = Access::Roles(&[Role::LaboratoryDirector, Role::Administrator]);

pub fn routes() -> Vec<Route> {
    vec![
        Route::get("/staff", READERS, "Competence of staff", staff),
        Route::post("/staff", ASSESSORS, "Record that somebody is competent for a task, or is no longer", record),
    ]
}

struct Member {
    account: store::Account,
    competences: BTreeMap<Task, Timestamp>,
}

async fn staff(State(app): State<App>, actor: Actor) -> Answered<Markup> {
    let (vault, now) = (app.ledger.vault().clone(), app.ledger.now());
    let members = app
        .read(move |tx| {
            let accounts = store::accounts(tx, &vault)?.into_iter().filter(|account| account.enabled);
            let members = accounts.map(|account| Ok(Member { competences: store::competences_at(tx, account.id, now)?, account }));
            Ok(members.collect::<baton_ledger::StoreResult<Vec<_>>>()?)
        })
        .await?;
    let id = app.form_id(Bucket::INSTALLATION).await?;
    let page = Page::new(&app, &actor);
    let content = html! {
        p.soft { (page.t("staff-words")) }
        @if ASSESSORS.admits(&actor) { (form(&page, id, actor.account, &members)) }
        div.scroll { table id="staff" {
            thead { tr { th { (page.t("user-name")) } th { (page.t("user-roles")) } th { (page.t("staff-competences")) } } }
            tbody { @for member in &members { tr {
                td { (member.account.secret.name) " " span.soft { (member.account.secret.login) } }
                td { (roles_words(&page, &member.account.roles)) }
                td { (competences(&page, &member.competences, now)) }
            } } }
        } }
    };
    Ok(page.frame(&page.t("staff-title"), content))
}

fn competences(page: &Page<'_>, found: &BTreeMap<Task, Timestamp>, now: Timestamp) -> Markup {
    html! {
        @if found.is_empty() { span.soft { (page.t("staff-none")) } }
        @for (task, until) in found {
            @let day = page.time(*until);
            div.bad[*until <= now] { (page.t(&format!("task-{}", task.name()))) " · " (page.with(if *until <= now { "staff-ran-out" } else { "staff-until" }, &[("time", &day)])) }
        }
    }
}

fn form(page: &Page<'_>, id: EventId, own: Option<AccountId>, members: &[Member]) -> Markup {
    html! {
        form.narrow id="competence" method="post" action="/staff" {
            input type="hidden" name="id" value=(id);
            label { span { (page.t("user-name")) } select name="account" required {
                @for member in members.iter().filter(|member| Some(member.account.id) != own) {
                    option value=(member.account.id) { (member.account.secret.name) " · " (member.account.secret.login) }
                }
            } }
            label { span { (page.t("staff-task")) } select name="task" { @for task in Task::ALL { option value=(task.name()) { (page.t(&format!("task-{}", task.name()))) } } } }
            label { span { (page.t("staff-last-day")) } input name="last_day" type="date"; }
            label { span { (page.t("staff-basis")) } input name="basis" maxlength="200" autocomplete="off"; }
            button.primary { (page.t("staff-record")) }
        }
    }
}

#[derive(Deserialize)]
struct CompetenceForm {
    id: EventId,
    account: AccountId,
    task: Task,
    /// The last day on which it holds; empty when it does not any more.
    #[serde(default)]
    last_day: String,
    #[serde(default)]
    basis: String,
}

async fn record(State(app): State<App>, actor: Actor, Form(form): Form<CompetenceForm>) -> Answered {
    let until_us = match form.last_day.trim() {
        "" => None,
        day => Some(app.site.parse(&format!("{day} 00:00")).ok_or_else(|| Refusal::ruled("day-wrong"))?.plus_us(DAY_US)),
    };
    let vault = app.ledger.vault().clone();
    let assessor = actor.account;
    let command = RecordCompetence { account: form.account, task: form.task, until_us, basis: form.basis.trim().to_owned() };
    let decide = move |tx: &mut baton_ledger::Tx<'_>, command: &RecordCompetence, now| {
        store::account(tx, &vault, command.account)?.ok_or_else(|| Refusal::absent("no-such-thing"))?;
        Ok(rules::competence(assessor, command, now)?)
    };
    app.decide(&actor, form.id, command, decide).await?;
    Ok(Redirect::to("/staff").into_response())
}
