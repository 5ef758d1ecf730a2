//! A seeded city: its people, an epidemic among them, a day of sampling, and what the instruments show.
//!
//! The city itself is pure. People, infections, arrivals and curves depend on the seed and on who is asked about, never
//! on the order of asking, so the same city can be a demonstration, a load and a test. [`client`] and what stands on it
//! play the city to a running server, over HTTP like everybody else.

pub mod assay;
mod chance;
pub mod client;
pub mod clock;
mod database;
pub mod day;
pub mod desks;
pub mod disk;
mod documents;
pub mod failover;
pub mod flip;
pub mod forecast;
pub mod infection;
mod intake;
pub mod kill;
pub mod load;
mod names;
pub mod pages;
pub mod partition;
pub mod peers;
pub mod people;
pub mod powercut;
mod program;
pub mod roster;
pub mod script;
pub mod truth;

pub use program::beside_this_program;

pub use documents::{Birth, credit_check, resident_check};

/// A test that cannot run on this machine says so.
#[cfg(test)]
#[allow(clippy::print_stderr)]
fn skipped(what: &str, missing: &str) {
    eprintln!("skipped: {what}: {missing}");
}
