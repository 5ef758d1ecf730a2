//! Every page that anybody of a played day can come to: how long the server takes for it, and what it weighs.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Context;
use http_body_util::{BodyExt, Empty};
use hyper::Request;
use hyper::body::Bytes;
use hyper::header::{ACCEPT, ACCEPT_ENCODING, ACCEPT_LANGUAGE, AUTHORIZATION};
use hyper_util::client::legacy::Client as Pool;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use crate::client::{Client, Sayer};
use crate::day;
use crate::program::Program;

/// What a page may take and weigh: see [`Report::passed`].
pub const P95_MS_MOST: f64 = 50.0;
pub const BYTES_MOST: usize = 60_000;
/// Lineage may fold together half a million people: it has a second.
pub const LINEAGE_MS_MOST: f64 = 1_000.0;
/// Whoever has a home of their own in a played day.
const LOGINS: [&str; 10] = ["admin", "auditor", "zone-1", "warden-1", "leader-1", "nurse-1", "courier-1", "reception-1-1", "bench-1-1", "director-1"];

/// The page a link leads to, without the numbers in it: one example of each kind is looked at.
pub fn kind_of(link: &str) -> String {
    let (path, query) = link.split_once('?').unwrap_or((link, ""));
    let path: Vec<&str> = path.split('/').map(|part| if part.chars().any(|c| c.is_ascii_digit()) { "N" } else { part }).collect();
    let names: Vec<&str> = query.split('&').map(|pair| pair.split('=').next().unwrap_or("")).filter(|name| !name.is_empty()).collect();
    format!("{}{}{}", path.join("/"), if names.is_empty() { "" } else { "?" }, names.join("&"))
}

/// Links that lead to a page: no downloads, no data.
pub fn is_page(link: &str) -> bool {
    let path = link.split(['?', '#']).next().unwrap_or(link);
    let file = path.rsplit('/').next().is_some_and(|name| name.contains('.'));
    !file && !["/v1/", "/assets/", "/fhir/", "/healthz", "/readyz", "/metrics"].iter().any(|prefix| link.starts_with(prefix))
}

#[derive(Clone, Debug)]
pub struct PagesSettings {
    pub baton: PathBuf,
    /// The folder of a demo: `baton demo --no-serve --data FOLDER`.
    pub data: PathBuf,
    /// How often each page is asked for.
    pub times: usize,
}

/// One kind of page, as the slowest of the roles saw it.
#[derive(Clone, Debug, serde::Serialize)]
pub struct PageFigures {
    pub page: String,
    pub login: &'static str,
    pub ms_p50: f64,
    pub ms_p95: f64,
    /// Compressed, the page alone.
    pub bytes: usize,
    /// A sheet to be printed: the document itself, no view of something.
    pub sheet: bool,
}

#[derive(Clone, Debug, Default, serde::Serialize)]
pub struct Report {
    /// A bare answer of the same server, for comparison.
    pub hello_ms_p95: f64,
    /// The slowest first.
    pub pages: Vec<PageFigures>,
}

impl PageFigures {
    fn passes(&self) -> bool {
        let ms_most = if self.page.starts_with("/laboratory/lineage/") { LINEAGE_MS_MOST } else { P95_MS_MOST };
        self.sheet || (self.ms_p95 <= ms_most && self.bytes <= BYTES_MOST)
    }
}

impl Report {
    pub fn passed(&self) -> bool {
        !self.pages.is_empty() && self.pages.iter().all(PageFigures::passes)
    }

    pub fn rows(&self) -> Vec<(String, String)> {
        let mut rows = vec![("page".to_owned(), "p50 ms   p95 ms    bytes".to_owned())];
        let row = |page: &PageFigures| {
            let name = format!("{} ({}){}", page.page, page.login, if page.sheet { " sheet" } else { "" });
            (name, format!("{:.1}  {:7.1}  {:7}{}", page.ms_p50, page.ms_p95, page.bytes, if page.passes() { " " } else { "!" }))
        };
        rows.extend(self.pages.iter().map(row));
        rows.push(("a bare answer, p95 ms".to_owned(), format!("{:.2}", self.hello_ms_p95)));
        rows
    }
}

/// Serves a demo's folder and asks for every page of every role.
///
/// # Errors
/// A folder that is no demo's, or a server that does not answer.
pub fn drill(settings: &PagesSettings, say: impl Fn(&str)) -> anyhow::Result<Report> {
    let server = Program::new(&settings.baton, &settings.data).serve(&[])?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let report = runtime.block_on(ask_all(&server.base, settings.times.max(1), say))?;
    server.stop()?;
    Ok(report)
}

async fn ask_all(base: &str, times: usize, say: impl Fn(&str)) -> anyhow::Result<Report> {
    let browser = Browser::new(base);
    let mut worst: BTreeMap<String, PageFigures> = BTreeMap::new();
    for login in LOGINS {
        let token = Sayer::sign_in(&Client::new(base), login, day::PASSWORD).await.with_context(|| format!("{login} cannot sign in"))?.token;
        let mut ahead = VecDeque::from(["/".to_owned()]);
        let mut kinds = BTreeSet::from(["/".to_owned()]);
        while let Some(link) = ahead.pop_front() {
            say(&format!("{login} {link}"));
            let (figures, links) = browser.look_at(login, &token, &link, times).await?;
            for next in links {
                if is_page(&next) && kinds.insert(kind_of(&next)) {
                    ahead.push_back(next);
                }
            }
            let known = worst.entry(figures.page.clone()).or_insert_with(|| figures.clone());
            if figures.ms_p95 > known.ms_p95 {
                *known = figures;
            }
        }
    }
    let mut pages: Vec<PageFigures> = worst.into_values().collect();
    pages.sort_by(|a, b| b.ms_p95.total_cmp(&a.ms_p95));
    let (hello, _) = browser.look_at("", "", "/healthz", times.max(50)).await?;
    Ok(Report { hello_ms_p95: hello.ms_p95, pages })
}

struct Browser<'b> {
    pool: Pool<HttpConnector, Empty<Bytes>>,
    base: &'b str,
}

impl<'b> Browser<'b> {
    fn new(base: &'b str) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        Self { pool: Pool::builder(TokioExecutor::new()).build(connector), base }
    }

    /// Asks `times` times; the first time counts, as it does for people.
    async fn look_at(&self, login: &'static str, token: &str, link: &str, times: usize) -> anyhow::Result<(PageFigures, BTreeSet<String>)> {
        let mut taken = Vec::with_capacity(times);
        let mut bytes = 0;
        for _ in 0..times {
            let (time, body) = self.get(token, link, "gzip").await?;
            taken.push(time);
            bytes = body.len();
        }
        taken.sort_unstable();
        let at = |part: f64| taken[((taken.len() as f64 * part).ceil() as usize).clamp(1, taken.len()) - 1].as_secs_f64() * 1e3;
        let (_, plain) = self.get(token, link, "identity").await?;
        let html = String::from_utf8_lossy(&plain);
        let figures = PageFigures { page: kind_of(link), login, ms_p50: at(0.5), ms_p95: at(0.95), bytes, sheet: html.contains("<div class=\"sheet\">") };
        Ok((figures, links(&html)))
    }

    #[allow(clippy::disallowed_methods)] // the wall clock is what is asked
    async fn get(&self, token: &str, link: &str, encoding: &str) -> anyhow::Result<(Duration, Bytes)> {
        let request =
            Request::get(format!("{}{link}", self.base)).header(ACCEPT, "text/html").header(ACCEPT_LANGUAGE, "zh-Hans").header(ACCEPT_ENCODING, encoding);
        let request = if token.is_empty() { request } else { request.header(AUTHORIZATION, format!("Bearer {token}")) };
        let began = Instant::now();
        let response = self.pool.request(request.body(Empty::new())?).await?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        anyhow::ensure!(
            status.is_success() || status.is_redirection(),
            "{link}: {status} {}",
            String::from_utf8_lossy(&body).chars().take(300).collect::<String>()
        );
        Ok((began.elapsed(), body))
    }
}

/// Where the page's links lead, within this server.
fn links(html: &str) -> BTreeSet<String> {
    let after = html.split("href=\"").skip(1);
    let links = after.filter_map(|rest| rest.split_once('"')).map(|(link, _)| link.replace("&amp;", "&"));
    links.filter(|link| link.starts_with('/')).map(|link| link.split('#').next().unwrap_or_default().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_to_the_same_kind_of_page_are_one() {
        assert_eq!(kind_of("/tubes/4294967299"), "/tubes/N");
        assert_eq!(kind_of("/tubes/4294967299"), kind_of("/tubes/17"));
        assert_eq!(kind_of("/campaigns/5?by=grid&within=3"), "/campaigns/N?by&within");
        assert!(is_page("/campaigns/5/missing") && !is_page("/campaigns/5/missing.csv") && !is_page("/v1/facts"));
    }

    #[test]
    fn links_are_found_in_a_page() {
        let html = r##"<a href="/a?x=1&amp;y=2#z">a</a><a href="https://example.org/">b</a><link rel="stylesheet" href="/assets/a.css"><a href="#main">c</a>"##;
        assert_eq!(links(html), BTreeSet::from(["/a?x=1&y=2".to_owned(), "/assets/a.css".to_owned()]));
    }

    #[test]
    fn slow_and_heavy_pages_fail_and_sheets_may_be_heavy() {
        let page = |ms_p95, bytes, sheet| PageFigures { page: "/".to_owned(), login: "admin", ms_p50: 1.0, ms_p95, bytes, sheet };
        let report = |page| Report { hello_ms_p95: 0.1, pages: vec![page] };
        assert!(report(page(49.0, 59_000, false)).passed() && report(page(49.0, 900_000, true)).passed());
        assert!(!report(page(51.0, 10, false)).passed() && !report(page(1.0, 60_001, false)).passed());
        assert!(!Report::default().passed());
    }
}
