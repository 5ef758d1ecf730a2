//! Plans: who works when, what drives where, what runs on which machine.
//!
//! Every planner is `problem → solve → check`: a pure solver that can be stopped at any moment, and an independent
//! checker from which every reported figure comes.
//!
//! | question | module |
//! |---|---|
//! | Which vehicle visits whom, in what order? | [`routes`] |
//! | Which operation runs when on which machine? | [`production`] |

pub mod production;
pub mod routes;

pub use routes::crew::{Alone, Crew};
pub use routes::fault::Fault;
