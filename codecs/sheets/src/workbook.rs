use std::io::{Cursor, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};

use calamine::{Data, DataRef, DataType, ExcelDateTime, Reader, SheetType, SheetVisible, Xlsx, XlsxError};

use crate::Table;
use crate::headed::Headed;
use crate::limits::{Budget, Limits};
use crate::problem::{ProblemKind, Problems, SheetError, SheetErrorKind};
use crate::row::Row;
use crate::xls::XlsBook;

/// First bytes of the compound file that an `.xls` (or an encrypted `.xlsx`) is.
const COMPOUND_FILE: &[u8] = b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1";
/// Members of an archive beyond this are refused; a real workbook has a few dozen.
const MEMBERS_MAX: usize = 10_000;

/// Whether the bytes begin as an XLSX (a zip archive) or XLS (a compound file) does.
pub fn is_workbook(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(COMPOUND_FILE)
}

/// One worksheet of a workbook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SheetInfo {
    pub name: String,
    pub visible: bool,
}

/// An open XLSX or XLS file.
pub struct Workbook<'a> {
    file: String,
    limits: Limits,
    sheets: Vec<SheetInfo>,
    book: Book<'a>,
    problems: Problems,
}

enum Book<'a> {
    Xlsx(Box<Xlsx<Cursor<&'a [u8]>>>),
    Xls(Box<XlsBook>),
}

impl std::fmt::Debug for Workbook<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Workbook").field("file", &self.file).field("sheets", &self.sheets).finish_non_exhaustive()
    }
}

impl<'a> Workbook<'a> {
    /// Opens a workbook after measuring what it unpacks to.
    ///
    /// # Errors
    /// Files over the limits, damaged or protected by a password.
    pub fn open(bytes: &'a [u8], file_name: &str, limits: Limits) -> Result<Self, SheetError> {
        let named = |kind| SheetError { file: file_name.to_owned(), kind };
        if bytes.len() > limits.bytes_max {
            let limit = limits.bytes_max as u64;
            return Err(named(SheetErrorKind::OverLimit { what: "bytes", limit, row: None }));
        }
        let (book, sheets) = if bytes.starts_with(COMPOUND_FILE) {
            let book = XlsBook::open(bytes, limits).map_err(named)?;
            let sheets = book.sheets.clone();
            (Book::Xls(Box::new(book)), sheets)
        } else {
            check_archive(bytes, limits.unpacked_bytes_max).map_err(named)?;
            let book: Xlsx<_> = guarded(|| Xlsx::new(Cursor::new(bytes)).map_err(|error| xlsx_error(&error))).map_err(named)?;
            let sheets = book.sheets_metadata().iter().filter(|sheet| sheet.typ == SheetType::WorkSheet);
            let sheets = sheets.map(|sheet| SheetInfo { name: sheet.name.clone(), visible: sheet.visible == SheetVisible::Visible }).collect();
            (Book::Xlsx(Box::new(book)), sheets)
        };
        Ok(Workbook { file: file_name.to_owned(), limits, sheets, book, problems: Problems::default() })
    }

    /// The worksheets in their order.
    pub fn sheets(&self) -> &[SheetInfo] {
        &self.sheets
    }

    /// All rows of a worksheet that hold anything; no header is looked for.
    ///
    /// # Errors
    /// Sheets over the limits or damaged; a name that is not in the book.
    pub fn rows(&mut self, sheet: &str) -> Result<Vec<Row>, SheetError> {
        if !self.sheets.iter().any(|known| known.name == sheet) {
            return Err(self.named(SheetErrorKind::NoSuchSheet { name: sheet.to_owned() }));
        }
        let mut rows = RowsOfCells { rows: Vec::new(), budget: Budget::new(self.limits), problems: &mut self.problems };
        let book = &mut self.book;
        let read = guarded(|| match book {
            Book::Xlsx(book) => rows.read_xlsx(book, sheet),
            Book::Xls(book) => {
                let limits = rows.budget.limits;
                book.cells(sheet, limits, |row, column, value| rows.add_value(row, column, value))
            }
        });
        let mut found = rows.rows;
        read.map_err(|kind| self.named(kind))?;
        found.retain(|row| !row.is_blank());
        Ok(found)
    }

    /// The first visible worksheet that holds anything, as a table.
    pub(crate) fn into_table(mut self) -> Result<Table, SheetError> {
        let names: Vec<String> = self.sheets.iter().filter(|sheet| sheet.visible).map(|sheet| sheet.name.clone()).collect();
        for (index, name) in names.iter().enumerate() {
            let rows = self.rows(name)?;
            if rows.is_empty() {
                continue;
            }
            let mut problems = std::mem::take(&mut self.problems);
            if index + 1 < names.len() {
                problems.add(None, None, ProblemKind::OtherSheets { names: names[index + 1..].to_vec() });
            }
            let mut headed = Headed::new(rows.into_iter().map(Ok), problems).map_err(|kind| self.named(kind))?;
            let rows = headed.by_ref().collect::<Result<Vec<Row>, _>>().map_err(|kind| self.named(kind))?;
            return Ok(Table {
                headers: headed.headers,
                header_row: headed.header_row,
                rows,
                problems: headed.problems.into_list(),
                sheet: Some(name.clone()),
                encoding: None,
            });
        }
        Err(self.named(SheetErrorKind::Empty))
    }

    fn named(&self, kind: SheetErrorKind) -> SheetError {
        SheetError { file: self.file.clone(), kind }
    }
}

/// Collects cells, which come in reading order, into rows.
struct RowsOfCells<'p> {
    rows: Vec<Row>,
    budget: Budget,
    problems: &'p mut Problems,
}

impl RowsOfCells<'_> {
    fn read_xlsx(&mut self, book: &mut Xlsx<Cursor<&[u8]>>, sheet: &str) -> Result<(), SheetErrorKind> {
        let damaged = |error: XlsxError| with_member(xlsx_error(&error), sheet);
        let mut cells = book.worksheet_cells_reader(sheet).map_err(damaged)?;
        while let Some(cell) = cells.next_cell().map_err(damaged)? {
            let (row, column) = cell.get_position();
            let (row, column) = (row as usize + 1, column as usize + 1);
            match cell.get_value() {
                DataRef::Empty => {}
                DataRef::SharedString(text) => self.add(row, column, text)?,
                DataRef::String(text) => self.add(row, column, text)?,
                other => self.add_value(row, column, &Data::from(other.clone()))?,
            }
        }
        Ok(())
    }

    fn add_value(&mut self, row: usize, column: usize, value: &Data) -> Result<(), SheetErrorKind> {
        match value {
            Data::Float(number) if lost_digits(*number) => {
                let shown = number.to_string();
                self.problems.add(Some(row), Some(column), ProblemKind::LostDigits { shown: shown.clone() });
                self.add(row, column, &shown)
            }
            Data::DateTime(date) => self.add(row, column, &date_text(*date)),
            Data::Bool(truth) => self.add(row, column, if *truth { "TRUE" } else { "FALSE" }),
            Data::Error(error) => {
                let shown = error.to_string();
                self.problems.add(Some(row), Some(column), ProblemKind::ErrorCell { shown: shown.clone() });
                self.add(row, column, &shown)
            }
            other => self.add(row, column, &other.as_string().unwrap_or_default()),
        }
    }

    fn add(&mut self, row: usize, column: usize, text: &str) -> Result<(), SheetErrorKind> {
        self.budget.cell(row, column, text.len())?;
        if self.rows.last().is_none_or(|last| last.number != row) {
            if self.rows.last().is_some_and(|last| last.number > row) {
                return Err(SheetErrorKind::Damaged { member: None, detail: format!("row {row} stands out of order") });
            }
            if let Some(last) = self.rows.last_mut() {
                last.shrink();
            }
            self.rows.push(Row::new(row));
        }
        let Some(last) = self.rows.last_mut() else {
            return Ok(());
        };
        if column <= last.len() {
            let detail = format!("row {row}, column {column} stands out of order or twice");
            return Err(SheetErrorKind::Damaged { member: None, detail });
        }
        while last.len() + 1 < column {
            last.close_cell();
        }
        last.push(text);
        Ok(())
    }
}

/// Excel keeps 15 significant digits: a whole number beyond that has been rounded.
fn lost_digits(number: f64) -> bool {
    number.fract() == 0.0 && number.abs() >= 1e15
}

/// ISO text: a date, a time, or both, as far as the cell holds them; a duration as hours, minutes, seconds.
fn date_text(date: ExcelDateTime) -> String {
    let serial = date.as_f64();
    if date.is_duration() {
        let seconds = (serial * 86_400.0).round();
        let (sign, seconds) = if seconds < 0.0 { ("-", -seconds) } else { ("", seconds) };
        let (hours, rest) = ((seconds / 3_600.0).floor(), seconds % 3_600.0);
        return format!("{sign}{hours:02}:{:02}:{:02}", (rest / 60.0).floor(), rest % 60.0);
    }
    let (year, month, day, hour, minute, second, milli) = date.to_ymd_hms_milli();
    let (day_part, time_part) = (format!("{year:04}-{month:02}-{day:02}"), format!("{hour:02}:{minute:02}:{second:02}"));
    let millis = if milli == 0 { String::new() } else { format!(".{milli:03}") };
    match () {
        () if serial.fract() == 0.0 => day_part,
        () if (0.0..1.0).contains(&serial) => format!("{time_part}{millis}"),
        () => format!("{day_part} {time_part}{millis}"),
    }
}

/// Runs a reader of a foreign format; a panic in it becomes a refusal of the file.
fn guarded<T>(read: impl FnOnce() -> Result<T, SheetErrorKind>) -> Result<T, SheetErrorKind> {
    catch_unwind(AssertUnwindSafe(read))
        .unwrap_or_else(|_| Err(SheetErrorKind::Damaged { member: None, detail: "its structure cannot be followed".to_owned() }))
}

/// Unpacks every member of a zip archive into nothing, counting: what an archive says of its own sizes may be a lie.
///
/// # Errors
/// [`SheetErrorKind::OverLimit`] past `unpacked_bytes_max`, [`SheetErrorKind::Damaged`] with the member's name.
pub fn check_archive(bytes: &[u8], unpacked_bytes_max: u64) -> Result<(), SheetErrorKind> {
    let damaged = |member: Option<String>, detail: String| SheetErrorKind::Damaged { member, detail };
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|error| damaged(None, error.to_string()))?;
    if archive.len() > MEMBERS_MAX {
        return Err(SheetErrorKind::OverLimit { what: "archive members", limit: MEMBERS_MAX as u64, row: None });
    }
    let mut left = unpacked_bytes_max;
    for index in 0..archive.len() {
        let member = archive.by_index(index).map_err(|error| damaged(None, error.to_string()))?;
        let name = member.name().map(|name| name.into_owned()).ok();
        let unpacked = std::io::copy(&mut member.take(left.saturating_add(1)), &mut std::io::sink()).map_err(|error| damaged(name, error.to_string()))?;
        if unpacked > left {
            return Err(SheetErrorKind::OverLimit { what: "bytes once unpacked", limit: unpacked_bytes_max, row: None });
        }
        left -= unpacked;
    }
    Ok(())
}

fn xlsx_error(error: &XlsxError) -> SheetErrorKind {
    match error {
        XlsxError::Password => SheetErrorKind::Encrypted,
        other => SheetErrorKind::Damaged { member: None, detail: other.to_string() },
    }
}

fn with_member(kind: SheetErrorKind, sheet: &str) -> SheetErrorKind {
    match kind {
        SheetErrorKind::Damaged { member: None, detail } => SheetErrorKind::Damaged { member: Some(sheet.to_owned()), detail },
        other => other,
    }
}
