//! One person's result on paper, or those of many behind each other.

use baton_documents::DocumentError;
use baton_documents::pdf::{Block, Entry, QrBlock, Table, Tone};
use baton_kit::Language;
use ed25519_dalek::SigningKey;

use crate::events::TubeOutcome;
use crate::model::{PersonResult, ResultState};
use crate::person::{PersonReport, Signers, TubeOfPerson, report_json, signer_names};
use crate::statement::Statement;
use baton_desk::paper::report::sign_report;
use baton_desk::paper::{Writing, attached};

/// Specimens before the newest that are told on paper, a line each; the signed file inside tells all.
const EARLIER_SHOWN: usize = 6;
const QR_MM: f32 = 38.0;

/// The signed JSON: the truth that the paper shows.
pub fn signed_json(writing: &Writing<'_>, report: &PersonReport, signers: &Signers, key: &SigningKey) -> String {
    let mut json = report_json(report, signers, writing.installation, writing.site, writing.issued);
    json["statement"] = Statement::of(report, writing.issued).map(|statement| statement.sign(key)).into();
    sign_report(json, key)
}

/// Reports of some people in one sealed PDF, each on pages of its own and in the person's own language unless one is asked for.
/// `address` is where the public verifies.
pub fn reports_pdf(
    writing: &Writing<'_>,
    people: &[(PersonReport, Signers)],
    asked: Option<Language>,
    address: Option<&str>,
    key: &SigningKey,
) -> Result<Vec<u8>, DocumentError> {
    let (mut blocks, mut attachments) = (Vec::new(), Vec::new());
    let told_in = |report: &PersonReport| asked.or(report.brief.as_ref().and_then(|brief| brief.told_in)).unwrap_or(writing.words.language);
    // The paper around them speaks the language of the first.
    let around = people.first().map_or(*writing, |(report, _)| writing.in_language(told_in(report)));
    for (report, signers) in people {
        let writing = &writing.in_language(told_in(report));
        if !blocks.is_empty() {
            blocks.push(Block::NewPage);
        }
        blocks.extend(person_blocks(writing, report, signers, address, key));
        let name = format!("result-{}.json", report.person);
        attachments.push(attached(name, writing.say("signed-file"), signed_json(writing, report, signers, key)));
    }
    let number = match people {
        [(report, _)] => around.say_with("number", &[("number", &report.person.to_string())]),
        many => around.say_with("reports-count", &[("count", &many.len().to_string())]),
    };
    around.sealed(around.say("title"), &number, blocks, attachments, key)
}

fn person_blocks(writing: &Writing<'_>, report: &PersonReport, signers: &Signers, address: Option<&str>, key: &SigningKey) -> Vec<Block> {
    let result = report.result();
    let mut blocks = vec![letterhead(writing, report), Block::Heading { level: 1, text: writing.say("title") }];
    let (word, words) = (format!("laboratory-person-{}", result.name()), format!("laboratory-person-{}-words", result.name()));
    blocks.push(Block::Answer(Entry::toned(writing.words.t(&word), tone(result))));
    blocks.push(Block::Paragraph(writing.words.t(&words).into()));
    blocks.push(Block::Facts(who(writing, report)));
    match report.tubes.split_first() {
        Some((newest, earlier)) => {
            blocks.extend(tube_blocks(writing, newest, signers));
            blocks.extend(earlier_blocks(writing, earlier));
        }
        None => blocks.push(Block::Paragraph(writing.words.t("laboratory-none-swabs").into())),
    }
    blocks.push(Block::Heading { level: 2, text: writing.say("limits") });
    if report.tubes.iter().any(|tube| !tube.own) {
        blocks.push(Block::Paragraph(writing.say("limits-pool").into()));
    }
    blocks.push(Block::Paragraph(writing.say("limits-negative").into()));
    blocks.extend(proof(writing, report, address, key));
    blocks
}

fn tone(result: PersonResult) -> Tone {
    match result {
        PersonResult::Negative => Tone::Good,
        PersonResult::Own(TubeOutcome::Positive) => Tone::Bad,
        PersonResult::Pending => Tone::Soft,
        _ => Tone::Warn,
    }
}

fn letterhead(writing: &Writing<'_>, report: &PersonReport) -> Block {
    let newest = report.tubes.first();
    let laboratory = newest.and_then(|tube| tube.laboratory.as_ref()).map(|name| {
        let code = newest.and_then(|tube| tube.laboratory_code.as_deref()).unwrap_or("");
        writing.say_with("laboratory", &[("name", name), ("code", code)])
    });
    Block::Letterhead { name: writing.installation.to_owned(), lines: laboratory.into_iter().collect() }
}

fn who(writing: &Writing<'_>, report: &PersonReport) -> Vec<(String, Vec<Entry>)> {
    let unknown = || writing.words.t("laboratory-person-unknown");
    let mut facts = vec![writing.fact("name", report.brief.as_ref().map_or_else(unknown, |brief| brief.name.clone()))];
    if let Some(brief) = &report.brief {
        facts.push(writing.fact("document", format!("···{}", brief.document_tail)));
    }
    facts.push(writing.fact("report-number", report.person.to_string()));
    facts.push(writing.fact("issued", writing.site.show(writing.issued)));
    facts
}

fn tube_blocks(writing: &Writing<'_>, tube: &TubeOfPerson, signers: &Signers) -> Vec<Block> {
    let result = writing.words.t(&format!("laboratory-person-{}", tube.result.name()));
    let heading = writing.say_with("specimen-of", &[("time", &writing.site.show(tube.swabbed)), ("result", &result)]);
    let specimen = match tube.own {
        true => writing.say("specimen-own"),
        false => writing.say_with("specimen-pool", &[("count", &tube.clock.members.to_string()), ("ratio", &tube.clock.ratio.unwrap_or(0).to_string())]),
    };
    let mut facts = vec![writing.fact("specimen", specimen)];
    let known = [("tube", &tube.clock.code), ("campaign", &tube.campaign), ("point", &tube.point)];
    facts.extend(known.into_iter().filter_map(|(key, text)| text.clone().map(|text| writing.fact(key, text))));
    facts.push(writing.fact("method", writing.say("method-rt-pcr")));
    facts.extend([("assay", &tube.assay), ("rules", &tube.rules)].into_iter().filter_map(|(key, text)| text.clone().map(|text| writing.fact(key, text))));
    facts.push(writing.fact("swabbed", writing.site.show(tube.swabbed)));
    let times = [("received", tube.clock.accessioned), ("read", tube.clock.read), ("released", tube.clock.released)];
    facts.extend(times.map(|(key, at)| writing.fact(key, writing.time(at))));
    facts.extend(results(writing, tube, signers));
    facts.extend(readings(writing, tube));
    facts.extend(lots(writing, tube));
    vec![Block::Heading { level: 2, text: heading }, Block::Facts(facts)]
}

/// The specimens before the newest, a line each.
fn earlier_blocks(writing: &Writing<'_>, tubes: &[TubeOfPerson]) -> Vec<Block> {
    if tubes.is_empty() {
        return Vec::new();
    }
    let row = |tube: &TubeOfPerson| {
        let amended = if tube.out().len() > 1 { format!("\n{}", writing.say("amended")) } else { String::new() };
        let result = format!("{}{amended}", writing.words.t(&format!("laboratory-person-{}", tube.result.name())));
        let kind = if tube.own { writing.say("kind-own") } else { writing.say_with("kind-pool", &[("count", &tube.clock.members.to_string())]) };
        vec![
            writing.site.show(tube.swabbed).into(),
            tube.clock.code.clone().unwrap_or_default().into(),
            kind.into(),
            Entry::toned(result, tone(tube.result)),
            writing.time(tube.clock.released).into(),
        ]
    };
    let head = ["swabbed", "tube", "specimen", "result", "released"].map(|key| writing.say(key)).to_vec();
    let rows = tubes.iter().take(EARLIER_SHOWN).map(row).collect();
    let mut blocks =
        vec![Block::Heading { level: 2, text: writing.say("earlier-specimens") }, Block::Table(Table { head, weights: vec![2.2, 2.4, 1.6, 1.6, 2.2], rows })];
    if tubes.len() > EARLIER_SHOWN {
        let more = (tubes.len() - EARLIER_SHOWN).to_string();
        blocks.push(Block::Paragraph(Entry::toned(writing.say_with("more-specimens", &[("count", &more)]), Tone::Soft)));
    }
    blocks
}

/// Who released, and what went out before and does not hold any more.
fn results(writing: &Writing<'_>, tube: &TubeOfPerson, signers: &Signers) -> Vec<(String, Vec<Entry>)> {
    let out = tube.out();
    let Some((last, earlier)) = out.split_last() else { return Vec::new() };
    let mut facts = vec![writing.fact("released-by", signer_names(signers, &last.state).join("\n"))];
    if !earlier.is_empty() {
        let mut entries = Vec::new();
        for version in earlier {
            let outcome = writing.coded("laboratory-outcome-{}", version.outcome.name());
            let number = version.version.to_string();
            entries.push(Entry::struck(writing.say_with("earlier", &[("outcome", &outcome), ("version", &number), ("time", &writing.site.show(version.at))])));
        }
        if let ResultState::Amended { reason, .. } = &last.state {
            entries.push(writing.say_with("amended-because", &[("time", &writing.site.show(last.at)), ("reason", reason)]).into());
        }
        facts.push((writing.say("amendments"), entries));
    }
    facts
}

fn readings(writing: &Writing<'_>, tube: &TubeOfPerson) -> Option<(String, Vec<Entry>)> {
    let line = |reading: &crate::events::TargetRead| {
        let cq = reading.cq.map(|cq| format!(" · Cq {cq:.2}")).unwrap_or_default();
        Entry::plain(format!("{} · {}{cq}", reading.target, writing.coded("laboratory-call-{}", &reading.call)))
    };
    (!tube.readings.is_empty()).then(|| (writing.say("readings"), tube.readings.iter().map(line).collect()))
}

fn lots(writing: &Writing<'_>, tube: &TubeOfPerson) -> Option<(String, Vec<Entry>)> {
    let line = |lot: &crate::person::LotUsed| {
        let until = writing.words.with("laboratory-expires", &[("time", &writing.site.show(lot.expires))]);
        let recalled = if lot.recalled { format!(" · {}", writing.say("recalled")) } else { String::new() };
        Entry::toned(format!("{} · {} · {until}{recalled}", lot.product, lot.code), if lot.recalled { Tone::Warn } else { Tone::Plain })
    };
    (!tube.lots.is_empty()).then(|| (writing.say("lots"), tube.lots.iter().map(line).collect()))
}

/// How the paper is checked: the QR code with the signed statement, the whole file with the command line.
fn proof(writing: &Writing<'_>, report: &PersonReport, address: Option<&str>, key: &SigningKey) -> Vec<Block> {
    let mut blocks = vec![Block::Heading { level: 2, text: writing.say("proof") }];
    let public = baton_ledger::hex(key.verifying_key().as_bytes());
    let file = writing.say_with("proof-file", &[("key", &public)]);
    let Some(statement) = Statement::of(report, writing.issued).map(|statement| statement.sign(key)) else {
        blocks.extend([Block::Paragraph(writing.say("proof-none").into()), Block::Paragraph(Entry::toned(file, Tone::Soft))]);
        return blocks;
    };
    let content = address.map_or_else(|| statement.clone(), |address| format!("{address}/verify?s={statement}"));
    let how = address.map_or_else(|| writing.say("proof-text"), |address| writing.say_with("proof-address", &[("address", &format!("{address}/verify"))]));
    blocks.push(Block::Qr(QrBlock { content, side_mm: QR_MM, alternative: writing.say("proof-qr"), words: vec![how, writing.say("proof-states"), file] }));
    blocks
}
