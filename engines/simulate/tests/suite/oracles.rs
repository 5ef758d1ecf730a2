//! Queueing theory: over 40 replications the confidence interval must cover the exact value. Seeds are fixed, so no test is lucky once.

use baton_simulate::Model;
use baton_simulate::distribution::Distribution;
use baton_simulate::kernel::{Arrivals, Station};

use super::{Outcome, exponential, fixed, network, report, station};

const ENTITIES: u32 = 15_000;

fn model(rate: f64, stations: Vec<Station>) -> Model {
    Model { network: network(stations), arrivals: Arrivals::Exponential { mean_gap_s: 1.0 / rate, count: ENTITIES } }
}

/// Mean wait of M/M/c (Erlang C).
pub fn erlang_wait(rate: f64, mean_service: f64, servers: u32) -> f64 {
    let load = rate * mean_service;
    // Erlang B by its recursion, then C from B.
    let blocked = (1..=servers).fold(1.0, |blocked, k| load * blocked / (f64::from(k) + load * blocked));
    let waits = blocked / (1.0 - load / f64::from(servers) * (1.0 - blocked));
    waits * mean_service / (f64::from(servers) - load)
}

/// Mean wait of M/G/1 (Pollaczek and Khinchine).
fn single_wait(rate: f64, mean_service: f64, cv: f64) -> f64 {
    let load = rate * mean_service;
    load * mean_service * (1.0 + cv * cv) / (2.0 * (1.0 - load))
}

fn covers(model: &Model, seed: u64, expected: &[f64]) {
    let report = report(model, 40, seed);
    for (station, expected) in report.stations.iter().zip(expected) {
        let half_width = station.ci95_s.expect("40 replications have an interval");
        assert!((station.mean_wait_s - expected).abs() <= half_width, "{} ± {half_width} does not cover {expected}", station.mean_wait_s);
        assert!(half_width < 0.12 * expected, "± {half_width} says nothing about {expected}");
    }
}

#[test]
fn erlang_c_at_one_and_many_servers() {
    assert!((erlang_wait(9.0, 1.0, 10) - 0.6687).abs() < 1e-4, "the oracle itself");
    for (seed, servers, rate) in [(1, 1, 0.7), (2, 2, 1.5), (3, 10, 8.0), (4, 40, 37.0)] {
        covers(&model(rate, vec![station("a", servers, exponential(1.0))]), seed, &[erlang_wait(rate, 1.0, servers)]);
    }
}

#[test]
fn pollaczek_khinchine_for_fixed_uniform_and_lognormal_service() -> Outcome {
    let uniform_cv = 0.5 / 3.0f64.sqrt() / 1.5;
    let cases = [(fixed(1.5), 1.5, 0.0), (Distribution::uniform(1.0, 2.0)?, 1.5, uniform_cv), (Distribution::lognormal(1.5, 0.8)?, 1.5, 0.8)];
    for (seed, (service, mean, cv)) in (1..).zip(cases) {
        covers(&model(0.5, vec![station("a", 1, service)]), seed, &[single_wait(0.5, mean, cv)]);
    }
    Ok(())
}

#[test]
fn a_tandem_waits_at_every_stage_as_if_alone() {
    let servers = [3, 6, 1, 8];
    let stations = (0..).zip(servers).map(|(index, servers)| {
        let station = station(&format!("s{index}"), servers, exponential(f64::from(servers) * 0.075));
        if index == 3 { station } else { station.to(index + 1) }
    });
    let expected: Vec<f64> = servers.iter().map(|servers| erlang_wait(10.0, f64::from(*servers) * 0.075, *servers)).collect();
    covers(&model(10.0, stations.collect()), 11, &expected);
}

#[test]
fn utilisation_is_the_offered_load() {
    let report = report(&model(8.0, vec![station("a", 10, exponential(1.0))]), 40, 7);
    assert!((report.stations[0].utilisation - 0.8).abs() < 0.004, "{}", report.stations[0].utilisation);
    assert_eq!(report.events, 40 * 2 * u64::from(ENTITIES));
}
