//! What we know, as HL7 v2.5.1 messages. Nothing that is not released is told.

use baton_hl7::{Message, Segment, Separators, time};
use baton_kit::TypedId;
use baton_registry::model::Brief;

use crate::codes::{self, Code};
use crate::model::{Answer, Told, Unit};

const OWN: &str = "BATON";

/// Between whom a message goes, and what it needs from outside.
#[derive(Clone, Copy, Debug)]
pub struct Addressed<'a> {
    /// Name of this installation.
    pub facility: &'a str,
    /// Application and facility it is for.
    pub to: (&'a str, &'a str),
    pub now_us: i64,
    /// The person of the swab, where their text can be read.
    pub person: Option<&'a Brief>,
}

/// Short enough for MSH-10 and the same whenever the same is told: a resend counts once.
fn control_id(prefix: char, unit: &Unit, ordinal: i64) -> String {
    let base36 = |mut n: u64| {
        let mut digits = Vec::new();
        loop {
            digits.push(char::from_digit((n % 36) as u32, 36).unwrap_or('0').to_ascii_uppercase());
            n /= 36;
            if n == 0 {
                return digits.into_iter().rev().collect::<String>();
            }
        }
    };
    format!("{prefix}{}{}", base36(unit.id().unsigned_abs()), if ordinal > 0 { format!("-{}", base36(ordinal.unsigned_abs())) } else { String::new() })
}

fn msh(to: &Addressed<'_>, kind: &[&str], control: &str) -> Segment {
    let msh = Segment::new("MSH").text(1, "|").text(2, "^~\\&").text(3, OWN).text(4, to.facility).text(5, to.to.0).text(6, to.to.1);
    msh.text(7, &time(to.now_us)).with(9, kind).text(10, control).text(11, "P").text(12, "2.5.1").text(18, "UNICODE UTF-8")
}

fn pid(unit: &Unit, to: &Addressed<'_>) -> Option<Segment> {
    let person = unit.person()?;
    let pid = Segment::new("PID").text(1, "1").with(3, &[&person.to_string(), "", "", OWN, "PI"]);
    // A name in one piece: which part is the family name is not known.
    Some(match to.person {
        Some(brief) => pid.with(5, &[&brief.name]),
        None => pid.with(5, &["", "", "", "", "", "", "U"]),
    })
}

fn coded(code: Option<Code>, system: &str, own: &str) -> [String; 3] {
    match code {
        Some(code) => [code.code.to_owned(), code.display.to_owned(), system.to_owned()],
        None => [own.to_owned(), own.to_owned(), "L".to_owned()],
    }
}

fn put(segment: Segment, field: usize, parts: &[String; 3]) -> Segment {
    segment.with(field, &[&parts[0], &parts[1], &parts[2]])
}

/// The order's head: numbers and what is asked for.
fn obr(unit: &Unit, assay: Option<&str>) -> Segment {
    let obr = Segment::new("OBR").text(1, "1").with(2, &[&unit.id().to_string(), OWN]).with(3, &[&unit.id().to_string(), OWN]);
    let obr = put(obr, 4, &coded(codes::panel(assay), "LN", assay.unwrap_or("unknown")));
    let collected = unit.swab.map_or(unit.tube.clock.first_swab, |swab| swab.swabbed);
    match collected {
        Some(at) => obr.text(7, &time(at.0)),
        None => obr,
    }
}

/// A pool is a pool wherever its specimen is spoken of: `L` with the number of people, also in one member's own message.
fn spm(unit: &Unit) -> Segment {
    let clock = &unit.tube.clock;
    let label = clock.code.clone().unwrap_or_else(|| clock.tube.raw().to_string());
    let spm = Segment::new("SPM").text(1, "1").with(2, &[&label, &unit.id().to_string()]).with(4, &["SWAB", "Swab", "L"]);
    let pooled = !unit.is_own();
    let role: [&str; 3] = if pooled { ["L", "Pool", "HL70369"] } else { ["P", "Patient", "HL70369"] };
    let mut spm = spm.with(11, &role);
    if pooled {
        spm = spm.text(13, &clock.members.to_string());
    }
    if let Some(at) = unit.swab.map_or(clock.first_swab, |swab| swab.swabbed) {
        spm = spm.text(17, &time(at.0));
    }
    if let Some(at) = clock.accessioned {
        spm = spm.text(18, &time(at.0));
    }
    if let Some(reason) = clock.rejected.as_deref().or(clock.lost.as_deref()) {
        spm = spm.text(20, "N").with(21, &[reason, reason, "L"]);
    }
    spm
}

/// ORU^R01: what holds now, with what was told before. Nothing while nothing may be told.
pub fn result(unit: &Unit, to: &Addressed<'_>, words: &dyn Fn(&str) -> String) -> Option<Message> {
    let last = unit.tube.told.last()?;
    let answer = unit.answer(None);
    let assay = unit.tube.assay.as_deref();
    let control = control_id('R', unit, last.ordinal);
    let mut segments = vec![msh(to, &["ORU", "R01", "ORU_R01"], &control)];
    segments.extend(pid(unit, to));
    segments.push(Segment::new("ORC").text(1, "RE").with(2, &[&unit.id().to_string(), OWN]).with(3, &[&unit.id().to_string(), OWN]));
    let corrected = unit.tube.told.len() > 1;
    let status = match answer {
        Answer::Withdrawn | Answer::Undone => "X",
        Answer::Held | Answer::Waiting => "P",
        _ if corrected => "C",
        _ => "F",
    };
    segments.push(obr(unit, assay).text(22, &time(last.happened.0)).text(25, status));
    let answered = |outcome| Some(outcome).and_then(codes::finding);
    let overall = coded(codes::overall(assay), "LN", assay.unwrap_or("unknown"));
    segments.push(obx(1, unit, &overall, answer.outcome().and_then(answered), status_of(answer, corrected), last));
    segments.extend(notes(unit, answer, words));
    if answer.outcome().is_some() && (unit.swab.is_none() || unit.is_own()) {
        targets(unit, last, &mut segments);
    }
    segments.push(spm(unit));
    Some(Message { separators: Separators::default(), segments })
}

/// OBX-11: final, corrected, preliminary; `W` where the earlier one was wrong; `X` where there is none to be had.
fn status_of(answer: Answer, corrected: bool) -> &'static str {
    match answer {
        Answer::Withdrawn | Answer::Undone => "W",
        Answer::NoSpecimen => "X",
        Answer::Held | Answer::Waiting => "P",
        _ if corrected => "C",
        _ => "F",
    }
}

fn obx(number: usize, unit: &Unit, code: &[String; 3], found: Option<Code>, status: &str, told: &Told) -> Segment {
    let obx = put(Segment::new("OBX").text(1, &number.to_string()).text(2, "CWE"), 3, code);
    let obx = match found {
        Some(found) => obx.with(5, &[found.code, found.display, "SCT"]),
        None => obx,
    };
    close(obx, unit, status, told)
}

fn close(obx: Segment, unit: &Unit, status: &str, told: &Told) -> Segment {
    let mut obx = obx.text(11, status);
    if let Some(at) = unit.swab.map_or(unit.tube.clock.first_swab, |swab| swab.swabbed) {
        obx = obx.text(14, &time(at.0));
    }
    obx = obx.text(19, &time(told.happened.0));
    match &unit.tube.laboratory {
        Some((place, name)) => obx.with(23, &[name, "", "", "", "", OWN, "XX", "", "", &place.to_string()]),
        None => obx,
    }
}

fn notes(unit: &Unit, answer: Answer, words: &dyn Fn(&str) -> String) -> Vec<Segment> {
    let mut texts = vec![words(answer.words())];
    for earlier in unit.tube.told.iter().rev().skip(1) {
        let was = unit.answer(Some(earlier));
        texts.push(format!("{} {}: {}", words("exchange-earlier"), time(earlier.happened.0), words(was.words())));
    }
    texts.iter().enumerate().map(|(n, text)| Segment::new("NTE").text(1, &(n + 1).to_string()).text(2, "L").text(3, text)).collect()
}

/// Each target under its own code, each cycle under its own.
fn targets(unit: &Unit, told: &Told, segments: &mut Vec<Segment>) {
    let mut number = 1;
    for reading in &unit.tube.readings {
        let codes = codes::target(unit.tube.assay.as_deref(), &reading.target);
        number += 1;
        let code = coded(codes.map(|codes| codes.0), "LN", &reading.target);
        segments.push(obx(number, unit, &code, codes::call(&reading.call), "F", told));
        if let Some(cq) = reading.cq.filter(|cq| cq.is_finite() && cq.abs() < 1_000.0) {
            number += 1;
            let code = coded(codes.map(|codes| codes.1), "LN", &format!("{} Cq", reading.target));
            let obx = put(Segment::new("OBX").text(1, &number.to_string()).text(2, "NM"), 3, &code);
            segments.push(close(obx.text(5, &format!("{cq:.2}")).with(6, &["{Ct_value}", "Ct value", "UCUM"]), unit, "F", told));
        }
    }
}

/// OML^O21: a tube or a swab sent to another laboratory or an analyser.
pub fn order(unit: &Unit, to: &Addressed<'_>) -> Message {
    let control = control_id('O', unit, 0);
    let mut segments = vec![msh(to, &["OML", "O21", "OML_O21"], &control)];
    segments.extend(pid(unit, to));
    segments.push(Segment::new("ORC").text(1, "NW").with(2, &[&unit.id().to_string(), OWN]).text(9, &time(to.now_us)));
    segments.push(obr(unit, unit.tube.assay.as_deref()));
    segments.push(spm(unit));
    Message { separators: Separators::default(), segments }
}
