//! Code 128 (ISO/IEC 15417): code sets B and C, check character modulo 103.

use crate::DocumentError;
use crate::svg::{millimetres, run_path};

/// Widths of bar, space, bar, space, bar, space of the symbol characters 0…105, in modules.
const PATTERNS: [&[u8; 6]; 106] = [
    b"212222", b"222122", b"222221", b"121223", b"121322", b"131222", b"122213", b"122312", b"132212", b"221213", b"221312", b"231212", b"112232", b"122132",
    b"122231", b"113222", b"123122", b"123221", b"223211", b"221132", b"221231", b"213212", b"223112", b"312131", b"311222", b"321122", b"321221", b"312212",
    b"322112", b"322211", b"212123", b"212321", b"232121", b"111323", b"131123", b"131321", b"112313", b"132113", b"132311", b"211313", b"231113", b"231311",
    b"112133", b"112331", b"132131", b"113123", b"113321", b"133121", b"313121", b"211331", b"231131", b"213113", b"213311", b"213131", b"311123", b"311321",
    b"331121", b"312113", b"312311", b"332111", b"314111", b"221411", b"431111", b"111224", b"111422", b"121124", b"121421", b"141122", b"141221", b"112214",
    b"112412", b"122114", b"122411", b"142112", b"142211", b"241211", b"221114", b"413111", b"241112", b"134111", b"111242", b"121142", b"121241", b"114212",
    b"124112", b"124211", b"411212", b"421112", b"421211", b"212141", b"214121", b"412121", b"111143", b"111341", b"131141", b"114113", b"114311", b"411113",
    b"411311", b"113141", b"114131", b"311141", b"411131", b"211412", b"211214", b"211232",
];
const STOP: &[u8; 7] = b"2331112";
const START_B: u8 = 104;
const START_C: u8 = 105;
const TO_C: u8 = 99;
const TO_B: u8 = 100;
/// Clear space on both sides, in modules.
const QUIET_ZONE: usize = 10;
const TEXT_MAX: usize = 80;

/// A Code 128 symbol: `true` is a dark module. Without quiet zones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bars {
    pub modules: Vec<bool>,
}

impl Bars {
    /// Width with both quiet zones, in modules.
    pub fn width_with_quiet_zones(&self) -> usize {
        self.modules.len() + 2 * QUIET_ZONE
    }
}

/// Encodes printable ASCII; runs of digits go two to a symbol character.
///
/// # Errors
/// Empty text or more than 80 characters; any character that is not printable ASCII.
pub fn code128(text: &str) -> Result<Bars, DocumentError> {
    const SYMBOL: &str = "Code 128";
    if text.is_empty() || text.len() > TEXT_MAX {
        return Err(DocumentError::TooLong { symbol: SYMBOL, bytes: text.len() });
    }
    if let Some((index, character)) = text.chars().enumerate().find(|(_, letter)| !matches!(letter, ' '..='~')) {
        return Err(DocumentError::NotEncodable { symbol: SYMBOL, character, at: index + 1 });
    }
    let mut codes = characters(text.as_bytes());
    codes.push(check(&codes));
    let mut modules = Vec::with_capacity(codes.len() * 11 + 13);
    for code in codes {
        push_pattern(&mut modules, PATTERNS[usize::from(code)]);
    }
    push_pattern(&mut modules, STOP);
    Ok(Bars { modules })
}

fn push_pattern(modules: &mut Vec<bool>, widths: &[u8]) {
    for (index, width) in widths.iter().enumerate() {
        modules.extend(std::iter::repeat_n(index % 2 == 0, usize::from(width - b'0')));
    }
}

/// Start character, data and shifts between the sets: four or more digits at an end, six in the middle, pay for a shift.
fn characters(text: &[u8]) -> Vec<u8> {
    let mut codes = Vec::with_capacity(text.len() + 2);
    let mut at = 0;
    let mut in_c = false;
    while at < text.len() {
        let digits = text[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let at_end = at == 0 || at + digits == text.len();
        if !in_c && digits >= if at_end { 4 } else { 6 } {
            // An odd digit stays in set B, in front.
            if digits % 2 == 1 {
                push_start_or(&mut codes, START_B, None);
                codes.push(text[at] - b' ');
                at += 1;
            }
            push_start_or(&mut codes, START_C, Some(TO_C));
            in_c = true;
        } else if in_c && digits >= 2 {
            codes.push((text[at] - b'0') * 10 + (text[at + 1] - b'0'));
            at += 2;
        } else {
            push_start_or(&mut codes, START_B, in_c.then_some(TO_B));
            in_c = false;
            codes.push(text[at] - b' ');
            at += 1;
        }
    }
    codes
}

/// The start character where none stands yet, otherwise the shift.
fn push_start_or(codes: &mut Vec<u8>, start: u8, shift: Option<u8>) {
    if codes.is_empty() { codes.push(start) } else { codes.extend(shift) }
}

/// Start character plus data weighted by place, modulo 103.
fn check(codes: &[u8]) -> u8 {
    let sum: usize = codes.iter().enumerate().map(|(place, code)| place.max(1) * usize::from(*code)).sum();
    (sum % 103) as u8
}

/// The symbol as SVG with its quiet zones; `module_mm` is the width of the narrowest bar (0.19 mm and more can be read
/// by any scanner).
///
/// # Errors
/// As [`code128`]; sizes that are not positive.
pub fn code128_svg(text: &str, module_mm: f64, height_mm: f64) -> Result<String, DocumentError> {
    if !(module_mm > 0.0 && height_mm > 0.0 && module_mm.is_finite() && height_mm.is_finite()) {
        return Err(DocumentError::BadSize("bar width or height"));
    }
    let bars = code128(text)?;
    let width = bars.width_with_quiet_zones();
    let height = height_mm / module_mm;
    Ok(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{}mm\" height=\"{}mm\" viewBox=\"0 0 {width} {}\" preserveAspectRatio=\"none\" shape-rendering=\"crispEdges\"><rect width=\"100%\" height=\"100%\" fill=\"#fff\"/><path d=\"{}\" fill=\"#000\"/></svg>",
        millimetres(width as f64 * module_mm),
        millimetres(height_mm),
        millimetres(height),
        run_path(&bars.modules, QUIET_ZONE as f64, 0.0, 1.0, height),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;

    #[test]
    fn the_table_keeps_the_rules_of_the_standard() {
        assert_eq!(PATTERNS.iter().collect::<HashSet<_>>().len(), 106);
        for pattern in PATTERNS {
            let width = |step: usize| pattern.iter().skip(step).step_by(2).map(|width| width - b'0').sum::<u8>();
            assert_eq!(width(0) + width(1), 11);
            assert_eq!(width(0) % 2, 0, "bars of a symbol character have an even width");
        }
    }

    #[test]
    fn digits_are_packed_and_the_check_character_fits() {
        assert_eq!(characters(b"12345678"), [START_C, 12, 34, 56, 78]);
        assert_eq!(characters(b"A1234"), [START_B, 33, TO_C, 12, 34]);
        assert_eq!(characters(b"A123456B"), [START_B, 33, TO_C, 12, 34, 56, TO_B, 34]);
        assert_eq!(characters(b"12345A"), [START_B, 17, TO_C, 23, 45, TO_B, 33]);
        assert_eq!(characters(b"AB12C"), [START_B, 33, 34, 17, 18, 35]);
        // The worked example of the literature: PJJ123C in set B has check value 54 with start A, 55 with start B.
        assert_eq!(check(&characters(b"PJJ123C")), 55);
    }

    #[test]
    fn what_cannot_be_encoded_is_named() {
        let error = code128("T-张").unwrap_err();
        assert_eq!(error.to_string(), "Code 128 cannot hold “张” (character 3)");
        assert!(code128("").is_err() && code128(&"1".repeat(81)).is_err());
    }

    /// Reads the modules back into text: an independent way round.
    fn decode(modules: &[bool]) -> String {
        let mut widths: Vec<u8> = Vec::new();
        for run in modules.chunk_by(|a, b| a == b) {
            widths.push(b'0' + run.len() as u8);
        }
        let body = &widths[..widths.len() - 7];
        let codes: Vec<u8> = body.chunks(6).map(|chunk| PATTERNS.iter().position(|pattern| pattern.as_slice() == chunk).unwrap() as u8).collect();
        let (last, data) = codes.split_last().unwrap();
        assert_eq!(*last, check(data));
        let (mut text, mut in_c) = (String::new(), data[0] == START_C);
        for code in &data[1..] {
            match (in_c, *code) {
                (false, TO_C) => in_c = true,
                (true, TO_B) => in_c = false,
                (true, pair) => text.push_str(&format!("{pair:02}")),
                (false, letter) => text.push(char::from(letter + b' ')),
            }
        }
        text
    }

    proptest! {
        #[test]
        fn every_text_reads_back(text in "[ -~]{1,40}|[0-9A-C-]{1,40}") {
            prop_assert_eq!(decode(&code128(&text).unwrap().modules), text);
        }
    }
}
