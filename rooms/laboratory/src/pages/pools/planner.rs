//! The planner: sliders, what the installation's own tubes say, schemes side by side, the recommended one with its reasons, curves.

use axum::extract::State;
use baton_desk::answer::Answered;
use baton_desk::{Actor, App, Page, form};
use baton_kit::Refusal;
use baton_ledger::Tx;
use baton_pcr::rules::RuleSet;
use baton_pooling::plan::{Plan, PlanOption, Reason, SchemeKind, curves, sizes, solve};
use baton_pooling::prevalence::SwitchAdvice;
use baton_pooling::scheme::Scheme;
use baton_pooling::{DesignRefusal, Mixing};
use baton_screening::campaign::store as campaigns;
use maud::{Markup, html};

use super::asked::{self, Asked, Choice, Defaults, Mixed};
use super::plot::{Axis, Line, Plot};
use super::{SCRIPTS, percent, scheme_words, told};
use crate::pages::styled;
use crate::pooling::{Learned, field_ratios, learn};
use crate::store::pools;

/// A change of ratio must save at least this share of tests to be worth announcing.
const WORTHWHILE: f64 = 0.05;
/// Lines of one drawing.
const LINES_MAX: usize = 6;
/// Points of a line over prevalence.
const POINTS: usize = 61;

/// Everything the page shows.
struct Shown {
    choice: Choice,
    /// The campaign whose assay and ratio stand in the form, by name.
    campaign: Option<String>,
    learned: Learned,
    advice: Option<Advice>,
    /// Nothing when pools would be made of pools.
    plan: Option<Planned>,
}

/// What to do about the present ratio.
struct Advice {
    switch: SwitchAdvice,
    ratios: Vec<u32>,
}

struct Planned {
    plan: Plan,
    /// What the assay is not validated for, for comparison, with the reason it is refused.
    refused: Vec<(PlanOption, DesignRefusal)>,
    plots: Vec<Drawn>,
}

/// The points of one line of a drawing.
type Points = Vec<(f64, f64)>;
/// A kind of scheme with its pool sizes.
type SizedScheme = (SchemeKind, Vec<u32>);

/// A drawing without its words.
enum Drawn {
    /// A line for each scheme with its sizes; for the best of all, none.
    Prevalence { lines: Vec<(Option<SizedScheme>, Points)> },
    /// A line for each prevalence.
    Size { lines: Vec<(f64, Points)>, validated: Vec<u32> },
    /// A line for each cut-off.
    Dilution { lines: Vec<(f64, Points)>, validated: Vec<u32> },
}

pub(super) async fn page(State(app): State<App>, actor: Actor, form::Asked(asked): form::Asked<Asked>) -> Answered<Markup> {
    let now = app.ledger.now();
    let (released, defaults, campaign) = app
        .read(move |tx| {
            let (defaults, campaign) = defaults(tx, now)?;
            Ok((pools::released_lately(tx, now)?, defaults, campaign))
        })
        .await?;
    let shown = app
        .blocking(move || {
            let learned_for = |choice: &Choice| learn(&released, choice.population(0.0), choice.assay);
            let choice = Choice::of(&asked, &defaults, |choice| learned_for(choice).estimate.median);
            let learned = learned_for(&choice);
            let impossible = |error: baton_pooling::scheme::SchemeError| Refusal::malformed("form-wrong").with("problem", error);
            let advice = advise(&choice, &learned).map_err(impossible)?;
            let plan = if choice.mixed == Mixed::Pools { None } else { Some(plan(&choice, &learned).map_err(impossible)?) };
            Ok(Shown { choice, campaign, learned, advice, plan })
        })
        .await?;
    let page = Page::new(&app, &actor);
    Ok(page.frame_with(&page.t("laboratory-pools-title"), SCRIPTS, styled(whole(&page, &shown))))
}

/// The assay and ratio of the campaign that was opened last, or of the first assay there is.
fn defaults(tx: &mut Tx<'_>, now: baton_kit::Timestamp) -> baton_ledger::StoreResult<(Defaults, Option<String>)> {
    let running = campaigns::running(tx, now)?;
    let newest = running.iter().rev().find_map(|campaign| Some((campaign, RuleSet::builtin(&campaign.assay)?)));
    Ok(match newest {
        Some((campaign, rules)) => (Defaults { rules, now: u32::from(campaign.ratio) }, Some(campaign.name.clone())),
        None => (Defaults { rules: first_assay(), now: 10 }, None),
    })
}

fn first_assay() -> RuleSet {
    RuleSet::builtin("orf1ab-n-ic").or_else(|| RuleSet::builtin_names().find_map(RuleSet::builtin)).expect("an assay is built in")
}

/// Compares the present ratio with every other tube the assay is validated for, over all that may be true of the prevalence.
fn advise(choice: &Choice, learned: &Learned) -> Result<Option<Advice>, baton_pooling::scheme::SchemeError> {
    if choice.mixed != Mixed::Swabs || learned.tubes == 0 {
        return Ok(None);
    }
    let ratios: Vec<u32> = field_ratios(&choice.rules).into_iter().filter(|ratio| *ratio != choice.now && *ratio <= choice.largest).collect();
    let scheme = |ratio: &u32| if *ratio == 1 { Scheme::Individual } else { Scheme::Dorfman { size: *ratio } };
    let others: Vec<Scheme> = ratios.iter().map(scheme).collect();
    let switch = learned.belief.advise(&choice.conditions(), &scheme(&choice.now), &others, WORTHWHILE)?;
    Ok(Some(Advice { switch, ratios }))
}

fn plan(choice: &Choice, learned: &Learned) -> Result<Planned, baton_pooling::scheme::SchemeError> {
    let (conditions, workload) = (choice.conditions(), choice.workload());
    let plan = solve(&conditions, &choice.limits(false), workload.as_ref(), &[])?;
    let unvalidated = match choice.mixed.mixing() {
        Mixing::Aliquot => solve(&conditions, &choice.limits(true), workload.as_ref(), &[])?.options,
        Mixing::Swab => Vec::new(),
    };
    let refused = unvalidated.into_iter().filter_map(|option| choice.refused(option.scheme.largest_pool()).map(|why| (option, why))).collect();
    let mut planned = Planned { plan, refused, plots: Vec::new() };
    planned.plots = vec![over_prevalence(choice, &planned)?, over_size(choice, learned)?, over_dilution(choice)];
    Ok(planned)
}

/// Tests per person over the prevalence: single tests, the present ratio, and what is compared today.
fn over_prevalence(choice: &Choice, planned: &Planned) -> Result<Drawn, baton_pooling::scheme::SchemeError> {
    let mut schemes: Vec<(SchemeKind, Scheme)> = vec![(SchemeKind::Individual, Scheme::Individual)];
    let mut add = |kind, scheme: Scheme| {
        if schemes.len() < LINES_MAX && !schemes.iter().any(|(_, known)| *known == scheme) {
            schemes.push((kind, scheme));
        }
    };
    if choice.mixed == Mixed::Swabs {
        for ratio in field_ratios(&choice.rules).into_iter().filter(|ratio| *ratio > 1) {
            add(SchemeKind::Dorfman, Scheme::Dorfman { size: ratio });
        }
    } else {
        let compared = planned.plan.options.iter().chain(planned.refused.iter().map(|(option, _)| option));
        compared.for_each(|option| add(option.kind, option.scheme.clone()));
    }
    let (low, high) = (asked::PREVALENCE.low / 100.0, asked::PREVALENCE.high / 100.0);
    let at = |n: usize| low * (high / low).powf(n as f64 / (POINTS - 1) as f64);
    let prevalences: Vec<f64> = (0..POINTS).map(at).collect();
    let plain: Vec<Scheme> = schemes.iter().map(|(_, scheme)| scheme.clone()).collect();
    let figures = curves(&choice.conditions(), &plain, &prevalences)?;
    let line = |column: usize| prevalences.iter().zip(&figures).map(|(p, row)| (*p, row[column].tests_per_person)).collect();
    let lines = schemes.iter().enumerate().map(|(column, (kind, scheme))| (Some((*kind, sizes(scheme))), line(column))).collect();
    Ok(Drawn::Prevalence { lines })
}

/// Tests per person over the size of a two-stage pool, at today's prevalence and at the ends of what is believed.
fn over_size(choice: &Choice, learned: &Learned) -> Result<Drawn, baton_pooling::scheme::SchemeError> {
    let largest = largest_drawn(choice);
    let pools: Vec<Scheme> = (2..=largest).map(|size| Scheme::Dorfman { size }).collect();
    let believed = learned.tubes > 0 && learned.estimate.low <= choice.prevalence && choice.prevalence <= learned.estimate.high;
    let (low, high) = if believed { (learned.estimate.low, learned.estimate.high) } else { (choice.prevalence / 2.0, (choice.prevalence * 2.0).min(1.0)) };
    let prevalences = [low, choice.prevalence, high];
    let figures = curves(&choice.conditions(), &pools, &prevalences)?;
    let line = |row: &Vec<baton_pooling::scheme::Figures>| (2..).map(f64::from).zip(row.iter().map(|figures| figures.tests_per_person)).collect();
    Ok(Drawn::Size { lines: prevalences.into_iter().zip(figures.iter().map(line)).collect(), validated: validated_above_one(choice) })
}

/// Share of positives a pool still shows, alone in it, at three cut-offs.
fn over_dilution(choice: &Choice) -> Drawn {
    let pools: Vec<u32> = (1..=largest_drawn(choice)).collect();
    let line = |cutoff: f64| {
        let kept = |dilution| baton_pooling::plan::dilution_curve(&dilution, &pools);
        let points = choice.dilution(cutoff).map(kept).unwrap_or_default();
        (cutoff, points.into_iter().map(|(size, share)| (f64::from(size), share)).collect())
    };
    Drawn::Dilution { lines: [choice.cutoff - 2.0, choice.cutoff, choice.cutoff + 2.0].map(line).into(), validated: validated_above_one(choice) }
}

fn largest_drawn(choice: &Choice) -> u32 {
    let largest_tube = field_ratios(&choice.rules).last().copied().unwrap_or(1);
    if choice.mixed == Mixed::Swabs { largest_tube.max(2) } else { choice.largest.max(10) }
}

fn validated_above_one(choice: &Choice) -> Vec<u32> {
    (2..=largest_drawn(choice))
        .filter(|size| if choice.mixed == Mixed::Swabs { field_ratios(&choice.rules).contains(size) } else { choice.refused(*size).is_none() })
        .collect()
}

fn whole(page: &Page<'_>, shown: &Shown) -> Markup {
    html! {
        (learned_part(page, shown))
        form.planner method="get" action="/laboratory/pools" data-planner="" { (super::asked_form::fields(page, &shown.choice, shown.campaign.as_deref())) }
        div id="plan" {
            @match &shown.plan {
                None => div.notice.bad role="alert" {
                    p { strong { (page.t("laboratory-pool-refused")) } " " (refusal_words(page, &DesignRefusal::PoolOfPools)) }
                },
                Some(planned) => (plan_part(page, shown, planned)),
            }
        }
        @if page.actor.has_any(crate::commands::BENCH) { p.no-print { a.button href="/laboratory/pools/decode" { (page.t("laboratory-decode-title")) } } }
    }
}

fn learned_part(page: &Page<'_>, shown: &Shown) -> Markup {
    let learned = &shown.learned;
    html! {
        @if learned.tubes == 0 { p.notice { (page.t("laboratory-pool-nothing-learned")) } } @else {
            dl.figures {
                div { dt { (page.t("laboratory-pool-learned")) } dd { (percent(learned.estimate.median)) }
                    dd.note { (page.with("laboratory-pool-interval", &[("low", &percent(learned.estimate.low)), ("high", &percent(learned.estimate.high))])) } }
                div { dt { (page.t("laboratory-pool-learned-tubes")) } dd { (learned.tubes) }
                    dd.note { (page.with("laboratory-pool-learned-tubes-of", &[("positive", &learned.positive.to_string()), ("unclear", &learned.unclear.to_string())])) } }
                div { dt { (page.t("laboratory-pool-learned-people")) } dd { (learned.people) } dd.note { (page.t("laboratory-pool-days")) } }
            }
        }
        @if let Some(advice) = &shown.advice { (advice_part(page, shown, advice)) }
    }
}

fn advice_part(page: &Page<'_>, shown: &Shown, advice: &Advice) -> Markup {
    let now = format!("{}:1", shown.choice.now);
    html! {
        @match advice.switch.switch_to.and_then(|to| advice.ratios.get(to)) {
            Some(ratio) => p.notice.warn role="status" {
                strong { (page.with("laboratory-pool-switch", &[("now", &now), ("to", &format!("{ratio}:1"))])) } " "
                (page.with("laboratory-pool-switch-why", &[("saved", &percent(advice.switch.expected_saving)), ("sure", &percent(advice.switch.probability_cheaper))]))
            },
            None => p.notice.good { (page.with("laboratory-pool-stay", &[("now", &now)])) },
        }
    }
}

fn plan_part(page: &Page<'_>, shown: &Shown, planned: &Planned) -> Markup {
    let chosen = planned.plan.recommendation();
    let tests = format!("{:.3}", chosen.figures.tests_per_person);
    html! {
        section.recommended aria-label=(page.t("laboratory-pool-recommended")) {
            p.answer { (scheme_words(page, chosen.kind, &sizes(&chosen.scheme))) }
            p { (page.with("laboratory-pool-tests", &[("tests", &tests), ("prevalence", &percent(shown.choice.prevalence))])) }
            ul { @for reason in &chosen.reasons { li { (reason_words(page, reason)) } }
                @if !planned.refused.is_empty() { li { (page.t("laboratory-pool-validate-first")) } } }
        }
        (schemes_table(page, planned))
        div.plots { @for drawn in &planned.plots { (drawing(page, shown, drawn)) } }
        p.soft { (page.t("laboratory-pool-model")) }
    }
}

fn schemes_table(page: &Page<'_>, planned: &Planned) -> Markup {
    let row = |option: &PlanOption, chosen: bool, refused: Option<&DesignRefusal>| {
        let reasons = option.reasons.iter().map(|reason| reason_words(page, reason)).filter(|_| refused.is_none());
        let remarks: Vec<String> = refused.map(|why| refusal_words(page, why)).into_iter().chain(reasons).collect();
        let allowed = option.allowed && refused.is_none();
        html! { tr.chosen[chosen] aria-current=[chosen.then_some("true")] {
            td { @if chosen { "★ " } (scheme_words(page, option.kind, &sizes(&option.scheme))) }
            td.number { (format!("{:.3}", option.figures.tests_per_person)) }
            td.number { (percent(option.figures.sensitivity)) }
            td.number { (percent(option.figures.specificity)) }
            td.number { (option.figures.stages) }
            td.number { @match option.turnaround { Some(hours) => (format!("{:.1}", hours.last_hours)), None => "–" } }
            td { @if allowed { span.good { (page.t("laboratory-pool-allowed")) } } @else { span.bad { (page.t("laboratory-pool-not-allowed")) } }
                @for remark in &remarks { br; span.soft { (remark) } } }
        } }
    };
    html! {
        h2 { (page.t("laboratory-pool-schemes")) }
        div.scroll { table {
            thead { tr { th { (page.t("laboratory-pool-scheme")) } th.number { (page.t("laboratory-pool-tests-head")) } th.number { (page.t("laboratory-pool-sensitivity-head")) }
                th.number { (page.t("laboratory-pool-specificity-head")) } th.number { (page.t("laboratory-pool-stages")) } th.number { (page.t("laboratory-pool-last-hours")) } th { (page.t("laboratory-pool-remarks")) } } }
            tbody {
                @for (index, option) in planned.plan.options.iter().enumerate() { (row(option, index == planned.plan.recommended, None)) }
                @for (option, why) in &planned.refused { (row(option, false, Some(why))) }
            }
        } }
    }
}

fn reason_words(page: &Page<'_>, reason: &Reason) -> String {
    let values = match reason {
        Reason::FewestTests { saved_percent } => vec![("saved", format!("{saved_percent:.0} %"))],
        Reason::HeldBySensitivity { unlimited_sizes } => {
            vec![("sizes", unlimited_sizes.iter().map(ToString::to_string).collect::<Vec<_>>().join(" → "))]
        }
        Reason::HeldByPoolLimit { largest } => vec![("largest", largest.to_string())],
        Reason::TooSlow { last_hours } => vec![("hours", format!("{last_hours:.1}"))],
        Reason::PoolingSavesLittle | Reason::AtSearchBound | Reason::BelowRequiredSensitivity | Reason::NeedsSeparateSpecimens | Reason::NoPoolAllowed => {
            Vec::new()
        }
    };
    told(page, "reason", reason.code(), &values)
}

fn refusal_words(page: &Page<'_>, refusal: &DesignRefusal) -> String {
    let values = match refusal {
        DesignRefusal::RatioNotValidated { persons_per_pool, largest_validated, .. } => {
            vec![("ratio", format!("{persons_per_pool}:1")), ("largest", largest_validated.map_or_else(|| "–".to_owned(), |largest| format!("{largest}:1")))]
        }
        DesignRefusal::PoolOfPools | DesignRefusal::NoPersons => Vec::new(),
    };
    told(page, "refusal", refusal.code(), &values)
}

/// Percentages along a logarithmic axis.
fn prevalence_axis() -> Axis {
    let ticks = [0.01, 0.1, 1.0, 10.0].map(|percent| (percent / 100.0, format!("{percent} %")));
    Axis { low: asked::PREVALENCE.low / 100.0, high: asked::PREVALENCE.high / 100.0, logarithmic: true, ticks: ticks.into() }
}

fn size_axis(from: u32, largest: u32) -> Axis {
    let step = [2, 5, 10, 20].into_iter().find(|step| largest / step <= 8).unwrap_or(25);
    let ticks = (1..=largest / step).map(|n| n * step).filter(|size| *size >= from).map(|size| (f64::from(size), size.to_string())).collect();
    Axis { low: f64::from(from), high: f64::from(largest), logarithmic: false, ticks }
}

fn tests_axis() -> Axis {
    Axis::even(0.0, 1.2, 0.2, |value| format!("{value:.1}"))
}

fn drawing(page: &Page<'_>, shown: &Shown, drawn: &Drawn) -> Markup {
    let marks = |points: &[(f64, f64)], validated: &[u32]| -> Vec<(f64, f64)> {
        points.iter().filter(|(size, _)| validated.contains(&(*size as u32))).copied().collect()
    };
    let largest = largest_drawn(&shown.choice);
    let estimate = shown.learned.estimate;
    let plot = match drawn {
        Drawn::Prevalence { lines } => Plot {
            title: page.t("laboratory-pool-plot-prevalence"),
            x_words: page.t("laboratory-pool-plot-prevalence-x"),
            x: prevalence_axis(),
            y: tests_axis(),
            here: Some(if shown.learned.tubes > 0 { (shown.choice.prevalence, estimate.low, estimate.high) } else { (shown.choice.prevalence, 0.0, 0.0) }),
            lines: lines
                .iter()
                .filter_map(|(scheme, points)| Some((scheme.as_ref()?, points)))
                .map(|((kind, sizes), points)| Line { words: scheme_words(page, *kind, sizes), points: points.clone(), marks: Vec::new() })
                .collect(),
        },
        Drawn::Size { lines, validated } => Plot {
            title: page.t("laboratory-pool-plot-size"),
            x_words: page.t("laboratory-pool-plot-size-x"),
            x: size_axis(2, largest),
            y: tests_axis(),
            here: None,
            lines: lines
                .iter()
                .map(|(p, points)| Line {
                    words: page.with("laboratory-pool-at-prevalence", &[("prevalence", &percent(*p))]),
                    points: points.clone(),
                    marks: marks(points, validated),
                })
                .collect(),
        },
        Drawn::Dilution { lines, validated } => Plot {
            title: page.t("laboratory-pool-plot-dilution"),
            x_words: page.t("laboratory-pool-plot-dilution-x"),
            x: size_axis(1, largest),
            y: Axis::even(0.0, 1.0, 0.25, |value| format!("{:.0} %", value * 100.0)),
            here: None,
            lines: lines
                .iter()
                .map(|(cutoff, points)| Line {
                    words: page.with("laboratory-pool-at-cutoff", &[("cutoff", &cutoff.to_string())]),
                    points: points.clone(),
                    marks: marks(points, validated),
                })
                .collect(),
        },
    };
    plot.draw()
}
