//! Accounts, sign-ins and devices: who acts, from what, with which rights.

pub mod events;
pub mod pages;
pub mod rules;
pub mod staff;
pub mod store;
pub mod users;

use baton_ledger::Fold;

use crate::Role;
use crate::room::{Access, LiveTopic, NavItem, Room, no_inbox};

/// The desk's own room.
pub fn room() -> Room {
    Room {
        fold: Fold {
            room: "accounts",
            schema: include_str!("schema.sql"),
            apply: store::apply,
            run: None,
            volatile: &[
                "account.sealed",
                "session.token_hash",
                "device.token_hash",
                "session.expires_us",
                "session.started_us",
                "account.created_us",
                "account_right.from_us",
                "device.enrolled_us",
                "viewed.happened_us",
                "viewed.id",
            ],
        },
        routes: [pages::routes(), users::routes(), staff::routes()].concat(),
        facts: Vec::new(),
        nav: vec![
            NavItem { words: "nav-users", link: "/users", access: Access::Roles(&[Role::Administrator]) },
            NavItem { words: "nav-staff", link: "/staff", access: staff::READERS },
            NavItem { words: "nav-operations", link: "/operations", access: Access::Roles(&[Role::Administrator]) },
            NavItem { words: "nav-devices", link: "/devices", access: Access::Roles(&[Role::Administrator]) },
        ],
        live: vec![LiveTopic { name: "operations", access: Access::Roles(&[Role::Administrator]), any: true }],
        inbox: no_inbox,
        cards: store::cards,
        directory: None,
        texts: crate::room_texts!("desk"),
    }
}
