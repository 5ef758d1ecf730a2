//! Every page answers, in three languages, to whom it may; the API takes a plate from worklist to release.

use baton_desk::Role;
use baton_kit::{AccountId, PersonId, TubeId};
use baton_laboratory::events::{WellContent, WellLaid};
use serde_json::{Value, json};

use crate::day::{laid, read, release_all, staff};
use crate::house::{House, NEGATIVE, POSITIVE, rdml, usual};

const LANGUAGES: [&str; 3] = ["zh-Hans", "zh-Hant", "en"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_speaks_three_languages() {
    let house = House::embedded();
    let staff = staff(&house).await;
    let person = house.person("韩梅梅", "12B4");
    let pools = [vec![person], house.people(10), house.people(10)];
    let tubes: Vec<TubeId> =
        pools.iter().enumerate().map(|(n, people)| house.tube(staff.nurse, &format!("T{n}"), if n == 0 { 1 } else { 10 }, people, false)).collect();
    let box_id = house.boxed(staff.nurse, "B1", &tubes);
    let (plate, layout) = laid(&house, &staff, "P1", &tubes[..2]).await;
    let token = house.token("boss").await;
    let before =
        [format!("/laboratory/plates/{plate}"), "/laboratory/accession".to_owned(), format!("/laboratory/accession?tube={}", tubes[0]), "/".to_owned()];
    for language in LANGUAGES {
        for path in &before {
            house.page(path, Some(&token), language).await;
        }
    }
    let contaminated = rdml(&layout, |content| if content == WellContent::NoTemplateControl { POSITIVE } else { usual(content, |_| POSITIVE) });
    let (held, _) = read(&house, &staff.technician, plate, contaminated).await.unwrap();
    let (run, _) = read(&house, &staff.technician, plate, rdml(&layout, |content| usual(content, |tube| if tube == tubes[1] { POSITIVE } else { NEGATIVE })))
        .await
        .unwrap();
    crate::day::sign(&house, &staff.technician, run, &tubes[..2]).await.unwrap();
    house.fact(staff.nurse, &baton_laboratory::events::TubeAccessioned { tube: tubes[0], laboratory: house.laboratory, rejected: None });
    house.settle();
    let account = staff.nurse;
    let paths = [
        "/laboratory".to_owned(),
        "/laboratory/assays".to_owned(),
        "/laboratory/clock".to_owned(),
        "/laboratory/plates/new".to_owned(),
        format!("/laboratory/plates/new?again={plate}"),
        format!("/laboratory/runs/{held}"),
        format!("/laboratory/runs/{run}"),
        format!("/laboratory/runs/{run}?well={}", layout[0].well),
        format!("/laboratory/tubes/{}", tubes[0]),
        format!("/laboratory/tubes/{}", tubes[1]),
        format!("/laboratory/people/{person}"),
        "/laboratory/lineage".to_owned(),
        format!("/laboratory/lineage/lot/{}", house.pcr),
        format!("/laboratory/lineage/plate/{plate}"),
        format!("/laboratory/lineage/operator/{account}"),
        format!("/laboratory/lineage/box/{box_id}"),
        format!("/laboratory/lineage/tube/{}", tubes[0]),
        "/result".to_owned(),
        "/".to_owned(),
    ];
    for language in LANGUAGES {
        for path in &paths {
            house.page(path, Some(&token), language).await;
        }
    }
    let shown = house.page(&format!("/laboratory/tubes/{}", tubes[1]), Some(&token), "en").await;
    assert!(shown.contains("signed by tech 王"), "{shown}");
    house.assert_invariants();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_sees_their_own_result_with_code_and_last_four_and_guessing_ends() {
    let house = House::embedded();
    let staff = staff(&house).await;
    let person = house.person("韩梅梅", "12B4");
    let tube = house.tube(staff.nurse, "T1", 1, &[person], false);
    house.boxed(staff.nurse, "B1", &[tube]);
    let (plate, layout) = laid(&house, &staff, "P1", &[tube]).await;
    let (run, read_as) = read(&house, &staff.technician, plate, rdml(&layout, |content| usual(content, |_| NEGATIVE))).await.unwrap();
    release_all(&house, &staff, run, &read_as).await;
    let code = baton_registry::person_code(house.app.ledger.secrets(), person);
    let form = |tail: &str| format!("code={code}&tail={tail}&form=json").into_bytes();
    let ask = async |path: &str, tail: &str| house.send("POST", path, None, "application/x-www-form-urlencoded", form(tail)).await;
    let (status, text) = ask("/result", "12b4").await;
    assert_eq!(status, 200, "{text}");
    assert!(text.contains("韩梅梅") && text.contains("阴性"), "{text}");
    let (status, file) = ask("/result/file", "12B4").await;
    assert_eq!(status, 200);
    let summary = baton_desk::paper::report::verify_report(file.as_bytes(), Some(&house.app.ledger.secrets().verifying())).unwrap();
    assert_eq!(summary.result, "negative");
    a_shown_result_hears_that_it_moved(&house, staff.nurse, &[person], &text).await;
    for _ in 0..5 {
        assert_eq!(ask("/result", "0000").await.0, 403);
    }
    assert_eq!(ask("/result", "12B4").await.0, 429, "even the right answer waits now");
    let (status, _) = house.send("POST", "/result", None, "application/x-www-form-urlencoded", b"code=BP1.x&tail=0000".to_vec()).await;
    assert_eq!(status, 400);
}

/// The page asks by the pass it bears; nobody else's news is told.
async fn a_shown_result_hears_that_it_moved(house: &House, nurse: AccountId, person: &[PersonId], shown: &str) {
    let asks = shown.split("data-standing=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("the page asks").replace("&amp;", "&");
    let moved = async || {
        let (status, text) = house.send("GET", &asks, None, "application/json", Vec::new()).await;
        assert_eq!(status, 200, "{text}");
        text.contains("true")
    };
    assert!(!moved().await);
    house.tube(nurse, "T8", 1, &[house.person("李雷", "55X1")], false);
    baton_ground::settle(&house.app.ledger);
    assert!(!moved().await, "somebody else was swabbed");
    house.tube(nurse, "T9", 1, person, false);
    baton_ground::settle(&house.app.ledger);
    assert!(moved().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_api_takes_a_plate_from_waiting_tubes_to_release() {
    let house = House::embedded();
    let staff = staff(&house).await;
    let people = house.people(20);
    let tubes: Vec<TubeId> = (0..2).map(|n| house.tube(staff.nurse, &format!("T{n}"), 10, &people[n * 10..n * 10 + 10], false)).collect();
    house.boxed(staff.nurse, "B1", &tubes);
    let token = house.token("tech").await;
    let (status, _) = house
        .send(
            "POST",
            "/laboratory/accession",
            Some(&token),
            "application/x-www-form-urlencoded",
            format!("id={}&laboratory={}&code=T0", house.id(), house.laboratory).into_bytes(),
        )
        .await;
    assert_eq!(status, 303);
    let fact = json!({"facts": [{"id": baton_kit::EventId::new(baton_kit::Bucket::new(3).unwrap(), baton_kit::Device::new(1).unwrap(), 1), "kind": "laboratory.tube_accessioned", "happened_us": house.now().0, "body": {"tube": tubes[1], "laboratory": house.laboratory}}]});
    let (status, answer) = house.json("POST", "/v1/facts", &token, Some(fact)).await;
    assert_eq!((status, answer["answers"][0]["refusal"]["code"].as_str()), (200, Some("not-your-device")));
    house.fact(staff.technician.account.unwrap(), &baton_laboratory::events::TubeAccessioned { tube: tubes[1], laboratory: house.laboratory, rejected: None });
    house.settle();
    let (_, waiting) = house.json("GET", &format!("/v1/laboratory/waiting?laboratory={}", house.laboratory), &token, None).await;
    assert_eq!(waiting.as_array().unwrap().len(), 2, "{waiting}");
    let plate = json!({"code": "P1", "laboratory": house.laboratory, "wells": 96, "assay": "orf1ab-n-ic", "tubes": tubes, "extraction_lot": house.extraction, "pcr_lot": house.pcr});
    let (status, plate) = house.json("POST", "/v1/laboratory/plates", &token, Some(plate)).await;
    assert_eq!(status, 200, "{plate}");
    let id = plate["plate"].as_str().unwrap().to_owned();
    let (status, list) = house.send("GET", &format!("/v1/laboratory/plates/{id}/worklist?for=quantstudio"), Some(&token), "", Vec::new()).await;
    assert!(status == 200 && list.contains("T0\tORF1ab") && list.contains("\tNTC\tORF1ab\tNTC"), "{list}");
    let layout: Vec<WellLaid> = serde_json::from_value(plate["layout"].clone()).unwrap();
    let bytes = rdml(&layout, |content| usual(content, |_| NEGATIVE));
    let (status, run) = house.send("POST", &format!("/v1/laboratory/runs?plate={id}&file_name=a.rdml"), Some(&token), "application/octet-stream", bytes).await;
    assert_eq!(status, 200, "{run}");
    let run: Value = serde_json::from_str(&run).unwrap();
    assert_eq!((run["controls_valid"].as_bool(), run["readings"].as_u64()), (Some(true), Some(15)), "{run}");
    let run = run["run"].as_str().unwrap();
    house.pass_minutes(30);
    for (who, released) in [("tech", 0), ("boss", 2)] {
        let token = house.token(who).await;
        let (status, signed) = house.json("POST", &format!("/v1/laboratory/runs/{run}/sign"), &token, Some(json!({"tubes": tubes}))).await;
        assert_eq!((status, signed["released"].as_array().map(Vec::len)), (200, Some(released)), "{signed}");
    }
    let (_, clock) = house.json("GET", "/v1/laboratory/clock", &token, None).await;
    assert_eq!(
        (clock["waiting"].as_i64(), clock["turnaround_s"]["tubes"].as_i64(), clock["turnaround_s"]["max"].as_i64()),
        (Some(0), Some(2), Some(4200)),
        "{clock}"
    );
    let person: PersonId = people[0];
    let (_, line) = house.json("GET", &format!("/v1/laboratory/lineage/person/{person}"), &token, None).await;
    assert_eq!((line["tubes"][0]["result"].as_str(), line["tubes"][0]["wells"][0]["plate"].as_str()), (Some("negative"), Some(id.as_str())), "{line}");
    assert!(line["tubes"][0]["hands"].as_array().unwrap().len() >= 7, "{line}");
    house.assert_invariants();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_no_business_here_is_told_so() {
    let house = House::embedded();
    house.user("courier", &[Role::Courier]).await;
    let token = house.token("courier").await;
    for path in ["/v1/laboratory/clock", "/v1/laboratory/capability"] {
        assert_eq!(house.json("GET", path, &token, None).await.0, 403, "{path}");
    }
}
