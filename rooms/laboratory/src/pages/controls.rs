//! Controls over the last runs of a laboratory: one chart for each assay and target (Levey and Jennings, judged by Westgard's rules).

use std::collections::BTreeMap;

use axum::extract::State;
use baton_desk::answer::Answered;
use baton_desk::form::Asked;
use baton_desk::{Actor, App, Page, Route};
use baton_pcr::plate::chart::{ChartRule, Limits, judge_newest};
use baton_pcr::rules::{ControlKind, ExpectedState, RuleSet};
use maud::{Markup, html};

use super::drawing::{self, ControlPoint};
use super::home::LaboratoryAsked;
use super::{chosen, laboratory_choice, styled};
use crate::routes::WATCH_ACCESS;
use crate::store::bench::{self, ControlRead};

/// Runs on a chart.
const RUNS: i64 = 40;
/// Limits of a control whose rule set states none.
const ANY_CQ: (f64, f64) = (0.0, 45.0);

pub(super) fn routes() -> Vec<Route> {
    vec![Route::get("/laboratory/controls", WATCH_ACCESS, "Positive controls over the last runs: charts and the rules they break", page)]
}

async fn page(State(app): State<App>, actor: Actor, Asked(asked): Asked<LaboratoryAsked>) -> Answered<Markup> {
    let who = actor.clone();
    let (here, mine, reads) = app
        .read(move |tx| {
            let (here, mine) = chosen(tx, &who, asked.laboratory)?;
            let reads = bench::positive_controls(tx, here.id, RUNS)?;
            Ok((here, mine, reads))
        })
        .await?;
    let mut charts: BTreeMap<(String, String), Vec<ControlRead>> = BTreeMap::new();
    for read in reads.into_iter().filter(|read| expected(&read.assay, &read.target).is_some()) {
        charts.entry((read.assay.clone(), read.target.clone())).or_default().push(read);
    }
    let page = Page::new(&app, &actor);
    let drawn = html! {
        @if charts.is_empty() { p.empty { (page.t("laboratory-no-control-runs")) } }
        @for ((assay, target), reads) in &charts { (chart(&page, assay, target, reads)) }
    };
    let content = html! {
        (laboratory_choice(&page, &here, &mine, "/laboratory/controls"))
        p.soft { (page.t("laboratory-control-words")) }
        (page.live("controls", "laboratory", 0, drawn))
    };
    Ok(page.frame(&page.t("laboratory-control-charts"), styled(content)))
}

/// The lowest and highest Cq the rule set allows its positive control in a target; nothing for one in which it need not show anything.
fn expected(assay: &str, target: &str) -> Option<(f64, f64)> {
    let rules = RuleSet::builtin(assay)?;
    let positive = rules.controls.iter().filter(|control| control.kind == ControlKind::Positive).flat_map(|control| &control.expect);
    let found = positive.filter(|expected| expected.target == target && expected.state == ExpectedState::Positive);
    found.map(|expected| (expected.cq_min.unwrap_or(ANY_CQ.0), expected.cq_max.unwrap_or(ANY_CQ.1))).next()
}

/// Rules each point breaks, by all that came before it. Limits come from runs whose controls were valid.
fn judged(reads: &[ControlRead], limits: &Limits) -> Vec<Vec<ChartRule>> {
    let cqs: Vec<Option<f64>> = reads.iter().map(|read| read.cq).collect();
    (1..=cqs.len()).map(|n| judge_newest(&cqs[..n], limits)).collect()
}

fn chart(page: &Page<'_>, assay: &str, target: &str, reads: &[ControlRead]) -> Markup {
    let accepted: Vec<f64> = reads.iter().filter(|read| read.valid).filter_map(|read| read.cq).collect();
    let limits = Limits::from_history(&accepted, expected(assay, target).unwrap_or(ANY_CQ));
    let broken = judged(reads, &limits);
    let rules = |rules: &[ChartRule]| rules.iter().map(|rule| page.t(&format!("laboratory-chart-{}", rule_name(*rule)))).collect::<Vec<_>>().join(" · ");
    let cq = |read: &ControlRead| read.cq.map_or_else(|| "–".to_owned(), |cq| format!("{cq:.2}"));
    let points: Vec<ControlPoint> = reads
        .iter()
        .zip(&broken)
        .map(|(read, broken)| ControlPoint {
            cq: read.cq,
            bad: broken.iter().any(|rule| rule.rejects()),
            words: format!("{} · {} · Cq {} {}", page.time(read.at), read.plate, cq(read), rules(broken)),
            link: format!("/laboratory/runs/{}?well={}", read.run, read.well),
        })
        .collect();
    html! {
        h2 { (assay) " · " (target) }
        p.soft { @match limits {
            Limits::Statistical { mean, sd } => { (page.with("laboratory-limits-own", &[("mean", &format!("{mean:.2}")), ("sd", &format!("{sd:.2}")), ("runs", &accepted.len().to_string())])) },
            Limits::Fixed { low, high } => { (page.with("laboratory-limits-fixed", &[("low", &format!("{low:.1}")), ("high", &format!("{high:.1}"))])) },
        } }
        (drawing::control_chart(&points, &limits, &page.with("laboratory-chart-of", &[("target", target)])))
        details { summary { (page.t("laboratory-chart-table")) }
            div.scroll { table {
                thead { tr { th { (page.t("laboratory-read-at")) } th { (page.t("laboratory-plate")) } th.number { "Cq" } th { (page.t("laboratory-chart-rules")) } } }
                tbody { @for (read, broken) in reads.iter().zip(&broken).rev() {
                    tr { td { (page.time(read.at)) } td { a href={ "/laboratory/runs/" (read.run) "?well=" (read.well) } { (read.plate) } } td.number { (cq(read)) } td { (rules(broken)) } }
                } }
            } }
        }
    }
}

/// Its name in texts.
fn rule_name(rule: ChartRule) -> &'static str {
    match rule {
        ChartRule::OneTwoS => "1-2s",
        ChartRule::OneThreeS => "1-3s",
        ChartRule::TwoTwoS => "2-2s",
        ChartRule::RangeFourS => "r-4s",
        ChartRule::FourOneS => "4-1s",
        ChartRule::TenX => "10x",
        ChartRule::Fixed => "fixed",
        ChartRule::Missing => "missing",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use baton_kit::{Bucket, Device, RunId, Timestamp};

    fn read(cq: Option<f64>) -> ControlRead {
        let run = RunId::new(Bucket::INSTALLATION, Device::new(2).unwrap(), 1);
        ControlRead { run, at: Timestamp(0), plate: String::new(), assay: "orf1ab-n-ic".to_owned(), target: "N".to_owned(), well: 0, cq, valid: true }
    }

    #[test]
    fn a_target_that_the_control_does_not_bear_is_not_charted() {
        assert_eq!(expected("orf1ab-n-ic", "N"), Some((15.0, 35.0)));
        assert_eq!((expected("orf1ab-n-ic", "IC"), expected("another", "N")), (None, None));
    }

    #[test]
    fn each_point_is_judged_by_what_came_before_it() {
        let limits = Limits::Statistical { mean: 25.0, sd: 0.5 };
        let broken = judged(&[read(Some(25.0)), read(None), read(Some(26.2)), read(Some(26.2)), read(Some(25.0))], &limits);
        assert_eq!(broken[0], []);
        assert_eq!(broken[1], [ChartRule::Missing]);
        assert!(broken[2].contains(&ChartRule::OneTwoS) && !broken[2].contains(&ChartRule::TwoTwoS));
        assert!(broken[3].contains(&ChartRule::TwoTwoS));
        assert_eq!(broken[4], []);
    }
}
