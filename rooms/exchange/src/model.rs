//! What the exchange thinks in: a swab or a tube with all that may be told of it, and messages from others.

use std::sync::Arc;

use baton_kit::{AccountId, EventId, PersonId, PlaceId, Timestamp, TubeId, TypedId};
use baton_laboratory::events::{TargetRead, TubeOutcome};
use baton_laboratory::model::{PersonResult, TubeClock};
use baton_laboratory::rules::person::{is_own, result_of};

/// One time a tube's result went out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Told {
    pub tube: TubeId,
    pub event: EventId,
    /// Where in the ledger.
    pub ordinal: i64,
    pub outcome: TubeOutcome,
    pub amended: bool,
    pub happened: Timestamp,
    pub recorded: Timestamp,
    /// On whose word.
    pub signers: Vec<AccountId>,
}

/// One scan that stands in a tube.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Swab {
    pub scan: EventId,
    pub person: PersonId,
    pub swabbed: Option<Timestamp>,
    /// Taken back: it was not this person's, or not this tube.
    pub undone: bool,
}

/// A tube with everything that may be told of it.
#[derive(Clone, Debug)]
pub struct TubeFacts {
    pub clock: TubeClock,
    pub assay: Option<String>,
    pub laboratory: Option<(PlaceId, String)>,
    /// Oldest first.
    pub told: Vec<Told>,
    /// Curves of the run that holds; nothing before the release.
    pub readings: Vec<TargetRead>,
    /// Scans that stand, by id.
    pub swabs: Vec<Swab>,
}

/// What is told about: one person's swab, or a tube that holds several.
#[derive(Clone, Debug)]
pub struct Unit {
    pub tube: Arc<TubeFacts>,
    pub swab: Option<Swab>,
}

impl Unit {
    /// The scan's number, or the tube's.
    pub fn id(&self) -> i64 {
        self.swab.map_or(self.tube.clock.tube.raw(), |swab| swab.scan.raw())
    }
    pub fn person(&self) -> Option<PersonId> {
        self.swab.map(|swab| swab.person)
    }
    /// True when whatever is found is found in this one person.
    pub fn is_own(&self) -> bool {
        self.swab.is_some() && is_own(&self.tube.clock)
    }
    pub fn undone(&self) -> bool {
        self.swab.is_some_and(|swab| swab.undone)
    }
    /// What holds now, or held when `told` was the last word.
    pub fn answer(&self, told: Option<&Told>) -> Answer {
        let told = told.or(self.tube.told.last());
        if self.undone() {
            return Answer::Undone;
        }
        if self.swab.is_none() {
            return told.map_or(Answer::Waiting, |told| Answer::Pool(told.outcome));
        }
        let clock = told.map_or_else(|| self.tube.clock.clone(), |told| TubeClock { outcome: Some(told.outcome), ..self.tube.clock.clone() });
        match result_of(&clock) {
            PersonResult::Pending => Answer::Waiting,
            PersonResult::Negative => Answer::Negative,
            PersonResult::Own(outcome) => Answer::Own(outcome),
            PersonResult::Held(_) if self.is_own() => Answer::Waiting,
            PersonResult::Held(_) if self.was_negative(told) => Answer::Withdrawn,
            PersonResult::Held(_) => Answer::Held,
            PersonResult::NoSpecimen => Answer::NoSpecimen,
        }
    }

    /// A negative of the whole tube went out before, and holds no more.
    fn was_negative(&self, until: Option<&Told>) -> bool {
        let before = self.tube.told.iter().take_while(|told| until.is_none_or(|until| told.ordinal < until.ordinal));
        before.into_iter().any(|told| told.outcome == TubeOutcome::Negative)
    }
}

/// What somebody outside may be told of a unit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answer {
    /// Nothing is released yet.
    Waiting,
    /// The tube is negative, so this person is.
    Negative,
    /// Their own single specimen showed this.
    Own(TubeOutcome),
    /// The pool they are in was not clean; that says nothing about them.
    Held,
    /// A negative they were told holds no more: the pool they are in was amended.
    Withdrawn,
    /// Rejected or lost.
    NoSpecimen,
    /// The scan was taken back.
    Undone,
    /// A tube of several people.
    Pool(TubeOutcome),
}

impl Answer {
    /// Key of its words.
    pub fn words(self) -> &'static str {
        match self {
            Answer::Waiting => "exchange-told-waiting",
            Answer::Negative => "exchange-told-negative",
            Answer::Own(TubeOutcome::Negative) => "exchange-told-negative",
            Answer::Own(TubeOutcome::Positive) => "exchange-told-positive",
            Answer::Own(TubeOutcome::SingleTarget) => "exchange-told-inconclusive",
            Answer::Own(TubeOutcome::Invalid) => "exchange-told-invalid",
            Answer::Held => "exchange-told-held",
            Answer::Withdrawn => "exchange-told-withdrawn",
            Answer::NoSpecimen => "exchange-told-no-specimen",
            Answer::Undone => "exchange-told-undone",
            Answer::Pool(TubeOutcome::Negative) => "exchange-told-pool-negative",
            Answer::Pool(_) => "exchange-told-pool-not-clean",
        }
    }
    /// What was found in the unit itself; nothing where nothing may be said.
    pub fn outcome(self) -> Option<TubeOutcome> {
        match self {
            Answer::Negative => Some(TubeOutcome::Negative),
            Answer::Own(outcome) | Answer::Pool(outcome) => Some(outcome),
            _ => None,
        }
    }
}

/// A message as stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Received {
    pub id: EventId,
    pub kind: String,
    pub sender: String,
    pub person: Option<PersonId>,
    pub tube: Option<TubeId>,
    pub finding: Option<String>,
    pub problems: i64,
    pub received: Timestamp,
    pub settled: Option<Settled>,
}

/// What came of a finding.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settled {
    pub at: Timestamp,
    pub by: Option<AccountId>,
    pub remark: String,
}

#[cfg(test)]
mod tests;
