//! A box on its way: every instant has exactly one holder, and the offerer holds until the other side accepts.

use baton_kit::{AccountId, EventId, PlaceId, Timestamp};

use crate::events::Taker;

/// Who answers for a box.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Holder {
    Account(AccountId),
    Laboratory(PlaceId),
}

/// What was done with a box.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Deed {
    Opened,
    Sealed { count: i64 },
    Offered { to: Taker, count: i64 },
    Accepted { count: i64, seal_intact: bool, temperature_tenths_c: Option<i64> },
    Declined,
    Admitted { laboratory: PlaceId, count: i64, seal_intact: bool, temperature_tenths_c: Option<i64> },
    ArrivedAnyway { laboratory: PlaceId, count: i64 },
    TemperatureNoted { tenths_c: i64 },
}

/// One step of a box's way.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Step {
    pub id: EventId,
    pub happened: Timestamp,
    pub actor: Option<AccountId>,
    pub deed: Deed,
}

/// How far a box is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stage {
    /// Its opening is not known yet; other steps came first.
    Unknown,
    Filling,
    Sealed,
    OnTheWay,
    Received,
}

impl Stage {
    pub fn name(self) -> &'static str {
        match self {
            Stage::Unknown => "unknown",
            Stage::Filling => "filling",
            Stage::Sealed => "sealed",
            Stage::OnTheWay => "on_the_way",
            Stage::Received => "received",
        }
    }
}

/// Something that does not fit together on a box's way.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Contradiction {
    CountMismatch,
    SealBroken,
    TooWarm,
    TakenUnoffered,
    TakenByAnother,
    OfferedByAnother,
    ArrivedUnadmitted,
    NeverSealed,
}

impl Contradiction {
    pub fn code(self) -> &'static str {
        match self {
            Contradiction::CountMismatch => "box-count-mismatch",
            Contradiction::SealBroken => "box-seal-broken",
            Contradiction::TooWarm => "box-too-warm",
            Contradiction::TakenUnoffered => "box-taken-unoffered",
            Contradiction::TakenByAnother => "box-taken-by-another",
            Contradiction::OfferedByAnother => "box-offered-by-another",
            Contradiction::ArrivedUnadmitted => "box-arrived-unadmitted",
            Contradiction::NeverSealed => "box-never-sealed",
        }
    }
}

/// A box as its steps tell it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Custody {
    pub stage: Stage,
    pub holder: Option<Holder>,
    pub held_since: Option<Timestamp>,
    pub offer: Option<Taker>,
    pub sealed_count: Option<i64>,
    pub findings: Vec<(Contradiction, EventId)>,
}
