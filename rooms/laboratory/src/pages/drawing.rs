//! Curves and plates drawn: as SVG and as a table, readable without colour.

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

/// A curve above its own baseline: the median of its cycles 3 to 12.
struct Raised<'c> {
    curve: &'c CurveDrawn,
    heights: Vec<f64>,
}

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

pub(super) fn scale_of(curves: &[CurveDrawn]) -> Scale {
    let all: Vec<Raised<'_>> = curves.iter().map(raised).collect();
    let (low, high) = Frame::around(&all).y;
    Scale { low, high }
}

/// All targets of one well, with the Cq of those that have one.
pub(super) fn curves_of_well(curves: &[&CurveDrawn], scale: &Scale, readings: &[TargetRead], describe: &str) -> Markup {
    let drawn: Vec<Raised<'_>> = curves.iter().map(|curve| raised(curve)).collect();
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
        }
    }

    #[test]
    fn whatever_a_detector_gave_is_drawn_with_finite_numbers() {
        for values in [vec![], vec![5.0], vec![5.0; 40], vec![f64::NAN, 1.0, f64::INFINITY, 3.0], vec![-1e300, 1e300]] {
            let one = curve(&values);
            let drawn = curves_of_well(&[&one], &scale_of(std::slice::from_ref(&one)), &[], "").into_string()
                + &sparkline(&[&one], &scale_of(std::slice::from_ref(&one))).into_string();
            assert!(!drawn.contains("NaN") && !drawn.contains("inf"), "{values:?}: {drawn}");
        }
    }

    #[test]
    fn a_cq_is_marked_on_its_own_axis() {
        let one = curve(&(0..41).map(f64::from).collect::<Vec<f64>>());
        let read = TargetRead { well: 0, target: "N".to_owned(), call: "positive".to_owned(), p_positive: 1.0, cq: Some(20.0), reasons: Vec::new() };
        let drawn = curves_of_well(&[&one], &scale_of(std::slice::from_ref(&one)), &[read], "").into_string();
        assert!(drawn.contains("class=\"cq c0\" x1=\"272.0\""), "{drawn}");
    }
}
