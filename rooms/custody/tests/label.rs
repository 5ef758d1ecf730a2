//! The label of a box, through the router: on SQLite and, where `BATON_TEST_POSTGRES=postgres://…` is set, on PostgreSQL.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use baton_custody::events::{BoxOffered, BoxOpened, BoxSealed, Taker};
use baton_desk::accounts::pages::{NewUser, create_account};
use baton_desk::{Actor, App, Desk, Role, Scope};
use baton_ground::{Ground, START, id, settle};
use baton_kit::{BoxId, Bucket, Language, PlaceId, Site};
use baton_ledger::{Draft, EventBody, Fold, to_json};
use baton_registry::events::{AddPlace, PlaceDetails, PlaceKind};
use serde_json::{Value, json};
use tower::ServiceExt;

const TOWN: u8 = 5;

fn rooms() -> Vec<baton_desk::Room> {
    vec![baton_desk::accounts::room(), baton_registry::room(), baton_screening::room(), baton_custody::room()]
}

/// A point, a laboratory, and a sealed box on offer to it.
fn desk(ground: &Ground) -> (App, BoxId) {
    let folds: Vec<Fold> = rooms().into_iter().map(|room| room.fold).collect();
    let ledger = Arc::new(ground.open(&folds));
    let place = |n, kind, code: &str, name: &str| {
        let command = AddPlace { kind, code: code.to_owned(), name: name.to_owned(), parent: None, details: PlaceDetails::default() };
        let body = format!("{{\"command\":{},\"outcome\":null}}", to_json(&command).unwrap());
        Draft { id: id(TOWN, 60, n), kind: "registry.place_added".to_owned(), happened: START, actor: None, body, notes: Vec::new() }
    };
    let (point, laboratory): (PlaceId, PlaceId) = (id(TOWN, 60, 1).created(), id(TOWN, 60, 2).created());
    let opening = id(TOWN, 70, 1);
    let box_id: BoxId = opening.created();
    let told = |n, body| Draft { id: id(TOWN, 70, n), ..body };
    fn fact<B: EventBody>(body: &B) -> Draft {
        Draft::of(id(TOWN, 70, 1), START, None, body).unwrap()
    }
    let drafts = vec![
        place(1, PlaceKind::Point, "PT1", "体育馆"),
        place(2, PlaceKind::Laboratory, "L1", "第一实验室"),
        fact(&BoxOpened { code: "BX-0007".to_owned(), point }),
        told(2, fact(&BoxSealed { box_id, seal: "S-99".to_owned(), count: 0 })),
        told(3, fact(&BoxOffered { box_id, to: Taker::Laboratory(laboratory), count: 0 })),
    ];
    for answer in ledger.record_now(drafts).unwrap() {
        answer.unwrap();
    }
    settle(&ledger);
    (Desk::new(ledger, Site::shanghai(), "测试".to_owned(), rooms()).unwrap(), box_id)
}

async fn enter(app: &App, login: &str, role: Role) -> String {
    let new = NewUser {
        login: login.to_owned(),
        name: login.to_owned(),
        password: "a long password".to_owned(),
        roles: vec![role],
        scope: Scope::Everywhere,
        language: Language::English,
        first: false,
    };
    let form = app.form_id(Bucket::INSTALLATION).await.unwrap();
    create_account(app, &Actor::anonymous(Language::English), form, new).await.unwrap();
    let body = json!({"login": login, "password": "a long password"}).to_string();
    let request = Request::post("/v1/sign-in").header("content-type", "application/json").body(Body::from(body)).unwrap();
    let answer = baton_desk::router(app).oneshot(request).await.unwrap();
    let bytes = axum::body::to_bytes(answer.into_body(), 1 << 20).await.unwrap();
    serde_json::from_slice::<Value>(&bytes).unwrap()["token"].as_str().unwrap().to_owned()
}

async fn get(app: &App, token: &str, path: &str, language: &str) -> (StatusCode, String, Vec<u8>) {
    let request = Request::get(path).header("authorization", format!("Bearer {token}")).header("cookie", format!("baton_language={language}"));
    let answer = baton_desk::router(app).oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
    (answer.status(), kind, axum::body::to_bytes(answer.into_body(), 1 << 24).await.unwrap().to_vec())
}

/// A field of ZPL with `_E5` read as the byte it stands for.
fn unescaped(field: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = field.as_bytes();
    while let Some((first, more)) = rest.split_first() {
        let (byte, used) = match first {
            b'_' => (u8::from_str_radix(std::str::from_utf8(&more[..2]).unwrap(), 16).unwrap(), 2),
            plain => (*plain, 0),
        };
        bytes.push(byte);
        rest = &more[used..];
    }
    String::from_utf8(bytes).unwrap()
}

async fn a_box_has_a_label(app: &App, box_id: BoxId) {
    let courier = enter(app, "courier", Role::Courier).await;
    for (language, from) in [("zh-Hans", "启运：PT1 体育馆"), ("zh-Hant", "啟運：PT1 体育馆"), ("en", "From: PT1 体育馆")] {
        let (status, kind, pdf) = get(app, &courier, &format!("/boxes/{box_id}/label.pdf"), language).await;
        assert_eq!((status, kind.as_str(), pdf.starts_with(b"%PDF-")), (StatusCode::OK, "application/pdf", true));
        let (status, kind, zpl) = get(app, &courier, &format!("/boxes/{box_id}/label.zpl"), language).await;
        assert_eq!((status, kind.as_str()), (StatusCode::OK, "text/plain; charset=utf-8"));
        let zpl = String::from_utf8(zpl).unwrap();
        assert_eq!(zpl.matches("^XA").count(), 1, "{zpl}");
        let fields: Vec<String> = zpl.split("^FD").skip(1).filter_map(|rest| rest.split("^FS").next()).map(unescaped).collect();
        assert_eq!((fields[0].as_str(), fields[1].as_str(), fields[2].as_str()), ("HA,BX-0007", "BX-0007", from), "to be scanned, to be read, from where");
        assert!(fields[3].ends_with("L1 第一实验室") && fields[4].ends_with("S-99"), "{fields:?}");
        let (_, _, page) = get(app, &courier, &format!("/boxes/{box_id}"), language).await;
        assert!(String::from_utf8(page).unwrap().contains(&format!("href=\"/boxes/{box_id}/label.pdf\"")), "the page links it");
    }
    let (status, _, answer) = get(app, &courier, "/boxes/77/label.pdf", "en").await;
    assert_eq!(status, StatusCode::NOT_FOUND, "{}", String::from_utf8_lossy(&answer));
    let contact = enter(app, "contact", Role::EnterpriseContact).await;
    assert_eq!(get(app, &contact, &format!("/boxes/{box_id}/label.zpl"), "en").await.0, StatusCode::FORBIDDEN);
}

fn run(ground: &Ground) {
    let (app, box_id) = desk(ground);
    tokio::runtime::Runtime::new().unwrap().block_on(a_box_has_a_label(&app, box_id));
}

#[test]
fn embedded() {
    run(&Ground::embedded());
}

#[test]
fn postgres() {
    if let Some(ground) = Ground::postgres("custody_label") {
        run(&ground);
    }
}
