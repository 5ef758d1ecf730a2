//! The shared benchmark rosters, where they are at hand: read, solved with a small budget, always legal.
#![allow(clippy::print_stderr)]

use std::path::PathBuf;

use baton_plan::Alone;
use baton_plan::roster::solve::{Budget, solve};
use baton_plan::roster::{check, format};

#[test]
fn shared_rosters_are_solved_legally() {
    let shared = std::env::var("BATON_SHARED").unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared").to_owned());
    let folder = PathBuf::from(shared).join("data/planning/rosters");
    // Best known objectives, and how near a budget of about a second must come.
    let cases = [("Instance1", 607.0, 1.02), ("Instance2", 828.0, 1.25), ("Instance3", 1001.0, 1.25), ("Instance6", 1950.0, 1.6), ("Instance14", 1278.0, 3.0)];
    for (name, best_known, within) in cases {
        let Ok(text) = std::fs::read_to_string(folder.join(format!("{name}.txt"))) else {
            eprintln!("skipped: no {name} in {}", folder.display());
            continue;
        };
        let problem = format::parse(&text).expect(name);
        let plan = solve(&problem, 1, &Alone(1), Budget::Work(2_000_000), &mut |_| {});
        let report = check::check(&problem, &plan);
        assert_eq!(report.violations, vec![], "{name}");
        assert!(report.objective() as f64 <= best_known * within, "{name}: {}", report.objective());
    }
}
