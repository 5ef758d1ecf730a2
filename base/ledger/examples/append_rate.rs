//! How many facts per second the ledger makes durable, for several sizes of batch, beside what the disk itself can sync.
//!
//! `cargo run --release -p baton-ledger --example append_rate [folder] [postgres://…]`

#![allow(clippy::print_stdout, clippy::disallowed_methods)] // a measurement prints, and needs the real clock

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use baton_kit::{Bucket, Device, EventId, SystemClock, SystemEntropy, Timestamp};
use baton_ledger::{Draft, Ledger, Place, StoreResult, Surroundings};

const SECONDS: u64 = 4;
/// Batches that wait for their acknowledgement at one time.
const IN_FLIGHT: usize = 256;
/// 200 bytes, as a swab's body has.
const BODY: &str = r#"{"tube":"288230376151711745","person":"288230376151711746","point":"288230376151711747","campaign":"288230376151711748","place_in_tube":7,"ratio":10,"scanned":"document","note":"xxxxxxxxxxxxxxxx"}"#;

fn main() -> StoreResult<()> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().map_or_else(|| std::env::temp_dir().join(format!("append-rate-{}", std::process::id())), PathBuf::from);
    let database = arguments.next();
    std::fs::create_dir_all(&folder)?;
    println!("disk: {:.0} syncs of 4 KiB per second", syncs_per_second(&folder)?);
    println!("{:>8} {:>12} {:>12} {:>10} {:>10}", "batch", "events/s", "folded/s", "p50 ms", "p99 ms");
    let place = Place::new(folder.join("data"), database);
    place.create(&SystemEntropy)?;
    for (run, batch) in [1, 10, 50, 500].into_iter().enumerate() {
        measure(&place, run as u32, batch)?;
    }
    println!("disk: {:.0} syncs of 4 KiB per second", syncs_per_second(&folder)?);
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}

fn syncs_per_second(folder: &Path) -> StoreResult<f64> {
    let path = folder.join("sync");
    let mut file = std::fs::File::create(&path)?;
    let (start, mut count) = (Instant::now(), 0);
    while start.elapsed() < Duration::from_secs(1) {
        file.write_all(&[7; 4096])?;
        file.sync_data()?;
        count += 1;
    }
    std::fs::remove_file(path)?;
    Ok(f64::from(count) / start.elapsed().as_secs_f64())
}

fn measure(place: &Place, run: u32, batch: u32) -> StoreResult<()> {
    let around = Surroundings { clock: Arc::new(SystemClock), entropy: Arc::new(SystemEntropy), folds: Vec::new(), server: Device::new(1).expect("small") };
    let ledger = Ledger::open(place.clone(), around, |_, _| {})?;
    let before = ledger.position().0;
    let (acknowledged, failed) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let (free, wait) = crossbeam_channel::bounded(IN_FLIGHT);
    for _ in 0..IN_FLIGHT {
        free.send(None).expect("room for all");
    }
    let (start, mut latencies, mut sequence) = (Instant::now(), Vec::new(), 0);
    while start.elapsed() < Duration::from_secs(SECONDS) {
        let done: Option<Duration> = wait.recv().expect("its sender is here");
        latencies.extend(done);
        let drafts = (0..batch).map(|n| draft(run, sequence + n)).collect();
        sequence += batch;
        let (free, acknowledged, failed, sent) = (free.clone(), acknowledged.clone(), failed.clone(), Instant::now());
        let answer = move |answers: Vec<baton_ledger::Answer>| {
            let good = answers.iter().filter(|answer| answer.is_ok()).count() as u64;
            acknowledged.fetch_add(good, Ordering::Relaxed);
            failed.fetch_add(answers.len() as u64 - good, Ordering::Relaxed);
            _ = free.send(Some(sent.elapsed()));
        };
        ledger.record(drafts, answer).expect("the lane has room for those in flight");
    }
    let seconds = start.elapsed().as_secs_f64();
    let events = acknowledged.load(Ordering::Relaxed) as f64;
    assert_eq!(failed.load(Ordering::Relaxed), 0);
    while ledger.waiting() > 0 {
        std::thread::sleep(Duration::from_millis(5));
    }
    ledger.wait_folded(ledger.position().0, Duration::from_secs(600));
    let folded = (ledger.position().1 - before) as f64 / start.elapsed().as_secs_f64();
    latencies.sort();
    let at = |share: usize| latencies.get(latencies.len() * share / 100).map_or(0.0, |latency| latency.as_secs_f64() * 1000.0);
    println!("{batch:>8} {:>12.0} {folded:>12.0} {:>10.2} {:>10.2}", events / seconds, at(50), at(99));
    Ok(())
}

/// Sixteen buckets, sixty-four phones each; every phone counts its own.
fn draft(run: u32, sequence: u32) -> Draft {
    let (bucket, phone) = (sequence % 16, sequence / 16 % 64);
    let bucket = Bucket::new(bucket as u8).expect("small");
    let device = Device::new(1 + run * 64 + phone).expect("small");
    let id = EventId::new(bucket, device, sequence);
    Draft { id, kind: "screening.swabbed".to_owned(), happened: Timestamp(i64::from(sequence)), actor: None, body: BODY.to_owned(), notes: Vec::new() }
}
