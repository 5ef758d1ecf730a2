//! How long an answer takes: `cargo run --release -p baton-outlook --example speed -- 10000`.

#![allow(clippy::print_stdout)] // the terminal is this program's door
#![allow(clippy::disallowed_methods)] // measuring how long it takes

use std::time::Instant;

use baton_kit::time::{HOUR_US, MINUTE_US, SECOND_US};
use baton_kit::{AccountId, Bucket, Device, Packed, PlaceId, PlateId, Timestamp, TypedId};
use baton_laboratory::stages::{BoxCarried, PlateDone, TubeTaken, Underway};
use baton_outlook::model::{Change, LaboratorySeen, PointSeen, Seen};
use baton_outlook::rules::change::changed;
use baton_outlook::rules::measure::Times;
use baton_outlook::rules::said::forecast_made;
use baton_outlook::rules::twin::{Twin, WORK, WORK_COMPARED, days};
use baton_screening::queue::lanes::Lanes;
use baton_simulate::InTurn;
use baton_simulate::twin::{Budget, compare_over, forecast_over};

fn id<T: TypedId>(n: i64) -> T {
    T::from_packed(Packed::new(Bucket::INSTALLATION, Device::new(1).expect("a number"), n as u32))
}

const NOW: Timestamp = Timestamp(500_000 * HOUR_US);
const POINTS: i64 = 40;

fn ago(minutes: i64) -> Timestamp {
    NOW.plus_us(-minutes * MINUTE_US)
}

/// A third of the day's tubes is on its way, the rest is still to come; two laboratories, ten couriers.
fn seen(tubes: i64) -> Seen {
    let underway = |n: i64| {
        let swabbed = NOW.plus_us(-(n * 300 * MINUTE_US / (tubes / 3).max(1)));
        let after = |minutes: i64| Some(swabbed.plus_us(minutes * MINUTE_US)).filter(|at| *at <= NOW);
        let accessioned = after(80);
        Underway {
            tube: id(1_000 + n),
            point: Some(id::<PlaceId>(n % POINTS)),
            first_swab: swabbed,
            sealed: after(10),
            box_id: None,
            boxed: after(50),
            arrived: after(75),
            laboratory: accessioned.map(|_| id::<PlaceId>(900 + n % 2)),
            accessioned,
            plate: after(125).map(|_| id::<PlateId>(2_000 + n / 180 * 2 + n % 2)),
            laid: after(125),
            read: after(260),
        }
    };
    let carried = |n: i64| BoxCarried {
        point: Some(id::<PlaceId>(n % POINTS)),
        laboratory: Some(id::<PlaceId>(900 + n % 2)),
        carrier: Some(id::<AccountId>(n % 10)),
        first_sealed: Some(ago(n / POINTS * 55 + 75)),
        boxed: Some(ago(n / POINTS * 55 + 25 + n % 7)),
        arrived: ago(n / POINTS * 55),
    };
    let laboratory = |number: i64| LaboratorySeen {
        id: id::<PlaceId>(900 + number),
        plates: (0..40)
            .map(|n| PlateDone {
                plate: id(3_000 + n),
                tubes: 90,
                first_accessioned: Some(ago(n * 10 + 180)),
                laid: ago(n * 10 + 150),
                read: Some(ago(n * 10 + 18 - n % 9)),
                out: true,
            })
            .collect(),
        taken: (0..1_000)
            .map(|n| TubeTaken {
                first_swab: Some(ago(n + 20 + n % 17)),
                sealed: Some(ago(n + 5)),
                read: Some(ago(n)),
                released: Some(ago(n).plus_us((400 + n % 300) * SECOND_US)),
            })
            .collect(),
        looks: Vec::new(),
        equipment: None,
    };
    // Two lanes a point, nearly full, and forty people in the line.
    let lanes = Lanes { open: 2, gaps_s: vec![1_400.0 / (tubes as f64 / POINTS as f64).max(1.0); 40], lately: 30 };
    let begun = tubes / POINTS / 5;
    let point = |n: i64| PointSeen { id: id::<PlaceId>(n), begun, closes: ago(-400), lanes: lanes.clone(), waiting: 40, people_per_tube: 10.0 };
    Seen {
        now: NOW,
        from: ago(900),
        underway: (0..tubes / 3).rev().map(underway).collect(),
        boxes: (0..400).map(carried).collect(),
        laboratories: (0..2).map(laboratory).collect(),
        points: (0..POINTS).map(point).collect(),
        due: None,
        pace_s: 7_200.0,
    }
}

fn main() {
    let tubes = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(10_000);
    let seen = seen(tubes);
    let began = Instant::now();
    let times = Times::of(&seen);
    let twin = Twin::of(&seen, &times, 1).expect("states");
    let all = seen.underway.len() + twin.expected() as usize;
    let budget = |work| Budget { replications: days(all, work), seed: 1 };
    let forecast = forecast_over(&twin.states, &budget(WORK), &InTurn, &|| true).expect("a forecast");
    let said = forecast_made(&seen, &times, &twin, &forecast, 1.0);
    println!("tonight: {all} tubes, {} days, {:.2} s; {} late by name", said.replications, began.elapsed().as_secs_f64(), said.late_tubes.len());
    let began = Instant::now();
    let twin = Twin::of(&seen, &times, 1).expect("states");
    forecast_over(&twin.states, &budget(WORK_COMPARED), &InTurn, &|| true).expect("a forecast");
    let states = changed(&seen, &times, &twin, Change::Lane(seen.points[0].id)).expect("states").expect("a change");
    let delta = compare_over(&twin.states, &states, &budget(WORK_COMPARED), &InTurn, &|| true).expect("a difference");
    let wait = delta.mean_wait_s[twin.lane(seen.points[0].id).expect("lanes")];
    println!(
        "what if: {} days three times, {:.2} s; one lane more: its line {:+.0} ± {:.0} s",
        budget(WORK_COMPARED).replications,
        began.elapsed().as_secs_f64(),
        wait.mean,
        wait.ci95.unwrap_or(0.0)
    );
}
