//! Before the day: zones, roster, lots, points, laboratories, users, the campaign.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::{Context, bail};
use baton_kit::time::{DAY_US, HOUR_US, MINUTE_US};
use baton_kit::{AccountId, Bucket, PlaceId, Site};
use baton_pcr::rules::RuleSet;
use hyper::Method;
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::{Around, Credentials, Hand, PlateNow, Play, PlaySettings, Round, Stage, Tally, bucket_of, city_of, is_decision, text};
use crate::client::{Client, Sayer, Sent};
use crate::infection::{Absence, Epidemic};
use crate::intake;
use crate::people::City;
use crate::script::laboratory::{CYCLERS, EXTRACTION_US, EXTRACTORS};
use crate::script::{Act, Day, Role};
use crate::truth::Truth;

/// The password of everybody in a played city. There are no secrets in it.
pub const PASSWORD: &str = "baton-demo-2026";

/// Somebody who can sign in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DemoLogin {
    pub login: String,
    pub name: String,
    pub role: &'static str,
}

/// Lots in use.
#[derive(Clone, Debug)]
pub(super) struct Lots {
    pub(super) fluid: String,
    pub(super) extraction: String,
    pub(super) pcr: String,
}

/// Who works where: login, role in Baton, and the place they reach.
struct User {
    login: String,
    role: &'static str,
    scope: String,
}

pub(super) async fn set_up<'a>(base: &str, admin: Credentials, settings: PlaySettings, around: Around<'a>) -> anyhow::Result<Play<'a>> {
    let client = Client::new(base);
    let now = settings.opens.plus_us(-12 * HOUR_US);
    (around.clock)(now);
    let boss = Sayer::sign_in(&client, &admin.login, &admin.password).await?;
    let rules = RuleSet::builtin(&settings.assay).with_context(|| format!("no assay is called {}", settings.assay))?;
    let epidemic = Epidemic::new(city_of(&settings), settings.epidemic);
    let none = Lots { fluid: String::new(), extraction: String::new(), pcr: String::new() };
    let mut play = Play {
        gate: Arc::new(Semaphore::new(settings.requests_max.max(1))),
        settings,
        around,
        epidemic,
        rules,
        admin,
        client,
        boss,
        zones: Vec::new(),
        points: Vec::new(),
        laboratories: Vec::new(),
        lots: none,
        campaign: String::new(),
        people: Vec::new(),
        accounts: HashMap::new(),
        logins: Vec::new(),
        truth: Truth::default(),
        tally: Tally::default(),
        now,
    };
    play.add_zones().await?;
    play.import().await?;
    play.lots = play.add_lots().await?;
    Ok(play)
}

/// A zone's bucket: zones spread over all but the installation's own.
fn zone_bucket(zone: u32) -> anyhow::Result<Bucket> {
    Ok(Bucket::new((1 + zone % 127) as u8)?)
}

impl Play<'_> {
    fn city(&self) -> City {
        self.epidemic.city
    }

    /// A sign-in lasts a shift; whoever works longer signs in again.
    pub(super) async fn sign_in_again(&mut self) -> anyhow::Result<()> {
        self.boss = Sayer::sign_in(&self.client, &self.admin.login, &self.admin.password).await?;
        Ok(())
    }

    async fn add_place(&self, bucket: Bucket, kind: &str, code: &str, name: &str, parent: Option<PlaceId>, details: Value) -> anyhow::Result<PlaceId> {
        let id = self.boss.next_id(bucket);
        let asked = json!({"id": id, "kind": kind, "code": code, "name": name, "parent": parent, "details": details});
        let made = self.boss.post("/v1/registry/places", &asked).await?;
        Ok(text(&made, "id")?.parse()?)
    }

    async fn add_zones(&mut self) -> anyhow::Result<()> {
        for zone in 0..self.city().zones {
            let id = self.add_place(zone_bucket(zone)?, "zone", &City::zone_code(zone), &City::zone_name(zone), None, json!({})).await?;
            self.zones.push(id);
        }
        Ok(())
    }

    async fn import(&mut self) -> anyhow::Result<()> {
        let (city, progress) = (self.city(), self.around.progress);
        let all = u64::from(city.people);
        progress(Stage::Importing, 0, all);
        intake::import(&self.boss, &city, |done| progress(Stage::Importing, done, all)).await?;
        self.people = intake::match_people(&self.boss, &city).await?;
        Ok(())
    }

    async fn add_lots(&self) -> anyhow::Result<Lots> {
        let mut ids = Vec::new();
        for (kind, code, product) in [
            ("preservation_fluid", "VTM-2603", "Virus preservation fluid, inactivating"),
            ("extraction_kit", "EX-2602", "Magnetic bead extraction, 96 wells"),
            ("pcr_kit", "PCR-2603", "ORF1ab/N/IC one-step RT-PCR"),
        ] {
            let asked = json!({"id": self.boss.next_id(Bucket::INSTALLATION), "kind": kind, "code": code, "product": product, "expires_us": self.settings.opens.plus_us(180 * DAY_US)});
            ids.push(text(&self.boss.post("/v1/registry/lots", &asked).await?, "id")?.to_owned());
        }
        let [fluid, extraction, pcr] = ids.try_into().map_err(|_| anyhow::anyhow!("three lots"))?;
        Ok(Lots { fluid, extraction, pcr })
    }

    /// Points and laboratories as the day needs them, everybody who works there, the campaign, and who is excused.
    pub(super) async fn prepare_places(&mut self, day: &Day) -> anyhow::Result<()> {
        for point in &day.points {
            let zone = self.zones[point.zone as usize];
            let (code, name) =
                (format!("{}-P{}", City::zone_code(point.zone), point.number + 1), format!("{}{}号采样点", City::zone_name(point.zone), point.number + 1));
            let details = json!({"lanes": point.lanes, "capacity": point.lanes * 220, "opening_hours": "07:00-19:00"});
            let id = self.add_place(bucket_of(zone), "point", &code, &name, Some(zone), details).await?;
            self.points.push(id);
        }
        for laboratory in 0..day.laboratories {
            let tubes: usize = day.boxes.iter().filter(|package| package.laboratory == laboratory).map(|package| package.tubes.len()).sum();
            let bucket = Bucket::new(Bucket::COUNT - 1 - laboratory as u8 % 64)?;
            let details = json!({"capacity": (tubes * 3 / 2).div_ceil(100) * 100 + 1000});
            let id = self.add_place(bucket, "laboratory", &format!("L{}", laboratory + 1), &format!("第{}气膜实验室", laboratory + 1), None, details).await?;
            let machines = json!({"id": self.boss.next_id(bucket), "laboratory": id, "extractors": EXTRACTORS, "extraction_minutes": EXTRACTION_US / MINUTE_US, "cyclers": CYCLERS});
            self.boss.post("/v1/outlook/equipment", &machines).await?;
            self.laboratories.push(id);
        }
        self.add_users(day).await?;
        self.open_campaign().await?;
        self.excuse(day).await
    }

    async fn add_users(&mut self, day: &Day) -> anyhow::Result<()> {
        let mut users = vec![User { login: "auditor".to_owned(), role: "auditor", scope: "everywhere".to_owned() }];
        for (zone, place) in self.zones.iter().enumerate() {
            users.push(User { login: format!("zone-{}", zone + 1), role: "zone_manager", scope: place.to_string() });
            users.push(User { login: format!("team-{}", zone + 1), role: "sampling_nurse", scope: place.to_string() });
        }
        users.push(User { login: "warden-1".to_owned(), role: "grid_warden", scope: self.zones[0].to_string() });
        users.push(User { login: "leader-1".to_owned(), role: "point_leader", scope: self.points[0].to_string() });
        let enterprises = self.boss.get("/v1/registry/places?kind=enterprise").await?;
        if let Some(enterprise) = enterprises.as_array().and_then(|all| all.first()) {
            users.push(User { login: "contact-1".to_owned(), role: "enterprise_contact", scope: text(enterprise, "id")?.to_owned() });
        }
        for (point, place) in self.points.iter().enumerate() {
            users.push(User { login: format!("nurse-{}", point + 1), role: "sampling_nurse", scope: place.to_string() });
        }
        let couriers = day.actors.iter().filter(|role| matches!(role, Role::Courier { .. })).count();
        users.extend((0..couriers).map(|number| User { login: format!("courier-{}", number + 1), role: "courier", scope: "everywhere".to_owned() }));
        for (laboratory, place) in self.laboratories.iter().enumerate() {
            let scope = place.to_string();
            let user = |login: String, role| User { login, role, scope: scope.clone() };
            users.extend((1..=4).map(|station| user(format!("reception-{}-{station}", laboratory + 1), "accession")));
            users.extend((1..=3).map(|shift| user(format!("bench-{}-{shift}", laboratory + 1), "technician")));
            users.push(user(format!("director-{}", laboratory + 1), "laboratory_director"));
        }
        let all = users.len() as u64;
        for (number, user) in users.into_iter().enumerate() {
            (self.around.progress)(Stage::SettingUp, number as u64, all);
            self.add_user(number as u32, user).await?;
        }
        Ok(())
    }

    async fn add_user(&mut self, number: u32, user: User) -> anyhow::Result<()> {
        let id = self.boss.next_id(Bucket::INSTALLATION);
        // People from beyond the roster lend their names.
        let name = self.city().person(self.city().people + 60_000 + number).name;
        let fields = [("id", &*id.to_string()), ("name", &name), ("login", &user.login), ("password", PASSWORD), ("role", user.role), ("scope", &user.scope)];
        self.boss.submit("/users", &fields).await?;
        self.assess(id.created(), user.role).await?;
        self.accounts.insert(user.login.clone(), id.created());
        self.logins.push(DemoLogin { login: user.login, name, role: user.role });
        Ok(())
    }

    /// Who works in the laboratory was found able to.
    async fn assess(&mut self, account: AccountId, role: &str) -> anyhow::Result<()> {
        let tasks: &[&str] = match role {
            "accession" => &["accession"],
            "technician" => &["extraction", "amplification"],
            "laboratory_director" => &["amplification", "signing"],
            _ => return Ok(()),
        };
        let site = Site::shanghai();
        let last_day = site.show_day(site.day_of(self.settings.opens.plus_us(365 * DAY_US)));
        for task in tasks {
            let id = self.boss.next_id(Bucket::INSTALLATION).to_string();
            let fields = [("id", &*id), ("account", &account.to_string()), ("task", task), ("last_day", &*last_day), ("basis", "现场观察")];
            self.boss.submit("/staff", &fields).await?;
        }
        Ok(())
    }

    async fn open_campaign(&mut self) -> anyhow::Result<()> {
        let asked = json!({
            "id": self.boss.next_id(Bucket::INSTALLATION),
            "name": "全员核酸筛查",
            "who": {"places": self.zones},
            "assay": self.settings.assay,
            "ratio": self.settings.ratio,
            "opens_us": self.settings.opens.plus_us(-HOUR_US),
            "closes_us": self.settings.opens.plus_us(3 * DAY_US),
            "cadence": "once",
        });
        let opened = self.boss.post("/v1/screening/campaigns", &asked).await?;
        if opened["listed"].as_u64() != Some(u64::from(self.city().people)) {
            bail!("the campaign lists {} of {} people", opened["listed"], self.city().people);
        }
        text(&opened, "campaign")?.clone_into(&mut self.campaign);
        Ok(())
    }

    /// Medical exemptions that are known beforehand.
    async fn excuse(&mut self, day: &Day) -> anyhow::Result<()> {
        let path = format!("/v1/screening/campaigns/{}/exemptions", self.campaign);
        let mut under_way = JoinSet::new();
        for (person, absence) in day.absentees(&self.epidemic) {
            if absence != Absence::Exempt {
                continue;
            }
            let asked = json!({"id": self.boss.next_id(Bucket::INSTALLATION), "person": self.people[person as usize].to_string(), "reason": "medical"});
            let (client, token, path, gate) = (self.client.clone(), self.boss.token.clone(), path.clone(), self.gate.clone());
            under_way.spawn(async move {
                let _permit = gate.acquire_owned().await?;
                client.send(Method::POST, &path, Some(&token), Some(Sent::json(&asked))).await?;
                anyhow::Ok(())
            });
        }
        while let Some(done) = under_way.join_next().await {
            done??;
            self.tally.decisions += 1;
        }
        Ok(())
    }

    /// Devices for everybody who works in this round.
    pub(super) async fn open_round(&mut self, day: &Day) -> anyhow::Result<Round> {
        self.sign_in_again().await?;
        let mut hands = Vec::with_capacity(day.actors.len());
        for (actor, role) in day.actors.iter().enumerate() {
            let (login, place) = self.station(day, *role);
            let sayer = self.enrol(&format!("R{}-{}", day.round, actor + 1), &login).await?;
            hands.push(Hand {
                sayer,
                role: *role,
                account: self.account(&login)?,
                bucket: bucket_of(place),
                ahead: Default::default(),
                blocked: false,
                not_before: day.settings.opens,
                last_scan: None,
            });
        }
        for (index, action) in day.actions.iter().enumerate() {
            // Starting a cycler is nothing that anybody says.
            if !matches!(action.act, Act::StartRun { .. }) {
                hands[action.actor as usize].ahead.push_back(index);
            }
        }
        let mut directors = Vec::new();
        for laboratory in 0..day.laboratories {
            directors.push(self.enrol(&format!("R{}-D{}", day.round, laboratory + 1), &format!("director-{}", laboratory + 1)).await?);
        }
        let labels = self.issue_labels(day, &hands).await?;
        let facts =
            day.actions.iter().filter(|action| !matches!(action.act, Act::StartRun { .. }) && !is_decision(action.act, day.actors[action.actor as usize]));
        Ok(Round {
            left: facts.count(),
            hands,
            directors,
            due: Default::default(),
            put: 0,
            labels,
            tube_ids: vec![String::new(); day.tubes.len()],
            tube_of: HashMap::new(),
            box_ids: vec![String::new(); day.boxes.len()],
            accessioned: vec![false; day.tubes.len()],
            plates: vec![PlateNow::default(); day.plates.len()],
            day: day.clone(),
        })
    }

    async fn enrol(&self, name: &str, login: &str) -> anyhow::Result<Arc<Sayer>> {
        let asked = json!({"id": self.boss.next_id(Bucket::INSTALLATION), "name": name, "login": login});
        let given = self.boss.post("/v1/devices", &asked).await?;
        Ok(Arc::new(Sayer::given(&self.client, &given)?))
    }

    pub(super) fn account(&self, login: &str) -> anyhow::Result<AccountId> {
        self.accounts.get(login).copied().with_context(|| format!("nobody is called {login}"))
    }

    /// The user behind an actor, and the place whose bucket keeps what they say.
    fn station(&self, day: &Day, role: Role) -> (String, PlaceId) {
        match role {
            Role::Lane { point, .. } => (format!("nurse-{}", point + 1), self.points[point as usize]),
            Role::DoorTeam { zone, .. } => (format!("team-{}", zone + 1), self.zones[zone as usize]),
            Role::Courier { number } => (format!("courier-{}", number + 1), self.zones[number as usize % self.zones.len()]),
            Role::Reception { laboratory, station } => (format!("reception-{}-{}", laboratory + 1, station + 1), self.laboratories[laboratory as usize]),
            Role::Bench { laboratory, shift } => {
                (format!("bench-{}-{}", laboratory + 1, shift + 1), self.laboratories[(laboratory % day.laboratories) as usize])
            }
        }
    }
}
