//! BIFF8: the stream of records in an `.xls`.

use std::collections::HashMap;

use calamine::{Data, ExcelDateTime, ExcelDateTimeType};

use super::compound::{Found, stream, u16_at, u32_at};
use super::format;
use crate::limits::Limits;
use crate::problem::SheetErrorKind;
use crate::workbook::SheetInfo;

const BIFF8: u16 = 0x0600;
const BOF: u16 = 0x0809;
const EOF: u16 = 0x000A;
const CONTINUE: u16 = 0x003C;

fn damaged(detail: &str) -> SheetErrorKind {
    SheetErrorKind::Damaged { member: None, detail: detail.to_owned() }
}

/// An opened workbook: its stream, its shared texts and what its formats mean.
pub(crate) struct XlsBook {
    stream: Vec<u8>,
    pub(crate) sheets: Vec<SheetInfo>,
    /// Where each worksheet begins in the stream.
    starts: Vec<usize>,
    strings: Vec<String>,
    /// Meaning of each cell format.
    dates: Vec<Option<ExcelDateTimeType>>,
    is_1904: bool,
}

/// A cell before its text is made.
enum Raw {
    Shared(u32),
    Value(Data),
}

impl XlsBook {
    pub(crate) fn open(file: &[u8], limits: Limits) -> Result<XlsBook, SheetErrorKind> {
        let stream = match stream(file, "Workbook") {
            Some(Found::Stream(stream)) => stream,
            Some(Found::Names(names)) if names.iter().any(|name| name == "EncryptedPackage") => {
                return Err(SheetErrorKind::Encrypted);
            }
            Some(Found::Names(names)) if names.iter().any(|name| name == "Book") => {
                return Err(damaged("written by Excel 95 or older; save it as xlsx"));
            }
            Some(Found::Names(_)) => return Err(damaged("a compound file without a workbook")),
            None => return Err(damaged("its sectors cannot be followed")),
        };
        let mut book = XlsBook { stream: Vec::new(), sheets: Vec::new(), starts: Vec::new(), strings: Vec::new(), dates: Vec::new(), is_1904: false };
        book.read_globals(&stream, limits)?;
        book.stream = stream;
        Ok(book)
    }

    fn read_globals(&mut self, stream: &[u8], limits: Limits) -> Result<(), SheetErrorKind> {
        let mut records = Records { stream, at: 0 };
        match records.next() {
            Some((BOF, data)) if u16_at(data, 0) == Some(BIFF8) => {}
            _ => return Err(damaged("not a workbook of Excel 97 or later")),
        }
        let mut formats: HashMap<u16, Option<ExcelDateTimeType>> = HashMap::new();
        while let Some((kind, data)) = records.next() {
            match kind {
                0x002F => return Err(SheetErrorKind::Encrypted),
                0x0022 => self.is_1904 = u16_at(data, 0) == Some(1),
                0x0085 => self.read_bound_sheet(data),
                0x041E => {
                    let text = Segments::new(vec![data.get(2..).unwrap_or(&[])]).text();
                    formats.insert(u16_at(data, 0).unwrap_or(0), text.as_deref().and_then(format::of_text));
                }
                0x00E0 => {
                    let index = u16_at(data, 2).unwrap_or(0);
                    self.dates.push(formats.get(&index).copied().unwrap_or_else(|| format::of_builtin(index)));
                }
                0x00FC => {
                    let mut segments = vec![data];
                    while records.peek() == Some(CONTINUE) {
                        segments.extend(records.next().map(|(_, data)| data));
                    }
                    self.strings = read_strings(segments, limits)?;
                }
                EOF => return Ok(()),
                _ => {}
            }
        }
        Err(damaged("it ends before its worksheets"))
    }

    fn read_bound_sheet(&mut self, data: &[u8]) {
        let (Some(start), Some([state, kind, letters, wide, name @ ..])) = (u32_at(data, 0), data.get(4..)) else { return };
        if *kind != 0 {
            return;
        }
        let name = plain_text(name, usize::from(*letters), wide & 1 == 1).unwrap_or_default();
        self.sheets.push(SheetInfo { name, visible: state & 3 == 0 });
        self.starts.push(start as usize);
    }

    /// Calls `add` with row and column (from 1) and value of every cell that holds something, in reading order.
    pub(crate) fn cells(
        &self,
        sheet: &str,
        limits: Limits,
        mut add: impl FnMut(usize, usize, &Data) -> Result<(), SheetErrorKind>,
    ) -> Result<(), SheetErrorKind> {
        let index = self.sheets.iter().position(|known| known.name == sheet);
        let start = index.and_then(|index| self.starts.get(index)).copied().unwrap_or(usize::MAX);
        let mut cells = self.raw_cells(start, limits)?;
        cells.sort_by_key(|(row, column, _)| (*row, *column));
        for (row, column, raw) in cells {
            let (row, column) = (usize::from(row) + 1, usize::from(column) + 1);
            match raw {
                Raw::Value(value) => add(row, column, &value)?,
                Raw::Shared(index) => {
                    let text = self.strings.get(index as usize).ok_or_else(|| damaged("a cell names a text that is not there"))?;
                    add(row, column, &Data::String(text.clone()))?;
                }
            }
        }
        Ok(())
    }

    fn raw_cells(&self, start: usize, limits: Limits) -> Result<Vec<(u16, u16, Raw)>, SheetErrorKind> {
        let mut records = Records { stream: &self.stream, at: start };
        if !matches!(records.next(), Some((BOF, _))) {
            return Err(damaged("a worksheet is not where the workbook says"));
        }
        let mut cells = Vec::new();
        // A formula whose text follows in a record of its own.
        let mut waiting = None;
        let mut depth = 1;
        for (kind, data) in records {
            match kind {
                BOF => depth += 1,
                EOF => depth -= 1,
                _ if depth > 1 => {}
                0x0207 => {
                    if let (Some((row, column)), Some(text)) = (waiting.take(), Segments::new(vec![data]).text()) {
                        cells.push((row, column, Raw::Value(Data::String(text))));
                    }
                }
                0x00BD => self.read_many(data, &mut cells),
                _ => {
                    if let (Some(row), Some(column)) = (u16_at(data, 0), u16_at(data, 2)) {
                        match self.read_cell(kind, data) {
                            Some(Cell::Raw(raw)) => cells.push((row, column, raw)),
                            Some(Cell::TextFollows) => waiting = Some((row, column)),
                            None => {}
                        }
                    }
                }
            }
            if depth == 0 {
                return Ok(cells);
            }
            if cells.len() > limits.cells_max {
                return Err(SheetErrorKind::OverLimit { what: "cells", limit: limits.cells_max as u64, row: None });
            }
        }
        Err(damaged("it ends inside a worksheet"))
    }

    fn read_cell(&self, kind: u16, data: &[u8]) -> Option<Cell> {
        let value = |value| Some(Cell::Raw(Raw::Value(value)));
        match kind {
            0x00FD => Some(Cell::Raw(Raw::Shared(u32_at(data, 6)?))),
            0x0203 => value(self.number(f64_at(data, 6)?, data)),
            0x027E => value(self.number(packed_number(u32_at(data, 6)?), data)),
            0x0204 | 0x00D6 => value(Data::String(Segments::new(vec![data.get(6..)?]).text()?)),
            0x0205 => value(if *data.get(7)? == 0 { Data::Bool(*data.get(6)? != 0) } else { error_value(*data.get(6)?) }),
            0x0006 => match (u16_at(data, 12)?, *data.get(6)?) {
                (0xFFFF, 0) => Some(Cell::TextFollows),
                (0xFFFF, 1) => value(Data::Bool(*data.get(8)? != 0)),
                (0xFFFF, 2) => value(error_value(*data.get(8)?)),
                (0xFFFF, _) => None,
                _ => value(self.number(f64_at(data, 6)?, data)),
            },
            _ => None,
        }
    }

    /// `MULRK`: several packed numbers side by side.
    fn read_many(&self, data: &[u8], cells: &mut Vec<(u16, u16, Raw)>) {
        let (Some(row), Some(first)) = (u16_at(data, 0), u16_at(data, 2)) else { return };
        let body = data.get(4..data.len().saturating_sub(2)).unwrap_or(&[]);
        for (column, entry) in (first..=u16::MAX).zip(body.chunks_exact(6)) {
            let number = packed_number(u32_at(entry, 2).unwrap_or(0));
            let format = u16_at(entry, 0).unwrap_or(0);
            cells.push((row, column, Raw::Value(self.formatted(number, format))));
        }
    }

    fn number(&self, number: f64, data: &[u8]) -> Data {
        self.formatted(number, u16_at(data, 4).unwrap_or(0))
    }

    fn formatted(&self, number: f64, format: u16) -> Data {
        match self.dates.get(usize::from(format)).copied().flatten() {
            Some(kind) => Data::DateTime(ExcelDateTime::new(number, kind, self.is_1904)),
            None => Data::Float(number),
        }
    }
}

enum Cell {
    Raw(Raw),
    TextFollows,
}

fn f64_at(bytes: &[u8], at: usize) -> Option<f64> {
    Some(f64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}

/// `RK`: 30 bits of a number, either whole or the front of a float, perhaps a hundredth.
fn packed_number(packed: u32) -> f64 {
    let number = if packed & 2 == 0 { f64::from_bits(u64::from(packed & !3) << 32) } else { f64::from(packed.cast_signed() >> 2) };
    if packed & 1 == 0 { number } else { number / 100.0 }
}

fn error_value(code: u8) -> Data {
    use calamine::CellErrorType;
    Data::Error(match code {
        0x00 => CellErrorType::Null,
        0x07 => CellErrorType::Div0,
        0x0F => CellErrorType::Value,
        0x17 => CellErrorType::Ref,
        0x1D => CellErrorType::Name,
        0x24 => CellErrorType::Num,
        _ => CellErrorType::NA,
    })
}

/// Kind and content of one record after another.
struct Records<'a> {
    stream: &'a [u8],
    at: usize,
}

impl<'a> Records<'a> {
    fn peek(&self) -> Option<u16> {
        u16_at(self.stream, self.at)
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let kind = u16_at(self.stream, self.at)?;
        let start = self.at.checked_add(4)?;
        let end = start.checked_add(usize::from(u16_at(self.stream, self.at + 2)?))?;
        let data = self.stream.get(start..end)?;
        self.at = end;
        Some((kind, data))
    }
}

/// All shared texts, bounded by the same limits as the cells.
fn read_strings(segments: Vec<&[u8]>, limits: Limits) -> Result<Vec<String>, SheetErrorKind> {
    let cut = || damaged("its shared texts are cut off");
    let mut reader = Segments::new(segments);
    reader.skip(4).ok_or_else(cut)?;
    let count = reader.u32().ok_or_else(cut)?;
    let mut strings = Vec::new();
    let mut bytes = 0;
    for _ in 0..count {
        let text = reader.text().ok_or_else(cut)?;
        bytes += text.len() + size_of::<String>();
        if bytes > limits.text_bytes_max {
            return Err(SheetErrorKind::OverLimit { what: "bytes of text", limit: limits.text_bytes_max as u64, row: None });
        }
        strings.push(text);
    }
    Ok(strings)
}

/// A record and those that continue it, read as one.
struct Segments<'a> {
    segments: std::vec::IntoIter<&'a [u8]>,
    rest: &'a [u8],
}

impl<'a> Segments<'a> {
    fn new(segments: Vec<&'a [u8]>) -> Self {
        Segments { segments: segments.into_iter(), rest: &[] }
    }

    /// Moves on to the next segment while this one is used up.
    fn refill(&mut self) -> Option<()> {
        while self.rest.is_empty() {
            self.rest = self.segments.next()?;
        }
        Some(())
    }

    fn u8(&mut self) -> Option<u8> {
        self.refill()?;
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    fn u16(&mut self) -> Option<u16> {
        Some(u16::from_le_bytes([self.u8()?, self.u8()?]))
    }

    fn u32(&mut self) -> Option<u32> {
        Some(u32::from(self.u16()?) | u32::from(self.u16()?) << 16)
    }

    fn skip(&mut self, bytes: usize) -> Option<()> {
        let mut left = bytes;
        while left > 0 {
            self.refill()?;
            let step = left.min(self.rest.len());
            self.rest = &self.rest[step..];
            left -= step;
        }
        Some(())
    }

    /// A text with its length; formatting and phonetic parts behind it are passed over.
    fn text(&mut self) -> Option<String> {
        let mut left = usize::from(self.u16()?);
        let flags = self.u8()?;
        let runs = if flags & 8 != 0 { usize::from(self.u16()?) } else { 0 };
        let phonetic = if flags & 4 != 0 { self.u32()? as usize } else { 0 };
        let mut wide = flags & 1 != 0;
        let mut units: Vec<u16> = Vec::with_capacity(left);
        while left > 0 {
            if self.rest.is_empty() {
                // Each continuation says anew how wide its letters are.
                self.refill()?;
                wide = self.u8()? & 1 != 0;
            }
            let size = if wide { 2 } else { 1 };
            let letters = left.min(self.rest.len() / size);
            if letters == 0 {
                return None;
            }
            let (now, rest) = self.rest.split_at(letters * size);
            units.extend(now.chunks_exact(size).map(|unit| u16::from(unit[0]) | unit.get(1).map_or(0, |high| u16::from(*high) << 8)));
            self.rest = rest;
            left -= letters;
        }
        self.skip(runs * 4)?;
        self.skip(phonetic)?;
        Some(String::from_utf16_lossy(&units))
    }
}

/// A text of known length in one piece.
fn plain_text(bytes: &[u8], letters: usize, wide: bool) -> Option<String> {
    let size = if wide { 2 } else { 1 };
    let units: Vec<u16> =
        bytes.get(..letters * size)?.chunks_exact(size).map(|unit| u16::from(unit[0]) | unit.get(1).map_or(0, |high| u16::from(*high) << 8)).collect();
    Some(String::from_utf16_lossy(&units))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_numbers_unfold() {
        assert_eq!(packed_number(0x3FF0_0000), 1.0);
        assert_eq!(packed_number(0x3FF0_0001), 0.01);
        assert_eq!(packed_number((1234 << 2) | 2), 1234.0);
        assert_eq!(packed_number((1234 << 2) | 3), 12.34);
        assert_eq!(packed_number(((-5_i32 << 2) | 2).cast_unsigned()), -5.0);
    }

    #[test]
    fn a_text_may_change_its_width_where_it_is_continued() {
        // Six letters: three narrow ones, then, continued, one wide and two narrow.
        let segments = vec![&[6, 0, 0, b'a', b'b', b'c'][..], &[1, 0x20, 0x5F], &[0, b'd', b'e']];
        assert_eq!(Segments::new(segments).text().as_deref(), Some("abc\u{5F20}de"));
        assert_eq!(Segments::new(vec![&[9, 0, 0, b'a']]).text(), None);
    }
}
