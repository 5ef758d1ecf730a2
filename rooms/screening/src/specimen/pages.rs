//! The sampling page: campaign and point once per shift, then one screen that takes scans.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use baton_desk::form::Asked;
use baton_desk::{Access, Actor, Answered, App, Budget, Page, Route};
use baton_kit::{CampaignId, PlaceId, Refusal, Timestamp, TypedId, time::HOUR_US};
use baton_registry::events::{LotKind, PlaceKind};
use baton_registry::model::{Lot, Place};
use baton_registry::store as registry;
use maud::{Markup, html};
use serde::Deserialize;

use super::routes::{TubeAnswered, answer_tube};
use super::store;
use crate::campaign::store as campaigns;
use crate::model::Campaign;
use crate::rules::UNDO_REASONS;
use crate::view::{SAMPLERS, must_reach};

const SCRIPT: &str = include_str!("../../assets/sampling.js");
const CAMERA: &str = include_str!("../../assets/camera.js");
const DEVICE_QUEUE: &str = include_str!("../../assets/device-queue.js");
const HAND_OVER: &str = include_str!("../../assets/hand-over.js");
/// The browser's database as promises, and the drawer of codes: see the README beside each.
const IDB: &str = include_str!("../../assets/idb/idb.js");
const LEAN_QR: &str = include_str!("../../assets/lean-qr/lean-qr.js");
/// Reads codes for browsers that cannot: see assets/zxing/README.md.
const READER: &str = include_str!("../../assets/zxing/reader.js");
const READER_WASM: &[u8] = include_bytes!("../../assets/zxing/reader.wasm");
const STYLE: &str = include_str!("../../assets/screening.css");

pub fn routes() -> Vec<Route> {
    vec![
        Route::get("/sampling", SAMPLERS, "Sampling", sampling).within(Budget::Scans),
        Route::get("/points", crate::view::VIEWERS, "Sampling points: capacity, hours, lanes, waiting", points),
        Route::get("/assets/sampling.js", Access::Public, "Script of the sampling page", || async { script(SCRIPT) }),
        Route::get("/assets/device-queue.js", Access::Public, "What waits on a sampling device", || async { script(DEVICE_QUEUE) }),
        Route::get("/assets/hand-over.js", Access::Public, "From device to device without a network", || async { script(HAND_OVER) }),
        Route::get("/assets/camera.js", Access::Public, "A camera that reads codes", || async { script(CAMERA) }),
        Route::get("/assets/idb.js", Access::Public, "The browser's database", || async { script(IDB) }),
        Route::get("/assets/lean-qr.js", Access::Public, "Drawer of codes", || async { script(LEAN_QR) }),
        Route::get("/assets/zxing-reader.js", Access::Public, "Reader of codes for cameras", || async { script(READER) }),
        Route::get("/assets/zxing-reader.wasm", Access::Public, "Reader of codes for cameras, compiled", || async { cached("application/wasm", READER_WASM) }),
        Route::get("/assets/screening.css", Access::Public, "Style of this room's pages", || async { cached("text/css; charset=utf-8", STYLE) }),
    ]
}

fn script(text: &'static str) -> Response {
    cached("text/javascript; charset=utf-8", text)
}

fn cached(kind: &'static str, content: impl IntoResponse) -> Response {
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "public, max-age=3600")], content).into_response()
}

#[derive(Deserialize, Default)]
struct SamplingAsked {
    #[serde(default)]
    campaign: String,
    #[serde(default)]
    point: String,
    /// The fluid lot's code as scanned.
    #[serde(default)]
    lot: String,
}

async fn sampling(State(app): State<App>, actor: Actor, Asked(asked): Asked<SamplingAsked>) -> Answered {
    match (asked.campaign.parse::<CampaignId>(), asked.point.parse::<PlaceId>()) {
        (Ok(campaign), Ok(point)) => screen(app, actor, campaign, point, asked.lot).await,
        _ => choose(app, actor).await,
    }
}

async fn choose(app: App, actor: Actor) -> Answered {
    let now = app.ledger.now();
    let asker = actor.clone();
    let (running, points) = app
        .read(move |tx| {
            let running: Vec<Campaign> = campaigns::running(tx, now)?;
            let mut points = Vec::new();
            for point in registry::places_of_kind(tx, PlaceKind::Point, 2_000)? {
                if !point.closed && asker.scope.reaches_any(&registry::place_chain(tx, point.id)?) {
                    points.push(point);
                }
            }
            Ok((running, points))
        })
        .await?;
    let page = Page::new(&app, &actor);
    let content = html! {
        link rel="stylesheet" href="/assets/screening.css";
        @if running.is_empty() || points.is_empty() { p.notice.warn { (page.t("sampling-nothing-to-choose")) } }
        form.narrow id="choose" method="get" action="/sampling" {
            label { span { (page.t("screening-campaign")) } select name="campaign" id="choose-campaign" required { @for campaign in &running { option value=(campaign.id) { (campaign.name) " · " (campaign.ratio) ":1" } } } }
            label { span { (page.t("sampling-point")) } select name="point" id="choose-point" required { @for point in &points { option value=(point.id) { (point.code) " " (point.name) } } } }
            label { span { (page.t("sampling-fluid-lot")) } input name="lot" id="choose-lot" autocomplete="off"; }
            button.primary id="choose-start" { (page.t("sampling-start")) }
        }
    };
    Ok(page.frame(&page.t("sampling-title"), content).into_response())
}

/// Everything the screen is drawn from.
struct Desk {
    campaign: Campaign,
    point: Place,
    lot: Option<Lot>,
    lot_code: String,
    /// A tube this account opened here and did not seal: it goes on.
    open: Option<TubeAnswered>,
    also_open: usize,
}

async fn screen(app: App, actor: Actor, campaign: CampaignId, point: PlaceId, lot: String) -> Answered {
    let (asker, vault) = (actor.clone(), app.ledger.vault().clone());
    let lot_code = lot.trim().to_owned();
    let desk = app.read(move |tx| {
        let campaign = campaigns::campaign(tx, campaign)?.ok_or_else(|| Refusal::absent("campaign-unknown"))?;
        let point = registry::place(tx, point)?.filter(|place| place.kind == PlaceKind::Point).ok_or_else(|| Refusal::absent("screening-place-unknown"))?;
        must_reach(tx, &asker, point.id)?;
        let lot = if lot_code.is_empty() { None } else { registry::lot_by_code(tx, LotKind::PreservationFluid, &lot_code)? };
        let mut open: Vec<_> = match asker.account {
            Some(account) => {
                store::unsealed_of(tx, account)?.into_iter().filter(|tube| tube.campaign == Some(campaign.id) && tube.point == Some(point.id)).collect()
            }
            None => Vec::new(),
        };
        let last = open.pop().map(|tube| answer_tube(tx, &vault, tube)).transpose()?;
        Ok(Desk { campaign, point, lot, lot_code, also_open: open.len(), open: last })
    });
    let desk = desk.await?;
    let page = Page::new(&app, &actor);
    // With it another device may carry what is said here: see hand-over.js.
    let sealing_key = actor.device.map(|device| baton_ledger::hex(&app.ledger.secrets().sealing_key(device)));
    let content = draw(&page, &desk, sealing_key.as_deref(), app.ledger.now());
    Ok(page.frame_with(&page.t("sampling-title"), &["/assets/idb.js", "/assets/sampling.js"], content).into_response())
}

fn draw(page: &Page<'_>, desk: &Desk, sealing_key: Option<&str>, now: Timestamp) -> Markup {
    let open = desk.open.as_ref();
    let members = open.map(|tube| tube.members.as_slice()).unwrap_or_default();
    let ratio = open.map_or(desk.campaign.ratio, |tube| tube.ratio);
    html! {
        link rel="stylesheet" href="/assets/screening.css";
        (shift_line(page, desk, now))
        section.sampling id="sampling"
            data-campaign=(desk.campaign.id) data-point=(desk.point.id) data-bucket=(desk.point.id.bucket().number()) data-ratio=(desk.campaign.ratio)
            data-lot=[desk.lot.as_ref().map(|lot| lot.id)] data-tube=[open.map(|tube| tube.tube)] data-tube-code=[open.map(|tube| tube.code.as_str())]
            data-tube-ratio=[open.map(|tube| tube.ratio)] data-register="/v1/registry/people" data-sealing-key=[sealing_key] {
            p.tube { (page.t("sampling-tube")) " " strong id="tube-code" { (open.map_or("", |tube| tube.code.as_str())) } }
            p.count aria-live="polite" { span id="count" { (members.len()) } "/" span id="ratio" { (ratio) } }
            p.name id="last-name" aria-live="assertive" {}
            form id="scan-form" {
                label { span id="scan-label" { (page.t("sampling-scan")) } input id="scan" name="scan" autocomplete="off" autocapitalize="off" spellcheck="false" inputmode="text" autofocus; }
                button.primary id="scan-do" { (page.t("sampling-enter")) } " "
                button id="camera" type="button" hidden { (page.t("sampling-camera")) }
            }
            (taking())
            video id="camera-picture" hidden muted playsinline {}
            div id="notes" role="alert" {}
            div id="choices" {}
            (register_form(page))
            div id="household" {}
            ol id="members" reversed { @for member in members.iter().rev() { li data-scan=(member.scan) data-person=(member.person) { (member.name) } } }
            (undo_and_seal(page))
            label.check { input type="checkbox" id="single"; span { (page.t("sampling-single-next")) } }
            (hand_over(page))
            p { span id="queue-state" aria-live="polite" { (page.t("sampling-all-sent")) } " " button id="send-now" type="button" hidden { (page.t("sampling-send-now")) } " " button id="hand-over-open" type="button" hidden { (page.t("sampling-hand-over")) } " " a id="stuck" href="#" download="baton-unsent.json" hidden { (page.t("sampling-stuck")) } }
        }
        (words(page))
    }
}

fn shift_line(page: &Page<'_>, desk: &Desk, now: Timestamp) -> Markup {
    html! {
        p.soft id="shift" {
            (desk.campaign.name) " · " (desk.point.code) " " (desk.point.name) " · " (desk.campaign.ratio) ":1"
            @if let Some(lot) = &desk.lot { " · " (page.with("sampling-lot", &[("lot", &lot.code), ("expires", &page.time(lot.expires))])) }
            " · " a id="change-shift" href="/sampling" { (page.t("sampling-change")) }
        }
        @match &desk.lot {
            Some(lot) if lot.recalled.is_some() => { p.notice.bad id="lot-warning" { (page.t("note-fluid-recalled")) } }
            Some(lot) if lot.expires <= now => { p.notice.bad id="lot-warning" { (page.with("note-fluid-expired", &[("time", &page.time(lot.expires))])) } }
            Some(_) => {}
            None if desk.lot_code.is_empty() => { p.notice.warn id="lot-warning" { (page.t("note-fluid-missing")) } }
            None => { p.notice.bad id="lot-warning" { (page.t("note-fluid-unknown")) } }
        }
        @if desk.also_open > 0 { p.notice.warn { (page.with("sampling-also-open", &[("count", &desk.also_open.to_string())])) } }
    }
}

fn register_form(page: &Page<'_>) -> Markup {
    html! {
        form id="register" hidden {
            p.notice.warn { (page.t("note-person-unknown")) }
            input type="hidden" id="register-document";
            label { span { (page.t("screening-person-name")) } input id="register-name" autocomplete="off"; }
            label { span { (page.t("screening-phone")) } input id="register-phone" autocomplete="off" inputmode="tel"; }
            button.primary id="register-do" { (page.t("sampling-register")) } " "
            button type="button" id="register-cancel" { (page.t("sampling-cancel")) }
        }
    }
}

fn undo_and_seal(page: &Page<'_>) -> Markup {
    html! {
        div.actions {
            form id="seal-form" { label { span { (page.t("sampling-seal-count")) } input id="seal-count" type="number" min="0" max="99" inputmode="numeric" required; } button.primary id="seal" { (page.t("sampling-seal")) } }
            form id="undo-form" {
                label { span { (page.t("sampling-undo-reason")) } select id="undo-reason" { @for reason in UNDO_REASONS { option value=(reason) { (page.t(&format!("sampling-undo-{reason}"))) } } } }
                button.danger id="undo" { (page.t("sampling-undo")) }
            }
        }
    }
}

/// A film of codes that another device reads with its camera, until that one shows its digits.
fn hand_over(page: &Page<'_>) -> Markup {
    html! {
        section.hand-over id="hand-over" hidden aria-labelledby="hand-over-title" {
            h2 id="hand-over-title" { (page.t("sampling-hand-over")) }
            p { (page.t("sampling-hand-over-how")) }
            canvas id="hand-over-code" role="img" aria-labelledby="hand-over-state" {}
            p.soft id="hand-over-state" {}
            form id="hand-over-form" {
                label { span { (page.t("sampling-hand-over-check")) } input id="hand-over-check" inputmode="numeric" pattern="[0-9]{4}" maxlength="4" autocomplete="off" required; }
                button.primary id="hand-over-done" { (page.t("sampling-hand-over-accept")) } " "
                button type="button" id="hand-over-close" { (page.t("sampling-cancel")) }
            }
        }
    }
}

/// How far the film of another device has been read, then the digits its holder waits for.
fn taking() -> Markup {
    html! {
        section.taking id="taking" hidden role="status" { p id="taking-state" {} p.parts id="taking-parts" aria-hidden="true" {} p.check id="taking-check" {} }
    }
}

/// What the script says.
fn words(page: &Page<'_>) -> Markup {
    const WORDS: [&str; 26] = [
        "sampling-camera-none",
        "sampling-scan",
        "sampling-scan-tube",
        "sampling-queued",
        "sampling-all-sent",
        "sampling-offline",
        "sampling-sign-in-again",
        "sampling-seal-first",
        "sampling-open-first",
        "sampling-came-along",
        "sampling-workmates",
        "sampling-new-tube-for-all",
        "sampling-choose-person",
        "sampling-sealed",
        "sampling-undone",
        "sampling-needs-network",
        "sampling-not-stored",
        "sampling-handed-over",
        "sampling-hand-over-shows",
        "sampling-hand-over-wrong",
        "sampling-hand-over-done",
        "sampling-hand-over-more",
        "sampling-hand-over-torn",
        "sampling-taking",
        "sampling-taken",
        "sampling-taken-tube-stays",
    ];
    html! { div id="words" hidden { @for word in WORDS { span data-word=(word) { (page.t(word)) } } } }
}

/// One point with what happens there.
struct PointRow {
    place: Place,
    tubes_last_hour: usize,
    swabs_last_hour: i64,
    unsealed: usize,
}

async fn points(State(app): State<App>, actor: Actor) -> Answered<Markup> {
    let now = app.ledger.now();
    let asker = actor.clone();
    let rows = app
        .read(move |tx| {
            let mut rows = Vec::new();
            for place in registry::places_of_kind(tx, PlaceKind::Point, 500)? {
                if place.closed || !asker.scope.reaches_any(&registry::place_chain(tx, place.id)?) {
                    continue;
                }
                let recent = store::tubes_of_point(tx, place.id, now.plus_us(-HOUR_US), 2_000)?;
                let swabs = recent.iter().map(|tube| i64::from(tube.swabs)).sum();
                rows.push(PointRow {
                    tubes_last_hour: recent.len(),
                    swabs_last_hour: swabs,
                    unsealed: recent.iter().filter(|tube| tube.seal.is_none()).count(),
                    place,
                });
            }
            Ok(rows)
        })
        .await?;
    let page = Page::new(&app, &actor);
    let number = |value: Option<i64>| value.map_or_else(|| "–".to_owned(), |value| value.to_string());
    let content = html! {
        @if rows.is_empty() { p.empty { (page.t("sampling-no-points")) } } @else { div.scroll { table id="points" {
            thead { tr { th { (page.t("sampling-point")) } th { (page.t("queue-line")) } th { (page.t("sampling-hours")) } th.number { (page.t("sampling-lanes")) } th.number { (page.t("sampling-capacity")) } th.number { (page.t("sampling-swabs-hour")) } th.number { (page.t("sampling-tubes-hour")) } th.number { (page.t("sampling-unsealed")) } th { (page.t("sampling-load")) } } }
            tbody { @for row in &rows { tr {
                td { (row.place.code) " " (row.place.name) }
                td { a href=(format!("/points/{}/queue", row.place.id)) { (page.t("queue-screen")) } " " (page.link(SAMPLERS, &format!("/points/{}/line", row.place.id), &page.t("queue-count"))) }
                td { (row.place.details.opening_hours.as_deref().unwrap_or("–")) }
                td.number { (number(row.place.details.lanes)) } td.number { (number(row.place.details.capacity)) }
                td.number { (row.swabs_last_hour) } td.number { (row.tubes_last_hour) } td.number { (row.unsealed) }
                td { (load(&page, row)) }
            } } }
        } } }
    };
    Ok(page.frame(&page.t("sampling-points"), content))
}

/// How busy a point was in the last hour against what it can do.
fn load(page: &Page<'_>, row: &PointRow) -> Markup {
    let Some(capacity) = row.place.details.capacity.filter(|capacity| *capacity > 0) else { return html! { "–" } };
    let (class, words) = match row.swabs_last_hour * 100 / capacity {
        0..70 => ("good", "sampling-load-free"),
        70..95 => ("warn", "sampling-load-busy"),
        _ => ("bad", "sampling-load-full"),
    };
    html! { span class=(class) { (page.t(words)) } }
}

/// Where a tube's sampler goes on.
pub fn resume_link(campaign: CampaignId, point: PlaceId) -> String {
    format!("/sampling?campaign={campaign}&point={point}")
}
