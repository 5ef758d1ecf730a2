//! What the stages of the way took lately, and what is on its way now: what a forecast starts from.

use baton_kit::{AccountId, BoxId, PlaceId, PlateId, Timestamp, TubeId};

/// A tube that waits for its result, with no more than a forecast needs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Underway {
    pub tube: TubeId,
    pub point: Option<PlaceId>,
    pub first_swab: Timestamp,
    pub sealed: Option<Timestamp>,
    pub box_id: Option<BoxId>,
    pub boxed: Option<Timestamp>,
    pub arrived: Option<Timestamp>,
    /// Where it was taken in, or where its box is.
    pub laboratory: Option<PlaceId>,
    pub accessioned: Option<Timestamp>,
    pub plate: Option<PlateId>,
    pub laid: Option<Timestamp>,
    pub read: Option<Timestamp>,
}

/// A box that reached a laboratory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BoxCarried {
    pub point: Option<PlaceId>,
    pub laboratory: Option<PlaceId>,
    /// Who took it over first; nothing when whoever packed it carried it.
    pub carrier: Option<AccountId>,
    pub first_sealed: Option<Timestamp>,
    pub boxed: Option<Timestamp>,
    pub arrived: Timestamp,
}

/// A plate that was laid, and read if it was.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PlateDone {
    pub plate: PlateId,
    pub tubes: i64,
    pub first_accessioned: Option<Timestamp>,
    pub laid: Timestamp,
    /// The last run of it.
    pub read: Option<Timestamp>,
    /// Whether anything of it is out: its last run stands.
    pub out: bool,
}

/// A tube that was taken in, and how far it came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TubeTaken {
    pub first_swab: Option<Timestamp>,
    pub sealed: Option<Timestamp>,
    pub read: Option<Timestamp>,
    pub released: Option<Timestamp>,
}

/// One look at a tube on arrival.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Looked {
    pub account: Option<AccountId>,
    pub at: Timestamp,
}
