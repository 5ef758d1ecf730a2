use baton_kit::{Bucket, Device, LotId, PlaceId};
use proptest::prelude::*;

use super::*;

const NOW: Timestamp = Timestamp(1_000_000);

fn tube(n: u32) -> TubeId {
    TubeId::new(Bucket::INSTALLATION, Device::new(9).unwrap(), n)
}

fn laboratory() -> PlaceId {
    PlaceId::new(Bucket::INSTALLATION, Device::new(1).unwrap(), 5)
}

fn lot(kind: LotKind) -> Lot {
    Lot {
        id: LotId::new(Bucket::INSTALLATION, Device::new(1).unwrap(), 8),
        kind,
        code: "L-8".to_owned(),
        product: String::new(),
        expires: NOW.plus_us(1),
        recalled: None,
    }
}

fn waiting(n: u32) -> TubeForPlate {
    TubeForPlate {
        tube: tube(n),
        code: format!("T{n}"),
        accessioned_at: Some(laboratory()),
        rejected: false,
        lost: false,
        ratio: Some(10),
        assay: Some("orf1ab-n-ic".to_owned()),
        on_plate: None,
        released: false,
    }
}

fn state(tubes: u32) -> PlatesNow {
    PlatesNow {
        rules: RuleSet::builtin("orf1ab-n-ic"),
        laid: 4,
        code_taken: false,
        extraction: Some(lot(LotKind::ExtractionKit)),
        pcr: Some(lot(LotKind::PcrKit)),
        tubes: (0..tubes).map(|n| (tube(n), waiting(n))).collect(),
    }
}

fn command(tubes: u32) -> LayPlate {
    let lot = lot(LotKind::PcrKit).id;
    LayPlate {
        code: "P1".to_owned(),
        laboratory: laboratory(),
        wells: 96,
        assay: "orf1ab-n-ic".to_owned(),
        tubes: (0..tubes).map(tube).collect(),
        extraction_lot: lot,
        pcr_lot: lot,
        by_hand: Vec::new(),
    }
}

fn refused(change: impl FnOnce(&mut PlatesNow, &mut LayPlate)) -> &'static str {
    let (mut state, mut command) = (state(3), command(3));
    change(&mut state, &mut command);
    lay_plate(&state, &command, NOW).unwrap_err().code
}

#[test]
fn every_reason_not_to_lay_a_plate_has_its_code() {
    assert_eq!(refused(|s, _| s.rules = None), "lab-assay-unknown");
    assert_eq!(refused(|_, c| c.code = " ".to_owned()), "lab-plate-code-wrong");
    assert_eq!(refused(|s, _| s.code_taken = true), "lab-plate-code-taken");
    assert_eq!(refused(|_, c| c.wells = 48), "lab-plate-size");
    assert_eq!(refused(|_, c| c.tubes.clear()), "lab-plate-without-tubes");
    assert_eq!(refused(|s, _| s.extraction = None), "lab-lot-unknown");
    assert_eq!(refused(|s, _| s.pcr = s.extraction.clone()), "lab-lot-kind");
    assert_eq!(refused(|s, _| s.pcr.as_mut().unwrap().expires = NOW), "lab-lot-expired");
    assert_eq!(refused(|s, _| s.pcr.as_mut().unwrap().recalled = Some((NOW, String::new()))), "lab-lot-recalled");
    assert_eq!(refused(|_, c| c.tubes.push(tube(0))), "lab-tube-twice");
    assert_eq!(refused(|_, c| c.tubes.push(tube(77))), "lab-tube-not-accessioned");
    assert_eq!(refused(|_, c| c.by_hand.push((96, tube(2)))), "lab-tube-twice");
}

#[test]
fn every_reason_not_to_take_a_tube_has_its_code() {
    let with = |change: fn(&mut TubeForPlate)| refused(|s, _| change(s.tubes.get_mut(&tube(1)).unwrap()));
    assert_eq!(with(|t| t.accessioned_at = None), "lab-tube-not-accessioned");
    assert_eq!(with(|t| t.accessioned_at = Some(PlaceId::new(Bucket::INSTALLATION, Device::new(1).unwrap(), 6))), "lab-tube-not-accessioned");
    assert_eq!(with(|t| t.rejected = true), "lab-tube-rejected");
    assert_eq!(with(|t| t.lost = true), "lab-tube-rejected");
    assert_eq!(with(|t| t.released = true), "lab-tube-resulted");
    assert_eq!(with(|t| t.on_plate = Some(PlateId::new(Bucket::INSTALLATION, Device::new(1).unwrap(), 1))), "lab-tube-on-plate");
    assert_eq!(with(|t| t.assay = Some("cdc-n1-n2-rp".to_owned())), "lab-assay-differs");
    assert_eq!(with(|t| t.ratio = None), "lab-tube-not-opened");
    assert_eq!(with(|t| t.ratio = Some(30)), "lab-ratio-not-validated");
}

#[test]
fn a_hand_may_place_a_tube_but_not_on_a_control() {
    let state = state(3);
    let fingerprint = layout::fingerprint(laboratory(), 4, 96);
    let mut command = command(2);
    command.by_hand = vec![(fingerprint, tube(2))];
    assert_eq!(lay_plate(&state, &command, NOW).unwrap_err().code, "lab-well-taken");
    command.by_hand = vec![(96, tube(2))];
    assert_eq!(lay_plate(&state, &command, NOW).unwrap_err().code, "lab-well-outside");
    let free = (fingerprint + 1) % 96;
    command.by_hand = vec![(free, tube(2))];
    let laid = lay_plate(&state, &command, NOW).unwrap();
    assert!(laid.layout.contains(&WellLaid { well: free, content: WellContent::Tube(tube(2)) }));
}

#[test]
fn a_plate_has_93_places_for_tubes_and_not_one_more() {
    assert_eq!(lay_plate(&state(93), &command(93), NOW).unwrap().layout.len(), 96);
    assert_eq!(lay_plate(&state(94), &command(94), NOW).unwrap_err().code, "lab-too-many-tubes");
}

fn plate(state: PlateState) -> Plate {
    let id = PlateId::new(Bucket::INSTALLATION, Device::new(1).unwrap(), 1);
    Plate {
        plate: id,
        code: "P1".to_owned(),
        laboratory: laboratory(),
        number: 0,
        wells: 96,
        assay: None,
        fingerprint: 0,
        extraction_lot: None,
        pcr_lot: None,
        laid: NOW,
        laid_by: None,
        state,
        run: None,
        remark: None,
    }
}

#[test]
fn a_plate_is_read_once_unless_its_run_is_held() {
    let id = plate(PlateState::Laid).plate;
    let read = |plate: Option<&Plate>, released, held| may_be_read(plate, id, released, held).map_err(|refusal| refusal.code);
    assert_eq!(read(None, false, false), Err("lab-plate-unknown"));
    assert_eq!(read(Some(&plate(PlateState::Laid)), false, false), Ok(()));
    assert_eq!(read(Some(&plate(PlateState::Discarded)), false, false), Err("lab-plate-discarded"));
    assert_eq!(read(Some(&plate(PlateState::Read)), false, false), Err("lab-plate-read"));
    assert_eq!(read(Some(&plate(PlateState::Read)), false, true), Ok(()));
    assert_eq!(read(Some(&plate(PlateState::Read)), true, true), Err("lab-plate-read"));
}

#[test]
fn a_plate_is_discarded_with_a_reason_before_it_is_read() {
    let id = plate(PlateState::Laid).plate;
    assert_eq!(discard(None, id, "spilt").unwrap_err().code, "lab-plate-unknown");
    assert_eq!(discard(Some(&plate(PlateState::Laid)), id, "").unwrap_err().code, "lab-reason-missing");
    assert!(discard(Some(&plate(PlateState::Laid)), id, "spilt").is_ok());
    assert_eq!(discard(Some(&plate(PlateState::Read)), id, "spilt").unwrap_err().code, "lab-plate-read");
    assert_eq!(discard(Some(&plate(PlateState::Discarded)), id, "spilt").unwrap_err().code, "lab-plate-discarded");
}

proptest! {
    #[test]
    fn every_tube_asked_for_stands_in_one_well(count in 1u32..94, by_hand in proptest::collection::btree_map(0u16..96, 100u32..140, 0..6)) {
        let mut state = state(count);
        let mut command = command(count);
        let hands: std::collections::BTreeMap<u32, u16> = by_hand.into_iter().map(|(well, n)| (n, well)).collect();
        for (n, well) in hands {
            state.tubes.insert(tube(n), waiting(n));
            command.by_hand.push((well, tube(n)));
        }
        if let Ok(laid) = lay_plate(&state, &command, NOW) {
            let wells: HashSet<u16> = laid.layout.iter().map(|w| w.well).collect();
            prop_assert_eq!(wells.len(), laid.layout.len());
            let tubes: HashSet<TubeId> = laid.layout.iter().filter_map(|w| if let WellContent::Tube(t) = w.content { Some(t) } else { None }).collect();
            prop_assert_eq!(tubes.len(), command.tubes.len() + command.by_hand.len());
            prop_assert_eq!(laid.layout.len() - tubes.len(), 3);
        }
    }
}
