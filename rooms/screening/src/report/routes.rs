//! The report of a round: PDF, CSV, XLSX.

use axum::extract::State;
use baton_desk::form::{Asked, At};
use baton_desk::paper::{LanguageAsked, Writing, download, pdf_download, unwritten};
use baton_desk::{Actor, Answered, App, Route};
use baton_kit::{CampaignId, Language, Refusal};
use baton_ledger::{Tx, Undecided};
use baton_registry::events::PlaceKind;
use baton_registry::store as registry;
use baton_sheets::{ColumnKind, write_csv, write_xlsx};
use serde::Deserialize;

use super::paper::{RoundReport, heads, report_pdf, rows};
use super::store;
use crate::board;
use crate::campaign::routes::{ask_for, coverage_of, curve_of};
use crate::campaign::store::{self as campaigns, By, Reach};
use crate::view::{VIEWERS, reach};

/// How the keys of the words on papers read.
const KEYS: &str = "screening-paper-{}";

pub fn routes() -> Vec<Route> {
    vec![
        Route::get("/v1/screening/campaigns/{campaign}/report.pdf", VIEWERS, "A round of a campaign as signed PDF with signed JSON inside", pdf)
            .asks::<ReportAsked>(),
        Route::get("/v1/screening/campaigns/{campaign}/report.csv", VIEWERS, "A round of a campaign in figures as CSV", csv).asks::<ReportAsked>(),
        Route::get("/v1/screening/campaigns/{campaign}/report.xlsx", VIEWERS, "A round of a campaign in figures as XLSX", xlsx).asks::<ReportAsked>(),
    ]
}

/// Which round, the last when none is named; in which language, the asker's when none is named.
#[derive(Deserialize, schemars::JsonSchema)]
struct ReportAsked {
    round: Option<u16>,
    language: Option<String>,
}

/// The figures within the asker's reach, and the language they are wanted in.
async fn load(app: &App, actor: &Actor, campaign: CampaignId, asked: ReportAsked) -> Result<(RoundReport, Language), Refusal> {
    let language = LanguageAsked { language: asked.language }.or(actor.language)?;
    let (reached, now) = (reach(actor), app.ledger.now());
    let report = app.read(move |tx| {
        let found = campaigns::campaign(tx, campaign)?.ok_or_else(|| Refusal::absent("campaign-unknown"))?;
        let (ask, window) = ask_for(tx, campaign, asked.round, reached.clone(), None)?;
        let zones = coverage_of(tx, campaign, Some(ask.round), By::Zone, reached.clone(), None, now)?;
        let grids = coverage_of(tx, campaign, Some(ask.round), By::Grid, reached.clone(), None, now)?;
        let (places, told) = reached_places(tx, &reached)?;
        let curve = curve_of(tx, &ask, window, &zones.total, now)?;
        Ok(RoundReport {
            reasons: if told { Some(board::store::reasons(tx, &ask)?) } else { None },
            tubes: store::tubes(tx, campaign, ask.round, &reached)?,
            follow_ups: store::follow_ups(tx, &ask)?,
            campaign: found,
            round: ask.round,
            window,
            over: zones.over,
            total: zones.total,
            zones: zones.places,
            grids: grids.places,
            places,
            curve,
        })
    });
    Ok((report.await?, language))
}

/// The places a report is about, by name (nothing: everywhere), and whether counts by zone and grid tell everybody in them.
fn reached_places(tx: &mut Tx<'_>, reached: &Reach) -> Result<(Vec<String>, bool), Undecided> {
    let Reach::Places(places) = reached else { return Ok((Vec::new(), true)) };
    let (mut names, mut told) = (Vec::new(), true);
    for place in places {
        if let Some(place) = registry::place(tx, *place)? {
            told &= matches!(place.kind, PlaceKind::Zone | PlaceKind::Grid);
            names.push(format!("{} {}", place.code, place.name));
        }
    }
    Ok((names, told))
}

fn file_name(report: &RoundReport, form: &str) -> String {
    format!("campaign-{}-{}.{form}", report.campaign.id, report.round)
}

async fn pdf(State(app): State<App>, actor: Actor, At(campaign): At<CampaignId>, Asked(asked): Asked<ReportAsked>) -> Answered {
    let (report, language) = load(&app, &actor, campaign, asked).await?;
    let name = file_name(&report, "pdf");
    pdf_download(&app, (KEYS, language), &name, move |writing, app| report_pdf(writing, &report, &app.ledger.secrets().signing)).await
}

async fn csv(State(app): State<App>, actor: Actor, At(campaign): At<CampaignId>, Asked(asked): Asked<ReportAsked>) -> Answered {
    let (report, language) = load(&app, &actor, campaign, asked).await?;
    let writing = Writing::of(&app, KEYS, language);
    Ok(download(write_csv(&heads(&writing), rows(&writing, &report)), "text/csv; charset=utf-8", &file_name(&report, "csv")))
}

async fn xlsx(State(app): State<App>, actor: Actor, At(campaign): At<CampaignId>, Asked(asked): Asked<ReportAsked>) -> Answered {
    let (report, language) = load(&app, &actor, campaign, asked).await?;
    let name = file_name(&report, "xlsx");
    let held = app.clone();
    let bytes = app.blocking(move || {
        let writing = Writing::of(&held, KEYS, language);
        let kinds = [ColumnKind::Text, ColumnKind::Text, ColumnKind::Text, ColumnKind::Number, ColumnKind::Number, ColumnKind::Number];
        Ok(write_xlsx("campaign", &heads(&writing), rows(&writing, &report), &kinds).map_err(unwritten)?)
    });
    Ok(download(bytes.await?, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", &name))
}
