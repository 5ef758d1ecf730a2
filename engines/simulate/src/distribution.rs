//! Distributions of times, each drawn by inversion of one uniform word, so that more luck is more luck in every model.

use crate::draws::uniform;
use crate::fault::{Fault, MOST_SECONDS, at_least, between, positive};

/// Largest coefficient of variation of a lognormal time.
pub const MOST_VARIATION: f64 = 1000.0;
/// Knots of a distribution of measured times: 3 % of the values lie between two.
pub const KNOTS: usize = 33;

/// A non-negative time in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Distribution(Shape);

#[derive(Debug, Clone, Copy, PartialEq)]
#[allow(clippy::large_enum_variant)] // there is one for each station, looked at by reference
enum Shape {
    Exponential { mean: f64 },
    Deterministic { value: f64 },
    Uniform { low: f64, width: f64 },
    Lognormal { location: f64, scale: f64 },
    Measured { knots: [f64; KNOTS] },
}

impl Distribution {
    pub fn exponential(mean_s: f64) -> Result<Self, Fault> {
        Ok(Self(Shape::Exponential { mean: positive("mean_s", mean_s)? }))
    }

    pub fn deterministic(value_s: f64) -> Result<Self, Fault> {
        Ok(Self(Shape::Deterministic { value: at_least("value_s", value_s, 0.0)? }))
    }

    pub fn uniform(low_s: f64, high_s: f64) -> Result<Self, Fault> {
        let low = at_least("low_s", low_s, 0.0)?;
        let high = at_least("high_s", high_s, low)?;
        Ok(Self(Shape::Uniform { low, width: high - low }))
    }

    /// By mean and coefficient of variation of the time itself, not of its logarithm.
    pub fn lognormal(mean_s: f64, cv: f64) -> Result<Self, Fault> {
        let mean = positive("mean_s", mean_s)?;
        let variance = between("cv", cv, 0.0, MOST_VARIATION)?.powi(2).ln_1p();
        Ok(Self(Shape::Lognormal { location: mean.ln() - variance / 2.0, scale: variance.sqrt() }))
    }

    /// The times that were measured, in any order: their quantiles at [`KNOTS`] equal steps from the least to the most, straight in between.
    pub fn measured(times_s: &[f64]) -> Result<Self, Fault> {
        let mut sorted = Vec::with_capacity(times_s.len());
        for (index, time) in times_s.iter().enumerate() {
            sorted.push(at_least(&format!("times_s[{index}]"), *time, 0.0)?);
        }
        if sorted.is_empty() {
            return Err(Fault::new("times_s", "must have at least one time"));
        }
        sorted.sort_by(f64::total_cmp);
        let knots = std::array::from_fn(|knot| {
            let place = knot as f64 / (KNOTS - 1) as f64 * (sorted.len() - 1) as f64;
            between_neighbours(&sorted, place)
        });
        Ok(Self(Shape::Measured { knots }))
    }

    /// The time that a uniformly distributed word stands for.
    #[inline]
    pub fn at(&self, word: u64) -> f64 {
        match self.0 {
            Shape::Exponential { mean } => -mean * uniform(word).ln(),
            Shape::Deterministic { value } => value,
            Shape::Uniform { low, width } => low + width * uniform(word),
            Shape::Lognormal { location, scale } => (location + scale * standard_normal(uniform(word))).exp().min(MOST_SECONDS),
            Shape::Measured { ref knots } => between_neighbours(knots, uniform(word) * (KNOTS - 1) as f64),
        }
    }
}

/// The value at a place between 0 and the last index.
fn between_neighbours(values: &[f64], place: f64) -> f64 {
    let below = (place as usize).min(values.len() - 1);
    let above = (below + 1).min(values.len() - 1);
    values[below] + (values[above] - values[below]) * (place - below as f64)
}

/// Quantile of the standard normal distribution: Wichura (1988), AS 241, PPND16, relative error about 1e-16.
pub(crate) fn standard_normal(probability: f64) -> f64 {
    let centred = probability - 0.5;
    if centred.abs() <= 0.425 {
        let r = 0.180_625 - centred * centred;
        return centred * ratio(r, &NEAR);
    }
    let tail = probability.min(1.0 - probability);
    let r = (-tail.ln()).sqrt();
    let size = if r <= 5.0 { ratio(r - 1.6, &MIDDLE) } else { ratio(r - 5.0, &FAR) };
    size.copysign(centred)
}

/// Numerator and denominator, from the constant upwards.
type Rational = ([f64; 8], [f64; 8]);

fn ratio(x: f64, (above, below): &Rational) -> f64 {
    let value = |coefficients: &[f64; 8]| coefficients.iter().rev().fold(0.0, |sum, coefficient| sum * x + coefficient);
    value(above) / value(below)
}

const NEAR: Rational = (
    [
        3.387_132_872_796_366_5,
        133.141_667_891_784_38,
        1_971.590_950_306_551_3,
        13_731.693_765_509_46,
        45_921.953_931_549_87,
        67_265.770_927_008_7,
        33_430.575_583_588_13,
        2_509.080_928_730_122_7,
    ],
    [
        1.0,
        42.313_330_701_600_91,
        687.187_007_492_057_9,
        5_394.196_021_424_751,
        21_213.794_301_586_597,
        39_307.895_800_092_71,
        28_729.085_735_721_943,
        5_226.495_278_852_854,
    ],
);

const MIDDLE: Rational = (
    [
        1.423_437_110_749_683_5,
        4.630_337_846_156_546,
        5.769_497_221_460_691,
        3.647_848_324_763_204_5,
        1.270_458_252_452_368_4,
        0.241_780_725_177_450_6,
        0.022_723_844_989_269_184,
        7.745_450_142_783_414e-4,
    ],
    [
        1.0,
        2.053_191_626_637_759,
        1.676_384_830_183_803_8,
        0.689_767_334_985_1,
        0.148_103_976_427_480_08,
        0.015_198_666_563_616_457,
        5.475_938_084_995_345e-4,
        1.050_750_071_644_416_9e-9,
    ],
);

const FAR: Rational = (
    [
        6.657_904_643_501_103,
        5.463_784_911_164_114,
        1.784_826_539_917_291_3,
        0.296_560_571_828_504_87,
        0.026_532_189_526_576_124,
        0.001_242_660_947_388_078_4,
        2.711_555_568_743_487_6e-5,
        2.010_334_399_292_288_1e-7,
    ],
    [
        1.0,
        0.599_832_206_555_887_9,
        0.136_929_880_922_735_8,
        0.014_875_361_290_850_615,
        7.868_691_311_456_133e-4,
        1.846_318_317_510_054_8e-5,
        1.421_511_758_316_446e-7,
        2.044_263_103_389_939_8e-15,
    ],
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draws::{Purpose, Stream};

    #[test]
    fn normal_quantiles_agree_with_tables() {
        let table =
            [(0.5, 0.0), (0.975, 1.959_963_984_540_054), (0.95, 1.644_853_626_951_472_7), (1e-9, -5.997_807_015_007_687), (1e-15, -7.941_345_326_170_998)];
        for (probability, quantile) in table {
            assert!((standard_normal(probability) - quantile).abs() < 1e-13, "{probability}: {}", standard_normal(probability));
            assert!(probability < 1e-8 || (standard_normal(1.0 - probability) + quantile).abs() < 1e-12);
        }
    }

    fn mean_and_deviation(distribution: &Distribution) -> (f64, f64) {
        let stream = Stream::new(5, 0, Purpose::Service, "x");
        let values: Vec<f64> = (0..200_000).map(|key| distribution.at(stream.word(key))).collect();
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len() as f64;
        (mean, variance.sqrt())
    }

    #[test]
    fn distributions_have_their_moments() -> Result<(), Fault> {
        let cases = [
            (Distribution::exponential(30.0)?, 30.0, 30.0),
            (Distribution::deterministic(5.5)?, 5.5, 0.0),
            (Distribution::uniform(2.0, 8.0)?, 5.0, 3.0f64.sqrt()),
            (Distribution::lognormal(30.0, 0.5)?, 30.0, 15.0),
            (Distribution::lognormal(30.0, 0.0)?, 30.0, 0.0),
            (Distribution::measured(&[30.0])?, 30.0, 0.0),
            // Every minute from 0 to 100 is uniform.
            (Distribution::measured(&(0..=100).rev().map(f64::from).collect::<Vec<_>>())?, 50.0, 100.0 / 12f64.sqrt()),
        ];
        for (distribution, mean, deviation) in cases {
            let (seen, spread) = mean_and_deviation(&distribution);
            assert!((seen - mean).abs() <= mean * 0.01 && (spread - deviation).abs() <= mean * 0.01, "{distribution:?}: {seen} {spread}");
        }
        Ok(())
    }

    #[test]
    fn impossible_parameters_are_refused_by_name() {
        let faults = [
            (Distribution::exponential(0.0), "mean_s"),
            (Distribution::exponential(f64::NAN), "mean_s"),
            (Distribution::exponential(1e10), "mean_s"),
            (Distribution::deterministic(-1.0), "value_s"),
            (Distribution::deterministic(f64::INFINITY), "value_s"),
            (Distribution::uniform(-1.0, 2.0), "low_s"),
            (Distribution::uniform(3.0, 2.0), "high_s"),
            (Distribution::lognormal(0.0, 1.0), "mean_s"),
            (Distribution::lognormal(1.0, -0.1), "cv"),
            (Distribution::lognormal(1.0, 1001.0), "cv"),
            (Distribution::measured(&[]), "times_s"),
            (Distribution::measured(&[1.0, f64::NAN]), "times_s[1]"),
        ];
        for (result, field) in faults {
            assert_eq!(result.map_err(|fault| fault.field), Err(field.to_owned()));
        }
    }
}
