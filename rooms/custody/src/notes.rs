//! What a carrier is told at once about a fact. Nothing here refuses.

use std::collections::BTreeSet;

use baton_desk::{FactContext, FactDoor, Told};
use baton_kit::{BoxId, TubeId, TypedId};
use baton_ledger::{Note, StoreResult, Tx};

use crate::events::*;
use crate::model::{Custody, Deed, Holder, Step};
use crate::routes::{CARRIERS, RECEIVERS};
use crate::{rules, store};

pub(crate) fn facts() -> Vec<FactDoor> {
    vec![
        FactDoor::of::<BoxOpened>(CARRIERS, opened),
        FactDoor::of::<TubeBoxed>(CARRIERS, boxed),
        FactDoor::of::<BoxSealed>(CARRIERS, sealed),
        FactDoor::of::<BoxOffered>(CARRIERS, offered),
        FactDoor::of::<BoxAccepted>(CARRIERS, accepted),
        FactDoor::of::<BoxDeclined>(CARRIERS, |_, _, _| Ok(Vec::new())),
        FactDoor::of::<BoxArrivedAnyway>(RECEIVERS, |_, _, _| Ok(vec![Note::new("box-arrived-unadmitted")])),
        FactDoor::of::<TemperatureNoted>(CARRIERS, |_, body, _| Ok(when(body.temperature_tenths_c > rules::WARMEST_TENTHS_C, Note::new("box-too-warm")))),
        FactDoor::of::<TubesLost>(CARRIERS, |_, _, _| Ok(Vec::new())),
    ]
}

fn when(holds: bool, note: Note) -> Vec<Note> {
    if holds { vec![note] } else { Vec::new() }
}

fn opened(tx: &mut Tx<'_>, body: &BoxOpened, context: &FactContext) -> StoreResult<Vec<Note>> {
    let folded = store::boxes_by_code(tx, &body.code)?.into_iter().any(|row| row.id != context.id.created());
    let told = context.earlier::<BoxOpened>().any(|other| other.body.code == body.code && other.id != context.id);
    Ok(when(folded || told, Note::new("box-code-used")))
}

fn boxed(tx: &mut Tx<'_>, body: &TubeBoxed, context: &FactContext) -> StoreResult<Vec<Note>> {
    let folded = store::box_of(tx, body.tube)?.is_some_and(|other| other != body.box_id);
    let told = context.earlier::<TubeBoxed>().any(|other| other.body.tube == body.tube && other.body.box_id != body.box_id);
    let closed = custody(tx, body.box_id, context)?.is_some_and(|custody| custody.sealed_count.is_some());
    Ok([when(folded || told, Note::new("tube-in-two-boxes")), when(closed, Note::new("box-sealed-already"))].concat())
}

fn sealed(tx: &mut Tx<'_>, body: &BoxSealed, context: &FactContext) -> StoreResult<Vec<Note>> {
    let mut tubes: BTreeSet<TubeId> = store::tubes_in(tx, body.box_id)?.into_iter().collect();
    tubes.extend(context.earlier::<TubeBoxed>().filter(|told| told.body.box_id == body.box_id).map(|told| told.body.tube));
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

/// A box as the tables and the same request tell it. None: nobody spoke of it yet.
fn custody(tx: &mut Tx<'_>, id: BoxId, context: &FactContext) -> StoreResult<Option<Custody>> {
    let mut steps = store::steps(tx, id)?;
    let folded: BTreeSet<_> = steps.iter().map(|step| step.id).collect();
    let told = told_steps(id, context);
    steps.extend(told.into_iter().filter(|step| !folded.contains(&step.id)));
    Ok((!steps.is_empty()).then(|| rules::follow(&steps)))
}

fn told_steps(id: BoxId, context: &FactContext) -> Vec<Step> {
    fn step<B>(told: &Told<'_, B>, context: &FactContext, deed: Deed) -> Step {
        Step { id: told.id, happened: told.happened, actor: context.actor.account, deed }
    }
    let opened = context.earlier::<BoxOpened>().filter(|told| told.id.created::<BoxId>().raw() == id.raw()).map(|told| step(&told, context, Deed::Opened));
    let sealed = context.earlier::<BoxSealed>().filter(|told| told.body.box_id == id);
    let offered = context.earlier::<BoxOffered>().filter(|told| told.body.box_id == id);
    let accepted = context.earlier::<BoxAccepted>().filter(|told| told.body.box_id == id);
    let declined = context.earlier::<BoxDeclined>().filter(|told| told.body.box_id == id);
    let sealed = sealed.map(|told| step(&told, context, Deed::Sealed { count: told.body.count.into() }));
    let offered = offered.map(|told| step(&told, context, Deed::Offered { to: told.body.to, count: told.body.count.into() }));
    let accepted = accepted.map(|told| {
        let BoxAccepted { count, seal_intact, temperature_tenths_c, .. } = *told.body;
        step(&told, context, Deed::Accepted { count: count.into(), seal_intact, temperature_tenths_c })
    });
    let declined = declined.map(|told| step(&told, context, Deed::Declined));
    opened.chain(sealed).chain(offered).chain(accepted).chain(declined).collect()
}
