//! A refusal: the only way Baton says no. It has a code, its words in three languages, and what to do next.

/// What kind of no it is; the HTTP door turns it into a status.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Status {
    /// The request itself is wrong (400).
    Malformed,
    /// Nobody is signed in (401).
    Unknown,
    /// Somebody is, but may not (403).
    Forbidden,
    /// There is no such thing (404).
    Absent,
    /// It contradicts what is already so (409).
    Conflict,
    /// A rule of the house says no (422).
    Ruled,
    /// Too often (429).
    Slow,
    /// A bound is reached; try again after the stated seconds (503).
    Full,
    /// Our fault (500).
    Broken,
}

/// A decision that was not permitted, or a request that could not be read.
///
/// Words live in `locales/<language>/*.ftl` under `refusal-<code>` and, for what to do next, `refusal-<code>-next`.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{code} {arguments:?}")]
pub struct Refusal {
    pub code: &'static str,
    pub status: Status,
    /// Named values for the words, e.g. `("row", "17")`.
    pub arguments: Vec<(&'static str, String)>,
}

impl Refusal {
    pub fn new(code: &'static str, status: Status) -> Self {
        Self { code, status, arguments: Vec::new() }
    }
    pub fn ruled(code: &'static str) -> Self {
        Self::new(code, Status::Ruled)
    }
    pub fn conflict(code: &'static str) -> Self {
        Self::new(code, Status::Conflict)
    }
    pub fn absent(code: &'static str) -> Self {
        Self::new(code, Status::Absent)
    }
    pub fn malformed(code: &'static str) -> Self {
        Self::new(code, Status::Malformed)
    }
    pub fn forbidden(code: &'static str) -> Self {
        Self::new(code, Status::Forbidden)
    }
    /// Adds a named value for the words.
    pub fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.arguments.push((name, value.to_string()));
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_carries_its_values() {
        let refusal = Refusal::ruled("tube-full").with("count", 11).with("ratio", 10);
        assert_eq!(refusal.status, Status::Ruled);
        assert_eq!(refusal.arguments, vec![("count", "11".to_owned()), ("ratio", "10".to_owned())]);
    }
}
