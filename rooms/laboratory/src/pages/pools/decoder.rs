//! The decoder: a design and what its pools showed, pasted or as files; the posterior of every sample, lists, conflicts. Nothing is stored, nobody is released.

use axum::extract::{FromRequest, Multipart, Request, State};
use axum::response::{IntoResponse, Response};
use baton_desk::answer::Answered;
use baton_desk::paper::download;
use baton_desk::{Actor, App, Page};
use baton_kit::Refusal;
use baton_pooling::decode::{DecodeOptions, Decoded, Finding, Prior, Reading, decode};
use baton_pooling::scheme::Assay;
use baton_pooling::tables::{NamedDesign, Oddity, Problem, read_design, read_outcomes};
use maud::{Markup, html};

use super::{SCRIPTS, percent, told};
use crate::pages::styled;

/// Samples drawn as a map; beyond, the lists say it all.
const MAP_SAMPLES_MAX: usize = 4_096;
/// Columns of the map of a design that is no array.
const MAP_COLUMNS: usize = 24;
/// Posteriors from which a sample's cell is darker.
const HEAT: [f64; 5] = [0.001, 0.01, 0.1, 0.5, 0.9];

/// What was sent. Shares are percent on the page.
#[derive(Clone, Default)]
struct Given {
    design: String,
    outcomes: String,
    sensitivity: String,
    specificity: String,
    prevalence: String,
    required: String,
    /// The retest list as a file instead of the page.
    as_csv: bool,
}

/// A decode with the names it speaks in.
struct Outcome {
    design: NamedDesign,
    readings: Vec<Reading>,
    decoded: Decoded,
    problems: Vec<Problem>,
}

pub(super) async fn ask(State(app): State<App>, actor: Actor) -> Answered<Markup> {
    let page = Page::new(&app, &actor);
    Ok(page.frame_with(&page.t("laboratory-decode-title"), SCRIPTS, styled(html! { (head(&page)) (form(&page, &Given::default(), true)) })))
}

pub(super) async fn decoded(State(app): State<App>, actor: Actor, request: Request) -> Answered<Response> {
    let given = given(&app, request).await?;
    let sent = given.clone();
    let outcome = app.blocking(move || Ok(work(&sent))).await?;
    let page = Page::new(&app, &actor);
    let title = page.t("laboratory-decode-title");
    let shown = match outcome {
        Ok(outcome) if given.as_csv => return Ok(retest_file(&outcome)),
        Ok(outcome) => html! { (head(&page)) (result(&page, &outcome)) (form(&page, &given, false)) },
        Err(problems) => html! { (head(&page)) (problem_list(&page, &problems, "bad")) (form(&page, &given, true)) },
    };
    Ok(page.frame_with(&title, SCRIPTS, styled(shown)).into_response())
}

async fn given(app: &App, request: Request) -> Result<Given, Refusal> {
    let unread = |error: &dyn std::fmt::Display| Refusal::malformed("body-unread").with("problem", error);
    let mut form = Multipart::from_request(request, app).await.map_err(|error| unread(&error))?;
    let mut given = Given::default();
    while let Some(field) = form.next_field().await.map_err(|error| unread(&error))? {
        let name = field.name().unwrap_or_default().to_owned();
        let bytes = field.bytes().await.map_err(|error| unread(&error))?;
        if bytes.is_empty() {
            continue; // a file field nobody used leaves the pasted text as it is
        }
        let text = String::from_utf8(bytes.into()).map_err(|_| Refusal::malformed("lab-pool-table-not-text").with("field", &name))?;
        match name.as_str() {
            "design" | "design_file" => given.design = text,
            "outcomes" | "outcomes_file" => given.outcomes = text,
            "sensitivity" => given.sensitivity = text,
            "specificity" => given.specificity = text,
            "prevalence" => given.prevalence = text,
            "required" => given.required = text,
            "as" => given.as_csv = text == "csv",
            _ => {}
        }
    }
    Ok(given)
}

/// Percent to a share; the engine judges whether it is one.
fn share(text: &str, default: f64) -> f64 {
    text.trim().parse::<f64>().map_or(default, |percent| percent / 100.0)
}

fn options(given: &Given) -> DecodeOptions {
    let usual = DecodeOptions::default();
    DecodeOptions {
        assay: Assay { sensitivity: share(&given.sensitivity, usual.assay.sensitivity), specificity: share(&given.specificity, usual.assay.specificity) },
        prior: if given.prevalence.trim().is_empty() { Prior::Estimated } else { Prior::Prevalence(share(&given.prevalence, f64::NAN)) },
        required_sensitivity: share(&given.required, usual.required_sensitivity).clamp(0.5, 0.9999),
        ..usual
    }
}

fn work(given: &Given) -> Result<Outcome, Vec<Problem>> {
    let (design, problems) = read_design(&given.design);
    let design = design.ok_or(problems)?;
    let (readings, problems) = read_outcomes(&given.outcomes, &design);
    let refused = |message| vec![Problem { line: 0, oddity: Oddity::Refused { message } }];
    let decoded = decode(&design.matrix, &readings, &options(given)).map_err(refused)?;
    Ok(Outcome { design, readings, decoded, problems })
}

impl Outcome {
    fn name(&self, sample: u32) -> &str {
        &self.design.samples[sample as usize]
    }
    fn pool(&self, pool: u32) -> &str {
        &self.design.pools[pool as usize]
    }
    fn posterior(&self, sample: u32) -> f64 {
        self.decoded.posterior[sample as usize]
    }
    /// The pools of a sample with what they showed: `R1+ C2− C5?`.
    fn evidence(&self, sample: u32) -> String {
        let pools = self.design.matrix.pools_of(sample as usize).iter();
        pools.map(|pool| format!("{}{}", self.pool(*pool), mark(self.readings[*pool as usize]))).collect::<Vec<_>>().join(" ")
    }
}

fn mark(reading: Reading) -> &'static str {
    match reading {
        Reading::Positive { .. } => "+",
        Reading::Negative => "−",
        Reading::Unusable => "?",
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

fn retest_csv(outcome: &Outcome) -> String {
    outcome.decoded.retest.iter().fold("\u{feff}sample,posterior,pools\r\n".to_owned(), |mut text, sample| {
        use std::fmt::Write;
        _ = write!(text, "{},{:.6},{}\r\n", quoted(outcome.name(*sample)), outcome.posterior(*sample), quoted(&outcome.evidence(*sample)));
        text
    })
}

fn retest_file(outcome: &Outcome) -> Response {
    download(retest_csv(outcome), "text/csv; charset=utf-8", "retest.csv")
}

fn head(page: &Page<'_>) -> Markup {
    html! { p.notice { strong { (page.t("laboratory-decode-releases-nobody")) } " " (page.t("laboratory-decode-then")) } }
}

fn form(page: &Page<'_>, given: &Given, open: bool) -> Markup {
    let table = |name: &str, text: &str, words: &str, example: &str| {
        html! {
            fieldset {
                legend { (page.t(words)) }
                p.soft { (page.t(&format!("{words}-is"))) }
                textarea name=(name) rows="7" spellcheck="false" placeholder=(example) aria-label=(page.t(words)) { (text) }
                label { span { (page.t("laboratory-decode-or-file")) } input type="file" name={ (name) "_file" } accept=".csv,.txt,.tsv,text/csv,text/plain"; }
            }
        }
    };
    let share = |name: &str, value: &str, usual: &str| {
        html! { label { span { (page.t(&format!("laboratory-decode-{name}"))) } input type="number" name=(name) value=(value) placeholder=(usual) min="0" max="100" step="any" inputmode="decimal"; } }
    };
    html! {
        details.no-print open[open] { summary { (page.t("laboratory-decode-tables")) }
            form.decoder method="post" action="/laboratory/pools/decode" enctype="multipart/form-data" {
                div.choices {
                    (table("design", &given.design, "laboratory-decode-design", "pool,S1,S2,S3,S4\nR1,1,1,0,0\nR2,0,0,1,1\nC1,1,0,1,0\nC2,0,1,0,1"))
                    (table("outcomes", &given.outcomes, "laboratory-decode-outcomes", "pool,result,cq\nR1,positive,31.2\nR2,negative,\nC1,negative,\nC2,positive,31.6"))
                }
                div.choices {
                    (share("sensitivity", &given.sensitivity, "98")) (share("specificity", &given.specificity, "99.8"))
                    (share("prevalence", &given.prevalence, "")) (share("required", &given.required, "99"))
                }
                p.actions {
                    button.primary { (page.t("laboratory-decode-do")) }
                    button name="as" value="csv" data-again="" { (page.t("laboratory-decode-csv")) }
                }
            }
        }
    }
}

fn problem_list(page: &Page<'_>, problems: &[Problem], class: &str) -> Markup {
    let words = |problem: &Problem| {
        let text = told(page, "table", problem.oddity.code(), &problem.oddity.values());
        if problem.line == 0 { text } else { page.with("laboratory-pool-table-line", &[("line", &problem.line.to_string()), ("text", &text)]) }
    };
    html! { div.notice.(class) role="alert" { p { strong { (page.t("laboratory-decode-problems")) } } ul { @for problem in problems { li { (words(problem)) } } } } }
}

fn result(page: &Page<'_>, outcome: &Outcome) -> Markup {
    let decoded = &outcome.decoded;
    let figure = |words: &str, value: String| html! { div { dt { (page.t(words)) } dd { (value) } } };
    html! {
        @if !outcome.problems.is_empty() { (problem_list(page, &outcome.problems, "warn")) }
        dl.figures {
            (figure("laboratory-decode-positive", decoded.positive.len().to_string()))
            (figure("laboratory-decode-retest", decoded.retest.len().to_string()))
            (figure("laboratory-decode-negative", decoded.negative.len().to_string()))
            (figure("laboratory-decode-pools", outcome.design.pools.len().to_string()))
            (figure("laboratory-decode-prevalence-taken", percent(decoded.prevalence)))
        }
        (findings(page, outcome))
        @if outcome.design.samples.len() <= MAP_SAMPLES_MAX { (map(page, outcome)) } @else { p.empty { (page.t("laboratory-decode-map-too-large")) } }
        (list(page, outcome, "laboratory-decode-positive", &decoded.positive))
        (list(page, outcome, "laboratory-decode-retest", &decoded.retest))
        details { summary { (page.t("laboratory-decode-negative")) " " (decoded.negative.len()) }
            p { @for sample in &decoded.negative { span.code { (outcome.name(*sample)) } " " } } }
    }
}

fn findings(page: &Page<'_>, outcome: &Outcome) -> Markup {
    let words = |finding: &Finding| {
        let samples = finding.samples().iter().map(|sample| outcome.name(*sample)).collect::<Vec<_>>().join(" ");
        let pool = finding.pool().map(|pool| outcome.pool(pool).to_owned()).unwrap_or_default();
        told(page, "finding", finding.code(), &[("pool", pool), ("samples", samples)])
    };
    html! {
        h2 { (page.t("laboratory-decode-conflicts")) }
        @if outcome.decoded.findings.is_empty() { p.notice.good { (page.t("laboratory-decode-no-conflict")) } } @else {
            ul.inbox { @for finding in &outcome.decoded.findings { li.late { (words(finding)) } } }
        }
    }
}

fn list(page: &Page<'_>, outcome: &Outcome, words: &str, samples: &[u32]) -> Markup {
    html! {
        h2 { (page.t(words)) " (" (samples.len()) ")" }
        @if samples.is_empty() { p.empty { (page.t("laboratory-decode-none")) } } @else {
            div.scroll { table {
                thead { tr { th { (page.t("laboratory-decode-sample")) } th.number { (page.t("laboratory-decode-posterior")) } th { (page.t("laboratory-decode-evidence")) } } }
                tbody { @for sample in samples { tr {
                    td.code { (outcome.name(*sample)) } td.number { (percent(outcome.posterior(*sample))) } td.code { (outcome.evidence(*sample)) }
                } } }
            } }
        }
    }
}

/// The samples as cells: an array plate by its rows and columns, any other design in the order of its samples.
fn map(page: &Page<'_>, outcome: &Outcome) -> Markup {
    let decoded = &outcome.decoded;
    let cell = |sample: u32| {
        let posterior = outcome.posterior(sample);
        let heat = HEAT.iter().filter(|from| posterior >= **from).count();
        let (sign, state) = if decoded.positive.binary_search(&sample).is_ok() {
            ("+", "positive")
        } else if decoded.retest.binary_search(&sample).is_ok() {
            ("?", "retest")
        } else {
            ("", "negative")
        };
        let title =
            format!("{} · {} · {} · {}", outcome.name(sample), page.t(&format!("laboratory-decode-{state}")), percent(posterior), outcome.evidence(sample));
        html! { td.(format!("h{heat}")) title=(title) { span.cell { (outcome.name(sample)) @if !sign.is_empty() { strong { " " (sign) } } } } }
    };
    let pool_head = |pool: u32, scope: &str| {
        let reading = outcome.readings[pool as usize];
        let class = match reading {
            Reading::Positive { .. } => "bad",
            Reading::Negative => "good",
            Reading::Unusable => "warn",
        };
        html! { th.(class) scope=(scope) { (outcome.pool(pool)) (mark(reading)) } }
    };
    html! {
        h2 { (page.t("laboratory-decode-map")) }
        div.scroll { table.plate.heat {
            @if let Some(shape) = outcome.design.matrix.as_array() {
                thead { tr { th {} @for pool in &shape.columns { (pool_head(*pool, "col")) } } }
                tbody { @for (row, samples) in shape.rows.iter().zip(shape.samples.chunks(shape.columns.len())) { tr { (pool_head(*row, "row")) @for sample in samples { (cell(*sample)) } } } }
            } @else {
                @let samples: Vec<u32> = (0..outcome.design.samples.len() as u32).collect();
                tbody { @for row in samples.chunks(if samples.len() <= 96 { MAP_COLUMNS / 2 } else { MAP_COLUMNS }) { tr { @for sample in row { (cell(*sample)) } } } }
            }
        } }
        p.soft.heat-key { @for (index, from) in std::iter::once(0.0).chain(HEAT).enumerate() { span.swatch.(format!("h{index}")) { "≥ " (percent(from)) } " " } " + " (page.t("laboratory-decode-positive")) " · ? " (page.t("laboratory-decode-retest")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(design: &str, outcomes: &str) -> Outcome {
        work(&Given { design: design.to_owned(), outcomes: outcomes.to_owned(), ..Given::default() }).unwrap_or_else(|problems| panic!("{problems:?}"))
    }

    #[test]
    fn the_retest_list_names_samples_as_the_design_does() {
        let found = outcome("pool,\"a \"\"1\"\"\",b\nR1,1,1\n", "pool,result\nR1,positive\n");
        let csv = retest_csv(&found);
        assert!(csv.starts_with("\u{feff}sample,posterior,pools\r\n") && csv.contains(",\"R1+\"\r\n"), "{csv}");
        assert_eq!(csv.lines().count(), 3);
        assert_eq!(quoted("a\"b,c"), "\"a\"\"b,c\"");
    }

    #[test]
    fn percents_become_shares_and_the_empty_field_is_the_usual() {
        let given = Given { sensitivity: "95".to_owned(), prevalence: "2".to_owned(), ..Given::default() };
        let options = options(&given);
        assert_eq!((options.assay.sensitivity, options.assay.specificity, options.prior), (0.95, 0.998, Prior::Prevalence(0.02)));
    }

    #[test]
    fn what_is_no_share_is_refused_and_not_guessed() {
        for given in [("sensitivity", "200"), ("prevalence", "x")] {
            let mut sent = Given { design: "1,1\n".to_owned(), outcomes: "1,positive\n".to_owned(), ..Given::default() };
            *(if given.0 == "sensitivity" { &mut sent.sensitivity } else { &mut sent.prevalence }) = given.1.to_owned();
            assert!(work(&sent).is_err(), "{given:?}");
        }
    }
}
