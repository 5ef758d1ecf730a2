//! `xtask measure-cq DATA`: how closely the Cq of replicates agree, and how straight the Cq of a dilution series lie.
//!
//! DATA holds `*.curves.csv`. Every figure has a 95 % interval from resampling the wells of each level. One method is
//! measured on all sets; no outlier is left out, and a curve without a Cq ends the measurement with its name.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use baton_pcr::{CqMethod, Curve, Reader, Settings};

use crate::train_pcr::corpus::{Chance, read_curves};

const RESAMPLED: usize = 2_000;
const SEED: u64 = 20_261_124;

const METHODS: [(CqMethod, &str); 2] = [(CqMethod::PlateauRelative, "20 % of the plateau"), (CqMethod::SecondDerivative, "second-derivative maximum")];

/// Replicates: set, level (the wells' names up to the last mark) or none for all levels together, copies and limit where known.
type Replicates = (&'static str, Option<&'static str>, Option<f64>, Option<f64>);
const REPLICATES: [Replicates; 10] = [
    ("dil4reps94", Some("F15"), Some(15_000.0), Some(0.075)),
    ("dil4reps94", Some("F150"), Some(1_500.0), Some(0.085)),
    ("dil4reps94", Some("F1500"), Some(150.0), Some(0.125)),
    ("dil4reps94", Some("F15000"), Some(15.0), Some(0.42)),
    ("reps384", None, None, Some(0.145)),
    ("guescini1", None, None, None),
    ("lievens1", None, None, None),
    ("batsch1", None, None, None),
    ("reps2", None, None, None),
    ("karlen1", None, None, None),
];

/// Levels of a dilution series: the wells' names up to the last mark, and decades below the first level.
type Levels = &'static [(&'static str, f64)];
/// Known dilutions.
const SERIES: [(&str, Levels); 10] = [
    ("dil4reps94", &[("F15", 0.0), ("F150", 1.0), ("F1500", 2.0), ("F15000", 3.0)]),
    ("guescini1", &[("F2", 0.0), ("F3", 1.0), ("F4", 2.0), ("F5", 3.0), ("F6", 4.0), ("F7", 5.0)]),
    ("boggy", &[("F1", 0.0), ("F2", 1.0), ("F3", 2.0), ("F4", 3.0), ("F5", 4.0), ("F6", 5.0)]),
    ("reps", &[("F1", 0.0), ("F2", 1.0), ("F3", 2.0), ("F4", 3.0), ("F5", 4.0), ("F6", 5.0)]),
    ("C60.amp", &[("Vim.1", 0.0), ("Vim.2", 1.0), ("Vim.3", 2.0), ("Vim.4", 3.0), ("Vim.5", 4.0), ("Vim.6", 5.0), ("Vim.7", 6.0)]),
    ("C60.amp", &[("MLC2v.1", 0.0), ("MLC2v.2", 1.0), ("MLC2v.3", 2.0), ("MLC2v.4", 3.0), ("MLC2v.5", 4.0), ("MLC2v.6", 5.0), ("MLC2v.7", 6.0)]),
    ("karlen1", &[("F1.1", 0.0), ("F1.10", 1.0), ("F1.50", 1.698_97), ("F1.100", 2.0)]),
    ("karlen1", &[("F2.1", 0.0), ("F2.10", 1.0), ("F2.50", 1.698_97), ("F2.100", 2.0)]),
    ("karlen1", &[("F3.1", 0.0), ("F3.10", 1.0), ("F3.50", 1.698_97), ("F3.100", 2.0)]),
    ("karlen1", &[("F4.1", 0.0), ("F4.10", 1.0), ("F4.50", 1.698_97), ("F4.100", 2.0)]),
];
/// Fewer wells at a level are too few to draw from.
const LEAST_DRAWN: usize = 5;

pub fn run(args: &[String]) -> Result<()> {
    let folder = PathBuf::from(args.first().context("usage: measure-cq DATA")?);
    let mut chance = Chance::new(SEED);
    replicates(&folder, &mut chance)?;
    series(&folder, &mut chance)
}

fn replicates(folder: &Path, chance: &mut Chance) -> Result<()> {
    say("Standard deviation of the Cq of replicates (95 % interval, wells resampled); counting alone: copies as they fall, perfectly read\n");
    say("| replicates | wells | counting alone | Cq by | standard deviation | limit |\n|---|---|---|---|---|---|");
    for (set, level, copies, limit) in REPLICATES {
        for (method, name) in METHODS {
            let levels = cqs(folder, set, method)?;
            let cqs: Vec<Vec<f64>> = levels.into_iter().filter(|(named, _)| level.is_none_or(|level| named == level)).map(|(_, cqs)| cqs).collect();
            let wells: usize = cqs.iter().map(Vec::len).sum();
            let alone = copies.map_or("–".to_owned(), |copies| interval(&mut counted(copies, wells, chance)));
            let spread = measured(&cqs, deviation, 3, chance);
            let limit = limit.map_or("–".to_owned(), |limit| limit.to_string());
            say(&format!("| {set} {} | {wells} | {alone} | {name} | {spread} | {limit} |", level.unwrap_or("all levels")));
        }
    }
    Ok(())
}

fn series(folder: &Path, chance: &mut Chance) -> Result<()> {
    say("\nDilution series: v = (Cq - a) / b with the least-squares line of the Cq on log10 of the concentration; within = variance of v");
    say("within the levels; linearity = squares of the levels' means about the line, each times its wells (Ruijter 2013)\n");
    say("| series | wells | Cq by | cycles per decade | within | linearity |\n|---|---|---|---|---|---|");
    let mut all = METHODS.map(|_| (Vec::new(), Vec::new()));
    for (set, levels) in SERIES {
        let decades: Vec<f64> = levels.iter().map(|level| level.1).collect();
        for ((method, name), sums) in METHODS.iter().zip(&mut all) {
            let mut read = cqs(folder, set, *method)?;
            let missing = || format!("{set} lacks a level");
            let cqs: Vec<Vec<f64>> = levels.iter().map(|level| read.remove(level.0)).collect::<Option<_>>().with_context(missing)?;
            let wells: usize = cqs.iter().map(Vec::len).sum();
            let found = straightness(&cqs, &decades);
            let within = measured(&cqs, |cqs| straightness(cqs, &decades).within, 5, chance);
            let linearity = measured(&cqs, |cqs| straightness(cqs, &decades).linearity, 5, chance);
            say(&format!("| {set} {} to {} | {wells} | {name} | {:.3} | {within} | {linearity} |", levels[0].0, levels[levels.len() - 1].0, found.slope));
            sums.0.push(found.within);
            sums.1.push(found.linearity);
        }
    }
    for ((_, name), (mut within, mut linearity)) in METHODS.iter().zip(all) {
        say(&format!("| median | | {name} | | {:.5} | {:.5} |", quantile(&mut within, 0.5), quantile(&mut linearity, 0.5)));
    }
    Ok(())
}

/// The Cq of every well of a set, by level.
fn cqs(folder: &Path, set: &str, method: CqMethod) -> Result<BTreeMap<String, Vec<f64>>> {
    let curves = read_curves(folder, set)?;
    let settings = Settings { cq_method: method, ..Settings::default() };
    let mut reader = Reader::new();
    let mut levels = BTreeMap::<String, Vec<f64>>::new();
    for (name, track) in curves.names.iter().zip(&curves.tracks) {
        let level = name.rfind(['.', '_']).map_or(name.as_str(), |end| &name[..end]);
        let reading = reader.read(&Curve { cycles: &curves.cycles, fluorescence: track }, &settings);
        let cq = reading.cq.with_context(|| format!("{set} {name}: no Cq"))?;
        levels.entry(level.to_owned()).or_default().push(cq);
    }
    Ok(levels)
}

/// A figure and its interval when the wells of each level are drawn again, with repetition.
fn measured(levels: &[Vec<f64>], figure: impl Fn(&[Vec<f64>]) -> f64, digits: usize, chance: &mut Chance) -> String {
    let value = figure(levels);
    if levels.iter().any(|level| level.len() < LEAST_DRAWN) {
        return format!("{value:.digits$}");
    }
    let mut drawn = levels.to_vec();
    let mut figures = Vec::with_capacity(RESAMPLED);
    for _ in 0..RESAMPLED {
        for (again, level) in drawn.iter_mut().zip(levels) {
            again.iter_mut().for_each(|value| *value = level[pick(level.len(), chance)]);
        }
        figures.push(figure(&drawn));
    }
    format!("{value:.digits$} ({:.digits$} to {:.digits$})", quantile(&mut figures, 0.025), quantile(&mut figures, 0.975))
}

fn pick(of: usize, chance: &mut Chance) -> usize {
    ((chance.uniform() * of as f64) as usize).min(of - 1)
}

/// Standard deviations of `wells` perfect Cq (doubling) whose copies fall by chance, `copies` on average.
fn counted(copies: f64, wells: usize, chance: &mut Chance) -> Vec<f64> {
    let mut well = || loop {
        let count = poisson(copies, chance);
        if count > 0.0 {
            return -count.log2();
        }
    };
    (0..RESAMPLED).map(|_| deviation(&[(0..wells).map(|_| well()).collect()])).collect()
}

/// A Poisson count; from a hundred on its normal approximation, which is as close as is seen here.
fn poisson(mean: f64, chance: &mut Chance) -> f64 {
    if mean > 100.0 {
        return (mean + mean.sqrt() * chance.normal()).round().max(0.0);
    }
    let (limit, mut product, mut count) = ((-mean).exp(), chance.uniform(), 0.0);
    while product > limit {
        product *= chance.uniform();
        count += 1.0;
    }
    count
}

fn interval(figures: &mut [f64]) -> String {
    let median = quantile(figures, 0.5);
    format!("{median:.3} ({:.3} to {:.3})", quantile(figures, 0.025), quantile(figures, 0.975))
}

fn quantile(figures: &mut [f64], share: f64) -> f64 {
    figures.sort_unstable_by(f64::total_cmp);
    let at = share * (figures.len() - 1) as f64;
    let (low, high) = (figures[at.floor() as usize], figures[at.ceil() as usize]);
    low + (high - low) * at.fract()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn squares(values: &[f64]) -> f64 {
    let mean = mean(values);
    values.iter().map(|value| (value - mean).powi(2)).sum()
}

/// Standard deviation within levels.
fn deviation(levels: &[Vec<f64>]) -> f64 {
    let free: usize = levels.iter().map(|level| level.len() - 1).sum();
    (levels.iter().map(|level| squares(level)).sum::<f64>() / free as f64).sqrt()
}

struct Straightness {
    /// Cycles per decade of dilution.
    slope: f64,
    within: f64,
    linearity: f64,
}

fn straightness(levels: &[Vec<f64>], decades: &[f64]) -> Straightness {
    let points: Vec<(f64, f64)> = levels.iter().zip(decades).flat_map(|(level, &decade)| level.iter().map(move |&cq| (decade, cq))).collect();
    let n = points.len() as f64;
    let (x, y) = (points.iter().map(|p| p.0).sum::<f64>() / n, points.iter().map(|p| p.1).sum::<f64>() / n);
    let slope = points.iter().map(|p| (p.0 - x) * (p.1 - y)).sum::<f64>() / points.iter().map(|p| (p.0 - x).powi(2)).sum::<f64>();
    let off = |(level, &decade): (&Vec<f64>, &f64)| level.len() as f64 * (mean(level) - y - slope * (decade - x)).powi(2);
    let within: f64 = levels.iter().map(|level| squares(level)).sum();
    let bent: f64 = levels.iter().zip(decades).map(off).sum();
    let unit = slope * slope;
    Straightness { slope, within: within / (n - levels.len() as f64) / unit, linearity: bent / (levels.len() as f64 - 2.0) / unit }
}

#[allow(clippy::print_stdout)]
fn say(text: &str) {
    println!("{text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_straight_series_is_straight_and_a_bent_one_is_not() {
        let straight = straightness(&[vec![20.0, 20.2], vec![23.0, 23.2], vec![26.0, 26.2]], &[0.0, 1.0, 2.0]);
        // Within each level a variance of 0.02 square cycles, and three cycles to a decade.
        assert!((straight.slope - 3.0).abs() < 1e-9 && straight.linearity < 1e-12 && (straight.within - 0.02 / 9.0).abs() < 1e-9);
        let bent = straightness(&[vec![20.0, 20.0], vec![23.3, 23.3], vec![26.0, 26.0]], &[0.0, 1.0, 2.0]);
        // The middle is 0.2 above the line and the ends 0.1 below: two wells times 0.06 square cycles.
        assert!((bent.linearity - 0.12 / 9.0).abs() < 1e-9 && bent.within < 1e-12);
    }

    #[test]
    fn fifteen_copies_scatter_as_counting_says() {
        let mut chance = Chance::new(1);
        let mut scatter = counted(15.0, 47, &mut chance);
        // Known from the distribution itself: 0.394 for any number of wells.
        assert!((quantile(&mut scatter, 0.5) - 0.39).abs() < 0.01);
        assert!(scatter.windows(2).all(|pair| pair[0] <= pair[1]));
    }
}
