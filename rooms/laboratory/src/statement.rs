//! What the QR code of a report says: one result in 91 signed bytes, checked by any telephone, without a connection too.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use baton_kit::{PersonId, Timestamp, TubeId, TypedId, time::MINUTE_US};
use baton_ledger::{StoreResult, Tx};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};

use crate::events::TubeOutcome;
use crate::model::PersonResult;
use crate::person::{PersonReport, tube_of};

/// What is signed begins with this, so that no other signature of the installation passes for a statement's.
pub const DOMAIN: &[u8] = b"baton result statement 1\0";
/// First byte: how the rest is laid out.
const LAYOUT: u8 = 1;
const SAID: usize = 1 + 8 + 8 + 1 + 1 + 4 + 4;
const BYTES: usize = SAID + Signature::BYTE_SIZE;

/// What a person was told, as the byte that stands for it. Never renumbered: papers hold it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Stated {
    Pending = 0,
    Negative = 1,
    Positive = 2,
    Inconclusive = 3,
    Invalid = 4,
    Held = 5,
    NoSpecimen = 6,
}

impl Stated {
    const ALL: [Self; 7] = [Self::Pending, Self::Negative, Self::Positive, Self::Inconclusive, Self::Invalid, Self::Held, Self::NoSpecimen];

    fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|stated| *stated as u8 == byte)
    }
}

impl From<PersonResult> for Stated {
    fn from(result: PersonResult) -> Self {
        match result {
            PersonResult::Pending => Self::Pending,
            PersonResult::Negative => Self::Negative,
            PersonResult::Own(TubeOutcome::Positive) => Self::Positive,
            PersonResult::Own(TubeOutcome::SingleTarget) => Self::Inconclusive,
            PersonResult::Own(_) => Self::Invalid,
            PersonResult::Held(_) => Self::Held,
            PersonResult::NoSpecimen => Self::NoSpecimen,
        }
    }
}

/// One result of one person from one tube, as it stood when the report was issued.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Statement {
    pub person: PersonId,
    pub tube: TubeId,
    pub result: Stated,
    /// Version of the tube's result.
    pub version: u8,
    /// To the minute.
    pub swabbed: Timestamp,
    pub issued: Timestamp,
}

/// How a statement stands now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    Valid,
    /// The result was corrected since.
    Amended,
    /// The swab was taken back or the result is not out any more.
    Withdrawn,
    /// Signed here, but neither the person nor the tube are known.
    Unknown,
    /// Not signed by this installation, or changed.
    Wrong,
}

impl Standing {
    pub fn name(self) -> &'static str {
        match self {
            Standing::Valid => "valid",
            Standing::Amended => "amended",
            Standing::Withdrawn => "withdrawn",
            Standing::Unknown => "unknown",
            Standing::Wrong => "wrong",
        }
    }
}

fn minutes(at: Timestamp) -> [u8; 4] {
    u32::try_from(at.0.div_euclid(MINUTE_US)).unwrap_or(0).to_be_bytes()
}

fn from_minutes(bytes: [u8; 4]) -> Timestamp {
    Timestamp(i64::from(u32::from_be_bytes(bytes)) * MINUTE_US)
}

impl Statement {
    /// About the newest tube, if its result is out: there is nothing to state before.
    pub fn of(report: &PersonReport, issued: Timestamp) -> Option<Self> {
        let tube = report.tubes.first().filter(|tube| tube.clock.released.is_some())?;
        let version = tube.out().last()?.version;
        Some(Self {
            person: report.person,
            tube: tube.clock.tube,
            result: tube.result.into(),
            version: u8::try_from(version).unwrap_or(u8::MAX),
            swabbed: from_minutes(minutes(tube.swabbed)),
            issued: from_minutes(minutes(issued)),
        })
    }

    fn said(&self) -> [u8; SAID] {
        let mut said = [0; SAID];
        said[0] = LAYOUT;
        said[1..9].copy_from_slice(&self.person.raw().to_be_bytes());
        said[9..17].copy_from_slice(&self.tube.raw().to_be_bytes());
        said[17..19].copy_from_slice(&[self.result as u8, self.version]);
        said[19..23].copy_from_slice(&minutes(self.swabbed));
        said[23..27].copy_from_slice(&minutes(self.issued));
        said
    }

    /// Signed, in 122 characters of base64url.
    pub fn sign(&self, key: &SigningKey) -> String {
        let said = self.said();
        let signature = key.sign(&[DOMAIN, &said].concat()).to_bytes();
        URL_SAFE_NO_PAD.encode([said.as_slice(), &signature].concat())
    }

    /// What a text states, if this key signed it.
    pub fn read(key: &VerifyingKey, text: &str) -> Option<Self> {
        let bytes: [u8; BYTES] = URL_SAFE_NO_PAD.decode(text.trim()).ok()?.try_into().ok()?;
        let (said, signature) = bytes.split_first_chunk::<SAID>()?;
        key.verify_strict(&[DOMAIN, said].concat(), &Signature::from_slice(signature).ok()?).ok()?;
        let eight = |at: usize| said[at..].first_chunk().map(|bytes| i64::from_be_bytes(*bytes));
        let four = |at: usize| said[at..].first_chunk().map(|bytes| from_minutes(*bytes));
        Some(Self {
            person: PersonId::from_raw(eight(1)?).ok()?,
            tube: TubeId::from_raw(eight(9)?).ok()?,
            result: Stated::from_byte(said[17]).filter(|_| said[0] == LAYOUT)?,
            version: said[18],
            swabbed: four(19)?,
            issued: four(23)?,
        })
    }

    /// How it stands now.
    pub fn standing(&self, tx: &mut Tx<'_>) -> StoreResult<Standing> {
        let known = baton_registry::store::exists(tx, self.person)? && crate::store::tube(tx, self.tube)?.is_some();
        if !known {
            return Ok(Standing::Unknown);
        }
        let Some(tube) = tube_of(tx, self.person, self.tube)? else { return Ok(Standing::Withdrawn) };
        let Some(last) = tube.out().last().map(|version| version.version).filter(|_| tube.clock.released.is_some()) else { return Ok(Standing::Withdrawn) };
        let same = Stated::from(tube.result) == self.result && last == i64::from(self.version);
        Ok(if same { Standing::Valid } else { Standing::Amended })
    }
}

/// The text of a QR code or of an address that carries one: what stands behind `s=`, or the text itself.
pub fn statement_in(text: &str) -> &str {
    let text = text.trim();
    text.rsplit_once("s=").map_or(text, |(_, statement)| statement)
}

#[cfg(test)]
mod tests {
    use super::*;
    use baton_kit::{Bucket, Device};
    use proptest::prelude::*;

    fn statement() -> Statement {
        let device = Device::new(1 << 23).unwrap();
        Statement {
            person: PersonId::new(Bucket::new(5).unwrap(), device, 77),
            tube: TubeId::new(Bucket::new(5).unwrap(), device, 78),
            result: Stated::Held,
            version: 3,
            swabbed: Timestamp(1_770_000_000 * 1_000_000),
            issued: Timestamp(1_770_003_600 * 1_000_000),
        }
    }

    fn key(seed: u8) -> SigningKey {
        SigningKey::from_bytes(&[seed; 32])
    }

    #[test]
    fn it_is_read_as_it_was_signed_and_by_no_other_key() {
        let text = statement().sign(&key(1));
        assert_eq!(text.len(), 122);
        assert_eq!(Statement::read(&key(1).verifying_key(), &text), Some(statement()));
        assert_eq!(Statement::read(&key(2).verifying_key(), &text), None);
        assert_eq!(statement_in(&format!(" https://baton.example/verify?s={text}\n")), text);
        assert_eq!(statement_in(&text), text);
    }

    #[test]
    fn every_result_has_its_own_byte_and_is_read_back() {
        for (byte, stated) in Stated::ALL.into_iter().enumerate() {
            assert_eq!(stated as usize, byte);
            let statement = Statement { result: stated, ..statement() };
            assert_eq!(Statement::read(&key(1).verifying_key(), &statement.sign(&key(1))), Some(statement));
        }
        assert_eq!(Stated::from_byte(Stated::ALL.len() as u8), None);
    }

    proptest! {
        #[test]
        fn every_changed_letter_shows(at in 0usize..122, letter in "[A-Za-z0-9_-]") {
            let text = statement().sign(&key(1));
            let mut changed = text.clone();
            changed.replace_range(at..=at, &letter);
            prop_assert!(changed == text || Statement::read(&key(1).verifying_key(), &changed).is_none());
        }

        #[test]
        fn no_text_breaks_the_reader(text in ".{0,200}") {
            prop_assert_eq!(Statement::read(&key(1).verifying_key(), &text), None);
        }
    }
}
