use std::collections::VecDeque;

use crate::problem::{ProblemKind, Problems, SheetErrorKind};
use crate::row::Row;

/// A header is looked for within this many rows that are not blank.
const HEADER_ROWS: usize = 10;

/// Rows below a header: finds the header, reports odd headers and odd cells, passes the rows on.
#[derive(Debug)]
pub(crate) struct Headed<I> {
    source: I,
    waiting: VecDeque<Row>,
    pub(crate) headers: Vec<String>,
    pub(crate) header_row: usize,
    pub(crate) problems: Problems,
}

impl<I: Iterator<Item = Result<Row, SheetErrorKind>>> Headed<I> {
    pub(crate) fn new(mut source: I, mut problems: Problems) -> Result<Self, SheetErrorKind> {
        let mut waiting = VecDeque::new();
        while waiting.len() < HEADER_ROWS {
            match source.next() {
                Some(row) => waiting.push_back(row?),
                None => break,
            }
        }
        let titles = waiting.iter().position(|row| filled(row) > 1).unwrap_or(0);
        for title in waiting.drain(..titles) {
            let text = title.cells().map(str::trim).find(|cell| !cell.is_empty()).unwrap_or("").to_owned();
            problems.add(Some(title.number), None, ProblemKind::TitleLine { text });
        }
        let header = waiting.pop_front().ok_or(SheetErrorKind::Empty)?;
        let headers = read_headers(&header, &mut problems);
        Ok(Headed { source, waiting, headers, header_row: header.number, problems })
    }

    fn inspect(&mut self, row: &Row) {
        for (index, cell) in row.cells().enumerate() {
            let place = (Some(row.number), Some(index + 1));
            if index >= self.headers.len() && !cell.trim().is_empty() {
                self.problems.add(place.0, place.1, ProblemKind::BeyondHeaders);
                return;
            }
            if is_rounded_by_spreadsheet(cell) {
                self.problems.add(place.0, place.1, ProblemKind::LostDigits { shown: cell.to_owned() });
            }
        }
    }
}

impl<I: Iterator<Item = Result<Row, SheetErrorKind>>> Iterator for Headed<I> {
    type Item = Result<Row, SheetErrorKind>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = match self.waiting.pop_front() {
            Some(row) => Some(Ok(row)),
            None => self.source.next(),
        };
        if let Some(Ok(row)) = &next {
            self.inspect(row);
        }
        next
    }
}

fn filled(row: &Row) -> usize {
    row.cells().filter(|cell| !cell.trim().is_empty()).count()
}

fn read_headers(row: &Row, problems: &mut Problems) -> Vec<String> {
    let mut headers: Vec<String> = row.cells().map(|cell| cell.trim().to_owned()).collect();
    while headers.last().is_some_and(String::is_empty) {
        headers.pop();
    }
    let mut seen = std::collections::HashMap::new();
    for (index, name) in headers.iter().enumerate() {
        let column = index + 1;
        if name.is_empty() {
            problems.add(Some(row.number), Some(column), ProblemKind::BlankHeader);
            continue;
        }
        match seen.entry(name.to_lowercase()) {
            std::collections::hash_map::Entry::Occupied(first) => {
                let kind = ProblemKind::DuplicateHeader { name: name.clone(), first_column: *first.get() };
                problems.add(Some(row.number), Some(column), kind);
            }
            std::collections::hash_map::Entry::Vacant(place) => {
                place.insert(column);
            }
        }
    }
    headers
}

/// `1.23457E+17`: a long number after a spreadsheet has saved it as CSV. Small exponents are measured values.
fn is_rounded_by_spreadsheet(cell: &str) -> bool {
    let Some((digits, exponent)) = cell.trim().split_once(['E', 'e']) else {
        return false;
    };
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let exponent = exponent.strip_prefix('+').unwrap_or(exponent);
    is_number(digits) && exponent.len() <= 3 && exponent.parse::<u32>().is_ok_and(|power| power >= 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_numbers_saved_as_powers_are_told() {
        for lost in ["1.23E+17", "4.40301E+17", "1E18", " 1.1e+10 "] {
            assert!(is_rounded_by_spreadsheet(lost), "{lost}");
        }
        for kept in ["", "E17", "1.0E+03", "1.5E-12", "2E", "12E4B", "440301199003071234", "1E+9999"] {
            assert!(!is_rounded_by_spreadsheet(kept), "{kept}");
        }
    }
}
