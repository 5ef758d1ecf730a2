//! The twin's states: the laboratory as it is now, under so many guesses at what nobody can know of it.

use std::collections::{BTreeMap, HashMap};

use baton_kit::time::SECOND_US;
use baton_kit::{PlaceId, PlateId, Timestamp, TypedId};
use baton_laboratory::model::LIMIT_US;
use baton_laboratory::stages::Underway;
use baton_simulate::Fault;
use baton_simulate::distribution::Distribution;
use baton_simulate::draws::{Purpose, Stream, uniform};
use baton_simulate::kernel::{Calendar, Station};
use baton_simulate::twin::{ArrivalStream, Limit, LiveEntity, LiveState, Milestone, Place, Rate, Run};

use super::lines;
use super::measure::{Times, median, prior};
use crate::model::{Seen, Stage};

/// States a forecast starts from. Each draws anew, from what was measured, what holds for the whole day (how far apart the rounds are, how
/// long a plate waits) and how long what is under way will still take.
pub const GUESSES: u32 = 12;
/// Tubes played through in all days of one answer: this bounds its time. A comparison plays every day three times.
pub const WORK: usize = 1_200_000;
pub const WORK_COMPARED: usize = WORK / 3;
const DAYS_LEAST: u32 = 4 * GUESSES;
const DAYS_MOST: u32 = 20 * GUESSES;
/// Where nobody counts the hands.
const PLENTY: u32 = 10_000;
/// Whatever lasts longer than anything measured is taken to be done soon.
const SOON_S: f64 = 120.0;

/// Days to play with so many tubes, each guess as often as the others.
pub fn days(tubes: usize, work: usize) -> u32 {
    let days = u32::try_from(work / tubes.max(1)).unwrap_or(u32::MAX).clamp(DAYS_LEAST, DAYS_MOST);
    days / GUESSES * GUESSES
}

/// Which station is what.
#[derive(Clone, PartialEq, Debug)]
pub struct Layout {
    /// By station of the twin: stage, and the laboratory it belongs to by its place in the list.
    pub stations: Vec<(Stage, Option<usize>)>,
    /// Whether the number of its servers is known.
    pub counted: Vec<bool>,
}

/// The twin's states with their layout.
#[derive(Clone, PartialEq, Debug)]
pub struct Twin {
    pub layout: Layout,
    pub states: Vec<LiveState>,
    /// Tubes on their way: the first of the entities of each state. The others stand in a line.
    pub tubes: usize,
}

impl Twin {
    /// # Errors
    /// Times no twin can play.
    pub fn of(seen: &Seen, times: &Times, seed: u64) -> Result<Self, Fault> {
        let mut states = Vec::with_capacity(GUESSES as usize);
        let mut layout = Layout { stations: Vec::new(), counted: Vec::new() };
        for guess in 0..GUESSES {
            let mut builder = Builder::new(seen, times, seed, guess);
            builder.stations()?;
            states.push(builder.state());
            layout = builder.layout;
        }
        Ok(Self { layout, states, tubes: seen.underway.len() })
    }

    /// Tubes that come on average: of those who stand in a line, and of those who are still to join one.
    pub fn expected(&self) -> f64 {
        let streams = self.states.first().map_or(&[][..], |state| &state.streams);
        let in_line = self.states.first().map_or(0, |state| state.entities.len()) - self.tubes;
        in_line as f64 + streams.iter().map(|stream| stream.until_s * stream.rates.first().map_or(0.0, |rate| rate.per_s)).sum::<f64>()
    }

    /// The station of a point's lanes.
    pub fn lane(&self, point: PlaceId) -> Option<usize> {
        let name = lines::station(point);
        self.states.first()?.stations.iter().position(|station| station.name == name)
    }
}

/// Where the stations of one laboratory stand.
#[derive(Clone, Copy, Default)]
struct At {
    transport: u32,
    accession: u32,
    plate: u32,
    extraction: Option<u32>,
    bench: u32,
    signature: u32,
}

struct Builder<'s> {
    seen: &'s Seen,
    times: &'s Times,
    seed: u64,
    guess: u32,
    stations: Vec<Station>,
    layout: Layout,
    laboratories: Vec<At>,
    /// Sampling and collection of each round.
    rounds: Vec<(u32, u32)>,
    /// The lanes of points, by the place of the point in the list: their station, and how long one takes for as many as share a tube.
    lanes: BTreeMap<usize, (u32, f64)>,
}

impl<'s> Builder<'s> {
    fn new(seen: &'s Seen, times: &'s Times, seed: u64, guess: u32) -> Self {
        let layout = Layout { stations: Vec::new(), counted: Vec::new() };
        Self { seen, times, seed, guess, stations: Vec::new(), layout, laboratories: Vec::new(), rounds: Vec::new(), lanes: BTreeMap::new() }
    }

    fn word(&self, what: &str, key: u64) -> u64 {
        Stream::new(self.seed, self.guess, Purpose::Route, what).word(key)
    }

    /// The middle of as many values drawn from the measured ones: what the same day might have shown.
    fn guessed(&self, what: &str, key: u64, values: &[f64]) -> f64 {
        median(&self.drawn(what, key, values))
    }

    /// As many values as there are, drawn from them.
    fn drawn(&self, what: &str, key: u64, values: &[f64]) -> Vec<f64> {
        (0..values.len() as u64).map(|n| values[(self.word(what, key << 16 | n) % values.len() as u64) as usize]).collect()
    }

    /// One of the measured times that are longer than what has passed, less that.
    fn remaining(&self, what: &str, key: u64, values: &[f64], passed_s: f64) -> f64 {
        let longer: Vec<f64> = values.iter().copied().filter(|value| *value > passed_s).collect();
        let word = self.word(what, key);
        if longer.is_empty() { SOON_S * uniform(word) } else { longer[(word % longer.len() as u64) as usize] - passed_s }
    }

    fn add(&mut self, station: Station, stage: Stage, laboratory: Option<usize>, counted: bool) -> u32 {
        self.stations.push(station);
        self.layout.stations.push((stage, laboratory));
        self.layout.counted.push(counted);
        self.stations.len() as u32 - 1
    }

    /// The way of all tubes, from its end: a station names the next, which must be there.
    fn stations(&mut self) -> Result<(), Fault> {
        for number in 0..self.times.laboratories.len() {
            let at = self.laboratory(number)?;
            self.laboratories.push(at);
        }
        let served: BTreeMap<usize, f64> = lines::with_lanes(&self.seen.points).into_iter().map(|place| (place, self.tube_on_lane(place))).collect();
        for (number, times) in self.times.rounds.iter().enumerate() {
            let transport = self.laboratories[times.round.laboratory].transport;
            // Whatever is sealed while the courier is on the way comes along: a round starts when its first tube has waited so long.
            let wait = self.guessed("collection", number as u64, &times.waits_s);
            let collection = Station::new(format!("collection:{number}"), Calendar::constant(PLENTY)?, Distribution::deterministic(0.0)?);
            let collection = self.add(collection.batch(1_000_000, wait).to(transport), Stage::Collection, None, false);
            let here = served.iter().filter(|(place, _)| self.times.round(Some(self.seen.points[**place].id)) == number).map(|(_, on_lane)| *on_lane);
            let here: Vec<f64> = here.collect();
            let on_lane = here.iter().sum::<f64>() / here.len().max(1) as f64;
            // From the first swab to the seal, less what of that is spent on the lane.
            let rest: Vec<f64> = self.times.sampling_s.iter().map(|sampling| (sampling - on_lane).max(0.0)).collect();
            let sampling = Station::new(format!("sampling:{number}"), Calendar::constant(PLENTY)?, Distribution::measured(&rest)?);
            let sampling = self.add(sampling.to(collection), Stage::Sampling, None, false);
            self.rounds.push((sampling, collection));
        }
        for (place, on_lane) in served {
            let point = &self.seen.points[place];
            let (sampling, _) = self.rounds[self.times.round(Some(point.id))];
            let lane = self.add(lines::lanes(point, on_lane)?.to(sampling), Stage::Lane, None, true);
            self.lanes.insert(place, (lane, on_lane));
        }
        Ok(())
    }

    /// How long a lane takes for as many people as share a tube: the mean of as many gaps between people as were measured, drawn from them.
    fn tube_on_lane(&self, place: usize) -> f64 {
        let point = &self.seen.points[place];
        let drawn = self.drawn("lane", point.id.raw().unsigned_abs(), &point.lanes.gaps_s);
        let person_s = if drawn.is_empty() { point.lanes.person_s() } else { drawn.iter().sum::<f64>() / drawn.len() as f64 };
        person_s * point.people_per_tube
    }

    fn laboratory(&mut self, number: usize) -> Result<At, Fault> {
        let times = &self.times.laboratories[number];
        let here = Some(number);
        let plenty = Calendar::constant(PLENTY)?;
        let named = |stage: Stage| format!("{}:{number}", stage.name());
        // A plate stays together: whoever arrives at one instant starts as one batch.
        let signature = Station::new(named(Stage::Signature), plenty.clone(), Distribution::measured(&times.signature_s)?);
        let signature = self.add(signature, Stage::Signature, here, false);
        let (extraction, bench) = match self.seen.laboratories[number].equipment {
            Some(stated) => {
                let extraction_s = f64::from(stated.extraction_s);
                let rest: Vec<f64> = times.bench_s.iter().map(|bench| (bench - extraction_s).max(0.0)).collect();
                let bench = Station::new(named(Stage::Bench), Calendar::constant(stated.cyclers.max(1))?, Distribution::measured(&rest)?);
                let bench = self.add(bench.batch(times.plate_tubes, 0.0).to(signature), Stage::Bench, here, true);
                let service = Distribution::deterministic(extraction_s)?;
                let extraction = Station::new(named(Stage::Extraction), Calendar::constant(stated.extractors.max(1))?, service);
                (Some(self.add(extraction.batch(times.plate_tubes, 0.0).to(bench), Stage::Extraction, here, true)), bench)
            }
            None => {
                let bench = Station::new(named(Stage::Bench), plenty.clone(), Distribution::measured(&times.bench_s)?);
                (None, self.add(bench.batch(times.plate_tubes, 0.0).to(signature), Stage::Bench, here, false))
            }
        };
        let wait = self.guessed("plate", number as u64, &times.plate_waits_s);
        let plate = Station::new(named(Stage::Plate), plenty.clone(), Distribution::deterministic(0.0)?);
        let plate = self.add(plate.batch(times.plate_tubes, wait).to(extraction.unwrap_or(bench)), Stage::Plate, here, false);
        let accession = Station::new(named(Stage::Accession), Calendar::constant(times.desks)?, Distribution::deterministic(times.accession_s)?);
        let accession = self.add(accession.to(plate), Stage::Accession, here, true);
        let roads = self.roads(number);
        let transport = Station::new(named(Stage::Transport), plenty, Distribution::measured(&roads)?);
        let transport = self.add(transport.batch(1_000_000, 0.0).to(accession), Stage::Transport, here, false);
        Ok(At { transport, accession, plate, extraction, bench, signature })
    }

    /// How long couriers are on the road to a laboratory; of rounds nobody measured only where there are no others.
    fn roads(&self, laboratory: usize) -> Vec<f64> {
        let here = || self.times.rounds.iter().filter(|round| round.round.laboratory == laboratory);
        let of = |measured: bool| here().filter(|round| (round.measured > 0) == measured).flat_map(|round| round.roads_s.clone()).collect::<Vec<_>>();
        [of(true), of(false)].into_iter().find(|roads| !roads.is_empty()).unwrap_or_else(|| prior::TRANSPORT.to_vec())
    }

    fn state(&mut self) -> LiveState {
        let mut runs = Runs::default();
        let entities = self.seen.underway.iter().map(|tube| LiveEntity {
            key: tube.tube.raw() as u64,
            age_s: self.passed(Some(tube.first_swab)),
            place: self.place(tube, &mut runs),
        });
        let mut entities: Vec<LiveEntity> = entities.collect();
        self.lanes.iter().for_each(|(place, (station, _))| entities.extend(lines::standing(&self.seen.points[*place], *station)));
        let streams = self.streams();
        // The clock of a tube begins with its first swab, however long people stood in the line.
        let begins = self.lanes.values().map(|(station, _)| *station).collect();
        let limit = Some(Limit { seconds: (LIMIT_US / SECOND_US) as f64, until: Milestone::Leave, begins });
        LiveState { stations: std::mem::take(&mut self.stations), entities, runs: runs.runs, streams, limit }
    }

    fn passed(&self, since: Option<Timestamp>) -> f64 {
        since.map_or(0.0, |since| (self.seen.now.since(since) as f64 / SECOND_US as f64).max(0.0))
    }

    fn place(&self, tube: &Underway, runs: &mut Runs) -> Place {
        let key = tube.tube.raw() as u64;
        let round = self.times.round(tube.point);
        let number = tube.laboratory.and_then(|id| self.seen.laboratories.iter().position(|known| known.id == id));
        let number = number.unwrap_or(self.times.rounds[round].round.laboratory);
        let (at, times) = (self.laboratories[number], &self.times.laboratories[number]);
        // What nobody signed for longer than anybody ever took is run again.
        let longest = times.signature_s.iter().copied().fold(0.0, f64::max);
        if tube.read.is_some() && tube.read >= tube.laid && self.passed(tube.read) > longest {
            let remaining_s = (median(&times.bench_s) - self.passed(tube.read)).max(SOON_S);
            let again = Run { station: at.bench, remaining_s };
            let run = match tube.plate {
                Some(plate) => runs.plate(plate, || again),
                None => runs.add(again),
            };
            return Place::Served { run };
        }
        if tube.read.is_some() && tube.read >= tube.laid {
            let remaining_s = self.remaining("signature", key, &times.signature_s, self.passed(tube.read));
            return Place::Served { run: runs.add(Run { station: at.signature, remaining_s }) };
        }
        if let (Some(plate), Some(_)) = (tube.plate, tube.laid) {
            return Place::Served { run: runs.plate(plate, || self.on_the_bench(at, number, plate, self.passed(tube.laid))) };
        }
        if tube.accessioned.is_some() {
            return Place::Waiting { station: at.plate, waited_s: self.passed(tube.accessioned) };
        }
        if tube.arrived.is_some() {
            return Place::Waiting { station: at.accession, waited_s: self.passed(tube.arrived) };
        }
        if tube.boxed.is_some() {
            let road = || Run {
                station: at.transport,
                remaining_s: self.remaining("transport", round as u64, &self.times.rounds[round].roads_s, self.passed(tube.boxed)),
            };
            return Place::Served { run: runs.road((round, number), road) };
        }
        let (sampling, collection) = self.rounds[round];
        let open = self.seen.points.iter().position(|point| Some(point.id) == tube.point).and_then(|place| self.lanes.get(&place));
        if tube.sealed.is_some() {
            return Place::Waiting { station: collection, waited_s: self.passed(tube.sealed) };
        }
        if let Some((lane, on_lane)) = open.filter(|(_, on_lane)| *on_lane > self.passed(Some(tube.first_swab))) {
            return Place::Served { run: runs.add(Run { station: *lane, remaining_s: on_lane - self.passed(Some(tube.first_swab)) }) };
        }
        let remaining_s = self.remaining("sampling", key, &self.times.sampling_s, self.passed(Some(tube.first_swab)));
        Place::Served { run: runs.add(Run { station: sampling, remaining_s }) }
    }

    /// A plate that was laid: in the extraction while that lasts, then in a run.
    fn on_the_bench(&self, at: At, number: usize, plate: PlateId, passed_s: f64) -> Run {
        let remaining_s = self.remaining("bench", plate.raw() as u64, &self.times.laboratories[number].bench_s, passed_s);
        match (at.extraction, self.seen.laboratories[number].equipment) {
            (Some(extraction), Some(stated)) if passed_s < f64::from(stated.extraction_s) => {
                Run { station: extraction, remaining_s: f64::from(stated.extraction_s) - passed_s }
            }
            _ => Run { station: at.bench, remaining_s },
        }
    }

    /// Tubes' worth of people still to come, until the point closes.
    fn streams(&self) -> Vec<ArrivalStream> {
        let coming = lines::coming(self.seen);
        let open = self.seen.points.iter().enumerate().filter(|(place, _)| coming[*place] > 0.0);
        let stream = open.map(|(place, point)| ArrivalStream {
            name: point.id.to_string(),
            station: self.lanes.get(&place).map_or(self.rounds[self.times.round(Some(point.id))].0, |(lane, _)| *lane),
            rates: vec![Rate { from_s: 0.0, per_s: coming[place] }],
            until_s: point.closes.since(self.seen.now) as f64 / SECOND_US as f64,
            age_s: 0.0,
        });
        stream.collect()
    }
}

/// What is at work now: a plate and a courier's round are one run each.
#[derive(Default)]
struct Runs {
    runs: Vec<Run>,
    plates: HashMap<PlateId, u32>,
    roads: HashMap<(usize, usize), u32>,
}

impl Runs {
    fn add(&mut self, run: Run) -> u32 {
        self.runs.push(run);
        self.runs.len() as u32 - 1
    }

    fn plate(&mut self, plate: PlateId, run: impl FnOnce() -> Run) -> u32 {
        if let Some(known) = self.plates.get(&plate) {
            return *known;
        }
        let number = self.add(run());
        self.plates.insert(plate, number);
        number
    }

    fn road(&mut self, road: (usize, usize), run: impl FnOnce() -> Run) -> u32 {
        if let Some(known) = self.roads.get(&road) {
            return *known;
        }
        let number = self.add(run());
        self.roads.insert(road, number);
        number
    }
}
