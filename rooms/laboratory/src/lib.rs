//! Accession, plates, runs, calls, release, reports, lineage and the clock. See README.md of this room.

pub mod commands;
pub mod curve;
pub mod events;
pub mod follow;
pub mod intake;
pub mod model;
mod pages;
pub mod papers;
pub mod person;
pub mod pooling;
mod routes;
pub mod rules;
pub mod stages;
pub mod statement;
pub mod store;
pub mod turnaround;

use baton_desk::{LiveTopic, NavItem, Room};
use baton_ledger::Fold;

pub use routes::TRACE_ACCESS;
pub use store::check::check_invariants;

pub fn room() -> Room {
    Room {
        fold: fold(),
        routes: [routes::routes(), pages::routes()].concat(),
        facts: commands::facts(),
        nav: vec![
            NavItem { words: "nav-laboratory", link: "/laboratory", access: routes::WATCH_ACCESS },
            NavItem { words: "nav-accession", link: "/laboratory/accession", access: routes::RECEIVE_ACCESS },
            NavItem { words: "nav-clock", link: "/laboratory/clock", access: routes::WATCH_ACCESS },
            NavItem { words: "nav-pools", link: "/laboratory/pools", access: pages::PLAN_ACCESS },
            NavItem { words: "nav-lineage", link: "/laboratory/lineage", access: routes::TRACE_ACCESS },
        ],
        live: vec![
            LiveTopic { name: "laboratory", access: routes::WATCH_ACCESS, any: false },
            LiveTopic { name: "clock", access: routes::WATCH_ACCESS, any: false },
        ],
        inbox: pages::inbox,
        cards: pages::cards,
        directory: None,
        texts: baton_desk::room_texts!("laboratory"),
    }
}

/// The room's tables and how they follow from events.
pub fn fold() -> Fold {
    Fold { room: "laboratory", schema: include_str!("../schema.sql"), apply: store::apply, run: Some(follow::SAMPLED), volatile: store::VOLATILE }
}
