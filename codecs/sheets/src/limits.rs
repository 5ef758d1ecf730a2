use crate::problem::SheetErrorKind;

/// Upper bounds of what one file may hold. The defaults fit a roster of a million people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Size of the file as received.
    pub bytes_max: usize,
    /// Sum of all members of a workbook once unpacked.
    pub unpacked_bytes_max: u64,
    pub rows_max: usize,
    pub columns_max: usize,
    pub cells_max: usize,
    /// Bytes of text in one cell (Excel itself stops at 32,767 characters).
    pub cell_bytes_max: usize,
    /// Bytes of text in all cells together.
    pub text_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            bytes_max: 256 << 20,
            unpacked_bytes_max: 2 << 30,
            rows_max: 1_048_576,
            columns_max: 1_024,
            cells_max: 32_000_000,
            cell_bytes_max: 128 << 10,
            text_bytes_max: 1 << 30,
        }
    }
}

/// Counts what was read against the limits.
#[derive(Debug, Clone)]
pub(crate) struct Budget {
    pub(crate) limits: Limits,
    cells: usize,
    text_bytes: usize,
}

impl Budget {
    pub(crate) fn new(limits: Limits) -> Self {
        Budget { limits, cells: 0, text_bytes: 0 }
    }

    pub(crate) fn cell(&mut self, row: usize, column: usize, bytes: usize) -> Result<(), SheetErrorKind> {
        self.cells += 1;
        self.text_bytes = self.text_bytes.saturating_add(bytes);
        let Limits { rows_max, columns_max, cells_max, cell_bytes_max, text_bytes_max, .. } = self.limits;
        let over = |what, limit| Err(SheetErrorKind::OverLimit { what, limit, row: Some(row) });
        match () {
            () if row > rows_max => over("rows", rows_max as u64),
            () if column > columns_max => over("columns", columns_max as u64),
            () if self.cells > cells_max => over("cells", cells_max as u64),
            () if bytes > cell_bytes_max => over("bytes in one cell", cell_bytes_max as u64),
            () if self.text_bytes > text_bytes_max => over("bytes of text", text_bytes_max as u64),
            () => Ok(()),
        }
    }
}
