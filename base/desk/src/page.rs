//! The frame of every page: head, menu, language, sign-out. Rooms fill in the middle.

use baton_kit::{Language, Refusal, Timestamp};
use maud::{DOCTYPE, Markup, html};

use crate::actor::Actor;
use crate::operations::{LOOK, Look};
use crate::room::Access;
use crate::texts::Words;
use crate::{App, Desk};

/// What a page is drawn for.
pub struct Page<'a> {
    pub desk: &'a Desk,
    pub actor: &'a Actor,
    pub words: Words<'a>,
}

impl<'a> Page<'a> {
    pub fn new(desk: &'a App, actor: &'a Actor) -> Self {
        Self { desk, actor, words: desk.texts.words(actor.language) }
    }

    pub fn t(&self, key: &str) -> String {
        self.words.t(key)
    }
    pub fn with(&self, key: &str, values: &[(&str, &str)]) -> String {
        self.words.with(key, values)
    }
    /// Local date and time.
    pub fn time(&self, at: Timestamp) -> String {
        self.desk.site.show(at)
    }
    pub fn hour(&self, at: Timestamp) -> String {
        self.desk.site.show_hour(at)
    }

    /// A link for those who may follow it, plain words for others.
    pub fn link(&self, access: Access, href: &str, words: &str) -> Markup {
        html! { @if access.admits(self.actor) { a href=(href) { (words) } } @else { (words) } }
    }

    /// A button that leads to a page; nothing for those who may not go there.
    pub fn way(&self, access: Access, href: &str, words: &str) -> Markup {
        html! { @if access.admits(self.actor) { a.button href=(href) { (words) } " " } }
    }

    /// A whole page. `title` is in the reader's language already.
    pub fn frame(&self, title: &str, content: Markup) -> Markup {
        self.frame_with(title, &[], content)
    }

    /// A part of a page that is drawn again when what it shows has moved: `topics` as in `campaign:5`, parted by commas. `every_s` seconds
    /// it is drawn again all the same, where time alone makes it old; 0 for never. It holds no field that somebody types into.
    pub fn live(&self, id: &str, topics: &str, every_s: u32, content: Markup) -> Markup {
        html! {
            div id=(id) data-live=(topics) data-live-every=[(every_s > 0).then_some(every_s)] { (content) }
            p.live-state role="status" data-on=(self.t("live-on")) data-polling=(self.t("live-polling")) data-lost=(self.t("live-lost")) hidden {}
        }
    }

    /// A whole page with scripts of its own.
    pub fn frame_with(&self, title: &str, scripts: &[&str], content: Markup) -> Markup {
        let look = LOOK.try_with(|look| *look).unwrap_or(Look { at: 0, part: false });
        let main = html! { main id="main" data-at=(look.at) { h1 { (title) } (content) } };
        if look.part {
            return main;
        }
        self.document(
            title,
            scripts,
            html! {
                a.skip href="#main" { (self.t("frame-skip")) }
                header.top {
                    a.brand href="/" { "Baton" span.installation { (self.desk.name) } }
                    (self.menu())
                    (self.who())
                }
                (main)
                footer.bottom { (self.languages()) }
            },
        )
    }

    fn document(&self, title: &str, scripts: &[&str], body: Markup) -> Markup {
        html! {
            (DOCTYPE)
            html lang=(self.words.language.tag()) {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="baton-csrf" content=(self.actor.csrf);
                    @if let Some(device) = self.actor.device { meta name="baton-device" content=(device.number()); }
                    title { (title) " · " (self.desk.name) }
                    link rel="stylesheet" href="/assets/baton.css";
                    script src="/assets/baton.js" defer {}
                    @for script in scripts { script type="module" src=(script) {} }
                }
                body { (body) }
            }
        }
    }

    /// A page for a screen on a wall: no menu, no name, nothing to sign out of.
    pub fn bare(&self, title: &str, scripts: &[&str], content: Markup) -> Markup {
        let look = LOOK.try_with(|look| *look).unwrap_or(Look { at: 0, part: false });
        let main = html! { main id="main" data-at=(look.at) { h1 { (title) } (content) } };
        if look.part { main } else { self.document(title, scripts, html! { (main) }) }
    }

    fn menu(&self) -> Markup {
        let items = self.desk.rooms.iter().flat_map(|room| &room.nav).filter(|item| item.access.admits(self.actor));
        html! {
            @if self.actor.account.is_some() {
                nav aria-label=(self.t("frame-menu")) { @for item in items { a href=(item.link) { (self.t(item.words)) } } }
            }
        }
    }

    fn languages(&self) -> Markup {
        html! {
            form method="post" action="/language" {
                @for language in Language::ALL {
                    button.language name="language" value=(language.tag()) lang=(language.tag()) aria-current=(language == self.words.language) { (language.own_name()) }
                }
            }
        }
    }

    fn who(&self) -> Markup {
        html! {
            @if self.actor.account.is_some() {
                form.who method="post" action="/sign-out" { span.name { (self.actor.name) } button { (self.t("frame-sign-out")) } }
            }
        }
    }
}

/// A refusal as a page.
pub(crate) fn refusal(app: &App, actor: &Actor, refusal: &Refusal, message: &str, next: Option<&str>) -> Markup {
    let page = Page::new(app, actor);
    page.frame(
        &page.t("refusal-title"),
        html! {
            div.notice.bad role="alert" {
                p { (message) }
                @if let Some(next) = next { p { (next) } }
                p.code { (refusal.code) }
            }
            p { a href="/" { (page.t("frame-home")) } }
        },
    )
}
