use std::collections::HashMap;

use baton_desk::PlaceNames;
use baton_kit::{Bucket, PlaceId, TypedId};
use baton_ledger::{Event, Param, Row, StoreResult, Tx, params, to_json};

use super::wrong;
use crate::events::{AddPlace, ChangePlace, PlaceKind};
use crate::model::Place;
use crate::rules::place::PlacesNow;

/// A tree of places is never deeper; a longer chain is a loop in the data.
const DEPTH_MAX: usize = 8;

pub(super) fn added(tx: &mut Tx<'_>, event: &Event) -> StoreResult<()> {
    let command = event.decided::<AddPlace>()?.command;
    tx.execute(
        "INSERT INTO place (bucket, id, kind, code, name, parent, details, credit_code, closed) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0) ON CONFLICT (bucket, id) DO NOTHING",
        params![
            event.id.bucket_number(),
            event.id,
            command.kind.name(),
            &command.code,
            &command.name,
            command.parent,
            &to_json(&command.details)?,
            command.details.credit_code.as_deref()
        ],
    )?;
    Ok(())
}

pub(super) fn changed(tx: &mut Tx<'_>, event: &Event) -> StoreResult<()> {
    let command = event.decided::<ChangePlace>()?.command;
    let (bucket, id) = (command.place.bucket_number(), command.place);
    if let Some(name) = &command.name {
        tx.execute("UPDATE place SET name = $3 WHERE bucket = $1 AND id = $2", params![bucket, id, name])?;
    }
    if let Some(details) = &command.details {
        let sql = "UPDATE place SET details = $3, credit_code = $4 WHERE bucket = $1 AND id = $2";
        tx.execute(sql, params![bucket, id, &to_json(details)?, details.credit_code.as_deref()])?;
    }
    if let Some(closed) = command.closed {
        tx.execute("UPDATE place SET closed = $3 WHERE bucket = $1 AND id = $2", params![bucket, id, closed])?;
    }
    Ok(())
}

const PLACE: &str = "SELECT p.id, p.kind, p.code, p.name, p.parent, p.details, p.closed, coalesce(c.people, 0) \
                     FROM place p LEFT JOIN place_count c ON c.bucket = p.bucket AND c.place = p.id";

fn place_of(row: &Row) -> StoreResult<Place> {
    let id: PlaceId = row.id(0)?;
    Ok(Place {
        id,
        kind: PlaceKind::from_name(row.text(1)?).ok_or_else(|| wrong("place", id, "no such kind"))?,
        code: row.text(2)?.to_owned(),
        name: row.text(3)?.to_owned(),
        parent: row.maybe_id(4)?,
        details: serde_json::from_str(row.text(5)?).map_err(|error| wrong("place", id, error))?,
        closed: row.truth(6)?,
        people: row.int(7)?,
    })
}

pub fn place(tx: &mut Tx<'_>, id: PlaceId) -> StoreResult<Option<Place>> {
    let row = tx.first(&format!("{PLACE} WHERE p.bucket = $1 AND p.id = $2"), params![id.bucket_number(), id])?;
    row.as_ref().map(place_of).transpose()
}

/// Places asked for in one statement.
const AT_ONCE: usize = 200;

/// Codes and names of places; one that is not known is left out.
pub fn place_names(tx: &mut Tx<'_>, places: &[PlaceId]) -> StoreResult<PlaceNames> {
    let mut names = HashMap::with_capacity(places.len());
    let mut sorted = places.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    // By the whole key, so that the store finds each at once.
    for some in sorted.chunk_by(|a, b| a.bucket() == b.bucket()).flat_map(|bucket| bucket.chunks(AT_ONCE)) {
        let marks: Vec<String> = (2..some.len() + 2).map(|n| format!("${n}")).collect();
        let sql = format!("SELECT id, code, name FROM place WHERE bucket = $1 AND id IN ({})", marks.join(", "));
        let values: Vec<Param<'_>> = [some[0].bucket_number()].into_iter().chain(some.iter().map(|place| place.raw())).map(Param::Int).collect();
        tx.each(&sql, &values, |row| {
            names.insert(row.id(0)?, (row.text(1)?.to_owned(), row.text(2)?.to_owned()));
            Ok(())
        })?;
    }
    Ok(names)
}

/// The place and everything above it, the place first; empty when it is not known. For [`baton_desk::Actor::must_reach`].
pub fn place_chain(tx: &mut Tx<'_>, id: PlaceId) -> StoreResult<Vec<PlaceId>> {
    let mut chain = Vec::new();
    let mut next = Some(id);
    while let Some(id) = next.filter(|_| chain.len() < DEPTH_MAX) {
        let Some(row) = tx.first("SELECT parent FROM place WHERE bucket = $1 AND id = $2", params![id.bucket_number(), id])? else { break };
        chain.push(id);
        next = row.maybe_id(0)?;
    }
    Ok(chain)
}

/// Open and closed places of a kind, by code. `limit` bounds the list.
pub fn places_of_kind(tx: &mut Tx<'_>, kind: PlaceKind, limit: i64) -> StoreResult<Vec<Place>> {
    let rows = tx.query(&format!("{PLACE} WHERE p.kind = $1 ORDER BY p.code LIMIT $2"), params![kind.name(), limit])?;
    rows.iter().map(place_of).collect()
}

/// One page of a list.
#[derive(Clone, Copy, Debug)]
pub struct Paged {
    pub limit: i64,
    pub offset: i64,
}

/// What lies directly in a place, by kind and code.
pub fn places_under(tx: &mut Tx<'_>, parent: PlaceId, page: Paged) -> StoreResult<Vec<Place>> {
    let rows = tx.query(&format!("{PLACE} WHERE p.parent = $1 ORDER BY p.kind, p.code LIMIT $2 OFFSET $3"), params![parent, page.limit, page.offset])?;
    rows.iter().map(place_of).collect()
}

pub fn place_by_code(tx: &mut Tx<'_>, kind: PlaceKind, code: &str) -> StoreResult<Option<PlaceId>> {
    let row = tx.first("SELECT id FROM place WHERE kind = $1 AND code = $2", params![kind.name(), code])?;
    row.map(|row| row.id(0)).transpose()
}

/// Places of any kind with this code.
pub fn places_of_code(tx: &mut Tx<'_>, code: &str) -> StoreResult<Vec<PlaceId>> {
    tx.query("SELECT id FROM place WHERE code = $1 ORDER BY id LIMIT 10", params![code])?.iter().map(|row| row.id(0)).collect()
}

pub fn place_by_credit_code(tx: &mut Tx<'_>, code: &str) -> StoreResult<Option<PlaceId>> {
    let row = tx.first("SELECT id FROM place WHERE credit_code = $1", params![code])?;
    row.map(|row| row.id(0)).transpose()
}

/// What a new place is judged by.
pub fn places_now(tx: &mut Tx<'_>, command: &AddPlace) -> StoreResult<PlacesNow> {
    let credit_code = command.details.credit_code.as_deref();
    Ok(PlacesNow {
        code_taken: place_by_code(tx, command.kind, &command.code)?.is_some(),
        credit_code_taken: credit_code.map_or(Ok(None), |code| place_by_credit_code(tx, code))?.is_some(),
        parent: command.parent.map_or(Ok(None), |parent| place(tx, parent))?.map(|place| place.kind),
    })
}

/// The bucket of the next zone: 1…127, of those with the fewest zones the lowest, `ahead` zones from now.
pub fn zone_bucket(tx: &mut Tx<'_>, ahead: usize) -> StoreResult<Bucket> {
    let mut zones = [0_usize; Bucket::COUNT as usize];
    tx.each("SELECT bucket, count(*) FROM place WHERE kind = 'zone' GROUP BY bucket", &[], |row| {
        if let Some(count) = usize::try_from(row.int(0)?).ok().and_then(|bucket| zones.get_mut(bucket)) {
            *count = usize::try_from(row.int(1)?).unwrap_or(usize::MAX);
        }
        Ok(())
    })?;
    let mut chosen = 1;
    for _ in 0..=ahead {
        chosen = (1..zones.len()).min_by_key(|bucket| zones[*bucket]).unwrap_or(1);
        zones[chosen] += 1;
    }
    Bucket::new(chosen as u8).map_err(|error| wrong("place", chosen, error))
}
