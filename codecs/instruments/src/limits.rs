/// Upper bounds of what one file may hold. The defaults fit a 1536-well plate with six dyes many times over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Size of the file as received.
    pub bytes_max: usize,
    /// Size once unpacked (RDML, XLSX, gzip).
    pub unpacked_bytes_max: u64,
    /// Wells in all runs.
    pub wells_max: usize,
    /// Curves, that is targets and dyes in all wells.
    pub curves_max: usize,
    /// Fluorescence values in all curves; also the rows of all tables.
    pub readings_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { bytes_max: 64 << 20, unpacked_bytes_max: 256 << 20, wells_max: 100_000, curves_max: 200_000, readings_max: 2_000_000 }
    }
}

impl Limits {
    /// The same bounds for sheets.
    pub(crate) fn sheets(&self) -> baton_sheets::Limits {
        baton_sheets::Limits {
            bytes_max: self.bytes_max.max(usize::try_from(self.unpacked_bytes_max).unwrap_or(usize::MAX)),
            unpacked_bytes_max: self.unpacked_bytes_max,
            columns_max: 16_384,
            cell_bytes_max: CELL_BYTES_MAX,
            cells_max: self.readings_max.saturating_mul(8),
            ..baton_sheets::Limits::default()
        }
    }
}

/// Bytes in a cell of a table.
pub(crate) const CELL_BYTES_MAX: usize = 8 << 10;
/// Bytes in a name or value of RDML, where one name may stand in many places.
pub(crate) const NAME_BYTES_MAX: usize = 1 << 10;
/// Columns of one table of wells.
pub(crate) const COLUMNS_MAX: usize = 2_000;
