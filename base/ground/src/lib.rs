//! The ground a test stands on: an empty installation on one of the stores, gone when the test ends.
//!
//! Only tests depend on this crate. What a test builds on its ground (a town, a laboratory) is its room's own affair.

#![allow(clippy::print_stderr)] // a skipped test says so

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use baton_kit::{Bucket, Device, EventId, SeededEntropy, Timestamp, VirtualClock};
use baton_ledger::chain::{self, Verdict};
use baton_ledger::{Conn, Fold, Ledger, Place, Surroundings};

/// When every test begins.
pub const START: Timestamp = Timestamp(1_774_000_000_000_000);
/// Longer than any fold of a test takes on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// A folder that no other test uses, and perhaps a schema on the test server; both go with it.
pub struct Plot {
    pub folder: PathBuf,
    /// URL of the schema.
    pub database: Option<String>,
    /// URL of the server, and the name of the schema on it.
    schema: Option<(String, String)>,
}

impl Plot {
    pub fn embedded() -> Self {
        Self::named(&unique(), None)
    }

    /// On the server that `BATON_TEST_POSTGRES` names; nothing when it names none.
    pub fn postgres(test: &str) -> Option<Self> {
        let Ok(server) = std::env::var("BATON_TEST_POSTGRES") else {
            eprintln!("skipped: {test} on PostgreSQL, BATON_TEST_POSTGRES is not set");
            return None;
        };
        let schema = unique();
        run(&server, &format!("CREATE SCHEMA {schema}")).expect("the test server takes a schema");
        Some(Self::named(&schema, Some(&server)))
    }

    /// One on each store there is.
    pub fn on_each_store(test: &str) -> Vec<Self> {
        std::iter::once(Self::embedded()).chain(Self::postgres(test)).collect()
    }

    /// In a folder that somebody else chose, on the embedded store.
    pub fn at(folder: PathBuf) -> Self {
        Self { folder, database: None, schema: None }
    }

    fn named(name: &str, server: Option<&str>) -> Self {
        let folder = std::env::temp_dir().join(name);
        _ = std::fs::remove_dir_all(&folder);
        let sign = |server: &str| if server.contains('?') { '&' } else { '?' };
        let database = server.map(|server| format!("{server}{}options=-csearch_path%3D{name}&application_name={name}", sign(server)));
        Self { folder, database, schema: server.map(|server| (server.to_owned(), name.to_owned())) }
    }

    /// Under which name its connections appear on the server.
    pub fn application(&self) -> &str {
        &self.schema.as_ref().expect("a plot on PostgreSQL").1
    }

    pub fn is_postgres(&self) -> bool {
        self.schema.is_some()
    }
}

impl Drop for Plot {
    fn drop(&mut self) {
        if let Some((server, schema)) = &self.schema {
            _ = run(server, &format!("DROP SCHEMA {schema} CASCADE"));
        }
        _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn unique() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("baton_test_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

fn run(server: &str, ddl: &str) -> baton_ledger::StoreResult<()> {
    waiting(|| Conn::open_postgres(server).and_then(|mut conn| conn.execute_ddl(ddl)))
}

/// PostgreSQL's client brings a runtime of its own, which must not start inside another.
pub fn waiting<T>(work: impl FnOnce() -> T) -> T {
    if tokio::runtime::Handle::try_current().is_ok() { tokio::task::block_in_place(work) } else { work() }
}

/// An empty installation.
pub struct Ground {
    pub place: Place,
    pub clock: Arc<VirtualClock>,
    plot: Option<Plot>,
}

impl Ground {
    pub fn embedded() -> Self {
        Self::on(Plot::embedded())
    }

    pub fn postgres(test: &str) -> Option<Self> {
        Plot::postgres(test).map(Self::on)
    }

    pub fn on(plot: Plot) -> Self {
        let place = Place::new(plot.folder.clone(), plot.database.clone());
        place.create(&SeededEntropy::new(1)).expect("an empty place");
        Self { place, clock: Arc::new(VirtualClock::new(START)), plot: Some(plot) }
    }

    /// What another process made; it stays when this goes.
    pub fn existing(place: Place) -> Self {
        Self { place, clock: Arc::new(VirtualClock::new(START)), plot: None }
    }

    /// Another one on the same kind of store, with the same keys.
    pub fn sister(&self) -> Self {
        if self.is_postgres() { Self::postgres("a second installation").expect("it was there a moment ago") } else { Self::embedded() }
    }

    pub fn is_postgres(&self) -> bool {
        self.plot.as_ref().is_some_and(Plot::is_postgres)
    }

    pub fn plot(&self) -> &Plot {
        self.plot.as_ref().expect("a plot of its own")
    }

    pub fn surroundings(&self, server: u32, folds: &[Fold]) -> Surroundings {
        let server = Device::new(server).expect("a server's number");
        Surroundings { clock: self.clock.clone(), entropy: Arc::new(SeededEntropy::new(2)), folds: folds.to_vec(), server }
    }

    pub fn open(&self, folds: &[Fold]) -> Ledger {
        Ledger::open(self.place.clone(), self.surroundings(7, folds), |_, _| {}).expect("the installation opens")
    }

    pub fn verify(&self) -> Verdict {
        let key = baton_ledger::Secrets::load(&self.place.secrets_folder()).expect("its keys").verifying();
        let mut conn = self.place.open_ledger_for_reading().expect("its ledger");
        chain::verify(&mut conn.begin_read().expect("a read"), &key, |_| {}).expect("a verdict")
    }

    pub fn assert_sound(&self) {
        let verdict = self.verify();
        assert_eq!(verdict.problems, vec![], "{} events", verdict.events);
    }

    /// Closes the ledger, folds it again from nothing and compares the tables: every byte, or only what two equal
    /// histories share (`logical`).
    pub fn same_after_rebuild(&self, ledger: Ledger, folds: &[Fold], logical: bool) {
        settle(&ledger);
        drop(ledger);
        let before = Ledger::state_hash(&self.place, folds, logical).expect("a hash");
        Ledger::rebuild(&self.place, folds, Arc::new(SeededEntropy::new(3)), |_, _| {}).expect("a rebuild");
        assert_eq!(Ledger::state_hash(&self.place, folds, logical).expect("a hash"), before, "a rebuild gives the same tables");
    }
}

/// Waits until everything recorded so far is folded, and nothing was refused by a fold.
pub fn settle(ledger: &Ledger) {
    assert!(ledger.wait_folded(ledger.position().0, PATIENCE), "the follower stands still at {:?}", ledger.position());
    let troubles = waiting(|| ledger.read(|tx| Ok(tx.query("SELECT problem FROM fold_trouble", &[])?))).expect("a read");
    assert!(troubles.is_empty(), "{troubles:?}");
}

pub fn bucket(number: u8) -> Bucket {
    Bucket::new(number).expect("a bucket")
}

pub fn id(bucket_number: u8, device: u32, sequence: u32) -> EventId {
    EventId::new(bucket(bucket_number), Device::new(device).expect("a device"), sequence)
}

/// Makes one test per store of each function `fn(&House)`. `House` has `embedded()` and `postgres(test)`.
#[macro_export]
macro_rules! on_both_stores {
    ($house:ty: $($test:ident),+ $(,)?) => {
        mod embedded {
            $(#[test] fn $test() { super::$test(&<$house>::embedded()) })+
        }
        mod postgres {
            $(#[test] fn $test() {
                if let Some(house) = <$house>::postgres(stringify!($test)) { super::$test(&house) }
            })+
        }
    };
}

/// What a program that reads PDF takes from it; nothing, and a line that says so, where none is installed.
pub fn words_of(pdf: &[u8]) -> Option<String> {
    let started = Command::new("pdftotext").args(["-enc", "UTF-8", "-layout", "-", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let Ok(mut reader) = started else {
        eprintln!("skipped: pdftotext is not installed (poppler-utils)");
        return None;
    };
    let mut input = reader.stdin.take()?;
    let bytes = pdf.to_vec();
    let feeding = std::thread::spawn(move || _ = input.write_all(&bytes));
    let output = reader.wait_with_output().expect("pdftotext ends");
    feeding.join().expect("pdftotext takes what it is given");
    assert!(output.status.success(), "pdftotext cannot read it");
    Some(String::from_utf8(output.stdout).expect("asked for UTF-8"))
}
