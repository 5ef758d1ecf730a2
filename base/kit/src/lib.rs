//! What every room stands on: packed ids, time, refusals, invariants. No I/O.

pub mod clock;
pub mod id;
pub mod invariant;
pub mod language;
pub mod refusal;
pub mod time;

pub use clock::{Clock, Entropy, SeededEntropy, SystemClock, SystemEntropy, VirtualClock};
pub use id::*;
pub use language::Language;
pub use refusal::{Refusal, Status};
pub use time::{OperationalDay, Site, Timestamp};
