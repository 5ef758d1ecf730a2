//! Who may let which result out. Clean negatives go by rule; everything else takes two people, one of them a director.

use baton_kit::{AccountId, Refusal, TubeId};

use crate::events::{ResultsSigned, SignResults, TubeOutcome, TubeRead};
use crate::model::{ForSigning, Override, ResultState, Run, can_be_overridden};

/// Who signs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Signer {
    pub account: AccountId,
    pub director: bool,
}

/// A run and its specimens as they stand.
#[derive(Clone, Debug)]
pub struct RunNow {
    pub run: Run,
    pub specimens: Vec<ForSigning>,
}

pub fn sign(state: &RunNow, command: &SignResults, signer: Signer) -> Result<ResultsSigned, Refusal> {
    let mut signed = ResultsSigned { tubes: Vec::new(), waiting: Vec::new(), passed: Vec::new(), director: signer.director };
    if command.tubes.is_empty() {
        let clean = state.specimens.iter().filter(|specimen| !specimen.result.state.is_out() && goes_by_rule(&state.run, specimen));
        signed.tubes.extend(clean.map(read_of));
        if signed.tubes.is_empty() {
            return Err(Refusal::ruled("lab-nothing-by-rule"));
        }
        signed.passed = rules_passed(state);
        return Ok(signed);
    }
    for tube in &command.tubes {
        let specimen = state.specimens.iter().find(|specimen| specimen.tube == *tube);
        let specimen = specimen.ok_or_else(|| Refusal::absent("lab-tube-not-on-run").with("tube", tube))?;
        if sign_one(state, specimen, signer)? {
            signed.tubes.push(read_of(specimen));
        } else {
            signed.waiting.push(*tube);
        }
    }
    Ok(signed)
}

/// True when this signature lets it out.
fn sign_one(state: &RunNow, specimen: &ForSigning, signer: Signer) -> Result<bool, Refusal> {
    let tube = specimen.tube;
    if specimen.result.run != state.run.run {
        return Err(Refusal::conflict("lab-superseded").with("tube", tube));
    }
    if let Some(finding) = state.run.holding(specimen.call.well).next() {
        return Err(Refusal::ruled("lab-well-held").with("tube", tube).with("finding", &finding.code));
    }
    match &specimen.result.state {
        ResultState::Released(_) | ResultState::Amended { .. } => Err(Refusal::conflict("lab-released-already").with("tube", tube)),
        ResultState::Preliminary => Ok(false),
        ResultState::SignedOnce { by, .. } if *by == signer.account => Err(Refusal::ruled("lab-same-person").with("tube", tube)),
        ResultState::SignedOnce { director, .. } if !(*director || signer.director) => Err(Refusal::ruled("lab-director-needed").with("tube", tube)),
        ResultState::SignedOnce { .. } => Ok(true),
    }
}

/// A negative that passed every rule of the assay and every circumstance of the laboratory, in a well that nothing holds.
pub fn goes_by_rule(run: &Run, specimen: &ForSigning) -> bool {
    specimen.result.run == run.run
        && specimen.result.outcome == TubeOutcome::Negative
        && specimen.call.not_passed.is_empty()
        && specimen.circumstances.iter().all(|(_, holds)| *holds)
        && run.holding(specimen.call.well).next().is_none()
}

fn rules_passed(state: &RunNow) -> Vec<String> {
    let circumstances = state.specimens.first().map(|specimen| specimen.circumstances.as_slice()).unwrap_or_default();
    let own = circumstances.iter().map(|(name, _)| (*name).to_owned());
    std::iter::once(state.run.rules.clone()).chain(state.run.verify_rules.iter().cloned()).chain(own).collect()
}

fn read_of(specimen: &ForSigning) -> TubeRead {
    TubeRead { tube: specimen.tube, result: specimen.result.outcome }
}

/// The tubes nobody signed yet for whom a signature is needed, in the order in which they should be looked at.
pub fn to_review(state: &RunNow) -> Vec<TubeId> {
    let mut queue: Vec<&ForSigning> = state
        .specimens
        .iter()
        .filter(|specimen| !specimen.result.state.is_out() && specimen.result.run == state.run.run && !goes_by_rule(&state.run, specimen))
        .collect();
    // Abnormal first, then by place on the plate.
    queue.sort_by_key(|specimen| (specimen.result.outcome == TubeOutcome::Negative, specimen.call.well));
    queue.into_iter().map(|specimen| specimen.tube).collect()
}

pub fn propose_override(run: &Run, reason: &str) -> Result<(), Refusal> {
    if reason.trim().chars().count() < 4 {
        return Err(Refusal::ruled("lab-reason-missing"));
    }
    if run.findings.is_empty() {
        return Err(Refusal::ruled("lab-nothing-held"));
    }
    if let Some(finding) = run.findings.iter().find(|finding| !can_be_overridden(&finding.code)) {
        return Err(Refusal::ruled("lab-override-impossible").with("finding", &finding.code));
    }
    match run.release {
        Override::None => Ok(()),
        Override::Proposed { .. } => Err(Refusal::conflict("lab-override-proposed")),
        Override::Confirmed { .. } => Err(Refusal::conflict("lab-override-confirmed")),
    }
}

pub fn confirm_override(run: &Run, signer: Signer) -> Result<(), Refusal> {
    match &run.release {
        Override::None => Err(Refusal::conflict("lab-override-not-proposed")),
        Override::Confirmed { .. } => Err(Refusal::conflict("lab-override-confirmed")),
        Override::Proposed { by, .. } if *by == signer.account => Err(Refusal::ruled("lab-same-person").with("tube", run.run)),
        Override::Proposed { director, .. } if !(*director || signer.director) => Err(Refusal::ruled("lab-director-needed").with("tube", run.run)),
        Override::Proposed { .. } => Ok(()),
    }
}

#[cfg(test)]
#[path = "signing_tests.rs"]
mod tests;
