//! Correcting what is out: two people, a reason, and the earlier value stays.

use baton_kit::{AccountId, Refusal, TubeId};

use super::signing::Signer;
use crate::events::{AmendResult, ProposeAmendment, ResultAmended, TubeOutcome, TubeRead};
use crate::model::TubeResult;

/// A correction somebody proposed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Proposed {
    pub outcome: TubeOutcome,
    pub reason: String,
    pub by: Option<AccountId>,
    pub director: bool,
}

pub fn propose(result: Option<&TubeResult>, command: &ProposeAmendment) -> Result<(), Refusal> {
    let before = released(result, command.tube)?;
    if before == command.result {
        return Err(Refusal::ruled("lab-amendment-same"));
    }
    if command.reason.trim().chars().count() < 4 {
        return Err(Refusal::ruled("lab-reason-missing"));
    }
    Ok(())
}

pub fn amend(result: Option<&TubeResult>, proposed: Option<&Proposed>, command: &AmendResult, signer: Signer) -> Result<ResultAmended, Refusal> {
    let before = released(result, command.tube)?;
    if before == command.result {
        return Err(Refusal::ruled("lab-amendment-same"));
    }
    let fits = proposed.filter(|proposed| proposed.outcome == command.result);
    let proposed = fits.ok_or_else(|| Refusal::conflict("lab-amendment-not-proposed").with("tube", command.tube))?;
    if proposed.by == Some(signer.account) {
        return Err(Refusal::ruled("lab-same-person").with("tube", command.tube));
    }
    if !(proposed.director || signer.director) {
        return Err(Refusal::ruled("lab-director-needed").with("tube", command.tube));
    }
    Ok(ResultAmended { tubes: vec![TubeRead { tube: command.tube, result: command.result }], before })
}

fn released(result: Option<&TubeResult>, tube: TubeId) -> Result<TubeOutcome, Refusal> {
    let result = result.filter(|result| result.state.is_out());
    result.map(|result| result.outcome).ok_or_else(|| Refusal::ruled("lab-not-released").with("tube", tube))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Release, ResultState};
    use baton_kit::{Bucket, Device, RunId, Timestamp};

    fn account(n: u32) -> AccountId {
        AccountId::new(Bucket::INSTALLATION, Device::new(1).unwrap(), n)
    }

    fn tube() -> TubeId {
        TubeId::new(Bucket::INSTALLATION, Device::new(2).unwrap(), 1)
    }

    fn result(state: ResultState) -> TubeResult {
        let run = RunId::new(Bucket::INSTALLATION, Device::new(1).unwrap(), 1);
        TubeResult { tube: tube(), version: 1, outcome: TubeOutcome::Positive, state, run, at: Timestamp(0) }
    }

    fn out() -> TubeResult {
        result(ResultState::Released(Release::ByTwo { by: account(1), and: account(2) }))
    }

    fn proposal(outcome: TubeOutcome, reason: &str) -> ProposeAmendment {
        ProposeAmendment { tube: tube(), result: outcome, reason: reason.to_owned() }
    }

    #[test]
    fn what_cannot_be_proposed() {
        let code = |result: Option<&TubeResult>, command: ProposeAmendment| propose(result, &command).unwrap_err().code;
        assert_eq!(code(None, proposal(TubeOutcome::Negative, "contaminated")), "lab-not-released");
        assert_eq!(code(Some(&result(ResultState::Preliminary)), proposal(TubeOutcome::Negative, "contaminated")), "lab-not-released");
        assert_eq!(code(Some(&out()), proposal(TubeOutcome::Positive, "contaminated")), "lab-amendment-same");
        assert_eq!(code(Some(&out()), proposal(TubeOutcome::Negative, " ")), "lab-reason-missing");
        assert!(propose(Some(&out()), &proposal(TubeOutcome::Negative, "contaminated")).is_ok());
    }

    #[test]
    fn two_people_amend_and_one_is_a_director() {
        let command = AmendResult { tube: tube(), result: TubeOutcome::Negative, reason: "contaminated".to_owned() };
        let proposed = |n, director| Proposed { outcome: TubeOutcome::Negative, reason: "contaminated".to_owned(), by: Some(account(n)), director };
        let go = |proposed: Option<Proposed>, n, director| amend(Some(&out()), proposed.as_ref(), &command, Signer { account: account(n), director });
        assert_eq!(go(None, 2, true).unwrap_err().code, "lab-amendment-not-proposed");
        assert_eq!(go(Some(Proposed { outcome: TubeOutcome::Invalid, ..proposed(1, true) }), 2, true).unwrap_err().code, "lab-amendment-not-proposed");
        assert_eq!(go(Some(proposed(1, true)), 1, true).unwrap_err().code, "lab-same-person");
        assert_eq!(go(Some(proposed(1, false)), 2, false).unwrap_err().code, "lab-director-needed");
        let amended = go(Some(proposed(1, false)), 2, true).unwrap();
        assert_eq!((amended.before, amended.tubes[0].result), (TubeOutcome::Positive, TubeOutcome::Negative));
    }
}
