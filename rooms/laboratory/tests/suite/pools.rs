//! The pool planner and the decoder: what released tubes teach, what is refused, what a plate's pools say.

use baton_desk::Role;
use baton_kit::TubeId;

use crate::day::{laid, on_both_stores, read, release_all, staff};
use crate::house::{House, NEGATIVE, POSITIVE, rdml, usual};

const LANGUAGES: [&str; 3] = ["zh-Hans", "zh-Hant", "en"];

/// The body of a form with files.
fn multipart(fields: &[(&str, &[u8])]) -> (String, Vec<u8>) {
    let mut body = Vec::new();
    for (name, content) in fields {
        let file = if name.ends_with("_file") { "; filename=\"a.csv\"" } else { "" };
        body.extend_from_slice(format!("--edge\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n").as_bytes());
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--edge--\r\n");
    ("multipart/form-data; boundary=edge".to_owned(), body)
}

async fn decode(house: &House, token: &str, fields: &[(&str, &[u8])]) -> (u16, String) {
    let (kind, body) = multipart(fields);
    house.send("POST", "/laboratory/pools/decode", Some(token), &kind, body).await
}

on_both_stores!(the_planner_learns_from_released_tubes);

async fn the_planner_learns_from_released_tubes(house: &House) {
    let staff = staff(house).await;
    let token = house.token("boss").await;
    let before = house.page("/laboratory/pools", Some(&token), "en").await;
    assert!(before.contains("No tube was released in 14 days") && !before.contains("People in them"), "{before}");
    let tubes: Vec<TubeId> = (0..10).map(|n| house.tube(staff.nurse, &format!("T{n}"), 10, &house.people(if n == 0 { 7 } else { 10 }), false)).collect();
    let single = house.tube(staff.nurse, "F1", 1, &house.people(1), true);
    let all = [&tubes[..], &[single]].concat();
    house.boxed(staff.nurse, "B1", &all);
    let (plate, layout) = laid(house, &staff, "P1", &all).await;
    let shows = |tube| if tube == single || tubes[..5].contains(&tube) { POSITIVE } else { NEGATIVE };
    let (run, read_as) = read(house, &staff.technician, plate, rdml(&layout, |content| usual(content, shows))).await.unwrap();
    release_all(house, &staff, run, &read_as).await;
    house.settle();
    let page = house.page("/laboratory/pools", Some(&token), "en").await;
    assert!(page.contains("<dd>10</dd><dd class=\"note\">5 positive, 0 single-target"), "a follow-up tube teaches nothing: {page}");
    assert!(page.contains("<dt>People in them</dt><dd>97</dd>"), "{page}");
    assert!(page.contains("Change the tubes from 10:1 to 5:1."), "{page}");
    house.clock.advance_to(house.now().plus_us(15 * baton_kit::time::DAY_US));
    let token = house.token("boss").await; // the session has ended by then
    assert!(house.page("/laboratory/pools", Some(&token), "en").await.contains("No tube was released in 14 days"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_planner_recommends_what_is_validated_and_refuses_pools_of_pools() {
    let house = House::embedded();
    staff(&house).await;
    house.user("zone", &[Role::ZoneManager]).await;
    let token = house.token("zone").await;
    for language in LANGUAGES {
        for query in [
            "",
            "?mixing=pools",
            "?mixing=aliquots&prevalence=30",
            "?mixing=swabs&assay=cdc-n1-n2-rp&prevalence=0.1&group=4&correlation=0.3&people=10000&tests_per_hour=500&hours=5",
            "?largest=1&cq_median=36&cutoff=30&keep=100&prevalence=x&now=999&assay=none",
        ] {
            let page = house.page(&format!("/laboratory/pools{query}"), Some(&token), language).await;
            assert!(!page.contains("NaN") && !page.contains("inf,"), "{query}");
        }
    }
    let english = async |query: &str| house.page(&format!("/laboratory/pools?{query}"), Some(&token), "en").await;
    for (prevalence, sizes) in [("0.05", "20:1"), ("1", "10:1"), ("6", "5:1")] {
        let page = english(&format!("prevalence={prevalence}&cutoff=45")).await;
        assert!(page.contains(&format!("<p class=\"answer\">Pools of two stages {sizes}</p>")), "{prevalence}: {page}");
        assert_eq!(page.matches("<figure class=\"plot\">").count(), 3);
    }
    let pools = english("mixing=pools").await;
    assert!(pools.contains("Pooled tubes are not pooled again") && !pools.contains("class=\"answer\""), "{pools}");
    let aliquots = english("mixing=aliquots&prevalence=1&cutoff=45").await;
    assert!(aliquots.contains("<p class=\"answer\">Single tests 1:1</p>") && aliquots.contains("not validated for 25:1"), "{aliquots}");
}

const DESIGN: &[u8] = b"pool,s1,s2,s3,s4\nR1,1,1,0,0\nR2,0,0,1,1\nC1,1,0,1,0\nC2,0,1,0,1\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plate_of_pools_is_decoded_on_the_page_and_nobody_is_released() {
    let house = House::embedded();
    staff(&house).await;
    let token = house.token("tech").await;
    let crossing = "pool,result,cq\nR1,阳性,31.2\nR2,negative,\nC1,neg,\nC2,+,31.6\n".as_bytes();
    let before = house.app.ledger.position();
    let (status, page) = decode(&house, &token, &[("design", DESIGN), ("outcomes", crossing), ("prevalence", b"")]).await;
    assert_eq!(status, 200, "{page}");
    assert!(page.contains("C2+</th>") && page.contains("R1+ C2+") && page.contains("<td class=\"h5\" title=\"s2"), "{page}");
    assert_eq!(house.app.ledger.position(), before, "nothing is stored");
    let lonely = b"R1,positive\nR2,negative\nC1,negative\nC2,negative\n";
    let (_, page) = decode(&house, &token, &[("design_file", DESIGN), ("outcomes_file", lonely), ("outcomes", b"")]).await;
    assert!(page.contains("<td class=\"code\">s1</td>") && page.contains("<td class=\"code\">s2</td>"), "{page}");
    let (status, csv) = decode(&house, &token, &[("design", DESIGN), ("outcomes", lonely), ("as", b"csv")]).await;
    assert_eq!(status, 200);
    assert!(csv.starts_with("\u{feff}sample,posterior,pools\r\n\"s1\",0.") && csv.contains("\"R1+ C2−\"") && csv.lines().count() == 3, "{csv}");
    let (_, page) = decode(&house, &token, &[("design", b"pool,a\nR1,x\n"), ("outcomes", lonely)]).await;
    assert!(page.contains("不是 0 或 1") || page.contains("is not 0 or 1"), "{page}");
    for language in LANGUAGES {
        house.page("/laboratory/pools/decode", Some(&token), language).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_read_is_refused_in_words_and_who_may_not_decode_is_told_so() {
    let house = House::embedded();
    staff(&house).await;
    house.user("zone", &[Role::ZoneManager]).await;
    house.user("courier", &[Role::Courier]).await;
    let token = house.token("tech").await;
    let (status, page) = decode(&house, &token, &[("design_file", &[0xff, 0xfe, 0x00]), ("outcomes", b"")]).await;
    assert_eq!(status, 400, "{page}");
    assert!(page.contains("lab-pool-table-not-text") && page.contains("design_file"), "{page}");
    let (zone, courier) = (house.token("zone").await, house.token("courier").await);
    assert_eq!(decode(&house, &zone, &[("design", DESIGN)]).await.0, 403);
    assert_eq!(house.send("GET", "/laboratory/pools", Some(&courier), "", Vec::new()).await.0, 403);
}

/// Every word the planner and the decoder may need, in every language: pages meet only some of them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_code_of_the_engine_has_words() {
    let house = House::embedded();
    let finding = ["pool_unexplained", "pool_missed_positive", "positive_uncertain", "pool_unusable", "sample_without_evidence", "too_many_explanations"];
    let reason = [
        "fewest_tests",
        "pooling_saves_little",
        "at_search_bound",
        "held_by_sensitivity",
        "below_required_sensitivity",
        "held_by_pool_limit",
        "needs_separate_specimens",
        "no_pool_allowed",
        "too_slow",
    ];
    let refusal = ["pool_of_pools", "pool_without_persons", "ratio_not_validated"];
    let table = [
        "file_too_large",
        "no_pools",
        "design_too_large",
        "sample_names",
        "cell_count",
        "not_zero_or_one",
        "pool_name_twice",
        "sample_name_twice",
        "pool_unknown",
        "matched_by_number",
        "second_result",
        "no_result",
        "result_unknown",
        "not_a_cq",
        "no_cq",
        "refused",
    ];
    for language in baton_kit::Language::ALL {
        let words = house.app.texts.words(language);
        let values =
            ["pool", "samples", "saved", "sizes", "largest", "hours", "ratio", "limit", "pools", "names", "columns", "cells", "expected", "column", "cell"];
        let values: Vec<(&str, &str)> = values.into_iter().chain(["name", "first", "second", "result", "message"]).map(|name| (name, "1")).collect();
        for (topic, codes) in [("finding", &finding[..]), ("reason", &reason), ("refusal", &refusal), ("table", &table)] {
            for code in codes {
                let key = format!("laboratory-pool-{topic}-{}", code.replace('_', "-"));
                assert!(!words.with(&key, &values).contains('⟨'), "{key}");
            }
        }
    }
}
