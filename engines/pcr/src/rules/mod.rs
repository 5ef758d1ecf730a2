//! Assay rules as versioned data, and the pure functions that apply them.
//!
//! Order of evaluation, always: run valid ([`judge_controls`]) → well valid (internal control) → targets
//! ([`interpret_well`]). Whatever is missing, late, ambiguous or contradictory gets an answer, and never "not detected".

mod autoverify;
mod replicates;
mod run;
mod set;
mod well;

pub use autoverify::{AutoverifyInput, RuleCheck, Verdict, VerifyRule, autoverify};
pub use replicates::combine_replicates;
pub(crate) use run::fits;
pub use run::{ControlReading, Finding, FindingCode, RunVerdict, Scope, judge_controls};
pub use set::{
    Action, Actions, AutoverifyLimits, ControlKind, ControlRule, CqRule, Expectation, ExpectedState, InternalControlRule, Mixing, PoolRule, ReplicateRule,
    RuleSet, RuleSetError, Target, TargetRole,
};
pub use well::{TargetReading, TargetState, WellOutcome, WellReason, WellReasonCode, WellResult, interpret_repeat, interpret_well, target_state};
