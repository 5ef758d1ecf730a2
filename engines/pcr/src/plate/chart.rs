//! Levey-Jennings charts of a control's Cq over runs, judged by Westgard's rules (Westgard et al. 1981).

use serde::{Deserialize, Serialize};

/// Runs needed before limits may be computed from them (a convention); until then the manufacturer's fixed limits hold.
pub const RUNS_FOR_LIMITS: usize = 20;

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Limits {
    /// Mean and standard deviation of earlier accepted runs.
    Statistical { mean: f64, sd: f64 },
    /// The manufacturer's lowest and highest Cq.
    Fixed { low: f64, high: f64 },
}

impl Limits {
    /// Limits from the Cq of earlier accepted runs, or the fixed ones when there are too few (or all are the same).
    pub fn from_history(accepted: &[f64], fixed: (f64, f64)) -> Limits {
        let finite: Vec<f64> = accepted.iter().copied().filter(|cq| cq.is_finite()).collect();
        let n = finite.len() as f64;
        let mean = finite.iter().sum::<f64>() / n;
        let sd = (finite.iter().map(|cq| (cq - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
        if finite.len() < RUNS_FOR_LIMITS || sd.is_nan() || sd <= 0.0 {
            return Limits::Fixed { low: fixed.0, high: fixed.1 };
        }
        Limits::Statistical { mean, sd }
    }
}

/// A rule and what its breach means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChartRule {
    /// One beyond 2 SD: a warning only.
    #[serde(rename = "1-2s")]
    OneTwoS,
    /// One beyond 3 SD.
    #[serde(rename = "1-3s")]
    OneThreeS,
    /// Two in a row beyond 2 SD on one side.
    #[serde(rename = "2-2s")]
    TwoTwoS,
    /// Two in a row more than 4 SD apart, one beyond +2, the other beyond -2.
    #[serde(rename = "r-4s")]
    RangeFourS,
    /// Four in a row beyond 1 SD on one side.
    #[serde(rename = "4-1s")]
    FourOneS,
    /// Ten in a row on one side of the mean.
    #[serde(rename = "10x")]
    TenX,
    /// Outside the manufacturer's fixed limits.
    Fixed,
    /// No Cq at all: a control that cannot be evaluated has failed.
    Missing,
}

impl ChartRule {
    pub fn rejects(self) -> bool {
        self != ChartRule::OneTwoS
    }
}

/// Rules the newest point breaks. `history` is in order of time, the newest last; `None` is a run without a Cq. Rules over
/// several runs reach back over runs with a Cq only.
pub fn judge_newest(history: &[Option<f64>], limits: &Limits) -> Vec<ChartRule> {
    let Some(newest) = history.last() else { return vec![ChartRule::Missing] };
    let Some(newest) = newest.filter(|cq| cq.is_finite()) else { return vec![ChartRule::Missing] };
    let (mean, sd) = match *limits {
        Limits::Fixed { low, high } => {
            return if (low..=high).contains(&newest) { vec![] } else { vec![ChartRule::Fixed] };
        }
        Limits::Statistical { mean, sd } => (mean, sd),
    };
    let recent: Vec<f64> = history.iter().rev().flatten().filter(|cq| cq.is_finite()).take(10).map(|cq| (cq - mean) / sd).collect();
    let run = |count: usize, beyond: f64| {
        let last = recent.get(..count);
        last.is_some_and(|z| z.iter().all(|z| *z > beyond) || z.iter().all(|z| *z < -beyond))
    };
    let mut broken = Vec::new();
    let mut add = |condition: bool, rule: ChartRule| broken.extend(condition.then_some(rule));
    add(recent[0].abs() > 2.0 && recent[0].abs() <= 3.0, ChartRule::OneTwoS);
    add(recent[0].abs() > 3.0, ChartRule::OneThreeS);
    add(run(2, 2.0), ChartRule::TwoTwoS);
    let opposite = |z: &[f64]| z[0].abs() > 2.0 && z[1].abs() > 2.0 && z[0] * z[1] < 0.0;
    add(recent.get(..2).is_some_and(opposite), ChartRule::RangeFourS);
    add(run(4, 1.0), ChartRule::FourOneS);
    add(run(10, 0.0), ChartRule::TenX);
    broken
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits::Statistical { mean: 25.0, sd: 0.5 };

    /// Judges a series given in standard deviations from the mean.
    fn judge(z: &[f64]) -> Vec<ChartRule> {
        let history: Vec<Option<f64>> = z.iter().map(|z| Some(25.0 + 0.5 * z)).collect();
        judge_newest(&history, &LIMITS)
    }

    #[test]
    fn each_rule_is_broken_by_its_pattern_and_not_by_a_little_less() {
        use ChartRule::*;
        assert_eq!(judge(&[0.0, 1.9]), []);
        assert_eq!(judge(&[0.0, 2.1]), [OneTwoS]);
        assert_eq!(judge(&[0.0, 3.1]), [OneThreeS]);
        assert_eq!(judge(&[2.1, 2.1]), [OneTwoS, TwoTwoS]);
        assert_eq!(judge(&[-2.1, 2.1]), [OneTwoS, RangeFourS]);
        assert_eq!(judge(&[1.1, 1.1, 1.1]), []);
        assert_eq!(judge(&[1.1, 1.1, 1.1, 1.1]), [FourOneS]);
        assert_eq!(judge(&[1.1, 0.9, 1.1, 1.1]), []);
        assert_eq!(judge(&[0.1; 9]), []);
        assert_eq!(judge(&[0.1; 10]), [TenX]);
        assert_eq!(judge(&[-0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1]), []);
        assert!(!OneTwoS.rejects() && TenX.rejects() && Missing.rejects());
    }

    #[test]
    fn a_missing_control_fails_whatever_came_before() {
        assert_eq!(judge_newest(&[], &LIMITS), [ChartRule::Missing]);
        assert_eq!(judge_newest(&[Some(25.0), None], &LIMITS), [ChartRule::Missing]);
        assert_eq!(judge_newest(&[Some(f64::NAN)], &LIMITS), [ChartRule::Missing]);
    }

    #[test]
    fn few_runs_use_the_fixed_limits() {
        let wobbling = |n: usize| (0..n).map(|i| 25.0 + 0.1 * (i % 3) as f64).collect::<Vec<_>>();
        let fixed = Limits::from_history(&wobbling(19), (20.0, 30.0));
        assert_eq!(fixed, Limits::Fixed { low: 20.0, high: 30.0 });
        assert_eq!(judge_newest(&[Some(30.1)], &fixed), [ChartRule::Fixed]);
        assert_eq!(judge_newest(&[Some(29.9)], &fixed), []);
        assert!(matches!(Limits::from_history(&wobbling(20), (20.0, 30.0)), Limits::Statistical { .. }));
        assert!(matches!(Limits::from_history(&[25.0; 30], (20.0, 30.0)), Limits::Fixed { .. }));
    }
}
