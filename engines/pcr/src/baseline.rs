//! The fluorescence before amplification shows, as a straight line that ends well before the curve turns up.

use crate::repair::line;

/// Cycles kept between the end of the baseline window and the second-derivative maximum.
const MARGIN: usize = 5;
/// Windows shorter than this give a level only; a slope from so few cycles, extrapolated to the plateau, is noise.
const LEAST_FOR_SLOPE: usize = 8;

/// `level + slope * index`, index 0 being the first cycle read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Baseline {
    pub level: f64,
    pub slope: f64,
    /// Number of cycles the line was fitted on, starting at `start`.
    pub start: usize,
    pub length: usize,
}

impl Baseline {
    /// Fits the line on the cycles before `turn` (the index of the second-derivative maximum).
    pub fn fit(values: &[f64], turn: f64) -> Baseline {
        let end = (turn.max(0.0) as usize).saturating_sub(MARGIN).clamp(3, values.len());
        // The first two cycles settle thermally; they are used only when there is little else.
        let start = if end >= LEAST_FOR_SLOPE + 2 { 2 } else { 0 };
        let window = &values[start..end];
        if window.len() < LEAST_FOR_SLOPE {
            let level = window.iter().sum::<f64>() / window.len() as f64;
            return Baseline { level, slope: 0.0, start, length: window.len() };
        }
        let (first, slope) = line(window);
        Baseline { level: first - slope * start as f64, slope, start, length: window.len() }
    }

    pub fn at(&self, index: usize) -> f64 {
        self.level + self.slope * index as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_a_drift_and_ignores_the_rise() {
        let values: Vec<f64> = (0..40).map(|i| 10.0 + 0.2 * i as f64 + if i > 25 { 50.0 } else { 0.0 }).collect();
        let baseline = Baseline::fit(&values, 25.0);
        assert!((baseline.level - 10.0).abs() < 1e-9 && (baseline.slope - 0.2).abs() < 1e-9);
        assert!((baseline.at(30) - 16.0).abs() < 1e-9);
    }

    #[test]
    fn an_early_rise_leaves_a_level_without_slope() {
        let values: Vec<f64> = (0..40).map(|i| if i > 6 { 50.0 } else { i as f64 * 0.1 }).collect();
        let baseline = Baseline::fit(&values, 7.0);
        assert_eq!((baseline.length, baseline.slope), (3, 0.0));
    }
}
