//! The field rule for a pooled tube, and which tubes may be pooled at all.
//!
//! Mass screening mixes several swabs in one tube. Such a tube answers for all of its members or for
//! none: a clean negative releases everyone, anything else holds everyone until each member has been
//! swabbed and tested singly. No decision of this module ever names a positive person.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What the laboratory called a pooled tube.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PoolOutcome {
    /// Every target absent and the internal control valid.
    Negative,
    /// The assay's rule for a positive is met.
    Positive,
    /// Only one of several targets amplified.
    SingleTarget,
    /// The internal control or a plate control failed.
    Invalid,
    /// Late amplification between the assay's cut-offs.
    Grey,
}

/// Why the members of a pool are held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HoldReason {
    /// The pool was positive.
    PoolPositive,
    /// One target of several amplified in the pool.
    PoolSingleTarget,
    /// The pool gave no valid result.
    PoolInvalid,
    /// The pool was in the grey zone.
    PoolGrey,
    /// The pool's member list is empty: its result can be given to nobody.
    MembersUnknown,
}

impl HoldReason {
    /// Stable code for messages, findings and translations.
    pub fn code(self) -> &'static str {
        match self {
            Self::PoolPositive => "pool_positive",
            Self::PoolSingleTarget => "pool_single_target",
            Self::PoolInvalid => "pool_invalid",
            Self::PoolGrey => "pool_grey",
            Self::MembersUnknown => "members_unknown",
        }
    }
}

/// What must happen to the held members.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FollowUp {
    /// Swab every member again, one tube each: a mixed tube cannot be taken apart.
    ReSwabSingly,
}

/// What a pooled tube's result means for its members.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PoolDecision {
    /// Every member is negative.
    NegativeForAll,
    /// Every member is held until they have an answer of their own.
    HoldAll { reason: HoldReason, follow_up: FollowUp },
}

/// Applies the field rule (two-stage Dorfman with re-swab) to one pooled tube.
///
/// The rule is the same whoever the members are; they are asked for so that a result without
/// members is never reported as somebody's negative.
pub fn decode_dorfman<M>(pool_outcome: PoolOutcome, members: &[M]) -> PoolDecision {
    let reason = match pool_outcome {
        PoolOutcome::Negative if members.is_empty() => HoldReason::MembersUnknown,
        PoolOutcome::Negative => return PoolDecision::NegativeForAll,
        PoolOutcome::Positive => HoldReason::PoolPositive,
        PoolOutcome::SingleTarget => HoldReason::PoolSingleTarget,
        PoolOutcome::Invalid => HoldReason::PoolInvalid,
        PoolOutcome::Grey => HoldReason::PoolGrey,
    };
    PoolDecision::HoldAll { reason, follow_up: FollowUp::ReSwabSingly }
}

/// How specimens come to share a tube. The two operations dilute differently and are validated apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mixing {
    /// Several swabs in one collection tube of a larger volume (field).
    Swab,
    /// Equal volumes of single specimens mixed in one well (laboratory).
    Aliquot,
}

/// What would be mixed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PoolSource {
    /// Specimens of one person each.
    SinglePersons,
    /// Tubes that are pools already.
    Pools,
}

/// A pool somebody wants to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolDesign {
    /// Persons per pool; 1 is a single tube.
    pub persons_per_pool: u32,
    pub mixing: Mixing,
    pub source: PoolSource,
}

/// One ratio an assay is validated for. A property of kit, medium and version together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ValidatedRatio {
    pub mixing: Mixing,
    /// Largest number of persons per pool with this ratio's tube or volume.
    pub persons_per_pool: u32,
}

/// Why a pool design is refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "code")]
pub enum DesignRefusal {
    /// Pooled tubes would be pooled again: no kit is validated for it and dilution is unknown.
    PoolOfPools,
    /// A pool of nobody.
    NoPersons,
    /// The assay is not validated for this many persons with this mixing.
    RatioNotValidated {
        mixing: Mixing,
        persons_per_pool: u32,
        /// Largest validated ratio for this mixing, `None` when there is none.
        largest_validated: Option<u32>,
    },
}

impl DesignRefusal {
    /// Stable code for messages and translations.
    pub fn code(&self) -> &'static str {
        match self {
            Self::PoolOfPools => "pool_of_pools",
            Self::NoPersons => "pool_without_persons",
            Self::RatioNotValidated { .. } => "ratio_not_validated",
        }
    }
}

impl fmt::Display for DesignRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PoolOfPools => write!(f, "pooled tubes may not be pooled again"),
            Self::NoPersons => write!(f, "a pool needs at least one person"),
            Self::RatioNotValidated { mixing, persons_per_pool, largest_validated } => {
                let what = match mixing {
                    Mixing::Swab => "swab mixing",
                    Mixing::Aliquot => "aliquot mixing",
                };
                write!(f, "{what} of {persons_per_pool}:1 is not validated for this assay")?;
                match largest_validated {
                    Some(largest) => write!(f, " (largest validated ratio {largest}:1)"),
                    None => write!(f, " (no ratio is validated)"),
                }
            }
        }
    }
}

impl std::error::Error for DesignRefusal {}

/// Refuses pools the assay is not validated for.
///
/// A single tube of one person needs no pooling validation. A pool that is filled less than its
/// validated ratio (seven swabs in a 10:1 tube) is accepted. Pools of pools are refused whatever
/// the resulting ratio.
pub fn refuse_design(design: &PoolDesign, validated: &[ValidatedRatio]) -> Result<(), DesignRefusal> {
    if design.source == PoolSource::Pools {
        return Err(DesignRefusal::PoolOfPools);
    }
    if design.persons_per_pool == 0 {
        return Err(DesignRefusal::NoPersons);
    }
    let largest_validated = validated.iter().filter(|ratio| ratio.mixing == design.mixing).map(|ratio| ratio.persons_per_pool).max();
    if design.persons_per_pool == 1 || largest_validated >= Some(design.persons_per_pool) {
        return Ok(());
    }
    Err(DesignRefusal::RatioNotValidated { mixing: design.mixing, persons_per_pool: design.persons_per_pool, largest_validated })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_clean_negative_releases_the_members() {
        let members = ["a", "b"];
        assert_eq!(decode_dorfman(PoolOutcome::Negative, &members), PoolDecision::NegativeForAll);
        for (outcome, reason) in [
            (PoolOutcome::Positive, HoldReason::PoolPositive),
            (PoolOutcome::SingleTarget, HoldReason::PoolSingleTarget),
            (PoolOutcome::Invalid, HoldReason::PoolInvalid),
            (PoolOutcome::Grey, HoldReason::PoolGrey),
        ] {
            let decision = decode_dorfman(outcome, &members);
            let follow_up = FollowUp::ReSwabSingly;
            assert_eq!(decision, PoolDecision::HoldAll { reason, follow_up });
        }
    }

    #[test]
    fn a_negative_without_members_is_nobodys_negative() {
        let decision = decode_dorfman::<u8>(PoolOutcome::Negative, &[]);
        assert_eq!(decision, PoolDecision::HoldAll { reason: HoldReason::MembersUnknown, follow_up: FollowUp::ReSwabSingly });
    }

    fn design(persons_per_pool: u32, mixing: Mixing, source: PoolSource) -> PoolDesign {
        PoolDesign { persons_per_pool, mixing, source }
    }

    const VALIDATED: [ValidatedRatio; 3] = [
        ValidatedRatio { mixing: Mixing::Swab, persons_per_pool: 10 },
        ValidatedRatio { mixing: Mixing::Swab, persons_per_pool: 20 },
        ValidatedRatio { mixing: Mixing::Aliquot, persons_per_pool: 5 },
    ];

    #[test]
    fn ratios_are_validated_per_mixing() {
        let single = PoolSource::SinglePersons;
        assert!(refuse_design(&design(20, Mixing::Swab, single), &VALIDATED).is_ok());
        assert!(refuse_design(&design(7, Mixing::Swab, single), &VALIDATED).is_ok());
        assert!(refuse_design(&design(1, Mixing::Aliquot, single), &[]).is_ok());
        let refusal = refuse_design(&design(10, Mixing::Aliquot, single), &VALIDATED);
        let message = refusal.map_err(|refusal| refusal.to_string());
        assert_eq!(message, Err("aliquot mixing of 10:1 is not validated for this assay (largest validated ratio 5:1)".to_owned()));
    }

    #[test]
    fn pools_are_never_pooled_again() {
        let refusal = refuse_design(&design(2, Mixing::Aliquot, PoolSource::Pools), &VALIDATED);
        assert_eq!(refusal, Err(DesignRefusal::PoolOfPools));
        let nobody = refuse_design(&design(0, Mixing::Swab, PoolSource::SinglePersons), &VALIDATED);
        assert_eq!(nobody, Err(DesignRefusal::NoPersons));
    }
}
