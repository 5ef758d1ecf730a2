//! Pages and API behind the real router: who may, what it says in three languages, what it does.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use baton_desk::accounts::pages::{NewUser, create_account};
use baton_desk::{Actor, App, Desk, Role, Scope};
use baton_kit::{Bucket, Device, Language, PlaceId, SeededEntropy, Site, Timestamp, VirtualClock};
use baton_ledger::{Ledger, Place, Surroundings};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

const PASSWORD: &str = "correct horse battery";
const IDENTITY: &str = "11010519491231002X";

struct Front {
    app: App,
    router: axum::Router,
    folder: PathBuf,
}

impl Front {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("registry-pages-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)));
        _ = std::fs::remove_dir_all(&folder);
        let place = Place::embedded(&folder);
        place.create(&SeededEntropy::new(1)).unwrap();
        let rooms = vec![baton_desk::accounts::room(), baton_registry::room()];
        let around = Surroundings {
            clock: Arc::new(VirtualClock::new(Timestamp(1_774_000_000_000_000))),
            entropy: Arc::new(SeededEntropy::new(2)),
            folds: rooms.iter().map(|room| room.fold).collect(),
            server: Device::new(7).unwrap(),
        };
        let ledger = Arc::new(Ledger::open(place, around, |_, _| {}).unwrap());
        let app = Desk::new(ledger, Site::shanghai(), "test".to_owned(), rooms).unwrap();
        let router = baton_desk::router(&app);
        Self { app, router, folder }
    }

    /// Makes a user and signs in; the token.
    async fn user(&self, login: &str, role: Role, scope: Scope) -> String {
        let nobody = Actor::anonymous(Language::English);
        let id = self.app.form_id(Bucket::INSTALLATION).await.unwrap();
        let new = NewUser {
            login: login.to_owned(),
            name: login.to_owned(),
            password: PASSWORD.to_owned(),
            roles: vec![role],
            scope,
            language: Language::English,
            first: false,
        };
        create_account(&self.app, &nobody, id, new).await.unwrap();
        let (status, answer) = self.send("POST", "/v1/sign-in", "", Some(json!({"login": login, "password": PASSWORD}).to_string()), "application/json").await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        serde_json::from_str::<Value>(&answer).unwrap()["token"].as_str().unwrap().to_owned()
    }

    async fn send(&self, method: &str, path: &str, token: &str, body: Option<String>, kind: &str) -> (StatusCode, String) {
        let accept = if path.starts_with("/v1/") { "application/json" } else { "text/html" };
        let mut request = Request::builder().method(method).uri(path).header(header::ACCEPT, accept);
        if !token.is_empty() {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let request = request.header(header::CONTENT_TYPE, kind).body(body.map_or_else(Body::empty, Body::from)).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let location = response.headers().get(header::LOCATION).map(|value| value.to_str().unwrap().to_owned());
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        (status, location.unwrap_or_else(|| String::from_utf8_lossy(&bytes).into_owned()))
    }

    async fn get(&self, token: &str, path: &str) -> String {
        let (status, text) = self.send("GET", path, token, None, "text/plain").await;
        assert_eq!(status, StatusCode::OK, "{path}: {text}");
        text
    }

    /// A page, looked at until it says what is awaited.
    async fn settled(&self, token: &str, path: &str, wanted: &str) -> String {
        for _ in 0..500 {
            let page = self.get(token, path).await;
            if page.contains(wanted) {
                return page;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        panic!("{path} never said {wanted}")
    }

    async fn form(&self, token: &str, path: &str, form: &[(&str, &str)]) -> (StatusCode, String) {
        let escaped =
            |text: &str| text.bytes().map(|b| if b.is_ascii_alphanumeric() { (b as char).to_string() } else { format!("%{b:02X}") }).collect::<String>();
        let body: Vec<String> = form.iter().map(|(name, value)| format!("{name}={}", escaped(value))).collect();
        self.send("POST", path, token, Some(body.join("&")), "application/x-www-form-urlencoded").await
    }

    async fn json(&self, token: &str, path: &str, body: Value) -> (StatusCode, Value) {
        let (status, text) = self.send("POST", path, token, Some(body.to_string()), "application/json").await;
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    async fn refused(&self, token: &str, path: &str, body: Value, code: &str) {
        let (status, answer) = self.json(token, path, body).await;
        assert!(!status.is_success(), "{path} {answer}");
        assert_eq!(answer["code"], code, "{path}");
        assert!(!answer["message"].as_str().unwrap().contains('⟨'));
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// The value of the hidden field `id` of the form that posts to `action`.
fn form_id(page: &str, action: &str) -> String {
    let form = page.split(&format!("action=\"{action}\"")).nth(1).unwrap_or_else(|| panic!("no form for {action}"));
    form.split("name=\"id\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn zones_people_codes_lots_and_shredding_by_page() {
    let front = Front::new();
    let admin = front.user("admin", Role::Administrator, Scope::Everywhere).await;
    assert!(front.get(&admin, "/registry").await.contains("There are no zones yet"));
    let (status, zone) = front.form(&admin, "/registry/places", &[("kind", "zone"), ("code", "Z01"), ("name", "江月")]).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{zone}");
    let zone_id = zone.rsplit('/').next().unwrap();
    let inside = [("kind", "enterprise"), ("code", "E1"), ("name", "江月电子"), ("parent", zone_id), ("credit_code", "91350100M000100Y43"), ("lanes", "3")];
    let (status, _) = front.form(&admin, "/registry/places", &inside).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    let page = front.get(&admin, &zone).await;
    assert!(page.contains("江月电子"));
    let change = form_id(&page, &zone);
    let (status, _) = front.form(&admin, &zone, &[("id", &change), ("name", "江月片区"), ("closed", "true")]).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    assert!(front.get(&admin, "/registry").await.contains("江月片区"));
    // Register somebody on the spot: the code is shown at once; the form sent twice enters one person.
    let page = front.get(&admin, &format!("/registry/people/new?place={zone_id}")).await;
    let id = form_id(&page, "/registry/people");
    let form =
        [("id", id.as_str()), ("place", zone_id), ("name", "张伟芳"), ("document_kind", "resident_id"), ("document", IDENTITY), ("phone", "13800138000")];
    for _ in 0..2 {
        let (status, page) = front.form(&admin, "/registry/people", &form).await;
        assert!(status == StatusCode::OK && page.contains("<svg") && page.contains("张伟芳") && page.contains("002X"), "{page}");
    }
    let (_, found) = front.form(&admin, "/registry/people/find", &[("text", "伟芳")]).await;
    assert!(found.contains("张伟芳") && !found.contains(IDENTITY));
    for path in ["", "/code"] {
        assert!(front.get(&admin, &format!("/registry/people/{id}{path}")).await.contains("张伟芳"));
    }
    // Who looked is shown too, once it is folded.
    let page = front.settled(&admin, &format!("/registry/people/{id}"), "personal code").await;
    assert!(page.contains(IDENTITY) && page.contains("江月片区"), "{page}");
    assert!(front.get(&admin, &format!("{zone}/people")).await.contains("张伟芳"));
    assert!(front.get(&admin, &format!("{zone}/codes")).await.contains("viewBox=\"0 0 210 297\""));
    assert!(front.get(&admin, &format!("{zone}/codes.pdf")).await.starts_with("%PDF-1.7"));
    assert!(front.get(&admin, "/registry/findings").await.contains("No findings"));
    let lots = front.get(&admin, "/registry/lots").await;
    let lot = [("id", &*form_id(&lots, "/registry/lots")), ("kind", "pcr_kit"), ("code", "K-77"), ("product", "PCR"), ("last_day", "2027-01-31")];
    assert_eq!(front.form(&admin, "/registry/lots", &lot).await.0, StatusCode::SEE_OTHER);
    let lots = front.get(&admin, "/registry/lots").await;
    assert!(lots.contains("K-77") && lots.contains("Usable"));
    let recall = [
        ("id", &*form_id(&lots, "/registry/lots/recall")),
        ("lot", lots.split("name=\"lot\" value=\"").nth(1).unwrap().split('"').next().unwrap()),
        ("reason", "leaks"),
    ];
    assert_eq!(front.form(&admin, "/registry/lots/recall", &recall).await.0, StatusCode::SEE_OTHER);
    assert!(front.get(&admin, "/registry/lots").await.contains("leaks"));
    let shred = format!("/registry/people/{id}/shred");
    let shred_id = form_id(&page, &shred);
    let (status, answer) = front.form(&admin, &shred, &[("id", &shred_id), ("reason", "asked")]).await;
    assert!(status == StatusCode::UNPROCESSABLE_ENTITY && answer.contains("shred-unconfirmed"));
    assert_eq!(front.form(&admin, &shred, &[("id", &shred_id), ("reason", "asked"), ("confirm", "yes")]).await.0, StatusCode::SEE_OTHER);
    let page = front.get(&admin, &format!("/registry/people/{id}")).await;
    assert!(page.contains("key was destroyed") && !page.contains("张伟芳") && !page.contains(IDENTITY));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_roster_goes_through_the_wizard() {
    let front = Front::new();
    let admin = front.user("admin", Role::Administrator, Scope::Everywhere).await;
    assert!(front.get(&admin, "/registry/imports").await.contains("multipart/form-data"));
    let file = format!("甲,身份证号,片区\r\n张伟芳,{IDENTITY},Z01\r\n,440524188001010014,Z01\r\n");
    let body = format!("--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\n\r\n{file}\r\n--x--\r\n");
    let (status, upload) = front.send("POST", "/registry/imports", &admin, Some(body), "multipart/form-data; boundary=x").await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{upload}");
    front.settled(&admin, &upload, "No column was recognised for").await;
    let (status, _) = front.form(&admin, &format!("{upload}/columns"), &[("1", "name"), ("2", "document_number"), ("3", "zone")]).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    let page = front.settled(&admin, &upload, "Import 1 person").await;
    assert!(page.contains("1 place will be added") && page.contains("Missing") && !page.contains(IDENTITY));
    assert!(front.get(&admin, &format!("{upload}/problems.csv")).await.contains("Missing"));
    assert_eq!(front.form(&admin, &format!("{upload}/commit"), &[]).await.0, StatusCode::SEE_OTHER);
    front.settled(&admin, &upload, "The import is complete").await;
    let imports = front.get(&admin, "/registry/imports").await;
    assert!(imports.contains("New 1 ·"));
    let import = imports.split("name=\"import\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let again = front.form(&admin, &format!("{upload}/commit"), &[]).await.1;
    assert!(again.contains("upload-not-judged"));
    assert_eq!(front.form(&admin, "/registry/imports/undo", &[("import", &import)]).await.0, StatusCode::SEE_OTHER);
    assert!(front.form(&admin, "/registry/people/find", &[("text", "张伟")]).await.1.contains("Nobody found"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_nurse_finds_by_document_and_registers_but_does_not_browse() {
    let front = Front::new();
    let admin = front.user("admin", Role::Administrator, Scope::Everywhere).await;
    let (_, zone) = front.json(&admin, "/v1/registry/places", json!({"kind": "zone", "code": "Z01", "name": "一"})).await;
    let (_, other) = front.json(&admin, "/v1/registry/places", json!({"kind": "zone", "code": "Z02", "name": "二"})).await;
    let id = |made: &Value| -> PlaceId { made["id"].as_str().unwrap().parse().unwrap() };
    let (_, point) = front
        .json(
            &admin,
            "/v1/registry/places",
            json!({"kind": "point", "code": "P1", "name": "东门", "parent": zone["id"], "details": {"opening_hours": "07:00-22:00"}}),
        )
        .await;
    let nurse = front.user("nurse", Role::SamplingNurse, Scope::Places(vec![id(&point)])).await;
    let warden = front.user("warden", Role::GridWarden, Scope::Places(vec![id(&other)])).await;
    let person = json!({"name": "张伟芳", "document_kind": "resident_id", "document": IDENTITY, "place": point["id"]});
    let (status, first) = front.json(&nurse, "/v1/registry/people", person.clone()).await;
    assert!(status == StatusCode::OK && first["known"] == false, "{first}");
    let (_, second) = front.json(&nurse, "/v1/registry/people", person).await;
    assert_eq!((&second["person"], &second["known"]), (&first["person"], &json!(true)));
    let find = |token: String, text: String| {
        let front = &front;
        async move { front.json(&token, "/v1/registry/people/find", json!({"text": text})).await.1.as_array().unwrap().len() }
    };
    let person = first["person"].as_str().unwrap();
    let code =
        serde_json::from_str::<Value>(&front.get(&admin, &format!("/v1/registry/people/{person}/code")).await).unwrap()["code"].as_str().unwrap().to_owned();
    assert_eq!(find(nurse.clone(), IDENTITY.to_owned()).await, 1);
    assert_eq!(find(nurse.clone(), code.clone()).await, 1);
    assert_eq!(find(nurse.clone(), "张伟".to_owned()).await, 0, "a nurse does not search by name");
    assert_eq!(find(warden.clone(), "张伟".to_owned()).await, 0, "another zone");
    assert_eq!(find(admin.clone(), "张伟".to_owned()).await, 1);
    let forged = format!("{}{}{}", &code[..60], if &code[60..61] == "A" { "B" } else { "A" }, &code[61..]);
    front.refused(&nurse, "/v1/registry/people/find", json!({"text": forged}), "person-code-forged").await;
    front.refused(&nurse, "/v1/registry/people/find", json!({"text": "BP1.x"}), "person-code-unreadable").await;
    front
        .refused(&nurse, "/v1/registry/people", json!({"name": "李", "document_kind": "resident_id", "document": "110105194912310021"}), "person-field-wrong")
        .await;
    front
        .refused(&nurse, "/v1/registry/people", json!({"name": "李", "document_kind": "other", "document": "X-1", "place": other["id"]}), "out-of-scope")
        .await;
    front.refused(&nurse, "/v1/registry/places", json!({"kind": "zone", "code": "Z03", "name": "三"}), "role-missing").await;
    front.refused(&admin, "/v1/registry/places", json!({"kind": "zone", "code": "Z01", "name": "三"}), "place-code-taken").await;
    let (status, _) = front.send("GET", &format!("/registry/people/{person}"), &warden, None, "text/plain").await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert!(front.get(&nurse, "/v1/registry/code-key").await.contains("BP1."));
    let csv = format!("name,document_number,zone\n张伟芳,{IDENTITY},Z02\n");
    let (status, report) = front.send("POST", "/v1/registry/imports?file=a.csv&mode=commit", &admin, Some(csv), "text/csv").await;
    let report: Value = serde_json::from_str(&report).unwrap();
    assert!(status == StatusCode::OK && report["counts"]["changed"] == 1, "{report}");
    assert_eq!(find(warden, "张伟".to_owned()).await, 1, "now in the warden's zone");
    let import = report["import"].as_str().unwrap();
    assert_eq!(front.json(&admin, &format!("/v1/registry/imports/{import}/undo"), json!(null)).await.1["people"], 1);
    front.refused(&admin, &format!("/v1/registry/people/{person}/shred"), json!({"reason": ""}), "reason-missing").await;
    assert_eq!(front.json(&admin, &format!("/v1/registry/people/{person}/shred"), json!({"reason": "asked"})).await.0, StatusCode::OK);
    front.refused(&admin, &format!("/v1/registry/people/{person}/shred"), json!({"reason": "asked"}), "person-shredded-already").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_warden_finds_the_own_people_among_many_namesakes() {
    let front = Front::new();
    let admin = front.user("admin", Role::Administrator, Scope::Everywhere).await;
    let row = |n: usize, zone: &str| format!("张伟,passport,E{n:08},{zone}\n");
    let elsewhere: String = (0..120).map(|n| row(n, "Z01")).collect();
    let csv = format!("name,document_type,document_number,zone\n{elsewhere}{}", row(900, "Z02"));
    let (status, report) = front.send("POST", "/v1/registry/imports?file=a.csv&mode=commit", &admin, Some(csv), "text/csv").await;
    assert_eq!(status, StatusCode::OK, "{report}");
    let zones: Value = serde_json::from_str(&front.get(&admin, "/v1/registry/places?kind=zone").await).unwrap();
    let own: PlaceId = zones[1]["id"].as_str().unwrap().parse().unwrap();
    let warden = front.user("warden", Role::GridWarden, Scope::Places(vec![own])).await;
    let (_, found) = front.json(&warden, "/v1/registry/people/find", json!({"text": "张伟"})).await;
    assert_eq!(found.as_array().unwrap().len(), 1, "{found}");
    let (_, found) = front.json(&admin, "/v1/registry/people/find", json!({"text": "张伟"})).await;
    assert_eq!(found.as_array().unwrap().len(), 50);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_speak_three_languages() {
    let front = Front::new();
    let admin = front.user("admin", Role::Administrator, Scope::Everywhere).await;
    for (tag, word) in [("zh-Hans", "还没有片区"), ("zh-Hant", "還沒有片區"), ("en", "There are no zones")] {
        for path in ["/registry", "/registry/people", "/registry/people/new", "/registry/lots", "/registry/imports", "/registry/findings"] {
            let request =
                Request::builder().uri(path).header(header::AUTHORIZATION, format!("Bearer {admin}")).header(header::COOKIE, format!("baton_language={tag}"));
            let response = front.router.clone().oneshot(request.header(header::ACCEPT, "text/html").body(Body::empty()).unwrap()).await.unwrap();
            let text = String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap();
            assert!(text.contains(&format!("lang=\"{tag}\"")) && !text.contains('⟨'), "{path} {tag}");
            assert!(path != "/registry" || text.contains(word), "{tag}");
        }
    }
}

/// Every key of the room's words stands in all three files, and every refusal, problem and purpose has its words.
#[test]
fn words_are_complete() {
    let texts = baton_registry::room().texts;
    let keys = |text: &str| -> BTreeSet<String> {
        text.lines().filter(|line| line.contains(" = ") && !line.starts_with(' ')).filter_map(|line| line.split(" = ").next()).map(str::to_owned).collect()
    };
    let [one, two, three] = texts.map(keys);
    assert_eq!((&one, &one), (&two, &three));
    let sources = [
        include_str!("../src/code.rs"),
        include_str!("../src/routes.rs"),
        include_str!("../src/rules/place.rs"),
        include_str!("../src/rules/lot.rs"),
        include_str!("../src/rules/person.rs"),
        include_str!("../src/import/mod.rs"),
        include_str!("../src/import/mapping.rs"),
        include_str!("../src/import/commit.rs"),
        include_str!("../src/import/undo.rs"),
        include_str!("../src/pages/import.rs"),
        include_str!("../src/pages/upload.rs"),
        include_str!("../src/pages/people.rs"),
        include_str!("../src/pages/lots.rs"),
    ];
    let mut missing = Vec::new();
    for source in sources {
        for call in ["Refusal::ruled(\"", "Refusal::conflict(\"", "Refusal::absent(\"", "Refusal::malformed(\"", "Refusal::forbidden(\"", "Refusal::new(\""] {
            for rest in source.split(call).skip(1) {
                let code = rest.split('"').next().unwrap_or_default();
                let key = format!("refusal-{code}");
                let of_the_desk = ["no-such-thing", "body-unread", "rule-broken", "store-broken", "out-of-scope", "day-wrong"].contains(&code);
                if !of_the_desk && !one.contains(&key) {
                    missing.push(key);
                }
            }
        }
    }
    assert_eq!(missing, Vec::<String>::new());
}
