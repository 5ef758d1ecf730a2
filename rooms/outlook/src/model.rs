//! What a forecast is made from and of. No formats, no storage.

use baton_kit::{AccountId, EventId, PlaceId, Timestamp};
use baton_laboratory::stages::{BoxCarried, Looked, PlateDone, TubeTaken, Underway};
use baton_screening::queue::lanes::Lanes;

use baton_simulate::twin::{Delta, Estimate};

use crate::events::{ForecastMade, LastResult};

/// The stages of a tube's way, as the twin plays them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Stage {
    /// The line at a point and its lanes: people who have no tube yet, as many together as fill one.
    Lane,
    Sampling,
    Collection,
    Transport,
    Accession,
    Plate,
    Extraction,
    Bench,
    Signature,
}

impl Stage {
    /// Its name in events and in the texts (`outlook-stage-<name>`).
    pub fn name(self) -> &'static str {
        match self {
            Stage::Lane => "lane",
            Stage::Sampling => "sampling",
            Stage::Collection => "collection",
            Stage::Transport => "transport",
            Stage::Accession => "accession",
            Stage::Plate => "plate",
            Stage::Extraction => "extraction",
            Stage::Bench => "bench",
            Stage::Signature => "signature",
        }
    }
}

/// What a laboratory says it has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Equipment {
    pub extractors: u32,
    pub extraction_s: u32,
    pub cyclers: u32,
}

/// One laboratory as it is and as it was lately.
#[derive(Clone, PartialEq, Debug)]
pub struct LaboratorySeen {
    pub id: PlaceId,
    pub plates: Vec<PlateDone>,
    pub taken: Vec<TubeTaken>,
    pub looks: Vec<Looked>,
    pub equipment: Option<Equipment>,
}

/// A point at which tubes are begun.
#[derive(Clone, PartialEq, Debug)]
pub struct PointSeen {
    pub id: PlaceId,
    /// Tubes begun within the time over which the pace is taken.
    pub begun: i64,
    /// When nobody comes any more.
    pub closes: Timestamp,
    pub lanes: Lanes,
    /// People who stand in its line.
    pub waiting: i64,
    /// People who share a tube.
    pub people_per_tube: f64,
}

/// People the running rounds still wait for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StillDue {
    pub people: i64,
    /// When the last of these rounds closes.
    pub closes: Timestamp,
}

/// Everything a forecast is made from: one consistent picture.
#[derive(Clone, PartialEq, Debug)]
pub struct Seen {
    pub now: Timestamp,
    /// Beginning of the operational day: older tubes are no longer waited for.
    pub from: Timestamp,
    pub underway: Vec<Underway>,
    pub boxes: Vec<BoxCarried>,
    pub laboratories: Vec<LaboratorySeen>,
    pub points: Vec<PointSeen>,
    /// Nothing where no running round lists anybody.
    pub due: Option<StillDue>,
    /// Seconds over which `begun` was counted.
    pub pace_s: f64,
}

impl Seen {
    /// When the points are closed, or now.
    pub fn until(&self) -> Timestamp {
        let open = self.points.iter().filter(|point| point.begun > 0).map(|point| point.closes);
        open.max().unwrap_or(self.now).max(self.now)
    }
}

/// Points whose tubes the same courier fetches.
#[derive(Clone, PartialEq, Debug)]
pub struct Round {
    pub carrier: Option<AccountId>,
    /// Place in the list of laboratories.
    pub laboratory: usize,
}

/// A forecast as it is kept.
#[derive(Clone, PartialEq, Debug)]
pub struct Kept {
    pub id: EventId,
    pub made: Timestamp,
    pub forecast: ForecastMade,
    pub score: Option<Score>,
}

impl Kept {
    /// As little as a verdict needs.
    pub fn foretold(&self) -> Foretold {
        Foretold { id: self.id, made: self.made, last: self.forecast.last, score: self.score, stretch_percent: i64::from(self.forecast.stretch_percent) }
    }
}

/// What was foretold of the last result, without the rest of the forecast.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Foretold {
    pub id: EventId,
    pub made: Timestamp,
    pub last: LastResult,
    pub score: Option<Score>,
    pub stretch_percent: i64,
}

/// What came of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Score {
    pub first_swab: Timestamp,
    pub last_result: Timestamp,
}

/// The line of a point under a comparison.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct LineAhead {
    pub point: PlaceId,
    /// Lanes that are open now, and people whom each serves in an hour.
    pub lanes: u32,
    pub per_hour: f64,
    /// Whether that is measured; otherwise it is the plan's figure.
    pub measured: bool,
    /// How long people wait there on average as things are.
    pub wait_s: f64,
    /// With the change less without it.
    pub difference_s: Estimate,
    /// People who turn away because a line is too long, at all points together: as things are, and the difference.
    pub away: f64,
    pub away_difference: Estimate,
}

/// What a comparison says.
#[derive(Clone, PartialEq, Debug)]
pub struct Compared {
    /// As things are.
    pub base: ForecastMade,
    /// Nothing where the change changes nothing.
    pub delta: Option<Delta>,
    /// The line the change is about, or the one it changes most; nothing where it changes none.
    pub line: Option<LineAhead>,
}

/// What is changed in a comparison.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Change {
    /// One more van: all rounds come so much closer together.
    Van,
    /// One more hand at accession in every laboratory.
    Desk,
    /// One more machine in every laboratory that stated its machines.
    Extractor,
    Cycler,
    /// One more lane at a point.
    Lane(PlaceId),
    /// Points stay open this much longer.
    LongerMinutes(u32),
    /// So many per cent more people from now on.
    SurgePercent(u32),
    /// A point closes now; its people go to the other points.
    Closed(PlaceId),
}
