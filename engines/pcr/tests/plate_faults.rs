//! Faults injected into plates: at least 95 % must be found, at most 1 % of clean plates flagged. Plates are simulated
//! (always) and composed of real curves (where the shared data are at hand).

#![allow(clippy::print_stderr)] // says what was skipped and what was measured

use baton_pcr::plate::{Plate, PlateLimits, PlateWell, Position, WellRole, inspect};
use baton_pcr::rules::{ControlKind, Finding, FindingCode, RuleSet, TargetReading};
use baton_pcr::simulate::{Fault, Params, axis, synthesise};
use baton_pcr::{Curve, Reader, Settings};

const CYCLES: usize = 40;
const TARGETS: [&str; 3] = ["ORF1ab", "N", "IC"];

struct Chance(u64);

impl Chance {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.uniform() * bound as f64) as usize
    }
}

/// Curves of one well, one per target.
type Well = [Vec<f64>; 3];

/// Where a plate's curves come from.
trait Source {
    fn flat(&mut self, target: usize) -> Vec<f64>;
    fn rising(&mut self, target: usize, cq: f64) -> Vec<f64>;
}

struct Simulated(Chance);

impl Source for Simulated {
    fn flat(&mut self, _: usize) -> Vec<f64> {
        let params = Params { cq: None, cycles: CYCLES, baseline_slope: self.0.normal(), ..Params::default() };
        synthesise(&params, || self.0.normal())
    }

    fn rising(&mut self, _: usize, cq: f64) -> Vec<f64> {
        let plateau = 4000.0 + 200.0 * self.0.normal();
        let params = Params { cq: Some(cq), cycles: CYCLES, plateau, ..Params::default() };
        synthesise(&params, || self.0.normal())
    }
}

fn shared_curves(set: &str) -> Option<(Vec<String>, Vec<Vec<f64>>)> {
    let shared = std::env::var("BATON_SHARED").unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared").to_owned());
    let mut reader = csv::Reader::from_path(format!("{shared}/data/pcr/curves/{set}.curves.csv")).ok()?;
    let names: Vec<String> = reader.headers().ok()?.iter().skip(1).map(str::to_owned).collect();
    let mut curves = vec![Vec::new(); names.len()];
    for row in reader.records() {
        let row = row.ok()?;
        for (curve, cell) in curves.iter_mut().zip(row.iter().skip(1)) {
            curve.push(cell.parse().unwrap_or(f64::NAN));
        }
    }
    Some((names, curves))
}

/// Real curves: negatives of RAS002, and its amplified ones moved along the cycle axis to the Cq wanted.
struct Real {
    chance: Chance,
    flat: Vec<Vec<f64>>,
    rising: Vec<Vec<f64>>,
}

impl Real {
    fn load(seed: u64) -> Option<Real> {
        let (_, curves) = shared_curves("RAS002")?;
        let mut reader = Reader::new();
        let mut real = Real { chance: Chance(seed), flat: vec![], rising: vec![] };
        for curve in curves {
            let reading = reader.read(&Curve { cycles: &axis(CYCLES), fluorescence: &curve }, &Settings::default());
            // Only what is beyond doubt on either side serves as material.
            if reading.p_positive > 0.95 && reading.cq_sdm.is_some() {
                real.rising.push(curve);
            } else if reading.p_positive < 0.02 {
                real.flat.push(curve);
            }
        }
        Some(real)
    }
}

impl Source for Real {
    fn flat(&mut self, _: usize) -> Vec<f64> {
        let pick = self.chance.below(self.flat.len());
        self.flat[pick].clone()
    }

    fn rising(&mut self, _: usize, cq: f64) -> Vec<f64> {
        let pick = self.chance.below(self.rising.len());
        let curve = &self.rising[pick];
        let reading = Reader::new().read(&Curve { cycles: &axis(CYCLES), fluorescence: curve }, &Settings::default());
        let shift = cq - reading.cq_sdm.unwrap_or(28.0);
        let at = |place: f64| {
            let place = place.clamp(0.0, (CYCLES - 1) as f64);
            let whole = (place as usize).min(CYCLES - 2);
            curve[whole] + (place - whole as f64) * (curve[whole + 1] - curve[whole])
        };
        let last_slope = (curve[CYCLES - 1] - curve[CYCLES - 4]) / 3.0;
        let noise = 0.0005 * curve[0];
        (0..CYCLES)
            .map(|i| {
                let place = i as f64 - shift;
                let beyond = (place - (CYCLES - 1) as f64).max(0.0);
                at(place) + beyond * last_slope + noise * self.chance.normal()
            })
            .collect()
    }
}

/// A clean 96-well plate: 2 % to 5 % positives, controls in the last column as the rules want them.
struct Bench<'a> {
    rules: &'a RuleSet,
    wells: Vec<(Position, WellRole, Well)>,
    chance: Chance,
}

fn role(position: Position) -> WellRole {
    match (position.row, position.column) {
        (5, 11) => WellRole::Control(ControlKind::Extraction),
        (6, 11) => WellRole::Control(ControlKind::Positive),
        (7, 11) => WellRole::Control(ControlKind::NoTemplate),
        _ => WellRole::Sample,
    }
}

impl<'a> Bench<'a> {
    fn clean(rules: &'a RuleSet, source: &mut dyn Source, seed: u64) -> Bench<'a> {
        let mut chance = Chance(seed);
        let share = 0.02 + 0.03 * chance.uniform();
        let places = (0..96).map(|i| Position { row: i / 12, column: i % 12 });
        let mut wells = Vec::new();
        for position in places {
            let role = role(position);
            let carries = chance.uniform() < share;
            let (template, ic) = match role {
                WellRole::Sample if carries => (Some(16.0 + 20.0 * chance.uniform()), true),
                WellRole::Sample => (None, true),
                WellRole::Control(ControlKind::Positive) => (Some(26.0), true),
                WellRole::Control(ControlKind::Extraction) => (None, true),
                WellRole::Control(ControlKind::NoTemplate) => (None, false),
            };
            let mut make = |target: usize, cq: Option<f64>| match cq {
                Some(cq) => source.rising(target, cq),
                None => source.flat(target),
            };
            let n_cq = template.map(|cq| cq + 0.5 * chance.normal());
            let ic_cq = ic.then(|| 27.0 + 0.4 * chance.normal());
            wells.push((position, role, [make(0, template), make(1, n_cq), make(2, ic_cq)]));
        }
        Bench { rules, wells, chance }
    }

    fn well(&mut self, row: u8, column: u8) -> &mut Well {
        &mut self.wells[usize::from(row) * 12 + usize::from(column)].2
    }

    fn inspect(&self) -> Vec<Finding> {
        let mut reader = Reader::new();
        let (cycles, settings) = (axis(CYCLES), self.rules.settings());
        let wells = self.wells.iter().map(|(position, role, curves)| {
            let mut well = PlateWell { position: *position, role: *role, readings: vec![], fluorescence: curves.to_vec() };
            for (target, fluorescence) in TARGETS.iter().zip(curves) {
                let curve = Curve { cycles: &cycles, fluorescence };
                let reading = reader.read(&curve, &settings);
                well.readings.push(TargetReading { target: (*target).to_owned(), reading });
            }
            well
        });
        let plate = Plate { rows: 8, columns: 12, wells: wells.collect() };
        inspect(self.rules, &plate, &PlateLimits::default())
    }
}

/// What is injected, the code that must be found and the wells it must name (empty: any).
type Injection = fn(&mut Bench, &mut dyn Source) -> (FindingCode, Vec<Position>);

const INJECTIONS: [(&str, Injection); 9] = [
    ("turned by 180°", |bench, _| {
        let curves: Vec<Well> = bench.wells.iter().rev().map(|(_, _, well)| well.clone()).collect();
        bench.wells.iter_mut().zip(curves).for_each(|(well, curves)| well.2 = curves);
        (FindingCode::PlateRotated, bench.wells.iter().map(|(position, _, _)| *position).collect())
    }),
    ("columns moved by one", |bench, _| {
        let old: Vec<Well> = bench.wells.iter().map(|(_, _, well)| well.clone()).collect();
        for (index, well) in bench.wells.iter_mut().enumerate() {
            let (row, column) = (index / 12, index % 12);
            well.2 = old[row * 12 + (column + 1) % 12].clone();
        }
        (FindingCode::ColumnsShifted, bench.wells.iter().map(|(position, _, _)| *position).collect())
    }),
    ("dead channel", |bench, source| {
        bench.wells.iter_mut().for_each(|(_, _, well)| well[1] = source.flat(1));
        (FindingCode::DeadChannel, bench.wells.iter().map(|(position, _, _)| *position).collect())
    }),
    ("cross-talk", |bench, source| {
        // Eight strong wells of ORF1ab leak into N, where nothing of its own rises.
        let mut hit = vec![];
        for column in 2..10 {
            let strong = source.rising(0, 20.0 + f64::from(column % 3));
            let base = strong[..8].iter().sum::<f64>() / 8.0;
            let quiet = source.flat(1);
            let well = bench.well(3, column);
            well[1] = quiet.iter().zip(&strong).map(|(q, s)| q + 0.08 * (s - base)).collect();
            well[0] = strong;
            hit.push(Position { row: 3, column });
        }
        (FindingCode::CrossTalk, hit)
    }),
    ("empty well", |bench, source| {
        let (row, column) = (1 + bench.chance.below(5) as u8, bench.chance.below(11) as u8);
        let quiet: Well = std::array::from_fn(|target| source.flat(target).iter().map(|v| 0.1 * v).collect());
        *bench.well(row, column) = quiet;
        (FindingCode::WellEmpty, vec![Position { row, column }])
    }),
    ("drying well", |bench, source| {
        let (row, column) = (1 + bench.chance.below(5) as u8, bench.chance.below(11) as u8);
        let params = Params {
            cq: None,
            cycles: CYCLES,
            baseline_level: 1.0,
            baseline_slope: 0.0,
            noise: 0.0,
            relative_noise: 0.0,
            faults: vec![Fault::Evaporation { cycle: 22, height: 0.5 }],
            ..Params::default()
        };
        let growth = synthesise(&params, || 0.0);
        for target in 0..2 {
            let base = source.flat(target);
            bench.well(row, column)[target] = base.iter().zip(&growth).map(|(b, g)| b * g).collect();
        }
        (FindingCode::WellEvaporated, vec![Position { row, column }])
    }),
    ("edge column late", |bench, source| {
        let mut hit = vec![];
        for row in 0..8 {
            let cq = 29.0 + 0.4 * bench.chance.normal();
            bench.well(row, 0)[2] = source.rising(2, cq);
            hit.push(Position { row, column: 0 });
        }
        (FindingCode::EdgeEffect, hit)
    }),
    ("neighbour contamination", |bench, source| {
        let (row, column) = (3, 5);
        for target in 0..2 {
            bench.well(row, column)[target] = source.rising(target, 15.0);
        }
        let mut hit = vec![];
        for (r, c) in [(row - 1, column), (row + 1, column), (row, column - 1), (row + 1, column + 1)] {
            let cq = 33.8 + 0.2 * bench.chance.uniform();
            for target in 0..2 {
                bench.well(r, c)[target] = source.rising(target, cq);
            }
            hit.push(Position { row: r, column: c });
        }
        (FindingCode::NeighbourContamination, hit)
    }),
    ("late streak", |bench, source| {
        let mut hit = vec![];
        for (row, column) in [(0, 1), (2, 7), (4, 3), (6, 9), (1, 10), (5, 6), (3, 0), (7, 4)] {
            for target in 0..2 {
                bench.well(row, column)[target] = source.rising(target, 33.9);
            }
            hit.push(Position { row, column });
        }
        (FindingCode::LateStreak, hit)
    }),
];

fn check(name: &str, make_source: &dyn Fn(u64) -> Box<dyn Source>, plates: u64) {
    let rules = RuleSet::builtin("orf1ab-n-ic").unwrap();
    let flagged: Vec<_> =
        (0..plates).map(|seed| Bench::clean(&rules, make_source(seed).as_mut(), seed).inspect()).filter(|findings| !findings.is_empty()).collect();
    assert!(flagged.len() as f64 <= 0.01 * plates as f64, "{name}: clean plates flagged: {flagged:#?}");
    let each = (plates / 5).max(10);
    let (mut found, mut all) = (0, 0);
    for (fault, inject) in INJECTIONS {
        for seed in 0..each {
            let mut source = make_source(seed + 1000);
            let mut bench = Bench::clean(&rules, source.as_mut(), seed + 1000);
            let (code, wells) = inject(&mut bench, source.as_mut());
            let findings = bench.inspect();
            let names: Vec<String> = wells.iter().map(Position::to_string).collect();
            let holds = |finding: &&Finding| finding.code == code && names.iter().filter(|name| finding.wells.contains(name)).count() * 4 >= names.len() * 3;
            all += 1;
            found += usize::from(findings.iter().any(|finding| holds(&finding)));
            if !findings.iter().any(|finding| holds(&finding)) {
                let seen: Vec<_> = findings.iter().map(|f| (f.code, f.wells.len(), &f.reason)).collect();
                eprintln!("{name}: {fault} not found with seed {seed}; seen {seen:?}");
            }
        }
    }
    let share = found as f64 / all as f64;
    eprintln!("{name}: {found} of {all} injected faults found, {} of {plates} clean plates flagged", flagged.len());
    assert!(share >= 0.95, "{name}: only {share:.3} of the faults found");
}

#[test]
fn injected_faults_are_found_on_simulated_plates() {
    check("simulated", &|seed| Box::new(Simulated(Chance(seed + 77))), 200);
}

#[test]
fn injected_faults_are_found_on_plates_of_real_curves() {
    if Real::load(0).is_none() {
        eprintln!("skipped: shared curves not found (set BATON_SHARED)");
        return;
    }
    check("real curves", &|seed| Box::new(Real::load(seed + 5).unwrap()), 100);
}
