//! The fold: what each event of this room does to its tables. Events of other rooms are in [`crate::follow`].

use baton_kit::{AccountId, AnyId, EventId, PlaceId, PlateId, RunId, Timestamp, TubeId, TypedId};
use baton_ledger::{Command, Decided, Event, EventBody, Param, StoreResult, Tx, Vault, params, to_json};

use super::content_name;
use crate::events::*;
use crate::model::PlateState;

pub fn apply(tx: &mut Tx<'_>, event: &Event, vault: &Vault) -> StoreResult<()> {
    if event.kind.starts_with("laboratory.") || event.kind.starts_with("custody.") {
        tx.moved("laboratory", 0);
        tx.moved("clock", 0);
    }
    match event.kind.as_str() {
        TubeAccessioned::KIND => accessioned(tx, event),
        LayPlate::KIND => plate_laid(tx, event),
        LayBenchPlate::KIND => bench_plate_laid(tx, event),
        DiscardPlate::KIND => plate_discarded(tx, event),
        ReadRun::KIND => run_read(tx, event),
        ProposeOverride::KIND => override_proposed(tx, event),
        ConfirmOverride::KIND => override_confirmed(tx, event),
        SignResults::KIND => results_signed(tx, event),
        ProposeAmendment::KIND => amendment_proposed(tx, event),
        AmendResult::KIND => result_amended(tx, event),
        SettleFinding::KIND => finding_settled(tx, event),
        _ => crate::follow::apply(tx, event, vault),
    }
}

/// Makes a tube's row where it has none: facts of other devices may come first.
pub(crate) fn touch_tube(tx: &mut Tx<'_>, tube: TubeId) -> StoreResult<()> {
    tx.moved("clock", 0);
    tx.execute(
        "INSERT INTO tube_clock (bucket, tube, follow_up, members, waiting) VALUES ($1, $2, 0, 0, 1) ON CONFLICT (bucket, tube) DO NOTHING",
        params![tube.bucket_number(), tube],
    )?;
    Ok(())
}

/// Remembers that somebody had a hand in something; the first time counts.
pub(crate) fn hand(tx: &mut Tx<'_>, subject: impl TypedId, kind: &str, deed: &str, account: Option<AccountId>, at: Timestamp) -> StoreResult<()> {
    let Some(account) = account else { return Ok(()) };
    let subject = AnyId::from_packed(subject.packed());
    tx.execute(
        "INSERT INTO hand (bucket, subject, account, deed, kind, happened_us) VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT (bucket, subject, deed, account) DO UPDATE SET happened_us = excluded.happened_us WHERE excluded.happened_us < hand.happened_us",
        params![subject.bucket_number(), subject, account, deed, kind, at],
    )?;
    Ok(())
}

pub(crate) fn finding(tx: &mut Tx<'_>, id: EventId, code: &str, subject: impl TypedId, other: Option<AnyId>, at: Timestamp) -> StoreResult<()> {
    let subject = AnyId::from_packed(subject.packed());
    tx.execute(
        "INSERT INTO laboratory_finding (bucket, id, code, subject, other, happened_us) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (bucket, id, code) DO NOTHING",
        params![id.bucket_number(), id, code, subject, other, at],
    )?;
    Ok(())
}

fn accessioned(tx: &mut Tx<'_>, event: &Event) -> StoreResult<()> {
    let body: TubeAccessioned = event.body()?;
    let (tube, at) = (body.tube, event.happened);
    touch_tube(tx, tube)?;
    let earlier = tx.first("SELECT id FROM accession WHERE tube = $1 AND id <> $2 ORDER BY happened_us, id LIMIT 1", params![tube, event.id])?;
    tx.execute(
        "INSERT INTO accession (bucket, id, tube, laboratory, rejected, account, happened_us) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (bucket, id) DO NOTHING",
        params![event.id.bucket_number(), event.id, tube, body.laboratory, body.rejected.as_deref(), event.actor, at],
    )?;
    hand(tx, tube, "tube", "accessioned", event.actor, at)?;
    if let Some(earlier) = earlier {
        finding(tx, event.id, "accessioned_twice", tube, Some(earlier.id(0)?), at)?;
    }
    for note in event.notes()? {
        noted(tx, event, &body, &note.code)?;
    }
    stand_of_accession(tx, tube)
}

/// What the room knew when it was said waits for a person; a laboratory over its declared capacity says so once until it is settled.
fn noted(tx: &mut Tx<'_>, event: &Event, body: &TubeAccessioned, code: &str) -> StoreResult<()> {
    match code {
        "lab-tube-not-opened" => finding(tx, event.id, "tube_not_opened", body.tube, None, event.happened),
        "lab-over-capacity" => {
            let open = tx.first(
                "SELECT id FROM laboratory_finding WHERE subject = $1 AND code = 'over_capacity' AND settled_us IS NULL LIMIT 1",
                params![body.laboratory],
            )?;
            open.map_or_else(|| finding(tx, event.id, "over_capacity", body.laboratory, None, event.happened), |_| Ok(()))
        }
        _ => Ok(()),
    }
}

/// The latest look decides whether a tube is taken or rejected; the first is when it arrived on the bench.
fn stand_of_accession(tx: &mut Tx<'_>, tube: TubeId) -> StoreResult<()> {
    let looks = tx.query("SELECT laboratory, rejected, happened_us FROM accession WHERE tube = $1 ORDER BY happened_us, id", params![tube])?;
    let (Some(first), Some(last)) = (looks.first(), looks.last()) else { return Ok(()) };
    let (laboratory, rejected): (PlaceId, _) = (last.id(0)?, last.maybe_text(1)?);
    tx.execute(
        "UPDATE tube_clock SET laboratory = $3, rejected = $4, accessioned_us = $5 WHERE bucket = $1 AND tube = $2",
        params![tube.bucket_number(), tube, laboratory, rejected, first.time(2)?],
    )?;
    still_waiting(tx, tube)
}

/// A tube waits until it is released, rejected or lost.
pub(crate) fn still_waiting(tx: &mut Tx<'_>, tube: TubeId) -> StoreResult<()> {
    tx.execute(
        "UPDATE tube_clock SET waiting = CASE WHEN released_us IS NULL AND rejected IS NULL AND lost IS NULL THEN 1 ELSE 0 END WHERE bucket = $1 AND tube = $2",
        params![tube.bucket_number(), tube],
    )?;
    Ok(())
}

fn plate_laid(tx: &mut Tx<'_>, event: &Event) -> StoreResult<()> {
    let Decided { command, outcome } = event.decided::<LayPlate>()?;
    let plate: PlateId = event.id.created();
    let number = next_number(tx, command.laboratory)?;
    tx.execute(
        "INSERT INTO plate (bucket, plate, code, laboratory, number, wells, assay, fingerprint, extraction_lot, pcr_lot, laid_us, laid_by, state) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 'laid')",
        params![
            plate.bucket_number(),
            plate,
            &command.code,
            command.laboratory,
            number,
            i64::from(command.wells),
            &command.assay,
            i64::from(outcome.fingerprint),
            command.extraction_lot,
            command.pcr_lot,
            event.happened,
            event.actor,
        ],
    )?;
    hand(tx, plate, "plate", "laid", event.actor, event.happened)?;
    insert_wells(tx, plate, &outcome.layout)?;
    for tube in tubes_in(&outcome.layout) {
        touch_tube(tx, tube)?;
        tx.execute(
            "UPDATE tube_clock SET plate = $3, laid_us = $4 WHERE bucket = $1 AND tube = $2",
            params![tube.bucket_number(), tube, plate, event.happened],
        )?;
    }
    Ok(())
}

fn tubes_in(layout: &[WellLaid]) -> impl Iterator<Item = TubeId> {
    layout.iter().filter_map(|laid| if let WellContent::Tube(tube) = laid.content { Some(tube) } else { None })
}

fn next_number(tx: &mut Tx<'_>, laboratory: PlaceId) -> StoreResult<i64> {
    super::bench::plates_laid(tx, laboratory)
}

fn insert_wells(tx: &mut Tx<'_>, plate: PlateId, layout: &[WellLaid]) -> StoreResult<()> {
    let row = |laid: &WellLaid| {
        let tube = if let WellContent::Tube(tube) = laid.content { Some(tube) } else { None };
        vec![plate.bucket_number().into(), plate.into(), i64::from(laid.well).into(), content_name(laid.content).into(), Param::from(tube)]
    };
    let rows: Vec<Vec<Param<'_>>> = layout.iter().map(row).collect();
    tx.insert_many("INSERT INTO well (bucket, plate, well, content, tube) VALUES", 5, &rows, "ON CONFLICT (bucket, plate, well) DO NOTHING")?;
    Ok(())
}

fn bench_plate_laid(tx: &mut Tx<'_>, event: &Event) -> StoreResult<()> {
    let Decided { command, .. } = event.decided::<LayBenchPlate>()?;
    let plate: PlateId = event.id.created();
    let number = next_number(tx, command.laboratory)?;
    tx.execute(
        "INSERT INTO plate (bucket, plate, code, laboratory, number, wells, fingerprint, laid_us, laid_by, state) VALUES ($1, $2, $3, $4, $5, $6, 0, $7, $8, 'laid')",
        params![plate.bucket_number(), plate, &command.code, command.laboratory, number, i64::from(command.wells), event.happened, event.actor],
    )?;
    hand(tx, plate, "plate", "laid", event.actor, event.happened)
}

fn plate_discarded(tx: &mut Tx<'_>, event: &Event) -> StoreResult<()> {
    let Decided { command, .. } = event.decided::<DiscardPlate>()?;
    let plate = command.plate;
    tx.execute(
        "UPDATE plate SET state = $3, remark = $4 WHERE bucket = $1 AND plate = $2",
        params![plate.bucket_number(), plate, PlateState::Discarded.name(), &command.reason],
    )?;
    // The tubes go back to where they were; an earlier plate they were read on stays in `well` and `result`.
    tx.execute(
        "UPDATE tube_clock SET plate = NULL, laid_us = NULL WHERE tube IN (SELECT tube FROM well WHERE bucket = $1 AND plate = $2) AND plate = $2",
        params![plate.bucket_number(), plate],
    )?;
    hand(tx, plate, "plate", "discarded", event.actor, event.happened)
}

fn run_read(tx: &mut Tx<'_>, event: &Event) -> StoreResult<()> {
    let Decided { command, outcome } = event.decided::<ReadRun>()?;
    let (run, plate): (RunId, PlateId) = (event.id.created(), command.plate);
    let place = tx.one("SELECT laboratory FROM plate WHERE bucket = $1 AND plate = $2", params![plate.bucket_number(), plate])?;
    let laboratory: PlaceId = place.id(0)?;
    tx.execute(
        "INSERT INTO run (bucket, run, plate, laboratory, rules, verify_rules, controls_valid, file_name, file_sha256, instrument, read_us, read_by) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        params![
            run.bucket_number(),
            run,
            plate,
            laboratory,
            &outcome.rules,
            &to_json(&outcome.verify_rules)?,
            outcome.controls_valid,
            &command.file_name,
            &command.file_sha256,
            &command.instrument,
            event.happened,
            event.actor,
        ],
    )?;
    tx.execute("UPDATE plate SET state = $3, run = $4 WHERE bucket = $1 AND plate = $2", params![plate.bucket_number(), plate, PlateState::Read.name(), run])?;
    hand(tx, plate, "plate", "read", event.actor, event.happened)?;
    insert_findings(tx, run, &outcome.findings)?;
    insert_readings(tx, run, &outcome.readings)?;
    insert_calls(tx, run, plate, &outcome.calls)?;
    for read in &outcome.tubes {
        preliminary(tx, run, read, event.happened)?;
    }
    Ok(())
}

fn insert_findings(tx: &mut Tx<'_>, run: RunId, findings: &[RunFinding]) -> StoreResult<()> {
    for (number, found) in findings.iter().enumerate() {
        tx.execute(
            "INSERT INTO run_finding (bucket, run, number, code, wells, seen_in, target, matches) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            params![
                run.bucket_number(),
                run,
                number as i64,
                &found.code,
                &to_json(&found.wells)?,
                &to_json(&found.seen_in)?,
                found.target.as_deref(),
                found.matches
            ],
        )?;
    }
    Ok(())
}

fn insert_readings(tx: &mut Tx<'_>, run: RunId, readings: &[TargetRead]) -> StoreResult<()> {
    let mut reasons = Vec::with_capacity(readings.len());
    for reading in readings {
        reasons.push(to_json(&reading.reasons)?);
    }
    let (mut rows, mut last, mut number): (Vec<Vec<Param<'_>>>, _, _) = (Vec::with_capacity(readings.len()), None, 0i64);
    for (reading, reasons) in readings.iter().zip(&reasons) {
        number = if last == Some(reading.well) { number + 1 } else { 0 };
        last = Some(reading.well);
        rows.push(vec![
            run.bucket_number().into(),
            run.into(),
            i64::from(reading.well).into(),
            number.into(),
            (&reading.target).into(),
            (&reading.call).into(),
            reading.p_positive.into(),
            reading.cq.into(),
            reasons.into(),
        ]);
    }
    let head = "INSERT INTO reading (bucket, run, well, number, target, call, p_positive, cq, reasons) VALUES";
    tx.insert_many(head, 9, &rows, "ON CONFLICT (bucket, run, well, number) DO NOTHING")?;
    Ok(())
}

fn insert_calls(tx: &mut Tx<'_>, run: RunId, plate: PlateId, calls: &[WellCall]) -> StoreResult<()> {
    let wells = tx.query("SELECT well, tube FROM well WHERE bucket = $1 AND plate = $2", params![plate.bucket_number(), plate])?;
    let mut tubes = std::collections::HashMap::new();
    for row in &wells {
        tubes.insert(row.int(0)?, row.maybe_id::<TubeId>(1)?);
    }
    for call in calls {
        let tube = tubes.get(&i64::from(call.well)).copied().flatten();
        tx.execute(
            "INSERT INTO well_call (bucket, run, well, tube, result, reasons, action, not_passed) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            params![run.bucket_number(), run, i64::from(call.well), tube, &call.result, &to_json(&call.reasons)?, &call.action, &to_json(&call.not_passed)?],
        )?;
    }
    Ok(())
}

fn next_version(tx: &mut Tx<'_>, tube: TubeId) -> StoreResult<i64> {
    let last = tx.one("SELECT max(version) FROM result WHERE bucket = $1 AND tube = $2", params![tube.bucket_number(), tube])?.maybe_int(0)?;
    Ok(last.map_or(1, |last| last + 1))
}

fn preliminary(tx: &mut Tx<'_>, run: RunId, read: &TubeRead, at: Timestamp) -> StoreResult<()> {
    let version = next_version(tx, read.tube)?;
    tx.execute(
        "INSERT INTO result (bucket, tube, version, outcome, state, run, at_us) VALUES ($1, $2, $3, $4, 'preliminary', $5, $6)",
        params![read.tube.bucket_number(), read.tube, version, read.result.name(), run, at],
    )?;
    touch_tube(tx, read.tube)?;
    tx.execute(
        "UPDATE tube_clock SET run = $3, read_us = $4, outcome = $5 WHERE bucket = $1 AND tube = $2",
        params![read.tube.bucket_number(), read.tube, run, at, read.result.name()],
    )?;
    Ok(())
}

fn override_proposed(tx: &mut Tx<'_>, event: &Event) -> StoreResult<()> {
    let Decided { command, outcome } = event.decided::<ProposeOverride>()?;
    tx.execute(
        "UPDATE run SET proposed_by = $3, proposed_director = $4, override_reason = $5 WHERE bucket = $1 AND run = $2",
        params![command.run.bucket_number(), command.run, event.actor, outcome.director, &command.reason],
    )?;
    Ok(())
}

fn override_confirmed(tx: &mut Tx<'_>, event: &Event) -> StoreResult<()> {
    let Decided { command, .. } = event.decided::<ConfirmOverride>()?;
    tx.execute(
        "UPDATE run SET confirmed_by = $3, confirmed_us = $4 WHERE bucket = $1 AND run = $2",
        params![command.run.bucket_number(), command.run, event.actor, event.happened],
    )?;
    Ok(())
}

const LAST_VERSION: &str = "bucket = $1 AND tube = $2 AND version = (SELECT max(version) FROM result WHERE bucket = $1 AND tube = $2)";

fn results_signed(tx: &mut Tx<'_>, event: &Event) -> StoreResult<()> {
    let Decided { outcome, .. } = event.decided::<SignResults>()?;
    for tube in &outcome.waiting {
        tx.execute(
            &format!("UPDATE result SET state = 'signed_once', first_by = $3, first_director = $4, first_us = $5 WHERE {LAST_VERSION}"),
            params![tube.bucket_number(), *tube, event.actor, outcome.director, event.happened],
        )?;
        hand(tx, *tube, "tube", "signed", event.actor, event.happened)?;
    }
    let passed = if outcome.passed.is_empty() { None } else { Some(to_json(&outcome.passed)?) };
    for read in &outcome.tubes {
        released(tx, event, read.tube, passed.as_deref())?;
    }
    Ok(())
}

fn released(tx: &mut Tx<'_>, event: &Event, tube: TubeId, passed: Option<&str>) -> StoreResult<()> {
    let (columns, at) = (LAST_VERSION, event.happened);
    let by_whom = if passed.is_some() { "first_by = $3, first_us = $4, passed = $5" } else { "second_by = $3, second_us = $4, passed = $5" };
    tx.execute(
        &format!("UPDATE result SET state = 'released', at_us = $4, {by_whom} WHERE {columns}"),
        params![tube.bucket_number(), tube, event.actor, at, passed],
    )?;
    tx.execute(
        "UPDATE tube_clock SET released_us = $3, waiting = 0 WHERE bucket = $1 AND tube = $2 AND released_us IS NULL",
        params![tube.bucket_number(), tube, at],
    )?;
    hand(tx, tube, "tube", "signed", event.actor, at)
}

fn amendment_proposed(tx: &mut Tx<'_>, event: &Event) -> StoreResult<()> {
    let Decided { command, outcome } = event.decided::<ProposeAmendment>()?;
    tx.execute(
        "INSERT INTO amendment (bucket, tube, outcome, reason, proposed_by, proposed_director, proposed_us) VALUES ($1, $2, $3, $4, $5, $6, $7) \
         ON CONFLICT (bucket, tube) DO UPDATE SET outcome = excluded.outcome, reason = excluded.reason, proposed_by = excluded.proposed_by, \
         proposed_director = excluded.proposed_director, proposed_us = excluded.proposed_us",
        params![command.tube.bucket_number(), command.tube, command.result.name(), &command.reason, event.actor, outcome.director, event.happened],
    )?;
    Ok(())
}

fn result_amended(tx: &mut Tx<'_>, event: &Event) -> StoreResult<()> {
    let Decided { command, .. } = event.decided::<AmendResult>()?;
    let tube = command.tube;
    let version = next_version(tx, tube)?;
    tx.execute(
        "INSERT INTO result (bucket, tube, version, outcome, state, run, at_us, reason, first_by, second_by, second_us) \
         SELECT bucket, tube, $3, $4, 'amended', run, $5, $6, \
           (SELECT proposed_by FROM amendment a WHERE a.bucket = $1 AND a.tube = $2), $7, $5 FROM result WHERE bucket = $1 AND tube = $2 AND version = $8",
        params![tube.bucket_number(), tube, version, command.result.name(), event.happened, &command.reason, event.actor, version - 1],
    )?;
    tx.execute("DELETE FROM amendment WHERE bucket = $1 AND tube = $2", params![tube.bucket_number(), tube])?;
    tx.execute("UPDATE tube_clock SET outcome = $3 WHERE bucket = $1 AND tube = $2", params![tube.bucket_number(), tube, command.result.name()])?;
    hand(tx, tube, "tube", "amended", event.actor, event.happened)
}

fn finding_settled(tx: &mut Tx<'_>, event: &Event) -> StoreResult<()> {
    let Decided { command, .. } = event.decided::<SettleFinding>()?;
    tx.execute(
        "UPDATE laboratory_finding SET settled_us = $4, settled_by = $5, remark = $6 WHERE bucket = $1 AND id = $2 AND code = $3",
        params![command.finding.bucket_number(), command.finding, &command.code, event.happened, event.actor, &command.remark],
    )?;
    Ok(())
}
