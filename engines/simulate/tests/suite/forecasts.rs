//! The twin of a running laboratory.

use baton_simulate::kernel::{Arrivals, Calendar, Draws, Observer, Simulation, State, Station};
use baton_simulate::statistics::mean_and_half_width;
use baton_simulate::twin::{
    ArrivalStream, Budget, Estimate, Forecast, ForecastError, Late, Limit, LiveEntity, LiveState, Milestone, Place, Rate, Run, Spread, compare, forecast,
    forecast_over, one_more_server,
};
use baton_simulate::{Fault, InTurn};

use super::oracles::erlang_wait;
use super::{Outcome, Threads, calendar, exponential, fixed, network, station};

fn waiting(key: u64, station: u32, waited_s: f64, age_s: f64) -> LiveEntity {
    LiveEntity { key, age_s, place: Place::Waiting { station, waited_s } }
}

/// Two machines after a bench: one run under way, tubes at both.
fn laboratory() -> LiveState {
    LiveState {
        stations: vec![station("bench", 1, fixed(60.0)).to(1), station("machine", 1, fixed(600.0)).batch(4, 300.0)],
        entities: vec![
            LiveEntity { key: 100, age_s: 900.0, place: Place::Served { run: 0 } },
            waiting(101, 1, 200.0, 800.0),
            waiting(102, 0, 10.0, 700.0),
            LiveEntity { key: 103, age_s: 100.0, place: Place::Travelling { to: 0, remaining_s: 30.0 } },
        ],
        runs: vec![Run { station: 1, remaining_s: 400.0 }],
        streams: vec![],
        limit: Some(Limit { seconds: 1500.0, until: Milestone::Leave, begins: Vec::new() }),
    }
}

fn budget(replications: u32) -> Budget {
    Budget { replications, seed: 4 }
}

fn seen(live: &LiveState, replications: u32) -> Result<Forecast, ForecastError> {
    forecast(live, &budget(replications), &InTurn, &|| true)
}

fn always(value: f64) -> Spread {
    Spread { p10: value, p50: value, p90: value }
}

#[test]
fn without_chance_the_forecast_is_the_schedule() -> Outcome {
    // The machine is free at 400 and takes 101 (overdue), 102 (from the bench at 60) and 103 (at 120): all leave at 1000.
    let forecast = seen(&laboratory(), 20)?;
    assert_eq!((forecast.last_result_s, forecast.replications), (always(1000.0), 20));
    // Ages then: 100 leaves at 400 with 1300; 101 1800, 102 1700, 103 1100.
    assert_eq!(forecast.late, always(2.0));
    let late = |entity, key| Late { entity, key, probability: 1.0 };
    assert_eq!(forecast.late_entities, vec![late(1, 101), late(2, 102)]);
    assert_eq!((forecast.bottleneck, forecast.stations[1].utilisation), (1, 1.0));
    // From now on 400, 340 and 280 at the machine, 30 at the bench (103 comes at 30, the bench is free at 60).
    assert!((forecast.stations[1].wait_share - 1020.0 / 1050.0).abs() < 1e-12, "{:?}", forecast.stations);
    assert_eq!(forecast.stations[1].mean_wait_s, (600.0 + 340.0 + 280.0) / 3.0);
    Ok(())
}

#[test]
fn a_limit_can_end_at_a_start() -> Outcome {
    let live = LiveState { limit: Some(Limit { seconds: 1150.0, until: Milestone::StartAt(1), begins: Vec::new() }), ..laboratory() };
    // At the machine's start at 400: 101 is 1200 old, 102 1100, 103 500; 100 is past that.
    assert_eq!(seen(&live, 1)?.late_entities, vec![Late { entity: 1, key: 101, probability: 1.0 }]);
    Ok(())
}

/// A line before a lane: 900 s of it are nobody's tube. The lane takes 400, the way to the result 1000.
#[test]
fn a_clock_can_begin_where_service_begins() -> Outcome {
    let stations = vec![station("lane", 1, fixed(400.0)).to(1), station("rest", 9, fixed(1000.0))];
    let limited = |seconds: f64, begins: Vec<u32>| {
        let limit = Some(Limit { seconds, until: Milestone::Leave, begins });
        LiveState { stations: stations.clone(), entities: vec![waiting(1, 0, 900.0, 0.0), waiting(2, 0, 900.0, 0.0)], runs: vec![], streams: vec![], limit }
    };
    assert_eq!(seen(&limited(1399.0, vec![0]), 1)?.late.p50, 2.0, "both are 1400 from the lane to the result");
    assert_eq!(seen(&limited(1401.0, vec![0]), 1)?.late.p50, 0.0, "however long they stood in the line");
    assert_eq!(seen(&limited(1401.0, vec![]), 1)?.late.p50, 1.0, "the second waits 400 more");
    assert!(seen(&limited(1.0, vec![2]), 1).is_err_and(|error| error.to_string().contains("limit.begins")));
    Ok(())
}

/// People come at random to the lanes of a point: 90 an hour, a lane takes 36. Each hour of the day is as every other, so the mean wait is
/// Erlang's, and one lane more changes it by the difference of two of his.
#[test]
fn lanes_wait_as_erlang_says_and_one_more_changes_as_he_says() -> Outcome {
    let (rate, service, lanes) = (90.0 / 3600.0, 100.0, 3);
    let streams = vec![ArrivalStream { name: "people".to_owned(), station: 0, rates: vec![Rate { from_s: 0.0, per_s: rate }], until_s: 800_000.0, age_s: 0.0 }];
    let point = LiveState { stations: vec![station("lane:east", lanes, exponential(service))], entities: vec![], runs: vec![], streams, limit: None };
    let one_more = point.with_servers(0, 0.0, f64::INFINITY, 1)?;
    let (few, many) = (erlang_wait(rate, service, lanes), erlang_wait(rate, service, lanes + 1));
    let waits: Vec<f64> = (0..30)
        .map(|seed| Ok(forecast(&point, &Budget { replications: 1, seed }, &InTurn, &|| true)?.stations[0].mean_wait_s))
        .collect::<Result<_, ForecastError>>()?;
    let (mean, half_width) = baton_simulate::statistics::mean_and_half_width(&waits);
    let half_width = half_width.expect("thirty have an interval");
    assert!((mean - few).abs() <= half_width && half_width < 0.1 * few, "{mean} ± {half_width} against {few}");
    let delta = compare(&point, &one_more, &budget(40), &InTurn, &|| true)?;
    let Estimate { mean, ci95 } = delta.mean_wait_s[0];
    let half_width = ci95.expect("forty pairs have an interval");
    assert!((mean - (many - few)).abs() <= half_width && half_width < 0.1 * few, "{mean} ± {half_width} against {}", many - few);
    Ok(())
}

/// Whoever finds the line too long turns away: of M/M/c/K the share is Erlang's loss with a waiting room.
#[test]
fn a_full_line_turns_away_as_many_as_theory_says() -> Outcome {
    let (load, lanes, room) = (2.6, 2_u32, 5_u32);
    let lane = baton_simulate::kernel::Station { queue_limit: Some(room), ..station("lane", lanes, exponential(100.0)) };
    let streams =
        vec![ArrivalStream { name: "people".to_owned(), station: 0, rates: vec![Rate { from_s: 0.0, per_s: load / 100.0 }], until_s: 400_000.0, age_s: 0.0 }];
    let point = LiveState { stations: vec![lane], entities: vec![], runs: vec![], streams, limit: None };
    // Weights of n in the system: load^n / n!, beyond the lanes load/lanes each.
    let weights: Vec<f64> = (1..=lanes + room)
        .scan(1.0, |weight, n| {
            *weight *= load / f64::from(n.min(lanes));
            Some(*weight)
        })
        .collect();
    let full = weights.last().copied().unwrap_or(0.0) / (1.0 + weights.iter().sum::<f64>());
    let came = 400_000.0 * load / 100.0;
    let lost: Vec<f64> = (0..30)
        .map(|seed| Ok(forecast(&point, &Budget { replications: 1, seed }, &InTurn, &|| true)?.lost.p50 / came))
        .collect::<Result<_, ForecastError>>()?;
    let (mean, half_width) = baton_simulate::statistics::mean_and_half_width(&lost);
    let half_width = half_width.expect("thirty have an interval");
    assert!((mean - full).abs() <= half_width && half_width < 0.05 * full, "{mean} ± {half_width} against {full}");
    Ok(())
}

#[test]
fn what_helps_is_measured_where_it_helps() -> Outcome {
    let deltas = one_more_server(&laboratory(), &budget(10), &InTurn, &|| true)?;
    let exactly = |mean| Estimate { mean, ci95: Some(0.0) };
    // A second bench starts 103 at 30 instead of 60, and it waits for the machine all the same. A second machine takes 101 and 102 at 100,
    // so that neither is late; 103 comes at 120 to be due at 420, and is alone: with batches, more can mean later.
    assert_eq!((deltas[0].last_result_s, deltas[0].late), (exactly(0.0), exactly(0.0)));
    assert_eq!((deltas[1].last_result_s, deltas[1].late), (exactly(20.0), exactly(-2.0)));
    Ok(())
}

fn surge() -> LiveState {
    let rates = vec![Rate { from_s: 0.0, per_s: 0.1 }, Rate { from_s: 1000.0, per_s: 0.4 }, Rate { from_s: 2000.0, per_s: 0.0 }];
    LiveState {
        stations: vec![station("bench", 4, exponential(14.0)).to(1), station("machine", 3, fixed(600.0)).batch(94, 300.0)],
        entities: (0..100).map(|key| waiting(key, 0, 100.0 - key as f64, 300.0)).collect(),
        runs: vec![],
        streams: vec![ArrivalStream { name: "north".to_owned(), station: 0, rates, until_s: 5000.0, age_s: 60.0 }],
        limit: Some(Limit { seconds: 1500.0, until: Milestone::Leave, begins: Vec::new() }),
    }
}

#[test]
fn with_chance_the_forecast_is_a_distribution_in_order() -> Outcome {
    let hundred = seen(&surge(), 100)?;
    let Spread { p10, p50, p90 } = hundred.last_result_s;
    assert!(2600.0 < p10 && p10 < p50 && p50 < p90 && p90 < 4500.0, "{hundred:?}");
    assert!(hundred.late.p10 < hundred.late.p90);
    assert!(hundred.late_entities.windows(2).all(|pair| pair[0].probability >= pair[1].probability));
    assert_eq!(hundred, forecast(&surge(), &budget(100), &Threads(3), &|| true)?);
    assert_eq!(hundred.bottleneck, 0);
    let deltas = one_more_server(&surge(), &budget(60), &InTurn, &|| true)?;
    let (bench, machine) = (deltas[0].waiting_s, deltas[1].waiting_s);
    assert!(bench.mean < 0.0 && bench.ci95.is_some_and(|half_width| bench.mean + half_width < 0.0), "{deltas:?}");
    assert!(bench.mean < machine.mean, "{deltas:?}");
    Ok(())
}

#[test]
fn arrivals_follow_their_rates() -> Outcome {
    struct Joins(Vec<f64>);
    impl Observer for Joins {
        fn joined(&mut self, station: u32, _entity: u32, now_s: f64) {
            if station == 0 {
                self.0.push(now_s);
            }
        }
    }
    // Told by lateness at once: limit 0 from the start at the bench counts everybody who came.
    let live = LiveState { entities: vec![], limit: Some(Limit { seconds: 0.0, until: Milestone::StartAt(0), begins: Vec::new() }), ..surge() };
    let late = seen(&live, 400)?.late;
    // Poisson with mean 500: deciles at ∓1.2816·√500.
    assert!((late.p50 - 500.0).abs() < 5.0 && (late.p10 - 471.3).abs() < 6.0 && (late.p90 - 528.7).abs() < 6.0, "{late:?}");
    let shorter = LiveState { streams: vec![ArrivalStream { until_s: 1000.0, ..live.streams[0].clone() }], ..live.clone() };
    assert!((seen(&shorter, 400)?.late.p50 - 100.0).abs() < 3.0);
    // The kernel's own exponential arrivals, first gap from 0.
    let (network, arrivals) = (network(live.stations), Arrivals::Exponential { mean_gap_s: 2.0, count: 4000 });
    let mut joins = Joins(vec![]);
    Simulation::start(&network, &arrivals, &Draws::new(&network, 1, 0), State::empty(&network)).run(&mut joins);
    let gaps: Vec<f64> = std::iter::once(joins.0[0]).chain(joins.0.windows(2).map(|pair| pair[1] - pair[0])).collect();
    let (mean, half_width) = mean_and_half_width(&gaps);
    assert!((mean - 2.0).abs() < half_width.unwrap_or(0.0));
    Ok(())
}

#[test]
fn a_rate_may_be_told_in_pieces() -> Outcome {
    let mut pieces = surge();
    let steps = (0..50).map(|step| Rate { from_s: f64::from(step) * 40.0, per_s: if step < 25 { 0.1 } else { 0.4 } });
    pieces.streams[0].rates = steps.chain([Rate { from_s: 2000.0, per_s: 0.0 }]).collect();
    let delta = compare(&surge(), &pieces, &budget(10), &InTurn, &|| true)?;
    assert!(delta.last_result_s.mean.abs() < 1e-6 && delta.waiting_s.mean.abs() < 1e-3, "{delta:?}");
    Ok(())
}

#[test]
fn compared_states_differ_only_by_what_was_changed() -> Outcome {
    let none = compare(&surge(), &surge(), &budget(10), &InTurn, &|| true)?;
    assert_eq!((none.last_result_s.mean, none.waiting_s.mean), (0.0, 0.0));
    let mut more = surge();
    more.streams[0].rates[1].per_s = 0.5;
    let more = compare(&surge(), &more, &budget(10), &InTurn, &|| true)?;
    assert!(more.waiting_s.mean > 0.0 && more.late.mean > 0.0, "{more:?}");
    let night = surge().with_servers(1, 0.0, 2500.0, -3)?;
    assert_eq!(compare(&surge(), &night, &budget(10), &InTurn, &|| true)?.lost.mean, 0.0);
    assert!(surge().with_servers(9, 0.0, 1.0, 1).is_err());
    assert!(surge().with_servers(0, 0.0, f64::INFINITY, -9).is_err(), "nobody left at the end");
    Ok(())
}

#[test]
fn calendars_are_cut_and_changed() -> Result<(), Fault> {
    let day = calendar(&[(0.0, 2), (100.0, 0), (200.0, 5)]);
    assert_eq!(day.after(0.0), day);
    assert_eq!(day.after(150.0), calendar(&[(0.0, 0), (50.0, 5)]));
    assert_eq!(day.after(200.0), calendar(&[(0.0, 5)]));
    assert_eq!(day.after(1e6), calendar(&[(0.0, 5)]));
    assert_eq!(day.with(50.0, 150.0, 3)?, calendar(&[(0.0, 2), (50.0, 5), (100.0, 3), (150.0, 0), (200.0, 5)]));
    assert_eq!(day.with(150.0, f64::INFINITY, -4)?, calendar(&[(0.0, 2), (100.0, 0), (150.0, 0), (200.0, 1)]));
    for (from, until, field) in [(-1.0, 5.0, "from_s"), (f64::NAN, 5.0, "from_s"), (5.0, 4.0, "until_s"), (5.0, f64::NAN, "until_s")] {
        assert_eq!(day.with(from, until, 1).map_err(|fault| fault.field), Err(field.to_owned()));
    }
    Ok(())
}

#[test]
fn impossible_states_are_refused_by_field() {
    let field = |change: &dyn Fn(&mut LiveState)| {
        let mut live = LiveState { streams: surge().streams, ..laboratory() };
        change(&mut live);
        match seen(&live, 1) {
            Err(ForecastError::State(fault)) => fault.field,
            other => format!("{other:?}"),
        }
    };
    assert_eq!(field(&|live| live.stations.clear()), "stations");
    assert_eq!(field(&|live| live.stations[0] = station("machine", 1, fixed(1.0))), "stations[1].name");
    assert_eq!(field(&|live| live.entities[1].age_s = f64::NAN), "entities[1].age_s");
    assert_eq!(field(&|live| live.entities[1] = waiting(1, 2, 0.0, 0.0)), "entities[1].station");
    assert_eq!(field(&|live| live.entities[1] = waiting(1, 0, -1.0, 0.0)), "entities[1].waited_s");
    assert_eq!(field(&|live| live.entities[0].place = Place::Served { run: 1 }), "entities[0].run");
    assert_eq!(field(&|live| live.entities[3].place = Place::Travelling { to: 0, remaining_s: -1.0 }), "entities[3].remaining_s");
    assert_eq!(field(&|live| live.runs.push(live.runs[0])), "runs[1]");
    assert_eq!(field(&|live| live.runs[0].remaining_s = f64::INFINITY), "runs[0].remaining_s");
    assert_eq!(field(&|live| live.limit = Some(Limit { seconds: 1.0, until: Milestone::StartAt(2), begins: Vec::new() })), "limit.until");
    assert_eq!(field(&|live| live.streams[0].station = 5), "streams[0].station");
    assert_eq!(field(&|live| live.streams[0].rates[0].from_s = 1.0), "streams[0].rates[0].from_s");
    assert_eq!(field(&|live| live.streams[0].rates[2].from_s = 500.0), "streams[0].rates[2].from_s");
    assert_eq!(field(&|live| live.streams[0].rates[1].per_s = -1.0), "streams[0].rates[1].per_s");
    assert_eq!(field(&|live| live.streams[0].rates[1].per_s = 1e6), "entities");
    assert_eq!(field(&|live| live.streams.push(live.streams[0].clone())), "streams[1].name");
    let budget = |replications| forecast(&laboratory(), &budget(replications), &InTurn, &|| true).is_err();
    assert!(budget(0) && budget(10_001) && !budget(1));
    assert_eq!(forecast(&laboratory(), &self::budget(5), &InTurn, &|| false), Err(ForecastError::Stopped));
    assert_eq!(compare(&laboratory(), &laboratory(), &self::budget(5), &InTurn, &|| false), Err(ForecastError::Stopped));
}

#[test]
fn an_empty_laboratory_has_nothing_to_come() -> Outcome {
    let live = LiveState { entities: vec![], runs: vec![], ..laboratory() };
    let forecast = seen(&live, 3)?;
    assert_eq!((forecast.last_result_s, forecast.late, forecast.stations[0].wait_share), (always(0.0), always(0.0), 0.0));
    let closed = Station { calendar: Calendar::constant(1)?.with(0.0, 100.0, -1)?, ..station("late", 1, fixed(5.0)) };
    let live = LiveState { stations: vec![closed], entities: vec![waiting(1, 0, 7.0, 7.0)], ..live };
    assert_eq!(seen(&live, 3)?.last_result_s, always(105.0));
    Ok(())
}

#[test]
fn those_who_left_are_counted_step_by_step() -> Outcome {
    let forecast = seen(&laboratory(), 20)?;
    // One at 400, three at 1000: the steps are 1000/48 s.
    let left: Vec<(f64, f64)> = forecast.left.iter().map(|left| (left.at_s, left.count.p50)).collect();
    assert_eq!((left.len(), left[0], left[48]), (49, (0.0, 0.0), (1000.0, 4.0)));
    assert_eq!(
        left.iter()
            .filter(|(at, count)| *count
                != if *at < 400.0 {
                    0.0
                } else if *at < 1000.0 {
                    1.0
                } else {
                    4.0
                })
            .count(),
        0,
        "{left:?}"
    );
    Ok(())
}

#[test]
fn what_is_not_known_of_the_state_widens_the_band() -> Outcome {
    let quick = laboratory();
    let slow = LiveState { stations: vec![station("bench", 1, fixed(60.0)).to(1), station("machine", 1, fixed(900.0)).batch(4, 300.0)], ..laboratory() };
    let both = forecast_over(&[quick.clone(), slow.clone()], &budget(20), &InTurn, &|| true)?;
    assert_eq!(both.last_result_s, Spread { p10: 1000.0, p50: 1000.0, p90: 1300.0 });
    let other = LiveState { entities: vec![], runs: vec![], ..slow };
    let refused = forecast_over(&[quick, other], &budget(20), &InTurn, &|| true);
    assert_eq!(refused, Err(ForecastError::State(Fault { field: "lives[1]".into(), problem: "has other stations or entities than the first".into() })));
    Ok(())
}
