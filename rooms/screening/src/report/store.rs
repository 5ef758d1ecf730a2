//! What a report of a round adds to its coverage: tubes by where they are, entries of the follow-up list. Counted through the indexes of tubes and
//! entries; people are never gone through, their counts are kept.

use std::collections::{BTreeMap, HashMap};

use baton_kit::{CampaignId, PlaceId};
use baton_ledger::{Param, StoreResult, Tx, params};
use baton_registry::store as registry;

use crate::campaign::store::{Ask, Reach};
use crate::view::place_of;

/// Tubes of one stage and the swabs in them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct TubesCounted {
    pub tubes: i64,
    pub swabs: i64,
}

/// Where a tube is, as its journey is told from its row; the stages stand in the order in which a tube goes through them.
const STAGE: &str = "CASE WHEN outcome <> '' AND released = 1 THEN 5 WHEN outcome <> '' THEN 4 WHEN rejected <> '' THEN 6 \
     WHEN lost_us IS NOT NULL AND (accessioned_us IS NULL OR lost_us >= accessioned_us) THEN 7 WHEN accessioned_us IS NOT NULL THEN 3 \
     WHEN seal IS NOT NULL THEN 2 ELSE 1 END";

fn stage_name(number: i64) -> &'static str {
    match number {
        1 => "open",
        2 => "sealed",
        3 => "laboratory",
        4 => "read",
        5 => "released",
        6 => "rejected",
        _ => "lost",
    }
}

/// Stage, what was released (empty otherwise), how many.
pub type Stage = (&'static str, String, TubesCounted);

/// Tubes opened in a round at the points somebody's eyes reach. A tube belongs to its point, not to the places of the people in it.
pub fn tubes(tx: &mut Tx<'_>, campaign: CampaignId, round: u16, reach: &Reach) -> StoreResult<Vec<Stage>> {
    let sql = format!(
        "SELECT point, stage, what, count(*), CAST(coalesce(sum(swabs), 0) AS BIGINT) FROM (SELECT point, {STAGE} AS stage, \
         CASE WHEN released = 1 THEN outcome ELSE '' END AS what, swabs FROM tube WHERE campaign = $1 AND round = $2 AND opened = 1) x GROUP BY point, stage, what"
    );
    let mut reached: HashMap<i64, bool> = HashMap::new();
    let mut sums: BTreeMap<(i64, String), TubesCounted> = BTreeMap::new();
    for row in tx.query(&sql, params![campaign, i64::from(round)])? {
        let point = row.int(0)?;
        let mine = match reached.get(&point) {
            Some(mine) => *mine,
            None => reaches(tx, reach, place_of(point))?,
        };
        reached.insert(point, mine);
        if mine {
            let sum = sums.entry((row.int(1)?, row.text(2)?.to_owned())).or_default();
            sum.tubes += row.int(3)?;
            sum.swabs += row.int(4)?;
        }
    }
    Ok(sums.into_iter().map(|((stage, what), counted)| (stage_name(stage), what, counted)).collect())
}

fn reaches(tx: &mut Tx<'_>, reach: &Reach, point: Option<PlaceId>) -> StoreResult<bool> {
    Ok(match (reach, point) {
        (Reach::Everywhere, _) => true,
        (Reach::Places(_), None) => false,
        (Reach::Places(places), Some(point)) => registry::place_chain(tx, point)?.iter().any(|place| places.contains(place)),
    })
}

/// Entries of the follow-up list that are closed for one reason, or open (no reason). People and the tubes they come from are counted apart.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FollowUps {
    pub closed: String,
    pub people: i64,
    pub tubes: i64,
}

/// Entries that come from a round, the open ones first.
pub fn follow_ups(tx: &mut Tx<'_>, ask: &Ask) -> StoreResult<Vec<FollowUps>> {
    let (conditions, values) = ask.conditions(tx, &["d.zone", "d.grid", "d.building", "d.enterprise"])?;
    let values: Vec<Param<'_>> = values.into_iter().map(Param::Int).collect();
    let join = "JOIN due d ON d.bucket = f.bucket AND d.campaign = f.campaign AND d.round = f.round AND d.person = f.person";
    let sql = format!(
        "SELECT f.closed, count(DISTINCT f.person), count(DISTINCT f.tube) FROM follow_up f {} WHERE f.campaign = $1 AND f.round = $2{conditions} GROUP BY f.closed ORDER BY f.closed",
        if conditions.is_empty() { "" } else { join }
    );
    tx.query(&sql, &values)?.iter().map(|row| Ok(FollowUps { closed: row.text(0)?.to_owned(), people: row.int(1)?, tubes: row.int(2)? })).collect()
}
