//! The forecast drawn as SVG, for a wide and a narrow window: results out so far, and the fan of those to come. The same stands in a table.

use baton_desk::Page;
use baton_kit::Timestamp;
use baton_kit::time::HOUR_US;
use maud::{Markup, html};

use crate::events::{ForecastMade, OutBy};
use crate::store::QUARTER_US;

/// Drawings in units of CSS pixels: class, width, height, marks of the hour at most.
const SIZES: [(&str, f64, f64, i64); 2] = [("wide", 1080.0, 300.0, 12), ("narrow", 340.0, 260.0, 5)];
const MARGIN: (f64, f64, f64, f64) = (48.0, 20.0, 12.0, 26.0);

/// What is drawn: results out by quarter since the morning, and the forecast made at `made`.
pub struct Evening<'e> {
    pub out: &'e [(Timestamp, i64)],
    pub forecast: &'e ForecastMade,
    pub made: Timestamp,
    pub now: Timestamp,
}

impl Evening<'_> {
    /// Results out at the end of each quarter, the present one now.
    fn line(&self) -> Vec<(Timestamp, i64)> {
        let first = self.out.first().map_or(self.made, |(at, _)| *at);
        let (mut points, mut sum) = (vec![(first, 0)], 0);
        for (at, tubes) in self.out {
            points.push((*at, sum));
            sum += tubes;
            points.push((at.plus_us(QUARTER_US).min(self.now.max(*at)), sum));
        }
        if points.last().is_some_and(|(last, _)| *last < self.now) {
            points.push((self.now, sum));
        }
        points
    }

    /// Results that were out when the forecast was made, as far as quarters tell it.
    fn out_then(&self) -> i64 {
        self.out.iter().filter(|(at, _)| at.plus_us(QUARTER_US) <= self.made).map(|(_, tubes)| tubes).sum()
    }
}

fn n(value: f64) -> String {
    format!("{value:.1}")
}

/// The picture with its key and its table.
pub fn picture(page: &Page<'_>, evening: &Evening<'_>) -> Markup {
    html! {
        figure.outlook {
            figcaption { (page.t("outlook-picture")) }
            @for (size, width, height, marks) in SIZES { (plot(page, evening, size, (width, height), marks)) }
            ul.outlook-keys {
                li { svg.key viewBox="0 0 30 16" aria-hidden="true" { path.out d="M0 8 H30" {} } " " (page.t("outlook-key-out")) }
                li { svg.key viewBox="0 0 30 16" aria-hidden="true" { path.middle d="M0 8 H30" {} } " " (page.t("outlook-key-middle")) }
                li { svg.key viewBox="0 0 30 16" aria-hidden="true" { rect.fan width="30" height="16" {} } " " (page.t("outlook-key-fan")) }
            }
            details { summary { (page.t("outlook-picture-table")) }
                div.scroll { table {
                    thead { tr { th { (page.t("outlook-time")) } th.number { (page.t("outlook-earliest")) } th.number { (page.t("outlook-middle")) } th.number { (page.t("outlook-latest")) } } }
                    tbody { @for step in evening.forecast.left.iter().step_by(4) {
                        tr { td { (page.time(step.at_us)) } td.number { (step.results.p10) } td.number { (step.results.p50) } td.number { (step.results.p90) } }
                    } }
                } }
            }
        }
    }
}

fn plot(page: &Page<'_>, evening: &Evening<'_>, size: &str, (width, height): (f64, f64), marks: i64) -> Markup {
    let (left, right, top, bottom) = MARGIN;
    let line = evening.line();
    let base = evening.out_then();
    let last = evening.forecast.last.p90_us.max(evening.now);
    let first = line.first().map_or(evening.made, |(at, _)| *at).min(evening.made);
    let most = evening.forecast.left.last().map_or(0, |step| i64::from(step.results.p90)) + base;
    let highest = most.max(line.last().map_or(0, |(_, sum)| *sum)).max(1);
    let x = |at: Timestamp| left + at.since(first) as f64 / last.since(first).max(1) as f64 * (width - left - right);
    let y = |tubes: i64| height - bottom - tubes as f64 / highest as f64 * (height - top - bottom);
    let point = |at: Timestamp, tubes: i64| format!("{:.1},{:.1}", x(at), y(tubes));
    let out: Vec<String> = line.iter().map(|(at, tubes)| point(*at, *tubes)).collect();
    let side = |count: fn(&OutBy) -> u32| evening.forecast.left.iter().map(move |step| (step.at_us, i64::from(count(step)) + base));
    let middle: Vec<String> = side(|step| step.results.p50).map(|(at, tubes)| point(at, tubes)).collect();
    let mut fan: Vec<String> = side(|step| step.results.p90).map(|(at, tubes)| point(at, tubes)).collect();
    fan.extend(side(|step| step.results.p10).collect::<Vec<_>>().into_iter().rev().map(|(at, tubes)| point(at, tubes)));
    let (band_from, band_to) = (x(evening.forecast.last.p10_us), x(evening.forecast.last.p90_us));
    html! {
        svg.(size) viewBox=(format!("0 0 {width} {height}")) role="img" aria-label=(page.t("outlook-picture")) {
            @for share in [0, 25, 50, 75, 100] {
                @let at = y(highest * share / 100);
                line.grid x1=(n(left)) x2=(n(width - right)) y1=(n(at)) y2=(n(at)) {}
                text.mark x=(n(left - 5.0)) y=(n(at + 4.0)) text-anchor="end" { (highest * share / 100) }
            }
            rect.band x=(n(band_from)) y=(n(top)) width=(n((band_to - band_from).max(1.0))) height=(n(height - top - bottom)) {}
            @for (at, words) in hours(page, first, last, marks) { text.mark x=(n(x(at))) y=(n(height - 7.0)) text-anchor="middle" { (words) } }
            polygon.fan points=(fan.join(" ")) {}
            polyline.middle points=(middle.join(" ")) {}
            polyline.out points=(out.join(" ")) {}
            line.now x1=(n(x(evening.now))) x2=(n(x(evening.now))) y1=(n(top)) y2=(n(height - bottom)) {}
        }
    }
}

/// Full hours between two instants: not more than fit.
fn hours(page: &Page<'_>, first: Timestamp, last: Timestamp, marks: i64) -> Vec<(Timestamp, String)> {
    let length = last.since(first).max(1);
    let step = [1, 2, 3, 4, 6, 12, 24].into_iter().map(|hours| hours * HOUR_US).find(|step| length / step < marks).unwrap_or(length);
    let from = first.0.div_euclid(HOUR_US) + i64::from(first.0.rem_euclid(HOUR_US) > 0);
    (0..marks).map(|k| Timestamp(from * HOUR_US + k * step)).take_while(|at| *at <= last).map(|at| (at, page.hour(at))).collect()
}

/// A difference with its interval against none: earlier to the left, later to the right. In minutes.
pub fn interval(page: &Page<'_>, mean: f64, half: f64) -> Markup {
    let reach = (mean.abs() + half).max(5.0) * 1.2;
    let x = |minutes: f64| 170.0 + minutes / reach * 150.0;
    html! {
        svg.interval viewBox="0 0 340 64" role="img" aria-label=(page.t("outlook-difference")) {
            line.grid x1="10" x2="330" y1="28" y2="28" {}
            line.now x1="170" x2="170" y1="8" y2="44" {}
            line.reach x1=(n(x(mean - half))) x2=(n(x(mean + half))) y1="28" y2="28" {}
            circle.mean cx=(n(x(mean))) cy="28" r="6" {}
            text.mark x="10" y="60" { (page.t("outlook-earlier")) }
            text.mark x="330" y="60" text-anchor="end" { (page.t("outlook-later")) }
        }
    }
}
