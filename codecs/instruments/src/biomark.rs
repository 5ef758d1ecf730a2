//! Fluidigm BioMark “Table Results”: facts, two lines of group headings, a line of names, one row per chamber.

use crate::limits::{CELL_BYTES_MAX, Limits};
use crate::lines::{cells, lines};
use crate::model::{Content, PlateFormat, Reading, Run, VendorRemark, Well};
use crate::problem::{ErrorKind, Notes, ParseError, ProblemKind};
use crate::sniff::Format;
use crate::value::{excerpt, parse_cq, parse_number};
use crate::well::WellPosition;

/// Where the columns stand; sample and assay have columns of the same names.
struct Layout {
    chamber: usize,
    sample: Option<usize>,
    task: Option<usize>,
    assay: Option<usize>,
    cq: usize,
    quality: Option<usize>,
    call: Option<usize>,
    threshold: Option<usize>,
}

pub(crate) fn read(text: &str, notes: &mut Notes, limits: Limits) -> Result<Vec<Run>, ParseError> {
    let mut run = Run::new(Format::BioMark);
    let mut layout = None;
    let mut groups: Vec<String> = Vec::new();
    for (number, line) in lines(text) {
        let cells = cells(line, ',');
        if cells.iter().any(|cell| cell.len() > CELL_BYTES_MAX) {
            let kind = ErrorKind::OverLimit { what: "bytes in one cell", limit: CELL_BYTES_MAX as u64 };
            return Err(notes.error_at(Some(number), None, kind));
        }
        match &layout {
            None if cells.first() == Some(&"ID") => layout = Some(Layout::find(&cells, &groups, number, notes)?),
            None => {
                if cells.first() == Some(&"Chip Run Filename") {
                    run.experiment = cells.get(1).and_then(|path| path.rsplit(['\\', '/']).next()).map(str::to_owned);
                }
                groups = cells.iter().map(|cell| (*cell).to_owned()).collect();
            }
            Some(layout) if cells.len() > layout.cq => {
                if run.wells.len() >= limits.wells_max {
                    return Err(notes.over_limit("wells", limits.wells_max as u64));
                }
                run.wells.extend(layout.chamber_of(&cells, number, notes));
            }
            Some(_) => {}
        }
    }
    if layout.is_none() {
        return Err(notes.error(ErrorKind::Missing { what: "line of column names".to_owned() }));
    }
    let far = run.wells.iter().filter_map(|well| well.position.place).fold((0, 0), |far, place| (far.0.max(place.0), far.1.max(place.1)));
    let sizes = [48, 96, 192];
    let size = |length: u16| sizes.into_iter().find(|size| length < *size);
    run.plate = size(far.0).zip(size(far.1)).map(|(rows, columns)| PlateFormat { rows, columns });
    Ok(vec![run])
}

impl Layout {
    fn find(names: &[&str], groups: &[String], line: usize, notes: &Notes) -> Result<Layout, ParseError> {
        let in_group =
            |group: &str, name: &str| (0..names.len()).find(|column| names[*column] == name && groups.get(*column).is_some_and(|known| known == group));
        let cq = in_group("Ct", "Value").or_else(|| names.iter().position(|name| *name == "Value"));
        // The group of the assay columns carries the name of the dye; they follow those of the sample.
        let behind = |name: &str| (0..names.len()).filter(|column| names[*column] == name).nth(1);
        Ok(Layout {
            chamber: 0,
            sample: in_group("Sample", "Name"),
            task: in_group("Sample", "Type"),
            assay: behind("Name"),
            cq: cq.ok_or_else(|| notes.error_at(Some(line), None, ErrorKind::Missing { what: "column “Value” of Ct".to_owned() }))?,
            quality: names.iter().position(|name| *name == "Quality"),
            call: names.iter().position(|name| *name == "Call"),
            threshold: names.iter().position(|name| *name == "Threshold"),
        })
    }

    fn chamber_of(&self, cells: &[&str], line: usize, notes: &mut Notes) -> Option<Well> {
        let text = |column: Option<usize>| column.and_then(|column| cells.get(column)).filter(|cell| !cell.is_empty()).map(|cell| (*cell).to_owned());
        let label = cells.get(self.chamber).copied().unwrap_or("");
        if label.is_empty() {
            return None;
        }
        let place = chamber_place(label);
        if place.is_none() {
            notes.add(Some(line), None, ProblemKind::NotAWell { text: excerpt(label) });
        }
        let mut reading = Reading { target: text(self.assay), call: text(self.call), ..Reading::default() };
        match parse_cq(cells.get(self.cq).copied().unwrap_or("")) {
            Ok(cq) => reading.cq = cq,
            Err(kind) => notes.add(Some(line), excerpt(label), kind),
        }
        reading.threshold = text(self.threshold).and_then(|text| parse_number(&text));
        if let Some(value) = text(self.quality) {
            reading.remarks.push(VendorRemark { name: "Quality".to_owned(), value });
        }
        Some(Well {
            position: WellPosition { label: label.to_owned(), place },
            sample: text(self.sample),
            content: text(self.task).map_or(Content::Unknown, |task| Content::from_word(&task)),
            readings: vec![reading],
        })
    }
}

/// `S48-A01`: sample inlet and assay inlet, taken as row and column.
fn chamber_place(label: &str) -> Option<(u16, u16)> {
    let (sample, assay) = label.split_once('-')?;
    let inlet = |text: &str, letter: char| -> Option<u16> {
        let number: u16 = text.strip_prefix(letter)?.parse().ok()?;
        (1..=192).contains(&number).then(|| number - 1)
    };
    Some((inlet(sample, 'S')?, inlet(assay, 'A')?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "Chip Run Filename,R:\\a\\Run.bml\r\n\r\nChamber,Sample,Sample,Sample,FAM-MGB,FAM-MGB,Ct,Ct,Ct,Ct\r\n\
        ID,Name,Type,rConc,Name,Type,Value,Quality,Call,Threshold\r\n\
        S02-A01,s,NTC,1,ACTB,Test,999,0,Fail,0.05\r\nS02-A48,s,Unknown,1,GAPDH,Test,34.5,0.85,Pass,0.05\r\nX,,,,,,12,,,\r\n";

    #[test]
    fn chambers_samples_and_assays_are_told_apart() {
        let mut notes = Notes::new("b.csv");
        let run = read(FILE, &mut notes, Limits::default()).unwrap().remove(0);
        assert_eq!(run.experiment.as_deref(), Some("Run.bml"));
        assert_eq!((run.wells[0].position.place, run.plate_size()), (Some((1, 0)), Some(48 * 48)));
        assert_eq!(run.wells[0].content, Content::NoTemplateControl);
        assert_eq!((run.wells[0].readings[0].cq, run.wells[1].readings[0].cq), (None, Some(34.5)));
        assert_eq!(run.wells[1].readings[0].target.as_deref(), Some("GAPDH"));
        assert_eq!(run.wells[1].readings[0].call.as_deref(), Some("Pass"));
        assert_eq!(notes.into_problems()[0].to_string(), "b.csv, line 7: “X” is not a well of the plate");
    }
}
