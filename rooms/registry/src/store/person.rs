use baton_desk::any_id;
use baton_kit::{AnyId, OperationalDay, PersonId, PlaceId, TypedId};
use baton_ledger::{Param, Row, Secrets, StoreResult, Tx, Vault, params};

use super::wrong;
use crate::events::{DocumentKind, Membership, PlaceKind};
use crate::keys;
use crate::model::{Brief, Person, PersonState, Stay};
use crate::rules::timeline::RUNS;
use crate::rules::{document, name};

/// How many who bear the keys of a question are opened to see whether they answer it.
const CANDIDATES_MAX: i64 = 2_000;

/// A membership from five columns and, behind them, `present`.
pub(super) fn membership_of(row: &Row, at: usize) -> StoreResult<Option<Membership>> {
    if !row.truth(at + 5)? {
        return Ok(None);
    }
    Ok(Some(Membership {
        zone: row.maybe_id(at)?,
        grid: row.maybe_id(at + 1)?,
        building: row.maybe_id(at + 2)?,
        enterprise: row.maybe_id(at + 3)?,
        household: row.maybe_int(at + 4)?,
    }))
}

pub(super) fn member_columns(membership: Option<&Membership>) -> [Param<'static>; 5] {
    let Some(m) = membership else { return [Param::Null; 5] };
    [m.zone.into(), m.grid.into(), m.building.into(), m.enterprise.into(), m.household.into()]
}

/// Whether there is such a person, whatever became of them.
pub fn exists(tx: &mut Tx<'_>, person: PersonId) -> StoreResult<bool> {
    Ok(tx.first("SELECT id FROM person WHERE bucket = $1 AND id = $2", params![person.bucket_number(), person])?.is_some())
}

/// Where a person belongs on a day; nothing when they are not known or nowhere.
pub fn membership(tx: &mut Tx<'_>, person: PersonId, day: OperationalDay) -> StoreResult<Option<Membership>> {
    let row = tx.first(
        "SELECT zone, grid, building, enterprise, household, present FROM affiliation WHERE bucket = $1 AND person = $2 AND from_day <= $3 AND to_day >= $3",
        params![person.bucket_number(), person, i64::from(day.0)],
    )?;
    row.map_or(Ok(None), |row| membership_of(&row, 0))
}

/// The whole history, oldest first; neighbours that say the same are one stay.
pub fn stays(tx: &mut Tx<'_>, person: PersonId) -> StoreResult<Vec<Stay>> {
    let rows = tx.query(
        "SELECT zone, grid, building, enterprise, household, present, from_day, to_day, import FROM affiliation WHERE bucket = $1 AND person = $2 ORDER BY from_day",
        params![person.bucket_number(), person],
    )?;
    let mut stays: Vec<Stay> = Vec::new();
    for row in &rows {
        let to_day = Some(row.int(7)?).filter(|day| *day < RUNS).map(|day| OperationalDay(day as i32));
        let stay = Stay { from_day: OperationalDay(row.int(6)? as i32), to_day, membership: membership_of(row, 0)?, import: row.maybe_id(8)? };
        match stays.last_mut() {
            Some(last) if last.membership == stay.membership => last.to_day = stay.to_day,
            _ => stays.push(stay),
        }
    }
    Ok(stays)
}

const PERSON: &str = "SELECT id, state, sealed, tags, recorded_us FROM person";

struct Sealed {
    id: PersonId,
    state: PersonState,
    sealed: Vec<u8>,
    tags: Vec<String>,
    recorded: baton_kit::Timestamp,
}

fn sealed_of(row: &Row) -> StoreResult<Sealed> {
    let id: PersonId = row.id(0)?;
    Ok(Sealed {
        id,
        state: PersonState::from_name(row.text(1)?).ok_or_else(|| wrong("person", id, "no such state"))?,
        sealed: row.bytes(2)?.to_vec(),
        tags: serde_json::from_str(row.text(3)?).map_err(|error| wrong("person", id, error))?,
        recorded: row.time(4)?,
    })
}

fn opened(vault: &Vault, people: Vec<Sealed>) -> StoreResult<Vec<Person>> {
    let texts: Vec<(AnyId, &[u8])> = people.iter().map(|p| (any_id(p.id), p.sealed.as_slice())).collect();
    let texts = vault.open_many(&texts)?;
    let open = |(p, text): (Sealed, Option<Vec<u8>>)| {
        let particulars = text.map(|text| serde_json::from_slice(&text).map_err(|error| wrong("person", p.id, error))).transpose()?;
        Ok(Person { id: p.id, state: p.state, particulars, tags: p.tags, recorded: p.recorded })
    };
    people.into_iter().zip(texts).map(open).collect()
}

/// A person with everything that can be read of them.
pub fn person(tx: &mut Tx<'_>, vault: &Vault, id: PersonId) -> StoreResult<Option<Person>> {
    Ok(open_rows(tx, vault, &[id])?.into_iter().next())
}

fn open_rows(tx: &mut Tx<'_>, vault: &Vault, people: &[PersonId]) -> StoreResult<Vec<Person>> {
    let mut rows = Vec::with_capacity(people.len());
    for id in people {
        let row = tx.first(&format!("{PERSON} WHERE bucket = $1 AND id = $2"), params![id.bucket_number(), *id])?;
        rows.extend(row.as_ref().map(sealed_of).transpose()?);
    }
    opened(vault, rows)
}

/// People with name and document, in the order asked; who is unknown, withdrawn or shredded is left out.
/// Whoever shows them calls [`baton_desk::Desk::looked`].
pub fn open_people(tx: &mut Tx<'_>, vault: &Vault, people: &[PersonId]) -> StoreResult<Vec<Brief>> {
    let people = open_rows(tx, vault, people)?;
    Ok(people.into_iter().filter(|p| p.state == PersonState::Active).filter_map(brief_of).collect())
}

fn brief_of(person: Person) -> Option<Brief> {
    person.particulars.map(|particulars| Brief::of(person.id, &particulars, person.tags))
}

/// One person with name and document; nothing when unknown, withdrawn or shredded.
pub fn person_brief(tx: &mut Tx<'_>, vault: &Vault, person: PersonId) -> StoreResult<Option<Brief>> {
    Ok(open_people(tx, vault, &[person])?.into_iter().next())
}

/// What is stored under a document.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Known {
    pub person: PersonId,
    pub active: bool,
}

/// Who bears a document, by its key; an active person before a withdrawn one, the first entered first.
pub fn person_by_keys(tx: &mut Tx<'_>, document_key: i64) -> StoreResult<Option<Known>> {
    let rows = tx.query("SELECT id, state FROM person WHERE document_key = $1 ORDER BY state, id", params![document_key])?;
    rows.first().map(|row| Ok(Known { person: row.id(0)?, active: row.text(1)? == PersonState::Active.name() })).transpose()
}

/// The active person who bears a document; `number` as somebody typed it.
pub fn person_by_document(tx: &mut Tx<'_>, secrets: &Secrets, kind: DocumentKind, number: &str) -> StoreResult<Option<PersonId>> {
    let Ok(number) = document::document(kind, number) else { return Ok(None) };
    Ok(person_by_keys(tx, keys::document(secrets, kind, &number))?.filter(|known| known.active).map(|known| known.person))
}

/// Active people who answer `text`: a document number of any kind, a telephone number, a Chinese name or a part of one
/// (two characters suffice), pinyin in full or initials. At most `limit`, by id.
pub fn search(tx: &mut Tx<'_>, vault: &Vault, text: &str, limit: usize) -> StoreResult<Vec<Brief>> {
    let text = text.trim();
    let mut people = by_number(tx, vault.secrets(), text)?;
    if !people.is_empty() {
        people.truncate(limit);
        return open_people(tx, vault, &people);
    }
    for alternative in name::asked(text) {
        let found = by_terms(tx, vault, &alternative, text, limit)?;
        if !found.is_empty() {
            return Ok(found);
        }
    }
    Ok(Vec::new())
}

fn by_number(tx: &mut Tx<'_>, secrets: &Secrets, text: &str) -> StoreResult<Vec<PersonId>> {
    let mut people = Vec::new();
    if !text.chars().any(|c| document::narrow_character(c).is_ascii_digit()) {
        return Ok(people);
    }
    for kind in DocumentKind::ALL {
        people.extend(person_by_document(tx, secrets, kind, text)?);
    }
    if people.is_empty()
        && let Ok(number) = document::phone(text)
    {
        let rows = tx.query("SELECT id FROM person WHERE phone_key = $1 AND state = 'active' ORDER BY id", params![keys::phone(secrets, &number)])?;
        people = rows.iter().map(|row| row.id(0)).collect::<StoreResult<_>>()?;
    }
    people.dedup();
    Ok(people)
}

/// Who has all of these terms, opened a few at a time until enough really answer.
fn by_terms(tx: &mut Tx<'_>, vault: &Vault, terms: &[String], text: &str, limit: usize) -> StoreResult<Vec<Brief>> {
    let keys: Vec<i64> = terms.iter().map(|term| keys::term(vault.secrets(), term)).collect();
    let Some((first, others)) = keys.split_first() else { return Ok(Vec::new()) };
    let also: String = (0..others.len())
        .map(|i| format!(" AND EXISTS (SELECT 1 FROM name_key o WHERE o.key = ${} AND o.person = n.person AND o.bucket = n.bucket)", i + 2))
        .collect();
    let sql = format!("SELECT n.person FROM name_key n WHERE n.key = $1{also} ORDER BY n.person LIMIT {CANDIDATES_MAX}");
    let params: Vec<Param<'_>> = std::iter::once(first).chain(others).map(|key| (*key).into()).collect();
    let rows = tx.query(&sql, &params)?;
    let candidates: Vec<PersonId> = rows.iter().map(|row| row.id(0)).collect::<StoreResult<_>>()?;
    let mut found = Vec::new();
    for some in candidates.chunks(limit.clamp(1, 100)) {
        found.extend(open_people(tx, vault, some)?.into_iter().filter(|brief| name::answers(&brief.name, text)));
        if found.len() >= limit {
            break;
        }
    }
    found.truncate(limit);
    Ok(found)
}

/// The column of `affiliation` that names places of a kind people belong to.
fn member_column(kind: PlaceKind) -> Option<&'static str> {
    match kind {
        PlaceKind::Zone => Some("zone"),
        PlaceKind::Grid => Some("grid"),
        PlaceKind::Building => Some("building"),
        PlaceKind::Enterprise => Some("enterprise"),
        PlaceKind::Point | PlaceKind::Laboratory | PlaceKind::Gate => None,
    }
}

/// Who belonged to a zone, grid, building or enterprise on a day, one by one in the order of their ids; of other kinds of
/// place nobody. Withdrawn people are not among them; shredded ones are, without a name to show.
pub fn people_in(
    tx: &mut Tx<'_>,
    place: PlaceId,
    kind: PlaceKind,
    day: OperationalDay,
    mut take: impl FnMut(PersonId, Membership) -> StoreResult<()>,
) -> StoreResult<()> {
    let Some(column) = member_column(kind) else { return Ok(()) };
    // Not by bucket: whoever moves to another zone keeps their id.
    let sql = format!(
        "SELECT person, zone, grid, building, enterprise, household, present FROM affiliation \
         WHERE {column} = $1 AND from_day <= $2 AND to_day >= $2 AND present = 1 ORDER BY person"
    );
    tx.each(&sql, params![place, i64::from(day.0)], |row| match membership_of(&row, 1)? {
        Some(membership) => take(row.id(0)?, membership),
        None => Ok(()),
    })
}

/// Every active or shredded person who belonged anywhere on a day, with tags: for opening a campaign.
pub fn each_person(tx: &mut Tx<'_>, day: OperationalDay, mut take: impl FnMut(PersonId, Membership, Vec<String>) -> StoreResult<()>) -> StoreResult<()> {
    let sql = "SELECT a.person, a.zone, a.grid, a.building, a.enterprise, a.household, a.present, p.tags FROM affiliation a \
               JOIN person p ON p.bucket = a.bucket AND p.id = a.person WHERE a.from_day <= $1 AND a.to_day >= $1 AND a.present = 1";
    tx.each(sql, params![i64::from(day.0)], |row| {
        let person: PersonId = row.id(0)?;
        let text = row.text(7)?;
        let tags = if text == "[]" { Vec::new() } else { serde_json::from_str(text).map_err(|error| wrong("person", person, error))? };
        match membership_of(&row, 1)? {
            Some(membership) => take(person, membership, tags),
            None => Ok(()),
        }
    })
}

/// Everybody there is, in the order of their ids, from after one.
pub fn people_after(tx: &mut Tx<'_>, after: PersonId, limit: i64) -> StoreResult<Vec<PersonId>> {
    let sql = "SELECT id FROM person WHERE (bucket, id) > ($1, $2) ORDER BY bucket, id LIMIT $3";
    tx.query(sql, params![after.bucket_number(), after, limit])?.iter().map(|row| row.id(0)).collect()
}

/// Everybody whose data key is to be destroyed.
pub fn shredded(tx: &mut Tx<'_>) -> StoreResult<Vec<PersonId>> {
    tx.query("SELECT id FROM person WHERE state = 'shredded' ORDER BY bucket, id", &[])?.iter().map(|row| row.id(0)).collect()
}
