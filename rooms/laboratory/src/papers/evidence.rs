//! The evidence for one tube's result: from the people in it to the decision, as an assessor follows it.

use baton_documents::DocumentError;
use baton_documents::pdf::{Block, Chart, ChartLimit, ChartLine, Entry, Table, Tone};
use baton_kit::{AccountId, AnyId, TypedId};
use ed25519_dalek::SigningKey;
use serde_json::{Value, json};

use crate::curve::CurveDrawn;
use crate::model::{Override, ResultState};
use crate::person::released_by;
use crate::store::evidence::{ChainEnd, ControlRead, Evidence, HandOf, Position};
use baton_desk::paper::report::sign_report;
use baton_desk::paper::{Writing, attached};

/// What the pack is made of: the tables' answer, the curves and the positions from the ledger.
#[derive(Clone, Debug)]
pub struct Pack {
    pub evidence: Evidence,
    pub curves: Vec<CurveDrawn>,
    pub positions: Vec<Position>,
    pub ends: Vec<ChainEnd>,
}

/// Mean, standard deviation and number of a control's values.
pub type Spread = (f64, f64, usize);

/// By target, in the order of their names: values oldest first.
pub fn by_target(controls: &[ControlRead]) -> Vec<(String, Vec<(AnyId, f64)>)> {
    let mut targets: std::collections::BTreeMap<&str, Vec<(AnyId, f64)>> = std::collections::BTreeMap::new();
    for control in controls {
        targets.entry(&control.target).or_default().push((control.run, control.cq));
    }
    targets.into_iter().map(|(target, values)| (target.to_owned(), values)).collect()
}

/// The deviation is that of a sample; of fewer than two values there is none.
pub fn spread_of(values: &[f64]) -> Spread {
    let mean = values.iter().sum::<f64>() / values.len().max(1) as f64;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    let deviation = if values.len() > 1 { (squares / (values.len() - 1) as f64).sqrt() } else { 0.0 };
    (mean, deviation, values.len())
}

fn code_of(evidence: &Evidence) -> String {
    evidence.clock.code.clone().unwrap_or_else(|| evidence.clock.tube.to_string())
}

fn operator(evidence: &Evidence, account: AccountId) -> String {
    evidence.operators.get(&account).cloned().unwrap_or_else(|| account.to_string())
}

fn table(writing: &Writing<'_>, heads: &[&str], weights: &[f32], rows: Vec<Vec<Entry>>) -> Block {
    if rows.is_empty() {
        return Block::Paragraph(Entry::toned(writing.say("none"), Tone::Soft));
    }
    Block::Table(Table { head: heads.iter().map(|head| writing.say(head)).collect(), weights: weights.to_vec(), rows })
}

fn heading(writing: &Writing<'_>, key: &str) -> Block {
    Block::Heading { level: 2, text: writing.say(key) }
}

pub fn evidence_pdf(writing: &Writing<'_>, pack: &Pack, key: &SigningKey) -> Result<Vec<u8>, DocumentError> {
    let evidence = &pack.evidence;
    let code = code_of(evidence);
    let title = writing.say_with("evidence-title", &[("tube", &code)]);
    let laboratory = evidence.laboratory.as_ref().map(|(name, code)| writing.say_with("laboratory", &[("name", name), ("code", code)]));
    let mut blocks = vec![
        Block::Letterhead { name: writing.installation.to_owned(), lines: laboratory.into_iter().collect() },
        Block::Heading { level: 1, text: title.clone() },
        Block::Paragraph(writing.say("evidence-words").into()),
    ];
    blocks.extend(lineage_part(writing, evidence));
    blocks.extend(decision_part(writing, evidence));
    blocks.extend(curve_part(writing, pack));
    blocks.extend(control_part(writing, evidence));
    blocks.extend(hands_part(writing, evidence));
    blocks.extend(findings_part(writing, evidence));
    blocks.extend(looks_part(writing, evidence));
    blocks.extend(ledger_part(writing, pack));
    blocks.extend([heading(writing, "evidence-absent"), Block::Paragraph(writing.say("evidence-absent-words").into())]);
    let json = sign_report(evidence_json(writing, pack), key);
    let attachment = attached(format!("evidence-{}.json", evidence.clock.tube), writing.say("signed-file"), json);
    writing.sealed(title, &code, blocks, vec![attachment], key)
}

fn lineage_part(writing: &Writing<'_>, evidence: &Evidence) -> Vec<Block> {
    let people = evidence.people.iter().map(|(person, swabbed)| vec![person.to_string().into(), writing.site.show(*swabbed).into()]).collect();
    let stage = |name: &str| writing.words.t(&format!("laboratory-stage-{name}"));
    let way = evidence.clock.stages().into_iter().map(|(reached, at)| vec![stage(reached.name()).into(), writing.site.show(at).into()]).collect();
    let wells = evidence.wells.iter().map(|well| vec![well.plate_code.clone().into(), well.label.clone().into(), well.state.clone().into()]).collect();
    let lots = evidence.lots.iter().map(|lot| {
        let recalled = if lot.recalled { Entry::toned(writing.say("recalled"), Tone::Warn) } else { writing.say("not-recalled").into() };
        vec![lot.product.clone().into(), lot.code.clone().into(), writing.site.show(lot.expires).into(), recalled]
    });
    let lots = lots.collect();
    vec![
        heading(writing, "evidence-people"),
        table(writing, &["person-number", "swabbed"], &[3.0, 2.0], people),
        heading(writing, "evidence-way"),
        table(writing, &["stage", "time"], &[3.0, 2.0], way),
        heading(writing, "evidence-wells"),
        table(writing, &["plate", "well", "state"], &[3.0, 1.0, 1.0], wells),
        heading(writing, "lots"),
        table(writing, &["product", "lot", "expires", "recall"], &[3.0, 2.0, 2.0, 2.0], lots),
    ]
}

fn decision_part(writing: &Writing<'_>, evidence: &Evidence) -> Vec<Block> {
    let mut facts = Vec::new();
    if let Some(run) = &evidence.run {
        facts.push(writing.fact("rules", run.rules.clone()));
        facts.push(writing.fact("instrument", run.instrument.clone()));
        facts.push(writing.fact("run-file", format!("{} · SHA-256 {}", run.file_name, run.file_sha256)));
        facts.push(writing.fact("controls", writing.say(if run.controls_valid { "controls-valid" } else { "controls-failed" })));
    }
    if let Some(call) = &evidence.call {
        facts.push(writing.fact("call", call.result.clone()));
        facts.push(writing.fact("call-reasons", call.reasons.join("\n")));
        facts.push(writing.fact("not-passed", call.not_passed.join("\n")));
    }
    let readings = evidence.readings.iter().map(|reading| {
        let cq = reading.cq.map_or_else(|| "–".to_owned(), |cq| format!("{cq:.2}"));
        vec![reading.target.clone().into(), writing.coded("laboratory-call-{}", &reading.call).into(), cq.into(), format!("{:.4}", reading.p_positive).into()]
    });
    let versions = evidence.versions.iter().enumerate().map(|(at, version)| {
        let outcome = writing.coded("laboratory-outcome-{}", version.outcome.name());
        let outcome = if at + 1 < evidence.versions.len() { Entry::struck(outcome) } else { outcome.into() };
        let names: Vec<String> = released_by(&version.state).into_iter().map(|account| operator(evidence, account)).collect();
        let why = if let ResultState::Amended { reason, .. } = &version.state { reason.clone() } else { String::new() };
        vec![version.version.to_string().into(), outcome, writing.site.show(version.at).into(), names.join("\n").into(), why.into()]
    });
    vec![
        heading(writing, "evidence-decision"),
        Block::Facts(facts),
        table(writing, &["target", "call", "cq", "probability"], &[2.0, 2.0, 1.0, 1.0], readings.collect()),
        heading(writing, "evidence-results"),
        table(writing, &["version", "result", "time", "released-by", "reason"], &[1.0, 2.0, 2.0, 2.0, 3.0], versions.collect()),
    ]
}

fn curve_part(writing: &Writing<'_>, pack: &Pack) -> Vec<Block> {
    let Some(call) = &pack.evidence.call else { return Vec::new() };
    let of_well: Vec<&CurveDrawn> = pack.curves.iter().filter(|curve| curve.well == call.well).collect();
    let Some(first) = of_well.first() else { return Vec::new() };
    let lines = of_well.iter().map(|curve| ChartLine { name: curve.target.clone(), values: curve.fluorescence.iter().map(|value| Some(*value)).collect() });
    let cycle = |at: Option<&f64>| at.map_or_else(String::new, |cycle| writing.say_with("cycle", &[("number", &format!("{cycle:.0}"))]));
    let chart = Chart {
        title: writing.say("curve-title"),
        alternative: writing.say_with("curve-alternative", &[("count", &of_well.len().to_string())]),
        lines: lines.collect(),
        limits: Vec::new(),
        from: cycle(first.cycles.first()),
        to: cycle(first.cycles.last()),
        ringed: None,
    };
    vec![heading(writing, "evidence-curve"), Block::Chart(chart)]
}

fn control_part(writing: &Writing<'_>, evidence: &Evidence) -> Vec<Block> {
    let Some(run) = &evidence.run else { return Vec::new() };
    let runs: Vec<AnyId> = evidence.controls.iter().fold(Vec::new(), |mut runs, control| {
        if !runs.contains(&control.run) {
            runs.push(control.run);
        }
        runs
    });
    let this = AnyId::from_packed(run.run.packed());
    let targets = by_target(&evidence.controls);
    let row = |(target, values): &(String, Vec<(AnyId, f64)>)| {
        let (mean, deviation, count) = spread_of(&values.iter().map(|(_, cq)| *cq).collect::<Vec<f64>>());
        let here = values.iter().find(|(run, _)| *run == this).map_or_else(|| "–".to_owned(), |(_, cq)| format!("{cq:.2}"));
        [target.clone(), count.to_string(), format!("{mean:.2}"), format!("{deviation:.2}"), here].map(Entry::plain).to_vec()
    };
    let rows: Vec<Vec<Entry>> = targets.iter().map(row).collect();
    let mut blocks = vec![heading(writing, "evidence-controls")];
    let at = |control: Option<&ControlRead>| control.map_or_else(String::new, |control| writing.site.show(control.at));
    // A chart for each target: the limits of one would say nothing of another.
    blocks.extend(targets.iter().map(|(target, values)| {
        let value = |run: &AnyId| values.iter().find(|(of, _)| of == run).map(|(_, cq)| *cq);
        Block::Chart(Chart {
            title: writing.say_with("control-title", &[("target", target)]),
            alternative: writing.say_with("control-alternative", &[("count", &runs.len().to_string())]),
            lines: vec![ChartLine { name: target.clone(), values: runs.iter().map(value).collect() }],
            limits: limits_of(writing, spread_of(&values.iter().map(|(_, cq)| *cq).collect::<Vec<f64>>())),
            from: at(evidence.controls.first()),
            to: at(evidence.controls.last()),
            ringed: runs.iter().position(|run| *run == this),
        })
    }));
    blocks.push(table(writing, &["target", "control-runs", "mean", "deviation", "this-run"], &[2.0, 1.0, 1.0, 1.0, 1.0], rows));
    blocks
}

/// Mean, and two and three deviations to either side; nothing but the mean where there is no deviation.
fn limits_of(writing: &Writing<'_>, (mean, deviation, _): Spread) -> Vec<ChartLimit> {
    let limit = |name: String, value| ChartLimit { name, value };
    let mut limits = vec![limit(writing.say("mean"), mean)];
    if deviation > 0.0 {
        limits.extend([-3.0, -2.0, 2.0, 3.0].map(|times: f64| limit(format!("{times:+.0} SD"), mean + times * deviation)));
    }
    limits
}

fn hands_part(writing: &Writing<'_>, evidence: &Evidence) -> Vec<Block> {
    let rows = evidence.hands.iter().map(|HandOf { hand, roles, competences }| {
        let roles: Vec<String> = roles.iter().map(|role| writing.words.t(&format!("role-{}", role.name()))).collect();
        let deed = writing.coded("laboratory-deed-{}", &format!("{}-{}", hand.kind, hand.deed));
        let found = competences.iter().map(|(task, until)| {
            let words = if *until > hand.at_us { "staff-until" } else { "staff-ran-out" };
            format!("{} · {}", writing.words.t(&format!("task-{}", task.name())), writing.words.with(words, &[("time", &writing.site.show(*until))]))
        });
        let found: Vec<String> = found.collect();
        let found = if found.is_empty() { Entry::toned(writing.words.t("staff-none"), Tone::Soft) } else { found.join("\n").into() };
        let who = format!("{}\n{}", operator(evidence, hand.account), roles.join("\n"));
        vec![writing.site.show(hand.at_us).into(), deed.into(), who.into(), found]
    });
    vec![heading(writing, "evidence-hands"), table(writing, &["time", "deed", "operator-roles", "competence"], &[1.6, 1.6, 2.0, 2.8], rows.collect())]
}

fn findings_part(writing: &Writing<'_>, evidence: &Evidence) -> Vec<Block> {
    let words = |code: &str| writing.words.find(&format!("finding-lab-{}", code.replace('_', "-")), &[]).unwrap_or_else(|| code.to_owned());
    let well = evidence.call.as_ref().map(|call| call.well);
    let of_run = evidence.run.iter().flat_map(|run| &run.findings).filter(|finding| well.is_some_and(|well| finding.wells.contains(&well)));
    let mut rows: Vec<Vec<Entry>> = of_run.map(|finding| vec![words(&finding.code).into(), writing.say("holds-well").into(), String::new().into()]).collect();
    rows.extend(evidence.findings.iter().map(|finding| {
        let settled = finding.settled.map_or_else(|| writing.say("open"), |at| writing.site.show(at));
        vec![words(&finding.code).into(), settled.into(), finding.remark.clone().unwrap_or_default().into()]
    }));
    if let Some(Override::Confirmed { by, and, reason, at }) = evidence.run.as_ref().map(|run| &run.release) {
        let who = format!("{}\n{}", operator(evidence, *by), operator(evidence, *and));
        rows.push(vec![writing.say("overridden").into(), format!("{}\n{who}", writing.site.show(*at)).into(), reason.clone().into()]);
    }
    vec![heading(writing, "evidence-findings"), table(writing, &["finding", "settled", "reason"], &[3.0, 2.0, 3.0], rows)]
}

fn looks_part(writing: &Writing<'_>, evidence: &Evidence) -> Vec<Block> {
    let rows = evidence.looks.iter().map(|(person, look)| {
        let who = look.account.map_or_else(|| writing.say("nobody-signed-in"), |account| operator(evidence, account));
        [writing.site.show(look.at), who, look.purpose.clone(), person.to_string()].map(Entry::plain).to_vec()
    });
    let heads = ["time", "operator", "purpose", "person-number"];
    vec![heading(writing, "evidence-looks"), table(writing, &heads, &[2.0, 2.0, 1.5, 2.5], rows.collect()), Block::Paragraph(writing.say("told-words").into())]
}

fn ledger_part(writing: &Writing<'_>, pack: &Pack) -> Vec<Block> {
    let positions =
        pack.positions.iter().map(|position| [position.ordinal.to_string(), position.kind.clone(), position.hash.clone()].map(Entry::plain).to_vec());
    let ends = pack.ends.iter().map(|end| [end.ordinal.to_string(), end.count.to_string(), end.hash.clone()].map(Entry::plain).to_vec());
    vec![
        heading(writing, "evidence-ledger"),
        table(writing, &["ordinal", "event", "hash"], &[1.0, 2.0, 4.0], positions.collect()),
        Block::Paragraph(writing.say("ledger-words").into()),
        table(writing, &["ordinal", "events-count", "head-hash"], &[1.0, 2.0, 4.0], ends.collect()),
    ]
}

fn evidence_json(writing: &Writing<'_>, pack: &Pack) -> Value {
    let evidence = &pack.evidence;
    let show = |at| writing.site.show(at);
    let milli = |value: f64| (value * 1000.0).round() as i64;
    let name = |account: AccountId| json!({"account": account.to_string(), "name": operator(evidence, account)});
    json!({
        "kind": "evidence",
        "installation": writing.installation,
        "subject": code_of(evidence),
        "result": evidence.versions.last().map_or("pending", |version| version.outcome.name()),
        "issued": show(writing.issued),
        "tube": evidence.clock.tube.to_string(),
        "laboratory": evidence.laboratory.as_ref().map(|(name, code)| json!({"name": name, "code": code})),
        "people": evidence.people.iter().map(|(person, at)| json!({"person": person.to_string(), "swabbed": show(*at)})).collect::<Vec<_>>(),
        "stages": evidence.clock.stages().into_iter().map(|(stage, at)| json!({"stage": stage.name(), "at": show(at)})).collect::<Vec<_>>(),
        "wells": evidence.wells,
        "lots": evidence.lots.iter().map(|lot| json!({"code": lot.code, "product": lot.product, "expires": show(lot.expires), "recalled": lot.recalled})).collect::<Vec<_>>(),
        "run": evidence.run.as_ref().map(|run| json!({
            "run": run.run.to_string(), "rules": run.rules, "verify_rules": run.verify_rules, "instrument": run.instrument, "file": run.file_name,
            "file_sha256": run.file_sha256, "controls_valid": run.controls_valid,
            "findings": run.findings.iter().map(|finding| json!({"code": finding.code, "wells": finding.wells})).collect::<Vec<_>>(),
        })),
        "call": evidence.call.as_ref().map(|call| json!({"well": call.well, "result": call.result, "reasons": call.reasons, "not_passed": call.not_passed})),
        "readings": evidence.readings.iter().map(|reading| json!({"target": reading.target, "call": reading.call, "cq_milli": reading.cq.map(milli)})).collect::<Vec<_>>(),
        "controls": evidence.controls.iter().map(|control| json!({"run": control.run.to_string(), "at": show(control.at), "target": control.target, "cq_milli": milli(control.cq)})).collect::<Vec<_>>(),
        "versions": evidence.versions.iter().map(|version| json!({
            "version": version.version, "outcome": version.outcome.name(), "at": show(version.at), "out": version.state.is_out(),
            "by": released_by(&version.state).into_iter().map(name).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
        "hands": evidence.hands.iter().map(|HandOf { hand, roles, competences }| json!({
            "at": show(hand.at_us), "on": hand.kind, "deed": hand.deed, "by": name(hand.account), "roles": roles.iter().map(|role| role.name()).collect::<Vec<_>>(),
            "competences": competences.iter().map(|(task, until)| json!({"task": task.name(), "until": show(*until), "held": *until > hand.at_us})).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
        "findings": evidence.findings.iter().map(|finding| json!({"code": finding.code, "at": show(finding.at), "settled": finding.settled.map(show), "remark": finding.remark})).collect::<Vec<_>>(),
        "looks": evidence.looks.iter().map(|(person, look)| json!({"at": show(look.at), "by": look.account.map(name), "purpose": look.purpose, "person": person.to_string()})).collect::<Vec<_>>(),
        "ledger": pack.positions.iter().map(|position| json!({"ordinal": position.ordinal, "event": position.kind, "hash": position.hash})).collect::<Vec<_>>(),
        "heads": pack.ends.iter().map(|end| json!({"bucket": end.bucket, "ordinal": end.ordinal, "events": end.count, "hash": end.hash})).collect::<Vec<_>>(),
        "not_recorded": ["maintenance and calibration of the instrument", "date on which a lot was opened", "who was told outside this system"],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spreads_by_hand() {
        assert_eq!(spread_of(&[2.0, 4.0, 6.0]), (4.0, 2.0, 3));
        assert_eq!(spread_of(&[5.0]), (5.0, 0.0, 1));
        assert_eq!(spread_of(&[]), (0.0, 0.0, 0));
    }
}
