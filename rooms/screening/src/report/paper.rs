//! The report of a round in words: the same figures on paper, in tables and in the signed file.

use baton_desk::paper::report::sign_report;
use baton_desk::paper::{Writing, attached};
use baton_documents::DocumentError;
use baton_documents::pdf::{Block, Chart, ChartLine, Entry, Table, Tone};
use baton_kit::Timestamp;
use ed25519_dalek::SigningKey;
use serde_json::{Value, json};

use super::store::{FollowUps, Stage};
use crate::board::curve::Curve;
use crate::campaign::routes::{CountsAnswered, PlaceCounts, ROWS_LIMIT};
use crate::model::{Campaign, DueState};

/// Points of the drawn curve.
const POINTS_MAX: i64 = 60;

/// A round as far as somebody's eyes reach.
#[derive(Debug)]
pub struct RoundReport {
    pub campaign: Campaign,
    pub round: u16,
    pub window: (Timestamp, Timestamp),
    pub over: bool,
    pub total: CountsAnswered,
    pub zones: Vec<PlaceCounts>,
    pub grids: Vec<PlaceCounts>,
    /// The places it is about; none: everywhere.
    pub places: Vec<String>,
    pub tubes: Vec<Stage>,
    /// Nothing where reasons are not counted so finely: below a grid.
    pub reasons: Option<Vec<(DueState, String, i64)>>,
    pub follow_ups: Vec<FollowUps>,
    /// Nothing where quarters of an hour are not counted so finely.
    pub curve: Option<Curve>,
}

/// Part, place, what; people, tubes, swabs.
pub fn heads(writing: &Writing<'_>) -> [String; 6] {
    ["part", "place", "what", "people", "tubes", "swabs"].map(|key| writing.say(key))
}

/// Every figure of the report, one a row.
pub fn rows(writing: &Writing<'_>, report: &RoundReport) -> Vec<[String; 6]> {
    let people = |part: &str, place: &str, what: String, n: i64| [part.to_owned(), place.to_owned(), what, n.to_string(), String::new(), String::new()];
    let part = |key: &str| writing.say(key);
    let mut rows: Vec<[String; 6]> = standing(writing, report, &report.total).into_iter().map(|(what, n)| people(&part("people"), "", what, n)).collect();
    for (what, tubes, swabs) in tubes(writing, report) {
        rows.push([part("tubes"), String::new(), what, String::new(), tubes.to_string(), swabs.to_string()]);
    }
    for (key, places) in [("zone", &report.zones), ("grid", &report.grids)] {
        let part = writing.say(&format!("by-{key}"));
        for place in places {
            let name = place_name(writing, place);
            rows.extend(standing(writing, report, &place.counts).into_iter().map(|(what, n)| people(&part, &name, what, n)));
        }
        if cut(places) {
            rows.push([part, more(writing), String::new(), String::new(), String::new(), String::new()]);
        }
    }
    rows.extend(report.reasons.iter().flatten().map(|(state, reason, n)| people(&part("reasons"), "", reason_of(writing, *state, reason), *n)));
    for entry in &report.follow_ups {
        rows.push([part("follow-ups"), String::new(), closed(writing, entry), entry.people.to_string(), entry.tubes.to_string(), String::new()]);
    }
    for (at, came, planned) in report.curve.iter().flat_map(|curve| curve.steps(POINTS_MAX)) {
        let at = writing.site.show(at);
        rows.extend(came.map(|came| people(&part("curve"), &at, writing.words.t("screening-came"), came)));
        rows.push(people(&part("curve"), &at, writing.words.t("screening-curve-plan"), planned));
    }
    rows
}

/// People by state, in the words of the board.
fn standing(writing: &Writing<'_>, report: &RoundReport, counts: &CountsAnswered) -> Vec<(String, i64)> {
    let gone = if report.over { ("screening-state-missed", counts.missed) } else { ("screening-state-due", counts.due) };
    let named = [
        ("screening-listed", counts.listed),
        gone,
        ("screening-state-sampled", counts.sampled),
        ("screening-state-pending", counts.pending),
        ("screening-state-resulted", counts.resulted),
        ("screening-state-held", counts.held),
        ("screening-state-exempt", counts.exempt),
        ("screening-extra", counts.extra),
    ];
    named.map(|(key, n)| (writing.words.t(key), n)).to_vec()
}

/// Tubes by stage with the swabs in them, after the sum of all.
fn tubes(writing: &Writing<'_>, report: &RoundReport) -> Vec<(String, i64, i64)> {
    let (tubes, swabs) = report.tubes.iter().fold((0, 0), |(tubes, swabs), (_, _, more)| (tubes + more.tubes, swabs + more.swabs));
    let mut rows = vec![(writing.say("tubes-all"), tubes, swabs)];
    for (stage, what, counted) in &report.tubes {
        let mut words = writing.say(&format!("tubes-{stage}"));
        if !what.is_empty() {
            words = writing.say_with("of-which", &[("what", &words), ("outcome", &writing.say(&format!("outcome-{}", what.replace('_', "-"))))]);
        }
        rows.push((words, counted.tubes, counted.swabs));
    }
    rows
}

fn place_name(writing: &Writing<'_>, place: &PlaceCounts) -> String {
    if place.place.is_none() { writing.words.t("screening-no-place") } else { format!("{} {}", place.code, place.name).trim().to_owned() }
}

/// Whether a list of places is as long as one answer may be: then it is told that there may be more.
fn cut(places: &[PlaceCounts]) -> bool {
    places.len() as i64 >= ROWS_LIMIT
}

fn more(writing: &Writing<'_>) -> String {
    writing.say_with("more-places", &[("limit", &ROWS_LIMIT.to_string())])
}

fn reason_of(writing: &Writing<'_>, state: DueState, reason: &str) -> String {
    let words = writing.words.find(&format!("screening-reason-{reason}"), &[]).unwrap_or_else(|| reason.to_owned());
    writing.say_with("of-which", &[("what", &writing.words.t(&format!("screening-state-{}", state.name()))), ("outcome", &words)])
}

/// Whether entries are open, and why not: a decision's reason is one of those people give, the others follow from results.
fn closed(writing: &Writing<'_>, entry: &FollowUps) -> String {
    if entry.closed.is_empty() {
        return writing.say("open");
    }
    let found = ["screening-paper-closed-", "screening-reason-"].iter().find_map(|lead| writing.words.find(&format!("{lead}{}", entry.closed), &[]));
    writing.say_with("of-which", &[("what", &writing.say("closed")), ("outcome", &found.unwrap_or_else(|| entry.closed.clone()))])
}

/// Swabbed of those who should come, in whole percent; nobody counts as all before all came.
fn percent(counts: &CountsAnswered) -> String {
    let came = counts.sampled + counts.pending + counts.resulted + counts.held;
    let whole = counts.listed - counts.exempt;
    if whole > 0 { format!("{}%", came * 100 / whole) } else { "–".to_owned() }
}

/// The whole as a sealed PDF.
pub fn report_pdf(writing: &Writing<'_>, report: &RoundReport, key: &SigningKey) -> Result<Vec<u8>, DocumentError> {
    let title = writing.say("title");
    let round = writing.words.with("screening-round-n", &[("round", &report.round.to_string())]);
    let reach = if report.places.is_empty() { writing.say("everywhere") } else { writing.say_with("within", &[("places", &report.places.join("、"))]) };
    let mut blocks = vec![
        Block::Letterhead { name: writing.installation.to_owned(), lines: vec![reach] },
        Block::Heading { level: 1, text: title.clone() },
        Block::Facts(facts(writing, report, &round)),
        heading(writing.say("people")),
        counted(
            vec![writing.say("what"), writing.say("people")],
            standing(writing, report, &report.total).into_iter().map(|(what, n)| vec![what, n.to_string()]),
        ),
        heading(writing.say("tubes")),
        Block::Paragraph(Entry::toned(writing.say("tubes-words"), Tone::Soft)),
        counted(
            ["what", "tubes", "swabs"].map(|key| writing.say(key)).to_vec(),
            tubes(writing, report).into_iter().map(|(what, tubes, swabs)| vec![what, tubes.to_string(), swabs.to_string()]),
        ),
    ];
    blocks.extend(report.curve.as_ref().map(|curve| chart(writing, curve)));
    blocks.extend(reasons_and_follow_ups(writing, report));
    for (name, places) in [("zone", &report.zones), ("grid", &report.grids)] {
        blocks.push(heading(writing.say(&format!("by-{name}"))));
        blocks.push(coverage(writing, report, name, places));
        blocks.extend(cut(places).then(|| Block::Paragraph(more(writing).into())));
    }
    let number = format!("{} · {round}", report.campaign.name);
    let file = sign_report(report_json(writing, report), key);
    let attachment = attached(format!("campaign-{}-{}.json", report.campaign.id, report.round), writing.say("signed-file"), file);
    writing.sealed(format!("{title} · {number}"), &number, blocks, vec![attachment], key)
}

fn heading(text: String) -> Block {
    Block::Heading { level: 2, text }
}

/// A table of which the first column tells what the others count.
fn counted(head: Vec<String>, rows: impl Iterator<Item = Vec<String>>) -> Block {
    let weights = (0..head.len()).map(|column| if column == 0 { 5.0 } else { 2.0 }).collect();
    Block::Table(Table { head, weights, rows: rows.map(|row| row.into_iter().map(Entry::plain).collect()).collect() })
}

fn facts(writing: &Writing<'_>, report: &RoundReport, round: &str) -> Vec<(String, Vec<Entry>)> {
    let (opens, closes) = report.window;
    let fact = |key: &str, text: String| (writing.words.t(key), vec![Entry::plain(text)]);
    vec![
        fact("screening-campaign", report.campaign.name.clone()),
        fact("screening-round", round.to_owned()),
        fact("screening-window", format!("{} – {}", writing.site.show(opens), writing.site.show(closes))),
        fact("screening-ratio", format!("{}:1", report.campaign.ratio)),
        fact("screening-assay", report.campaign.assay.clone()),
        fact("screening-coverage", percent(&report.total)),
    ]
}

fn chart(writing: &Writing<'_>, curve: &Curve) -> Block {
    let steps = curve.steps(POINTS_MAX);
    let line = |key: &str, values: Vec<Option<f64>>| ChartLine { name: writing.words.t(key), values };
    let show = |step: Option<&(Timestamp, Option<i64>, i64)>| step.map(|(at, ..)| writing.site.show(*at)).unwrap_or_default();
    let now = [("came", curve.came()), ("whole", curve.whole), ("planned", curve.planned(curve.now))].map(|(name, n)| (name, n.to_string()));
    let now: Vec<(&str, &str)> = now.iter().map(|(name, n)| (*name, n.as_str())).collect();
    Block::Chart(Chart {
        title: writing.words.t("screening-curve"),
        alternative: writing.words.with("screening-curve-now", &now),
        lines: vec![
            line("screening-came", steps.iter().map(|(_, came, _)| came.map(|n| n as f64)).collect()),
            line("screening-curve-plan", steps.iter().map(|(_, _, planned)| Some(*planned as f64)).collect()),
        ],
        limits: Vec::new(),
        from: show(steps.first()),
        to: show(steps.last()),
        ringed: None,
    })
}

fn reasons_and_follow_ups(writing: &Writing<'_>, report: &RoundReport) -> Vec<Block> {
    let mut blocks = Vec::new();
    if let Some(reasons) = report.reasons.as_ref().filter(|reasons| !reasons.is_empty()) {
        blocks.push(heading(writing.say("reasons")));
        let rows = reasons.iter().map(|(state, reason, n)| vec![reason_of(writing, *state, reason), n.to_string()]);
        blocks.push(counted(vec![writing.say("what"), writing.say("people")], rows));
    }
    blocks.push(heading(writing.say("follow-ups")));
    if report.follow_ups.is_empty() {
        blocks.push(Block::Paragraph(Entry::toned(writing.say("no-follow-ups"), Tone::Soft)));
    } else {
        let rows = report.follow_ups.iter().map(|entry| vec![closed(writing, entry), entry.people.to_string(), entry.tubes.to_string()]);
        blocks.push(counted(["what", "people", "tubes"].map(|key| writing.say(key)).to_vec(), rows));
    }
    blocks
}

fn coverage(writing: &Writing<'_>, report: &RoundReport, by: &str, places: &[PlaceCounts]) -> Block {
    let mut head = vec![writing.words.t(&format!("screening-by-{by}"))];
    head.extend(standing(writing, report, &report.total).into_iter().map(|(what, _)| what));
    head.push(writing.words.t("screening-coverage"));
    let last = head.len() - 1;
    let weights = (0..=last)
        .map(|column| {
            if column == 0 {
                1.6
            } else if column == last {
                1.3
            } else {
                1.0
            }
        })
        .collect();
    let row = |place: &PlaceCounts| {
        let mut cells: Vec<Entry> = vec![place_name(writing, place).into()];
        cells.extend(standing(writing, report, &place.counts).into_iter().map(|(_, n)| Entry::plain(n.to_string())));
        cells.push(percent(&place.counts).into());
        cells
    };
    Block::Table(Table { head, weights, rows: places.iter().map(row).collect() })
}

fn report_json(writing: &Writing<'_>, report: &RoundReport) -> Value {
    json!({
        "kind": "campaign",
        "installation": writing.installation,
        "subject": format!("{} {}", report.campaign.id, report.round),
        "result": "counted",
        "issued": writing.site.show(writing.issued),
        "campaign": report.campaign.name,
        "round": report.round,
        "within": report.places,
        "opens": writing.site.show(report.window.0),
        "closes": writing.site.show(report.window.1),
        "ratio": report.campaign.ratio,
        "assay": report.campaign.assay,
        "people": report.total,
        "tubes": report.tubes.iter().map(|(stage, outcome, counted)| json!({"stage": stage, "outcome": outcome, "tubes": counted.tubes, "swabs": counted.swabs})).collect::<Vec<_>>(),
        "zones": report.zones,
        "grids": report.grids,
        "reasons": report.reasons.as_ref().map(|reasons| reasons.iter().map(|(state, reason, n)| json!({"state": state.name(), "reason": reason, "people": n})).collect::<Vec<_>>()),
        "follow_ups": report.follow_ups.iter().map(|entry| json!({"closed": entry.closed, "people": entry.people, "tubes": entry.tubes})).collect::<Vec<_>>(),
    })
}
