//! The only file that names every room. Their order is the order in which they fold.

use baton_desk::Room;
use baton_ledger::{StoreResult, Tx};

pub(crate) fn rooms() -> Vec<Room> {
    vec![
        baton_desk::accounts::room(),
        baton_registry::room(),
        baton_screening::room(),
        baton_custody::room(),
        baton_laboratory::room(),
        baton_exchange::room(),
        baton_outlook::room(),
    ]
}

/// Every invariant of every room that does not hold, and every event that could not be folded: name and detail.
pub(crate) fn violations(tx: &mut Tx<'_>) -> StoreResult<Vec<(String, String)>> {
    let mut found = baton_registry::store::check_invariants(tx)?;
    found.extend(baton_screening::check::check_invariants(tx)?);
    found.extend(baton_custody::store::check_invariants(tx)?);
    found.extend(baton_laboratory::check_invariants(tx)?);
    found.extend(baton_exchange::check_invariants(tx)?);
    found.extend(baton_outlook::check_invariants(tx)?);
    for row in tx.query("SELECT room, problem FROM fold_trouble LIMIT 100", &[])? {
        found.push((format!("fold of {}", row.text(0)?), row.text(1)?.to_owned()));
    }
    Ok(found)
}
