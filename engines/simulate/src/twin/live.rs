//! The state of a running laboratory, as read from live tables.

use crate::draws::{Purpose, Stream, mix, uniform};
use crate::fault::{Fault, MOST_SECONDS, at_least, between};
use crate::kernel::{Arrival, Arrivals, Calendar, Entity, Network, State, Station, Step};

/// Most entities there and expected to come, together.
pub const MOST_EXPECTED: usize = 5_000_000;

/// Everything a forecast starts from. Calendars start now: see [`Calendar::after`].
#[derive(Debug, Clone, PartialEq)]
pub struct LiveState {
    pub stations: Vec<Station>,
    pub entities: Vec<LiveEntity>,
    /// What servers are at work on.
    pub runs: Vec<Run>,
    pub streams: Vec<ArrivalStream>,
    pub limit: Option<Limit>,
}

/// A tube, a box, a plate: whatever is passed on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LiveEntity {
    /// Names the entity in every draw: the same in all states that are compared.
    pub key: u64,
    /// Since the clock of its limit began, such as the first swab of a tube.
    pub age_s: f64,
    pub place: Place,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Place {
    Waiting {
        station: u32,
        waited_s: f64,
    },
    /// In the run of this index; its members stay in the order of the list.
    Served {
        run: u32,
    },
    Travelling {
        to: u32,
        remaining_s: f64,
    },
}

/// One server's work in progress.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Run {
    pub station: u32,
    pub remaining_s: f64,
}

/// Poisson arrivals with a rate that changes in steps.
#[derive(Debug, Clone, PartialEq)]
pub struct ArrivalStream {
    /// Part of the key of its draws; unique.
    pub name: String,
    pub station: u32,
    /// Ascending from 0.
    pub rates: Vec<Rate>,
    /// Nobody comes after this.
    pub until_s: f64,
    /// Age on arrival.
    pub age_s: f64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    pub from_s: f64,
    pub per_s: f64,
}

/// How old an entity may be when it reaches a milestone.
#[derive(Debug, Clone, PartialEq)]
pub struct Limit {
    pub seconds: f64,
    pub until: Milestone,
    /// At these stations age begins anew when service begins: whoever waits in a line has no tube yet.
    pub begins: Vec<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Milestone {
    /// Service begins at this station, such as accession.
    StartAt(u32),
    /// It leaves the last station: the result.
    Leave,
}

impl Calendar {
    /// The calendar seen from `now_s`: what is past is cut away, times count from then.
    pub fn after(&self, now_s: f64) -> Self {
        let steps = self.steps();
        let current = steps.partition_point(|step| step.from_s <= now_s).saturating_sub(1);
        let shifted = steps[current..].iter().map(|step| Step { from_s: (step.from_s - now_s).max(0.0), ..*step });
        Self::new(shifted.collect()).unwrap_or_else(|_| self.clone())
    }

    /// So many servers more (fewer if negative) from `from_s` until `until_s`, but never less than none, and one at the end.
    pub fn with(&self, from_s: f64, until_s: f64, more: i32) -> Result<Self, Fault> {
        at_least("from_s", from_s, 0.0)?;
        between("until_s", until_s, from_s, f64::INFINITY)?;
        let mut times: Vec<f64> = self.steps().iter().map(|step| step.from_s).chain([from_s, until_s]).filter(|time| time.is_finite()).collect();
        times.sort_by(f64::total_cmp);
        times.dedup();
        let at = |time: f64| self.steps().iter().rev().find(|step| step.from_s <= time).map_or(0, |step| step.servers);
        let changed = times.into_iter().map(|time| {
            let more = if (from_s..until_s).contains(&time) { more } else { 0 };
            Step { from_s: time, servers: at(time).saturating_add_signed(more) }
        });
        Self::new(changed.collect())
    }
}

impl LiveState {
    /// The same laboratory with another staffing of one station; `until_s` may be infinite.
    pub fn with_servers(&self, station: u32, from_s: f64, until_s: f64, more: i32) -> Result<Self, Fault> {
        let mut changed = self.clone();
        let Some(there) = changed.stations.get_mut(station as usize) else {
            return Err(Fault::new("station", format!("there is no station {station}")));
        };
        there.calendar = there.calendar.with(from_s, until_s, more)?;
        Ok(changed)
    }
}

/// A live state made ready to run.
pub(super) struct Prepared<'l> {
    pub network: Network,
    pub start: State,
    /// The place in `entities` of each entity brought.
    pub owners: Vec<u32>,
    /// By station: whether age begins anew there.
    pub begins: Vec<bool>,
    pub live: &'l LiveState,
}

impl<'l> Prepared<'l> {
    pub fn new(live: &'l LiveState) -> Result<Self, Fault> {
        let network = Network::new(live.stations.clone())?;
        check_entities(live)?;
        check_streams(live)?;
        if let Some(limit) = &live.limit {
            at_least("limit.seconds", limit.seconds, 0.0)?;
            if let Milestone::StartAt(station) = limit.until {
                check_station(live, "limit.until", station)?;
            }
            limit.begins.iter().try_for_each(|station| check_station(live, "limit.begins", *station))?;
        }
        let mut start = State::empty(&network);
        let owners = bring(live, &network, &mut start);
        let mut begins = vec![false; live.stations.len()];
        live.limit.iter().flat_map(|limit| &limit.begins).for_each(|station| begins[*station as usize] = true);
        Ok(Self { network, start, owners, begins, live })
    }

    /// Who will come in one replication.
    pub fn arrivals(&self, seed: u64, replication: u32) -> Arrivals {
        let mut arrivals = Vec::new();
        self.live.streams.iter().for_each(|stream| stream.draw(seed, replication, &mut arrivals));
        arrivals.sort_by(|one: &Arrival, other| one.at_s.total_cmp(&other.at_s));
        Arrivals::Listed(arrivals)
    }
}

fn check_station(live: &LiveState, field: &str, station: u32) -> Result<(), Fault> {
    if (station as usize) < live.stations.len() { Ok(()) } else { Err(Fault::new(field, format!("there is no station {station}"))) }
}

fn check_entities(live: &LiveState) -> Result<(), Fault> {
    let mut staffed = vec![false; live.runs.len()];
    for (index, entity) in live.entities.iter().enumerate() {
        let check = || match entity.place {
            Place::Waiting { station, waited_s } => check_station(live, "station", station).and(at_least("waited_s", waited_s, 0.0)),
            Place::Travelling { to, remaining_s } => check_station(live, "to", to).and(at_least("remaining_s", remaining_s, 0.0)),
            Place::Served { run } if (run as usize) < live.runs.len() => Ok(0.0),
            Place::Served { run } => Err(Fault::new("run", format!("there is no run {run}"))),
        };
        check().and(at_least("age_s", entity.age_s, 0.0)).map_err(|fault| fault.inside(format!("entities[{index}]")))?;
        if let Place::Served { run } = entity.place {
            staffed[run as usize] = true;
        }
    }
    for (index, run) in live.runs.iter().enumerate() {
        let outer = |fault: Fault| fault.inside(format!("runs[{index}]"));
        check_station(live, "station", run.station).and(at_least("remaining_s", run.remaining_s, 0.0)).map_err(outer)?;
        if !staffed[index] {
            return Err(Fault::new(format!("runs[{index}]"), "serves no entity"));
        }
    }
    Ok(())
}

fn check_streams(live: &LiveState) -> Result<(), Fault> {
    let mut expected = live.entities.len() as f64;
    for (index, stream) in live.streams.iter().enumerate() {
        let check = || {
            check_station(live, "station", stream.station)?;
            at_least("age_s", stream.age_s, 0.0)?;
            at_least("until_s", stream.until_s, 0.0)?;
            if live.streams[..index].iter().any(|other| other.name == stream.name) {
                return Err(Fault::new("name", format!("{:?} names two streams", stream.name)));
            }
            let mut least = 0.0;
            for (step, rate) in stream.rates.iter().enumerate() {
                let from = between(&format!("rates[{step}].from_s"), rate.from_s, least, if step == 0 { 0.0 } else { MOST_SECONDS })?;
                between(&format!("rates[{step}].per_s"), rate.per_s, 0.0, 1e9)?;
                least = from;
            }
            Ok(())
        };
        check().map_err(|fault| fault.inside(format!("streams[{index}]")))?;
        expected += stream.pieces().map(|(from, to, rate)| (to - from) * rate).sum::<f64>();
    }
    between("entities", expected, 0.0, MOST_EXPECTED as f64).map(|_| ())
}

/// Puts all entities where they are; those who waited longest first.
fn bring(live: &LiveState, network: &Network, start: &mut State) -> Vec<u32> {
    let entity = |at: &u32| {
        let LiveEntity { key, age_s, .. } = live.entities[*at as usize];
        Entity { born_s: -age_s, rank: -age_s, key }
    };
    let mut owners: Vec<u32> = Vec::with_capacity(live.entities.len());
    let mut members: Vec<Vec<u32>> = vec![Vec::new(); live.runs.len()];
    let mut waiting: Vec<(f64, u32, u32)> = Vec::new();
    let mut travelling: Vec<(f64, u32, u32)> = Vec::new();
    for (at, entity) in (0u32..).zip(&live.entities) {
        match entity.place {
            Place::Served { run } => members[run as usize].push(at),
            Place::Waiting { station, waited_s } => waiting.push((waited_s, station, at)),
            Place::Travelling { to, remaining_s } => travelling.push((remaining_s, to, at)),
        }
    }
    for (run, members) in live.runs.iter().zip(&members) {
        let entities: Vec<Entity> = members.iter().map(entity).collect();
        start.bring_running(run.station, &entities, run.remaining_s);
        owners.extend(members);
    }
    waiting.sort_by(|one, other| other.0.total_cmp(&one.0));
    for (waited, station, at) in &waiting {
        start.bring_waiting(network, *station, entity(at), -waited);
        owners.push(*at);
    }
    for (remaining, to, at) in &travelling {
        start.bring_travelling(*to, entity(at), *remaining);
        owners.push(*at);
    }
    owners
}

impl ArrivalStream {
    /// From, to and rate of each step that has a length.
    fn pieces(&self) -> impl Iterator<Item = (f64, f64, f64)> {
        let ends = self.rates.iter().skip(1).map(|rate| rate.from_s).chain([f64::INFINITY]);
        let pieces = self.rates.iter().zip(ends).map(|(rate, end)| (rate.from_s, end.min(self.until_s), rate.per_s));
        pieces.filter(|(from, to, _)| from < to)
    }

    /// A unit Poisson process run through the cumulated rate, so that another rate moves each arrival but makes none anew.
    fn draw(&self, seed: u64, replication: u32, arrivals: &mut Vec<Arrival>) {
        let draws = Stream::new(seed, replication, Purpose::Arrival, &self.name);
        let name = Stream::new(0, 0, Purpose::Arrival, &self.name);
        let mut ordinal = 0;
        let gap = |ordinal: u64| -uniform(draws.word(ordinal)).ln();
        let mut left = gap(ordinal);
        for (from, to, rate) in self.pieces() {
            let mut at = from;
            while rate * (to - at) > left && arrivals.len() < 2 * MOST_EXPECTED {
                at += left / rate;
                let born_s = at - self.age_s;
                arrivals.push(Arrival { at_s: at, station: self.station, entity: Entity { born_s, rank: born_s, key: mix(name.word(ordinal)) } });
                ordinal += 1;
                left = gap(ordinal);
            }
            left -= rate * (to - at).max(0.0);
        }
    }
}
