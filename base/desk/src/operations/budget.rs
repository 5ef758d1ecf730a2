//! How many requests of a kind may be under way at once. The next is refused at once, not queued: whoever waits here
//! would only be told later.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use baton_kit::{Refusal, Status};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::room::Budget;

/// The budgets that are bounded, each with its bound. Free is not among them.
const BOUNDS: [(Budget, usize); 6] =
    [(Budget::Scans, 256), (Budget::LookUps, 64), (Budget::Pages, 64), (Budget::Uploads, 4), (Budget::SignIns, 8), (Budget::Live, 512)];
/// Of the live connections so many may belong to nobody who signed in: screens for the public.
pub(crate) const SCREENS: usize = 128;

/// One budget as it stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BudgetNow {
    pub(crate) name: &'static str,
    pub(crate) bound: usize,
    pub(crate) under_way: usize,
    pub(crate) shed: u64,
}

struct Room {
    permits: Arc<Semaphore>,
    shed: AtomicU64,
    /// Requests answered lately take so long, in microseconds.
    pace_us: AtomicU64,
}

pub(crate) struct Budgets([Room; BOUNDS.len()]);

/// A place that stands as long as its connection, longer than the request.
#[derive(Clone)]
pub(crate) struct Held {
    _place: Arc<Option<Place>>,
}

impl Held {
    pub(crate) fn new(place: Option<Place>) -> Self {
        Self { _place: Arc::new(place) }
    }
}

/// A request under way; gives its place back when dropped.
pub(crate) struct Place {
    _permit: OwnedSemaphorePermit,
    watch: baton_ledger::Stopwatch,
    budgets: Arc<Budgets>,
    at: usize,
}

impl Drop for Place {
    fn drop(&mut self) {
        let pace = &self.budgets.0[self.at].pace_us;
        let known = pace.load(Ordering::Relaxed);
        pace.store((known * 7 + self.watch.us()) / 8, Ordering::Relaxed);
    }
}

impl Default for Budgets {
    fn default() -> Self {
        Self(BOUNDS.map(|(_, bound)| Room { permits: Arc::new(Semaphore::new(bound)), shed: AtomicU64::new(0), pace_us: AtomicU64::new(0) }))
    }
}

impl Budgets {
    /// A place for a request, nothing when it needs none, or a refusal at once.
    pub(crate) fn enter(self: &Arc<Self>, budget: Budget) -> Result<Option<Place>, Refusal> {
        let Some(at) = BOUNDS.iter().position(|(bounded, _)| *bounded == budget) else { return Ok(None) };
        match self.0[at].permits.clone().try_acquire_owned() {
            Ok(permit) => Ok(Some(Place { _permit: permit, watch: baton_ledger::Stopwatch::start(), budgets: self.clone(), at })),
            Err(_) => {
                self.0[at].shed.fetch_add(1, Ordering::Relaxed);
                Err(Refusal::new("budget-full", Status::Full).with("seconds", self.retry_after_s(at)))
            }
        }
    }

    /// A place becomes free within the time that requests take now.
    fn retry_after_s(&self, at: usize) -> u64 {
        self.0[at].pace_us.load(Ordering::Relaxed).div_ceil(1_000_000).clamp(1, 30)
    }

    pub(crate) fn now(&self) -> Vec<BudgetNow> {
        let rooms = BOUNDS.iter().zip(&self.0);
        rooms
            .map(|((budget, bound), room)| BudgetNow {
                name: budget.name(),
                bound: *bound,
                under_way: bound - room.permits.available_permits(),
                shed: room.shed.load(Ordering::Relaxed),
            })
            .collect()
    }

    pub(crate) fn under_way(&self, budget: Budget) -> usize {
        let at = BOUNDS.iter().position(|(bounded, _)| *bounded == budget);
        at.map_or(0, |at| BOUNDS[at].1 - self.0[at].permits.available_permits())
    }

    pub(crate) fn shed(&self, budget: Budget) -> u64 {
        let at = BOUNDS.iter().position(|(bounded, _)| *bounded == budget);
        at.map_or(0, |at| self.0[at].shed.load(Ordering::Relaxed))
    }
}

impl Budget {
    /// Its name in figures, and in texts after `budget-`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Budget::Scans => "scans",
            Budget::LookUps => "look_ups",
            Budget::Pages => "pages",
            Budget::Uploads => "uploads",
            Budget::SignIns => "sign_ins",
            Budget::Live => "live",
            Budget::Free => "free",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_budget_refuses_at_once_and_takes_nothing_from_another() {
        let budgets = Arc::new(Budgets::default());
        let held: Vec<_> = (0..64).map(|_| budgets.enter(Budget::LookUps).unwrap()).collect();
        let refusal = budgets.enter(Budget::LookUps).err().unwrap();
        assert_eq!((refusal.code, refusal.status), ("budget-full", Status::Full));
        assert!(refusal.arguments.iter().any(|(name, seconds)| *name == "seconds" && seconds == "1"));
        assert!(budgets.enter(Budget::Scans).unwrap().is_some() && budgets.enter(Budget::Pages).unwrap().is_some());
        assert!(budgets.enter(Budget::Free).unwrap().is_none(), "health is never refused");
        let look_ups = budgets.now()[1];
        assert_eq!((look_ups.name, look_ups.under_way, look_ups.shed), ("look_ups", 64, 1));
        drop(held);
        assert!(budgets.enter(Budget::LookUps).is_ok());
    }
}
