//! A vehicle works on a copy of the centre and sends it every fact, oldest first, until the centre has it.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use baton_desk::{App, Vehicle};
use baton_kit::AccountId;
use baton_ledger::{Event, hex, seal};
use clap::Args;
use hyper::{Request, header};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::installation::Where;
use crate::safekeeping::verify;
use crate::web;

/// Events looked at in one go; the centre takes as many facts at once.
const AT_ONCE: i64 = 500;
const ANSWER_WITHIN: Duration = Duration::from_secs(30);
const ANSWER_BYTES_MAX: usize = 16 << 20;
/// How often an idle vehicle looks for what is new, and how long it waits at most for a centre that is away.
const EVERY: Duration = Duration::from_secs(1);
const WAITS_AT_MOST: Duration = Duration::from_secs(30);
/// What passes; everything else the centre says of a fact stands.
const PASSING: [&str; 7] = ["lane-full", "shutting-down", "store-full", "store-away", "store-broken", "readers-busy", "budget-full"];

/// Written in `baton.json` of a copy: which vehicle it is, and up to where its ledger is the centre's.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Copied {
    number: u8,
    events: i64,
}

impl Copied {
    pub(crate) fn vehicle(self) -> anyhow::Result<Vehicle> {
        Vehicle::new(self.number).context("baton.json: a vehicle's number is 1 to 127")
    }
}

#[derive(Args)]
pub(crate) struct MakeVehicle {
    #[command(flatten)]
    at: Where,
    /// Its number, 1 to 127. No two vehicles of one centre have the same.
    #[arg(long)]
    number: u8,
}

impl MakeVehicle {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let place = self.at.existing()?;
        let _lock = self.at.lock()?;
        let mut settings = self.at.settings()?;
        if let Some(copied) = settings.vehicle {
            bail!("this copy is vehicle {} already: each vehicle has a copy of its own", copied.number);
        }
        let vehicle = Vehicle::new(self.number).context("a vehicle's number is 1 to 127")?;
        let verdict = verify(&place)?;
        ensure!(verdict.problems.is_empty(), "the copy does not verify: {}", verdict.problems[0]);
        settings.vehicle = Some(Copied { number: vehicle.number(), events: verdict.events });
        self.at.write_settings(&settings)?;
        println!("vehicle {} from {} events of the centre", vehicle.number(), verdict.events);
        Ok(ExitCode::SUCCESS)
    }
}

/// Where a vehicle sends to.
#[derive(Args)]
pub(crate) struct ToCentre {
    /// A vehicle sends what happened to this Baton whenever it answers: http://host:port.
    #[arg(long, env = "BATON_CENTRE", value_name = "URL", requires = "centre_token")]
    centre: Option<String>,
    /// File with the token of a device that the centre enrolled for this vehicle (`baton device add`).
    #[arg(long, env = "BATON_CENTRE_TOKEN", value_name = "FILE")]
    centre_token: Option<PathBuf>,
}

impl ToCentre {
    /// The sender, when there is a centre to send to.
    pub(crate) fn sender(&self, at: &Where, app: &App) -> anyhow::Result<Option<Sender>> {
        let (Some(centre), Some(token)) = (&self.centre, &self.centre_token) else { return Ok(None) };
        let copied = at.settings()?.vehicle.context("--centre is for a vehicle: make this copy one with `baton vehicle`")?;
        let token = std::fs::read_to_string(token).with_context(|| token.display().to_string())?;
        web::address(centre, "/")?;
        Ok(Some(Sender::new(app.clone(), copied, centre.clone(), token.trim().to_owned(), at.data.clone())?))
    }
}

/// Sends the facts of a vehicle's ledger; what was taken is remembered in `sent` of the data folder.
pub(crate) struct Sender {
    app: App,
    vehicle: Vehicle,
    centre: String,
    token: String,
    folder: PathBuf,
    /// Everything up to here is the centre's.
    sent: i64,
}

#[derive(Serialize)]
struct Said<'e> {
    device: u32,
    account: AccountId,
    facts: Vec<FactSaid<'e>>,
}

#[derive(Serialize)]
struct FactSaid<'e> {
    id: baton_kit::EventId,
    kind: &'e str,
    happened_us: i64,
    body: &'e RawValue,
}

#[derive(Deserialize)]
struct Answers {
    answers: Vec<serde_json::Value>,
}

impl Sender {
    pub(crate) fn new(app: App, copied: Copied, centre: String, token: String, folder: PathBuf) -> anyhow::Result<Self> {
        let sent = match std::fs::read_to_string(folder.join("sent")) {
            Ok(text) => text.trim().parse().context("sent: no number")?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => copied.events,
            Err(error) => return Err(error).context("sent"),
        };
        Ok(Self { app, vehicle: copied.vehicle()?, centre, token, folder, sent })
    }

    /// Sends until told to stop; a centre that is away is asked again, ever more slowly.
    pub(crate) async fn run(mut self, stop: impl Future<Output = ()>) {
        tokio::pin!(stop);
        let mut wait = EVERY;
        loop {
            let step = tokio::select! {
                () = &mut stop => return,
                step = self.step() => step,
            };
            let pause = match step {
                Ok(true) => Duration::ZERO,
                Ok(false) => EVERY,
                Err(problem) => {
                    tracing::warn!(%problem, centre = %self.centre, sent = self.sent, "the centre has not taken what happened here");
                    wait
                }
            };
            wait = if pause == wait { (wait * 2).min(WAITS_AT_MOST) } else { EVERY };
            tokio::select! {
                () = &mut stop => return,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Sends the next events; false when there are none.
    pub(crate) async fn step(&mut self) -> anyhow::Result<bool> {
        let (ledger, sent) = (self.app.ledger.clone(), self.sent);
        let events = tokio::task::spawn_blocking(move || ledger.events_after(sent, AT_ONCE)).await?.map_err(|problem| anyhow::anyhow!("{problem:?}"))?;
        let Some(last) = events.last() else { return Ok(false) };
        let kinds: Vec<&str> = self.app.rooms.iter().flat_map(|room| &room.facts).map(|door| door.kind).collect();
        let mut said: BTreeMap<AccountId, Vec<&Event>> = BTreeMap::new();
        for event in events.iter().filter(|event| kinds.contains(&event.kind.as_str())) {
            said.entry(event.actor.context("a fact that nobody said")?).or_default().push(event);
        }
        for (account, facts) in said {
            self.send(account, &facts).await?;
        }
        self.remember(last.ordinal)?;
        Ok(true)
    }

    async fn send(&self, account: AccountId, facts: &[&Event]) -> anyhow::Result<()> {
        let server = self.vehicle.server();
        let said =
            facts.iter().map(|event| Ok(FactSaid { id: event.id, kind: &event.kind, happened_us: event.happened.0, body: serde_json::from_str(&event.body)? }));
        let said = serde_json::to_string(&Said { device: server.number(), account, facts: said.collect::<anyhow::Result<_>>()? })?;
        let under = seal(&self.app.ledger.secrets().sealing_key(server), &said);
        let body = serde_json::json!({"said": said, "seal": hex(&under)}).to_string();
        let request = Request::post(web::address(&self.centre, "/v1/facts/carried")?)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::AUTHORIZATION, format!("Bearer {}", self.token))
            .body(body.into())?;
        let (status, answer) = web::ask(request, ANSWER_WITHIN, ANSWER_BYTES_MAX).await?;
        ensure!(status.is_success(), "{status}: {}", String::from_utf8_lossy(&answer));
        let answers: Answers = serde_json::from_slice(&answer).context("the centre's answer")?;
        ensure!(answers.answers.len() == facts.len(), "the centre answered to {} of {} facts", answers.answers.len(), facts.len());
        let codes = answers.answers.iter().map(|answer| answer.pointer("/refusal/code").and_then(serde_json::Value::as_str));
        for (fact, code) in facts.iter().zip(codes) {
            match code {
                None => {}
                Some(code) if PASSING.contains(&code) => bail!("{code}"),
                Some(code) => self.keep_apart(fact, code)?,
            }
        }
        Ok(())
    }

    /// What the centre will never take stays in this ledger, and is listed for a person.
    fn keep_apart(&self, fact: &Event, code: &str) -> anyhow::Result<()> {
        tracing::error!(id = %fact.id, kind = %fact.kind, code, "the centre refuses a fact");
        let mut list = OpenOptions::new().create(true).append(true).open(self.folder.join("refused.jsonl")).context("refused.jsonl")?;
        writeln!(list, "{}", serde_json::json!({"id": fact.id, "kind": fact.kind, "refusal": code}))?;
        list.sync_all().context("refused.jsonl")
    }

    /// Sent twice counts once, so that a cut between the answer and this is harmless.
    fn remember(&mut self, ordinal: i64) -> anyhow::Result<()> {
        let next = self.folder.join("sent.next");
        let mut file = std::fs::File::create(&next).context("sent")?;
        write!(file, "{ordinal}")?;
        file.sync_all().context("sent")?;
        std::fs::rename(next, self.folder.join("sent")).context("sent")?;
        self.sent = ordinal;
        Ok(())
    }
}
