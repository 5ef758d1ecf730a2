//! Laws that hold for every curve: an answer without NaN or panic, and the metamorphic laws of a reading.

use baton_pcr::simulate::{Params, axis, synthesise};
use baton_pcr::{Call, CqMethod, Curve, Reader, Reading, Settings, read};
use proptest::prelude::*;

fn finite(reading: &Reading) -> bool {
    let options = [reading.cq, reading.cq_sdm, reading.cq_plateau, reading.cq_threshold, reading.efficiency];
    let plain = [reading.p_positive, reading.p_ambiguous, reading.plateau, reading.baseline];
    plain.iter().copied().chain(options.into_iter().flatten()).all(f64::is_finite)
        && (0.0..=1.0).contains(&reading.p_positive)
        && (0.0..=1.0 + 1e-9).contains(&(reading.p_positive + reading.p_ambiguous))
}

fn any_value() -> impl Strategy<Value = f64> {
    prop_oneof![
        6 => -1e4..1e4f64,
        1 => Just(0.0),
        1 => proptest::num::f64::ANY,
    ]
}

fn any_settings() -> impl Strategy<Value = Settings> {
    let method = prop_oneof![Just(CqMethod::SecondDerivative), Just(CqMethod::PlateauRelative), Just(CqMethod::FixedThreshold)];
    (method, proptest::num::f64::ANY, proptest::option::of(proptest::num::f64::ANY)).prop_map(|(cq_method, plateau_fraction, fixed_threshold)| Settings {
        cq_method,
        plateau_fraction,
        fixed_threshold,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn every_curve_gets_a_finite_answer(
        cycles in proptest::collection::vec(any_value(), 0..70),
        fluorescence in proptest::collection::vec(any_value(), 0..70),
        settings in any_settings(),
    ) {
        let reading = read(&Curve { cycles: &cycles, fluorescence: &fluorescence }, &settings);
        prop_assert!(finite(&reading), "{reading:?}");
        prop_assert!(reading.call != Call::Unreadable || !reading.reasons.is_empty());
    }

    #[test]
    fn every_curve_on_a_good_axis_gets_a_finite_answer(
        fluorescence in proptest::collection::vec(any_value(), 0..70),
        settings in any_settings(),
    ) {
        let cycles = axis(fluorescence.len());
        let reading = read(&Curve { cycles: &cycles, fluorescence: &fluorescence }, &settings);
        prop_assert!(finite(&reading), "{reading:?}");
        let has_cq = reading.cq_sdm.is_some() || reading.cq_plateau.is_some() || reading.cq_threshold.is_some();
        prop_assert!(!has_cq || matches!(reading.call, Call::Positive | Call::Ambiguous));
    }
}

/// A simulated curve of any kind.
fn any_curve() -> impl Strategy<Value = Vec<f64>> {
    known_curve().prop_map(|(_, curve)| curve)
}

/// A curve with the Cq it was made with; none for one without amplification.
fn known_curve() -> impl Strategy<Value = (Option<f64>, Vec<f64>)> {
    let cq = proptest::option::weighted(0.7, 8.0..36.0f64);
    (cq, 1.6..2.0f64, 0.6..1.3f64, 20.0..8000.0f64, -5.0..5.0f64, 1.0..20.0f64, any::<u64>()).prop_map(
        |(cq, efficiency, asymmetry, plateau, baseline_slope, noise, mut state)| {
            let params = Params { cq, efficiency, asymmetry, plateau, baseline_slope, noise, ..Params::default() };
            let curve = synthesise(&params, move || {
                let mut uniform = || {
                    state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                    (state >> 11) as f64 / (1u64 << 53) as f64
                };
                (0..12).map(|_| uniform()).sum::<f64>() - 6.0
            });
            (cq, curve)
        },
    )
}

fn at(cycles: &[f64], fluorescence: &[f64]) -> Reading {
    read(&Curve { cycles, fluorescence }, &Settings::default())
}

fn near(a: Option<f64>, b: Option<f64>, within: f64) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => (a - b).abs() <= within,
        (None, None) => true,
        _ => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn scale_and_offset_of_fluorescence_change_nothing(
        curve in any_curve(), scale in 1e-3..1e3f64, offset in -1e4..1e4f64,
    ) {
        let cycles = axis(curve.len());
        let moved: Vec<f64> = curve.iter().map(|value| scale * value + scale * offset).collect();
        let (first, second) = (at(&cycles, &curve), at(&cycles, &moved));
        prop_assert_eq!(first.call, second.call);
        prop_assert!((first.p_positive - second.p_positive).abs() < 1e-6);
        prop_assert!(near(first.cq, second.cq, 1e-6), "{:?} {:?}", first.cq, second.cq);
        prop_assert!((scale * first.plateau - second.plateau).abs() <= 1e-6 * second.plateau.abs() + 1e-9);
    }

    #[test]
    fn shifting_the_axis_shifts_the_cq_by_exactly_that(curve in any_curve(), shift in -20.0..60.0f64) {
        let cycles = axis(curve.len());
        let shifted: Vec<f64> = cycles.iter().map(|cycle| cycle + shift).collect();
        let (first, second) = (at(&cycles, &curve), at(&shifted, &curve));
        prop_assert_eq!((first.call, first.p_positive), (second.call, second.p_positive));
        for (a, b) in [(first.cq, second.cq), (first.cq_sdm, second.cq_sdm), (first.cq_plateau, second.cq_plateau)] {
            prop_assert!(near(a.map(|cq| cq + shift), b, 1e-9));
        }
    }

    #[test]
    fn appended_plateau_cycles_keep_call_and_cq((made, curve) in known_curve(), more in 1..12usize) {
        let first = at(&axis(curve.len()), &curve);
        // Only curves that are clear and have reached their plateau: before that, more cycles are more knowledge. So they are of a weak
        // rise that was called flat, and of the baseline before a rise in the first cycles.
        let placed = first.cq_sdm.is_none_or(|cq| (10.0..27.0).contains(&cq));
        let clear = first.p_positive > 0.98 || (first.p_positive < 0.02 && made.is_none());
        prop_assume!(clear && placed);
        let tail = &curve[curve.len() - 6..];
        let drift = if first.call == Call::Negative { 0.0 } else { (tail[5] - tail[0]) / 5.0 };
        let mut longer = curve.clone();
        for step in 0..more {
            let ripple = tail[step % 6] - (tail[0] + drift * (step % 6) as f64);
            longer.push(tail[5] + 0.5 * drift.min(0.0) + 0.7 * ripple);
        }
        let second = at(&axis(longer.len()), &longer);
        if first.call == Call::Positive {
            prop_assert_eq!(second.call, Call::Positive);
            prop_assert!(near(first.cq_sdm, second.cq_sdm, 0.3), "{:?} {:?}", first.cq_sdm, second.cq_sdm);
        } else {
            prop_assert!(second.call != Call::Positive, "{first:?} {second:?}");
        }
    }

    #[test]
    fn a_reader_remembers_nothing(curves in proptest::collection::vec(any_curve(), 2..6)) {
        let mut reader = Reader::new();
        let cycles = axis(40);
        for curve in &curves {
            let curve = Curve { cycles: &cycles, fluorescence: curve };
            prop_assert_eq!(reader.read(&curve, &Settings::default()), read(&curve, &Settings::default()));
        }
    }
}
