//! A fresh installation for one test, on one of the stores, with two small rooms.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Mutex;

use baton_ground::{Ground, Plot};
use baton_kit::EventId;
use baton_ledger::{Acknowledgement, Answer, Decide, Decided, Draft, Event, Fold, Ledger, Place, Row, StoreError, StoreResult, Tx, Undecided, Vault, params};
use serde::{Deserialize, Serialize};

pub use baton_ground::{PATIENCE, START, bucket, id};

/// An installation with the suite's two small rooms.
pub struct House(Ground);

impl std::ops::Deref for House {
    type Target = Ground;
    fn deref(&self) -> &Ground {
        &self.0
    }
}

/// A folder that no other test uses; nothing is in it yet.
pub fn fresh_folder() -> PathBuf {
    let plot = Plot::embedded();
    plot.folder.clone()
}

impl House {
    pub fn embedded() -> Self {
        Self(Ground::embedded())
    }

    pub fn embedded_in(folder: PathBuf) -> Self {
        Self(Ground::on(Plot::at(folder)))
    }

    pub fn postgres(test: &str) -> Option<Self> {
        Ground::postgres(test).map(Self)
    }

    /// Under which name its connections appear on the server.
    pub fn application(&self) -> &str {
        self.plot().application()
    }

    /// The house that another process made; it stays when this one goes.
    pub fn existing(place: Place) -> Self {
        Self(Ground::existing(place))
    }

    /// Another empty installation on the same kind of store, with the same keys.
    pub fn sister(&self) -> Self {
        Self(self.0.sister())
    }

    pub fn open(&self) -> Ledger {
        self.0.open(&ROOMS)
    }

    pub fn open_as(&self, server: u32, rooms: &[Fold]) -> Ledger {
        Ledger::open(self.place.clone(), self.surroundings(server, rooms), |_, _| {}).expect("the house opens")
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

    pub fn state_hash(&self) -> [u8; 32] {
        Ledger::state_hash(&self.place, &ROOMS, false).unwrap()
    }
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
