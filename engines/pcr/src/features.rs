//! What the decision looks at. Every feature is unchanged when fluorescence is scaled or an offset is added.

use crate::baseline::Baseline;
use crate::derivative::{Derivatives, SECOND_NOISE, WIDE_NOISE, vertex};
use crate::repair::{Repaired, line};

/// Cycles after the turn within which the steepest rise is looked for.
const RISE_REACH: usize = 15;
/// Cycles around the bend of the wide window within which the turn is looked for.
const TURN_REACH: usize = 4;

/// Geometry of one repaired curve. Positions are indices into the repaired curve.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    pub cycles: usize,
    /// Second-derivative maximum.
    pub turn: f64,
    /// First-derivative maximum after the turn.
    pub steepest: f64,
    /// Slope at `steepest` above the slope of the baseline.
    pub slope: f64,
    pub bend: f64,
    /// Greatest second derivative over the wide window.
    pub wide_bend: f64,
    pub baseline: Baseline,
    /// Greatest height of the smoothed curve above the baseline, at or after `steepest`.
    pub height: f64,
    pub end_height: f64,
    pub noise: f64,
}

impl Shape {
    pub fn of(curve: &Repaired, tracks: &Derivatives) -> Shape {
        let n = curve.values.len();
        // Where the rise begins is found where noise hardly reaches, and then looked at sharply.
        let about = beginning(tracks);
        let wide_bend = tracks.wide[about];
        let (turn, bend) = vertex(&tracks.second, about.saturating_sub(TURN_REACH).max(2), (about + TURN_REACH + 1).min(n - 2)).unwrap_or((0.0, 0.0));
        let from = (turn.round() as usize).min(n - 2);
        let (steepest, slope) = vertex(&tracks.first, from, from + RISE_REACH).unwrap_or((0.0, 0.0));
        let baseline = Baseline::fit(&curve.values, turn);
        let above = |index: usize| tracks.smooth[index] - baseline.at(index);
        let height = (steepest as usize..n).map(above).fold(0.0, f64::max);
        Shape { cycles: n, turn, steepest, slope: slope - baseline.slope, bend, wide_bend, baseline, height, end_height: above(n - 1), noise: curve.noise }
    }

    /// Index at which the smoothed curve last rises through `height` on its way to the steepest point, or first after it.
    pub fn crossing(&self, tracks: &Derivatives, height: f64) -> Option<f64> {
        let above = |i: usize| tracks.smooth[i] - self.baseline.at(i) - height;
        let last = self.cycles - 1;
        let steepest = (self.steepest.round() as usize).min(last);
        let start = if above(steepest) >= 0.0 {
            (0..steepest).rev().find(|&i| above(i) < 0.0)?
        } else {
            (steepest..last).find(|&i| above(i) < 0.0 && above(i + 1) >= 0.0)?
        };
        let (below, over) = (above(start), above(start + 1));
        Some(start as f64 + below / (below - over))
    }
}

/// Index at which a rise begins most clearly: bends upwards, and climbs steeply soon after. The bend alone would also be
/// found where the first cycles settle.
fn beginning(tracks: &Derivatives) -> usize {
    let n = tracks.wide.len();
    let climb = |index: usize| tracks.first[index..n.min(index + RISE_REACH)].iter().fold(0.0, |high: f64, slope| high.max(*slope));
    let (mut best, mut found) = (f64::NEG_INFINITY, 2);
    for index in 2..n - 2 {
        let bend = tracks.wide[index];
        let score = if bend > 0.0 { bend * climb(index) } else { bend };
        if score > best {
            (best, found) = (score, index);
        }
    }
    found
}

/// Cycles after the turn that the line and the parabola are fitted to; a plateau of any length beyond must not matter.
const POLYNOMIAL_REACH: usize = 15;

/// Number of features.
pub const FEATURES: usize = 20;
/// Their names, in order.
pub const FEATURE_NAMES: [&str; FEATURES] = [
    "ln_signal_to_noise",
    "ln_signal_to_wander",
    "ln_bend_to_noise",
    "rate",
    "growth_at_turn",
    "share_at_turn",
    "turn_to_steepest",
    "lower_rise",
    "upper_rise",
    "end_slope",
    "drop",
    "cycles_after_turn",
    "cycles_before_turn",
    "quadratic_residual",
    "quadratic_share",
    "baseline_drift",
    "descent",
    "ln_bend_rank",
    "greatest_step",
    "ln_wide_bend_to_noise",
];

/// Index of a feature by name, resolved when compiled with a constant name.
pub(crate) const fn feature(name: &str) -> usize {
    let mut index = 0;
    while index < FEATURES {
        if same(FEATURE_NAMES[index].as_bytes(), name.as_bytes()) {
            return index;
        }
        index += 1;
    }
    panic!("no such feature")
}

const fn same(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let mut index = 0;
    while index < a.len() {
        if a[index] != b[index] {
            return false;
        }
        index += 1;
    }
    true
}

/// The feature vector; every entry is finite and bounded.
pub(crate) fn vector(shape: &Shape, curve: &Repaired, tracks: &Derivatives) -> [f64; FEATURES] {
    let n = shape.cycles;
    let height = shape.height.max(1e-9 * shape.noise);
    let ratio = |value: f64, low: f64, high: f64| (value / height).clamp(low, high);
    let log = |value: f64, low: f64, high: f64| value.max(1e-12).ln().clamp(low, high);
    let window = shape.baseline.start..shape.baseline.start + shape.baseline.length;
    let wander = window.clone().map(|i| (curve.values[i] - shape.baseline.at(i)).powi(2)).sum::<f64>();
    let wander = (wander / window.len() as f64).sqrt().max(shape.noise);
    let at_turn = (shape.turn.round() as usize).min(n - 1);
    let turn_height = (tracks.smooth[at_turn] - shape.baseline.at(at_turn)).max(shape.noise);
    let cross = |share: f64, missing: f64| shape.crossing(tracks, share * height).unwrap_or(missing);
    let (tenth, half) = (cross(0.1, 0.0), cross(0.5, shape.steepest));
    let most = cross(0.9, n as f64);
    let tail = tracks.first[n - 4..].iter().sum::<f64>() / 4.0 - shape.baseline.slope;
    let (line_rms, quadratic_rms) = polynomial_residuals(&curve.values[..n.min(at_turn + POLYNOMIAL_REACH)]);
    let descent: f64 = tracks.smooth[at_turn..].windows(2).map(|w| (w[0] - w[1]).max(0.0)).sum();
    let second_best = runner_up(&tracks.wide, at_turn);
    [
        log(shape.height / shape.noise, -1.0, 8.0),
        log(shape.height / wander, -1.0, 7.0),
        log(shape.bend / (shape.noise * SECOND_NOISE), -1.0, 7.0),
        (4.0 * shape.slope / height).clamp(0.0, 3.0),
        ((tracks.first[at_turn] - shape.baseline.slope) / turn_height).clamp(-0.2, 1.2),
        ratio(turn_height, 0.0, 1.0),
        (shape.steepest - shape.turn).clamp(0.0, 15.0),
        (half - tenth).clamp(0.0, 20.0),
        (most - half).clamp(0.0, 25.0),
        if shape.slope > 0.0 { (tail / shape.slope).clamp(-0.5, 1.0) } else { 1.0 },
        ratio(shape.height - shape.end_height, 0.0, 1.0),
        (n as f64 - shape.turn).clamp(0.0, 20.0),
        shape.turn.clamp(0.0, 15.0),
        log(quadratic_rms / shape.noise, -1.0, 7.0),
        if line_rms > 0.0 { (quadratic_rms / line_rms).clamp(0.0, 1.0) } else { 1.0 },
        ratio(shape.baseline.slope * 40.0, -2.0, 2.0),
        ratio(descent, 0.0, 2.0),
        log(shape.wide_bend / second_best.max(1e-12 * height), 0.0, 5.0),
        ratio(greatest_step(&curve.values, at_turn), 0.0, 1.5),
        log(shape.wide_bend / (shape.noise * WIDE_NOISE), -1.0, 8.0),
    ]
}

/// Greatest rise from one cycle to the next around the turn: a fifth of the height for amplification, all of it for a step.
fn greatest_step(values: &[f64], turn: usize) -> f64 {
    let span = &values[turn.saturating_sub(2)..values.len().min(turn + RISE_REACH)];
    span.windows(2).map(|pair| pair[1] - pair[0]).fold(0.0, f64::max)
}

/// Greatest second derivative at least nine cycles away from the turn.
fn runner_up(second: &[f64], turn: usize) -> f64 {
    let far = |&(index, _): &(usize, &f64)| index.abs_diff(turn) >= 9;
    let inner = second.iter().enumerate().take(second.len() - 2).skip(2);
    inner.filter(far).map(|(_, value)| *value).fold(0.0, f64::max)
}

/// Root mean square residual about the least-squares line and about the least-squares parabola.
fn polynomial_residuals(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let (level, slope) = line(values);
    let centre = (n - 1.0) / 2.0;
    let spread = (n * n - 1.0) / 12.0;
    let (mut square, mut across, mut norm) = (0.0, 0.0, 0.0);
    for (index, value) in values.iter().enumerate() {
        let t = index as f64;
        let residual = value - level - slope * t;
        // The quadratic orthogonal to the line.
        let curved = (t - centre).powi(2) - spread;
        square += residual * residual;
        across += residual * curved;
        norm += curved * curved;
    }
    let bent = (square - across * across / norm).max(0.0);
    ((square / n).sqrt(), (bent / n).sqrt())
}
