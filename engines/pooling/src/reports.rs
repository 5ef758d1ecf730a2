//! What `baton pool plan`, `decode` and `simulate` take and print as JSON.

use crate::decode::{DecodeOptions, decode};
use crate::dilution::{CqDistribution, Dilution, ShiftModel};
use crate::matrix::PoolMatrix;
use crate::plan::{Limits, PlanOption, SchemeKind, Turnaround, Workload, sizes, solve};
use crate::population::{Clustering, Population};
use crate::scheme::{Assay, Conditions, Scheme, SchemeError};
use crate::tables::{NamedDesign, Oddity, Problem, read_design, read_outcomes};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// With Cq data and no other wish, pools may lose this much of single testing's sensitivity.
pub const DEFAULT_RELATIVE_SENSITIVITY: f64 = 0.9;
pub const DEFAULT_CUTOFF: f64 = 40.0;

/// Arguments of `baton pool plan`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanRequest {
    pub prevalence: f64,
    pub sensitivity: f64,
    pub specificity: f64,
    pub clustering: Option<Clustering>,
    pub cq_distribution: Option<CqDistribution>,
    /// Only used with a Cq distribution; [`DEFAULT_CUTOFF`] when absent.
    pub cutoff: Option<f64>,
    pub shift: ShiftModel,
    pub limits: Limits,
    pub workload: Option<Workload>,
    /// Pooling matrices to be compared with the other schemes.
    pub matrices: Vec<PoolMatrix>,
}

impl PlanRequest {
    /// A perfect test, independent persons, aliquot mixing, no limits.
    pub fn new(prevalence: f64) -> Self {
        Self {
            prevalence,
            sensitivity: 1.0,
            specificity: 1.0,
            clustering: None,
            cq_distribution: None,
            cutoff: None,
            shift: ShiftModel::Aliquot,
            limits: Limits::default(),
            workload: None,
            matrices: Vec::new(),
        }
    }

    pub fn conditions(&self) -> Conditions {
        let dilution = self.cq_distribution.clone().map(|cq_distribution| Dilution {
            cq_distribution,
            cutoff: self.cutoff.unwrap_or(DEFAULT_CUTOFF),
            shift: self.shift.clone(),
        });
        Conditions {
            population: Population { prevalence: self.prevalence, clustering: self.clustering },
            assay: Assay { sensitivity: self.sensitivity, specificity: self.specificity },
            dilution,
        }
    }
}

/// Output of `baton pool plan --json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanReport {
    pub schemes: Vec<SchemeReport>,
    pub recommended: Recommendation,
}

/// One scheme of a plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SchemeReport {
    pub scheme: SchemeKind,
    pub sizes: Vec<u32>,
    pub tests_per_person: f64,
    pub sensitivity: f64,
    pub specificity: f64,
    pub stages: u32,
    pub mean_stages: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kept_after_dilution: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub turnaround: Option<Turnaround>,
    pub allowed: bool,
    pub reasons: Vec<ReasonReport>,
}

/// A stable code and its English words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReasonReport {
    pub code: String,
    pub text: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recommendation {
    pub scheme: SchemeKind,
    pub sizes: Vec<u32>,
    pub tests_per_person: f64,
    pub reasons: Vec<ReasonReport>,
}

fn scheme_report(option: &PlanOption) -> SchemeReport {
    let reasons = option.reasons.iter().map(|reason| ReasonReport { code: reason.code().to_owned(), text: reason.to_string() });
    SchemeReport {
        scheme: option.kind,
        sizes: sizes(&option.scheme),
        tests_per_person: option.figures.tests_per_person,
        sensitivity: option.figures.sensitivity,
        specificity: option.figures.specificity,
        stages: option.figures.stages,
        mean_stages: option.figures.mean_stages,
        kept_after_dilution: option.kept_after_dilution,
        turnaround: option.turnaround,
        allowed: option.allowed,
        reasons: reasons.collect(),
    }
}

/// Plans and reports.
pub fn plan_report(request: &PlanRequest) -> Result<PlanReport, SchemeError> {
    let mut limits = request.limits.clone();
    if request.cq_distribution.is_some() && limits.relative_sensitivity.is_none() {
        limits.relative_sensitivity = Some(DEFAULT_RELATIVE_SENSITIVITY);
    }
    let matrices: Vec<Scheme> = request.matrices.iter().map(|matrix| Scheme::Matrix { matrix: matrix.clone() }).collect();
    let plan = solve(&request.conditions(), &limits, request.workload.as_ref(), &matrices)?;
    let chosen = scheme_report(plan.recommendation());
    Ok(PlanReport {
        recommended: Recommendation { scheme: chosen.scheme, sizes: chosen.sizes, tests_per_person: chosen.tests_per_person, reasons: chosen.reasons },
        schemes: plan.options.iter().map(scheme_report).collect(),
    })
}

/// Output of `baton pool decode --json`. Samples by the names of the design's header (numbers from 1
/// without one).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DecodeReport {
    pub positive: Vec<String>,
    pub negative: Vec<String>,
    pub retest: Vec<String>,
    pub posterior: BTreeMap<String, f64>,
    pub findings: Vec<FindingReport>,
    /// Prior prevalence that was assumed or estimated.
    pub prevalence: f64,
    /// Oddities of the outcome table.
    pub problems: Vec<Problem>,
}

/// A finding with the names of the pool and samples it is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindingReport {
    pub code: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pool: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub samples: Vec<String>,
}

/// Reads, decodes, reports. The error lists what is wrong with the design or the settings.
pub fn decode_report(design: &str, outcomes: &str, options: &DecodeOptions) -> Result<DecodeReport, Vec<Problem>> {
    let (design, problems) = read_design(design);
    let Some(design) = design else { return Err(problems) };
    let (readings, problems) = read_outcomes(outcomes, &design);
    let whole = |message| vec![Problem { line: 0, oddity: Oddity::Refused { message } }];
    let decoded = decode(&design.matrix, &readings, options).map_err(whole)?;
    let names = |samples: &[u32]| -> Vec<String> { samples.iter().map(|sample| design.samples[*sample as usize].clone()).collect() };
    Ok(DecodeReport {
        positive: names(&decoded.positive),
        negative: names(&decoded.negative),
        retest: names(&decoded.retest),
        posterior: design.samples.iter().cloned().zip(decoded.posterior).collect(),
        findings: decoded.findings.iter().map(|finding| finding_report(finding, &design)).collect(),
        prevalence: decoded.prevalence,
        problems,
    })
}

fn finding_report(finding: &crate::decode::Finding, design: &NamedDesign) -> FindingReport {
    let name = |sample: &u32| design.samples[*sample as usize].clone();
    FindingReport {
        code: finding.code().to_owned(),
        pool: finding.pool().map(|pool| design.pools[pool as usize].clone()),
        samples: finding.samples().iter().map(name).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plans_print_the_agreed_shape() {
        let report = plan_report(&PlanRequest::new(0.01)).expect("valid");
        let json = serde_json::to_value(&report).expect("serialisable");
        let scheme = |name: &str| {
            let schemes = json["schemes"].as_array().expect("list");
            schemes.iter().find(|scheme| scheme["scheme"] == name).expect("present").clone()
        };
        assert_eq!(scheme("dorfman")["sizes"], serde_json::json!([11]));
        assert_eq!(scheme("hierarchical")["sizes"], serde_json::json!([25, 5, 1]));
        assert_eq!(scheme("array")["sizes"], serde_json::json!([25]));
        assert_eq!(scheme("individual")["tests_per_person"], 1.0);
        assert_eq!(json["recommended"]["scheme"], "hierarchical");
        assert_eq!(json["recommended"]["reasons"][0]["code"], "fewest_tests");
    }

    #[test]
    fn cq_data_limit_what_is_recommended() {
        let mut request = PlanRequest::new(0.005);
        let values = (0..500).map(|i| 20.0 + f64::from(i) * 0.034).collect();
        request.cq_distribution = Some(CqDistribution::new(values).expect("valid"));
        request.cutoff = Some(37.0);
        let report = plan_report(&request).expect("valid");
        let single = &report.schemes[0];
        for scheme in report.schemes.iter().filter(|scheme| scheme.allowed) {
            assert!(scheme.sensitivity >= 0.9 * single.sensitivity);
        }
        assert!(report.recommended.sizes[0] < 10);
    }

    #[test]
    fn decodes_print_the_agreed_shape() {
        let design = "pool,a,b,c,d\nr1,1,1,0,0\nr2,0,0,1,1\nk1,1,0,1,0\nk2,0,1,0,1\n";
        let outcomes = "pool,result\nr1,positive\nr2,negative\nk1,negative\nk2,positive\n";
        let report = decode_report(design, outcomes, &DecodeOptions::default()).expect("valid");
        assert_eq!(report.positive, ["b"]);
        assert_eq!(report.negative, ["a", "c", "d"]);
        let json = serde_json::to_value(&report).expect("serialisable");
        assert!(json["posterior"]["b"].as_f64().is_some_and(|posterior| posterior > 0.9));
        assert_eq!(json["retest"], serde_json::json!([]));
    }

    #[test]
    fn a_bad_design_is_refused_with_its_problems() {
        let problems = decode_report("pool,a\nr1,x\n", "", &DecodeOptions::default());
        assert_eq!(problems.map_err(|problems| problems[0].line), Err(2));
    }
}
