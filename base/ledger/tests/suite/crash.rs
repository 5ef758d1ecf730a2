//! kill -9 under load: what was acknowledged is there, once, and the ledger is sound.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

use baton_ledger::Place;

use crate::house::*;

baton_ground::on_both_stores! {
crate::house::House: nothing_acknowledged_is_lost_or_doubled_by_kill_9 }

const KILLS: u32 = 5;
/// Set for the process that is to be killed: its data folder.
const FOLDER: &str = "BATON_TEST_CRASH_FOLDER";
const DATABASE: &str = "BATON_TEST_CRASH_DATABASE";
const DEVICE: &str = "BATON_TEST_CRASH_DEVICE";

fn nothing_acknowledged_is_lost_or_doubled_by_kill_9(house: &House) {
    let mut acknowledged: Vec<i64> = Vec::new();
    for kill in 1..=KILLS {
        let (mut child, mut lines) = writing_child(house, kill);
        // At the second kill the first has long been folded: kill at different points of the work.
        let wanted = acknowledged.len() + 40 * kill as usize;
        while acknowledged.len() < wanted {
            acknowledged.push(next_acknowledged(&mut lines).expect("the child writes until it is killed"));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        // What it had said before it died counts too; a line without its end was not said.
        while let Some(id) = next_acknowledged(&mut lines) {
            acknowledged.push(id);
        }
    }
    let ledger = house.open();
    let stored: Vec<i64> = house.log("SELECT id FROM event ORDER BY id").iter().map(|row| row.int(0).unwrap()).collect();
    let lost: Vec<&i64> = acknowledged.iter().filter(|id| stored.binary_search(id).is_err()).collect();
    assert_eq!(lost, Vec::<&i64>::new(), "of {}", acknowledged.len());
    assert!(stored.windows(2).all(|pair| pair[0] < pair[1]), "no id twice");
    settle(&ledger);
    assert_eq!(tallied(&ledger, None), stored.len() as i64, "each folded once");
    house.assert_sound();
    println!("{KILLS} kills: {} acknowledged, {} stored, 0 lost", acknowledged.len(), stored.len());
}

/// This same test binary, as a process that only writes.
fn writing_child(house: &House, device: u32) -> (Child, BufReader<ChildStdout>) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--ignored", "--exact", "crash::writes_until_it_is_killed", "--nocapture", "--test-threads=1"]);
    command.env(FOLDER, &house.place.folder).env(DEVICE, device.to_string()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit());
    if let Some(url) = &house.place.database {
        command.env(DATABASE, url);
    }
    let mut child = command.spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap());
    (child, lines)
}

fn next_acknowledged(lines: &mut BufReader<ChildStdout>) -> Option<i64> {
    loop {
        let mut line = String::new();
        lines.read_line(&mut line).unwrap();
        if !line.ends_with('\n') {
            return None;
        }
        if let Some(id) = line.trim().strip_prefix("acknowledged ") {
            return Some(id.parse().unwrap());
        }
    }
}

#[test]
#[ignore = "it is started, and killed, by the test above"]
fn writes_until_it_is_killed() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let device: u32 = std::env::var(DEVICE).unwrap().parse().unwrap();
    let house = House::existing(Place::new(folder, std::env::var(DATABASE).ok()));
    let ledger = house.open();
    std::thread::scope(|scope| {
        for thread in 0..4u32 {
            let ledger = &ledger;
            scope.spawn(move || {
                for n in 1.. {
                    let device = device * 10 + thread;
                    let drafts = vec![fact(id(thread as u8, device, 2 * n), "swab"), fact(id(5, device, 2 * n + 1), "swab")];
                    for ack in accepted(ledger, drafts) {
                        println!("acknowledged {}", ack.id);
                    }
                    if n % 7 == 0 {
                        let ack = decide_bed(ledger, id(6, device, n), "guest", i64::MAX).unwrap();
                        println!("acknowledged {}", ack.id);
                    }
                }
            });
        }
    });
}
