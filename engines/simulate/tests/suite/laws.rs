//! What holds for every run: conservation, Little's law, monotony and variance under common random numbers.

use std::collections::BTreeMap;

use baton_simulate::kernel::{Arrivals, Breakdown, Draws, Network, Observer, Rework, Route, Simulation, State, Station};
use baton_simulate::statistics::mean_and_variance;
use baton_simulate::{InTurn, Model, Settings, run};
use proptest::prelude::*;

use super::{Outcome, calendar, exponential, fixed, network, report, station};

/// Every feature of the kernel at once.
pub fn everything() -> Network {
    let mut gate = station("gate", 2, exponential(1.0));
    gate.queue_limit = Some(12);
    gate.route = Route::Shortest(vec![1, 2]);
    let lane = |name: &str| Station { travel_s: 0.7, ..station(name, 1, exponential(2.2)).to(3) };
    let mut plates = station("plates", 2, fixed(9.0)).batch(6, 4.0);
    plates.calendar = calendar(&[(0.0, 1), (40.0, 0), (55.0, 2), (120.0, 1)]);
    plates.rework = Some(Rework { probability: 0.1, to: 1, most: 2 });
    plates.breakdown = Some(Breakdown { up_mean_s: 60.0, down: exponential(10.0) });
    network(vec![gate, lane("left"), lane("right"), plates])
}

#[derive(Default)]
struct Balance {
    left: u32,
    lost: u32,
}

impl Observer for Balance {
    fn left(&mut self, _entity: u32, _born_s: f64, _now_s: f64) {
        self.left += 1;
    }

    fn lost(&mut self, _station: u32, _entity: u32, _now_s: f64) {
        self.lost += 1;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn nobody_appears_or_disappears(seed in 0u64..10_000, gap in 0.3f64..3.0) {
        let network = everything();
        let mut times: Vec<f64> = (0..200).map(|index| f64::from(index) * gap).collect();
        times[199] = times[198];
        let (arrivals, draws) = (Arrivals::Times(times.clone()), Draws::new(&network, seed, 0));
        let mut simulation = Simulation::start(&network, &arrivals, &draws, State::empty(&network));
        let mut balance = Balance::default();
        for instant in (0..100).map(|k| f64::from(k) * gap * 2.5) {
            simulation.run_until(instant, &mut balance);
            let arrived = times.iter().filter(|time| **time <= instant).count() as u32;
            prop_assert_eq!(simulation.state().inside() + balance.left + balance.lost, arrived);
            let waiting: usize = (0..4).map(|station| simulation.state().waiting(station)).sum();
            prop_assert!(waiting as u32 <= simulation.state().inside());
        }
        simulation.run(&mut balance);
        prop_assert_eq!((simulation.state().inside(), balance.left + balance.lost), (0, 200));
    }

    #[test]
    fn one_more_server_makes_no_single_stage_slower(seed in 0u64..10_000, servers in 1u32..6, load in 0.3f64..1.3, cut in 0.0f64..60.0) {
        let arrivals = Arrivals::Exponential { mean_gap_s: 1.0 / (load * f64::from(servers)), count: 400 };
        let stage = |servers| {
            let mut stage = station("a", servers, exponential(1.0));
            stage.calendar = calendar(&[(0.0, servers), (cut + 0.1, servers.div_ceil(2)), (cut + 20.0, servers)]);
            Model { network: network(vec![stage]), arrivals: arrivals.clone() }
        };
        let (fewer, more) = (report(&stage(servers), 2, seed), report(&stage(servers + 1), 2, seed));
        prop_assert!(more.sojourn.mean_s <= fewer.sojourn.mean_s + 1e-9);
        prop_assert!(more.sojourn.p99_s <= fewer.sojourn.p99_s + 1e-9);
    }
}

/// The area under each queue, from joins and starts alone.
#[derive(Default)]
struct Area {
    stations: BTreeMap<u32, (f64, f64, f64)>,
    end: f64,
}

impl Area {
    fn change(&mut self, station: u32, by: f64, now: f64) {
        let (area, length, since) = self.stations.entry(station).or_default();
        *area += *length * (now - *since);
        *length += by;
        *since = now;
    }
}

impl Observer for Area {
    fn joined(&mut self, station: u32, _entity: u32, now_s: f64) {
        self.change(station, 1.0, now_s);
    }

    fn started(&mut self, station: u32, _entity: u32, _wait_s: f64, now_s: f64) {
        self.change(station, -1.0, now_s);
    }

    fn left(&mut self, _entity: u32, _born_s: f64, now_s: f64) {
        self.end = now_s;
    }
}

#[test]
fn the_mean_queue_is_the_area_under_it_at_every_station() {
    let mut stations = everything().stations().to_vec();
    stations[0].queue_limit = None;
    stations[3].rework = None;
    let model = Model { network: network(stations), arrivals: Arrivals::Exponential { mean_gap_s: 0.9, count: 3_000 } };
    let mut area = Area::default();
    let draws = Draws::new(&model.network, 5, 0);
    Simulation::start(&model.network, &model.arrivals, &draws, State::empty(&model.network)).run(&mut area);
    let report = report(&model, 1, 5);
    assert_eq!(report.horizon_s, area.end);
    for (index, station) in (0..).zip(&report.stations) {
        let mean = area.stations[&index].0 / area.end;
        assert!(mean > 0.0 && (station.mean_queue - mean).abs() < 1e-9 * mean, "{}: {} for {mean}", station.name, station.mean_queue);
    }
}

#[test]
fn common_random_numbers_save_more_than_nine_tenths_of_the_variance() -> Outcome {
    let tandem = |extra: u32| {
        let stations = (0..).zip([3, 6, 4, 8, 5, 12, 6, 3u32]).map(|(index, servers)| {
            let more = if index == 0 { extra } else { 0 };
            let station = station(&format!("s{index}"), servers + more, exponential(f64::from(servers) * 0.085));
            if index == 7 { station } else { station.to(index + 1) }
        });
        Model { network: network(stations.collect()), arrivals: Arrivals::Exponential { mean_gap_s: 0.1, count: 3_000 } }
    };
    let (plain, more) = (tandem(0), tandem(1));
    let report_both = run(&plain, Some(&more), &Settings { replications: 40, seed: 1 }, &InTurn, &|| true)?;
    let paired = report_both.difference.and_then(|difference| difference.variance).expect("40 pairs have a variance");
    let independent: Vec<f64> = (0..40).map(|seed| report(&more, 1, 500 + seed).sojourn.mean_s - report(&plain, 1, seed).sojourn.mean_s).collect();
    let unpaired = mean_and_variance(&independent).1.expect("40 values have a variance");
    assert!(unpaired > 10.0 * paired, "{unpaired} against {paired}");
    Ok(())
}
