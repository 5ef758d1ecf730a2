//! Campaigns, rounds, who is due, coverage.

pub mod pages;
pub mod routes;
pub mod store;
