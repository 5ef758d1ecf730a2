//! The twin's answer as it is kept: instants instead of seconds, stages instead of stations, and for each late tube what costs it the time.

use std::collections::BTreeMap;

use baton_kit::time::SECOND_US;
use baton_kit::{PlaceId, Timestamp};
use baton_laboratory::stages::Underway;
use baton_simulate::twin::{Delta, Estimate, Forecast, Place, Spread};

use super::measure::{Times, median};
use super::twin::Twin;
use crate::events::{Count, ForecastMade, LastResult, LateTube, Measured, OutBy, StageAhead};
use crate::model::{Change, LineAhead, Seen, Stage};

/// Tubes that are named.
const NAMED: usize = 100;
/// A tube that is late in fewer days than this is not named.
const LIKELY: f64 = 0.1;
/// What a stage took beyond its usual time is its fault from here on.
const NOTICED_S: f64 = 600.0;

/// A line whose mean wait changes by less is not spoken of.
const LINE_NOTICED_S: f64 = 30.0;

/// The forecast of these states, made from what was seen; the band of the last result is stretched so many times.
pub fn forecast_made(seen: &Seen, times: &Times, twin: &Twin, forecast: &Forecast, stretch: f64) -> ForecastMade {
    let after = |seconds: f64| seen.now.plus_us((seconds * SECOND_US as f64) as i64);
    let last = stretched(forecast.last_result_s, stretch);
    let (stages, bottleneck) = stages(seen, twin, forecast);
    let ahead = bottleneck_ahead(twin, forecast);
    // Whoever stands in a line has no tube that could be named.
    let late = forecast.late_entities.iter().filter(|late| late.probability >= LIKELY && (late.entity as usize) < seen.underway.len()).take(NAMED);
    let late_tubes = late.map(|late| {
        let tube = &seen.underway[late.entity as usize];
        LateTube { tube: tube.tube, percent: (late.probability * 100.0).round() as u32, cause: cause(seen.now, tube, times, ahead).name().to_owned() }
    });
    ForecastMade {
        from_us: seen.from,
        until_us: seen.until(),
        replications: forecast.replications,
        tubes: seen.underway.len() as u32,
        expected: twin.expected().round() as u32,
        last: LastResult { p10_us: after(last.p10), p50_us: after(last.p50), p90_us: after(last.p90) },
        late: count(forecast.late),
        left: forecast.left.iter().map(|left| OutBy { at_us: after(left.at_s), results: count(left.count) }).collect(),
        late_tubes: late_tubes.collect(),
        measured: Measured {
            rounds: times.rounds.iter().map(|round| round.measured as u32).sum(),
            plates: times.laboratories.iter().map(|laboratory| laboratory.plates as u32).sum(),
            tubes: times.tubes as u32,
        },
        stages,
        bottleneck,
        stretch_percent: (stretch * 100.0).round() as u32,
    }
}

/// The band so many times as wide to either side; nothing is foretold of the past.
fn stretched(last: Spread, stretch: f64) -> Spread {
    Spread { p10: (last.p50 - (last.p50 - last.p10) * stretch).max(0.0), p50: last.p50, p90: last.p50 + (last.p90 - last.p50) * stretch }
}

fn count(spread: Spread) -> Count {
    Count { p10: spread.p10 as u32, p50: spread.p50 as u32, p90: spread.p90 as u32 }
}

/// What a change makes of the lines: of the point it names, else of the one whose wait it changes most.
pub fn line_ahead(seen: &Seen, twin: &Twin, forecast: &Forecast, delta: &Delta, change: Change) -> Option<LineAhead> {
    let known = seen.points.iter().filter_map(|point| Some((point, twin.lane(point.id)?)));
    let changed = |at: usize| delta.mean_wait_s.get(at).map_or(0.0, |wait| wait.mean.abs());
    let (point, at) = match change {
        Change::Lane(named) => known.into_iter().find(|(point, _)| point.id == named)?,
        _ => known.max_by(|(_, one), (_, other)| changed(*one).total_cmp(&changed(*other))).filter(|(_, at)| changed(*at) >= LINE_NOTICED_S)?,
    };
    let people = seen.points.iter().map(|point| point.people_per_tube).sum::<f64>() / seen.points.len() as f64;
    let lost = delta.lost;
    Some(LineAhead {
        point: point.id,
        lanes: point.lanes.open,
        per_hour: point.lanes.per_hour(),
        measured: point.lanes.measured(),
        wait_s: forecast.stations[at].mean_wait_s,
        difference_s: *delta.mean_wait_s.get(at)?,
        away: forecast.lost.p50 * people,
        away_difference: Estimate { mean: lost.mean * people, ci95: lost.ci95.map(|half_width| half_width * people) },
    })
}

/// The station at which most of the waiting from now on is done.
fn bottleneck_ahead(twin: &Twin, forecast: &Forecast) -> Stage {
    twin.layout.stations.get(forecast.bottleneck).map_or(Stage::Bench, |(stage, _)| *stage)
}

/// Stations of one stage and laboratory as one; and where most waiting is.
fn stages(seen: &Seen, twin: &Twin, forecast: &Forecast) -> (Vec<StageAhead>, usize) {
    let there = tubes_at(twin);
    // By stage and laboratory: tubes there, share of all waiting, the most that is used of anything counted.
    type Sum = (u32, f64, Option<f64>);
    let mut sums: BTreeMap<(Stage, Option<PlaceId>), Sum> = BTreeMap::new();
    for (index, (stage, laboratory)) in twin.layout.stations.iter().enumerate() {
        let place = laboratory.and_then(|number| seen.laboratories.get(number)).map(|known| known.id);
        let sum = sums.entry((*stage, place)).or_insert((0, 0.0, None));
        sum.0 += there.get(&(index as u32)).copied().unwrap_or(0);
        sum.1 += forecast.stations[index].wait_share;
        if twin.layout.counted[index] {
            sum.2 = Some(sum.2.unwrap_or(0.0).max(forecast.stations[index].utilisation));
        }
    }
    let percent = |share: f64| (share * 100.0).round() as u32;
    let ahead: Vec<StageAhead> = sums
        .iter()
        .map(|((stage, laboratory), (tubes, share, used))| StageAhead {
            stage: stage.name().to_owned(),
            laboratory: *laboratory,
            tubes: *tubes,
            utilisation_percent: used.map(percent),
            wait_share_percent: percent(*share),
        })
        .collect();
    let shares: Vec<f64> = sums.values().map(|(_, share, _)| *share).collect();
    let most = (0..shares.len()).max_by(|one, other| shares[*one].total_cmp(&shares[*other]).then(other.cmp(one)));
    (ahead, most.unwrap_or(0))
}

/// How many tubes wait at or are served by each station now.
fn tubes_at(twin: &Twin) -> BTreeMap<u32, u32> {
    let mut there = BTreeMap::new();
    let Some(state) = twin.states.first() else { return there };
    for entity in &state.entities[..twin.tubes] {
        let station = match entity.place {
            Place::Waiting { station, .. } => station,
            Place::Served { run } => state.runs[run as usize].station,
            Place::Travelling { to, .. } => to,
        };
        *there.entry(station).or_default() += 1;
    }
    there
}

/// The stage that took longest beyond what it usually takes; `ahead` where none stands out.
pub fn cause(now: Timestamp, tube: &Underway, times: &Times, ahead: Stage) -> Stage {
    let round = &times.rounds[times.round(tube.point)];
    let Some(laboratory) = times.laboratories.get(round.round.laboratory) else { return ahead };
    let way = [
        (Stage::Sampling, Some(tube.first_swab), median(&times.sampling_s)),
        (Stage::Collection, tube.sealed, median(&round.waits_s) / 2.0),
        (Stage::Transport, tube.boxed, median(&round.roads_s)),
        (Stage::Accession, tube.arrived, laboratory.accession_s),
        (Stage::Plate, tube.accessioned, median(&laboratory.plate_waits_s) / 2.0),
        (Stage::Bench, tube.laid, median(&laboratory.bench_s)),
        (Stage::Signature, tube.read.filter(|read| Some(*read) >= tube.laid), median(&laboratory.signature_s)),
    ];
    let known: Vec<(Stage, Timestamp, f64)> = way.into_iter().filter_map(|(stage, at, usual)| Some((stage, at?, usual))).collect();
    let over = known.iter().enumerate().map(|(place, (stage, began, usual))| {
        let ended = known.get(place + 1).map_or(now, |(_, next, _)| *next);
        (*stage, ended.since(*began) as f64 / SECOND_US as f64 - usual)
    });
    let worst = over.max_by(|one, other| one.1.total_cmp(&other.1));
    worst.filter(|(_, over)| *over >= NOTICED_S).map_or(ahead, |(stage, _)| stage)
}
