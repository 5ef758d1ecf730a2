use crate::DocumentError;
use crate::svg::{millimetres, run_path};

/// How much of a QR code may be lost before it can no longer be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ErrorCorrection {
    /// 7 %.
    Low,
    /// 15 %: screens and clean paper.
    #[default]
    Medium,
    /// 25 %: labels that are handled.
    Quartile,
    /// 30 %: labels that get wet or scratched.
    High,
}

/// A QR code: rows of modules from the top, `true` is dark. Without quiet zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QrCode {
    /// Modules on each side.
    pub width: usize,
    pub modules: Vec<bool>,
}

/// Encodes text as the smallest QR code that holds it.
///
/// # Errors
/// Text that is too long (2,331 bytes at [`ErrorCorrection::Medium`]).
pub fn qr_code(text: &str, level: ErrorCorrection) -> Result<QrCode, DocumentError> {
    let level = match level {
        ErrorCorrection::Low => qrcode::EcLevel::L,
        ErrorCorrection::Medium => qrcode::EcLevel::M,
        ErrorCorrection::Quartile => qrcode::EcLevel::Q,
        ErrorCorrection::High => qrcode::EcLevel::H,
    };
    let code = qrcode::QrCode::with_error_correction_level(text, level).map_err(|_| DocumentError::TooLong { symbol: "QR code", bytes: text.len() })?;
    let width = code.width();
    let modules = code.into_colors().into_iter().map(|color| color == qrcode::Color::Dark).collect();
    Ok(QrCode { width, modules })
}

/// A QR code as SVG of `side_mm` millimetres, with `quiet_zone` light modules around it (the standard asks for 4).
///
/// # Errors
/// As [`qr_code`]; a size that is not positive.
pub fn qr_svg(text: &str, level: ErrorCorrection, quiet_zone: u8, side_mm: f64) -> Result<String, DocumentError> {
    if !(side_mm > 0.0 && side_mm.is_finite()) {
        return Err(DocumentError::BadSize("side"));
    }
    let code = qr_code(text, level)?;
    let side = code.width + 2 * usize::from(quiet_zone);
    Ok(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}mm\" height=\"{0}mm\" viewBox=\"0 0 {side} {side}\" shape-rendering=\"crispEdges\"><rect width=\"{side}\" height=\"{side}\" fill=\"#fff\"/><path d=\"{1}\" fill=\"#000\"/></svg>",
        millimetres(side_mm),
        code.path(f64::from(quiet_zone), f64::from(quiet_zone), 1.0),
    ))
}

impl QrCode {
    /// The dark modules as an SVG path with its upper left corner at `left`, `top`.
    pub(crate) fn path(&self, left: f64, top: f64, module: f64) -> String {
        self.modules.chunks(self.width).enumerate().map(|(row, modules)| run_path(modules, left, top + row as f64 * module, module, module)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finder_patterns_stand_in_three_corners() {
        let code = qr_code("HTTPS://BATON.EXAMPLE/T/123", ErrorCorrection::High).unwrap();
        let dark = |row: usize, column: usize| code.modules[row * code.width + column];
        let last = code.width - 7;
        for (top, left) in [(0, 0), (0, last), (last, 0)] {
            for step in 0..7 {
                assert!(dark(top, left + step) && dark(top + 6, left + step));
                assert!(dark(top + step, left) && dark(top + step, left + 6));
            }
            assert!(!dark(top + 1, left + 1) && dark(top + 3, left + 3));
        }
    }

    #[test]
    fn the_drawing_has_size_and_quiet_zone() {
        let svg = qr_svg("1", ErrorCorrection::Low, 4, 25.4).unwrap();
        assert!(svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"25.4mm\" height=\"25.4mm\" viewBox=\"0 0 29 29\""));
        assert!(svg.contains("M4 4h7v1h-7z"), "{svg}");
    }

    #[test]
    fn a_text_that_is_too_long_is_refused() {
        let error = qr_svg(&"x".repeat(3_000), ErrorCorrection::Low, 4, 20.0).unwrap_err();
        assert_eq!(error.to_string(), "3000 bytes do not fit in one QR code");
        assert!(qr_svg("x", ErrorCorrection::Low, 4, f64::NAN).is_err());
    }
}
