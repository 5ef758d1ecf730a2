//! Blocks of label numbers: issued to a point and a device ahead of need, and accounted for.

pub mod pages;
pub mod routes;
pub mod rules;
pub mod store;
