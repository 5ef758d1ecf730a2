//! The vault: one data key per person; destroyed, nothing anywhere can be read again.

use std::path::Path;

use baton_kit::{AnyId, SeededEntropy, TypedId};
use baton_ledger::{Secrets, params};

use crate::house::*;

baton_ground::on_both_stores! {
    crate::house::House: what_is_sealed_opens_for_its_own_subject_only,
    a_destroyed_key_leaves_nothing_to_read,
    keys_travel_apart_from_the_ledger,
    many_are_sealed_and_opened_together,
}

fn person(number: u32) -> AnyId {
    AnyId::from_packed(id(3, 8, number).packed())
}

const NAME: &str = "欧阳娜娜 110101199003070012";

fn what_is_sealed_opens_for_its_own_subject_only(house: &House) {
    let ledger = house.open();
    let vault = ledger.vault();
    let sealed = vault.seal(person(1), NAME.as_bytes()).unwrap();
    assert_ne!(sealed, vault.seal(person(1), NAME.as_bytes()).unwrap(), "equal texts do not look equal");
    assert_eq!(vault.open(person(1), &sealed).unwrap().as_deref(), Some(NAME.as_bytes()));
    vault.seal(person(2), b"x").unwrap();
    assert_eq!(vault.open(person(2), &sealed).unwrap(), None, "another person's key");
    assert_eq!(vault.open(person(3), &sealed).unwrap(), None, "no key at all");
    for (at, cut) in [(0, sealed.len()), (sealed.len() - 1, sealed.len()), (0, sealed.len() - 1), (0, 5), (0, 0)] {
        let mut damaged = sealed[..cut].to_vec();
        if let Some(byte) = damaged.get_mut(at) {
            *byte ^= 1;
        }
        assert_eq!(vault.open(person(1), &damaged).unwrap(), None);
    }
    drop(ledger);
    assert_eq!(house.open().vault().open(person(1), &sealed).unwrap().as_deref(), Some(NAME.as_bytes()), "after a restart");
}

fn a_destroyed_key_leaves_nothing_to_read(house: &House) {
    let ledger = house.open();
    let (vault, copies) = (ledger.vault(), house.place.folder.join("copies"));
    std::fs::create_dir_all(&copies).unwrap();
    let sealed = vault.seal_many(&[(person(1), NAME.as_bytes()), (person(2), NAME.as_bytes())]).unwrap();
    let facts = sealed.iter().zip(1..).map(|(sealed, n)| fact(id(3, 8, n), &baton_ledger::hex(sealed)));
    accepted(&ledger, facts.collect());
    settle(&ledger);
    ledger.read_log(|tx| Ok(baton_ledger::backup::backup(tx, &copies.join("backup.db"), |_| {})?)).unwrap();
    let wrapped = vault.export().unwrap().into_iter().find(|(subject, _)| *subject == person(1)).unwrap().1;
    assert!(wrapped.len() > 32);

    assert!(vault.shred(person(1)).unwrap());
    assert!(!vault.shred(person(1)).unwrap(), "there is no key any more");
    assert_eq!(vault.open(person(1), &sealed[0]).unwrap(), None);
    assert_eq!(vault.open(person(2), &sealed[1]).unwrap().as_deref(), Some(NAME.as_bytes()), "the other person stays");
    let again = vault.seal(person(1), b"more").unwrap_err();
    assert!(again.to_string().contains("destroyed"), "{again}");

    // Neither the name nor the wrapped key is left in any file: ledger, projections, keys, logs, backup.
    for text in [NAME.as_bytes(), "欧阳娜娜".as_bytes()].into_iter().chain(wrapped.chunks_exact(8)) {
        assert_eq!(files_with(&house.place.folder, text), Vec::<String>::new());
    }
    house.assert_sound();
}

fn files_with(folder: &Path, text: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_with(&path, text));
        } else if std::fs::read(&path).unwrap().windows(text.len()).any(|window| window == text) {
            found.push(path.display().to_string());
        }
    }
    found
}

/// The search above would find the key while it is there.
#[test]
fn a_living_key_is_in_its_file_and_nowhere_else() {
    let house = House::embedded();
    let ledger = house.open();
    ledger.vault().seal(person(1), NAME.as_bytes()).unwrap();
    let wrapped = ledger.vault().export().unwrap().remove(0).1;
    let found = files_with(&house.place.folder, &wrapped);
    assert!(!found.is_empty() && found.iter().all(|file| file.contains("keys.db")), "{found:?}");
}

fn keys_travel_apart_from_the_ledger(house: &House) {
    let ledger = house.open();
    let sealed = ledger.vault().seal_many(&[(person(1), b"Ann"), (person(2), b"Bo"), (person(3), b"Cy")]).unwrap();
    ledger.vault().shred(person(2)).unwrap();
    let exported = ledger.vault().export().unwrap();
    let sister = house.sister();
    let other = sister.open();
    other.vault().seal(person(3), b"has a key here").unwrap();
    assert_eq!(other.vault().import(&exported).unwrap(), 2, "the third is there already");
    assert_eq!(other.vault().open(person(1), &sealed[0]).unwrap().as_deref(), Some(&b"Ann"[..]));
    assert_eq!(other.vault().open(person(2), &sealed[1]).unwrap(), None, "destroyed stays destroyed");
    assert!(other.vault().seal(person(2), b"x").is_err());
    assert_eq!(other.vault().open(person(3), &sealed[2]).unwrap(), None, "its own key is not replaced");
    // An old copy of the keys does not undo a destruction.
    other.vault().shred(person(1)).unwrap();
    other.vault().import(&exported).unwrap();
    assert_eq!(other.vault().open(person(1), &sealed[0]).unwrap(), None);
}

fn many_are_sealed_and_opened_together(house: &House) {
    let ledger = house.open();
    let names: Vec<String> = (0..500).map(|n| format!("name {n}")).collect();
    let texts: Vec<(AnyId, &[u8])> = names.iter().zip(0..).map(|(name, n)| (person(n / 2), name.as_bytes())).collect();
    let sealed = ledger.vault().seal_many(&texts).unwrap();
    let sealed: Vec<(AnyId, &[u8])> = texts.iter().zip(&sealed).map(|((subject, _), sealed)| (*subject, sealed.as_slice())).collect();
    let opened = ledger.vault().open_many(&sealed).unwrap();
    assert!(opened.iter().zip(&names).all(|(opened, name)| opened.as_deref() == Some(name.as_bytes())));
    assert_eq!(ledger.vault().export().unwrap().len(), 250, "one key per person");
}

#[test]
fn secrets_are_private_whole_and_never_overwritten() {
    use std::os::unix::fs::PermissionsExt;
    let folder = fresh_folder();
    let secrets = Secrets::create(&folder, &SeededEntropy::new(5)).unwrap();
    for file in ["signing.key", "wrapping.key", "lookup.key"] {
        assert_eq!(std::fs::metadata(folder.join(file)).unwrap().permissions().mode() & 0o777, 0o600, "{file}");
    }
    assert!(Secrets::create(&folder, &SeededEntropy::new(6)).unwrap_err().to_string().contains("never overwritten"));
    let again = Secrets::load(&folder).unwrap();
    assert_eq!(again.verifying(), secrets.verifying());
    assert_eq!(again.lookup("phone", "13800000000"), secrets.lookup("phone", "13800000000"));
    assert_ne!(secrets.lookup("phone", "13800000000"), secrets.lookup("document", "13800000000"), "domains are apart");
    assert_ne!(secrets.lookup("a", "bc"), secrets.lookup("ab", "c"));
    assert_ne!(secrets.token_hash("a"), secrets.token_hash("b"));
    std::fs::write(folder.join("lookup.key"), b"short").unwrap();
    assert!(Secrets::load(&folder).unwrap_err().to_string().contains("lookup.key"));
    std::fs::remove_dir_all(folder).unwrap();
}

/// On PostgreSQL the table itself holds nothing of a destroyed key; what the server's own files keep is for its operator to vacuum.
#[test]
fn a_destroyed_key_is_an_empty_row() {
    let Some(house) = House::postgres("a_destroyed_key_is_an_empty_row") else { return };
    let ledger = house.open();
    ledger.vault().seal(person(1), b"x").unwrap();
    ledger.vault().shred(person(1)).unwrap();
    let rows = ledger.read_log(|tx| Ok(tx.query("SELECT wrapped FROM data_key WHERE subject = $1", params![person(1)])?)).unwrap();
    assert_eq!(rows[0].bytes(0).unwrap(), b"");
}
