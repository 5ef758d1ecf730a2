//! The registry: zones, grids, buildings, enterprises, people, points, laboratories, lots. See README.md of this room.

pub mod code;
pub mod events;
pub mod import;
pub mod keys;
mod matching;
pub mod model;
mod pages;
mod routes;
pub mod rules;
pub mod store;

pub use code::{is_person_code, person_code, read_person_code};
pub use import::{ImportReport, Mode, run_import, undo_import};

use baton_desk::Room;
use baton_desk::room::{no_cards, no_inbox};
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
        fold: Fold { room: "registry", schema: include_str!("schema.sql"), apply: store::apply, run: None, volatile: VOLATILE },
        routes: [routes::routes(), pages::routes()].concat(),
        facts: Vec::new(),
        nav: pages::nav(),
        live: Vec::new(),
        inbox: no_inbox,
        cards: no_cards,
        directory: Some(baton_desk::Directory { names: store::place_names, find: store::places_of_code }),
        texts: baton_desk::room_texts!("registry"),
    }
}

/// Destroys the keys of everybody whose shredding is on record. Safe to repeat: call it when an installation opens, so that a
/// crash between the record and the deed, or keys brought back from an old copy, leave nobody readable. How many keys were there.
pub fn finish_shredding(ledger: &baton_ledger::Ledger) -> Result<usize, baton_ledger::Undecided> {
    let people = ledger.read(|tx| Ok(store::shredded(tx)?))?;
    let mut destroyed = 0;
    for person in people {
        destroyed += usize::from(ledger.vault().shred(baton_desk::any_id(person))?);
    }
    Ok(destroyed)
}
