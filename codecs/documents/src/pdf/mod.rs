//! Papers as tagged PDF: what is on them is told in blocks; fonts, lines, pages and structure are made here.
//!
//! The same paper gives the same bytes: no clock, no chance, ids in the order of making.

mod chart;
mod draw;
mod face;
mod layout;
mod lines;
mod sheet;

pub use chart::{Chart, ChartLimit, ChartLine};
pub use sheet::label_sheet_pdf;

use crate::DocumentError;

/// What a text is about, shown by its colour; the words must say it too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tone {
    #[default]
    Plain,
    Soft,
    Good,
    Bad,
    Warn,
}

/// A text in a list or a table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Entry {
    pub text: String,
    pub tone: Tone,
    /// It held once and does not any more.
    pub struck: bool,
}

impl Entry {
    pub fn plain(text: impl Into<String>) -> Entry {
        Entry { text: text.into(), ..Entry::default() }
    }

    pub fn toned(text: impl Into<String>, tone: Tone) -> Entry {
        Entry { text: text.into(), tone, struck: false }
    }

    pub fn struck(text: impl Into<String>) -> Entry {
        Entry { text: text.into(), tone: Tone::Soft, struck: true }
    }
}

impl<T: Into<String>> From<T> for Entry {
    fn from(text: T) -> Entry {
        Entry::plain(text)
    }
}

/// A QR code with words beside it.
#[derive(Debug, Clone, PartialEq)]
pub struct QrBlock {
    pub content: String,
    pub side_mm: f32,
    /// For who cannot see it.
    pub alternative: String,
    /// Beside it, one paragraph each.
    pub words: Vec<String>,
}

/// A table; columns share the width by weight.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    pub head: Vec<String>,
    pub weights: Vec<f32>,
    pub rows: Vec<Vec<Entry>>,
}

/// What stands on a paper, from the top.
#[derive(Debug, Clone, PartialEq)]
pub enum Block {
    /// Who writes: a name in large type, lines under it, a rule.
    Letterhead {
        name: String,
        lines: Vec<String>,
    },
    /// Level 1 is the title of a paper.
    Heading {
        level: u8,
        text: String,
    },
    Paragraph(Entry),
    /// The one thing a reader looks for, in large type between rules.
    Answer(Entry),
    /// Names and what they stand for.
    Facts(Vec<(String, Vec<Entry>)>),
    Table(Table),
    Chart(Chart),
    Qr(QrBlock),
    /// What follows begins a new page, as a paper of its own would.
    NewPage,
}

/// A file carried inside the PDF.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    pub name: String,
    pub media_type: String,
    pub description: String,
    /// Written as it is, uncompressed, so that its bytes stand in the PDF as such.
    pub bytes: Vec<u8>,
}

/// A whole document.
#[derive(Debug, Clone, PartialEq)]
pub struct Paper {
    pub title: String,
    /// Tag of its language: `zh-Hans`, `en`.
    pub language: String,
    pub author: String,
    /// At the left of every foot.
    pub footer: String,
    /// At the right of every foot; `%n` stands for the page and `%m` for how many there are.
    pub page_words: String,
    pub blocks: Vec<Block>,
    pub attachments: Vec<Attachment>,
}

/// The paper as a PDF file.
///
/// # Errors
/// A QR content that fits no symbol, a table without columns, more pages than a reader could want.
pub fn pdf(paper: &Paper) -> Result<Vec<u8>, DocumentError> {
    let laid = layout::lay(paper)?;
    draw::draw(paper, laid)
}

#[cfg(test)]
mod tests;
