//! How well the decoder recovers positives from a 48-pool, 384-sample design.

use baton_pooling::decode::{DecodeOptions, Decoded, Finding, Prior, Reading, decode};
use baton_pooling::matrix::PoolMatrix;
use baton_pooling::random::{RandomSource, SeededSource};
use proptest::prelude::*;
use std::io::Write;
use std::path::PathBuf;

fn say(text: &str) {
    writeln!(std::io::stderr(), "{text}").expect("stderr");
}

fn shared(path: &str) -> Option<String> {
    let root = std::env::var("BATON_SHARED").map_or_else(|_| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared")), PathBuf::from);
    let text = std::fs::read_to_string(root.join("data/pcr/pooling").join(path)).ok();
    if text.is_none() {
        say(&format!("skipped: shared data {path} not found"));
    }
    text
}

/// Product in the field of eight elements (modulus x³ + x + 1).
fn times(a: u32, b: u32) -> u32 {
    let raw = (0..3).filter(|bit| b >> bit & 1 == 1).fold(0, |sum, bit| sum ^ (a << bit));
    [4, 3].iter().fold(raw, |sum, top| if sum >> top & 1 == 1 { sum ^ (0b1011 << (top - 3)) } else { sum })
}

/// A Reed–Solomon design of the same shape as P-BEST's: six layers of eight pools, each sample a
/// polynomial of degree at most two; two samples share at most two pools.
fn reed_solomon() -> PoolMatrix {
    let mut pools = vec![Vec::new(); 48];
    for sample in 0..384u32 {
        let (a, b, c) = (sample & 7, sample >> 3 & 7, sample >> 6);
        for layer in 0..6 {
            let value = a ^ times(b, layer) ^ times(c, times(layer, layer));
            pools[(layer * 8 + value) as usize].push(sample);
        }
    }
    PoolMatrix::new(384, pools).expect("valid design")
}

fn pbest() -> Option<PoolMatrix> {
    let text = shared("pbest/pooling384_48_by_sample.txt")?;
    let mut pools = vec![Vec::new(); 48];
    for (sample, line) in text.lines().filter(|line| !line.trim().is_empty()).enumerate() {
        for pool in line.split('\t').skip(1).filter(|cell| !cell.trim().is_empty()) {
            pools[pool.trim().parse::<usize>().expect("pool") - 1].push(sample as u32);
        }
    }
    Some(PoolMatrix::new(384, pools).expect("published design"))
}

/// A batch with `k` positives: their numbers and the pools' readings.
struct Batch {
    positives: Vec<u32>,
    readings: Vec<Reading>,
}

fn batch(matrix: &PoolMatrix, k: usize, cq_noise: Option<f64>, source: &mut SeededSource) -> Batch {
    let mut positives: Vec<u32> = Vec::new();
    while positives.len() < k {
        let sample = source.below(384) as u32;
        if !positives.contains(&sample) {
            positives.push(sample);
        }
    }
    positives.sort_unstable();
    let own: Vec<f64> = positives.iter().map(|_| 28.0 + 4.0 * source.normal()).collect();
    let readings = (0..48)
        .map(|pool| {
            let members = matrix.members(pool);
            let template: f64 = positives.iter().zip(&own).filter(|(sample, _)| members.binary_search(sample).is_ok()).map(|(_, cq)| (-cq).exp2()).sum();
            match cq_noise {
                _ if template == 0.0 => Reading::Negative,
                None => Reading::Positive { cq: None },
                Some(noise) => Reading::Positive { cq: Some(48f64.log2() - template.log2() + noise * source.normal()) },
            }
        })
        .collect();
    Batch { positives, readings }
}

fn miss_one(batch: &mut Batch, source: &mut SeededSource) {
    let positive: Vec<usize> = (0..48).filter(|pool| matches!(batch.readings[*pool], Reading::Positive { .. })).collect();
    batch.readings[positive[source.below(positive.len())]] = Reading::Negative;
}

#[derive(Default)]
struct Score {
    batches: f64,
    exact: f64,
    found: f64,
    positives: f64,
    listed: f64,
}

impl Score {
    fn add(&mut self, batch: &Batch, decoded: &Decoded) {
        self.batches += 1.0;
        self.exact += f64::from(u8::from(decoded.positive == batch.positives));
        self.positives += batch.positives.len() as f64;
        let kept = |sample: &&u32| decoded.negative.binary_search(sample).is_err();
        self.found += batch.positives.iter().filter(kept).count() as f64;
        self.listed += (decoded.positive.len() + decoded.retest.len()) as f64;
    }
}

fn score(matrix: &PoolMatrix, k: usize, missed: bool, cq_noise: Option<f64>, draws: u64) -> Score {
    let mut source = SeededSource::new(1000 + k as u64);
    let mut score = Score::default();
    for _ in 0..draws {
        let mut batch = batch(matrix, k, cq_noise, &mut source);
        if missed {
            miss_one(&mut batch, &mut source);
        }
        let decoded = decode(matrix, &batch.readings, &DecodeOptions::default()).expect("valid");
        score.add(&batch, &decoded);
    }
    score
}

/// More draws by hand: `POOL_DRAWS=2000 cargo test --release …`.
fn draws() -> u64 {
    std::env::var("POOL_DRAWS").map_or(120, |draws| draws.parse().expect("a number"))
}

#[allow(clippy::disallowed_methods)]
fn report(name: &str, k: usize, missed: bool, cq_noise: Option<f64>) -> Score {
    let clock = std::time::Instant::now();
    let score = score(&reed_solomon(), k, missed, cq_noise, draws());
    let milliseconds = clock.elapsed().as_secs_f64() * 1000.0 / score.batches;
    say(&format!(
        "{name}, {k} positives: exact {:.3}, sensitivity {:.4}, listed {:.2}, {milliseconds:.2} ms per decode",
        score.exact / score.batches,
        score.found / score.positives,
        score.listed / score.batches,
    ));
    score
}

#[test]
fn noiseless_batches_are_recovered_exactly() {
    for (k, least) in [(1, 1.0), (2, 1.0), (3, 0.99), (4, 0.98), (5, 0.85)] {
        let score = report("binary", k, false, None);
        assert!(score.exact >= least * score.batches, "{k} positives");
        assert!(score.found >= 0.995 * score.positives);
    }
}

#[test]
fn cq_values_recover_more() {
    for noise in [0.1, 0.3, 0.6] {
        let score = report(&format!("Cq with noise {noise}"), 5, false, Some(noise));
        assert!(score.exact >= 0.95 * score.batches);
    }
}

#[test]
fn one_missed_pool_hides_nobody() {
    for (k, longest) in [(1, 2.0), (2, 3.0), (3, 5.0), (4, 14.0)] {
        for noise in [None, Some(0.3)] {
            let score = report(&format!("one pool missed, noise {noise:?}"), k, true, noise);
            assert!(score.found >= 0.99 * score.positives, "{k} positives");
            assert!(score.listed <= longest * score.batches, "{k} positives");
        }
    }
}

#[test]
fn the_real_experiment_decodes_to_its_two_carriers() {
    let (Some(matrix), Some(text)) = (pbest(), shared("tapestry/israel_2_positives_cts.txt")) else {
        return;
    };
    let values: Vec<f64> = text.lines().filter_map(|line| line.trim().parse().ok()).collect();
    for with_cq in [false, true] {
        let reading = |cq: &f64| match (*cq > 0.0, with_cq) {
            (false, _) => Reading::Negative,
            (true, false) => Reading::Positive { cq: None },
            (true, true) => Reading::Positive { cq: Some(*cq) },
        };
        let readings: Vec<Reading> = values.iter().map(reading).collect();
        let decoded = decode(&matrix, &readings, &DecodeOptions::default()).expect("valid");
        assert_eq!(decoded.positive, [71, 141], "with Cq: {with_cq}");
        assert_eq!(decoded.retest, [0u32; 0], "with Cq: {with_cq}");
        assert_eq!(decoded.findings, [Finding::PoolUnexplained { pool: 30 }]);
    }
}

#[test]
fn array_plates_decode_by_crossing() {
    let matrix = PoolMatrix::array(8, 12).expect("plate");
    let mut readings = vec![Reading::Negative; 20];
    let positive = Reading::Positive { cq: None };
    readings[2] = positive;
    readings[8 + 5] = positive;
    let decoded = decode(&matrix, &readings, &DecodeOptions::default()).expect("valid");
    assert_eq!((decoded.positive, decoded.retest), (vec![2 * 12 + 5], vec![]));
    readings[4] = positive;
    readings[8 + 9] = positive;
    // Two rows and two columns: either diagonal explains them.
    let decoded = decode(&matrix, &readings, &DecodeOptions::default()).expect("valid");
    let mut listed = [decoded.positive, decoded.retest].concat();
    listed.sort_unstable();
    assert_eq!(listed, [29, 33, 53, 57]);
    assert!(listed.iter().all(|sample| (0.4..0.7).contains(&decoded.posterior[*sample as usize])));
}

#[test]
fn a_positive_row_without_a_column_is_retested_whole() {
    let matrix = PoolMatrix::array(6, 6).expect("plate");
    let mut readings = vec![Reading::Negative; 12];
    readings[1] = Reading::Positive { cq: None };
    let decoded = decode(&matrix, &readings, &DecodeOptions::default()).expect("valid");
    assert_eq!(decoded.positive, [0u32; 0]);
    assert_eq!(decoded.retest, (6..12).collect::<Vec<u32>>());
}

#[test]
fn single_tubes_and_dorfman_pools_are_designs_too() {
    let options = DecodeOptions { prior: Prior::Prevalence(0.01), ..DecodeOptions::default() };
    let positive = Reading::Positive { cq: None };
    let single = PoolMatrix::disjoint(3, 1).expect("single");
    let readings = [Reading::Negative, positive, Reading::Unusable];
    let decoded = decode(&single, &readings, &options).expect("valid");
    assert_eq!((decoded.negative, decoded.positive, decoded.retest), (vec![0], vec![1], vec![2]));
    // Two people in one pool: no pool can tell which, so neither is called, at any prevalence.
    for prior in [0.001, 0.01, 0.2] {
        let options = DecodeOptions { prior: Prior::Prevalence(prior), ..DecodeOptions::default() };
        let decoded = decode(&PoolMatrix::disjoint(2, 2).expect("a pair"), &[positive], &options).expect("valid");
        assert_eq!((decoded.positive, decoded.retest), (vec![], vec![0, 1]), "at {prior}");
    }
    let pools = PoolMatrix::disjoint(20, 10).expect("pools");
    let decoded = decode(&pools, &[positive, Reading::Negative], &options).expect("valid");
    assert_eq!(decoded.retest, (0..10).collect::<Vec<u32>>());
    assert_eq!(decoded.negative, (10..20).collect::<Vec<u32>>());
}

/// More positives than the design can tell apart: slow answers and false clearances are both wrong.
#[test]
fn overloaded_designs_clear_only_the_plainly_negative() {
    for noise in [None, Some(0.3)] {
        let (mut found, mut positives) = (0usize, 0usize);
        let mut source = SeededSource::new(77);
        let matrix = reed_solomon();
        for _ in 0..20 {
            let batch = batch(&matrix, 12, noise, &mut source);
            let decoded = decode(&matrix, &batch.readings, &DecodeOptions::default()).expect("valid");
            let kept = |sample: &&u32| decoded.negative.binary_search(sample).is_err();
            found += batch.positives.iter().filter(kept).count();
            positives += 12;
            assert!(decoded.findings.contains(&Finding::TooManyExplanations) || noise.is_some());
        }
        assert_eq!(found, positives);
    }
    let plates = PoolMatrix::array(40, 200).expect("large");
    let readings = vec![Reading::Positive { cq: Some(30.0) }; 240];
    let decoded = decode(&plates, &readings, &DecodeOptions::default()).expect("valid");
    assert_eq!(decoded.negative, [0u32; 0]);
}

#[test]
fn wrong_input_is_refused() {
    let matrix = PoolMatrix::disjoint(4, 2).expect("pools");
    let options = DecodeOptions::default();
    assert!(decode(&matrix, &[Reading::Negative], &options).is_err());
    let no_cq = [Reading::Positive { cq: Some(f64::NAN) }, Reading::Negative];
    let message = decode(&matrix, &no_cq, &options).expect_err("not a number");
    assert!(message.starts_with("pool 1"), "{message}");
    let options = DecodeOptions { prior: Prior::PerSample(vec![0.1, 0.2, 1.5, 0.0]), ..options };
    let message = decode(&matrix, &[Reading::Negative; 2], &options).expect_err("prior");
    assert!(message.starts_with("sample 3"), "{message}");
}

/// Posteriors of a tiny design by summing over every state.
fn posterior_by_enumeration(matrix: &PoolMatrix, readings: &[Reading], options: &DecodeOptions, prior: f64) -> Vec<f64> {
    let samples = matrix.sample_count();
    let (mut total, mut sums) = (0.0, vec![0.0; samples]);
    for state in 0..1u32 << samples {
        let mut weight = 1.0;
        for sample in 0..samples {
            weight *= if state >> sample & 1 == 1 { prior } else { 1.0 - prior };
        }
        for (pool, reading) in readings.iter().enumerate() {
            let infected = matrix.members(pool).iter().any(|member| state >> member & 1 == 1);
            let assay = options.assay;
            let positive = if infected { assay.sensitivity } else { 1.0 - assay.specificity };
            weight *= match reading {
                Reading::Positive { .. } => positive,
                Reading::Negative => 1.0 - positive,
                Reading::Unusable => 1.0,
            };
        }
        total += weight;
        for (sample, sum) in sums.iter_mut().enumerate() {
            *sum += if state >> sample & 1 == 1 { weight } else { 0.0 };
        }
    }
    sums.iter().map(|sum| sum / total).collect()
}

fn small_case() -> impl Strategy<Value = (PoolMatrix, Vec<Reading>)> {
    let pools = prop::collection::vec(prop::collection::btree_set(0u32..9, 1..6), 3..7);
    let reading = prop_oneof![
        3 => Just(Reading::Negative),
        2 => Just(Reading::Positive { cq: None }),
        1 => Just(Reading::Unusable),
    ];
    (pools, prop::collection::vec(reading, 6)).prop_map(|(pools, mut readings)| {
        readings.truncate(pools.len());
        readings.resize(pools.len(), Reading::Negative);
        let pools = pools.into_iter().map(|members| members.into_iter().collect()).collect();
        (PoolMatrix::new(9, pools).expect("valid"), readings)
    })
}

fn with_prior(prior: f64) -> DecodeOptions {
    DecodeOptions { prior: Prior::Prevalence(prior), ..DecodeOptions::default() }
}

proptest! {
    #[test]
    fn posteriors_equal_enumeration((matrix, readings) in small_case(), prior in 0.002..0.05f64) {
        let options = with_prior(prior);
        let decoded = decode(&matrix, &readings, &options).expect("valid");
        let truth = posterior_by_enumeration(&matrix, &readings, &options, prior);
        for (found, truth) in decoded.posterior.iter().zip(&truth) {
            prop_assert!((found - truth).abs() < 0.05, "{:?} against {truth:?}", decoded.posterior);
        }
    }

    #[test]
    fn lists_part_the_samples((matrix, readings) in small_case(), prior in 0.002..0.3f64) {
        let decoded = decode(&matrix, &readings, &with_prior(prior)).expect("valid");
        let mut all = [decoded.positive, decoded.negative, decoded.retest].concat();
        all.sort_unstable();
        prop_assert_eq!(all, (0..9).collect::<Vec<u32>>());
        prop_assert!(decoded.posterior.iter().all(|p| (0.0..=1.0).contains(p)));
    }

    #[test]
    fn nobody_is_cleared_by_a_missing_pool((matrix, readings) in small_case(), prior in 1e-6..0.3f64) {
        let decoded = decode(&matrix, &readings, &with_prior(prior)).expect("valid");
        for sample in decoded.negative {
            let negative = |pool: &u32| readings[*pool as usize] == Reading::Negative;
            prop_assert!(matrix.pools_of(sample as usize).iter().any(negative));
        }
    }

    #[test]
    fn order_does_not_matter((matrix, readings) in small_case(), turn in 1u32..9, prior in 0.005..0.1f64) {
        let moved = |sample: u32| (sample + turn) % 9;
        let count = matrix.pool_count();
        let pools = (0..count).rev().map(|pool| matrix.members(pool).iter().map(|s| moved(*s)).collect());
        let turned = PoolMatrix::new(9, pools.collect()).expect("valid");
        let reversed: Vec<Reading> = readings.iter().rev().copied().collect();
        let before = decode(&matrix, &readings, &with_prior(prior)).expect("valid");
        let after = decode(&turned, &reversed, &with_prior(prior)).expect("valid");
        for sample in 0..9u32 {
            let gap = before.posterior[sample as usize] - after.posterior[moved(sample) as usize];
            prop_assert!(gap.abs() < 0.01);
        }
    }

    #[test]
    fn posteriors_grow_with_prevalence((matrix, readings) in small_case(), prior in 0.002..0.05f64) {
        let mean = |prior: f64| {
            let decoded = decode(&matrix, &readings, &with_prior(prior)).expect("valid");
            decoded.posterior.iter().sum::<f64>()
        };
        prop_assert!(mean(prior * 2.0) >= mean(prior) - 0.02);
    }
}
