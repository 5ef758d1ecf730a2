//! What a change makes of the twin's states: the same draws, so that a difference shows what was changed.

use baton_kit::PlaceId;
use baton_simulate::Fault;
use baton_simulate::kernel::Batch;
use baton_simulate::twin::{LiveState, Place};

use super::measure::Times;
use super::twin::Twin;
use crate::model::{Change, Seen, Stage};

/// The states after a change; nothing where it changes nothing (a machine nobody counted, a point nobody comes to).
///
/// # Errors
/// More hands than a twin takes.
pub fn changed(seen: &Seen, times: &Times, twin: &Twin, change: Change) -> Result<Option<Vec<LiveState>>, Fault> {
    let mut states = twin.states.clone();
    for state in &mut states {
        let touched = match change {
            Change::Van => closer(state, twin, times),
            Change::Desk => one_more(state, twin, Stage::Accession)?,
            Change::Extractor => one_more(state, twin, Stage::Extraction)?,
            Change::Cycler => stated(seen) && one_more(state, twin, Stage::Bench)?,
            Change::Lane(point) => match twin.lane(point) {
                Some(station) => {
                    state.stations[station].calendar = state.stations[station].calendar.with(0.0, f64::INFINITY, 1)?;
                    true
                }
                None => false,
            },
            Change::LongerMinutes(minutes) => {
                state.streams.iter_mut().for_each(|stream| stream.until_s += f64::from(minutes) * 60.0);
                !state.streams.is_empty()
            }
            Change::SurgePercent(percent) => {
                scaled(state, 1.0 + f64::from(percent) / 100.0);
                !state.streams.is_empty()
            }
            Change::Closed(point) => closed(state, twin, point),
        };
        if !touched {
            return Ok(None);
        }
    }
    Ok(Some(states))
}

/// Whoever would come to a point, or stands in its line, goes to the others: to each as many more as its share of all who come.
fn closed(state: &mut LiveState, twin: &Twin, point: PlaceId) -> bool {
    let rate = |state: &LiveState| -> f64 { state.streams.iter().map(|stream| stream.rates[0].per_s).sum() };
    let before = rate(state);
    let name = point.to_string();
    state.streams.retain(|stream| stream.name != name);
    let after = rate(state);
    if after > 0.0 {
        scaled(state, before / after);
    }
    let others: Vec<(u32, f64)> = state.streams.iter().map(|stream| (stream.station, stream.rates[0].per_s)).collect();
    let Some(lane) = twin.lane(point).filter(|_| !others.is_empty()) else { return before > after };
    let mut sent = vec![0.0; others.len()];
    for entity in &mut state.entities[twin.tubes..] {
        let Place::Waiting { station, waited_s } = entity.place else { continue };
        if station as usize == lane {
            let behind = |at: &usize| (sent[*at] + 1.0) / others[*at].1;
            let to = (0..others.len()).min_by(|one, other| behind(one).total_cmp(&behind(other))).unwrap_or(0);
            sent[to] += 1.0;
            entity.place = Place::Waiting { station: others[to].0, waited_s };
        }
    }
    before > after || sent.iter().any(|sent| *sent > 0.0)
}

fn stated(seen: &Seen) -> bool {
    seen.laboratories.iter().any(|laboratory| laboratory.equipment.is_some())
}

/// With one van more the rounds come closer together, all by the same share.
fn closer(state: &mut LiveState, twin: &Twin, times: &Times) -> bool {
    let vans = times.rounds.iter().filter(|round| round.measured > 0).count() as f64;
    for (station, (stage, _)) in state.stations.iter_mut().zip(&twin.layout.stations) {
        if let (Stage::Collection, Some(batch)) = (stage, station.batch) {
            station.batch = Some(Batch { max_wait_s: batch.max_wait_s * vans / (vans + 1.0), ..batch });
        }
    }
    vans > 0.0
}

/// One more server wherever their number is known.
fn one_more(state: &mut LiveState, twin: &Twin, wanted: Stage) -> Result<bool, Fault> {
    let mut touched = false;
    for (index, (stage, _)) in twin.layout.stations.iter().enumerate() {
        if *stage == wanted && twin.layout.counted[index] {
            state.stations[index].calendar = state.stations[index].calendar.with(0.0, f64::INFINITY, 1)?;
            touched = true;
        }
    }
    Ok(touched)
}

fn scaled(state: &mut LiveState, by: f64) {
    state.streams.iter_mut().flat_map(|stream| &mut stream.rates).for_each(|rate| rate.per_s *= by);
}

/// The longest that points may stay open longer, in minutes, and the greatest surge, in per cent.
pub const LONGER_MOST: u32 = 240;
pub const SURGE_MOST: u32 = 300;
