//! What custody does about other rooms' events: a sealed tube begins to be somebody's to carry.

use baton_ledger::{Event, StoreResult, Tx};
use baton_screening::events::TubeSealed;

use crate::store;

pub(crate) fn apply(tx: &mut Tx<'_>, event: &Event) -> StoreResult<()> {
    if !event.is::<TubeSealed>() {
        return Ok(());
    }
    let body: TubeSealed = event.body()?;
    store::tube_sealed(tx, body.tube, event.actor, event.happened)
}
