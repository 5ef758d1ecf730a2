//! In the laboratory: reception stations accession tubes, full or overdue plates go through extraction and a run.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use baton_kit::Timestamp;
use baton_kit::time::SECOND_US;

use super::{Act, Day, PlatePlan, Role, TubeFate, minutes};

const STATIONS: u32 = 4;
const ACCESSION_US: i64 = 6 * SECOND_US;
/// A plate is filled when so many tubes wait, or when the first of them has waited this long.
const PLATE_WAIT_US: i64 = minutes(45);
const FILL_US: i64 = minutes(8);
pub(crate) const EXTRACTORS: usize = 14;
pub(crate) const EXTRACTION_US: i64 = minutes(40);
pub(crate) const CYCLERS: usize = 18;
const RUN_US: i64 = minutes(75);

/// Machines of one kind: each is free again at a time.
struct Machines(BinaryHeap<Reverse<Timestamp>>);

impl Machines {
    fn new(count: usize, from: Timestamp) -> Self {
        Self((0..count).map(|_| Reverse(from)).collect())
    }

    /// Takes the machine that is free first, at `ready` at the earliest; says when it starts.
    fn start(&mut self, ready: Timestamp, takes_us: i64) -> Timestamp {
        let free = self.0.pop().map_or(ready, |Reverse(free)| free);
        let start = free.max(ready);
        self.0.push(Reverse(start.plus_us(takes_us)));
        start
    }
}

/// Plans every laboratory of the day from the boxes it receives.
pub(super) fn work(day: &mut Day) {
    for laboratory in 0..day.laboratories {
        let stations: Vec<u32> = (0..STATIONS).map(|station| day.actor(Role::Reception { laboratory, station })).collect();
        let benches: Vec<u32> = (0..3).map(|shift| day.actor(Role::Bench { laboratory, shift })).collect();
        let accessioned = receive(day, laboratory, &stations);
        let mut extractors = Machines::new(EXTRACTORS, day.settings.opens);
        let mut cyclers = Machines::new(CYCLERS, day.settings.opens);
        for (filled_at, tubes) in batches(&accessioned, day.settings.plate_tubes as usize) {
            let plate = day.plates.len() as u32;
            let extracted = extractors.start(filled_at.plus_us(FILL_US), EXTRACTION_US).plus_us(EXTRACTION_US);
            let started = cyclers.start(extracted.plus_us(FILL_US), RUN_US);
            let read_at = started.plus_us(RUN_US);
            day.plates.push(PlatePlan { laboratory, tubes, read_at });
            let steps = [(filled_at, Act::FillPlate { plate }), (started, Act::StartRun { plate }), (read_at, Act::FinishRun { plate })];
            for (at, act) in steps {
                day.act(at, benches[day.shift(at) as usize], act);
            }
        }
    }
}

/// Accepts the boxes and deals with their tubes one by one; gives the accessioned tubes in the order of time.
fn receive(day: &mut Day, laboratory: u32, stations: &[u32]) -> Vec<(Timestamp, u32)> {
    let mut boxes: Vec<u32> = (0..day.boxes.len() as u32).filter(|package| day.boxes[*package as usize].laboratory == laboratory).collect();
    boxes.sort_by_key(|package| (day.boxes[*package as usize].received_at, *package));
    let mut free: Vec<Timestamp> = vec![day.settings.opens; stations.len()];
    let mut accessioned = Vec::new();
    for package in boxes {
        let received = day.boxes[package as usize].received_at;
        // The station that is free first takes the whole box, so one hand answers for its count.
        let Some(station) = (0..stations.len()).min_by_key(|station| (free[*station], *station)) else {
            continue;
        };
        let mut at = received.max(free[station]);
        day.act(at, stations[station], Act::AcceptBox { package });
        for tube in day.boxes[package as usize].tubes.clone() {
            at = at.plus_us(ACCESSION_US);
            let act = match day.tubes[tube as usize].fate {
                TubeFate::Arrives => Act::AccessionTube { tube },
                TubeFate::Leaked => Act::RejectTube { tube },
                TubeFate::Lost => Act::MissTube { tube },
            };
            if act == (Act::AccessionTube { tube }) {
                accessioned.push((at, tube));
            }
            day.act(at, stations[station], act);
        }
        free[station] = at;
    }
    accessioned.sort_unstable();
    accessioned
}

/// Cuts the stream of tubes into plates, with the time each is filled.
fn batches(tubes: &[(Timestamp, u32)], size: usize) -> Vec<(Timestamp, Vec<u32>)> {
    let mut batches = Vec::new();
    let mut rest = tubes;
    while let Some((first, _)) = rest.first() {
        let due = first.plus_us(PLATE_WAIT_US);
        let waiting = rest.iter().take(size).take_while(|(at, _)| *at <= due).count();
        let (batch, later) = rest.split_at(waiting);
        let full = waiting == size;
        let at = if full { batch[waiting - 1].0 } else { due };
        batches.push((at, batch.iter().map(|(_, tube)| *tube).collect()));
        rest = later;
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plate_is_filled_when_it_is_full_or_overdue() {
        let at = |minute| Timestamp(minutes(minute));
        let tubes = [(at(0), 7), (at(1), 8), (at(2), 9), (at(10), 10), (at(60), 11)];
        let plates = batches(&tubes, 3);
        assert_eq!(plates, [(at(2), vec![7, 8, 9]), (at(55), vec![10]), (at(105), vec![11])]);
        assert_eq!(batches(&[], 3), []);
    }

    #[test]
    fn the_machine_that_is_free_first_is_taken() {
        let mut machines = Machines::new(2, Timestamp(0));
        let starts = [0, 0, 0, 50].map(|ready| machines.start(Timestamp(ready), 10).0);
        assert_eq!(starts, [0, 0, 10, 50]);
    }
}
