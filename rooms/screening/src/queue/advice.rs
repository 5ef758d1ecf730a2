//! What shortens a line that is long: a line of the point that is still closed, or another point where one waits less.

use baton_kit::PlaceId;

use super::wait::{LONGEST, STEP, Wait};

/// Who surely waits this many minutes is told what would be shorter.
pub const LONG_FROM: i64 = 20;
/// People are sent elsewhere only where even the longest wait is so many minutes shorter than the shortest here: they have to walk there.
const WALK: i64 = 10;

/// What to do about a long line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Advice {
    /// Open this line; the wait then is about so.
    Open { line: i64, wait: Wait },
    /// Send people to this point, where they wait so.
    Send { point: PlaceId, wait: Wait },
}

/// A point nearby and the wait there.
pub type Nearby = (PlaceId, Wait);

/// Minutes of a wait that is known: nobody waiting counts as none.
fn minutes(wait: Wait) -> Option<(i64, i64)> {
    match wait {
        Wait::None => Some((0, 0)),
        Wait::Minutes { from, to } => Some((from, to)),
        Wait::CountOld | Wait::NoPace => None,
    }
}

/// Whether the wait is surely long.
pub fn is_long(wait: Wait) -> bool {
    matches!(wait, Wait::Minutes { from, .. } if from >= LONG_FROM)
}

/// First a line of one's own, then another point; nothing where the wait is short or nothing is known to be shorter.
pub fn advice(wait: Wait, open: &[i64], lines: i64, nearby: &[Nearby]) -> Option<Advice> {
    let (from, to) = minutes(wait).filter(|_| is_long(wait))?;
    if let Some(line) = (1..=lines).find(|line| !open.contains(line)) {
        // One line more serves as many as one of those that are open: the pace grows by that share.
        let with = |minutes: i64| minutes * open.len().max(1) as i64 / (open.len().max(1) as i64 + 1);
        let to = if to == LONGEST { LONGEST } else { ((with(to) + STEP - 1) / STEP * STEP).max(STEP) };
        return Some(Advice::Open { line, wait: Wait::Minutes { from: with(from) / STEP * STEP, to } });
    }
    let shorter = nearby.iter().filter_map(|(point, wait)| Some((minutes(*wait)?.1, *point, *wait))).filter(|(there, ..)| there + WALK <= from);
    shorter.min_by_key(|(there, point, _)| (*there, *point)).map(|(_, point, wait)| Advice::Send { point, wait })
}

#[cfg(test)]
mod tests {
    use super::*;
    use baton_kit::{Bucket, Device, PlaceId};
    use proptest::prelude::*;

    fn point(n: u32) -> PlaceId {
        PlaceId::new(Bucket::INSTALLATION, Device::new(1).unwrap(), n)
    }

    const LONG: Wait = Wait::Minutes { from: 40, to: 60 };

    #[test]
    fn a_closed_line_is_opened_before_anybody_is_sent_away() {
        let near = [(point(1), Wait::None)];
        assert_eq!(advice(LONG, &[1, 3], 3, &near), Some(Advice::Open { line: 2, wait: Wait::Minutes { from: 25, to: 40 } }));
        assert_eq!(advice(LONG, &[1, 2], 2, &near), Some(Advice::Send { point: point(1), wait: Wait::None }));
        assert_eq!(
            advice(Wait::Minutes { from: 40, to: LONGEST }, &[1], 2, &[]),
            Some(Advice::Open { line: 2, wait: Wait::Minutes { from: 20, to: LONGEST } })
        );
    }

    #[test]
    fn nobody_is_advised_without_need_or_knowledge() {
        assert_eq!(advice(Wait::Minutes { from: 15, to: 60 }, &[1], 2, &[]), None, "perhaps it is short");
        assert_eq!([Wait::None, Wait::CountOld, Wait::NoPace].map(|wait| advice(wait, &[1], 2, &[])), [None; 3]);
        let unknown = [(point(1), Wait::CountOld), (point(2), Wait::NoPace), (point(3), Wait::Minutes { from: 5, to: 35 })];
        assert_eq!(advice(LONG, &[1], 1, &unknown), None, "nothing is surely shorter");
    }

    proptest! {
        #[test]
        fn whoever_is_sent_waits_less_even_with_the_walk(from in 4i64..36, spread in 0i64..10, waits in proptest::collection::vec((0i64..30, 0i64..6), 0..6)) {
            let here = Wait::Minutes { from: from * STEP, to: (from + spread) * STEP };
            let nearby: Vec<Nearby> = (1..).zip(waits).map(|(n, (from, more))| (point(n), Wait::Minutes { from: from * STEP, to: (from + more) * STEP })).collect();
            match advice(here, &[1], 1, &nearby) {
                Some(Advice::Send { wait: Wait::Minutes { to, .. }, .. }) => {
                    prop_assert!(to + WALK <= from * STEP);
                    prop_assert!(nearby.iter().all(|(_, wait)| minutes(*wait).is_none_or(|(_, other)| to <= other)));
                }
                None => prop_assert!(nearby.iter().all(|(_, wait)| minutes(*wait).is_none_or(|(_, other)| other + WALK > from * STEP))),
                other => prop_assert!(false, "{other:?}"),
            }
        }
    }
}
