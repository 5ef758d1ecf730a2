//! The run: instant by instant until nobody is inside and nobody comes any more.

use super::events::{Class, Event};
use super::network::{Batch, Breakdown, Discipline, Network, Rework, Route};
use super::state::{Entity, FALLS_OUT, IS_BATCH, IS_REPAIRED, NEXT_STEP, RunningBatch, State, Waiting};
use crate::draws::{Purpose, Stream, uniform};

/// One entity from outside.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Arrival {
    pub at_s: f64,
    pub station: u32,
    pub entity: Entity,
}

/// Who comes from outside.
#[derive(Debug, Clone, PartialEq)]
pub enum Arrivals {
    /// At the first station; the first gap starts at 0. The mean must be positive.
    Exponential { mean_gap_s: f64, count: u32 },
    /// At the first station; ascending, from 0.
    Times(Vec<f64>),
    /// Ascending by `at_s`, from 0.
    Listed(Vec<Arrival>),
}

impl Arrivals {
    pub fn count(&self) -> usize {
        match self {
            Self::Exponential { count, .. } => *count as usize,
            Self::Times(times) => times.len(),
            Self::Listed(arrivals) => arrivals.len(),
        }
    }
}

/// All draws of one replication.
#[derive(Debug, Clone)]
pub struct Draws {
    arrival: Stream,
    service: Vec<Stream>,
    route: Vec<Stream>,
    breakdown: Vec<Stream>,
    repair: Vec<Stream>,
}

impl Draws {
    pub fn new(network: &Network, seed: u64, replication: u32) -> Self {
        let streams = |purpose| network.stations().iter().map(|station| Stream::new(seed, replication, purpose, &station.name)).collect();
        Self {
            arrival: Stream::new(seed, replication, Purpose::Arrival, ""),
            service: streams(Purpose::Service),
            route: streams(Purpose::Route),
            breakdown: streams(Purpose::Breakdown),
            repair: streams(Purpose::Repair),
        }
    }
}

/// Who watches a run. Every method does nothing unless it is written.
pub trait Observer {
    /// An entity joined the queue of a station.
    fn joined(&mut self, _station: u32, _entity: u32, _now_s: f64) {}
    /// An entity's service began; of a batch each member is told.
    fn started(&mut self, _station: u32, _entity: u32, _wait_s: f64, _now_s: f64) {}
    /// A server took up work for so long: once for a batch.
    fn occupied(&mut self, _station: u32, _service_s: f64) {}
    /// An entity left after its last station.
    fn left(&mut self, _entity: u32, _born_s: f64, _now_s: f64) {}
    /// An entity found the queue too long.
    fn lost(&mut self, _station: u32, _entity: u32, _now_s: f64) {}
}

/// Watches nothing.
impl Observer for () {}

#[derive(Debug, Clone)]
pub struct Simulation<'a> {
    network: &'a Network,
    arrivals: &'a Arrivals,
    draws: &'a Draws,
    state: State,
}

impl<'a> Simulation<'a> {
    /// Begins a run at time 0 with what `state` holds. Arrivals take the numbers after those of the entities already there;
    /// all numbers must stay below [`MOST_NUMBERS`](super::MOST_NUMBERS), and listed arrivals must name stations of the network.
    pub fn start(network: &'a Network, arrivals: &'a Arrivals, draws: &'a Draws, mut state: State) -> Self {
        state.born.reserve(arrivals.count());
        if network.stations().iter().any(|station| station.rework.is_some()) {
            state.visits.resize(state.born.len() + arrivals.count(), 0);
        }
        let mut simulation = Self { network, arrivals, draws, state };
        simulation.state.next_arrival = simulation.next_arrival(0.0);
        for (index, station) in network.stations().iter().enumerate() {
            if let Some(breakdown) = &station.breakdown {
                simulation.plan_breakdown(index as u32, breakdown);
            }
        }
        simulation
    }

    /// Goes on with a state that [`Simulation::state`] gave, with the same network, arrivals and draws.
    pub fn resume(network: &'a Network, arrivals: &'a Arrivals, draws: &'a Draws, state: State) -> Self {
        Self { network, arrivals, draws, state }
    }

    pub fn state(&self) -> &State {
        &self.state
    }

    /// To the end, when the last entity has left.
    pub fn run(&mut self, observer: &mut impl Observer) {
        while self.instant(f64::INFINITY, observer) {}
    }

    /// All instants up to `time_s`, inclusive.
    pub fn run_until(&mut self, time_s: f64, observer: &mut impl Observer) {
        while self.instant(time_s, observer) {}
    }

    fn instant<O: Observer>(&mut self, until: f64, observer: &mut O) -> bool {
        let now = self.state.events.next_time().min(self.state.next_arrival);
        let is_over = self.state.inside == 0 && self.state.next_arrival == f64::INFINITY;
        if is_over || now > until || now == f64::INFINITY {
            return false;
        }
        self.state.now = now;
        while let Some(event) = self.state.events.pop(now, Class::Capacity) {
            self.happen(event, observer);
        }
        while self.state.next_arrival == now {
            self.arrive(observer);
        }
        while let Some(event) = self.state.events.pop(now, Class::Deadline) {
            self.happen(event, observer);
        }
        while let Some(station) = self.state.touched.pop() {
            self.state.stations[station as usize].touched = false;
            self.start_services(station, observer);
        }
        true
    }

    #[inline]
    fn happen<O: Observer>(&mut self, event: Event, observer: &mut O) {
        match event.class {
            Class::Completion => self.complete(event, observer),
            Class::Capacity => self.change_capacity(event),
            Class::Travelled => self.join(event.what, event.number, event.number, observer),
            Class::Deadline => self.state.touch(event.number),
        }
    }

    fn next_arrival(&self, now: f64) -> f64 {
        let index = self.state.arrived;
        match self.arrivals {
            Arrivals::Exponential { mean_gap_s, count } if index < *count => now - mean_gap_s * uniform(self.draws.arrival.word(u64::from(index))).ln(),
            Arrivals::Exponential { .. } => f64::INFINITY,
            Arrivals::Times(times) => times.get(index as usize).copied().unwrap_or(f64::INFINITY),
            Arrivals::Listed(arrivals) => arrivals.get(index as usize).map_or(f64::INFINITY, |arrival| arrival.at_s),
        }
    }

    fn arrive<O: Observer>(&mut self, observer: &mut O) {
        let state = &mut self.state;
        let number = state.born.len() as u32;
        let mut station = 0;
        if let Arrivals::Listed(arrivals) = self.arrivals {
            let arrival = &arrivals[state.arrived as usize];
            station = arrival.station;
            state.born.push(arrival.entity.born_s);
            state.ranks.push(arrival.entity.rank);
            state.keys.push(arrival.entity.key);
        } else {
            state.born.push(state.now);
        }
        state.arrived += 1;
        state.inside += 1;
        state.happened += 1;
        self.state.next_arrival = self.next_arrival(self.state.now);
        self.join(station, number, number, observer);
    }

    #[inline]
    fn join<O: Observer>(&mut self, station: u32, entity: u32, leader: u32, observer: &mut O) {
        let now = self.state.now;
        let definition = &self.network.stations()[station as usize];
        if definition.queue_limit.is_some_and(|limit| self.state.waiting(station) >= limit as usize) {
            self.state.inside -= 1;
            observer.lost(station, entity, now);
            return;
        }
        let rank = match definition.discipline {
            Discipline::FirstCome => now,
            Discipline::Rank => self.state.rank(entity),
        };
        self.state.stations[station as usize].enqueue(Waiting { rank, since: now, leader, entity });
        self.state.touch(station);
        observer.joined(station, entity, now);
    }

    #[inline]
    fn complete<O: Observer>(&mut self, event: Event, observer: &mut O) {
        self.state.happened += 1;
        if event.what & IS_BATCH != 0 {
            return self.complete_batch(event.what & !IS_BATCH, observer);
        }
        self.state.stations[event.what as usize].busy -= 1;
        self.state.touch(event.what);
        self.move_on(event.what, event.number, event.number, observer);
    }

    fn complete_batch<O: Observer>(&mut self, slot: u32, observer: &mut O) {
        let RunningBatch { station, mut members } = std::mem::take(&mut self.state.batches[slot as usize]);
        self.state.stations[station as usize].busy -= 1;
        self.state.touch(station);
        for entity in &members {
            self.move_on(station, *entity, members[0], observer);
        }
        // The slot keeps its memory for the next batch.
        members.clear();
        self.state.batches[slot as usize].members = members;
        self.state.free_batches.push(slot);
    }

    #[inline]
    fn move_on<O: Observer>(&mut self, station: u32, entity: u32, leader: u32, observer: &mut O) {
        let definition = &self.network.stations()[station as usize];
        let next = match (&definition.rework, &definition.route) {
            (Some(rework), _) if self.is_repeated(station, entity, rework) => rework.to,
            (_, Route::To(next)) => *next,
            (_, Route::Shortest(lanes)) => self.shortest(lanes),
            (_, Route::Leave) => {
                self.state.inside -= 1;
                return observer.left(entity, self.state.born[entity as usize], self.state.now);
            }
        };
        if definition.travel_s > 0.0 {
            self.state.events.push(Event { time: self.state.now + definition.travel_s, class: Class::Travelled, number: entity, what: next });
        } else {
            self.join(next, entity, leader, observer);
        }
    }

    fn is_repeated(&mut self, station: u32, entity: u32, rework: &Rework) -> bool {
        let visit = self.state.visit(entity);
        let word = self.draws.route[station as usize].visit(visit).word(self.state.key(entity));
        let repeated = visit < rework.most && uniform(word) < rework.probability;
        if repeated && let Some(visits) = self.state.visits.get_mut(entity as usize) {
            *visits += 1;
        }
        repeated
    }

    fn shortest(&self, lanes: &[u32]) -> u32 {
        let length = |lane: &u32| (self.state.waiting(*lane), self.state.busy(*lane));
        lanes.iter().copied().min_by_key(length).unwrap_or(lanes[0])
    }

    fn change_capacity(&mut self, event: Event) {
        let (now, station) = (self.state.now, event.number);
        let definition = &self.network.stations()[station as usize];
        let state = &mut self.state.stations[station as usize];
        match (event.what, &definition.breakdown) {
            (NEXT_STEP, _) => {
                let steps = definition.calendar.steps();
                state.scheduled = steps[state.next_step as usize].servers;
                state.next_step += 1;
                if let Some(step) = steps.get(state.next_step as usize) {
                    self.state.events.push(Event { time: step.from_s, ..event });
                }
            }
            (FALLS_OUT, Some(breakdown)) => {
                state.out_of_order += 1;
                let word = self.draws.repair[station as usize].word(u64::from(state.breakdowns));
                state.breakdowns += 1;
                self.state.events.push(Event { time: now + breakdown.down.at(word), what: IS_REPAIRED, ..event });
            }
            (_, Some(breakdown)) => {
                state.out_of_order -= 1;
                self.plan_breakdown(station, breakdown);
            }
            (_, None) => {}
        }
        self.state.touch(station);
    }

    fn plan_breakdown(&mut self, station: u32, breakdown: &Breakdown) {
        let ordinal = self.state.stations[station as usize].breakdowns;
        let word = self.draws.breakdown[station as usize].word(u64::from(ordinal));
        let time = self.state.now - breakdown.up_mean_s * uniform(word).ln();
        self.state.events.push(Event { time, class: Class::Capacity, number: station, what: FALLS_OUT });
    }

    fn start_services<O: Observer>(&mut self, station: u32, observer: &mut O) {
        let definition = &self.network.stations()[station as usize];
        if let Some(batch) = &definition.batch {
            return self.start_batches(station, batch, observer);
        }
        let now = self.state.now;
        loop {
            let state = &mut self.state.stations[station as usize];
            if !state.has_free_server() {
                return;
            }
            let Some(waiting) = state.queue.pop_front() else { return };
            state.busy += 1;
            observer.started(station, waiting.entity, now - waiting.since, now);
            let time = now + self.service_time(station, waiting.entity, observer);
            self.state.events.push(Event { time, class: Class::Completion, number: waiting.entity, what: station });
        }
    }

    #[inline]
    fn service_time<O: Observer>(&self, station: u32, entity: u32, observer: &mut O) -> f64 {
        let stream = self.draws.service[station as usize].visit(self.state.visit(entity));
        let service = self.network.stations()[station as usize].service.at(stream.word(self.state.key(entity)));
        observer.occupied(station, service);
        service
    }

    fn start_batches<O: Observer>(&mut self, station: u32, batch: &Batch, observer: &mut O) {
        let now = self.state.now;
        loop {
            let state = &mut self.state.stations[station as usize];
            let Some(first) = state.queue.front().copied() else { return };
            if !state.has_free_server() {
                return;
            }
            let deadline = first.since + batch.max_wait_s;
            if state.queue.len() < batch.size as usize && now < deadline {
                if state.deadline != deadline {
                    state.deadline = deadline;
                    self.state.events.push(Event { time: deadline, class: Class::Deadline, number: station, what: 0 });
                }
                return;
            }
            state.busy += 1;
            let slot = self.take_batch(station, batch.size as usize, observer);
            let time = now + self.service_time(station, first.entity, observer);
            self.state.events.push(Event { time, class: Class::Completion, number: first.entity, what: IS_BATCH | slot });
        }
    }

    /// Moves the first of the queue into a batch.
    fn take_batch<O: Observer>(&mut self, station: u32, size: usize, observer: &mut O) -> u32 {
        let state = &mut self.state;
        let slot = state.free_batches.pop().unwrap_or_else(|| {
            state.batches.push(RunningBatch::default());
            state.batches.len() as u32 - 1
        });
        let batch = &mut state.batches[slot as usize];
        batch.station = station;
        let queue = &mut state.stations[station as usize].queue;
        for waiting in queue.drain(..size.min(queue.len())) {
            observer.started(station, waiting.entity, state.now - waiting.since, state.now);
            batch.members.push(waiting.entity);
        }
        slot
    }
}
