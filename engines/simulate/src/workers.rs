//! How replications are spread over threads. The engine starts none itself; the door brings them.

/// Does numbered jobs, in any order and on any threads, each exactly once, and returns when all are done.
///
/// What the engine returns does not depend on who does the jobs. A door with `threads` threads:
///
/// ```
/// use std::sync::atomic::{AtomicU32, Ordering};
///
/// struct Threads(u32);
///
/// impl baton_simulate::Workers for Threads {
///     fn each(&self, jobs: u32, job: &(dyn Fn(u32) + Sync)) {
///         let next = AtomicU32::new(0);
///         let work = || loop {
///             let index = next.fetch_add(1, Ordering::Relaxed);
///             if index >= jobs {
///                 break;
///             }
///             job(index);
///         };
///         std::thread::scope(|scope| {
///             (1..self.0.min(jobs)).for_each(|_| _ = scope.spawn(work));
///             work();
///         });
///     }
/// }
/// # use baton_simulate::{Settings, parse, run};
/// # let text = r#"{"arrivals": {"times": [0, 1]}, "stations": [{"name": "a", "servers": 1, "service": {"distribution": "deterministic", "value_s": 3}}]}"#;
/// # let report = run(&parse(text)?, None, &Settings { replications: 5, seed: 1 }, &Threads(2), &|| true)?;
/// # assert_eq!(report.stations[0].mean_wait_s, 1.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Workers {
    fn each(&self, jobs: u32, job: &(dyn Fn(u32) + Sync));
}

/// One after another, on the thread that calls.
#[derive(Debug, Clone, Copy, Default)]
pub struct InTurn;

impl Workers for InTurn {
    fn each(&self, jobs: u32, job: &(dyn Fn(u32) + Sync)) {
        (0..jobs).for_each(job);
    }
}

/// Results of all jobs in their order; `None` where a job began after `keep_going` said no.
pub(crate) fn gather<T: Send + Sync>(
    workers: &dyn Workers,
    jobs: u32,
    keep_going: &(dyn Fn() -> bool + Sync),
    job: &(dyn Fn(u32) -> T + Sync),
) -> Vec<Option<T>> {
    let slots: Vec<std::sync::OnceLock<T>> = (0..jobs).map(|_| std::sync::OnceLock::new()).collect();
    workers.each(jobs, &|index| {
        if let Some(slot) = slots.get(index as usize)
            && keep_going()
        {
            slot.get_or_init(|| job(index));
        }
    });
    slots.into_iter().map(std::sync::OnceLock::into_inner).collect()
}
