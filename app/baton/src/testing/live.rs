//! Live boards: who may listen to what, how often a page is told, and that a stopping server waits for nobody.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, header};
use baton_desk::{Role, Scope};
use futures_util::StreamExt;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::time::Instant;
use tower::ServiceExt;

use super::browser::{browser, press, serve, sign_in, text_when};
use super::{Installation, password};

/// A connection to `/live`, and what it was told so far.
struct Listening {
    stream: axum::body::BodyDataStream,
    told: Vec<i64>,
}

impl Listening {
    async fn on(installation: &Installation, token: Option<&str>, on: &str, since: i64) -> Result<Self, (u16, String)> {
        let mut request = Request::builder().uri(format!("/live?on={on}&since={since}")).header(header::ACCEPT, "text/event-stream");
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let response = installation.router.clone().oneshot(request.body(Body::empty()).expect("a request")).await.expect("an answer");
        let status = response.status().as_u16();
        if status != 200 {
            let bytes = axum::body::to_bytes(response.into_body(), 1 << 16).await.expect("a body");
            let answer: serde_json::Value = serde_json::from_slice(&bytes).unwrap_or_default();
            return Err((status, answer["code"].as_str().unwrap_or_default().to_owned()));
        }
        assert_eq!(response.headers()[header::CONTENT_TYPE], "text/event-stream");
        Ok(Self { stream: response.into_body().into_data_stream(), told: Vec::new() })
    }

    /// Hears what is said within this time; true when the connection ended.
    async fn hear(&mut self, time: Duration) -> bool {
        let until = tokio::time::sleep(time);
        tokio::pin!(until);
        loop {
            tokio::select! {
                () = &mut until => return false,
                piece = self.stream.next() => match piece {
                    Some(Ok(bytes)) => self.told.extend(String::from_utf8_lossy(&bytes).lines().filter_map(|line| line.strip_prefix("id:")?.trim().parse::<i64>().ok())),
                    _ => return true,
                },
            }
        }
    }
}

impl Listening {
    /// Hears until it was told of this place in the ledger, however slow the machine.
    async fn hear_of(&mut self, ordinal: i64) {
        for _ in 0..600 {
            if self.told.last() == Some(&ordinal) {
                return;
            }
            assert!(!self.hear(Duration::from_millis(50)).await, "the connection stands");
        }
        panic!("told of {:?}, not of {ordinal}", self.told);
    }
}

fn opened(device: u32, sequence: i64, code: &str) -> serde_json::Value {
    let id = ((1_i64 << 56) | (i64::from(device) << 32) | sequence).to_string();
    json!({"facts": [{"id": id, "kind": "custody.box_opened", "happened_us": 5, "body": {"code": code, "point": "7"}}]})
}

async fn opens_a_box(installation: &Installation, token: &str, device: u32, sequence: i64) {
    let reply = installation.send("POST", "/v1/facts", Some(token), Some(&opened(device, sequence, &format!("B{sequence}")))).await;
    assert_eq!(reply.json().pointer("/answers/0/status").and_then(|status| status.as_str()), Some("recorded"), "{}", reply.text);
}

/// Without a runtime around it: the PostgreSQL client is opened and closed outside of async code.
#[test]
fn two_quick_changes_are_one_word_and_only_what_moved_is_told() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    for installation in Installation::on_each_store() {
        runtime.block_on(two_quick_changes(&installation));
    }
}

async fn two_quick_changes(installation: &Installation) {
    installation.user("li", &[Role::Courier], Scope::Everywhere).await;
    installation.user("wang", &[Role::Technician], Scope::Everywhere).await;
    let (token, device) = installation.sign_in("li").await;
    let (technician, _) = installation.sign_in("wang").await;
    let ledger = &installation.app().ledger;
    assert!(ledger.wait_folded(ledger.position().0, Duration::from_secs(30)));
    let since = ledger.position().0;
    let mut boxes = Listening::on(installation, Some(&token), "boxes", since).await.expect("listening");
    let mut clock = Listening::on(installation, Some(&technician), "operations", since).await.err().unwrap_or_default();
    assert_eq!((clock.0, clock.1.as_str()), (403, "role-missing"));
    clock = Listening::on(installation, None, "boxes", since).await.err().unwrap_or_default();
    assert_eq!((clock.0, clock.1.as_str()), (401, "not-signed-in"));
    for (wrong, code) in
        [("moon", "live-topic-wrong"), ("campaign:x", "live-topic-wrong"), ("", "live-topic-wrong"), (&"boxes,".repeat(20), "live-topics-many")]
    {
        assert_eq!(Listening::on(installation, Some(&token), wrong, since).await.err().map(|refused| refused.1).as_deref(), Some(code), "{wrong}");
    }
    let started = Instant::now();
    opens_a_box(installation, &token, device, 1).await;
    opens_a_box(installation, &token, device, 2).await;
    assert!(ledger.wait_folded(ledger.position().0, Duration::from_secs(30)));
    let quick = started.elapsed() < Duration::from_millis(250);
    boxes.hear_of(ledger.position().0).await;
    let most = if quick { 1 } else { 1 + started.elapsed().as_secs() as usize };
    assert!(boxes.told.len() <= most, "{} words in {:?}", boxes.told.len(), started.elapsed());
    // Signing in moves no box.
    let before = boxes.told.len();
    installation.sign_in("li").await;
    boxes.hear(Duration::from_millis(700)).await;
    assert_eq!(boxes.told.len(), before, "what does not concern the page is not told");
    // Whoever comes late is told at once; whoever is up to date is not.
    let mut late = Listening::on(installation, Some(&token), "boxes", since).await.expect("listening");
    let mut fresh = Listening::on(installation, Some(&token), "boxes", ledger.position().0).await.expect("listening");
    late.hear_of(ledger.position().0).await;
    assert!(!fresh.hear(Duration::from_millis(100)).await);
    assert_eq!((late.told.len(), fresh.told.len()), (1, 0));
    installation.app().close_boards();
    assert!(boxes.hear(Duration::from_secs(20)).await && fresh.hear(Duration::from_secs(20)).await, "a stopping server ends them");
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_are_bounded_and_take_nobody_elses_place() {
    let installation = Installation::embedded();
    installation.user("li", &[Role::Courier], Scope::Everywhere).await;
    let (token, device) = installation.sign_in("li").await;
    let since = installation.app().ledger.position().0;
    let mut standing = Vec::new();
    let refused = loop {
        match Listening::on(&installation, Some(&token), "boxes", since).await {
            Ok(connection) => standing.push(connection),
            Err(refused) => break refused,
        }
        assert!(standing.len() < 5_000, "no bound");
    };
    assert_eq!((standing.len(), refused), (512, (503, "budget-full".to_owned())));
    opens_a_box(&installation, &token, device, 1).await;
    assert_eq!(installation.send("GET", "/boxes", Some(&token), None).await.status, 200, "pages have their own places");
    standing.pop();
    assert!(Listening::on(&installation, Some(&token), "boxes", since).await.is_ok(), "a place given back is free at once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_with_open_boards_stops() {
    let installation = Installation::embedded();
    installation.user("li", &[Role::Courier], Scope::Everywhere).await;
    let (token, _) = installation.sign_in("li").await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let app = installation.app().clone();
    let serving = tokio::spawn(async move { crate::serve::serve(&app, listener, async move { _ = stopped.await }).await });
    let mut stream = tokio::net::TcpStream::connect(address).await.expect("a connection");
    let since = installation.app().ledger.position().0;
    let ask = format!("GET /live?on=boxes&since={since} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n");
    tokio::io::AsyncWriteExt::write_all(&mut stream, ask.as_bytes()).await.expect("asked");
    let mut answer = [0; 15];
    tokio::io::AsyncReadExt::read_exact(&mut stream, &mut answer).await.expect("an answer");
    assert_eq!(&answer, b"HTTP/1.1 200 OK");
    stop.send(()).expect("told to stop");
    tokio::time::timeout(Duration::from_secs(30), serving).await.expect("it stops").expect("no panic").expect("no error");
}

/// The page hears of a change, redraws only its part, and goes on asking by itself when it hears nothing.
#[test]
fn a_page_draws_its_part_again_and_falls_back_to_asking() {
    let installation = Installation::embedded_now();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let Some((_driver, client)) = browser().await else { return };
        installation.user("li", &[Role::Courier], Scope::Everywhere).await;
        let (token, device) = installation.sign_in("li").await;
        let base = serve(&installation).await;
        sign_in(&client, &base, "li", &password("li")).await;
        client.goto(&format!("{base}/boxes")).await.expect("the boxes");
        text_when(&client, ".live-state", |text| text.contains("实时：")).await;
        press(&client, "input[name=code]").await;
        client.execute("window.stays = 1; document.querySelector('input[name=code]').value = 'B9'", Vec::new()).await.expect("typed");
        opens_a_box(&installation, &token, device, 1).await;
        text_when(&client, "#boxes", |text| text.contains("B1")).await;
        let kept = client.execute("return [window.stays, document.querySelector('input[name=code]').value]", Vec::new()).await.expect("kept");
        assert_eq!(kept, json!([1, "B9"]), "the page was not loaded anew, and nothing typed was lost");
        installation.app().close_boards();
        text_when(&client, ".live-state", |text| text.contains("实时连接中断")).await;
        opens_a_box(&installation, &token, device, 2).await;
        text_when(&client, "#boxes", |text| text.contains("B2")).await;
        client.close().await.expect("closed");
    });
}
