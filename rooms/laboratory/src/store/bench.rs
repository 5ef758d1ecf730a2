//! Plates, runs and what is needed to lay, read and sign them.

use std::collections::HashMap;

use baton_kit::{AccountId, PlaceId, PlateId, RunId, Timestamp, TubeId, TypedId};
use baton_ledger::{Row, StoreResult, Tx, params};
use baton_pcr::rules::RuleSet;
use baton_registry::store::lot;
use baton_screening::campaign::store::campaign;

use super::{CLOCK, CLOCK_COLUMNS, clock_of, content_of, json, unknown_word};
use crate::events::{LayPlate, ReadRun, RunFinding, TargetRead, WellCall, WellContent, WellLaid};
use crate::model::{ForSigning, Override, Plate, PlateForReading, PlateState, Run, TubeClock, TubeForPlate, TubeForReading};
use crate::rules::plate::PlatesNow;
use crate::rules::signing::RunNow;

/// How many plates a laboratory has laid so far.
pub fn plates_laid(tx: &mut Tx<'_>, laboratory: PlaceId) -> StoreResult<i64> {
    let last = tx.one("SELECT max(number) FROM plate WHERE laboratory = $1", params![laboratory])?.maybe_int(0)?;
    Ok(last.map_or(0, |last| last + 1))
}

pub fn plate_code_taken(tx: &mut Tx<'_>, laboratory: PlaceId, code: &str) -> StoreResult<bool> {
    Ok(tx.first("SELECT plate FROM plate WHERE code = $1 AND laboratory = $2 LIMIT 1", params![code, laboratory])?.is_some())
}

/// What a new plate is judged by.
pub fn plates_now(tx: &mut Tx<'_>, command: &LayPlate) -> StoreResult<PlatesNow> {
    let mut tubes = HashMap::new();
    for tube in command.tubes.iter().chain(command.by_hand.iter().map(|(_, tube)| tube)) {
        if let Some(known) = tube_for_plate(tx, *tube)? {
            tubes.insert(*tube, known);
        }
    }
    Ok(PlatesNow {
        rules: RuleSet::builtin(&command.assay),
        laid: plates_laid(tx, command.laboratory)?,
        code_taken: plate_code_taken(tx, command.laboratory, &command.code)?,
        extraction: lot(tx, command.extraction_lot)?,
        pcr: lot(tx, command.pcr_lot)?,
        tubes,
    })
}

fn tube_for_plate(tx: &mut Tx<'_>, tube: TubeId) -> StoreResult<Option<TubeForPlate>> {
    let Some(clock) = super::tube(tx, tube)? else { return Ok(None) };
    let assay = clock.campaign.map_or(Ok(None), |id| campaign(tx, id))?.map(|campaign| campaign.assay);
    let on_plate = clock.plate.map_or(Ok(None), |id| plate(tx, id))?.filter(|plate| plate.state == PlateState::Laid);
    Ok(Some(TubeForPlate {
        tube,
        code: clock.code.clone().unwrap_or_else(|| tube.to_string()),
        accessioned_at: clock.laboratory.filter(|_| clock.accessioned.is_some()),
        rejected: clock.rejected.is_some(),
        lost: clock.lost.is_some(),
        ratio: clock.ratio,
        assay,
        on_plate: on_plate.map(|plate| plate.plate),
        released: clock.released.is_some(),
    }))
}

const PLATE: &str =
    "SELECT plate, code, laboratory, number, wells, assay, fingerprint, extraction_lot, pcr_lot, laid_us, laid_by, state, run, remark FROM plate";

fn plate_of(row: &Row) -> StoreResult<Plate> {
    let plate: PlateId = row.id(0)?;
    let small = |column: usize| row.int(column).map(|n| u16::try_from(n).unwrap_or(0));
    Ok(Plate {
        plate,
        code: row.text(1)?.to_owned(),
        laboratory: row.id(2)?,
        number: row.int(3)?,
        wells: small(4)?,
        assay: row.maybe_text(5)?.map(str::to_owned),
        fingerprint: small(6)?,
        extraction_lot: row.maybe_id(7)?,
        pcr_lot: row.maybe_id(8)?,
        laid: row.time(9)?,
        laid_by: row.maybe_id(10)?,
        state: PlateState::from_name(row.text(11)?).ok_or_else(|| unknown_word("plate", plate, row.text(11).unwrap_or("")))?,
        run: row.maybe_id(12)?,
        remark: row.maybe_text(13)?.map(str::to_owned),
    })
}

pub fn plate(tx: &mut Tx<'_>, plate: PlateId) -> StoreResult<Option<Plate>> {
    tx.first(&format!("{PLATE} WHERE bucket = $1 AND plate = $2"), params![plate.bucket_number(), plate])?.as_ref().map(plate_of).transpose()
}

/// The newest plate that bears this code, in whatever laboratory.
pub fn any_plate_by_code(tx: &mut Tx<'_>, code: &str) -> StoreResult<Option<PlateId>> {
    tx.first("SELECT plate FROM plate WHERE code = $1 ORDER BY laid_us DESC LIMIT 1", params![code])?.map(|row| row.id(0)).transpose()
}

/// The last plates of a laboratory, newest first.
pub fn plates(tx: &mut Tx<'_>, laboratory: PlaceId, limit: i64) -> StoreResult<Vec<Plate>> {
    tx.query(&format!("{PLATE} WHERE laboratory = $1 ORDER BY number DESC LIMIT $2"), params![laboratory, limit])?.iter().map(plate_of).collect()
}

pub fn layout(tx: &mut Tx<'_>, plate: PlateId) -> StoreResult<Vec<WellLaid>> {
    let rows = tx.query("SELECT well, content, tube FROM well WHERE bucket = $1 AND plate = $2 ORDER BY well", params![plate.bucket_number(), plate])?;
    let laid = |row: &Row| {
        let content = content_of(row.text(1)?, row.maybe_id(2)?).ok_or_else(|| unknown_word("well", plate, row.text(1).unwrap_or("")))?;
        Ok(WellLaid { well: u16::try_from(row.int(0)?).unwrap_or(u16::MAX), content })
    };
    rows.iter().map(laid).collect()
}

/// The tubes that stand on a plate, with their clocks, by well.
pub fn tubes_on(tx: &mut Tx<'_>, plate: PlateId) -> StoreResult<HashMap<u16, TubeClock>> {
    let sql = format!(
        "{} JOIN well w ON t.bucket = w.tube >> 56 AND t.tube = w.tube WHERE w.bucket = $1 AND w.plate = $2",
        CLOCK.replacen(" FROM tube_clock", ", w.well FROM tube_clock", 1)
    );
    let rows = tx.query(&sql, params![plate.bucket_number(), plate])?;
    rows.iter().map(|row| Ok((u16::try_from(row.int(CLOCK_COLUMNS)?).unwrap_or(u16::MAX), clock_of(row)?))).collect()
}

/// What a run of this plate is read against.
pub fn plate_for_reading(tx: &mut Tx<'_>, id: PlateId) -> StoreResult<Option<PlateForReading>> {
    let Some(plate) = plate(tx, id)? else { return Ok(None) };
    let layout = layout(tx, id)?;
    let mut tubes = Vec::new();
    for laid in &layout {
        if let WellContent::Tube(tube) = laid.content {
            tubes.push(tube_for_reading(tx, tube)?);
        }
    }
    let mut others = Vec::new();
    let open = tx.query(
        "SELECT plate FROM plate WHERE laboratory = $1 AND state = 'laid' AND plate <> $2 ORDER BY number DESC LIMIT 50",
        params![plate.laboratory, id],
    )?;
    for row in &open {
        let other: PlateId = row.id(0)?;
        let controls = self::layout(tx, other)?.into_iter().filter(|laid| !matches!(laid.content, WellContent::Tube(_))).collect();
        others.push((other, controls));
    }
    Ok(Some(PlateForReading { plate, layout, tubes, others }))
}

fn tube_for_reading(tx: &mut Tx<'_>, tube: TubeId) -> StoreResult<TubeForReading> {
    let clock = tx.first("SELECT ratio FROM tube_clock WHERE bucket = $1 AND tube = $2", params![tube.bucket_number(), tube])?;
    let again =
        tx.first("SELECT version FROM result WHERE bucket = $1 AND tube = $2 AND outcome <> 'negative' LIMIT 1", params![tube.bucket_number(), tube])?;
    let ratio = clock.map_or(Ok(None), |row| row.maybe_int(0))?.unwrap_or(i64::MAX);
    Ok(TubeForReading { tube, ratio, again: again.is_some() })
}

/// Whether anything of a plate's run is out, and whether a finding holds any of it.
pub fn standing_of_run(tx: &mut Tx<'_>, run: Option<RunId>) -> StoreResult<(bool, bool)> {
    let Some(run) = run else { return Ok((false, false)) };
    let out = tx.first("SELECT tube FROM result WHERE run = $1 AND state IN ('released', 'amended') LIMIT 1", params![run])?.is_some();
    let held =
        tx.first("SELECT number FROM run_finding WHERE bucket = $1 AND run = $2 AND wells <> '[]' LIMIT 1", params![run.bucket_number(), run])?.is_some();
    Ok((out, held))
}

const RUN: &str = "SELECT run, plate, laboratory, rules, verify_rules, controls_valid, file_name, file_sha256, instrument, read_us, read_by, \
     proposed_by, proposed_director, override_reason, confirmed_by, confirmed_us FROM run";

fn run_of(row: &Row) -> StoreResult<Run> {
    let run: RunId = row.id(0)?;
    let reason = row.maybe_text(13)?.unwrap_or("").to_owned();
    let proposed: Option<AccountId> = row.maybe_id(11)?;
    let release = match (proposed, row.maybe_id(14)?, row.maybe_time(15)?) {
        (Some(by), Some(and), Some(at)) => Override::Confirmed { by, and, reason, at },
        (Some(by), ..) => Override::Proposed { by, director: row.maybe_int(12)? == Some(1), reason },
        _ => Override::None,
    };
    Ok(Run {
        run,
        plate: row.id(1)?,
        laboratory: row.id(2)?,
        rules: row.text(3)?.to_owned(),
        verify_rules: json("run", &run.to_string(), row.text(4)?)?,
        controls_valid: row.truth(5)?,
        file_name: row.text(6)?.to_owned(),
        file_sha256: row.text(7)?.to_owned(),
        instrument: row.text(8)?.to_owned(),
        read: row.time(9)?,
        read_by: row.maybe_id(10)?,
        release,
        findings: Vec::new(),
    })
}

pub fn run(tx: &mut Tx<'_>, id: RunId) -> StoreResult<Option<Run>> {
    let Some(row) = tx.first(&format!("{RUN} WHERE bucket = $1 AND run = $2"), params![id.bucket_number(), id])? else { return Ok(None) };
    let mut run = run_of(&row)?;
    let rows = tx.query(
        "SELECT code, wells, seen_in, target, matches FROM run_finding WHERE bucket = $1 AND run = $2 ORDER BY number",
        params![id.bucket_number(), id],
    )?;
    for row in &rows {
        run.findings.push(RunFinding {
            code: row.text(0)?.to_owned(),
            wells: json("run_finding", &id.to_string(), row.text(1)?)?,
            seen_in: json("run_finding", &id.to_string(), row.text(2)?)?,
            target: row.maybe_text(3)?.map(str::to_owned),
            matches: row.maybe_id(4)?,
        });
    }
    Ok(Some(run))
}

/// Every run of a plate, oldest first.
pub fn runs_of_plate(tx: &mut Tx<'_>, plate: PlateId) -> StoreResult<Vec<Run>> {
    tx.query(&format!("{RUN} WHERE plate = $1 ORDER BY read_us, run"), params![plate])?.iter().map(run_of).collect()
}

pub fn calls(tx: &mut Tx<'_>, run: RunId) -> StoreResult<Vec<(WellCall, Option<TubeId>)>> {
    let sql = "SELECT well, tube, result, reasons, action, not_passed FROM well_call WHERE bucket = $1 AND run = $2 ORDER BY well";
    let rows = tx.query(sql, params![run.bucket_number(), run])?;
    let call = |row: &Row| {
        let call = WellCall {
            well: u16::try_from(row.int(0)?).unwrap_or(u16::MAX),
            result: row.text(2)?.to_owned(),
            reasons: json("well_call", &run.to_string(), row.text(3)?)?,
            action: row.text(4)?.to_owned(),
            not_passed: json("well_call", &run.to_string(), row.text(5)?)?,
        };
        Ok((call, row.maybe_id(1)?))
    };
    rows.iter().map(call).collect()
}

pub fn readings(tx: &mut Tx<'_>, run: RunId, well: Option<u16>) -> StoreResult<Vec<TargetRead>> {
    let sql =
        "SELECT well, target, call, p_positive, cq, reasons FROM reading WHERE bucket = $1 AND run = $2 AND well >= $3 AND well <= $4 ORDER BY well, number";
    let (low, high) = well.map_or((0, i64::from(u16::MAX)), |well| (i64::from(well), i64::from(well)));
    let rows = tx.query(sql, params![run.bucket_number(), run, low, high])?;
    let reading = |row: &Row| {
        Ok(TargetRead {
            well: u16::try_from(row.int(0)?).unwrap_or(u16::MAX),
            target: row.text(1)?.to_owned(),
            call: row.text(2)?.to_owned(),
            p_positive: row.float(3)?,
            cq: row.maybe_float(4)?,
            reasons: json("reading", &run.to_string(), row.text(5)?)?,
        })
    };
    rows.iter().map(reading).collect()
}

/// The curves of a run, from the ledger itself.
pub fn curves(log: &mut Tx<'_>, run: RunId) -> StoreResult<Option<ReadRun>> {
    #[derive(serde::Deserialize)]
    struct Stored {
        command: ReadRun,
    }
    let row = log.first("SELECT body FROM event WHERE bucket = $1 AND id = $2", params![run.bucket_number(), run])?;
    row.map(|row| json::<Stored>("event", &run.to_string(), row.text(0)?).map(|stored| stored.command)).transpose()
}

/// A run and its specimens, as the signer must know them.
pub fn run_now(tx: &mut Tx<'_>, id: RunId) -> StoreResult<Option<RunNow>> {
    let Some(run) = run(tx, id)? else { return Ok(None) };
    let plate = plate(tx, run.plate)?;
    let lots_good = match &plate {
        Some(plate) => lots_good(tx, plate, run.read)?,
        None => (false, false),
    };
    let mut specimens = Vec::new();
    for (call, tube) in calls(tx, id)? {
        let Some(tube) = tube else { continue };
        let Some(result) = super::results::last_result(tx, tube)? else { continue };
        let clock = super::tube(tx, tube)?;
        let circumstances = circumstances(tx, lots_good, clock.as_ref())?;
        specimens.push(ForSigning { call, tube, result, circumstances });
    }
    Ok(Some(RunNow { run, specimens }))
}

/// Reagents in date when the run was read, and none of them called back since.
fn lots_good(tx: &mut Tx<'_>, plate: &Plate, read: Timestamp) -> StoreResult<(bool, bool)> {
    let (mut in_date, mut not_recalled) = (true, true);
    for id in [plate.extraction_lot, plate.pcr_lot] {
        let known = match id {
            Some(id) => lot(tx, id)?,
            None => None,
        };
        in_date &= known.as_ref().is_some_and(|lot| lot.expires > read);
        not_recalled &= known.is_some_and(|lot| lot.recalled.is_none());
    }
    Ok((in_date, not_recalled))
}

/// What the laboratory checks of a specimen besides its curves. A tube whose fluid lot nobody scanned is not held for that.
fn circumstances(tx: &mut Tx<'_>, lots_good: (bool, bool), clock: Option<&TubeClock>) -> StoreResult<Vec<(&'static str, bool)>> {
    let fluid = match clock.and_then(|clock| clock.fluid_lot) {
        Some(id) => lot(tx, id)?,
        None => None,
    };
    let swabbed = clock.and_then(TubeClock::began);
    let fluid_in_date = fluid.as_ref().is_none_or(|lot| swabbed.is_none_or(|at| at < lot.expires));
    let open = match clock {
        Some(clock) => tx.first(
            "SELECT id FROM laboratory_finding WHERE subject = $1 AND settled_us IS NULL AND code IN ('accessioned_twice', 'tube_not_opened') LIMIT 1",
            params![clock.tube],
        )?,
        None => None,
    };
    Ok(vec![
        ("lots_in_date", lots_good.0 && fluid_in_date),
        ("lots_not_recalled", lots_good.1 && fluid.is_none_or(|lot| lot.recalled.is_none())),
        ("accession_accepted", clock.is_some_and(|clock| clock.accessioned.is_some() && clock.rejected.is_none() && clock.lost.is_none())),
        ("members_known", clock.is_some_and(|clock| clock.members > 0)),
        ("count_matches", clock.is_some_and(|clock| clock.sealed_count.is_none_or(|count| count == clock.members))),
        ("no_open_finding", open.is_none()),
    ])
}

/// A positive control of one run in one target.
#[derive(Clone, PartialEq, Debug)]
pub struct ControlRead {
    pub run: RunId,
    pub at: Timestamp,
    pub plate: String,
    pub assay: String,
    pub target: String,
    pub well: u16,
    pub cq: Option<f64>,
    /// Whether the run's controls were valid.
    pub valid: bool,
}

/// The positive controls of a laboratory's last runs, oldest run first.
pub fn positive_controls(tx: &mut Tx<'_>, laboratory: PlaceId, runs: i64) -> StoreResult<Vec<ControlRead>> {
    let sql = "SELECT r.run, r.read_us, p.code, p.assay, d.target, d.well, d.cq, r.controls_valid FROM (SELECT bucket, run, plate, read_us, controls_valid FROM run \
               WHERE laboratory = $1 ORDER BY read_us DESC, run DESC LIMIT $2) r JOIN plate p ON p.bucket = r.plate >> 56 AND p.plate = r.plate \
               JOIN well w ON w.bucket = p.bucket AND w.plate = p.plate AND w.content = 'positive_control' JOIN reading d ON d.bucket = r.bucket AND d.run = r.run AND d.well = w.well \
               WHERE p.assay IS NOT NULL ORDER BY r.read_us, r.run, d.well, d.number";
    let rows = tx.query(sql, params![laboratory, runs])?;
    let read = |row: &Row| {
        Ok(ControlRead {
            run: row.id(0)?,
            at: row.time(1)?,
            plate: row.text(2)?.to_owned(),
            assay: row.text(3)?.to_owned(),
            target: row.text(4)?.to_owned(),
            well: u16::try_from(row.int(5)?).unwrap_or(u16::MAX),
            cq: row.maybe_float(6)?,
            valid: row.truth(7)?,
        })
    };
    rows.iter().map(read).collect()
}
