//! Tubes and scans as the tables tell them together with what was told a moment ago: a batch may open a tube, fill
//! and seal it before any of it is folded, and the next request comes before the tables show this one.

use baton_desk::{FactContext, Key};
use baton_kit::{EventId, PersonId, TubeId, TypedId};
use baton_ledger::{StoreResult, Tx};

use super::store;
use crate::campaign::store as campaigns;
use crate::events::{PersonSampled, ScanUndone, TubeOpened, TubeSealed};
use crate::model::{Journey, Member, Seal, Specimen, Tube};

/// A tube whose opening is known, from the tables or told a moment ago.
pub(super) fn tube(tx: &mut Tx<'_>, id: TubeId, context: &FactContext) -> StoreResult<Option<Tube>> {
    let stored = context.memo.once(id.raw(), || store::tube(tx, id))?;
    let mut tube = match &*stored {
        Some(tube) if tube.opened => Some(tube.clone()),
        other => opened_now(tx, id, context)?.or(other.clone()),
    };
    if let Some(tube) = tube.as_mut() {
        tube.swabs = u16::try_from(members(tx, id, context)?.len()).unwrap_or(u16::MAX);
        let seals = context.told::<TubeSealed>(Key::id(id)).filter(|told| told.body.tube == id);
        let seals = seals.map(|told| Seal { event: told.id, at: told.happened, count: told.body.count });
        tube.seal = seals.chain(tube.seal).max_by_key(|seal| (seal.at, seal.event));
    }
    Ok(tube)
}

/// The round in which a tube that is not in the tables was opened.
struct RoundAtOpening(u16);

fn opened_now(tx: &mut Tx<'_>, id: TubeId, context: &FactContext) -> StoreResult<Option<Tube>> {
    let Some(told) = context.told::<TubeOpened>(Key::id(id)).find(|told| told.id.raw() == id.raw()) else { return Ok(None) };
    let TubeOpened { code, campaign, point, ratio, fluid_lot, follow_up } = (*told.body).clone();
    let round = context.memo.once(id.raw(), || Ok(RoundAtOpening(campaigns::round_at(tx, campaign, told.happened)?)))?.0;
    Ok(Some(Tube {
        id,
        opened: true,
        code,
        campaign: Some(campaign),
        round,
        point: Some(point),
        ratio,
        follow_up,
        fluid_lot,
        opened_at: told.happened,
        opened_by: told.actor,
        swabs: 0,
        seal: None,
        resealed: false,
        journey: Journey::Travelling,
        first_held: None,
        lost: None,
        findings: 0,
    }))
}

/// Scans of a tube that stand, oldest first.
pub(super) fn members(tx: &mut Tx<'_>, id: TubeId, context: &FactContext) -> StoreResult<Vec<Member>> {
    let mut members = (*context.memo.once(id.raw(), || store::members(tx, id))?).clone();
    for told in context.told::<PersonSampled>(Key::id(id)).filter(|told| told.body.tube == id) {
        if members.iter().all(|member| member.scan != told.id) {
            members.push(Member { scan: told.id, person: told.body.person, swabbed: told.happened });
        }
    }
    members.retain(|member| !undone(member.scan, context));
    members.sort_by_key(|member| (member.swabbed, member.scan));
    Ok(members)
}

/// All swabs of a person that stand and whose tube is known, oldest first.
pub(super) fn specimens(tx: &mut Tx<'_>, person: PersonId, context: &FactContext) -> StoreResult<Vec<Specimen>> {
    let mut specimens = store::specimens(tx, person)?;
    for told in context.told::<PersonSampled>(Key::id(person)).filter(|told| told.body.person == person) {
        if specimens.iter().any(|specimen| specimen.scan == told.id) {
            continue;
        }
        if let Some(tube) = tube(tx, told.body.tube, context)?.filter(|tube| tube.opened) {
            specimens.push(Specimen { scan: told.id, swabbed: told.happened, tube });
        }
    }
    specimens.retain(|specimen| !undone(specimen.scan, context));
    specimens.sort_by_key(|specimen| (specimen.swabbed, specimen.scan));
    Ok(specimens)
}

/// True when this scan was taken back a moment ago.
pub(super) fn undone(scan: EventId, context: &FactContext) -> bool {
    context.told::<ScanUndone>(Key::id(scan)).any(|told| told.body.scan == scan)
}
