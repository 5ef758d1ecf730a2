//! What the sampler is told at once about a fact. Nothing here refuses.

use baton_desk::{FactContext, Key};
use baton_kit::{EventId, PersonId, PlaceId, TubeId, TypedId};
use baton_ledger::{Note, StoreResult, Tx};
use baton_registry::store as registry;

use super::{store, told};
use crate::campaign::store as campaigns;
use crate::events::{LabelsStruckOff, PersonSampled, ScanUndone, TubeOpened, TubeSealed};
use crate::label::rules::NoSerial;
use crate::model::{Specimen, Tube};
use crate::rules::LotState;
use crate::{follow_up, label};

/// By what facts about tubes are found before the tables show them.
pub mod keys {
    use super::*;

    pub fn tube_opened(id: EventId, body: &TubeOpened) -> Vec<Key> {
        vec![Key::id(id), code_key(&body.code)]
    }
    pub fn person_sampled(_: EventId, body: &PersonSampled) -> Vec<Key> {
        vec![Key::id(body.tube), Key::id(body.person)]
    }
    pub fn scan_undone(_: EventId, body: &ScanUndone) -> Vec<Key> {
        vec![Key::id(body.scan)]
    }
    pub fn tube_sealed(_: EventId, body: &TubeSealed) -> Vec<Key> {
        vec![Key::id(body.tube)]
    }
}

fn code_key(code: &str) -> Key {
    Key::words("tube", code)
}

pub fn tube_opened(tx: &mut Tx<'_>, body: &TubeOpened, context: &FactContext) -> StoreResult<Vec<Note>> {
    let mut notes = Vec::new();
    match (body.fluid_lot, store::lot_state(tx, body.fluid_lot, context.happened)?) {
        (None, _) => notes.push(Note::new("fluid-missing")),
        (_, LotState::Unknown) => notes.push(Note::new("fluid-unknown")),
        (_, LotState::Recalled) => notes.push(Note::new("fluid-recalled")),
        (Some(lot), LotState::Expired) => {
            let expires = registry::lot(tx, lot)?.map(|lot| context.site.show(lot.expires)).unwrap_or_default();
            notes.push(Note::new("fluid-expired").with("time", expires));
        }
        (Some(_), LotState::Usable) => {}
    }
    let same_tube = |tube: &Tube| tube.id.raw() == context.id.raw();
    if let Some(earlier) = store::tubes_by_code(tx, &body.code)?.iter().find(|tube| !same_tube(tube)) {
        notes.push(Note::new("code-used").with("time", context.site.show(earlier.opened_at)).with("point", point_code(tx, earlier.point)?));
    } else if let Some(told) = context.told::<TubeOpened>(code_key(&body.code)).find(|other| other.body.code == body.code && other.id != context.id) {
        notes.push(Note::new("code-used").with("time", context.site.show(told.happened)).with("point", point_code(tx, Some(told.body.point))?));
    }
    notes.extend(about_label(tx, body)?);
    match campaigns::campaign(tx, body.campaign)? {
        None => notes.push(Note::new("campaign-unknown")),
        Some(campaign) => {
            if !campaign.runs(context.happened) {
                notes.push(Note::new("window-over").with("opens", context.site.show(campaign.opens)).with("closes", context.site.show(campaign.closes)));
            }
            if body.ratio > campaign.ratio {
                notes.push(Note::new("ratio-exceeds").with("ratio", body.ratio).with("allowed", campaign.ratio));
            }
        }
    }
    Ok(notes)
}

/// What is odd about a label that was issued here. Labels from elsewhere are taken as they are.
fn about_label(tx: &mut Tx<'_>, body: &TubeOpened) -> StoreResult<Option<Note>> {
    let serial = match label::rules::serial(&body.code) {
        Ok(serial) => i64::from(serial),
        Err(NoSerial::Mistyped) => return Ok(Some(Note::new("label-mistyped"))),
        Err(NoSerial::Foreign) => return Ok(None),
    };
    if let Some(reason) = label::store::struck(tx, serial)? {
        return Ok(Some(Note::new("label-struck-off").with("reason", reason)));
    }
    Ok(match label::store::block_of_serial(tx, serial)? {
        None => Some(Note::new("label-not-issued")),
        Some(block) if block.point != body.point => Some(Note::new("label-elsewhere").with("point", point_code(tx, Some(block.point))?)),
        Some(_) => None,
    })
}

/// Labels told as spoiled or lost.
pub fn labels_struck_off(tx: &mut Tx<'_>, body: &LabelsStruckOff, _: &FactContext) -> StoreResult<Vec<Note>> {
    let mut notes = Vec::new();
    if body.to < body.from || i64::from(body.to - body.from) >= label::rules::BLOCK_LIMIT || !label::rules::STRIKE_REASONS.contains(&body.reason.as_str()) {
        notes.push(Note::new("labels-struck-oddly"));
    }
    let issued = [body.from, body.to].into_iter().map(|serial| label::store::block_of_serial(tx, i64::from(serial))).collect::<StoreResult<Vec<_>>>()?;
    if issued.iter().any(Option::is_none) {
        notes.push(Note::new("label-not-issued"));
    }
    Ok(notes)
}

fn point_code(tx: &mut Tx<'_>, point: Option<PlaceId>) -> StoreResult<String> {
    let place = point.map(|point| registry::place(tx, point)).transpose()?.flatten();
    Ok(place.map_or_else(|| "?".to_owned(), |place| place.code))
}

/// A tube this very device opened may only not be folded yet.
fn is_own(tube: TubeId, scan: EventId) -> bool {
    tube.packed().device() == scan.packed().device()
}

pub fn person_sampled(tx: &mut Tx<'_>, body: &PersonSampled, context: &FactContext) -> StoreResult<Vec<Note>> {
    let mut notes = Vec::new();
    let tube = told::tube(tx, body.tube, context)?;
    match &tube {
        None if is_own(body.tube, context.id) => {}
        Some(tube) if tube.opened => notes.extend(about_tube(tx, tube, body.person, context)?),
        _ => notes.push(Note::new("tube-unknown")),
    }
    notes.extend(about_person(tx, tube.as_ref(), body.person)?);
    let single = tube.as_ref().is_some_and(|tube| tube.ratio == 1);
    if !single && follow_up::store::needs_single(tx, body.person)? {
        notes.push(Note::new("single-needed"));
    }
    let specimens: Vec<Specimen> = told::specimens(tx, body.person, context)?.into_iter().filter(|s| s.scan != context.id && s.tube.id != body.tube).collect();
    notes.extend(already_sampled(tx, &specimens, tube.as_ref(), context)?);
    Ok(notes)
}

fn about_tube(tx: &mut Tx<'_>, tube: &Tube, person: PersonId, context: &FactContext) -> StoreResult<Vec<Note>> {
    let mut notes = Vec::new();
    if let Some(seal) = tube.seal.filter(|seal| seal.at < context.happened) {
        notes.push(Note::new("tube-sealed").with("time", context.site.show_hour(seal.at)));
    }
    let members = told::members(tx, tube.id, context)?;
    let others = members.iter().filter(|member| member.scan != context.id);
    if others.clone().any(|member| member.person == person) {
        notes.push(Note::new("twice-in-tube"));
    }
    let count = others.count() + 1;
    if count > usize::from(tube.ratio) {
        notes.push(Note::new("tube-full").with("count", count).with("ratio", tube.ratio));
    }
    Ok(notes)
}

/// Unknown, or not on the campaign's list. Whoever is on the list is known: most people, most of the time.
fn about_person(tx: &mut Tx<'_>, tube: Option<&Tube>, person: PersonId) -> StoreResult<Option<Note>> {
    let round = tube.and_then(|tube| tube.campaign.map(|campaign| (campaign, tube.round)));
    let due = match round {
        Some((campaign, round)) => campaigns::due(tx, campaign, round, person)?,
        None => None,
    };
    if due.is_some_and(|due| due.listed) {
        return Ok(None);
    }
    if !registry::exists(tx, person)? {
        return Ok(Some(Note::new("person-unknown")));
    }
    Ok(round.map(|_| Note::new("not-listed")))
}

/// Already swabbed in this operational day or this round, where and when. A swab that answers a hold or a loss is expected.
fn already_sampled(tx: &mut Tx<'_>, specimens: &[Specimen], tube: Option<&Tube>, context: &FactContext) -> StoreResult<Option<Note>> {
    if tube.is_some_and(|tube| tube.follow_up) {
        return Ok(None);
    }
    let today = context.site.day_of(context.happened);
    let counts = |s: &&Specimen| s.tube.first_held.is_none() && s.tube.lost.is_none() && s.swabbed <= context.happened;
    let round = |s: &Specimen| tube.is_some_and(|tube| s.tube.campaign == tube.campaign && s.tube.round == tube.round);
    let earlier = specimens.iter().rev().filter(counts).find(|s| round(s) || context.site.day_of(s.swabbed) == today);
    let Some(earlier) = earlier else { return Ok(None) };
    let code = if context.site.day_of(earlier.swabbed) == today { "sampled-today" } else { "sampled-round" };
    Ok(Some(Note::new(code).with("time", context.site.show(earlier.swabbed)).with("point", point_code(tx, earlier.tube.point)?)))
}

pub fn scan_undone(tx: &mut Tx<'_>, body: &ScanUndone, context: &FactContext) -> StoreResult<Vec<Note>> {
    let told_before = context.told::<ScanUndone>(Key::id(body.scan)).any(|told| told.body.scan == body.scan && told.id != context.id);
    Ok(match store::scan(tx, body.scan)? {
        _ if told_before => vec![Note::new("scan-undone-before")],
        None if body.scan.packed().device() == context.id.packed().device() => Vec::new(),
        None => vec![Note::new("scan-unknown")],
        Some(scan) if scan.undone => vec![Note::new("scan-undone-before")],
        Some(_) => Vec::new(),
    })
}

pub fn tube_sealed(tx: &mut Tx<'_>, body: &TubeSealed, context: &FactContext) -> StoreResult<Vec<Note>> {
    let mut notes = Vec::new();
    match told::tube(tx, body.tube, context)? {
        None if is_own(body.tube, context.id) => {}
        None => notes.push(Note::new("tube-unknown")),
        Some(tube) => {
            if let Some(seal) = tube.seal.filter(|seal| seal.event != context.id) {
                notes.push(Note::new("sealed-twice").with("time", context.site.show_hour(seal.at)));
            }
            if tube.swabs != body.count {
                notes.push(Note::new("count-mismatch").with("count", body.count).with("scans", tube.swabs));
            }
        }
    }
    Ok(notes)
}
