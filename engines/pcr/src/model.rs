//! The classifier: a few small neural networks whose probabilities are averaged. Trained by `xtask train-pcr`; the
//! parameters are the readable file `model.json`, described in `MODEL.md`.

use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use crate::features::{FEATURE_NAMES, FEATURES};

/// Hidden units of one network.
pub const HIDDEN: usize = 28;

/// Probabilities of the three calls: positive, ambiguous, negative. They add up to 1.
pub type Probabilities = [f64; 3];

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// Where it comes from: program, data, seed, number of examples.
    pub provenance: Vec<String>,
    pub features: Vec<String>,
    /// Mean and standard deviation of each feature in training.
    pub centre: [f64; FEATURES],
    pub spread: [f64; FEATURES],
    /// Logits are divided by it: above 1 takes back confidence that experiments left out did not bear out.
    pub temperature: f64,
    pub networks: Vec<Network>,
}

/// `softmax(output · softsign(hidden · x))`; the last weight of every row is its constant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Network {
    pub hidden: Vec<Vec<f64>>,
    pub output: Vec<Vec<f64>>,
}

impl Model {
    /// The model that comes with the program.
    pub fn builtin() -> &'static Model {
        static MODEL: OnceLock<Model> = OnceLock::new();
        MODEL.get_or_init(|| Model::parse(include_str!("../model.json")).unwrap_or_else(|_| Model::undecided()))
    }

    /// Reads and checks a parameter file; the error names the field.
    pub fn parse(json: &str) -> Result<Model, String> {
        let model: Model = serde_json::from_str(json).map_err(|error| error.to_string())?;
        if model.features != FEATURE_NAMES {
            return Err("features: names differ from those this version computes".to_owned());
        }
        let shaped = |rows: &[Vec<f64>], count: usize, width: usize| {
            rows.len() == count && rows.iter().all(|row| row.len() == width && row.iter().all(|w| w.is_finite()))
        };
        let well_formed = |n: &Network| shaped(&n.hidden, HIDDEN, FEATURES + 1) && shaped(&n.output, 3, HIDDEN + 1);
        if model.networks.is_empty() || !model.networks.iter().all(well_formed) {
            return Err(format!("networks: need {HIDDEN} hidden rows of {} and 3 output rows of {}", FEATURES + 1, HIDDEN + 1));
        }
        let positive = |value: &f64| value.is_finite() && *value > 0.0;
        if !model.spread.iter().all(positive) || !positive(&model.temperature) {
            return Err("spread and temperature must be above 0".to_owned());
        }
        Ok(model)
    }

    /// Knows nothing and says so: every curve is for a person. Only a damaged build gets here, and it fails closed.
    fn undecided() -> Model {
        let flat = Network { hidden: vec![vec![0.0; FEATURES + 1]; HIDDEN], output: vec![vec![0.0; HIDDEN + 1]; 3] };
        Model { provenance: vec![], features: vec![], centre: [0.0; FEATURES], spread: [1.0; FEATURES], temperature: 1.0, networks: vec![flat] }
    }

    pub fn probabilities(&self, features: &[f64; FEATURES]) -> Probabilities {
        let mut x = [0.0; FEATURES];
        for (i, value) in x.iter_mut().enumerate() {
            *value = ((features[i] - self.centre[i]) / self.spread[i]).clamp(-4.0, 4.0);
        }
        let mut mean = [0.0; 3];
        for network in &self.networks {
            let p = softmax(network.logits(&x), self.temperature);
            for (sum, value) in mean.iter_mut().zip(p) {
                *sum += value / self.networks.len() as f64;
            }
        }
        mean
    }
}

impl Network {
    fn logits(&self, x: &[f64; FEATURES]) -> [f64; 3] {
        let mut hidden = [0.0; HIDDEN];
        for (unit, row) in hidden.iter_mut().zip(&self.hidden) {
            *unit = softsign(dot(&row[..FEATURES], x) + row[FEATURES]);
        }
        let mut logits = [0.0; 3];
        for (logit, row) in logits.iter_mut().zip(&self.output) {
            *logit = dot(&row[..HIDDEN], &hidden) + row[HIDDEN];
        }
        logits
    }
}

/// Sum of products in four strands, which the processor adds side by side; both lengths are multiples of four.
fn dot(weights: &[f64], values: &[f64]) -> f64 {
    let mut strands = [0.0; 4];
    for (weights, values) in weights.chunks_exact(4).zip(values.chunks_exact(4)) {
        for (strand, (weight, value)) in strands.iter_mut().zip(weights.iter().zip(values)) {
            *strand += weight * value;
        }
    }
    (strands[0] + strands[2]) + (strands[1] + strands[3])
}

const _: () = assert!(FEATURES.is_multiple_of(4) && HIDDEN.is_multiple_of(4));

/// A bounded bend like the hyperbolic tangent, without an exponential.
pub fn softsign(value: f64) -> f64 {
    value / (1.0 + value.abs())
}

/// Probabilities from logits.
pub fn softmax(logits: [f64; 3], temperature: f64) -> Probabilities {
    let highest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let scaled = logits.map(|logit| ((logit - highest) / temperature).exp());
    let sum: f64 = scaled.iter().sum();
    scaled.map(|value| value / sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parameter_file_is_whole_and_says_where_it_comes_from() {
        let model = Model::parse(include_str!("../model.json")).unwrap();
        assert_eq!(&model, Model::builtin());
        assert!(model.provenance.iter().any(|line| line.contains("seed")));
    }

    #[test]
    fn damaged_files_are_refused_by_field() {
        let good = include_str!("../model.json");
        for (from, to, field) in [
            ("\"rate\"", "\"speed\"", "features"),
            ("\"temperature\": ", "\"temperature\": -", "temperature"),
            ("\"networks\": [", "\"networks\": [], \"more\": [", "more"),
            ("\"hidden\": [\n", "\"hidden\": [ [0.0],\n", "networks"),
        ] {
            assert!(good.contains(from), "{from}");
            let error = Model::parse(&good.replacen(from, to, 1)).unwrap_err();
            assert!(error.contains(field), "{error}");
        }
    }

    #[test]
    fn probabilities_add_up_and_the_undecided_model_decides_nothing() {
        for features in [[0.0; FEATURES], [1e9; FEATURES], [-1e9; FEATURES]] {
            let p = Model::builtin().probabilities(&features);
            assert!((p.iter().sum::<f64>() - 1.0).abs() < 1e-9 && p.iter().all(|p| (0.0..=1.0).contains(p)));
        }
        let undecided = Model::undecided().probabilities(&[0.0; FEATURES]);
        assert_eq!(crate::decide(&undecided), crate::Call::Ambiguous);
    }
}
