//! All SQL of campaigns, rounds and obligations; coverage is counted in cells as obligations move.

use std::collections::HashMap;

use baton_kit::{CampaignId, PersonId, PlaceId, Timestamp, TubeId, TypedId};
use baton_ledger::{Event, Param, Row, StoreError, StoreResult, Tx, params, to_json};
use baton_registry::events::PlaceKind;
use baton_registry::store as registry;

use crate::board::store as board;
use crate::events::{Cadence, ExemptPerson, OpenCampaign, OpenRound, Who};
use crate::model::{Campaign, Due, DueState, Specimen, Standing, Whereabouts};
use crate::roster::store as roster;
use crate::rules::{self, Finds};
use crate::specimen;

const CAMPAIGN: &str = "SELECT id, name, who, assay, ratio, cadence_days, rounds, opens_us, closes_us FROM campaign";

fn campaign_of(row: &Row) -> StoreResult<Campaign> {
    let id: CampaignId = row.id(0)?;
    let wrong = |error: serde_json::Error| StoreError::Inconsistent { table: "campaign", row: id.to_string(), problem: error.to_string() };
    let who: Who = serde_json::from_str(row.text(2)?).map_err(wrong)?;
    let small = |column| row.int(column).map(|n| u16::try_from(n).unwrap_or(u16::MAX));
    let cadence = match small(5)? {
        0 => Cadence::Once,
        days => Cadence::EveryDays(days),
    };
    Ok(Campaign {
        id,
        name: row.text(1)?.to_owned(),
        who,
        assay: row.text(3)?.to_owned(),
        ratio: small(4)?,
        cadence,
        rounds: small(6)?,
        opens: row.time(7)?,
        closes: row.time(8)?,
    })
}

pub fn campaign(tx: &mut Tx<'_>, id: CampaignId) -> StoreResult<Option<Campaign>> {
    tx.first(&format!("{CAMPAIGN} WHERE bucket = $1 AND id = $2"), params![id.bucket_number(), id])?.map(|row| campaign_of(&row)).transpose()
}

/// All campaigns, the one that ends last first.
pub fn campaigns(tx: &mut Tx<'_>) -> StoreResult<Vec<Campaign>> {
    tx.query(&format!("{CAMPAIGN} ORDER BY closes_us DESC, id DESC LIMIT 500"), &[])?.iter().map(campaign_of).collect()
}

/// Campaigns whose last round had not ended at `at`.
pub fn running(tx: &mut Tx<'_>, at: Timestamp) -> StoreResult<Vec<Campaign>> {
    tx.query(&format!("{CAMPAIGN} WHERE closes_us > $1 ORDER BY id"), params![at])?.iter().map(campaign_of).collect()
}

/// The round in which something at this instant belongs; 0 when the campaign is not known.
pub fn round_at(tx: &mut Tx<'_>, id: CampaignId, at: Timestamp) -> StoreResult<u16> {
    let sql = "SELECT number, opens_us FROM campaign_round WHERE bucket = $1 AND campaign = $2 ORDER BY number";
    let mut round = 0;
    for row in tx.query(sql, params![id.bucket_number(), id])? {
        if round == 0 || row.time(1)? <= at {
            round = u16::try_from(row.int(0)?).unwrap_or(u16::MAX);
        }
    }
    Ok(round)
}

/// Window of a round.
pub fn round_window(tx: &mut Tx<'_>, id: CampaignId, round: u16) -> StoreResult<Option<(Timestamp, Timestamp)>> {
    let sql = "SELECT opens_us, closes_us FROM campaign_round WHERE bucket = $1 AND campaign = $2 AND number = $3";
    let row = tx.first(sql, params![id.bucket_number(), id, i64::from(round)])?;
    row.map(|row| Ok((row.time(0)?, row.time(1)?))).transpose()
}

pub fn opened(tx: &mut Tx<'_>, event: &Event) -> StoreResult<()> {
    let command = event.decided::<OpenCampaign>()?.command;
    let id: CampaignId = event.id.created();
    let days = match command.cadence {
        Cadence::Once => 0,
        Cadence::EveryDays(days) => i64::from(days),
    };
    tx.execute(
        "INSERT INTO campaign (bucket, id, name, who, assay, ratio, cadence_days, rounds, opens_us, closes_us, opened_by) VALUES ($1, $2, $3, $4, $5, $6, $7, 1, $8, $9, $10)",
        params![id.bucket_number(), id, &command.name, &to_json(&command.who)?, &command.assay, i64::from(command.ratio), days, command.opens_us, command.closes_us, event.actor],
    )?;
    insert_who(tx, id, &command.who)?;
    insert_round(tx, id, 1, command.opens_us, command.closes_us)?;
    materialise(tx, id, &command.who, 1)?;
    specimen::store::round_opened(tx, id, 1, Timestamp(i64::MIN))
}

fn insert_who(tx: &mut Tx<'_>, id: CampaignId, who: &Who) -> StoreResult<()> {
    let row = |kind: &'static str, subject: i64, tag| -> Vec<Param<'_>> { params![id.bucket_number(), id, kind, subject, tag].to_vec() };
    let mut rows: Vec<Vec<Param<'_>>> = who.places.iter().map(|place| row("place", place.raw(), "")).collect();
    rows.extend(who.people.iter().map(|person| row("person", person.raw(), "")));
    rows.extend(who.tags.iter().map(|tag| row("tag", 0, tag.as_str())));
    tx.insert_many(
        "INSERT INTO campaign_who (bucket, campaign, kind, subject, tag) VALUES",
        5,
        &rows,
        "ON CONFLICT (bucket, campaign, kind, subject, tag) DO NOTHING",
    )?;
    Ok(())
}

fn insert_round(tx: &mut Tx<'_>, id: CampaignId, number: u16, opens: Timestamp, closes: Timestamp) -> StoreResult<()> {
    tx.execute(
        "INSERT INTO campaign_round (bucket, campaign, number, opens_us, closes_us) VALUES ($1, $2, $3, $4, $5)",
        params![id.bucket_number(), id, i64::from(number), opens, closes],
    )?;
    Ok(())
}

pub fn round_opened(tx: &mut Tx<'_>, event: &Event) -> StoreResult<()> {
    let command = event.decided::<OpenRound>()?.command;
    let Some(campaign) = campaign(tx, command.campaign)? else { return Ok(()) };
    insert_round(tx, campaign.id, command.round, command.opens_us, command.closes_us)?;
    tx.execute(
        "UPDATE campaign SET rounds = $3, opens_us = $4, closes_us = $5 WHERE bucket = $1 AND id = $2",
        params![campaign.id.bucket_number(), campaign.id, i64::from(command.round), command.opens_us, command.closes_us],
    )?;
    materialise(tx, campaign.id, &campaign.who, command.round)?;
    specimen::store::round_opened(tx, campaign.id, command.round, command.opens_us)
}

/// Writes down everybody who is due in a round, and counts them.
fn materialise(tx: &mut Tx<'_>, id: CampaignId, who: &Who, round: u16) -> StoreResult<()> {
    if !who.places.is_empty() {
        roster::insert_due_by_place(tx, id, round)?;
    }
    let mut named: Vec<PersonId> = who.people.clone();
    if !who.tags.is_empty() {
        roster::each_tagged(tx, |person, tags| {
            if tags.iter().any(|tag| who.tags.contains(tag)) {
                named.push(person);
            }
        })?;
    }
    for person in named {
        let Some(at) = roster::whereabouts(tx, person)? else { continue };
        insert_due(tx, &Due { campaign: id, round, person, at, listed: true, standing: none_yet() })?;
    }
    exempt_again(tx, id, round)?;
    tx.moved("campaign", id.raw());
    tx.execute(
        "INSERT INTO cell (bucket, campaign, round, zone, grid, building, enterprise, due, sampled, pending, resulted, held, exempt, extra) \
         SELECT bucket, campaign, round, zone, grid, building, enterprise, CAST(sum(CASE WHEN state = 0 THEN 1 ELSE 0 END) AS BIGINT), 0, 0, 0, 0, CAST(sum(CASE WHEN state = 5 THEN 1 ELSE 0 END) AS BIGINT), 0 \
         FROM due WHERE campaign = $1 AND round = $2 GROUP BY bucket, campaign, round, zone, grid, building, enterprise",
        params![id, i64::from(round)],
    )?;
    tx.execute(
        "INSERT INTO building_cell (bucket, campaign, round, zone, grid, building, due, sampled, pending, resulted, held, exempt, extra) \
         SELECT bucket, campaign, round, zone, grid, building, CAST(sum(due) AS BIGINT), 0, 0, 0, 0, CAST(sum(exempt) AS BIGINT), 0 \
         FROM cell WHERE campaign = $1 AND round = $2 GROUP BY bucket, campaign, round, zone, grid, building",
        params![id, i64::from(round)],
    )?;
    tx.execute(
        "INSERT INTO enterprise_cell (bucket, campaign, round, enterprise, due, sampled, pending, resulted, held, exempt, extra) \
         SELECT enterprise / 72057594037927936, campaign, round, enterprise, CAST(sum(due) AS BIGINT), 0, 0, 0, 0, CAST(sum(exempt) AS BIGINT), 0 \
         FROM cell WHERE campaign = $1 AND round = $2 GROUP BY campaign, round, enterprise",
        params![id, i64::from(round)],
    )?;
    board::count_reasons(tx, id, round)
}

fn none_yet() -> Standing {
    rules::stand(&[], 0, None)
}

/// Who was exempted stays so in the next round.
fn exempt_again(tx: &mut Tx<'_>, id: CampaignId, round: u16) -> StoreResult<()> {
    for row in tx.query("SELECT bucket, person, reason FROM exemption WHERE campaign = $1", params![id])? {
        tx.execute(
            "UPDATE due SET state = 5, reason = $5 WHERE bucket = $1 AND campaign = $2 AND round = $3 AND person = $4 AND state = 0",
            params![row.int(0)?, id, i64::from(round), row.int(1)?, row.text(2)?],
        )?;
    }
    Ok(())
}

fn insert_due(tx: &mut Tx<'_>, due: &Due) -> StoreResult<bool> {
    let touched = tx.execute(
        "INSERT INTO due (bucket, campaign, round, person, zone, grid, building, enterprise, household, listed, state, reason, result, tube, swabbed_us) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) ON CONFLICT (bucket, campaign, round, person) DO NOTHING",
        params![
            due.person.bucket_number(),
            due.campaign,
            i64::from(due.round),
            due.person,
            due.at.zone,
            due.at.grid,
            due.at.building,
            due.at.enterprise,
            due.at.household,
            due.listed,
            due.standing.state.number(),
            &due.standing.reason,
            due.standing.result,
            due.standing.tube,
            due.standing.swabbed
        ],
    )?;
    Ok(touched > 0)
}

const DUE: &str = "SELECT campaign, round, person, zone, grid, building, enterprise, household, listed, state, reason, result, tube, swabbed_us FROM due";

fn due_of(row: &Row) -> StoreResult<Due> {
    let person: PersonId = row.id(2)?;
    let wrong = || StoreError::Inconsistent { table: "due", row: person.to_string(), problem: "no such state".to_owned() };
    let result = match row.text(11)? {
        "negative" => "negative",
        "positive" => "positive",
        _ => "",
    };
    Ok(Due {
        campaign: row.id(0)?,
        round: u16::try_from(row.int(1)?).unwrap_or(u16::MAX),
        person,
        at: roster::whereabouts_of(row, 3)?,
        listed: row.truth(8)?,
        standing: Standing {
            state: DueState::from_number(row.int(9)?).ok_or_else(wrong)?,
            reason: row.text(10)?.to_owned(),
            result,
            tube: row.maybe_id(12)?,
            swabbed: row.maybe_time(13)?,
        },
    })
}

pub fn due(tx: &mut Tx<'_>, campaign: CampaignId, round: u16, person: PersonId) -> StoreResult<Option<Due>> {
    let sql = format!("{DUE} WHERE bucket = $1 AND campaign = $2 AND round = $3 AND person = $4");
    tx.first(&sql, params![person.bucket_number(), campaign, i64::from(round), person])?.map(|row| due_of(&row)).transpose()
}

/// What one more or one less of a state means for its cell.
fn weight(due: &Due, sign: i64) -> [i64; 7] {
    let mut weight = [0; 7];
    weight[if due.listed { due.standing.state.number() as usize } else { 6 }] = sign;
    weight
}

fn add_to_cell(tx: &mut Tx<'_>, due: &Due, w: [i64; 7]) -> StoreResult<()> {
    let (bucket, at) = (due.person.bucket_number(), due.at);
    tx.moved("campaign", due.campaign.raw());
    tx.execute(
        "INSERT INTO cell (bucket, campaign, round, zone, grid, building, enterprise, due, sampled, pending, resulted, held, exempt, extra) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) ON CONFLICT (bucket, campaign, round, zone, grid, building, enterprise) DO UPDATE SET \
         due = cell.due + excluded.due, sampled = cell.sampled + excluded.sampled, pending = cell.pending + excluded.pending, resulted = cell.resulted + excluded.resulted, \
         held = cell.held + excluded.held, exempt = cell.exempt + excluded.exempt, extra = cell.extra + excluded.extra",
        params![bucket, due.campaign, i64::from(due.round), at.zone, at.grid, at.building, at.enterprise, w[0], w[1], w[2], w[3], w[4], w[5], w[6]],
    )?;
    tx.execute(
        "INSERT INTO building_cell (bucket, campaign, round, zone, grid, building, due, sampled, pending, resulted, held, exempt, extra) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT (bucket, campaign, round, zone, grid, building) DO UPDATE SET \
         due = building_cell.due + excluded.due, sampled = building_cell.sampled + excluded.sampled, pending = building_cell.pending + excluded.pending, \
         resulted = building_cell.resulted + excluded.resulted, held = building_cell.held + excluded.held, exempt = building_cell.exempt + excluded.exempt, \
         extra = building_cell.extra + excluded.extra",
        params![bucket, due.campaign, i64::from(due.round), at.zone, at.grid, at.building, w[0], w[1], w[2], w[3], w[4], w[5], w[6]],
    )?;
    tx.execute(
        "INSERT INTO enterprise_cell (bucket, campaign, round, enterprise, due, sampled, pending, resulted, held, exempt, extra) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (bucket, campaign, round, enterprise) DO UPDATE SET \
         due = enterprise_cell.due + excluded.due, sampled = enterprise_cell.sampled + excluded.sampled, pending = enterprise_cell.pending + excluded.pending, \
         resulted = enterprise_cell.resulted + excluded.resulted, held = enterprise_cell.held + excluded.held, exempt = enterprise_cell.exempt + excluded.exempt, \
         extra = enterprise_cell.extra + excluded.extra",
        params![enterprise_bucket(due), due.campaign, i64::from(due.round), at.enterprise, w[0], w[1], w[2], w[3], w[4], w[5], w[6]],
    )?;
    Ok(())
}

fn enterprise_bucket(due: &Due) -> i64 {
    PlaceId::from_raw(due.at.enterprise).map_or(0, TypedId::bucket_number)
}

/// Writes down where a person stands in a round after their specimens changed. True when the person is on the list.
pub fn stand(tx: &mut Tx<'_>, campaign: CampaignId, round: u16, person: PersonId, specimens: &[Specimen]) -> StoreResult<bool> {
    let current = due(tx, campaign, round, person)?;
    let came = specimens.iter().any(|specimen| specimen.tube.round == round);
    let tested = specimens.iter().any(|s| s.tube.round == round && !matches!(rules::finds(&s.tube), Finds::Void(_)));
    let exemption = if tested { None } else { exemption(tx, campaign, person)? };
    let standing = rules::stand(specimens, round, exemption.as_deref());
    match current {
        None if !came => Ok(false),
        None => {
            let at = roster::whereabouts(tx, person)?.unwrap_or_default();
            let due = Due { campaign, round, person, at, listed: false, standing };
            insert_due(tx, &due)?;
            enter_cell(tx, &due)?;
            Ok(false)
        }
        Some(due) if !due.listed && !came => {
            remove(tx, &due)?;
            Ok(false)
        }
        Some(due) => {
            let listed = due.listed;
            restand(tx, due, standing)?;
            Ok(listed)
        }
    }
}

fn remove(tx: &mut Tx<'_>, due: &Due) -> StoreResult<()> {
    tx.execute(
        "DELETE FROM due WHERE bucket = $1 AND campaign = $2 AND round = $3 AND person = $4",
        params![due.person.bucket_number(), due.campaign, i64::from(due.round), due.person],
    )?;
    leave_cell(tx, due)
}

fn enter_cell(tx: &mut Tx<'_>, due: &Due) -> StoreResult<()> {
    board::counted(tx, due, 1)?;
    add_to_cell(tx, due, weight(due, 1))
}

/// Takes somebody out of a cell; a cell without people goes, as if nobody had ever been there.
fn leave_cell(tx: &mut Tx<'_>, due: &Due) -> StoreResult<()> {
    board::counted(tx, due, -1)?;
    add_to_cell(tx, due, weight(due, -1))?;
    tx.execute(
        "DELETE FROM cell WHERE bucket = $1 AND campaign = $2 AND round = $3 AND zone = $4 AND grid = $5 AND building = $6 AND enterprise = $7 \
         AND due = 0 AND sampled = 0 AND pending = 0 AND resulted = 0 AND held = 0 AND exempt = 0 AND extra = 0",
        params![due.person.bucket_number(), due.campaign, i64::from(due.round), due.at.zone, due.at.grid, due.at.building, due.at.enterprise],
    )?;
    tx.execute(
        "DELETE FROM building_cell WHERE bucket = $1 AND campaign = $2 AND round = $3 AND zone = $4 AND grid = $5 AND building = $6 \
         AND due = 0 AND sampled = 0 AND pending = 0 AND resulted = 0 AND held = 0 AND exempt = 0 AND extra = 0",
        params![due.person.bucket_number(), due.campaign, i64::from(due.round), due.at.zone, due.at.grid, due.at.building],
    )?;
    tx.execute(
        "DELETE FROM enterprise_cell WHERE bucket = $1 AND campaign = $2 AND round = $3 AND enterprise = $4 \
         AND due = 0 AND sampled = 0 AND pending = 0 AND resulted = 0 AND held = 0 AND exempt = 0 AND extra = 0",
        params![enterprise_bucket(due), due.campaign, i64::from(due.round), due.at.enterprise],
    )?;
    Ok(())
}

fn restand(tx: &mut Tx<'_>, mut due: Due, standing: Standing) -> StoreResult<()> {
    if due.standing == standing {
        return Ok(());
    }
    let mut change = weight(&due, -1);
    let before = due.clone();
    due.standing = standing;
    for (sum, more) in change.iter_mut().zip(weight(&due, 1)) {
        *sum += more;
    }
    let standing = &due.standing;
    tx.execute(
        "UPDATE due SET state = $5, reason = $6, result = $7, tube = $8, swabbed_us = $9 WHERE bucket = $1 AND campaign = $2 AND round = $3 AND person = $4",
        params![
            due.person.bucket_number(),
            due.campaign,
            i64::from(due.round),
            due.person,
            standing.state.number(),
            &standing.reason,
            standing.result,
            standing.tube,
            standing.swabbed
        ],
    )?;
    board::recounted(tx, &before, &due)?;
    if change == [0; 7] { Ok(()) } else { add_to_cell(tx, &due, change) }
}

fn exemption(tx: &mut Tx<'_>, campaign: CampaignId, person: PersonId) -> StoreResult<Option<String>> {
    let row =
        tx.first("SELECT reason FROM exemption WHERE bucket = $1 AND campaign = $2 AND person = $3", params![person.bucket_number(), campaign, person])?;
    row.map(|row| Ok(row.text(0)?.to_owned())).transpose()
}

pub fn exempted(tx: &mut Tx<'_>, event: &Event) -> StoreResult<()> {
    let command = event.decided::<ExemptPerson>()?.command;
    exempt(tx, command.campaign, command.person, &command.reason, &command.remark, event)
}

fn exempt(tx: &mut Tx<'_>, campaign: CampaignId, person: PersonId, reason: &str, remark: &str, event: &Event) -> StoreResult<()> {
    tx.execute(
        "INSERT INTO exemption (bucket, campaign, person, reason, remark, exempted_us, account) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (bucket, campaign, person) DO NOTHING",
        params![person.bucket_number(), campaign, person, reason, remark, event.happened, event.actor],
    )?;
    let last = self::campaign(tx, campaign)?.map_or(0, |campaign| campaign.rounds);
    let specimens = specimen::store::specimens_in(tx, campaign, person)?;
    stand(tx, campaign, last, person, &specimens).map(|_| ())
}

/// People entered the registry or moved while a campaign runs: it names them now, or counts them elsewhere.
pub fn people_recorded(tx: &mut Tx<'_>, campaign: &Campaign, person: PersonId) -> StoreResult<()> {
    let at = roster::whereabouts(tx, person)?;
    let listed = match at {
        Some(at) => names(tx, campaign, person, at)?,
        None => false,
    };
    let at = at.unwrap_or_default();
    tx.execute(
        "DELETE FROM exemption WHERE bucket = $1 AND campaign = $2 AND person = $3 AND reason = 'left' AND remark = ''",
        params![person.bucket_number(), campaign.id, person],
    )?;
    let specimens = specimen::store::specimens_in(tx, campaign.id, person)?;
    match due(tx, campaign.id, campaign.rounds, person)? {
        None if listed => {
            let standing = rules::stand(&specimens, campaign.rounds, exemption(tx, campaign.id, person)?.as_deref());
            let due = Due { campaign: campaign.id, round: campaign.rounds, person, at, listed, standing };
            insert_due(tx, &due)?;
            enter_cell(tx, &due)?;
        }
        None => {}
        Some(old) => {
            // Whoever was named stays named: leaving the places of a campaign is told by people_left.
            let new = Due { at, listed: old.listed || listed, ..old.clone() };
            if new != old {
                relocate(tx, &old, &new)?;
            }
            stand(tx, campaign.id, campaign.rounds, person, &specimens)?;
        }
    }
    Ok(())
}

fn relocate(tx: &mut Tx<'_>, old: &Due, new: &Due) -> StoreResult<()> {
    leave_cell(tx, old)?;
    tx.execute(
        "UPDATE due SET zone = $5, grid = $6, building = $7, enterprise = $8, household = $9, listed = $10 WHERE bucket = $1 AND campaign = $2 AND round = $3 AND person = $4",
        params![new.person.bucket_number(), new.campaign, i64::from(new.round), new.person, new.at.zone, new.at.grid, new.at.building, new.at.enterprise, new.at.household, new.listed],
    )?;
    enter_cell(tx, new)
}

/// Whether a campaign names a person who belongs there.
fn names(tx: &mut Tx<'_>, campaign: &Campaign, person: PersonId, at: Whereabouts) -> StoreResult<bool> {
    let sql = "SELECT kind FROM campaign_who WHERE bucket = $1 AND campaign = $2 AND \
               ((kind = 'place' AND subject IN ($3, $4, $5, $6)) OR (kind = 'person' AND subject = $7)) LIMIT 1";
    if tx.first(sql, params![campaign.id.bucket_number(), campaign.id, at.zone, at.grid, at.building, at.enterprise, person])?.is_some() {
        return Ok(true);
    }
    Ok(!campaign.who.tags.is_empty() && roster::tags(tx, person)?.iter().any(|tag| campaign.who.tags.contains(tag)))
}

/// Somebody left while a campaign runs: excused with that reason, unless they were swabbed before.
pub fn person_left(tx: &mut Tx<'_>, campaign: &Campaign, person: PersonId, event: &Event) -> StoreResult<()> {
    match due(tx, campaign.id, campaign.rounds, person)? {
        Some(_) => exempt(tx, campaign.id, person, "left", "", event),
        None => Ok(()),
    }
}

/// Somebody was entered by mistake: nobody was due.
pub fn person_withdrawn(tx: &mut Tx<'_>, campaign: &Campaign, person: PersonId) -> StoreResult<()> {
    let Some(old) = due(tx, campaign.id, campaign.rounds, person)? else { return Ok(()) };
    let new = Due { listed: false, ..old.clone() };
    relocate(tx, &old, &new)?;
    let specimens = specimen::store::specimens_in(tx, campaign.id, person)?;
    stand(tx, campaign.id, campaign.rounds, person, &specimens).map(|_| ())
}

/// How far somebody's eyes reach.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Reach {
    Everywhere,
    Places(Vec<PlaceId>),
}

/// How obligations are grouped.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum By {
    Zone,
    Grid,
    Building,
    Enterprise,
}

impl By {
    pub const ALL: [By; 4] = [By::Zone, By::Grid, By::Building, By::Enterprise];
    /// The column, and the name in JSON and texts.
    pub fn name(self) -> &'static str {
        match self {
            By::Zone => "zone",
            By::Grid => "grid",
            By::Building => "building",
            By::Enterprise => "enterprise",
        }
    }
}

/// People of one place by state. Listed people only, except `extra`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    pub due: i64,
    pub sampled: i64,
    pub pending: i64,
    pub resulted: i64,
    pub held: i64,
    pub exempt: i64,
    /// Came although the campaign does not name them.
    pub extra: i64,
}

impl Counts {
    pub fn listed(&self) -> i64 {
        self.due + self.sampled + self.pending + self.resulted + self.held + self.exempt
    }
    /// Swabbed at least once, in a tube that was not lost.
    pub fn came(&self) -> i64 {
        self.sampled + self.pending + self.resulted + self.held
    }
    pub fn plus(&self, other: &Counts) -> Counts {
        Counts {
            due: self.due + other.due,
            sampled: self.sampled + other.sampled,
            pending: self.pending + other.pending,
            resulted: self.resulted + other.resulted,
            held: self.held + other.held,
            exempt: self.exempt + other.exempt,
            extra: self.extra + other.extra,
        }
    }
}

/// Which obligations are asked for.
#[derive(Clone, Debug)]
pub struct Ask {
    pub campaign: CampaignId,
    pub round: u16,
    pub reach: Reach,
    /// Only what lies in this place.
    pub within: Option<PlaceId>,
}

impl Ask {
    /// Conditions on these place columns (`zone`, `d.zone`), and the values they bind. A place is looked for in the column of its kind;
    /// in all of them when its kind is not known.
    pub fn conditions(&self, tx: &mut Tx<'_>, columns: &[&str]) -> StoreResult<(String, Vec<i64>)> {
        Ok(self.conditions_on(columns, &self.kinds(tx)?))
    }

    fn conditions_on(&self, columns: &[&str], kinds: &HashMap<PlaceId, PlaceKind>) -> (String, Vec<i64>) {
        let mut values = vec![self.campaign.raw(), i64::from(self.round)];
        let mut text = String::new();
        let mut any_of = |places: &[PlaceId]| {
            let mut any = Vec::new();
            for column in columns {
                let here = places.iter().filter(|place| kinds.get(place).is_none_or(|kind| column.rsplit('.').next() == Some(kind.name())));
                let from = values.len();
                values.extend(here.map(|place| place.raw()));
                let marks: Vec<String> = (from + 1..=values.len()).map(|n| format!("${n}")).collect();
                if !marks.is_empty() {
                    any.push(format!("{column} IN ({})", marks.join(", ")));
                }
            }
            text.push_str(&if any.is_empty() { " AND 1 = 0".to_owned() } else { format!(" AND ({})", any.join(" OR ")) });
        };
        if let Reach::Places(places) = &self.reach {
            any_of(places);
        }
        if let Some(place) = self.within {
            any_of(&[place]);
        }
        (text, values)
    }

    /// What kind of place each of those is that are asked for.
    fn kinds(&self, tx: &mut Tx<'_>) -> StoreResult<HashMap<PlaceId, PlaceKind>> {
        let mut kinds = HashMap::new();
        let reach = if let Reach::Places(places) = &self.reach { places.as_slice() } else { &[] };
        for place in reach.iter().chain(&self.within) {
            if let Some(found) = registry::place(tx, *place)? {
                kinds.insert(*place, found.kind);
            }
        }
        Ok(kinds)
    }
}

/// Where counts are read: the table with the fewest rows that knows, and the conditions on it.
pub struct Counted {
    pub table: &'static str,
    pub conditions: String,
    pub values: Vec<i64>,
}

impl Counted {
    /// People are counted by enterprise only where one is asked for.
    pub fn of(tx: &mut Tx<'_>, ask: &Ask, by: Option<By>) -> StoreResult<Self> {
        let kinds = ask.kinds(tx)?;
        let asked = if let Reach::Places(places) = &ask.reach { places.len() } else { 0 } + usize::from(ask.within.is_some());
        let enterprise = by == Some(By::Enterprise) || kinds.len() < asked || kinds.values().any(|kind| *kind == PlaceKind::Enterprise);
        let (table, columns): (_, &[_]) = match enterprise {
            true if asked == 0 => ("enterprise_cell", &[]),
            true => ("cell", PLACES),
            false => ("building_cell", BUILDING_PLACES),
        };
        let (conditions, values) = ask.conditions_on(columns, &kinds);
        Ok(Self { table, conditions, values })
    }

    pub fn params(&self) -> Vec<Param<'_>> {
        self.values.iter().copied().map(Param::Int).collect()
    }
}

/// Columns by which obligations and cells tell where somebody belongs.
const PLACES: &[&str] = &["zone", "grid", "building", "enterprise"];
/// The same without enterprises.
const BUILDING_PLACES: &[&str] = &["zone", "grid", "building"];

/// People by state, grouped; the place with most people still missing first. Nothing for the place: people without one.
pub fn coverage(tx: &mut Tx<'_>, ask: &Ask, by: By, limit: i64) -> StoreResult<Vec<(Option<PlaceId>, Counts)>> {
    let counted = Counted::of(tx, ask, Some(by))?;
    let Counted { table, conditions, .. } = &counted;
    let column = by.name();
    let sql = format!(
        "SELECT {column}, {SUMS} FROM {table} WHERE campaign = $1 AND round = $2{conditions} GROUP BY {column} ORDER BY sum(due) DESC, {column} LIMIT {limit}"
    );
    let rows = tx.query(&sql, &counted.params())?;
    rows.iter().map(|row| Ok((Some(row.int(0)?).filter(|raw| *raw != 0).and_then(|raw| PlaceId::from_raw(raw).ok()), counts_of(row, 1)?))).collect()
}

pub const SUMS: &str = "CAST(COALESCE(sum(due), 0) AS BIGINT), CAST(COALESCE(sum(sampled), 0) AS BIGINT), CAST(COALESCE(sum(pending), 0) AS BIGINT), CAST(COALESCE(sum(resulted), 0) AS BIGINT), \
                    CAST(COALESCE(sum(held), 0) AS BIGINT), CAST(COALESCE(sum(exempt), 0) AS BIGINT), CAST(COALESCE(sum(extra), 0) AS BIGINT)";

pub fn counts_of(row: &Row, from: usize) -> StoreResult<Counts> {
    Ok(Counts {
        due: row.int(from)?,
        sampled: row.int(from + 1)?,
        pending: row.int(from + 2)?,
        resulted: row.int(from + 3)?,
        held: row.int(from + 4)?,
        exempt: row.int(from + 5)?,
        extra: row.int(from + 6)?,
    })
}

/// All that is asked for, in one sum.
pub fn total(tx: &mut Tx<'_>, ask: &Ask) -> StoreResult<Counts> {
    let counted = Counted::of(tx, ask, None)?;
    let sql = format!("SELECT {SUMS} FROM {} WHERE campaign = $1 AND round = $2{}", counted.table, counted.conditions);
    counts_of(&tx.one(&sql, &counted.params())?, 0)
}

/// People who are still due, ordered by zone, grid, building, enterprise, household. Reads only the cells where somebody is missing.
pub fn missing(tx: &mut Tx<'_>, ask: &Ask, skip: i64, limit: i64) -> StoreResult<Vec<Due>> {
    let (conditions, values) = ask.conditions(tx, PLACES)?;
    let values: Vec<Param<'_>> = values.into_iter().map(Param::Int).collect();
    let sql = format!(
        "SELECT bucket, zone, grid, building, enterprise, due FROM cell WHERE campaign = $1 AND round = $2 AND due > 0{conditions} ORDER BY zone, grid, building, enterprise, bucket"
    );
    let mut found = Vec::new();
    let (mut skip, mut wanted) = (skip, limit);
    // Every cell read holds somebody, so that many cells are enough.
    let sql = format!("{sql} LIMIT {}", skip.saturating_add(limit));
    for cell in tx.query(&sql, &values)? {
        let here = cell.int(5)?;
        if wanted == 0 {
            break;
        }
        if skip >= here {
            skip -= here;
            continue;
        }
        let sql = format!(
            "{DUE} WHERE campaign = $1 AND round = $2 AND zone = $3 AND grid = $4 AND building = $5 AND enterprise = $6 AND bucket = $7 AND state = 0 AND listed = 1 ORDER BY household, person LIMIT $8 OFFSET $9"
        );
        let rows =
            tx.query(&sql, params![ask.campaign, i64::from(ask.round), cell.int(1)?, cell.int(2)?, cell.int(3)?, cell.int(4)?, cell.int(0)?, wanted, skip])?;
        (skip, wanted) = (0, wanted - rows.len() as i64);
        for row in &rows {
            found.push(due_of(row)?);
        }
    }
    Ok(found)
}

/// People of one household who are still due in a round: those who may have come along.
pub fn household_due(tx: &mut Tx<'_>, campaign: CampaignId, round: u16, of: &Due) -> StoreResult<Vec<Due>> {
    if of.at.household == 0 {
        return Ok(Vec::new());
    }
    let sql = format!(
        "{DUE} WHERE campaign = $1 AND round = $2 AND zone = $3 AND grid = $4 AND building = $5 AND household = $6 AND state = 0 AND listed = 1 AND person <> $7 ORDER BY person LIMIT 20"
    );
    let rows = tx.query(&sql, params![campaign, i64::from(round), of.at.zone, of.at.grid, of.at.building, of.at.household, of.person])?;
    rows.iter().map(due_of).collect()
}

/// People of one enterprise in one building who are still due in a round, household apart: those who may have come along.
pub fn workmates_due(tx: &mut Tx<'_>, campaign: CampaignId, round: u16, of: &Due, limit: i64) -> StoreResult<Vec<Due>> {
    if of.at.enterprise == 0 {
        return Ok(Vec::new());
    }
    let sql = format!(
        "{DUE} WHERE campaign = $1 AND round = $2 AND zone = $3 AND grid = $4 AND building = $5 AND enterprise = $6 AND state = 0 AND listed = 1 \
         AND person <> $7 AND (household <> $8 OR household = 0) ORDER BY person LIMIT $9"
    );
    let rows =
        tx.query(&sql, params![campaign, i64::from(round), of.at.zone, of.at.grid, of.at.building, of.at.enterprise, of.person, of.at.household, limit])?;
    rows.iter().map(due_of).collect()
}

/// The tube on which somebody's standing rests, for the laboratory and the person's page.
pub fn standings_of(tx: &mut Tx<'_>, person: PersonId) -> StoreResult<Vec<Due>> {
    let mut standings = Vec::new();
    for campaign in campaigns(tx)? {
        for round in 1..=campaign.rounds {
            standings.extend(due(tx, campaign.id, round, person)?);
        }
    }
    Ok(standings)
}

/// Who in a round rests on this tube.
pub fn standings_on(tx: &mut Tx<'_>, tube: TubeId) -> StoreResult<Vec<Due>> {
    let Some(found) = specimen::store::tube(tx, tube)? else { return Ok(Vec::new()) };
    let mut standings = Vec::new();
    for member in specimen::store::members(tx, tube)? {
        if let Some(campaign) = found.campaign {
            standings.extend(due(tx, campaign, found.round, member.person)?);
        }
    }
    Ok(standings)
}
