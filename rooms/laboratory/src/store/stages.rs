//! What is on its way, and what the stages took lately. Every query reads through an index and no more rows than it says.

use baton_kit::{PlaceId, Timestamp};
use baton_ledger::{StoreResult, Tx, params};

use crate::stages::{BoxCarried, Looked, PlateDone, TubeTaken, Underway};

/// Tubes on their way whose first swab is not older than `since`, oldest first.
pub fn underway(tx: &mut Tx<'_>, since: Timestamp) -> StoreResult<Vec<Underway>> {
    let sql = "SELECT t.tube, t.point, t.first_swab_us, t.sealed_us, t.box, t.boxed_us, b.arrived_us, COALESCE(t.laboratory, b.laboratory), t.accessioned_us, t.plate, t.laid_us, t.read_us \
               FROM tube_clock t LEFT JOIN box_clock b ON b.bucket = t.box >> 56 AND b.box = t.box WHERE t.waiting = 1 AND t.first_swab_us >= $1 ORDER BY t.first_swab_us, t.tube";
    let mut all = Vec::new();
    tx.each(sql, params![since], |row| {
        all.push(Underway {
            tube: row.id(0)?,
            point: row.maybe_id(1)?,
            first_swab: row.time(2)?,
            sealed: row.maybe_time(3)?,
            box_id: row.maybe_id(4)?,
            boxed: row.maybe_time(5)?,
            arrived: row.maybe_time(6)?,
            laboratory: row.maybe_id(7)?,
            accessioned: row.maybe_time(8)?,
            plate: row.maybe_id(9)?,
            laid: row.maybe_time(10)?,
            read: row.maybe_time(11)?,
        });
        Ok(())
    })?;
    Ok(all)
}

/// Whether a tube first swabbed between two instants still waits for its result.
pub fn any_underway(tx: &mut Tx<'_>, from: Timestamp, to: Timestamp) -> StoreResult<bool> {
    let sql = "SELECT 1 FROM tube_clock WHERE waiting = 1 AND first_swab_us >= $1 AND first_swab_us <= $2 LIMIT 1";
    Ok(tx.first(sql, params![from, to])?.is_some())
}

/// Of the tubes first swabbed between two instants and waiting no more: the first swab and the last release.
pub fn first_and_last(tx: &mut Tx<'_>, from: Timestamp, to: Timestamp) -> StoreResult<(Option<Timestamp>, Option<Timestamp>)> {
    let sql = "SELECT min(first_swab_us), max(released_us) FROM tube_clock WHERE waiting = 0 AND first_swab_us >= $1 AND first_swab_us <= $2";
    let row = tx.one(sql, params![from, to])?;
    Ok((row.maybe_time(0)?, row.maybe_time(1)?))
}

/// Boxes that reached a laboratory since, the latest first.
pub fn boxes_carried(tx: &mut Tx<'_>, since: Timestamp, limit: i64) -> StoreResult<Vec<BoxCarried>> {
    let sql = "SELECT b.point, b.laboratory, (SELECT min(h.account) FROM hand h WHERE h.bucket = b.bucket AND h.subject = b.box AND h.deed = 'carried'), \
               (SELECT min(t.sealed_us) FROM tube_clock t WHERE t.box = b.box), (SELECT max(t.boxed_us) FROM tube_clock t WHERE t.box = b.box), b.arrived_us \
               FROM box_clock b WHERE b.arrived_us >= $1 ORDER BY b.arrived_us DESC, b.box DESC LIMIT $2";
    let rows = tx.query(sql, params![since, limit])?;
    let carried = rows.iter().map(|row| {
        Ok(BoxCarried {
            point: row.maybe_id(0)?,
            laboratory: row.maybe_id(1)?,
            carrier: row.maybe_id(2)?,
            first_sealed: row.maybe_time(3)?,
            boxed: row.maybe_time(4)?,
            arrived: row.time(5)?,
        })
    });
    carried.collect()
}

/// The last `most` plates of a laboratory that hold specimens and were not discarded, the latest first.
pub fn plates_done(tx: &mut Tx<'_>, laboratory: PlaceId, most: i64) -> StoreResult<Vec<PlateDone>> {
    let after = super::bench::plates_laid(tx, laboratory)? - most;
    let sql = "SELECT p.plate, CAST(count(*) AS BIGINT), min(t.accessioned_us), p.laid_us, (SELECT max(r.read_us) FROM run r WHERE r.plate = p.plate), max(t.released_us) \
               FROM plate p JOIN well w ON w.bucket = p.bucket AND w.plate = p.plate JOIN tube_clock t ON t.bucket = w.tube >> 56 AND t.tube = w.tube \
               WHERE p.laboratory = $1 AND p.number >= $2 AND p.assay IS NOT NULL AND p.state <> 'discarded' \
               GROUP BY p.bucket, p.plate, p.number, p.laid_us ORDER BY p.number DESC";
    let rows = tx.query(sql, params![laboratory, after])?;
    let done = rows.iter().map(|row| {
        Ok(PlateDone {
            plate: row.id(0)?,
            tubes: row.int(1)?,
            first_accessioned: row.maybe_time(2)?,
            laid: row.time(3)?,
            read: row.maybe_time(4)?,
            out: row.maybe_int(5)?.is_some(),
        })
    });
    done.collect()
}

/// Tubes a laboratory took in since, the latest first.
pub fn tubes_taken(tx: &mut Tx<'_>, laboratory: PlaceId, since: Timestamp, limit: i64) -> StoreResult<Vec<TubeTaken>> {
    let sql = "SELECT first_swab_us, sealed_us, read_us, released_us FROM tube_clock WHERE laboratory = $1 AND accessioned_us >= $2 ORDER BY accessioned_us DESC, tube DESC LIMIT $3";
    let rows = tx.query(sql, params![laboratory, since, limit])?;
    let taken = rows
        .iter()
        .map(|row| Ok(TubeTaken { first_swab: row.maybe_time(0)?, sealed: row.maybe_time(1)?, read: row.maybe_time(2)?, released: row.maybe_time(3)? }));
    taken.collect()
}

/// Looks at tubes on arrival since, the latest first.
pub fn looks(tx: &mut Tx<'_>, laboratory: PlaceId, since: Timestamp, limit: i64) -> StoreResult<Vec<Looked>> {
    let sql = "SELECT account, happened_us FROM accession WHERE laboratory = $1 AND happened_us >= $2 ORDER BY happened_us DESC, id DESC LIMIT $3";
    tx.query(sql, params![laboratory, since, limit])?.iter().map(|row| Ok(Looked { account: row.maybe_id(0)?, at: row.time(1)? })).collect()
}

/// Tubes on their way that were begun since, by point: the pace at which tubes are filled.
pub fn begun_by_point(tx: &mut Tx<'_>, since: Timestamp) -> StoreResult<Vec<(PlaceId, i64)>> {
    let sql = "SELECT point, CAST(count(*) AS BIGINT) FROM tube_clock WHERE waiting = 1 AND first_swab_us >= $1 AND point IS NOT NULL AND follow_up = 0 GROUP BY point ORDER BY point";
    tx.query(sql, params![since])?.iter().map(|row| Ok((row.id(0)?, row.int(1)?))).collect()
}
