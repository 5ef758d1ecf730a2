//! A run on the bench: the plate coloured by what it shows, the curves of a well, the queue to review, signatures.

use std::collections::HashMap;

use axum::extract::State;
use axum::response::Redirect;
use baton_desk::answer::Answered;
use baton_desk::form::{Asked, At, Form};
use baton_desk::{Actor, App, Page, Route};
use baton_kit::{AccountId, EventId, Refusal, RunId, TubeId};
use baton_ledger::{Tx, Undecided, Vault};
use maud::{Markup, html};
use serde::Deserialize;

use super::drawing::View;
use super::plates::{Cell, control_text, grid, short};
use super::{account_names, coded, drawing, finding_words, form_id, name_of, outcome_class, outcome_words, reason_words, styled};
use crate::commands::{self, BENCH};
use crate::curve::{CurveDrawn, decode_all};
use crate::events::*;
use crate::model::{ForSigning, Override, Plate, ResultState, Run, TubeClock, can_be_overridden};
use crate::routes::{BENCH_ACCESS, WATCH_ACCESS};
use crate::rules::layout;
use crate::rules::signing::{RunNow, goes_by_rule, to_review};
use crate::store::bench;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/laboratory/runs/{run}", WATCH_ACCESS, "The bench: plate, curves, review queue, release", run_page),
        Route::post("/laboratory/runs/{run}/sign", BENCH_ACCESS, "Sign one tube, or release clean negatives by rule", sign),
        Route::post("/laboratory/runs/{run}/override", BENCH_ACCESS, "Propose or confirm to let a held run through", override_run),
    ]
}

#[derive(Deserialize)]
struct RunAsked {
    #[serde(default)]
    well: Option<u16>,
    /// What of the curves is drawn.
    #[serde(default)]
    view: View,
    /// One target; all when empty.
    #[serde(default)]
    target: String,
}

/// How the curves are looked at; every link on the page keeps it.
struct Looking {
    view: View,
    target: String,
}

impl Looking {
    fn link(&self, bench: &Bench, well: u16) -> String {
        let target: String = self.target.bytes().map(|b| if b.is_ascii_alphanumeric() { (b as char).to_string() } else { format!("%{b:02X}") }).collect();
        format!("/laboratory/runs/{}?well={well}&view={}&target={target}", bench.run().run, self.view.name())
    }
    fn with(&self, view: View, target: &str) -> Self {
        Self { view, target: target.to_owned() }
    }
}

/// Everything the bench shows of a run.
struct Bench {
    now: RunNow,
    plate: Plate,
    layout: Vec<WellLaid>,
    tubes: HashMap<u16, TubeClock>,
    readings: Vec<TargetRead>,
    names: HashMap<AccountId, String>,
}

impl Bench {
    fn load(tx: &mut Tx<'_>, vault: &Vault, actor: &Actor, id: RunId) -> Result<Self, Undecided> {
        let unknown = || Refusal::absent("lab-run-unknown").with("run", id);
        let now = bench::run_now(tx, id)?.ok_or_else(unknown)?;
        commands::reach(tx, actor, now.run.laboratory)?;
        let plate = bench::plate(tx, now.run.plate)?.ok_or_else(unknown)?;
        let mut people: Vec<AccountId> = now.run.read_by.into_iter().collect();
        match &now.run.release {
            Override::None => {}
            Override::Proposed { by, .. } => people.push(*by),
            Override::Confirmed { by, and, .. } => people.extend([*by, *and]),
        }
        people.extend(now.specimens.iter().filter_map(|specimen| if let ResultState::SignedOnce { by, .. } = specimen.result.state { Some(by) } else { None }));
        Ok(Self {
            layout: bench::layout(tx, plate.plate)?,
            tubes: bench::tubes_on(tx, plate.plate)?,
            readings: bench::readings(tx, id, None)?,
            names: account_names(tx, vault, people.into_iter())?,
            now,
            plate,
        })
    }

    fn run(&self) -> &Run {
        &self.now.run
    }
    fn specimen(&self, well: u16) -> Option<&ForSigning> {
        self.now.specimens.iter().find(|specimen| specimen.call.well == well)
    }
    fn well_of(&self, tube: TubeId) -> Option<u16> {
        self.now.specimens.iter().find(|specimen| specimen.tube == tube).map(|specimen| specimen.call.well)
    }
    fn label(&self, well: u16) -> String {
        layout::label(well, self.plate.wells)
    }
}

async fn run_page(State(app): State<App>, actor: Actor, At(id): At<RunId>, Asked(asked): Asked<RunAsked>) -> Answered<Markup> {
    let (who, vault) = (actor.clone(), app.ledger.vault().clone());
    let bench = app.read(move |tx| Bench::load(tx, &vault, &who, id)).await?;
    let stored = app.read_log(move |log| Ok(bench::curves(log, id)?)).await?;
    let curves = stored.map(|run| decode_all(&run.curves)).unwrap_or_default();
    let queue: Vec<u16> = to_review(&bench.now).into_iter().filter_map(|tube| bench.well_of(tube)).collect();
    let first = bench.readings.first().map(|reading| reading.well);
    let well = asked.well.or_else(|| queue.first().copied()).or(first).unwrap_or(0);
    let looking = Looking { view: asked.view, target: asked.target };
    let ids = [form_id(&app, bench.plate.laboratory).await?, form_id(&app, bench.plate.laboratory).await?, form_id(&app, bench.plate.laboratory).await?];
    let page = Page::new(&app, &actor);
    let title = page.with("laboratory-run-title", &[("plate", &bench.plate.code)]);
    Ok(page.frame_with(
        &title,
        super::SCRIPTS,
        styled(html! {
            (head(&page, &bench))
            (findings(&page, &bench, ids[0]))
            (release_bar(&page, &bench, &queue, ids[1]))
            div.bench {
                div { (map(&page, &bench, &curves, well, &looking)) (legend(&page)) (plate_plot(&page, &bench, &curves, well, &looking)) }
                div.panel { (well_panel(&page, &bench, &curves, &Shown { well, queue: &queue, looking: &looking, id: ids[2] })) }
            }
            dialog id="sure" aria-labelledby="sure-words" { p id="sure-words" {} p.actions { button.primary id="sure-yes" { (page.t("laboratory-sign-yes")) } " " button id="sure-no" { (page.t("laboratory-sign-no")) } } }
            p.soft.no-print { (page.t("laboratory-keys")) }
        }),
    ))
}

fn head(page: &Page<'_>, bench: &Bench) -> Markup {
    let run = bench.run();
    html! {
        p { a href={ "/laboratory/plates/" (bench.plate.plate) } { (bench.plate.code) } " · "
            @if run.rules.is_empty() { (page.t("laboratory-bench-plate")) } @else { (run.rules) }
            " · " (run.instrument) " · " (page.time(run.read)) @if let Some(by) = run.read_by { " · " (name_of(&bench.names, by)) } }
        p.soft { (run.file_name) " · SHA-256 " span.code { (run.file_sha256.chars().take(16).collect::<String>()) "…" } }
    }
}

fn findings(page: &Page<'_>, bench: &Bench, id: EventId) -> Markup {
    let run = bench.run();
    let wells = |wells: &[u16]| wells.iter().map(|well| bench.label(*well)).collect::<Vec<_>>().join(" ");
    html! {
        @if run.findings.is_empty() { p.notice.good { (page.t("laboratory-controls-valid")) } }
        @for found in &run.findings {
            div.notice.bad role="alert" {
                p { strong { (finding_words(page, &found.code)) } @if let Some(target) = &found.target { " · " (target) } @if !found.seen_in.is_empty() { " · " (wells(&found.seen_in)) } }
                @if let Some(other) = found.matches { p { a href={ "/laboratory/plates/" (other) } { (page.t("laboratory-fits-plate")) } } }
                p { (page.with("laboratory-holds", &[("count", &found.wells.len().to_string())])) }
            }
        }
        @if !run.findings.is_empty() { (override_part(page, bench, id)) }
    }
}

fn override_part(page: &Page<'_>, bench: &Bench, id: EventId) -> Markup {
    let run = bench.run();
    let may = page.actor.has_any(BENCH) && run.findings.iter().all(|finding| can_be_overridden(&finding.code));
    let action = format!("/laboratory/runs/{}/override", run.run);
    html! {
        @match &run.release {
            Override::Confirmed { by, and, reason, at } => p.notice.warn { (page.with("laboratory-overridden", &[("one", &name_of(&bench.names, *by)), ("other", &name_of(&bench.names, *and)), ("time", &page.time(*at))])) " · " (reason) },
            Override::Proposed { by, reason, .. } => {
                p.notice.warn { (page.with("laboratory-override-by", &[("name", &name_of(&bench.names, *by))])) " · " (reason) }
                @if may && page.actor.account != Some(*by) { form method="post" action=(action) { input type="hidden" name="id" value=(id); button.danger { (page.t("laboratory-override-confirm")) } } }
            },
            Override::None => @if may {
                form.inline method="post" action=(action) {
                    input type="hidden" name="id" value=(id);
                    input name="reason" required minlength="4" placeholder=(page.t("laboratory-remark")) aria-label=(page.t("laboratory-remark"));
                    button.danger { (page.t("laboratory-override-propose")) }
                }
            },
        }
        p { (page.way(BENCH_ACCESS, &format!("/laboratory/plates/new?laboratory={}&again={}", bench.plate.laboratory, bench.plate.plate), &page.t("laboratory-lay-again"))) }
    }
}

fn release_bar(page: &Page<'_>, bench: &Bench, queue: &[u16], id: EventId) -> Markup {
    let by_rule = bench.now.specimens.iter().filter(|specimen| !specimen.result.state.is_out() && goes_by_rule(bench.run(), specimen)).count();
    let out = bench.now.specimens.iter().filter(|specimen| specimen.result.state.is_out()).count();
    html! {
        dl.figures {
            div { dt { (page.t("laboratory-by-rule")) } dd { (by_rule) } }
            div { dt { (page.t("laboratory-to-look-at")) } dd { (queue.len()) } }
            div { dt { (page.t("laboratory-out")) } dd { (out) } }
        }
        @if by_rule > 0 && page.actor.has_any(BENCH) {
            form.inline method="post" action={ "/laboratory/runs/" (bench.run().run) "/sign" } data-sure=(page.with("laboratory-release-sure", &[("count", &by_rule.to_string())])) {
                input type="hidden" name="id" value=(id);
                button.primary { (page.with("laboratory-release-by-rule", &[("count", &by_rule.to_string())])) }
            }
            details { summary { (page.t("laboratory-rules-passed")) }
                ul { @for rule in &bench.run().verify_rules { li { (coded(page, "rule", rule)) } }
                    @if let Some(specimen) = bench.now.specimens.first() { @for (name, _) in &specimen.circumstances { li { (coded(page, "rule", name)) } } } }
            }
        }
    }
}

/// Every curve of the plate at once: what differs from the others shows.
fn plate_plot(page: &Page<'_>, bench: &Bench, curves: &[CurveDrawn], here: u16, looking: &Looking) -> Markup {
    let mut targets: Vec<&str> = curves.iter().map(|curve| curve.target.as_str()).collect();
    targets.sort_unstable();
    targets.dedup();
    let drawn: Vec<&CurveDrawn> = curves.iter().filter(|curve| looking.target.is_empty() || curve.target == looking.target).collect();
    let name = |curve: &CurveDrawn| (looking.link(bench, curve.well), format!("{} {}", bench.label(curve.well), curve.target));
    let choice = |view: View, target: &str, words: String| {
        html! {
            a href=(looking.with(view, target).link(bench, here)) aria-current=[(looking.view == view && looking.target == target).then_some("true")] { (words) } " "
        }
    };
    html! {
        @if !curves.is_empty() { figure.plate-curves {
            figcaption { (page.t("laboratory-plate-curves")) }
            p.views { @for view in View::ALL { (choice(view, &looking.target, page.t(&format!("laboratory-view-{}", view.name())))) } }
            p.views { (choice(looking.view, "", page.t("laboratory-all-targets"))) @for target in &targets { (choice(looking.view, target, (*target).to_owned())) } }
            (drawing::curves_of_plate(curves, &drawn, looking.view, here, &page.t("laboratory-plate-curves"), &name))
        } }
    }
}

fn map(page: &Page<'_>, bench: &Bench, curves: &[CurveDrawn], here: u16, looking: &Looking) -> Markup {
    let mut by_well: HashMap<u16, Vec<&CurveDrawn>> = HashMap::new();
    for curve in curves {
        by_well.entry(curve.well).or_default().push(curve);
    }
    let laid: HashMap<u16, WellContent> = bench.layout.iter().map(|laid| (laid.well, laid.content)).collect();
    let scale = drawing::scale_of(curves, View::Above);
    grid(bench.plate.wells, |well| {
        let content = laid.get(&well).copied();
        let drawn = by_well.get(&well).map(Vec::as_slice).unwrap_or_default();
        let (class, words) = well_class(page, bench, well, content, !drawn.is_empty());
        let code = bench.tubes.get(&well).and_then(|clock| clock.code.clone());
        let text = content.map_or_else(String::new, |content| control_text(content).map_or_else(|| short(code.as_deref().unwrap_or("?")), str::to_owned));
        let spark = if bench.plate.wells == 96 && !drawn.is_empty() {
            drawing::sparkline(drawn, &scale)
        } else {
            html! {}
        };
        let link = (content.is_some() || !drawn.is_empty()).then(|| looking.link(bench, well));
        Cell { class, text, title: format!("{} {} {words}", bench.label(well), code.unwrap_or_default()), inside: spark, link, current: well == here }
    })
}

/// Colour and word of a well: its tube's outcome, or on a bench plate the strongest call of its curves.
fn well_class(page: &Page<'_>, bench: &Bench, well: u16, content: Option<WellContent>, curves: bool) -> (String, String) {
    let held = if bench.run().holding(well).next().is_some() { " held" } else { "" };
    if let Some(specimen) = bench.specimen(well) {
        let outcome = specimen.result.outcome;
        return (format!("{}{held}", outcome_class(outcome)), outcome_words(page, outcome));
    }
    match content {
        Some(content) if control_text(content).is_some() => {
            let wrong = bench.run().findings.iter().any(|finding| finding.seen_in.contains(&well));
            (if wrong { "control bad" } else { "control" }.to_owned(), coded(page, "control", control_word(content)))
        }
        None if !curves => ("empty-well".to_owned(), String::new()),
        _ => {
            let call = strongest(bench.readings.iter().filter(|reading| reading.well == well));
            let class = match call {
                "positive" => "bad",
                "negative" => "good",
                _ => "warn",
            };
            (class.to_owned(), coded(page, "call", call))
        }
    }
}

fn control_word(content: WellContent) -> &'static str {
    match content {
        WellContent::NoTemplateControl => "no_template",
        WellContent::PositiveControl => "positive",
        WellContent::ExtractionControl | WellContent::Tube(_) => "extraction",
    }
}

fn strongest<'r>(readings: impl Iterator<Item = &'r TargetRead>) -> &'r str {
    const ORDER: [&str; 4] = ["positive", "ambiguous", "unreadable", "negative"];
    let mut found: Vec<&str> = readings.map(|reading| reading.call.as_str()).collect();
    found.sort_by_key(|call| ORDER.iter().position(|known| known == call));
    found.first().copied().unwrap_or("unreadable")
}

fn legend(page: &Page<'_>) -> Markup {
    html! { p.soft { @for outcome in TubeOutcome::ALL { span.(outcome_class(outcome)) { "■ " (outcome_words(page, outcome)) } " " } "╌ " (page.t("laboratory-held-mark")) } }
}

/// What the panel of one well needs beside the run.
struct Shown<'s> {
    well: u16,
    queue: &'s [u16],
    looking: &'s Looking,
    id: EventId,
}

fn well_panel(page: &Page<'_>, bench: &Bench, curves: &[CurveDrawn], shown: &Shown<'_>) -> Markup {
    let Shown { well, queue, looking, id } = *shown;
    let drawn: Vec<&CurveDrawn> = curves.iter().filter(|curve| curve.well == well).collect();
    let readings: Vec<TargetRead> = bench.readings.iter().filter(|reading| reading.well == well).cloned().collect();
    let at = queue.iter().position(|queued| *queued == well);
    let step = |to: Option<usize>| to.and_then(|to| queue.get(to)).map(|well| looking.link(bench, *well));
    let (next, before) = (step(at.map_or(Some(0), |at| Some(at + 1))), step(at.and_then(|at| at.checked_sub(1))));
    let clock = bench.tubes.get(&well);
    html! {
        div.queue {
            @if let Some(before) = before { a.button href=(before) data-key="p k" { "← K" } }
            strong { (bench.label(well)) } @if let Some(clock) = clock { a href={ "/laboratory/tubes/" (clock.tube) } { (clock.code.clone().unwrap_or_default()) } " " (page.with("laboratory-people", &[("count", &clock.members.to_string())])) }
            @if let Some(next) = next { a.button href=(next) data-key="n j" { "J →" } }
        }
        @if drawn.is_empty() { p.empty { (page.t("laboratory-no-curves")) } } @else {
            (drawing::curves_of_well(&drawn, &drawing::scale_of(curves, looking.view), looking.view, &readings, &page.with("laboratory-curves-of", &[("well", &bench.label(well))])))
        }
        (readings_table(page, &drawn, &readings))
        @if let Some(specimen) = bench.specimen(well) { (specimen_part(page, bench, specimen, id)) }
    }
}

fn readings_table(page: &Page<'_>, drawn: &[&CurveDrawn], readings: &[TargetRead]) -> Markup {
    let told = drawn.iter().any(|curve| curve.instrument_call.is_some());
    html! {
        div.scroll { table {
            thead { tr { th {} th { (page.t("laboratory-target")) } th { (page.t("laboratory-call")) } th.number { "Cq" } th.number { (page.t("laboratory-instrument-cq")) } @if told { th { (page.t("laboratory-instrument-call")) } } th.number { "P" } th { (page.t("laboratory-reasons")) } } }
            tbody { @for (index, (curve, reading)) in drawn.iter().zip(readings).enumerate() {
                tr {
                    td { svg.key viewBox="0 0 26 10" aria-hidden="true" { line.(format!("c{}", index % 6)) x1="0" x2="26" y1="5" y2="5" {} } }
                    td { (reading.target) @if !curve.dye.is_empty() { " " span.soft { (curve.dye) } } }
                    td { (coded(page, "call", &reading.call)) }
                    td.number { (reading.cq.map_or_else(|| "–".to_owned(), |cq| format!("{cq:.2}"))) }
                    td.number.soft { (curve.instrument_cq.map_or_else(|| "–".to_owned(), |cq| format!("{cq:.2}"))) }
                    @if told { td.soft { (curve.instrument_call.as_deref().unwrap_or("–")) } }
                    td.number { (format!("{:.3}", reading.p_positive)) }
                    td { (reading.reasons.iter().map(|reason| coded(page, "curve", reason)).collect::<Vec<_>>().join(" · ")) }
                }
            } }
        } }
    }
}

fn specimen_part(page: &Page<'_>, bench: &Bench, specimen: &ForSigning, id: EventId) -> Markup {
    let outcome = specimen.result.outcome;
    let failed: Vec<String> = specimen
        .call
        .not_passed
        .iter()
        .map(|rule| coded(page, "rule", rule))
        .chain(specimen.circumstances.iter().filter(|(_, holds)| !holds).map(|(name, _)| coded(page, "rule", name)))
        .collect();
    html! {
        p.answer.(outcome_class(outcome)) { (outcome_words(page, outcome)) }
        @if !specimen.call.reasons.is_empty() { p { (specimen.call.reasons.iter().map(|reason| reason_words(page, reason)).collect::<Vec<_>>().join(" · ")) } }
        p { (page.t("laboratory-action")) " " strong { (coded(page, "action", &specimen.call.action)) } }
        @if !failed.is_empty() { p.soft { (page.t("laboratory-not-passed")) " " (failed.join(" · ")) } }
        @for found in bench.run().holding(specimen.call.well) { p.bad { (page.t("laboratory-held-by")) " " (finding_words(page, &found.code)) } }
        (sign_part(page, bench, specimen, id))
    }
}

fn sign_part(page: &Page<'_>, bench: &Bench, specimen: &ForSigning, id: EventId) -> Markup {
    let button = |words: &str| {
        html! {
            form method="post" action={ "/laboratory/runs/" (bench.run().run) "/sign" } data-sure=(page.with("laboratory-sign-sure", &[("well", &bench.label(specimen.call.well)), ("outcome", &outcome_words(page, specimen.result.outcome))])) {
                input type="hidden" name="id" value=(id);
                input type="hidden" name="tube" value=(specimen.tube);
                button.primary data-key="s" { (page.t(words)) " S" }
            }
        }
    };
    let held = bench.run().holding(specimen.call.well).next().is_some() || !page.actor.has_any(BENCH);
    html! {
        @match &specimen.result.state {
            ResultState::Released(_) | ResultState::Amended { .. } => p.good { (page.t("laboratory-released-at")) " " (page.time(specimen.result.at)) },
            _ if held => {},
            ResultState::Preliminary => (button("laboratory-sign-first")),
            ResultState::SignedOnce { by, at, .. } => {
                p { (page.with("laboratory-signed-by", &[("name", &name_of(&bench.names, *by)), ("time", &page.time(*at))])) }
                @if page.actor.account != Some(*by) { (button("laboratory-sign-second")) }
            },
        }
    }
}

#[derive(Deserialize)]
struct SignForm {
    id: EventId,
    #[serde(default)]
    tube: Option<TubeId>,
}

async fn sign(State(app): State<App>, actor: Actor, At(run): At<RunId>, Form(form): Form<SignForm>) -> Answered<Redirect> {
    let command = SignResults { run, tubes: form.tube.into_iter().collect() };
    let decision = commands::sign(&app, &actor, form.id, command).await?;
    app.seen(decision.acknowledgement.ordinal).await;
    Ok(Redirect::to(&format!("/laboratory/runs/{run}")))
}

#[derive(Deserialize)]
struct OverrideForm {
    id: EventId,
    /// Nothing when this confirms what another person proposed.
    #[serde(default)]
    reason: Option<String>,
}

async fn override_run(State(app): State<App>, actor: Actor, At(run): At<RunId>, Form(form): Form<OverrideForm>) -> Answered<Redirect> {
    let ordinal = match form.reason {
        Some(reason) => commands::propose_override(&app, &actor, form.id, ProposeOverride { run, reason }).await?.acknowledgement.ordinal,
        None => commands::confirm_override(&app, &actor, form.id, ConfirmOverride { run }).await?.acknowledgement.ordinal,
    };
    app.seen(ordinal).await;
    Ok(Redirect::to(&format!("/laboratory/runs/{run}")))
}
