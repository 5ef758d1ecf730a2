//! What the classifier learns from: the labelled curves, perturbed copies of them, and simulated curves.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use baton_pcr::simulate::{Fault, Params, axis, synthesise};
use baton_pcr::{Curve, FEATURE_NAMES, FEATURES, Reader};

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
    /// What each rater said, in the order of the columns; none for copies and simulated curves.
    pub ratings: Vec<char>,
    pub weight: f64,
}

pub struct Corpus {
    pub sets: Vec<String>,
    pub examples: Vec<Example>,
}

/// Cycles after the second-derivative maximum by which people see that a curve rises.
const LEAST_RISE: f64 = 5.0;

/// Share of copies that take another harm: a flat curve dries out, an amplified one rises later.
const HARMED: f64 = 0.2;

/// Share of simulated flat curves that dry out smoothly.
const DRYING: f64 = 0.3;

/// What one simulated curve counts; a labelled curve of a set of a hundred counts a few times as much.
const SIMULATED_WEIGHT: f64 = 0.04;

/// Cycles from a tenth to half of the plateau above which people argue whether a rise is amplification.
const SLOW_RISE: f64 = 6.5;

/// Cycles of a usual run, to compare what the baseline drifts with what a curve rises.
const RUN_CYCLES: f64 = 40.0;
/// Share of a rise that the baseline may drift over a run before people argue about the rise.
const MOST_DRIFT: f64 = 0.5;

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
    curves: Vec<Rated>,
}

struct Rated {
    track: Vec<f64>,
    votes: [f64; 3],
    ratings: Vec<char>,
    majority: char,
    unanimous: bool,
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

/// The curves of one set as they stand in its file.
pub(crate) struct Curves {
    pub names: Vec<String>,
    pub cycles: Vec<f64>,
    /// Fluorescence by curve and cycle; an empty cell is NaN.
    pub tracks: Vec<Vec<f64>>,
}

/// Reads `<name>.curves.csv`: the first column is the cycle, every other one a curve.
pub(crate) fn read_curves(folder: &Path, name: &str) -> Result<Curves> {
    let path = folder.join(format!("{name}.curves.csv"));
    let text = std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    let mut lines = text.lines();
    let names: Vec<String> = lines.next().context("empty curve file")?.split(',').skip(1).map(str::to_owned).collect();
    let mut cycles = Vec::new();
    let mut tracks = vec![Vec::new(); names.len()];
    for (row, line) in lines.enumerate() {
        let mut cells = line.split(',');
        let cycle = cells.next().unwrap_or_default();
        cycles.push(cycle.parse().with_context(|| format!("{name} row {}: cycle {cycle:?}", row + 2))?);
        for track in &mut tracks {
            track.push(cells.next().unwrap_or_default().parse().unwrap_or(f64::NAN));
        }
    }
    Ok(Curves { names, cycles, tracks })
}

fn load(folder: &Path, name: &str) -> Result<Labelled> {
    let Curves { names: header, cycles, tracks } = read_curves(folder, name)?;
    let labels = std::fs::read_to_string(folder.join(format!("{name}.labels.csv")))?;
    let rows: Vec<&str> = labels.lines().skip(1).collect();
    ensure!(rows.len() == header.len(), "{name}: {} labels for {} curves", rows.len(), header.len());
    let mut curves = Vec::new();
    for ((track, curve), row) in tracks.into_iter().zip(header).zip(rows) {
        let cells: Vec<&str> = row.split(',').collect();
        let [first, votes @ .., majority, unanimous] = cells.as_slice() else { bail!("{name}: short label row {row:?}") };
        ensure!(*first == curve.as_str(), "{name}: label row {first:?} stands where {curve:?} is expected");
        let share = |class: &str| votes.iter().filter(|vote| **vote == class).count() as f64 / votes.len() as f64;
        let majority = majority.chars().next().unwrap_or('a');
        let votes_of = [share("y"), share("a"), share("n")];
        let ratings = votes.iter().filter_map(|vote| vote.chars().next()).collect();
        curves.push(Rated { track, votes: votes_of, ratings, majority, unanimous: *unanimous == "True" });
    }
    Ok(Labelled { name: name.to_owned(), cycles, curves })
}

/// The curves of one experiment and perturbed copies. Experiments count by the square root of their size, so that the
/// large ones do not drown the others; htPCR, rated by one person in eight sessions that rarely agree, counts for less.
fn add_set(examples: &mut Vec<Example>, set: usize, labelled: &Labelled, reader: &mut Reader, chance: &mut Chance) {
    let trust = if labelled.name == "htPCR" { HTPCR_TRUST } else { 1.0 };
    let negatives = labelled.curves.iter().filter(|curve| curve.majority == 'n').count();
    let (negatives, others) = (negatives as f64, (labelled.curves.len() - negatives) as f64);
    // Identical columns are one rating, and one person's "ambiguous" is rarely another's.
    let one_rating = labelled.curves.iter().all(|curve| curve.unanimous);
    for Rated { track, votes, ratings, majority, unanimous } in &labelled.curves {
        let size = if *majority == 'n' { negatives } else { others };
        let lesson = if one_rating && *majority == 'a' { [0.4, 0.5, 0.1] } else { *votes };
        let copies = if *majority == 'n' && labelled.name != "htPCR" { 8 } else { 2 };
        let weight = trust * 8.0 / size.sqrt();
        let mut spare = 0.0;
        for copy in 0..=copies {
            let (cycles, values) =
                if copy == 0 { (labelled.cycles.clone(), track.clone()) } else { perturb(&labelled.cycles, track, *majority, spare, chance) };
            // A copy may be cut and moved as well, so that of a few only the beginning of the rise is left. Counting what was cut
            // against the move was tried: late rises of another maker were then called negative in 62 %, not in 4 %.
            let harmed = if copy > 0 && chance.happens(HARMED) && labelled.name != "htPCR" { harm(&values, *majority, spare, chance) } else { None };
            let values = harmed.unwrap_or(values);
            let Some(features) = reader.features(&Curve { cycles: &cycles, fluorescence: &values }) else {
                continue;
            };
            if copy == 0 {
                // The rater of htPCR does not call a rise without its plateau amplified.
                let most = if labelled.name == "htPCR" { 3.0 } else { 10.0 };
                spare = spare_cycles(&features, *majority, cycles.len()).min(most);
            }
            examples.push(Example {
                set,
                original: copy == 0,
                features,
                votes: *votes,
                lesson,
                majority: *majority,
                unanimous: *unanimous,
                ratings: if copy == 0 { ratings.clone() } else { Vec::new() },
                weight: weight / f64::from(copies + 1),
            });
        }
    }
}

/// Cycles that can be cut from the end of a curve without changing what people call it. A rise stays a rise as long as
/// some cycles of it are seen; a flat curve may end anywhere.
fn spare_cycles(features: &[f64; FEATURES], majority: char, cycles: usize) -> f64 {
    let after_turn = FEATURE_NAMES.iter().position(|name| *name == "cycles_after_turn").map_or(0.0, |at| features[at]);
    match majority {
        'y' => (after_turn - LEAST_RISE).max(0.0),
        'n' if after_turn < 6.0 => 2.0,
        'n' => (cycles as f64 - 25.0).clamp(2.0, 10.0),
        _ => 0.0,
    }
}

/// A copy that people would still label the same: another scale, some drift, some more noise, coarser digits, lost cycles,
/// up to `spare` cycles fewer at the end.
fn perturb(cycles: &[f64], track: &[f64], majority: char, spare: f64, chance: &mut Chance) -> (Vec<f64>, Vec<f64>) {
    let finite = || track.iter().copied().filter(|value| value.is_finite());
    let range = finite().fold(f64::NEG_INFINITY, f64::max) - finite().fold(f64::INFINITY, f64::min);
    let n = track.len();
    let mut values = track.to_vec();
    if chance.happens(0.5) {
        let drift = chance.normal() * if majority == 'n' { 1.0 } else { 0.15 } * range / n as f64;
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
    let cut = if chance.happens(0.4) { (chance.uniform() * (spare + 1.0)) as usize } else { 0 };
    let kept = first..n - cut;
    let mut cycles = cycles[kept.clone()].to_vec();
    let mut values = values[kept].to_vec();
    if chance.happens(0.1) {
        for _ in 0..2 {
            let missing = 1 + (chance.uniform() * (values.len() - 2) as f64) as usize;
            cycles.remove(missing);
            values.remove(missing);
        }
    }
    (cycles, values)
}

/// A flat curve that dries out smoothly, or an amplified one moved to later cycles; none where neither can be made.
fn harm(track: &[f64], majority: char, spare: f64, chance: &mut Chance) -> Option<Vec<f64>> {
    if track.iter().any(|value| !value.is_finite()) {
        return None;
    }
    let low = track.iter().copied().fold(f64::INFINITY, f64::min);
    let range = track.iter().copied().fold(f64::NEG_INFINITY, f64::max) - low;
    match majority {
        'n' => {
            let growth = drying(track.len(), chance);
            let height = range * chance.scale(0.5, 50.0);
            Some(track.iter().zip(growth).map(|(value, grown)| value + height * grown).collect())
        }
        'y' if spare >= 1.0 => {
            let shift = chance.between(0.5, 1.0) * spare;
            let noise = range * chance.scale(0.0005, 0.01);
            Some((0..track.len()).map(|i| between_cycles(track, i as f64 - shift) + noise * chance.normal()).collect())
        }
        _ => None,
    }
}

/// How far a drying well has grown at each cycle, 0 up to some cycle and 1 at the last, faster and faster.
fn drying(cycles: usize, chance: &mut Chance) -> Vec<f64> {
    let n = cycles as f64;
    let (from, power) = (chance.between(0.2, 0.75) * n, chance.between(1.2, 3.0));
    (0..cycles).map(|i| ((i as f64 - from) / (n - 1.0 - from)).max(0.0).powf(power)).collect()
}

/// The track at a place between two cycles; beyond the ends it stays as it is there.
fn between_cycles(track: &[f64], place: f64) -> f64 {
    let place = place.clamp(0.0, (track.len() - 1) as f64);
    let whole = (place as usize).min(track.len() - 2);
    track[whole] + (place - whole as f64) * (track[whole + 1] - track[whole])
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
    if flat && chance.happens(DRYING) {
        let growth = drying(values.len(), chance);
        let height = params.noise * chance.scale(5.0, 2000.0);
        values.iter_mut().zip(growth).for_each(|(value, grown)| *value += height * grown);
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
    Some(Example { set: SIMULATED, original: false, features, votes, lesson: votes, majority, unanimous: true, ratings: Vec::new(), weight: SIMULATED_WEIGHT })
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
    if chance.happens(0.2) {
        let cycle = 15 + (chance.uniform() * 20.0) as usize;
        let height = chance.scale(3.0, 300.0) * noise;
        faults.push(Fault::Evaporation { cycle, height });
        // A well that dries out has been drying before it shows.
        faults.push(Fault::Drift { height: height * chance.scale(0.3, 2.0) });
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

/// People call a clear rise amplified, with or without its plateau; one that has only begun is for them to argue about, and
/// one that hardly leaves the noise too.
fn rising_votes(params: &Params) -> Option<[f64; 3]> {
    let left = params.cycles as f64 - params.cq?;
    let height = height_seen(params);
    // Slow rises, and rises that hardly exceed what the baseline drifts, are what people argue about; the shared sets hold
    // enough of them.
    if lower_half_cycles(params) > SLOW_RISE || params.baseline_slope.abs() * RUN_CYCLES > MOST_DRIFT * height {
        return None;
    }
    let seen = height / (params.noise + params.relative_noise);
    match (seen > 40.0, seen > 25.0, left) {
        (true, _, left) if left >= LEAST_RISE => Some([1.0, 0.0, 0.0]),
        (_, true, left) if left >= 9.0 => Some([1.0, 0.0, 0.0]),
        (true, _, left) if left >= 3.5 => Some([0.6, 0.4, 0.0]),
        (true, _, _) => Some([0.3, 0.6, 0.1]),
        _ => None,
    }
}

/// Height above the baseline at the last cycle, without noise.
fn height_seen(params: &Params) -> f64 {
    let silent = Params { noise: 0.0, relative_noise: 0.0, baseline_slope: 0.0, faults: Vec::new(), ..params.clone() };
    let values = synthesise(&silent, || 0.0);
    values.last().copied().unwrap_or_default() - params.baseline_level
}
