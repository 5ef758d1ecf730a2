//! When a plate may be laid, read or taken out of use.

use std::collections::{BTreeMap, HashMap, HashSet};

use baton_kit::{PlateId, Refusal, Timestamp, TubeId};
use baton_pcr::rules::RuleSet;
use baton_registry::events::LotKind;
use baton_registry::model::Lot;

use super::layout;
use crate::events::{LayBenchPlate, LayPlate, PlateLaid, WellContent, WellLaid};
use crate::model::{Plate, PlateState, TubeForPlate};

/// What a new plate is judged by.
#[derive(Clone, Debug)]
pub struct PlatesNow {
    /// The assay's rules, if there are any by that name.
    pub rules: Option<RuleSet>,
    /// How many plates this laboratory has laid.
    pub laid: i64,
    pub code_taken: bool,
    pub extraction: Option<Lot>,
    pub pcr: Option<Lot>,
    /// The tubes asked for, as far as they are known.
    pub tubes: HashMap<TubeId, TubeForPlate>,
}

pub fn lay_plate(state: &PlatesNow, command: &LayPlate, now: Timestamp) -> Result<PlateLaid, Refusal> {
    let rules = state.rules.as_ref().ok_or_else(|| Refusal::ruled("lab-assay-unknown").with("assay", &command.assay))?;
    plate_itself(state.code_taken, &command.code, command.wells)?;
    lot_fits(state.extraction.as_ref(), LotKind::ExtractionKit, now)?;
    lot_fits(state.pcr.as_ref(), LotKind::PcrKit, now)?;
    let asked: Vec<TubeId> = command.by_hand.iter().map(|(_, tube)| *tube).chain(command.tubes.iter().copied()).collect();
    if asked.is_empty() {
        return Err(Refusal::ruled("lab-plate-without-tubes"));
    }
    let mut seen = HashSet::new();
    for tube in &asked {
        if !seen.insert(*tube) {
            return Err(Refusal::ruled("lab-tube-twice").with("tube", code_of(state, *tube)));
        }
        tube_fits(state, command, rules, *tube)?;
    }
    let fingerprint = layout::fingerprint(command.laboratory, state.laid, command.wells);
    let layout = fill(command, layout::controls(fingerprint, command.wells, rules), state)?;
    Ok(PlateLaid { fingerprint, layout })
}

pub fn lay_bench_plate(code_taken: bool, command: &LayBenchPlate) -> Result<(), Refusal> {
    plate_itself(code_taken, &command.code, command.wells)
}

fn plate_itself(code_taken: bool, code: &str, wells: u16) -> Result<(), Refusal> {
    if code.trim().is_empty() || code.chars().count() > 40 {
        return Err(Refusal::ruled("lab-plate-code-wrong"));
    }
    if code_taken {
        return Err(Refusal::conflict("lab-plate-code-taken").with("plate", code));
    }
    if !layout::SIZES.contains(&wells) {
        return Err(Refusal::ruled("lab-plate-size").with("wells", wells));
    }
    Ok(())
}

fn lot_fits(lot: Option<&Lot>, kind: LotKind, now: Timestamp) -> Result<(), Refusal> {
    let lot = lot.ok_or_else(|| Refusal::absent("lab-lot-unknown"))?;
    if lot.kind != kind {
        return Err(Refusal::ruled("lab-lot-kind").with("lot", &lot.code));
    }
    if lot.recalled.is_some() {
        return Err(Refusal::ruled("lab-lot-recalled").with("lot", &lot.code));
    }
    if lot.expires <= now {
        return Err(Refusal::ruled("lab-lot-expired").with("lot", &lot.code));
    }
    Ok(())
}

fn code_of(state: &PlatesNow, tube: TubeId) -> String {
    state.tubes.get(&tube).map_or_else(|| tube.to_string(), |known| known.code.clone())
}

fn tube_fits(state: &PlatesNow, command: &LayPlate, rules: &RuleSet, tube: TubeId) -> Result<(), Refusal> {
    let no = |code: &'static str| Refusal::ruled(code).with("tube", code_of(state, tube));
    let known = state.tubes.get(&tube).ok_or_else(|| no("lab-tube-not-accessioned"))?;
    if known.rejected || known.lost {
        return Err(no("lab-tube-rejected"));
    }
    if known.accessioned_at != Some(command.laboratory) {
        return Err(no("lab-tube-not-accessioned"));
    }
    if known.released {
        return Err(no("lab-tube-resulted"));
    }
    if known.on_plate.is_some() {
        return Err(no("lab-tube-on-plate"));
    }
    if known.assay.as_ref().is_some_and(|assay| *assay != command.assay) {
        return Err(no("lab-assay-differs").with("assay", known.assay.clone().unwrap_or_default()));
    }
    let ratio = known.ratio.and_then(|ratio| u32::try_from(ratio).ok()).ok_or_else(|| no("lab-tube-not-opened"))?;
    if rules.pool(ratio).is_none() {
        return Err(no("lab-ratio-not-validated").with("ratio", ratio).with("assay", &command.assay));
    }
    Ok(())
}

/// Controls first, then what hands placed, then the rest in filling order.
fn fill(command: &LayPlate, controls: Vec<WellLaid>, state: &PlatesNow) -> Result<Vec<WellLaid>, Refusal> {
    let mut wells: BTreeMap<u16, WellContent> = controls.into_iter().map(|laid| (laid.well, laid.content)).collect();
    for (well, tube) in &command.by_hand {
        if *well >= command.wells {
            return Err(Refusal::ruled("lab-well-outside").with("well", u32::from(*well) + 1));
        }
        if wells.contains_key(well) {
            let (well, tube) = (layout::label(*well, command.wells), code_of(state, *tube));
            return Err(Refusal::ruled("lab-well-taken").with("well", well).with("tube", tube));
        }
        wells.insert(*well, WellContent::Tube(*tube));
    }
    let free: Vec<u16> = layout::filling_order(command.wells).filter(|well| !wells.contains_key(well)).collect();
    if command.tubes.len() > free.len() {
        return Err(Refusal::ruled("lab-too-many-tubes").with("tubes", command.tubes.len()).with("free", free.len()));
    }
    wells.extend(free.into_iter().zip(command.tubes.iter().map(|tube| WellContent::Tube(*tube))));
    Ok(wells.into_iter().map(|(well, content)| WellLaid { well, content }).collect())
}

/// A plate takes a file while it waits for one, or again while the run it has is held and nothing of it is released.
pub fn may_be_read(plate: Option<&Plate>, id: PlateId, anything_released: bool, held: bool) -> Result<(), Refusal> {
    let plate = plate.ok_or_else(|| Refusal::absent("lab-plate-unknown").with("plate", id))?;
    match plate.state {
        PlateState::Laid => Ok(()),
        PlateState::Discarded => Err(Refusal::conflict("lab-plate-discarded").with("plate", &plate.code)),
        PlateState::Read if held && !anything_released => Ok(()),
        PlateState::Read => Err(Refusal::conflict("lab-plate-read").with("plate", &plate.code)),
    }
}

pub fn discard(plate: Option<&Plate>, id: PlateId, reason: &str) -> Result<(), Refusal> {
    let plate = plate.ok_or_else(|| Refusal::absent("lab-plate-unknown").with("plate", id))?;
    if reason.trim().is_empty() {
        return Err(Refusal::ruled("lab-reason-missing"));
    }
    match plate.state {
        PlateState::Laid => Ok(()),
        PlateState::Read => Err(Refusal::conflict("lab-plate-read").with("plate", &plate.code)),
        PlateState::Discarded => Err(Refusal::conflict("lab-plate-discarded").with("plate", &plate.code)),
    }
}

#[cfg(test)]
#[path = "plate_tests.rs"]
mod tests;
