//! The kill drill: a server is shot again and again while devices send, and nothing that was acknowledged may be gone.
//!
//! The drill starts `baton serve` as a child, sends the facts of a sampling desk from several devices, and ends the
//! server with SIGKILL at random moments. Every device keeps its own list of what was acknowledged and sends whatever got
//! no answer again, with the same ids. In the end every acknowledged fact is sent once more: it must be answered with
//! the place in the ledger it was given first. The count of events says that none is there twice.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, bail};
use baton_kit::{Bucket, EventId, TypedId};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::chance::{Chance, Purpose};
use crate::client::{Client, Sayer};
use crate::program::{Program, events};

/// What is drilled.
#[derive(Clone, Debug)]
pub struct KillSettings {
    /// The program.
    pub baton: PathBuf,
    /// A folder that does not exist yet.
    pub data: PathBuf,
    pub kills: u32,
    pub devices: u32,
    pub seed: u64,
    /// A server lives at most this long under load before it is shot.
    pub life_ms_max: u32,
}

/// What the drill found.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct KillReport {
    pub kills: u32,
    /// Facts that were acknowledged: all that were made.
    pub acknowledged: u64,
    /// Facts that had to be sent more than once.
    pub resent: u64,
    /// Acknowledged facts that are not where they were.
    pub lost: u64,
    /// Events beyond the acknowledged facts and those there before.
    pub doubled: i64,
    /// `ok`, or what `baton verify` found first.
    pub verify: String,
    /// Whether the tables are those that folding the whole ledger again gives.
    pub tables_same: bool,
    pub events: i64,
}

impl KillReport {
    pub fn passed(&self) -> bool {
        self.lost == 0 && self.doubled == 0 && self.verify == "ok" && self.tables_same && self.acknowledged > 0
    }
}

/// What devices share while servers come and go.
struct Shared {
    /// Whom to talk to; nobody while the server is down.
    client: watch::Receiver<Option<Client>>,
    stop: AtomicBool,
    acknowledged: AtomicU64,
    resent: AtomicU64,
}

/// One acknowledged request: what was sent, and the places it was given.
type Acknowledged = (Value, Vec<i64>);

/// Runs the drill; `progress` hears how many kills are done.
///
/// # Errors
/// When a server does not start, or a device is refused: the drill itself is broken then. What the drill finds is in the report.
pub fn drill(settings: &KillSettings, progress: impl Fn(u32)) -> anyhow::Result<KillReport> {
    let program = Program::new(&settings.baton, &settings.data);
    let given = prepare(&program, settings.devices)?;
    let before = events(&program.ask(&["verify"], &["--json"])?)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let (say, client) = watch::channel(None);
    let shared = Arc::new(Shared { client, stop: AtomicBool::new(false), acknowledged: AtomicU64::new(0), resent: AtomicU64::new(0) });
    let devices: Vec<_> = given.iter().map(|given| runtime.spawn(work(given.clone(), shared.clone()))).collect();
    let mut chance = Chance::new(settings.seed, Purpose::Kill, 0);
    for kill in 0..settings.kills {
        let server = program.serve(&[])?;
        say.send_replace(Some(Client::new(&server.base).with_tries(1)));
        live(&shared, u64::from(chance.between(5, settings.life_ms_max.max(5))))?;
        server.shoot()?;
        say.send_replace(None);
        progress(kill + 1);
    }
    let server = program.serve(&[])?;
    shared.stop.store(true, Ordering::SeqCst);
    say.send_replace(Some(Client::new(&server.base).with_tries(1)));
    let mut lost = 0;
    for (device, given) in devices.into_iter().zip(&given) {
        let log = runtime.block_on(device)??;
        lost += runtime.block_on(recount(&Sayer::given(&Client::new(&server.base), given)?, &log))?;
    }
    server.shoot()?;
    report(&program, settings.kills, &shared, lost, before)
}

fn report(program: &Program, kills: u32, shared: &Shared, lost: u64, before: i64) -> anyhow::Result<KillReport> {
    let verified = program.verify()?;
    let rebuilt = program.ask(&["rebuild"], &["--json"])?;
    let acknowledged = shared.acknowledged.load(Ordering::SeqCst);
    let events = events(&verified)?;
    Ok(KillReport {
        kills,
        acknowledged,
        resent: shared.resent.load(Ordering::SeqCst),
        lost,
        doubled: events - before - i64::try_from(acknowledged)?,
        verify: verified["problems"][0].as_str().or(verified["verify"].as_str()).unwrap_or_default().to_owned(),
        tables_same: rebuilt["same_as_before"] == true,
        events,
    })
}

/// A new installation with one nurse and her devices; gives token and number of each.
fn prepare(program: &Program, devices: u32) -> anyhow::Result<Vec<Value>> {
    program.create()?;
    program.ask(&["user", "add"], &["--login", "nurse", "--name", "Nurse", "--role", "sampling_nurse", "--scope", "everywhere"])?;
    (0..devices.max(1)).map(|number| program.ask(&["device", "add"], &["--name", &format!("Scanner {number}"), "--login", "nurse"])).collect()
}

/// Lets a server work for so long, and in any case until it has acknowledged something.
fn live(shared: &Shared, life_ms: u64) -> anyhow::Result<()> {
    let before = shared.acknowledged.load(Ordering::SeqCst);
    std::thread::sleep(Duration::from_millis(life_ms));
    for _ in 0..3000 {
        if shared.acknowledged.load(Ordering::SeqCst) > before {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    bail!("a server acknowledged nothing for 30 s")
}

/// A sampling desk: tube after tube until told to stop; nothing is left without an answer.
async fn work(given: Value, shared: Arc<Shared>) -> anyhow::Result<Vec<Acknowledged>> {
    let numbering = Sayer::given(&Client::new("http://nobody"), &given)?;
    let mut log = Vec::new();
    let mut happened_us = 1_774_566_000_000_000_i64;
    while !shared.stop.load(Ordering::SeqCst) {
        happened_us += 60_000_000;
        let tube = tube_of_ten(&numbering, happened_us);
        let places = send_until_answered(&given, &tube, &shared).await?;
        shared.acknowledged.fetch_add(places.len() as u64, Ordering::SeqCst);
        log.push((tube, places));
    }
    Ok(log)
}

/// A tube opened, ten people swabbed into it, the tube sealed. Campaign, point and people are unknown: facts are recorded all the same.
pub(crate) fn tube_of_ten(sayer: &Sayer, happened_us: i64) -> Value {
    let device = sayer.device.number();
    let bucket = Bucket::new((1 + device % 8) as u8).unwrap_or(Bucket::INSTALLATION);
    let tube = sayer.next_id(bucket);
    let fact = |id: EventId, kind: &str, body: Value| json!({"id": id, "kind": kind, "happened_us": happened_us, "body": body});
    let thing = EventId::new(bucket, sayer.device, 0);
    let code = format!("K{device}-{}", tube.packed().sequence());
    let mut facts = vec![fact(tube, "screening.tube_opened", json!({"code": code, "campaign": thing, "point": thing, "ratio": 10}))];
    facts.extend((0..10).map(|_| {
        let id = sayer.next_id(bucket);
        fact(id, "screening.person_sampled", json!({"tube": tube, "person": id}))
    }));
    facts.push(fact(sayer.next_id(bucket), "screening.tube_sealed", json!({"tube": tube, "count": 10})));
    json!({"facts": facts})
}

async fn send_until_answered(given: &Value, batch: &Value, shared: &Shared) -> anyhow::Result<Vec<i64>> {
    let mut client = shared.client.clone();
    let mut again = 0;
    loop {
        let server = client.wait_for(Option::is_some).await?.clone().context("a server")?;
        match Sayer::given(&server, given)?.post("/v1/facts", batch).await {
            Ok(answer) => {
                let places = places(&answer)?;
                shared.resent.fetch_add(if again > 0 { places.len() as u64 } else { 0 }, Ordering::SeqCst);
                return Ok(places);
            }
            Err(crate::client::Failure::Refused { status, code, message }) if status != 503 => bail!("{code}: {message}"),
            Err(_) => {
                again += 1;
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    }
}

/// The ordinals in an answer to facts.
fn places(answer: &Value) -> anyhow::Result<Vec<i64>> {
    let place = |fact: &Value| fact["ordinal"].as_i64().with_context(|| format!("a fact was not recorded: {fact}"));
    answer["answers"].as_array().context("answers")?.iter().map(place).collect()
}

/// Sends everything acknowledged once more; says how many are not at the place they were given.
async fn recount(sayer: &Sayer, log: &[Acknowledged]) -> anyhow::Result<u64> {
    let mut lost = 0;
    for (batch, places_given) in log {
        let now = places(&sayer.post("/v1/facts", batch).await?)?;
        lost += places_given.iter().zip(&now).filter(|(given, now)| given != now).count() as u64;
    }
    Ok(lost)
}
