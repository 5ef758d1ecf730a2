//! A seeded city: its people, an epidemic among them, a day of sampling, and what the instruments show.
//!
//! The city itself is pure. People, infections, arrivals and curves depend on the seed and on who is asked about, never
//! on the order of asking, so the same city can be a demonstration, a load and a test. [`client`] and what stands on it
//! play the city to a running server, over HTTP like everybody else.

pub mod assay;
mod chance;
pub mod client;
pub mod day;
pub mod desks;
pub mod disk;
mod documents;
pub mod flip;
pub mod forecast;
pub mod infection;
mod intake;
pub mod kill;
pub mod load;
mod names;
pub mod pages;
pub mod partition;
pub mod people;
mod program;
pub mod roster;
pub mod script;
pub mod truth;

pub use program::beside_this_program;

pub use documents::{Birth, credit_check, resident_check};
