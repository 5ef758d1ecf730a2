//! Carrying a plan out: places by decisions, people by facts of at most 200, sealed on two threads while the ledger writes and the fold follows.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use baton_desk::{Actor, any_id};
use baton_kit::{Bucket, Device, EventId, ImportId, OperationalDay, PersonId, PlaceId, Refusal, Site, Status, TypedId};
use baton_ledger::{Draft, EventBody, Ledger, Sealed, StoreError, StoreResult, Undecided, to_json};

use super::decide::{decide, decide_many, fact};
use super::places::Slot;
use super::plan::{Fate, Plan, Planned, household};
use super::row;
use crate::events::{AddPlace, BeginImport, ImportBegun, ImportFinished, Membership, PeopleLeft, PeopleRecorded, PersonRecord, PlaceDetails, PlaceKind};
use crate::{rules, store};

/// People of one event at most.
pub(super) const PEOPLE_PER_EVENT: usize = 200;
/// People sealed together: one durable write of the vault.
const PEOPLE_PER_CHUNK: usize = 4_000;
/// How many chunks may be ahead of the fold: large folds are cheap per person, and memory stays bounded.
const CHUNKS_AHEAD: usize = 20;
/// Imports number their events and people from here; sign-ins count up from far below and never come here.
const FIRST_IMPORT_DEVICE: i64 = 1 << 23;
/// How long the fold may take for what is waited for; it is a bound against hanging, not an expectation.
pub(super) const PATIENCE: std::time::Duration = std::time::Duration::from_secs(600);

/// JSON of a [`PeopleRecorded`] and the bucket it goes to.
type Body = (Bucket, String);

/// Everything the workers need to know, and nothing that changes.
struct Work<'p> {
    ledger: &'p Ledger,
    plan: &'p Plan,
    ids: HashMap<Slot, PlaceId>,
    people: Vec<PersonId>,
    import: ImportId,
    from_day: OperationalDay,
}

pub(super) fn carry_out(
    ledger: &Ledger,
    site: &Site,
    actor: &Actor,
    sha256: String,
    plan: &Plan,
    end_gone: bool,
    mut progress: impl FnMut(u64, u64),
) -> Result<ImportId, Undecided> {
    let from_day = site.day_of(ledger.now());
    let (import, device) = begin(ledger, actor, plan, sha256, from_day)?;
    let ids = add_places(ledger, actor, plan)?;
    let people = number_people(plan, device, &ids)?;
    let mut said = Said { ledger, actor, device, sequences: BTreeMap::new() };
    let work = Work { ledger, plan, ids, people, import, from_day };
    work.record_people(&mut said, &mut progress)?;
    if end_gone {
        for (bucket, people) in by_bucket(&plan.gone) {
            for some in people.chunks(PEOPLE_PER_EVENT) {
                said.say(bucket, vec![PeopleLeft { import: Some(import), last_day: OperationalDay(from_day.0 - 1), people: some.to_vec() }])?;
            }
        }
    }
    let finished = ImportFinished { import, counts: plan.report.counts };
    let ordinal = said.say(Bucket::INSTALLATION, vec![finished])?;
    wait(ledger, ordinal)?;
    Ok(import)
}

fn begin(ledger: &Ledger, actor: &Actor, plan: &Plan, file_sha256: String, from_day: OperationalDay) -> Result<(ImportId, Device), Undecided> {
    let id = ledger.next_id(Bucket::INSTALLATION)?;
    let command = BeginImport { file: plan.report.file.clone(), file_sha256, rows: plan.report.rows, from_day };
    let outcome = decide(ledger, actor, id, command, |tx, _, _| Ok(ImportBegun { device: next_device(store::last_import_device(tx)?)? }))?;
    Ok((id.created(), outcome.device))
}

/// Adds what the file names and the registry does not have, all waiting decisions in few commits.
fn add_places(ledger: &Ledger, actor: &Actor, plan: &Plan) -> Result<HashMap<Slot, PlaceId>, Undecided> {
    let mut ids: HashMap<Slot, PlaceId> = HashMap::new();
    let mut commands = Vec::new();
    for (zones, add) in plan.places.added().scan(0, |zones, add| {
        let before = *zones;
        *zones += usize::from(add.place.kind == PlaceKind::Zone);
        Some((before, add))
    }) {
        let known = |slot: Slot| if let Slot::Known(id) = slot { Some(id) } else { ids.get(&slot).copied() };
        let bucket = match add.place.kind {
            PlaceKind::Zone => ledger.read(|tx| Ok(store::zone_bucket(tx, zones)?))?,
            _ => known(add.zone).map(TypedId::bucket).ok_or_else(|| lost("zone"))?,
        };
        let parent = add.parent.map(|parent| known(parent).ok_or_else(|| lost("parent"))).transpose()?;
        // An enterprise that goes by its name has no credit code.
        let credit_code = rules::document::credit_code(&add.place.code).ok().filter(|_| add.place.kind == PlaceKind::Enterprise);
        let details = PlaceDetails { credit_code, ..PlaceDetails::default() };
        let id = ledger.next_id(bucket)?;
        commands.push((id, AddPlace { kind: add.place.kind, code: add.place.code.clone(), name: add.place.name.clone(), parent, details }));
        ids.insert(add.slot, id.created());
    }
    decide_many(ledger, actor, commands, |tx, id, command| Ok(rules::place::add_place(&store::places_now(tx, command)?, id.created(), command)?))?;
    Ok(ids)
}

fn lost(what: &str) -> StoreError {
    StoreError::Other(format!("a place of the file lost its {what}"))
}

/// Gives every new person an id in the bucket of their zone, in the order of the rows.
fn number_people(plan: &Plan, device: Device, ids: &HashMap<Slot, PlaceId>) -> StoreResult<Vec<PersonId>> {
    let mut next: HashMap<Bucket, u32> = HashMap::new();
    let mut number = |planned: &Planned| match planned.fate {
        Fate::Changed(person) | Fate::New(Some(person)) => Ok(person),
        Fate::New(None) => {
            let zone = place_id(ids, planned.belongs.zone).ok_or_else(|| lost("zone"))?;
            let sequence = next.entry(zone.bucket()).or_default();
            *sequence += 1;
            Ok(PersonId::new(zone.bucket(), device, *sequence))
        }
    };
    plan.people.iter().map(&mut number).collect()
}

fn place_id(ids: &HashMap<Slot, PlaceId>, slot: Slot) -> Option<PlaceId> {
    match slot {
        Slot::Known(id) => Some(id),
        Slot::New(_) => ids.get(&slot).copied(),
    }
}

pub(super) fn by_bucket(people: &[PersonId]) -> BTreeMap<Bucket, Vec<PersonId>> {
    let mut buckets: BTreeMap<Bucket, Vec<PersonId>> = BTreeMap::new();
    for person in people {
        buckets.entry(person.bucket()).or_default().push(*person);
    }
    buckets
}

pub(super) fn wait(ledger: &Ledger, ordinal: i64) -> Result<(), Undecided> {
    Ok(shown(ledger.wait_folded(ordinal, PATIENCE))?)
}

/// What is recorded and not shown yet will be: whoever waits may look again later.
fn shown(folded: bool) -> Result<(), Refusal> {
    if folded { Ok(()) } else { Err(Refusal::new("import-fold-slow", Status::Full).with("seconds", 60)) }
}

/// The number under which the people of the next import are said.
fn next_device(last: Option<i64>) -> Result<Device, Refusal> {
    let next = last.map_or(FIRST_IMPORT_DEVICE, |last| last + 1);
    let device = u32::try_from(next).ok().and_then(|number| Device::new(number).ok());
    device.ok_or_else(|| Refusal::ruled("import-numbers-used-up"))
}

/// What an import or its undoing has said so far, numbered under its own device.
pub(super) struct Said<'l> {
    pub(super) ledger: &'l Ledger,
    pub(super) actor: &'l Actor,
    pub(super) device: Device,
    pub(super) sequences: BTreeMap<Bucket, u32>,
}

impl Said<'_> {
    fn next_id(&mut self, bucket: Bucket) -> EventId {
        let sequence = self.sequences.entry(bucket).or_default();
        *sequence += 1;
        EventId::new(bucket, self.device, *sequence)
    }

    /// Records facts of one bucket; the last ordinal.
    pub(super) fn say<B: EventBody>(&mut self, bucket: Bucket, bodies: Vec<B>) -> Result<i64, Undecided> {
        let drafts = bodies.iter().map(|body| Draft::of(self.next_id(bucket), self.ledger.now(), self.actor.account, body)).collect::<StoreResult<Vec<_>>>()?;
        fact(self.ledger, drafts)
    }

    fn say_prepared(&mut self, prepared: Vec<Body>) -> Result<i64, Undecided> {
        let mut ordinal = 0;
        let mut drafts: BTreeMap<Bucket, Vec<Draft>> = BTreeMap::new();
        for (bucket, body) in prepared {
            let draft = Draft {
                id: self.next_id(bucket),
                kind: PeopleRecorded::KIND.to_owned(),
                happened: self.ledger.now(),
                actor: self.actor.account,
                body,
                notes: Vec::new(),
            };
            drafts.entry(bucket).or_default().push(draft);
        }
        for drafts in drafts.into_values() {
            ordinal = ordinal.max(fact(self.ledger, drafts)?);
        }
        Ok(ordinal)
    }
}

impl Work<'_> {
    fn record_people(&self, said: &mut Said<'_>, progress: &mut impl FnMut(u64, u64)) -> Result<(), Undecided> {
        let all = self.plan.people.len();
        let chunks = all.div_ceil(PEOPLE_PER_CHUNK);
        let next = AtomicUsize::new(0);
        progress(0, all as u64);
        std::thread::scope(|scope| {
            let (send, receive) = mpsc::sync_channel(2);
            for _ in 0..2 {
                let (send, next) = (send.clone(), &next);
                scope.spawn(move || {
                    loop {
                        let chunk = next.fetch_add(1, Ordering::Relaxed);
                        if chunk >= chunks || send.send((chunk, self.prepare(chunk))).is_err() {
                            return;
                        }
                    }
                });
            }
            drop(send);
            self.write_in_order(said, receive, chunks, progress)
        })
    }

    /// Writes chunks in the order of the file, whichever is ready first, and waits when the fold falls far behind.
    fn write_in_order(
        &self,
        said: &mut Said<'_>,
        ready: mpsc::Receiver<(usize, StoreResult<Vec<Body>>)>,
        chunks: usize,
        progress: &mut impl FnMut(u64, u64),
    ) -> Result<(), Undecided> {
        let all = self.plan.people.len() as u64;
        let mut early = BTreeMap::new();
        let mut ordinals: Vec<i64> = Vec::with_capacity(chunks);
        let done = |chunk: usize| all.min(((chunk + 1) * PEOPLE_PER_CHUNK) as u64);
        for (chunk, prepared) in ready {
            early.insert(chunk, prepared);
            while let Some(prepared) = early.remove(&ordinals.len()) {
                ordinals.push(said.say_prepared(prepared?)?);
                if let Some(behind) = ordinals.len().checked_sub(CHUNKS_AHEAD + 1) {
                    wait(self.ledger, ordinals[behind])?;
                    progress(done(behind), all);
                }
            }
        }
        for (chunk, ordinal) in ordinals.iter().enumerate().skip(chunks.saturating_sub(CHUNKS_AHEAD)) {
            wait(self.ledger, *ordinal)?;
            progress(done(chunk), all);
        }
        Ok(())
    }

    /// Seals one chunk of people and puts them into the bodies of events.
    fn prepare(&self, chunk: usize) -> StoreResult<Vec<Body>> {
        let range = chunk * PEOPLE_PER_CHUNK..self.people.len().min((chunk + 1) * PEOPLE_PER_CHUNK);
        let (planned, people) = (&self.plan.people[range.clone()], &self.people[range]);
        let texts = planned.iter().map(|planned| self.text(planned)).collect::<StoreResult<Vec<String>>>()?;
        let to_seal: Vec<_> = people.iter().zip(&texts).map(|(person, text)| (any_id(*person), text.as_bytes())).collect();
        let sealed = self.ledger.vault().seal_many(&to_seal)?;
        let mut records: BTreeMap<Bucket, Vec<PersonRecord>> = BTreeMap::new();
        for ((planned, person), sealed) in planned.iter().zip(people).zip(sealed) {
            let row = &self.plan.table.rows[planned.index as usize];
            let tags = row::tags(row, &self.plan.mapping);
            records.entry(person.bucket()).or_default().push(PersonRecord {
                person: *person,
                sealed: Sealed(sealed),
                membership: self.membership(planned)?,
                tags,
            });
        }
        let mut bodies = Vec::new();
        for (bucket, mut records) in records {
            while !records.is_empty() {
                let rest = records.split_off(records.len().min(PEOPLE_PER_EVENT));
                bodies.push((bucket, to_json(&PeopleRecorded { import: Some(self.import), from_day: self.from_day, people: records })?));
                records = rest;
            }
        }
        Ok(bodies)
    }

    fn text(&self, planned: &Planned) -> StoreResult<String> {
        let row = &self.plan.table.rows[planned.index as usize];
        let particulars = row::read(row, &self.plan.mapping).particulars(row, &self.plan.mapping);
        to_json(&particulars.ok_or_else(|| StoreError::Other(format!("row {} lost its document", row.number)))?)
    }

    fn membership(&self, planned: &Planned) -> StoreResult<Membership> {
        let mut membership = planned.belongs.membership(|slot| place_id(&self.ids, slot)).ok_or_else(|| lost("id"))?;
        let zone = membership.zone.map_or(0, TypedId::bucket_number);
        membership.household = household(self.ledger.secrets(), zone, &self.plan.table.rows[planned.index as usize], &self.plan.mapping);
        Ok(membership)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_import_has_a_number_of_its_own_until_there_are_none() {
        assert_eq!(next_device(Some(FIRST_IMPORT_DEVICE)).unwrap().number(), FIRST_IMPORT_DEVICE as u32 + 1);
        assert_eq!(next_device(Some(i64::from(Device::LIMIT) - 1)).unwrap_err().code, "import-numbers-used-up");
    }

    #[test]
    fn who_waits_too_long_is_told_to_look_again() {
        assert!(shown(true).is_ok());
        assert_eq!(shown(false).unwrap_err().code, "import-fold-slow");
    }
}
