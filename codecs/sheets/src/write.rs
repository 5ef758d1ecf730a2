use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Workbook, XlsxError};

/// What a column of a written workbook holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnKind {
    /// Stored and shown as text: names, codes, document numbers, phones.
    Text,
    /// Stored as a number where the cell is one with at most 15 digits; as text otherwise.
    Number,
}

/// UTF-8 with a byte-order mark (without it Excel shows Chinese as rubbish), CRLF line ends, cells quoted where
/// needed and guarded against formulas by [`guard_formula`].
pub fn write_csv<H, R, C>(headers: &[H], rows: impl IntoIterator<Item = R>) -> Vec<u8>
where
    H: AsRef<str>,
    R: IntoIterator<Item = C>,
    C: AsRef<str>,
{
    let mut out = String::from("\u{FEFF}");
    push_line(&mut out, headers.iter().map(AsRef::as_ref));
    for row in rows {
        let mut first = true;
        for cell in row {
            push_cell(&mut out, cell.as_ref(), first);
            first = false;
        }
        out.push_str("\r\n");
    }
    out.into_bytes()
}

fn push_line<'a>(out: &mut String, cells: impl Iterator<Item = &'a str>) {
    for (index, cell) in cells.enumerate() {
        push_cell(out, cell, index == 0);
    }
    out.push_str("\r\n");
}

fn push_cell(out: &mut String, cell: &str, first: bool) {
    if !first {
        out.push(',');
    }
    let guard = if needs_guard(cell) { "'" } else { "" };
    if cell.contains(['"', ',', ';', '\t', '\r', '\n']) || cell.starts_with(' ') || cell.ends_with(' ') {
        out.push('"');
        out.push_str(guard);
        out.push_str(&cell.replace('"', "\"\""));
        out.push('"');
    } else {
        out.push_str(guard);
        out.push_str(cell);
    }
}

/// Puts an apostrophe before a cell that a spreadsheet would run as a formula: one that begins with `=`, `+`, `-`,
/// `@`, tab or carriage return, also behind apostrophes (so that the guard can be undone). A plain negative number
/// such as `-3.5` is data and stays.
pub fn guard_formula(cell: &str) -> String {
    if needs_guard(cell) { format!("'{cell}") } else { cell.to_owned() }
}

/// Takes off what [`guard_formula`] put on.
pub fn unguard_formula(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(rest) if is_formula(rest.trim_start_matches('\'')) => rest,
        _ => cell,
    }
}

fn needs_guard(cell: &str) -> bool {
    is_formula(cell.trim_start_matches('\'')) && !is_negative_number(cell)
}

fn is_formula(cell: &str) -> bool {
    cell.starts_with(['=', '+', '-', '@', '\t', '\r'])
}

fn is_negative_number(cell: &str) -> bool {
    cell.strip_prefix('-').is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_digit()) && rest.parse::<f64>().is_ok())
}

/// A workbook of one sheet. The same input gives the same bytes: the creation time is fixed.
///
/// # Errors
/// More rows or columns than Excel holds, a cell over 32,767 characters, or a bad sheet name, in words.
pub fn write_xlsx<H, R, C>(sheet_name: &str, headers: &[H], rows: impl IntoIterator<Item = R>, kinds: &[ColumnKind]) -> Result<Vec<u8>, String>
where
    H: AsRef<str>,
    R: IntoIterator<Item = C>,
    C: AsRef<str>,
{
    let headers: Vec<&str> = headers.iter().map(AsRef::as_ref).collect();
    xlsx(sheet_name, &headers, rows, kinds).map_err(|error| error.to_string())
}

fn xlsx<R, C>(name: &str, headers: &[&str], rows: impl IntoIterator<Item = R>, kinds: &[ColumnKind]) -> Result<Vec<u8>, XlsxError>
where
    R: IntoIterator<Item = C>,
    C: AsRef<str>,
{
    let mut book = Workbook::new();
    let created = ExcelDateTime::from_ymd(2000, 1, 1)?;
    book.set_properties(&DocProperties::new().set_creation_datetime(&created));
    let (bold, text) = (Format::new().set_bold().set_num_format("@"), Format::new().set_num_format("@"));
    let sheet = book.add_worksheet().set_name(name)?;
    sheet.set_freeze_panes(1, 0)?;
    for (column, header) in (0_u16..).zip(headers) {
        if kinds.get(usize::from(column)) != Some(&ColumnKind::Number) {
            sheet.set_column_format(column, &text)?;
        }
        sheet.write_string_with_format(0, column, *header, &bold)?;
    }
    for (line, row) in (1_u32..).zip(rows) {
        for (column, cell) in row.into_iter().enumerate() {
            let column_index = u16::try_from(column).map_err(|_| XlsxError::RowColumnLimitError)?;
            let cell = cell.as_ref();
            match (kinds.get(column), exact_number(cell)) {
                (Some(ColumnKind::Number), Some(number)) => sheet.write_number(line, column_index, number)?,
                _ => sheet.write_string_with_format(line, column_index, cell, &text)?,
            };
        }
    }
    book.save_to_buffer()
}

/// The number a cell holds, if a spreadsheet can keep it exactly.
fn exact_number(cell: &str) -> Option<f64> {
    let digits = cell.bytes().filter(u8::is_ascii_digit).count();
    let plain = cell.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'-' | b'+' | b'e' | b'E'));
    if plain && digits <= 15 { cell.parse().ok().filter(|number: &f64| number.is_finite()) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Limits, ProblemKind, read};
    use proptest::prelude::*;

    #[test]
    fn formulas_are_guarded_and_numbers_are_not() {
        for dangerous in ["=1+1", "+8613800138000", "-1+1", "@SUM(A1)", "\t=1", "'=1", "-"] {
            assert_eq!(guard_formula(dangerous), format!("'{dangerous}"));
        }
        for harmless in ["", "张三", "-3.5", "-1e-3", "1-2", "'quoted'"] {
            assert_eq!(guard_formula(harmless), harmless);
        }
        // "-nan" and "-inf" parse as numbers in Rust and not in a spreadsheet.
        assert_eq!(guard_formula("-inf"), "'-inf");
    }

    #[test]
    fn csv_opens_in_excel_and_reads_back() {
        let bytes = write_csv(&["姓名", "备注"], [["张三", "=HYPERLINK(\"x\")"], ["李, 四", "a\nb"]]);
        assert_eq!(String::from_utf8(bytes.clone()).unwrap(), "\u{FEFF}姓名,备注\r\n张三,\"'=HYPERLINK(\"\"x\"\")\"\r\n\"李, 四\",\"a\nb\"\r\n");
        let table = read(&bytes, "x.csv", Limits::default()).unwrap();
        assert_eq!(table.rows[0].cell(1), "=HYPERLINK(\"x\")");
        assert_eq!(table.problems, []);
    }

    #[test]
    fn xlsx_keeps_long_numbers_as_text_and_is_the_same_twice() {
        let rows = [["440301199003071234", "012", "3.5"], ["张三", "=1+1", "12345678901234567"]];
        let kinds = [ColumnKind::Text, ColumnKind::Text, ColumnKind::Number];
        let bytes = write_xlsx("名册", &["证件", "代码", "数"], rows, &kinds).unwrap();
        assert_eq!(bytes, write_xlsx("名册", &["证件", "代码", "数"], rows, &kinds).unwrap());
        let table = read(&bytes, "x.xlsx", Limits::default()).unwrap();
        assert_eq!(table.sheet.as_deref(), Some("名册"));
        assert_eq!(table.headers, ["证件", "代码", "数"]);
        let cells: Vec<Vec<&str>> = table.rows.iter().map(|row| row.cells().collect()).collect();
        assert_eq!(cells, rows);
        assert_eq!(table.rows[1].number, 3);
        assert_eq!(table.problems, []);
    }

    #[test]
    fn a_long_number_stored_as_a_number_is_reported() {
        let mut book = Workbook::new();
        let sheet = book.add_worksheet();
        sheet.write_string(0, 0, "id").unwrap().write_string(0, 1, "day").unwrap();
        sheet.write_number(2, 0, 440_301_199_003_071_234.0).unwrap();
        let day = ExcelDateTime::parse_from_str("2026-03-01 08:30:00").unwrap();
        sheet.write_datetime_with_format(2, 1, &day, &Format::new().set_num_format("yyyy-mm-dd hh:mm")).unwrap();
        let table = read(&book.save_to_buffer().unwrap(), "x.xlsx", Limits::default()).unwrap();
        assert_eq!(table.rows[0].number, 3);
        assert_eq!(table.rows[0].cell(1), "2026-03-01 08:30:00");
        let [problem] = &table.problems[..] else { panic!("{:?}", table.problems) };
        assert_eq!((problem.row, problem.column), (Some(3), Some(1)));
        assert!(matches!(&problem.kind, ProblemKind::LostDigits { shown } if shown.starts_with("44030119900307")));
    }

    proptest! {
        #[test]
        fn csv_round_trips(rows in proptest::collection::vec(proptest::collection::vec("[ =+@'\",;\t\r\na-c0-9.张-]{0,8}", 3), 1..8)) {
            let bytes = write_csv(&["a", "b", "c"], &rows);
            let table = read(&bytes, "x.csv", Limits::default()).unwrap();
            let read_back: Vec<Vec<&str>> = table.rows.iter().map(|row| row.cells().collect()).collect();
            let kept: Vec<Vec<&str>> = rows
                .iter()
                .filter(|row| !row.concat().trim().is_empty())
                .map(|row| row.iter().map(String::as_str).collect())
                .collect();
            prop_assert_eq!(read_back, kept);
        }

        #[test]
        fn guarding_is_undone(cell in "[=+@'\t\ra-c0-9.-]{0,6}") {
            let guarded = guard_formula(&cell);
            prop_assert_eq!(unguard_formula(&guarded), cell);
        }
    }
}
