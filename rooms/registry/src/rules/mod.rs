//! What is right and what is permitted: pure, without stores, clocks or randomness.

pub mod document;
pub mod lot;
pub mod name;
pub mod person;
pub mod place;
pub mod timeline;
