//! All SQL of lines at points.

use baton_kit::time::{HOUR_US, MINUTE_US};
use baton_kit::{PlaceId, Timestamp, TypedId};
use baton_ledger::{Event, StoreResult, Tx, params};
use baton_registry::model::Place;

use super::lanes::{Lanes, Scan};
use super::wait::PACE_MINUTES;
use crate::events::LineCounted;

/// What was last said about the line of a point.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    pub waiting: i64,
    /// Numbers of the lines that are open.
    pub open: Vec<i64>,
    pub at: Timestamp,
}

/// The count that happened last stands, whatever came last.
pub fn line_counted(tx: &mut Tx<'_>, event: &Event) -> StoreResult<()> {
    let body: LineCounted = event.body()?;
    let open: Vec<String> = body.open.iter().map(u16::to_string).collect();
    tx.moved("queue", body.point.raw());
    tx.execute(
        "INSERT INTO point_line (bucket, point, event, waiting, open, counted_us) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (bucket, point) DO UPDATE SET \
         event = excluded.event, waiting = excluded.waiting, open = excluded.open, counted_us = excluded.counted_us \
         WHERE excluded.counted_us > point_line.counted_us OR (excluded.counted_us = point_line.counted_us AND excluded.event > point_line.event)",
        params![body.point.bucket_number(), body.point, event.id, i64::from(body.waiting), &open.join(","), event.happened],
    )?;
    Ok(())
}

pub fn line(tx: &mut Tx<'_>, point: PlaceId) -> StoreResult<Option<Line>> {
    let row = tx.first("SELECT waiting, open, counted_us FROM point_line WHERE bucket = $1 AND point = $2", params![point.bucket_number(), point])?;
    row.map(|row| Ok(Line { waiting: row.int(0)?, open: row.text(1)?.split(',').filter_map(|n| n.parse().ok()).collect(), at: row.time(2)? })).transpose()
}

/// Swabs at a point since an instant, and within the time over which the pace is measured.
pub fn swabs(tx: &mut Tx<'_>, point: PlaceId, since: Timestamp, now: Timestamp) -> StoreResult<(i64, i64)> {
    let lately = now.plus_us(-PACE_MINUTES * MINUTE_US);
    let sql = "SELECT CAST(COALESCE(sum(CASE WHEN m.swabbed_us > $3 THEN 1 ELSE 0 END), 0) AS BIGINT), CAST(COALESCE(sum(CASE WHEN m.swabbed_us > $4 THEN 1 ELSE 0 END), 0) AS BIGINT) \
               FROM tube t JOIN member m ON m.tube = t.id WHERE t.point = $1 AND t.opened_us >= $2 AND m.undoing IS NULL";
    let row = tx.one(sql, params![point, since.min(lately).plus_us(-HOUR_US), since, lately])?;
    Ok((row.int(0)?, row.int(1)?))
}

/// Scans read of one point at most: twenty lanes at work for the whole time.
const SCANS_MOST: i64 = 1_000;

/// The lanes of a point, by its scans within the time over which the pace is measured.
pub fn lanes(tx: &mut Tx<'_>, point: &Place, line: Option<&Line>, now: Timestamp) -> StoreResult<Lanes> {
    let lately = now.plus_us(-PACE_MINUTES * MINUTE_US);
    let sql = "SELECT m.scan, m.swabbed_us FROM tube t JOIN member m ON m.tube = t.id \
               WHERE t.point = $1 AND t.opened_us >= $2 AND m.swabbed_us > $3 AND m.swabbed_us <= $4 AND m.undoing IS NULL \
               ORDER BY m.swabbed_us DESC, m.scan DESC LIMIT $5";
    let rows = tx.query(sql, params![point.id, lately.plus_us(-HOUR_US), lately, now, SCANS_MOST])?;
    let scans: Vec<Scan> = rows.iter().map(|row| Ok(Scan { id: row.id(0)?, at: row.time(1)? })).collect::<StoreResult<_>>()?;
    Ok(Lanes::of(&scans, line, point.details.lanes, now))
}

/// People to a tube at a point: swabs in the tubes sealed since, and how many these are.
pub fn filled(tx: &mut Tx<'_>, point: PlaceId, since: Timestamp) -> StoreResult<(i64, i64)> {
    let sql = "SELECT CAST(COALESCE(sum(swabs), 0) AS BIGINT), CAST(count(*) AS BIGINT) FROM tube WHERE point = $1 AND opened_us >= $2 AND sealed_us IS NOT NULL AND follow_up = 0";
    let row = tx.one(sql, params![point, since])?;
    Ok((row.int(0)?, row.int(1)?))
}
