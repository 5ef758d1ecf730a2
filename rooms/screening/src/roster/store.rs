//! What this room reads of the registry's tables, each statement once.

use baton_kit::{CampaignId, PersonId, TypedId};
use baton_ledger::{Row, StoreResult, Tx, params};

use crate::model::Whereabouts;

/// `to_day` of a membership that runs on.
const RUNS_ON: i64 = 2_147_483_647;

/// Where the person belongs now; nothing when they belong nowhere.
pub fn whereabouts(tx: &mut Tx<'_>, person: PersonId) -> StoreResult<Option<Whereabouts>> {
    let sql = "SELECT COALESCE(zone, 0), COALESCE(grid, 0), COALESCE(building, 0), COALESCE(enterprise, 0), COALESCE(household, 0) \
               FROM affiliation WHERE bucket = $1 AND person = $2 AND to_day = $3 AND present = 1";
    let row = tx.first(sql, params![person.bucket_number(), person, RUNS_ON])?;
    row.map(|row| whereabouts_of(&row, 0)).transpose()
}

pub(crate) fn whereabouts_of(row: &Row, from: usize) -> StoreResult<Whereabouts> {
    Ok(Whereabouts {
        zone: row.int(from)?,
        grid: row.int(from + 1)?,
        building: row.int(from + 2)?,
        enterprise: row.int(from + 3)?,
        household: row.int(from + 4)?,
    })
}

/// Tags of a person, as JSON text.
pub fn tags(tx: &mut Tx<'_>, person: PersonId) -> StoreResult<Vec<String>> {
    let row = tx.first("SELECT tags FROM person WHERE bucket = $1 AND id = $2", params![person.bucket_number(), person])?;
    Ok(row.map(|row| row.text(0).map(tags_of)).transpose()?.unwrap_or_default())
}

fn tags_of(text: &str) -> Vec<String> {
    serde_json::from_str(text).unwrap_or_default()
}

/// Active people who bear any tag.
pub fn each_tagged(tx: &mut Tx<'_>, mut take: impl FnMut(PersonId, Vec<String>)) -> StoreResult<()> {
    tx.each("SELECT id, tags FROM person WHERE state = 'active' AND tags <> '' AND tags <> '[]'", &[], |row| {
        take(row.id(0)?, tags_of(row.text(1)?));
        Ok(())
    })
}

/// The people a campaign names by place: one statement, whatever their number.
pub fn insert_due_by_place(tx: &mut Tx<'_>, campaign: CampaignId, round: u16) -> StoreResult<u64> {
    let sql = "INSERT INTO due (bucket, campaign, round, person, zone, grid, building, enterprise, household, listed, state, reason, result) \
               SELECT a.bucket, CAST($1 AS BIGINT), CAST($2 AS BIGINT), a.person, COALESCE(a.zone, 0), COALESCE(a.grid, 0), COALESCE(a.building, 0), COALESCE(a.enterprise, 0), COALESCE(a.household, 0), 1, 0, '', '' \
               FROM affiliation a JOIN person p ON p.bucket = a.bucket AND p.id = a.person \
               WHERE a.to_day = $3 AND a.present = 1 AND p.state = 'active' \
               AND EXISTS (SELECT 1 FROM campaign_who w WHERE w.bucket = $4 AND w.campaign = $1 AND w.kind = 'place' AND w.subject IN (a.zone, a.grid, a.building, a.enterprise)) \
               ORDER BY a.bucket, a.person \
               ON CONFLICT (bucket, campaign, round, person) DO NOTHING";
    tx.execute(sql, params![campaign, i64::from(round), RUNS_ON, campaign.bucket_number()])
}
