use crate::model::PlateFormat;

/// Name of a well and, where it is one of a plate, its place.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct WellPosition {
    /// `A1` without leading zeros for a place on a plate; otherwise the file's own name.
    pub label: String,
    /// Row and column, both from 0.
    pub place: Option<(u16, u16)>,
}

impl WellPosition {
    /// A place on a plate.
    pub fn at(row: u16, column: u16) -> Self {
        WellPosition { label: well_label(row, column), place: Some((row, column)) }
    }

    /// A name that is no place.
    pub fn named(label: &str) -> Self {
        WellPosition { label: label.to_owned(), place: None }
    }

    /// Reads `A1`, `A01`, `af48`; any other text stays a name.
    pub fn parse(text: &str) -> Self {
        match parse_well(text) {
            Some((row, column)) => WellPosition::at(row, column),
            None => WellPosition::named(text.trim()),
        }
    }

    /// The `number`-th well (from 1) counted along the rows.
    pub(crate) fn counted(number: u32, plate: PlateFormat) -> Option<Self> {
        let (index, columns) = (number.checked_sub(1)?, u32::from(plate.columns.max(1)));
        let row = u16::try_from(index / columns).ok().filter(|row| *row < plate.rows)?;
        Some(WellPosition::at(row, (index % columns) as u16))
    }
}

/// Row and column (from 0) of a well named by one or two letters and a number, up to 1536 wells (`AF48`).
pub fn parse_well(text: &str) -> Option<(u16, u16)> {
    let text = text.trim();
    let letters = text.bytes().take_while(u8::is_ascii_alphabetic).count();
    let digits = &text[letters..];
    if !(1..=2).contains(&letters) || !(1..=2).contains(&digits.len()) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let row = text[..letters].bytes().fold(0, |row: u16, byte| row * 26 + u16::from(byte.to_ascii_uppercase() - b'A') + 1);
    let column: u16 = digits.parse().ok()?;
    let plate = PlateFormat::WELLS_1536;
    (row <= plate.rows && (1..=plate.columns).contains(&column)).then(|| (row - 1, column - 1))
}

/// `A1` for row 0, column 0; rows beyond Z are AA, AB…
pub fn well_label(row: u16, column: u16) -> String {
    let letter = |index: u16| char::from(b'A' + (index % 26) as u8);
    let first = if row >= 26 { letter(row / 26 - 1).to_string() } else { String::new() };
    format!("{first}{}{}", letter(row), column + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_well_of_1536_is_named_and_read_back() {
        for row in 0..32 {
            for column in 0..48 {
                assert_eq!(parse_well(&well_label(row, column)), Some((row, column)));
            }
        }
        assert_eq!(well_label(31, 47), "AF48");
        assert_eq!(parse_well(" b07 "), Some((1, 6)));
    }

    #[test]
    fn other_names_are_no_wells() {
        for name in ["", "A", "7", "A0", "A49", "AG1", "AAA1", "A1.2", "S48-A01", "F15_1", "A001"] {
            assert_eq!(parse_well(name), None, "{name}");
        }
    }

    #[test]
    fn wells_are_counted_along_the_rows() {
        let count = |number| WellPosition::counted(number, PlateFormat::WELLS_384).map(|well| well.label);
        assert_eq!(count(1).as_deref(), Some("A1"));
        assert_eq!(count(25).as_deref(), Some("B1"));
        assert_eq!(count(384).as_deref(), Some("P24"));
        assert_eq!((count(0), count(385)), (None, None));
    }
}
