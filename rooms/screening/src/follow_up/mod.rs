//! Who must be swabbed again, and why.

pub mod pages;
pub mod routes;
pub mod store;
