/// One row: its number as the user sees it in the sheet, and its cells as text.
///
/// The cells lie end to end in one string, so half a million rows of fifteen columns stay near 150 MB.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Row {
    /// Row number counted from 1, blank rows included.
    pub number: usize,
    text: String,
    ends: Vec<u32>,
}

impl Row {
    pub(crate) fn new(number: usize) -> Self {
        Row { number, ..Row::default() }
    }

    /// Builds a row from cells.
    pub fn from_cells<S: AsRef<str>>(number: usize, cells: &[S]) -> Self {
        let bytes = cells.iter().map(|cell| cell.as_ref().len()).sum();
        let mut row = Row { number, text: String::with_capacity(bytes), ends: Vec::with_capacity(cells.len()) };
        for cell in cells {
            row.push(cell.as_ref());
        }
        row
    }

    pub(crate) fn push(&mut self, cell: &str) {
        self.text.push_str(cell);
        self.close_cell();
    }

    /// Room for the cell under construction; [`Row::close_cell`] ends it.
    pub(crate) fn text_mut(&mut self) -> &mut String {
        &mut self.text
    }

    pub(crate) fn close_cell(&mut self) {
        // Text per row is bounded far below 4 GiB by the limits checked before.
        self.ends.push(u32::try_from(self.text.len()).unwrap_or(u32::MAX));
    }

    /// Bytes of the cell under construction.
    pub(crate) fn open_bytes(&self) -> usize {
        self.text.len() - self.ends.last().map_or(0, |end| *end as usize)
    }

    pub(crate) fn shrink(&mut self) {
        self.text.shrink_to_fit();
        self.ends.shrink_to_fit();
    }

    /// Number of cells.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The cell in column `index` (from 0); a row that ends earlier has blank cells there.
    pub fn cell(&self, index: usize) -> &str {
        let Some(end) = self.ends.get(index) else {
            return "";
        };
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        self.text.get(start as usize..*end as usize).unwrap_or("")
    }

    pub fn cells(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).map(|index| self.cell(index))
    }

    /// Whether every cell is empty or blanks only.
    pub fn is_blank(&self) -> bool {
        self.text.trim().is_empty()
    }
}
