//! Every schema keeps the rules of distribution by bucket, and every room has one.

use super::Finding;
use super::tree::{Tree, line_of};

pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.files(|path| path.ends_with(".sql")) {
        for problem in baton_ledger::schema::lint(text) {
            let statement = problem.split(": ").next().unwrap_or("");
            let line = text.find(statement).map_or(1, |at| line_of(text, at));
            findings.push(Finding::new(path, line, format!("{problem}; see base/ledger/src/schema.rs")));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::tree::small;
    use super::*;

    #[test]
    fn the_statement_is_named_by_its_line() {
        let text = "-- people\nCREATE TABLE a (\n  bucket BIGINT NOT NULL,\n  PRIMARY KEY (bucket)\n);\nCREATE TABLE b (\n  id BIGINT NOT NULL,\n  PRIMARY KEY (id)\n);\n";
        let findings = check(&small(&[("rooms/a/schema.sql", text)]));
        assert_eq!(findings.iter().map(|finding| finding.line).collect::<Vec<_>>(), vec![6]);
    }
}
