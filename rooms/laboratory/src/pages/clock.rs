//! The clock board: oldest first, time left of the six hours, and how long it took.

use std::collections::HashMap;

use axum::extract::State;
use baton_desk::answer::Answered;
use baton_desk::{Actor, App, Page, Route};
use baton_kit::{AnyId, BoxId, CampaignId, PlaceId, PlateId, Timestamp, TypedId, time::DAY_US};
use baton_ledger::{StoreResult, Tx};
use baton_registry::store as registry;
use maud::{Markup, html};

use super::{span, styled};
use crate::model::{LIMIT_US, TubeClock};
use crate::routes::{Sight, WATCH_ACCESS};
use crate::store::{bench, clock};
use crate::turnaround::{By, Spread, grouped, spread};

/// Rows of the board.
const ROWS: i64 = 200;
/// Groups of each kind, the slowest first.
const GROUPS: usize = 12;

pub(super) fn routes() -> Vec<Route> {
    vec![Route::get("/laboratory/clock", WATCH_ACCESS, "Tubes on their way, oldest first, and turnaround", board)]
}

/// A point, box, plate or campaign, its name, and how long its tubes took.
type Named = (AnyId, String, Spread);

struct Board {
    all: i64,
    late: i64,
    tubes: Vec<TubeClock>,
    total: Spread,
    groups: Vec<(By, Vec<Named>)>,
    places: HashMap<PlaceId, String>,
}

async fn board(State(app): State<App>, actor: Actor) -> Answered<Markup> {
    let now = app.ledger.now();
    let who = actor.clone();
    let board = app
        .read(move |tx| {
            let mut sight = Sight::of(&who);
            let (all, late, tubes) = sight.waiting(tx, now, ROWS)?;
            let released = sight.turnarounds(tx, now.plus_us(-DAY_US))?;
            let mut groups = Vec::new();
            for by in By::ALL {
                let mut named = Vec::new();
                for (id, spread) in grouped(&released, by).into_iter().take(GROUPS) {
                    named.push((id, group_name(tx, by, id)?, spread));
                }
                groups.push((by, named));
            }
            let mut places = HashMap::new();
            for place in tubes.iter().flat_map(|tube| [tube.point, tube.laboratory]).flatten() {
                if let std::collections::hash_map::Entry::Vacant(empty) = places.entry(place) {
                    empty.insert(registry::place(tx, place)?.map_or_else(|| place.to_string(), |place| place.name));
                }
            }
            Ok(Board { all, late, tubes, total: spread(released.iter().map(|tube| tube.took_us).collect()), groups, places })
        })
        .await?;
    let page = Page::new(&app, &actor);
    Ok(page.frame(
        &page.t("laboratory-clock"),
        styled(page.live(
            "clock",
            "clock",
            60,
            html! {
                dl.figures {
                    div { dt { (page.t("laboratory-on-the-way")) } dd { (board.all) } }
                    div { dt { (page.t("laboratory-over-limit")) } dd.bad[board.late > 0] { (board.late) } }
                    (spread_figures(&page, &board.total))
                }
                (tubes_table(&page, &board, now))
                @for (by, rows) in &board.groups { (group_table(&page, *by, rows)) }
            },
        )),
    ))
}

fn group_name(tx: &mut Tx<'_>, by: By, id: AnyId) -> StoreResult<String> {
    let packed = id.packed();
    let name = match by {
        By::Point => registry::place(tx, PlaceId::from_packed(packed))?.map(|place| place.name),
        By::Box => clock::box_code(tx, BoxId::from_packed(packed))?,
        By::Plate => bench::plate(tx, PlateId::from_packed(packed))?.map(|plate| plate.code),
        By::Campaign => baton_screening::campaign::store::campaign(tx, CampaignId::from_packed(packed))?.map(|campaign| campaign.name),
    };
    Ok(name.unwrap_or_else(|| id.to_string()))
}

fn spread_figures(page: &Page<'_>, spread: &Spread) -> Markup {
    html! {
        div { dt { (page.t("laboratory-released-day")) } dd { (spread.tubes) } }
        div { dt { "p50" } dd { (span(spread.p50_us)) } }
        div { dt { "p90" } dd.bad[spread.p90_us > LIMIT_US] { (span(spread.p90_us)) } }
        div { dt { (page.t("laboratory-longest")) } dd.bad[spread.max_us > LIMIT_US] { (span(spread.max_us)) } }
    }
}

fn tubes_table(page: &Page<'_>, board: &Board, now: Timestamp) -> Markup {
    let name = |place: Option<PlaceId>| place.and_then(|place| board.places.get(&place)).cloned().unwrap_or_default();
    html! {
        @if board.tubes.is_empty() { p.empty { (page.t("laboratory-none-waiting")) } } @else {
            div.scroll { table {
                thead { tr { th { (page.t("laboratory-tube-code")) } th.number { (page.t("laboratory-left")) } th { (page.t("laboratory-state")) } th.number { (page.t("laboratory-since-swab")) } th.number { (page.t("laboratory-in-stage")) } th { (page.t("laboratory-point")) } th { (page.t("laboratory-laboratory")) } } }
                tbody { @for tube in &board.tubes {
                    @let began = tube.began().unwrap_or(now);
                    @let left = LIMIT_US - now.since(began);
                    @let since_stage = tube.stages().last().map_or(0, |(_, at)| now.since(*at));
                    tr {
                        td { a href={ "/laboratory/tubes/" (tube.tube) } { (tube.code.clone().unwrap_or_else(|| tube.tube.to_string())) } }
                        td.number { span.bad[left < 0].warn[(0..LIMIT_US / 6).contains(&left)] { (span(left)) } }
                        td { (page.t(&format!("laboratory-stage-{}", tube.stage().name()))) }
                        td.number { (span(now.since(began))) }
                        td.number { (span(since_stage)) }
                        td { (name(tube.point)) } td { (name(tube.laboratory)) }
                    }
                } }
            } }
            @if board.all > board.tubes.len() as i64 { p.soft { (page.with("laboratory-more", &[("count", &(board.all - board.tubes.len() as i64).to_string())])) } }
        }
    }
}

fn group_table(page: &Page<'_>, by: By, rows: &[(AnyId, String, Spread)]) -> Markup {
    html! {
        @if !rows.is_empty() {
            h2 { (page.t(&format!("laboratory-by-{}", by.name()))) }
            div.scroll { table {
                thead { tr { th { (page.t(&format!("laboratory-by-{}", by.name()))) } th.number { (page.t("laboratory-tubes-count")) } th.number { "p50" } th.number { "p90" } th.number { (page.t("laboratory-longest")) } } }
                tbody { @for (_, name, spread) in rows {
                    tr { td { (name) } td.number { (spread.tubes) } td.number { (span(spread.p50_us)) } td.number { span.bad[spread.p90_us > LIMIT_US] { (span(spread.p90_us)) } } td.number { (span(spread.max_us)) } }
                } }
            } }
        }
    }
}
