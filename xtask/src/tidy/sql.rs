//! Idioms that the two stores understand differently, or one of them not at all. Measured on both; see docs/decisions.

use super::Finding;
use super::tree::{Tree, line_of};

/// Words of SQL (upper case in our statements) with what to write instead.
const WORDS: [(&str, &str); 8] = [
    ("LIKE", "SQLite ignores case, PostgreSQL does not: use a search key of our own with equality or a range"),
    ("ILIKE", "use a search key of our own with equality or a range"),
    ("GREATEST", "use CASE, or compute it before"),
    ("LEAST", "use CASE, or compute it before"),
    ("SKIP LOCKED", "claim with UPDATE … WHERE id IN (SELECT … LIMIT n) RETURNING"),
    ("CURRENT_TIMESTAMP", "times come from the Clock as parameters"),
    ("GROUPING SETS", "group in Rust"),
    ("ROLLUP", "group in Rust"),
];

/// Functions and operators, in any case.
const CALLS: [(&str, &str); 9] = [
    ("->>", "JSON is opaque text: what is queried has a column of its own"),
    ("json_each", "store rows"),
    ("jsonb_", "JSON is opaque text: what is queried has a column of its own"),
    ("unnest(", "use multi-row VALUES"),
    ("string_agg", "join in Rust"),
    ("group_concat", "join in Rust"),
    ("now()", "times come from the Clock as parameters"),
    ("random()", "randomness comes from Entropy as a parameter"),
    ("nextval(", "ids are made by whoever says them"),
];

/// What makes a text a statement.
const STATEMENTS: [&str; 10] = ["SELECT ", "INSERT ", "UPDATE ", "DELETE ", "CREATE ", "WITH ", "WHERE ", " FROM ", "ORDER BY ", "ON CONFLICT "];

/// The lint of schemas names what it bans.
const EXEMPT: &str = "base/ledger/src/schema.rs";

pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in tree.product().filter(|source| source.path != EXEMPT) {
        for token in &source.tokens {
            let Some(text) = token.text().filter(|text| is_statement(text)) else { continue };
            findings.extend(problems(text).into_iter().map(|(_, problem)| Finding::new(&source.path, token.line, problem)));
        }
    }
    for (path, text) in tree.files(|path| path.ends_with(".sql")) {
        let text = without_comments(text);
        findings.extend(problems(&text).into_iter().map(|(at, problem)| Finding::new(path, line_of(&text, at), problem)));
    }
    findings
}

fn is_statement(text: &str) -> bool {
    STATEMENTS.iter().any(|word| text.contains(word))
}

/// The same text with comments blanked, so that lines stay where they are.
fn without_comments(text: &str) -> String {
    text.split('\n').map(|line| line.split("--").next().unwrap_or("")).collect::<Vec<_>>().join("\n")
}

fn problems(sql: &str) -> Vec<(usize, String)> {
    let lower = sql.to_ascii_lowercase();
    let mut problems = Vec::new();
    for (word, instead) in WORDS {
        problems.extend(whole_words(sql, word).map(|at| (at, format!("{word} is banned in SQL: {instead}"))));
    }
    for (call, instead) in CALLS {
        let found = lower.match_indices(call).filter(|(at, _)| call.starts_with('-') || !continues_before(sql, *at));
        problems.extend(found.map(|(at, _)| (at, format!("{call} is banned in SQL: {instead}"))));
    }
    for name in ["max", "min"] {
        let calls = whole_words(&lower, name).filter(|at| has_two_arguments(&lower[at + name.len()..]));
        problems
            .extend(calls.map(|at| (at, format!("{name}(a, b) is banned in SQL: PostgreSQL knows it for one column only; use CASE, or compute it before"))));
    }
    let values = lower.match_indices("from (values").map(|(at, _)| at);
    problems.extend(values.map(|at| (at, "FROM (VALUES …) is banned in SQL: use WITH v(a, b) AS (VALUES …)".to_owned())));
    problems.extend(
        float_literal(sql)
            .map(|at| (at, "a float literal is banned in SQL: binary in SQLite, decimal in PostgreSQL; bind it, or count in the smallest unit".to_owned())),
    );
    problems
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

fn continues_before(text: &str, at: usize) -> bool {
    text[..at].chars().next_back().is_some_and(is_name)
}

fn whole_words<'t>(text: &'t str, word: &'t str) -> impl Iterator<Item = usize> + 't {
    let ends = move |at: usize| !text[at + word.len()..].chars().next().is_some_and(is_name);
    text.match_indices(word).map(|(at, _)| at).filter(move |at| !continues_before(text, *at) && ends(*at))
}

/// Whether `(a, b …)` follows, with a comma outside inner brackets.
fn has_two_arguments(rest: &str) -> bool {
    let mut depth = 0;
    for c in rest.trim_start().chars() {
        match c {
            '(' => depth += 1,
            ')' if depth == 1 => return false,
            ')' => depth -= 1,
            ',' if depth == 1 => return true,
            _ if depth == 0 => return false,
            _ => {}
        }
    }
    false
}

/// The place of a number with a point, outside quotes and names.
fn float_literal(sql: &str) -> Option<usize> {
    let bytes = sql.as_bytes();
    let mut quoted = false;
    (1..bytes.len().saturating_sub(1)).find(|&at| {
        quoted ^= bytes[at - 1] == b'\'';
        !quoted && bytes[at] == b'.' && bytes[at - 1].is_ascii_digit() && bytes[at + 1].is_ascii_digit() && begins_with_digit(&sql[..at])
    })
}

/// Whether the word that ends here is a number, not a name such as `v1`.
fn begins_with_digit(before: &str) -> bool {
    let word: &str = before.rsplit(|c| !is_name(c)).next().unwrap_or("");
    !word.is_empty() && word.chars().all(|c| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::super::tree::small;
    use super::*;

    #[test]
    fn what_the_stores_understand_differently_is_found() {
        for sql in [
            "SELECT a FROM t WHERE a LIKE 'x'",
            "SELECT body->>'a' FROM t",
            "SELECT * FROM json_each(a)",
            "SELECT unnest(a) FROM t",
            "SELECT string_agg(a, ',') FROM t",
            "SELECT group_concat(a) FROM t",
            "SELECT GREATEST(a, 1) FROM t",
            "UPDATE t SET a = max(a, $1)",
            "UPDATE t SET a = min(coalesce(a, 0), b)",
            "SELECT a FROM t FOR UPDATE SKIP LOCKED",
            "INSERT INTO t VALUES (NOW())",
            "UPDATE t SET a = v.a FROM (VALUES (1)) AS v(a)",
            "SELECT a FROM t WHERE a > 0.3",
        ] {
            let source = format!("fn a() {{\n    run({sql:?});\n}}\n");
            let findings = check(&small(&[("rooms/a/src/store.rs", &source), ("rooms/a/schema.sql", &format!("-- fine\n{sql};"))]));
            assert_eq!(findings.len(), 2, "{sql}: {findings:?}");
            assert!(findings.iter().all(|finding| finding.line == 2), "{findings:?}");
        }
    }

    #[test]
    fn what_both_understand_passes() {
        let source = r#"
            // LIKE, now()
            const A: &str = "SELECT max(a), min(b), count(*) FILTER (WHERE c = 'LIKE it 0.5'), t2.a, knows() FROM t WHERE unlike = $1 ORDER BY maximum(a)";
            const B: &str = "I would LIKE that, now() 0.5";
            const C: &str = "WITH v(a, b) AS (VALUES ($1, $2)) UPDATE t SET a = v.a FROM v WHERE t.b = v.b";
        "#;
        let findings = check(&small(&[("rooms/a/src/store.rs", source), ("rooms/a/schema.sql", "-- LIKE now()\nCREATE TABLE t (a BIGINT);")]));
        assert_eq!(
            findings.iter().map(ToString::to_string).collect::<Vec<_>>(),
            vec![
                "rooms/a/src/store.rs:3: LIKE is banned in SQL: SQLite ignores case, PostgreSQL does not: use a search key of our own with equality or a range"
            ]
        );
    }
}
