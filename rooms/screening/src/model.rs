//! Types of the room. A state carries what belongs to it.

use baton_kit::{AccountId, CampaignId, EventId, LotId, PersonId, PlaceId, Timestamp, TubeId};

use crate::events::{Cadence, Who};

/// A campaign as it stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Campaign {
    pub id: CampaignId,
    pub name: String,
    pub who: Who,
    pub assay: String,
    pub ratio: u16,
    pub cadence: Cadence,
    /// Number of the last round.
    pub rounds: u16,
    /// Window of the last round.
    pub opens: Timestamp,
    pub closes: Timestamp,
}

impl Campaign {
    /// True while swabs are expected.
    pub fn runs(&self, now: Timestamp) -> bool {
        self.opens <= now && now < self.closes
    }
}

/// Where one person of a round stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum DueState {
    /// Nobody has swabbed this person yet; after the round's end this is called missed.
    Due,
    /// Swabbed; the tube is under way.
    Sampled,
    /// The tube is in a laboratory.
    Pending,
    /// There is a released result for this person.
    Resulted,
    /// The tube was not clean: the person waits to be swabbed again, singly.
    Held,
    /// Need not come.
    Exempt,
}

impl DueState {
    pub const ALL: [DueState; 6] = [DueState::Due, DueState::Sampled, DueState::Pending, DueState::Resulted, DueState::Held, DueState::Exempt];

    /// As stored.
    pub fn number(self) -> i64 {
        self as i64
    }
    pub fn from_number(number: i64) -> Option<Self> {
        DueState::ALL.into_iter().find(|state| state.number() == number)
    }
    /// Its name in JSON and in the keys of the texts (`screening-state-<name>`).
    pub fn name(self) -> &'static str {
        match self {
            DueState::Due => "due",
            DueState::Sampled => "sampled",
            DueState::Pending => "pending",
            DueState::Resulted => "resulted",
            DueState::Held => "held",
            DueState::Exempt => "exempt",
        }
    }
}

/// What a laboratory says of a tube.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Outcome {
    Negative,
    Positive,
    SingleTarget,
    Invalid,
}

impl Outcome {
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Negative => "negative",
            Outcome::Positive => "positive",
            Outcome::SingleTarget => "single_target",
            Outcome::Invalid => "invalid",
        }
    }
    pub fn from_name(name: &str) -> Option<Self> {
        [Outcome::Negative, Outcome::Positive, Outcome::SingleTarget, Outcome::Invalid].into_iter().find(|outcome| outcome.name() == name)
    }
}

/// How far a tube has come on its way through the laboratory.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Journey {
    /// Filling, sealed or in custody.
    Travelling,
    /// Accepted by a laboratory.
    InLaboratory,
    /// Lost on the way or rejected on arrival, with the coded reason: its people must be swabbed again.
    Void(String),
    /// Read but not released.
    Preliminary(Outcome),
    Released(Outcome),
}

/// A tube as folded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tube {
    pub id: TubeId,
    /// False while only others spoke of it: its opening has not arrived.
    pub opened: bool,
    pub code: String,
    pub campaign: Option<CampaignId>,
    pub round: u16,
    pub point: Option<PlaceId>,
    pub ratio: u16,
    pub follow_up: bool,
    pub fluid_lot: Option<LotId>,
    pub opened_at: Timestamp,
    pub opened_by: Option<AccountId>,
    /// Scans that were not undone.
    pub swabs: u16,
    pub seal: Option<Seal>,
    pub resealed: bool,
    pub journey: Journey,
    /// The first outcome that was not clean, and when it was read.
    pub first_held: Option<(Timestamp, Outcome)>,
    /// When it was reported lost, even if it was found since.
    pub lost: Option<(Timestamp, String)>,
    /// How many unsettled and settled findings name it.
    pub findings: i64,
}

/// How a tube was closed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Seal {
    pub event: EventId,
    pub at: Timestamp,
    /// Swabs counted by eye.
    pub count: u16,
}

impl Tube {
    /// True when whatever is found in this tube is found in one person: a single tube with exactly one swab.
    pub fn is_own_specimen(&self) -> bool {
        self.opened && self.ratio == 1 && self.swabs == 1 && self.seal.is_none_or(|seal| seal.count == 1)
    }
    pub fn is_full(&self) -> bool {
        self.swabs >= self.ratio
    }
}

/// One swab of one person, seen together with its tube.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Specimen {
    pub scan: EventId,
    pub swabbed: Timestamp,
    pub tube: Tube,
}

/// One scan that stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Member {
    pub scan: EventId,
    pub person: PersonId,
    pub swabbed: Timestamp,
}

/// Where a person belongs, with 0 for nothing, as the counting cells are keyed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Whereabouts {
    pub zone: i64,
    pub grid: i64,
    pub building: i64,
    pub enterprise: i64,
    pub household: i64,
}

impl Whereabouts {
    /// The places among them, for the check of scope.
    pub fn chain(&self) -> Vec<PlaceId> {
        [self.enterprise, self.building, self.grid, self.zone].into_iter().filter(|raw| *raw != 0).filter_map(|raw| PlaceId::from_raw(raw).ok()).collect()
    }
}

/// One obligation as stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Due {
    pub campaign: CampaignId,
    pub round: u16,
    pub person: PersonId,
    pub at: Whereabouts,
    /// False for somebody who came although the campaign does not name them.
    pub listed: bool,
    pub standing: Standing,
}

/// The part of an obligation that follows from its specimens.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Standing {
    pub state: DueState,
    /// Why: the exemption's or the lost tube's code; empty when the state says it all.
    pub reason: String,
    /// `negative`, or `positive` of the person's own specimen; empty before.
    pub result: &'static str,
    pub tube: Option<TubeId>,
    pub swabbed: Option<Timestamp>,
}

/// One entry of the follow-up list, as it follows from the specimens.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FollowUp {
    pub tube: TubeId,
    pub round: u16,
    pub reason: String,
    /// Must be swabbed into a single tube.
    pub single: bool,
    pub opened: Timestamp,
    /// Why it is closed; nothing while it is open.
    pub closed: Option<&'static str>,
    /// The later specimen that is to settle it.
    pub again: Option<TubeId>,
}
