//! The planner's form: every slider is a number field too, so that it works without a script.

use baton_desk::Page;
use baton_pcr::rules::RuleSet;
use maud::{Markup, html};

use super::asked::{self, Choice, Mixed, Slider};
use crate::pooling::field_ratios;

pub(super) fn fields(page: &Page<'_>, choice: &Choice, campaign: Option<&str>) -> Markup {
    let percent = |share: f64| share * 100.0;
    html! {
        div.sliders {
            (slider(page, asked::PREVALENCE, percent(choice.prevalence)))
            (slider(page, asked::SENSITIVITY, percent(choice.assay.sensitivity)))
            (slider(page, asked::SPECIFICITY, percent(choice.assay.specificity)))
            (slider(page, asked::LARGEST, f64::from(choice.largest)))
            (slider(page, asked::CQ_MEDIAN, choice.cq_median))
            (slider(page, asked::CQ_LATE, choice.cq_late))
            (slider(page, asked::CUTOFF, choice.cutoff))
            (slider(page, asked::KEEP, percent(choice.keep)))
            (slider(page, asked::GROUP, f64::from(choice.group)))
            (slider(page, asked::CORRELATION, choice.correlation))
        }
        div.choices {
            label { span { (page.t("laboratory-pool-mixing")) } select name="mixing" {
                @for mixed in Mixed::ALL { option value=(mixed.name()) selected[mixed == choice.mixed] { (page.t(&format!("laboratory-pool-mixing-{}", mixed.name()))) } } } }
            label { span { (page.t("laboratory-assay")) @if let Some(name) = campaign { " (" (page.with("laboratory-pool-of-campaign", &[("campaign", name)])) ")" } }
                select name="assay" { @for name in RuleSet::builtin_names() { option value=(name) selected[name == choice.rules.name] { (name) } } } }
            label { span { (page.t("laboratory-pool-now")) } select name="now" {
                @for ratio in field_ratios(&choice.rules) { option value=(ratio) selected[ratio == choice.now] { (ratio) ":1" } } } }
        }
        details open[choice.workload().is_some()] { summary { (page.t("laboratory-pool-work")) }
            div.choices {
                (number(page, asked::PEOPLE, choice.people))
                (number(page, asked::TESTS_PER_HOUR, choice.tests_per_hour))
                (number(page, asked::HOURS_PER_STAGE, Some(choice.hours_per_stage)))
                (number(page, asked::HOURS, choice.hours))
            }
        }
        p.actions { button.primary { (page.t("laboratory-pool-plan")) } a.button href="/laboratory/pools" { (page.t("laboratory-pool-reset")) } }
    }
}

/// Few digits, none of them noise.
fn short(value: f64) -> String {
    let text = format!("{value:.3}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    text.to_owned()
}

fn words(page: &Page<'_>, slider: Slider) -> String {
    page.t(&format!("laboratory-pool-{}", slider.name.replace('_', "-")))
}

/// The range is shown by the script, which keeps it and the number at the same value.
fn slider(page: &Page<'_>, slider: Slider, value: f64) -> Markup {
    let text = words(page, slider);
    html! {
        label.slider { span { (text) }
            input type="number" name=(slider.name) value=(short(value)) min=(slider.low) max=(slider.high) step="any" inputmode="decimal";
            input type="range" hidden data-for=(slider.name) data-low=(slider.low) data-high=(slider.high) data-step=(slider.step) data-logarithmic[slider.logarithmic] aria-label=(text);
        }
    }
}

fn number(page: &Page<'_>, slider: Slider, value: Option<f64>) -> Markup {
    html! {
        label { span { (words(page, slider)) }
            input type="number" name=(slider.name) value=(value.map(short).unwrap_or_default()) min=(slider.low) max=(slider.high) step="any" inputmode="decimal";
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_short() {
        assert_eq!((short(0.4), short(98.0), short(0.123_456), short(100.0)), ("0.4".to_owned(), "98".to_owned(), "0.123".to_owned(), "100".to_owned()));
    }
}
