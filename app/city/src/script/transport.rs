//! On the road: couriers make their rounds, pack what is sealed, and carry it to the laboratory.

use baton_kit::Timestamp;
use baton_kit::time::SECOND_US;

use super::{Act, BoxPlan, Day, Role, TubeFate, minutes};
use crate::chance::{Chance, Purpose};

/// Tubes of one box.
const BOX_TUBES: usize = 60;
/// Points of one courier's round.
const ROUND_POINTS: usize = 6;
const FIRST_ROUND_US: i64 = minutes(60);
const ROUND_EVERY_US: i64 = minutes(50);
const BETWEEN_POINTS_US: i64 = minutes(4);
/// Nothing is packed that was sealed later than this before the courier comes.
const READY_US: i64 = minutes(2);

/// Tubes by point, in the order of sealing; what is collected is cut off in front.
struct Waiting {
    packer: u32,
    tubes: Vec<u32>,
    collected: usize,
}

/// Plans all rounds of all couriers.
pub(super) fn couriers(day: &mut Day, seed: u64) {
    let mut waiting = waiting(day);
    draw_fates(day, seed);
    let groups = waiting.len().div_ceil(ROUND_POINTS);
    for (number, points) in waiting.chunks_mut(ROUND_POINTS).enumerate() {
        let courier = day.actor(Role::Courier { number: number as u32 });
        let laboratory = (number * day.laboratories as usize / groups) as u32;
        let mut chance = Chance::new(seed, Purpose::Courier, number as u64 | u64::from(day.round) << 32);
        let mut leaves = day.settings.opens.plus_us(FIRST_ROUND_US + minutes(i64::from(chance.below(20))));
        while points.iter().any(|point| point.collected < point.tubes.len()) {
            let back = round(day, points, courier, laboratory, leaves, &mut chance);
            leaves = leaves.plus_us(ROUND_EVERY_US).max(back);
        }
    }
}

fn waiting(day: &Day) -> Vec<Waiting> {
    let mut first_lane: Vec<Option<u32>> = vec![None; day.points.len()];
    let mut point_of = vec![0; day.actors.len()];
    for (actor, role) in day.actors.iter().enumerate() {
        if let Role::Lane { point, .. } = *role {
            first_lane[point as usize].get_or_insert(actor as u32);
            point_of[actor] = point as usize;
        }
    }
    let mut points: Vec<Waiting> = first_lane.iter().map(|packer| Waiting { packer: packer.unwrap_or(0), tubes: Vec::new(), collected: 0 }).collect();
    for (tube, plan) in day.tubes.iter().enumerate() {
        points[point_of[plan.actor as usize]].tubes.push(tube as u32);
    }
    for point in &mut points {
        point.tubes.sort_by_key(|tube| (day.tubes[*tube as usize].sealed_at, *tube));
    }
    points
}

fn draw_fates(day: &mut Day, seed: u64) {
    for tube in 0..day.tubes.len() as u32 {
        let mut chance = Chance::new(seed, Purpose::Mishap, day.tube_key(tube) | 1 << 60);
        let mishaps = day.settings.mishaps;
        let fate = if chance.happens(mishaps.lost) {
            TubeFate::Lost
        } else if chance.happens(mishaps.leaked) {
            TubeFate::Leaked
        } else {
            TubeFate::Arrives
        };
        day.tubes[tube as usize].fate = fate;
    }
}

/// One round; says when the courier is free again.
fn round(day: &mut Day, points: &mut [Waiting], courier: u32, laboratory: u32, leaves: Timestamp, chance: &mut Chance) -> Timestamp {
    let mut at = leaves;
    let mut carried = Vec::new();
    for point in points {
        at = at.plus_us(BETWEEN_POINTS_US);
        let ready = |tube: &u32| at.since(day.tubes[*tube as usize].sealed_at) >= READY_US;
        let count = point.tubes[point.collected..].iter().take_while(|tube| ready(tube)).count();
        let tubes = &point.tubes[point.collected..point.collected + count];
        for tubes in tubes.chunks(BOX_TUBES) {
            at = at.plus_us(40 * SECOND_US);
            carried.push(pack(day, tubes, point.packer, courier, laboratory, at));
        }
        point.collected += count;
    }
    let mut arrival = at.plus_us(minutes(i64::from(chance.between(12, 35))));
    for package in carried {
        arrival = arrival.plus_us(20 * SECOND_US);
        day.act(arrival, courier, Act::OfferBox { package });
        day.boxes[package as usize].received_at = arrival.plus_us(15 * SECOND_US);
    }
    arrival.plus_us(minutes(10))
}

/// Packs a box and hands it over to its carrier, who may be the packer.
fn pack(day: &mut Day, tubes: &[u32], packer: u32, carrier: u32, laboratory: u32, at: Timestamp) -> u32 {
    let package = day.boxes.len() as u32;
    day.boxes.push(BoxPlan { tubes: tubes.to_vec(), packer, carrier, laboratory, received_at: at });
    day.act(at.plus_us(-30 * SECOND_US), packer, Act::PackBox { package });
    if packer != carrier {
        day.act(at, packer, Act::OfferBox { package });
        day.act(at.plus_us(10 * SECOND_US), carrier, Act::AcceptBox { package });
    }
    package
}

/// Door teams bring what they took themselves, once they are done.
pub(super) fn door_teams(day: &mut Day, seed: u64) {
    for team in 0..day.actors.len() as u32 {
        let tubes: Vec<u32> = (0..day.tubes.len() as u32).filter(|tube| day.tubes[*tube as usize].actor == team).collect();
        let Some(last) = tubes.iter().map(|tube| day.tubes[*tube as usize].sealed_at).max() else {
            continue;
        };
        let mut chance = Chance::new(seed, Purpose::Courier, u64::from(team) | u64::from(day.round) << 32);
        let laboratory = team % day.laboratories;
        let mut at = last.plus_us(minutes(2));
        let mut carried = Vec::new();
        for tubes in tubes.chunks(BOX_TUBES) {
            at = at.plus_us(40 * SECOND_US);
            carried.push(pack(day, tubes, team, team, laboratory, at));
        }
        let mut arrival = at.plus_us(minutes(i64::from(chance.between(12, 35))));
        for package in carried {
            arrival = arrival.plus_us(20 * SECOND_US);
            day.act(arrival, team, Act::OfferBox { package });
            day.boxes[package as usize].received_at = arrival.plus_us(15 * SECOND_US);
        }
    }
}
