//! A round of a campaign as a paper and as a table, for who answers for it.

mod paper;
mod routes;
pub mod store;

pub use routes::routes;
