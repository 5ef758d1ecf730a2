//! Campaigns, rounds, who is due, coverage.

pub mod store;
