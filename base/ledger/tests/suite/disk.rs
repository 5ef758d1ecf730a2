//! A full disk: refused in words, nothing acknowledged is lost, and writing goes on once there is room.

use std::path::{Path, PathBuf};
use std::process::Command;

use baton_kit::Status;
use baton_ledger::Ledger;

use crate::house::*;

/// Set for the process that runs on a small disk of its own.
const DISK: &str = "BATON_TEST_SMALL_DISK";

/// The test proper runs in a mount namespace of its own, where anybody may mount a small disk.
#[test]
fn a_full_disk_refuses_and_resumes() {
    let disk = fresh_folder();
    std::fs::create_dir_all(&disk).unwrap();
    let script = "mount -t tmpfs -o size=4m tmpfs \"$BATON_TEST_SMALL_DISK\" || exit 77; exec \"$0\" --ignored --exact disk::on_a_small_disk --nocapture";
    let run = |namespace: &[&str]| {
        let this = std::env::current_exe().unwrap();
        Command::new("unshare").args(namespace).arg("sh").arg("-c").arg(script).arg(this).env(DISK, &disk).output()
    };
    let mut said = String::new();
    let passed = [&["--user", "--map-root-user", "--mount"][..], &["--mount"]].into_iter().any(|namespace| match run(namespace) {
        Ok(output) => {
            let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
            assert!(!text.contains("running 1 test") || output.status.success(), "{text}");
            said.push_str(&text);
            output.status.success() && text.contains("1 passed")
        }
        Err(error) => {
            said.push_str(&error.to_string());
            false
        }
    });
    std::fs::remove_dir_all(&disk).unwrap();
    if !passed {
        println!("skipped: a_full_disk_refuses_and_resumes, no small disk can be mounted here: {}", said.trim());
    }
}

fn ballast(disk: &Path) -> PathBuf {
    disk.join("ballast")
}

#[test]
#[ignore = "it is started by the test above, on its small disk"]
fn on_a_small_disk() {
    let Ok(disk) = std::env::var(DISK).map(PathBuf::from) else { return };
    let house = House::embedded_in(disk.join("data"));
    let ledger = house.open();
    std::fs::write(ballast(&disk), vec![b'x'; 1 << 20]).unwrap();
    let mut acknowledged = fill(&ledger);
    assert!(acknowledged.len() > 50, "{}", acknowledged.len());
    assert_eq!(decide_bed(&ledger, id(2, 1, 1), "guest", 1).unwrap_err().code, "store-full");
    for n in 0..20 {
        assert_eq!(offer(&ledger, 900_000 + n).unwrap_err().code, "store-full", "it stays so, and answers at once");
    }
    let stored = house.count("SELECT count(*) FROM event WHERE kind = 'test.happened'");
    assert_eq!(stored, acknowledged.len() as i64, "neither lost nor taken in secret");

    std::fs::remove_file(ballast(&disk)).unwrap();
    let resent = acknowledged[0];
    assert!(accepted(&ledger, vec![big_fact(resent)])[0].repeated);
    for n in 0..20 {
        acknowledged.push(offer(&ledger, 900_000 + n).unwrap());
    }
    decide_bed(&ledger, id(2, 1, 1), "guest", 1).unwrap();
    settle(&ledger);
    let trouble = ledger.read(|tx| Ok(tx.query("SELECT problem FROM fold_trouble", &[])?)).unwrap();
    assert_eq!(trouble, vec![], "a full disk is no event's fault");
    assert_eq!(tallied(&ledger, None), acknowledged.len() as i64 + 1);
    house.assert_sound();
    drop(ledger);
    drop(house.open());
    house.assert_sound();
}

fn big_fact(sequence: u32) -> baton_ledger::Draft {
    fact(id(1, 1, sequence), &"0123456789".repeat(100))
}

fn offer(ledger: &Ledger, sequence: u32) -> Result<u32, baton_kit::Refusal> {
    record(ledger, vec![big_fact(sequence)]).remove(0).map(|_| sequence)
}

/// Writes until the disk is full; what was acknowledged.
fn fill(ledger: &Ledger) -> Vec<u32> {
    let mut acknowledged = Vec::new();
    for sequence in 1..100_000 {
        match offer(ledger, sequence) {
            Ok(sequence) => acknowledged.push(sequence),
            Err(refusal) => {
                assert_eq!((refusal.code, refusal.status), ("store-full", Status::Full));
                return acknowledged;
            }
        }
    }
    panic!("a disk of 4 MiB took everything");
}
