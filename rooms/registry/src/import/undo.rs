//! Taking an import back, by further events: nothing is ever removed from the ledger.

use std::collections::BTreeMap;

use baton_desk::Actor;
use baton_kit::{Bucket, ImportId, OperationalDay, Refusal, TypedId};
use baton_ledger::{Ledger, Undecided};

use super::commit::{PEOPLE_PER_EVENT, Said, by_bucket, wait};
use super::decide::decide;
use crate::events::{Membership, PeopleLeft, PeopleRecorded, PeopleWithdrawn, PersonRecord, UndoImport};
use crate::model::{Import, ImportState};
use crate::store::{self, Replaced};

/// The undoing says its events under the import's own number, in the upper half of its sequence.
const UNDO_SEQUENCES: u32 = 1 << 31;

/// Whether an import may be taken back.
pub(crate) fn may_undo(import: Option<&Import>) -> Result<(), Refusal> {
    match import.map(|import| &import.state) {
        None => Err(Refusal::absent("no-such-thing")),
        Some(ImportState::Undone(_)) => Err(Refusal::conflict("import-undone-already")),
        // One that was cut off by a crash can be taken back as well as a finished one; who does it must know that it does not run.
        Some(ImportState::Begun | ImportState::Finished(_)) => Ok(()),
    }
}

pub(super) fn undo(ledger: &Ledger, actor: &Actor, id: ImportId, mut progress: impl FnMut(u64, u64)) -> Result<u64, Undecided> {
    let command = UndoImport { import: id };
    let event = ledger.next_id(Bucket::INSTALLATION)?;
    decide(ledger, actor, event, command, |tx, command, _| Ok(may_undo(store::import(tx, command.import)?.as_ref())?))?;
    let (import, people, replaced) = ledger.read(|tx| {
        let import = store::import(tx, id)?.ok_or_else(|| Refusal::absent("no-such-thing"))?;
        Ok((import, store::people_of_import(tx, id)?, store::replaced_by(tx, id)?))
    })?;
    let all = (people.len() + replaced.len()) as u64;
    let sequences = (0..Bucket::COUNT).filter_map(|n| Bucket::new(n).ok()).map(|bucket| (bucket, UNDO_SEQUENCES)).collect();
    let mut said = Said { ledger, actor, device: import.device, sequences };
    let (mut done, mut ordinal) = (0, 0);
    for (bucket, people) in by_bucket(&people) {
        for some in people.chunks(PEOPLE_PER_EVENT) {
            ordinal = said.say(bucket, vec![PeopleWithdrawn { import: id, from_day: import.from_day, people: some.to_vec() }])?;
            done += some.len() as u64;
            progress(done, all);
        }
    }
    for (bucket, replaced) in grouped(replaced) {
        for some in replaced.chunks(PEOPLE_PER_EVENT) {
            ordinal = ordinal.max(restore(&mut said, bucket, some)?);
            done += some.len() as u64;
            progress(done, all);
        }
    }
    wait(ledger, ordinal)?;
    Ok(all)
}

/// By bucket and the day the import changed them from, which is one day for what it recorded and one for what it ended.
fn grouped(replaced: Vec<Replaced>) -> BTreeMap<Bucket, Vec<Replaced>> {
    let mut buckets: BTreeMap<Bucket, Vec<Replaced>> = BTreeMap::new();
    for one in replaced {
        buckets.entry(one.person.bucket()).or_default().push(one);
    }
    buckets
}

/// Says again what held before. Who was nowhere before goes back there.
fn restore(said: &mut Said<'_>, bucket: Bucket, replaced: &[Replaced]) -> Result<i64, Undecided> {
    let mut ordinal = 0;
    let mut days: BTreeMap<OperationalDay, Vec<PersonRecord>> = BTreeMap::new();
    let mut nowhere: BTreeMap<OperationalDay, Vec<baton_kit::PersonId>> = BTreeMap::new();
    for before in replaced {
        let membership = before.membership.clone();
        if membership.is_none() {
            nowhere.entry(before.from_day).or_default().push(before.person);
        }
        let membership: Membership = membership.unwrap_or_default();
        days.entry(before.from_day).or_default().push(PersonRecord {
            person: before.person,
            sealed: before.sealed.clone(),
            membership,
            tags: before.tags.clone(),
        });
    }
    for (from_day, people) in days {
        ordinal = said.say(bucket, vec![PeopleRecorded { import: None, from_day, people }])?;
    }
    for (from_day, people) in nowhere {
        ordinal = said.say(bucket, vec![PeopleLeft { import: None, last_day: OperationalDay(from_day.0 - 1), people }])?;
    }
    Ok(ordinal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use baton_kit::{Device, Timestamp};

    #[test]
    fn an_import_is_taken_back_once() {
        let id = ImportId::new(Bucket::INSTALLATION, Device::new(9).unwrap(), 1);
        let mut import = Import {
            id,
            device: Device::new(1 << 23).unwrap(),
            file: "a.csv".to_owned(),
            file_sha256: String::new(),
            rows: 1,
            from_day: OperationalDay(20_000),
            begun: Timestamp(0),
            state: ImportState::Finished(Default::default()),
        };
        assert!(may_undo(Some(&import)).is_ok());
        assert_eq!(may_undo(None).unwrap_err().code, "no-such-thing");
        import.state = ImportState::Undone(Default::default());
        assert_eq!(may_undo(Some(&import)).unwrap_err().code, "import-undone-already");
    }
}
