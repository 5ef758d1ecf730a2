//! Hands for work that can be done at once. An engine starts no threads: whoever calls it lends it a crew.

/// One piece of work of a round.
pub type Job<'a> = Box<dyn FnOnce() + Send + 'a>;

/// Runs the jobs of a round and returns when all are done. The order in which they run never changes a plan.
pub trait Crew: Sync {
    /// How many jobs are worth handing over at once, at least 1.
    fn hands(&self) -> usize;

    /// Runs every job to its end.
    fn run<'a>(&self, jobs: Vec<Job<'a>>);
}

/// One job after the other on the caller's thread, as if there were so many hands.
#[derive(Debug, Clone, Copy)]
pub struct Alone(pub usize);

impl Crew for Alone {
    fn hands(&self) -> usize {
        self.0.max(1)
    }

    fn run<'a>(&self, jobs: Vec<Job<'a>>) {
        jobs.into_iter().for_each(|job| job());
    }
}
