//! Tonight and what if, over a city's day through the whole program, on both stores.

use baton_city::day::{self, Around, Credentials, PlaySettings};
use baton_desk::{Role, Scope};
use baton_kit::{Site, Timestamp};
use baton_ledger::Ledger;
use serde_json::{Value, json};

use super::browser::serve;
use super::{Installation, password};
use crate::installation::folds;

const PEOPLE: u32 = 300;

fn settings() -> PlaySettings {
    PlaySettings::new(3, PEOPLE, Site::shanghai().parse("2026-03-28 07:00").expect("a time"))
}

fn admin() -> Credentials {
    Credentials { login: "root".to_owned(), password: password("root") }
}

async fn get(installation: &Installation, token: &str, path: &str) -> Value {
    let reply = installation.send("GET", path, Some(token), None).await;
    assert_eq!(reply.status, 200, "{path}: {}", reply.text);
    reply.json()
}

async fn refused(installation: &Installation, token: &str, method: &str, path: &str, body: Option<&Value>) -> String {
    installation.send(method, path, Some(token), body).await.code()
}

#[test]
fn at_midday_everybody_hears_when_the_last_result_is_out() {
    for installation in Installation::on_each_store() {
        // Its server goes with its runtime, before the store is closed outside of async code.
        tokio::runtime::Runtime::new().expect("a runtime").block_on(midday(&installation));
    }
}

async fn midday(installation: &Installation) {
    let store = installation.store_name();
    installation.user("root", &[Role::Administrator], Scope::Everywhere).await;
    installation.user("courier", &[Role::Courier], Scope::Everywhere).await;
    let (root, _) = installation.sign_in("root").await;
    assert_eq!(refused(installation, &root, "POST", "/v1/outlook/forecasts", Some(&json!({}))).await, "outlook-no-laboratory", "{store}");
    assert!(installation.send("GET", "/tonight", Some(&root), None).await.text.contains("No forecast has been made yet"));
    let lab = installation.send("POST", "/v1/registry/places", Some(&root), Some(&json!({"kind": "laboratory", "code": "L0", "name": "L0"}))).await;
    assert_eq!(lab.status, 200, "{}", lab.text);
    assert_eq!(refused(installation, &root, "POST", "/v1/outlook/forecasts", Some(&json!({}))).await, "outlook-nothing-under-way", "{store}");
    let base = serve(installation).await;
    let around = Around { clock: &|at| installation.clock.advance_to(at), progress: &|_, _, _| {} };
    let noon = Site::shanghai().parse("2026-03-28 13:00").expect("a time");
    day::begin(&base, admin(), settings(), noon, around).await.expect("half a day");
    let (root, _) = installation.sign_in("root").await;
    let made = installation.send("POST", "/v1/outlook/forecasts", Some(&root), Some(&json!({}))).await;
    assert_eq!(made.status, 200, "{store}: {}", made.text);
    let forecast = made.json();
    band_is_sound(&forecast);
    // The same id again is the same forecast, whatever the clock says by now.
    let again = installation.send("POST", "/v1/outlook/forecasts", Some(&root), Some(&json!({"id": forecast["id"]}))).await.json();
    assert_eq!((&again["made_us"], &again["last"]), (&forecast["made_us"], &forecast["last"]), "{store}");
    assert_eq!(get(installation, &root, "/v1/outlook/forecasts?limit=1").await[0]["id"], forecast["id"]);
    assert_eq!(get(installation, &root, "/v1/outlook/evenings").await, json!([]), "nothing is over");
    let page = installation.send("GET", "/tonight", Some(&root), None).await.text;
    assert!(page.contains("id=\"last-result\"") && page.contains("polygon class=\"fan\"") && page.contains("waiting for the courier"), "{store}: {page}");
    let (courier, _) = installation.sign_in("courier").await;
    assert_eq!(refused(installation, &courier, "GET", "/v1/outlook/forecasts", None).await, "role-missing");
    changes(installation, &root).await;
}

fn band_is_sound(forecast: &Value) {
    let at = |name: &str| forecast["last"][name].as_i64().expect("a time");
    assert!(forecast["made_us"].as_i64() < Some(at("p10_us")) && at("p10_us") <= at("p50_us") && at("p50_us") <= at("p90_us"), "{forecast}");
    let steps = forecast["left"].as_array().expect("steps");
    let counts = |name: &str| steps.iter().map(|step| step[name].as_i64().expect("a count")).collect::<Vec<_>>();
    assert!(counts("p50").is_sorted() && counts("p10").is_sorted() && counts("p90").is_sorted(), "{steps:?}");
    // Everything on its way and some of what is to come is out in the end.
    assert!(counts("p90").last() >= forecast["tubes"].as_i64().as_ref(), "{forecast}");
    let there: i64 = forecast["stages"].as_array().expect("stages").iter().map(|stage| stage["tubes"].as_i64().expect("a count")).sum();
    assert_eq!(Some(there), forecast["tubes"].as_i64(), "every tube is at one stage");
}

async fn changes(installation: &Installation, root: &str) {
    let store = installation.store_name();
    let what_if = async |asked: &str| get(installation, root, &format!("/v1/outlook/what-if?{asked}")).await;
    let last = |answer: &Value| answer["difference"]["last_result_s"]["mean"].as_f64().expect("a difference");
    let waiting = |answer: &Value| answer["difference"]["waiting_s"]["mean"].as_f64().expect("a difference");
    assert!(last(&what_if("change=longer&amount=120").await) > 3_600.0, "{store}: two hours more of sampling end more than an hour later");
    assert!(waiting(&what_if("change=surge&amount=100").await) > 0.0, "{store}");
    assert!(waiting(&what_if("change=van").await) < 0.0, "{store}: closer rounds, less waiting");
    assert_eq!(last(&what_if("change=cycler").await), 0.0, "{store}: eighteen cyclers are plenty for three hundred people");
    one_more_lane(installation, root).await;
    for wrong in ["change=longer&amount=241", "change=surge", "change=closed", "change=lane", "change=weather", ""] {
        let reply = installation.send("GET", &format!("/v1/outlook/what-if?{wrong}"), Some(root), None).await;
        assert_eq!((reply.status, &*reply.code()), (400, "outlook-change-wrong"), "{store}: {wrong}");
    }
    let page = installation.send("GET", "/what-if?change=longer&amount=120", Some(root), None).await.text;
    assert!(page.contains("id=\"difference\"") && page.contains("class=\"mean\""), "{store}: {page}");
    let nowhere = json!({"laboratory": "1", "extractors": 0, "extraction_minutes": 40, "cyclers": 1});
    assert_eq!(refused(installation, root, "POST", "/v1/outlook/equipment", Some(&nowhere)).await, "outlook-change-wrong");
}

/// At every point with lanes: by which figures, and how long the wait is with one lane more.
async fn one_more_lane(installation: &Installation, root: &str) {
    let store = installation.store_name();
    let points = get(installation, root, "/v1/registry/places?kind=point").await;
    let mut told = 0;
    for point in points.as_array().expect("places") {
        let id = point["id"].as_str().expect("an id");
        let answer = get(installation, root, &format!("/v1/outlook/what-if?change=lane&point={id}")).await;
        if answer["difference"].is_null() {
            continue;
        }
        let line = &answer["line"];
        let (wait, difference) = (line["wait_s"].as_f64().expect("a wait"), &line["wait_difference_s"]);
        assert_eq!(line["point"], json!(id), "{store}: {answer}");
        assert!(line["lanes"].as_u64() >= Some(1) && line["people_per_lane_hour"].as_f64() > Some(40.0) && wait >= 0.0, "{store}: {line}");
        assert!(difference["mean"].as_f64() <= Some(0.0) && difference["ci95"].is_number(), "{store}: one lane more makes nobody wait longer: {line}");
        let queue = get(installation, root, &format!("/v1/screening/points/{id}/queue")).await;
        assert_eq!((&queue["lanes"], &queue["lane_measured"]), (&line["lanes"], &line["measured"]), "{store}: the screen has the same figures");
        let page = installation.send("GET", &format!("/what-if?change=lane&point={id}"), Some(root), None).await.text;
        assert!(page.contains("id=\"line-difference\"") && page.contains("id=\"line-by\"") && page.contains("Line at "), "{store}: {page}");
        told += 1;
    }
    assert!(told > 0, "{store}: no point has lanes");
}

#[test]
fn what_was_foretold_is_held_against_what_came() {
    for installation in Installation::on_each_store() {
        let last = tokio::runtime::Runtime::new().expect("a runtime").block_on(whole_day(&installation));
        // Folded anew the tables are the same: the answers are read, no twin is asked.
        let ledger = &installation.app().ledger;
        let violations = ledger.read(|tx| Ok(crate::rooms::violations(tx)?)).expect("a look");
        assert!(violations.is_empty(), "{violations:?}");
        let entropy = std::sync::Arc::new(baton_kit::SeededEntropy::new(9));
        assert!(Ledger::tables_are_sound(ledger.place(), &folds(), entropy, |_, _| {}).expect("a fold"), "{}", installation.store_name());
        assert!(last.0 > 0);
    }
}

/// The last result of the first round, asked of the laboratory itself.
async fn whole_day(installation: &Installation) -> Timestamp {
    let store = installation.store_name();
    installation.user("root", &[Role::Administrator], Scope::Everywhere).await;
    let base = serve(installation).await;
    let around = Around { clock: &|at| installation.clock.advance_to(at), progress: &|_, _, _| {} };
    let outcome = day::run(&base, admin(), settings(), around).await.expect("a day");
    let evening = outcome.evening.expect("an evening");
    let (root, _) = installation.sign_in("root").await;
    let kept = get(installation, &root, "/v1/outlook/forecasts?limit=100").await;
    let kept = kept.as_array().expect("forecasts");
    assert!(kept.len() > 10, "{store}: {} forecasts", kept.len());
    let until = kept[0]["until_us"].as_i64().expect("a time");
    let last = installation
        .app()
        .read(move |tx| {
            let resulted = baton_laboratory::store::clock::resulted(tx)?;
            Ok(resulted.iter().filter(|tube| tube.first_swab.is_some_and(|at| at.0 <= until)).filter_map(|tube| tube.released).max())
        })
        .await
        .expect("a look")
        .expect("a result");
    for forecast in kept {
        assert_eq!(forecast["score"]["last_result_us"].as_i64(), Some(last.0), "{store}: {forecast}");
        let (from, to) = (forecast["last"]["p10_us"].as_i64(), forecast["last"]["p90_us"].as_i64());
        assert_eq!(forecast["score"]["within"], json!(from <= Some(last.0) && Some(last.0) <= to), "{store}");
    }
    assert_eq!((evening["last_result_us"].as_i64(), evening["forecasts"].as_u64()), (Some(last.0), Some(kept.len() as u64)), "{store}");
    let page = installation.send("GET", "/tonight", Some(&root), None).await.text;
    assert!(page.contains("within the 80 % band") && page.contains("Last result was out"), "{store}: {page}");
    last
}
