//! Schedules worked out by hand.

use baton_simulate::kernel::{Arrivals, Breakdown, Discipline, Network, Rework, Route, Station};

use super::{Entry, calendar, exponential, fixed, journal, listed, network, station};

fn times(times: &[f64]) -> Arrivals {
    Arrivals::Times(times.to_vec())
}

/// (station, entity, start) of every start, in the order of stations and starts.
fn starts(network: &Network, arrivals: &Arrivals) -> Vec<(u32, u32, f64)> {
    let entries = journal(network, arrivals, 1).0.into_iter();
    let mut starts: Vec<(u32, u32, f64)> =
        entries.filter_map(|entry| if let Entry::Started { station, entity, at, .. } = entry { Some((station, entity, at)) } else { None }).collect();
    starts.sort_by(|one, other| one.0.cmp(&other.0).then(one.2.total_cmp(&other.2)));
    starts
}

#[test]
fn one_server_after_another() {
    let line = network(vec![station("a", 2, fixed(3.0)).to(1), station("b", 1, fixed(2.0))]);
    let expected = [(0, 0, 0.0), (0, 1, 0.0), (0, 2, 3.0), (0, 3, 3.0), (1, 0, 3.0), (1, 1, 5.0), (1, 2, 7.0), (1, 3, 9.0)];
    assert_eq!(starts(&line, &times(&[0.0, 0.0, 1.0, 2.0])), expected);
}

#[test]
fn batches_start_full_or_after_the_longest_wait() {
    let line = network(vec![station("a", 1, fixed(10.0)).batch(3, 4.0)]);
    // Full at 1; 3 alone waits from 2, overdue when the server is free at 11; 4 and 5 from 12, due at 16, but the server works until 21.
    let expected = [(0, 0, 1.0), (0, 1, 1.0), (0, 2, 1.0), (0, 3, 11.0), (0, 4, 21.0), (0, 5, 21.0)];
    assert_eq!(starts(&line, &times(&[0.0, 0.5, 1.0, 2.0, 12.0, 13.0])), expected);
}

#[test]
fn at_a_deadline_those_who_arrive_with_it_still_join() {
    let line = network(vec![station("a", 5, fixed(1.0)).batch(3, 4.0)]);
    assert_eq!(starts(&line, &times(&[0.0, 4.0, 5.0])), [(0, 0, 4.0), (0, 1, 4.0), (0, 2, 9.0)]);
    let at_once = network(vec![station("a", 5, fixed(1.0)).batch(3, 0.0)]);
    assert_eq!(starts(&at_once, &times(&[0.0, 0.0, 0.0, 0.0])), [(0, 0, 0.0), (0, 1, 0.0), (0, 2, 0.0), (0, 3, 0.0)]);
}

#[test]
fn a_cut_interrupts_nobody_and_the_server_goes_when_it_finishes() {
    let mut shifts = station("a", 2, fixed(10.0));
    shifts.calendar = calendar(&[(0.0, 2), (5.0, 1), (15.0, 0), (30.0, 2)]);
    // At 10 both finish but one server is left; it works on until 20, over its end at 15.
    let expected = [(0, 0, 0.0), (0, 1, 0.0), (0, 2, 10.0), (0, 3, 30.0), (0, 4, 30.0)];
    assert_eq!(starts(&network(vec![shifts.clone()]), &times(&[0.0; 5])), expected);
    let model = baton_simulate::Model { network: network(vec![shifts]), arrivals: times(&[0.0; 5]) };
    let report = super::report(&model, 1, 1);
    // 50 busy; scheduled 2·5 + 1·10 + 0 + 2·10 to the horizon of 40.
    assert_eq!((report.horizon_s, report.stations[0].utilisation), (40.0, 50.0 / 40.0));
    assert_eq!((report.stations[0].mean_wait_s, report.stations[0].mean_queue), (14.0, 70.0 / 40.0));
    assert_eq!((report.sojourn.mean_s, report.sojourn.p50_s, report.sojourn.p99_s), (24.0, 20.0, 40.0));
}

#[test]
fn work_of_no_length_passes_through_in_one_instant() {
    let line = network(vec![station("a", 1, fixed(0.0)).to(1), station("b", 1, fixed(0.0)).batch(2, 0.0).to(2), station("c", 1, fixed(1.0))]);
    let c: Vec<(u32, u32, f64)> = starts(&line, &times(&[2.0, 2.0, 2.0])).into_iter().filter(|start| start.0 == 2).collect();
    assert_eq!(c, [(2, 0, 2.0), (2, 1, 3.0), (2, 2, 4.0)]);
}

#[test]
fn at_one_instant_the_lower_number_stands_first_and_batches_stay_together() {
    // 0 and 2 come as a batch to c at 5, led by 0; 1 comes from b at 5 too.
    let stations = vec![station("a", 1, fixed(4.0)).batch(2, 9.0).to(2), station("b", 1, fixed(4.0)).to(2), station("c", 1, fixed(1.0))];
    let c = |arrivals: &[(f64, u32)]| -> Vec<u32> {
        starts(&network(stations.clone()), &listed(arrivals)).into_iter().filter(|start| start.0 == 2).map(|start| start.1).collect()
    };
    assert_eq!(c(&[(0.0, 0), (1.0, 1), (1.0, 0)]), [0, 2, 1]);
    assert_eq!(c(&[(1.0, 1), (1.0, 0), (1.0, 0)]), [0, 1, 2]);
}

#[test]
fn ranks_travel_limits_and_lanes() {
    let ranked = Station { discipline: Discipline::Rank, ..station("a", 1, fixed(5.0)) };
    let mut arrivals = listed(&[(0.0, 0), (1.0, 0), (2.0, 0)]);
    if let Arrivals::Listed(arrivals) = &mut arrivals {
        arrivals[2].entity.rank = -7.0;
    }
    assert_eq!(starts(&network(vec![ranked]), &arrivals), [(0, 0, 0.0), (0, 2, 5.0), (0, 1, 10.0)]);

    let away = Station { travel_s: 2.5, ..station("a", 1, fixed(1.0)).to(1) };
    assert_eq!(starts(&network(vec![away, station("b", 1, fixed(1.0))]), &times(&[0.0])), [(0, 0, 0.0), (1, 0, 3.5)]);

    let full = network(vec![Station { queue_limit: Some(1), ..station("a", 1, fixed(10.0)) }]);
    let entries = journal(&full, &times(&[0.0, 1.0, 2.0, 11.0]), 1).0;
    assert_eq!(entries.iter().filter(|entry| matches!(entry, Entry::Lost { entity: 2, .. })).count(), 1);
    assert_eq!(starts(&full, &times(&[0.0, 1.0, 2.0, 11.0])), [(0, 0, 0.0), (0, 1, 10.0), (0, 3, 20.0)]);

    let choice = Station { route: Route::Shortest(vec![1, 2]), ..station("gate", 9, fixed(0.0)) };
    let lanes = network(vec![choice, station("left", 1, fixed(9.0)), station("right", 1, fixed(9.0))]);
    let lane: Vec<u32> = starts(&lanes, &times(&[0.0, 1.0, 2.0, 3.0])).iter().filter(|start| start.0 > 0).map(|start| start.0).collect();
    assert_eq!(lane, [1, 1, 2, 2]);
}

#[test]
fn rework_repeats_at_most_so_often_with_new_draws() {
    let again = |probability| Station { rework: Some(Rework { probability, to: 0, most: 2 }), ..station("a", 1, exponential(1.0)) };
    let services = |probability| -> Vec<f64> {
        let entries = journal(&network(vec![again(probability)]), &times(&[0.0]), 3).0.into_iter();
        entries.filter_map(|entry| if let Entry::Occupied { service, .. } = entry { Some(service) } else { None }).collect()
    };
    assert_eq!(services(0.0).len(), 1);
    let three = services(1.0);
    assert!(three.len() == 3 && three[0] != three[1] && three[1] != three[2], "{three:?}");
    let some = Station { rework: Some(Rework { probability: 0.01, to: 0, most: 3 }), ..station("a", 100, fixed(1.0)) };
    let count = starts(&network(vec![some]), &times(&[0.0; 20_000])).len();
    assert!((20_140..20_270).contains(&count), "1 % of 20,000 and of these again: {count}");
}

#[test]
fn breakdowns_take_their_share_of_a_server() {
    let mut machine = station("a", 1, fixed(1.0));
    machine.breakdown = Some(Breakdown { up_mean_s: 300.0, down: fixed(100.0) });
    let all = starts(&network(vec![machine]), &times(&[0.0; 30_000]));
    let end = all.last().map_or(0.0, |start| start.2 + 1.0);
    // Work begun is finished before the repair counts, half a second on average.
    assert!((end / 30_000.0 - 400.0 / 300.5).abs() < 0.08, "{end}");
}
