//! What an assay's rules and the released tubes tell the pool planner. Pure.

use baton_pcr::rules::{Mixing as AssayMixing, RuleSet};
use baton_pooling::dilution::{ShiftModel, SwabTube};
use baton_pooling::population::Population;
use baton_pooling::prevalence::{PoolCounts, PrevalenceBelief, PrevalenceEstimate};
use baton_pooling::scheme::Assay;
use baton_pooling::{Mixing, ValidatedRatio};

use crate::events::TubeOutcome;

/// Tubes released longer ago say nothing of today.
pub const DAYS_LOOKED_BACK: i64 = 14;
/// What yesterday's tubes count against today's.
const KEPT_PER_DAY: f64 = 0.8;
/// Before any tube is known: one in two hundred, on the word of twenty people.
const PRIOR_PREVALENCE: f64 = 0.005;
const PRIOR_PEOPLE: f64 = 20.0;

/// The pools this assay is validated for.
pub fn validated_ratios(rules: &RuleSet) -> Vec<ValidatedRatio> {
    let mixing = |of: AssayMixing| match of {
        AssayMixing::Swabs => Mixing::Swab,
        AssayMixing::Aliquots => Mixing::Aliquot,
    };
    rules.pools.iter().map(|pool| ValidatedRatio { mixing: mixing(pool.mixing), persons_per_pool: pool.ratio }).collect()
}

/// Sizes of field tubes, ascending, single tubes among them.
pub fn field_ratios(rules: &RuleSet) -> Vec<u32> {
    let mut sizes: Vec<u32> = validated_ratios(rules).iter().filter(|ratio| ratio.mixing == Mixing::Swab).map(|ratio| ratio.persons_per_pool).collect();
    sizes.push(1);
    sizes.sort_unstable();
    sizes.dedup();
    sizes
}

/// How much later a field tube's Cq is: by its fluid, which the assay's rules know.
pub fn field_shift(rules: &RuleSet) -> ShiftModel {
    let swabs = || rules.pools.iter().filter(|pool| pool.mixing == AssayMixing::Swabs);
    let single = swabs().min_by_key(|pool| pool.ratio).map_or(1.0, |pool| pool.tube_volume_ml);
    let tubes = swabs().map(|pool| SwabTube { max_swabs: pool.ratio, volume_ml: pool.tube_volume_ml }).collect();
    ShiftModel::Swab { single_volume_ml: single, tubes, inhibitor_cycles: 0.0 }
}

/// What an assay is validated for and how its field tubes dilute; nothing for an assay nobody knows.
pub fn pools_of(assay: &str) -> Option<(Vec<ValidatedRatio>, ShiftModel)> {
    RuleSet::builtin(assay).map(|rules| (validated_ratios(&rules), field_shift(&rules)))
}

/// The earliest cut-off of the targets that must be found.
pub fn cutoff(rules: &RuleSet) -> Option<f64> {
    rules.detect_targets().map(|target| target.cutoff_cq).min_by(f64::total_cmp)
}

/// Released tubes of one day, with one number of people in each and one outcome.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReleasedTubes {
    /// 0 for the last 24 hours.
    pub days_ago: i64,
    pub people_per_tube: i64,
    pub outcome: TubeOutcome,
    pub tubes: i64,
}

/// What the installation's own tubes say of the share of people infected.
#[derive(Clone, PartialEq, Debug)]
pub struct Learned {
    pub belief: PrevalenceBelief,
    pub estimate: PrevalenceEstimate,
    pub tubes: i64,
    /// Swabs in those tubes.
    pub people: i64,
    pub positive: i64,
    /// Single-target and invalid ones: no evidence either way.
    pub unclear: i64,
}

/// Learns from released tubes; older days fade.
pub fn learn(released: &[ReleasedTubes], population: Population, assay: Assay) -> Learned {
    let mut belief = PrevalenceBelief::new(population, PRIOR_PREVALENCE, PRIOR_PEOPLE);
    let (mut tubes, mut people, mut positive, mut unclear) = (0, 0, 0, 0);
    for days_ago in (0..DAYS_LOOKED_BACK).rev() {
        belief.fade(KEPT_PER_DAY);
        let mut sizes = std::collections::BTreeMap::<u32, PoolCounts>::new();
        for day in released.iter().filter(|day| day.days_ago == days_ago) {
            let Ok(size) = u32::try_from(day.people_per_tube) else { continue };
            tubes += day.tubes;
            people += day.tubes * day.people_per_tube;
            let counts = sizes.entry(size).or_insert(PoolCounts { persons_per_pool: size, pools: 0, positive: 0 });
            let count = u32::try_from(day.tubes).unwrap_or(u32::MAX);
            match day.outcome {
                TubeOutcome::Negative => counts.pools += count,
                TubeOutcome::Positive => {
                    (counts.pools, counts.positive) = (counts.pools + count, counts.positive + count);
                    positive += day.tubes;
                }
                TubeOutcome::SingleTarget | TubeOutcome::Invalid => unclear += day.tubes,
            }
        }
        sizes.into_values().for_each(|counts| belief.observe(counts, assay));
    }
    Learned { estimate: belief.estimate(), belief, tubes, people, positive, unclear }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASSAY: Assay = Assay { sensitivity: 0.98, specificity: 0.998 };

    fn rules() -> RuleSet {
        RuleSet::builtin("orf1ab-n-ic").unwrap()
    }
    fn tubes(days_ago: i64, people_per_tube: i64, outcome: TubeOutcome, tubes: i64) -> ReleasedTubes {
        ReleasedTubes { days_ago, people_per_tube, outcome, tubes }
    }
    fn learned(released: &[ReleasedTubes]) -> Learned {
        learn(released, Population::independent(0.0), ASSAY)
    }

    #[test]
    fn an_assay_tells_its_ratios_its_fluids_and_its_cut_off() {
        assert_eq!(field_ratios(&rules()), [1, 5, 10, 20]);
        assert_eq!(field_shift(&rules()).shift_cycles(20), Some(2.0), "12 mL against 3 mL");
        assert_eq!(field_shift(&rules()).shift_cycles(21), None);
        assert_eq!(cutoff(&rules()), Some(38.0));
    }

    #[test]
    fn tubes_and_people_are_counted_apart_and_unclear_tubes_say_nothing() {
        let clean = [tubes(0, 10, TubeOutcome::Negative, 190), tubes(0, 10, TubeOutcome::Positive, 10), tubes(0, 7, TubeOutcome::Negative, 1)];
        let plain = learned(&clean);
        assert_eq!((plain.tubes, plain.people, plain.positive, plain.unclear), (201, 2007, 10, 0));
        assert!(plain.estimate.low < 0.0051 && 0.0051 < plain.estimate.high, "{:?}", plain.estimate);
        let with_unclear = learned(&[&clean[..], &[tubes(0, 10, TubeOutcome::Invalid, 50), tubes(0, 10, TubeOutcome::SingleTarget, 5)]].concat());
        assert_eq!((with_unclear.unclear, with_unclear.estimate), (55, plain.estimate));
    }

    #[test]
    fn yesterday_counts_less_than_today_and_last_month_not_at_all() {
        let rising = learned(&[tubes(6, 10, TubeOutcome::Negative, 500), tubes(0, 10, TubeOutcome::Positive, 50), tubes(0, 10, TubeOutcome::Negative, 450)]);
        let falling = learned(&[tubes(0, 10, TubeOutcome::Negative, 500), tubes(6, 10, TubeOutcome::Positive, 50), tubes(6, 10, TubeOutcome::Negative, 450)]);
        assert!(rising.estimate.mean > 1.5 * falling.estimate.mean);
        assert_eq!(learned(&[tubes(DAYS_LOOKED_BACK, 10, TubeOutcome::Positive, 500)]), learned(&[]));
        assert_eq!(learned(&[]).tubes, 0);
    }
}
