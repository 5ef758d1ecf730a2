//! Label blocks: issue, print, strike off, and see what became of each label.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect};
use baton_desk::form::{Asked, At, Form};
use baton_desk::paper::{download, unwritten};
use baton_desk::{Actor, Answered, App, Page, Route, Scope};
use baton_documents::pdf::label_sheet_pdf;
use baton_documents::{DocumentError, Label, SheetLayout, ZplPrinter, label_sheet_pages, zpl_labels};
use baton_kit::{Bucket, EventId, PlaceId, Refusal};
use baton_ledger::{StoreResult, Tx};
use baton_registry::events::PlaceKind;
use baton_registry::model::Place;
use baton_registry::store as registry;
use maud::{Markup, PreEscaped, html};
use serde::Deserialize;

use super::routes::{issue_labels, reached};
use super::rules::{self, Account, NoSerial, STRIKE_REASONS};
use super::store::{self, Block};
use crate::events::{IssueLabels, LabelsPrinted, LabelsStruckOff};
use crate::view::{ISSUERS, LABELLERS, bar, figure};

/// Blocks on one page of the list.
const PAGE: i64 = 20;
/// Points to choose from.
const POINTS_LIMIT: i64 = 2_000;
/// What one label is on a sheet of 24.
const FIRST_BLOCK: u16 = 240;

pub fn routes() -> Vec<Route> {
    vec![
        Route::get("/labels", LABELLERS, "Blocks of tube labels", list),
        Route::post("/labels", ISSUERS, "Issue a block of labels", issue),
        Route::get("/labels/{block}", LABELLERS, "A block of labels and what became of them", one),
        Route::post("/labels/{block}/print", LABELLERS, "Print a block, as a sheet, as PDF or for a label printer", print),
        Route::post("/labels/struck", LABELLERS, "Say which labels were spoiled, misprinted or lost", strike),
    ]
}

#[derive(Deserialize)]
struct ListAsked {
    /// Blocks below this number; all when not said.
    #[serde(default = "all")]
    before: i64,
}

fn all() -> i64 {
    i64::MAX
}

struct Listed {
    block: Block,
    account: Account,
    point: String,
}

async fn list(State(app): State<App>, actor: Actor, Asked(asked): Asked<ListAsked>) -> Answered<Markup> {
    let asker = actor.clone();
    let (rows, points) = app
        .read(move |tx| {
            let mut points = points_within(tx, &asker.scope)?;
            let ids: Vec<PlaceId> = points.iter().map(|point| point.id).collect();
            let of = (asker.scope != Scope::Everywhere).then_some(ids.as_slice());
            let rows: Vec<Listed> = store::blocks_before(tx, asked.before, of, PAGE)?.into_iter().map(|block| listed(tx, block)).collect::<StoreResult<_>>()?;
            points.retain(|point| !point.closed);
            Ok((rows, points))
        })
        .await?;
    let (issue_id, strike_id) = (app.form_id(Bucket::INSTALLATION).await?, app.form_id(Bucket::INSTALLATION).await?);
    let page = Page::new(&app, &actor);
    let content = html! {
        link rel="stylesheet" href="/assets/screening.css";
        @if rows.is_empty() { p.empty { (page.t("labels-none")) } } @else { (table(&page, &rows)) }
        @if let Some(last) = rows.last().filter(|_| rows.len() as i64 == PAGE) { p { a href={ "/labels?before=" (last.block.first) } { (page.t("labels-earlier")) } } }
        @if ISSUERS.admits(&actor) { (issue_form(&page, issue_id, &points)) }
        (strike_form(&page, strike_id))
    };
    Ok(page.frame(&page.t("labels-title"), content))
}

/// The points of a scope, closed ones too: their labels are still to be accounted for.
fn points_within(tx: &mut Tx<'_>, scope: &Scope) -> StoreResult<Vec<Place>> {
    let mut points = Vec::new();
    for point in registry::places_of_kind(tx, PlaceKind::Point, POINTS_LIMIT)? {
        if *scope == Scope::Everywhere || scope.reaches_any(&registry::place_chain(tx, point.id)?) {
            points.push(point);
        }
    }
    Ok(points)
}

fn listed(tx: &mut Tx<'_>, block: Block) -> StoreResult<Listed> {
    let point = registry::place_names(tx, &[block.point])?.into_values().next().map(|(code, name)| format!("{code} {name}")).unwrap_or_default();
    Ok(Listed { account: store::account(tx, &block)?, block, point })
}

fn table(page: &Page<'_>, rows: &[Listed]) -> Markup {
    html! {
        div.scroll { table id="blocks" {
            thead { tr {
                th { (page.t("labels-numbers")) } th { (page.t("sampling-point")) } th { (page.t("labels-issued")) } th.number { (page.t("labels-count")) }
                th.number { (page.t("labels-used")) } th.number { (page.t("labels-struck")) } th.number { (page.t("labels-skipped")) } th.number { (page.t("labels-left")) } th { (page.t("labels-fate")) }
            } }
            tbody { @for row in rows { tr {
                td { a.code href={ "/labels/" (row.block.id) } { (rules::code(row.block.first)) " – " (rules::code(row.block.last())) } }
                td { (row.point) @if let Some(device) = row.block.device { " · " (page.with("labels-device", &[("device", &device.to_string())])) } }
                td { (page.time(row.block.issued)) }
                td.number { (row.block.count) } td.number { (row.account.used) } td.number { (row.account.struck.values().sum::<i64>()) }
                td.number { (row.account.skipped_count()) } td.number { (row.account.left) }
                td { (fate_bar(&row.block, &row.account)) }
            } } }
        } }
    }
}

fn fate_bar(block: &Block, account: &Account) -> Markup {
    bar(&[("resulted", account.used), ("sampled", account.struck.values().sum()), ("held", account.skipped_count())], block.count)
}

fn issue_form(page: &Page<'_>, id: EventId, points: &[Place]) -> Markup {
    html! {
        h2 { (page.t("labels-issue")) }
        form.narrow id="issue-labels" method="post" action="/labels" {
            input type="hidden" name="id" value=(id);
            label { span { (page.t("sampling-point")) } select name="point" required { @for point in points { option value=(point.id) { (point.code) " " (point.name) } } } }
            label { span { (page.t("labels-for-device")) } input name="device" inputmode="numeric" pattern="[0-9]*" autocomplete="off"; }
            label { span { (page.t("labels-count")) } input name="count" type="number" min="1" max=(rules::BLOCK_LIMIT) value=(FIRST_BLOCK) required; }
            button.primary { (page.t("labels-issue")) }
        }
    }
}

fn strike_form(page: &Page<'_>, id: EventId) -> Markup {
    html! {
        h2 { (page.t("labels-strike")) }
        form.narrow id="strike-labels" method="post" action="/labels/struck" {
            input type="hidden" name="id" value=(id);
            label { span { (page.t("labels-from")) } input name="from" required autocomplete="off" autocapitalize="characters" spellcheck="false"; }
            label { span { (page.t("labels-to")) } input name="to" autocomplete="off" autocapitalize="characters" spellcheck="false"; }
            label { span { (page.t("labels-reason")) } select name="reason" { @for reason in STRIKE_REASONS { option value=(reason) { (page.t(&format!("labels-reason-{reason}"))) } } } }
            button { (page.t("labels-strike")) }
        }
    }
}

#[derive(Deserialize)]
struct IssueForm {
    id: EventId,
    point: PlaceId,
    #[serde(default)]
    device: String,
    count: u16,
}

async fn issue(State(app): State<App>, actor: Actor, Form(form): Form<IssueForm>) -> Answered {
    let device = match form.device.trim() {
        "" => None,
        text => Some(text.parse().map_err(|_| Refusal::malformed("label-device-wrong").with("device", text))?),
    };
    issue_labels(&app, &actor, form.id, IssueLabels { point: form.point, device, count: form.count }).await?;
    Ok(Redirect::to(&format!("/labels/{}", form.id)).into_response())
}

async fn one(State(app): State<App>, actor: Actor, At(id): At<EventId>) -> Answered<Markup> {
    let (block, account) = reached(&app, &actor, id).await?;
    let point = block.point;
    let name = app
        .read(move |tx| Ok(registry::place_names(tx, &[point])?.into_values().next()))
        .await?
        .map(|(code, name)| format!("{code} {name}"))
        .unwrap_or_default();
    let (print_id, strike_id) = (app.form_id(Bucket::INSTALLATION).await?, app.form_id(Bucket::INSTALLATION).await?);
    let page = Page::new(&app, &actor);
    let content = html! {
        link rel="stylesheet" href="/assets/screening.css";
        p.soft { (name) " · " (page.time(block.issued)) " · " (page.with("labels-printed", &[("count", &block.prints.to_string())])) }
        dl.figures {
            (figure(&page, "labels-count", block.count)) (figure(&page, "labels-used", account.used))
            @for (reason, count) in &account.struck { (figure(&page, &format!("labels-reason-{reason}"), *count)) }
            (figure(&page, "labels-skipped", account.skipped_count())) (figure(&page, "labels-left", account.left))
        }
        (fate_bar(&block, &account))
        @if !account.used_though_struck.is_empty() { p.notice.bad { (page.t("labels-used-though-struck")) " " (codes(&account.used_though_struck)) } }
        @if !account.skipped.is_empty() {
            h2 { (page.t("labels-skipped")) }
            p { (page.t("labels-skipped-words")) }
            ul { @for range in &account.skipped { li.code { (rules::code(*range.start())) @if range.start() != range.end() { " – " (rules::code(*range.end())) } } } }
        }
        h2 { (page.t("labels-print")) }
        @if block.prints > 0 { p.notice.warn { (page.t("labels-reprint")) } }
        form.inline method="post" action={ "/labels/" (block.id) "/print" } {
            input type="hidden" name="id" value=(print_id);
            button.primary name="as" value="sheet" { (page.t("labels-as-sheet")) } " "
            button name="as" value="pdf" { (page.t("labels-as-pdf")) } " "
            button name="as" value="zpl" { (page.t("labels-as-zpl")) }
        }
        (strike_form(&page, strike_id))
    };
    Ok(page.frame(&format!("{} – {}", rules::code(block.first), rules::code(block.last())), content))
}

fn codes(serials: &[i64]) -> String {
    serials.iter().map(|serial| rules::code(*serial)).collect::<Vec<_>>().join(" ")
}

#[derive(Deserialize)]
struct PrintForm {
    id: EventId,
    #[serde(rename = "as")]
    form: String,
}

/// What is sent to whoever prints.
enum Drawn {
    Sheets(Vec<String>),
    Zpl(String),
    Pdf(Vec<u8>),
}

fn draw(form: &str, title: &str, language: &str, author: &str, labels: &[Label]) -> Result<Drawn, DocumentError> {
    let layout = SheetLayout::adhesive_24();
    Ok(match form {
        "zpl" => Drawn::Zpl(zpl_labels(labels, &ZplPrinter::default())?),
        "pdf" => Drawn::Pdf(label_sheet_pdf(title, language, author, labels, &layout)?),
        _ => Drawn::Sheets(label_sheet_pages(labels, &layout)?),
    })
}

async fn print(State(app): State<App>, actor: Actor, At(block): At<EventId>, Form(form): Form<PrintForm>) -> Answered {
    let (block, _) = reached(&app, &actor, block).await?;
    let point = block.point;
    let name = app.read(move |tx| Ok(registry::place_names(tx, &[point])?.into_values().next())).await?.map(|(code, _)| code).unwrap_or_default();
    let labels: Vec<Label> = (block.first..=block.last()).map(|serial| Label::tube(&rules::code(serial), vec![name.clone()])).collect();
    let (title, first) = (format!("{} – {}", rules::code(block.first), rules::code(block.last())), block.first);
    let (kind, author, heading) = (form.form, app.name.clone(), title.clone());
    let language = actor.language;
    let drawn = app.blocking(move || Ok(draw(&kind, &heading, language.tag(), &author, &labels).map_err(unwritten)?));
    let drawn = drawn.await?;
    // Only what can be drawn is told as printed.
    app.tell(&actor, form.id, &LabelsPrinted { block: block.id }).await?;
    let sheets = match drawn {
        Drawn::Zpl(text) => return Ok(download(text, "text/plain; charset=utf-8", &format!("labels-{first}.zpl"))),
        Drawn::Pdf(bytes) => return Ok(download(bytes, "application/pdf", &format!("labels-{first}.pdf"))),
        Drawn::Sheets(sheets) => sheets,
    };
    let page = Page::new(&app, &actor);
    let content = html! {
        link rel="stylesheet" href="/assets/registry.css";
        p.no-print { button.primary type="button" data-print { (page.t("labels-print")) } }
        div.sheet { @for sheet in &sheets { (PreEscaped(sheet)) } }
    };
    Ok(page.frame(&title, content).into_response())
}

#[derive(Deserialize)]
struct StrikeForm {
    id: EventId,
    from: String,
    #[serde(default)]
    to: String,
    reason: String,
}

/// The number of a label as typed into this field, or why it is none.
fn typed(text: &str) -> Result<u32, Refusal> {
    rules::serial(text.trim()).map_err(|wrong| {
        let code = if wrong == NoSerial::Mistyped { "label-mistyped" } else { "label-foreign" };
        Refusal::malformed(code).with("label", text)
    })
}

async fn strike(State(app): State<App>, actor: Actor, Form(form): Form<StrikeForm>) -> Answered {
    let from = typed(&form.from)?;
    let to = if form.to.trim().is_empty() { from } else { typed(&form.to)? };
    if to < from || i64::from(to - from) >= rules::BLOCK_LIMIT {
        return Err(Refusal::ruled("label-range-wrong").with("limit", rules::BLOCK_LIMIT).into());
    }
    if !STRIKE_REASONS.contains(&form.reason.as_str()) {
        return Err(Refusal::malformed("screening-reason-unknown").with("reason", form.reason).into());
    }
    let asker = actor.clone();
    let block = app
        .read(move |tx| {
            let block = store::block_of_serial(tx, i64::from(from))?
                .filter(|block| i64::from(to) <= block.last())
                .ok_or_else(|| Refusal::absent("label-block-unknown"))?;
            crate::view::must_reach(tx, &asker, block.point)?;
            Ok(block.id)
        })
        .await?;
    app.tell(&actor, form.id, &LabelsStruckOff { from, to, reason: form.reason }).await?;
    Ok(Redirect::to(&format!("/labels/{block}")).into_response())
}
