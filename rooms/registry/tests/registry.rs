//! The registry on a running ledger: every test runs on SQLite and, where `BATON_TEST_POSTGRES=postgres://…` is set, on PostgreSQL.

#![allow(clippy::print_stdout)] // a skipped test says so

mod house;

use baton_desk::{Scope, any_id};
use baton_kit::{Bucket, Device, EventId, OperationalDay, PersonId, PlaceId, TypedId};
use baton_ledger::{Ledger, Sealed, to_json};
use baton_registry::events::*;
use baton_registry::{Mode, finish_shredding, store, undo_import};
use house::{House, everybody, import, invariants, person_named, record, roster, settle, shred};

baton_ground::on_both_stores!(
    crate::house::House:     a_roster_comes_in_and_is_found_again,
    errors_and_repetitions_are_listed_with_their_rows,
    the_same_file_again_is_a_difference,
    an_import_is_taken_back,
    whoever_changed_since_stays_as_they_are,
    whoever_is_gone_leaves_only_when_asked,
    a_shredded_person_is_gone_from_everything_and_a_rebuild_agrees,
    membership_answers_as_of_a_day_in_whatever_order_it_is_said,
    two_people_with_one_document_are_a_finding,
    a_manager_imports_only_the_own_zone,
    lots_expire_and_are_recalled,
    numbers_of_imports_are_given_once,
);

/// Two zones, four people; the last works in the other zone.
const CLEAN: &str = "姓名,证件类型,证件号码,手机号,园区编码,网格编码,楼栋编码,户号,统一社会信用代码,单位名称,标签\n\
张伟芳,,11010519491231002X,13800138000,Z01,G01,B01,H1,91350100M000100Y43,江月电子,职工\n\
李娜,,440524188001010014,13800138001,Z01,G01,B01,H1,,,职工;党员\n\
曾伟,护照,E12345678,,Z01,G02,B02,,,江月小店,\n\
John Smith,passport,A1234567,,Z02,G01,,,91350100M000100Y43,,visitor\n";

fn counts(new: u64, changed: u64, unchanged: u64, gone: u64) -> ImportCounts {
    ImportCounts { new, changed, unchanged, gone, ..ImportCounts::default() }
}

fn a_roster_comes_in_and_is_found_again(house: &House) {
    let ledger = house.open();
    let dry = import(&ledger, CLEAN, Mode::DryRun).unwrap();
    assert_eq!((dry.counts, dry.problems.len(), dry.import), (counts(4, 0, 0, 0), 0, None));
    let added: Vec<(PlaceKind, &str)> = dry.places.iter().map(|place| (place.kind, place.code.as_str())).collect();
    assert_eq!(added.len(), 9, "{added:?}");
    assert!(added.contains(&(PlaceKind::Grid, "Z02-G01")) && added.contains(&(PlaceKind::Enterprise, "江月小店")));
    assert_eq!(ledger.position().0, 0, "a dry run writes nothing");
    let done = import(&ledger, CLEAN, Mode::Commit).unwrap();
    assert_eq!(done.counts, counts(4, 0, 0, 0));
    let search = |text: &str| -> Vec<String> {
        ledger.read(|tx| Ok(store::search(tx, ledger.vault(), text, 10)?)).unwrap().into_iter().map(|brief| brief.name).collect()
    };
    for (text, name) in [
        ("张伟", "张伟芳"),
        ("伟芳", "张伟芳"),
        ("zwf", "张伟芳"),
        ("zengwei", "曾伟"),
        ("smith", "John Smith"),
        ("13800138001", "李娜"),
        ("e12345678", "曾伟"),
        ("11010519491231002x", "张伟芳"),
    ] {
        assert_eq!(search(text), [name], "{text}");
    }
    assert_eq!(search("伟").len(), 2);
    assert_eq!(search("王芳"), Vec::<String>::new());
    let zones = ledger.read(|tx| Ok(store::places_of_kind(tx, PlaceKind::Zone, 10)?)).unwrap();
    assert_eq!(zones.iter().map(|zone| (zone.code.as_str(), zone.people)).collect::<Vec<_>>(), [("Z01", 3), ("Z02", 1)]);
    assert_ne!(zones[0].id.bucket(), zones[1].id.bucket());
    let enterprise = ledger.read(|tx| Ok(store::place_by_credit_code(tx, "91350100M000100Y43")?)).unwrap().unwrap();
    let today = house.today();
    let mut staff = Vec::new();
    ledger
        .read(|tx| {
            Ok(store::people_in(tx, enterprise, PlaceKind::Enterprise, today, |person, _| {
                staff.push(person);
                Ok(())
            })?)
        })
        .unwrap();
    assert_eq!(staff.len(), 2, "one of them lives in the other zone");
    assert_eq!(invariants(&ledger), vec![]);
}

fn errors_and_repetitions_are_listed_with_their_rows(house: &House) {
    let ledger = house.open();
    let faulty = "姓名,证件号码,手机号,园区编码\n张伟,11010519491231002X,,Z01\n,440524188001010014,,Z01\n李娜,440524188001010015,138,Z01\n张伟,11010519491231002X,,Z01\n王芳,11010519491231002X,,Z01\n赵敏,440524188001010014,,\n";
    let report = import(&ledger, faulty, Mode::Commit).unwrap();
    let problems: Vec<(usize, Option<usize>, &str)> = report.problems.iter().map(|p| (p.row, p.column, p.code)).collect();
    assert_eq!(
        problems,
        [(3, Some(1), "empty"), (4, Some(2), "check"), (4, Some(3), "length"), (6, Some(2), "document-of-another"), (7, Some(4), "zone-missing")]
    );
    assert_eq!(report.problems[3].first_row, Some(2));
    assert_eq!(report.repeated.iter().map(|r| (r.row, r.first_row)).collect::<Vec<_>>(), [(5, 2)]);
    assert_eq!(report.counts, ImportCounts { new: 1, refused: 4, repeated: 1, ..ImportCounts::default() });
    let csv = String::from_utf8(report.problems_csv(str::to_owned)).unwrap();
    assert_eq!(csv.lines().count(), 7);
    assert!(!csv.contains("张伟") && !csv.contains("1101"), "no personal data in the report");
    for (text, code) in [("姓名,园区\n张伟,Z01\n", "import-column-missing"), ("", "import-file-wrong"), ("姓名,证件号码,园区\n,1,Z\n", "import-nothing")]
    {
        assert_eq!(import(&ledger, text, Mode::Commit).unwrap_err().code, code, "{text}");
    }
}

fn the_same_file_again_is_a_difference(house: &House) {
    let ledger = house.open();
    import(&ledger, CLEAN, Mode::Commit).unwrap();
    let before = person_named(&ledger, "李娜");
    assert_eq!(import(&ledger, CLEAN, Mode::DryRun).unwrap().counts, counts(0, 0, 4, 0));
    assert_eq!(import(&ledger, CLEAN, Mode::Commit).unwrap_err().code, "import-nothing");
    house.next_day();
    // One renamed, one moved to a grid that is not there yet, one gone, one new.
    let changed =
        CLEAN.replace("李娜", "李娜娜").replace("Z01,G02,B02", "Z01,G09,B02").replace("John Smith,passport,A1234567,,Z02", "Jane Doe,passport,B7654321,,Z02");
    let report = import(&ledger, &changed, Mode::Commit).unwrap();
    assert_eq!(report.counts, counts(1, 2, 1, 1));
    assert_eq!(person_named(&ledger, "李娜娜"), before, "a change keeps the person");
    assert_eq!(everybody(&ledger), ["Jane Doe", "John Smith", "张伟芳", "曾伟", "李娜娜"]);
    let moved = person_named(&ledger, "曾伟");
    let stays = ledger.read(|tx| Ok(store::stays(tx, moved)?)).unwrap();
    assert_eq!(stays.len(), 2);
    assert_eq!((stays[0].to_day, stays[1].from_day), (Some(OperationalDay(house.today().0 - 1)), house.today()));
    assert_eq!(invariants(&ledger), vec![]);
}

fn an_import_is_taken_back(house: &House) {
    let ledger = house.open();
    import(&ledger, CLEAN, Mode::Commit).unwrap();
    let first = house.logical(&ledger);
    house.next_day();
    let changed =
        CLEAN.replace("13800138000", "13900139000").replace("Z01,G02,B02", "Z01,G01,B01").replace("John Smith,passport,A1234567", "Jane Doe,passport,B7654321");
    let second = import(&ledger, &changed, Mode::CommitAndEndGone).unwrap();
    assert_eq!(second.counts, counts(1, 2, 1, 1));
    assert_ne!(house.logical(&ledger), first);
    let undone = undo_import(&ledger, &house::operator(), second.import.unwrap(), |_, _| {}).unwrap();
    assert_eq!(undone, 4);
    assert_eq!(house.logical(&ledger), first, "names, phones and places are as before");
    assert_eq!(undo_import(&ledger, &house::operator(), second.import.unwrap(), |_, _| {}).unwrap_err().code, "import-undone-already");
    let jane = ledger.read(|tx| Ok(store::search(tx, ledger.vault(), "jane", 5)?)).unwrap();
    assert_eq!(jane, vec![]);
    // Brought in again, whoever was withdrawn has the same id.
    let third = import(&ledger, &changed, Mode::Commit).unwrap();
    assert_eq!(third.counts, counts(1, 2, 1, 1));
    assert_eq!(everybody(&ledger).len(), 5);
    assert_eq!(invariants(&ledger), vec![]);
    house.same_after_rebuild(ledger);
}

fn whoever_changed_since_stays_as_they_are(house: &House) {
    let ledger = house.open();
    let first = import(&ledger, CLEAN, Mode::Commit).unwrap();
    house.next_day();
    import(&ledger, &CLEAN.replace("李娜", "李娜娜"), Mode::Commit).unwrap();
    undo_import(&ledger, &house::operator(), first.import.unwrap(), |_, _| {}).unwrap();
    assert_eq!(everybody(&ledger), ["李娜娜"]);
    assert_eq!(invariants(&ledger), vec![]);
}

fn whoever_is_gone_leaves_only_when_asked(house: &House) {
    let ledger = house.open();
    import(&ledger, CLEAN, Mode::Commit).unwrap();
    house.next_day();
    let fewer: String = CLEAN.lines().filter(|line| !line.contains("李娜")).map(|line| format!("{line}\n")).collect();
    assert_eq!(import(&ledger, &fewer, Mode::DryRun).unwrap().counts, counts(0, 0, 3, 1));
    let faulty = format!("{fewer}无名,,1,,Z01,,,,,,\n");
    assert_eq!(import(&ledger, &faulty, Mode::CommitAndEndGone).unwrap_err().code, "import-gone-with-errors");
    let person = person_named(&ledger, "李娜");
    import(&ledger, &fewer, Mode::CommitAndEndGone).unwrap();
    let on = |day| ledger.read(|tx| Ok(store::membership(tx, person, day)?)).unwrap();
    assert!(on(house.today()).is_none() && on(OperationalDay(house.today().0 - 1)).is_some());
    // A file about one enterprise says nothing of the rest of the zone.
    let enterprise = "姓名,证件号码,统一社会信用代码\n张伟芳,11010519491231002X,91350100M000100Y43\n";
    assert_eq!(import(&ledger, enterprise, Mode::DryRun).unwrap().counts.gone, 1);
    assert_eq!(invariants(&ledger), vec![]);
}

fn a_shredded_person_is_gone_from_everything_and_a_rebuild_agrees(house: &House) {
    let ledger = house.open();
    import(&ledger, CLEAN, Mode::Commit).unwrap();
    house.next_day();
    import(&ledger, &CLEAN.replace("13800138000", "13900139000"), Mode::Commit).unwrap();
    let person = person_named(&ledger, "张伟芳");
    shred(&ledger, person, 1);
    assert_eq!(finish_shredding(&ledger).unwrap(), 1);
    assert_eq!(finish_shredding(&ledger).unwrap(), 0, "nothing is left to destroy");
    for text in ["张伟芳", "伟芳", "zwf", "13900139000", "13800138000", "11010519491231002X"] {
        assert!(ledger.read(|tx| Ok(store::search(tx, ledger.vault(), text, 5)?)).unwrap().is_empty(), "{text}");
    }
    assert!(ledger.read(|tx| Ok(store::person_brief(tx, ledger.vault(), person)?)).unwrap().is_none());
    assert_eq!(invariants(&ledger), vec![]);
    // Every event that names the person stays, sealed for ever; the chain holds.
    let sealed = house.sealed_of(person);
    assert_eq!(sealed.len(), 2);
    for text in &sealed {
        assert_eq!(ledger.vault().open(any_id(person), text).unwrap(), None);
    }
    house.assert_sound();
    // The document is nobody's now: with it comes a new person.
    assert_eq!(import(&ledger, CLEAN, Mode::Commit).unwrap().counts.new, 1);
    assert_ne!(person_named(&ledger, "张伟芳"), person);
    house.same_after_rebuild(ledger);
}

fn membership_answers_as_of_a_day_in_whatever_order_it_is_said(house: &House) {
    let ledger = house.open();
    import(&ledger, CLEAN, Mode::Commit).unwrap();
    let person = person_named(&ledger, "李娜");
    let today = house.today();
    let now = ledger.read(|tx| Ok(store::membership(tx, person, today)?)).unwrap().unwrap();
    let nowhere_special = Membership { zone: now.zone, ..Membership::default() };
    let moved = |from_day: OperationalDay, membership: &Membership| PeopleRecorded {
        import: None,
        from_day,
        people: vec![PersonRecord { person, sealed: seal(&ledger, person), membership: membership.clone(), tags: vec![] }],
    };
    let day = |after: i32| OperationalDay(today.0 + after);
    record(&ledger, 1, &moved(day(20), &now));
    record(&ledger, 2, &PeopleLeft { import: None, last_day: day(29), people: vec![person] });
    record(&ledger, 3, &moved(day(10), &nowhere_special));
    let on = |after| ledger.read(|tx| Ok(store::membership(tx, person, day(after))?)).unwrap();
    assert_eq!([on(-1), on(0), on(10), on(19)], [None, Some(now.clone()), Some(nowhere_special.clone()), Some(nowhere_special)]);
    assert_eq!([on(20), on(29), on(30)], [Some(now.clone()), Some(now.clone()), None]);
    let grid = now.grid.unwrap();
    let in_grid = |after| {
        let mut people = Vec::new();
        ledger
            .read(|tx| {
                Ok(store::people_in(tx, grid, PlaceKind::Grid, day(after), |person, _| {
                    people.push(person);
                    Ok(())
                })?)
            })
            .unwrap();
        people.contains(&person)
    };
    assert_eq!([in_grid(0), in_grid(15), in_grid(25), in_grid(30)], [true, false, true, false]);
    assert_eq!(invariants(&ledger), vec![]);
}

fn seal(ledger: &Ledger, person: PersonId) -> Sealed {
    let particulars = Particulars {
        name: "李娜".to_owned(),
        document_kind: DocumentKind::ResidentId,
        document: "440524188001010014".to_owned(),
        phone: None,
        address: None,
        language: None,
    };
    Sealed(ledger.vault().seal(any_id(person), to_json(&particulars).unwrap().as_bytes()).unwrap())
}

fn two_people_with_one_document_are_a_finding(house: &House) {
    let ledger = house.open();
    import(&ledger, CLEAN, Mode::Commit).unwrap();
    let known = person_named(&ledger, "李娜");
    // Somebody registered her again at a point while the roster was on its way.
    let other = PersonId::new(Bucket::new(9).unwrap(), Device::new(77).unwrap(), 5);
    let again = PeopleRecorded {
        import: None,
        from_day: house.today(),
        people: vec![PersonRecord { person: other, sealed: seal(&ledger, other), membership: Membership::default(), tags: vec![] }],
    };
    record(&ledger, 1, &again);
    let findings = ledger.read(|tx| Ok(store::findings(tx, 10)?)).unwrap();
    assert_eq!(
        findings.iter().map(|f| (f.code.as_str(), f.subject, f.other, f.settled)).collect::<Vec<_>>(),
        [("same-document", known.min(other), known.max(other), false)]
    );
    assert_eq!(invariants(&ledger), vec![]);
}

fn a_manager_imports_only_the_own_zone(house: &House) {
    let ledger = house.open();
    import(&ledger, CLEAN, Mode::Commit).unwrap();
    let zone = ledger.read(|tx| Ok(store::place_by_code(tx, PlaceKind::Zone, "Z01")?)).unwrap().unwrap();
    let manager = baton_desk::Actor { scope: Scope::Places(vec![zone]), ..house::operator() };
    let mixed = "姓名,证件号码,园区,网格\n赵敏,440524188001010014,Z01,G07\n钱多,11010519491231002X,Z02,G08\n孙六,护照号,Z03,G01\n";
    let report = house::import_as(&ledger, &manager, mixed, Mode::Commit).unwrap();
    assert_eq!(report.problems.iter().map(|p| (p.row, p.code)).collect::<Vec<_>>(), [(3, "out-of-scope"), (4, "length")]);
    assert_eq!(report.places.iter().map(|place| place.code.as_str()).collect::<Vec<_>>(), ["Z01-G07"]);
    assert!(ledger.read(|tx| Ok(store::place_by_code(tx, PlaceKind::Zone, "Z03")?)).unwrap().is_none());
}

fn lots_expire_and_are_recalled(house: &House) {
    let ledger = house.open();
    let id = |n| EventId::new(Bucket::INSTALLATION, Device::new(70).unwrap(), n);
    let add = AddLot { kind: LotKind::PreservationFluid, code: "F2604".to_owned(), product: "VTM".to_owned(), expires_us: house::START.plus_us(1_000) };
    house::decided(&ledger, id(1), &add);
    let lot = ledger.read(|tx| Ok(store::lot_by_code(tx, LotKind::PreservationFluid, "F2604")?)).unwrap().unwrap();
    assert_eq!(lot.id, id(1).created());
    assert!(lot.usable(house::START) && !lot.usable(house::START.plus_us(1_000)));
    house::decided(&ledger, id(2), &RecallLot { lot: lot.id, reason: "leaks".to_owned() });
    let lot = ledger.read(|tx| Ok(store::lot(tx, lot.id)?)).unwrap().unwrap();
    assert!(!lot.usable(house::START));
    assert_eq!(lot.recalled.unwrap().1, "leaks");
    assert!(ledger.read(|tx| Ok(store::lot_by_code(tx, LotKind::PcrKit, "F2604")?)).unwrap().is_none());
    assert_eq!(ledger.read(|tx| Ok(store::lots(tx, Some(LotKind::PcrKit))?)).unwrap(), vec![]);
}

fn numbers_of_imports_are_given_once(house: &House) {
    let ledger = house.open();
    import(&ledger, &roster(450), Mode::Commit).unwrap();
    import(&ledger, CLEAN, Mode::Commit).unwrap();
    let imports = ledger.read(|tx| Ok(store::imports(tx, 10)?)).unwrap();
    let devices: Vec<u32> = imports.iter().map(|import| import.device.number()).collect();
    assert_eq!(devices, [(1 << 23) + 1, 1 << 23]);
    let zone: PlaceId = ledger.read(|tx| Ok(store::place_by_code(tx, PlaceKind::Zone, "Z90")?)).unwrap().unwrap();
    let mut people = Vec::new();
    ledger
        .read(|tx| {
            Ok(store::people_in(tx, zone, PlaceKind::Zone, house.today(), |person, _| {
                people.push(person);
                Ok(())
            })?)
        })
        .unwrap();
    let sequences: Vec<u32> = people.iter().map(|person| person.packed().sequence()).collect();
    assert_eq!(sequences, (1..=450).collect::<Vec<u32>>(), "dense, in the order of the file");
    assert!(people.iter().all(|person| person.bucket() == zone.bucket()));
    settle(&ledger);
    assert_eq!(invariants(&ledger), vec![]);
}
