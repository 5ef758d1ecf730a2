//! Numbers of tube labels, and what became of a block of them. Pure.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use baton_documents::{CheckError, strip_check, with_check};
use baton_kit::{Device, Refusal};

use crate::events::{IssueLabels, LabelsIssued};

/// Labels of one block, and of one report of spoiled or lost ones.
pub const BLOCK_LIMIT: i64 = 5_000;
/// The last number there is: nine digits.
pub const SERIAL_LAST: i64 = 999_999_999;
/// Why labels were struck off.
pub const STRIKE_REASONS: [&str; 3] = ["spoiled", "misprinted", "lost"];
/// Begins every number that was issued here; labels from elsewhere look otherwise.
const MARK: char = 'B';
const DIGITS: usize = 9;

/// What is printed: `B`, nine digits, and a check character after ISO/IEC 7064.
pub fn code(serial: i64) -> String {
    let number = format!("{MARK}{serial:0DIGITS$}");
    with_check(&number).unwrap_or(number)
}

/// Why a text is no number that was issued here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NoSerial {
    /// A label from elsewhere: nothing is known of it.
    Foreign,
    /// It has our form, and its check character does not fit.
    Mistyped,
}

/// The number of a label of ours. Small letters, blanks and hyphens are passed over.
pub fn serial(text: &str) -> Result<u32, NoSerial> {
    let plain: String = text.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
    let digits = plain.strip_prefix([MARK, MARK.to_ascii_lowercase()]).ok_or(NoSerial::Foreign)?;
    if digits.len() != DIGITS + 1 || !digits.is_ascii() || !digits[..DIGITS].bytes().all(|b| b.is_ascii_digit()) {
        return Err(NoSerial::Foreign);
    }
    match strip_check(&plain) {
        Ok(_) => digits[..DIGITS].parse().map_err(|_| NoSerial::Foreign),
        Err(CheckError::Mismatch) => Err(NoSerial::Mistyped),
        Err(_) => Err(NoSerial::Foreign),
    }
}

/// The next block begins where the last one of the installation ended.
pub fn issue(next: i64, command: &IssueLabels) -> Result<LabelsIssued, Refusal> {
    if let Some(device) = command.device.filter(|number| *number >= Device::LIMIT) {
        return Err(Refusal::malformed("label-device-wrong").with("device", device));
    }
    let count = i64::from(command.count);
    if count == 0 || count > BLOCK_LIMIT {
        return Err(Refusal::ruled("label-count-wrong").with("limit", BLOCK_LIMIT));
    }
    if next + count - 1 > SERIAL_LAST {
        return Err(Refusal::ruled("labels-used-up"));
    }
    Ok(LabelsIssued { first: next })
}

/// What became of a block's labels.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Account {
    /// A tube was opened with it.
    pub used: i64,
    /// Struck off, by reason.
    pub struck: BTreeMap<String, i64>,
    /// Struck off and yet on a tube: somebody is wrong.
    pub used_though_struck: Vec<i64>,
    /// Below the last one used, neither used nor struck off: where are they?
    pub skipped: Vec<RangeInclusive<i64>>,
    /// Above the last one used.
    pub left: i64,
}

impl Account {
    pub fn skipped_count(&self) -> i64 {
        self.skipped.iter().map(|range| range.end() - range.start() + 1).sum()
    }
}

/// `used` and `struck` may name serials in any order; those outside the block are passed over.
pub fn account(block: RangeInclusive<i64>, used: &[i64], struck: &[(i64, String)]) -> Account {
    let mut fate: BTreeMap<i64, (bool, Option<&str>)> = BTreeMap::new();
    for serial in used.iter().filter(|serial| block.contains(serial)) {
        fate.entry(*serial).or_default().0 = true;
    }
    for (serial, reason) in struck.iter().filter(|(serial, _)| block.contains(serial)) {
        fate.entry(*serial).or_default().1 = Some(reason);
    }
    let mut account = Account::default();
    let mut next = *block.start();
    let last_used = fate.iter().rev().find(|(_, (used, _))| *used).map_or(block.start() - 1, |(serial, _)| *serial);
    for (serial, (used, reason)) in &fate {
        if *serial <= last_used && next < *serial {
            account.skipped.push(next..=serial - 1);
        }
        next = serial + 1;
        match (used, reason) {
            (true, reason) => {
                account.used += 1;
                account.used_though_struck.extend(reason.map(|_| *serial));
            }
            (false, Some(reason)) => *account.struck.entry((*reason).to_owned()).or_default() += 1,
            (false, None) => {}
        }
    }
    let struck_above = fate.range(last_used + 1..).count() as i64;
    account.left = block.end() - last_used - struck_above;
    account
}

#[cfg(test)]
mod tests {
    use super::*;
    use baton_kit::{EventId, PlaceId};
    use proptest::prelude::*;

    fn asked(count: u16) -> IssueLabels {
        let point: PlaceId = EventId::from_raw((5 << 56) | (1 << 32) | 9).unwrap().created();
        IssueLabels { point, device: None, count }
    }

    #[test]
    fn a_label_is_read_back_however_it_is_typed_and_a_slip_is_seen() {
        assert_eq!(code(12_345), format!("B000012345{}", baton_documents::check_character("B000012345").unwrap()));
        let written = code(12_345).to_lowercase();
        assert_eq!(serial(&format!("{} {}-{}", &written[..4], &written[4..10], &written[10..])), Ok(12_345));
        assert_eq!(serial(&code(12_345).replace("23", "32")), Err(NoSerial::Mistyped));
        for foreign in ["", "B", "TUBE-0001", "B12345", "B0000123450", "690123456789", "管B000012345"] {
            let wrong = serial(foreign);
            assert!(wrong == Err(NoSerial::Foreign) || (foreign.len() == 11 && wrong == Err(NoSerial::Mistyped)), "{foreign}: {wrong:?}");
        }
    }

    #[test]
    fn blocks_follow_each_other_to_the_last_number() {
        assert_eq!(issue(1, &asked(200)).unwrap().first, 1);
        assert_eq!(issue(SERIAL_LAST - 4_999, &asked(5_000)).unwrap().first, SERIAL_LAST - 4_999);
        assert_eq!(issue(SERIAL_LAST - 4_998, &asked(5_000)).unwrap_err().code, "labels-used-up");
        assert_eq!(issue(1, &asked(0)).unwrap_err().code, "label-count-wrong");
        assert_eq!(issue(1, &asked(5_001)).unwrap_err().code, "label-count-wrong");
    }

    #[test]
    fn gaps_below_the_last_used_are_named_and_what_is_above_is_left() {
        let struck = [(3, "spoiled".to_owned()), (9, "lost".to_owned()), (5, "lost".to_owned())];
        let found = account(1..=10, &[2, 6, 5, 99], &struck);
        assert_eq!((found.used, found.left, found.skipped_count()), (3, 3, 2));
        assert_eq!(found.skipped, vec![1..=1, 4..=4]);
        assert_eq!(found.used_though_struck, vec![5]);
        assert_eq!(found.struck, BTreeMap::from([("spoiled".to_owned(), 1), ("lost".to_owned(), 1)]));
        assert_eq!(account(1..=10, &[], &[]).left, 10);
    }

    proptest! {
        #[test]
        fn every_label_is_accounted_for_exactly_once(used in proptest::collection::vec(1i64..60, 0..60), struck in proptest::collection::vec((1i64..60, 0usize..3), 0..30)) {
            let struck: Vec<(i64, String)> = struck.into_iter().map(|(serial, reason)| (serial, STRIKE_REASONS[reason].to_owned())).collect();
            let found = account(10..=49, &used, &struck);
            prop_assert_eq!(found.used + found.struck.values().sum::<i64>() + found.skipped_count() + found.left, 40);
        }

        #[test]
        fn one_wrong_character_never_gives_another_label(serial_ in 0i64..SERIAL_LAST, at in 1usize..10, digit in 0u8..10) {
            let right = code(serial_);
            let mut wrong = right.clone().into_bytes();
            wrong[at] = b'0' + digit;
            let wrong = String::from_utf8(wrong).unwrap();
            prop_assert!(wrong == right || serial(&wrong) == Err(NoSerial::Mistyped));
            prop_assert_eq!(serial(&right), Ok(serial_ as u32));
        }
    }
}
