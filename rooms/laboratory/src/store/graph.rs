//! What a look-up's graph is drawn from: tubes that went the same way are one strand.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use baton_kit::{AccountId, BoxId, LotId, PlateId, RunId, TubeId, TypedId};
use baton_ledger::{Param, Row, StoreResult, Tx};

use super::lineage::Origin;
use crate::events::TubeOutcome;

/// Up to so many tubes are drawn one by one, with every plate each of them stood on.
pub const EACH_MAX: i64 = 12;
/// Ids in one statement.
const AT_ONCE: usize = 200;

/// Tubes that went the same way.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Strand {
    /// Said when each tube stands for itself.
    pub tube: Option<(TubeId, String)>,
    pub box_id: Option<BoxId>,
    pub plate: Option<PlateId>,
    pub run: Option<RunId>,
    pub outcome: Option<TubeOutcome>,
    pub released: bool,
    pub fluid: Option<LotId>,
    pub tubes: i64,
}

/// Where a graph begins.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Start {
    Origin(Origin),
    /// A person's own tubes.
    Tubes(Vec<TubeId>),
}

impl Start {
    /// The tubes as a query of one column, and what it binds.
    fn tubes(&self) -> (String, Vec<i64>) {
        match self {
            Start::Origin(origin) => (origin.tubes().to_owned(), vec![baton_kit::AnyId::raw(origin.id())]),
            Start::Tubes(tubes) => {
                let marks: Vec<String> = (1..=tubes.len().max(1)).map(|n| format!("${n}")).collect();
                let values = if tubes.is_empty() { vec![-1] } else { tubes.iter().map(|tube| tube.raw()).collect() };
                (format!("SELECT tube FROM tube_clock WHERE tube IN ({})", marks.join(", ")), values)
            }
        }
    }
}

fn bound(values: &[i64]) -> Vec<Param<'_>> {
    values.iter().map(|value| Param::Int(*value)).collect()
}

/// Every tube on its own way: last plate and run where many go together, all of them where each stands for itself.
pub fn strands(tx: &mut Tx<'_>, start: &Start, each: bool) -> StoreResult<Vec<Strand>> {
    let (tubes, values) = start.tubes();
    let sql = if each {
        format!(
            "SELECT t.box, p.plate, p.run, t.outcome, CASE WHEN t.released_us IS NULL THEN 0 ELSE 1 END, t.fluid_lot, CAST(1 AS BIGINT), t.tube, t.code \
             FROM ({tubes}) x JOIN tube_clock t ON t.bucket = x.tube >> 56 AND t.tube = x.tube LEFT JOIN well w ON w.tube = t.tube \
             LEFT JOIN plate p ON p.bucket = w.bucket AND p.plate = w.plate ORDER BY t.first_swab_us, t.tube, p.laid_us"
        )
    } else {
        format!(
            "SELECT t.box, t.plate, t.run, t.outcome, CASE WHEN t.released_us IS NULL THEN 0 ELSE 1 END AS released, t.fluid_lot, count(*) \
             FROM ({tubes}) x JOIN tube_clock t ON t.bucket = x.tube >> 56 AND t.tube = x.tube GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 7 DESC, 1, 2"
        )
    };
    tx.query(&sql, &bound(&values))?.iter().map(|row| strand_of(row, each)).collect()
}

fn strand_of(row: &Row, each: bool) -> StoreResult<Strand> {
    let tube = if each { Some((row.id(7)?, row.maybe_text(8)?.unwrap_or("").to_owned())) } else { None };
    Ok(Strand {
        tube,
        box_id: row.maybe_id(0)?,
        plate: row.maybe_id(1)?,
        run: row.maybe_id(2)?,
        outcome: row.maybe_text(3)?.and_then(TubeOutcome::from_name),
        released: row.truth(4)?,
        fluid: row.maybe_id(5)?,
        tubes: row.int(6)?,
    })
}

/// A plate as the graph names it, with the lots that went into it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PlateNamed {
    pub code: String,
    pub lots: Vec<LotId>,
}

pub fn plates_named(tx: &mut Tx<'_>, plates: &BTreeSet<PlateId>) -> StoreResult<HashMap<PlateId, PlateNamed>> {
    let mut named = HashMap::new();
    each_chunk(tx, "SELECT plate, code, extraction_lot, pcr_lot FROM plate WHERE plate IN", plates.iter().map(|plate| plate.raw()), |row| {
        let lots = [row.maybe_id(2)?, row.maybe_id(3)?].into_iter().flatten().collect();
        named.insert(row.id(0)?, PlateNamed { code: row.text(1)?.to_owned(), lots });
        Ok(())
    })?;
    Ok(named)
}

pub fn boxes_named(tx: &mut Tx<'_>, boxes: &BTreeSet<BoxId>) -> StoreResult<HashMap<BoxId, String>> {
    let mut named = HashMap::new();
    each_chunk(tx, "SELECT box, code FROM box_clock WHERE box IN", boxes.iter().map(|box_id| box_id.raw()), |row| {
        if let Some(code) = row.maybe_text(1)? {
            named.insert(row.id(0)?, code.to_owned());
        }
        Ok(())
    })?;
    Ok(named)
}

fn each_chunk(tx: &mut Tx<'_>, head: &str, ids: impl Iterator<Item = i64>, mut work: impl FnMut(Row) -> StoreResult<()>) -> StoreResult<()> {
    // By the whole key: the bucket stands in the id.
    let ids: Vec<i64> = ids.collect();
    for some in ids.chunks(AT_ONCE) {
        let marks: Vec<String> = (1..=some.len()).map(|n| format!("${n}")).collect();
        let mut buckets: Vec<String> = some.iter().map(|id| (id >> 56).to_string()).collect();
        buckets.sort_unstable();
        buckets.dedup();
        let sql = format!("{head} ({}) AND bucket IN ({})", marks.join(", "), buckets.join(", "));
        tx.each(&sql, &bound(some), &mut work)?;
    }
    Ok(())
}

/// Who had a hand in the tubes themselves and in these plates, with how many of them; the busiest first.
pub fn operators(tx: &mut Tx<'_>, start: &Start, plates: &BTreeSet<PlateId>) -> StoreResult<Vec<(AccountId, i64)>> {
    let (tubes, values) = start.tubes();
    let sql = format!(
        "SELECT h.account, count(DISTINCT h.subject) FROM ({tubes}) x JOIN hand h ON h.bucket = x.tube >> 56 AND h.subject = x.tube GROUP BY h.account"
    );
    let mut counts: BTreeMap<AccountId, i64> = BTreeMap::new();
    for row in tx.query(&sql, &bound(&values))? {
        *counts.entry(row.id(0)?).or_default() += row.int(1)?;
    }
    each_chunk(tx, "SELECT account, subject FROM hand WHERE subject IN", plates.iter().map(|plate| plate.raw()), |row| {
        counts.entry(row.id(0)?).or_insert(0);
        Ok(())
    })?;
    let mut operators: Vec<(AccountId, i64)> = counts.into_iter().collect();
    operators.sort_by_key(|(account, n)| (-n, *account));
    Ok(operators)
}
