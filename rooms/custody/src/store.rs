//! All SQL of custody.

use baton_kit::{AccountId, BoxId, EventId, PlaceId, Timestamp, TubeId, TypedId};
use baton_ledger::{Command, Event, EventBody, Param, Row, StoreResult, Tx, Vault, params};

use crate::events::*;
use crate::model::{Custody, Deed, Holder, Step};
use crate::{follow, rules};

pub fn apply(tx: &mut Tx<'_>, event: &Event, _: &Vault) -> StoreResult<()> {
    if event.kind.starts_with("custody.") || event.is::<baton_screening::events::TubeSealed>() {
        tx.moved("boxes", 0);
    }
    match event.kind.as_str() {
        BoxOpened::KIND => box_opened(tx, event),
        TubeBoxed::KIND => tube_boxed(tx, event),
        BoxSealed::KIND => {
            let body: BoxSealed = event.body()?;
            tx.execute(ENSURE_BOX, params![body.box_id.bucket_number(), body.box_id])?;
            tx.execute("UPDATE box SET seal = $3 WHERE bucket = $1 AND id = $2", params![body.box_id.bucket_number(), body.box_id, &body.seal])?;
            step(tx, event, body.box_id, &StepRow { step: "sealed", count: Some(body.count.into()), detail: &body.seal, ..StepRow::default() })
        }
        BoxOffered::KIND => {
            let body: BoxOffered = event.body()?;
            let (account, laboratory) = taker(Some(body.to));
            step(
                tx,
                event,
                body.box_id,
                &StepRow { step: "offered", to_account: account, to_laboratory: laboratory, count: Some(body.count.into()), ..StepRow::default() },
            )
        }
        BoxAccepted::KIND => {
            let body: BoxAccepted = event.body()?;
            step(
                tx,
                event,
                body.box_id,
                &StepRow {
                    step: "accepted",
                    count: Some(body.count.into()),
                    seal_intact: Some(body.seal_intact),
                    temperature: body.temperature_tenths_c,
                    ..StepRow::default()
                },
            )
        }
        BoxDeclined::KIND => {
            let body: BoxDeclined = event.body()?;
            step(tx, event, body.box_id, &StepRow { step: "declined", detail: &body.reason, ..StepRow::default() })
        }
        AdmitBox::KIND => box_admitted(tx, event),
        BoxArrivedAnyway::KIND => box_arrived(tx, event),
        TemperatureNoted::KIND => {
            let body: TemperatureNoted = event.body()?;
            step(tx, event, body.box_id, &StepRow { step: "temperature", temperature: Some(body.temperature_tenths_c), ..StepRow::default() })
        }
        TubesLost::KIND => tubes_lost(tx, event),
        _ => follow::apply(tx, event),
    }
}

/// A step may arrive before the opening of its box.
const ENSURE_BOX: &str =
    "INSERT INTO box (bucket, id, code, point, stage, seal, tubes) VALUES ($1, $2, '', 0, 'unknown', '', 0) ON CONFLICT (bucket, id) DO NOTHING";

fn box_opened(tx: &mut Tx<'_>, event: &Event) -> StoreResult<()> {
    let body: BoxOpened = event.body()?;
    let id: BoxId = event.id.created();
    tx.execute(ENSURE_BOX, params![id.bucket_number(), id])?;
    tx.execute("UPDATE box SET code = $3, point = $4 WHERE bucket = $1 AND id = $2", params![id.bucket_number(), id, &body.code, body.point])?;
    step(tx, event, id, &StepRow { step: "opened", detail: &body.code, ..StepRow::default() })
}

fn tube_boxed(tx: &mut Tx<'_>, event: &Event) -> StoreResult<()> {
    let body: TubeBoxed = event.body()?;
    let id = body.box_id;
    tx.execute(ENSURE_BOX, params![id.bucket_number(), id])?;
    if let Some(other) = box_of(tx, body.tube)?.filter(|other| *other != id) {
        finding(tx, id, "tube-in-two-boxes", event.id, event.happened)?;
        finding(tx, other, "tube-in-two-boxes", event.id, event.happened)?;
    }
    let added = tx.execute(
        "INSERT INTO boxed_tube (bucket, box, tube, happened_us) VALUES ($1, $2, $3, $4) ON CONFLICT (bucket, box, tube) DO NOTHING",
        params![id.bucket_number(), id, body.tube, event.happened],
    )?;
    tx.execute("UPDATE box SET tubes = tubes + $3 WHERE bucket = $1 AND id = $2", params![id.bucket_number(), id, added as i64])?;
    found(tx, body.tube)
}

fn box_admitted(tx: &mut Tx<'_>, event: &Event) -> StoreResult<()> {
    let body = event.decided::<AdmitBox>()?.command;
    admission(tx, event, body.box_id, body.laboratory, body.count, false)?;
    let row = StepRow {
        step: "admitted",
        to_laboratory: Some(body.laboratory),
        count: Some(body.count.into()),
        seal_intact: Some(body.seal_intact),
        temperature: body.temperature_tenths_c,
        ..StepRow::default()
    };
    step(tx, event, body.box_id, &row)
}

fn box_arrived(tx: &mut Tx<'_>, event: &Event) -> StoreResult<()> {
    let body: BoxArrivedAnyway = event.body()?;
    admission(tx, event, body.box_id, body.laboratory, body.count, true)?;
    step(
        tx,
        event,
        body.box_id,
        &StepRow { step: "arrived_anyway", to_laboratory: Some(body.laboratory), count: Some(body.count.into()), ..StepRow::default() },
    )
}

fn admission(tx: &mut Tx<'_>, event: &Event, id: BoxId, laboratory: PlaceId, tubes: u16, anyway: bool) -> StoreResult<()> {
    tx.execute(
        "INSERT INTO admission (bucket, id, laboratory, box, tubes, anyway, happened_us) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (bucket, id) DO NOTHING",
        params![event.id.bucket_number(), event.id, laboratory, id, i64::from(tubes), anyway, event.happened],
    )?;
    Ok(())
}

fn tubes_lost(tx: &mut Tx<'_>, event: &Event) -> StoreResult<()> {
    let body: TubesLost = event.body()?;
    for tube in &body.tubes {
        tx.execute(
            "INSERT INTO lost_tube (bucket, tube, reason, happened_us) VALUES ($1, $2, $3, $4) ON CONFLICT (bucket, tube) DO NOTHING",
            params![tube.bucket_number(), *tube, &body.reason, event.happened],
        )?;
        found(tx, *tube)?;
    }
    Ok(())
}

/// The columns of a step beside who and when.
#[derive(Default)]
struct StepRow<'a> {
    step: &'static str,
    to_account: Option<AccountId>,
    to_laboratory: Option<PlaceId>,
    count: Option<i64>,
    seal_intact: Option<bool>,
    temperature: Option<i64>,
    detail: &'a str,
}

fn taker(to: Option<Taker>) -> (Option<AccountId>, Option<PlaceId>) {
    match to {
        Some(Taker::Account(account)) => (Some(account), None),
        Some(Taker::Laboratory(laboratory)) => (None, Some(laboratory)),
        None => (None, None),
    }
}

/// Writes a step and folds the box anew from all its steps.
fn step(tx: &mut Tx<'_>, event: &Event, id: BoxId, row: &StepRow<'_>) -> StoreResult<()> {
    tx.execute(ENSURE_BOX, params![id.bucket_number(), id])?;
    tx.execute(
        "INSERT INTO box_step (bucket, id, box, step, actor, to_account, to_laboratory, count, seal_intact, temperature_tenths_c, detail, happened_us) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT (bucket, id) DO NOTHING",
        params![
            event.id.bucket_number(),
            event.id,
            id,
            row.step,
            event.actor,
            row.to_account,
            row.to_laboratory,
            row.count,
            row.seal_intact,
            row.temperature,
            row.detail,
            event.happened
        ],
    )?;
    let custody = rules::follow(&steps(tx, id)?);
    let (offered_account, offered_laboratory) = taker(custody.offer);
    let (holder_account, holder_laboratory) = match custody.holder {
        Some(Holder::Account(account)) => (Some(account), None),
        Some(Holder::Laboratory(laboratory)) => (None, Some(laboratory)),
        None => (None, None),
    };
    tx.execute(
        "UPDATE box SET stage = $3, holder_account = $4, holder_laboratory = $5, offered_account = $6, offered_laboratory = $7, held_since_us = $8, sealed_count = $9 WHERE bucket = $1 AND id = $2",
        params![id.bucket_number(), id, custody.stage.name(), holder_account, holder_laboratory, offered_account, offered_laboratory, custody.held_since, custody.sealed_count],
    )?;
    tx.execute("DELETE FROM custody_finding WHERE bucket = $1 AND box = $2 AND code <> 'tube-in-two-boxes'", params![id.bucket_number(), id])?;
    for (what, event_id) in &custody.findings {
        finding(tx, id, what.code(), *event_id, event.happened)?;
    }
    Ok(())
}

fn finding(tx: &mut Tx<'_>, id: BoxId, code: &str, event: EventId, at: Timestamp) -> StoreResult<()> {
    tx.execute(
        "INSERT INTO custody_finding (bucket, box, code, event, happened_us) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (bucket, box, code, event) DO NOTHING",
        params![id.bucket_number(), id, code, event, at],
    )?;
    Ok(())
}

/// A tube was sealed at a point (told by screening).
pub(crate) fn tube_sealed(tx: &mut Tx<'_>, tube: TubeId, sealer: Option<AccountId>, at: Timestamp) -> StoreResult<()> {
    tx.execute(
        "INSERT INTO sealed_tube (bucket, tube, sealer, sealed_us, loose) VALUES ($1, $2, $3, $4, 1) ON CONFLICT (bucket, tube) DO NOTHING",
        params![tube.bucket_number(), tube, sealer, at],
    )?;
    if box_of(tx, tube)?.is_some() || lost(tx, tube)?.is_some() { found(tx, tube) } else { Ok(()) }
}

/// A tube lies in a box, or it is known to be lost: nobody looks for it.
fn found(tx: &mut Tx<'_>, tube: TubeId) -> StoreResult<()> {
    tx.execute("UPDATE sealed_tube SET loose = 0 WHERE bucket = $1 AND tube = $2", params![tube.bucket_number(), tube])?;
    Ok(())
}

/// The steps of a box, in no particular order.
pub fn steps(tx: &mut Tx<'_>, id: BoxId) -> StoreResult<Vec<Step>> {
    let sql = "SELECT id, happened_us, actor, step, to_account, to_laboratory, count, seal_intact, temperature_tenths_c FROM box_step WHERE box = $1 ORDER BY happened_us, id";
    tx.query(sql, params![id])?.iter().map(step_of).collect()
}

fn step_of(row: &Row) -> StoreResult<Step> {
    let count = row.maybe_int(6)?.unwrap_or(0);
    let seal_intact = row.maybe_int(7)?.is_none_or(|intact| intact != 0);
    let temperature_tenths_c = row.maybe_int(8)?;
    let deed = match row.text(3)? {
        "opened" => Deed::Opened,
        "sealed" => Deed::Sealed { count },
        "offered" => match row.maybe_id(4)? {
            Some(account) => Deed::Offered { to: Taker::Account(account), count },
            None => Deed::Offered { to: Taker::Laboratory(row.id(5)?), count },
        },
        "accepted" => Deed::Accepted { count, seal_intact, temperature_tenths_c },
        "declined" => Deed::Declined,
        "admitted" => Deed::Admitted { laboratory: row.id(5)?, count, seal_intact, temperature_tenths_c },
        "arrived_anyway" => Deed::ArrivedAnyway { laboratory: row.id(5)?, count },
        _ => Deed::TemperatureNoted { tenths_c: temperature_tenths_c.unwrap_or(0) },
    };
    Ok(Step { id: row.id(0)?, happened: row.time(1)?, actor: row.maybe_id(2)?, deed })
}

/// The box as its steps tell it; nothing when no step is known.
pub fn custody(tx: &mut Tx<'_>, id: BoxId) -> StoreResult<Option<Custody>> {
    let steps = steps(tx, id)?;
    Ok((!steps.is_empty()).then(|| rules::follow(&steps)))
}

/// One box in a list.
#[derive(Clone, Debug)]
pub struct BoxRow {
    pub id: BoxId,
    pub code: String,
    pub point: Option<PlaceId>,
    pub stage: String,
    pub holder_account: Option<AccountId>,
    pub holder_laboratory: Option<PlaceId>,
    pub offered_account: Option<AccountId>,
    pub offered_laboratory: Option<PlaceId>,
    pub held_since: Option<Timestamp>,
    pub sealed_count: Option<i64>,
    pub seal: String,
    pub tubes: i64,
}

const BOX: &str =
    "SELECT id, code, point, stage, holder_account, holder_laboratory, offered_account, offered_laboratory, held_since_us, sealed_count, seal, tubes FROM box";

fn box_of_row(row: &Row) -> StoreResult<BoxRow> {
    Ok(BoxRow {
        id: row.id(0)?,
        code: row.text(1)?.to_owned(),
        point: if row.int(2)? == 0 { None } else { Some(row.id(2)?) },
        stage: row.text(3)?.to_owned(),
        holder_account: row.maybe_id(4)?,
        holder_laboratory: row.maybe_id(5)?,
        offered_account: row.maybe_id(6)?,
        offered_laboratory: row.maybe_id(7)?,
        held_since: row.maybe_time(8)?,
        sealed_count: row.maybe_int(9)?,
        seal: row.text(10)?.to_owned(),
        tubes: row.int(11)?,
    })
}

pub fn one_box(tx: &mut Tx<'_>, id: BoxId) -> StoreResult<Option<BoxRow>> {
    tx.first(&format!("{BOX} WHERE bucket = $1 AND id = $2"), params![id.bucket_number(), id])?.as_ref().map(box_of_row).transpose()
}

pub fn boxes_by_code(tx: &mut Tx<'_>, code: &str) -> StoreResult<Vec<BoxRow>> {
    tx.query(&format!("{BOX} WHERE code = $1 ORDER BY id"), params![code])?.iter().map(box_of_row).collect()
}

fn boxes_where(tx: &mut Tx<'_>, condition: &str, params: &[Param<'_>]) -> StoreResult<Vec<BoxRow>> {
    let sql = format!("{BOX} WHERE {condition} ORDER BY held_since_us, id LIMIT 500");
    tx.query(&sql, params)?.iter().map(box_of_row).collect()
}

/// Boxes this account holds.
pub fn held_by(tx: &mut Tx<'_>, account: AccountId) -> StoreResult<Vec<BoxRow>> {
    boxes_where(tx, "holder_account = $1", params![account])
}

/// Boxes offered to this account.
pub fn offered_to(tx: &mut Tx<'_>, account: AccountId) -> StoreResult<Vec<BoxRow>> {
    boxes_where(tx, "offered_account = $1", params![account])
}

/// Boxes offered to a laboratory.
pub fn offered_to_laboratory(tx: &mut Tx<'_>, laboratory: PlaceId) -> StoreResult<Vec<BoxRow>> {
    boxes_where(tx, "offered_laboratory = $1", params![laboratory])
}

/// Boxes a laboratory holds that arrived since an instant.
pub fn held_by_laboratory(tx: &mut Tx<'_>, laboratory: PlaceId, since: Timestamp) -> StoreResult<Vec<BoxRow>> {
    boxes_where(tx, "holder_laboratory = $1 AND held_since_us >= $2", params![laboratory, since])
}

/// The tubes in a box, in the order in which they went in.
pub fn tubes_in(tx: &mut Tx<'_>, id: BoxId) -> StoreResult<Vec<TubeId>> {
    let rows = tx.query("SELECT tube FROM boxed_tube WHERE bucket = $1 AND box = $2 ORDER BY happened_us, tube", params![id.bucket_number(), id])?;
    rows.iter().map(|row| row.id(0)).collect()
}

/// The box a tube lies in; the last one said, when there are two.
pub fn box_of(tx: &mut Tx<'_>, tube: TubeId) -> StoreResult<Option<BoxId>> {
    tx.first("SELECT box FROM boxed_tube WHERE tube = $1 ORDER BY happened_us DESC, box DESC LIMIT 1", params![tube])?.map(|row| row.id(0)).transpose()
}

/// Why a tube is gone, if it is.
pub fn lost(tx: &mut Tx<'_>, tube: TubeId) -> StoreResult<Option<String>> {
    let sql = "SELECT reason FROM lost_tube WHERE bucket = $1 AND tube = $2";
    tx.first(sql, params![tube.bucket_number(), tube])?.map(|row| row.text(0).map(str::to_owned)).transpose()
}

/// Tubes a laboratory took on from `from` until before `to`.
pub fn taken_by(tx: &mut Tx<'_>, laboratory: PlaceId, from: Timestamp, to: Timestamp) -> StoreResult<i64> {
    let sql = "SELECT COALESCE(CAST(sum(tubes) AS BIGINT), 0) FROM admission WHERE laboratory = $1 AND happened_us >= $2 AND happened_us < $3";
    tx.one(sql, params![laboratory, from, to])?.int(0)
}

/// Sealed tubes that lie in no box and are not lost, sealed before an instant: somebody must look for them.
pub fn missing_tubes(tx: &mut Tx<'_>, sealed_before: Timestamp, limit: i64) -> StoreResult<Vec<(TubeId, Option<AccountId>, Timestamp)>> {
    let sql = "SELECT tube, sealer, sealed_us FROM sealed_tube WHERE loose = 1 AND sealed_us < $1 ORDER BY sealed_us, tube LIMIT $2";
    let rows = tx.query(sql, params![sealed_before, limit])?;
    rows.iter().map(|row| Ok((row.id(0)?, row.maybe_id(1)?, row.time(2)?))).collect()
}

/// Tubes somebody sealed that lie in no box: how many, and since when the oldest.
pub fn loose_of(tx: &mut Tx<'_>, sealer: AccountId) -> StoreResult<(i64, Option<Timestamp>)> {
    let row = tx.one("SELECT count(*), min(sealed_us) FROM sealed_tube WHERE loose = 1 AND sealer = $1", params![sealer])?;
    Ok((row.int(0)?, row.maybe_time(1)?))
}

/// Findings of a box: code and when.
pub fn findings(tx: &mut Tx<'_>, id: BoxId) -> StoreResult<Vec<(String, Timestamp)>> {
    let rows =
        tx.query("SELECT code, happened_us FROM custody_finding WHERE bucket = $1 AND box = $2 ORDER BY happened_us, code", params![id.bucket_number(), id])?;
    rows.iter().map(|row| Ok((row.text(0)?.to_owned(), row.time(1)?))).collect()
}

/// Every violation of this room's invariants: name and detail.
pub fn check_invariants(tx: &mut Tx<'_>) -> StoreResult<Vec<(String, String)>> {
    const CHECKS: [(&str, &str); 5] = [
        (
            "CU-1",
            "SELECT id FROM box WHERE code <> '' AND holder_account IS NULL AND holder_laboratory IS NULL AND EXISTS (SELECT 1 FROM box_step s WHERE s.box = box.id AND s.actor IS NOT NULL)",
        ),
        ("CU-2", "SELECT id FROM box WHERE holder_account IS NOT NULL AND holder_laboratory IS NOT NULL"),
        (
            "CU-4",
            "SELECT tube FROM boxed_tube t WHERE NOT EXISTS (SELECT 1 FROM custody_finding f WHERE f.box = t.box AND f.code = 'tube-in-two-boxes') GROUP BY tube HAVING count(*) > 1",
        ),
        (
            "CU-6",
            "SELECT s.tube FROM sealed_tube s WHERE s.loose <> CASE WHEN EXISTS (SELECT 1 FROM boxed_tube b WHERE b.tube = s.tube) OR EXISTS (SELECT 1 FROM lost_tube l WHERE l.bucket = s.bucket AND l.tube = s.tube) THEN 0 ELSE 1 END",
        ),
        ("CU-6", "SELECT b.id FROM box b WHERE b.tubes <> (SELECT count(*) FROM boxed_tube t WHERE t.bucket = b.bucket AND t.box = b.id)"),
    ];
    let mut violations = Vec::new();
    for (name, sql) in CHECKS {
        for row in tx.query(sql, &[])? {
            violations.push((name.to_owned(), row.int(0)?.to_string()));
        }
    }
    Ok(violations)
}
