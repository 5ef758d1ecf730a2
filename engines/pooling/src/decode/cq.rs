//! How well a set of positive samples explains the Cq values of their pools.
//!
//! A pool's Cq is that of the summed template of its positive members, `−log2 Σ 2^(−c)`, where `c` is
//! a member's Cq at pool dilution; deviations follow a Student t distribution, since real pools hold
//! outliers (a cycle or two off) that must not overturn five consistent pools. The members' `c` are
//! fitted by damped Gauss–Newton steps and integrated out by Laplace's approximation.

use super::search::Component;

/// Degrees of freedom and scale (cycles) of a pool's Cq about its expectation.
const FREEDOM: f64 = 4.0;
const SCALE: f64 = 0.3;
/// log of the Student density at 0 with four degrees of freedom: Γ(2.5)/(Γ(2)·√(4π)·scale).
const PEAK: f64 = 0.375 / SCALE;
/// False pools show any Cq over this range of cycles.
const FALSE_RANGE: f64 = 25.0;
/// Standard deviation of samples' own Cq about their mean.
const SPREAD: f64 = 4.0;
const STEPS: usize = 12;

/// Cq model of one component.
pub(super) struct CqModel<'a> {
    component: &'a Component,
    /// Cq of each positive pool of the component, `None` when not measured.
    cq: Vec<Option<f64>>,
    /// Mean Cq of a single positive sample at pool dilution.
    mean: f64,
}

impl<'a> CqModel<'a> {
    pub(super) fn new(component: &'a Component, cq: Vec<Option<f64>>) -> Self {
        let known: Vec<f64> = cq.iter().flatten().copied().collect();
        let mean = known.iter().sum::<f64>() / known.len().max(1) as f64 + 1.0;
        Self { component, cq, mean }
    }

    /// Log-probability that these suspects are the positive ones, up to a constant of the component.
    pub(super) fn evidence(&self, included: &[u32]) -> f64 {
        let pools = self.touched(included);
        let mut evidence = -self.discrete_energy(included, &pools);
        let known: Vec<(f64, &[u32])> = pools
            .iter()
            .enumerate()
            .filter(|(_, members)| !members.is_empty())
            .filter_map(|(pool, members)| self.cq[pool].map(|cq| (cq, members.as_slice())))
            .collect();
        if !known.is_empty() {
            evidence += self.fitted(included, &known);
        }
        evidence
    }

    /// For each positive pool the positions (in `included`) of its positive members.
    fn touched(&self, included: &[u32]) -> Vec<Vec<u32>> {
        let mut pools = vec![Vec::new(); self.component.positive.len()];
        for (position, index) in included.iter().enumerate() {
            for pool in &self.component.suspects[*index as usize].positive_pools {
                pools[*pool as usize].push(position as u32);
            }
        }
        pools
    }

    /// Everything but the Cq values of explained pools: priors, missed pools, false pools.
    fn discrete_energy(&self, included: &[u32], pools: &[Vec<u32>]) -> f64 {
        let suspects = included.iter().map(|index| &self.component.suspects[*index as usize]);
        let mut missed = vec![false; self.component.negative.len()];
        let mut energy = 0.0;
        for suspect in suspects {
            energy += suspect.include;
            for pool in &suspect.negative_pools {
                missed[*pool as usize] = true;
            }
        }
        let costs = self.component.negative.iter().zip(missed);
        energy += costs.filter(|(_, missed)| *missed).map(|((_, cost), _)| cost).sum::<f64>();
        for (pool, _) in pools.iter().enumerate().filter(|(_, members)| members.is_empty()) {
            energy += self.component.positive[pool].1;
            energy += self.cq[pool].map_or(0.0, |_| FALSE_RANGE.ln());
        }
        energy
    }

    fn fitted(&self, included: &[u32], known: &[(f64, &[u32])]) -> f64 {
        let mut own = self.start(included.len(), known);
        let mut current = self.quality(&own, known);
        let mut damping = 1e-2;
        let mut curvature = Vec::new();
        for _ in 0..STEPS {
            let (gradient, hessian) = self.normal_equations(&own, known);
            let mut damped = hessian.clone();
            let size = own.len();
            for i in 0..size {
                damped[i * size + i] *= 1.0 + damping;
            }
            curvature = hessian;
            let Some(step) = solve(damped, gradient) else {
                break;
            };
            let trial: Vec<f64> = own.iter().zip(&step).map(|(c, s)| c + s.clamp(-3.0, 3.0)).collect();
            let quality = self.quality(&trial, known);
            if quality > current {
                let gained = quality - current;
                own = trial;
                current = quality;
                damping *= 0.2;
                if gained < 1e-3 {
                    break;
                }
            } else {
                damping *= 10.0;
                if damping > 1e4 {
                    break;
                }
            }
        }
        let laplace = 0.5 * own.len() as f64 * std::f64::consts::TAU.ln();
        current + laplace - 0.5 * log_determinant(curvature, own.len())
    }

    /// A member's own Cq is no earlier than any of its pools': start from the latest of them.
    fn start(&self, members: usize, known: &[(f64, &[u32])]) -> Vec<f64> {
        let mut own = vec![f64::NEG_INFINITY; members];
        let mut alone = vec![(0.0, 0u32); members];
        for (cq, pool) in known {
            for position in *pool {
                let position = *position as usize;
                own[position] = own[position].max(*cq);
                if pool.len() == 1 {
                    alone[position].0 += cq;
                    alone[position].1 += 1;
                }
            }
        }
        let start = |(own, (sum, n)): (f64, (f64, u32))| match n {
            0 if own.is_finite() => own,
            0 => self.mean,
            n => sum / f64::from(n),
        };
        own.into_iter().zip(alone).map(start).collect()
    }

    fn quality(&self, own: &[f64], known: &[(f64, &[u32])]) -> f64 {
        let prior = |c: &f64| {
            let z = (c - self.mean) / SPREAD;
            -0.5 * z * z - (SPREAD * std::f64::consts::TAU.sqrt()).ln()
        };
        let fit = |(cq, pool): &(f64, &[u32])| {
            let t = (cq - combined(own, pool)) / SCALE;
            PEAK.ln() - 0.5 * (FREEDOM + 1.0) * (1.0 + t * t / FREEDOM).ln()
        };
        own.iter().map(prior).sum::<f64>() + known.iter().map(fit).sum::<f64>()
    }

    /// Gradient and (positive definite) curvature of the quality.
    fn normal_equations(&self, own: &[f64], known: &[(f64, &[u32])]) -> (Vec<f64>, Vec<f64>) {
        let size = own.len();
        let mut gradient: Vec<f64> = own.iter().map(|c| (self.mean - c) / (SPREAD * SPREAD)).collect();
        let mut hessian = vec![0.0; size * size];
        for i in 0..size {
            hessian[i * size + i] = 1.0 / (SPREAD * SPREAD);
        }
        for (cq, pool) in known {
            let expected = combined(own, pool);
            let t = (cq - expected) / SCALE;
            let weight = (FREEDOM + 1.0) / (FREEDOM + t * t) / (SCALE * SCALE);
            // Share of the pool's template that each member brings.
            let share = |position: &u32| (expected - own[*position as usize]).exp2();
            for a in *pool {
                let share_a = share(a);
                gradient[*a as usize] += weight * (cq - expected) * share_a;
                for b in *pool {
                    hessian[*a as usize * size + *b as usize] += weight * share_a * share(b);
                }
            }
        }
        (gradient, hessian)
    }
}

/// Cq of several members' summed template.
fn combined(own: &[f64], pool: &[u32]) -> f64 {
    let earliest = pool.iter().map(|position| own[*position as usize]).fold(f64::INFINITY, f64::min);
    let sum: f64 = pool.iter().map(|position| (earliest - own[*position as usize]).exp2()).sum();
    earliest - sum.log2()
}

/// Cholesky factor in place (lower triangle); false when the matrix is not positive definite.
fn factorise(matrix: &mut [f64], size: usize) -> bool {
    for i in 0..size {
        for j in 0..=i {
            let dot: f64 = (0..j).map(|k| matrix[i * size + k] * matrix[j * size + k]).sum();
            let rest = matrix[i * size + j] - dot;
            if i == j {
                if rest.is_nan() || rest <= 0.0 {
                    return false;
                }
                matrix[i * size + i] = rest.sqrt();
            } else {
                matrix[i * size + j] = rest / matrix[j * size + j];
            }
        }
    }
    true
}

fn solve(mut matrix: Vec<f64>, mut right: Vec<f64>) -> Option<Vec<f64>> {
    let size = right.len();
    if !factorise(&mut matrix, size) {
        return None;
    }
    for i in 0..size {
        let dot: f64 = (0..i).map(|k| matrix[i * size + k] * right[k]).sum();
        right[i] = (right[i] - dot) / matrix[i * size + i];
    }
    for i in (0..size).rev() {
        let dot: f64 = (i + 1..size).map(|k| matrix[k * size + i] * right[k]).sum();
        right[i] = (right[i] - dot) / matrix[i * size + i];
    }
    Some(right)
}

fn log_determinant(mut matrix: Vec<f64>, size: usize) -> f64 {
    if matrix.len() != size * size || !factorise(&mut matrix, size) {
        return 0.0;
    }
    (0..size).map(|i| 2.0 * matrix[i * size + i].ln()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linear_systems_are_solved() {
        let matrix = vec![4.0, 2.0, 2.0, 3.0];
        let solution = solve(matrix.clone(), vec![2.0, 5.0]).expect("positive definite");
        assert!((solution[0] + 0.5).abs() < 1e-12 && (solution[1] - 2.0).abs() < 1e-12);
        assert!((log_determinant(matrix, 2) - 8f64.ln()).abs() < 1e-12);
        assert!(solve(vec![1.0, 2.0, 2.0, 1.0], vec![1.0, 1.0]).is_none());
    }

    #[test]
    fn two_equal_members_are_one_cycle_earlier() {
        assert!((combined(&[30.0, 30.0], &[0, 1]) - 29.0).abs() < 1e-12);
        assert!((combined(&[30.0, 300.0], &[0, 1]) - 30.0).abs() < 1e-12);
    }
}
