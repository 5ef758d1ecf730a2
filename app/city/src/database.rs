//! PostgreSQL for drills: found on this machine, run in a folder of the drill's own.

use std::fs::File;
use std::net::TcpListener;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};
use baton_ledger::Conn;

/// The system user PostgreSQL runs as when an administrator does the drill: it refuses to run as root.
pub(crate) const USER: &str = "postgres";

/// What is missing on this machine, if anything.
pub(crate) fn missing() -> Option<String> {
    binaries().is_none().then(|| "no /usr/lib/postgresql/*/bin/postgres (on Debian: apt-get install postgresql)".to_owned())
}

/// Where the newest PostgreSQL's programs are.
pub(crate) fn binaries() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?.flatten().map(|entry| entry.path().join("bin"));
    versions.filter(|folder| folder.join("postgres").exists()).max()
}

pub(crate) fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// Runs as the database's own user when we are root.
pub(crate) fn as_database_user(program: &str, folder: &Path) -> anyhow::Result<Command> {
    if std::fs::metadata(folder)?.uid() != 0 {
        return Ok(Command::new(program));
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid", USER, "--regid", USER, "--init-groups", program]);
    Ok(command)
}

pub(crate) fn log(folder: &Path, name: &str) -> anyhow::Result<Stdio> {
    Ok(File::options().create(true).append(true).open(folder.join(name))?.into())
}

/// Gives a folder to the database's own user when we are root.
pub(crate) fn give(folder: &Path) -> anyhow::Result<()> {
    if std::fs::metadata(folder)?.uid() == 0 {
        let given = Command::new("chown").args(["-R", USER]).arg(folder).status()?;
        if !given.success() {
            bail!("{} could not be given to {USER}", folder.display());
        }
    }
    Ok(())
}

/// One PostgreSQL with the settings it comes with; killed when dropped.
pub(crate) struct Alone {
    child: Child,
    pub(crate) url: String,
}

impl Alone {
    /// Makes and starts it in a folder that does not exist yet.
    pub(crate) fn start(folder: &Path) -> anyhow::Result<Self> {
        let binaries = binaries().context("PostgreSQL")?;
        std::fs::create_dir_all(folder)?;
        give(folder)?;
        let data = folder.join("data");
        let initdb = binaries.join("initdb").display().to_string();
        let made = as_database_user(&initdb, folder.parent().context("a folder above")?)?
            .args(["-A", "trust", "-U", USER, "-E", "UTF8", "--locale", "C.UTF-8", "-D"])
            .arg(&data)
            .current_dir("/")
            .output()?;
        if !made.status.success() {
            bail!("initdb: {}", String::from_utf8_lossy(&made.stderr));
        }
        let (port, postgres) = (free_port()?, binaries.join("postgres").display().to_string());
        let mut command = as_database_user(&postgres, folder.parent().context("a folder above")?)?;
        command.arg("-D").arg(&data).args(["-p", &port.to_string(), "-c", "listen_addresses=127.0.0.1", "-k"]).arg(folder);
        command.current_dir("/").stdin(Stdio::null()).stdout(Stdio::null()).stderr(log(folder, "postgres.log")?);
        let alone = Self { child: command.spawn().context("postgres")?, url: format!("postgres://{USER}@127.0.0.1:{port}/postgres") };
        for _ in 0..300 {
            if Conn::open_postgres(&alone.url).is_ok() {
                return Ok(alone);
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        bail!("PostgreSQL did not start: {} says why", folder.join("postgres.log").display())
    }
}

impl Drop for Alone {
    /// Asks it to end at once, without a farewell to its clients, and waits.
    fn drop(&mut self) {
        _ = Command::new("kill").args(["-QUIT", &self.child.id().to_string()]).status();
        _ = self.child.wait();
    }
}
