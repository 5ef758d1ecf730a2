//! What other systems read and send, after a day of a small city: FHIR, HL7 messages, MLLP.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, header};
use baton_city::day::{self, Around, Credentials, PlaySettings};
use baton_desk::{Role, Scope};
use baton_exchange::hl7::mllp;
use baton_kit::{Bucket, Device, EventId, Site, TypedId};
use baton_ledger::Draft;
use baton_screening::events::{PersonSampled, TubeOpened};
use serde_json::{Value, json};
use tower::ServiceExt;

use super::browser::serve;
use super::{Installation, password};

/// Asks, and what the tests look at in an answer.
struct Asker<'a> {
    installation: &'a Installation,
    token: String,
}

impl Asker<'_> {
    async fn get(&self, path: &str) -> (u16, Value) {
        let reply = self.installation.send("GET", path, Some(&self.token), None).await;
        (reply.status, reply.json())
    }

    async fn code(&self, path: &str) -> (u16, String) {
        let reply = self.installation.send("GET", path, Some(&self.token), None).await;
        if path.starts_with("/fhir/") {
            assert_eq!(reply.json()["resourceType"], "OperationOutcome", "{path}: {}", reply.text);
        }
        (reply.status, reply.code())
    }

    /// Every page of a search.
    async fn all(&self, search: &str) -> Vec<Value> {
        let (mut path, mut found) = (search.to_owned(), Vec::new());
        loop {
            let (status, bundle) = self.get(&path).await;
            assert_eq!(status, 200, "{path}: {bundle}");
            let entries = bundle["entry"].as_array().cloned().unwrap_or_default();
            assert!(entries.len() <= 40, "{path}");
            found.extend(entries.into_iter().map(|entry| entry["resource"].clone()));
            let next = bundle["link"].as_array().into_iter().flatten().find(|link| link["relation"] == "next");
            match next.and_then(|link| link["url"].as_str()) {
                Some(url) => path = url[url.find("/fhir/").expect("our own address")..].to_owned(),
                None => return found,
            }
        }
    }

    async fn message(&self, unit: &str, name: &str) -> baton_hl7::Message {
        let reply = self.installation.send("GET", &format!("/v1/exchange/units/{unit}/{name}.hl7"), Some(&self.token), None).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        let (message, problems) = baton_hl7::parse(reply.text.as_bytes()).expect("a message");
        assert_eq!(problems, vec![]);
        message
    }
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_default()
}

#[test]
fn others_read_and_send() {
    for installation in Installation::on_each_store() {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        runtime.block_on(a_day_and_others(&installation));
    }
}

async fn a_day_and_others(installation: &Installation) {
    installation.user("root", &[Role::Administrator], Scope::Everywhere).await;
    let everything = [Role::Technician, Role::LaboratoryDirector, Role::Administrator];
    installation.user("first", &everything, Scope::Everywhere).await;
    installation.user("second", &everything, Scope::Everywhere).await;
    installation.user("nurse", &[Role::SamplingNurse], Scope::Everywhere).await;
    let base = serve(installation).await;
    let clock = &installation.clock;
    let around = Around { clock: &|at| clock.advance_to(at), progress: &|_, _, _| {} };
    let admin = Credentials { login: "root".to_owned(), password: password("root") };
    let opens = Site::shanghai().parse("2026-03-28 07:00").expect("a time");
    day::run(&base, admin, PlaySettings::new(3, 200, opens), around).await.expect("a day");
    let (token, _) = installation.sign_in("first").await;
    let asker = Asker { installation, token };
    reports_are_honest(&asker).await;
    errors_are_outcomes(&asker).await;
    an_amendment_reaches_everybody(&asker).await;
    messages_come_in(&asker).await;
    a_packed_file_arrives_whole(&asker).await;
    installation.app().ledger.wait_folded(installation.app().ledger.position().0, Duration::from_secs(60));
    let found = installation.app().read(|tx| Ok(crate::rooms::violations(tx)?)).await.expect("a read");
    assert_eq!(found, vec![]);
}

/// A pool says nothing about its people, and every number leads somewhere.
async fn reports_are_honest(asker: &Asker<'_>) {
    for release in ["R4", "R5"] {
        let (status, statement) = asker.get(&format!("/fhir/{release}/metadata")).await;
        assert_eq!((status, text(&statement, "fhirVersion")), (200, if release == "R4" { "4.0.1" } else { "5.0.0" }));
        let specimens = asker.all(&format!("/fhir/{release}/Specimen?_count=40")).await;
        let pools: Vec<&Value> = specimens.iter().filter(|specimen| specimen["parent"].is_array()).collect();
        assert!(pools.iter().all(|pool| pool["combined"] == if release == "R5" { json!("pooled") } else { Value::Null }) && pools.len() > 5);
        let reports = asker.all(&format!("/fhir/{release}/DiagnosticReport?_count=7")).await;
        assert_eq!(reports.len(), specimens.len());
        let held: Vec<&Value> = reports.iter().filter(|report| report["status"] == "preliminary").collect();
        assert!(!held.is_empty(), "the city has a pool that is not clean");
        assert!(held.iter().all(|report| report["conclusionCode"].is_null() && report["result"].is_null()), "{held:?}");
        let own = reports.iter().find(|report| report["conclusionCode"][0]["coding"][0]["code"] == "260373001" && report["subject"].is_object());
        let own = own.expect("somebody is positive by their own specimen");
        let observations = asker.all(&format!("/fhir/{release}/Observation?specimen={}", text(own, "id"))).await;
        let mut codes: Vec<&str> = observations.iter().filter_map(|one| one["code"]["coding"][0]["code"].as_str()).collect();
        let all = codes.len();
        codes.sort_unstable();
        codes.dedup();
        assert!(codes.len() == all && codes.contains(&"94559-2") && codes.contains(&"94644-2") && codes.contains(&"IC"), "{codes:?}");
        let person = text(&own["subject"], "reference");
        for kind in ["DiagnosticReport", "Specimen", "ServiceRequest", "Task"] {
            let of_person = asker.all(&format!("/fhir/{release}/{kind}?patient={person}")).await;
            assert!(!of_person.is_empty(), "{kind} of {person}");
        }
        let finals = asker.all(&format!("/fhir/{release}/DiagnosticReport?patient={person}&status=final")).await;
        assert!(finals.len() == 1 && finals[0]["id"] == own["id"], "{finals:?}");
        let since = asker.all(&format!("/fhir/{release}/DiagnosticReport?_lastUpdated=ge2026-03-28&_count=40")).await;
        assert!(since.len() > 50 && since.len() <= reports.len(), "{}", since.len());
        assert_eq!(asker.all(&format!("/fhir/{release}/DiagnosticReport?_lastUpdated=lt2026-03-28")).await, Vec::<Value>::new());
        let provenance = asker.all(&format!("/fhir/{release}/Provenance?target=DiagnosticReport/{}", text(own, "id"))).await;
        assert!(provenance[0]["agent"].as_array().is_some_and(|agents| agents.len() == 2) && provenance[0]["entity"][0]["what"]["identifier"].is_object());
    }
}

async fn errors_are_outcomes(asker: &Asker<'_>) {
    assert_eq!(asker.code("/fhir/R4/Patient/1").await, (404, "exchange-resource-unknown".to_owned()));
    assert_eq!(asker.code("/fhir/R4/Patient/x/_history").await, (404, "exchange-no-history".to_owned()));
    assert_eq!(asker.code("/fhir/R3/Patient").await, (404, "exchange-release-unknown".to_owned()));
    assert_eq!(asker.code("/fhir/R4/Device").await, (404, "exchange-kind-unknown".to_owned()));
    assert_eq!(asker.code("/fhir/R4/Patient?birthdate=1990").await, (400, "exchange-parameter-unknown".to_owned()));
    assert_eq!(asker.code("/fhir/R4/Patient?_after=x").await, (400, "exchange-parameter-wrong".to_owned()));
    assert_eq!(asker.code("/v1/exchange/units/1/order.hl7").await, (404, "exchange-unit-unknown".to_owned()));
    let (nurse, _) = asker.installation.sign_in("nurse").await;
    let reply = asker.installation.send("GET", "/fhir/R4/Patient", Some(&nurse), None).await;
    assert_eq!((reply.status, reply.code().as_str()), (403, "role-missing"));
    let reply = asker.installation.send("GET", "/fhir/R4/Patient", None, None).await;
    assert_eq!((reply.status, reply.json()["issue"][0]["code"].as_str().unwrap_or_default().to_owned()), (401, "login".to_owned()));
    let unit = an_unreleased_swab(asker).await;
    assert_eq!(asker.code(&format!("/v1/exchange/units/{unit}/result.hl7")).await, (404, "exchange-not-released".to_owned()));
    let (_, report) = asker.get(&format!("/fhir/R4/DiagnosticReport/{unit}")).await;
    assert_eq!((text(&report, "status"), &report["result"]), ("registered", &Value::Null));
}

/// Somebody is swabbed after the round is over.
async fn an_unreleased_swab(asker: &Asker<'_>) -> EventId {
    let app = asker.installation.app().clone();
    let (campaign, point, person) = app
        .read(|tx| {
            let campaign = baton_screening::campaign::store::campaigns(tx)?.remove(0);
            let after = baton_kit::TubeId::from_raw(0).expect("an id");
            let tube = baton_laboratory::store::tubes_after(tx, after, 1)?.remove(0);
            let point = baton_laboratory::store::tube(tx, tube)?.and_then(|clock| clock.point).expect("a point");
            let person = baton_screening::specimen::store::members(tx, tube)?.remove(0).person;
            Ok((campaign.id, point, person))
        })
        .await
        .expect("a campaign");
    let id = |n| EventId::new(Bucket::INSTALLATION, Device::new(9_000).expect("a device"), n);
    let opened = TubeOpened { code: "LATE-1".to_owned(), campaign, point, ratio: 1, fluid_lot: None, follow_up: false };
    let now = app.ledger.now();
    let drafts = vec![
        Draft::of(id(1), now, None, &opened).expect("a draft"),
        Draft::of(id(2), now, None, &PersonSampled { tube: id(1).created(), person }).expect("a draft"),
    ];
    tokio::task::block_in_place(|| {
        app.ledger.record_now(drafts).expect("recorded");
        assert!(app.ledger.wait_folded(app.ledger.position().0, Duration::from_secs(60)));
    });
    id(2)
}

/// A negative pool is amended: its people's negatives are withdrawn, and what was told stays to be seen.
async fn an_amendment_reaches_everybody(asker: &Asker<'_>) {
    let specimens = asker.all("/fhir/R4/Specimen?_count=40").await;
    let mut clean = None;
    for pool in specimens.iter().filter(|specimen| specimen["parent"].is_array()) {
        let (_, report) = asker.get(&format!("/fhir/R4/DiagnosticReport/{}", text(pool, "id"))).await;
        if report["conclusionCode"][0]["coding"][0]["code"] == "260415000" {
            clean = Some(pool);
            break;
        }
    }
    let pool = clean.expect("a clean pool");
    let (tube, member) = (text(pool, "id"), text(&pool["parent"][0], "reference").trim_start_matches("Specimen/").to_owned());
    let asked = json!({"result": "positive", "reason": "repeated"});
    let installation = asker.installation;
    let reply = installation.send("POST", &format!("/v1/laboratory/tubes/{tube}/amendment"), Some(&asker.token), Some(&asked)).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    let (second, _) = installation.sign_in("second").await;
    let reply = installation.send("POST", &format!("/v1/laboratory/tubes/{tube}/amend"), Some(&second), Some(&asked)).await;
    assert_eq!(reply.status, 200, "{}", reply.text);

    let (_, report) = asker.get(&format!("/fhir/R4/DiagnosticReport/{tube}")).await;
    assert_eq!((text(&report, "status"), report["conclusionCode"][0]["coding"][0]["code"].as_str()), ("amended", Some("260373001")));
    let (_, of_member) = asker.get(&format!("/fhir/R4/DiagnosticReport/{member}")).await;
    assert_eq!((text(&of_member, "status"), &of_member["conclusionCode"]), ("entered-in-error", &Value::Null));
    let (_, history) = asker.get(&format!("/fhir/R4/DiagnosticReport/{member}/_history")).await;
    let first = &history["entry"][1]["resource"];
    assert_eq!((history["total"].as_u64(), text(first, "status")), (Some(2), "final"));
    let version = text(&first["meta"], "versionId");
    let path = format!("/fhir/R4/DiagnosticReport/{member}/_history/{version}");
    assert_eq!(asker.get(&path).await.1["conclusionCode"][0]["coding"][0]["code"], "260415000");
    known_already(asker, &format!("/fhir/R4/DiagnosticReport/{tube}")).await;

    let message = asker.message(tube, "result").await;
    assert_eq!((message.get("OBX", 5, 1), message.get("OBX", 11, 1), message.get("SPM", 11, 1)), ("260373001", "C", "L"));
    assert_eq!(message.get("SPM", 13, 1), pool["parent"].as_array().map_or(0, Vec::len).to_string());
    assert!(message.all("NTE").any(|note| note.get(3, 1).starts_with("Earlier")), "{}", message.write());
    let message = asker.message(&member, "result").await;
    assert_eq!((message.get("OBX", 5, 1), message.get("OBX", 11, 1), message.get("SPM", 11, 1)), ("", "W", "L"));
}

/// Asked with the tag of what is known, nothing is sent again.
async fn known_already(asker: &Asker<'_>, path: &str) {
    let ask = |tag: Option<String>| {
        let mut request = Request::builder().uri(path).header(header::AUTHORIZATION, format!("Bearer {}", asker.token));
        if let Some(tag) = tag {
            request = request.header(header::IF_NONE_MATCH, tag);
        }
        asker.installation.router.clone().oneshot(request.body(Body::empty()).expect("a request"))
    };
    let first = ask(None).await.expect("an answer");
    assert!(first.headers().contains_key(header::LAST_MODIFIED));
    let tag = first.headers()[header::ETAG].to_str().expect("a tag").to_owned();
    assert_eq!(ask(Some(tag)).await.expect("an answer").status(), 304);
}

/// A file sent piece by piece, to a client that takes it packed.
async fn a_packed_file_arrives_whole(asker: &Asker<'_>) {
    let (_, specimens) = asker.get("/fhir/R4/Specimen?_count=40").await;
    let pool = specimens["entry"].as_array().into_iter().flatten().map(|entry| &entry["resource"]).find(|one| one["parent"].is_array()).expect("a pool");
    let request = Request::builder().uri(format!("/v1/laboratory/lineage/tube/{}/people.csv", text(pool, "id"))).header(header::ACCEPT_ENCODING, "gzip");
    let request = request.header(header::AUTHORIZATION, format!("Bearer {}", asker.token)).body(Body::empty()).expect("a request");
    let answer = asker.installation.router.clone().oneshot(request).await.expect("an answer");
    assert_eq!((answer.status().as_u16(), answer.headers()[header::CONTENT_ENCODING].as_bytes()), (200, b"gzip".as_slice()));
    let bytes = axum::body::to_bytes(answer.into_body(), 1 << 20).await.expect("the whole file");
    assert!(bytes.len() > 50, "{}", bytes.len());
    // The looks from a tube to its people and its hands, on the store at hand.
    let (status, lineage) = asker.get(&format!("/v1/laboratory/lineage/tube/{}", text(pool, "id"))).await;
    assert_eq!((status, lineage["extent"]["tubes"].as_i64()), (200, Some(1)), "{lineage}");
    let (status, lineage) = asker.get(&format!("/v1/laboratory/lineage/person/{}", text(&lineage["people"][0], "person"))).await;
    let hands = lineage["tubes"].as_array().into_iter().flatten().filter_map(|tube| tube["hands"].as_array()).map(Vec::len).max();
    assert!(status == 200 && hands > Some(2), "{lineage}");
}

/// MLLP: taken once, however often sent; turned away with the reason; shown on the page.
async fn messages_come_in(asker: &Asker<'_>) {
    let app = asker.installation.app().clone();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let to = listener.local_addr().expect("an address").to_string();
    tokio::spawn(mllp::listen(app.clone(), listener, std::future::pending()));
    let (_, found) = asker.get("/fhir/R4/Specimen?_count=40").await;
    let swab = found["entry"].as_array().into_iter().flatten().map(|entry| &entry["resource"]).find(|one| one["subject"].is_object()).expect("a swab").clone();
    let person = text(&swab["subject"], "reference").trim_start_matches("Patient/").to_owned();
    let label = text(&swab["accessionIdentifier"], "value").to_owned();
    let order = |control: &str, person: &str, label: &str| {
        format!(
            "MSH|^~\\&|LIS|NORTH|BATON||20260328||OML^O21^OML_O21|{control}|P|2.5.1\rPID|1||{person}^^^BATON^PI||绝密姓名\rORC|NW|1\rOBR|1|1||94531-1^x^LN\rSPM|1|{label}||SWAB^Swab^L\r"
        )
    };
    let fits = order("c1", &person, &label);
    let nobody = order("c2", "x", "y");
    let other = order("c1", "x", "y");
    let wrong = "MSH|^~\\&|A|B|||1||ADT^A01|c3|P|2.5.1\r".to_owned();
    let unnumbered = order("", &person, &label);
    let sent = [fits.clone(), fits, nobody, other, wrong, unnumbered, "GET /".to_owned()];
    let answers = mllp::send(&to, &sent, Duration::from_secs(60)).await.expect("answers");
    let verdicts: Vec<String> = answers.iter().map(|answer| baton_hl7::parse(answer.as_bytes()).expect("an answer").0.get("MSA", 1, 1).to_owned()).collect();
    assert_eq!(verdicts, ["AA", "AA", "AA", "AA", "AR", "AE", "AR"]);
    let number = |answer: &str| baton_hl7::parse(answer.as_bytes()).expect("an answer").0.control_id().to_owned();
    assert_eq!(number(&answers[0]), number(&answers[1]), "a resend gets the first answer");
    assert!(answers[4].contains("ERR|") && answers[5].contains("MSH^1^10"), "{answers:?}");
    assert!(app.ledger.wait_folded(app.ledger.position().0, Duration::from_secs(60)));

    let rows = app
        .read(|tx| Ok(baton_exchange::store::messages(tx, (baton_kit::Timestamp(i64::MAX), EventId::from_raw(i64::MAX).expect("an id")), 50)?))
        .await
        .expect("rows");
    let mut findings: Vec<Option<&str>> = rows.iter().map(|row| row.finding.as_deref()).collect();
    findings.sort_unstable();
    assert_eq!(findings, [None, Some("control-id-reused"), Some("nobody-fits")]);
    let fitting = rows.iter().find(|row| row.finding.is_none()).expect("the first");
    assert_eq!(fitting.person.map(|found| found.to_string()), Some(person));
    let id = fitting.id;
    let stored = app
        .read_log(move |tx| {
            Ok(tx.one("SELECT body FROM event WHERE bucket = $1 AND id = $2", baton_ledger::params![id.bucket_number(), id])?.text(0)?.to_owned())
        })
        .await
        .expect("the event");
    assert!(!stored.contains("绝密") && !stored.contains("PID"), "{stored}");
    let list = asker.installation.send("GET", "/exchange", Some(&asker.token), None).await;
    assert!(list.status == 200 && list.text.contains(&format!("/exchange/{id}")), "{}", list.text);
    let one = asker.installation.send("GET", &format!("/exchange/{id}"), Some(&asker.token), None).await;
    assert!(one.status == 200 && one.text.contains("绝密姓名"), "{}", one.text);
    assert_eq!(asker.code("/exchange/1").await, (404, "exchange-message-unknown".to_owned()));
    let lost = rows.iter().find(|row| row.finding.as_deref() == Some("nobody-fits")).expect("the second").id;
    let home = async || asker.installation.send("GET", "/", Some(&asker.token), None).await.text;
    assert!(home().await.contains("messages from other systems that do not fit here"));
    let settle = async |message: EventId, n: u32, remark: &str| {
        let form = format!("id={}&remark={remark}", EventId::new(Bucket::INSTALLATION, Device::new(90).expect("a device"), n));
        asker.installation.submit(&format!("/exchange/{message}"), &asker.token, &form).await
    };
    assert_eq!(settle(lost, 1, " ").await.code(), "exchange-remark-wrong");
    assert_eq!(settle(fitting.id, 2, "fits").await.code(), "exchange-nothing-open");
    assert_eq!(settle(lost, 3, "for+another+district").await.status, 303);
    let one = asker.installation.send("GET", &format!("/exchange/{lost}"), Some(&asker.token), None).await;
    assert!(one.text.contains("for another district") && !one.text.contains("id=\"settle\""), "{}", one.text);
    let api = asker.installation.send("GET", "/openapi", None, None).await;
    assert!(api.status == 200 && api.text.contains("/fhir/{release}/{kind}/{id}"), "{}", api.status);
}
