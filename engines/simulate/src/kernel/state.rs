//! What changes during a run. It is plain data: a clone is a second laboratory with the same past.

use std::collections::VecDeque;

use super::events::{Class, Event, EventList};
use super::network::Network;

/// Marks, in the event of a completion, a batch instead of a station.
pub(super) const IS_BATCH: u32 = 1 << 31;

/// What a capacity event means.
pub(super) const NEXT_STEP: u32 = 0;
pub(super) const FALLS_OUT: u32 = 1;
pub(super) const IS_REPAIRED: u32 = 2;

/// An entity that is brought into a state from outside. Times are relative to the start of the run and may lie before it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Entity {
    pub born_s: f64,
    /// Place in queues by rank: the smaller, the earlier.
    pub rank: f64,
    /// Names the entity in every draw.
    pub key: u64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Waiting {
    pub rank: f64,
    pub since: f64,
    /// First member of the batch it came with; itself if it came alone.
    pub leader: u32,
    pub entity: u32,
}

impl Waiting {
    #[inline]
    fn is_behind(&self, other: &Self) -> bool {
        (self.rank, self.since, self.leader) > (other.rank, other.since, other.leader)
    }
}

#[derive(Debug, Clone)]
pub(super) struct StationState {
    pub queue: VecDeque<Waiting>,
    pub scheduled: u32,
    pub out_of_order: u32,
    pub busy: u32,
    /// The last deadline put on the event list.
    pub deadline: f64,
    pub next_step: u32,
    pub breakdowns: u32,
    pub touched: bool,
}

impl StationState {
    #[inline]
    pub fn has_free_server(&self) -> bool {
        self.busy + self.out_of_order < self.scheduled
    }

    /// Behind all that are not behind it: at the end, but for ties and ranks.
    #[inline]
    pub fn enqueue(&mut self, waiting: Waiting) {
        match self.queue.back() {
            Some(last) if last.is_behind(&waiting) => {
                let place = self.queue.partition_point(|other| !other.is_behind(&waiting));
                self.queue.insert(place, waiting);
            }
            _ => self.queue.push_back(waiting),
        }
    }
}

#[derive(Debug, Clone, Default)]
pub(super) struct RunningBatch {
    pub station: u32,
    pub members: Vec<u32>,
}

/// Everything that is going on at one moment.
#[derive(Debug, Clone)]
pub struct State {
    pub(super) now: f64,
    pub(super) events: EventList,
    pub(super) stations: Vec<StationState>,
    pub(super) touched: Vec<u32>,
    pub(super) batches: Vec<RunningBatch>,
    pub(super) free_batches: Vec<u32>,
    pub(super) born: Vec<f64>,
    /// Empty: the rank is the time of birth, the key the number, nobody came twice.
    pub(super) ranks: Vec<f64>,
    pub(super) keys: Vec<u64>,
    pub(super) visits: Vec<u8>,
    pub(super) inside: u32,
    pub(super) arrived: u32,
    pub(super) next_arrival: f64,
    pub(super) happened: u64,
}

impl State {
    /// Nobody there, at time 0.
    pub fn empty(network: &Network) -> Self {
        let mut events = EventList::default();
        let mut stations = Vec::with_capacity(network.len());
        for (index, station) in network.stations().iter().enumerate() {
            let steps = station.calendar.steps();
            if let Some(step) = steps.get(1) {
                events.push(Event { time: step.from_s, class: Class::Capacity, number: index as u32, what: NEXT_STEP });
            }
            stations.push(StationState {
                queue: VecDeque::new(),
                scheduled: steps[0].servers,
                out_of_order: 0,
                busy: 0,
                deadline: -1.0,
                next_step: 1,
                breakdowns: 0,
                touched: false,
            });
        }
        Self {
            now: 0.0,
            events,
            stations,
            touched: Vec::new(),
            batches: Vec::new(),
            free_batches: Vec::new(),
            born: Vec::new(),
            ranks: Vec::new(),
            keys: Vec::new(),
            visits: Vec::new(),
            inside: 0,
            arrived: 0,
            next_arrival: f64::INFINITY,
            happened: 0,
        }
    }

    fn bring(&mut self, entity: Entity) -> u32 {
        let number = self.born.len() as u32;
        self.born.push(entity.born_s);
        self.ranks.push(entity.rank);
        self.keys.push(entity.key);
        self.inside += 1;
        number
    }

    /// Brings an entity that waits at `station` since `since_s`; of those with the same time the first brought is first.
    pub fn bring_waiting(&mut self, network: &Network, station: u32, entity: Entity, since_s: f64) -> u32 {
        let number = self.bring(entity);
        let rank = match network.stations()[station as usize].discipline {
            super::Discipline::FirstCome => since_s,
            super::Discipline::Rank => entity.rank,
        };
        self.stations[station as usize].enqueue(Waiting { rank, since: since_s, leader: number, entity: number });
        self.wake(station);
        number
    }

    /// Brings entities that one server of `station` serves until `end_s`, 0 or later. Returns their numbers.
    pub fn bring_running(&mut self, station: u32, entities: &[Entity], end_s: f64) -> Vec<u32> {
        let members: Vec<u32> = entities.iter().map(|entity| self.bring(*entity)).collect();
        let Some(first) = members.first() else { return members };
        self.stations[station as usize].busy += 1;
        let what = IS_BATCH | self.batches.len() as u32;
        self.events.push(Event { time: end_s, class: Class::Completion, number: *first, what });
        self.batches.push(RunningBatch { station, members: members.clone() });
        members
    }

    /// Brings an entity that reaches `station` at `at_s`, 0 or later.
    pub fn bring_travelling(&mut self, station: u32, entity: Entity, at_s: f64) -> u32 {
        let number = self.bring(entity);
        self.events.push(Event { time: at_s, class: Class::Travelled, number, what: station });
        number
    }

    /// Lets the station look at its queue at time 0, after all else of that instant.
    fn wake(&mut self, station: u32) {
        let state = &mut self.stations[station as usize];
        if state.deadline != 0.0 {
            state.deadline = 0.0;
            self.events.push(Event { time: 0.0, class: Class::Deadline, number: station, what: 0 });
        }
    }

    /// The time of the last instant that happened.
    pub fn now_s(&self) -> f64 {
        self.now
    }

    /// Entities in queues, in service and on the way.
    pub fn inside(&self) -> u32 {
        self.inside
    }

    pub fn waiting(&self, station: u32) -> usize {
        self.stations[station as usize].queue.len()
    }

    /// Servers at work.
    pub fn busy(&self, station: u32) -> u32 {
        self.stations[station as usize].busy
    }

    /// Arrivals and completions so far; a batch is one completion.
    pub fn events(&self) -> u64 {
        self.happened
    }

    pub(super) fn touch(&mut self, station: u32) {
        let state = &mut self.stations[station as usize];
        if !state.touched {
            state.touched = true;
            self.touched.push(station);
        }
    }

    #[inline]
    pub(super) fn key(&self, entity: u32) -> u64 {
        self.keys.get(entity as usize).copied().unwrap_or(u64::from(entity))
    }

    #[inline]
    pub(super) fn rank(&self, entity: u32) -> f64 {
        self.ranks.get(entity as usize).copied().unwrap_or_else(|| self.born[entity as usize])
    }

    #[inline]
    pub(super) fn visit(&self, entity: u32) -> u8 {
        self.visits.get(entity as usize).copied().unwrap_or(0)
    }
}
