//! All SQL of accounts.

use std::collections::BTreeMap;

use baton_kit::{AccountId, AnyId, Device, Language, SessionId, Timestamp, TypedId};
use baton_ledger::{Command, Decided, Event, EventBody, StoreError, StoreResult, Tx, Vault, params};

use super::events::*;
use super::rules::AccountsNow;
use crate::actor::{Actor, Role, Scope};
use crate::card::Card;
use crate::vehicle::numbers_given_by;

pub fn apply(tx: &mut Tx<'_>, event: &Event, _: &Vault) -> StoreResult<()> {
    match event.kind.as_str() {
        CreateAccount::KIND => account_created(tx, event),
        ChangeAccount::KIND => account_changed(tx, event),
        RecordCompetence::KIND => competence_recorded(tx, event),
        SignIn::KIND => signed_in(tx, event),
        SignOut::KIND => {
            let Decided { command, .. } = event.decided::<SignOut>()?;
            tx.execute("UPDATE session SET ended = 1 WHERE bucket = $1 AND id = $2", params![command.session.bucket_number(), command.session])?;
            Ok(())
        }
        EnrolDevice::KIND => device_enrolled(tx, event),
        RevokeDevice::KIND => {
            let Decided { command, .. } = event.decided::<RevokeDevice>()?;
            tx.execute("UPDATE device SET revoked = 1 WHERE bucket = 0 AND number = $1", params![i64::from(command.device.number())])?;
            Ok(())
        }
        PersonsViewed::KIND => viewed(tx, event),
        _ => Ok(()),
    }
}

fn json<T: serde::Serialize>(value: &T) -> StoreResult<String> {
    baton_ledger::to_json(value)
}

fn account_created(tx: &mut Tx<'_>, event: &Event) -> StoreResult<()> {
    let Decided { command, .. } = event.decided::<CreateAccount>()?;
    tx.execute(
        "INSERT INTO account (bucket, id, login_key, sealed, roles, scope, language, enabled, created_us) VALUES ($1, $2, $3, $4, $5, $6, $7, 1, $8)",
        params![
            event.id.bucket_number(),
            event.id,
            command.login_key,
            &command.sealed.0,
            &json(&command.roles)?,
            &json(&command.scope)?,
            command.language.tag(),
            event.recorded
        ],
    )?;
    insert_right(tx, event, event.id.created(), &command.roles)
}

fn insert_right(tx: &mut Tx<'_>, event: &Event, account: AccountId, roles: &[Role]) -> StoreResult<()> {
    tx.execute(
        "INSERT INTO account_right (bucket, id, account, roles, from_us) VALUES ($1, $2, $3, $4, $5)",
        params![event.id.bucket_number(), event.id, account, &json(&roles)?, event.recorded],
    )?;
    Ok(())
}

fn competence_recorded(tx: &mut Tx<'_>, event: &Event) -> StoreResult<()> {
    let Decided { command, .. } = event.decided::<RecordCompetence>()?;
    tx.execute(
        "INSERT INTO competence (bucket, id, account, task, assessed_us, until_us, assessor, basis) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        params![event.id.bucket_number(), event.id, command.account, command.task.name(), event.recorded, command.until_us, event.actor, &command.basis],
    )?;
    Ok(())
}

fn account_changed(tx: &mut Tx<'_>, event: &Event) -> StoreResult<()> {
    let Decided { command, .. } = event.decided::<ChangeAccount>()?;
    let (bucket, id) = (command.account.bucket_number(), command.account);
    if let Some(roles) = &command.roles {
        insert_right(tx, event, id, roles)?;
        tx.execute("UPDATE account SET roles = $3 WHERE bucket = $1 AND id = $2", params![bucket, id, &json(roles)?])?;
    }
    if let Some(scope) = &command.scope {
        tx.execute("UPDATE account SET scope = $3 WHERE bucket = $1 AND id = $2", params![bucket, id, &json(scope)?])?;
    }
    if let Some(enabled) = command.enabled {
        tx.execute("UPDATE account SET enabled = $3 WHERE bucket = $1 AND id = $2", params![bucket, id, enabled])?;
    }
    if let Some(sealed) = &command.sealed {
        tx.execute("UPDATE account SET sealed = $3 WHERE bucket = $1 AND id = $2", params![bucket, id, &sealed.0])?;
        // A new password ends what the old one began.
        tx.execute("UPDATE session SET ended = 1 WHERE account = $1", params![id])?;
    }
    Ok(())
}

fn signed_in(tx: &mut Tx<'_>, event: &Event) -> StoreResult<()> {
    let Decided { command, outcome } = event.decided::<SignIn>()?;
    tx.execute(
        "INSERT INTO session (bucket, id, account, token_hash, device, started_us, expires_us, ended) VALUES ($1, $2, $3, $4, $5, $6, $7, 0)",
        params![
            event.id.bucket_number(),
            event.id,
            command.account,
            &command.token_hash,
            i64::from(outcome.device.number()),
            event.recorded,
            command.expires_us
        ],
    )?;
    insert_device(tx, outcome.device, "", command.account, "", event.recorded)
}

fn device_enrolled(tx: &mut Tx<'_>, event: &Event) -> StoreResult<()> {
    let Decided { command, outcome } = event.decided::<EnrolDevice>()?;
    insert_device(tx, outcome.device, &command.name, command.account, &command.token_hash, event.recorded)
}

fn insert_device(tx: &mut Tx<'_>, device: Device, name: &str, account: AccountId, token_hash: &str, at: Timestamp) -> StoreResult<()> {
    tx.execute(
        "INSERT INTO device (bucket, number, name, account, token_hash, enrolled_us, revoked) VALUES (0, $1, $2, $3, $4, $5, 0)",
        params![i64::from(device.number()), name, account, token_hash, at],
    )?;
    Ok(())
}

fn viewed(tx: &mut Tx<'_>, event: &Event) -> StoreResult<()> {
    let body: PersonsViewed = event.body()?;
    for subject in &body.subjects {
        tx.execute(
            "INSERT INTO viewed (bucket, id, subject, account, purpose, happened_us) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (bucket, id, subject) DO NOTHING",
            params![event.id.bucket_number(), event.id, *subject, event.actor, &body.purpose, event.happened],
        )?;
    }
    Ok(())
}

pub fn any_account(tx: &mut Tx<'_>) -> StoreResult<bool> {
    Ok(tx.first("SELECT id FROM account LIMIT 1", &[])?.is_some())
}

pub fn accounts_now(tx: &mut Tx<'_>, login_key: i64) -> StoreResult<AccountsNow> {
    let login_taken = tx.first("SELECT id FROM account WHERE login_key = $1", params![login_key])?.is_some();
    Ok(AccountsNow { any: any_account(tx)?, login_taken })
}

/// The next free number for a sayer at this server. Called in a decision only: decisions come one after the other.
pub fn next_device(tx: &mut Tx<'_>, server: Device) -> StoreResult<Device> {
    let given = numbers_given_by(server);
    let sql = "SELECT max(number) FROM device WHERE bucket = 0 AND number >= $1 AND number < $2";
    let last = tx.one(sql, params![given.start, given.end])?.maybe_int(0)?;
    let next = last.map_or(given.start, |last| last + 1);
    let free = u32::try_from(next).ok().filter(|_| given.contains(&next)).and_then(|n| Device::new(n).ok());
    free.ok_or_else(|| StoreError::Other("all device numbers are given".to_owned()))
}

/// An account as stored, its secret opened.
#[derive(Clone, Debug)]
pub struct Account {
    pub id: AccountId,
    pub secret: AccountSecret,
    pub roles: Vec<Role>,
    pub scope: Scope,
    pub language: Language,
    pub enabled: bool,
}

const ACCOUNT: &str = "SELECT id, sealed, roles, scope, language, enabled FROM account";

fn account_of(row: &baton_ledger::Row, vault: &Vault) -> StoreResult<Account> {
    let id: AccountId = row.id(0)?;
    let wrong = |problem: String| StoreError::Inconsistent { table: "account", row: id.to_string(), problem };
    let secret = vault.open(crate::any_id(id), row.bytes(1)?)?.ok_or_else(|| wrong("its key is gone".to_owned()))?;
    Ok(Account {
        id,
        secret: serde_json::from_slice(&secret).map_err(|error| wrong(error.to_string()))?,
        roles: serde_json::from_str(row.text(2)?).map_err(|error| wrong(error.to_string()))?,
        scope: serde_json::from_str(row.text(3)?).map_err(|error| wrong(error.to_string()))?,
        language: Language::from_tag(row.text(4)?).unwrap_or_default(),
        enabled: row.truth(5)?,
    })
}

pub fn account_by_login(tx: &mut Tx<'_>, vault: &Vault, login_key: i64) -> StoreResult<Option<Account>> {
    tx.first(&format!("{ACCOUNT} WHERE login_key = $1"), params![login_key])?.map(|row| account_of(&row, vault)).transpose()
}

pub fn account(tx: &mut Tx<'_>, vault: &Vault, id: AccountId) -> StoreResult<Option<Account>> {
    tx.first(&format!("{ACCOUNT} WHERE bucket = $1 AND id = $2"), params![id.bucket_number(), id])?.map(|row| account_of(&row, vault)).transpose()
}

pub fn accounts(tx: &mut Tx<'_>, vault: &Vault) -> StoreResult<Vec<Account>> {
    tx.query(&format!("{ACCOUNT} ORDER BY bucket, id"), &[])?.iter().map(|row| account_of(row, vault)).collect()
}

/// What somebody was allowed at an instant.
pub fn roles_at(tx: &mut Tx<'_>, account: AccountId, at: Timestamp) -> StoreResult<Vec<Role>> {
    let sql = "SELECT roles FROM account_right WHERE account = $1 AND from_us <= $2 ORDER BY from_us DESC, id DESC LIMIT 1";
    let Some(row) = tx.first(sql, params![account, at])? else { return Ok(Vec::new()) };
    serde_json::from_str(row.text(0)?).map_err(|error| StoreError::Inconsistent {
        table: "account_right",
        row: account.to_string(),
        problem: error.to_string(),
    })
}

/// For what somebody had been found competent by an instant, and until when; what was taken back is left out, what had run out is not.
pub fn competences_at(tx: &mut Tx<'_>, account: AccountId, at: Timestamp) -> StoreResult<BTreeMap<Task, Timestamp>> {
    let sql = "SELECT task, until_us FROM competence WHERE account = $1 AND assessed_us <= $2 ORDER BY assessed_us, id";
    let mut found = BTreeMap::new();
    for row in tx.query(sql, params![account, at])? {
        let Some(task) = Task::from_name(row.text(0)?) else { continue };
        match row.maybe_time(1)? {
            Some(until) => found.insert(task, until),
            None => found.remove(&task),
        };
    }
    Ok(found)
}

/// Who bears this token: a session that has not ended, or a device that is not revoked.
pub fn actor_by_token(tx: &mut Tx<'_>, vault: &Vault, token_hash: &str, now: Timestamp) -> StoreResult<Option<Actor>> {
    let session = tx.first("SELECT id, account, device FROM session WHERE token_hash = $1 AND ended = 0 AND expires_us > $2", params![token_hash, now])?;
    let (session, owner, device) = match session {
        Some(row) => (Some(row.id::<SessionId>(0)?), row.id::<AccountId>(1)?, row.int(2)?),
        None => match tx.first("SELECT number, account FROM device WHERE token_hash = $1 AND revoked = 0", params![token_hash])? {
            Some(row) => (None, row.id(1)?, row.int(0)?),
            None => return Ok(None),
        },
    };
    let device = u32::try_from(device).ok().and_then(|n| Device::new(n).ok());
    Ok(actor_of(tx, vault, owner, device)?.map(|actor| Actor { session, ..actor }))
}

/// This account as somebody who acts, perhaps under a device number, unless it may no longer act.
pub fn actor_of(tx: &mut Tx<'_>, vault: &Vault, owner: AccountId, device: Option<Device>) -> StoreResult<Option<Actor>> {
    let Some(account) = account(tx, vault, owner)?.filter(|account| account.enabled) else { return Ok(None) };
    Ok(Some(Actor {
        account: Some(account.id),
        session: None,
        device,
        name: account.secret.name,
        roles: account.roles,
        scope: account.scope,
        language: account.language,
        csrf: String::new(),
    }))
}

/// The account a device number was given to, while it may speak.
pub fn owner_of(tx: &mut Tx<'_>, device: Device) -> StoreResult<Option<AccountId>> {
    let sql = "SELECT account FROM device WHERE bucket = 0 AND number = $1 AND revoked = 0";
    tx.first(sql, params![i64::from(device.number())])?.map(|row| row.id(0)).transpose()
}

/// One enrolled device.
#[derive(Clone, Debug)]
pub struct DeviceRow {
    pub device: i64,
    pub name: String,
    pub account: AccountId,
    pub enrolled: Timestamp,
    pub revoked: bool,
}

/// Devices with a token of their own; sign-ins are not listed.
pub fn devices(tx: &mut Tx<'_>) -> StoreResult<Vec<DeviceRow>> {
    let rows = tx.query("SELECT number, name, account, enrolled_us, revoked FROM device WHERE bucket = 0 AND token_hash <> '' ORDER BY number", &[])?;
    rows.iter()
        .map(|row| Ok(DeviceRow { device: row.int(0)?, name: row.text(1)?.to_owned(), account: row.id(2)?, enrolled: row.time(3)?, revoked: row.truth(4)? }))
        .collect()
}

/// The last looks at one person or account.
pub fn views_of(tx: &mut Tx<'_>, subject: AnyId, limit: i64) -> StoreResult<Vec<(Timestamp, Option<AccountId>, String)>> {
    let rows = tx.query("SELECT happened_us, account, purpose FROM viewed WHERE subject = $1 ORDER BY happened_us DESC LIMIT $2", params![subject, limit])?;
    rows.iter().map(|row| Ok((row.time(0)?, row.maybe_id(1)?, row.text(2)?.to_owned()))).collect()
}

/// Users and devices, for an administrator's home.
pub fn cards(tx: &mut Tx<'_>, actor: &Actor, _: Timestamp) -> StoreResult<Vec<Card>> {
    if !actor.has(Role::Administrator) {
        return Ok(Vec::new());
    }
    let users = tx.one("SELECT count(*) FROM account WHERE enabled = 1", &[])?.int(0)?;
    let devices = tx.one("SELECT count(*) FROM device WHERE revoked = 0 AND token_hash <> ''", &[])?.int(0)?;
    Ok(vec![Card::new(users, "card-users", "/users"), Card::new(devices, "card-devices", "/devices")])
}
