//! Results: versions of a tube's, and what they mean for people.

use baton_kit::{AccountId, AnyId, EventId, PersonId, PlaceId, RunId, Timestamp, TubeId, TypedId};
use baton_ledger::{Row, StoreResult, Tx, params};
use baton_screening::specimen::store as screening;

use super::{json, unknown_word};
use crate::events::TubeOutcome;
use crate::model::{Membership, Release, ResultState, TubeResult};
use crate::rules::amendment::Proposed;

const RESULT: &str = "SELECT tube, version, outcome, state, run, at_us, reason, passed, first_by, first_director, first_us, second_by, second_us FROM result";

fn result_of(row: &Row) -> StoreResult<TubeResult> {
    let tube: TubeId = row.id(0)?;
    let outcome = TubeOutcome::from_name(row.text(2)?).ok_or_else(|| unknown_word("result", tube, row.text(2).unwrap_or("")))?;
    let nobody = || unknown_word("result", tube, "released by nobody");
    let first = || row.maybe_id::<AccountId>(8)?.ok_or_else(nobody);
    let second = || row.maybe_id::<AccountId>(11)?.ok_or_else(nobody);
    let state = match (row.text(3)?, row.maybe_text(7)?) {
        ("preliminary", _) => ResultState::Preliminary,
        ("signed_once", _) => ResultState::SignedOnce { by: first()?, director: row.maybe_int(9)? == Some(1), at: row.maybe_time(10)?.unwrap_or_default() },
        ("released", Some(passed)) => ResultState::Released(Release::ByRule { passed: json("result", &tube.to_string(), passed)?, by: first()? }),
        ("released", None) => ResultState::Released(Release::ByTwo { by: first()?, and: second()? }),
        ("amended", _) => ResultState::Amended { by: first()?, and: second()?, reason: row.maybe_text(6)?.unwrap_or("").to_owned() },
        (other, _) => return Err(unknown_word("result", tube, other)),
    };
    Ok(TubeResult { tube, version: row.int(1)?, outcome, state, run: row.id(4)?, at: row.time(5)? })
}

/// Every version of a tube's result, oldest first.
pub fn versions(tx: &mut Tx<'_>, tube: TubeId) -> StoreResult<Vec<TubeResult>> {
    tx.query(&format!("{RESULT} WHERE bucket = $1 AND tube = $2 ORDER BY version"), params![tube.bucket_number(), tube])?.iter().map(result_of).collect()
}

/// The version that holds now.
pub fn last_result(tx: &mut Tx<'_>, tube: TubeId) -> StoreResult<Option<TubeResult>> {
    let sql = format!("{RESULT} WHERE bucket = $1 AND tube = $2 ORDER BY version DESC LIMIT 1");
    tx.first(&sql, params![tube.bucket_number(), tube])?.as_ref().map(result_of).transpose()
}

pub fn amendment(tx: &mut Tx<'_>, tube: TubeId) -> StoreResult<Option<Proposed>> {
    let row =
        tx.first("SELECT outcome, reason, proposed_by, proposed_director FROM amendment WHERE bucket = $1 AND tube = $2", params![tube.bucket_number(), tube])?;
    let Some(row) = row else { return Ok(None) };
    let outcome = TubeOutcome::from_name(row.text(0)?).ok_or_else(|| unknown_word("amendment", tube, row.text(0).unwrap_or("")))?;
    Ok(Some(Proposed { outcome, reason: row.text(1)?.to_owned(), by: row.maybe_id(2)?, director: row.truth(3)? }))
}

/// Corrections that wait for the second person, oldest first.
pub fn amendments_waiting(tx: &mut Tx<'_>) -> StoreResult<Vec<(TubeId, Option<AccountId>)>> {
    tx.query("SELECT tube, proposed_by FROM amendment ORDER BY proposed_us LIMIT 200", &[])?.iter().map(|row| Ok((row.id(0)?, row.maybe_id(1)?))).collect()
}

/// Every tube that a person's swab is in, newest first.
pub fn memberships(tx: &mut Tx<'_>, person: PersonId) -> StoreResult<Vec<Membership>> {
    let mut memberships = Vec::new();
    for specimen in screening::specimens(tx, person)?.into_iter().rev() {
        if let Some(clock) = super::tube(tx, specimen.tube.id)? {
            memberships.push(Membership { scan: specimen.scan, swabbed: specimen.swabbed, clock });
        }
    }
    Ok(memberships)
}

/// Runs of a laboratory with results that are not out yet: run, how many wait for the first and how many for the second signature.
pub fn runs_waiting(tx: &mut Tx<'_>, laboratory: PlaceId) -> StoreResult<Vec<(RunId, i64, i64)>> {
    let sql = "SELECT r.run, CAST(sum(CASE WHEN s.state = 'preliminary' THEN 1 ELSE 0 END) AS BIGINT), CAST(sum(CASE WHEN s.state = 'signed_once' THEN 1 ELSE 0 END) AS BIGINT) \
               FROM result s JOIN run r ON r.bucket = s.run >> 56 AND r.run = s.run JOIN tube_clock t ON t.bucket = s.bucket AND t.tube = s.tube AND t.run = s.run \
               WHERE s.state IN ('preliminary', 'signed_once') AND r.laboratory = $1 AND t.released_us IS NULL GROUP BY r.run, r.read_us ORDER BY r.read_us LIMIT 500";
    tx.query(sql, params![laboratory])?.iter().map(|row| Ok((row.id(0)?, row.int(1)?, row.int(2)?))).collect()
}

/// What waits for a person to settle it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    pub id: EventId,
    pub code: String,
    pub subject: AnyId,
    pub at: Timestamp,
    pub settled: Option<Timestamp>,
}

pub fn count_open_findings(tx: &mut Tx<'_>) -> StoreResult<i64> {
    tx.one("SELECT count(*) FROM laboratory_finding WHERE settled_us IS NULL", &[])?.int(0)
}

pub fn open_findings(tx: &mut Tx<'_>, limit: i64) -> StoreResult<Vec<Finding>> {
    let sql = "SELECT id, code, subject, happened_us, settled_us FROM laboratory_finding WHERE settled_us IS NULL ORDER BY happened_us, id LIMIT $1";
    tx.query(sql, params![limit])?.iter().map(finding_of).collect()
}

/// What waits to be settled about one tube, lot or place.
pub fn open_findings_of(tx: &mut Tx<'_>, subject: impl TypedId) -> StoreResult<Vec<Finding>> {
    let subject = AnyId::from_packed(subject.packed());
    let sql = "SELECT id, code, subject, happened_us, settled_us FROM laboratory_finding WHERE subject = $1 AND settled_us IS NULL ORDER BY happened_us, id";
    tx.query(sql, params![subject])?.iter().map(finding_of).collect()
}

fn finding_of(row: &Row) -> StoreResult<Finding> {
    Ok(Finding { id: row.id(0)?, code: row.text(1)?.to_owned(), subject: row.id(2)?, at: row.time(3)?, settled: row.maybe_time(4)? })
}

pub fn finding(tx: &mut Tx<'_>, id: EventId, code: &str) -> StoreResult<Option<Finding>> {
    let sql = "SELECT id, code, subject, happened_us, settled_us FROM laboratory_finding WHERE bucket = $1 AND id = $2 AND code = $3";
    tx.first(sql, params![id.bucket_number(), id, code])?.as_ref().map(finding_of).transpose()
}
