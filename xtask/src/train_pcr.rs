//! `xtask train-pcr DATA [--write FILE]`: trains the curve classifier, reproducibly.
//!
//! DATA holds `*.curves.csv` and `*.labels.csv`. Prints the leave-one-experiment-out table; with `--write` also trains on
//! everything and writes the parameter file `engines/pcr/model.json`.

mod agreement;
pub(crate) mod corpus;
mod learn;
mod report;

use std::path::PathBuf;

use anyhow::{Context, Result};
use baton_pcr::model::{Model, Probabilities};

use corpus::{Corpus, Example};

const SIMULATED: usize = 12_000;
const SEED: u64 = 20_261_123;

pub fn run(args: &[String]) -> Result<()> {
    let folder = PathBuf::from(args.first().context("usage: train-pcr DATA [--write FILE]")?);
    let corpus = corpus::build(&folder, SIMULATED, SEED)?;
    let originals = corpus.examples.iter().filter(|e| e.original).count();
    let log = format!("{originals} labelled curves of {} experiments, {} examples in all", corpus.sets.len(), corpus.examples.len());
    say(&log);
    let scored = left_out(&corpus);
    let (copies, originals): (Vec<_>, Vec<_>) = scored.into_iter().partition(|(e, _)| !e.original);
    say(&report::table(&corpus, &originals));
    let elsewhere = |name: &str, (e, _): &(&Example, Probabilities)| corpus.sets[e.set] != name;
    let rated: Vec<_> = originals.iter().filter(|item| elsewhere("htPCR", item)).cloned().collect();
    let agreed: Vec<_> = rated.iter().filter(|item| elsewhere("competimer", item)).cloned().collect();
    say(&format!(
        "\nYes and no of the experiments left out, by how far their raters agree (95 %, curves resampled):\n{}",
        agreement::table(&rated, &agreed, SEED)
    ));
    say(&format!("\nRaters and model against the majority of the other raters, yes or not:\n{}\n", agreement::raters(&corpus, &originals)));
    for (name, items) in [("all but htPCR", &rated), ("all but htPCR and competimer", &agreed)] {
        let (wrong, held) = report::review_queue(items, 0.03);
        say(&format!("{name}: {wrong} yes/no errors, a review queue of 3 % holds {held}"));
    }
    say(&format!("\nCurves called otherwise than by most people, all but htPCR:\n{}", report::differences(&corpus, &rated)));
    say(&format!("\nAuto-verification, all but htPCR:\n{}", report::autoverify(&rated)));
    let rated_copies: Vec<_> = copies.iter().filter(|item| elsewhere("htPCR", item)).cloned().collect();
    say(&format!("\nAuto-verification, perturbed copies of all but htPCR:\n{}", report::autoverify(&rated_copies)));
    say("\nPerturbed copies of the same curves (scale, drift, noise, rounding, cut ends), left out in the same way:");
    say(&report::table(&corpus, &copies));
    say("\nhtPCR alone, alternate blocks of wells scored by a model that saw the others:");
    say(&report::table(&corpus, &htpcr_halves(&corpus)));
    let everything: Vec<&Example> = corpus.examples.iter().collect();
    let mut model = learn::train(&everything, SEED);
    let fresh = corpus::simulated(SIMULATED, SEED + 1);
    let fresh: Vec<_> = fresh.iter().map(|e| (e, model.probabilities(&e.features))).collect();
    say("\nSimulated curves of another seed, the final model:");
    say(&format!("{}\n{}", report::HEADER, report::line("simulated", &report::score(&fresh))));
    model.temperature = report::best_temperature(&originals);
    say(&format!("\ntemperature {}", model.temperature));
    if let Some(at) = args.iter().position(|arg| arg == "--write") {
        let path = args.get(at + 1).context("--write needs a file")?;
        model.provenance =
            vec![format!("xtask train-pcr, seed {SEED}, {SIMULATED} simulated curves tried"), log, format!("experiments: {}", corpus.sets.join(", "))];
        std::fs::write(path, to_text(&model)).with_context(|| format!("writing {path}"))?;
    }
    Ok(())
}

/// Groups of experiments that share curves and must be left out together.
fn fold_of(corpus: &Corpus, set: usize) -> usize {
    let twin = corpus.sets.iter().position(|name| name == "reps");
    if Some(set) == twin { corpus.sets.iter().position(|name| name == "testdat").unwrap_or(set) } else { set }
}

/// Every labelled curve and its copies with the probabilities of a model that never saw its experiment.
fn left_out(corpus: &Corpus) -> Vec<(&Example, Probabilities)> {
    let mut scored = Vec::new();
    for fold in 0..corpus.sets.len() {
        let is_out = |e: &&Example| e.set != corpus::SIMULATED && fold_of(corpus, e.set) == fold;
        let out: Vec<&Example> = corpus.examples.iter().filter(is_out).collect();
        if out.is_empty() {
            continue;
        }
        let rest: Vec<&Example> = corpus.examples.iter().filter(|e| !is_out(e)).collect();
        let model = learn::train(&rest, SEED);
        scored.extend(out.into_iter().map(|e| (e, model.probabilities(&e.features))));
    }
    scored
}

/// htPCR alone, each half (alternate blocks of twelve wells) scored by a model that saw the other half.
fn htpcr_halves(corpus: &Corpus) -> Vec<(&Example, Probabilities)> {
    let Some(set) = corpus.sets.iter().position(|name| name == "htPCR") else {
        return vec![];
    };
    let mut half_of = vec![None; corpus.examples.len()];
    let mut curve = 0;
    for (half, example) in half_of.iter_mut().zip(&corpus.examples) {
        // Copies follow their original.
        curve += usize::from(example.set == set && example.original);
        *half = (example.set == set).then(|| (curve - 1) / 12 % 2);
    }
    let mut scored = Vec::new();
    for half in [0, 1] {
        let pick = |inside: bool| {
            let wanted = move |other: &Option<usize>| (*other == Some(half)) == inside;
            half_of.iter().zip(&corpus.examples).filter(move |(other, _)| wanted(other)).map(|(_, e)| e)
        };
        let rest: Vec<&Example> = pick(false).collect();
        let model = learn::train(&rest, SEED);
        scored.extend(pick(true).filter(|e| e.original).map(|e| (e, model.probabilities(&e.features))));
    }
    scored
}

/// One line per row of weights: readable, and a change shows as a small difference.
fn to_text(model: &Model) -> String {
    // Debug quoting of plain ASCII text is also JSON quoting.
    let strings = |texts: &[String]| format!("{texts:?}");
    let list = |row: &[f64]| format!("[{}]", row.iter().map(f64::to_string).collect::<Vec<_>>().join(", "));
    let rows = |rows: &[Vec<f64>]| rows.iter().map(|row| format!("      {}", list(row))).collect::<Vec<_>>().join(",\n");
    let round = |values: &[f64]| values.iter().map(|v| (v * 1e6).round() / 1e6).collect::<Vec<_>>();
    let networks: Vec<String> =
        model.networks.iter().map(|n| format!("    {{ \"hidden\": [\n{}\n    ], \"output\": [\n{}\n    ] }}", rows(&n.hidden), rows(&n.output))).collect();
    format!(
        "{{\n  \"provenance\": {},\n  \"features\": {},\n  \"centre\": {},\n  \"spread\": {},\n  \"temperature\": {},\n  \"networks\": [\n{}\n  ]\n}}\n",
        strings(&model.provenance),
        strings(&model.features),
        list(&round(&model.centre)),
        list(&round(&model.spread)),
        model.temperature,
        networks.join(",\n")
    )
}

#[allow(clippy::print_stdout)]
fn say(text: &str) {
    println!("{text}");
}
