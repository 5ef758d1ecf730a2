//! ZPL II, the language of most label printers. Text goes as UTF-8 (`^CI28`) with every special byte in hexadecimal
//! (`^FH`), so that no text can end a field or begin a command.

use crate::DocumentError;
use crate::label::{Drawn, Label, Line, Symbol};
use crate::qr::ErrorCorrection;

/// The printer a label is meant for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZplPrinter {
    /// 8 for 203 dpi, 12 for 300 dpi, 24 for 600 dpi.
    pub dots_per_mm: u8,
    /// A font in the printer that has Chinese letters, such as `E:SIMSUN.TTF`; the built-in font has none.
    pub font: Option<String>,
}

impl Default for ZplPrinter {
    fn default() -> Self {
        ZplPrinter { dots_per_mm: 8, font: None }
    }
}

/// One label; `copies` equal prints of it.
///
/// # Errors
/// A number the symbol cannot hold or that does not fit the label.
pub fn zpl_label(label: &Label, printer: &ZplPrinter, copies: u16) -> Result<String, DocumentError> {
    let plan = label.plan()?;
    let dots = |length: f64| (length * f64::from(printer.dots_per_mm.clamp(6, 24))).round() as i64;
    let mut zpl = format!("^XA^CI28^LH0,0^PW{}^LL{}", dots(label.width_mm), dots(label.height_mm));
    zpl.push_str(&format!("^FO{},{}", dots(plan.symbol_left), dots(plan.symbol_top)));
    match &plan.symbol {
        Drawn::Bars { module, height, .. } => {
            // Rounded down, since a wider bar would run over the label's edge.
            let module = ((module * f64::from(printer.dots_per_mm)).floor() as i64).clamp(1, 10);
            let data = field(&label.content.replace('>', "><"));
            zpl.push_str(&format!("^BY{module}^BCN,{},N,N,N,A^FH^FD{data}^FS", dots(*height)));
        }
        Drawn::Square { module, .. } => {
            let magnification = ((module * f64::from(printer.dots_per_mm)).floor() as i64).clamp(1, 10);
            zpl.push_str(&format!("^BQN,2,{magnification}^FH^FD{}A,{}^FS", level(label.symbol), field(&label.content)));
        }
    }
    for line in &plan.lines {
        zpl.push_str(&text(line, printer, dots));
    }
    zpl.push_str(&format!("^PQ{copies}^XZ\n"));
    Ok(zpl)
}

/// Labels one behind the other.
///
/// # Errors
/// As [`zpl_label`], for the first label that cannot be made.
pub fn zpl_labels(labels: &[Label], printer: &ZplPrinter) -> Result<String, DocumentError> {
    labels.iter().map(|label| zpl_label(label, printer, 1)).collect()
}

fn level(symbol: Symbol) -> char {
    match symbol {
        Symbol::Qr(ErrorCorrection::Low) => 'L',
        Symbol::Qr(ErrorCorrection::Quartile) => 'Q',
        Symbol::Qr(ErrorCorrection::High) => 'H',
        Symbol::Qr(ErrorCorrection::Medium) | Symbol::Code128 => 'M',
    }
}

fn text(line: &Line, printer: &ZplPrinter, dots: impl Fn(f64) -> i64) -> String {
    let size = dots(line.size).max(10);
    let font = match &printer.font {
        Some(font) if !line.is_number => format!("^A@N,{size},{size},{}", font_name(font)),
        _ => format!("^A0N,{size},{size}"),
    };
    let top = dots(line.baseline - line.size).max(0);
    format!("^FO{},{top}{font}^FH^FD{}^FS", dots(line.left), field(&line.text))
}

/// A font's name on the printer: drive, letters, digits; anything else is dropped.
fn font_name(font: &str) -> String {
    font.chars().filter(|letter| letter.is_ascii_alphanumeric() || matches!(letter, ':' | '.' | '_' | '-')).collect()
}

/// Field data: letters, digits, blanks and a few signs as they are, every other byte as `_XX`.
fn field(text: &str) -> String {
    let mut data = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b' ' | b'-' | b'.' | b',' | b':' | b'/' | b'>' | b'<' => {
                data.push(char::from(byte));
            }
            0x00..=0x1F | 0x7F => data.push(' '),
            _ => data.push_str(&format!("_{byte:02X}")),
        }
    }
    data
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_tube_label_in_full() {
        let label = Label::tube("T0001K", vec!["10:1".into()]);
        assert_eq!(
            zpl_label(&label, &ZplPrinter::default(), 2).unwrap(),
            "^XA^CI28^LH0,0^PW400^LL200^FO33,12^BY3^BCN,90,N,N,N,A^FH^FDT0001K^FS\
             ^FO12,102^A0N,28,28^FH^FDT0001K^FS^FO12,137^A0N,28,28^FH^FD10:1^FS^PQ2^XZ\n"
        );
    }

    #[test]
    fn chinese_goes_as_bytes_in_the_printer_s_font() {
        let printer = ZplPrinter { dots_per_mm: 12, font: Some("E:SIMSUN.TTF^XA".into()) };
        let zpl = zpl_label(&Label::person("P1", "P1", vec!["张".into()]), &printer, 1).unwrap();
        assert!(zpl.contains(",E:SIMSUN.TTFXA^FH^FD_E5_BC_A0^FS"), "{zpl}");
        assert!(zpl.contains("^FDQA,P1^FS"), "{zpl}");
    }

    proptest! {
        #[test]
        fn no_text_can_become_a_command(text in ".{0,30}") {
            let zpl = zpl_label(&Label::person("P1", "P1", vec![text]), &ZplPrinter::default(), 1).unwrap();
            prop_assert_eq!(zpl.matches("^XA").count(), 1);
            prop_assert_eq!(zpl.matches('^').count(), zpl_label(&Label::person("P1", "P1", vec!["x".into()]), &ZplPrinter::default(), 1).unwrap().matches('^').count());
            prop_assert!(!zpl.contains('~') && zpl.is_ascii());
        }
    }
}
