use crate::DocumentError;
use crate::label::Label;
use crate::svg::{escape_xml, millimetres};

/// A4 in millimetres.
const PAGE: (f64, f64) = (210.0, 297.0);

/// A grid of labels on an A4 page, in millimetres.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SheetLayout {
    pub columns: u16,
    pub rows: u16,
    pub label_width_mm: f64,
    pub label_height_mm: f64,
    /// From the page's upper left corner to that of the first label.
    pub left_mm: f64,
    pub top_mm: f64,
    pub column_gap_mm: f64,
    pub row_gap_mm: f64,
    /// Fine lines around the labels, for plain paper and scissors.
    pub cut_lines: bool,
}

impl SheetLayout {
    /// `columns` × `rows` equal labels that fill the page inside an 8 mm border, with cut lines.
    pub fn grid(columns: u16, rows: u16) -> SheetLayout {
        let border = 8.0;
        SheetLayout {
            columns,
            rows,
            label_width_mm: (PAGE.0 - 2.0 * border) / f64::from(columns.max(1)),
            label_height_mm: (PAGE.1 - 2.0 * border) / f64::from(rows.max(1)),
            left_mm: border,
            top_mm: border,
            column_gap_mm: 0.0,
            row_gap_mm: 0.0,
            cut_lines: true,
        }
    }

    /// 3 × 8 self-adhesive labels of 70 × 36 mm, edge to edge.
    pub fn adhesive_24() -> SheetLayout {
        let cells = SheetLayout::grid(3, 8);
        SheetLayout { label_width_mm: 70.0, label_height_mm: 36.0, left_mm: 0.0, top_mm: 4.5, cut_lines: false, ..cells }
    }

    /// Labels on one page.
    pub fn labels_per_page(&self) -> usize {
        usize::from(self.columns) * usize::from(self.rows)
    }

    /// Upper left corner of a label by its place on the page.
    pub(crate) fn corner(&self, place: usize) -> (f64, f64) {
        let (row, column) = (place / usize::from(self.columns), place % usize::from(self.columns));
        let left = self.left_mm + column as f64 * (self.label_width_mm + self.column_gap_mm);
        (left, self.top_mm + row as f64 * (self.label_height_mm + self.row_gap_mm))
    }

    pub(crate) fn check(&self) -> Result<(), DocumentError> {
        let across = |count: u16, size: f64, gap: f64, start: f64| start + f64::from(count) * size + f64::from(count.saturating_sub(1)) * gap;
        let width = across(self.columns, self.label_width_mm, self.column_gap_mm, self.left_mm);
        let height = across(self.rows, self.label_height_mm, self.row_gap_mm, self.top_mm);
        let fits = width <= PAGE.0 + 0.01 && height <= PAGE.1 + 0.01 && self.left_mm >= 0.0 && self.top_mm >= 0.0;
        if fits && self.labels_per_page() > 0 { Ok(()) } else { Err(DocumentError::BadSize("label sheet")) }
    }
}

/// The labels as SVG pages of A4, row by row; each label is given the size of its cell.
///
/// # Errors
/// A grid larger than the page; a label whose symbol does not fit its cell.
pub fn label_sheet_pages(labels: &[Label], layout: &SheetLayout) -> Result<Vec<String>, DocumentError> {
    layout.check()?;
    labels.chunks(layout.labels_per_page()).map(|labels| page(labels, layout)).collect()
}

fn page(labels: &[Label], layout: &SheetLayout) -> Result<String, DocumentError> {
    let (width, height) = (layout.label_width_mm, layout.label_height_mm);
    let mut svg = String::from(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"210mm\" height=\"297mm\" viewBox=\"0 0 210 297\"><rect width=\"210\" height=\"297\" fill=\"#fff\"/>",
    );
    for (index, label) in labels.iter().enumerate() {
        let (left, top) = layout.corner(index);
        if layout.cut_lines {
            svg.push_str(&format!(
                "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"none\" stroke=\"#ccc\" stroke-width=\"0.1\"/>",
                millimetres(left),
                millimetres(top),
                millimetres(width),
                millimetres(height)
            ));
        }
        let fitted = Label { width_mm: width, height_mm: height, ..label.clone() };
        svg.push_str(&fitted.svg_group(left, top)?);
    }
    svg.push_str("</svg>");
    Ok(svg)
}

/// All pages in one HTML document that prints at true size; it refers to nothing outside itself.
///
/// # Errors
/// As [`label_sheet_pages`].
pub fn label_sheet_html(title: &str, labels: &[Label], layout: &SheetLayout) -> Result<String, DocumentError> {
    let pages = label_sheet_pages(labels, layout)?;
    Ok(format!(
        "<!DOCTYPE html><html><head><meta charset=\"utf-8\"><title>{}</title><style>@page{{size:A4;margin:0}}body{{margin:0}}svg{{display:block;break-after:page}}</style></head><body>{}</body></html>\n",
        escape_xml(title),
        pages.concat()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(count: usize) -> Vec<Label> {
        (0..count).map(|number| Label::tube(&format!("T{number:06}"), vec!["<b>".into()])).collect()
    }

    #[test]
    fn labels_run_over_as_many_pages_as_needed() {
        let layout = SheetLayout::grid(3, 8);
        let pages = label_sheet_pages(&labels(49), &layout).unwrap();
        let numbers: Vec<usize> = pages.iter().map(|page| page.matches(">T0").count()).collect();
        assert_eq!(numbers, [24, 24, 1]);
        let html = label_sheet_html("A & B", &labels(1), &layout).unwrap();
        assert!(html.contains("<title>A &amp; B</title>") && html.contains("&lt;b&gt;") && !html.contains("<b>"));
    }

    #[test]
    fn a_grid_larger_than_the_page_is_refused() {
        let wide = SheetLayout { label_width_mm: 71.0, ..SheetLayout::adhesive_24() };
        assert_eq!(label_sheet_pages(&labels(1), &wide), Err(DocumentError::BadSize("label sheet")));
        assert!(label_sheet_pages(&labels(1), &SheetLayout::grid(0, 4)).is_err());
        assert!(label_sheet_pages(&labels(1), &SheetLayout::adhesive_24()).is_ok());
    }

    #[test]
    fn labels_too_small_for_their_number_are_refused() {
        assert!(matches!(label_sheet_pages(&labels(1), &SheetLayout::grid(12, 8)), Err(DocumentError::NoRoom { .. })));
    }
}
