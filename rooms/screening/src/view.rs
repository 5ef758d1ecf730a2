//! What pages and routes of this room share: reach, names of places, small pieces of HTML.

use std::collections::HashMap;

use baton_desk::{Access, Actor, Page, Role, Scope};
use baton_kit::{PersonId, PlaceId, Refusal};
use baton_ledger::{StoreResult, Tx, Vault};
use baton_registry::model::Brief;
use baton_registry::store as registry;
use maud::{Markup, html};

use crate::campaign::store::Reach;

/// Who sees coverage.
pub const VIEWERS: Access = Access::Roles(&[
    Role::Administrator,
    Role::ZoneManager,
    Role::GridWarden,
    Role::EnterpriseContact,
    Role::PointLeader,
    Role::LaboratoryDirector,
    Role::Auditor,
]);
/// Who sees which people are missing.
pub const CHASERS: Access = Access::Roles(&[Role::Administrator, Role::ZoneManager, Role::GridWarden, Role::EnterpriseContact]);
/// Who opens campaigns and excuses people.
pub const MANAGERS: Access = Access::Roles(&[Role::Administrator, Role::ZoneManager]);
pub const SAMPLER_ROLES: &[Role] = &[Role::Administrator, Role::SamplingNurse, Role::PointLeader];
pub const SAMPLERS: Access = Access::Roles(SAMPLER_ROLES);
/// Who uses, spoils and counts labels.
pub const LABELLER_ROLES: &[Role] = &[Role::Administrator, Role::ZoneManager, Role::PointLeader, Role::SamplingNurse];
pub const LABELLERS: Access = Access::Roles(LABELLER_ROLES);
/// Who issues blocks of labels.
pub const ISSUERS: Access = Access::Roles(&[Role::Administrator, Role::ZoneManager, Role::PointLeader]);
/// Who looks into contradictions.
pub const SETTLERS: Access = Access::Roles(&[Role::Administrator, Role::ZoneManager, Role::PointLeader]);

/// How far an actor's eyes reach.
pub fn reach(actor: &Actor) -> Reach {
    match &actor.scope {
        Scope::Everywhere => Reach::Everywhere,
        Scope::Places(places) => Reach::Places(places.clone()),
        Scope::Nowhere => Reach::Places(Vec::new()),
    }
}

/// A raw place of a row, where 0 is none.
pub fn place_of(raw: i64) -> Option<PlaceId> {
    if raw == 0 { None } else { PlaceId::from_raw(raw).ok() }
}

/// People with their names; whoever cannot be read is left out.
pub fn briefs(tx: &mut Tx<'_>, vault: &Vault, people: &[PersonId]) -> StoreResult<HashMap<PersonId, Brief>> {
    Ok(registry::open_people(tx, vault, people)?.into_iter().map(|brief| (brief.person, brief)).collect())
}

/// Refuses a place outside the actor's scope.
pub fn must_reach(tx: &mut Tx<'_>, actor: &Actor, place: PlaceId) -> Result<(), baton_ledger::Undecided> {
    let chain = registry::place_chain(tx, place)?;
    if chain.is_empty() {
        return Err(Refusal::absent("screening-place-unknown").into());
    }
    Ok(actor.must_reach(&chain)?)
}

/// One figure of a list of figures.
pub fn figure(page: &Page<'_>, words: &str, value: i64) -> Markup {
    html! { div { dt { (page.t(words)) } dd { (value) } } }
}

/// A bar without style attributes: `part` of `whole` as an SVG.
pub fn bar(parts: &[(&'static str, i64)], whole: i64) -> Markup {
    let width = |n: i64| if whole > 0 { n as f64 * 100.0 / whole as f64 } else { 0.0 };
    let mut from = 0.0;
    let pieces: Vec<(&str, f64, f64)> = parts
        .iter()
        .map(|(class, n)| {
            let piece = (*class, from, width(*n));
            from += width(*n);
            piece
        })
        .collect();
    html! {
        svg.coverage viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true" {
            rect.rest x="0" y="0" width="100" height="6" {}
            @for (class, x, width) in pieces { rect class=(class) x=(format!("{x:.2}")) y="0" width=(format!("{width:.2}")) height="6" {} }
        }
    }
}
