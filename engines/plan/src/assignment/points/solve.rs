//! Minimum-cost flow by successive shortest paths (Ford and Fulkerson 1962; potentials after Edmonds and Karp 1972).
//!
//! Leaving a tube behind is one more laboratory, *nowhere*, of endless capacity and so dear that a tube goes there last. Points are taken
//! in one after the other; each sends its tubes along the cheapest way to free capacity, moving others' tubes on where that is cheaper.

use super::plan::{Load, Plan, Reason, Share, Unplaced};
use super::problem::Problem;

const ENDLESS: i64 = i64::MAX / 4;

/// Assigns a [valid](Problem::validate) problem: as many tubes as can be, then in as few minutes as can be.
#[must_use]
pub fn solve(problem: &Problem) -> Plan {
    let mut flow = Flow::new(problem);
    for point in 0..problem.points.len() {
        flow.send(point, problem.points[point].tubes_per_hour);
    }
    flow.write(problem)
}

struct Flow {
    /// Minutes per point and laboratory, nowhere last; [`ENDLESS`] where it is too far.
    costs: Vec<Vec<i64>>,
    tubes: Vec<Vec<i64>>,
    /// Points that send to each laboratory.
    senders: Vec<Vec<usize>>,
    free: Vec<i64>,
}

/// How a laboratory is reached: by a point's tubes, which came from another laboratory or from the point that is sending.
#[derive(Clone, Copy)]
struct Step {
    point: usize,
    from: Option<usize>,
}

impl Flow {
    fn new(problem: &Problem) -> Self {
        let dear = problem.behind_minutes();
        let row = |point| (0..problem.laboratories.len()).map(move |to| problem.way(point, to).unwrap_or(ENDLESS)).chain([dear]).collect();
        let costs: Vec<Vec<i64>> = (0..problem.points.len()).map(row).collect();
        let free: Vec<i64> = problem.laboratories.iter().map(|one| one.tubes_per_hour).chain([ENDLESS]).collect();
        Self { tubes: vec![vec![0; free.len()]; costs.len()], senders: vec![Vec::new(); free.len()], costs, free }
    }

    fn send(&mut self, point: usize, mut tubes: i64) {
        while tubes > 0 {
            let start: Vec<(i64, Option<Step>)> = self.costs[point].iter().map(|cost| (*cost, Some(Step { point, from: None }))).collect();
            let (target, steps) = self.cheapest(start);
            let way = walk(&steps, target);
            let movable = way.iter().filter_map(|(to, _)| steps[*to].and_then(|step| step.from.map(|from| self.tubes[step.point][from]))).min();
            let now = tubes.min(self.free[target]).min(movable.unwrap_or(ENDLESS));
            self.free[target] -= now;
            for (to, step) in way {
                self.change(step.point, to, now);
                if let Some(from) = step.from {
                    self.change(step.point, from, -now);
                }
            }
            tubes -= now;
        }
    }

    fn change(&mut self, point: usize, laboratory: usize, by: i64) {
        let before = self.tubes[point][laboratory];
        self.tubes[point][laboratory] += by;
        if before == 0 {
            self.senders[laboratory].push(point);
        } else if before + by == 0 {
            self.senders[laboratory].retain(|sender| *sender != point);
        }
    }

    /// The cheapest laboratory with free capacity, and how each is reached best. Costs of moving on may be negative, so labels are
    /// corrected until none changes (Bellman and Ford); there is never a cycle that saves anything.
    fn cheapest(&self, mut labels: Vec<(i64, Option<Step>)>) -> (usize, Vec<Option<Step>>) {
        self.correct(&mut labels);
        let open = (0..labels.len()).filter(|to| self.free[*to] > 0 && labels[*to].0 < ENDLESS);
        // Nowhere is always open.
        let target = open.min_by_key(|to| (labels[*to].0, *to)).unwrap_or(labels.len() - 1);
        (target, labels.into_iter().map(|(_, step)| step).collect())
    }

    fn correct(&self, labels: &mut [(i64, Option<Step>)]) {
        let mut waiting: std::collections::VecDeque<usize> = (0..labels.len()).filter(|one| labels[*one].0 < ENDLESS).collect();
        let mut queued: Vec<bool> = labels.iter().map(|(label, _)| *label < ENDLESS).collect();
        while let Some(from) = waiting.pop_front() {
            queued[from] = false;
            for (to, best, point) in self.moves(from) {
                if labels[from].0 + best < labels[to].0 {
                    labels[to] = (labels[from].0 + best, Some(Step { point, from: Some(from) }));
                    if !queued[to] {
                        queued[to] = true;
                        waiting.push_back(to);
                    }
                }
            }
        }
    }

    /// To every other laboratory, the cheapest move of a tube that is sent here: where to, at what cost, whose.
    fn moves(&self, from: usize) -> impl Iterator<Item = (usize, i64, usize)> + '_ {
        let mut best: Vec<(i64, usize)> = vec![(ENDLESS, 0); self.free.len()];
        for point in &self.senders[from] {
            let own = self.costs[*point][from];
            for (to, cost) in self.costs[*point].iter().enumerate().filter(|(_, cost)| **cost < ENDLESS) {
                best[to] = best[to].min((cost - own, *point));
            }
        }
        best.into_iter().enumerate().filter(move |(to, (cost, _))| *to != from && *cost < ENDLESS).map(|(to, (cost, point))| (to, cost, point))
    }

    /// What one more tube of capacity saves: the dearest tube whose way it shortens, moves of others included.
    fn prices(&self) -> Vec<i64> {
        let used = |laboratory: usize| !self.senders[laboratory].is_empty();
        let mut labels: Vec<(i64, Option<Step>)> = (0..self.free.len()).map(|one| (if used(one) { 0 } else { ENDLESS }, None)).collect();
        self.correct(&mut labels);
        labels.into_iter().map(|(label, _)| (-label).max(0)).collect()
    }

    fn write(&self, problem: &Problem) -> Plan {
        let (prices, dear) = (self.prices(), problem.behind_minutes());
        let binding: Vec<bool> = (0..problem.laboratories.len()).map(|one| 2 * prices[one] > dear).collect();
        let mut plan = Plan::default();
        for (point, own) in problem.points.iter().enumerate() {
            for (laboratory, target) in problem.laboratories.iter().enumerate().filter(|(one, _)| self.tubes[point][*one] > 0) {
                let (tubes_per_hour, minutes) = (self.tubes[point][laboratory], self.costs[point][laboratory]);
                plan.tubes_per_hour += tubes_per_hour;
                plan.tube_minutes += tubes_per_hour * minutes;
                plan.shares.push(Share { point: own.id.clone(), laboratory: target.id.clone(), tubes_per_hour, minutes });
            }
            let left = self.tubes[point][problem.laboratories.len()];
            if left > 0 {
                plan.unplaced.push(Unplaced { point: own.id.clone(), tubes_per_hour: left, reason: self.why(problem, point) });
            }
        }
        for (laboratory, own) in problem.laboratories.iter().enumerate() {
            let tubes_per_hour = own.tubes_per_hour - self.free[laboratory];
            let (binding, price) = (binding[laboratory], prices[laboratory]);
            plan.loads.push(Load { laboratory: own.id.clone(), tubes_per_hour, of: own.tubes_per_hour, binding, price });
        }
        plan
    }

    fn why(&self, problem: &Problem, point: usize) -> Reason {
        let reachable = &self.costs[point][..problem.laboratories.len()];
        if reachable.iter().all(|cost| *cost == ENDLESS) {
            let nearest_minutes = problem.laboratories.iter().map(|to| problem.minutes[problem.points[point].place][to.place]).min();
            return Reason::TooFar { nearest_minutes };
        }
        let mut labels: Vec<(i64, Option<Step>)> = self.costs[point].iter().map(|cost| (*cost, None)).collect();
        labels[problem.laboratories.len()].0 = ENDLESS;
        self.correct(&mut labels);
        let full = problem.laboratories.iter().zip(&labels).filter(|(_, (label, _))| *label < ENDLESS);
        Reason::CapacityShort { full: full.map(|(own, _)| own.id.clone()).collect() }
    }
}

/// From the target back to the sending point: laboratories and how they are reached.
fn walk(steps: &[Option<Step>], target: usize) -> Vec<(usize, Step)> {
    let mut way = Vec::new();
    let mut at = target;
    while let Some(step) = steps[at] {
        way.push((at, step));
        let Some(from) = step.from else { break };
        at = from;
    }
    way
}
