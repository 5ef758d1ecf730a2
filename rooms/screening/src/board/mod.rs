//! The board of a campaign: coverage as a map of tiles, and the day's curve against its plan.

pub mod curve;
pub mod drawing;
pub mod store;
pub mod treemap;
