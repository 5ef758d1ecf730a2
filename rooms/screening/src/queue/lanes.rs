//! What the scans of a point say of its lanes: how many are at work, and how many people one lane serves in an hour. The screen of the
//! line, its advice and the twin of the outlook all take their figures from here.

use std::collections::BTreeMap;

use baton_kit::time::{HOUR_US, MINUTE_US, SECOND_US};
use baton_kit::{EventId, Timestamp, TypedId};

use super::store::Line;
use super::wait::{COUNT_HOLDS_US, PACE_MINUTES};

/// People whom one lane serves in an hour where nothing is measured: 1,050 people in two hours on four lanes, in tens to a tube (Jinjiang,
/// September 2021). A plan's figure, and said as one.
pub const PLANNED_PER_HOUR: f64 = 131.0;
/// So many people served one after another are enough to measure a lane.
pub const ENOUGH: usize = 12;
/// Scans of one device that lie further apart are not one after the other: nobody stood there.
const ONE_AFTER_ANOTHER_US: i64 = 90 * SECOND_US;
/// A lane is full that works so much of its time: the pace then is that of the lanes, and no longer that of those who come.
const FULL: f64 = 0.85;

/// A scan of a swab: which device, and when.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Scan {
    pub id: EventId,
    pub at: Timestamp,
}

/// The lanes of one point.
#[derive(Clone, PartialEq, Debug)]
pub struct Lanes {
    /// Lanes that are open: those whose devices scanned within [`PACE_MINUTES`], and no fewer than the leader said while that holds.
    pub open: u32,
    /// Seconds from one person to the next on one lane, as measured. Empty where too few were measured.
    pub gaps_s: Vec<f64>,
    /// People swabbed within [`PACE_MINUTES`].
    pub lately: i64,
}

impl Lanes {
    /// `scans` of the last [`PACE_MINUTES`], in any order. Where no lane can be seen those of the plan count, and one at least.
    pub fn of(scans: &[Scan], line: Option<&Line>, planned: Option<i64>, now: Timestamp) -> Self {
        let mut devices: BTreeMap<u32, Vec<Timestamp>> = BTreeMap::new();
        for scan in scans {
            devices.entry(scan.id.packed().device().number()).or_default().push(scan.at);
        }
        let said = line.filter(|line| (0..=COUNT_HOLDS_US).contains(&now.since(line.at))).map_or(0, |line| line.open.len());
        let seen = devices.len().max(said) as u32;
        let planned = || planned.and_then(|planned| u32::try_from(planned).ok()).unwrap_or(1).max(1);
        let mut gaps_s = Vec::new();
        for times in devices.values_mut() {
            times.sort_unstable();
            let gaps = times.windows(2).map(|pair| pair[1].since(pair[0])).filter(|gap| (1..=ONE_AFTER_ANOTHER_US).contains(gap));
            gaps_s.extend(gaps.map(|gap| gap as f64 / SECOND_US as f64));
        }
        if gaps_s.len() < ENOUGH {
            gaps_s.clear();
        }
        Self { open: if seen > 0 { seen } else { planned() }, gaps_s, lately: scans.len() as i64 }
    }

    pub fn measured(&self) -> bool {
        !self.gaps_s.is_empty()
    }

    /// Seconds one lane takes for one person.
    pub fn person_s(&self) -> f64 {
        if self.gaps_s.is_empty() { HOUR_US as f64 / SECOND_US as f64 / PLANNED_PER_HOUR } else { self.gaps_s.iter().sum::<f64>() / self.gaps_s.len() as f64 }
    }

    /// People one lane serves in an hour.
    pub fn per_hour(&self) -> f64 {
        (HOUR_US / SECOND_US) as f64 / self.person_s()
    }

    /// Whether the lanes are at work nearly all the time.
    pub fn full(&self) -> bool {
        let all_s = f64::from(self.open) * (PACE_MINUTES * MINUTE_US / SECOND_US) as f64;
        self.measured() && self.lately as f64 * self.person_s() >= FULL * all_s
    }

    /// Minutes that so many people in the line wait for these lanes.
    pub fn minutes_for(&self, people: i64) -> i64 {
        (people as f64 * self.person_s() / f64::from(self.open.max(1)) / 60.0).ceil() as i64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use baton_kit::{Bucket, Device};

    const NOW: Timestamp = Timestamp(1_000_000 * HOUR_US);

    /// Scans of a device every so many seconds, back from now.
    fn scans(device: u32, every_s: i64, count: u32) -> Vec<Scan> {
        let at = |n: u32| NOW.plus_us(-i64::from(n) * every_s * SECOND_US);
        (0..count).map(|n| Scan { id: EventId::new(Bucket::INSTALLATION, Device::new(device).expect("a number"), n), at: at(n) }).collect()
    }

    fn line(open: usize, minutes_ago: i64) -> Line {
        Line { waiting: 40, open: (1..=open as i64).collect(), at: NOW.plus_us(-minutes_ago * MINUTE_US) }
    }

    #[test]
    fn devices_that_scan_are_lanes_and_their_gaps_the_pace_of_one() {
        let all = [scans(7, 30, 30), scans(9, 40, 22)].concat();
        let lanes = Lanes::of(&all, None, Some(6), NOW);
        assert_eq!((lanes.open, lanes.gaps_s.len(), lanes.lately), (2, 29 + 21, 52));
        assert!((lanes.person_s() - (29.0 * 30.0 + 21.0 * 40.0) / 50.0).abs() < 1e-9 && lanes.measured() && lanes.full());
        assert!((lanes.per_hour() * lanes.person_s() - 3600.0).abs() < 1e-9);
        assert_eq!(lanes.minutes_for(100), 29, "100 people at 34.2 s on two lanes");
    }

    #[test]
    fn a_lane_where_nobody_stood_is_not_slow() {
        // Pairs of people half a minute apart, a pair every five minutes.
        let paired = (0..24).map(|n| Scan { at: NOW.plus_us(-(n / 2 * 300 + n % 2 * 30) * SECOND_US), ..scans(7, 1, 24)[n as usize] }).collect::<Vec<_>>();
        let lanes = Lanes::of(&paired, None, None, NOW);
        assert!((lanes.person_s() - 30.0).abs() < 1e-9 && !lanes.full(), "{lanes:?}");
    }

    #[test]
    fn where_nothing_is_measured_the_plan_is_taken_and_said_to_be_one() {
        let none = Lanes::of(&[], None, Some(3), NOW);
        assert_eq!((none.open, none.measured(), none.full()), (3, false, false));
        assert!((none.per_hour() - PLANNED_PER_HOUR).abs() < 1e-9);
        assert_eq!(Lanes::of(&[], None, None, NOW).open, 1);
        assert!(!Lanes::of(&scans(7, 20, ENOUGH as u32), None, None, NOW).measured(), "one gap less than there are scans");
    }

    #[test]
    fn the_leaders_word_holds_as_long_as_a_count_does() {
        assert_eq!(Lanes::of(&scans(7, 30, 20), Some(&line(4, 10)), None, NOW).open, 4);
        assert_eq!(Lanes::of(&scans(7, 30, 20), Some(&line(4, 31)), None, NOW).open, 1);
        assert_eq!(Lanes::of(&[scans(7, 30, 20), scans(8, 30, 20)].concat(), Some(&line(1, 5)), None, NOW).open, 2, "two were seen at work");
    }
}
