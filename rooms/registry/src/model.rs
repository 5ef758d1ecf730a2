//! Places, people, lots, imports as the registry knows them.

use baton_kit::{Device, ImportId, Language, LotId, OperationalDay, PersonId, PlaceId, Timestamp};

use crate::events::{DocumentKind, ImportCounts, LotKind, Membership, Particulars, PlaceDetails, PlaceKind};
use crate::rules::document;

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    pub id: PlaceId,
    pub kind: PlaceKind,
    pub code: String,
    pub name: String,
    pub parent: Option<PlaceId>,
    pub details: PlaceDetails,
    pub closed: bool,
    /// People whose membership here runs now.
    pub people: i64,
}

/// Whether the registry still speaks of a person.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PersonState {
    Active,
    /// Entered by an import that was taken back.
    Withdrawn,
    /// The data key is destroyed: nothing can be read, neither here nor in any copy.
    Shredded,
}

impl PersonState {
    pub fn name(self) -> &'static str {
        match self {
            PersonState::Active => "active",
            PersonState::Withdrawn => "withdrawn",
            PersonState::Shredded => "shredded",
        }
    }
    pub fn from_name(name: &str) -> Option<Self> {
        [PersonState::Active, PersonState::Withdrawn, PersonState::Shredded].into_iter().find(|state| state.name() == name)
    }
}

/// What a sampling page or a report shows of a person.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Brief {
    pub person: PersonId,
    pub name: String,
    pub document_kind: DocumentKind,
    /// The last four characters.
    pub document_tail: String,
    pub tags: Vec<String>,
    /// In which language they are told things, as far as is known.
    pub told_in: Option<Language>,
}

impl Brief {
    pub fn of(person: PersonId, particulars: &Particulars, tags: Vec<String>) -> Self {
        let document_tail = document::tail(&particulars.document);
        Self { person, name: particulars.name.clone(), document_kind: particulars.document_kind, document_tail, tags, told_in: particulars.told_in() }
    }
}

/// One stretch of a person's membership, both days included; no last day while it runs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stay {
    pub from_day: OperationalDay,
    pub to_day: Option<OperationalDay>,
    /// Nothing: the person is nowhere in the registry during these days.
    pub membership: Option<Membership>,
    pub import: Option<ImportId>,
}

/// A person as stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Person {
    pub id: PersonId,
    pub state: PersonState,
    /// Nothing when the data key is gone.
    pub particulars: Option<Particulars>,
    pub tags: Vec<String>,
    pub recorded: Timestamp,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lot {
    pub id: LotId,
    pub kind: LotKind,
    pub code: String,
    pub product: String,
    /// The first instant at which it may no longer be used.
    pub expires: Timestamp,
    /// When it was called back, and why.
    pub recalled: Option<(Timestamp, String)>,
}

impl Lot {
    /// Whether it may be used at `at`.
    pub fn usable(&self, at: Timestamp) -> bool {
        self.recalled.is_none() && at < self.expires
    }
}

/// How far an import has come.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ImportState {
    /// Begun; it runs, or was cut off by a crash.
    Begun,
    Finished(ImportCounts),
    Undone(ImportCounts),
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Import {
    pub id: ImportId,
    pub device: Device,
    pub file: String,
    pub file_sha256: String,
    pub rows: u64,
    pub from_day: OperationalDay,
    pub begun: Timestamp,
    pub state: ImportState,
}

/// Two records that contradict each other, for a person to settle.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    pub code: String,
    pub subject: PersonId,
    pub other: PersonId,
    pub found: Timestamp,
    pub settled: bool,
}
