//! What the ledger holds: events. Bodies are opaque JSON text here; the rooms give them types.

use baton_kit::{AccountId, Bucket, EventId, Timestamp};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::door::{StoreError, StoreResult};

/// The body of one kind of event, as stored for ever. Fields may be added (with a default), never renamed or removed.
pub trait EventBody: Serialize + DeserializeOwned {
    /// `room.what_happened`, in the past tense.
    const KIND: &'static str;
}

/// A command that can be decided. The event that results holds it together with its outcome.
pub trait Command: Serialize + DeserializeOwned {
    /// What was decided beyond the command itself; `()` when the command says it all.
    type Outcome: Serialize + DeserializeOwned;
    /// The kind of the resulting event: `room.what_happened`, in the past tense.
    const KIND: &'static str;
}

/// The body of a decision: what was asked, and what was decided.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Decided<C, O> {
    pub command: C,
    pub outcome: O,
}

/// Something the sayer was told at once while a fact was recorded: "tube full", "sampled today already".
/// Arguments are numbers and ids, never personal data: the ledger is not rewritten.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Note {
    pub code: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub arguments: Vec<(String, String)>,
}

impl Note {
    pub fn new(code: &str) -> Self {
        Self { code: code.to_owned(), arguments: Vec::new() }
    }
    pub fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.arguments.push((name.to_owned(), value.to_string()));
        self
    }
}

/// An event before it has a place in the ledger.
#[derive(Clone, PartialEq, Debug)]
pub struct Draft {
    pub id: EventId,
    pub kind: String,
    /// When it happened, as the sayer's clock says.
    pub happened: Timestamp,
    /// Who said it; `None` for Baton itself.
    pub actor: Option<AccountId>,
    /// JSON.
    pub body: String,
    pub notes: Vec<Note>,
}

impl Draft {
    pub fn of<B: EventBody>(id: EventId, happened: Timestamp, actor: Option<AccountId>, body: &B) -> StoreResult<Self> {
        Ok(Self { id, kind: B::KIND.to_owned(), happened, actor, body: to_json(body)?, notes: Vec::new() })
    }
    pub fn bucket(&self) -> Bucket {
        baton_kit::TypedId::bucket(self.id)
    }
}

/// JSON text of a body.
pub fn to_json<B: Serialize>(body: &B) -> StoreResult<String> {
    serde_json::to_string(body).map_err(|error| StoreError::Other(format!("a body does not become JSON: {error}")))
}

/// An event in the ledger.
#[derive(Clone, PartialEq, Debug)]
pub struct Event {
    pub bucket: Bucket,
    /// Its place among all events of the installation: 1, 2, 3, … without a gap.
    pub ordinal: i64,
    pub id: EventId,
    pub kind: String,
    pub happened: Timestamp,
    /// When the ledger took it.
    pub recorded: Timestamp,
    pub actor: Option<AccountId>,
    pub body: String,
    /// JSON list of [`Note`]; empty text when there are none.
    pub noted: String,
    pub hash: [u8; 32],
}

impl Event {
    pub fn is<B: EventBody>(&self) -> bool {
        self.kind == B::KIND
    }
    /// The typed body.
    pub fn body<B: DeserializeOwned>(&self) -> StoreResult<B> {
        serde_json::from_str(&self.body).map_err(|error| StoreError::Inconsistent {
            table: "event",
            row: self.id.to_string(),
            problem: format!("{} body: {error}", self.kind),
        })
    }
    /// The typed body of a decision.
    pub fn decided<C: Command>(&self) -> StoreResult<Decided<C, C::Outcome>> {
        self.body()
    }
    pub fn notes(&self) -> StoreResult<Vec<Note>> {
        if self.noted.is_empty() {
            return Ok(Vec::new());
        }
        serde_json::from_str(&self.noted).map_err(|error| StoreError::Inconsistent {
            table: "event",
            row: self.id.to_string(),
            problem: format!("notes: {error}"),
        })
    }
}

/// What the sayer of an event is answered; a resend gets the same answer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, schemars::JsonSchema)]
pub struct Acknowledgement {
    pub id: EventId,
    pub ordinal: i64,
    pub recorded_us: Timestamp,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Note>,
    /// For a decision: the body as stored.
    #[serde(skip)]
    pub body: Option<String>,
    /// True when this id was already in the ledger: nothing was written now.
    #[serde(skip)]
    pub repeated: bool,
}
