//! Named invariants: one name in the docs, the code, the city's checkers and the metrics.

use std::sync::atomic::{AtomicU64, Ordering};

/// One named invariant, e.g. `CU-1: a sealed tube has exactly one holder`.
#[derive(Debug)]
pub struct Invariant {
    pub name: &'static str,
    pub statement: &'static str,
    broken: AtomicU64,
}

impl Invariant {
    pub const fn new(name: &'static str, statement: &'static str) -> Self {
        Self { name, statement, broken: AtomicU64::new(0) }
    }
    /// How often it was found broken since the program started.
    pub fn broken(&self) -> u64 {
        self.broken.load(Ordering::Relaxed)
    }
    /// Panics in tests and debug builds, counts in production: a relay must not stop because a count is wrong.
    pub fn check(&self, holds: bool, detail: impl FnOnce() -> String) -> bool {
        if !holds {
            self.broken.fetch_add(1, Ordering::Relaxed);
            debug_assert!(holds, "{}: {} — {}", self.name, self.statement, detail());
        }
        holds
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg_attr(debug_assertions, should_panic(expected = "XX-1"))]
    fn a_broken_invariant_is_heard() {
        static XX_1: Invariant = Invariant::new("XX-1", "one is one");
        XX_1.check(false, || "two".to_owned());
        assert_eq!(XX_1.broken(), 1);
        panic!("XX-1 counted");
    }
}
