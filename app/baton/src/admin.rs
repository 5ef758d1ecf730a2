//! `init`, `user`, `device`.

use std::process::ExitCode;

use anyhow::Context;
use baton_desk::accounts::{self, pages::NewUser};
use baton_kit::{Bucket, SystemEntropy};
use clap::{Args, Subcommand};

use crate::installation::{Settings, Where, in_words, language, operator, wait_for};

#[derive(Args)]
pub(crate) struct Init {
    #[command(flatten)]
    at: Where,
    /// Name of the installation, shown on pages and reports.
    #[arg(long, default_value = "Baton")]
    name: String,
    /// Time zone of the site.
    #[arg(long, default_value = "Asia/Shanghai")]
    time_zone: String,
    /// Local hour at which the operational day starts.
    #[arg(long, default_value_t = 4)]
    day_starts_hour: i8,
}

impl Init {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        baton_kit::Site::new(&self.time_zone, self.day_starts_hour)?;
        let settings = Settings { name: self.name, time_zone: self.time_zone, day_starts_hour: self.day_starts_hour, vehicle: None };
        self.at.create(&settings, &SystemEntropy)?;
        println!("{} is ready. Next: baton serve --data {0}", self.at.data.display());
        println!("Copy its keys to a safe place now: baton keys export --data {} FILE", self.at.data.display());
        Ok(ExitCode::SUCCESS)
    }
}

#[derive(Subcommand)]
pub(crate) enum UserCommand {
    /// Add a user; the password is read from BATON_PASSWORD or asked for.
    #[command(after_help = "Example:\n  baton user add --login wang --name 王芳 --role sampling_nurse --scope everywhere")]
    Add {
        #[command(flatten)]
        at: Where,
        #[arg(long)]
        login: String,
        #[arg(long)]
        name: String,
        /// May be given more than once.
        #[arg(long, required = true)]
        role: Vec<String>,
        /// `everywhere`, or place ids separated by commas.
        #[arg(long, default_value = "")]
        scope: String,
    },
    /// List users.
    #[command(after_help = "Example:\n  baton user list --json")]
    List {
        #[command(flatten)]
        at: Where,
        #[arg(long)]
        json: bool,
    },
}

impl UserCommand {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            UserCommand::Add { at, login, name, role, scope } => add_user(&at, login, name, &role, &scope),
            UserCommand::List { at, json } => list_users(&at, json),
        }
    }
}

fn add_user(at: &Where, login: String, name: String, roles: &[String], scope: &str) -> anyhow::Result<ExitCode> {
    let held = at.hold()?;
    let app = &held.app;
    let say = |refusal| in_words(app, &refusal);
    let roles = accounts::users::roles_from(roles).map_err(say)?;
    let scope = wait_for(accounts::users::scope_of(app, scope))?.map_err(say)?;
    let password = secret("BATON_PASSWORD", "Password: ")?;
    let id = app.ledger.next_id(Bucket::INSTALLATION)?;
    let new = NewUser { login, name, password, roles, scope, language: language(), first: false };
    let account = wait_for(accounts::pages::create_account(app, &operator(), id, new))?.map_err(say)?;
    println!("{account}");
    Ok(ExitCode::SUCCESS)
}

/// A secret from the environment, else from the terminal's next line.
pub(crate) fn secret(variable: &str, prompt: &str) -> anyhow::Result<String> {
    if let Ok(secret) = std::env::var(variable) {
        return Ok(secret);
    }
    eprint!("{prompt}");
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).context("standard input")?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

fn list_users(at: &Where, json: bool) -> anyhow::Result<ExitCode> {
    let held = at.hold()?;
    let vault = held.app.ledger.vault().clone();
    let accounts = held.app.ledger.read(|tx| Ok(accounts::store::accounts(tx, &vault)?))?;
    for account in accounts {
        let roles: Vec<&str> = account.roles.iter().map(|role| role.name()).collect();
        if json {
            println!(
                "{}",
                serde_json::json!({"id": account.id, "login": account.secret.login, "name": account.secret.name, "roles": roles, "enabled": account.enabled})
            );
        } else {
            println!("{}  {}  {}  {}", account.id, account.secret.login, account.secret.name, roles.join(","));
        }
    }
    Ok(ExitCode::SUCCESS)
}

#[derive(Subcommand)]
pub(crate) enum DeviceCommand {
    /// Enrol a device; its token is printed once.
    #[command(after_help = "Example:\n  baton device add --name 'Scanner 3' --login wang")]
    Add {
        #[command(flatten)]
        at: Where,
        #[arg(long)]
        name: String,
        /// The user with whose rights it acts.
        #[arg(long)]
        login: String,
    },
    /// List devices.
    #[command(after_help = "Example:\n  baton device list --json")]
    List {
        #[command(flatten)]
        at: Where,
        #[arg(long)]
        json: bool,
    },
}

impl DeviceCommand {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            DeviceCommand::Add { at, name, login } => {
                let held = at.hold()?;
                let id = held.app.ledger.next_id(Bucket::INSTALLATION)?;
                let given = wait_for(accounts::pages::enrol(&held.app, &operator(), id, &name, &login))?;
                let (token, device) = given.map_err(|refusal| in_words(&held.app, &refusal))?;
                println!("{}", serde_json::json!({"device": device, "token": token}));
            }
            DeviceCommand::List { at, json } => list_devices(&at, json)?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn list_devices(at: &Where, json: bool) -> anyhow::Result<()> {
    let held = at.hold()?;
    for device in held.app.ledger.read(|tx| Ok(accounts::store::devices(tx)?))? {
        if json {
            println!("{}", serde_json::json!({"device": device.device, "name": device.name, "account": device.account, "revoked": device.revoked}));
        } else {
            println!("{}  {}{}", device.device, device.name, if device.revoked { "  (revoked)" } else { "" });
        }
    }
    Ok(())
}
