//! Pages in a real browser: headless Chromium through its driver.

use std::future::IntoFuture;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use axum::http::Method;
use base64::Engine;
use baton_desk::{Role, Scope};
use fantoccini::key::Key;
use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder, Locator};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use url::{ParseError, Url};

use super::{Installation, password};

/// A driver that ends with the test.
pub(super) struct Driver(Child);

impl Drop for Driver {
    fn drop(&mut self) {
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

pub(super) async fn browser() -> Option<(Driver, Client)> {
    browser_with(&[]).await
}

/// A browser with switches of its own.
pub(super) async fn browser_with(more: &[&str]) -> Option<(Driver, Client)> {
    let port = TcpListener::bind("127.0.0.1:0").await.ok()?.local_addr().ok()?.port();
    let driver = Command::new("chromedriver").arg(format!("--port={port}")).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let Ok(driver) = driver else {
        eprintln!("skipped: chromedriver is not installed");
        return None;
    };
    let driver = Driver(driver);
    let usual = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--lang=zh-CN", "--window-size=390,844"];
    let options = json!({"goog:chromeOptions": {"args": usual.iter().chain(more).collect::<Vec<_>>()}});
    let capabilities = options.as_object()?.clone();
    for _ in 0..100 {
        if let Ok(client) = ClientBuilder::new(hyper_util::client::legacy::connect::HttpConnector::new())
            .capabilities(capabilities.clone())
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
        {
            return Some((driver, client));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("chromedriver is there and does not answer");
}

pub(super) async fn serve(installation: &Installation) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let router = installation.router.clone();
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

/// A server that can be cut off with every connection it holds, and come back.
pub(super) struct Line {
    pub(super) runtime: tokio::runtime::Runtime,
    pub(super) base: String,
}

impl Line {
    pub(super) fn of(installation: &Installation) -> Self {
        Self::at(installation, "127.0.0.1:0")
    }

    pub(super) fn at(installation: &Installation, address: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let listener = runtime.block_on(TcpListener::bind(address)).expect("a port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        runtime.spawn(axum::serve(listener, installation.router.clone()).into_future());
        Self { runtime, base }
    }
}

pub(super) async fn made(installation: &Installation, token: &str, path: &str, body: Value) -> Value {
    let reply = installation.send("POST", path, Some(token), Some(&body)).await;
    assert_eq!(reply.status, 200, "{path}: {}", reply.text);
    reply.json()
}

/// A zone, a point, a running campaign and ten people with their codes.
pub(super) async fn ten_people(installation: &Installation) -> Vec<String> {
    installation.user("root", &[Role::Administrator], Scope::Everywhere).await;
    installation.user("chen", &[Role::SamplingNurse], Scope::Everywhere).await;
    let (token, device) = installation.sign_in("root").await;
    let zone = made(installation, &token, "/v1/registry/places", json!({"kind": "zone", "code": "Z1", "name": "一区"})).await["id"].clone();
    made(installation, &token, "/v1/registry/places", json!({"kind": "point", "code": "P1", "name": "东门", "parent": zone})).await;
    let now = installation.app().ledger.now();
    let id = ((i64::from(device) << 32) | 1).to_string();
    let hour = baton_kit::time::HOUR_US;
    let campaign = json!({"id": id, "name": "第一轮", "who": {"places": [zone]}, "assay": "orf1ab-n-ic", "ratio": 10, "opens_us": now.plus_us(-hour), "closes_us": now.plus_us(hour)});
    made(installation, &token, "/v1/screening/campaigns", campaign).await;
    let mut codes = Vec::new();
    for n in 0..10 {
        let person = json!({"name": format!("李{}", ["一", "二", "三", "四", "五", "六", "七", "八", "九", "十"][n]), "document_kind": "passport", "document": format!("E1000000{n}"), "place": zone});
        let person = made(installation, &token, "/v1/registry/people", person).await["person"].as_str().expect("a person").to_owned();
        let code = installation.send("GET", &format!("/v1/registry/people/{person}/code"), Some(&token), None).await.json();
        codes.push(code["code"].as_str().expect("a code").to_owned());
    }
    codes
}

/// How often a page is asked again before the test gives up: half a minute in all, for a machine that has much else to do.
const ASKED_AT_MOST: usize = 600;

async fn a_moment() {
    tokio::time::sleep(Duration::from_millis(50)).await;
}

/// Presses what the selector names, as soon as it can be pressed. A page may be replaced between the look and the press.
pub(super) async fn press(client: &Client, css: &str) {
    let mut last = None;
    for _ in 0..ASKED_AT_MOST {
        match client.find(Locator::Css(css)).await {
            Ok(element) => match element.click().await {
                Ok(()) => return,
                Err(error) => last = Some(error),
            },
            Err(error) => last = Some(error),
        }
        a_moment().await;
    }
    panic!("{css} could not be pressed: {last:?}");
}

/// Types into the field the selector names, as soon as it takes letters.
pub(super) async fn type_into(client: &Client, css: &str, keys: &str) {
    let mut last = None;
    for _ in 0..ASKED_AT_MOST {
        match client.find(Locator::Css(css)).await {
            Ok(element) => match element.send_keys(keys).await {
                Ok(()) => return,
                Err(error) => last = Some(error),
            },
            Err(error) => last = Some(error),
        }
        a_moment().await;
    }
    panic!("{css} took no letters: {last:?}");
}

/// Waits until the text of what the selector names is as wanted, and gives it.
pub(super) async fn text_when(client: &Client, css: &str, wanted: impl Fn(&str) -> bool) -> String {
    let mut last = Err("not asked".to_owned());
    for _ in 0..ASKED_AT_MOST {
        last = match client.find(Locator::Css(css)).await {
            Ok(element) => element.text().await.map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        if let Ok(text) = &last
            && wanted(text)
        {
            return text.clone();
        }
        a_moment().await;
    }
    let page = client.execute("return location.href + ': ' + document.body.innerText.slice(0, 600)", Vec::new()).await;
    panic!("{css} says {last:?} on {page:?}");
}

/// Waits until the page is there: the selector names something on it.
pub(super) async fn there_is(client: &Client, css: &str) {
    text_when(client, css, |_| true).await;
}

/// Waits until nothing on the page is what the selector names: what was pressed has had its answer.
pub(super) async fn there_is_no(client: &Client, css: &str) {
    for _ in 0..ASKED_AT_MOST {
        if client.find_all(Locator::Css(css)).await.is_ok_and(|found| found.is_empty()) {
            return;
        }
        a_moment().await;
    }
    panic!("{css} stays");
}

/// Asks the browser for a picture of the whole page, however long, as WebP: a tenth of a PNG.
#[derive(Debug)]
pub(super) struct WholePage {
    pub(super) width: u32,
    pub(super) height: u64,
}

impl WebDriverCompatibleCommand for WholePage {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!("session/{}/goog/cdp/execute", session.unwrap_or_default()))
    }
    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        let clip = json!({"x": 0, "y": 0, "width": self.width, "height": self.height, "scale": 1});
        let how = json!({"format": "webp", "quality": 55, "captureBeyondViewport": true, "clip": clip});
        (Method::POST, Some(json!({"cmd": "Page.captureScreenshot", "params": how}).to_string()))
    }
}

pub(super) async fn keep_picture(client: &Client, page: WholePage, file: &Path) {
    let answer = client.issue_cmd(page).await.expect("a picture");
    let picture = base64::engine::general_purpose::STANDARD.decode(answer["data"].as_str().expect("a picture")).expect("a picture");
    std::fs::create_dir_all(file.parent().expect("a folder")).expect("the folder of pictures");
    std::fs::write(file, picture).expect("the picture");
}

pub(super) async fn scan(client: &Client, code: &str) {
    type_into(client, "#scan", &format!("{code}{}", char::from(Key::Enter))).await;
}

/// Signs in, in simplified Chinese, and waits until the home of that user is there.
pub(super) async fn sign_in(client: &Client, base: &str, login: &str, password: &str) {
    client.goto(&format!("{base}/sign-in")).await.expect("the sign-in page");
    press(client, "button[lang=zh-Hans]").await;
    there_is(client, "html[lang=zh-Hans] input[name=login]").await;
    type_into(client, "input[name=login]", login).await;
    type_into(client, "input[name=password]", password).await;
    press(client, "form.narrow button.primary").await;
    there_is(client, "form[action='/sign-out']").await;
}

/// A picture of so many modules a side, dark or light, row by row.
pub(super) struct Code {
    pub(super) width: usize,
    pub(super) dark: Vec<bool>,
}

/// A film of codes held before a camera, five pictures a second, in the plainest of formats.
pub(super) fn film(codes: &[Code]) -> Vec<u8> {
    const WIDTH: usize = 640;
    const HEIGHT: usize = 480;
    let mut film = format!("YUV4MPEG2 W{WIDTH} H{HEIGHT} F5:1 Ip A1:1 C420jpeg\n").into_bytes();
    for code in codes {
        let module = 440 / code.width;
        let (left, top) = ((WIDTH - module * code.width) / 2, (HEIGHT - module * code.width) / 2);
        let mut luma = vec![235_u8; WIDTH * HEIGHT];
        for (at, _) in code.dark.iter().enumerate().filter(|(_, dark)| **dark) {
            let (row, column) = (top + at / code.width * module, left + at % code.width * module);
            for line in row..row + module {
                luma[line * WIDTH + column..line * WIDTH + column + module].fill(16);
            }
        }
        for _ in 0..2 {
            film.extend([b"FRAME\n".as_slice(), &luma, &[128; WIDTH * HEIGHT / 2]].concat());
        }
    }
    film
}

/// The browser of this test reads no codes by itself: the vendored reader does.
#[test]
fn a_code_held_before_the_camera_is_a_scan() {
    let installation = Installation::embedded_now();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let file = installation.app().ledger.place().folder.join("camera.y4m");
        let drawn = baton_documents::qr_code("TUBE-0042", baton_documents::ErrorCorrection::Medium).expect("a code");
        let code = Code { width: drawn.width, dark: drawn.modules };
        std::fs::write(&file, film(&[code])).expect("a film");
        let film = format!("--use-file-for-fake-video-capture={}", file.display());
        let Some((_driver, client)) = browser_with(&["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream", &film]).await else { return };
        ten_people(&installation).await;
        let base = serve(&installation).await;
        sign_in(&client, &base, "chen", &password("chen")).await;
        client.goto(&format!("{base}/sampling")).await.expect("the sampling page");
        press(&client, "#choose-start").await;
        press(&client, "#camera").await;
        text_when(&client, "#tube-code", |text| text == "TUBE-0042").await;
        client.close().await.expect("closed");
    });
}

async fn ten_into_a_tube(installation: &Installation, client: &Client, base: &str, codes: &[String]) {
    sign_in(client, base, "chen", &password("chen")).await;
    client.goto(&format!("{base}/sampling")).await.expect("the sampling page");
    there_is(client, "html[lang=zh-Hans]").await;
    press(client, "#choose-start").await;
    scan(client, "TUBE-0001").await;
    text_when(client, "#tube-code", |text| text == "TUBE-0001").await;
    for (n, code) in codes.iter().enumerate() {
        scan(client, code).await;
        let count = (n + 1).to_string();
        text_when(client, "#count", |text| text == count).await;
    }
    text_when(client, "#last-name", |text| text.starts_with("李十")).await;
    type_into(client, "#seal-count", "10").await;
    press(client, "#seal").await;
    text_when(client, "#tube-code", str::is_empty).await;
    there_is(client, "#queue-state[data-waiting='0']").await;
    let ledger = &installation.app().ledger;
    assert!(ledger.wait_folded(ledger.position().0, Duration::from_secs(10)));
    let tube = ledger.read(|tx| Ok(baton_screening::store::tube_by_code(tx, "TUBE-0001")?)).expect("a read").expect("the tube");
    let people = ledger.read(move |tx| Ok(baton_screening::store::people_of_tube(tx, tube)?)).expect("a read");
    assert_eq!(people.len(), 10);
}

/// The server dies in the middle of a tube: the screen opens again without it, goes on, and hands everything over when the server is back.
#[test]
fn sampling_goes_on_with_the_server_dead_and_catches_up_by_itself() {
    let installation = Installation::embedded_now();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let Some((driver, client)) = runtime.block_on(browser()) else { return };
    let line = Line::of(&installation);
    let address = line.base.trim_start_matches("http://").to_owned();
    let codes = runtime.block_on(async {
        let codes = ten_people(&installation).await;
        sign_in(&client, &line.base, "chen", &password("chen")).await;
        client.goto(&format!("{}/sampling", line.base)).await.expect("the sampling page");
        press(&client, "#choose-start").await;
        there_is(&client, "html[data-kept=yes]").await;
        scan(&client, "TUBE-0001").await;
        text_when(&client, "#tube-code", |text| text == "TUBE-0001").await;
        scan(&client, &codes[0]).await;
        text_when(&client, "#count", |text| text == "1").await;
        there_is(&client, "#queue-state[data-waiting='0']").await;
        codes
    });
    line.runtime.shutdown_background();
    runtime.block_on(async {
        client.refresh().await.expect("the page, kept");
        text_when(&client, "#tube-code", |text| text == "TUBE-0001").await;
        for (n, code) in codes[1..4].iter().enumerate() {
            scan(&client, code).await;
            let count = (n + 2).to_string();
            text_when(&client, "#count", |text| text == count).await;
        }
        there_is(&client, "#queue-state[data-waiting='3'].warn").await;
        type_into(&client, "#seal-count", "4").await;
        press(&client, "#seal").await;
        there_is(&client, "#queue-state[data-waiting='4']").await;
    });
    let _again = Line::at(&installation, &address);
    runtime.block_on(async {
        there_is(&client, "#queue-state[data-waiting='0']").await;
        client.close().await.expect("closed");
    });
    drop(driver);
    let ledger = &installation.app().ledger;
    assert!(ledger.wait_folded(ledger.position().0, Duration::from_secs(10)));
    let tube = ledger.read(|tx| Ok(baton_screening::store::tube_by_code(tx, "TUBE-0001")?)).expect("a read").expect("the tube");
    let people = ledger.read(move |tx| Ok(baton_screening::store::people_of_tube(tx, tube)?)).expect("a read");
    assert_eq!(people.len(), 4, "each once, whoever was told when");
}

#[test]
fn a_nurse_samples_ten_people_into_a_tube() {
    let installation = Installation::embedded_now();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let Some((_driver, client)) = browser().await else { return };
        let codes = ten_people(&installation).await;
        let base = serve(&installation).await;
        ten_into_a_tube(&installation, &client, &base, &codes).await;
        client.close().await.expect("closed");
    });
}
