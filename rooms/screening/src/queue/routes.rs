//! The line of a point as JSON: how long it takes, and what would shorten it.

use axum::Json;
use axum::extract::State;
use baton_desk::form::At;
use baton_desk::{Access, Answered, App, Budget, Route};
use baton_kit::{PlaceId, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;

use super::advice::Advice;
use super::pages::Board;
use super::wait::{LONGEST, Wait};

pub fn routes() -> Vec<Route> {
    vec![
        Route::get("/v1/screening/points/{point}/queue", Access::Public, "How long one waits at a point now, and what would shorten it", queue)
            .answers::<QueueShown>()
            .within(Budget::LookUps),
    ]
}

/// A wait that is known, in minutes.
#[derive(Serialize, JsonSchema)]
struct WaitShown {
    from_minutes: i64,
    /// Nothing when it may be longer than three hours.
    to_minutes: Option<i64>,
}

#[derive(Serialize, JsonSchema)]
#[serde(tag = "do", rename_all = "snake_case")]
enum AdviceShown {
    /// Open this line; the wait then is about so.
    OpenLine { line: i64, wait: Option<WaitShown> },
    /// Send people to this point.
    SendTo { point: PlaceId, name: String, wait: Option<WaitShown> },
}

#[derive(Serialize, JsonSchema)]
struct QueueShown {
    point: PlaceId,
    /// `known`, `count_old` (nobody counted the line lately) or `no_pace` (too few swabs lately).
    state: &'static str,
    wait: Option<WaitShown>,
    counted_us: Option<Timestamp>,
    /// People who wait now: at least, at most.
    waiting: Option<(i64, i64)>,
    open: Vec<i64>,
    /// Lanes at work: those whose devices scanned in the last quarter of an hour, and no fewer than were said to be open.
    lanes: u32,
    /// People one lane serves in an hour.
    people_per_lane_hour: i64,
    /// Whether that was measured from the scans; otherwise it is the plan's figure.
    lane_measured: bool,
    advice: Option<AdviceShown>,
}

fn shown(wait: Wait) -> Option<WaitShown> {
    match wait {
        Wait::None => Some(WaitShown { from_minutes: 0, to_minutes: Some(0) }),
        Wait::Minutes { from, to } => Some(WaitShown { from_minutes: from, to_minutes: (to < LONGEST).then_some(to) }),
        Wait::CountOld | Wait::NoPace => None,
    }
}

async fn queue(State(app): State<App>, At(id): At<PlaceId>) -> Answered<Json<QueueShown>> {
    let now = app.ledger.now();
    let board = app.read(move |tx| Board::load(tx, id, now)).await?;
    let state = match board.wait {
        Wait::None | Wait::Minutes { .. } => "known",
        Wait::CountOld => "count_old",
        Wait::NoPace => "no_pace",
    };
    let advice = board.advice.as_ref().map(|(advice, name)| match *advice {
        Advice::Open { line, wait } => AdviceShown::OpenLine { line, wait: shown(wait) },
        Advice::Send { point, wait } => AdviceShown::SendTo { point, name: name.clone(), wait: shown(wait) },
    });
    let waiting = (state != "count_old").then_some(board.waiting);
    Ok(Json(QueueShown {
        point: id,
        state,
        wait: shown(board.wait),
        counted_us: board.line.as_ref().map(|line| line.at),
        waiting,
        lanes: board.lanes.open,
        people_per_lane_hour: board.lanes.per_hour().round() as i64,
        lane_measured: board.lanes.measured(),
        open: board.line.map(|line| line.open).unwrap_or_default(),
        advice,
    }))
}
