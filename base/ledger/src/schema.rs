//! The ledger's own tables, and the lint that keeps every schema ready for distribution by `bucket`.

/// Tables of the ledger proper.
pub const LEDGER: &str = include_str!("ledger.sql");
/// Tables of the followers: where each stands, and what it could not fold.
pub const FOLLOWERS: &str = include_str!("followers.sql");
/// The vault of personal data keys: never in a backup of the ledger.
pub const VAULT: &str = include_str!("vault.sql");

/// What breaks the rules of distribution: every key contains `bucket`; no sequences, triggers or volatile functions.
pub fn lint(schema: &str) -> Vec<String> {
    let mut problems = Vec::new();
    let upper = schema.to_uppercase();
    for word in ["SERIAL", "SEQUENCE", "AUTOINCREMENT", "TRIGGER", "NEXTVAL", "NOW()", "CURRENT_TIMESTAMP", "RANDOM()", "IDENTITY", "TIMESTAMPTZ", "JSONB"] {
        if upper.contains(word) {
            problems.push(format!("{word} is banned"));
        }
    }
    for statement in schema.split(';').map(without_comments).filter(|s| !s.is_empty()) {
        lint_statement(&statement, &mut problems);
    }
    problems
}

fn without_comments(statement: &str) -> String {
    let lines: Vec<&str> = statement.lines().map(|line| line.split("--").next().unwrap_or("").trim()).filter(|l| !l.is_empty()).collect();
    lines.join("\n")
}

fn lint_statement(statement: &str, problems: &mut Vec<String>) {
    let first_line = statement.lines().next().unwrap_or("");
    if statement.starts_with("CREATE TABLE") {
        if !statement.ends_with("\n)") {
            problems.push(format!("{first_line}: the closing bracket stands on a line of its own"));
        }
        for key in keys(statement) {
            if !key.split(',').any(|column| column.trim() == "bucket") {
                problems.push(format!("{first_line}: key ({key}) does not contain bucket"));
            }
        }
        if !statement.contains("PRIMARY KEY (") {
            problems.push(format!("{first_line}: no primary key"));
        }
    } else if statement.starts_with("CREATE UNIQUE INDEX") {
        let columns = between_brackets(statement);
        if !columns.split(',').any(|column| column.trim() == "bucket") {
            problems.push(format!("{first_line}: unique index does not contain bucket"));
        }
    } else if !statement.starts_with("CREATE INDEX") {
        problems.push(format!("{first_line}: only CREATE TABLE and CREATE INDEX belong in a schema"));
    }
}

fn keys(statement: &str) -> Vec<String> {
    let mut keys: Vec<String> = Vec::new();
    for word in ["PRIMARY KEY", "UNIQUE"] {
        for (at, _) in statement.match_indices(word) {
            keys.push(between_brackets(&statement[at..]));
        }
    }
    keys
}

fn between_brackets(text: &str) -> String {
    let inside = text.split_once('(').map_or("", |(_, rest)| rest);
    inside.split_once(')').map_or("", |(inside, _)| inside).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_tables_pass() {
        for schema in [LEDGER, FOLLOWERS, VAULT] {
            assert_eq!(lint(schema), Vec::<String>::new());
        }
    }

    #[test]
    fn a_key_without_bucket_is_named() {
        let problems = lint("CREATE TABLE t (\n  id BIGINT NOT NULL,\n  PRIMARY KEY (id)\n);");
        assert_eq!(problems, vec!["CREATE TABLE t (: key (id) does not contain bucket"]);
        assert_eq!(lint("CREATE UNIQUE INDEX i ON t (id);").len(), 1);
        assert_eq!(lint("CREATE TABLE t (\n  id BIGINT DEFAULT nextval('s'),\n  PRIMARY KEY (bucket, id)\n)\n;\nCREATE TRIGGER x").len(), 3);
    }
}
