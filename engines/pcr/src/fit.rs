//! Five-parameter logistic on a straight baseline, fitted by Levenberg and Marquardt's method from a warm start.
//!
//! `y(t) = a + b·t + d / (1 + exp(-k·(t - c)))^g` with t in cycles counted from the first. `d`, `k` and `g` are fitted as
//! logarithms, which keeps them positive. Weak priors on `ln g` and `ln d` keep curves without a plateau determined.

/// Number of fitted parameters.
const P: usize = 6;
/// A step that lowers the cost (in units of the noise, squared) by less than this moves the Cq by a thousandth of a cycle or so.
const ENOUGH: f64 = 0.01;
/// Exponent below which the sigmoid is taken for 0: e^-14 is a millionth of the height.
const SILENCE: f64 = 14.0;
/// Spread of the prior on `ln g` and of the prior on `ln d` around the warm start.
const PRIOR_LN_G: f64 = 0.7;
const PRIOR_LN_D: f64 = 1.0;

/// A fitted curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Sigmoid {
    pub level: f64,
    pub slope: f64,
    pub rate: f64,
    pub centre: f64,
    pub power: f64,
}

impl Sigmoid {
    /// Index of the second-derivative maximum.
    pub fn turn(&self) -> f64 {
        self.centre + turn_of(self.power) / self.rate
    }

    /// Index at which the sigmoid reaches `fraction` of its height.
    pub fn crossing(&self, fraction: f64) -> f64 {
        let share = fraction.powf(1.0 / self.power);
        self.centre + (share / (1.0 - share)).ln() / self.rate
    }
}

/// Where `(1 + e^-u)^-g` has its greatest second derivative: 1 - s of the logistic s(u) is the larger root of
/// `(g+1)(g+2) q² - 3(g+1) q + 1 = 0`.
pub(crate) fn turn_of(power: f64) -> f64 {
    let (g1, g2) = (power + 1.0, power + 2.0);
    let rest = (3.0 * g1 + (9.0 * g1 * g1 - 4.0 * g1 * g2).max(0.0).sqrt()) / (2.0 * g1 * g2);
    ((1.0 - rest) / rest).ln()
}

/// Where the fit starts; heights and slopes in the curve's unit, positions as indices.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Start {
    pub level: f64,
    pub slope: f64,
    pub height: f64,
    pub rate: f64,
    pub centre: f64,
    /// Standard deviation of the residuals to be expected, in the curve's unit.
    pub noise: f64,
}

/// Fits `values`; at most `max_steps` steps. The result is finite; when no step helps it is the start itself.
pub(crate) fn fit(values: &[f64], start: &Start, max_steps: usize) -> Sigmoid {
    let unit = start.height.max(f64::MIN_POSITIVE);
    let mut problem = Problem { values, unit, precision: (unit / start.noise).powi(2), ln_d0: 0.0, normal: [[0.0; P]; P], gradient: [0.0; P] };
    let mut theta = [start.level / unit, start.slope / unit, 0.0, start.rate.max(0.02).ln(), start.centre, 0.0];
    problem.ln_d0 = theta[2];
    let mut cost = problem.linearise(&theta);
    let mut damping = 1e-3;
    let mut steps = 0;
    while steps < max_steps {
        steps += 1;
        let Some(step) = solve(&problem.normal, &problem.gradient, damping) else {
            damping *= 10.0;
            continue;
        };
        let candidate = bounded(&theta, &step, values.len());
        let saved = (problem.normal, problem.gradient);
        let tried = problem.linearise(&candidate);
        if tried < cost {
            let gain = cost - tried;
            (theta, cost, damping) = (candidate, tried, damping * 0.1);
            if gain < ENOUGH {
                break;
            }
        } else {
            (problem.normal, problem.gradient) = saved;
            damping *= 10.0;
            if damping > 1e6 {
                break;
            }
        }
    }
    Sigmoid { level: theta[0] * unit, slope: theta[1] * unit, rate: theta[3].exp(), centre: theta[4], power: theta[5].exp() }
}

/// Adds one point to the lower triangle of the normal equations; `row` holds the leading derivatives, the others are 0.
fn add_row<const N: usize>(normal: &mut [[f64; P]; P], gradient: &mut [f64; P], row: &[f64; N], residual: f64) {
    for (i, a) in row.iter().enumerate() {
        gradient[i] += a * residual;
        for (sum, b) in normal[i].iter_mut().zip(&row[..=i]) {
            *sum += a * b;
        }
    }
}

struct Problem<'a> {
    values: &'a [f64],
    unit: f64,
    precision: f64,
    ln_d0: f64,
    normal: [[f64; P]; P],
    gradient: [f64; P],
}

impl Problem<'_> {
    /// Cost at `theta`; leaves the normal equations of the Gauss-Newton step behind.
    fn linearise(&mut self, theta: &[f64; P]) -> f64 {
        let (height, rate, power) = (theta[2].exp(), theta[3].exp(), theta[5].exp());
        let mut normal = [[0.0; P]; P];
        let mut gradient = [0.0; P];
        let mut square = 0.0;
        // Long before the rise the sigmoid is nothing: those points see the baseline only.
        let silent = ((theta[4] - SILENCE / (rate * power)).max(0.0) as usize).min(self.values.len());
        for (index, value) in self.values.iter().enumerate() {
            let t = index as f64;
            let mut residual = value / self.unit - theta[0] - theta[1] * t;
            if index < silent {
                square += residual * residual;
                add_row(&mut normal, &mut gradient, &[1.0, t], residual);
                continue;
            }
            let position = rate * (t - theta[4]);
            let tail = (-position).exp();
            let log = -(1.0 + tail).ln();
            let share = (power * log).exp() * height;
            let steep = power * share * (tail / (1.0 + tail));
            residual -= share;
            square += residual * residual;
            let row = [1.0, t, share, steep * position, -steep * rate, power * share * log];
            add_row(&mut normal, &mut gradient, &row, residual);
        }
        let w = self.precision;
        gradient.iter_mut().for_each(|value| *value *= w);
        normal.iter_mut().flatten().for_each(|value| *value *= w);
        let (d, g) = (theta[2] - self.ln_d0, theta[5]);
        normal[2][2] += PRIOR_LN_D.powi(-2);
        gradient[2] -= d * PRIOR_LN_D.powi(-2);
        normal[5][5] += PRIOR_LN_G.powi(-2);
        gradient[5] -= g * PRIOR_LN_G.powi(-2);
        (self.normal, self.gradient) = (normal, gradient);
        w * square + (d / PRIOR_LN_D).powi(2) + (g / PRIOR_LN_G).powi(2)
    }
}

fn bounded(theta: &[f64; P], step: &[f64; P], cycles: usize) -> [f64; P] {
    let mut next = *theta;
    for i in 0..P {
        next[i] += step[i];
    }
    next[2] = next[2].clamp(-5.0, 5.0);
    next[3] = next[3].clamp(-4.0, 1.5);
    next[4] = next[4].clamp(-10.0, cycles as f64 + 20.0);
    next[5] = next[5].clamp(-2.5, 2.5);
    next
}

/// Solves `(normal + damping · diagonal) x = gradient` by Cholesky; none if not positive definite.
fn solve(normal: &[[f64; P]; P], gradient: &[f64; P], damping: f64) -> Option<[f64; P]> {
    let mut lower = [[0.0; P]; P];
    let mut x = [0.0; P];
    for i in 0..P {
        for j in 0..i {
            let known: f64 = lower[i][..j].iter().zip(&lower[j][..j]).map(|(a, b)| a * b).sum();
            lower[i][j] = (normal[i][j] - known) / lower[j][j];
        }
        let known: f64 = lower[i][..i].iter().map(|a| a * a).sum();
        let pivot = normal[i][i] * (1.0 + damping) + 1e-12 - known;
        if pivot.is_nan() || pivot <= 0.0 {
            return None;
        }
        lower[i][i] = pivot.sqrt();
        let known: f64 = lower[i][..i].iter().zip(&x).map(|(a, b)| a * b).sum();
        x[i] = (gradient[i] - known) / lower[i][i];
    }
    for i in (0..P).rev() {
        let known: f64 = (i + 1..P).map(|k| lower[k][i] * x[k]).sum();
        x[i] = (x[i] - known) / lower[i][i];
    }
    x.iter().all(|value| value.is_finite()).then_some(x)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_parameters_a_curve_was_made_with() {
        let (rate, centre, power) = (0.62f64, 21.7, 0.8);
        let values: Vec<f64> = (0..26).map(|i| 3.0 + 0.02 * i as f64 + 9.0 * (1.0 + (-rate * (i as f64 - centre)).exp()).powf(-power)).collect();
        let start = Start { level: 2.9, slope: 0.0, height: 7.0, rate: 0.5, centre: 23.0, noise: 1e-4 };
        let found = fit(&values, &start, 60);
        let turn = centre + turn_of(power) / rate;
        assert!((found.turn() - turn).abs() < 0.02, "turn {} of {turn}", found.turn());
        assert!((found.level - 3.0).abs() < 0.01 && (found.slope - 0.02).abs() < 0.001);
    }

    #[test]
    fn the_turn_of_a_symmetric_logistic_is_known() {
        // Second derivative of 1/(1+e^-u) is greatest at u = -ln(2 + √3).
        assert!((turn_of(1.0) + (2.0 + 3f64.sqrt()).ln()).abs() < 1e-12);
    }

    #[test]
    fn hopeless_values_still_give_finite_numbers() {
        for values in [vec![0.0; 12], (0..12).map(|i| f64::from(i % 2)).collect::<Vec<_>>()] {
            let start = Start { level: 0.0, slope: 0.0, height: 1e-300, rate: 0.0, centre: 50.0, noise: 1e-300 };
            let found = fit(&values, &start, 20);
            assert!([found.level, found.slope, found.turn(), found.crossing(0.2)].iter().all(|v| v.is_finite()));
        }
    }
}
