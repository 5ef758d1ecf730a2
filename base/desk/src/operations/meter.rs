//! Around every request: its number, its place in a budget, its line in the log, its share of the figures.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use baton_ledger::meter::DURATIONS_US;
use baton_ledger::{Histogram, Stopwatch};
use parking_lot::Mutex;
use tracing::Instrument;

use super::{BUDGET, Held, LOOK, Strain};
use crate::App;
use crate::answer::Refused;
use crate::room::Budget;

/// The header that bears a request's number, in the answer and, when a proxy numbers requests itself, in the question.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// A request that takes longer is logged as a warning.
const SLOW_US: u64 = 2_000_000;
/// The longest number that is taken over from a proxy.
const GIVEN_ID_LENGTH: usize = 64;

/// Method, path of the route, and status of an answer.
type Answered = (&'static str, &'static str, u16);

/// Counts requests.
pub(crate) struct Meter {
    answered: Mutex<BTreeMap<Answered, Arc<AtomicU64>>>,
    took: [(Budget, Histogram); 7],
    shed: AtomicU64,
    numbered: AtomicU64,
    /// Tells the numbers of this run from those of another.
    run: String,
}

impl Meter {
    pub(crate) fn new(run: String) -> Self {
        let budgets = [Budget::Scans, Budget::LookUps, Budget::Pages, Budget::Uploads, Budget::SignIns, Budget::Live, Budget::Free];
        let took = budgets.map(|budget| (budget, Histogram::new(DURATIONS_US)));
        Self { answered: Mutex::default(), took, shed: AtomicU64::new(0), numbered: AtomicU64::new(0), run }
    }

    fn count(&self, method: &'static str, path: &'static str, budget: Budget, status: StatusCode, us: u64) {
        let counter = self.answered.lock().entry((method, path, status.as_u16())).or_default().clone();
        counter.fetch_add(1, Ordering::Relaxed);
        if let Some((_, took)) = self.took.iter().find(|(of, _)| *of == budget) {
            took.record(us);
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            self.shed.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Method, route and status of all that was answered: how often.
    pub(crate) fn answered(&self) -> Vec<((&'static str, &'static str, u16), u64)> {
        self.answered.lock().iter().map(|(key, count)| (*key, count.load(Ordering::Relaxed))).collect()
    }

    pub(crate) fn took(&self) -> &[(Budget, Histogram)] {
        &self.took
    }

    /// Requests answered with 503, for whatever reason.
    pub(crate) fn shed(&self) -> u64 {
        self.shed.load(Ordering::Relaxed)
    }

    fn number(&self, given: Option<&HeaderValue>) -> String {
        let given = given.and_then(|value| value.to_str().ok());
        let plain = |id: &&str| !id.is_empty() && id.len() <= GIVEN_ID_LENGTH && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        given.filter(plain).map_or_else(|| format!("{}-{}", self.run, self.numbered.fetch_add(1, Ordering::Relaxed) + 1), str::to_owned)
    }
}

/// The outermost layer: numbers a request, and lets everything that is logged on its way bear the number.
pub(crate) async fn request_id(app: App, request: Request, next: Next) -> Response {
    let id = app.meter.number(request.headers().get(REQUEST_ID));
    let span = tracing::error_span!("request", id);
    let mut response = next.run(request).instrument(span).await;
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

/// The header with which a page asks for its own live parts again.
const PART: HeaderName = HeaderName::from_static("x-baton-part");

/// What a page is drawn for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    /// Place in the ledger that its tables show at least.
    pub(crate) at: i64,
    /// Only the middle is wanted: the frame stands already.
    pub(crate) part: bool,
}

/// Around one route: its place in its budget, its line in the log and its figures.
pub(crate) async fn around(app: App, path: &'static str, budget: Budget, mut request: Request, next: Next) -> Response {
    let watch = Stopwatch::start();
    let method = if *request.method() == Method::GET { "GET" } else { "POST" };
    app.ladder.look(|| app.budgets.shed(Budget::Scans) + app.ledger.meter().shed.load(Ordering::Relaxed), |shed| Strain::of(&app.ledger, shed));
    let response = match app.ladder.admits(budget).and_then(|()| app.budgets.enter(budget)) {
        Ok(place) => {
            let held = Held::new(place);
            let look = Look { at: app.ledger.position().1, part: request.headers().contains_key(PART) };
            if budget == Budget::Live {
                request.extensions_mut().insert(held.clone());
            }
            let response = LOOK.scope(look, BUDGET.scope(budget, next.run(request))).await;
            drop(held);
            response
        }
        Err(refusal) => Refused(refusal).into_response(),
    };
    let (status, us) = (response.status(), watch.us());
    app.meter.count(method, path, budget, status, us);
    if us >= SLOW_US {
        tracing::warn!(target: "baton::request", method, path, status = status.as_u16(), us, "a slow request");
    } else {
        tracing::info!(target: "baton::request", method, path, status = status.as_u16(), us, "answered");
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_taken_over_only_when_it_is_plain() {
        let meter = Meter::new("ab12".to_owned());
        let number = |text: &str| meter.number(Some(&HeaderValue::from_str(text).unwrap()));
        assert_eq!(number("proxy-7.x"), "proxy-7.x");
        assert_eq!((number("a b"), number("<script>"), number(&"a".repeat(65))), ("ab12-1".to_owned(), "ab12-2".to_owned(), "ab12-3".to_owned()));
        assert_eq!(meter.number(None), "ab12-4");
    }

    #[test]
    fn requests_are_counted_by_route_and_status() {
        let meter = Meter::new(String::new());
        meter.count("GET", "/x", Budget::Pages, StatusCode::OK, 10);
        meter.count("GET", "/x", Budget::Pages, StatusCode::OK, 10);
        meter.count("GET", "/x", Budget::Pages, StatusCode::SERVICE_UNAVAILABLE, 10);
        assert_eq!(meter.answered(), [(("GET", "/x", 200), 2), (("GET", "/x", 503), 1)]);
        assert_eq!((meter.shed(), meter.took()[2].1.read().1), (1, 3));
    }
}
