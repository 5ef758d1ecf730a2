//! Amplification per cycle: from the log-linear window of each curve, to be used only as the mean of a target.

use serde::{Deserialize, Serialize};

use crate::curve::{Call, Reading};
use crate::repair::line;

/// Points in the log-linear window.
const WINDOW: usize = 4;

/// Efficiency of one curve: slope of the logarithm of `height` (fluorescence above the baseline, by index) over the four
/// cycles that end at the second-derivative maximum `turn` (Ramakers and Ruijter's window of linearity). None when the
/// first of them is not three times above the noise.
pub(crate) fn of_curve(height: impl Fn(usize) -> f64, turn: f64, noise: f64) -> Option<f64> {
    let at_turn = turn.round().max(0.0) as usize;
    let ceiling = height(at_turn);
    let end = (0..=at_turn).rev().find(|&i| height(i) <= ceiling)?;
    let start = (end + 1).checked_sub(WINDOW)?;
    if (start..=end).any(|i| height(i) < 3.0 * noise) {
        return None;
    }
    let logs: [f64; WINDOW] = std::array::from_fn(|i| height(start + i).ln());
    let (_, slope) = line(&logs);
    Some(slope.exp()).filter(|efficiency| (1.0..3.0).contains(efficiency))
}

/// The efficiency of a target in a run.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct MeanEfficiency {
    /// Amplification per cycle, 2 = doubling.
    pub mean: f64,
    pub curves: usize,
}

/// Mean efficiency over the positive curves of one target, curves more than 10 % from the median left out. None when no
/// curve has an efficiency. A single well's efficiency is 10 to 20 times noisier than the Cq and must not be used instead.
pub fn mean_efficiency<'a>(readings: impl IntoIterator<Item = &'a Reading>) -> Option<MeanEfficiency> {
    let positive = readings.into_iter().filter(|reading| reading.call == Call::Positive);
    let mut values: Vec<f64> = positive.filter_map(|reading| reading.efficiency).collect();
    values.sort_unstable_by(f64::total_cmp);
    let median = *values.get(values.len() / 2)?;
    values.retain(|value| (value / median - 1.0).abs() <= 0.1);
    Some(MeanEfficiency { mean: values.iter().sum::<f64>() / values.len() as f64, curves: values.len() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::curve::Reason;

    #[test]
    fn an_exponential_has_its_own_efficiency() {
        let growth = |i: usize| 1.93f64.powi(i as i32);
        assert!((of_curve(growth, 20.0, 1e-3).unwrap() - 1.93).abs() < 1e-9);
        assert_eq!(of_curve(growth, 20.0, 1e6), None, "all noise");
    }

    #[test]
    fn the_mean_leaves_out_strangers_and_negatives() {
        let with = |call, efficiency| Reading { call, efficiency: Some(efficiency), ..Reading::unreadable(Reason::Constant) };
        let readings =
            [with(Call::Positive, 1.90), with(Call::Positive, 1.94), with(Call::Positive, 1.92), with(Call::Positive, 2.60), with(Call::Negative, 1.20)];
        let mean = mean_efficiency(&readings).unwrap();
        assert!((mean.mean - 1.92).abs() < 1e-9);
        assert_eq!(mean.curves, 3);
        assert_eq!(mean_efficiency(&readings[4..]), None);
    }
}
