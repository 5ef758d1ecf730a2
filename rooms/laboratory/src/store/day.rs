//! What a laboratory did between two instants, counted from its tables through their indexes.

use baton_kit::{PlaceId, Timestamp};
use baton_ledger::{StoreResult, Tx, params};

use crate::turnaround::{Spread, spread};

/// A laboratory's day in figures. Tubes and the people in them are counted apart.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct DayOfLaboratory {
    /// Tubes looked at on arrival and accepted.
    pub accepted: i64,
    /// Tubes refused on arrival, by reason.
    pub rejected: Vec<(String, i64)>,
    pub plates: i64,
    pub runs: i64,
    pub runs_invalid: i64,
    /// What runs were held for, by code.
    pub findings: Vec<(String, i64)>,
    /// Tubes released and swabs in them, by what the tube showed.
    pub released: Vec<(String, i64, i64)>,
    pub amended: i64,
    /// From the first swab to the release.
    pub turnaround: Spread,
}

pub fn day_of_laboratory(tx: &mut Tx<'_>, laboratory: PlaceId, from: Timestamp, to: Timestamp) -> StoreResult<DayOfLaboratory> {
    let accepted = "SELECT count(DISTINCT tube) FROM accession WHERE laboratory = $1 AND happened_us >= $2 AND happened_us < $3 AND rejected IS NULL";
    let plates = "SELECT count(*) FROM plate WHERE laboratory = $1 AND laid_us >= $2 AND laid_us < $3 AND assay IS NOT NULL";
    let runs = "SELECT count(*), CAST(coalesce(sum(1 - controls_valid), 0) AS BIGINT) FROM run WHERE laboratory = $1 AND read_us >= $2 AND read_us < $3";
    let amended = "SELECT count(*) FROM tube_clock t JOIN result s ON s.bucket = t.bucket AND s.tube = t.tube \
                   WHERE t.laboratory = $1 AND s.state = 'amended' AND s.at_us >= $2 AND s.at_us < $3";
    let row = tx.one(runs, params![laboratory, from, to])?;
    Ok(DayOfLaboratory {
        accepted: tx.one(accepted, params![laboratory, from, to])?.int(0)?,
        rejected: counted(
            tx,
            "SELECT rejected, count(DISTINCT tube) FROM accession WHERE laboratory = $1 AND happened_us >= $2 AND happened_us < $3 AND rejected IS NOT NULL \
             GROUP BY rejected ORDER BY 2 DESC, 1",
            (laboratory, from, to),
        )?,
        plates: tx.one(plates, params![laboratory, from, to])?.int(0)?,
        runs: row.int(0)?,
        runs_invalid: row.int(1)?,
        findings: counted(
            tx,
            "SELECT f.code, count(*) FROM run r JOIN run_finding f ON f.bucket = r.bucket AND f.run = r.run \
             WHERE r.laboratory = $1 AND r.read_us >= $2 AND r.read_us < $3 GROUP BY f.code ORDER BY 2 DESC, 1",
            (laboratory, from, to),
        )?,
        released: released(tx, laboratory, from, to)?,
        amended: tx.one(amended, params![laboratory, from, to])?.int(0)?,
        turnaround: turnaround(tx, laboratory, from, to)?,
    })
}

fn counted(tx: &mut Tx<'_>, sql: &str, (laboratory, from, to): (PlaceId, Timestamp, Timestamp)) -> StoreResult<Vec<(String, i64)>> {
    tx.query(sql, params![laboratory, from, to])?.iter().map(|row| Ok((row.text(0)?.to_owned(), row.int(1)?))).collect()
}

fn released(tx: &mut Tx<'_>, laboratory: PlaceId, from: Timestamp, to: Timestamp) -> StoreResult<Vec<(String, i64, i64)>> {
    let sql = "SELECT coalesce(outcome, ''), count(*), CAST(coalesce(sum(members), 0) AS BIGINT) FROM tube_clock \
               WHERE laboratory = $1 AND released_us >= $2 AND released_us < $3 GROUP BY outcome ORDER BY 2 DESC, 1";
    tx.query(sql, params![laboratory, from, to])?.iter().map(|row| Ok((row.text(0)?.to_owned(), row.int(1)?, row.int(2)?))).collect()
}

fn turnaround(tx: &mut Tx<'_>, laboratory: PlaceId, from: Timestamp, to: Timestamp) -> StoreResult<Spread> {
    let sql =
        "SELECT released_us - first_swab_us FROM tube_clock WHERE laboratory = $1 AND released_us >= $2 AND released_us < $3 AND first_swab_us IS NOT NULL";
    let mut took = Vec::new();
    tx.each(sql, params![laboratory, from, to], |row| {
        took.push(row.int(0)?);
        Ok(())
    })?;
    Ok(spread(took))
}
