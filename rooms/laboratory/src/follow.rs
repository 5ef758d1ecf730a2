//! What this room keeps of other rooms' events: when a tube passed each hand, and whose.
//! Facts may come in any order; a row begun by a later fact is completed by the earlier one.

use baton_custody::events::{AdmitBox, BoxAccepted, BoxArrivedAnyway, BoxOpened, BoxSealed, TubeBoxed, TubesLost};
use baton_kit::{BoxId, PlaceId, Timestamp, TubeId, TypedId};
use baton_ledger::{Command, Decided, Event, EventBody, Run, StoreResult, Tx, Vault, params};
use baton_registry::events::RecallLot;
use baton_screening::events::{PersonSampled, ScanUndone, TOLD_TOGETHER, TubeOpened, TubeSealed};
use baton_screening::specimen::store as screening;

use crate::store::fold::{finding, hand, still_waiting, touch_tube};

pub fn apply(tx: &mut Tx<'_>, event: &Event, _: &Vault) -> StoreResult<()> {
    match event.kind.as_str() {
        PersonSampled::KIND => person_sampled(tx, event),
        ScanUndone::KIND => scan_undone(tx, event),
        TubeOpened::KIND => tube_opened(tx, event),
        TubeSealed::KIND => tube_sealed(tx, event),
        TubeBoxed::KIND => tube_boxed(tx, event),
        TubesLost::KIND => tubes_lost(tx, event),
        BoxOpened::KIND => box_opened(tx, event),
        BoxSealed::KIND => box_sealed(tx, event),
        BoxAccepted::KIND => box_accepted(tx, event),
        AdmitBox::KIND => {
            let Decided { command, .. } = event.decided::<AdmitBox>()?;
            box_arrived(tx, event, command.box_id, command.laboratory, "admitted")
        }
        BoxArrivedAnyway::KIND => {
            let body: BoxArrivedAnyway = event.body()?;
            finding(tx, event.id, "box_not_admitted", body.box_id, None, event.happened)?;
            box_arrived(tx, event, body.box_id, body.laboratory, "received")
        }
        RecallLot::KIND => lot_recalled(tx, event),
        _ => Ok(()),
    }
}

/// What desks tell together: a tube's rows are written once for all of its scans.
pub(crate) const SAMPLED: Run = Run { kinds: TOLD_TOGETHER, apply: told_together };

fn told_together(tx: &mut Tx<'_>, events: &[Event]) -> StoreResult<()> {
    let of_kind = |kind: &'static str| events.iter().filter(move |event| event.kind == kind);
    of_kind(TubeOpened::KIND).try_for_each(|event| tube_opened(tx, event))?;
    let mut scans = Vec::with_capacity(events.len());
    for event in of_kind(PersonSampled::KIND) {
        scans.push((event.body::<PersonSampled>()?.tube, event.actor, event.happened));
    }
    scans.sort_unstable();
    for scans in scans.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
        let (tube, actor, _) = scans[0];
        if let Some(first) = scans.iter().map(|(_, _, at)| *at).min() {
            hand(tx, tube, "tube", "swabbed", actor, first)?;
        }
        swabs_changed(tx, tube)?;
    }
    of_kind(TubeSealed::KIND).try_for_each(|event| tube_sealed(tx, event))
}

fn person_sampled(tx: &mut Tx<'_>, event: &Event) -> StoreResult<()> {
    let body: PersonSampled = event.body()?;
    hand(tx, body.tube, "tube", "swabbed", event.actor, event.happened)?;
    swabs_changed(tx, body.tube)
}

fn scan_undone(tx: &mut Tx<'_>, event: &Event) -> StoreResult<()> {
    let body: ScanUndone = event.body()?;
    let tube = screening::scan(tx, body.scan)?.and_then(|scan| scan.tube);
    tube.map_or(Ok(()), |tube| swabs_changed(tx, tube))
}

/// How many swabs stand in a tube, and since when: screening has folded this very event before us.
fn swabs_changed(tx: &mut Tx<'_>, tube: TubeId) -> StoreResult<()> {
    let members = screening::members(tx, tube)?;
    let first = members.iter().map(|member| member.swabbed).min();
    tx.execute(
        "INSERT INTO tube_clock (bucket, tube, follow_up, members, waiting, first_swab_us) VALUES ($1, $2, 0, $3, 1, $4) \
         ON CONFLICT (bucket, tube) DO UPDATE SET members = excluded.members, first_swab_us = excluded.first_swab_us",
        params![tube.bucket_number(), tube, members.len() as i64, first],
    )?;
    Ok(())
}

fn tube_opened(tx: &mut Tx<'_>, event: &Event) -> StoreResult<()> {
    let body: TubeOpened = event.body()?;
    let tube: TubeId = event.id.created();
    touch_tube(tx, tube)?;
    tx.execute(
        "UPDATE tube_clock SET code = $3, campaign = $4, point = $5, ratio = $6, follow_up = $7, fluid_lot = $8, opened_us = $9 WHERE bucket = $1 AND tube = $2",
        params![tube.bucket_number(), tube, &body.code, body.campaign, body.point, i64::from(body.ratio), body.follow_up, body.fluid_lot, event.happened],
    )?;
    // Whoever looked at it before its opening arrived was right to be told, and need not be asked again.
    tx.execute(
        "UPDATE laboratory_finding SET settled_us = $2 WHERE subject = $1 AND code = 'tube_not_opened' AND settled_us IS NULL",
        params![tube, event.happened],
    )?;
    hand(tx, tube, "tube", "opened", event.actor, event.happened)
}

fn tube_sealed(tx: &mut Tx<'_>, event: &Event) -> StoreResult<()> {
    let body: TubeSealed = event.body()?;
    touch_tube(tx, body.tube)?;
    tx.execute(
        "UPDATE tube_clock SET sealed_us = $3, sealed_count = $4 WHERE bucket = $1 AND tube = $2 AND (sealed_us IS NULL OR sealed_us <= $3)",
        params![body.tube.bucket_number(), body.tube, event.happened, i64::from(body.count)],
    )?;
    hand(tx, body.tube, "tube", "sealed", event.actor, event.happened)
}

fn touch_box(tx: &mut Tx<'_>, box_id: BoxId) -> StoreResult<()> {
    tx.execute("INSERT INTO box_clock (bucket, box) VALUES ($1, $2) ON CONFLICT (bucket, box) DO NOTHING", params![box_id.bucket_number(), box_id])?;
    Ok(())
}

fn tube_boxed(tx: &mut Tx<'_>, event: &Event) -> StoreResult<()> {
    let body: TubeBoxed = event.body()?;
    touch_tube(tx, body.tube)?;
    touch_box(tx, body.box_id)?;
    tx.execute(
        "UPDATE tube_clock SET box = $3, boxed_us = $4 WHERE bucket = $1 AND tube = $2 AND (boxed_us IS NULL OR boxed_us <= $4)",
        params![body.tube.bucket_number(), body.tube, body.box_id, event.happened],
    )?;
    hand(tx, body.tube, "tube", "boxed", event.actor, event.happened)
}

fn tubes_lost(tx: &mut Tx<'_>, event: &Event) -> StoreResult<()> {
    let body: TubesLost = event.body()?;
    for tube in body.tubes {
        touch_tube(tx, tube)?;
        tx.execute("UPDATE tube_clock SET lost = $3 WHERE bucket = $1 AND tube = $2", params![tube.bucket_number(), tube, &body.reason])?;
        still_waiting(tx, tube)?;
    }
    Ok(())
}

fn box_opened(tx: &mut Tx<'_>, event: &Event) -> StoreResult<()> {
    let body: BoxOpened = event.body()?;
    let box_id: BoxId = event.id.created();
    touch_box(tx, box_id)?;
    tx.execute("UPDATE box_clock SET code = $3, point = $4 WHERE bucket = $1 AND box = $2", params![box_id.bucket_number(), box_id, &body.code, body.point])?;
    hand(tx, box_id, "box", "opened", event.actor, event.happened)
}

fn box_sealed(tx: &mut Tx<'_>, event: &Event) -> StoreResult<()> {
    let body: BoxSealed = event.body()?;
    touch_box(tx, body.box_id)?;
    earliest(tx, body.box_id, "sealed_us", event.happened)?;
    hand(tx, body.box_id, "box", "sealed", event.actor, event.happened)
}

fn box_accepted(tx: &mut Tx<'_>, event: &Event) -> StoreResult<()> {
    let body: BoxAccepted = event.body()?;
    touch_box(tx, body.box_id)?;
    earliest(tx, body.box_id, "handed_us", event.happened)?;
    hand(tx, body.box_id, "box", "carried", event.actor, event.happened)
}

fn box_arrived(tx: &mut Tx<'_>, event: &Event, box_id: BoxId, laboratory: PlaceId, deed: &str) -> StoreResult<()> {
    touch_box(tx, box_id)?;
    earliest(tx, box_id, "arrived_us", event.happened)?;
    tx.execute("UPDATE box_clock SET laboratory = $3 WHERE bucket = $1 AND box = $2", params![box_id.bucket_number(), box_id, laboratory])?;
    hand(tx, box_id, "box", deed, event.actor, event.happened)
}

/// Keeps the first time a box passed a station.
fn earliest(tx: &mut Tx<'_>, box_id: BoxId, column: &'static str, at: Timestamp) -> StoreResult<()> {
    let sql = format!("UPDATE box_clock SET {column} = $3 WHERE bucket = $1 AND box = $2 AND ({column} IS NULL OR {column} > $3)");
    tx.execute(&sql, params![box_id.bucket_number(), box_id, at])?;
    Ok(())
}

/// What was released with it before is found through the lot's own page; a finding says that somebody must look.
fn lot_recalled(tx: &mut Tx<'_>, event: &Event) -> StoreResult<()> {
    let Decided { command, .. } = event.decided::<RecallLot>()?;
    let used = tx.first(
        "SELECT 1 FROM plate WHERE extraction_lot = $1 OR pcr_lot = $1 UNION ALL SELECT 1 FROM tube_clock WHERE fluid_lot = $1 LIMIT 1",
        params![command.lot],
    )?;
    if used.is_some() {
        finding(tx, event.id, "recalled_lot_used", command.lot, None, event.happened)?;
    }
    Ok(())
}
