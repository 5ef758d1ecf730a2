//! The desk: the HTTP shell around the rooms. Sessions, roles, words, page frame, facts and decisions at the door.

pub mod accounts;
pub mod actor;
pub mod answer;
mod assets;
mod card;
mod facts;
pub mod form;
mod live;
mod openapi;
mod operations;
pub mod page;
pub mod paper;
mod rate;
pub mod room;
mod server;
mod session;
pub mod texts;
mod vehicle;

use std::sync::Arc;
use std::time::Duration;

use baton_kit::{AccountId, AnyId, Bucket, EventId, Refusal, Site, Status, TypedId};
use baton_ledger::{Acknowledgement, Command, Decided, Draft, EventBody, Ledger, Reading, Tx, Undecided, to_json};

pub use actor::{Actor, Role, Scope};
pub use answer::Answered;
pub use card::{Card, Tone};
pub use facts::{Earlier, FactContext, FactDoor, Key, Memo, Told};
pub use openapi::openapi;
pub use page::Page;
pub use room::{Access, Budget, Directory, InboxItem, LiveTopic, NavItem, PlaceNames, Room, Route};
pub use server::{router, routes};
pub use texts::{Texts, Words};
pub use vehicle::{Vehicle, centre};

/// How long a page waits to see its own writes.
const PATIENCE: Duration = Duration::from_secs(5);

/// What every handler holds.
pub type App = Arc<Desk>;

/// The desk of one running installation.
pub struct Desk {
    pub ledger: Arc<Ledger>,
    pub site: Site,
    /// Name of the installation, shown on pages and reports.
    pub name: String,
    pub texts: Texts,
    pub rooms: Vec<Room>,
    pub(crate) sessions: session::Sessions,
    pub(crate) attempts: rate::Attempts,
    pub(crate) budgets: Arc<operations::Budgets>,
    pub(crate) ladder: operations::Ladder,
    pub(crate) meter: operations::Meter,
    pub(crate) live: live::Live,
    pub(crate) noters: facts::Noters,
    /// Facts that the tables may not show yet.
    pub(crate) recent: Arc<facts::Recent>,
    /// Shown once on the server's terminal; whoever makes the first administrator must know it.
    pub setup_token: String,
    /// Where the public reaches this installation, `https://…`; printed into codes, so it is never taken from a request.
    pub(crate) public_address: std::sync::OnceLock<String>,
}

/// A decision that came about.
#[derive(Debug, Clone)]
pub struct Decision<O> {
    pub acknowledgement: Acknowledgement,
    pub outcome: O,
}

impl Desk {
    pub fn new(ledger: Arc<Ledger>, site: Site, name: String, rooms: Vec<Room>) -> Result<App, String> {
        let texts = Texts::of(rooms.iter().map(|room| room.texts))?;
        let setup_token = baton_ledger::hex(&ledger.vault().random::<8>());
        let run = baton_ledger::hex(&ledger.vault().random::<4>());
        let live = live::Live::of(&ledger);
        let desk = Arc::new(Self {
            live,
            noters: facts::Noters::default(),
            recent: Arc::default(),
            ledger,
            site,
            name,
            texts,
            rooms,
            sessions: session::Sessions::default(),
            attempts: rate::Attempts::default(),
            budgets: Arc::default(),
            ladder: operations::Ladder::default(),
            meter: operations::Meter::new(run),
            setup_token,
            public_address: std::sync::OnceLock::new(),
        });
        facts::Noters::start(&desk).map_err(|error| format!("no thread for notes: {error}"))?;
        Ok(desk)
    }

    /// Says once where the public reaches this installation: `https://baton.example`, without a path.
    ///
    /// # Errors
    /// What is no such address.
    pub fn set_public_address(&self, address: &str) -> Result<(), String> {
        let address = address.trim().trim_end_matches('/');
        let host = address.strip_prefix("https://").or_else(|| address.strip_prefix("http://")).unwrap_or("");
        let plain = !host.is_empty() && host.len() <= 255 && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte));
        if !plain {
            return Err(format!("“{address}” is no public address such as https://baton.example"));
        }
        self.public_address.set(address.to_owned()).map_err(|_| "the public address is said already".to_owned())
    }

    /// Who names places here.
    pub fn directory(&self) -> room::Directory {
        self.rooms.iter().find_map(|room| room.directory).unwrap_or(room::Directory::NONE)
    }

    /// Where the public reaches this installation, if it was said.
    pub fn public_address(&self) -> Option<&str> {
        self.public_address.get().map(String::as_str)
    }

    /// Looks at the folded state away from the async threads.
    pub async fn read<T: Send + 'static>(self: &Arc<Self>, work: impl FnOnce(&mut Tx<'_>) -> Result<T, Undecided> + Send + 'static) -> Result<T, Refusal> {
        let ledger = self.ledger.clone();
        let reading = match operations::BUDGET.try_with(|budget| *budget) {
            Ok(Budget::Scans) => Reading::Scans,
            Ok(Budget::LookUps) => Reading::LookUps,
            _ => Reading::Pages,
        };
        self.blocking(move || ledger.read_for(reading, work)).await
    }

    /// Looks at the log itself.
    pub async fn read_log<T: Send + 'static>(self: &Arc<Self>, work: impl FnOnce(&mut Tx<'_>) -> Result<T, Undecided> + Send + 'static) -> Result<T, Refusal> {
        let ledger = self.ledger.clone();
        self.blocking(move || ledger.read_log(work)).await
    }

    /// Runs blocking work; a store's failure becomes our fault, logged once here.
    pub async fn blocking<T: Send + 'static>(&self, work: impl FnOnce() -> Result<T, Undecided> + Send + 'static) -> Result<T, Refusal> {
        let span = tracing::Span::current();
        match tokio::task::spawn_blocking(move || span.in_scope(work)).await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(Undecided::Refused(refusal))) => Err(refusal),
            Ok(Err(Undecided::Store(error))) => Err(baton_ledger::store_refusal(&error)),
            Err(error) => {
                tracing::error!(%error, "a handler panicked");
                Err(Refusal::new("rule-broken", Status::Broken))
            }
        }
    }

    /// Records facts; one answer each, once they are durable.
    pub async fn record(&self, drafts: Vec<Draft>) -> Result<Vec<baton_ledger::Answer>, Refusal> {
        let (send, receive) = tokio::sync::oneshot::channel();
        self.ledger.record(drafts, move |answers| _ = send.send(answers))?;
        receive.await.map_err(|_| shutting_down())
    }

    /// Records one fact said through a form, and waits until pages show it.
    pub async fn tell<B: EventBody>(&self, actor: &Actor, id: EventId, body: &B) -> Result<(), Refusal> {
        let draft = Draft::of(id, self.ledger.now(), actor.account, body).map_err(|_| Refusal::new("store-broken", Status::Broken))?;
        for answer in self.record(vec![draft]).await? {
            self.seen(answer?.ordinal).await;
        }
        Ok(())
    }

    /// Takes a command through its lane: load, decide, append, apply, answer. `decide` may be run again and has no effects.
    /// The answer comes after the tables show it.
    pub async fn decide<C: Command + Send + 'static>(
        &self,
        actor: &Actor,
        id: EventId,
        command: C,
        mut decide: impl FnMut(&mut Tx<'_>, &C, baton_kit::Timestamp) -> Result<C::Outcome, Undecided> + Send + 'static,
    ) -> Result<Decision<C::Outcome>, Refusal> {
        let text = to_json(&command).map_err(|_| Refusal::new("store-broken", Status::Broken))?;
        let actor = actor.account;
        let (send, receive) = tokio::sync::oneshot::channel();
        let body = text.clone();
        let step = move |tx: &mut Tx<'_>, now| {
            let outcome = to_json(&decide(tx, &command, now)?)?;
            let body = format!("{{\"command\":{body},\"outcome\":{outcome}}}");
            Ok(Draft { id, kind: C::KIND.to_owned(), happened: now, actor, body, notes: Vec::new() })
        };
        self.ledger.decide(id, text, Box::new(step), move |answer| _ = send.send(answer))?;
        let acknowledgement = receive.await.map_err(|_| shutting_down())??;
        let body = acknowledgement.body.as_deref().unwrap_or_default();
        let decided: Decided<C, C::Outcome> = serde_json::from_str(body).map_err(|error| {
            tracing::error!(%error, id = %acknowledgement.id, "a decision of another kind has this id");
            Refusal::conflict("id-conflict").with("id", acknowledgement.id)
        })?;
        Ok(Decision { acknowledgement, outcome: decided.outcome })
    }

    /// Waits until pages show what was acknowledged.
    pub async fn seen(&self, ordinal: i64) {
        let ledger = self.ledger.clone();
        _ = tokio::task::spawn_blocking(move || ledger.wait_folded(ordinal, PATIENCE)).await;
    }

    /// An id for a form that is about to be shown: sent twice, it counts once.
    pub async fn form_id(&self, bucket: Bucket) -> Result<EventId, Refusal> {
        let ledger = self.ledger.clone();
        self.blocking(move || Ok(ledger.next_id(bucket)?)).await
    }

    /// Refuses what was tried too often lately under this name (a sign-in, a look-up by last digits).
    pub fn attempt(&self, name: &str) -> Result<(), Refusal> {
        self.attempts.check(name, self.ledger.now())
    }

    /// Remembers that an attempt under this name failed.
    pub fn attempt_failed(&self, name: &str) {
        self.attempts.failed(name, self.ledger.now());
    }

    /// Puts on record that somebody looked at these people.
    pub fn looked(&self, actor: &Actor, subjects: Vec<AnyId>, purpose: &'static str) {
        if subjects.is_empty() {
            return;
        }
        let body = accounts::events::PersonsViewed { subjects, purpose: purpose.to_owned() };
        let (ledger, actor) = (self.ledger.clone(), actor.account);
        // Away from the async threads: now and then an id needs the store.
        tokio::task::spawn_blocking(move || {
            let draft = ledger.next_id(Bucket::INSTALLATION).and_then(|id| Draft::of(id, ledger.now(), actor, &body));
            let recorded = draft.map(|draft| ledger.record(vec![draft], |_| {}));
            if !matches!(recorded, Ok(Ok(()))) {
                tracing::error!("a look at personal data could not be put on record");
            }
        });
    }
}

fn shutting_down() -> Refusal {
    Refusal::new("shutting-down", Status::Full).with("seconds", 10)
}

/// An account's id as any id, for sealing and viewing.
pub fn any_id(id: impl TypedId) -> AnyId {
    AnyId::from_packed(id.packed())
}

/// The account behind an actor, or the refusal to say who must sign in.
pub fn signed_in(actor: &Actor) -> Result<AccountId, Refusal> {
    actor.account.ok_or_else(|| Refusal::new("not-signed-in", Status::Unknown))
}
