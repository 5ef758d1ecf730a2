//! Short runs of the drills that need something of the machine: FUSE, libfaketime, Patroni. `city powercut|clock|failover` do more of it.

#![allow(clippy::print_stderr)] // a skipped test says so

use std::path::PathBuf;

use baton_city::clock::{self, ClockSettings};
use baton_city::failover::{self, FailoverSettings};
use baton_city::powercut::{self, PowercutSettings};

/// The program and a folder for this drill; nothing, and a line that says so, where the machine has not got what it takes.
fn ready(drill: &str, missing: Option<String>) -> Option<(PathBuf, PathBuf)> {
    if let Some(missing) = missing {
        eprintln!("skipped: {drill}: {missing}");
        return None;
    }
    Some((env!("CARGO_BIN_EXE_baton").into(), std::env::temp_dir().join(format!("baton-{drill}-{}", std::process::id()))))
}

#[test]
fn six_power_cuts_lose_nothing_that_was_acknowledged() {
    let Some((baton, data)) = ready("powercut", powercut::missing()) else { return };
    let settings = PowercutSettings { baton, data: data.clone(), cuts: 6, devices: 4, seed: 1, life_ms_max: 300 };
    let report = powercut::drill(&settings, |_| {}).expect("the drill itself");
    assert!(report.passed(), "{report:?}, kept in {}", data.display());
    std::fs::remove_dir_all(&data).expect("the drill's folder");
}

#[test]
fn a_clock_that_jumps_a_day_and_back_changes_no_order() {
    let Some((baton, data)) = ready("clock", clock::missing()) else { return };
    let settings = ClockSettings { baton, data: data.clone(), jumps: 3, devices: 4, seed: 1 };
    let report = clock::drill(&settings, |_| {}).expect("the drill itself");
    assert!(report.passed() && report.jumps_back == 1, "{report:?}, kept in {}", data.display());
    std::fs::remove_dir_all(&data).expect("the drill's folder");
}

#[test]
fn a_leader_that_dies_is_replaced_and_nothing_is_lost() {
    let Some((baton, data)) = ready("failover", failover::missing()) else { return };
    let settings = FailoverSettings { baton, data: data.clone(), kills: 1, devices: 4 };
    let report = failover::drill(&settings, |_| {}).expect("the drill itself");
    assert!(report.passed(), "{report:?}, kept in {}", data.display());
    std::fs::remove_dir_all(&data).expect("the drill's folder");
}
