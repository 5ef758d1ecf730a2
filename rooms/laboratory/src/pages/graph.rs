//! A look-up as a graph: people, tubes, boxes, plates, runs and results in columns, lots and operators below. What is many is one node with a number.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use baton_desk::Page;
use baton_kit::{AccountId, LotId, PersonId, TubeId};
use baton_ledger::{StoreResult, Tx, Vault};
use baton_registry::store as registry;
use maud::{Markup, html};

use super::{account_names, outcome_words};
use crate::store::graph::{self, EACH_MAX, Start, Strand};
use crate::store::lineage;

/// Nodes of a column at most; the rest is one node.
const NODES: usize = 7;
const COLUMNS: [&str; 6] = ["people", "tubes", "boxes", "plates", "runs", "results"];
const WIDTH: f64 = 172.0;
const GAP: f64 = 44.0;
const HIGH: f64 = 44.0;
const STEP: f64 = 56.0;
const TOP: f64 = 34.0;

/// Everything a graph is drawn from.
pub(super) struct Graph {
    strands: Vec<Strand>,
    /// Swabs in all; people are named when they are few.
    swabs: i64,
    people: Vec<(TubeId, PersonId, String)>,
    boxes: HashMap<baton_kit::BoxId, String>,
    plates: HashMap<baton_kit::PlateId, graph::PlateNamed>,
    lots: Vec<(LotId, String, i64)>,
    operators: Vec<(AccountId, String, i64)>,
}

impl Graph {
    pub(super) fn load(tx: &mut Tx<'_>, vault: &Vault, start: &Start, tubes: i64, swabs: i64) -> StoreResult<Self> {
        let each = tubes <= EACH_MAX;
        let strands = graph::strands(tx, start, each)?;
        let plates: BTreeSet<_> = strands.iter().filter_map(|strand| strand.plate).collect();
        let boxes: BTreeSet<_> = strands.iter().filter_map(|strand| strand.box_id).collect();
        let plates_named = graph::plates_named(tx, &plates)?;
        let lots = lots(tx, &strands, &plates_named)?;
        let operators = graph::operators(tx, start, &plates)?;
        let names = account_names(tx, vault, operators.iter().take(NODES).map(|(account, _)| *account))?;
        let operators = operators.into_iter().map(|(account, n)| (account, names.get(&account).cloned().unwrap_or_default(), n)).collect();
        let people = if each && swabs <= EACH_MAX * 2 { people(tx, vault, &strands)? } else { Vec::new() };
        Ok(Self { boxes: graph::boxes_named(tx, &boxes)?, plates: plates_named, lots, operators, people, swabs, strands })
    }

    /// Whose names are shown.
    pub(super) fn shown(&self) -> Vec<PersonId> {
        self.people.iter().map(|(_, person, _)| *person).collect()
    }
}

fn people(tx: &mut Tx<'_>, vault: &Vault, strands: &[Strand]) -> StoreResult<Vec<(TubeId, PersonId, String)>> {
    let mut tubes: Vec<TubeId> = strands.iter().filter_map(|strand| strand.tube.as_ref().map(|(tube, _)| *tube)).collect();
    tubes.dedup();
    let reached = lineage::people_of(tx, &tubes)?;
    let ids: Vec<PersonId> = reached.iter().map(|one| one.person).collect();
    let names: HashMap<PersonId, String> = registry::open_people(tx, vault, &ids)?.into_iter().map(|brief| (brief.person, brief.name)).collect();
    Ok(reached.into_iter().map(|one| (one.tube, one.person, names.get(&one.person).cloned().unwrap_or_else(|| one.person.to_string()))).collect())
}

/// Lots of fluid and of what went into the plates, with how many tubes.
fn lots(tx: &mut Tx<'_>, strands: &[Strand], plates: &HashMap<baton_kit::PlateId, graph::PlateNamed>) -> StoreResult<Vec<(LotId, String, i64)>> {
    let mut counts: BTreeMap<LotId, i64> = BTreeMap::new();
    for strand in strands {
        let on_plate = strand.plate.and_then(|plate| plates.get(&plate)).map_or(&[][..], |plate| plate.lots.as_slice());
        for lot in strand.fluid.iter().chain(on_plate) {
            *counts.entry(*lot).or_default() += strand.tubes;
        }
    }
    let mut lots: Vec<(LotId, i64)> = counts.into_iter().collect();
    lots.sort_by_key(|(lot, n)| (-n, *lot));
    let mut named = Vec::with_capacity(lots.len());
    for (at, (lot, n)) in lots.into_iter().enumerate() {
        let code = if at < NODES { registry::lot(tx, lot)?.map(|lot| lot.code) } else { None };
        named.push((lot, code.unwrap_or_else(|| lot.to_string()), n));
    }
    Ok(named)
}

/// A node: what it is called, what it counts, where it leads.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Node {
    key: String,
    name: String,
    count: i64,
    link: Option<String>,
}

/// Nodes by column, and how many tubes go from one node to one of the next column.
#[derive(Default, Debug)]
struct Layers {
    columns: Vec<Vec<Node>>,
    edges: BTreeMap<(usize, usize, usize), i64>,
}

const REST: &str = "rest";
const NONE: &str = "none";

fn layers(page: &Page<'_>, graph: &Graph) -> Layers {
    let mut all: Vec<Vec<Node>> = vec![Vec::new(); COLUMNS.len()];
    let mut paths: Vec<([String; 5], i64)> = Vec::new();
    for strand in &graph.strands {
        let nodes = strand_nodes(page, graph, strand);
        let path = [0, 1, 2, 3, 4].map(|at: usize| nodes[at].key.clone());
        for (column, node) in nodes.into_iter().enumerate() {
            add(&mut all[column + 1], node, strand.tubes);
        }
        paths.push((path, strand.tubes));
    }
    if graph.people.is_empty() {
        all[0].push(Node { key: REST.to_owned(), name: page.t("laboratory-graph-people"), count: graph.swabs, link: None });
    }
    for (_, person, name) in &graph.people {
        add(&mut all[0], Node { key: person.to_string(), name: name.clone(), count: 0, link: Some(format!("/laboratory/lineage/person/{person}")) }, 1);
    }
    let columns: Vec<Vec<Node>> =
        all.into_iter().enumerate().map(|(at, nodes)| shortened(page, nodes, if at < 2 { EACH_MAX as usize * 2 } else { NODES })).collect();
    let place = |column: usize, key: &str| {
        let nodes: &[Node] = &columns[column];
        nodes.iter().position(|node| node.key == key).or_else(|| nodes.iter().position(|node| node.key == REST))
    };
    let mut edges = BTreeMap::new();
    let mut edge = |column: usize, from: &str, to: &str, tubes: i64| {
        if let (Some(from), Some(to)) = (place(column, from), place(column + 1, to)) {
            *edges.entry((column, from, to)).or_default() += tubes;
        }
    };
    for (path, tubes) in &paths {
        for at in 0..4 {
            edge(at + 1, &path[at], &path[at + 1], *tubes);
        }
        if graph.people.is_empty() {
            edge(0, REST, &path[0], *tubes);
        }
    }
    for (tube, person, _) in &graph.people {
        edge(0, &person.to_string(), &tube.to_string(), 1);
    }
    Layers { columns, edges }
}

/// What a strand passes, from its tube to its result.
fn strand_nodes(page: &Page<'_>, graph: &Graph, strand: &Strand) -> [Node; 5] {
    let node = |key: String, name: String, link: Option<String>| Node { key, name, count: 0, link };
    let none = || node(NONE.to_owned(), page.t("laboratory-graph-not-yet"), None);
    let tube = match &strand.tube {
        Some((tube, code)) => node(tube.to_string(), code.clone(), Some(format!("/laboratory/lineage/tube/{tube}"))),
        None => node(REST.to_owned(), page.t("laboratory-graph-tubes"), None),
    };
    let boxed = strand.box_id.map_or_else(none, |id| {
        node(id.to_string(), graph.boxes.get(&id).cloned().unwrap_or_else(|| id.to_string()), Some(format!("/laboratory/lineage/box/{id}")))
    });
    let plate = strand.plate.map_or_else(none, |id| {
        node(id.to_string(), graph.plates.get(&id).map_or_else(|| id.to_string(), |plate| plate.code.clone()), Some(format!("/laboratory/lineage/plate/{id}")))
    });
    let run = strand.run.map_or_else(none, |id| {
        let code = strand.plate.and_then(|plate| graph.plates.get(&plate)).map(|plate| plate.code.clone()).unwrap_or_default();
        let may = crate::routes::WATCH_ACCESS.admits(page.actor);
        node(id.to_string(), page.with("laboratory-graph-run", &[("plate", &code)]), may.then(|| format!("/laboratory/runs/{id}")))
    });
    let result = strand.outcome.map_or_else(none, |outcome| {
        let words = outcome_words(page, outcome);
        let words = if strand.released { words } else { page.with("laboratory-graph-preliminary", &[("outcome", &words)]) };
        node(format!("{}{}", outcome.name(), strand.released), words, None)
    });
    [tube, boxed, plate, run, result]
}

fn add(nodes: &mut Vec<Node>, node: Node, tubes: i64) {
    match nodes.iter_mut().find(|known| known.key == node.key) {
        Some(known) => known.count += tubes,
        None => nodes.push(Node { count: tubes, ..node }),
    }
}

/// The largest nodes, and one for all others.
fn shortened(page: &Page<'_>, mut nodes: Vec<Node>, most: usize) -> Vec<Node> {
    nodes.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.name.cmp(&b.name)));
    if nodes.len() > most {
        let rest = nodes.split_off(most - 1);
        let name = page.with("laboratory-graph-more", &[("count", &rest.len().to_string())]);
        nodes.push(Node { key: REST.to_owned(), name, count: rest.iter().map(|node| node.count).sum(), link: None });
    }
    nodes
}

/// The graph, and below it lots and operators.
pub(super) fn draw(page: &Page<'_>, graph: &Graph) -> Markup {
    let layers = layers(page, graph);
    let most = layers.columns.iter().map(Vec::len).max().unwrap_or(1);
    let (width, height) = (COLUMNS.len() as f64 * (WIDTH + GAP) - GAP, TOP + most as f64 * STEP);
    let x = |column: usize| column as f64 * (WIDTH + GAP);
    let y = |column: usize, row: usize| TOP + (most - layers.columns[column].len()) as f64 * STEP / 2.0 + row as f64 * STEP;
    html! {
        figure.lineage {
            figcaption { (page.t("laboratory-graph")) }
            div.scroll { svg.graph viewBox=(format!("0 0 {width} {height}")) width=(width) height=(height) role="group" aria-label=(page.t("laboratory-graph")) {
                @for ((column, from, to), tubes) in &layers.edges {
                    @let (x1, y1, x2, y2) = (x(*column) + WIDTH, y(*column, *from) + HIGH / 2.0, x(column + 1), y(column + 1, *to) + HIGH / 2.0);
                    path.edge d=(format!("M{x1:.0} {y1:.0} C{:.0} {y1:.0} {:.0} {y2:.0} {x2:.0} {y2:.0}", x1 + GAP / 2.0, x2 - GAP / 2.0)) stroke-width=(format!("{:.1}", 1.0 + (*tubes as f64).log10().max(0.0) * 1.5)) {}
                }
                @for (column, nodes) in layers.columns.iter().enumerate() {
                    text.column x=(x(column)) y="16" { (page.t(&format!("laboratory-graph-column-{}", COLUMNS[column]))) }
                    @for (row, node) in nodes.iter().enumerate() { (draw_node(page, column, node, x(column), y(column, row))) }
                }
            } }
            (beside(page, graph))
        }
    }
}

fn draw_node(page: &Page<'_>, column: usize, node: &Node, x: f64, y: f64) -> Markup {
    let count = page.with(if column == 0 { "laboratory-graph-n-swabs" } else { "laboratory-graph-n-tubes" }, &[("count", &node.count.to_string())]);
    let words = format!("{}: {}, {count}", page.t(&format!("laboratory-graph-column-{}", COLUMNS[column])), node.name);
    let inner = html! {
        title { (words) }
        rect.node x=(format!("{x:.0}")) y=(format!("{y:.0}")) width=(WIDTH) height=(HIGH) rx="6" {}
        text.name x=(format!("{:.0}", x + 10.0)) y=(format!("{:.0}", y + 18.0)) { (cut(&node.name)) }
        text.count x=(format!("{:.0}", x + 10.0)) y=(format!("{:.0}", y + 36.0)) { (count) }
    };
    html! {
        @match &node.link {
            Some(link) => a.linked href=(link) { (inner) },
            None => g role="img" aria-label=(words) { (inner) },
        }
    }
}

/// As much of a name as a node holds.
fn cut(name: &str) -> String {
    let wide = |c: char| if c.is_ascii() { 1 } else { 2 };
    let mut used = 0;
    let kept: String = name
        .chars()
        .take_while(|c| {
            used += wide(*c);
            used <= 19
        })
        .collect();
    if kept.len() < name.len() { format!("{kept}…") } else { kept }
}

fn beside(page: &Page<'_>, graph: &Graph) -> Markup {
    let everywhere = page.actor.scope == baton_desk::Scope::Everywhere;
    let chip = |link: String, name: &str, n: i64| {
        let count = page.with("laboratory-graph-n-tubes", &[("count", &n.to_string())]);
        html! { li { @if everywhere { a href=(link) { (name) } } @else { (name) } " " span.soft { (count) } } }
    };
    let more = |n: usize| html! { @if n > NODES { li.soft { (page.with("laboratory-graph-more", &[("count", &(n - NODES).to_string())])) } } };
    html! {
        @if !graph.lots.is_empty() {
            p.beside { strong { (page.t("laboratory-graph-lots")) } }
            ul.chips { @for (lot, code, n) in graph.lots.iter().take(NODES) { (chip(format!("/laboratory/lineage/lot/{lot}"), code, *n)) } (more(graph.lots.len())) }
        }
        @if !graph.operators.is_empty() {
            p.beside { strong { (page.t("laboratory-graph-operators")) } }
            ul.chips { @for (account, name, n) in graph.operators.iter().take(NODES) { (chip(format!("/laboratory/lineage/operator/{account}"), name, *n)) } (more(graph.operators.len())) }
        }
    }
}
