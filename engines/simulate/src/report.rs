//! What comes out of a run, with the names and the order of the keys as printed.

use serde::Serialize;

/// Means are over replications; see the model file's description for each key.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    pub replications: u32,
    /// Arrivals and completions of all replications; a batch is one completion.
    pub events: u64,
    pub horizon_s: f64,
    pub stations: Vec<StationReport>,
    pub sojourn: Sojourn,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub difference: Option<Difference>,
    /// 0 until [`Report::timed`] tells it.
    pub events_per_cpu_s: f64,
    /// Events of the compared model too, which `events` leaves out.
    #[serde(skip)]
    pub events_of_both: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StationReport {
    pub name: String,
    pub mean_wait_s: f64,
    /// Half-width; `None` with one replication.
    pub ci95_s: Option<f64>,
    pub utilisation: f64,
    pub mean_queue: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Sojourn {
    pub mean_s: f64,
    pub ci95_s: Option<f64>,
    pub p50_s: f64,
    pub p95_s: f64,
    pub p99_s: f64,
}

/// Mean sojourn of the compared model less that of the model, over pairs of replications.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    pub mean_s: f64,
    pub variance: Option<f64>,
}

impl Report {
    /// The same report with its speed, given the CPU time that all threads together spent in the run.
    pub fn timed(self, cpu_s: f64) -> Self {
        let speed = if cpu_s > 0.0 { self.events_of_both as f64 / cpu_s } else { 0.0 };
        Self { events_per_cpu_s: speed, ..self }
    }
}
