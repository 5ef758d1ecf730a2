//! Identity documents, credit codes and telephone numbers: brought to one form and checked.
//!
//! Sources: GB 11643-1999 (citizen number, ISO 7064 MOD 11-2), GB 32100-2015 (unified social credit code, MOD 31),
//! ICAO 9303 (passport numbers, at most nine characters), the printed forms of the mainland travel permits.

use crate::events::DocumentKind;

/// What is wrong with a number.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum NumberProblem {
    Empty,
    /// Too short or too long for its kind.
    Length,
    /// A character that its kind does not have.
    Character,
    /// The date of birth inside it is no date.
    Date,
    /// Its check character does not fit: mistyped.
    Check,
}

impl NumberProblem {
    /// The code of its words, `registry-problem-<code>`.
    pub fn code(self) -> &'static str {
        match self {
            NumberProblem::Empty => "empty",
            NumberProblem::Length => "length",
            NumberProblem::Character => "character",
            NumberProblem::Date => "date",
            NumberProblem::Check => "check",
        }
    }
}

/// Full-width letters and digits as narrow ones, without blanks.
pub fn narrow(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).map(narrow_character).collect()
}

/// One full-width character (U+FF01…U+FF5E) as its ASCII twin.
pub fn narrow_character(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
        _ => c,
    }
}

/// A document's number in the one form in which it is sealed and looked up.
pub fn document(kind: DocumentKind, text: &str) -> Result<String, NumberProblem> {
    let number = narrow(text).to_ascii_uppercase();
    if number.is_empty() {
        return Err(NumberProblem::Empty);
    }
    match kind {
        DocumentKind::ResidentId => resident_number(number),
        DocumentKind::Passport => of_characters(number, 5..=12, |c| c.is_ascii_alphanumeric()),
        DocumentKind::HongKongMacaoPermit => permit(number, &['H', 'M'], &[8, 10]),
        DocumentKind::TaiwanPermit => permit(number, &[], &[8, 10]),
        DocumentKind::ForeignPermanentResidentId => foreign_permanent_resident(number),
        DocumentKind::Other => of_characters(number, 3..=40, |c| !c.is_control()),
    }
}

fn of_characters(number: String, length: std::ops::RangeInclusive<usize>, allowed: impl Fn(char) -> bool) -> Result<String, NumberProblem> {
    if !length.contains(&number.chars().count()) {
        return Err(NumberProblem::Length);
    }
    if number.chars().all(allowed) { Ok(number) } else { Err(NumberProblem::Character) }
}

/// GB 11643: six digits of place, eight of birth, three of order, one check character.
fn resident_number(number: String) -> Result<String, NumberProblem> {
    let number = of_characters(number, 18..=18, |c| c.is_ascii_digit() || c == 'X')?;
    let bytes = number.as_bytes();
    if !bytes[..17].iter().all(u8::is_ascii_digit) || bytes[0] == b'0' {
        return Err(NumberProblem::Character);
    }
    let value = |range: std::ops::Range<usize>| bytes[range].iter().fold(0_u32, |sum, digit| sum * 10 + u32::from(digit - b'0'));
    if !is_date(value(6..10), value(10..12), value(12..14)) {
        return Err(NumberProblem::Date);
    }
    if bytes[17] == resident_check(&bytes[..17]) { Ok(number) } else { Err(NumberProblem::Check) }
}

/// The check character of a citizen number from its first seventeen digits.
pub fn resident_check(digits: &[u8]) -> u8 {
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let sum: u32 = digits.iter().zip(WEIGHTS).map(|(digit, weight)| u32::from(digit.wrapping_sub(b'0')) * weight).sum();
    b"10X98765432"[(sum % 11) as usize]
}

fn is_date(year: u32, month: u32, day: u32) -> bool {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => 31,
    };
    (1880..=2100).contains(&year) && (1..=12).contains(&month) && (1..=days).contains(&day)
}

/// A letter of `letters` (or none, when there are none) and so many digits.
fn permit(number: String, letters: &[char], digits: &[usize]) -> Result<String, NumberProblem> {
    let rest = if letters.is_empty() { Some(&*number) } else { number.strip_prefix(letters) };
    let rest = rest.ok_or(NumberProblem::Character)?;
    if !digits.contains(&rest.len()) {
        return Err(NumberProblem::Length);
    }
    if rest.bytes().all(|b| b.is_ascii_digit()) { Ok(number) } else { Err(NumberProblem::Character) }
}

/// The card of 2023 has the form of a citizen number beginning with 9; the older one three letters and twelve digits.
fn foreign_permanent_resident(number: String) -> Result<String, NumberProblem> {
    match number.chars().count() {
        18 if number.starts_with('9') => resident_number(number),
        15 if number.is_ascii() => {
            let (letters, digits) = number.split_at(3);
            let fits = letters.bytes().all(|b| b.is_ascii_uppercase()) && digits.bytes().all(|b| b.is_ascii_digit());
            if fits { Ok(number) } else { Err(NumberProblem::Character) }
        }
        15 | 18 => Err(NumberProblem::Character),
        _ => Err(NumberProblem::Length),
    }
}

/// A unified social credit code (GB 32100), in capitals.
pub fn credit_code(text: &str) -> Result<String, NumberProblem> {
    let code = narrow(text).to_ascii_uppercase();
    if code.is_empty() {
        return Err(NumberProblem::Empty);
    }
    if code.chars().count() != 18 {
        return Err(NumberProblem::Length);
    }
    let check = credit_check(&code).ok_or(NumberProblem::Character)?;
    if code.ends_with(check) { Ok(code) } else { Err(NumberProblem::Check) }
}

/// The check character from the first seventeen; `None` when one of the eighteen is none of the 31 (I, O, S, V, Z are left out).
pub fn credit_check(code: &str) -> Option<char> {
    const ALPHABET: &str = "0123456789ABCDEFGHJKLMNPQRTUWXY";
    let values: Option<Vec<usize>> = code.chars().map(|c| ALPHABET.find(c)).collect();
    let mut weight = 1;
    let mut sum = 0;
    for value in values?.into_iter().take(17) {
        sum += value * weight;
        weight = weight * 3 % 31;
    }
    ALPHABET.chars().nth((31 - sum % 31) % 31)
}

/// A telephone number: mainland numbers without the country's prefix, others with `+` and theirs.
pub fn phone(text: &str) -> Result<String, NumberProblem> {
    let text: String = narrow(text).chars().filter(|c| !matches!(c, '-' | '(' | ')' | '.' | '–')).collect();
    if text.is_empty() {
        return Err(NumberProblem::Empty);
    }
    let international = text.strip_prefix('+').or_else(|| text.strip_prefix("00"));
    let digits = international.unwrap_or(&text);
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(NumberProblem::Character);
    }
    let home = digits.strip_prefix("86").filter(|rest| is_mainland(rest));
    match home {
        Some(home) => Ok(home.to_owned()),
        None if international.is_some() && (6..=15).contains(&digits.len()) => Ok(format!("+{digits}")),
        None if international.is_none() && is_mainland(digits) => Ok(digits.to_owned()),
        None => Err(NumberProblem::Length),
    }
}

/// A mobile number of eleven digits, or a fixed one with its area code.
fn is_mainland(digits: &str) -> bool {
    let fixed = digits.starts_with('0') && (10..=12).contains(&digits.len());
    fixed || digits.starts_with('1') && digits.len() == 11
}

/// The last four characters, by which people tell their documents apart without showing them.
pub fn tail(document: &str) -> String {
    let letters: Vec<char> = document.chars().collect();
    letters[letters.len().saturating_sub(4)..].iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn resident(text: &str) -> Result<String, NumberProblem> {
        document(DocumentKind::ResidentId, text)
    }

    #[test]
    fn the_examples_printed_in_the_standards_pass() {
        assert_eq!(resident("11010519491231002x").as_deref(), Ok("11010519491231002X"));
        assert_eq!(resident("440524 1880 0101 0014").as_deref(), Ok("440524188001010014"));
        assert_eq!(credit_code("91350100m000100y43").as_deref(), Ok("91350100M000100Y43"));
    }

    #[test]
    fn what_is_wrong_with_a_citizen_number_is_named() {
        assert_eq!(resident(" "), Err(NumberProblem::Empty));
        assert_eq!(resident("110105194912310"), Err(NumberProblem::Length));
        assert_eq!(resident("1101051949123100X2"), Err(NumberProblem::Character));
        assert_eq!(resident("110105194902310021"), Err(NumberProblem::Date));
        assert_eq!(resident("110105194912310021"), Err(NumberProblem::Check));
        assert_eq!(resident("１１０１０５１９４９１２３１００２Ｘ").as_deref(), Ok("11010519491231002X"));
    }

    #[test]
    fn other_documents_have_their_forms() {
        use DocumentKind::*;
        let good = [
            (Passport, "e12345678"),
            (HongKongMacaoPermit, "H90000001"),
            (TaiwanPermit, "90000001"),
            (ForeignPermanentResidentId, "USA110101010101"),
            (Other, "军字123"),
        ];
        for (kind, text) in good {
            assert!(document(kind, text).is_ok(), "{text}");
        }
        let wrong = [
            (Passport, "E123", NumberProblem::Length),
            (Passport, "E1234567张", NumberProblem::Character),
            (HongKongMacaoPermit, "A90000001", NumberProblem::Character),
            (HongKongMacaoPermit, "H9000001", NumberProblem::Length),
            (TaiwanPermit, "9000000A", NumberProblem::Character),
            (ForeignPermanentResidentId, "USA1", NumberProblem::Length),
            (ForeignPermanentResidentId, "US1110101010101", NumberProblem::Character),
            (Other, "1", NumberProblem::Length),
        ];
        for (kind, text, problem) in wrong {
            assert_eq!(document(kind, text), Err(problem), "{text}");
        }
    }

    #[test]
    fn credit_codes_with_letters_that_are_not_used_are_refused() {
        assert_eq!(credit_code("9135O100M000100Y43"), Err(NumberProblem::Character));
        assert_eq!(credit_code("91350100M000100Y44"), Err(NumberProblem::Check));
        assert_eq!(credit_code("91350100"), Err(NumberProblem::Length));
        assert_eq!(credit_code(""), Err(NumberProblem::Empty));
    }

    #[test]
    fn phones_come_to_one_form() {
        for text in ["+86 138-0013-8000", "0086 13800138000", "138 0013 8000", "8613800138000"] {
            assert_eq!(phone(text).as_deref(), Ok("13800138000"), "{text}");
        }
        assert_eq!(phone("(021) 6321-1111").as_deref(), Ok("02163211111"));
        assert_eq!(phone("+852 2123 4567").as_deref(), Ok("+85221234567"));
        assert_eq!(phone("138001380"), Err(NumberProblem::Length));
        assert_eq!(phone("13800l38000"), Err(NumberProblem::Character));
        assert_eq!(phone(""), Err(NumberProblem::Empty));
    }

    #[test]
    fn a_tail_is_cut_by_characters() {
        assert_eq!((tail("440524188001010014"), tail("张三")), ("0014".to_owned(), "张三".to_owned()));
    }

    proptest! {
        #[test]
        fn every_single_wrong_digit_of_a_citizen_number_is_found(order in 0..1000_u32, place in 0..17_usize, by in 1..10_u8) {
            let mut digits = format!("31010119900228{order:03}").into_bytes();
            digits.push(resident_check(&digits));
            let number = String::from_utf8(digits.clone()).unwrap();
            prop_assert!(resident(&number).is_ok());
            digits[place] = b'0' + (digits[place] - b'0' + by) % 10;
            prop_assert!(resident(&String::from_utf8(digits).unwrap()).is_err());
        }

        #[test]
        fn normal_forms_stay_and_nothing_panics(text in ".{0,30}") {
            use DocumentKind::*;
            for kind in [ResidentId, Passport, HongKongMacaoPermit, TaiwanPermit, ForeignPermanentResidentId, Other] {
                if let Ok(number) = document(kind, &text) {
                    prop_assert_eq!(document(kind, &number), Ok(number.clone()));
                }
            }
            if let Ok(number) = phone(&text) {
                prop_assert_eq!(phone(&number), Ok(number.clone()));
            }
            _ = credit_code(&text);
        }
    }
}
