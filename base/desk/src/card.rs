//! Cards of the home page: one number, what it counts, by when, and where to go.

use baton_kit::Timestamp;
use maud::{Markup, html};

use crate::page::Page;

/// How a number is to be taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tone {
    Plain,
    Good,
    Warn,
    Bad,
}

impl Tone {
    fn class(self) -> &'static str {
        match self {
            Tone::Plain => "plain",
            Tone::Good => "good",
            Tone::Warn => "warn",
            Tone::Bad => "bad",
        }
    }
}

/// What somebody has in hand, in one number.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Card {
    /// The number as it is read: `12`, `7/10`, `83%`.
    pub number: String,
    /// Key of its words, e.g. `card-boxes-held`.
    pub words: &'static str,
    pub arguments: Vec<(&'static str, String)>,
    pub tone: Tone,
    pub deadline: Option<Timestamp>,
    pub link: String,
    /// The number is that of a list which this browser keeps under this name and has not sent yet; hidden while it is empty.
    pub stored: Option<&'static str>,
}

impl Card {
    pub fn new(number: impl std::fmt::Display, words: &'static str, link: impl Into<String>) -> Self {
        Self { number: number.to_string(), words, arguments: Vec::new(), tone: Tone::Plain, deadline: None, link: link.into(), stored: None }
    }
    pub fn with(mut self, name: &'static str, value: impl std::fmt::Display) -> Self {
        self.arguments.push((name, value.to_string()));
        self
    }
    pub fn by(mut self, deadline: Option<Timestamp>) -> Self {
        self.deadline = deadline;
        self
    }
    pub fn tone(mut self, tone: Tone) -> Self {
        self.tone = tone;
        self
    }
    pub fn stored(mut self, name: &'static str) -> Self {
        self.stored = Some(name);
        self
    }
}

/// The cards; what is late stands first, then by deadline.
pub(crate) fn cards(page: &Page<'_>, mut cards: Vec<Card>, now: Timestamp) -> Markup {
    cards.sort_by_key(|card| card.deadline.unwrap_or(Timestamp(i64::MAX)));
    html! {
        @if !cards.is_empty() { ul.cards { @for card in &cards {
            @let late = card.deadline.is_some_and(|deadline| deadline < now);
            @let values: Vec<(&str, &str)> = card.arguments.iter().map(|(name, value)| (*name, value.as_str())).collect();
            li data-stored=[card.stored] hidden[card.stored.is_some()] {
                a.card.(if late { Tone::Bad.class() } else { card.tone.class() }) href=(card.link) {
                    strong { (card.number) }
                    span { (page.with(card.words, &values)) }
                    @if let Some(deadline) = card.deadline {
                        time { (page.with(if late { "home-late-since" } else { "home-by" }, &[("time", &page.time(deadline))])) }
                    }
                }
            }
        } } }
    }
}
