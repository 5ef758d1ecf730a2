use std::borrow::Cow;

use crate::headed::Headed;
use crate::limits::{Budget, Limits};
use crate::problem::{Problem, ProblemKind, Problems, SheetError, SheetErrorKind};
use crate::row::Row;
use crate::text::{Encoding, decode};
use crate::write::unguard_formula;

/// The character between two cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delimiter {
    Comma,
    Tab,
    Semicolon,
}

impl Delimiter {
    fn byte(self) -> u8 {
        match self {
            Delimiter::Comma => b',',
            Delimiter::Tab => b'\t',
            Delimiter::Semicolon => b';',
        }
    }

    /// The delimiter seen most often in the first lines, outside quotation marks.
    fn detect(text: &str) -> Delimiter {
        let mut counts = [0_usize; 3];
        let (mut quoted, mut lines) = (false, 0);
        for byte in text.bytes().take(64 << 10) {
            match byte {
                b'"' => quoted = !quoted,
                b'\n' if !quoted => lines += 1,
                b',' if !quoted => counts[0] += 1,
                b'\t' if !quoted => counts[1] += 1,
                b';' if !quoted => counts[2] += 1,
                _ => {}
            }
            if lines >= 10 {
                break;
            }
        }
        match () {
            () if counts[1] > 0 && counts[1] >= counts[0] && counts[1] >= counts[2] => Delimiter::Tab,
            () if counts[2] > counts[0] => Delimiter::Semicolon,
            () => Delimiter::Comma,
        }
    }
}

/// Rows of a CSV file, one at a time: the file's text is decoded once, nothing else is kept.
///
/// RFC 4180 with what is met in practice: comma, tab or semicolon; LF, CRLF or CR; line breaks inside quotation
/// marks; Excel's `sep=;` line; text after a closing quotation mark is kept. A guard apostrophe as written by
/// [`crate::write_csv`] is taken off again.
#[derive(Debug)]
pub struct CsvRows<'a> {
    file: String,
    encoding: Encoding,
    rows: Headed<Tokens<'a>>,
    failed: bool,
}

impl<'a> CsvRows<'a> {
    /// Decodes the text and finds delimiter and header.
    ///
    /// # Errors
    /// Files over the limits, in no known encoding, without any row, or with an open quotation mark at the top.
    pub fn open(bytes: &'a [u8], file_name: &str, limits: Limits) -> Result<Self, SheetError> {
        let named = |kind| SheetError { file: file_name.to_owned(), kind };
        if bytes.len() > limits.bytes_max {
            let limit = limits.bytes_max as u64;
            return Err(named(SheetErrorKind::OverLimit { what: "bytes", limit, row: None }));
        }
        let (text, encoding) = decode(bytes).map_err(named)?;
        let mut problems = Problems::default();
        if encoding == Encoding::Gb18030 {
            problems.add(None, None, ProblemKind::GuessedEncoding { encoding: encoding.name() });
        }
        let rows = Headed::new(Tokens::new(text, limits), problems).map_err(named)?;
        Ok(CsvRows { file: file_name.to_owned(), encoding, rows, failed: false })
    }

    pub fn headers(&self) -> &[String] {
        &self.rows.headers
    }

    /// Row number of the header as the user sees it.
    pub fn header_row(&self) -> usize {
        self.rows.header_row
    }

    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// What looked wrong in the rows read so far.
    pub fn into_problems(self) -> Vec<Problem> {
        self.rows.problems.into_list()
    }
}

impl Iterator for CsvRows<'_> {
    type Item = Result<Row, SheetError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let row = self.rows.next()?;
        self.failed = row.is_err();
        Some(row.map_err(|kind| SheetError { file: self.file.clone(), kind }))
    }
}

/// Cuts text into rows of cells; blank rows are counted and left out.
#[derive(Debug)]
pub(crate) struct Tokens<'a> {
    text: Cow<'a, str>,
    at: usize,
    number: usize,
    delimiter: u8,
    budget: Budget,
}

impl<'a> Tokens<'a> {
    pub(crate) fn new(text: Cow<'a, str>, limits: Limits) -> Self {
        let mut tokens = Tokens { delimiter: Delimiter::detect(&text).byte(), text, at: 0, number: 0, budget: Budget::new(limits) };
        tokens.skip_separator_line();
        tokens
    }

    /// Excel writes and obeys a first line `sep=;`.
    fn skip_separator_line(&mut self) {
        if let [b's', b'e', b'p', b'=', delimiter @ (b',' | b';' | b'\t'), end @ (b'\r' | b'\n'), rest @ ..] = self.text.as_bytes() {
            self.delimiter = *delimiter;
            self.at = if *end == b'\r' && rest.first() == Some(&b'\n') { 7 } else { 6 };
            self.number = 1;
        }
    }

    /// Reads the next row, blank or not.
    fn row(&mut self) -> Result<Row, SheetErrorKind> {
        self.number += 1;
        let mut row = Row::new(self.number);
        loop {
            let more = self.cell(&mut row)?;
            self.budget.cell(row.number, row.len() + 1, row.open_bytes())?;
            row.close_cell();
            if !more {
                row.shrink();
                return Ok(row);
            }
        }
    }

    /// Reads one cell into the row; true when another follows on the same row.
    fn cell(&mut self, row: &mut Row) -> Result<bool, SheetErrorKind> {
        let bytes = self.text.as_bytes();
        if bytes.get(self.at) == Some(&b'"') {
            self.at += 1;
            self.at = quoted(&self.text, self.at, row).map_err(|()| SheetErrorKind::OpenQuote { row: row.number })?;
        }
        let length = bytes[self.at..].iter().position(|byte| *byte == self.delimiter || matches!(byte, b'\r' | b'\n'));
        let end = length.map_or(bytes.len(), |length| self.at + length);
        let plain = &self.text[self.at..end];
        if row.open_bytes() == 0 {
            row.text_mut().push_str(unguard_formula(plain))
        } else {
            row.text_mut().push_str(plain)
        }
        self.at = end;
        match bytes.get(end) {
            Some(byte) if *byte == self.delimiter => {
                self.at += 1;
                Ok(true)
            }
            Some(b'\r') if bytes.get(end + 1) == Some(&b'\n') => {
                self.at += 2;
                Ok(false)
            }
            Some(_) => {
                self.at += 1;
                Ok(false)
            }
            None => Ok(false),
        }
    }
}

/// Appends the text between quotation marks to the row; returns the place behind the closing one.
fn quoted(text: &str, start: usize, row: &mut Row) -> Result<usize, ()> {
    let bytes = text.as_bytes();
    let (mut from, mut at) = (start, start);
    let mut content = String::new();
    loop {
        let length = bytes[at..].iter().position(|byte| *byte == b'"').ok_or(())?;
        at += length;
        content.push_str(&text[from..at]);
        if bytes.get(at + 1) != Some(&b'"') {
            break;
        }
        content.push('"');
        at += 2;
        from = at;
    }
    row.text_mut().push_str(unguard_formula(&content));
    Ok(at + 1)
}

impl Iterator for Tokens<'_> {
    type Item = Result<Row, SheetErrorKind>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.at < self.text.len() {
            match self.row() {
                Ok(row) if row.is_blank() => {}
                other => return Some(other),
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(text: &str) -> Vec<(usize, Vec<String>)> {
        Tokens::new(Cow::Borrowed(text), Limits::default()).map(|row| row.unwrap()).map(|row| (row.number, row.cells().map(str::to_owned).collect())).collect()
    }

    #[test]
    fn cells_are_cut_whatever_ends_the_lines() {
        for end in ["\n", "\r\n", "\r"] {
            let text = format!("a,b{end}1,\"x,\"\"y\"\"\"{end}{end},,{end}2,\"two{end}lines\"");
            let rows = cells(&text);
            assert_eq!(rows[0], (1, vec!["a".into(), "b".into()]));
            assert_eq!(rows[1], (2, vec!["1".into(), "x,\"y\"".into()]));
            assert_eq!(rows[2], (5, vec!["2".into(), format!("two{end}lines")]));
            assert_eq!(rows.len(), 3);
        }
    }

    #[test]
    fn the_delimiter_is_found() {
        assert_eq!(cells("a;b\n1;2,5\n")[1].1, ["1", "2,5"]);
        assert_eq!(cells("a\tb\n1,5\t2\n")[1].1, ["1,5", "2"]);
        assert_eq!(cells("sep=;\r\na;b\r\n")[0], (2, vec!["a".into(), "b".into()]));
        assert_eq!(cells("a\n1\n")[1].1, ["1"]);
    }

    #[test]
    fn an_open_quotation_mark_is_an_error_with_its_row() {
        let error = CsvRows::open(b"a,b\n1,2\n3,\"x\n", "r.csv", Limits::default()).unwrap_err();
        assert_eq!(error.to_string(), "r.csv: row 3: a quotation mark is opened and never closed");
    }

    #[test]
    fn every_limit_refuses_with_its_name() {
        let refuse = |limits: Limits| {
            let rows = CsvRows::open(b"a,b\n1,2\n3,4\n", "r.csv", limits);
            rows.and_then(|rows| rows.collect::<Result<Vec<_>, _>>()).unwrap_err().to_string()
        };
        let base = Limits::default();
        assert_eq!(refuse(Limits { bytes_max: 5, ..base }), "r.csv: more than 5 bytes");
        assert_eq!(refuse(Limits { rows_max: 2, ..base }), "r.csv: row 3: more than 2 rows");
        assert_eq!(refuse(Limits { columns_max: 1, ..base }), "r.csv: row 1: more than 1 columns");
        assert_eq!(refuse(Limits { cells_max: 4, ..base }), "r.csv: row 3: more than 4 cells");
        assert_eq!(refuse(Limits { cell_bytes_max: 0, ..base }), "r.csv: row 1: more than 0 bytes in one cell");
        assert_eq!(refuse(Limits { text_bytes_max: 3, ..base }), "r.csv: row 2: more than 3 bytes of text");
    }

    #[test]
    fn headers_and_titles_are_reported() {
        let text = "花名册\n\n姓名,,电话,姓名\n张三,x,1,y,extra\n李四,,1.38E+17\n";
        let mut rows = CsvRows::open(text.as_bytes(), "r.csv", Limits::default()).unwrap();
        assert_eq!(rows.headers(), ["姓名", "", "电话", "姓名"]);
        assert_eq!(rows.header_row(), 3);
        let numbers: Vec<usize> = rows.by_ref().map(|row| row.unwrap().number).collect();
        assert_eq!(numbers, [4, 5]);
        let problems: Vec<String> = rows.into_problems().iter().map(ToString::to_string).collect();
        assert_eq!(
            problems,
            [
                "row 1: “花名册” taken for a title above the header",
                "row 3, column B: the header is blank",
                "row 3, column D: header “姓名” stands in column A already",
                "row 4, column E: more cells than headers",
                "row 5, column C: 1.38E+17: stored as a number of more than 15 digits, the last digits are lost; format the column as text",
            ]
        );
    }
}
