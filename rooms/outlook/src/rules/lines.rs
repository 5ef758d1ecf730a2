//! People in lines: who is still to come to a point, and the lanes that serve them. Whoever shares a tube is played as one.

use baton_kit::PlaceId;
use baton_kit::time::{DAY_US, HOUR_US, SECOND_US};
use baton_simulate::Fault;
use baton_simulate::distribution::Distribution;
use baton_simulate::draws::{Purpose, Stream};
use baton_simulate::kernel::{Calendar, Station};
use baton_simulate::twin::{LiveEntity, Place};

use crate::model::{PointSeen, Seen};

/// Points whose lanes are played, those where most is begun first: this bounds the states. At the others nobody waits.
const POINTS_MOST: usize = 300;
/// So many people stand in the line of one lane; whoever finds more turns away. A waiting area holds 200 at a metre each (guideline for
/// organised testing, 3rd edition, as told by one article).
const LINE_MOST: f64 = 200.0;
/// A later day of the same round has so many hours.
const LATER_DAY_US: i64 = 12 * HOUR_US;

/// The name of the lanes of a point.
pub fn station(point: PlaceId) -> String {
    format!("lane:{point}")
}

/// The points whose lanes are played, by their place in the list.
pub fn with_lanes(points: &[PointSeen]) -> Vec<usize> {
    let mut places: Vec<usize> = (0..points.len()).filter(|place| points[*place].begun > 0).collect();
    places.sort_by_key(|place| (-points[*place].begun, *place));
    places.truncate(POINTS_MOST);
    places
}

/// The lanes of a point as servers, each taking so long for as many people as share a tube.
///
/// # Errors
/// More lanes than a twin takes.
pub fn lanes(point: &PointSeen, on_lane_s: f64) -> Result<Station, Fault> {
    let open = point.lanes.open.max(1);
    let room = (LINE_MOST * f64::from(open) / point.people_per_tube).ceil() as u32;
    let station = Station::new(station(point.id), Calendar::constant(open)?, Distribution::deterministic(on_lane_s)?);
    Ok(Station { queue_limit: Some(room), ..station })
}

/// Those who stand in the line of a point, as many together as share a tube.
pub fn standing(point: &PointSeen, station: u32) -> Vec<LiveEntity> {
    let names = Stream::new(0, 0, Purpose::Arrival, &self::station(point.id));
    let groups = (point.waiting.max(0) as f64 / point.people_per_tube).ceil() as u64;
    (0..groups).map(|n| LiveEntity { key: names.word(n), age_s: 0.0, place: Place::Waiting { station, waited_s: 0.0 } }).collect()
}

/// Tubes' worth of people who come to each point, a second, until it closes.
///
/// As long as its lanes are not full the pace of lately tells who comes. Full lanes tell only how fast they are: then those come who are
/// still due, over the hours that are left. Nobody comes twice: no more come than are due.
pub fn coming(seen: &Seen) -> Vec<f64> {
    let left_s = |point: &PointSeen| point.closes.since(seen.now).max(0) as f64 / SECOND_US as f64;
    let pace = |point: &PointSeen| if seen.pace_s > 0.0 && left_s(point) > 0.0 { point.begun as f64 / seen.pace_s } else { 0.0 };
    let people = |point: &PointSeen| pace(point) * point.people_per_tube;
    let all: f64 = seen.points.iter().map(people).sum();
    let rate = |point: &PointSeen| {
        let (pace, Some(due)) = (pace(point), seen.due) else { return pace(point) };
        if pace <= 0.0 {
            return 0.0;
        }
        let waiting: i64 = seen.points.iter().map(|point| point.waiting).sum();
        let here = (due.people - waiting).max(0) as f64 * people(point) / all / point.people_per_tube;
        if !point.lanes.full() {
            return pace.min(here / left_s(point));
        }
        let later = due.closes.since(point.closes).max(0) as u64;
        let later_s = (later.div_ceil(DAY_US as u64) * LATER_DAY_US as u64) as f64 / SECOND_US as f64;
        pace.max(here / (left_s(point) + later_s))
    };
    seen.points.iter().map(rate).collect()
}
