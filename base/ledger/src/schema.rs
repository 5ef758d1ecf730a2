//! The ledger's own tables, and the lint that keeps every schema ready for distribution by `bucket`.

/// Tables of the ledger proper.
pub const LEDGER: &str = include_str!("ledger.sql");
/// Tables of the followers: where each stands, and what it could not fold.
pub const FOLLOWERS: &str = include_str!("followers.sql");
/// The vault of personal data keys: never in a backup of the ledger.
pub const VAULT: &str = include_str!("vault.sql");

/// Words that no schema says: what the store would make up by itself, and types that differ between the stores.
const BANNED: [&str; 16] = [
    "SERIAL",
    "BIGSERIAL",
    "SMALLSERIAL",
    "AUTOINCREMENT",
    "IDENTITY",
    "GENERATED",
    "NEXTVAL",
    "NOW",
    "CURRENT_TIMESTAMP",
    "CURRENT_DATE",
    "RANDOM",
    "TIMESTAMP",
    "TIMESTAMPTZ",
    "JSONB",
    "NUMERIC",
    "BOOLEAN",
];

/// What breaks the rules of distribution: every key contains `bucket`; no sequences, triggers or volatile functions.
pub fn lint(schema: &str) -> Vec<String> {
    let mut problems = Vec::new();
    for statement in without_comments(schema).split(';').map(str::trim).filter(|s| !s.is_empty()) {
        let upper = statement.to_uppercase();
        let words: Vec<&str> = upper.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').collect();
        for word in BANNED.iter().filter(|word| words.contains(word)) {
            problems.push(format!("{}: {word} is banned", first_line(statement)));
        }
        lint_statement(statement, &mut problems);
    }
    problems
}

/// How many shards Citus cuts each table into: of the 128 buckets each holds about four.
const SHARDS: u32 = 32;

/// What to tell Citus about these tables: every one is cut by `bucket`, and rows of one bucket lie together. After `create_distributed_table` of Citus 13.
///
/// # Errors
/// What in the schemas Citus would refuse, and tables that two schemas make.
pub fn distribution(schemas: &[&str]) -> Result<Vec<String>, Vec<String>> {
    let mut problems: Vec<String> = schemas.iter().flat_map(|schema| lint(schema)).collect();
    let tables: Vec<&str> = schemas.iter().flat_map(|schema| crate::place::tables(schema)).collect();
    for (at, table) in tables.iter().enumerate() {
        if tables[..at].contains(table) {
            problems.push(format!("{table} is made twice"));
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let told = |(at, table): (usize, &&str)| match at {
        0 => format!("SELECT create_distributed_table('{table}', 'bucket', shard_count => {SHARDS}, colocate_with => 'none');"),
        _ => format!("SELECT create_distributed_table('{table}', 'bucket', colocate_with => '{}');", tables[0]),
    };
    Ok(tables.iter().enumerate().map(told).collect())
}

fn first_line(statement: &str) -> &str {
    statement.lines().next().unwrap_or("")
}

fn without_comments(schema: &str) -> String {
    let lines: Vec<&str> = schema.lines().map(|line| line.split("--").next().unwrap_or("").trim()).filter(|l| !l.is_empty()).collect();
    lines.join("\n")
}

fn lint_statement(statement: &str, problems: &mut Vec<String>) {
    let first_line = first_line(statement);
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
        if statement.matches("REFERENCES").count() > statement.matches("FOREIGN KEY").count() {
            problems.push(format!("{first_line}: REFERENCES without FOREIGN KEY (bucket, …) crosses buckets"));
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
    for word in ["PRIMARY KEY", "UNIQUE", "FOREIGN KEY"] {
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
    fn every_table_is_cut_by_bucket_beside_the_first() {
        let told = distribution(&[LEDGER, FOLLOWERS, VAULT]).unwrap();
        let count: usize = [LEDGER, FOLLOWERS, VAULT].iter().map(|schema| schema.matches("CREATE TABLE").count()).sum();
        assert_eq!(told.len(), count);
        assert_eq!(told[0], "SELECT create_distributed_table('event', 'bucket', shard_count => 32, colocate_with => 'none');");
        assert!(told[1..].iter().all(|line| line.contains("'bucket', colocate_with => 'event'")), "{told:?}");
        assert_eq!(distribution(&[VAULT, VAULT]), Err(vec!["data_key is made twice".to_owned()]));
        assert_eq!(distribution(&["CREATE TABLE t (\n  id BIGINT NOT NULL,\n  PRIMARY KEY (id)\n);"]).unwrap_err().len(), 1);
    }

    #[test]
    fn a_key_without_bucket_is_named() {
        let problems = lint("CREATE TABLE t (\n  id BIGINT NOT NULL,\n  PRIMARY KEY (id)\n);");
        assert_eq!(problems, vec!["CREATE TABLE t (: key (id) does not contain bucket"]);
        assert_eq!(lint("CREATE TABLE t (\n  a BIGINT REFERENCES u (a),\n  PRIMARY KEY (bucket, a)\n);").len(), 1);
        assert_eq!(lint("CREATE TABLE t (\n  PRIMARY KEY (bucket, a),\n  FOREIGN KEY (a) REFERENCES u (a)\n);").len(), 1);
        assert_eq!(lint("-- the sequence it was given in now, at random;\nCREATE INDEX i ON sequence_block (device);"), Vec::<String>::new());
        assert_eq!(lint("CREATE UNIQUE INDEX i ON t (id);").len(), 1);
        assert_eq!(lint("CREATE TABLE t (\n  id BIGINT DEFAULT nextval('s'),\n  PRIMARY KEY (bucket, id)\n)\n;\nCREATE TRIGGER x").len(), 2);
    }
}
