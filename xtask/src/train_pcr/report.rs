//! Leave-one-experiment-out scores, as SCIENCE defines them.

use super::corpus::{Corpus, Example};
use baton_pcr::model::Probabilities;

/// Scores of a group of curves.
#[derive(Debug, Default, Clone)]
pub struct Score {
    pub counts: [usize; 3],
    pub sensitivity: f64,
    pub specificity: f64,
    pub kappa_yes_no: f64,
    pub kappa_three: f64,
    pub brier: f64,
}

pub fn call(p: &Probabilities) -> char {
    match baton_pcr::decide(p) {
        baton_pcr::Call::Positive => 'y',
        baton_pcr::Call::Negative => 'n',
        _ => 'a',
    }
}

/// Cohen's kappa of pairs.
pub fn kappa(pairs: &[(char, char)]) -> f64 {
    let n = pairs.len() as f64;
    let share = |f: &dyn Fn(&(char, char)) -> bool| pairs.iter().filter(|pair| f(pair)).count() as f64 / n;
    let agreed = share(&|pair| pair.0 == pair.1);
    let by_chance: f64 = ['y', 'a', 'n'].iter().map(|c| share(&|p| p.0 == *c) * share(&|p| p.1 == *c)).sum();
    if by_chance < 1.0 { (agreed - by_chance) / (1.0 - by_chance) } else { 1.0 }
}

pub fn score(items: &[(&Example, Probabilities)]) -> Score {
    let pairs: Vec<(char, char)> = items.iter().map(|(e, p)| (e.majority, call(p))).collect();
    let count = |class: char| pairs.iter().filter(|pair| pair.0 == class).count();
    let rate = |class: char, hit: &dyn Fn(char) -> bool| pairs.iter().filter(|pair| pair.0 == class && hit(pair.1)).count() as f64 / count(class) as f64;
    let binary = |c: char| if c == 'y' { 'y' } else { 'n' };
    let clear: Vec<_> = pairs.iter().filter(|p| p.0 != 'a').map(|p| (binary(p.0), binary(p.1))).collect();
    let brier = items.iter().map(|(e, p)| (e.votes[0] - p[0]).powi(2)).sum::<f64>() / items.len() as f64;
    Score {
        counts: [count('y'), count('a'), count('n')],
        sensitivity: rate('y', &|c| c == 'y'),
        specificity: rate('n', &|c| c != 'y'),
        kappa_yes_no: kappa(&clear),
        kappa_three: kappa(&pairs),
        brier,
    }
}

pub fn line(name: &str, s: &Score) -> String {
    let [y, a, n] = s.counts;
    let shown = |value: f64| {
        if value.is_nan() { "    –".to_owned() } else { format!("{value:.4}") }
    };
    format!(
        "| {name} | {y} | {a} | {n} | {} | {} | {:.3} | {:.3} | {:.4} |",
        shown(s.sensitivity),
        shown(s.specificity),
        s.kappa_yes_no,
        s.kappa_three,
        s.brier
    )
}

pub const HEADER: &str = "| set | y | a | n | sens | spec | κ y/n | κ 3-class | Brier |\n|---|---|---|---|---|---|---|---|---|";

/// Of the curves people call yes or no: how many are called otherwise, and how many of these a review queue holds that
/// takes the given share of all curves, in the order of their doubt.
pub fn review_queue(scored: &[(&Example, Probabilities)], share: f64) -> (usize, usize) {
    let mut clear: Vec<_> = scored.iter().filter(|(e, _)| e.majority != 'a').collect();
    clear.sort_by(|a, b| baton_pcr::doubt(&b.1).total_cmp(&baton_pcr::doubt(&a.1)));
    let wrong = |item: &&&(&Example, Probabilities)| (item.0.majority == 'y') != (call(&item.1) == 'y');
    let queue = (clear.len() as f64 * share).round() as usize;
    (clear.iter().filter(wrong).count(), clear[..queue].iter().filter(wrong).count())
}

/// Curves called negative that would pass auto-verification at several limits of P(positive), with and without those that
/// rise slowly or drift.
pub fn autoverify(scored: &[(&Example, Probabilities)]) -> String {
    let mut lines =
        vec!["| p at most | flat | amplified | ambiguous | flat, steady | amplified, steady | ambiguous, steady |\n|---|---|---|---|---|---|---|".to_owned()];
    for limit in [0.02, 0.05, 0.1] {
        let passing: Vec<_> = scored.iter().filter(|(_, p)| call(p) == 'n' && p[0] <= limit).collect();
        let moves = |e: &Example| {
            let reasons = baton_pcr::reasons_of(&e.features, baton_pcr::Call::Negative);
            reasons.contains(&baton_pcr::Reason::SlowRise) || reasons.contains(&baton_pcr::Reason::Drift)
        };
        let count = |class: char, steady: bool| passing.iter().filter(|(e, _)| e.majority == class && !(steady && moves(e))).count().to_string();
        let cells: Vec<String> = [false, true].into_iter().flat_map(|steady| ['n', 'y', 'a'].map(|class| count(class, steady))).collect();
        lines.push(format!("| {limit} | {} |", cells.join(" | ")));
    }
    lines.join("\n")
}

/// One line per curve whose call differs from what most people say; curves are counted from 0 within their experiment.
pub fn differences(corpus: &Corpus, scored: &[(&Example, Probabilities)]) -> String {
    let mut numbers = vec![0; corpus.sets.len()];
    let mut lines = Vec::new();
    for (e, p) in scored {
        let number = numbers[e.set];
        numbers[e.set] += 1;
        if call(p) != e.majority {
            lines.push(format!("{} {number}: people {}, called {} ({:.2} {:.2} {:.2})", corpus.sets[e.set], e.majority, call(p), p[0], p[1], p[2]));
        }
    }
    lines.join("\n")
}

/// The temperature (1 to 2) with the least log-loss against the votes, every experiment counting the same. htPCR is left
/// out: no model that has not seen it reproduces its votes.
pub fn best_temperature(scored: &[(&Example, Probabilities)]) -> f64 {
    let sets = scored.iter().map(|(e, _)| e.set).max().unwrap_or(0) + 1;
    let sizes: Vec<usize> = (0..sets).map(|set| scored.iter().filter(|(e, _)| e.set == set).count()).collect();
    let loss = |temperature: f64| -> f64 {
        let items = scored.iter().filter(|(e, _)| sizes[e.set] < 4000);
        items.map(|(e, p)| log_loss(&e.votes, &softened(p, temperature)) / sizes[e.set] as f64).sum()
    };
    let grid = (0..21).map(|i| 1.0 + 0.05 * f64::from(i));
    let best = grid.min_by(|a, b| loss(*a).total_cmp(&loss(*b))).unwrap_or(1.0);
    (best * 100.0).round() / 100.0
}

fn softened(p: &Probabilities, temperature: f64) -> Probabilities {
    let powers = p.map(|value| value.max(1e-9).powf(1.0 / temperature));
    let sum: f64 = powers.iter().sum();
    powers.map(|value| value / sum)
}

fn log_loss(votes: &[f64; 3], p: &Probabilities) -> f64 {
    votes.iter().zip(p).map(|(vote, value)| -vote * value.max(1e-6).ln()).sum()
}

/// The table: one line per set, then the sums without and with htPCR.
pub fn table(corpus: &Corpus, scored: &[(&Example, Probabilities)]) -> String {
    let mut lines = vec![HEADER.to_owned()];
    for (set, name) in corpus.sets.iter().enumerate() {
        let items: Vec<_> = scored.iter().filter(|(e, _)| e.set == set).cloned().collect();
        lines.extend((!items.is_empty()).then(|| line(name, &score(&items))));
    }
    let ht = corpus.sets.iter().position(|name| name == "htPCR");
    let compet = corpus.sets.iter().position(|name| name == "competimer");
    let mut sum = |name: &str, keep: &dyn Fn(&Example) -> bool| {
        let items: Vec<_> = scored.iter().filter(|(e, _)| keep(e)).cloned().collect();
        lines.extend((!items.is_empty()).then(|| line(name, &score(&items))));
    };
    sum("all but htPCR", &|e| Some(e.set) != ht);
    sum("all but htPCR, competimer", &|e| Some(e.set) != ht && Some(e.set) != compet);
    // Where every column is the same rating and nothing was left ambiguous, three classes can be told apart at all.
    let argued = |e: &Example| scored.iter().any(|(other, _)| other.set == e.set && (other.majority == 'a' || !other.unanimous));
    let argued: Vec<bool> = (0..corpus.sets.len()).map(|set| scored.iter().find(|(e, _)| e.set == set).is_some_and(|(e, _)| argued(e))).collect();
    sum("sets nobody argues about", &|e| !argued[e.set]);
    sum("unanimous, all", &|e| e.unanimous);
    sum("unanimous, but htPCR", &|e| e.unanimous && Some(e.set) != ht);
    sum("all", &|_| true);
    lines.join("\n")
}
