//! Taking tubes in: by scan, by box, or rejecting with a coded reason.

use axum::extract::State;
use axum::response::Redirect;
use baton_desk::answer::Answered;
use baton_desk::form::{Asked, Form};
use baton_desk::{Actor, App, Page, Route};
use baton_kit::{BoxId, EventId, PlaceId, Refusal, Timestamp, TubeId, TypedId};
use baton_registry::model::Place;
use maud::{Markup, html};
use serde::Deserialize;

use super::{chosen, finding_words, form_id, laboratory_choice, span, styled};
use crate::commands;
use crate::model::{LIMIT_US, TubeClock};
use crate::routes::RECEIVE_ACCESS;
use crate::store::{self, clock, results};

/// Why a tube is not taken.
pub(crate) const REJECTIONS: [&str; 7] = ["leaked", "unlabelled", "damaged", "expired_fluid", "count_mismatch", "too_old", "other"];

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/laboratory/accession", RECEIVE_ACCESS, "Take tubes in by scan or by box", accession_page),
        Route::post("/laboratory/accession", RECEIVE_ACCESS, "Take in or reject one tube", accession),
        Route::post("/laboratory/accession/box", RECEIVE_ACCESS, "Take in all tubes of a box", accession_of_box),
    ]
}

#[derive(Deserialize)]
struct AccessionAsked {
    #[serde(default)]
    laboratory: Option<PlaceId>,
    /// The tube looked at last.
    #[serde(default)]
    tube: Option<TubeId>,
}

struct Desk {
    here: Place,
    mine: Vec<Place>,
    taken: (i64, Option<i64>),
    boxes: Vec<(BoxId, String, Option<Timestamp>, i64)>,
    last: Option<TubeClock>,
    findings: Vec<results::Finding>,
}

async fn accession_page(State(app): State<App>, actor: Actor, Asked(asked): Asked<AccessionAsked>) -> Answered<Markup> {
    let (who, site, now) = (actor.clone(), app.site.clone(), app.ledger.now());
    let desk = app
        .read(move |tx| {
            let (here, mine) = chosen(tx, &who, asked.laboratory)?;
            let last = asked.tube.map_or(Ok(None), |tube| store::tube(tx, tube))?;
            let findings = match &last {
                Some(clock) => results::open_findings_of(tx, clock.tube)?,
                None => Vec::new(),
            };
            Ok(Desk { taken: commands::capacity_today(tx, here.id, &site, now)?, boxes: clock::boxes_to_accession(tx, here.id)?, last, findings, here, mine })
        })
        .await?;
    let page = Page::new(&app, &actor);
    let scan_id = form_id(&app, desk.here.id).await?;
    Ok(page.frame_with(&page.t("laboratory-accession"), super::SCRIPTS, styled(html! {
        (laboratory_choice(&page, &desk.here, &desk.mine, "/laboratory/accession"))
        (capacity(&page, desk.taken))
        form.narrow method="post" action="/laboratory/accession" {
            input type="hidden" name="id" value=(scan_id);
            input type="hidden" name="laboratory" value=(desk.here.id);
            label { span { (page.t("laboratory-tube-code")) } input name="code" required autofocus autocomplete="off" autocapitalize="characters" spellcheck="false"; }
            label { span { (page.t("laboratory-reject-reason")) } select name="rejected" {
                option value="" { (page.t("laboratory-accepted")) }
                @for reason in REJECTIONS { option value=(reason) { (page.t(&format!("laboratory-reject-{}", reason.replace('_', "-")))) } }
            } }
            button.primary { (page.t("laboratory-take")) }
        }
        @if let Some(clock) = &desk.last { (last_tube(&page, clock, &desk.findings, now)) }
        h2 { (page.t("laboratory-boxes")) }
        @if desk.boxes.is_empty() { p.empty { (page.t("laboratory-none-boxes")) } }
        @for (id, code, arrived, tubes) in &desk.boxes {
            form.inline method="post" action="/laboratory/accession/box" {
                input type="hidden" name="laboratory" value=(desk.here.id);
                input type="hidden" name="box" value=(id);
                span { strong { (code) } " · " (super::time_or_dash(&page, *arrived)) " · " (page.with("laboratory-tubes", &[("count", &tubes.to_string())])) }
                button { (page.t("laboratory-take-all")) }
            }
            br;
        }
    })))
}

fn capacity(page: &Page<'_>, (taken, declared): (i64, Option<i64>)) -> Markup {
    let over = declared.is_some_and(|declared| taken >= declared);
    let declared = declared.map_or_else(|| page.t("laboratory-undeclared"), |n| n.to_string());
    let words = page.with("laboratory-capacity-today", &[("taken", &taken.to_string()), ("declared", &declared)]);
    html! { p.notice.bad[over] { (words) } }
}

fn last_tube(page: &Page<'_>, clock: &TubeClock, findings: &[results::Finding], now: Timestamp) -> Markup {
    let left = clock.began().map(|began| LIMIT_US - now.since(began));
    let bad = clock.rejected.is_some() || !findings.is_empty();
    html! {
        div.notice.good[!bad].warn[bad] role="status" {
            p { strong { (clock.code.clone().unwrap_or_else(|| clock.tube.to_string())) } " · " (page.t(&format!("laboratory-stage-{}", clock.stage().name())))
                @if let Some(reason) = &clock.rejected { " · " (super::coded(page, "reject", reason)) } }
            @if let Some(left) = left { p.bad[left < 0] { (page.with("laboratory-time-left", &[("time", &span(left))])) } }
            @for found in findings { p.bad { (finding_words(page, &found.code)) } }
        }
    }
}

#[derive(Deserialize)]
struct AccessionForm {
    id: EventId,
    laboratory: PlaceId,
    code: String,
    #[serde(default)]
    rejected: String,
}

async fn accession(State(app): State<App>, actor: Actor, Form(form): Form<AccessionForm>) -> Answered<Redirect> {
    let rejected = match form.rejected.as_str() {
        "" => None,
        reason if REJECTIONS.contains(&reason) => Some(reason.to_owned()),
        other => return Err(Refusal::malformed("lab-rejection-unknown").with("reason", other).into()),
    };
    let code = form.code.trim().to_owned();
    let tube = app.read(move |tx| Ok(the_tube(store::tubes_by_code(tx, &code)?, &code)?)).await?;
    commands::accession(&app, &actor, form.laboratory, vec![(form.id, tube)], rejected).await?;
    Ok(Redirect::to(&format!("/laboratory/accession?laboratory={}&tube={tube}", form.laboratory)))
}

/// The only tube with this label that is on its way, or the newest if none is.
pub(super) fn the_tube(tubes: Vec<TubeClock>, code: &str) -> Result<TubeId, Refusal> {
    let open: Vec<&TubeClock> = tubes.iter().filter(|clock| clock.released.is_none()).collect();
    match (open.as_slice(), tubes.first()) {
        ([one], _) => Ok(one.tube),
        ([], Some(newest)) => Ok(newest.tube),
        ([], None) => Err(Refusal::absent("lab-code-unknown").with("code", code)),
        (several, _) => Err(Refusal::conflict("lab-code-twice").with("code", code).with("count", several.len())),
    }
}

#[derive(Deserialize)]
struct BoxForm {
    laboratory: PlaceId,
    #[serde(rename = "box")]
    box_id: BoxId,
}

async fn accession_of_box(State(app): State<App>, actor: Actor, Form(form): Form<BoxForm>) -> Answered<Redirect> {
    let box_id = form.box_id;
    let tubes = app.read(move |tx| Ok(clock::unaccessioned_of_box(tx, box_id)?)).await?;
    let mut named = Vec::with_capacity(tubes.len());
    for clock in tubes {
        named.push((app.form_id(clock.tube.bucket()).await?, clock.tube));
    }
    if !named.is_empty() {
        commands::accession(&app, &actor, form.laboratory, named, None).await?;
    }
    Ok(Redirect::to(&format!("/laboratory/accession?laboratory={}", form.laboratory)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use baton_kit::{Bucket, Device};

    fn clock(n: u32, released: bool) -> TubeClock {
        TubeClock {
            code: Some("T1".to_owned()),
            members: 1,
            released: released.then_some(baton_kit::Timestamp(1)),
            ..TubeClock::unknown(TubeId::new(Bucket::INSTALLATION, Device::new(9).unwrap(), n))
        }
    }

    #[test]
    fn a_label_on_two_tubes_that_are_on_their_way_is_not_guessed() {
        assert_eq!(the_tube(vec![clock(1, true), clock(2, false)], "T1").unwrap(), clock(2, false).tube);
        assert_eq!(the_tube(vec![clock(1, false), clock(2, false)], "T1").unwrap_err().code, "lab-code-twice");
        assert_eq!(the_tube(Vec::new(), "T1").unwrap_err().code, "lab-code-unknown");
    }
}
