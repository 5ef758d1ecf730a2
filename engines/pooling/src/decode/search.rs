//! All good explanations of a set of pool results.
//!
//! An explanation says who is positive and which positive pools are false. Its energy is minus its
//! log-probability up to a constant. Samples and pools fall into independent components; each is
//! searched depth-first: take the unexplained positive pool with the fewest suspects; either its
//! first suspect is positive, or not the first but the second, …, or none and the pool is false.
//! These cases are disjoint, so probabilities add up. A branch is cut when even the cheapest way to
//! explain what is left costs too much.

/// Windows (nats below the best explanation) that are searched one after the other, as far as the
/// budget of nodes allows. Cq values reorder explanations, so they get the last, widest one too.
const WINDOWS: [f64; 6] = [0.5, 2.0, 4.0, 6.5, 9.0, 13.0];
/// A search that did not get this far does not support clearing anybody by itself.
const NARROWEST_WINDOW: f64 = 2.0;
const MAX_NODES: usize = 1500;
const MAX_LEAVES: usize = 1000;
/// Components with more positive pools than this are not searched: everybody is retested.
const MAX_POSITIVE_POOLS: usize = 512;

/// A sample that could be positive; pools are numbered within the component.
#[derive(Debug, Clone)]
pub(super) struct Suspect {
    pub sample: u32,
    /// −log prior odds.
    pub include: f64,
    /// Its positive pools.
    pub positive_pools: Vec<u32>,
    /// Those among them that it could be the main cause of: all without Cq values.
    pub explains: Vec<u32>,
    pub negative_pools: Vec<u32>,
}

/// A sample that is hardly suspected; the component's pools it is in, by their numbers there.
#[derive(Debug, Clone)]
pub(super) struct Bystander {
    pub sample: u32,
    pub positive_pools: Vec<u32>,
    pub negative_pools: Vec<u32>,
}

/// Samples and pools that can only be judged together.
#[derive(Debug, Clone, Default)]
pub(super) struct Component {
    pub suspects: Vec<Suspect>,
    pub bystanders: Vec<Bystander>,
    /// Cost of calling a positive pool false, with the pool's global number.
    pub positive: Vec<(u32, f64)>,
    /// Cost of a negative pool that holds a positive sample, with the pool's global number.
    pub negative: Vec<(u32, f64)>,
}

/// One explanation, with the suspects it leaves undecided.
#[derive(Debug, Clone)]
pub(super) struct Leaf {
    pub energy: f64,
    /// Indices of positive suspects.
    pub included: Vec<u32>,
    /// Component numbers of positive pools called false.
    pub false_pools: Vec<u32>,
    /// Suspects that may be positive besides, with the odds of it.
    pub free: Vec<(u32, f64)>,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Explanations {
    /// Best first; never empty.
    pub leaves: Vec<Leaf>,
    /// How far below the best explanation (nats) the search is complete.
    pub reached: f64,
}

impl Explanations {
    /// Whether the probabilities can be trusted to clear people.
    pub(super) fn are_enough(&self) -> bool {
        self.reached >= NARROWEST_WINDOW
    }

    /// Whether the best explanation is known to be the best.
    pub(super) fn best_is_known(&self) -> bool {
        self.reached > 0.0
    }
}

impl Component {
    pub(super) fn explain(&self, with_cq: bool) -> Explanations {
        let mut search = Search::new(self);
        let mut reached = 0.0;
        let mut leaves = Vec::new();
        if self.positive.len() <= MAX_POSITIVE_POOLS {
            search.best = search.greedy();
            let windows = if with_cq { &WINDOWS[..] } else { &WINDOWS[..5] };
            for window in windows {
                let finished = search.run(*window);
                if finished || leaves.is_empty() {
                    leaves = std::mem::take(&mut search.leaves);
                }
                if !finished {
                    break;
                }
                reached = *window;
            }
        }
        finish(self, leaves, reached)
    }
}

fn finish(component: &Component, mut leaves: Vec<Leaf>, reached: f64) -> Explanations {
    leaves.sort_by(|a, b| a.energy.total_cmp(&b.energy));
    let limit = leaves.first().map_or(0.0, |best| best.energy) + reached.max(WINDOWS[0]);
    leaves.retain(|leaf| leaf.energy <= limit);
    if leaves.is_empty() {
        leaves.push(Leaf { energy: 0.0, included: Vec::new(), false_pools: (0..component.positive.len() as u32).collect(), free: Vec::new() });
    }
    Explanations { leaves, reached }
}

/// Positions of the bits set in a word-array mask.
fn bits(words: &[u64]) -> impl Iterator<Item = usize> {
    words.iter().enumerate().flat_map(|(at, word)| {
        let mut left = *word;
        std::iter::from_fn(move || {
            let bit = left.trailing_zeros() as usize;
            left &= left.wrapping_sub(1);
            (bit < 64).then_some(at * 64 + bit)
        })
    })
}

struct Search<'a> {
    component: &'a Component,
    window: f64,
    /// Words per mask of positive pools.
    words: usize,
    /// Explained pools of each suspect, `words` words each.
    masks: Vec<u64>,
    /// Least cost of each suspect, for bounds: several positives may share a missed pool, so only a
    /// third of the cost of missed pools counts.
    least_cost: Vec<f64>,
    least_item: f64,
    excluded: Vec<bool>,
    included: Vec<u32>,
    false_pools: Vec<u32>,
    missed: Vec<u16>,
    energy: f64,
    best: f64,
    nodes: usize,
    cut_short: bool,
    leaves: Vec<Leaf>,
}

/// What a node of the search sees of its open pools.
struct View {
    bound: f64,
    /// Open pool with the fewest suspects, `None` when everything is explained.
    pool: Option<usize>,
    prices: Vec<f64>,
}

impl<'a> Search<'a> {
    fn new(component: &'a Component) -> Self {
        let words = component.positive.len().div_ceil(64);
        let mut masks = vec![0u64; words * component.suspects.len()];
        for (index, suspect) in component.suspects.iter().enumerate() {
            for pool in &suspect.explains {
                masks[index * words + *pool as usize / 64] |= 1 << (pool % 64);
            }
        }
        let missed = |suspect: &Suspect| -> f64 { suspect.negative_pools.iter().map(|pool| component.negative[*pool as usize].1).sum() };
        let least = |suspect: &Suspect| suspect.include + missed(suspect) / 3.0;
        let includes = component.suspects.iter().map(|suspect| suspect.include);
        let false_costs = component.positive.iter().map(|(_, cost)| *cost);
        Self {
            component,
            window: 0.0,
            words,
            masks,
            least_cost: component.suspects.iter().map(least).collect(),
            least_item: includes.chain(false_costs).fold(f64::INFINITY, f64::min),
            excluded: vec![false; component.suspects.len()],
            included: Vec::new(),
            false_pools: Vec::new(),
            missed: vec![0; component.negative.len()],
            energy: 0.0,
            best: f64::INFINITY,
            nodes: 0,
            cut_short: false,
            leaves: Vec::new(),
        }
    }

    /// Collects every explanation within a window of the best; false when the budget ended before.
    fn run(&mut self, window: f64) -> bool {
        self.window = window;
        self.leaves.clear();
        let mut open = vec![u64::MAX; self.words];
        for (pool, word) in open.iter_mut().enumerate() {
            let pools = self.component.positive.len() - pool * 64;
            *word = if pools < 64 { (1 << pools) - 1 } else { u64::MAX };
        }
        let all: Vec<u32> = (0..self.component.suspects.len() as u32).collect();
        let hopeful = self.hopeful(&open, &all);
        self.explore(&open, &hopeful);
        for index in all {
            self.excluded[index as usize] = false;
        }
        !self.cut_short
    }

    /// What it costs to make a suspect positive now.
    fn cost(&self, index: u32) -> f64 {
        let suspect = &self.component.suspects[index as usize];
        let newly_missed = suspect.negative_pools.iter().filter(|pool| self.missed[**pool as usize] == 0);
        let misses: f64 = newly_missed.map(|pool| self.component.negative[*pool as usize].1).sum();
        suspect.include + misses
    }

    fn mask(&self, index: u32) -> &[u64] {
        &self.masks[index as usize * self.words..(index as usize + 1) * self.words]
    }

    /// The open pools a suspect would explain.
    fn cover(&self, index: u32, open: &[u64]) -> usize {
        let both = self.mask(index).iter().zip(open).map(|(mask, open)| (mask & open).count_ones());
        both.sum::<u32>() as usize
    }

    fn without(&self, open: &[u64], index: u32) -> Vec<u64> {
        open.iter().zip(self.mask(index)).map(|(open, mask)| open & !mask).collect()
    }

    fn include(&mut self, index: u32) {
        self.energy += self.cost(index);
        for pool in &self.component.suspects[index as usize].negative_pools {
            self.missed[*pool as usize] += 1;
        }
        self.included.push(index);
    }

    fn undo_include(&mut self, index: u32, energy: f64) {
        for pool in &self.component.suspects[index as usize].negative_pools {
            self.missed[*pool as usize] -= 1;
        }
        self.included.pop();
        self.energy = energy;
    }

    /// Energy of a quickly found explanation: always the suspect that saves most.
    fn greedy(&mut self) -> f64 {
        let costs = &self.component.positive;
        let mut open = vec![0u64; self.words];
        for pool in 0..costs.len() {
            open[pool / 64] |= 1 << (pool % 64);
        }
        let saved = |mask: &[u64], open: &[u64]| -> f64 {
            let both: Vec<u64> = mask.iter().zip(open).map(|(mask, open)| mask & open).collect();
            bits(&both).map(|pool| costs[pool].1).sum()
        };
        loop {
            let gain = |index: u32| saved(self.mask(index), &open) - self.cost(index);
            let all = 0..self.component.suspects.len() as u32;
            let best = all.map(|index| (gain(index), index)).max_by(|a, b| a.0.total_cmp(&b.0));
            match best {
                Some((gain, index)) if gain > 0.0 => {
                    open = self.without(&open, index);
                    self.include(index);
                }
                _ => break,
            }
        }
        let energy = self.energy + bits(&open).map(|pool| costs[pool].1).sum::<f64>();
        while let Some(index) = self.included.last().copied() {
            self.undo_include(index, 0.0);
        }
        energy
    }

    /// Suspects that can be part of an explanation within the window. The others count as excluded.
    fn hopeful(&mut self, open: &[u64], all: &[u32]) -> Vec<u32> {
        let view = self.view(open, all);
        let total: f64 = bits(open).map(|pool| view.prices[pool]).sum();
        for index in all {
            let own: f64 = bits(self.mask(*index)).map(|pool| view.prices[pool]).sum();
            let least = self.cost(*index) + total - own;
            self.excluded[*index as usize] = least > self.best + self.window;
        }
        all.iter().copied().filter(|index| !self.excluded[*index as usize]).collect()
    }

    /// Prices every open pool by its cheapest explanation, shared among the pools it explains. Their
    /// sum bounds the cost of explaining all; so does the number of items needed.
    fn view(&self, open: &[u64], active: &[u32]) -> View {
        let positive = &self.component.positive;
        let mut prices: Vec<f64> = positive.iter().map(|(_, cost)| *cost).collect();
        let mut suspects = vec![0u32; positive.len()];
        let mut widest = 1;
        for index in active {
            let cover = self.cover(*index, open);
            if cover == 0 {
                continue;
            }
            widest = widest.max(cover);
            let ratio = self.least_cost[*index as usize] / cover as f64;
            for (at, (mask, open)) in self.mask(*index).iter().zip(open).enumerate() {
                let mut left = mask & open;
                while left != 0 {
                    let pool = at * 64 + left.trailing_zeros() as usize;
                    left &= left - 1;
                    prices[pool] = prices[pool].min(ratio);
                    suspects[pool] += 1;
                }
            }
        }
        let (mut bound, mut count, mut pool) = (0.0, 0usize, None);
        for open_pool in bits(open) {
            bound += prices[open_pool];
            count += 1;
            if pool.is_none_or(|held: usize| suspects[open_pool] < suspects[held]) {
                pool = Some(open_pool);
            }
        }
        let items = count.div_ceil(widest) as f64;
        View { bound: bound.max(items * self.least_item), pool, prices }
    }

    fn explore(&mut self, open: &[u64], active: &[u32]) {
        self.nodes += 1;
        if self.nodes > MAX_NODES || self.leaves.len() >= MAX_LEAVES {
            self.cut_short = true;
            return;
        }
        let view = self.view(open, active);
        if self.energy + view.bound > self.best + self.window {
            return;
        }
        match view.pool {
            None => self.leaf(),
            Some(pool) => self.branch(pool, open, active),
        }
    }

    fn branch(&mut self, pool: usize, open: &[u64], active: &[u32]) {
        let energy = self.energy;
        let explains = |index: &u32| self.mask(*index)[pool / 64] >> (pool % 64) & 1 == 1;
        let (mut here, mut rest): (Vec<u32>, Vec<u32>) = active.iter().copied().partition(explains);
        let ratio = |index: u32| self.least_cost[index as usize] / self.cover(index, open).max(1) as f64;
        here.sort_by(|a, b| ratio(*a).total_cmp(&ratio(*b)));
        let others = rest.len();
        for (at, index) in here.iter().enumerate() {
            // Those tried before are excluded; those still to be tried may join.
            rest.truncate(others);
            rest.extend(&here[at + 1..]);
            if self.energy + self.cost(*index) <= self.best + self.window {
                let open = self.without(open, *index);
                self.include(*index);
                self.explore(&open, &rest);
                self.undo_include(*index, energy);
            }
            self.excluded[*index as usize] = true;
        }
        rest.truncate(others);
        self.energy += self.component.positive[pool].1;
        self.false_pools.push(pool as u32);
        let mut open = open.to_vec();
        open[pool / 64] &= !(1 << (pool % 64));
        self.explore(&open, &rest);
        self.false_pools.pop();
        self.energy = energy;
        for index in here {
            self.excluded[index as usize] = false;
        }
    }

    fn leaf(&mut self) {
        self.best = self.best.min(self.energy);
        let free = (0..self.component.suspects.len() as u32)
            .filter(|index| !self.excluded[*index as usize] && !self.included.contains(index))
            .map(|index| (index, (-self.cost(index)).exp()))
            .filter(|(_, odds)| *odds > 1e-9)
            .collect();
        self.leaves.push(Leaf { energy: self.energy, included: self.included.clone(), false_pools: self.false_pools.clone(), free });
    }
}
