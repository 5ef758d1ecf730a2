//! Curves that look real: for demonstrations, for training against faults the shared sets do not hold, and for tests.
//!
//! Chance comes in from the caller as a source of standard normal numbers, so a seeded city repeats itself.

/// A fault put on top of a curve. Cycles are counted from 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Fault {
    /// One reading stands out by `height` (share of the baseline level).
    Spike { cycle: usize, height: f64 },
    /// From `cycle` on everything is shifted by `height` (share of the baseline level): a bubble bursts, a lid settles.
    Bubble { cycle: usize, height: f64 },
    /// A slow curved rise over the whole run, `height` (share of the baseline level) at the last cycle.
    Drift { height: f64 },
    /// The well dries out: signal grows from `cycle` on, faster and noisier towards the end.
    Evaporation { cycle: usize, height: f64 },
    /// The first cycles settle (temperature, lid): starts off by `height` (share of the baseline level) and decays with
    /// the given time constant in cycles.
    Settling { height: f64, cycles: f64 },
    /// The level wanders slowly, standard deviation `height` (share of the baseline level), memory about ten cycles.
    Wander { height: f64 },
    /// `fraction` of another dye's amplification (Cq `cq`, same plateau) leaks into this channel.
    CrossTalk { fraction: f64, cq: f64 },
}

/// One curve to be made. Fluorescence is in the unit of `baseline_level`.
#[derive(Debug, Clone, PartialEq)]
pub struct Params {
    pub cycles: usize,
    pub baseline_level: f64,
    /// Change of the baseline per cycle.
    pub baseline_slope: f64,
    /// Cycle of the second-derivative maximum on an axis that starts at 1; `None` makes a flat curve.
    pub cq: Option<f64>,
    /// Height of the plateau above the baseline.
    pub plateau: f64,
    /// Amplification per cycle in the exponential phase, 1 to 2.
    pub efficiency: f64,
    /// Fifth parameter: 1 is symmetric, below 1 the plateau is reached more slowly than the baseline is left.
    pub asymmetry: f64,
    /// Additive noise of one reading (standard deviation).
    pub noise: f64,
    /// Multiplicative noise of one reading (relative standard deviation).
    pub relative_noise: f64,
    pub faults: Vec<Fault>,
}

impl Default for Params {
    fn default() -> Self {
        Params {
            cycles: 40,
            baseline_level: 1000.0,
            baseline_slope: 2.0,
            cq: Some(25.0),
            plateau: 4000.0,
            efficiency: 1.92,
            asymmetry: 0.8,
            noise: 6.0,
            relative_noise: 0.002,
            faults: Vec::new(),
        }
    }
}

/// Makes the curve; one value per cycle, every value finite for finite parameters. `noise` gives standard normal numbers.
pub fn synthesise(params: &Params, mut noise: impl FnMut() -> f64) -> Vec<f64> {
    let wander: f64 = params.faults.iter().map(|fault| wander_height(fault, params)).sum();
    let mut walk = if wander > 0.0 { wander * noise() } else { 0.0 };
    (0..params.cycles)
        .map(|index| {
            let signal = clean(params, index) + walk;
            if wander > 0.0 {
                walk = WANDER_MEMORY * walk + wander * (1.0 - WANDER_MEMORY.powi(2)).sqrt() * noise();
            }
            let wear: f64 = params.faults.iter().map(|fault| extra_noise(fault, index, params)).sum();
            let additive = (params.noise + wear) * noise();
            signal + additive + signal * params.relative_noise * noise()
        })
        .collect()
}

/// Correlation of the wandering level from one cycle to the next.
const WANDER_MEMORY: f64 = 0.9;

fn wander_height(fault: &Fault, params: &Params) -> f64 {
    match *fault {
        Fault::Wander { height } => height.abs() * params.baseline_level.abs(),
        _ => 0.0,
    }
}

/// The axis that belongs to [`synthesise`]: 1, 2, … .
pub fn axis(cycles: usize) -> Vec<f64> {
    (1..=cycles).map(|cycle| cycle as f64).collect()
}

fn clean(params: &Params, index: usize) -> f64 {
    let base = params.baseline_level + params.baseline_slope * index as f64;
    let rise = params.cq.map_or(0.0, |cq| amplification(params, index as f64 + 1.0, cq));
    base + rise + params.faults.iter().map(|fault| fault_signal(fault, index, params)).sum::<f64>()
}

/// Five-parameter logistic (Richards) whose second derivative is greatest at `cq` and whose early growth is `efficiency`.
fn amplification(params: &Params, cycle: f64, cq: f64) -> f64 {
    let growth = params.efficiency.clamp(1.01, 2.2).ln();
    let power = params.asymmetry.clamp(0.2, 5.0);
    // Early on the curve grows like exp(rate * power * cycle), so the rate follows from the efficiency.
    let rate = growth / power;
    // Greatest acceleration of (1 + e^-u)^-g lies where s = 1/(1+e^-u) solves (g+1)(g+2)s'^2 - 3(g+1)s' + 1 = 0, s' = 1 - s.
    let (g1, g2) = (power + 1.0, power + 2.0);
    let upper = (3.0 * g1 + (9.0 * g1 * g1 - 4.0 * g1 * g2).sqrt()) / (2.0 * g1 * g2);
    let turn = ((1.0 - upper) / upper).ln();
    let position = rate * (cycle - cq) + turn;
    params.plateau * (1.0 + (-position).exp()).powf(-power)
}

fn fault_signal(fault: &Fault, index: usize, params: &Params) -> f64 {
    let level = params.baseline_level.abs();
    let last = params.cycles.saturating_sub(1).max(1) as f64;
    match *fault {
        Fault::Spike { cycle, height } => {
            if index == cycle {
                height * level
            } else {
                0.0
            }
        }
        Fault::Bubble { cycle, height } => {
            if index >= cycle {
                height * level
            } else {
                0.0
            }
        }
        Fault::Drift { height } => height * level * (index as f64 / last).powf(1.5),
        Fault::Evaporation { cycle, height } => height * level * worn(index, cycle, last).powi(2),
        Fault::Settling { height, cycles } => height * level * (-(index as f64) / cycles.max(0.1)).exp(),
        Fault::Wander { .. } => 0.0,
        Fault::CrossTalk { fraction, cq } => fraction * amplification(params, index as f64 + 1.0, cq),
    }
}

fn extra_noise(fault: &Fault, index: usize, params: &Params) -> f64 {
    match *fault {
        Fault::Evaporation { cycle, height } => {
            let last = params.cycles.saturating_sub(1).max(1) as f64;
            0.08 * height.abs() * params.baseline_level.abs() * worn(index, cycle, last)
        }
        _ => 0.0,
    }
}

/// 0 up to `cycle`, then rising to 1 at the last cycle.
fn worn(index: usize, cycle: usize, last: f64) -> f64 {
    ((index as f64 - cycle as f64) / (last - cycle as f64).max(1.0)).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Call, Curve, Settings, read};

    /// Standard normal numbers from a fixed sequence (sum of twelve uniforms), enough for tests.
    fn source(mut state: u64) -> impl FnMut() -> f64 {
        move || {
            let mut uniform = || {
                state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                (state >> 11) as f64 / (1u64 << 53) as f64
            };
            (0..12).map(|_| uniform()).sum::<f64>() - 6.0
        }
    }

    fn call(params: &Params, seed: u64) -> crate::Reading {
        let fluorescence = synthesise(params, source(seed));
        read(&Curve { cycles: &axis(params.cycles), fluorescence: &fluorescence }, &Settings::default())
    }

    #[test]
    fn a_simulated_curve_is_read_at_the_cq_it_was_made_with() {
        for asymmetry in [0.8, 1.0, 1.4] {
            for cq in [15.0, 22.3, 31.7] {
                let params = Params { cq: Some(cq), asymmetry, ..Params::default() };
                let reading = call(&params, 7);
                assert_eq!(reading.call, Call::Positive, "cq {cq} asymmetry {asymmetry}");
                let sdm = reading.cq_sdm.unwrap();
                assert!((sdm - cq).abs() < 0.3, "made at {cq}, read at {sdm}, asymmetry {asymmetry}");
            }
        }
    }

    #[test]
    fn a_flat_curve_with_or_without_faults_is_not_positive() {
        let faults = [vec![], vec![Fault::Spike { cycle: 20, height: 0.5 }], vec![Fault::Drift { height: 0.3 }], vec![Fault::Drift { height: -0.3 }]];
        for faults in faults {
            for seed in 0..50 {
                let params = Params { cq: None, faults: faults.clone(), ..Params::default() };
                let reading = call(&params, seed);
                assert_ne!(reading.call, Call::Positive, "seed {seed} {faults:?}");
            }
        }
    }

    #[test]
    fn the_same_noise_makes_the_same_curve() {
        let params = Params::default();
        assert_eq!(synthesise(&params, source(3)), synthesise(&params, source(3)));
        assert_ne!(synthesise(&params, source(3)), synthesise(&params, source(4)));
    }
}
