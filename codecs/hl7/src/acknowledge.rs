//! The answer to a message.

use crate::message::{Message, Segment, Separators};

/// What becomes of a message (table 0008).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Taken.
    Accept,
    /// Something in it is wrong; sent as it is, it will be answered so again.
    Error,
    /// Not taken, for a reason outside its content; it may be sent again later.
    Reject,
}

impl Verdict {
    pub fn code(self) -> &'static str {
        match self {
            Verdict::Accept => "AA",
            Verdict::Error => "AE",
            Verdict::Reject => "AR",
        }
    }
}

/// What is wrong (table 0357), and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// `101`.
    pub code: &'static str,
    /// Its words in table 0357.
    pub words: &'static str,
    /// Segment and field, if it has a place.
    pub place: Option<(&'static str, &'static str)>,
    /// For people.
    pub detail: String,
}

impl Fault {
    pub const SEQUENCE: (&'static str, &'static str) = ("100", "Segment sequence error");
    pub const REQUIRED: (&'static str, &'static str) = ("101", "Required field missing");
    pub const KIND: (&'static str, &'static str) = ("200", "Unsupported message type");
    pub const VERSION: (&'static str, &'static str) = ("203", "Unsupported version id");
    pub const INTERNAL: (&'static str, &'static str) = ("207", "Application internal error");

    pub fn new(table: (&'static str, &'static str), detail: impl Into<String>) -> Self {
        Self { code: table.0, words: table.1, place: None, detail: detail.into() }
    }
    pub fn at(mut self, segment: &'static str, field: &'static str) -> Self {
        self.place = Some((segment, field));
        self
    }
}

/// An acknowledgement to be written.
#[derive(Clone, Copy, Debug)]
pub struct Acknowledgement<'a> {
    pub verdict: Verdict,
    pub faults: &'a [Fault],
    /// Its own control id.
    pub control_id: &'a str,
    /// When it is written.
    pub time: &'a str,
    pub application: &'a str,
    pub facility: &'a str,
}

/// ACK to `original`; nothing is known of it when its bytes were no message.
pub fn acknowledge(original: Option<&Message>, ack: &Acknowledgement<'_>) -> Message {
    let get = |field, component| original.map_or("", |message| message.get("MSH", field, component));
    let processing = if get(11, 1).is_empty() { "P" } else { get(11, 1) };
    let mut msh = Segment::new("MSH").text(1, "|").text(2, "^~\\&").text(3, ack.application).text(4, ack.facility);
    msh = msh.text(5, get(3, 1)).text(6, get(4, 1)).text(7, ack.time);
    let trigger = get(9, 2);
    let kind: &[&str] = if trigger.is_empty() { &["ACK"] } else { &["ACK", trigger, "ACK"] };
    msh = msh.with(9, kind).text(10, ack.control_id).text(11, processing).text(12, "2.5.1").text(18, "UNICODE UTF-8");
    let control = if get(10, 1).is_empty() { "UNKNOWN" } else { get(10, 1) };
    let mut segments = vec![msh, Segment::new("MSA").text(1, ack.verdict.code()).text(2, control)];
    for fault in ack.faults {
        let mut err = Segment::new("ERR");
        if let Some((segment, field)) = fault.place {
            err = err.with(2, &[segment, "1", field]);
        }
        segments.push(err.with(3, &[fault.code, fault.words, "HL70357"]).text(4, "E").text(8, &fault.detail));
    }
    Message { separators: Separators::default(), segments }
}
