//! A laboratory small enough to reckon by hand.

use baton_kit::time::{HOUR_US, MINUTE_US};
use baton_kit::{AccountId, BoxId, Bucket, Device, PlaceId, PlateId, Timestamp, TypedId};
use baton_laboratory::stages::{BoxCarried, Looked, PlateDone, TubeTaken, Underway};
use baton_screening::queue::lanes::Lanes;
use baton_simulate::InTurn;
use baton_simulate::statistics::mean_and_half_width;
use baton_simulate::twin::{Budget, Forecast, LiveState, Place, compare_over, forecast_over};
use proptest::prelude::*;

use super::change::changed;
use super::lines::coming;
use super::measure::{Times, filled, median, prior};
use super::said::{cause, forecast_made, line_ahead};
use super::twin::{GUESSES, Twin, WORK, days};
use crate::model::{Change, Equipment, LaboratorySeen, PointSeen, Seen, Stage, StillDue};

fn id<T: TypedId>(n: u32) -> T {
    T::from_packed(baton_kit::Packed::new(Bucket::INSTALLATION, Device::new(1).unwrap(), n))
}

fn at(minutes: i64) -> Timestamp {
    Timestamp(1_000_000 * HOUR_US + minutes * MINUTE_US)
}

const NOW: i64 = 600;
const POINT: u32 = 10;
const LABORATORY: u32 = 20;

fn tube(n: u32, first_swab: i64) -> Underway {
    Underway {
        tube: id(n),
        point: Some(id(POINT)),
        first_swab: at(first_swab),
        sealed: None,
        box_id: None,
        boxed: None,
        arrived: None,
        laboratory: None,
        accessioned: None,
        plate: None,
        laid: None,
        read: None,
    }
}

/// Rounds of 50 minutes and 20 on the road, tubes filled in 10, a look every 6 seconds by two hands, plates laid after 45 minutes, read
/// after 130 and signed after 10: always.
fn seen() -> Seen {
    let carried = |round: i64| BoxCarried {
        point: Some(id::<PlaceId>(POINT)),
        laboratory: Some(id::<PlaceId>(LABORATORY)),
        carrier: Some(id::<AccountId>(30)),
        first_sealed: Some(at(round * 60)),
        boxed: Some(at(round * 60 + 50)),
        arrived: at(round * 60 + 70),
    };
    let plate = |n: i64| PlateDone {
        plate: id::<PlateId>(40 + n as u32),
        tubes: 20,
        first_accessioned: Some(at(n * 60)),
        laid: at(n * 60 + 45),
        read: Some(at(n * 60 + 175)),
        out: true,
    };
    let taken = |n: i64| TubeTaken { first_swab: Some(at(n)), sealed: Some(at(n + 10)), read: Some(at(n + 300)), released: Some(at(n + 310)) };
    let looked = |n: i64| Looked { account: Some(id::<AccountId>(50 + (n % 2) as u32)), at: at(500).plus_us(n / 2 * 6_000_000) };
    let laboratory = LaboratorySeen {
        id: id::<PlaceId>(LABORATORY),
        plates: (0..6).map(plate).collect(),
        taken: (0..30).map(taken).collect(),
        looks: (0..40).map(looked).collect(),
        equipment: None,
    };
    Seen {
        now: at(NOW),
        from: at(0),
        underway: Vec::new(),
        boxes: (0..6).map(carried).collect(),
        laboratories: vec![laboratory],
        points: Vec::new(),
        due: None,
        pace_s: 7200.0,
    }
}

/// A point where tubes are begun, with more lanes than anybody needs.
fn point(n: u32, begun: i64, closes: i64) -> PointSeen {
    let lanes = Lanes { open: 20, gaps_s: Vec::new(), lately: 0 };
    PointSeen { id: id(n), begun, closes: at(closes), lanes, waiting: 0, people_per_tube: 10.0 }
}

fn foretold(seen: &Seen) -> (Times, Twin, Forecast) {
    let times = Times::of(seen);
    let twin = Twin::of(seen, &times, 1).expect("states");
    let forecast = forecast_over(&twin.states, &Budget { replications: 4 * GUESSES, seed: 1 }, &InTurn, &|| true).expect("a forecast");
    (times, twin, forecast)
}

#[test]
fn times_are_taken_from_what_happened() {
    let times = Times::of(&seen());
    let (round, laboratory) = (&times.rounds[0], &times.laboratories[0]);
    assert_eq!((median(&round.waits_s), median(&round.roads_s), round.measured), (3000.0, 1200.0, 6));
    assert_eq!((laboratory.desks, laboratory.accession_s, laboratory.plate_tubes), (2, 6.0, 92));
    assert_eq!((median(&laboratory.plate_waits_s), median(&laboratory.bench_s), median(&laboratory.signature_s)), (2700.0, 7800.0, 600.0));
    assert_eq!((median(&times.sampling_s), times.round(Some(id(POINT))), times.round(Some(id(11)))), (600.0, 0, 1), "an unknown point has the round of nobody");
    assert_eq!(times.rounds[1].waits_s, prior::COLLECTION, "and its times are the prior");
    assert_eq!(filled(vec![1.0, f64::NAN, -2.0], &prior::PLATE).len(), 4);
    assert_eq!(filled(vec![1.0; 4], &prior::PLATE), vec![1.0; 4]);
}

/// Where nothing is left to chance the forecast is the schedule.
#[test]
fn the_last_result_is_the_schedule_of_the_last_tube() {
    let now = |minutes: f64| minutes * 60.0;
    // Minutes from now: accession 6 s, to the plate 45, read 130 later, signed 10 later.
    let after_arrival = 0.1 + 45.0 + 130.0 + 10.0;
    let cases = [
        (Underway { sealed: Some(at(NOW - 20)), ..tube(1, NOW - 30) }, 30.0 + 20.0 + after_arrival),
        (Underway { sealed: Some(at(NOW - 40)), box_id: Some(id::<BoxId>(5)), boxed: Some(at(NOW - 5)), ..tube(1, NOW - 50) }, 15.0 + after_arrival),
        (Underway { arrived: Some(at(NOW)), boxed: Some(at(NOW - 20)), laboratory: Some(id(LABORATORY)), ..tube(1, NOW - 90) }, after_arrival),
        (Underway { accessioned: Some(at(NOW - 15)), laboratory: Some(id(LABORATORY)), ..tube(1, NOW - 90) }, 30.0 + 140.0),
        (Underway { plate: Some(id(7)), laid: Some(at(NOW - 100)), ..tube(1, NOW - 190) }, 30.0 + 10.0),
        (Underway { plate: Some(id(7)), laid: Some(at(NOW - 134)), read: Some(at(NOW - 4)), ..tube(1, NOW - 230) }, 6.0),
    ];
    for (tube, minutes) in cases {
        let (_, _, forecast) = foretold(&Seen { underway: vec![tube], ..seen() });
        let last = forecast.last_result_s;
        assert!((last.p10 - now(minutes)).abs() < 1.0 && (last.p90 - now(minutes)).abs() < 1.0, "{minutes}: {last:?} for {tube:?}");
    }
}

#[test]
fn a_plate_nobody_signs_for_is_run_again() {
    let held = Underway { plate: Some(id(7)), laid: Some(at(NOW - 190)), read: Some(at(NOW - 60)), laboratory: Some(id(LABORATORY)), ..tube(1, NOW - 300) };
    let (_, twin, forecast) = foretold(&Seen { underway: vec![held], ..seen() });
    let state = &twin.states[0];
    let Place::Served { run } = state.entities[0].place else { panic!("{state:?}") };
    assert_eq!(twin.layout.stations[state.runs[run as usize].station as usize].0, Stage::Bench);
    assert!((forecast.last_result_s.p50 - 80.0 * 60.0).abs() < 1.0, "130 less 60 gone, and 10 for the signature: {:?}", forecast.last_result_s);
}

#[test]
fn what_is_said_names_the_late_and_their_cause() {
    let slow = Underway { sealed: Some(at(NOW - 200)), ..tube(1, NOW - 210) };
    let soon = Underway { sealed: Some(at(NOW - 1)), ..tube(2, NOW - 10) };
    let seen = Seen { underway: vec![slow, soon], points: vec![point(POINT, 24, NOW + 120)], ..seen() };
    let (times, twin, forecast) = foretold(&seen);
    let said = forecast_made(&seen, &times, &twin, &forecast, 1.0);
    assert_eq!(said.late_tubes.iter().map(|late| (late.tube, late.percent, &*late.cause)).collect::<Vec<_>>(), [(id(1), 100, "collection")]);
    assert_eq!((said.tubes, said.expected, said.until_us), (2, 24, at(NOW + 120)));
    assert!(said.stages[said.bottleneck].wait_share_percent > 0 && said.last.p10_us > at(NOW + 120), "{said:?}");
    assert_eq!(cause(at(NOW), &soon, &times, Stage::Plate), Stage::Plate, "nothing stands out yet");
}

#[test]
fn a_change_touches_what_it_names() {
    let points = vec![point(POINT, 12, NOW + 240), point(11, 12, NOW + 240)];
    let mut seen = Seen { underway: vec![Underway { sealed: Some(at(NOW - 20)), ..tube(1, NOW - 30) }], points, ..seen() };
    let times = Times::of(&seen);
    let twin = Twin::of(&seen, &times, 1).unwrap();
    let of = |change| changed(&seen, &times, &twin, change).unwrap();
    assert!(of(Change::Cycler).is_none() && of(Change::Extractor).is_none(), "nobody said how many machines there are");
    assert!(of(Change::Closed(id(99))).is_none(), "nobody comes there");
    let rates = |states: Vec<baton_simulate::twin::LiveState>| states[0].streams.iter().map(|stream| stream.rates[0].per_s * 7200.0).collect::<Vec<_>>();
    assert_eq!(rates(of(Change::SurgePercent(50)).unwrap()), [18.0, 18.0]);
    assert_eq!(rates(of(Change::Closed(id(11))).unwrap()), [24.0], "whoever came there comes here");
    let budget = Budget { replications: GUESSES, seed: 1 };
    let delta = |change| compare_over(&twin.states, &of(change).unwrap(), &budget, &InTurn, &|| true).unwrap();
    assert!(delta(Change::Van).waiting_s.mean < 0.0 && delta(Change::SurgePercent(100)).waiting_s.mean > 0.0);
    assert!((delta(Change::LongerMinutes(60)).last_result_s.mean - 3600.0).abs() < 1800.0);
    seen.laboratories[0].equipment = Some(Equipment { extractors: 1, extraction_s: 2400, cyclers: 1 });
    let twin = Twin::of(&seen, &times, 1).unwrap();
    let cycler = changed(&seen, &times, &twin, Change::Cycler).unwrap().unwrap();
    let servers = |states: &[baton_simulate::twin::LiveState]| states[0].stations.iter().map(|station| station.calendar.steps()[0].servers).collect::<Vec<_>>();
    assert_eq!(servers(&cycler).iter().zip(servers(&twin.states)).filter(|(new, old)| **new == old + 1).count(), 1);
}

/// One lane that takes 36 s a person, always at work, with 60 people before it; another point has nobody waiting.
fn crowded() -> Seen {
    let lanes = Lanes { open: 1, gaps_s: vec![36.0; 24], lately: 25 };
    let crowded = PointSeen { lanes, waiting: 60, ..point(POINT, 20, NOW + 240) };
    Seen { points: vec![crowded, point(11, 20, NOW + 240)], due: Some(StillDue { people: 1_000, closes: at(NOW + 240) }), ..seen() }
}

#[test]
fn one_more_lane_shortens_the_line_it_is_opened_for() {
    let seen = crowded();
    let (times, twin, forecast) = foretold(&seen);
    let change = |change| changed(&seen, &times, &twin, change).unwrap().expect("a change");
    let budget = Budget { replications: 4 * GUESSES, seed: 1 };
    let delta = |states: &[LiveState]| compare_over(&twin.states, states, &budget, &InTurn, &|| true).unwrap();
    let lane = delta(&change(Change::Lane(id(POINT))));
    let ahead = line_ahead(&seen, &twin, &forecast, &lane, Change::Lane(id(POINT))).expect("its line");
    assert_eq!((ahead.point, ahead.lanes, ahead.per_hour, ahead.measured), (id(POINT), 1, 100.0, true));
    let (mean, half_width) = (ahead.difference_s.mean, ahead.difference_s.ci95.expect("an interval"));
    assert!(mean < -600.0 && mean + half_width < 0.0 && ahead.wait_s > 600.0, "{ahead:?}");
    assert!(lane.last_result_s.mean < 0.0 && lane.waiting_s.mean < 0.0, "a line that lasts beyond closing holds up the last result: {lane:?}");
    let other = lane.mean_wait_s[twin.lane(id(11)).expect("lanes")];
    assert_eq!((other.mean, other.ci95), (0.0, Some(0.0)), "nothing changes at the other point: the same chances");
    // Closed: its people come to the other point, those of the line first.
    let closed = change(Change::Closed(id(POINT)));
    let at = |states: &[LiveState], n: u32| {
        let lane = twin.lane(id(n)).expect("lanes") as u32;
        states[0].entities.iter().filter(|entity| matches!(entity.place, Place::Waiting { station, .. } if station == lane)).count()
    };
    assert_eq!((at(&twin.states, POINT), at(&twin.states, 11), at(&closed, POINT), at(&closed, 11)), (6, 0, 0, 6));
    assert!(changed(&seen, &times, &twin, Change::Lane(id(99))).unwrap().is_none(), "nobody comes there");
    assert!((twin.expected() - 6.0 - coming(&seen).iter().sum::<f64>() * 14_400.0).abs() < 1e-6);
}

/// The lanes as they are built: people come at random, a lane takes equally long for all. The mean wait is that of Pollaczek and Khinchine.
#[test]
fn the_line_of_one_lane_is_as_long_as_theory_says() {
    let lanes = Lanes { open: 1, gaps_s: vec![36.0; 24], lately: 0 };
    // 16 tubes of ten in two hours on a lane that takes 20.
    let seen = Seen { points: vec![PointSeen { lanes, ..point(POINT, 16, NOW + 30_000) }], ..seen() };
    let twin = Twin::of(&seen, &Times::of(&seen), 1).unwrap();
    let lane = twin.lane(id(POINT)).expect("a lane");
    let budget = |seed| Budget { replications: 1, seed };
    let waits: Vec<f64> = (0..30).map(|seed| forecast_over(&twin.states, &budget(seed), &InTurn, &|| true).unwrap().stations[lane].mean_wait_s).collect();
    let (mean, half_width) = mean_and_half_width(&waits);
    let expected = 0.8 * 360.0 / (2.0 * (1.0 - 0.8));
    assert!((mean - expected).abs() <= half_width.unwrap() && half_width.unwrap() < 0.1 * expected, "{mean} ± {half_width:?} against {expected}");
}

#[test]
fn who_comes_is_told_by_the_pace_until_lanes_are_full() {
    let hours = 4.0;
    let rates = |seen: &Seen| coming(seen).iter().map(|rate| rate * 3600.0).collect::<Vec<_>>();
    let near = |rates: Vec<f64>, expected: [f64; 2]| rates.iter().zip(expected).all(|(rate, expected)| (rate - expected).abs() < 1e-9);
    let full = crowded();
    // 940 people not yet in a line, half of them at each point; the pace of the open point is ten tubes an hour.
    assert!(near(rates(&full), [47.0 / hours, 10.0]), "{:?}", rates(&full));
    let until = |closes| Some(StillDue { people: 1_000, closes: at(closes) });
    let tomorrow = Seen { due: until(NOW + 240 + 1440), ..full.clone() };
    assert!(near(rates(&tomorrow), [10.0, 10.0]), "twelve more hours of tomorrow: no slower than lately");
    let few = Seen { due: Some(StillDue { people: 100, closes: at(NOW + 240) }), ..full.clone() };
    assert!(near(rates(&few), [10.0, 2.0 / hours]), "nobody comes twice");
    assert!(near(rates(&Seen { due: None, ..full.clone() }), [10.0, 10.0]), "nobody is listed");
    let over = Seen { points: full.points.iter().map(|point| PointSeen { closes: at(NOW), ..point.clone() }).collect(), ..full };
    assert_eq!(rates(&over), [0.0, 0.0]);
}

/// However long people stood in a line, the clock of their tube begins on the lane.
#[test]
fn a_long_line_makes_no_tube_late_by_itself() {
    let crowd = PointSeen { waiting: 600, lanes: Lanes { open: 1, gaps_s: vec![36.0; 24], lately: 25 }, ..point(POINT, 1, NOW) };
    let seen = Seen { points: vec![crowd], ..seen() };
    let (times, twin, forecast) = foretold(&seen);
    // 360 s for each of sixty; then the courier's round of at most 50 minutes, 20 of road and 185 until the signature.
    assert!(forecast.last_result_s.p50 > 6.0 * 3600.0 && forecast.late.p90 == 0.0, "{forecast:?}");
    let said = forecast_made(&seen, &times, &twin, &forecast, 1.0);
    assert_eq!((said.tubes, said.expected, said.late_tubes.len()), (0, 60, 0));
    assert_eq!(said.stages[said.bottleneck].stage, "lane");
}

#[test]
fn an_answer_is_bounded_and_asks_every_guess_as_often() {
    for tubes in [0, 10, 1_000, 10_000, 100_000, 5_000_000] {
        let days = days(tubes, WORK);
        assert!(days.is_multiple_of(GUESSES) && (4 * GUESSES..=20 * GUESSES).contains(&days), "{tubes}: {days}");
    }
    assert_eq!((days(100, WORK), days(10_000, WORK), days(100_000, WORK)), (240, 120, 48));
}

proptest! {
    /// Whatever the tables hold, every tube is at one place and the twin plays it to its end.
    #[test]
    fn every_state_can_be_played(tubes in proptest::collection::vec((0i64..500, 0usize..7, 0i64..100), 0..40), points in 0i64..30) {
        let stage = |(n, (age, stage, late)): (usize, (i64, usize, i64))| {
            let passed = |from: usize| (stage >= from).then(|| at(NOW - 1 - late - (6 - from as i64)));
            Underway {
                sealed: passed(1),
                boxed: passed(2),
                arrived: passed(3),
                accessioned: passed(4),
                plate: (stage >= 5).then(|| id(7)),
                laid: passed(5),
                read: passed(6),
                ..tube(100 + n as u32, NOW - 120 - age)
            }
        };
        let underway: Vec<Underway> = tubes.into_iter().enumerate().map(stage).collect();
        let seen = Seen { underway, points: vec![point(POINT, points, NOW + 60)], ..seen() };
        let (times, twin, forecast) = foretold(&seen);
        let said = forecast_made(&seen, &times, &twin, &forecast, 1.0);
        prop_assert_eq!(said.stages.iter().map(|stage| stage.tubes).sum::<u32>() as usize, seen.underway.len());
        prop_assert!(said.last.p10_us <= said.last.p50_us && said.last.p50_us <= said.last.p90_us && said.last.p10_us >= seen.now);
        prop_assert!(said.left.last().is_none_or(|left| left.results.p90 as usize >= seen.underway.len()));
    }
}
