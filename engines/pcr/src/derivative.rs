//! Smoothed curve and its derivatives per cycle (Savitzky and Golay 1964, seven points, quadratic).

/// Half width of the smoothing window in cycles.
const REACH: usize = 3;
const SMOOTH: [f64; 7] = [-2.0 / 21.0, 3.0 / 21.0, 6.0 / 21.0, 7.0 / 21.0, 6.0 / 21.0, 3.0 / 21.0, -2.0 / 21.0];
const FIRST: [f64; 7] = [-3.0 / 28.0, -2.0 / 28.0, -1.0 / 28.0, 0.0, 1.0 / 28.0, 2.0 / 28.0, 3.0 / 28.0];
const SECOND: [f64; 7] = [5.0 / 42.0, 0.0, -3.0 / 42.0, -4.0 / 42.0, -3.0 / 42.0, 0.0, 5.0 / 42.0];

/// Noise of the second derivative when one reading has noise 1: root of the sum of its squared weights.
pub(crate) const SECOND_NOISE: f64 = 0.218_217_890_235_992_4;

/// Half width of the window in which a rise that hardly leaves the noise still shows.
const WIDE_REACH: usize = 6;
/// Second derivative over thirteen points, each weight times 1001; the window is symmetric, so half of it and the middle.
const WIDE: [f64; WIDE_REACH + 1] = [22.0, 11.0, 2.0, -5.0, -10.0, -13.0, -14.0];
const WIDE_UNIT: f64 = 1001.0;
/// Noise of the wide second derivative when one reading has noise 1.
pub(crate) const WIDE_NOISE: f64 = 0.044_699_015_626_767_42;

/// Change per cycle of a curve, smoothed; nothing for one that is too short or has gaps.
pub fn slopes(values: &[f64]) -> Vec<f64> {
    if values.len() <= 2 * REACH + 1 || values.iter().any(|value| !value.is_finite()) {
        return Vec::new();
    }
    let mut derivatives = Derivatives::default();
    derivatives.fill(values);
    derivatives.first
}

/// Derivatives of one curve, reused from call to call.
#[derive(Debug, Default)]
pub(crate) struct Derivatives {
    pub smooth: Vec<f64>,
    pub first: Vec<f64>,
    pub second: Vec<f64>,
    /// The second derivative over a window twice as wide: blurred, with a fifth of the noise.
    pub wide: Vec<f64>,
    padded: Vec<f64>,
}

impl Derivatives {
    /// Fills the tracks from equally spaced values (at least eight).
    pub fn fill(&mut self, values: &[f64]) {
        self.pad(values);
        for track in [&mut self.smooth, &mut self.first, &mut self.second, &mut self.wide] {
            track.clear();
        }
        let narrow = WIDE_REACH - REACH;
        for window in self.padded[narrow..self.padded.len() - narrow].windows(2 * REACH + 1) {
            let dot = |weights: &[f64; 7]| window.iter().zip(weights).map(|(v, w)| v * w).sum::<f64>();
            self.smooth.push(dot(&SMOOTH));
            self.first.push(dot(&FIRST));
            self.second.push(dot(&SECOND));
        }
        for window in self.padded.windows(2 * WIDE_REACH + 1) {
            let pairs: f64 = (0..WIDE_REACH).map(|i| WIDE[i] * (window[i] + window[2 * WIDE_REACH - i])).sum();
            self.wide.push((pairs + WIDE[WIDE_REACH] * window[WIDE_REACH]) / WIDE_UNIT);
        }
    }

    /// Continues the curve beyond its ends by point reflection, which keeps a straight line straight.
    fn pad(&mut self, values: &[f64]) {
        let last = values.len() - 1;
        self.padded.clear();
        self.padded.extend((1..=WIDE_REACH).rev().map(|i| 2.0 * values[0] - values[i]));
        self.padded.extend_from_slice(values);
        self.padded.extend((1..=WIDE_REACH).map(|i| 2.0 * values[last] - values[last - i]));
    }
}

/// Position of the largest value in `track[from..to]`, refined by the parabola through its neighbours, and its height.
pub(crate) fn vertex(track: &[f64], from: usize, to: usize) -> Option<(f64, f64)> {
    let to = to.min(track.len());
    let peak = (from..to).max_by(|&a, &b| track[a].total_cmp(&track[b]))?;
    if peak == 0 || peak + 1 >= track.len() {
        return Some((peak as f64, track[peak]));
    }
    let (left, middle, right) = (track[peak - 1], track[peak], track[peak + 1]);
    let bend = left - 2.0 * middle + right;
    if bend >= 0.0 {
        return Some((peak as f64, middle));
    }
    let shift = (0.5 * (left - right) / bend).clamp(-0.5, 0.5);
    Some((peak as f64 + shift, middle - 0.25 * (left - right) * shift))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parabola_has_its_own_derivatives() {
        let values: Vec<f64> = (0..30).map(|i| 0.5 * (i * i) as f64 - 3.0 * i as f64).collect();
        let mut tracks = Derivatives::default();
        tracks.fill(&values);
        assert_eq!(tracks.smooth.len(), 30);
        for (i, value) in values.iter().enumerate().take(25).skip(5) {
            assert!((tracks.smooth[i] - value).abs() < 1e-9);
            assert!((tracks.first[i] - (i as f64 - 3.0)).abs() < 1e-9);
            assert!((tracks.second[i] - 1.0).abs() < 1e-9);
            assert!(!(6..24).contains(&i) || (tracks.wide[i] - 1.0).abs() < 1e-9);
        }
    }

    #[test]
    fn the_stated_noise_is_that_of_the_weights() {
        let narrow: f64 = SECOND.iter().map(|w| w * w).sum();
        let pairs: f64 = WIDE[..WIDE_REACH].iter().map(|w| 2.0 * w * w).sum();
        let wide = (pairs + WIDE[WIDE_REACH].powi(2)) / WIDE_UNIT.powi(2);
        assert!((narrow.sqrt() - SECOND_NOISE).abs() < 1e-12 && (wide.sqrt() - WIDE_NOISE).abs() < 1e-12);
    }

    #[test]
    fn the_vertex_of_a_sampled_parabola_is_exact() {
        let track: Vec<f64> = (0..20).map(|i| 7.0 - (i as f64 - 11.3).powi(2)).collect();
        let (position, height) = vertex(&track, 0, 20).unwrap();
        assert!((position - 11.3).abs() < 1e-12 && (height - 7.0).abs() < 1e-12);
    }
}
