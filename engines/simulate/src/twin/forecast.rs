//! Forecasts, and differences between two of them.

use std::sync::atomic::{AtomicU32, Ordering};

use serde::Serialize;

use super::live::{LiveState, Milestone, Prepared};
use crate::fault::{Fault, between};
use crate::kernel::{Arrivals, Draws, Observer, Simulation};
use crate::statistics::{mean_and_half_width, nearest_rank};
use crate::workers::{Workers, gather};

/// Most replications of one forecast.
pub const MOST_FORECASTS: u32 = 10_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    pub replications: u32,
    pub seed: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ForecastError {
    #[error(transparent)]
    State(#[from] Fault),
    #[error("the forecast was stopped before its first replication ended")]
    Stopped,
}

/// Steps of the curve of those who left.
pub const STEPS: u32 = 48;

/// Percentiles over replications.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spread {
    pub p10: f64,
    pub p50: f64,
    pub p90: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Forecast {
    pub replications: u32,
    /// When the last entity leaves, from now.
    pub last_result_s: Spread,
    /// How many break the limit, of those there and those to come.
    pub late: Spread,
    /// How many find a queue too long and are lost.
    pub lost: Spread,
    /// Those there now that may break the limit, the likeliest first.
    pub late_entities: Vec<Late>,
    pub stations: Vec<StationForecast>,
    /// How many have left by each of [`STEPS`] + 1 equal steps from now to the 90th percentile of the last.
    pub left: Vec<Left>,
    /// The station of the largest share of all waiting, then of the highest utilisation.
    pub bottleneck: usize,
}

/// How many have left by a moment.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Left {
    pub at_s: f64,
    pub count: Spread,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Late {
    /// Place in [`LiveState::entities`].
    pub entity: u32,
    pub key: u64,
    /// Share of the replications in which it breaks the limit.
    pub probability: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StationForecast {
    pub name: String,
    /// Busy over scheduled server-seconds until the last entity leaves.
    pub utilisation: f64,
    /// Waits that end from now on, with what was waited before.
    pub mean_wait_s: f64,
    /// Its part of the waiting from now on of all stations.
    pub wait_share: f64,
}

/// Mean over pairs of replications, with the half-width of its 95 % interval (`None` with one pair).
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Estimate {
    pub mean: f64,
    pub ci95: Option<f64>,
}

/// What another state changes: its value less that of the first, under common random numbers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Delta {
    pub last_result_s: Estimate,
    pub late: Estimate,
    pub lost: Estimate,
    /// Of waiting from now on, all entities together.
    pub waiting_s: Estimate,
    /// Of the mean wait at each station, in their order; none where the other state has other stations.
    pub mean_wait_s: Vec<Estimate>,
}

/// What will happen, from at most `budget.replications` days. Stopped by `keep_going`, it tells of those that ended.
pub fn forecast(live: &LiveState, budget: &Budget, workers: &dyn Workers, keep_going: &(dyn Fn() -> bool + Sync)) -> Result<Forecast, ForecastError> {
    forecast_over(std::slice::from_ref(live), budget, workers, keep_going)
}

/// As [`forecast`], where the state itself is not known for certain: replication `i` starts from the `i`-th of `lives`, again from the first
/// after the last. They must have the same stations by name and the same entities in the same order.
pub fn forecast_over(lives: &[LiveState], budget: &Budget, workers: &dyn Workers, keep_going: &(dyn Fn() -> bool + Sync)) -> Result<Forecast, ForecastError> {
    let prepared = prepare(lives)?;
    let Some(live) = lives.first() else { return Err(Fault::new("lives", "must have at least one").into()) };
    let lates: Vec<AtomicU32> = live.entities.iter().map(|_| AtomicU32::new(0)).collect();
    let mut days: Vec<Day> = days(&prepared, budget, workers, keep_going, &lates)?.into_iter().flatten().collect();
    if days.is_empty() {
        return Err(ForecastError::Stopped);
    }
    let spread = |value: &dyn Fn(&Day) -> f64| spread(days.iter().map(value).collect());
    let stations = stations(lives, &days);
    let busiest = |one: &usize, other: &usize| {
        let key = |index: &usize| (stations[*index].wait_share, stations[*index].utilisation);
        key(one).partial_cmp(&key(other)).unwrap_or(std::cmp::Ordering::Equal).then(other.cmp(one))
    };
    let last_result_s = spread(&|day| day.last);
    let (late, lost) = (spread(&|day| f64::from(day.late)), spread(&|day| f64::from(day.lost)));
    Ok(Forecast {
        replications: days.len() as u32,
        late,
        lost,
        late_entities: late_entities(live, &lates, days.len()),
        bottleneck: (0..stations.len()).max_by(busiest).unwrap_or(0),
        left: left(&mut days, last_result_s.p90),
        last_result_s,
        stations,
    })
}

fn spread(mut values: Vec<f64>) -> Spread {
    Spread { p10: nearest_rank(&mut values, 10.0), p50: nearest_rank(&mut values, 50.0), p90: nearest_rank(&mut values, 90.0) }
}

/// How many have left by each step from now to `until_s`.
fn left(days: &mut [Day], until_s: f64) -> Vec<Left> {
    days.iter_mut().for_each(|day| day.leaves.sort_by(f32::total_cmp));
    let at = |step: u32| until_s * f64::from(step) / f64::from(STEPS);
    // Leaves are kept in single precision: the last step must hold those at its very end.
    let gone = |day: &Day, at_s: f64| day.leaves.partition_point(|leave| f64::from(*leave) <= at_s * (1.0 + 1e-6)) as f64;
    (0..=STEPS).map(|step| Left { at_s: at(step), count: spread(days.iter().map(|day| gone(day, at(step))).collect()) }).collect()
}

fn prepare(lives: &[LiveState]) -> Result<Vec<Prepared<'_>>, Fault> {
    let mut prepared = Vec::with_capacity(lives.len());
    for (index, live) in lives.iter().enumerate() {
        let alike = live.entities.len() == lives[0].entities.len()
            && live.stations.len() == lives[0].stations.len()
            && live.stations.iter().zip(&lives[0].stations).all(|(one, other)| one.name == other.name);
        if !alike {
            return Err(Fault::new(format!("lives[{index}]"), "has other stations or entities than the first"));
        }
        prepared.push(Prepared::new(live).map_err(|fault| if lives.len() > 1 { fault.inside(format!("lives[{index}]")) } else { fault })?);
    }
    Ok(prepared)
}

/// What `other` would change, replication by replication.
pub fn compare(
    live: &LiveState,
    other: &LiveState,
    budget: &Budget,
    workers: &dyn Workers,
    keep_going: &(dyn Fn() -> bool + Sync),
) -> Result<Delta, ForecastError> {
    compare_over(std::slice::from_ref(live), std::slice::from_ref(other), budget, workers, keep_going)
}

/// As [`compare`], each of `lives` with the state at the same place of `others`.
pub fn compare_over(
    lives: &[LiveState],
    others: &[LiveState],
    budget: &Budget,
    workers: &dyn Workers,
    keep_going: &(dyn Fn() -> bool + Sync),
) -> Result<Delta, ForecastError> {
    let own = days(&prepare(lives)?, budget, workers, keep_going, &[])?;
    let changed = days(&prepare(others)?, budget, workers, keep_going, &[])?;
    delta(&own, &changed)
}

/// What one more server, from now to the end, would change: one delta for every station, in their order.
pub fn one_more_server(live: &LiveState, budget: &Budget, workers: &dyn Workers, keep_going: &(dyn Fn() -> bool + Sync)) -> Result<Vec<Delta>, ForecastError> {
    let own = days(&[Prepared::new(live)?], budget, workers, keep_going, &[])?;
    let deltas = (0..live.stations.len() as u32).map(|station| {
        let other = live.with_servers(station, 0.0, f64::INFINITY, 1)?;
        let changed = days(&[Prepared::new(&other)?], budget, workers, keep_going, &[])?;
        delta(&own, &changed)
    });
    deltas.collect()
}

fn delta(own: &[Option<Day>], changed: &[Option<Day>]) -> Result<Delta, ForecastError> {
    let pairs: Vec<(&Day, &Day)> = own.iter().zip(changed).filter_map(|(own, changed)| own.as_ref().zip(changed.as_ref())).collect();
    if pairs.is_empty() {
        return Err(ForecastError::Stopped);
    }
    let stations = if pairs.iter().all(|(own, changed)| own.stations.len() == changed.stations.len()) { pairs[0].0.stations.len() } else { 0 };
    let estimate = |value: &dyn Fn(&Day) -> f64| {
        let differences: Vec<f64> = pairs.iter().map(|(own, changed)| value(changed) - value(own)).collect();
        let (mean, ci95) = mean_and_half_width(&differences);
        Estimate { mean, ci95 }
    };
    Ok(Delta {
        last_result_s: estimate(&|day| day.last),
        late: estimate(&|day| f64::from(day.late)),
        lost: estimate(&|day| f64::from(day.lost)),
        waiting_s: estimate(&Day::waiting),
        mean_wait_s: (0..stations).map(|station| estimate(&|day| day.stations[station].mean_wait())).collect(),
    })
}

fn stations(lives: &[LiveState], days: &[Day]) -> Vec<StationForecast> {
    let total = |value: &dyn Fn(&Day) -> f64| days.iter().map(value).sum::<f64>();
    let share = |part: f64, whole: f64| if whole > 0.0 { part / whole } else { 0.0 };
    let all_waiting = total(&Day::waiting);
    let scheduled = |day: &Day, index: usize| lives[day.state].stations[index].calendar.server_seconds(day.last);
    let stations = lives[0].stations.iter().enumerate().map(|(index, station)| StationForecast {
        name: station.name.clone(),
        utilisation: total(&|day| share(day.stations[index].busy, scheduled(day, index))) / days.len() as f64,
        mean_wait_s: share(total(&|day| day.stations[index].waited), total(&|day| f64::from(day.stations[index].started))),
        wait_share: share(total(&|day| day.stations[index].waited_from_now), all_waiting),
    });
    stations.collect()
}

fn late_entities(live: &LiveState, lates: &[AtomicU32], days: usize) -> Vec<Late> {
    let found = (0u32..).zip(&live.entities).zip(lates).filter_map(|((entity, state), count)| {
        let count = count.load(Ordering::Relaxed);
        (count > 0).then(|| Late { entity, key: state.key, probability: f64::from(count) / days as f64 })
    });
    let mut late: Vec<Late> = found.collect();
    late.sort_by(|one, other| other.probability.total_cmp(&one.probability));
    late
}

/// What is kept of one replication.
struct Day {
    /// Place of the state it started from.
    state: usize,
    last: f64,
    /// When each left.
    leaves: Vec<f32>,
    late: u32,
    lost: u32,
    stations: Vec<StationTally>,
}

impl Day {
    fn waiting(&self) -> f64 {
        self.stations.iter().map(|tally| tally.waited_from_now).sum()
    }
}

#[derive(Clone, Copy, Default)]
struct StationTally {
    started: u32,
    waited: f64,
    waited_from_now: f64,
    busy: f64,
}

impl StationTally {
    fn mean_wait(&self) -> f64 {
        if self.started > 0 { self.waited / f64::from(self.started) } else { 0.0 }
    }
}

fn days(
    prepared: &[Prepared],
    budget: &Budget,
    workers: &dyn Workers,
    keep_going: &(dyn Fn() -> bool + Sync),
    lates: &[AtomicU32],
) -> Result<Vec<Option<Day>>, ForecastError> {
    between("replications", f64::from(budget.replications), 1.0, f64::from(MOST_FORECASTS))?;
    Ok(gather(workers, budget.replications, keep_going, &|index| {
        let state = index as usize % prepared.len();
        let from = &prepared[state];
        let arrivals = from.arrivals(budget.seed, index);
        let draws = Draws::new(&from.network, budget.seed, index);
        let mut stations = vec![StationTally::default(); from.live.stations.len()];
        from.live.runs.iter().for_each(|run| stations[run.station as usize].busy += run.remaining_s);
        let leaves = Vec::with_capacity(from.owners.len() + arrivals.count());
        let reached = vec![false; from.owners.len() + arrivals.count()];
        let day = Day { state, last: 0.0, leaves, late: 0, lost: 0, stations };
        let begun = if from.begins.contains(&true) { vec![f64::NAN; reached.len()] } else { Vec::new() };
        let mut watch = Watch { prepared: from, arrivals: &arrivals, lates, reached, begun, day };
        Simulation::start(&from.network, &arrivals, &draws, from.start.clone()).run(&mut watch);
        watch.day
    }))
}

struct Watch<'w> {
    prepared: &'w Prepared<'w>,
    arrivals: &'w Arrivals,
    lates: &'w [AtomicU32],
    /// Who has reached the milestone: rework brings some there again.
    reached: Vec<bool>,
    /// When the age of each began anew; not a number where it did not. Empty where it never does.
    begun: Vec<f64>,
    day: Day,
}

impl Watch<'_> {
    fn reach(&mut self, entity: u32, milestone: Milestone, now_s: f64) {
        let Some(limit) = self.prepared.live.limit.as_ref().filter(|limit| limit.until == milestone) else { return };
        if std::mem::replace(&mut self.reached[entity as usize], true) {
            return;
        }
        let owner = self.prepared.owners.get(entity as usize);
        let begun_s = self.begun.get(entity as usize).copied().filter(|begun| begun.is_finite());
        let born_s = match (owner, self.arrivals) {
            _ if begun_s.is_some() => begun_s.unwrap_or(now_s),
            (Some(owner), _) => -self.prepared.live.entities[*owner as usize].age_s,
            (None, Arrivals::Listed(arrivals)) => arrivals[entity as usize - self.prepared.owners.len()].entity.born_s,
            (None, _) => return,
        };
        if now_s - born_s > limit.seconds {
            self.day.late += 1;
            if let Some(count) = owner.and_then(|owner| self.lates.get(*owner as usize)) {
                count.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

impl Observer for Watch<'_> {
    #[inline]
    fn started(&mut self, station: u32, entity: u32, wait_s: f64, now_s: f64) {
        let tally = &mut self.day.stations[station as usize];
        tally.started += 1;
        tally.waited += wait_s;
        tally.waited_from_now += wait_s.min(now_s);
        if self.prepared.begins[station as usize] {
            self.begun[entity as usize] = now_s;
        }
        self.reach(entity, Milestone::StartAt(station), now_s);
    }

    #[inline]
    fn occupied(&mut self, station: u32, service_s: f64) {
        self.day.stations[station as usize].busy += service_s;
    }

    fn left(&mut self, entity: u32, _born_s: f64, now_s: f64) {
        self.day.last = now_s;
        self.day.leaves.push(now_s as f32);
        self.reach(entity, Milestone::Leave, now_s);
    }

    fn lost(&mut self, _station: u32, _entity: u32, _now_s: f64) {
        self.day.lost += 1;
    }
}
