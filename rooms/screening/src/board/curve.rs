//! The day's curve: people sampled so far by quarter of an hour, against a plan that runs straight from opening to closing, and where the
//! present pace leads.

use baton_kit::Timestamp;
use baton_kit::time::{HOUR_US, MINUTE_US};

/// The step of the curve.
pub const QUARTER_US: i64 = 15 * MINUTE_US;
/// The pace is that of the last hour, once so much time has passed since the opening.
const PACE_US: i64 = HOUR_US;
/// Below this the pace says nothing yet.
const PACE_AFTER_US: i64 = 10 * MINUTE_US;

/// The quarter an instant belongs to, by its start.
pub fn quarter(at: Timestamp) -> Timestamp {
    Timestamp(at.0.div_euclid(QUARTER_US) * QUARTER_US)
}

/// A round and who came in which quarter.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Curve {
    pub opens: Timestamp,
    pub closes: Timestamp,
    pub now: Timestamp,
    /// People who should come.
    pub whole: i64,
    /// Start of a quarter and how many came in it, oldest first.
    pub quarters: Vec<(Timestamp, i64)>,
}

/// Where the present pace leads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Forecast {
    /// People an hour.
    pub an_hour: i64,
    /// People sampled when the round closes.
    pub at_closing: i64,
    /// When nobody is left, if that is before the closing.
    pub done: Option<Timestamp>,
}

impl Curve {
    pub fn came(&self) -> i64 {
        self.quarters.iter().map(|(_, n)| n).sum()
    }

    /// Points of the curve: at the end of each quarter, the present one at this instant.
    pub fn points(&self) -> Vec<(Timestamp, i64)> {
        let first = self.quarters.first().map_or(self.opens, |(at, _)| (*at).min(self.opens));
        let mut points = vec![(first, 0)];
        let mut sum = 0;
        for (at, n) in &self.quarters {
            // A level stretch keeps its length: the sum before stands until this quarter begins.
            if points.last().is_some_and(|(last, _)| *last < *at) {
                points.push((*at, sum));
            }
            sum += n;
            points.push((at.plus_us(QUARTER_US).min(self.now.max(*at)), sum));
        }
        let until = self.now.min(self.closes);
        if points.last().is_some_and(|(last, _)| *last < until) {
            points.push((until, sum));
        }
        points
    }

    /// How many should have come by an instant.
    pub fn planned(&self, at: Timestamp) -> i64 {
        let length = self.closes.since(self.opens).max(1);
        let gone = at.since(self.opens).clamp(0, length);
        (i128::from(self.whole) * i128::from(gone) / i128::from(length)) as i64
    }

    /// The curve in at most about `most` equal steps of whole quarters, for who draws with a ruler: when, how many came (nothing after now), how many should have.
    pub fn steps(&self, most: i64) -> Vec<(Timestamp, Option<i64>, i64)> {
        let first = self.quarters.first().map_or(self.opens, |(at, _)| (*at).min(self.opens));
        let last = self.quarters.last().map_or(self.closes, |(at, _)| at.plus_us(QUARTER_US).max(self.closes));
        let quarters = last.since(quarter(first)).max(QUARTER_US).div_euclid(QUARTER_US) + 1;
        let step = (quarters + most - 1).div_euclid(most.max(1)).max(1) * QUARTER_US;
        let (mut steps, mut at, mut sum, mut ahead) = (Vec::new(), quarter(first), 0, self.quarters.iter().peekable());
        loop {
            while let Some((_, n)) = ahead.next_if(|(from, _)| *from < at) {
                sum += n;
            }
            let begun = at.plus_us(-step) < self.now;
            steps.push((at, begun.then_some(sum), self.planned(at)));
            if at >= last {
                return steps;
            }
            at = at.plus_us(step);
        }
    }

    /// Nothing outside the window, when all came, or while there is no pace yet.
    pub fn forecast(&self) -> Option<Forecast> {
        let gone = self.now.since(self.opens);
        let came = self.came();
        if gone < PACE_AFTER_US || self.now >= self.closes || came >= self.whole {
            return None;
        }
        let length = gone.min(PACE_US);
        let from = self.now.plus_us(-length);
        // A quarter that lies partly before counts for the part of it that does not.
        let lately: f64 = self
            .quarters
            .iter()
            .map(|(at, n)| {
                let ends = at.plus_us(QUARTER_US).min(self.now);
                let whole = ends.since(*at).max(1);
                *n as f64 * ends.since((*at).max(from)).clamp(0, whole) as f64 / whole as f64
            })
            .sum();
        if lately <= 0.0 {
            return None;
        }
        let pace = lately / length as f64;
        let left = self.closes.since(self.now);
        let at_closing = (came + (pace * left as f64).round() as i64).min(self.whole);
        let needed = ((self.whole - came) as f64 / pace) as i64;
        Some(Forecast { an_hour: (pace * HOUR_US as f64).round() as i64, at_closing, done: (needed <= left).then(|| self.now.plus_us(needed)) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> Timestamp {
        Timestamp(1_000_000 * QUARTER_US + minutes * MINUTE_US)
    }

    fn curve(now: i64, quarters: &[(i64, i64)]) -> Curve {
        Curve { opens: at(0), closes: at(600), now: at(now), whole: 1_000, quarters: quarters.iter().map(|(m, n)| (at(*m), *n)).collect() }
    }

    #[test]
    fn the_plan_runs_straight_from_opening_to_closing() {
        let curve = curve(0, &[]);
        assert_eq!([-60, 0, 300, 600, 900].map(|m| curve.planned(at(m))), [0, 0, 500, 1_000, 1_000]);
    }

    #[test]
    fn a_pause_is_level_and_the_last_point_is_now() {
        let curve = curve(70, &[(0, 40), (60, 10)]);
        assert_eq!(curve.points(), [(at(0), 0), (at(15), 40), (at(60), 40), (at(70), 50)]);
        assert_eq!(quarter(at(14)), at(0));
        assert_eq!(quarter(Timestamp(-1)), Timestamp(-QUARTER_US));
    }

    #[test]
    fn steps_are_few_and_end_with_everybody() {
        let curve = curve(70, &[(0, 40), (60, 10)]);
        let steps = curve.steps(48);
        assert_eq!(steps.len(), 41, "ten hours of quarters and the opening");
        assert_eq!(steps[..6].iter().map(|step| step.1).collect::<Vec<_>>(), [Some(0), Some(40), Some(40), Some(40), Some(40), Some(50)]);
        assert_eq!((steps[6].1, steps[40]), (None, (at(600), None, 1_000)), "nothing after now");
        let few = curve.steps(10);
        assert!(few.len() <= 11 && few.last().unwrap().0 >= at(600), "{few:?}");
        let late = Curve { now: at(2_000), ..self::curve(0, &[(0, 40), (900, 1)]) };
        assert_eq!(late.steps(48).last().unwrap().1, Some(41), "who came after the closing is counted");
    }

    #[test]
    fn the_pace_of_the_last_hour_leads_on() {
        let steady: Vec<(i64, i64)> = (0..8).map(|n| (n * 15, 25)).collect();
        let forecast = curve(120, &steady).forecast().unwrap();
        assert_eq!(forecast, Forecast { an_hour: 100, at_closing: 1_000, done: Some(at(600)) });
        let slow: Vec<(i64, i64)> = (0..8).map(|n| (n * 15, 5)).collect();
        assert_eq!(curve(120, &slow).forecast().unwrap(), Forecast { an_hour: 20, at_closing: 200, done: None });
    }

    #[test]
    fn nothing_is_foretold_without_a_pace() {
        assert_eq!(curve(5, &[(0, 40)]).forecast(), None, "five minutes are no pace");
        assert_eq!(curve(300, &[(0, 40)]).forecast(), None, "nobody came lately");
        assert_eq!(curve(700, &[(0, 40)]).forecast(), None, "it is over");
        assert_eq!(curve(300, &[(285, 1_000)]).forecast(), None, "all came");
    }
}
