//! `/healthz`, `/readyz`, `/metrics`, and the page that shows an administrator how the service stands.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use baton_kit::Refusal;
use maud::{Markup, html};
use serde_json::json;

use super::figures::{Figures, unready};
use super::ladder::STEPS;
use super::prometheus;
use crate::App;
use crate::actor::{Actor, Role};
use crate::card::{Card, Tone};
use crate::page::Page;
use crate::room::{Access, Budget, Route};

/// Who may see how the service stands. A scraper shows the token of a device of such an account.
const WATCHERS: Access = Access::Roles(&[Role::Administrator, Role::Auditor]);

pub(crate) fn routes() -> Vec<Route> {
    let routes = [
        Route::get("/healthz", Access::Public, "Whether the process answers at all", || async { "ok\n" }).gives("text/plain"),
        Route::get("/readyz", Access::Public, "Whether the ledger can be written and the tables are up to date", ready).gives("application/json"),
        Route::get("/metrics", WATCHERS, "Figures for Prometheus", metrics).gives("text/plain"),
        Route::get("/operations", Access::Roles(&[Role::Administrator]), "How the service stands: lanes, delay, syncs, what is switched off", operations),
    ];
    routes.map(|route| route.within(Budget::Free)).to_vec()
}

/// After so long without a copy of the ledger an administrator is reminded.
const COPY_WITHIN_US: i64 = baton_kit::time::DAY_US;

/// Health and the last copy, for an administrator's home.
pub(crate) async fn cards(app: &App) -> Result<Vec<Card>, Refusal> {
    let now = Figures::of(app);
    let well = now.step == 0 && now.writable;
    let health = Card::new(if well { "✓" } else { "!" }, if well { "card-health-good" } else { "card-health-bad" }, "/operations");
    let health = health.tone(if well { Tone::Good } else { Tone::Bad }).with("events", now.committed);
    let place = app.ledger.place().clone();
    let copied = app.blocking(move || Ok(place.last_copy())).await?;
    let copy = match copied {
        Some(at) => Card::new(app.site.show(at), "card-copy-last", "/operations").by(Some(at.plus_us(COPY_WITHIN_US))),
        None => Card::new("–", "card-copy-none", "/operations").tone(Tone::Warn),
    };
    Ok(vec![health, copy])
}

async fn ready(State(app): State<App>) -> Response {
    let reasons = unready(&app).await;
    let status = if reasons.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, axum::Json(json!({"ready": reasons.is_empty(), "reasons": reasons}))).into_response()
}

async fn metrics(State(app): State<App>) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], prometheus::text(&app)).into_response()
}

/// Thousandths of a second, or a dash.
fn ms(us: Option<u64>) -> String {
    us.map_or_else(|| "–".to_owned(), |us| format!("{:.1} ms", us as f64 / 1e3))
}

async fn operations(State(app): State<App>, actor: Actor) -> Markup {
    let (now, page) = (Figures::of(&app), Page::new(&app, &actor));
    let content = html! {
            (ladder_part(&page, &now))
            (ledger_part(&page, &now))
            h2 { (page.t("operations-budgets")) }
            table {
                tr { th { (page.t("operations-budget")) } th { (page.t("operations-under-way")) } th { (page.t("operations-bound")) } th { (page.t("operations-refused")) } }
                @for budget in &now.budgets {
                    tr { td { (page.t(&format!("budget-{}", budget.name))) } td { (budget.under_way) } td { (budget.bound) } td { (budget.shed) } }
                }
            }
            h2 { (page.t("operations-lanes")) }
            p { (page.with("operations-lanes-words", &[("limit", &baton_ledger::LANE_LIMIT.to_string())])) }
            @if now.lanes.is_empty() { p.empty { (page.t("operations-lanes-empty")) } } @else {
                table {
                    tr { th { (page.t("operations-lane")) } th { (page.t("operations-waiting")) } }
                    @for (lane, waiting) in &now.lanes { tr { td { (lane) } td { (waiting) } } }
                }
            }
            p.soft { (page.t("operations-more")) " " code { "/metrics" } " · " code { "/readyz" } " · " code { "/healthz" } }
    };
    page.frame(&page.t("operations-title"), page.live("figures", "operations", 5, content))
}

fn ladder_part(page: &Page<'_>, now: &Figures) -> Markup {
    html! {
        h2 { (page.t("operations-ladder")) }
        p { (page.t("operations-ladder-words")) }
        ol {
            @for step in 0..=STEPS {
                li aria-current=[(step == now.step).then_some("step")] {
                    @if step == now.step { strong { (page.t(&format!("operations-step-{step}"))) " · " (page.t("operations-now")) } } @else { (page.t(&format!("operations-step-{step}"))) }
                }
            }
        }
    }
}

fn ledger_part(page: &Page<'_>, now: &Figures) -> Markup {
    let rows = [
        (page.t("operations-writable"), page.t(if now.writable { "operations-yes" } else { "operations-no" })),
        (page.t("operations-events"), now.committed.to_string()),
        (page.t("operations-lag"), format!("{} · {:.1} s", now.committed - now.folded, now.lag_us as f64 / 1e6)),
        (page.t("operations-facts"), format!("{} · {}", now.facts, now.repeated)),
        (page.t("operations-decisions"), now.decisions.to_string()),
        (page.t("operations-group"), format!("{:.0}", now.facts as f64 / now.groups.max(1) as f64)),
        (page.t("operations-commit"), format!("{} · {}", ms(now.commit_us_p50), ms(now.commit_us_p99))),
        (page.t("operations-waiting"), now.waiting.to_string()),
        (page.t("operations-lane-shed"), now.lane_shed.to_string()),
        (page.t("operations-failed"), now.failed.to_string()),
        (page.t("operations-slow"), now.slow_statements.to_string()),
    ];
    html! {
        h2 { (page.t("operations-ledger")) }
        table { @for (name, value) in &rows { tr { th scope="row" { (name) } td { (value) } } } }
    }
}
