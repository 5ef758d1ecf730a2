//! A day of the city played to a running server: whatever happens is said over HTTP, by as many devices as there are hands.
//!
//! Virtual time moves in steps. Within a step all facts of all actors go out at once, each device in its own order; then,
//! at the end of the step, the decisions that are due are taken one after the other. What is said, under which ids and
//! what is decided when is therefore the same for the same seed, however the requests run past each other.
//!
//! Nothing is planned that depends on Baton's answers. Runs are read when they end, results are signed as people sign them,
//! a run with a failed control is done again, and whoever is on the follow-up list is swabbed singly the same day.

mod bench;
mod field;
mod labels;
mod reckoning;
mod setup;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use anyhow::{Context, bail};
use baton_kit::time::MINUTE_US;
use baton_kit::{AccountId, Bucket, PlaceId, Timestamp, TypedId};
use baton_pcr::rules::RuleSet;
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::assay::AssaySettings;
use crate::client::{Client, Sayer};
use crate::infection::{Epidemic, EpidemicSettings};
use crate::people::City;
use crate::script::{Act, Day, DaySettings, Mishaps, Role};
use crate::truth::{Score, Truth};
use labels::Labels;

pub use reckoning::Turnaround;
pub use setup::{DemoLogin, PASSWORD};

/// Between two forecasts that the laboratory's director asks for.
const FORETELL_US: i64 = 30 * MINUTE_US;

/// Who may set everything up.
#[derive(Clone, Debug)]
pub struct Credentials {
    pub login: String,
    pub password: String,
}

/// What is played.
#[derive(Clone, Debug)]
pub struct PlaySettings {
    pub seed: u64,
    pub people: u32,
    pub epidemic: EpidemicSettings,
    /// When the points open.
    pub opens: Timestamp,
    /// Swabs of one tube.
    pub ratio: u32,
    pub mishaps: Mishaps,
    /// Name of the assay's rule set.
    pub assay: String,
    pub instruments: AssaySettings,
    /// Length of a step of virtual time.
    pub step_us: i64,
    /// Rounds of single swabs at most.
    pub follow_ups_max: u32,
    /// Requests under way at once.
    pub requests_max: usize,
}

impl PlaySettings {
    /// An ordinary day for so many people.
    pub fn new(seed: u64, people: u32, opens: Timestamp) -> Self {
        Self {
            seed,
            people,
            epidemic: EpidemicSettings::default(),
            opens,
            ratio: 10,
            mishaps: Mishaps::default(),
            assay: "orf1ab-n-ic".to_owned(),
            instruments: AssaySettings::default(),
            step_us: 5 * MINUTE_US,
            follow_ups_max: 4,
            requests_max: 24,
        }
    }
}

/// How far a play is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stage {
    SettingUp,
    Importing,
    /// The day itself is 0.
    Round(u32),
    Reckoning,
}

/// The world outside: the server's clock and whoever watches.
pub struct Around<'a> {
    /// Moves the server's clock forward.
    pub clock: &'a (dyn Fn(Timestamp) + Sync),
    /// Hears how much of a stage is done.
    pub progress: &'a (dyn Fn(Stage, u64, u64) + Sync),
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub people: u32,
    pub sampled: usize,
    pub tubes: usize,
    pub boxes: usize,
    pub plates: usize,
    /// Wells that held a specimen or a control, over all runs.
    pub wells: u64,
    pub runs: u64,
    /// Results released, by name.
    pub released: BTreeMap<String, u64>,
    pub follow_up_rounds: u32,
    pub facts: u64,
    pub decisions: u64,
    /// What the sayers were told at once, by code.
    pub notes: BTreeMap<String, u64>,
    pub score: Score,
    pub turnaround: Turnaround,
    /// The evening as Baton judges its own forecasts; nothing when none was made.
    pub evening: Option<Value>,
    pub logins: Vec<DemoLogin>,
    /// When the last thing happened.
    pub ended: Timestamp,
}

/// Everything known while playing.
struct Play<'a> {
    settings: PlaySettings,
    around: Around<'a>,
    epidemic: Epidemic,
    rules: RuleSet,
    admin: Credentials,
    client: Client,
    /// The administrator as signed in last.
    boss: Sayer,
    zones: Vec<PlaceId>,
    points: Vec<PlaceId>,
    laboratories: Vec<PlaceId>,
    lots: setup::Lots,
    campaign: String,
    /// Number of the person in Baton by number in the city; 0 for those who are not known.
    people: Vec<i64>,
    accounts: HashMap<String, AccountId>,
    logins: Vec<DemoLogin>,
    truth: Truth,
    gate: Arc<Semaphore>,
    tally: Tally,
    now: Timestamp,
}

#[derive(Default)]
struct Tally {
    wells: u64,
    runs: u64,
    plates: usize,
    tubes: usize,
    boxes: usize,
    facts: u64,
    decisions: u64,
    released: BTreeMap<String, u64>,
    notes: BTreeMap<String, u64>,
}

/// Something to be decided at the end of a step.
#[derive(Clone, Debug)]
enum Decision {
    Admit {
        actor: u32,
        package: u32,
    },
    Fill {
        actor: u32,
        plate: u32,
    },
    Read {
        actor: u32,
        plate: u32,
        attempt: u32,
    },
    /// Negatives by rule, and the first signature under the rest.
    SignFirst {
        actor: u32,
        plate: u32,
    },
    /// The director's signature.
    SignSecond {
        plate: u32,
        tubes: Vec<String>,
    },
}

/// One actor while their day runs.
struct Hand {
    sayer: Arc<Sayer>,
    role: Role,
    account: AccountId,
    /// Where their events are kept.
    bucket: Bucket,
    /// Places in the list of actions.
    ahead: VecDeque<usize>,
    /// Waits for a decision.
    blocked: bool,
    not_before: Timestamp,
    last_scan: Option<String>,
}

/// A plate on the bench.
#[derive(Clone, Debug, Default)]
struct PlateNow {
    id: String,
    run: String,
    /// Whether the run that was read last shows a negative tube.
    any_negative: bool,
    layout: Vec<Value>,
}

/// One round of the day while it is played.
struct Round {
    day: Day,
    hands: Vec<Hand>,
    due: BTreeMap<(Timestamp, u64), Decision>,
    put: u64,
    labels: Labels,
    tube_ids: Vec<String>,
    tube_of: HashMap<String, u32>,
    box_ids: Vec<String>,
    accessioned: Vec<bool>,
    plates: Vec<PlateNow>,
    directors: Vec<Arc<Sayer>>,
    left: usize,
}

/// Plays a city's day to the server at `base`, from the first place to the last signature.
///
/// # Errors
/// When the server refuses what the city has a right to, or cannot be reached.
pub async fn run(base: &str, admin: Credentials, settings: PlaySettings, around: Around<'_>) -> anyhow::Result<Outcome> {
    let mut play = setup::set_up(base, admin, settings, around).await?;
    let first = play.first_day();
    play.prepare_places(&first).await?;
    play.play_round(&first).await?;
    let mut followed = Vec::new();
    let mut last = first;
    for _ in 0..play.settings.follow_ups_max {
        let people = play.follow_up_list().await?;
        if people.is_empty() {
            break;
        }
        let next = last.follow_up(&play.epidemic, &people, play.now.plus_us(20 * MINUTE_US));
        play.play_round(&next).await?;
        followed.extend(people);
        last = next;
    }
    play.reckon(followed, last.round, last.people).await
}

/// Plays the first round only up to an hour of the day: what is under way then stays so. Gives whoever can sign in.
///
/// # Errors
/// As [`run`].
pub async fn begin(base: &str, admin: Credentials, settings: PlaySettings, until: Timestamp, around: Around<'_>) -> anyhow::Result<Vec<DemoLogin>> {
    let mut play = setup::set_up(base, admin, settings, around).await?;
    let first = play.first_day();
    play.prepare_places(&first).await?;
    play.play_round_until(&first, until).await?;
    Ok(play.logins)
}

impl Play<'_> {
    fn first_day(&self) -> Day {
        let settings = &self.settings;
        let settings = DaySettings { opens: settings.opens, ratio: settings.ratio, plate_tubes: self.plate_tubes(), mishaps: settings.mishaps };
        Day::plan(&self.epidemic, settings)
    }

    fn plate_tubes(&self) -> u32 {
        let controls: usize = self.rules.controls.iter().map(|rule| rule.min_wells).sum();
        96 - controls as u32
    }

    fn move_to(&mut self, at: Timestamp) {
        self.now = self.now.max(at);
        (self.around.clock)(self.now);
    }

    async fn play_round(&mut self, day: &Day) -> anyhow::Result<()> {
        self.play_round_until(day, Timestamp(i64::MAX)).await
    }

    async fn play_round_until(&mut self, day: &Day, end: Timestamp) -> anyhow::Result<()> {
        self.truth.record(day);
        self.tally.tubes += day.tubes.len();
        self.tally.boxes += day.boxes.len();
        self.tally.plates += day.plates.len();
        let mut round = self.open_round(day).await?;
        let all = round.left as u64;
        let mut until = day.actions.first().map_or(day.settings.opens, |action| action.at);
        let mut ask_at = until.plus_us(2 * FORETELL_US);
        loop {
            until = until.plus_us(self.settings.step_us);
            let Some(next) = round.next_at().filter(|next| *next < end) else { break };
            until = until.max(next);
            let batches = self.facts_until(&mut round, until)?;
            self.move_to(until);
            self.send(batches).await?;
            while let Some(decision) = round.take_due(until) {
                self.take(&mut round, decision).await?;
            }
            if day.round == 0 && until >= ask_at {
                self.foretell(&round).await?;
                ask_at = until.plus_us(FORETELL_US);
            }
            (self.around.progress)(Stage::Round(day.round), all - round.left as u64, all);
        }
        Ok(())
    }

    /// The director asks when the last result will be out. When nothing is under way there is nothing to tell.
    async fn foretell(&mut self, round: &Round) -> anyhow::Result<()> {
        let director = &round.directors[0];
        let id = director.next_id(bucket_of(self.laboratories[0]));
        match director.post("/v1/outlook/forecasts", &json!({"id": id})).await {
            Ok(_) => self.tally.facts += 1,
            Err(failure) if failure.code() == "outlook-nothing-under-way" => {}
            Err(failure) => bail!("a forecast: {failure}"),
        }
        Ok(())
    }

    /// Sends every actor's batches at once, each in its order; a bounded number of requests is under way.
    async fn send(&mut self, batches: Vec<(Arc<Sayer>, Vec<field::Batch>)>) -> anyhow::Result<()> {
        let mut under_way = JoinSet::new();
        for (sayer, batches) in batches {
            let gate = self.gate.clone();
            under_way.spawn(async move {
                let _permit = gate.acquire_owned().await?;
                let mut told = Vec::new();
                for batch in batches {
                    told.extend(batch.send(&sayer).await?);
                }
                anyhow::Ok(told)
            });
        }
        while let Some(told) = under_way.join_next().await {
            for told in told?? {
                match told {
                    field::Told::Fact(notes) => {
                        self.tally.facts += 1;
                        for note in notes {
                            *self.tally.notes.entry(note).or_default() += 1;
                        }
                    }
                    field::Told::Registered { person, id } => {
                        self.tally.facts += 1;
                        if self.people[person as usize] != id {
                            bail!("person {person} is registered under two numbers");
                        }
                    }
                }
            }
        }
        Ok(())
    }
}

impl Round {
    /// When the next thing happens that nothing else waits for.
    fn next_at(&self) -> Option<Timestamp> {
        let waiting = self.hands.iter().filter(|hand| !hand.blocked);
        let acts = waiting.filter_map(|hand| Some(self.day.actions[*hand.ahead.front()?].at));
        acts.chain(self.due.keys().map(|(at, _)| *at)).min()
    }

    fn put(&mut self, at: Timestamp, decision: Decision) {
        self.put += 1;
        self.due.insert((at, self.put), decision);
    }

    fn take_due(&mut self, until: Timestamp) -> Option<Decision> {
        let first = self.due.first_entry()?;
        (first.key().0 <= until).then(|| first.remove())
    }
}

fn text<'v>(value: &'v Value, name: &str) -> anyhow::Result<&'v str> {
    value[name].as_str().with_context(|| format!("no `{name}` in {value}"))
}

fn list<'v>(value: &'v Value, name: &str) -> anyhow::Result<&'v [Value]> {
    let Some(list) = value[name].as_array() else { bail!("no list `{name}` in {value}") };
    Ok(list)
}

/// The bucket in which a place's events are kept.
fn bucket_of(place: PlaceId) -> Bucket {
    place.bucket()
}

fn city_of(settings: &PlaySettings) -> City {
    City::new(settings.seed, settings.people)
}

/// Actions that are one decision each are counted when the decision is taken, all others when they are sent.
fn is_decision(act: Act, role: Role) -> bool {
    match act {
        Act::AcceptBox { .. } => matches!(role, Role::Reception { .. }),
        Act::FillPlate { .. } | Act::FinishRun { .. } => true,
        _ => false,
    }
}
