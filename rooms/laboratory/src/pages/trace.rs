//! Looking up both ways: a person, lot, plate, box, tube or operator, and everyone it leads to.

use std::collections::{BTreeSet, HashMap};

use axum::extract::State;
use axum::response::Redirect;
use baton_desk::answer::Answered;
use baton_desk::form::{Asked, At};
use baton_desk::{Actor, App, Page, Route, any_id};
use baton_kit::{AnyId, PersonId, Refusal, TubeId};
use baton_ledger::{Tx, Undecided, Vault};
use baton_registry::events::LotKind;
use baton_registry::store as registry;
use maud::{Markup, html};
use serde::Deserialize;

use super::graph::Graph;
use super::{outcome_words, styled};
use crate::routes::{REPORT_ACCESS, REPORTS_ACCESS, TRACE_ACCESS, origin_of, people_page, reach_origin, reach_person};
use crate::store::graph::Start;
use crate::store::lineage::{self, Extent, Origin, Reached};
use crate::store::{self, clock};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/laboratory/lineage", TRACE_ACCESS, "Look-up by lot, plate, box, tube or person", search_page),
        Route::get("/laboratory/lineage/person/{person}", TRACE_ACCESS, "From a person to tubes, boxes, plates, runs and results", person_page),
        Route::get("/laboratory/lineage/{origin}/{id}", TRACE_ACCESS, "Everyone an origin leads to", lineage_page),
    ]
}

#[derive(Deserialize)]
struct SearchAsked {
    #[serde(default)]
    text: String,
}

async fn search_page(State(app): State<App>, actor: Actor, Asked(asked): Asked<SearchAsked>) -> Answered {
    use axum::response::IntoResponse;
    let text = asked.text.trim().to_owned();
    let page = Page::new(&app, &actor);
    if !text.is_empty() {
        let key = app.ledger.secrets().verifying();
        if let Ok(person) = baton_registry::read_person_code(&key, &text) {
            return Ok(Redirect::to(&format!("/laboratory/lineage/person/{person}")).into_response());
        }
        let found = app.read(move |tx| find(tx, &text)).await?;
        let link = found.ok_or_else(|| Refusal::absent("lab-nothing-found"))?;
        return Ok(Redirect::to(&link).into_response());
    }
    Ok(page
        .frame(
            &page.t("laboratory-lineage"),
            styled(html! {
                form.narrow method="get" action="/laboratory/lineage" {
                    label { span { (page.t("laboratory-lineage-ask")) } input name="text" required autofocus autocomplete="off" spellcheck="false"; }
                    button.primary { (page.t("laboratory-lineage-go")) }
                }
            }),
        )
        .into_response())
}

/// What bears this printed code, or this id: a tube, a box, a plate, a lot, a person.
fn find(tx: &mut Tx<'_>, text: &str) -> Result<Option<String>, Undecided> {
    let to = |kind: &str, id: AnyId| Some(format!("/laboratory/lineage/{kind}/{id}"));
    if let Some(clock) = store::tubes_by_code(tx, text)?.first() {
        return Ok(to("tube", any_id(clock.tube)));
    }
    for kind in [LotKind::PreservationFluid, LotKind::ExtractionKit, LotKind::PcrKit] {
        if let Some(lot) = registry::lot_by_code(tx, kind, text)? {
            return Ok(to("lot", any_id(lot.id)));
        }
    }
    if let Some(plate) = store::bench::any_plate_by_code(tx, text)? {
        return Ok(to("plate", any_id(plate)));
    }
    if let Some(box_id) = clock::box_by_code(tx, text)? {
        return Ok(to("box", any_id(box_id)));
    }
    let Ok(id) = text.parse::<AnyId>() else { return Ok(None) };
    let person = baton_kit::TypedId::from_packed(baton_kit::TypedId::packed(id));
    Ok(registry::exists(tx, person)?.then(|| format!("/laboratory/lineage/person/{}", PersonId::to_string(&person))))
}

#[derive(Deserialize)]
struct PageAsked {
    #[serde(default)]
    after: Option<TubeId>,
}

async fn lineage_page(State(app): State<App>, actor: Actor, At((kind, id)): At<(String, AnyId)>, Asked(asked): Asked<PageAsked>) -> Answered<Markup> {
    let origin = origin_of(&kind, id)?;
    let (who, vault) = (actor.clone(), app.ledger.vault().clone());
    let (extent, people, names, next, title, drawn) = app
        .read(move |tx| {
            reach_origin(tx, &who, origin)?;
            let (people, next) = people_page(tx, origin, asked.after)?;
            let extent = lineage::extent(tx, origin)?;
            let drawn = Graph::load(tx, &vault, &Start::Origin(origin), extent.tubes, extent.swabs)?;
            let ids: Vec<PersonId> = people.iter().map(|reached| reached.person).collect();
            let names = registry::open_people(tx, &vault, &ids)?.into_iter().map(|brief| (brief.person, brief.name)).collect();
            Ok((extent, people, names, next, title_of(tx, &vault, origin)?, drawn))
        })
        .await?;
    app.looked(&actor, people.iter().map(|reached| reached.person).chain(drawn.shown()).collect::<BTreeSet<_>>().into_iter().map(any_id).collect(), "lineage");
    let page = Page::new(&app, &actor);
    let kind_words = page.t(&format!("laboratory-origin-{}", origin.name()));
    Ok(page.frame(&format!("{kind_words} {title}"), styled(html! {
        (extent_figures(&page, &extent))
        (super::graph::draw(&page, &drawn))
        p.actions.no-print { a.button href={ "/v1/laboratory/lineage/" (origin.name()) "/" (id) "/people.csv" } { "CSV" } " " (page.way(REPORTS_ACCESS, &format!("/v1/laboratory/lineage/{}/{id}/reports.pdf", origin.name()), &page.t("laboratory-paper-many"))) }
        (people_table(&page, &people, &names))
        @if let Some(next) = next { p { a.button href={ "/laboratory/lineage/" (origin.name()) "/" (id) "?after=" (next) } { (page.t("laboratory-next-page")) } } }
    })))
}

/// From one person: their tubes and all that these passed.
async fn person_page(State(app): State<App>, actor: Actor, At(person): At<PersonId>) -> Answered<Markup> {
    let (who, vault, day) = (actor.clone(), app.ledger.vault().clone(), app.site.day_of(app.ledger.now()));
    let (name, drawn) = app
        .read(move |tx| {
            reach_person(tx, &who, person, day)?;
            let tubes: Vec<TubeId> = store::results::memberships(tx, person)?.into_iter().map(|membership| membership.clock.tube).take(100).collect();
            let mut swabs = 0;
            for tube in &tubes {
                swabs += store::tube(tx, *tube)?.map_or(0, |clock| clock.members);
            }
            let name = registry::person_brief(tx, &vault, person)?.map_or_else(|| person.to_string(), |brief| brief.name);
            let count = tubes.len() as i64;
            Ok((name, Graph::load(tx, &vault, &Start::Tubes(tubes), count, swabs)?))
        })
        .await?;
    app.looked(&actor, drawn.shown().into_iter().chain([person]).collect::<BTreeSet<_>>().into_iter().map(any_id).collect(), "lineage");
    let page = Page::new(&app, &actor);
    let title = page.with("laboratory-graph-of-person", &[("name", &name)]);
    let content = html! {
        (super::graph::draw(&page, &drawn))
        p.actions { (page.way(REPORT_ACCESS, &format!("/laboratory/people/{person}"), &page.t("laboratory-person-title"))) }
    };
    Ok(page.frame(&title, styled(content)))
}

fn title_of(tx: &mut Tx<'_>, vault: &Vault, origin: Origin) -> Result<String, Undecided> {
    let known = match origin {
        Origin::Lot(id) => registry::lot(tx, id)?.map(|lot| format!("{} · {}", lot.code, lot.product)),
        Origin::Plate(id) => store::bench::plate(tx, id)?.map(|plate| plate.code),
        Origin::Box(id) => clock::box_code(tx, id)?,
        Origin::Tube(id) => store::tube(tx, id)?.and_then(|clock| clock.code),
        Origin::Operator(id) => baton_desk::accounts::store::account(tx, vault, id)?.map(|account| account.secret.name),
    };
    Ok(known.unwrap_or_else(|| origin.id().to_string()))
}

fn extent_figures(page: &Page<'_>, extent: &Extent) -> Markup {
    html! {
        dl.figures {
            div { dt { (page.t("laboratory-tubes-count")) } dd { (extent.tubes) } }
            div { dt { (page.t("laboratory-swabs")) } dd { (extent.swabs) } }
            div { dt { (page.t("laboratory-released-tubes")) } dd { (extent.released) } }
            div { dt { (page.t("laboratory-negative-tubes")) } dd { (extent.negative) } }
        }
    }
}

fn people_table(page: &Page<'_>, people: &[Reached], names: &HashMap<PersonId, String>) -> Markup {
    let name = |person: PersonId| names.get(&person).cloned().unwrap_or_else(|| person.to_string());
    html! {
        @if people.is_empty() { p.empty { (page.t("laboratory-nobody")) } } @else {
            div.scroll { table {
                thead { tr { th { (page.t("laboratory-tube-code")) } th { (page.t("laboratory-person")) } th { (page.t("laboratory-swabbed-at")) } th { (page.t("laboratory-tube-showed")) } th { (page.t("laboratory-released-at")) } } }
                tbody { @for reached in people {
                    tr {
                        td { a href={ "/laboratory/tubes/" (reached.tube) } { (reached.code.clone().unwrap_or_else(|| reached.tube.to_string())) } }
                        td { a href={ "/laboratory/lineage/person/" (reached.person) } { (name(reached.person)) } }
                        td { (page.time(reached.swabbed_us)) }
                        td { (reached.outcome.map_or_else(|| "–".to_owned(), |outcome| outcome_words(page, outcome))) }
                        td { (super::time_or_dash(page, reached.released_us)) }
                    }
                } }
            } }
        }
    }
}
