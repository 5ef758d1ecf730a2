//! Line charts: values in their order, limits as dashed lines, each line told apart by its mark as well as its colour.

use super::Tone;
use super::face::{legible, width};
use super::layout::{Ink, Kind, LEFT, Mark, Pen, RIGHT, SMALL, text_marks};

/// Values of one kind in their order; a gap where there was none.
#[derive(Debug, Clone, PartialEq)]
pub struct ChartLine {
    pub name: String,
    pub values: Vec<Option<f64>>,
}

/// A value that should not be passed, or a middle.
#[derive(Debug, Clone, PartialEq)]
pub struct ChartLimit {
    pub name: String,
    pub value: f64,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Chart {
    pub title: String,
    /// The chart in words.
    pub alternative: String,
    pub lines: Vec<ChartLine>,
    pub limits: Vec<ChartLimit>,
    /// Under the first and the last value.
    pub from: String,
    pub to: String,
    /// This value is ringed: the one the paper is about.
    pub ringed: Option<usize>,
}

const HEIGHT: f32 = 150.0;
const AXIS: f32 = 34.0;
const LABELS: f32 = 86.0;

struct Frame {
    left: f32,
    right: f32,
    top: f32,
    bottom: f32,
    low: f64,
    high: f64,
    count: usize,
}

impl Frame {
    fn x(&self, at: usize) -> f32 {
        let steps = self.count.saturating_sub(1).max(1) as f32;
        if self.count == 1 { (self.left + self.right) / 2.0 } else { self.left + (self.right - self.left) * at as f32 / steps }
    }

    fn y(&self, value: f64) -> f32 {
        self.bottom - (self.bottom - self.top) * ((value - self.low) / (self.high - self.low)) as f32
    }
}

pub(crate) fn lay_chart(pen: &mut Pen, chart: &Chart) {
    pen.room(HEIGHT + 50.0);
    let top = pen.y + SMALL * 2.4;
    let all = || chart.lines.iter().flat_map(|line| line.values.iter().flatten().copied()).chain(chart.limits.iter().map(|limit| limit.value));
    let values: Vec<f64> = all().filter(|value| value.is_finite()).collect();
    let (low, high) = values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(*value), high.max(*value)));
    let (low, high) = if low > high { (0.0, 1.0) } else { (low, high) };
    let step = tick(high - low);
    let (low, high) = (((low - step * 0.25) / step).floor() * step, ((high + step * 0.25) / step).ceil() * step);
    // What is counted has no grid below nothing.
    let low = if values.iter().all(|value| *value >= 0.0) { low.max(0.0) } else { low };
    let count = chart.lines.iter().map(|line| line.values.len()).max().unwrap_or(0).max(1);
    let frame = Frame { left: LEFT + AXIS, right: RIGHT - LABELS, top, bottom: top + HEIGHT, low, high, count };
    let mut marks = text_marks(legible(&chart.title), LEFT, pen.y + SMALL, SMALL, Ink::Tone(Tone::Soft), false);
    marks.extend(axis(&frame, step, chart));
    marks.extend(limits(&frame, chart));
    for (at, line) in chart.lines.iter().enumerate() {
        marks.extend(line_marks(&frame, at, line));
    }
    if let Some(at) = chart.ringed {
        marks.extend(chart.lines.iter().filter_map(|line| line.values.get(at).copied().flatten()).map(|value| ring(frame.x(at), frame.y(value))));
    }
    pen.y = frame.bottom + 2.0 * SMALL;
    marks.extend(legend(pen, chart));
    let figure = pen.piece(false, marks);
    pen.add(Kind::Figure(legible(&chart.alternative)), vec![figure]);
    pen.y += 10.0;
}

/// A round distance between grid lines: about five of them.
fn tick(span: f64) -> f64 {
    let raw = (span / 5.0).max(1e-6);
    let ten = 10f64.powf(raw.log10().floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|round| round * ten).find(|step| *step >= raw).unwrap_or(ten * 10.0)
}

fn axis(frame: &Frame, step: f64, chart: &Chart) -> Vec<Mark> {
    let mut marks = Vec::new();
    let grids = ((frame.high - frame.low) / step).round() as usize;
    for grid in 0..=grids.min(20) {
        let value = frame.low + grid as f64 * step;
        let y = frame.y(value);
        marks.push(Mark::Line { points: vec![(frame.left, y), (frame.right, y)], thick: 0.3, ink: Ink::Rule, dash: None });
        let text = format!("{value:.*}", if step < 1.0 { 2 } else { 0 });
        let left = frame.left - 5.0 - width(&text, SMALL);
        marks.extend(text_marks(text, left, y + SMALL * 0.35, SMALL, Ink::Tone(Tone::Soft), false));
    }
    let (from, to) = (legible(&chart.from), legible(&chart.to));
    let end = frame.right - width(&to, SMALL);
    marks.extend(text_marks(from, frame.left, frame.bottom + SMALL * 1.5, SMALL, Ink::Tone(Tone::Soft), false));
    marks.extend(text_marks(to, end, frame.bottom + SMALL * 1.5, SMALL, Ink::Tone(Tone::Soft), false));
    marks
}

fn limits(frame: &Frame, chart: &Chart) -> Vec<Mark> {
    let mut marks = Vec::new();
    for limit in chart.limits.iter().filter(|limit| limit.value.is_finite()) {
        let y = frame.y(limit.value);
        marks.push(Mark::Line { points: vec![(frame.left, y), (frame.right, y)], thick: 0.8, ink: Ink::Tone(Tone::Bad), dash: Some(4.0) });
        let text = format!("{} {:.2}", legible(&limit.name), limit.value);
        marks.extend(text_marks(text, frame.right + 5.0, y + SMALL * 0.35, SMALL, Ink::Tone(Tone::Bad), false));
    }
    marks
}

fn line_marks(frame: &Frame, series: usize, line: &ChartLine) -> Vec<Mark> {
    let mut marks = Vec::new();
    let known = |value: &Option<f64>| value.filter(|value| value.is_finite());
    let points: Vec<Option<(f32, f32)>> = line.values.iter().enumerate().map(|(at, value)| known(value).map(|value| (frame.x(at), frame.y(value)))).collect();
    // A gap interrupts the line: nothing is drawn where nothing was measured.
    for stretch in points.split(Option::is_none).filter(|stretch| stretch.len() > 1) {
        let points = stretch.iter().flatten().copied().collect();
        marks.push(Mark::Line { points, thick: 0.8, ink: Ink::Series(series), dash: None });
    }
    marks.extend(points.iter().flatten().map(|(x, y)| dot(series, *x, *y)));
    marks
}

/// A square, a cross, an upright or a lying bar: told apart without colour.
fn dot(series: usize, x: f32, y: f32) -> Mark {
    let squares = match series % 4 {
        0 => vec![[x - 1.8, y - 1.8, 3.6, 3.6]],
        1 => vec![[x - 0.6, y - 2.8, 1.2, 5.6], [x - 2.8, y - 0.6, 2.2, 1.2], [x + 0.6, y - 0.6, 2.2, 1.2]],
        2 => vec![[x - 0.8, y - 3.0, 1.6, 6.0]],
        _ => vec![[x - 3.0, y - 0.8, 6.0, 1.6]],
    };
    Mark::Squares { squares, ink: Ink::Series(series) }
}

fn ring(x: f32, y: f32) -> Mark {
    let points = (0..=16).map(|step| (step as f32 * std::f32::consts::TAU / 16.0).sin_cos()).map(|(sin, cos)| (x + 6.0 * cos, y + 6.0 * sin)).collect();
    Mark::Line { points, thick: 0.9, ink: Ink::Black, dash: None }
}

fn legend(pen: &mut Pen, chart: &Chart) -> Vec<Mark> {
    let mut marks = Vec::new();
    let mut x = LEFT + AXIS;
    pen.y += SMALL;
    for (at, line) in chart.lines.iter().enumerate() {
        let name = legible(&line.name);
        let step = width(&name, SMALL) + 22.0;
        if x + step > RIGHT && x > LEFT + AXIS {
            x = LEFT + AXIS;
            pen.y += SMALL * 1.5;
        }
        marks.push(dot(at, x + 3.0, pen.y + SMALL * 0.7));
        marks.extend(text_marks(name, x + 9.0, pen.y + SMALL, SMALL, Ink::Tone(Tone::Plain), false));
        x += step;
    }
    pen.y += SMALL * 1.4;
    marks
}
