//! The state of the service at one moment, for the operations page and for `/metrics`.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::budget::BudgetNow;
use crate::App;

/// Above this delay of the tables the service is not ready: pages would show an old picture.
const LAG_US_MAX: u64 = 60_000_000;
/// How long the probe of the ledger may take.
const PROBE_PATIENCE: Duration = Duration::from_secs(2);

/// The figures that stand for the state of the service.
pub(crate) struct Figures {
    pub(crate) step: u8,
    pub(crate) committed: i64,
    pub(crate) folded: i64,
    pub(crate) lag_us: u64,
    pub(crate) waiting: usize,
    pub(crate) lanes: Vec<(u8, usize)>,
    pub(crate) facts: u64,
    pub(crate) repeated: u64,
    pub(crate) decisions: u64,
    pub(crate) groups: u64,
    pub(crate) commit_us_p50: Option<u64>,
    pub(crate) commit_us_p99: Option<u64>,
    pub(crate) lane_shed: u64,
    pub(crate) failed: u64,
    pub(crate) writable: bool,
    pub(crate) budgets: Vec<BudgetNow>,
    pub(crate) slow_statements: u64,
}

impl Figures {
    pub(crate) fn of(app: &App) -> Self {
        let meter = app.ledger.meter();
        let (committed, folded) = app.ledger.position();
        Self {
            step: app.ladder.step(),
            committed,
            folded,
            lag_us: meter.lag_us(),
            waiting: app.ledger.waiting(),
            lanes: app.ledger.waiting_by_lane(),
            facts: meter.facts.load(Ordering::Relaxed),
            repeated: meter.repeated.load(Ordering::Relaxed),
            decisions: meter.decisions.load(Ordering::Relaxed),
            groups: meter.group_facts.read().1,
            commit_us_p50: meter.commit_us.quantile(0.5),
            commit_us_p99: meter.commit_us.quantile(0.99),
            lane_shed: meter.shed.load(Ordering::Relaxed),
            failed: meter.failed.load(Ordering::Relaxed),
            writable: meter.is_writable(),
            budgets: app.budgets.now(),
            slow_statements: baton_ledger::door::slow_statements(),
        }
    }
}

/// Why the service is not ready; nothing when it is. Asks the ledger to commit an empty group, so that a full or broken disk shows.
pub(crate) async fn unready(app: &App) -> Vec<&'static str> {
    let mut reasons = Vec::new();
    let probe = tokio::time::timeout(PROBE_PATIENCE, app.record(Vec::new())).await;
    if !matches!(probe, Ok(Ok(_))) || !app.ledger.meter().is_writable() {
        reasons.push("ledger-not-writable");
    }
    if app.ledger.meter().lag_us() > LAG_US_MAX {
        reasons.push("tables-behind");
    }
    reasons
}
