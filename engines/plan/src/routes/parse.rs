//! Reads the two usual texts of vehicle routing problems.

use super::fault::{Fault, number};
use super::problem::{Metric, Node, Problem, TICKS_MAX};
use super::vrplib;

const TEXT_MAX: usize = 200_000_000;
const COORDINATE_MAX: f64 = 1e7;
/// Solomon's distances and times are compared after truncation to one decimal.
const SOLOMON_TICKS: i32 = 10;

/// Reads a Solomon text (it has a line `VEHICLE`) or a VRPLIB text, whichever it is.
///
/// # Errors
/// With the line and the field.
pub fn parse(text: &str) -> Result<Problem, Fault> {
    if text.len() > TEXT_MAX {
        return Err(Fault::new(0, "file", "is larger than 200 MB"));
    }
    if text.lines().any(|line| line.trim() == "VEHICLE") { solomon(text) } else { vrplib::parse(text) }
}

/// `name`, `VEHICLE`, `NUMBER CAPACITY`, two numbers, `CUSTOMER`, a head line, then seven columns per node; node 0 is the depot.
fn solomon(text: &str) -> Result<Problem, Fault> {
    let mut lines = text.lines().enumerate().map(|(at, line)| (at + 1, line.trim())).filter(|(_, line)| !line.is_empty());
    let mut name = String::new();
    for (_, line) in lines.by_ref() {
        if line == "VEHICLE" {
            break;
        }
        name = line.to_owned();
    }
    let (head, _) = lines.next().ok_or_else(|| Fault::new(0, "NUMBER CAPACITY", "is missing"))?;
    let (at, fleet) = lines.next().ok_or_else(|| Fault::new(head, "NUMBER CAPACITY", "has no line of values below it"))?;
    let fleet: Vec<&str> = fleet.split_whitespace().collect();
    let &[vehicles, capacity] = fleet.as_slice() else { return Err(Fault::new(at, "NUMBER CAPACITY", "is not two numbers")) };
    let vehicles = number(at, "NUMBER", vehicles, 1.0, 1e6)? as usize;
    let capacity = number(at, "CAPACITY", capacity, 0.0, 1e9)? as i32;
    let mut nodes = Vec::new();
    for (at, line) in lines.filter(|(_, line)| line.starts_with(|first: char| first.is_ascii_digit() || first == '-')) {
        nodes.push(customer(at, line)?);
    }
    if nodes.first().is_some_and(|depot| depot.label != 0) {
        return Err(Fault::new(0, "CUST NO.", "the first is not the depot, 0"));
    }
    let mut labels: Vec<u32> = nodes.iter().map(|node| node.label).collect();
    labels.sort_unstable();
    if let Some(twice) = labels.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(Fault::new(0, "CUST NO.", format!("{} is there twice", twice[0])));
    }
    Problem::euclidean(name, SOLOMON_TICKS, Metric::Truncated, capacity, Some(vehicles), nodes)
}

fn customer(at: usize, line: &str) -> Result<Node, Fault> {
    let cells: Vec<&str> = line.split_whitespace().collect();
    let &[label, x, y, demand, open, close, service] = cells.as_slice() else {
        return Err(Fault::new(at, "customer", format!("has {} columns instead of 7", cells.len())));
    };
    let label = number(at, "CUST NO.", label, 0.0, 1e9)? as u32;
    let node = Node {
        label,
        x: number(at, "XCOORD.", x, -COORDINATE_MAX, COORDINATE_MAX)?,
        y: number(at, "YCOORD.", y, -COORDINATE_MAX, COORDINATE_MAX)?,
        demand: number(at, "DEMAND", demand, 0.0, 1e9)? as i32,
        open: ticks(at, "READY TIME", open)?,
        close: ticks(at, "DUE DATE", close)?,
        service: ticks(at, "SERVICE TIME", service)?,
    };
    if node.close < node.open {
        return Err(Fault::new(at, "DUE DATE", "is before READY TIME"));
    }
    Ok(node)
}

fn ticks(at: usize, field: &str, word: &str) -> Result<i32, Fault> {
    let most = f64::from(TICKS_MAX / SOLOMON_TICKS);
    Ok((number(at, field, word, 0.0, most)? * f64::from(SOLOMON_TICKS)).round() as i32)
}
