//! The twin against theory, against schedules by hand, and against a second simulator.

mod forecasts;
mod laws;
mod model_file;
mod oracles;
mod reference;
mod schedules;
mod warm_start;

use std::error::Error;
use std::sync::atomic::{AtomicU32, Ordering};

use baton_simulate::distribution::Distribution;
use baton_simulate::kernel::{Arrival, Arrivals, Calendar, Draws, Entity, Network, Observer, Simulation, State, Station, Step};
use baton_simulate::{InTurn, Model, Report, Settings, Workers, run};

type Outcome = Result<(), Box<dyn Error>>;

/// So many threads, each taking the next job.
struct Threads(u32);

impl Workers for Threads {
    fn each(&self, jobs: u32, job: &(dyn Fn(u32) + Sync)) {
        let next = AtomicU32::new(0);
        std::thread::scope(|scope| {
            for _ in 0..self.0 {
                scope.spawn(|| {
                    loop {
                        let index = next.fetch_add(1, Ordering::Relaxed);
                        if index >= jobs {
                            break;
                        }
                        job(index);
                    }
                });
            }
        });
    }
}

fn exponential(mean_s: f64) -> Distribution {
    Distribution::exponential(mean_s).expect("a mean above 0")
}

fn fixed(value_s: f64) -> Distribution {
    Distribution::deterministic(value_s).expect("a time of 0 or more")
}

fn station(name: &str, servers: u32, service: Distribution) -> Station {
    Station::new(name, Calendar::constant(servers).expect("servers"), service)
}

fn calendar(steps: &[(f64, u32)]) -> Calendar {
    Calendar::new(steps.iter().map(|&(from_s, servers)| Step { from_s, servers }).collect()).expect("a calendar")
}

fn network(stations: Vec<Station>) -> Network {
    Network::new(stations).expect("a network")
}

/// Entities numbered in the order of their arrival, each drawing by its number.
fn listed(arrivals: &[(f64, u32)]) -> Arrivals {
    let entity = |(key, &(at_s, station)): (u64, &(f64, u32))| Arrival { at_s, station, entity: Entity { born_s: at_s, rank: at_s, key } };
    Arrivals::Listed((0..).zip(arrivals).map(entity).collect())
}

fn report(model: &Model, replications: u32, seed: u64) -> Report {
    run(model, None, &Settings { replications, seed }, &InTurn, &|| true).expect("a report")
}

/// Everything that an observer is told, as it is told.
#[derive(Debug, Clone, PartialEq, Default)]
struct Journal(Vec<Entry>);

#[derive(Debug, Clone, PartialEq)]
enum Entry {
    Joined { station: u32, entity: u32, at: f64 },
    Started { station: u32, entity: u32, wait: f64, at: f64 },
    Occupied { station: u32, service: f64 },
    Left { entity: u32, born: f64, at: f64 },
    Lost { station: u32, entity: u32, at: f64 },
}

impl Observer for Journal {
    fn joined(&mut self, station: u32, entity: u32, at: f64) {
        self.0.push(Entry::Joined { station, entity, at });
    }

    fn started(&mut self, station: u32, entity: u32, wait: f64, at: f64) {
        self.0.push(Entry::Started { station, entity, wait, at });
    }

    fn occupied(&mut self, station: u32, service: f64) {
        self.0.push(Entry::Occupied { station, service });
    }

    fn left(&mut self, entity: u32, born: f64, at: f64) {
        self.0.push(Entry::Left { entity, born, at });
    }

    fn lost(&mut self, station: u32, entity: u32, at: f64) {
        self.0.push(Entry::Lost { station, entity, at });
    }
}

fn journal(network: &Network, arrivals: &Arrivals, seed: u64) -> Journal {
    let draws = Draws::new(network, seed, 0);
    let mut journal = Journal::default();
    Simulation::start(network, arrivals, &draws, State::empty(network)).run(&mut journal);
    journal
}
