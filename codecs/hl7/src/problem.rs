/// Where in a message. Numbers count from 1, as the standard does.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Place {
    pub segment: String,
    /// Which of the segments of the message.
    pub line: usize,
    pub field: Option<usize>,
    /// From the first byte of the message.
    pub byte: usize,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.segment)?;
        if let Some(field) = self.field {
            write!(f, "-{field}")?;
        }
        write!(f, " (segment {}, byte {})", self.line, self.byte)
    }
}

/// Something odd that did not stop the reading.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{place}: {kind}")]
pub struct Problem {
    pub place: Place,
    pub kind: ProblemKind,
}

#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ProblemKind {
    #[error("a byte-order mark stands before the message")]
    ByteOrderMark,
    #[error("segments end in a line feed, not in a carriage return")]
    LineFeeds,
    #[error("the text is not UTF-8; unreadable bytes are shown as \u{fffd}")]
    NotUtf8,
    #[error("“{text}” is no name of a segment")]
    SegmentName { text: String },
    #[error("the segment {name} begins inside this field: a segment end is missing before it")]
    GluedSegment { name: String },
    #[error("the escape “{text}” is not known and kept as it is")]
    Escape { text: String },
    #[error("an escape is not closed and kept as it is")]
    EscapeOpen,
    #[error("{count} more problems")]
    More { count: usize },
}

/// Why bytes are no message.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ParseError {
    #[error("a message begins with MSH; this begins with “{found}”")]
    NotAMessage { found: String },
    #[error("MSH-2 declares the delimiters “{text}”: four different signs are needed, no letters, digits or blanks")]
    Delimiters { text: String },
    #[error("more than {limit} {what}")]
    OverLimit { what: &'static str, limit: usize },
}
