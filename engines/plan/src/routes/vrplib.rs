//! VRPLIB text: `KEY : value` headers, then sections.
//!
//! | `TYPE`, `EDGE_WEIGHT_TYPE` | distance | ticks per unit |
//! |---|---|---|
//! | with time windows, `EUC_2D` | truncated to one decimal | 10 |
//! | `FLOOR_2D` | truncated to ticks | `SCALE`, or 1 |
//! | `CVRP`, `EUC_2D` | rounded to the nearest whole | 1 |
//! | `EXPLICIT` | `EDGE_WEIGHT_SECTION`: `LOWER_ROW`, `LOWER_DIAG_ROW`, `UPPER_ROW`, `FULL_MATRIX` | 1 |

use std::collections::HashMap;

use super::fault::{Fault, Words, number};
use super::problem::{CUSTOMERS_MAX, Metric, Node, Problem, TICKS_MAX};

type Section<'a> = (usize, Vec<(usize, &'a str)>);

/// Headers and sections with their lines.
struct File<'a> {
    headers: HashMap<&'a str, (usize, &'a str)>,
    sections: HashMap<&'a str, Section<'a>>,
}

const SECTIONS: [&str; 6] = ["NODE_COORD_SECTION", "DEMAND_SECTION", "TIME_WINDOW_SECTION", "SERVICE_TIME_SECTION", "DEPOT_SECTION", "EDGE_WEIGHT_SECTION"];

impl<'a> File<'a> {
    fn read(text: &'a str) -> Result<Self, Fault> {
        let mut file = Self { headers: HashMap::new(), sections: HashMap::new() };
        let mut open: Option<&str> = None;
        for (at, line) in text.lines().enumerate().map(|(at, line)| (at + 1, line.trim())).filter(|(_, line)| !line.is_empty()) {
            if line == "EOF" {
                break;
            }
            let key = line.split([':', ' ', '\t']).next().unwrap_or_default();
            if key.ends_with("_SECTION") {
                let known = SECTIONS.into_iter().find(|known| *known == key).ok_or_else(|| Fault::new(at, key, "is a section not understood here"))?;
                if file.sections.insert(known, (at, Vec::new())).is_some() {
                    return Err(Fault::new(at, key, "is there twice"));
                }
                open = Some(known);
            } else if let Some((key, value)) = line.split_once(':') {
                file.headers.insert(key.trim(), (at, value.trim()));
            } else if let Some(section) = open.and_then(|open| file.sections.get_mut(open)) {
                section.1.push((at, line));
            } else {
                return Err(Fault::new(at, key, "is neither a header (`KEY : value`) nor within a section"));
            }
        }
        match file.headers.get("DISTANCE") {
            Some((at, _)) => Err(Fault::new(*at, "DISTANCE", "a longest route is not understood here")),
            None => Ok(file),
        }
    }

    fn header(&self, key: &str, least: f64, most: f64) -> Result<Option<f64>, Fault> {
        self.headers.get(key).map(|(at, value)| number(*at, key, value, least, most)).transpose()
    }

    fn needed(&self, key: &str, least: f64, most: f64) -> Result<f64, Fault> {
        self.header(key, least, most)?.ok_or_else(|| Fault::new(0, key, "is missing"))
    }

    fn text(&self, key: &str) -> &'a str {
        self.headers.get(key).map_or("", |(_, value)| *value)
    }

    fn words(&self, section: &str) -> Option<Words<'a>> {
        self.sections.get(section).map(|(_, lines)| Words::new(lines.iter().copied()))
    }

    /// The columns of a section, one row per node in the order of `ids`; a missing section is `None`.
    fn columns<const N: usize>(&self, section: &str, ids: &HashMap<u32, usize>, most: f64) -> Result<Option<Vec<[f64; N]>>, Fault> {
        let Some((head, lines)) = self.sections.get(section) else { return Ok(None) };
        let mut rows = vec![None; ids.len()];
        for (at, line) in lines {
            let cells: Vec<&str> = line.split_whitespace().collect();
            if cells.len() != N + 1 {
                return Err(Fault::new(*at, section, format!("has {} columns instead of {}", cells.len(), N + 1)));
            }
            let id = number(*at, section, cells[0], 0.0, 1e9)? as u32;
            let row = ids.get(&id).and_then(|index| rows.get_mut(*index)).ok_or_else(|| Fault::new(*at, section, format!("node {id} is unknown")))?;
            let mut values = [0.0; N];
            for (value, cell) in values.iter_mut().zip(&cells[1..]) {
                *value = number(*at, section, cell, -most, most)?;
            }
            if row.replace(values).is_some() {
                return Err(Fault::new(*at, section, format!("node {id} is there twice")));
            }
        }
        let complete: Option<Vec<[f64; N]>> = rows.into_iter().collect();
        complete.map(Some).ok_or_else(|| Fault::new(*head, section, "does not list every node"))
    }
}

/// Reads the text. Nodes keep the file's ids as labels; the depot comes first.
pub(super) fn parse(text: &str) -> Result<Problem, Fault> {
    let file = File::read(text)?;
    let dimension = file.needed("DIMENSION", 2.0, (CUSTOMERS_MAX + 1) as f64)? as usize;
    let (metric, ticks) = metric(&file)?;
    let ids = ids(&file, dimension)?;
    let nodes = nodes(&file, &ids, f64::from(ticks))?;
    let capacity = file.needed("CAPACITY", 0.0, 1e9)? as i32;
    let vehicles = file.header("VEHICLES", 1.0, 1e6)?.map(|count| count as usize);
    let name = file.text("NAME").to_owned();
    if metric == Metric::Explicit {
        let distances = weights(&file, &ids, dimension)?;
        return Problem::explicit(name, capacity, vehicles, nodes, distances);
    }
    Problem::euclidean(name, ticks, metric, capacity, vehicles, nodes)
}

fn metric(file: &File) -> Result<(Metric, i32), Fault> {
    let (at, kind) = file.headers.get("EDGE_WEIGHT_TYPE").copied().ok_or_else(|| Fault::new(0, "EDGE_WEIGHT_TYPE", "is missing"))?;
    match kind {
        "EUC_2D" if file.sections.contains_key("TIME_WINDOW_SECTION") => Ok((Metric::Truncated, 10)),
        "EUC_2D" => Ok((Metric::Nearest, 1)),
        "FLOOR_2D" => Ok((Metric::Truncated, file.header("SCALE", 1.0, 1000.0)?.unwrap_or(1.0) as i32)),
        "EXPLICIT" => Ok((Metric::Explicit, 1)),
        other => Err(Fault::new(at, "EDGE_WEIGHT_TYPE", format!("`{other}` is not understood (EUC_2D, FLOOR_2D, EXPLICIT)"))),
    }
}

/// Node id to index: the depot 0, then the file's order.
fn ids(file: &File, dimension: usize) -> Result<HashMap<u32, usize>, Fault> {
    let depot = depot(file)?;
    let source = if file.sections.contains_key("NODE_COORD_SECTION") { "NODE_COORD_SECTION" } else { "DEMAND_SECTION" };
    let (head, lines) = file.sections.get(source).ok_or_else(|| Fault::new(0, source, "is missing"))?;
    let mut ids = HashMap::new();
    for (at, line) in lines {
        let word = line.split_whitespace().next().unwrap_or_default();
        let id = number(*at, source, word, 0.0, 1e9)? as u32;
        let index = if id == depot { 0 } else { ids.len() + usize::from(!ids.contains_key(&depot)) };
        if ids.insert(id, index).is_some() {
            return Err(Fault::new(*at, source, format!("node {id} is there twice")));
        }
    }
    if ids.len() != dimension {
        return Err(Fault::new(*head, source, format!("lists {} nodes, DIMENSION says {dimension}", ids.len())));
    }
    if !ids.contains_key(&depot) {
        return Err(Fault::new(*head, source, format!("does not list the depot {depot}")));
    }
    Ok(ids)
}

fn depot(file: &File) -> Result<u32, Fault> {
    let Some(mut words) = file.words("DEPOT_SECTION") else { return Ok(1) };
    let depot = words.whole("DEPOT_SECTION", 0, 1_000_000_000)? as u32;
    match words.rest() {
        None | Some((_, "-1")) => Ok(depot),
        Some((at, _)) => Err(Fault::new(at, "DEPOT_SECTION", "names a second depot; one is understood")),
    }
}

fn nodes(file: &File, ids: &HashMap<u32, usize>, ticks: f64) -> Result<Vec<Node>, Fault> {
    let count = ids.len();
    let time_max = f64::from(TICKS_MAX) / ticks;
    let whole = |value: f64| (value * ticks).round() as i32;
    let points = file.columns::<2>("NODE_COORD_SECTION", ids, 1e7)?.unwrap_or_else(|| vec![[0.0; 2]; count]);
    let demands = file.columns::<1>("DEMAND_SECTION", ids, 1e9)?.ok_or_else(|| Fault::new(0, "DEMAND_SECTION", "is missing"))?;
    let windows = file.columns::<2>("TIME_WINDOW_SECTION", ids, time_max)?.unwrap_or_else(|| vec![[0.0, time_max]; count]);
    let service = file.header("SERVICE_TIME", 0.0, time_max)?.unwrap_or(0.0);
    let services = file.columns::<1>("SERVICE_TIME_SECTION", ids, time_max)?.unwrap_or_else(|| vec![[service]; count]);
    let mut labels = vec![0; count];
    for (id, index) in ids {
        labels[*index] = *id;
    }
    let line = |section: &str| file.sections.get(section).map_or(0, |(head, _)| *head);
    let mut nodes = Vec::with_capacity(count);
    for index in 0..count {
        let ([x, y], [open, close]) = (points[index], windows[index]);
        let (demand, service) = (demands[index][0], if index == 0 { 0.0 } else { services[index][0] });
        if demand < 0.0 || service < 0.0 {
            return Err(Fault::new(line("DEMAND_SECTION"), "demand or service time", format!("of node {} is negative", labels[index])));
        }
        if open < 0.0 || close < open {
            return Err(Fault::new(line("TIME_WINDOW_SECTION"), "time window", format!("of node {} is empty or negative", labels[index])));
        }
        nodes.push(Node { label: labels[index], x, y, demand: demand as i32, open: whole(open), close: whole(close), service: whole(service) });
    }
    Ok(nodes)
}

/// The weights of the file, put in the order of the nodes.
fn weights(file: &File, ids: &HashMap<u32, usize>, count: usize) -> Result<Vec<i32>, Fault> {
    const FIELD: &str = "EDGE_WEIGHT_SECTION";
    let mut words = file.words(FIELD).ok_or_else(|| Fault::new(0, FIELD, "is missing"))?;
    let format = file.text("EDGE_WEIGHT_FORMAT");
    let mut order: Vec<u32> = ids.keys().copied().collect();
    order.sort_unstable();
    let place: Vec<usize> = order.iter().map(|id| ids[id]).collect();
    let mut distances = vec![0; count * count];
    for row in 0..count {
        let columns = match format {
            "LOWER_ROW" => 0..row,
            "LOWER_DIAG_ROW" => 0..row + 1,
            "UPPER_ROW" => row + 1..count,
            "FULL_MATRIX" => 0..count,
            other => return Err(Fault::new(0, "EDGE_WEIGHT_FORMAT", format!("`{other}` is not understood"))),
        };
        for column in columns {
            let weight = words.number(FIELD, 0.0, f64::from(TICKS_MAX))?.round() as i32;
            distances[place[row] * count + place[column]] = weight;
            if format != "FULL_MATRIX" {
                distances[place[column] * count + place[row]] = weight;
            }
        }
    }
    match words.rest() {
        Some((at, _)) => Err(Fault::new(at, FIELD, format!("{} weights too many", words.left()))),
        None => Ok(distances),
    }
}
