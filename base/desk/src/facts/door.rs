//! One kind of fact at the door: who may tell it, what its body is, what its sayer is told at once.

use std::any::{Any, TypeId};
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use baton_kit::{EventId, Timestamp};
use baton_ledger::{EventBody, Note, StoreResult, Tx};
use serde_json::value::RawValue;

use super::told::{Earlier, FactBody, Key, Told};
use crate::actor::{Actor, Role};

/// What has been looked up already. Everybody it serves looks at one consistent picture, so what was seen once stays true to its end.
#[derive(Default)]
pub struct Memo(RefCell<HashMap<(TypeId, i64), Arc<dyn Any + Send + Sync>>>);

impl Memo {
    /// What `look` finds for this key, looked up once for each type of answer.
    pub fn once<T: Send + Sync + 'static>(&self, key: i64, look: impl FnOnce() -> StoreResult<T>) -> StoreResult<Arc<T>> {
        let known = self.0.borrow().get(&(TypeId::of::<T>(), key)).cloned();
        if let Some(known) = known.and_then(|known| known.downcast().ok()) {
            return Ok(known);
        }
        let found = Arc::new(look()?);
        self.0.borrow_mut().insert((TypeId::of::<T>(), key), found.clone());
        Ok(found)
    }
}

impl std::fmt::Debug for Memo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Memo({})", self.0.borrow().len())
    }
}

/// What is known about a fact while it is noted.
#[derive(Debug)]
pub struct FactContext {
    pub id: EventId,
    pub happened: Timestamp,
    pub actor: Actor,
    pub site: baton_kit::Site,
    /// What a note must reckon with beside the tables.
    pub earlier: Earlier,
    pub memo: Memo,
}

impl FactContext {
    /// What was told of this kind about this and may not be in the tables yet, oldest first: the same request's facts among them.
    pub fn told<B: EventBody + Send + Sync + 'static>(&self, key: Key) -> impl Iterator<Item = Told<B>> + use<B> {
        self.earlier.about(key).into_iter()
    }
}

type Parse = Box<dyn Fn(&RawValue) -> Result<(String, FactBody), String> + Send + Sync>;
type NoteIt = Box<dyn Fn(&mut Tx<'_>, &FactBody, &FactContext) -> StoreResult<Vec<Note>> + Send + Sync>;
type Keys = Box<dyn Fn(EventId, &FactBody) -> Vec<Key> + Send + Sync>;

/// One kind of fact that devices may send to `POST /v1/facts`.
pub struct FactDoor {
    pub kind: &'static str,
    pub roles: &'static [Role],
    /// Its notes reckon with nothing but the tables, so that these must show what was told before.
    pub(super) needs_tables: bool,
    pub(super) parse: Parse,
    pub(super) note: NoteIt,
    pub(super) keys: Keys,
}

impl std::fmt::Debug for FactDoor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "FactDoor({})", self.kind)
    }
}

impl FactDoor {
    /// A fact is never refused for what it says; `note` tells the sayer at once what is odd about it, by the tables alone.
    pub fn of<B: EventBody + Send + Sync + 'static>(roles: &'static [Role], note: fn(&mut Tx<'_>, &B, &FactContext) -> StoreResult<Vec<Note>>) -> Self {
        Self { needs_tables: true, ..Self::swift(roles, note, |_, _| Vec::new()) }
    }

    /// As [`FactDoor::of`], for notes that reckon with what was told a moment ago and find it by these keys:
    /// no such fact waits for the tables.
    pub fn swift<B: EventBody + Send + Sync + 'static>(
        roles: &'static [Role],
        note: fn(&mut Tx<'_>, &B, &FactContext) -> StoreResult<Vec<Note>>,
        keys: fn(EventId, &B) -> Vec<Key>,
    ) -> Self {
        let parse = |raw: &RawValue| {
            let body: B = serde_json::from_str(raw.get()).map_err(|error| error.to_string())?;
            let text = serde_json::to_string(&body).map_err(|error| error.to_string())?;
            Ok((text, Arc::new(body) as FactBody))
        };
        let note = move |tx: &mut Tx<'_>, body: &FactBody, context: &FactContext| body.downcast_ref().map_or(Ok(Vec::new()), |body| note(tx, body, context));
        let keys = move |id, body: &FactBody| body.downcast_ref().map_or(Vec::new(), |body| keys(id, body));
        Self { kind: B::KIND, roles, needs_tables: false, parse: Box::new(parse), note: Box::new(note), keys: Box::new(keys) }
    }
}
