//! Assignment: who sleeps in which room, and which laboratory takes whose tubes.

pub mod beds;
pub mod points;
