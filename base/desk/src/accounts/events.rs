//! What is stored about accounts. Secrets only as keyed hashes or sealed.

use baton_kit::{AccountId, AnyId, Device, Language, SessionId, Timestamp};
use baton_ledger::{Command, EventBody, Sealed};
use serde::{Deserialize, Serialize};

use crate::actor::{Role, Scope};

/// Sealed with an account: who it is and the password's argon2 hash.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AccountSecret {
    pub login: String,
    pub name: String,
    pub password: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CreateAccount {
    /// Keyed hash of the login, to find it and to keep it unique.
    pub login_key: i64,
    pub sealed: Sealed,
    pub roles: Vec<Role>,
    pub scope: Scope,
    pub language: Language,
    /// True for the first administrator of an installation that has no accounts.
    pub first: bool,
}
impl Command for CreateAccount {
    type Outcome = ();
    const KIND: &'static str = "accounts.account_created";
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ChangeAccount {
    pub account: AccountId,
    pub roles: Option<Vec<Role>>,
    pub scope: Option<Scope>,
    pub enabled: Option<bool>,
    /// The whole secret again, with a new password.
    pub sealed: Option<Sealed>,
}
impl Command for ChangeAccount {
    type Outcome = ();
    const KIND: &'static str = "accounts.account_changed";
}

/// A task for which somebody has to be found competent (ISO 15189:2022, 6.2.3).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    Sampling,
    Transport,
    Accession,
    /// Extraction and laying of plates.
    Extraction,
    /// Running the plate and reading its curves.
    Amplification,
    /// Review and release of results.
    Signing,
}

impl Task {
    pub const ALL: [Task; 6] = [Task::Sampling, Task::Transport, Task::Accession, Task::Extraction, Task::Amplification, Task::Signing];

    /// Its name in JSON and in the texts (`task-<name>`).
    pub fn name(self) -> &'static str {
        match self {
            Task::Sampling => "sampling",
            Task::Transport => "transport",
            Task::Accession => "accession",
            Task::Extraction => "extraction",
            Task::Amplification => "amplification",
            Task::Signing => "signing",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Task::ALL.into_iter().find(|task| task.name() == name)
    }
}

/// Somebody was assessed: competent until then, or not any more.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RecordCompetence {
    pub account: AccountId,
    pub task: Task,
    pub until_us: Option<Timestamp>,
    /// On what the judgement rests: observed work, an external quality assessment, a course.
    #[serde(default)]
    pub basis: String,
}
impl Command for RecordCompetence {
    type Outcome = ();
    const KIND: &'static str = "accounts.competence_recorded";
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SignIn {
    pub account: AccountId,
    pub token_hash: String,
    pub expires_us: Timestamp,
}
/// The number under which this sign-in says its events.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SayerGiven {
    pub device: Device,
}
impl Command for SignIn {
    type Outcome = SayerGiven;
    const KIND: &'static str = "accounts.signed_in";
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SignOut {
    pub session: SessionId,
}
impl Command for SignOut {
    type Outcome = ();
    const KIND: &'static str = "accounts.signed_out";
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EnrolDevice {
    pub name: String,
    pub account: AccountId,
    pub token_hash: String,
}
impl Command for EnrolDevice {
    type Outcome = SayerGiven;
    const KIND: &'static str = "accounts.device_enrolled";
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RevokeDevice {
    pub device: Device,
}
impl Command for RevokeDevice {
    type Outcome = ();
    const KIND: &'static str = "accounts.device_revoked";
}

/// Somebody looked at personal data.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PersonsViewed {
    pub subjects: Vec<AnyId>,
    pub purpose: String,
}
impl EventBody for PersonsViewed {
    const KIND: &'static str = "accounts.persons_viewed";
}
