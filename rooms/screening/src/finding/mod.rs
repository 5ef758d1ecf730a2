//! Contradictions among facts, and their settling.

pub mod pages;
pub mod store;
