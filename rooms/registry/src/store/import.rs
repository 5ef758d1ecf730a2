use std::collections::HashMap;

use baton_kit::{Bucket, Device, ImportId, OperationalDay, PersonId, PlaceId, TypedId};
use baton_ledger::{Event, Row, Sealed, StoreResult, Tx, params, to_json};

use super::wrong;
use crate::events::{BeginImport, ImportFinished, Membership, UndoImport};
use crate::model::{Import, ImportState, PersonState};
use crate::rules::timeline::RUNS;

pub(super) fn begun(tx: &mut Tx<'_>, event: &Event) -> StoreResult<()> {
    let decided = event.decided::<BeginImport>()?;
    let command = decided.command;
    tx.execute(
        "INSERT INTO import (bucket, id, device, file, file_sha256, row_count, from_day, begun_us, counts, undone) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, '', 0) ON CONFLICT (bucket, id) DO NOTHING",
        params![
            event.id.bucket_number(),
            event.id,
            i64::from(decided.outcome.device.number()),
            &command.file,
            &command.file_sha256,
            i64::try_from(command.rows).unwrap_or(i64::MAX),
            i64::from(command.from_day.0),
            event.happened
        ],
    )?;
    Ok(())
}

pub(super) fn finished(tx: &mut Tx<'_>, event: &Event) -> StoreResult<()> {
    let body: ImportFinished = event.body()?;
    tx.execute("UPDATE import SET counts = $3 WHERE bucket = $1 AND id = $2", params![body.import.bucket_number(), body.import, &to_json(&body.counts)?])?;
    Ok(())
}

pub(super) fn undone(tx: &mut Tx<'_>, event: &Event) -> StoreResult<()> {
    let import = event.decided::<UndoImport>()?.command.import;
    tx.execute("UPDATE import SET undone = 1 WHERE bucket = $1 AND id = $2", params![import.bucket_number(), import])?;
    Ok(())
}

const IMPORT: &str = "SELECT id, device, file, file_sha256, row_count, from_day, begun_us, counts, undone FROM import";

fn import_of(row: &Row) -> StoreResult<Import> {
    let id: ImportId = row.id(0)?;
    let (counts, undone) = (row.text(7)?, row.truth(8)?);
    let counts = if counts.is_empty() { None } else { Some(serde_json::from_str(counts).map_err(|error| wrong("import", id, error))?) };
    let state = match (counts, undone) {
        (counts, true) => ImportState::Undone(counts.unwrap_or_default()),
        (Some(counts), false) => ImportState::Finished(counts),
        (None, false) => ImportState::Begun,
    };
    let device = u32::try_from(row.int(1)?).ok().and_then(|number| Device::new(number).ok());
    Ok(Import {
        id,
        device: device.ok_or_else(|| wrong("import", id, "no such device"))?,
        file: row.text(2)?.to_owned(),
        file_sha256: row.text(3)?.to_owned(),
        rows: row.int(4)?.unsigned_abs(),
        from_day: OperationalDay(row.int(5)? as i32),
        begun: row.time(6)?,
        state,
    })
}

pub fn import(tx: &mut Tx<'_>, id: ImportId) -> StoreResult<Option<Import>> {
    let row = tx.first(&format!("{IMPORT} WHERE bucket = $1 AND id = $2"), params![id.bucket_number(), id])?;
    row.as_ref().map(import_of).transpose()
}

/// The latest imports first.
pub fn imports(tx: &mut Tx<'_>, limit: i64) -> StoreResult<Vec<Import>> {
    tx.query(&format!("{IMPORT} ORDER BY begun_us DESC, id DESC LIMIT $1"), params![limit])?.iter().map(import_of).collect()
}

/// The highest number an import was given.
pub fn last_import_device(tx: &mut Tx<'_>) -> StoreResult<Option<i64>> {
    tx.one("SELECT max(device) FROM import", &[])?.maybe_int(0)
}

/// What is stored under each document: whose it is and what it says, to tell what a file changes.
pub struct StoredPerson {
    pub person: PersonId,
    /// False for a withdrawn person, who is new again.
    pub active: bool,
    /// Nothing for one who left: whatever a file says of them is a change.
    pub content: Option<i64>,
}

/// Everybody by document key. About 40 bytes a person.
pub fn content_keys(tx: &mut Tx<'_>) -> StoreResult<HashMap<i64, StoredPerson>> {
    let mut known: HashMap<i64, StoredPerson> = HashMap::new();
    tx.each("SELECT document_key, id, content_key, state FROM person WHERE document_key IS NOT NULL ORDER BY state, bucket, id", &[], |row| {
        known.entry(row.int(0)?).or_insert(StoredPerson { person: row.id(1)?, active: row.text(3)? == PersonState::Active.name(), content: row.maybe_int(2)? });
        Ok(())
    })?;
    Ok(known)
}

/// Whose membership in a zone or enterprise runs now.
pub fn members_of(tx: &mut Tx<'_>, place: PlaceId, enterprise: bool) -> StoreResult<Vec<PersonId>> {
    let column = if enterprise { "enterprise" } else { "zone" };
    let sql = format!(
        "SELECT a.person FROM affiliation a JOIN person p ON p.bucket = a.bucket AND p.id = a.person \
         WHERE a.{column} = $1 AND a.to_day = $2 AND a.present = 1 AND p.state = 'active' ORDER BY a.person"
    );
    tx.query(&sql, params![place, RUNS])?.iter().map(|row| row.id(0)).collect()
}

/// Whom an import entered and nobody has changed since, by bucket and id.
pub fn people_of_import(tx: &mut Tx<'_>, import: ImportId) -> StoreResult<Vec<PersonId>> {
    let mut people = Vec::new();
    for number in 0..Bucket::COUNT {
        let rows = tx.query("SELECT id FROM person WHERE bucket = $1 AND import = $2 AND state = 'active' ORDER BY id", params![i64::from(number), import])?;
        for row in &rows {
            people.push(row.id(0)?);
        }
    }
    Ok(people)
}

/// What an import found before it changed or ended something.
#[derive(Clone, Debug)]
pub struct Replaced {
    pub person: PersonId,
    pub from_day: OperationalDay,
    pub sealed: Sealed,
    pub tags: Vec<String>,
    pub membership: Option<Membership>,
}

/// What an import replaced, of people whom nobody changed after it.
pub fn replaced_by(tx: &mut Tx<'_>, import: ImportId) -> StoreResult<Vec<Replaced>> {
    let rows = tx.query(
        "SELECT r.person, r.from_day, r.sealed, r.tags, r.membership FROM replaced r \
         JOIN affiliation a ON a.bucket = r.bucket AND a.person = r.person AND a.from_day = r.from_day AND a.import = r.import \
         WHERE r.import = $1 AND a.to_day = $2 ORDER BY r.person",
        params![import, RUNS],
    )?;
    rows.iter()
        .map(|row| {
            let person: PersonId = row.id(0)?;
            let json = |problem: serde_json::Error| wrong("replaced", person, problem);
            Ok(Replaced {
                person,
                from_day: OperationalDay(row.int(1)? as i32),
                sealed: Sealed(row.bytes(2)?.to_vec()),
                tags: serde_json::from_str(row.text(3)?).map_err(json)?,
                membership: serde_json::from_str(row.text(4)?).map_err(json)?,
            })
        })
        .collect()
}
