//! A server that is shot, cut off or full under load loses nothing it acknowledged. `city kill|partition|diskfull` do more of it.

use baton_city::kill::{KillSettings, drill};
use baton_city::partition::{self, PartitionSettings};

#[test]
fn ten_kills_lose_and_double_nothing() {
    let data = std::env::temp_dir().join(format!("baton-kill-{}", std::process::id()));
    let settings = KillSettings { baton: env!("CARGO_BIN_EXE_baton").into(), data: data.clone(), kills: 10, devices: 4, seed: 1, life_ms_max: 300 };
    let report = drill(&settings, |_| {}).expect("the drill itself");
    assert!(report.passed(), "{report:?}, kept in {}", data.display());
    std::fs::remove_dir_all(&data).expect("the drill's folder");
}

#[test]
fn eight_cuts_of_the_line_lose_and_double_nothing() {
    let data = std::env::temp_dir().join(format!("baton-partition-{}", std::process::id()));
    let settings = PartitionSettings { baton: env!("CARGO_BIN_EXE_baton").into(), data: data.clone(), cuts: 8, devices: 4, seed: 1, spell_ms_max: 200 };
    let report = partition::drill(&settings, |_| {}).expect("the drill itself");
    assert!(report.passed(), "{report:?}, kept in {}", data.display());
    assert!(report.losses.resent > 0, "an answer was cut: {report:?}");
    std::fs::remove_dir_all(&data).expect("the drill's folder");
}
