//! What came of forecasts: whether the result lay within the band, and how far off the middle was at half time.

use std::collections::BTreeMap;

use baton_kit::Timestamp;
use baton_kit::time::MINUTE_US;

use crate::model::{Foretold, Score};

impl Score {
    /// Whether the last result came within the band of 80 %.
    pub fn within(&self, foretold: &Foretold) -> bool {
        (foretold.last.p10_us..=foretold.last.p90_us).contains(&self.last_result)
    }

    /// How far the middle was off, in microseconds; later than foretold is positive.
    pub fn error_us(&self, foretold: &Foretold) -> i64 {
        self.last_result.since(foretold.last.p50_us)
    }

    /// The same without its sign, as a share of the time that was left; nothing when none was left.
    pub fn error_share(&self, foretold: &Foretold) -> Option<f64> {
        let left = self.last_result.since(foretold.made);
        (left > 0).then(|| self.error_us(foretold).abs() as f64 / left as f64)
    }

    /// Half way from the first swab to the last result.
    pub fn half_time(&self) -> Timestamp {
        self.first_swab.plus_us(self.last_result.since(self.first_swab) / 2)
    }
}

/// All forecasts of one evening with the one nearest to half time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Evening {
    pub score: Score,
    pub forecasts: usize,
    pub within: usize,
    pub at_half_time: Foretold,
}

/// Evenings by their last result, the latest first. Forecasts that nobody can score yet are left out.
pub fn evenings(all: &[Foretold]) -> Vec<Evening> {
    let mut by_end: BTreeMap<(Timestamp, Timestamp), Vec<(Foretold, Score)>> = BTreeMap::new();
    for foretold in all {
        if let Some(score) = foretold.score {
            by_end.entry((score.last_result, score.first_swab)).or_default().push((*foretold, score));
        }
    }
    let evening = |of: &Vec<(Foretold, Score)>| {
        let (_, score) = *of.first()?;
        let nearest = of.iter().min_by_key(|(foretold, _)| (foretold.made.since(score.half_time()).abs(), foretold.id))?;
        let within = of.iter().filter(|(foretold, score)| score.within(foretold)).count();
        Some(Evening { score, forecasts: of.len(), within, at_half_time: nearest.0 })
    };
    by_end.values().rev().filter_map(evening).collect()
}

/// How much wider than the twin's own its band is taken before any evening was judged here: no twin knows all that a day holds …
const PRIOR_STRETCH: f64 = 1.3;
/// … and as many evenings must have been judged to count as much as that.
const PRIOR_EVENINGS: f64 = 5.0;
/// However badly it did.
const STRETCHES: [f64; 2] = [0.5, 4.0];

/// By how much the twin's band has to be stretched so that it holds four results of five: what the evenings judged here would have needed
/// at half time, beside the prior.
pub fn stretch(all: &[Foretold]) -> f64 {
    let mut needed: Vec<f64> = evenings(all).iter().map(|evening| needed(&evening.at_half_time, evening.score)).collect();
    needed.sort_by(f64::total_cmp);
    let four_of_five = (needed.len() * 4).div_ceil(5).saturating_sub(1);
    let held = needed.get(four_of_five).copied().unwrap_or(PRIOR_STRETCH);
    let judged = needed.len() as f64;
    ((PRIOR_EVENINGS * PRIOR_STRETCH + judged * held) / (PRIOR_EVENINGS + judged)).clamp(STRETCHES[0], STRETCHES[1])
}

/// The stretch of the twin's own band with which it would just have held the result.
fn needed(foretold: &Foretold, score: Score) -> f64 {
    let (last, off) = (foretold.last, score.error_us(foretold));
    let side = if off > 0 { last.p90_us.since(last.p50_us) } else { last.p50_us.since(last.p10_us) };
    let own = side as f64 * 100.0 / foretold.stretch_percent.max(1) as f64;
    off.abs() as f64 / own.max(MINUTE_US as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::LastResult;
    use baton_kit::time::HOUR_US;
    use baton_kit::{Bucket, Device, EventId};

    fn hour(hours: i64) -> Timestamp {
        Timestamp(1_000_000 * HOUR_US + hours * HOUR_US)
    }

    fn foretold(made: i64, band: [i64; 3], last: Option<i64>) -> Foretold {
        let score = last.map(|last| Score { first_swab: hour(0), last_result: hour(last) });
        Foretold {
            id: EventId::new(Bucket::INSTALLATION, Device::new(1).unwrap(), made as u32),
            made: hour(made),
            last: LastResult { p10_us: hour(band[0]), p50_us: hour(band[1]), p90_us: hour(band[2]) },
            score,
            stretch_percent: 100,
        }
    }

    #[test]
    fn a_band_that_was_too_narrow_is_stretched_and_the_stretch_it_had_is_reckoned_with() {
        assert_eq!(stretch(&[]), PRIOR_STRETCH);
        // Twenty evenings, all half a band beyond the end of theirs: each needed 1.5 times the twin's own.
        let narrow: Vec<Foretold> = (0..20).map(|n| foretold(100 * n + 7, [100 * n + 13, 100 * n + 15, 100 * n + 17], Some(100 * n + 18))).collect();
        assert!((stretch(&narrow) - (5.0 * PRIOR_STRETCH + 20.0 * 1.5) / 25.0).abs() < 1e-9, "{}", stretch(&narrow));
        let stretched: Vec<Foretold> = narrow.iter().map(|one| Foretold { stretch_percent: 200, ..*one }).collect();
        assert!((stretch(&stretched) - (5.0 * PRIOR_STRETCH + 20.0 * 3.0) / 25.0).abs() < 1e-9);
        let exact: Vec<Foretold> = (0..500).map(|n| foretold(100 * n + 7, [100 * n + 13, 100 * n + 15, 100 * n + 17], Some(100 * n + 15))).collect();
        assert_eq!(stretch(&exact), STRETCHES[0], "never narrower than half of its own");
    }

    #[test]
    fn a_forecast_is_held_against_what_happened() {
        let early = foretold(4, [13, 15, 16], Some(16));
        let score = early.score.unwrap();
        assert!(score.within(&early), "the ends of the band belong to it");
        assert_eq!((score.error_us(&early), score.error_share(&early), score.half_time()), (HOUR_US, Some(1.0 / 12.0), hour(8)));
        let wrong = foretold(15, [17, 18, 19], Some(16));
        assert!(!wrong.score.unwrap().within(&wrong));
        assert_eq!(wrong.score.unwrap().error_us(&wrong), -2 * HOUR_US);
        assert_eq!(foretold(16, [17, 18, 19], Some(16)).score.unwrap().error_share(&wrong), Some(2.0), "by the forecast that is asked about");
    }

    #[test]
    fn an_evening_is_judged_by_its_forecast_at_half_time() {
        let all =
            [foretold(2, [13, 15, 16], Some(16)), foretold(7, [13, 14, 15], Some(16)), foretold(12, [15, 16, 17], Some(16)), foretold(30, [40, 41, 42], None)];
        let evenings = evenings(&all);
        assert_eq!(evenings.len(), 1, "what is not over is not judged");
        assert_eq!((evenings[0].forecasts, evenings[0].within, evenings[0].at_half_time.made), (3, 2, hour(7)));
    }
}
