//! Sampling desks under trouble: devices that send tube after tube to a server that is shot, cut off or full.
//!
//! Every device keeps its own list of what was acknowledged and sends whatever got no answer again, with the same ids. In
//! the end every acknowledged fact is sent once more: it must be answered with the place in the ledger it was given first.
//! The count of events says that none is there twice.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, bail};
use baton_kit::time::{DAY_US, MINUTE_US};
use baton_kit::{Bucket, Clock, EventId, SystemClock, TypedId};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::client::{Client, Sayer};
use crate::program::{Program, Server, events};

/// A device waits no longer for one answer: a line may swallow what goes through it.
const PATIENCE: Duration = Duration::from_secs(10);
/// Answers to a fact that pass: the same fact is sent again.
const PASSES: [&str; 5] = ["store-full", "store-away", "lane-full", "shutting-down", "readers-busy"];

/// What became of everything the desks said.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct Losses {
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

impl Losses {
    pub fn none(&self) -> bool {
        self.lost == 0 && self.doubled == 0 && self.verify == "ok" && self.tables_same && self.acknowledged > 0
    }

    /// Names and figures for people.
    pub fn rows(&self) -> Vec<(String, String)> {
        let rows = [
            ("facts acknowledged", self.acknowledged.to_string()),
            ("facts sent more than once", self.resent.to_string()),
            ("acknowledged and lost", self.lost.to_string()),
            ("recorded twice", self.doubled.to_string()),
            ("events in the ledger", self.events.to_string()),
            ("verify", self.verify.clone()),
            ("tables as folded anew", if self.tables_same { "yes" } else { "NO" }.to_owned()),
        ];
        rows.map(|(name, value)| (name.to_owned(), value)).to_vec()
    }
}

/// What desks share while servers and lines come and go.
struct Shared {
    /// Whom to talk to, device by device in turn; nobody while the server is down.
    servers: watch::Receiver<Vec<Client>>,
    clocks: Clocks,
    stop: AtomicBool,
    acknowledged: AtomicU64,
    resent: AtomicU64,
}

/// One acknowledged request: what was sent, and the places it was given.
type Acknowledged = (Value, Vec<i64>);

/// What the devices' clocks say.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Clocks {
    /// A minute from tube to tube, from a day long ago; nobody says what the clock says while sending.
    Counted,
    /// The machine's time on devices with an even number; on the others it is a day and a half hour off, from tube to tube
    /// ahead and behind.
    OddOnesWrong,
}

/// What is off on a wrong clock.
const WRONG_US: i64 = DAY_US + 30 * MINUTE_US;

impl Clocks {
    /// When a device's tube is said to have happened, and what the clock says while sending.
    fn tell(self, device: u32, tube: i64) -> (i64, Option<i64>) {
        match self {
            Clocks::Counted => (1_774_566_000_000_000 + tube * MINUTE_US, None),
            Clocks::OddOnesWrong => {
                let now = SystemClock.now().0 + i64::from(device % 2) * if tube % 2 == 0 { WRONG_US } else { -WRONG_US };
                (now, Some(now))
            }
        }
    }
}

/// What is seen of order and flags when everything acknowledged is asked for again.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Seen {
    lost: u64,
    /// Facts of a device that stand before an earlier one of the same device.
    pub(crate) disordered: u64,
    /// Facts whose clock was flagged.
    pub(crate) flagged: u64,
    /// Facts of a wrong clock that were not.
    pub(crate) unflagged: u64,
}

impl Seen {
    fn add(&mut self, other: Self) {
        self.lost += other.lost;
        self.disordered += other.disordered;
        self.flagged += other.flagged;
        self.unflagged += other.unflagged;
    }
}

/// Desks at work.
pub(crate) struct Desks {
    program: Program,
    runtime: Runtime,
    say: watch::Sender<Vec<Client>>,
    shared: Arc<Shared>,
    /// Token and number of each device.
    given: Vec<Value>,
    working: Vec<JoinHandle<anyhow::Result<Vec<Acknowledged>>>>,
    /// Events before the first of theirs.
    before: i64,
}

impl Desks {
    /// A new installation with one nurse and her devices, which begin at once.
    pub(crate) fn begin(program: &Program, devices: u32) -> anyhow::Result<Self> {
        Self::begin_with(program, devices, Clocks::Counted)
    }

    pub(crate) fn begin_with(program: &Program, devices: u32, clocks: Clocks) -> anyhow::Result<Self> {
        let given = prepare(program, devices)?;
        let before = events(&program.ask(&["verify"], &["--json"])?)?;
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let (say, servers) = watch::channel(Vec::new());
        let shared = Arc::new(Shared { servers, clocks, stop: AtomicBool::new(false), acknowledged: AtomicU64::new(0), resent: AtomicU64::new(0) });
        let working = given.iter().map(|given| runtime.spawn(work(given.clone(), shared.clone()))).collect();
        Ok(Self { program: program.clone(), runtime, say, shared, given, working, before })
    }

    pub(crate) fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// From now on they talk to this address, or to nobody.
    pub(crate) fn talk_to(&self, base: Option<&str>) {
        self.talk_to_each(base.as_slice());
    }

    /// From now on each talks to one of these, in turn.
    pub(crate) fn talk_to_each(&self, bases: &[&str]) {
        self.say.send_replace(bases.iter().map(|base| Client::new(base).with_tries(1)).collect());
    }

    pub(crate) fn acknowledged(&self) -> u64 {
        self.shared.acknowledged.load(Ordering::SeqCst)
    }

    /// Waits so long, and in any case until something was acknowledged.
    pub(crate) fn live(&self, life_ms: u64) -> anyhow::Result<()> {
        let before = self.acknowledged();
        std::thread::sleep(Duration::from_millis(life_ms));
        for _ in 0..3000 {
            if self.acknowledged() > before {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        bail!("a server acknowledged nothing for 30 s")
    }

    /// The desks close once nothing is without an answer; then everything is asked for again, from this server.
    pub(crate) fn close(self, server: Server) -> anyhow::Result<Losses> {
        self.close_seeing(server).map(|(losses, _)| losses)
    }

    /// As [`Desks::close`], with what was seen of order and clocks.
    pub(crate) fn close_seeing(self, server: Server) -> anyhow::Result<(Losses, Seen)> {
        self.shared.stop.store(true, Ordering::SeqCst);
        self.talk_to(Some(&server.base));
        let client = Client::new(&server.base);
        let mut counting = Vec::with_capacity(self.given.len());
        for (device, given) in self.working.into_iter().zip(&self.given) {
            let log = self.runtime.block_on(device)??;
            counting.push(self.runtime.spawn(recount(Sayer::given(&client, given)?, log)));
        }
        let mut seen = Seen::default();
        for counted in counting {
            seen.add(self.runtime.block_on(counted)??);
        }
        server.shoot()?;
        // Its tables may have been behind: a server that starts brings them up before it answers.
        self.program.serve(&[])?.shoot()?;
        Ok((losses(&self.program, &self.shared, seen.lost, self.before)?, seen))
    }
}

fn losses(program: &Program, shared: &Shared, lost: u64, before: i64) -> anyhow::Result<Losses> {
    let verified = program.verify()?;
    let rebuilt = program.ask(&["rebuild"], &["--json"])?;
    let acknowledged = shared.acknowledged.load(Ordering::SeqCst);
    let events = events(&verified)?;
    Ok(Losses {
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

/// A sampling desk: tube after tube until told to stop; nothing is left without an answer.
async fn work(given: Value, shared: Arc<Shared>) -> anyhow::Result<Vec<Acknowledged>> {
    let numbering = Sayer::given(&Client::new("http://nobody"), &given)?;
    let mut log = Vec::new();
    for number in 1.. {
        if shared.stop.load(Ordering::SeqCst) {
            break;
        }
        let (happened_us, sent_us) = shared.clocks.tell(numbering.device.number(), number);
        let mut tube = tube_of_ten(&numbering, happened_us);
        tube["sent_us"] = json!(sent_us);
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
    let mut servers = shared.servers.clone();
    let turn = given["device"].as_u64().unwrap_or(0) as usize;
    let mut again = 0;
    loop {
        let server = servers.wait_for(|some| !some.is_empty()).await.map(|some| some[turn % some.len()].clone())?;
        match tokio::time::timeout(PATIENCE, Sayer::given(&server, given)?.post("/v1/facts", batch)).await {
            Ok(Ok(answer)) if !passes(&answer) => {
                let places = places(&answer)?;
                shared.resent.fetch_add(if again > 0 { places.len() as u64 } else { 0 }, Ordering::SeqCst);
                return Ok(places);
            }
            Ok(Err(crate::client::Failure::Refused { status, code, message })) if status != 503 => bail!("{code}: {message}"),
            _ => {
                again += 1;
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    }
}

/// Whether some of it was refused for now.
fn passes(answer: &Value) -> bool {
    answer["answers"].as_array().is_some_and(|answers| answers.iter().any(|fact| PASSES.contains(&fact["refusal"]["code"].as_str().unwrap_or_default())))
}

/// The ordinals in an answer to facts.
fn places(answer: &Value) -> anyhow::Result<Vec<i64>> {
    let place = |fact: &Value| fact["ordinal"].as_i64().with_context(|| format!("a fact was not recorded: {fact}"));
    answer["answers"].as_array().context("answers")?.iter().map(place).collect()
}

/// Sends everything acknowledged once more: what is not at the place it was given, or out of its device's order, or not flagged.
async fn recount(sayer: Sayer, log: Vec<Acknowledged>) -> anyhow::Result<Seen> {
    let (mut last, mut seen) = (0, Seen::default());
    for (batch, places_given) in log {
        let answer = sayer.post("/v1/facts", &batch).await?;
        let now = places(&answer)?;
        seen.lost += places_given.iter().zip(&now).filter(|(given, now)| given != now).count() as u64;
        for place in now {
            seen.disordered += u64::from(place <= last);
            last = place;
        }
        let wrong = batch["sent_us"].is_i64() && sayer.device.number() % 2 == 1;
        for fact in answer["answers"].as_array().into_iter().flatten() {
            let flagged = fact["notes"].as_array().into_iter().flatten().any(|note| note["code"].as_str().is_some_and(|code| code.starts_with("clock-")));
            seen.flagged += u64::from(flagged);
            seen.unflagged += u64::from(wrong && !flagged);
        }
    }
    Ok(seen)
}
