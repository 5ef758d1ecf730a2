//! Attempts that may not come too fast: sign-in, and looking up a result by its last digits.

use std::collections::HashMap;

use baton_kit::{Refusal, Status, Timestamp, time::MINUTE_US};
use parking_lot::Mutex;

/// After this many failures within the window the next attempt waits.
const FAILURES: usize = 5;
const WINDOW_US: i64 = 5 * MINUTE_US;
/// How many names are remembered at most; then the oldest knowledge is dropped.
const REMEMBERED: usize = 100_000;

#[derive(Default)]
pub(crate) struct Attempts(Mutex<HashMap<String, Vec<Timestamp>>>);

impl Attempts {
    /// Refuses when `name` failed too often lately.
    pub(crate) fn check(&self, name: &str, now: Timestamp) -> Result<(), Refusal> {
        let attempts = self.0.lock();
        let recent: Vec<&Timestamp> = attempts.get(name).into_iter().flatten().filter(|at| lately(**at, now)).collect();
        if recent.len() < FAILURES {
            return Ok(());
        }
        let oldest = recent.iter().copied().min().copied().unwrap_or(now);
        let seconds = (WINDOW_US - now.since(oldest)).div_euclid(1_000_000) + 1;
        Err(Refusal::new("too-many-attempts", Status::Slow).with("seconds", seconds))
    }

    pub(crate) fn failed(&self, name: &str, now: Timestamp) {
        let mut attempts = self.0.lock();
        if attempts.len() >= REMEMBERED {
            attempts.retain(|_, times| times.iter().any(|at| lately(*at, now)));
        }
        let times = attempts.entry(name.to_owned()).or_default();
        times.retain(|at| lately(*at, now));
        times.push(now);
    }

    pub(crate) fn succeeded(&self, name: &str) {
        self.0.lock().remove(name);
    }
}

/// A clock that was set back must not keep anybody out for as long as it jumped.
fn lately(at: Timestamp, now: Timestamp) -> bool {
    (0..WINDOW_US).contains(&now.since(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sixth_wrong_password_waits_and_time_heals() {
        let attempts = Attempts::default();
        for n in 0..5 {
            assert!(attempts.check("wang", Timestamp(n)).is_ok());
            attempts.failed("wang", Timestamp(n));
        }
        let refusal = attempts.check("wang", Timestamp(10)).unwrap_err();
        assert_eq!((refusal.code, refusal.status), ("too-many-attempts", Status::Slow));
        assert!(attempts.check("li", Timestamp(10)).is_ok());
        assert!(attempts.check("wang", Timestamp(WINDOW_US + 10)).is_ok());
        assert!(attempts.check("wang", Timestamp(-WINDOW_US)).is_ok(), "the clock was set back");
    }
}
