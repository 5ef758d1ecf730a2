//! Released tubes as the pool planner learns from them.

use baton_kit::{Timestamp, time::DAY_US};
use baton_ledger::{StoreResult, Tx, params};
use baton_registry::events::PlaceKind;
use baton_registry::store as registry;

use super::unknown_word;
use crate::events::TubeOutcome;
use crate::pooling::{DAYS_LOOKED_BACK, ReleasedTubes};

/// Laboratories of one installation.
const LABORATORIES: i64 = 2000;

/// What all laboratories released lately, by day, people in the tube and outcome. Single tubes of people who were held are left out:
/// they were swabbed because their pool was not clean, not because it was their turn.
pub fn released_lately(tx: &mut Tx<'_>, now: Timestamp) -> StoreResult<Vec<ReleasedTubes>> {
    let sql = "SELECT (CAST($2 AS BIGINT) - released_us) / CAST($3 AS BIGINT), members, outcome, count(*) FROM tube_clock \
               WHERE laboratory = $1 AND released_us > $4 AND released_us <= $2 AND follow_up = 0 AND members > 0 AND outcome IS NOT NULL GROUP BY 1, 2, 3 ORDER BY 1, 2, 3";
    let mut released = Vec::new();
    for laboratory in registry::places_of_kind(tx, PlaceKind::Laboratory, LABORATORIES)? {
        for row in tx.query(sql, params![laboratory.id, now, DAY_US, now.plus_us(-DAYS_LOOKED_BACK * DAY_US)])? {
            let outcome = TubeOutcome::from_name(row.text(2)?).ok_or_else(|| unknown_word("tube_clock", laboratory.id, row.text(2).unwrap_or("")))?;
            released.push(ReleasedTubes { days_ago: row.int(0)?, people_per_tube: row.int(1)?, outcome, tubes: row.int(3)? });
        }
    }
    Ok(released)
}
