//! The follow-up list and where people stand, for whoever is not a browser. No names.

use axum::Json;
use axum::extract::State;
use baton_desk::form::{At, Body};
use baton_desk::{Actor, Answered, App, Route, any_id};
use baton_kit::{CampaignId, PersonId, Refusal, Timestamp, TubeId};
use serde::{Deserialize, Serialize};

use super::store;
use crate::campaign::store as campaigns;
use crate::rules::priority;
use crate::view::{CHASERS, MANAGERS};

/// Entries of one answer.
const ENTRIES_MAX: i64 = 100_000;
/// People of one request.
const PEOPLE_MAX: usize = 500;

pub fn routes() -> Vec<Route> {
    vec![
        Route::get("/v1/screening/campaigns/{campaign}/follow-up", CHASERS, "Who must be swabbed again, oldest first, without names", list)
            .answers::<FollowUpList>(),
        Route::post("/v1/screening/campaigns/{campaign}/standings", MANAGERS, "Where up to 500 people stand in the last round", standings)
            .takes::<StandingsAsked>()
            .answers::<Standings>(),
    ]
}

#[derive(Debug, Serialize, schemars::JsonSchema)]
struct FollowUpList {
    entries: Vec<FollowUpEntry>,
    /// There are more than one answer holds.
    more: bool,
}

#[derive(Debug, Serialize, schemars::JsonSchema)]
struct FollowUpEntry {
    person: PersonId,
    /// The tube that was not clean or was never tested.
    tube: TubeId,
    reason: String,
    /// Whom to visit first: 1 to 4.
    priority: u8,
    /// Must go into a tube of their own.
    single: bool,
    opened_us: Timestamp,
    /// The tube they were swabbed into since.
    again: Option<TubeId>,
}

async fn list(State(app): State<App>, actor: Actor, At(campaign): At<CampaignId>) -> Answered<Json<FollowUpList>> {
    let entries = app.read(move |tx| Ok(store::open_entries(tx, campaign, ENTRIES_MAX + 1)?)).await?;
    let more = entries.len() as i64 > ENTRIES_MAX;
    let mine = entries.into_iter().take(ENTRIES_MAX as usize).filter(|entry| actor.scope.reaches_any(&entry.at.chain()));
    let entries = mine.map(|entry| FollowUpEntry {
        person: entry.person,
        tube: entry.tube,
        priority: priority(&entry.reason),
        reason: entry.reason,
        single: entry.single,
        opened_us: entry.opened,
        again: entry.again,
    });
    Ok(Json(FollowUpList { entries: entries.collect(), more }))
}

#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct StandingsAsked {
    people: Vec<PersonId>,
}

/// In the order asked.
#[derive(Debug, Serialize, schemars::JsonSchema)]
struct Standings {
    people: Vec<StandingAnswered>,
}

#[derive(Debug, Serialize, schemars::JsonSchema)]
struct StandingAnswered {
    person: PersonId,
    /// `due`, `sampled`, …; empty for whom the campaign does not know.
    state: &'static str,
    /// `negative`, `positive` or empty.
    result: &'static str,
    tube: Option<TubeId>,
}

async fn standings(State(app): State<App>, actor: Actor, At(campaign): At<CampaignId>, Body(asked): Body<StandingsAsked>) -> Answered<Json<Standings>> {
    if asked.people.len() > PEOPLE_MAX {
        return Err(Refusal::malformed("batch-too-long").with("limit", PEOPLE_MAX).into());
    }
    let asker = actor.clone();
    let people = app
        .read(move |tx| {
            let round = campaigns::campaign(tx, campaign)?.ok_or_else(|| Refusal::absent("campaign-unknown"))?.rounds;
            let mut people = Vec::with_capacity(asked.people.len());
            for person in asked.people {
                let due = campaigns::due(tx, campaign, round, person)?;
                if let Some(due) = &due {
                    asker.must_reach(&due.at.chain())?;
                }
                let standing = due.as_ref().map(|due| &due.standing);
                people.push(StandingAnswered {
                    person,
                    state: standing.map_or("", |standing| standing.state.name()),
                    result: standing.map_or("", |standing| standing.result),
                    tube: standing.and_then(|standing| standing.tube),
                });
            }
            Ok(people)
        })
        .await?;
    app.looked(&actor, people.iter().map(|answer| any_id(answer.person)).collect(), "standings");
    Ok(Json(Standings { people }))
}
