//! The addresses under /fhir. Refusals become OperationOutcomes at the desk.

use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use baton_desk::form::At;
use baton_desk::{Access, Actor, Answered, App, Role, Route};
use baton_fhir::*;
use baton_kit::{AnyId, Refusal};
use baton_ledger::Undecided;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::draw::Drawing;
use super::facets::{SERVED, Search, person_of, release};
use super::search::{Desk, Found, id_of};

/// Who may see one person's result anywhere else.
pub(crate) const READERS: Access = Access::Roles(&[Role::Technician, Role::LaboratoryDirector, Role::Administrator, Role::ZoneManager, Role::GridWarden]);

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::get("/fhir/{release}/metadata", Access::Public, "What the FHIR API can do: CapabilityStatement; release is R4 or R5", metadata),
        Route::get("/fhir/{release}/{kind}", READERS, "Search: Patient, Specimen, ServiceRequest, Observation, DiagnosticReport, Provenance, Task", search),
        Route::get("/fhir/{release}/{kind}/{id}", READERS, "One FHIR resource", read),
        Route::get("/fhir/{release}/{kind}/{id}/_history", READERS, "Every version of a DiagnosticReport that went out", history),
        Route::get("/fhir/{release}/{kind}/{id}/_history/{version}", READERS, "A DiagnosticReport as it was", version),
    ]
}

fn json<T: Serialize>(resource: &T) -> Result<String, Refusal> {
    serde_json::to_string(resource).map_err(|_| Refusal::new("store-broken", baton_kit::Status::Broken))
}

fn answered(text: String) -> Response {
    ([(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE))], text).into_response()
}

async fn metadata(State(app): State<App>, At(name): At<String>, headers: HeaderMap) -> Answered {
    let release = release(&name)?;
    let interaction = |code: &str| Interaction { code: code.to_owned() };
    let served = SERVED.iter().map(|(kind, parameters)| {
        let report = *kind == DiagnosticReport::TYPE;
        let more = if report { vec![interaction("vread"), interaction("history-instance")] } else { Vec::new() };
        ServedResource {
            kind: (*kind).to_owned(),
            interaction: [vec![interaction("read"), interaction("search-type")], more].concat(),
            versioning: if report { "versioned" } else { "no-version" }.to_owned(),
            search_param: parameters.iter().map(|(name, kind)| SearchParam { name: (*name).to_owned(), kind: (*kind).to_owned() }).collect(),
        }
    });
    let statement = CapabilityStatement {
        resource_type: "CapabilityStatement".to_owned(),
        status: "active".to_owned(),
        date: Moment::from_us(app.ledger.now().0),
        kind: "instance".to_owned(),
        software: Software { name: "Baton".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() },
        implementation: Implementation { description: app.name.clone(), url: base(&headers, release) },
        fhir_version: release.version().to_owned(),
        format: vec![MEDIA_TYPE.to_owned(), "json".to_owned()],
        rest: vec![Rest {
            mode: "server".to_owned(),
            security: Security { description: "Bearer token of a sign-in or an enrolled device; roles and scope as everywhere in Baton.".to_owned() },
            resource: served.collect(),
        }],
    };
    Ok(answered(json(&statement)?))
}

/// Where the asker found us. Links lead back there; what is no host is not repeated.
fn base(headers: &HeaderMap, release: Release) -> String {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let plain = |c: char| c.is_ascii_alphanumeric() || ".-:[]".contains(c);
    let host = text("host").filter(|host| !host.is_empty() && host.chars().all(plain)).unwrap_or("localhost");
    let scheme = text("x-forwarded-proto").filter(|proto| *proto == "https").unwrap_or("http");
    format!("{scheme}://{host}/fhir/{}", release.name())
}

/// Runs `work` on the folded state, drawing for this actor.
async fn at_desk<T: Send + 'static>(
    app: &App,
    actor: &Actor,
    release: Release,
    work: impl FnOnce(&mut baton_ledger::Tx<'_>, &Desk<'_>) -> Result<T, Undecided> + Send + 'static,
) -> Result<T, Refusal> {
    let (desk, actor, now) = (app.clone(), actor.clone(), app.ledger.now());
    app.read(move |tx| {
        let words = desk.texts.words(actor.language);
        let drawing = Drawing { release, words: &|key| words.t(key) };
        let desk = Desk { actor: &actor, vault: desk.ledger.vault(), now, day: desk.site.day_of(now), drawing };
        work(tx, &desk)
    })
    .await
}

/// Everybody who is shown is put on record as looked at.
fn looked<'r>(app: &App, actor: &Actor, resources: impl Iterator<Item = &'r Resource>) {
    let mut people: Vec<AnyId> = resources.filter_map(|resource| id_of(person_of(resource)?)).collect();
    people.sort_unstable();
    people.dedup();
    app.looked(actor, people, "fhir");
}

async fn read(State(app): State<App>, actor: Actor, At((name, kind, id)): At<(String, String, String)>, headers: HeaderMap) -> Answered {
    let release = release(&name)?;
    let resource = at_desk(&app, &actor, release, move |tx, desk| desk.read(tx, &kind, &id)).await?;
    looked(&app, &actor, std::iter::once(&resource));
    tagged(&resource, &headers)
}

/// The resource with its tag: the version where it has one, else what it says.
fn tagged(resource: &Resource, headers: &HeaderMap) -> Answered {
    let text = json(resource)?;
    let tag = match resource.meta().and_then(|meta| meta.version_id.as_deref()) {
        Some(version) => format!("W/\"{version}\""),
        None => format!("W/\"{}\"", baton_ledger::hex(&Sha256::digest(&text)[..8])),
    };
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok()).is_some_and(|asked| asked.split(',').any(|one| one.trim() == tag));
    let mut response = if known { StatusCode::NOT_MODIFIED.into_response() } else { answered(text) };
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    if let Some(at) =
        resource.meta().and_then(|meta| Moment::span(&meta.last_updated.as_ref()?.0)).and_then(|(us, _)| HeaderValue::from_str(&http_date(us)).ok())
    {
        response.headers_mut().insert(header::LAST_MODIFIED, at);
    }
    Ok(response)
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`.
fn http_date(us: i64) -> String {
    let text = Moment::from_us(us).0;
    let day = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"][us.div_euclid(86_400_000_000).rem_euclid(7) as usize];
    let month = text[5..7].parse::<usize>().unwrap_or(1).clamp(1, 12);
    let month = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"][month - 1];
    format!("{day}, {} {month} {} {} GMT", &text[8..10], &text[..4], &text[11..19])
}

async fn search(State(app): State<App>, actor: Actor, At((name, kind)): At<(String, String)>, RawQuery(query): RawQuery, headers: HeaderMap) -> Answered {
    let release = release(&name)?;
    let query = query.unwrap_or_default();
    let wrong = |error: &dyn std::fmt::Display| Refusal::malformed("query-wrong").with("problem", error);
    let uri: axum::http::Uri = format!("/?{query}").parse().map_err(|error| wrong(&error))?;
    let pairs = axum::extract::Query::<Vec<(String, String)>>::try_from_uri(&uri).map_err(|error| wrong(&error))?.0;
    let asked = Search::parse(&kind, &pairs)?;
    let of = kind.clone();
    let found: Found = at_desk(&app, &actor, release, move |tx, desk| desk.search(tx, &of, &asked)).await?;
    looked(&app, &actor, found.resources.iter());
    let base = base(&headers, release);
    let link = |relation: &str, url: String| BundleLink { relation: relation.to_owned(), url };
    let own = if query.is_empty() { format!("{base}/{kind}") } else { format!("{base}/{kind}?{query}") };
    let mut links = vec![link("self", own)];
    if let Some(next) = &found.next {
        let rest: Vec<&str> = query.split('&').filter(|pair| !pair.is_empty() && !pair.starts_with("_after=")).collect();
        let rest = [rest.as_slice(), &[format!("_after={next}").as_str()]].concat().join("&");
        links.push(link("next", format!("{base}/{kind}?{rest}")));
    }
    let entry = |resource: Resource| BundleEntry {
        full_url: format!("{base}/{}/{}", resource.kind(), resource.id()),
        resource,
        search: Some(EntrySearch { mode: "match".to_owned() }),
        request: None,
        response: None,
    };
    Ok(answered(json(&Bundle::of("searchset", links, found.resources.into_iter().map(entry).collect()))?))
}

fn reports_only(kind: &str) -> Result<(), Refusal> {
    if kind == DiagnosticReport::TYPE { Ok(()) } else { Err(Refusal::absent("exchange-no-history").with("kind", kind.chars().take(40).collect::<String>())) }
}

async fn history(State(app): State<App>, actor: Actor, At((name, kind, id)): At<(String, String, String)>, headers: HeaderMap) -> Answered {
    let release = release(&name)?;
    reports_only(&kind)?;
    let reports = at_desk(&app, &actor, release, move |tx, desk| desk.history(tx, &id)).await?;
    let resources: Vec<Resource> = reports.into_iter().map(Resource::from).collect();
    looked(&app, &actor, resources.iter());
    let base = base(&headers, release);
    let oldest = resources.len().saturating_sub(1);
    let entry = |(n, resource): (usize, Resource)| {
        let address = format!("{}/{}", resource.kind(), resource.id());
        let (method, status) = if n == oldest { ("POST", "201") } else { ("PUT", "200") };
        BundleEntry {
            full_url: format!("{base}/{address}"),
            search: None,
            request: Some(EntryRequest { method: method.to_owned(), url: if n == oldest { resource.kind().to_owned() } else { address } }),
            response: Some(EntryResponse { status: status.to_owned(), last_modified: resource.meta().and_then(|meta| meta.last_updated.clone()) }),
            resource,
        }
    };
    let mut bundle = Bundle::of("history", Vec::new(), Vec::new());
    bundle.total = Some(resources.len());
    bundle.entry = resources.into_iter().enumerate().map(entry).collect();
    Ok(answered(json(&bundle)?))
}

async fn version(State(app): State<App>, actor: Actor, At((name, kind, id, version)): At<(String, String, String, String)>, headers: HeaderMap) -> Answered {
    let release = release(&name)?;
    reports_only(&kind)?;
    let missing = Refusal::absent("exchange-resource-unknown").with("kind", &kind).with("id", id.chars().take(64).collect::<String>());
    let reports = at_desk(&app, &actor, release, move |tx, desk| desk.history(tx, &id)).await?;
    let of_version = |report: &DiagnosticReport| report.meta.as_ref().is_some_and(|meta| meta.version_id.as_deref() == Some(version.as_str()));
    let resource: Resource = reports.into_iter().find(of_version).ok_or(missing)?.into();
    looked(&app, &actor, std::iter::once(&resource));
    tagged(&resource, &headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_written_as_http_does() {
        assert_eq!(http_date(784_111_777_000_000), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(http_date(0), "Thu, 01 Jan 1970 00:00:00 GMT");
    }
}
