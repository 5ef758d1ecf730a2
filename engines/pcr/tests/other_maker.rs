//! Curves made by another maker than the one the classifier was trained on: template doubles until the reaction is used up
//! (mass action), on baselines that drift, settle, wander, step and dry out. The truth is known because we made them.

#![allow(clippy::print_stderr)] // says what was measured

use std::collections::BTreeMap;

use baton_pcr::simulate::axis;
use baton_pcr::{Call, Curve, Reader, Settings};

struct Chance(u64);

impl Chance {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
    }

    fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.uniform()
    }

    /// Log-uniform.
    fn scale(&mut self, low: f64, high: f64) -> f64 {
        self.between(low.ln(), high.ln()).exp()
    }
}

/// A baseline in units of the noise of one reading: level, slope, first cycles that settle.
fn baseline(cycles: usize, chance: &mut Chance) -> Vec<f64> {
    let (level, slope) = (chance.scale(20.0, 5000.0), 0.2 * chance.normal());
    let (start, decay) = (chance.normal() * chance.scale(1.0, 20.0), chance.scale(0.5, 4.0));
    (0..cycles).map(|i| level + slope * i as f64 + start * (-(i as f64) / decay).exp()).collect()
}

/// Adds reading noise, a little of it growing with the signal, and sometimes the steps of a coarse detector.
fn read_out(values: &mut [f64], chance: &mut Chance) {
    let level = values[0];
    let growing = 0.004 * chance.uniform();
    let step = if chance.uniform() < 0.2 { chance.scale(0.3, 3.0) } else { 0.0 };
    for value in values.iter_mut() {
        *value += chance.normal() * (1.0 + growing * (*value - level).abs());
        if step > 0.0 {
            *value = (*value / step).round() * step;
        }
    }
}

/// Mass action: each cycle copies a share of the template that shrinks as the plateau is neared.
/// Gives the curve, its height above the baseline at the last cycle and the cycles after a tenth of the plateau.
fn amplified(chance: &mut Chance) -> (Vec<f64>, f64, usize) {
    let cycles = 30 + (21.0 * chance.uniform()) as usize;
    let (height, efficiency, wear) = (chance.scale(15.0, 3000.0), chance.between(0.7, 1.0), chance.scale(0.5, 2.0));
    let half = chance.between(12.0, cycles as f64 + 1.0);
    let mut share = (1.0 + efficiency).powf(-half);
    let mut values = baseline(cycles, chance);
    let (mut seen, mut after) = (0.0, 0);
    for value in &mut values {
        *value += height * share;
        seen = height * share;
        after += usize::from(share > 0.1);
        share *= 1.0 + efficiency * (1.0 - share).max(0.0).powf(wear);
    }
    read_out(&mut values, chance);
    (values, seen, after)
}

const FAULTS: [&str; 6] = ["plain", "line", "saturating drift", "drying", "step", "spike"];

fn flat(fault: usize, chance: &mut Chance) -> Vec<f64> {
    let cycles = 30 + (21.0 * chance.uniform()) as usize;
    let (n, height) = (cycles as f64, chance.scale(3.0, 300.0));
    let (signed, place) = (height * chance.normal().signum(), (chance.uniform() * n).floor());
    let (constant, power, from) = (chance.scale(3.0, 40.0), chance.between(1.2, 2.5), chance.between(0.0, 0.6) * n);
    let mut values = baseline(cycles, chance);
    for (index, value) in values.iter_mut().enumerate() {
        let t = index as f64;
        *value += match FAULTS[fault] {
            "line" => signed * t / n,
            "saturating drift" => height * (1.0 - (-t / constant).exp()),
            "drying" => height * ((t - from) / (n - 1.0 - from)).max(0.0).powf(power),
            "step" if t >= place => signed,
            "spike" if t == place => signed,
            _ => 0.0,
        };
    }
    read_out(&mut values, chance);
    values
}

fn call(reader: &mut Reader, values: &[f64]) -> Call {
    reader.read(&Curve { cycles: &axis(values.len()), fluorescence: values }, &Settings::default()).call
}

#[test]
fn amplification_that_stands_out_of_the_noise_is_called() {
    let (mut chance, mut reader) = (Chance(11), Reader::new());
    let mut counts: BTreeMap<&str, (f64, f64, f64)> = BTreeMap::new();
    for _ in 0..6000 {
        let (values, seen, after) = amplified(&mut chance);
        let kind = match (seen, after) {
            (..15.0, _) | (_, ..3) => continue,
            (40.0.., 3..6) => "late, above 40 times the noise",
            (_, 3..6) => continue,
            (..25.0, _) => "15 to 25 times the noise",
            (..40.0, _) => "25 to 40 times the noise",
            (..80.0, _) => "40 to 80 times the noise",
            _ => "above 80 times the noise",
        };
        let found = call(&mut reader, &values);
        let entry = counts.entry(kind).or_default();
        entry.0 += 1.0;
        entry.1 += f64::from(u8::from(found == Call::Positive));
        entry.2 += f64::from(u8::from(found == Call::Negative));
    }
    for (kind, (all, positive, negative)) in &counts {
        eprintln!("amplified, {kind}: {:.4} called, {:.4} missed, of {all}", positive / all, negative / all);
    }
    let (all, positive, negative) = counts["above 80 times the noise"];
    assert!(positive >= 0.99 * all && negative <= 0.002 * all);
    let (all, positive, _) = counts["40 to 80 times the noise"];
    assert!(positive >= 0.93 * all);
    // A rise that has only begun may be left to a person, but not be taken for nothing.
    let (all, _, negative) = counts["late, above 40 times the noise"];
    assert!(negative <= 0.1 * all);
}

#[test]
fn flat_curves_with_every_fault_are_not_called() {
    let (mut chance, mut reader) = (Chance(12), Reader::new());
    for (fault, name) in FAULTS.iter().enumerate() {
        let called = (0..1000).filter(|_| call(&mut reader, &flat(fault, &mut chance)) == Call::Positive).count();
        eprintln!("flat, {name}: {called} of 1000 called");
        // Drying that sets in late and steeply has the shape of a rise; the plate check looks at all channels of the well.
        let most = if *name == "drying" { 25 } else { 10 };
        assert!(called <= most, "{name}: {called}");
    }
}
