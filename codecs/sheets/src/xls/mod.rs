//! Workbooks of Excel 97–2003 (`.xls`): a compound file with one stream of records.
//!
//! Read by our own code since an `.xls` of a few megabytes can name cells in far corners, or one long text from many
//! cells, and unfold to gigabytes; here every cell is counted against the limits before its text is made.
//! Sources: MS-CFB (compound files), MS-XLS (BIFF8 records).

mod compound;
mod format;
mod records;

pub(crate) use records::XlsBook;
