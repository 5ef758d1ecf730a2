//! The drills themselves: a load, a storm of look-ups beside it, and more than the server can take.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use baton_ledger::Stopwatch;
use tokio::task::JoinSet;

use super::calibrate::{Calibration, pause};
use super::station::{Desk, Sent, Setting};
use super::town::{Asker, Town};
use super::watch::{Lags, Metrics};
use super::wire::Wire;
use super::{LoadReport, LoadSettings, Stretch};
use crate::client::{Client, Sayer};
use crate::program::events;

/// People whose papers the askers of a storm have.
const ASKERS: usize = 200;
/// Connections of a storm's askers.
const ASKING: u32 = 60;

/// How requests of a stretch follow each other.
#[derive(Clone, Copy)]
struct Pace {
    seconds: f64,
    /// People per second; nothing: the next request follows the last answer.
    rate: Option<f64>,
    /// Whether a refused request is sent again when the server asked for it, or the people go elsewhere.
    again: bool,
    look_ups: u32,
    /// Of those who are left in each line, how many stand in this stretch: one in so many.
    one_in: usize,
}

struct Run {
    settings: LoadSettings,
    town: Town,
    desks: Vec<Desk>,
    before: Calibration,
    metrics: Metrics,
    cpu_us: u64,
    bytes: u64,
    events: i64,
    lags: Arc<Lags>,
    following: tokio::task::JoinHandle<()>,
    stretches: Vec<Stretch>,
}

fn with_runtime(work: impl Future<Output = anyhow::Result<LoadReport>>) -> anyhow::Result<LoadReport> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?.block_on(work)
}

/// A steady load, or with rate 0 as much as the server takes.
///
/// # Errors
/// When the server does not start or refuses what it must take; what the load finds is in the report.
pub fn load(settings: &LoadSettings, say: impl Fn(&str)) -> anyhow::Result<LoadReport> {
    let before = calibrate(settings)?;
    with_runtime(async {
        let mut run = Run::begin(settings, before, &say).await?;
        let rate = (settings.rate > 0).then(|| f64::from(settings.rate));
        say("under load");
        run.stretch("load", Pace { seconds: settings.seconds, rate, again: true, look_ups: 0, one_in: 1 }).await?;
        run.finish(None, &say).await
    })
}

/// A load, and beside it people who ask for their results again and again.
///
/// # Errors
/// As [`load`].
pub fn storm(settings: &LoadSettings, say: impl Fn(&str)) -> anyhow::Result<LoadReport> {
    let before = calibrate(settings)?;
    with_runtime(async {
        let mut run = Run::begin(settings, before, &say).await?;
        let rate = (settings.rate > 0).then(|| f64::from(settings.rate));
        let pace = Pace { seconds: settings.seconds / 2.0, rate, again: true, look_ups: 0, one_in: 2 };
        say("scans alone");
        run.stretch("scans alone", pace).await?;
        say("scans in the storm");
        run.stretch("storm", Pace { look_ups: settings.look_ups, one_in: 1, ..pace }).await?;
        run.finish(None, &say).await
    })
}

/// First as much as the server takes, then so many times that, then half of it.
///
/// # Errors
/// As [`load`].
pub fn overload(settings: &LoadSettings, say: impl Fn(&str)) -> anyhow::Result<LoadReport> {
    let before = calibrate(settings)?;
    with_runtime(async {
        let mut run = Run::begin(settings, before, &say).await?;
        let third = settings.seconds / 3.0;
        say("finding the capacity");
        run.stretch("capacity", Pace { seconds: third, rate: None, again: true, look_ups: 0, one_in: 4 }).await?;
        let capacity = run.stretches[0].people_per_s;
        say("overload");
        run.stretch("overload", Pace { seconds: third, rate: Some(capacity * settings.times), again: false, look_ups: 0, one_in: 2 }).await?;
        say("afterwards");
        let after = run.stretch("afterwards", Pace { seconds: third, rate: Some(capacity / 2.0), again: false, look_ups: 0, one_in: 1 }).await?;
        run.finish(Some(after), &say).await
    })
}

fn calibrate(settings: &LoadSettings) -> anyhow::Result<Calibration> {
    Calibration::measure(&settings.data)
}

impl Run {
    async fn begin(settings: &LoadSettings, before: Calibration, say: &impl Fn(&str)) -> anyhow::Result<Self> {
        let mut town = Town::build(settings, say).await?;
        if settings.look_ups > 0 {
            // Whose code was looked at is itself on record: before the count, not within it.
            town.meet_askers(ASKERS).await?;
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        let setting = Setting { campaigns: town.campaigns.clone(), point: town.point.clone(), begins_us: baton_kit::Clock::now(&baton_kit::SystemClock).0 };
        let desks = town.stations.iter().map(|station| Desk::new(&town.server.base, station.clone(), setting.clone())).collect::<anyhow::Result<_>>()?;
        let boss = Arc::new(Sayer::new(Client::new(&town.server.base), town.boss.token.clone(), town.boss.device));
        let metrics = Town::metrics(&boss).await?;
        let events = events(&town.program.verify()?)?;
        let lags = Arc::new(Lags::default());
        let following = tokio::spawn(lags.clone().follow(boss));
        let (cpu_us, bytes) = (town.server.cpu_us().unwrap_or(0), town.stored_bytes()?);
        Ok(Self { settings: settings.clone(), town, desks, before, metrics, cpu_us, bytes, events, lags, following, stretches: Vec::new() })
    }

    /// Runs one stretch; gives the seconds after which answers were quick and none refused.
    async fn stretch(&mut self, name: &str, pace: Pace) -> anyhow::Result<f64> {
        let (run, connections, batch) = (Stopwatch::start(), self.desks.len(), self.settings.batch as usize);
        let marks: Vec<Mark> = self.desks.iter().map(Mark::of).collect();
        let mut work = JoinSet::new();
        for (number, desk) in self.desks.drain(..).enumerate() {
            work.spawn(stand(number, connections, desk, pace, batch, run));
        }
        let askers = ask(&self.town, pace, run);
        let mut desks = Vec::with_capacity(connections);
        while let Some(done) = work.join_next().await {
            desks.push(done??);
        }
        let seconds = run.us() as f64 / 1e6;
        desks.sort_by_key(|(number, _)| *number);
        self.desks = desks.into_iter().map(|(_, desk)| desk).collect();
        let mut look_ups = LookUps::default();
        for asker in askers {
            look_ups.add(asker.await??);
        }
        let stretch = reckon(name, seconds, pace, &self.desks, &marks, look_ups);
        let quiet = quiet_after(&self.desks, &marks, seconds);
        self.stretches.push(stretch);
        Ok(quiet)
    }

    async fn finish(mut self, normal_after_s: Option<f64>, say: &impl Fn(&str)) -> anyhow::Result<LoadReport> {
        self.lags.stop();
        self.following.await?;
        let caught_up_s = caught_up(&self.town.boss).await?;
        let metrics = Town::metrics(&self.town.boss).await?;
        let cpu_us = self.town.server.cpu_us().unwrap_or(0) - self.cpu_us;
        let (acknowledged, resent) = self.desks.iter().fold((0, 0), |sum, desk| (sum.0 + desk.log.acknowledged.len() as u64, sum.1 + desk.log.resent));
        let bytes = self.town.stored_bytes()?.saturating_sub(self.bytes);
        let memory = self.town.server.memory_mib_max().unwrap_or(0);
        say("counting everything again");
        let lost = recount(&mut self.desks, &self.town.server.base).await?;
        self.town.server.shoot()?;
        let verified = self.town.program.verify()?;
        pause();
        let data = self.settings.data.clone();
        let after = tokio::task::spawn_blocking(move || Calibration::measure(&data)).await??;
        let (lag_s, lag_events) = self.lags.p99_s_and_events_max();
        Ok(LoadReport {
            people: self.settings.people,
            rounds: self.settings.rounds,
            connections: self.settings.connections,
            batch: self.settings.batch,
            before: self.before,
            after,
            import_per_s: self.town.import_per_s,
            stretches: self.stretches,
            acknowledged,
            resent,
            lost,
            doubled: events(&verified)? - self.events - i64::try_from(acknowledged)?,
            verify: verified["problems"][0].as_str().or(verified["verify"].as_str()).unwrap_or_default().to_owned(),
            follower_lag_s_p99: lag_s,
            follower_lag_events_max: lag_events,
            caught_up_s,
            facts_per_group: metrics.mean_since(&self.metrics, "baton_group_facts"),
            commit_ms: metrics.mean_since(&self.metrics, "baton_commit_seconds") * 1e3,
            server_cpu_us_per_fact: cpu_us as f64 / acknowledged.max(1) as f64,
            server_memory_mib_max: memory,
            disk_bytes_per_fact: bytes as f64 / acknowledged.max(1) as f64,
            normal_after_s,
        })
    }
}

/// One station of a stretch. Its requests are due at fixed times, whether the one before was answered or not:
/// what waits is late, and its delay counts.
async fn stand(number: usize, connections: usize, mut desk: Desk, pace: Pace, batch: usize, run: Stopwatch) -> anyhow::Result<(usize, Desk)> {
    let every_us = pace.rate.map(|rate| batch as f64 * 1e6 / rate);
    let stays = desk.left() - desk.left() / pace.one_in;
    let mut request = number;
    while desk.left() >= stays + batch && (run.us() as f64) < pace.seconds * 1e6 {
        let mut due = Stopwatch::start();
        if let Some(every_us) = every_us {
            let at_us = (request as f64 * every_us) as u64;
            if at_us as f64 >= pace.seconds * 1e6 {
                break;
            }
            let now_us = run.us();
            if at_us > now_us {
                tokio::time::sleep(Duration::from_micros(at_us - now_us)).await;
            }
            due = run.later_by_us(at_us);
        }
        while let Sent::Refused { retry_after_s } = desk.send(batch, due, run).await? {
            if !pace.again {
                desk.let_go(batch);
                break;
            }
            tokio::time::sleep(Duration::from_secs(retry_after_s.min(2))).await;
        }
        request += connections;
    }
    Ok((number, desk))
}

/// Where a desk's log stood when a stretch began.
#[derive(Clone, Copy)]
struct Mark {
    timings: usize,
    refusals: usize,
    acknowledged: usize,
    people: u64,
    notes: u64,
}

impl Mark {
    fn of(desk: &Desk) -> Self {
        let log = &desk.log;
        Self { timings: log.timings.len(), refusals: log.refusals.len(), acknowledged: log.acknowledged.len(), people: log.people, notes: log.notes }
    }
}

#[derive(Default)]
struct LookUps {
    took_us: Vec<u64>,
    refused: u64,
    shown: u64,
}

impl LookUps {
    fn add(&mut self, other: LookUps) {
        self.took_us.extend(other.took_us);
        self.refused += other.refused;
        self.shown += other.shown;
    }
}

fn ask(town: &Town, pace: Pace, run: Stopwatch) -> Vec<tokio::task::JoinHandle<anyhow::Result<LookUps>>> {
    if pace.look_ups == 0 {
        return Vec::new();
    }
    (0..ASKING).map(|number| tokio::spawn(ask_again(town.server.base.clone(), town.askers.clone(), number, pace, run))).collect()
}

async fn ask_again(base: String, askers: Vec<Asker>, number: u32, pace: Pace, run: Stopwatch) -> anyhow::Result<LookUps> {
    let mut wire = Wire::new(&base, None)?;
    let every_us = f64::from(ASKING) * 1e6 / f64::from(pace.look_ups);
    let mut found = LookUps::default();
    // A phone whose owner is shown their result asks from then on whether it moved, as the page does by itself.
    let mut phones: HashMap<usize, String> = HashMap::new();
    let mut turn = 0_u64;
    loop {
        let at_us = (turn as f64 * every_us + f64::from(number) * every_us / f64::from(ASKING)) as u64;
        if at_us as f64 >= pace.seconds * 1e6 || run.us() as f64 >= pace.seconds * 1e6 {
            return Ok(found);
        }
        if at_us > run.us() {
            tokio::time::sleep(Duration::from_micros(at_us - run.us())).await;
        }
        let who = (turn * u64::from(ASKING) + u64::from(number)) as usize % askers.len();
        let reply = match phones.get(&who) {
            Some(standing) => wire.get(standing).await?,
            None => wire.post("/result", "application/x-www-form-urlencoded", askers[who].form()).await?,
        };
        match reply.status {
            200 => found.took_us.push(run.us() - at_us),
            503 => found.refused += 1,
            status => anyhow::bail!("a look-up was answered with {status}: {}", String::from_utf8_lossy(&reply.body)),
        }
        if reply.status == 200 {
            let answer = String::from_utf8_lossy(&reply.body);
            if let Some(standing) = asks_at(&answer) {
                found.shown += 1;
                phones.insert(who, standing);
            } else if answer.contains("true") {
                phones.remove(&who);
            }
        }
        turn += 1;
    }
}

/// Where the page of a result asks whether it moved.
fn asks_at(page: &str) -> Option<String> {
    let standing = page.split("data-standing=\"").nth(1)?.split('"').next()?;
    Some(standing.replace("&amp;", "&"))
}

fn share(sorted: &[u64], share: f64) -> f64 {
    let at = ((sorted.len() as f64 * share).ceil() as usize).saturating_sub(1);
    sorted.get(at).map_or(0.0, |us| *us as f64 / 1e3)
}

fn reckon(name: &str, seconds: f64, pace: Pace, desks: &[Desk], marks: &[Mark], mut look_ups: LookUps) -> Stretch {
    let both = || desks.iter().zip(marks);
    let mut acks: Vec<u64> = both().flat_map(|(desk, mark)| &desk.log.timings[mark.timings..]).map(|timing| timing.from_due_us).collect();
    let mut refusals: Vec<u64> = both().flat_map(|(desk, mark)| &desk.log.refusals[mark.refusals..]).map(|refusal| refusal.took_us).collect();
    acks.sort_unstable();
    refusals.sort_unstable();
    look_ups.took_us.sort_unstable();
    let people: u64 = both().map(|(desk, mark)| desk.log.people - mark.people).sum();
    let facts: usize = both().map(|(desk, mark)| desk.log.acknowledged.len() - mark.acknowledged).sum();
    Stretch {
        name: name.to_owned(),
        seconds,
        offered_per_s: pace.rate.unwrap_or(0.0),
        people_per_s: people as f64 / seconds,
        facts_per_s: facts as f64 / seconds,
        ack_ms_p50: share(&acks, 0.5),
        ack_ms_p99: share(&acks, 0.99),
        ack_ms_p999: share(&acks, 0.999),
        refused: refusals.len() as u64,
        refusal_ms_p99: share(&refusals, 0.99),
        look_ups_per_s: look_ups.took_us.len() as f64 / seconds,
        look_up_ms_p99: share(&look_ups.took_us, 0.99),
        look_ups_refused: look_ups.refused,
        results_shown: look_ups.shown,
        notes: both().map(|(desk, mark)| desk.log.notes - mark.notes).sum(),
    }
}

/// The end of the last second of a stretch in which a request was refused or late by more than half a second.
fn quiet_after(desks: &[Desk], marks: &[Mark], seconds: f64) -> f64 {
    let refused = desks.iter().zip(marks).flat_map(|(desk, mark)| &desk.log.refusals[mark.refusals..]).map(|refusal| refusal.at_us);
    let late = desks.iter().zip(marks).flat_map(|(desk, mark)| &desk.log.timings[mark.timings..]).filter(|t| t.from_due_us > 500_000).map(|t| t.at_us);
    let last = refused.chain(late).max();
    last.map_or(0.0, |us| (us as f64 / 1e6).min(seconds))
}

async fn caught_up(boss: &Sayer) -> anyhow::Result<f64> {
    let watch = Stopwatch::start();
    while Town::metrics(boss).await?.get("baton_follower_lag_events") > 0.0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(watch.us() as f64 / 1e6)
}

/// Everything acknowledged is sent once more, some stations at a time.
async fn recount(desks: &mut Vec<Desk>, base: &str) -> anyhow::Result<u64> {
    let mut lost = 0;
    let mut waiting = std::mem::take(desks).into_iter();
    loop {
        let mut work = JoinSet::new();
        for mut desk in waiting.by_ref().take(8) {
            let base = base.to_owned();
            work.spawn(async move { desk.recount(&base).await });
        }
        if work.is_empty() {
            return Ok(lost);
        }
        while let Some(found) = work.join_next().await {
            lost += found??;
        }
    }
}
