//! RDML files and curve tables of other laboratories, where the shared data is at hand.

mod shared;

use baton_instruments::{Content, Format, Limits, RdmlVersion, Run, parse, write_rdml_runs};
use shared::{files, read_shared, rows};

fn parse_file(path: &str) -> Option<(Vec<Run>, Vec<String>)> {
    let bytes = read_shared(path)?;
    let (runs, problems) = parse(&bytes, path, Limits::default()).unwrap_or_else(|error| panic!("{error}"));
    Some((runs, problems.iter().map(ToString::to_string).collect()))
}

#[test]
fn every_rdml_file_is_read() {
    // File, runs, wells, curves that hold readings, Cq given by the instrument.
    let expected = [
        ("BioRad_qPCR_melt.rdml", 2, 60, 60, 26),
        ("RAS002.rdml", 1, 96, 192, 0),
        ("eva_green_a.rdml", 1, 98, 98, 98),
        ("hookreg.rdml", 1, 96, 96, 0),
        ("matrix_gaps.rdml", 1, 72, 71, 0),
        ("own_mix_a.rdml", 1, 22, 22, 0),
        ("quantification_methods.rdml", 1, 180, 180, 180),
        ("volume_machine.rdml", 3, 172, 172, 0),
    ];
    for (name, runs_expected, wells, curves, cqs) in expected {
        let Some((runs, problems)) = parse_file(&format!("pcr/rdml/{name}")) else {
            return;
        };
        let readings: Vec<_> = runs.iter().flat_map(|run| &run.wells).flat_map(|well| &well.readings).collect();
        let found = (
            runs.len(),
            runs.iter().map(|run| run.wells.len()).sum::<usize>(),
            readings.iter().filter(|reading| !reading.cycles.is_empty()).count(),
            readings.iter().filter(|reading| reading.cq.is_some()).count(),
        );
        assert_eq!(found, (runs_expected, wells, curves, cqs), "{name}: {problems:?}");
        assert!(runs.iter().all(|run| run.format == Format::Rdml && run.plate.is_some()));
        assert!(runs.iter().flat_map(|run| &run.wells).all(|well| well.position.place.is_some()));
    }
}

#[test]
fn samples_targets_and_controls_are_resolved() {
    let Some((runs, _)) = parse_file("pcr/rdml/volume_machine.rdml") else {
        return;
    };
    let controls = runs.iter().flat_map(|run| &run.wells).filter(|well| well.content == Content::NoTemplateControl);
    assert!(controls.count() > 0);
    let readings = runs.iter().flat_map(|run| &run.wells).flat_map(|well| &well.readings);
    assert!(readings.into_iter().all(|reading| reading.dye.as_deref() == Some("SYBR")));
}

#[test]
fn wells_and_samples_agree_with_the_result_table() {
    let Some((runs, _)) = parse_file("pcr/rdml/volume_machine.rdml") else {
        return;
    };
    let table = read_shared("pcr/rdml/volume_machine_cq.tsv").unwrap();
    let mut compared = 0;
    for row in rows(&table, '\t').skip(1) {
        let [experiment, run, well, sample, target, ..] = &row[..] else {
            continue;
        };
        // The table repeats its header and has blank lines between runs.
        if experiment.is_empty() || well == "well" {
            continue;
        }
        let run = runs.iter().find(|known| known.experiment.as_ref() == Some(experiment) && known.name.as_ref() == Some(run)).unwrap();
        let well = run.wells.iter().find(|known| known.position.label == *well).unwrap();
        assert_eq!(well.sample.as_ref(), Some(sample));
        assert_eq!(well.readings[0].target.as_ref(), Some(target));
        compared += 1;
    }
    assert!(compared > 100, "{compared}");
}

#[test]
fn what_was_read_is_written_and_read_the_same() {
    for path in files("pcr/rdml", ".rdml") {
        let Some((runs, _)) = parse_file(&path) else {
            return;
        };
        let (again, _) = parse(&write_rdml_runs(&runs, RdmlVersion::V1_4), &path, Limits::default()).unwrap();
        let curves = |runs: &[Run]| -> Vec<_> {
            let wells = runs.iter().flat_map(|run| &run.wells);
            let mut curves: Vec<_> = wells
                .flat_map(|well| well.readings.iter().map(|reading| (well.position.label.clone(), reading.clone())))
                .map(|(label, reading)| (label, reading.cq, reading.cycles, reading.fluorescence))
                .collect();
            curves.sort_by(|a, b| a.0.cmp(&b.0));
            curves
        };
        assert_eq!(curves(&again), curves(&runs), "{path}");
    }
}

#[test]
fn every_table_of_curves_is_read() {
    let Some(sets) = read_shared("pcr/curve_sets.csv") else {
        return;
    };
    for row in rows(&sets, ',').skip(1) {
        let path = format!("pcr/curves/{}.curves.csv", row[0]);
        let (runs, problems) = parse_file(&path).unwrap();
        assert_eq!(runs[0].wells.len(), row[1].parse::<usize>().unwrap(), "{path}: {problems:?}");
        let cycles = runs[0].wells.iter().map(|well| well.readings[0].cycles.len()).max().unwrap();
        assert_eq!(cycles, row[2].parse::<usize>().unwrap(), "{path}");
    }
    for path in files("pcr/unlabelled", ".csv") {
        let (runs, _) = parse_file(&path).unwrap();
        assert!(runs[0].wells.iter().all(|well| well.readings[0].cycles.len() > 10), "{path}");
    }
}
