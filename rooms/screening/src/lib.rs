//! Campaigns, sampling, pooled tubes, coverage, follow-up. See README.md of this room.

pub mod campaign;
pub mod events;
pub mod finding;
mod follow;
pub mod follow_up;
pub mod model;
mod roster;
pub mod rules;
pub mod specimen;
pub mod store;

use baton_ledger::Fold;

/// The room's tables and how they follow from events.
pub fn fold() -> Fold {
    Fold { room: "screening", schema: include_str!("../schema.sql"), apply: store::apply, volatile: &[] }
}
