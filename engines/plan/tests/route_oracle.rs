//! Routes against brute force, published solutions (skipped when the shared data are not there) and properties.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use baton_plan::Job;
use baton_plan::routes::{Metric, Node, Plan, Problem, Reason, check, parse, solve};
use baton_plan::{Alone, Crew};
use proptest::prelude::*;

fn shared(path: &str) -> Option<String> {
    let root = std::env::var("BATON_SHARED").map_or_else(|_| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared")), PathBuf::from);
    let text = std::fs::read_to_string(root.join("data/planning/routes").join(path)).ok();
    if text.is_none() {
        use std::io::Write;
        writeln!(std::io::stderr(), "skipped: shared data {path} not found").expect("stderr");
    }
    text
}

fn planned(problem: &Problem, seed: u64, hands: usize, rounds: u64) -> Plan {
    planned_by(&Alone(hands), problem, seed, rounds)
}

fn planned_by(crew: &dyn Crew, problem: &Problem, seed: u64, rounds: u64) -> Plan {
    let asked = AtomicU64::new(0);
    let spent = || asked.fetch_add(1, Ordering::Relaxed) as f64 / rounds as f64;
    solve(problem, seed, crew, &spent, &mut |_| {})
}

/// Two hands, the second always first.
struct Backwards;

impl Crew for Backwards {
    fn hands(&self) -> usize {
        2
    }

    fn run<'a>(&self, jobs: Vec<Job<'a>>) {
        jobs.into_iter().rev().for_each(|job| job());
    }
}

fn assert_sound(problem: &Problem, plan: &Plan) {
    let report = check(problem, plan);
    assert_eq!(report.violations, Vec::<String>::new());
    assert!((report.cost - plan.cost).abs() < 1e-9);
}

const SOLOMON: &str = "tiny\n\nVEHICLE\nNUMBER     CAPACITY\n  3         10\n\nCUSTOMER\nCUST NO.  XCOORD.   YCOORD.    DEMAND   READY TIME  DUE DATE   SERVICE TIME\n\n\
    0  0  0  0  0 100 0\n    1  3  4  6  0  90 1\n    2  6  8  4  0  90 1\n    3 -5  0  5 20 30 1\n";

const VRPLIB: &str = "NAME : tiny\nTYPE : VRPTW\nDIMENSION : 4\nVEHICLES : 3\nCAPACITY : 10\nSERVICE_TIME : 1\nEDGE_WEIGHT_TYPE : EUC_2D\nNODE_COORD_SECTION\n\
    1 0 0\n2 3 4\n3 6 8\n4 -5 0\nDEMAND_SECTION\n1 0\n2 6\n3 4\n4 5\nTIME_WINDOW_SECTION\n1 0 100\n2 0 90\n3 0 90\n4 20 30\nDEPOT_SECTION\n1\n-1\nEOF\n";

#[test]
fn the_two_texts_say_the_same_with_their_own_numbers() {
    let (solomon, vrplib) = (parse(SOLOMON).expect("Solomon"), parse(VRPLIB).expect("VRPLIB"));
    let (one, other) = (planned(&solomon, 1, 1, 3), planned(&vrplib, 1, 1, 3));
    assert_sound(&solomon, &one);
    assert_sound(&vrplib, &other);
    assert_eq!(serde_json::to_string(&one).expect("json"), r#"{"cost":30.0,"routes":[[1,2],[3]]}"#);
    assert_eq!(other.routes, vec![vec![2, 3], vec![4]]);
}

#[test]
fn distances_follow_the_kind_of_file() {
    let text = |kind: &str, weight: &str, windows: &str| {
        format!(
            "NAME : x\nTYPE : {kind}\nDIMENSION : 2\nCAPACITY : 9\nEDGE_WEIGHT_TYPE : {weight}\nNODE_COORD_SECTION\n1 0 0\n2 1 3\nDEMAND_SECTION\n1 0\n2 1\n{windows}"
        )
    };
    let windows = "TIME_WINDOW_SECTION\n1 0 99\n2 0 99\n";
    let length = |text: String| parse(&text).expect("file").distance(0, 1); // the root of 10 is 3.162…
    assert_eq!(length(text("VRPTW", "EUC_2D", windows)), 31);
    assert_eq!(length(text("CVRP", "EUC_2D", "")), 3);
    assert_eq!(length(text("CVRPTW", "FLOOR_2D\nSCALE : 100", windows)), 316);
    let listed = "DIMENSION : 3\nCAPACITY : 9\nEDGE_WEIGHT_TYPE : EXPLICIT\nEDGE_WEIGHT_FORMAT : LOWER_ROW\nEDGE_WEIGHT_SECTION\n7\n8 9\nDEMAND_SECTION\n1 0\n2 1\n3 1\n";
    let problem = parse(listed).expect("explicit");
    assert_eq!([problem.distance(1, 0), problem.distance(0, 2), problem.distance(2, 1)], [7, 8, 9]);
    assert_sound(&problem, &planned(&problem, 1, 1, 2));
}

#[test]
fn faults_name_line_and_field() {
    let fault = |text: &str| parse(text).expect_err("fault").to_string();
    assert_eq!(fault(&SOLOMON.replace("  3         10", "  3  ten")), "line 5, CAPACITY: `ten` is not a number");
    assert_eq!(fault(&SOLOMON.replace("20 30 1", "20 30")), "line 13, customer: has 6 columns instead of 7");
    assert_eq!(fault(&SOLOMON.replace("20 30 1", "30 20 1")), "line 13, DUE DATE: is before READY TIME");
    assert_eq!(fault(&SOLOMON.replace("    3 -5", "    2 -5")), "CUST NO.: 2 is there twice");
    assert_eq!(fault(&VRPLIB.replace("4 -5 0", "4 -5 1e99")), "line 12, NODE_COORD_SECTION: 1e99 is not within -10000000 to 10000000");
    assert_eq!(fault(&VRPLIB.replace("4 20 30", "5 20 30")), "line 22, TIME_WINDOW_SECTION: node 5 is unknown");
    assert_eq!(fault(&VRPLIB.replace("\n4 5\n", "\n")), "line 13, DEMAND_SECTION: does not list every node");
    assert_eq!(fault(&VRPLIB.replace("EUC_2D", "GEO")), "line 7, EDGE_WEIGHT_TYPE: `GEO` is not understood (EUC_2D, FLOOR_2D, EXPLICIT)");
    assert_eq!(fault(&VRPLIB.replace("CAPACITY : 10\n", "")), "CAPACITY: is missing");
    assert_eq!(fault(&VRPLIB.replace("DEPOT_SECTION\n1\n-1", "DEPOT_SECTION\n1\n2")), "line 25, DEPOT_SECTION: names a second depot; one is understood");
    assert_eq!(fault("hello"), "line 1, hello: is neither a header (`KEY : value`) nor within a section");
}

#[test]
fn who_cannot_be_served_is_named_with_the_reason() {
    let text = SOLOMON.replace("  6  0  90 1", "  11  0  90 1").replace("20 30 1", "0 4 1").replace("  4  0  90 1", "  4  0  90 81");
    let problem = parse(&text).expect("file");
    let plan = planned(&problem, 1, 2, 2);
    assert_sound(&problem, &plan);
    let reasons: Vec<(u32, Reason)> = plan.unserved.iter().map(|one| (one.customer, one.reason)).collect();
    assert_eq!(reasons, vec![(1, Reason::TooLarge), (2, Reason::BackTooLate), (3, Reason::TooFar)]);
}

#[test]
fn the_checker_finds_what_is_wrong() {
    let problem = parse(SOLOMON).expect("file");
    let words = |cost: f64, routes: &[&[u32]]| {
        let routes = routes.iter().map(|route| route.to_vec()).collect();
        check(&problem, &Plan { cost, routes, unserved: Vec::new() }).violations.join("; ")
    };
    assert_eq!(words(30.0, &[&[1, 2], &[3]]), "");
    assert_eq!(words(29.9, &[&[1, 2], &[3]]), "costs 30, not the stated 29.9");
    assert_eq!(words(20.0, &[&[1, 2]]), "customer 3 is not served");
    assert_eq!(words(40.0, &[&[1, 2], &[3], &[1]]), "customer 1 is served 2 times");
    assert_eq!(words(41.9, &[&[1, 3], &[2], &[9]]), "route 1: carries 11 of 10; route 3: no customer 9; costs 38.9, not the stated 41.9");
    assert_eq!(words(38.6, &[&[2, 3], &[1]]), "");
    let late = parse(&SOLOMON.replace("20 30 1", "0 20 1")).expect("file");
    let plan = Plan { cost: 38.6, routes: vec![vec![2, 3], vec![1]], unserved: Vec::new() };
    assert_eq!(check(&late, &plan).violations, vec!["route 1: at 3 in tick 246, which closes in 200"]);
    let small = parse(&SOLOMON.replace("  3         10", "  1         99")).expect("file");
    let plan = Plan { cost: 30.0, routes: vec![vec![1, 2], vec![3]], unserved: Vec::new() };
    assert_eq!(check(&small, &plan).violations, vec!["2 vehicles of 1"]);
}

/// Up to seven customers with windows that a lone vehicle can keep.
fn tiny() -> impl Strategy<Value = Problem> {
    let customer = (0..40_i32, 0..40_i32, 1..6_i32, 0..300_i32, 0..400_i32, 0..20_i32);
    proptest::collection::vec(customer, 1..=7).prop_map(|customers| {
        let node = |label, x: i32, y: i32, demand, open, close, service| Node { label, x: x.into(), y: y.into(), demand, open, close, service };
        let mut nodes = vec![node(0, 20, 20, 0, 0, 2000, 0)];
        for (x, y, demand, open, width, service) in customers {
            nodes.push(node(nodes.len() as u32, x, y, demand, open, open.max(290) + width, service));
        }
        Problem::euclidean("tiny".into(), 10, Metric::Truncated, 10, None, nodes).expect("near")
    })
}

/// The least ticks by trying every order of customers and every place to return to the depot.
fn brute_force(problem: &Problem, at: usize, clock: i32, load: i32, left: &mut Vec<usize>) -> i64 {
    let home = i64::from(problem.distance(at, 0));
    if left.is_empty() {
        return if clock + problem.distance(at, 0) <= problem.nodes[0].close { home } else { i64::MAX / 4 };
    }
    let mut best = i64::MAX / 4;
    if at != 0 && clock + problem.distance(at, 0) <= problem.nodes[0].close {
        best = home + brute_force(problem, 0, 0, 0, left);
    }
    for index in 0..left.len() {
        let next = left.swap_remove(index);
        let node = &problem.nodes[next];
        let starts = (clock + problem.distance(at, next)).max(node.open);
        if starts <= node.close && load + node.demand <= problem.capacity {
            best = best.min(i64::from(problem.distance(at, next)) + brute_force(problem, next, starts + node.service, load + node.demand, left));
        }
        left.push(next);
        let last = left.len() - 1;
        left.swap(index, last);
    }
    best
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn tiny_problems_are_planned_optimally(problem in tiny(), hands in 1..3_usize) {
        let plan = planned(&problem, 3, hands, 3);
        assert_sound(&problem, &plan);
        let least = brute_force(&problem, 0, 0, 0, &mut (1..=problem.customers()).collect());
        prop_assert_eq!((plan.cost * 10.0).round() as i64, least);
    }

    #[test]
    fn no_text_makes_the_parser_panic(lines in proptest::collection::vec("(VEHICLE|CUSTOMER|DIMENSION : 3|CAPACITY : 9|EDGE_WEIGHT_TYPE : (EUC_2D|EXPLICIT)|[A-Z]{4}_SECTION|(DEMAND|NODE_COORD|DEPOT)_SECTION|[-0-9. ]{0,12})", 0..20)) {
        let _ = parse(&lines.join("\n"));
    }
}

/// The third customer is reached in time only by way of the second, which would save more driving between the fourth and the fifth.
#[test]
fn leaving_out_a_stop_never_makes_a_plan_late() {
    let near = [[1, 2], [2, 3], [2, 4], [2, 5]];
    let length = |from: usize, to: usize| match [from.min(to), from.max(to)] {
        [same, other] if same == other => 0,
        [0, _] => 100,
        pair if near.contains(&pair) => 10,
        [1, 3] => 190,
        [4, 5] => 198,
        _ => 500,
    };
    let window = |index: usize| [(0, 2000), (100, 100), (0, 900), (0, 130), (0, 900), (0, 900)][index];
    let node = |index: usize| {
        let (open, close) = window(index);
        Node { label: index as u32, x: 0.0, y: 0.0, demand: i32::from(index > 0), open, close, service: 0 }
    };
    let distances = (0..36).map(|at| length(at / 6, at % 6)).collect();
    let problem = Problem::explicit("odd".into(), 3, None, (0..6).map(node).collect(), distances).expect("symmetric");
    let plan = planned(&problem, 1, 1, 3);
    assert_sound(&problem, &plan);
    assert_eq!(plan.cost, 618.0);
}

/// Customers on a grid with staggered windows: enough of them that the routes are shared out among the hands.
fn grid(side: usize) -> Problem {
    let mut nodes = vec![Node { label: 0, x: 0.0, y: 0.0, demand: 0, open: 0, close: 100_000, service: 0 }];
    for index in 0..side * side {
        let open = (index * 7919 % 50) as i32 * 100;
        let (x, y) = ((index % side) as f64 - 9.0, (index / side) as f64 - 9.0);
        nodes.push(Node { label: index as u32 + 1, x, y, demand: 1, open, close: open + 3000, service: 10 });
    }
    Problem::euclidean("grid".into(), 10, Metric::Truncated, 25, Some(40), nodes).expect("grid")
}

#[test]
fn the_same_seed_and_rounds_give_the_same_plan_and_two_hands_share_the_work() {
    let small = grid(6);
    assert_eq!(planned(&small, 9, 2, 4), planned_by(&Backwards, &small, 9, 4));
    let problem = grid(18);
    let plan = planned(&problem, 9, 2, 4);
    assert_sound(&problem, &plan);
    assert_eq!(plan, planned_by(&Backwards, &problem, 9, 4));
    assert_ne!(plan, planned(&problem, 10, 2, 4));
    let longer = planned(&problem, 9, 2, 20);
    assert_sound(&problem, &longer);
    assert!(longer.cost < plan.cost, "{} after 20 rounds, {} after 4", longer.cost, plan.cost);
}

#[test]
fn it_plans_until_the_budget_is_gone_and_never_gets_worse() {
    let problem = grid(6);
    let asked = AtomicU64::new(0);
    let mut reported = Vec::new();
    let plan = solve(&problem, 1, &Alone(1), &|| asked.fetch_add(1, Ordering::Relaxed) as f64 / 10.0, &mut |progress| reported.push(progress.cost));
    assert_sound(&problem, &plan);
    assert_eq!(asked.into_inner(), 11);
    assert!(reported.windows(2).all(|pair| pair[1] < pair[0]), "{reported:?}");
    assert_eq!(reported.last(), Some(&plan.cost));
}

#[test]
fn published_solutions_cost_what_they_say_and_solomon_files_are_kept_to_their_fleet() {
    for name in ["R1_10_1", "RC2_10_5", "C1_10_4"] {
        let (Some(text), Some(solution)) = (shared(&format!("gehring-homberger-1000/{name}.vrp")), shared(&format!("gehring-homberger-1000/{name}.sol")))
        else {
            return;
        };
        let (mut routes, mut cost) = (Vec::new(), 0.0);
        for line in solution.lines() {
            if let Some((_, stops)) = line.split_once(':') {
                routes.push(stops.split_whitespace().map(|word| word.parse::<u32>().expect("customer") + 1).collect()); // k is node k + 1
            } else if let Some(stated) = line.strip_prefix("Cost ") {
                cost = stated.trim().parse().expect("cost");
            }
        }
        assert_sound(&parse(&text).expect(name), &Plan { cost, routes, unserved: Vec::new() });
    }
    let Some(text) = shared("solomon-100/R101.100.20.vrptw") else { return };
    let problem = parse(&text).expect("R101");
    let plan = planned(&problem, 1, 1, 25);
    assert_sound(&problem, &plan);
    assert!(plan.cost < 1660.0, "{} where 1637.7 is possible", plan.cost);
}
