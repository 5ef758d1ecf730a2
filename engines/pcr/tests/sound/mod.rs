//! What must hold of the answer to any curve at all: the target function of `tests/hostile.rs` and of the fuzz target.
#![allow(dead_code)]

use baton_hostile::Stream;
use baton_pcr::simulate::{Fault, Params, axis, synthesise};
use baton_pcr::{Call, CqMethod, Curve, Reader, Reading, Settings, read};

/// A curve and how it is to be read, as bytes. Three bytes say method, plateau fraction and how the axis is made; two numbers
/// follow (threshold, and step of the axis), then the fluorescence, eight bytes a number.
#[derive(Debug, Clone)]
pub struct Asked {
    pub settings: Settings,
    pub cycles: Vec<f64>,
    pub fluorescence: Vec<f64>,
}

const METHODS: [CqMethod; 3] = [CqMethod::PlateauRelative, CqMethod::SecondDerivative, CqMethod::FixedThreshold];

/// The bytes of a curve on a plain axis.
pub fn bytes_of(fluorescence: &[f64]) -> Vec<u8> {
    let numbers = [100.0, 1.0].iter().chain(fluorescence).flat_map(|value: &f64| value.to_le_bytes());
    [0, 20, 0].into_iter().chain(numbers).collect()
}

/// Any bytes are some curve.
pub fn asked(bytes: &[u8]) -> Asked {
    let at = |index: usize| bytes.get(index).copied().unwrap_or(0);
    let numbers = bytes.get(3..).unwrap_or(&[]);
    let mut numbers = numbers.chunks_exact(8).map(|eight| f64::from_le_bytes(std::array::from_fn(|i| eight[i])));
    let (threshold, step) = (numbers.next().unwrap_or(0.0), numbers.next().unwrap_or(1.0));
    let mut fluorescence: Vec<f64> = numbers.collect();
    let half = fluorescence.len() / 2;
    let cycles = match at(2) % 8 {
        0..4 => (0..fluorescence.len()).map(|index| 1.0 + index as f64).collect(),
        4 => (0..fluorescence.len()).map(|index| step * index as f64).collect(),
        5 => (0..fluorescence.len() + 1).map(|index| index as f64).collect(),
        // Any numbers, in order or as they come.
        6 => fluorescence.split_off(half),
        _ => {
            let mut cycles = fluorescence.split_off(half);
            cycles.sort_by(f64::total_cmp);
            cycles.dedup();
            fluorescence.truncate(cycles.len());
            cycles
        }
    };
    let plateau_fraction = if at(1) == 255 { step } else { f64::from(at(1)) / 100.0 };
    let fixed_threshold = (at(0) & 4 == 0).then_some(threshold);
    Asked { settings: Settings { cq_method: METHODS[usize::from(at(0)) % 3], plateau_fraction, fixed_threshold }, cycles, fluorescence }
}

/// Reads the curve these bytes are; whether it could be read at all.
pub fn curve(bytes: &[u8]) -> bool {
    let Asked { settings, cycles, fluorescence } = asked(bytes);
    let curve = Curve { cycles: &cycles, fluorescence: &fluorescence };
    let reading = read(&curve, &settings);
    assert_sound(&reading, &curve, &settings);
    let mut reader = Reader::new();
    reader.read(&Curve { cycles: &axis(12), fluorescence: &[0.5, 1.0, 0.0, 3.0, 1.0, 7.0, 2.0, 9.0, 4.0, 1.0, 8.0, 2.0] }, &Settings::default());
    assert_eq!(reader.read(&curve, &settings), reading, "what was read before must not matter");
    reading.call != Call::Unreadable
}

/// What holds of every answer.
pub fn assert_sound(reading: &Reading, curve: &Curve, settings: &Settings) {
    let options = [reading.cq, reading.cq_sdm, reading.cq_plateau, reading.cq_threshold, reading.efficiency];
    let plain = [reading.p_positive, reading.p_ambiguous, reading.plateau, reading.baseline];
    assert!(plain.iter().copied().chain(options.into_iter().flatten()).all(f64::is_finite), "{reading:?}");
    let (positive, ambiguous) = (reading.p_positive, reading.p_ambiguous);
    assert!(positive >= 0.0 && ambiguous >= 0.0 && positive + ambiguous <= 1.0 + 1e-9, "{reading:?}");
    assert!(!reading.reasons.is_empty() || matches!(reading.call, Call::Positive | Call::Negative), "{reading:?}");
    match reading.call {
        Call::Unreadable => assert!(reading.cq.is_none(), "{reading:?}"),
        Call::Negative => assert!(reading.cq.is_none() && reading.cq_sdm.is_none(), "{reading:?}"),
        Call::Positive | Call::Ambiguous => assert!(reading.cq.is_some() || settings.cq_method == CqMethod::FixedThreshold, "{reading:?}"),
    }
    // Rows at the ends may be empty, their cycle too.
    let within = |cq: f64| curve.cycles.iter().any(|cycle| *cycle <= cq) && curve.cycles.iter().any(|cycle| cq <= *cycle);
    assert!(options[..4].iter().flatten().all(|cq| within(*cq)), "{reading:?}");
}

/// Seeds: amplified and flat curves with every fault, irregular axes, and the ends of the numbers.
pub fn seeds() -> Vec<(String, Vec<u8>)> {
    let mut stream = Stream::new(5);
    let faults = [
        vec![],
        vec![Fault::Spike { cycle: 20, height: 0.5 }],
        vec![Fault::Bubble { cycle: 12, height: 0.3 }],
        vec![Fault::Drift { height: 0.3 }],
        vec![Fault::Evaporation { cycle: 25, height: 0.4 }],
        vec![Fault::Settling { height: 0.2, cycles: 4.0 }, Fault::Wander { height: 0.01 }],
        vec![Fault::CrossTalk { fraction: 0.05, cq: 18.0 }],
    ];
    let mut seeds = Vec::new();
    for (number, faults) in faults.into_iter().enumerate() {
        for (kind, cq) in [("flat", None), ("early", Some(9.0)), ("middle", Some(24.0)), ("late", Some(37.0))] {
            let params = Params { cq, faults: faults.clone(), ..Params::default() };
            let mut bytes = bytes_of(&synthesise(&params, || stream.normal()));
            bytes[..3].copy_from_slice(&[(number % 7) as u8, 20, (seeds.len() % 8) as u8]);
            seeds.push((format!("{kind}{number}"), bytes));
        }
    }
    seeds.push(("ends".to_owned(), bytes_of(&[f64::MIN, f64::MAX, f64::NAN, f64::INFINITY, f64::MIN_POSITIVE, -0.0].repeat(8))));
    seeds
}
