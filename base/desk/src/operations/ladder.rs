//! What is switched off first when it gets tight. Scans never are: only their own bounds refuse them.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use baton_kit::{Refusal, Status};
use baton_ledger::{ALL_LANES_LIMIT, Ledger, Stopwatch};
use parking_lot::Mutex;

use crate::room::Budget;

/// How often the strain is looked at.
const LOOK_US: u64 = 250_000;
/// A step is left only after so long without the strain that belongs to it.
const CALM_US: u64 = 5_000_000;
/// Steps there are. 1: uploads wait; 2: look-ups too; 3: pages too.
pub(crate) const STEPS: u8 = 3;

/// What presses on the service.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(crate) struct Strain {
    /// How long the oldest event waits for the tables.
    pub(crate) lag_us: u64,
    /// What waits in the lanes, of 100.
    pub(crate) lanes_percent: u64,
    /// Whether scans were refused since the last look.
    pub(crate) scans_shed: bool,
}

impl Strain {
    pub(crate) fn of(ledger: &Ledger, scans_shed: bool) -> Self {
        Self { lag_us: ledger.meter().lag_us(), lanes_percent: ledger.waiting() as u64 * 100 / ALL_LANES_LIMIT as u64, scans_shed }
    }

    /// The step this strain asks for.
    fn step(self) -> u8 {
        match (self.lag_us / 1_000_000, self.lanes_percent) {
            (300.., _) | (_, 90..) => STEPS,
            (60.., _) | (_, 60..) => 2,
            (15.., _) | (_, 30..) => 1,
            _ if self.scans_shed => 1,
            _ => 0,
        }
    }
}

/// The step the service stands on.
pub(crate) struct Ladder {
    step: AtomicU8,
    looked_us: AtomicU64,
    /// Scans refused at the last look.
    shed: AtomicU64,
    started: Stopwatch,
    /// Since when the strain asks for less than the step.
    calm_since_us: Mutex<Option<u64>>,
}

impl Default for Ladder {
    fn default() -> Self {
        Self { step: AtomicU8::new(0), looked_us: AtomicU64::new(0), shed: AtomicU64::new(0), started: Stopwatch::start(), calm_since_us: Mutex::new(None) }
    }
}

impl Ladder {
    pub(crate) fn step(&self) -> u8 {
        self.step.load(Ordering::Relaxed)
    }

    /// Looks at the strain, a few times a second at most. `shed` counts the scans refused so far.
    pub(crate) fn look(&self, shed: impl FnOnce() -> u64, strain: impl FnOnce(bool) -> Strain) {
        let (now, last) = (self.started.us(), self.looked_us.load(Ordering::Relaxed));
        let due = now >= last + LOOK_US && self.looked_us.compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        if due {
            let shed = shed();
            self.climb(strain(self.shed.swap(shed, Ordering::Relaxed) < shed), now);
        }
    }

    /// Up at once, down one step at a time after a calm.
    fn climb(&self, strain: Strain, now_us: u64) {
        let (wanted, step) = (strain.step(), self.step());
        let mut calm = self.calm_since_us.lock();
        let next = if wanted >= step {
            *calm = None;
            wanted
        } else if now_us - *calm.get_or_insert(now_us) >= CALM_US {
            *calm = Some(now_us);
            step - 1
        } else {
            step
        };
        if next != step {
            self.step.store(next, Ordering::Relaxed);
            tracing::warn!(target: "baton::ladder", from = step, to = next, ?strain, "the service moves on its degradation ladder");
        }
    }

    /// Refuses what is switched off on this step.
    pub(crate) fn admits(&self, budget: Budget) -> Result<(), Refusal> {
        let off_from = match budget {
            Budget::Uploads => 1,
            Budget::LookUps | Budget::Live => 2,
            Budget::Pages => STEPS,
            Budget::Scans | Budget::SignIns | Budget::Free => return Ok(()),
        };
        if self.step() < off_from { Ok(()) } else { Err(Refusal::new("switched-off", Status::Full).with("seconds", CALM_US / 1_000_000)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lag(seconds: u64) -> Strain {
        Strain { lag_us: seconds * 1_000_000, ..Strain::default() }
    }

    #[test]
    fn the_ladder_goes_up_at_once_and_down_by_steps_after_a_calm() {
        let ladder = Ladder::default();
        let off = |budget| ladder.admits(budget).is_err();
        ladder.climb(lag(14), 0);
        assert_eq!(ladder.step(), 0);
        ladder.climb(lag(61), 1);
        assert_eq!((ladder.step(), off(Budget::Uploads), off(Budget::Pages), off(Budget::LookUps)), (2, true, false, true));
        ladder.climb(Strain { lanes_percent: 95, ..Strain::default() }, 2);
        assert!(off(Budget::Pages) && !off(Budget::Scans) && !off(Budget::SignIns) && !off(Budget::Free));
        ladder.climb(lag(0), 10);
        ladder.climb(lag(0), 10 + CALM_US - 1);
        assert_eq!(ladder.step(), 3);
        ladder.climb(lag(0), 10 + CALM_US);
        assert_eq!(ladder.step(), 2);
        ladder.climb(lag(61), 20 + CALM_US);
        ladder.climb(lag(0), 30 + CALM_US);
        ladder.climb(lag(0), 20 + 2 * CALM_US);
        assert_eq!(ladder.step(), 2, "the calm began anew");
        assert_eq!(ladder.admits(Budget::LookUps).unwrap_err().code, "switched-off");
    }

    #[test]
    fn scans_that_are_refused_stop_the_uploads() {
        let ladder = Ladder::default();
        ladder.climb(Strain { scans_shed: true, ..Strain::default() }, 0);
        assert!(ladder.admits(Budget::Uploads).is_err() && ladder.admits(Budget::Pages).is_ok());
    }
}
