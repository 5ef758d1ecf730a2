//! The cheapest legal row of one employee, the others fixed: a resource-constrained shortest path over days.
//!
//! A node is what the next day's rules depend on (the last shift's bans, length of the run of work or rest); resources are
//! minutes, weekends and the counts of limited shifts. Labels are pruned by dominance, by what is still reachable (least cost
//! and most minutes to go, each by weekends left), and to the `width` cheapest per node. Irnich and Desaulniers (2005)
//! give the general method. With enough width the answer is exact.

use super::model::{Code, Limits, Model, OFF};

const NONE: u16 = u16::MAX;
const FAR: i32 = i32::MAX / 4;
/// Limited shifts counted in a label, one byte each.
const COUNTED: usize = 8;

/// Nodes of one contract and how they follow each other.
struct Graph {
    states: usize,
    codes: usize,
    /// State × code, with the state before day 0 as the last row.
    next: Vec<u16>,
    /// Whether the state is a day of work.
    works: Vec<bool>,
}

impl Graph {
    fn new(model: &Model, limits: &Limits) -> Graph {
        let (class, bans) = classes(model);
        let days = model.days as i32;
        let rest = limits.min_rest.clamp(1, days) as usize;
        let run = limits.max_run.clamp(1, days) as usize;
        let least = limits.min_run.clamp(1, run as i32 + 1) as usize;
        // Runs of work from day 0 are exempt from the least length, so shorter ones are told apart.
        let per_class = run + least - 1;
        let states = rest + bans.len() * per_class;
        let work = |code: usize, length: usize, exempt: bool| {
            let place = if exempt && length < least { run + length - 1 } else { length - 1 };
            (rest + class[code] * per_class + place) as u16
        };
        let mut next = vec![NONE; (states + 1) * model.codes];
        let mut row = |from: usize, code: usize, to: u16| next[from * model.codes + code] = to;
        for code in 1..model.codes {
            row(rest - 1, code, work(code, 1, false));
            row(states, code, work(code, 1, true));
        }
        (0..rest).for_each(|length| row(length, 0, (length + 1).min(rest - 1) as u16));
        row(states, 0, rest as u16 - 1);
        for (kind, banned) in bans.iter().enumerate() {
            for place in 0..per_class {
                let exempt = place >= run;
                let length = if exempt { place - run + 1 } else { place + 1 };
                let from = rest + kind * per_class + place;
                if exempt || length >= least {
                    row(from, 0, 0);
                }
                for code in (1..model.codes).filter(|code| length < run && banned >> code & 1 == 0) {
                    row(from, code, work(code, length + 1, exempt));
                }
            }
        }
        Graph { states, codes: model.codes, next, works: (0..=states).map(|s| s >= rest && s < states).collect() }
    }

    #[inline]
    fn next(&self, state: usize, code: usize) -> Option<usize> {
        let to = self.next[state * self.codes + code];
        (to != NONE).then_some(to as usize)
    }
}

/// Shifts with the same bans are one class: class of each code, bans of each class.
fn classes(model: &Model) -> (Vec<usize>, Vec<u64>) {
    let mut bans: Vec<u64> = Vec::new();
    let mut class = vec![0; model.codes];
    for (class, &banned) in class.iter_mut().zip(&model.banned_after).skip(1) {
        *class = bans.iter().position(|known| *known == banned).unwrap_or_else(|| {
            bans.push(banned);
            bans.len() - 1
        });
    }
    (class, bans)
}

#[derive(Clone, Copy)]
struct Label {
    cost: i32,
    minutes: i32,
    weekends: i32,
    counts: u64,
    parent: u32,
    code: Code,
}

/// Least cost, most and least minutes of the days to go, each by itself.
#[derive(Clone, Copy)]
struct Ahead {
    cost: i32,
    most_minutes: i32,
    least_minutes: i32,
}

impl Ahead {
    const END: Ahead = Ahead { cost: 0, most_minutes: 0, least_minutes: 0 };
    const NOWHERE: Ahead = Ahead { cost: FAR, most_minutes: -FAR, least_minutes: FAR };
}

/// What to look for.
pub(super) struct Wanted<'a> {
    pub employee: usize,
    /// The row as it is; days outside the window keep it.
    pub row: &'a [Code],
    pub window: std::ops::Range<usize>,
    /// Cost of each code on each day: day × code.
    pub prices: &'a [i32],
    /// Codes to consider, next to off and what the row has.
    pub codes: u64,
    /// Only rows cheaper than this over the days searched (see [`RowSearch::cost`]).
    pub below: i32,
    /// Labels kept per node.
    pub width: usize,
}

/// One part of a row that is searched, and what lies outside it.
struct Frame {
    from: usize,
    to: usize,
    start: usize,
    minutes: i32,
    weekends: i32,
    /// Shifts whose limit can bind, and how many of each are left.
    counted: Vec<(usize, i32)>,
    /// Position of a code in `counted`, or `COUNTED`.
    place: Vec<usize>,
}

/// Searches rows, keeping its tables between calls.
pub(super) struct RowSearch<'m> {
    model: &'m Model,
    graphs: Vec<Graph>,
    graph_of: Vec<usize>,
    arena: Vec<Label>,
    layers: [Vec<Vec<u32>>; 2],
    /// Day × state × weekends left: what the rest of the days gives at best.
    ahead: Vec<Ahead>,
    /// Steps done so far, each worth about one move of the annealing.
    pub work: u64,
}

impl<'m> RowSearch<'m> {
    pub fn new(model: &'m Model) -> Self {
        let mut graphs = Vec::new();
        let mut known: Vec<(i32, i32, i32)> = Vec::new();
        let graph_of = model.limits.iter().map(|limits| {
            let key = (limits.max_run, limits.min_run, limits.min_rest);
            known.iter().position(|k| *k == key).unwrap_or_else(|| {
                known.push(key);
                graphs.push(Graph::new(model, limits));
                known.len() - 1
            })
        });
        let graph_of = graph_of.collect();
        RowSearch { model, graphs, graph_of, arena: vec![], layers: [vec![], vec![]], ahead: vec![], work: 0 }
    }

    /// Days that must be searched so that the window's rules are seen whole.
    pub fn reach(&self, employee: usize, window: &std::ops::Range<usize>) -> std::ops::Range<usize> {
        let limits = &self.model.limits[employee];
        let tail = limits.max_run.max(limits.min_rest).min(self.model.days as i32) as usize + 1;
        let to = (window.end + tail).min(self.model.days);
        window.start..if to % 7 == 6 { (to + 1).min(self.model.days) } else { to }
    }

    /// Cost of a row over the days that a search of the window covers.
    pub fn cost(&self, employee: usize, window: &std::ops::Range<usize>, row: &[Code], prices: &[i32]) -> i32 {
        self.reach(employee, window).map(|day| prices[day * self.model.codes + row[day] as usize]).sum()
    }

    /// The cheapest legal row below `wanted.below`, if there is one within the width.
    pub fn best(&mut self, wanted: &Wanted) -> Option<Vec<Code>> {
        let frame = self.frame(wanted)?;
        let graph = std::mem::take(&mut self.graphs);
        let found = self.search(wanted, &frame, &graph[self.graph_of[wanted.employee]]);
        self.graphs = graph;
        self.work += (self.ahead.len() / 16 + self.arena.len()) as u64;
        let mut row = wanted.row.to_vec();
        let mut at = found?;
        for day in (frame.from..frame.to).rev() {
            let label = self.arena[at as usize];
            row[day] = label.code;
            at = label.parent;
        }
        Some(row)
    }

    fn frame(&self, wanted: &Wanted) -> Option<Frame> {
        let model = self.model;
        let graph = &self.graphs[self.graph_of[wanted.employee]];
        let reach = self.reach(wanted.employee, &wanted.window);
        let (mut start, mut counts, mut minutes, mut weekends) = (graph.states, vec![0; model.codes], 0, 0);
        for (day, &code) in wanted.row.iter().enumerate() {
            let inside = reach.contains(&day);
            if day < reach.start {
                // A row that is broken before the window goes on as if the run were new.
                start = graph.next(start, code as usize).or_else(|| graph.next(graph.states, code as usize))?;
            }
            if !inside {
                counts[code as usize] += 1;
                minutes += model.minutes[code as usize];
                let saturday_worked = day % 7 == 6 && wanted.row[day - 1] != OFF;
                weekends += i32::from(code != OFF && day % 7 >= 5 && !saturday_worked);
            }
        }
        let most = &model.most[wanted.employee * model.codes..][..model.codes];
        let length = reach.len() as i32;
        let mut counted: Vec<(usize, i32)> = (1..model.codes)
            .filter(|code| wanted.codes >> code & 1 == 1 || wanted.row[reach.clone()].contains(&(*code as Code)))
            .map(|code| (code, (most[code] - counts[code]).max(0)))
            .filter(|(_, left)| *left < length)
            .collect();
        counted.sort_by_key(|(_, left)| *left);
        let mut place = vec![COUNTED; model.codes];
        counted.iter().take(COUNTED).enumerate().for_each(|(at, (code, _))| place[*code] = at);
        counted.truncate(COUNTED);
        counted.iter_mut().for_each(|(_, left)| *left = (*left).min(255));
        Some(Frame { from: reach.start, to: reach.end, start, minutes, weekends, counted, place })
    }

    /// Codes that may stand on a day of the search.
    #[inline]
    fn choices(&self, wanted: &Wanted, day: usize) -> u64 {
        let own = 1 << wanted.row[day];
        let allowed = self.model.allowed[wanted.employee * self.model.days + day];
        if wanted.window.contains(&day) { allowed & (wanted.codes | 1 | own) } else { own }
    }

    /// Fills the tables of what lies ahead. Returns how many weekends are told apart.
    fn look_ahead(&mut self, wanted: &Wanted, frame: &Frame, graph: &Graph) -> usize {
        let model = self.model;
        let left = (model.limits[wanted.employee].max_weekends - frame.weekends).max(0);
        let kinds = left.min((frame.to / 7 - frame.from / 7 + 1) as i32) as usize + 1;
        let layer = (graph.states + 1) * kinds;
        let days = frame.to - frame.from;
        self.ahead.clear();
        self.ahead.resize(layer * (days + 1), Ahead::NOWHERE);
        self.ahead[layer * days..].fill(Ahead::END);
        for day in (frame.from..frame.to).rev() {
            let choices = self.choices(wanted, day);
            let at = (day - frame.from) * layer;
            let (here, after) = self.ahead[at..].split_at_mut(layer);
            for state in 0..=graph.states {
                let mut rest = choices;
                while rest != 0 {
                    let code = rest.trailing_zeros() as usize;
                    rest &= rest - 1;
                    let Some(to) = graph.next(state, code) else { continue };
                    let weekend = usize::from(code != 0 && (day % 7 == 5 || day % 7 == 6 && !graph.works[state]));
                    let (price, minutes) = (wanted.prices[day * model.codes + code], model.minutes[code]);
                    let own = &mut here[state * kinds + weekend..(state + 1) * kinds];
                    for (own, next) in own.iter_mut().zip(&after[to * kinds..]) {
                        own.cost = own.cost.min(next.cost + price);
                        own.most_minutes = own.most_minutes.max(next.most_minutes + minutes);
                        own.least_minutes = own.least_minutes.min(next.least_minutes + minutes);
                    }
                }
            }
        }
        kinds
    }

    fn search(&mut self, wanted: &Wanted, frame: &Frame, graph: &Graph) -> Option<u32> {
        let kinds = self.look_ahead(wanted, frame, graph);
        self.arena.clear();
        for half in &mut self.layers {
            half.resize_with((graph.states + 1).max(half.len()), Vec::new);
            half.iter_mut().for_each(Vec::clear);
        }
        self.arena.push(Label { cost: 0, minutes: frame.minutes, weekends: 0, counts: 0, parent: 0, code: OFF });
        self.layers[0][frame.start].push(0);
        for day in frame.from..frame.to {
            let [mut here, mut there] = std::mem::take(&mut self.layers);
            for (state, node) in here.iter_mut().enumerate() {
                for parent in node.drain(..) {
                    self.extend(wanted, frame, graph, kinds, Step { day, state, parent }, &mut there);
                }
            }
            self.layers = [there, here];
        }
        self.layers[0].iter().flatten().copied().min_by_key(|at| self.arena[*at as usize].cost)
    }

    /// All that a label can become on the next day.
    #[inline]
    fn extend(&mut self, wanted: &Wanted, frame: &Frame, graph: &Graph, kinds: usize, step: Step, there: &mut [Vec<u32>]) {
        let model = self.model;
        let limits = &model.limits[wanted.employee];
        let Step { day, state, parent } = step;
        let from = self.arena[parent as usize];
        let weekends_left = (kinds - 1) as i32;
        let after = (day + 1 - frame.from) * (graph.states + 1) * kinds;
        let mut rest = self.choices(wanted, day);
        while rest != 0 {
            let code = rest.trailing_zeros() as usize;
            rest &= rest - 1;
            let Some(to) = graph.next(state, code) else { continue };
            let weekends = from.weekends + i32::from(code != 0 && (day % 7 == 5 || day % 7 == 6 && !graph.works[state]));
            if weekends > weekends_left {
                continue;
            }
            let (cost, minutes) = (from.cost + wanted.prices[day * model.codes + code], from.minutes + model.minutes[code]);
            let ahead = &self.ahead[after + to * kinds + (weekends_left - weekends) as usize];
            let minutes_fit = minutes + ahead.least_minutes <= limits.max_minutes && minutes + ahead.most_minutes >= limits.min_minutes;
            if !minutes_fit || cost + ahead.cost >= wanted.below {
                continue;
            }
            let label = Label { cost, minutes, weekends, counts: from.counts, parent, code: code as Code };
            if let Some(label) = count(label, frame, code) {
                keep(&mut self.arena, &mut there[to], label, wanted.width);
            }
        }
    }
}

/// A label at the evening before a day.
#[derive(Clone, Copy)]
struct Step {
    day: usize,
    state: usize,
    parent: u32,
}

/// Counts a limited shift; `None` when there is none left.
#[inline]
fn count(mut label: Label, frame: &Frame, code: usize) -> Option<Label> {
    let place = frame.place[code];
    if place < COUNTED {
        if (label.counts >> (8 * place) & 255) as i32 >= frame.counted[place].1 {
            return None;
        }
        label.counts += 1 << (8 * place);
    }
    Some(label)
}

/// Whether every byte of `a` is at most that of `b`.
#[inline]
fn no_more(a: u64, b: u64) -> bool {
    a == b || (0..COUNTED).all(|place| (a >> (8 * place) & 255) <= (b >> (8 * place) & 255))
}

/// Adds a label to a node unless another is as good in everything.
#[inline]
fn keep(arena: &mut Vec<Label>, node: &mut Vec<u32>, label: Label, width: usize) {
    let mut worst = (i32::MIN, 0);
    let mut at = 0;
    while at < node.len() {
        let other = arena[node[at] as usize];
        if other.minutes == label.minutes {
            if other.cost <= label.cost && other.weekends <= label.weekends && no_more(other.counts, label.counts) {
                return;
            }
            if label.cost <= other.cost && label.weekends <= other.weekends && no_more(label.counts, other.counts) {
                node.swap_remove(at);
                continue;
            }
        }
        if other.cost > worst.0 {
            worst = (other.cost, at);
        }
        at += 1;
    }
    let new = arena.len() as u32;
    if node.len() < width {
        node.push(new);
    } else if label.cost < worst.0 {
        node[worst.1] = new;
    } else {
        return;
    }
    arena.push(label);
}
