//! Counter-based draws: a value is a hash of what it is for, never of how many were drawn before it.
//!
//! Two models that share a station therefore see the same demands there (common random numbers); a sequential stream would
//! shift with the first extra draw, and the same seed would help nothing.

/// Odd constant of the golden ratio, the step of SplitMix64.
const STEP: u64 = 0x9E37_79B9_7F4A_7C15;

/// The finaliser of SplitMix64 (Steele, Lea and Flood 2014).
#[inline]
pub fn mix(word: u64) -> u64 {
    let mut word = word;
    word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    word ^ (word >> 31)
}

/// A uniform deviate of the open interval (0, 1) from a word; monotone in the word. With 53 bits the half would be rounded away.
#[inline]
pub fn uniform(word: u64) -> f64 {
    ((word >> 12) as f64 + 0.5) * (1.0 / (1u64 << 52) as f64)
}

/// What a draw is for. It keeps a station called "arrival" apart from the arrivals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    Arrival,
    Service,
    Route,
    Breakdown,
    Repair,
}

/// The words of one (seed, replication, purpose, name), addressed by entity or ordinal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stream(u64);

impl Stream {
    pub fn new(seed: u64, replication: u32, purpose: Purpose, name: &str) -> Self {
        let start = mix(mix(seed.wrapping_add(STEP)) ^ u64::from(replication));
        let tagged = mix(start.wrapping_add(STEP) ^ (purpose as u64));
        Self(name.bytes().fold(tagged, |word, byte| mix(word.wrapping_add(STEP) ^ u64::from(byte))))
    }

    /// The word of one entity: the `key`-th of a SplitMix64 sequence.
    #[inline]
    pub fn word(self, key: u64) -> u64 {
        mix(self.0.wrapping_add(key.wrapping_mul(STEP)))
    }

    /// The same stream for the given visit: an entity that comes again draws again.
    #[inline]
    pub fn visit(self, visit: u8) -> Self {
        if visit == 0 { self } else { Self(mix(self.0 ^ u64::from(visit))) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_depends_on_all_four_parts() {
        let base = Stream::new(1, 2, Purpose::Service, "swab").word(3);
        assert_eq!(base, Stream::new(1, 2, Purpose::Service, "swab").word(3));
        let others = [
            Stream::new(2, 2, Purpose::Service, "swab").word(3),
            Stream::new(1, 3, Purpose::Service, "swab").word(3),
            Stream::new(1, 2, Purpose::Route, "swab").word(3),
            Stream::new(1, 2, Purpose::Service, "swa").word(3),
            Stream::new(1, 2, Purpose::Service, "swab").word(4),
            Stream::new(1, 2, Purpose::Service, "swab").visit(1).word(3),
        ];
        assert!(others.iter().all(|other| *other != base), "{others:?}");
    }

    #[test]
    fn uniforms_are_open_even_and_uncorrelated() {
        assert!(uniform(0) > 0.0 && uniform(u64::MAX) < 1.0);
        let near = Stream::new(9, 0, Purpose::Service, "a");
        let far = Stream::new(9, 0, Purpose::Service, "b");
        let count = 200_000;
        let (mut sum, mut squares, mut lagged, mut across) = (0.0, 0.0, 0.0, 0.0);
        for key in 0..count {
            let x = uniform(near.word(key)) - 0.5;
            sum += x;
            squares += x * x;
            lagged += x * (uniform(near.word(key + 1)) - 0.5);
            across += x * (uniform(far.word(key)) - 0.5);
        }
        let n = count as f64;
        assert!((sum / n).abs() < 0.003, "{sum}");
        assert!((squares / n - 1.0 / 12.0).abs() < 0.001, "{squares}");
        assert!((lagged / n).abs() < 0.001 && (across / n).abs() < 0.001, "{lagged} {across}");
    }
}
