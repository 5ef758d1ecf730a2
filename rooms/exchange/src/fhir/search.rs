//! Finding resources: by number, by person, by tube, or page by page through all there are.
//!
//! No search looks at more than [`VISITED_MAX`] people or tubes for one page. A page may so be shorter than asked, or empty,
//! while its `next` link goes on.

use baton_desk::Actor;
use baton_fhir::{DiagnosticReport, Resource};
use baton_kit::{AccountId, AnyId, EventId, OperationalDay, PersonId, Refusal, Timestamp, TubeId, TypedId};
use baton_laboratory::store as laboratory;
use baton_ledger::{StoreResult, Tx, Undecided, Vault};
use baton_registry::events::DocumentKind;
use baton_registry::store as registry;
use baton_screening::campaign::store as campaigns;
use baton_screening::follow_up::store as follow_ups;
use baton_screening::specimen::store as screening;

use super::draw::Drawing;
use super::facets::Search;
use super::system;
use crate::model::{Told, Unit};
use crate::reach::Sight;
use crate::store;

/// How many people or tubes one page may look at.
const VISITED_MAX: i64 = 100;

/// What one request is answered with.
pub(crate) struct Desk<'a> {
    pub(crate) actor: &'a Actor,
    pub(crate) vault: &'a Vault,
    pub(crate) now: Timestamp,
    pub(crate) day: OperationalDay,
    pub(crate) drawing: Drawing<'a>,
}

/// A page of resources; where the next begins.
#[derive(Default)]
pub(crate) struct Found {
    pub(crate) resources: Vec<Resource>,
    pub(crate) next: Option<String>,
}

/// Where a walk through everything stands: the last thing seen, and how many resources of the next were given out.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Cursor {
    at: [i64; 3],
    given: usize,
}

impl Cursor {
    fn parse(text: &str) -> Result<Self, Refusal> {
        let wrong = || Refusal::malformed("exchange-parameter-wrong").with("name", "_after").with("value", text.chars().take(60).collect::<String>());
        let numbers: Vec<i64> = text.split('.').map(|part| part.parse::<i64>().ok().filter(|n| *n >= 0)).collect::<Option<_>>().ok_or_else(wrong)?;
        match numbers.as_slice() {
            [a, b, c, given] => Ok(Self { at: [*a, *b, *c], given: usize::try_from(*given).map_err(|_| wrong())? }),
            _ => Err(wrong()),
        }
    }
    fn text(self) -> String {
        format!("{}.{}.{}.{}", self.at[0], self.at[1], self.at[2], self.given)
    }
}

/// Everything of one kind that one person or one tube gives, and where the walk stands after it.
struct Stop {
    at: [i64; 3],
    resources: Vec<Resource>,
}

pub(crate) fn id_of<T: TypedId>(text: &str) -> Option<T> {
    text.parse::<AnyId>().ok().filter(|id| id.to_string() == text).map(|id| T::from_packed(id.packed()))
}

impl Desk<'_> {
    /// One resource by its number.
    pub(crate) fn read(&self, tx: &mut Tx<'_>, kind: &str, id: &str) -> Result<Resource, Undecided> {
        let missing = || Refusal::absent("exchange-resource-unknown").with("kind", kind).with("id", id.chars().take(64).collect::<String>());
        let about = self.about(tx, kind, id)?.ok_or_else(missing)?;
        let resources = match about {
            About::Person(person) => {
                Sight::must(Sight::of(self.actor, self.day).person(tx, person)?)?;
                self.of_person(tx, kind, person)?
            }
            About::Unit(unit) => {
                Sight::must(Sight::of(self.actor, self.day).unit(tx, &unit)?)?;
                self.of_unit(tx, kind, &unit)?
            }
        };
        Ok(resources.into_iter().find(|resource| resource.id() == id).ok_or_else(missing)?)
    }

    /// Whom or what a resource of this number is about.
    fn about(&self, tx: &mut Tx<'_>, kind: &str, id: &str) -> Result<Option<About>, Undecided> {
        let mut parts = id.split('-');
        let person = match kind {
            "Patient" => id_of(id),
            "ServiceRequest" => parts.nth(2).and_then(id_of),
            "Task" => parts.next().and_then(id_of),
            "Specimen" | "Observation" | "DiagnosticReport" | "Provenance" => {
                let Some(unit) = parts.next().and_then(id_of::<EventId>) else { return Ok(None) };
                return Ok(store::unit(tx, unit)?.map(|unit| About::Unit(Box::new(unit))));
            }
            _ => return Err(Refusal::absent("exchange-kind-unknown").with("kind", kind.chars().take(40).collect::<String>()).into()),
        };
        let Some(person) = person else { return Ok(None) };
        Ok(registry::exists(tx, person)?.then_some(About::Person(person)))
    }

    /// Every version of a report that went out, the latest first.
    pub(crate) fn history(&self, tx: &mut Tx<'_>, id: &str) -> Result<Vec<DiagnosticReport>, Undecided> {
        let missing = || Refusal::absent("exchange-resource-unknown").with("kind", DiagnosticReport::TYPE).with("id", id.chars().take(64).collect::<String>());
        let unit = match id_of::<EventId>(id) {
            Some(unit) => store::unit(tx, unit)?,
            None => None,
        };
        let unit = unit.ok_or_else(missing)?;
        Sight::must(Sight::of(self.actor, self.day).unit(tx, &unit)?)?;
        Ok(unit.tube.told.iter().rev().map(|told| self.drawing.report(&unit, Some(told))).collect())
    }

    pub(crate) fn search(&self, tx: &mut Tx<'_>, kind: &str, search: &Search) -> Result<Found, Undecided> {
        let cursor = search.after.as_deref().map_or(Ok(Cursor::default()), Cursor::parse)?;
        let by_person = matches!(kind, "Patient" | "ServiceRequest" | "Task");
        let stops = self.stops(tx, kind, search, cursor, by_person)?;
        let mut found = Found::default();
        let mut before = cursor;
        for stop in stops {
            let fitting: Vec<Resource> = stop.resources.into_iter().filter(|resource| search.fits(resource)).collect();
            let skip = before.given;
            let room = search.count - found.resources.len();
            let left = fitting.len().saturating_sub(skip);
            found.resources.extend(fitting.into_iter().skip(skip).take(room));
            if left > room {
                found.next = Some(Cursor { at: before.at, given: skip + room }.text());
                return Ok(found);
            }
            before = Cursor { at: stop.at, given: 0 };
            if !stop.at.iter().all(|n| *n == i64::MAX) {
                found.next = Some(before.text());
            }
        }
        if before == cursor || before.at == [i64::MAX; 3] {
            found.next = None;
        }
        Ok(found)
    }

    /// What the walk passes, in order; at most so much that a page is full.
    fn stops(&self, tx: &mut Tx<'_>, kind: &str, search: &Search, cursor: Cursor, by_person: bool) -> Result<Vec<Stop>, Undecided> {
        let mut sight = Sight::of(self.actor, self.day);
        if let Some(ids) = &search.id {
            let mut resources = Vec::new();
            for id in ids.iter().take(100) {
                match self.read(tx, kind, id) {
                    Ok(resource) => resources.push(resource),
                    Err(Undecided::Refused(_)) => {}
                    Err(error) => return Err(error),
                }
            }
            return Ok(end(resources));
        }
        if by_person {
            return match self.people_named(tx, search)? {
                Some(people) => {
                    let mut resources = Vec::new();
                    for person in people {
                        if registry::exists(tx, person)? && sight.person(tx, person)? {
                            resources.extend(self.of_person(tx, kind, person)?);
                        }
                    }
                    Ok(end(resources))
                }
                None => self.all_people(tx, kind, search.count, cursor, &mut sight),
            };
        }
        if let Some(units) = self.units_named(tx, search)? {
            let mut resources = Vec::new();
            for unit in units {
                if sight.unit(tx, &unit)? {
                    resources.extend(self.of_unit(tx, kind, &unit)?);
                }
            }
            return Ok(end(resources));
        }
        match (kind, search.updated()) {
            ("DiagnosticReport", Some(span)) | ("Provenance", Some(span)) => self.all_told(tx, kind, search, span, cursor, &mut sight),
            _ => self.all_tubes(tx, kind, search.count, cursor, &mut sight),
        }
    }

    /// The people a search names; nothing when it names none.
    fn people_named(&self, tx: &mut Tx<'_>, search: &Search) -> Result<Option<Vec<PersonId>>, Undecided> {
        if let Some(patient) = &search.patient {
            return Ok(Some(id_of(patient).into_iter().collect()));
        }
        if let Some(identifier) = &search.identifier {
            return Ok(Some(person_by_identifier(tx, self.vault, identifier)?.into_iter().collect()));
        }
        match &search.name {
            Some(name) => Ok(Some(registry::search(tx, self.vault, name, super::facets::COUNT_MAX)?.into_iter().map(|brief| brief.person).collect())),
            None => Ok(None),
        }
    }

    /// The swabs and tubes a search names; nothing when it names none.
    fn units_named(&self, tx: &mut Tx<'_>, search: &Search) -> Result<Option<Vec<Unit>>, Undecided> {
        let by_number = |tx: &mut Tx<'_>, text: &str| -> Result<Vec<Unit>, Undecided> {
            let id = id_of::<EventId>(text.split(['-', '/']).next().unwrap_or_default());
            Ok(id.map_or(Ok(None), |id| store::unit(tx, id))?.into_iter().collect())
        };
        if let Some(patient) = &search.patient {
            let mut units = id_of(patient).map_or(Ok(Vec::new()), |person| store::units_of_person(tx, person))?;
            if let Some(specimen) = &search.specimen {
                units.retain(|unit| unit.id().to_string() == *specimen);
            }
            return Ok(Some(units));
        }
        if let Some(number) = search.specimen.as_ref().or(search.target.as_ref()) {
            return Ok(Some(by_number(tx, number)?));
        }
        let Some(identifier) = &search.identifier else { return Ok(None) };
        let (named, code) = identifier.rsplit_once('|').unwrap_or((system::TUBE, identifier));
        let mut units = Vec::new();
        if named == system::TUBE || named.is_empty() {
            for clock in laboratory::tubes_by_code(tx, code)? {
                units.extend(store::units_of_tube(tx, clock.tube)?);
            }
        }
        Ok(Some(units))
    }

    fn all_people(&self, tx: &mut Tx<'_>, kind: &str, count: usize, cursor: Cursor, sight: &mut Sight<'_>) -> Result<Vec<Stop>, Undecided> {
        let after = PersonId::from_raw(cursor.at[0]).map_err(|_| Refusal::malformed("exchange-parameter-wrong").with("name", "_after").with("value", ""))?;
        let (mut stops, mut seen) = (Vec::new(), 0);
        for person in registry::people_after(tx, after, VISITED_MAX)? {
            let resources = if sight.person(tx, person)? { self.of_person(tx, kind, person)? } else { Vec::new() };
            seen += resources.len();
            stops.push(Stop { at: [person.raw(), 0, 0], resources });
            if seen > count + cursor.given {
                break;
            }
        }
        Ok(stops)
    }

    fn all_tubes(&self, tx: &mut Tx<'_>, kind: &str, count: usize, cursor: Cursor, sight: &mut Sight<'_>) -> Result<Vec<Stop>, Undecided> {
        let after = TubeId::from_raw(cursor.at[0]).map_err(|_| Refusal::malformed("exchange-parameter-wrong").with("name", "_after").with("value", ""))?;
        let (mut stops, mut seen) = (Vec::new(), 0);
        for tube in laboratory::tubes_after(tx, after, VISITED_MAX)? {
            let resources = self.of_tube(tx, kind, tube, sight)?;
            seen += resources.len();
            stops.push(Stop { at: [tube.raw(), 0, 0], resources });
            if seen > count + cursor.given {
                break;
            }
        }
        Ok(stops)
    }

    /// In the order in which it went out: a tube that was amended comes where its last word stands.
    fn all_told(&self, tx: &mut Tx<'_>, kind: &str, search: &Search, span: (i64, i64), cursor: Cursor, sight: &mut Sight<'_>) -> Result<Vec<Stop>, Undecided> {
        let (mut stops, mut seen) = (Vec::new(), 0);
        let after = (cursor.at[0], cursor.at[1], cursor.at[2]);
        for (recorded, tube, event) in store::told_between(tx, span.0, span.1, after, VISITED_MAX)? {
            let mut resources = Vec::new();
            for resource in self.of_tube(tx, kind, tube, sight)? {
                let of_this = resource.meta().and_then(|meta| meta.last_updated.as_ref()).is_some_and(|at| *at == baton_fhir::Moment::from_us(recorded));
                if of_this && search.fits(&resource) {
                    resources.push(resource);
                }
            }
            seen += resources.len();
            stops.push(Stop { at: [recorded, tube.raw(), event.raw()], resources });
            if seen > search.count + cursor.given {
                break;
            }
        }
        Ok(stops)
    }

    fn of_tube(&self, tx: &mut Tx<'_>, kind: &str, tube: TubeId, sight: &mut Sight<'_>) -> Result<Vec<Resource>, Undecided> {
        let mut resources = Vec::new();
        for unit in store::units_of_tube(tx, tube)? {
            if sight.unit(tx, &unit)? {
                resources.extend(self.of_unit(tx, kind, &unit)?);
            }
        }
        Ok(resources)
    }

    fn of_unit(&self, tx: &mut Tx<'_>, kind: &str, unit: &Unit) -> Result<Vec<Resource>, Undecided> {
        Ok(match kind {
            "Specimen" => vec![self.drawing.specimen(unit).into()],
            "Observation" => self.drawing.observations(unit).into_iter().map(Resource::from).collect(),
            "DiagnosticReport" => vec![self.drawing.report(unit, None).into()],
            "Provenance" => {
                let mut all = Vec::new();
                for told in &unit.tube.told {
                    all.push(self.provenance(tx, unit, told)?);
                }
                all
            }
            _ => Vec::new(),
        })
    }

    fn provenance(&self, tx: &mut Tx<'_>, unit: &Unit, told: &Told) -> Result<Resource, Undecided> {
        let mut names: Vec<(AccountId, Option<String>)> = Vec::new();
        for signer in &told.signers {
            let name = baton_desk::accounts::store::account(tx, self.vault, *signer)?.map(|account| account.secret.name);
            names.push((*signer, name));
        }
        let name_of = |account| names.iter().find(|(signer, _)| *signer == account).and_then(|(_, name)| name.clone());
        Ok(self.drawing.provenance(unit, told, &name_of).into())
    }

    fn of_person(&self, tx: &mut Tx<'_>, kind: &str, person: PersonId) -> Result<Vec<Resource>, Undecided> {
        match kind {
            "Patient" => {
                let brief = registry::person_brief(tx, self.vault, person)?;
                Ok(vec![self.drawing.patient(person, brief.as_ref()).into()])
            }
            "ServiceRequest" => self.requests(tx, person),
            "Task" => {
                let entries = follow_ups::entries_of(tx, person)?;
                Ok(entries.iter().map(|(entry, campaign, closed)| self.drawing.task(person, entry, *campaign, closed, entry.round).into()).collect())
            }
            _ => Ok(Vec::new()),
        }
    }

    fn requests(&self, tx: &mut Tx<'_>, person: PersonId) -> Result<Vec<Resource>, Undecided> {
        let swabs = screening::specimens(tx, person)?;
        let mut requests = Vec::new();
        for due in campaigns::standings_of(tx, person)? {
            let Some(campaign) = campaigns::campaign(tx, due.campaign)? else { continue };
            let window = campaigns::round_window(tx, due.campaign, due.round)?;
            let scan = swabs.iter().rev().find(|swab| due.standing.tube == Some(swab.tube.id)).map(|swab| swab.scan.raw());
            requests.push(self.drawing.request(&due, &campaign, window, scan, self.now).into());
        }
        Ok(requests)
    }
}

enum About {
    Person(PersonId),
    Unit(Box<Unit>),
}

/// A walk that is over with these.
fn end(resources: Vec<Resource>) -> Vec<Stop> {
    vec![Stop { at: [i64::MAX; 3], resources }]
}

/// `urn:x-baton:person|5`, or a document number as it stands on the document.
fn person_by_identifier(tx: &mut Tx<'_>, vault: &Vault, identifier: &str) -> StoreResult<Option<PersonId>> {
    let (named, value) = identifier.rsplit_once('|').unwrap_or(("", identifier));
    if named == system::PERSON {
        return Ok(id_of(value));
    }
    if named.is_empty() {
        for kind in DocumentKind::ALL {
            if let Some(person) = registry::person_by_document(tx, vault.secrets(), kind, value)? {
                return Ok(Some(person));
            }
        }
    }
    Ok(None)
}
