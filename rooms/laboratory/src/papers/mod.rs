//! What the laboratory puts on paper: signed PDF with the signed JSON inside.

pub mod day;
pub mod evidence;
pub mod person;

use baton_desk::Words;
use baton_documents::DocumentError;
use baton_documents::pdf::{Attachment, Block, Entry, Paper, pdf};
use baton_kit::{Refusal, Site, Status, Timestamp};
use ed25519_dalek::SigningKey;

use crate::sealed::seal;

/// What every paper is written with.
#[derive(Clone, Copy)]
pub struct Writing<'a> {
    pub words: Words<'a>,
    pub site: &'a Site,
    pub installation: &'a str,
    pub issued: Timestamp,
}

impl Writing<'_> {
    fn say(&self, key: &str) -> String {
        self.words.t(&format!("laboratory-paper-{key}"))
    }

    fn say_with(&self, key: &str, values: &[(&str, &str)]) -> String {
        self.words.with(&format!("laboratory-paper-{key}"), values)
    }

    fn time(&self, at: Option<Timestamp>) -> String {
        at.map_or_else(|| self.say("not-recorded"), |at| self.site.show(at))
    }

    /// A code of the engine or the rules in words; a code without words is shown as it is.
    fn coded(&self, topic: &str, code: &str) -> String {
        self.words.find(&format!("laboratory-{topic}-{}", code.replace('_', "-")), &[]).unwrap_or_else(|| code.to_owned())
    }

    fn fact(&self, key: &str, text: impl Into<String>) -> (String, Vec<Entry>) {
        (self.say(key), vec![Entry::plain(text)])
    }

    /// The whole as a sealed PDF.
    fn sealed(&self, title: String, number: &str, blocks: Vec<Block>, attachments: Vec<Attachment>, key: &SigningKey) -> Result<Vec<u8>, DocumentError> {
        let paper = Paper {
            title,
            language: self.words.language.tag().to_owned(),
            author: self.installation.to_owned(),
            footer: format!("{} · {number} · {}", self.installation, self.say_with("issued-at", &[("time", &self.site.show(self.issued))])),
            page_words: self.say_with("page-of", &[("page", "%n"), ("pages", "%m")]),
            blocks,
            attachments,
        };
        Ok(seal(pdf(&paper)?, key))
    }
}

/// A paper that cannot be written is our fault, not the reader's.
pub(crate) fn unwritten(error: DocumentError) -> Refusal {
    Refusal::new("lab-paper-unwritten", Status::Broken).with("problem", error)
}

/// The signed JSON as the PDF carries it.
fn attached(name: String, description: String, json: String) -> Attachment {
    Attachment { name, media_type: "application/json".to_owned(), description, bytes: json.into_bytes() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_written_is_our_fault() {
        let refusal = unwritten(DocumentError::BadSize("table"));
        assert_eq!((refusal.code, refusal.status), ("lab-paper-unwritten", Status::Broken));
    }
}
