//! Long and large rosters whose contracts leave little but one known legal row a person: a legal roster is found, and the
//! search ends soon after its budget.

mod family;

use baton_plan::Alone;
use baton_plan::roster::solve::{Budget, WORK_SEARCHERS, solve};
use baton_plan::roster::{check, format};

/// Steps that may be done after the budget is used up; a second has some 10 million.
const GRACE: u64 = 10_000_000;

fn solved(text: &str, steps: u64) -> (check::Report, u64) {
    let problem = format::parse(text).expect("the family is well formed");
    let mut work = 0;
    let plan = solve(&problem, 1, &Alone(1), Budget::Work(steps), &mut |progress| work = progress.work);
    (check::check(&problem, &plan), work)
}

#[test]
fn long_tight_rosters_become_legal() {
    for (seed, days, staff, shifts, tight) in [(1, 56, 12, 4, true), (2, 182, 6, 6, true), (3, 364, 3, 10, true), (5, 182, 2, 32, true)] {
        let (report, _) = solved(&family::instance(seed, days, staff, shifts, tight), 5_000_000);
        assert_eq!(report.violations, vec![], "{days} days, {staff} people, {shifts} shifts");
    }
}

#[test]
fn the_search_ends_soon_after_its_budget() {
    for steps in [1, 1_000_000] {
        let (_, work) = solved(&family::instance(6, 364, 8, 32, true), steps);
        assert!(work <= WORK_SEARCHERS as u64 * (steps + GRACE), "{work} steps for {steps}");
    }
}
