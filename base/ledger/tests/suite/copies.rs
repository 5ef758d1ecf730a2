//! Backups: the ledger alone, copied while it runs, and put back into any store.

use std::sync::atomic::{AtomicBool, Ordering};

use baton_ledger::backup::{BackupContents, backup, restore};
use baton_ledger::{Ledger, chain};

use crate::house::*;

baton_ground::on_both_stores! {
    crate::house::House: a_backup_taken_while_writing_is_one_sound_moment,
    a_restored_ledger_goes_on_where_it_stood,
    a_restore_is_all_or_nothing,
    a_backup_never_overwrites,
}

fn a_backup_taken_while_writing_is_one_sound_moment(house: &House) {
    let ledger = house.open();
    let copies = fresh_folder();
    std::fs::create_dir_all(&copies).unwrap();
    let stop = AtomicBool::new(false);
    let taken: Vec<BackupContents> = std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut sequence = 0;
            while !stop.load(Ordering::Relaxed) {
                sequence += 1;
                accepted(&ledger, (0..5).map(|bucket| fact(id(bucket, 1, sequence), &format!("{sequence}"))).collect());
            }
        });
        let taken = (0..5).map(|n| {
            assert!(ledger.wait_folded(n * 50, PATIENCE));
            ledger.read_log(|tx| Ok(backup(tx, &copies.join(n.to_string()), |_| {})?)).unwrap()
        });
        let taken = taken.collect();
        stop.store(true, Ordering::Relaxed);
        taken
    });
    for (n, contents) in taken.iter().enumerate() {
        let sister = house.sister();
        let restored = restore(&copies.join(n.to_string()), &mut sister.place.open_ledger().unwrap(), |_| {}).unwrap();
        let verdict = sister.verify();
        assert_eq!((&restored, verdict.events, verdict.ledger_head), (contents, contents.events, contents.ledger_head));
        assert_eq!(verdict.problems, vec![]);
        assert_eq!(contents.events % 5, 0, "no group is cut in two");
    }
    assert!(taken.windows(2).all(|pair| pair[0].events <= pair[1].events));
    std::fs::remove_dir_all(copies).unwrap();
}

fn a_restored_ledger_goes_on_where_it_stood(house: &House) {
    let ledger = house.open();
    accepted(&ledger, (1..=20).map(|n| fact(id((n % 3) as u8, 1, n), "x")).collect());
    let bed = decide_bed(&ledger, id(4, 1, 1), "guest", 1).unwrap();
    let given = ledger.next_id(bucket(0)).unwrap();
    let file = house.place.folder.join("backup.db");
    ledger.read_log(|tx| Ok(backup(tx, &file, |_| {})?)).unwrap();

    let sister = house.sister();
    restore(&file, &mut sister.place.open_ledger().unwrap(), |_| {}).unwrap();
    let restored = sister.open();
    assert_eq!(sister.verify(), house.verify());
    assert_eq!(sister.state_hash(), house.state_hash());
    let again = decide_bed(&restored, id(4, 1, 1), "guest", 1).unwrap();
    assert_eq!((again.repeated, again.ordinal), (true, bed.ordinal));
    assert_eq!(decide_bed(&restored, id(4, 1, 2), "guest", 1).unwrap_err().code, "no-bed");
    assert!(restored.next_id(bucket(0)).unwrap() > given, "an id is not given a second time");
    assert_eq!(accepted(&restored, vec![fact(id(0, 1, 999), "new")])[0].ordinal, bed.ordinal + 1);
    sister.assert_sound();
}

fn a_restore_is_all_or_nothing(house: &House) {
    let ledger = house.open();
    accepted(&ledger, (1..=20).map(|n| fact(id(1, 1, n), "x")).collect());
    let file = house.place.folder.join("backup.db");
    ledger.read_log(|tx| Ok(backup(tx, &file, |_| {})?)).unwrap();
    let into_itself = restore(&file, &mut house.place.open_ledger().unwrap(), |_| {}).unwrap_err();
    assert!(into_itself.to_string().contains("not empty"), "{into_itself}");
    house.assert_sound();

    std::fs::write(house.place.folder.join("half.db"), &std::fs::read(&file).unwrap()[..9000]).unwrap();
    let sister = house.sister();
    restore(&house.place.folder.join("half.db"), &mut sister.place.open_ledger().unwrap(), |_| {}).unwrap_err();
    assert!(!house.place.folder.join("nothing.db").exists());
    restore(&house.place.folder.join("nothing.db"), &mut sister.place.open_ledger().unwrap(), |_| {}).unwrap_err();
    sister.assert_sound();
    restore(&file, &mut sister.place.open_ledger().unwrap(), |_| {}).unwrap();
    assert_eq!(sister.verify(), house.verify());
}

fn a_backup_never_overwrites(house: &House) {
    let ledger = house.open();
    let file = house.place.folder.join("backup.db");
    std::fs::write(&file, b"something dear").unwrap();
    let error = ledger.read_log(|tx| Ok(backup(tx, &file, |_| {})?)).unwrap_err();
    assert!(error.to_string().contains("never overwritten"), "{error}");
    assert_eq!(std::fs::read(&file).unwrap(), b"something dear");
    // What an interrupted backup left does not stand in the way.
    let second = house.place.folder.join("second.db");
    std::fs::write(house.place.folder.join("second.db.part"), b"half of something").unwrap();
    ledger.read_log(|tx| Ok(backup(tx, &second, |_| {})?)).unwrap();
    assert!(second.exists() && !house.place.folder.join("second.db.part").exists());
}

/// From the small installation to the large one and back: the chain stays the same.
#[test]
fn a_ledger_moves_between_the_stores() {
    let Some(large) = House::postgres("a_ledger_moves_between_the_stores") else { return };
    let small = House::embedded();
    let ledger = small.open();
    accepted(&ledger, (1..=300).map(|n| fact(id((n % 3) as u8, 1, n), "换机 \u{1F9EA}")).collect());
    settle(&ledger);
    let there = small.place.folder.join("there.db");
    ledger.read_log(|tx| Ok(backup(tx, &there, |_| {})?)).unwrap();
    restore(&there, &mut large.place.open_ledger().unwrap(), |_| {}).unwrap();
    drop(large.open());
    assert_eq!(large.verify(), small.verify());
    assert_eq!(Ledger::state_hash(&large.place, &ROOMS, false).unwrap(), small.state_hash());
    let and_back = House::embedded();
    let file = small.place.folder.join("back.db");
    backup(&mut large.place.open_ledger_for_reading().unwrap().begin_read().unwrap(), &file, |_| {}).unwrap();
    restore(&file, &mut and_back.place.open_ledger().unwrap(), |_| {}).unwrap();
    assert_eq!(and_back.verify(), small.verify());
    let heads = |house: &House| chain::heads(&mut house.place.open_ledger().unwrap().begin_read().unwrap()).unwrap();
    assert_eq!(heads(&and_back), heads(&small), "signatures too");
}
