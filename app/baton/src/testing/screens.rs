//! Every page that somebody of some role can come to, after a day of a small city, on a phone and on a desk.
//!
//! `BATON_SCREENS=FOLDER` keeps a picture of each and the list of their weights (`cargo xtask screens` does so for `docs/screens`);
//! `BATON_AXE=axe.min.js` asks axe-core about each as well.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;

use baton_city::day::{self, Around, Credentials, DemoLogin, PlaySettings};
use baton_city::pages::{is_page, kind_of};
use baton_desk::{Role, Scope};
use baton_kit::{Site, VirtualClock};
use fantoccini::Client;
use serde_json::{Value, json};

use super::browser::{WholePage, browser, keep_picture, serve, sign_in};
use super::{Installation, password};

const PEOPLE: u32 = 300;
/// Widths a page must bear, in CSS pixels, with the height of the window.
const SIZES: [(u32, u32); 2] = [(390, 844), (1440, 900)];
/// A picture of a list of thousands would tell nothing more.
const LONGEST_PICTURE: u64 = 3_000;
/// A first view: the page and everything it needs, compressed, in bytes; and how many requests that takes.
const WEIGHT_MOST: u64 = 60_000;
const REQUESTS_MOST: u64 = 10;
/// What a page is measured by, in the browser.
const MEASURE: &str = r#"return (async () => {
    const overflow = document.documentElement.scrollWidth - document.documentElement.clientWidth;
    const unnamed = [...document.querySelectorAll("input:not([type=hidden]), select, textarea, button")]
        .filter((control) => !(control.labels?.length || control.getAttribute("aria-label") || control.textContent.trim() || control.title));
    const loads = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource").filter((load) => load.initiatorType !== "fetch")];
    // What came through the page's worker was unpacked there: it is packed again to be weighed.
    const packed = async (load) => new Response((await fetch(load.name)).body.pipeThrough(new CompressionStream("gzip"))).arrayBuffer();
    const weights = await Promise.all(loads.map(async (load) => (load.workerStart > 0 ? (await packed(load)).byteLength : load.encodedBodySize)));
    return {
        overflow,
        weight: weights.reduce((sum, weight) => sum + weight, 0),
        requests: loads.length,
        sheet: document.querySelector("div.sheet") !== null,
        language: document.documentElement.lang,
        headings: document.querySelectorAll("h1").length,
        unnamed: unnamed.map((control) => control.outerHTML.slice(0, 120)),
        refused: document.querySelector("main > .notice.bad > .code")?.textContent ?? null,
        missing: document.body.innerText.includes("\u27e8"),
        height: document.documentElement.scrollHeight,
        links: [...document.querySelectorAll("main a[href^='/'], nav a[href^='/'], header a[href^='/']")].map((link) => link.getAttribute("href"))
            .concat([...document.querySelectorAll("main form#choose")].map((form) => `${form.getAttribute("action")}?${new URLSearchParams(new FormData(form))}`)),
    };
})()"#;
/// Pages for everybody, to which no page of the staff leads.
const PUBLIC: [&str; 2] = ["/result", "/verify"];
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

/// The same day stopped at one in the afternoon, when everybody has their hands full.
async fn play_half(base: &str, clock: &Arc<VirtualClock>) -> Vec<DemoLogin> {
    let site = Site::shanghai();
    let (opens, noon) = (site.parse("2026-03-28 07:00").expect("a time"), site.parse("2026-03-28 13:00").expect("a time"));
    let around = Around { clock: &|at| clock.advance_to(at), progress: &|_, _, _| {} };
    let admin = Credentials { login: "root".to_owned(), password: password("root") };
    day::begin(base, admin, PlaySettings::new(3, PEOPLE, opens), noon, around).await.expect("half a day")
}

struct Walk<'a> {
    client: &'a Client,
    base: &'a str,
    /// A home is pictured at midday, when it is full; everything else in the evening.
    midday: bool,
    pictures: Option<PathBuf>,
    axe: Option<String>,
    faults: BTreeSet<String>,
    seen: BTreeMap<String, BTreeSet<String>>,
    /// By kind of page: bytes and requests of a first view, the heaviest seen.
    weights: BTreeMap<String, (u64, u64)>,
    /// Pages that have their picture.
    pictured: BTreeSet<String>,
}

impl<'a> Walk<'a> {
    fn new(client: &'a Client, base: &'a str, midday: bool) -> Self {
        let pictures = std::env::var_os("BATON_SCREENS").map(PathBuf::from);
        let axe = std::env::var_os("BATON_AXE").map(|path| std::fs::read_to_string(path).expect("axe-core"));
        Walk { client, base, midday, pictures, axe, faults: BTreeSet::new(), seen: BTreeMap::new(), weights: BTreeMap::new(), pictured: BTreeSet::new() }
    }

    /// Everything that this user can come to from their home, each kind of page once.
    async fn of(&mut self, role: &str) {
        let mut ahead: VecDeque<String> = ["/"].into_iter().chain(PUBLIC).map(str::to_owned).collect();
        let mut kinds: BTreeSet<String> = ahead.iter().cloned().collect();
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
            self.picture(role, link, WholePage { width, height: measured["height"].as_u64().unwrap_or(900).min(LONGEST_PICTURE) }).await;
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
        let (weight, requests) = (measured["weight"].as_u64().unwrap_or(u64::MAX), measured["requests"].as_u64().unwrap_or(u64::MAX));
        // A sheet to be printed is the document itself, no view of something.
        if (weight > WEIGHT_MOST && measured["sheet"] != json!(true)) || requests > REQUESTS_MOST {
            fault(format!("{weight} bytes in {requests} requests"));
        }
        let heaviest = self.weights.entry(kind_of(link)).or_default();
        *heaviest = (weight.max(heaviest.0), requests.max(heaviest.1));
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

    /// One of each kind of page; of the home, one for each role.
    async fn picture(&mut self, role: &str, link: &str, page: WholePage) {
        let Some(folder) = &self.pictures else { return };
        let name: String = kind_of(link).trim_matches('/').chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        let name = if name.is_empty() { format!("home-{role}") } else { name };
        let file = format!("{name}--{}.webp", page.width);
        if (link == "/") != self.midday || !self.pictured.insert(file.clone()) {
            return;
        }
        keep_picture(self.client, page, &folder.join(file)).await;
    }

    /// What a first view of each page weighs, beside the pictures.
    fn write_weights(&self) {
        let Some(folder) = &self.pictures else { return };
        let mut table = "# What a first view weighs\n\nCompressed, without fonts (there are none), everything the page needs; the most seen over all roles. Bar: 60,000 bytes, but for sheets to be printed.\n\n| page | bytes | requests |\n|---|---|---|\n".to_owned();
        for (kind, (bytes, requests)) in &self.weights {
            table.push_str(&format!("| `{kind}` | {bytes} | {requests} |\n"));
        }
        std::fs::write(folder.join("weights.md"), table).expect("the weights");
    }
}

/// One user of each role, with the password.
fn one_of_each(logins: Vec<DemoLogin>) -> BTreeMap<&'static str, (String, String)> {
    let mut users = BTreeMap::from([("administrator", ("root".to_owned(), password("root")))]);
    // A door team is home by midday: its colleague at a point is not.
    for login in logins.into_iter().filter(|login| !login.login.starts_with("team-")) {
        users.entry(login.role).or_insert((login.login, day::PASSWORD.to_owned()));
    }
    users
}

/// Whoever was signed in before is not any more.
async fn sign_in_alone(client: &Client, base: &str, login: &str, password: &str) {
    client.delete_all_cookies().await.expect("no cookies");
    sign_in(client, base, login, password).await;
}

async fn walk_all(client: &Client, base: &str, logins: Vec<DemoLogin>) -> (BTreeSet<String>, BTreeMap<String, BTreeSet<String>>) {
    let mut walk = Walk::new(client, base, false);
    for (role, (login, password)) in one_of_each(logins) {
        sign_in_alone(client, base, &login, &password).await;
        walk.of(role).await;
    }
    walk.write_weights();
    (walk.faults, walk.seen)
}

#[test]
fn at_midday_every_home_says_what_is_in_hand() {
    let installation = Installation::embedded();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let Some((_driver, client)) = browser().await else { return };
        installation.user("root", &[Role::Administrator], Scope::Everywhere).await;
        let base = serve(&installation).await;
        let logins = play_half(&base, &installation.clock).await;
        let mut walk = Walk::new(&client, &base, true);
        let mut full = BTreeSet::new();
        for (role, (login, password)) in one_of_each(logins) {
            sign_in_alone(&client, &base, &login, &password).await;
            walk.look_at(role, "/").await;
            let cards = client
                .execute("return [...document.querySelectorAll('main .card, main .inbox li')].filter((card) => card.checkVisibility()).length", Vec::new())
                .await
                .expect("a look");
            if cards.as_u64().is_some_and(|cards| cards > 0) {
                full.insert(role);
            }
        }
        let faults = walk.faults;
        client.close().await.expect("closed");
        assert!(faults.is_empty(), "{faults:?}");
        let expected = ["administrator", "grid_warden", "laboratory_director", "point_leader", "sampling_nurse", "technician", "zone_manager"];
        assert!(expected.iter().all(|role| full.contains(role)), "only these have something in hand: {full:?}");
    });
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
