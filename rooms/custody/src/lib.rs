//! Boxes, seals, couriers, hand-overs. See README.md of this room.

pub mod events;
mod follow;
pub mod model;
pub mod rules;
pub mod store;
