use baton_kit::{LotId, TypedId};
use baton_ledger::{Event, Row, StoreResult, Tx, params};

use super::wrong;
use crate::events::{AddLot, LotKind, RecallLot};
use crate::model::Lot;

pub(super) fn added(tx: &mut Tx<'_>, event: &Event) -> StoreResult<()> {
    let command = event.decided::<AddLot>()?.command;
    tx.execute(
        "INSERT INTO lot (bucket, id, kind, code, product, expires_us) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (bucket, id) DO NOTHING",
        params![event.id.bucket_number(), event.id, command.kind.name(), &command.code, &command.product, command.expires_us],
    )?;
    Ok(())
}

pub(super) fn recalled(tx: &mut Tx<'_>, event: &Event) -> StoreResult<()> {
    let command = event.decided::<RecallLot>()?.command;
    tx.execute(
        "UPDATE lot SET recalled_us = $3, recall_reason = $4 WHERE bucket = $1 AND id = $2 AND recalled_us IS NULL",
        params![command.lot.bucket_number(), command.lot, event.happened, &command.reason],
    )?;
    Ok(())
}

const LOT: &str = "SELECT id, kind, code, product, expires_us, recalled_us, recall_reason FROM lot";

fn lot_of(row: &Row) -> StoreResult<Lot> {
    let id: LotId = row.id(0)?;
    let recalled = row.maybe_time(5)?.map(|at| Ok::<_, baton_ledger::StoreError>((at, row.maybe_text(6)?.unwrap_or_default().to_owned()))).transpose()?;
    Ok(Lot {
        id,
        kind: LotKind::from_name(row.text(1)?).ok_or_else(|| wrong("lot", id, "no such kind"))?,
        code: row.text(2)?.to_owned(),
        product: row.text(3)?.to_owned(),
        expires: row.time(4)?,
        recalled,
    })
}

pub fn lot(tx: &mut Tx<'_>, id: LotId) -> StoreResult<Option<Lot>> {
    let row = tx.first(&format!("{LOT} WHERE bucket = $1 AND id = $2"), params![id.bucket_number(), id])?;
    row.as_ref().map(lot_of).transpose()
}

/// The lot whose printed code was scanned.
pub fn lot_by_code(tx: &mut Tx<'_>, kind: LotKind, code: &str) -> StoreResult<Option<Lot>> {
    let row = tx.first(&format!("{LOT} WHERE kind = $1 AND code = $2"), params![kind.name(), code])?;
    row.as_ref().map(lot_of).transpose()
}

/// Lots of one kind or of all, the first to expire first.
pub fn lots(tx: &mut Tx<'_>, kind: Option<LotKind>) -> StoreResult<Vec<Lot>> {
    let rows = match kind {
        Some(kind) => tx.query(&format!("{LOT} WHERE kind = $1 ORDER BY expires_us, id LIMIT 5000"), params![kind.name()])?,
        None => tx.query(&format!("{LOT} ORDER BY expires_us, id LIMIT 5000"), &[])?,
    };
    rows.iter().map(lot_of).collect()
}
