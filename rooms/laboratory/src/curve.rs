//! Curves as they are stored: little-endian f32 in base64.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use crate::events::CurveStored;

/// Values of one curve at most; nothing an instrument writes comes near.
const VALUES_MAX: usize = 10_000;

pub fn encode(values: &[f64]) -> String {
    let bytes: Vec<u8> = values.iter().take(VALUES_MAX).flat_map(|value| (*value as f32).to_le_bytes()).collect();
    STANDARD_NO_PAD.encode(bytes)
}

/// What was stored; text that is no such list is an empty curve, which no rule takes for a negative.
pub fn decode(text: &str) -> Vec<f64> {
    let bytes = STANDARD_NO_PAD.decode(text).unwrap_or_default();
    bytes.chunks_exact(4).take(VALUES_MAX).map(|four| f64::from(f32::from_le_bytes([four[0], four[1], four[2], four[3]]))).collect()
}

/// One curve ready to be read or drawn.
#[derive(Clone, PartialEq, Debug)]
pub struct CurveDrawn {
    pub well: u16,
    pub target: String,
    pub dye: String,
    pub cycles: Vec<f64>,
    pub fluorescence: Vec<f64>,
    pub instrument_cq: Option<f64>,
    pub instrument_call: Option<String>,
}

/// Decodes a run's curves; an empty axis is that of the curve before.
pub fn decode_all(stored: &[CurveStored]) -> Vec<CurveDrawn> {
    let mut axis: Vec<f64> = Vec::new();
    let mut drawn = Vec::with_capacity(stored.len());
    for curve in stored {
        if !curve.cycles.is_empty() {
            axis = decode(&curve.cycles);
        }
        drawn.push(CurveDrawn {
            well: curve.well,
            target: curve.target.clone(),
            dye: curve.dye.clone(),
            cycles: axis.clone(),
            fluorescence: decode(&curve.fluorescence),
            instrument_cq: curve.instrument_cq_milli.map(|milli| milli as f64 / 1000.0),
            instrument_call: curve.instrument_call.clone(),
        });
    }
    drawn
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_a_detector_gives_is_stored_to_seven_digits(values in proptest::collection::vec(-1e6f64..1e7, 0..60)) {
            let back = decode(&encode(&values));
            prop_assert_eq!(back.len(), values.len());
            for (value, read) in values.iter().zip(back) {
                prop_assert!((value - read).abs() <= value.abs() * 1e-6);
            }
        }

        #[test]
        fn no_text_breaks_the_decoder(text in ".*") {
            decode(&text);
        }
    }

    #[test]
    fn an_axis_is_said_once() {
        let curve = |cycles: &[f64]| CurveStored {
            well: 0,
            target: String::new(),
            dye: String::new(),
            cycles: encode(cycles),
            fluorescence: encode(&[5.0]),
            instrument_cq_milli: Some(21_500),
            instrument_call: None,
        };
        let drawn = decode_all(&[curve(&[1.0, 2.0]), curve(&[]), curve(&[0.5])]);
        assert_eq!(drawn.iter().map(|curve| curve.cycles.clone()).collect::<Vec<_>>(), vec![vec![1.0, 2.0], vec![1.0, 2.0], vec![0.5]]);
        assert_eq!(drawn[1].instrument_cq, Some(21.5));
    }
}
