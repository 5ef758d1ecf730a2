//! A small workbook of Excel 97–2003, made for this test: two rows with a gap, a hidden second sheet.

use baton_sheets::{Limits, ProblemKind, SheetErrorKind, Workbook, read};

const SMALL: &[u8] = include_bytes!("data/small.xls");

#[test]
fn cells_dates_and_long_numbers_are_read() {
    let table = read(SMALL, "small.xls", Limits::default()).unwrap();
    assert_eq!(table.sheet.as_deref(), Some("名册"));
    assert_eq!(table.headers, ["证件", "name", "date", "n", "err", "f"]);
    let rows: Vec<(usize, Vec<&str>)> = table.rows.iter().map(|row| (row.number, row.cells().take(5).collect())).collect();
    assert_eq!(rows[0], (2, vec!["440301199003071234", "张三", "2026-03-01", "3.25"]));
    assert_eq!(rows[1], (4, vec!["440301199003071200", "ASCII only", "2026-03-01 08:30:00", "-7", "TRUE"]));
    assert_eq!((rows[2].0, rows[2].1[0].len(), &rows[2].1[1..]), (5, 300, &["", "36:00:00", "12.34"][..]));
    let [problem] = &table.problems[..] else { panic!("{:?}", table.problems) };
    assert_eq!((problem.row, problem.column), (Some(4), Some(1)));
    assert!(matches!(problem.kind, ProblemKind::LostDigits { .. }));
}

#[test]
fn a_hidden_sheet_is_told() {
    let mut book = Workbook::open(SMALL, "small.xls", Limits::default()).unwrap();
    let sheets: Vec<(String, bool)> = book.sheets().iter().map(|sheet| (sheet.name.clone(), sheet.visible)).collect();
    assert_eq!(sheets, [("名册".to_owned(), true), ("hidden".to_owned(), false)]);
    assert_eq!(book.rows("hidden").unwrap()[0].cell(0), "a");
    let error = book.rows("nowhere").unwrap_err();
    assert_eq!(error.kind, SheetErrorKind::NoSuchSheet { name: "nowhere".to_owned() });
}

#[test]
fn limits_hold_for_old_workbooks_too() {
    let refuse = |limits| read(SMALL, "small.xls", limits).unwrap_err().to_string();
    let base = Limits::default();
    assert_eq!(refuse(Limits { rows_max: 4, ..base }), "small.xls: row 5: more than 4 rows");
    assert_eq!(refuse(Limits { cells_max: 5, ..base }), "small.xls: more than 5 cells");
    assert_eq!(refuse(Limits { text_bytes_max: 100, ..base }), "small.xls: more than 100 bytes of text");
}

#[test]
fn a_file_cut_off_is_refused() {
    let error = read(&SMALL[..2_048], "small.xls", Limits::default()).unwrap_err();
    assert!(matches!(error.kind, SheetErrorKind::Damaged { .. }), "{error}");
}
