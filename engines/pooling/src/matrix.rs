//! Pooling matrices: which sample is in which pool. Any 0/1 design.

use serde::{Deserialize, Serialize};

pub const MAX_POOLS: usize = 4096;
pub const MAX_SAMPLES: usize = 65_536;
pub const MAX_MEMBERSHIPS: usize = 1 << 20;

/// A 0/1 design, stored by pool and by sample. Samples and pools count from 0.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Rows", into = "Rows")]
pub struct PoolMatrix {
    pools: Vec<Vec<u32>>,
    samples: Vec<Vec<u32>>,
}

/// The serialised form: number of samples and the members of each pool.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Rows {
    samples: usize,
    pools: Vec<Vec<u32>>,
}

/// An array plate as its pools describe it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArrayShape {
    /// Pools that are rows, ascending.
    pub rows: Vec<u32>,
    /// Pools that are columns, ascending.
    pub columns: Vec<u32>,
    /// The sample at every crossing, row by row.
    pub samples: Vec<u32>,
}

impl PoolMatrix {
    /// Builds a design of `samples` samples from the members of each pool.
    ///
    /// Refuses members out of range, a sample twice in one pool, and sizes over the bounds.
    pub fn new(samples: usize, mut pools: Vec<Vec<u32>>) -> Result<Self, String> {
        let memberships: usize = pools.iter().map(Vec::len).sum();
        if pools.len() > MAX_POOLS || samples > MAX_SAMPLES || memberships > MAX_MEMBERSHIPS {
            return Err(format!(
                "design too large: {} pools, {samples} samples, {memberships} memberships; at most {MAX_POOLS}, {MAX_SAMPLES}, {MAX_MEMBERSHIPS}",
                pools.len()
            ));
        }
        let mut by_sample = vec![Vec::new(); samples];
        for (pool, members) in pools.iter_mut().enumerate() {
            members.sort_unstable();
            if let Some(pair) = members.windows(2).find(|pair| pair[0] == pair[1]) {
                return Err(format!("pool {}: sample {} is in it twice", pool + 1, pair[0] + 1));
            }
            for member in members.iter() {
                let Some(of_sample) = by_sample.get_mut(*member as usize) else {
                    return Err(format!("pool {}: there is no sample {}", pool + 1, member + 1));
                };
                of_sample.push(pool as u32);
            }
        }
        Ok(Self { pools, samples: by_sample })
    }

    /// Pools of `size` consecutive samples; the last one may be smaller.
    pub fn disjoint(samples: u32, size: u32) -> Result<Self, String> {
        within_bounds(u64::from(samples))?;
        let members: Vec<u32> = (0..samples).collect();
        let pools = members.chunks(size.max(1) as usize).map(<[u32]>::to_vec);
        Self::new(samples as usize, pools.collect())
    }

    /// One array plate: a pool per row, then a pool per column; samples run along the rows.
    pub fn array(rows: u32, columns: u32) -> Result<Self, String> {
        within_bounds(u64::from(rows) * u64::from(columns))?;
        let row_pools = (0..rows).map(|row| (row * columns..(row + 1) * columns).collect());
        let column_pools = (0..columns).map(|column| (0..rows).map(|row| row * columns + column).collect());
        Self::new((rows * columns) as usize, row_pools.chain(column_pools).collect())
    }

    /// The rows and columns of an array design, whatever the order of its pools and samples: two groups of
    /// pools, each holding every sample once, and one sample at every crossing. `None` for any other design.
    pub fn as_array(&self) -> Option<ArrayShape> {
        let (first, _) = self.pools.iter().enumerate().find(|(_, members)| !members.is_empty())?;
        // The pools that share no sample with the first one lie beside it; the others cross it.
        let crosses: Vec<u32> =
            self.pools[first].iter().filter_map(|sample| self.samples[*sample as usize].iter().copied().find(|pool| *pool as usize != first)).collect();
        let (columns, rows): (Vec<u32>, Vec<u32>) = (0..self.pools.len() as u32).partition(|pool| crosses.contains(pool));
        let mut place = vec![None; rows.len() * columns.len()];
        for (sample, pools) in self.samples.iter().enumerate() {
            let [one, other] = pools[..] else { return None };
            let (row, column) = if columns.contains(&other) { (one, other) } else { (other, one) };
            let at = rows.binary_search(&row).ok()? * columns.len() + columns.binary_search(&column).ok()?;
            if place[at].replace(sample as u32).is_some() {
                return None;
            }
        }
        let samples = place.into_iter().collect::<Option<Vec<u32>>>()?;
        Some(ArrayShape { rows, columns, samples })
    }

    pub fn pool_count(&self) -> usize {
        self.pools.len()
    }

    pub fn sample_count(&self) -> usize {
        self.samples.len()
    }

    /// Members of a pool, ascending.
    pub fn members(&self, pool: usize) -> &[u32] {
        &self.pools[pool]
    }

    /// Pools of a sample, ascending.
    pub fn pools_of(&self, sample: usize) -> &[u32] {
        &self.samples[sample]
    }
}

fn within_bounds(samples: u64) -> Result<(), String> {
    if samples > MAX_SAMPLES as u64 {
        return Err(format!("{samples} samples; at most {MAX_SAMPLES}"));
    }
    Ok(())
}

impl TryFrom<Rows> for PoolMatrix {
    type Error = String;
    fn try_from(rows: Rows) -> Result<Self, String> {
        Self::new(rows.samples, rows.pools)
    }
}

impl From<PoolMatrix> for Rows {
    fn from(matrix: PoolMatrix) -> Self {
        Self { samples: matrix.samples.len(), pools: matrix.pools }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_have_every_sample_in_one_row_and_one_column() {
        let array = PoolMatrix::array(2, 3).expect("small");
        assert_eq!(array.members(1), [3, 4, 5]);
        assert_eq!(array.members(2), [0, 3]);
        assert!((0..6).all(|sample| array.pools_of(sample).len() == 2));
        let pools = PoolMatrix::disjoint(5, 2).expect("small");
        assert_eq!((pools.pool_count(), pools.members(2)), (3, &[4][..]));
    }

    #[test]
    fn an_array_is_known_in_any_order() {
        let array = PoolMatrix::array(3, 4).expect("small");
        let shape = array.as_array().expect("an array");
        assert_eq!((shape.rows, shape.columns, shape.samples), (vec![0, 1, 2], vec![3, 4, 5, 6], (0..12).collect()));
        // Columns first, samples backwards.
        let turned: Vec<Vec<u32>> = (0..7).map(|pool| array.members((pool + 3) % 7).iter().map(|sample| 11 - sample).collect()).collect();
        let turned = PoolMatrix::new(12, turned).expect("small");
        let shape = turned.as_array().expect("an array");
        for (at, sample) in shape.samples.iter().enumerate() {
            let pools = [shape.rows[at / shape.columns.len()], shape.columns[at % shape.columns.len()]];
            assert!(pools.iter().all(|pool| turned.members(*pool as usize).contains(sample)));
        }
        let without_one = PoolMatrix::new(3, vec![vec![0, 1], vec![2], vec![0, 2], vec![1]]).expect("small");
        assert_eq!(without_one.as_array(), None, "a crossing is empty");
        for other in [PoolMatrix::disjoint(10, 5), PoolMatrix::disjoint(4, 1), PoolMatrix::new(2, vec![vec![], vec![]])] {
            assert_eq!(other.expect("small").as_array(), None);
        }
    }

    #[test]
    fn impossible_designs_are_refused() {
        assert!(PoolMatrix::new(2, vec![vec![0, 2]]).is_err());
        let twice = PoolMatrix::new(2, vec![vec![], vec![1, 1]]);
        assert_eq!(twice, Err("pool 2: sample 2 is in it twice".to_owned()));
        assert!(PoolMatrix::new(MAX_SAMPLES + 1, Vec::new()).is_err());
        assert!(PoolMatrix::array(u32::MAX, u32::MAX).is_err());
        assert!(PoolMatrix::disjoint(u32::MAX, 10).is_err());
    }
}
