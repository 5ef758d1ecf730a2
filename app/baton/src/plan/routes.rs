//! `plan routes`: customers in time windows, couriers against the age of tubes, shuttles with seats.

use std::path::PathBuf;
use std::process::ExitCode;

use baton_plan::routes;
use baton_plan::routes::couriers::{self, Published};
use baton_plan::routes::shuttles;
use clap::{Args, ValueEnum};
use serde_json::json;

use super::osrm::Travel;
use super::{Asked, Threads, number, read_json};

pub(super) const HELP: &str = "Examples:
  baton plan routes R101.txt --format solomon --seconds 60 --seed 1 --out routes.json
  baton plan routes evening.json --format couriers --seconds 10 --out plan.json
  baton plan routes evening.json --format couriers --osrm http://127.0.0.1:5000 --out plan.json
  baton plan routes evening.json --format couriers --published plan.json --now 480 --out again.json
  baton plan routes night.json --format shuttles --seconds 10 --out tours.json

Couriers, in whole minutes of one clock: {\"age_minutes_max\":360, \"minutes\":[[0,20],[20,0]],
  \"laboratories\":[{\"id\",\"place\",\"opens\",\"closes\",\"unload_minutes\",\"intake_per_hour\"}],
  \"vans\":[{\"id\",\"place\",\"shift_starts\",\"shift_ends\",\"tubes_max\"}],
  \"boxes\":[{\"id\",\"place\",\"tubes\",\"swabbed\",\"ready\",\"load_minutes\"}]}
Shuttles: {\"minutes\":[[0,20],[20,0]], \"buses\":[{\"id\",\"place\",\"shift_starts\",\"shift_ends\",\"seats\"}],
  \"groups\":[{\"id\",\"from\",\"to\",\"people\",\"ready\",\"due\",\"ride_minutes_max\",\"board_minutes\"}]}
Instead of `minutes`: \"places\":[{\"longitude\",\"latitude\"}] with \"straight_line\":{\"factor\":1.3,\"km_per_hour\":40} or --osrm.";

#[derive(Clone, Copy, ValueEnum)]
enum RoutesFormat {
    Solomon,
    Vrplib,
    /// Baton's own: boxes whose tubes grow old, vans, laboratories with an intake.
    Couriers,
    /// Baton's own: groups picked up and dropped in time, buses with seats.
    Shuttles,
}

#[derive(Args)]
pub(crate) struct Routes {
    #[command(flatten)]
    asked: Asked,
    #[arg(long, value_enum)]
    format: RoutesFormat,
    #[command(flatten)]
    travel: Travel,
    /// Of couriers: the plan that people go by. What has begun stays, what was promised comes first, changes are counted.
    #[arg(long, value_name = "PLAN", requires = "now")]
    published: Option<PathBuf>,
    /// The minute in which it is planned again.
    #[arg(long, requires = "published")]
    now: Option<i64>,
    /// Minutes of driving that a box is worth keeping with its van and laboratory.
    #[arg(long, default_value = "10")]
    change_minutes: i64,
}

impl Routes {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let asked = &self.asked;
        let text = asked.read()?;
        match self.format {
            RoutesFormat::Couriers => return self.couriers(&text),
            RoutesFormat::Shuttles => return self.shuttles(&text),
            RoutesFormat::Solomon | RoutesFormat::Vrplib => {}
        }
        let problem = routes::parse(&text).map_err(|error| asked.wrong(error))?;
        let search = asked.search()?;
        let mut tell = search.teller();
        let plan = routes::solve(&problem, asked.seed, &Threads(asked.threads.into()), &|| search.spent(), &mut |progress| tell(progress.cost));
        let report = routes::check(&problem, &plan);
        let mut written = serde_json::to_value(&plan)?;
        written["cost"] = number(plan.cost);
        asked.done(&written.to_string(), json!({"cost": number(report.cost), "routes": report.vehicles}), &report.violations)
    }

    fn couriers(&self, text: &str) -> anyhow::Result<ExitCode> {
        let asked = &self.asked;
        let mut problem: couriers::Problem = serde_json::from_str(text).map_err(|error| asked.wrong(error))?;
        let line = problem.straight_line;
        self.travel.measure(&mut problem.minutes, &problem.places, line.as_ref()).map_err(|error| asked.wrong(format!("{error:#}")))?;
        problem.validate().map_err(|error| asked.wrong(error))?;
        let published = match (&self.published, self.now) {
            (Some(file), Some(now)) => {
                let plan = read_json(file)?;
                Some(Published::new(&problem, plan, now, self.change_minutes).map_err(|error| anyhow::anyhow!("{}: {error}", file.display()))?)
            }
            _ => None,
        };
        let search = asked.search()?;
        let mut tell = search.teller();
        let crew = Threads(asked.threads.into());
        let plan = couriers::solve(&problem, published.as_ref(), asked.seed, &crew, &|| search.going(), &mut |progress| tell(progress.tubes_unplaced));
        let report = published.as_ref().map_or_else(|| couriers::check(&problem, &plan), |published| couriers::check_again(&problem, published, &plan));
        let mut figures = json!({"driving_minutes": report.driving_minutes, "tubes_delivered": report.tubes_delivered, "tubes_unplaced": report.tubes_unplaced, "age_minutes_max": report.age_minutes_max});
        if let Some(changes) = &plan.changes {
            figures["trips_begun"] = json!(changes.trips_begun);
            figures["moved"] = json!(changes.moved.len());
            figures["broken"] = json!(changes.broken.len());
            figures["new"] = json!(changes.new.len());
        }
        asked.done(&serde_json::to_string(&plan)?, figures, &report.violations)
    }

    fn shuttles(&self, text: &str) -> anyhow::Result<ExitCode> {
        let asked = &self.asked;
        let mut problem = shuttles::parse(text).map_err(|error| asked.wrong(error))?;
        let line = problem.straight_line;
        self.travel.measure(&mut problem.minutes, &problem.places, line.as_ref()).map_err(|error| asked.wrong(format!("{error:#}")))?;
        problem.validate().map_err(|error| asked.wrong(error))?;
        let search = asked.search()?;
        let mut tell = search.teller();
        let crew = Threads(asked.threads.into());
        let plan = shuttles::solve(&problem, asked.seed, &crew, &|| search.going(), &mut |progress| tell(progress.driving_minutes));
        let report = shuttles::check(&problem, &plan);
        let figures = json!({"driving_minutes": report.driving_minutes, "people_driven": report.people_driven, "people_unplaced": report.people_unplaced, "seats_taken_max": report.seats_taken_max, "ride_minutes_max": report.ride_minutes_max});
        asked.done(&serde_json::to_string(&plan)?, figures, &report.violations)
    }
}
