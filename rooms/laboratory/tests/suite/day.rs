//! Days at the bench: a good run, a swapped plate, an overridden control, corrections.

use baton_desk::accounts::events::{RecordCompetence, Task};
use baton_desk::paper::report::{sign_report, verify_report};
use baton_desk::{Actor, Role};
use baton_kit::time::DAY_US;
use baton_kit::{AccountId, PersonId, PlateId, Refusal, RunId, TubeId};
use baton_laboratory::commands::{self, FileGiven};
use baton_laboratory::events::*;
use baton_laboratory::model::PersonResult;
use baton_laboratory::person::{people_positive, person_report, report_json, signers};

use crate::house::{House, NEGATIVE, POSITIVE, Shows, rdml, usual};

/// Makes one test per store of each `async fn(&House)`. The house is built and torn down outside the runtime.
macro_rules! on_both_stores {
    ($($test:ident),+ $(,)?) => {$(
        mod $test {
            fn run(house: &crate::house::House) {
                tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(super::$test(house));
            }
            #[test]
            fn embedded() { run(&crate::house::House::embedded()) }
            #[test]
            fn postgres() {
                if let Some(house) = crate::house::House::postgres(stringify!($test)) { run(&house) }
            }
        }
    )+};
}
pub(crate) use on_both_stores;

on_both_stores!(a_good_day, a_swapped_plate, an_override_and_a_correction, tubes_and_scans_in_any_order);

pub struct Staff {
    pub technician: Actor,
    pub director: Actor,
    pub nurse: AccountId,
}

pub async fn staff(house: &House) -> Staff {
    let technician = house.user("tech", &[Role::Technician, Role::Accession]).await;
    let director = house.user("boss", &[Role::LaboratoryDirector, Role::Administrator]).await;
    let nurse = house.user("nurse", &[Role::SamplingNurse]).await.account.unwrap();
    let until_us = Some(house.now().plus_us(300 * DAY_US));
    let found = RecordCompetence { account: technician.account.unwrap(), task: Task::Extraction, until_us, basis: "observed".to_owned() };
    house.app.decide(&director, house.id(), found, |_, _, _| Ok(())).await.unwrap();
    Staff { technician, director, nurse }
}

/// Takes tubes in and lays them; the plate, its layout and its tubes.
pub async fn laid(house: &House, staff: &Staff, code: &str, tubes: &[TubeId]) -> (PlateId, Vec<WellLaid>) {
    let fresh: Vec<TubeId> = house
        .app
        .read({
            let tubes = tubes.to_vec();
            move |tx| {
                let mut fresh = Vec::new();
                for tube in tubes {
                    if baton_laboratory::store::tube(tx, tube)?.is_none_or(|clock| clock.accessioned.is_none()) {
                        fresh.push(tube);
                    }
                }
                Ok(fresh)
            }
        })
        .await
        .unwrap();
    let named = fresh.iter().map(|tube| (house.id(), *tube)).collect();
    commands::accession(&house.app, &staff.technician, house.laboratory, named, None).await.unwrap();
    let command = LayPlate {
        code: code.to_owned(),
        laboratory: house.laboratory,
        wells: 96,
        assay: "orf1ab-n-ic".to_owned(),
        tubes: tubes.to_vec(),
        extraction_lot: house.extraction,
        pcr_lot: house.pcr,
        by_hand: Vec::new(),
    };
    let id = house.app.form_id(baton_kit::TypedId::bucket(house.laboratory)).await.unwrap();
    let decision = commands::lay_plate(&house.app, &staff.technician, id, command).await.unwrap();
    (decision.acknowledgement.id.created(), decision.outcome.layout)
}

pub async fn read(house: &House, actor: &Actor, plate: PlateId, bytes: Vec<u8>) -> Result<(RunId, RunRead), Refusal> {
    let id = house.app.form_id(baton_kit::TypedId::bucket(plate)).await.unwrap();
    let file = FileGiven { plate, file_name: "run.rdml".to_owned(), bytes: bytes.into() };
    commands::read_run(&house.app, actor, id, file).await.map(|taken| (taken.run, taken.decision.outcome))
}

pub async fn sign(house: &House, actor: &Actor, run: RunId, tubes: &[TubeId]) -> Result<ResultsSigned, Refusal> {
    let id = house.app.form_id(baton_kit::TypedId::bucket(run)).await.unwrap();
    let decision = commands::sign(&house.app, actor, id, SignResults { run, tubes: tubes.to_vec() }).await;
    decision.map(|decision| decision.outcome)
}

/// Releases every tube of a run: by rule what passes, the rest by two people. How many went by rule depends on the engine's
/// doubt about made-up curves; that it is exactly those which passed every rule does not.
pub async fn release_all(house: &House, staff: &Staff, run: RunId, read_as: &RunRead) -> Vec<TubeId> {
    let clean = read_as.calls.iter().filter(|call| call.not_passed.is_empty()).count();
    let mut out = Vec::new();
    if clean > 0 {
        let by_rule = sign(house, &staff.technician, run, &[]).await.unwrap();
        assert_eq!(by_rule.tubes.len(), clean);
        assert!(by_rule.tubes.iter().all(|read| read.result == TubeOutcome::Negative) && by_rule.passed.len() > 9, "{:?}", by_rule.passed);
        out.extend(by_rule.tubes.iter().map(|read| read.tube));
    }
    let rest: Vec<TubeId> = read_as.tubes.iter().map(|read| read.tube).filter(|tube| !out.contains(tube)).collect();
    if !rest.is_empty() {
        assert_eq!(sign(house, &staff.technician, run, &rest).await.unwrap().waiting, rest);
        out.extend(sign(house, &staff.director, run, &rest).await.unwrap().tubes.iter().map(|read| read.tube));
    }
    out
}

async fn result_of(house: &House, person: PersonId) -> PersonResult {
    let vault = house.app.ledger.vault().clone();
    house.app.read(move |tx| Ok(person_report(tx, &vault, person)?)).await.unwrap().result()
}

fn refused<T: std::fmt::Debug>(answer: Result<T, Refusal>) -> &'static str {
    answer.unwrap_err().code
}

async fn a_good_day(house: &House) {
    let staff = staff(house).await;
    let pools: Vec<Vec<PersonId>> = (0..12).map(|_| house.people(10)).collect();
    let tubes: Vec<TubeId> = pools.iter().enumerate().map(|(n, people)| house.tube(staff.nurse, &format!("T{n:03}"), 10, people, false)).collect();
    house.boxed(staff.nurse, "B1", &tubes);
    let (plate, layout) = laid(house, &staff, "P1", &tubes).await;
    let infected = tubes[5];
    house.pass_minutes(90);
    let bytes = rdml(&layout, |content| usual(content, |tube| if tube == infected { POSITIVE } else { NEGATIVE }));
    let (run, read_as) = read(house, &staff.technician, plate, bytes.clone()).await.unwrap();
    assert!(read_as.controls_valid && read_as.findings.is_empty(), "{:?}", read_as.findings);
    assert_eq!(result_of(house, pools[5][0]).await, PersonResult::Held(TubeOutcome::Positive), "held as soon as it is read");
    assert_eq!(result_of(house, pools[0][0]).await, PersonResult::Pending, "a preliminary negative frees nobody");
    assert_eq!(refused(read(house, &staff.technician, plate, bytes).await), "lab-plate-read");

    assert_eq!(sign(house, &staff.technician, run, &[infected]).await.unwrap().waiting, vec![infected]);
    assert_eq!(refused(sign(house, &staff.technician, run, &[infected]).await), "lab-same-person");
    let second = sign(house, &staff.director, run, &[infected]).await.unwrap();
    assert_eq!(second.tubes, vec![TubeRead { tube: infected, result: TubeOutcome::Positive }]);
    let negatives = RunRead { tubes: read_as.tubes.iter().filter(|read| read.tube != infected).cloned().collect(), ..read_as };
    assert_eq!(release_all(house, &staff, run, &negatives).await.len(), 11);
    assert_eq!(result_of(house, pools[0][9]).await, PersonResult::Negative);
    assert_eq!(result_of(house, pools[5][0]).await, PersonResult::Held(TubeOutcome::Positive), "a pool never makes a person positive");

    // One of the ten is swabbed again, alone, and is it.
    let single = house.tube(staff.nurse, "F001", 1, &pools[5][..1], true);
    house.boxed(staff.nurse, "B2", &[single]);
    let (plate, layout) = laid(house, &staff, "P2", &[single]).await;
    let (run, _) = read(house, &staff.technician, plate, rdml(&layout, |content| usual(content, |_| POSITIVE))).await.unwrap();
    sign(house, &staff.director, run, &[single]).await.unwrap();
    sign(house, &staff.technician, run, &[single]).await.unwrap();
    assert_eq!(result_of(house, pools[5][0]).await, PersonResult::Own(TubeOutcome::Positive));
    assert_eq!(result_of(house, pools[5][1]).await, PersonResult::Held(TubeOutcome::Positive));
    assert_eq!(house.app.read(|tx| Ok(people_positive(tx)?)).await.unwrap(), vec![pools[5][0]]);
    house.assert_invariants();
}

async fn a_swapped_plate(house: &House) {
    let staff = staff(house).await;
    let batch = |letter: &str| -> Vec<TubeId> { (0..20).map(|n| house.tube(staff.nurse, &format!("{letter}{n:03}"), 10, &house.people(3), false)).collect() };
    let (ours, theirs) = (batch("A"), batch("C"));
    house.boxed(staff.nurse, "B1", &[ours.clone(), theirs.clone()].concat());
    let (plate, layout) = laid(house, &staff, "P1", &ours).await;
    let (other, other_layout) = laid(house, &staff, "P2", &theirs).await;
    let infected = theirs[4];
    let shows = move |content| usual(content, |tube| if tube == infected { POSITIVE } else { NEGATIVE });
    let (run, read_as) = read(house, &staff.technician, plate, rdml(&other_layout, shows)).await.unwrap();
    let swapped = read_as.findings.iter().find(|finding| finding.code == "plate_swapped").unwrap();
    assert_eq!(swapped.matches, Some(other));
    assert!(read_as.tubes.is_empty(), "nobody is told anything from wells of which it is not known whose they are");
    assert_eq!(refused(sign(house, &staff.director, run, &[]).await), "lab-nothing-by-rule");
    let propose = commands::propose_override(&house.app, &staff.director, house.id(), ProposeOverride { run, reason: "we are sure".to_owned() }).await;
    assert_eq!(refused(propose), "lab-override-impossible");

    // The file goes where it belongs, and the plate takes its own.
    let (run, read_as) = read(house, &staff.technician, other, rdml(&other_layout, shows)).await.unwrap();
    assert!(read_as.findings.is_empty(), "{:?}", read_as.findings);
    assert_eq!(release_all(house, &staff, run, &read_as).await.len(), 20);
    let (run, read_as) = read(house, &staff.technician, plate, rdml(&layout, shows)).await.unwrap();
    assert!(read_as.findings.is_empty());
    assert_eq!(release_all(house, &staff, run, &read_as).await.len(), 20);
    house.assert_invariants();
}

async fn an_override_and_a_correction(house: &House) {
    let staff = staff(house).await;
    let person = house.person("李雷", "56A8");
    let tubes = vec![house.tube(staff.nurse, "T1", 1, &[person], false), house.tube(staff.nurse, "T2", 10, &house.people(10), false)];
    house.boxed(staff.nurse, "B1", &tubes);
    let (plate, layout) = laid(house, &staff, "P1", &tubes).await;
    let contaminated: Shows = [Some(36.0), Some(36.0), None];
    let bytes = rdml(&layout, |content| if content == WellContent::NoTemplateControl { contaminated } else { usual(content, |_| NEGATIVE) });
    let (run, read_as) = read(house, &staff.technician, plate, bytes).await.unwrap();
    assert!(!read_as.controls_valid);
    assert_eq!(refused(sign(house, &staff.director, run, &tubes).await), "lab-well-held");
    commands::propose_override(&house.app, &staff.technician, house.id(), ProposeOverride { run, reason: "spilt while loading".to_owned() }).await.unwrap();
    assert_eq!(refused(commands::confirm_override(&house.app, &staff.technician, house.id(), ConfirmOverride { run }).await), "lab-same-person");
    commands::confirm_override(&house.app, &staff.director, house.id(), ConfirmOverride { run }).await.unwrap();
    assert_eq!(refused(sign(house, &staff.director, run, &[]).await), "lab-nothing-by-rule", "an overridden run releases nothing by rule");
    assert_eq!(sign(house, &staff.director, run, &tubes).await.unwrap().waiting.len(), 2);
    assert_eq!(sign(house, &staff.technician, run, &tubes).await.unwrap().tubes.len(), 2);
    assert_eq!(result_of(house, person).await, PersonResult::Negative);

    let amendment = |reason: &str| ProposeAmendment { tube: tubes[0], result: TubeOutcome::Invalid, reason: reason.to_owned() };
    commands::propose_amendment(&house.app, &staff.technician, house.id(), amendment("carry-over found")).await.unwrap();
    let amend = AmendResult { tube: tubes[0], result: TubeOutcome::Invalid, reason: "carry-over found".to_owned() };
    assert_eq!(refused(commands::amend(&house.app, &staff.technician, house.id(), amend.clone()).await), "lab-same-person");
    let amended = commands::amend(&house.app, &staff.director, house.id(), amend).await.unwrap();
    assert_eq!(amended.outcome.before, TubeOutcome::Negative);
    assert_eq!(result_of(house, person).await, PersonResult::Own(TubeOutcome::Invalid));

    let vault = house.app.ledger.vault().clone();
    let (told, names) = house
        .app
        .read(move |tx| {
            let told = person_report(tx, &vault, person)?;
            let names = signers(tx, &vault, &told)?;
            Ok((told, names))
        })
        .await
        .unwrap();
    assert_eq!(told.tubes[0].lots.len(), 3, "fluid, extraction and reagent, each with its expiry");
    let json = report_json(&told, &names, "试验区", &house.app.site, house.now());
    let file = sign_report(json, &house.app.ledger.secrets().signing);
    let summary = verify_report(file.as_bytes(), Some(&house.app.ledger.secrets().verifying())).unwrap();
    assert_eq!((summary.result.as_str(), summary.earlier_values, summary.person), ("invalid", 1, person.to_string()), "the earlier value stays to be seen");
    house.assert_invariants();
}

/// Facts of offline devices fold to the same state in whatever order they arrive.
async fn tubes_and_scans_in_any_order(house: &House) {
    use baton_ledger::Draft;
    use baton_screening::events::*;
    let staff = staff(house).await;
    let (tube_event, scan, undo) = (house.id(), house.id(), house.id());
    let tube: TubeId = tube_event.created();
    let people = house.people(2);
    let opened = TubeOpened { code: "T9".to_owned(), campaign: house.campaign, point: house.point, ratio: 10, fluid_lot: None, follow_up: false };
    let now = house.now();
    let draft = |id, minutes: i64, body: &dyn Fn(baton_kit::EventId, baton_kit::Timestamp) -> Draft| body(id, now.plus_us(minutes * 60_000_000));
    let nurse = Some(staff.nurse);
    let drafts = vec![
        draft(house.id(), 9, &|id, at| Draft::of(id, at, nurse, &TubeAccessioned { tube, laboratory: house.laboratory, rejected: None }).unwrap()),
        draft(undo, 3, &|id, at| Draft::of(id, at, nurse, &ScanUndone { scan, reason: "wrong_person".to_owned() }).unwrap()),
        draft(house.id(), 5, &|id, at| Draft::of(id, at, nurse, &TubeSealed { tube, count: 1 }).unwrap()),
        draft(scan, 1, &|id, at| Draft::of(id, at, nurse, &PersonSampled { tube, person: people[0] }).unwrap()),
        draft(house.id(), 2, &|id, at| Draft::of(id, at, nurse, &PersonSampled { tube, person: people[1] }).unwrap()),
        draft(tube_event, 0, &|id, at| Draft::of(id, at, nurse, &opened).unwrap()),
    ];
    for draft in drafts {
        house.record(vec![draft]);
    }
    house.settle();
    let clock = house.app.read(move |tx| Ok(baton_laboratory::store::tube(tx, tube)?)).await.unwrap().unwrap();
    assert_eq!((clock.members, clock.code.as_deref()), (1, Some("T9")));
    assert_eq!(clock.first_swab, Some(now.plus_us(120_000_000)), "the scan taken back does not start the clock");
    assert_eq!((clock.sealed_count, clock.stage()), (Some(1), baton_laboratory::model::Stage::Accessioned));
    assert_eq!(result_of(house, people[0]).await, PersonResult::Pending);
    house.assert_invariants();
}
