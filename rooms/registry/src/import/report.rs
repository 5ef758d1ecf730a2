//! What an import would do, or did. No personal data in it.

use baton_kit::ImportId;

use super::row::RowProblem;
use crate::events::{ImportCounts, PlaceKind};

/// At most so many problems, repetitions and places are listed; the rest are counted.
pub(super) const LISTED_MAX: usize = 10_000;

/// What a column was taken for.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, schemars::JsonSchema)]
pub struct ColumnUsed {
    /// Counted from 1.
    pub column: usize,
    pub header: String,
    pub field: Option<&'static str>,
}

/// A row that says again what an earlier one said.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, schemars::JsonSchema)]
pub struct Repeated {
    pub row: usize,
    pub first_row: usize,
}

/// A place that the file names and the registry does not have.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, schemars::JsonSchema)]
pub struct NewPlace {
    pub kind: PlaceKind,
    pub code: String,
    pub name: String,
}

#[derive(Clone, PartialEq, Eq, Debug, Default, serde::Serialize, schemars::JsonSchema)]
pub struct ImportReport {
    pub file: String,
    /// Rows below the header.
    pub rows: u64,
    pub columns: Vec<ColumnUsed>,
    pub counts: ImportCounts,
    pub problems: Vec<RowProblem>,
    /// Problems beyond those listed.
    pub problems_more: u64,
    pub repeated: Vec<Repeated>,
    pub places: Vec<NewPlace>,
    /// Places beyond those listed.
    pub places_more: u64,
    /// What was odd about the file as a whole.
    pub sheet: Vec<String>,
    /// The import, when it was carried out.
    pub import: Option<ImportId>,
}

impl ImportReport {
    pub(super) fn add_problems(&mut self, problems: Vec<RowProblem>) {
        let room = LISTED_MAX.saturating_sub(self.problems.len());
        self.problems_more += problems.len().saturating_sub(room) as u64;
        self.problems.extend(problems.into_iter().take(room));
    }

    pub(super) fn add_repeated(&mut self, repeated: Repeated) {
        self.counts.repeated += 1;
        if self.repeated.len() < LISTED_MAX {
            self.repeated.push(repeated);
        }
    }

    /// Rows left out, as a CSV for whoever has to mend the file. `words` puts a key into the reader's language.
    pub fn problems_csv(&self, words: impl Fn(&str) -> String) -> Vec<u8> {
        let headers =
            ["registry-report-row", "registry-report-column", "registry-report-field", "registry-report-problem", "registry-report-first-row"].map(&words);
        let number = |value: Option<usize>| value.map_or_else(String::new, |n| n.to_string());
        let wrong = self.problems.iter().map(|p| {
            let field = words(&format!("registry-field-{}", p.field));
            [p.row.to_string(), number(p.column), field, words(&format!("registry-problem-{}", p.code)), number(p.first_row)]
        });
        let again =
            self.repeated.iter().map(|r| [r.row.to_string(), String::new(), String::new(), words("registry-problem-repeated"), r.first_row.to_string()]);
        baton_sheets::write_csv(&headers, wrong.chain(again))
    }
}
