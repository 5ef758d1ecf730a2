//! How long somebody waits who joins the line now: a range, or honestly nothing.
//!
//! Known are a count of the line some minutes ago and the swabs taken since. Not known is who joined meanwhile: at least nobody, at most
//! as many as were swabbed (the line then is as long as it was). The pace is that of the last quarter of an hour; swabs come like a
//! Poisson process, so `n` of them stand for a true pace between `n - 2√n` and `n + 2√n`.

use baton_kit::Timestamp;
use baton_kit::time::MINUTE_US;

/// The pace is measured over so many minutes.
pub const PACE_MINUTES: i64 = 15;
/// With fewer swabs in that time nobody can say how fast it goes.
const SWABS_MIN: i64 = 6;
/// After so long a count says nothing any more.
pub const COUNT_HOLDS_US: i64 = 30 * MINUTE_US;
/// Minutes are told in steps of so many, outward.
pub const STEP: i64 = 5;
/// More than so many minutes is told as such.
pub const LONGEST: i64 = 180;

/// What is known of a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Seen {
    /// People counted, and when.
    pub counted: i64,
    pub at: Timestamp,
    /// Swabs since the count.
    pub since: i64,
    /// Swabs in the last [`PACE_MINUTES`].
    pub lately: i64,
    pub now: Timestamp,
}

/// How long somebody waits who joins now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wait {
    /// Nobody waits.
    None,
    /// Between so many minutes; the upper end is [`LONGEST`] when it is more.
    Minutes { from: i64, to: i64 },
    /// The count is too old, or lies ahead of us.
    CountOld,
    /// Too few swabs lately.
    NoPace,
}

/// People who wait now: at least, at most.
pub fn waiting(seen: &Seen) -> (i64, i64) {
    ((seen.counted - seen.since).max(0), seen.counted.max(0))
}

pub fn wait(seen: &Seen) -> Wait {
    let age = seen.now.since(seen.at);
    if !(0..=COUNT_HOLDS_US).contains(&age) {
        return Wait::CountOld;
    }
    let (fewest, most) = waiting(seen);
    if most == 0 {
        return Wait::None;
    }
    if seen.lately < SWABS_MIN {
        return Wait::NoPace;
    }
    let (swabs, spread) = (seen.lately as f64, 2.0 * (seen.lately as f64).sqrt());
    let minutes = |people: i64, swabs: f64| people as f64 * PACE_MINUTES as f64 / swabs;
    let from = minutes(fewest, swabs + spread) as i64 / STEP * STEP;
    let to = (minutes(most, (swabs - spread).max(0.5)) / STEP as f64).ceil() as i64 * STEP;
    Wait::Minutes { from: from.min(LONGEST), to: to.clamp(STEP, LONGEST) }
}

/// The closing hour in `07:00-22:00`: hours and minutes.
pub fn closing(hours: &str) -> Option<&str> {
    let (_, closes) = hours.split_once(['-', '–', '—', '~', '至'])?;
    let closes = closes.trim();
    let (hour, minute) = closes.split_once(':')?;
    let fits = hour.parse::<u8>().is_ok_and(|hour| hour <= 24) && minute.len() == 2 && minute.parse::<u8>().is_ok_and(|minute| minute < 60);
    fits.then_some(closes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(counted: i64, minutes_ago: i64, since: i64, lately: i64) -> Seen {
        let now = Timestamp(1_000_000 * MINUTE_US);
        Seen { counted, at: now.plus_us(-minutes_ago * MINUTE_US), since, lately, now }
    }

    #[test]
    fn what_nobody_can_know_is_not_told() {
        assert_eq!(wait(&seen(40, 31, 0, 60)), Wait::CountOld);
        assert_eq!(wait(&seen(40, -1, 0, 60)), Wait::CountOld);
        assert_eq!(wait(&seen(40, 5, 0, 5)), Wait::NoPace);
        assert_eq!(wait(&seen(0, 5, 9, 60)), Wait::None);
    }

    #[test]
    fn more_people_and_a_slower_pace_never_shorten_it() {
        let ends = |wait| if let Wait::Minutes { from, to } = wait { (from, to) } else { panic!("{wait:?}") };
        for people in 1..200 {
            for lately in 6..80 {
                let (from, to) = ends(wait(&seen(people, 5, 3, lately)));
                assert!(from <= to && from % STEP == 0 && to % STEP == 0 && to <= LONGEST);
                let (longer_from, longer_to) = ends(wait(&seen(people + 1, 5, 3, lately)));
                let (faster_from, faster_to) = ends(wait(&seen(people, 5, 3, lately + 1)));
                assert!(longer_from >= from && longer_to >= to && faster_from <= from && faster_to <= to);
            }
        }
        assert_eq!(wait(&seen(40, 0, 0, 60)), Wait::Minutes { from: 5, to: 15 });
    }

    /// A line served at random: whoever joins at a random moment waits as long as the screen said, nineteen times of twenty.
    #[test]
    fn the_range_holds_for_a_line_served_at_random() {
        let mut state = 7_u64;
        let mut random = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            ((state >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
        };
        let (mut told, mut held) = (0, 0);
        for round in 0..4_000 {
            let (pace, counted, age) = (1.0 + 4.0 * random(), 5 + (random() * 60.0) as i64, random() * 20.0);
            let mut served = |minutes: f64| {
                let (mut at, mut n) = (0.0, 0);
                loop {
                    at -= random().ln() / pace;
                    if at > minutes {
                        return n;
                    }
                    n += 1;
                }
            };
            let since = served(age).min(counted);
            let lately = since.min(served(age.min(15.0)).max(0)) + served((15.0 - age).max(0.0));
            // Between nobody and all who were swabbed were replaced at the end of the line.
            let replaced = round % 4;
            let true_line = counted - since + since * replaced / 3;
            let mut minutes = 0.0;
            for _ in 0..true_line {
                minutes -= random().ln() / pace;
            }
            let now = Timestamp(1_000_000 * MINUTE_US);
            let seen = Seen { counted, at: now.plus_us(-(age * MINUTE_US as f64) as i64), since, lately, now };
            if let Wait::Minutes { from, to } = wait(&seen) {
                told += 1;
                held += i32::from(minutes >= from as f64 && (minutes <= to as f64 || to == LONGEST));
            }
        }
        assert!(told > 3_000 && f64::from(held) / f64::from(told) >= 0.95, "{held} of {told}");
    }

    #[test]
    fn the_closing_hour_is_read_where_there_is_one() {
        assert_eq!(
            [closing("07:00-22:00"), closing("7:00 – 21:30"), closing("all day"), closing("7-22"), closing("07:00-99:00")],
            [Some("22:00"), Some("21:30"), None, None, None]
        );
    }
}
