//! The places a roster names: found in the registry, or to be added in the order in which they are first named.

use std::collections::{HashMap, HashSet};

use baton_kit::{PlaceId, TypedId};
use baton_ledger::{StoreResult, Tx};

use super::mapping::{Field, Mapping};
use super::report::NewPlace;
use crate::events::{Membership, PlaceKind};
use crate::store;

/// A place of the registry, or the number of one to be added.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Slot {
    Known(PlaceId),
    New(u32),
}

/// A place to be added.
#[derive(Clone, Debug)]
pub(super) struct ToAdd {
    pub(super) slot: Slot,
    pub(super) place: NewPlace,
    pub(super) parent: Option<Slot>,
    /// The zone in whose bucket it goes.
    pub(super) zone: Slot,
}

/// Where a row says a person belongs.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Belongs {
    pub(super) zone: Slot,
    pub(super) grid: Option<Slot>,
    pub(super) building: Option<Slot>,
    pub(super) enterprise: Option<Slot>,
}

impl Belongs {
    /// The membership, once every place has its id.
    pub(super) fn membership(self, id: impl Fn(Slot) -> Option<PlaceId>) -> Option<Membership> {
        let of = |slot: Option<Slot>| slot.map_or(Some(None), |slot| id(slot).map(Some));
        Some(Membership { zone: Some(id(self.zone)?), grid: of(self.grid)?, building: of(self.building)?, enterprise: of(self.enterprise)?, household: None })
    }

    /// The membership when all its places are known already.
    pub(super) fn known(self) -> Option<Membership> {
        self.membership(|slot| match slot {
            Slot::Known(id) => Some(id),
            Slot::New(_) => None,
        })
    }

    /// Known places, the smallest first: what the sender must reach one of.
    pub(super) fn chain(self) -> Vec<PlaceId> {
        let slots = [self.enterprise, self.building, self.grid, Some(self.zone)];
        slots.into_iter().flatten().filter_map(|slot| if let Slot::Known(id) = slot { Some(id) } else { None }).collect()
    }
}

/// Places by what rows call them; each is looked up once.
#[derive(Default)]
pub(super) struct Places {
    zones: HashMap<String, Slot>,
    within: HashMap<(Slot, PlaceKind, String), Slot>,
    enterprises: HashMap<String, Slot>,
    to_add: Vec<ToAdd>,
    /// Of those to be added, which a row that was not left out needs.
    needed: Vec<bool>,
}

/// Texts of one row that name places.
pub(super) struct Named<'r> {
    row: &'r baton_sheets::Row,
    mapping: &'r Mapping,
    credit_code: Option<&'r str>,
}

impl<'r> Named<'r> {
    pub(super) fn new(row: &'r baton_sheets::Row, mapping: &'r Mapping, credit_code: Option<&'r str>) -> Self {
        Self { row, mapping, credit_code }
    }
    fn cell(&self, field: Field) -> &'r str {
        self.mapping.cell(self.row, field)
    }
    /// The name column, or the code where there is none.
    fn name(&self, field: Field, code: &str) -> String {
        let name = self.cell(field);
        if name.is_empty() { code.to_owned() } else { name.to_owned() }
    }
}

impl Places {
    /// Where a row belongs; nothing when it names neither a zone nor an enterprise that lies in one.
    pub(super) fn belongs(&mut self, tx: &mut Tx<'_>, named: &Named<'_>) -> StoreResult<Option<Belongs>> {
        let Some(zone) = self.zone(tx, named)? else { return Ok(None) };
        let grid = self.inside(tx, named, (Field::Grid, Field::GridName, PlaceKind::Grid), zone, zone)?;
        let building = self.inside(tx, named, (Field::Building, Field::BuildingName, PlaceKind::Building), zone, grid.unwrap_or(zone))?;
        let enterprise = self.enterprise(tx, named, zone)?;
        Ok(Some(Belongs { zone, grid, building, enterprise }))
    }

    /// Leaves out what only rows name that are left out themselves.
    pub(super) fn keep_named(&mut self, named: &HashSet<Belongs>) {
        self.needed = vec![false; self.to_add.len()];
        let mut open: Vec<Slot> = named.iter().flat_map(|b| [Some(b.zone), b.grid, b.building, b.enterprise]).flatten().collect();
        while let Some(slot) = open.pop() {
            if let Slot::New(number) = slot
                && let Some(needed) = self.needed.get_mut(number as usize).filter(|needed| !**needed)
            {
                *needed = true;
                open.extend(self.to_add[number as usize].parent);
            }
        }
    }

    /// What is to be added, parents before what lies in them.
    pub(super) fn added(&self) -> impl Iterator<Item = &ToAdd> {
        self.to_add.iter().zip(&self.needed).filter(|(_, needed)| **needed).map(|(add, _)| add)
    }

    fn zone(&mut self, tx: &mut Tx<'_>, named: &Named<'_>) -> StoreResult<Option<Slot>> {
        let code = named.cell(Field::Zone);
        if code.is_empty() {
            let Some(credit_code) = named.credit_code else { return Ok(None) };
            let Some(enterprise) = store::place_by_credit_code(tx, credit_code)? else { return Ok(None) };
            return Ok(store::place_chain(tx, enterprise)?.last().filter(|zone| **zone != enterprise).map(|zone| Slot::Known(*zone)));
        }
        if let Some(slot) = self.zones.get(code) {
            return Ok(Some(*slot));
        }
        let slot = match store::place_by_code(tx, PlaceKind::Zone, code)? {
            Some(id) => Slot::Known(id),
            None => {
                let own = Slot::New(self.to_add.len() as u32);
                self.add(PlaceKind::Zone, code, named.name(Field::ZoneName, code), None, own)
            }
        };
        self.zones.insert(code.to_owned(), slot);
        Ok(Some(slot))
    }

    fn add(&mut self, kind: PlaceKind, code: &str, name: String, parent: Option<Slot>, zone: Slot) -> Slot {
        let slot = Slot::New(self.to_add.len() as u32);
        self.to_add.push(ToAdd { slot, place: NewPlace { kind, code: code.to_owned(), name }, parent, zone });
        slot
    }

    /// A grid or building of the row's zone. Rosters number them anew in every zone: there a code is sought with the zone's before it.
    fn inside(&mut self, tx: &mut Tx<'_>, named: &Named<'_>, what: (Field, Field, PlaceKind), zone: Slot, parent: Slot) -> StoreResult<Option<Slot>> {
        let (code_field, name_field, kind) = what;
        let code = named.cell(code_field);
        if code.is_empty() {
            return Ok(None);
        }
        let key = (zone, kind, code.to_owned());
        if let Some(slot) = self.within.get(&key) {
            return Ok(Some(*slot));
        }
        let zone_code = named.cell(Field::Zone);
        let full = if zone_code.is_empty() || code.starts_with(zone_code) { code.to_owned() } else { format!("{zone_code}-{code}") };
        let mut found = None;
        for code in [code, &full] {
            let id = store::place_by_code(tx, kind, code)?;
            found = found.or(id.filter(|id| matches!(zone, Slot::Known(zone) if zone.bucket() == id.bucket())));
        }
        let slot = match found {
            Some(id) => Slot::Known(id),
            None => self.add(kind, &full, named.name(name_field, code), Some(parent), zone),
        };
        self.within.insert(key, slot);
        Ok(Some(slot))
    }

    /// An enterprise goes by its credit code, or by its name where the roster has none.
    fn enterprise(&mut self, tx: &mut Tx<'_>, named: &Named<'_>, zone: Slot) -> StoreResult<Option<Slot>> {
        let name = named.cell(Field::EnterpriseName);
        // A name may be longer than a code.
        let by_name: String = name.chars().take(40).collect();
        let Some(code) = named.credit_code.or(Some(by_name.trim())).filter(|code| !code.is_empty()) else { return Ok(None) };
        if let Some(slot) = self.enterprises.get(code) {
            return Ok(Some(*slot));
        }
        let by_credit_code = named.credit_code.map_or(Ok(None), |code| store::place_by_credit_code(tx, code))?;
        let known = by_credit_code.map_or_else(|| store::place_by_code(tx, PlaceKind::Enterprise, code), |id| Ok(Some(id)))?;
        let slot = match known {
            Some(id) => Slot::Known(id),
            None => self.add(PlaceKind::Enterprise, code, if name.is_empty() { code.to_owned() } else { name.to_owned() }, Some(zone), zone),
        };
        self.enterprises.insert(code.to_owned(), slot);
        Ok(Some(slot))
    }
}
