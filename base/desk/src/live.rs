//! `/live`: tells a page that what it shows has moved, at most once a second. It sends no content: the page asks for itself again,
//! by the same route and with the same rights.

use std::convert::Infallible;
use std::pin::Pin;
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use baton_kit::{Refusal, Status};
use baton_ledger::{Ledger, Topic};
use futures_util::stream;
use serde::Deserialize;
use tokio::sync::watch;
use tokio::time::{Instant, Sleep, sleep, sleep_until};

use crate::actor::Actor;
use crate::answer::Answered;
use crate::form::Asked;
use crate::operations::{Held, SCREENS};
use crate::room::{Access, Budget, LiveTopic, Route};
use crate::{App, Desk};

/// Changes that come so close together are told as one.
const TOGETHER: Duration = Duration::from_millis(300);
/// Between two words on one connection.
const APART: Duration = Duration::from_secs(1);
/// A silent connection says so often that it still stands.
const STILL_HERE: Duration = Duration::from_secs(20);
/// A connection ends after so long and is opened again: whoever signed out or lost a role is noticed then.
const LONGEST: Duration = Duration::from_secs(15 * 60);
/// Topics one page may name.
const TOPICS: usize = 16;

/// Wakes all connections, and closes them when the server stops.
pub(crate) struct Live(watch::Sender<bool>);

impl Live {
    pub(crate) fn of(ledger: &Ledger) -> Self {
        let (wake, _) = watch::channel(false);
        let waking = wake.clone();
        ledger.moves().on_move(move || waking.send_modify(|_| {}));
        Self(wake)
    }

    pub(crate) fn close(&self) {
        self.0.send_replace(true);
    }
}

impl Desk {
    /// Ends every live connection: a server that stops waits for nobody's board.
    pub fn close_boards(&self) {
        self.live.close();
    }
}

pub(crate) fn route() -> Route {
    Route::get("/live", Access::Public, "Tells a page that what it shows has moved; each topic has its own roles", live).within(Budget::Live)
}

#[derive(Deserialize)]
struct LiveAsked {
    /// What the page shows, parted by commas: `campaign:5,boxes`.
    #[serde(default)]
    on: String,
    /// Place in the ledger as of which the page was drawn.
    #[serde(default)]
    since: i64,
}

async fn live(
    State(app): State<App>,
    actor: Actor,
    Extension(held): Extension<Held>,
    headers: HeaderMap,
    Asked(asked): Asked<LiveAsked>,
) -> Answered<Response> {
    if actor.account.is_none() && app.budgets.under_way(Budget::Live) > SCREENS {
        return Err(Refusal::new("budget-full", Status::Full).with("seconds", 30).into());
    }
    if *app.live.0.borrow() {
        return Err(crate::shutting_down().into());
    }
    let topics = topics_of(&app, &actor, &asked.on)?;
    // A browser that lost the connection says what it heard last.
    let heard = headers.get("last-event-id").and_then(|value| value.to_str().ok()).and_then(|text| text.parse().ok());
    let board = Board {
        seen: heard.unwrap_or(asked.since),
        topics,
        wake: app.live.0.subscribe(),
        rest: Box::pin(sleep(Duration::ZERO)),
        ends: Instant::now() + LONGEST,
        app: app.clone(),
        _held: held,
    };
    let words = stream::unfold(board, |mut board| async move {
        let at = board.next().await?;
        Some((Ok::<_, Infallible>(Event::default().event("moved").id(at.to_string()).data(at.to_string())), board))
    });
    Ok(Sse::new(words).keep_alive(KeepAlive::new().interval(STILL_HERE)).into_response())
}

/// The topics by name, each checked against the roles of its own.
fn topics_of(app: &App, actor: &Actor, asked: &str) -> Result<Vec<(LiveTopic, i64)>, Refusal> {
    if asked.split(',').count() > TOPICS {
        return Err(Refusal::malformed("live-topics-many").with("limit", TOPICS));
    }
    let known = |text: &str| {
        let (name, id) = text.split_once(':').unwrap_or((text, "0"));
        let topic = app.rooms.iter().flat_map(|room| &room.live).find(|topic| topic.name == name);
        let wrong = || Refusal::malformed("live-topic-wrong").with("topic", text);
        let (topic, id) = (topic.ok_or_else(wrong)?, id.parse().map_err(|_| wrong())?);
        match () {
            () if topic.access.admits(actor) => Ok((*topic, id)),
            () if actor.account.is_some() => Err(Refusal::forbidden("role-missing")),
            () => Err(Refusal::new("not-signed-in", Status::Unknown)),
        }
    };
    asked.split(',').map(known).collect()
}

/// One connection.
struct Board {
    app: App,
    topics: Vec<(LiveTopic, i64)>,
    /// Ordinal as of which the page is drawn.
    seen: i64,
    wake: watch::Receiver<bool>,
    /// Runs out when the next word may be said.
    rest: Pin<Box<Sleep>>,
    ends: Instant,
    /// Its place in the budget, for as long as it stands.
    _held: Held,
}

impl Board {
    fn moved(&self) -> i64 {
        let moves = self.app.ledger.moves();
        let last = |(topic, id): &(LiveTopic, i64)| if topic.any { moves.any() } else { moves.of(Topic { name: topic.name, id: *id }) };
        self.topics.iter().map(last).max().unwrap_or(0)
    }

    /// Waits until the page is old; nothing when the connection should end.
    async fn next(&mut self) -> Option<i64> {
        loop {
            if *self.wake.borrow_and_update() {
                return None;
            }
            // A page drawn by a ledger that was restored since knows a later place than there is.
            if self.moved() > self.seen || self.seen > self.app.ledger.position().0 {
                break;
            }
            tokio::select! {
                changed = self.wake.changed() => changed.ok()?,
                () = sleep_until(self.ends) => return None,
            }
        }
        sleep(TOGETHER).await;
        self.rest.as_mut().await;
        self.rest.set(sleep(APART));
        self.seen = self.app.ledger.moves().any();
        (!*self.wake.borrow()).then_some(self.seen)
    }
}
