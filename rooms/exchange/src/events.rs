//! What is stored about messages from other systems.

use baton_kit::{EventId, PersonId, TubeId};
use baton_ledger::{Command, EventBody, Sealed};
use serde::{Deserialize, Serialize};

/// Fact: another system sent a message. Its text holds personal data and stands here only sealed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct MessageReceived {
    /// `ORU^R01`.
    pub kind: String,
    /// Application and facility, as the message names them.
    pub sender: String,
    /// Keyed hash of the sender and the message's control id: the same for a resend.
    pub sender_key: i64,
    /// Keyed hash of the whole text.
    pub content_key: i64,
    pub sealed: Sealed,
    /// Whom of ours it speaks of, as far as could be told when it came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tube: Option<TubeId>,
    /// What does not fit: see [`crate::rules::finding`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finding: Option<String>,
    /// How many oddities its text has.
    #[serde(default)]
    pub problems: u32,
}
impl EventBody for MessageReceived {
    const KIND: &'static str = "exchange.message_received";
}

/// Somebody looked into a message that does not fit, and says what came of it. The message itself stays as it came.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SettleMessage {
    pub message: EventId,
    pub remark: String,
}
impl Command for SettleMessage {
    type Outcome = ();
    const KIND: &'static str = "exchange.message_settled";
}
