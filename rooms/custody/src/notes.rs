//! What a carrier is told at once about a fact. Nothing here refuses.

use std::collections::BTreeSet;

use baton_desk::{FactContext, FactDoor, Key, Told};
use baton_kit::{BoxId, EventId, TubeId, TypedId};
use baton_ledger::{Note, StoreResult, Tx};

use crate::events::*;
use crate::model::{Custody, Deed, Holder, Step};
use crate::routes::{CARRIERS, RECEIVERS};
use crate::{rules, store};

pub(crate) fn facts() -> Vec<FactDoor> {
    vec![
        FactDoor::swift::<BoxOpened>(CARRIERS, opened, |id, body| vec![Key::id(id), code_key(&body.code)]),
        FactDoor::swift::<TubeBoxed>(CARRIERS, boxed, |_, body| vec![Key::id(body.box_id), Key::id(body.tube)]),
        FactDoor::swift::<BoxSealed>(CARRIERS, sealed, |_, body| vec![Key::id(body.box_id)]),
        FactDoor::swift::<BoxOffered>(CARRIERS, offered, |_, body| vec![Key::id(body.box_id)]),
        FactDoor::swift::<BoxAccepted>(CARRIERS, accepted, |_, body| vec![Key::id(body.box_id)]),
        FactDoor::swift::<BoxDeclined>(CARRIERS, |_, _, _| Ok(Vec::new()), |_, body| vec![Key::id(body.box_id)]),
        FactDoor::swift::<BoxArrivedAnyway>(RECEIVERS, |_, _, _| Ok(vec![Note::new("box-arrived-unadmitted")]), no_keys),
        FactDoor::swift::<TemperatureNoted>(CARRIERS, too_warm, no_keys),
        FactDoor::swift::<TubesLost>(CARRIERS, |_, _, _| Ok(Vec::new()), no_keys),
    ]
}

fn code_key(code: &str) -> Key {
    Key::words("box", code)
}

/// Nobody's note reckons with it.
fn no_keys<B>(_: EventId, _: &B) -> Vec<Key> {
    Vec::new()
}

fn too_warm(_: &mut Tx<'_>, body: &TemperatureNoted, _: &FactContext) -> StoreResult<Vec<Note>> {
    Ok(when(body.temperature_tenths_c > rules::WARMEST_TENTHS_C, Note::new("box-too-warm")))
}

fn when(holds: bool, note: Note) -> Vec<Note> {
    if holds { vec![note] } else { Vec::new() }
}

fn opened(tx: &mut Tx<'_>, body: &BoxOpened, context: &FactContext) -> StoreResult<Vec<Note>> {
    let folded = store::boxes_by_code(tx, &body.code)?.into_iter().any(|row| row.id != context.id.created());
    let told = context.told::<BoxOpened>(code_key(&body.code)).any(|other| other.body.code == body.code && other.id != context.id);
    Ok(when(folded || told, Note::new("box-code-used")))
}

fn boxed(tx: &mut Tx<'_>, body: &TubeBoxed, context: &FactContext) -> StoreResult<Vec<Note>> {
    let folded = store::box_of(tx, body.tube)?.is_some_and(|other| other != body.box_id);
    let told = context.told::<TubeBoxed>(Key::id(body.tube)).any(|other| other.body.tube == body.tube && other.body.box_id != body.box_id);
    let closed = custody(tx, body.box_id, context)?.is_some_and(|custody| custody.sealed_count.is_some());
    Ok([when(folded || told, Note::new("tube-in-two-boxes")), when(closed, Note::new("box-sealed-already"))].concat())
}

fn sealed(tx: &mut Tx<'_>, body: &BoxSealed, context: &FactContext) -> StoreResult<Vec<Note>> {
    let mut tubes: BTreeSet<TubeId> = store::tubes_in(tx, body.box_id)?.into_iter().collect();
    tubes.extend(context.told::<TubeBoxed>(Key::id(body.box_id)).filter(|told| told.body.box_id == body.box_id).map(|told| told.body.tube));
    Ok(when(tubes.len() != usize::from(body.count), Note::new("box-count-mismatch").with("scanned", tubes.len()).with("counted", body.count)))
}

fn offered(tx: &mut Tx<'_>, body: &BoxOffered, context: &FactContext) -> StoreResult<Vec<Note>> {
    let Some(custody) = custody(tx, body.box_id, context)? else { return Ok(vec![Note::new("box-unknown")]) };
    let holds = custody.holder.is_some() && custody.holder == context.actor.account.map(Holder::Account);
    Ok([
        when(!holds, Note::new("box-offered-by-another")),
        when(custody.sealed_count.is_none(), Note::new("box-never-sealed")),
        miscounted(&custody, body.count),
    ]
    .concat())
}

fn accepted(tx: &mut Tx<'_>, body: &BoxAccepted, context: &FactContext) -> StoreResult<Vec<Note>> {
    let Some(custody) = custody(tx, body.box_id, context)? else { return Ok(vec![Note::new("box-unknown")]) };
    let mine = custody.offer == context.actor.account.map(Taker::Account);
    let warm = body.temperature_tenths_c.is_some_and(|tenths| tenths > rules::WARMEST_TENTHS_C);
    Ok([
        when(!mine, Note::new("box-not-offered-to-you")),
        miscounted(&custody, body.count),
        when(!body.seal_intact, Note::new("box-seal-broken")),
        when(warm, Note::new("box-too-warm")),
    ]
    .concat())
}

fn miscounted(custody: &Custody, count: u16) -> Vec<Note> {
    let sealed = custody.sealed_count.filter(|sealed| *sealed != i64::from(count));
    sealed.map(|sealed| Note::new("box-count-mismatch").with("scanned", sealed).with("counted", count)).into_iter().collect()
}

/// A box as the tables and what was told a moment ago tell it. None: nobody spoke of it yet.
fn custody(tx: &mut Tx<'_>, id: BoxId, context: &FactContext) -> StoreResult<Option<Custody>> {
    let mut steps = store::steps(tx, id)?;
    let folded: BTreeSet<_> = steps.iter().map(|step| step.id).collect();
    let told = told_steps(id, context);
    steps.extend(told.into_iter().filter(|step| !folded.contains(&step.id)));
    Ok((!steps.is_empty()).then(|| rules::follow(&steps)))
}

fn told_steps(id: BoxId, context: &FactContext) -> Vec<Step> {
    fn step<B>(told: &Told<B>, deed: Deed) -> Step {
        Step { id: told.id, happened: told.happened, actor: told.actor, deed }
    }
    let opened = context.told::<BoxOpened>(Key::id(id)).filter(|told| told.id.created::<BoxId>().raw() == id.raw()).map(|told| step(&told, Deed::Opened));
    let sealed = context.told::<BoxSealed>(Key::id(id)).filter(|told| told.body.box_id == id);
    let offered = context.told::<BoxOffered>(Key::id(id)).filter(|told| told.body.box_id == id);
    let accepted = context.told::<BoxAccepted>(Key::id(id)).filter(|told| told.body.box_id == id);
    let declined = context.told::<BoxDeclined>(Key::id(id)).filter(|told| told.body.box_id == id);
    let sealed = sealed.map(|told| step(&told, Deed::Sealed { count: told.body.count.into() }));
    let offered = offered.map(|told| step(&told, Deed::Offered { to: told.body.to, count: told.body.count.into() }));
    let accepted = accepted.map(|told| {
        let BoxAccepted { count, seal_intact, temperature_tenths_c, .. } = *told.body;
        step(&told, Deed::Accepted { count: count.into(), seal_intact, temperature_tenths_c })
    });
    let declined = declined.map(|told| step(&told, Deed::Declined));
    opened.chain(sealed).chain(offered).chain(accepted).chain(declined).collect()
}
