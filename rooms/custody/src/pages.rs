//! Pages of custody: what I hold, what is offered to me, one box and its way.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect};
use baton_desk::answer::Answered;
use baton_desk::form::{At, Form};
use baton_desk::paper::{download, unwritten};
use baton_desk::{Access, Actor, App, Card, InboxItem, Page, Route, Scope, signed_in};
use baton_documents::pdf::label_sheet_pdf;
use baton_documents::{Label, SheetLayout, ZplPrinter, zpl_label};
use baton_kit::{
    AccountId, BoxId, EventId, PlaceId, Refusal, Timestamp, TypedId,
    time::{HOUR_US, MINUTE_US},
};
use baton_ledger::{StoreResult, Tx};
use baton_registry::store as registry;
use baton_screening::store as screening;
use maud::{Markup, html};
use serde::Deserialize;

use crate::events::*;
use crate::routes;
use crate::store::{self, BoxRow};

/// How many points or laboratories a choice lists.
const PLACES_LIMIT: i64 = 2000;
/// A sealed tube that lies in no box after this long is looked for.
const BOXED_WITHIN_US: i64 = 30 * MINUTE_US;
/// From a swab to its result.
const SIX_HOURS_US: i64 = 6 * HOUR_US;
/// Boxes looked into for their oldest swab: the longest held stand first.
const OLDEST_OF: usize = 30;
/// An offer that nobody took after this long is late.
const TAKEN_WITHIN_US: i64 = 30 * MINUTE_US;

pub(crate) fn routes() -> Vec<Route> {
    let carriers = Access::Roles(routes::CARRIERS);
    vec![
        Route::get("/boxes", routes::watchers(), "Boxes in my hands, boxes offered to me, missing tubes", boxes_page),
        Route::post("/boxes/open", carriers, "Open a box", open_box),
        Route::get("/boxes/{box}", routes::watchers(), "One box and its way", box_page),
        Route::get("/boxes/{box}/label.pdf", routes::watchers(), "The label of a box as PDF", label_pdf),
        Route::get("/boxes/{box}/label.zpl", routes::watchers(), "The label of a box for a label printer (ZPL)", label_zpl).gives("text/plain"),
        Route::post("/boxes/{box}/step", carriers, "Put in a tube, seal, offer, accept, decline, note a temperature", step),
        Route::post("/boxes/{box}/admit", routes::receivers(), "Admit a box to a laboratory", admit),
    ]
}

/// What is in this actor's hand: boxes held or offered, tubes nobody boxed.
pub(crate) fn inbox(tx: &mut Tx<'_>, actor: &Actor, now: Timestamp) -> StoreResult<Vec<InboxItem>> {
    let Some(account) = actor.account else { return Ok(Vec::new()) };
    let item = |words, row: &BoxRow| InboxItem {
        words,
        arguments: vec![("code", row.code.clone()), ("tubes", row.tubes.to_string())],
        link: format!("/boxes/{}", row.id),
        deadline_us: row.held_since.map(|since| since.plus_us(TAKEN_WITHIN_US)),
        place: row.point,
    };
    let mut items: Vec<InboxItem> = store::offered_to(tx, account)?.iter().map(|row| item("inbox-box-offered", row)).collect();
    items.extend(store::held_by(tx, account)?.iter().map(|row| item("inbox-box-held", row)));
    if actor.has_any(routes::CARRIERS) {
        for laboratory in laboratories(tx, actor)? {
            items.extend(store::offered_to_laboratory(tx, laboratory)?.iter().map(|row| item("inbox-box-offered", row)));
        }
        let missing = store::missing_tubes(tx, now.plus_us(-BOXED_WITHIN_US), 200)?;
        let mine: Vec<_> = missing.iter().filter(|(_, sealer, _)| *sealer == Some(account)).collect();
        if let Some((_, _, sealed)) = mine.first() {
            items.push(InboxItem {
                words: "inbox-tubes-unboxed",
                arguments: vec![("tubes", mine.len().to_string())],
                link: "/boxes".to_owned(),
                deadline_us: Some(sealed.plus_us(BOXED_WITHIN_US)),
                place: None,
            });
        }
    }
    Ok(items)
}

/// Boxes in hand or offered, with the six hours of their oldest swab; tubes sealed and not boxed; boxes on their way to a laboratory.
pub(crate) fn cards(tx: &mut Tx<'_>, actor: &Actor, now: Timestamp) -> StoreResult<Vec<Card>> {
    let Some(account) = actor.account.filter(|_| actor.has_any(routes::CARRIERS)) else { return Ok(Vec::new()) };
    let mut cards = Vec::new();
    let card = |tx: &mut Tx<'_>, words, boxes: &[BoxRow]| -> StoreResult<Option<Card>> {
        let Some(only) = boxes.first() else { return Ok(None) };
        let link = if boxes.len() == 1 { format!("/boxes/{}", only.id) } else { "/boxes".to_owned() };
        let (oldest, tubes) = (oldest_swab(tx, boxes)?, boxes.iter().map(|row| row.tubes).sum::<i64>());
        let age = oldest.map_or(0, |at| now.since(at) / MINUTE_US);
        let words = if oldest.is_some() { words } else { "card-boxes-empty" };
        let card = Card::new(boxes.len(), words, link).with("boxes", boxes.len()).with("tubes", tubes).with("hours", age / 60).with("minutes", age % 60);
        Ok(Some(card.by(oldest.map(|at| at.plus_us(SIX_HOURS_US)))))
    };
    let held = store::held_by(tx, account)?;
    cards.extend(card(tx, "card-boxes-held", &held)?);
    let offered = store::offered_to(tx, account)?;
    cards.extend(card(tx, "card-boxes-offered", &offered)?);
    let mut coming = Vec::new();
    for laboratory in laboratories(tx, actor)? {
        coming.extend(store::offered_to_laboratory(tx, laboratory)?);
    }
    cards.extend(card(tx, "card-boxes-coming", &coming)?);
    let (loose, since) = store::loose_of(tx, account)?;
    if loose > 0 {
        cards.push(Card::new(loose, "card-tubes-loose", "/boxes").by(since.map(|at| at.plus_us(BOXED_WITHIN_US))));
    }
    Ok(cards)
}

/// The oldest swab in these boxes.
fn oldest_swab(tx: &mut Tx<'_>, boxes: &[BoxRow]) -> StoreResult<Option<Timestamp>> {
    let mut tubes = Vec::new();
    for row in boxes.iter().take(OLDEST_OF) {
        tubes.extend(store::tubes_in(tx, row.id)?);
    }
    screening::first_swab(tx, &tubes)
}

/// The laboratories this actor's scope names.
fn laboratories(tx: &mut Tx<'_>, actor: &Actor) -> StoreResult<Vec<PlaceId>> {
    let all = registry::places_of_kind(tx, baton_registry::events::PlaceKind::Laboratory, PLACES_LIMIT)?;
    Ok(all.into_iter().map(|place| place.id).filter(|id| actor.scope.reaches(*id)).collect())
}

struct Lists {
    held: Vec<BoxRow>,
    offered: Vec<BoxRow>,
    /// Label, who sealed it, when.
    missing: Vec<(String, Option<AccountId>, Timestamp)>,
    points: Vec<(PlaceId, String)>,
}

async fn boxes_page(State(app): State<App>, actor: Actor) -> Answered<Markup> {
    let account = signed_in(&actor)?;
    let (asker, now) = (actor.clone(), app.ledger.now());
    let lists = app
        .read(move |tx| {
            let mut offered = store::offered_to(tx, account)?;
            let mut held = store::held_by(tx, account)?;
            for laboratory in laboratories(tx, &asker)? {
                offered.extend(store::offered_to_laboratory(tx, laboratory)?);
                held.extend(store::held_by_laboratory(tx, laboratory, now.plus_us(-baton_kit::time::DAY_US))?);
            }
            let points = registry::places_of_kind(tx, baton_registry::events::PlaceKind::Point, PLACES_LIMIT)?;
            let points = points.into_iter().map(|place| (place.id, place.name)).collect();
            let mut missing = Vec::new();
            for (tube, sealer, sealed) in store::missing_tubes(tx, now.plus_us(-BOXED_WITHIN_US), 200)? {
                missing.push((screening::tube_label(tx, tube)?, sealer, sealed));
            }
            Ok(Lists { held, offered, missing, points })
        })
        .await?;
    let everywhere = actor.scope == Scope::Everywhere;
    let id = app.form_id(baton_kit::Bucket::INSTALLATION).await?;
    let page = Page::new(&app, &actor);
    let boxes = html! {
        h2 { (page.t("boxes-offered")) } (table(&page, &lists.offered))
        h2 { (page.t("boxes-held")) } (table(&page, &lists.held))
        @if !lists.missing.is_empty() {
            h2.bad { (page.with("boxes-missing", &[("tubes", &lists.missing.len().to_string())])) }
            ul { @for (tube, sealer, sealed) in lists.missing.iter().filter(|(_, sealer, _)| everywhere || *sealer == Some(account)) {
                li { (tube) " · " (page.time(*sealed)) @if sealer.is_none() { " · " (page.t("boxes-nobody")) } }
            } }
        }
    };
    Ok(page.frame(
        &page.t("boxes-title"),
        html! {
            (page.live("boxes", "boxes", 60, boxes))
            h2 { (page.t("boxes-open")) }
            form method="post" action="/boxes/open" {
                input type="hidden" name="id" value=(id);
                label { span { (page.t("boxes-code")) } input name="code" required autocomplete="off" autofocus; }
                label { span { (page.t("boxes-point")) } select name="point" { @for (id, name) in &lists.points { option value=(id) { (name) } } } }
                button.primary { (page.t("boxes-open")) }
            }
        },
    ))
}

fn stage_words(page: &Page<'_>, row: &BoxRow) -> String {
    page.t(&format!("box-stage-{}", row.stage.replace('_', "-")))
}

fn table(page: &Page<'_>, rows: &[BoxRow]) -> Markup {
    html! {
        @if rows.is_empty() { p.empty { (page.t("boxes-none")) } } @else {
            div.scroll { table {
                thead { tr { th { (page.t("boxes-code")) } th { (page.t("boxes-stage")) } th.number { (page.t("boxes-tubes")) } th { (page.t("boxes-since")) } } }
                tbody { @for row in rows { tr {
                    td { a href={ "/boxes/" (row.id) } { (row.code) } }
                    td { (stage_words(page, row)) }
                    td.number { (row.tubes) }
                    td { @if let Some(since) = row.held_since { (page.time(since)) } }
                } } }
            } }
        }
    }
}

#[derive(Deserialize)]
struct OpenForm {
    id: EventId,
    code: String,
    point: PlaceId,
}

async fn open_box(State(app): State<App>, actor: Actor, Form(form): Form<OpenForm>) -> Answered {
    let id: BoxId = form.id.created();
    app.tell(&actor, form.id, &BoxOpened { code: form.code.trim().to_owned(), point: form.point }).await?;
    Ok(Redirect::to(&format!("/boxes/{id}")).into_response())
}

struct BoxView {
    row: BoxRow,
    /// Labels of the tubes in it.
    tubes: Vec<String>,
    steps: Vec<crate::model::Step>,
    findings: Vec<(String, Timestamp)>,
    laboratories: Vec<(PlaceId, String)>,
    people: Vec<(AccountId, String)>,
    /// Those to whom it can be offered.
    takers: Vec<(AccountId, String)>,
}

fn load(tx: &mut Tx<'_>, vault: &baton_ledger::Vault, id: BoxId) -> Result<BoxView, baton_ledger::Undecided> {
    let row = store::one_box(tx, id)?.ok_or_else(|| Refusal::absent("box-unknown"))?;
    let laboratories = registry::places_of_kind(tx, baton_registry::events::PlaceKind::Laboratory, PLACES_LIMIT)?;
    let accounts = baton_desk::accounts::store::accounts(tx, vault)?;
    let name = |account: &baton_desk::accounts::store::Account| (account.id, account.secret.name.clone());
    let tubes = store::tubes_in(tx, id)?;
    Ok(BoxView {
        row,
        tubes: tubes.into_iter().map(|tube| screening::tube_label(tx, tube)).collect::<Result<_, _>>()?,
        steps: store::steps(tx, id)?,
        findings: store::findings(tx, id)?,
        laboratories: laboratories.into_iter().map(|place| (place.id, place.name)).collect(),
        people: accounts.iter().map(name).collect(),
        takers: accounts.iter().filter(|account| account.enabled).map(name).collect(),
    })
}

async fn box_page(State(app): State<App>, actor: Actor, At(id): At<BoxId>) -> Answered<Markup> {
    let vault = app.ledger.vault().clone();
    let view = app.read(move |tx| load(tx, &vault, id)).await?;
    let form_id = app.form_id(id.bucket()).await?;
    let page = Page::new(&app, &actor);
    Ok(page.frame(
        &page.with("box-title", &[("code", &view.row.code)]),
        html! {
            dl.figures {
                div { dt { (page.t("boxes-stage")) } dd { (stage_words(&page, &view.row)) } }
                div { dt { (page.t("boxes-tubes")) } dd { (view.row.tubes) } }
                div { dt { (page.t("box-seal")) } dd { (view.row.seal) } }
                div { dt { (page.t("box-holder")) } dd { (holder(&page, &view)) } }
            }
            @if !view.row.code.is_empty() { p { (page.t("box-label")) " " @for form in ["pdf", "zpl"] { a.button href=(format!("/boxes/{id}/label.{form}")) aria-label={ (page.t("box-label")) " " (form.to_uppercase()) } { (form.to_uppercase()) } " " } } }
            @for (code, at) in &view.findings { p.notice.bad { (page.t(&format!("finding-{code}"))) " · " (page.time(*at)) } }
            @if actor.has_any(routes::CARRIERS) { (actions(&page, &view, form_id, actor.account)) }
            h2 { (page.t("box-way")) }
            ol { @for step in &view.steps { li { (page.time(step.happened)) " · " (deed(&page, &view, step)) } } }
            h2 { (page.t("boxes-tubes")) }
            ul { @for tube in &view.tubes { li { (tube) } } }
        },
    ))
}

/// The label of a box: its number to be scanned, where it comes from, where it goes to as far as that is said, its seal.
async fn label(app: &App, actor: &Actor, id: BoxId) -> Result<Label, Refusal> {
    let (row, names) = app
        .read(move |tx| {
            // Before its opening is recorded a box has no number to print.
            let row = store::one_box(tx, id)?.filter(|row| !row.code.is_empty()).ok_or_else(|| Refusal::absent("box-unknown"))?;
            let places: Vec<PlaceId> = [row.point, row.offered_laboratory.or(row.holder_laboratory)].into_iter().flatten().collect();
            let names = registry::place_names(tx, &places)?;
            Ok((row, names))
        })
        .await?;
    let page = Page::new(app, actor);
    let place = |words, place: Option<PlaceId>| {
        let (code, name) = place.and_then(|place| names.get(&place))?;
        Some(page.with(words, &[("place", &format!("{code} {name}"))]))
    };
    let seal = (!row.seal.is_empty()).then(|| page.with("box-label-seal", &[("seal", &row.seal)]));
    let to = row.offered_laboratory.or(row.holder_laboratory);
    Ok(Label::transport_box(&row.code, [place("box-label-from", row.point), place("box-label-to", to), seal].into_iter().flatten().collect()))
}

async fn label_pdf(State(app): State<App>, actor: Actor, At(id): At<BoxId>) -> Answered {
    let label = label(&app, &actor, id).await?;
    let (width, height) = (label.width_mm, label.height_mm);
    let layout = SheetLayout { label_width_mm: width, label_height_mm: height, ..SheetLayout::grid(1, 1) };
    let (author, language) = (app.name.clone(), actor.language);
    let bytes = app.blocking(move || Ok(label_sheet_pdf(&label.number, language.tag(), &author, std::slice::from_ref(&label), &layout).map_err(unwritten)?));
    Ok(download(bytes.await?, "application/pdf", &format!("box-{id}.pdf")))
}

async fn label_zpl(State(app): State<App>, actor: Actor, At(id): At<BoxId>) -> Answered {
    let label = label(&app, &actor, id).await?;
    let zpl = zpl_label(&label, &ZplPrinter::default(), 1).map_err(unwritten)?;
    Ok(download(zpl, "text/plain; charset=utf-8", &format!("box-{id}.zpl")))
}

fn person(view: &BoxView, account: Option<AccountId>) -> &str {
    view.people.iter().find(|(id, _)| Some(*id) == account).map_or("", |(_, name)| name)
}

fn holder(page: &Page<'_>, view: &BoxView) -> String {
    let laboratory = view.laboratories.iter().find(|(id, _)| Some(*id) == view.row.holder_laboratory);
    let holder = laboratory.map_or_else(|| person(view, view.row.holder_account).to_owned(), |(_, name)| name.clone());
    let offered = view.row.offered_account.is_some() || view.row.offered_laboratory.is_some();
    if offered { page.with("box-holder-offering", &[("name", &holder)]) } else { holder }
}

fn deed(page: &Page<'_>, view: &BoxView, step: &crate::model::Step) -> String {
    use crate::model::Deed;
    let (words, count) = match &step.deed {
        Deed::Opened => ("box-step-opened", None),
        Deed::Sealed { count } => ("box-step-sealed", Some(*count)),
        Deed::Offered { count, .. } => ("box-step-offered", Some(*count)),
        Deed::Accepted { count, .. } => ("box-step-accepted", Some(*count)),
        Deed::Declined => ("box-step-declined", None),
        Deed::Admitted { count, .. } => ("box-step-admitted", Some(*count)),
        Deed::ArrivedAnyway { count, .. } => ("box-step-arrived-anyway", Some(*count)),
        Deed::TemperatureNoted { tenths_c } => {
            return page.with("box-step-temperature", &[("name", person(view, step.actor)), ("degrees", &degrees(*tenths_c))]);
        }
    };
    page.with(words, &[("name", person(view, step.actor)), ("count", &count.unwrap_or(0).to_string())])
}

fn degrees(tenths: i64) -> String {
    format!("{}{}.{}", if tenths < 0 { "-" } else { "" }, tenths.abs() / 10, tenths.abs() % 10)
}

/// The one or two things that can be done next, first.
fn actions(page: &Page<'_>, view: &BoxView, id: EventId, me: Option<AccountId>) -> Markup {
    let row = &view.row;
    let mine = me.is_some() && row.holder_account == me;
    let offered_to_me = me.is_some() && row.offered_account == me;
    let target = format!("/boxes/{}/step", row.id);
    let count = row.sealed_count.unwrap_or(row.tubes);
    html! {
        @if row.stage == "filling" && mine {
            form method="post" action=(target) { input type="hidden" name="id" value=(id);
                label { span { (page.t("box-scan-tube")) } input name="tube_code" required autofocus autocomplete="off"; }
                button.primary name="deed" value="put_in" { (page.t("box-put-in")) }
            }
            form method="post" action=(target) { input type="hidden" name="id" value=(id);
                label { span { (page.t("box-seal")) } input name="seal" required autocomplete="off"; }
                label { span { (page.t("box-count")) } input name="count" type="number" min="0" max="2000" value=(row.tubes) required; }
                button name="deed" value="seal" { (page.t("box-do-seal")) }
            }
        }
        @if mine && row.stage != "filling" {
            form method="post" action=(target) { input type="hidden" name="id" value=(id); input type="hidden" name="count" value=(count);
                label { span { (page.t("box-offer-to")) } select name="to" {
                    @for (laboratory, name) in &view.laboratories { option value={ "laboratory:" (laboratory) } { (name) } }
                    @for (account, name) in &view.takers { @if Some(*account) != me { option value={ "account:" (account) } { (name) } } }
                } }
                button.primary name="deed" value="offer" { (page.t("box-offer")) }
            }
            form method="post" action=(target) { input type="hidden" name="id" value=(id);
                label { span { (page.t("box-temperature")) } input name="degrees" inputmode="decimal" required; }
                button name="deed" value="temperature" { (page.t("box-note-temperature")) }
            }
        }
        @if offered_to_me { (receipt(page, &target, id, count, None)) }
        @for (laboratory, name) in &view.laboratories { @if row.offered_laboratory == Some(*laboratory) && page.actor.scope.reaches(*laboratory) {
            p { (page.with("box-offered-to-laboratory", &[("name", name)])) }
            (receipt(page, &format!("/boxes/{}/admit", row.id), id, count, Some(*laboratory)))
        } }
    }
}

fn receipt(page: &Page<'_>, target: &str, id: EventId, count: i64, laboratory: Option<PlaceId>) -> Markup {
    html! {
        form method="post" action=(target) { input type="hidden" name="id" value=(id);
            @if let Some(laboratory) = laboratory { input type="hidden" name="laboratory" value=(laboratory); }
            label { span { (page.t("box-count")) } input name="count" type="number" min="0" max="2000" value=(count) required; }
            label { span { (page.t("box-temperature")) } input name="degrees" inputmode="decimal"; }
            label.check { input type="checkbox" name="seal_broken" value="true"; span { (page.t("box-seal-broken")) } }
            button.primary name="deed" value="accept" { (page.t("box-accept")) }
            @if laboratory.is_none() { button name="deed" value="decline" { (page.t("box-decline")) } }
        }
    }
}

#[derive(Deserialize)]
struct StepForm {
    id: EventId,
    deed: String,
    tube_code: Option<String>,
    seal: Option<String>,
    count: Option<u16>,
    to: Option<String>,
    degrees: Option<String>,
    #[serde(default)]
    seal_broken: bool,
    laboratory: Option<PlaceId>,
}

fn tenths(text: Option<&str>) -> Result<Option<i64>, Refusal> {
    let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else { return Ok(None) };
    let degrees: f64 = text.parse().map_err(|_| Refusal::malformed("temperature-wrong").with("text", text))?;
    if degrees.abs() < 100.0 { Ok(Some((degrees * 10.0).round() as i64)) } else { Err(Refusal::malformed("temperature-wrong").with("text", text)) }
}

fn taker(text: Option<&str>) -> Result<Taker, Refusal> {
    let wrong = || Refusal::malformed("taker-wrong");
    let (kind, id) = text.and_then(|text| text.split_once(':')).ok_or_else(wrong)?;
    match kind {
        "account" => id.parse().map(Taker::Account).map_err(|_| wrong()),
        "laboratory" => id.parse().map(Taker::Laboratory).map_err(|_| wrong()),
        _ => Err(wrong()),
    }
}

async fn step(State(app): State<App>, actor: Actor, At(box_id): At<BoxId>, Form(form): Form<StepForm>) -> Answered {
    let count = form.count.unwrap_or(0);
    let (id, temperature_tenths_c) = (form.id, tenths(form.degrees.as_deref())?);
    match form.deed.as_str() {
        "put_in" => {
            let code = form.tube_code.unwrap_or_default();
            let tube = app.read(move |tx| baton_screening::store::tube_by_code(tx, code.trim())?.ok_or_else(|| Refusal::absent("tube-unknown").into())).await?;
            app.tell(&actor, id, &TubeBoxed { box_id, tube }).await?;
        }
        "seal" => app.tell(&actor, id, &BoxSealed { box_id, seal: form.seal.unwrap_or_default().trim().to_owned(), count }).await?,
        "offer" => app.tell(&actor, id, &BoxOffered { box_id, to: taker(form.to.as_deref())?, count }).await?,
        "accept" => app.tell(&actor, id, &BoxAccepted { box_id, count, seal_intact: !form.seal_broken, temperature_tenths_c }).await?,
        "decline" => app.tell(&actor, id, &BoxDeclined { box_id, reason: "other".to_owned() }).await?,
        "temperature" => {
            let tenths_c = temperature_tenths_c.ok_or_else(|| Refusal::malformed("temperature-wrong").with("text", ""))?;
            app.tell(&actor, id, &TemperatureNoted { box_id, temperature_tenths_c: tenths_c }).await?;
        }
        _ => return Err(Refusal::malformed("step-unknown").into()),
    }
    Ok(Redirect::to(&format!("/boxes/{box_id}")).into_response())
}

async fn admit(State(app): State<App>, actor: Actor, At(box_id): At<BoxId>, Form(form): Form<StepForm>) -> Answered {
    let laboratory = form.laboratory.ok_or_else(|| Refusal::malformed("taker-wrong"))?;
    let command =
        AdmitBox { box_id, laboratory, count: form.count.unwrap_or(0), seal_intact: !form.seal_broken, temperature_tenths_c: tenths(form.degrees.as_deref())? };
    routes::admit(&app, &actor, form.id, command).await?;
    Ok(Redirect::to(&format!("/boxes/{box_id}")).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_temperature_is_read_in_tenths_or_named() {
        assert_eq!(tenths(Some(" 4.2 ")).unwrap(), Some(42));
        assert_eq!(tenths(Some("")).unwrap(), None);
        assert_eq!(tenths(Some("cold")).unwrap_err().code, "temperature-wrong");
        assert_eq!(tenths(Some("400")).unwrap_err().code, "temperature-wrong");
        assert_eq!(degrees(-5), "-0.5");
    }

    #[test]
    fn a_taker_is_an_account_or_a_laboratory() {
        assert!(matches!(taker(Some("account:7")).unwrap(), Taker::Account(_)));
        assert!(matches!(taker(Some("laboratory:7")).unwrap(), Taker::Laboratory(_)));
        for wrong in [None, Some("7"), Some("moon:7"), Some("account:x")] {
            assert_eq!(taker(wrong).unwrap_err().code, "taker-wrong");
        }
    }
}
