//! HL7 version 2.5.1: results and orders out, messages in.

mod door;
mod draw;
pub mod mllp;

pub use door::{Taken, receive};
pub use draw::{Addressed, order, result};
