//! All SQL of the follow-up list.

use baton_kit::{CampaignId, PersonId, Timestamp, TubeId, TypedId};
use baton_ledger::{Event, Row, StoreResult, Tx, params};

use crate::events::CloseFollowUp;
use crate::model::{FollowUp, Whereabouts};
use crate::roster::store::whereabouts_of;

/// Makes the stored entries of one person in a campaign what `wanted` says. What a decision wrote on an entry stays.
pub fn list(tx: &mut Tx<'_>, campaign: CampaignId, person: PersonId, wanted: &[FollowUp]) -> StoreResult<()> {
    let bucket = person.bucket_number();
    let rows = tx.query("SELECT tube FROM follow_up WHERE bucket = $1 AND person = $2 AND campaign = $3", params![bucket, person, campaign])?;
    for row in &rows {
        let tube: TubeId = row.id(0)?;
        if !wanted.iter().any(|entry| entry.tube == tube) {
            tx.execute("DELETE FROM follow_up WHERE bucket = $1 AND person = $2 AND tube = $3", params![bucket, person, tube])?;
        }
    }
    for entry in wanted {
        tx.execute(
            "INSERT INTO follow_up (bucket, person, tube, campaign, round, reason, single, opened_us, closed, again, waived) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, '') \
             ON CONFLICT (bucket, person, tube) DO UPDATE SET campaign = excluded.campaign, round = excluded.round, reason = excluded.reason, single = excluded.single, \
             opened_us = excluded.opened_us, closed = CASE WHEN follow_up.waived <> '' THEN follow_up.waived ELSE excluded.closed END, again = excluded.again",
            params![bucket, person, entry.tube, campaign, i64::from(entry.round), &entry.reason, entry.single, entry.opened, entry.closed.unwrap_or(""), entry.again],
        )?;
    }
    Ok(())
}

pub fn closed(tx: &mut Tx<'_>, event: &Event) -> StoreResult<()> {
    let command = event.decided::<CloseFollowUp>()?.command;
    tx.execute(
        "UPDATE follow_up SET closed = $4, waived = $4, waived_us = $5, waived_by = $6 WHERE bucket = $1 AND person = $2 AND tube = $3",
        params![command.person.bucket_number(), command.person, command.tube, &command.reason, event.happened, event.actor],
    )?;
    Ok(())
}

/// Whether an entry is open; nothing when there is none.
pub fn is_open(tx: &mut Tx<'_>, tube: TubeId, person: PersonId) -> StoreResult<Option<bool>> {
    let row = tx.first("SELECT closed FROM follow_up WHERE bucket = $1 AND person = $2 AND tube = $3", params![person.bucket_number(), person, tube])?;
    row.map(|row| Ok(row.text(0)?.is_empty())).transpose()
}

/// Open entries of one person, over all campaigns: whoever has a `single` one needs a tube of their own.
pub fn needs_single(tx: &mut Tx<'_>, person: PersonId) -> StoreResult<bool> {
    let sql = "SELECT tube FROM follow_up WHERE bucket = $1 AND person = $2 AND closed = '' AND single = 1 LIMIT 1";
    Ok(tx.first(sql, params![person.bucket_number(), person])?.is_some())
}

/// Every entry of one person, closed or not, oldest first; with the reason for which a closed one is closed.
pub fn entries_of(tx: &mut Tx<'_>, person: PersonId) -> StoreResult<Vec<(FollowUp, CampaignId, String)>> {
    let sql =
        "SELECT tube, round, reason, single, opened_us, again, campaign, closed FROM follow_up WHERE bucket = $1 AND person = $2 ORDER BY opened_us, tube";
    let entry = |row: &Row| {
        let entry = FollowUp {
            tube: row.id(0)?,
            round: u16::try_from(row.int(1)?).unwrap_or(u16::MAX),
            reason: row.text(2)?.to_owned(),
            single: row.truth(3)?,
            opened: row.time(4)?,
            closed: None,
            again: row.maybe_id(5)?,
        };
        Ok((entry, row.id(6)?, row.text(7)?.to_owned()))
    };
    tx.query(sql, params![person.bucket_number(), person])?.iter().map(entry).collect()
}

/// An entry with the whereabouts of its person.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    pub person: PersonId,
    pub tube: TubeId,
    pub campaign: CampaignId,
    pub reason: String,
    pub single: bool,
    pub opened: Timestamp,
    pub again: Option<TubeId>,
    pub at: Whereabouts,
}

fn entry_of(row: &Row) -> StoreResult<Entry> {
    Ok(Entry {
        person: row.id(0)?,
        tube: row.id(1)?,
        campaign: row.id(2)?,
        reason: row.text(3)?.to_owned(),
        single: row.truth(4)?,
        opened: row.time(5)?,
        again: row.maybe_id(6)?,
        at: whereabouts_of(row, 7)?,
    })
}

/// The open list of a campaign, oldest first.
pub fn open_entries(tx: &mut Tx<'_>, campaign: CampaignId, limit: i64) -> StoreResult<Vec<Entry>> {
    let sql = "SELECT f.person, f.tube, f.campaign, f.reason, f.single, f.opened_us, f.again, d.zone, d.grid, d.building, d.enterprise, d.household \
               FROM follow_up f JOIN due d ON d.bucket = f.bucket AND d.campaign = f.campaign AND d.round = f.round AND d.person = f.person \
               WHERE f.campaign = $1 AND f.closed = '' ORDER BY f.opened_us, f.bucket, f.person, f.tube LIMIT $2";
    tx.query(sql, params![campaign, limit])?.iter().map(entry_of).collect()
}

/// Why entries of a campaign are closed, and how many are open (empty reason).
pub fn counts(tx: &mut Tx<'_>, campaign: CampaignId) -> StoreResult<Vec<(String, i64)>> {
    let rows = tx.query("SELECT closed, CAST(count(*) AS BIGINT) FROM follow_up WHERE campaign = $1 GROUP BY closed ORDER BY closed", params![campaign])?;
    rows.iter().map(|row| Ok((row.text(0)?.to_owned(), row.int(1)?))).collect()
}
