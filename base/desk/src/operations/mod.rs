//! Keeping the service up under pressure, and showing how it does: budgets, the degradation ladder, counters, health.

mod budget;
mod figures;
mod ladder;
mod meter;
mod pages;
mod prometheus;

pub(crate) use budget::{Budgets, Held, SCREENS};
pub(crate) use ladder::{Ladder, Strain};
pub(crate) use meter::{Look, Meter, around, request_id};
pub(crate) use pages::{cards, routes};

tokio::task_local! {
    /// From whose budget the request under way takes its room.
    pub(crate) static BUDGET: crate::room::Budget;
    /// What the page under way is drawn for.
    pub(crate) static LOOK: Look;
}
