//! What rooms put on paper: a sealed PDF with the signed JSON inside, in the language asked for.

pub mod report;
pub mod sealed;

use axum::body::Body;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use baton_documents::DocumentError;
use baton_documents::pdf::{Attachment, Block, Entry, Paper, pdf};
use baton_kit::{Language, Refusal, Site, Status, Timestamp};
use ed25519_dalek::SigningKey;
use serde::Deserialize;

use crate::{Answered, App, Words};

/// What every paper is written with.
#[derive(Clone, Copy)]
pub struct Writing<'a> {
    /// How the keys of its words read: `laboratory-paper-{}`.
    pub keys: &'static str,
    pub words: Words<'a>,
    pub site: &'a Site,
    pub installation: &'a str,
    pub issued: Timestamp,
}

impl<'a> Writing<'a> {
    pub fn of(app: &'a App, keys: &'static str, language: Language) -> Self {
        Self { keys, words: app.texts.words(language), site: &app.site, installation: &app.name, issued: app.ledger.now() }
    }

    /// The same in another language.
    pub fn in_language(&self, language: Language) -> Self {
        Self { words: self.words.in_language(language), ..*self }
    }

    pub fn say(&self, key: &str) -> String {
        self.words.t(&self.keys.replace("{}", key))
    }

    pub fn say_with(&self, key: &str, values: &[(&str, &str)]) -> String {
        self.words.with(&self.keys.replace("{}", key), values)
    }

    pub fn time(&self, at: Option<Timestamp>) -> String {
        at.map_or_else(|| self.say("not-recorded"), |at| self.site.show(at))
    }

    /// A code of an engine or of rules in words, whose keys read so (`laboratory-outcome-{}`); a code without words is shown as it is.
    pub fn coded(&self, keys: &str, code: &str) -> String {
        self.words.find(&keys.replace("{}", &code.replace('_', "-")), &[]).unwrap_or_else(|| code.to_owned())
    }

    pub fn fact(&self, key: &str, text: impl Into<String>) -> (String, Vec<Entry>) {
        (self.say(key), vec![Entry::plain(text)])
    }

    /// The whole as a sealed PDF.
    pub fn sealed(&self, title: String, number: &str, blocks: Vec<Block>, attachments: Vec<Attachment>, key: &SigningKey) -> Result<Vec<u8>, DocumentError> {
        let paper = Paper {
            title,
            language: self.words.language.tag().to_owned(),
            author: self.installation.to_owned(),
            footer: format!("{} · {number} · {}", self.installation, self.words.with("paper-issued-at", &[("time", &self.site.show(self.issued))])),
            page_words: self.words.with("paper-page-of", &[("page", "%n"), ("pages", "%m")]),
            blocks,
            attachments,
        };
        Ok(sealed::seal(pdf(&paper)?, key))
    }
}

/// A paper that cannot be written is our fault, not the reader's.
pub fn unwritten(problem: impl std::fmt::Display) -> Refusal {
    Refusal::new("paper-unwritten", Status::Broken).with("problem", problem)
}

/// The signed JSON as the PDF carries it.
pub fn attached(name: String, description: String, json: String) -> Attachment {
    Attachment { name, media_type: "application/json".to_owned(), description, bytes: json.into_bytes() }
}

/// In which language a paper is wanted; nothing said is for the paper to choose.
#[derive(Clone, Deserialize, schemars::JsonSchema)]
pub struct LanguageAsked {
    #[serde(default)]
    pub language: Option<String>,
}

impl LanguageAsked {
    pub fn stated(&self) -> Result<Option<Language>, Refusal> {
        let tag = self.language.as_deref().filter(|tag| !tag.is_empty());
        tag.map(|tag| Language::from_tag(tag).ok_or_else(|| Refusal::malformed("language-unknown"))).transpose()
    }

    pub fn or(&self, page: Language) -> Result<Language, Refusal> {
        Ok(self.stated()?.unwrap_or(page))
    }
}

/// Drawn away from the async threads: a file of hundreds of reports takes a while.
pub async fn pdf_download(
    app: &App,
    (keys, language): (&'static str, Language),
    name: &str,
    write: impl FnOnce(&Writing<'_>, &App) -> Result<Vec<u8>, DocumentError> + Send + 'static,
) -> Answered {
    let held = app.clone();
    let bytes = app.blocking(move || Ok(write(&Writing::of(&held, keys, language), &held).map_err(unwritten)?)).await?;
    Ok(download(bytes, "application/pdf", name))
}

/// A file to be saved under a name that every system takes.
pub fn download(bytes: impl Into<Body>, kind: &'static str, name: &str) -> Response {
    let name: String = name.chars().map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' }).collect();
    ([(header::CONTENT_TYPE, kind.to_owned()), (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\""))], bytes.into()).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_written_is_our_fault() {
        let refusal = unwritten(DocumentError::BadSize("table"));
        assert_eq!((refusal.code, refusal.status), ("paper-unwritten", Status::Broken));
    }

    #[test]
    fn a_name_of_a_file_is_plain() {
        let response = download("x", "text/plain", "箱\" 1.pdf");
        assert_eq!(response.headers()[header::CONTENT_DISPOSITION], "attachment; filename=\"___1.pdf\"");
    }
}
