//! What the ledger counts about itself: plain atomics, written on the way, read by whoever watches.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use parking_lot::Mutex;

/// Measures how long something takes. Never tells the time.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    #[allow(clippy::disallowed_methods)] // durations for the metrics; nothing that is stored depends on them
    pub fn start() -> Self {
        Self(Instant::now())
    }
    /// One that starts so much later.
    pub fn later_by_us(self, us: u64) -> Self {
        Self(self.0 + std::time::Duration::from_micros(us))
    }
    pub fn us(self) -> u64 {
        u64::try_from(self.0.elapsed().as_micros()).unwrap_or(u64::MAX)
    }
}

/// Upper bounds of durations, in microseconds.
pub const DURATIONS_US: &[u64] =
    &[250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000];
/// Upper bounds of how many facts are committed together.
const SIZES: &[u64] = &[1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000];
/// Commits closer together than this count as one when the follower's delay is measured.
const COMMIT_GRAIN_US: u64 = 5_000;
/// How many commits are remembered until they are folded.
const COMMITS_REMEMBERED: usize = 65_536;

/// How often a value fell below each bound.
#[derive(Debug)]
pub struct Histogram {
    bounds: &'static [u64],
    counts: Box<[AtomicU64]>,
    sum: AtomicU64,
}

impl Histogram {
    /// `bounds` rise; what lies above the last is counted apart.
    pub fn new(bounds: &'static [u64]) -> Self {
        Self { bounds, counts: (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect(), sum: AtomicU64::new(0) }
    }
    pub fn record(&self, value: u64) {
        let at = self.bounds.partition_point(|bound| *bound < value);
        self.counts[at].fetch_add(1, Ordering::Relaxed);
        self.sum.fetch_add(value, Ordering::Relaxed);
    }
    /// Bounds with how many values lie at or below each; then how many there are, and their sum.
    pub fn read(&self) -> (Vec<(u64, u64)>, u64, u64) {
        let mut all = 0;
        let mut below = Vec::with_capacity(self.bounds.len());
        for (at, count) in self.counts.iter().enumerate() {
            all += count.load(Ordering::Relaxed);
            if let Some(bound) = self.bounds.get(at) {
                below.push((*bound, all));
            }
        }
        (below, all, self.sum.load(Ordering::Relaxed))
    }
    /// The bound under which this share of the values lies; nothing when there are none, or when it lies above every bound.
    pub fn quantile(&self, share: f64) -> Option<u64> {
        let (below, all, _) = self.read();
        let wanted = (all as f64 * share).ceil() as u64;
        below.into_iter().find(|(_, count)| all > 0 && *count >= wanted).map(|(bound, _)| bound)
    }
}

/// Counters of one open ledger.
#[derive(Debug)]
pub struct Meter {
    /// Facts made durable and acknowledged.
    pub facts: AtomicU64,
    /// Facts that were in the ledger already: answered, not written.
    pub repeated: AtomicU64,
    pub decisions: AtomicU64,
    /// Facts committed together.
    pub group_facts: Histogram,
    /// How long a commit takes: the write-ahead log written and synced.
    pub commit_us: Histogram,
    /// How long a group takes from the lane to its commit, the commit included.
    pub group_us: Histogram,
    /// Jobs refused because a lane was full.
    pub shed: AtomicU64,
    /// Groups that could not be written.
    pub failed: AtomicU64,
    pub folded: AtomicU64,
    /// How long one transaction of the follower takes.
    pub fold_us: Histogram,
    /// False after a group could not be written, until one can.
    writable: AtomicBool,
    /// Commits that are not folded yet: last ordinal, and since when.
    unfolded: Mutex<VecDeque<(i64, Stopwatch)>>,
}

impl Default for Meter {
    fn default() -> Self {
        let (count, durations) = (|| AtomicU64::new(0), || Histogram::new(DURATIONS_US));
        Self {
            facts: count(),
            repeated: count(),
            decisions: count(),
            group_facts: Histogram::new(SIZES),
            commit_us: durations(),
            group_us: durations(),
            shed: count(),
            failed: count(),
            folded: count(),
            fold_us: durations(),
            writable: AtomicBool::new(true),
            unfolded: Mutex::default(),
        }
    }
}

impl Meter {
    pub fn is_writable(&self) -> bool {
        self.writable.load(Ordering::Relaxed)
    }

    pub(crate) fn wrote(&self, done: bool) {
        self.writable.store(done, Ordering::Relaxed);
        if !done {
            self.failed.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn committed(&self, ordinal: i64) {
        let mut unfolded = self.unfolded.lock();
        let full = unfolded.len() >= COMMITS_REMEMBERED;
        match unfolded.back_mut() {
            // Counted with the older one: the delay shown is never too short.
            Some((last, since)) if full || since.us() < COMMIT_GRAIN_US => *last = (*last).max(ordinal),
            _ => unfolded.push_back((ordinal, Stopwatch::start())),
        }
    }

    pub(crate) fn folded_to(&self, ordinal: i64) {
        let mut unfolded = self.unfolded.lock();
        while unfolded.front().is_some_and(|(last, _)| *last <= ordinal) {
            unfolded.pop_front();
        }
    }

    /// For how long the oldest event that no table shows yet has been durable.
    pub fn lag_us(&self) -> u64 {
        self.unfolded.lock().front().map_or(0, |(_, since)| since.us())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_histogram_counts_at_or_below_each_bound() {
        let histogram = Histogram::new(&[10, 100]);
        for value in [1, 10, 11, 100, 101] {
            histogram.record(value);
        }
        assert_eq!(histogram.read(), (vec![(10, 2), (100, 4)], 5, 223));
        assert_eq!((histogram.quantile(0.4), histogram.quantile(0.5), histogram.quantile(1.0)), (Some(10), Some(100), None));
        assert_eq!(Histogram::new(&[10]).quantile(0.5), None);
    }

    #[test]
    fn the_delay_is_that_of_the_oldest_commit_not_folded() {
        let meter = Meter::default();
        assert_eq!(meter.lag_us(), 0);
        meter.committed(5);
        std::thread::sleep(std::time::Duration::from_micros(COMMIT_GRAIN_US + 1_000));
        meter.committed(9);
        let both = meter.lag_us();
        assert!(both >= COMMIT_GRAIN_US);
        meter.folded_to(4);
        assert!(meter.lag_us() >= both, "nothing of it was folded");
        meter.folded_to(5);
        assert_eq!(meter.unfolded.lock().len(), 1, "the second commit is still waiting");
        meter.folded_to(9);
        assert_eq!(meter.lag_us(), 0);
    }
}
