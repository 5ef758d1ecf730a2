//! Whether a printed result still holds: for anyone, with no personal data, and without a connection too.

use axum::Json;
use axum::extract::State;

use baton_desk::answer::Answered;
use baton_desk::form::Asked;
use baton_desk::{Access, Actor, App, Budget, Page, Route};
use maud::{Markup, html};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{asset, styled};
use crate::statement::{Standing, Statement, statement_in};

const SCRIPT: &str = include_str!("../../assets/verify.js");
/// What the script can say beside the standings: signature alone, no means to check, no answer.
const WITHOUT: [&str; 3] = ["offline", "unable", "failed"];
const STANDINGS: [Standing; 5] = [Standing::Valid, Standing::Amended, Standing::Withdrawn, Standing::Unknown, Standing::Wrong];

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/verify", Access::Public, "Whether a printed result still holds", verify_page).within(Budget::LookUps),
        Route::get("/v1/verify", Access::Public, "Whether a printed result still holds: ?s= from its QR code", verify_json)
            .within(Budget::LookUps)
            .answers::<StandingAnswered>(),
        Route::get("/assets/verify.js", Access::Public, "The verification page's script", || async { asset("text/javascript; charset=utf-8", SCRIPT) }),
    ]
}

#[derive(Deserialize)]
struct StatementAsked {
    #[serde(default)]
    s: String,
}

/// One of `valid`, `amended`, `withdrawn`, `unknown`, `wrong`; nothing else is told.
#[derive(Serialize, JsonSchema)]
struct StandingAnswered {
    standing: String,
}

async fn standing_of(app: &App, text: &str) -> Answered<Standing> {
    let Some(statement) = Statement::read(&app.ledger.secrets().verifying(), statement_in(text)) else { return Ok(Standing::Wrong) };
    Ok(app.read(move |tx| Ok(statement.standing(tx)?)).await?)
}

async fn verify_json(State(app): State<App>, Asked(asked): Asked<StatementAsked>) -> Answered<Json<StandingAnswered>> {
    Ok(Json(StandingAnswered { standing: standing_of(&app, &asked.s).await?.name().to_owned() }))
}

async fn verify_page(State(app): State<App>, actor: Actor, Asked(asked): Asked<StatementAsked>) -> Answered<Markup> {
    let standing = if asked.s.trim().is_empty() { None } else { Some(standing_of(&app, &asked.s).await?) };
    let page = Page::new(&app, &actor);
    let key = baton_ledger::hex(app.ledger.secrets().verifying().as_bytes());
    Ok(page.frame_with(
        &page.t("laboratory-verify-title"),
        &["/assets/verify.js"],
        styled(html! {
            (answer(&page, standing))
            form #verify .narrow method="get" action="/verify" data-key=(key) {
                label { span { (page.t("laboratory-verify-ask")) } textarea name="s" rows="4" required autocomplete="off" spellcheck="false" { (asked.s) } }
                button.primary { (page.t("laboratory-verify-go")) }
            }
            p.soft { (page.t("laboratory-verify-words")) }
            p.soft { (page.t("laboratory-verify-key")) " " code.public-key { (key) } }
        }),
    ))
}

/// All the script may say stands beside it in the reader's language.
fn answer(page: &Page<'_>, standing: Option<Standing>) -> Markup {
    let words = |name: &str| page.t(&format!("laboratory-verify-{name}"));
    let class = match standing {
        None => "soft",
        Some(Standing::Valid) => "good",
        Some(Standing::Wrong | Standing::Withdrawn) => "bad",
        Some(_) => "warn",
    };
    let [valid, amended, withdrawn, unknown, wrong] = STANDINGS.map(|standing| words(standing.name()));
    let [offline, unable, failed] = WITHOUT.map(words);
    html! {
        p #verified .answer.(class) role="status" data-standing=[standing.map(Standing::name)]
            data-valid=(valid) data-amended=(amended) data-withdrawn=(withdrawn) data-unknown=(unknown) data-wrong=(wrong)
            data-offline=(offline) data-unable=(unable) data-failed=(failed) { (standing.map(|standing| words(standing.name())).unwrap_or_default()) }
    }
}
