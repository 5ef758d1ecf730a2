//! The room's invariants, as questions to its tables. An answer is a violation.

use baton_kit::TubeId;
use baton_kit::invariant::Invariant;
use baton_ledger::{StoreResult, Tx};
use baton_screening::specimen::store as screening;

pub static LA_1: Invariant = Invariant::new("LA-1", "a tube stands in at most one well of one plate that is laid and not read");
pub static LA_2: Invariant = Invariant::new("LA-2", "a result that is out was released by rule as a negative, or signed by two different people");
pub static LA_3: Invariant = Invariant::new("LA-3", "nothing is released from a well that a finding holds, unless two people overrode it");
pub static LA_4: Invariant = Invariant::new("LA-4", "a released tube has a result that is out, and the clock shows its latest version");
pub static LA_5: Invariant = Invariant::new("LA-5", "versions of a result count 1, 2, 3 without a gap: no earlier value disappears");
pub static LA_6: Invariant = Invariant::new("LA-6", "a tube's member count is the number of scans into it that were not taken back");
pub static LA_7: Invariant = Invariant::new("LA-7", "every released tube was accessioned and stands in a well that was read");

type Question = (&'static Invariant, &'static str);

/// Each statement returns one row, of one text, per violation.
const QUESTIONS: [Question; 5] = [
    (
        &LA_1,
        "SELECT CAST(w.tube AS TEXT) FROM well w JOIN plate p ON p.bucket = w.bucket AND p.plate = w.plate WHERE p.state = 'laid' AND w.tube IS NOT NULL \
         GROUP BY w.tube HAVING count(*) > 1",
    ),
    (
        &LA_2,
        "SELECT CAST(tube AS TEXT) || ' version ' || CAST(version AS TEXT) FROM result WHERE (state = 'released' AND passed IS NOT NULL AND outcome <> 'negative') \
         OR (state = 'released' AND passed IS NULL AND (first_by IS NULL OR second_by IS NULL OR first_by = second_by)) \
         OR (state = 'amended' AND (first_by IS NULL OR second_by IS NULL OR first_by = second_by))",
    ),
    (
        &LA_4,
        "SELECT CAST(t.tube AS TEXT) FROM tube_clock t LEFT JOIN result s ON s.bucket = t.bucket AND s.tube = t.tube \
         AND s.version = (SELECT max(version) FROM result l WHERE l.bucket = t.bucket AND l.tube = t.tube) \
         WHERE t.released_us IS NOT NULL AND (s.tube IS NULL OR s.state NOT IN ('released', 'amended') OR s.outcome <> t.outcome)",
    ),
    (&LA_5, "SELECT CAST(tube AS TEXT) FROM result GROUP BY bucket, tube HAVING max(version) <> count(*) OR min(version) <> 1"),
    (&LA_7, "SELECT CAST(t.tube AS TEXT) FROM tube_clock t WHERE t.released_us IS NOT NULL AND (t.accessioned_us IS NULL OR t.run IS NULL OR t.plate IS NULL)"),
];

/// Every violation: name and detail.
pub fn check_invariants(tx: &mut Tx<'_>) -> StoreResult<Vec<(String, String)>> {
    let mut violations = Vec::new();
    for (invariant, sql) in QUESTIONS {
        tx.each(sql, &[], |row| {
            violations.push((invariant.name.to_owned(), format!("{}: {}", invariant.statement, row.text(0)?)));
            Ok(())
        })?;
    }
    violations.extend(released_while_held(tx)?.into_iter().map(|tube| (LA_3.name.to_owned(), format!("{}: {tube}", LA_3.statement))));
    violations.extend(miscounted(tx)?.into_iter().map(|tube| (LA_6.name.to_owned(), format!("{}: {tube}", LA_6.statement))));
    Ok(violations)
}

/// Tubes whose clock counts other swabs than screening does.
fn miscounted(tx: &mut Tx<'_>) -> StoreResult<Vec<TubeId>> {
    let mut counted: Vec<(TubeId, i64)> = Vec::new();
    tx.each("SELECT tube, members FROM tube_clock", &[], |row| {
        counted.push((row.id(0)?, row.int(1)?));
        Ok(())
    })?;
    let mut wrong = Vec::new();
    for (tube, members) in counted {
        if screening::members(tx, tube)?.len() as i64 != members {
            wrong.push(tube);
        }
    }
    Ok(wrong)
}

/// Results that went out of a well which a finding names, without two people having overridden it.
fn released_while_held(tx: &mut Tx<'_>) -> StoreResult<Vec<i64>> {
    let sql = "SELECT s.tube, c.well, f.wells FROM run_finding f JOIN run r ON r.bucket = f.bucket AND r.run = f.run JOIN result s ON s.run = r.run \
               JOIN well_call c ON c.bucket = r.bucket AND c.run = r.run AND c.tube = s.tube WHERE s.state = 'released' AND r.confirmed_by IS NULL";
    let mut held = Vec::new();
    tx.each(sql, &[], |row| {
        let wells: Vec<i64> = super::json("run_finding", "wells", row.text(2)?)?;
        if wells.contains(&row.int(1)?) {
            held.push(row.int(0)?);
        }
        Ok(())
    })?;
    Ok(held)
}
