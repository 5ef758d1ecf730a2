//! The only door to SQL. One statement text serves both stores; every difference between them lives in this file.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use rusqlite::types::{ToSqlOutput, ValueRef};

use crate::meter::Stopwatch;
use crate::moves::Topic;

/// Which store is behind the door.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Backend {
    Sqlite,
    Postgres,
}

/// A store that did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("SQLite: {0}")]
    Sqlite(#[from] rusqlite::Error),
    #[error("PostgreSQL: {}", postgres_words(.0))]
    Postgres(#[from] postgres::Error),
    #[error("{table} row {row}: {problem}")]
    Inconsistent { table: &'static str, row: String, problem: String },
    #[error("{0}")]
    Io(#[from] std::io::Error),
    #[error("{0}")]
    Other(String),
}

fn postgres_words(error: &postgres::Error) -> String {
    error.as_db_error().map_or_else(|| error.to_string(), |db| format!("{} ({})", db.message(), db.code().code()))
}

impl StoreError {
    /// True when the disk behind the store is full: the caller may try again later, nothing was half done.
    pub fn is_full(&self) -> bool {
        match self {
            StoreError::Sqlite(rusqlite::Error::SqliteFailure(error, _)) => error.code == rusqlite::ErrorCode::DiskFull,
            StoreError::Postgres(error) => error.code() == Some(&postgres::error::SqlState::DISK_FULL),
            StoreError::Io(error) => error.kind() == std::io::ErrorKind::StorageFull,
            _ => false,
        }
    }
}

impl StoreError {
    /// True when the store's own file cannot be read as one.
    pub(crate) fn is_damage(&self) -> bool {
        use rusqlite::ErrorCode as Code;
        matches!(self, StoreError::Sqlite(rusqlite::Error::SqliteFailure(error, _)) if matches!(error.code, Code::DatabaseCorrupt | Code::NotADatabase))
    }

    /// True when the same work may succeed later (disk full, a lock, a lost connection): not the fault of what was to be done.
    pub fn is_passing(&self) -> bool {
        use rusqlite::ErrorCode as Code;
        match self {
            StoreError::Sqlite(rusqlite::Error::SqliteFailure(error, _)) => matches!(
                error.code,
                Code::DiskFull
                    | Code::DatabaseBusy
                    | Code::DatabaseLocked
                    | Code::SystemIoFailure
                    | Code::OutOfMemory
                    | Code::OperationInterrupted
                    | Code::CannotOpen
            ),
            StoreError::Postgres(error) => match error.code() {
                // A lost connection, rollback by the server, resources, locks, an operator, the system; a server that has become a standby.
                Some(code) => {
                    ["08", "40", "53", "55", "57", "58"].contains(&&code.code()[..2]) || *code == postgres::error::SqlState::READ_ONLY_SQL_TRANSACTION
                }
                None => error.is_closed() || std::error::Error::source(error).is_some_and(|source| source.is::<std::io::Error>()),
            },
            StoreError::Io(_) => true,
            _ => false,
        }
    }

    /// True when the store could not be reached or had no time: whether a commit came about may be unknown, and telling it again is safe.
    pub fn is_away(&self) -> bool {
        self.is_passing() && !self.is_full()
    }
}

pub type StoreResult<T> = Result<T, StoreError>;

/// A statement that takes longer is logged with its text, never with its values.
const SLOW_US: u64 = 250_000;
static SLOW_STATEMENTS: AtomicU64 = AtomicU64::new(0);

/// How many statements of this process were slow.
pub fn slow_statements() -> u64 {
    SLOW_STATEMENTS.load(Ordering::Relaxed)
}

/// Runs a statement and logs it when it was slow.
fn watched<T>(sql: &str, run: impl FnOnce() -> StoreResult<T>) -> StoreResult<T> {
    let watch = Stopwatch::start();
    let result = run();
    let us = watch.us();
    if us >= SLOW_US {
        SLOW_STATEMENTS.fetch_add(1, Ordering::Relaxed);
        tracing::warn!(target: "baton::slow_query", ms = us / 1000, sql, "a slow statement");
    }
    result
}

/// How many rows one `INSERT` carries to PostgreSQL.
const ROWS_AT_ONCE: usize = 64;

/// One bound value. Integers are i64, truth values are 0 and 1, times are microseconds.
#[derive(Clone, Copy, Debug)]
pub enum Param<'a> {
    Null,
    Int(i64),
    Float(f64),
    Text(&'a str),
    Bytes(&'a [u8]),
}

impl From<i64> for Param<'_> {
    fn from(value: i64) -> Self {
        Param::Int(value)
    }
}
impl From<i32> for Param<'_> {
    fn from(value: i32) -> Self {
        Param::Int(i64::from(value))
    }
}
impl From<bool> for Param<'_> {
    fn from(value: bool) -> Self {
        Param::Int(i64::from(value))
    }
}
impl From<f64> for Param<'_> {
    fn from(value: f64) -> Self {
        Param::Float(value)
    }
}
impl<'a> From<&'a str> for Param<'a> {
    fn from(value: &'a str) -> Self {
        Param::Text(value)
    }
}
impl<'a> From<&'a String> for Param<'a> {
    fn from(value: &'a String) -> Self {
        Param::Text(value)
    }
}
impl<'a> From<&'a [u8]> for Param<'a> {
    fn from(value: &'a [u8]) -> Self {
        Param::Bytes(value)
    }
}
impl<'a> From<&'a Vec<u8>> for Param<'a> {
    fn from(value: &'a Vec<u8>) -> Self {
        Param::Bytes(value)
    }
}
impl From<baton_kit::Timestamp> for Param<'_> {
    fn from(value: baton_kit::Timestamp) -> Self {
        Param::Int(value.0)
    }
}
impl<'a, T: Into<Param<'a>>> From<Option<T>> for Param<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Param::Null, Into::into)
    }
}
/// Typed ids bind as their number.
macro_rules! param_from_id {
    ($($id:ident),+ $(,)?) => {$(
        impl From<baton_kit::$id> for Param<'_> {
            fn from(id: baton_kit::$id) -> Self { Param::Int(baton_kit::TypedId::raw(id)) }
        }
    )+};
}
param_from_id!(AnyId, EventId, PersonId, PlaceId, AccountId, SessionId, CampaignId, TubeId, BoxId, PlateId, RunId, LotId, ImportId);

/// Binds values in the order of `$1, $2, …`.
#[macro_export]
macro_rules! params {
    ($($value:expr),* $(,)?) => { &[$($crate::Param::from($value)),*] as &[$crate::Param<'_>] };
}

impl rusqlite::ToSql for Param<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Param::Null => ValueRef::Null,
            Param::Int(value) => ValueRef::Integer(*value),
            Param::Float(value) => ValueRef::Real(*value),
            Param::Text(value) => ValueRef::Text(value.as_bytes()),
            Param::Bytes(value) => ValueRef::Blob(value),
        }))
    }
}

impl ToSql for Param<'_> {
    fn to_sql(&self, ty: &Type, out: &mut bytes::BytesMut) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Param::Null => Ok(IsNull::Yes),
            Param::Int(value) if *ty == Type::INT4 => i32::try_from(*value)?.to_sql(ty, out),
            Param::Int(value) if *ty == Type::INT2 => i16::try_from(*value)?.to_sql(ty, out),
            Param::Int(value) if *ty == Type::INT8 => value.to_sql(ty, out),
            Param::Int(value) if *ty == Type::FLOAT8 => (*value as f64).to_sql(ty, out),
            Param::Float(value) if *ty == Type::FLOAT8 => value.to_sql(ty, out),
            Param::Text(value) if matches!(*ty, Type::TEXT | Type::VARCHAR) => value.to_sql(ty, out),
            Param::Bytes(value) if *ty == Type::BYTEA => value.to_sql(ty, out),
            // The driver sends bytes as they are: eight letters would pass for a number.
            other => Err(format!("{other:?} does not go into {ty}").into()),
        }
    }
    fn accepts(ty: &Type) -> bool {
        matches!(*ty, Type::INT2 | Type::INT4 | Type::INT8 | Type::FLOAT8 | Type::TEXT | Type::VARCHAR | Type::BYTEA)
    }
    to_sql_checked!();
}

/// One value read.
#[derive(Clone, PartialEq, Debug)]
pub enum Value {
    Null,
    Int(i64),
    Float(f64),
    Text(String),
    Bytes(Vec<u8>),
}

/// One row read; columns by position, as in the statement.
#[derive(Clone, PartialEq, Debug)]
pub struct Row(pub Vec<Value>);

impl Row {
    fn wrong(&self, column: usize, wanted: &'static str) -> StoreError {
        let found = self.0.get(column);
        StoreError::Other(format!("column {column} holds {found:?}, not {wanted}"))
    }
    pub fn int(&self, column: usize) -> StoreResult<i64> {
        match self.0.get(column) {
            Some(Value::Int(value)) => Ok(*value),
            _ => Err(self.wrong(column, "an integer")),
        }
    }
    pub fn maybe_int(&self, column: usize) -> StoreResult<Option<i64>> {
        match self.0.get(column) {
            Some(Value::Int(value)) => Ok(Some(*value)),
            Some(Value::Null) => Ok(None),
            _ => Err(self.wrong(column, "an integer or nothing")),
        }
    }
    pub fn truth(&self, column: usize) -> StoreResult<bool> {
        self.int(column).map(|value| value != 0)
    }
    pub fn time(&self, column: usize) -> StoreResult<baton_kit::Timestamp> {
        self.int(column).map(baton_kit::Timestamp)
    }
    pub fn maybe_time(&self, column: usize) -> StoreResult<Option<baton_kit::Timestamp>> {
        self.maybe_int(column).map(|value| value.map(baton_kit::Timestamp))
    }
    pub fn float(&self, column: usize) -> StoreResult<f64> {
        match self.0.get(column) {
            Some(Value::Float(value)) => Ok(*value),
            _ => Err(self.wrong(column, "a float")),
        }
    }
    pub fn maybe_float(&self, column: usize) -> StoreResult<Option<f64>> {
        match self.0.get(column) {
            Some(Value::Float(value)) => Ok(Some(*value)),
            Some(Value::Null) => Ok(None),
            _ => Err(self.wrong(column, "a float or nothing")),
        }
    }
    pub fn text(&self, column: usize) -> StoreResult<&str> {
        match self.0.get(column) {
            Some(Value::Text(value)) => Ok(value),
            _ => Err(self.wrong(column, "text")),
        }
    }
    pub fn maybe_text(&self, column: usize) -> StoreResult<Option<&str>> {
        match self.0.get(column) {
            Some(Value::Text(value)) => Ok(Some(value)),
            Some(Value::Null) => Ok(None),
            _ => Err(self.wrong(column, "text or nothing")),
        }
    }
    pub fn bytes(&self, column: usize) -> StoreResult<&[u8]> {
        match self.0.get(column) {
            Some(Value::Bytes(value)) => Ok(value),
            _ => Err(self.wrong(column, "bytes")),
        }
    }
    /// A typed id; a stored number that is none is an inconsistency.
    pub fn id<T: baton_kit::TypedId>(&self, column: usize) -> StoreResult<T> {
        let packed = baton_kit::Packed::from_raw(self.int(column)?).map_err(|e| StoreError::Other(e.to_string()))?;
        Ok(T::from_packed(packed))
    }
    pub fn maybe_id<T: baton_kit::TypedId>(&self, column: usize) -> StoreResult<Option<T>> {
        match self.0.get(column) {
            Some(Value::Null) => Ok(None),
            _ => self.id(column).map(Some),
        }
    }
}

/// An open connection.
pub enum Conn {
    Sqlite(rusqlite::Connection),
    Postgres(Box<PostgresConn>),
}

pub struct PostgresConn {
    config: postgres::Config,
    client: postgres::Client,
    statements: HashMap<String, postgres::Statement>,
}

/// How a SQLite file is opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Durability {
    /// Acknowledged means on disk: the ledger and the keys.
    Full,
    /// May lose its tail in a power cut, because it is replayed from the ledger.
    Replayable,
    /// Only reads.
    ReadOnly,
}

impl Conn {
    pub fn open_sqlite(path: &std::path::Path, durability: Durability) -> StoreResult<Self> {
        use rusqlite::OpenFlags;
        let flags = match durability {
            Durability::ReadOnly => OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
            _ => OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        };
        let conn = rusqlite::Connection::open_with_flags(path, flags)?;
        conn.busy_timeout(Duration::from_secs(20))?;
        conn.set_prepared_statement_cache_capacity(512);
        // A plan does not depend on the values bound: or else SQLite prepares a statement anew at every new value.
        conn.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        if durability != Durability::ReadOnly {
            conn.pragma_update(None, "journal_mode", "WAL")?;
            conn.pragma_update(None, "foreign_keys", true)?;
            // 16 MiB between checkpoints: a hot page is copied back once for many writes of it.
            conn.pragma_update(None, "wal_autocheckpoint", 4096)?;
            conn.pragma_update(None, "synchronous", if durability == Durability::Full { "FULL" } else { "NORMAL" })?;
        }
        conn.pragma_update(None, "cache_size", -65_536)?;
        conn.pragma_update(None, "temp_store", "MEMORY")?;
        Ok(Conn::Sqlite(conn))
    }

    pub fn open_postgres(url: &str) -> StoreResult<Self> {
        let config = postgres_config(url)?;
        let client = config.connect(postgres::NoTls)?;
        Ok(Conn::Postgres(Box::new(PostgresConn { config, client, statements: HashMap::new() })))
    }

    pub fn backend(&self) -> Backend {
        match self {
            Conn::Sqlite(_) => Backend::Sqlite,
            Conn::Postgres(_) => Backend::Postgres,
        }
    }

    /// True when the connection is lost; the next transaction opens it again.
    pub fn is_closed(&self) -> bool {
        match self {
            Conn::Sqlite(_) => false,
            Conn::Postgres(conn) => conn.client.is_closed(),
        }
    }

    /// Starts a transaction that will write.
    pub fn begin(&mut self) -> StoreResult<Tx<'_>> {
        self.start(true)
    }

    /// Starts a transaction that only reads: one consistent picture.
    pub fn begin_read(&mut self) -> StoreResult<Tx<'_>> {
        self.start(false)
    }

    fn start(&mut self, writes: bool) -> StoreResult<Tx<'_>> {
        use rusqlite::TransactionBehavior::{Deferred, Immediate};
        let behavior = if writes { Immediate } else { Deferred };
        let on = match self {
            Conn::Sqlite(conn) => On::Sqlite(conn.transaction_with_behavior(behavior)?),
            Conn::Postgres(conn) => {
                conn.start(if writes { "BEGIN" } else { "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" })?;
                On::Postgres(PostgresTx { conn, open: true })
            }
        };
        Ok(Tx { on, moved: HashSet::new() })
    }

    /// Runs DDL written in PostgreSQL's words.
    pub fn execute_ddl(&mut self, schema: &str) -> StoreResult<()> {
        match self {
            Conn::Sqlite(conn) => conn.execute_batch(&sqlite_words(schema))?,
            Conn::Postgres(conn) => {
                conn.revive()?;
                conn.statements.clear();
                conn.client.batch_execute(schema)?;
            }
        }
        Ok(())
    }

    /// What SQLite's own check finds first, every row held against every index; PostgreSQL has checksums for that.
    pub fn damage(&mut self) -> StoreResult<Option<String>> {
        let Conn::Sqlite(conn) = self else { return Ok(None) };
        let found: String = conn.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
        Ok((found != "ok").then_some(found))
    }

    /// SQLite only: folds the write-ahead log back into the file and empties it.
    pub fn checkpoint(&mut self) -> StoreResult<()> {
        if let Conn::Sqlite(conn) = self {
            let busy: bool = conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
            if busy {
                return Err(StoreError::Other("somebody reads the file: its write-ahead log could not be emptied".to_owned()));
            }
        }
        Ok(())
    }
}

impl PostgresConn {
    /// Begins; a connection that turns out to be lost is opened again first, since nothing was done on it yet.
    fn start(&mut self, begin: &str) -> StoreResult<()> {
        self.revive()?;
        match self.client.batch_execute(begin).map_err(StoreError::from) {
            Err(error) if error.is_passing() => {
                self.reopen()?;
                Ok(self.client.batch_execute(begin)?)
            }
            started => started,
        }
    }

    fn prepare(&mut self, sql: &str) -> StoreResult<postgres::Statement> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.client.prepare(sql)?;
        self.statements.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    /// Opens the connection again when the server closed it.
    fn revive(&mut self) -> StoreResult<()> {
        if self.client.is_closed() { self.reopen() } else { Ok(()) }
    }

    fn reopen(&mut self) -> StoreResult<()> {
        self.statements.clear();
        self.client = self.config.connect(postgres::NoTls)?;
        Ok(())
    }
}

/// Who does not answer within this time is passed over; what the address says itself stands.
const CONNECT_PATIENCE: Duration = Duration::from_secs(3);
/// A server that is silent on the line for so long is gone: five seconds, then three questions two seconds apart.
const SILENCE: Duration = Duration::from_secs(11);

/// Of several hosts the one that takes writes is looked for, and a host that died is noticed in seconds instead of hours.
fn postgres_config(url: &str) -> StoreResult<postgres::Config> {
    let mut config: postgres::Config = url.parse()?;
    config.target_session_attrs(postgres::config::TargetSessionAttrs::ReadWrite);
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT_PATIENCE);
    }
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(SILENCE);
    }
    if config.get_keepalives_interval().is_none() {
        config.keepalives_idle(Duration::from_secs(5)).keepalives_interval(Duration::from_secs(2)).keepalives_retries(3);
    }
    Ok(config)
}

/// PostgreSQL's type words in SQLite's, and STRICT, so that text cannot hide in a number column.
pub fn sqlite_words(schema: &str) -> String {
    let words: Vec<String> = schema.split_inclusive(|c: char| !c.is_ascii_alphanumeric() && c != '_').map(sqlite_word).collect();
    words.concat().replace("DOUBLE PRECISION", "REAL").replace("\n);", "\n) STRICT;")
}

fn sqlite_word(word: &str) -> String {
    let (stem, tail) = match word.char_indices().last() {
        Some((at, c)) if !c.is_ascii_alphanumeric() && c != '_' => word.split_at(at),
        _ => (word, ""),
    };
    let stem = match stem {
        "BYTEA" => "BLOB",
        "BIGINT" | "SMALLINT" | "BOOLEAN" => "INTEGER",
        other => other,
    };
    format!("{stem}{tail}")
}

/// A transaction on either store. Dropped without `commit`, it never happened.
pub struct Tx<'c> {
    on: On<'c>,
    moved: HashSet<Topic>,
}

enum On<'c> {
    Sqlite(rusqlite::Transaction<'c>),
    Postgres(PostgresTx<'c>),
}

/// An open transaction of a PostgreSQL connection.
struct PostgresTx<'c> {
    conn: &'c mut PostgresConn,
    open: bool,
}

impl PostgresTx<'_> {
    fn end(mut self, how: &str) -> StoreResult<()> {
        self.open = false;
        Ok(self.conn.client.batch_execute(how)?)
    }
}

impl Drop for PostgresTx<'_> {
    fn drop(&mut self) {
        if self.open {
            // On a lost connection the server has rolled back by itself.
            _ = self.conn.client.batch_execute("ROLLBACK");
        }
    }
}

impl Tx<'_> {
    pub fn backend(&self) -> Backend {
        match &self.on {
            On::Sqlite(_) => Backend::Sqlite,
            On::Postgres(..) => Backend::Postgres,
        }
    }

    /// Says that what is shown under this name has moved; told to whoever shows it once this is committed.
    pub fn moved(&mut self, name: &'static str, id: i64) {
        self.moved.insert(Topic { name, id });
    }

    pub(crate) fn take_moved(&mut self) -> HashSet<Topic> {
        std::mem::take(&mut self.moved)
    }

    /// Runs a statement; the number of rows it touched.
    pub fn execute(&mut self, sql: &str, params: &[Param<'_>]) -> StoreResult<u64> {
        watched(sql, || self.execute_now(sql, params))
    }

    fn execute_now(&mut self, sql: &str, params: &[Param<'_>]) -> StoreResult<u64> {
        match &mut self.on {
            On::Sqlite(tx) => {
                let mut statement = tx.prepare_cached(&numbered(sql))?;
                Ok(statement.execute(rusqlite::params_from_iter(params))? as u64)
            }
            On::Postgres(PostgresTx { conn, .. }) => {
                let statement = conn.prepare(sql)?;
                let params: Vec<&(dyn ToSql + Sync)> = params.iter().map(|p| p as &(dyn ToSql + Sync)).collect();
                Ok(conn.client.execute(&statement, &params)?)
            }
        }
    }

    /// All rows of a query.
    pub fn query(&mut self, sql: &str, params: &[Param<'_>]) -> StoreResult<Vec<Row>> {
        watched(sql, || {
            let mut rows = Vec::new();
            self.each(sql, params, |row| {
                rows.push(row);
                Ok(())
            })?;
            Ok(rows)
        })
    }

    /// The rows of a query, one by one, without holding them all.
    pub fn each(&mut self, sql: &str, params: &[Param<'_>], mut take: impl FnMut(Row) -> StoreResult<()>) -> StoreResult<()> {
        match &mut self.on {
            On::Sqlite(tx) => {
                let mut statement = tx.prepare_cached(&numbered(sql))?;
                let columns = statement.column_count();
                let mut rows = statement.query(rusqlite::params_from_iter(params))?;
                while let Some(row) = rows.next()? {
                    take(sqlite_row(row, columns)?)?;
                }
            }
            On::Postgres(PostgresTx { conn, .. }) => {
                let statement = conn.prepare(sql)?;
                let mut rows = conn.client.query_raw(&statement, params.iter().map(|p| p as &dyn ToSql))?;
                while let Some(row) = postgres::fallible_iterator::FallibleIterator::next(&mut rows)? {
                    take(postgres_row(&row)?)?;
                }
            }
        }
        Ok(())
    }

    /// The first row, if there is one.
    pub fn first(&mut self, sql: &str, params: &[Param<'_>]) -> StoreResult<Option<Row>> {
        Ok(self.query(sql, params)?.into_iter().next())
    }

    /// The only row of a query that always has one (a count, a sum).
    pub fn one(&mut self, sql: &str, params: &[Param<'_>]) -> StoreResult<Row> {
        self.first(sql, params)?.ok_or_else(|| StoreError::Other(format!("no row where one must be: {sql}")))
    }

    /// Inserts many rows: a few long statements on PostgreSQL, one prepared statement again and again on SQLite.
    /// `head` is `INSERT INTO t (a, b) VALUES`, `tail` what follows the values, or nothing.
    pub fn insert_many(&mut self, head: &str, columns: usize, rows: &[Vec<Param<'_>>], tail: &str) -> StoreResult<u64> {
        let one = values_text(head, columns, 1, tail);
        let mut touched = 0;
        if let On::Sqlite(tx) = &self.on {
            let mut statement = tx.prepare_cached(&numbered(&one))?;
            for row in rows {
                touched += statement.execute(rusqlite::params_from_iter(row))? as u64;
            }
            return Ok(touched);
        }
        let many = values_text(head, columns, ROWS_AT_ONCE, tail);
        let (chunks, rest) = rows.as_chunks::<ROWS_AT_ONCE>();
        for chunk in chunks {
            let flat: Vec<Param<'_>> = chunk.iter().flatten().copied().collect();
            touched += self.execute(&many, &flat)?;
        }
        for row in rest {
            touched += self.execute(&one, row)?;
        }
        Ok(touched)
    }

    /// Runs DDL written in PostgreSQL's words.
    pub(crate) fn execute_ddl(&mut self, schema: &str) -> StoreResult<()> {
        match &mut self.on {
            On::Sqlite(tx) => tx.execute_batch(&sqlite_words(schema))?,
            On::Postgres(PostgresTx { conn, .. }) => {
                conn.statements.clear();
                conn.client.batch_execute(schema)?;
            }
        }
        Ok(())
    }

    /// Runs `work` so that, when it fails, only its own writes are undone.
    pub fn savepoint<T, E: From<StoreError>>(&mut self, work: impl FnOnce(&mut Tx<'_>) -> Result<T, E>) -> Result<T, E> {
        self.raw("SAVEPOINT step")?;
        match work(self) {
            Ok(value) => {
                self.raw("RELEASE SAVEPOINT step")?;
                Ok(value)
            }
            Err(error) => {
                self.raw("ROLLBACK TO SAVEPOINT step")?;
                self.raw("RELEASE SAVEPOINT step")?;
                Err(error)
            }
        }
    }

    fn raw(&mut self, sql: &str) -> StoreResult<()> {
        match &mut self.on {
            On::Sqlite(tx) => tx.execute_batch(sql)?,
            On::Postgres(PostgresTx { conn, .. }) => conn.client.batch_execute(sql)?,
        }
        Ok(())
    }

    pub fn commit(self) -> StoreResult<()> {
        match self.on {
            On::Sqlite(tx) => tx.commit()?,
            On::Postgres(tx) => tx.end("COMMIT")?,
        }
        Ok(())
    }

    pub fn rollback(self) -> StoreResult<()> {
        match self.on {
            On::Sqlite(tx) => tx.rollback()?,
            On::Postgres(tx) => tx.end("ROLLBACK")?,
        }
        Ok(())
    }
}

/// `$2` as `?2`: SQLite numbers `$n` by order of appearance, which silently binds the wrong value.
fn numbered(sql: &str) -> String {
    sql.replace('$', "?")
}

fn values_text(head: &str, columns: usize, rows: usize, tail: &str) -> String {
    let row = |r: usize| {
        let marks: Vec<String> = (1..=columns).map(|c| format!("${}", r * columns + c)).collect();
        format!("({})", marks.join(", "))
    };
    let rows: Vec<String> = (0..rows).map(row).collect();
    format!("{head} {} {tail}", rows.join(", "))
}

fn sqlite_row(row: &rusqlite::Row<'_>, columns: usize) -> StoreResult<Row> {
    let mut values = Vec::with_capacity(columns);
    for column in 0..columns {
        values.push(match row.get_ref(column)? {
            ValueRef::Null => Value::Null,
            ValueRef::Integer(value) => Value::Int(value),
            ValueRef::Real(value) => Value::Float(value),
            ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
            ValueRef::Blob(bytes) => Value::Bytes(bytes.to_vec()),
        });
    }
    Ok(Row(values))
}

fn postgres_row(row: &postgres::Row) -> StoreResult<Row> {
    let mut values = Vec::with_capacity(row.len());
    for (index, column) in row.columns().iter().enumerate() {
        values.push(match *column.type_() {
            Type::INT8 => row.get::<_, Option<i64>>(index).map_or(Value::Null, Value::Int),
            Type::INT4 => row.get::<_, Option<i32>>(index).map_or(Value::Null, |v| Value::Int(i64::from(v))),
            Type::INT2 => row.get::<_, Option<i16>>(index).map_or(Value::Null, |v| Value::Int(i64::from(v))),
            Type::BOOL => row.get::<_, Option<bool>>(index).map_or(Value::Null, |v| Value::Int(i64::from(v))),
            Type::FLOAT8 => row.get::<_, Option<f64>>(index).map_or(Value::Null, Value::Float),
            Type::TEXT | Type::VARCHAR => row.get::<_, Option<String>>(index).map_or(Value::Null, Value::Text),
            Type::BYTEA => row.get::<_, Option<Vec<u8>>>(index).map_or(Value::Null, Value::Bytes),
            ref other => return Err(StoreError::Other(format!("column {} has type {other}: cast it in the statement", column.name()))),
        });
    }
    Ok(Row(values))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ddl_speaks_both_dialects() {
        let schema = "CREATE TABLE a (\n  bucket BIGINT NOT NULL,\n  hash BYTEA NOT NULL,\n  p DOUBLE PRECISION\n);\n";
        assert_eq!(sqlite_words(schema), "CREATE TABLE a (\n  bucket INTEGER NOT NULL,\n  hash BLOB NOT NULL,\n  p REAL\n) STRICT;\n");
    }

    #[test]
    fn a_dead_host_is_noticed_in_seconds_unless_the_address_says_otherwise() {
        let config = postgres_config("postgres://baton@one:5432,two:5433/baton").unwrap();
        assert_eq!(config.get_hosts().len(), 2);
        assert_eq!(config.get_target_session_attrs(), postgres::config::TargetSessionAttrs::ReadWrite);
        assert_eq!((config.get_connect_timeout(), config.get_tcp_user_timeout()), (Some(&CONNECT_PATIENCE), Some(&SILENCE)));
        assert_eq!((config.get_keepalives_idle(), config.get_keepalives_retries()), (Duration::from_secs(5), Some(3)));
        let said = postgres_config("postgres://baton@one/baton?connect_timeout=9&keepalives_interval=60").unwrap();
        assert_eq!((said.get_connect_timeout(), said.get_keepalives_interval()), (Some(&Duration::from_secs(9)), Some(Duration::from_secs(60))));
    }

    #[test]
    fn nobody_at_home_is_away_and_a_full_disk_is_not() {
        let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let error = Conn::open_postgres(&format!("postgres://baton@{nobody}/baton")).err().unwrap();
        assert!(error.is_away(), "{error}");
        let full = StoreError::Io(std::io::ErrorKind::StorageFull.into());
        assert!(full.is_passing() && full.is_full() && !full.is_away());
        assert!(!StoreError::Other("a rule".to_owned()).is_away());
    }

    #[test]
    fn values_are_numbered_through_all_rows() {
        assert_eq!(values_text("INSERT INTO t (a, b) VALUES", 2, 2, ""), "INSERT INTO t (a, b) VALUES ($1, $2), ($3, $4) ");
    }

    #[test]
    fn a_statement_is_prepared_once_whatever_is_bound() {
        let folder = std::env::temp_dir().join(format!("baton-door-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let mut conn = Conn::open_sqlite(&folder.join("a.db"), Durability::Replayable).unwrap();
        conn.execute_ddl("CREATE TABLE t (\n  bucket BIGINT NOT NULL,\n  id BIGINT NOT NULL,\n  code TEXT NOT NULL,\n  point BIGINT NOT NULL,\n  PRIMARY KEY (bucket, id)\n);\nCREATE INDEX t_code ON t (code);\n").unwrap();
        let Conn::Sqlite(sqlite) = &conn else { unreachable!("opened as SQLite") };
        let mut statement = sqlite.prepare_cached("SELECT id FROM t WHERE code = ?1 AND point = ?2 LIMIT ?3").unwrap();
        for (code, point) in [("a", 1), ("b", 2), ("c", 3)] {
            statement.query(rusqlite::params![code, point, 20]).unwrap().next().unwrap();
        }
        assert_eq!(statement.get_status(rusqlite::StatementStatus::RePrepare), 0);
        drop(statement);
        drop(conn);
        std::fs::remove_dir_all(folder).unwrap();
    }
}
