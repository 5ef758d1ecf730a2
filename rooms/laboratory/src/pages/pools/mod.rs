//! Pools: which ones to make today, and what the pools of an array plate say.

mod asked;
mod asked_form;
mod decoder;
mod planner;
mod plot;

use baton_desk::{Access, Page, Role, Route};
use baton_pooling::plan::SchemeKind;

use crate::routes::BENCH_ACCESS;

/// Who plans pools.
pub(super) const PLANNERS: &[Role] = &[Role::Technician, Role::LaboratoryDirector, Role::ZoneManager];
pub(crate) const PLAN_ACCESS: Access = Access::Roles(PLANNERS);

const SCRIPT: &str = include_str!("../../../assets/pools.js");
const SCRIPTS: &[&str] = &["/assets/laboratory-pools.js"];
/// Design and outcomes of one plate, pasted or as files.
const TABLES_BYTES_MAX: usize = 8 << 20;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/assets/laboratory-pools.js", Access::Public, "The pool planner's script", || async {
            super::asset("text/javascript; charset=utf-8", SCRIPT)
        }),
        Route::get("/laboratory/pools", PLAN_ACCESS, "Which pools to make: schemes, prevalence learned from released tubes, advice", planner::page),
        Route::get("/laboratory/pools/decode", BENCH_ACCESS, "Ask what the pools of a plate say of its samples", decoder::ask),
        Route::post(
            "/laboratory/pools/decode",
            BENCH_ACCESS,
            "Decode pools: posterior per sample, lists, conflicts; the retest list as a file",
            decoder::decoded,
        )
        .up_to(TABLES_BYTES_MAX),
    ]
}

/// A share as percent, with as many digits as it needs.
fn percent(share: f64) -> String {
    let percent = share * 100.0;
    match percent {
        _ if percent >= 10.0 => format!("{percent:.1} %"),
        _ if percent >= 1.0 => format!("{percent:.2} %"),
        _ => format!("{percent:.3} %"),
    }
}

/// Sizes of a scheme as the field writes them: `10:1`, `25 → 5 → 1`, `8 × 12`.
fn sizes_in_words(kind: SchemeKind, sizes: &[u32]) -> String {
    let joined = |between: &str| sizes.iter().map(ToString::to_string).collect::<Vec<_>>().join(between);
    match kind {
        SchemeKind::Individual => "1:1".to_owned(),
        SchemeKind::Dorfman => format!("{}:1", joined("")),
        SchemeKind::Hierarchical | SchemeKind::HierarchicalFour => joined(" → "),
        SchemeKind::Array => format!("{0} × {0}", joined("")),
        SchemeKind::ArrayRectangular | SchemeKind::Matrix => joined(" × "),
    }
}

fn scheme_words(page: &Page<'_>, kind: SchemeKind, sizes: &[u32]) -> String {
    let word = match kind {
        SchemeKind::Individual => "individual",
        SchemeKind::Dorfman => "dorfman",
        SchemeKind::Hierarchical | SchemeKind::HierarchicalFour => "hierarchical",
        SchemeKind::Array | SchemeKind::ArrayRectangular => "array",
        SchemeKind::Matrix => "matrix",
    };
    format!("{} {}", page.t(&format!("laboratory-pool-scheme-{word}")), sizes_in_words(kind, sizes))
}

/// Words for a code of the engine with the values it mentions.
fn told(page: &Page<'_>, topic: &str, code: &str, values: &[(&'static str, String)]) -> String {
    let values: Vec<(&str, &str)> = values.iter().map(|(name, value)| (*name, value.as_str())).collect();
    page.with(&format!("laboratory-pool-{topic}-{}", code.replace('_', "-")), &values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_written_as_the_field_writes_them() {
        assert_eq!(sizes_in_words(SchemeKind::Dorfman, &[10]), "10:1");
        assert_eq!(sizes_in_words(SchemeKind::Hierarchical, &[25, 5, 1]), "25 → 5 → 1");
        assert_eq!(sizes_in_words(SchemeKind::Array, &[24]), "24 × 24");
        assert_eq!(sizes_in_words(SchemeKind::ArrayRectangular, &[8, 12]), "8 × 12");
        assert_eq!((percent(0.00052), percent(0.034), percent(0.5)), ("0.052 %".to_owned(), "3.40 %".to_owned(), "50.0 %".to_owned()));
    }
}
