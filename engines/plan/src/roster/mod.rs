//! Staff rosters: who works which shift on which day.

pub mod check;
pub mod explain;
pub mod format;
pub mod problem;
pub mod relay;
pub mod rules;
pub mod solve;
#[cfg(test)]
mod testing;
