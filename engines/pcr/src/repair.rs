//! From what the instrument wrote to a gapless curve: gaps, spikes, jumping first cycles. What is mended is marked.

use crate::curve::{Curve, Reason};

/// Shortest curve that is read.
pub(crate) const MIN_CYCLES: usize = 10;
/// Longer curves (isothermal runs read every few seconds) are averaged in blocks down to at most this many points.
pub(crate) const MAX_POINTS: usize = 128;

/// Longer holes are not bridged: a whole rise fits into them.
const MOST_NEIGHBOURS_MISSING: usize = 4;

/// A repaired curve, reused from call to call so that reading allocates nothing per cycle.
#[derive(Debug, Default)]
pub(crate) struct Repaired {
    pub axis: Vec<f64>,
    pub values: Vec<f64>,
    /// Standard deviation of one reading, estimated from second differences; always above zero.
    pub noise: f64,
    scratch: Vec<f64>,
}

/// Every reason, in order.
pub(crate) const ALL_REASONS: [Reason; 23] = [
    Reason::LengthMismatch,
    Reason::TooFewCycles,
    Reason::AxisNotIncreasing,
    Reason::TooManyGaps,
    Reason::Constant,
    Reason::GapsFilled,
    Reason::SpikeRepaired,
    Reason::FirstCyclesRepaired,
    Reason::Saturated,
    Reason::Jump,
    Reason::LowSignal,
    Reason::Drift,
    Reason::SlowRise,
    Reason::LateRise,
    Reason::ShortBaseline,
    Reason::NoPlateau,
    Reason::Hook,
    Reason::Divided,
    Reason::UnusualEfficiency,
    Reason::CqMethodFailed,
    Reason::ThresholdMissing,
    Reason::ReplicatesDisagree,
    Reason::ReplicateOutlier,
];

/// Reasons collected while reading, as a bit per variant.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reasons(u32);

impl Reasons {
    pub fn add(&mut self, reason: Reason) {
        self.0 |= 1 << reason as u32;
    }

    pub fn add_if(&mut self, condition: bool, reason: Reason) {
        self.0 |= u32::from(condition) << reason as u32;
    }

    pub fn has(self, reason: Reason) -> bool {
        self.0 & (1 << reason as u32) != 0
    }

    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub fn to_vec(self, all: &[Reason]) -> Vec<Reason> {
        all.iter().copied().filter(|&reason| self.has(reason)).collect()
    }
}

impl Repaired {
    /// Fills `self` from `curve`; the error says why it cannot be read.
    pub fn load(&mut self, curve: &Curve, reasons: &mut Reasons) -> Result<(), Reason> {
        if curve.cycles.len() != curve.fluorescence.len() {
            return Err(Reason::LengthMismatch);
        }
        self.copy_finite_span(curve)?;
        self.insert_missing_cycles();
        self.fill_gaps(reasons)?;
        self.bring_to_cycles();
        self.average_blocks();
        let (low, high) = self.range()?;
        self.normalise_guard(low, high);
        self.noise = self.estimate_noise();
        self.remove_spikes(reasons);
        self.mend_first_cycles(reasons);
        // What was mended away may have been the only feature, or all that gave the curve its magnitude.
        let (low, high) = self.range()?;
        self.normalise_guard(low, high);
        self.noise = self.estimate_noise();
        Ok(())
    }

    fn range(&self) -> Result<(f64, f64), Reason> {
        let (low, high) = extremes(&self.values);
        if high - low <= 1e-12 * low.abs().max(high.abs()) { Err(Reason::Constant) } else { Ok((low, high)) }
    }

    /// Copies from the first to the last finite value; missing ends (empty cells) are simply not part of the curve.
    fn copy_finite_span(&mut self, curve: &Curve) -> Result<(), Reason> {
        let readable = |value: &f64| value.is_finite() && value.abs() < 1e100;
        let first = curve.fluorescence.iter().position(readable).ok_or(Reason::TooManyGaps)?;
        let last = curve.fluorescence.iter().rposition(readable).ok_or(Reason::TooManyGaps)?;
        let axis = &curve.cycles[first..=last];
        if axis.len() < MIN_CYCLES {
            return Err(Reason::TooFewCycles);
        }
        let increasing = axis.windows(2).all(|pair| pair[1] > pair[0]);
        if !increasing || axis.iter().any(|value| !value.is_finite() || value.abs() > 1e9) {
            return Err(Reason::AxisNotIncreasing);
        }
        self.axis.clear();
        self.axis.extend_from_slice(axis);
        self.values.clear();
        self.values.extend(curve.fluorescence[first..=last].iter().map(|v| if readable(v) { *v } else { f64::NAN }));
        Ok(())
    }

    /// Rows left out of an export leave a hole in the axis: the cycles are put back, empty, for the gaps to be filled.
    fn insert_missing_cycles(&mut self) {
        let uneven = self.axis.windows(2).any(|pair| pair[1] - pair[0] > 1.5 * (self.axis[1] - self.axis[0]));
        if !uneven && self.axis.windows(2).all(|pair| pair[1] - pair[0] > 0.7 * (self.axis[1] - self.axis[0])) {
            return;
        }
        let step = self.middle_step();
        // How many steps lie between two rows; an irregular axis is left as it is.
        let apart = |pair: &[f64]| Some((pair[1] - pair[0]) / step).filter(|steps| (steps - steps.round()).abs() < 0.2).map(f64::round);
        let Some(missing) = self.axis.windows(2).map(|pair| apart(pair).map(|steps| steps - 1.0)).sum::<Option<f64>>() else { return };
        if !(1.0..=self.values.len() as f64 / 2.0).contains(&missing) {
            return;
        }
        let (old_axis, old_values) = (std::mem::take(&mut self.axis), std::mem::take(&mut self.values));
        for (index, (&cycle, &value)) in old_axis.iter().zip(&old_values).enumerate() {
            if let Some(before) = self.axis.last().copied() {
                let steps = ((cycle - old_axis[index - 1]) / step).round();
                for inserted in 1..steps as usize {
                    self.axis.push(before + (cycle - before) * inserted as f64 / steps);
                    self.values.push(f64::NAN);
                }
            }
            self.axis.push(cycle);
            self.values.push(value);
        }
    }

    fn middle_step(&mut self) -> f64 {
        self.scratch.clear();
        self.scratch.extend(self.axis.windows(2).map(|pair| pair[1] - pair[0]));
        let middle = self.scratch.len() / 2;
        let (_, median, _) = self.scratch.select_nth_unstable_by(middle, f64::total_cmp);
        *median
    }

    /// A curve read twice a cycle, or every second one, is brought to one value per cycle: how fast amplification rises is
    /// known per cycle. Axes that cannot be cycles (seconds) are left as they are.
    fn bring_to_cycles(&mut self) {
        let (first, last) = (self.axis[0], self.axis[self.axis.len() - 1]);
        let (span, step) = (last - first, (last - first) / (self.axis.len() - 1) as f64);
        let even = self.axis.windows(2).all(|pair| ((pair[1] - pair[0]) / step - 1.0).abs() < 0.2);
        if !even || (0.8..1.25).contains(&step) || !(MIN_CYCLES as f64 - 1.0..MAX_POINTS as f64).contains(&span) {
            return;
        }
        let count = span.floor() as usize + 1;
        let old = std::mem::take(&mut self.values);
        self.values.extend((0..count).map(|cycle| between(&old, cycle as f64 / step)));
        self.axis.clear();
        self.axis.extend((0..count).map(|cycle| first + cycle as f64));
    }

    /// Interpolates gaps of a few cycles.
    fn fill_gaps(&mut self, reasons: &mut Reasons) -> Result<(), Reason> {
        let missing = self.values.iter().filter(|value| value.is_nan()).count();
        if missing == 0 {
            return Ok(());
        }
        let run = MOST_NEIGHBOURS_MISSING + 1;
        if missing * 5 > self.values.len() || self.values.windows(run).any(|neighbours| neighbours.iter().all(|v| v.is_nan())) {
            return Err(Reason::TooManyGaps);
        }
        reasons.add(Reason::GapsFilled);
        for index in 0..self.values.len() {
            if !self.values[index].is_nan() {
                continue;
            }
            // The ends are finite and earlier gaps are filled already, so both neighbours exist.
            let right = (index + 1..self.values.len()).find(|&i| !self.values[i].is_nan()).unwrap_or(index - 1);
            let share = (self.axis[index] - self.axis[index - 1]) / (self.axis[right] - self.axis[index - 1]);
            self.values[index] = self.values[index - 1] + share * (self.values[right] - self.values[index - 1]);
        }
        Ok(())
    }

    /// Bounds the length so that a very long export cannot cost more than a normal curve.
    fn average_blocks(&mut self) {
        let block = self.values.len().div_ceil(MAX_POINTS);
        if block < 2 {
            return;
        }
        let kept = self.values.len() / block;
        for target in 0..kept {
            let span = target * block..(target + 1) * block;
            self.values[target] = self.values[span.clone()].iter().sum::<f64>() / block as f64;
            self.axis[target] = self.axis[span].iter().sum::<f64>() / block as f64;
        }
        self.values.truncate(kept);
        self.axis.truncate(kept);
    }

    /// Brings fluorescence of extreme magnitude into a range where squares neither overflow nor vanish.
    fn normalise_guard(&mut self, low: f64, high: f64) {
        let span = high - low;
        if (1e-60..1e60).contains(&span) {
            return;
        }
        // Only ever reached by broken exports: shape is kept, the unit is lost.
        self.values.iter_mut().for_each(|value| *value = (*value - low) / span);
    }

    /// Robust noise of one reading: the second difference of white noise has variance 6 σ².
    fn estimate_noise(&mut self) -> f64 {
        let second = self.values.windows(3).map(|w| (w[0] - 2.0 * w[1] + w[2]).abs());
        self.scratch.clear();
        self.scratch.extend(second);
        let middle = self.scratch.len() / 2;
        let (_, median, _) = self.scratch.select_nth_unstable_by(middle, f64::total_cmp);
        let robust = 1.4826 * *median / 6f64.sqrt();
        let (low, high) = extremes(&self.values);
        // Exports rounded to few digits can have a median of zero.
        robust.max((high - low) * 1e-5)
    }

    /// A spike leaves its two neighbours and returns: both steps are large, opposite, and nearly equal.
    fn remove_spikes(&mut self, reasons: &mut Reasons) {
        let (low, high) = extremes(&self.values);
        let least = (12.0 * self.noise).max(0.03 * (high - low));
        for index in 2..self.values.len() - 2 {
            let (before, after) = (self.values[index - 1], self.values[index + 1]);
            let bridge = 0.5 * (before + after);
            let height = self.values[index] - bridge;
            let surroundings = (before - self.values[index - 2]).abs().max((self.values[index + 2] - after).abs());
            if height.abs() > least && height.abs() > 4.0 * surroundings.max((after - before).abs()) {
                self.values[index] = bridge;
                reasons.add(Reason::SpikeRepaired);
            }
        }
    }

    /// Replaces a jump of the first one or two cycles by the line through the cycles that follow.
    fn mend_first_cycles(&mut self, reasons: &mut Reasons) {
        const FROM: usize = 2;
        let span = &self.values[FROM..FROM + 6];
        let (level, slope) = line(span);
        let (low, high) = extremes(&self.values);
        let residual = span.iter().enumerate().map(|(i, v)| (v - level - slope * i as f64).abs()).fold(0.0, f64::max);
        let least = (8.0 * self.noise).max(3.0 * residual).max(0.01 * (high - low));
        for index in 0..FROM {
            let expected = level + slope * (index as f64 - FROM as f64);
            if (self.values[index] - expected).abs() > least {
                self.values[index] = expected;
                reasons.add(Reason::FirstCyclesRepaired);
            }
        }
    }
}

/// The cubic through the four values around `position` (Catmull and Rom), which does not break the slope as a line would.
fn between(values: &[f64], position: f64) -> f64 {
    let whole = (position.max(0.0) as usize).min(values.len() - 2);
    let t = position - whole as f64;
    let (left, right) = (values[whole], values[whole + 1]);
    let before = if whole > 0 { values[whole - 1] } else { 2.0 * left - right };
    let after = values.get(whole + 2).copied().unwrap_or(2.0 * right - left);
    let (slope_left, slope_right) = (0.5 * (right - before), 0.5 * (after - left));
    let rest = 2.0 * (left - right) + slope_left + slope_right;
    left + t * (slope_left + t * (3.0 * (right - left) - 2.0 * slope_left - slope_right + t * rest))
}

/// Lowest and highest value.
pub(crate) fn extremes(values: &[f64]) -> (f64, f64) {
    values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &v| (low.min(v), high.max(v)))
}

/// Least-squares line over equally spaced values: (value at the first, slope per step).
pub(crate) fn line(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let centre = (n - 1.0) / 2.0;
    let mean = values.iter().sum::<f64>() / n;
    let across: f64 = values.iter().enumerate().map(|(i, v)| (i as f64 - centre) * (v - mean)).sum();
    let spread = n * (n * n - 1.0) / 12.0;
    let slope = if spread > 0.0 { across / spread } else { 0.0 };
    (mean - slope * centre, slope)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(cycles: &[f64], fluorescence: &[f64]) -> (Result<Repaired, Reason>, Reasons) {
        let (mut repaired, mut reasons) = (Repaired::default(), Reasons::default());
        let result = repaired.load(&Curve { cycles, fluorescence }, &mut reasons);
        (result.map(|()| repaired), reasons)
    }

    fn axis(n: usize) -> Vec<f64> {
        (1..=n).map(|c| c as f64).collect()
    }

    fn ripple(n: usize) -> Vec<f64> {
        (0..n).map(|i| 100.0 + i as f64 + [0.0, 0.3, -0.2, 0.1][i % 4]).collect()
    }

    #[test]
    fn says_why_a_curve_cannot_be_read() {
        assert_eq!(load(&axis(20), &ripple(19)).0.unwrap_err(), Reason::LengthMismatch);
        assert_eq!(load(&axis(9), &ripple(9)).0.unwrap_err(), Reason::TooFewCycles);
        assert_eq!(load(&[], &[]).0.unwrap_err(), Reason::TooManyGaps);
        assert_eq!(load(&axis(20), &[f64::NAN; 20]).0.unwrap_err(), Reason::TooManyGaps);
        assert_eq!(load(&axis(20), &[5.0; 20]).0.unwrap_err(), Reason::Constant);
        let mut backwards = axis(20);
        backwards.swap(3, 4);
        assert_eq!(load(&backwards, &ripple(20)).0.unwrap_err(), Reason::AxisNotIncreasing);
        let mut holes = ripple(20);
        holes[5..10].fill(f64::NAN);
        assert_eq!(load(&axis(20), &holes).0.unwrap_err(), Reason::TooManyGaps);
    }

    #[test]
    fn empty_cells_at_the_end_shorten_the_curve_and_inside_are_bridged() {
        let mut values = ripple(30);
        values[25..].fill(f64::NAN);
        values[10] = f64::NAN;
        let (result, reasons) = load(&axis(30), &values);
        let repaired = result.unwrap();
        assert_eq!(repaired.values.len(), 25);
        assert!(reasons.has(Reason::GapsFilled));
        assert!((repaired.values[10] - 110.0).abs() < 1.0);
    }

    #[test]
    fn rows_left_out_are_put_back() {
        let values: Vec<f64> = ripple(40);
        let keep = |index: usize| ![7, 20, 21].contains(&index);
        let pick = |all: &[f64]| all.iter().enumerate().filter(|(index, _)| keep(*index)).map(|(_, value)| *value).collect::<Vec<_>>();
        let (result, reasons) = load(&pick(&axis(40)), &pick(&values));
        let repaired = result.unwrap();
        assert_eq!(repaired.axis, axis(40));
        assert!(reasons.has(Reason::GapsFilled));
        assert!((repaired.values[21] - values[21]).abs() < 1.0);
    }

    #[test]
    fn other_steps_are_brought_to_cycles_and_seconds_are_not() {
        let rise = |cycle: f64| 5.0 / (1.0 + (-0.6 * (cycle - 22.0)).exp()) + 0.01 * (cycle * 3.7).sin();
        for step in [0.5, 1.5, 2.0] {
            let cycles: Vec<f64> = (0..).map(|i| 1.0 + step * f64::from(i)).take_while(|cycle| *cycle <= 40.0).collect();
            let values: Vec<f64> = cycles.iter().map(|cycle| rise(*cycle)).collect();
            let repaired = load(&cycles, &values).0.unwrap();
            assert!(repaired.axis.iter().zip(axis(39)).all(|(have, want)| *have == want), "step {step}");
            assert!(repaired.axis.iter().zip(&repaired.values).all(|(cycle, value)| (value - rise(*cycle)).abs() < 0.1), "step {step}");
        }
        let seconds: Vec<f64> = axis(30).iter().map(|cycle| cycle * 60.0).collect();
        assert_eq!(load(&seconds, &ripple(30)).0.unwrap().axis, seconds);
    }

    #[test]
    fn a_spike_and_jumping_first_cycles_are_mended_and_marked() {
        let mut values = ripple(30);
        values[12] += 60.0;
        values[0] -= 40.0;
        let (result, reasons) = load(&axis(30), &values);
        let repaired = result.unwrap();
        assert!(reasons.has(Reason::SpikeRepaired) && reasons.has(Reason::FirstCyclesRepaired));
        assert!((repaired.values[12] - 112.0).abs() < 1.0);
        assert!((repaired.values[0] - 100.0).abs() < 1.5);
    }

    #[test]
    fn long_exports_are_averaged_to_a_bounded_length() {
        let (result, _) = load(&axis(5000), &ripple(5000));
        assert!(result.unwrap().values.len() <= MAX_POINTS);
    }
}
