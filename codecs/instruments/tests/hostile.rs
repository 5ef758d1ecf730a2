//! Files that are damaged, cut off or made to do harm: a refusal or a sound result, never a panic, never a flood.
//!
//! The number of rounds per seed can be raised for a drill with `BATON_FUZZ_ROUNDS`.
#![allow(clippy::print_stderr)]

mod seeds;
mod shared;
mod sound;

use std::io::Write;

use baton_hostile::{Stream, drill, drill_members, mutate, packed, rounds};
use baton_instruments::{ErrorKind, Format, Limits, parse};
use seeds::seeds;
use sound::PIECES;

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
    let seeds = seeds();
    assert!(seeds.iter().all(|(name, seed)| sound::file(name, seed)));
    let rounds = rounds(1_500);
    let taken = drill(&seeds, &PIECES, rounds, sound::file);
    assert!(taken > rounds, "most mutations must reach the readers, {taken} did");
}

#[test]
fn mutated_members_never_panic_and_stay_sound() {
    let archives: Vec<_> = seeds().into_iter().filter(|(_, seed)| seed.starts_with(b"PK")).collect();
    assert!(drill_members(&archives, &PIECES, rounds(1_500) / 4, sound::file) > 0);
    let rdml = [("rdml_data.xml", seeds::RDML.as_bytes().to_vec())];
    assert!(drill(&rdml, &PIECES, rounds(1_500), |_, bytes| sound::rdml_member(bytes)) > 0);
    let sheet = [("sheet1.xml", sound::whole_worksheet())];
    assert!(sound::worksheet(&sheet[0].1));
    assert!(drill(&sheet, &PIECES, rounds(1_500) / 4, |_, bytes| sound::worksheet(bytes)) > 0);
}

#[test]
fn mutated_cells_are_read_or_refused() {
    let cells = seeds::CELLS.map(|text| (text, text.as_bytes().to_vec()));
    assert!(drill(&cells, &PIECES, rounds(1_500), |_, bytes| sound::cell(bytes)) > 0);
}

#[test]
fn mutated_exports_of_real_instruments_never_panic() {
    for folder in ["htqpcr", "quantstudio_txt", "quantstudio_xlsx", "abi_csv", "cfx_maestro"] {
        for path in shared::files(&format!("pcr/instrument/{folder}"), "") {
            let Some(seed) = shared::read_shared(&path) else {
                return;
            };
            let mut stream = Stream::new(seed.len() as u64);
            for _ in 0..rounds(1_500) / 100 {
                if let Ok((runs, _)) = parse(&mutate(&seed, &PIECES, &mut stream), &path, Limits::default()) {
                    sound::assert_sound(&runs, &path);
                }
            }
        }
    }
}

#[test]
fn bombs_are_refused() {
    let limits = Limits { unpacked_bytes_max: 1 << 20, ..Limits::default() };
    let xml = [b"<rdml version='1.4'>".to_vec(), vec![b' '; 4 << 20]].concat();
    let bomb = packed(&[("rdml_data.xml", &xml)]);
    assert!(bomb.len() < 20_000, "the bomb is small: {}", bomb.len());
    let error = parse(&bomb, "b.rdml", limits).unwrap_err();
    assert_eq!(error.to_string(), "b.rdml, rdml_data.xml: more than 1048576 bytes once unpacked");

    let sheet = packed(&[("[Content_Types].xml", &b"<x/>"[..]), ("xl/workbook.xml", &xml)]);
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
    let mut bomb = packed(&[("rdml_data.xml", &xml)]);
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
    assert_eq!(refusal(&packed(&[("a.txt", b"a")])), "x: no archive member that is RDML found");
    assert_eq!(refusal(b"<rdml version='1.2'><experiment id='e'><run id='r'>"), "x, line 1: damaged or cut off: the XML ends inside an element");
    assert_eq!(refusal(b"<rdml version='1.2'></rdml>"), "x: the file holds no wells");
    assert_eq!(refusal(b"Well,Sample,Target,Cq\n"), "x: the file holds no wells");
    assert_eq!(refusal(b"* Block Type = 96-Well\n[Raw Data]\n"), "x: no table of wells found");
}

/// A name that an RDML file could not hold is refused where it is read, not when the converted file is opened.
#[test]
fn a_name_without_end_is_refused() {
    let name = "x".repeat(2_000);
    for text in [format!("Well,Sample,Target,Cq\nA1,{name},N,20\n"), format!("Well,Sample,Target,Cq\nA1,s,{name},20\n"), format!("cycle,{name}\n1,2\n2,3\n")] {
        let error = parse(text.as_bytes(), "n.csv", Limits::default()).unwrap_err();
        assert_eq!(error.kind, ErrorKind::OverLimit { what: "bytes in a name", limit: 1024 }, "{error}");
        assert!(error.to_string().starts_with("n.csv, xxx"), "{error}");
    }
}

/// What is added to a name, or put in the place of a letter that XML cannot hold, must leave it within what is read again.
#[test]
fn the_longest_names_are_written_and_read_again() {
    let bells = "\u{7}".repeat(1_024);
    let letters = "量".repeat(341);
    for name in [bells.as_str(), letters.as_str()] {
        let text = format!("Well,Sample,Target,Task,Cq\nA1,{name},{name},UNKNOWN,20\nA2,{name},{name},NTC,\n{letters},,N,UNKNOWN,21\n");
        assert!(sound::file("n.csv", text.as_bytes()), "{name:?}");
    }
}

/// Found by the fuzzer: written in full, such a number is longer than what is read again.
#[test]
fn numbers_of_any_size_are_written_and_read_again() {
    let text = "cycle,A1,B2,C3\n0.5577,1.5,3E253,-2e-300\n1.55105,-1,-1.7976931348623157e308,5e-324\n2.5,0.1,123456789.123456789,1\n";
    assert!(sound::file("n.csv", text.as_bytes()));
}

#[test]
fn a_table_of_curves_that_ends_within_a_row_is_refused() {
    let whole = "cycle,A1,A2\n1,2.5,3\n2,2.6,3\n";
    let error = parse(&whole.as_bytes()[..whole.len() - 3], "t.csv", Limits::default()).unwrap_err();
    assert_eq!(error.to_string(), "t.csv, line 3: damaged or cut off: the last row has 2 of 3 cells and no end");
    for sound in [whole, &whole[..whole.len() - 1], "cycle,A1,A2\n1,2.5,3\n2,2.6\n"] {
        assert!(parse(sound.as_bytes(), "t.csv", Limits::default()).is_ok(), "{sound:?}");
    }
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
