//! The model file: arrivals, a chain of stations, calendars. Every error names its line and field.

mod json;
mod parse;

use crate::kernel::{Arrivals, Network};

pub use parse::{MOST_BYTES, MOST_ENTITIES, MOST_RATE_PER_S, parse};

/// A checked model.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    pub network: Network,
    pub arrivals: Arrivals,
}

/// What is wrong with a model file, and where. `field` is a path such as `stations[1].batch.max_wait_s`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {field}: {problem}")]
pub struct ModelError {
    pub line: u32,
    pub field: String,
    pub problem: String,
}
