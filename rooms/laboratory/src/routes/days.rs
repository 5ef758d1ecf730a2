//! The day of a laboratory as a file: PDF, CSV, XLSX.

use baton_desk::paper::{LanguageAsked, Writing, pdf_download, unwritten};
use baton_kit::OperationalDay;
use baton_sheets::{ColumnKind, write_csv, write_xlsx};

use super::papers::KEYS;
use super::*;
use crate::papers::day::{DayNamed, day_pdf, heads, rows};
use crate::store::day::{DayOfLaboratory, day_of_laboratory};

#[derive(Deserialize)]
pub(super) struct DayAsked {
    laboratory: PlaceId,
    #[serde(flatten)]
    language: LanguageAsked,
}

/// `2026-03-27.pdf`: an operational day and the form of its file.
fn day_and_form(app: &App, text: &str) -> Result<(OperationalDay, String), Refusal> {
    let unknown = || Refusal::absent("lab-day-unknown").with("text", text);
    let (day, form) = text.split_once('.').ok_or_else(unknown)?;
    let day = app.site.parse_day(day).ok_or_else(unknown)?;
    matches!(form, "pdf" | "csv" | "xlsx").then(|| (day, form.to_owned())).ok_or_else(unknown)
}

pub(super) async fn day_file(State(app): State<App>, actor: Actor, At(file): At<String>, Asked(asked): Asked<DayAsked>) -> Answered {
    let (day, form) = day_and_form(&app, &file)?;
    let language = asked.language.or(actor.language)?;
    let (from, to) = (app.site.start_of(day), app.site.start_of(OperationalDay(day.0 + 1)));
    let shown = app.site.show_day(day);
    let (named, counted) = app
        .read(move |tx| {
            commands::reach(tx, &actor, asked.laboratory)?;
            let place = registry::place(tx, asked.laboratory)?.ok_or_else(|| Refusal::absent("lab-no-laboratory"))?;
            Ok((DayNamed { laboratory: place.name, code: place.code, day: shown }, day_of_laboratory(tx, asked.laboratory, from, to)?))
        })
        .await?;
    let name = format!("{}-{}.{form}", named.code, named.day);
    match form.as_str() {
        "pdf" => pdf_download(&app, (KEYS, language), &name, move |writing, app| day_pdf(writing, &named, &counted, &app.ledger.secrets().signing)).await,
        form => table_download(&app, language, form, &name, &counted),
    }
}

fn table_download(app: &App, language: baton_kit::Language, form: &str, name: &str, day: &DayOfLaboratory) -> Answered {
    let writing = Writing::of(app, KEYS, language);
    let (heads, rows) = (heads(&writing), rows(&writing, day));
    if form == "csv" {
        return Ok(download(write_csv(&heads, rows), "text/csv; charset=utf-8", name));
    }
    let kinds = [ColumnKind::Text, ColumnKind::Number, ColumnKind::Number];
    let bytes = write_xlsx("day", &heads, rows, &kinds).map_err(unwritten)?;
    Ok(download(bytes, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", name))
}
