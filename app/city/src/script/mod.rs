//! A day's work as data: who does what when, at the sampling points, on the road and in the laboratory.
//!
//! Nothing here talks to anybody. A day is planned from the seed alone; whoever plays it back sends each actor's actions
//! in the actor's own order. Every actor is a device with its own sequence, so ids come out the same whatever the
//! interleaving. What depends on Baton's answers (review, release, follow-up) is not planned but reacted to;
//! [`Day::follow_up`] plans the single swabs that follow.

mod field;
pub(crate) mod laboratory;
mod transport;

use baton_kit::Timestamp;
use baton_kit::time::{HOUR_US, MINUTE_US};

use crate::infection::{Attendance, Epidemic};

pub use crate::infection::DAY_OF_ARRIVALS_US as OPEN_US;

#[derive(Clone, Copy, PartialEq, Debug)]
pub struct DaySettings {
    /// When the points open; they close [`OPEN_US`] later, once the queue is served.
    pub opens: Timestamp,
    /// People of one tube.
    pub ratio: u32,
    /// Specimen wells of one plate.
    pub plate_tubes: u32,
    pub mishaps: Mishaps,
}

impl DaySettings {
    /// Pools of ten on plates of 96 wells, with the mishaps of an ordinary day.
    pub fn new(opens: Timestamp) -> Self {
        Self { opens, ratio: 10, plate_tubes: 92, mishaps: Mishaps::default() }
    }
}

/// What goes wrong, as shares.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Mishaps {
    /// Of attending people: come again later in the day.
    pub second_visit: f64,
    /// Of people on the roster: as many others who are not on it walk in.
    pub walk_in: f64,
    /// Of swabs: scanned twice, the first scan taken back.
    pub undo: f64,
    /// Of tubes: never seen again after the point.
    pub lost: f64,
    /// Of tubes: leaked on the way.
    pub leaked: f64,
}

impl Default for Mishaps {
    fn default() -> Self {
        Self { second_visit: 0.002, walk_in: 0.005, undo: 0.003, lost: 0.0005, leaked: 0.001 }
    }
}

impl Mishaps {
    pub const NONE: Mishaps = Mishaps { second_visit: 0.0, walk_in: 0.0, undo: 0.0, lost: 0.0, leaked: 0.0 };
}

/// One device and who works with it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Role {
    /// A sampling desk; lane 0 of a point also packs its boxes.
    Lane {
        point: u32,
        lane: u32,
    },
    /// A team that goes from door to door in a zone and brings the tubes itself.
    DoorTeam {
        zone: u32,
        number: u32,
    },
    Courier {
        number: u32,
    },
    Reception {
        laboratory: u32,
        station: u32,
    },
    /// The plate bench in one of three shifts of eight hours from the opening of the points.
    Bench {
        laboratory: u32,
        shift: u32,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Point {
    pub zone: u32,
    /// Number within the zone, from 0.
    pub number: u32,
    pub lanes: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TubeFate {
    Arrives,
    Lost,
    Leaked,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TubePlan {
    /// The actor who fills it.
    pub actor: u32,
    /// The people whose swabs are in it, in order.
    pub members: Vec<u32>,
    pub sealed_at: Timestamp,
    pub fate: TubeFate,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BoxPlan {
    pub tubes: Vec<u32>,
    /// Who packs it, carries it and receives it, as actors. A door team carries its own.
    pub packer: u32,
    pub carrier: u32,
    pub laboratory: u32,
    pub received_at: Timestamp,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PlatePlan {
    pub laboratory: u32,
    pub tubes: Vec<u32>,
    pub read_at: Timestamp,
}

/// One thing done. Numbers are places in the lists of the [`Day`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Act {
    OpenTube {
        tube: u32,
    },
    /// Puts somebody on the roster who is not on it.
    Register {
        person: u32,
    },
    Swab {
        tube: u32,
        person: u32,
    },
    /// Takes back the scan just made; the swab itself is in the tube and is scanned again.
    UndoSwab {
        tube: u32,
        person: u32,
    },
    SealTube {
        tube: u32,
    },
    PackBox {
        package: u32,
    },
    /// To the carrier, or by the carrier to the laboratory.
    OfferBox {
        package: u32,
    },
    AcceptBox {
        package: u32,
    },
    AccessionTube {
        tube: u32,
    },
    RejectTube {
        tube: u32,
    },
    /// The box says it is there; it is not.
    MissTube {
        tube: u32,
    },
    FillPlate {
        plate: u32,
    },
    StartRun {
        plate: u32,
    },
    FinishRun {
        plate: u32,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Action {
    pub at: Timestamp,
    pub actor: u32,
    /// The actor's own count, from 0 without gaps.
    pub sequence: u32,
    pub act: Act,
}

/// A planned day. Actions are in order of time; those of one actor are in the order of their sequence.
#[derive(Clone, PartialEq, Debug)]
pub struct Day {
    /// 0 for the day itself, then one more for every follow-up: keeps the names of tubes, boxes and plates apart.
    pub round: u32,
    pub settings: DaySettings,
    pub points: Vec<Point>,
    pub laboratories: u32,
    pub actors: Vec<Role>,
    pub tubes: Vec<TubePlan>,
    pub boxes: Vec<BoxPlan>,
    pub plates: Vec<PlatePlan>,
    pub actions: Vec<Action>,
    /// Persons of the roster and walk-ins: everybody who can occur has a smaller number.
    pub people: u32,
}

/// People a point is made for in a day.
const POINT_PEOPLE: u32 = 2_500;
/// Points of the smallest zone.
const ZONE_POINTS_MIN: u32 = 3;
/// Tubes a laboratory is made for in a day.
const LABORATORY_TUBES: u32 = 10_000;

impl Day {
    /// Plans the sampling of everybody who comes.
    pub fn plan(epidemic: &Epidemic, settings: DaySettings) -> Day {
        let city = &epidemic.city;
        let walk_ins = (f64::from(city.people) * settings.mishaps.walk_in.clamp(0.0, 0.02)) as u32;
        let mut day = Day::empty(0, settings, city.people + walk_ins);
        let tubes = city.people / settings.ratio.max(1);
        day.laboratories = tubes.div_ceil(LABORATORY_TUBES).max(1);
        let per_zone = (city.people / city.zones).div_ceil(POINT_PEOPLE).max(ZONE_POINTS_MIN);
        let point = |index| Point { zone: index / per_zone, number: index % per_zone, lanes: 0 };
        day.points = (0..city.zones * per_zone).map(point).collect();
        field::sample(&mut day, epidemic, per_zone);
        transport::couriers(&mut day, city.seed);
        laboratory::work(&mut day);
        day.number();
        day
    }

    /// Plans single swabs at the door for `people`, from `from` on. The actors are devices of their own: a follow-up
    /// has its own sequences, and its laboratory is idle when it begins.
    pub fn follow_up(&self, epidemic: &Epidemic, people: &[u32], from: Timestamp) -> Day {
        let settings = DaySettings { opens: from, ratio: 1, mishaps: Mishaps::NONE, ..self.settings };
        let mut day = Day::empty(self.round + 1, settings, self.people);
        day.laboratories = self.laboratories;
        field::visit(&mut day, epidemic, people);
        transport::door_teams(&mut day, epidemic.city.seed);
        laboratory::work(&mut day);
        day.number();
        day
    }

    fn empty(round: u32, settings: DaySettings, people: u32) -> Day {
        Day {
            round,
            settings: DaySettings { ratio: settings.ratio.max(1), plate_tubes: settings.plate_tubes.max(1), ..settings },
            points: Vec::new(),
            laboratories: 1,
            actors: Vec::new(),
            tubes: Vec::new(),
            boxes: Vec::new(),
            plates: Vec::new(),
            actions: Vec::new(),
            people,
        }
    }

    /// A name for chance and truth that no other tube of the city has.
    pub fn tube_key(&self, tube: u32) -> u64 {
        u64::from(self.round) << 32 | u64::from(tube)
    }

    pub fn box_code(&self, package: u32) -> String {
        format!("X{:02}{:06}", self.round, package + 1)
    }

    pub fn plate_code(&self, plate: u32) -> String {
        format!("P{:02}{:05}", self.round, plate + 1)
    }

    /// Who is not there, and why, of the roster.
    pub fn absentees<'a>(&self, epidemic: &'a Epidemic) -> impl Iterator<Item = (u32, crate::infection::Absence)> + 'a {
        (0..epidemic.city.people).filter_map(|person| match epidemic.attendance(person) {
            Attendance::Never(absence) => Some((person, absence)),
            Attendance::Comes { .. } => None,
        })
    }

    fn actor(&mut self, role: Role) -> u32 {
        self.actors.push(role);
        (self.actors.len() - 1) as u32
    }

    fn act(&mut self, at: Timestamp, actor: u32, act: Act) {
        self.actions.push(Action { at, actor, sequence: 0, act });
    }

    /// Puts the actions in order and counts each actor's own.
    fn number(&mut self) {
        self.actions.sort_by_key(|action| (action.at, action.actor));
        let mut next = vec![0; self.actors.len()];
        for action in &mut self.actions {
            let count = &mut next[action.actor as usize];
            action.sequence = *count;
            *count += 1;
        }
    }

    /// The shift a moment falls in: three of eight hours from the opening of the points, over and over.
    fn shift(&self, at: Timestamp) -> u32 {
        (at.since(self.settings.opens).div_euclid(8 * HOUR_US)).rem_euclid(3) as u32
    }
}

const fn minutes(count: i64) -> i64 {
    count * MINUTE_US
}

#[cfg(test)]
mod tests;
