//! A laboratory's day on paper and as a table.

use baton_documents::DocumentError;
use baton_documents::pdf::{Block, Entry, Table};
use baton_kit::time::MINUTE_US;
use ed25519_dalek::SigningKey;
use serde_json::{Value, json};

use crate::store::day::DayOfLaboratory;
use baton_desk::paper::report::sign_report;
use baton_desk::paper::{Writing, attached};

/// Which laboratory and which operational day.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DayNamed {
    pub laboratory: String,
    pub code: String,
    pub day: String,
}

/// One figure of the day: what is counted, tubes or things, people where people are meant.
pub type Figure = (String, i64, Option<i64>);

/// The day as figures in words, the same on paper and in tables.
pub fn figures(writing: &Writing<'_>, day: &DayOfLaboratory) -> Vec<Figure> {
    let mut figures: Vec<Figure> = vec![(writing.say("day-accepted"), day.accepted, None)];
    let rejected: i64 = day.rejected.iter().map(|(_, count)| count).sum();
    figures.push((writing.say("day-rejected"), rejected, None));
    figures.extend(
        day.rejected
            .iter()
            .map(|(reason, count)| (writing.say_with("day-of-which", &[("what", &writing.coded("laboratory-reject-{}", reason))]), *count, None)),
    );
    figures.push((writing.say("day-plates"), day.plates, None));
    figures.push((writing.say("day-runs"), day.runs, None));
    figures.push((writing.say("day-runs-invalid"), day.runs_invalid, None));
    let found = |code: &str| writing.words.find(&format!("finding-lab-{}", code.replace('_', "-")), &[]).unwrap_or_else(|| code.to_owned());
    figures.extend(day.findings.iter().map(|(code, count)| (writing.say_with("day-finding", &[("what", &found(code))]), *count, None)));
    let (tubes, people) = day.released.iter().fold((0, 0), |(tubes, people), (_, more, members)| (tubes + more, people + members));
    figures.push((writing.say("day-released"), tubes, Some(people)));
    let outcome = |name: &str| writing.say_with("day-of-which", &[("what", &writing.coded("laboratory-outcome-{}", name))]);
    figures.extend(day.released.iter().map(|(name, tubes, people)| (outcome(name), *tubes, Some(*people))));
    figures.push((writing.say("day-amended"), day.amended, None));
    let minutes = |us: i64| us / MINUTE_US;
    let spread = &day.turnaround;
    let took = [("day-took-p50", spread.p50_us), ("day-took-p90", spread.p90_us), ("day-took-max", spread.max_us)];
    figures.extend(took.map(|(key, us)| (writing.say(key), minutes(us), None)));
    figures
}

/// Heads of the table.
pub fn heads(writing: &Writing<'_>) -> [String; 3] {
    ["day-what", "day-count", "day-people"].map(|key| writing.say(key))
}

pub fn rows(writing: &Writing<'_>, day: &DayOfLaboratory) -> Vec<[String; 3]> {
    let people = |people: Option<i64>| people.map(|people| people.to_string()).unwrap_or_default();
    figures(writing, day).into_iter().map(|(what, count, of)| [what, count.to_string(), people(of)]).collect()
}

fn day_json(writing: &Writing<'_>, named: &DayNamed, day: &DayOfLaboratory) -> Value {
    json!({
        "kind": "day",
        "installation": writing.installation,
        "subject": format!("{} {}", named.code, named.day),
        "result": "counted",
        "issued": writing.site.show(writing.issued),
        "laboratory": named.laboratory,
        "accepted": day.accepted,
        "rejected": day.rejected.iter().map(|(reason, count)| json!({"reason": reason, "tubes": count})).collect::<Vec<_>>(),
        "plates": day.plates,
        "runs": day.runs,
        "runs_with_failed_controls": day.runs_invalid,
        "findings": day.findings.iter().map(|(code, count)| json!({"code": code, "count": count})).collect::<Vec<_>>(),
        "released": day.released.iter().map(|(outcome, tubes, people)| json!({"outcome": outcome, "tubes": tubes, "people": people})).collect::<Vec<_>>(),
        "amended": day.amended,
        "turnaround_s": {"tubes": day.turnaround.tubes, "p50": day.turnaround.p50_us / 1_000_000, "p90": day.turnaround.p90_us / 1_000_000, "max": day.turnaround.max_us / 1_000_000},
    })
}

pub fn day_pdf(writing: &Writing<'_>, named: &DayNamed, day: &DayOfLaboratory, key: &SigningKey) -> Result<Vec<u8>, DocumentError> {
    let laboratory = writing.say_with("laboratory", &[("name", &named.laboratory), ("code", &named.code)]);
    let rows = rows(writing, day).into_iter().map(|row| row.map(Entry::plain).to_vec()).collect();
    let blocks = vec![
        Block::Letterhead { name: writing.installation.to_owned(), lines: vec![laboratory] },
        Block::Heading { level: 1, text: writing.say_with("day-title", &[("day", &named.day)]) },
        Block::Paragraph(writing.say("day-words").into()),
        Block::Table(Table { head: heads(writing).to_vec(), weights: vec![6.0, 2.0, 2.0], rows }),
    ];
    let file = sign_report(day_json(writing, named, day), key);
    let attachment = attached(format!("day-{}.json", named.day), writing.say("signed-file"), file);
    writing.sealed(writing.say_with("day-title", &[("day", &named.day)]), &format!("{} {}", named.code, named.day), blocks, vec![attachment], key)
}
