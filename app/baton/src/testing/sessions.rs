//! Sign-in, sign-out, other sites, first run, and who looked at whom.

use axum::body::Body;
use axum::http::{Request, header};
use baton_desk::{Role, Scope};
use serde_json::json;
use tower::ServiceExt;

use super::{Installation, Reply};

/// A browser: cookies and forms, from a stated origin.
async fn browse(installation: &Installation, method: &str, path: &str, cookie: &str, origin: Option<&str>, form: &str) -> (Reply, Option<String>) {
    let mut request =
        Request::builder().method(method).uri(path).header(header::HOST, "baton.example").header(header::ACCEPT, "text/html").header(header::COOKIE, cookie);
    if let Some(origin) = origin {
        request = request.header(header::ORIGIN, origin);
    }
    let kind = if form.starts_with("--") { "multipart/form-data; boundary=b" } else { "application/x-www-form-urlencoded" };
    let request = request.header(header::CONTENT_TYPE, kind).body(Body::from(form.to_owned())).expect("a request");
    let response = installation.router.clone().oneshot(request).await.expect("an answer");
    let status = response.status().as_u16();
    let set = response.headers().get(header::SET_COOKIE).and_then(|value| value.to_str().ok()).map(|value| value.split(';').next().unwrap_or("").to_owned());
    let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await.expect("a body");
    (Reply { status, text: String::from_utf8_lossy(&bytes).into_owned() }, set)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_acts_only_from_its_own_pages_and_ends_at_sign_out() {
    let installation = Installation::embedded();
    installation.user("root", &[Role::Administrator], Scope::Everywhere).await;
    let (reply, cookie) =
        browse(&installation, "POST", "/sign-in", "", Some("https://baton.example"), "login=root&password=root-root-password&next=/users").await;
    assert_eq!(reply.status, 303);
    let cookie = cookie.expect("a session cookie");
    assert_eq!(browse(&installation, "GET", "/users", &cookie, None, "").await.0.status, 200);
    let device = "id=1&name=x&login=root";
    let (elsewhere, _) = browse(&installation, "POST", "/devices", &cookie, Some("https://evil.example"), device).await;
    assert!(elsewhere.status == 403 && elsewhere.text.contains("other-site"), "{}", elsewhere.text);
    let (nowhere, _) = browse(&installation, "POST", "/devices", &cookie, None, device).await;
    assert!(nowhere.status == 403 && nowhere.text.contains("other-site"), "{}", nowhere.text);
    assert_eq!(browse(&installation, "POST", "/devices", &cookie, Some("https://baton.example"), device).await.0.status, 200);
    assert_eq!(browse(&installation, "POST", "/sign-out", &cookie, Some("https://baton.example"), "").await.0.status, 303);
    assert_eq!(browse(&installation, "GET", "/users", &cookie, None, "").await.0.status, 303, "back to sign-in");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_administrator_needs_the_setup_code_and_is_made_once() {
    let installation = Installation::embedded();
    let here = Some("https://baton.example");
    let form = |token: &str, id: u32| format!("id={id}&token={token}&name=A&login=first&password=a-long-password");
    assert_eq!(browse(&installation, "GET", "/sign-in", "", None, "").await.0.status, 303, "to the first run");
    assert!(browse(&installation, "POST", "/setup", "", here, &form("wrong", 1)).await.0.text.contains("setup-token-wrong"));
    let token = installation.app().setup_token.clone();
    assert_eq!(browse(&installation, "POST", "/setup", "", here, &form(&token, 1)).await.0.status, 303);
    let again = browse(&installation, "POST", "/setup", "", here, &form(&token, 2).replace("first", "second")).await.0;
    assert!(again.text.contains("already-set-up"), "{}", again.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_enrolment_sent_twice_is_one_device_with_one_token() {
    let installation = Installation::embedded();
    installation.user("root", &[Role::Administrator], Scope::Everywhere).await;
    let (token, _) = installation.sign_in("root").await;
    let enrol = |id: u32, name: &str| {
        let asked = json!({"id": id.to_string(), "name": name, "login": "root"});
        let (installation, token) = (&installation, token.clone());
        async move { installation.send("POST", "/v1/devices", Some(&token), Some(&asked)).await }
    };
    let first = enrol(1, "scanner").await;
    assert_eq!(first.status, 200, "{}", first.text);
    assert_eq!(enrol(1, "scanner").await.text, first.text, "the same token again");
    assert_ne!(enrol(2, "scanner").await.json()["token"], first.json()["token"]);
    assert_eq!(enrol(1, "another").await.code(), "id-conflict");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fact_belongs_to_its_device_and_a_batch_is_bounded() {
    let installation = Installation::embedded();
    installation.user("chen", &[Role::SamplingNurse], Scope::Everywhere).await;
    let (token, device) = installation.sign_in("chen").await;
    let fact = |device: u32| {
        let id = (1_i64 << 56) | (i64::from(device) << 32) | 1;
        json!({"id": id.to_string(), "kind": "custody.box_opened", "happened_us": 5, "body": {"code": "B1", "point": "7"}})
    };
    let send = |facts: Vec<serde_json::Value>| {
        let body = json!({ "facts": facts });
        let (installation, token) = (&installation, token.clone());
        async move { installation.send("POST", "/v1/facts", Some(&token), Some(&body)).await }
    };
    let foreign = send(vec![fact(device + 1)]).await;
    assert_eq!(foreign.json().pointer("/answers/0/refusal/code").and_then(|c| c.as_str()), Some("not-your-device"), "{}", foreign.text);
    let mut wrong = fact(device);
    wrong["body"] = json!({"code": 5});
    assert_eq!(send(vec![wrong]).await.json().pointer("/answers/0/refusal/code").and_then(|c| c.as_str()), Some("fact-wrong"));
    assert_eq!(send(vec![fact(device); 501]).await.code(), "batch-too-long");
    let first = send(vec![fact(device)]).await;
    assert_eq!(first.json().pointer("/answers/0/status").and_then(|s| s.as_str()), Some("recorded"), "{}", first.text);
    assert_eq!(send(vec![fact(device)]).await.text, first.text, "the first answer again");
    let token = installation.sign_in("chen").await.0;
    let body = json!({"facts": [fact(device)]});
    assert_eq!(installation.send("POST", "/v1/facts", Some(&token), Some(&body)).await.text, first.text, "an earlier sign-in's facts may still come");
    let mut other = fact(device);
    other["body"]["code"] = json!("B2");
    assert_eq!(send(vec![other]).await.json().pointer("/answers/0/refusal/code").and_then(|c| c.as_str()), Some("id-conflict"));
}

/// What a device says under its seal, as its page would write it.
fn sealed(installation: &Installation, device: u32, facts: &serde_json::Value) -> serde_json::Value {
    let said = json!({"device": device, "facts": facts}).to_string();
    let key = installation.app().ledger.secrets().sealing_key(baton_kit::Device::new(device).expect("a device"));
    json!({"seal": baton_ledger::hex(&baton_ledger::seal(&key, &said)), "said": said})
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_device_sealed_is_recorded_as_said_by_its_owner() {
    let installation = Installation::embedded();
    let chen = installation.user("chen", &[Role::SamplingNurse], Scope::Everywhere).await;
    installation.user("wang", &[Role::Auditor], Scope::Everywhere).await;
    let (own, device) = installation.sign_in("chen").await;
    let (carrier, other) = installation.sign_in("wang").await;
    let fact = |device: u32, sequence: i64| json!({"id": ((1_i64 << 56) | (i64::from(device) << 32) | sequence).to_string(), "kind": "custody.box_opened", "happened_us": 5, "body": {"code": "B1", "point": "7"}});
    let bring = |body: serde_json::Value| {
        let (installation, carrier) = (&installation, carrier.clone());
        async move { installation.send("POST", "/v1/facts/carried", Some(&carrier), Some(&body)).await }
    };
    let answer = |reply: &super::Reply, path: &str| reply.json().pointer(&format!("/answers/0{path}")).cloned().unwrap_or_default();
    let brought = bring(sealed(&installation, device, &json!([fact(device, 1)]))).await;
    assert_eq!(answer(&brought, "/status"), "recorded", "{}", brought.text);
    assert_eq!(answer(&brought, "/notes/0/code"), "fact-carried", "{}", brought.text);
    let ordinal = answer(&brought, "/ordinal").as_i64().expect("an ordinal");
    let ledger = &installation.app().ledger;
    assert!(ledger.wait_folded(ordinal, std::time::Duration::from_secs(10)));
    let boxes = ledger.read(|tx| Ok(baton_custody::store::boxes_by_code(tx, "B1")?)).expect("a read");
    assert_eq!(boxes[0].holder_account, Some(chen), "the sayer's, not the carrier's");
    assert_eq!(bring(sealed(&installation, device, &json!([fact(device, 1)]))).await.text, brought.text, "again the same answer");
    let direct = installation.send("POST", "/v1/facts", Some(&own), Some(&json!({"facts": [fact(device, 1)]}))).await;
    assert_eq!(answer(&direct, "/ordinal"), ordinal, "sent by its sayer too, it counts once");
    let foreign = bring(sealed(&installation, device, &json!([fact(other, 1)]))).await;
    assert_eq!(answer(&foreign, "/refusal/code"), "not-your-device", "a seal speaks for its own device only");
    let role = bring(sealed(&installation, other, &json!([fact(other, 2)]))).await;
    assert_eq!(answer(&role, "/refusal/code"), "role-missing", "who carries lends no rights");
    let mut changed = sealed(&installation, device, &json!([fact(device, 2)]));
    changed["said"] = json!(changed["said"].as_str().expect("a text").replace("B1", "B2"));
    assert_eq!(bring(changed).await.code(), "carried-seal-wrong");
    let mut unread = sealed(&installation, device, &json!([]));
    unread["said"] = json!("{");
    assert_eq!(bring(unread).await.code(), "carried-unread");
    unread = sealed(&installation, device, &json!([]));
    unread["seal"] = json!("zz");
    assert_eq!(bring(unread).await.code(), "json-wrong");
    assert_eq!(bring(sealed(&installation, device, &json!(vec![fact(device, 3); 501]))).await.code(), "batch-too-long");
    let mut lent = sealed(&installation, device, &json!([fact(device, 5)]));
    let text = lent["said"].as_str().expect("a text").replacen('{', &format!("{{\"account\":\"{}\",", baton_kit::TypedId::packed(chen).raw()), 1);
    let key = installation.app().ledger.secrets().sealing_key(baton_kit::Device::new(device).expect("a device"));
    lent["seal"] = json!(baton_ledger::hex(&baton_ledger::seal(&key, &text)));
    lent["said"] = json!(text);
    assert_eq!(bring(lent).await.code(), "carried-unread", "only a vehicle names the account");
    let nobodys = 900_000;
    assert_eq!(bring(sealed(&installation, nobodys, &json!([fact(nobodys, 1)]))).await.code(), "carried-sayer-gone");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_form_or_address_gets_wrong_is_named() {
    let installation = Installation::embedded();
    let account = installation.user("root", &[Role::Administrator], Scope::Everywhere).await;
    let here = Some("https://baton.example");
    let cookie = browse(&installation, "POST", "/sign-in", "", here, "login=root&password=root-root-password").await.1.expect("a session cookie");
    let wrong = [
        ("POST", "/language", "language=tlh".to_owned(), "language-unknown"),
        ("POST", "/users", "id=1&name=A&login=anna&password=long-enough-1&role=courier&scope=somewhere".to_owned(), "scope-wrong"),
        ("POST", "/users", "id=1&name=A&login=anna&password=long-enough-1&role=king".to_owned(), "role-unknown"),
        ("POST", "/users", "id=1&name=A".to_owned(), "form-wrong"),
        ("POST", &*format!("/users/{account}"), "id=1&what=standing&enabled=false".to_owned(), "not-yourself"),
        ("POST", &*format!("/users/{account}"), "id=1&what=password&password=short".to_owned(), "password-short"),
        ("POST", "/staff", format!("id=1&account={account}&task=signing&last_day=2030-01-01"), "competence-own"),
        ("POST", "/staff", format!("id=1&account={account}&task=signing&last_day=tomorrow"), "day-wrong"),
        ("POST", "/devices", "id=1&name=Scanner&login=nobody".to_owned(), "login-unknown"),
        ("POST", "/boxes/7/step", "id=1&deed=juggle".to_owned(), "step-unknown"),
        ("GET", "/v1/registry/places?kind=moon", String::new(), "query-wrong"),
        ("GET", "/nowhere", String::new(), "no-such-page"),
    ];
    for (method, path, form, code) in wrong {
        let reply = browse(&installation, method, path, &cookie, here, &form).await.0;
        assert!(reply.text.contains(code), "{method} {path}: {} {}", reply.status, reply.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_bench_and_the_registry_do_not_have_is_named() {
    let installation = Installation::embedded();
    installation.user("root", &Role::ALL, Scope::Everywhere).await;
    let here = Some("https://baton.example");
    let cookie = browse(&installation, "POST", "/sign-in", "", here, "login=root&password=root-root-password").await.1.expect("a session cookie");
    assert!(browse(&installation, "GET", "/laboratory", &cookie, None, "").await.0.text.contains("lab-no-laboratory"));
    let token = installation.sign_in("root").await.0;
    let post = async |path: &str, body: serde_json::Value| installation.send("POST", path, Some(&token), Some(&body)).await.json();
    let laboratory = post("/v1/registry/places", json!({"kind": "laboratory", "code": "L1", "name": "L", "details": {"capacity": 9}})).await["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let plate =
        post("/v1/laboratory/bench-plates", json!({"code": "B1", "laboratory": laboratory, "wells": 96})).await["plate"].as_str().expect("a plate").to_owned();
    let person = post("/v1/registry/people", json!({"name": "Ana", "document_kind": "passport", "document": "E1234567"})).await["person"]
        .as_str()
        .expect("a person")
        .to_owned();
    let code =
        installation.send("GET", &format!("/v1/registry/people/{person}/code"), Some(&token), None).await.json()["code"].as_str().expect("a code").to_owned();
    let wrong = [
        ("GET", "/laboratory/runs/7".to_owned(), String::new(), "lab-run-unknown"),
        ("GET", "/laboratory/tubes/7".to_owned(), String::new(), "lab-tube-unknown"),
        ("GET", "/laboratory/lineage?text=zzz".to_owned(), String::new(), "lab-nothing-found"),
        ("GET", format!("/v1/laboratory/plates/{plate}/worklist?for=abacus"), String::new(), "lab-worklist-unknown"),
        ("POST", "/laboratory/accession".to_owned(), format!("id=1&laboratory={laboratory}&code=T1&rejected=eaten"), "lab-rejection-unknown"),
        ("POST", "/laboratory/accession".to_owned(), format!("id=1&laboratory={laboratory}&code=T1"), "lab-code-unknown"),
        ("POST", "/result".to_owned(), format!("code={code}&tail=9999"), "lab-own-wrong"),
        ("GET", "/result/standing?pass=1.2.3&since=0".to_owned(), String::new(), "lab-pass-over"),
        ("POST", "/registry/lots".to_owned(), "id=1&kind=pcr_kit&code=K1&product=K&last_day=tomorrow".to_owned(), "day-wrong"),
        ("GET", "/registry/uploads/7".to_owned(), String::new(), "upload-gone"),
        (
            "POST",
            "/registry/imports".to_owned(),
            "--b\r\nContent-Disposition: form-data; name=\"other\"\r\n\r\n1\r\n--b--\r\n".to_owned(),
            "import-file-missing",
        ),
    ];
    for (method, path, form, code) in wrong {
        let reply = browse(&installation, method, &path, &cookie, here, &form).await.0;
        assert!(reply.text.contains(code), "{method} {path}: {} {}", reply.status, reply.text);
    }
}
