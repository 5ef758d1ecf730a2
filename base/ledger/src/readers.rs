//! Connections for looking: few, shared, bounded in number and in waiting.

use std::time::Duration;

use baton_kit::{Refusal, Status};
use parking_lot::{Condvar, Mutex};

use crate::door::{Conn, StoreResult, Tx};
use crate::lanes::Undecided;

/// How long a reader waits for a free connection before it is told to come back.
const PATIENCE: Duration = Duration::from_secs(3);

pub(crate) struct Readers {
    idle: Mutex<Pool>,
    freed: Condvar,
    open: Box<dyn Fn() -> StoreResult<Conn> + Send + Sync>,
}

/// Gives the connection back even when the work panics.
struct Lease<'r> {
    readers: &'r Readers,
    conn: Option<Conn>,
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        if let Some(conn) = self.conn.take() {
            self.readers.give_back(conn);
        }
    }
}

struct Pool {
    idle: Vec<Conn>,
    may_open: usize,
}

impl Readers {
    pub(crate) fn new(limit: usize, open: impl Fn() -> StoreResult<Conn> + Send + Sync + 'static) -> Self {
        Self { idle: Mutex::new(Pool { idle: Vec::new(), may_open: limit }), freed: Condvar::new(), open: Box::new(open) }
    }

    /// Runs `work` on one consistent picture.
    pub(crate) fn read<T>(&self, work: impl FnOnce(&mut Tx<'_>) -> Result<T, Undecided>) -> Result<T, Undecided> {
        let mut lease = Lease { readers: self, conn: Some(self.take()?) };
        let conn = lease.conn.as_mut().expect("leased just now");
        conn.begin_read().map_err(Undecided::from).and_then(|mut tx| work(&mut tx))
    }

    fn take(&self) -> Result<Conn, Undecided> {
        let mut pool = self.idle.lock();
        loop {
            if let Some(conn) = pool.idle.pop() {
                return Ok(conn);
            }
            if pool.may_open > 0 {
                pool.may_open -= 1;
                drop(pool);
                return (self.open)().map_err(|error| {
                    self.idle.lock().may_open += 1;
                    error.into()
                });
            }
            if self.freed.wait_for(&mut pool, PATIENCE).timed_out() {
                return Err(Refusal::new("readers-busy", Status::Full).with("seconds", 2).into());
            }
        }
    }

    fn give_back(&self, conn: Conn) {
        let mut pool = self.idle.lock();
        if conn.is_closed() {
            pool.may_open += 1;
        } else {
            pool.idle.push(conn);
        }
        self.freed.notify_one();
    }
}
