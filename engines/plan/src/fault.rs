//! What is wrong with a file, and where.

use std::fmt;

/// A file that cannot be read: the line (from 1; 0 for the file as a whole), the field and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub line: usize,
    pub field: String,
    pub problem: String,
}

impl Fault {
    pub(crate) fn new(line: usize, field: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { line, field: field.into(), problem: problem.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 0 {
            write!(f, "line {}, ", self.line)?;
        }
        write!(f, "{}: {}", self.field, self.problem)
    }
}

impl std::error::Error for Fault {}

/// Reads JSON of a shape.
pub(crate) fn from_json<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, Fault> {
    serde_json::from_str(text).map_err(|error| {
        let (words, place) = (error.to_string(), format!(" at line {} column {}", error.line(), error.column()));
        Fault::new(error.line().max(1), format!("column {}", error.column()), words.strip_suffix(&place).unwrap_or(&words))
    })
}

/// A number of a field within its bounds.
pub(crate) fn within(field: &str, value: i64, least: i64, most: i64) -> Result<(), Fault> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    Err(Fault::new(0, field, format!("{value} is not within {least} to {most}")))
}

/// Ids that are there, and only once.
pub(crate) fn distinct<'a>(list: &str, ids: impl Iterator<Item = &'a str>) -> Result<(), Fault> {
    let mut seen = std::collections::BTreeSet::new();
    for (at, id) in ids.enumerate() {
        if id.is_empty() || !seen.insert(id) {
            return Err(Fault::new(0, format!("{list}[{at}].id"), format!("`{id}` is empty or stands twice")));
        }
    }
    Ok(())
}

/// The words of a text line by line, handing out one number after the other with its place.
pub(crate) struct Words<'a> {
    words: Vec<(usize, &'a str)>,
    at: usize,
    last_line: usize,
}

impl<'a> Words<'a> {
    /// Of lines with their numbers.
    pub(crate) fn new(lines: impl Iterator<Item = (usize, &'a str)>) -> Self {
        let words: Vec<(usize, &str)> = lines.flat_map(|(line, text)| text.split_whitespace().map(move |word| (line, word))).collect();
        let last_line = words.last().map_or(0, |(line, _)| *line);
        Self { words, at: 0, last_line }
    }

    pub(crate) fn rest(&self) -> Option<(usize, &'a str)> {
        self.words.get(self.at).copied()
    }

    pub(crate) fn left(&self) -> usize {
        self.words.len() - self.at
    }

    pub(crate) fn word(&mut self, field: &str) -> Result<(usize, &'a str), Fault> {
        let word = self.rest().ok_or_else(|| Fault::new(self.last_line, field, "is missing: the text ends here"))?;
        self.at += 1;
        Ok(word)
    }

    /// A whole number within a range.
    pub(crate) fn whole(&mut self, field: &str, least: i64, most: i64) -> Result<i64, Fault> {
        let (line, word) = self.word(field)?;
        let value: i64 = word.parse().map_err(|_| Fault::new(line, field, format!("`{word}` is not a whole number")))?;
        if !(least..=most).contains(&value) {
            return Err(Fault::new(line, field, format!("{value} is not within {least} to {most}")));
        }
        Ok(value)
    }

    /// A number within ± `most`.
    pub(crate) fn number(&mut self, field: &str, least: f64, most: f64) -> Result<f64, Fault> {
        let (line, word) = self.word(field)?;
        number(line, field, word, least, most)
    }
}

pub(crate) fn number(line: usize, field: &str, word: &str, least: f64, most: f64) -> Result<f64, Fault> {
    let value: f64 = word.parse().map_err(|_| Fault::new(line, field, format!("`{word}` is not a number")))?;
    if !(least..=most).contains(&value) {
        return Err(Fault::new(line, field, format!("{word} is not within {least} to {most}")));
    }
    Ok(value)
}
