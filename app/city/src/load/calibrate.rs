//! What this machine can do at this moment, so that a figure can be read: measured before and after every run.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use baton_ledger::{Conn, Stopwatch, params};
use tokio::net::TcpListener;

use super::wire::Wire;

/// How long each measurement takes.
const SECONDS: f64 = 1.5;
/// Connections that ask for `hello` at one time.
const ASKING: usize = 64;
/// Rows of one transaction of the plain append.
const ROWS: i64 = 1_024;

/// One calibration.
#[derive(Clone, Copy, PartialEq, Debug, serde::Serialize)]
pub struct Calibration {
    /// `GET /hello` over keep-alive connections, asker and server on this machine.
    pub hello_per_s: f64,
    /// Appends of 4 KiB, each synced.
    pub fsync_per_s: f64,
    /// Rows of 208 bytes appended to a SQLite table without an index, 1,024 per synced transaction, in process.
    pub append_per_s: f64,
    /// Load average of the last minute.
    pub load: f64,
}

impl Calibration {
    /// On the disk of a drill's data folder, in a folder of its own beside it: drills may run side by side.
    ///
    /// # Errors
    /// When that folder cannot be written or the loopback interface does not answer.
    pub fn measure(data: &Path) -> anyhow::Result<Self> {
        let folder = data.with_extension("calibration");
        std::fs::create_dir_all(&folder)?;
        let load = load_average();
        let measured = Self { load, hello_per_s: hello_per_s()?, fsync_per_s: fsync_per_s(&folder)?, append_per_s: append_per_s(&folder)? };
        std::fs::remove_dir_all(&folder)?;
        Ok(measured)
    }

    /// Both calibrations of a run as a table. When the two `hello` differ by more than 15 %, ratios mean little.
    pub fn rows(before: &Self, after: &Self) -> Vec<(String, String)> {
        let mut rows = Vec::new();
        let mut row = |name: String, value: String| rows.push((name, value));
        for (when, c) in [("before", before), ("after", after)] {
            row(format!("calibration {when}: hello/s"), format!("{:.0}", c.hello_per_s));
            row(format!("calibration {when}: fsync/s"), format!("{:.0}", c.fsync_per_s));
            row(format!("calibration {when}: SQLite append/s"), format!("{:.0}", c.append_per_s));
            row(format!("calibration {when}: load"), format!("{:.2}", c.load));
        }
        let drift = (before.hello_per_s - after.hello_per_s).abs() / before.hello_per_s.max(after.hello_per_s);
        row("hello differs by".to_owned(), format!("{:.0} %", drift * 100.0));
        rows
    }
}

fn load_average() -> f64 {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().and_then(|word| word.parse().ok()).unwrap_or(f64::NAN)
}

fn seconds(watch: Stopwatch) -> f64 {
    watch.us() as f64 / 1e6
}

fn hello_per_s() -> anyhow::Result<f64> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let base = format!("http://{}", listener.local_addr()?);
        let served = tokio::spawn(async move { axum::serve(listener, Router::new().route("/hello", get(|| async { "hello" }))).await });
        let watch = Stopwatch::start();
        let askers: Vec<_> = (0..ASKING).map(|_| tokio::spawn(ask(base.clone(), watch))).collect();
        let mut answers = 0;
        for asker in askers {
            answers += asker.await??;
        }
        let rate = answers as f64 / seconds(watch);
        served.abort();
        Ok(rate)
    })
}

async fn ask(base: String, watch: Stopwatch) -> anyhow::Result<u64> {
    let mut wire = Wire::new(&base, None)?;
    let mut answers = 0;
    while seconds(watch) < SECONDS {
        wire.get("/hello").await?;
        answers += 1;
    }
    Ok(answers)
}

fn fsync_per_s(folder: &Path) -> anyhow::Result<f64> {
    let mut file = File::create(folder.join("sync"))?;
    let (watch, mut count) = (Stopwatch::start(), 0_u32);
    while seconds(watch) < SECONDS {
        file.write_all(&[7; 4096])?;
        file.sync_data()?;
        count += 1;
    }
    let rate = f64::from(count) / seconds(watch);
    Ok(rate)
}

fn append_per_s(folder: &Path) -> anyhow::Result<f64> {
    let mut conn = Conn::open_sqlite(&folder.join("append.db"), baton_ledger::door::Durability::Full)?;
    conn.execute_ddl("CREATE TABLE scratch (\n  place BIGINT NOT NULL PRIMARY KEY,\n  body TEXT NOT NULL\n);\n")?;
    let body = "x".repeat(200);
    let (watch, mut rows) = (Stopwatch::start(), 0_i64);
    while seconds(watch) < SECONDS {
        let mut tx = conn.begin()?;
        let some: Vec<_> = (rows..rows + ROWS).map(|row| params![row, &body].to_vec()).collect();
        tx.insert_many("INSERT INTO scratch (place, body) VALUES", 2, &some, "")?;
        tx.commit()?;
        rows += ROWS;
    }
    Ok(rows as f64 / seconds(watch))
}

/// Lets the machine settle between two measurements.
pub(super) fn pause() {
    std::thread::sleep(Duration::from_millis(300));
}
