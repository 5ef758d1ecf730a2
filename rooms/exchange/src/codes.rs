//! Codes that others understand. A target without a code of its own keeps its own name: no code is borrowed or invented.
//!
//! LOINC: presence of each gene and its cycle are different terms; never several genes on one. SNOMED CT for what was found.

use baton_laboratory::events::TubeOutcome;

/// A code in one of the standard systems.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Code {
    pub code: &'static str,
    pub display: &'static str,
}

/// The assays whose targets are those of the terms below.
const ASSAYS: [&str; 2] = ["orf1ab-n-ic", "cdc-n1-n2-rp"];

/// SARS-CoV-2 RNA, all targets together.
const RNA: Code = Code { code: "94500-6", display: "SARS-CoV-2 (COVID-19) RNA [Presence] in Respiratory system specimen by NAA with probe detection" };
const PANEL: Code = Code { code: "94531-1", display: "SARS-CoV-2 (COVID-19) RNA panel - Respiratory system specimen by NAA with probe detection" };

/// Target, presence, cycle. Internal controls have neither.
const TARGETS: [(&str, Code, Code); 4] = [
    (
        "ORF1ab",
        Code { code: "94559-2", display: "SARS-CoV-2 (COVID-19) ORF1ab region [Presence] in Respiratory system specimen by NAA with probe detection" },
        Code { code: "94644-2", display: "SARS-CoV-2 (COVID-19) ORF1ab region [Cycle Threshold #] in Respiratory system specimen by NAA with probe detection" },
    ),
    (
        "N",
        Code { code: "94533-7", display: "SARS-CoV-2 (COVID-19) N gene [Presence] in Respiratory system specimen by NAA with probe detection" },
        Code { code: "94510-5", display: "SARS-CoV-2 (COVID-19) N gene [Cycle Threshold #] in Specimen by NAA with probe detection" },
    ),
    (
        "N1",
        Code {
            code: "94756-4",
            display: "SARS-CoV-2 (COVID-19) N gene [Presence] in Respiratory system specimen by Nucleic acid amplification using CDC primer-probe set N1",
        },
        Code {
            code: "94311-8",
            display: "SARS-CoV-2 (COVID-19) N gene [Cycle Threshold #] in Specimen by Nucleic acid amplification using CDC primer-probe set N1",
        },
    ),
    (
        "N2",
        Code {
            code: "94757-2",
            display: "SARS-CoV-2 (COVID-19) N gene [Presence] in Respiratory system specimen by Nucleic acid amplification using CDC primer-probe set N2",
        },
        Code {
            code: "94312-6",
            display: "SARS-CoV-2 (COVID-19) N gene [Cycle Threshold #] in Specimen by Nucleic acid amplification using CDC primer-probe set N2",
        },
    ),
];

fn known(assay: Option<&str>) -> bool {
    assay.is_some_and(|assay| ASSAYS.contains(&assay))
}

/// The interpretation of a whole specimen.
pub fn overall(assay: Option<&str>) -> Option<Code> {
    known(assay).then_some(RNA)
}

/// The report as a whole.
pub fn panel(assay: Option<&str>) -> Option<Code> {
    known(assay).then_some(PANEL)
}

/// Presence and cycle of one target.
pub fn target(assay: Option<&str>, name: &str) -> Option<(Code, Code)> {
    let found = TARGETS.into_iter().find(|(target, ..)| known(assay) && *target == name);
    found.map(|(_, presence, cycle)| (presence, cycle))
}

/// What was found, in SNOMED CT; an invalid test found nothing.
pub fn finding(outcome: TubeOutcome) -> Option<Code> {
    match outcome {
        TubeOutcome::Negative => Some(NOT_DETECTED),
        TubeOutcome::Positive => Some(DETECTED),
        TubeOutcome::SingleTarget => Some(INCONCLUSIVE),
        TubeOutcome::Invalid => None,
    }
}

/// What one curve showed.
pub fn call(call: &str) -> Option<Code> {
    match call {
        "positive" => Some(DETECTED),
        "negative" => Some(NOT_DETECTED),
        "ambiguous" => Some(INCONCLUSIVE),
        _ => None,
    }
}

const DETECTED: Code = Code { code: "260373001", display: "Detected" };
const NOT_DETECTED: Code = Code { code: "260415000", display: "Not detected" };
const INCONCLUSIVE: Code = Code { code: "419984006", display: "Inconclusive" };

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_target_has_codes_of_its_own_and_a_control_has_none() {
        let mut codes: Vec<&str> = TARGETS.iter().flat_map(|(_, presence, cycle)| [presence.code, cycle.code]).chain([RNA.code, PANEL.code]).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), 10);
        for control in ["IC", "RP"] {
            assert_eq!(target(Some("orf1ab-n-ic"), control), None);
        }
        assert_eq!(target(Some("influenza"), "N"), None, "another assay's N is another gene");
        assert!(codes.iter().all(|code| check_digit(code)), "{codes:?}");
    }

    /// LOINC's own check digit (mod 10).
    fn check_digit(code: &str) -> bool {
        let (number, check) = code.split_once('-').unwrap();
        let odd: String = number.chars().rev().step_by(2).collect::<Vec<_>>().into_iter().rev().collect();
        let doubled = (odd.parse::<u64>().unwrap() * 2).to_string();
        let even: String = number.chars().rev().skip(1).step_by(2).collect();
        let sum: u32 = doubled.chars().chain(even.chars()).filter_map(|c| c.to_digit(10)).sum();
        check == ((10 - sum % 10) % 10).to_string()
    }
}
