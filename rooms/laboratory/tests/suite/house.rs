//! An installation in a temporary folder with a laboratory, a point, lots and a campaign; on SQLite, and on PostgreSQL where there is one.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::body::Body;
use axum::http::{Request, header};
use baton_desk::accounts::pages::{NewUser, create_account};
use baton_desk::{Actor, App, Desk, Role, Scope};
use baton_ground::{Plot, waiting};
use baton_instruments::{Content, PlateFormat, Reading, Run, WellPosition};
use baton_kit::{
    AccountId, BoxId, Bucket, CampaignId, Clock, Device, EventId, Language, LotId, PersonId, PlaceId, SeededEntropy, Site, Timestamp, TubeId, VirtualClock,
};
use baton_laboratory::events::{WellContent, WellLaid};
use baton_ledger::{Command, Draft, EventBody, Fold, Ledger, Place, Surroundings};
use baton_pcr::simulate::{Params, axis, synthesise};
use baton_registry::events::*;
use baton_screening::events::*;
use serde_json::Value;
use tower::ServiceExt;

pub const SITE_START: &str = "2026-03-27 08:00";

pub struct House {
    pub app: App,
    pub clock: Arc<VirtualClock>,
    pub router: axum::Router,
    sequence: AtomicU32,
    pub laboratory: PlaceId,
    pub point: PlaceId,
    pub fluid: LotId,
    pub extraction: LotId,
    pub pcr: LotId,
    pub campaign: CampaignId,
    /// Last, so that it goes after the ledger is closed.
    _plot: Plot,
}

pub fn folds() -> Vec<Fold> {
    vec![
        baton_desk::accounts::room().fold,
        baton_registry::room().fold,
        baton_screening::room().fold,
        baton_custody::room().fold,
        baton_laboratory::room().fold,
    ]
}

impl House {
    pub fn embedded() -> Self {
        Self::embedded_with(folds())
    }

    /// With other folds in the places of the rooms' own.
    pub fn embedded_with(folds: Vec<Fold>) -> Self {
        Self::created(Plot::embedded(), folds)
    }

    pub fn postgres(test: &str) -> Option<Self> {
        Plot::postgres(test).map(|plot| Self::created(plot, folds()))
    }

    fn created(plot: Plot, folds: Vec<Fold>) -> Self {
        let place = Place::new(plot.folder.clone(), plot.database.clone());
        let entropy = Arc::new(SeededEntropy::new(1));
        place.create(&*entropy).expect("an empty place");
        let site = Site::shanghai();
        let clock = Arc::new(VirtualClock::new(site.parse(SITE_START).unwrap()));
        let around = Surroundings { clock: clock.clone(), entropy, folds, server: Device::new(7).unwrap() };
        let ledger = Ledger::open(place.clone(), around, |_, _| {}).expect("the ledger opens");
        let rooms = vec![baton_desk::accounts::room(), baton_registry::room(), baton_screening::room(), baton_custody::room(), baton_laboratory::room()];
        let app = Desk::new(Arc::new(ledger), site, "试验区".to_owned(), rooms).expect("the texts of all rooms fit together");
        let router = baton_desk::router(&app);
        let nothing = PlaceId::new(Bucket::INSTALLATION, Device::new(1).unwrap(), 0);
        let no_lot = LotId::new(Bucket::INSTALLATION, Device::new(1).unwrap(), 0);
        let mut house = Self {
            app,
            clock,
            router,
            sequence: AtomicU32::new(1),
            laboratory: nothing,
            point: nothing,
            fluid: no_lot,
            extraction: no_lot,
            pcr: no_lot,
            campaign: CampaignId::new(Bucket::INSTALLATION, Device::new(1).unwrap(), 0),
            _plot: plot,
        };
        house.furnish();
        house
    }

    fn furnish(&mut self) {
        let place = |kind, code: &str, capacity| AddPlace {
            kind,
            code: code.to_owned(),
            name: code.to_owned(),
            parent: None,
            details: PlaceDetails { capacity, ..PlaceDetails::default() },
        };
        self.laboratory = self.decided(place(PlaceKind::Laboratory, "L1", Some(50)), ()).created();
        self.point = self.decided(place(PlaceKind::Point, "S1", None), ()).created();
        let expires_us = self.now().plus_us(30 * baton_kit::time::DAY_US);
        let lot = |kind, code: &str| AddLot { kind, code: code.to_owned(), product: "kit".to_owned(), expires_us };
        self.fluid = self.decided(lot(LotKind::PreservationFluid, "F-1"), ()).created();
        self.extraction = self.decided(lot(LotKind::ExtractionKit, "E-1"), ()).created();
        self.pcr = self.decided(lot(LotKind::PcrKit, "K-1"), ()).created();
        let campaign = OpenCampaign {
            name: "第一轮".to_owned(),
            who: Who::default(),
            assay: "orf1ab-n-ic".to_owned(),
            ratio: 10,
            opens_us: self.now(),
            closes_us: self.now().plus_us(baton_kit::time::DAY_US),
            cadence: Cadence::Once,
        };
        self.campaign = self.decided(campaign, ()).created();
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }
    pub fn pass_minutes(&self, minutes: i64) {
        self.clock.advance_to(self.now().plus_us(minutes * baton_kit::time::MINUTE_US));
    }

    /// A new id of a device in the field.
    pub fn id(&self) -> EventId {
        EventId::new(Bucket::new(3).unwrap(), Device::new(2000).unwrap(), self.sequence.fetch_add(1, Ordering::Relaxed))
    }

    /// Records a decision of another room as it would come about.
    pub fn decided<C: Command>(&self, command: C, outcome: C::Outcome) -> EventId {
        let id = waiting(|| self.app.ledger.next_id(Bucket::INSTALLATION)).unwrap();
        let body = format!("{{\"command\":{},\"outcome\":{}}}", serde_json::to_string(&command).unwrap(), serde_json::to_string(&outcome).unwrap());
        self.record(vec![Draft { id, kind: C::KIND.to_owned(), happened: self.now(), actor: None, body, notes: Vec::new() }]);
        id
    }

    pub fn fact<B: EventBody>(&self, actor: AccountId, body: &B) -> EventId {
        let id = self.id();
        self.record(vec![Draft::of(id, self.now(), Some(actor), body).unwrap()]);
        id
    }

    /// Records, and waits until the tables show it.
    pub fn record(&self, drafts: Vec<Draft>) {
        for answer in self.app.ledger.record_now(drafts).unwrap() {
            answer.unwrap();
        }
        self.settle();
    }

    pub fn settle(&self) {
        baton_ground::settle(&self.app.ledger);
    }

    /// A person of the registry with a document that ends in `tail`, who asked to be told in traditional Chinese.
    pub fn person(&self, name: &str, tail: &str) -> PersonId {
        let person: PersonId = self.id().created();
        let particulars = Particulars {
            name: name.to_owned(),
            document_kind: DocumentKind::Passport,
            document: format!("E1234{tail}"),
            phone: None,
            address: None,
            language: Some(Language::ChineseTraditional),
        };
        let text = serde_json::to_string(&particulars).unwrap();
        let sealed = waiting(|| self.app.ledger.vault().seal(baton_desk::any_id(person), text.as_bytes())).unwrap();
        let record: PersonRecord = serde_json::from_value(serde_json::json!({"person": person, "sealed": baton_ledger::Sealed(sealed)})).unwrap();
        let people = PeopleRecorded { import: None, from_day: self.app.site.day_of(self.now()), people: vec![record] };
        self.record(vec![Draft::of(self.id(), self.now(), None, &people).unwrap()]);
        person
    }

    /// Opens, fills, seals a tube and brings it to the laboratory's door.
    pub fn tube(&self, nurse: AccountId, code: &str, ratio: u16, people: &[PersonId], follow_up: bool) -> TubeId {
        let opened = TubeOpened { code: code.to_owned(), campaign: self.campaign, point: self.point, ratio, fluid_lot: Some(self.fluid), follow_up };
        let tube: TubeId = self.fact(nurse, &opened).created();
        for person in people {
            self.fact(nurse, &PersonSampled { tube, person: *person });
        }
        self.fact(nurse, &TubeSealed { tube, count: people.len() as u16 });
        tube
    }

    pub fn people(&self, count: usize) -> Vec<PersonId> {
        (0..count).map(|_| self.id().created()).collect()
    }

    /// Boxes tubes and brings the box to the laboratory.
    pub fn boxed(&self, courier: AccountId, code: &str, tubes: &[TubeId]) -> BoxId {
        use baton_custody::events::*;
        let box_id: BoxId = self.fact(courier, &BoxOpened { code: code.to_owned(), point: self.point }).created();
        for tube in tubes {
            self.fact(courier, &TubeBoxed { box_id, tube: *tube });
        }
        self.pass_minutes(10);
        let count = tubes.len() as u16;
        self.fact(courier, &BoxSealed { box_id, seal: "S".to_owned(), count });
        self.fact(courier, &BoxAccepted { box_id, count, seal_intact: true, temperature_tenths_c: None });
        self.pass_minutes(30);
        self.decided(AdmitBox { box_id, laboratory: self.laboratory, count, seal_intact: true, temperature_tenths_c: None }, ());
        self.settle();
        box_id
    }

    pub async fn user(&self, login: &str, roles: &[Role]) -> Actor {
        let id = self.app.form_id(Bucket::INSTALLATION).await.unwrap();
        let new = NewUser {
            login: login.to_owned(),
            name: format!("{login} 王"),
            password: format!("{login}-{login}-password"),
            roles: roles.to_vec(),
            scope: Scope::Everywhere,
            language: Language::English,
            first: false,
        };
        let account = create_account(&self.app, &Actor::anonymous(Language::English), id, new).await.unwrap();
        Actor {
            account: Some(account),
            roles: roles.to_vec(),
            scope: Scope::Everywhere,
            device: Some(Device::new(2000).unwrap()),
            ..Actor::anonymous(Language::English)
        }
    }

    pub async fn token(&self, login: &str) -> String {
        let body = serde_json::json!({"login": login, "password": format!("{login}-{login}-password")});
        let (status, text) = self.send("POST", "/v1/sign-in", None, "application/json", body.to_string().into_bytes()).await;
        assert_eq!(status, 200, "{text}");
        serde_json::from_str::<Value>(&text).unwrap()["token"].as_str().unwrap().to_owned()
    }

    pub async fn send(&self, method: &str, path: &str, token: Option<&str>, kind: &str, body: Vec<u8>) -> (u16, String) {
        let accept = if path.starts_with("/v1/") { "application/json" } else { "text/html" };
        let mut request = Request::builder().method(method).uri(path).header(header::ACCEPT, accept).header(header::CONTENT_TYPE, kind);
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let response = self.router.clone().oneshot(request.body(Body::from(body)).unwrap()).await.unwrap();
        let status = response.status().as_u16();
        let bytes = axum::body::to_bytes(response.into_body(), 64 << 20).await.unwrap();
        (status, String::from_utf8_lossy(&bytes).into_owned())
    }

    /// A file as staff download it.
    pub async fn bytes(&self, path: &str, token: &str) -> Vec<u8> {
        let request = Request::builder().method("GET").uri(path).header("authorization", format!("Bearer {token}")).body(Body::empty()).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let bytes = axum::body::to_bytes(response.into_body(), 1 << 26).await.unwrap().to_vec();
        assert_eq!(status, 200, "{path}: {}", String::from_utf8_lossy(&bytes));
        bytes
    }

    pub async fn page(&self, path: &str, token: Option<&str>, language: &str) -> String {
        let mut request = Request::builder().uri(path).header(header::ACCEPT, "text/html").header(header::COOKIE, format!("baton_language={language}"));
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let response = self.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let status = response.status().as_u16();
        let text = String::from_utf8_lossy(&axum::body::to_bytes(response.into_body(), 64 << 20).await.unwrap()).into_owned();
        assert_eq!(status, 200, "{path} in {language}: {text}");
        assert!(!text.contains('⟨'), "{path} in {language} lacks a text");
        text
    }

    pub async fn json(&self, method: &str, path: &str, token: &str, body: Option<Value>) -> (u16, Value) {
        let body = body.map(|body| body.to_string().into_bytes()).unwrap_or_default();
        let (status, text) = self.send(method, path, Some(token), "application/json", body).await;
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    pub fn assert_invariants(&self) {
        self.settle();
        let violations = waiting(|| self.app.ledger.read(|tx| Ok(baton_laboratory::check_invariants(tx)?))).unwrap();
        assert_eq!(violations, vec![]);
    }
}

/// What a well shows: Cq of ORF1ab, N and the internal control.
pub type Shows = [Option<f64>; 3];
pub const NEGATIVE: Shows = [None, None, Some(27.0)];
pub const POSITIVE: Shows = [Some(26.0), Some(25.5), Some(27.0)];
pub const BLANK: Shows = [None, None, None];

/// The instrument's file for a layout.
pub fn rdml(layout: &[WellLaid], shows: impl Fn(WellContent) -> Shows) -> Vec<u8> {
    let mut state = 99u64;
    let mut noise = move || {
        let mut uniform = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 11) as f64 / (1u64 << 53) as f64
        };
        (0..12).map(|_| uniform()).sum::<f64>() - 6.0
    };
    let cycles = axis(42);
    let wells = layout.iter().map(|laid| {
        let readings = [("ORF1ab", "FAM"), ("N", "VIC"), ("IC", "CY5")].into_iter().zip(shows(laid.content)).map(|((target, dye), cq)| Reading {
            target: Some(target.to_owned()),
            dye: Some(dye.to_owned()),
            cycles: cycles.clone(),
            fluorescence: synthesise(&Params { cycles: 42, cq, ..Params::default() }, &mut noise),
            ..Reading::default()
        });
        baton_instruments::Well {
            position: WellPosition::at(laid.well / 12, laid.well % 12),
            sample: None,
            content: Content::Unknown,
            readings: readings.collect(),
        }
    });
    let wells = wells.collect();
    let run = Run {
        format: baton_instruments::Format::Rdml,
        experiment: None,
        name: None,
        instrument: Some("Cycler".to_owned()),
        instrument_serial: None,
        plate_barcode: None,
        plate: Some(PlateFormat::WELLS_96),
        started_at: None,
        positions_by_order: false,
        wells,
    };
    baton_instruments::write_rdml(&run)
}

/// Controls as they should be, tubes by `of_tube`.
pub fn usual(content: WellContent, of_tube: impl Fn(TubeId) -> Shows) -> Shows {
    match content {
        WellContent::Tube(tube) => of_tube(tube),
        WellContent::ExtractionControl => NEGATIVE,
        WellContent::NoTemplateControl => BLANK,
        WellContent::PositiveControl => POSITIVE,
    }
}
