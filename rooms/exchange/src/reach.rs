//! Who may see whom: as everywhere, through where a person belongs, or through a place that has had their tube in hand.

use std::collections::HashMap;

use baton_desk::{Actor, Scope};
use baton_kit::{OperationalDay, PersonId, PlaceId, Refusal};
use baton_ledger::{Tx, Undecided};
use baton_registry::store as registry;

use crate::model::Unit;
use crate::store;

/// One actor's sight; chains of places are looked up once.
pub(crate) struct Sight<'a> {
    actor: &'a Actor,
    day: OperationalDay,
    chains: HashMap<PlaceId, bool>,
}

impl<'a> Sight<'a> {
    pub(crate) fn of(actor: &'a Actor, day: OperationalDay) -> Self {
        Self { actor, day, chains: HashMap::new() }
    }

    fn place(&mut self, tx: &mut Tx<'_>, place: PlaceId) -> Result<bool, Undecided> {
        if let Some(known) = self.chains.get(&place) {
            return Ok(*known);
        }
        let reached = self.actor.scope.reaches(place) || self.actor.scope.reaches_any(&registry::place_chain(tx, place)?);
        self.chains.insert(place, reached);
        Ok(reached)
    }

    fn belongs(&mut self, tx: &mut Tx<'_>, person: PersonId) -> Result<bool, Undecided> {
        let membership = registry::membership(tx, person, self.day)?;
        let places: Vec<PlaceId> = membership.map(|m| [m.zone, m.grid, m.building, m.enterprise].into_iter().flatten().collect()).unwrap_or_default();
        Ok(self.actor.scope.reaches_any(&places))
    }

    /// A person: through where they belong, or a laboratory that has one of their tubes.
    pub(crate) fn person(&mut self, tx: &mut Tx<'_>, person: PersonId) -> Result<bool, Undecided> {
        if self.actor.scope == Scope::Everywhere || self.belongs(tx, person)? {
            return Ok(true);
        }
        for unit in store::units_of_person(tx, person)? {
            if let Some((laboratory, _)) = &unit.tube.laboratory
                && self.place(tx, *laboratory)?
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// A swab or a tube: through its laboratory, its person, or for a tube of several its point.
    pub(crate) fn unit(&mut self, tx: &mut Tx<'_>, unit: &Unit) -> Result<bool, Undecided> {
        if self.actor.scope == Scope::Everywhere {
            return Ok(true);
        }
        if let Some((laboratory, _)) = &unit.tube.laboratory
            && self.place(tx, *laboratory)?
        {
            return Ok(true);
        }
        match (unit.person(), unit.tube.clock.point) {
            (Some(person), _) => self.belongs(tx, person),
            (None, Some(point)) => self.place(tx, point),
            (None, None) => Ok(false),
        }
    }

    pub(crate) fn must(reached: bool) -> Result<(), Undecided> {
        if reached { Ok(()) } else { Err(Refusal::forbidden("out-of-scope").into()) }
    }
}
