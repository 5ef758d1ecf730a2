//! All SQL of the room, and what is gathered from the rooms before it.

use std::sync::Arc;

use baton_kit::invariant::Invariant;
use baton_kit::{EventId, PersonId, Timestamp, TubeId, TypedId};
use baton_laboratory::events::{AmendResult, ResultsSigned, SignResults, TubeOutcome, TubeRead};
use baton_laboratory::model::{Release, ResultState, TubeClock};
use baton_laboratory::rules::person::is_own;
use baton_laboratory::store as laboratory;
use baton_ledger::{Command, Event, EventBody, Row, StoreError, StoreResult, Tx, Vault, params};
use baton_registry::store as registry;
use baton_screening::specimen::store as screening;

use crate::events::{MessageReceived, SettleMessage};
use crate::model::{Received, Settled, Swab, Told, TubeFacts, Unit};

/// Columns that may differ between equal histories.
pub const VOLATILE: &[&str] = &["told.ordinal", "told.recorded_us", "message.sender_key", "message.content_key", "message.sealed"];

pub fn apply(tx: &mut Tx<'_>, event: &Event, _: &Vault) -> StoreResult<()> {
    match event.kind.as_str() {
        SignResults::KIND => {
            let outcome: ResultsSigned = event.decided::<SignResults>()?.outcome;
            told(tx, event, &outcome.tubes, false)
        }
        AmendResult::KIND => told(tx, event, &event.decided::<AmendResult>()?.outcome.tubes, true),
        MessageReceived::KIND => message_received(tx, event),
        SettleMessage::KIND => {
            let SettleMessage { message, remark } = event.decided::<SettleMessage>()?.command;
            let sql = "UPDATE message SET settled_us = $3, settled_by = $4, remark = $5 WHERE bucket = $1 AND id = $2";
            tx.execute(sql, params![message.bucket_number(), message, event.happened, event.actor, &remark]).map(|_| ())
        }
        _ => Ok(()),
    }
}

fn told(tx: &mut Tx<'_>, event: &Event, tubes: &[TubeRead], amended: bool) -> StoreResult<()> {
    let row = |tube: &TubeRead| {
        let id = tube.tube;
        vec![
            id.bucket_number().into(),
            id.into(),
            event.id.into(),
            event.ordinal.into(),
            tube.result.name().into(),
            amended.into(),
            event.happened.into(),
            event.recorded.into(),
            event.actor.into(),
        ]
    };
    let rows: Vec<_> = tubes.iter().map(row).collect();
    let head = "INSERT INTO told (bucket, tube, event, ordinal, outcome, amended, happened_us, recorded_us, account) VALUES";
    tx.insert_many(head, 9, &rows, "ON CONFLICT (bucket, tube, event) DO NOTHING")?;
    Ok(())
}

fn message_received(tx: &mut Tx<'_>, event: &Event) -> StoreResult<()> {
    let body: MessageReceived = event.body()?;
    // Two servers may have taken the same message at the same time: it counts once.
    if message_known(tx, body.sender_key, body.content_key)?.is_some() {
        return Ok(());
    }
    tx.execute(
        "INSERT INTO message (bucket, id, sender_key, content_key, kind, sender, sealed, person, tube, finding, problems, received_us) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT (bucket, id) DO NOTHING",
        params![
            event.id.bucket_number(),
            event.id,
            body.sender_key,
            body.content_key,
            &body.kind,
            &body.sender,
            &body.sealed.0,
            body.person,
            body.tube,
            body.finding.as_deref().unwrap_or(""),
            i64::from(body.problems),
            event.happened
        ],
    )?;
    Ok(())
}

/// The message that was taken under this sender and control id with this very text.
pub fn message_known(tx: &mut Tx<'_>, sender_key: i64, content_key: i64) -> StoreResult<Option<EventId>> {
    tx.first("SELECT id FROM message WHERE sender_key = $1 AND content_key = $2", params![sender_key, content_key])?.map(|row| row.id(0)).transpose()
}

/// Whether this control id of this sender was used for anything.
pub fn control_used(tx: &mut Tx<'_>, sender_key: i64) -> StoreResult<bool> {
    Ok(tx.first("SELECT id FROM message WHERE sender_key = $1 LIMIT 1", params![sender_key])?.is_some())
}

pub static EX_1: Invariant = Invariant::new("EX-1", "the same message counts once, however often it comes");
pub static EX_2: Invariant = Invariant::new("EX-2", "whatever is released was told, and the last word told is the result that holds");

/// Every violation: name and detail.
pub fn check_invariants(tx: &mut Tx<'_>) -> StoreResult<Vec<(String, String)>> {
    let mut violations = Vec::new();
    let mut found = |invariant: &Invariant, detail: String| violations.push((invariant.name.to_owned(), format!("{}: {detail}", invariant.statement)));
    for row in tx.query("SELECT CAST(min(id) AS BIGINT) FROM message GROUP BY sender_key, content_key HAVING count(*) > 1", &[])? {
        found(&EX_1, row.int(0)?.to_string());
    }
    for clock in laboratory::clock::resulted(tx)?.into_iter().filter(|clock| clock.released.is_some()) {
        let sql = "SELECT outcome FROM told WHERE bucket = $1 AND tube = $2 ORDER BY ordinal DESC LIMIT 1";
        let last = tx.first(sql, params![clock.tube.bucket_number(), clock.tube])?;
        let last = last.map(|row| Ok::<_, StoreError>(row.text(0)?.to_owned())).transpose()?;
        if last.as_deref() != clock.outcome.map(TubeOutcome::name) {
            found(&EX_2, clock.tube.to_string());
        }
    }
    Ok(violations)
}

const MESSAGE: &str = "SELECT id, kind, sender, person, tube, finding, problems, received_us, settled_us, settled_by, remark FROM message";

fn received_of(row: &Row) -> StoreResult<Received> {
    Ok(Received {
        id: row.id(0)?,
        kind: row.text(1)?.to_owned(),
        sender: row.text(2)?.to_owned(),
        person: row.maybe_id(3)?,
        tube: row.maybe_id(4)?,
        finding: Some(row.text(5)?.to_owned()).filter(|finding| !finding.is_empty()),
        problems: row.int(6)?,
        received: row.time(7)?,
        settled: match row.maybe_time(8)? {
            Some(at) => Some(Settled { at, by: row.maybe_id(9)?, remark: row.maybe_text(10)?.unwrap_or_default().to_owned() }),
            None => None,
        },
    })
}

/// Messages, the latest first, from before a moment.
pub fn messages(tx: &mut Tx<'_>, before: (Timestamp, EventId), limit: i64) -> StoreResult<Vec<Received>> {
    let sql = format!("{MESSAGE} WHERE (received_us, id) < ($1, $2) ORDER BY received_us DESC, id DESC LIMIT $3");
    tx.query(&sql, params![before.0, before.1, limit])?.iter().map(received_of).collect()
}

/// Findings nobody has settled yet; no more than so many are counted.
pub fn open_findings(tx: &mut Tx<'_>, limit: i64) -> StoreResult<i64> {
    tx.one("SELECT count(*) FROM (SELECT id FROM message WHERE settled_us IS NULL AND finding > '' LIMIT $1) x", params![limit])?.int(0)
}

pub fn message(tx: &mut Tx<'_>, id: EventId) -> StoreResult<Option<Received>> {
    tx.first(&format!("{MESSAGE} WHERE bucket = $1 AND id = $2"), params![id.bucket_number(), id])?.as_ref().map(received_of).transpose()
}

/// The message's own text; nothing when its key is gone.
pub fn message_text(tx: &mut Tx<'_>, vault: &Vault, id: EventId) -> StoreResult<Option<String>> {
    let Some(row) = tx.first("SELECT sealed FROM message WHERE bucket = $1 AND id = $2", params![id.bucket_number(), id])? else { return Ok(None) };
    let text = vault.open(baton_desk::any_id(id), row.bytes(0)?)?;
    Ok(text.map(|text| String::from_utf8_lossy(&text).into_owned()))
}

const TOLD: &str = "SELECT tube, event, ordinal, outcome, amended, happened_us, recorded_us, account FROM told";

fn told_of(row: &Row) -> StoreResult<Told> {
    let tube: TubeId = row.id(0)?;
    let outcome = TubeOutcome::from_name(row.text(3)?);
    let wrong = || StoreError::Inconsistent { table: "told", row: tube.to_string(), problem: "no such outcome".to_owned() };
    Ok(Told {
        tube,
        event: row.id(1)?,
        ordinal: row.int(2)?,
        outcome: outcome.ok_or_else(wrong)?,
        amended: row.truth(4)?,
        happened: row.time(5)?,
        recorded: row.time(6)?,
        signers: row.maybe_id(7)?.into_iter().collect(),
    })
}

/// Everything that went out about a tube, oldest first, with who signed.
pub fn told_about(tx: &mut Tx<'_>, tube: TubeId) -> StoreResult<Vec<Told>> {
    let sql = format!("{TOLD} WHERE bucket = $1 AND tube = $2 ORDER BY ordinal");
    let mut told = tx.query(&sql, params![tube.bucket_number(), tube])?.iter().map(told_of).collect::<StoreResult<Vec<Told>>>()?;
    if told.is_empty() {
        return Ok(told);
    }
    let versions = laboratory::results::versions(tx, tube)?;
    let out = versions.into_iter().filter(|version| version.state.is_out());
    for (told, version) in told.iter_mut().zip(out) {
        told.signers = match version.state {
            ResultState::Released(Release::ByTwo { by, and }) | ResultState::Amended { by, and, .. } => vec![by, and],
            ResultState::Released(Release::ByRule { by, .. }) => vec![by],
            _ => continue,
        };
    }
    Ok(told)
}

/// Where a walk through what was told stands: time, tube, event.
pub type Passed = (i64, i64, i64);

/// Tubes told of at or after `from` and before `to`, in that order; each place once: time, tube, event.
pub fn told_between(tx: &mut Tx<'_>, from: i64, to: i64, after: Passed, limit: i64) -> StoreResult<Vec<(i64, TubeId, EventId)>> {
    let sql = "SELECT recorded_us, tube, event FROM told WHERE recorded_us >= $1 AND recorded_us < $2 AND (recorded_us, tube, event) > ($3, $4, $5) \
               ORDER BY recorded_us, tube, event LIMIT $6";
    tx.query(sql, params![from, to, after.0, after.1, after.2, limit])?.iter().map(|row| Ok((row.int(0)?, row.id(1)?, row.id(2)?))).collect()
}

/// A tube with everything that may be told.
pub fn tube_facts(tx: &mut Tx<'_>, clock: TubeClock) -> StoreResult<Arc<TubeFacts>> {
    let assay = match clock.campaign {
        Some(campaign) => baton_screening::campaign::store::campaign(tx, campaign)?.map(|campaign| campaign.assay),
        None => None,
    };
    let laboratory = match clock.laboratory {
        Some(place) => registry::place(tx, place)?.map(|found| (place, found.name)),
        None => None,
    };
    let told = told_about(tx, clock.tube)?;
    let mut readings = Vec::new();
    if let (Some(run), false) = (clock.run, told.is_empty()) {
        let well = laboratory::lineage::wells_of_tube(tx, clock.tube)?.into_iter().find(|well| well.run == Some(run));
        if let Some(well) = well {
            readings = laboratory::bench::readings(tx, run, Some(well.well))?;
        }
    }
    let swab = |member: baton_screening::model::Member| Swab { scan: member.scan, person: member.person, swabbed: Some(member.swabbed), undone: false };
    let mut swabs: Vec<Swab> = screening::members(tx, clock.tube)?.into_iter().map(swab).collect();
    swabs.sort_by_key(|swab| swab.scan);
    Ok(Arc::new(TubeFacts { clock, assay, laboratory, told, readings, swabs }))
}

/// The units of a tube, each person's swab by id; the tube itself first when it holds several people's.
pub fn units_of_tube(tx: &mut Tx<'_>, tube: TubeId) -> StoreResult<Vec<Unit>> {
    let Some(clock) = laboratory::tube(tx, tube)? else { return Ok(Vec::new()) };
    let own = is_own(&clock);
    let facts = tube_facts(tx, clock)?;
    let mut units: Vec<Unit> = facts.swabs.iter().map(|swab| Unit { tube: facts.clone(), swab: Some(*swab) }).collect();
    if !own {
        units.insert(0, Unit { tube: facts, swab: None });
    }
    Ok(units)
}

/// The unit of this number: a scan's, or a tube's.
pub fn unit(tx: &mut Tx<'_>, id: EventId) -> StoreResult<Option<Unit>> {
    if let Some(scan) = screening::scan(tx, id)? {
        let (Some(tube), Some(person)) = (scan.tube, scan.person) else { return Ok(None) };
        let Some(clock) = laboratory::tube(tx, tube)? else { return Ok(None) };
        let facts = tube_facts(tx, clock)?;
        let standing = facts.swabs.iter().find(|swab| swab.scan == id).copied();
        let swab = standing.unwrap_or(Swab { scan: id, person, swabbed: None, undone: scan.undone });
        return Ok(Some(Unit { tube: facts, swab: Some(swab) }));
    }
    Ok(units_of_tube(tx, id.created())?.into_iter().find(|unit| unit.swab.is_none()))
}

/// Every swab of a person, newest first, at most as many as a signed report shows.
pub fn units_of_person(tx: &mut Tx<'_>, person: PersonId) -> StoreResult<Vec<Unit>> {
    let mut units = Vec::new();
    for membership in laboratory::results::memberships(tx, person)?.into_iter().take(50) {
        let swab = Swab { scan: membership.scan, person, swabbed: Some(membership.swabbed), undone: false };
        units.push(Unit { tube: tube_facts(tx, membership.clock)?, swab: Some(swab) });
    }
    Ok(units)
}
