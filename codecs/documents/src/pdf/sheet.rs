//! Label sheets as PDF: the same places as in the SVG sheets, with the fonts embedded.

use super::draw::draw;
use super::face::{legible, width};
use super::layout::{Ink, Kind, Laid, MM, Mark, Pen, modules, text_marks};
use super::{Paper, Tone};
use crate::DocumentError;
use crate::label::{Drawn, Label};
use crate::sheet::SheetLayout;

/// Labels on A4 at true size, each tagged as a figure whose alternative is its number, its lines as text.
///
/// # Errors
/// As [`crate::label_sheet_pages`].
pub fn label_sheet_pdf(title: &str, language: &str, author: &str, labels: &[Label], layout: &SheetLayout) -> Result<Vec<u8>, DocumentError> {
    layout.check()?;
    let mut pen = Pen { laid: Laid::default(), page: 0, y: 0.0 };
    pen.laid.outline.push((1, legible(title), 0, 0.0));
    for (at, label) in labels.iter().enumerate() {
        pen.page = at / layout.labels_per_page();
        let (left, top) = layout.corner(at % layout.labels_per_page());
        lay_label(&mut pen, label, layout, left, top)?;
    }
    pen.laid.pages = pen.page + 1;
    let paper = Paper {
        title: legible(title),
        language: language.to_owned(),
        author: author.to_owned(),
        footer: String::new(),
        page_words: String::new(),
        blocks: Vec::new(),
        attachments: Vec::new(),
    };
    draw(&paper, pen.laid)
}

fn lay_label(pen: &mut Pen, label: &Label, layout: &SheetLayout, left: f64, top: f64) -> Result<(), DocumentError> {
    let fitted = Label { width_mm: layout.label_width_mm, height_mm: layout.label_height_mm, ..label.clone() };
    let plan = fitted.plan()?;
    let point = |millimetres: f64| millimetres as f32 * MM;
    if layout.cut_lines {
        let (x, y, right, bottom) = (point(left), point(top), point(left + fitted.width_mm), point(top + fitted.height_mm));
        let points = vec![(x, y), (right, y), (right, bottom), (x, bottom), (x, y)];
        pen.piece(true, vec![Mark::Line { points, thick: 0.3, ink: Ink::Rule, dash: None }]);
    }
    let (x, y) = (point(left + plan.symbol_left), point(top + plan.symbol_top));
    let drawn = match &plan.symbol {
        Drawn::Bars { bars, module, height } => modules(&bars.modules, bars.modules.len(), x, y, point(*module), point(*height)),
        Drawn::Square { code, module } => modules(&code.modules, code.width, x, y, point(*module), point(*module)),
    };
    let symbol = pen.piece(false, vec![drawn]);
    pen.add(Kind::Figure(legible(&fitted.number)), vec![symbol]);
    for line in &plan.lines {
        let text = legible(&line.text);
        let (x, room) = (point(left + line.left), point(left + fitted.width_mm - 0.5) - point(left + line.left));
        // The plan reckons with widths of no font in particular; these are this font's.
        let size = point(line.size).min(room / width(&text, 1.0).max(0.01));
        let piece = pen.piece(false, text_marks(text, x, point(top + line.baseline), size, Ink::Tone(Tone::Plain), false));
        pen.add(Kind::Paragraph, vec![piece]);
    }
    Ok(())
}
