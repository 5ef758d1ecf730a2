//! Job shops against brute force, published optima (skipped when the shared data are not there) and properties.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use baton_plan::Alone;
use baton_plan::production::{Alternative, Plan, Shop, check, parse_flexible, parse_job_shop, solve};
use proptest::prelude::*;

fn shared(path: &str) -> Option<String> {
    let root = std::env::var("BATON_SHARED").map_or_else(|_| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared")), PathBuf::from);
    let text = std::fs::read_to_string(root.join("data/planning/production").join(path)).ok();
    if text.is_none() {
        use std::io::Write;
        writeln!(std::io::stderr(), "skipped: shared data {path} not found").expect("stderr");
    }
    text
}

fn planned(shop: &Shop, seed: u64, hands: usize, rounds: u64) -> Plan {
    let asked = AtomicU64::new(0);
    let plan = solve(shop, seed, &Alone(hands), &|| asked.fetch_add(1, Ordering::Relaxed) < rounds, &mut |_| {});
    let report = check(shop, &plan);
    assert_eq!(report.violations, Vec::<String>::new());
    assert_eq!(report.makespan, plan.makespan);
    assert!(plan.bound <= plan.makespan, "bound {} over makespan {}", plan.bound, plan.makespan);
    plan
}

/// The shortest makespan by trying every order of dispatch and every choice of machines.
fn brute_force(shop: &Shop) -> i64 {
    fn extend(shop: &Shop, next: &mut [usize], job_free: &mut [i64], machine_free: &mut [i64], best: &mut i64) {
        let end = job_free.iter().copied().max().unwrap_or(0);
        if end >= *best {
            return;
        }
        if shop.jobs.iter().zip(next.iter()).all(|(job, next)| *next == job.len()) {
            *best = end;
            return;
        }
        for job in 0..shop.jobs.len() {
            let Some(alternatives) = shop.jobs[job].get(next[job]) else { continue };
            for Alternative { machine, duration } in alternatives {
                let (old_job, old_machine) = (job_free[job], machine_free[*machine]);
                let end = old_job.max(old_machine) + i64::from(*duration);
                (job_free[job], machine_free[*machine]) = (end, end);
                next[job] += 1;
                extend(shop, next, job_free, machine_free, best);
                next[job] -= 1;
                (job_free[job], machine_free[*machine]) = (old_job, old_machine);
            }
        }
    }
    let mut best = i64::MAX;
    extend(shop, &mut vec![0; shop.jobs.len()], &mut vec![0; shop.jobs.len()], &mut vec![0; shop.machines], &mut best);
    best
}

fn operation(machines: usize, alternatives: usize) -> impl Strategy<Value = Vec<Alternative>> {
    let chosen = proptest::sample::subsequence((0..machines).collect::<Vec<_>>(), 1..=alternatives.min(machines));
    (chosen, proptest::collection::vec(0..10_i32, machines))
        .prop_map(|(chosen, durations)| chosen.into_iter().map(|machine| Alternative { machine, duration: durations[machine] }).collect())
}

/// Up to three jobs of up to three operations; machines may recur within a job, and operations may take no time.
fn small_shop(alternatives: usize) -> impl Strategy<Value = Shop> {
    (1..=3_usize).prop_flat_map(move |machines| {
        let job = proptest::collection::vec(operation(machines, alternatives), 0..=3);
        proptest::collection::vec(job, 1..=3).prop_map(move |jobs| Shop { machines, jobs })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn tiny_shops_are_planned_optimally(shop in small_shop(1)) {
        prop_assert_eq!(planned(&shop, 1, 1, 64).makespan, brute_force(&shop));
    }

    #[test]
    fn tiny_flexible_shops_are_planned_optimally(shop in small_shop(2)) {
        prop_assert_eq!(planned(&shop, 1, 2, 320).makespan, brute_force(&shop));
    }

    #[test]
    fn no_text_makes_the_parsers_panic(text in "[ 0-9\n#a.-]{0,80}") {
        let _ = parse_job_shop(&text);
        let _ = parse_flexible(&text);
    }
}

#[test]
fn the_same_seed_and_rounds_give_the_same_plan_however_the_jobs_run() {
    let text = "4 3\n0 3 1 2 2 2\n0 2 2 1 1 4\n1 4 2 3 0 1\n2 5 0 2 1 3\n";
    let shop = parse_job_shop(text).expect("shop");
    assert_eq!(planned(&shop, 5, 2, 24), planned(&shop, 5, 2, 24));
}

#[test]
fn small_published_shops_reach_their_optima() {
    for (name, optimum) in [("ft06", 55), ("la01", 666), ("la02", 655), ("la05", 593)] {
        let Some(text) = shared(&format!("jobshop/{name}")) else { return };
        assert_eq!(planned(&parse_job_shop(&text).expect(name), 1, 1, 32).makespan, optimum, "{name}");
    }
    let Some(text) = shared("flexible-jobshop/Brandimarte/Mk03.fjs") else { return };
    assert_eq!(planned(&parse_flexible(&text).expect("Mk03"), 1, 1, 16).makespan, 204);
}

#[test]
fn every_published_file_is_read() {
    let Some(optima) = shared("optima.json") else { return };
    let optima: serde_json::Value = serde_json::from_str(&optima).expect("json");
    for one in optima["instances"].as_array().expect("instances") {
        let name = one["name"].as_str().expect("name");
        let Some(text) = shared(&format!("jobshop/{name}")) else { return };
        let shop = parse_job_shop(&text).expect(name);
        assert_eq!(
            (shop.jobs.len() as u64, shop.machines as u64),
            (one["jobs"].as_u64().expect("jobs"), one["machines"].as_u64().expect("machines")),
            "{name}"
        );
    }
}

#[test]
fn faults_name_line_and_field() {
    let fault = |text: &str| parse_job_shop(text).expect_err(text).to_string();
    assert_eq!(fault(""), "jobs and machines: are missing: the file is empty");
    assert_eq!(fault("# c\n2 2\n0 1 1 x\n1 1 0 1\n"), "line 3, duration: `x` is not a whole number");
    assert_eq!(fault("1 2\n0 1 2 1\n"), "line 2, machine: 2 is not within 0 to 1");
    assert_eq!(fault("1 2\n0 1 1\n"), "line 2, duration: is missing: the text ends here");
    assert_eq!(fault("2 1\n0 1\n"), "job: 1 of 2 jobs are there");
    assert_eq!(fault("1 1\n0 1\n0 1\n"), "line 3, job: is one more than the 1 announced");
    let many = format!("2000 1\n{}", "0 1000000\n".repeat(2000));
    assert_eq!(fault(&many), "durations: are 2000000000 together, more than 1000000000");
    let flexible = |text: &str| parse_flexible(text).expect_err(text).to_string();
    assert_eq!(flexible("1 2 1\n1 2 1 5 1 6\n"), "line 2, machine: 1 is there twice for one operation");
    assert_eq!(flexible("1 2\n1 1 2 5 9\n"), "line 2, end: `9` comes after the last job");
    assert_eq!(flexible("1 2\n1 0\n"), "line 2, number of alternatives: 0 is not within 1 to 500");
}

#[test]
fn the_checker_finds_what_is_wrong() {
    let shop = parse_job_shop("2 2\n0 3 1 2\n0 2 1 4\n").expect("shop");
    let plan = |makespan, starts: [[i64; 2]; 2]| Plan { makespan, starts: starts.iter().map(|row| row.to_vec()).collect(), machines: None, bound: 0 };
    assert!(check(&shop, &plan(9, [[0, 3], [3, 5]])).violations.is_empty());
    let words = |plan: &Plan| check(&shop, plan).violations.join("; ");
    assert_eq!(words(&plan(8, [[0, 3], [3, 5]])), "takes 9, not the stated 8");
    assert_eq!(words(&plan(9, [[0, 2], [3, 5]])), "job 0, operation 1: starts at 2, before 3");
    assert_eq!(words(&plan(9, [[0, 3], [2, 5]])), "machine 0: job 1 starts at 2, while job 0 runs until 3");
    let flexible = parse_flexible("1 2\n1 2 1 5 2 6\n").expect("shop");
    let stated = |machines| Plan { makespan: 6, starts: vec![vec![0]], machines, bound: 0 };
    assert!(check(&flexible, &stated(Some(vec![vec![1]]))).violations.is_empty());
    assert_eq!(check(&flexible, &stated(None)).violations[0], "job 0, operation 0: on no machine that can do it");
}
