//! Local clock times from UTC by a list of offsets.

pub(super) const MINUTE: i64 = 60_000_000;
pub(super) const DAY_MINUTES: i64 = 1_440;

/// A place's clock: from when (microseconds UTC, ascending) it stands how many minutes ahead of UTC. The first offset also
/// holds before its time; an empty list is UTC.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Zone {
    offsets: Vec<(i64, i32)>,
}

/// A moment on the local clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Local {
    /// Days since 1970-01-01.
    pub day: i64,
    /// Minute of that day.
    pub minute: i64,
}

impl Local {
    pub fn total(&self) -> i64 {
        self.day * DAY_MINUTES + self.minute
    }
}

impl Zone {
    /// Sorts the offsets; ones of a day or more are cut to it.
    pub fn new(mut offsets: Vec<(i64, i32)>) -> Zone {
        offsets.sort_unstable();
        offsets.iter_mut().for_each(|(_, minutes)| *minutes = (*minutes).clamp(-1_439, 1_439));
        Zone { offsets }
    }

    /// China and the like: one offset all year.
    pub fn fixed(minutes: i32) -> Zone {
        Zone::new(vec![(0, minutes)])
    }

    fn offset(&self, time: i64) -> i64 {
        let after = self.offsets.partition_point(|(from, _)| *from <= time);
        self.offsets.get(after.saturating_sub(1)).map_or(0, |(_, minutes)| i64::from(*minutes))
    }

    pub(super) fn local(&self, time: i64) -> Local {
        let minutes = time.div_euclid(MINUTE) + self.offset(time);
        Local { day: minutes.div_euclid(DAY_MINUTES), minute: minutes.rem_euclid(DAY_MINUTES) }
    }

    /// When a local day begins: the later offset if its midnight is passed twice.
    pub(super) fn utc(&self, day: i64) -> i64 {
        let midnight = day * DAY_MINUTES * MINUTE;
        let guess = midnight - self.offset(midnight) * MINUTE;
        midnight - self.offset(guess) * MINUTE
    }
}

/// Week number, weeks beginning on Monday.
pub(super) fn week_of(day: i64) -> i64 {
    (day + 3).div_euclid(7)
}

pub(super) fn monday_of(week: i64) -> i64 {
    week * 7 - 3
}

/// Year and month of a day since 1970-01-01 (Hinnant, "chrono-compatible low-level date algorithms").
pub(super) fn month_of(day: i64) -> (i64, i64) {
    let shifted = day + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month)
}

/// The day since 1970-01-01 of a date, the inverse of [`month_of`].
pub(super) fn day_of(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let from_march = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * from_march + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_go_there_and_back() {
        assert_eq!((day_of(1970, 1, 1), day_of(2000, 3, 1), day_of(2024, 2, 29)), (0, 11_017, 19_782));
        for day in -40_000..80_000 {
            let (year, month) = month_of(day);
            let first = day_of(year, month, 1);
            assert!((0..31).contains(&(day - first)), "{day}");
            assert_eq!(month_of(first), (year, month));
        }
        // 2020-06-29 was a Monday.
        assert_eq!(monday_of(week_of(day_of(2020, 7, 5))), day_of(2020, 6, 29));
    }

    #[test]
    fn clocks_change() {
        // London 2020: forward on 29 March at 01:00 UTC, back on 25 October at 01:00 UTC.
        let hour = 60 * MINUTE;
        let change = |month, day| day_of(2020, month, day) * 24 * hour + hour;
        let zone = Zone::new(vec![(change(10, 25), 0), (0, 0), (change(3, 29), 60)]);
        assert_eq!(zone.local(change(3, 29) - 1).minute, 59);
        assert_eq!(zone.local(change(3, 29)).minute, 120);
        assert_eq!(zone.local(change(10, 25)).minute, 60);
        let midsummer = day_of(2020, 6, 21);
        assert_eq!(zone.local(zone.utc(midsummer)), Local { day: midsummer, minute: 0 });
        assert_eq!(zone.local(zone.utc(midsummer) - 1), Local { day: midsummer - 1, minute: 1439 });
        assert_eq!(Zone::default().local(0), Local { day: 0, minute: 0 });
        assert_eq!(Zone::fixed(480).local(16 * hour).day, 1);
    }
}
