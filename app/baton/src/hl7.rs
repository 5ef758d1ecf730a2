//! `hl7`: results and orders as files of messages, and messages sent to others.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use baton_desk::accounts::events::PersonsViewed;
use baton_exchange::hl7::{Addressed, mllp, order, result};
use baton_exchange::store::{self, Passed};
use baton_kit::{AnyId, Bucket, TubeId, TypedId};
use baton_ledger::{Draft, Tx, Undecided};
use clap::{Args, Subcommand};

use crate::installation::{Where, in_words, language, wait_for};

#[derive(Subcommand)]
pub(crate) enum Hl7Command {
    /// Write what is released as ORU^R01 messages, or the orders as OML^O21.
    #[command(after_help = "Example:\n  baton hl7 export --data /srv/baton --since '2026-03-27 08:00' --out results.hl7")]
    Export(Export),
    /// Send messages of a file by MLLP, one after the other, and say how each was answered.
    #[command(after_help = "Example:\n  baton hl7 send --to 10.0.0.7:2575 results.hl7")]
    Send(Send),
}

#[derive(Args)]
pub(crate) struct Export {
    #[command(flatten)]
    at: Where,
    /// Only the tube with this label.
    #[arg(long)]
    tube: Option<String>,
    /// Only what was released since, in the site's own time.
    #[arg(long)]
    since: Option<String>,
    /// Orders instead of results.
    #[arg(long)]
    orders: bool,
    /// Application and facility the messages are for.
    #[arg(long, num_args = 2, value_names = ["APPLICATION", "FACILITY"])]
    receiver: Vec<String>,
    /// A file; standard output when left out.
    #[arg(long)]
    out: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct Send {
    /// Where the other side listens.
    #[arg(long, value_name = "ADDRESS")]
    to: String,
    /// A file of messages; standard input when left out.
    file: Option<PathBuf>,
    /// How long to wait for each answer, in seconds.
    #[arg(long, default_value_t = 30)]
    patience: u64,
}

impl Hl7Command {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Hl7Command::Export(export) => export.run(),
            Hl7Command::Send(send) => send.run(),
        }
    }
}

impl Export {
    fn run(self) -> anyhow::Result<ExitCode> {
        let held = self.at.hold()?;
        let app = held.app.clone();
        let since = match &self.since {
            Some(text) => app.site.parse(text).with_context(|| format!("--since {text}: a time is written 2026-03-27 08:00"))?.0,
            None => 0,
        };
        let mut out: Box<dyn Write> = match &self.out {
            Some(path) => Box::new(std::io::BufWriter::new(std::fs::File::create(path).with_context(|| path.display().to_string())?)),
            None => Box::new(std::io::stdout().lock()),
        };
        let refused = |undecided| match undecided {
            Undecided::Refused(refusal) => in_words(&app, &refusal),
            Undecided::Store(error) => anyhow::Error::new(error),
        };
        let (mut messages, mut after) = (0, (0, 0, 0));
        let mut done: BTreeSet<TubeId> = BTreeSet::new();
        let mut seen = Vec::new();
        loop {
            let (tubes, next) = app.ledger.read(|tx| Ok(self.page(tx, since, after)?)).map_err(refused)?;
            for tube in tubes {
                if done.insert(tube) {
                    for text in app.ledger.read(|tx| self.of_tube(tx, &app, tube, &mut seen)).map_err(refused)? {
                        out.write_all(text.as_bytes())?;
                        messages += 1;
                    }
                }
            }
            looked(&app, std::mem::take(&mut seen))?;
            match next {
                Some(next) => after = next,
                None => break,
            }
        }
        out.flush()?;
        eprintln!("{messages} messages");
        Ok(ExitCode::SUCCESS)
    }

    /// The next tubes to be told of, and where to go on.
    fn page(&self, tx: &mut Tx<'_>, since: i64, after: Passed) -> baton_ledger::StoreResult<(Vec<TubeId>, Option<Passed>)> {
        if let Some(label) = &self.tube {
            let tubes = baton_laboratory::store::tubes_by_code(tx, label)?;
            return Ok((tubes.into_iter().map(|clock| clock.tube).collect(), None));
        }
        if self.orders {
            let from = TubeId::from_raw(after.0).map_err(|error| baton_ledger::StoreError::Other(error.to_string()))?;
            let tubes = baton_laboratory::store::tubes_after(tx, from, 1_000)?;
            let next = tubes.last().map(|last| (last.raw(), 0, 0));
            return Ok((tubes, next));
        }
        let told = store::told_between(tx, since, i64::MAX, after, 1_000)?;
        let next = told.last().map(|(at, tube, event)| (*at, tube.raw(), event.raw()));
        Ok((told.into_iter().map(|(_, tube, _)| tube).collect(), next))
    }

    fn of_tube(&self, tx: &mut Tx<'_>, app: &baton_desk::App, tube: TubeId, seen: &mut Vec<AnyId>) -> Result<Vec<String>, Undecided> {
        let words = app.texts.words(language());
        let to = (self.receiver.first().map_or("", String::as_str), self.receiver.get(1).map_or("", String::as_str));
        let mut texts = Vec::new();
        for unit in store::units_of_tube(tx, tube)? {
            seen.extend(unit.person().map(baton_desk::any_id));
            let person = unit.person().map_or(Ok(None), |person| baton_registry::store::person_brief(tx, app.ledger.vault(), person))?;
            let addressed = Addressed { facility: &app.name, to, now_us: app.ledger.now().0, person: person.as_ref() };
            let message = if self.orders { Some(order(&unit, &addressed)) } else { result(&unit, &addressed, &|key| words.t(key)) };
            texts.extend(message.map(|message| message.write()));
        }
        Ok(texts)
    }
}

/// Whoever's result was written out is put on record as looked at.
fn looked(app: &baton_desk::App, mut subjects: Vec<AnyId>) -> anyhow::Result<()> {
    subjects.sort_unstable();
    subjects.dedup();
    for subjects in subjects.chunks(1_000) {
        let body = PersonsViewed { subjects: subjects.to_vec(), purpose: "hl7-export".to_owned() };
        let draft = Draft::of(app.ledger.next_id(Bucket::INSTALLATION)?, app.ledger.now(), None, &body)?;
        for answer in app.ledger.record_now(vec![draft]).map_err(|refusal| in_words(app, &refusal))? {
            answer.map_err(|refusal| in_words(app, &refusal))?;
        }
    }
    Ok(())
}

impl Send {
    fn run(self) -> anyhow::Result<ExitCode> {
        let mut bytes = Vec::new();
        match &self.file {
            Some(path) => bytes = std::fs::read(path).with_context(|| path.display().to_string())?,
            None => _ = std::io::stdin().read_to_end(&mut bytes)?,
        }
        let messages: Vec<String> =
            baton_hl7::split(&bytes).into_iter().map(|part| String::from_utf8_lossy(part).replace("\r\n", "\r").replace('\n', "\r")).collect();
        if messages.is_empty() {
            bail!("there is no message in it: a message begins with MSH at the start of a line");
        }
        let answers = wait_for(mllp::send(&self.to, &messages, Duration::from_secs(self.patience)))?.with_context(|| self.to.clone())?;
        let mut taken = 0;
        for (message, answer) in messages.iter().zip(&answers) {
            let control = baton_hl7::parse(message.as_bytes()).map(|(message, _)| message.control_id().to_owned()).unwrap_or_default();
            let (verdict, detail) = match baton_hl7::parse(answer.as_bytes()) {
                Ok((answer, _)) => (answer.get("MSA", 1, 1).to_owned(), answer.get("ERR", 8, 1).to_owned()),
                Err(error) => (String::new(), error.to_string()),
            };
            taken += usize::from(verdict == "AA" || verdict == "CA");
            println!("{control} {verdict} {detail}");
        }
        println!("{taken} of {} taken", messages.len());
        Ok(if taken == messages.len() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}
