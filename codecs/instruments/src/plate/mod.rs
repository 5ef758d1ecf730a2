//! Puts the rows of a document's tables together into wells and readings.

mod rows;
mod run;

use std::collections::HashMap;

use baton_sheets::Row;

use crate::columns::{Columns, Role, TableKind};
use crate::document::{Document, Table};
use crate::limits::Limits;
use crate::model::{Content, PlateFormat, Reading, Run, Well};
use crate::problem::{Notes, ParseError, ProblemKind};
use crate::sniff::Format;
use crate::value::excerpt;
use crate::well::{WellPosition, parse_well};

/// More targets than this in one well are no multiplex.
const READINGS_PER_WELL_MAX: usize = 256;
/// Plates in one export.
const PLATES_MAX: usize = 1_000;

/// Makes runs of a document: setup first, then curves, results and calls.
pub(crate) fn assemble(document: &Document, format: Format, notes: &mut Notes, limits: Limits) -> Result<Vec<Run>, ParseError> {
    let mut builder = Builder::new(document, limits);
    let mut tables: Vec<&Table> = document.tables.iter().collect();
    tables.sort_by_key(|table| table.kind);
    for table in &tables {
        builder.learn_positions(table);
    }
    for table in tables {
        notes.member.clone_from(&table.section);
        builder.table(table, notes)?;
    }
    notes.member = None;
    Ok(builder.finish(document, format, notes))
}

struct Builder {
    limits: Limits,
    plate: Option<PlateFormat>,
    /// Names of the wells that are numbered.
    positions: HashMap<u32, (u16, u16)>,
    largest_number: u32,
    plates: Vec<Wells>,
    plate_index: HashMap<String, usize>,
    wells: usize,
    values: usize,
    curves: usize,
    /// Genotyping: names of the two alleles of each assay.
    alleles: HashMap<String, [String; 2]>,
}

/// Wells of one plate.
#[derive(Default)]
struct Wells {
    name: Option<String>,
    wells: Vec<Well>,
    index: HashMap<WellPosition, usize>,
    /// Readings that came without a value, by well and reading.
    gaps: HashMap<(usize, usize), usize>,
    /// Rows come well by well, so the last one is usually the next one.
    last: Option<(String, usize)>,
}

impl Builder {
    fn new(document: &Document, limits: Limits) -> Self {
        Builder {
            limits,
            plate: document.fact(&["Block Type"]).and_then(|text| run::plate_of(&text)),
            positions: HashMap::new(),
            largest_number: 0,
            plates: Vec::new(),
            plate_index: HashMap::new(),
            wells: 0,
            values: 0,
            curves: 0,
            alleles: HashMap::new(),
        }
    }

    /// Tables with both the number and the name of a well say how the plate is numbered.
    fn learn_positions(&mut self, table: &Table) {
        let Some(well) = table.columns.find(Role::Well) else {
            return;
        };
        let position = table.columns.find(Role::Position);
        for row in &table.rows {
            let Some(number) = well_number(row.cell(well)) else {
                continue;
            };
            self.largest_number = self.largest_number.max(number);
            if let Some(place) = position.and_then(|column| parse_well(row.cell(column))) {
                self.positions.entry(number).or_insert(place);
            }
        }
    }

    fn table(&mut self, table: &Table, notes: &mut Notes) -> Result<(), ParseError> {
        match table.kind {
            TableKind::Readings => return self.channels(table, notes),
            TableKind::Curves => return self.curves(table, notes),
            _ => {}
        }
        let alleles = table.columns.has(Role::SnpAssay);
        for row in &table.rows {
            match table.kind {
                TableKind::Amplification => self.amplification(&table.columns, row, notes)?,
                _ if alleles => self.genotype(&table.columns, row, notes)?,
                _ => self.description(&table.columns, row, notes)?,
            }
        }
        Ok(())
    }

    /// The well of a row, made when it is new: index of its plate and its index there.
    fn well(&mut self, columns: &Columns, row: &Row, notes: &mut Notes) -> Result<Option<(usize, usize)>, ParseError> {
        let cell = |role| columns.find(role).map_or("", |column| row.cell(column));
        let (number, name) = (cell(Role::Well), cell(Role::Position));
        let text = if name.is_empty() { number } else { name };
        if text.is_empty() {
            return Ok(None);
        }
        let plate = self.plate_named(cell(Role::Plate), notes)?;
        if let Some((_, well)) = self.plates[plate].last.as_ref().filter(|(last, _)| last == text) {
            return Ok(Some((plate, *well)));
        }
        let Some(position) = self.position(text) else {
            notes.add(Some(row.number), None, ProblemKind::NotAWell { text: excerpt(text) });
            return Ok(None);
        };
        let index = self.well_at(plate, position, notes)?;
        self.plates[plate].last = Some((text.to_owned(), index));
        Ok(Some((plate, index)))
    }

    fn well_at(&mut self, plate: usize, position: WellPosition, notes: &Notes) -> Result<usize, ParseError> {
        let wells = &mut self.plates[plate];
        if let Some(index) = wells.index.get(&position) {
            return Ok(*index);
        }
        self.wells += 1;
        if self.wells > self.limits.wells_max {
            return Err(notes.over_limit("wells", self.limits.wells_max as u64));
        }
        wells.index.insert(position.clone(), wells.wells.len());
        wells.wells.push(Well { position, sample: None, content: Content::Unknown, readings: Vec::new() });
        Ok(wells.wells.len() - 1)
    }

    fn plate_named(&mut self, name: &str, notes: &Notes) -> Result<usize, ParseError> {
        if self.plates.len() == 1 && self.plates[0].name.as_deref().unwrap_or("") == name {
            return Ok(0);
        }
        if let Some(index) = self.plate_index.get(name) {
            return Ok(*index);
        }
        if self.plates.len() >= PLATES_MAX {
            return Err(notes.over_limit("plates", PLATES_MAX as u64));
        }
        let wells = Wells { name: Some(name.to_owned()).filter(|name| !name.is_empty()), ..Wells::default() };
        self.plates.push(wells);
        self.plate_index.insert(name.to_owned(), self.plates.len() - 1);
        Ok(self.plates.len() - 1)
    }

    fn position(&self, text: &str) -> Option<WellPosition> {
        if let Some((row, column)) = parse_well(text) {
            return Some(WellPosition::at(row, column));
        }
        let number = well_number(text)?;
        match self.positions.get(&number) {
            Some((row, column)) => Some(WellPosition::at(*row, *column)),
            None => WellPosition::counted(number, self.numbering()),
        }
    }

    fn numbering(&self) -> PlateFormat {
        self.plate.unwrap_or(match self.largest_number {
            0..=96 => PlateFormat::WELLS_96,
            97..=384 => PlateFormat::WELLS_384,
            _ => PlateFormat::WELLS_1536,
        })
    }

    /// The reading of a target and dye in a well, made when it is new. A row that names no dye means the target's own.
    fn reading(&mut self, (plate, well): (usize, usize), target: &str, dye: &str, notes: &Notes) -> Result<usize, ParseError> {
        let readings = &mut self.plates[plate].wells[well].readings;
        let same = |known: &Option<String>, name: &str| known.as_deref().unwrap_or("") == name;
        let found = readings.iter().position(|reading| same(&reading.target, target) && (dye.is_empty() || reading.dye.is_none() || same(&reading.dye, dye)));
        let index = match found {
            Some(index) => index,
            None if readings.len() >= READINGS_PER_WELL_MAX => {
                return Err(notes.over_limit("targets in one well", READINGS_PER_WELL_MAX as u64));
            }
            None if self.curves >= self.limits.curves_max => {
                return Err(notes.over_limit("curves", self.limits.curves_max as u64));
            }
            None => {
                self.curves += 1;
                let named = |name: &str| Some(name.to_owned()).filter(|name| !name.is_empty());
                readings.push(Reading { target: named(target), dye: named(dye), ..Reading::default() });
                readings.len() - 1
            }
        };
        if readings[index].dye.is_none() && !dye.is_empty() {
            readings[index].dye = Some(dye.to_owned());
        }
        Ok(index)
    }
    fn count(&mut self, values: usize, notes: &Notes) -> Result<(), ParseError> {
        self.values += values;
        if self.limits.readings_max < self.values {
            return Err(notes.over_limit("readings", self.limits.readings_max as u64));
        }
        Ok(())
    }

    fn finish(self, document: &Document, format: Format, notes: &mut Notes) -> Vec<Run> {
        let (stated, several) = (self.plate, self.plates.len() > 1);
        self.plates.into_iter().map(|wells| run::finish_run(wells, stated, several, document, format, notes)).collect()
    }
}

/// The number of a well, also as a spreadsheet writes it (`1.0`).
fn well_number(text: &str) -> Option<u32> {
    let whole = text.strip_suffix(".0").unwrap_or(text);
    whole.parse().ok().filter(|number| (1..=100_000).contains(number))
}
