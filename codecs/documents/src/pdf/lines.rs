//! Breaking text into lines: between Chinese characters, after blanks and hyphens, never before closing or after opening marks.

use super::face::width;

/// These may not begin a line.
const NOT_FIRST: &str = "，。、；：？！）》」』】〕〉”’…—％％·,.;:?!)]}%℃°";
/// These may not end one.
const NOT_LAST: &str = "（《「『【〔〈“‘([{￥$#";

/// Characters of which each is a word.
fn is_square(letter: char) -> bool {
    matches!(letter, '\u{2E80}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{FE30}'..='\u{FE4F}' | '\u{FF00}'..='\u{FFEF}' | '\u{20000}'..='\u{3FFFF}')
}

fn may_break(before: char, after: char) -> bool {
    if after == ' ' || NOT_FIRST.contains(after) || NOT_LAST.contains(before) {
        return false;
    }
    before == ' ' || is_square(before) || is_square(after) || (matches!(before, '-' | '/' | '·') && after.is_alphabetic())
}

/// Parts of a text that stay together.
fn parts(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    let mut last: Option<char> = None;
    for (at, letter) in text.char_indices() {
        if last.is_some_and(|last| may_break(last, letter)) {
            parts.push(&text[start..at]);
            start = at;
        }
        last = Some(letter);
    }
    if start < text.len() {
        parts.push(&text[start..]);
    }
    parts
}

/// A legible text in lines of at most `room`; a part that is wider alone is broken anywhere. Always at least one line.
pub(crate) fn break_lines(text: &str, size: f32, room: f32) -> Vec<String> {
    let mut lines = Vec::new();
    let (mut line, mut filled) = (String::new(), 0.0);
    for part in parts(text) {
        let needed = width(part.trim_end(), size);
        if filled > 0.0 && filled + needed > room {
            lines.push(std::mem::take(&mut line));
            filled = 0.0;
        }
        if needed > room {
            for letter in part.chars() {
                let step = width(letter.encode_utf8(&mut [0; 4]), size);
                if filled > 0.0 && filled + step > room {
                    lines.push(std::mem::take(&mut line));
                    filled = 0.0;
                }
                line.push(letter);
                filled += step;
            }
        } else {
            line.push_str(part);
            filled += width(part, size);
        }
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn closing_marks_follow_and_opening_marks_lead() {
        // Five characters fit; the comma would be the sixth.
        let lines = break_lines("核酸检测样，本（鼻咽）拭子", 10.0, 52.0);
        assert!(lines.iter().all(|line| !line.starts_with(['，', '）']) && !line.ends_with('（')), "{lines:?}");
        assert_eq!(lines.concat(), "核酸检测样，本（鼻咽）拭子");
    }

    #[test]
    fn words_stay_whole_and_long_ones_are_cut() {
        assert_eq!(break_lines("one two three", 10.0, 45.0), ["one two ", "three"]);
        let cut = break_lines(&"x".repeat(40), 10.0, 60.0);
        assert!(cut.len() > 2 && cut.iter().all(|line| width(line, 10.0) <= 60.0));
        assert_eq!(break_lines("", 10.0, 60.0), [""]);
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_nothing_sticks_out(text in "[a-z0-9 一-龥，。（）]{0,80}", room in 30.0f32..200.0) {
            let lines = break_lines(&text, 9.0, room);
            prop_assert_eq!(lines.concat(), text);
            for line in &lines {
                prop_assert!(width(line.trim_end(), 9.0) <= room + 0.01, "{:?}", line);
            }
        }
    }
}
