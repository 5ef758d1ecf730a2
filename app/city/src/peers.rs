//! The peer: PostgreSQL with one row per transaction behind the same HTTP shell, in the same run as Baton.
//!
//! The peer does less than Baton: one table, no sign-in, no notes, no chain, no tables for people to look at. It is the common way to build
//! such a service: a request, a transaction, an answer.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, mpsc};

use anyhow::bail;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use baton_ledger::{Conn, Stopwatch, StoreResult, params};
use hyper::body::Bytes;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::database::Alone;
use crate::load::{self, Calibration, LoadReport, LoadSettings, Wire};

/// Connections of the peer to its database, as a pool would have.
const POOL: usize = 32;
const TABLE: &str = "CREATE TABLE swab (\n  bucket BIGINT NOT NULL,\n  id BIGINT NOT NULL,\n  kind TEXT NOT NULL,\n  happened_us BIGINT NOT NULL,\n  tube BIGINT NOT NULL,\n  person BIGINT NOT NULL,\n  PRIMARY KEY (bucket, id)\n);\nCREATE INDEX swab_person ON swab (bucket, person);\n";

/// What is compared.
#[derive(Clone, Debug)]
pub struct PeersSettings {
    /// The program.
    pub baton: PathBuf,
    /// A folder that does not exist yet.
    pub data: PathBuf,
    pub seed: u64,
    pub people: u32,
    /// Of each of the three.
    pub seconds: f64,
    pub connections: u32,
}

/// What came out.
#[derive(Clone, Debug, serde::Serialize)]
pub struct PeersReport {
    pub before: Calibration,
    pub after: Calibration,
    pub connections: u32,
    /// Rows the peer acknowledged per second: one per request and transaction.
    pub peer_rows_per_s: f64,
    pub single: LoadReport,
    pub batches: LoadReport,
}

impl PeersReport {
    /// Everything acknowledged is there; how the rates compare is told, not judged.
    pub fn passed(&self) -> bool {
        self.single.passed() && self.batches.passed() && self.peer_rows_per_s > 0.0
    }

    pub fn rows(&self) -> Vec<(String, String)> {
        let people = |report: &LoadReport| report.stretches.first().map_or(0.0, |stretch| stretch.people_per_s);
        let mut rows = Calibration::rows(&self.before, &self.after);
        let mut row = |name: &str, value: String| rows.push((name.to_owned(), value));
        row("connections", self.connections.to_string());
        row("PostgreSQL, a row per transaction: swabs/s", format!("{:.0}", self.peer_rows_per_s));
        for (name, report) in [("single scans", &self.single), ("batches of 50", &self.batches)] {
            row(&format!("Baton, {name}: swabs/s"), format!("{:.0}", people(report)));
            row(&format!("Baton, {name} ÷ PostgreSQL"), format!("{:.2}", people(report) / self.peer_rows_per_s));
        }
        rows
    }
}

/// What is missing on this machine for it, if anything.
pub fn missing() -> Option<String> {
    crate::database::missing()
}

/// Runs the peer, then Baton with single scans and with batches; `say` hears what is being done.
///
/// # Errors
/// When a server does not start or refuses what it must take.
pub fn compare(settings: &PeersSettings, say: impl Fn(&str)) -> anyhow::Result<PeersReport> {
    if settings.data.exists() {
        bail!("{} exists: the drill makes its own folder", settings.data.display());
    }
    std::fs::create_dir_all(&settings.data)?;
    let before = Calibration::measure(&settings.data.join("peer"))?;
    say("PostgreSQL, a row per transaction");
    let peer_rows_per_s = peer(settings)?;
    let baton = |name: &str, batch: u32| {
        say(name);
        let data = settings.data.join(name.replace(' ', "-"));
        let (baton, seed, people) = (settings.baton.clone(), settings.seed, settings.people);
        let load = LoadSettings {
            baton,
            data,
            seed,
            people,
            rounds: 1,
            connections: settings.connections,
            batch,
            rate: 0,
            seconds: settings.seconds,
            look_ups: 0,
            times: 1.0,
        };
        load::load(&load, |_| {})
    };
    let (single, batches) = (baton("single scans", 1)?, baton("batches of 50", 50)?);
    let after = Calibration::measure(&settings.data.join("peer"))?;
    Ok(PeersReport { before, after, connections: settings.connections, peer_rows_per_s, single, batches })
}

/// A swab as the peer is told of it.
#[derive(Clone, Copy, serde::Serialize, serde::Deserialize)]
struct Swab {
    bucket: i64,
    id: i64,
    happened_us: i64,
    tube: i64,
    person: i64,
}

type Asked = (Swab, oneshot::Sender<bool>);

fn peer(settings: &PeersSettings) -> anyhow::Result<f64> {
    let database = Alone::start(&settings.data.join("postgres"))?;
    Conn::open_postgres(&database.url)?.execute_ddl(TABLE)?;
    let (ask, asked) = mpsc::channel::<Asked>();
    let asked = Arc::new(Mutex::new(asked));
    for _ in 0..POOL {
        let (mut conn, asked) = (Conn::open_postgres(&database.url)?, asked.clone());
        std::thread::spawn(move || {
            while let Some((swab, answer)) = next(&asked) {
                _ = answer.send(store(&mut conn, swab).is_ok());
            }
        });
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let acknowledged = runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let base = format!("http://{}", listener.local_addr()?);
        let served = tokio::spawn(async move { axum::serve(listener, Router::new().route("/swabs", post(record)).with_state(ask)).await });
        let watch = Stopwatch::start();
        let senders: Vec<_> = (0..settings.connections).map(|device| tokio::spawn(send(base.clone(), device, watch, settings.seconds))).collect();
        let mut acknowledged = 0_u64;
        for sender in senders {
            acknowledged += sender.await??;
        }
        let rate = acknowledged as f64 / (watch.us() as f64 / 1e6);
        served.abort();
        anyhow::Ok((acknowledged, rate))
    })?;
    let stored = Conn::open_postgres(&database.url)?.begin_read()?.one("SELECT count(*) FROM swab", &[])?.int(0)?;
    if stored.unsigned_abs() != acknowledged.0 {
        bail!("the peer acknowledged {} swabs and holds {stored}", acknowledged.0);
    }
    Ok(acknowledged.1)
}

fn next(asked: &Mutex<mpsc::Receiver<Asked>>) -> Option<Asked> {
    asked.lock().ok()?.recv().ok()
}

/// One row, one transaction.
fn store(conn: &mut Conn, swab: Swab) -> StoreResult<()> {
    let mut tx = conn.begin()?;
    tx.execute(
        "INSERT INTO swab (bucket, id, kind, happened_us, tube, person) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (bucket, id) DO NOTHING",
        params![swab.bucket, swab.id, "person_sampled", swab.happened_us, swab.tube, swab.person],
    )?;
    tx.commit()
}

async fn record(State(ask): State<mpsc::Sender<Asked>>, Json(swab): Json<Swab>) -> Result<&'static str, StatusCode> {
    let (answer, answered) = oneshot::channel();
    ask.send((swab, answer)).map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    if answered.await == Ok(true) { Ok("{\"status\":\"recorded\"}") } else { Err(StatusCode::INTERNAL_SERVER_ERROR) }
}

async fn send(base: String, device: u32, watch: Stopwatch, seconds: f64) -> anyhow::Result<u64> {
    let mut wire = Wire::new(&base, None)?;
    let mut acknowledged = 0;
    while (watch.us() as f64) < seconds * 1e6 {
        let (bucket, number) = (i64::from(device % 8), acknowledged as i64);
        let id = i64::from(device) << 32 | number;
        let swab = Swab { bucket, id, happened_us: 1_774_566_000_000_000 + number, tube: id / 10, person: id };
        let reply = wire.post("/swabs", "application/json", Bytes::from(serde_json::to_vec(&swab)?)).await?;
        if reply.status != 200 {
            bail!("the peer answered {}", reply.status);
        }
        acknowledged += 1;
    }
    Ok(acknowledged)
}
