//! `plan roster`: rosters, re-plans after a sick call, and what an existing roster breaks.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use baton_plan::roster::relay::{self, Absence, Duty, Relay, RelayPlan};
use baton_plan::roster::rules::{self, RuleSet};
use baton_plan::roster::solve::Budget;
use baton_plan::roster::{self};
use baton_sheets::{ColumnKind, Limits};
use clap::{Args, ValueEnum};
use serde_json::json;

use super::{Asked, Threads};

pub(super) const HELP: &str = "Examples:
  baton plan roster Instance1.txt --format schedulingbenchmarks --seconds 60 --seed 1 --out roster.json
  baton plan roster desk.json --format relay --seconds 10 --out roster.json
  baton plan roster desk.json --format relay --published roster.json --away wang:4-8 --begun-days 3 --out again.json
  baton plan roster desk.json --format relay --check april.xlsx --rules hse-good-practice --monday 2022-04-04 --out breaches.json

A roster that is read (--check, --published) is JSON, [{\"day\":0,\"shift\":\"early\",\"post\":\"front\",\"person\":\"wang\"}, …] or a plan with `duties`,
or CSV or XLSX with the columns day, shift, post, person. Day 0 is the Monday. --out ending in .xlsx writes the duties as a sheet.";

#[derive(Clone, Copy, ValueEnum)]
enum RosterFormat {
    Schedulingbenchmarks,
    /// Baton's own: posts, skills, wishes around the clock.
    Relay,
}

#[derive(Args)]
pub(crate) struct Roster {
    #[command(flatten)]
    asked: Asked,
    #[arg(long, value_enum)]
    format: RosterFormat,
    /// Of a relay: plan nothing, but say what this roster breaks and lacks.
    #[arg(long, value_name = "ROSTER", conflicts_with_all = ["published", "away"])]
    check: Option<PathBuf>,
    /// The set of rules for --check: prc-labour-law, hse-good-practice, uk-night-work, volunteers.
    #[arg(long, default_value = "prc-labour-law", value_parser = rule_set)]
    rules: RuleSet,
    /// The date of day 0, a Monday.
    #[arg(long, default_value = "2024-01-01", value_parser = |text: &str| rules::monday(text).ok_or("is no Monday such as 2022-04-04"))]
    monday: i64,
    /// How far the local clock is ahead of UTC.
    #[arg(long, default_value = "480", allow_hyphen_values = true, value_parser = clap::value_parser!(i32).range(-1_439..=1_439))]
    utc_offset_minutes: i32,
    /// Of a relay: the roster that people know; as much of it as can stays.
    #[arg(long, value_name = "ROSTER")]
    published: Option<PathBuf>,
    /// Who is away, and from which day to which: wang:4-8.
    #[arg(long, value_name = "PERSON:FROM-UNTIL", value_parser = away)]
    away: Vec<Absence>,
    /// Days that have begun: what is published for them stays.
    #[arg(long)]
    begun_days: Option<usize>,
}

fn rule_set(id: &str) -> Result<RuleSet, String> {
    let sets = rules::rule_sets();
    let known = sets.iter().map(|set| set.id.as_str()).collect::<Vec<_>>().join(", ");
    sets.into_iter().find(|set| set.id == id).ok_or_else(|| format!("is none of {known}"))
}

fn away(text: &str) -> Result<Absence, String> {
    let parts = text.rsplit_once(':').and_then(|(person, days)| {
        let (from, until) = days.split_once('-').unwrap_or((days, days));
        Some((person, from.parse().ok()?, until.parse().ok()?))
    });
    let (person, from_day, until_day) = parts.ok_or("is no PERSON:FROM-UNTIL such as wang:4-8")?;
    Ok(Absence { person: person.to_owned(), from_day, until_day })
}

impl Roster {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let text = self.asked.read()?;
        match self.format {
            RosterFormat::Schedulingbenchmarks => {
                if self.check.is_some() || self.published.is_some() || !self.away.is_empty() || self.begun_days.is_some() {
                    bail!("--check, --published, --away and --begun-days are for --format relay");
                }
                self.benchmark(&text)
            }
            RosterFormat::Relay => {
                let mut relay = relay::parse(&text).map_err(|error| self.asked.wrong(error))?;
                match &self.check {
                    Some(file) => self.review(&relay, file),
                    None => {
                        self.amend(&mut relay)?;
                        self.relay(&relay)
                    }
                }
            }
        }
    }

    fn benchmark(&self, text: &str) -> anyhow::Result<ExitCode> {
        let asked = &self.asked;
        let problem = roster::format::parse(text).map_err(|error| asked.wrong(error))?;
        let search = asked.search()?;
        let spent = || search.spent() as f32;
        let mut tell = search.teller();
        let budget = asked.work.map_or(Budget::Share(&spent), Budget::Work);
        let plan = roster::solve::solve(&problem, asked.seed, &Threads(asked.threads.into()), budget, &mut |progress| tell(progress.objective));
        let report = roster::check::check(&problem, &plan);
        let violations: Vec<String> = report.violations.iter().map(|violation| format!("{violation:?}")).collect();
        let figures = json!({"objective": report.objective(), "assignments": plan.assignments.len()});
        asked.done(&roster::format::write_plan(&problem, &plan, report.objective()), figures, &violations)
    }

    fn amend(&self, relay: &mut Relay) -> anyhow::Result<()> {
        if let Some(file) = &self.published {
            relay.published = read_roster(file)?;
        }
        relay.begun_days = self.begun_days.unwrap_or(relay.begun_days);
        relay.absences.extend(self.away.iter().cloned());
        relay.validate().map_err(|error| self.asked.wrong(error))
    }

    fn relay(&self, relay: &Relay) -> anyhow::Result<ExitCode> {
        let asked = &self.asked;
        let search = asked.search()?;
        let spent = || search.spent() as f32;
        let mut tell = search.teller();
        let budget = asked.work.map_or(Budget::Share(&spent), Budget::Work);
        let crew = Threads(asked.threads.into());
        let plan = relay::plan(relay, asked.seed, &crew, budget, &mut |progress| tell(progress.objective)).map_err(|error| asked.wrong(error))?;
        let missing: u32 = plan.unfilled.iter().map(|unfilled| unfilled.missing).sum();
        let changes = (plan.added.len(), plan.removed.len());
        let figures = json!({"objective": plan.objective, "duties": plan.duties.len(), "missing": missing, "added": changes.0, "removed": changes.1});
        match asked.out.as_deref().filter(|out| out.extension().is_some_and(|kind| kind == "xlsx")) {
            Some(out) => asked.done_with(|| write_sheet(out, &plan), figures, &plan.broken),
            None => asked.done(&serde_json::to_string(&plan)?, figures, &plan.broken),
        }
    }

    /// An existing roster is a fact: what it breaks is told, and nothing is refused.
    fn review(&self, relay: &Relay, file: &Path) -> anyhow::Result<ExitCode> {
        let roster = read_roster(file)?;
        let review = relay::review(relay, &roster, self.monday, self.utc_offset_minutes, &self.rules);
        let review = review.map_err(|error| anyhow::anyhow!("{}: {error}", file.display()))?;
        let missing: u32 = review.unfilled.iter().map(|unfilled| unfilled.missing).sum();
        let hard = review.breaches.iter().filter(|breach| breach.hard).count();
        let figures = json!({"rules": self.rules.id, "duties": review.duties, "broken": review.broken.len(), "breaches": review.breaches.len(), "hard": hard, "missing": missing});
        for broken in review.broken.iter().take(20) {
            let day = broken.day.map_or_else(String::new, |day| format!(", day {day}"));
            eprintln!("{}: {} (by {}){day}", broken.person, broken.rule, broken.amount);
        }
        for breach in review.breaches.iter().filter(|breach| breach.hard).take(20) {
            eprintln!("{}, {}: {} — {}, limit {} ({})", breach.person, breach.date, breach.rule, breach.found, breach.limit, breach.source);
        }
        self.asked.done(&serde_json::to_string(&review)?, figures, &[])
    }
}

/// Duties from JSON (a list, or a plan that holds `duties`), CSV or XLSX.
fn read_roster(file: &Path) -> anyhow::Result<Vec<Duty>> {
    let bytes = super::read_bytes(file)?;
    let name = file.display().to_string();
    match bytes.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'[') => serde_json::from_slice(&bytes).context(name),
        Some(b'{') => {
            let mut plan: serde_json::Value = serde_json::from_slice(&bytes).with_context(|| name.clone())?;
            serde_json::from_value(plan["duties"].take()).with_context(|| format!("{name}: duties"))
        }
        _ => sheet(&bytes, &name),
    }
}

fn sheet(bytes: &[u8], name: &str) -> anyhow::Result<Vec<Duty>> {
    let table = baton_sheets::read(bytes, name, Limits::default()).map_err(|error| anyhow::anyhow!("{name}: {error:?}"))?;
    let column = |header: &str| table.column(header).with_context(|| format!("{name}: row {}: no column `{header}`", table.header_row));
    let (day, shift, post, person) = (column("day")?, column("shift")?, column("post")?, column("person")?);
    let duty = |row: &baton_sheets::Row| {
        let cell = row.cell(day).trim();
        let number = cell.parse().map_err(|_| anyhow::anyhow!("{name}: row {}, day: `{cell}` is not a whole number", row.number))?;
        let text = |column: usize| row.cell(column).trim().to_owned();
        Ok(Duty { day: number, shift: text(shift), post: text(post), person: text(person) })
    };
    table.rows.iter().map(duty).collect()
}

fn write_sheet(out: &Path, plan: &RelayPlan) -> anyhow::Result<()> {
    let rows = plan.duties.iter().map(|duty| [duty.day.to_string(), duty.shift.clone(), duty.post.clone(), duty.person.clone()]);
    let kinds = [ColumnKind::Text; 4];
    let book = baton_sheets::write_xlsx("roster", &["day", "shift", "post", "person"], rows, &kinds).map_err(anyhow::Error::msg)?;
    std::fs::write(out, book).with_context(|| out.display().to_string())
}
