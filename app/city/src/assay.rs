//! What a real-time PCR instrument would show of the city's tubes: one run of a plate, as curves or as a file.
//!
//! A pool holds the sum of its members' material in its own volume of fluid; its Cq follows from that
//! (swabs in one tube: dilution goes with the volume, not with the number of people). Weak pools vary as counting
//! a few molecules does.

use baton_instruments::{Content, Limits, PlateFormat, Reading, Run, Well, WellPosition, well_label};
use baton_pcr::rules::{ControlKind, ExpectedState, RuleSet, Target, TargetRole};
use baton_pcr::simulate::{Fault, Params, axis, synthesise};

use crate::chance::{Chance, Purpose};
use crate::infection::Epidemic;

#[derive(Clone, Copy, PartialEq, Debug)]
pub struct AssaySettings {
    pub cycles: usize,
    /// Share of runs in which one control fails.
    pub control_failures: f64,
    /// Share of specimen tubes from which nothing can be extracted, the internal control included.
    pub failed_extractions: f64,
    /// Share of curves with a bubble, a spike or a drift.
    pub blemishes: f64,
}

impl Default for AssaySettings {
    fn default() -> Self {
        Self { cycles: 45, control_failures: 0.02, failed_extractions: 0.002, blemishes: 0.002 }
    }
}

/// The assay as it works in this city.
#[derive(Clone, Copy, Debug)]
pub struct Assay<'a> {
    pub epidemic: &'a Epidemic,
    pub rules: &'a RuleSet,
    pub settings: AssaySettings,
}

/// What was pipetted into a well.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Filling<'a> {
    Tube {
        /// Names the tube for chance: the same tube extracted twice is the same material.
        key: u64,
        /// The people whose swabs are in it.
        members: &'a [u32],
        /// The kind of tube: how many swabs it is made for, which says its volume.
        ratio: u32,
    },
    Control(ControlKind),
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WellFilling<'a> {
    /// From 0.
    pub row: u16,
    /// From 0.
    pub column: u16,
    /// The name the instrument's file gives the sample.
    pub sample: String,
    pub filling: Filling<'a>,
}

/// A control that does not do what it should.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ControlFailure {
    /// The no-template control amplifies.
    Contaminated,
    /// The positive control stays flat.
    Dead,
    /// The extraction control's internal control stays flat.
    NotExtracted,
}

/// What one well of the run amplifies: target by target a Cq or nothing.
type Cqs = Vec<Option<f64>>;

/// Mean Cq of the internal control of one swab in the smallest tube.
const INTERNAL_CONTROL_CQ: f64 = 27.0;
/// A molecule or so is first seen at about this cycle.
const ONE_COPY_CQ: f64 = 39.5;

impl Assay<'_> {
    /// One run of a plate. The same key, fillings and settings give the same run; another key the same tubes measured
    /// again. Wells that are not listed are empty and unread.
    pub fn run(&self, key: u64, name: &str, plate: PlateFormat, wells: &[WellFilling]) -> Run {
        let failure = self.control_failure(key);
        let failing = failure.and_then(|failure| failing_well(failure, wells));
        let mut run = blank_run();
        run.name = Some(name.to_owned());
        run.experiment = Some(self.rules.name.clone());
        run.plate = Some(plate);
        let read = |(index, well)| self.well(key, well, failure.filter(|_| failing == Some(index)));
        run.wells = wells.iter().enumerate().map(read).collect();
        run
    }

    /// Which control fails in this run, if one does and is on the plate.
    pub fn control_failure(&self, key: u64) -> Option<ControlFailure> {
        let mut chance = Chance::new(self.epidemic.city.seed, Purpose::Controls, key);
        let fails = chance.happens(self.settings.control_failures);
        fails.then(|| chance.pick(&[ControlFailure::Contaminated, ControlFailure::Dead, ControlFailure::NotExtracted]))
    }

    fn well(&self, key: u64, well: &WellFilling, failure: Option<ControlFailure>) -> Well {
        let cqs = match well.filling {
            Filling::Tube { key, members, ratio } => self.tube_cqs(key, members, ratio),
            Filling::Control(kind) => self.control_cqs(kind, failure),
        };
        let place = u64::from(well.row) << 16 | u64::from(well.column);
        let chance = Chance::new(self.epidemic.city.seed, Purpose::Well, key << 32 | place);
        Well {
            position: WellPosition::at(well.row, well.column),
            sample: Some(well.sample.clone()),
            content: content(well.filling),
            readings: self.readings(&cqs, chance),
        }
    }

    /// What a tube amplifies. Infected members add up; the more people, the more human material for the control.
    fn tube_cqs(&self, key: u64, members: &[u32], ratio: u32) -> Cqs {
        let seed = self.epidemic.city.seed;
        let mut chance = Chance::new(seed, Purpose::Swab, key);
        let failed = chance.happens(self.settings.failed_extractions);
        if failed || members.is_empty() {
            return vec![None; self.rules.targets.len()];
        }
        let shift = self.volume_shift(ratio);
        let swabbing = |person: u32| 0.4 * Chance::new(seed, Purpose::Swab, key ^ u64::from(person) << 32 | 1 << 63).normal();
        let material: f64 = members.iter().filter_map(|person| Some(self.epidemic.infection(*person)?.cq + swabbing(*person))).map(|cq| (-cq).exp2()).sum();
        let mut detect_order = 0;
        let cq_of = |target: &Target| match target.role {
            TargetRole::InternalControl => Some(INTERNAL_CONTROL_CQ + shift - 0.5 * (members.len() as f64).log2() + 0.5 * chance.normal()),
            TargetRole::Detect => {
                detect_order += 1;
                (material > 0.0).then(|| {
                    let cq = shift - material.log2() + 0.6 * f64::from(detect_order - 1);
                    cq + counting_noise(cq) * chance.normal()
                })
            }
        };
        self.rules.targets.iter().map(cq_of).collect()
    }

    /// Later by the volume of the tube over that of a single one.
    fn volume_shift(&self, ratio: u32) -> f64 {
        let volume = |ratio: u32| {
            let fitting = self.rules.pools.iter().filter(|pool| pool.ratio >= ratio);
            fitting.min_by_key(|pool| pool.ratio).map(|pool| pool.tube_volume_ml)
        };
        match (volume(1), volume(ratio)) {
            (Some(single), Some(tube)) if single > 0.0 && tube > 0.0 => (tube / single).log2(),
            _ => 0.0,
        }
    }

    /// What the rules expect of the control, or not.
    fn control_cqs(&self, kind: ControlKind, failure: Option<ControlFailure>) -> Cqs {
        let rule = self.rules.controls.iter().find(|rule| rule.kind == kind);
        let expected = |target: &Target| {
            let expectation = rule?.expect.iter().find(|expectation| expectation.target == target.name)?;
            let (low, high) = (expectation.cq_min.unwrap_or(22.0), expectation.cq_max.unwrap_or(30.0));
            (expectation.state == ExpectedState::Positive).then_some(f64::midpoint(low, high))
        };
        let cq_of = |target: &Target| match (failure, target.role) {
            (Some(ControlFailure::Contaminated), TargetRole::Detect) => Some(33.0),
            (Some(ControlFailure::Dead), TargetRole::Detect) => None,
            (Some(ControlFailure::NotExtracted), TargetRole::InternalControl) => None,
            _ => expected(target),
        };
        self.rules.targets.iter().map(cq_of).collect()
    }

    fn readings(&self, cqs: &Cqs, mut chance: Chance) -> Vec<Reading> {
        // Pipetting varies the whole well, the dye its level.
        let volume = 1.0 + 0.05 * chance.normal();
        let reading = |(target, cq): (&Target, &Option<f64>)| {
            let params = self.curve(&target.dye, *cq, volume, &mut chance);
            Reading {
                target: Some(target.name.clone()),
                dye: Some(target.dye.clone()),
                cycles: axis(params.cycles),
                fluorescence: synthesise(&params, || chance.normal()).into_iter().map(|value| value.round()).collect(),
                ..Reading::default()
            }
        };
        self.rules.targets.iter().zip(cqs).map(reading).collect()
    }

    fn curve(&self, dye: &str, cq: Option<f64>, volume: f64, chance: &mut Chance) -> Params {
        let level = match dye {
            "FAM" => 3200.0,
            "VIC" | "HEX" => 2400.0,
            _ => 1700.0,
        } * volume;
        let blemish = chance.happens(self.settings.blemishes);
        let last = self.settings.cycles.saturating_sub(1) as u32;
        Params {
            cycles: self.settings.cycles,
            baseline_level: level,
            baseline_slope: level * 0.0006 * chance.normal(),
            cq: cq.map(|cq| cq + 0.05 * chance.normal()),
            plateau: level * 2.8 * (1.0 + 0.08 * chance.normal()),
            efficiency: 1.92 + 0.02 * chance.normal(),
            asymmetry: 0.8 + 0.04 * chance.normal(),
            noise: level * 0.002,
            relative_noise: 0.002,
            faults: if blemish { vec![draw_blemish(chance, last)] } else { Vec::new() },
        }
    }
}

/// Standard deviation of Cq from counting molecules, beside 0.1 of handling.
fn counting_noise(cq: f64) -> f64 {
    let copies = (ONE_COPY_CQ - cq).exp2().max(1.0);
    0.1 + 1.0 / (copies.sqrt() * std::f64::consts::LN_2)
}

fn draw_blemish(chance: &mut Chance, last: u32) -> Fault {
    let cycle = chance.between(last / 4, last * 3 / 4) as usize;
    match chance.below(3) {
        0 => Fault::Spike { cycle, height: 0.2 },
        1 => Fault::Bubble { cycle, height: 0.06 },
        _ => Fault::Drift { height: 0.1 * chance.normal() },
    }
}

/// The well a failing control sits in: the first of its kind.
fn failing_well(failure: ControlFailure, wells: &[WellFilling]) -> Option<usize> {
    let kind = match failure {
        ControlFailure::Contaminated => ControlKind::NoTemplate,
        ControlFailure::Dead => ControlKind::Positive,
        ControlFailure::NotExtracted => ControlKind::Extraction,
    };
    wells.iter().position(|well| well.filling == Filling::Control(kind))
}

fn content(filling: Filling) -> Content {
    match filling {
        Filling::Tube { .. } => Content::Unknown,
        Filling::Control(ControlKind::NoTemplate) => Content::NoTemplateControl,
        Filling::Control(ControlKind::Positive) => Content::PositiveControl,
        Filling::Control(ControlKind::Extraction) => Content::NegativeControl,
    }
}

/// A run without wells. Runs come from files only, so it is read from the smallest one there is.
fn blank_run() -> Run {
    let smallest = baton_instruments::parse(b"cycle,A1\n1,0\n", "blank.csv", Limits::default());
    let (mut runs, _) = smallest.expect("a table of one curve can be read");
    let mut run = runs.remove(0);
    run.wells.clear();
    run.positions_by_order = false;
    run
}

/// The run as plain tables, `cycle,<well>…`, one for each target, named after it.
pub fn curve_tables(run: &Run) -> Vec<(String, Vec<u8>)> {
    let targets: Vec<&str> = run.wells.first().map_or(Vec::new(), |well| well.readings.iter().filter_map(|reading| reading.target.as_deref()).collect());
    targets.iter().map(|target| ((*target).to_owned(), curve_table(run, target))).collect()
}

fn curve_table(run: &Run, target: &str) -> Vec<u8> {
    let of_target = |well: &'_ Well| well.readings.iter().position(|reading| reading.target.as_deref() == Some(target));
    let curves: Vec<(&Well, &Reading)> = run.wells.iter().filter_map(|well| Some((well, &well.readings[of_target(well)?]))).collect();
    let mut text = String::from("cycle");
    for (well, _) in &curves {
        text.push(',');
        let label = well.position.place.map(|(row, column)| well_label(row, column));
        text.push_str(label.as_deref().unwrap_or(&well.position.label));
    }
    let cycles = curves.first().map_or(&[][..], |(_, reading)| &reading.cycles);
    for (index, cycle) in cycles.iter().enumerate() {
        text.push_str(&format!("\n{cycle}"));
        for (_, reading) in &curves {
            text.push(',');
            if let Some(value) = reading.fluorescence.get(index) {
                text.push_str(&value.to_string());
            }
        }
    }
    text.push('\n');
    text.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::infection::EpidemicSettings;
    use crate::people::City;
    use baton_instruments::{parse, write_rdml};
    use baton_pcr::rules::{ControlReading, TargetReading, WellOutcome, WellResult, interpret_well, judge_controls};
    use baton_pcr::{Curve, Reader};

    fn epidemic() -> Epidemic {
        Epidemic::new(City::new(21, 30_000), EpidemicSettings { prevalence: 0.01, ..EpidemicSettings::default() })
    }

    fn rules(name: &str) -> RuleSet {
        RuleSet::builtin(name).unwrap()
    }

    fn read(rules: &RuleSet, well: &Well) -> Vec<TargetReading> {
        let mut reader = Reader::new();
        let read = |reading: &Reading| TargetReading {
            target: reading.target.clone().unwrap(),
            reading: reader.read(&Curve { cycles: &reading.cycles, fluorescence: &reading.fluorescence }, &rules.settings()),
        };
        well.readings.iter().map(read).collect()
    }

    fn outcome(rules: &RuleSet, well: &Well) -> WellOutcome {
        interpret_well(rules, &read(rules, well), true)
    }

    /// Fills a 96-well plate along its rows with the controls first, then the tubes.
    fn fill<'a>(tubes: &'a [Vec<u32>], ratio: u32) -> Vec<WellFilling<'a>> {
        let controls = [ControlKind::NoTemplate, ControlKind::Positive, ControlKind::Extraction].map(Filling::Control);
        let tubes = tubes.iter().enumerate().map(|(at, members)| Filling::Tube { key: at as u64, members, ratio });
        let place = |(at, filling)| WellFilling { row: at as u16 / 12, column: at as u16 % 12, sample: format!("S{at}"), filling };
        controls.into_iter().chain(tubes).enumerate().map(place).collect()
    }

    /// Tubes of ten with exactly one infected member each (or none).
    fn tubes(epidemic: &Epidemic, infected: bool, count: usize) -> Vec<Vec<u32>> {
        let healthy: Vec<u32> = (0..30_000).filter(|person| epidemic.infection(*person).is_none()).collect();
        let sick = (0..30_000).filter(|person| epidemic.infection(*person).is_some()).map(Some);
        let firsts: Vec<Option<u32>> = if infected { sick.take(count).collect() } else { vec![None; count] };
        let tube = |(at, first): (usize, &Option<u32>)| healthy[at * 9..].iter().take(9).copied().chain(*first).collect();
        firsts.iter().enumerate().map(tube).collect()
    }

    #[test]
    fn an_infected_member_keeps_a_tube_from_being_negative() {
        let epidemic = epidemic();
        for name in RuleSet::builtin_names() {
            let rules = rules(name);
            let assay = Assay { epidemic: &epidemic, rules: &rules, settings: AssaySettings { control_failures: 0.0, ..AssaySettings::default() } };
            let tubes = tubes(&epidemic, true, 240);
            assert_eq!(tubes.len(), 240);
            let mut detected = 0;
            for (plate, tubes) in tubes.chunks(93).enumerate() {
                let wells = fill(tubes, 10);
                let run = assay.run(plate as u64, "P1", PlateFormat::WELLS_96, &wells);
                for (well, filling) in run.wells.iter().zip(&wells).skip(3) {
                    let outcome = outcome(&rules, well);
                    assert!(!outcome.is_clean_negative(), "{name} {filling:?} {outcome:?}");
                    detected += u32::from(outcome.result == WellResult::Detected);
                }
            }
            assert!(detected > 225, "{name}: {detected} of 240 detected at once");
        }
    }

    #[test]
    fn tubes_of_healthy_people_are_negative_but_for_a_few_held() {
        let epidemic = epidemic();
        let rules = rules("orf1ab-n-ic");
        let assay = Assay { epidemic: &epidemic, rules: &rules, settings: AssaySettings::default() };
        let tubes = tubes(&epidemic, false, 93 * 6);
        let mut clean = 0;
        for (plate, tubes) in tubes.chunks(93).enumerate() {
            let run = assay.run(plate as u64, "P1", PlateFormat::WELLS_96, &fill(tubes, 10));
            for well in &run.wells[3..] {
                let outcome = outcome(&rules, well);
                assert_ne!(outcome.result, WellResult::Detected);
                clean += u32::from(outcome.is_clean_negative());
            }
        }
        assert!(clean > 93 * 6 - 15, "{clean} of {}", 93 * 6);
    }

    #[test]
    fn controls_hold_unless_they_are_made_to_fail() {
        let epidemic = epidemic();
        for name in RuleSet::builtin_names() {
            let rules = rules(name);
            let assay =
                Assay { epidemic: &epidemic, rules: &rules, settings: AssaySettings { control_failures: 0.5, blemishes: 0.0, ..AssaySettings::default() } };
            let mut failures = std::collections::HashSet::new();
            for key in 0..60 {
                let run = assay.run(key, "P1", PlateFormat::WELLS_96, &fill(&[], 10));
                let kinds = [ControlKind::NoTemplate, ControlKind::Positive, ControlKind::Extraction];
                let control = |(kind, well): (ControlKind, &Well)| ControlReading { kind, well: well.position.label.clone(), readings: read(&rules, well) };
                let controls: Vec<ControlReading> = kinds.into_iter().zip(&run.wells).map(control).collect();
                let verdict = judge_controls(&rules, &controls);
                assert_eq!(verdict.valid, assay.control_failure(key).is_none(), "{name} {key} {verdict:?}");
                failures.extend(assay.control_failure(key));
            }
            assert_eq!(failures.len(), 3);
        }
    }

    #[test]
    fn dilution_and_company_move_the_cq() {
        let epidemic = epidemic();
        let rules = rules("orf1ab-n-ic");
        let assay = Assay { epidemic: &epidemic, rules: &rules, settings: AssaySettings { failed_extractions: 0.0, ..AssaySettings::default() } };
        let strong = (0..30_000).find(|person| epidemic.infection(*person).is_some_and(|infection| infection.cq < 24.0)).unwrap();
        let cq = |key, members: &[u32], ratio| assay.tube_cqs(key, members, ratio)[0].unwrap();
        let (single, pooled) = (cq(1, &[strong], 1), cq(1, &[strong], 20));
        assert!((pooled - single - 2.0).abs() < 0.2, "{single} {pooled}: 12 mL against 3 mL is two cycles");
        let crowd: Vec<u32> = (0..30_000).filter(|person| epidemic.infection(*person).is_some()).take(20).collect();
        assert!(cq(1, &crowd, 20) < cq(1, &crowd[..1], 20));
        assert_eq!(assay.tube_cqs(1, &[], 10), [None, None, None]);
    }

    #[test]
    fn a_run_repeats_itself_and_its_files_can_be_read_back() {
        let epidemic = epidemic();
        let rules = rules("orf1ab-n-ic");
        let assay = Assay { epidemic: &epidemic, rules: &rules, settings: AssaySettings::default() };
        let tubes = tubes(&epidemic, true, 5);
        let run = assay.run(7, "P7", PlateFormat::WELLS_96, &fill(&tubes, 10));
        assert_eq!(run, assay.run(7, "P7", PlateFormat::WELLS_96, &fill(&tubes, 10)));
        assert_ne!(run.wells, assay.run(8, "P7", PlateFormat::WELLS_96, &fill(&tubes, 10)).wells);
        let (back, problems) = parse(&write_rdml(&run), "P7.rdml", Limits::default()).unwrap();
        assert!(problems.is_empty(), "{problems:?}");
        assert_eq!(back[0].wells.len(), 8);
        for (well, original) in back[0].wells.iter().zip(&run.wells) {
            assert_eq!((&well.position, &well.sample, &well.content), (&original.position, &original.sample, &original.content));
            let fluorescence =
                |well: &Well| well.readings.iter().map(|r| (r.target.clone(), r.fluorescence.clone())).collect::<std::collections::BTreeMap<_, _>>();
            assert_eq!(fluorescence(well), fluorescence(original));
        }
        let tables = curve_tables(&run);
        assert_eq!(tables.iter().map(|(target, _)| target.as_str()).collect::<Vec<_>>(), ["ORF1ab", "N", "IC"]);
        let (back, problems) = parse(&tables[1].1, "P7-N.csv", Limits::default()).unwrap();
        assert!(problems.is_empty(), "{problems:?}");
        assert_eq!(back[0].wells[7].readings[0].fluorescence, run.wells[7].readings[1].fluorescence);
        assert_eq!(back[0].wells[7].position, run.wells[7].position);
    }
}
