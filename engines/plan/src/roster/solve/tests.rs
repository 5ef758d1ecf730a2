//! The search against the checker and against complete enumeration.

use super::super::check::{Report, check};
use super::super::problem::{Pin, Problem};
use super::super::testing::{drawn, week};
use super::model::{Code, Model, OFF};
use super::row::{RowSearch, Wanted};
use super::state::{State, row_broken};
use super::{Budget, plan_of, solve};
use crate::crew::Alone;
use crate::random::Random;

fn report(problem: &Problem, model: &Model, rows: &[Code]) -> Report {
    check(problem, &plan_of(model, rows))
}

fn random_rows(model: &Model, random: &mut Random, work: usize) -> Vec<Code> {
    let cell = |at: usize, random: &mut Random| {
        let code = if random.below(10) < work { 1 + random.below(model.codes - 1) } else { 0 };
        if model.allowed[at] >> code & 1 == 1 { code as Code } else { OFF }
    };
    (0..model.staff * model.days).map(|at| cell(at, random)).collect()
}

#[test]
fn the_search_counts_what_the_checker_counts() {
    let mut random = Random::new(5, 0);
    for seed in 0..30 {
        let problem = drawn(seed, 14, 6);
        let model = Model::new(&problem).unwrap();
        let rows = random_rows(&model, &mut random, 3 + seed as usize % 6);
        let state = State::new(&model, rows.clone());
        let report = report(&problem, &model, &rows);
        assert_eq!(state.soft, report.objective() as i64);
        for employee in 0..model.staff {
            let is_broken = report.violations.iter().any(|v| v.employee == employee);
            assert_eq!(state.broken(employee) > 0, is_broken, "employee {employee} of {seed}");
        }
    }
}

#[test]
fn thousands_of_moves_keep_the_counts_true() {
    let problem = drawn(3, 28, 9);
    let model = Model::new(&problem).unwrap();
    let mut random = Random::new(11, 0);
    let mut state = State::new(&model, random_rows(&model, &mut random, 6));
    for temperature in [100.0, 10.0, 1.0] {
        super::anneal::sweep(&mut state, &mut random, super::anneal::Heat { temperature, price: 150.0 }, 20_000);
        let fresh = State::new(&model, state.rows.clone());
        assert_eq!((state.soft, state.hard, &state.present), (fresh.soft, fresh.hard, &fresh.present));
        assert_eq!(state.soft, report(&problem, &model, &state.rows).objective() as i64);
    }
}

/// The cheapest legal row by trying every one.
fn cheapest(model: &Model, employee: usize, prices: &[i32]) -> Option<i32> {
    let mut best = None;
    for number in 0..(model.codes as u64).pow(model.days as u32) {
        let row: Vec<Code> = (0..model.days as u32).map(|day| (number / (model.codes as u64).pow(day) % model.codes as u64) as Code).collect();
        if row.iter().enumerate().all(|(day, code)| model.may(employee, day, *code)) && row_broken(model, employee, &row) == 0 {
            let cost: i32 = row.iter().enumerate().map(|(day, code)| prices[day * model.codes + *code as usize]).sum();
            best = Some(best.map_or(cost, |known: i32| known.min(cost)));
        }
    }
    best
}

#[test]
fn the_row_search_finds_the_cheapest_legal_row() {
    let mut random = Random::new(1, 0);
    for round in 0..12 {
        let problem = if round % 2 == 0 { week() } else { drawn(round, 7, 3) };
        let model = Model::new(&problem).unwrap();
        let mut search = RowSearch::new(&model);
        for employee in 0..model.staff {
            let prices: Vec<i32> = (0..model.days * model.codes).map(|_| random.below(60) as i32 - 30).collect();
            let row = vec![OFF; model.days];
            let wanted = Wanted { employee, row: &row, window: 0..model.days, prices: &prices, codes: u64::MAX, below: i32::MAX / 8, width: 1000, trials: 9 };
            let found = search.best(&wanted);
            let cost = found.as_ref().map(|row| search.cost(employee, &(0..model.days), row, &prices));
            assert_eq!(cost, cheapest(&model, employee, &prices), "round {round}, employee {employee}");
            assert!(found.is_none_or(|row| row_broken(&model, employee, &row) == 0));
        }
    }
}

#[test]
fn a_searched_window_leaves_the_rest_of_the_row() {
    let problem = drawn(8, 28, 4);
    let model = Model::new(&problem).unwrap();
    let mut search = RowSearch::new(&model);
    let mut random = Random::new(2, 0);
    let mut builder = super::rebuild::Builder::new(&model);
    let state = builder.construct(&mut random, &|_| true);
    for employee in 0..model.staff {
        let row = state.row(employee);
        assert_eq!(row_broken(&model, employee, row), 0, "construction found no legal row");
        for from in 0..model.days - 7 {
            let window = from..from + 7;
            let prices: Vec<i32> = (0..model.days * model.codes).map(|_| random.below(60) as i32 - 30).collect();
            let wanted = Wanted { employee, row, window: window.clone(), prices: &prices, codes: u64::MAX, below: i32::MAX / 8, width: 1000, trials: 9 };
            let found = search.best(&wanted).expect("the row itself is legal");
            assert_eq!(row_broken(&model, employee, &found), 0);
            assert!(search.cost(employee, &window, &found, &prices) <= search.cost(employee, &window, row, &prices));
            assert!((0..model.days).all(|day| window.contains(&day) || found[day] == row[day]));
        }
    }
}

/// The least objective of the week by trying every combination of legal rows.
fn optimum(problem: &Problem) -> u64 {
    let model = Model::new(problem).unwrap();
    let legal_rows = |employee: usize| -> Vec<Vec<Code>> {
        let all = (0..3_u32.pow(7)).map(|n| (0..7).map(|day| (n / 3_u32.pow(day) % 3) as Code).collect::<Vec<_>>());
        all.filter(|row| row.iter().enumerate().all(|(d, c)| model.may(employee, d, *c)) && row_broken(&model, employee, row) == 0).collect()
    };
    let rows: Vec<_> = (0..3).map(legal_rows).collect();
    let mut best = i64::MAX;
    for ann in &rows[0] {
        for bo in &rows[1] {
            for cy in &rows[2] {
                let mut cost = 0;
                for day in 0..7 {
                    let codes = [ann[day], bo[day], cy[day]];
                    cost += codes.iter().enumerate().map(|(e, c)| i64::from(model.wish(e, day, *c))).sum::<i64>();
                    for code in 1..3 {
                        cost += model.demand[day * 3 + code].cost(codes.iter().filter(|c| **c as usize == code).count() as i32);
                    }
                }
                best = best.min(cost);
            }
        }
    }
    best as u64
}

#[test]
fn a_tiny_roster_is_solved_to_its_optimum() {
    let problem = week();
    let plan = solve(&problem, 1, &Alone(1), Budget::Work(60_000), &mut |_| {});
    let report = check(&problem, &plan);
    assert_eq!(report.violations, vec![]);
    assert_eq!(report.objective(), optimum(&problem));
}

#[test]
fn the_same_seed_and_work_give_the_same_plan_with_any_crew() {
    struct Threads;
    impl crate::Crew for Threads {
        fn hands(&self) -> usize {
            7
        }
        fn run<'a>(&self, jobs: Vec<crate::Job<'a>>) {
            std::thread::scope(|scope| jobs.into_iter().for_each(|job| _ = scope.spawn(job)));
        }
    }
    let problem = drawn(4, 28, 8);
    let run = |seed, crew: &dyn crate::Crew| solve(&problem, seed, crew, Budget::Work(300_000), &mut |_| {});
    let plan = run(5, &Alone(1));
    assert_eq!(plan, run(5, &Alone(1)));
    assert_eq!(plan, run(5, &Alone(3)));
    assert_eq!(plan, run(5, &Threads));
    assert_ne!(plan, run(6, &Alone(1)));
}

#[test]
fn progress_never_gets_worse_and_ends_at_the_plan() {
    let problem = drawn(2, 28, 8);
    let mut steps = vec![];
    let plan = solve(&problem, 1, &Alone(2), Budget::Work(200_000), &mut |p| steps.push(p));
    assert!(steps.windows(2).all(|pair| pair[1].objective <= pair[0].objective && pair[0].work <= pair[1].work));
    let report = check(&problem, &plan);
    assert_eq!((report.violations.len(), report.objective() as i64), (0, steps.last().unwrap().objective));
}

#[test]
fn a_search_that_is_stopped_at_once_or_later_gives_what_it_has() {
    use std::sync::atomic::{AtomicU32, Ordering};
    let problem = drawn(2, 14, 5);
    solve(&problem, 1, &Alone(1), Budget::Share(&|| 1.0), &mut |_| {});
    for after in [60, 500, 3_000] {
        let looks = AtomicU32::new(0);
        // Slow at first, then all of a sudden over, wherever the search is.
        let share = || if looks.fetch_add(1, Ordering::Relaxed) < after { looks.load(Ordering::Relaxed) as f32 / 4_000.0 } else { 1.0 };
        let plan = solve(&problem, 1, &Alone(1), Budget::Share(&share), &mut |_| {});
        assert_eq!(check(&problem, &plan).violations, vec![], "after {after}");
        assert!(!plan.assignments.is_empty());
    }
}

#[test]
fn pins_hold() {
    let mut problem = drawn(6, 14, 6);
    problem.pins = vec![Pin { employee: 0, day: 2, shift: Some(1) }, Pin { employee: 0, day: 3, shift: Some(1) }, Pin { employee: 1, day: 4, shift: None }];
    let plan = solve(&problem, 1, &Alone(1), Budget::Work(60_000), &mut |_| {});
    assert_eq!(check(&problem, &plan).violations, vec![]);
}

#[test]
fn what_cannot_be_legal_is_kept_as_small_as_it_can_be() {
    let mut problem = week();
    problem.staff[0].min_minutes = 480 * 7;
    problem.staff[0].max_minutes = 480 * 7;
    let report = check(&problem, &solve(&problem, 1, &Alone(1), Budget::Work(60_000), &mut |_| {}));
    assert!(!report.violations.is_empty() && report.violations.iter().all(|v| v.employee == 0));
}

#[test]
fn nonsense_gets_an_empty_plan() {
    let mut unknown = week();
    unknown.cover[0].shift = 9;
    let mut huge = week();
    huge.days = usize::MAX;
    for problem in [Problem::default(), unknown, huge] {
        assert_eq!(solve(&problem, 1, &Alone(1), Budget::Work(1000), &mut |_| {}).assignments, vec![]);
    }
    let mut heavy = week();
    heavy.cover.iter_mut().for_each(|c| (c.under, c.over) = (u32::MAX, u32::MAX));
    heavy.on_requests.iter_mut().for_each(|r| r.weight = u32::MAX);
    let plan = solve(&heavy, 1, &Alone(1), Budget::Work(20_000), &mut |_| {});
    assert_eq!(check(&heavy, &plan).violations, vec![]);
}
