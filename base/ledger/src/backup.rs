//! A backup is the ledger alone, copied while it runs; everything else is folded from it again.
//! The keys of personal data are not in it: see [`crate::Vault::export`].

use std::path::{Path, PathBuf};

use crate::chain::{self, EVENT_COLUMNS};
use crate::door::{Conn, Durability, Param, Row, StoreError, StoreResult, Tx, Value};
use crate::params;
use crate::schema;

/// The tables of the ledger with their columns, in the order they are copied.
const TABLES: [(&str, &str); 5] = [
    ("event", EVENT_COLUMNS),
    ("head", "bucket, ordinal, count, hash, signature"),
    ("checkpoint", "bucket, ordinal, signature"),
    ("ledger_clock", "bucket, ordinal, signature"),
    ("sequence_block", "bucket, device, reserved_to"),
];

/// What a backup holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BackupContents {
    pub events: i64,
    pub ledger_head: [u8; 32],
}

/// Copies one consistent picture of the ledger into a new SQLite file. The file has its name once it is whole.
pub fn backup(source: &mut Tx<'_>, file: &Path, progress: impl FnMut(i64)) -> StoreResult<BackupContents> {
    if file.exists() {
        return Err(StoreError::Other(format!("{} is there already: it is never overwritten", file.display())));
    }
    let part = PathBuf::from(format!("{}.part", file.display()));
    if part.exists() {
        std::fs::remove_file(&part)?; // of a backup that was interrupted
    }
    let mut target = Conn::open_sqlite(&part, Durability::Full)?;
    target.execute_ddl(schema::LEDGER)?;
    let mut tx = target.begin()?;
    let contents = copy(source, &mut tx, progress)?;
    tx.commit()?;
    target.checkpoint()?;
    drop(target);
    std::fs::rename(&part, file)?;
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::File::open(folder)?.sync_all()?;
    Ok(contents)
}

/// Puts a backup into empty ledger tables, all of it or nothing.
pub fn restore(file: &Path, target: &mut Conn, progress: impl FnMut(i64)) -> StoreResult<BackupContents> {
    let mut source = Conn::open_sqlite(file, Durability::ReadOnly)?;
    let mut tx = target.begin()?;
    if tx.one("SELECT count(*) FROM event", &[])?.int(0)? > 0 {
        return Err(StoreError::Other("the ledger here is not empty: restore into a new one".to_owned()));
    }
    for (table, _) in TABLES {
        tx.execute(&format!("DELETE FROM {table}"), &[])?;
    }
    let contents = copy(&mut source.begin_read()?, &mut tx, progress)?;
    tx.commit()?;
    Ok(contents)
}

fn copy(source: &mut Tx<'_>, target: &mut Tx<'_>, mut progress: impl FnMut(i64)) -> StoreResult<BackupContents> {
    let mut events = 0;
    for (table, columns) in TABLES {
        let width = columns.split(',').count();
        let head = format!("INSERT INTO {table} ({columns}) VALUES");
        let mut chunk: Vec<Row> = Vec::new();
        source.each(&format!("SELECT {columns} FROM {table}"), &[], |row| {
            chunk.push(row);
            if chunk.len() == 4096 {
                insert(target, &head, width, &chunk)?;
                if table == "event" {
                    events += chunk.len() as i64;
                    progress(events);
                }
                chunk.clear();
            }
            Ok(())
        })?;
        insert(target, &head, width, &chunk)?;
        if table == "event" {
            events += chunk.len() as i64;
            progress(events);
        }
    }
    let heads: Vec<chain::Head> = chain::heads(target)?.into_iter().map(|(head, _)| head).collect();
    Ok(BackupContents { events, ledger_head: chain::ledger_head(&heads) })
}

fn insert(tx: &mut Tx<'_>, head: &str, width: usize, rows: &[Row]) -> StoreResult<()> {
    let rows: Vec<Vec<Param<'_>>> = rows.iter().map(|row| row.0.iter().map(param).collect()).collect();
    tx.insert_many(head, width, &rows, "").map(|_| ())
}

fn param(value: &Value) -> Param<'_> {
    match value {
        Value::Null => Param::Null,
        Value::Int(value) => Param::Int(*value),
        Value::Float(value) => Param::Float(*value),
        Value::Text(text) => Param::Text(text),
        Value::Bytes(bytes) => Param::Bytes(bytes),
    }
}

/// A hash of tables' contents that does not depend on row order or on the store: the sum of the rows' hashes.
/// `skipped` names columns (`table.column`) that may differ between equal histories.
pub fn digest(tx: &mut Tx<'_>, schemas: &[&str], skipped: &[&str]) -> StoreResult<[u8; 32]> {
    use sha2::Digest;
    let mut total = sha2::Sha256::new();
    for schema in schemas {
        for table in crate::place::tables(schema) {
            let columns: Vec<&str> = columns(schema, table).into_iter().filter(|c| !skipped.contains(&format!("{table}.{c}").as_str())).collect();
            let mut sum = [0u64; 4];
            tx.each(&format!("SELECT {} FROM {table}", columns.join(", ")), params![], |row| {
                add(&mut sum, &row_hash(&row));
                Ok(())
            })?;
            total.update(table.as_bytes());
            for word in sum {
                total.update(word.to_be_bytes());
            }
        }
    }
    Ok(total.finalize().into())
}

fn columns<'s>(schema: &'s str, table: &str) -> Vec<&'s str> {
    let start = format!("CREATE TABLE {table} (");
    let body = schema.split_once(&start).map_or("", |(_, rest)| rest);
    let lines = body.lines().take_while(|line| !line.starts_with(')'));
    let words = lines.filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    words.filter(|word| word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_') && !word.is_empty()).collect()
}

fn row_hash(row: &Row) -> [u8; 32] {
    use sha2::Digest;
    let mut hasher = sha2::Sha256::new();
    for value in &row.0 {
        match value {
            Value::Null => hasher.update([0]),
            Value::Int(value) => hasher.update([&[1], value.to_be_bytes().as_slice()].concat()),
            Value::Float(value) => hasher.update([&[2], value.to_bits().to_be_bytes().as_slice()].concat()),
            Value::Text(text) => hasher.update([&[3], (text.len() as u64).to_be_bytes().as_slice(), text.as_bytes()].concat()),
            Value::Bytes(bytes) => hasher.update([&[4], (bytes.len() as u64).to_be_bytes().as_slice(), bytes].concat()),
        }
    }
    hasher.finalize().into()
}

fn add(sum: &mut [u64; 4], hash: &[u8; 32]) {
    for (word, bytes) in sum.iter_mut().zip(hash.chunks_exact(8)) {
        *word = word.wrapping_add(u64::from_be_bytes(bytes.try_into().expect("eight bytes")));
    }
}
