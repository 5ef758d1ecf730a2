//! Boxes, seals, couriers, hand-overs. See README.md of this room.

pub mod events;
mod follow;
pub mod model;
mod notes;
mod pages;
mod routes;
pub mod rules;
pub mod store;

use baton_desk::{LiveTopic, NavItem, Room};
use baton_ledger::Fold;

pub fn room() -> Room {
    Room {
        fold: Fold { room: "custody", schema: include_str!("../schema.sql"), apply: store::apply, run: None, volatile: &[] },
        routes: [routes::routes(), pages::routes()].concat(),
        facts: notes::facts(),
        nav: vec![NavItem { words: "nav-boxes", link: "/boxes", access: routes::watchers() }],
        live: vec![LiveTopic { name: "boxes", access: routes::watchers(), any: false }],
        inbox: pages::inbox,
        cards: pages::cards,
        directory: None,
        texts: baton_desk::room_texts!("custody"),
    }
}
