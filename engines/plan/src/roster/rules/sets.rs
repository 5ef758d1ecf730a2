//! The rule sets that ship with Baton.

use serde::Deserialize;

/// What a rule measures, and in which unit its limit is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Most minutes of one shift.
    ShiftMinutes,
    /// Most minutes of one night shift.
    NightShiftMinutes,
    /// Most minutes of all shifts that begin on one day.
    MinutesPerDay,
    /// Most minutes beyond `normal_day` a day, summed over a calendar month.
    OvertimePerMonth,
    /// Most minutes a week on average.
    AverageWeekMinutes,
    /// Fewest days of a week without a minute of work.
    FreeDaysPerWeek,
    /// Most days in a row on which a shift begins.
    DaysInARow,
    /// Most days in a row on which a night shift begins.
    NightsInARow,
    /// Most days in a row on which a shift begins before `before`.
    EarlyStartsInARow,
    /// Fewest minutes between two shifts.
    RestBetweenShifts,
    /// Fewest minutes between a night shift and another shift, either way round.
    NightToDayRest,
}

/// One rule with its source.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    pub id: String,
    pub kind: Kind,
    pub limit: i64,
    /// Minutes a day beyond which overtime begins.
    pub normal_day: Option<i64>,
    /// Minute of the local day before which a start is early.
    pub before: Option<i64>,
    /// Hard rules make a plan illegal; soft ones are told.
    pub hard: bool,
    pub source: String,
}

/// A dated set of rules.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleSet {
    pub id: String,
    /// Of the text the rules come from.
    pub version: String,
    /// Month in which that text was read.
    pub read: String,
    pub title: String,
    pub rules: Vec<Rule>,
}

/// All sets, as shipped. A test reads them, so the list is never empty.
pub fn rule_sets() -> Vec<RuleSet> {
    serde_json::from_str(include_str!("sets.json")).unwrap_or_default()
}
