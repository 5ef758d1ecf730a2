//! Contradictions among facts, and their settling.

pub mod store;
