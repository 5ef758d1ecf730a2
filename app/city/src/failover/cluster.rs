//! A cluster of the drill's own: one etcd and three PostgreSQL under Patroni, on loopback, in a folder, with synchronous replication.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};
use hyper::Method;
use serde_json::Value;

use crate::client::Client;
use crate::database::{USER, as_database_user, binaries, free_port, give, log};

/// Databases of the cluster.
const NODES: usize = 3;
/// A cluster that takes longer to come up is not coming.
const PATIENCE: Duration = Duration::from_secs(120);
const LOOK: Duration = Duration::from_millis(250);

/// One database and the Patroni that minds it.
struct Node {
    name: String,
    folder: PathBuf,
    /// Ports of PostgreSQL and of Patroni's own answers.
    port: u16,
    rest: u16,
    patroni: Option<Child>,
}

/// The cluster; everything it started is killed when it is dropped.
pub(super) struct Cluster {
    etcd: Child,
    nodes: Vec<Node>,
}

/// What the drill takes and this machine has not got.
pub(super) fn missing() -> Option<String> {
    let absent: Vec<&str> = ["patroni", "etcd", "setpriv"].into_iter().filter(|program| which(program).is_none()).collect();
    if !absent.is_empty() {
        return Some(format!("{} not found (on Debian: apt-get install patroni etcd-server python3-etcd)", absent.join(", ")));
    }
    crate::database::missing()
}

fn which(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.exists())
}

impl Cluster {
    /// Makes the cluster in a folder that exists and waits until it takes writes with a synchronous standby.
    pub(super) fn start(folder: &Path) -> anyhow::Result<Self> {
        let binaries = binaries().context("PostgreSQL")?;
        let (client, peer) = (format!("http://127.0.0.1:{}", free_port()?), format!("http://127.0.0.1:{}", free_port()?));
        let mut etcd = Command::new("etcd");
        etcd.args(["--name", "one", "--listen-client-urls", &client, "--advertise-client-urls", &client, "--listen-peer-urls", &peer])
            .args(["--initial-advertise-peer-urls", &peer, "--initial-cluster", &format!("one={peer}"), "--data-dir"])
            .arg(folder.join("etcd"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log(folder, "etcd.log")?);
        let mut cluster = Self { etcd: etcd.spawn().context("etcd")?, nodes: Vec::new() };
        for number in 1..=NODES {
            let (name, port, rest) = (format!("node{number}"), free_port()?, free_port()?);
            let node = Node { folder: folder.join(&name), name, port, rest, patroni: None };
            node.prepare(client.trim_start_matches("http://"), &binaries)?;
            cluster.nodes.push(node);
        }
        for number in 0..NODES {
            cluster.nodes[number].run()?;
            cluster.wait_until(|members| leader(members).is_some())?;
        }
        cluster.settle()?;
        Ok(cluster)
    }

    /// The address of all nodes: the driver finds the one that takes writes.
    pub(super) fn url(&self) -> String {
        let hosts: Vec<String> = self.nodes.iter().map(|node| format!("127.0.0.1:{}", node.port)).collect();
        format!("postgres://{USER}@{}/postgres", hosts.join(","))
    }

    /// Waits until there is a leader, a synchronous standby, and everybody runs.
    pub(super) fn settle(&self) -> anyhow::Result<()> {
        let running = |member: &Value| matches!(member["state"].as_str(), Some("running" | "streaming"));
        self.wait_until(|members| {
            let synchronous = members.iter().any(|member| member["role"] == "sync_standby");
            leader(members).is_some() && synchronous && members.len() == NODES && members.iter().all(running)
        })
    }

    /// Kills the leader as a machine dies: Patroni and PostgreSQL at once. Gives its number.
    pub(super) fn kill_leader(&mut self) -> anyhow::Result<usize> {
        let members = self.members();
        let name = leader(&members).context("there is no leader to kill")?;
        let number = self.nodes.iter().position(|node| node.name == name).context("a leader of another cluster")?;
        self.nodes[number].kill()?;
        Ok(number)
    }

    pub(super) fn restart(&mut self, number: usize) -> anyhow::Result<()> {
        self.nodes[number].run()
    }

    /// What the first Patroni that answers says about everybody.
    fn members(&self) -> Vec<Value> {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return Vec::new() };
        let ask = |node: &Node| {
            let client = Client::new(&format!("http://127.0.0.1:{}", node.rest)).with_tries(1);
            let asked = async { tokio::time::timeout(Duration::from_secs(2), client.send(Method::GET, "/cluster", None, None)).await };
            let answer: Value = serde_json::from_slice(&runtime.block_on(asked).ok()?.ok()?).ok()?;
            answer["members"].as_array().cloned()
        };
        self.nodes.iter().filter(|node| node.patroni.is_some()).find_map(ask).unwrap_or_default()
    }

    fn wait_until(&self, there: impl Fn(&[Value]) -> bool) -> anyhow::Result<()> {
        for _ in 0..PATIENCE.as_millis() / LOOK.as_millis() {
            if there(&self.members()) {
                return Ok(());
            }
            std::thread::sleep(LOOK);
        }
        bail!("the cluster is not well after {} s: {:?}; its logs are beside its data", PATIENCE.as_secs(), self.members())
    }
}

fn leader(members: &[Value]) -> Option<String> {
    let leads = |member: &&Value| member["role"] == "leader" && member["state"] == "running";
    members.iter().find(leads).and_then(|member| member["name"].as_str().map(str::to_owned))
}

impl Node {
    fn prepare(&self, etcd: &str, binaries: &Path) -> anyhow::Result<()> {
        std::fs::create_dir_all(&self.folder)?;
        std::fs::write(self.folder.join("patroni.yml"), self.settings(etcd, binaries)?)?;
        give(&self.folder)
    }

    /// What `docs/operate/scale-out.md` tells an operator to write, with short times.
    fn settings(&self, etcd: &str, binaries: &Path) -> anyhow::Result<String> {
        let (folder, mut text) = (self.folder.display(), String::new());
        writeln!(text, "scope: city\nname: {}\netcd3:\n  host: {etcd}", self.name)?;
        writeln!(text, "restapi:\n  listen: 127.0.0.1:{0}\n  connect_address: 127.0.0.1:{0}", self.rest)?;
        writeln!(text, "bootstrap:\n  dcs:\n    ttl: 20\n    loop_wait: 4\n    retry_timeout: 4\n    maximum_lag_on_failover: 1048576")?;
        writeln!(text, "    synchronous_mode: true\n    synchronous_mode_strict: true\n    postgresql:\n      use_pg_rewind: true")?;
        writeln!(text, "      parameters:\n        max_connections: 100\n        wal_log_hints: 'on'\n        synchronous_commit: 'on'")?;
        writeln!(text, "  initdb:\n  - encoding: UTF8\n  - locale: C.UTF-8\n  - data-checksums")?;
        writeln!(text, "  pg_hba:\n  - local all all trust\n  - host all all 127.0.0.1/32 trust\n  - host replication all 127.0.0.1/32 trust")?;
        writeln!(text, "postgresql:\n  listen: 127.0.0.1:{0}\n  connect_address: 127.0.0.1:{0}", self.port)?;
        writeln!(text, "  data_dir: {folder}/data\n  bin_dir: {}\n  pgpass: {folder}/pgpass", binaries.display())?;
        writeln!(text, "  parameters:\n    unix_socket_directories: {folder}")?;
        writeln!(text, "  authentication:\n    superuser:\n      username: {USER}\n    replication:\n      username: {USER}")?;
        writeln!(text, "    rewind:\n      username: {USER}")?;
        Ok(text)
    }

    fn run(&mut self) -> anyhow::Result<()> {
        let mut command = as_database_user("patroni", self.folder.parent().context("a folder above")?)?;
        command.arg(self.folder.join("patroni.yml")).current_dir("/").stdin(Stdio::null());
        let logs = self.folder.parent().context("a folder above")?;
        command.stdout(log(logs, &format!("{}.log", self.name))?).stderr(log(logs, &format!("{}.log", self.name))?);
        self.patroni = Some(command.spawn().context("patroni")?);
        Ok(())
    }

    /// Both die in the same instant; what PostgreSQL started ends by itself without it.
    fn kill(&mut self) -> anyhow::Result<()> {
        let postmaster = std::fs::read_to_string(self.folder.join("data/postmaster.pid")).ok();
        if let Some(mut patroni) = self.patroni.take() {
            patroni.kill()?;
            patroni.wait()?;
        }
        if let Some(process) = postmaster.as_deref().and_then(|text| text.lines().next()) {
            _ = Command::new("kill").args(["-9", process]).stderr(Stdio::null()).status()?;
        }
        Ok(())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for node in &mut self.nodes {
            _ = node.kill();
        }
        _ = self.etcd.kill();
        _ = self.etcd.wait();
    }
}
