//! The rule set of one assay: what a JSON file under `assays/` holds.

use serde::{Deserialize, Serialize};

use crate::curve::{CqMethod, Settings};

/// One version of one assay's rules. A change of any field is a new version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleSet {
    pub name: String,
    pub version: u32,
    /// First day the version applies, `YYYY-MM-DD`.
    pub effective: String,
    pub title: String,
    /// Where the rows come from, and what of it is unverified.
    pub source: String,
    pub cq: CqRule,
    pub targets: Vec<Target>,
    /// Number of detect targets that must be positive for "detected".
    pub detected_needs: usize,
    pub internal_control: InternalControlRule,
    pub replicates: ReplicateRule,
    pub controls: Vec<ControlRule>,
    pub pools: Vec<PoolRule>,
    pub actions: Actions,
    pub autoverify: AutoverifyLimits,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CqRule {
    pub method: CqMethod,
    pub plateau_fraction: f64,
    /// Fluorescence above baseline; required by `fixed_threshold`, otherwise null.
    pub threshold: Option<f64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    pub name: String,
    pub dye: String,
    pub role: TargetRole,
    pub cutoff_cq: f64,
    /// True: a Cq equal to the cut-off is positive ("≤ 38"). False: it is not ("crosses before 40.00").
    pub cutoff_inclusive: bool,
    /// Cq above the cut-off and up to this one is grey. Null: no grey zone.
    pub grey_to_cq: Option<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TargetRole {
    Detect,
    InternalControl,
}

/// When a well needs its internal control.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InternalControlRule {
    /// Without it the well is invalid, whatever the targets show.
    Always,
    /// Target amplification that suffices for "detected" (or any single target) stands without it.
    UnlessDetected,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReplicateRule {
    /// Greatest difference of Cq between replicates of one target, in cycles.
    pub max_cq_spread: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ControlKind {
    /// NTC: everything but template.
    NoTemplate,
    /// PC: known template.
    Positive,
    /// EC: human or other material taken through extraction.
    Extraction,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ControlRule {
    pub kind: ControlKind,
    pub min_wells: usize,
    pub expect: Vec<Expectation>,
}

/// What a control must show in one target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expectation {
    pub target: String,
    pub state: ExpectedState,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cq_min: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cq_max: Option<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExpectedState {
    Positive,
    Negative,
}

/// A pool size the assay may be used with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PoolRule {
    /// Specimens per tube.
    pub ratio: u32,
    pub mixing: Mixing,
    pub tube_volume_ml: f64,
}

/// Two operations with different dilution, never mixed up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mixing {
    /// Several swabs in one tube: dilution follows the tube's volume.
    Swabs,
    /// Aliquots of several specimens: dilution follows their number.
    Aliquots,
}

/// What to do next with a specimen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// The result goes to release.
    Report,
    /// Repeat the amplification from the same eluate.
    RepeatAmplification,
    /// Repeat from extraction.
    RepeatExtraction,
    /// Take a new specimen.
    NewSpecimen,
    /// Hold every member of the pool and take single swabs.
    SwabMembersSingly,
    /// Hold every member of the pool and test their aliquots (laboratory pools).
    TestMembersSingly,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Actions {
    pub single_target: Action,
    pub single_target_again: Action,
    pub grey: Action,
    pub grey_again: Action,
    pub invalid: Action,
    pub invalid_again: Action,
    /// For a pool with any result but a clean "not detected".
    pub pool_not_negative: Action,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AutoverifyLimits {
    /// Every detect target must have at most this probability of being amplified.
    pub max_p_positive: f64,
    /// The internal control must come at or before this Cq: a late one hints at inhibition.
    pub internal_control_cq_max: f64,
}

/// Why a rule file was refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum RuleSetError {
    #[error("rule file is not valid JSON for a rule set: {0}")]
    Json(String),
    #[error("rule file is {bytes} bytes; at most {limit} are read")]
    TooLarge { bytes: usize, limit: usize },
    #[error("rule set {rule_set}, field {field}: {problem}")]
    Field { rule_set: String, field: String, problem: String },
}

const BUILTIN: [(&str, &str); 2] =
    [("cdc-n1-n2-rp", include_str!("../../assays/cdc-n1-n2-rp.json")), ("orf1ab-n-ic", include_str!("../../assays/orf1ab-n-ic.json"))];

const MAX_BYTES: usize = 1 << 20;
const MAX_TARGETS: usize = 16;

impl RuleSet {
    /// Reads and checks a rule file. The error names the field, and for malformed JSON the line and column.
    pub fn parse(json: &str) -> Result<RuleSet, RuleSetError> {
        if json.len() > MAX_BYTES {
            return Err(RuleSetError::TooLarge { bytes: json.len(), limit: MAX_BYTES });
        }
        let rules: RuleSet = serde_json::from_str(json).map_err(|error| RuleSetError::Json(error.to_string()))?;
        rules.check()?;
        Ok(rules)
    }

    /// A rule set that comes with the program.
    pub fn builtin(name: &str) -> Option<RuleSet> {
        let (_, json) = BUILTIN.iter().find(|(builtin, _)| *builtin == name)?;
        RuleSet::parse(json).ok()
    }

    pub fn builtin_names() -> impl Iterator<Item = &'static str> {
        BUILTIN.iter().map(|(name, _)| *name)
    }

    pub fn target(&self, name: &str) -> Option<&Target> {
        self.targets.iter().find(|target| target.name == name)
    }

    pub fn detect_targets(&self) -> impl Iterator<Item = &Target> {
        self.targets.iter().filter(|target| target.role == TargetRole::Detect)
    }

    pub fn internal_controls(&self) -> impl Iterator<Item = &Target> {
        self.targets.iter().filter(|target| target.role == TargetRole::InternalControl)
    }

    /// How curves of this assay are read.
    pub fn settings(&self) -> Settings {
        Settings { cq_method: self.cq.method, plateau_fraction: self.cq.plateau_fraction, fixed_threshold: self.cq.threshold }
    }

    /// The pool rule for `ratio` specimens per tube, if the assay allows it.
    pub fn pool(&self, ratio: u32) -> Option<&PoolRule> {
        self.pools.iter().find(|pool| pool.ratio == ratio)
    }

    fn refuse(&self, field: &str, problem: impl Into<String>) -> RuleSetError {
        RuleSetError::Field { rule_set: self.name.clone(), field: field.to_owned(), problem: problem.into() }
    }

    fn check(&self) -> Result<(), RuleSetError> {
        if self.name.trim().is_empty() {
            return Err(self.refuse("name", "is empty"));
        }
        if self.version == 0 {
            return Err(self.refuse("version", "starts at 1"));
        }
        if !is_date(&self.effective) {
            return Err(self.refuse("effective", format!("{:?} is not a date YYYY-MM-DD", self.effective)));
        }
        self.check_cq()?;
        self.check_targets()?;
        self.check_controls()?;
        self.check_pools()?;
        self.check_limits()
    }

    fn check_cq(&self) -> Result<(), RuleSetError> {
        if !(0.01..=0.9).contains(&self.cq.plateau_fraction) {
            return Err(self.refuse("cq.plateau_fraction", "must lie between 0.01 and 0.9"));
        }
        match (self.cq.method, self.cq.threshold) {
            (CqMethod::FixedThreshold, None) => Err(self.refuse("cq.threshold", "is required by fixed_threshold")),
            (_, Some(value)) if !(value.is_finite() && value > 0.0) => Err(self.refuse("cq.threshold", "must be above 0")),
            _ => Ok(()),
        }
    }

    fn check_targets(&self) -> Result<(), RuleSetError> {
        if self.targets.len() > MAX_TARGETS {
            return Err(self.refuse("targets", format!("at most {MAX_TARGETS} are allowed")));
        }
        for (index, target) in self.targets.iter().enumerate() {
            let field = |name: &str| format!("targets[{index}].{name}");
            if target.name.trim().is_empty() {
                return Err(self.refuse(&field("name"), "is empty"));
            }
            if self.targets[..index].iter().any(|earlier| earlier.name == target.name) {
                return Err(self.refuse(&field("name"), format!("{:?} occurs twice", target.name)));
            }
            if !(target.cutoff_cq > 0.0 && target.cutoff_cq <= 100.0) {
                return Err(self.refuse(&field("cutoff_cq"), "must lie between 0 and 100"));
            }
            if target.grey_to_cq.is_some_and(|grey| !(grey > target.cutoff_cq && grey <= 100.0)) {
                return Err(self.refuse(&field("grey_to_cq"), "must lie above the cut-off and not above 100"));
            }
        }
        if self.internal_controls().next().is_none() {
            return Err(self.refuse("targets", "need an internal control: without one no well can be negative"));
        }
        let detect = self.detect_targets().count();
        if detect == 0 || self.detected_needs == 0 || self.detected_needs > detect {
            return Err(self.refuse("detected_needs", format!("must lie between 1 and the {detect} detect targets")));
        }
        Ok(())
    }

    fn check_controls(&self) -> Result<(), RuleSetError> {
        for needed in [ControlKind::NoTemplate, ControlKind::Positive] {
            if self.controls.iter().filter(|rule| rule.kind == needed).count() != 1 {
                return Err(self.refuse("controls", format!("need exactly one rule for {needed:?}")));
            }
        }
        for (index, rule) in self.controls.iter().enumerate() {
            if self.controls[..index].iter().any(|earlier| earlier.kind == rule.kind) {
                return Err(self.refuse(&format!("controls[{index}].kind"), format!("{:?} occurs twice", rule.kind)));
            }
            if rule.min_wells == 0 || rule.expect.is_empty() {
                return Err(self.refuse(&format!("controls[{index}]"), "needs min_wells of 1 or more and an expectation"));
            }
            for (row, expected) in rule.expect.iter().enumerate() {
                let field = format!("controls[{index}].expect[{row}]");
                if self.target(&expected.target).is_none() {
                    return Err(self.refuse(&field, format!("target {:?} is not in this rule set", expected.target)));
                }
                let bounds = (expected.cq_min.unwrap_or(0.0), expected.cq_max.unwrap_or(100.0));
                if !(bounds.0 >= 0.0 && bounds.0 < bounds.1 && bounds.1 <= 100.0) {
                    return Err(self.refuse(&field, "cq_min must lie below cq_max, both between 0 and 100"));
                }
            }
        }
        Ok(())
    }

    fn check_pools(&self) -> Result<(), RuleSetError> {
        for (index, pool) in self.pools.iter().enumerate() {
            if pool.ratio == 0 || self.pools[..index].iter().any(|earlier| earlier.ratio == pool.ratio) {
                return Err(self.refuse(&format!("pools[{index}].ratio"), "must be 1 or more and occur once"));
            }
            if !(pool.tube_volume_ml > 0.0 && pool.tube_volume_ml <= 1000.0) {
                return Err(self.refuse(&format!("pools[{index}].tube_volume_ml"), "must lie between 0 and 1000"));
            }
        }
        Ok(())
    }

    fn check_limits(&self) -> Result<(), RuleSetError> {
        if !(self.replicates.max_cq_spread > 0.0 && self.replicates.max_cq_spread <= 10.0) {
            return Err(self.refuse("replicates.max_cq_spread", "must lie between 0 and 10 cycles"));
        }
        if !(0.0..=0.5).contains(&self.autoverify.max_p_positive) {
            return Err(self.refuse("autoverify.max_p_positive", "must lie between 0 and 0.5"));
        }
        if !(self.autoverify.internal_control_cq_max > 0.0 && self.autoverify.internal_control_cq_max <= 100.0) {
            return Err(self.refuse("autoverify.internal_control_cq_max", "must lie between 0 and 100"));
        }
        let held = [Action::SwabMembersSingly, Action::TestMembersSingly];
        if !held.contains(&self.actions.pool_not_negative) {
            return Err(self.refuse("actions.pool_not_negative", "must hold the members (swab or test them singly)"));
        }
        let a = &self.actions;
        let repeats = [a.single_target, a.single_target_again, a.grey, a.grey_again, a.invalid, a.invalid_again];
        if repeats.contains(&Action::Report) {
            return Err(self.refuse("actions", "a result that is not clean cannot have the action report"));
        }
        Ok(())
    }
}

fn is_date(text: &str) -> bool {
    let bytes = text.as_bytes();
    let shape = bytes.len() == 10 && bytes.iter().enumerate().all(|(i, b)| if i == 4 || i == 7 { *b == b'-' } else { b.is_ascii_digit() });
    shape && (1..=12).contains(&text[5..7].parse().unwrap_or(0)) && (1..=31).contains(&text[8..10].parse().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_builtin_rule_set_is_valid_and_survives_a_round_trip() {
        for (name, json) in BUILTIN {
            let rules = RuleSet::parse(json).unwrap();
            assert_eq!(rules.name, name);
            assert_eq!(RuleSet::builtin(name).as_ref(), Some(&rules));
            assert_eq!(RuleSet::parse(&serde_json::to_string(&rules).unwrap()).unwrap(), rules);
        }
        assert_eq!(RuleSet::builtin("no-such-assay"), None);
    }

    #[test]
    fn refusals_name_the_field() {
        let good = BUILTIN[1].1;
        let cases = [
            ("\"version\": 2", "\"version\": 0", "version"),
            ("\"2022-06-01\"", "\"June\"", "effective"),
            ("\"name\": \"N\"", "\"name\": \"ORF1ab\"", "targets[1].name"),
            ("\"grey_to_cq\": 40.0", "\"grey_to_cq\": 30.0", "targets[0].grey_to_cq"),
            ("\"detected_needs\": 2", "\"detected_needs\": 3", "detected_needs"),
            ("\"plateau_relative\"", "\"fixed_threshold\"", "cq.threshold"),
            ("\"swab_members_singly\"", "\"report\"", "actions.pool_not_negative"),
            ("\"grey\": \"repeat_amplification\"", "\"grey\": \"report\"", "actions"),
            ("{ \"target\": \"N\", \"state\": \"negative\" }", "{ \"target\": \"X\", \"state\": \"negative\" }", "expect[1]"),
            ("\"role\": \"internal_control\"", "\"role\": \"detect\"", "targets"),
        ];
        for (from, to, field) in cases {
            assert!(good.contains(from), "{from}");
            let error = RuleSet::parse(&good.replacen(from, to, 1)).unwrap_err().to_string();
            assert!(error.contains(field), "{error} should name {field}");
        }
        let error = RuleSet::parse("{\n \"name\": 3").unwrap_err().to_string();
        assert!(error.contains("line 2"), "{error}");
        let error = RuleSet::parse(&good.replacen("\"title\"", "\"tittle\"", 1)).unwrap_err().to_string();
        assert!(error.contains("tittle"), "{error}");
    }

    #[test]
    fn an_enormous_file_is_refused_before_it_is_parsed() {
        let error = RuleSet::parse(&" ".repeat(MAX_BYTES + 1)).unwrap_err();
        assert!(matches!(error, RuleSetError::TooLarge { .. }));
    }
}
