//! `campaign`: who is due, who came, who is missing.

use std::process::ExitCode;

use anyhow::Context;
use baton_kit::{Bucket, CampaignId};
use baton_registry::events::PlaceKind;
use baton_screening::campaign::routes::{CampaignRow, coverage_of, open_campaign};
use baton_screening::campaign::store::{By, Reach};
use baton_screening::events::{Cadence, OpenCampaign, Who};
use clap::{Subcommand, ValueEnum};

use crate::installation::{Where, in_words, operator, wait_for};

#[derive(Subcommand)]
pub(crate) enum CampaignCommand {
    /// Open a campaign and its first round.
    #[command(
        after_help = "Example:\n  baton campaign open --name 'Round 1' --zone Z01 --assay orf1ab-n-ic --ratio 10 --opens '2026-03-27 06:00' --closes '2026-03-27 22:00'"
    )]
    Open {
        #[command(flatten)]
        at: Where,
        #[arg(long)]
        name: String,
        /// Code of a zone whose people are due; may be given more than once.
        #[arg(long, required = true)]
        zone: Vec<String>,
        /// Name of the assay's rule set.
        #[arg(long, default_value = "orf1ab-n-ic")]
        assay: String,
        /// Swabs per tube: 1, 5, 10 or 20.
        #[arg(long, default_value_t = 10)]
        ratio: u16,
        /// Local time, `2026-03-27 06:00`.
        #[arg(long)]
        opens: String,
        #[arg(long)]
        closes: String,
        /// Everybody is due again after so many days.
        #[arg(long)]
        every_days: Option<u16>,
    },
    /// List campaigns.
    #[command(after_help = "Example:\n  baton campaign list --json")]
    List {
        #[command(flatten)]
        at: Where,
        #[arg(long)]
        json: bool,
    },
    /// Who is due, sampled, pending, resulted, held, exempt or missed, by place.
    #[command(after_help = "Example:\n  baton campaign coverage 4294967311 --by grid --json")]
    Coverage {
        #[command(flatten)]
        at: Where,
        campaign: CampaignId,
        #[arg(long, value_enum, default_value_t = Grouped::Zone)]
        by: Grouped,
        #[arg(long)]
        json: bool,
    },
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Grouped {
    Zone,
    Grid,
    Building,
    Enterprise,
}

impl CampaignCommand {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            CampaignCommand::Open { at, name, zone, assay, ratio, opens, closes, every_days } => {
                let held = at.hold()?;
                let app = &held.app;
                let time = |text: &str| app.site.parse(text).with_context(|| format!("“{text}” is no time like 2026-03-27 06:00"));
                let places = app
                    .ledger
                    .read(|tx| Ok(zone.iter().map(|code| baton_registry::store::place_by_code(tx, PlaceKind::Zone, code)).collect::<Result<Vec<_>, _>>()?))?;
                let places = zone
                    .iter()
                    .zip(places)
                    .map(|(code, place)| place.with_context(|| format!("there is no zone {code}")))
                    .collect::<anyhow::Result<Vec<_>>>()?;
                let cadence = every_days.map_or(Cadence::Once, Cadence::EveryDays);
                let who = Who { places, ..Who::default() };
                let command = OpenCampaign { name, who, assay, ratio, opens_us: time(&opens)?, closes_us: time(&closes)?, cadence };
                let id = app.ledger.next_id(Bucket::INSTALLATION)?;
                let opened = wait_for(open_campaign(app, &operator(), id, command))?.map_err(|refusal| in_words(app, &refusal))?;
                println!("{}", serde_json::to_string(&opened)?);
            }
            CampaignCommand::List { at, json } => list(&at, json)?,
            CampaignCommand::Coverage { at, campaign, by, json } => coverage(&at, campaign, by, json)?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn list(at: &Where, json: bool) -> anyhow::Result<()> {
    let held = at.hold()?;
    let now = held.app.ledger.now();
    for campaign in held.app.ledger.read(|tx| Ok(baton_screening::store::campaigns(tx)?))? {
        let row = CampaignRow::of(campaign, now);
        if json {
            println!("{}", serde_json::to_string(&row)?);
        } else {
            println!(
                "{}  {}  {}  {}:1  {} – {}",
                row.campaign,
                row.name,
                row.assay,
                row.ratio,
                held.app.site.show(row.opens_us),
                held.app.site.show(row.closes_us)
            );
        }
    }
    Ok(())
}

fn coverage(at: &Where, campaign: CampaignId, by: Grouped, json: bool) -> anyhow::Result<()> {
    let held = at.hold()?;
    let by = match by {
        Grouped::Zone => By::Zone,
        Grouped::Grid => By::Grid,
        Grouped::Building => By::Building,
        Grouped::Enterprise => By::Enterprise,
    };
    let now = held.app.ledger.now();
    let coverage = held.app.ledger.read(|tx| coverage_of(tx, campaign, None, by, Reach::Everywhere, None, now));
    let coverage = coverage.map_err(|error| match error {
        baton_ledger::Undecided::Refused(refusal) => in_words(&held.app, &refusal),
        baton_ledger::Undecided::Store(error) => error.into(),
    })?;
    if json {
        println!("{}", serde_json::to_string(&coverage)?);
        return Ok(());
    }
    println!("{:<16} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8}", "", "listed", "due", "missed", "sampled", "resulted", "held", "exempt");
    for place in &coverage.places {
        let c = &place.counts;
        println!(
            "{:<16} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8}",
            place.code,
            c.listed,
            c.due,
            c.missed,
            c.sampled + c.pending,
            c.resulted,
            c.held,
            c.exempt
        );
    }
    Ok(())
}
