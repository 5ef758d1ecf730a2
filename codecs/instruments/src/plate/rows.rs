//! Rows of the different tables into readings.

use std::collections::{HashMap, HashSet};

use baton_sheets::Row;

use super::Builder;
use crate::columns::{Columns, Role};
use crate::document::Table;
use crate::model::{Content, Reading, Signal, VendorRemark, Well};
use crate::problem::{Notes, ParseError, ProblemKind};
use crate::value::{excerpt, parse_cq, parse_number};
use crate::well::WellPosition;

/// Remarks kept for one reading.
const REMARKS_MAX: usize = 32;

impl Builder {
    pub(super) fn amplification(&mut self, columns: &Columns, row: &Row, notes: &mut Notes) -> Result<(), ParseError> {
        let cell = |role| columns.find(role).map_or("", |column| row.cell(column));
        let Some(place) = self.well(columns, row, notes)? else {
            return Ok(());
        };
        let target = cell(Role::Target);
        if target.is_empty() && cell(Role::Rn).is_empty() && cell(Role::DeltaRn).is_empty() {
            return Ok(());
        }
        let index = self.reading(place, target, cell(Role::Dye), notes)?;
        let Some(cycle) = number(cell(Role::Cycle), "cycle", row.number, notes) else {
            return Ok(());
        };
        let normalised = number(cell(Role::Rn), "Rn", row.number, notes);
        let corrected = number(cell(Role::DeltaRn), "ΔRn", row.number, notes);
        self.count(1, notes)?;
        let wells = &mut self.plates[place.0];
        let well = &mut wells.wells[place.1];
        set_sample(well, cell(Role::Sample));
        let reading = &mut well.readings[index];
        let (value, signal) = match (normalised, corrected) {
            (Some(value), _) => (value, Signal::Normalised),
            (None, Some(value)) if !columns.has(Role::Rn) => (value, Signal::BaselineCorrected),
            _ => {
                *wells.gaps.entry((place.1, index)).or_default() += 1;
                return Ok(());
            }
        };
        reading.cycles.push(cycle);
        reading.fluorescence.push(value);
        reading.signal = signal;
        if signal == Signal::Normalised {
            // Kept while complete, dropped at the end otherwise.
            reading.corrected.extend(corrected);
        }
        Ok(())
    }

    /// A row of a setup or results table.
    pub(super) fn description(&mut self, columns: &Columns, row: &Row, notes: &mut Notes) -> Result<(), ParseError> {
        let cell = |role| columns.find(role).map_or("", |column| row.cell(column));
        let Some(place) = self.well(columns, row, notes)? else {
            return Ok(());
        };
        set_sample(&mut self.plates[place.0].wells[place.1], cell(Role::Sample));
        let (target, dye) = (cell(Role::Target), cell(Role::Dye));
        let measured = columns.has(Role::Cq);
        if target.is_empty() && dye.is_empty() && !measured {
            return Ok(());
        }
        let index = self.reading(place, target, dye, notes)?;
        let reading = &mut self.plates[place.0].wells[place.1].readings[index];
        describe(reading, columns, row, notes);
        Ok(())
    }

    /// A row of a genotyping table: two alleles, each a target of its own.
    pub(super) fn genotype(&mut self, columns: &Columns, row: &Row, notes: &mut Notes) -> Result<(), ParseError> {
        let cell = |role| columns.find(role).map_or("", |column| row.cell(column));
        let Some(place) = self.well(columns, row, notes)? else {
            return Ok(());
        };
        set_sample(&mut self.plates[place.0].wells[place.1], cell(Role::Sample));
        let assay = cell(Role::SnpAssay);
        if assay.is_empty() {
            return Ok(());
        }
        let stated = [1, 2].map(|allele| cell(Role::AlleleName(allele)).to_owned());
        if stated.iter().all(|name| !name.is_empty()) {
            self.alleles.insert(assay.to_owned(), stated);
        }
        let names = self.alleles.get(assay).cloned().unwrap_or_else(|| ["Allele 1".to_owned(), "Allele 2".to_owned()]);
        for (allele, name) in (1..).zip(names) {
            let index = self.reading(place, &format!("{}-{}", excerpt(assay), excerpt(&name)), cell(Role::AlleleDye(allele)), notes)?;
            let reading = &mut self.plates[place.0].wells[place.1].readings[index];
            describe(reading, columns, row, notes);
            set_cq(reading, cell(Role::AlleleCq(allele)), row.number, notes);
            reading.threshold = reading.threshold.or(parse_number(cell(Role::AlleleThreshold(allele))));
        }
        Ok(())
    }

    /// LightCycler raw data: of all programs the one that counts the most cycles is the amplification.
    pub(super) fn channels(&mut self, table: &Table, notes: &mut Notes) -> Result<(), ParseError> {
        let columns = &table.columns;
        let cell = |row: &Row, role| columns.find(role).map_or(String::new(), |column| row.cell(column).to_owned());
        let Some(program) = amplification_program(table) else {
            return Ok(());
        };
        let channels: Vec<usize> = (0..columns.len()).filter(|column| is_channel(columns.name(*column))).collect();
        for row in &table.rows {
            if (cell(row, Role::Program), cell(row, Role::Segment)) != program {
                continue;
            }
            let Some(place) = self.well(columns, row, notes)? else {
                continue;
            };
            let Some(cycle) = number(&cell(row, Role::Cycle), "cycle", row.number, notes) else {
                continue;
            };
            set_sample(&mut self.plates[place.0].wells[place.1], &cell(row, Role::Sample));
            self.count(channels.len(), notes)?;
            for column in &channels {
                let index = self.reading(place, "", columns.name(*column), notes)?;
                let Some(value) = number(row.cell(*column), "fluorescence", row.number, notes) else {
                    continue;
                };
                let reading = &mut self.plates[place.0].wells[place.1].readings[index];
                reading.cycles.push(cycle);
                reading.fluorescence.push(value);
            }
        }
        Ok(())
    }

    /// One column per well; the section is named after the dye.
    pub(super) fn curves(&mut self, table: &Table, notes: &mut Notes) -> Result<(), ParseError> {
        let dye = table.section.clone().unwrap_or_default();
        let cycle = table.columns.find(Role::Cycle).unwrap_or(0);
        let plate = self.plate_named("", notes)?;
        for (column, (row, column_of_plate)) in table.columns.wells() {
            let well = self.well_at(plate, WellPosition::at(row, column_of_plate), notes)?;
            let place = (plate, well);
            let index = self.reading(place, "", &dye, notes)?;
            self.count(table.rows.len(), notes)?;
            for row in &table.rows {
                let Some(at) = number(row.cell(cycle), "cycle", row.number, notes) else {
                    continue;
                };
                let Some(value) = number(row.cell(column), "fluorescence", row.number, notes) else {
                    continue;
                };
                let reading = &mut self.plates[place.0].wells[place.1].readings[index];
                reading.cycles.push(at);
                reading.fluorescence.push(value);
            }
        }
        Ok(())
    }
}

/// A number, or nothing: blank is silent, other text is reported.
fn number(text: &str, field: &'static str, line: usize, notes: &mut Notes) -> Option<f64> {
    let number = parse_number(text);
    if number.is_none() && !text.is_empty() {
        notes.add(Some(line), None, ProblemKind::NotANumber { field, text: excerpt(text) });
    }
    number
}

fn set_sample(well: &mut Well, sample: &str) {
    if well.sample.is_none() && !sample.is_empty() {
        well.sample = Some(sample.to_owned());
    }
}

fn set_cq(reading: &mut Reading, text: &str, line: usize, notes: &mut Notes) {
    match parse_cq(text) {
        Ok(None) => {}
        Ok(Some(cq)) if reading.cq.is_some_and(|known| known != cq) => {
            notes.add(Some(line), None, ProblemKind::DuplicateReading);
        }
        Ok(cq) => reading.cq = cq,
        Err(kind) => notes.add(Some(line), None, kind),
    }
}

/// What a row of a setup, results or call table says about a reading.
fn describe(reading: &mut Reading, columns: &Columns, row: &Row, notes: &mut Notes) {
    let cell = |role| columns.find(role).map_or("", |column| row.cell(column));
    if !cell(Role::Task).is_empty() {
        reading.content.get_or_insert_with(|| Content::from_word(cell(Role::Task)));
    }
    set_cq(reading, cell(Role::Cq), row.number, notes);
    reading.quantity = reading.quantity.or(parse_number(cell(Role::Quantity)));
    reading.threshold = reading.threshold.or(parse_number(cell(Role::Threshold)));
    if is_true(cell(Role::Omit)) {
        reading.excluded.get_or_insert_with(|| "omitted".to_owned());
    }
    if cell(Role::Include).eq_ignore_ascii_case("false") {
        reading.excluded.get_or_insert_with(|| "not included".to_owned());
    }
    // Of “Call” and “Consolidated Call” the one further right is the final one.
    if let Some(call) = columns.all(Role::Call).iter().map(|column| row.cell(*column)).rfind(|call| !call.is_empty()) {
        reading.call = Some(call.to_owned());
    }
    let kept = columns.all(Role::Remark).iter().filter(|column| !row.cell(**column).is_empty());
    let flagged = columns.all(Role::Flag).iter().filter(|column| row.cell(**column) == "Y");
    for column in kept.chain(flagged) {
        let name = columns.name(*column);
        if reading.remarks.len() < REMARKS_MAX && !reading.remarks.iter().any(|known| known.name == name) {
            reading.remarks.push(VendorRemark { name: name.to_owned(), value: row.cell(*column).to_owned() });
        }
    }
}

fn is_true(text: &str) -> bool {
    text == "1" || text.eq_ignore_ascii_case("true")
}

/// `483-533`: excitation and emission of a filter pair.
fn is_channel(name: &str) -> bool {
    let nanometres = |text: &str| text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_digit());
    name.split_once('-').is_some_and(|(excitation, emission)| nanometres(excitation) && nanometres(emission))
}

/// Program and segment with the most different cycles.
fn amplification_program(table: &Table) -> Option<(String, String)> {
    let column = |role| table.columns.find(role).unwrap_or(usize::MAX);
    let (program, segment, cycle) = (column(Role::Program), column(Role::Segment), column(Role::Cycle));
    let mut cycles: HashMap<(&str, &str), HashSet<&str>> = HashMap::new();
    for row in &table.rows {
        cycles.entry((row.cell(program), row.cell(segment))).or_default().insert(row.cell(cycle));
    }
    let most = cycles.iter().max_by_key(|(place, cycles)| (cycles.len(), std::cmp::Reverse(**place)))?;
    Some((most.0.0.to_owned(), most.0.1.to_owned()))
}
