//! The registry as this room reads it.

pub mod store;
