//! `pcr`: amplification curves outside of any installation (`call`, `bench`, `convert`), and the history of one read again
//! with other rules (`recall`).

use std::collections::BTreeMap;
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use baton_instruments::{Limits, RdmlVersion, Run, write_rdml_runs};
use baton_kit::{RunId, TubeId};
use baton_laboratory::events::{RunRead, TubeOutcome};
use baton_laboratory::model::TubeClock;
use baton_laboratory::rules::{person::result_of, reading::read_run};
use baton_laboratory::store::{bench, clock, lineage, results};
use baton_ledger::{Ledger, StoreResult, Tx};
use baton_pcr::rules::{RuleSet, Target, TargetReading, TargetState, interpret_well, target_state};
use baton_pcr::{Call, Curve, Reader, Reading, Settings, mean_efficiency};
use clap::Subcommand;
use cpu_time::ThreadTime;
use serde::Serialize;

use crate::installation::Where;

#[derive(Subcommand)]
pub(crate) enum PcrCommand {
    /// Call every curve of instrument files: RDML, QuantStudio, CFX, LightCycler, or plain csv with header `cycle,<name>…`.
    #[command(after_help = "Example:\n  baton pcr call plate.rdml\n  baton pcr call curves.csv plate.xlsx --assay orf1ab-n-ic --json")]
    Call {
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// Name of an assay's rule set, or a file that holds one.
        #[arg(long)]
        assay: Option<String>,
        /// One JSON object per well and target.
        #[arg(long)]
        json: bool,
    },
    /// Measure the processor time per curve: one thread, in memory, from fluorescence to the full reading.
    #[command(after_help = "Example:\n  baton pcr bench plate.rdml")]
    Bench { file: PathBuf },
    /// Write an instrument's file as RDML 1.4.
    #[command(after_help = "Example:\n  baton pcr convert plate.xlsx plate.rdml")]
    Convert { input: PathBuf, output: PathBuf },
    /// Read the stored curves of an installation again with another rule set, and list what changes, person by person.
    /// Changes nothing.
    #[command(after_help = "Example:\n  baton pcr recall --data /srv/baton --rules orf1ab-n-ic-v3.json")]
    Recall {
        #[command(flatten)]
        at: Where,
        /// A file that holds the new rule set, or the name of one that comes with the program.
        #[arg(long)]
        rules: String,
        #[arg(long)]
        json: bool,
    },
}

impl PcrCommand {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let mut out = BufWriter::new(io::stdout().lock());
        let done = match self {
            PcrCommand::Call { files, assay, json } => call(&files, assay.as_deref(), json, &mut out),
            PcrCommand::Bench { file } => measure(&file, &mut out),
            PcrCommand::Convert { input, output } => convert(&input, &output),
            PcrCommand::Recall { at, rules, json } => recall(&at, &rules, json, &mut out),
        };
        match done.and_then(|code| Ok(out.flush().map(|()| code)?)) {
            // Whoever reads us has seen enough (`baton pcr call … | head`).
            Err(error) if error.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == ErrorKind::BrokenPipe) => Ok(ExitCode::SUCCESS),
            done => done,
        }
    }
}

/// Reads and parses a file; what is odd about it goes to standard error, one line each.
fn load(path: &Path) -> anyhow::Result<Vec<Run>> {
    let name = path.display().to_string();
    let limits = Limits::default();
    let size = std::fs::metadata(path).with_context(|| name.clone())?.len();
    if size > limits.bytes_max as u64 {
        bail!("{name}: {size} bytes; at most {} are read", limits.bytes_max);
    }
    let bytes = std::fs::read(path).with_context(|| name.clone())?;
    let (runs, problems) = baton_instruments::parse(&bytes, &name, limits)?;
    for problem in problems {
        eprintln!("baton: {problem}");
    }
    Ok(runs)
}

/// A rule set by name, or from a file.
fn rule_set(name: &str) -> anyhow::Result<RuleSet> {
    if let Some(rules) = RuleSet::builtin(name) {
        return Ok(rules);
    }
    match std::fs::read_to_string(name) {
        Ok(text) => RuleSet::parse(&text).with_context(|| name.to_owned()),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            bail!("“{name}” is neither a rule file nor one of: {}", RuleSet::builtin_names().collect::<Vec<_>>().join(", "))
        }
        Err(error) => Err(error).with_context(|| name.to_owned()),
    }
}

/// One line of the answer: a target in a well. Every number is finite.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Line {
    file: String,
    well: String,
    sample: Option<String>,
    target: Option<String>,
    /// `positive`, `ambiguous`, `negative`. A curve that cannot be read is ambiguous: it is for a person.
    call: &'static str,
    p_positive: f64,
    cq: Option<f64>,
    /// Mean of the target in its run; of the curve itself where the file names no target.
    efficiency: Option<f64>,
    plateau: Option<f64>,
    reasons: Vec<&'static str>,
    /// Sorted by it, highest first, the fewest looks of a person find the most errors; from 1 on the call is left to them.
    doubt: f64,
    /// Name of the run, in a file of several.
    #[serde(skip_serializing_if = "Option::is_none")]
    run: Option<String>,
    /// What the assay's rules make of the whole well.
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<serde_json::Value>,
}

fn call(files: &[PathBuf], assay: Option<&str>, json: bool, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    let rules = assay.map(rule_set).transpose()?;
    let mut failed = false;
    for path in files {
        let runs = match load(path) {
            Ok(runs) => runs,
            Err(error) => {
                eprintln!("baton: {error:#}");
                failed = true;
                continue;
            }
        };
        let lines = lines_of(&path.display().to_string(), &runs, rules.as_ref());
        if json {
            for line in &lines {
                writeln!(out, "{}", serde_json::to_string(line)?)?;
            }
        } else {
            write_table(path, &lines, out)?;
        }
    }
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Calls every curve of a file, in the file's order.
fn lines_of(file: &str, runs: &[Run], rules: Option<&RuleSet>) -> Vec<Line> {
    let mut reader = Reader::new();
    let mut lines = Vec::new();
    for (number, run) in runs.iter().enumerate() {
        let name = (runs.len() > 1).then(|| run.name.clone().unwrap_or_else(|| format!("#{}", number + 1)));
        let first = lines.len();
        let mut readings: Vec<(Option<String>, Reading)> = Vec::new();
        for well in &run.wells {
            let of_well = readings.len();
            for curve in &well.readings {
                let target = [&curve.target, &curve.dye].into_iter().flatten().map(|text| text.trim()).find(|text| !text.is_empty());
                let known = rules.and_then(|rules| known_target(rules, curve.target.as_deref(), curve.dye.as_deref()));
                let reading = read_curve(&mut reader, curve, rules);
                let mut line = line_of(file, well, target, &reading);
                if curve.cycles.is_empty() {
                    line.reasons = vec!["no_curve"];
                }
                line.reasons.extend(curve.excluded.is_some().then_some("excluded"));
                line.reasons.extend(rules.and_then(|_| under_rules(known, &reading)));
                line.run = name.clone();
                lines.push(line);
                readings.push((known.map(|known| known.name.clone()).or_else(|| target.map(str::to_owned)), reading));
            }
            let result = rules.map(|rules| result_of_well(rules, &readings[of_well..]));
            lines[first + of_well..].iter_mut().for_each(|line| line.result.clone_from(&result));
        }
        share_efficiency(&mut lines[first..], &readings);
    }
    lines
}

/// The instrument's own baseline-corrected curve is taken where it gives no other.
fn read_curve(reader: &mut Reader, curve: &baton_instruments::Reading, rules: Option<&RuleSet>) -> Reading {
    let settings = rules.map_or_else(Settings::default, RuleSet::settings);
    let fluorescence = if curve.fluorescence.is_empty() { &curve.corrected } else { &curve.fluorescence };
    reader.read(&Curve { cycles: &curve.cycles, fluorescence }, &settings)
}

fn line_of(file: &str, well: &baton_instruments::Well, target: Option<&str>, reading: &Reading) -> Line {
    let finite = |value: f64| value.is_finite().then_some(value);
    Line {
        file: file.to_owned(),
        well: well.position.label.clone(),
        sample: well.sample.clone(),
        target: target.map(str::to_owned),
        call: match reading.call {
            Call::Positive => "positive",
            Call::Negative => "negative",
            Call::Ambiguous | Call::Unreadable => "ambiguous",
        },
        p_positive: finite(reading.p_positive).unwrap_or(0.0),
        cq: reading.cq.and_then(finite),
        efficiency: reading.efficiency.and_then(finite),
        plateau: finite(reading.plateau).filter(|_| reading.call != Call::Unreadable),
        reasons: reading.reasons.iter().map(|reason| reason.code()).collect(),
        doubt: finite(reading.doubt()).unwrap_or(2.0),
        run: None,
        result: None,
    }
}

/// The assay's target a curve belongs to: by name, else by dye where the assay has one target in that dye.
fn known_target<'r>(rules: &'r RuleSet, target: Option<&str>, dye: Option<&str>) -> Option<&'r Target> {
    let same = |a: &str, b: Option<&str>| b.is_some_and(|b| a.eq_ignore_ascii_case(b.trim()));
    let by_dye = || {
        let mut of_dye = rules.targets.iter().filter(|rule| same(&rule.dye, dye));
        of_dye.next().filter(|_| of_dye.next().is_none())
    };
    rules.targets.iter().find(|rule| same(&rule.name, target)).or_else(by_dye)
}

/// What the assay's cut-offs add to a curve's own reasons.
fn under_rules(target: Option<&Target>, reading: &Reading) -> Option<&'static str> {
    let Some(target) = target else { return Some("target_unknown") };
    match target_state(target, Some(reading)) {
        TargetState::Grey => Some("grey_zone"),
        TargetState::Late => Some("after_cutoff"),
        _ => None,
    }
}

fn result_of_well(rules: &RuleSet, readings: &[(Option<String>, Reading)]) -> serde_json::Value {
    let of_target = |(target, reading): &(Option<String>, Reading)| TargetReading { target: target.clone().unwrap_or_default(), reading: reading.clone() };
    let known: Vec<TargetReading> = readings.iter().map(of_target).collect();
    serde_json::to_value(interpret_well(rules, &known, false).result).unwrap_or_default()
}

/// One well's efficiency is ten times noisier than its Cq: where the file names the target, the mean of the run stands instead.
fn share_efficiency(lines: &mut [Line], readings: &[(Option<String>, Reading)]) {
    let mut of_target: BTreeMap<&str, Vec<&Reading>> = BTreeMap::new();
    for (target, reading) in readings {
        if let Some(target) = target {
            of_target.entry(target).or_default().push(reading);
        }
    }
    let means: BTreeMap<&str, f64> =
        of_target.into_iter().filter_map(|(target, readings)| Some((target, mean_efficiency(readings)?.mean))).filter(|(_, mean)| mean.is_finite()).collect();
    for (line, (target, reading)) in lines.iter_mut().zip(readings) {
        if let Some(target) = target.as_deref() {
            line.efficiency = means.get(target).copied().filter(|_| matches!(reading.call, Call::Positive | Call::Ambiguous));
        }
    }
}

fn write_table(path: &Path, lines: &[Line], out: &mut impl Write) -> anyhow::Result<()> {
    let width = |text: &dyn Fn(&Line) -> String, least: usize| lines.iter().map(|line| text(line).chars().count()).fold(least, usize::max).min(32);
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let (well, sample, target) = (width(&|l| l.well.clone(), 4), width(&|l| text(&l.sample), 6), width(&|l| text(&l.target), 6));
    writeln!(out, "{}", path.display())?;
    writeln!(out, "{:<well$}  {:<sample$}  {:<target$}  {:<9}  {:>6}  {:>6}  {:>5}  reasons", "well", "sample", "target", "call", "p", "Cq", "E")?;
    for line in lines {
        let number = |value: Option<f64>| value.map_or_else(String::new, |value| format!("{value:.2}"));
        writeln!(
            out,
            "{:<well$}  {:<sample$}  {:<target$}  {:<9}  {:>6.3}  {:>6}  {:>5}  {}{}",
            line.well,
            text(&line.sample),
            text(&line.target),
            line.call,
            line.p_positive,
            number(line.cq),
            number(line.efficiency),
            line.result.as_ref().and_then(|result| result.as_str()).map_or_else(String::new, |result| format!("[{result}] ")),
            line.reasons.join(" ")
        )?;
    }
    let count = |call: &str| lines.iter().filter(|line| line.call == call).count();
    writeln!(out, "{} curves: {} positive, {} ambiguous, {} negative\n", lines.len(), count("positive"), count("ambiguous"), count("negative"))?;
    Ok(())
}

/// Passes over all curves until the clock has something to measure; the middle pass counts.
#[allow(clippy::disallowed_methods)] // measuring is what this command is for
fn measure(file: &Path, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    const PASSES: usize = 9;
    const LEAST_SECONDS: f64 = 1.0;
    let runs = load(file)?;
    let all = runs.iter().flat_map(|run| &run.wells).flat_map(|well| &well.readings);
    // A file may list wells, or a Cq, without a curve: answering those takes no time.
    let curves: Vec<&baton_instruments::Reading> = all.filter(|reading| !reading.cycles.is_empty()).collect();
    if curves.is_empty() {
        bail!("{}: holds no curves", file.display());
    }
    let mut reader = Reader::new();
    // Processor time of this thread: what else the machine does is not the engine's.
    let mut pass = || {
        let start = ThreadTime::now();
        for curve in &curves {
            std::hint::black_box(read_curve(&mut reader, curve, None));
        }
        start.elapsed().as_secs_f64()
    };
    let warm = pass().max(1e-9);
    let rounds = ((LEAST_SECONDS / PASSES as f64 / warm).ceil() as usize).clamp(1, 100_000);
    let mut seconds: Vec<f64> = (0..PASSES).map(|_| (0..rounds).map(|_| pass()).sum::<f64>() / rounds as f64).collect();
    seconds.sort_by(f64::total_cmp);
    let us_per_curve = seconds[PASSES / 2] * 1e6 / curves.len() as f64;
    writeln!(out, "{}", serde_json::json!({ "us_per_curve": (us_per_curve * 1000.0).round() / 1000.0, "curves": curves.len() }))?;
    Ok(ExitCode::SUCCESS)
}

/// The output appears whole or not at all.
fn convert(input: &Path, output: &Path) -> anyhow::Result<ExitCode> {
    let runs = load(input)?;
    let bytes = write_rdml_runs(&runs, RdmlVersion::V1_4);
    let mut partial = output.as_os_str().to_owned();
    partial.push(".part");
    let partial = PathBuf::from(partial);
    std::fs::write(&partial, bytes).with_context(|| partial.display().to_string())?;
    std::fs::rename(&partial, output).with_context(|| output.display().to_string())?;
    Ok(ExitCode::SUCCESS)
}

/// A person whose tube reads otherwise under the new rules.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Change {
    person: String,
    tube: String,
    tube_code: Option<String>,
    run: String,
    /// What the tube is held to show now, and what it shows under the new rules; nothing where its place on the plate is in doubt.
    outcome_before: &'static str,
    outcome_after: Option<&'static str>,
    /// What the person is told now, and what they would be told.
    before: &'static str,
    after: Option<&'static str>,
    released: bool,
    amended: bool,
}

/// What was read again, and what was not.
#[derive(Debug, Default, PartialEq, Serialize)]
struct Recalled {
    rules: String,
    runs: usize,
    runs_of_other_assays: usize,
    runs_without_curves: usize,
    tubes: usize,
    tubes_changed: usize,
    people_changed: usize,
    /// Clean negatives that one signature releases, as they were read and as they read now.
    by_rule_before: usize,
    by_rule_after: usize,
}

fn recall(at: &Where, rules: &str, json: bool, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    let rules = rule_set(rules)?;
    let held = at.hold()?;
    let (recalled, changes) = read_again(&held.app.ledger, &rules)?;
    for change in &changes {
        if json {
            writeln!(out, "{}", serde_json::to_string(change)?)?;
        } else {
            let (after, outcome_after) = (change.after.unwrap_or("not known"), change.outcome_after.unwrap_or("not known"));
            let code = change.tube_code.as_deref().unwrap_or(&change.tube);
            let out_already = if change.released { "  (was released)" } else { "" };
            writeln!(out, "{}  {} -> {after}  tube {code}: {} -> {outcome_after}{out_already}", change.person, change.before, change.outcome_before)?;
        }
    }
    if json {
        writeln!(out, "{}", serde_json::to_string(&recalled)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    let r = &recalled;
    writeln!(out, "{} runs read again with {}: {} of {} tubes change, {} people", r.runs, r.rules, r.tubes_changed, r.tubes, r.people_changed)?;
    writeln!(out, "clean negatives for one signature: {} before, {} now", r.by_rule_before, r.by_rule_after)?;
    writeln!(out, "not read: {} runs of other assays, {} without curves", r.runs_of_other_assays, r.runs_without_curves)?;
    Ok(ExitCode::SUCCESS)
}

/// Run by run, the tubes whose last answer that run gave.
fn read_again(ledger: &Ledger, rules: &RuleSet) -> anyhow::Result<(Recalled, Vec<Change>)> {
    let mut tubes_of_run: BTreeMap<RunId, Vec<TubeClock>> = BTreeMap::new();
    for tube in ledger.read(|tx| Ok(clock::resulted(tx)?))? {
        if let Some(run) = tube.run {
            tubes_of_run.entry(run).or_default().push(tube);
        }
    }
    let mut recalled = Recalled { rules: format!("{} {}", rules.name, rules.version), ..Recalled::default() };
    let mut changes = Vec::new();
    for (id, tubes) in tubes_of_run {
        let Some(run) = ledger.read(|tx| Ok(bench::run(tx, id)?))? else { continue };
        if run.rules.rsplit_once(' ').map(|(name, _)| name) != Some(rules.name.as_str()) {
            recalled.runs_of_other_assays += 1;
            continue;
        }
        let Some(stored) = ledger.read_log(|log| Ok(bench::curves(log, id)?))? else {
            recalled.runs_without_curves += 1;
            continue;
        };
        let plate = ledger.read(|tx| Ok(plate_as_it_was(tx, &run)?))?.with_context(|| format!("run {id}: its plate {} is not known", run.plate))?;
        let read = read_run(&plate, Some(rules), &stored.curves);
        recalled.runs += 1;
        let before = ledger.read(|tx| Ok(bench::calls(tx, id)?))?;
        let by_rule = |calls: &mut dyn Iterator<Item = &baton_laboratory::events::WellCall>| calls.filter(|call| call.not_passed.is_empty()).count();
        recalled.by_rule_before += by_rule(&mut before.iter().map(|(call, _)| call));
        recalled.by_rule_after += by_rule(&mut read.calls.iter());
        for tube in &tubes {
            recalled.tubes += 1;
            let of_tube = ledger.read(|tx| Ok(changes_of(tx, tube, id, &read)?))?;
            recalled.tubes_changed += usize::from(of_tube.is_some());
            changes.extend(of_tube.into_iter().flatten());
        }
    }
    let mut people: Vec<&str> = changes.iter().map(|change| change.person.as_str()).collect();
    people.sort_unstable();
    people.dedup();
    recalled.people_changed = people.len();
    Ok((recalled, changes))
}

/// The plate as the run met it: a tube counts as repeated only if a run before this one gave it no clean negative.
fn plate_as_it_was(tx: &mut Tx<'_>, run: &baton_laboratory::model::Run) -> StoreResult<Option<baton_laboratory::model::PlateForReading>> {
    let Some(mut plate) = bench::plate_for_reading(tx, run.plate)? else { return Ok(None) };
    for tube in &mut plate.tubes {
        let versions = results::versions(tx, tube.tube)?;
        tube.again = versions.iter().any(|version| version.run != run.run && version.at < run.read && version.outcome != TubeOutcome::Negative);
    }
    Ok(Some(plate))
}

/// The people of a tube, if it reads otherwise now; none if it reads the same.
fn changes_of(tx: &mut Tx<'_>, tube: &TubeClock, run: RunId, read: &RunRead) -> StoreResult<Option<Vec<Change>>> {
    let outcome = outcome_of(read, tube.tube);
    if outcome == tube.outcome {
        return Ok(None);
    }
    let after = outcome.map(|outcome| result_of(&TubeClock { outcome: Some(outcome), ..tube.clone() }));
    let amended = results::versions(tx, tube.tube)?.iter().any(|version| matches!(version.state, baton_laboratory::model::ResultState::Amended { .. }));
    let change = |person: lineage::Reached| Change {
        person: person.person.to_string(),
        tube: tube.tube.to_string(),
        tube_code: tube.code.clone(),
        run: run.to_string(),
        outcome_before: tube.outcome.map_or("none", TubeOutcome::name),
        outcome_after: outcome.map(TubeOutcome::name),
        before: result_of(tube).name(),
        after: after.map(|result| result.name()),
        released: tube.released.is_some(),
        amended,
    };
    Ok(Some(lineage::people_of(tx, &[tube.tube])?.into_iter().map(change).collect()))
}

fn outcome_of(read: &RunRead, tube: TubeId) -> Option<TubeOutcome> {
    read.tubes.iter().find(|entry| entry.tube == tube).map(|entry| entry.result)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A rise at cycle 24, a wandering flat line, a column of one value, one without any, one with holes and rubbish.
    fn curves() -> String {
        let mut text = "cycle,rise,flat,same,blank,torn\n".to_owned();
        for cycle in 1..=40 {
            let rise = 0.1 + 4.0 / (1.0 + (-0.65 * (f64::from(cycle) - 24.0)).exp()) + 0.001 * f64::from(cycle * 7 % 5);
            let flat = 0.1 + 0.002 * f64::from(cycle * 13 % 7);
            let torn = if cycle % 3 == 0 { "oops".to_owned() } else { format!("{rise}") };
            text += &format!("{cycle},{rise},{flat},5,,{torn}\n");
        }
        text
    }

    fn runs_of(text: &str, name: &str) -> Vec<Run> {
        baton_instruments::parse(text.as_bytes(), name, Limits::default()).unwrap().0
    }

    #[test]
    fn every_column_of_a_curve_file_gets_one_line() {
        let lines = lines_of("c.csv", &runs_of(&curves(), "c.csv"), None);
        let of = |well: &str| lines.iter().find(|line| line.well == well).unwrap();
        assert_eq!(lines.iter().map(|line| line.well.as_str()).collect::<Vec<_>>(), ["rise", "flat", "same", "blank", "torn"]);
        assert_eq!(of("rise").call, "positive");
        assert!(of("rise").cq.is_some_and(|cq| (20.0..24.0).contains(&cq)), "{:?}", of("rise"));
        assert_eq!((of("flat").call, of("flat").cq), ("negative", None));
        assert_eq!((of("same").call, of("same").reasons.as_slice()), ("ambiguous", ["constant"].as_slice()));
        assert_eq!(of("blank").call, "ambiguous");
        assert_eq!(of("blank").reasons, ["no_curve"]);
        assert_eq!(of("torn").call, "positive", "two cycles of three are enough");
    }

    #[test]
    fn a_line_has_its_keys_in_order_and_no_number_that_is_none() {
        for line in lines_of("c.csv", &runs_of(&curves(), "c.csv"), None) {
            let text = serde_json::to_string(&line).unwrap();
            let places: Vec<usize> = ["file", "well", "sample", "target", "call", "p_positive", "cq", "efficiency", "plateau", "reasons", "doubt"]
                .iter()
                .map(|key| text.find(&format!("\"{key}\":")).unwrap())
                .collect();
            assert!(places.is_sorted(), "{text}");
            assert!(!text.contains("NaN") && !text.contains("inf"), "{text}");
            assert!(!text.contains("\"run\"") && !text.contains("\"result\""), "{text}");
        }
    }

    /// Two targets in two wells, of which one has no internal control.
    fn plate() -> Vec<Run> {
        let (mut amplified, mut quiet) = (runs_of(&curves(), "c.csv").remove(0), runs_of(&curves(), "c.csv").remove(0));
        let (rise, flat) = (amplified.wells[0].readings.remove(0), quiet.wells[1].readings.remove(0));
        let named = |curve: &baton_instruments::Reading, target: &str| baton_instruments::Reading { target: Some(target.to_owned()), ..curve.clone() };
        let well = |label: &str, curves: [&baton_instruments::Reading; 3]| {
            let readings = curves.iter().zip(["ORF1ab", "n", "IC"]).map(|(curve, target)| named(curve, target)).collect();
            let position = baton_instruments::WellPosition { label: label.to_owned(), place: baton_instruments::parse_well(label) };
            baton_instruments::Well { position, readings, ..amplified.wells[0].clone() }
        };
        let wells = vec![well("A1", [&rise, &rise, &rise]), well("A2", [&flat, &flat, &rise]), well("A3", [&flat, &flat, &flat])];
        vec![Run { wells, ..amplified.clone() }]
    }

    #[test]
    fn an_assay_says_what_the_whole_well_shows_and_targets_share_their_efficiency() {
        let lines = lines_of("p", &plate(), Some(&rule_set("orf1ab-n-ic").unwrap()));
        let results: Vec<&str> = lines.iter().step_by(3).filter_map(|line| line.result.as_ref()?.as_str()).collect();
        assert_eq!(results, ["detected", "not_detected", "invalid"]);
        assert!(lines[0].efficiency.is_some() && lines[2].efficiency == lines[5].efficiency);
        assert_eq!((lines[3].efficiency, lines[3].call), (None, "negative"));
        let strange = lines_of("p", &plate(), Some(&rule_set("cdc-n1-n2-rp").unwrap()));
        assert!(strange.iter().all(|line| line.reasons.contains(&"target_unknown")));
    }

    #[test]
    fn a_rule_set_that_is_none_is_refused_by_name() {
        let error = rule_set("no-such-assay").unwrap_err().to_string();
        assert!(error.contains("no-such-assay") && error.contains("orf1ab-n-ic"), "{error}");
    }

    #[test]
    fn what_is_converted_reads_as_before() {
        let folder = std::env::temp_dir().join(format!("baton-pcr-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let (input, output) = (folder.join("in.csv"), folder.join("out.rdml"));
        std::fs::write(&input, curves().replace("rise,flat", "A1,A2").replace("same,blank,torn", "A3,A4,A5")).unwrap();
        convert(&input, &output).unwrap();
        let call = |path: &Path| lines_of("f", &load(path).unwrap(), None).into_iter().map(|line| (line.well, line.call, line.cq)).collect::<Vec<_>>();
        let (before, after) = (call(&input), call(&output));
        assert_eq!(after[0], before[0]);
        assert_eq!(after[1], before[1]);
        std::fs::write(&input, "PK\u{3}\u{4} cut off").unwrap();
        let error = convert(&input, &output).unwrap_err().to_string();
        assert!(error.contains("in.csv"), "{error}");
        assert_eq!(call(&output), after, "a refusal leaves the output as it was");
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn the_bench_counts_the_curves_it_measured() {
        let path = std::env::temp_dir().join(format!("baton-pcr-bench-{}.csv", std::process::id()));
        std::fs::write(&path, curves()).unwrap();
        let mut out = Vec::new();
        measure(&path, &mut out).unwrap();
        std::fs::remove_file(&path).unwrap();
        let said: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(said["curves"], 4, "the column without a number is no curve");
        assert!(said["us_per_curve"].as_f64().is_some_and(|us| us > 0.0), "{said}");
    }
}
