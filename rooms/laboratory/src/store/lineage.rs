//! Both ways: from a person to hands, lots and wells; from a lot, plate, box, operator or tube to the people.

use baton_kit::{AccountId, AnyId, BoxId, LotId, PersonId, PlaceId, PlateId, Timestamp, TubeId, TypedId};
use baton_ledger::{Row, StoreResult, Tx, params};
use baton_screening::model::Campaign;
use baton_screening::specimen::store as screening;

use crate::events::TubeOutcome;

/// Where a look-up starts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Origin {
    Lot(LotId),
    Plate(PlateId),
    Operator(AccountId),
    Box(BoxId),
    Tube(TubeId),
}

impl Origin {
    /// Its name in paths and in the texts.
    pub fn name(self) -> &'static str {
        match self {
            Origin::Lot(_) => "lot",
            Origin::Plate(_) => "plate",
            Origin::Operator(_) => "operator",
            Origin::Box(_) => "box",
            Origin::Tube(_) => "tube",
        }
    }

    pub fn id(self) -> AnyId {
        match self {
            Origin::Lot(id) => any(id),
            Origin::Plate(id) => any(id),
            Origin::Operator(id) => any(id),
            Origin::Box(id) => any(id),
            Origin::Tube(id) => any(id),
        }
    }

    /// From the words of a path.
    pub fn parse(kind: &str, id: AnyId) -> Option<Self> {
        let packed = id.packed();
        Some(match kind {
            "lot" => Origin::Lot(LotId::from_packed(packed)),
            "plate" => Origin::Plate(PlateId::from_packed(packed)),
            "operator" => Origin::Operator(AccountId::from_packed(packed)),
            "box" => Origin::Box(BoxId::from_packed(packed)),
            "tube" => Origin::Tube(TubeId::from_packed(packed)),
            _ => return None,
        })
    }

    /// The tubes it leads to, as a query of one column; `$1` is its id.
    pub(crate) fn tubes(self) -> &'static str {
        match self {
            Origin::Lot(_) => {
                "SELECT tube FROM tube_clock WHERE fluid_lot = $1 \
                 UNION SELECT w.tube FROM plate p JOIN well w ON w.bucket = p.bucket AND w.plate = p.plate WHERE p.extraction_lot = $1 AND w.tube IS NOT NULL \
                 UNION SELECT w.tube FROM plate p JOIN well w ON w.bucket = p.bucket AND w.plate = p.plate WHERE p.pcr_lot = $1 AND w.tube IS NOT NULL"
            }
            Origin::Plate(_) => "SELECT tube FROM well WHERE bucket = CAST($1 AS BIGINT) >> 56 AND plate = $1 AND tube IS NOT NULL",
            Origin::Operator(_) => {
                "SELECT subject AS tube FROM hand WHERE account = $1 AND kind = 'tube' \
                 UNION SELECT t.tube FROM hand h JOIN tube_clock t ON t.box = h.subject WHERE h.account = $1 AND h.kind = 'box' \
                 UNION SELECT w.tube FROM hand h JOIN well w ON w.bucket = h.subject >> 56 AND w.plate = h.subject WHERE h.account = $1 AND h.kind = 'plate' AND w.tube IS NOT NULL"
            }
            Origin::Box(_) => "SELECT tube FROM tube_clock WHERE box = $1",
            Origin::Tube(_) => "SELECT tube FROM tube_clock WHERE bucket = CAST($1 AS BIGINT) >> 56 AND tube = $1",
        }
    }
}

fn any(id: impl TypedId) -> AnyId {
    AnyId::from_packed(id.packed())
}

/// How much hangs on an origin. Swabs and tubes are counted apart: one is never derived from the other.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, schemars::JsonSchema)]
pub struct Extent {
    pub tubes: i64,
    pub swabs: i64,
    pub released: i64,
    pub negative: i64,
}

pub fn extent(tx: &mut Tx<'_>, origin: Origin) -> StoreResult<Extent> {
    let sql = format!(
        "SELECT count(*), CAST(coalesce(sum(t.members), 0) AS BIGINT), CAST(coalesce(sum(CASE WHEN t.released_us IS NULL THEN 0 ELSE 1 END), 0) AS BIGINT), \
         CAST(coalesce(sum(CASE WHEN t.released_us IS NOT NULL AND t.outcome = 'negative' THEN 1 ELSE 0 END), 0) AS BIGINT) \
         FROM ({}) x JOIN tube_clock t ON t.bucket = x.tube >> 56 AND t.tube = x.tube",
        origin.tubes()
    );
    let row = tx.one(&sql, params![origin.id()])?;
    Ok(Extent { tubes: row.int(0)?, swabs: row.int(1)?, released: row.int(2)?, negative: row.int(3)? })
}

/// One person reached from an origin, through one tube.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, schemars::JsonSchema)]
pub struct Reached {
    pub tube: TubeId,
    pub code: Option<String>,
    pub person: PersonId,
    pub swabbed_us: Timestamp,
    pub released_us: Option<Timestamp>,
    /// What the tube showed; of a pool this says nothing about the person alone.
    pub outcome: Option<TubeOutcome>,
}

/// Tubes from an origin in order, after the given one; at most `limit`.
pub fn tubes(tx: &mut Tx<'_>, origin: Origin, after: Option<TubeId>, limit: i64) -> StoreResult<Vec<TubeId>> {
    let sql = format!("SELECT x.tube FROM ({}) x WHERE x.tube > $2 ORDER BY x.tube LIMIT $3", origin.tubes());
    tx.query(&sql, params![origin.id(), after.map_or(-1, TypedId::raw), limit])?.iter().map(|row| row.id(0)).collect()
}

/// Tubes looked through at one point.
const TUBES_OF_POINT: i64 = 20_000;

/// Tubes of a campaign's last round filled at a sampling point, newest first; at most `limit`.
pub fn tubes_of_point(tx: &mut Tx<'_>, campaign: &Campaign, point: PlaceId, limit: usize) -> StoreResult<Vec<TubeId>> {
    let tubes = screening::tubes_of_point(tx, point, campaign.opens, TUBES_OF_POINT)?;
    Ok(tubes.into_iter().filter(|tube| tube.campaign == Some(campaign.id)).map(|tube| tube.id).take(limit).collect())
}

/// The people of some tubes, in their order.
pub fn people_of(tx: &mut Tx<'_>, tubes: &[TubeId]) -> StoreResult<Vec<Reached>> {
    let mut people = Vec::new();
    for tube in tubes {
        let sql = "SELECT code, released_us, outcome FROM tube_clock WHERE bucket = $1 AND tube = $2";
        let Some(row) = tx.first(sql, params![tube.bucket_number(), *tube])? else { continue };
        let (code, released_us) = (row.maybe_text(0)?.map(str::to_owned), row.maybe_time(1)?);
        let outcome = row.maybe_text(2)?.and_then(TubeOutcome::from_name);
        for member in screening::members(tx, *tube)? {
            people.push(Reached { tube: *tube, code: code.clone(), person: member.person, swabbed_us: member.swabbed, released_us, outcome });
        }
    }
    Ok(people)
}

/// Who did what with a tube, its box or its plates.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, schemars::JsonSchema)]
pub struct Hand {
    pub account: AccountId,
    /// `tube`, `box` or `plate`.
    pub kind: String,
    pub deed: String,
    pub at_us: Timestamp,
}

/// A well a tube stood in, with the lots that went into it.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, schemars::JsonSchema)]
pub struct WellOf {
    pub plate: PlateId,
    pub plate_code: String,
    pub well: u16,
    pub label: String,
    pub extraction_lot: Option<LotId>,
    pub pcr_lot: Option<LotId>,
    pub run: Option<baton_kit::RunId>,
    pub state: String,
}

pub fn hands_of_tube(tx: &mut Tx<'_>, tube: TubeId) -> StoreResult<Vec<Hand>> {
    let sql = "SELECT account, kind, deed, happened_us FROM hand WHERE bucket = CAST($1 AS BIGINT) >> 56 AND subject = $1 \
               UNION SELECT h.account, h.kind, h.deed, h.happened_us FROM tube_clock t JOIN hand h ON h.bucket = t.box >> 56 AND h.subject = t.box WHERE t.bucket = CAST($1 AS BIGINT) >> 56 AND t.tube = $1 \
               UNION SELECT h.account, h.kind, h.deed, h.happened_us FROM well w JOIN hand h ON h.bucket = w.bucket AND h.subject = w.plate WHERE w.tube = $1 ORDER BY 4, 3, 1";
    let rows = tx.query(sql, params![tube])?;
    rows.iter().map(|row| Ok(Hand { account: row.id(0)?, kind: row.text(1)?.to_owned(), deed: row.text(2)?.to_owned(), at_us: row.time(3)? })).collect()
}

pub fn wells_of_tube(tx: &mut Tx<'_>, tube: TubeId) -> StoreResult<Vec<WellOf>> {
    let sql = "SELECT p.plate, p.code, w.well, p.wells, p.extraction_lot, p.pcr_lot, p.run, p.state FROM well w JOIN plate p ON p.bucket = w.bucket AND p.plate = w.plate \
               WHERE w.tube = $1 ORDER BY p.laid_us, p.plate";
    let rows = tx.query(sql, params![tube])?;
    let well = |row: &Row| {
        let (well, wells) = (u16::try_from(row.int(2)?).unwrap_or(0), u16::try_from(row.int(3)?).unwrap_or(96));
        Ok(WellOf {
            plate: row.id(0)?,
            plate_code: row.text(1)?.to_owned(),
            well,
            label: crate::rules::layout::label(well, wells),
            extraction_lot: row.maybe_id(4)?,
            pcr_lot: row.maybe_id(5)?,
            run: row.maybe_id(6)?,
            state: row.text(7)?.to_owned(),
        })
    };
    rows.iter().map(well).collect()
}
