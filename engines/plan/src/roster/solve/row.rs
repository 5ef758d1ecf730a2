//! The cheapest legal row of one employee, the others fixed: a resource-constrained shortest path over days.
//!
//! A node is what the next day's rules depend on (the last shift's bans, length of the run of work or rest); resources are
//! minutes, weekends and the counts of limited shifts. Labels are pruned by dominance, by what is still reachable (least cost
//! and most minutes to go, each by weekends left), and to the `width` most promising per node and minutes. Irnich and Desaulniers (2005)
//! give the general method. With enough width the answer is exact.

use super::model::{Code, Limits, Model, OFF};

const NONE: u16 = u16::MAX;
const FAR: i32 = i32::MAX / 4;
/// Limited shifts counted in a label, one byte each.
const COUNTED: usize = 8;
/// Nodes of one state, by the minutes so far.
const LENGTHS: usize = 32;
/// Labels of one search about which fewer are kept, so that memory and time stay bounded.
const LABELS_MAX: usize = 1_000_000;
const LABELS_PER_WIDTH: usize = 60_000;

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

    /// States that can be met from `start` with these codes, in order.
    fn met(&self, start: usize, codes: u64) -> Vec<usize> {
        let mut is_met = vec![false; self.states + 1];
        let mut open = vec![start];
        is_met[start] = true;
        while let Some(state) = open.pop() {
            for to in (0..self.codes).filter(|code| codes >> code & 1 == 1).filter_map(|code| self.next(state, code)) {
                if !std::mem::replace(&mut is_met[to], true) {
                    open.push(to);
                }
            }
        }
        (0..=self.states).filter(|state| is_met[*state]).collect()
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
    /// With the tilt of the minutes so far.
    cost: i32,
    /// What it can come to at best.
    bound: i32,
    minutes: i32,
    weekends: i32,
    counts: u64,
    parent: u32,
    code: Code,
}

/// The labels at the evening of one day. Labels whose minutes differ never dominate each other, so they are kept apart.
#[derive(Default)]
struct Layer {
    /// State × units of minutes modulo [`LENGTHS`].
    nodes: Vec<Vec<u32>>,
    /// Nodes that are not empty.
    used: Vec<usize>,
}

impl Layer {
    fn node(&mut self, at: usize) -> &mut Vec<u32> {
        if self.nodes[at].is_empty() {
            self.used.push(at);
        }
        &mut self.nodes[at]
    }

    fn clear(&mut self) {
        self.used.drain(..).for_each(|node| self.nodes[node].clear());
    }
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
    /// Labels kept per state and minutes.
    pub width: usize,
    /// Trials to find what a minute is worth, see [`RowSearch::tilt`].
    pub trials: usize,
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
    /// Most and least units of minutes of the days searched.
    most_units: i32,
    least_units: i32,
    /// States that can be met at all with the shifts considered.
    live: Vec<usize>,
    /// Position of a state in `live`.
    slot: Vec<u16>,
    /// Price of a unit of minutes, so that rows with too many or too few of them look dear.
    tilt: i32,
    /// Bound on tilted costs.
    below: i32,
}

impl Frame {
    /// Counts these shifts and no others.
    fn count_only(&mut self, counted: Vec<(usize, i32)>) {
        self.place.fill(COUNTED);
        counted.iter().enumerate().for_each(|(at, (code, _))| self.place[*code] = at);
        self.counted = counted;
    }

    /// What a legal row pays for its minutes at most, when the tilt is such.
    fn paid(&self, tilt: i32) -> i32 {
        tilt * if tilt > 0 { self.most_units } else { self.least_units }
    }
}

/// Searches rows, keeping its tables between calls.
pub(super) struct RowSearch<'m> {
    model: &'m Model,
    graphs: Vec<Graph>,
    graph_of: Vec<usize>,
    arena: Vec<Label>,
    layers: [Layer; 2],
    /// Day × state × weekends left: what the rest of the days gives at best.
    ahead: Vec<Ahead>,
    /// The last tilt of each employee.
    tilts: Vec<i32>,
    /// Least tilted cost and its units of minutes: state × weekends left, for two days.
    relaxed: [Vec<(i32, i32)>; 2],
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
        let tilts = vec![0; model.staff];
        RowSearch {
            model,
            graphs,
            graph_of,
            arena: vec![],
            layers: [Layer::default(), Layer::default()],
            ahead: vec![],
            tilts,
            relaxed: [vec![], vec![]],
            work: 0,
        }
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
        self.cheapest(wanted, 1).pop()
    }

    /// At most so many of the cheapest legal rows below `wanted.below` that differ in how they end, cheapest first.
    ///
    /// Limits of shifts that hardly ever bind are not counted at first: only when they break every row found.
    pub fn cheapest(&mut self, wanted: &Wanted, most: usize) -> Vec<Vec<Code>> {
        let Some(mut frame) = self.frame(wanted) else { return vec![] };
        let graphs = std::mem::take(&mut self.graphs);
        let graph = &graphs[self.graph_of[wanted.employee]];
        let mut rows = vec![];
        if self.tilt(wanted, &mut frame, graph) {
            let all = std::mem::take(&mut frame.counted);
            let length = (frame.to - frame.from) as i32;
            for seldom in [2, 0] {
                let kept = all.iter().copied().filter(|(_, left)| left * seldom < length).take(COUNTED).collect();
                if seldom == 0 && frame.counted == kept {
                    break;
                }
                frame.count_only(kept);
                let ends = self.ends(wanted, &frame, graph);
                let found = ends.len();
                rows.extend(ends.into_iter().take(most).map(|end| self.row_to(end, wanted, &frame)));
                rows.retain(|row| self.within_limits(wanted.employee, row, &all));
                if !rows.is_empty() || found == 0 {
                    break;
                }
            }
        }
        self.graphs = graphs;
        rows
    }

    /// Whether the row keeps the limits of the shifts listed.
    fn within_limits(&self, employee: usize, row: &[Code], shifts: &[(usize, i32)]) -> bool {
        let most = &self.model.most[employee * self.model.codes..][..self.model.codes];
        shifts.iter().all(|(code, _)| row.iter().filter(|own| **own as usize == *code).count() as i32 <= most[*code])
    }

    /// The last labels of the rows below the bound, cheapest first.
    fn ends(&mut self, wanted: &Wanted, frame: &Frame, graph: &Graph) -> Vec<u32> {
        let mut ends = self.search(wanted, frame, graph);
        self.work += (self.ahead.len() / 16 + self.arena.len()) as u64;
        let cost = |at: &u32| {
            let label = self.arena[*at as usize];
            label.cost - frame.tilt * ((label.minutes - frame.minutes) / self.model.unit)
        };
        ends.retain(|at| cost(at) < wanted.below);
        ends.sort_by_key(cost);
        ends
    }

    /// Finds what a unit of minutes should cost so that the cheapest row regardless of minutes has about as many as the
    /// contract wants: the Lagrangean relaxation of that rule, by step halving. Its value bounds the cost of every legal row;
    /// false when that is not below what is wanted.
    fn tilt(&mut self, wanted: &Wanted, frame: &mut Frame, graph: &Graph) -> bool {
        frame.below = wanted.below;
        if wanted.trials == 0 {
            return true;
        }
        let dearest = wanted.prices.iter().map(|price| price.abs()).max().unwrap_or(0);
        let longest = self.model.minutes.iter().max().map_or(1, |minutes| minutes / self.model.unit).max(1);
        let reach = 2 * dearest / longest;
        let mut tilt = self.tilts[wanted.employee].clamp(-reach, reach);
        let mut step = (reach / 16).max(1);
        let (mut best, mut direction) = ((i32::MIN, 0), 0);
        for _ in 0..wanted.trials {
            let (cost, units) = self.relaxed(wanted, frame, graph, tilt);
            best = best.max((cost.saturating_sub(frame.paid(tilt)), tilt));
            let wish = match () {
                () if units > frame.most_units => 1,
                () if units < frame.least_units => -1,
                () if tilt > 0 && units < frame.most_units => -1,
                () if tilt < 0 && units > frame.least_units => 1,
                () => break,
            };
            if direction == -wish {
                if step == 1 {
                    break;
                }
                step = (step / 2).max(1);
            }
            direction = wish;
            tilt = (tilt + wish * step).clamp(-reach, reach);
        }
        self.tilts[wanted.employee] = best.1;
        frame.tilt = best.1;
        frame.below = wanted.below.saturating_add(frame.paid(best.1));
        best.0 < wanted.below
    }

    /// Least tilted cost of a row regardless of minutes and counts, and the units of minutes of such a row.
    fn relaxed(&mut self, wanted: &Wanted, frame: &Frame, graph: &Graph, tilt: i32) -> (i32, i32) {
        let model = self.model;
        let kinds = self.weekend_kinds(wanted, frame);
        let layer = frame.live.len() * kinds;
        let [mut here, mut after] = std::mem::take(&mut self.relaxed);
        after.clear();
        after.resize(layer, (0, 0));
        for day in (frame.from..frame.to).rev() {
            here.clear();
            here.resize(layer, (FAR, 0));
            let choices = self.choices(wanted, day);
            for (own, &state) in frame.live.iter().enumerate() {
                let mut rest = choices;
                while rest != 0 {
                    let code = rest.trailing_zeros() as usize;
                    rest &= rest - 1;
                    let Some(to) = graph.next(state, code) else { continue };
                    let weekend = usize::from(code != 0 && (day % 7 == 5 || day % 7 == 6 && !graph.works[state]));
                    let units = model.minutes[code] / model.unit;
                    let price = wanted.prices[day * model.codes + code] + tilt * units;
                    let own = &mut here[own * kinds + weekend..(own + 1) * kinds];
                    for (own, next) in own.iter_mut().zip(&after[frame.slot[to] as usize * kinds..]) {
                        if next.0 + price < own.0 {
                            *own = (next.0 + price, next.1 + units);
                        }
                    }
                }
            }
            std::mem::swap(&mut here, &mut after);
        }
        let first = after[frame.slot[frame.start] as usize * kinds + kinds - 1];
        self.relaxed = [here, after];
        self.work += (layer * (frame.to - frame.from) / 16) as u64;
        first
    }

    /// How many weekends are told apart.
    fn weekend_kinds(&self, wanted: &Wanted, frame: &Frame) -> usize {
        let left = (self.model.limits[wanted.employee].max_weekends - frame.weekends).max(0);
        left.min((frame.to / 7 - frame.from / 7 + 1) as i32) as usize + 1
    }

    /// The row whose last label this is.
    fn row_to(&self, mut label: u32, wanted: &Wanted, frame: &Frame) -> Vec<Code> {
        let mut row = wanted.row.to_vec();
        for day in (frame.from..frame.to).rev() {
            row[day] = self.arena[label as usize].code;
            label = self.arena[label as usize].parent;
        }
        row
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
        counted.iter_mut().for_each(|(_, left)| *left = (*left).min(255));
        let limits = &model.limits[wanted.employee];
        let (most_units, least_units) = ((limits.max_minutes - minutes).div_euclid(model.unit), -(minutes - limits.min_minutes).div_euclid(model.unit));
        let place = vec![COUNTED; model.codes];
        let codes = wanted.row[reach.clone()].iter().fold(wanted.codes | 1, |codes, own| codes | 1 << own);
        let live = graph.met(start, codes);
        let mut slot = vec![NONE; graph.states + 1];
        live.iter().enumerate().for_each(|(at, state)| slot[*state] = at as u16);
        Some(Frame {
            from: reach.start,
            to: reach.end,
            start,
            minutes,
            weekends,
            counted,
            place,
            most_units,
            least_units,
            live,
            slot,
            tilt: 0,
            below: wanted.below,
        })
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
        let kinds = self.weekend_kinds(wanted, frame);
        let layer = frame.live.len() * kinds;
        let days = frame.to - frame.from;
        self.ahead.clear();
        self.ahead.resize(layer * (days + 1), Ahead::NOWHERE);
        self.ahead[layer * days..].fill(Ahead::END);
        for day in (frame.from..frame.to).rev() {
            let choices = self.choices(wanted, day);
            let at = (day - frame.from) * layer;
            let (here, after) = self.ahead[at..].split_at_mut(layer);
            for (own, &state) in frame.live.iter().enumerate() {
                let mut rest = choices;
                while rest != 0 {
                    let code = rest.trailing_zeros() as usize;
                    rest &= rest - 1;
                    let Some(to) = graph.next(state, code) else { continue };
                    let weekend = usize::from(code != 0 && (day % 7 == 5 || day % 7 == 6 && !graph.works[state]));
                    let minutes = model.minutes[code];
                    let price = wanted.prices[day * model.codes + code] + frame.tilt * (minutes / model.unit);
                    let own = &mut here[own * kinds + weekend..(own + 1) * kinds];
                    for (own, next) in own.iter_mut().zip(&after[frame.slot[to] as usize * kinds..]) {
                        own.cost = own.cost.min(next.cost + price);
                        own.most_minutes = own.most_minutes.max(next.most_minutes + minutes);
                        own.least_minutes = own.least_minutes.min(next.least_minutes + minutes);
                    }
                }
            }
        }
        kinds
    }

    /// The labels at the end of the last day.
    fn search(&mut self, wanted: &Wanted, frame: &Frame, graph: &Graph) -> Vec<u32> {
        let kinds = self.look_ahead(wanted, frame, graph);
        self.arena.clear();
        let nodes = (graph.states + 1) * LENGTHS;
        for half in &mut self.layers {
            half.nodes.resize_with(nodes.max(half.nodes.len()), Vec::new);
            half.clear();
        }
        self.arena.push(Label { cost: 0, bound: 0, minutes: frame.minutes, weekends: 0, counts: 0, parent: 0, code: OFF });
        self.layers[0].node(frame.start * LENGTHS).push(0);
        let mut width = wanted.width;
        for day in frame.from..frame.to {
            let [mut here, mut there] = std::mem::take(&mut self.layers);
            if self.arena.len() / (day + 1 - frame.from) > LABELS_MAX.max(wanted.width * LABELS_PER_WIDTH) / (frame.to - frame.from) {
                width = (width / 2).max(1);
            }
            for at in 0..here.used.len() {
                let node = here.used[at];
                for &parent in &here.nodes[node] {
                    self.extend(wanted, frame, graph, kinds, Step { day, state: node / LENGTHS, parent, width }, &mut there);
                }
            }
            here.clear();
            self.layers = [there, here];
        }
        let last = &self.layers[0];
        last.used.iter().flat_map(|node| &last.nodes[*node]).copied().collect()
    }

    /// All that a label can become on the next day.
    #[inline]
    fn extend(&mut self, wanted: &Wanted, frame: &Frame, graph: &Graph, kinds: usize, step: Step, there: &mut Layer) {
        let model = self.model;
        let limits = &model.limits[wanted.employee];
        let Step { day, state, parent, width } = step;
        let from = self.arena[parent as usize];
        let weekends_left = (kinds - 1) as i32;
        let after = (day + 1 - frame.from) * frame.live.len() * kinds;
        let mut rest = self.choices(wanted, day);
        while rest != 0 {
            let code = rest.trailing_zeros() as usize;
            rest &= rest - 1;
            let Some(to) = graph.next(state, code) else { continue };
            let weekends = from.weekends + i32::from(code != 0 && (day % 7 == 5 || day % 7 == 6 && !graph.works[state]));
            if weekends > weekends_left {
                continue;
            }
            let length = model.minutes[code];
            let cost = from.cost + wanted.prices[day * model.codes + code] + frame.tilt * (length / model.unit);
            let minutes = from.minutes + length;
            let ahead = &self.ahead[after + frame.slot[to] as usize * kinds + (weekends_left - weekends) as usize];
            let minutes_fit = minutes + ahead.least_minutes <= limits.max_minutes && minutes + ahead.most_minutes >= limits.min_minutes;
            if !minutes_fit || cost + ahead.cost >= frame.below {
                continue;
            }
            let label = Label { cost, bound: cost + ahead.cost, minutes, weekends, counts: from.counts, parent, code: code as Code };
            if let Some(label) = count(label, frame, code) {
                let place = to * LENGTHS + (minutes / model.unit) as usize % LENGTHS;
                keep(&mut self.arena, there.node(place), label, width);
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
    width: usize,
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
        if other.bound > worst.0 {
            worst = (other.bound, at);
        }
        at += 1;
    }
    let new = arena.len() as u32;
    if node.len() < width {
        node.push(new);
    } else if label.bound < worst.0 {
        node[worst.1] = new;
    } else {
        return;
    }
    arena.push(label);
}
