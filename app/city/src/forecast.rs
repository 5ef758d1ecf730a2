//! How good the forecasts are: days of different cities, each played to a server that foretells as it goes, judged at half time.

use std::path::{Path, PathBuf};

use anyhow::Context;
use serde_json::Value;

use crate::program::Program;

/// What is played.
#[derive(Clone, Debug)]
pub struct ForecastSettings {
    pub baton: PathBuf,
    pub data: PathBuf,
    /// The first day's; each following day has the next.
    pub seed: u64,
    pub days: u32,
    pub people: u32,
}

/// One day: what was foretold at half time, and what came.
#[derive(Clone, Debug, serde::Serialize)]
pub struct DayJudged {
    pub seed: u64,
    /// From the forecast to the last result.
    pub left_s: i64,
    /// Later than the middle of the forecast is positive.
    pub error_s: i64,
    /// Without its sign, as a share of the time that was left.
    pub error_share: f64,
    pub within: bool,
    /// Width of the band.
    pub band_s: i64,
    /// All forecasts of the day, and those in whose band the last result came.
    pub forecasts: u64,
    pub forecasts_within: u64,
}

#[derive(Clone, Debug, serde::Serialize)]
pub struct ForecastReport {
    pub people: u32,
    pub error_share_median: f64,
    pub error_share_p90: f64,
    pub error_minutes_mean: f64,
    /// Share of days whose last result came in the band of 80 %.
    pub coverage: f64,
    pub band_minutes_median: f64,
    /// The same over all forecasts of all days.
    pub coverage_all: f64,
    pub days: Vec<DayJudged>,
}

/// The bar: the middle is no further off than this at half time, as a share of what is left.
const ERROR_MOST: f64 = 0.10;
/// The band of 80 % may hold so much.
const COVERAGE: std::ops::RangeInclusive<f64> = 0.70..=0.90;

impl ForecastReport {
    fn of(people: u32, days: Vec<DayJudged>) -> Self {
        let count = days.len().max(1) as f64;
        let ranked = |mut values: Vec<f64>, share: f64| {
            values.sort_by(f64::total_cmp);
            values.get(((values.len() as f64 * share).ceil() as usize).saturating_sub(1)).copied().unwrap_or(0.0)
        };
        let shares: Vec<f64> = days.iter().map(|day| day.error_share).collect();
        let all: u64 = days.iter().map(|day| day.forecasts).sum();
        Self {
            people,
            error_share_median: ranked(shares.clone(), 0.5),
            error_share_p90: ranked(shares, 0.9),
            error_minutes_mean: days.iter().map(|day| day.error_s as f64 / 60.0).sum::<f64>() / count,
            coverage: days.iter().filter(|day| day.within).count() as f64 / count,
            band_minutes_median: ranked(days.iter().map(|day| day.band_s as f64 / 60.0).collect(), 0.5),
            coverage_all: days.iter().map(|day| day.forecasts_within).sum::<u64>() as f64 / all.max(1) as f64,
            days,
        }
    }

    pub fn passed(&self) -> bool {
        self.error_share_median <= ERROR_MOST && COVERAGE.contains(&self.coverage)
    }

    /// As a table: one row for each day, then what they say together.
    pub fn rows(&self) -> Vec<(String, String)> {
        let percent = |share: f64| format!("{:.1} %", share * 100.0);
        let day = |day: &DayJudged| {
            let inside = if day.within { "in the band" } else { "OUTSIDE" };
            (format!("day {}", day.seed), format!("{:+} min of {} left, {inside} of {} min", day.error_s / 60, day.left_s / 60, day.band_s / 60))
        };
        let mut rows: Vec<(String, String)> = self.days.iter().map(day).collect();
        rows.extend([
            ("median error at half time".to_owned(), percent(self.error_share_median)),
            ("nine of ten within".to_owned(), percent(self.error_share_p90)),
            ("mean error, with its sign".to_owned(), format!("{:+.1} min", self.error_minutes_mean)),
            ("band of 80 % held at half time".to_owned(), percent(self.coverage)),
            ("its width".to_owned(), format!("{:.0} min", self.band_minutes_median)),
            ("band held, all forecasts".to_owned(), percent(self.coverage_all)),
        ]);
        rows
    }
}

/// Plays the days one after the other; `progress` hears how many are done.
///
/// # Errors
/// When a day cannot be played or makes no forecast.
pub fn drill(settings: &ForecastSettings, progress: impl Fn(u32)) -> anyhow::Result<ForecastReport> {
    let mut days = Vec::new();
    for (done, seed) in (settings.seed..).take(settings.days as usize).enumerate() {
        days.push(day(&settings.baton, &settings.data, seed, settings.people).with_context(|| format!("the day of seed {seed}"))?);
        progress(done as u32 + 1);
    }
    Ok(ForecastReport::of(settings.people, days))
}

fn day(baton: &Path, data: &Path, seed: u64, people: u32) -> anyhow::Result<DayJudged> {
    let (people, text) = (people.to_string(), seed.to_string());
    let told = Program::new(baton, data).ask(&["demo"], &["--people", &people, "--seed", &text, "--no-serve", "--json"])?;
    let evening = &told["evening"];
    let number = |at: &str| evening.pointer(at).and_then(Value::as_i64).with_context(|| format!("no {at} in {evening}"));
    let last = number("/last_result_us")?;
    Ok(DayJudged {
        seed,
        left_s: (last - number("/made_us")?) / 1_000_000,
        error_s: number("/half_time_error_s")?,
        error_share: evening["half_time_error_share"].as_f64().context("no share")?,
        within: evening["half_time_within"].as_bool().context("no verdict")?,
        band_s: (number("/foretold/p90_us")? - number("/foretold/p10_us")?) / 1_000_000,
        forecasts: number("/forecasts")?.unsigned_abs(),
        forecasts_within: number("/within")?.unsigned_abs(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(share: f64, within: bool) -> DayJudged {
        let error_s = (share * 30_000.0) as i64;
        DayJudged { seed: 1, left_s: 30_000, error_s, error_share: share, within, band_s: 3_600, forecasts: 4, forecasts_within: 3 }
    }

    #[test]
    fn both_bars_must_be_met() {
        let verdict = |days: Vec<DayJudged>| ForecastReport::of(1, days).passed();
        let days = |held: usize, share: f64| (0..10).map(|n| day(share, n < held)).collect::<Vec<_>>();
        assert!(verdict(days(8, 0.05)));
        assert!(!verdict(days(8, 0.11)), "too far off");
        assert!(!verdict(days(6, 0.05)), "a band too narrow");
        assert!(!verdict(days(10, 0.05)), "a band too wide tells nothing");
        let report = ForecastReport::of(1, (1..=10).map(|n| day(f64::from(n) / 100.0, true)).collect());
        assert_eq!((report.error_share_median, report.error_share_p90, report.coverage_all), (0.05, 0.09, 0.75));
    }
}
