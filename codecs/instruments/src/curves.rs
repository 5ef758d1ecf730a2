//! Plain curves: `cycle,<name>…`, one row per cycle; and what all formats need to do with a curve.

use baton_sheets::CsvRows;

use crate::limits::Limits;
use crate::model::{Content, PlateFormat, Reading, Run, Well};
use crate::problem::{ErrorKind, Notes, ParseError, ProblemKind};
use crate::sniff::Format;
use crate::value::{excerpt, parse_number};
use crate::well::{WellPosition, parse_well};

/// Whether the text begins with a table of curves: a header whose first name is a cycle or a time, then numbers.
/// A leading empty column, as Bio-Rad writes it, is passed over.
pub(crate) fn is_header(text: &str) -> bool {
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let first_cell = |line: &str| {
        let line = line.trim_start_matches([',', ';', '\t']);
        line.split([',', '\t', ';']).next().unwrap_or("").trim_matches(['"', ' ']).to_owned()
    };
    let header = lines.next().unwrap_or("");
    // Of a table of thousands of curves only the header is seen here.
    let numbers_follow = lines.next().map_or(header.len() > 4_000, |line| parse_number(&first_cell(line)).is_some());
    numbers_follow && is_axis(&first_cell(header)) && header.contains([',', '\t', ';'])
}

fn is_axis(name: &str) -> bool {
    let name = name.trim().to_lowercase();
    name.starts_with("cyc") || name.starts_with("time") || name.ends_with("time") || name.starts_with("minute")
}

pub(crate) fn read(bytes: &[u8], notes: &mut Notes, limits: Limits) -> Result<Vec<Run>, ParseError> {
    let sheet_error = |notes: &Notes, error: baton_sheets::SheetError| notes.error(ErrorKind::Sheet(error.kind));
    let mut rows = CsvRows::open(bytes, "", limits.sheets()).map_err(|error| sheet_error(notes, error))?;
    let axis = rows.headers().iter().position(|name| !name.is_empty()).unwrap_or(0);
    let names: Vec<String> = rows.headers().iter().skip(axis + 1).cloned().collect();
    if names.len() > limits.wells_max {
        return Err(notes.over_limit("wells", limits.wells_max as u64));
    }
    let mut curves = vec![Reading::default(); names.len()];
    let mut values = 0_usize;
    let (width, mut last) = (rows.headers().len(), (0, 0));
    for row in rows.by_ref() {
        let row = row.map_err(|error| sheet_error(notes, error))?;
        last = (row.number, row.len());
        let Some(cycle) = parse_number(row.cell(axis)) else {
            let text = excerpt(row.cell(axis));
            notes.add(Some(row.number), None, ProblemKind::NotANumber { field: "cycle", text });
            continue;
        };
        // Only the cells that are there: a long header over short rows costs nothing.
        let present = row.len().saturating_sub(axis + 1).min(names.len());
        values += present;
        if values > limits.readings_max {
            return Err(notes.over_limit("readings", limits.readings_max as u64));
        }
        for (index, curve) in curves.iter_mut().enumerate().take(present) {
            let cell = row.cell(axis + index + 1);
            match parse_number(cell) {
                Some(value) => {
                    curve.cycles.push(cycle);
                    curve.fluorescence.push(value);
                }
                None if is_blank(cell) => {}
                None => {
                    let kind = ProblemKind::NotANumber { field: "fluorescence", text: excerpt(cell) };
                    notes.add(Some(row.number), excerpt(&names[index]), kind);
                }
            }
        }
    }
    // Short rows may be what was measured; a short last row without its line end is what a broken copy leaves behind.
    if last.1 < width && !bytes.ends_with(b"\n") && !bytes.ends_with(b"\r") && !bytes.ends_with(b"\0") {
        return Err(notes.error_at(Some(last.0), None, ErrorKind::Damaged { detail: format!("the last row has {} of {width} cells and no end", last.1) }));
    }
    let mut run = assemble(&names, curves, notes);
    if let Some(dye) = dye_of_file(notes.file()) {
        for reading in run.wells.iter_mut().flat_map(|well| &mut well.readings) {
            reading.dye = Some(dye.to_owned());
        }
    }
    Ok(vec![run])
}

/// Bio-Rad writes one file per dye: `… Quantification Amplification Results_FAM.csv`.
fn dye_of_file(name: &str) -> Option<&str> {
    let (_, rest) = name.split_once("Amplification Results_")?;
    let dye = rest.rsplit_once('.').map_or(rest, |(dye, _)| dye);
    (!dye.is_empty() && dye.len() <= 40).then_some(dye)
}

/// Blank, or a word for blank.
fn is_blank(cell: &str) -> bool {
    matches!(cell.trim(), "" | "NA" | "NaN" | "N/A" | "nan")
}

fn assemble(names: &[String], curves: Vec<Reading>, notes: &mut Notes) -> Run {
    let mut run = Run::new(Format::PlainCurves);
    let places = stated_places(names);
    run.positions_by_order = places.is_none();
    let counted = by_order(names.len());
    run.plate = match &places {
        Some(places) => {
            let far = places.iter().fold((0, 0), |far, place| (far.0.max(place.0), far.1.max(place.1)));
            PlateFormat::holding(far.0, far.1)
        }
        None => counted,
    };
    let longest = curves.iter().map(|curve| curve.cycles.len()).max().unwrap_or(0);
    for (index, (name, mut curve)) in names.iter().zip(curves).enumerate() {
        put_in_order(&mut curve, notes, None, Some(excerpt(name)));
        if curve.cycles.len() < longest {
            let count = longest - curve.cycles.len();
            notes.add(None, excerpt(name), ProblemKind::Gaps { count });
        }
        let place = match &places {
            Some(places) => Some(places[index]),
            None => {
                u32::try_from(index + 1).ok().zip(counted).and_then(|(number, plate)| WellPosition::counted(number, plate)).and_then(|position| position.place)
            }
        };
        let position = WellPosition { label: name.clone(), place };
        run.wells.push(Well { position, sample: Some(name.clone()), content: Content::Unknown, readings: vec![curve] });
    }
    run
}

/// The places the names give: only when every name is a well and no two are the same.
fn stated_places(names: &[String]) -> Option<Vec<(u16, u16)>> {
    let places: Vec<(u16, u16)> = names.iter().map(|name| parse_well(name)).collect::<Option<_>>()?;
    let distinct: std::collections::HashSet<_> = places.iter().collect();
    (distinct.len() == places.len()).then_some(places)
}

/// The smallest usual plate for a number of curves.
fn by_order(curves: usize) -> Option<PlateFormat> {
    [PlateFormat::WELLS_96, PlateFormat::WELLS_384, PlateFormat::WELLS_1536]
        .into_iter()
        .find(|plate| curves <= usize::from(plate.rows) * usize::from(plate.columns))
}

/// Sorts a curve by cycle and keeps the first reading of a cycle that comes twice; both are reported.
pub(crate) fn put_in_order(reading: &mut Reading, notes: &mut Notes, line: Option<usize>, cell: Option<String>) {
    if reading.cycles.is_empty() {
        notes.add(line, cell, ProblemKind::NoCurve);
        return;
    }
    if reading.cycles.windows(2).all(|pair| pair[0] < pair[1]) {
        return;
    }
    notes.add(line, cell, ProblemKind::CyclesNotRising);
    let mut order: Vec<usize> = (0..reading.cycles.len()).collect();
    order.sort_by(|a, b| reading.cycles[*a].total_cmp(&reading.cycles[*b]));
    order.dedup_by(|later, kept| reading.cycles[*later] == reading.cycles[*kept]);
    let pick = |values: &[f64]| order.iter().filter_map(|index| values.get(*index).copied()).collect::<Vec<f64>>();
    let (cycles, fluorescence) = (pick(&reading.cycles), pick(&reading.fluorescence));
    if !reading.corrected.is_empty() {
        reading.corrected = pick(&reading.corrected);
    }
    (reading.cycles, reading.fluorescence) = (cycles, fluorescence);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse;

    fn read_text(text: &str) -> (Run, Vec<String>) {
        let (mut runs, problems) = parse(text.as_bytes(), "c.csv", Limits::default()).unwrap();
        (runs.remove(0), problems.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn names_that_are_wells_give_the_places() {
        let (run, problems) = read_text("cycle,B02,A1\n0,1.5,-2\n1.5577,2.5,3E2\n");
        assert_eq!(run.wells[0].position, WellPosition { label: "B02".into(), place: Some((1, 1)) });
        assert_eq!(run.wells[0].readings[0].cycles, [0.0, 1.5577]);
        assert_eq!(run.wells[1].readings[0].fluorescence, [-2.0, 300.0]);
        assert_eq!((run.plate_size(), run.positions_by_order), (Some(96), false));
        assert_eq!(problems, [""; 0]);
    }

    #[test]
    fn other_names_are_placed_by_their_order() {
        let names: Vec<String> = (0..14).map(|index| format!("F15_{index}")).collect();
        let (run, _) = read_text(&format!("Cycle(s);{}\n1{}\n", names.join(";"), ";2.5".repeat(14)));
        assert!(run.positions_by_order);
        assert_eq!(run.wells[12].position, WellPosition { label: "F15_12".into(), place: Some((1, 0)) });
    }

    #[test]
    fn gaps_and_rubbish_are_reported_with_their_place() {
        let (run, problems) = read_text("cycle\tx\ty\n1\t1\t1\n2\t\toops\nend\t1\t1\n3\t3\t3\n3\t4\t4\n");
        assert_eq!(run.wells[0].readings[0].cycles, [1.0, 3.0]);
        assert_eq!(run.wells[0].readings[0].fluorescence, [1.0, 3.0]);
        assert_eq!(
            problems,
            [
                "c.csv, line 3, y: fluorescence “oops” is not a number; left out",
                "c.csv, line 4: cycle “end” is not a number; left out",
                "c.csv, x: cycles do not rise",
                "c.csv, x: readings missing: 1",
                "c.csv, y: cycles do not rise",
                "c.csv, y: readings missing: 1",
            ]
        );
    }

    #[test]
    fn bio_rad_names_the_dye_in_the_file_name() {
        let text = ",Cycle,A1,A2\r\n,1,2.5,3.5\r\n,2,2.6,3.6\r\n";
        let name = "plate 7 -  Quantification Amplification Results_HEX.csv";
        let (runs, problems) = parse(text.as_bytes(), name, Limits::default()).unwrap();
        assert_eq!(runs[0].wells[1].readings[0].fluorescence, [3.5, 3.6]);
        assert_eq!(runs[0].wells[1].readings[0].dye.as_deref(), Some("HEX"));
        assert_eq!(problems, []);
    }

    #[test]
    fn limits_refuse_the_file() {
        let small = Limits { readings_max: 3, ..Limits::default() };
        let error = parse(b"cycle,a,b\n1,1,1\n2,2,2\n", "c.csv", small).unwrap_err();
        assert_eq!(error.to_string(), "c.csv: more than 3 readings");
    }
}
