//! `plan production`: job shops, and the reagent factory.

use std::path::PathBuf;
use std::process::ExitCode;

use baton_plan::production;
use baton_plan::production::factory::{self, Factory};
use clap::{Args, ValueEnum};
use serde_json::json;

use super::{Asked, Threads, read_json};

pub(super) const HELP: &str = "Examples:
  baton plan production ft06 --format jobshop --seconds 60 --out schedule.json
  baton plan production factory.json --format factory --out plan.json
  baton plan production factory.json --format factory --per-day 2600000
  baton plan production factory.json --format factory --plan plan.json --actual made.json

A factory, in 8 h shifts: {\"shifts\":21, \"quarantine_shifts\":6,
  \"stages\":[{\"id\",\"machines\",\"minutes_per_shift\",\"closed\":[],\"setup_minutes\",\"load_tests\",\"lag_shifts\",\"yield_permille\",\"keeps_shifts\":null}],
  \"products\":[{\"id\",\"load_minutes\":[one per stage],\"stock\":0,\"demand\":[tests per shift]}]}
What was made: {\"through_shift\":5, \"lots\":[{\"stage\":0,\"shift\":0,\"product\":0,\"started\":1000,\"good\":980}]}";

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum ProductionFormat {
    Jobshop,
    /// Operations that may run on one of several machines.
    Flexible,
    /// Baton's own: a reagent factory with stages, shifts, yields, quarantine and expiry.
    Factory,
}

#[derive(Args)]
pub(crate) struct Production {
    #[command(flatten)]
    asked: Asked,
    #[arg(long, value_enum)]
    format: ProductionFormat,
    /// Of a factory: can it deliver so many tests a day, what stands in the way, and what would help?
    #[arg(long, value_parser = clap::value_parser!(i64).range(0..=1_000_000_000))]
    per_day: Option<i64>,
    /// Of a factory: the plan that --actual is held against.
    #[arg(long, requires = "actual", conflicts_with = "per_day")]
    plan: Option<PathBuf>,
    /// Of a factory: what was made so far. Who is behind, and which deliveries will be missed?
    #[arg(long, requires = "plan")]
    actual: Option<PathBuf>,
}

impl Production {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let asked = &self.asked;
        let text = asked.read()?;
        if self.format == ProductionFormat::Factory {
            return self.factory(&text);
        }
        let parsed = if self.format == ProductionFormat::Jobshop { production::parse_job_shop(&text) } else { production::parse_flexible(&text) };
        let shop = parsed.map_err(|error| asked.wrong(error))?;
        let search = asked.search()?;
        let mut tell = search.teller();
        let crew = Threads(asked.threads.into());
        let plan = production::solve(&shop, asked.seed, &crew, &|| search.going(), &mut |progress| tell(progress.makespan));
        let report = production::check(&shop, &plan);
        asked.done(&serde_json::to_string(&plan)?, json!({"makespan": report.makespan, "bound": plan.bound}), &report.violations)
    }

    fn factory(&self, text: &str) -> anyhow::Result<ExitCode> {
        let asked = &self.asked;
        let factory: Factory = serde_json::from_str(text).map_err(|error| asked.wrong(error))?;
        factory.validate().map_err(|error| asked.wrong(error))?;
        let stage = |index: usize| factory.stages.get(index).map_or("?", |stage| &stage.id);
        if let Some(per_day) = self.per_day {
            let reach = factory::reach(&factory, per_day);
            let figures = json!({"reachable": reach.reachable, "most_per_day": reach.most_per_day, "binding": stage(reach.binding)});
            let mut written = serde_json::to_value(&reach)?;
            written["binding_stage"] = json!(stage(reach.binding));
            return asked.done(&written.to_string(), figures, &[]);
        }
        if let (Some(plan), Some(actual)) = (&self.plan, &self.actual) {
            let compared = factory::compare(&factory, &read_json(plan)?, &read_json(actual)?).map_err(|error| anyhow::anyhow!("{error}"))?;
            let missing: i64 = compared.endangered.iter().map(|one| one.missing - one.missing_in_plan).sum();
            let figures = json!({"farthest_behind": compared.farthest_behind, "endangered": compared.endangered.len(), "missing_more": missing});
            return asked.done(&serde_json::to_string(&compared)?, figures, &[]);
        }
        let plan = factory::solve(&factory);
        let report = factory::check(&factory, &plan);
        asked.done(&serde_json::to_string(&plan)?, json!({"delivered": report.delivered, "missing": report.missing}), &report.violations)
    }
}
