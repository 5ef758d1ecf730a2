//! Production: which operation runs when on which machine.
//!
//! Job shops and flexible job shops: [`parse_job_shop`] or [`parse_flexible`], [`solve`], [`check`].

mod bound;
pub mod check;
pub mod factory;
mod moves;
mod plan;
mod relink;
mod schedule;
mod shop;
mod tabu;

pub use check::{Report, check};
pub use plan::{Plan, Progress};
pub use relink::solve;
pub use shop::{Alternative, DURATION_MAX, DURATIONS_MAX, JOBS_MAX, MACHINES_MAX, OPERATIONS_MAX, Shop, parse_flexible, parse_job_shop};
