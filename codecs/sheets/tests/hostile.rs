//! Sheets that are damaged, cut off or made to do harm: a refusal or a sound table, never a panic, never a flood.
//!
//! The number of rounds per seed can be raised for a drill with `BATON_FUZZ_ROUNDS`.

use std::io::{Cursor, Write};

use baton_sheets::{ColumnKind, Limits, SheetErrorKind, Table, read, write_csv, write_xlsx};

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

const PIECES: [&[u8]; 12] =
    [b"\"", b",", b"\t", b"\r", b"\n", b"\0", b"\xFF\xFE", b"<c r=\"XFD1048576\"><v>1</v></c>", b"<row r=\"1\">", b"999999999", b"t=\"s\"", b"&x;"];

fn mutate(seed: &[u8], stream: &mut Stream) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..=stream.below(3) {
        let at = stream.below(bytes.len() + 1);
        let end = at + stream.below((bytes.len() - at).min(64) + 1);
        match stream.below(5) {
            0 if at < bytes.len() => bytes[at] = stream.next() as u8,
            1 => drop(bytes.splice(at..at, PIECES[stream.below(PIECES.len())].iter().copied())),
            2 => drop(bytes.drain(at..end)),
            3 => {
                let part = bytes[at..end].to_vec();
                bytes.splice(at..at, part.repeat(1 + stream.below(4)));
            }
            _ => bytes.truncate(at),
        }
    }
    bytes
}

fn rounds() -> usize {
    std::env::var("BATON_FUZZ_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(1_000)
}

fn seeds() -> [(&'static str, Vec<u8>); 5] {
    let rows = [["440301199003071234", "张三", "=1"], ["", "李,四\n", "2026-03-01"]];
    let kinds = [ColumnKind::Text, ColumnKind::Text, ColumnKind::Number];
    let utf16 = "id;name\r\n1;张\r\n".encode_utf16().flat_map(u16::to_le_bytes);
    [
        ("a.csv", write_csv(&["证件", "name", "x"], rows)),
        ("b.csv", [0xFF, 0xFE].into_iter().chain(utf16).collect()),
        ("c.csv", b"id\tname\n1\t\xD5\xC5\xC8\xFD\n".to_vec()),
        ("d.xlsx", write_xlsx("名册", &["证件", "name", "x"], rows, &kinds).unwrap()),
        ("e.xls", include_bytes!("data/small.xls").to_vec()),
    ]
}

fn assert_sound(table: &Table, name: &str) {
    assert!(table.rows.windows(2).all(|pair| pair[0].number < pair[1].number), "{name}");
    assert!(table.rows.iter().all(|row| row.number > table.header_row && !row.is_blank()), "{name}");
    let cells: usize = table.rows.iter().flat_map(|row| row.cells()).map(str::len).sum();
    assert!(cells < 10_000_000);
}

#[test]
fn mutated_files_never_panic_and_stay_sound() {
    let mut whole = 0;
    for (name, seed) in seeds() {
        read(&seed, name, Limits::default()).unwrap();
        let mut stream = Stream(seed.len() as u64);
        for _ in 0..rounds() {
            if let Ok(table) = read(&mutate(&seed, &mut stream), name, Limits::default()) {
                assert_sound(&table, name);
                whole += 1;
            }
        }
    }
    assert!(whole > rounds(), "{whole}");
}

fn zip_of(members: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in members {
        archive.start_file(name.as_str(), zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(content).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

fn members(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    (0..archive.len())
        .map(|index| {
            let mut member = archive.by_index(index).unwrap();
            let mut content = Vec::new();
            std::io::copy(&mut member, &mut content).unwrap();
            (member.name().unwrap().into_owned(), content)
        })
        .collect()
}

#[test]
fn mutated_members_of_a_workbook_never_panic() {
    let members = members(&seeds()[3].1);
    let mut stream = Stream(1);
    let mut whole = 0;
    for _ in 0..rounds() {
        let mut changed = members.clone();
        let victim = stream.below(changed.len());
        changed[victim].1 = mutate(&changed[victim].1, &mut stream);
        if let Ok(table) = read(&zip_of(&changed), "d.xlsx", Limits::default()) {
            assert_sound(&table, "d.xlsx");
            whole += 1;
        }
    }
    assert!(whole > 0);
}

fn with_sheet(sheet: &str) -> Vec<u8> {
    let mut members = members(&seeds()[3].1);
    let place = members.iter_mut().find(|(name, _)| name == "xl/worksheets/sheet1.xml").unwrap();
    place.1 = format!("<worksheet xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"><sheetData>{sheet}</sheetData></worksheet>").into_bytes();
    zip_of(&members)
}

#[test]
fn a_far_corner_costs_no_memory() {
    let bytes = with_sheet("<row r=\"1\"><c r=\"A1\"><v>1</v></c><c r=\"B1\"><v>2</v></c></row><row r=\"1048576\"><c r=\"B1048576\"><v>7</v></c></row>");
    let table = read(&bytes, "d.xlsx", Limits::default()).unwrap();
    assert_eq!((table.rows.len(), table.rows[0].number, table.rows[0].cell(1)), (1, 1_048_576, "7"));
    let wide = with_sheet("<row r=\"1\"><c r=\"XFD1\"><v>7</v></c></row>");
    let error = read(&wide, "d.xlsx", Limits::default()).unwrap_err();
    assert_eq!(error.to_string(), "d.xlsx: row 1: more than 1024 columns");
}

/// One long text, referred to from many cells: small on disk, huge in memory.
#[test]
fn a_shared_text_that_is_repeated_counts_each_time() {
    let mut members = members(&with_sheet(&format!("<row r=\"1\">{}</row>", (0..200).map(|_| "<c t=\"s\"><v>0</v></c>").collect::<String>())));
    let strings = members.iter_mut().find(|(name, _)| name == "xl/sharedStrings.xml").unwrap();
    strings.1 = format!("<sst xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"><si><t>{}</t></si></sst>", "x".repeat(100_000)).into_bytes();
    let limits = Limits { text_bytes_max: 1 << 20, ..Limits::default() };
    let error = read(&zip_of(&members), "d.xlsx", limits).unwrap_err();
    assert_eq!(error.kind, SheetErrorKind::OverLimit { what: "bytes of text", limit: 1 << 20, row: Some(1) });
}

#[test]
fn a_zip_bomb_is_refused() {
    let mut members = members(&seeds()[3].1);
    members.push(("xl/media/huge.bin".into(), vec![0; 8 << 20]));
    let bytes = zip_of(&members);
    assert!(bytes.len() < 100_000);
    let limits = Limits { unpacked_bytes_max: 1 << 20, ..Limits::default() };
    let error = read(&bytes, "d.xlsx", limits).unwrap_err();
    assert_eq!(error.to_string(), "d.xlsx: more than 1048576 bytes once unpacked");
}

#[test]
fn cells_out_of_order_are_refused_not_mixed_up() {
    let bytes = with_sheet("<row r=\"2\"><c r=\"A2\"><v>1</v></c></row><row r=\"1\"><c r=\"A1\"><v>2</v></c></row>");
    let error = read(&bytes, "d.xlsx", Limits::default()).unwrap_err();
    assert_eq!(error.to_string(), "d.xlsx: the workbook is damaged: row 1 stands out of order");
}

/// 100,000 people as CSV: streamed, so only the row at hand is kept.
#[test]
fn a_large_csv_is_streamed() {
    let rows = (0..100_000_u32).map(|person| [format!("4403011990{person:08}"), format!("张{person}"), "13800138000".into(), "南山区".into()]);
    let bytes = write_csv(&["证件", "姓名", "电话", "区"], rows);
    let mut streamed = baton_sheets::CsvRows::open(&bytes, "big.csv", Limits::default()).unwrap();
    let mut last = 1;
    for row in streamed.by_ref() {
        let row = row.unwrap();
        assert_eq!((row.number, row.len()), (last + 1, 4));
        last = row.number;
    }
    assert_eq!(last, 100_001);
    assert_eq!(streamed.into_problems(), []);
}
