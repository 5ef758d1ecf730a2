//! A fresh installation with accounts, registry and screening; small helpers to say what happened.

use baton_ground::Ground;
use baton_kit::time::{HOUR_US, MINUTE_US};
use baton_kit::{CampaignId, EventId, LotId, OperationalDay, PersonId, PlaceId, Timestamp, TubeId, TypedId};
use baton_ledger::{Command, Draft, EventBody, Fold, Ledger, Sealed, to_json};
use baton_registry::events::{AddLot, AddPlace, DocumentKind, LotKind, Membership, Particulars, PeopleRecorded, PersonRecord, PlaceDetails, PlaceKind};
use baton_screening::events::*;
use baton_screening::model::{Due, DueState};
use baton_screening::store;
use serde_json::json;

pub use baton_ground::{START, id, settle};

/// An installation with accounts, registry and screening.
pub struct House(Ground);

impl std::ops::Deref for House {
    type Target = Ground;
    fn deref(&self) -> &Ground {
        &self.0
    }
}

pub fn folds() -> Vec<Fold> {
    vec![baton_desk::accounts::room().fold, baton_registry::room().fold, baton_screening::room().fold]
}

impl House {
    pub fn embedded() -> Self {
        Self(Ground::embedded())
    }

    pub fn postgres(test: &str) -> Option<Self> {
        Ground::postgres(test).map(Self)
    }

    pub fn open(&self) -> Ledger {
        self.0.open(&folds())
    }

    pub fn state_hash(&self) -> [u8; 32] {
        Ledger::state_hash(&self.place, &folds(), true).unwrap()
    }

    pub fn same_after_rebuild(&self, ledger: Ledger) {
        self.0.same_after_rebuild(ledger, &folds(), true);
    }
}

pub fn minutes(n: i64) -> Timestamp {
    START.plus_us(n * MINUTE_US)
}

/// A zone with two grids, a point, two enterprises; people 1…n, households of three.
pub struct Town {
    pub zone: PlaceId,
    pub grids: [PlaceId; 2],
    pub enterprises: [PlaceId; 2],
    pub point: PlaceId,
    pub lot: LotId,
}

pub const TOWN: u8 = 5;

pub fn town() -> Town {
    let place = |n| id(TOWN, 60, n).created();
    Town { zone: place(1), grids: [place(2), place(3)], enterprises: [place(4), place(5)], point: place(6), lot: id(TOWN, 60, 7).created() }
}

pub fn person(n: u32) -> PersonId {
    id(TOWN, 61, n).created()
}

/// A decision as the ledger holds it.
pub fn decided<C: Command<Outcome = ()>>(id: EventId, at: Timestamp, command: &C) -> Draft {
    let body = format!("{{\"command\":{},\"outcome\":null}}", to_json(command).unwrap());
    Draft { id, kind: C::KIND.to_owned(), happened: at, actor: None, body, notes: Vec::new() }
}

pub fn fact<B: EventBody>(id: EventId, at: Timestamp, body: &B) -> Draft {
    Draft::of(id, at, None, body).unwrap()
}

pub fn say(ledger: &Ledger, drafts: Vec<Draft>) {
    for answer in ledger.record_now(drafts).expect("the lane has room") {
        answer.expect("recorded");
    }
    settle(ledger);
}

pub fn found_town(ledger: &Ledger, people: u32) -> Town {
    let town = town();
    let place = |n, kind, parent: Option<PlaceId>| {
        let details = PlaceDetails { capacity: Some(60), lanes: Some(2), opening_hours: Some("07:00-22:00".to_owned()), ..PlaceDetails::default() };
        decided(id(TOWN, 60, n), START, &AddPlace { kind, code: format!("C{n}"), name: format!("地点{n}"), parent, details })
    };
    say(
        ledger,
        vec![
            place(1, PlaceKind::Zone, None),
            place(2, PlaceKind::Grid, Some(town.zone)),
            place(3, PlaceKind::Grid, Some(town.zone)),
            place(4, PlaceKind::Enterprise, Some(town.grids[0])),
            place(5, PlaceKind::Enterprise, Some(town.grids[1])),
            place(6, PlaceKind::Point, Some(town.zone)),
            decided(
                id(TOWN, 60, 7),
                START,
                &AddLot { kind: LotKind::PreservationFluid, code: "F1".to_owned(), product: "fluid".to_owned(), expires_us: START.plus_us(48 * HOUR_US) },
            ),
        ],
    );
    say(ledger, vec![recorded(ledger, 1, (1..=people).collect())]);
    town
}

/// The registering of people as one event.
pub fn recorded(ledger: &Ledger, n: u32, people: Vec<u32>) -> Draft {
    let town = town();
    let records = people.into_iter().map(|p| {
        let half = usize::from(p % 2 == 0);
        let particulars = Particulars {
            name: format!("王{p}"),
            document_kind: DocumentKind::Other,
            document: format!("DOC{p:06}"),
            phone: None,
            address: None,
            language: None,
        };
        let sealed = ledger.vault().seal(baton_desk::any_id(person(p)), to_json(&particulars).unwrap().as_bytes()).unwrap();
        let membership = Membership {
            zone: Some(town.zone),
            grid: Some(town.grids[half]),
            building: None,
            enterprise: Some(town.enterprises[half]),
            household: Some(i64::from(p / 3) + 1),
        };
        PersonRecord { person: person(p), sealed: Sealed(sealed), membership, tags: if p % 10 == 0 { vec!["courier".to_owned()] } else { Vec::new() } }
    });
    fact(id(TOWN, 62, n), START, &PeopleRecorded { import: None, from_day: OperationalDay(20_000), people: records.collect() })
}

pub fn campaign_id() -> CampaignId {
    id(0, 63, 1).created()
}

pub fn campaign(ratio: u16) -> OpenCampaign {
    OpenCampaign {
        name: "第一轮".to_owned(),
        who: Who { places: vec![town().zone], ..Who::default() },
        assay: "orf1ab-n-ic".to_owned(),
        ratio,
        opens_us: START,
        closes_us: START.plus_us(12 * HOUR_US),
        cadence: Cadence::EveryDays(1),
    }
}

pub fn open_campaign(ledger: &Ledger, ratio: u16) -> CampaignId {
    say(ledger, vec![decided(id(0, 63, 1), START, &campaign(ratio))]);
    campaign_id()
}

/// A sampler's device and what it says.
#[derive(Clone, Copy)]
pub struct Sampler(pub u32);

impl Sampler {
    pub fn tube(self, n: u32) -> TubeId {
        id(TOWN, self.0, n).created()
    }
    pub fn opens(self, n: u32, at: i64, code: &str, ratio: u16) -> Draft {
        let body =
            TubeOpened { code: code.to_owned(), campaign: campaign_id(), point: town().point, ratio, fluid_lot: Some(town().lot), follow_up: ratio == 1 };
        fact(id(TOWN, self.0, n), minutes(at), &body)
    }
    pub fn samples(self, n: u32, at: i64, tube: TubeId, p: u32) -> Draft {
        fact(id(TOWN, self.0, n), minutes(at), &PersonSampled { tube, person: person(p) })
    }
    pub fn undoes(self, n: u32, at: i64, scan: u32) -> Draft {
        fact(id(TOWN, self.0, n), minutes(at), &ScanUndone { scan: id(TOWN, self.0, scan), reason: "wrong_person".to_owned() })
    }
    pub fn seals(self, n: u32, at: i64, tube: TubeId, count: u16) -> Draft {
        fact(id(TOWN, self.0, n), minutes(at), &TubeSealed { tube, count })
    }
}

/// What laboratory and custody say, as JSON of their events.
pub fn told(n: u32, at: i64, kind: &str, body: serde_json::Value) -> Draft {
    Draft { id: id(3, 70, n), kind: kind.to_owned(), happened: minutes(at), actor: None, body: body.to_string(), notes: Vec::new() }
}
pub fn accessioned(n: u32, at: i64, tube: TubeId, rejected: Option<&str>) -> Draft {
    told(n, at, "laboratory.tube_accessioned", json!({"tube": tube, "laboratory": town().zone, "rejected": rejected}))
}
pub fn read(n: u32, at: i64, tubes: &[(TubeId, &str)]) -> Draft {
    outcomes(n, at, "laboratory.run_read", tubes)
}
pub fn signed(n: u32, at: i64, tubes: &[(TubeId, &str)]) -> Draft {
    outcomes(n, at, "laboratory.results_signed", tubes)
}
pub fn amended(n: u32, at: i64, tubes: &[(TubeId, &str)]) -> Draft {
    outcomes(n, at, "laboratory.result_amended", tubes)
}
fn outcomes(n: u32, at: i64, kind: &str, tubes: &[(TubeId, &str)]) -> Draft {
    let tubes: Vec<_> = tubes.iter().map(|(tube, result)| json!({"tube": tube, "result": result})).collect();
    told(n, at, kind, json!({"command": {"run": "1", "more": true}, "outcome": {"tubes": tubes, "waiting": []}}))
}

pub fn due(ledger: &Ledger, p: u32) -> Due {
    ledger.read(|tx| Ok(store::due(tx, campaign_id(), 1, person(p))?)).unwrap().expect("an obligation")
}
pub fn state(ledger: &Ledger, p: u32) -> DueState {
    due(ledger, p).standing.state
}
/// Codes of open findings, sorted.
pub fn findings(ledger: &Ledger) -> Vec<String> {
    let mut codes: Vec<String> =
        ledger.read(|tx| Ok(baton_screening::finding::store::findings(tx, false, 1000)?)).unwrap().into_iter().map(|finding| finding.code).collect();
    codes.sort();
    codes
}
/// Open follow-ups: person numbers and reasons, sorted.
pub fn follow_ups(ledger: &Ledger) -> Vec<(u32, String)> {
    let entries = ledger.read(|tx| Ok(baton_screening::follow_up::store::open_entries(tx, campaign_id(), 1000)?)).unwrap();
    let mut list: Vec<(u32, String)> = entries.into_iter().map(|entry| (entry.person.packed().sequence(), entry.reason)).collect();
    list.sort();
    list
}
pub fn assert_sound(ledger: &Ledger) {
    settle(ledger);
    let broken = ledger.read(|tx| Ok(baton_screening::check::check_invariants(tx)?)).unwrap();
    assert_eq!(broken, vec![]);
}
