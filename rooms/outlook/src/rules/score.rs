//! What came of forecasts: whether the result lay within the band, and how far off the middle was at half time.

use std::collections::BTreeMap;

use baton_kit::Timestamp;

use crate::model::{Kept, Score};

impl Score {
    /// Whether the last result came within the band of 80 %.
    pub fn within(&self, kept: &Kept) -> bool {
        (kept.forecast.last.p10_us..=kept.forecast.last.p90_us).contains(&self.last_result)
    }

    /// How far the middle was off, in microseconds; later than foretold is positive.
    pub fn error_us(&self, kept: &Kept) -> i64 {
        self.last_result.since(kept.forecast.last.p50_us)
    }

    /// The same without its sign, as a share of the time that was left; nothing when none was left.
    pub fn error_share(&self, kept: &Kept) -> Option<f64> {
        let left = self.last_result.since(kept.made);
        (left > 0).then(|| self.error_us(kept).abs() as f64 / left as f64)
    }

    /// Half way from the first swab to the last result.
    pub fn half_time(&self) -> Timestamp {
        self.first_swab.plus_us(self.last_result.since(self.first_swab) / 2)
    }
}

/// All forecasts of one evening with the one nearest to half time.
#[derive(Clone, PartialEq, Debug)]
pub struct Evening {
    pub score: Score,
    pub forecasts: usize,
    pub within: usize,
    pub at_half_time: Kept,
}

/// Evenings by their last result, the latest first. Forecasts that nobody can score yet are left out.
pub fn evenings(kept: &[Kept]) -> Vec<Evening> {
    let mut by_end: BTreeMap<(Timestamp, Timestamp), Vec<(&Kept, Score)>> = BTreeMap::new();
    for forecast in kept {
        if let Some(score) = forecast.score {
            by_end.entry((score.last_result, score.first_swab)).or_default().push((forecast, score));
        }
    }
    let evening = |of: &Vec<(&Kept, Score)>| {
        let (_, score) = *of.first()?;
        let nearest = of.iter().min_by_key(|(kept, _)| (kept.made.since(score.half_time()).abs(), kept.id))?;
        let within = of.iter().filter(|(kept, score)| score.within(kept)).count();
        Some(Evening { score, forecasts: of.len(), within, at_half_time: nearest.0.clone() })
    };
    by_end.values().rev().filter_map(evening).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::{Count, ForecastMade, LastResult, Measured};
    use baton_kit::time::HOUR_US;
    use baton_kit::{Bucket, Device, EventId};

    fn hour(hours: i64) -> Timestamp {
        Timestamp(1_000_000 * HOUR_US + hours * HOUR_US)
    }

    fn kept(made: i64, band: [i64; 3], last: Option<i64>) -> Kept {
        let forecast = ForecastMade {
            from_us: hour(0),
            until_us: hour(10),
            replications: 1,
            tubes: 1,
            expected: 0,
            last: LastResult { p10_us: hour(band[0]), p50_us: hour(band[1]), p90_us: hour(band[2]) },
            late: Count { p10: 0, p50: 0, p90: 0 },
            left: Vec::new(),
            stages: Vec::new(),
            bottleneck: 0,
            late_tubes: Vec::new(),
            measured: Measured::default(),
        };
        let score = last.map(|last| Score { first_swab: hour(0), last_result: hour(last) });
        Kept { id: EventId::new(Bucket::INSTALLATION, Device::new(1).unwrap(), made as u32), made: hour(made), forecast, score }
    }

    #[test]
    fn a_forecast_is_held_against_what_happened() {
        let early = kept(4, [13, 15, 16], Some(16));
        let score = early.score.unwrap();
        assert!(score.within(&early), "the ends of the band belong to it");
        assert_eq!((score.error_us(&early), score.error_share(&early), score.half_time()), (HOUR_US, Some(1.0 / 12.0), hour(8)));
        let wrong = kept(15, [17, 18, 19], Some(16));
        assert!(!wrong.score.unwrap().within(&wrong));
        assert_eq!(wrong.score.unwrap().error_us(&wrong), -2 * HOUR_US);
        assert_eq!(kept(16, [17, 18, 19], Some(16)).score.unwrap().error_share(&wrong), Some(2.0), "by the forecast that is asked about");
    }

    #[test]
    fn an_evening_is_judged_by_its_forecast_at_half_time() {
        let all = [kept(2, [13, 15, 16], Some(16)), kept(7, [13, 14, 15], Some(16)), kept(12, [15, 16, 17], Some(16)), kept(30, [40, 41, 42], None)];
        let evenings = evenings(&all);
        assert_eq!(evenings.len(), 1, "what is not over is not judged");
        assert_eq!((evenings[0].forecasts, evenings[0].within, evenings[0].at_half_time.made), (3, 2, hour(7)));
    }
}
