//! Scores by how far the raters agree with each other: no call can agree with people who do not.

use baton_pcr::model::Probabilities;

use super::corpus::{Chance, Corpus, Example};
use super::report::{call, kappa};

const RESAMPLED: usize = 2_000;

/// Share of the pairs of raters that say the same of a curve (Fleiss 1971); 1 where nobody or one person rated.
fn concord(ratings: &[char]) -> f64 {
    let n = ratings.len() as f64;
    if n < 2.0 {
        return 1.0;
    }
    let same: f64 =
        ['y', 'a', 'n'].iter().map(|class| ratings.iter().filter(|rating| *rating == class).count() as f64).map(|count| count * (count - 1.0)).sum();
    same / (n * (n - 1.0))
}

/// One curve: what it counts, whether people call it amplified, whether the model does.
#[derive(Debug, Clone, Copy)]
struct Judged {
    weight: f64,
    people: bool,
    model: bool,
}

/// Sensitivity, specificity and Cohen's kappa of yes and no, each curve counting its weight.
fn figures(judged: &[Judged]) -> [f64; 3] {
    let mut sums = [[0.0; 2]; 2];
    for one in judged {
        sums[usize::from(one.people)][usize::from(one.model)] += one.weight;
    }
    let [[no_no, no_yes], [yes_no, yes_yes]] = sums;
    let all = no_no + no_yes + yes_no + yes_yes;
    let by_chance = ((yes_no + yes_yes) * (no_yes + yes_yes) + (no_no + no_yes) * (no_no + yes_no)) / (all * all);
    let kappa = if by_chance < 1.0 { ((no_no + yes_yes) / all - by_chance) / (1.0 - by_chance) } else { 1.0 };
    [yes_yes / (yes_no + yes_yes), no_no / (no_no + no_yes), kappa]
}

/// What a curve counts, and what that is called.
type Weight = (&'static str, fn(&Example) -> f64);
type Scored<'a> = [(&'a Example, Probabilities)];

/// One table: every curve, curves weighted by agreement, and only those all raters agree on; of all sets given, and of those
/// without competimer.
pub fn table(rated: &Scored, agreed: &Scored, seed: u64) -> String {
    let mut lines = vec!["| curves | y | n | sensitivity | specificity | κ yes/no |\n|---|---|---|---|---|---|".to_owned()];
    let mut chance = Chance::new(seed);
    for (sets, items) in [("all but htPCR", rated), ("all but htPCR, competimer", agreed)] {
        let weights: [Weight; 3] = [("all", |_| 1.0), ("weighted by agreement", |e| concord(&e.ratings)), ("unanimous", |e| f64::from(u8::from(e.unanimous)))];
        for (name, weight) in weights {
            let judge = |(e, p): &(&Example, Probabilities)| Judged { weight: weight(e), people: e.majority == 'y', model: call(p) == 'y' };
            let judged: Vec<Judged> = items.iter().filter(|(e, _)| e.majority != 'a').map(judge).filter(|one| one.weight > 0.0).collect();
            let yes = judged.iter().filter(|one| one.people).count();
            let cells = resampled(&judged, &mut chance);
            lines.push(format!("| {sets}: {name} | {yes} | {} | {} |", judged.len() - yes, cells.join(" | ")));
        }
    }
    lines.join("\n")
}

/// Each figure with the 2.5 and 97.5 % points of curves drawn with repetition.
fn resampled(judged: &[Judged], chance: &mut Chance) -> [String; 3] {
    let draw = |_| {
        let pick = |chance: &mut Chance| judged[((chance.uniform() * judged.len() as f64) as usize).min(judged.len() - 1)];
        figures(&(0..judged.len()).map(|_| pick(chance)).collect::<Vec<_>>())
    };
    let drawn: Vec<[f64; 3]> = (0..RESAMPLED).map(draw).collect();
    let value = figures(judged);
    std::array::from_fn(|figure| {
        let mut sorted: Vec<f64> = drawn.iter().map(|figures| figures[figure]).collect();
        sorted.sort_unstable_by(f64::total_cmp);
        let at = |share: f64| sorted[(share * (RESAMPLED - 1) as f64).round() as usize];
        format!("{:.3} ({:.3} to {:.3})", value[figure], at(0.025), at(0.975))
    })
}

/// For each set whose raters differ: kappa (amplified or not) of each rater against the majority of the others, and of the
/// model that never saw the set against the same majorities. Curves on which the others are split in halves are left out.
pub fn raters(corpus: &Corpus, scored: &Scored) -> String {
    let mut lines = vec!["| set | raters | κ of a rater, mean (least to most) | κ of the model, mean | model ÷ rater |\n|---|---|---|---|---|".to_owned()];
    for (set, name) in corpus.sets.iter().enumerate() {
        let items: Vec<_> = scored.iter().filter(|(e, _)| e.set == set).collect();
        if items.iter().all(|(e, _)| e.unanimous) {
            continue;
        }
        let raters = items.iter().map(|(e, _)| e.ratings.len()).min().unwrap_or(0);
        let kappas: Vec<(f64, f64)> = (0..raters).map(|rater| against_the_others(&items, rater)).collect();
        let mean = |pick: fn(&(f64, f64)) -> f64| kappas.iter().map(pick).sum::<f64>() / raters as f64;
        let (rater, model) = (mean(|pair| pair.0), mean(|pair| pair.1));
        let (least, most) = kappas.iter().fold((1.0f64, -1.0f64), |(low, high), pair| (low.min(pair.0), high.max(pair.0)));
        lines.push(format!("| {name} | {raters} | {rater:.3} ({least:.3} to {most:.3}) | {model:.3} | {:.2} |", model / rater));
    }
    lines.join("\n")
}

fn against_the_others(items: &[&(&Example, Probabilities)], rater: usize) -> (f64, f64) {
    let (mut of_rater, mut of_model) = (Vec::new(), Vec::new());
    let word = |yes: bool| if yes { 'y' } else { 'n' };
    for (e, p) in items {
        let yes = e.ratings.iter().enumerate().filter(|(other, rating)| *other != rater && **rating == 'y').count();
        let others = e.ratings.len() - 1;
        if 2 * yes != others {
            let most = word(2 * yes > others);
            of_rater.push((most, word(e.ratings[rater] == 'y')));
            of_model.push((most, word(call(p) == 'y')));
        }
    }
    (kappa(&of_rater), kappa(&of_model))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn concord_is_the_share_of_pairs_that_agree() {
        assert_eq!(concord(&['y', 'y', 'y']), 1.0);
        // Four against three: 6 + 3 of 21 pairs.
        assert!((concord(&['y', 'y', 'y', 'y', 'n', 'n', 'n']) - 9.0 / 21.0).abs() < 1e-12);
        assert_eq!(concord(&['n']), 1.0);
    }

    #[test]
    fn equal_weights_give_the_plain_figures_and_a_doubted_curve_counts_less() {
        let one = |people, model, weight| Judged { weight, people, model };
        let plain = [one(true, true, 1.0), one(true, false, 1.0), one(false, false, 1.0), one(false, false, 1.0)];
        // Agreed 3 of 4, by chance (2·1 + 2·3) / 16.
        assert_eq!(figures(&plain), [0.5, 1.0, 0.5]);
        let doubted = [one(true, true, 1.0), one(true, false, 0.25), one(false, false, 1.0), one(false, false, 1.0)];
        assert_eq!(figures(&doubted)[0], 0.8);
    }
}
