//! The bench's own first page, and what of the laboratory is in somebody's hand.

use axum::extract::State;
use axum::response::Redirect;
use baton_desk::answer::Answered;
use baton_desk::form::{Asked, Form};
use baton_desk::{Actor, App, Card, InboxItem, Page, Role, Route, Tone};
use baton_kit::{EventId, PlaceId, Timestamp};
use baton_ledger::{StoreResult, Tx};
use baton_pcr::rules::RuleSet;
use baton_registry::model::Place;
use maud::{Markup, html};
use serde::Deserialize;

use super::{chosen, coded, finding_words, laboratory_choice, span, styled};
use crate::commands::{self, BENCH, RECEIVERS};
use crate::events::SettleFinding;
use crate::model::{LIMIT_US, Plate, PlateState, Run};
use crate::routes::{BENCH_ACCESS, Capability, RECEIVE_ACCESS, Sight, TRACE_ACCESS, WATCH_ACCESS, capabilities};
use crate::store::{bench, clock, results};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/laboratory", WATCH_ACCESS, "The bench: runs to review, plates to run, findings, capability", home),
        Route::get("/laboratory/assays", WATCH_ACCESS, "Assay rule sets: targets, controls, pools, actions", assays),
        Route::post("/laboratory/findings/settle", BENCH_ACCESS, "Close a finding", settle),
    ]
}

/// Tubes to take in, plates to run, runs to review, second signatures, breaches of the six hours.
pub(crate) fn inbox(tx: &mut Tx<'_>, actor: &Actor, now: Timestamp) -> StoreResult<Vec<InboxItem>> {
    let mut items = Vec::new();
    if !actor.has_any(RECEIVERS) {
        return Ok(items);
    }
    for place in commands::laboratories(tx, actor)?.into_iter().take(20) {
        let mut item = |words, count: i64, link: String, deadline_us| {
            if count > 0 {
                items.push(InboxItem {
                    words,
                    arguments: vec![("count", count.to_string()), ("laboratory", place.name.clone())],
                    link,
                    deadline_us,
                    place: Some(place.id),
                });
            }
        };
        let boxes = clock::boxes_to_accession(tx, place.id)?;
        item("inbox-lab-accession", boxes.iter().map(|(.., tubes)| tubes).sum(), format!("/laboratory/accession?laboratory={}", place.id), None);
        if !actor.has_any(BENCH) {
            continue;
        }
        let (tubes, oldest) = clock::plate_queue(tx, place.id)?;
        item("inbox-lab-plate", tubes, format!("/laboratory/plates/new?laboratory={}", place.id), oldest.map(|began| began.plus_us(LIMIT_US)));
        let (plates, oldest) = clock::plates_to_run(tx, place.id)?;
        item("inbox-lab-run", plates, format!("/laboratory?laboratory={}", place.id), oldest.map(|at| at.plus_us(LIMIT_US / 3)));
        for (run, first, second) in results::runs_waiting(tx, place.id)?.into_iter().take(20) {
            item("inbox-lab-review", first, format!("/laboratory/runs/{run}"), None);
            item("inbox-lab-second", second, format!("/laboratory/runs/{run}"), None);
        }
    }
    let (_, late) = clock::counts(tx, now.plus_us(-LIMIT_US))?;
    if late > 0 && actor.has_any(BENCH) {
        items.push(InboxItem {
            words: "inbox-lab-late",
            arguments: vec![("count", late.to_string())],
            link: "/laboratory/clock".to_owned(),
            deadline_us: Some(now),
            place: None,
        });
    }
    let mut sight = Sight::of(actor);
    for (tube, by) in results::amendments_waiting(tx)? {
        if actor.has_any(BENCH) && by != actor.account && sight.sees_subject(tx, baton_desk::any_id(tube)).unwrap_or(false) {
            items.push(InboxItem {
                words: "inbox-lab-amendment",
                arguments: vec![("tube", tube.to_string())],
                link: format!("/laboratory/tubes/{tube}"),
                deadline_us: None,
                place: None,
            });
        }
    }
    Ok(items)
}

/// Laboratories on somebody's cards.
const LABORATORIES: usize = 3;

/// In numbers: tubes to take in, to lay, to review and to sign, runs whose controls failed, tubes past six hours.
pub(crate) fn cards(tx: &mut Tx<'_>, actor: &Actor, now: Timestamp) -> StoreResult<Vec<Card>> {
    let mut cards = Vec::new();
    if actor.has_any(RECEIVERS) {
        for place in commands::laboratories(tx, actor)?.into_iter().take(LABORATORIES) {
            cards.extend(laboratory_cards(tx, actor, &place)?);
        }
    }
    let (all, late) = clock::counts(tx, now.plus_us(-LIMIT_US))?;
    if actor.has_any(&[Role::Technician, Role::LaboratoryDirector, Role::Auditor]) && all > 0 {
        let tone = if late > 0 { Tone::Bad } else { Tone::Good };
        cards.push(Card::new(late, "card-lab-late", "/laboratory/clock").with("all", all).tone(tone));
    }
    if actor.has_any(&[Role::LaboratoryDirector, Role::Auditor]) {
        let findings = results::count_open_findings(tx)?;
        if findings > 0 {
            cards.push(Card::new(findings, "card-lab-findings", "/laboratory").tone(Tone::Warn));
        }
    }
    Ok(cards)
}

fn laboratory_cards(tx: &mut Tx<'_>, actor: &Actor, place: &Place) -> StoreResult<Vec<Card>> {
    let mut cards = Vec::new();
    let mut card = |number: i64, words, link: String, deadline, tone| {
        if number > 0 {
            cards.push(Card::new(number, words, link).with("laboratory", &place.name).by(deadline).tone(tone));
        }
    };
    let arrived: i64 = clock::boxes_to_accession(tx, place.id)?.iter().map(|(.., tubes)| tubes).sum();
    card(arrived, "card-lab-accession", format!("/laboratory/accession?laboratory={}", place.id), None, Tone::Plain);
    if !actor.has_any(BENCH) {
        return Ok(cards);
    }
    let (tubes, oldest) = clock::plate_queue(tx, place.id)?;
    let six = oldest.map(|began| began.plus_us(LIMIT_US));
    card(tubes, "card-lab-plate", format!("/laboratory/plates/new?laboratory={}", place.id), six, Tone::Plain);
    let waiting = results::runs_waiting(tx, place.id)?;
    let (first, second) = waiting.iter().fold((0, 0), |sum, (_, first, second)| (sum.0 + first, sum.1 + second));
    let of = |wanted: fn(&(baton_kit::RunId, i64, i64)) -> bool| {
        waiting.iter().find(|run| wanted(run)).map_or_else(|| "/laboratory".to_owned(), |(run, ..)| format!("/laboratory/runs/{run}"))
    };
    card(first, "card-lab-review", of(|run| run.1 > 0), None, Tone::Plain);
    card(second, "card-lab-second", of(|run| run.2 > 0), None, Tone::Warn);
    let mut failed = 0;
    for (run, ..) in waiting.iter().take(50) {
        failed += i64::from(bench::run(tx, *run)?.is_some_and(|run| !run.findings.is_empty()));
    }
    card(failed, "card-lab-controls", format!("/laboratory?laboratory={}", place.id), None, Tone::Bad);
    Ok(cards)
}

#[derive(Deserialize)]
pub(super) struct LaboratoryAsked {
    #[serde(default)]
    pub(super) laboratory: Option<PlaceId>,
}

/// Open findings looked through for those within the actor's scope.
const FINDINGS: i64 = 500;

struct Bench {
    here: Place,
    mine: Vec<Place>,
    waiting: Vec<(Run, Plate, i64, i64)>,
    plates: Vec<Plate>,
    findings: Vec<results::Finding>,
    capability: Vec<Capability>,
}

async fn home(State(app): State<App>, actor: Actor, Asked(asked): Asked<LaboratoryAsked>) -> Answered<Markup> {
    let (who, site, now) = (actor.clone(), app.site.clone(), app.ledger.now());
    let bench = app
        .read(move |tx| {
            let (here, mine) = chosen(tx, &who, asked.laboratory)?;
            let mut waiting = Vec::new();
            for (run, first, second) in results::runs_waiting(tx, here.id)? {
                if let Some(run) = bench::run(tx, run)?
                    && let Some(plate) = bench::plate(tx, run.plate)?
                {
                    waiting.push((run, plate, first, second));
                }
            }
            let mut sight = Sight::of(&who);
            let mut findings = Vec::new();
            for found in results::open_findings(tx, FINDINGS)? {
                if sight.sees_subject(tx, found.subject)? {
                    findings.push(found);
                }
            }
            findings.truncate(50);
            let capability = capabilities(tx, &who, &site, now)?;
            Ok(Bench { plates: bench::plates(tx, here.id, 40)?, findings, capability, waiting, here, mine })
        })
        .await?;
    let page = Page::new(&app, &actor);
    let mut findings = Vec::with_capacity(bench.findings.len());
    for found in &bench.findings {
        findings.push((found, super::form_id(&app, bench.here.id).await?));
    }
    let today = app.site.show_day(app.site.day_of(now));
    Ok(page.frame_with(
        &page.t("laboratory-title"),
        super::SCRIPTS,
        styled(html! {
            (laboratory_choice(&page, &bench.here, &bench.mine, "/laboratory"))
            p.actions {
                (page.way(RECEIVE_ACCESS, &format!("/laboratory/accession?laboratory={}", bench.here.id), &page.t("laboratory-accession")))
                (page.way(BENCH_ACCESS, &format!("/laboratory/plates/new?laboratory={}", bench.here.id), &page.t("laboratory-lay-plate")))
                a.button href="/laboratory/clock" { (page.t("laboratory-clock")) } " "
                a.button href={ "/laboratory/controls?laboratory=" (bench.here.id) } { (page.t("laboratory-control-charts")) } " "
                (page.way(TRACE_ACCESS, "/laboratory/lineage", &page.t("laboratory-lineage")))
                a.button href="/laboratory/assays" { (page.t("laboratory-assays")) } " "
                @for form in ["pdf", "csv", "xlsx"] {
                    a.button href={ "/v1/laboratory/days/" (today) "." (form) "?laboratory=" (bench.here.id) } { (page.with("laboratory-paper-day", &[("form", &form.to_uppercase())])) } " "
                }
            }
            (page.live("bench", "laboratory", 60, html! { (runs_table(&page, &bench.waiting)) (plates_table(&page, &bench.plates, now)) (capability_table(&page, &bench.capability)) }))
            (findings_list(&page, &findings))
        }),
    ))
}

fn runs_table(page: &Page<'_>, waiting: &[(Run, Plate, i64, i64)]) -> Markup {
    html! {
        h2 { (page.t("laboratory-to-review")) }
        @if waiting.is_empty() { p.empty { (page.t("laboratory-none-to-review")) } } @else {
            div.scroll { table {
                thead { tr { th { (page.t("laboratory-plate")) } th { (page.t("laboratory-read-at")) } th { (page.t("laboratory-controls")) } th.number { (page.t("laboratory-unsigned")) } th.number { (page.t("laboratory-second-waiting")) } th {} } }
                tbody { @for (run, plate, first, second) in waiting {
                    tr {
                        td { a href={ "/laboratory/runs/" (run.run) } data-row="" { (plate.code) } }
                        td { (page.time(run.read)) }
                        td { @if run.findings.is_empty() { span.good { (page.t("laboratory-controls-valid")) } } @else { span.bad { (run.findings.iter().map(|f| finding_words(page, &f.code)).collect::<Vec<_>>().join(" · ")) } } }
                        td.number { (first) } td.number { (second) }
                        td { a.button href={ "/laboratory/runs/" (run.run) } { (page.t("laboratory-review")) } }
                    }
                } }
            } }
        }
    }
}

fn plates_table(page: &Page<'_>, plates: &[Plate], now: Timestamp) -> Markup {
    html! {
        h2 { (page.t("laboratory-plates")) }
        @if plates.is_empty() { p.empty { (page.t("laboratory-none-plates")) } } @else {
            div.scroll { table {
                thead { tr { th { (page.t("laboratory-plate")) } th { (page.t("laboratory-assay")) } th { (page.t("laboratory-state")) } th { (page.t("laboratory-laid-at")) } th.number { (page.t("laboratory-since")) } } }
                tbody { @for plate in plates {
                    tr.off[plate.state == PlateState::Discarded] {
                        td { a href={ "/laboratory/plates/" (plate.plate) } { (plate.code) } }
                        td { (plate.assay.as_deref().map_or_else(|| page.t("laboratory-bench-plate"), str::to_owned)) }
                        td { (page.t(&format!("laboratory-plate-{}", plate.state.name()))) }
                        td { (page.time(plate.laid)) }
                        td.number { @if plate.state == PlateState::Laid { (span(now.since(plate.laid))) } }
                    }
                } }
            } }
        }
    }
}

fn findings_list(page: &Page<'_>, findings: &[(&results::Finding, EventId)]) -> Markup {
    html! {
        h2 { (page.t("laboratory-findings")) }
        @if findings.is_empty() { p.empty { (page.t("laboratory-none-findings")) } }
        ul.inbox { @for (found, id) in findings {
            li.late {
                strong { (finding_words(page, &found.code)) } " · " (page.time(found.at)) " · " (subject_link(found))
                @if page.actor.has_any(BENCH) {
                    form.inline method="post" action="/laboratory/findings/settle" {
                        input type="hidden" name="id" value=(id);
                        input type="hidden" name="finding" value=(found.id);
                        input type="hidden" name="code" value=(found.code);
                        input name="remark" required aria-label=(page.t("laboratory-remark")) placeholder=(page.t("laboratory-remark"));
                        button { (page.t("laboratory-settle")) }
                    }
                }
            }
        } }
    }
}

fn subject_link(found: &results::Finding) -> Markup {
    let path = match found.code.as_str() {
        "recalled_lot_used" => "/laboratory/lineage/lot/",
        "box_not_admitted" => "/boxes/",
        "over_capacity" => return html! { span.code { (found.subject) } },
        _ => "/laboratory/tubes/",
    };
    html! { a.code href={ (path) (found.subject) } { (found.subject) } }
}

fn capability_table(page: &Page<'_>, all: &[Capability]) -> Markup {
    html! {
        h2 { (page.t("laboratory-capability")) }
        div.scroll { table {
            thead { tr { th { (page.t("laboratory-laboratory")) } th.number { (page.t("laboratory-declared")) } th.number { (page.t("laboratory-demonstrated")) } th.number { (page.t("laboratory-taken-today")) } th.number { (page.t("laboratory-released-today")) } th.number { (page.t("laboratory-plates-waiting")) } } }
            tbody { @for one in all {
                tr {
                    td { (one.name) }
                    td.number { (one.declared_per_day.map_or_else(|| page.t("laboratory-undeclared"), |n| n.to_string())) }
                    td.number { (one.demonstrated_per_day) }
                    td.number { span.bad[one.declared_per_day.is_some_and(|declared| one.taken_in_today > declared)] { (one.taken_in_today) } }
                    td.number { (one.released_today) }
                    td.number { (one.plates_waiting) }
                }
            } }
        } }
    }
}

#[derive(Deserialize)]
struct SettleForm {
    id: EventId,
    finding: EventId,
    code: String,
    remark: String,
}

async fn settle(State(app): State<App>, actor: Actor, Form(form): Form<SettleForm>) -> Answered<Redirect> {
    let decision = commands::settle(&app, &actor, form.id, SettleFinding { finding: form.finding, code: form.code, remark: form.remark }).await?;
    app.seen(decision.acknowledgement.ordinal).await;
    Ok(Redirect::to("/laboratory"))
}

async fn assays(State(app): State<App>, actor: Actor) -> Answered<Markup> {
    let page = Page::new(&app, &actor);
    let sets: Vec<RuleSet> = RuleSet::builtin_names().filter_map(RuleSet::builtin).collect();
    Ok(page.frame(&page.t("laboratory-assays"), styled(html! { @for rules in &sets { (assay(&page, rules)) } })))
}

fn assay(page: &Page<'_>, rules: &RuleSet) -> Markup {
    let ratios: Vec<String> = rules.pools.iter().map(|pool| format!("{}:1", pool.ratio)).collect();
    html! {
        section {
            h2 { (rules.title) " " span.code { (rules.name) " " (rules.version) } }
            p.soft { (rules.source) }
            p { (page.with("laboratory-detected-needs", &[("count", &rules.detected_needs.to_string())])) " · " (page.t("laboratory-ratios")) " " (ratios.join(", ")) }
            div.scroll { table {
                thead { tr { th { (page.t("laboratory-target")) } th { (page.t("laboratory-dye")) } th { (page.t("laboratory-role")) } th.number { (page.t("laboratory-cutoff")) } th.number { (page.t("laboratory-grey")) } } }
                tbody { @for target in &rules.targets {
                    tr { td { (target.name) } td { (target.dye) } td { (coded(page, "role", &word(&target.role))) }
                        td.number { @if target.cutoff_inclusive { "≤ " } @else { "< " } (target.cutoff_cq) }
                        td.number { (target.grey_to_cq.map_or_else(|| "–".to_owned(), |grey| grey.to_string())) } }
                } }
            } }
            ul { @for control in &rules.controls {
                li { (coded(page, "control", &word(&control.kind))) " × " (control.min_wells) ": "
                    (control.expect.iter().map(|e| format!("{} {}", e.target, coded(page, "expect", &word(&e.state)))).collect::<Vec<_>>().join(", ")) }
            } }
        }
    }
}

/// The stored word of an engine's enum.
fn word<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}
