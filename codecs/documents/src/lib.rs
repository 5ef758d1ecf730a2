//! What is printed: QR codes and Code 128 bars as SVG, check characters for numbers that may be typed by hand,
//! labels as ZPL for label printers and as A4 sheets for any printer, and papers as tagged PDF.
//!
//! Everything is pure: text in, text or bytes out, and the same input gives the same output.

mod check;
mod code128;
mod label;
pub mod pdf;
mod qr;
mod sheet;
mod svg;
mod zpl;

pub use check::{CheckError, check_character, strip_check, with_check};
pub use code128::{Bars, code128, code128_svg};
pub use label::{Label, Symbol};
pub use qr::{ErrorCorrection, QrCode, qr_code, qr_svg};
pub use sheet::{SheetLayout, label_sheet_html, label_sheet_pages};
pub use svg::escape_xml;
pub use zpl::{ZplPrinter, zpl_label, zpl_labels};

/// Why a symbol or label cannot be made.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum DocumentError {
    #[error("{bytes} bytes do not fit in one {symbol}")]
    TooLong { symbol: &'static str, bytes: usize },
    #[error("{symbol} cannot hold “{character}” (character {at})")]
    NotEncodable { symbol: &'static str, character: char, at: usize },
    #[error("the {symbol} needs {needed_mm:.1} mm and the label has {given_mm:.1} mm")]
    NoRoom { symbol: &'static str, needed_mm: f64, given_mm: f64 },
    #[error("the PDF cannot be written: {0}")]
    NotWritten(String),
    #[error("{0} is not a usable size")]
    BadSize(&'static str),
}
