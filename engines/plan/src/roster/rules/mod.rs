//! Fatigue and labour rules as dated data, and what an existing roster breaks of them.
//!
//! Minutes are counted in UTC, so a night shift is 7 or 9 hours long when the clocks change; days, weeks (from Monday), months
//! and starts are read on the local clock. A shift belongs to the local day on which it begins; a day is free when no minute of
//! it is worked. A shift is a night shift when at least three of its hours lie between 23:00 and 06:00.

mod calendar;
mod sets;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

pub use calendar::Zone;
use calendar::{DAY_MINUTES, Local, MINUTE};
pub use sets::{Kind, Rule, RuleSet, rule_sets};

/// Somebody's shift: microseconds UTC, end exclusive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Duty {
    pub person: String,
    pub start: i64,
    pub end: i64,
}

/// A rule that is broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breach {
    pub rule: String,
    pub hard: bool,
    pub person: String,
    /// Start of the shift, day, week or month in question, microseconds UTC.
    pub at: i64,
    /// What was found and what the rule allows, in the rule's unit: minutes, days, nights or starts.
    pub found: i64,
    pub limit: i64,
    /// The recorded exemption that covers it, by its place in the list; the breach is told all the same.
    pub exempted: Option<usize>,
}

impl Breach {
    /// By how much the rule is broken.
    pub fn amount(&self) -> i64 {
        (self.found - self.limit).abs()
    }
}

/// A recorded exemption (PRC Labour Law art. 42: disaster, threat to life and health, urgent repair).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exemption {
    pub rule: String,
    pub from: i64,
    pub until: i64,
    pub reason: String,
    pub approver: String,
}

/// A roster that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("duty {0}: ends before it starts, or lasts longer than a week")]
    Span(usize),
    #[error("duty {0}: lies outside the years 1900 to 2200")]
    Time(usize),
    #[error("exemption {0}: names no reason or no approver")]
    Unfounded(usize),
}

/// Every breach of the rule set, by person, rule and time.
///
/// # Errors
/// Refuses duties that are no shifts, and exemptions without a reason and an approver.
pub fn breaches(duties: &[Duty], zone: &Zone, set: &RuleSet, exemptions: &[Exemption]) -> Result<Vec<Breach>, Refusal> {
    for (at, duty) in duties.iter().enumerate() {
        let within = |time: i64| (-70 * 366..230 * 366).contains(&(time / (MINUTE * DAY_MINUTES)));
        if !(within(duty.start) && within(duty.end)) {
            return Err(Refusal::Time(at));
        }
        if duty.end <= duty.start || duty.end - duty.start > 7 * DAY_MINUTES * MINUTE {
            return Err(Refusal::Span(at));
        }
    }
    if let Some(at) = exemptions.iter().position(|e| e.reason.trim().is_empty() || e.approver.trim().is_empty()) {
        return Err(Refusal::Unfounded(at));
    }
    let mut people: BTreeMap<&str, Vec<Shift>> = BTreeMap::new();
    for duty in duties {
        people.entry(&duty.person).or_default().push(Shift::new(duty, zone));
    }
    let mut breaches = vec![];
    for (person, mut shifts) in people {
        shifts.sort_by_key(|shift| (shift.start, shift.end));
        for rule in &set.rules {
            let found = Reading { shifts: &shifts, zone, rule }.findings();
            let exempted = |at: i64| exemptions.iter().position(|e| e.rule == rule.id && (e.from..e.until).contains(&at));
            breaches.extend(found.into_iter().map(|(at, found)| Breach {
                rule: rule.id.clone(),
                hard: rule.hard,
                person: person.to_owned(),
                at,
                found,
                limit: rule.limit,
                exempted: exempted(at),
            }));
        }
    }
    Ok(breaches)
}

/// Minutes worked in the window of least alertness, 02:00 to 06:00 local: a weight for tasks that must not go wrong.
pub fn risk_window_minutes(duty: &Duty, zone: &Zone) -> i64 {
    Shift::new(duty, zone).clock_minutes(120, 360)
}

/// The local date of a moment, such as `2022-04-04`.
pub fn date(at: i64, zone: &Zone) -> String {
    let day = zone.local(at).day;
    let (year, month) = calendar::month_of(day);
    format!("{year:04}-{month:02}-{:02}", day - calendar::day_of(year, month, 1) + 1)
}

/// The day since 1970-01-01 of a date such as `2022-04-04`, if there is such a date from 1900 to 2199 and it is a Monday.
pub fn monday(date: &str) -> Option<i64> {
    let mut parts = date.splitn(3, '-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    let known = (1900..2200).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
    let number = known.then(|| calendar::day_of(year, month, day))?;
    (calendar::month_of(number) == (year, month) && calendar::monday_of(calendar::week_of(number)) == number).then_some(number)
}

#[derive(Debug, Clone)]
struct Shift {
    start: i64,
    end: i64,
    begins: Local,
    ends: Local,
    night: bool,
}

impl Shift {
    fn new(duty: &Duty, zone: &Zone) -> Shift {
        let mut shift = Shift { start: duty.start, end: duty.end, begins: zone.local(duty.start), ends: zone.local(duty.end - 1), night: false };
        shift.night = shift.clock_minutes(-60, 360) >= 180;
        shift
    }

    fn minutes(&self) -> i64 {
        (self.end - self.start) / MINUTE
    }

    /// Minutes of the local clock within `from..until` of any day, minutes after midnight, negative on the evening before.
    fn clock_minutes(&self, from: i64, until: i64) -> i64 {
        let (start, end) = (self.begins.total(), self.ends.total() + 1);
        let days = self.begins.day - 1..=self.ends.day + 1;
        days.map(|day| (end.min(day * DAY_MINUTES + until) - start.max(day * DAY_MINUTES + from)).max(0)).sum()
    }
}

struct Reading<'a> {
    shifts: &'a [Shift],
    zone: &'a Zone,
    rule: &'a Rule,
}

impl Reading<'_> {
    /// When and what was found, for everything beyond the limit.
    fn findings(&self) -> Vec<(i64, i64)> {
        let limit = self.rule.limit;
        match self.rule.kind {
            Kind::ShiftMinutes => self.shifts.iter().map(|s| (s.start, s.minutes())).filter(|f| f.1 > limit).collect(),
            Kind::NightShiftMinutes => self.shifts.iter().filter(|s| s.night).map(|s| (s.start, s.minutes())).filter(|f| f.1 > limit).collect(),
            Kind::MinutesPerDay => self.per_day().into_iter().map(|(day, n)| (self.zone.utc(day), n)).filter(|f| f.1 > limit).collect(),
            Kind::OvertimePerMonth => self.overtime(),
            Kind::AverageWeekMinutes => self.average_week(),
            Kind::FreeDaysPerWeek => self.free_days(),
            Kind::DaysInARow => self.in_a_row(|_| true),
            Kind::NightsInARow => self.in_a_row(|shift| shift.night),
            Kind::EarlyStartsInARow => self.in_a_row(|shift| shift.begins.minute < self.rule.before.unwrap_or(360)),
            Kind::RestBetweenShifts => self.rests(|_, _| true),
            Kind::NightToDayRest => self.rests(|before, after| before.night != after.night),
        }
    }

    fn per_day(&self) -> BTreeMap<i64, i64> {
        let mut days = BTreeMap::new();
        self.shifts.iter().for_each(|shift| *days.entry(shift.begins.day).or_default() += shift.minutes());
        days
    }

    fn overtime(&self) -> Vec<(i64, i64)> {
        let normal = self.rule.normal_day.unwrap_or(480);
        let mut months: BTreeMap<(i64, i64), i64> = BTreeMap::new();
        for (day, minutes) in self.per_day() {
            *months.entry(calendar::month_of(day)).or_default() += (minutes - normal).max(0);
        }
        let beyond = months.into_iter().filter(|(_, minutes)| *minutes > self.rule.limit);
        beyond.map(|((year, month), minutes)| (self.zone.utc(calendar::day_of(year, month, 1)), minutes)).collect()
    }

    /// Mean over the weeks from the first shift's to the last's, rounded up.
    fn average_week(&self) -> Vec<(i64, i64)> {
        let (Some(first), Some(last)) = (self.shifts.first(), self.shifts.last()) else { return vec![] };
        let first_week = calendar::week_of(first.begins.day);
        let weeks = calendar::week_of(last.begins.day) - first_week + 1;
        let total: i64 = self.shifts.iter().map(Shift::minutes).sum();
        let mean = (total + weeks - 1) / weeks;
        if mean > self.rule.limit { vec![(self.zone.utc(calendar::monday_of(first_week)), mean)] } else { vec![] }
    }

    /// Weeks that are worked through; only weeks in which anything is worked are looked at.
    fn free_days(&self) -> Vec<(i64, i64)> {
        let mut worked: BTreeMap<i64, u8> = BTreeMap::new();
        for day in self.shifts.iter().flat_map(|shift| shift.begins.day..=shift.ends.day) {
            let week = calendar::week_of(day);
            *worked.entry(week).or_default() |= 1 << (day - calendar::monday_of(week));
        }
        let free = worked.into_iter().map(|(week, days)| (week, 7 - i64::from(days.count_ones())));
        free.filter(|(_, free)| *free < self.rule.limit).map(|(week, free)| (self.zone.utc(calendar::monday_of(week)), free)).collect()
    }

    /// Runs of local days on which a shift of the kind begins.
    fn in_a_row(&self, wanted: impl Fn(&Shift) -> bool) -> Vec<(i64, i64)> {
        let mut days: Vec<i64> = self.shifts.iter().filter(|shift| wanted(shift)).map(|shift| shift.begins.day).collect();
        days.dedup();
        let runs = days.chunk_by(|a, b| a + 1 == *b).map(|run| (self.zone.utc(run[0]), run.len() as i64));
        runs.filter(|(_, length)| *length > self.rule.limit).collect()
    }

    /// Rests that are too short, told at the shift after them; shifts that overlap have none.
    fn rests(&self, wanted: impl Fn(&Shift, &Shift) -> bool) -> Vec<(i64, i64)> {
        let pairs = self.shifts.windows(2).filter(|pair| wanted(&pair[0], &pair[1]));
        let rests = pairs.map(|pair| (pair[1].start, ((pair[1].start - pair[0].end) / MINUTE).max(0)));
        rests.filter(|(_, rest)| *rest < self.rule.limit).collect()
    }
}
