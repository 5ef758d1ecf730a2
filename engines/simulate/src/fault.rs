//! What is wrong with a number, and the bounds that all numbers have.

use std::fmt::Display;

/// Largest time that may be stated, about 31 years.
pub const MOST_SECONDS: f64 = 1e9;

/// A field that holds something impossible. `field` is a path from where the reader stands, such as `batch.size`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct Fault {
    pub field: String,
    pub problem: String,
}

impl Fault {
    pub fn new(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { field: field.into(), problem: problem.into() }
    }

    /// The same fault seen from further out.
    pub fn inside(self, outer: impl Display) -> Self {
        Self { field: format!("{outer}.{}", self.field), problem: self.problem }
    }
}

/// `value` itself when it lies in `least..=most`; −0 becomes 0.
pub(crate) fn between(field: &str, value: f64, least: f64, most: f64) -> Result<f64, Fault> {
    if value >= least && value <= most { Ok(value + 0.0) } else { Err(Fault::new(field, format!("must lie between {least} and {most}, is {value}"))) }
}

pub(crate) fn at_least(field: &str, seconds: f64, least: f64) -> Result<f64, Fault> {
    between(field, seconds, least, MOST_SECONDS)
}

pub(crate) fn positive(field: &str, seconds: f64) -> Result<f64, Fault> {
    if seconds > 0.0 { at_least(field, seconds, 0.0) } else { Err(Fault::new(field, format!("must be above 0, is {seconds}"))) }
}
