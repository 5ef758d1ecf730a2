//! Files that are damaged, cut off or made to do harm: a refusal or a sound result, never a panic, never a flood.
//!
//! The number of rounds per seed can be raised for a drill with `BATON_FUZZ_ROUNDS`.
#![allow(clippy::print_stderr)]

mod seeds;
mod shared;

use std::io::{Cursor, Write};

use baton_instruments::{ErrorKind, Format, Limits, Run, parse};
use seeds::seeds;

/// SplitMix64: a stream of numbers that is the same on every machine.
struct Stream(u64);

impl Stream {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }
}

/// Pieces that change the meaning of a file more than single bytes do.
const PIECES: [&[u8]; 16] = [
    b"\t",
    b",",
    b"\n",
    b"\r",
    b"\"",
    b"[Results]",
    b"Well\tCycle\tRn\tTarget Name\n",
    b"999999999999",
    b"-1",
    b"NaN",
    b"1e400",
    b"<data>",
    b"</react>",
    b"&x;",
    b"\xFF\xFE",
    b"\0",
];

/// One to four changes: bytes changed, pieces put in, parts cut, doubled or swapped.
fn mutate(seed: &[u8], stream: &mut Stream) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..=stream.below(3) {
        let at = stream.below(bytes.len() + 1);
        let end = at + stream.below((bytes.len() - at).min(64) + 1);
        match stream.below(6) {
            0 if at < bytes.len() => bytes[at] = stream.next() as u8,
            1 => drop(bytes.splice(at..at, PIECES[stream.below(PIECES.len())].iter().copied())),
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

/// What holds of every run that is handed on.
fn assert_sound(runs: &[Run], name: &str) {
    for reading in runs.iter().flat_map(|run| &run.wells).flat_map(|well| &well.readings) {
        assert_eq!(reading.cycles.len(), reading.fluorescence.len(), "{name}");
        assert!(reading.corrected.is_empty() || reading.corrected.len() == reading.cycles.len(), "{name}");
        assert!(reading.cycles.windows(2).all(|pair| pair[0] < pair[1]), "{name}");
        let values = reading.cycles.iter().chain(&reading.fluorescence).chain(&reading.corrected).chain(&reading.cq);
        assert!(values.into_iter().all(|value| value.is_finite()), "{name}");
        assert!(reading.cq.is_none_or(|cq| cq > 0.0 && cq < 100.0), "{name}");
    }
    for run in runs {
        let plate = run.plate;
        for place in run.wells.iter().filter_map(|well| well.position.place) {
            assert!(plate.is_none_or(|plate| place.0 < plate.rows && place.1 < plate.columns), "{name} {place:?} {plate:?}");
        }
    }
}

fn rounds() -> usize {
    std::env::var("BATON_FUZZ_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(1_500)
}

/// Whether a run can bear this format; a new one does not compile until somebody thought of its seed.
fn is_of_a_run(format: Format) -> bool {
    match format {
        Format::Rdml | Format::PlainCurves | Format::QuantStudioText | Format::QuantStudioWorkbook | Format::DesignAndAnalysis | Format::Diomni => true,
        Format::AbiCsv | Format::BioRadCfx | Format::LightCycler480Raw | Format::LightCycler480Cp | Format::Sds | Format::BioMark | Format::WellTable => true,
        Format::Workbook | Format::Unknown => false,
    }
}

#[test]
fn every_format_has_a_seed() {
    let of_seed = |(name, seed): (&str, Vec<u8>)| parse(&seed, name, Limits::default()).unwrap().0[0].format;
    let formats: std::collections::HashSet<Format> = seeds().into_iter().map(of_seed).collect();
    assert!(formats.iter().all(|format| is_of_a_run(*format)), "{formats:?}");
    assert_eq!(formats.len(), 13, "{formats:?}");
}

#[test]
fn mutated_seeds_never_panic_and_stay_sound() {
    let mut read = 0;
    for (name, seed) in seeds() {
        assert!(parse(&seed, name, Limits::default()).is_ok(), "{name}");
        let mut stream = Stream(seed.len() as u64);
        for _ in 0..rounds() {
            if let Ok((runs, _)) = parse(&mutate(&seed, &mut stream), name, Limits::default()) {
                assert_sound(&runs, name);
                read += 1;
            }
        }
    }
    assert!(read > rounds(), "most mutations must reach the readers, {read} did");
}

/// Mutates what is inside the archives: outside, the checksums catch nearly everything.
#[test]
fn mutated_members_never_panic_and_stay_sound() {
    let mut read = 0;
    for (name, seed) in seeds().into_iter().filter(|(_, seed)| seed.starts_with(b"PK")) {
        let mut stream = Stream(7);
        for _ in 0..rounds() / 4 {
            let mut archive = zip::ZipArchive::new(Cursor::new(&seed)).unwrap();
            let mut again = zip::ZipWriter::new(Cursor::new(Vec::new()));
            let victim = stream.below(archive.len());
            for index in 0..archive.len() {
                let mut content = Vec::new();
                let mut member = archive.by_index(index).unwrap();
                let name = member.name().unwrap().into_owned();
                std::io::copy(&mut member, &mut content).unwrap();
                again.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
                again.write_all(&if index == victim { mutate(&content, &mut stream) } else { content }).unwrap();
            }
            let bytes = again.finish().unwrap().into_inner();
            if let Ok((runs, _)) = parse(&bytes, name, Limits::default()) {
                assert_sound(&runs, name);
                read += 1;
            }
        }
    }
    assert!(read > 0);
}

#[test]
fn mutated_exports_of_real_instruments_never_panic() {
    for folder in ["htqpcr", "quantstudio_txt", "quantstudio_xlsx", "abi_csv", "cfx_maestro"] {
        for path in shared::files(&format!("pcr/instrument/{folder}"), "") {
            let Some(seed) = shared::read_shared(&path) else {
                return;
            };
            let mut stream = Stream(seed.len() as u64);
            for _ in 0..rounds() / 100 {
                if let Ok((runs, _)) = parse(&mutate(&seed, &mut stream), &path, Limits::default()) {
                    assert_sound(&runs, &path);
                }
            }
        }
    }
}

fn zip_of(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in members {
        archive.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(content).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

#[test]
fn bombs_are_refused() {
    let limits = Limits { unpacked_bytes_max: 1 << 20, ..Limits::default() };
    let xml = [b"<rdml version='1.4'>".to_vec(), vec![b' '; 4 << 20]].concat();
    let bomb = zip_of(&[("rdml_data.xml", &xml)]);
    assert!(bomb.len() < 20_000, "the bomb is small: {}", bomb.len());
    let error = parse(&bomb, "b.rdml", limits).unwrap_err();
    assert_eq!(error.to_string(), "b.rdml, rdml_data.xml: more than 1048576 bytes once unpacked");

    let sheet = zip_of(&[("[Content_Types].xml", b"<x/>"), ("xl/workbook.xml", &xml)]);
    let error = parse(&sheet, "b.xlsx", limits).unwrap_err();
    assert_eq!(error.to_string(), "b.xlsx: more than 1048576 bytes once unpacked");

    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&xml).unwrap();
    let error = parse(&gzip.finish().unwrap(), "b.txt.gz", limits).unwrap_err();
    assert_eq!(error.kind, ErrorKind::OverLimit { what: "bytes once unpacked", limit: 1 << 20 });
}

/// An archive that lies about the size of its member.
#[test]
fn a_stated_size_is_not_believed() {
    let xml = [b"<rdml version='1.4'>".to_vec(), vec![b' '; 4 << 20]].concat();
    let mut bomb = zip_of(&[("rdml_data.xml", &xml)]);
    let size = (xml.len() as u32).to_le_bytes();
    while let Some(at) = bomb.windows(4).position(|window| window == size) {
        bomb[at..at + 4].copy_from_slice(&100_u32.to_le_bytes());
    }
    let limits = Limits { unpacked_bytes_max: 1 << 20, ..Limits::default() };
    assert!(parse(&bomb, "b.rdml", limits).is_err());
}

#[test]
fn every_limit_refuses_with_its_name() {
    let refusal = |name: &str, limits: Limits| {
        let seed = seeds().into_iter().find(|(known, _)| *known == name).unwrap().1;
        parse(&seed, name, limits).unwrap_err().to_string()
    };
    let base = Limits::default();
    assert_eq!(refusal("sds.txt", Limits { bytes_max: 10, ..base }), "sds.txt: more than 10 bytes");
    assert_eq!(refusal("biomark.csv", Limits { wells_max: 1, ..base }), "biomark.csv: more than 1 wells");
    assert_eq!(refusal("cfx.csv", Limits { wells_max: 1, ..base }), "cfx.csv: more than 1 wells");
    assert_eq!(refusal("plain.rdml", Limits { wells_max: 0, ..base }), "plain.rdml: more than 0 wells");
    assert_eq!(refusal("plain.rdml", Limits { readings_max: 1, ..base }), "plain.rdml: more than 1 readings");
    assert_eq!(refusal("curves.csv", Limits { readings_max: 4, ..base }), "curves.csv: more than 4 readings");
    assert_eq!(refusal("lightcycler.txt", Limits { readings_max: 2, ..base }), "lightcycler.txt: more than 2 rows");
}

#[test]
fn what_is_no_instrument_file_is_refused_in_words() {
    let refusal = |bytes: &[u8]| parse(bytes, "x", Limits::default()).unwrap_err().to_string();
    assert_eq!(refusal(b""), "x: not a file of a known PCR instrument");
    assert_eq!(refusal(b"hello, world\n"), "x: not a file of a known PCR instrument");
    assert_eq!(refusal(b"\xFF\x80\xFF\x80\xFF\x80"), "x: not in a known text encoding (byte 0)");
    assert_eq!(refusal(&zip_of(&[("a.txt", b"a")])), "x: no archive member that is RDML found");
    assert_eq!(refusal(b"<rdml version='1.2'><experiment id='e'><run id='r'>"), "x, line 1: damaged or cut off: the XML ends inside an element");
    assert_eq!(refusal(b"<rdml version='1.2'></rdml>"), "x: the file holds no wells");
    assert_eq!(refusal(b"Well,Sample,Target,Cq\n"), "x: the file holds no wells");
    assert_eq!(refusal(b"* Block Type = 96-Well\n[Raw Data]\n"), "x: no table of wells found");
}

/// Small files that would take the square of their size, or far more memory, to read carelessly.
#[test]
fn files_made_to_be_slow_are_read_or_refused_at_once() {
    let many_attributes: String = (0..200_000).map(|index| format!(" a{index}='1'")).collect();
    let xml = format!("<rdml version='1.2'><experiment id='e'><run id='r'{many_attributes}><react id='1'/></run></experiment></rdml>");
    assert!(parse(xml.as_bytes(), "a.rdml", Limits::default()).is_ok());

    let empty_curves = "<data/>".repeat(300_000);
    let xml = format!("<rdml version='1.2'><experiment id='e'><run id='r'><react id='1'>{empty_curves}</react></run></experiment></rdml>");
    let error = parse(xml.as_bytes(), "c.rdml", Limits::default()).unwrap_err();
    assert_eq!(error.to_string(), "c.rdml: more than 200000 curves");

    let wide = format!("cycle{}\n{}", ",x".repeat(16_000), "1\n".repeat(200_000));
    assert!(parse(wide.as_bytes(), "w.csv", Limits::default()).is_ok());

    let columns = format!("Well,Sample,Target,Cq{}\nA1,s,t,20\n", ",Comments".repeat(10_000));
    let error = parse(columns.as_bytes(), "k.csv", Limits::default()).unwrap_err();
    assert_eq!(error.to_string(), "k.csv: more than 2000 columns");

    let targets: String = (0..1_000).map(|index| format!("A1,s,t{index},20\n")).collect();
    let error = parse(format!("Well,Sample,Target,Cq\n{targets}").as_bytes(), "t.csv", Limits::default()).unwrap_err();
    assert_eq!(error.to_string(), "t.csv: more than 256 targets in one well");

    let returns = "\r".repeat(2_000_000);
    assert!(parse(format!("Well,Sample,Target,Cq\rA1,s,t,20{returns}").as_bytes(), "r.csv", Limits::default()).is_ok());
}

/// Deep nesting must not overflow the stack.
#[test]
fn deep_nesting_is_no_harm() {
    let deep = "<a>".repeat(200_000);
    let text = format!("<rdml version='1.2'><sample id='s'>{deep}");
    assert!(parse(text.as_bytes(), "deep.rdml", Limits::default()).is_err());
}
