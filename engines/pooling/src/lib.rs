//! Pools: which tubes may be mixed, how many tests a scheme costs, and what pool results say about
//! the people in them.
//!
//! Everything here is pure and deterministic; randomness comes in through [`random::RandomSource`].

pub mod check;
pub mod decode;
pub mod dilution;
pub mod field;
pub mod matrix;
pub mod plan;
pub mod population;
pub mod prevalence;
pub mod random;
pub mod reports;
pub mod scheme;
pub mod simulate;
pub mod tables;

pub use field::{
    DesignRefusal, FollowUp, HoldReason, Mixing, PoolDecision, PoolDesign, PoolOutcome, PoolSource, ValidatedRatio, decode_dorfman, refuse_design,
};
