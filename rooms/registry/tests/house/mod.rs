//! A fresh installation with the registry alone, on one of the stores.

use baton_desk::{Actor, Role, Scope};
use baton_ground::Ground;
use baton_kit::time::DAY_US;
use baton_kit::{Bucket, Clock, Device, EventId, Language, OperationalDay, PersonId, Refusal, Site, TypedId};
use baton_ledger::{Command, Draft, EventBody, Fold, Ledger, to_json};
use baton_registry::events::*;
use baton_registry::rules::document::resident_check;
use baton_registry::{ImportReport, Mode, run_import, store};

pub use baton_ground::{START, settle};

/// An installation with the registry alone.
pub struct House(Ground);

impl std::ops::Deref for House {
    type Target = Ground;
    fn deref(&self) -> &Ground {
        &self.0
    }
}

fn folds() -> Vec<Fold> {
    vec![baton_registry::room().fold]
}

pub fn operator() -> Actor {
    Actor { roles: vec![Role::Administrator], scope: Scope::Everywhere, ..Actor::anonymous(Language::English) }
}

impl House {
    pub fn embedded() -> Self {
        Self(Ground::embedded())
    }

    pub fn postgres(test: &str) -> Option<Self> {
        Ground::postgres(test).map(Self)
    }

    pub fn open(&self) -> Ledger {
        self.0.open(&folds())
    }

    pub fn next_day(&self) {
        self.clock.advance_to(self.clock.now().plus_us(DAY_US));
    }

    pub fn today(&self) -> OperationalDay {
        Site::shanghai().day_of(self.clock.now())
    }

    /// Everybody who belongs somewhere today, with all that can be read and where, in words.
    pub fn logical(&self, ledger: &Ledger) -> Vec<String> {
        let today = self.today();
        let mut people = Vec::new();
        ledger
            .read(|tx| {
                Ok(store::each_person(tx, today, |person, membership, tags| {
                    people.push((person, membership, tags));
                    Ok(())
                })?)
            })
            .unwrap();
        let mut lines: Vec<String> = people
            .into_iter()
            .map(|(id, membership, tags)| {
                let person = ledger.read(|tx| Ok(store::person(tx, ledger.vault(), id)?)).unwrap().unwrap();
                format!("{id} {:?} {membership:?} {tags:?}", person.particulars)
            })
            .collect();
        lines.sort();
        lines
    }

    /// The sealed texts of a person, as the ledger holds them.
    pub fn sealed_of(&self, person: PersonId) -> Vec<Vec<u8>> {
        let mut conn = self.place.open_ledger_for_reading().unwrap();
        let rows = conn.begin_read().unwrap().query("SELECT body FROM event WHERE kind = 'registry.people_recorded'", &[]).unwrap();
        let bodies = rows.iter().map(|row| serde_json::from_str::<PeopleRecorded>(row.text(0).unwrap()).unwrap());
        bodies.flat_map(|body| body.people).filter(|record| record.person == person).map(|record| record.sealed.0).collect()
    }

    /// Closes the ledger, folds it again from nothing and compares every table.
    pub fn same_after_rebuild(&self, ledger: Ledger) {
        self.0.same_after_rebuild(ledger, &folds(), false);
    }
}

pub fn import(ledger: &Ledger, text: &str, mode: Mode) -> Result<ImportReport, Refusal> {
    import_as(ledger, &operator(), text, mode)
}

pub fn import_as(ledger: &Ledger, actor: &Actor, text: &str, mode: Mode) -> Result<ImportReport, Refusal> {
    run_import(ledger, &Site::shanghai(), actor, text.as_bytes(), "roster.csv", None, mode, |_, _| {})
}

/// A roster of so many people in one zone.
pub fn roster(people: u32) -> String {
    let mut text = String::from("name,document_number,zone,grid,enterprise_name\n");
    for n in 0..people {
        let mut id = format!("31010119900101{n:03}");
        id.push(char::from(resident_check(id.as_bytes())));
        text.push_str(&format!("王{},{id},Z90,G{},厂{}\n", char::from_u32('一' as u32 + n).unwrap(), n % 7, n % 5));
    }
    text
}

pub fn invariants(ledger: &Ledger) -> Vec<(String, String)> {
    settle(ledger);
    ledger.read(|tx| Ok(store::check_invariants(tx)?)).unwrap()
}

/// The names of everybody active, sorted.
pub fn everybody(ledger: &Ledger) -> Vec<String> {
    let mut names = Vec::new();
    let day = OperationalDay(i32::MAX - 1);
    let mut people = Vec::new();
    ledger
        .read(|tx| {
            Ok(store::each_person(tx, day, |person, _, _| {
                people.push(person);
                Ok(())
            })?)
        })
        .unwrap();
    names.extend(ledger.read(|tx| Ok(store::open_people(tx, ledger.vault(), &people)?)).unwrap().into_iter().map(|brief| brief.name));
    names.sort();
    names
}

pub fn person_named(ledger: &Ledger, name: &str) -> PersonId {
    let found = ledger.read(|tx| Ok(store::search(tx, ledger.vault(), name, 50)?)).unwrap();
    found.iter().find(|brief| brief.name == name).unwrap_or_else(|| panic!("{name} is not found")).person
}

/// Records a fact under a test's own device and waits until it is folded.
pub fn record<B: EventBody>(ledger: &Ledger, n: u32, body: &B) {
    let id = EventId::new(Bucket::new(9).unwrap(), Device::new(78).unwrap(), n);
    let answers = ledger.record_now(vec![Draft::of(id, START, None, body).unwrap()]).unwrap();
    assert!(answers[0].is_ok());
    settle(ledger);
}

/// Puts a decision on the ledger whose rule is tested elsewhere.
pub fn decided<C: Command<Outcome = ()>>(ledger: &Ledger, id: EventId, command: &C) {
    let text = to_json(command).unwrap();
    let body = format!("{{\"command\":{text},\"outcome\":null}}");
    let draft = Draft { id, kind: C::KIND.to_owned(), happened: START, actor: None, body, notes: Vec::new() };
    ledger.decide_now(id, text, Box::new(move |_, _| Ok(draft.clone()))).unwrap();
}

/// Puts the shredding of a person on record.
pub fn shred(ledger: &Ledger, person: PersonId, n: u32) {
    let id = EventId::new(person.bucket(), Device::new(79).unwrap(), n);
    decided(ledger, id, &ShredPerson { person, reason: "asked for by the person".to_owned() });
}
