use crate::model::Content;
use crate::problem::ProblemKind;

/// The ways instruments write “no Cq”: words, blanks, and numbers that stand for none.
const NO_CQ: [f64; 5] = [-1.0, 0.0, 100.0, 999.0, 9999.0];

/// Reads an instrument's Cq; `Ok(None)` for every documented way of writing “none” (blank, `Undetermined`, `N/A`, `NaN`,
/// `-1`, `0`, `100`, `999`). `40.0` is kept: only a kit may say that it means none.
///
/// # Errors
/// A problem for text that is no number and for a Cq outside 0…100.
pub fn parse_cq(text: &str) -> Result<Option<f64>, ProblemKind> {
    let text = text.trim();
    let words = ["undetermined", "undefined", "n/a", "na", "nan", "none", "no ct", "no cq", "n.a.", "-", "--", "---"];
    if text.is_empty() || words.iter().any(|word| text.eq_ignore_ascii_case(word)) {
        return Ok(None);
    }
    match parse_number(text) {
        Some(cq) if NO_CQ.contains(&cq) => Ok(None),
        Some(cq) if cq > 0.0 && cq < 100.0 => Ok(Some(cq)),
        Some(_) => Err(ProblemKind::ImpossibleCq { text: text.to_owned() }),
        None => Err(ProblemKind::NotANumber { field: "Cq", text: text.to_owned() }),
    }
}

/// The first letters of a text, for messages.
pub(crate) fn excerpt(text: &str) -> String {
    let mut letters = text.trim().chars();
    let head: String = letters.by_ref().take(60).collect();
    if letters.next().is_some() { format!("{head}…") } else { head }
}

/// A finite number; thousands separators as in `1,748,809.500` are taken off, words such as `inf` are no numbers.
pub(crate) fn parse_number(text: &str) -> Option<f64> {
    let text = text.trim();
    let first = text.bytes().next()?;
    if !(first.is_ascii_digit() || matches!(first, b'-' | b'+' | b'.')) || text.len() > 64 {
        return None;
    }
    let plain: f64 = match text.parse() {
        Ok(number) => number,
        Err(_) if has_thousands(text) => text.replace(',', "").parse().ok()?,
        Err(_) => return None,
    };
    plain.is_finite().then_some(plain)
}

/// Commas only between groups of three digits, and at most one point behind them.
fn has_thousands(text: &str) -> bool {
    let whole = text.trim_start_matches(['-', '+']).split('.').next().unwrap_or("");
    let mut groups = whole.split(',');
    let digits = |group: &str| group.bytes().all(|byte| byte.is_ascii_digit());
    let first = groups.next().is_some_and(|group| (1..=3).contains(&group.len()) && digits(group));
    let mut rest = groups.peekable();
    first && rest.peek().is_some() && rest.all(|group| group.len() == 3 && digits(group))
}

impl Content {
    /// The word for a sample type in RDML.
    pub(crate) fn rdml_word(&self) -> &'static str {
        match self {
            Content::NoTemplateControl => "ntc",
            Content::NegativeControl => "ntp",
            Content::NoAmplificationControl => "nac",
            Content::NoReverseTranscriptionControl => "nrt",
            Content::PositiveControl => "pos",
            Content::Standard => "std",
            Content::OpticalCalibrator => "opt",
            Content::Unknown | Content::InternalControl | Content::Empty | Content::Other(_) => "unkn",
        }
    }

    /// Reads the words instruments use for tasks, contents and sample types.
    pub(crate) fn from_word(text: &str) -> Content {
        let folded: String = text.trim().to_lowercase().chars().filter(|letter| letter.is_alphanumeric()).collect();
        // CFX numbers its contents: “Unkn-01”, “Std-3”, “Pos Ctrl-1”.
        let word = folded.trim_end_matches(|letter: char| letter.is_ascii_digit());
        match word {
            "" | "unkn" | "unknown" | "sample" | "test" | "target" | "endogenouscontrol" => Content::Unknown,
            "ntc" | "notemplatecontrol" | "blank" => Content::NoTemplateControl,
            "neg" | "negctrl" | "negative" | "negativecontrol" | "ntp" | "nc" => Content::NegativeControl,
            "nac" | "noamplificationcontrol" => Content::NoAmplificationControl,
            "nrt" => Content::NoReverseTranscriptionControl,
            "pos" | "posctrl" | "positive" | "positivecontrol" | "pc" | "pcallele" | "pcalleleboth" => Content::PositiveControl,
            "std" | "standard" => Content::Standard,
            "opt" | "calibrator" => Content::OpticalCalibrator,
            "ipc" | "blockedipc" | "internalcontrol" | "internalpositivecontrol" => Content::InternalControl,
            "empty" => Content::Empty,
            _ => Content::Other(text.trim().to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_of_writing_none_is_none() {
        for none in ["", " ", "Undetermined", "UNDETERMINED", "N/A", "NaN", "-1", "-1.0", "0.0", "0.00", "100", "100.0", "999"] {
            assert_eq!(parse_cq(none), Ok(None), "{none}");
        }
        assert_eq!(parse_cq("40.0"), Ok(Some(40.0)));
        assert_eq!(parse_cq(" 21.1877528266099 "), Ok(Some(21.187_752_826_609_9)));
        assert!(matches!(parse_cq("140"), Err(ProblemKind::ImpossibleCq { .. })));
        assert!(matches!(parse_cq("-7"), Err(ProblemKind::ImpossibleCq { .. })));
        assert!(matches!(parse_cq("2l.4"), Err(ProblemKind::NotANumber { .. })));
    }

    #[test]
    fn numbers_with_thousands_are_read_and_others_are_not() {
        assert_eq!(parse_number("1,748,809.500"), Some(1_748_809.5));
        assert_eq!(parse_number("-2,551.491"), Some(-2_551.491));
        assert_eq!(parse_number("1E3"), Some(1_000.0));
        for other in ["", "1,5", "1,23,456", "inf", "NaN", "-inf", "1e999", "12 3", ",123", "1,234,5"] {
            assert_eq!(parse_number(other), None, "{other}");
        }
    }

    #[test]
    fn contents_are_told_from_the_words_of_several_makers() {
        assert_eq!(Content::from_word("Unkn-01"), Content::Unknown);
        assert_eq!(Content::from_word("NTC"), Content::NoTemplateControl);
        assert_eq!(Content::from_word("Neg Ctrl"), Content::NegativeControl);
        assert_eq!(Content::from_word("Pos Ctrl-2"), Content::PositiveControl);
        assert_eq!(Content::from_word("STANDARD"), Content::Standard);
        assert_eq!(Content::from_word("BlockedIPC"), Content::InternalControl);
        assert_eq!(Content::from_word("miR-101"), Content::Other("miR-101".into()));
    }
}
