//! What is stored about boxes and who holds them.

use baton_kit::{AccountId, BoxId, PlaceId, TubeId};
use baton_ledger::{Command, EventBody};
use serde::{Deserialize, Serialize};

/// Fact: a transport box was opened at a point; the event's id becomes the [`BoxId`] and its actor the first holder.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BoxOpened {
    pub code: String,
    pub point: PlaceId,
}
impl EventBody for BoxOpened {
    const KIND: &'static str = "custody.box_opened";
}

/// Fact: a sealed tube was put into a box.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TubeBoxed {
    #[serde(rename = "box")]
    pub box_id: BoxId,
    pub tube: TubeId,
}
impl EventBody for TubeBoxed {
    const KIND: &'static str = "custody.tube_boxed";
}

/// Fact: a box was sealed with so many tubes, counted by eye.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BoxSealed {
    #[serde(rename = "box")]
    pub box_id: BoxId,
    pub seal: String,
    pub count: u16,
}
impl EventBody for BoxSealed {
    const KIND: &'static str = "custody.box_sealed";
}

/// To whom a box is offered.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Taker {
    Account(AccountId),
    Laboratory(PlaceId),
}

/// Fact: the holder offers a box. They hold it until it is accepted.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BoxOffered {
    #[serde(rename = "box")]
    pub box_id: BoxId,
    pub to: Taker,
    pub count: u16,
}
impl EventBody for BoxOffered {
    const KIND: &'static str = "custody.box_offered";
}

/// Fact: a person took a box; the actor is the new holder and this is their signature.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BoxAccepted {
    #[serde(rename = "box")]
    pub box_id: BoxId,
    pub count: u16,
    pub seal_intact: bool,
    /// Tenths of a degree Celsius, if read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature_tenths_c: Option<i64>,
}
impl EventBody for BoxAccepted {
    const KIND: &'static str = "custody.box_accepted";
}

/// Fact: an offered box was not taken; the offerer still holds it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BoxDeclined {
    #[serde(rename = "box")]
    pub box_id: BoxId,
    /// `count_mismatch`, `seal_broken`, `too_warm`, `no_capacity`, `other`.
    pub reason: String,
}
impl EventBody for BoxDeclined {
    const KIND: &'static str = "custody.box_declined";
}

/// Decision: a laboratory admits a box. Refused when its tubes exceed what the laboratory declared for the operational day.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AdmitBox {
    #[serde(rename = "box")]
    pub box_id: BoxId,
    pub laboratory: PlaceId,
    pub count: u16,
    pub seal_intact: bool,
    pub temperature_tenths_c: Option<i64>,
}
impl Command for AdmitBox {
    type Outcome = ();
    const KIND: &'static str = "custody.box_admitted";
}

/// Fact: a box stands in a laboratory although nobody admitted it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BoxArrivedAnyway {
    #[serde(rename = "box")]
    pub box_id: BoxId,
    pub laboratory: PlaceId,
    pub count: u16,
}
impl EventBody for BoxArrivedAnyway {
    const KIND: &'static str = "custody.box_arrived_anyway";
}

/// Fact: a temperature was read on the way.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TemperatureNoted {
    #[serde(rename = "box")]
    pub box_id: BoxId,
    pub temperature_tenths_c: i64,
}
impl EventBody for TemperatureNoted {
    const KIND: &'static str = "custody.temperature_noted";
}

/// Fact: tubes are lost or damaged; their people must be swabbed again.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TubesLost {
    pub tubes: Vec<TubeId>,
    /// `missing`, `damaged`, `leaked`, `box_lost`.
    pub reason: String,
}
impl EventBody for TubesLost {
    const KIND: &'static str = "custody.tubes_lost";
}
