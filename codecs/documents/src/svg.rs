/// Text made safe for XML and HTML, in content and in quoted attributes; control characters become blanks.
pub fn escape_xml(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            _ if letter.is_control() || matches!(letter, '\u{FFFE}' | '\u{FFFF}') => safe.push(' '),
            _ => safe.push(letter),
        }
    }
    safe
}

/// A length with at most three decimals and no trailing zeros.
pub(crate) fn millimetres(length: f64) -> String {
    let text = format!("{length:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// One rectangle per run of dark modules in a row.
pub(crate) fn run_path(modules: &[bool], left: f64, top: f64, module: f64, height: f64) -> String {
    let mut path = String::new();
    let mut at = 0;
    for run in modules.chunk_by(|a, b| a == b) {
        if run[0] {
            let (x, width) = (millimetres(left + at as f64 * module), millimetres(run.len() as f64 * module));
            let (y, height) = (millimetres(top), millimetres(height));
            path.push_str(&format!("M{x} {y}h{width}v{height}h-{width}z"));
        }
        at += run.len();
    }
    path
}

/// Width of a text in ems, near enough to choose a type size: East Asian letters are square, others narrower.
pub(crate) fn text_ems(text: &str) -> f64 {
    text.chars().map(|letter| if letter >= '\u{1100}' { 1.0 } else { 0.62 }).sum()
}

/// The text, or as much of it as fits in so many ems with an ellipsis behind.
pub(crate) fn fit_text(text: &str, ems: f64) -> String {
    if text_ems(text) <= ems {
        return text.to_owned();
    }
    let mut fitted = String::new();
    let mut width = 1.0;
    for letter in text.chars() {
        width += text_ems(letter.encode_utf8(&mut [0; 4]));
        if width > ems {
            break;
        }
        fitted.push(letter);
    }
    fitted.push('…');
    fitted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_cannot_leave_its_place() {
        assert_eq!(escape_xml("<b a='1'>\"&\u{0}</b>"), "&lt;b a=&#39;1&#39;&gt;&quot;&amp; &lt;/b&gt;");
    }

    #[test]
    fn lengths_are_short() {
        assert_eq!([20.0, 0.1, 1.0 / 3.0, 100.0].map(millimetres), ["20", "0.1", "0.333", "100"]);
    }

    #[test]
    fn long_names_end_in_an_ellipsis() {
        assert_eq!(fit_text("张三", 2.0), "张三");
        assert_eq!(fit_text("阿卜杜拉·买买提", 5.0), "阿卜杜拉…");
    }
}
