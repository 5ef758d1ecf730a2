//! The demo as somebody runs it: a day without a violation, the same for the same seed, and never over somebody's data.

use std::process::{Command, Output};

use baton_ground::Plot;
use serde_json::Value;

fn demo(plot: &Plot, people: &str, seed: &str) -> Output {
    let words = ["demo", "--people", people, "--seed", seed, "--no-serve", "--json", "--data"];
    let mut command = Command::new(env!("CARGO_BIN_EXE_baton"));
    command.args(words).arg(&plot.folder);
    if let Some(database) = &plot.database {
        command.args(["--database", database]);
    }
    command.output().expect("baton runs")
}

fn report(output: &Output) -> Value {
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}{err}");
    assert_eq!(out.lines().count(), 1, "exactly one object");
    serde_json::from_str(&out).expect("JSON")
}

#[test]
fn a_day_repeats_itself_and_finds_everybody() {
    let plot = Plot::embedded();
    let first = report(&demo(&plot, "600", "5"));
    assert_eq!((&first["invariant_violations"], &first["verify"]), (&0.into(), &"ok".into()));
    let positives = |name: &str| first["positives"][name].as_u64().expect("a count");
    assert!(positives("true") > 0, "a seed with somebody to find");
    assert_eq!(positives("found") + positives("in_follow_up"), positives("true"));
    assert_eq!((positives("missed"), positives("false")), (0, 0));
    // An older demo is replaced.
    let second = report(&demo(&plot, "600", "5"));
    for same in ["state_hash", "people", "sampled", "tubes", "boxes", "plates", "wells", "positives", "events", "turnaround_s"] {
        assert_eq!(first[same], second[same], "{same}");
    }
    // The other store tells the same day.
    if let Some(plot) = Plot::postgres("the demo") {
        assert_eq!(report(&demo(&plot, "600", "5"))["state_hash"], first["state_hash"]);
    }
}

#[test]
fn what_is_no_demo_is_left_alone() {
    let plot = Plot::embedded();
    std::fs::create_dir_all(&plot.folder).expect("a folder");
    std::fs::write(plot.folder.join("thesis.txt"), "years of work").expect("a file");
    let output = demo(&plot, "100", "1");
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("no demo"));
    assert_eq!(std::fs::read_to_string(plot.folder.join("thesis.txt")).expect("the file"), "years of work");
}
