//! What does not change during a run: stations, how they serve, and where their entities go.

use std::collections::HashSet;

use crate::distribution::Distribution;
use crate::fault::{Fault, at_least, between};

pub const MOST_STATIONS: usize = 1_000;
pub const MOST_SERVERS: u32 = 1_000_000;
pub const MOST_BATCH: u32 = 1_000_000;
pub const MOST_STEPS: usize = 10_000;

/// From this time on, so many servers are on duty.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    pub from_s: f64,
    pub servers: u32,
}

/// Servers on duty as a step function of time. A cut never interrupts work: the server goes when it finishes.
#[derive(Debug, Clone, PartialEq)]
pub struct Calendar(Vec<Step>);

impl Calendar {
    /// Steps ascend strictly from 0; only the last may not be 0 servers, or waiting entities would wait for ever.
    pub fn new(steps: Vec<Step>) -> Result<Self, Fault> {
        let Some(last) = steps.last() else { return Err(Fault::new("calendar", "must have at least one step")) };
        if steps.len() > MOST_STEPS {
            return Err(Fault::new("calendar", format!("may have {MOST_STEPS} steps at most, has {}", steps.len())));
        }
        let mut before = None;
        for (index, step) in steps.iter().enumerate() {
            let from = at_least(&format!("[{index}].from_s"), step.from_s, 0.0)?;
            if before.map_or(from != 0.0, |before| from <= before) {
                return Err(Fault::new(format!("[{index}].from_s"), "steps must start at 0 and ascend"));
            }
            between(&format!("[{index}].servers"), f64::from(step.servers), 0.0, f64::from(MOST_SERVERS))?;
            before = Some(from);
        }
        if last.servers == 0 {
            return Err(Fault::new(format!("[{}].servers", steps.len() - 1), "the last step must have at least 1"));
        }
        Ok(Self(steps))
    }

    pub fn constant(servers: u32) -> Result<Self, Fault> {
        if servers == 0 {
            return Err(Fault::new("servers", "must be at least 1"));
        }
        Self::new(vec![Step { from_s: 0.0, servers }]).map_err(|fault| Fault { field: "servers".to_owned(), ..fault })
    }

    pub fn steps(&self) -> &[Step] {
        &self.0
    }

    /// Scheduled server-seconds of `0..end_s`.
    pub fn server_seconds(&self, end_s: f64) -> f64 {
        let ends = self.0.iter().skip(1).map(|step| step.from_s).chain([f64::INFINITY]);
        self.0.iter().zip(ends).map(|(step, end)| f64::from(step.servers) * (end.min(end_s) - step.from_s).max(0.0)).sum()
    }
}

/// Several are served at once, by one server, for one service time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Batch {
    /// Most members.
    pub size: u32,
    /// Fewer start once the first of them has waited so long.
    pub max_wait_s: f64,
}

/// Who is served first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Discipline {
    /// Who came first; of those who came at one instant, the lower number.
    #[default]
    FirstCome,
    /// The smallest rank (when the entity was born, unless it has another), then who came first.
    Rank,
}

/// Where entities go next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    Leave,
    To(u32),
    /// The lane with the fewest waiting, then the fewest in service, then the first listed.
    Shortest(Vec<u32>),
}

/// A share of what is served has to be done again elsewhere, such as invalid tubes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rework {
    pub probability: f64,
    pub to: u32,
    /// After so many repetitions an entity goes on regardless.
    pub most: u8,
}

/// One server at a time falls out for repair, after the work it has begun.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Breakdown {
    /// Mean of the exponential time from the last repair, at least 1 s.
    pub up_mean_s: f64,
    pub down: Distribution,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Station {
    /// Part of the key of every draw; unique.
    pub name: String,
    pub calendar: Calendar,
    pub service: Distribution,
    pub batch: Option<Batch>,
    pub route: Route,
    pub discipline: Discipline,
    /// Travel to wherever the entity goes next.
    pub travel_s: f64,
    /// Who finds so many waiting turns away and is lost.
    pub queue_limit: Option<u32>,
    pub rework: Option<Rework>,
    pub breakdown: Option<Breakdown>,
}

impl Station {
    /// A first come, first served station of unlimited queue that entities leave from.
    pub fn new(name: impl Into<String>, calendar: Calendar, service: Distribution) -> Self {
        Self {
            name: name.into(),
            calendar,
            service,
            batch: None,
            route: Route::Leave,
            discipline: Discipline::FirstCome,
            travel_s: 0.0,
            queue_limit: None,
            rework: None,
            breakdown: None,
        }
    }

    pub fn to(self, next: u32) -> Self {
        Self { route: Route::To(next), ..self }
    }

    pub fn batch(self, size: u32, max_wait_s: f64) -> Self {
        Self { batch: Some(Batch { size, max_wait_s }), ..self }
    }

    /// Every station that may come next, but for rework.
    pub fn next(&self) -> &[u32] {
        match &self.route {
            Route::Leave => &[],
            Route::To(next) => std::slice::from_ref(next),
            Route::Shortest(lanes) => lanes,
        }
    }

    fn check(&self, stations: usize) -> Result<(), Fault> {
        let known = |field: &str, next: u32| {
            if (next as usize) < stations { Ok(()) } else { Err(Fault::new(field, format!("there is no station {next}"))) }
        };
        if let Some(batch) = &self.batch {
            between("batch.size", f64::from(batch.size), 1.0, f64::from(MOST_BATCH))?;
            at_least("batch.max_wait_s", batch.max_wait_s, 0.0)?;
        }
        at_least("travel_s", self.travel_s, 0.0)?;
        if let Some(breakdown) = &self.breakdown {
            at_least("breakdown.up_mean_s", breakdown.up_mean_s, 1.0)?;
        }
        if self.route == Route::Shortest(Vec::new()) {
            return Err(Fault::new("route", "must name at least one lane"));
        }
        self.next().iter().try_for_each(|next| known("route", *next))?;
        if let Some(rework) = &self.rework {
            between("rework.probability", rework.probability, 0.0, 1.0)?;
            known("rework.to", rework.to)?;
        }
        Ok(())
    }
}

/// Stations that name one another by their place. Without rework nobody comes twice to one station.
#[derive(Debug, Clone, PartialEq)]
pub struct Network {
    stations: Vec<Station>,
}

impl Network {
    pub fn new(stations: Vec<Station>) -> Result<Self, Fault> {
        if stations.is_empty() || stations.len() > MOST_STATIONS {
            return Err(Fault::new("stations", format!("must be 1 to {MOST_STATIONS}, are {}", stations.len())));
        }
        let mut names = HashSet::new();
        for (index, station) in stations.iter().enumerate() {
            let outer = format!("stations[{index}]");
            station.check(stations.len()).map_err(|fault| fault.inside(&outer))?;
            if !names.insert(station.name.as_str()) {
                return Err(Fault::new("name", format!("{:?} names two stations", station.name)).inside(&outer));
            }
        }
        if let Some(index) = on_a_cycle(&stations) {
            return Err(Fault::new(format!("stations[{index}].route"), "leads back to the station itself"));
        }
        Ok(Self { stations })
    }

    pub fn stations(&self) -> &[Station] {
        &self.stations
    }

    pub fn len(&self) -> usize {
        self.stations.len()
    }

    pub fn is_empty(&self) -> bool {
        self.stations.is_empty()
    }
}

/// The first station from which one comes back to it.
fn on_a_cycle(stations: &[Station]) -> Option<usize> {
    // Stations from which every way leaves, found from the ends backwards; what is never found leads into a cycle.
    let mut before: Vec<Vec<u32>> = vec![Vec::new(); stations.len()];
    let mut ways: Vec<usize> = stations.iter().map(|station| station.next().len()).collect();
    for (index, station) in stations.iter().enumerate() {
        station.next().iter().for_each(|next| before[*next as usize].push(index as u32));
    }
    let mut ended: Vec<usize> = (0..stations.len()).filter(|index| ways[*index] == 0).collect();
    while let Some(end) = ended.pop() {
        for index in &before[end] {
            ways[*index as usize] -= 1;
            if ways[*index as usize] == 0 {
                ended.push(*index as usize);
            }
        }
    }
    let first = ways.iter().position(|open| *open > 0)?;
    // Every station left has a way to another one left: follow it until one is met again.
    let mut met = vec![false; stations.len()];
    let mut at = first;
    while !std::mem::replace(&mut met[at], true) {
        at = stations[at].next().iter().map(|next| *next as usize).find(|next| ways[*next] > 0)?;
    }
    Some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn station(name: &str) -> Result<Station, Fault> {
        Ok(Station::new(name, Calendar::constant(1)?, Distribution::deterministic(1.0)?))
    }

    fn field(stations: Vec<Station>) -> String {
        Network::new(stations).map_or_else(|fault| fault.field, |_| "accepted".to_owned())
    }

    #[test]
    fn networks_are_checked_by_field() -> Result<(), Fault> {
        let lane = |lanes: Vec<u32>| Ok::<_, Fault>(Station { route: Route::Shortest(lanes), ..station("x")? });
        assert_eq!(field(vec![station("a")?.to(1), station("b")?]), "accepted");
        assert_eq!(field(vec![]), "stations");
        assert_eq!(field(vec![station("a")?, station("a")?]), "stations[1].name");
        assert_eq!(field(vec![station("a")?.to(0)]), "stations[0].route");
        assert_eq!(field(vec![station("a")?.to(1), station("b")?.to(2), station("c")?.to(1)]), "stations[1].route");
        assert_eq!(field(vec![station("a")?.to(7)]), "stations[0].route");
        assert_eq!(field(vec![lane(vec![])?]), "stations[0].route");
        assert_eq!(field(vec![lane(vec![1, 2])?, station("b")?, station("c")?.to(0)]), "stations[0].route");
        assert_eq!(field(vec![station("a")?.batch(0, 1.0)]), "stations[0].batch.size");
        assert_eq!(field(vec![station("a")?.batch(2, f64::NAN)]), "stations[0].batch.max_wait_s");
        assert_eq!(field(vec![Station { travel_s: -1.0, ..station("a")? }]), "stations[0].travel_s");
        let rework = |probability, to| Some(Rework { probability, to, most: 1 });
        assert_eq!(field(vec![Station { rework: rework(1.5, 0), ..station("a")? }]), "stations[0].rework.probability");
        assert_eq!(field(vec![Station { rework: rework(0.5, 3), ..station("a")? }]), "stations[0].rework.to");
        assert_eq!(field(vec![Station { rework: rework(0.5, 0), ..station("a")? }]), "accepted");
        Ok(())
    }

    #[test]
    fn calendars_are_checked_and_measured() -> Result<(), Fault> {
        let calendar = |steps: &[(f64, u32)]| Calendar::new(steps.iter().map(|&(from_s, servers)| Step { from_s, servers }).collect());
        let field = |steps: &[(f64, u32)]| calendar(steps).map_or_else(|fault| fault.field, |_| "accepted".to_owned());
        assert_eq!(field(&[]), "calendar");
        assert_eq!(field(&[(1.0, 1)]), "[0].from_s");
        assert_eq!(field(&[(0.0, 1), (5.0, 0), (5.0, 1)]), "[2].from_s");
        assert_eq!(field(&[(0.0, 1), (f64::NAN, 1)]), "[1].from_s");
        assert_eq!(field(&[(0.0, 1), (5.0, 0)]), "[1].servers");
        assert_eq!(field(&[(0.0, 2_000_000)]), "[0].servers");
        assert_eq!(Calendar::constant(0).map_err(|fault| fault.field), Err("servers".to_owned()));
        let shifts = calendar(&[(0.0, 2), (10.0, 0), (20.0, 3)])?;
        let measured: Vec<f64> = [0.0, 5.0, 10.0, 15.0, 20.0, 22.0].into_iter().map(|end| shifts.server_seconds(end)).collect();
        assert_eq!(measured, vec![0.0, 10.0, 20.0, 20.0, 20.0, 26.0]);
        Ok(())
    }
}
