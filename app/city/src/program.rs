//! The program under drill: `baton` as a child process on a data folder of its own.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, bail};
use serde_json::Value;

/// The password of everybody a drill makes. There are no secrets in a drill.
pub(crate) const PASSWORD: &str = "somebody-of-the-drill";

/// The program and the folder it works on.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    baton: PathBuf,
    pub(crate) data: PathBuf,
    /// A database instead of files in the folder.
    database: Option<String>,
}

impl Program {
    pub(crate) fn new(baton: &Path, data: &Path) -> Self {
        Self { baton: baton.to_owned(), data: data.to_owned(), database: None }
    }

    /// The same with its data in a database.
    pub(crate) fn with_database(self, url: &str) -> Self {
        Self { database: Some(url.to_owned()), ..self }
    }

    /// The same program on another folder.
    pub(crate) fn on(&self, data: &Path) -> Self {
        Self { data: data.to_owned(), ..self.clone() }
    }

    /// Makes the installation; a drill never touches a folder that is there already.
    pub(crate) fn create(&self) -> anyhow::Result<()> {
        if self.data.exists() {
            bail!("{} exists: the drill makes its own folder", self.data.display());
        }
        self.ask(&["init"], &[]).map(drop)
    }

    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.baton);
        command.args(words).arg("--data").arg(&self.data).env_remove("BATON_DATABASE").env("BATON_PASSWORD", PASSWORD).stdin(Stdio::null());
        command.envs(self.database.iter().map(|url| ("BATON_DATABASE", url)));
        command
    }

    /// Runs a command to its end; gives what it printed last, as JSON if it is.
    pub(crate) fn ask(&self, words: &[&str], more: &[&str]) -> anyhow::Result<Value> {
        let output = self.command(words).args(more).output()?;
        if !output.status.success() {
            bail!("baton {}: {}{}", words.join(" "), String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        }
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        Ok(text.lines().last().and_then(|line| serde_json::from_str(line).ok()).unwrap_or(Value::Null))
    }

    /// What `verify` says, good or bad.
    pub(crate) fn verify(&self) -> anyhow::Result<Value> {
        let output = self.command(&["verify"]).arg("--json").output()?;
        serde_json::from_slice(&output.stdout).with_context(|| format!("what verify says: {}", String::from_utf8_lossy(&output.stderr)))
    }

    pub(crate) fn serve(&self, more: &[(&str, &str)]) -> anyhow::Result<Server> {
        let mut command = self.command(&["serve"]);
        let log = File::options().create(true).append(true).open(self.data.join("serve.log"))?;
        command.args(["--listen", "127.0.0.1:0"]).envs(more.iter().copied()).stdout(Stdio::piped()).stderr(log);
        let mut child = command.spawn().with_context(|| self.baton.display().to_string())?;
        let out = child.stdout.take().context("the server's output")?;
        let mut server = Server { child, base: String::new() };
        for line in BufReader::new(out).lines() {
            if let Some(at) = line?.split_whitespace().find(|word| word.starts_with("http://")) {
                at.clone_into(&mut server.base);
                return Ok(server);
            }
        }
        bail!("the server did not start: {} says why", self.data.join("serve.log").display());
    }
}

/// The count of events in what `verify` says.
pub(crate) fn events(verdict: &Value) -> anyhow::Result<i64> {
    verdict["events"].as_i64().with_context(|| format!("no count of events in {verdict}"))
}

/// A running server; shot when dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) base: String,
}

impl Server {
    /// Asks it to end, as an operator does, and waits.
    pub(crate) fn stop(mut self) -> anyhow::Result<()> {
        let asked = Command::new("kill").arg(self.child.id().to_string()).status()?;
        if !asked.success() {
            bail!("the server could not be asked to end");
        }
        self.child.wait()?;
        Ok(())
    }

    pub(crate) fn shoot(self) -> anyhow::Result<()> {
        self.shoot_then(|| ())
    }

    /// Shoots it, and does this before waiting for its end.
    pub(crate) fn shoot_then(mut self, then: impl FnOnce()) -> anyhow::Result<()> {
        self.child.kill()?;
        then();
        self.child.wait()?;
        Ok(())
    }

    /// Processor time used so far, in microseconds; nothing where there is no /proc.
    pub(crate) fn cpu_us(&self) -> Option<u64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).ok()?;
        let mut fields = stat.rsplit_once(") ")?.1.split(' ').skip(11);
        let ticks = fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?;
        Some(ticks * 10_000) // a tick is a hundredth of a second on every Linux we know
    }

    /// The most memory held so far, in MiB.
    pub(crate) fn memory_mib_max(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
        Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? / 1024)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// Where `baton` is when nobody says: beside this program.
pub fn beside_this_program() -> Option<PathBuf> {
    let here = std::env::current_exe().ok()?;
    let beside = here.parent().map(|folder: &Path| folder.join("baton"))?;
    beside.exists().then_some(beside)
}
