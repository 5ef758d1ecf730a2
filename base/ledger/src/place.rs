//! Where an installation's stores are: a data folder with SQLite files, or a PostgreSQL database beside the folder's secrets.

use std::path::{Path, PathBuf};

use baton_kit::{Entropy, Timestamp};

use crate::door::{Conn, Durability, StoreError, StoreResult};
use crate::projector::Fold;
use crate::schema;
use crate::vault::Secrets;

/// Says when the ledger was copied last.
const LAST_COPY: &str = "last-copy";

/// The files of a data folder.
#[derive(Clone, Debug)]
pub struct Place {
    pub folder: PathBuf,
    /// `postgres://…`; nothing means the embedded store.
    pub database: Option<String>,
}

impl Place {
    pub fn embedded(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), database: None }
    }
    pub fn new(folder: impl Into<PathBuf>, database: Option<String>) -> Self {
        Self { folder: folder.into(), database }
    }
    pub fn secrets_folder(&self) -> PathBuf {
        self.folder.join("secrets")
    }
    /// When the ledger was copied last, if it ever was.
    pub fn last_copy(&self) -> Option<Timestamp> {
        std::fs::read_to_string(self.folder.join(LAST_COPY)).ok()?.trim().parse().ok().map(Timestamp)
    }
    /// Remembers that the ledger was copied.
    pub fn copied(&self, at: Timestamp) -> StoreResult<()> {
        Ok(std::fs::write(self.folder.join(LAST_COPY), format!("{}\n", at.0))?)
    }
    pub fn ledger_file(&self) -> PathBuf {
        self.folder.join("ledger.db")
    }
    fn projections_file(&self) -> PathBuf {
        self.folder.join("projections.db")
    }

    fn open(&self, file: &Path, durability: Durability) -> StoreResult<Conn> {
        match &self.database {
            Some(url) => Conn::open_postgres(url),
            None => Conn::open_sqlite(file, durability),
        }
    }
    pub fn open_ledger(&self) -> StoreResult<Conn> {
        self.open(&self.ledger_file(), Durability::Full)
    }
    pub fn open_ledger_for_reading(&self) -> StoreResult<Conn> {
        self.open(&self.ledger_file(), Durability::ReadOnly)
    }
    pub(crate) fn open_vault(&self) -> StoreResult<Conn> {
        let vault = self.open(&self.folder.join("keys.db"), Durability::Full)?;
        if let Conn::Sqlite(conn) = &vault {
            // What is destroyed is overwritten, not only unlinked. A setting of the connection, not of the file.
            conn.pragma_update(None, "secure_delete", true)?;
        }
        Ok(vault)
    }
    pub(crate) fn open_projections(&self) -> StoreResult<Conn> {
        self.open(&self.projections_file(), Durability::Replayable)
    }
    pub(crate) fn open_projections_for_reading(&self) -> StoreResult<Conn> {
        self.open(&self.projections_file(), Durability::ReadOnly)
    }

    /// The vault of an installation that is not running.
    pub fn vault(&self, secrets: std::sync::Arc<Secrets>, entropy: std::sync::Arc<dyn Entropy>) -> StoreResult<crate::Vault> {
        Ok(crate::Vault::new(self.open_vault()?, secrets, entropy))
    }

    /// True when there is an installation here.
    pub fn exists(&self) -> bool {
        self.secrets_folder().join("signing.key").exists()
    }

    /// Makes the folder, the secrets and the empty ledger.
    pub fn create(&self, entropy: &dyn Entropy) -> StoreResult<Secrets> {
        std::fs::create_dir_all(&self.folder)?;
        let secrets = Secrets::create(&self.secrets_folder(), entropy)?;
        self.create_empty_stores()?;
        sync_with_parent(&self.folder)?;
        Ok(secrets)
    }

    /// Makes the ledger's and the vault's tables where there are none.
    pub fn create_empty_stores(&self) -> StoreResult<()> {
        let mut ledger = self.open_ledger()?;
        if has_table(&mut ledger, "ledger_clock") {
            return Err(StoreError::Other("there is a ledger already: it is never overwritten".to_owned()));
        }
        ledger.execute_ddl(schema::LEDGER)?;
        let mut tx = ledger.begin()?;
        tx.execute("INSERT INTO ledger_clock (bucket, ordinal, signature) VALUES (0, 0, $1)", crate::params![crate::Param::Bytes(&[])])?;
        tx.commit()?;
        let mut vault = self.open_vault()?;
        if !has_table(&mut vault, "data_key") {
            vault.execute_ddl(schema::VAULT)?;
        }
        Ok(())
    }

    /// Drops the projections and makes them anew, empty. A file too damaged for that is removed first.
    pub(crate) fn reset_projections(&self, folds: &[Fold]) -> StoreResult<()> {
        match self.remake_projections(folds) {
            Err(error) if error.is_damage() => {
                tracing::warn!(%error, "the projections' file is damaged and is removed");
                for suffix in ["", "-wal", "-shm"] {
                    let path = PathBuf::from(format!("{}{suffix}", self.projections_file().display()));
                    if path.exists() {
                        std::fs::remove_file(path)?;
                    }
                }
                self.remake_projections(folds)
            }
            made => made,
        }
    }

    /// In one transaction, so that a server that is running never sees half of it.
    fn remake_projections(&self, folds: &[Fold]) -> StoreResult<()> {
        let schemas: Vec<&str> = folds.iter().map(|fold| fold.schema).chain([schema::FOLLOWERS]).collect();
        let mut conn = self.open_projections()?;
        let mut tx = conn.begin()?;
        for schema in &schemas {
            let drops: Vec<String> = tables(schema).iter().map(|table| format!("DROP TABLE IF EXISTS {table};")).collect();
            tx.execute_ddl(&drops.concat())?;
            tx.execute_ddl(schema)?;
        }
        tx.execute("INSERT INTO watermark (bucket, follower, ordinal) VALUES (0, 'rooms', 0), (0, 'schema', $1)", crate::params![fingerprint(folds)])?;
        tx.commit()
    }

    /// True when the projections were made by these very schemas.
    pub(crate) fn projections_match(&self, folds: &[Fold]) -> bool {
        let Ok(mut conn) = self.open_projections() else { return false };
        if !has_table(&mut conn, "watermark") {
            return false;
        }
        let Ok(mut tx) = conn.begin_read() else { return false };
        let row = tx.first("SELECT ordinal FROM watermark WHERE bucket = 0 AND follower = 'schema'", &[]);
        row.ok().flatten().and_then(|row| row.int(0).ok()) == Some(fingerprint(folds))
    }
}

/// Makes the names of what is in a folder, and its own, outlast a power cut: a synced file whose name is not is gone.
pub fn sync_with_parent(folder: &Path) -> std::io::Result<()> {
    std::fs::File::open(folder)?.sync_all()?;
    let here = |parent: &'_ Path| if parent.as_os_str().is_empty() { PathBuf::from(".") } else { parent.to_owned() };
    folder.parent().map_or(Ok(()), |parent| std::fs::File::open(here(parent))?.sync_all())
}

/// A number that changes when any table of any room does.
fn fingerprint(folds: &[Fold]) -> i64 {
    use sha2::Digest;
    let mut hasher = sha2::Sha256::new();
    for fold in folds {
        hasher.update(fold.room.as_bytes());
        hasher.update(fold.schema.as_bytes());
    }
    let hash = hasher.finalize();
    i64::from_be_bytes(hash[..8].try_into().expect("eight bytes")) & i64::MAX
}

/// The names of the tables a schema makes.
pub fn tables(schema: &str) -> Vec<&str> {
    let names = schema.split("CREATE TABLE ").skip(1);
    names.filter_map(|rest| rest.split([' ', '(']).next()).collect()
}

fn has_table(conn: &mut Conn, table: &str) -> bool {
    conn.begin_read().and_then(|mut tx| tx.query(&format!("SELECT bucket FROM {table} WHERE bucket < 0"), &[])).is_ok()
}
