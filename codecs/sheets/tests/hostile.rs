//! Sheets that are damaged, cut off or made to do harm: a refusal or a sound table, never a panic, never a flood.
//!
//! The number of rounds per seed can be raised for a drill with `BATON_FUZZ_ROUNDS`.

mod sound;

use baton_hostile::{drill, drill_members, packed, rounds, unpacked};
use baton_sheets::{Limits, SheetErrorKind, read, write_csv};
use sound::{PIECES, seeds};

/// An `.xls` written by a program of that time.
fn old_workbook() -> (&'static str, Vec<u8>) {
    ("e.xls", include_bytes!("data/small.xls").to_vec())
}

#[test]
fn mutated_files_never_panic_and_stay_sound() {
    let seeds: Vec<_> = seeds().into_iter().chain([old_workbook()]).collect();
    assert!(seeds.iter().all(|(name, seed)| sound::file(name, seed)));
    let rounds = rounds(1_000);
    let taken = drill(&seeds, &PIECES, rounds, sound::file);
    assert!(taken > rounds, "{taken}");
}

#[test]
fn mutated_members_of_a_workbook_never_panic() {
    assert!(drill_members(&seeds()[3..], &PIECES, rounds(1_000), sound::file) > 0);
}

fn with_sheet(sheet: &str) -> Vec<u8> {
    let mut members = unpacked(&seeds()[3].1);
    let place = members.iter_mut().find(|(name, _)| name == "xl/worksheets/sheet1.xml").unwrap();
    place.1 = format!("<worksheet xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"><sheetData>{sheet}</sheetData></worksheet>").into_bytes();
    packed(&members)
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
    let mut members = unpacked(&with_sheet(&format!("<row r=\"1\">{}</row>", (0..200).map(|_| "<c t=\"s\"><v>0</v></c>").collect::<String>())));
    let strings = members.iter_mut().find(|(name, _)| name == "xl/sharedStrings.xml").unwrap();
    strings.1 = format!("<sst xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"><si><t>{}</t></si></sst>", "x".repeat(100_000)).into_bytes();
    let limits = Limits { text_bytes_max: 1 << 20, ..Limits::default() };
    let error = read(&packed(&members), "d.xlsx", limits).unwrap_err();
    assert_eq!(error.kind, SheetErrorKind::OverLimit { what: "bytes of text", limit: 1 << 20, row: Some(1) });
}

#[test]
fn a_zip_bomb_is_refused() {
    let mut members = unpacked(&seeds()[3].1);
    members.push(("xl/media/huge.bin".into(), vec![0; 8 << 20]));
    let bytes = packed(&members);
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
