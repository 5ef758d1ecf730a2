//! The future-event list: a binary heap of 16-byte entries. The pending set is small (servers plus a few), so the kind of heap hardly matters.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// The order of events at one instant. Arrivals from outside come between `Capacity` and `Travelled`; starts come last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    Completion = 0,
    Capacity = 1,
    Travelled = 2,
    Deadline = 3,
}

/// Entity and station numbers stay below this, so that class and number share 32 bits.
pub const MOST_NUMBERS: u32 = 1 << 30;

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Event {
    pub time: f64,
    pub class: Class,
    /// Decides ties within a class: the entity (of a batch its first member) or the station.
    pub number: u32,
    pub what: u32,
}

/// Bits of a time that is not negative rise with the time.
#[inline]
fn key(time: f64, class: Class) -> u128 {
    (u128::from(time.to_bits()) << 64) | ((class as u128) << 62)
}

#[derive(Debug, Clone, Default)]
pub struct EventList(BinaryHeap<Reverse<u128>>);

impl EventList {
    /// The time must not be negative.
    #[inline]
    pub fn push(&mut self, event: Event) {
        debug_assert!(event.time >= 0.0 && event.number < MOST_NUMBERS);
        self.0.push(Reverse(key(event.time, event.class) | (u128::from(event.number) << 32) | u128::from(event.what)));
    }

    #[inline]
    pub fn next_time(&self) -> f64 {
        self.0.peek().map_or(f64::INFINITY, |Reverse(entry)| f64::from_bits((entry >> 64) as u64))
    }

    /// The first event, if it happens at `time` and belongs to `class` or an earlier one.
    #[inline]
    pub fn pop(&mut self, time: f64, class: Class) -> Option<Event> {
        let Reverse(entry) = *self.0.peek()?;
        if entry >> 62 > key(time, class) >> 62 {
            return None;
        }
        self.0.pop();
        let class = match (entry >> 62) & 3 {
            0 => Class::Completion,
            1 => Class::Capacity,
            2 => Class::Travelled,
            _ => Class::Deadline,
        };
        Some(Event { time, class, number: (entry >> 32) as u32 & (MOST_NUMBERS - 1), what: entry as u32 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_by_time_then_class_then_number() {
        let event = |time, class, number| Event { time, class, number, what: 7 };
        let sorted = [
            event(0.0, Class::Deadline, 5),
            event(0.1, Class::Completion, 1),
            event(0.1, Class::Completion, MOST_NUMBERS - 1),
            event(0.1, Class::Capacity, 0),
            event(0.1, Class::Travelled, 0),
            event(0.1, Class::Deadline, 0),
            event(3e8, Class::Completion, 0),
        ];
        let mut list = EventList::default();
        for index in [3, 6, 0, 5, 2, 4, 1] {
            list.push(sorted[index]);
        }
        assert_eq!(list.pop(0.0, Class::Travelled), None, "a deadline waits for its class");
        for expected in sorted {
            assert_eq!(list.next_time(), expected.time);
            assert_eq!(list.pop(expected.time, Class::Deadline), Some(expected));
        }
        assert_eq!(list.next_time(), f64::INFINITY);
        assert_eq!(list.pop(1.0, Class::Deadline), None);
    }
}
