//! Tubes and the swabs in them.

pub mod notes;
pub mod pages;
pub mod routes;
pub mod store;
mod told;
