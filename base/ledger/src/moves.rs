//! What of the tables moved and when, in memory: whoever shows a part of them learns that it is old without asking the store.

use std::collections::{HashMap, HashSet};

use parking_lot::{Mutex, RwLock};

/// How many topics are remembered one by one; beyond it all count as moved. A person's result is one: some 100 MB at most.
const REMEMBERED: usize = if cfg!(test) { 2_000 } else { 2_000_000 };

/// A part of what is shown: a campaign's board, a point's queue. An id of 0 stands for the only one of its name.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Topic {
    pub name: &'static str,
    pub id: i64,
}

#[derive(Default)]
struct Last {
    /// Ordinal up to which something was folded.
    any: i64,
    /// Ordinal at which nobody knows what moved.
    all: i64,
    topics: HashMap<Topic, i64>,
}

type Listener = Box<dyn Fn() + Send + Sync>;

/// The ordinal at which each topic moved last.
#[derive(Default)]
pub struct Moves {
    last: RwLock<Last>,
    listener: Mutex<Option<Listener>>,
}

impl std::fmt::Debug for Moves {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Moves({})", self.last.read().topics.len())
    }
}

impl Moves {
    /// The ordinal at which a topic moved last; nothing shown at a later one is old.
    pub fn of(&self, topic: Topic) -> i64 {
        let last = self.last.read();
        last.topics.get(&topic).copied().unwrap_or(0).max(last.all)
    }

    /// The ordinal at which anything at all moved last.
    pub fn any(&self) -> i64 {
        self.last.read().any
    }

    /// Calls `listener` from now on whenever something was folded. There is one.
    pub fn on_move(&self, listener: impl Fn() + Send + Sync + 'static) {
        *self.listener.lock() = Some(Box::new(listener));
    }

    pub(crate) fn folded(&self, topics: HashSet<Topic>, ordinal: i64) {
        {
            let mut last = self.last.write();
            last.any = last.any.max(ordinal);
            if last.topics.len() + topics.len() > REMEMBERED {
                last.topics.clear();
                last.all = ordinal;
            }
            last.topics.extend(topics.into_iter().map(|topic| (topic, ordinal)));
        }
        self.tell();
    }

    /// Another server folded: nobody here knows what moved.
    pub(crate) fn everything(&self, ordinal: i64) {
        {
            let mut last = self.last.write();
            (last.any, last.all) = (last.any.max(ordinal), last.all.max(ordinal));
        }
        self.tell();
    }

    fn tell(&self) {
        if let Some(listener) = &*self.listener.lock() {
            listener();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    const BOARD: Topic = Topic { name: "board", id: 7 };

    #[test]
    fn a_topic_moves_alone_until_nobody_knows_what_moved() {
        let (moves, told) = (Moves::default(), Arc::new(AtomicUsize::new(0)));
        let count = told.clone();
        moves.on_move(move || _ = count.fetch_add(1, Ordering::SeqCst));
        moves.folded(HashSet::from([BOARD]), 5);
        moves.folded(HashSet::new(), 9);
        assert_eq!((moves.of(BOARD), moves.of(Topic { id: 8, ..BOARD }), moves.any()), (5, 0, 9));
        moves.everything(12);
        assert_eq!((moves.of(BOARD), moves.of(Topic { id: 8, ..BOARD })), (12, 12));
        assert_eq!(told.load(Ordering::SeqCst), 3);
    }

    #[test]
    fn what_is_remembered_is_bounded_and_nothing_is_missed() {
        let moves = Moves::default();
        for id in 0..2 * REMEMBERED as i64 {
            moves.folded(HashSet::from([Topic { name: "board", id }]), id + 1);
        }
        assert!(moves.last.read().topics.len() <= REMEMBERED);
        assert!((0..2 * REMEMBERED as i64).all(|id| moves.of(Topic { name: "board", id }) > id), "an old one may count as moved later, never earlier");
    }
}
