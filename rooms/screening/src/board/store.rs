//! All SQL of the board: counts by quarter of an hour and by reason, kept as obligations move; the tiles of the map.

use baton_kit::{CampaignId, PlaceId, Timestamp, TypedId};
use baton_ledger::{Param, StoreResult, Tx, params};

use super::curve::quarter;
use crate::campaign::store::{Ask, Counted, Counts, SUMS, counts_of};
use crate::model::{Due, DueState};
use crate::view::place_of;

/// The quarter in which somebody on the list came, by the swab their standing rests on.
fn came_in(due: &Due) -> Option<Timestamp> {
    let came = matches!(due.standing.state, DueState::Sampled | DueState::Pending | DueState::Resulted | DueState::Held);
    due.standing.swabbed.filter(|_| came && due.listed).map(quarter)
}

/// One more (or one less) obligation of this standing.
pub fn counted(tx: &mut Tx<'_>, due: &Due, sign: i64) -> StoreResult<()> {
    by_quarter(tx, due, came_in(due), sign)?;
    by_reason(tx, due, sign)
}

/// An obligation stands otherwise than before.
pub fn recounted(tx: &mut Tx<'_>, before: &Due, after: &Due) -> StoreResult<()> {
    let (was, is) = (came_in(before), came_in(after));
    if was != is {
        by_quarter(tx, before, was, -1)?;
        by_quarter(tx, after, is, 1)?;
    }
    if (before.standing.state, &before.standing.reason) != (after.standing.state, &after.standing.reason) {
        by_reason(tx, before, -1)?;
        by_reason(tx, after, 1)?;
    }
    Ok(())
}

fn by_quarter(tx: &mut Tx<'_>, due: &Due, at: Option<Timestamp>, sign: i64) -> StoreResult<()> {
    let Some(at) = at else { return Ok(()) };
    let key = params![due.person.bucket_number(), due.campaign, i64::from(due.round), due.at.zone, due.at.grid, at, sign];
    tx.execute(
        "INSERT INTO due_quarter (bucket, campaign, round, zone, grid, quarter_us, came) VALUES ($1, $2, $3, $4, $5, $6, $7) \
         ON CONFLICT (bucket, campaign, round, zone, grid, quarter_us) DO UPDATE SET came = due_quarter.came + excluded.came",
        key,
    )?;
    if sign < 0 {
        tx.execute(
            "DELETE FROM due_quarter WHERE bucket = $1 AND campaign = $2 AND round = $3 AND zone = $4 AND grid = $5 AND quarter_us = $6 AND came = 0",
            &key[..6],
        )?;
    }
    Ok(())
}

fn by_reason(tx: &mut Tx<'_>, due: &Due, sign: i64) -> StoreResult<()> {
    let standing = &due.standing;
    if standing.reason.is_empty() {
        return Ok(());
    }
    let key =
        params![due.person.bucket_number(), due.campaign, i64::from(due.round), due.at.zone, due.at.grid, standing.state.number(), &standing.reason, sign];
    tx.execute(
        "INSERT INTO due_reason (bucket, campaign, round, zone, grid, state, reason, people) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
         ON CONFLICT (bucket, campaign, round, zone, grid, state, reason) DO UPDATE SET people = due_reason.people + excluded.people",
        key,
    )?;
    if sign < 0 {
        tx.execute("DELETE FROM due_reason WHERE bucket = $1 AND campaign = $2 AND round = $3 AND zone = $4 AND grid = $5 AND state = $6 AND reason = $7 AND people = 0", &key[..7])?;
    }
    Ok(())
}

/// Counts the reasons of a round that was just written down.
pub fn count_reasons(tx: &mut Tx<'_>, campaign: CampaignId, round: u16) -> StoreResult<()> {
    tx.execute(
        "INSERT INTO due_reason (bucket, campaign, round, zone, grid, state, reason, people) SELECT bucket, campaign, round, zone, grid, state, reason, CAST(count(*) AS BIGINT) \
         FROM due WHERE campaign = $1 AND round = $2 AND reason <> '' GROUP BY bucket, campaign, round, zone, grid, state, reason",
        params![campaign, i64::from(round)],
    )?;
    Ok(())
}

/// Why people are exempt, held or due again, as far as zones and grids tell it: nothing for a single building or enterprise.
pub fn reasons(tx: &mut Tx<'_>, ask: &Ask) -> StoreResult<Vec<(DueState, String, i64)>> {
    let (conditions, values) = ask.conditions(tx, &["zone", "grid"])?;
    let values: Vec<Param<'_>> = values.into_iter().map(Param::Int).collect();
    let sql = format!(
        "SELECT state, reason, CAST(sum(people) AS BIGINT) FROM due_reason WHERE campaign = $1 AND round = $2{conditions} GROUP BY state, reason ORDER BY state, reason"
    );
    let rows = tx.query(&sql, &values)?;
    rows.iter().map(|row| Ok((DueState::from_number(row.int(0)?).unwrap_or(DueState::Due), row.text(1)?.to_owned(), row.int(2)?))).collect()
}

/// Who came in which quarter of an hour, as far as zones and grids tell it: nothing for a single building or enterprise.
pub fn quarters(tx: &mut Tx<'_>, ask: &Ask) -> StoreResult<Vec<(Timestamp, i64)>> {
    let (conditions, values) = ask.conditions(tx, &["zone", "grid"])?;
    let values: Vec<Param<'_>> = values.into_iter().map(Param::Int).collect();
    let sql = format!(
        "SELECT quarter_us, CAST(sum(came) AS BIGINT) FROM due_quarter WHERE campaign = $1 AND round = $2{conditions} GROUP BY quarter_us ORDER BY quarter_us"
    );
    tx.query(&sql, &values)?.iter().map(|row| Ok((row.time(0)?, row.int(1)?))).collect()
}

/// People of one building (or of a grid's people without one) for the map.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Spot {
    pub zone: Option<PlaceId>,
    pub grid: Option<PlaceId>,
    pub building: Option<PlaceId>,
    pub counts: Counts,
}

/// Everybody asked for, by building.
pub fn spots(tx: &mut Tx<'_>, ask: &Ask) -> StoreResult<Vec<Spot>> {
    let counted = Counted::of(tx, ask, None)?;
    let Counted { table, conditions, .. } = &counted;
    let sql = format!(
        "SELECT zone, grid, building, {SUMS} FROM {table} WHERE campaign = $1 AND round = $2{conditions} GROUP BY zone, grid, building ORDER BY zone, grid, building"
    );
    let mut spots = Vec::new();
    tx.each(&sql, &counted.params(), |row| {
        spots.push(Spot { zone: place_of(row.int(0)?), grid: place_of(row.int(1)?), building: place_of(row.int(2)?), counts: counts_of(&row, 3)? });
        Ok(())
    })?;
    Ok(spots)
}
