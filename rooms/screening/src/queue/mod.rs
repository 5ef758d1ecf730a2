//! The line at a sampling point: how many wait, which lines are open, how long it takes, on a screen for everybody.

pub mod advice;
pub mod lanes;
pub mod notes;
pub mod pages;
mod routes;
pub mod store;
pub mod wait;
