//! The registry: zones, grids, buildings, enterprises, people, points, laboratories, lots. See README.md of this room.

pub mod code;
pub mod events;
pub mod keys;
pub mod model;
pub mod rules;
pub mod store;

pub use code::{is_person_code, person_code, read_person_code};

use baton_desk::Room;
use baton_desk::room::no_inbox;
use baton_ledger::Fold;

/// Columns that hold keyed hashes or sealed texts: another key, other bytes, the same history.
const VOLATILE: &[&str] = &[
    "person.sealed",
    "person.document_key",
    "person.phone_key",
    "person.content_key",
    "affiliation.household",
    "name_key.key",
    "replaced.sealed",
    "replaced.membership",
];

pub fn room() -> Room {
    Room {
        fold: Fold { room: "registry", schema: include_str!("schema.sql"), apply: store::apply, volatile: VOLATILE },
        routes: Vec::new(),
        facts: Vec::new(),
        nav: Vec::new(),
        inbox: no_inbox,
        texts: ["", "", ""],
    }
}
