//! `plan beds` and `plan points`.

use std::process::ExitCode;

use baton_plan::assignment::{beds, points};
use clap::Args;
use serde_json::json;

use super::Asked;
use super::osrm::Travel;

pub(super) const BEDS_HELP: &str = "Example:
  baton plan beds dormitory.json --seconds 10 --out beds.json

{\"rooms\":[{\"id\":\"301\",\"beds\":6,\"blocked\":1,\"gender\":\"female\",\"cohort\":\"acme/negative\"}],
 \"people\":[{\"id\":\"wang\",\"gender\":\"female\",\"cohort\":\"acme/negative\",\"sleeps\":\"day\",\"from\":0,\"until\":14,\"quiet_until\":3,\"room\":\"301\"}]}
Nights are numbered; `until` is the first night away. Of a room only id and beds, of a person id, gender, cohort and until must be stated.
Nobody shares a room with another gender, another cohort, people who sleep when they work (`sleeps`: night or day), or people whose quiet period
ends on another night. Whoever has a `room` keeps it; what they break among themselves is told as inherited.";

pub(super) const POINTS_HELP: &str = "Example:
  baton plan points tonight.json --out shares.json --json

{\"minutes\":[[0,20,35],[20,0,15],[35,15,0]], \"minutes_max\":90,
 \"points\":[{\"id\":\"P1\",\"place\":0,\"tubes_per_hour\":400}], \"laboratories\":[{\"id\":\"L1\",\"place\":2,\"tubes_per_hour\":300}]}
Instead of `minutes`: \"places\":[{\"longitude\",\"latitude\"}] with \"straight_line\":{\"factor\":1.3,\"km_per_hour\":40} or --osrm.
First as many tubes as the declared capacities allow, then as few minutes on the road as possible; exact. A laboratory is binding when one more tube
of capacity there would find a place for a tube that has none.";

#[derive(Args)]
pub(crate) struct Beds {
    #[command(flatten)]
    asked: Asked,
}

impl Beds {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let asked = &self.asked;
        let problem = beds::parse(&asked.read()?).map_err(|error| asked.wrong(error))?;
        let search = asked.search()?;
        let mut tell = search.teller();
        let plan = beds::solve(&problem, asked.seed, &|| search.going(), &mut |progress| tell(progress.unplaced));
        let report = beds::check(&problem, &plan);
        for breach in report.inherited.iter().take(20) {
            eprintln!("inherited: {breach}");
        }
        let figures = json!({"placed": report.placed, "unplaced": report.unplaced, "rooms": report.rooms_used, "inherited": report.inherited.len(), "bed_nights": report.bed_nights, "bed_nights_there": report.bed_nights_there});
        let written =
            json!({"placements": plan.placements, "unplaced": beds::explain(&problem, &plan), "inherited": report.inherited, "rooms": report.rooms_used});
        asked.done(&written.to_string(), figures, &report.violations)
    }
}

#[derive(Args)]
pub(crate) struct Points {
    #[command(flatten)]
    asked: Asked,
    #[command(flatten)]
    travel: Travel,
}

impl Points {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let asked = &self.asked;
        let mut problem = points::parse(&asked.read()?).map_err(|error| asked.wrong(error))?;
        let line = problem.straight_line;
        self.travel.measure(&mut problem.minutes, &problem.places, line.as_ref()).map_err(|error| asked.wrong(format!("{error:#}")))?;
        problem.validate().map_err(|error| asked.wrong(error))?;
        let plan = points::solve(&problem);
        let report = points::check(&problem, &plan);
        let binding: Vec<&str> = plan.loads.iter().filter(|load| load.binding).map(|load| load.laboratory.as_str()).collect();
        let figures = json!({"tubes_per_hour": report.tubes_per_hour, "unplaced_per_hour": report.unplaced_per_hour, "tube_minutes": report.tube_minutes, "binding": binding, "proven": report.proven});
        asked.done(&serde_json::to_string(&plan)?, figures, &report.violations)
    }
}
