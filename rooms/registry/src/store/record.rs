//! People into the tables: recorded, changed, left, withdrawn, shredded.

use std::collections::BTreeMap;

use baton_desk::any_id;
use baton_kit::{ImportId, OperationalDay, PersonId, PlaceId, TypedId};
use baton_ledger::{Event, Param, Row, StoreResult, Tx, Vault, params, to_json};

use super::finding;
use super::person::{member_columns, membership_of};
use crate::events::{Membership, Particulars, PeopleLeft, PeopleRecorded, PeopleWithdrawn, PersonRecord, ShredPerson};
use crate::keys::{self, Keys};
use crate::model::PersonState;
use crate::rules::timeline::{self, Point};

/// Counts of places, changed together at the end of an event.
#[derive(Default)]
struct Counts(BTreeMap<PlaceId, i64>);

impl Counts {
    fn add(&mut self, membership: Option<&Membership>, by: i64) {
        let Some(Membership { zone, grid, building, enterprise, household: _ }) = membership else { return };
        for place in [zone, grid, building, enterprise].into_iter().flatten() {
            *self.0.entry(*place).or_default() += by;
        }
    }

    fn store(self, tx: &mut Tx<'_>) -> StoreResult<()> {
        for (place, by) in self.0.into_iter().filter(|(_, by)| *by != 0) {
            tx.execute(
                "INSERT INTO place_count (bucket, place, people) VALUES ($1, $2, $3) ON CONFLICT (bucket, place) DO UPDATE SET people = place_count.people + excluded.people",
                params![place.bucket_number(), place, by],
            )?;
        }
        Ok(())
    }
}

pub(super) fn recorded(tx: &mut Tx<'_>, event: &Event, vault: &Vault) -> StoreResult<()> {
    let body: PeopleRecorded = event.body()?;
    let sealed: Vec<_> = body.people.iter().map(|record| (any_id(record.person), record.sealed.0.as_slice())).collect();
    let opened = vault.open_many(&sealed)?;
    let mut counts = Counts::default();
    let mut names: Vec<(i64, PersonId)> = Vec::new();
    for (record, text) in body.people.iter().zip(opened) {
        let text = text.and_then(|text| String::from_utf8(text).ok());
        let fresh = Fresh::of(vault, record, text.as_deref())?;
        if !put_person(tx, event, vault, &body, record, &fresh)? {
            continue;
        }
        names.extend(fresh.names.iter().map(|key| (*key, record.person)));
        let point = Point { from_day: body.from_day, membership: Some(record.membership.clone()), import: body.import };
        put_point(tx, record.person, &point, &mut counts)?;
    }
    put_names(tx, names)?;
    counts.store(tx)
}

/// How many keys of names one statement takes: they are most of an import's rows.
const NAMES_TOGETHER: usize = 50;

fn put_names(tx: &mut Tx<'_>, mut names: Vec<(i64, PersonId)>) -> StoreResult<()> {
    let insert = |rows: usize| {
        let rows: Vec<String> = (0..rows).map(|row| format!("(${}, ${}, ${})", row * 3 + 1, row * 3 + 2, row * 3 + 3)).collect();
        format!("INSERT INTO name_key (bucket, key, person) VALUES {} ON CONFLICT (key, person, bucket) DO NOTHING", rows.join(", "))
    };
    let (many, one) = (insert(NAMES_TOGETHER), insert(1));
    names.sort_unstable();
    let params: Vec<Param<'_>> = names.iter().flat_map(|(key, person)| [person.bucket_number().into(), (*key).into(), (*person).into()]).collect();
    let (together, rest) = params.split_at(params.len() / (3 * NAMES_TOGETHER) * 3 * NAMES_TOGETHER);
    for some in together.chunks(3 * NAMES_TOGETHER) {
        tx.execute(&many, some)?;
    }
    for single in rest.chunks(3) {
        tx.execute(&one, single)?;
    }
    Ok(())
}

/// What is stored beside the sealed text; nothing of it when the person's key is destroyed.
#[derive(Default)]
struct Fresh {
    document: Option<i64>,
    phone: Option<i64>,
    content: Option<i64>,
    names: Vec<i64>,
}

impl Fresh {
    fn of(vault: &Vault, record: &PersonRecord, text: Option<&str>) -> StoreResult<Self> {
        let particulars: Option<Particulars> = text.and_then(|text| serde_json::from_str(text).ok());
        let (Some(text), Some(particulars)) = (text, particulars) else { return Ok(Self::default()) };
        let secrets = vault.secrets();
        let Keys { document, phone, names } = Keys::of(secrets, &particulars);
        let content = keys::content(secrets, text, &record.membership, &record.tags);
        Ok(Self { document: Some(document), phone, content: Some(content), names })
    }
}

/// Inserts or changes the person's row; false when the person was shredded and nothing more is kept.
fn put_person(tx: &mut Tx<'_>, event: &Event, vault: &Vault, body: &PeopleRecorded, record: &PersonRecord, fresh: &Fresh) -> StoreResult<bool> {
    let (bucket, id) = (record.person.bucket_number(), record.person);
    // A text nobody can read is not kept.
    let sealed: &[u8] = if fresh.content.is_some() { &record.sealed.0 } else { &[] };
    let tags = to_json(&record.tags)?;
    let inserted = tx.execute(
        "INSERT INTO person (bucket, id, state, sealed, tags, document_key, phone_key, content_key, import, recorded_us) \
         VALUES ($1, $2, 'active', $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (bucket, id) DO NOTHING",
        params![bucket, id, sealed, &tags, fresh.document, fresh.phone, fresh.content, body.import, event.happened],
    )?;
    if inserted == 0 {
        let old = Old::load(tx, id)?;
        if old.state == PersonState::Shredded {
            return Ok(false);
        }
        if old.state == PersonState::Active {
            remember(tx, body.import, body.from_day, id, &old)?;
            forget_names(tx, vault, id, &old.sealed)?;
        }
        // Whoever an import brings back is withdrawn with it again; whoever it only changes is not.
        let import = if old.state == PersonState::Withdrawn { body.import } else { old.import.filter(|import| body.import == Some(*import)) };
        tx.execute(
            "UPDATE person SET state = 'active', sealed = $3, tags = $4, document_key = $5, phone_key = $6, content_key = $7, import = $8, recorded_us = $9 WHERE bucket = $1 AND id = $2",
            params![bucket, id, sealed, &tags, fresh.document, fresh.phone, fresh.content, import, event.happened],
        )?;
    }
    if let Some(document) = fresh.document {
        let same = tx.query("SELECT id FROM person WHERE document_key = $1 AND id <> $2 AND state = 'active'", params![document, id])?;
        for row in same {
            finding::same_document(tx, event, id, row.id(0)?)?;
        }
    }
    Ok(true)
}

/// A person's row as it stands before an event.
struct Old {
    state: PersonState,
    sealed: Vec<u8>,
    tags: String,
    import: Option<ImportId>,
}

impl Old {
    fn load(tx: &mut Tx<'_>, id: PersonId) -> StoreResult<Self> {
        let row = tx.one("SELECT state, sealed, tags, import FROM person WHERE bucket = $1 AND id = $2", params![id.bucket_number(), id])?;
        Self::of(&row)
    }
    fn of(row: &Row) -> StoreResult<Self> {
        let state = PersonState::from_name(row.text(0)?).unwrap_or(PersonState::Active);
        Ok(Self { state, sealed: row.bytes(1)?.to_vec(), tags: row.text(2)?.to_owned(), import: row.maybe_id(3)? })
    }
}

/// Keeps what an import is about to change or end.
fn remember(tx: &mut Tx<'_>, import: Option<ImportId>, from_day: OperationalDay, person: PersonId, old: &Old) -> StoreResult<()> {
    let Some(import) = import else { return Ok(()) };
    if old.import == Some(import) {
        return Ok(()); // of the same import: taking it back withdraws the person
    }
    let points = points(tx, person)?;
    let membership = timeline::on(&points, from_day).cloned();
    tx.execute(
        "INSERT INTO replaced (bucket, import, person, from_day, sealed, tags, membership) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (import, person, bucket) DO NOTHING",
        params![person.bucket_number(), import, person, i64::from(from_day.0), &old.sealed, &old.tags, &to_json(&membership)?],
    )?;
    Ok(())
}

fn points(tx: &mut Tx<'_>, person: PersonId) -> StoreResult<Vec<Point>> {
    let rows = tx.query(
        "SELECT zone, grid, building, enterprise, household, present, from_day, import FROM affiliation WHERE bucket = $1 AND person = $2",
        params![person.bucket_number(), person],
    )?;
    let point = |row: &Row| Ok(Point { from_day: OperationalDay(row.int(6)? as i32), membership: membership_of(row, 0)?, import: row.maybe_id(7)? });
    let mut points = rows.iter().map(point).collect::<StoreResult<Vec<Point>>>()?;
    points.sort_unstable_by_key(|point| point.from_day);
    Ok(points)
}

fn put_point(tx: &mut Tx<'_>, person: PersonId, point: &Point, counts: &mut Counts) -> StoreResult<()> {
    let change = timeline::put(&points(tx, person)?, point);
    let (bucket, from_day) = (person.bucket_number(), i64::from(point.from_day.0));
    if let Some(day) = change.shortened {
        tx.execute(
            "UPDATE affiliation SET to_day = $4 WHERE bucket = $1 AND person = $2 AND from_day = $3",
            params![bucket, person, i64::from(day.0), from_day - 1],
        )?;
    }
    let [zone, grid, building, enterprise, household] = member_columns(point.membership.as_ref());
    tx.execute(
        "INSERT INTO affiliation (bucket, person, from_day, to_day, present, zone, grid, building, enterprise, household, import) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) \
         ON CONFLICT (bucket, person, from_day) DO UPDATE SET present = excluded.present, zone = excluded.zone, grid = excluded.grid, building = excluded.building, \
         enterprise = excluded.enterprise, household = excluded.household, import = excluded.import",
        &[bucket.into(), person.into(), from_day.into(), change.to_day.into(), point.membership.is_some().into(), zone, grid, building, enterprise, household, point.import.into()],
    )?;
    counts.add(change.stopped.as_ref(), -1);
    counts.add(change.started.as_ref(), 1);
    Ok(())
}

/// Takes a name's keys away; when the text cannot be read any more, by looking through all keys.
fn forget_names(tx: &mut Tx<'_>, vault: &Vault, person: PersonId, sealed: &[u8]) -> StoreResult<()> {
    let text = if sealed.is_empty() { None } else { vault.open(any_id(person), sealed)? };
    let particulars: Option<Particulars> = text.and_then(|text| serde_json::from_slice(&text).ok());
    let Some(particulars) = particulars else {
        tx.execute("DELETE FROM name_key WHERE bucket = $1 AND person = $2", params![person.bucket_number(), person])?;
        return Ok(());
    };
    for key in keys::names(vault.secrets(), &particulars.name) {
        tx.execute("DELETE FROM name_key WHERE key = $1 AND person = $2 AND bucket = $3", params![key, person, person.bucket_number()])?;
    }
    Ok(())
}

pub(super) fn left(tx: &mut Tx<'_>, event: &Event) -> StoreResult<()> {
    let body: PeopleLeft = event.body()?;
    let mut counts = Counts::default();
    let from_day = OperationalDay(body.last_day.0.saturating_add(1));
    for person in body.people {
        let row = tx.first("SELECT state, sealed, tags, import FROM person WHERE bucket = $1 AND id = $2", params![person.bucket_number(), person])?;
        if let Some(row) = row {
            remember(tx, body.import, from_day, person, &Old::of(&row)?)?;
            // Whoever comes back is a change, even with the same particulars.
            tx.execute("UPDATE person SET content_key = NULL WHERE bucket = $1 AND id = $2", params![person.bucket_number(), person])?;
        }
        put_point(tx, person, &Point { from_day, membership: None, import: body.import }, &mut counts)?;
    }
    counts.store(tx)
}

pub(super) fn withdrawn(tx: &mut Tx<'_>, event: &Event, vault: &Vault) -> StoreResult<()> {
    let body: PeopleWithdrawn = event.body()?;
    let mut counts = Counts::default();
    for person in body.people {
        let old = Old::load(tx, person)?;
        if old.state != PersonState::Active || old.import != Some(body.import) {
            continue; // touched by somebody else since
        }
        forget_names(tx, vault, person, &old.sealed)?;
        tx.execute(
            "UPDATE person SET state = 'withdrawn', phone_key = NULL, content_key = NULL WHERE bucket = $1 AND id = $2",
            params![person.bucket_number(), person],
        )?;
        put_point(tx, person, &Point { from_day: body.from_day, membership: None, import: Some(body.import) }, &mut counts)?;
    }
    counts.store(tx)
}

pub(super) fn shredded(tx: &mut Tx<'_>, event: &Event, vault: &Vault) -> StoreResult<()> {
    let person = event.decided::<ShredPerson>()?.command.person;
    let bucket = person.bucket_number();
    if let Some(row) = tx.first("SELECT state, sealed, tags, import FROM person WHERE bucket = $1 AND id = $2", params![bucket, person])? {
        forget_names(tx, vault, person, &Old::of(&row)?.sealed)?;
    }
    tx.execute(
        "INSERT INTO person (bucket, id, state, sealed, tags, recorded_us) VALUES ($1, $2, 'shredded', $3, '[]', $4) \
         ON CONFLICT (bucket, id) DO UPDATE SET state = 'shredded', sealed = excluded.sealed, tags = '[]', document_key = NULL, phone_key = NULL, content_key = NULL, import = NULL",
        params![bucket, person, Param::Bytes(&[]), event.happened],
    )?;
    tx.execute("DELETE FROM replaced WHERE person = $1", params![person])?;
    tx.execute("DELETE FROM registry_finding WHERE subject = $1 OR other = $1", params![person])?;
    Ok(())
}
