//! How long tubes took, from the first swab to the release: by point, box, plate and campaign.

use std::collections::BTreeMap;

use baton_kit::{AnyId, TypedId};

use crate::store::clock::Turnaround;

/// How long the tubes of one group took, in microseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Spread {
    pub tubes: usize,
    pub p50_us: i64,
    pub p90_us: i64,
    pub max_us: i64,
}

/// Nearest rank: the smallest time within which so many per hundred of the tubes were done.
pub fn spread(mut took: Vec<i64>) -> Spread {
    took.sort_unstable();
    let at = |percent: usize| took.get((took.len() * percent).div_ceil(100).saturating_sub(1)).copied().unwrap_or(0);
    Spread { tubes: took.len(), p50_us: at(50), p90_us: at(90), max_us: took.last().copied().unwrap_or(0) }
}

/// By what tubes are grouped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum By {
    Point,
    Box,
    Plate,
    Campaign,
}

impl By {
    pub const ALL: [By; 4] = [By::Point, By::Box, By::Plate, By::Campaign];

    pub fn name(self) -> &'static str {
        match self {
            By::Point => "point",
            By::Box => "box",
            By::Plate => "plate",
            By::Campaign => "campaign",
        }
    }

    fn of(self, tube: &Turnaround) -> Option<AnyId> {
        match self {
            By::Point => tube.point.map(any),
            By::Box => tube.box_id.map(any),
            By::Plate => tube.plate.map(any),
            By::Campaign => tube.campaign.map(any),
        }
    }
}

fn any(id: impl TypedId) -> AnyId {
    AnyId::from_packed(id.packed())
}

/// Groups with their spread, the slowest first.
pub fn grouped(tubes: &[Turnaround], by: By) -> Vec<(AnyId, Spread)> {
    let mut groups: BTreeMap<AnyId, Vec<i64>> = BTreeMap::new();
    for tube in tubes {
        if let Some(id) = by.of(tube) {
            groups.entry(id).or_default().push(tube.took_us);
        }
    }
    let mut spreads: Vec<(AnyId, Spread)> = groups.into_iter().map(|(id, took)| (id, spread(took))).collect();
    spreads.sort_by_key(|(id, spread)| (std::cmp::Reverse(spread.p90_us), *id));
    spreads
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ranks_by_hand() {
        let of_ten = spread((1..=10).rev().collect());
        assert_eq!((of_ten.p50_us, of_ten.p90_us, of_ten.max_us), (5, 9, 10));
        assert_eq!(spread(vec![7]), Spread { tubes: 1, p50_us: 7, p90_us: 7, max_us: 7 });
        assert_eq!(spread(Vec::new()), Spread::default());
    }

    proptest! {
        #[test]
        fn so_many_per_hundred_are_within(took in proptest::collection::vec(0i64..1_000_000, 1..200)) {
            let spread = spread(took.clone());
            let within = |limit: i64| took.iter().filter(|t| **t <= limit).count() * 100;
            prop_assert!(within(spread.p50_us) >= took.len() * 50);
            prop_assert!(within(spread.p90_us) >= took.len() * 90);
            prop_assert!(within(spread.p90_us - 1) < took.len() * 90);
        }
    }
}
