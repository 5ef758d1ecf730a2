//! What goes to and comes from other systems. See README.md of this room.

pub mod codes;
pub mod events;
mod fhir;
pub mod hl7;
pub mod model;
mod pages;
mod reach;
mod routes;
pub mod rules;
pub mod store;

use baton_desk::room::no_inbox;
use baton_desk::{NavItem, Room};
use baton_ledger::Fold;

pub use store::check_invariants;

pub fn room() -> Room {
    Room {
        fold: fold(),
        routes: [fhir::routes(), routes::routes(), pages::routes()].concat(),
        facts: Vec::new(),
        nav: vec![NavItem { words: "nav-exchange", link: "/exchange", access: pages::WATCHERS }],
        live: Vec::new(),
        inbox: no_inbox,
        cards: pages::cards,
        directory: None,
        texts: baton_desk::room_texts!("exchange"),
    }
}

/// The room's tables and how they follow from events.
pub fn fold() -> Fold {
    Fold { room: "exchange", schema: include_str!("../schema.sql"), apply: store::apply, run: None, volatile: store::VOLATILE }
}
