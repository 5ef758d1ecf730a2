//! The room's invariants as questions to its tables: every row that breaks one is an answer.

use baton_kit::invariant::Invariant;
use baton_ledger::{StoreResult, Tx, params};

use crate::rules::timeline::RUNS;

pub static RE_1: Invariant = Invariant::new("RE-1", "on every day a person belongs to at most one place of each kind, without gap or overlap of stays");
pub static RE_2: Invariant = Invariant::new("RE-2", "a shredded person has no sealed text and no look-up key anywhere");
pub static RE_3: Invariant = Invariant::new("RE-3", "an active person has a text that could be read, a document key and a name to be found by");
pub static RE_4: Invariant = Invariant::new("RE-4", "two active people with one document are a finding");
pub static RE_5: Invariant =
    Invariant::new("RE-5", "the count of a place is the number of memberships that run in it, and what lies in a zone lives in its bucket");

/// Each question with what its first column names.
const QUESTIONS: [(&Invariant, &str); 10] = [
    (
        &RE_1,
        "SELECT a.person FROM affiliation a WHERE a.to_day <> coalesce((SELECT min(b.from_day) - 1 FROM affiliation b \
         WHERE b.bucket = a.bucket AND b.person = a.person AND b.from_day > a.from_day), 2147483647)",
    ),
    (
        &RE_2,
        "SELECT id FROM person WHERE state = 'shredded' AND (document_key IS NOT NULL OR phone_key IS NOT NULL OR content_key IS NOT NULL OR length(sealed) > 0)",
    ),
    (&RE_2, "SELECT p.id FROM person p JOIN name_key n ON n.person = p.id AND n.bucket = p.bucket WHERE p.state <> 'active'"),
    (&RE_2, "SELECT p.id FROM person p JOIN replaced r ON r.person = p.id AND r.bucket = p.bucket WHERE p.state = 'shredded'"),
    (&RE_3, "SELECT id FROM person WHERE state = 'active' AND (document_key IS NULL OR length(sealed) = 0)"),
    (
        &RE_4,
        "SELECT p.id FROM person p JOIN person q ON q.document_key = p.document_key AND q.id > p.id WHERE p.state = 'active' AND q.state = 'active' \
         AND NOT EXISTS (SELECT 1 FROM registry_finding f WHERE f.subject = p.id AND f.other = q.id)",
    ),
    (
        &RE_5,
        "SELECT c.place FROM place_count c WHERE c.people <> (SELECT count(*) FROM affiliation a WHERE a.zone = c.place AND a.to_day = 2147483647) \
             AND EXISTS (SELECT 1 FROM place p WHERE p.bucket = c.bucket AND p.id = c.place AND p.kind = 'zone')",
    ),
    (
        &RE_5,
        "SELECT c.place FROM place_count c WHERE c.people <> (SELECT count(*) FROM affiliation a WHERE a.grid = c.place AND a.to_day = 2147483647) \
             AND EXISTS (SELECT 1 FROM place p WHERE p.bucket = c.bucket AND p.id = c.place AND p.kind = 'grid')",
    ),
    (
        &RE_5,
        "SELECT c.place FROM place_count c WHERE c.people <> (SELECT count(*) FROM affiliation a WHERE a.enterprise = c.place AND a.to_day = 2147483647) \
             AND EXISTS (SELECT 1 FROM place p WHERE p.bucket = c.bucket AND p.id = c.place AND p.kind = 'enterprise')",
    ),
    (&RE_5, "SELECT p.id FROM place p JOIN place q ON q.id = p.parent WHERE p.bucket <> q.bucket"),
];

/// Every violation: the invariant's name and what breaks it.
pub fn check_invariants(tx: &mut Tx<'_>) -> StoreResult<Vec<(String, String)>> {
    debug_assert_eq!(RUNS, 2_147_483_647);
    let mut violations = Vec::new();
    for (invariant, sql) in QUESTIONS {
        tx.each(sql, params![], |row| {
            violations.push((invariant.name.to_owned(), format!("{} — {}", row.int(0)?, invariant.statement)));
            Ok(())
        })?;
    }
    Ok(violations)
}
