//! The installation a load is put on: a roster imported in bulk, a campaign, and a sampling nurse's device per connection.

use anyhow::{Context, bail};
use baton_kit::{Bucket, EventId, TypedId};
use hyper::Method;
use serde_json::{Value, json};

use super::LoadSettings;
use crate::client::{Client, Sayer, encode};
use crate::intake;
use crate::people::City;
use crate::program::{PASSWORD, Program, Server};

/// Somebody with a phone who asks for their result.
#[derive(Clone, Debug)]
pub(super) struct Asker {
    pub(super) code: String,
    pub(super) tail: String,
}

impl Asker {
    /// What the form of the result page sends.
    pub(super) fn form(&self) -> hyper::body::Bytes {
        format!("code={}&tail={}", encode(&self.code), encode(&self.tail)).into()
    }
}

/// A nurse's device and the people who stand in its line.
#[derive(Clone, Debug)]
pub(super) struct Station {
    pub(super) token: String,
    pub(super) device: baton_kit::Device,
    pub(super) bucket: Bucket,
    pub(super) people: Vec<i64>,
}

/// A server with everything a sampling day needs.
pub(super) struct Town {
    pub(super) program: Program,
    pub(super) server: Server,
    pub(super) boss: Sayer,
    pub(super) campaigns: Vec<String>,
    pub(super) point: String,
    pub(super) stations: Vec<Station>,
    pub(super) askers: Vec<Asker>,
    city: City,
    /// How many people were imported per second.
    pub(super) import_per_s: f64,
}

impl Town {
    pub(super) async fn build(settings: &LoadSettings, say: &impl Fn(&str)) -> anyhow::Result<Self> {
        let program = Program::new(&settings.baton, &settings.data);
        program.create()?;
        for (login, role) in [("boss", "administrator"), ("nurse", "sampling_nurse")] {
            program.ask(&["user", "add"], &["--login", login, "--name", login, "--role", role, "--scope", "everywhere"])?;
        }
        let server = program.serve(&[])?;
        let client = Client::new(&server.base);
        let boss = Sayer::sign_in(&client, "boss", PASSWORD).await?;
        let city = City::new(settings.seed, settings.people);
        let mut town =
            Self { program, server, boss, campaigns: Vec::new(), point: String::new(), stations: Vec::new(), askers: Vec::new(), city, import_per_s: 0.0 };
        let zones = town.zones().await?;
        say("importing the roster");
        let watch = baton_ledger::Stopwatch::start();
        intake::import(&town.boss, &town.city, |_| {}).await?;
        town.import_per_s = f64::from(town.city.people) * 1e6 / watch.us() as f64;
        let people = intake::match_people(&town.boss, &town.city).await?;
        say("opening the campaigns");
        for _ in 0..settings.rounds {
            town.open_campaign(&zones).await?;
        }
        say("enrolling devices");
        town.enrol(settings, &people).await?;
        Ok(town)
    }

    async fn zones(&mut self) -> anyhow::Result<Vec<String>> {
        let mut zones = Vec::new();
        for zone in 0..self.city.zones {
            let bucket = Bucket::new((1 + zone % 127) as u8)?;
            zones.push(self.place(bucket, "zone", &City::zone_code(zone), &City::zone_name(zone), None, json!({})).await?);
        }
        let details = json!({"lanes": 1000, "capacity": 1_000_000, "opening_hours": "00:00-24:00"});
        self.point = self.place(Bucket::new(1)?, "point", "P1", "采样点", zones.first(), details).await?;
        Ok(zones)
    }

    async fn place(&self, bucket: Bucket, kind: &str, code: &str, name: &str, parent: Option<&String>, details: Value) -> anyhow::Result<String> {
        let asked = json!({"id": self.boss.next_id(bucket), "kind": kind, "code": code, "name": name, "parent": parent, "details": details});
        let made = self.boss.post("/v1/registry/places", &asked).await?;
        Ok(made["id"].as_str().context("the place's id")?.to_owned())
    }

    async fn open_campaign(&mut self, zones: &[String]) -> anyhow::Result<()> {
        let id: EventId = self.boss.next_id(Bucket::INSTALLATION);
        let now_us = baton_kit::Clock::now(&baton_kit::SystemClock).0;
        let asked = json!({
            "id": id, "name": "全员核酸筛查", "who": {"places": zones}, "assay": "orf1ab-n-ic", "ratio": 10,
            "opens_us": now_us - 3_600_000_000_i64, "closes_us": now_us + 3 * 86_400_000_000_i64, "cadence": "once",
        });
        let opened = self.boss.post("/v1/screening/campaigns", &asked).await?;
        if opened["listed"].as_u64() != Some(u64::from(self.city.people)) {
            bail!("the campaign lists {} of {} people", opened["listed"], self.city.people);
        }
        self.campaigns.push(opened["campaign"].as_str().context("the campaign's id")?.to_owned());
        Ok(())
    }

    /// People are given to devices in the order of the roster: those of one station live near each other.
    async fn enrol(&mut self, settings: &LoadSettings, people: &[i64]) -> anyhow::Result<()> {
        let each = people.len() / settings.connections as usize / 10 * 10;
        if each == 0 {
            bail!("{} people are too few for {} connections of ten each", people.len(), settings.connections);
        }
        for (number, some) in people.chunks_exact(each).take(settings.connections as usize).enumerate() {
            let asked = json!({"id": self.boss.next_id(Bucket::INSTALLATION), "name": format!("Scanner {number}"), "login": "nurse"});
            let given = Sayer::given(&self.boss.client, &self.boss.post("/v1/devices", &asked).await?)?;
            let bucket = EventId::from_raw(some[0])?.bucket();
            self.stations.push(Station { token: given.token, device: given.device, bucket, people: some.to_vec() });
        }
        Ok(())
    }

    /// Codes and last digits of some people, as they stand on their own papers.
    pub(super) async fn meet_askers(&mut self, people: usize) -> anyhow::Result<()> {
        let each = self.stations[0].people.len();
        for asker in 0..people {
            let (station, place) = (asker % self.stations.len(), asker / self.stations.len() * 7 % each);
            let person = self.stations[station].people[place];
            let number = self.city.person((station * each + place) as u32).document.number;
            let answer = self.boss.get(&format!("/v1/registry/people/{person}/code")).await?;
            let code = answer["code"].as_str().context("a code")?.to_owned();
            let tail: String = number.chars().skip(number.chars().count().saturating_sub(4)).collect();
            self.askers.push(Asker { code, tail });
        }
        Ok(())
    }

    /// What `/metrics` shows now.
    pub(super) async fn metrics(boss: &Sayer) -> anyhow::Result<super::watch::Metrics> {
        let text = boss.client.send(Method::GET, "/metrics", Some(&boss.token), None).await?;
        Ok(super::watch::Metrics::read(&String::from_utf8_lossy(&text)))
    }

    /// Bytes of all store files together.
    pub(super) fn stored_bytes(&self) -> anyhow::Result<u64> {
        let mut bytes = 0;
        for entry in std::fs::read_dir(&self.program.data)? {
            let meta = entry?.metadata()?;
            bytes += if meta.is_file() { meta.len() } else { 0 };
        }
        Ok(bytes)
    }
}
