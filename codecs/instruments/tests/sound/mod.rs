//! What must hold of any bytes the readers are given: the target functions of `tests/hostile.rs` and of the fuzz targets.
//! Each tells whether the file was taken.
#![allow(dead_code)]

use baton_hostile::{packed, unpacked};
use baton_instruments::{Limits, RdmlVersion, Run, parse, parse_cq, parse_well, well_label, write_rdml_runs};
use baton_sheets::{ColumnKind, write_xlsx};

/// Parts of files that change their meaning more than single bytes do.
pub const PIECES: [&[u8]; 16] = [
    b"\t",
    b",",
    b"\n",
    b"\r",
    b"\"",
    b"[Results]",
    b"Well\tCycle\tRn\tTarget Name\n",
    b"999999999999",
    b"-1",
    b"NaN",
    b"1e400",
    b"<data>",
    b"</react>",
    b"&x;",
    b"\xFF\xFE",
    b"\0",
];

/// Smaller than the defaults, so that a fuzzer finds the bounds.
fn limits() -> Limits {
    Limits { bytes_max: 4 << 20, unpacked_bytes_max: 16 << 20, wells_max: 20_000, curves_max: 20_000, readings_max: 200_000 }
}

/// Any file at all; the content decides who reads it.
pub fn file(name: &str, bytes: &[u8]) -> bool {
    let Ok((runs, problems)) = parse(bytes, name, limits()) else {
        return false;
    };
    assert!(problems.iter().all(|problem| !problem.to_string().is_empty()));
    assert_sound(&runs, name);
    assert_read_again(&runs, name);
    true
}

/// The XML of an RDML file, packed as instruments do.
pub fn rdml_member(bytes: &[u8]) -> bool {
    file("member.rdml", &packed(&[("rdml_data.xml", bytes)]))
}

/// The XML of the sheet of a workbook that is whole otherwise.
pub fn worksheet(bytes: &[u8]) -> bool {
    let mut members = unpacked(&workbook());
    let sheet = members.iter_mut().find(|(name, _)| name == SHEET).expect("a workbook has a sheet");
    sheet.1 = bytes.to_vec();
    file("sheet.xlsx", &packed(&members))
}

const SHEET: &str = "xl/worksheets/sheet1.xml";

fn workbook() -> Vec<u8> {
    let row = ["13", "B1", "s", "N", "UNDETERMINED"];
    write_xlsx("Results", &["Well", "Well Position", "Sample", "Target", "Cq"], [row], &[ColumnKind::Text; 5]).expect("a small table is written")
}

/// The sheet [`worksheet`] takes when nothing was changed.
pub fn whole_worksheet() -> Vec<u8> {
    unpacked(&workbook()).into_iter().find(|(name, _)| name == SHEET).expect("a workbook has a sheet").1
}

/// A cell: a Cq, or the name of a well.
pub fn cell(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    assert!(parse_cq(&text).ok().flatten().is_none_or(|cq| cq > 0.0 && cq < 100.0), "{text:?}");
    let Some((row, column)) = parse_well(&text) else { return false };
    assert_eq!(parse_well(&well_label(row, column)), Some((row, column)), "{text:?}");
    true
}

/// What holds of every run that is handed on.
pub fn assert_sound(runs: &[Run], name: &str) {
    for reading in runs.iter().flat_map(|run| &run.wells).flat_map(|well| &well.readings) {
        assert_eq!(reading.cycles.len(), reading.fluorescence.len(), "{name}");
        assert!(reading.corrected.is_empty() || reading.corrected.len() == reading.cycles.len(), "{name}");
        assert!(reading.cycles.windows(2).all(|pair| pair[0] < pair[1]), "{name}");
        let values = reading.cycles.iter().chain(&reading.fluorescence).chain(&reading.corrected).chain(&reading.cq);
        assert!(values.into_iter().all(|value| value.is_finite()), "{name}");
        assert!(reading.cq.is_none_or(|cq| cq > 0.0 && cq < 100.0), "{name}");
    }
    for run in runs {
        let plate = run.plate;
        for place in run.wells.iter().filter_map(|well| well.position.place) {
            assert!(plate.is_none_or(|plate| place.0 < plate.rows && place.1 < plate.columns), "{name} {place:?} {plate:?}");
        }
    }
}

/// Whatever was read can be written as RDML, and no curve is lost on the way.
fn assert_read_again(runs: &[Run], name: &str) {
    let curves = |runs: &[Run]| -> Vec<_> {
        let readings = runs.iter().flat_map(|run| &run.wells).flat_map(|well| &well.readings);
        let mut curves: Vec<_> = readings.map(|reading| format!("{:?} {:?} {:?}", reading.cq, reading.cycles, reading.fluorescence)).collect();
        curves.sort_unstable();
        curves
    };
    let (again, _) = parse(&write_rdml_runs(runs, RdmlVersion::V1_4), "again.rdml", Limits::default()).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_sound(&again, name);
    assert_eq!(curves(&again), curves(runs), "{name}");
}
