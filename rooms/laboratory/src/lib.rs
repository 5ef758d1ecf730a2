//! Accession, plates, runs, calls, release, reports, lineage and the clock. See README.md of this room.

pub mod commands;
pub mod curve;
pub mod events;
pub mod follow;
pub mod intake;
pub mod model;
pub mod person;
pub mod report;
mod routes;
pub mod rules;
pub mod store;
pub mod turnaround;

use baton_desk::Room;
use baton_desk::room::no_inbox;
use baton_ledger::Fold;

pub use report::{ReportProblem, ReportSummary, verify_report};
pub use store::check::check_invariants;

pub fn room() -> Room {
    Room {
        fold: fold(),
        routes: routes::routes(),
        facts: commands::facts(),
        nav: Vec::new(),
        inbox: no_inbox,
        texts: ["", "", ""],
    }
}

/// The room's tables and how they follow from events.
pub fn fold() -> Fold {
    Fold { room: "laboratory", schema: include_str!("../schema.sql"), apply: store::apply, volatile: store::VOLATILE }
}
