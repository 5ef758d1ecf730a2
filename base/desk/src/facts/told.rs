//! What was told and may not be in the tables yet: by other requests a moment ago, and by this one just before.

use std::any::Any;
use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use baton_kit::{AccountId, EventId, Timestamp, TypedId};
use baton_ledger::Stopwatch;
use parking_lot::Mutex;

/// How many facts are remembered at most until the tables show them. Of older ones the finding tells, not the note.
const REMEMBERED: usize = 200_000;
/// Whoever reads the tables has them open for less than this.
const READ_WITHIN_US: u64 = 1_000_000;

/// The typed body of a fact, as its door parsed it.
pub(crate) type FactBody = Arc<dyn Any + Send + Sync>;

/// Something a fact speaks of, by which it is found again. Two things may share a key: whoever finds looks once more.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Key(i64);

impl Key {
    /// A thing that has an id.
    pub fn id(id: impl TypedId) -> Self {
        Key(id.packed().raw())
    }
    /// A thing that has only words: what they are, and the words.
    pub fn words(what: &str, words: &str) -> Self {
        let mut hasher = DefaultHasher::new();
        (what, words).hash(&mut hasher);
        Key(hasher.finish().cast_signed())
    }
}

/// A fact that was told.
#[derive(Debug)]
pub struct Told<B> {
    pub id: EventId,
    pub happened: Timestamp,
    pub actor: Option<AccountId>,
    pub body: Arc<B>,
}

/// A fact of any kind, as it is remembered.
#[derive(Clone)]
pub(crate) struct Remembered {
    pub(crate) id: EventId,
    pub(crate) happened: Timestamp,
    pub(crate) actor: Option<AccountId>,
    pub(crate) body: FactBody,
    pub(crate) keys: Arc<[Key]>,
}

impl Remembered {
    fn of_kind<B: Send + Sync + 'static>(&self) -> Option<Told<B>> {
        let body = self.body.clone().downcast().ok()?;
        Some(Told { id: self.id, happened: self.happened, actor: self.actor, body })
    }
}

/// The facts of one request so far, and those that other requests told before it.
#[derive(Clone, Default)]
pub struct Earlier {
    recent: Arc<Recent>,
    here: HashMap<Key, Vec<Remembered>>,
}

impl Earlier {
    pub(crate) fn after(recent: Arc<Recent>) -> Self {
        Self { recent, here: HashMap::new() }
    }

    pub(crate) fn push(&mut self, fact: &Remembered) {
        for key in fact.keys.iter() {
            self.here.entry(*key).or_default().push(fact.clone());
        }
    }

    /// The facts of this kind that speak of this, oldest first. Some of them may be in the tables by now.
    pub(super) fn about<B: Send + Sync + 'static>(&self, key: Key) -> Vec<Told<B>> {
        let mut told = self.recent.about(key);
        told.extend(self.here.get(&key).into_iter().flatten().filter_map(Remembered::of_kind));
        told
    }
}

impl std::fmt::Debug for Earlier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Earlier({} keys)", self.here.len())
    }
}

/// Facts that are durable and that the tables may not show yet.
#[derive(Default)]
pub(crate) struct Recent(Mutex<Shelf>);

#[derive(Default)]
struct Shelf {
    facts: VecDeque<(i64, Arc<[Key]>)>,
    by_key: HashMap<Key, Vec<(i64, Remembered)>>,
    /// Where the tables stood when it was looked last, and since when that is known: nobody who reads still sees less.
    shown: Option<(i64, Stopwatch)>,
}

impl Recent {
    fn about<B: Send + Sync + 'static>(&self, key: Key) -> Vec<Told<B>> {
        let shelf = self.0.lock();
        shelf.by_key.get(&key).into_iter().flatten().filter_map(|(_, fact)| fact.of_kind()).collect()
    }

    /// Remembers what became durable at these ordinals.
    pub(crate) fn remember(&self, facts: impl Iterator<Item = (i64, Remembered)>) {
        let mut shelf = self.0.lock();
        for (ordinal, fact) in facts.filter(|(_, fact)| !fact.keys.is_empty()) {
            shelf.facts.push_back((ordinal, fact.keys.clone()));
            for key in fact.keys.iter() {
                shelf.by_key.entry(*key).or_default().push((ordinal, fact.clone()));
            }
        }
        shelf.forget(0);
    }

    /// Forgets what the tables have shown for a while; `folded` is what they show now.
    pub(crate) fn forget(&self, folded: i64) {
        let mut shelf = self.0.lock();
        match shelf.shown {
            Some((_, since)) if since.us() < READ_WITHIN_US => {}
            known => {
                shelf.shown = Some((folded, Stopwatch::start()));
                shelf.forget(known.map_or(0, |(shown, _)| shown));
            }
        }
    }
}

impl Shelf {
    /// What the tables show to everybody, and what is too much.
    fn forget(&mut self, shown: i64) {
        while self.facts.len() > REMEMBERED || self.facts.front().is_some_and(|(ordinal, _)| *ordinal <= shown) {
            let Some((ordinal, keys)) = self.facts.pop_front() else { return };
            for key in keys.iter() {
                self.drop_one(*key, ordinal);
            }
        }
    }

    fn drop_one(&mut self, key: Key, ordinal: i64) {
        let Some(facts) = self.by_key.get_mut(&key) else { return };
        facts.retain(|(other, _)| *other != ordinal);
        if facts.is_empty() {
            self.by_key.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use baton_kit::{Bucket, Device};

    fn fact(sequence: u32, words: &str) -> Remembered {
        let id = EventId::new(Bucket::INSTALLATION, Device::new(5).unwrap(), sequence);
        Remembered { id, happened: Timestamp(1), actor: None, body: Arc::new(words.to_owned()), keys: [Key::words("code", words), Key::id(id)].into() }
    }

    #[test]
    fn a_fact_is_found_by_each_of_its_keys_until_the_tables_have_shown_it_for_a_while() {
        let recent = Recent::default();
        recent.remember([(7, fact(1, "a")), (8, fact(2, "a")), (9, fact(3, "b"))].into_iter());
        assert_eq!(recent.about::<String>(Key::words("code", "a")).len(), 2);
        assert_eq!(recent.about::<String>(Key::id(fact(3, "").id))[0].body.as_str(), "b");
        assert!(recent.about::<u32>(Key::words("code", "a")).is_empty(), "another kind");
        recent.forget(8);
        assert_eq!(recent.about::<String>(Key::words("code", "a")).len(), 2, "somebody may still read the tables of before");
        std::thread::sleep(std::time::Duration::from_micros(READ_WITHIN_US + 1_000));
        recent.forget(9);
        assert!(recent.about::<String>(Key::words("code", "a")).is_empty());
        assert_eq!(recent.about::<String>(Key::words("code", "b")).len(), 1);
        let shelf = recent.0.lock();
        assert_eq!((shelf.facts.len(), shelf.by_key.len()), (1, 2), "nothing is kept of what is forgotten");
    }

    #[test]
    fn of_more_than_can_be_remembered_the_oldest_go() {
        let recent = Recent::default();
        recent.remember((0..=REMEMBERED as u32).map(|n| (i64::from(n) + 1, fact(n, "same"))));
        assert!(recent.about::<String>(Key::id(fact(0, "").id)).is_empty());
        assert_eq!(recent.about::<String>(Key::id(fact(REMEMBERED as u32, "").id)).len(), 1);
    }

    #[test]
    fn what_the_same_request_told_comes_after_what_others_told() {
        let recent = Arc::new(Recent::default());
        recent.remember([(7, fact(1, "a"))].into_iter());
        let mut earlier = Earlier::after(recent);
        earlier.push(&fact(2, "a"));
        let told: Vec<u32> = earlier.about::<String>(Key::words("code", "a")).iter().map(|told| told.id.packed().sequence()).collect();
        assert_eq!(told, [1, 2]);
    }
}
