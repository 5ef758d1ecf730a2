//! All SQL of the registry.
//!
//! What other rooms may call:
//! - places: [`place`], [`place_chain`], [`places_of_code, places_of_kind`], [`places_under`], [`place_by_code`]
//! - people: [`membership`], [`person_brief`], [`open_people`], [`person_by_document`], [`search`], [`people_in`], [`each_person`], [`exists`]
//! - lots: [`lot`], [`lot_by_code`], [`lots`]

mod check;
mod finding;
mod import;
mod lot;
mod person;
mod place;
mod record;

pub use check::{RE_1, RE_2, RE_3, RE_4, RE_5, check_invariants};
pub use finding::{findings, open_findings};
pub use import::{Replaced, StoredPerson, content_keys, import, imports, last_import_device, members_of, people_of_import, replaced_by};
pub use lot::{lot, lot_by_code, lots};
pub use person::{
    Known, each_person, exists, membership, open_people, people_after, people_in, person, person_brief, person_by_document, person_by_keys, search, shredded,
    stays,
};
pub use place::{
    Paged, place, place_by_code, place_by_credit_code, place_chain, place_names, places_now, places_of_code, places_of_kind, places_under, zone_bucket,
};

use baton_ledger::{Command, Event, EventBody, StoreResult, Tx, Vault};

use crate::events::*;

/// What the registry does to its tables for one event.
pub fn apply(tx: &mut Tx<'_>, event: &Event, vault: &Vault) -> StoreResult<()> {
    match event.kind.as_str() {
        AddPlace::KIND => place::added(tx, event),
        ChangePlace::KIND => place::changed(tx, event),
        PeopleRecorded::KIND => record::recorded(tx, event, vault),
        PeopleLeft::KIND => record::left(tx, event),
        PeopleWithdrawn::KIND => record::withdrawn(tx, event, vault),
        ShredPerson::KIND => record::shredded(tx, event, vault),
        AddLot::KIND => lot::added(tx, event),
        RecallLot::KIND => lot::recalled(tx, event),
        BeginImport::KIND => import::begun(tx, event),
        ImportFinished::KIND => import::finished(tx, event),
        UndoImport::KIND => import::undone(tx, event),
        SettleFinding::KIND => finding::settled(tx, event),
        _ => Ok(()),
    }
}

/// JSON in a column of our own that does not read.
fn wrong(table: &'static str, row: impl std::fmt::Display, problem: impl std::fmt::Display) -> baton_ledger::StoreError {
    baton_ledger::StoreError::Inconsistent { table, row: row.to_string(), problem: problem.to_string() }
}
