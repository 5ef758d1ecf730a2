use baton_kit::{Bucket, Device, PlaceId, Timestamp, TubeId};
use baton_pcr::simulate::{Params, axis, synthesise};

use super::*;
use crate::curve::encode;
use crate::model::{Plate, PlateState};

const CYCLES: usize = 42;

fn device() -> Device {
    Device::new(1).unwrap()
}

fn laboratory() -> PlaceId {
    PlaceId::new(Bucket::INSTALLATION, device(), 5)
}

fn tube(n: u32) -> TubeId {
    TubeId::new(Bucket::INSTALLATION, device(), n)
}

fn rules() -> RuleSet {
    RuleSet::builtin("orf1ab-n-ic").unwrap()
}

/// Repeatable normal numbers: the sum of twelve uniform ones.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> f64 {
        let mut uniform = || {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 11) as f64 / (1u64 << 53) as f64
        };
        (0..12).map(|_| uniform()).sum::<f64>() - 6.0
    }
}

/// The plate of a laboratory with this number, all tubes pools of ten.
fn plate(number: i64, tubes: u32) -> PlateForReading {
    let fingerprint = layout::fingerprint(laboratory(), number, 96);
    let mut layout = layout::controls(fingerprint, 96, &rules());
    let free: Vec<u16> = layout::filling_order(96).filter(|well| layout.iter().all(|laid| laid.well != *well)).collect();
    layout.extend((0..tubes).zip(free).map(|(n, well)| WellLaid { well, content: WellContent::Tube(tube(n)) }));
    layout.sort_by_key(|laid| laid.well);
    let plate = Plate {
        plate: PlateId::new(Bucket::INSTALLATION, device(), 100 + number as u32),
        code: format!("P{number}"),
        laboratory: laboratory(),
        number,
        wells: 96,
        assay: Some("orf1ab-n-ic".to_owned()),
        fingerprint,
        extraction_lot: None,
        pcr_lot: None,
        laid: Timestamp(0),
        laid_by: None,
        state: PlateState::Laid,
        run: None,
        remark: None,
    };
    PlateForReading { plate, layout, tubes: (0..tubes).map(|n| TubeForReading { tube: tube(n), ratio: 10, again: false }).collect(), others: Vec::new() }
}

/// What a well shows: Cq of ORF1ab, N and the internal control.
type Shows = [Option<f64>; 3];
const NEGATIVE: Shows = [None, None, Some(27.0)];
const POSITIVE: Shows = [Some(26.0), Some(25.5), Some(27.0)];
const BLANK: Shows = [None, None, None];

fn usual(content: WellContent) -> Shows {
    match content {
        WellContent::Tube(_) | WellContent::ExtractionControl => NEGATIVE,
        WellContent::NoTemplateControl => BLANK,
        WellContent::PositiveControl => POSITIVE,
    }
}

/// Curves as an instrument gives them for a layout; `odd` wells show something else.
fn curves(layout: &[WellLaid], odd: &[(u16, Shows)]) -> Vec<CurveStored> {
    let mut noise = Noise(11);
    let mut all = Vec::new();
    let mut wells: Vec<(u16, Shows)> = layout.iter().map(|laid| (laid.well, usual(laid.content))).collect();
    for (well, shows) in odd {
        wells.retain(|(other, _)| other != well);
        wells.push((*well, *shows));
    }
    for (well, shows) in wells {
        for ((target, dye), cq) in [("ORF1ab", "FAM"), ("N", "VIC"), ("IC", "CY5")].into_iter().zip(shows) {
            let values = synthesise(&Params { cycles: CYCLES, cq, ..Params::default() }, || noise.next());
            all.push(CurveStored {
                well,
                target: target.to_owned(),
                dye: dye.to_owned(),
                cycles: encode(&axis(CYCLES)),
                fluorescence: encode(&values),
                instrument_cq_milli: None,
                instrument_call: None,
            });
        }
    }
    all
}

fn well_of(plate: &PlateForReading, content: WellContent) -> u16 {
    plate.layout.iter().find(|laid| laid.content == content).unwrap().well
}

fn codes(read: &RunRead) -> Vec<&str> {
    read.findings.iter().map(|finding| finding.code.as_str()).collect()
}

fn outcome_of(read: &RunRead, n: u32) -> TubeOutcome {
    read.tubes.iter().find(|read| read.tube == tube(n)).unwrap().result
}

#[test]
fn a_good_run_names_its_negatives_and_its_positive_pool() {
    let plate = plate(3, 20);
    let infected = well_of(&plate, WellContent::Tube(tube(7)));
    let read = read_run(&plate, Some(&rules()), &curves(&plate.layout, &[(infected, POSITIVE)]));
    assert!(read.controls_valid && read.findings.is_empty(), "{:?}", read.findings);
    assert_eq!((read.rules.as_str(), read.tubes.len(), read.readings.len()), ("orf1ab-n-ic 2", 20, 69));
    assert_eq!(outcome_of(&read, 7), TubeOutcome::Positive);
    let others = (0..20).filter(|n| *n != 7).all(|n| outcome_of(&read, n) == TubeOutcome::Negative);
    assert!(others);
    assert!(read.verify_rules.contains(&"internal_control_in_range".to_owned()));
    let call = read.calls.iter().find(|call| call.well == infected).unwrap();
    assert_eq!((call.result.as_str(), call.action.as_str()), ("detected", "swab_members_singly"));
    assert!(call.not_passed.contains(&"clean_negative".to_owned()));
}

#[test]
fn a_contaminated_blank_holds_every_specimen_and_says_where_it_was_seen() {
    let plate = plate(3, 5);
    let blank = well_of(&plate, WellContent::NoTemplateControl);
    let read = read_run(&plate, Some(&rules()), &curves(&plate.layout, &[(blank, [Some(33.0), Some(33.0), None])]));
    assert!(!read.controls_valid);
    assert_eq!(codes(&read), vec!["control_contaminated", "control_contaminated"]);
    assert_eq!(read.findings[0].seen_in, vec![blank]);
    let specimens: Vec<u16> = (0..5).map(|n| well_of(&plate, WellContent::Tube(tube(n)))).collect();
    assert!(specimens.iter().all(|well| read.findings[0].wells.contains(well)));
    assert_eq!(read.findings[0].wells.len(), 5, "and no other well");
    assert!(read.calls.iter().all(|call| call.not_passed.contains(&"run_valid".to_owned())), "nothing goes by rule");
}

#[test]
fn an_absent_control_has_failed() {
    let plate = plate(3, 4);
    for content in [WellContent::NoTemplateControl, WellContent::PositiveControl, WellContent::ExtractionControl] {
        let gone = well_of(&plate, content);
        let mut curves = curves(&plate.layout, &[]);
        curves.retain(|curve| curve.well != gone);
        let read = read_run(&plate, Some(&rules()), &curves);
        assert!(!read.controls_valid, "{content:?}");
        assert!(codes(&read).contains(&"control_unevaluable"), "{:?}", read.findings);
    }
}

#[test]
fn a_control_that_was_never_laid_has_failed() {
    let mut plate = plate(3, 4);
    let all = curves(&plate.layout, &[]);
    plate.layout.retain(|laid| laid.content != WellContent::NoTemplateControl);
    let read = read_run(&plate, Some(&rules()), &all);
    assert!(codes(&read).contains(&"control_missing"), "{:?}", read.findings);
    assert_eq!(read.findings[0].wells.len(), 4);
}

#[test]
fn a_swapped_plate_shows_and_names_the_other_one_and_nobody_gets_a_result() {
    let (mut ours, theirs) = (plate(3, 30), plate(4, 30));
    let controls: Vec<WellLaid> = theirs.layout.iter().copied().filter(|laid| layout::kind_of(laid.content).is_some()).collect();
    ours.others = vec![(theirs.plate.plate, controls)];
    let read = read_run(&ours, Some(&rules()), &curves(&theirs.layout, &[]));
    let swapped = read.findings.iter().find(|finding| finding.code == "plate_swapped").unwrap();
    assert_eq!(swapped.matches, Some(theirs.plate.plate));
    assert_eq!(swapped.wells.len(), 33, "every well laid");
    assert!(read.tubes.is_empty() && read.calls.is_empty());
}

#[test]
fn a_plate_put_in_the_wrong_way_round_shows() {
    let plate = plate(3, 93);
    let read = read_run(&plate, Some(&rules()), &curves(&layout::turned(&plate.layout, 96), &[]));
    assert!(codes(&read).contains(&"plate_swapped"), "{:?}", codes(&read));
    assert!(read.tubes.is_empty());
}

#[test]
fn a_plate_of_nobody_known_shows_by_controls_that_look_like_specimens() {
    let (ours, theirs) = (plate(3, 93), plate(9, 93));
    let read = read_run(&ours, Some(&rules()), &curves(&theirs.layout, &[]));
    assert!(codes(&read).contains(&"fingerprint_mismatch"), "{:?}", codes(&read));
    assert!(read.tubes.is_empty());
}

#[test]
fn a_specimen_without_its_channels_is_invalid_never_negative() {
    let plate = plate(3, 6);
    let well = well_of(&plate, WellContent::Tube(tube(2)));
    for lost in ["ORF1ab", "N", "IC"] {
        let mut curves = curves(&plate.layout, &[]);
        curves.retain(|curve| curve.well != well || curve.target != lost);
        let read = read_run(&plate, Some(&rules()), &curves);
        assert_eq!(outcome_of(&read, 2), TubeOutcome::Invalid, "{lost}");
        assert!(read.findings.is_empty(), "it holds itself alone");
    }
}

#[test]
fn one_target_of_two_holds_a_pool_and_asks_a_single_specimen_again() {
    let mut plate = plate(3, 2);
    plate.tubes[1].ratio = 1;
    let single_target = [Some(28.0), None, Some(27.0)];
    let wells: Vec<(u16, Shows)> = (0..2).map(|n| (well_of(&plate, WellContent::Tube(tube(n))), single_target)).collect();
    let read = read_run(&plate, Some(&rules()), &curves(&plate.layout, &wells));
    assert_eq!((outcome_of(&read, 0), outcome_of(&read, 1)), (TubeOutcome::SingleTarget, TubeOutcome::SingleTarget));
    let action = |read: &RunRead, n: usize| read.calls.iter().find(|call| call.well == wells[n].0).unwrap().action.clone();
    assert_eq!((action(&read, 0), action(&read, 1)), ("swab_members_singly".to_owned(), "repeat_extraction".to_owned()));
    plate.tubes[1].again = true;
    let again = read_run(&plate, Some(&rules()), &curves(&plate.layout, &wells));
    assert_eq!(action(&again, 1), "new_specimen");
}

#[test]
fn amplification_where_nothing_was_laid_is_told() {
    let plate = plate(3, 10);
    let empty = layout::filling_order(96).find(|well| plate.layout.iter().all(|laid| laid.well != *well)).unwrap();
    let read = read_run(&plate, Some(&rules()), &curves(&plate.layout, &[(empty, POSITIVE)]));
    let stray = read.findings.iter().find(|finding| finding.code == "empty_well_amplified").unwrap();
    assert_eq!((stray.seen_in.clone(), stray.wells.len()), (vec![empty], 0));
}

#[test]
fn a_bench_plate_is_called_and_holds_everything() {
    let mut bench = plate(3, 0);
    bench.layout.clear();
    let curve = |well, cq| {
        let mut noise = Noise(3);
        let values = synthesise(&Params { cycles: CYCLES, cq, ..Params::default() }, || noise.next());
        CurveStored {
            well,
            target: "#1".to_owned(),
            dye: String::new(),
            cycles: encode(&axis(CYCLES)),
            fluorescence: encode(&values),
            instrument_cq_milli: None,
            instrument_call: None,
        }
    };
    let read = read_run(&bench, None, &[curve(0, Some(22.0)), curve(95, None)]);
    assert_eq!((read.readings[0].call.as_str(), read.readings[1].call.as_str()), ("positive", "negative"));
    assert_eq!((codes(&read), read.findings[0].wells.clone()), (vec!["no_assay"], vec![0, 95]));
    assert!(read.tubes.is_empty());
}

#[test]
fn curves_that_are_no_curves_are_answered() {
    let plate = plate(3, 3);
    let mut broken = curves(&plate.layout, &[]);
    for curve in &mut broken {
        curve.fluorescence = "%%%".to_owned();
    }
    let read = read_run(&plate, Some(&rules()), &broken);
    assert!(!read.controls_valid);
    assert!(read.tubes.iter().all(|read| read.result == TubeOutcome::Invalid));
}
