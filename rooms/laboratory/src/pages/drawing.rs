//! Curves and plates drawn: as SVG and as a table, readable without colour.

use baton_pcr::plate::chart::Limits;
use maud::{Markup, PreEscaped, html};

use crate::curve::CurveDrawn;
use crate::events::TargetRead;

const WIDTH: f64 = 560.0;
const HEIGHT: f64 = 260.0;
/// Room for the axis.
const LEFT: f64 = 8.0;
const BOTTOM: f64 = 22.0;

/// The part of a plane that a set of curves needs.
struct Frame {
    x: (f64, f64),
    y: (f64, f64),
}

impl Frame {
    fn around(curves: &[Raised<'_>]) -> Self {
        let wide = |values: &mut dyn Iterator<Item = f64>| {
            values.filter(|value| value.is_finite()).fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)))
        };
        let x = wide(&mut curves.iter().flat_map(|curve| curve.curve.cycles.iter().copied()));
        let y = wide(&mut curves.iter().flat_map(|curve| curve.heights.iter().copied()));
        let open = |(low, high): (f64, f64)| if high > low { (low, high) } else { (low.clamp(-1e12, 0.0), low.clamp(0.0, 1e12) + 1.0) };
        Self { x: open(x), y: open(y) }
    }
    fn place(&self, x: f64, y: f64, width: f64, height: f64) -> (f64, f64) {
        ((x - self.x.0) / (self.x.1 - self.x.0) * width, height - (y - self.y.0) / (self.y.1 - self.y.0) * height)
    }
}

/// What of a curve is drawn.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum View {
    /// Above its own baseline.
    #[default]
    Above,
    /// As the detector gave it.
    Raw,
    /// Its change per cycle.
    Slope,
}

impl View {
    pub(super) const ALL: [View; 3] = [View::Above, View::Raw, View::Slope];
    /// Its name in addresses and texts.
    pub(super) fn name(self) -> &'static str {
        match self {
            View::Above => "above",
            View::Raw => "raw",
            View::Slope => "slope",
        }
    }
}

/// A curve with the heights that are drawn.
struct Raised<'c> {
    curve: &'c CurveDrawn,
    heights: Vec<f64>,
}

fn seen(curve: &CurveDrawn, view: View) -> Raised<'_> {
    match view {
        View::Above => raised(curve),
        View::Raw => Raised { heights: curve.fluorescence.clone(), curve },
        View::Slope => Raised { heights: baton_pcr::slopes(&curve.fluorescence), curve },
    }
}

/// Above its own baseline: the median of its cycles 3 to 12.
fn raised(curve: &CurveDrawn) -> Raised<'_> {
    let early: Vec<f64> = curve.fluorescence.iter().copied().skip(2).take(10).filter(|value| value.is_finite()).collect();
    let mut sorted = early;
    sorted.sort_by(f64::total_cmp);
    let base = sorted.get(sorted.len() / 2).copied().unwrap_or(0.0);
    Raised { heights: curve.fluorescence.iter().map(|value| value - base).collect(), curve }
}

fn points(raised: &Raised<'_>, frame: &Frame, width: f64, height: f64, step: usize) -> String {
    use std::fmt::Write;
    let pairs = raised.curve.cycles.iter().zip(&raised.heights).step_by(step.max(1));
    pairs.filter(|(x, y)| x.is_finite() && y.is_finite()).fold(String::new(), |mut text, (x, y)| {
        let (x, y) = frame.place(*x, *y, width, height);
        _ = write!(text, "{x:.1},{y:.1} ");
        text
    })
}

/// The scale that all wells of a plate share, so that a flat curve looks flat.
pub(super) struct Scale {
    low: f64,
    high: f64,
}

pub(super) fn scale_of(curves: &[CurveDrawn], view: View) -> Scale {
    let all: Vec<Raised<'_>> = curves.iter().map(|curve| seen(curve, view)).collect();
    let (low, high) = Frame::around(&all).y;
    Scale { low, high }
}

/// All targets of one well, with the Cq of those that have one.
pub(super) fn curves_of_well(curves: &[&CurveDrawn], scale: &Scale, view: View, readings: &[TargetRead], describe: &str) -> Markup {
    let drawn: Vec<Raised<'_>> = curves.iter().map(|curve| seen(curve, view)).collect();
    let frame = Frame { y: (scale.low, scale.high), ..Frame::around(&drawn) };
    let (width, height) = (WIDTH - 2.0 * LEFT, HEIGHT - BOTTOM - 6.0);
    let cq_of = |target: &str| readings.iter().find(|reading| reading.target == target).and_then(|reading| reading.cq);
    html! {
        svg.curves viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) role="img" aria-label=(describe) {
            g transform=(format!("translate({LEFT} 6)")) {
                line.axis x1="0" x2=(width) y1=(height) y2=(height) {}
                @for tick in ticks(frame.x) {
                    @let x = frame.place(tick as f64, 0.0, width, height).0;
                    line.axis x1=(f(x)) x2=(f(x)) y1=(height) y2=(height + 4.0) {}
                    text.tick x=(f(x)) y=(height + 17.0) text-anchor="middle" { (tick) }
                }
                @for (index, curve) in drawn.iter().enumerate() {
                    polyline.(format!("curve c{}", index % 6)) points=(points(curve, &frame, width, height, 1)) {}
                    @if let Some(cq) = cq_of(&curve.curve.target) {
                        @let x = frame.place(cq, 0.0, width, height).0;
                        line.(format!("cq c{}", index % 6)) x1=(f(x)) x2=(f(x)) y1="0" y2=(height) {}
                    }
                }
            }
        }
    }
}

fn f(value: f64) -> String {
    format!("{value:.1}")
}

/// Every fifth or tenth cycle.
fn ticks((low, high): (f64, f64)) -> Vec<i64> {
    let step = if high - low > 25.0 { 10 } else { 5 };
    (1..).map(|n| n * step).skip_while(|tick| (*tick as f64) < low).take_while(|tick| (*tick as f64) <= high).take(20).collect()
}

/// All curves of a plate on one plane; each leads to its well, and lights up with it.
pub(super) fn curves_of_plate(
    all: &[CurveDrawn],
    curves: &[&CurveDrawn],
    view: View,
    here: u16,
    describe: &str,
    name: &dyn Fn(&CurveDrawn) -> (String, String),
) -> Markup {
    let drawn: Vec<Raised<'_>> = curves.iter().map(|curve| seen(curve, view)).collect();
    let frame = Frame::around(&drawn);
    let (width, height) = (WIDTH - 2.0 * LEFT, HEIGHT - BOTTOM - 6.0);
    // In the order of the well's own drawing, so that a target has one colour on the page.
    let mut targets: Vec<&str> = Vec::new();
    for curve in all {
        if !targets.contains(&curve.target.as_str()) {
            targets.push(&curve.target);
        }
    }
    // A plate of 384 wells is drawn with every third cycle: it stays small.
    let step = if drawn.len() > 400 { 3 } else { 2 };
    html! {
        svg.curves.all viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) role="group" aria-label=(describe) {
            g transform=(format!("translate({LEFT} 6)")) {
                line.axis x1="0" x2=(width) y1=(height) y2=(height) {}
                @for tick in ticks(frame.x) { text.tick x=(f(frame.place(tick as f64, 0.0, width, height).0)) y=(height + 17.0) text-anchor="middle" { (tick) } }
                @for curve in &drawn {
                    @let (link, words) = name(curve.curve);
                    @let colour = targets.iter().position(|target| *target == curve.curve.target).unwrap_or(0) % 6;
                    a.lit[curve.curve.well == here] href=(link) tabindex="-1" data-well=(curve.curve.well) aria-label=(words) { title { (words) } polyline.(format!("curve c{colour}")) points=(points(curve, &frame, width, height, step)) {} }
                }
            }
        }
    }
}

/// One run's control on a chart.
pub(super) struct ControlPoint {
    pub(super) cq: Option<f64>,
    pub(super) bad: bool,
    pub(super) words: String,
    pub(super) link: String,
}

/// Levey and Jennings: a control's Cq run by run, against its limits.
pub(super) fn control_chart(points: &[ControlPoint], limits: &Limits, describe: &str) -> Markup {
    let lines: Vec<(f64, &str)> = match *limits {
        Limits::Statistical { mean, sd } => vec![
            (mean, "mean"),
            (mean - sd, "one"),
            (mean + sd, "one"),
            (mean - 2.0 * sd, "two"),
            (mean + 2.0 * sd, "two"),
            (mean - 3.0 * sd, "three"),
            (mean + 3.0 * sd, "three"),
        ],
        Limits::Fixed { low, high } => vec![(low, "three"), (high, "three")],
    };
    let values: Vec<f64> = points.iter().filter_map(|point| point.cq).chain(lines.iter().map(|(at, _)| *at)).filter(|value| value.is_finite()).collect();
    let (low, high) = values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(*value), high.max(*value)));
    let (low, high) = if high > low { (low - (high - low) * 0.08, high + (high - low) * 0.08) } else { (0.0, 45.0) };
    let (left, width, height) = (44.0, WIDTH - 60.0, 180.0);
    let x = |n: usize| left + (n as f64 + 0.5) * width / points.len().max(1) as f64;
    let y = |cq: f64| 8.0 + height - (cq - low) / (high - low) * height;
    let line: Vec<String> = points.iter().enumerate().filter_map(|(n, point)| point.cq.map(|cq| format!("{:.1},{:.1}", x(n), y(cq)))).collect();
    html! {
        svg.curves.chart viewBox=(format!("0 0 {WIDTH} {}", height + 20.0)) role="group" aria-label=(describe) {
            @for (at, class) in &lines {
                line.limit.(*class) x1=(f(left)) x2=(f(left + width)) y1=(f(y(*at))) y2=(f(y(*at))) {}
                text.tick x=(f(left - 4.0)) y=(f(y(*at) + 4.0)) text-anchor="end" { (format!("{at:.1}")) }
            }
            polyline.curve.c0 points=(line.join(" ")) {}
            @for (n, point) in points.iter().enumerate() {
                a href=(point.link) aria-label=(point.words) { title { (point.words) }
                    @match (point.cq, point.bad) {
                        (Some(cq), false) => circle.point cx=(f(x(n))) cy=(f(y(cq))) r="4.5" {},
                        (Some(cq), true) => rect.point.bad x=(f(x(n) - 5.5)) y=(f(y(cq) - 5.5)) width="11" height="11" {},
                        (None, _) => text.point.bad aria-hidden="true" x=(f(x(n))) y=(f(height)) text-anchor="middle" { "×" },
                    }
                }
            }
        }
    }
}

/// A curve's shape in a cell of the plate.
pub(super) fn sparkline(curves: &[&CurveDrawn], scale: &Scale) -> Markup {
    let all: Vec<Raised<'_>> = curves.iter().map(|curve| raised(curve)).collect();
    let frame = Frame { y: (scale.low, scale.high), ..Frame::around(&all) };
    let mut lines = String::new();
    for (index, curve) in all.iter().enumerate() {
        let points = points(curve, &frame, 60.0, 28.0, 2);
        lines.push_str(&format!("<polyline class=\"curve c{}\" points=\"{points}\"/>", index % 6));
    }
    html! { svg.spark viewBox="0 0 60 28" aria-hidden="true" { (PreEscaped(lines)) } }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(values: &[f64]) -> CurveDrawn {
        CurveDrawn {
            well: 0,
            target: "N".to_owned(),
            dye: "VIC".to_owned(),
            cycles: (0..values.len()).map(|n| n as f64).collect(),
            fluorescence: values.to_vec(),
            instrument_cq: None,
            instrument_call: None,
        }
    }

    #[test]
    fn whatever_a_detector_gave_is_drawn_with_finite_numbers() {
        for values in [vec![], vec![5.0], vec![5.0; 40], vec![f64::NAN, 1.0, f64::INFINITY, 3.0], vec![-1e300, 1e300]] {
            let one = curve(&values);
            let drawn = curves_of_well(&[&one], &scale_of(std::slice::from_ref(&one), View::Above), View::Above, &[], "").into_string()
                + &sparkline(&[&one], &scale_of(std::slice::from_ref(&one), View::Above)).into_string();
            let plates: String = View::ALL
                .map(|view| curves_of_plate(std::slice::from_ref(&one), &[&one], view, 0, "", &|_| (String::new(), String::new())).into_string())
                .concat();
            let drawn = drawn + &plates;
            assert!(!drawn.contains("NaN") && !drawn.contains("inf"), "{values:?}: {drawn}");
        }
    }

    #[test]
    fn a_cq_is_marked_on_its_own_axis() {
        let one = curve(&(0..41).map(f64::from).collect::<Vec<f64>>());
        let read = TargetRead { well: 0, target: "N".to_owned(), call: "positive".to_owned(), p_positive: 1.0, cq: Some(20.0), reasons: Vec::new() };
        let drawn = curves_of_well(&[&one], &scale_of(std::slice::from_ref(&one), View::Above), View::Above, &[read], "").into_string();
        assert!(drawn.contains("class=\"cq c0\" x1=\"272.0\""), "{drawn}");
    }

    #[test]
    fn a_control_without_a_cq_is_a_mark_and_not_a_gap() {
        let point = |cq| ControlPoint { cq, bad: cq.is_none(), words: String::new(), link: String::new() };
        let chart = |points: &[ControlPoint]| control_chart(points, &Limits::Statistical { mean: 25.0, sd: 0.5 }, "").into_string();
        let drawn = chart(&[point(Some(25.0)), point(None), point(Some(26.0))]);
        assert!(drawn.contains('×') && !drawn.contains("NaN") && drawn.matches("<circle").count() == 2, "{drawn}");
        assert!(!chart(&[]).contains("NaN"));
    }
}
