//! Keyed hashes by which people are found: made while folding, from what the vault opened, and never put into the ledger.

use baton_ledger::Secrets;

use crate::events::{DocumentKind, Membership, Particulars};
use crate::rules::name;

/// Under which numbers one person is found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Keys {
    pub document: i64,
    pub phone: Option<i64>,
    pub names: Vec<i64>,
}

impl Keys {
    pub fn of(secrets: &Secrets, particulars: &Particulars) -> Self {
        Self {
            document: document(secrets, particulars.document_kind, &particulars.document),
            phone: particulars.phone.as_deref().map(|number| phone(secrets, number)),
            names: names(secrets, &particulars.name),
        }
    }
}

/// `number` as [`crate::rules::document::document`] gives it: two kinds may share a number.
pub fn document(secrets: &Secrets, kind: DocumentKind, number: &str) -> i64 {
    secrets.lookup("document", &format!("{}:{number}", kind.name()))
}

pub fn phone(secrets: &Secrets, number: &str) -> i64 {
    secrets.lookup("phone", number)
}

pub fn term(secrets: &Secrets, term: &str) -> i64 {
    secrets.lookup("name", term)
}

pub fn names(secrets: &Secrets, name: &str) -> Vec<i64> {
    name::terms(name).iter().map(|text| term(secrets, text)).collect()
}

/// The household called `code` in a bucket.
pub fn household(secrets: &Secrets, bucket: i64, code: &str) -> i64 {
    secrets.lookup("household", &format!("{bucket}:{code}"))
}

/// Tells whether anything about a person differs: particulars as sealed (JSON), membership and tags.
pub fn content(secrets: &Secrets, particulars: &str, membership: &Membership, tags: &[String]) -> i64 {
    let Membership { zone, grid, building, enterprise, household } = membership;
    secrets.lookup("content", &format!("{particulars}|{zone:?}|{grid:?}|{building:?}|{enterprise:?}|{household:?}|{tags:?}"))
}
