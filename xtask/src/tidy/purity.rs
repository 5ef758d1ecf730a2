//! Rules, models, engines, codecs and patterns are pure: no store, no files, no network, no clock, no randomness, no runtime.

use super::Finding;
use super::source::{Source, Token};
use super::tree::Tree;

/// Words that no pure file says, each with what to do instead.
const WORDS: [(&str, &str); 19] = [
    ("Tx", "take the loaded state as an argument; SQL belongs into store.rs"),
    ("Conn", "take the loaded state as an argument; SQL belongs into store.rs"),
    ("rusqlite", "SQL belongs into store.rs"),
    ("postgres", "SQL belongs into store.rs"),
    ("Vault", "open sealed texts in store.rs and pass them in"),
    ("Clock", "take the time as an argument"),
    ("SystemClock", "take the time as an argument"),
    ("SystemTime", "take the time as an argument"),
    ("Instant", "take the time as an argument; measuring belongs into app/"),
    ("Zoned", "take the time as an argument"),
    ("Entropy", "take a seed or the random bytes as an argument"),
    ("SystemEntropy", "take a seed or the random bytes as an argument"),
    ("getrandom", "take a seed or the random bytes as an argument"),
    ("rand", "take a seed; the generator is counter-based and our own"),
    ("tokio", "pure code waits for nothing; async belongs to the doors"),
    ("axum", "HTTP belongs into routes.rs"),
    ("hyper", "HTTP belongs into routes.rs"),
    ("maud", "HTML belongs into pages.rs"),
    ("baton_desk", "HTTP belongs into routes.rs and pages.rs"),
];

/// Parts of the standard library that reach outside.
const STD: [&str; 5] = ["fs", "net", "env", "process", "thread"];

/// How a statement begins.
const STATEMENTS: [&str; 6] = ["SELECT ", "INSERT INTO ", "UPDATE ", "DELETE FROM ", "CREATE TABLE ", "WITH "];

pub fn check(tree: &Tree) -> Vec<Finding> {
    let pure = tree.product().filter(|source| is_pure(&source.path));
    let mut findings: Vec<Finding> = pure.flat_map(impurities).collect();
    let models = tree.product().filter(|source| in_room(&source.path) && is_part(&source.path, "model"));
    findings.extend(models.flat_map(serialised));
    findings
}

fn is_pure(path: &str) -> bool {
    let library = ["engines/", "codecs/", "patterns/"].iter().any(|family| path.starts_with(family)) && path.split('/').nth(2) == Some("src");
    library || (in_room(path) && (is_part(path, "rules") || is_part(path, "model")))
}

fn in_room(path: &str) -> bool {
    path.starts_with("rooms/") && path.split('/').nth(2) == Some("src")
}

/// `rules.rs`, or anything in a folder `rules/`, wherever in a room it stands.
fn is_part(path: &str, part: &str) -> bool {
    path.ends_with(&format!("/{part}.rs")) || path.contains(&format!("/{part}/"))
}

fn impurities(source: &Source) -> Vec<Finding> {
    let tokens = source.product_tokens();
    let mut findings = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        if let Some((word, instead)) = WORDS.iter().find(|(word, _)| token.is_word(word)) {
            findings.push(Finding::new(&source.path, token.line, format!("says {word} in a pure file: {instead}")));
        }
        if let Some(part) = std_part(&tokens[at..]) {
            findings.push(Finding::new(&source.path, token.line, format!("says std::{part} in a pure file: take what it gives as an argument")));
        }
        if token.text().is_some_and(|text| STATEMENTS.iter().any(|start| text.trim_start().starts_with(start))) {
            findings.push(Finding::new(&source.path, token.line, "holds SQL in a pure file: it belongs into store.rs"));
        }
    }
    findings
}

/// `std::fs`, or `std::{…, fs, …}` in a use.
fn std_part(tokens: &[&Token]) -> Option<&'static str> {
    let [name, first, second, rest @ ..] = tokens else { return None };
    if !(name.is_word("std") && first.is_mark(':') && second.is_mark(':')) {
        return None;
    }
    let part = |token: &Token| STD.into_iter().find(|part| token.is_word(part));
    if let Some(direct) = rest.first().and_then(|token| part(token)) {
        return Some(direct);
    }
    let listed = rest.iter().skip(1).take_while(|token| !token.is_mark(';'));
    if rest.first()?.kind == super::source::Kind::Open('{') { listed.filter_map(|token| part(token)).next() } else { None }
}

fn serialised(source: &Source) -> Vec<Finding> {
    let words = source.product_tokens().into_iter().filter_map(|token| Some((token.line, token.word()?)));
    let derived = words.filter(|(_, word)| matches!(*word, "Serialize" | "Deserialize" | "JsonSchema"));
    derived
        .map(|(line, word)| Finding::new(&source.path, line, format!("{word} in a model: formats belong to the doors; events as stored live in events.rs")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::tree::small;
    use super::*;

    fn found(path: &str, text: &str) -> Vec<String> {
        check(&small(&[(path, text)])).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_pure_file_reaches_nothing_outside() {
        let impure = "use baton_ledger::Tx;\nuse std::{fmt, fs};\nfn a() { std::env::var(\"X\"); }\nconst S: &str = \"SELECT 1\";\n";
        for path in ["rooms/a/src/rules.rs", "rooms/a/src/plate/model.rs", "rooms/a/src/rules/pool.rs", "engines/pcr/src/fit.rs", "codecs/fhir/src/lib.rs"] {
            let found = found(path, impure);
            assert_eq!(found.len(), 4, "{path}: {found:?}");
            assert!(found.iter().zip([1, 2, 3, 4]).all(|(finding, line)| finding.starts_with(&format!("{path}:{line}: "))), "{found:?}");
        }
        for path in ["rooms/a/src/store.rs", "base/ledger/src/rules.rs", "engines/pcr/tests/all.rs"] {
            assert_eq!(found(path, impure), Vec::<String>::new(), "{path}");
        }
    }

    #[test]
    fn comments_tests_and_plain_words_are_no_impurity() {
        let pure = "//! Tx, std::fs, SELECT\nfn a(now: Timestamp) { use std::fmt; say(\"please select one\") }\n#[cfg(test)]\nmod tests { use std::fs; }\n";
        assert_eq!(found("rooms/a/src/rules.rs", pure), Vec::<String>::new());
    }

    #[test]
    fn a_model_has_no_format() {
        let model = "use serde::Serialize;\n#[derive(Debug, Serialize)]\nstruct Tube;\n";
        assert_eq!(found("rooms/a/src/model.rs", model).len(), 2);
        assert_eq!(found("rooms/a/src/events.rs", model), Vec::<String>::new());
        assert_eq!(found("engines/pcr/src/model.rs", model), Vec::<String>::new());
    }
}
