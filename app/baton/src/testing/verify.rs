//! A border guard's phone: the verification page asks the laboratory, and goes on checking signatures when there is no network.

use baton_kit::{Bucket, Device, PersonId, TubeId};
use baton_laboratory::statement::{Stated, Statement};
use fantoccini::{Client, Locator};

use super::Installation;
use super::browser::{Line, browser, press, text_when, there_is, type_into};

/// A result signed by this installation, about a tube it knows nothing of.
fn statement(installation: &Installation) -> String {
    let device = Device::new(1 << 23).expect("a device");
    let now = installation.app().ledger.now();
    let (person, tube) = (PersonId::new(Bucket::INSTALLATION, device, 7), TubeId::new(Bucket::INSTALLATION, device, 8));
    Statement { person, tube, result: Stated::Negative, version: 1, swabbed: now, issued: now }.sign(&installation.app().ledger.secrets().signing)
}

async fn asked(client: &Client, text: &str, standing: &str) -> String {
    there_is(client, "#verify textarea").await;
    client.execute("document.querySelector('#verify textarea').value = ''", Vec::new()).await.expect("an empty field");
    type_into(client, "#verify textarea", text).await;
    press(client, "#verify button").await;
    text_when(client, &format!("#verified[data-standing={standing}]"), |text| !text.is_empty()).await
}

#[test]
fn a_phone_checks_a_report_with_and_without_a_network() {
    let installation = Installation::embedded_now();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let Some((driver, client)) = runtime.block_on(browser()) else { return };
    let line = Line::of(&installation);
    let good = statement(&installation);
    let forged = format!("{}{}", &good[..121], if good.ends_with('A') { "Q" } else { "A" });
    let changed = format!("{}{}{}", &good[..30], if &good[30..31] == "x" { "y" } else { "x" }, &good[31..]);
    let address = format!("{}/verify?s={good}", line.base);
    runtime.block_on(async {
        client.goto(&format!("{}/sign-in", line.base)).await.expect("a page");
        press(&client, "button[lang=zh-Hans]").await;
        there_is(&client, "html[lang=zh-Hans]").await;
        client.goto(&address).await.expect("the page");
        text_when(&client, "#verified[data-standing=unknown]", |text| !text.is_empty()).await;
        assert_eq!(asked(&client, &changed, "wrong").await, "签名不符：不是本机构签发，或已被改动");
        there_is(&client, "html[data-kept=yes]").await;
    });
    line.runtime.shutdown_background();
    runtime.block_on(async {
        // The same address again: the page comes from the phone's own store.
        client.goto(&address).await.expect("the page, kept");
        let words = text_when(&client, "#verified[data-standing=offline]", |text| !text.is_empty()).await;
        assert!(words.contains("离线核验") && words.contains("是否已更正未知"), "{words}");
        assert!(asked(&client, &changed, "wrong").await.contains("签名不符"));
        assert!(asked(&client, &forged, "wrong").await.contains("签名不符"));
        assert!(asked(&client, &format!("https://elsewhere.example/verify?s={good}"), "offline").await.contains("离线核验"));
        assert!(client.find(Locator::Css("h1")).await.is_ok());
        client.close().await.expect("closed");
    });
    drop(driver);
}
