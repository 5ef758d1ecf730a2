//! How long the stages took lately, from the ledger's own times. Where there are few, the prior stated here fills up.

use std::collections::{BTreeMap, HashMap};

use baton_kit::time::{MINUTE_US, SECOND_US};
use baton_kit::{AccountId, PlaceId, Timestamp};
use baton_laboratory::stages::BoxCarried;

use crate::model::{LaboratorySeen, Round, Seen};

/// So many measured values make the prior superfluous.
pub const ENOUGH: usize = 4;
/// Boxes of one courier that arrive so close together came with one round.
const ONE_ROUND_US: i64 = 12 * MINUTE_US;
/// Looks at tubes by one hand that lie further apart are not one after the other.
const ONE_AFTER_ANOTHER_US: i64 = 90 * SECOND_US;
/// A plate with less than this share of the wells for specimens was laid because of the time.
const FULL: f64 = 0.9;
/// Wells for specimens of a 96-well plate with its controls: what a laboratory is taken to fill until it fills more.
const PLATE_TUBES: i64 = 92;

/// Prior of each stage in seconds: a middle value with what lies around it. Rounds and laying: docs/decisions; the bench: 40 minutes of
/// extraction, 75 of a run and the hands between (China CDC guideline for organised testing, 3rd edition, six hours in all).
pub mod prior {
    pub const SAMPLING: [f64; 3] = [300.0, 900.0, 1800.0];
    pub const COLLECTION: [f64; 3] = [2400.0, 3600.0, 4800.0];
    pub const TRANSPORT: [f64; 3] = [1200.0, 1800.0, 2700.0];
    pub const ACCESSION: [f64; 3] = [6.0, 10.0, 15.0];
    pub const PLATE: [f64; 3] = [1800.0, 2700.0, 3600.0];
    pub const BENCH: [f64; 3] = [7200.0, 7800.0, 9000.0];
    pub const SIGNATURE: [f64; 3] = [480.0, 900.0, 1800.0];
}

/// The measured values, filled up with the prior's while there are few.
pub fn filled(mut values: Vec<f64>, prior: &[f64; 3]) -> Vec<f64> {
    values.retain(|value| value.is_finite() && *value >= 0.0);
    if values.len() < ENOUGH {
        values.extend(prior);
    }
    values
}

/// The middle value; 0 of none.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => 0.0,
        n if n % 2 == 1 => sorted[middle],
        _ => (sorted[middle - 1] + sorted[middle]) / 2.0,
    }
}

fn seconds(from: Option<Timestamp>, to: Option<Timestamp>) -> Option<f64> {
    Some(to?.since(from?) as f64 / SECOND_US as f64).filter(|seconds| *seconds >= 0.0)
}

/// One courier's round: how long its first tube had waited, and how long it was on the road.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Carried {
    waited_s: f64,
    road_s: f64,
}

/// How one group of points is served.
#[derive(Clone, PartialEq, Debug)]
pub struct RoundTimes {
    pub round: Round,
    /// How long the first tube of each round had waited.
    pub waits_s: Vec<f64>,
    pub roads_s: Vec<f64>,
    /// Rounds that were measured.
    pub measured: usize,
}

/// How one laboratory works.
#[derive(Clone, PartialEq, Debug)]
pub struct LaboratoryTimes {
    pub desks: u32,
    pub accession_s: f64,
    pub plate_tubes: u32,
    pub plate_waits_s: Vec<f64>,
    pub bench_s: Vec<f64>,
    pub signature_s: Vec<f64>,
    pub plates: usize,
}

/// All times.
#[derive(Clone, PartialEq, Debug)]
pub struct Times {
    pub sampling_s: Vec<f64>,
    pub rounds: Vec<RoundTimes>,
    pub laboratories: Vec<LaboratoryTimes>,
    /// The round that fetches a point's tubes.
    pub round_of: HashMap<PlaceId, usize>,
    /// Tubes that were measured.
    pub tubes: usize,
}

impl Times {
    pub fn of(seen: &Seen) -> Self {
        let laboratories: Vec<LaboratoryTimes> = seen.laboratories.iter().map(laboratory).collect();
        let (rounds, round_of) = rounds(seen);
        let taken = seen.laboratories.iter().flat_map(|laboratory| &laboratory.taken);
        let sampling: Vec<f64> = taken.filter_map(|tube| seconds(tube.first_swab, tube.sealed)).collect();
        Self { tubes: sampling.len(), sampling_s: filled(sampling, &prior::SAMPLING), rounds, laboratories, round_of }
    }

    /// The round of a point; those nobody was at yet share the last one, of no courier.
    pub fn round(&self, point: Option<PlaceId>) -> usize {
        point.and_then(|point| self.round_of.get(&point)).copied().unwrap_or(self.rounds.len() - 1)
    }
}

/// Rounds by courier, and at the end one for points that no courier was at.
fn rounds(seen: &Seen) -> (Vec<RoundTimes>, HashMap<PlaceId, usize>) {
    let number = |laboratory: Option<PlaceId>| seen.laboratories.iter().position(|known| Some(known.id) == laboratory).unwrap_or(0);
    let mut by_carrier: BTreeMap<AccountId, Vec<&BoxCarried>> = BTreeMap::new();
    for carried in &seen.boxes {
        if let Some(carrier) = carried.carrier {
            by_carrier.entry(carrier).or_default().push(carried);
        }
    }
    let (mut rounds, mut latest): (Vec<RoundTimes>, HashMap<PlaceId, (Timestamp, usize)>) = (Vec::new(), HashMap::new());
    for (carrier, mut boxes) in by_carrier {
        boxes.sort_by_key(|carried| carried.arrived);
        for carried in &boxes {
            if let Some(point) = carried.point {
                let known = latest.entry(point).or_insert((carried.arrived, rounds.len()));
                *known = (*known).max((carried.arrived, rounds.len()));
            }
        }
        let laboratory = boxes.last().map_or(0, |last| number(last.laboratory));
        let trips: Vec<Carried> = boxes.chunk_by(|one, next| next.arrived.since(one.arrived) <= ONE_ROUND_US).filter_map(trip).collect();
        rounds.push(times_of(Round { carrier: Some(carrier), laboratory }, &trips));
    }
    rounds.push(times_of(Round { carrier: None, laboratory: 0 }, &[]));
    (rounds, latest.into_iter().map(|(point, (_, round))| (point, round)).collect())
}

fn times_of(round: Round, trips: &[Carried]) -> RoundTimes {
    RoundTimes {
        round,
        waits_s: filled(trips.iter().map(|trip| trip.waited_s).collect(), &prior::COLLECTION),
        roads_s: filled(trips.iter().map(|trip| trip.road_s).collect(), &prior::TRANSPORT),
        measured: trips.len(),
    }
}

/// The boxes of one round: from the middle of the packing to the first arrival.
fn trip(boxes: &[&BoxCarried]) -> Option<Carried> {
    let mut packed: Vec<Timestamp> = boxes.iter().filter_map(|carried| carried.boxed).collect();
    packed.sort_unstable();
    let start = packed.get(packed.len() / 2).copied();
    let first_sealed = boxes.iter().filter_map(|carried| carried.first_sealed).min();
    let arrived = boxes.iter().map(|carried| carried.arrived).min();
    Some(Carried { waited_s: seconds(first_sealed, start)?, road_s: seconds(start, arrived)? })
}

fn laboratory(seen: &LaboratorySeen) -> LaboratoryTimes {
    let plate_tubes = seen.plates.iter().map(|plate| plate.tubes).max().unwrap_or(0).max(PLATE_TUBES);
    let waited = seen.plates.iter().filter(|plate| (plate.tubes as f64) < FULL * plate_tubes as f64);
    let out: Vec<_> = seen.plates.iter().filter(|plate| plate.out).collect();
    let signature = seen.taken.iter().filter_map(|tube| seconds(tube.read, tube.released)).collect();
    let mut hands: BTreeMap<Option<AccountId>, Vec<Timestamp>> = BTreeMap::new();
    for look in &seen.looks {
        hands.entry(look.account).or_default().push(look.at);
    }
    let gaps = hands.values_mut().flat_map(|looks| {
        looks.sort_unstable();
        looks.windows(2).map(|pair| pair[1].since(pair[0])).filter(|gap| (0..=ONE_AFTER_ANOTHER_US).contains(gap)).collect::<Vec<_>>()
    });
    let accession: Vec<f64> = gaps.map(|gap| gap as f64 / SECOND_US as f64).collect();
    LaboratoryTimes {
        desks: hands.len().max(1) as u32,
        accession_s: median(&filled(accession, &prior::ACCESSION)),
        plate_tubes: plate_tubes as u32,
        plate_waits_s: filled(waited.filter_map(|plate| seconds(plate.first_accessioned, Some(plate.laid))).collect(), &prior::PLATE),
        bench_s: filled(out.iter().filter_map(|plate| seconds(Some(plate.laid), plate.read)).collect(), &prior::BENCH),
        signature_s: filled(signature, &prior::SIGNATURE),
        plates: out.len(),
    }
}
