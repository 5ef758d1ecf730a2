//! Pools: which tubes may be mixed, how many tests a scheme costs, and what pool results say about
//! the people in them.
//!
//! Everything here is pure and deterministic; randomness comes in through [`random::RandomSource`].
//!
//! | question | module |
//! |---|---|
//! | What does one pooled tube from the field mean? May it be made at all? | [`field`] |
//! | What does a scheme cost, and whom does it miss? | [`scheme`], with [`population`] and [`dilution`] |
//! | Which scheme today, and why? | [`plan`]; [`check`] enumerates small cases without its formulas |
//! | What is the prevalence, and is it time to switch? | [`prevalence`] |
//! | Which samples of a pooling design are positive, negative, to be retested? | [`decode`] |
//! | What would happen to a whole population? | [`simulate`] |
//! | What does the command line read and print? | [`tables`], [`reports`] |

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
