//! Identity numbers with right check characters that belong to nobody.
//!
//! Resident numbers and credit codes carry prefecture codes 96 to 99, which GB/T 2260 assigns nowhere: every check
//! passes and no real person or enterprise can have the number. Phone numbers begin with 194, which no operator holds.

/// Largest number of people whose documents are all different.
pub(crate) const PEOPLE_MAX: u32 = 4_000_000;

const PER_PREFECTURE: u32 = 1_000_000;
const COUNTIES: u64 = 80;
const SEQUENCES: u64 = 500;
/// Province codes of GB/T 2260; with 80 counties and 500 sequence numbers of each sex they make a million numbers.
const PROVINCES: [u8; 25] = [31, 32, 33, 34, 36, 41, 42, 43, 51, 37, 35, 44, 13, 14, 15, 21, 22, 23, 45, 50, 52, 53, 61, 62, 11];

/// A civil date of birth.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Birth {
    pub year: u16,
    pub month: u8,
    pub day: u8,
}

impl Birth {
    pub(crate) fn days_in_month(year: u16, month: u8) -> u8 {
        match month {
            4 | 6 | 9 | 11 => 30,
            2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
            2 => 28,
            _ => 31,
        }
    }
}

/// The check character of a resident number (GB 11643, ISO 7064 MOD 11-2) from its first seventeen digits.
pub fn resident_check(digits: &[u8]) -> char {
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let sum: u32 = digits.iter().zip(WEIGHTS).map(|(digit, weight)| u32::from(digit.saturating_sub(b'0')) * weight).sum();
    char::from(b"10X98765432"[(sum % 11) as usize])
}

/// The resident number of person `index`, below four million; `female` decides the parity of its last digit.
pub(crate) fn resident_number(seed: u64, index: u32, birth: Birth, female: bool) -> String {
    let slot = super::chance::shuffled(u64::from(index % PER_PREFECTURE), u64::from(PER_PREFECTURE), 618_033, seed);
    let prefecture = 99 - (index / PER_PREFECTURE).min(3);
    let county = slot / SEQUENCES % COUNTIES + 1;
    let province = PROVINCES[(slot / (SEQUENCES * COUNTIES)) as usize % PROVINCES.len()];
    let sequence = slot % SEQUENCES * 2 + u64::from(!female);
    let Birth { year, month, day } = birth;
    let mut number = format!("{province}{prefecture}{county:02}{year:04}{month:02}{day:02}{sequence:03}");
    number.push(resident_check(number.as_bytes()));
    number
}

/// Characters of a unified social credit code (GB 32100): no I, O, S, V, Z.
const CREDIT_ALPHABET: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";

/// The check character of a credit code from its first seventeen; `None` when one of them is not allowed.
pub fn credit_check(code: &str) -> Option<char> {
    let mut weight = 1;
    let mut sum = 0;
    for letter in code.bytes().take(17) {
        sum += CREDIT_ALPHABET.iter().position(|allowed| *allowed == letter)? * weight;
        weight = weight * 3 % 31;
    }
    Some(char::from(CREDIT_ALPHABET[(31 - sum % 31) % 31]))
}

/// The check character of an organisation code (GB 11714) from its first eight.
fn organisation_check(code: &str) -> char {
    const WEIGHTS: [u32; 8] = [3, 7, 9, 10, 5, 8, 4, 2];
    let sum: u32 = code.chars().zip(WEIGHTS).map(|(letter, weight)| letter.to_digit(36).unwrap_or(0) * weight).sum();
    match 11 - sum % 11 {
        10 => 'X',
        11 => '0',
        digit => char::from(b'0' + digit as u8),
    }
}

/// The credit code of enterprise `index`: registered by the market authority (91), synthetic region, code `MA……`.
pub(crate) fn credit_code(seed: u64, index: u32) -> String {
    let modulus = 31_u64.pow(6);
    let mut slot = super::chance::shuffled(u64::from(index), modulus, 548_454_119, seed);
    let mut organisation = *b"MA000000";
    for place in organisation.iter_mut().rev().take(6) {
        *place = CREDIT_ALPHABET[(slot % 31) as usize];
        slot /= 31;
    }
    let organisation: String = organisation.into_iter().map(char::from).collect();
    let mut code = format!("91319901{organisation}");
    code.push(organisation_check(&organisation));
    code.push(credit_check(&code).unwrap_or('0'));
    code
}

/// Seven digits that differ for every person.
fn serial(seed: u64, index: u32) -> u64 {
    super::chance::shuffled(u64::from(index), 10_000_000, 6_180_339, seed)
}

pub(crate) fn passport_number(seed: u64, index: u32, letters: &str) -> String {
    format!("{letters}{:07}", serial(seed, index))
}

/// Mainland travel permit for Hong Kong (H) and Macao (M) residents: letter and eight digits.
pub(crate) fn hong_kong_macao_permit(seed: u64, index: u32, macao: bool) -> String {
    format!("{}9{:07}", if macao { 'M' } else { 'H' }, serial(seed, index))
}

/// Mainland travel permit for Taiwan residents: eight digits.
pub(crate) fn taiwan_permit(seed: u64, index: u32) -> String {
    format!("9{:07}", serial(seed, index))
}

pub(crate) fn phone(seed: u64, index: u32) -> String {
    format!("194{:08}", super::chance::shuffled(u64::from(index), 100_000_000, 61_803_399, seed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;

    /// The sum of weighted digits as the standard states it, counted the other way round: it must be 1 modulo 11.
    fn resident_remainder(number: &str) -> u32 {
        let value = |letter: char| {
            if letter == 'X' { 10 } else { letter.to_digit(10).unwrap() }
        };
        number.chars().fold(0, |sum, letter| (sum * 2 + value(letter)) % 11)
    }

    #[test]
    fn published_examples_of_the_standards_pass() {
        // Worked examples printed in GB 11643-1999 and in common texts on GB 32100-2015.
        assert_eq!(resident_check(b"11010519491231002"), 'X');
        assert_eq!(resident_check(b"44052418800101001"), '4');
        assert_eq!(credit_check("91350100M000100Y4"), Some('3'));
        assert_eq!(credit_check("9135O100M000100Y4"), None);
        assert_eq!(organisation_check("D2143569"), 'X');
    }

    #[test]
    fn numbers_differ_and_say_the_sex() {
        let birth = Birth { year: 1990, month: 2, day: 28 };
        let numbers: HashSet<String> = (0..50_000).chain(1_000_000..1_001_000).map(|index| resident_number(3, index, birth, index % 2 == 0)).collect();
        assert_eq!(numbers.len(), 51_000);
        assert!(numbers.iter().all(|number| number.len() == 18 && resident_remainder(number) == 1));
        let girl = resident_number(3, 7, birth, true);
        assert_eq!((girl.as_bytes()[16] - b'0') % 2, 0);
        assert_eq!((&girl[2..4], &girl[6..14]), ("99", "19900228"));
    }

    proptest! {
        #[test]
        fn two_people_never_share_a_number(seed: u64, one in 0..PEOPLE_MAX, other in 0..PEOPLE_MAX) {
            prop_assume!(one != other);
            let birth = Birth { year: 1970, month: 1, day: 1 };
            prop_assert_ne!(resident_number(seed, one, birth, true), resident_number(seed, other, birth, true));
            prop_assert_ne!(phone(seed, one), phone(seed, other));
            prop_assert_ne!(serial(seed, one), serial(seed, other));
            prop_assert_ne!(credit_code(seed, one), credit_code(seed, other));
        }

        #[test]
        fn credit_codes_pass_both_checks(seed: u64, index: u32) {
            let code = credit_code(seed, index);
            prop_assert_eq!(code.len(), 18);
            prop_assert_eq!(code.chars().last(), credit_check(&code[..17]));
            prop_assert_eq!(code.chars().nth(16), Some(organisation_check(&code[8..16])));
        }
    }
}
