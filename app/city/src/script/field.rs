//! At the points: parties join a queue, the lane that is free first takes them, and a tube holds together who came together.

use baton_kit::Timestamp;
use baton_kit::time::SECOND_US;

use super::{Act, Day, OPEN_US, Role, TubeFate, TubePlan, minutes};
use crate::chance::{Chance, Purpose};
use crate::infection::{Attendance, Epidemic, Party};

/// An open tube is sealed after this time even when it is not full.
const OPEN_MAX_US: i64 = minutes(30);
/// A lane is planned for this share of its time, at this many seconds for each person.
const LANE_LOAD: f64 = 0.6;
const PERSON_S: u32 = 16;

struct Arrival {
    point: u32,
    at: Timestamp,
    party: Party,
    person: u32,
}

struct Lane {
    actor: u32,
    free_at: Timestamp,
    /// The open tube, when it was opened and when it was last used.
    open: Option<OpenTube>,
}

#[derive(Clone, Copy)]
struct OpenTube {
    tube: u32,
    opened_at: Timestamp,
    used_at: Timestamp,
}

/// Plans all points of the day.
pub(super) fn sample(day: &mut Day, epidemic: &Epidemic, points_per_zone: u32) {
    let arrivals = arrivals(day, epidemic, points_per_zone);
    let mut rest = arrivals.as_slice();
    for point in 0..day.points.len() as u32 {
        let here = rest.partition_point(|arrival| arrival.point == point);
        let (queue, others) = rest.split_at(here);
        rest = others;
        let seconds = queue.len() as f64 * f64::from(PERSON_S);
        let lanes = (seconds / (OPEN_US / SECOND_US) as f64 / LANE_LOAD).ceil().max(1.0) as u32;
        day.points[point as usize].lanes = lanes;
        let opens = day.settings.opens;
        let lane = |lane| Lane { actor: day.actor(Role::Lane { point, lane }), free_at: opens, open: None };
        let mut lanes: Vec<Lane> = (0..lanes).map(lane).collect();
        for party in queue.chunk_by(|one, next| (one.at, one.party) == (next.at, next.party)) {
            serve(day, epidemic, &mut lanes, party);
        }
        for lane in &mut lanes {
            seal(day, lane, None);
        }
    }
}

/// Everybody who comes, in the order of points, time and party.
fn arrivals(day: &Day, epidemic: &Epidemic, points_per_zone: u32) -> Vec<Arrival> {
    let mut arrivals = Vec::with_capacity(day.people as usize);
    for person in 0..day.people {
        let Attendance::Comes { party, after_us } = epidemic.attendance(person) else {
            continue;
        };
        let home = epidemic.city.home(person);
        let number = match party {
            Party::Workmates { enterprise, .. } => enterprise % points_per_zone,
            Party::Household { .. } | Party::Alone { .. } => home.building % points_per_zone,
        };
        let point = if person < epidemic.city.people {
            home.zone * points_per_zone + number
        } else {
            // Nobody knows where walk-ins live: they come anywhere.
            Chance::new(epidemic.city.seed, Purpose::Mishap, u64::from(person) | 1 << 40).below(day.points.len() as u32)
        };
        arrivals.push(Arrival { point, at: day.settings.opens.plus_us(after_us), party, person });
        let mut chance = Chance::new(epidemic.city.seed, Purpose::Mishap, u64::from(person));
        let again = chance.happens(day.settings.mishaps.second_visit);
        let later = after_us + minutes(i64::from(chance.between(60, 240)));
        if again && later < OPEN_US {
            let at = day.settings.opens.plus_us(later);
            arrivals.push(Arrival { point, at, party: Party::Alone { person }, person });
        }
    }
    arrivals.sort_by_key(|arrival| (arrival.point, arrival.at, arrival.party, arrival.person));
    arrivals
}

/// One party at the lane that is free first.
fn serve(day: &mut Day, epidemic: &Epidemic, lanes: &mut [Lane], party: &[Arrival]) {
    let Some(lane) = lanes.iter_mut().min_by_key(|lane| (lane.free_at, lane.actor)) else {
        return;
    };
    let (ratio, size) = (day.settings.ratio as usize, party.len());
    lane.free_at = lane.free_at.max(party[0].at);
    if lane.open.is_some_and(|open| lane.free_at.since(open.opened_at) > OPEN_MAX_US) {
        seal(day, lane, None);
    }
    let inside = lane.open.map_or(0, |open| day.tubes[open.tube as usize].members.len());
    // Together if that does not waste more than half a tube.
    if inside * 2 >= ratio && inside + size > ratio && size <= ratio {
        seal(day, lane, Some(lane.free_at));
    }
    for arrival in party {
        swab(day, epidemic, lane, arrival.person);
    }
}

fn swab(day: &mut Day, epidemic: &Epidemic, lane: &mut Lane, person: u32) {
    let mut chance = Chance::new(epidemic.city.seed, Purpose::Sampling, u64::from(person) | u64::from(day.round) << 40);
    let mut open = lane.open.take().unwrap_or_else(|| open(day, lane));
    let tube = open.tube;
    if person >= epidemic.city.people {
        pass(lane, chance.between(25, 60));
        day.act(lane.free_at, lane.actor, Act::Register { person });
    }
    pass(lane, chance.between(10, 22));
    day.act(lane.free_at, lane.actor, Act::Swab { tube, person });
    if chance.happens(day.settings.mishaps.undo) {
        pass(lane, 5);
        day.act(lane.free_at, lane.actor, Act::UndoSwab { tube, person });
        pass(lane, 6);
        day.act(lane.free_at, lane.actor, Act::Swab { tube, person });
    }
    open.used_at = lane.free_at;
    lane.open = Some(open);
    let members = &mut day.tubes[tube as usize].members;
    members.push(person);
    if members.len() >= day.settings.ratio as usize {
        seal(day, lane, Some(lane.free_at));
    }
}

fn open(day: &mut Day, lane: &mut Lane) -> OpenTube {
    let tube = day.tubes.len() as u32;
    pass(lane, 4);
    let at = lane.free_at;
    day.tubes.push(TubePlan { actor: lane.actor, members: Vec::new(), sealed_at: at, fate: TubeFate::Arrives });
    day.act(at, lane.actor, Act::OpenTube { tube });
    OpenTube { tube, opened_at: at, used_at: at }
}

/// Seals the open tube, if there is one: at `now`, or when it has been open long enough.
fn seal(day: &mut Day, lane: &mut Lane, now: Option<Timestamp>) {
    let Some(OpenTube { tube, opened_at, used_at }) = lane.open.take() else {
        return;
    };
    let at = now.unwrap_or(used_at.max(opened_at.plus_us(OPEN_MAX_US))).plus_us(3 * SECOND_US);
    day.tubes[tube as usize].sealed_at = at;
    day.act(at, lane.actor, Act::SealTube { tube });
    lane.free_at = lane.free_at.max(at);
}

fn pass(lane: &mut Lane, seconds: u32) {
    lane.free_at = lane.free_at.plus_us(i64::from(seconds) * SECOND_US);
}

/// People a team visits before it brings its tubes: at four minutes a door nobody's swab grows old in the bag.
const VISITS_PER_TEAM: usize = 36;

/// Plans visits at the door, one tube for each person, zone by zone in the order of doors.
pub(super) fn visit(day: &mut Day, epidemic: &Epidemic, people: &[u32]) {
    let mut people = people.to_vec();
    people.sort_unstable();
    people.dedup();
    for in_zone in people.chunk_by(|one, next| epidemic.city.home(*one).zone == epidemic.city.home(*next).zone) {
        let zone = epidemic.city.home(in_zone[0]).zone;
        let mut team = Team::new(day, zone, 0);
        for door in in_zone.chunk_by(|one, next| epidemic.city.household(*one) == epidemic.city.household(*next)) {
            if team.visits + door.len() > VISITS_PER_TEAM && team.visits > 0 {
                team = Team::new(day, zone, team.number + 1);
            }
            pass(&mut team.lane, 240);
            for person in door {
                swab(day, epidemic, &mut team.lane, *person);
            }
            team.visits += door.len();
        }
    }
}

struct Team {
    number: u32,
    lane: Lane,
    visits: usize,
}

impl Team {
    fn new(day: &mut Day, zone: u32, number: u32) -> Self {
        let actor = day.actor(Role::DoorTeam { zone, number });
        Self { number, lane: Lane { actor, free_at: day.settings.opens, open: None }, visits: 0 }
    }
}
