//! What the sampling page and handheld scanners ask: what is this code, and what is in this tube.

use axum::Json;
use axum::extract::State;
use baton_desk::form::{Asked, At};
use baton_desk::{Actor, Answered, App, Budget, Route, any_id};
use baton_kit::{CampaignId, LotId, PersonId, Refusal, Timestamp, TubeId};
use baton_ledger::{StoreResult, Tx, Undecided, Vault};
use baton_registry::events::{DocumentKind, LotKind};
use baton_registry::model::Brief;
use baton_registry::rules::document;
use baton_registry::{is_person_code, read_person_code, store as registry};
use serde::{Deserialize, Serialize};

use super::store;
use crate::campaign::store as campaigns;
use crate::follow_up;
use crate::model::{Due, Journey, Tube};
use crate::view::{SAMPLERS, briefs};

/// How many people a name may name on the sampling page.
const CHOICES: usize = 8;
/// Workmates suggested at most.
const WORKMATES: i64 = 12;

pub fn routes() -> Vec<Route> {
    vec![
        Route::get("/v1/screening/scan", SAMPLERS, "What a scanned or typed code is", scan).asks::<ScanAsked>().answers::<Scanned>().within(Budget::Scans),
        Route::get("/v1/screening/tubes/{tube}", SAMPLERS, "A tube and who is in it", tube).answers::<TubeAnswered>().within(Budget::Scans),
    ]
}

#[derive(Debug, Deserialize, schemars::JsonSchema)]
struct ScanAsked {
    code: String,
    campaign: Option<CampaignId>,
}

/// What a code is.
#[derive(Debug, Serialize, schemars::JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Scanned {
    /// A person; the name is for confirmation.
    Person(PersonAnswered),
    /// Several people answer this name.
    Choices { people: Vec<PersonAnswered> },
    /// A document number that nobody on the roster bears: register on the spot.
    UnknownPerson { document: String, document_kind: DocumentKind },
    /// A lot of preservation fluid.
    Lot { lot: LotId, code: String, expires_us: Timestamp, usable: bool },
    /// The label of a tube that was opened before.
    Tube(TubeAnswered),
    /// Nothing known: the label of a new tube.
    Label { code: String },
}

#[derive(Clone, Debug, Serialize, schemars::JsonSchema)]
struct PersonAnswered {
    person: PersonId,
    name: String,
    document_tail: String,
    /// On the campaign's list.
    listed: bool,
    /// State in the round: `due`, `sampled`, …; empty when not on the list.
    state: String,
    /// When they were last swabbed in this round.
    #[serde(skip_serializing_if = "Option::is_none")]
    swabbed_us: Option<Timestamp>,
    /// Must go into a tube of their own.
    single_needed: bool,
    /// People of the household who are still due.
    household: Vec<Companion>,
    /// Some of those who work at the same place and are still due.
    workmates: Vec<Companion>,
}

#[derive(Clone, Debug, Serialize, schemars::JsonSchema)]
struct Companion {
    person: PersonId,
    name: String,
    document_tail: String,
}

impl Companion {
    fn of(brief: Brief) -> Self {
        Self { person: brief.person, name: brief.name, document_tail: brief.document_tail }
    }
}

#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct TubeAnswered {
    pub tube: TubeId,
    pub code: String,
    pub opened_us: Timestamp,
    pub ratio: u16,
    pub swabs: u16,
    pub follow_up: bool,
    pub sealed: bool,
    /// `travelling`, `in_laboratory`, `void`, `preliminary` or `released`. No outcome: a sampler has no need of it.
    pub journey: &'static str,
    pub members: Vec<MemberAnswered>,
}

#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct MemberAnswered {
    pub scan: baton_kit::EventId,
    pub person: PersonId,
    pub name: String,
}

async fn scan(State(app): State<App>, actor: Actor, Asked(asked): Asked<ScanAsked>) -> Answered<Json<Scanned>> {
    let text = asked.code.trim().to_owned();
    if text.is_empty() || text.len() > 200 {
        return Err(Refusal::malformed("screening-code-unreadable").into());
    }
    let vault = app.ledger.vault().clone();
    let scanned = app.read(move |tx| look_up(tx, &vault, &text, asked.campaign)).await?;
    let seen = match &scanned {
        Scanned::Person(person) => vec![person.clone()],
        Scanned::Choices { people } => people.clone(),
        _ => Vec::new(),
    };
    let subjects = seen
        .iter()
        .flat_map(|person| std::iter::once(person.person).chain(person.household.iter().chain(&person.workmates).map(|c| c.person)))
        .map(any_id)
        .collect();
    app.looked(&actor, subjects, "sampling");
    Ok(Json(scanned))
}

fn look_up(tx: &mut Tx<'_>, vault: &Vault, text: &str, campaign: Option<CampaignId>) -> Result<Scanned, Undecided> {
    if is_person_code(text) {
        let person = read_person_code(&vault.secrets().verifying(), text)?;
        let brief = registry::person_brief(tx, vault, person)?.ok_or_else(|| Refusal::absent("screening-person-unknown"))?;
        return Ok(Scanned::Person(answer_person(tx, vault, brief, campaign)?));
    }
    if let Some(lot) = registry::lot_by_code(tx, LotKind::PreservationFluid, text)? {
        return Ok(Scanned::Lot { lot: lot.id, expires_us: lot.expires, usable: lot.recalled.is_none(), code: lot.code });
    }
    if let Some(tube) = store::tubes_by_code(tx, text)?.pop() {
        return Ok(Scanned::Tube(answer_tube(tx, vault, tube)?));
    }
    if let Some(people) = people_named(tx, vault, text, campaign)? {
        return Ok(people);
    }
    if document::document(DocumentKind::ResidentId, text).is_ok() {
        return Ok(Scanned::UnknownPerson { document: text.to_uppercase(), document_kind: DocumentKind::ResidentId });
    }
    Ok(Scanned::Label { code: text.to_owned() })
}

fn people_named(tx: &mut Tx<'_>, vault: &Vault, text: &str, campaign: Option<CampaignId>) -> StoreResult<Option<Scanned>> {
    let mut found = registry::search(tx, vault, text, CHOICES)?;
    if found.len() > 1 {
        let people = found.into_iter().map(|brief| answer_person(tx, vault, brief, campaign)).collect::<StoreResult<_>>()?;
        return Ok(Some(Scanned::Choices { people }));
    }
    let Some(brief) = found.pop() else { return Ok(None) };
    let person = answer_person(tx, vault, brief, campaign)?;
    // A name is not proof: whoever was only named is chosen by hand.
    let by_number = text.chars().any(|c| c.is_ascii_digit());
    Ok(Some(if by_number { Scanned::Person(person) } else { Scanned::Choices { people: vec![person] } }))
}

fn companions(tx: &mut Tx<'_>, vault: &Vault, due: &[Due]) -> StoreResult<Vec<Companion>> {
    let people: Vec<PersonId> = due.iter().map(|due| due.person).collect();
    Ok(registry::open_people(tx, vault, &people)?.into_iter().map(Companion::of).collect())
}

fn answer_person(tx: &mut Tx<'_>, vault: &Vault, brief: Brief, campaign: Option<CampaignId>) -> StoreResult<PersonAnswered> {
    let campaign = campaign.map(|id| campaigns::campaign(tx, id)).transpose()?.flatten();
    let due = match &campaign {
        Some(campaign) => campaigns::due(tx, campaign.id, campaign.rounds, brief.person)?,
        None => None,
    };
    let (household, workmates) = match (&campaign, &due) {
        (Some(campaign), Some(due)) => {
            (campaigns::household_due(tx, campaign.id, campaign.rounds, due)?, campaigns::workmates_due(tx, campaign.id, campaign.rounds, due, WORKMATES)?)
        }
        _ => (Vec::new(), Vec::new()),
    };
    Ok(PersonAnswered {
        person: brief.person,
        name: brief.name,
        document_tail: brief.document_tail,
        listed: due.as_ref().is_some_and(|due| due.listed),
        state: due.as_ref().map_or("", |due| due.standing.state.name()).to_owned(),
        swabbed_us: due.and_then(|due| due.standing.swabbed),
        single_needed: follow_up::store::needs_single(tx, brief.person)?,
        household: companions(tx, vault, &household)?,
        workmates: companions(tx, vault, &workmates)?,
    })
}

async fn tube(State(app): State<App>, actor: Actor, At(id): At<TubeId>) -> Answered<Json<TubeAnswered>> {
    let vault = app.ledger.vault().clone();
    let asker = actor.clone();
    let answered = app
        .read(move |tx| {
            let tube = store::tube(tx, id)?.filter(|tube| tube.opened).ok_or_else(|| Refusal::absent("screening-tube-unknown"))?;
            let chain = tube.point.map(|point| registry::place_chain(tx, point)).transpose()?.unwrap_or_default();
            // Whoever opened a tube may see what they did, wherever it was.
            if tube.opened_by != asker.account {
                asker.must_reach(&chain)?;
            }
            Ok(answer_tube(tx, &vault, tube)?)
        })
        .await?;
    app.looked(&actor, answered.members.iter().map(|member| any_id(member.person)).collect(), "tube");
    Ok(Json(answered))
}

/// A tube with the names of its people.
pub fn answer_tube(tx: &mut Tx<'_>, vault: &Vault, tube: Tube) -> StoreResult<TubeAnswered> {
    let members = store::members(tx, tube.id)?;
    let people: Vec<PersonId> = members.iter().map(|member| member.person).collect();
    let names = briefs(tx, vault, &people)?;
    let name = |person: &PersonId| names.get(person).map(|brief| brief.name.clone()).unwrap_or_default();
    let journey = match tube.journey {
        Journey::Travelling => "travelling",
        Journey::InLaboratory => "in_laboratory",
        Journey::Void(_) => "void",
        Journey::Preliminary(_) => "preliminary",
        Journey::Released(_) => "released",
    };
    Ok(TubeAnswered {
        tube: tube.id,
        opened_us: tube.opened_at,
        ratio: tube.ratio,
        swabs: tube.swabs,
        follow_up: tube.follow_up,
        sealed: tube.seal.is_some(),
        journey,
        members: members.iter().map(|member| MemberAnswered { scan: member.scan, person: member.person, name: name(&member.person) }).collect(),
        code: tube.code,
    })
}
