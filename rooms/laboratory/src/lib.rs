//! See README.md of this room.

pub mod events;
