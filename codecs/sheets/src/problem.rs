use std::fmt;

/// Something odd in a sheet that did not stop the reading; the place is as the user sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub row: Option<usize>,
    /// Column counted from 1.
    pub column: Option<usize>,
    pub kind: ProblemKind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProblemKind {
    /// The column has content or a place but no header.
    BlankHeader,
    /// The same header stands further left already.
    DuplicateHeader { name: String, first_column: usize },
    /// A number of more than 15 digits, of which the file keeps only the first 15 or so.
    LostDigits { shown: String },
    /// The cell is a spreadsheet error such as `#REF!`.
    ErrorCell { shown: String },
    /// Cells that hold something but stand right of the last header.
    BeyondHeaders,
    /// A line above the header with a single cell, taken for a title.
    TitleLine { text: String },
    /// Other worksheets hold something too and were not read.
    OtherSheets { names: Vec<String> },
    /// The text has no mark of its encoding; this one fitted.
    GuessedEncoding { encoding: &'static str },
    /// More problems than are listed.
    More { count: usize },
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.row, self.column) {
            (Some(row), Some(column)) => write!(f, "row {row}, column {}: ", column_letters(column))?,
            (Some(row), None) => write!(f, "row {row}: ")?,
            (None, Some(column)) => write!(f, "column {}: ", column_letters(column))?,
            (None, None) => {}
        }
        match &self.kind {
            ProblemKind::BlankHeader => write!(f, "the header is blank"),
            ProblemKind::DuplicateHeader { name, first_column } => {
                write!(f, "header “{name}” stands in column {} already", column_letters(*first_column))
            }
            ProblemKind::LostDigits { shown } => {
                write!(f, "{shown}: stored as a number of more than 15 digits, the last digits are lost; format the column as text")
            }
            ProblemKind::ErrorCell { shown } => {
                write!(f, "the cell holds the spreadsheet error {shown}")
            }
            ProblemKind::BeyondHeaders => write!(f, "more cells than headers"),
            ProblemKind::TitleLine { text } => {
                write!(f, "“{text}” taken for a title above the header")
            }
            ProblemKind::OtherSheets { names } => {
                write!(f, "worksheets not read: {}", names.join(", "))
            }
            ProblemKind::GuessedEncoding { encoding } => write!(f, "text read as {encoding}"),
            ProblemKind::More { count } => write!(f, "{count} more problems"),
        }
    }
}

/// Column name as spreadsheets show it: 1 → A, 27 → AA.
pub(crate) fn column_letters(column: usize) -> String {
    let mut rest = column;
    let mut letters = Vec::new();
    while rest > 0 {
        rest -= 1;
        letters.push(char::from(b'A' + (rest % 26) as u8));
        rest /= 26;
    }
    letters.iter().rev().collect()
}

/// A sheet that is refused whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}: {kind}")]
pub struct SheetError {
    pub file: String,
    pub kind: SheetErrorKind,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SheetErrorKind {
    #[error("{}more than {limit} {what}", at_row(*row))]
    OverLimit { what: &'static str, limit: u64, row: Option<usize> },
    #[error("not text in UTF-8, UTF-16 or GB18030 (byte {byte})")]
    UnknownEncoding { byte: usize },
    #[error("row {row}: a quotation mark is opened and never closed")]
    OpenQuote { row: usize },
    #[error("the file holds no rows")]
    Empty,
    #[error("{}the workbook is damaged: {detail}", in_member(member))]
    Damaged { member: Option<String>, detail: String },
    #[error("the workbook is protected by a password")]
    Encrypted,
    #[error("no worksheet “{name}”")]
    NoSuchSheet { name: String },
}

fn at_row(row: Option<usize>) -> String {
    row.map_or_else(String::new, |row| format!("row {row}: "))
}

fn in_member(member: &Option<String>) -> String {
    member.as_ref().map_or_else(String::new, |member| format!("{member}: "))
}

/// At most this many problems are listed for one file; the rest are counted.
const PROBLEMS_MAX: usize = 1_000;

/// A bounded list of problems.
#[derive(Debug, Clone, Default)]
pub(crate) struct Problems {
    listed: Vec<Problem>,
    more: usize,
}

impl Problems {
    pub(crate) fn add(&mut self, row: Option<usize>, column: Option<usize>, kind: ProblemKind) {
        if self.listed.len() < PROBLEMS_MAX {
            self.listed.push(Problem { row, column, kind });
        } else {
            self.more += 1;
        }
    }

    pub(crate) fn into_list(mut self) -> Vec<Problem> {
        if self.more > 0 {
            self.listed.push(Problem { row: None, column: None, kind: ProblemKind::More { count: self.more } });
        }
        self.listed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_named_as_in_a_spreadsheet() {
        let names: Vec<String> = [1, 26, 27, 52, 53, 702, 703, 16_384].map(column_letters).to_vec();
        assert_eq!(names, ["A", "Z", "AA", "AZ", "BA", "ZZ", "AAA", "XFD"]);
    }

    #[test]
    fn problems_beyond_the_bound_are_counted() {
        let mut problems = Problems::default();
        for row in 0..PROBLEMS_MAX + 7 {
            problems.add(Some(row), None, ProblemKind::BeyondHeaders);
        }
        let list = problems.into_list();
        assert_eq!(list.len(), PROBLEMS_MAX + 1);
        assert_eq!(list[PROBLEMS_MAX].kind, ProblemKind::More { count: 7 });
    }
}
