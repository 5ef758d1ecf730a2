use baton_kit::{PersonId, TypedId};
use baton_ledger::{Event, StoreResult, Tx, params};

use crate::events::SettleFinding;
use crate::model::Finding;

/// Two active people bear one document.
pub(super) const SAME_DOCUMENT: &str = "same-document";

pub(super) fn same_document(tx: &mut Tx<'_>, event: &Event, one: PersonId, other: PersonId) -> StoreResult<()> {
    let (subject, other) = if one < other { (one, other) } else { (other, one) };
    tx.execute(
        "INSERT INTO registry_finding (bucket, code, subject, other, found_us, settled) VALUES ($1, $2, $3, $4, $5, 0) ON CONFLICT (bucket, code, subject, other) DO NOTHING",
        params![subject.bucket_number(), SAME_DOCUMENT, subject, other, event.happened],
    )?;
    Ok(())
}

pub(super) fn settled(tx: &mut Tx<'_>, event: &Event) -> StoreResult<()> {
    let command = event.decided::<SettleFinding>()?.command;
    tx.execute(
        "UPDATE registry_finding SET settled = 1 WHERE bucket = $1 AND code = $2 AND subject = $3 AND other = $4",
        params![command.subject.bucket_number(), &command.code, command.subject, command.other],
    )?;
    Ok(())
}

/// Findings, those nobody settled first.
pub fn findings(tx: &mut Tx<'_>, limit: i64) -> StoreResult<Vec<Finding>> {
    let rows =
        tx.query("SELECT code, subject, other, found_us, settled FROM registry_finding ORDER BY settled, found_us DESC, subject LIMIT $1", params![limit])?;
    rows.iter()
        .map(|row| Ok(Finding { code: row.text(0)?.to_owned(), subject: row.id(1)?, other: row.id(2)?, found: row.time(3)?, settled: row.truth(4)? }))
        .collect()
}

/// How many findings nobody settled.
pub fn open_findings(tx: &mut Tx<'_>) -> StoreResult<i64> {
    tx.one("SELECT count(*) FROM registry_finding WHERE settled = 0", &[])?.int(0)
}
