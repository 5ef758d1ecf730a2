//! A person's result: for staff by id, for the person by their code and the last four of their document.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use baton_desk::answer::Answered;
use baton_desk::form::{Asked, At, Form};
use baton_desk::paper::LanguageAsked;
use baton_desk::{Access, Actor, App, Budget, Page, Route, any_id};
use baton_kit::{Language, PersonId, Refusal};
use maud::{Markup, html};
use serde::Deserialize;

use super::{coded, outcome_words, standing, styled};
use crate::model::PersonResult;
use crate::person::{PersonReport, TubeOfPerson, person_report, signers};
use crate::routes::{REPORT_ACCESS, json_download, reach_person, reports_download};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/laboratory/people/{person}", REPORT_ACCESS, "A person's result, for staff", staff_page),
        Route::get("/result", Access::Public, "Ask for one's own result", ask_page),
        Route::post("/result", Access::Public, "One's own result, by code and the last four of the document", own_page).within(Budget::LookUps),
        Route::post("/result/file", Access::Public, "One's own result as a signed file", own_file).within(Budget::LookUps),
    ]
}

async fn staff_page(State(app): State<App>, actor: Actor, At(person): At<PersonId>) -> Answered<Markup> {
    let (who, vault, day) = (actor.clone(), app.ledger.vault().clone(), app.site.day_of(app.ledger.now()));
    let report = app
        .read(move |tx| {
            reach_person(tx, &who, person, day)?;
            Ok(person_report(tx, &vault, person)?)
        })
        .await?;
    app.looked(&actor, vec![any_id(person)], "result");
    let page = Page::new(&app, &actor);
    Ok(page.frame(&page.t("laboratory-person-title"), styled(html! {
        (report_part(&page, &report, true))
        form.no-print.inline action={ "/v1/laboratory/people/" (person) "/report.pdf" } { (language_choice(&page, &report)) " " button.primary { (page.t("laboratory-paper-download")) } }
        p.no-print { a.button href={ "/v1/laboratory/people/" (person) "/report" } { (page.t("laboratory-paper-download-json")) } " " button type="button" data-print { (page.t("laboratory-print")) } }
    })))
}

#[derive(Deserialize)]
struct CodeAsked {
    /// From the QR code a person carries, when it is opened as a link.
    #[serde(default)]
    code: String,
}

async fn ask_page(State(app): State<App>, actor: Actor, Asked(asked): Asked<CodeAsked>) -> Answered<Markup> {
    let page = Page::new(&app, &actor);
    Ok(page.frame(&page.t("laboratory-own-title"), html! {
        form.narrow method="post" action="/result" {
            label { span { (page.t("laboratory-own-code")) } input name="code" value=(asked.code) required autocomplete="off" spellcheck="false"; }
            label { span { (page.t("laboratory-own-tail")) } input name="tail" required maxlength="4" minlength="4" autocomplete="off" autocapitalize="characters" spellcheck="false"; }
            button.primary { (page.t("laboratory-own-ask")) }
        }
        p { a href="/verify" { (page.t("laboratory-verify-title")) } }
    }))
}

#[derive(Clone, Deserialize)]
struct OwnForm {
    code: String,
    tail: String,
}

/// The person behind a code, if the last four of their document are known too. Every wrong try counts against the code.
async fn own_report(app: &App, form: &OwnForm) -> Result<PersonReport, Refusal> {
    let person = baton_registry::read_person_code(&app.ledger.secrets().verifying(), &form.code)?;
    let name = format!("result {person}");
    app.attempt(&name)?;
    let vault = app.ledger.vault().clone();
    let report = app.read(move |tx| Ok(person_report(tx, &vault, person)?)).await?;
    let fits = report.brief.as_ref().is_some_and(|brief| brief.document_tail.eq_ignore_ascii_case(form.tail.trim()));
    if !fits {
        app.attempt_failed(&name);
        return Err(Refusal::forbidden("lab-own-wrong"));
    }
    Ok(report)
}

async fn own_page(State(app): State<App>, actor: Actor, Form(form): Form<OwnForm>) -> Answered<Response> {
    let since = app.ledger.position().1;
    let report = own_report(&app, &form).await?;
    let page = Page::new(&app, &actor);
    let content = html! {
        (report_part(&page, &report, false))
        (standing::asks(&page, report.person, since))
        form #again method="post" action="/result" { input type="hidden" name="code" value=(form.code); input type="hidden" name="tail" value=(form.tail); }
        form.no-print method="post" action="/result/file" {
            input type="hidden" name="code" value=(form.code);
            input type="hidden" name="tail" value=(form.tail);
            (language_choice(&page, &report)) " "
            button.primary name="form" value="pdf" { (page.t("laboratory-paper-download")) } " "
            button name="form" value="json" { (page.t("laboratory-paper-download-json")) }
        }
    };
    Ok(page.frame_with(&page.t("laboratory-own-title"), standing::SCRIPTS, styled(content)).into_response())
}

/// How the file is wanted: PDF unless JSON is asked for.
#[derive(Deserialize)]
struct FileForm {
    #[serde(flatten)]
    own: OwnForm,
    #[serde(default)]
    form: String,
    #[serde(flatten)]
    language: LanguageAsked,
}

async fn own_file(State(app): State<App>, actor: Actor, Form(form): Form<FileForm>) -> Answered<Response> {
    let report = own_report(&app, &form.own).await?;
    let vault = app.ledger.vault().clone();
    let (report, signers) = app
        .read(move |tx| {
            let signers = signers(tx, &vault, &report)?;
            Ok((report, signers))
        })
        .await?;
    if form.form == "json" {
        return Ok(json_download(&app, &report, &signers));
    }
    let name = format!("result-{}.pdf", report.person);
    reports_download(&app, actor.language, &form.language, &name, vec![(report, signers)]).await
}

/// The person's own language stands first, whatever the page's is.
fn language_choice(page: &Page<'_>, report: &PersonReport) -> Markup {
    let theirs = report.brief.as_ref().and_then(|brief| brief.told_in).unwrap_or(page.words.language);
    html! {
        label { span { (page.t("laboratory-paper-language")) } " "
            select name="language" { @for language in Language::ALL { option value=(language.tag()) lang=(language.tag()) selected[language == theirs] { (language.own_name()) } } }
        }
    }
}

fn class_of(result: PersonResult) -> &'static str {
    match result {
        PersonResult::Negative => "good",
        PersonResult::Own(crate::events::TubeOutcome::Positive) => "bad",
        PersonResult::Pending => "soft",
        _ => "warn",
    }
}

fn report_part(page: &Page<'_>, report: &PersonReport, staff: bool) -> Markup {
    let result = report.result();
    html! {
        @if let Some(brief) = &report.brief { p { strong { (brief.name) } " · ···" (brief.document_tail) } } @else { p.notice.warn { (page.t("laboratory-person-unknown")) } }
        p.answer.(class_of(result)) role="status" { (page.t(&format!("laboratory-person-{}", result.name()))) }
        p { (page.t(&format!("laboratory-person-{}-words", result.name()))) }
        @if report.tubes.is_empty() { p.empty { (page.t("laboratory-none-swabs")) } }
        @for tube in &report.tubes { (tube_part(page, tube, staff)) }
    }
}

fn tube_part(page: &Page<'_>, tube: &TubeOfPerson, staff: bool) -> Markup {
    let out = tube.out();
    let lots = tube
        .lots
        .iter()
        .map(|lot| format!("{} {}", lot.code, page.with("laboratory-expires", &[("time", &page.time(lot.expires))])))
        .collect::<Vec<_>>()
        .join(" · ");
    html! {
        section {
            h2 { (page.time(tube.swabbed)) " · " span.(class_of(tube.result)) { (page.t(&format!("laboratory-person-{}", tube.result.name()))) } }
            p.soft { @for part in [&tube.campaign, &tube.point, &tube.laboratory, &tube.rules].into_iter().flatten() { (part) " · " }
                @if staff { a href={ "/laboratory/tubes/" (tube.clock.tube) } { (tube.clock.code.clone().unwrap_or_default()) } } @else { (tube.clock.code.clone().unwrap_or_default()) } }
            @if let Some(released) = tube.clock.released { p { (page.t("laboratory-released-at")) " " (page.time(released)) } }
            @if !tube.own && tube.clock.members > 1 { p { (page.with("laboratory-pool-of", &[("count", &tube.clock.members.to_string())])) } }
            // The value that went out before stays readable beside the one that holds.
            @for earlier in out.iter().take(out.len().saturating_sub(1)) { p.notice.warn { (page.t("laboratory-amended-from")) " " span.struck { (outcome_words(page, earlier.outcome)) } " · " (page.time(earlier.at)) } }
            @for reading in &tube.readings { p { (reading.target) ": " (coded(page, "call", &reading.call)) @if let Some(cq) = reading.cq { " · Cq " (format!("{cq:.2}")) } } }
            @if !lots.is_empty() { p.soft { (lots) } }
        }
    }
}
