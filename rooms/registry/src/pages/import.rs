//! The wizard: upload, columns, dry run with row errors, commit with progress, report, undo.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Multipart, State};
use axum::http::header;
use axum::response::{IntoResponse, Redirect};
use baton_desk::form::{At, Form};
use baton_desk::paper::download;
use baton_desk::{Actor, Answered, App, Page, Route};
use baton_kit::{Bucket, EventId, ImportId, Refusal};
use maud::{Markup, html};
use serde::Deserialize;

use super::upload::{Stage, Upload, Uploads};
use crate::events::ImportCounts;
use crate::import::{Field, ImportReport, Mapping, Mode};
use crate::model::{Import, ImportState};
use crate::routes::{self, UPLOAD_BYTES_MAX, WRITE};
use crate::store;

/// Problems shown on the page; all that are listed are in the CSV.
const SHOWN: usize = 100;

type Held = Extension<Arc<Uploads>>;

pub(super) fn routes() -> Vec<Route> {
    let uploads = Arc::new(Uploads::default());
    let mut routes = vec![
        Route::get("/registry/imports", WRITE, "Imports", list),
        Route::post("/registry/imports", WRITE, "Upload a roster", upload).up_to(UPLOAD_BYTES_MAX),
        Route::post("/registry/imports/undo", WRITE, "Take an import back", undo),
        Route::get("/registry/uploads/{upload}", WRITE, "What an uploaded roster would change", show),
        Route::post("/registry/uploads/{upload}/columns", WRITE, "Say what the columns are", columns),
        Route::post("/registry/uploads/{upload}/commit", WRITE, "Carry out an import", commit),
        Route::get("/registry/uploads/{upload}/problems.csv", WRITE, "Rows left out, as CSV", problems),
    ];
    for route in &mut routes {
        route.handler = route.handler.clone().layer(Extension(uploads.clone()));
    }
    routes
}

async fn list(State(app): State<App>, actor: Actor) -> Answered<Markup> {
    let imports = app.read(|tx| Ok(store::imports(tx, 100)?)).await?;
    let page = Page::new(&app, &actor);
    Ok(page.frame(
        &page.t("registry-imports"),
        html! {
            form method="post" action="/registry/imports" enctype="multipart/form-data" {
                label { span { (page.t("registry-import-file")) } input type="file" name="file" accept=".csv,.txt,.xlsx,.xls" required; }
                button.primary { (page.t("registry-import-upload")) }
            }
            p.soft { (page.t("registry-import-hint")) }
            @if !imports.is_empty() { div.scroll { table {
                thead { tr { th { (page.t("registry-import-when")) } th { (page.t("registry-import-file")) } th { (page.t("registry-import-what")) } th {} } }
                tbody { @for import in &imports { (row(&page, import, &actor)) } }
            } } }
        },
    ))
}

fn row(page: &Page<'_>, import: &Import, actor: &Actor) -> Markup {
    let undo = !matches!(import.state, ImportState::Undone(_)) && actor.scope.reaches_any(&[]);
    html! {
        tr.off[matches!(import.state, ImportState::Undone(_))] {
            td { (page.time(import.begun)) }
            td { (import.file) }
            td { @match &import.state {
                ImportState::Begun => (page.t("registry-import-begun")),
                ImportState::Finished(counts) | ImportState::Undone(counts) => (counts_words(page, counts)),
            } }
            td { @if undo { form.inline method="post" action="/registry/imports/undo" { button.danger name="import" value=(import.id) { (page.t("registry-import-undo")) } } } }
        }
    }
}

fn counts_words(page: &Page<'_>, counts: &ImportCounts) -> String {
    let ImportCounts { new, changed, unchanged, gone, refused, repeated } = counts;
    let text = [new, changed, unchanged, gone, refused, repeated].map(ToString::to_string);
    let names = ["new", "changed", "unchanged", "gone", "refused", "repeated"];
    let values: Vec<(&str, &str)> = names.into_iter().zip(text.iter().map(String::as_str)).collect();
    page.with("registry-import-counts", &values)
}

async fn upload(State(app): State<App>, actor: Actor, Extension(uploads): Held, mut parts: Multipart) -> Answered {
    let unread = |error: axum::extract::multipart::MultipartError| Refusal::malformed("body-unread").with("problem", error);
    while let Some(part) = parts.next_field().await.map_err(unread)? {
        if part.name() == Some("file") {
            let file: String = part.file_name().unwrap_or("roster").chars().filter(|c| !c.is_control()).take(120).collect();
            let bytes = part.bytes().await.map_err(unread)?;
            let id = app.form_id(Bucket::INSTALLATION).await?;
            uploads.keep(&app, &actor, id, file, bytes.to_vec())?;
            return Ok(Redirect::to(&format!("/registry/uploads/{id}")).into_response());
        }
    }
    Err(Refusal::malformed("import-file-missing").into())
}

async fn show(State(app): State<App>, actor: Actor, Extension(uploads): Held, At(id): At<EventId>) -> Answered {
    let upload = uploads.get(&actor, id)?;
    let page = Page::new(&app, &actor);
    let content = match &upload.stage {
        Stage::Judging => html! { p role="status" { (page.t("registry-import-judging")) } },
        Stage::Running { done, all } => html! {
            p role="status" { (page.with("registry-import-running", &[("done", &done.to_string()), ("all", &all.to_string())])) }
            progress value=(done) max=(all.max(&1)) {}
        },
        Stage::Judged(report) => judged(&page, id, report),
        Stage::Done(report) => {
            html! { div.notice.good { p { (page.t("registry-import-done")) } } (report_of(&page, id, report)) p { a href="/registry/imports" { (page.t("registry-imports")) } } }
        }
        Stage::Refused(refusal) => {
            let (message, next) = page.words.refusal(refusal);
            html! { div.notice.bad role="alert" { p { (message) } @if let Some(next) = next { p { (next) } } } p { a href="/registry/imports" { (page.t("registry-imports")) } } }
        }
    };
    let mut response = page.frame(&upload.file, content).into_response();
    if matches!(upload.stage, Stage::Judging | Stage::Running { .. }) {
        // A page that looks again by itself, without a script.
        response.headers_mut().insert(header::REFRESH, header::HeaderValue::from_static("2"));
    }
    Ok(response)
}

fn judged(page: &Page<'_>, id: EventId, report: &ImportReport) -> Markup {
    html! {
        (report_of(page, id, report))
        form method="post" action={ "/registry/uploads/" (id) "/commit" } {
            @if report.counts.gone > 0 && report.counts.refused == 0 {
                label.check { input type="checkbox" name="gone" value="yes"; span { (page.with("registry-import-end-gone", &[("count", &report.counts.gone.to_string())])) } }
            }
            p { button.primary { (page.with("registry-import-commit", &[("count", &(report.counts.new + report.counts.changed).to_string())])) } }
        }
        h2 { (page.t("registry-import-columns")) }
        (column_form(page, id, report))
    }
}

fn column_form(page: &Page<'_>, id: EventId, report: &ImportReport) -> Markup {
    html! {
        form method="post" action={ "/registry/uploads/" (id) "/columns" } {
            @for used in &report.columns {
                label {
                    span { (used.header) }
                    select name=(used.column) {
                        option value="" { (page.t("registry-import-not-used")) }
                        @for field in Field::ALL { option value=(field.name()) selected[used.field == Some(field.name())] { (page.t(&format!("registry-field-{}", field.name()))) } }
                    }
                }
            }
            button { (page.t("registry-import-judge-again")) }
        }
    }
}

fn report_of(page: &Page<'_>, id: EventId, report: &ImportReport) -> Markup {
    html! {
        p { (page.with("registry-import-rows", &[("rows", &report.rows.to_string())])) " " (counts_words(page, &report.counts)) }
        @for line in &report.sheet { p.soft { (line) } }
        @if !report.places.is_empty() {
            details {
                summary { (page.with("registry-import-places", &[("count", &(report.places.len() as u64 + report.places_more).to_string())])) }
                ul { @for place in report.places.iter().take(SHOWN) { li { (page.t(&format!("registry-kind-{}", place.kind.name()))) " " span.code { (place.code) } " " (place.name) } } }
            }
        }
        @if !report.problems.is_empty() || !report.repeated.is_empty() {
            h2 { (page.t("registry-import-problems")) }
            p { a href={ "/registry/uploads/" (id) "/problems.csv" } { (page.t("registry-import-problems-csv")) } }
            table {
                thead { tr { @for word in ["row", "column", "field", "problem", "first-row"] { th { (page.t(&format!("registry-report-{word}"))) } } } }
                tbody {
                    @for p in report.problems.iter().take(SHOWN) { tr {
                        td.number { (p.row) } td.number { @if let Some(column) = p.column { (column) } }
                        td { (page.t(&format!("registry-field-{}", p.field))) } td { (page.t(&format!("registry-problem-{}", p.code))) }
                        td.number { @if let Some(row) = p.first_row { (row) } }
                    } }
                    @for r in report.repeated.iter().take(SHOWN) { tr { td.number { (r.row) } td {} td {} td { (page.t("registry-problem-repeated")) } td.number { (r.first_row) } } }
                }
            }
        }
    }
}

async fn columns(State(app): State<App>, actor: Actor, Extension(uploads): Held, At(id): At<EventId>, Form(form): Form<Vec<(String, String)>>) -> Answered {
    let mut mapping = Mapping::default();
    for (column, field) in form {
        let column = column
            .parse::<usize>()
            .ok()
            .and_then(|column| column.checked_sub(1))
            .ok_or_else(|| Refusal::malformed("import-column-beyond").with("column", &column))?;
        if let Some(field) = Field::from_name(&field) {
            mapping.set(field, Some(column));
        }
    }
    uploads.remap(&app, &actor, id, mapping)?;
    Ok(Redirect::to(&format!("/registry/uploads/{id}")).into_response())
}

#[derive(Deserialize)]
struct CommitForm {
    #[serde(default)]
    gone: String,
}

async fn commit(State(app): State<App>, actor: Actor, Extension(uploads): Held, At(id): At<EventId>, Form(form): Form<CommitForm>) -> Answered {
    let mode = if form.gone == "yes" { Mode::CommitAndEndGone } else { Mode::Commit };
    uploads.start(&app, &actor, id, mode)?;
    Ok(Redirect::to(&format!("/registry/uploads/{id}")).into_response())
}

async fn problems(State(app): State<App>, actor: Actor, Extension(uploads): Held, At(id): At<EventId>) -> Answered {
    let upload: Upload = uploads.get(&actor, id)?;
    let (Stage::Judged(report) | Stage::Done(report)) = upload.stage else { return Err(Refusal::conflict("upload-not-judged").into()) };
    let words = app.texts.words(actor.language);
    Ok(download(report.problems_csv(|key| words.t(key)), "text/csv; charset=utf-8", "problems.csv"))
}

#[derive(Deserialize)]
struct UndoForm {
    import: ImportId,
}

async fn undo(State(app): State<App>, actor: Actor, Form(form): Form<UndoForm>) -> Answered {
    routes::undo(&app, &actor, form.import).await?;
    Ok(Redirect::to("/registry/imports").into_response())
}
