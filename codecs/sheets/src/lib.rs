//! Sheets as people send them: CSV in any usual encoding, XLSX and XLS, read into rows of text with their
//! positions; and the same written back so that Excel opens them.
//!
//! Everything is text. A roster's document numbers, phones and leading zeros must arrive exactly as typed; where the
//! file itself has already lost digits (Excel keeps 15), the cell is reported as a [`Problem`], never repaired.
//! Every size is bounded by [`Limits`]; a file over a bound is refused whole, never imported in part.

mod delimited;
mod headed;
mod limits;
mod problem;
mod row;
mod text;
mod workbook;
mod write;
mod xls;

pub use delimited::{CsvRows, Delimiter};
pub use limits::Limits;
pub use problem::{Problem, ProblemKind, SheetError, SheetErrorKind};
pub use row::Row;
pub use text::{Encoding, decode};
pub use workbook::{SheetInfo, Workbook, check_archive, is_workbook};
pub use write::{ColumnKind, guard_formula, unguard_formula, write_csv, write_xlsx};

/// One sheet, read whole.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// Header texts, outer blanks removed; a blank header stays an empty string (and is reported).
    pub headers: Vec<String>,
    /// Row number of the header as the user sees it.
    pub header_row: usize,
    /// Rows below the header that hold anything.
    pub rows: Vec<Row>,
    /// What looked wrong but did not stop the reading.
    pub problems: Vec<Problem>,
    /// Name of the worksheet, for workbooks.
    pub sheet: Option<String>,
    /// How the text was encoded, for CSV.
    pub encoding: Option<Encoding>,
}

impl Table {
    /// Index of the first header that equals `name`, ignoring case.
    pub fn column(&self, name: &str) -> Option<usize> {
        let wanted = name.trim().to_lowercase();
        self.headers.iter().position(|header| header.to_lowercase() == wanted)
    }
}

/// Reads a sheet of either kind; the content decides, the file name only appears in messages.
///
/// Of a workbook the first visible worksheet that holds anything is read. The header is the first row that is not
/// blank; title lines (a single cell) above a wider header are skipped and reported.
///
/// # Errors
/// Refuses files that are too large, damaged, empty, or in an encoding that cannot be told.
pub fn read(bytes: &[u8], file_name: &str, limits: Limits) -> Result<Table, SheetError> {
    if is_workbook(bytes) {
        return Workbook::open(bytes, file_name, limits)?.into_table();
    }
    let mut rows = CsvRows::open(bytes, file_name, limits)?;
    let mut kept = Vec::new();
    for row in rows.by_ref() {
        kept.push(row?);
    }
    Ok(Table {
        headers: rows.headers().to_vec(),
        header_row: rows.header_row(),
        encoding: Some(rows.encoding()),
        problems: rows.into_problems(),
        rows: kept,
        sheet: None,
    })
}
