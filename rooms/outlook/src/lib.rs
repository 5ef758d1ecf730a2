//! What will happen tonight, what a change would change, and how good the forecasts were. See README.md of this room.

mod compute;
mod drawing;
pub mod events;
mod keep;
pub mod model;
mod pages;
mod routes;
pub mod rules;
pub mod store;

use baton_desk::room::{no_cards, no_inbox};
use baton_desk::{LiveTopic, NavItem, Room};
use baton_ledger::Fold;

pub use keep::keep_foretelling;
pub use store::check_invariants;

pub fn room() -> Room {
    Room {
        fold: fold(),
        routes: [routes::routes(), pages::routes()].concat(),
        facts: Vec::new(),
        nav: vec![NavItem { words: "nav-tonight", link: "/tonight", access: routes::WATCHERS }],
        live: vec![LiveTopic { name: "outlook", access: routes::WATCHERS, any: false }],
        inbox: no_inbox,
        cards: no_cards,
        directory: None,
        texts: baton_desk::room_texts!("outlook"),
    }
}

/// The room's tables and how they follow from events.
pub fn fold() -> Fold {
    Fold { room: "outlook", schema: include_str!("../schema.sql"), apply: store::apply, run: None, volatile: store::VOLATILE }
}
