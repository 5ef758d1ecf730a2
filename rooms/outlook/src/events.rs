//! What is stored about forecasts.

use baton_kit::{PlaceId, Timestamp, TubeId};
use baton_ledger::EventBody;
use serde::{Deserialize, Serialize};

/// Fact: what the twin foretold at a moment. It is recorded with its answer and never computed again.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ForecastMade {
    /// It speaks of the tubes first swabbed from here …
    pub from_us: Timestamp,
    /// … to here: when the points close, or now when they are closed.
    pub until_us: Timestamp,
    /// Days that were played through.
    pub replications: u32,
    /// Tubes on their way.
    pub tubes: u32,
    /// Tubes that are still to be filled, on average.
    pub expected: u32,
    /// When the last result is out.
    pub last: LastResult,
    /// How many tubes break six hours, of those there and those to come.
    pub late: Count,
    /// How many results more are out by a moment.
    pub left: Vec<OutBy>,
    pub stages: Vec<StageAhead>,
    /// Place in `stages`.
    pub bottleneck: usize,
    /// Tubes on their way that may break six hours, the likeliest first.
    pub late_tubes: Vec<LateTube>,
    pub measured: Measured,
    /// The band of the last result is the twin's own, stretched to so many per cent: see [`crate::rules::score::stretch`].
    pub stretch_percent: u32,
}
impl EventBody for ForecastMade {
    const KIND: &'static str = "outlook.forecast_made";
}

/// One in ten days is earlier than `p10_us`, one in ten later than `p90_us`: between them lies the band of 80 %.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct LastResult {
    pub p10_us: Timestamp,
    pub p50_us: Timestamp,
    pub p90_us: Timestamp,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Count {
    pub p10: u32,
    pub p50: u32,
    pub p90: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct OutBy {
    pub at_us: Timestamp,
    #[serde(flatten)]
    pub results: Count,
}

/// A stage of the way, of one laboratory or of all couriers together.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct StageAhead {
    /// `sampling`, `collection`, `transport`, `accession`, `plate`, `extraction`, `bench`, `signature`.
    pub stage: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub laboratory: Option<PlaceId>,
    /// Tubes there now.
    pub tubes: u32,
    /// Per cent of the time of its hands or machines that is used from now on; nothing where their number is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub utilisation_percent: Option<u32>,
    /// Per cent of all waiting from now on that is done here.
    pub wait_share_percent: u32,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct LateTube {
    pub tube: TubeId,
    /// Of the days played, how many per cent it is late in.
    pub percent: u32,
    /// The stage that costs it the time.
    pub cause: String,
}

/// From how much the times were taken. Where it is little, the stated prior fills up.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Measured {
    /// Couriers' rounds.
    pub rounds: u32,
    pub plates: u32,
    pub tubes: u32,
}

/// Fact: the machines a laboratory has. What is not stated is not the bottleneck.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EquipmentStated {
    pub laboratory: PlaceId,
    /// Machines that extract one plate at a time.
    pub extractors: u16,
    pub extraction_minutes: u16,
    /// Machines that run one plate at a time.
    pub cyclers: u16,
}
impl EventBody for EquipmentStated {
    const KIND: &'static str = "outlook.equipment_stated";
}
