//! The two fonts, read once: which of them shows a character, and how wide it is there.

use std::sync::OnceLock;

use krilla::text::{Font, GlyphId, KrillaGlyph};
use skrifa::MetadataProvider;
use skrifa::charmap::Charmap;
use skrifa::instance::{LocationRef, Size};
use skrifa::metrics::GlyphMetrics;

const LATIN: &[u8] = include_bytes!("../../fonts/OpenSans-Regular.ttf");
const CHINESE: &[u8] = include_bytes!("../../fonts/DroidSansFallbackFull.ttf");

/// One font, ready to be asked.
pub(crate) struct Face {
    pub(crate) font: Font,
    letters: Charmap<'static>,
    widths: GlyphMetrics<'static>,
}

impl Face {
    fn of(bytes: &'static [u8]) -> Option<Face> {
        let read = skrifa::FontRef::new(bytes).ok()?;
        // In unscaled metrics a width is a part of the em, once divided by its units.
        let widths = read.glyph_metrics(Size::new(1.0), LocationRef::default());
        Some(Face { font: Font::new(bytes.into(), 0)?, letters: read.charmap(), widths })
    }

    fn glyph(&self, letter: char) -> Option<skrifa::GlyphId> {
        self.letters.map(letter).filter(|glyph| glyph.to_u32() != 0)
    }

    fn advance(&self, glyph: skrifa::GlyphId) -> f32 {
        self.widths.advance_width(glyph).unwrap_or(1.0)
    }
}

/// Latin first: Chinese punctuation and characters are not in it, and digits and letters are better there.
fn faces() -> &'static [Face] {
    static FACES: OnceLock<Vec<Face>> = OnceLock::new();
    FACES.get_or_init(|| [LATIN, CHINESE].into_iter().filter_map(Face::of).collect())
}

fn face_of(letter: char) -> Option<(usize, skrifa::GlyphId)> {
    faces().iter().enumerate().find_map(|(at, face)| Some((at, face.glyph(letter)?)))
}

/// A text in which every character can be shown: one that neither font has stands as `[U+20BB7]`, so that it is seen to be missing.
pub(crate) fn legible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            _ if letter.is_control() || letter == '\u{2028}' || letter == '\u{2029}' => shown.push(' '),
            // Marks that only tell how neighbours are joined have no look of their own.
            '\u{200B}'..='\u{200F}' | '\u{2060}' | '\u{FEFF}' | '\u{FE00}'..='\u{FE0F}' => {}
            _ if face_of(letter).is_some() => shown.push(letter),
            _ => shown.push_str(&format!("[U+{:04X}]", letter as u32)),
        }
    }
    shown
}

/// Width of a legible text at a type size.
pub(crate) fn width(text: &str, size: f32) -> f32 {
    text.chars().filter_map(face_of).map(|(at, glyph)| faces()[at].advance(glyph)).sum::<f32>() * size
}

/// A stretch of text in one font.
pub(crate) struct Run {
    pub(crate) font: Font,
    pub(crate) text: String,
    pub(crate) glyphs: Vec<KrillaGlyph>,
    /// Width of the run as a part of the type size.
    pub(crate) ems: f32,
}

/// A legible text as runs of one font each.
pub(crate) fn runs(text: &str) -> Vec<Run> {
    let mut runs: Vec<(usize, Run)> = Vec::new();
    for letter in text.chars() {
        let Some((at, glyph)) = face_of(letter) else { continue };
        if runs.last().is_none_or(|(face, _)| *face != at) {
            runs.push((at, Run { font: faces()[at].font.clone(), text: String::new(), glyphs: Vec::new(), ems: 0.0 }));
        }
        let Some((_, run)) = runs.last_mut() else { continue };
        let start = run.text.len();
        run.text.push(letter);
        let advance = faces()[at].advance(glyph);
        run.ems += advance;
        run.glyphs.push(KrillaGlyph::new(GlyphId::new(glyph.to_u32()), advance, 0.0, 0.0, 0.0, start..run.text.len(), None));
    }
    runs.into_iter().map(|(_, run)| run).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_fonts_are_read_and_what_is_missing_is_named() {
        assert_eq!(faces().len(), 2);
        assert_eq!(legible("张三 Zhang\t·镕堃"), "张三 Zhang ·镕堃");
        assert_eq!(legible("𠮷田☃"), "[U+20BB7]田[U+2603]");
        assert_eq!(runs("张三 Zhang·李").iter().map(|run| run.text.as_str()).collect::<Vec<_>>(), ["张三", " Zhang·", "李"]);
    }

    #[test]
    fn chinese_characters_are_square_and_digits_are_not() {
        assert!((width("检测", 10.0) - 20.0).abs() < 0.2, "{}", width("检测", 10.0));
        let digits = width("12", 10.0);
        assert!((10.0..13.0).contains(&digits), "{digits}");
    }

    #[test]
    fn every_character_of_the_common_sets_is_there() {
        let common = "核酸检测报告阴性阳性单管混采复核样本編號檢體報告陰性陽性單管混採覆核實驗室，。、；：（）《》？！％";
        assert_eq!(legible(common), common);
        assert_eq!(legible("“”‘’…—–·≤≥×°µ"), "“”‘’…—–·≤≥×°µ");
    }
}
