//! Membership as of a day: points from which something holds, in whatever order they became known.

use baton_kit::{ImportId, OperationalDay};

use crate::events::Membership;

/// `to_day` of what still runs.
pub const RUNS: i64 = i32::MAX as i64;

/// From this day on the person belongs here; nothing means nowhere.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Point {
    pub from_day: OperationalDay,
    pub membership: Option<Membership>,
    pub import: Option<ImportId>,
}

/// What putting a point into a timeline changes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    /// Last day of the new point; [`RUNS`] when none follows.
    pub to_day: i64,
    /// The point before, which now ends the day before the new one.
    pub shortened: Option<OperationalDay>,
    /// What ran before and runs after; nothing of either when the new point is not the last.
    pub stopped: Option<Membership>,
    pub started: Option<Membership>,
}

/// `points` in the order of their days. A point on the same day is replaced.
pub fn put(points: &[Point], new: &Point) -> Change {
    let before = points.iter().rev().find(|point| point.from_day < new.from_day);
    let after = points.iter().find(|point| point.from_day > new.from_day);
    let last = after.is_none();
    Change {
        to_day: after.map_or(RUNS, |point| i64::from(point.from_day.0) - 1),
        shortened: before.map(|point| point.from_day),
        stopped: points.last().filter(|_| last).and_then(|point| point.membership.clone()),
        started: new.membership.clone().filter(|_| last),
    }
}

/// What holds on a day.
pub fn on(points: &[Point], day: OperationalDay) -> Option<&Membership> {
    points.iter().rev().find(|point| point.from_day <= day)?.membership.as_ref()
}

#[cfg(test)]
mod tests {
    use super::*;
    use baton_kit::{Bucket, Device, PlaceId};
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn membership(grid: u32) -> Membership {
        Membership { grid: Some(PlaceId::new(Bucket::new(3).unwrap(), Device::new(1).unwrap(), grid)), ..Membership::default() }
    }

    /// A store of points with their last days, changed only as `put` says.
    #[derive(Default)]
    struct Stored(BTreeMap<i32, (i64, Point)>, BTreeMap<PlaceId, i64>);

    impl Stored {
        fn put(&mut self, point: Point) {
            let points: Vec<Point> = self.0.values().map(|(_, point)| point.clone()).collect();
            let change = put(&points, &point);
            for (membership, by) in [(&change.stopped, -1), (&change.started, 1)] {
                if let Some(grid) = membership.as_ref().and_then(|m| m.grid) {
                    *self.1.entry(grid).or_default() += by;
                }
            }
            if let Some(day) = change.shortened {
                self.0.get_mut(&day.0).unwrap().0 = i64::from(point.from_day.0) - 1;
            }
            self.0.insert(point.from_day.0, (change.to_day, point));
        }
    }

    proptest! {
        #[test]
        fn days_have_no_gap_and_no_overlap_whatever_the_order(said in proptest::collection::vec((0..30_i32, 0..4_u32), 1..12)) {
            let mut stored = Stored::default();
            for (day, grid) in &said {
                let membership = (*grid > 0).then(|| membership(*grid));
                stored.put(Point { from_day: OperationalDay(*day), membership, import: None });
            }
            let rows: Vec<(i32, i64)> = stored.0.iter().map(|(from, (to, _))| (*from, *to)).collect();
            for pair in rows.windows(2) {
                prop_assert_eq!(pair[0].1 + 1, i64::from(pair[1].0));
            }
            prop_assert_eq!(rows.last().unwrap().1, RUNS);
            // The count of what runs is one, in the place of the last point, or none.
            let running: Vec<PlaceId> = stored.1.iter().filter(|(_, n)| **n != 0).map(|(p, _)| *p).collect();
            let points: Vec<Point> = stored.0.values().map(|(_, point)| point.clone()).collect();
            let now = on(&points, OperationalDay(99)).and_then(|m| m.grid);
            prop_assert_eq!(running, now.into_iter().collect::<Vec<_>>());
            prop_assert!(stored.1.values().all(|n| *n == 0 || *n == 1));
        }

        #[test]
        fn points_of_different_days_commute(days in proptest::collection::btree_set(0..30_i32, 1..6), seed in 0..24_usize) {
            let point = |day: i32| Point { from_day: OperationalDay(day), membership: Some(membership(day as u32)), import: None };
            let mut straight = Stored::default();
            days.iter().for_each(|day| straight.put(point(*day)));
            let mut shuffled: Vec<i32> = days.into_iter().collect();
            let turn = seed % shuffled.len();
            shuffled.rotate_left(turn);
            shuffled.reverse();
            let mut other = Stored::default();
            shuffled.into_iter().for_each(|day| other.put(point(day)));
            prop_assert_eq!(straight.0, other.0);
        }
    }

    #[test]
    fn before_the_first_day_a_person_is_nowhere() {
        let points = [Point { from_day: OperationalDay(10), membership: Some(membership(1)), import: None }];
        assert_eq!(on(&points, OperationalDay(9)), None);
        assert_eq!(on(&points, OperationalDay(10)), Some(&membership(1)));
    }
}
