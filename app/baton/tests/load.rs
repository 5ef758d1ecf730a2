//! Short runs of the load drills through the real program. `city load`, `city storm`, `city overload` and `city flip` do more of it.

use baton_city::flip::{self, FlipSettings};
use baton_city::load::{self, LoadReport, LoadSettings};

fn settings(drill: &str) -> LoadSettings {
    LoadSettings {
        baton: env!("CARGO_BIN_EXE_baton").into(),
        data: std::env::temp_dir().join(format!("baton-{drill}-{}", std::process::id())),
        seed: 1,
        rounds: 1,
        people: 1_600,
        connections: 8,
        batch: 10,
        rate: 200,
        seconds: 3.0,
        look_ups: 0,
        times: 3.0,
    }
}

/// Everything acknowledged is there once, and every fact of the stretch was.
fn sound(report: &LoadReport, settings: &LoadSettings) {
    assert!(report.passed(), "{report:?}, kept in {}", settings.data.display());
    assert!(report.stretches.iter().all(|stretch| stretch.people_per_s > 0.0), "{report:?}");
    std::fs::remove_dir_all(&settings.data).expect("the drill's folder");
}

#[test]
fn a_steady_load_is_acknowledged_and_all_of_it_is_there() {
    let settings = settings("load");
    let report = load::load(&settings, |_| {}).expect("the drill itself");
    assert!(report.before.hello_per_s > 0.0 && report.before.fsync_per_s > 0.0 && report.after.append_per_s > 0.0, "{report:?}");
    assert!(report.facts_per_group >= 1.0 && report.commit_ms > 0.0, "the server's own figures are read: {report:?}");
    let people = report.stretches[0].people_per_s * report.stretches[0].seconds;
    assert_eq!(report.acknowledged, (people * 1.2).round() as u64, "ten swabs are twelve facts: {report:?}");
    sound(&report, &settings);
}

#[test]
fn a_storm_of_look_ups_leaves_the_scans_alone() {
    let settings = LoadSettings { look_ups: 200, seconds: 4.0, ..settings("storm") };
    let report = load::storm(&settings, |_| {}).expect("the drill itself");
    let storm = &report.stretches[1];
    assert!(storm.look_ups_per_s > 0.0, "{report:?}");
    assert_eq!(storm.refused, 0, "no scan gives way to a look-up: {report:?}");
    sound(&report, &settings);
}

#[test]
fn one_bit_anywhere_is_found_or_refused() {
    let data = std::env::temp_dir().join(format!("baton-flip-{}", std::process::id()));
    let settings = FlipSettings { baton: env!("CARGO_BIN_EXE_baton").into(), data: data.clone(), flips: 18, seed: 3 };
    let report = flip::drill(&settings, |_| {}).expect("the drill itself");
    assert!(report.passed(), "{report:?}, kept in {}", data.display());
    assert!(report.files.iter().map(|of| of.found_by_verify).sum::<u32>() > 0, "{report:?}");
    std::fs::remove_dir_all(&data).expect("the drill's folder");
}
