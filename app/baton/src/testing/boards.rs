//! Homes of the roles, the screen at a point, the pictures of a campaign: through the whole router.

use baton_desk::{Role, Scope};
use baton_kit::time::MINUTE_US;
use baton_kit::{PlaceId, Timestamp};
use serde_json::{Value, json};

use super::Installation;

async fn made(installation: &Installation, token: &str, path: &str, body: Value) -> Value {
    let reply = installation.send("POST", path, Some(token), Some(&body)).await;
    assert_eq!(reply.status, 200, "{path}: {}", reply.text);
    reply.json()
}

/// A zone with a point of two lines, an open campaign, and people who belong there.
struct Town {
    root: String,
    zone: PlaceId,
    point: PlaceId,
    campaign: String,
    people: Vec<String>,
}

async fn found(installation: &Installation) -> Town {
    installation.user("root", &[Role::Administrator], Scope::Everywhere).await;
    let (root, device) = installation.sign_in("root").await;
    let place = async |body: Value| made(installation, &root, "/v1/registry/places", body).await["id"].as_str().expect("an id").to_owned();
    let zone = place(json!({"kind": "zone", "code": "Z1", "name": "一区"})).await;
    let grid = place(json!({"kind": "grid", "code": "G1", "name": "一网格", "parent": zone})).await;
    let point = place(json!({"kind": "point", "code": "P1", "name": "东门", "parent": zone, "details": {"lanes": 2, "opening_hours": "07:00-22:00"}})).await;
    let mut people = Vec::new();
    for n in 0..8 {
        let person = json!({"name": format!("李{n}"), "document_kind": "passport", "document": format!("E1000000{n}"), "place": grid});
        people.push(made(installation, &root, "/v1/registry/people", person).await["person"].as_str().expect("a person").to_owned());
    }
    let now = installation.app().ledger.now();
    let id = ((i64::from(device) << 32) | 1).to_string();
    let campaign = json!({"id": id, "name": "第一轮", "who": {"places": [zone]}, "assay": "orf1ab-n-ic", "ratio": 10,
        "opens_us": now.plus_us(-60 * MINUTE_US), "closes_us": now.plus_us(600 * MINUTE_US)});
    let campaign = made(installation, &root, "/v1/screening/campaigns", campaign).await["campaign"].as_str().expect("a campaign").to_owned();
    Town { root, zone: zone.parse().expect("an id"), point: point.parse().expect("an id"), campaign, people }
}

/// One fact said by a device, some minutes ago; the place of its id in that device's own order.
async fn says(installation: &Installation, (token, device): &(String, u32), sequence: i64, happened: Timestamp, kind: &str, body: Value) -> String {
    let id = ((1_i64 << 56) | (i64::from(*device) << 32) | sequence).to_string();
    let fact = json!({"facts": [{"id": id, "kind": kind, "happened_us": happened, "body": body}]});
    let answer = made(installation, token, "/v1/facts", fact).await;
    assert_eq!(answer.pointer("/answers/0/status").and_then(Value::as_str), Some("recorded"), "{answer}");
    let ledger = &installation.app().ledger;
    assert!(ledger.wait_folded(ledger.position().0, std::time::Duration::from_secs(30)));
    id
}

#[test]
fn homes_boards_and_screens_show_what_is_so() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    for installation in Installation::on_each_store() {
        runtime.block_on(what_is_so(&installation));
    }
}

async fn what_is_so(installation: &Installation) {
    let town = found(installation).await;
    let queue = format!("/points/{}/queue?language=en", town.point);
    let screen = async || installation.send("GET", &queue, None, None).await.text;
    assert!(screen().await.contains("not counted lately"));
    installation.user("chen", &[Role::SamplingNurse], Scope::Places(vec![town.point])).await;
    let chen = installation.sign_in("chen").await;
    let now = installation.app().ledger.now();
    let ago = |minutes: i64| now.plus_us(-minutes * MINUTE_US);
    let opened = json!({"code": "T1", "campaign": town.campaign, "point": town.point, "ratio": 10});
    let tube = says(installation, &chen, 1, ago(20), "screening.tube_opened", opened).await;
    for (n, person) in town.people.iter().take(7).enumerate() {
        says(installation, &chen, 10 + n as i64, ago(12 - n as i64), "screening.person_sampled", json!({"tube": tube, "person": person})).await;
    }
    says(installation, &chen, 30, ago(2), "screening.line_counted", json!({"point": town.point, "waiting": 21, "open": [2]})).await;
    // A count that comes late and happened before does not stand.
    says(installation, &chen, 31, ago(40), "screening.line_counted", json!({"point": town.point, "waiting": 99, "open": [1, 2]})).await;
    let shown = screen().await;
    assert!(
        shown.contains("Open: line 2") && shown.contains("21 people waited") && shown.contains("Closes at 22:00") && shown.contains("21 metres"),
        "{shown}"
    );
    assert!(shown.contains("more than 25 minutes"), "seven swabs tell the pace only within a wide range: {shown}");
    assert!(!town.people.iter().any(|person| shown.contains(person)) && !shown.contains("李") && !shown.contains("T1"), "nothing personal");
    advice(installation, &town, &chen).await;
    homes(installation, &town, &chen.0).await;
    let board = installation.send("GET", &format!("/campaigns/{}", town.campaign), Some(&town.root), None).await;
    assert_eq!(board.status, 200, "{}", board.text);
    assert!(board.text.contains("7 of 8 sampled") && board.text.contains("class=\"came\""), "the curve: {}", board.text);
    assert!(
        board.text.contains(": 87% of 8 sampled, 1 missing") && board.text.contains(&format!("within={}", town.zone.to_string().chars().next().unwrap_or('0'))),
        "the map"
    );
    assert!(board.text.contains(&format!("data-live=\"campaign:{}\"", town.campaign)), "the board lives");
    let violations = baton_ground::waiting(|| installation.app().ledger.read(|tx| Ok(crate::rooms::violations(tx)?))).expect("a look");
    assert_eq!(violations, vec![]);
}

/// A long line: first the closed line of the point is to be opened; when all are open, people are sent where one waits less.
async fn advice(installation: &Installation, town: &Town, chen: &(String, u32)) {
    let now = installation.app().ledger.now();
    let queue = format!("/v1/screening/points/{}/queue", town.point);
    let form = format!("/points/{}/line", town.point);
    let shown = installation.send("GET", &queue, None, None).await.json();
    assert_eq!((&shown["state"], &shown["waiting"], &shown["wait"]), (&json!("known"), &json!([21, 21]), &json!({"from_minutes": 25, "to_minutes": null})));
    assert_eq!((&shown["advice"]["do"], &shown["advice"]["line"]), (&json!("open_line"), &json!(1)), "{shown}");
    let page = installation.send("GET", &form, Some(&chen.0), None).await.text;
    assert!(page.contains("One waits more than 25 minutes. Open line 1"), "{page}");
    // Six gaps between seven swabs measure no lane: the plan's figure is taken, and said to be one.
    assert_eq!((&shown["lanes"], &shown["people_per_lane_hour"], &shown["lane_measured"]), (&json!(1), &json!(131), &json!(false)), "{shown}");
    assert!(page.contains("id=\"lanes\"") && page.contains("131 people an hour each are assumed, the figure of the plan"), "{page}");
    assert!(page.contains("By it 21 people wait about 10 minutes"), "{page}");
    let other = json!({"kind": "point", "code": "P2", "name": "西门", "parent": town.zone, "details": {"lanes": 1}});
    let other = made(installation, &town.root, "/v1/registry/places", other).await["id"].as_str().expect("an id").to_owned();
    says(installation, chen, 32, now.plus_us(-MINUTE_US), "screening.line_counted", json!({"point": town.point, "waiting": 21, "open": [1, 2]})).await;
    assert_eq!(installation.send("GET", &queue, None, None).await.json()["advice"], Value::Null, "nobody counted the line at the other point");
    says(installation, chen, 33, now.plus_us(-MINUTE_US), "screening.line_counted", json!({"point": other, "waiting": 0, "open": [1]})).await;
    let shown = installation.send("GET", &queue, None, None).await.json();
    assert_eq!((&shown["advice"]["do"], &shown["advice"]["point"], &shown["advice"]["name"]), (&json!("send_to"), &json!(other), &json!("西门")), "{shown}");
    let page = installation.send("GET", &form, Some(&chen.0), None).await.text;
    assert!(page.contains("Send people to 西门"), "{page}");
    let screen = installation.send("GET", &format!("/points/{}/queue?language=en", town.point), None, None).await.text;
    assert!(screen.contains("Shorter at 西门: nobody waits"), "{screen}");
}

async fn homes(installation: &Installation, town: &Town, nurse: &str) {
    let home = async |token: &str| installation.send("GET", "/", Some(token), None).await.text;
    let mine = home(nurse).await;
    assert!(mine.contains("7/10") && mine.contains("in open tube T1 at 东门") && mine.contains("data-stored=\"baton-waiting\" hidden"), "{mine}");
    let zone = Scope::Places(vec![town.zone]);
    let cases = [
        ("leader", Role::PointLeader, Scope::Places(vec![town.point]), "swabbed at 东门 in the last hour; last scan"),
        ("manager", Role::ZoneManager, zone.clone(), "第一轮: sampled of 8; 0 have a result"),
        ("warden", Role::GridWarden, zone.clone(), "第一轮: not sampled yet"),
        ("contact", Role::EnterpriseContact, zone, "<strong>87%</strong>"),
        ("auditor", Role::Auditor, Scope::Everywhere, "of 1 tubes on their way are past six hours"),
        ("courier", Role::Courier, Scope::Everywhere, "Nothing in your hand."),
        ("technician", Role::Technician, Scope::Everywhere, "of 1 tubes on their way"),
        ("director", Role::LaboratoryDirector, Scope::Everywhere, "of 1 tubes on their way"),
        ("receiver", Role::Accession, Scope::Everywhere, "Nothing in your hand."),
    ];
    for (login, role, scope, words) in cases {
        installation.user(login, &[role], scope).await;
        let (token, _) = installation.sign_in(login).await;
        let text = home(&token).await;
        assert!(text.contains(words), "{login}: {text}");
    }
    let root = home(&town.root).await;
    assert!(root.contains("users who may sign in") && root.contains("the ledger was never copied"), "{root}");
    installation.app().ledger.place().copied(installation.app().ledger.now()).expect("noted");
    assert!(home(&town.root).await.contains("last copy of the ledger"));
}
