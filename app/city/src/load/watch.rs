//! What the server says about itself while it is under load.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

use super::town::Town;
use crate::client::Sayer;

/// One reading of `/metrics`: name with labels, and value.
#[derive(Clone, Debug, Default)]
pub(super) struct Metrics(BTreeMap<String, f64>);

impl Metrics {
    pub(super) fn read(text: &str) -> Self {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        Self(lines.filter_map(|line| line.rsplit_once(' ').and_then(|(name, value)| Some((name.to_owned(), value.parse().ok()?)))).collect())
    }
    pub(super) fn get(&self, name: &str) -> f64 {
        self.0.get(name).copied().unwrap_or(0.0)
    }
    /// The mean of a histogram since another reading.
    pub(super) fn mean_since(&self, before: &Metrics, name: &str) -> f64 {
        let since = |part: &str| self.get(&format!("{name}_{part}")) - before.get(&format!("{name}_{part}"));
        since("sum") / since("count").max(1.0)
    }
}

/// How far the tables were behind the ledger, looked at several times a second.
#[derive(Default)]
pub(super) struct Lags {
    seen: Mutex<Vec<(f64, f64)>>,
    stop: AtomicBool,
}

impl Lags {
    pub(super) async fn follow(self: Arc<Self>, boss: Arc<Sayer>) {
        while !self.stop.load(Ordering::SeqCst) {
            if let Ok(now) = Town::metrics(&boss).await {
                self.seen.lock().push((now.get("baton_follower_lag_seconds"), now.get("baton_follower_lag_events")));
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    pub(super) fn stop(&self) {
        self.stop.store(true, Ordering::SeqCst);
    }

    /// The delay in seconds that 99 of 100 looks stayed under, and the most events that were behind.
    pub(super) fn p99_s_and_events_max(&self) -> (f64, u64) {
        let seen = self.seen.lock();
        let mut seconds: Vec<f64> = seen.iter().map(|(seconds, _)| *seconds).collect();
        seconds.sort_by(f64::total_cmp);
        let at = (seconds.len() * 99).div_ceil(100).saturating_sub(1);
        let events = seen.iter().map(|(_, events)| *events as u64).max().unwrap_or(0);
        (seconds.get(at).copied().unwrap_or(0.0), events)
    }
}
