//! What the tables and the ledger know of one tube's result: for whoever assesses the laboratory.

use std::collections::{BTreeMap, HashMap};

use baton_desk::accounts::events::Task;
use baton_desk::accounts::store as accounts;
use baton_desk::{Role, any_id};
use baton_kit::{AccountId, AnyId, Bucket, PersonId, PlaceId, Timestamp, TubeId, TypedId};
use baton_ledger::{StoreResult, Tx, Vault, hex, params};
use baton_registry::store as registry;
use baton_screening::specimen::store as screening;

use crate::events::{TargetRead, WellCall};
use crate::model::{Override, Plate, Run, TubeClock, TubeResult};
use crate::person::{LotUsed, lots_of_tube, released_by};
use crate::store::lineage::{Hand, WellOf, hands_of_tube, wells_of_tube};
use crate::store::{bench, results};

/// Runs looked back to for the control chart.
const RUNS_BACK: i64 = 30;
/// Looks at one person that are listed.
const LOOKS: i64 = 50;

/// Cq of a positive control in one run, the mean of its wells.
#[derive(Clone, PartialEq, Debug)]
pub struct ControlRead {
    pub run: AnyId,
    pub at: Timestamp,
    pub target: String,
    pub cq: f64,
}

/// One look at a person's data.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Look {
    /// Nothing when nobody was signed in.
    pub account: Option<AccountId>,
    pub purpose: String,
    pub at: Timestamp,
}

/// A finding about the tube, settled or not.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FindingTold {
    pub code: String,
    pub at: Timestamp,
    pub settled: Option<Timestamp>,
    pub remark: Option<String>,
}

/// One deed, and what whoever did it was allowed and found able to do then.
#[derive(Clone, Debug)]
pub struct HandOf {
    pub hand: Hand,
    pub roles: Vec<Role>,
    /// Until when each holds: it may have run out by then.
    pub competences: BTreeMap<Task, Timestamp>,
}

/// Everything a pack tells.
#[derive(Clone, Debug)]
pub struct Evidence {
    pub clock: TubeClock,
    /// Name and code of the laboratory.
    pub laboratory: Option<(String, String)>,
    /// Who is in the tube, by number, and when they were swabbed.
    pub people: Vec<(PersonId, Timestamp)>,
    pub wells: Vec<WellOf>,
    pub hands: Vec<HandOf>,
    /// Name of everyone who had a hand in it.
    pub operators: HashMap<AccountId, String>,
    pub lots: Vec<LotUsed>,
    pub run: Option<Run>,
    pub plate: Option<Plate>,
    pub call: Option<WellCall>,
    pub readings: Vec<TargetRead>,
    /// Newest run last.
    pub controls: Vec<ControlRead>,
    pub versions: Vec<TubeResult>,
    pub findings: Vec<FindingTold>,
    pub looks: Vec<(PersonId, Look)>,
}

pub fn evidence(tx: &mut Tx<'_>, vault: &Vault, clock: TubeClock) -> StoreResult<Evidence> {
    let laboratory = clock.laboratory.map_or(Ok(None), |place| registry::place(tx, place))?.map(|place| (place.name, place.code));
    let people: Vec<(PersonId, Timestamp)> = screening::members(tx, clock.tube)?.into_iter().map(|member| (member.person, member.swabbed)).collect();
    let run = clock.run.map_or(Ok(None), |run| bench::run(tx, run))?;
    let plate = run.as_ref().map_or(Ok(None), |run| bench::plate(tx, run.plate))?;
    let (wells, hands, versions) = (wells_of_tube(tx, clock.tube)?, hands_of_tube(tx, clock.tube)?, results::versions(tx, clock.tube)?);
    let (mut call, mut readings, mut controls) = (None, Vec::new(), Vec::new());
    if let Some(run) = &run {
        call = bench::calls(tx, run.run)?.into_iter().find(|(_, tube)| *tube == Some(clock.tube)).map(|(call, _)| call);
        readings = call.as_ref().map_or(Ok(Vec::new()), |call| bench::readings(tx, run.run, Some(call.well)))?;
        controls = controls_before(tx, run.laboratory, plate.as_ref().and_then(|plate| plate.assay.as_deref()).unwrap_or(""), run.read)?;
    }
    let mut looks = Vec::new();
    for (person, _) in &people {
        let seen = accounts::views_of(tx, any_id(*person), LOOKS)?;
        looks.extend(seen.into_iter().map(|(at, account, purpose)| (*person, Look { account, purpose, at })));
    }
    let overriders = run.as_ref().map_or_else(Vec::new, |run| match &run.release {
        Override::Confirmed { by, and, .. } => vec![*by, *and],
        Override::Proposed { by, .. } => vec![*by],
        Override::None => Vec::new(),
    });
    let signers = versions.iter().flat_map(|version| released_by(&version.state));
    let everyone: Vec<AccountId> =
        hands.iter().map(|hand| hand.account).chain(signers).chain(overriders).chain(looks.iter().filter_map(|(_, look)| look.account)).collect();
    let operators = operators(tx, vault, everyone)?;
    let hands = hands.into_iter().map(|hand| hand_of(tx, hand)).collect::<StoreResult<_>>()?;
    let (lots, findings) = (lots_of_tube(tx, &clock)?, findings_of(tx, clock.tube)?);
    Ok(Evidence { clock, laboratory, people, wells, hands, operators, lots, run, plate, call, readings, controls, versions, findings, looks })
}

fn hand_of(tx: &mut Tx<'_>, hand: Hand) -> StoreResult<HandOf> {
    let roles = accounts::roles_at(tx, hand.account, hand.at_us)?;
    let competences = accounts::competences_at(tx, hand.account, hand.at_us)?;
    Ok(HandOf { hand, roles, competences })
}

fn operators(tx: &mut Tx<'_>, vault: &Vault, ids: Vec<AccountId>) -> StoreResult<HashMap<AccountId, String>> {
    let mut known = HashMap::new();
    for id in ids {
        if !known.contains_key(&id)
            && let Some(account) = accounts::account(tx, vault, id)?
        {
            known.insert(id, account.secret.name);
        }
    }
    Ok(known)
}

/// Positive controls of this laboratory and assay up to an instant, oldest first.
fn controls_before(tx: &mut Tx<'_>, laboratory: PlaceId, assay: &str, until: Timestamp) -> StoreResult<Vec<ControlRead>> {
    let sql = "SELECT r.run, r.read_us, g.target, avg(g.cq) \
               FROM (SELECT r.bucket, r.run, r.read_us, r.plate FROM run r JOIN plate p ON p.bucket = r.bucket AND p.plate = r.plate \
                     WHERE r.laboratory = $1 AND p.assay = $2 AND r.read_us <= $3 ORDER BY r.read_us DESC, r.run DESC LIMIT $4) r \
               JOIN well w ON w.bucket = r.bucket AND w.plate = r.plate AND w.content = 'positive_control' \
               JOIN reading g ON g.bucket = r.bucket AND g.run = r.run AND g.well = w.well WHERE g.cq IS NOT NULL \
               GROUP BY r.run, r.read_us, g.target ORDER BY r.read_us, r.run, g.target";
    let rows = tx.query(sql, params![laboratory, assay, until, RUNS_BACK])?;
    rows.iter().map(|row| Ok(ControlRead { run: row.id(0)?, at: row.time(1)?, target: row.text(2)?.to_owned(), cq: row.float(3)? })).collect()
}

fn findings_of(tx: &mut Tx<'_>, tube: TubeId) -> StoreResult<Vec<FindingTold>> {
    let sql = "SELECT code, happened_us, settled_us, remark FROM laboratory_finding WHERE subject = $1 ORDER BY happened_us, id";
    let rows = tx.query(sql, params![any_id(tube)])?;
    let told = |row: &baton_ledger::Row| {
        Ok(FindingTold { code: row.text(0)?.to_owned(), at: row.time(1)?, settled: row.maybe_time(2)?, remark: row.maybe_text(3)?.map(str::to_owned) })
    };
    rows.iter().map(told).collect()
}

/// Where an event stands in the ledger.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Position {
    pub kind: String,
    pub ordinal: i64,
    pub hash: String,
}

/// The end of a bucket's chain, as it is signed in the ledger.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ChainEnd {
    pub bucket: i64,
    pub ordinal: i64,
    pub count: i64,
    pub hash: String,
}

/// Positions of some events and the ends of the chains they stand in; asked of the ledger itself.
pub fn positions(log: &mut Tx<'_>, ids: &[AnyId]) -> StoreResult<(Vec<Position>, Vec<ChainEnd>)> {
    let mut positions = Vec::new();
    let mut buckets: Vec<Bucket> = Vec::new();
    for id in ids {
        let row = log.first("SELECT kind, ordinal, hash FROM event WHERE bucket = $1 AND id = $2", params![id.bucket_number(), *id])?;
        if let Some(row) = row {
            positions.push(Position { kind: row.text(0)?.to_owned(), ordinal: row.int(1)?, hash: hex(row.bytes(2)?) });
            buckets.push(id.bucket());
        }
    }
    buckets.sort_unstable();
    buckets.dedup();
    let mut ends = Vec::new();
    for bucket in buckets {
        let sql = "SELECT bucket, ordinal, count, hash FROM head WHERE bucket = $1";
        if let Some(row) = log.first(sql, params![i64::from(bucket.number())])? {
            ends.push(ChainEnd { bucket: row.int(0)?, ordinal: row.int(1)?, count: row.int(2)?, hash: hex(row.bytes(3)?) });
        }
    }
    Ok((positions, ends))
}
