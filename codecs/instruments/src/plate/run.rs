//! Wells of one plate into a run.

use super::Wells;
use crate::document::Document;
use crate::model::{Content, PlateFormat, Run, Well};
use crate::problem::{Notes, ProblemKind};
use crate::sniff::Format;
use crate::value::excerpt;

pub(super) fn finish_run(mut wells: Wells, stated: Option<PlateFormat>, several: bool, document: &Document, format: Format, notes: &mut Notes) -> Run {
    let mut run = run_of(document, format);
    if several || run.name.is_none() {
        run.name = wells.name.or(run.name);
    }
    let far = wells.wells.iter().filter_map(|well| well.position.place).fold((0, 0), |far, place| (far.0.max(place.0), far.1.max(place.1)));
    let fits = |plate: &PlateFormat| far.0 < plate.rows && far.1 < plate.columns;
    run.plate = stated.filter(fits).or_else(|| PlateFormat::holding(far.0, far.1));
    let filter = document.fact(&["Selected Filter"]).map(|filter| excerpt(&filter));
    for (index, well) in wells.wells.iter_mut().enumerate() {
        let label = well.position.label.clone();
        for (reading_index, reading) in well.readings.iter_mut().enumerate() {
            if reading.corrected.len() != reading.fluorescence.len() && !reading.corrected.is_empty() {
                let what = "a baseline-corrected curve with gaps";
                notes.add(None, label.clone(), ProblemKind::NotRead { what });
                reading.corrected.clear();
            }
            if reading.dye.is_none() {
                reading.dye.clone_from(&filter);
            }
            if let Some(count) = wells.gaps.get(&(index, reading_index)) {
                notes.add(None, label.clone(), ProblemKind::Gaps { count: *count });
            }
            if !reading.cycles.is_empty() {
                crate::curves::put_in_order(reading, notes, None, Some(label.clone()));
            }
        }
        settle_content(well);
    }
    // Wells of the setup that hold nothing and were not measured.
    wells.wells.retain(|well| well.sample.is_some() || !well.readings.is_empty());
    wells.wells.sort_by_key(|well| well.position.place.map_or((1, (0, 0)), |place| (0, place)));
    run.wells = wells.wells;
    run
}

/// A well is what its targets say it is; an internal control is only a target of a well that is something else.
fn settle_content(well: &mut Well) {
    let contents = || well.readings.iter().filter_map(|reading| reading.content.clone());
    let own = contents().find(|content| *content != Content::InternalControl);
    well.content = own.or_else(|| contents().next()).unwrap_or_default();
    for reading in &mut well.readings {
        if reading.content.as_ref() == Some(&well.content) {
            reading.content = None;
        }
    }
}

fn run_of(document: &Document, format: Format) -> Run {
    let mut run = Run::new(format);
    let file = document.fact(&["Experiment File Name", "File Name", "Filename"]);
    run.experiment = document
        .fact(&["Experiment Name", "Experiment", "Assay name"])
        .or_else(|| file.map(|path| path.rsplit(['\\', '/']).next().unwrap_or_default().to_owned()));
    run.instrument = document.fact(&["Instrument Type", "Instrument Name", "Base Serial Number"]);
    run.instrument_serial = document.fact(&["Instrument Serial Number", "Base Serial Number"]);
    run.plate_barcode = document.fact(&["Experiment Barcode", "Barcode", "Plate Barcode"]);
    run.started_at = document.fact(&[
        "Experiment Run Start Time",
        "Run Start Date/Time",
        "Run Started",
        "Run DateTime",
        "Experiment Run End Time",
        "Experiment Run Stop Time",
        "Run End Data/Time",
        "Run End Date/Time",
        "Run Ended",
    ]);
    run
}

/// `384-Well Block`, `96-Well Block (0.2mL)`, `96fast`: the first number that is the size of a plate.
pub(super) fn plate_of(text: &str) -> Option<PlateFormat> {
    text.split(|letter: char| !letter.is_ascii_digit()).find_map(|digits| PlateFormat::of_size(digits.parse().ok()?))
}
