//! What is stored about people and places. Personal data only sealed; see [`Particulars`] for what is inside.

use baton_kit::{ImportId, Language, LotId, OperationalDay, PersonId, PlaceId, Timestamp};
use baton_ledger::{Command, EventBody, Sealed};
use serde::{Deserialize, Serialize};

/// What a place is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PlaceKind {
    Zone,
    Grid,
    Building,
    Enterprise,
    Point,
    Laboratory,
    Gate,
}

/// What only some kinds of place have. Absent fields are unknown or do not apply.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlaceDetails {
    /// Enterprise: its 18-character unified social credit code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credit_code: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Degrees × 10⁶.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latitude_e6: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub longitude_e6: Option<i64>,
    /// Point: lanes staffed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lanes: Option<i64>,
    /// Point: people per hour; laboratory: tubes per operational day, as declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<i64>,
    /// Local hours, `07:00-22:00`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opening_hours: Option<String>,
}

/// Adds a place; the event's id becomes the [`PlaceId`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AddPlace {
    pub kind: PlaceKind,
    /// Short code, unique among places of its kind.
    pub code: String,
    pub name: String,
    pub parent: Option<PlaceId>,
    pub details: PlaceDetails,
}
impl Command for AddPlace {
    type Outcome = ();
    const KIND: &'static str = "registry.place_added";
}

/// Changes a place; what is `None` stays.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ChangePlace {
    pub place: PlaceId,
    pub name: Option<String>,
    pub details: Option<PlaceDetails>,
    pub closed: Option<bool>,
}
impl Command for ChangePlace {
    type Outcome = ();
    const KIND: &'static str = "registry.place_changed";
}

/// Kind of identity document.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DocumentKind {
    ResidentId,
    Passport,
    HongKongMacaoPermit,
    TaiwanPermit,
    ForeignPermanentResidentId,
    Other,
}

/// Personal data as it is sealed (JSON) under the person's own data key.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Particulars {
    pub name: String,
    pub document_kind: DocumentKind,
    pub document: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// In which they want to be told things, if they said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
}

impl Particulars {
    /// In which language they are told things: what they said, else what the issuer of their document suggests; nothing where it suggests nothing.
    pub fn told_in(&self) -> Option<Language> {
        self.language.or(match self.document_kind {
            DocumentKind::ResidentId => Some(Language::ChineseSimplified),
            DocumentKind::HongKongMacaoPermit | DocumentKind::TaiwanPermit => Some(Language::ChineseTraditional),
            DocumentKind::Passport | DocumentKind::ForeignPermanentResidentId => Some(Language::English),
            DocumentKind::Other => None,
        })
    }
}

/// Where a person belongs.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Membership {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<PlaceId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grid: Option<PlaceId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub building: Option<PlaceId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enterprise: Option<PlaceId>,
    /// People of one household share this number (unique within the zone's bucket).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub household: Option<i64>,
}

/// One person as recorded or changed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PersonRecord {
    pub person: PersonId,
    pub sealed: Sealed,
    #[serde(flatten)]
    pub membership: Membership,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
}

/// People entered the registry, or their particulars or membership changed: by import, or one at a time on the spot.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PeopleRecorded {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub import: Option<ImportId>,
    /// The day from which the membership holds.
    pub from_day: OperationalDay,
    pub people: Vec<PersonRecord>,
}
impl EventBody for PeopleRecorded {
    const KIND: &'static str = "registry.people_recorded";
}

/// People who left: their memberships end with this day.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PeopleLeft {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub import: Option<ImportId>,
    pub last_day: OperationalDay,
    pub people: Vec<PersonId>,
}
impl EventBody for PeopleLeft {
    const KIND: &'static str = "registry.people_left";
}

/// The person's data key was destroyed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ShredPerson {
    pub person: PersonId,
    pub reason: String,
}
impl Command for ShredPerson {
    type Outcome = ();
    const KIND: &'static str = "registry.person_shredded";
}

/// What a lot is of.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LotKind {
    PreservationFluid,
    ExtractionKit,
    PcrKit,
}

/// A lot of fluid or reagent arrived; the event's id becomes the [`LotId`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AddLot {
    pub kind: LotKind,
    pub code: String,
    pub product: String,
    /// The first instant at which it may no longer be used.
    pub expires_us: Timestamp,
}
impl Command for AddLot {
    type Outcome = ();
    const KIND: &'static str = "registry.lot_added";
}

/// The maker or we ourselves called a lot back.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RecallLot {
    pub lot: LotId,
    pub reason: String,
}
impl Command for RecallLot {
    type Outcome = ();
    const KIND: &'static str = "registry.lot_recalled";
}

impl PlaceKind {
    pub const ALL: [PlaceKind; 7] =
        [PlaceKind::Zone, PlaceKind::Grid, PlaceKind::Building, PlaceKind::Enterprise, PlaceKind::Point, PlaceKind::Laboratory, PlaceKind::Gate];

    /// Its name in JSON, in the tables and in the texts (`registry-kind-<name>`).
    pub fn name(self) -> &'static str {
        match self {
            PlaceKind::Zone => "zone",
            PlaceKind::Grid => "grid",
            PlaceKind::Building => "building",
            PlaceKind::Enterprise => "enterprise",
            PlaceKind::Point => "point",
            PlaceKind::Laboratory => "laboratory",
            PlaceKind::Gate => "gate",
        }
    }
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

impl DocumentKind {
    pub const ALL: [DocumentKind; 6] = [
        DocumentKind::ResidentId,
        DocumentKind::Passport,
        DocumentKind::HongKongMacaoPermit,
        DocumentKind::TaiwanPermit,
        DocumentKind::ForeignPermanentResidentId,
        DocumentKind::Other,
    ];

    /// Its name in JSON and in the texts (`registry-document-<name>`).
    pub fn name(self) -> &'static str {
        match self {
            DocumentKind::ResidentId => "resident_id",
            DocumentKind::Passport => "passport",
            DocumentKind::HongKongMacaoPermit => "hong_kong_macao_permit",
            DocumentKind::TaiwanPermit => "taiwan_permit",
            DocumentKind::ForeignPermanentResidentId => "foreign_permanent_resident_id",
            DocumentKind::Other => "other",
        }
    }
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

impl LotKind {
    pub const ALL: [LotKind; 3] = [LotKind::PreservationFluid, LotKind::ExtractionKit, LotKind::PcrKit];

    /// Its name in JSON, in the tables and in the texts (`registry-lot-<name>`).
    pub fn name(self) -> &'static str {
        match self {
            LotKind::PreservationFluid => "preservation_fluid",
            LotKind::ExtractionKit => "extraction_kit",
            LotKind::PcrKit => "pcr_kit",
        }
    }
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// Begins an import of a roster; the event's id becomes the [`ImportId`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct BeginImport {
    /// As the sender named it.
    pub file: String,
    pub file_sha256: String,
    /// Rows below the header.
    pub rows: u64,
    pub from_day: OperationalDay,
}
/// The number under which this import says its events and makes its people.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ImportBegun {
    pub device: baton_kit::Device,
}
impl Command for BeginImport {
    type Outcome = ImportBegun;
    const KIND: &'static str = "registry.import_begun";
}

/// What an import did, once all of it is recorded.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ImportCounts {
    pub new: u64,
    pub changed: u64,
    pub unchanged: u64,
    /// In the registry, in the file's places, and not in the file.
    pub gone: u64,
    /// Rows left out.
    pub refused: u64,
    /// Rows that repeat an earlier row.
    pub repeated: u64,
}

/// Everything of an import is recorded.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ImportFinished {
    pub import: ImportId,
    pub counts: ImportCounts,
}
impl EventBody for ImportFinished {
    const KIND: &'static str = "registry.import_finished";
}

/// Takes an import back: its new people are withdrawn, changed ones get their earlier particulars, ended memberships run on.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct UndoImport {
    pub import: ImportId,
}
impl Command for UndoImport {
    type Outcome = ();
    const KIND: &'static str = "registry.import_undone";
}

/// People who were entered by mistake: found no more and counted nowhere. A later import may bring them back under the same id.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PeopleWithdrawn {
    pub import: ImportId,
    /// The day from which their membership would have held.
    pub from_day: OperationalDay,
    pub people: Vec<PersonId>,
}
impl EventBody for PeopleWithdrawn {
    const KIND: &'static str = "registry.people_withdrawn";
}

/// Somebody looked into a finding and says it is settled.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SettleFinding {
    pub code: String,
    pub subject: PersonId,
    pub other: PersonId,
}
impl Command for SettleFinding {
    type Outcome = ();
    const KIND: &'static str = "registry.finding_settled";
}
