//! What must hold of any bytes given for a sheet: the target function of `tests/hostile.rs` and of the fuzz target.
#![allow(dead_code)]

use baton_sheets::{ColumnKind, CsvRows, Limits, Table, read, write_csv, write_xlsx};

/// Parts of files that change their meaning more than single bytes do.
pub const PIECES: [&[u8]; 12] =
    [b"\"", b",", b"\t", b"\r", b"\n", b"\0", b"\xFF\xFE", b"<c r=\"XFD1048576\"><v>1</v></c>", b"<row r=\"1\">", b"999999999", b"t=\"s\"", b"&x;"];

/// Name and content of each seed; the last is the workbook.
pub fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let rows = [["440301199003071234", "张三", "=1"], ["", "李,四\n", "2026-03-01"]];
    let kinds = [ColumnKind::Text, ColumnKind::Text, ColumnKind::Number];
    let utf16 = "id;name\r\n1;张\r\n".encode_utf16().flat_map(u16::to_le_bytes);
    vec![
        ("a.csv", write_csv(&["证件", "name", "x"], rows)),
        ("b.csv", [0xFF, 0xFE].into_iter().chain(utf16).collect()),
        ("c.csv", b"id\tname\n1\t\xD5\xC5\xC8\xFD\n".to_vec()),
        ("d.xlsx", write_xlsx("名册", &["证件", "name", "x"], rows, &kinds).expect("a small table is written")),
    ]
}

/// Any file; whether it was taken.
pub fn file(name: &str, bytes: &[u8]) -> bool {
    if let Ok(mut streamed) = CsvRows::open(bytes, name, Limits::default()) {
        let mut last = 0;
        for row in streamed.by_ref().map_while(Result::ok) {
            assert!(row.number > last, "{name}: row {} after {last}", row.number);
            last = row.number;
        }
    }
    let Ok(table) = read(bytes, name, Limits::default()) else { return false };
    assert_sound(&table, name);
    true
}

fn assert_sound(table: &Table, name: &str) {
    assert!(table.rows.windows(2).all(|pair| pair[0].number < pair[1].number), "{name}");
    assert!(table.rows.iter().all(|row| row.number > table.header_row && !row.is_blank()), "{name}");
    let cells: usize = table.rows.iter().flat_map(|row| row.cells()).map(str::len).sum();
    assert!(cells < 10_000_000);
}
