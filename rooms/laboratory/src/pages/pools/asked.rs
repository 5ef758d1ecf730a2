//! What the planner is asked for: every slider has a range, a default and a name in the address.

use baton_pcr::rules::RuleSet;
use baton_pooling::dilution::{CqDistribution, Dilution, ShiftModel};
use baton_pooling::plan::{Limits, Workload};
use baton_pooling::population::{Clustering, Population};
use baton_pooling::scheme::{Assay, Conditions};
use baton_pooling::{DesignRefusal, Mixing, PoolDesign, PoolSource, refuse_design};
use serde::Deserialize;

use crate::pooling::{cutoff, field_ratios, field_shift, validated_ratios};

/// What the address says; empty fields of a form are empty texts.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    pub(super) assay: String,
    pub(super) mixing: String,
    pub(super) now: String,
    pub(super) prevalence: String,
    pub(super) sensitivity: String,
    pub(super) specificity: String,
    pub(super) cq_median: String,
    pub(super) cq_late: String,
    pub(super) cutoff: String,
    pub(super) largest: String,
    pub(super) keep: String,
    pub(super) group: String,
    pub(super) correlation: String,
    pub(super) people: String,
    pub(super) tests_per_hour: String,
    pub(super) hours_per_stage: String,
    pub(super) hours: String,
}

/// A number with a range. Whatever lies outside is moved to its end, what is no number becomes the default.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slider {
    pub(super) name: &'static str,
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) step: f64,
    /// Small values get as much room as large ones.
    pub(super) logarithmic: bool,
}

impl Slider {
    const fn new(name: &'static str, low: f64, high: f64, step: f64) -> Self {
        Self { name, low, high, step, logarithmic: false }
    }

    fn read(&self, text: &str, default: f64) -> f64 {
        let asked = text.trim().parse::<f64>().ok().filter(|value| value.is_finite());
        asked.unwrap_or(default).clamp(self.low, self.high)
    }
}

/// Percent on the page, shares inside.
pub(super) const PREVALENCE: Slider = Slider { logarithmic: true, ..Slider::new("prevalence", 0.01, 30.0, 0.001) };
pub(super) const SENSITIVITY: Slider = Slider::new("sensitivity", 60.0, 100.0, 0.1);
pub(super) const SPECIFICITY: Slider = Slider::new("specificity", 90.0, 100.0, 0.01);
pub(super) const CQ_MEDIAN: Slider = Slider::new("cq_median", 18.0, 36.0, 0.1);
pub(super) const CQ_LATE: Slider = Slider::new("cq_late", 20.0, 40.0, 0.1);
pub(super) const CUTOFF: Slider = Slider::new("cutoff", 30.0, 45.0, 0.5);
pub(super) const LARGEST: Slider = Slider::new("largest", 1.0, 100.0, 1.0);
pub(super) const KEEP: Slider = Slider::new("keep", 50.0, 100.0, 1.0);
pub(super) const GROUP: Slider = Slider::new("group", 1.0, 20.0, 1.0);
pub(super) const CORRELATION: Slider = Slider::new("correlation", 0.0, 0.9, 0.05);
pub(super) const PEOPLE: Slider = Slider::new("people", 1.0, 50_000_000.0, 1.0);
pub(super) const TESTS_PER_HOUR: Slider = Slider::new("tests_per_hour", 1.0, 1_000_000.0, 1.0);
pub(super) const HOURS_PER_STAGE: Slider = Slider::new("hours_per_stage", 0.5, 24.0, 0.5);
pub(super) const HOURS: Slider = Slider::new("hours", 1.0, 240.0, 1.0);

/// Single-tube Cq of 1,632 positives of a hospital's screening (OncoRNALab/covidpooling): half below, and 95 in 100.
const PUBLISHED_MEDIAN: f64 = 28.8;
const PUBLISHED_LATE: f64 = 35.7;
/// From a held pool to its members' new swabs in the laboratory.
const RE_SWAB_HOURS: f64 = 6.0;
/// Values of a normal distribution that stand for the Cq mix.
const CQ_VALUES: usize = 400;
/// The 95th percentile of a normal distribution, in standard deviations.
const LATE_DEVIATIONS: f64 = 1.644_853_6;

/// What would be mixed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Mixed {
    /// Swabs of several people in one tube, in the field.
    Swabs,
    /// Aliquots of single specimens, in the laboratory.
    Aliquots,
    /// Tubes that are pools already.
    Pools,
}

impl Mixed {
    pub(super) const ALL: [Mixed; 3] = [Mixed::Swabs, Mixed::Aliquots, Mixed::Pools];
    pub(super) fn name(self) -> &'static str {
        match self {
            Mixed::Swabs => "swabs",
            Mixed::Aliquots => "aliquots",
            Mixed::Pools => "pools",
        }
    }
    pub(super) fn mixing(self) -> Mixing {
        if self == Mixed::Swabs { Mixing::Swab } else { Mixing::Aliquot }
    }
}

/// What is planned for, everything in range.
#[derive(Clone, Debug)]
pub(super) struct Choice {
    pub(super) rules: RuleSet,
    pub(super) mixed: Mixed,
    /// People per tube at present.
    pub(super) now: u32,
    pub(super) prevalence: f64,
    pub(super) assay: Assay,
    pub(super) cq_median: f64,
    pub(super) cq_late: f64,
    pub(super) cutoff: f64,
    pub(super) largest: u32,
    pub(super) keep: f64,
    pub(super) group: u32,
    pub(super) correlation: f64,
    pub(super) people: Option<f64>,
    pub(super) tests_per_hour: Option<f64>,
    pub(super) hours_per_stage: f64,
    pub(super) hours: Option<f64>,
}

/// What stands where nothing was asked for.
#[derive(Clone, Debug)]
pub(super) struct Defaults {
    pub(super) rules: RuleSet,
    pub(super) now: u32,
}

impl Choice {
    /// `learned` is the share of people infected that the installation's own tubes tell.
    pub(super) fn of(asked: &Asked, defaults: &Defaults, learned: impl FnOnce(&Self) -> f64) -> Self {
        let rules = RuleSet::builtin(&asked.assay).unwrap_or_else(|| defaults.rules.clone());
        let mixed = Mixed::ALL.into_iter().find(|mixed| mixed.name() == asked.mixing).unwrap_or(Mixed::Swabs);
        let ratios = field_ratios(&rules);
        let largest_tube = ratios.last().copied().unwrap_or(1);
        let now = asked.now.parse().ok().filter(|now| ratios.contains(now)).unwrap_or(if ratios.contains(&defaults.now) { defaults.now } else { largest_tube });
        let given = |slider: Slider, text: &str| if text.trim().is_empty() { None } else { Some(slider.read(text, slider.low)) };
        let cq_median = CQ_MEDIAN.read(&asked.cq_median, PUBLISHED_MEDIAN);
        let mut choice = Self {
            mixed,
            now,
            prevalence: 0.0,
            assay: Assay { sensitivity: SENSITIVITY.read(&asked.sensitivity, 98.0) / 100.0, specificity: SPECIFICITY.read(&asked.specificity, 99.8) / 100.0 },
            cq_median,
            cq_late: CQ_LATE.read(&asked.cq_late, PUBLISHED_LATE).max(cq_median + 0.5),
            cutoff: CUTOFF.read(&asked.cutoff, cutoff(&rules).unwrap_or(38.0)),
            largest: LARGEST.read(&asked.largest, f64::from(if mixed == Mixed::Swabs { largest_tube } else { 32 })) as u32,
            keep: KEEP.read(&asked.keep, 90.0) / 100.0,
            group: GROUP.read(&asked.group, 1.0) as u32,
            correlation: CORRELATION.read(&asked.correlation, 0.0),
            people: given(PEOPLE, &asked.people),
            tests_per_hour: given(TESTS_PER_HOUR, &asked.tests_per_hour),
            hours_per_stage: HOURS_PER_STAGE.read(&asked.hours_per_stage, 4.0),
            hours: given(HOURS, &asked.hours),
            rules,
        };
        let learned = learned(&choice) * 100.0;
        choice.prevalence = PREVALENCE.read(&asked.prevalence, learned) / 100.0;
        choice
    }

    pub(super) fn population(&self, prevalence: f64) -> Population {
        let clustering = (self.group > 1 && self.correlation > 0.0).then_some(Clustering { group_size: self.group, correlation: self.correlation });
        Population { prevalence, clustering }
    }

    /// The Cq mix as a distribution, cut where the assay cannot see a single specimen.
    pub(super) fn dilution(&self, cutoff: f64) -> Option<Dilution> {
        let deviation = (self.cq_late - self.cq_median) / LATE_DEVIATIONS;
        let values = (0..CQ_VALUES).map(|n| self.cq_median + deviation * normal_quantile((n as f64 + 0.5) / CQ_VALUES as f64));
        let seen: Vec<f64> = values.filter(|cq| *cq > 1.0 && *cq <= self.cutoff).collect();
        let shift = if self.mixed == Mixed::Swabs { field_shift(&self.rules) } else { ShiftModel::Aliquot };
        CqDistribution::new(seen).ok().map(|cq_distribution| Dilution { cq_distribution, cutoff, shift })
    }

    pub(super) fn conditions(&self) -> Conditions {
        Conditions { population: self.population(self.prevalence), assay: self.assay, dilution: self.dilution(self.cutoff) }
    }

    /// Only what the assay is validated for; `free` asks what else there would be.
    pub(super) fn limits(&self, free: bool) -> Limits {
        Limits {
            mixing: self.mixed.mixing(),
            validated: (!free).then(|| validated_ratios(&self.rules)),
            largest_pool: Some(self.largest),
            relative_sensitivity: Some(self.keep),
            stages: 3,
            hours: self.hours,
        }
    }

    pub(super) fn workload(&self) -> Option<Workload> {
        let (people, tests_per_hour) = self.people.zip(self.tests_per_hour)?;
        Some(Workload { people: people as u64, tests_per_hour, hours_per_stage: self.hours_per_stage, re_swab_hours: RE_SWAB_HOURS })
    }

    /// Why pools of this size may not be made, if they may not.
    pub(super) fn refused(&self, persons_per_pool: u32) -> Option<DesignRefusal> {
        let source = if self.mixed == Mixed::Pools { PoolSource::Pools } else { PoolSource::SinglePersons };
        refuse_design(&PoolDesign { persons_per_pool, mixing: self.mixed.mixing(), source }, &validated_ratios(&self.rules)).err()
    }
}

/// The value below which a share of a standard normal distribution lies: Abramowitz and Stegun 26.2.23, good to 5e-4.
fn normal_quantile(share: f64) -> f64 {
    let tail = |tail: f64| {
        let t = (-2.0 * tail.ln()).sqrt();
        t - (2.515_517 + t * (0.802_853 + t * 0.010_328)) / (1.0 + t * (1.432_788 + t * (0.189_269 + t * 0.001_308)))
    };
    if share < 0.5 { -tail(share) } else { tail(1.0 - share) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choice(change: impl FnOnce(&mut Asked)) -> Choice {
        let mut asked = Asked::default();
        change(&mut asked);
        Choice::of(&asked, &Defaults { rules: RuleSet::builtin("orf1ab-n-ic").unwrap(), now: 10 }, |_| 0.004)
    }

    #[test]
    fn what_is_not_asked_for_is_learned_or_usual() {
        let plain = choice(|_| {});
        assert_eq!((plain.prevalence, plain.now, plain.largest, plain.cutoff, plain.workload()), (0.004, 10, 20, 38.0, None));
        let asked = choice(|asked| (asked.prevalence, asked.now, asked.mixing) = ("2.5".to_owned(), "20".to_owned(), "aliquots".to_owned()));
        assert_eq!((asked.prevalence, asked.now, asked.largest, asked.mixed), (0.025, 20, 32, Mixed::Aliquots));
    }

    #[test]
    fn numbers_out_of_range_are_moved_to_its_end() {
        for (text, prevalence) in [("-1", 0.0001), ("99", 0.3), ("many", 0.004), ("", 0.004), ("NaN", 0.004), ("1e400", 0.004)] {
            assert!((choice(|asked| asked.prevalence = text.to_owned()).prevalence - prevalence).abs() < 1e-12, "{text}");
        }
        assert_eq!(choice(|asked| asked.now = "7".to_owned()).now, 10, "no tube for seven");
    }

    #[test]
    fn a_cq_mix_has_the_median_and_the_tail_it_was_given() {
        let mix = choice(|asked| (asked.cq_median, asked.cq_late, asked.cutoff) = ("28".to_owned(), "34".to_owned(), "45".to_owned()));
        let values = mix.dilution(45.0).unwrap().cq_distribution;
        assert!((values.quantile(0.5) - 28.0).abs() < 0.05 && (values.quantile(0.95) - 34.0).abs() < 0.05);
        assert!(mix.dilution(34.0).unwrap().kept(20) < mix.dilution(38.0).unwrap().kept(20));
    }

    #[test]
    fn pooled_tubes_are_not_pooled_again_and_nothing_is_pooled_unvalidated() {
        assert_eq!(choice(|_| {}).refused(20), None);
        assert_eq!(choice(|_| {}).refused(21).map(|refusal| refusal.code()), Some("ratio_not_validated"));
        let aliquots = choice(|asked| asked.mixing = "aliquots".to_owned());
        assert_eq!(aliquots.refused(5).map(|refusal| refusal.code()), Some("ratio_not_validated"));
        let pools = choice(|asked| asked.mixing = "pools".to_owned());
        assert_eq!(pools.refused(2), Some(DesignRefusal::PoolOfPools));
    }
}
