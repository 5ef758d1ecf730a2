//! What waits on a device reaches the centre through another one.

use std::time::Duration;

use baton_desk::{Role, Scope};
use fantoccini::Client;
use serde_json::Value;

use super::browser::{Code, Line, browser, browser_with, film, press, scan, sign_in, ten_people, text_when, there_is, type_into};
use super::{Installation, password};

/// Signs in and opens the sampling screen, until the device keeps all it needs when nobody answers.
async fn at_the_point(client: &Client, base: &str, login: &str) {
    sign_in(client, base, login, &password(login)).await;
    client.goto(&format!("{base}/sampling")).await.expect("the sampling page");
    press(client, "#choose-start").await;
    there_is(client, "html[data-reads=yes]").await;
}

async fn people_into(client: &Client, codes: &[String], already: usize) {
    for (n, code) in codes.iter().enumerate() {
        scan(client, code).await;
        let count = (already + n + 1).to_string();
        text_when(client, "#count", |text| text == count).await;
    }
}

/// Every picture of the film that a device shows, as its screen has it.
async fn filmed(client: &Client) -> Vec<Code> {
    const PICTURE: &str = "const canvas = document.getElementById('hand-over-code');
        const dots = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
        let dark = '';
        for (let at = 0; at < dots.length; at += 4) dark += dots[at] < 128 ? '1' : '0';
        return [Number(canvas.dataset.frames), Number(canvas.dataset.frame), canvas.width, dark];";
    there_is(client, "#hand-over-code[data-frames]").await;
    let mut pictures: Vec<Option<Code>> = Vec::new();
    for _ in 0..600 {
        let seen = client.execute(PICTURE, Vec::new()).await.expect("a picture");
        let number = |at: usize| usize::try_from(seen[at].as_u64().expect("a number")).expect("a small one");
        pictures.resize_with(number(0), || None);
        let dark = seen[3].as_str().expect("a picture").bytes().map(|dot| dot == b'1').collect();
        pictures[number(1)] = Some(Code { width: number(2), dark });
        if pictures.iter().all(Option::is_some) {
            return pictures.into_iter().flatten().collect();
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("some pictures never came");
}

fn tube(installation: &Installation, code: &'static str) -> (baton_screening::model::Tube, usize) {
    let ledger = &installation.app().ledger;
    assert!(ledger.wait_folded(ledger.position().0, Duration::from_secs(10)));
    let id = ledger.read(move |tx| Ok(baton_screening::store::tube_by_code(tx, code)?)).expect("a read").expect("the tube");
    let tube = ledger.read(move |tx| Ok(baton_screening::store::tube(tx, id)?)).expect("a read").expect("the tube");
    let people = ledger.read(move |tx| Ok(baton_screening::store::people_of_tube(tx, id)?)).expect("a read");
    (tube, people.len())
}

/// Nobody answers. One nurse shows codes, another films them, goes on with the tube and has a network first.
#[test]
fn a_tube_passes_from_device_to_device_with_the_server_dead() {
    let installation = Installation::embedded_now();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let file = installation.app().ledger.place().folder.join("camera.y4m");
    std::fs::write(&file, film(&[Code { width: 1, dark: vec![false] }])).expect("a film");
    let lens = format!("--use-file-for-fake-video-capture={}", file.display());
    let Some((_driver, giver)) = runtime.block_on(browser()) else { return };
    let camera = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream", &lens];
    let Some((_other, taker)) = runtime.block_on(browser_with(&camera)) else { return };
    let line = Line::of(&installation);
    let address = line.base.trim_start_matches("http://").to_owned();
    let (codes, zhao) = runtime.block_on(async {
        let codes = ten_people(&installation).await;
        let zhao = installation.user("zhao", &[Role::SamplingNurse], Scope::Everywhere).await;
        at_the_point(&giver, &line.base, "chen").await;
        at_the_point(&taker, &line.base, "zhao").await;
        (codes, zhao)
    });
    line.runtime.shutdown_background();
    runtime.block_on(async {
        scan(&giver, "TUBE-0001").await;
        text_when(&giver, "#tube-code", |text| text == "TUBE-0001").await;
        people_into(&giver, &codes[..4], 0).await;
        there_is(&giver, "#queue-state[data-waiting='5'].warn").await;
        press(&giver, "#hand-over-open").await;
        let pictures = filmed(&giver).await;
        assert!(pictures.len() > 1, "a film, not a picture");
        std::fs::write(&file, film(&pictures)).expect("a film");

        press(&taker, "#camera").await;
        let digits = text_when(&taker, "#taking-check", |text| text.len() == 4).await;
        assert_eq!(text_when(&taker, "#tube-code", |text| !text.is_empty()).await, "TUBE-0001");
        there_is(&taker, "#queue-state[data-waiting='5']").await;

        let wrong = format!("{:04}", (digits.parse::<u32>().expect("digits") + 1) % 10_000);
        type_into(&giver, "#hand-over-check", &wrong).await;
        press(&giver, "#hand-over-done").await;
        there_is(&giver, "[data-code='hand-over-wrong']").await;
        assert_eq!(text_when(&giver, "#tube-code", |_| true).await, "TUBE-0001", "it holds until the other side has it");
        giver.execute("document.getElementById('hand-over-check').value = ''", Vec::new()).await.expect("emptied");
        type_into(&giver, "#hand-over-check", &digits).await;
        press(&giver, "#hand-over-done").await;
        text_when(&giver, "#tube-code", str::is_empty).await;
        there_is(&giver, "#queue-state[data-handed='5'][data-waiting='5']").await;

        people_into(&taker, &codes[4..5], 4).await;
        type_into(&taker, "#seal-count", "5").await;
        press(&taker, "#seal").await;
        there_is(&taker, "#queue-state[data-waiting='7']").await;
    });
    // The giver never comes back: its battery is empty.
    runtime.block_on(giver.close()).expect("closed");
    let _again = Line::at(&installation, &address);
    runtime.block_on(async {
        there_is(&taker, "#queue-state[data-waiting='0']").await;
        assert_eq!(taker.execute("return document.getElementById('stuck').hidden", Vec::new()).await.expect("an answer"), Value::Bool(true));
        taker.close().await.expect("closed");
    });
    let (tube, people) = tube(&installation, "TUBE-0001");
    assert_eq!((people, tube.seal.is_some()), (5, true));
    assert!(tube.opened_by.is_some_and(|nurse| nurse != zhao), "opened by whom it was: {:?}", tube.opened_by);
}

/// As an earlier version of the page kept what was not sent.
const EARLIER_VERSION: &str = "const { campaign, point, bucket } = document.getElementById('sampling').dataset;
    const device = document.querySelector('meta[name=baton-device]').content;
    const id = ((BigInt(bucket) << 56n) | (BigInt(device) << 32n) | 5n).toString();
    const fact = { id, kind: 'screening.tube_opened', happened_us: Date.now() * 1000, body: { code: 'TUBE-0008', campaign, point, ratio: 10 } };
    localStorage.setItem('baton-queue', JSON.stringify([fact]));";

/// One tablet, two nurses: what the first could not send before she left goes with the second's sign-in, in the first's name.
#[test]
fn what_a_nurse_leaves_on_a_shared_device_is_sent_in_her_name() {
    let installation = Installation::embedded_now();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let Some((_driver, client)) = runtime.block_on(browser()) else { return };
    let line = Line::of(&installation);
    let address = line.base.trim_start_matches("http://").to_owned();
    let zhao = runtime.block_on(async {
        ten_people(&installation).await;
        let zhao = installation.user("zhao", &[Role::SamplingNurse], Scope::Everywhere).await;
        at_the_point(&client, &line.base, "chen").await;
        zhao
    });
    line.runtime.shutdown_background();
    runtime.block_on(async {
        scan(&client, "TUBE-0007").await;
        there_is(&client, "#queue-state[data-waiting='1'].warn").await;
        client.execute(EARLIER_VERSION, Vec::new()).await.expect("kept");
        client.goto("about:blank").await.expect("gone");
    });
    let again = Line::at(&installation, &address);
    runtime.block_on(async {
        client.goto(&format!("{}/assets/baton.css", again.base)).await.expect("a page");
        client.delete_all_cookies().await.expect("signed out");
        at_the_point(&client, &again.base, "zhao").await;
        there_is(&client, "#queue-state[data-waiting='0']").await;
        assert_eq!(client.execute("return document.getElementById('stuck').hidden", Vec::new()).await.expect("an answer"), Value::Bool(true));
        client.close().await.expect("closed");
    });
    for code in ["TUBE-0007", "TUBE-0008"] {
        let (tube, _) = tube(&installation, code);
        assert!(tube.opened_by.is_some_and(|nurse| nurse != zhao), "{code} opened by whom it was: {:?}", tube.opened_by);
    }
}
