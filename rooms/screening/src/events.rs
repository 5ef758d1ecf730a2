//! What is stored about campaigns and sampling.

use baton_kit::{AnyId, CampaignId, EventId, LotId, PersonId, PlaceId, Timestamp, TubeId};
use baton_ledger::{Command, EventBody};
use serde::{Deserialize, Serialize};

/// Who is due. A person is due when any list names them.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Who {
    /// Zones, grids, buildings or enterprises.
    #[serde(default)]
    pub places: Vec<PlaceId>,
    #[serde(default)]
    pub tags: Vec<String>,
    #[serde(default)]
    pub people: Vec<PersonId>,
}

/// How often.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Cadence {
    Once,
    EveryDays(u16),
}

/// Somebody counted the line of a point. Lines have numbers from 1.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LineCounted {
    pub point: PlaceId,
    pub waiting: u16,
    /// Lines that are open.
    #[serde(default)]
    pub open: Vec<u16>,
}
impl EventBody for LineCounted {
    const KIND: &'static str = "screening.line_counted";
}

/// Opens a campaign and its first round; the event's id becomes the [`CampaignId`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct OpenCampaign {
    pub name: String,
    pub who: Who,
    /// Name of the assay's rule set, e.g. `orf1ab-n-ic`.
    pub assay: String,
    /// Swabs per tube: 1, 5, 10 or 20.
    pub ratio: u16,
    pub opens_us: Timestamp,
    pub closes_us: Timestamp,
    pub cadence: Cadence,
}
impl Command for OpenCampaign {
    /// How many people were due when it opened.
    type Outcome = ();
    const KIND: &'static str = "screening.campaign_opened";
}

/// Opens the next round of a campaign: everybody is due again.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct OpenRound {
    pub campaign: CampaignId,
    pub round: u16,
    pub opens_us: Timestamp,
    pub closes_us: Timestamp,
}
impl Command for OpenRound {
    type Outcome = ();
    const KIND: &'static str = "screening.round_opened";
}

/// Somebody need not come, and why.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ExemptPerson {
    pub campaign: CampaignId,
    pub person: PersonId,
    /// A coded reason: `medical`, `tested_elsewhere`, `left`, `under_age`, `other`.
    pub reason: String,
    #[serde(default)]
    pub remark: String,
}
impl Command for ExemptPerson {
    type Outcome = ();
    const KIND: &'static str = "screening.person_exempted";
}

/// Fact: a tube was opened at a point; the event's id becomes the [`TubeId`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TubeOpened {
    /// The printed label.
    pub code: String,
    pub campaign: CampaignId,
    pub point: PlaceId,
    /// Swabs this tube may hold.
    pub ratio: u16,
    /// Lot of the preservation fluid, as scanned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fluid_lot: Option<LotId>,
    /// True for a single tube that follows up a pool which was not clean.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub follow_up: bool,
}
impl EventBody for TubeOpened {
    const KIND: &'static str = "screening.tube_opened";
}

/// Fact: a person's swab went into a tube.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PersonSampled {
    pub tube: TubeId,
    pub person: PersonId,
}
impl EventBody for PersonSampled {
    const KIND: &'static str = "screening.person_sampled";
}

/// Fact: a scan was a mistake; the swab it names did not go into that tube.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScanUndone {
    /// The [`PersonSampled`] event.
    pub scan: EventId,
    /// `wrong_person`, `wrong_tube`, `not_swabbed`, `other`.
    pub reason: String,
}
impl EventBody for ScanUndone {
    const KIND: &'static str = "screening.scan_undone";
}

/// Fact: a tube was closed with so many swabs in it, counted by eye.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TubeSealed {
    pub tube: TubeId,
    pub count: u16,
}
impl EventBody for TubeSealed {
    const KIND: &'static str = "screening.tube_sealed";
}

/// Issues a block of label numbers to a point, ahead of need; the event's id is the block's.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct IssueLabels {
    pub point: PlaceId,
    /// For one device alone: its number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<u32>,
    pub count: u16,
}
impl Command for IssueLabels {
    type Outcome = LabelsIssued;
    const KIND: &'static str = "screening.labels_issued";
}

/// Where a block begins: right behind the one before it, whoever asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LabelsIssued {
    pub first: i64,
}

/// Fact: a block's labels were printed. The second time it is a reprint, and two tubes may bear one number.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LabelsPrinted {
    pub block: EventId,
}
impl EventBody for LabelsPrinted {
    const KIND: &'static str = "screening.labels_printed";
}

/// Fact: these labels will not be used: `spoiled`, `misprinted` or `lost`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LabelsStruckOff {
    /// First and last number, without letter and check character. At most 5,000.
    pub from: u32,
    pub to: u32,
    pub reason: String,
}

impl LabelsStruckOff {
    /// The numbers meant, none beyond the limit of one report.
    pub fn serials(&self) -> std::ops::RangeInclusive<i64> {
        let from = i64::from(self.from);
        from..=i64::from(self.to).min(from + crate::label::rules::BLOCK_LIMIT - 1)
    }
}

impl EventBody for LabelsStruckOff {
    const KIND: &'static str = "screening.labels_struck_off";
}

/// Somebody on the follow-up list will not be swabbed again, and why.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CloseFollowUp {
    pub tube: TubeId,
    pub person: PersonId,
    /// `hospital`, `quarantined_elsewhere`, `died`, `left`, `other`.
    pub reason: String,
    #[serde(default)]
    pub remark: String,
}
impl Command for CloseFollowUp {
    type Outcome = ();
    const KIND: &'static str = "screening.follow_up_closed";
}

/// Somebody looked into a contradiction and says what was so.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SettleFinding {
    /// The tube it is about; for `scan-unknown` the scan.
    pub subject: AnyId,
    pub code: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonId>,
    pub remark: String,
}
impl Command for SettleFinding {
    type Outcome = ();
    const KIND: &'static str = "screening.finding_settled";
}

/// What sampling desks tell in one breath; followers take such facts together, see [`baton_ledger::Run`].
pub const TOLD_TOGETHER: &[&str] = &[TubeOpened::KIND, PersonSampled::KIND, TubeSealed::KIND];
