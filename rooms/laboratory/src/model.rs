//! What the laboratory thinks in: tubes on their way, plates, runs, results. No formats, no storage.

use baton_kit::{AccountId, CampaignId, EventId, LotId, PlaceId, PlateId, RunId, Timestamp, TubeId};

use crate::events::{RunFinding, TubeOutcome, WellCall, WellLaid};

/// From the first swab to the released result, by regulation and by promise.
pub const LIMIT_US: i64 = 6 * baton_kit::time::HOUR_US;

/// The ways to look at what a tube showed.
impl TubeOutcome {
    pub const ALL: [TubeOutcome; 4] = [TubeOutcome::Negative, TubeOutcome::Positive, TubeOutcome::SingleTarget, TubeOutcome::Invalid];

    /// Its name in JSON, in tables and in the texts.
    pub fn name(self) -> &'static str {
        match self {
            TubeOutcome::Negative => "negative",
            TubeOutcome::Positive => "positive",
            TubeOutcome::SingleTarget => "single_target",
            TubeOutcome::Invalid => "invalid",
        }
    }
    pub fn from_name(name: &str) -> Option<Self> {
        TubeOutcome::ALL.into_iter().find(|outcome| outcome.name() == name)
    }
}

/// How far a tube is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Stage {
    Sampling,
    Sealed,
    Boxed,
    OnTheWay,
    Arrived,
    Accessioned,
    OnPlate,
    Read,
    Released,
    Rejected,
    Lost,
}

impl Stage {
    /// Its name in JSON and in the texts (`laboratory-stage-<name>`).
    pub fn name(self) -> &'static str {
        match self {
            Stage::Sampling => "sampling",
            Stage::Sealed => "sealed",
            Stage::Boxed => "boxed",
            Stage::OnTheWay => "on-the-way",
            Stage::Arrived => "arrived",
            Stage::Accessioned => "accessioned",
            Stage::OnPlate => "on-plate",
            Stage::Read => "read",
            Stage::Released => "released",
            Stage::Rejected => "rejected",
            Stage::Lost => "lost",
        }
    }
}

/// Everything the clock knows of one tube.
#[derive(Clone, PartialEq, Debug)]
pub struct TubeClock {
    pub tube: TubeId,
    /// The printed label; unknown until the opening is known.
    pub code: Option<String>,
    pub campaign: Option<CampaignId>,
    pub point: Option<PlaceId>,
    pub ratio: Option<i64>,
    pub follow_up: bool,
    pub fluid_lot: Option<LotId>,
    pub opened: Option<Timestamp>,
    /// Swabs bound to it and not taken back.
    pub members: i64,
    pub first_swab: Option<Timestamp>,
    pub sealed: Option<Timestamp>,
    pub sealed_count: Option<i64>,
    pub box_id: Option<baton_kit::BoxId>,
    pub boxed: Option<Timestamp>,
    pub handed: Option<Timestamp>,
    pub arrived: Option<Timestamp>,
    pub laboratory: Option<PlaceId>,
    pub accessioned: Option<Timestamp>,
    pub rejected: Option<String>,
    pub lost: Option<String>,
    pub plate: Option<PlateId>,
    pub laid: Option<Timestamp>,
    pub run: Option<RunId>,
    pub read: Option<Timestamp>,
    pub outcome: Option<TubeOutcome>,
    pub released: Option<Timestamp>,
}

impl TubeClock {
    /// A tube of which nothing is known.
    pub fn unknown(tube: TubeId) -> Self {
        Self {
            tube,
            code: None,
            campaign: None,
            point: None,
            ratio: None,
            follow_up: false,
            fluid_lot: None,
            opened: None,
            members: 0,
            first_swab: None,
            sealed: None,
            sealed_count: None,
            box_id: None,
            boxed: None,
            handed: None,
            arrived: None,
            laboratory: None,
            accessioned: None,
            rejected: None,
            lost: None,
            plate: None,
            laid: None,
            run: None,
            read: None,
            outcome: None,
            released: None,
        }
    }

    /// When the clock began: the first swab, or the opening while no swab is known.
    pub fn began(&self) -> Option<Timestamp> {
        self.first_swab.or(self.opened)
    }

    pub fn stage(&self) -> Stage {
        let way = [
            (self.released.is_some(), Stage::Released),
            (self.lost.is_some(), Stage::Lost),
            (self.rejected.is_some(), Stage::Rejected),
            (self.read.is_some() && self.read >= self.laid, Stage::Read),
            (self.laid.is_some(), Stage::OnPlate),
            (self.accessioned.is_some(), Stage::Accessioned),
            (self.arrived.is_some(), Stage::Arrived),
            (self.handed.is_some(), Stage::OnTheWay),
            (self.boxed.is_some(), Stage::Boxed),
            (self.sealed.is_some(), Stage::Sealed),
        ];
        way.into_iter().find(|(there, _)| *there).map_or(Stage::Sampling, |(_, stage)| stage)
    }

    /// When each stage was reached, in the order of the way; what is not known is left out.
    pub fn stages(&self) -> Vec<(Stage, Timestamp)> {
        let way = [
            (Stage::Sampling, self.began()),
            (Stage::Sealed, self.sealed),
            (Stage::Boxed, self.boxed),
            (Stage::OnTheWay, self.handed),
            (Stage::Arrived, self.arrived),
            (Stage::Accessioned, self.accessioned),
            (Stage::OnPlate, self.laid),
            (Stage::Read, self.read),
            (Stage::Released, self.released),
        ];
        way.into_iter().filter_map(|(stage, at)| Some((stage, at?))).collect()
    }
}

/// A tube as the layer of a plate must know it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TubeForPlate {
    pub tube: TubeId,
    pub code: String,
    /// Where it was taken in, if it was.
    pub accessioned_at: Option<PlaceId>,
    pub rejected: bool,
    pub lost: bool,
    pub ratio: Option<i64>,
    /// The assay its campaign asks for, if known.
    pub assay: Option<String>,
    /// A plate that is laid and not read yet.
    pub on_plate: Option<PlateId>,
    pub released: bool,
}

/// What is between a plate's laying and its end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PlateState {
    Laid,
    Read,
    Discarded,
}

impl PlateState {
    pub fn name(self) -> &'static str {
        match self {
            PlateState::Laid => "laid",
            PlateState::Read => "read",
            PlateState::Discarded => "discarded",
        }
    }
    pub fn from_name(name: &str) -> Option<Self> {
        [PlateState::Laid, PlateState::Read, PlateState::Discarded].into_iter().find(|state| state.name() == name)
    }
}

/// A plate without its wells.
#[derive(Clone, PartialEq, Debug)]
pub struct Plate {
    pub plate: PlateId,
    pub code: String,
    pub laboratory: PlaceId,
    pub number: i64,
    pub wells: u16,
    /// Nothing for a bench plate.
    pub assay: Option<String>,
    pub fingerprint: u16,
    pub extraction_lot: Option<LotId>,
    pub pcr_lot: Option<LotId>,
    pub laid: Timestamp,
    pub laid_by: Option<AccountId>,
    pub state: PlateState,
    pub run: Option<RunId>,
    /// Why it was discarded.
    pub remark: Option<String>,
}

/// A plate as the reader of a run must know it.
#[derive(Clone, PartialEq, Debug)]
pub struct PlateForReading {
    pub plate: Plate,
    pub layout: Vec<WellLaid>,
    pub tubes: Vec<TubeForReading>,
    /// Other plates of the laboratory that wait for their run: whose controls might these be?
    pub others: Vec<(PlateId, Vec<WellLaid>)>,
}

/// A tube on a plate to be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TubeForReading {
    pub tube: TubeId,
    pub ratio: i64,
    /// An earlier run of this tube gave no clean negative: the rules' row for a repeat applies.
    pub again: bool,
}

impl TubeForReading {
    pub fn is_pool(&self) -> bool {
        self.ratio > 1
    }
}

/// A run with what it found.
#[derive(Clone, PartialEq, Debug)]
pub struct Run {
    pub run: RunId,
    pub plate: PlateId,
    pub laboratory: PlaceId,
    pub rules: String,
    pub verify_rules: Vec<String>,
    pub controls_valid: bool,
    pub file_name: String,
    pub file_sha256: String,
    pub instrument: String,
    pub read: Timestamp,
    pub read_by: Option<AccountId>,
    pub release: Override,
    pub findings: Vec<RunFinding>,
}

/// Whether two people let a held run through.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Override {
    None,
    Proposed { by: AccountId, director: bool, reason: String },
    Confirmed { by: AccountId, and: AccountId, reason: String, at: Timestamp },
}

impl Run {
    /// The findings that hold a well now.
    pub fn holding(&self, well: u16) -> impl Iterator<Item = &RunFinding> {
        let lifted = matches!(self.release, Override::Confirmed { .. });
        self.findings.iter().filter(move |finding| finding.wells.contains(&well) && !(lifted && can_be_overridden(&finding.code)))
    }
}

/// When it is not known which specimen stood where, no signature helps.
pub fn can_be_overridden(code: &str) -> bool {
    !["plate_swapped", "fingerprint_mismatch", "no_assay"].contains(&code)
}

/// How far a version of a result is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ResultState {
    Preliminary,
    /// One of two people signed.
    SignedOnce {
        by: AccountId,
        director: bool,
        at: Timestamp,
    },
    /// By rule or by two people.
    Released(Release),
    /// The correction of a released result; the version before it stays.
    Amended {
        by: AccountId,
        and: AccountId,
        reason: String,
    },
}

/// On whose word a result went out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Release {
    /// A clean negative, by the rules it passed, at one person's word.
    ByRule {
        passed: Vec<String>,
        by: AccountId,
    },
    ByTwo {
        by: AccountId,
        and: AccountId,
    },
}

impl ResultState {
    pub fn is_out(&self) -> bool {
        matches!(self, ResultState::Released(_) | ResultState::Amended { .. })
    }
}

/// One version of a tube's result.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TubeResult {
    pub tube: TubeId,
    pub version: i64,
    pub outcome: TubeOutcome,
    pub state: ResultState,
    pub run: RunId,
    /// When it became what it is: read, released or amended.
    pub at: Timestamp,
}

/// One specimen of a run, as the signer must know it.
#[derive(Clone, PartialEq, Debug)]
pub struct ForSigning {
    pub call: WellCall,
    pub tube: TubeId,
    pub result: TubeResult,
    /// Facts the laboratory checks itself: name and answer.
    pub circumstances: Vec<(&'static str, bool)>,
}

/// What a person may be told, from one tube.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum PersonResult {
    /// The tube is not resulted yet.
    Pending,
    /// The tube they are in is negative, or their own specimen is.
    Negative,
    /// Their own single specimen showed this.
    Own(TubeOutcome),
    /// They wait for a specimen of their own: the pool is not clean, or their own is not signed yet.
    Held(TubeOutcome),
    /// The tube was rejected or lost: they must be swabbed again.
    NoSpecimen,
}

impl PersonResult {
    /// Its name in JSON and in the texts (`laboratory-person-<name>`).
    pub fn name(self) -> &'static str {
        match self {
            PersonResult::Pending => "pending",
            PersonResult::Negative => "negative",
            PersonResult::Own(TubeOutcome::Positive) => "positive",
            PersonResult::Own(TubeOutcome::SingleTarget) => "inconclusive",
            PersonResult::Own(_) => "invalid",
            PersonResult::Held(_) => "held",
            PersonResult::NoSpecimen => "no-specimen",
        }
    }
}

/// One tube a person's swab is in.
#[derive(Clone, PartialEq, Debug)]
pub struct Membership {
    pub scan: EventId,
    pub swabbed: Timestamp,
    pub clock: TubeClock,
}
