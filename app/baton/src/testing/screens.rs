//! Every page that somebody of some role can come to, after a day of a small city, on a phone and on a desk.
//!
//! `BATON_SCREENS=FOLDER` keeps a picture of each; `BATON_AXE=axe.min.js` asks axe-core about each as well.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;

use baton_city::day::{self, Around, Credentials, DemoLogin, PlaySettings};
use baton_desk::{Role, Scope};
use baton_kit::{Site, VirtualClock};
use fantoccini::Client;
use serde_json::{Value, json};

use super::browser::{browser, serve, sign_in};
use super::{Installation, password};

const PEOPLE: u32 = 300;
/// Widths a page must bear, in CSS pixels, with the height of the window.
const SIZES: [(u32, u32); 2] = [(390, 844), (1440, 900)];
/// What a page is measured by, in the browser.
const MEASURE: &str = r#"
    const overflow = document.documentElement.scrollWidth - document.documentElement.clientWidth;
    const unnamed = [...document.querySelectorAll("input:not([type=hidden]), select, textarea, button")]
        .filter((control) => !(control.labels?.length || control.getAttribute("aria-label") || control.textContent.trim() || control.title));
    return {
        overflow,
        language: document.documentElement.lang,
        headings: document.querySelectorAll("h1").length,
        unnamed: unnamed.map((control) => control.outerHTML.slice(0, 120)),
        refused: document.querySelector("main > .notice.bad > .code")?.textContent ?? null,
        missing: document.body.innerText.includes("\u27e8"),
        height: document.documentElement.scrollHeight,
        links: [...document.querySelectorAll("main a[href^='/'], nav a[href^='/'], header a[href^='/']")].map((link) => link.getAttribute("href")),
    };"#;
const ASK_AXE: &str = r#"
    const [source, done] = arguments;
    if (!window.axe) { (0, eval)(source); }
    axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] })
        .then((result) => done(result.violations.map((v) => `${v.id}: ${v.help}: ${v.nodes.slice(0, 3).map((n) => n.html.slice(0, 140)).join(" | ")}`)))
        .catch((error) => done([String(error)]));"#;

/// A small city's day, played through the server.
async fn play(base: &str, clock: &Arc<VirtualClock>) -> Vec<DemoLogin> {
    let opens = Site::shanghai().parse("2026-03-28 07:00").expect("a time");
    let around = Around { clock: &|at| clock.advance_to(at), progress: &|_, _, _| {} };
    let admin = Credentials { login: "root".to_owned(), password: password("root") };
    day::run(base, admin, PlaySettings::new(3, PEOPLE, opens), around).await.expect("a day").logins
}

/// The page a link leads to, without the numbers in it: one example of each is looked at.
fn kind_of(link: &str) -> String {
    let (path, query) = link.split_once('?').unwrap_or((link, ""));
    let path: Vec<&str> = path.split('/').map(|part| if part.chars().any(|c| c.is_ascii_digit()) { "N" } else { part }).collect();
    let names: Vec<&str> = query.split('&').map(|pair| pair.split('=').next().unwrap_or("")).filter(|name| !name.is_empty()).collect();
    format!("{}{}{}", path.join("/"), if names.is_empty() { "" } else { "?" }, names.join("&"))
}

/// Links that lead to a page: no downloads, no data.
fn is_page(link: &str) -> bool {
    let path = link.split(['?', '#']).next().unwrap_or(link);
    let file = path.rsplit('/').next().is_some_and(|name| name.contains('.'));
    !file && !["/v1/", "/assets/", "/healthz", "/readyz", "/metrics"].iter().any(|prefix| link.starts_with(prefix))
}

struct Walk<'a> {
    client: &'a Client,
    base: &'a str,
    pictures: Option<PathBuf>,
    axe: Option<String>,
    faults: BTreeSet<String>,
    seen: BTreeMap<String, BTreeSet<String>>,
}

impl Walk<'_> {
    /// Everything that this user can come to from their home, each kind of page once.
    async fn of(&mut self, role: &str) {
        let mut ahead = VecDeque::from(["/".to_owned()]);
        let mut kinds = BTreeSet::from(["/".to_owned()]);
        while let Some(link) = ahead.pop_front() {
            for next in self.look_at(role, &link).await {
                if is_page(&next) && kinds.insert(kind_of(&next)) {
                    ahead.push_back(next);
                }
            }
        }
        self.seen.insert(role.to_owned(), kinds);
    }

    async fn look_at(&mut self, role: &str, link: &str) -> Vec<String> {
        let mut links = Vec::new();
        for (width, height) in SIZES {
            self.client.set_window_size(width, height).await.expect("a window");
            self.client.goto(&format!("{}{link}", self.base)).await.expect("a page");
            let measured = self.client.execute(MEASURE, Vec::new()).await.expect("measures");
            self.judge(role, link, width, &measured);
            self.ask_axe(role, link, width).await;
            self.picture(role, link, width, measured["height"].as_u64().unwrap_or(900)).await;
            links = measured["links"].as_array().into_iter().flatten().filter_map(|link| link.as_str().map(str::to_owned)).collect();
        }
        links
    }

    fn judge(&mut self, role: &str, link: &str, width: u32, measured: &Value) {
        let mut fault = |what: String| _ = self.faults.insert(format!("{role} {} at {width}: {what}", kind_of(link)));
        if measured["overflow"].as_i64().unwrap_or(0) > 0 {
            fault(format!("{} pixels wider than the window", measured["overflow"]));
        }
        if measured["language"] != json!("zh-Hans") {
            fault(format!("its language is {}", measured["language"]));
        }
        if measured["headings"] != json!(1) {
            fault(format!("{} main headings", measured["headings"]));
        }
        if measured["missing"] != json!(false) {
            fault("a text is missing".to_owned());
        }
        if let Some(code) = measured["refused"].as_str() {
            fault(format!("a link to it is shown, and it answers {code}"));
        }
        for control in measured["unnamed"].as_array().into_iter().flatten() {
            fault(format!("a control without a name: {control}"));
        }
    }

    async fn ask_axe(&mut self, role: &str, link: &str, width: u32) {
        let Some(source) = &self.axe else { return };
        let answer = self.client.execute_async(ASK_AXE, vec![json!(source)]).await.expect("axe");
        for violation in answer.as_array().into_iter().flatten() {
            self.faults.insert(format!("{role} {} at {width}: axe {violation}", kind_of(link)));
        }
    }

    async fn picture(&self, role: &str, link: &str, width: u32, height: u64) {
        let Some(folder) = &self.pictures else { return };
        // The whole page, but not a list of thousands.
        self.client.set_window_size(width, u32::try_from(height + 90).unwrap_or(900).clamp(844, 3000)).await.expect("a window");
        let png = self.client.screenshot().await.expect("a picture");
        let name: String = kind_of(link).trim_matches('/').chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        let name = if name.is_empty() { "home" } else { &name };
        std::fs::write(folder.join(format!("{role}--{name}--{width}.png")), png).expect("the picture");
    }
}

async fn walk_all(client: &Client, base: &str, logins: Vec<DemoLogin>) -> (BTreeSet<String>, BTreeMap<String, BTreeSet<String>>) {
    let pictures = std::env::var_os("BATON_SCREENS").map(PathBuf::from);
    if let Some(folder) = &pictures {
        std::fs::create_dir_all(folder).expect("the folder of pictures");
    }
    let axe = std::env::var_os("BATON_AXE").map(|path| std::fs::read_to_string(path).expect("axe-core"));
    let mut walk = Walk { client, base, pictures, axe, faults: BTreeSet::new(), seen: BTreeMap::new() };
    let mut users = BTreeMap::from([("administrator", ("root".to_owned(), password("root")))]);
    for login in logins {
        users.entry(login.role).or_insert((login.login, day::PASSWORD.to_owned()));
    }
    for (role, (login, password)) in users {
        client.delete_all_cookies().await.expect("no cookies");
        sign_in(client, base, &login, &password).await;
        walk.of(role).await;
    }
    (walk.faults, walk.seen)
}

#[test]
fn every_page_of_every_role_fits_a_phone_and_a_desk() {
    let installation = Installation::embedded();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let Some((_driver, client)) = browser().await else { return };
        installation.user("root", &[Role::Administrator], Scope::Everywhere).await;
        let base = serve(&installation).await;
        let logins = play(&base, &installation.clock).await;
        let message = "MSH|^~\\&|LIS|NORTH|BATON||20260328||OML^O21^OML_O21|c1|P|2.5.1\rPID|1||x\rORC|NW|1\rOBR|1|1||94531-1^x^LN\rSPM|1|y||SWAB^Swab^L\r";
        let taken = baton_exchange::hl7::receive(installation.app(), message.as_bytes().to_vec()).await;
        assert!(taken.message.is_some(), "{}", taken.answer);
        let (faults, seen) = walk_all(&client, &base, logins).await;
        client.close().await.expect("closed");
        let pages: BTreeSet<&String> = seen.values().flatten().collect();
        assert!(seen.len() >= 9 && pages.len() >= 25, "only {} roles and {} pages: {seen:?}", seen.len(), pages.len());
        assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.into_iter().collect::<Vec<_>>().join("\n"));
    });
}

#[test]
fn links_to_the_same_kind_of_page_are_one() {
    assert_eq!(kind_of("/tubes/4294967299"), "/tubes/N");
    assert_eq!(kind_of("/tubes/4294967299"), kind_of("/tubes/17"));
    assert_eq!(kind_of("/campaigns/5?by=grid&within=3"), "/campaigns/N?by&within");
    assert!(is_page("/campaigns/5/missing") && !is_page("/campaigns/5/missing.csv") && !is_page("/v1/facts"));
}
