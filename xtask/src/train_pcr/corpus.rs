//! What the classifier learns from: the labelled curves, perturbed copies of them, and simulated curves.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use baton_pcr::simulate::{Fault, Params, axis, synthesise};
use baton_pcr::{Curve, FEATURES, Reader};

/// One example: features, the fractions of votes (positive, ambiguous, negative) and its weight in training.
#[derive(Debug, Clone)]
pub struct Example {
    /// The experiment it belongs to; a copy belongs to the experiment of its original, `simulated` to none.
    pub set: usize,
    pub original: bool,
    pub features: [f64; FEATURES],
    pub votes: [f64; 3],
    /// What is learned: the votes, softened where one person's doubt stands for all raters.
    pub lesson: [f64; 3],
    pub majority: char,
    pub unanimous: bool,
    pub weight: f64,
}

pub struct Corpus {
    pub sets: Vec<String>,
    pub examples: Vec<Example>,
}

/// What htPCR counts compared with the others.
const HTPCR_TRUST: f64 = 0.85;

/// Number that marks simulated examples.
pub const SIMULATED: usize = usize::MAX;

/// A small counter-based source of chance (splitmix64), so that training repeats itself to the last digit.
pub struct Chance(u64);

impl Chance {
    pub fn new(seed: u64) -> Chance {
        Chance(seed)
    }

    pub fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }

    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.uniform()
    }

    /// Log-uniform.
    pub fn scale(&mut self, low: f64, high: f64) -> f64 {
        self.between(low.ln(), high.ln()).exp()
    }

    pub fn happens(&mut self, probability: f64) -> bool {
        self.uniform() < probability
    }
}

struct Labelled {
    name: String,
    cycles: Vec<f64>,
    curves: Vec<(Vec<f64>, [f64; 3], char, bool)>,
}

/// Reads every labelled set under `folder`, adds perturbed copies and `simulated` simulated curves.
pub fn build(folder: &Path, simulated: usize, seed: u64) -> Result<Corpus> {
    let mut reader = Reader::new();
    let mut chance = Chance::new(seed);
    let mut corpus = Corpus { sets: Vec::new(), examples: Vec::new() };
    for name in set_names(folder)? {
        let labelled = load(folder, &name)?;
        let set = corpus.sets.len();
        corpus.sets.push(labelled.name.clone());
        add_set(&mut corpus.examples, set, &labelled, &mut reader, &mut chance);
    }
    corpus.examples.extend(self::simulated(simulated, seed));
    Ok(corpus)
}

/// Up to `count` simulated examples; those people would argue about are left away.
pub fn simulated(count: usize, seed: u64) -> Vec<Example> {
    let (mut reader, mut chance) = (Reader::new(), Chance::new(seed ^ 0x51));
    (0..count).filter_map(|_| simulate(&mut reader, &mut chance)).collect()
}

fn set_names(folder: &Path) -> Result<Vec<String>> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .with_context(|| format!("reading {}", folder.display()))?
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.strip_suffix(".labels.csv").map(str::to_owned))
        .collect();
    names.sort();
    ensure!(!names.is_empty(), "no *.labels.csv under {}", folder.display());
    Ok(names)
}

fn load(folder: &Path, name: &str) -> Result<Labelled> {
    let text = std::fs::read_to_string(folder.join(format!("{name}.curves.csv")))?;
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().context("empty curve file")?.split(',').skip(1).collect();
    let mut cycles = Vec::new();
    let mut tracks = vec![Vec::new(); header.len()];
    for (row, line) in lines.enumerate() {
        let mut cells = line.split(',');
        let cycle = cells.next().unwrap_or_default();
        cycles.push(cycle.parse().with_context(|| format!("{name} row {}: cycle {cycle:?}", row + 2))?);
        for track in &mut tracks {
            track.push(cells.next().unwrap_or_default().parse().unwrap_or(f64::NAN));
        }
    }
    let labels = std::fs::read_to_string(folder.join(format!("{name}.labels.csv")))?;
    let rows: Vec<&str> = labels.lines().skip(1).collect();
    ensure!(rows.len() == header.len(), "{name}: {} labels for {} curves", rows.len(), header.len());
    let mut curves = Vec::new();
    for ((track, curve), row) in tracks.into_iter().zip(header).zip(rows) {
        let cells: Vec<&str> = row.split(',').collect();
        let [first, votes @ .., majority, unanimous] = cells.as_slice() else { bail!("{name}: short label row {row:?}") };
        ensure!(*first == curve, "{name}: label row {first:?} stands where {curve:?} is expected");
        let share = |class: &str| votes.iter().filter(|vote| **vote == class).count() as f64 / votes.len() as f64;
        let majority = majority.chars().next().unwrap_or('a');
        curves.push((track, [share("y"), share("a"), share("n")], majority, *unanimous == "True"));
    }
    Ok(Labelled { name: name.to_owned(), cycles, curves })
}

/// The curves of one experiment and perturbed copies. Experiments count by the square root of their size, so that the
/// large ones do not drown the others; htPCR, rated by one person in eight sessions that rarely agree, counts for less.
fn add_set(examples: &mut Vec<Example>, set: usize, labelled: &Labelled, reader: &mut Reader, chance: &mut Chance) {
    let trust = if labelled.name == "htPCR" { HTPCR_TRUST } else { 1.0 };
    let negatives = labelled.curves.iter().filter(|curve| curve.2 == 'n').count();
    let (negatives, others) = (negatives as f64, (labelled.curves.len() - negatives) as f64);
    // Identical columns are one rating, and one person's "ambiguous" is rarely another's.
    let one_rating = labelled.curves.iter().all(|curve| curve.3);
    for (track, votes, majority, unanimous) in &labelled.curves {
        let size = if *majority == 'n' { negatives } else { others };
        let lesson = if one_rating && *majority == 'a' { [0.4, 0.5, 0.1] } else { *votes };
        let copies = if *majority == 'n' && labelled.name != "htPCR" { 8 } else { 2 };
        let weight = trust * 8.0 / size.sqrt();
        for copy in 0..=copies {
            let (cycles, values) = if copy == 0 { (labelled.cycles.clone(), track.clone()) } else { perturb(&labelled.cycles, track, *majority, chance) };
            let Some(features) = reader.features(&Curve { cycles: &cycles, fluorescence: &values }) else {
                continue;
            };
            examples.push(Example {
                set,
                original: copy == 0,
                features,
                votes: *votes,
                lesson,
                majority: *majority,
                unanimous: *unanimous,
                weight: weight / f64::from(copies + 1),
            });
        }
    }
}

/// A copy that people would still label the same: another scale, some drift, some more noise, coarser digits, a few
/// cycles more or fewer at the ends.
fn perturb(cycles: &[f64], track: &[f64], majority: char, chance: &mut Chance) -> (Vec<f64>, Vec<f64>) {
    let finite = || track.iter().copied().filter(|value| value.is_finite());
    let range = finite().fold(f64::NEG_INFINITY, f64::max) - finite().fold(f64::INFINITY, f64::min);
    let n = track.len();
    let mut values = track.to_vec();
    if chance.happens(0.5) {
        let drift = chance.normal() * if majority == 'n' { 1.0 } else { 0.1 } * range / n as f64;
        values.iter_mut().enumerate().for_each(|(i, value)| *value += drift * i as f64);
    }
    if chance.happens(0.5) {
        let noise = range * if majority == 'n' { chance.scale(0.01, 0.5) } else { chance.scale(0.001, 0.02) };
        values.iter_mut().for_each(|value| *value += noise * chance.normal());
    }
    if chance.happens(0.25) {
        let step = range / chance.scale(50.0, 1000.0);
        values.iter_mut().for_each(|value| *value = (*value / step).round() * step);
    }
    let first = if chance.happens(0.3) { (chance.uniform() * 4.0) as usize } else { 0 };
    let cut = if chance.happens(0.3) && majority != 'a' { (chance.uniform() * 4.0) as usize } else { 0 };
    let kept = first..n - cut;
    (cycles[kept.clone()].to_vec(), values[kept].to_vec())
}

/// One simulated curve with the label its making implies, or none where people would argue.
fn simulate(reader: &mut Reader, chance: &mut Chance) -> Option<Example> {
    let flat = chance.happens(0.6);
    let params = if flat { flat_params(chance) } else { rising_params(chance) };
    let mut values = synthesise(&params, || chance.normal());
    if chance.happens(0.2) {
        let step = params.noise * chance.scale(0.2, 4.0);
        values.iter_mut().for_each(|value| *value = (*value / step).round() * step);
    }
    let features = reader.features(&Curve { cycles: &axis(params.cycles), fluorescence: &values })?;
    let votes = if flat { [0.0, 0.0, 1.0] } else { rising_votes(&params)? };
    let majority = if votes[0] > 0.5 {
        'y'
    } else if votes[2] > 0.5 {
        'n'
    } else {
        'a'
    };
    Some(Example { set: SIMULATED, original: false, features, votes, lesson: votes, majority, unanimous: true, weight: 0.06 })
}

/// Nothing amplified: drift, settling, wandering, spikes, bubbles, evaporation and a trace of another dye.
fn flat_params(chance: &mut Chance) -> Params {
    let mut faults = Vec::new();
    let noise = chance.scale(0.0005, 0.05);
    if chance.happens(0.4) {
        faults.push(Fault::Drift { height: chance.normal() * chance.scale(5.0, 200.0) * noise });
    }
    if chance.happens(0.4) {
        let height = chance.normal() * chance.scale(5.0, 200.0) * noise;
        faults.push(Fault::Settling { height, cycles: chance.scale(0.5, 20.0) });
    }
    if chance.happens(0.4) {
        faults.push(Fault::Wander { height: noise * chance.scale(0.3, 4.0) });
    }
    if chance.happens(0.15) {
        let cycle = (chance.uniform() * 40.0) as usize;
        faults.push(Fault::Spike { cycle, height: chance.normal() * 15.0 * noise });
    }
    if chance.happens(0.12) {
        let cycle = (chance.uniform() * 40.0) as usize;
        faults.push(Fault::Bubble { cycle, height: chance.scale(3.0, 300.0) * noise * chance.normal().signum() });
    }
    if chance.happens(0.12) {
        let cycle = 15 + (chance.uniform() * 20.0) as usize;
        faults.push(Fault::Evaporation { cycle, height: chance.scale(3.0, 300.0) * noise });
    }
    Params {
        cycles: 30 + (chance.uniform() * 21.0) as usize,
        baseline_level: 1.0,
        baseline_slope: if chance.happens(0.7) { chance.normal() * 2.0 * noise } else { 0.0 },
        cq: None,
        noise,
        relative_noise: 0.0,
        faults,
        ..Params::default()
    }
}

/// Amplified: every efficiency, asymmetry, plateau and Cq that occurs.
fn rising_params(chance: &mut Chance) -> Params {
    let cycles = 30 + (chance.uniform() * 21.0) as usize;
    let noise = chance.scale(0.0005, 0.01);
    let mut faults = Vec::new();
    if chance.happens(0.3) {
        faults.push(Fault::Settling { height: chance.normal() * 10.0 * noise, cycles: chance.scale(0.5, 6.0) });
    }
    if chance.happens(0.2) {
        faults.push(Fault::Wander { height: noise * chance.scale(0.3, 2.0) });
    }
    if chance.happens(0.1) {
        let cycle = (chance.uniform() * 40.0) as usize;
        faults.push(Fault::Spike { cycle, height: chance.normal() * 20.0 * noise });
    }
    Params {
        cycles,
        baseline_level: 1.0,
        baseline_slope: chance.normal() * 2.0 * noise,
        cq: Some(chance.between(4.5, cycles as f64 - 3.0)),
        plateau: noise * chance.scale(20.0, 2000.0),
        efficiency: chance.between(1.6, 2.05),
        asymmetry: chance.scale(0.45, 2.5),
        noise,
        relative_noise: noise * chance.uniform(),
        faults,
    }
}

/// Cycles from a tenth to half of the plateau.
fn lower_half_cycles(params: &Params) -> f64 {
    let position = |share: f64| {
        let logistic = share.powf(1.0 / params.asymmetry);
        (logistic / (1.0 - logistic)).ln()
    };
    (position(0.5) - position(0.1)) * params.asymmetry / params.efficiency.ln()
}

/// People call a rise with a plateau amplified; one that has only begun, or hardly leaves the noise, ambiguous.
fn rising_votes(params: &Params) -> Option<[f64; 3]> {
    let left = params.cycles as f64 - params.cq?;
    let strength = params.plateau / (params.noise + params.relative_noise);
    let plateau_seen = left > 9.0;
    // Slow rises are what people argue about; the shared sets hold enough of them.
    if lower_half_cycles(params) > 5.5 {
        return None;
    }
    match (plateau_seen, strength > 60.0, left > 6.0) {
        (true, true, _) => Some([1.0, 0.0, 0.0]),
        (false, true, false) => Some([0.35, 0.65, 0.0]),
        _ => None,
    }
}
