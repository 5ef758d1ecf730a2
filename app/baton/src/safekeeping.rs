//! `verify`, `rebuild`, `backup`, `restore`, `keys`: that nothing is lost, and how one knows.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use aes_gcm_siv::aead::{Aead, KeyInit};
use aes_gcm_siv::{Aes256GcmSiv, Nonce};
use anyhow::{Context, bail};
use baton_kit::{AnyId, Clock, Entropy, SystemClock, SystemEntropy};
use baton_ledger::backup::{self, BackupContents};
use baton_ledger::chain::{self, Verdict};
use baton_ledger::{Ledger, Place, Secrets, hex};
use clap::{Args, Subcommand};
use serde::{Deserialize, Serialize};

use crate::admin::secret;
use crate::installation::{Settings, Where, folds, progress, show};

#[derive(Args)]
pub(crate) struct Verify {
    #[command(flatten)]
    at: Where,
    /// A ledger head noted earlier (hexadecimal): tells whether the ledger still ends there.
    #[arg(long)]
    head: Option<String>,
    /// Also fold the ledger anew and hold the tables against it; the server must be stopped.
    #[arg(long)]
    tables: bool,
    #[arg(long)]
    json: bool,
}

impl Verify {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let place = self.at.existing()?;
        let verdict = verify(&place)?;
        let tables = self.tables.then(|| self.tables_are_sound(&place)).transpose()?;
        let moved = self.head.as_ref().is_some_and(|head| *head != hex(&verdict.ledger_head));
        if self.json {
            let mut told = verdict_json(&verdict);
            if let Some(sound) = tables {
                told["tables"] = serde_json::json!(if sound { "same" } else { "different" });
            }
            println!("{told}");
        } else {
            println!("{} events in {} buckets, ledger head {}", verdict.events, verdict.buckets, hex(&verdict.ledger_head));
            for problem in &verdict.problems {
                println!("BAD  {problem}");
            }
            if moved {
                println!("The head is not the one given: events were added since, or the ledger was set back.");
            }
            if tables == Some(false) {
                println!("BAD  the tables are not what the ledger gives: run baton rebuild");
            }
            println!("{}", if verdict.problems.is_empty() && tables != Some(false) { "ok" } else { "NOT OK" });
        }
        Ok(if verdict.problems.is_empty() && tables != Some(false) && !moved { ExitCode::SUCCESS } else { ExitCode::from(2) })
    }
}

impl Verify {
    fn tables_are_sound(&self, place: &Place) -> anyhow::Result<bool> {
        let _lock = self.at.lock()?;
        let bar = progress("folding the ledger beside the tables");
        let sound = Ledger::tables_are_sound(place, &folds(), Arc::new(SystemEntropy), |done, all| show(&bar, done, all));
        bar.finish_and_clear();
        // Tables that cannot even be read are not sound.
        Ok(sound.unwrap_or(false))
    }
}

/// Checks the whole ledger of a place.
pub(crate) fn verify(place: &Place) -> anyhow::Result<Verdict> {
    let key = Secrets::load(&place.secrets_folder())?.verifying();
    let bar = progress("verifying");
    let mut conn = place.open_ledger_for_reading()?;
    let verdict = chain::verify(&mut conn.begin_read()?, &key, |events| show(&bar, events, events))?;
    bar.finish_and_clear();
    Ok(verdict)
}

fn verdict_json(verdict: &Verdict) -> serde_json::Value {
    let problems: Vec<String> = verdict.problems.iter().map(ToString::to_string).collect();
    serde_json::json!({"verify": if problems.is_empty() { "ok" } else { "bad" }, "events": verdict.events, "buckets": verdict.buckets, "ledger_head": hex(&verdict.ledger_head), "problems": problems})
}

#[derive(Args)]
pub(crate) struct Rebuild {
    #[command(flatten)]
    at: Where,
    #[arg(long)]
    json: bool,
}

impl Rebuild {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let place = self.at.existing()?;
        let _lock = self.at.lock()?;
        let before = Ledger::state_hash(&place, &folds(), false).ok();
        let bar = progress("folding the ledger");
        let ordinal = Ledger::rebuild(&place, &folds(), Arc::new(SystemEntropy), |done, all| show(&bar, done, all))?;
        bar.finish_and_clear();
        let after = Ledger::state_hash(&place, &folds(), false)?;
        let same = before.map(|before| before == after);
        if self.json {
            println!("{}", serde_json::json!({"events": ordinal, "state_hash": hex(&after), "same_as_before": same}));
        } else {
            println!("{ordinal} events folded, state {}", hex(&after));
            match same {
                Some(true) => println!("The same bytes as before."),
                Some(false) => println!("NOT the bytes from before: the old tables were behind, damaged, or of another version."),
                None => println!("There were no tables before."),
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

#[derive(Args)]
pub(crate) struct Backup {
    #[command(flatten)]
    at: Where,
    /// The file to write; it must not exist.
    file: PathBuf,
    #[arg(long)]
    json: bool,
}

impl Backup {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let place = self.at.existing()?;
        let bar = progress("copying");
        let mut conn = place.open_ledger_for_reading()?;
        let contents = backup::backup(&mut conn.begin_read()?, &self.file, |done| show(&bar, done, done))?;
        bar.finish_and_clear();
        place.copied(SystemClock.now())?;
        report(&contents, self.json, "copied; keys of personal data are not in it (baton keys export)");
        Ok(ExitCode::SUCCESS)
    }
}

fn report(contents: &BackupContents, json: bool, words: &str) {
    if json {
        println!("{}", serde_json::json!({"events": contents.events, "ledger_head": hex(&contents.ledger_head)}));
    } else {
        println!("{} events {words}\nledger head {}", contents.events, hex(&contents.ledger_head));
    }
}

#[derive(Args)]
pub(crate) struct Restore {
    #[command(flatten)]
    at: Where,
    /// A file made by `baton backup`.
    file: PathBuf,
    /// A file made by `baton keys export`; needed unless the folder still has its keys.
    #[arg(long)]
    keys: Option<PathBuf>,
    #[arg(long)]
    json: bool,
}

impl Restore {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let place = self.at.place();
        let exported = self.keys.as_deref().map(open_keys).transpose()?;
        match &exported {
            Some(exported) => exported.write_secrets(&self.at)?,
            None if !place.exists() => bail!("{} has no keys: give the file of `baton keys export` with --keys", self.at.data.display()),
            None => {}
        }
        let _lock = self.at.lock()?;
        place.create_empty_stores()?;
        let bar = progress("restoring");
        let contents = backup::restore(&self.file, &mut place.open_ledger()?, |done| show(&bar, done, done))?;
        bar.finish_and_clear();
        if let Some(exported) = &exported {
            exported.fill_vault(&place)?;
        }
        let verdict = verify(&place)?;
        if !verdict.problems.is_empty() {
            bail!("the restored ledger does not verify: {}", verdict.problems[0]);
        }
        Ledger::rebuild(&place, &folds(), Arc::new(SystemEntropy), |done, all| show(&bar, done, all))?;
        report(&contents, self.json, "restored, verified and folded");
        Ok(ExitCode::SUCCESS)
    }
}

#[derive(Subcommand)]
pub(crate) enum KeysCommand {
    /// Write all keys to a file sealed by a passphrase (BATON_PASSPHRASE, or asked for).
    #[command(
        after_help = "After a person was shredded, replace older key files: they still hold that person's key.\n\nExample:\n  baton keys export --data /srv/baton keys.baton"
    )]
    Export {
        #[command(flatten)]
        at: Where,
        file: PathBuf,
    },
}

impl KeysCommand {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let KeysCommand::Export { at, file } = self;
        let place = at.existing()?;
        let secrets = Arc::new(Secrets::load(&place.secrets_folder())?);
        let exported = Exported {
            settings: std::fs::read_to_string(at.data.join("baton.json"))?,
            files: ["signing.key", "wrapping.key", "lookup.key"]
                .iter()
                .map(|name| Ok(((*name).to_owned(), std::fs::read(place.secrets_folder().join(name))?)))
                .collect::<anyhow::Result<_>>()?,
            keys: place.vault(secrets, Arc::new(SystemEntropy))?.export()?,
        };
        seal_keys(&exported, &file)?;
        println!("{} keys in {}", exported.keys.len(), file.display());
        Ok(ExitCode::SUCCESS)
    }
}

/// Everything needed beside a backup of the ledger.
#[derive(Serialize, Deserialize)]
struct Exported {
    settings: String,
    files: Vec<(String, Vec<u8>)>,
    keys: Vec<(AnyId, Vec<u8>)>,
}

impl Exported {
    fn write_secrets(&self, at: &Where) -> anyhow::Result<()> {
        let folder = at.place().secrets_folder();
        std::fs::create_dir_all(&folder)?;
        for (name, bytes) in &self.files {
            let path = folder.join(name);
            if path.exists() {
                bail!("{} is there already: restore into a new folder", path.display());
            }
            write_private(&path, bytes)?;
        }
        baton_ledger::place::sync_with_parent(&folder)?;
        at.write_settings(&serde_json::from_str::<Settings>(&self.settings)?)
    }

    fn fill_vault(&self, place: &Place) -> anyhow::Result<()> {
        let secrets = Arc::new(Secrets::load(&place.secrets_folder())?);
        place.vault(secrets, Arc::new(SystemEntropy))?.import(&self.keys)?;
        Ok(())
    }
}

fn write_private(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).with_context(|| path.display().to_string())?;
    file.write_all(bytes)?;
    Ok(file.sync_all()?)
}

const MAGIC: &[u8; 8] = b"BATONKEY";

/// argon2id of the passphrase, then AES-256-GCM-SIV.
fn passphrase_cipher(salt: &[u8]) -> anyhow::Result<Aes256GcmSiv> {
    let passphrase = secret("BATON_PASSPHRASE", "Passphrase of the key file: ")?;
    if passphrase.chars().count() < 10 {
        bail!("a passphrase has at least 10 characters");
    }
    let mut key = [0; 32];
    argon2::Argon2::default().hash_password_into(passphrase.as_bytes(), salt, &mut key).map_err(|error| anyhow::anyhow!("{error}"))?;
    Ok(Aes256GcmSiv::new(&key.into()))
}

fn seal_keys(exported: &Exported, file: &Path) -> anyhow::Result<()> {
    let mut random = [0; 28];
    SystemEntropy.fill(&mut random);
    let (salt, nonce) = random.split_at(16);
    let nonce: [u8; 12] = nonce.try_into()?;
    let sealed = passphrase_cipher(salt)?
        .encrypt(&Nonce::from(nonce), serde_json::to_vec(exported)?.as_slice())
        .map_err(|_| anyhow::anyhow!("the keys could not be sealed"))?;
    write_private(file, &[MAGIC.as_slice(), &random, &sealed].concat())
}

fn open_keys(file: &Path) -> anyhow::Result<Exported> {
    let bytes = std::fs::read(file).with_context(|| file.display().to_string())?;
    let Some((random, sealed)) = bytes.strip_prefix(MAGIC.as_slice()).and_then(|rest| rest.split_at_checked(28)) else {
        bail!("{} is no key file of baton", file.display());
    };
    let (salt, nonce) = random.split_at(16);
    let nonce: [u8; 12] = nonce.try_into()?;
    let text =
        passphrase_cipher(salt)?.decrypt(&Nonce::from(nonce), sealed).map_err(|_| anyhow::anyhow!("wrong passphrase, or {} is damaged", file.display()))?;
    Ok(serde_json::from_slice(&text)?)
}
