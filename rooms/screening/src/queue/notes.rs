//! What is told at once to whoever counted a line.

use baton_desk::FactContext;
use baton_ledger::{Note, StoreResult, Tx};
use baton_registry::events::PlaceKind;
use baton_registry::store as registry;

use crate::events::LineCounted;

pub fn line_counted(tx: &mut Tx<'_>, body: &LineCounted, _: &FactContext) -> StoreResult<Vec<Note>> {
    let known = registry::place(tx, body.point)?.is_some_and(|place| place.kind == PlaceKind::Point);
    Ok(if known { Vec::new() } else { vec![Note::new("point-unknown")] })
}
