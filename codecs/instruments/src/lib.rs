//! Files of real-time PCR instruments.
//!
//! [`sniff`] tells the format from the content, [`parse`] reads it into [`Run`]s of wells and curves together with
//! a list of [`Problem`]s. The instrument's own Cq, call and scores are carried beside the curves and never used as
//! ours. [`write_rdml`] writes RDML 1.4; the worklist writers hand a plate layout to the instrument's software.
//!
//! A file that is truncated, over a [`Limits`] bound or in an unknown encoding is refused whole with the place that
//! stopped the reading.

mod biomark;
mod columns;
mod curves;
mod document;
mod limits;
mod lines;
mod model;
mod plate;
mod problem;
mod rdml;
mod sniff;
mod value;
mod well;
mod worklist;
mod xml;

pub use limits::Limits;
pub use model::{Content, PlateFormat, Reading, Run, Signal, VendorRemark, Well};
pub use problem::{ErrorKind, ParseError, Place, Problem, ProblemKind};
pub use rdml::{RdmlVersion, write_rdml, write_rdml_runs};
pub use sniff::{Format, sniff};
pub use value::parse_cq;
pub use well::{WellPosition, parse_well, well_label};
pub use worklist::{Worklist, WorklistTarget, WorklistWell, worklist_cfx, worklist_cfx_for_dye, worklist_quantstudio};

use problem::Notes;

/// Reads an instrument file; the content decides the format, the name appears in messages.
///
/// # Errors
/// A refusal of the whole file, with the place that stopped the reading.
pub fn parse(bytes: &[u8], file_name: &str, limits: Limits) -> Result<(Vec<Run>, Vec<Problem>), ParseError> {
    let mut notes = Notes::new(file_name);
    if bytes.len() > limits.bytes_max {
        return Err(notes.over_limit("bytes", limits.bytes_max as u64));
    }
    let unpacked = sniff::gunzip(bytes, &notes, limits)?;
    let bytes = unpacked.as_deref().unwrap_or(bytes);
    let format = sniff(bytes, file_name);
    let runs = match format {
        Format::Rdml => rdml::read(bytes, &mut notes, limits)?,
        Format::PlainCurves => curves::read(bytes, &mut notes, limits)?,
        Format::Workbook => {
            let document = document::Document::from_workbook(bytes, &mut notes, limits)?;
            let format = sniff::workbook_format(&document);
            plate::assemble(&document, format, &mut notes, limits)?
        }
        Format::BioMark => biomark::read(&sniff::decode_text(bytes, &mut notes)?, &mut notes, limits)?,
        _ => {
            let text = sniff::decode_text(bytes, &mut notes)?;
            let document = document::Document::from_text(&text, &mut notes, limits)?;
            if document.tables.is_empty() {
                let unknown = format == Format::Unknown;
                let what = || ErrorKind::Missing { what: "table of wells".to_owned() };
                return Err(notes.error(if unknown { ErrorKind::UnknownFormat } else { what() }));
            }
            let format = if format == Format::Unknown { Format::WellTable } else { format };
            plate::assemble(&document, format, &mut notes, limits)?
        }
    };
    if runs.iter().all(|run| run.wells.is_empty()) {
        return Err(notes.error(ErrorKind::NoWells));
    }
    if let Some(name) = runs.iter().flat_map(long_names).next() {
        let kind = ErrorKind::OverLimit { what: "bytes in a name", limit: limits::NAME_BYTES_MAX as u64 };
        return Err(notes.error_at(None, Some(value::excerpt(name)), kind));
    }
    Ok((runs, notes.into_problems()))
}

/// Names longer than RDML's may be, whatever the file: what was read can always be written and read again.
fn long_names(run: &Run) -> impl Iterator<Item = &str> {
    let of_run = [&run.experiment, &run.name, &run.instrument, &run.started_at].into_iter().flatten();
    let wells = run.wells.iter().flat_map(|well| {
        let readings = well.readings.iter().flat_map(|reading| [&reading.target, &reading.dye, &reading.excluded].into_iter().flatten());
        readings.chain(&well.sample).chain([&well.position.label])
    });
    of_run.chain(wells).map(String::as_str).filter(|name| name.len() > limits::NAME_BYTES_MAX)
}
