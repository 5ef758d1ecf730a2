//! The clock: what waits, oldest first; how long it took; what a laboratory can do against what it declared.

use baton_kit::{BoxId, CampaignId, PlaceId, PlateId, Timestamp, TypedId};
use baton_ledger::{StoreResult, Tx, params};

use super::{CLOCK, clock_of};
use crate::model::TubeClock;

/// Tubes on their way, oldest swab first.
pub fn waiting(tx: &mut Tx<'_>, limit: i64) -> StoreResult<Vec<TubeClock>> {
    tx.query(&format!("{CLOCK} WHERE t.waiting = 1 AND t.first_swab_us IS NOT NULL ORDER BY t.first_swab_us, t.tube LIMIT $1"), params![limit])?
        .iter()
        .map(clock_of)
        .collect()
}

/// Every tube with a result, preliminary or out.
pub fn resulted(tx: &mut Tx<'_>) -> StoreResult<Vec<TubeClock>> {
    tx.query(&format!("{CLOCK} WHERE t.outcome IS NOT NULL ORDER BY t.tube"), &[])?.iter().map(clock_of).collect()
}

/// How many tubes are on their way, and how many of them were begun before `since`.
pub fn counts(tx: &mut Tx<'_>, since: Timestamp) -> StoreResult<(i64, i64)> {
    let all = tx.one("SELECT count(*) FROM tube_clock WHERE waiting = 1 AND first_swab_us IS NOT NULL", &[])?.int(0)?;
    let late = tx.one("SELECT count(*) FROM tube_clock WHERE waiting = 1 AND first_swab_us < $1", params![since])?.int(0)?;
    Ok((all, late))
}

/// Tubes of a box or with these codes that a laboratory has not looked at yet.
pub fn unaccessioned_of_box(tx: &mut Tx<'_>, box_id: BoxId) -> StoreResult<Vec<TubeClock>> {
    tx.query(&format!("{CLOCK} WHERE t.box = $1 AND t.accessioned_us IS NULL ORDER BY t.code, t.tube LIMIT 2000"), params![box_id])?
        .iter()
        .map(clock_of)
        .collect()
}

/// Where a box is, or where it was opened.
pub fn place_of_box(tx: &mut Tx<'_>, box_id: BoxId) -> StoreResult<Option<PlaceId>> {
    let row = tx.first("SELECT coalesce(laboratory, point) FROM box_clock WHERE bucket = $1 AND box = $2", params![box_id.bucket_number(), box_id])?;
    row.map_or(Ok(None), |row| row.maybe_id(0))
}

pub fn box_code(tx: &mut Tx<'_>, box_id: BoxId) -> StoreResult<Option<String>> {
    let row = tx.first("SELECT code FROM box_clock WHERE bucket = $1 AND box = $2", params![box_id.bucket_number(), box_id])?;
    row.map_or(Ok(None), |row| Ok(row.maybe_text(0)?.map(str::to_owned)))
}

pub fn box_by_code(tx: &mut Tx<'_>, code: &str) -> StoreResult<Option<BoxId>> {
    tx.first("SELECT box FROM box_clock WHERE code = $1 ORDER BY arrived_us DESC, box DESC LIMIT 1", params![code])?.map(|row| row.id(0)).transpose()
}

/// A box with tubes nobody looked at: box, code, arrival, how many.
pub type BoxToAccession = (BoxId, String, Option<Timestamp>, i64);

/// Boxes that stand in a laboratory with tubes nobody looked at.
pub fn boxes_to_accession(tx: &mut Tx<'_>, laboratory: PlaceId) -> StoreResult<Vec<BoxToAccession>> {
    let sql = "SELECT b.box, b.code, b.arrived_us, count(*) FROM tube_clock t JOIN box_clock b ON b.bucket = t.box >> 56 AND b.box = t.box \
               WHERE t.waiting = 1 AND t.accessioned_us IS NULL AND b.laboratory = $1 GROUP BY b.box, b.code, b.arrived_us ORDER BY b.arrived_us, b.box LIMIT 200";
    let rows = tx.query(sql, params![laboratory])?;
    rows.iter().map(|row| Ok((row.id(0)?, row.maybe_text(1)?.unwrap_or("").to_owned(), row.maybe_time(2)?, row.int(3)?))).collect()
}

/// Tubes taken in by a laboratory that no plate holds yet, oldest swab first. Follow-ups of held people come before all others.
pub fn waiting_for_plate(tx: &mut Tx<'_>, laboratory: PlaceId, limit: i64) -> StoreResult<Vec<TubeClock>> {
    let sql = format!(
        "{CLOCK} WHERE t.waiting = 1 AND t.laboratory = $1 AND t.accessioned_us IS NOT NULL AND t.plate IS NULL ORDER BY t.follow_up DESC, t.first_swab_us, t.tube LIMIT $2"
    );
    tx.query(&sql, params![laboratory, limit])?.iter().map(clock_of).collect()
}

/// How many wait for a plate, and the oldest swab among them.
pub fn plate_queue(tx: &mut Tx<'_>, laboratory: PlaceId) -> StoreResult<(i64, Option<Timestamp>)> {
    let sql = "SELECT count(*), min(first_swab_us) FROM tube_clock WHERE waiting = 1 AND laboratory = $1 AND accessioned_us IS NOT NULL AND plate IS NULL";
    let row = tx.one(sql, params![laboratory])?;
    Ok((row.int(0)?, row.maybe_time(1)?))
}

/// How long one released tube took, and where it belongs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Turnaround {
    pub took_us: i64,
    pub point: Option<PlaceId>,
    pub laboratory: Option<PlaceId>,
    pub box_id: Option<BoxId>,
    pub plate: Option<PlateId>,
    pub campaign: Option<CampaignId>,
}

/// Every tube released since `from`, from its first swab to its release.
pub fn turnarounds(tx: &mut Tx<'_>, from: Timestamp) -> StoreResult<Vec<Turnaround>> {
    let sql =
        "SELECT released_us - first_swab_us, point, box, plate, campaign, laboratory FROM tube_clock WHERE released_us >= $1 AND first_swab_us IS NOT NULL";
    let mut all = Vec::new();
    tx.each(sql, params![from], |row| {
        all.push(Turnaround {
            took_us: row.int(0)?,
            point: row.maybe_id(1)?,
            box_id: row.maybe_id(2)?,
            plate: row.maybe_id(3)?,
            campaign: row.maybe_id(4)?,
            laboratory: row.maybe_id(5)?,
        });
        Ok(())
    })?;
    Ok(all)
}

/// Tubes a laboratory took in and released between two instants.
pub fn throughput(tx: &mut Tx<'_>, laboratory: PlaceId, from: Timestamp, to: Timestamp) -> StoreResult<(i64, i64)> {
    let count = |tx: &mut Tx<'_>, column: &str| {
        let sql = format!("SELECT count(*) FROM tube_clock WHERE laboratory = $1 AND {column} >= $2 AND {column} < $3");
        tx.one(&sql, params![laboratory, from, to])?.int(0)
    };
    Ok((count(tx, "accessioned_us")?, count(tx, "released_us")?))
}

/// Plates that wait for their run: how many, and the oldest of them.
pub fn plates_to_run(tx: &mut Tx<'_>, laboratory: PlaceId) -> StoreResult<(i64, Option<Timestamp>)> {
    let row = tx.one("SELECT count(*), min(laid_us) FROM plate WHERE state = 'laid' AND laboratory = $1", params![laboratory])?;
    Ok((row.int(0)?, row.maybe_time(1)?))
}
