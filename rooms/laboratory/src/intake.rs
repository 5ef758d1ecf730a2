//! From an instrument's file to the curves of a plate's wells.

use baton_instruments::{Limits, Run};
use baton_kit::Refusal;
use baton_pcr::rules::{RuleSet, Target};

use crate::curve::encode;
use crate::events::CurveStored;
use crate::rules::layout;

/// An instrument's file as taken in.
#[derive(Clone, PartialEq, Debug)]
pub struct FileTaken {
    pub instrument: String,
    pub curves: Vec<CurveStored>,
    /// What was odd about the file but did not stop the reading, one sentence each.
    pub remarks: Vec<String>,
}

/// Reads a file for a plate of `wells` wells. With rules the curves get the names of the assay's targets, by name or by dye.
pub fn take(bytes: &[u8], file_name: &str, plate_code: &str, wells: u16, rules: Option<&RuleSet>) -> Result<FileTaken, Refusal> {
    let parsed = baton_instruments::parse(bytes, file_name, Limits::default());
    let (runs, problems) = parsed.map_err(|error| Refusal::malformed("lab-file-unreadable").with("problem", error))?;
    let run = the_run(runs, plate_code)?;
    let mut placed = placed_curves(&run, wells, rules)?;
    if placed.is_empty() {
        return Err(Refusal::ruled("lab-file-without-curves").with("file", file_name));
    }
    placed.sort_by_key(|(well, _, _)| *well);
    let mut axis: &[f64] = &[];
    let mut curves = Vec::with_capacity(placed.len());
    for (well, target, reading) in &placed {
        let cycles = if reading.cycles == axis { String::new() } else { encode(&reading.cycles) };
        axis = &reading.cycles;
        curves.push(CurveStored {
            well: *well,
            target: target.clone(),
            dye: reading.dye.clone().unwrap_or_default(),
            cycles,
            fluorescence: encode(&reading.fluorescence),
            instrument_cq_milli: reading.cq.map(|cq| (cq * 1000.0).round() as i64),
            instrument_call: reading.call.as_ref().map(|call| call.chars().take(CALL_LENGTH).collect()),
        });
    }
    Ok(FileTaken { instrument: instrument_of(&run), curves, remarks: problems.iter().map(ToString::to_string).collect() })
}

/// More of an instrument's own call is cut.
const CALL_LENGTH: usize = 60;

type Placed<'r> = (u16, String, &'r baton_instruments::Reading);

fn placed_curves<'r>(run: &'r Run, wells: u16, rules: Option<&RuleSet>) -> Result<Vec<Placed<'r>>, Refusal> {
    let mut placed = Vec::new();
    for well in &run.wells {
        let curves = well.readings.iter().filter(|reading| !reading.fluorescence.is_empty() && !is_reference(reading, rules));
        let place = well.position.place.and_then(|(row, column)| well_number(row, column, wells));
        for (index, reading) in curves.enumerate() {
            let place = place.ok_or_else(|| Refusal::ruled("lab-file-other-size").with("well", &well.position.label).with("wells", wells))?;
            placed.push((place, target_name(reading, index, rules), reading));
        }
    }
    Ok(placed)
}

/// The file's only run, or the one that names this plate.
fn the_run(mut runs: Vec<Run>, plate_code: &str) -> Result<Run, Refusal> {
    let names_it = |run: &Run| [&run.plate_barcode, &run.name].into_iter().flatten().any(|name| name.trim() == plate_code);
    if let Some(at) = runs.iter().position(names_it) {
        return Ok(runs.swap_remove(at));
    }
    runs.retain(|run| run.wells.iter().any(|well| well.readings.iter().any(|reading| !reading.fluorescence.is_empty())));
    match runs.len() {
        1 => Ok(runs.remove(0)),
        0 => Err(Refusal::ruled("lab-file-without-curves").with("file", plate_code)),
        count => Err(Refusal::ruled("lab-file-many-runs").with("runs", count).with("plate", plate_code)),
    }
}

fn instrument_of(run: &Run) -> String {
    let parts = [run.instrument.as_deref(), run.instrument_serial.as_deref()];
    let named: Vec<&str> = parts.into_iter().flatten().collect();
    named.join(" ").chars().take(200).collect()
}

fn well_number(row: u16, column: u16, wells: u16) -> Option<u16> {
    let columns = layout::columns(wells);
    (column < columns && row < wells / columns).then(|| row * columns + column)
}

/// ROX is the passive reference of most kits, not a target, unless the assay says otherwise.
fn is_reference(reading: &baton_instruments::Reading, rules: Option<&RuleSet>) -> bool {
    let rox = |text: &Option<String>| text.as_deref().is_some_and(|text| text.trim().eq_ignore_ascii_case("rox"));
    let used = rules.is_some_and(|rules| rules.targets.iter().any(|target| target.dye.eq_ignore_ascii_case("rox")));
    !used && rox(&reading.dye) && (reading.target.is_none() || rox(&reading.target))
}

fn target_name(reading: &baton_instruments::Reading, index: usize, rules: Option<&RuleSet>) -> String {
    let given = reading.target.as_deref().map(str::trim).filter(|name| !name.is_empty());
    let dye = reading.dye.as_deref().map(str::trim).filter(|dye| !dye.is_empty());
    let known = rules.and_then(|rules| by_name(rules, given).or_else(|| by_dye(rules, dye.or(given))));
    let name = known.map(|target| target.name.as_str()).or(given).or(dye);
    name.map_or_else(|| format!("#{}", index + 1), |name| name.chars().take(80).collect())
}

fn by_name<'r>(rules: &'r RuleSet, name: Option<&str>) -> Option<&'r Target> {
    rules.targets.iter().find(|target| name.is_some_and(|name| target.name.eq_ignore_ascii_case(name)))
}

/// Only where each dye of the assay reports one target.
fn by_dye<'r>(rules: &'r RuleSet, dye: Option<&str>) -> Option<&'r Target> {
    let dye = channel(dye?);
    let mut of_dye = rules.targets.iter().filter(|target| channel(&target.dye) == dye);
    of_dye.next().filter(|_| of_dye.next().is_none())
}

/// Dyes that are read in one channel are one.
fn channel(dye: &str) -> String {
    let plain: String = dye.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_uppercase();
    if ["HEX", "JOE", "YAKIMAYELLOW"].contains(&plain.as_str()) { "VIC".to_owned() } else { plain }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(bytes: &[u8], name: &str, wells: u16) -> &'static str {
        take(bytes, name, "P1", wells, None).unwrap_err().code
    }

    #[test]
    fn a_file_that_cannot_be_taken_says_why() {
        assert_eq!(refused(b"PK\x03\x04 cut off", "run.rdml", 96), "lab-file-unreadable");
        let tall = "cycle,P24\n1,0.1\n2,0.2\n3,0.4\n4,0.9\n5,1.9\n";
        assert!(take(tall.as_bytes(), "run.csv", "P1", 384, None).is_ok());
        assert_eq!(refused(tall.as_bytes(), "run.csv", 96), "lab-file-other-size");
        assert_eq!(the_run(Vec::new(), "P1").unwrap_err().code, "lab-file-without-curves");
        let (runs, _) = baton_instruments::parse(tall.as_bytes(), "run.csv", Limits::default()).unwrap();
        let twice = [runs.clone(), runs].concat();
        assert_eq!(the_run(twice, "P1").unwrap_err().code, "lab-file-many-runs");
    }
}
