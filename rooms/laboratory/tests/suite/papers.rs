//! Results on paper: what is written, that it is sealed, and who gets it.

use baton_desk::accounts::events::ChangeAccount;
use baton_desk::paper::sealed::verify_paper;
use baton_ground::words_of;
use baton_kit::{PersonId, TubeId};
use baton_laboratory::commands;
use baton_laboratory::events::{AmendResult, ProposeAmendment, TubeOutcome};
use baton_laboratory::statement::{Standing, Statement, statement_in};

use crate::day::{Staff, laid, read, release_all, staff};
use crate::house::{House, NEGATIVE, rdml, usual};

/// A single specimen of 韩梅梅 and a pool of ten with her in it, all negative and out.
pub(crate) async fn day_with_results(house: &House) -> (Staff, PersonId, Vec<TubeId>) {
    let staff = staff(house).await;
    let person = house.person("韩梅梅", "12B4");
    let mut ten = house.people(9);
    ten.push(person);
    let tubes = vec![house.tube(staff.nurse, "T1", 10, &ten, false), house.tube(staff.nurse, "T2", 1, &[person], false)];
    house.boxed(staff.nurse, "B1", &tubes);
    let (plate, layout) = laid(house, &staff, "P1", &tubes).await;
    let (run, read_as) = read(house, &staff.technician, plate, rdml(&layout, |content| usual(content, |_| NEGATIVE))).await.unwrap();
    release_all(house, &staff, run, &read_as).await;
    (staff, person, tubes)
}

async fn amend(house: &House, staff: &Staff, tube: TubeId) {
    let proposed = ProposeAmendment { tube, result: TubeOutcome::Invalid, reason: "孔间污染".to_owned() };
    commands::propose_amendment(&house.app, &staff.technician, house.id(), proposed).await.unwrap();
    let amended = AmendResult { tube, result: TubeOutcome::Invalid, reason: "孔间污染".to_owned() };
    commands::amend(&house.app, &staff.director, house.id(), amended).await.unwrap();
    house.settle();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_report_on_paper_is_sealed_speaks_the_language_asked_for_and_shows_what_was_amended() {
    let house = House::embedded();
    house.app.set_public_address("https://baton.example/").unwrap();
    let (staff, person, tubes) = day_with_results(&house).await;
    let (token, key) = (house.token("tech").await, house.app.ledger.secrets().verifying());
    let path = format!("/v1/laboratory/people/{person}/report.pdf");
    let pdf = house.bytes(&format!("{path}?language=zh-Hans"), &token).await;
    assert!(pdf.len() < 60_000, "{} bytes", pdf.len());
    let paper = verify_paper(&pdf, Some(&key)).unwrap();
    assert_eq!((paper.reports.len(), paper.reports[0].result.as_str(), paper.reports[0].person.clone()), (1, "negative", person.to_string()));
    if let Some(text) = words_of(&pdf) {
        for words in [
            "试验区",
            "核酸检测结果报告",
            "韩梅梅",
            "···12B4",
            "阴性",
            "RT-qPCR",
            "orf1ab-n-ic",
            "tech 王",
            "T2",
            "单采单检",
            "混采 10 人",
            "第 1 页",
            "baton.example/verify",
        ] {
            assert!(text.contains(words), "{words}: {text}");
        }
    }
    amend(&house, &staff, tubes[1]).await;
    let english = house.bytes(&format!("{path}?language=en"), &token).await;
    let paper = verify_paper(&english, Some(&key)).unwrap();
    assert_eq!((paper.reports[0].result.as_str(), paper.reports[0].earlier_values), ("invalid", 1));
    if let Some(text) = words_of(&english) {
        for words in ["Nucleic acid test report", "no longer holds", "孔间污染", "Invalid", "Released by"] {
            assert!(text.contains(words), "{words}: {text}");
        }
    }
    // She is told in the language she asked for, whatever the page of whoever prints.
    if let Some(text) = words_of(&house.bytes(&path, &token).await) {
        assert!(text.contains("核酸檢測結果報告") && !text.contains("Nucleic acid test report"), "{text}");
    }
    let (status, refusal) = house.json("GET", &format!("{path}?language=fr"), &token, None).await;
    assert_eq!((status, refusal["code"].as_str()), (400, Some("language-unknown")));
    assert_eq!(house.send("GET", &path, None, "", Vec::new()).await.0, 401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_box_prints_as_one_file_and_so_does_a_point() {
    let house = House::embedded();
    let (_, _, tubes) = day_with_results(&house).await;
    let (token, key) = (house.token("boss").await, house.app.ledger.secrets().verifying());
    let tube = house.bytes(&format!("/v1/laboratory/lineage/tube/{}/reports.pdf", tubes[0]), &token).await;
    assert_eq!(verify_paper(&tube, Some(&key)).unwrap().reports.len(), 10, "everyone in the tube, once");
    if let Some(text) = words_of(&tube) {
        let each = [text.matches("核酸檢測結果報告").count(), text.matches("Nucleic acid test report").count()];
        assert_eq!(each, [1, 9], "each in their own language, in the page's where none is known: {text}");
    }
    let point = house.bytes(&format!("/v1/laboratory/campaigns/{}/points/{}/reports.pdf", house.campaign, house.point), &token).await;
    assert_eq!(verify_paper(&point, Some(&key)).unwrap().reports.len(), 10);
    let nobody = format!("/v1/laboratory/lineage/lot/{}/reports.pdf", tubes[0]);
    let (status, refusal) = house.json("GET", &nobody, &token, None).await;
    assert_eq!((status, refusal["code"].as_str()), (404, Some("lab-no-reports")));
    let nurse = house.token("nurse").await;
    assert_eq!(house.json("GET", &format!("/v1/laboratory/lineage/tube/{}/reports.pdf", tubes[0]), &nurse, None).await.0, 403);
    let crowd = house.tube(house.user("nurse3", &[baton_desk::Role::SamplingNurse]).await.account.unwrap(), "T9", 10, &house.people(501), false);
    house.settle();
    let (status, refusal) = house.json("GET", &format!("/v1/laboratory/lineage/tube/{crowd}/reports.pdf"), &token, None).await;
    assert_eq!((status, refusal["code"].as_str()), (400, Some("lab-too-many-reports")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_says_how_a_result_stands_now() {
    let house = House::embedded();
    let (staff, person, tubes) = day_with_results(&house).await;
    let (vault, key) = (house.app.ledger.vault().clone(), house.app.ledger.secrets().verifying());
    let report = house.app.read(move |tx| Ok(baton_laboratory::person::person_report(tx, &vault, person)?)).await.unwrap();
    let statement = Statement::of(&report, house.now()).unwrap();
    let text = format!("https://x/verify?s={}", statement.sign(&house.app.ledger.secrets().signing));
    assert_eq!(Statement::read(&key, statement_in(&text)), Some(statement));
    let someone_else = house.person("李雷", "0000");
    let standing = async |statement: Statement| house.app.read(move |tx| Ok(statement.standing(tx)?)).await.unwrap();
    assert_eq!(standing(statement).await, Standing::Valid);
    assert_eq!(standing(Statement { tube: house.id().created(), ..statement }).await, Standing::Unknown);
    assert_eq!(standing(Statement { person: someone_else, ..statement }).await, Standing::Withdrawn, "no swab of theirs is in the tube");
    amend(&house, &staff, tubes[1]).await;
    assert_eq!(standing(statement).await, Standing::Amended);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_verification_page_says_how_it_stands_and_nothing_of_the_person() {
    let house = House::embedded();
    let (staff, person, tubes) = day_with_results(&house).await;
    let vault = house.app.ledger.vault().clone();
    let report = house.app.read(move |tx| Ok(baton_laboratory::person::person_report(tx, &vault, person)?)).await.unwrap();
    let text = Statement::of(&report, house.now()).unwrap().sign(&house.app.ledger.secrets().signing);
    let path = format!("/verify?s={text}");
    for (language, word) in [("zh-Hans", "有效"), ("zh-Hant", "有效"), ("en", "Valid")] {
        let page = house.page(&path, None, language).await;
        assert!(page.contains("data-standing=\"valid\"") && page.contains(&format!(">{word}</p>")), "{page}");
        assert!(!page.contains("韩梅梅") && !page.contains("12B4") && !page.contains(&person.to_string()), "no personal data");
    }
    let changed = format!("/verify?s={}", text.replace(&text[10..11], if &text[10..11] == "B" { "C" } else { "B" }));
    assert!(house.page(&changed, None, "en").await.contains("data-standing=\"wrong\""));
    assert!(house.page("/verify?s=hello", None, "en").await.contains("data-standing=\"wrong\""));
    assert!(!house.page("/verify", None, "en").await.contains("data-standing"));
    amend(&house, &staff, tubes[1]).await;
    assert!(house.page(&path, None, "en").await.contains("data-standing=\"amended\""));
    let (status, text) = house.send("GET", &format!("/v1{path}"), None, "", Vec::new()).await;
    assert_eq!((status, text.as_str()), (200, "{\"standing\":\"amended\"}"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_day_of_the_laboratory_is_counted_the_same_on_paper_and_in_tables() {
    let house = House::embedded();
    let (_, _, tubes) = day_with_results(&house).await;
    let rejected = house.tube(house.user("nurse2", &[baton_desk::Role::SamplingNurse]).await.account.unwrap(), "T3", 10, &house.people(2), false);
    let account = house.user("door", &[baton_desk::Role::Accession]).await.account.unwrap();
    let refused = baton_laboratory::events::TubeAccessioned { tube: rejected, laboratory: house.laboratory, rejected: Some("leaked".to_owned()) };
    house.fact(account, &refused);
    house.settle();
    let (token, key) = (house.token("tech").await, house.app.ledger.secrets().verifying());
    let path = |form: &str| format!("/v1/laboratory/days/2026-03-27.{form}?laboratory={}&language=en", house.laboratory);
    let csv = String::from_utf8(house.bytes(&path("csv"), &token).await).unwrap();
    for line in [
        "Tubes accepted on arrival,2,",
        "Tubes rejected on arrival,1,",
        "Plates laid,1,",
        "Runs,1,",
        "Runs with failed controls,0,",
        "Tubes released,2,11",
        "of which: negative,2,11",
    ] {
        assert!(csv.contains(line), "{line}: {csv}");
    }
    let pdf = house.bytes(&path("pdf"), &token).await;
    let paper = verify_paper(&pdf, Some(&key)).unwrap();
    assert_eq!((paper.reports[0].kind.as_str(), paper.reports[0].person.as_str()), ("day", "L1 2026-03-27"));
    if let Some(text) = words_of(&pdf) {
        assert!(text.contains("Laboratory day 2026-03-27") && text.contains("Tubes released"), "{text}");
    }
    assert!(house.bytes(&path("xlsx"), &token).await.starts_with(b"PK"));
    let (status, refusal) = house.json("GET", &path("doc"), &token, None).await;
    assert_eq!((status, refusal["code"].as_str()), (404, Some("lab-day-unknown")));
    assert_eq!(tubes.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_evidence_for_a_result_leads_from_people_to_decision_and_says_what_is_not_recorded() {
    let house = House::embedded();
    let (staff, person, tubes) = day_with_results(&house).await;
    amend(&house, &staff, tubes[1]).await;
    house.pass_minutes(1);
    let promoted =
        ChangeAccount { account: staff.technician.account.unwrap(), roles: Some(vec![baton_desk::Role::Auditor]), scope: None, enabled: None, sealed: None };
    house.app.decide(&staff.director, house.id(), promoted, |_, _, _| Ok(())).await.unwrap();
    let (token, key) = (house.token("boss").await, house.app.ledger.secrets().verifying());
    house.bytes(&format!("/v1/laboratory/people/{person}/report.pdf"), &token).await;
    house.settle();
    let path = format!("/v1/laboratory/tubes/{}/evidence.pdf", tubes[1]);
    let pdf = house.bytes(&format!("{path}?language=en"), &token).await;
    let paper = verify_paper(&pdf, Some(&key)).unwrap();
    assert_eq!((paper.reports[0].kind.as_str(), paper.reports[0].person.as_str(), paper.reports[0].result.as_str()), ("evidence", "T2", "invalid"));
    if let Some(text) = words_of(&pdf) {
        let person = person.to_string();
        for words in [
            person.as_str(),
            "P1",
            "orf1ab-n-ic 2",
            "Cq of the positive control, ",
            "Technician",
            "Extraction and plate set-up · until",
            "Fluorescence by cycle",
            "孔间污染",
            "tech 王",
            "is told outside this",
            "maintenance and calibration",
            "laboratory.run_read",
        ] {
            assert!(text.contains(words), "{words}: {text}");
        }
        assert!(!text.contains("韩梅梅"), "people stand by number");
        let ordinal = house.app.ledger.position().0;
        assert!(ordinal > 0 && text.contains("Head hash"), "{text}");
    }
    for language in ["zh-Hans", "zh-Hant"] {
        verify_paper(&house.bytes(&format!("{path}?language={language}"), &token).await, Some(&key)).unwrap();
    }
    let nurse = house.token("nurse").await;
    assert_eq!(house.json("GET", &path, &nurse, None).await.0, 403);
}
