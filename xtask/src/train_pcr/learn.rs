//! Trains the networks: Adam on cross-entropy against vote fractions, weights kept small.

use baton_pcr::model::{HIDDEN, Model, Network, softmax, softsign};
use baton_pcr::{FEATURE_NAMES, FEATURES};

use super::corpus::{Chance, Example};

const EPOCHS: usize = 50;
const BATCH: usize = 256;
const RATE: f64 = 0.01;
const DECAY: f64 = 2e-3;
const NETWORKS: usize = 4;

const HIDDEN_WEIGHTS: usize = HIDDEN * (FEATURES + 1);
const WEIGHTS: usize = HIDDEN_WEIGHTS + 3 * (HIDDEN + 1);

/// Trains on `examples`; the same examples and seed give the same model to the last digit.
pub fn train(examples: &[&Example], seed: u64) -> Model {
    let (centre, spread) = scales(examples);
    let rows: Vec<[f64; FEATURES]> = examples.iter().map(|e| std::array::from_fn(|i| ((e.features[i] - centre[i]) / spread[i]).clamp(-4.0, 4.0))).collect();
    let networks = (0..NETWORKS).map(|k| network(examples, &rows, seed + k as u64)).collect();
    let features = FEATURE_NAMES.iter().map(|name| (*name).to_owned()).collect();
    Model { provenance: vec![], features, centre, spread, temperature: 1.0, networks }
}

fn scales(examples: &[&Example]) -> ([f64; FEATURES], [f64; FEATURES]) {
    let total: f64 = examples.iter().map(|e| e.weight).sum();
    let mean = |f: &dyn Fn(&Example) -> f64| examples.iter().map(|e| e.weight * f(e)).sum::<f64>() / total;
    let centre: [f64; FEATURES] = std::array::from_fn(|i| mean(&|e| e.features[i]));
    let spread = std::array::from_fn(|i| mean(&|e| (e.features[i] - centre[i]).powi(2)).sqrt().max(1e-6));
    (centre, spread)
}

fn network(examples: &[&Example], rows: &[[f64; FEATURES]], seed: u64) -> Network {
    let mut chance = Chance::new(seed.wrapping_mul(7919));
    let mut weights: Vec<f64> = (0..WEIGHTS).map(|i| chance.normal() * if i < HIDDEN_WEIGHTS { 0.3 } else { 0.4 }).collect();
    let (mut first, mut second) = (vec![0.0; WEIGHTS], vec![0.0; WEIGHTS]);
    let mean_weight = examples.iter().map(|e| e.weight).sum::<f64>() / examples.len() as f64;
    let mut order: Vec<usize> = (0..examples.len()).collect();
    let steps = EPOCHS * examples.len().div_ceil(BATCH);
    let mut step = 0;
    for _ in 0..EPOCHS {
        shuffle(&mut order, &mut chance);
        for batch in order.chunks(BATCH) {
            step += 1;
            let mut gradient = vec![0.0; WEIGHTS];
            for &index in batch {
                let weight = examples[index].weight / mean_weight / batch.len() as f64;
                accumulate(&weights, &rows[index], &examples[index].lesson, weight, &mut gradient);
            }
            let rate = RATE * (1.0 - step as f64 / (steps + 1) as f64);
            adam(&mut weights, &gradient, &mut first, &mut second, rate, step);
        }
    }
    unpack(&weights)
}

fn shuffle(order: &mut [usize], chance: &mut Chance) {
    for last in (1..order.len()).rev() {
        order.swap(last, (chance.uniform() * (last + 1) as f64) as usize);
    }
}

fn adam(weights: &mut [f64], gradient: &[f64], first: &mut [f64], second: &mut [f64], rate: f64, step: usize) {
    let (b1, b2): (f64, f64) = (0.9, 0.999);
    let (c1, c2) = (1.0 - b1.powi(step as i32), 1.0 - b2.powi(step as i32));
    for i in 0..weights.len() {
        first[i] = b1 * first[i] + (1.0 - b1) * gradient[i];
        second[i] = b2 * second[i] + (1.0 - b2) * gradient[i] * gradient[i];
        weights[i] -= rate * (first[i] / c1 / ((second[i] / c2).sqrt() + 1e-8) + DECAY * weights[i] * 10.0);
    }
}

/// Adds the gradient of one example's cross-entropy.
fn accumulate(weights: &[f64], x: &[f64; FEATURES], votes: &[f64; 3], weight: f64, gradient: &mut [f64]) {
    let mut hidden = [0.0; HIDDEN];
    let mut slope = [0.0; HIDDEN];
    for k in 0..HIDDEN {
        let row = &weights[k * (FEATURES + 1)..(k + 1) * (FEATURES + 1)];
        let sum = row[..FEATURES].iter().zip(x).map(|(w, v)| w * v).sum::<f64>() + row[FEATURES];
        hidden[k] = softsign(sum);
        slope[k] = (1.0 + sum.abs()).powi(-2);
    }
    let output = &weights[HIDDEN_WEIGHTS..];
    let logits = std::array::from_fn(|c| {
        let row = &output[c * (HIDDEN + 1)..(c + 1) * (HIDDEN + 1)];
        row[..HIDDEN].iter().zip(&hidden).map(|(w, v)| w * v).sum::<f64>() + row[HIDDEN]
    });
    let p = softmax(logits, 1.0);
    let mut back = [0.0; HIDDEN];
    for c in 0..3 {
        let error = weight * (p[c] - votes[c]);
        let at = HIDDEN_WEIGHTS + c * (HIDDEN + 1);
        for k in 0..HIDDEN {
            gradient[at + k] += error * hidden[k];
            back[k] += error * weights[at + k];
        }
        gradient[at + HIDDEN] += error;
    }
    for k in 0..HIDDEN {
        let error = back[k] * slope[k];
        let at = k * (FEATURES + 1);
        for i in 0..FEATURES {
            gradient[at + i] += error * x[i];
        }
        gradient[at + FEATURES] += error;
    }
}

fn unpack(weights: &[f64]) -> Network {
    // Four decimals are enough for the calls and keep the file readable.
    let rows = |part: &[f64], width: usize| -> Vec<Vec<f64>> { part.chunks(width).map(|row| row.iter().map(|w| (w * 1e4).round() / 1e4).collect()).collect() };
    Network { hidden: rows(&weights[..HIDDEN_WEIGHTS], FEATURES + 1), output: rows(&weights[HIDDEN_WEIGHTS..], HIDDEN + 1) }
}
