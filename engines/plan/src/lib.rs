//! Plans: who works when, what drives where, what runs on which machine.
//!
//! Every planner is `problem → solve → check`: a pure solver that can be stopped at any moment, and an independent
//! checker from which every reported figure comes.
//!
//! | question | module |
//! |---|---|
//! | Who works which shift? | [`roster`] |
//! | Which vehicle visits whom, in what order? | [`routes`] |
//! | Which operation runs when on which machine? | [`production`] |
//! | Who sleeps in which room, which laboratory takes whose tubes? | [`assignment`] |
//!
//! [`travel`] measures the minutes between places.

pub mod assignment;
mod crew;
mod fault;
pub mod production;
mod random;
pub mod roster;
pub mod routes;
pub mod travel;

pub use crew::{Alone, Crew, Job};
pub use fault::Fault;
