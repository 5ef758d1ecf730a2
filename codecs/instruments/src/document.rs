//! Text files and workbooks as facts (`key = value`) and tables of wells.

use baton_sheets::{Row, Workbook};

use crate::columns::{Columns, TableKind};
use crate::limits::{CELL_BYTES_MAX, COLUMNS_MAX, Limits};
use crate::lines::{cells, delimiter, lines};
use crate::problem::{ErrorKind, Notes, ParseError};
use crate::value::excerpt;

/// Facts beyond this number are passed over.
const FACTS_MAX: usize = 1_000;
/// Tables of one file; an export has fewer than ten.
const TABLES_MAX: usize = 200;

/// What a file says about its run and its wells.
#[derive(Debug, Default)]
pub(crate) struct Document {
    pub(crate) facts: Vec<(String, String)>,
    pub(crate) tables: Vec<Table>,
}

#[derive(Debug)]
pub(crate) struct Table {
    /// Section or worksheet.
    pub(crate) section: Option<String>,
    pub(crate) kind: TableKind,
    pub(crate) columns: Columns,
    pub(crate) rows: Vec<Row>,
}

impl Document {
    /// The first fact with one of these names, blanks and “NA” apart.
    pub(crate) fn fact(&self, names: &[&str]) -> Option<String> {
        names.iter().find_map(|wanted| {
            let mut found = self.facts.iter().filter(|(name, _)| crate::columns::fold(name) == crate::columns::fold(wanted));
            found.find(|(_, value)| !value.is_empty() && value != "NA").map(|(_, value)| value.clone())
        })
    }

    /// Reads a text file in which tables stand between headings and facts.
    pub(crate) fn from_text(text: &str, notes: &mut Notes, limits: Limits) -> Result<Document, ParseError> {
        let delimiter = delimiter(text);
        let mut collector = Collector::new(limits);
        for (number, line) in lines(text) {
            let trimmed = line.trim_ascii();
            if let Some(section) = trimmed.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                collector.section(Some(section.to_owned()));
                continue;
            }
            if collector.state == State::Skipped && !trimmed.is_empty() {
                continue;
            }
            if let Some(fact) = trimmed.strip_prefix("* ").or_else(|| trimmed.strip_prefix("*\t")) {
                collector.fact(fact.split_once('=').unwrap_or((fact, "")));
                continue;
            }
            collector.row(number, &cells(line, delimiter), notes)?;
        }
        Ok(collector.document)
    }

    /// Reads all visible worksheets of a workbook.
    pub(crate) fn from_workbook(bytes: &[u8], notes: &mut Notes, limits: Limits) -> Result<Document, ParseError> {
        let refuse = |notes: &Notes, error: baton_sheets::SheetError| notes.error(ErrorKind::Sheet(error.kind));
        let mut book = Workbook::open(bytes, "", limits.sheets()).map_err(|error| refuse(notes, error))?;
        let names: Vec<String> = book.sheets().iter().map(|sheet| sheet.name.clone()).collect();
        let mut collector = Collector::new(limits);
        for name in names.into_iter().filter(|name| !is_never_read(name)) {
            notes.member = Some(name.clone());
            collector.section(Some(name.clone()));
            let mut last = 0;
            for row in book.rows(&name).map_err(|error| refuse(notes, error))? {
                if row.number > last + 1 {
                    collector.blank();
                }
                last = row.number;
                let cells: Vec<&str> = row.cells().map(str::trim).collect();
                collector.row(row.number, &cells, notes)?;
            }
        }
        notes.member = None;
        Ok(collector.document)
    }
}

/// Worksheets of raw and derived measures, which are large and not used.
fn is_never_read(sheet: &str) -> bool {
    let name = crate::columns::fold(sheet);
    ["rawdata", "multicomponent", "multicomponentdata", "meltcurverawdata", "meltcurveresult"].contains(&name.as_str())
}

/// Sorts lines into facts, headers and rows.
struct Collector {
    document: Document,
    section: Option<String>,
    state: State,
    limits: Limits,
    rows: usize,
}

#[derive(PartialEq)]
enum State {
    /// Before a header: lines are facts.
    Facts,
    /// Below a header that is read: lines are rows of the last table.
    Table,
    /// Below a header that is not read.
    Skipped,
}

impl Collector {
    fn new(limits: Limits) -> Self {
        Collector { document: Document::default(), section: None, state: State::Facts, limits, rows: 0 }
    }

    fn section(&mut self, name: Option<String>) {
        self.section = name.map(|name| excerpt(&name));
        self.state = State::Facts;
    }

    fn blank(&mut self) {
        self.state = State::Facts;
    }

    fn fact(&mut self, (name, value): (&str, &str)) {
        if self.document.facts.len() < FACTS_MAX && value.len() <= CELL_BYTES_MAX {
            self.document.facts.push((excerpt(name), value.trim().to_owned()));
        }
    }

    /// A line outside tables: `Key,value`, `Key: value`, `Key = value`, and the headings of the LightCycler.
    fn heading(&mut self, first: &str, second: &str) {
        if let Some((name, filter)) = first.split_once("Selected Filter:") {
            self.fact(("Selected Filter", filter));
            self.fact(split_fact(name.trim(), ""));
        } else if let Some((name, software)) = second.strip_prefix("Experiment - ").and_then(|text| text.split_once("(Run on ")) {
            self.fact(("Experiment", name));
            self.fact(("Software", software.trim_end_matches(')')));
        } else {
            self.fact(split_fact(first, second));
        }
    }

    fn row(&mut self, number: usize, cells: &[&str], notes: &Notes) -> Result<(), ParseError> {
        if let Some(cell) = cells.iter().find(|cell| cell.len() > CELL_BYTES_MAX) {
            let kind = ErrorKind::OverLimit { what: "bytes in one cell", limit: CELL_BYTES_MAX as u64 };
            return Err(notes.error_at(Some(number), Some(excerpt(cell)), kind));
        }
        let mut filled = cells.iter().filter(|cell| !cell.is_empty());
        let (Some(first), second) = (filled.next(), filled.next()) else {
            self.blank();
            return Ok(());
        };
        if second.is_some() && self.open_table(cells, notes)? {
            return Ok(());
        }
        match (&self.state, self.document.tables.last_mut()) {
            (State::Facts, _) => self.heading(first, second.unwrap_or(&"")),
            (State::Table, Some(table)) => {
                self.rows += 1;
                if self.rows > self.limits.readings_max {
                    return Err(notes.over_limit("rows", self.limits.readings_max as u64));
                }
                table.rows.push(Row::from_cells(number, cells));
            }
            _ => {}
        }
        Ok(())
    }

    /// Begins a table when the cells are column names. Names are words, so a row with a number is none; below a header
    /// only another complete header begins a new table.
    fn open_table(&mut self, header: &[&str], notes: &Notes) -> Result<bool, ParseError> {
        let words = header.iter().filter(|cell| !cell.is_empty()).all(|cell| cell.parse::<f64>().is_err());
        if !words || (self.state != State::Facts && !is_well_column(header)) {
            return Ok(false);
        }
        if header.len() > COLUMNS_MAX {
            return Err(notes.over_limit("columns", COLUMNS_MAX as u64));
        }
        let columns = Columns::new(header.iter().copied());
        let Some(kind) = columns.kind() else {
            if self.state == State::Facts && is_well_column(header) && header.len() > 2 {
                self.state = State::Skipped;
                return Ok(true);
            }
            return Ok(false);
        };
        if self.document.tables.len() >= TABLES_MAX {
            return Err(notes.over_limit("tables", TABLES_MAX as u64));
        }
        let section = self.section.clone();
        self.document.tables.push(Table { section, kind, columns, rows: Vec::new() });
        self.state = State::Table;
        Ok(true)
    }
}

/// Whether a column of the header names the wells.
fn is_well_column(header: &[&str]) -> bool {
    use crate::columns::{Role, role};
    header.iter().any(|name| matches!(role(name), Role::Well | Role::Position))
}

/// `Key,value`, `Key: value` or `Key = value`.
fn split_fact<'a>(first: &'a str, second: &'a str) -> (&'a str, &'a str) {
    match first.split_once(" = ").or_else(|| first.split_once(": ")) {
        Some((name, value)) if second.is_empty() || !value.is_empty() => (name, value),
        _ => (first.trim_end_matches([':', ' ']), second),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_and_tables_are_told_apart() {
        let text = "* Block Type = 96-Well\n* Barcode = NA\n\n[Raw Data]\nWell\tCycle\tx1-m1\n1\t1\t5\n[Results]\nWell\tSample Name\tTarget Name\tCT\n1\ta\tN\t21.5\n2\tb\tN\tUndetermined\n\nAnalysis Type = Singleplex\n";
        let document = Document::from_text(text, &mut Notes::new("x"), Limits::default()).unwrap();
        assert_eq!(document.fact(&["block type"]).as_deref(), Some("96-Well"));
        assert_eq!(document.fact(&["Barcode"]), None);
        assert_eq!(document.fact(&["Analysis Type"]).as_deref(), Some("Singleplex"));
        let [table] = &document.tables[..] else { panic!("{:?}", document.tables) };
        assert_eq!((table.kind, table.section.as_deref()), (TableKind::Results, Some("Results")));
        assert_eq!(table.rows.iter().map(|row| row.number).collect::<Vec<_>>(), [9, 10]);
    }

    #[test]
    fn a_cell_without_end_is_refused() {
        let text = format!("Well,Sample,Target,Cq\nA1,{},N,20\n", "x".repeat(CELL_BYTES_MAX + 1));
        let error = Document::from_text(&text, &mut Notes::new("x"), Limits::default()).unwrap_err();
        assert!(error.to_string().starts_with("x, line 2, xxx"), "{error}");
    }
}
