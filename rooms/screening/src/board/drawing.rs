//! The board drawn as SVG, for a wide and a narrow window. What colour says is also said by a number and a hatching, and by the table below.

use std::collections::{BTreeMap, HashMap};

use baton_desk::Page;
use baton_kit::time::{DAY_US, HOUR_US};
use baton_kit::{PlaceId, Timestamp};
use maud::{Markup, html};

use super::curve::Curve;
use super::store::Spot;
use super::treemap::{Tile, tiles};
use crate::campaign::store::Counts;

/// Drawings in units of CSS pixels: class, width, height, tiles at most, marks of the hour at most.
const SIZES: [(&str, f64, f64, usize, i64); 2] = [("wide", 1080.0, 440.0, 240, 12), ("narrow", 340.0, 460.0, 60, 5)];
/// Shades from little to full coverage: each from this percentage on.
const SHADES: [i64; 5] = [0, 50, 75, 90, 98];

/// Whole percent of those who should come; nobody counts as all before all came.
pub fn percent(counts: &Counts) -> Option<i64> {
    let whole = counts.listed() - counts.exempt;
    (whole > 0).then(|| counts.came() * 100 / whole)
}

fn shade(percent: i64) -> usize {
    SHADES.iter().rposition(|from| percent >= *from).unwrap_or(0)
}

/// A place on the map with what lies in it.
struct Area {
    place: Option<PlaceId>,
    counts: Counts,
    inner: Vec<Area>,
}

impl Area {
    fn weight(&self) -> f64 {
        (self.counts.listed() - self.counts.exempt) as f64
    }
}

/// Zones, grids and buildings, as deep as `most` tiles allow; the largest first.
fn areas(spots: &[Spot], most: usize) -> Vec<Area> {
    let depth = (1..=3).rev().find(|depth| leaves(spots, *depth) <= most).unwrap_or(1);
    nested(spots, depth, |spot, level| [spot.zone, spot.grid, spot.building][level], 0)
}

fn leaves(spots: &[Spot], depth: usize) -> usize {
    let mut keys: Vec<[Option<PlaceId>; 3]> =
        spots.iter().map(|spot| [spot.zone, spot.grid.filter(|_| depth > 1), spot.building.filter(|_| depth > 2)]).collect();
    keys.sort_unstable();
    keys.dedup();
    keys.len()
}

fn nested(spots: &[Spot], depth: usize, place: fn(&Spot, usize) -> Option<PlaceId>, level: usize) -> Vec<Area> {
    if level == depth {
        return Vec::new();
    }
    let mut by_place: BTreeMap<Option<PlaceId>, Vec<Spot>> = BTreeMap::new();
    for spot in spots {
        by_place.entry(place(spot, level)).or_default().push(*spot);
    }
    let mut areas: Vec<Area> = by_place
        .into_iter()
        .map(|(at, spots)| Area {
            place: at,
            counts: spots.iter().fold(Counts::default(), |sum, spot| sum.plus(&spot.counts)),
            inner: nested(&spots, depth, place, level + 1),
        })
        .filter(|area| area.weight() > 0.0)
        .collect();
    areas.sort_by(|a, b| b.weight().total_cmp(&a.weight()));
    areas
}

/// Every place a map of these spots can name.
pub fn places(spots: &[Spot]) -> Vec<PlaceId> {
    let most = SIZES[0].3;
    let mut named = Vec::new();
    let mut ahead = areas(spots, most);
    while let Some(area) = ahead.pop() {
        named.extend(area.place);
        ahead.extend(area.inner);
    }
    named
}

type Names = HashMap<PlaceId, (String, String)>;

struct Drawing<'d> {
    page: &'d Page<'d>,
    names: &'d Names,
    link: &'d dyn Fn(PlaceId) -> String,
    size: &'static str,
}

/// Coverage by place: areas in proportion to the people who should come.
pub fn map(page: &Page<'_>, spots: &[Spot], names: &Names, link: &dyn Fn(PlaceId) -> String) -> Markup {
    html! {
        figure.board-map {
            figcaption { (page.t("screening-map")) }
            @for (size, width, height, most, _) in SIZES {
                @let drawing = Drawing { page, names, link, size };
                svg.(size) viewBox=(format!("0 0 {width} {height}")) role="group" aria-label=(page.t("screening-map")) {
                    (hatchings(size))
                    (drawing.level(&areas(spots, most), Tile { x: 0.0, y: 0.0, width, height }))
                }
            }
            (legend(page))
        }
    }
}

/// Hatchings: the fewer came, the denser.
fn hatchings(size: &str) -> Markup {
    html! { defs {
        pattern id=(format!("hatch-{size}-0")) width="6" height="6" patternUnits="userSpaceOnUse" { path.hatch d="M0 6 L6 0 M-1 1 L1 -1 M5 7 L7 5 M0 0 L6 6" {} }
        pattern id=(format!("hatch-{size}-1")) width="7" height="7" patternUnits="userSpaceOnUse" { path.hatch d="M0 7 L7 0" {} }
        pattern id=(format!("hatch-{size}-2")) width="9" height="9" patternUnits="userSpaceOnUse" { circle.dot cx="4.5" cy="4.5" r="1.2" {} }
    } }
}

fn legend(page: &Page<'_>) -> Markup {
    let range = |n: usize| match (SHADES[n], SHADES.get(n + 1)) {
        (0, Some(to)) => format!("< {to}%"),
        (from, Some(to)) => format!("{from}–{}%", to - 1),
        (from, None) => format!("≥ {from}%"),
    };
    html! {
        ul.board-keys aria-label=(page.t("screening-map-legend")) {
            @for n in 0..SHADES.len() { li {
                svg.key viewBox="0 0 30 16" aria-hidden="true" { (hatchings(&format!("key{n}"))) rect.(format!("shade k{n}")) width="30" height="16" {} @if n < 3 { rect width="30" height="16" fill=(format!("url(#hatch-key{n}-{n})")) {} } }
                " " (range(n))
            } }
        }
    }
}

impl Drawing<'_> {
    fn level(&self, areas: &[Area], whole: Tile) -> Markup {
        let weights: Vec<f64> = areas.iter().map(Area::weight).collect();
        let placed = tiles(&weights, whole);
        html! { @for (area, tile) in areas.iter().zip(placed) { (self.area(area, tile)) } }
    }

    fn name(&self, area: &Area) -> String {
        area.place.map_or_else(
            || self.page.t("screening-no-place"),
            |place| self.names.get(&place).map_or_else(|| place.to_string(), |(code, name)| if name.is_empty() { code.clone() } else { name.clone() }),
        )
    }

    fn area(&self, area: &Area, tile: Tile) -> Markup {
        // A place with one part of the same size is drawn as that part.
        if let [only] = area.inner.as_slice()
            && only.place.is_none()
        {
            return self.leaf(area, tile);
        }
        if area.inner.is_empty() {
            return self.leaf(area, tile);
        }
        let heading = if tile.height > 60.0 && tile.width > 50.0 { 17.0 } else { 0.0 };
        html! {
            rect.frame x=(n(tile.x)) y=(n(tile.y)) width=(n(tile.width)) height=(n(tile.height)) {}
            @if heading > 0.0 { text.heading x=(n(tile.x + 5.0)) y=(n(tile.y + 14.0)) { (fitting(&format!("{} {}%", self.name(area), percent(&area.counts).unwrap_or(0)), tile.width - 8.0, 13.0)) } }
            (self.level(&area.inner, tile.inside(2.0, heading)))
        }
    }

    fn leaf(&self, area: &Area, tile: Tile) -> Markup {
        let covered = percent(&area.counts).unwrap_or(100);
        let (name, counts) = (self.name(area), &area.counts);
        let words = self.page.with(
            "screening-map-tile",
            &[
                ("place", &name),
                ("percent", &covered.to_string()),
                ("listed", &(counts.listed() - counts.exempt).to_string()),
                ("due", &counts.due.to_string()),
                ("held", &counts.held.to_string()),
            ],
        );
        let inner = self.leaf_inner(&name, covered, tile);
        // A tile with words on it is named by them and its title.
        let bare = tile.width < 30.0 || tile.height < 16.0;
        html! {
            @match area.place {
                Some(place) => a.tile href=((self.link)(place)) aria-label=[bare.then_some(&words)] { title { (words) } (inner) },
                None => g.tile role="img" aria-label=(words) { title { (words) } (inner) },
            }
        }
    }

    fn leaf_inner(&self, name: &str, covered: i64, tile: Tile) -> Markup {
        let (kind, size) = (shade(covered), if tile.height >= 30.0 { 13.0 } else { 11.0 });
        html! {
            rect.(format!("shade k{kind}")) x=(n(tile.x)) y=(n(tile.y)) width=(n(tile.width)) height=(n(tile.height)) {}
            @if kind < 3 { rect x=(n(tile.x)) y=(n(tile.y)) width=(n(tile.width)) height=(n(tile.height)) fill=(format!("url(#hatch-{}-{kind})", self.size)) {} }
            @if tile.width >= 30.0 && tile.height >= 16.0 {
                @if tile.height >= 34.0 {
                    text x=(n(tile.x + 4.0)) y=(n(tile.y + 15.0)) { (fitting(name, tile.width - 6.0, size)) }
                    text.percent x=(n(tile.x + 4.0)) y=(n(tile.y + 30.0)) { (covered) "%" }
                } @else { text.percent x=(n(tile.x + 4.0)) y=(n(tile.y + tile.height / 2.0 + 4.0)) { (covered) "%" } }
            }
        }
    }
}

/// As much of a text as fits a width: a Chinese character is as wide as its size, others about six tenths.
fn fitting(text: &str, width: f64, size: f64) -> String {
    let wide = |c: char| if c.is_ascii() { 0.6 * size } else { size };
    if text.chars().map(wide).sum::<f64>() <= width {
        return text.to_owned();
    }
    let (mut used, mut cut) = (size, String::new());
    for c in text.chars() {
        used += wide(c);
        if used > width {
            break;
        }
        cut.push(c);
    }
    if cut.is_empty() { cut } else { cut + "…" }
}

fn n(value: f64) -> String {
    format!("{value:.1}")
}

/// The day's curve against the plan, with the present instant and where the pace leads.
pub fn curve(page: &Page<'_>, curve: &Curve) -> Markup {
    let (came, planned) = (curve.came(), curve.planned(curve.now));
    let (behind, early) = ((planned - came).max(0), (came - planned).max(0));
    let forecast = curve.forecast();
    html! {
        figure.board-curve {
            figcaption { (page.t("screening-curve")) }
            p id="pace" {
                (page.with("screening-curve-now", &[("came", &came.to_string()), ("whole", &curve.whole.to_string()), ("planned", &planned.to_string())])) " "
                @if behind > 0 { strong.warn { (page.with("screening-curve-behind", &[("people", &behind.to_string())])) } } @else if early > 0 { strong.good { (page.with("screening-curve-ahead", &[("people", &early.to_string())])) } }
                @if let Some(forecast) = forecast {
                    " " @match forecast.done {
                        Some(done) => { (page.with("screening-curve-done", &[("pace", &forecast.an_hour.to_string()), ("time", &page.hour(done))])) },
                        None => { (page.with("screening-curve-short", &[("pace", &forecast.an_hour.to_string()), ("people", &(curve.whole - forecast.at_closing).to_string())])) },
                    }
                }
            }
            @for (size, width, height, _, marks) in SIZES { (plot(page, curve, size, (width, height * 0.62), marks)) }
            ul.board-keys {
                li { svg.key viewBox="0 0 30 16" aria-hidden="true" { path.came d="M0 8 H30" {} } " " (page.t("screening-came")) }
                li { svg.key viewBox="0 0 30 16" aria-hidden="true" { path.plan d="M0 8 H30" {} } " " (page.t("screening-curve-plan")) }
                li { svg.key viewBox="0 0 30 16" aria-hidden="true" { path.pace d="M0 8 H30" {} } " " (page.t("screening-curve-pace")) }
            }
            (by_hour(page, curve))
        }
    }
}

fn plot(page: &Page<'_>, curve: &Curve, size: &str, (width, height): (f64, f64), marks: i64) -> Markup {
    let (left, right, top, bottom) = (44.0, 34.0, 8.0, 24.0);
    let points = curve.points();
    let first = points.first().map_or(curve.opens, |(at, _)| *at).min(curve.opens);
    let last = points.last().map_or(curve.closes, |(at, _)| *at).max(curve.closes);
    let highest = curve.whole.max(curve.came()).max(1);
    let x = |at: Timestamp| left + at.since(first) as f64 / last.since(first).max(1) as f64 * (width - left - right);
    let y = |people: i64| height - bottom - people as f64 / highest as f64 * (height - top - bottom);
    let line: Vec<String> = points.iter().map(|(at, people)| format!("{:.1},{:.1}", x(*at), y(*people))).collect();
    let running = curve.now > first && curve.now < last;
    html! {
        svg.(size) viewBox=(format!("0 0 {width} {height:.0}")) role="img" aria-label=(page.t("screening-curve")) {
            @for share in [0, 25, 50, 75, 100] {
                @let at = y(highest * share / 100);
                line.grid x1=(n(left)) x2=(n(width - right)) y1=(n(at)) y2=(n(at)) {}
                text.mark x=(n(left - 5.0)) y=(n(at + 4.0)) text-anchor="end" { (highest * share / 100) }
            }
            @for (at, words) in hours(page, first, last, marks) {
                line.grid x1=(n(x(at))) x2=(n(x(at))) y1=(n(height - bottom)) y2=(n(height - bottom + 4.0)) {}
                text.mark x=(n(x(at))) y=(n(height - 6.0)) text-anchor="middle" { (words) }
            }
            path.plan d=(format!("M{:.1} {:.1} L{:.1} {:.1}", x(curve.opens), y(0), x(curve.closes), y(curve.whole))) {}
            polyline.came points=(line.join(" ")) {}
            @if let Some(forecast) = curve.forecast() {
                @let end = forecast.done.unwrap_or(curve.closes);
                path.pace d=(format!("M{:.1} {:.1} L{:.1} {:.1}", x(curve.now), y(curve.came()), x(end), y(forecast.at_closing))) {}
            }
            @if running { line.now x1=(n(x(curve.now))) x2=(n(x(curve.now))) y1=(n(top)) y2=(n(height - bottom)) {} }
        }
    }
}

/// Full hours between two instants: not more than fit.
fn hours(page: &Page<'_>, first: Timestamp, last: Timestamp, marks: i64) -> Vec<(Timestamp, String)> {
    let length = last.since(first).max(1);
    // Over more than a day an hour alone says nothing: month and day stand before it, and fewer marks find room.
    let dated = length > DAY_US;
    let marks = if dated { marks / 2 + 1 } else { marks };
    let words = |at: Timestamp| if dated { page.time(at).chars().skip(5).collect() } else { page.hour(at) };
    let step =
        [1, 2, 3, 4, 6, 12].into_iter().chain((1..).map(|days| days * 24)).map(|hours| hours * HOUR_US).find(|step| length / step < marks).unwrap_or(length);
    let from = first.0.div_euclid(HOUR_US) + i64::from(first.0.rem_euclid(HOUR_US) > 0);
    (0..marks).map(|k| Timestamp(from * HOUR_US + k * step)).take_while(|at| *at <= last).map(|at| (at, words(at))).collect()
}

/// The same as a table, hour by hour.
fn by_hour(page: &Page<'_>, curve: &Curve) -> Markup {
    let mut hours: BTreeMap<i64, i64> = BTreeMap::new();
    for (at, people) in &curve.quarters {
        *hours.entry(at.0.div_euclid(HOUR_US)).or_default() += people;
    }
    let mut sum = 0;
    let rows: Vec<(Timestamp, i64, i64)> = hours
        .into_iter()
        .map(|(hour, people)| {
            sum += people;
            (Timestamp(hour * HOUR_US), people, sum)
        })
        .collect();
    html! {
        @if !rows.is_empty() { details { summary { (page.t("screening-curve-table")) }
            div.scroll { table {
                thead { tr { th { (page.t("screening-curve-hour")) } th.number { (page.t("screening-came")) } th.number { (page.t("screening-curve-sum")) } th.number { (page.t("screening-curve-plan")) } } }
                tbody { @for (at, people, sum) in rows { tr { td { (page.time(at)) } td.number { (people) } td.number { (sum) } td.number { (curve.planned(at.plus_us(HOUR_US))) } } } }
            } }
        } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use baton_kit::{Bucket, Device};

    fn place(sequence: u32) -> Option<PlaceId> {
        Some(PlaceId::new(Bucket::INSTALLATION, Device::new(2).unwrap(), sequence))
    }

    fn spot(zone: u32, grid: u32, building: u32, due: i64, sampled: i64) -> Spot {
        Spot { zone: place(zone), grid: place(grid), building: place(building), counts: Counts { due, sampled, ..Counts::default() } }
    }

    #[test]
    fn nobody_counts_as_all_before_all_came() {
        let covered = |due, sampled| percent(&Counts { due, sampled, ..Counts::default() });
        assert_eq!((covered(1, 999), covered(0, 1_000), covered(0, 0)), (Some(99), Some(100), None));
        assert_eq!([0, 49, 50, 97, 98, 100].map(shade), [0, 0, 1, 3, 4, 4]);
    }

    #[test]
    fn the_map_is_as_deep_as_its_tiles_allow_and_loses_nobody() {
        let spots: Vec<Spot> = (0..40).map(|n| spot(n % 2, 10 + n % 8, 100 + n, 3, i64::from(n))).collect();
        for (most, depth) in [(100, 3), (39, 2), (7, 1), (0, 1)] {
            let areas = areas(&spots, most);
            let mut deep = 0;
            let mut level: Vec<&Area> = areas.iter().collect();
            while !level.is_empty() {
                deep += 1;
                assert_eq!(level.iter().map(|area| area.counts.listed()).sum::<i64>(), 40 * 3 + 780);
                level = level.into_iter().flat_map(|area| &area.inner).collect();
            }
            assert_eq!(deep, depth, "{most} tiles");
        }
    }

    #[test]
    fn a_text_is_cut_to_its_tile() {
        assert_eq!(fitting("保税区", 40.0, 13.0), "保税区");
        assert_eq!(fitting("保税区一网格", 40.0, 13.0), "保税…");
        assert_eq!(fitting("保税区", 10.0, 13.0), "");
    }
}
