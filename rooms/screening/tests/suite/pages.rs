//! The room behind the desk: pages in three languages, facts with notes, decisions and their refusals.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use baton_desk::accounts::pages::{NewUser, create_account};
use baton_desk::{Actor, App, Desk, Role, Scope};
use baton_kit::time::HOUR_US;
use baton_kit::{Bucket, Language, PlaceId, Site};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::house::*;

on_both_desks!(pages_draw_in_three_languages, scans_are_understood_and_noted_at_once, decisions_are_refused_with_a_code, label_blocks_are_accounted_for,);

pub struct Session {
    pub app: App,
    token: String,
    pub device: u32,
}

impl Session {
    async fn call(&self, method: &str, path: &str, accept: &str, language: &str, body: Option<Value>) -> (StatusCode, String) {
        let body = body.map(|value| ("application/json", value.to_string()));
        self.send(method, path, [accept, language], body).await
    }
    /// `taste` is what the caller accepts and reads; `body` its kind and its text.
    async fn send(&self, method: &str, path: &str, taste: [&str; 2], body: Option<(&str, String)>) -> (StatusCode, String) {
        let [accept, language] = taste;
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("accept", accept)
            .header("authorization", format!("Bearer {}", self.token))
            .header("cookie", format!("baton_language={language}"));
        let body = match body {
            Some((kind, text)) => {
                request = request.header("content-type", kind);
                Body::from(text)
            }
            None => Body::empty(),
        };
        let response = baton_desk::router(&self.app).oneshot(request.body(body).unwrap()).await.unwrap();
        let status = response.status();
        (status, String::from_utf8_lossy(&response.into_body().collect().await.unwrap().to_bytes()).into_owned())
    }
    /// A file as it is downloaded: its kind and its bytes.
    pub async fn file(&self, path: &str) -> (String, Vec<u8>) {
        let request = Request::builder().uri(path).header("authorization", format!("Bearer {}", self.token)).body(Body::empty()).unwrap();
        download(baton_desk::router(&self.app).oneshot(request).await.unwrap()).await
    }
    /// A file that a form answers with.
    pub async fn file_of_form(&self, path: &str, fields: &str) -> (String, Vec<u8>) {
        let request = Request::builder().method("POST").uri(path).header("authorization", format!("Bearer {}", self.token));
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(Body::from(fields.to_owned())).unwrap();
        download(baton_desk::router(&self.app).oneshot(request).await.unwrap()).await
    }
    /// Sends a form as a page does; the code of the refusal, or nothing when it was accepted.
    pub async fn form(&self, path: &str, fields: &str) -> String {
        let (status, text) = self.send("POST", path, ["application/json", "en"], Some(("application/x-www-form-urlencoded", fields.to_owned()))).await;
        if status == StatusCode::SEE_OTHER { String::new() } else { refusal(status, &text) }
    }
    pub async fn get_refused(&self, path: &str) -> String {
        let (status, text) = self.call("GET", path, "application/json", "en", None).await;
        refusal(status, &text)
    }
    pub async fn page(&self, path: &str, language: &str) -> String {
        let (status, text) = self.call("GET", path, "text/html", language, None).await;
        assert_eq!(status, StatusCode::OK, "{path}: {text}");
        assert!(!text.contains('⟨'), "{path} lacks words");
        text
    }
    pub async fn get(&self, path: &str) -> Value {
        let (status, text) = self.call("GET", path, "application/json", "en", None).await;
        assert_eq!(status, StatusCode::OK, "{path}: {text}");
        serde_json::from_str(&text).unwrap()
    }
    pub async fn post(&self, path: &str, body: Value) -> (StatusCode, Value) {
        let (status, text) = self.call("POST", path, "application/json", "en", Some(body)).await;
        (status, serde_json::from_str(&text).unwrap_or(Value::Null))
    }
    pub async fn refused(&self, path: &str, body: Value) -> String {
        let (status, answer) = self.post(path, body).await;
        assert!(status.is_client_error(), "{path}: {status} {answer}");
        answer["code"].as_str().unwrap().to_owned()
    }
    /// Sends one fact; the codes of what was noted.
    pub async fn fact(&self, n: u32, at: i64, kind: &str, body: Value) -> Vec<String> {
        let fact = json!({"facts": [{"id": id(TOWN, self.device, n), "kind": kind, "happened_us": minutes(at), "body": body}]});
        let (status, answer) = self.post("/v1/facts", fact).await;
        assert_eq!((status, &answer["answers"][0]["status"]), (StatusCode::OK, &json!("recorded")), "{answer}");
        settle(&self.app.ledger); // what is asked next is asked of the tables
        let notes = answer["answers"][0]["notes"].as_array().unwrap().clone();
        assert!(notes.iter().all(|note| !note["message"].as_str().unwrap().contains('⟨')), "{notes:?}");
        notes.iter().map(|note| note["code"].as_str().unwrap().to_owned()).collect()
    }
}

async fn download(response: axum::response::Response) -> (String, Vec<u8>) {
    assert_eq!(response.status(), StatusCode::OK);
    let kind = response.headers()["content-type"].to_str().unwrap().to_owned();
    (kind, response.into_body().collect().await.unwrap().to_bytes().to_vec())
}

fn refusal(status: StatusCode, text: &str) -> String {
    assert!(status.is_client_error(), "{status}: {text}");
    let answer: Value = serde_json::from_str(text).unwrap();
    assert!(!answer["message"].as_str().unwrap().contains('⟨'), "{text} lacks words");
    answer["code"].as_str().unwrap().to_owned()
}

pub async fn enter(app: &App, login: &str, roles: &[Role], scope: Scope) -> Session {
    let actor = Actor::anonymous(Language::English);
    let new = NewUser {
        login: login.to_owned(),
        name: login.to_owned(),
        password: "a long password".to_owned(),
        roles: roles.to_vec(),
        scope,
        language: Language::English,
        first: false,
    };
    let form = app.form_id(Bucket::INSTALLATION).await.unwrap();
    create_account(app, &actor, form, new).await.unwrap();
    let mut session = Session { app: app.clone(), token: String::new(), device: 0 };
    let (_, answer) = session.post("/v1/sign-in", json!({"login": login, "password": "a long password"})).await;
    session.token = answer["token"].as_str().unwrap().to_owned();
    session.device = answer["device"].as_u64().unwrap() as u32;
    session
}

pub fn desk(house: &House) -> App {
    let ledger = Arc::new(house.open());
    found_town(&ledger, 30);
    let rooms = vec![baton_desk::accounts::room(), baton_registry::room(), baton_screening::room()];
    Desk::new(ledger, Site::shanghai(), "测试".to_owned(), rooms).unwrap()
}

pub fn asked(n: u32) -> Value {
    json!({"id": id(0, 90, n), "name": "全员筛查", "who": {"places": [town().zone]}, "assay": "orf1ab-n-ic", "ratio": 10, "opens_us": START, "closes_us": START.plus_us(12 * HOUR_US), "cadence": {"every_days": 1}})
}

async fn pages_draw_in_three_languages(app: &App) {
    let admin = enter(app, "admin", &[Role::Administrator, Role::ZoneManager, Role::SamplingNurse, Role::GridWarden], Scope::Everywhere).await;
    let (status, opened) = admin.post("/v1/screening/campaigns", asked(1)).await;
    assert_eq!((status, &opened["listed"]), (StatusCode::OK, &json!(30)), "{opened}");
    let campaign = opened["campaign"].as_str().unwrap().to_owned();
    let tube = id(TOWN, admin.device, 1);
    admin.fact(1, 1, "screening.tube_opened", json!({"code": "P1", "campaign": campaign, "point": town().point, "ratio": 10, "fluid_lot": town().lot})).await;
    for p in 1..=3 {
        admin.fact(1 + p, 2, "screening.person_sampled", json!({"tube": tube, "person": person(p)})).await;
    }
    admin.fact(9, 3, "screening.tube_sealed", json!({"tube": tube, "count": 4})).await;
    app.ledger.record_now(vec![read(1, 10, &[(tube.created(), "positive")])]).unwrap().remove(0).unwrap();
    settle(&app.ledger);
    for language in ["zh-Hans", "zh-Hant", "en"] {
        for path in [
            "/".to_owned(),
            "/campaigns".to_owned(),
            format!("/campaigns/{campaign}"),
            format!("/campaigns/{campaign}?by=enterprise&within={}", town().grids[0]),
            format!("/campaigns/{campaign}/missing"),
            format!("/campaigns/{campaign}/doors"),
            format!("/campaigns/{campaign}/follow-up"),
            "/points".to_owned(),
            "/screening/findings".to_owned(),
            "/screening/findings?settled=1".to_owned(),
            "/sampling".to_owned(),
            format!("/sampling?campaign={campaign}&point={}&lot=F1", town().point),
            format!("/sampling?campaign={campaign}&point={}&lot=", town().point),
        ] {
            admin.page(&path, language).await;
        }
    }
    assert!(admin.page(&format!("/campaigns/{campaign}/follow-up"), "zh-Hans").await.contains("王1"));
    let csv = admin.page(&format!("/campaigns/{campaign}/missing.csv"), "zh-Hans").await;
    assert_eq!(csv.lines().count(), 1 + 27);
    assert!(admin.page(&format!("/campaigns/{campaign}/missing.xlsx"), "en").await.starts_with("PK"));
    let coverage = admin.get(&format!("/v1/screening/campaigns/{campaign}/coverage?by=grid")).await;
    assert_eq!((&coverage["total"]["held"], &coverage["total"]["due"], coverage["places"].as_array().unwrap().len()), (&json!(3), &json!(27), 2));
    assert_eq!(admin.get(&format!("/v1/screening/campaigns/{campaign}/missing")).await["people"].as_array().unwrap().len(), 27);
}

async fn scans_are_understood_and_noted_at_once(app: &App) {
    let nurse = enter(app, "nurse", &[Role::SamplingNurse, Role::Administrator], Scope::Everywhere).await;
    let campaign = nurse.post("/v1/screening/campaigns", asked(1)).await.1["campaign"].as_str().unwrap().to_owned();
    let scan = async |code: &str| nurse.get(&format!("/v1/screening/scan?campaign={campaign}&code={code}")).await;
    let code = baton_registry::person_code(app.ledger.secrets(), person(4));
    let found = scan(&code).await;
    assert_eq!(
        (&found["kind"], &found["name"], &found["listed"], found["household"].as_array().unwrap().len()),
        (&json!("person"), &json!("王4"), &json!(true), 0),
        "{found}"
    );
    let workmates: Vec<&str> = found["workmates"].as_array().unwrap().iter().map(|mate| mate["name"].as_str().unwrap()).collect();
    let expected: Vec<String> = (1..=13).map(|n| format!("王{}", 2 * n)).filter(|name| name != "王4").collect();
    assert_eq!(workmates, expected, "those of the same enterprise, a dozen at most: {found}");
    assert_eq!(scan("DOC000004").await["kind"], "person");
    assert_eq!(scan("F1").await["kind"], "lot");
    assert_eq!(scan("NEW-TUBE-77").await["kind"], "label");
    assert_eq!(scan("11010519491231002X").await["kind"], "unknown_person");
    let opened = |code: &str, lot: Value| json!({"code": code, "campaign": campaign, "point": town().point, "ratio": 5, "fluid_lot": lot});
    let tube = id(TOWN, nurse.device, 1);
    assert_eq!(nurse.fact(1, 1, "screening.tube_opened", opened("N1", json!(town().lot))).await, Vec::<String>::new());
    assert_eq!(scan("N1").await["kind"], "tube");
    let sampled = |p: u32| json!({"tube": tube, "person": person(p)});
    assert_eq!(nurse.fact(2, 2, "screening.person_sampled", sampled(1)).await, Vec::<String>::new());
    assert_eq!(nurse.fact(2, 2, "screening.person_sampled", sampled(1)).await, Vec::<String>::new(), "a resend is no second swab");
    assert_eq!(nurse.fact(3, 2, "screening.person_sampled", sampled(1)).await, vec!["twice-in-tube"]);
    assert_eq!(nurse.fact(4, 2, "screening.person_sampled", sampled(900)).await, vec!["person-unknown"]);
    for p in 2..=3 {
        nurse.fact(10 + p, 3, "screening.person_sampled", sampled(p)).await;
    }
    assert_eq!(nurse.fact(20, 3, "screening.person_sampled", sampled(5)).await, vec!["tube-full"]);
    assert_eq!(nurse.fact(21, 4, "screening.tube_sealed", json!({"tube": tube, "count": 5})).await, vec!["count-mismatch"]);
    assert_eq!(nurse.fact(22, 5, "screening.tube_sealed", json!({"tube": tube, "count": 6})).await, vec!["sealed-twice"]);
    assert_eq!(nurse.fact(23, 6, "screening.person_sampled", sampled(6)).await, vec!["tube-sealed", "tube-full"]);
    assert_eq!(nurse.fact(24, 6, "screening.scan_undone", json!({"scan": id(TOWN, nurse.device, 23), "reason": "wrong_tube"})).await, Vec::<String>::new());
    assert_eq!(
        nurse.fact(25, 6, "screening.scan_undone", json!({"scan": id(TOWN, nurse.device, 23), "reason": "wrong_tube"})).await,
        vec!["scan-undone-before"]
    );
    assert_eq!(nurse.fact(26, 6, "screening.scan_undone", json!({"scan": id(TOWN, 99, 1), "reason": "other"})).await, vec!["scan-unknown"]);
    let second = id(TOWN, nurse.device, 30);
    assert_eq!(
        nurse.fact(30, 49 * 60, "screening.tube_opened", opened("N1", json!(town().lot))).await,
        vec!["fluid-expired", "code-used", "window-over", "clock-ahead"]
    );
    assert_eq!(nurse.fact(31, 7, "screening.tube_opened", opened("N3", Value::Null)).await, vec!["fluid-missing"]);
    assert_eq!(nurse.fact(32, 8, "screening.person_sampled", json!({"tube": second, "person": person(2)})).await, vec!["sampled-today"]);
    assert_eq!(
        nurse.fact(33, 26 * 60, "screening.person_sampled", json!({"tube": second, "person": person(2)})).await,
        vec!["twice-in-tube", "sampled-round", "clock-ahead"]
    );
    assert_eq!(nurse.fact(34, 9, "screening.person_sampled", json!({"tube": id(TOWN, 99, 7), "person": person(8)})).await, vec!["tube-unknown"]);
    let told = app.ledger.record_now(vec![signed(1, 100, &[(tube.created(), "invalid")])]).unwrap().remove(0).unwrap();
    // A signature is a decision in truth: the tables show it before anybody hears of it.
    assert!(app.ledger.wait_folded(told.ordinal, std::time::Duration::from_secs(20)));
    assert!(nurse.fact(35, 110, "screening.person_sampled", json!({"tube": second, "person": person(3)})).await.contains(&"single-needed".to_owned()));
}

async fn decisions_are_refused_with_a_code(app: &App) {
    let admin = enter(app, "admin", &[Role::Administrator], Scope::Everywhere).await;
    let warden = enter(app, "manager", &[Role::ZoneManager], Scope::Places(vec![town().grids[0]])).await;
    let with = |key: &str, value: Value| {
        let mut body = asked(50);
        body[key] = value;
        body
    };
    let campaigns = "/v1/screening/campaigns";
    assert_eq!(admin.refused(campaigns, with("name", json!(" "))).await, "campaign-name-wrong");
    assert_eq!(admin.refused(campaigns, with("who", json!({}))).await, "who-empty");
    assert_eq!(admin.refused(campaigns, with("who", json!({"places": [id(9, 9, 9)]}))).await, "who-unknown");
    assert_eq!(admin.refused(campaigns, with("ratio", json!(30))).await, "ratio-unvalidated");
    assert_eq!(warden.refused(campaigns, asked(51)).await, "out-of-scope");
    assert_eq!(warden.refused(campaigns, with("who", json!({"tags": ["courier"]}))).await, "out-of-scope");
    let opened = admin.post(campaigns, asked(1)).await.1;
    assert_eq!(admin.post(campaigns, asked(1)).await.1, opened, "a resend opens nothing twice");
    let campaign = opened["campaign"].as_str().unwrap().to_owned();
    let excuse = |n, p, reason: &str| json!({"id": id(0, 90, n), "person": person(p), "reason": reason});
    let exemptions = format!("{campaigns}/{campaign}/exemptions");
    assert_eq!(warden.refused(&exemptions, excuse(60, 2, "medical")).await, "out-of-scope", "person 2 belongs to the other grid");
    assert_eq!(warden.post(&exemptions, excuse(61, 1, "medical")).await.0, StatusCode::OK);
    assert_eq!(admin.refused(&exemptions, excuse(62, 1, "medical")).await, "already-exempt");
    assert_eq!(admin.refused(&exemptions, excuse(63, 3, "whim")).await, "screening-reason-unknown");
    assert_eq!(warden.get(&format!("{campaigns}/{campaign}/missing")).await["people"].as_array().unwrap().len(), 14, "a manager of one grid sees that grid");
    let tagged = admin.post(campaigns, json!({"id": id(0, 90, 70), "name": "骑手", "who": {"tags": ["courier"], "people": [person(1)]}, "assay": "a", "ratio": 1, "opens_us": START, "closes_us": START.plus_us(HOUR_US)})).await.1;
    assert_eq!(tagged["listed"], json!(4), "{tagged}");
    let round =
        |n, number: u16| json!({"id": id(0, 90, n), "round": number, "opens_us": START.plus_us(24 * HOUR_US), "closes_us": START.plus_us(30 * HOUR_US)});
    assert_eq!(admin.refused(&format!("{campaigns}/{campaign}/rounds"), round(71, 3)).await, "round-number-wrong");
    let once = tagged["campaign"].as_str().unwrap();
    assert_eq!(admin.refused(&format!("{campaigns}/{once}/rounds"), round(72, 2)).await, "campaign-once");
    let second = admin.post(&format!("{campaigns}/{campaign}/rounds"), round(73, 2)).await.1;
    assert_eq!((&second["round"], &second["listed"]), (&json!(2), &json!(30)));
    let nobody = Session { app: app.clone(), token: String::new(), device: 0 };
    assert_eq!(nobody.call("GET", campaigns, "application/json", "en", None).await.0, StatusCode::UNAUTHORIZED);
}

async fn label_blocks_are_accounted_for(app: &App) {
    let leader = enter(app, "leader", &[Role::PointLeader, Role::ZoneManager], Scope::Everywhere).await;
    let campaign = leader.post("/v1/screening/campaigns", asked(1)).await.1["campaign"].as_str().unwrap().to_owned();
    let blocks = "/v1/screening/labels";
    let ask = |n: u32, count: u32| json!({"id": id(0, 90, n), "point": town().point, "count": count});
    let first = leader.post(blocks, ask(10, 20)).await.1;
    assert_eq!((&first["first"], &first["left"], &first["first_code"]), (&json!(1), &json!(20), &json!(label(1))), "{first}");
    assert_eq!(leader.post(blocks, ask(10, 20)).await.1, first, "a resend issues nothing twice");
    assert_eq!(leader.post(blocks, ask(11, 5)).await.1["first"], json!(21));
    assert_eq!(leader.refused(blocks, ask(12, 0)).await, "label-count-wrong");
    assert_eq!(leader.refused(blocks, json!({"id": id(0, 90, 13), "point": id(9, 9, 9), "count": 5})).await, "screening-place-unknown");
    let opened = |code: String, point: PlaceId| json!({"code": code, "campaign": campaign, "point": point, "ratio": 5, "fluid_lot": town().lot});
    assert_eq!(leader.fact(1, 1, "screening.tube_opened", opened(label(2), town().point)).await, Vec::<String>::new());
    assert_eq!(leader.fact(2, 2, "screening.tube_opened", opened(label(6), town().grids[0])).await, vec!["label-elsewhere"]);
    assert_eq!(leader.fact(3, 3, "screening.tube_opened", opened(label(2).replace("002", "020"), town().point)).await, vec!["label-mistyped"]);
    assert_eq!(leader.fact(4, 4, "screening.tube_opened", opened(label(26), town().point)).await, vec!["label-not-issued"]);
    let strike = |from: i64, to: i64, reason: &str| format!("id={}&from={}&to={}&reason={reason}", id(0, 90, 20 + from as u32), label(from), label(to));
    assert_eq!(leader.form("/labels/struck", &strike(4, 5, "spoiled")).await, "");
    assert_eq!(leader.form("/labels/struck", &strike(20, 21, "lost")).await, "label-block-unknown", "two blocks at once");
    assert_eq!(leader.form("/labels/struck", &strike(9, 8, "lost")).await, "label-range-wrong");
    assert_eq!(leader.form("/labels/struck", &strike(9, 9, "whim")).await, "screening-reason-unknown");
    assert_eq!(leader.form("/labels/struck", "id=1&from=TUBE-1&reason=lost").await, "label-foreign");
    assert_eq!(leader.form("/labels/struck", &format!("id=1&from={}&reason=lost", label(7).replace("07", "70"))).await, "label-mistyped");
    assert_eq!(leader.form("/labels", &format!("id={}&point={}&device=x&count=3", id(0, 90, 50), town().point)).await, "label-device-wrong");
    let no_device = json!({"id": id(0, 90, 51), "point": town().point, "count": 3, "device": 1 << 24});
    assert_eq!(leader.refused(blocks, no_device).await, "label-device-wrong", "the door of machines knows it too");
    assert_eq!(leader.fact(5, 5, "screening.tube_opened", opened(label(4), town().point)).await, vec!["label-struck-off"]);
    assert_eq!(
        leader.fact(6, 6, "screening.labels_struck_off", json!({"from": 90, "to": 80, "reason": "whim"})).await,
        vec!["labels-struck-oddly", "label-not-issued"]
    );
    // A device with a broken clock or memory says anything: what no label can bear is refused by its form, what is only absurd is folded and told.
    let far = |from: u64, to: u64| json!({"from": from, "to": to, "reason": "lost"});
    let beyond =
        json!({"facts": [{"id": id(TOWN, leader.device, 7), "kind": "screening.labels_struck_off", "happened_us": minutes(7), "body": far(1 << 40, 1 << 41)}]});
    assert_eq!(leader.post("/v1/facts", beyond).await.1["answers"][0]["status"], json!("refused"));
    let (first_far, last_far) = (u64::from(u32::MAX) - 1, u64::from(u32::MAX));
    assert_eq!(leader.fact(8, 8, "screening.labels_struck_off", far(first_far, last_far)).await, vec!["label-not-issued"]);
    settle(&app.ledger);
    let block = first["block"].as_str().unwrap();
    let now = leader.get(&format!("{blocks}/{block}")).await;
    let counted = ["used", "struck_off", "skipped", "left"].map(|name| now[name].as_i64().unwrap());
    assert_eq!(counted, [3, 1, 2, 14], "used 2, 4 and 6; 5 spoiled; 1 and 3 skipped: {now}");
    for language in ["zh-Hans", "zh-Hant", "en"] {
        assert!(leader.page("/labels", language).await.contains(&label(1)));
        assert!(leader.page(&format!("/labels/{block}"), language).await.contains(&label(3)));
    }
    let print = |n: u32, form: &str| (format!("/labels/{block}/print"), format!("id={}&as={form}", id(0, 90, n)));
    let (path, body) = print(60, "zpl");
    let (status, zpl) = leader.send("POST", &path, ["text/html", "en"], Some(("application/x-www-form-urlencoded", body))).await;
    assert_eq!((status, zpl.matches("^XA").count()), (StatusCode::OK, 20));
    let (path, body) = print(61, "sheet");
    let (_, sheet) = leader.send("POST", &path, ["text/html", "en"], Some(("application/x-www-form-urlencoded", body))).await;
    assert_eq!(sheet.matches("<svg xmlns").count(), 1, "20 labels on one sheet of 24");
    let (path, body) = print(62, "pdf");
    let (kind, pdf) = leader.file_of_form(&path, &body).await;
    assert_eq!((kind.as_str(), pdf.starts_with(b"%PDF-")), ("application/pdf", true));
    if let Some(text) = baton_ground::words_of(&pdf) {
        let printed = (1..=20).filter(|serial| text.contains(&label(*serial))).count();
        assert_eq!((printed, text.contains(&label(21))), (20, false), "every label of the block: {text}");
    }
    assert_eq!(leader.get(&format!("{blocks}/{block}")).await["prints"], json!(3));
    assert_eq!(leader.get_refused("/v1/screening/labels/99").await, "label-block-unknown");
    let elsewhere = enter(app, "elsewhere", &[Role::PointLeader], Scope::Places(vec![town().grids[0]])).await;
    assert_eq!(elsewhere.get_refused(&format!("{blocks}/{block}")).await, "out-of-scope");
    assert!(!elsewhere.page("/labels", "en").await.contains(&label(1)), "nobody sees blocks beyond his reach");
    let here = enter(app, "here", &[Role::PointLeader], Scope::Places(vec![town().point])).await;
    assert!(here.page("/labels", "en").await.contains(&label(1)));
    assert!(!elsewhere.page("/labels", "en").await.contains(&label(1)));
}

fn label(serial: i64) -> String {
    baton_screening::label::rules::code(serial)
}
