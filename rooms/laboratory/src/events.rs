//! What is stored about the bench: accession, plates, runs, calls, release.

use baton_kit::{EventId, LotId, PlaceId, PlateId, RunId, TubeId};
use baton_ledger::{Command, EventBody};
use serde::{Deserialize, Serialize};

/// Fact: a tube was looked at on arrival, and taken or rejected.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TubeAccessioned {
    pub tube: TubeId,
    pub laboratory: PlaceId,
    /// Nothing when accepted; else `leaked`, `unlabelled`, `damaged`, `expired_fluid`, `count_mismatch`, `too_old`, `other`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejected: Option<String>,
}
impl EventBody for TubeAccessioned {
    const KIND: &'static str = "laboratory.tube_accessioned";
}

/// What stands in a well.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WellContent {
    Tube(TubeId),
    NoTemplateControl,
    PositiveControl,
    ExtractionControl,
}

/// One well of a layout; wells are numbered row by row from 0.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct WellLaid {
    pub well: u16,
    #[serde(flatten)]
    pub content: WellContent,
}

/// Lays a plate; the event's id becomes the [`PlateId`]. `tubes` in the order to be filled; the rule places the controls.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct LayPlate {
    pub code: String,
    pub laboratory: PlaceId,
    /// 96 or 384.
    pub wells: u16,
    pub assay: String,
    pub tubes: Vec<TubeId>,
    pub extraction_lot: LotId,
    pub pcr_lot: LotId,
    /// Tubes placed by hand: (well, tube); the rest goes by rule.
    #[serde(default)]
    pub by_hand: Vec<(u16, TubeId)>,
}
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PlateLaid {
    /// Which of the control patterns this plate bears, so that a swapped plate shows.
    pub fingerprint: u16,
    pub layout: Vec<WellLaid>,
}
impl Command for LayPlate {
    type Outcome = PlateLaid;
    const KIND: &'static str = "laboratory.plate_laid";
}

/// Lays a plate that holds nobody's specimen: an instrument's file is put through it so that its curves can be looked at.
/// Nothing on it can be released. The event's id becomes the [`PlateId`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct LayBenchPlate {
    pub code: String,
    pub laboratory: PlaceId,
    /// 96 or 384.
    pub wells: u16,
}
impl Command for LayBenchPlate {
    type Outcome = ();
    const KIND: &'static str = "laboratory.bench_plate_laid";
}

/// Takes a plate out of use before it was read; its tubes are free for another.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct DiscardPlate {
    pub plate: PlateId,
    pub reason: String,
}
impl Command for DiscardPlate {
    type Outcome = ();
    const KIND: &'static str = "laboratory.plate_discarded";
}

/// Reads an instrument's file onto a plate; the event's id becomes the [`RunId`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ReadRun {
    pub plate: PlateId,
    pub file_name: String,
    pub file_sha256: String,
    pub instrument: String,
    /// Curves as read: see [`CurveStored`].
    pub curves: Vec<CurveStored>,
}

/// One amplification curve: cycles and fluorescence as little-endian f32, base64, to keep the ledger small.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CurveStored {
    pub well: u16,
    pub target: String,
    pub dye: String,
    /// Empty when the axis is that of the curve before.
    pub cycles: String,
    pub fluorescence: String,
    /// The instrument's own Cq × 1000, shown beside ours, never used as ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instrument_cq_milli: Option<i64>,
    /// The instrument's own call in its words, shown beside ours, never used as ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instrument_call: Option<String>,
}

/// What is so about a tube. `positive` of a pool never means a positive person.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TubeOutcome {
    Negative,
    Positive,
    SingleTarget,
    Invalid,
}

/// One tube's outcome, in the events of which other rooms read `outcome.tubes`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct TubeRead {
    pub tube: TubeId,
    pub result: TubeOutcome,
}
impl Command for ReadRun {
    type Outcome = RunRead;
    const KIND: &'static str = "laboratory.run_read";
}

/// What the engine and the assay's rules made of a run.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RunRead {
    /// Name and version of the rule set.
    pub rules: String,
    pub controls_valid: bool,
    pub findings: Vec<RunFinding>,
    pub readings: Vec<TargetRead>,
    /// Preliminary: whatever is not cleanly negative holds its people at once. Empty when it is not known which tube stood where.
    pub tubes: Vec<TubeRead>,
    /// What the rules made of each specimen well.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub calls: Vec<WellCall>,
    /// The rules a negative must pass to be released without a second person, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub verify_rules: Vec<String>,
}

/// The rules' answer for one specimen well.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct WellCall {
    pub well: u16,
    /// `detected`, `single_target`, `grey`, `not_detected`, `invalid`.
    pub result: String,
    /// `code:target`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<String>,
    /// What the rules say to do next.
    pub action: String,
    /// Which of the verification rules it did not pass; nothing for a clean negative.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_passed: Vec<String>,
}

/// Something wrong with controls or wells; it holds exactly the wells it names.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RunFinding {
    pub code: String,
    pub wells: Vec<u16>,
    /// The wells that show the fault, where they differ from the wells it holds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub seen_in: Vec<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Another plate whose controls these curves fit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matches: Option<PlateId>,
}

/// One curve's reading.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct TargetRead {
    pub well: u16,
    pub target: String,
    /// `positive`, `ambiguous`, `negative`, `unreadable`.
    pub call: String,
    pub p_positive: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cq: Option<f64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<String>,
}
impl Eq for TargetRead {}

/// Two named people let a run with a failed control through: one proposes, another confirms.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ProposeOverride {
    pub run: RunId,
    pub reason: String,
}
/// In which capacity a proposal was made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Proposed {
    pub director: bool,
}
impl Command for ProposeOverride {
    type Outcome = Proposed;
    const KIND: &'static str = "laboratory.override_proposed";
}
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ConfirmOverride {
    pub run: RunId,
}
impl Command for ConfirmOverride {
    type Outcome = ();
    const KIND: &'static str = "laboratory.override_confirmed";
}

/// Signs tubes of a run. Clean negatives are released by one signature with the rules they passed; anything else needs a second person.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SignResults {
    pub run: RunId,
    /// The tubes this signature is for; empty means all negatives that may be released by rule.
    pub tubes: Vec<TubeId>,
}
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ResultsSigned {
    /// Released by this signature: screening reads these.
    pub tubes: Vec<TubeRead>,
    /// Signed once; waiting for the second person.
    pub waiting: Vec<TubeId>,
    /// The rules a released negative passed.
    pub passed: Vec<String>,
    /// Signed as the laboratory's director.
    #[serde(default)]
    pub director: bool,
}
impl Command for SignResults {
    type Outcome = ResultsSigned;
    const KIND: &'static str = "laboratory.results_signed";
}

/// The first of the two people it takes to correct a released result.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ProposeAmendment {
    pub tube: TubeId,
    pub result: TubeOutcome,
    pub reason: String,
}
impl Command for ProposeAmendment {
    type Outcome = Proposed;
    const KIND: &'static str = "laboratory.amendment_proposed";
}

/// Corrects a released result as another person proposed it; the earlier one stays to be seen.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AmendResult {
    pub tube: TubeId,
    pub result: TubeOutcome,
    pub reason: String,
}
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ResultAmended {
    /// Screening reads the new outcome here.
    pub tubes: Vec<TubeRead>,
    pub before: TubeOutcome,
}
impl Command for AmendResult {
    type Outcome = ResultAmended;
    const KIND: &'static str = "laboratory.result_amended";
}

/// Somebody looked into a finding of this room and closed it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct SettleFinding {
    /// The event that raised it.
    pub finding: EventId,
    pub code: String,
    pub remark: String,
}
impl Command for SettleFinding {
    type Outcome = ();
    const KIND: &'static str = "laboratory.finding_settled";
}
