//! Pools: which tubes may be mixed, how many tests a scheme costs, and what pool results say about
//! the people in them.
//!
//! Everything here is pure and deterministic.

pub mod field;

pub use field::{
    DesignRefusal, FollowUp, HoldReason, Mixing, PoolDecision, PoolDesign, PoolOutcome, PoolSource,
    ValidatedRatio, decode_dorfman, refuse_design,
};
