//! Runs schemes on drawn populations with the real decoders.

use crate::decode::{DecodeOptions, Prior, Reading, decode};
use crate::dilution::Dilution;
use crate::field::{PoolDecision, PoolOutcome, decode_dorfman};
use crate::matrix::PoolMatrix;
use crate::population::Population;
use crate::random::RandomSource;
use crate::scheme::{Assay, Scheme, SchemeError};
use serde::{Deserialize, Serialize};

/// Most persons of one simulation.
pub const MAX_PERSONS: u32 = 10_000_000;
/// False-positive pools show Cq values over this many cycles before the cut-off.
const FALSE_CQ_RANGE: f64 = 5.0;

/// What to simulate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Simulation {
    pub population: Population,
    pub assay: Assay,
    /// Without it pools are positive or negative and have no Cq.
    pub dilution: Option<Dilution>,
    /// Standard deviation of a test's Cq about its expectation, cycles.
    pub cq_noise: f64,
    pub scheme: Scheme,
    /// Rounded up to whole pools, arrays or batches of the scheme.
    pub persons: u32,
    pub hours_per_stage: f64,
    /// Added once when single tests need a new swab.
    pub re_swab_hours: f64,
}

/// What happened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct SimulationReport {
    pub persons: u64,
    pub positives: u64,
    pub tests: u64,
    pub tests_per_person: f64,
    /// Positive persons reported negative.
    pub missed: u64,
    /// Negative persons reported positive.
    pub false_alarms: u64,
    pub sensitivity: f64,
    pub specificity: f64,
    /// Persons who needed a test of their own after a pool.
    pub tested_singly: u64,
    /// Mean hours until a person's answer.
    pub mean_hours: f64,
    pub longest_hours: f64,
}

/// Draws a population, runs the scheme, counts.
pub fn simulate(simulation: &Simulation, source: &mut dyn RandomSource) -> Result<SimulationReport, SchemeError> {
    simulation.scheme.validate()?;
    if !simulation.population.is_valid() || !simulation.assay.is_valid() {
        return Err(SchemeError("prevalence, correlation, sensitivity and specificity must be probabilities".to_owned()));
    }
    if simulation.persons == 0 || simulation.persons > MAX_PERSONS {
        return Err(SchemeError(format!("persons must be 1 to {MAX_PERSONS}")));
    }
    let noise = simulation.cq_noise;
    if !(0.0..=20.0).contains(&noise) {
        return Err(SchemeError(format!("Cq noise {noise} is not in 0..=20 cycles")));
    }
    let matrix = matrix_of(&simulation.scheme)?;
    let batch = match &simulation.scheme {
        Scheme::Array { rows, columns } => rows * columns,
        Scheme::Matrix { matrix } => matrix.sample_count() as u32,
        scheme => scheme.largest_pool(),
    };
    let mut run = Run { simulation, source, report: SimulationReport::default(), hours: 0.0 };
    for _ in 0..simulation.persons.div_ceil(batch) {
        run.batch(batch as usize, matrix.as_ref())?;
    }
    Ok(run.finish())
}

fn matrix_of(scheme: &Scheme) -> Result<Option<PoolMatrix>, SchemeError> {
    match scheme {
        Scheme::Array { rows, columns } => PoolMatrix::array(*rows, *columns).map(Some).map_err(SchemeError),
        Scheme::Matrix { matrix } => Ok(Some(matrix.clone())),
        _ => Ok(None),
    }
}

/// A drawn person: the Cq of a single test (0 without Cq data), or negative.
type Person = Option<f64>;

struct Run<'a> {
    simulation: &'a Simulation,
    source: &'a mut dyn RandomSource,
    report: SimulationReport,
    hours: f64,
}

impl Run<'_> {
    fn batch(&mut self, size: usize, matrix: Option<&PoolMatrix>) -> Result<(), SchemeError> {
        let drawn = self.simulation.population.draw(size, self.source);
        let persons: Vec<Person> = drawn.into_iter().map(|positive| positive.then(|| self.own_cq())).collect();
        match (&self.simulation.scheme, matrix) {
            (_, Some(matrix)) => self.crossed(&persons, matrix)?,
            (Scheme::Hierarchical { sizes }, _) => self.nested(&persons, sizes, 1),
            (Scheme::Dorfman { .. }, _) => self.dorfman(&persons),
            _ => persons.iter().for_each(|person| self.single(*person, 1)),
        }
        Ok(())
    }

    fn own_cq(&mut self) -> f64 {
        let share = self.source.uniform();
        let dilution = self.simulation.dilution.as_ref();
        dilution.map_or(0.0, |dilution| dilution.cq_distribution.quantile(share))
    }

    /// One test of some persons' pooled material.
    fn test(&mut self, persons: impl Iterator<Item = Person>, size: u32) -> Reading {
        self.report.tests += 1;
        let assay = self.simulation.assay;
        let positives: Vec<f64> = persons.flatten().collect();
        let Some(dilution) = &self.simulation.dilution else {
            let chance = if positives.is_empty() { 1.0 - assay.specificity } else { assay.sensitivity };
            let positive = self.source.chance(chance);
            return if positive { Reading::Positive { cq: None } } else { Reading::Negative };
        };
        if positives.is_empty() {
            let cq = dilution.cutoff - FALSE_CQ_RANGE * self.source.uniform();
            let positive = self.source.chance(1.0 - assay.specificity);
            return if positive { Reading::Positive { cq: Some(cq) } } else { Reading::Negative };
        }
        let template: f64 = positives.iter().map(|cq| (-cq).exp2()).sum();
        let noise = self.simulation.cq_noise * self.source.normal();
        // A pool that no tube holds is never detected.
        let shift = dilution.shift.shift_cycles(size).unwrap_or(f64::INFINITY);
        let cq = shift - template.log2() + noise;
        if self.source.chance(assay.sensitivity) && cq <= dilution.cutoff { Reading::Positive { cq: Some(cq.max(1.0)) } } else { Reading::Negative }
    }

    /// The final test of a person's own specimen.
    fn single(&mut self, person: Person, stage: u32) {
        let reading = self.test(std::iter::once(person), 1);
        self.report.tested_singly += u64::from(stage > 1);
        self.answer(person, reading != Reading::Negative, stage);
    }

    fn answer(&mut self, person: Person, reported_positive: bool, stage: u32) {
        let report = &mut self.report;
        report.persons += 1;
        report.positives += u64::from(person.is_some());
        report.missed += u64::from(person.is_some() && !reported_positive);
        report.false_alarms += u64::from(person.is_none() && reported_positive);
        let re_swab = if stage > 1 { self.simulation.re_swab_hours } else { 0.0 };
        let hours = f64::from(stage) * self.simulation.hours_per_stage + re_swab;
        self.hours += hours;
        report.longest_hours = report.longest_hours.max(hours);
    }

    fn dorfman(&mut self, persons: &[Person]) {
        let outcome = match self.test(persons.iter().copied(), persons.len() as u32) {
            Reading::Positive { .. } => PoolOutcome::Positive,
            _ => PoolOutcome::Negative,
        };
        let released = decode_dorfman(outcome, persons) == PoolDecision::NegativeForAll;
        for person in persons {
            if released {
                self.answer(*person, false, 1);
            } else {
                self.single(*person, 2);
            }
        }
    }

    fn nested(&mut self, persons: &[Person], sizes: &[u32], stage: u32) {
        if persons.len() == 1 {
            return self.single(persons[0], stage);
        }
        if self.test(persons.iter().copied(), persons.len() as u32) == Reading::Negative {
            persons.iter().for_each(|person| self.answer(*person, false, stage));
            return;
        }
        for pool in persons.chunks(sizes[stage as usize] as usize) {
            self.nested(pool, sizes, stage + 1);
        }
    }

    fn crossed(&mut self, persons: &[Person], matrix: &PoolMatrix) -> Result<(), SchemeError> {
        let readings: Vec<Reading> = (0..matrix.pool_count())
            .map(|pool| {
                let members = matrix.members(pool);
                let inside = members.iter().map(|sample| persons[*sample as usize]);
                self.test(inside, members.len() as u32)
            })
            .collect();
        let options =
            DecodeOptions { prior: Prior::Prevalence(self.simulation.population.prevalence), assay: self.simulation.assay, ..DecodeOptions::default() };
        let decoded = decode(matrix, &readings, &options).map_err(SchemeError)?;
        for sample in decoded.negative {
            self.answer(persons[sample as usize], false, 1);
        }
        // Presumed positives are confirmed on their own specimens like everybody on the retest list.
        for sample in decoded.positive.into_iter().chain(decoded.retest) {
            self.single(persons[sample as usize], 2);
        }
        Ok(())
    }

    fn finish(self) -> SimulationReport {
        let report = self.report;
        let persons = report.persons as f64;
        let share = |part: u64, whole: u64| {
            if whole == 0 { 1.0 } else { 1.0 - part as f64 / whole as f64 }
        };
        SimulationReport {
            tests_per_person: report.tests as f64 / persons,
            sensitivity: share(report.missed, report.positives),
            specificity: share(report.false_alarms, report.persons - report.positives),
            mean_hours: self.hours / persons,
            ..report
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dilution::{CqDistribution, ShiftModel};
    use crate::population::Clustering;
    use crate::random::SeededSource;
    use crate::scheme::{Conditions, Evaluator};

    fn simulation(scheme: Scheme, prevalence: f64) -> Simulation {
        Simulation {
            population: Population::independent(prevalence),
            assay: Assay { sensitivity: 0.98, specificity: 0.995 },
            dilution: None,
            cq_noise: 0.0,
            scheme,
            persons: 200_000,
            hours_per_stage: 4.0,
            re_swab_hours: 0.0,
        }
    }

    fn compare(simulation: &Simulation, tolerance: f64) {
        let conditions = Conditions { population: simulation.population, assay: simulation.assay, dilution: simulation.dilution.clone() };
        let mut evaluator = Evaluator::new(&conditions).expect("valid");
        let expected = evaluator.figures(&simulation.scheme).expect("valid");
        let report = simulate(simulation, &mut SeededSource::new(5)).expect("valid");
        let tests = report.tests_per_person / expected.tests_per_person - 1.0;
        assert!(tests.abs() < tolerance, "{report:?} {expected:?}");
        assert!((report.sensitivity - expected.sensitivity).abs() < 0.02, "{report:?} {expected:?}");
        assert!((report.specificity - expected.specificity).abs() < 0.002, "{report:?} {expected:?}");
        assert!((report.mean_hours - 4.0 * expected.mean_stages).abs() < 0.08);
    }

    #[test]
    fn formulas_agree_with_simulation() {
        compare(&simulation(Scheme::Individual, 0.02), 1e-9);
        compare(&simulation(Scheme::Dorfman { size: 8 }, 0.02), 0.03);
        compare(&simulation(Scheme::Hierarchical { sizes: vec![16, 4, 1] }, 0.02), 0.03);
    }

    #[test]
    fn diluted_formulas_agree_with_simulation() {
        let values = (0..1000).map(|i| 18.0 + f64::from(i) * 0.019).collect();
        let dilution = Dilution { cq_distribution: CqDistribution::new(values).expect("valid"), cutoff: 36.0, shift: ShiftModel::Aliquot };
        let schemes = [Scheme::Dorfman { size: 12 }, Scheme::Hierarchical { sizes: vec![16, 4, 1] }];
        for scheme in schemes {
            let diluted = Simulation { dilution: Some(dilution.clone()), ..simulation(scheme, 0.03) };
            compare(&diluted, 0.03);
        }
    }

    #[test]
    fn arrays_with_the_real_decoder_find_nearly_everybody() {
        let perfect = Simulation {
            assay: Assay { sensitivity: 0.999, specificity: 0.999 },
            persons: 50_000,
            ..simulation(Scheme::Array { rows: 16, columns: 16 }, 0.02)
        };
        let report = simulate(&perfect, &mut SeededSource::new(5)).expect("valid");
        assert!(report.tests_per_person < 0.26, "{report:?}");
        assert!(report.sensitivity > 0.985, "{report:?}");
    }

    /// Barak et al. 2021 spared 76 % of tests at 0.5 to 6 % prevalence with pools of 8 and 5, more
    /// than Dorfman's formula gives, because positives came in groups.
    #[test]
    fn clustered_positives_spare_more_than_dorfman_theory() {
        let weeks = [0.005, 0.01, 0.015, 0.02, 0.03, 0.06];
        let spared = |clustering: Option<Clustering>| {
            let mut source = SeededSource::new(9);
            let tests = weeks.map(|prevalence| {
                let size = if prevalence < 0.03 { 8 } else { 5 };
                let mut week = simulation(Scheme::Dorfman { size }, prevalence);
                week.population.clustering = clustering;
                week.persons = 40_000;
                week.assay = Assay::PERFECT;
                simulate(&week, &mut source).expect("valid").tests_per_person
            });
            1.0 - tests.iter().sum::<f64>() / weeks.len() as f64
        };
        let together = spared(Some(Clustering { group_size: 4, correlation: 0.4 }));
        assert!(spared(None) < 0.74);
        assert!(together >= 0.76, "{together}");
    }

    #[test]
    fn bad_simulations_are_refused() {
        let mut source = SeededSource::new(1);
        let mut bad = simulation(Scheme::Dorfman { size: 0 }, 0.1);
        assert!(simulate(&bad, &mut source).is_err());
        bad.scheme = Scheme::Individual;
        bad.persons = 0;
        assert!(simulate(&bad, &mut source).is_err());
    }
}
