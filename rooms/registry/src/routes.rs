//! The JSON API, and what pages and API do alike.

use axum::Json;
use axum::extract::State;
use baton_desk::accounts::store as accounts;
use baton_desk::form::{Asked, At, Body};
use baton_desk::{Access, Actor, Answered, App, Role, Route, Scope, any_id};
use baton_kit::{Bucket, EventId, ImportId, Language, LotId, PersonId, PlaceId, Refusal, Timestamp, TypedId};
use baton_ledger::{Draft, Sealed, StoreResult, Tx, Undecided, to_json};
use serde::{Deserialize, Serialize};

use crate::events::*;
use crate::model::{Brief, Lot, Place};
use crate::rules::{self, document, name};
use crate::{code, import, store};

pub(crate) const WRITE: Access = Access::Roles(&[Role::Administrator, Role::ZoneManager]);
pub(crate) const SEE: Access = Access::Roles(&[Role::Administrator, Role::ZoneManager, Role::GridWarden, Role::EnterpriseContact, Role::Auditor]);
pub(crate) const LOOK_UP: Access =
    Access::Roles(&[Role::Administrator, Role::ZoneManager, Role::GridWarden, Role::EnterpriseContact, Role::SamplingNurse, Role::PointLeader, Role::Auditor]);
pub(crate) const REGISTER: Access = Access::Roles(&[Role::Administrator, Role::ZoneManager, Role::SamplingNurse, Role::PointLeader]);
pub(crate) const SEE_LOTS: Access = Access::Roles(&[
    Role::Administrator,
    Role::ZoneManager,
    Role::SamplingNurse,
    Role::PointLeader,
    Role::Accession,
    Role::Technician,
    Role::LaboratoryDirector,
    Role::Auditor,
]);
pub(crate) const WRITE_LOTS: Access = Access::Roles(&[Role::Administrator, Role::ZoneManager, Role::PointLeader, Role::LaboratoryDirector]);
/// Largest roster by HTTP.
pub(crate) const UPLOAD_BYTES_MAX: usize = 128 << 20;
/// Places of one answer.
const PLACES_MAX: i64 = 5_000;
/// People of one search.
pub(crate) const FOUND_MAX: usize = 50;
/// People opened to find those in reach; whoever is asked for with a more common name is found by document or place.
const FOUND_BEFORE_SCOPE_MAX: usize = 2_000;

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::get("/v1/registry/places", Access::SignedIn, "Places of a kind, or in a place", places).asks::<PlacesAsked>().answers::<Vec<PlaceAnswer>>(),
        Route::get("/v1/registry/places/{place}", Access::SignedIn, "One place", one_place).answers::<PlaceAnswer>(),
        Route::post("/v1/registry/places", WRITE, "Add a place", post_place).takes::<PlaceAsked>().answers::<Made>(),
        Route::post("/v1/registry/people", REGISTER, "Register a person on the spot, or find who bears the document", post_person)
            .takes::<PersonAsked>()
            .answers::<Registered>(),
        Route::post("/v1/registry/people/find", LOOK_UP, "Find people by code, document, phone or name", find)
            .takes::<FindAsked>()
            .answers::<Vec<PersonAnswer>>(),
        crate::matching::route(),
        Route::get("/v1/registry/people/{person}", LOOK_UP, "One person, in short", one_person).answers::<PersonAnswer>(),
        Route::get("/v1/registry/people/{person}/code", LOOK_UP, "The code a person carries", code_of).answers::<CodeAnswer>(),
        Route::post("/v1/registry/people/{person}/shred", Access::Roles(&[Role::Administrator]), "Destroy a person's data key for ever", post_shred)
            .takes::<ReasonAsked>()
            .answers::<Made>(),
        Route::get("/v1/registry/code-key", Access::SignedIn, "The key that verifies people's codes without a connection", code_key).answers::<CodeKey>(),
        Route::get("/v1/registry/lots", SEE_LOTS, "Lots of fluid, extraction and PCR kits", get_lots).answers::<Vec<LotAnswer>>(),
        Route::post("/v1/registry/lots", WRITE_LOTS, "Add a lot", post_lot).takes::<LotAsked>().answers::<Made>(),
        Route::post("/v1/registry/lots/{lot}/recall", WRITE_LOTS, "Recall a lot", post_recall).takes::<ReasonAsked>().answers::<Made>(),
        Route::post("/v1/registry/imports", WRITE, "Import a roster sent as the body; `mode` is dry_run, commit or commit_and_end_gone", post_import)
            .asks::<ImportAsked>()
            .answers::<import::ImportReport>()
            .up_to(UPLOAD_BYTES_MAX),
        Route::post("/v1/registry/imports/{import}/undo", WRITE, "Take an import back", post_undo).answers::<Undone>(),
    ]
}

/// A thing was made or changed; `id` is its own.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub(crate) struct Made {
    pub(crate) id: baton_kit::AnyId,
    pub(crate) ordinal: i64,
}

#[derive(Debug, Serialize, schemars::JsonSchema)]
struct PlaceAnswer {
    id: PlaceId,
    kind: PlaceKind,
    code: String,
    name: String,
    parent: Option<PlaceId>,
    details: PlaceDetails,
    closed: bool,
    /// Memberships that run.
    people: i64,
}

impl From<Place> for PlaceAnswer {
    fn from(place: Place) -> Self {
        let Place { id, kind, code, name, parent, details, closed, people } = place;
        Self { id, kind, code, name, parent, details, closed, people }
    }
}

#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct PlacesAsked {
    kind: Option<PlaceKind>,
    parent: Option<PlaceId>,
}

async fn places(State(app): State<App>, Asked(asked): Asked<PlacesAsked>) -> Answered<Json<Vec<PlaceAnswer>>> {
    let places = app
        .read(move |tx| match (asked.parent, asked.kind) {
            (Some(parent), kind) => {
                let all = store::places_under(tx, parent, store::Paged { limit: PLACES_MAX, offset: 0 })?;
                Ok(all.into_iter().filter(|place| kind.is_none_or(|kind| kind == place.kind)).collect())
            }
            (None, kind) => Ok(store::places_of_kind(tx, kind.unwrap_or(PlaceKind::Zone), PLACES_MAX)?),
        })
        .await?;
    Ok(Json(places.into_iter().map(PlaceAnswer::from).collect()))
}

async fn one_place(State(app): State<App>, At(place): At<PlaceId>) -> Answered<Json<PlaceAnswer>> {
    let place = app.read(move |tx| Ok(store::place(tx, place)?)).await?;
    Ok(Json(place.ok_or_else(|| Refusal::absent("no-such-thing"))?.into()))
}

/// `id` from an earlier answer makes a resend safe; without one Baton makes it.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct PlaceAsked {
    #[serde(default)]
    id: Option<EventId>,
    kind: PlaceKind,
    code: String,
    name: String,
    #[serde(default)]
    parent: Option<PlaceId>,
    #[serde(default)]
    details: PlaceDetails,
}

async fn post_place(State(app): State<App>, actor: Actor, Body(asked): Body<PlaceAsked>) -> Answered<Json<Made>> {
    let command = AddPlace { kind: asked.kind, code: asked.code, name: asked.name, parent: asked.parent, details: asked.details };
    Ok(Json(add_place(&app, &actor, asked.id, command).await?))
}

/// Adds a place; a zone gets the bucket with the fewest zones, everything else its parent's.
pub(crate) async fn add_place(app: &App, actor: &Actor, id: Option<EventId>, command: AddPlace) -> Result<Made, Refusal> {
    let (parent, kind) = (command.parent, command.kind);
    let (chain, bucket) = app
        .read(move |tx| {
            let chain = parent.map_or(Ok(Vec::new()), |parent| store::place_chain(tx, parent))?;
            let bucket = match parent {
                Some(parent) => parent.bucket(),
                None if kind == PlaceKind::Zone => store::zone_bucket(tx, 0)?,
                None => Bucket::INSTALLATION,
            };
            Ok((chain, bucket))
        })
        .await?;
    // A chain of nothing is in reach only of whoever reaches everything; an unknown parent is refused by the rule.
    if parent.is_none() || !chain.is_empty() {
        actor.must_reach(&chain)?;
    }
    let id = match id {
        Some(id) => id,
        None => app.form_id(bucket).await?,
    };
    let decide = move |tx: &mut Tx<'_>, command: &AddPlace, _| Ok(rules::place::add_place(&store::places_now(tx, command)?, id.created(), command)?);
    let decision = app.decide(actor, id, command, decide).await?;
    Ok(Made { id: id.created(), ordinal: decision.acknowledgement.ordinal })
}

/// A person who stands in front of somebody with a document.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PersonAsked {
    #[serde(default)]
    pub(crate) id: Option<EventId>,
    pub(crate) name: String,
    pub(crate) document_kind: DocumentKind,
    pub(crate) document: String,
    #[serde(default)]
    pub(crate) phone: Option<String>,
    #[serde(default)]
    pub(crate) address: Option<String>,
    /// In which they want to be told things: `zh-Hans`, `zh-Hant`, `en`.
    #[serde(default)]
    pub(crate) language: Option<Language>,
    /// Where they belong: a zone, grid, building or enterprise, or a point in one; nothing for somebody passing through.
    #[serde(default)]
    pub(crate) place: Option<PlaceId>,
    #[serde(default)]
    pub(crate) tags: Vec<String>,
}

#[derive(Debug, Serialize, schemars::JsonSchema)]
pub(crate) struct Registered {
    pub(crate) person: PersonId,
    /// True when the document was in the registry already: nothing was changed.
    pub(crate) known: bool,
}

async fn post_person(State(app): State<App>, actor: Actor, Body(asked): Body<PersonAsked>) -> Answered<Json<Registered>> {
    Ok(Json(register(&app, &actor, asked).await?))
}

/// The particulars in normal form, or the refusal that names the field.
pub(crate) fn particulars(asked: &PersonAsked) -> Result<Particulars, Refusal> {
    let wrong = |field: &'static str, problem: &'static str| Refusal::ruled("person-field-wrong").with("field", field).with("problem", problem);
    let given = |text: &Option<String>| text.as_deref().map(name::tidy).filter(|text| !text.is_empty());
    let tidy = name::tidy(&asked.name);
    match () {
        () if tidy.is_empty() => return Err(wrong("name", "empty")),
        () if tidy.chars().count() > name::NAME_LENGTH_MAX => return Err(wrong("name", "length")),
        () if name::terms(&tidy).is_empty() => return Err(wrong("name", "character")),
        () if asked.tags.len() > 20 || asked.tags.iter().any(|tag| tag.chars().count() > 60) => return Err(wrong("tag", "length")),
        () => {}
    }
    Ok(Particulars {
        name: tidy,
        document_kind: asked.document_kind,
        document: document::document(asked.document_kind, &asked.document).map_err(|problem| wrong("document_number", problem.code()))?,
        phone: given(&asked.phone).map(|phone| document::phone(&phone)).transpose().map_err(|problem| wrong("phone", problem.code()))?,
        address: given(&asked.address).map(|text| text.chars().take(200).collect()),
        language: asked.language,
    })
}

/// The membership that a place stands for.
fn membership_at(tx: &mut Tx<'_>, chain: &[PlaceId]) -> StoreResult<Membership> {
    let mut membership = Membership::default();
    for id in chain {
        match store::place(tx, *id)?.map(|place| place.kind) {
            Some(PlaceKind::Zone) => membership.zone = Some(*id),
            Some(PlaceKind::Grid) => membership.grid = Some(*id),
            Some(PlaceKind::Building) => membership.building = Some(*id),
            Some(PlaceKind::Enterprise) => membership.enterprise = Some(*id),
            _ => {}
        }
    }
    Ok(membership)
}

/// Enters a person who is here now; whoever bears the document already is answered instead.
pub(crate) async fn register(app: &App, actor: &Actor, asked: PersonAsked) -> Result<Registered, Refusal> {
    let particulars = particulars(&asked)?;
    let (place, secrets) = (asked.place, app.ledger.vault().secrets().clone());
    let sent: Option<PersonId> = asked.id.map(EventId::created);
    let found = particulars.clone();
    let (known, chain, membership) = app
        .read(move |tx| {
            let resent = match sent {
                Some(person) if store::exists(tx, person)? => Some(person),
                _ => None,
            };
            let known = resent.map_or_else(|| store::person_by_document(tx, &secrets, found.document_kind, &found.document), |person| Ok(Some(person)))?;
            let chain = place.map_or(Ok(Vec::new()), |place| store::place_chain(tx, place))?;
            let membership = membership_at(tx, &chain)?;
            Ok((known, chain, membership))
        })
        .await?;
    if let Some(person) = known {
        app.looked(actor, vec![any_id(person)], "register");
        return Ok(Registered { person, known: true });
    }
    if place.is_some() {
        if chain.is_empty() {
            return Err(Refusal::absent("place-parent-unknown"));
        }
        actor.must_reach(&chain)?;
    }
    let id = match asked.id {
        Some(id) => id,
        None => app.form_id(place.map_or(Bucket::INSTALLATION, TypedId::bucket)).await?,
    };
    let from_day = app.site.day_of(app.ledger.now());
    record_person(app, actor, id, id.created(), PersonAt { particulars, membership, tags: asked.tags, from_day }).await?;
    Ok(Registered { person: id.created(), known: false })
}

struct PersonAt {
    particulars: Particulars,
    membership: Membership,
    tags: Vec<String>,
    from_day: baton_kit::OperationalDay,
}

async fn record_person(app: &App, actor: &Actor, id: EventId, person: PersonId, at: PersonAt) -> Result<(), Refusal> {
    let (ledger, account) = (app.ledger.clone(), actor.account);
    let draft = app
        .blocking(move || {
            let sealed = Sealed(ledger.vault().seal(any_id(person), to_json(&at.particulars)?.as_bytes())?);
            let record = PersonRecord { person, sealed, membership: at.membership, tags: at.tags };
            Ok(Draft::of(id, ledger.now(), account, &PeopleRecorded { import: None, from_day: at.from_day, people: vec![record] })?)
        })
        .await?;
    for answer in app.record(vec![draft]).await? {
        app.seen(answer?.ordinal).await;
    }
    Ok(())
}

/// Whom to find: the code they carry, or anything else one knows of them.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct FindAsked {
    text: String,
}

#[derive(Debug, Serialize, schemars::JsonSchema)]
struct PersonAnswer {
    person: PersonId,
    name: String,
    document_kind: DocumentKind,
    document_tail: String,
    tags: Vec<String>,
    zone: Option<PlaceId>,
    grid: Option<PlaceId>,
    building: Option<PlaceId>,
    enterprise: Option<PlaceId>,
}

/// A person in short, and where they belong today.
pub(crate) type Placed = (Brief, Option<Membership>);

fn answer((brief, membership): Placed) -> PersonAnswer {
    let Brief { person, name, document_kind, document_tail, tags, told_in: _ } = brief;
    let Membership { zone, grid, building, enterprise, household: _ } = membership.unwrap_or_default();
    PersonAnswer { person, name, document_kind, document_tail, tags, zone, grid, building, enterprise }
}

/// The places a person belongs to, the smallest first: what an actor must reach one of.
pub(crate) fn reach_of(membership: Option<&Membership>) -> Vec<PlaceId> {
    let Some(m) = membership else { return Vec::new() };
    [m.enterprise, m.building, m.grid, m.zone].into_iter().flatten().collect()
}

async fn find(State(app): State<App>, actor: Actor, Body(asked): Body<FindAsked>) -> Answered<Json<Vec<PersonAnswer>>> {
    Ok(Json(find_people(&app, &actor, asked.text).await?.into_iter().map(answer).collect()))
}

/// Who answers `text`. A code or a whole document number finds anybody: the person stands there with it. Anything else finds
/// people in reach only, and is not for those who take swabs.
pub(crate) async fn find_people(app: &App, actor: &Actor, text: String) -> Result<Vec<Placed>, Refusal> {
    let day = app.site.day_of(app.ledger.now());
    let (vault, asker) = (app.ledger.vault().clone(), actor.clone());
    let carried = if code::is_person_code(&text) { Some(code::read_person_code(&vault.secrets().verifying(), &text)?) } else { None };
    let found = app
        .read(move |tx| {
            let mut shown = carried.map_or(Ok(Vec::new()), |person| store::open_people(tx, &vault, &[person]))?;
            if shown.is_empty() && carried.is_none() {
                shown = by_document(tx, &vault, &text)?;
            }
            let certain = carried.is_some() || !shown.is_empty();
            if !certain && SEE.admits(&asker) {
                // Whoever sees one zone must not be shown fewer because others bear the name elsewhere.
                let limit = if asker.scope == Scope::Everywhere { FOUND_MAX } else { FOUND_BEFORE_SCOPE_MAX };
                shown = store::search(tx, &vault, &text, limit)?;
            }
            let mut placed = Vec::with_capacity(shown.len());
            for brief in shown {
                let membership = store::membership(tx, brief.person, day)?;
                if certain || asker.scope.reaches_any(&reach_of(membership.as_ref())) {
                    placed.push((brief, membership));
                }
            }
            placed.truncate(FOUND_MAX);
            Ok(placed)
        })
        .await?;
    app.looked(actor, found.iter().map(|(brief, _)| any_id(brief.person)).collect(), "search");
    Ok(found)
}

fn by_document(tx: &mut Tx<'_>, vault: &baton_ledger::Vault, text: &str) -> StoreResult<Vec<Brief>> {
    for kind in DocumentKind::ALL {
        if let Some(person) = store::person_by_document(tx, vault.secrets(), kind, text)? {
            return store::open_people(tx, vault, &[person]);
        }
    }
    Ok(Vec::new())
}

async fn one_person(State(app): State<App>, actor: Actor, At(person): At<PersonId>) -> Answered<Json<PersonAnswer>> {
    Ok(Json(answer(in_reach(&app, &actor, person, "look-up").await?)))
}

/// A person the actor may see, put on record as seen.
pub(crate) async fn in_reach(app: &App, actor: &Actor, person: PersonId, purpose: &'static str) -> Result<Placed, Refusal> {
    let (vault, day) = (app.ledger.vault().clone(), app.site.day_of(app.ledger.now()));
    let (brief, membership) = app.read(move |tx| Ok((store::person_brief(tx, &vault, person)?, store::membership(tx, person, day)?))).await?;
    let brief = brief.ok_or_else(|| Refusal::absent("no-such-thing"))?;
    // Somebody passing through belongs to no zone: whoever may look people up may see them.
    if membership != Some(Membership::default()) {
        actor.must_reach(&reach_of(membership.as_ref()))?;
    }
    app.looked(actor, vec![any_id(person)], purpose);
    Ok((brief, membership))
}

#[derive(Debug, Serialize, schemars::JsonSchema)]
struct CodeAnswer {
    code: String,
}

async fn code_of(State(app): State<App>, actor: Actor, At(person): At<PersonId>) -> Answered<Json<CodeAnswer>> {
    in_reach(&app, &actor, person, "code").await?;
    Ok(Json(CodeAnswer { code: code::person_code(app.ledger.secrets(), person) }))
}

/// Ed25519, in hexadecimal; over `baton person code 1`, a zero byte and the eight bytes of the id.
#[derive(Debug, Serialize, schemars::JsonSchema)]
struct CodeKey {
    ed25519: String,
    prefix: &'static str,
}

async fn code_key(State(app): State<App>) -> Json<CodeKey> {
    Json(CodeKey { ed25519: baton_ledger::hex(app.ledger.secrets().verifying().as_bytes()), prefix: code::PREFIX })
}

#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct ReasonAsked {
    #[serde(default)]
    id: Option<EventId>,
    reason: String,
}

async fn post_shred(State(app): State<App>, actor: Actor, At(person): At<PersonId>, Body(asked): Body<ReasonAsked>) -> Answered<Json<Made>> {
    Ok(Json(shred(&app, &actor, asked.id, ShredPerson { person, reason: asked.reason }).await?))
}

/// Puts the shredding on record, then destroys the key: in this order, so that a key is never gone without a word.
pub(crate) async fn shred(app: &App, actor: &Actor, id: Option<EventId>, command: ShredPerson) -> Result<Made, Refusal> {
    let person = command.person;
    let id = match id {
        Some(id) => id,
        None => app.form_id(person.bucket()).await?,
    };
    let vault = app.ledger.vault().clone();
    let decide = move |tx: &mut Tx<'_>, command: &ShredPerson, _: Timestamp| {
        let state = store::person(tx, &vault, command.person)?.map(|person| person.state);
        Ok(rules::person::shred(state, command)?)
    };
    let decision = app.decide(actor, id, command, decide).await?;
    let ledger = app.ledger.clone();
    app.blocking(move || Ok(ledger.vault().shred(any_id(person))?)).await?;
    Ok(Made { id: any_id(person), ordinal: decision.acknowledgement.ordinal })
}

#[derive(Debug, Serialize, schemars::JsonSchema)]
struct LotAnswer {
    id: LotId,
    kind: LotKind,
    code: String,
    product: String,
    expires_us: Timestamp,
    recalled_us: Option<Timestamp>,
    usable: bool,
}

async fn get_lots(State(app): State<App>) -> Answered<Json<Vec<LotAnswer>>> {
    let (now, lots) = (app.ledger.now(), app.read(|tx| Ok(store::lots(tx, None)?)).await?);
    let answer = |lot: Lot| LotAnswer {
        usable: lot.usable(now),
        id: lot.id,
        kind: lot.kind,
        recalled_us: lot.recalled.map(|(at, _)| at),
        code: lot.code,
        product: lot.product,
        expires_us: lot.expires,
    };
    Ok(Json(lots.into_iter().map(answer).collect()))
}

#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct LotAsked {
    #[serde(default)]
    id: Option<EventId>,
    kind: LotKind,
    code: String,
    product: String,
    expires_us: Timestamp,
}

async fn post_lot(State(app): State<App>, actor: Actor, Body(asked): Body<LotAsked>) -> Answered<Json<Made>> {
    let command = AddLot { kind: asked.kind, code: asked.code, product: asked.product, expires_us: asked.expires_us };
    Ok(Json(add_lot(&app, &actor, asked.id, command).await?))
}

pub(crate) async fn add_lot(app: &App, actor: &Actor, id: Option<EventId>, command: AddLot) -> Result<Made, Refusal> {
    let id = match id {
        Some(id) => id,
        None => app.form_id(Bucket::INSTALLATION).await?,
    };
    let decide =
        |tx: &mut Tx<'_>, command: &AddLot, _: Timestamp| Ok(rules::lot::add_lot(store::lot_by_code(tx, command.kind, &command.code)?.is_some(), command)?);
    let decision = app.decide(actor, id, command, decide).await?;
    Ok(Made { id: id.created(), ordinal: decision.acknowledgement.ordinal })
}

async fn post_recall(State(app): State<App>, actor: Actor, At(lot): At<LotId>, Body(asked): Body<ReasonAsked>) -> Answered<Json<Made>> {
    Ok(Json(recall(&app, &actor, asked.id, RecallLot { lot, reason: asked.reason }).await?))
}

pub(crate) async fn recall(app: &App, actor: &Actor, id: Option<EventId>, command: RecallLot) -> Result<Made, Refusal> {
    let lot = command.lot;
    let id = match id {
        Some(id) => id,
        None => app.form_id(Bucket::INSTALLATION).await?,
    };
    let decide = |tx: &mut Tx<'_>, command: &RecallLot, _: Timestamp| Ok(rules::lot::recall_lot(store::lot(tx, command.lot)?.as_ref(), command)?);
    let decision = app.decide(actor, id, command, decide).await?;
    Ok(Made { id: any_id(lot), ordinal: decision.acknowledgement.ordinal })
}

#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct ImportAsked {
    file: String,
    mode: import::Mode,
}

async fn post_import(State(app): State<App>, actor: Actor, Asked(asked): Asked<ImportAsked>, bytes: axum::body::Bytes) -> Answered<Json<import::ImportReport>> {
    let (ledger, site) = (app.ledger.clone(), app.site.clone());
    let work = move || Ok::<_, Undecided>(import::run_import(&ledger, &site, &actor, &bytes, &asked.file, None, asked.mode, |_, _| {})?);
    Ok(Json(app.blocking(work).await?))
}

#[derive(Debug, Serialize, schemars::JsonSchema)]
struct Undone {
    people: u64,
}

async fn post_undo(State(app): State<App>, actor: Actor, At(import): At<ImportId>) -> Answered<Json<Undone>> {
    Ok(Json(Undone { people: undo(&app, &actor, import).await? }))
}

/// Taken back only by whoever reaches everything: an import may span zones.
pub(crate) async fn undo(app: &App, actor: &Actor, import: ImportId) -> Result<u64, Refusal> {
    actor.must_reach(&[])?;
    let (ledger, actor) = (app.ledger.clone(), actor.clone());
    app.blocking(move || Ok(import::undo_import(&ledger, &actor, import, |_, _| {})?)).await
}

/// The last looks at a person, with the names of those who looked.
pub(crate) fn looks(tx: &mut Tx<'_>, vault: &baton_ledger::Vault, person: PersonId, limit: i64) -> StoreResult<Vec<(Timestamp, String, String)>> {
    let mut names: std::collections::HashMap<baton_kit::AccountId, String> = std::collections::HashMap::new();
    let mut looks = Vec::new();
    for (at, account, purpose) in accounts::views_of(tx, any_id(person), limit)? {
        let name = match account {
            None => "Baton".to_owned(),
            Some(account) => match names.get(&account) {
                Some(name) => name.clone(),
                None => {
                    let name = accounts::account(tx, vault, account)?.map_or_else(|| account.to_string(), |account| account.secret.name);
                    names.insert(account, name.clone());
                    name
                }
            },
        };
        looks.push((at, name, purpose));
    }
    Ok(looks)
}
