use std::fmt;

/// Where in a file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Place {
    pub file: String,
    /// Member of an archive, or worksheet, or section.
    pub member: Option<String>,
    /// Line or row, from 1.
    pub line: Option<usize>,
    /// Cell, well or element in the file's own words.
    pub cell: Option<String>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if let Some(member) = &self.member {
            write!(f, ", {member}")?;
        }
        if let Some(line) = self.line {
            write!(f, ", line {line}")?;
        }
        if let Some(cell) = &self.cell {
            write!(f, ", {cell}")?;
        }
        Ok(())
    }
}

/// Something odd that did not stop the reading.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {kind}")]
pub struct Problem {
    pub place: Place,
    pub kind: ProblemKind,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProblemKind {
    #[error("{field} “{text}” is not a number; left out")]
    NotANumber { field: &'static str, text: String },
    #[error("Cq {text} is not possible; taken as none")]
    ImpossibleCq { text: String },
    #[error("the curve has no readings")]
    NoCurve,
    #[error("readings missing: {count}")]
    Gaps { count: usize },
    #[error("cycles do not rise")]
    CyclesNotRising,
    #[error("{what} “{id}” is not described in the file")]
    UnknownReference { what: &'static str, id: String },
    #[error("“{text}” is not a well of the plate")]
    NotAWell { text: String },
    #[error("a second reading of the same well and target")]
    DuplicateReading,
    #[error("column “{name}” appears twice")]
    DuplicateColumn { name: String },
    #[error("{what} is not read")]
    NotRead { what: &'static str },
    #[error("text read as {encoding}")]
    GuessedEncoding { encoding: &'static str },
    #[error("{count} more problems")]
    More { count: usize },
}

/// A file that is refused whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {kind}")]
pub struct ParseError {
    pub place: Box<Place>,
    pub kind: ErrorKind,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ErrorKind {
    #[error("not a file of a known PCR instrument")]
    UnknownFormat,
    #[error("more than {limit} {what}")]
    OverLimit { what: &'static str, limit: u64 },
    #[error("damaged or cut off: {detail}")]
    Damaged { detail: String },
    #[error("not in a known text encoding (byte {byte})")]
    UnknownEncoding { byte: usize },
    #[error("no {what} found")]
    Missing { what: String },
    #[error("the file holds no wells")]
    NoWells,
    #[error("{0}")]
    Sheet(baton_sheets::SheetErrorKind),
}

/// At most this many problems are listed for one file; the rest are counted.
const PROBLEMS_MAX: usize = 1_000;

/// Collects problems and names places while a file is read.
#[derive(Debug)]
pub(crate) struct Notes {
    file: String,
    pub(crate) member: Option<String>,
    problems: Vec<Problem>,
    more: usize,
}

impl Notes {
    pub(crate) fn new(file: &str) -> Self {
        Notes { file: file.to_owned(), member: None, problems: Vec::new(), more: 0 }
    }

    pub(crate) fn file(&self) -> &str {
        &self.file
    }

    fn place(&self, line: Option<usize>, cell: Option<String>) -> Place {
        Place { file: self.file.clone(), member: self.member.clone(), line, cell }
    }

    pub(crate) fn add(&mut self, line: Option<usize>, cell: impl Into<Option<String>>, kind: ProblemKind) {
        if self.problems.len() < PROBLEMS_MAX {
            let place = self.place(line, cell.into());
            self.problems.push(Problem { place, kind });
        } else {
            self.more += 1;
        }
    }

    pub(crate) fn error(&self, kind: ErrorKind) -> ParseError {
        self.error_at(None, None, kind)
    }

    pub(crate) fn error_at(&self, line: Option<usize>, cell: Option<String>, kind: ErrorKind) -> ParseError {
        ParseError { place: Box::new(self.place(line, cell)), kind }
    }

    pub(crate) fn over_limit(&self, what: &'static str, limit: u64) -> ParseError {
        self.error(ErrorKind::OverLimit { what, limit })
    }

    pub(crate) fn damaged(&self, detail: impl fmt::Display) -> ParseError {
        self.error(ErrorKind::Damaged { detail: detail.to_string() })
    }

    pub(crate) fn into_problems(mut self) -> Vec<Problem> {
        if self.more > 0 {
            let place = Place { file: self.file, ..Place::default() };
            self.problems.push(Problem { place, kind: ProblemKind::More { count: self.more } });
        }
        self.problems
    }
}
