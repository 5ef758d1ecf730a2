//! Plates: laid by rule and by hand, printed, handed to the instrument, given their file.

use axum::extract::{Request, State};
use axum::response::Redirect;
use baton_desk::answer::Answered;
use baton_desk::form::{Asked, At, Form};
use baton_desk::{Actor, App, Page, Route};
use baton_kit::{EventId, LotId, PlaceId, PlateId, Refusal, TubeId, TypedId};
use baton_pcr::rules::RuleSet;
use baton_registry::events::LotKind;
use baton_registry::model::{Lot, Place};
use baton_registry::store as registry;
use maud::{Markup, html};
use serde::Deserialize;
use std::collections::HashMap;

use super::accession::the_tube;
use super::{chosen, form_id, laboratory_choice, styled};
use crate::commands;
use crate::events::{DiscardPlate, LayPlate, WellContent, WellLaid};
use crate::model::{Plate, PlateState, TubeClock};
use crate::routes::{BENCH_ACCESS, FILE_BYTES_MAX, TRACE_ACCESS, WATCH_ACCESS, assay_of, file_given, plate_and_layout};
use crate::rules::layout;
use crate::store::lineage::Origin;
use crate::store::{self, bench, clock};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/laboratory/plates/new", BENCH_ACCESS, "Lay a plate", new_page),
        Route::post("/laboratory/plates/new", BENCH_ACCESS, "Lay a plate", lay),
        Route::get("/laboratory/plates/{plate}", WATCH_ACCESS, "One plate: its map, worklists and file", plate_page),
        Route::post("/laboratory/plates/{plate}/discard", BENCH_ACCESS, "Take a plate out of use", discard),
        Route::post("/laboratory/runs", BENCH_ACCESS, "Give a plate its file", upload).up_to(FILE_BYTES_MAX),
        Route::post("/laboratory/bench-plates", BENCH_ACCESS, "Put a file through a plate of nobody's specimens", upload_on_new).up_to(FILE_BYTES_MAX),
    ]
}

#[derive(Deserialize)]
struct NewAsked {
    #[serde(default)]
    laboratory: Option<PlaceId>,
    #[serde(default)]
    assay: Option<String>,
    #[serde(default)]
    wells: Option<u16>,
    /// A plate whose unfinished tubes are laid again.
    #[serde(default)]
    again: Option<PlateId>,
}

struct NewPlate {
    here: Place,
    mine: Vec<Place>,
    /// Waiting tubes by assay.
    waiting: HashMap<String, Vec<String>>,
    extraction: Vec<Lot>,
    pcr: Vec<Lot>,
    number: i64,
}

async fn new_page(State(app): State<App>, actor: Actor, Asked(asked): Asked<NewAsked>) -> Answered<Markup> {
    let (who, now) = (actor.clone(), app.ledger.now());
    let (laboratory, again) = (asked.laboratory, asked.again);
    let new = app
        .read(move |tx| {
            let (here, mine) = chosen(tx, &who, laboratory)?;
            let tubes = match again {
                Some(plate) => bench::tubes_on(tx, plate)?.into_values().filter(|clock| clock.released.is_none()).collect(),
                None => clock::waiting_for_plate(tx, here.id, 5_000)?,
            };
            let mut waiting: HashMap<String, Vec<String>> = HashMap::new();
            for clock in tubes {
                let assay = assay_of(tx, &clock)?.unwrap_or_default();
                waiting.entry(assay).or_default().push(clock.code.unwrap_or_else(|| clock.tube.to_string()));
            }
            let usable = |lots: Vec<Lot>| lots.into_iter().filter(|lot| lot.expires > now && lot.recalled.is_none()).take(100).collect();
            let extraction = usable(registry::lots(tx, Some(LotKind::ExtractionKit))?);
            let pcr = usable(registry::lots(tx, Some(LotKind::PcrKit))?);
            Ok(NewPlate { number: bench::plates_laid(tx, here.id)? + 1, here, mine, waiting, extraction, pcr })
        })
        .await?;
    let page = Page::new(&app, &actor);
    let id = form_id(&app, new.here.id).await?;
    let content = new_form(&page, &new, &asked, id);
    Ok(page.frame(&page.t("laboratory-lay-plate"), styled(content)))
}

fn new_form(page: &Page<'_>, new: &NewPlate, asked: &NewAsked, id: EventId) -> Markup {
    let most = new.waiting.iter().max_by_key(|(name, codes)| (codes.len(), std::cmp::Reverse((*name).clone()))).map(|(name, _)| name.clone());
    let assay = asked.assay.clone().or(most).filter(|name| !name.is_empty()).unwrap_or_else(|| "orf1ab-n-ic".to_owned());
    let wells = asked.wells.filter(|wells| layout::SIZES.contains(wells)).unwrap_or(96);
    let controls = RuleSet::builtin(&assay).map_or(0, |rules| layout::controls(0, wells, &rules).len());
    let codes = new.waiting.get(&assay).map(Vec::as_slice).unwrap_or_default();
    let shown: Vec<&str> = codes.iter().take(usize::from(wells) - controls).map(String::as_str).collect();
    html! {
        (laboratory_choice(page, &new.here, &new.mine, "/laboratory/plates/new"))
        p { @for name in RuleSet::builtin_names() {
            a.button.primary[name == assay] href={ "/laboratory/plates/new?laboratory=" (new.here.id) "&assay=" (name) "&wells=" (wells) } {
                (name) " · " (page.with("laboratory-waiting-count", &[("count", &new.waiting.get(name).map_or(0, Vec::len).to_string())]))
            } " "
        } }
        form method="post" action="/laboratory/plates/new" {
            input type="hidden" name="id" value=(id);
            input type="hidden" name="laboratory" value=(new.here.id);
            input type="hidden" name="assay" value=(assay);
            label { span { (page.t("laboratory-plate-code")) } input name="code" required value=(format!("P{:05}", new.number)) autocomplete="off"; }
            label { span { (page.t("laboratory-plate-size")) } select name="wells" { @for size in layout::SIZES { option value=(size) selected[size == wells] { (size) } } } }
            (lot_choice(page, "laboratory-extraction-lot", "extraction_lot", &new.extraction))
            (lot_choice(page, "laboratory-pcr-lot", "pcr_lot", &new.pcr))
            label { span { (page.with("laboratory-tubes-by-rule", &[("controls", &controls.to_string())])) } textarea name="tubes" rows="8" spellcheck="false" { (shown.join("\n")) } }
            label { span { (page.t("laboratory-tubes-by-hand")) } textarea name="by_hand" rows="3" spellcheck="false" placeholder="B3 T0001" {} }
            button.primary { (page.t("laboratory-lay")) }
        }
        h2 { (page.t("laboratory-bench-file")) }
        p.soft { (page.t("laboratory-bench-file-words")) }
        form method="post" action={ "/laboratory/bench-plates?laboratory=" (new.here.id) } enctype="multipart/form-data" {
            input type="hidden" name="plate" value="0";
            input type="file" name="file" required aria-label=(page.t("laboratory-file"));
            button { (page.t("laboratory-read-file")) }
        }
    }
}

fn lot_choice(page: &Page<'_>, words: &str, name: &str, lots: &[Lot]) -> Markup {
    html! {
        label { span { (page.t(words)) } select name=(name) required {
            @for lot in lots { option value=(lot.id) { (lot.code) " · " (lot.product) " · " (page.with("laboratory-expires", &[("time", &page.time(lot.expires))])) } }
        } }
        @if lots.is_empty() { p.notice.bad { (page.t("laboratory-no-lot")) } }
    }
}

#[derive(Deserialize)]
struct LayForm {
    id: EventId,
    laboratory: PlaceId,
    assay: String,
    code: String,
    wells: u16,
    extraction_lot: LotId,
    pcr_lot: LotId,
    #[serde(default)]
    tubes: String,
    #[serde(default)]
    by_hand: String,
}

async fn lay(State(app): State<App>, actor: Actor, Form(form): Form<LayForm>) -> Answered<Redirect> {
    let by_hand = hand_placed(&form.by_hand, form.wells)?;
    let codes: Vec<String> = form.tubes.split_whitespace().map(str::to_owned).collect();
    if codes.len() + by_hand.len() > 384 {
        return Err(Refusal::ruled("lab-too-many-tubes").with("tubes", codes.len() + by_hand.len()).with("free", form.wells).into());
    }
    let (tubes, by_hand) = app
        .read(move |tx| {
            let mut find = |code: &str| -> Result<TubeId, baton_ledger::Undecided> { Ok(the_tube(store::tubes_by_code(tx, code)?, code)?) };
            let tubes = codes.iter().map(|code| find(code)).collect::<Result<Vec<TubeId>, _>>()?;
            let by_hand = by_hand.iter().map(|(well, code)| Ok((*well, find(code)?))).collect::<Result<Vec<_>, baton_ledger::Undecided>>()?;
            Ok((tubes, by_hand))
        })
        .await?;
    let command = LayPlate {
        code: form.code.trim().to_owned(),
        laboratory: form.laboratory,
        wells: form.wells,
        assay: form.assay,
        tubes,
        extraction_lot: form.extraction_lot,
        pcr_lot: form.pcr_lot,
        by_hand,
    };
    let decision = commands::lay_plate(&app, &actor, form.id, command).await?;
    app.seen(decision.acknowledgement.ordinal).await;
    Ok(Redirect::to(&format!("/laboratory/plates/{}", decision.acknowledgement.id)))
}

/// Lines of `B3 T0001`.
fn hand_placed(text: &str, wells: u16) -> Result<Vec<(u16, String)>, Refusal> {
    let columns = layout::columns(wells);
    let mut placed = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let wrong = || Refusal::malformed("lab-hand-line").with("line", line.chars().take(80).collect::<String>());
        let (well, code) = line.split_once(|c: char| c.is_whitespace() || c == ',' || c == ';').ok_or_else(wrong)?;
        let (row, column) = baton_instruments::parse_well(well).ok_or_else(wrong)?;
        if column >= columns || row >= wells / columns {
            return Err(Refusal::ruled("lab-well-outside").with("well", well));
        }
        placed.push((row * columns + column, code.trim().to_owned()));
    }
    Ok(placed)
}

async fn plate_page(State(app): State<App>, actor: Actor, At(id): At<PlateId>) -> Answered<Markup> {
    let who = actor.clone();
    let (plate, wells, tubes, lots) = app
        .read(move |tx| {
            let (plate, wells) = plate_and_layout(tx, &who, id)?;
            let tubes = bench::tubes_on(tx, id)?;
            let mut lots = Vec::new();
            for lot in [plate.extraction_lot, plate.pcr_lot].into_iter().flatten() {
                lots.extend(registry::lot(tx, lot)?);
            }
            Ok((plate, wells, tubes, lots))
        })
        .await?;
    let page = Page::new(&app, &actor);
    let (read_id, discard_id) = (form_id(&app, plate.laboratory).await?, form_id(&app, plate.laboratory).await?);
    let dyes = plate
        .assay
        .as_deref()
        .and_then(RuleSet::builtin)
        .map(|rules| rules.targets.iter().map(|target| target.dye.clone()).collect::<std::collections::BTreeSet<_>>())
        .unwrap_or_default();
    Ok(page.frame(&plate.code, styled(html! {
        p { (plate.assay.as_deref().map_or_else(|| page.t("laboratory-bench-plate"), str::to_owned)) " · " (page.t(&format!("laboratory-plate-{}", plate.state.name()))) " · " (page.time(plate.laid))
            " · " (page.with("laboratory-fingerprint", &[("number", &plate.fingerprint.to_string())])) }
        p { @for lot in &lots { span { (super::trace_link(&page, Origin::Lot(lot.id), &lot.code)) " " (page.with("laboratory-expires", &[("time", &page.time(lot.expires))])) } @if lot.recalled.is_some() { " " strong.bad { (page.t("laboratory-recalled")) } } " · " } }
        @if let Some(run) = plate.run { p { a.button.primary href={ "/laboratory/runs/" (run) } { (page.t("laboratory-to-run")) } } }
        @if let Some(remark) = &plate.remark { p.notice.warn { (remark) } }
        (map(&plate, &wells, &tubes))
        p.actions.no-print {
            button type="button" data-print { (page.t("laboratory-print")) }
            a.button href={ "/v1/laboratory/plates/" (id) "/worklist?for=quantstudio" } { "QuantStudio" }
            @for dye in &dyes { a.button href={ "/v1/laboratory/plates/" (id) "/worklist?for=cfx&dye=" (dye) } { "CFX " (dye) } }
            (page.way(TRACE_ACCESS, &format!("/laboratory/lineage/plate/{id}"), &page.t("laboratory-people-of")))
        }
        @if plate.state == PlateState::Laid { (waiting_forms(&page, id, read_id, discard_id)) }
    })))
}

fn waiting_forms(page: &Page<'_>, plate: PlateId, read_id: EventId, discard_id: EventId) -> Markup {
    html! {
        h2 { (page.t("laboratory-give-file")) }
        form.no-print method="post" action="/laboratory/runs" enctype="multipart/form-data" {
            input type="hidden" name="plate" value=(plate);
            input type="hidden" name="id" value=(read_id);
            input type="file" name="file" required aria-label=(page.t("laboratory-file"));
            button.primary { (page.t("laboratory-read-file")) }
        }
        form.inline.no-print method="post" action={ "/laboratory/plates/" (plate) "/discard" } {
            input type="hidden" name="id" value=(discard_id);
            input name="reason" required placeholder=(page.t("laboratory-remark")) aria-label=(page.t("laboratory-remark"));
            button.danger { (page.t("laboratory-discard")) }
        }
    }
}

/// What a well of the map says.
pub(super) struct Cell {
    pub(super) class: String,
    pub(super) text: String,
    pub(super) title: String,
    pub(super) inside: Markup,
    pub(super) link: Option<String>,
    pub(super) current: bool,
}

/// A plate as a table of its wells.
pub(super) fn grid(wells: u16, mut cell: impl FnMut(u16) -> Cell) -> Markup {
    let columns = layout::columns(wells);
    html! {
        div.scroll { table.plate.wide[wells > 96] {
            thead { tr { th {} @for column in 1..=columns { th scope="col" { (column) } } } }
            tbody { @for row in 0..wells / columns {
                tr {
                    th scope="row" { (char::from(b'A' + row as u8)) }
                    @for column in 0..columns {
                        @let it = cell(row * columns + column);
                        td class=(it.class) title=(it.title) data-well=(row * columns + column) aria-current=[it.current.then_some("true")] {
                            @if let Some(link) = &it.link { a href=(link) { (it.text) (it.inside) } } @else { span.cell { (it.text) (it.inside) } }
                        }
                    }
                }
            } }
        } }
    }
}

pub(super) fn control_text(content: WellContent) -> Option<&'static str> {
    match content {
        WellContent::Tube(_) => None,
        WellContent::NoTemplateControl => Some("NTC"),
        WellContent::PositiveControl => Some("PC"),
        WellContent::ExtractionControl => Some("EC"),
    }
}

/// The end of a tube's label: what tells neighbours apart.
pub(super) fn short(code: &str) -> String {
    let letters: Vec<char> = code.chars().collect();
    letters[letters.len().saturating_sub(6)..].iter().collect()
}

fn map(plate: &Plate, wells: &[WellLaid], tubes: &HashMap<u16, TubeClock>) -> Markup {
    let laid: HashMap<u16, WellContent> = wells.iter().map(|laid| (laid.well, laid.content)).collect();
    grid(plate.wells, |well| {
        let content = laid.get(&well).copied();
        let clock = tubes.get(&well);
        let code = clock.and_then(|clock| clock.code.clone());
        let text = content.map_or(String::new(), |content| control_text(content).map_or_else(|| short(code.as_deref().unwrap_or("?")), str::to_owned));
        let class = match content {
            None => "empty-well",
            Some(WellContent::Tube(_)) => "",
            Some(_) => "control",
        };
        let title = format!("{} {}", layout::label(well, plate.wells), code.unwrap_or_default());
        Cell { class: class.to_owned(), text, title, inside: html! {}, link: clock.map(|clock| format!("/laboratory/tubes/{}", clock.tube)), current: false }
    })
}

#[derive(Deserialize)]
struct DiscardForm {
    id: EventId,
    reason: String,
}

async fn discard(State(app): State<App>, actor: Actor, At(plate): At<PlateId>, Form(form): Form<DiscardForm>) -> Answered<Redirect> {
    let decision = commands::discard_plate(&app, &actor, form.id, DiscardPlate { plate, reason: form.reason }).await?;
    app.seen(decision.acknowledgement.ordinal).await;
    Ok(Redirect::to(&format!("/laboratory/plates/{plate}")))
}

async fn upload(State(app): State<App>, actor: Actor, request: Request) -> Answered<Redirect> {
    let (file, id) = file_given(&app, request).await?;
    let id = commands::id_or_new(&app, id, file.plate.bucket()).await?;
    let taken = commands::read_run(&app, &actor, id, file).await?;
    app.seen(taken.decision.acknowledgement.ordinal).await;
    Ok(Redirect::to(&format!("/laboratory/runs/{}", taken.run)))
}

#[derive(Deserialize)]
struct OnNewAsked {
    laboratory: PlaceId,
}

async fn upload_on_new(State(app): State<App>, actor: Actor, Asked(asked): Asked<OnNewAsked>, request: Request) -> Answered<Redirect> {
    let (file, _) = file_given(&app, request).await?;
    let taken = commands::run_file_on_new_plate(&app, &actor, asked.laboratory, &file.file_name, file.bytes).await?;
    app.seen(taken.decision.acknowledgement.ordinal).await;
    Ok(Redirect::to(&format!("/laboratory/runs/{}", taken.run)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_a_hand_are_read_and_wrong_ones_named() {
        assert_eq!(hand_placed(" B3 T1\n\nH12,T2 ", 96).unwrap(), vec![(14, "T1".to_owned()), (95, "T2".to_owned())]);
        assert_eq!(hand_placed("B3", 96).unwrap_err().code, "lab-hand-line");
        assert_eq!(hand_placed("33 T1", 96).unwrap_err().code, "lab-hand-line");
        assert_eq!(hand_placed("P24 T1", 96).unwrap_err().code, "lab-well-outside");
        assert_eq!(hand_placed("P24 T1", 384).unwrap(), vec![(383, "T1".to_owned())]);
    }
}
