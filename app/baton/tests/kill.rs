//! A server that is shot ten times under load loses nothing it acknowledged. `city kill -n 50` does more of it.

use baton_city::kill::{KillSettings, drill};

#[test]
fn ten_kills_lose_and_double_nothing() {
    let data = std::env::temp_dir().join(format!("baton-kill-{}", std::process::id()));
    let settings = KillSettings { baton: env!("CARGO_BIN_EXE_baton").into(), data: data.clone(), kills: 10, devices: 4, seed: 1, life_ms_max: 300 };
    let report = drill(&settings, |_| {}).expect("the drill itself");
    assert!(report.passed(), "{report:?}, kept in {}", data.display());
    std::fs::remove_dir_all(&data).expect("the drill's folder");
}
