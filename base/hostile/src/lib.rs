//! Input made to do harm, the same on every machine: one mutation loop for the tests of every reader.
//!
//! Only tests depend on this crate. What must hold of a reader is a *target function* beside its tests (`tests/sound`);
//! [`drill`] runs it on mutated seeds in `cargo test`, and `fuzz/` runs the same function under libFuzzer.

use std::io::{Cursor, Read, Write};

/// SplitMix64 (Steele, Lea and Flood 2014): a stream of numbers that is the same on every machine.
#[derive(Debug, Clone)]
pub struct Stream(u64);

impl Stream {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next word; the stream has no end.
    pub fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`; 0 for a bound of 0.
    pub fn below(&mut self, bound: usize) -> usize {
        (self.word() % bound.max(1) as u64) as usize
    }

    /// A number from 0 up to 1.
    pub fn uniform(&mut self) -> f64 {
        (self.word() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// About standard normal: the sum of twelve uniform numbers.
    pub fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
    }
}

/// One to four changes: bytes changed, bits turned, `pieces` put in (parts that mean something to the reader), parts cut,
/// doubled or cut off.
pub fn mutate(seed: &[u8], pieces: &[&[u8]], stream: &mut Stream) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..=stream.below(3) {
        let at = stream.below(bytes.len() + 1);
        let end = at + stream.below((bytes.len() - at).min(64) + 1);
        match stream.below(6) {
            0 if at < bytes.len() => bytes[at] = stream.word() as u8,
            1 if !pieces.is_empty() => drop(bytes.splice(at..at, pieces[stream.below(pieces.len())].iter().copied())),
            2 => drop(bytes.drain(at..end)),
            3 => {
                let part = bytes[at..end].to_vec();
                bytes.splice(at..at, part.repeat(1 + stream.below(4)));
            }
            4 => bytes.truncate(at),
            _ if at < bytes.len() => bytes[at] ^= 1 << stream.below(8),
            _ => {}
        }
    }
    bytes
}

/// Rounds per seed: `usual`, or for a longer drill what `BATON_FUZZ_ROUNDS` says.
pub fn rounds(usual: usize) -> usize {
    std::env::var("BATON_FUZZ_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

/// Runs `target` on `rounds` mutations of every seed; how often it took what it was given. Each seed has its own stream, so
/// a new seed does not change what the others become.
pub fn drill<N: AsRef<str>>(seeds: &[(N, Vec<u8>)], pieces: &[&[u8]], rounds: usize, mut target: impl FnMut(&str, &[u8]) -> bool) -> usize {
    let mut taken = 0;
    for (name, seed) in seeds {
        let mut stream = Stream::new(seed.len() as u64);
        for _ in 0..rounds {
            taken += usize::from(target(name.as_ref(), &mutate(seed, pieces, &mut stream)));
        }
    }
    taken
}

/// Like [`drill`] for archives: one member at a time is changed and packed again, since outside the members the checksums
/// catch nearly everything.
pub fn drill_members<N: AsRef<str>>(seeds: &[(N, Vec<u8>)], pieces: &[&[u8]], rounds: usize, mut target: impl FnMut(&str, &[u8]) -> bool) -> usize {
    let mut taken = 0;
    for (name, seed) in seeds {
        let whole = unpacked(seed);
        let mut stream = Stream::new(7);
        for _ in 0..rounds {
            let mut members = whole.clone();
            let victim = stream.below(members.len());
            members[victim].1 = mutate(&members[victim].1, pieces, &mut stream);
            taken += usize::from(target(name.as_ref(), &packed(&members)));
        }
    }
    taken
}

/// A zip archive of the members, in their order.
pub fn packed<N: AsRef<str>, C: AsRef<[u8]>>(members: &[(N, C)]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in members {
        archive.start_file(name.as_ref(), zip::write::SimpleFileOptions::default()).expect("a test names its members well");
        archive.write_all(content.as_ref()).expect("memory takes what is written");
    }
    archive.finish().expect("memory takes what is written").into_inner()
}

/// Names and contents of the members of an archive a test made itself.
pub fn unpacked(archive: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut archive = zip::ZipArchive::new(Cursor::new(archive)).expect("a test's own archive opens");
    let count = archive.len();
    let member = |index| {
        let mut member = archive.by_index(index).expect("a test's own archive is whole");
        let mut content = Vec::new();
        member.read_to_end(&mut content).expect("a test's own archive is whole");
        (member.name().expect("a test names its members well").into_owned(), content)
    };
    (0..count).map(member).collect()
}

/// Packed by gzip.
pub fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(bytes).expect("memory takes what is written");
    packed.finish().expect("memory takes what is written")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drill_repeats_itself_and_changes_nearly_every_time() {
        let seeds = [("a", b"cycle,A1\n1,2.5\n2,3.5\n".to_vec())];
        let mut seen = [Vec::new(), Vec::new()];
        for run in &mut seen {
            let taken = drill(&seeds, &[b"NaN", b"\t"], 500, |_, bytes| {
                run.push(bytes.to_vec());
                bytes != seeds[0].1
            });
            assert!(taken > 450, "{taken} of 500 differ from the seed");
        }
        assert_eq!(seen[0], seen[1]);
        assert!(seen[0].iter().any(|bytes| bytes.windows(3).any(|three| three == b"NaN")));
    }

    #[test]
    fn what_is_packed_comes_out_again() {
        let members = [("one.txt", b"1".to_vec()), ("folder/two.xml", vec![b' '; 5_000])];
        let again = unpacked(&packed(&members));
        assert!(again.iter().zip(&members).all(|(out, put)| out.0 == put.0 && out.1 == put.1));
        let mut seen = 0;
        let taken = drill_members(&[("x.zip", packed(&members))], &[], 20, |_, bytes| {
            seen += usize::from(unpacked(bytes).len() == 2);
            true
        });
        assert_eq!((taken, seen), (20, 20));
    }
}
