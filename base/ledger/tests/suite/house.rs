//! A fresh installation for one test, on one of the stores, with two small rooms.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use baton_kit::{Bucket, Device, EventId, SeededEntropy, Timestamp, VirtualClock};
use baton_ledger::chain::{self, Verdict};
use baton_ledger::{
    Acknowledgement, Answer, Conn, Decide, Decided, Draft, Event, Fold, Ledger, Place, Row, StoreError, StoreResult, Surroundings, Tx, Undecided, Vault, params,
};
use serde::{Deserialize, Serialize};

/// When every test begins.
pub const START: Timestamp = Timestamp(1_774_000_000_000_000);
/// Longer than any fold of a test takes on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

pub struct House {
    pub place: Place,
    pub clock: Arc<VirtualClock>,
    /// The server's URL and this test's schema on it.
    postgres: Option<(String, String)>,
    stays: bool,
}

fn unique(prefix: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("{prefix}_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// A folder that no other test uses.
pub fn fresh_folder() -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(unique("ledger"));
    _ = std::fs::remove_dir_all(&folder);
    folder
}

impl House {
    pub fn embedded() -> Self {
        Self::embedded_in(fresh_folder())
    }

    pub fn embedded_in(folder: PathBuf) -> Self {
        Self::created(Place::embedded(folder), None)
    }

    /// A schema of its own on the server that the environment names; nothing when it names none.
    pub fn postgres(test: &str) -> Option<Self> {
        let Ok(server) = std::env::var("BATON_TEST_POSTGRES") else {
            println!("skipped: {test} on PostgreSQL, BATON_TEST_POSTGRES is not set");
            return None;
        };
        let schema = unique("baton_test");
        Conn::open_postgres(&server).and_then(|mut conn| conn.execute_ddl(&format!("CREATE SCHEMA {schema}"))).expect("the test server takes a schema");
        let sign = if server.contains('?') { '&' } else { '?' };
        let url = format!("{server}{sign}options=-csearch_path%3D{schema}&application_name={schema}");
        Some(Self::created(Place::new(fresh_folder(), Some(url)), Some((server, schema))))
    }

    /// Under which name its connections appear on the server.
    pub fn application(&self) -> &str {
        &self.postgres.as_ref().expect("a house on PostgreSQL").1
    }

    /// The house that another process made; it stays when this one goes.
    pub fn existing(place: Place) -> Self {
        Self { place, clock: Arc::new(VirtualClock::new(START)), postgres: None, stays: true }
    }

    fn created(place: Place, postgres: Option<(String, String)>) -> Self {
        place.create(&SeededEntropy::new(1)).expect("an empty place");
        Self { place, clock: Arc::new(VirtualClock::new(START)), postgres, stays: false }
    }

    /// Another empty installation on the same kind of store, with the same keys.
    pub fn sister(&self) -> Self {
        if self.postgres.is_some() { Self::postgres("a second house").expect("it was there a moment ago") } else { Self::embedded() }
    }

    pub fn open(&self) -> Ledger {
        self.open_as(7, &ROOMS)
    }

    pub fn open_as(&self, server: u32, rooms: &[Fold]) -> Ledger {
        Ledger::open(self.place.clone(), self.surroundings(server, rooms), |_, _| {}).expect("the house opens")
    }

    pub fn surroundings(&self, server: u32, rooms: &[Fold]) -> Surroundings {
        Surroundings { clock: self.clock.clone(), entropy: Arc::new(SeededEntropy::new(2)), folds: rooms.to_vec(), server: Device::new(server).unwrap() }
    }

    /// What an intruder with the database password does: any statement, behind the ledger's back.
    pub fn tamper(&self, sql: &str) {
        let mut conn = self.place.open_ledger().unwrap();
        let mut tx = conn.begin().unwrap();
        assert!(tx.execute(sql, &[]).unwrap() > 0, "{sql} touched nothing");
        tx.commit().unwrap();
    }

    pub fn log(&self, sql: &str) -> Vec<Row> {
        self.place.open_ledger_for_reading().unwrap().begin_read().unwrap().query(sql, &[]).unwrap()
    }

    pub fn count(&self, sql: &str) -> i64 {
        self.log(sql)[0].int(0).unwrap()
    }

    pub fn verify(&self) -> Verdict {
        let key = baton_ledger::Secrets::load(&self.place.secrets_folder()).unwrap().verifying();
        let mut conn = self.place.open_ledger_for_reading().unwrap();
        chain::verify(&mut conn.begin_read().unwrap(), &key, |_| {}).unwrap()
    }

    pub fn assert_sound(&self) {
        let verdict = self.verify();
        assert_eq!(verdict.problems, vec![], "{} events", verdict.events);
    }

    pub fn state_hash(&self) -> [u8; 32] {
        Ledger::state_hash(&self.place, &ROOMS, false).unwrap()
    }
}

impl Drop for House {
    fn drop(&mut self) {
        if let Some((server, schema)) = &self.postgres {
            _ = Conn::open_postgres(server).and_then(|mut conn| conn.execute_ddl(&format!("DROP SCHEMA {schema} CASCADE")));
        }
        if !self.stays {
            _ = std::fs::remove_dir_all(&self.place.folder);
        }
    }
}

pub fn bucket(number: u8) -> Bucket {
    Bucket::new(number).unwrap()
}

pub fn id(bucket_number: u8, device: u32, sequence: u32) -> EventId {
    EventId::new(bucket(bucket_number), Device::new(device).unwrap(), sequence)
}

/// A fact that says `text`.
pub fn fact(id: EventId, text: &str) -> Draft {
    kind_of_fact(id, "test.happened", text)
}

pub fn kind_of_fact(id: EventId, kind: &str, text: &str) -> Draft {
    let body = serde_json::json!({ "text": text }).to_string();
    Draft { id, kind: kind.to_owned(), happened: START.plus_us(-5_000_000), actor: None, body, notes: Vec::new() }
}

pub fn record(ledger: &Ledger, drafts: Vec<Draft>) -> Vec<Answer> {
    ledger.record_now(drafts).expect("the lane has room")
}

/// Records facts of which none is refused.
pub fn accepted(ledger: &Ledger, drafts: Vec<Draft>) -> Vec<Acknowledgement> {
    record(ledger, drafts).into_iter().map(|answer| answer.expect("accepted")).collect()
}

/// Waits until everything recorded so far is folded.
pub fn settle(ledger: &Ledger) {
    assert!(ledger.wait_folded(ledger.position().0, PATIENCE), "the follower stands still at {:?}", ledger.position());
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct AskForBed {
    pub guest: String,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct GivenBed {
    pub number: i64,
}

pub const BED_GIVEN: &str = "test.bed_given";

pub fn ask(guest: &str) -> String {
    serde_json::to_string(&AskForBed { guest: guest.to_owned() }).unwrap()
}

/// The rule "a bed for whoever asks while there are fewer than `beds` given".
pub fn bed_rule(id: EventId, command: &str, beds: i64) -> Decide {
    let command: AskForBed = serde_json::from_str(command).unwrap();
    Box::new(move |tx, now| {
        let given = tx.one("SELECT count(*) FROM bed", &[])?.int(0)?;
        if given >= beds {
            return Err(Undecided::Refused(baton_kit::Refusal::ruled("no-bed").with("beds", beds)));
        }
        let body = baton_ledger::to_json(&Decided { command: command.clone(), outcome: GivenBed { number: given + 1 } })?;
        Ok(Draft { id, kind: BED_GIVEN.to_owned(), happened: now, actor: None, body, notes: Vec::new() })
    })
}

pub fn decide_bed(ledger: &Ledger, id: EventId, guest: &str, beds: i64) -> Answer {
    ledger.decide_now(id, ask(guest), bed_rule(id, &ask(guest), beds))
}

/// Counts events and gives beds. Not idempotent, so that folding twice is seen.
const COUNTING: Fold = Fold {
    room: "counting",
    schema: "CREATE TABLE tally (\n  bucket BIGINT NOT NULL,\n  kind TEXT NOT NULL,\n  events BIGINT NOT NULL,\n  ordinals BIGINT NOT NULL,\n  \
             PRIMARY KEY (bucket, kind)\n);\nCREATE TABLE bed (\n  bucket BIGINT NOT NULL,\n  id BIGINT NOT NULL,\n  guest TEXT NOT NULL,\n  share DOUBLE PRECISION,\n  \
             PRIMARY KEY (bucket, id)\n);\n",
    apply: fold_counting,
    run: None,
    volatile: &[],
};

/// A room with three bugs, each met by one kind of event.
const FRAGILE: Fold = Fold {
    room: "fragile",
    schema: "CREATE TABLE fragile (\n  bucket BIGINT NOT NULL,\n  ordinal BIGINT NOT NULL,\n  text TEXT NOT NULL,\n  PRIMARY KEY (bucket, ordinal)\n);\n",
    apply: fold_fragile,
    run: None,
    volatile: &["fragile.ordinal"],
};

pub const ROOMS: [Fold; 2] = [COUNTING, FRAGILE];

pub const UNREADABLE: &str = "test.unreadable";
pub const PANICKING: &str = "test.panicking";
pub const TWICE: &str = "test.twice";
/// Its first two folds meet a full disk.
pub const CROWDED: &str = "test.crowded";

fn fold_counting(tx: &mut Tx<'_>, event: &Event, _: &Vault) -> StoreResult<()> {
    let bucket = i64::from(event.bucket.number());
    tx.execute(
        "INSERT INTO tally (bucket, kind, events, ordinals) VALUES ($1, $2, 1, $3) \
         ON CONFLICT (bucket, kind) DO UPDATE SET events = tally.events + 1, ordinals = tally.ordinals + excluded.ordinals",
        params![bucket, &event.kind, event.ordinal],
    )?;
    if event.kind == BED_GIVEN {
        let decided: Decided<AskForBed, GivenBed> = event.body()?;
        let share = 1.0 / decided.outcome.number as f64;
        tx.execute("INSERT INTO bed (bucket, id, guest, share) VALUES ($1, $2, $3, $4)", params![bucket, event.id, &decided.command.guest, share])?;
    }
    Ok(())
}

fn fold_fragile(tx: &mut Tx<'_>, event: &Event, _: &Vault) -> StoreResult<()> {
    let insert = "INSERT INTO fragile (bucket, ordinal, text) VALUES ($1, $2, $3)";
    let row = params![i64::from(event.bucket.number()), event.ordinal, &event.body];
    tx.execute(insert, row)?;
    match event.kind.as_str() {
        UNREADABLE => Err(StoreError::Other("the body makes no sense".to_owned())),
        PANICKING => panic!("a bug in a room"),
        TWICE => tx.execute(insert, row).map(|_| ()),
        CROWDED if tries(&event.body) <= 2 => Err(StoreError::Io(std::io::ErrorKind::StorageFull.into())),
        _ => Ok(()),
    }
}

/// How often this text was tried by now.
fn tries(text: &str) -> u32 {
    static TRIED: Mutex<BTreeMap<String, u32>> = Mutex::new(BTreeMap::new());
    let mut tried = TRIED.lock().unwrap();
    let count = tried.entry(text.to_owned()).or_default();
    *count += 1;
    *count
}

/// How many events were folded into the tally, of one kind or of all.
pub fn tallied(ledger: &Ledger, kind: Option<&str>) -> i64 {
    let rows = ledger.read(|tx| Ok(tx.query("SELECT kind, events FROM tally", &[])?)).unwrap();
    rows.iter().filter(|row| kind.is_none_or(|kind| row.text(0).unwrap() == kind)).map(|row| row.int(1).unwrap()).sum()
}
