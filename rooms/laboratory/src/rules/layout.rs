//! Where the controls of a plate stand: elsewhere on every plate, so that a swapped or turned plate shows in its curves.

use baton_kit::{PlaceId, TypedId};
use baton_pcr::rules::{ControlKind, RuleSet};

use crate::events::{WellContent, WellLaid};

/// Plates there are.
pub const SIZES: [u16; 2] = [96, 384];
/// Shift from one plate of a laboratory to its next. Prime and no divisor of 96 or 384: every well comes up before one repeats.
const PLATE_SHIFT: u64 = 53;
/// Distance from one control of a plate to its next: never side by side, and never two in one well.
const CONTROL_SHIFT: u64 = 37;

pub fn columns(wells: u16) -> u16 {
    if wells == 384 { 24 } else { 12 }
}

/// The pattern of a laboratory's `number`-th plate: a start that nobody chose, moved on by a prime from plate to plate.
pub fn fingerprint(laboratory: PlaceId, number: i64, wells: u16) -> u16 {
    let size = u64::from(wells.max(1));
    let start = mixed(laboratory.raw().unsigned_abs()) % size;
    ((start + number.unsigned_abs() % size * PLATE_SHIFT) % size) as u16
}

/// One round of SplitMix64.
fn mixed(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

pub fn content_of(kind: ControlKind) -> WellContent {
    match kind {
        ControlKind::NoTemplate => WellContent::NoTemplateControl,
        ControlKind::Positive => WellContent::PositiveControl,
        ControlKind::Extraction => WellContent::ExtractionControl,
    }
}

pub fn kind_of(content: WellContent) -> Option<ControlKind> {
    match content {
        WellContent::Tube(_) => None,
        WellContent::NoTemplateControl => Some(ControlKind::NoTemplate),
        WellContent::PositiveControl => Some(ControlKind::Positive),
        WellContent::ExtractionControl => Some(ControlKind::Extraction),
    }
}

/// The control wells that the rule set asks for, in the pattern of a fingerprint.
pub fn controls(fingerprint: u16, wells: u16, rules: &RuleSet) -> Vec<WellLaid> {
    let kinds = rules.controls.iter().flat_map(|rule| std::iter::repeat_n(rule.kind, rule.min_wells));
    let size = u64::from(wells.max(1));
    let place = |step: usize| ((u64::from(fingerprint) + step as u64 * CONTROL_SHIFT) % size) as u16;
    kinds.take(usize::from(wells)).enumerate().map(|(step, kind)| WellLaid { well: place(step), content: content_of(kind) }).collect()
}

/// Wells in the order in which a pipette with eight channels fills them: down the columns.
pub fn filling_order(wells: u16) -> impl Iterator<Item = u16> {
    let columns = columns(wells);
    let rows = wells / columns;
    (0..columns).flat_map(move |column| (0..rows).map(move |row| row * columns + column))
}

/// The same layout on a plate put in the wrong way round.
pub fn turned(layout: &[WellLaid], wells: u16) -> Vec<WellLaid> {
    layout.iter().map(|laid| WellLaid { well: wells - 1 - laid.well, content: laid.content }).collect()
}

/// `A1` … `P24`.
pub fn label(well: u16, wells: u16) -> String {
    let columns = columns(wells);
    baton_instruments::well_label(well / columns, well % columns)
}

#[cfg(test)]
mod tests {
    use super::*;
    use baton_kit::{Bucket, Device};
    use proptest::prelude::*;
    use std::collections::HashSet;

    fn laboratory(n: u32) -> PlaceId {
        PlaceId::new(Bucket::INSTALLATION, Device::new(3).unwrap(), n)
    }

    fn pattern(n: u32, number: i64, wells: u16) -> Vec<(u16, WellContent)> {
        let rules = RuleSet::builtin("orf1ab-n-ic").unwrap();
        controls(fingerprint(laboratory(n), number, wells), wells, &rules).into_iter().map(|laid| (laid.well, laid.content)).collect()
    }

    proptest! {
        #[test]
        fn no_two_plates_in_a_row_of_so_many_share_their_pattern(n: u32, from in 0i64..5_000, wide: bool) {
            let wells = if wide { 384 } else { 96 };
            let seen: HashSet<u16> = (from..from + i64::from(wells)).map(|number| fingerprint(laboratory(n), number, wells)).collect();
            prop_assert_eq!(seen.len(), usize::from(wells));
        }

        #[test]
        fn controls_stand_in_wells_of_their_own(n: u32, number in 0i64..1_000, wide: bool) {
            let wells = if wide { 384 } else { 96 };
            let places = pattern(n, number, wells);
            let distinct: HashSet<u16> = places.iter().map(|(well, _)| *well).collect();
            prop_assert_eq!(distinct.len(), places.len());
            prop_assert!(places.iter().all(|(well, _)| *well < wells));
        }

        #[test]
        fn a_turned_plate_has_its_controls_elsewhere(n: u32, number in 0i64..1_000) {
            let rules = RuleSet::builtin("cdc-n1-n2-rp").unwrap();
            let laid = controls(fingerprint(laboratory(n), number, 96), 96, &rules);
            let back = turned(&laid, 96);
            for (one, other) in laid.iter().zip(&back) {
                prop_assert_ne!(one.well, other.well);
            }
            prop_assert_eq!(turned(&back, 96), laid);
        }
    }

    #[test]
    fn filling_goes_down_the_columns_and_reaches_every_well() {
        let order: Vec<u16> = filling_order(96).collect();
        assert_eq!(&order[..9], &[0, 12, 24, 36, 48, 60, 72, 84, 1]);
        assert_eq!(filling_order(384).collect::<HashSet<u16>>().len(), 384);
        assert_eq!(label(95, 96), "H12");
        assert_eq!(label(383, 384), "P24");
    }
}
