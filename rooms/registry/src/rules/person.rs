//! When a person may be shredded.

use baton_kit::Refusal;

use crate::events::ShredPerson;
use crate::model::PersonState;

pub fn shred(state: Option<PersonState>, command: &ShredPerson) -> Result<(), Refusal> {
    match state {
        None => Err(Refusal::absent("no-such-thing")),
        Some(PersonState::Shredded) => Err(Refusal::conflict("person-shredded-already")),
        Some(_) if command.reason.trim().is_empty() => Err(Refusal::ruled("reason-missing")),
        Some(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use baton_kit::{Bucket, Device, PersonId};

    #[test]
    fn a_person_is_shredded_once_and_with_a_reason() {
        let person = PersonId::new(Bucket::INSTALLATION, Device::new(1).unwrap(), 1);
        let command = ShredPerson { person, reason: "asked for by the person".to_owned() };
        assert!(shred(Some(PersonState::Active), &command).is_ok());
        assert!(shred(Some(PersonState::Withdrawn), &command).is_ok());
        assert_eq!(shred(None, &command).unwrap_err().code, "no-such-thing");
        assert_eq!(shred(Some(PersonState::Shredded), &command).unwrap_err().code, "person-shredded-already");
        assert_eq!(shred(Some(PersonState::Active), &ShredPerson { reason: " ".to_owned(), ..command }).unwrap_err().code, "reason-missing");
    }
}
