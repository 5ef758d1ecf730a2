//! Check characters after ISO/IEC 7064, system MOD 37,36: one character of `0–9A–Z` behind a number of the same
//! alphabet. Every single wrong character is found, and nearly every swap of two neighbours.

const MODULUS: u32 = 36;
const ALPHABET: &[u8; 36] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// Why a number cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckError {
    #[error("the number is empty")]
    Empty,
    #[error("“{character}” (character {at}) is neither a digit nor a Latin letter")]
    ForeignCharacter { character: char, at: usize },
    /// A typed or scanned number is wrong in at least one character.
    #[error("the check character does not fit: the number is mistyped")]
    Mismatch,
}

/// Value of a character; small letters count as capitals, blanks and hyphens (which only group) as nothing.
fn values(number: &str) -> Result<Vec<u32>, CheckError> {
    let mut values = Vec::with_capacity(number.len());
    for (index, character) in number.chars().enumerate() {
        match character {
            ' ' | '-' => {}
            _ => match character.to_digit(MODULUS) {
                Some(value) => values.push(value),
                None => {
                    return Err(CheckError::ForeignCharacter { character, at: index + 1 });
                }
            },
        }
    }
    if values.is_empty() { Err(CheckError::Empty) } else { Ok(values) }
}

/// The hybrid recursion of ISO 7064 §9 over the given values.
fn product(values: &[u32]) -> u32 {
    values.iter().fold(MODULUS, |product, value| {
        let sum = (product + value) % MODULUS;
        (if sum == 0 { MODULUS } else { sum }) * 2 % (MODULUS + 1)
    })
}

/// The check character of a number without one. Blanks and hyphens are passed over, case is ignored.
///
/// # Errors
/// Empty numbers and characters outside `0–9A–Z`.
pub fn check_character(number: &str) -> Result<char, CheckError> {
    let product = product(&values(number)?);
    let value = (MODULUS + 1 - product) % MODULUS;
    Ok(char::from(ALPHABET[value as usize]))
}

/// The number with its check character behind it.
///
/// # Errors
/// As [`check_character`].
pub fn with_check(number: &str) -> Result<String, CheckError> {
    Ok(format!("{number}{}", check_character(number)?))
}

/// The number in capitals, without grouping and without its check character, if that fits.
///
/// # Errors
/// [`CheckError::Mismatch`] for a mistyped number; as [`check_character`] otherwise.
pub fn strip_check(number: &str) -> Result<String, CheckError> {
    let mut values = values(number)?;
    let check = values.pop().unwrap_or(0);
    if values.is_empty() {
        return Err(CheckError::Empty);
    }
    if (product(&values) + check) % MODULUS != 1 {
        return Err(CheckError::Mismatch);
    }
    Ok(values.into_iter().map(|value| char::from(ALPHABET[value as usize])).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_numbers() {
        // Global Release Identifiers (GRid) carry MOD 37,36; this one is the example of the GRid standard.
        assert_eq!(check_character("A12425GABC1234002"), Ok('M'));
        assert_eq!(strip_check("A1-2425G-ABC1234002-M").as_deref(), Ok("A12425GABC1234002"));
        assert_eq!(strip_check("a12425gabc1234002m").as_deref(), Ok("A12425GABC1234002"));
    }

    #[test]
    fn refusals_name_the_character() {
        assert_eq!(check_character("12张"), Err(CheckError::ForeignCharacter { character: '张', at: 3 }));
        assert_eq!(check_character(" - "), Err(CheckError::Empty));
        assert_eq!(strip_check("7"), Err(CheckError::Empty));
        assert_eq!(strip_check("A12425GABC1234002N"), Err(CheckError::Mismatch));
    }

    proptest! {
        #[test]
        fn every_single_wrong_character_is_found(number in "[0-9A-Z]{1,20}", place in 0_usize..21, wrong in 0_usize..36) {
            let full = with_check(&number).unwrap();
            prop_assert_eq!(strip_check(&full).unwrap(), number);
            let mut letters: Vec<u8> = full.into_bytes();
            let place = place % letters.len();
            prop_assume!(letters[place] != ALPHABET[wrong]);
            letters[place] = ALPHABET[wrong];
            let mistyped = String::from_utf8(letters).unwrap();
            prop_assert_eq!(strip_check(&mistyped), Err(CheckError::Mismatch));
        }
    }

    #[test]
    fn nearly_every_swap_of_neighbours_is_found() {
        let (mut swaps, mut missed) = (0, 0);
        for first in ALPHABET {
            for second in ALPHABET {
                for before in ALPHABET {
                    if first == second {
                        continue;
                    }
                    let text = |order: [&u8; 3]| String::from_utf8(order.iter().map(|byte| **byte).collect()).unwrap();
                    swaps += 1;
                    let same = check_character(&text([before, first, second])) == check_character(&text([before, second, first]));
                    missed += usize::from(same);
                }
            }
        }
        assert!(missed * 100 < swaps, "{missed} of {swaps}");
    }
}
