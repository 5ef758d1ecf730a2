//! The discrete-event kernel: stations with servers, queues, batches, calendars; one instant after another.
//!
//! At one instant: completions, capacity changes, arrivals (from outside, then from travel), batch deadlines, then starts.
//! Who joins a queue at the same instant stands there by entity number; members of one batch stay in their order and stand where
//! their first member's number puts them.

mod events;
mod network;
mod simulation;
mod state;

pub use events::MOST_NUMBERS;
pub use network::{Batch, Breakdown, Calendar, Discipline, MOST_BATCH, MOST_SERVERS, MOST_STATIONS, MOST_STEPS, Network, Rework, Route, Station, Step};
pub use simulation::{Arrival, Arrivals, Draws, Observer, Simulation};
pub use state::{Entity, State};
