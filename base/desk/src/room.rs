//! What a room hands to the desk: its fold, its routes with who may use them, the facts it takes, its place on the home page.

use std::collections::HashMap;

use axum::http::Method;
use axum::routing::MethodRouter;
use baton_kit::{PlaceId, Timestamp};
use baton_ledger::{Fold, StoreResult, Tx};

use crate::App;
use crate::actor::{Actor, Role};
use crate::card::Card;
use crate::facts::FactDoor;

/// Who may use a route.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Access {
    /// Anybody, signed in or not.
    Public,
    /// Anybody who is signed in.
    SignedIn,
    /// Whoever has one of these roles.
    Roles(&'static [Role]),
}

impl Access {
    pub fn admits(self, actor: &Actor) -> bool {
        match self {
            Access::Public => true,
            Access::SignedIn => actor.account.is_some(),
            Access::Roles(roles) => actor.account.is_some() && actor.has_any(roles),
        }
    }
}

/// What a request takes its room from. None can take another's: a storm of look-ups keeps no scan waiting.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Budget {
    /// Facts from devices.
    Scans,
    /// People who ask for their own result.
    LookUps,
    /// Pages and the rest of the API.
    Pages,
    /// Files sent in: the first to wait when it gets tight.
    Uploads,
    /// Connections that tell a page when it is old. Beside the pages themselves, so that no board takes a reader's place.
    Live,
    /// Signing in: never switched off, and few at once, since a password costs work to check.
    SignIns,
    /// Health, figures, styles and scripts: always answered.
    Free,
}

/// One route: there is no other way to put a handler on the wire.
#[derive(Clone)]
pub struct Route {
    pub method: Method,
    /// axum's syntax: `/v1/tubes/{tube}`.
    pub path: &'static str,
    pub access: Access,
    /// One line for the API page.
    pub summary: &'static str,
    pub handler: MethodRouter<App>,
    pub budget: Budget,
    pub body: Option<fn() -> schemars::Schema>,
    pub answer: Option<fn() -> schemars::Schema>,
    /// What may stand behind the `?`.
    pub query: Option<fn() -> schemars::Schema>,
    /// The media type of its answer, where the path does not tell.
    pub gives: Option<&'static str>,
}

fn schema<T: schemars::JsonSchema>() -> schemars::Schema {
    schemars::generate::SchemaSettings::draft2020_12().with(|s| s.inline_subschemas = true).into_generator().into_root_schema_for::<T>()
}

impl Route {
    fn new(method: Method, path: &'static str, access: Access, summary: &'static str, handler: MethodRouter<App>) -> Self {
        let budget = if path.starts_with("/assets/") { Budget::Free } else { Budget::Pages };
        Self { method, path, access, summary, handler, budget, body: None, answer: None, query: None, gives: None }
    }
    pub fn get<H: axum::handler::Handler<T, App>, T: 'static>(path: &'static str, access: Access, summary: &'static str, handler: H) -> Self {
        Self::new(Method::GET, path, access, summary, axum::routing::get(handler))
    }
    pub fn post<H: axum::handler::Handler<T, App>, T: 'static>(path: &'static str, access: Access, summary: &'static str, handler: H) -> Self {
        Self::new(Method::POST, path, access, summary, axum::routing::post(handler))
    }
    /// The JSON it takes.
    pub fn takes<T: schemars::JsonSchema>(mut self) -> Self {
        self.body = Some(schema::<T>);
        self
    }
    /// What may stand behind the `?`.
    pub fn asks<T: schemars::JsonSchema>(mut self) -> Self {
        self.query = Some(schema::<T>);
        self
    }
    /// The media type of its answer, where the path does not tell.
    pub fn gives(mut self, media_type: &'static str) -> Self {
        self.gives = Some(media_type);
        self
    }
    /// The JSON it answers.
    pub fn answers<T: schemars::JsonSchema>(mut self) -> Self {
        self.answer = Some(schema::<T>);
        self
    }
    /// What it takes its room from; pages, unless said: see [`Route::new`] and [`Route::up_to`].
    pub fn within(mut self, budget: Budget) -> Self {
        self.budget = budget;
        self
    }
    /// Lifts axum's limit on the body, for uploads.
    pub fn up_to(mut self, bytes: usize) -> Self {
        self.budget = Budget::Uploads;
        self.handler = self.handler.layer(axum::extract::DefaultBodyLimit::max(bytes));
        self
    }
}

/// Something whose baton is in my hand.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, schemars::JsonSchema)]
pub struct InboxItem {
    /// Key of its words, e.g. `inbox-box-offered`.
    pub words: &'static str,
    pub arguments: Vec<(&'static str, String)>,
    pub link: String,
    pub deadline_us: Option<Timestamp>,
    pub place: Option<PlaceId>,
}

/// An entry of the menu.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NavItem {
    /// Key of its words, e.g. `nav-sampling`.
    pub words: &'static str,
    pub link: &'static str,
    pub access: Access,
}

/// What a page may ask to be told of: see `/live`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LiveTopic {
    /// As the fold says it with [`Tx::moved`].
    pub name: &'static str,
    pub access: Access,
    /// Moves with everything, not only with its own.
    pub any: bool,
}

/// Code and name by place.
pub type PlaceNames = HashMap<PlaceId, (String, String)>;

/// The desk knows places by their ids only; the room that keeps them names them.
#[derive(Clone, Copy, Debug)]
pub struct Directory {
    pub names: fn(&mut Tx<'_>, &[PlaceId]) -> StoreResult<PlaceNames>,
    /// Every place with this code; kinds number each for themselves.
    pub find: fn(&mut Tx<'_>, &str) -> StoreResult<Vec<PlaceId>>,
}

impl Directory {
    /// Where no room keeps places.
    pub(crate) const NONE: Directory = Directory { names: |_, _| Ok(PlaceNames::new()), find: |_, _| Ok(Vec::new()) };
}

/// Everything a room gives to the desk.
pub struct Room {
    pub fold: Fold,
    pub routes: Vec<Route>,
    pub facts: Vec<FactDoor>,
    pub nav: Vec<NavItem>,
    /// What its pages show live.
    pub live: Vec<LiveTopic>,
    /// What is in this actor's hand now.
    pub inbox: fn(&mut Tx<'_>, &Actor, Timestamp) -> StoreResult<Vec<InboxItem>>,
    /// The same in few numbers: what of this room is in this actor's hand, and by when.
    pub cards: fn(&mut Tx<'_>, &Actor, Timestamp) -> StoreResult<Vec<Card>>,
    /// Where the installation's places are looked up, if this room keeps them.
    pub directory: Option<Directory>,
    /// Fluent texts in the order of [`baton_kit::Language::ALL`]: see [`crate::room_texts!`].
    pub texts: [&'static str; 3],
}

/// A room without anything for the home page.
pub fn no_inbox(_: &mut Tx<'_>, _: &Actor, _: Timestamp) -> StoreResult<Vec<InboxItem>> {
    Ok(Vec::new())
}

/// A room without a card for the home page.
pub fn no_cards(_: &mut Tx<'_>, _: &Actor, _: Timestamp) -> StoreResult<Vec<Card>> {
    Ok(Vec::new())
}

/// The Fluent files `locales/<language>/<name>.ftl`, embedded. Call it from a crate two folders below the root.
#[macro_export]
macro_rules! room_texts {
    ($name:literal) => {
        [
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../locales/zh-Hans/", $name, ".ftl")),
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../locales/zh-Hant/", $name, ".ftl")),
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../locales/en/", $name, ".ftl")),
        ]
    };
}
