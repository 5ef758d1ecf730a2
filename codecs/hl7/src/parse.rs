//! Bytes to a message.

use crate::message::{Field, Message, Repetition, Segment, Separators};
use crate::problem::{ParseError, Place, Problem, ProblemKind};

/// A message is never longer.
pub const BYTES_MAX: usize = 1 << 20;
const SEGMENTS_MAX: usize = 5_000;
const FIELDS_MAX: usize = 500;
/// Repetitions, components and subcomponents of one field together.
const PARTS_MAX: usize = 5_000;
/// So many problems are told one by one.
const PROBLEMS_MAX: usize = 100;

/// Segments that a missing segment end glues to the one before.
const KNOWN: [&str; 24] = [
    "MSH", "SFT", "PID", "PD1", "NTE", "PV1", "PV2", "IN1", "GT1", "AL1", "ORC", "TQ1", "OBR", "OBX", "SPM", "SAC", "NK1", "DG1", "CTI", "TCD", "INV", "FTS",
    "BTS", "CTD",
];

/// The messages of a file, which may wrap them as a batch (FHS, BHS, BTS, FTS). Each is the text from its MSH on.
pub fn split(bytes: &[u8]) -> Vec<&[u8]> {
    let mut starts = Vec::new();
    let mut ends = Vec::new();
    let mut line_start = true;
    for at in 0..bytes.len() {
        let rest = &bytes[at..];
        if line_start && rest.starts_with(b"MSH") {
            ends.extend((!starts.is_empty()).then_some(at));
            starts.push(at);
        } else if line_start && starts.len() > ends.len() && [b"BTS", b"FTS", b"BHS", b"FHS"].iter().any(|name| rest.starts_with(*name)) {
            ends.push(at);
        }
        line_start = matches!(bytes[at], b'\r' | b'\n' | 0x0b | 0xbf);
    }
    ends.resize(starts.len(), bytes.len());
    starts.into_iter().zip(ends).map(|(start, end)| &bytes[start..end]).collect()
}

/// One message, and everything that is odd about it.
pub fn parse(bytes: &[u8]) -> Result<(Message, Vec<Problem>), ParseError> {
    if bytes.len() > BYTES_MAX {
        return Err(ParseError::OverLimit { what: "bytes", limit: BYTES_MAX });
    }
    let mut reader = Reader { problems: Vec::new(), more: 0, place: Place { segment: "MSH".to_owned(), line: 1, field: None, byte: 0 } };
    let (bytes, skipped) = bytes.strip_prefix(b"\xef\xbb\xbf").map_or((bytes, 0), |rest| (rest, 3));
    if skipped > 0 {
        reader.tell(ProblemKind::ByteOrderMark);
    }
    let text = String::from_utf8_lossy(bytes);
    if text.contains('\u{fffd}') {
        reader.tell(ProblemKind::NotUtf8);
    }
    if text.contains('\n') && !text.contains('\r') {
        reader.tell(ProblemKind::LineFeeds);
    }
    let separators = separators(&text)?;
    let mut message = Message { separators, segments: Vec::new() };
    let mut at = skipped;
    for line in text.split(['\r', '\n']) {
        if !line.trim().is_empty() {
            if message.segments.len() == SEGMENTS_MAX {
                return Err(ParseError::OverLimit { what: "segments", limit: SEGMENTS_MAX });
            }
            reader.place = Place { segment: line.chars().take(3).collect(), line: message.segments.len() + 1, field: None, byte: at };
            message.segments.push(reader.segment(line, &separators)?);
        }
        at += line.len() + 1;
    }
    Ok((message, reader.told()))
}

fn separators(text: &str) -> Result<Separators, ParseError> {
    let not_a_message = || ParseError::NotAMessage { found: text.chars().take(8).collect() };
    let rest = text.strip_prefix("MSH").ok_or_else(not_a_message)?;
    let mut signs = rest.chars();
    let field = signs.next().ok_or_else(not_a_message)?;
    let encoding: String = signs.as_str().chars().take_while(|c| *c != field && *c != '\r' && *c != '\n').take(6).collect();
    let wrong = || ParseError::Delimiters { text: format!("{field}{encoding}") };
    let parts: Vec<char> = encoding.chars().collect();
    let (component, repetition, escape, subcomponent, truncation) = match parts.as_slice() {
        [c, r, e, s] => (*c, *r, *e, *s, None),
        [c, r, e, s, t] => (*c, *r, *e, *s, Some(*t)),
        _ => return Err(wrong()),
    };
    let mut all: Vec<char> = [field, component, repetition, escape, subcomponent].into_iter().chain(truncation).collect();
    let plain = all.iter().all(|c| c.is_ascii_punctuation());
    all.sort_unstable();
    all.dedup();
    if !plain || all.len() != 5 + usize::from(truncation.is_some()) {
        return Err(wrong());
    }
    Ok(Separators { field, component, repetition, escape, subcomponent, truncation })
}

struct Reader {
    problems: Vec<Problem>,
    more: usize,
    place: Place,
}

impl Reader {
    fn tell(&mut self, kind: ProblemKind) {
        if self.problems.len() < PROBLEMS_MAX {
            self.problems.push(Problem { place: self.place.clone(), kind });
        } else {
            self.more += 1;
        }
    }

    fn told(mut self) -> Vec<Problem> {
        if self.more > 0 {
            self.problems.push(Problem { place: Place::default(), kind: ProblemKind::More { count: self.more } });
        }
        self.problems
    }

    fn segment(&mut self, line: &str, separators: &Separators) -> Result<Segment, ParseError> {
        let mut texts = line.split(separators.field);
        let name = texts.next().unwrap_or_default();
        if name.len() != 3 || !name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()) {
            self.tell(ProblemKind::SegmentName { text: name.chars().take(20).collect() });
        }
        let mut segment = Segment::new(name);
        let mut byte = self.place.byte + name.len() + 1;
        if matches!(name, "MSH" | "FHS" | "BHS") {
            let encoding = texts.next().unwrap_or_default();
            segment = segment.text(1, &separators.field.to_string()).text(2, encoding);
            byte += encoding.len() + 1;
        }
        let mut texts = texts.peekable();
        while let Some(text) = texts.next() {
            if segment.fields.len() == FIELDS_MAX {
                return Err(ParseError::OverLimit { what: "fields in a segment", limit: FIELDS_MAX });
            }
            (self.place.field, self.place.byte) = (Some(segment.fields.len() + 1), byte);
            segment.fields.push(self.field(text, texts.peek().copied(), separators)?);
            byte += text.len() + separators.field.len_utf8();
        }
        while segment.fields.last().is_some_and(|field| field.0.is_empty()) {
            segment.fields.pop();
        }
        Ok(segment)
    }

    fn field(&mut self, text: &str, next: Option<&str>, separators: &Separators) -> Result<Field, ParseError> {
        if text.is_empty() {
            return Ok(Field::default());
        }
        if let Some(name) = glued(text, next).filter(|_| !matches!(self.place.segment.as_str(), "MSH" | "ERR")) {
            self.tell(ProblemKind::GluedSegment { name: name.to_owned() });
        }
        let is_sign = |c: char| c == separators.component || c == separators.repetition || c == separators.subcomponent;
        if text.chars().filter(|c| is_sign(*c)).count() >= PARTS_MAX {
            return Err(ParseError::OverLimit { what: "parts in a field", limit: PARTS_MAX });
        }
        let mut repetitions = Vec::new();
        for repetition in text.split(separators.repetition) {
            let mut components = Vec::new();
            for component in repetition.split(separators.component) {
                components.push(component.split(separators.subcomponent).map(|text| self.unescape(text, separators)).collect());
            }
            repetitions.push(Repetition(components));
        }
        Ok(Field(repetitions))
    }

    fn unescape(&mut self, text: &str, separators: &Separators) -> String {
        if !text.contains(separators.escape) {
            return text.to_owned();
        }
        let mut plain = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once(separators.escape) {
            plain.push_str(before);
            let Some((escape, after)) = after.split_once(separators.escape) else {
                self.tell(ProblemKind::EscapeOpen);
                plain.push(separators.escape);
                rest = after;
                break;
            };
            match meaning(escape, separators) {
                Some(meaning) => plain.push_str(&meaning),
                None => {
                    self.tell(ProblemKind::Escape { text: escape.chars().take(20).collect() });
                    plain.push(separators.escape);
                    plain.push_str(escape);
                    plain.push(separators.escape);
                }
            }
            rest = after;
        }
        plain.push_str(rest);
        plain
    }
}

/// The segment that begins at the end of this field's text. After a letter only where the next field is that segment's first.
fn glued(text: &str, next: Option<&str>) -> Option<&'static str> {
    let name = KNOWN.into_iter().find(|name| text.ends_with(name))?;
    let before = text[..text.len() - name.len()].chars().next_back();
    let begins = match (name, next) {
        ("ORC", Some(next)) => next.len() == 2 && next.bytes().all(|b| b.is_ascii_uppercase()),
        ("OBR" | "OBX" | "SPM", Some(next)) => !next.is_empty() && next.bytes().all(|b| b.is_ascii_digit()),
        _ => false,
    };
    (begins || before.is_none_or(|c| !c.is_alphanumeric() && c != ' ')).then_some(name)
}

fn meaning(escape: &str, separators: &Separators) -> Option<String> {
    let sign = match escape {
        "F" => separators.field,
        "S" => separators.component,
        "T" => separators.subcomponent,
        "R" => separators.repetition,
        "E" => separators.escape,
        "P" => separators.truncation?,
        ".br" => '\n',
        _ => return hexadecimal(escape),
    };
    Some(sign.to_string())
}

/// `\X0D0A\`: bytes of the message's character set.
fn hexadecimal(escape: &str) -> Option<String> {
    let digits = escape.strip_prefix('X').filter(|digits| !digits.is_empty() && digits.len() % 2 == 0 && digits.bytes().all(|b| b.is_ascii_hexdigit()))?;
    let bytes: Option<Vec<u8>> = (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).ok()).collect();
    String::from_utf8(bytes?).ok()
}
