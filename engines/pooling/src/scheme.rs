//! What a scheme costs and what it misses.
//!
//! Conventions are those of binGroup2 (Hitt, Bilder, Tebbs, McMahan 2019; Kim, Hudgens, Dreyfuss,
//! Westreich, Pilcher 2007): test errors are independent given the pool's true state; a person is
//! positive when the final single test is; in an array, samples are tested singly where a positive
//! row meets a positive column, and also in a positive row when no column is positive (and the other
//! way round).
//!
//! Without dilution all figures are exact. With dilution a person's pools are judged at the person's
//! own Cq; pools nested in one another are taken to succeed or fail together (the weakest decides),
//! which is exact for a single positive and off by second order in prevalence otherwise.

use crate::dilution::{Detection, Dilution, GRID};
use crate::matrix::PoolMatrix;
use crate::population::Population;
use serde::{Deserialize, Serialize};

/// Largest pool the evaluator looks at.
pub const MAX_POOL_SIZE: u32 = 1000;

/// How people are tested.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "scheme")]
pub enum Scheme {
    /// One test per person.
    Individual,
    /// Pools of `size`; members of a positive pool are tested singly.
    Dorfman { size: u32 },
    /// Pool sizes by stage, each a divisor of the one before, the last 1: `[25, 5, 1]`.
    Hierarchical { sizes: Vec<u32> },
    /// Row and column pools, then single tests.
    Array { rows: u32, columns: u32 },
    /// Any single-stage design; a sample is tested singly when all of its pools are positive.
    /// Exact when no two samples share more than one pool.
    Matrix { matrix: PoolMatrix },
}

/// Probability that a test of a pool (or single specimen) with a positive in it is positive, and
/// that one without is negative. Dilution comes on top of the first.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Assay {
    pub sensitivity: f64,
    pub specificity: f64,
}

impl Assay {
    pub const PERFECT: Self = Self { sensitivity: 1.0, specificity: 1.0 };

    /// Both must be probabilities and better than tossing a coin together.
    pub fn is_valid(&self) -> bool {
        let unit = 0.0..=1.0;
        unit.contains(&self.sensitivity) && unit.contains(&self.specificity) && self.sensitivity + self.specificity > 1.0
    }
}

/// The day's conditions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Conditions {
    pub population: Population,
    pub assay: Assay,
    pub dilution: Option<Dilution>,
}

/// What to expect of a scheme, per person.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    pub tests_per_person: f64,
    /// Probability that a positive person is reported positive.
    pub sensitivity: f64,
    /// Probability that a negative person is reported negative.
    pub specificity: f64,
    /// Mean number of successive tests until a person has an answer.
    pub mean_stages: f64,
    /// Largest such number.
    pub stages: u32,
}

/// Why a scheme cannot be evaluated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemeError(pub String);

impl std::fmt::Display for SchemeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for SchemeError {}

impl Scheme {
    /// Size of the largest pool.
    pub fn largest_pool(&self) -> u32 {
        match self {
            Self::Individual => 1,
            Self::Dorfman { size } => *size,
            Self::Hierarchical { sizes } => sizes.first().copied().unwrap_or(0),
            Self::Array { rows, columns } => *rows.max(columns),
            Self::Matrix { matrix } => (0..matrix.pool_count()).map(|pool| matrix.members(pool).len() as u32).max().unwrap_or(0),
        }
    }

    /// Whether every pool can be made and pools nest.
    pub fn validate(&self) -> Result<(), SchemeError> {
        let fail = |text: String| Err(SchemeError(text));
        let largest = self.largest_pool();
        if largest == 0 || largest > MAX_POOL_SIZE {
            return fail(format!("pool size {largest} is not in 1..={MAX_POOL_SIZE}"));
        }
        match self {
            Self::Hierarchical { sizes } => {
                let nested = |pair: &[u32]| pair[1] > 0 && pair[0] > pair[1] && pair[0].is_multiple_of(pair[1]);
                if sizes.last() != Some(&1) || sizes.len() > 6 || !sizes.windows(2).all(nested) {
                    return fail(format!("sizes {sizes:?} do not divide one another down to 1"));
                }
            }
            Self::Array { rows, columns } if rows.min(columns) == &0 => {
                return fail("an array needs rows and columns".to_owned());
            }
            Self::Matrix { matrix } => {
                let lonely = |sample: &usize| matrix.pools_of(*sample).is_empty();
                if let Some(sample) = (0..matrix.sample_count()).find(lonely) {
                    return fail(format!("sample {} is in no pool", sample + 1));
                }
            }
            _ => {}
        }
        Ok(())
    }
}

/// One pool size under the day's conditions.
#[derive(Debug, Clone)]
struct SizeTable {
    /// All members negative.
    all_negative: f64,
    /// Detected, given at least one positive member; without the assay's own sensitivity.
    detected: f64,
    /// Detected at each grid point of a positive member's Cq; `None` without dilution (always 1).
    person: Option<[f64; GRID]>,
    /// Tests positive, given that one particular member is negative.
    positive_despite: f64,
}

impl SizeTable {
    fn person_at(&self, point: usize) -> f64 {
        self.person.as_ref().map_or(1.0, |person| person[point])
    }
}

/// What is known of each pool size; a plan looks at some ten thousand schemes made of a few hundred sizes.
#[derive(Debug, Default)]
struct SizeTables(Vec<Option<SizeTable>>);

impl SizeTables {
    fn knows(&self, n: u32) -> bool {
        self.0.get(n as usize).is_some_and(Option::is_some)
    }

    fn learn(&mut self, n: u32, table: SizeTable) {
        if self.0.len() <= n as usize {
            self.0.resize(n as usize + 1, None);
        }
        self.0[n as usize] = Some(table);
    }
}

impl std::ops::Index<&u32> for SizeTables {
    type Output = SizeTable;
    fn index(&self, n: &u32) -> &SizeTable {
        self.0[*n as usize].as_ref().expect("prepared before it is asked")
    }
}

/// Evaluates schemes under fixed conditions; keeps what it learns about each pool size.
#[derive(Debug)]
pub struct Evaluator<'a> {
    population: Population,
    assay: Assay,
    detection: Option<Detection<'a>>,
    together: SizeTables,
    apart: SizeTables,
}

impl<'a> Evaluator<'a> {
    /// Refuses prevalence, errors or clustering outside their ranges.
    pub fn new(conditions: &'a Conditions) -> Result<Self, SchemeError> {
        if !conditions.population.is_valid() || !conditions.assay.is_valid() {
            return Err(SchemeError(
                "prevalence, sensitivity, specificity and correlation must be probabilities, and sensitivity + specificity > 1".to_owned(),
            ));
        }
        Ok(Self {
            population: conditions.population,
            assay: conditions.assay,
            detection: conditions.dilution.as_ref().map(Detection::new),
            together: SizeTables::default(),
            apart: SizeTables::default(),
        })
    }

    /// The same assay and dilution for another population.
    pub fn set_population(&mut self, population: Population) -> Result<(), SchemeError> {
        if !population.is_valid() {
            return Err(SchemeError("prevalence and correlation must be probabilities".to_owned()));
        }
        self.population = population;
        self.together = SizeTables::default();
        self.apart = SizeTables::default();
        Ok(())
    }

    /// Expected figures of a scheme.
    pub fn figures(&mut self, scheme: &Scheme) -> Result<Figures, SchemeError> {
        scheme.validate()?;
        Ok(match scheme {
            Scheme::Individual => self.hierarchical(&[1]),
            Scheme::Dorfman { size } => self.hierarchical(&[*size, 1]),
            Scheme::Hierarchical { sizes } => self.hierarchical(sizes),
            Scheme::Array { rows, columns } => self.array(*rows, *columns),
            Scheme::Matrix { matrix } => self.matrix(matrix),
        })
    }

    /// Integration points over a positive person's Cq.
    fn points(&self) -> usize {
        if self.detection.is_some() { GRID } else { 1 }
    }

    fn prepare(&mut self, n: u32, clustered: bool) {
        let known = if clustered { &self.together } else { &self.apart };
        if known.knows(n) {
            return;
        }
        let population = if clustered { self.population } else { self.population.unclustered() };
        let table = self.table(n, &population);
        let known = if clustered { &mut self.together } else { &mut self.apart };
        known.learn(n, table);
    }

    fn table(&self, n: u32, population: &Population) -> SizeTable {
        let Assay { sensitivity, specificity } = self.assay;
        let p = population.prevalence;
        let all_negative = population.all_negative(n);
        let (mut detected, mut person, mut mean_person) = (1.0, None, 1.0);
        if let Some(detection) = &self.detection {
            let counts = population.counts(n);
            let with_positive = counts.iter().enumerate().skip(1);
            let sum: f64 = with_positive.map(|(k, p)| p * detection.of_pool(n, k)).sum();
            detected = if all_negative < 1.0 { (sum / (1.0 - all_negative)).min(1.0) } else { detection.of_pool(n, 1) };
            let at_points = detection.of_person(n, &population.other_counts(n, true));
            mean_person = at_points.iter().sum::<f64>() / GRID as f64;
            person = Some(at_points);
        }
        let positive = sensitivity * detected * (1.0 - all_negative) + (1.0 - specificity) * all_negative;
        let positive_despite = if p < 1.0 { ((positive - p * sensitivity * mean_person) / (1.0 - p)).clamp(0.0, 1.0) } else { 0.0 };
        SizeTable { all_negative, detected, person, positive_despite }
    }

    /// Probability that the first `sizes.len()` stages of a random person's chain all test positive.
    fn chain_positive(&self, sizes: &[u32], next_clean: &[f64]) -> f64 {
        let assay = self.assay;
        let stages = sizes.len() as i32;
        let clean = self.together[&sizes[0]].all_negative;
        let mut probability = clean * (1.0 - assay.specificity).powi(stages);
        let mut detected = 1.0f64;
        for (stage, size) in sizes.iter().enumerate() {
            let table = &self.together[size];
            detected = detected.min(table.detected);
            // Positives in this stage's pool but not in the next one's: later stages err.
            let last = stage + 1 == sizes.len();
            let ends_here = if last { 1.0 } else { next_clean[stage] } - table.all_negative;
            let errors = (1.0 - assay.specificity).powi(stages - 1 - stage as i32);
            let hits = assay.sensitivity.powi(stage as i32 + 1) * detected;
            probability += ends_here.max(0.0) * hits * errors;
        }
        probability
    }

    fn hierarchical(&mut self, sizes: &[u32]) -> Figures {
        for size in sizes {
            self.prepare(*size, true);
        }
        let assay = self.assay;
        let next_clean: Vec<f64> = sizes.iter().skip(1).map(|size| self.together[size].all_negative).collect();
        let mut tests = 1.0 / f64::from(sizes[0]);
        let mut mean_stages = 1.0;
        let mut reached = 1.0;
        for stage in 1..sizes.len() {
            reached = self.chain_positive(&sizes[..stage], &next_clean);
            tests += reached / f64::from(sizes[stage]);
            mean_stages += reached;
        }
        let (mut reached_positive, mut sensitivity) = (0.0, 0.0);
        let tables: Vec<&SizeTable> = sizes.iter().map(|size| &self.together[size]).collect();
        let (last, before) = (tables[tables.len() - 1], &tables[..tables.len() - 1]);
        for point in 0..self.points() {
            let until_last = before.iter().map(|table| table.person_at(point)).fold(1.0, f64::min);
            reached_positive += until_last;
            sensitivity += until_last.min(last.person_at(point));
        }
        let points = self.points() as f64;
        let stages = sizes.len() as i32;
        reached_positive *= assay.sensitivity.powi(stages - 1) / points;
        Figures {
            tests_per_person: tests,
            sensitivity: sensitivity * assay.sensitivity.powi(stages) / points,
            specificity: self.specificity(reached, reached_positive),
            mean_stages,
            stages: stages as u32,
        }
    }

    /// Pooled specificity from the chance of a final single test, overall and for a positive person.
    fn specificity(&self, tested: f64, tested_if_positive: f64) -> f64 {
        let p = self.population.prevalence;
        if p >= 1.0 {
            return self.assay.specificity;
        }
        let tested_if_negative = ((tested - p * tested_if_positive) / (1.0 - p)).clamp(0.0, 1.0);
        1.0 - (1.0 - self.assay.specificity) * tested_if_negative
    }

    fn array(&mut self, rows: u32, columns: u32) -> Figures {
        self.prepare(columns, true);
        self.prepare(rows, false);
        self.prepare(1, true);
        let p = self.population.prevalence;
        let row = &self.together[&columns];
        let column = &self.apart[&rows];
        let (row_negative, column_negative) = (self.tests_negative(row), self.tests_negative(column));
        let others_negative = (column_negative.powi(columns as i32 - 1), row_negative.powi(rows as i32 - 1));
        let se = self.assay.sensitivity;
        let single = &self.together[&1];
        let (mut both, mut tested_positive, mut found) = (0.0, 0.0, 0.0);
        for point in 0..self.points() {
            let (r, c) = (se * row.person_at(point), se * column.person_at(point));
            both += r * c;
            let tested = r * c + r * (1.0 - c) * others_negative.0 + c * (1.0 - r) * others_negative.1;
            tested_positive += tested;
            found += tested * se * single.person_at(point);
        }
        let points = self.points() as f64;
        let crossing = p * both / points + (1.0 - p) * row.positive_despite * column.positive_despite;
        let tested = crossing + self.lonely_line(row, column, columns, true) + self.lonely_line(column, row, rows, false);
        Figures {
            tests_per_person: 1.0 / f64::from(rows) + 1.0 / f64::from(columns) + tested,
            sensitivity: found / points,
            specificity: self.specificity(tested, tested_positive / points),
            mean_stages: 1.0 + tested,
            stages: 2,
        }
    }

    fn tests_negative(&self, table: &SizeTable) -> f64 {
        let assay = self.assay;
        (1.0 - assay.sensitivity * table.detected) * (1.0 - table.all_negative) + assay.specificity * table.all_negative
    }

    /// Probability that a line (row or column) is positive while no crossing line is.
    fn lonely_line(&self, line: &SizeTable, crossing: &SizeTable, length: u32, is_row: bool) -> f64 {
        let assay = self.assay;
        let population = self.population;
        let clean_cross = 1.0 - crossing.positive_despite;
        let crosses_negative = clean_cross.powi(length as i32);
        let false_line = (1.0 - assay.specificity) * line.all_negative * crosses_negative;
        let clustered = is_row && population.clustering.is_some();
        if self.detection.is_none() && !clustered {
            let p = population.prevalence;
            let mixed = p * (1.0 - assay.sensitivity) + (1.0 - p) * clean_cross;
            let any = mixed.powi(length as i32);
            let none = line.all_negative * crosses_negative;
            return false_line + assay.sensitivity * (any - none);
        }
        let population = if is_row { population } else { population.unclustered() };
        let counts = population.counts(length);
        let missed = |point: usize| 1.0 - assay.sensitivity * crossing.person_at(point);
        let points = self.points() as f64;
        let mean_missed = (0..self.points()).map(missed).sum::<f64>() / points;
        let alone = (0..self.points()).map(|point| assay.sensitivity * line.person_at(point) * missed(point)).sum::<f64>() / points;
        let mut true_line = 0.0;
        for (k, count) in counts.iter().enumerate().skip(1).take(length as usize) {
            let rest = clean_cross.powi(length as i32 - k as i32);
            let hit = if k == 1 { alone } else { assay.sensitivity * line.detected * mean_missed.powi(k as i32) };
            true_line += count * hit * rest;
        }
        false_line + true_line
    }

    fn matrix(&mut self, matrix: &PoolMatrix) -> Figures {
        let size_of = |pool: &u32| matrix.members(*pool as usize).len() as u32;
        self.prepare(1, true);
        for pool in 0..matrix.pool_count() as u32 {
            self.prepare(size_of(&pool), false);
        }
        let samples = matrix.sample_count() as f64;
        let p = self.population.prevalence;
        let se = self.assay.sensitivity;
        let points = self.points() as f64;
        let (mut tested, mut tested_positive, mut found) = (0.0, 0.0, 0.0);
        for sample in 0..matrix.sample_count() {
            let tables: Vec<&SizeTable> = matrix.pools_of(sample).iter().map(|pool| &self.apart[&size_of(pool)]).collect();
            let mut reached = 0.0;
            for point in 0..self.points() {
                let all: f64 = tables.iter().map(|table| se * table.person_at(point)).product();
                reached += all / points;
                found += all * se * self.together[&1].person_at(point) / points;
            }
            let falsely: f64 = tables.iter().map(|table| table.positive_despite).product();
            tested += p * reached + (1.0 - p) * falsely;
            tested_positive += reached;
        }
        Figures {
            tests_per_person: (matrix.pool_count() as f64 + tested) / samples,
            sensitivity: found / samples,
            specificity: self.specificity(tested / samples, tested_positive / samples),
            mean_stages: 1.0 + tested / samples,
            stages: 2,
        }
    }
}
