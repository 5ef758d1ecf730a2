//! Which scheme for the day: best sizes of every kind, limits, a recommendation and its reasons.

use crate::dilution::Dilution;
use crate::field::{Mixing, ValidatedRatio};
use crate::population::Population;
use crate::scheme::{Conditions, Evaluator, Figures, MAX_POOL_SIZE, Scheme, SchemeError};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Largest first-stage pool that is searched.
pub const LARGEST_POOL_SEARCHED: u32 = 899;
/// Largest side of a square array that is searched.
pub const LARGEST_ARRAY_SEARCHED: u32 = 399;
/// Largest side of a rectangular array: two 24-well sides of 384-well plates.
const LARGEST_RECTANGLE_SEARCHED: u32 = 48;
/// Pooling must save at least this share of tests to be worth its handling.
const WORTHWHILE_SAVING: f64 = 0.02;

/// Kinds of scheme the planner compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SchemeKind {
    Individual,
    Dorfman,
    /// Three stages.
    Hierarchical,
    /// Four stages.
    #[serde(rename = "hierarchical-4")]
    HierarchicalFour,
    /// Square array.
    Array,
    ArrayRectangular,
    /// A pooling matrix the caller brought.
    Matrix,
}

/// What a plan must respect.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    /// Swabs mixed in the field cannot be taken apart: only Dorfman with re-swab is possible.
    pub mixing: Mixing,
    /// The assay's validated ratios; `None` means that the caller does not restrict pool sizes. Field
    /// tubes come in these ratios only; aliquots may be mixed up to the largest.
    pub validated: Option<Vec<ValidatedRatio>>,
    pub largest_pool: Option<u32>,
    /// Sensitivity at least this share of that of single tests.
    pub relative_sensitivity: Option<f64>,
    /// 2, 3 or 4.
    pub stages: u32,
    /// Hours until the last answer of the day's work.
    pub hours: Option<f64>,
}

impl Default for Limits {
    fn default() -> Self {
        Self { mixing: Mixing::Aliquot, validated: None, largest_pool: None, relative_sensitivity: None, stages: 3, hours: None }
    }
}

/// The day's work and the laboratory's pace.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Workload {
    pub people: u64,
    pub tests_per_hour: f64,
    /// From a stage's tubes to its results.
    pub hours_per_stage: f64,
    /// From a held pool to its members' new swabs in the laboratory.
    pub re_swab_hours: f64,
}

/// Time until answers, in hours.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Turnaround {
    /// Mean over persons, without waiting for capacity.
    pub mean_hours: f64,
    /// Until the last person's answer, with the whole workload passing through the laboratory.
    pub last_hours: f64,
}

/// Why an option stands where it stands. Codes are stable; words come from the page's language.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "code")]
pub enum Reason {
    /// Fewest tests of all options within the limits.
    FewestTests { saved_percent: f64 },
    /// No pooling scheme saves enough tests at this prevalence.
    PoolingSavesLittle,
    /// The best size is the largest one searched: at this prevalence the scheme is of no use.
    AtSearchBound,
    /// A larger pool would cost fewer tests but misses too many.
    HeldBySensitivity { unlimited_sizes: Vec<u32> },
    /// No size reaches the required sensitivity.
    BelowRequiredSensitivity,
    /// Largest pool allowed by validation or by the caller.
    HeldByPoolLimit { largest: u32 },
    /// Mixed swabs cannot be divided for a second pool.
    NeedsSeparateSpecimens,
    /// No pool of two or more is allowed.
    NoPoolAllowed,
    /// The last answer comes after the limit.
    TooSlow { last_hours: f64 },
}

impl Reason {
    /// Stable code for messages and translations.
    pub fn code(&self) -> &'static str {
        match self {
            Self::FewestTests { .. } => "fewest_tests",
            Self::PoolingSavesLittle => "pooling_saves_little",
            Self::AtSearchBound => "at_search_bound",
            Self::HeldBySensitivity { .. } => "held_by_sensitivity",
            Self::BelowRequiredSensitivity => "below_required_sensitivity",
            Self::HeldByPoolLimit { .. } => "held_by_pool_limit",
            Self::NeedsSeparateSpecimens => "needs_separate_specimens",
            Self::NoPoolAllowed => "no_pool_allowed",
            Self::TooSlow { .. } => "too_slow",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FewestTests { saved_percent } => write!(f, "fewest tests within the limits: {saved_percent:.0} % fewer than one test per person"),
            Self::PoolingSavesLittle => {
                write!(f, "pooling saves under 2 % of tests at this prevalence")
            }
            Self::AtSearchBound => {
                write!(f, "best size is the largest searched: of no use at this prevalence")
            }
            Self::HeldBySensitivity { unlimited_sizes } => {
                write!(f, "sizes {unlimited_sizes:?} cost fewer tests but miss too many positives")
            }
            Self::BelowRequiredSensitivity => write!(f, "no size reaches the required sensitivity"),
            Self::HeldByPoolLimit { largest } => {
                write!(f, "pools may hold at most {largest} persons")
            }
            Self::NeedsSeparateSpecimens => {
                write!(f, "needs a separate specimen of each person; swabs are mixed in the tube")
            }
            Self::NoPoolAllowed => write!(f, "no pool of two or more persons is allowed"),
            Self::TooSlow { last_hours } => {
                write!(f, "the last answer comes after {last_hours:.1} hours, too late")
            }
        }
    }
}

/// One kind of scheme at its best sizes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanOption {
    pub kind: SchemeKind,
    pub scheme: Scheme,
    pub figures: Figures,
    /// Share of positives the largest pool shows when they are alone in it; `None` without Cq data.
    pub kept_after_dilution: Option<f64>,
    pub turnaround: Option<Turnaround>,
    /// Within all limits.
    pub allowed: bool,
    pub reasons: Vec<Reason>,
}

/// A proposal: every kind at its best, and which one to take.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    pub options: Vec<PlanOption>,
    /// Index into `options`.
    pub recommended: usize,
}

impl Plan {
    pub fn recommendation(&self) -> &PlanOption {
        &self.options[self.recommended]
    }
}

/// Finds the best sizes of every kind of scheme and recommends one.
///
/// `matrices` are designs the caller wants compared. Fails on conditions out of range or a matrix
/// that cannot be evaluated.
pub fn solve(conditions: &Conditions, limits: &Limits, workload: Option<&Workload>, matrices: &[Scheme]) -> Result<Plan, SchemeError> {
    let other_mixing = |dilution: &Dilution| dilution.shift.mixing() != limits.mixing;
    if conditions.dilution.as_ref().is_some_and(other_mixing) {
        return Err(SchemeError("the dilution model is for another kind of mixing than the plan".to_owned()));
    }
    let mut search = Search {
        evaluator: Evaluator::new(conditions)?,
        limits,
        least_sensitivity: 0.0,
        largest: largest_pool(limits),
        prevalence: conditions.population.prevalence,
    };
    let individual = search.evaluator.figures(&Scheme::Individual)?;
    search.least_sensitivity = limits.relative_sensitivity.unwrap_or(0.0) * individual.sensitivity;
    let mut options = vec![option(SchemeKind::Individual, Scheme::Individual, individual)];
    for kind in kinds(limits) {
        options.extend(search.best_of(kind)?);
    }
    for scheme in matrices {
        let figures = search.evaluator.figures(scheme)?;
        options.push(search.judged(option(SchemeKind::Matrix, scheme.clone(), figures)));
    }
    for option in &mut options {
        let kept = |dilution: &Dilution| dilution.kept(option.scheme.largest_pool());
        option.kept_after_dilution = conditions.dilution.as_ref().map(kept);
        if let Some(workload) = workload {
            time(option, workload, limits);
        }
    }
    let recommended = recommend(&mut options);
    Ok(Plan { options, recommended })
}

/// Expected figures of given schemes over a range of prevalences: the planner's curves.
/// The result has one row per prevalence and one column per scheme.
pub fn curves(conditions: &Conditions, schemes: &[Scheme], prevalences: &[f64]) -> Result<Vec<Vec<Figures>>, SchemeError> {
    let mut evaluator = Evaluator::new(conditions)?;
    let mut at = |prevalence: &f64| {
        evaluator.set_population(Population { prevalence: *prevalence, ..conditions.population })?;
        schemes.iter().map(|scheme| evaluator.figures(scheme)).collect()
    };
    prevalences.iter().map(&mut at).collect()
}

/// Share of positives kept by pools of each size, alone in their pool: sensitivity against dilution.
pub fn dilution_curve(dilution: &Dilution, sizes: &[u32]) -> Vec<(u32, f64)> {
    sizes.iter().map(|size| (*size, dilution.kept(*size))).collect()
}

fn kinds(limits: &Limits) -> Vec<SchemeKind> {
    let mut kinds = vec![SchemeKind::Dorfman];
    if limits.stages >= 3 {
        kinds.push(SchemeKind::Hierarchical);
    }
    kinds.extend([SchemeKind::Array, SchemeKind::ArrayRectangular]);
    if limits.stages >= 4 {
        kinds.push(SchemeKind::HierarchicalFour);
    }
    kinds
}

fn largest_pool(limits: &Limits) -> u32 {
    let validated = limits.validated.as_ref().map_or(MAX_POOL_SIZE, |ratios| {
        let of_mixing = ratios.iter().filter(|ratio| ratio.mixing == limits.mixing);
        of_mixing.map(|ratio| ratio.persons_per_pool).max().unwrap_or(1)
    });
    validated.min(limits.largest_pool.unwrap_or(MAX_POOL_SIZE))
}

fn option(kind: SchemeKind, scheme: Scheme, figures: Figures) -> PlanOption {
    PlanOption { kind, scheme, figures, kept_after_dilution: None, turnaround: None, allowed: true, reasons: Vec::new() }
}

struct Search<'a> {
    evaluator: Evaluator<'a>,
    limits: &'a Limits,
    least_sensitivity: f64,
    largest: u32,
    prevalence: f64,
}

/// The cheapest scheme found, over all sizes and over sizes that are sensitive enough.
#[derive(Default)]
struct Best {
    unlimited: Option<(Scheme, Figures)>,
    sensitive: Option<(Scheme, Figures)>,
}

fn keep_cheaper(best: &mut Option<(Scheme, Figures)>, scheme: &Scheme, figures: Figures) {
    let cheaper = best.as_ref().is_none_or(|(_, held)| figures.tests_per_person < held.tests_per_person);
    if cheaper {
        *best = Some((scheme.clone(), figures));
    }
}

impl Search<'_> {
    /// Whether the assay has a tube for a field pool of this size.
    fn has_tube(&self, scheme: &Scheme) -> bool {
        match (&self.limits.validated, scheme) {
            (Some(validated), Scheme::Dorfman { size }) if self.limits.mixing == Mixing::Swab => {
                validated.iter().any(|ratio| ratio.mixing == Mixing::Swab && ratio.persons_per_pool == *size)
            }
            _ => true,
        }
    }

    fn best_of(&mut self, kind: SchemeKind) -> Result<Option<PlanOption>, SchemeError> {
        let mut best = Best::default();
        let mut schemes = candidates(kind, self.largest, self.prevalence);
        schemes.retain(|scheme| self.has_tube(scheme));
        for scheme in schemes {
            let figures = self.evaluator.figures(&scheme)?;
            keep_cheaper(&mut best.unlimited, &scheme, figures);
            if figures.sensitivity >= self.least_sensitivity {
                keep_cheaper(&mut best.sensitive, &scheme, figures);
            }
        }
        let Some((unlimited, unlimited_figures)) = best.unlimited else {
            return Ok(None);
        };
        let found = match best.sensitive {
            Some((scheme, figures)) => {
                let mut found = option(kind, scheme, figures);
                if found.scheme != unlimited {
                    let unlimited_sizes = sizes(&unlimited);
                    found.reasons.push(Reason::HeldBySensitivity { unlimited_sizes });
                }
                found
            }
            None => option(kind, unlimited, unlimited_figures),
        };
        Ok(Some(self.judged(found)))
    }

    /// Adds what the limits say about an option.
    fn judged(&self, mut option: PlanOption) -> PlanOption {
        if option.figures.sensitivity < self.least_sensitivity {
            option.reasons.push(Reason::BelowRequiredSensitivity);
            option.allowed = false;
        }
        let pool = option.scheme.largest_pool();
        let divides = option.kind != SchemeKind::Dorfman;
        if self.limits.mixing == Mixing::Swab && divides {
            option.reasons.push(Reason::NeedsSeparateSpecimens);
            option.allowed = false;
        }
        let bound = self.largest.min(search_bound(option.kind));
        if pool > self.largest {
            option.allowed = false;
        }
        if pool >= self.largest {
            let largest = self.largest;
            option.reasons.push(Reason::HeldByPoolLimit { largest });
        } else if pool >= bound || at_last_multiple(option.kind, pool) {
            option.reasons.push(Reason::AtSearchBound);
            option.allowed = false;
        }
        option
    }
}

fn search_bound(kind: SchemeKind) -> u32 {
    match kind {
        SchemeKind::Array => LARGEST_ARRAY_SEARCHED,
        SchemeKind::Matrix => MAX_POOL_SIZE,
        // A rectangle at its bound is a small plate, not a sign of uselessness.
        SchemeKind::ArrayRectangular => u32::MAX,
        _ => LARGEST_POOL_SEARCHED,
    }
}

/// Nested pools only come in multiples: the largest one below the bound counts as the bound.
fn at_last_multiple(kind: SchemeKind, pool: u32) -> bool {
    let nested = matches!(kind, SchemeKind::Hierarchical | SchemeKind::HierarchicalFour);
    nested && pool > LARGEST_POOL_SEARCHED * 9 / 10
}

/// Every size of one kind that is searched, none above `largest`.
fn candidates(kind: SchemeKind, largest: u32, prevalence: f64) -> Vec<Scheme> {
    let pools = 2..=largest.min(LARGEST_POOL_SEARCHED);
    let multiples = |of: u32| (2 * of..=largest.min(LARGEST_POOL_SEARCHED)).step_by(of as usize);
    match kind {
        // Beyond two positives per pool nearly every pool is positive; the cost then falls again only
        // because the insensitive pool test misses people.
        SchemeKind::Dorfman => pools.filter(|size| *size <= 3 || f64::from(*size) * prevalence <= 2.0).map(|size| Scheme::Dorfman { size }).collect(),
        SchemeKind::Hierarchical => pools.flat_map(|m| multiples(m).map(move |n| vec![n, m, 1])).map(|sizes| Scheme::Hierarchical { sizes }).collect(),
        SchemeKind::HierarchicalFour => pools
            .flat_map(|k| multiples(k).map(move |m| (m, k)))
            .flat_map(|(m, k)| multiples(m).map(move |n| vec![n, m, k, 1]))
            .map(|sizes| Scheme::Hierarchical { sizes })
            .collect(),
        SchemeKind::Array => (3..=largest.min(LARGEST_ARRAY_SEARCHED)).map(|side| Scheme::Array { rows: side, columns: side }).collect(),
        SchemeKind::ArrayRectangular => {
            let sides = 3..=largest.min(LARGEST_RECTANGLE_SEARCHED);
            let pairs = sides.clone().flat_map(|rows| sides.clone().map(move |columns| (rows, columns)));
            pairs.filter(|(rows, columns)| rows != columns).map(|(rows, columns)| Scheme::Array { rows, columns }).collect()
        }
        SchemeKind::Individual | SchemeKind::Matrix => Vec::new(),
    }
}

/// Pool sizes as they are written in a plan: `[11]`, `[25, 5, 1]`, `[25]`, `[8, 12]`.
pub fn sizes(scheme: &Scheme) -> Vec<u32> {
    match scheme {
        Scheme::Individual => vec![1],
        Scheme::Dorfman { size } => vec![*size],
        Scheme::Hierarchical { sizes } => sizes.clone(),
        Scheme::Array { rows, columns } if rows == columns => vec![*rows],
        Scheme::Array { rows, columns } => vec![*rows, *columns],
        Scheme::Matrix { matrix } => vec![matrix.pool_count() as u32, matrix.sample_count() as u32],
    }
}

fn time(option: &mut PlanOption, workload: &Workload, limits: &Limits) {
    let figures = option.figures;
    let stages = f64::from(figures.stages);
    let re_swab = if limits.mixing == Mixing::Swab && figures.stages > 1 { workload.re_swab_hours } else { 0.0 };
    let laboratory = workload.people as f64 * figures.tests_per_person / workload.tests_per_hour.max(f64::MIN_POSITIVE);
    let turnaround = Turnaround {
        mean_hours: figures.mean_stages * workload.hours_per_stage + (figures.mean_stages - 1.0).max(0.0) * re_swab,
        last_hours: laboratory + stages * workload.hours_per_stage + re_swab,
    };
    option.turnaround = Some(turnaround);
    if limits.hours.is_some_and(|hours| turnaround.last_hours > hours) {
        let last_hours = turnaround.last_hours;
        option.reasons.push(Reason::TooSlow { last_hours });
        option.allowed = false;
    }
}

/// Index of the cheapest allowed option; single tests when none saves enough. When everything is too
/// slow, the option with the earliest last answer that breaks no other limit.
fn recommend(options: &mut [PlanOption]) -> usize {
    let only_slow = |option: &PlanOption| {
        let slow = |reason: &Reason| matches!(reason, Reason::TooSlow { .. });
        option.allowed || option.reasons.iter().any(slow) && !breaks_other_limit(option)
    };
    let any_allowed = options.iter().any(|option| option.allowed);
    let cost = |option: &PlanOption| match option.turnaround {
        Some(turnaround) if !any_allowed => turnaround.last_hours,
        _ => option.figures.tests_per_person,
    };
    let best = (0..options.len())
        .filter(|i| if any_allowed { options[*i].allowed } else { only_slow(&options[*i]) })
        .min_by(|a, b| cost(&options[*a]).total_cmp(&cost(&options[*b])))
        .unwrap_or(0);
    let saved = 1.0 - options[best].figures.tests_per_person / options[0].figures.tests_per_person;
    if saved < WORTHWHILE_SAVING && options[0].allowed {
        options[0].reasons.push(if options.len() > 1 { Reason::PoolingSavesLittle } else { Reason::NoPoolAllowed });
        return 0;
    }
    let saved_percent = saved * 100.0;
    options[best].reasons.insert(0, Reason::FewestTests { saved_percent });
    best
}

fn breaks_other_limit(option: &PlanOption) -> bool {
    option.reasons.iter().any(|reason| matches!(reason, Reason::AtSearchBound | Reason::BelowRequiredSensitivity | Reason::NeedsSeparateSpecimens))
}
