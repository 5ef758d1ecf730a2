//! The decision tables, enumerated in full: every combination of every state of every target, first test and repeat,
//! single and pool, and every pair of replicates.

use baton_pcr::rules::{
    Action, RuleSet, TargetReading, TargetState, WellOutcome, WellReasonCode, WellResult, combine_replicates, interpret_repeat, interpret_well, target_state,
};
use baton_pcr::{Call, Reading, Reason};

/// `+` positive, `g` grey, `L` beyond cut-off and grey zone, `a` ambiguous, `-` negative, `u` unreadable, `x` missing.
const STATES: &str = "+gLa-ux";

fn reading(rules: &RuleSet, target: &str, state: char) -> Option<Reading> {
    let target = rules.target(target).unwrap();
    let (call, cq) = match state {
        '+' => (Call::Positive, Some(target.cutoff_cq - 10.0)),
        'g' => (Call::Positive, Some(target.grey_to_cq? - 0.5)),
        'L' => (Call::Positive, Some(target.grey_to_cq.unwrap_or(target.cutoff_cq) + 2.0)),
        'a' => (Call::Ambiguous, Some(30.0)),
        '-' => (Call::Negative, None),
        'u' => (Call::Unreadable, None),
        _ => return None,
    };
    Some(Reading { call, cq, reasons: vec![], ..Reading::unreadable(Reason::Constant) })
}

fn entry(rules: &RuleSet, target: &str, state: char) -> Option<TargetReading> {
    let reading = reading(rules, target, state)?;
    Some(TargetReading { target: target.to_owned(), reading })
}

/// Every well the three targets of `rules` can show, with its states in the order of the targets.
fn wells(rules: &RuleSet) -> Vec<(String, Vec<TargetReading>)> {
    let mut wells = vec![(String::new(), vec![])];
    for target in &rules.targets {
        let states = STATES.chars().filter(|&s| s != 'g' || target.grey_to_cq.is_some());
        wells = states
            .flat_map(|state| {
                wells.clone().into_iter().map(move |(mut code, mut readings)| {
                    code.push(state);
                    readings.extend(entry(rules, &target.name, state));
                    (code, readings)
                })
            })
            .collect();
    }
    wells
}

/// A row of a table: one class of states per target (`.` is any) and the result. The first row that matches holds.
type Row = ([&'static str; 3], WellResult);

fn expected(table: &[Row], code: &str) -> WellResult {
    let matches = |row: &&Row| row.0.iter().zip(code.chars()).all(|(class, state)| *class == "." || class.contains(state));
    table.iter().find(matches).unwrap_or_else(|| panic!("no row for {code}")).1
}

const CDC: &[Row] = &[
    (["+", "+", "."], WellResult::Detected),
    (["+", "La-ux", "."], WellResult::SingleTarget),
    (["La-ux", "+", "."], WellResult::SingleTarget),
    (["La-ux", "La-ux", "La-ux"], WellResult::Invalid),
    (["ux", "La-ux", "+"], WellResult::Invalid),
    (["La-", "ux", "+"], WellResult::Invalid),
    (["a", "La-", "+"], WellResult::Grey),
    (["L-", "a", "+"], WellResult::Grey),
    (["L-", "L-", "+"], WellResult::NotDetected),
];

const ORF: &[Row] = &[
    ([".", ".", "La-ux"], WellResult::Invalid),
    (["+", "+", "+"], WellResult::Detected),
    (["+", "gLa-ux", "+"], WellResult::SingleTarget),
    (["gLa-ux", "+", "+"], WellResult::SingleTarget),
    (["ux", "gLa-ux", "+"], WellResult::Invalid),
    (["gLa-", "ux", "+"], WellResult::Invalid),
    (["ga", "gLa-", "+"], WellResult::Grey),
    (["L-", "ga", "+"], WellResult::Grey),
    (["L-", "L-", "+"], WellResult::NotDetected),
];

fn check_table(name: &str, table: &[Row], combinations: usize) {
    let rules = RuleSet::builtin(name).unwrap();
    let wells = wells(&rules);
    assert_eq!(wells.len(), combinations);
    for (code, readings) in wells {
        let result = expected(table, &code);
        for is_pool in [false, true] {
            let first = interpret_well(&rules, &readings, is_pool);
            let again = interpret_repeat(&rules, &readings, is_pool);
            assert_eq!((first.result, again.result), (result, result), "{name} {code}");
            check_actions(&rules, &code, &first, &again, is_pool);
            check_reasons(&code, &first);
        }
    }
}

fn check_actions(rules: &RuleSet, code: &str, first: &WellOutcome, again: &WellOutcome, pool: bool) {
    let a = &rules.actions;
    let (now, then) = match first.result {
        WellResult::Detected | WellResult::NotDetected => (Action::Report, Action::Report),
        WellResult::SingleTarget => (a.single_target, a.single_target_again),
        WellResult::Grey => (a.grey, a.grey_again),
        WellResult::Invalid => (a.invalid, a.invalid_again),
    };
    if pool {
        let clean = code == "--+";
        let action = if clean { Action::Report } else { Action::SwabMembersSingly };
        assert_eq!((first.action, again.action), (action, action), "pool {code}");
        assert_eq!(first.is_clean_negative(), clean, "pool {code}");
    } else {
        assert_eq!((first.action, again.action), (now, then), "{code}");
    }
}

/// One reason per target that is not in its quiet state, naming it.
fn check_reasons(code: &str, outcome: &WellOutcome) {
    use WellReasonCode::*;
    let detect = |state| match state {
        '+' => Some(TargetPositive),
        'g' => Some(TargetGrey),
        'L' => Some(TargetLate),
        'a' => Some(TargetAmbiguous),
        'u' => Some(TargetUnreadable),
        'x' => Some(TargetMissing),
        _ => None,
    };
    let control = |state| match state {
        'L' => Some(InternalControlLate),
        'a' => Some(InternalControlAmbiguous),
        '-' => Some(InternalControlAbsent),
        'u' => Some(InternalControlUnreadable),
        'x' => Some(InternalControlMissing),
        _ => None,
    };
    let states: Vec<char> = code.chars().collect();
    let wanted: Vec<WellReasonCode> = [detect(states[0]), detect(states[1]), control(states[2])].into_iter().flatten().collect();
    let given: Vec<WellReasonCode> = outcome.reasons.iter().map(|reason| reason.code).collect();
    assert_eq!(given, wanted, "{code}");
}

#[test]
fn cdc_n1_n2_rp_in_full() {
    check_table("cdc-n1-n2-rp", CDC, 6 * 6 * 6);
}

#[test]
fn orf1ab_n_ic_in_full() {
    check_table("orf1ab-n-ic", ORF, 7 * 7 * 6);
}

#[test]
fn cut_offs_hold_to_the_last_digit() {
    let state = |assay: &str, target: &str, cq: f64| {
        let rules = RuleSet::builtin(assay).unwrap();
        let mut reading = reading(&rules, target, '+').unwrap();
        reading.cq = Some(cq);
        target_state(rules.target(target).unwrap(), Some(&reading))
    };
    // "crosses before 40.00"
    assert_eq!(state("cdc-n1-n2-rp", "N1", 39.999), TargetState::Positive);
    assert_eq!(state("cdc-n1-n2-rp", "N1", 40.0), TargetState::Late);
    // "≤ 38" and grey up to 40
    assert_eq!(state("orf1ab-n-ic", "N", 38.0), TargetState::Positive);
    assert_eq!(state("orf1ab-n-ic", "N", 38.001), TargetState::Grey);
    assert_eq!(state("orf1ab-n-ic", "N", 40.0), TargetState::Grey);
    assert_eq!(state("orf1ab-n-ic", "N", 40.001), TargetState::Late);
    assert_eq!(state("orf1ab-n-ic", "N", f64::NAN), TargetState::Late);
}

#[test]
fn a_positive_call_without_a_cq_is_ambiguous() {
    let rules = RuleSet::builtin("orf1ab-n-ic").unwrap();
    let mut reading = reading(&rules, "N", '+').unwrap();
    reading.cq = None;
    assert_eq!(target_state(rules.target("N").unwrap(), Some(&reading)), TargetState::Ambiguous);
}

#[test]
fn unknown_and_doubled_targets_make_a_well_invalid() {
    let rules = RuleSet::builtin("orf1ab-n-ic").unwrap();
    for (code, extra) in [(WellReasonCode::TargetUnknown, "E"), (WellReasonCode::TargetDuplicated, "N")] {
        let mut readings: Vec<TargetReading> =
            [("ORF1ab", '-'), ("N", '-'), ("IC", '+')].into_iter().filter_map(|(target, state)| entry(&rules, target, state)).collect();
        readings.push(TargetReading { target: extra.to_owned(), ..readings[0].clone() });
        let outcome = interpret_well(&rules, &readings, false);
        assert_eq!(outcome.result, WellResult::Invalid);
        assert_eq!((outcome.reasons[0].code, outcome.reasons[0].target.as_str()), (code, extra));
    }
}

/// Pairs of replicates: the same state stays, any unreadable makes the target unreadable, any difference is ambiguous.
#[test]
fn replicates_in_full() {
    let rules = RuleSet::builtin("orf1ab-n-ic").unwrap();
    let target = rules.target("N").unwrap();
    let of = |state| match state {
        '+' => TargetState::Positive,
        'g' => TargetState::Grey,
        'L' => TargetState::Late,
        'a' => TargetState::Ambiguous,
        '-' => TargetState::Negative,
        _ => TargetState::Unreadable,
    };
    for first in "+gLa-u".chars() {
        for second in "+gLa-u".chars() {
            let pair: Vec<TargetReading> = [first, second].into_iter().filter_map(|state| entry(&rules, "N", state)).collect();
            let combined = combine_replicates(&rules, &pair).unwrap();
            let wanted = match (first, second) {
                ('u', _) | (_, 'u') => TargetState::Unreadable,
                (a, b) if a == b => of(a),
                _ => TargetState::Ambiguous,
            };
            assert_eq!(target_state(target, Some(&combined.reading)), wanted, "{first}{second}");
            let disagree = first != second && wanted == TargetState::Ambiguous;
            assert_eq!(combined.reading.has(Reason::ReplicatesDisagree), disagree, "{first}{second}");
        }
    }
}

#[test]
fn replicates_that_agree_take_the_mean_and_outliers_are_named() {
    let rules = RuleSet::builtin("orf1ab-n-ic").unwrap();
    let at = |cq| {
        let mut entry = entry(&rules, "N", '+').unwrap();
        entry.reading.cq = Some(cq);
        entry
    };
    let close = combine_replicates(&rules, &[at(25.0), at(25.5), at(26.0)]).unwrap();
    assert_eq!((close.reading.cq, close.reading.has(Reason::ReplicateOutlier)), (Some(25.5), false));
    let apart = combine_replicates(&rules, &[at(25.0), at(27.0)]).unwrap();
    assert!(apart.reading.has(Reason::ReplicateOutlier) && apart.reading.call == Call::Positive);
    // On two sides of the cut-off: no mean may settle that.
    let straddling = combine_replicates(&rules, &[at(37.8), at(38.1)]).unwrap();
    assert_eq!(straddling.reading.call, Call::Ambiguous);
    let mut other = at(25.0);
    other.target = "ORF1ab".to_owned();
    assert_eq!(combine_replicates(&rules, &[at(25.0), other]), None);
    assert_eq!(combine_replicates(&rules, &[]), None);
}
