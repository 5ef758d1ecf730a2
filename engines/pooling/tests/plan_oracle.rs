//! Plans against published tables (skipped when the shared data are not there) and properties.

use baton_pooling::dilution::{CqDistribution, Dilution, ShiftModel};
use baton_pooling::plan::{Limits, Plan, SchemeKind, Workload, curves, sizes, solve};
use baton_pooling::population::{Clustering, Population};
use baton_pooling::scheme::{Assay, Conditions, Evaluator, Figures, Scheme};
use baton_pooling::{Mixing, ValidatedRatio};
use proptest::prelude::*;
use std::path::PathBuf;

fn shared(path: &str) -> Option<String> {
    let root = std::env::var("BATON_SHARED").map_or_else(|_| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared")), PathBuf::from);
    let text = std::fs::read_to_string(root.join("data/pcr/pooling").join(path)).ok();
    if text.is_none() {
        use std::io::Write;
        writeln!(std::io::stderr(), "skipped: shared data {path} not found").expect("stderr");
    }
    text
}

fn rows(text: &str) -> impl Iterator<Item = Vec<String>> {
    let cells = |line: &str| line.split(',').map(|cell| cell.trim_matches('"').to_owned()).collect();
    text.lines().skip(1).filter(|line| !line.is_empty()).map(cells)
}

fn number(cell: &str) -> f64 {
    cell.parse().expect("number")
}

fn conditions(prevalence: f64, sensitivity: f64, specificity: f64) -> Conditions {
    Conditions { population: Population::independent(prevalence), assay: Assay { sensitivity, specificity }, dilution: None }
}

fn plan(conditions: &Conditions, limits: &Limits) -> Plan {
    solve(conditions, limits, None, &[]).expect("valid conditions")
}

fn best(plan: &Plan, kind: SchemeKind) -> (Vec<u32>, Figures, bool) {
    let option = plan.options.iter().find(|option| option.kind == kind).expect("kind is planned");
    (sizes(&option.scheme), option.figures, option.allowed)
}

#[test]
fn perfect_test_optima_equal_the_oracle() {
    let Some(text) = shared("oracle/perfect_test_optima.csv") else {
        return;
    };
    for row in rows(&text) {
        let p = number(&row[0]);
        let plan = plan(&conditions(p, 1.0, 1.0), &Limits::default());
        let expected = [
            (SchemeKind::Dorfman, vec![&row[1]], &row[2]),
            (SchemeKind::Hierarchical, vec![&row[3], &row[4]], &row[5]),
            (SchemeKind::Array, vec![&row[6]], &row[7]),
        ];
        for (kind, pools, tests) in expected {
            let (found, figures, allowed) = best(&plan, kind);
            let pools: Vec<u32> = pools.iter().map(|n| n.parse().expect("size")).collect();
            // The oracle prints nine decimals.
            let gap = (figures.tests_per_person - number(tests)).abs();
            assert!(gap < 1e-8, "{kind:?} at {p}: {} against {tests}", figures.tests_per_person);
            assert_eq!(found[..pools.len()], pools[..], "{kind:?} at {p}");
            assert_eq!(allowed, !(pools[0] == 897 || pools[0] == 399), "{kind:?} at {p}");
        }
    }
}

#[test]
fn two_stage_optima_with_test_error_equal_bingroup2() {
    let Some(text) = shared("oracle/bingroup2_D2.csv") else {
        return;
    };
    for row in rows(&text) {
        let conditions = conditions(number(&row[1]), number(&row[2]), number(&row[3]));
        let (found, figures, _) = best(&plan(&conditions, &Limits::default()), SchemeKind::Dorfman);
        assert_eq!(found[0].to_string(), row[4], "{row:?}");
        assert!((figures.tests_per_person - number(&row[6])).abs() < 1e-10, "{row:?}");
    }
}

#[test]
fn arrays_and_three_stages_with_test_error_equal_bingroup2() {
    let Some(text) = shared("oracle/bingroup2_extra.csv") else {
        return;
    };
    for row in rows(&text) {
        let conditions = conditions(number(&row[1]), number(&row[2]), number(&row[3]));
        let pools: Vec<u32> = row[4].split(['x', '-']).map(|n| n.parse().expect("size")).collect();
        let scheme = match row[0].as_str() {
            "A2" => Scheme::Array { rows: pools[0], columns: pools[1] },
            "D2" => Scheme::Dorfman { size: pools[0] },
            _ => Scheme::Hierarchical { sizes: pools },
        };
        let mut evaluator = Evaluator::new(&conditions).expect("valid");
        let figures = evaluator.figures(&scheme).expect("valid");
        // The oracle prints nine significant digits of the whole group.
        assert!((figures.tests_per_person - number(&row[6])).abs() < 1e-9, "{row:?}");
    }
}

#[test]
fn pooled_sensitivity_follows_the_published_convention() {
    let conditions = conditions(0.01, 0.99, 0.99);
    let mut evaluator = Evaluator::new(&conditions).expect("valid");
    let figures = evaluator.figures(&Scheme::Dorfman { size: 11 }).expect("valid");
    assert!((figures.sensitivity - 0.9801).abs() < 1e-12);
}

fn real_cq() -> Option<CqDistribution> {
    let text = shared("covidpooling/filtered_cq.csv")?;
    let values = rows(&text).map(|row| number(&row[8])).collect();
    Some(CqDistribution::new(values).expect("real Cq values"))
}

#[test]
fn dilution_of_real_positives_keeps_the_published_shares() {
    let Some(cq_distribution) = real_cq() else {
        return;
    };
    for (cutoff, shares) in [(37.0, [0.901, 0.851, 0.782, 0.735]), (40.0, [1.000, 0.993, 0.949, 0.921])] {
        let dilution = Dilution { cq_distribution: cq_distribution.clone(), cutoff, shift: ShiftModel::Aliquot };
        for (n, share) in [5, 10, 20, 30].into_iter().zip(shares) {
            assert!((dilution.kept(n) - share).abs() < 5e-4, "cut-off {cutoff}, {n}:1");
        }
    }
}

#[test]
fn dilution_limits_the_pool_size() {
    let Some(cq_distribution) = real_cq() else {
        return;
    };
    let dilution = Dilution { cq_distribution, cutoff: 37.0, shift: ShiftModel::Aliquot };
    let diluted = Conditions { dilution: Some(dilution), ..conditions(0.002, 1.0, 1.0) };
    let limits = Limits { relative_sensitivity: Some(0.9), ..Limits::default() };
    let (free, ..) = best(&plan(&diluted, &Limits::default()), SchemeKind::Dorfman);
    let (held, figures, allowed) = best(&plan(&diluted, &limits), SchemeKind::Dorfman);
    assert!(free[0] > 15 && held[0] <= 6 && allowed, "{free:?} {held:?}");
    assert!(figures.sensitivity >= 0.9);
}

#[test]
fn clustering_saves_tests_beyond_dorfman_theory() {
    let independent = conditions(0.02, 1.0, 1.0);
    let mut clustered = independent.clone();
    clustered.population.clustering = Some(Clustering { group_size: 4, correlation: 0.5 });
    let tests = |conditions: &Conditions| {
        let mut evaluator = Evaluator::new(conditions).expect("valid");
        evaluator.figures(&Scheme::Dorfman { size: 8 }).expect("valid").tests_per_person
    };
    assert!(tests(&clustered) < 0.85 * tests(&independent));
}

#[test]
fn swabs_mixed_in_the_field_allow_only_dorfman() {
    let limits = Limits { mixing: Mixing::Swab, largest_pool: Some(10), ..Limits::default() };
    let workload = Workload { people: 10_000, tests_per_hour: 500.0, hours_per_stage: 3.0, re_swab_hours: 6.0 };
    let conditions = conditions(0.001, 1.0, 1.0);
    let plan = solve(&conditions, &limits, Some(&workload), &[]).expect("valid");
    let chosen = plan.recommendation();
    assert_eq!((chosen.kind, sizes(&chosen.scheme)), (SchemeKind::Dorfman, vec![10]));
    let turnaround = chosen.turnaround.expect("workload given");
    assert!((turnaround.last_hours - (2.2 + 6.0 + 6.0)).abs() < 0.05, "{turnaround:?}");
    assert!(turnaround.mean_hours < 3.2);
}

#[test]
fn the_field_takes_only_ratios_the_assay_is_validated_for() {
    let ratio = |persons_per_pool| ValidatedRatio { mixing: Mixing::Swab, persons_per_pool };
    let take = |p: f64, limits: &Limits| {
        let plan = solve(&conditions(p, 1.0, 1.0), limits, None, &[]).expect("valid");
        (plan.recommendation().kind, sizes(&plan.recommendation().scheme)[0])
    };
    let limits = Limits { mixing: Mixing::Swab, validated: Some(vec![ratio(1), ratio(5), ratio(10), ratio(20)]), ..Limits::default() };
    for (p, size) in [(0.0005, 20), (0.01, 10), (0.02, 10), (0.05, 5), (0.1, 5)] {
        assert_eq!(take(p, &limits), (SchemeKind::Dorfman, size), "at {p}");
    }
    assert_eq!(take(0.4, &limits), (SchemeKind::Individual, 1));
    let aliquots_only = Limits { validated: Some(vec![ValidatedRatio { mixing: Mixing::Aliquot, persons_per_pool: 8 }]), ..limits };
    assert_eq!(take(0.01, &aliquots_only), (SchemeKind::Individual, 1), "validated for another operation");
}

#[test]
fn the_two_dilution_models_are_never_mixed() {
    let mut conditions = conditions(0.01, 1.0, 1.0);
    conditions.dilution = Some(Dilution { cq_distribution: CqDistribution::new(vec![25.0]).expect("valid"), cutoff: 37.0, shift: ShiftModel::Aliquot });
    let limits = Limits { mixing: Mixing::Swab, ..Limits::default() };
    assert!(solve(&conditions, &limits, None, &[]).is_err());
}

#[test]
fn time_limits_choose_fewer_stages() {
    let workload = Workload { people: 1000, tests_per_hour: 1000.0, hours_per_stage: 4.0, re_swab_hours: 0.0 };
    let limits = Limits { hours: Some(9.0), ..Limits::default() };
    let conditions = conditions(0.01, 1.0, 1.0);
    let free = solve(&conditions, &Limits::default(), Some(&workload), &[]).expect("valid");
    let hurried = solve(&conditions, &limits, Some(&workload), &[]).expect("valid");
    assert_eq!(free.recommendation().figures.stages, 3);
    assert_eq!(hurried.recommendation().figures.stages, 2);
}

#[test]
fn changing_the_scheme_with_prevalence_saves_against_fixed_tens() {
    for p in [0.02, 0.05, 0.1] {
        let conditions = conditions(p, 1.0, 1.0);
        let mut evaluator = Evaluator::new(&conditions).expect("valid");
        let tens = evaluator.figures(&Scheme::Dorfman { size: 10 }).expect("valid");
        let chosen = plan(&conditions, &Limits::default()).recommendation().figures;
        assert!(chosen.tests_per_person <= 0.85 * tens.tests_per_person, "at {p}");
    }
}

#[test]
fn high_prevalence_means_single_tests() {
    let plan = plan(&conditions(0.4, 1.0, 1.0), &Limits::default());
    assert_eq!(plan.recommendation().kind, SchemeKind::Individual);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn tests_grow_with_prevalence(
        low in 0.0..0.5f64, step in 0.0..0.4f64, size in 2u32..40, se in 0.8..1.0f64, sp in 0.9..1.0f64,
        rho in 0.0..0.8f64,
    ) {
        let mut base = conditions(low, se, sp);
        base.population.clustering = Some(Clustering { group_size: 3, correlation: rho });
        let schemes = [
            Scheme::Dorfman { size },
            Scheme::Hierarchical { sizes: vec![size * 3, size, 1] },
        ];
        let curve = curves(&base, &schemes, &[low, low + step]).expect("valid");
        for (before, after) in curve[0].iter().zip(&curve[1]) {
            prop_assert!(after.tests_per_person >= before.tests_per_person - 1e-12);
            for value in [before.sensitivity, before.specificity] {
                prop_assert!((0.0..=1.0).contains(&value));
            }
        }
    }

    #[test]
    fn dilution_only_ever_loses(p in 0.0005..0.2f64, cutoff in 28.0..42.0f64, size in 2u32..30) {
        let values = (0..200).map(|i| 18.0 + f64::from(i) * 0.1).collect();
        let mut diluted = conditions(p, 0.99, 0.995);
        let plain = diluted.clone();
        diluted.dilution = Some(Dilution {
            cq_distribution: CqDistribution::new(values).expect("valid"),
            cutoff,
            shift: ShiftModel::Aliquot,
        });
        let mut with = Evaluator::new(&diluted).expect("valid");
        let mut without = Evaluator::new(&plain).expect("valid");
        for scheme in [
            Scheme::Dorfman { size },
            Scheme::Hierarchical { sizes: vec![size * 2, size, 1] },
            Scheme::Array { rows: size, columns: size + 1 },
        ] {
            let with = with.figures(&scheme).expect("valid");
            let without = without.figures(&scheme).expect("valid");
            // Missed columns leave a positive row lonely, and lonely rows are tested whole: an array can
            // gain a trace of sensitivity from weaker columns.
            prop_assert!(with.sensitivity <= without.sensitivity + 1e-4);
            prop_assert!((0.0..=1.0).contains(&with.specificity));
            prop_assert!(with.tests_per_person > 0.0);
        }
    }
}

/// Times are printed, not asserted: the bars are for a release build on an idle machine.
#[test]
#[allow(clippy::disallowed_methods)]
fn plan_speed() {
    use std::io::Write;
    let values = (0..1632).map(|i| 18.0 + f64::from(i) * 0.012).collect();
    let mut diluted = conditions(0.01, 0.99, 0.99);
    diluted.dilution = Some(Dilution { cq_distribution: CqDistribution::new(values).expect("valid"), cutoff: 37.0, shift: ShiftModel::Aliquot });
    let limits = Limits { stages: 4, ..Limits::default() };
    let clock = std::time::Instant::now();
    assert!(!plan(&diluted, &limits).options.is_empty());
    let whole = clock.elapsed();
    let clock = std::time::Instant::now();
    let plain = conditions(0.01, 1.0, 1.0);
    let mut evaluator = Evaluator::new(&plain).expect("valid");
    let side = (3..=26).min_by(|a, b| {
        let mut tests = |side: u32| {
            let scheme = Scheme::Array { rows: side, columns: side };
            evaluator.figures(&scheme).expect("valid").tests_per_person
        };
        tests(*a).total_cmp(&tests(*b))
    });
    assert_eq!(side, Some(25));
    writeln!(std::io::stderr(), "whole plan {whole:?}, array search {:?}", clock.elapsed()).expect("stderr");
}
