//! A laboratory small enough to reckon by hand.

use baton_kit::time::{HOUR_US, MINUTE_US};
use baton_kit::{AccountId, BoxId, Bucket, Device, PlaceId, PlateId, Timestamp, TypedId};
use baton_laboratory::stages::{BoxCarried, Looked, PlateDone, TubeTaken, Underway};
use baton_simulate::InTurn;
use baton_simulate::twin::{Budget, Forecast, Place, compare_over, forecast_over};
use proptest::prelude::*;

use super::change::changed;
use super::measure::{Times, filled, median, prior};
use super::said::{cause, forecast_made};
use super::twin::{GUESSES, Twin, WORK, days};
use crate::model::{Change, Equipment, LaboratorySeen, PointSeen, Seen, Stage};

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
        pace_s: 7200.0,
    }
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
    let seen = Seen { underway: vec![slow, soon], points: vec![PointSeen { id: id(POINT), begun: 24, closes: at(NOW + 120) }], ..seen() };
    let (times, twin, forecast) = foretold(&seen);
    let said = forecast_made(&seen, &times, &twin, &forecast, 1.0);
    assert_eq!(said.late_tubes.iter().map(|late| (late.tube, late.percent, &*late.cause)).collect::<Vec<_>>(), [(id(1), 100, "collection")]);
    assert_eq!((said.tubes, said.expected, said.until_us), (2, 24, at(NOW + 120)));
    assert!(said.stages[said.bottleneck].wait_share_percent > 0 && said.last.p10_us > at(NOW + 120), "{said:?}");
    assert_eq!(cause(at(NOW), &soon, &times, Stage::Plate), Stage::Plate, "nothing stands out yet");
}

#[test]
fn a_change_touches_what_it_names() {
    let points = vec![PointSeen { id: id(POINT), begun: 12, closes: at(NOW + 240) }, PointSeen { id: id(11), begun: 12, closes: at(NOW + 240) }];
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
        let seen = Seen { underway, points: vec![PointSeen { id: id(POINT), begun: points, closes: at(NOW + 60) }], ..seen() };
        let (times, twin, forecast) = foretold(&seen);
        let said = forecast_made(&seen, &times, &twin, &forecast, 1.0);
        prop_assert_eq!(said.stages.iter().map(|stage| stage.tubes).sum::<u32>() as usize, seen.underway.len());
        prop_assert!(said.last.p10_us <= said.last.p50_us && said.last.p50_us <= said.last.p90_us && said.last.p10_us >= seen.now);
        prop_assert!(said.left.last().is_none_or(|left| left.results.p90 as usize >= seen.underway.len()));
    }
}
