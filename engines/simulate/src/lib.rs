//! The discrete-event twin: what will happen to the swabs, tubes and plates of a day.
//!
//! Pure and deterministic: no file, clock, thread or source of chance. All times are seconds.
//!
//! | question | module |
//! |---|---|
//! | What does a model file mean, and what comes out of R replications of it? | [`model`], [`run`] |
//! | How do stations, queues, batches and calendars go on from one instant to the next? | [`kernel`] |
//! | From the laboratory as it is now: when is the last result, which tubes will be late, what helps? | [`twin`] |
//! | Where do random values come from? | [`draws`], [`distribution`] |

pub mod distribution;
pub mod draws;
mod fault;
pub mod kernel;
pub mod model;
mod report;
mod run;
pub mod statistics;
pub mod twin;
mod workers;

pub use fault::{Fault, MOST_SECONDS};
pub use model::{Model, ModelError, parse};
pub use report::{Difference, Report, Sojourn, StationReport};
pub use run::{MOST_REPLICATIONS, MOST_RESULTS, RunError, Settings, run};
pub use workers::{InTurn, Workers};
