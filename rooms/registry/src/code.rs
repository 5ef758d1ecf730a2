//! The code a person carries: their id and the installation's signature, nothing else. It verifies without a connection.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use baton_kit::{PersonId, Refusal, TypedId};
use baton_ledger::Secrets;
use ed25519_dalek::{Signature, Signer, VerifyingKey};

/// Begins every code of a person, so that a scanner tells it from a tube's label.
pub const PREFIX: &str = "BP1.";
/// What is signed begins with this, so that no other signature of the installation passes for a code.
const DOMAIN: &[u8] = b"baton person code 1\0";
const BYTES: usize = 8 + Signature::BYTE_SIZE;

fn signed(id: [u8; 8]) -> Vec<u8> {
    [DOMAIN, &id].concat()
}

/// `BP1.` and 96 characters of base64url: eight bytes of id, big end first, and an Ed25519 signature.
pub fn person_code(secrets: &Secrets, person: PersonId) -> String {
    let id = person.raw().to_be_bytes();
    let signature = secrets.signing.sign(&signed(id)).to_bytes();
    format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode([id.as_slice(), &signature].concat()))
}

/// Whether a scanned text is meant to be a person's code.
pub fn is_person_code(text: &str) -> bool {
    text.trim().starts_with(PREFIX)
}

/// Whose code this is. Refuses what is no code (`person-code-unreadable`) and what this installation did not sign (`person-code-forged`).
pub fn read_person_code(key: &VerifyingKey, text: &str) -> Result<PersonId, Refusal> {
    let unreadable = || Refusal::malformed("person-code-unreadable");
    let encoded = text.trim().strip_prefix(PREFIX).filter(|rest| rest.len() <= 2 * BYTES).ok_or_else(unreadable)?;
    let bytes: [u8; BYTES] = URL_SAFE_NO_PAD.decode(encoded).ok().and_then(|bytes| bytes.try_into().ok()).ok_or_else(unreadable)?;
    let (id, signature) = bytes.split_first_chunk::<8>().ok_or_else(unreadable)?;
    let signature = Signature::from_slice(signature).map_err(|_| unreadable())?;
    key.verify_strict(&signed(*id), &signature).map_err(|_| Refusal::forbidden("person-code-forged"))?;
    PersonId::from_raw(i64::from_be_bytes(*id)).map_err(|_| unreadable())
}

#[cfg(test)]
mod tests {
    use super::*;
    use baton_kit::{Bucket, Device, SeededEntropy};
    use proptest::prelude::*;

    fn secrets(seed: u64) -> Secrets {
        let folder = std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("../../target/tmp/registry-code-{}-{seed}", std::process::id()));
        _ = std::fs::remove_dir_all(&folder);
        let secrets = Secrets::create(&folder, &SeededEntropy::new(seed)).unwrap();
        _ = std::fs::remove_dir_all(&folder);
        secrets
    }

    #[test]
    fn only_our_own_codes_are_read_and_every_changed_letter_shows() {
        let (ours, theirs) = (secrets(1), secrets(2));
        let person = PersonId::new(Bucket::new(5).unwrap(), Device::new(1 << 23).unwrap(), 77);
        let code = person_code(&ours, person);
        assert_eq!(code.len(), PREFIX.len() + 96);
        assert!(is_person_code(&code));
        assert_eq!(read_person_code(&ours.verifying(), &format!(" {code}\n")), Ok(person));
        assert_eq!(read_person_code(&theirs.verifying(), &code).unwrap_err().code, "person-code-forged");
        for at in PREFIX.len()..code.len() {
            let mut changed = code.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            assert!(read_person_code(&ours.verifying(), &String::from_utf8(changed).unwrap()).is_err(), "{at}");
        }
        assert_eq!(read_person_code(&ours.verifying(), "T0001").unwrap_err().code, "person-code-unreadable");
    }

    proptest! {
        #[test]
        fn no_text_passes_for_a_code(text in "(BP1\\.)?[A-Za-z0-9_-]{0,120}") {
            let key = ed25519_dalek::SigningKey::from_bytes(&[7; 32]).verifying_key();
            prop_assert!(read_person_code(&key, &text).is_err());
        }
    }
}
