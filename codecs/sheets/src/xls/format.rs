//! Which number formats show dates.

use calamine::ExcelDateTimeType;

/// Whether a number format shows a date or time, or a duration; `None` for plain numbers.
pub(super) fn of_builtin(index: u16) -> Option<ExcelDateTimeType> {
    match index {
        46 => Some(ExcelDateTimeType::TimeDelta),
        14..=22 | 27..=36 | 45 | 47 | 50..=58 => Some(ExcelDateTimeType::DateTime),
        _ => None,
    }
}

/// The same for a format's text: letters of date and time outside quotation marks, escapes and brackets.
pub(super) fn of_text(text: &str) -> Option<ExcelDateTimeType> {
    let mut letters = text.chars();
    let mut found = None;
    while let Some(letter) = letters.next() {
        match letter.to_ascii_lowercase() {
            '"' => while !matches!(letters.next(), None | Some('"')) {},
            '\\' | '_' | '*' => drop(letters.next()),
            '[' => {
                let inside: String = letters.by_ref().take_while(|letter| *letter != ']').collect();
                let inside = inside.to_ascii_lowercase();
                if !inside.is_empty() && inside.bytes().all(|byte| matches!(byte, b'h' | b'm' | b's')) {
                    return Some(ExcelDateTimeType::TimeDelta);
                }
            }
            'y' | 'm' | 'd' | 'h' | 's' => found = Some(ExcelDateTimeType::DateTime),
            // Behind “General” or digits no date letters follow.
            '0' | '#' | '?' | 'g' if found.is_none() => return None,
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_told_from_numbers() {
        for date in ["yyyy-mm-dd", "yyyy\"年\"m\"月\"d\"日\";@", "[$-804]h:mm", "m/d/yy h:mm"] {
            assert_eq!(of_text(date), Some(ExcelDateTimeType::DateTime), "{date}");
        }
        assert_eq!(of_text("[h]:mm:ss"), Some(ExcelDateTimeType::TimeDelta));
        for number in ["General", "0.00", "#,##0", "[Red]0.0", "\"days\" 0", "@", "0\\d"] {
            assert_eq!(of_text(number), None, "{number}");
        }
    }
}
