//! The screen for everybody at a point, and the form with which its leader counts the line.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Redirect};
use baton_desk::form::{Asked, At, Form};
use baton_desk::{Access, Actor, Answered, App, Budget, Page, Route, Words};
use baton_kit::{EventId, Language, PlaceId, Refusal, Timestamp, TypedId};
use baton_ledger::{Tx, Undecided};
use baton_registry::events::PlaceKind;
use baton_registry::model::Place;
use baton_registry::store as registry;
use maud::{Markup, html};
use serde::Deserialize;

use super::advice::{Advice, advice, is_long};
use super::lanes::Lanes;
use super::store::{self, Line};
use super::wait::{COUNT_HOLDS_US, LONGEST, PACE_MINUTES, Seen, Wait, closing, wait, waiting};
use crate::events::LineCounted;
use crate::view::{SAMPLERS, must_reach};

const SCRIPT: &str = include_str!("../../assets/queue.js");
/// Metres marked on the screen at most; a longer line is told by its number.
const METRES: i64 = 30;
/// Points looked through for others of the same zone, and others looked at.
const POINTS: i64 = 2_000;
const NEARBY: usize = 30;
/// Lines a point has at most.
const LINES: i64 = 20;

pub fn routes() -> Vec<Route> {
    let pages = vec![
        Route::get("/points/{point}/queue", Access::Public, "Screen at a point: how long it takes, which line is open", screen).within(Budget::LookUps),
        Route::get("/points/{point}/line", SAMPLERS, "Count the line of a point, open and close its lines", form),
        Route::post("/points/{point}/line", SAMPLERS, "Say how many wait and which lines are open", count),
        Route::get("/assets/queue.js", Access::Public, "Script of the queue's screen and its form", || async {
            ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8"), (header::CACHE_CONTROL, "public, max-age=3600")], SCRIPT)
        }),
    ];
    [pages, super::routes::routes()].concat()
}

fn point_of(tx: &mut Tx<'_>, id: PlaceId) -> Result<Place, Undecided> {
    let place = registry::place(tx, id)?.filter(|place| place.kind == PlaceKind::Point && !place.closed);
    place.ok_or_else(|| Refusal::absent("screening-place-unknown").into())
}

/// What the screen is drawn from.
pub(super) struct Board {
    point: Place,
    pub(super) line: Option<Line>,
    pub(super) wait: Wait,
    pub(super) waiting: (i64, i64),
    pub(super) lanes: Lanes,
    /// What would shorten a long wait, with the name of the other point.
    pub(super) advice: Option<(Advice, String)>,
}

impl Board {
    pub(super) fn load(tx: &mut Tx<'_>, id: PlaceId, now: Timestamp) -> Result<Self, Undecided> {
        let point = point_of(tx, id)?;
        let line = store::line(tx, id)?;
        let (wait, waiting) = line.as_ref().map_or(Ok((Wait::CountOld, (0, 0))), |line| wait_at(tx, id, line, now))?;
        let lanes = store::lanes(tx, &point, line.as_ref(), now)?;
        let mut board = Self { point, line, wait, waiting, lanes, advice: None };
        if is_long(wait) {
            board.advice = board.shorter(tx, now)?;
        }
        Ok(board)
    }

    /// Looked for only where it is long: a line of one's own, or another point of the same zone.
    fn shorter(&self, tx: &mut Tx<'_>, now: Timestamp) -> Result<Option<(Advice, String)>, Undecided> {
        let (mut nearby, mut names) = (Vec::new(), Vec::new());
        for other in registry::places_of_kind(tx, PlaceKind::Point, POINTS)? {
            if other.id == self.point.id || other.closed || other.parent != self.point.parent || nearby.len() == NEARBY {
                continue;
            }
            if let Some(line) = store::line(tx, other.id)? {
                nearby.push((other.id, wait_at(tx, other.id, &line, now)?.0));
                names.push(other.name);
            }
        }
        let open = self.line.as_ref().map_or(&[][..], |line| &line.open);
        let found = advice(self.wait, open, self.lines(), &nearby);
        let name = |point: PlaceId| nearby.iter().position(|(id, _)| *id == point).map(|place| names[place].clone()).unwrap_or_default();
        Ok(found.map(|advice| (advice, if let Advice::Send { point, .. } = advice { name(point) } else { String::new() })))
    }

    fn lines(&self) -> i64 {
        lines_of(&self.point)
    }
}

/// The wait of a counted line, and how many wait.
fn wait_at(tx: &mut Tx<'_>, id: PlaceId, line: &Line, now: Timestamp) -> Result<(Wait, (i64, i64)), Undecided> {
    let since = line.at.max(now.plus_us(-COUNT_HOLDS_US));
    let (since, lately) = store::swabs(tx, id, since, now)?;
    let seen = Seen { counted: line.waiting, at: line.at, since, lately, now };
    Ok((wait(&seen), waiting(&seen)))
}

fn lines_of(point: &Place) -> i64 {
    point.details.lanes.unwrap_or(1).clamp(1, LINES)
}

#[derive(Deserialize)]
struct ScreenAsked {
    /// One language; all in turn when none is chosen.
    language: Option<Language>,
}

async fn screen(State(app): State<App>, actor: Actor, At(id): At<PlaceId>, Asked(asked): Asked<ScreenAsked>) -> Answered<Markup> {
    let now = app.ledger.now();
    let board = app.read(move |tx| Board::load(tx, id, now)).await?;
    let page = Page::new(&app, &actor);
    let languages: Vec<Language> = asked.language.map_or_else(|| Language::ALL.to_vec(), |chosen| vec![chosen]);
    let turn = languages.len() > 1;
    let drawn = html! { @for language in &languages { (one_language(&page, app.texts.words(*language), &board)) } };
    let content = html! {
        link rel="stylesheet" href="/assets/screening.css";
        div.queue-screen data-turn=[turn.then_some("10")] {
            (page.live("queue", &format!("queue:{}", id.raw()), 30, drawn))
            nav.queue-languages aria-label=(page.t("queue-languages")) {
                @for language in Language::ALL { a href=(format!("/points/{id}/queue?language={}", language.tag())) lang=(language.tag()) aria-current=[(asked.language == Some(language)).then_some("true")] { (language.own_name()) } " " }
                a href=(format!("/points/{id}/queue")) aria-current=[turn.then_some("true")] { (page.t("queue-in-turn")) }
            }
        }
    };
    Ok(page.bare(&board.point.name, &["/assets/queue.js"], content))
}

fn one_language(page: &Page<'_>, words: Words<'_>, board: &Board) -> Markup {
    let numbers = |open: &[i64]| open.iter().map(i64::to_string).collect::<Vec<_>>().join(" ");
    html! {
        section.queue-words lang=(words.language.tag()) {
            p.queue-asked { (words.t("queue-wait")) }
            p.queue-wait {
                (wait_words(words, board.wait))
            }
            // Whoever stands in the line can go elsewhere, but opens no line.
            @if let Some((Advice::Send { wait, .. }, name)) = &board.advice { p.queue-lines { (words.with("queue-shorter-at", &[("point", name), ("wait", &wait_words(words, *wait))])) } }
            @if let Some(line) = &board.line {
                p.queue-lines {
                    @if line.open.is_empty() { (words.t("queue-all-closed")) } @else { (words.with("queue-open", &[("lines", &numbers(&line.open))])) }
                }
                @if !matches!(board.wait, Wait::CountOld) { (metres(words, board, line)) }
                p.queue-when { (words.with("queue-counted", &[("people", &line.waiting.to_string()), ("time", &page.hour(line.at))])) }
            }
            @match board.point.details.opening_hours.as_deref() {
                Some(hours) => p.queue-closing { @match closing(hours) { Some(at) => { (words.with("queue-closes", &[("time", at)])) }, None => { (words.with("queue-hours", &[("hours", hours)])) } } },
                None => {},
            }
            p.queue-distance { (words.t("queue-distance")) }
        }
    }
}

fn wait_words(words: Words<'_>, wait: Wait) -> String {
    match wait {
        Wait::None => words.t("queue-nobody"),
        Wait::Minutes { from, to: LONGEST } => words.with("queue-at-least", &[("from", &from.to_string())]),
        Wait::Minutes { from, to } => words.with("queue-minutes", &[("from", &from.to_string()), ("to", &to.to_string())]),
        Wait::CountOld => words.t("queue-not-counted"),
        Wait::NoPace => words.t("queue-no-pace"),
    }
}

/// What the leader of a point can do about a long line.
fn advised(page: &Page<'_>, board: &Board) -> Markup {
    let words = page.words;
    html! {
        @if let Some((advice, name)) = &board.advice { p.notice.warn id="advice" role="status" {
            @match advice {
                Advice::Open { line, wait } => { (words.with("queue-advice-open", &[("line", &line.to_string()), ("wait", &wait_words(words, *wait)), ("now", &wait_words(words, board.wait))])) },
                Advice::Send { wait, .. } => { (words.with("queue-advice-send", &[("point", name), ("wait", &wait_words(words, *wait)), ("now", &wait_words(words, board.wait))])) },
            }
        } }
    }
}

/// What the lanes do in an hour, and whether that is measured or the plan's figure.
fn pace_of_lanes(page: &Page<'_>, board: &Board) -> Markup {
    let (lanes, people) = (board.lanes.open.to_string(), format!("{:.0}", board.lanes.per_hour()));
    let (words, minutes) = match board.lanes.measured() {
        true => ("queue-lanes", PACE_MINUTES),
        false => ("queue-lanes-planned", board.lanes.minutes_for(board.waiting.1)),
    };
    let arguments = [("lanes", &*lanes), ("people", &people), ("waiting", &board.waiting.1.to_string()), ("minutes", &minutes.to_string())];
    html! { p.soft id="lanes" { (page.with(words, &arguments)) } }
}

/// One mark a metre, as long as the line is: people stand a metre apart.
fn metres(words: Words<'_>, board: &Board, line: &Line) -> Markup {
    let each = board.waiting.1 / (line.open.len() as i64).max(1) + i64::from(board.waiting.1 % (line.open.len() as i64).max(1) > 0);
    let drawn = each.min(METRES);
    html! {
        svg.queue-metres viewBox=(format!("0 0 {} 26", METRES * 10 + 10)) role="img" aria-label=(words.with("queue-metres", &[("metres", &each.to_string())])) {
            line.floor x1="5" y1="20" x2=(METRES * 10 + 5) y2="20" {}
            @for metre in 0..=METRES { line.mark x1=(metre * 10 + 5) x2=(metre * 10 + 5) y1=(if metre % 5 == 0 { 14 } else { 17 }) y2="23" {} }
            @for metre in 0..drawn { circle.person cx=(metre * 10 + 10) cy="9" r="3.6" {} }
        }
        p.queue-length { (words.with("queue-metres", &[("metres", &each.to_string())])) }
    }
}

async fn form(State(app): State<App>, actor: Actor, At(id): At<PlaceId>) -> Answered<Markup> {
    let (asker, now) = (actor.clone(), app.ledger.now());
    let board = app
        .read(move |tx| {
            must_reach(tx, &asker, id)?;
            Board::load(tx, id, now)
        })
        .await?;
    let form_id = app.form_id(id.bucket()).await?;
    let page = Page::new(&app, &actor);
    let line = board.line.as_ref();
    let open = |n: i64| line.is_none_or(|line| line.open.contains(&n));
    let content = html! {
        link rel="stylesheet" href="/assets/screening.css";
        @if let Some(line) = line { p.soft { (page.with("queue-counted", &[("people", &line.waiting.to_string()), ("time", &page.time(line.at))])) } }
        (pace_of_lanes(&page, &board))
        (advised(&page, &board))
        form.narrow id="line" method="post" action=(format!("/points/{id}/line")) {
            input type="hidden" name="id" value=(form_id);
            label { span { (page.t("queue-waiting")) } input id="waiting" name="waiting" type="number" min="0" max="9999" inputmode="numeric" value=(line.map_or(0, |line| line.waiting)) required; }
            p.taps { @for step in [-10, -1, 1, 10] { button type="button" data-tap=(step) aria-label=(page.with("queue-tap", &[("step", &format!("{step:+}"))])) { (format!("{step:+}")) } " " } }
            fieldset { legend { (page.t("queue-lines-open")) }
                @for n in 1..=board.lines() { label.check { input type="checkbox" name="open" value=(n) checked[open(n)]; span { (page.with("queue-line-n", &[("line", &n.to_string())])) } } }
            }
            button.primary { (page.t("queue-say")) }
        }
        p { a.button href=(format!("/points/{id}/queue")) { (page.t("queue-screen")) } }
    };
    Ok(page.frame_with(&page.with("queue-line-of", &[("point", &board.point.name)]), &["/assets/queue.js"], content))
}

#[derive(Deserialize)]
struct LineForm {
    id: EventId,
    waiting: u16,
    #[serde(default)]
    open: Vec<u16>,
}

async fn count(State(app): State<App>, actor: Actor, At(point): At<PlaceId>, Form(form): Form<LineForm>) -> Answered {
    let asker = actor.clone();
    let lines = app
        .read(move |tx| {
            must_reach(tx, &asker, point)?;
            Ok(lines_of(&point_of(tx, point)?))
        })
        .await?;
    let mut open: Vec<u16> = form.open.into_iter().filter(|n| (1..=lines).contains(&i64::from(*n))).collect();
    open.sort_unstable();
    open.dedup();
    let body = LineCounted { point, waiting: form.waiting, open };
    app.tell(&actor, form.id, &body).await?;
    Ok(Redirect::to(&format!("/points/{point}/line")).into_response())
}
