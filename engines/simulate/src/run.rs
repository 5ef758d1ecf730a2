//! R replications of a model, merged in their order: the result does not depend on who did which.

use std::sync::{Mutex, PoisonError};

use crate::kernel::{Draws, Observer, Simulation, State};
use crate::model::Model;
use crate::report::{Difference, Report, Sojourn, StationReport};
use crate::statistics::{Sample, mean_and_half_width, mean_and_variance};
use crate::workers::{Workers, gather};

pub const MOST_REPLICATIONS: u32 = 1_000_000;
/// Most replications × stations, so that what is kept of them fits in memory.
pub const MOST_RESULTS: u64 = 20_000_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    pub replications: u32,
    pub seed: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RunError {
    #[error("replications: must be 1 to {most}, is {asked}")]
    Replications { asked: u32, most: u64 },
    #[error("the run was stopped before its first replication ended")]
    Stopped,
}

/// Runs the model, and `compare` beside it with common random numbers.
///
/// `keep_going` is asked before every replication. If it says no, the report tells of the replications before the first one left out.
pub fn run(
    model: &Model,
    compare: Option<&Model>,
    settings: &Settings,
    workers: &dyn Workers,
    keep_going: &(dyn Fn() -> bool + Sync),
) -> Result<Report, RunError> {
    let most = u64::from(MOST_REPLICATIONS).min(MOST_RESULTS / model.network.len() as u64);
    if settings.replications == 0 || u64::from(settings.replications) > most {
        return Err(RunError::Replications { asked: settings.replications, most });
    }
    let sample = Mutex::new(Sample::for_count(u64::from(settings.replications) * model.arrivals.count() as u64));
    let results = gather(workers, settings.replications, keep_going, &|index| {
        let (own, sojourns) = replicate(model, settings.seed, index);
        sample.lock().unwrap_or_else(PoisonError::into_inner).extend(&sojourns);
        drop(sojourns);
        Pair { own, other: compare.map(|other| replicate(other, settings.seed, index).0) }
    });
    let pairs: Vec<Pair> = results.into_iter().flatten().collect();
    if pairs.is_empty() {
        return Err(RunError::Stopped);
    }
    Ok(merge(model, &pairs, sample.into_inner().unwrap_or_else(PoisonError::into_inner)))
}

/// What is kept of one replication.
struct Replication {
    events: u64,
    horizon: f64,
    mean_sojourn: f64,
    stations: Vec<StationResult>,
}

struct StationResult {
    mean_wait: f64,
    utilisation: f64,
    mean_queue: f64,
}

/// The model and what it is compared with, under one replication number.
struct Pair {
    own: Replication,
    other: Option<Replication>,
}

#[derive(Clone, Copy, Default)]
struct StationTally {
    started: u32,
    waited: f64,
    busy: f64,
}

struct Tally {
    stations: Vec<StationTally>,
    sojourns: Vec<f64>,
    last: f64,
}

impl Observer for Tally {
    #[inline]
    fn started(&mut self, station: u32, _entity: u32, wait_s: f64, _now_s: f64) {
        let tally = &mut self.stations[station as usize];
        tally.started += 1;
        tally.waited += wait_s;
    }

    #[inline]
    fn occupied(&mut self, station: u32, service_s: f64) {
        self.stations[station as usize].busy += service_s;
    }

    #[inline]
    fn left(&mut self, _entity: u32, born_s: f64, now_s: f64) {
        self.sojourns.push(now_s - born_s);
        self.last = now_s;
    }
}

/// One replication, and the sojourns of its entities in the order they left.
fn replicate(model: &Model, seed: u64, replication: u32) -> (Replication, Vec<f64>) {
    let draws = Draws::new(&model.network, seed, replication);
    let mut simulation = Simulation::start(&model.network, &model.arrivals, &draws, State::empty(&model.network));
    let mut tally = Tally { stations: vec![StationTally::default(); model.network.len()], sojourns: Vec::with_capacity(model.arrivals.count()), last: 0.0 };
    simulation.run(&mut tally);
    let horizon = tally.last;
    // A horizon of 0 has no time for an average; nobody waited in it either.
    let share = |part: f64, whole: f64| if whole > 0.0 { part / whole } else { 0.0 };
    let stations = model.network.stations().iter().zip(&tally.stations).map(|(station, tally)| StationResult {
        mean_wait: share(tally.waited, f64::from(tally.started)),
        utilisation: share(tally.busy, station.calendar.server_seconds(horizon)),
        // Everybody who waited began and ended to wait within the horizon, so the area under the queue is the sum of the waits.
        mean_queue: share(tally.waited, horizon),
    });
    let result = Replication {
        events: simulation.state().events(),
        horizon,
        mean_sojourn: share(tally.sojourns.iter().sum(), tally.sojourns.len() as f64),
        stations: stations.collect(),
    };
    (result, tally.sojourns)
}

fn merge(model: &Model, pairs: &[Pair], mut sample: Sample) -> Report {
    let values = |value: &dyn Fn(&Replication) -> f64| -> Vec<f64> { pairs.iter().map(|pair| value(&pair.own)).collect() };
    let mean = |value: &dyn Fn(&Replication) -> f64| mean_and_variance(&values(value)).0;
    let stations = model.network.stations().iter().enumerate().map(|(index, station)| {
        let (mean_wait_s, ci95_s) = mean_and_half_width(&values(&|own| own.stations[index].mean_wait));
        StationReport {
            name: station.name.clone(),
            mean_wait_s,
            ci95_s,
            utilisation: mean(&|own| own.stations[index].utilisation),
            mean_queue: mean(&|own| own.stations[index].mean_queue),
        }
    });
    let (mean_s, ci95_s) = mean_and_half_width(&values(&|own| own.mean_sojourn));
    let differences: Vec<f64> = pairs.iter().filter_map(|pair| Some(pair.other.as_ref()?.mean_sojourn - pair.own.mean_sojourn)).collect();
    let (difference, variance) = mean_and_variance(&differences);
    let events = pairs.iter().map(|pair| pair.own.events).sum();
    let others: u64 = pairs.iter().filter_map(|pair| Some(pair.other.as_ref()?.events)).sum();
    Report {
        replications: pairs.len() as u32,
        events,
        horizon_s: mean(&|own| own.horizon),
        stations: stations.collect(),
        sojourn: Sojourn { mean_s, ci95_s, p50_s: sample.percentile(50.0), p95_s: sample.percentile(95.0), p99_s: sample.percentile(99.0) },
        difference: (!differences.is_empty()).then_some(Difference { mean_s: difference, variance }),
        events_per_cpu_s: 0.0,
        events_of_both: events + others,
    }
}
