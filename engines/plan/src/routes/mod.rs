//! Routes: which vehicle visits whom, in what order (VRPTW and CVRP, total distance).
//!
//! [`parse`] a file, [`solve`] within a budget, [`check`] the plan.

mod anneal;
pub mod check;
pub mod couriers;
mod exchange;
mod nearness;
mod parse;
mod plan;
mod problem;
pub mod shuttles;
mod solve;
mod tour;
mod vrplib;

pub use check::{Report, check};
pub use parse::parse;
pub use plan::{Plan, Progress, Reason, Unserved};
pub use problem::{CUSTOMERS_MAX, Metric, Node, Problem, TICKS_MAX};
pub use solve::solve;
