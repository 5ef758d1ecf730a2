//! A small linear programme that grows by columns: least cost of `A x = b`, `x ≥ 0`, by the revised primal simplex method
//! with an explicit inverse of the basis (Dantzig and Orchard-Hays 1954).
//!
//! Every start is feasible, columns can be added and costs changed between calls, and the old basis stays feasible. Nothing
//! a roster says is read from here but which rows to try, so rounding can cost quality, never legality.

/// Reduced costs, pivots and values nearer to nothing than this are nothing.
const NEARLY_NOTHING: f64 = 1e-7;
/// A smaller pivot is not trusted.
const LEAST_PIVOT: f64 = 1e-5;
/// Columns looked at between two passes over all of them.
const CANDIDATES: usize = 24;

struct Column {
    cost: f64,
    /// Where its entries are.
    from: usize,
    to: usize,
}

pub(super) struct Master {
    size: usize,
    columns: Vec<Column>,
    /// Row and coefficient of every column's entries.
    entries: Vec<(u32, f64)>,
    /// Column by column.
    inverse: Vec<f64>,
    /// The column that is basic in each row, and its value.
    basis: Vec<usize>,
    value: Vec<f64>,
    duals: Vec<f64>,
    /// By column: whether it is basic.
    is_basic: Vec<bool>,
    step: Vec<f64>,
    pivot_row: Vec<f64>,
    /// Steps done so far, each worth about one move of the annealing.
    pub work: u64,
}

impl Master {
    /// Starts from the right-hand side, with one basic column for each row: `(cost, entries)`, where row r is covered by
    /// the r-th, and the columns together are lower triangular with 1 or -1 on the diagonal. Values must come out ≥ 0.
    pub fn new(right: &[f64], start: &[(f64, Vec<(u32, f64)>)]) -> Master {
        let size = right.len();
        let mut master = Master {
            size,
            columns: vec![],
            entries: vec![],
            inverse: vec![0.0; size * size],
            basis: (0..size).collect(),
            value: vec![0.0; size],
            duals: vec![0.0; size],
            is_basic: vec![],
            step: vec![0.0; size],
            pivot_row: vec![0.0; size],
            work: (size * size / 64) as u64,
        };
        for (cost, entries) in start {
            let column = master.add(*cost, entries.iter().copied());
            master.is_basic[column] = true;
        }
        // Forward substitution, one unit vector at a time.
        for unit in 0..size {
            let solution = &mut master.inverse[unit * size..][..size];
            solution[unit] = 1.0;
            for (column, (_, entries)) in start.iter().enumerate().skip(unit) {
                let diagonal = entries.iter().find(|(row, _)| *row as usize == column).map_or(1.0, |(_, by)| *by);
                solution[column] /= diagonal;
                let value = solution[column];
                if value != 0.0 {
                    entries.iter().filter(|(row, _)| *row as usize > column).for_each(|(row, by)| solution[*row as usize] -= by * value);
                }
            }
            let solution = &master.inverse[unit * size..][..size];
            master.value.iter_mut().zip(solution).for_each(|(value, by)| *value += by * right[unit]);
        }
        master.value.iter_mut().for_each(|value| *value = value.max(0.0));
        master.find_duals();
        master
    }

    /// Adds a column; it waits outside the basis.
    pub fn add(&mut self, cost: f64, entries: impl Iterator<Item = (u32, f64)>) -> usize {
        let from = self.entries.len();
        self.entries.extend(entries);
        self.columns.push(Column { cost, from, to: self.entries.len() });
        self.is_basic.push(false);
        self.columns.len() - 1
    }

    /// Changes costs; call [`Master::find_duals`] when done.
    pub fn set_cost(&mut self, column: usize, cost: f64) {
        self.columns[column].cost = cost;
    }

    pub fn find_duals(&mut self) {
        for (dual, column) in self.duals.iter_mut().zip(self.inverse.chunks_exact(self.size)) {
            *dual = column.iter().zip(&self.basis).map(|(by, basic)| by * self.columns[*basic].cost).sum();
        }
        self.work += (self.size * self.size / 128) as u64;
    }

    pub fn dual(&self, row: usize) -> f64 {
        self.duals[row]
    }

    pub fn objective(&self) -> f64 {
        self.basis.iter().zip(&self.value).map(|(column, value)| self.columns[*column].cost * value).sum()
    }

    /// The basic columns and their values.
    pub fn solution(&self) -> impl Iterator<Item = (usize, f64)> + '_ {
        self.basis.iter().copied().zip(self.value.iter().copied())
    }

    #[inline]
    fn reduced_cost(&self, column: usize) -> f64 {
        let column = &self.columns[column];
        column.cost - self.entries[column.from..column.to].iter().map(|(row, by)| self.duals[*row as usize] * by).sum::<f64>()
    }

    /// Pivots until no column helps or `most` pivots are done. Returns whether more pivots may help.
    pub fn improve(&mut self, most: usize) -> bool {
        let mut left = most;
        let mut found: Vec<(f64, usize)> = Vec::new();
        loop {
            found.clear();
            let outside = (0..self.columns.len()).filter(|column| !self.is_basic[*column]);
            found.extend(outside.map(|column| (self.reduced_cost(column), column)).filter(|(cost, _)| *cost < -NEARLY_NOTHING));
            self.work += (self.entries.len() / 64) as u64;
            if found.is_empty() {
                return false;
            }
            if found.len() > CANDIDATES {
                found.select_nth_unstable_by(CANDIDATES, |a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
                found.truncate(CANDIDATES);
            }
            found.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            let mut moved = false;
            for (_, column) in &found {
                let cost = self.reduced_cost(*column);
                if cost < -NEARLY_NOTHING && self.enter(*column, cost) {
                    moved = true;
                    left = left.saturating_sub(1);
                }
            }
            if !moved || left == 0 {
                return moved;
            }
        }
    }

    /// Brings a column into the basis. False when no pivot can be trusted.
    fn enter(&mut self, column: usize, cost: f64) -> bool {
        let size = self.size;
        self.step.fill(0.0);
        let Column { from, to, .. } = self.columns[column];
        for (row, by) in &self.entries[from..to] {
            let inverse = &self.inverse[*row as usize * size..][..size];
            self.step.iter_mut().zip(inverse).for_each(|(step, part)| *step += by * part);
        }
        let mut leaving: Option<(usize, f64)> = None;
        for (row, step) in self.step.iter().enumerate().filter(|(_, step)| **step > LEAST_PIVOT) {
            let ratio = self.value[row] / step;
            let better = leaving.is_none_or(|(known, least)| ratio < least - 1e-12 || ratio <= least + 1e-12 && *step > self.step[known]);
            if better {
                leaving = Some((row, ratio));
            }
        }
        let Some((row, ratio)) = leaving else { return false };
        self.value.iter_mut().zip(&self.step).for_each(|(value, step)| *value = (*value - ratio * step).max(0.0));
        self.value[row] = ratio;
        self.pivot(row, cost);
        self.is_basic[self.basis[row]] = false;
        self.is_basic[column] = true;
        self.basis[row] = column;
        self.work += (16 + size * size / 256) as u64;
        true
    }

    /// Updates inverse and duals.
    fn pivot(&mut self, row: usize, cost: f64) {
        let size = self.size;
        let by = 1.0 / self.step[row];
        self.step[row] = 0.0;
        for (own, column) in self.inverse.chunks_exact_mut(size).enumerate() {
            let part = column[row] * by;
            self.pivot_row[own] = part;
            if part != 0.0 {
                column.iter_mut().zip(&self.step).for_each(|(inverse, step)| *inverse -= step * part);
                column[row] = part;
            }
        }
        self.duals.iter_mut().zip(&self.pivot_row).for_each(|(dual, part)| *dual += cost * part);
    }
}

#[cfg(test)]
mod tests {
    use super::Master;

    /// Least x + 2y + 3s + 3t of x + s = 4, x + y + t = 6 ... by hand: x = 4, y = 2.
    #[test]
    fn a_programme_by_hand_reaches_its_optimum_and_goes_on_after_changes() {
        let mut master = Master::new(&[4.0, 6.0], &[(3.0, vec![(0, 1.0)]), (3.0, vec![(1, 1.0)])]);
        assert_eq!(master.objective(), 30.0);
        let x = master.add(1.0, [(0, 1.0), (1, 1.0)].into_iter());
        let y = master.add(2.0, [(1, 1.0)].into_iter());
        assert!(!master.improve(100));
        assert!((master.objective() - 8.0).abs() < 1e-9);
        let value = |master: &Master, wanted: usize| master.solution().find(|(column, _)| *column == wanted).map_or(0.0, |(_, value)| value);
        assert!((value(&master, x) - 4.0).abs() < 1e-9 && (value(&master, y) - 2.0).abs() < 1e-9);
        master.set_cost(x, 9.0);
        master.find_duals();
        assert!(!master.improve(100));
        assert!((master.objective() - (12.0 + 12.0)).abs() < 1e-9, "s = 4, y = 6");
        assert!((master.dual(0) - 3.0).abs() < 1e-9 && (master.dual(1) - 2.0).abs() < 1e-9);
    }

    #[test]
    fn a_triangular_start_is_inverted() {
        // Rows: x = 1; x - o = -1 (o = 2); x + u = 3 (u = 2).
        let start = [(5.0, vec![(0, 1.0), (1, 1.0), (2, 1.0)]), (1.0, vec![(1, -1.0)]), (100.0, vec![(2, 1.0)])];
        let master = Master::new(&[1.0, -1.0, 3.0], &start);
        assert_eq!(master.solution().map(|(_, value)| value).collect::<Vec<_>>(), vec![1.0, 2.0, 2.0]);
        assert_eq!(master.objective(), 5.0 + 2.0 + 200.0);
    }
}
