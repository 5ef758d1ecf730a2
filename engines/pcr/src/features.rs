//! What the decision looks at. Every feature is unchanged when fluorescence is scaled or an offset is added.

use crate::baseline::Baseline;
use crate::derivative::{Derivatives, vertex};
use crate::repair::Repaired;

/// Shape and signal of one repaired curve. Positions are indices into the repaired curve.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Features {
    /// Second-derivative maximum.
    pub turn: f64,
    /// First-derivative maximum.
    pub steepest: f64,
    pub baseline: Baseline,
    /// Greatest height of the smoothed curve above the baseline.
    pub height: f64,
    /// `height` in units of the noise.
    pub signal_to_noise: f64,
    /// Second derivative at `turn` in units of its own noise.
    pub bend_to_noise: f64,
    /// Logistic rate per cycle, 4 × steepest slope ÷ height: about 0.3 to 1 for amplification, 0.1 for a straight drift.
    pub rate: f64,
    /// Mean slope of the last four cycles ÷ steepest slope; near 1 when no plateau is in sight.
    pub end_slope: f64,
    /// Share of the height lost again after the maximum.
    pub drop: f64,
}

impl Features {
    pub fn of(curve: &Repaired, tracks: &Derivatives) -> Features {
        let n = curve.values.len();
        let (steepest, slope) = vertex(&tracks.first, 2, n - 1).unwrap_or((0.0, 0.0));
        let latest = (steepest.round() as usize + 1).clamp(3, n);
        let (turn, bend) =
            vertex(&tracks.second, latest.saturating_sub(15).max(2), latest).unwrap_or((0.0, 0.0));
        let baseline = Baseline::fit(&curve.values, turn);
        let above = |index: usize| tracks.smooth[index] - baseline.at(index);
        let height = (latest.saturating_sub(1)..n).map(above).fold(0.0, f64::max);
        let end_height = above(n - 1);
        let net_slope = slope - baseline.slope;
        let tail = tracks.first[n - 4..].iter().sum::<f64>() / 4.0 - baseline.slope;
        Features {
            turn,
            steepest,
            baseline,
            height,
            signal_to_noise: height / curve.noise,
            bend_to_noise: bend / (curve.noise * SECOND_NOISE),
            rate: if height > 0.0 {
                4.0 * net_slope / height
            } else {
                0.0
            },
            end_slope: if net_slope > 0.0 {
                tail / net_slope
            } else {
                1.0
            },
            drop: if height > 0.0 {
                (height - end_height) / height
            } else {
                0.0
            },
        }
    }
}

/// Noise of the smoothed second derivative when one reading has noise 1: root of the sum of squared weights.
const SECOND_NOISE: f64 = 0.109;
