use super::*;
use crate::events::{RunFinding, WellCall};
use crate::model::{Release, TubeResult};
use baton_kit::{Bucket, Device, PlaceId, PlateId, RunId, Timestamp};
use proptest::prelude::*;

fn device() -> Device {
    Device::new(1).unwrap()
}

fn account(n: u32) -> AccountId {
    AccountId::new(Bucket::INSTALLATION, device(), n)
}

fn tube(n: u32) -> TubeId {
    TubeId::new(Bucket::INSTALLATION, device(), n)
}

fn run_id(n: u32) -> RunId {
    RunId::new(Bucket::INSTALLATION, device(), n)
}

const TECHNICIAN: u32 = 1;
const OTHER_TECHNICIAN: u32 = 2;
const DIRECTOR: u32 = 3;

fn by(n: u32) -> Signer {
    Signer { account: account(n), director: n == DIRECTOR }
}

fn run(findings: Vec<RunFinding>, release: Override) -> Run {
    Run {
        run: run_id(1),
        plate: PlateId::new(Bucket::INSTALLATION, device(), 1),
        laboratory: PlaceId::new(Bucket::INSTALLATION, device(), 1),
        rules: "orf1ab-n-ic 1".to_owned(),
        verify_rules: vec!["run_valid".to_owned()],
        controls_valid: findings.is_empty(),
        file_name: String::new(),
        file_sha256: String::new(),
        instrument: String::new(),
        read: Timestamp(0),
        read_by: None,
        release,
        findings,
    }
}

fn finding(code: &str, wells: &[u16]) -> RunFinding {
    RunFinding { code: code.to_owned(), wells: wells.to_vec(), seen_in: Vec::new(), target: None, matches: None }
}

fn specimen(n: u32, outcome: TubeOutcome, not_passed: &[&str], state: ResultState) -> ForSigning {
    let call = WellCall {
        well: n as u16,
        result: String::new(),
        reasons: Vec::new(),
        action: String::new(),
        not_passed: not_passed.iter().map(|rule| (*rule).to_owned()).collect(),
    };
    let result = TubeResult { tube: tube(n), version: 1, outcome, state, run: run_id(1), at: Timestamp(0) };
    ForSigning { call, tube: tube(n), result, circumstances: vec![("lots_in_date", true)] }
}

fn clean(n: u32) -> ForSigning {
    specimen(n, TubeOutcome::Negative, &[], ResultState::Preliminary)
}

fn positive(n: u32, state: ResultState) -> ForSigning {
    specimen(n, TubeOutcome::Positive, &["clean_negative"], state)
}

fn now(specimens: Vec<ForSigning>) -> RunNow {
    RunNow { run: run(Vec::new(), Override::None), specimens }
}

fn ask(tubes: &[u32]) -> SignResults {
    SignResults { run: run_id(1), tubes: tubes.iter().map(|n| tube(*n)).collect() }
}

fn once(n: u32) -> ResultState {
    ResultState::SignedOnce { by: account(n), director: n == DIRECTOR, at: Timestamp(0) }
}

#[test]
fn clean_negatives_go_by_rule_and_list_what_they_passed() {
    let state = now(vec![clean(1), positive(2, ResultState::Preliminary), clean(3)]);
    let signed = sign(&state, &ask(&[]), by(TECHNICIAN)).unwrap();
    assert_eq!(signed.tubes.iter().map(|read| read.tube).collect::<Vec<_>>(), vec![tube(1), tube(3)]);
    assert_eq!(signed.passed, vec!["orf1ab-n-ic 1", "run_valid", "lots_in_date"]);
    assert!(signed.waiting.is_empty());
    assert_eq!(to_review(&state), vec![tube(2)]);
}

#[test]
fn a_rule_not_passed_or_a_circumstance_keeps_a_negative_for_people() {
    let late_control = specimen(1, TubeOutcome::Negative, &["internal_control_in_range"], ResultState::Preliminary);
    let mut expired = clean(2);
    expired.circumstances = vec![("lots_in_date", false)];
    let state = now(vec![late_control, expired]);
    assert_eq!(sign(&state, &ask(&[]), by(TECHNICIAN)).unwrap_err().code, "lab-nothing-by-rule");
    assert_eq!(to_review(&state), vec![tube(1), tube(2)]);
    assert_eq!(sign(&state, &ask(&[1]), by(TECHNICIAN)).unwrap().waiting, vec![tube(1)]);
}

#[test]
fn a_positive_takes_two_people_and_one_is_a_director() {
    let sign_by = |state: ResultState, n| sign(&now(vec![positive(1, state)]), &ask(&[1]), by(n));
    assert_eq!(sign_by(ResultState::Preliminary, DIRECTOR).unwrap().waiting, vec![tube(1)], "not even a director alone");
    assert_eq!(sign_by(once(TECHNICIAN), TECHNICIAN).unwrap_err().code, "lab-same-person");
    assert_eq!(sign_by(once(TECHNICIAN), OTHER_TECHNICIAN).unwrap_err().code, "lab-director-needed");
    assert_eq!(sign_by(once(DIRECTOR), TECHNICIAN).unwrap().tubes.len(), 1);
    let released = sign_by(once(TECHNICIAN), DIRECTOR).unwrap();
    assert_eq!((released.tubes[0].result, released.passed.len(), released.director), (TubeOutcome::Positive, 0, true));
}

#[test]
fn what_cannot_be_signed() {
    let out = ResultState::Released(Release::ByRule { passed: Vec::new(), by: account(1) });
    let code = |state: &RunNow, tubes: &[u32]| sign(state, &ask(tubes), by(DIRECTOR)).unwrap_err().code;
    assert_eq!(code(&now(vec![clean(1)]), &[9]), "lab-tube-not-on-run");
    assert_eq!(code(&now(vec![positive(1, out)]), &[1]), "lab-released-already");
    let mut newer = clean(1);
    newer.result.run = run_id(2);
    assert_eq!(code(&now(vec![newer.clone()]), &[1]), "lab-superseded");
    assert_eq!(code(&now(vec![newer]), &[]), "lab-nothing-by-rule");
}

#[test]
fn a_finding_holds_exactly_the_wells_it_names() {
    let held = |release| RunNow { run: run(vec![finding("control_contaminated", &[1])], release), specimens: vec![clean(1), clean(2)] };
    assert_eq!(sign(&held(Override::None), &ask(&[1]), by(DIRECTOR)).unwrap_err().code, "lab-well-held");
    assert_eq!(sign(&held(Override::None), &ask(&[]), by(TECHNICIAN)).unwrap().tubes.len(), 1);
    let confirmed = Override::Confirmed { by: account(1), and: account(3), reason: "spilt".to_owned(), at: Timestamp(0) };
    assert_eq!(sign(&held(confirmed), &ask(&[1]), by(DIRECTOR)).unwrap().waiting, vec![tube(1)]);
}

#[test]
fn an_override_takes_two_people_and_never_covers_a_swapped_plate() {
    let held = |code: &str, release| run(vec![finding(code, &[1])], release);
    let proposed = |n| Override::Proposed { by: account(n), director: n == DIRECTOR, reason: "spilt".to_owned() };
    let confirmed = Override::Confirmed { by: account(1), and: account(3), reason: "spilt".to_owned(), at: Timestamp(0) };
    let propose = |run: &Run, reason: &str| propose_override(run, reason).map_err(|refusal| refusal.code);
    assert_eq!(propose(&held("control_failed", Override::None), "spilt"), Ok(()));
    assert_eq!(propose(&held("control_failed", Override::None), " a "), Err("lab-reason-missing"));
    assert_eq!(propose(&run(Vec::new(), Override::None), "spilt"), Err("lab-nothing-held"));
    assert_eq!(propose(&held("control_failed", proposed(1)), "spilt"), Err("lab-override-proposed"));
    assert_eq!(propose(&held("control_failed", confirmed.clone()), "spilt"), Err("lab-override-confirmed"));
    for impossible in ["plate_swapped", "fingerprint_mismatch", "no_assay"] {
        assert_eq!(propose(&held(impossible, Override::None), "spilt"), Err("lab-override-impossible"));
    }
    let confirm = |release, n| confirm_override(&held("control_failed", release), by(n)).map_err(|refusal| refusal.code);
    assert_eq!(confirm(Override::None, DIRECTOR), Err("lab-override-not-proposed"));
    assert_eq!(confirm(proposed(DIRECTOR), DIRECTOR), Err("lab-same-person"));
    assert_eq!(confirm(proposed(TECHNICIAN), OTHER_TECHNICIAN), Err("lab-director-needed"));
    assert_eq!(confirm(proposed(TECHNICIAN), DIRECTOR), Ok(()));
    assert_eq!(confirm(confirmed, DIRECTOR), Err("lab-override-confirmed"));
}

fn any_state() -> impl Strategy<Value = ResultState> {
    prop_oneof![Just(ResultState::Preliminary), (1u32..4).prop_map(once), Just(ResultState::Released(Release::ByRule { passed: Vec::new(), by: account(1) }))]
}

proptest! {
    /// Whatever is asked in whatever state: nothing but a clean negative ever leaves on one signature.
    #[test]
    fn nothing_but_a_clean_negative_goes_on_one_signature(
        states in proptest::collection::vec((any_state(), 0usize..4, any::<bool>()), 1..8),
        asked in proptest::collection::vec(0u32..9, 0..4),
        signer in 1u32..4,
    ) {
        let specimens: Vec<ForSigning> = states.into_iter().enumerate().map(|(n, (state, outcome, passed))| {
            let rules: &[&str] = if passed { &[] } else { &["clean_negative"] };
            specimen(n as u32, TubeOutcome::ALL[outcome], rules, state)
        }).collect();
        let state = now(specimens);
        if let Ok(signed) = sign(&state, &ask(&asked), by(signer)) {
            for read in &signed.tubes {
                let specimen = state.specimens.iter().find(|specimen| specimen.tube == read.tube).unwrap();
                match &specimen.result.state {
                    ResultState::SignedOnce { by: first, director, .. } if !asked.is_empty() => {
                        prop_assert_ne!(*first, account(signer));
                        prop_assert!(*director || signer == DIRECTOR);
                    }
                    _ => {
                        prop_assert_eq!(read.result, TubeOutcome::Negative);
                        prop_assert!(specimen.call.not_passed.is_empty());
                        prop_assert!(!specimen.result.state.is_out());
                    }
                }
            }
        }
    }
}
