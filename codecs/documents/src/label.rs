use crate::DocumentError;
use crate::code128::{Bars, code128};
use crate::qr::{ErrorCorrection, QrCode, qr_code};
use crate::svg::{escape_xml, fit_text, millimetres, run_path, text_ems};

/// How a label's number can be scanned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Symbol {
    /// Bars across the top of the label: tubes, which turn, and old scanners.
    Code128,
    /// A square at the left: dense, readable by telephones.
    Qr(ErrorCorrection),
}

/// One label: a scannable number, the number in letters, and lines of text.
#[derive(Debug, Clone, PartialEq)]
pub struct Label {
    pub width_mm: f64,
    pub height_mm: f64,
    pub symbol: Symbol,
    /// What the scanner reads.
    pub content: String,
    /// The number as people read and type it; carries the check character.
    pub number: String,
    /// Further lines, each cut to the width of the label.
    pub lines: Vec<String>,
}

/// Clear border of every label.
const BORDER_MM: f64 = 1.5;
/// Narrowest bar that common scanners read, and the widest that is of use.
const BAR_MM: (f64, f64) = (0.19, 0.5);
/// Smallest QR module that telephones read from paper.
const QR_MODULE_MM_MIN: f64 = 0.25;
const QR_QUIET_MODULES: f64 = 2.0;
const TYPE_MM_MIN: f64 = 1.8;
/// Largest type, as a part of the label's height.
const TYPE_PART_MAX: f64 = 0.14;
/// Smallest type of a long line, likewise: below it the line is cut.
const TYPE_PART_MIN: f64 = 0.04;

impl Label {
    /// Tube label, 50 × 25 mm, bars: number, then for example campaign and declared ratio.
    pub fn tube(number: &str, lines: Vec<String>) -> Label {
        Label { width_mm: 50.0, height_mm: 25.0, symbol: Symbol::Code128, content: number.to_owned(), number: number.to_owned(), lines }
    }

    /// Transport box label, 100 × 60 mm, QR that survives wet hands: number, then origin, destination, seal.
    pub fn transport_box(number: &str, lines: Vec<String>) -> Label {
        let symbol = Symbol::Qr(ErrorCorrection::High);
        Label { width_mm: 100.0, height_mm: 60.0, symbol, content: number.to_owned(), number: number.to_owned(), lines }
    }

    /// A person's registration label, 60 × 30 mm, QR: what is encoded, the number in letters, then name and grid.
    pub fn person(content: &str, number: &str, lines: Vec<String>) -> Label {
        let symbol = Symbol::Qr(ErrorCorrection::Quartile);
        Label { width_mm: 60.0, height_mm: 30.0, symbol, content: content.to_owned(), number: number.to_owned(), lines }
    }

    /// The label as SVG of its own size.
    ///
    /// # Errors
    /// A number the symbol cannot hold or that does not fit the label.
    pub fn svg(&self) -> Result<String, DocumentError> {
        let (width, height) = (millimetres(self.width_mm), millimetres(self.height_mm));
        Ok(format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}mm\" height=\"{height}mm\" viewBox=\"0 0 {width} {height}\">{}</svg>",
            self.svg_group(0.0, 0.0)?
        ))
    }

    /// The label's drawing with its upper left corner at the given place, in millimetres.
    pub(crate) fn svg_group(&self, left: f64, top: f64) -> Result<String, DocumentError> {
        let plan = self.plan()?;
        let (symbol_left, symbol_top) = (left + plan.symbol_left, top + plan.symbol_top);
        let path = match &plan.symbol {
            Drawn::Bars { bars, module, height } => run_path(&bars.modules, symbol_left, symbol_top, *module, *height),
            Drawn::Square { code, module } => code.path(symbol_left, symbol_top, *module),
        };
        let mut group = format!("<path d=\"{path}\" fill=\"#000\" shape-rendering=\"crispEdges\"/>");
        for line in &plan.lines {
            group.push_str(&format!(
                "<text x=\"{}\" y=\"{}\" font-size=\"{}\" font-family=\"{}\"{}>{}</text>",
                millimetres(left + line.left),
                millimetres(top + line.baseline),
                millimetres(line.size),
                if line.is_number { "ui-monospace,Menlo,Consolas,monospace" } else { FONTS },
                if line.is_number { " font-weight=\"bold\"" } else { "" },
                escape_xml(&line.text),
            ));
        }
        Ok(group)
    }

    /// Where everything stands on the label; shared by all ways of drawing it.
    pub(crate) fn plan(&self) -> Result<Plan, DocumentError> {
        let sizes = [self.width_mm, self.height_mm];
        if !sizes.iter().all(|size| (5.0..=500.0).contains(size)) {
            return Err(DocumentError::BadSize("label"));
        }
        match self.symbol {
            Symbol::Code128 => self.plan_bars(),
            Symbol::Qr(level) => self.plan_square(level),
        }
    }

    fn plan_bars(&self) -> Result<Plan, DocumentError> {
        let bars = code128(&self.content)?;
        let (modules, given) = (bars.width_with_quiet_zones() as f64, self.width_mm);
        let module = (given / modules).min(BAR_MM.1);
        if module < BAR_MM.0 {
            let needed_mm = modules * BAR_MM.0;
            return Err(DocumentError::NoRoom { symbol: "Code 128", needed_mm, given_mm: given });
        }
        let height = (self.height_mm * 0.45).max(5.0).min(self.height_mm - 2.0 * BORDER_MM);
        let symbol_left = (given - bars.modules.len() as f64 * module) / 2.0;
        let lines = self.text_lines(BORDER_MM, BORDER_MM + height, given - 2.0 * BORDER_MM);
        Ok(Plan { symbol: Drawn::Bars { bars, module, height }, symbol_left, symbol_top: BORDER_MM, lines })
    }

    fn plan_square(&self, level: ErrorCorrection) -> Result<Plan, DocumentError> {
        let code = qr_code(&self.content, level)?;
        let side = (self.height_mm - 2.0 * BORDER_MM).min(self.width_mm * 0.6 - BORDER_MM);
        let modules = code.width as f64 + 2.0 * QR_QUIET_MODULES;
        let module = side / modules;
        if module < QR_MODULE_MM_MIN {
            let needed_mm = modules * QR_MODULE_MM_MIN;
            return Err(DocumentError::NoRoom { symbol: "QR code", needed_mm, given_mm: side });
        }
        let text_left = BORDER_MM + side;
        let lines = self.text_lines(text_left, BORDER_MM, self.width_mm - text_left - BORDER_MM);
        let inset = BORDER_MM + QR_QUIET_MODULES * module;
        Ok(Plan { symbol: Drawn::Square { code, module }, symbol_left: inset, symbol_top: inset, lines })
    }

    /// The number and as many lines as there is room for, the lines all in one size. What is long shrinks before it is cut, and the number is never cut.
    fn text_lines(&self, left: f64, top: f64, width: f64) -> Vec<Line> {
        let room = self.height_mm - BORDER_MM - top;
        let count = (self.lines.len() + 1) as f64;
        let size = (room / (count * 1.25)).min(self.height_mm * TYPE_PART_MAX).max(TYPE_MM_MIN);
        let number_size = size.min(width / text_ems(&self.number).max(1.0));
        let mut lines = vec![Line { left, baseline: top + size, size: number_size, is_number: true, text: self.number.clone() }];
        let longest = self.lines.iter().map(|text| text_ems(text)).fold(1.0, f64::max);
        let smallest = (self.height_mm * TYPE_PART_MIN).max(TYPE_MM_MIN).min(size);
        let first = top + size;
        let size = size.min(width / longest).max(smallest);
        for (index, text) in self.lines.iter().enumerate() {
            let baseline = first + 1.25 * size * (index + 1) as f64;
            if baseline > self.height_mm - BORDER_MM / 2.0 {
                break;
            }
            lines.push(Line { left, baseline, size, is_number: false, text: fit_text(text, width / size) });
        }
        lines
    }
}

const FONTS: &str = "'Noto Sans CJK SC','Source Han Sans SC','Microsoft YaHei','PingFang SC',sans-serif";

/// A label with every part in its place, in millimetres from the upper left corner.
pub(crate) struct Plan {
    pub(crate) symbol: Drawn,
    pub(crate) symbol_left: f64,
    pub(crate) symbol_top: f64,
    pub(crate) lines: Vec<Line>,
}

pub(crate) enum Drawn {
    Bars { bars: Bars, module: f64, height: f64 },
    Square { code: QrCode, module: f64 },
}

pub(crate) struct Line {
    pub(crate) left: f64,
    pub(crate) baseline: f64,
    pub(crate) size: f64,
    pub(crate) is_number: bool,
    pub(crate) text: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_stays_on_the_label() {
        let lines = vec!["第三轮 10:1".to_owned(), "2026-11-04".into(), "x".repeat(200), "4".into(), "5".into()];
        let labels = [
            Label::tube("T00000123456K", lines.clone()),
            Label::transport_box("B0000123X", lines.clone()),
            Label::person("https://baton.example/p/AB12CD34", "P-77", lines),
        ];
        for label in labels {
            let plan = label.plan().unwrap();
            for line in &plan.lines {
                assert!(line.left + text_ems(&line.text) * line.size <= label.width_mm, "{}", line.text);
                assert!(line.baseline <= label.height_mm && line.size > 1.0);
            }
            let (width, height) = match &plan.symbol {
                Drawn::Bars { bars, module, height } => (bars.modules.len() as f64 * module, *height),
                Drawn::Square { code, module } => (code.width as f64 * module, code.width as f64 * module),
            };
            assert!(plan.symbol_left + width <= label.width_mm && plan.symbol_top + height <= label.height_mm);
            assert_eq!(plan.lines[0].text, label.number);
        }
    }

    #[test]
    fn a_long_line_shrinks_before_it_is_cut() {
        let from = "启运：PT12 体育馆东门采样点";
        let plan = Label::transport_box("BX-0007", vec![from.to_owned()]).plan().unwrap();
        assert_eq!(plan.lines[1].text, from);
        assert!(plan.lines[1].size < plan.lines[0].size && plan.lines[1].size >= 2.4, "{}", plan.lines[1].size);
        let short = Label::transport_box("BX-0007", vec!["PT12".to_owned()]).plan().unwrap();
        assert_eq!(short.lines[1].size, short.lines[0].size);
        let endless = Label::transport_box("BX-0007", vec!["长".repeat(60)]).plan().unwrap();
        assert!(endless.lines[1].text.ends_with('…') && endless.lines[1].size >= 2.4);
    }

    #[test]
    fn a_number_that_does_not_fit_is_refused() {
        let error = Label::tube(&"X9".repeat(20), vec![]).svg().unwrap_err();
        assert!(matches!(error, DocumentError::NoRoom { symbol: "Code 128", .. }), "{error}");
        let long = Label { width_mm: 20.0, height_mm: 10.0, ..Label::person(&"张".repeat(60), "1", vec![]) };
        assert!(matches!(long.svg(), Err(DocumentError::NoRoom { symbol: "QR code", .. })));
        let none = Label { width_mm: f64::NAN, ..Label::tube("1", vec![]) };
        assert_eq!(none.svg(), Err(DocumentError::BadSize("label")));
    }
}
