//! The reagent factory: against closed forms, by hand, and as properties.

use baton_plan::production::factory::{Actual, Factory, Lot, Plan, Product, Reason, Short, Stage, check, compare, reach, solve};
use proptest::prelude::*;

fn stage(id: &str, machines: i64, load_tests: i64) -> Stage {
    Stage {
        id: id.into(),
        machines,
        minutes_per_shift: 480,
        closed: Vec::new(),
        setup_minutes: 0,
        load_tests,
        lag_shifts: 1,
        yield_permille: 1000,
        keeps_shifts: None,
    }
}

fn product(id: &str, load_minutes: &[i64], demand: Vec<i64>) -> Product {
    Product { id: id.into(), load_minutes: load_minutes.to_vec(), stock: 0, demand }
}

fn planned(factory: &Factory) -> Plan {
    factory.validate().expect("valid");
    let plan = solve(factory);
    assert_eq!(check(factory, &plan).violations, Vec::<String>::new());
    plan
}

/// Mixes, fills, freeze-dries and packs; the freeze-dryers are just enough for 2.2 million a day.
fn works(machines: i64) -> Factory {
    let mut stages = vec![stage("mix", 1, 800_000), stage("fill", 8, 2000), stage("freeze-dry", machines, 37_500), stage("pack", 20, 1000)];
    (stages[2].lag_shifts, stages[2].yield_permille) = (3, 980);
    Factory { shifts: 3, stages, quarantine_shifts: 6, products: vec![product("kit", &[240, 8, 480, 10], vec![0; 3])] }
}

#[test]
fn two_million_can_be_reached_and_two_point_six_cannot_with_the_stage_named() {
    let factory = works(20);
    let answer = reach(&factory, 2_000_000);
    assert!(answer.reachable);
    // 20 dryers × 3 loads a day × 37,500 × 0.98, within a ten-thousandth.
    assert!((2_204_700..=2_205_000).contains(&answer.most_per_day), "{answer:?}");
    let more = reach(&factory, 2_600_000);
    assert_eq!((more.reachable, more.binding), (false, 2));
    assert!((2_314_900..=2_315_250).contains(&more.with_one_more[2]), "{more:?}");
    assert!(more.with_one_more[0] <= more.most_per_day + 300);
    assert!(reach(&works(24), 2_600_000).reachable);
}

#[test]
fn what_was_made_is_held_against_the_plan() {
    // Two stages of one shift each; 300 tests are due in shift 4, 100 of them are lost on the first stage.
    let mut stages = vec![stage("fill", 1, 1), stage("pack", 1, 1)];
    stages[1].yield_permille = 500;
    let factory = Factory { shifts: 6, stages, quarantine_shifts: 0, products: vec![product("kit", &[1, 1], vec![0, 0, 0, 0, 300, 0])] };
    let plan = planned(&factory);
    let over: Vec<Lot> = plan.lots.iter().filter(|lot| lot.shift <= 1).cloned().collect();
    let same = compare(&factory, &plan, &Actual { through_shift: 1, lots: over.clone() }).expect("fits");
    assert!(same.endangered.is_empty() && same.farthest_behind.is_none(), "{same:?}");
    assert!(same.lines.iter().all(|line| line.planned == line.made));
    let mut less = over.clone();
    less.iter_mut().find(|lot| lot.stage == 0).expect("filled").good -= 100;
    let compared = compare(&factory, &plan, &Actual { through_shift: 1, lots: less }).expect("fits");
    assert_eq!(compared.farthest_behind.as_deref(), Some("fill"));
    let endangered = &compared.endangered[0];
    assert_eq!((endangered.shift, endangered.missing, endangered.missing_in_plan), (4, 50, 0), "half of a hundred would have been good");
    let early = compare(&factory, &plan, &Actual { through_shift: 0, lots: plan.lots.clone() });
    assert!(early.expect_err("not over yet").field.starts_with("actual.lots["));
}

#[test]
fn a_change_over_is_saved_by_carrying_the_set_up_across_shifts() {
    // 480 minutes a shift, 100 minutes a change-over, a test a minute: two products, 380 tests of each by the end of shift 3.
    let demand = |tests: i64| vec![0, 0, 0, tests];
    let mut only = stage("only", 1, 1);
    (only.setup_minutes, only.lag_shifts) = (100, 1);
    let factory = |tests| Factory {
        shifts: 4,
        stages: vec![only.clone()],
        quarantine_shifts: 0,
        products: vec![product("a", &[1], demand(tests)), product("b", &[1], demand(tests))],
    };
    // Three shifts are 1,440 minutes; two change-overs leave 1,240.
    assert_eq!(planned(&factory(620)).short, vec![]);
    let plan = planned(&factory(630));
    assert_eq!(plan.short.iter().map(|short| short.missing).sum::<i64>(), 20);
    assert_eq!(plan.short[0].reason, Reason::Capacity { stage: 0 });
}

#[test]
fn lead_time_and_keeping_are_told_apart() {
    let mut factory =
        Factory { shifts: 6, stages: vec![stage("only", 1, 1)], quarantine_shifts: 2, products: vec![product("a", &[1], vec![0, 0, 10, 0, 0, 0])] };
    assert_eq!(planned(&factory).short, vec![Short { product: 0, shift: 2, missing: 10, reason: Reason::LeadTime }]);
    factory.products[0].demand = vec![0, 0, 0, 0, 0, 700];
    assert_eq!(planned(&factory).short, vec![]);
    factory.stages[0].keeps_shifts = Some(0);
    assert_eq!(planned(&factory).short, vec![Short { product: 0, shift: 5, missing: 220, reason: Reason::Keeping { stage: 0 } }]);
    factory.products[0].stock = 300;
    assert_eq!(planned(&factory).short, vec![]);
}

#[test]
fn the_checker_finds_what_is_wrong() {
    let mut factory = Factory {
        shifts: 3,
        stages: vec![stage("one", 1, 10), stage("two", 1, 10)],
        quarantine_shifts: 0,
        products: vec![product("a", &[10, 10], vec![0, 0, 90])],
    };
    (factory.stages[0].yield_permille, factory.stages[0].setup_minutes, factory.stages[0].keeps_shifts) = (900, 30, Some(0));
    let lot = |stage, shift, started, good| Lot { stage, shift, product: 0, started, good };
    let words = |lots: Vec<Lot>, missing| {
        let short = if missing > 0 { vec![Short { product: 0, shift: 2, missing, reason: Reason::LeadTime }] } else { vec![] };
        check(&factory, &Plan { lots, short }).violations.join("; ")
    };
    assert_eq!(words(vec![lot(0, 0, 100, 90), lot(1, 1, 90, 90)], 0), "");
    assert_eq!(words(vec![lot(0, 0, 100, 91), lot(1, 1, 91, 91)], 0), "one: 91 good of 100 started in shift 0");
    assert_eq!(words(vec![lot(0, 0, 80, 72), lot(1, 1, 90, 90)], 0), "two: 18 tests of a are not there in shift 1");
    assert_eq!(words(vec![lot(0, 0, 500, 450), lot(1, 1, 90, 90)], 0), "one: works 530 minutes of 480 in shift 0");
    assert_eq!(words(vec![lot(0, 0, 100, 90), lot(1, 1, 80, 80)], 0), "a: 10 missing in shift 2, not the stated 0");
    assert_eq!(words(vec![lot(0, 0, 100, 90), lot(1, 2, 90, 90)], 90), "two: 90 tests of a are not there in shift 2");
    assert_eq!(words(vec![lot(2, 0, 1, 1)], 90), "a lot names a stage, shift or product that is not there, or starts nothing");
    let late = check(&factory, &Plan { lots: vec![lot(0, 0, 100, 90)], short: vec![Short { product: 0, shift: 2, missing: 90, reason: Reason::LeadTime }] });
    assert_eq!((late.expired[0], late.missing, late.violations), (90, 90, vec![]));
}

#[test]
fn fields_out_of_bounds_are_named() {
    let mut factory = works(20);
    factory.stages[2].yield_permille = 1001;
    assert_eq!(factory.validate().expect_err("yield").to_string(), "stages[2].yield_permille: 1001 is not within 1 to 1000");
    factory.products[0].demand.pop();
    factory.stages[2].yield_permille = 1000;
    assert_eq!(factory.validate().expect_err("demand").field, "products[0].demand: shifts");
}

fn any_stage() -> impl Strategy<Value = Stage> {
    (0..4_i64, 0..200_i64, 1..50_i64, 0..3_usize, 800..=1000_i64, proptest::option::of(0..5_usize), proptest::collection::vec(0..12_usize, 0..3)).prop_map(
        |(machines, setup_minutes, load_tests, lag_shifts, yield_permille, keeps_shifts, closed)| Stage {
            setup_minutes,
            lag_shifts,
            yield_permille,
            keeps_shifts,
            closed,
            ..stage("any", machines, load_tests)
        },
    )
}

fn any_factory() -> impl Strategy<Value = Factory> {
    (proptest::collection::vec(any_stage(), 1..4), 1..4_usize, 0..3_usize).prop_flat_map(|(stages, products, quarantine_shifts)| {
        let one = (proptest::collection::vec(1..100_i64, stages.len()), proptest::collection::vec(0..600_i64, 12), 0..500_i64);
        proptest::collection::vec(one, products).prop_map(move |products| Factory {
            shifts: 12,
            stages: stages.clone(),
            quarantine_shifts,
            products: products.into_iter().map(|(minutes, demand, stock)| Product { stock, ..product("p", &minutes, demand) }).collect(),
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_plan_can_be_run(factory in any_factory()) {
        let plan = planned(&factory);
        let report = check(&factory, &plan);
        let demand: i64 = factory.products.iter().flat_map(|product| &product.demand).sum();
        prop_assert_eq!(report.delivered + report.missing, demand);
    }

    /// With one product, one stage and no change-over, what can be made early enough is all that matters.
    #[test]
    fn one_product_on_one_stage_misses_nothing_that_could_be_made(
        demand in proptest::collection::vec(0..900_i64, 10), lag in 0..3_usize, closed in proptest::collection::vec(0..10_usize, 0..4)
    ) {
        let mut only = stage("only", 1, 1);
        (only.lag_shifts, only.closed) = (lag, closed);
        let factory = Factory { shifts: 10, stages: vec![only], quarantine_shifts: 0, products: vec![product("a", &[1], demand.clone())] };
        let mut fits = true;
        for shift in 0..10 {
            let made: i64 = (0..10).filter(|made| made + lag <= shift).map(|made| factory.minutes(0, made)).sum();
            fits &= demand[..=shift].iter().sum::<i64>() <= made;
        }
        prop_assert_eq!(planned(&factory).short.is_empty(), fits);
    }
}
