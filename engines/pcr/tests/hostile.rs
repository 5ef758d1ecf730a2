//! Curves nobody should send: every one is answered with finite numbers, and what cannot be read says why.

mod sound;

use baton_hostile::{Stream, drill, rounds};
use baton_pcr::simulate::{Params, axis, synthesise};
use baton_pcr::{Call, Curve, Reading, Reason, Settings, read};

fn at(cycles: &[f64], fluorescence: &[f64]) -> Reading {
    let (curve, settings) = (Curve { cycles, fluorescence }, Settings::default());
    let reading = read(&curve, &settings);
    sound::assert_sound(&reading, &curve, &settings);
    reading
}

fn noise(seed: u64) -> impl FnMut() -> f64 {
    let mut stream = Stream::new(seed);
    move || stream.normal()
}

/// Numbers at the ends of what numbers can be, as bytes.
const PIECES: [[u8; 8]; 8] = [
    f64::NAN.to_le_bytes(),
    f64::INFINITY.to_le_bytes(),
    f64::NEG_INFINITY.to_le_bytes(),
    f64::MAX.to_le_bytes(),
    f64::MIN_POSITIVE.to_le_bytes(),
    1e99_f64.to_le_bytes(),
    (-1e-300_f64).to_le_bytes(),
    0.0_f64.to_le_bytes(),
];

#[test]
fn any_curve_at_all_is_answered_soundly() {
    let seeds = sound::seeds();
    let read = seeds.iter().filter(|(_, bytes)| sound::curve(bytes)).count();
    assert!(read > seeds.len() / 2, "{read} of {}", seeds.len());
    let rounds = rounds(2_000);
    let taken = drill(&seeds, &PIECES.each_ref().map(|piece| &piece[..]), rounds, |_, bytes| sound::curve(bytes));
    assert!(taken > 5 * rounds, "{taken}");
}

fn rise(cycles: usize) -> Vec<f64> {
    synthesise(&Params { cycles, cq: Some(24.0), ..Params::default() }, noise(5))
}

#[test]
fn what_cannot_be_read_says_why() {
    let ramp = |n: usize| (0..n).map(|i| i as f64).collect::<Vec<_>>();
    for (cycles, fluorescence, why) in [
        (vec![], vec![], Reason::TooManyGaps),
        (axis(1), vec![7.0], Reason::TooFewCycles),
        (axis(3), ramp(3), Reason::TooFewCycles),
        (axis(40), vec![0.0; 40], Reason::Constant),
        (axis(40), vec![-3.5; 40], Reason::Constant),
        (axis(40), vec![f64::NAN; 40], Reason::TooManyGaps),
        (axis(40), vec![f64::INFINITY; 40], Reason::TooManyGaps),
        (axis(40), vec![f64::MAX; 40], Reason::TooManyGaps),
        (axis(40).into_iter().rev().collect(), ramp(40), Reason::AxisNotIncreasing),
        (vec![1.0; 40], ramp(40), Reason::AxisNotIncreasing),
        (vec![f64::NAN; 40], ramp(40), Reason::AxisNotIncreasing),
        (axis(39), ramp(40), Reason::LengthMismatch),
    ] {
        let reading = at(&cycles, &fluorescence);
        assert_eq!((reading.call, reading.reasons.as_slice()), (Call::Unreadable, [why].as_slice()), "{fluorescence:?}");
    }
}

#[test]
fn any_unit_of_fluorescence_gives_the_same_call() {
    for curve in [rise(40), synthesise(&Params { cq: None, ..Params::default() }, noise(6))] {
        let plain = at(&axis(40), &curve);
        assert_ne!(plain.call, Call::Ambiguous);
        for scale in [1e-30, 1e-12, 1e-3, 1e6, 1e30, 1e80] {
            let scaled: Vec<f64> = curve.iter().map(|value| scale * value).collect();
            let reading = at(&axis(40), &scaled);
            assert_eq!(reading.call, plain.call, "scale {scale:e}");
            assert!(reading.cq.zip(plain.cq).is_none_or(|(a, b)| (a - b).abs() < 1e-6), "scale {scale:e}: {:?}", reading.cq);
        }
        let upside: Vec<f64> = curve.iter().map(|value| value - 1e6).collect();
        assert_eq!(at(&axis(40), &upside).call, plain.call, "negative fluorescence");
    }
}

#[test]
fn coarse_cut_off_and_noisy_exports_keep_the_call() {
    for cq in [16.0, 22.0, 28.0] {
        for seed in 0..50 {
            let curve = synthesise(&Params { cq: Some(cq), plateau: 1500.0, ..Params::default() }, noise(seed));
            let whole: Vec<f64> = curve.iter().map(|value| value.round()).collect();
            let mut more = noise(seed + 900);
            let noisy: Vec<f64> = curve.iter().map(|value| value + 6.0 * more()).collect();
            let plain = at(&axis(40), &curve);
            assert_eq!(plain.call, Call::Positive, "cq {cq} seed {seed}");
            for (name, other) in [("rounded", &whole[..]), ("noisier", &noisy), ("begins at cycle 3", &curve[2..]), ("ends early", &curve[..cq as usize + 9])] {
                let offset = if name == "begins at cycle 3" { 2 } else { 0 };
                let cycles: Vec<f64> = (0..other.len()).map(|i| (i + 1 + offset) as f64).collect();
                let reading = at(&cycles, other);
                assert_eq!(reading.call, Call::Positive, "cq {cq} seed {seed} {name}");
                assert!((reading.cq.unwrap() - plain.cq.unwrap()).abs() < 0.5, "cq {cq} seed {seed} {name}: {:?} {:?}", reading.cq, plain.cq);
            }
        }
    }
}

/// Found by the fuzzer: one first cycle of another world, and beneath it numbers so small that their squares vanish.
#[test]
fn what_is_left_of_a_curve_after_mending_has_a_magnitude_of_its_own() {
    for (huge, small) in [(1e93, 1e-228), (1e194, 1e-300), (1e99, 1e-320), (1e93, 1e-100), (1e61, 1e-61)] {
        for shape in [rise(40), synthesise(&Params { cq: None, ..Params::default() }, noise(6))] {
            let mut curve: Vec<f64> = shape.iter().map(|value| -small * value).collect();
            curve[0] = huge;
            at(&axis(40), &curve);
            curve[1] = f64::NAN;
            at(&axis(40), &curve);
            curve[20] = -huge;
            at(&axis(40), &curve);
        }
    }
}

/// The model sees more of a rise than the run does: its Cq must still lie where something was measured.
#[test]
fn a_rise_that_has_hardly_begun_has_its_cq_within_the_run() {
    let mut called = 0;
    for seed in 0..40 {
        for cq in [34.0, 36.0, 37.0, 38.0] {
            let fluorescence = synthesise(&Params { cq: Some(cq), ..Params::default() }, noise(seed));
            for plateau_fraction in [0.01, 0.2, 0.9] {
                let (curve, settings) = (Curve { cycles: &axis(40), fluorescence: &fluorescence }, Settings { plateau_fraction, ..Settings::default() });
                let reading = read(&curve, &settings);
                sound::assert_sound(&reading, &curve, &settings);
                called += usize::from(reading.cq.is_some());
            }
        }
    }
    assert!(called > 100, "{called}");
}

/// Found by the fuzzer: what an export leaves empty at its ends is not part of the curve, whatever stands on the axis there.
#[test]
fn empty_rows_at_the_ends_change_nothing() {
    let plain = at(&axis(40), &rise(40));
    for empty in [f64::NAN, f64::INFINITY, 1e300] {
        let (mut cycles, mut fluorescence) = (axis(40), rise(40));
        cycles.extend([empty; 3]);
        fluorescence.extend([f64::NAN; 3]);
        let reading = at(&cycles, &fluorescence);
        assert_eq!(reading, plain, "{empty}");
        sound::assert_sound(&reading, &Curve { cycles: &cycles, fluorescence: &fluorescence }, &Settings::default());
    }
}

#[test]
fn long_and_holed_exports_are_answered() {
    let long: Vec<f64> = (0..1000).map(|i| (i as f64 * 0.37).sin() + i as f64 * 0.01).collect();
    assert_ne!(at(&axis(1000), &long).call, Call::Positive);
    let mut holed = rise(40);
    holed[7] = f64::NAN;
    holed[22] = f64::NEG_INFINITY;
    holed[31] = 1e200;
    let reading = at(&axis(40), &holed);
    assert_eq!(reading.call, Call::Positive);
    assert!(reading.has(Reason::GapsFilled));
}
