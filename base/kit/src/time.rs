//! Instants, and the operational day: the only unit for "per day" limits, cadences and reports.

use serde::{Deserialize, Serialize};

/// Microseconds since 1970-01-01 UTC.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

pub const SECOND_US: i64 = 1_000_000;
pub const MINUTE_US: i64 = 60 * SECOND_US;
pub const HOUR_US: i64 = 60 * MINUTE_US;
pub const DAY_US: i64 = 24 * HOUR_US;

impl Timestamp {
    pub fn plus_us(self, us: i64) -> Self {
        Self(self.0.saturating_add(us))
    }
    /// Microseconds from `earlier` to `self`; negative when it is later.
    pub fn since(self, earlier: Timestamp) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// A day of work at a site: days since 1970-01-01, counted from the site's own hour of starting.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct OperationalDay(pub i32);

/// Where and when a day begins: the site's zone and the hour at which one working day ends and the next begins.
#[derive(Clone, Debug)]
pub struct Site {
    zone: jiff::tz::TimeZone,
    day_starts_hour: i8,
}

/// Why a site cannot be.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SiteError {
    #[error("no time zone is named {0}")]
    Zone(String),
    #[error("a day starts at an hour in 0..=23, not {0}")]
    Hour(i8),
}

impl Site {
    pub fn new(zone: &str, day_starts_hour: i8) -> Result<Self, SiteError> {
        if !(0..24).contains(&day_starts_hour) {
            return Err(SiteError::Hour(day_starts_hour));
        }
        let zone = jiff::tz::TimeZone::get(zone).map_err(|_| SiteError::Zone(zone.to_owned()))?;
        Ok(Self { zone, day_starts_hour })
    }

    /// Shanghai, the day starting at 04:00: the middle of the night shift, when no round is open.
    pub fn shanghai() -> Self {
        let zone = jiff::tz::TimeZone::fixed(jiff::tz::offset(8));
        Self { zone, day_starts_hour: 4 }
    }

    fn local(&self, at: Timestamp) -> jiff::Zoned {
        let at = jiff::Timestamp::from_microsecond(at.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        at.to_zoned(self.zone.clone())
    }

    /// The operational day that holds this instant.
    pub fn day_of(&self, at: Timestamp) -> OperationalDay {
        let local = self.local(at);
        let before_start = local.hour() < self.day_starts_hour;
        let epoch = jiff::civil::date(1970, 1, 1);
        let days = epoch.until(local.date()).map_or(0, |span| span.get_days());
        OperationalDay(days - i32::from(before_start))
    }

    /// The first instant of a day.
    pub fn start_of(&self, day: OperationalDay) -> Timestamp {
        let date = jiff::civil::date(1970, 1, 1).saturating_add(jiff::Span::new().days(day.0.clamp(-700_000, 2_900_000)));
        let start = date.at(self.day_starts_hour, 0, 0, 0).to_zoned(self.zone.clone());
        start.map_or(Timestamp::default(), |zoned| Timestamp(zoned.timestamp().as_microsecond()))
    }

    /// `2026-03-27 04:05`, in the site's own time.
    pub fn show(&self, at: Timestamp) -> String {
        self.local(at).strftime("%Y-%m-%d %H:%M").to_string()
    }

    /// `04:05`, in the site's own time.
    pub fn show_hour(&self, at: Timestamp) -> String {
        self.local(at).strftime("%H:%M").to_string()
    }

    /// The calendar date on which the operational day starts: `2026-03-27`.
    pub fn show_day(&self, day: OperationalDay) -> String {
        self.local(self.start_of(day)).strftime("%Y-%m-%d").to_string()
    }

    /// The operational day called by a calendar date `2026-03-27`.
    pub fn parse_day(&self, text: &str) -> Option<OperationalDay> {
        let date: jiff::civil::Date = text.trim().parse().ok()?;
        let days = jiff::civil::date(1970, 1, 1).until(date).ok()?.get_days();
        Some(OperationalDay(days))
    }

    /// An instant written in the site's own time, `2026-03-27 04:05` or `2026-03-27T04:05`.
    pub fn parse(&self, text: &str) -> Option<Timestamp> {
        let text = text.trim().replace(' ', "T");
        let local: jiff::civil::DateTime = text.parse().ok()?;
        let zoned = local.to_zoned(self.zone.clone()).ok()?;
        Some(Timestamp(zoned.timestamp().as_microsecond()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_night_shift_belongs_to_the_day_it_began() {
        let site = Site::shanghai();
        let evening = site.parse("2026-03-27 23:50").unwrap();
        let small_hours = site.parse("2026-03-28 03:59").unwrap();
        let morning = site.parse("2026-03-28 04:00").unwrap();
        assert_eq!(site.day_of(evening), site.day_of(small_hours));
        assert_eq!(site.day_of(morning).0, site.day_of(evening).0 + 1);
        assert_eq!(site.show_day(site.day_of(small_hours)), "2026-03-27");
    }

    #[test]
    fn a_site_that_cannot_be_is_named() {
        assert_eq!(Site::new("Asia/Shanghai", 24).unwrap_err(), SiteError::Hour(24));
        assert_eq!(Site::new("Mars/Olympus", 4).unwrap_err(), SiteError::Zone("Mars/Olympus".to_owned()));
    }

    proptest! {
        #[test]
        fn every_instant_lies_in_its_day(us in -DAY_US * 1000..DAY_US * 40_000) {
            let site = Site::shanghai();
            let day = site.day_of(Timestamp(us));
            prop_assert!(site.start_of(day).0 <= us);
            prop_assert!(us < site.start_of(OperationalDay(day.0 + 1)).0);
        }
    }
}
