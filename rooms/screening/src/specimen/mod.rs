//! Tubes and the swabs in them.

pub mod store;
