//! Lines over a plane, as SVG: axes with ticks, a key in words, every line with a dash of its own.

use maud::{Markup, html};

const WIDTH: f64 = 420.0;
const HEIGHT: f64 = 250.0;
const LEFT: f64 = 40.0;
const RIGHT: f64 = 10.0;
const TOP: f64 = 8.0;
const BOTTOM: f64 = 24.0;

/// One line and what it is.
pub(super) struct Line {
    pub(super) words: String,
    pub(super) points: Vec<(f64, f64)>,
    /// Points that stand out: what may really be chosen.
    pub(super) marks: Vec<(f64, f64)>,
}

/// An axis with the numbers written along it.
pub(super) struct Axis {
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) logarithmic: bool,
    pub(super) ticks: Vec<(f64, String)>,
}

impl Axis {
    /// Where a value lies between 0 and 1.
    fn share(&self, value: f64) -> f64 {
        let scale = |value: f64| if self.logarithmic { value.max(f64::MIN_POSITIVE).ln() } else { value };
        ((scale(value) - scale(self.low)) / (scale(self.high) - scale(self.low))).clamp(0.0, 1.0)
    }

    /// From `low` to `high` in even steps.
    pub(super) fn even(low: f64, high: f64, step: f64, words: impl Fn(f64) -> String) -> Self {
        let count = ((high - low) / step + 1e-9) as usize;
        let ticks = (0..=count).map(|n| low + n as f64 * step).map(|value| (value, words(value))).collect();
        Self { low, high, logarithmic: false, ticks }
    }
}

/// A drawing with its title and key.
pub(super) struct Plot {
    pub(super) title: String,
    pub(super) x_words: String,
    pub(super) x: Axis,
    pub(super) y: Axis,
    pub(super) lines: Vec<Line>,
    /// A value of today, with the range it may lie in.
    pub(super) here: Option<(f64, f64, f64)>,
}

fn f(value: f64) -> String {
    format!("{value:.1}")
}

impl Plot {
    fn place(&self, (x, y): (f64, f64)) -> (f64, f64) {
        (LEFT + self.x.share(x) * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - self.y.share(y) * (HEIGHT - TOP - BOTTOM))
    }

    /// Whether a point lies in the drawing; what is no number lies nowhere.
    fn holds(&self, (_, y): &(f64, f64)) -> bool {
        (self.y.low - 1e-9..=self.y.high + 1e-9).contains(y)
    }

    fn path(&self, line: &Line) -> String {
        use std::fmt::Write;
        // A line ends where it leaves the drawing.
        line.points.iter().filter(|point| self.holds(point)).fold(String::new(), |mut text, point| {
            let (x, y) = self.place(*point);
            _ = write!(text, "{x:.1},{y:.1} ");
            text
        })
    }

    pub(super) fn draw(&self) -> Markup {
        let bottom = HEIGHT - BOTTOM;
        html! {
            figure.plot {
                figcaption { (self.title) }
                svg.lines viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) role="img" aria-label=(self.title) {
                    @if let Some((at, low, high)) = self.here {
                        @let (from, to) = (self.place((low, 0.0)).0, self.place((high, 0.0)).0);
                        rect.range x=(f(from)) y=(TOP) width=(f((to - from).max(0.0))) height=(bottom - TOP) {}
                        @let x = self.place((at, 0.0)).0;
                        line.here x1=(f(x)) x2=(f(x)) y1=(TOP) y2=(bottom) {}
                    }
                    @for (value, words) in &self.y.ticks {
                        @let y = self.place((self.x.low, *value)).1;
                        line.grid x1=(LEFT) x2=(WIDTH - RIGHT) y1=(f(y)) y2=(f(y)) {}
                        text.tick x=(LEFT - 5.0) y=(f(y + 4.0)) text-anchor="end" { (words) }
                    }
                    line.axis x1=(LEFT) x2=(WIDTH - RIGHT) y1=(bottom) y2=(bottom) {}
                    @for (value, words) in &self.x.ticks {
                        @let x = self.place((*value, self.y.low)).0;
                        line.axis x1=(f(x)) x2=(f(x)) y1=(bottom) y2=(bottom + 4.0) {}
                        text.tick x=(f(x)) y=(bottom + 17.0) text-anchor="middle" { (words) }
                    }
                    @for (index, line) in self.lines.iter().enumerate() {
                        polyline.(format!("curve c{}", index % 6)) points=(self.path(line)) {}
                        @for mark in line.marks.iter().filter(|mark| self.holds(mark)) {
                            @let (x, y) = self.place(*mark);
                            circle.(format!("mark c{}", index % 6)) cx=(f(x)) cy=(f(y)) r="4" {}
                        }
                    }
                }
                p.soft.axis-words { (self.x_words) }
                ul.keys { @for (index, line) in self.lines.iter().enumerate() {
                    li { svg.key viewBox="0 0 26 10" aria-hidden="true" { line.(format!("c{}", index % 6)) x1="0" x2="26" y1="5" y2="5" {} } " " (line.words) }
                } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plot(points: Vec<(f64, f64)>) -> Plot {
        Plot {
            title: "t".to_owned(),
            x_words: String::new(),
            x: Axis { low: 0.001, high: 0.1, logarithmic: true, ticks: vec![(0.01, "1 %".to_owned())] },
            y: Axis::even(0.0, 1.0, 0.25, |value| format!("{value:.2}")),
            lines: vec![Line { words: "one".to_owned(), marks: points.clone(), points }],
            here: Some((0.01, 0.0, 1.0)),
        }
    }

    #[test]
    fn a_logarithmic_axis_has_its_middle_in_the_middle() {
        let drawn = plot(vec![(0.01, 0.5)]).draw().into_string();
        let middle = f(LEFT + (WIDTH - LEFT - RIGHT) / 2.0);
        assert!(drawn.contains(&format!("points=\"{middle},")), "{drawn}");
        assert_eq!(drawn.matches("class=\"grid\"").count(), 5);
    }

    #[test]
    fn what_lies_outside_is_not_drawn_and_nothing_is_infinite() {
        let drawn = plot(vec![(0.01, 1.5), (0.0, 0.2), (0.05, f64::NAN)]).draw().into_string();
        assert!(!drawn.contains("NaN") && !drawn.contains("inf"), "{drawn}");
    }
}
