//! `schema`: the tables as PostgreSQL makes them, and what Citus is told about them.

use std::process::ExitCode;

use anyhow::bail;
use baton_ledger::schema::{FOLLOWERS, LEDGER, VAULT, distribution};
use clap::Args;

use crate::installation::folds;

#[derive(Args)]
pub(crate) struct Schema {
    /// The commands that cut every table by `bucket` on Citus, instead of the tables.
    #[arg(long)]
    citus: bool,
}

impl Schema {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        if !self.citus {
            println!("{}", all().concat());
            return Ok(ExitCode::SUCCESS);
        }
        match distribution(&all()) {
            Ok(commands) => println!("{}", commands.join("\n")),
            Err(problems) => bail!(problems.join("\n")),
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// The ledger's tables first: all others lie beside them.
fn all() -> Vec<&'static str> {
    [LEDGER, FOLLOWERS, VAULT].into_iter().chain(folds().into_iter().map(|fold| fold.schema)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use baton_ground::Plot;
    use baton_ledger::{Conn, params};

    /// PostgreSQL's own catalogue, asked what Citus would refuse: the text was never looked at.
    #[test]
    fn the_catalogue_finds_every_table_ready_for_citus() {
        let Some(plot) = Plot::postgres("the_catalogue_finds_every_table_ready_for_citus") else { return };
        let mut conn = Conn::open_postgres(plot.database.as_ref().unwrap()).unwrap();
        all().iter().for_each(|schema| conn.execute_ddl(schema).unwrap());
        let mut tx = conn.begin_read().unwrap();
        let mut names = |sql: &str| -> Vec<String> {
            let rows = tx.query(sql, params![plot.application()]).unwrap();
            rows.iter().map(|row| row.text(0).unwrap().to_owned()).collect()
        };
        let of = "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = CAST($1 AS TEXT) AND";
        let mut tables = names(&format!("SELECT CAST(c.relname AS TEXT) {of} c.relkind = 'r'"));
        let commands = distribution(&all()).unwrap();
        let mut told: Vec<String> = commands.iter().filter_map(|line| line.split('\'').nth(1)).map(str::to_owned).collect();
        tables.sort();
        told.sort();
        assert_eq!(told, tables);
        assert_eq!(names(&format!("SELECT CAST(c.relname AS TEXT) {of} c.relkind IN ('S', 'v', 'm', 'f')")), Vec::<String>::new(), "sequences and views");
        let keyless = format!(
            "SELECT CAST(c.relname AS TEXT) {of} c.relkind = 'i' AND EXISTS (SELECT 1 FROM pg_index i WHERE i.indexrelid = c.oid AND i.indisunique AND NOT EXISTS \
             (SELECT 1 FROM pg_attribute a WHERE a.attrelid = i.indrelid AND a.attname = 'bucket' AND a.attnum = ANY(i.indkey)))"
        );
        assert_eq!(names(&keyless), Vec::<String>::new(), "unique, and bucket is not in it");
        let nullable = format!(
            "SELECT CAST(c.relname AS TEXT) {of} c.relkind = 'r' AND NOT EXISTS (SELECT 1 FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'bucket' AND a.attnotnull)"
        );
        assert_eq!(names(&nullable), Vec::<String>::new(), "bucket may be nothing");
        let keyed = format!(
            "SELECT CAST(c.relname AS TEXT) {of} c.relkind = 'r' AND NOT EXISTS (SELECT 1 FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary)"
        );
        assert_eq!(names(&keyed), Vec::<String>::new(), "no primary key");
        let crossing = format!("SELECT CAST(c.relname AS TEXT) {of} EXISTS (SELECT 1 FROM pg_constraint f WHERE f.conrelid = c.oid AND f.contype = 'f')");
        assert_eq!(names(&crossing), Vec::<String>::new(), "foreign keys");
        assert_eq!(names(&format!("SELECT CAST(c.relname AS TEXT) {of} c.relhastriggers")), Vec::<String>::new(), "triggers");
        assert_eq!(
            names(&format!("SELECT CAST(c.relname AS TEXT) {of} EXISTS (SELECT 1 FROM pg_attrdef d WHERE d.adrelid = c.oid)")),
            Vec::<String>::new(),
            "defaults"
        );
    }
}
