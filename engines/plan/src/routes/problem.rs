//! Deliveries to customers in time windows from one depot with a fleet of equal vehicles (VRPTW; CVRP without windows).

use super::fault::Fault;

/// Most customers of one file.
pub const CUSTOMERS_MAX: usize = 5000;
/// Largest time or distance, in ticks (see [`Problem::ticks`]): sums along a route stay far inside 32 bits.
pub const TICKS_MAX: i32 = 100_000_000;

/// How a distance follows from two points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// Euclidean, cut off to whole ticks. Solomon text and Gehring–Homberger VRPLIB files: one decimal, that is ten ticks per unit.
    Truncated,
    /// Euclidean, rounded to the nearest whole tick (CVRPLIB, one tick per unit).
    Nearest,
    /// As the file lists them.
    Explicit,
}

/// The depot or a customer. Times are in ticks.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Its number in the file: a Solomon customer number, or a VRPLIB node id (whose `.sol` files count one less).
    pub label: u32,
    pub x: f64,
    pub y: f64,
    pub demand: i32,
    /// Service starts no earlier; a vehicle may wait.
    pub open: i32,
    /// Service starts no later; at the depot: every vehicle is back by then.
    pub close: i32,
    pub service: i32,
}

/// An instance. Node 0 is the depot.
#[derive(Debug, Clone)]
pub struct Problem {
    pub name: String,
    /// Ticks per unit of the file, for distances and times alike.
    pub ticks: i32,
    pub metric: Metric,
    pub capacity: i32,
    /// The file's number of vehicles.
    pub vehicles: Option<usize>,
    pub nodes: Vec<Node>,
    /// Row by row, symmetric, in ticks; also the driving time.
    pub(super) distances: Vec<i32>,
}

impl Problem {
    /// Computes the distances.
    ///
    /// # Errors
    /// When there are too many nodes, or a distance exceeds [`TICKS_MAX`].
    pub fn euclidean(name: String, ticks: i32, metric: Metric, capacity: i32, vehicles: Option<usize>, nodes: Vec<Node>) -> Result<Self, Fault> {
        check_count(nodes.len())?;
        let mut distances = Vec::with_capacity(nodes.len() * nodes.len());
        for (from, to) in nodes.iter().flat_map(|from| nodes.iter().map(move |to| (from, to))) {
            let exact = (from.x - to.x).hypot(from.y - to.y) * f64::from(ticks);
            let whole = if metric == Metric::Nearest { (exact + 0.5).floor() } else { truncate(exact) };
            if whole > f64::from(TICKS_MAX) {
                return Err(Fault::new(0, "coordinates", format!("customers {} and {} are too far apart", from.label, to.label)));
            }
            distances.push(whole as i32);
        }
        Ok(Self { name, ticks, metric, capacity, vehicles, nodes, distances })
    }

    /// Takes the distances of the file, row by row.
    ///
    /// # Errors
    /// When they are not symmetric, or do not fit the nodes.
    pub fn explicit(name: String, capacity: i32, vehicles: Option<usize>, nodes: Vec<Node>, distances: Vec<i32>) -> Result<Self, Fault> {
        check_count(nodes.len())?;
        let count = nodes.len();
        if distances.len() != count * count {
            return Err(Fault::new(0, "EDGE_WEIGHT_SECTION", format!("holds {} of {} weights", distances.len(), count * count)));
        }
        let crooked = (0..count * count).find(|at| distances[*at] != distances[(at % count) * count + at / count]);
        if let Some(at) = crooked {
            let problem = format!("from {} to {} it is not as far as back; only symmetric distances are understood", at / count + 1, at % count + 1);
            return Err(Fault::new(0, "EDGE_WEIGHT_SECTION", problem));
        }
        Ok(Self { name, ticks: 1, metric: Metric::Explicit, capacity, vehicles, nodes, distances })
    }

    /// Customers, the depot left out.
    #[must_use]
    pub fn customers(&self) -> usize {
        self.nodes.len() - 1
    }

    /// Distance and driving time between two nodes, in ticks.
    #[must_use]
    pub fn distance(&self, from: usize, to: usize) -> i32 {
        self.distances[from * self.nodes.len() + to]
    }

    #[inline]
    pub(super) fn row(&self, from: u32) -> &[i32] {
        let count = self.nodes.len();
        &self.distances[from as usize * count..][..count]
    }
}

fn check_count(nodes: usize) -> Result<(), Fault> {
    if (2..=CUSTOMERS_MAX + 1).contains(&nodes) {
        return Ok(());
    }
    Err(Fault::new(0, "customers", format!("{} of them; 1 to {CUSTOMERS_MAX} are understood", nodes.saturating_sub(1))))
}

/// `hypot` may miss a whole number by its last bit.
fn truncate(exact: f64) -> f64 {
    let nearest = exact.round();
    if (exact - nearest).abs() <= nearest * 4.0 * f64::EPSILON { nearest } else { exact.floor() }
}
