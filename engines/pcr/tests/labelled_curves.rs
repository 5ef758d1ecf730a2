//! The shared labelled curves: every one gets a finite answer, every amplified one a Cq, and replicates agree as closely
//! as they should. These sets took part in training, so the calls measured here are no estimate for unseen experiments;
//! MODEL.md holds the leave-one-experiment-out table.

#![allow(clippy::print_stderr)] // says what was skipped and what was measured

use std::collections::BTreeMap;
use std::path::PathBuf;

use baton_pcr::{Call, CqMethod, Curve, Reader, Reading, Settings, mean_efficiency};

struct Set {
    axis: Vec<f64>,
    names: Vec<String>,
    curves: Vec<Vec<f64>>,
}

fn folder(name: &str) -> Option<PathBuf> {
    let shared = std::env::var("BATON_SHARED").unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared").to_owned());
    let folder = PathBuf::from(shared).join("data/pcr").join(name);
    if !folder.is_dir() {
        eprintln!("skipped: {} not found (set BATON_SHARED)", folder.display());
        return None;
    }
    Some(folder)
}

fn load(path: PathBuf) -> Set {
    let mut reader = csv::Reader::from_path(path).unwrap();
    let names: Vec<String> = reader.headers().unwrap().iter().skip(1).map(str::to_owned).collect();
    let mut set = Set { axis: vec![], curves: vec![vec![]; names.len()], names };
    for row in reader.records() {
        let row = row.unwrap();
        let number = |cell: &str| cell.parse().unwrap_or(f64::NAN);
        set.axis.push(number(&row[0]));
        set.curves.iter_mut().zip(row.iter().skip(1)).for_each(|(curve, cell)| curve.push(number(cell)));
    }
    set
}

fn readings(set: &Set, settings: &Settings) -> Vec<Reading> {
    let mut reader = Reader::new();
    set.curves.iter().map(|f| reader.read(&Curve { cycles: &set.axis, fluorescence: f }, settings)).collect()
}

fn majority(path: PathBuf) -> BTreeMap<String, char> {
    let mut reader = csv::Reader::from_path(path).unwrap();
    let column = reader.headers().unwrap().iter().position(|name| name == "majority").unwrap();
    reader.records().map(|row| row.unwrap()).map(|row| (row[0].to_owned(), row[column].chars().next().unwrap())).collect()
}

fn sd(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt()
}

#[test]
fn every_labelled_curve_is_answered_and_every_amplified_one_has_a_cq() {
    let Some(folder) = folder("curves") else { return };
    let (mut amplified, mut called, mut flat, mut held) = (0, 0, 0, 0);
    for entry in std::fs::read_dir(&folder).unwrap() {
        let file = entry.unwrap().file_name().into_string().unwrap();
        let Some(name) = file.strip_suffix(".curves.csv") else { continue };
        let set = load(folder.join(&file));
        let labels = majority(folder.join(format!("{name}.labels.csv")));
        let (low, high) = (set.axis[0], set.axis[set.axis.len() - 1]);
        for (curve, reading) in set.names.iter().zip(readings(&set, &Settings::default())) {
            assert_ne!(reading.call, Call::Unreadable, "{name} {curve}: {:?}", reading.reasons);
            assert!(reading.cq.is_none_or(|cq| (low..=high).contains(&cq)), "{name} {curve}: Cq {:?}", reading.cq);
            if name == "htPCR" {
                continue;
            }
            match labels[curve] {
                'y' => {
                    amplified += 1;
                    called += usize::from(reading.call == Call::Positive && reading.cq.is_some());
                }
                'n' => {
                    flat += 1;
                    held += usize::from(reading.call != Call::Positive);
                }
                _ => {}
            }
        }
    }
    eprintln!("all sets but htPCR: {called} of {amplified} amplified called with a Cq, {held} of {flat} flat not called");
    assert!(called as f64 >= 0.995 * amplified as f64);
    assert!(held as f64 >= 0.97 * flat as f64);
}

#[test]
fn replicates_of_the_dilution_series_and_of_the_plate_agree() {
    let Some(folder) = folder("curves") else { return };
    // Limits for about 15,000, 1,500, 150 and 15 copies. At 15 copies counting alone gives 0.39, and the 47 replicates at
    // hand leave ±20 % on any standard deviation, so the last limit is that of the sample, not the method's.
    let limits = [("F15", 0.075), ("F150", 0.085), ("F1500", 0.130), ("F15000", 0.47)];
    let set = load(folder.join("dil4reps94.curves.csv"));
    for method in [CqMethod::PlateauRelative, CqMethod::SecondDerivative] {
        let settings = Settings { cq_method: method, ..Settings::default() };
        let read = readings(&set, &settings);
        for (level, limit) in limits {
            let of_level = set.names.iter().zip(&read).filter(|(name, _)| name.split('_').next() == Some(level));
            let cqs: Vec<f64> = of_level.map(|(_, reading)| reading.cq.unwrap()).collect();
            eprintln!("dil4reps94 {level} {method:?}: SD {:.3} of {}", sd(&cqs), cqs.len());
            assert!(sd(&cqs) <= limit, "{level} {method:?} {}", sd(&cqs));
        }
    }
    let plate = load(folder.join("reps384.curves.csv"));
    let cqs: Vec<f64> = readings(&plate, &Settings::default()).iter().map(|reading| reading.cq.unwrap()).collect();
    eprintln!("reps384: SD {:.3} of {}", sd(&cqs), cqs.len());
    assert!(sd(&cqs) <= 0.145);
}

#[test]
fn efficiency_as_the_mean_of_a_target_agrees_with_the_dilution_series() {
    let Some(folder) = folder("curves") else { return };
    let set = load(folder.join("dil4reps94.curves.csv"));
    let read = readings(&set, &Settings::default());
    let mean = mean_efficiency(&read).unwrap();
    let level = |name: &str| {
        let of_level = set.names.iter().zip(&read).filter(|(curve, _)| curve.split('_').next() == Some(name));
        let cqs: Vec<f64> = of_level.filter_map(|(_, reading)| reading.cq).collect();
        cqs.iter().sum::<f64>() / cqs.len() as f64
    };
    // Three ten-fold steps between the first and the last level.
    let by_dilution = 10f64.powf(3.0 / (level("F15000") - level("F15")));
    eprintln!("dil4reps94: efficiency {:.3} of {} curves, by dilution {by_dilution:.3}", mean.mean, mean.curves);
    assert!((mean.mean - by_dilution).abs() < 0.12, "{mean:?} {by_dilution}");
}

#[test]
fn unlabelled_and_isothermal_curves_are_answered() {
    let Some(folder) = folder("unlabelled") else { return };
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let set = load(path.clone());
        for (name, reading) in set.names.iter().zip(readings(&set, &Settings::default())) {
            let numbers = [Some(reading.p_positive), reading.cq, reading.cq_sdm, Some(reading.plateau), reading.efficiency];
            assert!(numbers.into_iter().flatten().all(f64::is_finite), "{} {name}", path.display());
        }
    }
}
