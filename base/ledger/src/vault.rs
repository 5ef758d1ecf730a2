//! Keys: the installation's own (signing, wrapping, look-up) and one data key per person.
//!
//! Personal data is encrypted before it enters the ledger, since a ledger is never rewritten. Destroying a person's data key
//! makes every copy unreadable, backups of the ledger included, and the chain still verifies.

use std::path::Path;
use std::sync::Arc;

use aes_gcm_siv::aead::{Aead, Payload};
use aes_gcm_siv::{Aes256GcmSiv, KeyInit, Nonce};
use baton_kit::{AnyId, Device, Entropy, EventId, TypedId};
use ed25519_dalek::{SigningKey, VerifyingKey};
use hmac::{Hmac, Mac};
use parking_lot::Mutex;
use sha2::Sha256;

use crate::door::{Conn, Param, StoreError, StoreResult};
use crate::params;

/// The installation's own keys, in `secrets/` of the data folder, readable by its owner only.
pub struct Secrets {
    pub signing: SigningKey,
    wrapping: Aes256GcmSiv,
    lookup: [u8; 32],
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets(…)")
    }
}

const KEY_FILES: [&str; 3] = ["signing.key", "wrapping.key", "lookup.key"];

impl Secrets {
    /// Makes new keys in a folder that has none.
    pub fn create(folder: &Path, entropy: &dyn Entropy) -> StoreResult<Self> {
        std::fs::create_dir_all(folder)?;
        for name in KEY_FILES {
            let path = folder.join(name);
            if path.exists() {
                return Err(StoreError::Other(format!("{} is there already: it is never overwritten", path.display())));
            }
            let mut key = [0; 32];
            entropy.fill(&mut key);
            write_private(&path, &key)?;
        }
        crate::place::sync_with_parent(folder)?;
        Self::load(folder)
    }

    pub fn load(folder: &Path) -> StoreResult<Self> {
        let [signing, wrapping, lookup] = KEY_FILES.map(|name| read_key(&folder.join(name)));
        let wrapping = wrapping?;
        Ok(Self { signing: SigningKey::from_bytes(&signing?), wrapping: Aes256GcmSiv::new(&wrapping.into()), lookup: lookup? })
    }

    pub fn verifying(&self) -> VerifyingKey {
        self.signing.verifying_key()
    }

    /// A keyed hash for finding without reading: equal texts of one domain give equal numbers, and nothing can be read back.
    pub fn lookup(&self, domain: &str, text: &str) -> i64 {
        let mut mac = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(&self.lookup).expect("a key of any length");
        mac.update(domain.as_bytes());
        mac.update(&[0]);
        mac.update(text.as_bytes());
        let bytes = mac.finalize().into_bytes();
        i64::from_be_bytes(bytes[..8].try_into().expect("eight bytes")) & i64::MAX
    }

    /// The token that belongs to one enrolment: asked again with the same id, it is the same token.
    pub fn token_of(&self, enrolment: EventId) -> String {
        let mut mac = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(&self.lookup).expect("a key of any length");
        mac.update(b"device token\0");
        mac.update(&enrolment.packed().raw().to_be_bytes());
        hex(&mac.finalize().into_bytes())
    }

    /// A keyed hash of a secret the bearer shows again (session and device tokens).
    pub fn token_hash(&self, token: &str) -> String {
        let mut mac = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(&self.lookup).expect("a key of any length");
        mac.update(b"token\0");
        mac.update(token.as_bytes());
        hex(&mac.finalize().into_bytes())
    }

    /// The key with which a device seals facts that another device will carry here.
    pub fn sealing_key(&self, device: Device) -> [u8; 32] {
        let mut mac = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(&self.lookup).expect("a key of any length");
        mac.update(b"carried facts\0");
        mac.update(&device.number().to_be_bytes());
        mac.finalize().into_bytes().into()
    }

    /// True when this device sealed just this text.
    pub fn sealed_by(&self, device: Device, text: &str, seal: &[u8]) -> bool {
        sealing(&self.sealing_key(device), text).verify_slice(seal).is_ok()
    }
}

fn sealing(key: &[u8; 32], text: &str) -> Hmac<Sha256> {
    let mut mac = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(key).expect("a key of any length");
    mac.update(text.as_bytes());
    mac
}

/// The seal of a text under a device's key, as the device makes it.
pub fn seal(key: &[u8; 32], text: &str) -> [u8; 32] {
    sealing(key, text).finalize().into_bytes().into()
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        _ = write!(text, "{byte:02x}");
        text
    })
}

fn read_key(path: &Path) -> StoreResult<[u8; 32]> {
    let bytes = std::fs::read(path).map_err(|error| StoreError::Other(format!("{}: {error}", path.display())))?;
    bytes.try_into().map_err(|_| StoreError::Other(format!("{} does not hold 32 bytes", path.display())))
}

fn write_private(path: &Path, bytes: &[u8]) -> StoreResult<()> {
    use std::io::Write;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    Ok(())
}

/// A data key in the open; it lives only in memory.
#[derive(Clone)]
pub struct DataKey(Aes256GcmSiv);

impl DataKey {
    fn seal(&self, subject: AnyId, plaintext: &[u8], nonce: [u8; 12]) -> Vec<u8> {
        let payload = Payload { msg: plaintext, aad: &subject.raw().to_be_bytes() };
        let sealed = self.0.encrypt(&Nonce::from(nonce), payload).expect("a short text is always sealed");
        [nonce.as_slice(), &sealed].concat()
    }
    fn open(&self, subject: AnyId, sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, text) = sealed.split_at_checked(12)?;
        let nonce: [u8; 12] = nonce.try_into().ok()?;
        self.0.decrypt(&Nonce::from(nonce), Payload { msg: text, aad: &subject.raw().to_be_bytes() }).ok()
    }
}

/// The data keys, wrapped, in their own file.
pub struct Vault {
    conn: Mutex<Conn>,
    secrets: Arc<Secrets>,
    entropy: Arc<dyn Entropy>,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vault(…)")
    }
}

impl Vault {
    pub fn new(conn: Conn, secrets: Arc<Secrets>, entropy: Arc<dyn Entropy>) -> Self {
        Self { conn: Mutex::new(conn), secrets, entropy }
    }

    pub fn secrets(&self) -> &Arc<Secrets> {
        &self.secrets
    }

    pub fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.entropy.fill(&mut bytes);
        bytes
    }

    /// Seals many texts, making a data key for each subject that has none. Durable before it returns.
    pub fn seal_many(&self, texts: &[(AnyId, &[u8])]) -> StoreResult<Vec<Vec<u8>>> {
        let mut conn = self.conn.lock();
        let mut tx = conn.begin()?;
        let mut sealed = Vec::with_capacity(texts.len());
        for (subject, text) in texts {
            let key = match self.key(&mut tx, *subject)? {
                Some(key) => key,
                None => self.new_key(&mut tx, *subject)?,
            };
            sealed.push(key.seal(*subject, text, self.random()));
        }
        tx.commit()?;
        Ok(sealed)
    }

    pub fn seal(&self, subject: AnyId, text: &[u8]) -> StoreResult<Vec<u8>> {
        Ok(self.seal_many(&[(subject, text)])?.remove(0))
    }

    /// Reads sealed texts; `None` where the key was destroyed or the text was damaged.
    pub fn open_many(&self, texts: &[(AnyId, &[u8])]) -> StoreResult<Vec<Option<Vec<u8>>>> {
        let mut conn = self.conn.lock();
        let mut tx = conn.begin_read()?;
        let open = |(subject, sealed): &(AnyId, &[u8])| {
            let key = self.key(&mut tx, *subject)?;
            Ok(key.and_then(|key| key.open(*subject, sealed)))
        };
        texts.iter().map(open).collect()
    }

    pub fn open(&self, subject: AnyId, sealed: &[u8]) -> StoreResult<Option<Vec<u8>>> {
        Ok(self.open_many(&[(subject, sealed)])?.remove(0))
    }

    /// Destroys a subject's data key for ever. True when there was one.
    pub fn shred(&self, subject: AnyId) -> StoreResult<bool> {
        let mut conn = self.conn.lock();
        let mut tx = conn.begin()?;
        let touched = tx.execute(
            "UPDATE data_key SET wrapped = $3 WHERE bucket = $1 AND subject = $2 AND wrapped <> $3",
            params![subject.bucket_number(), subject, Param::Bytes(&[])],
        )?;
        tx.commit()?;
        // The old page must not survive in the write-ahead log.
        conn.checkpoint()?;
        Ok(touched > 0)
    }

    /// Every wrapped key, for the separate copy that `baton keys export` makes.
    pub fn export(&self) -> StoreResult<Vec<(AnyId, Vec<u8>)>> {
        let mut conn = self.conn.lock();
        let rows = conn.begin_read()?.query("SELECT subject, wrapped FROM data_key ORDER BY bucket, subject", &[])?;
        rows.iter().map(|row| Ok((row.id(0)?, row.bytes(1)?.to_vec()))).collect()
    }

    /// Opens every key there is.
    ///
    /// # Errors
    /// At the first that does not open under its own subject.
    pub fn check(&self) -> StoreResult<()> {
        let mut conn = self.conn.lock();
        let mut tx = conn.begin_read()?;
        // A key without bytes was destroyed on purpose.
        for row in tx.query("SELECT subject FROM data_key WHERE wrapped <> $1", params![Param::Bytes(&[])])? {
            let subject: AnyId = row.id(0)?;
            if self.key(&mut tx, subject)?.is_none() {
                return Err(StoreError::Inconsistent { table: "data_key", row: subject.to_string(), problem: "the key does not open".to_owned() });
            }
        }
        Ok(())
    }

    /// Puts exported keys back; a key that is there, or was destroyed, stays as it is.
    pub fn import(&self, keys: &[(AnyId, Vec<u8>)]) -> StoreResult<u64> {
        let mut conn = self.conn.lock();
        let mut tx = conn.begin()?;
        let rows: Vec<Vec<Param<'_>>> = keys.iter().map(|(s, wrapped)| vec![s.bucket_number().into(), (*s).into(), wrapped.into()]).collect();
        let touched = tx.insert_many(INSERT_KEY, 3, &rows, "ON CONFLICT (bucket, subject) DO NOTHING")?;
        tx.commit()?;
        Ok(touched)
    }

    fn key(&self, tx: &mut crate::door::Tx<'_>, subject: AnyId) -> StoreResult<Option<DataKey>> {
        let sql = "SELECT wrapped FROM data_key WHERE bucket = $1 AND subject = $2";
        let Some(row) = tx.first(sql, params![subject.bucket_number(), subject])? else { return Ok(None) };
        let wrapped = row.bytes(0)?;
        if wrapped.is_empty() {
            return Ok(None);
        }
        let key = DataKey(self.secrets.wrapping.clone()).open(subject, wrapped);
        let key: Option<[u8; 32]> = key.and_then(|key| key.try_into().ok());
        Ok(key.map(|key| DataKey(Aes256GcmSiv::new(&key.into()))))
    }

    fn new_key(&self, tx: &mut crate::door::Tx<'_>, subject: AnyId) -> StoreResult<DataKey> {
        let key: [u8; 32] = self.random();
        let wrapped = DataKey(self.secrets.wrapping.clone()).seal(subject, &key, self.random());
        let touched = tx.execute(
            "INSERT INTO data_key (bucket, subject, wrapped) VALUES ($1, $2, $3) ON CONFLICT (bucket, subject) DO NOTHING",
            params![subject.bucket_number(), subject, &wrapped],
        )?;
        if touched == 0 {
            return Err(StoreError::Inconsistent {
                table: "data_key",
                row: subject.to_string(),
                problem: "the key was destroyed: nothing more is written about this person".to_owned(),
            });
        }
        Ok(DataKey(Aes256GcmSiv::new(&key.into())))
    }
}

const INSERT_KEY: &str = "INSERT INTO data_key (bucket, subject, wrapped) VALUES";
