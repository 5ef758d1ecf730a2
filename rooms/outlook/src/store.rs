//! All SQL of the room, and what is gathered from the rooms before it.

use baton_kit::invariant::Invariant;
use baton_kit::time::{DAY_US, HOUR_US, MINUTE_US, SECOND_US};
use baton_kit::{EventId, PlaceId, Site, Timestamp, TypedId};
use baton_laboratory::events::{ResultsSigned, SignResults};
use baton_laboratory::store::stages;
use baton_ledger::{Command, Event, EventBody, Row, StoreError, StoreResult, Tx, Vault, params};
use baton_registry::events::PlaceKind;
use baton_registry::model::Place;
use baton_registry::store as registry;
use baton_screening::campaign::store as campaigns;
use baton_screening::queue::store as queue;
use baton_screening::queue::wait::{COUNT_HOLDS_US, Seen as LineSeen, closing, waiting};

use crate::events::{EquipmentStated, ForecastMade, LastResult};
use crate::model::{Equipment, Foretold, Kept, LaboratorySeen, PointSeen, Score, Seen, StillDue};

/// Columns that may differ between equal histories.
pub const VOLATILE: &[&str] = &[];
/// Results are counted by this step.
pub const QUARTER_US: i64 = 15 * MINUTE_US;
/// Times are measured over so long …
const LATELY_US: i64 = DAY_US;
/// … and from no more than so many of each.
const BOXES_MOST: i64 = 600;
const TUBES_MOST: i64 = 1_000;
const PLATES_MOST: i64 = 60;
const LOOKS_MOST: i64 = 400;
/// Who works at accession now worked there within this time.
const HANDS_US: i64 = 3 * HOUR_US;
/// The pace of sampling is that of so long.
const PACE_US: i64 = 2 * HOUR_US;
/// A tube may be begun so long after nobody was expected any more and still belong to the evening.
const SLACK_US: i64 = HOUR_US;
const PLACES_MOST: i64 = 2_000;
/// People who share a tube where none was sealed lately.
const POOL: f64 = 10.0;
/// Without opening hours a point is taken to be open so much longer at most.
const OPEN_MOST_US: i64 = 12 * HOUR_US;

pub fn apply(tx: &mut Tx<'_>, event: &Event, _: &Vault) -> StoreResult<()> {
    match event.kind.as_str() {
        ForecastMade::KIND => forecast_made(tx, event),
        EquipmentStated::KIND => equipment_stated(tx, event),
        SignResults::KIND => {
            let outcome: ResultsSigned = event.decided::<SignResults>()?.outcome;
            results_out(tx, event, &outcome)?;
            settle(tx, event.happened)
        }
        _ => Ok(()),
    }
}

fn forecast_made(tx: &mut Tx<'_>, event: &Event) -> StoreResult<()> {
    let body: ForecastMade = event.body()?;
    tx.moved("outlook", 0);
    tx.execute(
        "INSERT INTO forecast (bucket, id, made_us, from_us, until_us, p10_us, p50_us, p90_us, stretch_percent, body) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (bucket, id) DO NOTHING",
        params![
            event.id.bucket_number(),
            event.id,
            event.happened,
            body.from_us,
            body.until_us,
            body.last.p10_us,
            body.last.p50_us,
            body.last.p90_us,
            i64::from(body.stretch_percent),
            &event.body
        ],
    )?;
    Ok(())
}

/// The statement that happened last stands, whatever came last.
fn equipment_stated(tx: &mut Tx<'_>, event: &Event) -> StoreResult<()> {
    let body: EquipmentStated = event.body()?;
    tx.moved("outlook", 0);
    tx.execute(
        "INSERT INTO equipment (bucket, laboratory, event, extractors, extraction_minutes, cyclers, stated_us) VALUES ($1, $2, $3, $4, $5, $6, $7) \
         ON CONFLICT (bucket, laboratory) DO UPDATE SET event = excluded.event, extractors = excluded.extractors, extraction_minutes = excluded.extraction_minutes, \
         cyclers = excluded.cyclers, stated_us = excluded.stated_us \
         WHERE excluded.stated_us > equipment.stated_us OR (excluded.stated_us = equipment.stated_us AND excluded.event > equipment.event)",
        params![
            body.laboratory.bucket_number(),
            body.laboratory,
            event.id,
            i64::from(body.extractors),
            i64::from(body.extraction_minutes),
            i64::from(body.cyclers),
            event.happened
        ],
    )?;
    Ok(())
}

fn results_out(tx: &mut Tx<'_>, event: &Event, outcome: &ResultsSigned) -> StoreResult<()> {
    let command = event.decided::<SignResults>()?.command;
    let Some(run) = baton_laboratory::store::bench::run(tx, command.run)? else { return Ok(()) };
    if outcome.tubes.is_empty() {
        return Ok(());
    }
    tx.moved("outlook", 0);
    let quarter = event.happened.0.div_euclid(QUARTER_US) * QUARTER_US;
    tx.execute(
        "INSERT INTO out_quarter (bucket, laboratory, quarter_us, tubes) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (bucket, laboratory, quarter_us) DO UPDATE SET tubes = out_quarter.tubes + excluded.tubes",
        params![run.laboratory.bucket_number(), run.laboratory, quarter, outcome.tubes.len() as i64],
    )?;
    Ok(())
}

/// Forecasts of whose tubes none is on its way any more, once nobody is expected: what happened is written beside what was foretold.
fn settle(tx: &mut Tx<'_>, now: Timestamp) -> StoreResult<()> {
    let open =
        tx.query("SELECT DISTINCT from_us, until_us FROM forecast WHERE actual_us IS NULL AND until_us <= $1 ORDER BY from_us, until_us", params![now])?;
    for row in &open {
        let (from, until) = (row.time(0)?, row.time(1)?);
        let reaches = until.plus_us(SLACK_US);
        if stages::any_underway(tx, from, reaches)? {
            continue;
        }
        let (Some(first), Some(last)) = stages::first_and_last(tx, from, reaches)? else { continue };
        tx.execute(
            "UPDATE forecast SET first_us = $3, actual_us = $4 WHERE actual_us IS NULL AND from_us = $1 AND until_us = $2 AND made_us <= $4",
            params![from, until, first, last],
        )?;
        tx.moved("outlook", 0);
    }
    Ok(())
}

pub static OU_1: Invariant = Invariant::new("OU-1", "every signed result is counted out once, in the quarter of an hour in which it went out");
pub static OU_2: Invariant = Invariant::new("OU-2", "a forecast is scored with the last result of its own tubes, and only after it was made");

/// Every violation: name and detail.
pub fn check_invariants(tx: &mut Tx<'_>) -> StoreResult<Vec<(String, String)>> {
    let mut violations = Vec::new();
    let mut found = |invariant: &Invariant, detail: String| violations.push((invariant.name.to_owned(), format!("{}: {detail}", invariant.statement)));
    let counted = tx.one("SELECT CAST(COALESCE(sum(tubes), 0) AS BIGINT) FROM out_quarter", &[])?.int(0)?;
    let out = baton_laboratory::store::clock::resulted(tx)?.iter().filter(|clock| clock.released.is_some()).count() as i64;
    if counted < out {
        found(&OU_1, format!("{counted} counted, {out} are out"));
    }
    for row in tx.query("SELECT id, made_us, from_us, until_us, actual_us FROM forecast WHERE actual_us IS NOT NULL", &[])? {
        let (_, last) = stages::first_and_last(tx, row.time(2)?, row.time(3)?.plus_us(SLACK_US))?;
        if last < row.maybe_time(4)? || row.time(4)? < row.time(1)? {
            found(&OU_2, row.int(0)?.to_string());
        }
    }
    Ok(violations)
}

/// One consistent picture of everything that a forecast is made from.
pub fn seen(tx: &mut Tx<'_>, site: &Site, now: Timestamp) -> StoreResult<Seen> {
    let from = site.start_of(site.day_of(now)).min(now.plus_us(-LATELY_US / 2));
    let since = now.plus_us(-LATELY_US);
    let mut laboratories = Vec::new();
    for place in registry::places_of_kind(tx, PlaceKind::Laboratory, PLACES_MOST)?.into_iter().filter(|place| !place.closed) {
        laboratories.push(LaboratorySeen {
            id: place.id,
            plates: stages::plates_done(tx, place.id, PLATES_MOST)?.into_iter().filter(|plate| plate.laid >= since).collect(),
            taken: stages::tubes_taken(tx, place.id, since, TUBES_MOST)?,
            looks: stages::looks(tx, place.id, now.plus_us(-HANDS_US), LOOKS_MOST)?,
            equipment: equipment(tx, place.id)?,
        });
    }
    let underway = stages::underway(tx, from)?;
    let began = underway.first().map_or(now, |tube| tube.first_swab);
    let pace_us = now.since(began).clamp(10 * MINUTE_US, PACE_US);
    let points = points(tx, site, now, pace_us)?;
    let due = still_due(tx, now)?;
    let boxes = stages::boxes_carried(tx, since, BOXES_MOST)?;
    Ok(Seen { now, from, underway, boxes, laboratories, points, due, pace_s: (pace_us / SECOND_US) as f64 })
}

/// Points at which tubes were begun lately, and when they close.
fn points(tx: &mut Tx<'_>, site: &Site, now: Timestamp, pace_us: i64) -> StoreResult<Vec<PointSeen>> {
    let mut campaign_closes = now;
    for campaign in campaigns::running(tx, now)? {
        let round = campaigns::round_at(tx, campaign.id, now)?;
        if let Some((_, closes)) = campaigns::round_window(tx, campaign.id, round)? {
            campaign_closes = campaign_closes.max(closes);
        }
    }
    let mut points = Vec::new();
    for (id, begun) in stages::begun_by_point(tx, now.plus_us(-pace_us))? {
        let Some(place) = registry::place(tx, id)? else { continue };
        let hours = closes_today(site, now, &place);
        let closes = if place.closed { now } else { hours.unwrap_or(now.plus_us(OPEN_MOST_US)).min(campaign_closes) };
        let line = queue::line(tx, id)?;
        let lanes = queue::lanes(tx, &place, line.as_ref(), now)?;
        let waiting = line.as_ref().map_or(Ok(0), |line| standing(tx, id, line, now))?;
        points.push(PointSeen { id, begun, closes, lanes, waiting, people_per_tube: people_per_tube(tx, id, now)? });
    }
    Ok(points)
}

/// People who stand in a line: the middle of what is known of it; nobody where nobody counted it lately.
fn standing(tx: &mut Tx<'_>, point: PlaceId, line: &queue::Line, now: Timestamp) -> StoreResult<i64> {
    if !(0..=COUNT_HOLDS_US).contains(&now.since(line.at)) {
        return Ok(0);
    }
    let (since, lately) = queue::swabs(tx, point, line.at, now)?;
    let (fewest, most) = waiting(&LineSeen { counted: line.waiting, at: line.at, since, lately, now });
    Ok((fewest + most) / 2)
}

/// People who share a tube: the mean of those sealed lately; of the widest pool where there is none.
fn people_per_tube(tx: &mut Tx<'_>, point: PlaceId, now: Timestamp) -> StoreResult<f64> {
    let (swabs, tubes) = queue::filled(tx, point, now.plus_us(-PACE_US))?;
    Ok(if tubes > 0 { (swabs as f64 / tubes as f64).max(1.0) } else { POOL })
}

/// Who is listed in a running round and was not swabbed.
fn still_due(tx: &mut Tx<'_>, now: Timestamp) -> StoreResult<Option<StillDue>> {
    let mut due: Option<StillDue> = None;
    for campaign in campaigns::running(tx, now)? {
        let round = campaigns::round_at(tx, campaign.id, now)?;
        let Some((opens, closes)) = campaigns::round_window(tx, campaign.id, round)? else { continue };
        let counts = campaigns::total(tx, &campaigns::Ask { campaign: campaign.id, round, reach: campaigns::Reach::Everywhere, within: None })?;
        if opens <= now && now < closes && counts.listed() > 0 {
            let known = due.map_or((0, closes), |due| (due.people, due.closes));
            due = Some(StillDue { people: known.0 + counts.due, closes: known.1.max(closes) });
        }
    }
    Ok(due)
}

/// When a point closes on the day of `now`, by its opening hours.
fn closes_today(site: &Site, now: Timestamp, place: &Place) -> Option<Timestamp> {
    let hour = closing(place.details.opening_hours.as_deref()?)?;
    let (hours, minutes) = hour.split_once(':')?;
    let after = hours.parse::<i64>().ok()? * HOUR_US + minutes.parse::<i64>().ok()? * MINUTE_US;
    // Midnight before now, by the local clock.
    let midnight = site.parse(&format!("{} 00:00", site.show(now).get(..10)?))?;
    Some(midnight.plus_us(after))
}

pub fn equipment(tx: &mut Tx<'_>, laboratory: PlaceId) -> StoreResult<Option<Equipment>> {
    let sql = "SELECT extractors, extraction_minutes, cyclers FROM equipment WHERE bucket = $1 AND laboratory = $2";
    let number = |row: &Row, column: usize| -> StoreResult<u32> { Ok(u32::try_from(row.int(column)?).unwrap_or(0)) };
    let row = tx.first(sql, params![laboratory.bucket_number(), laboratory])?;
    row.map(|row| Ok(Equipment { extractors: number(&row, 0)?, extraction_s: number(&row, 1)? * 60, cyclers: number(&row, 2)? })).transpose()
}

/// Results out by quarter of an hour since, oldest first.
pub fn out_since(tx: &mut Tx<'_>, since: Timestamp) -> StoreResult<Vec<(Timestamp, i64)>> {
    let sql = "SELECT quarter_us, CAST(sum(tubes) AS BIGINT) FROM out_quarter WHERE quarter_us >= $1 GROUP BY quarter_us ORDER BY quarter_us";
    tx.query(sql, params![since])?.iter().map(|row| Ok((row.time(0)?, row.int(1)?))).collect()
}

const FORECAST: &str = "SELECT id, made_us, body, first_us, actual_us FROM forecast";

fn kept_of(row: &Row) -> StoreResult<Kept> {
    let forecast = serde_json::from_str(row.text(2)?).map_err(|error| StoreError::Inconsistent {
        table: "forecast",
        row: row.int(0).unwrap_or_default().to_string(),
        problem: error.to_string(),
    })?;
    Ok(Kept { id: row.id(0)?, made: row.time(1)?, forecast, score: score_of(row, 3)? })
}

/// Forecasts, the latest first, from before a moment.
pub fn forecasts(tx: &mut Tx<'_>, before: Timestamp, limit: i64) -> StoreResult<Vec<Kept>> {
    let sql = format!("{FORECAST} WHERE made_us < $1 ORDER BY made_us DESC, id DESC LIMIT $2");
    tx.query(&sql, params![before, limit])?.iter().map(kept_of).collect()
}

/// What was foretold of the last result, the latest first.
pub fn foretold(tx: &mut Tx<'_>, limit: i64) -> StoreResult<Vec<Foretold>> {
    let rows = tx.query(
        "SELECT id, made_us, p10_us, p50_us, p90_us, first_us, actual_us, stretch_percent FROM forecast ORDER BY made_us DESC, id DESC LIMIT $1",
        params![limit],
    )?;
    let foretold = rows.iter().map(|row| {
        let last = LastResult { p10_us: row.time(2)?, p50_us: row.time(3)?, p90_us: row.time(4)? };
        Ok(Foretold { id: row.id(0)?, made: row.time(1)?, last, score: score_of(row, 5)?, stretch_percent: row.int(7)? })
    });
    foretold.collect()
}

fn score_of(row: &Row, from: usize) -> StoreResult<Option<Score>> {
    Ok(row.maybe_time(from)?.zip(row.maybe_time(from + 1)?).map(|(first_swab, last_result)| Score { first_swab, last_result }))
}

/// The latest forecast.
pub fn latest(tx: &mut Tx<'_>) -> StoreResult<Option<Kept>> {
    Ok(forecasts(tx, Timestamp(i64::MAX), 1)?.pop())
}

/// When the last forecast was made.
pub fn last_made(tx: &mut Tx<'_>) -> StoreResult<Option<Timestamp>> {
    tx.one("SELECT max(made_us) FROM forecast", &[])?.maybe_time(0)
}

/// The forecast that was recorded under this id.
pub fn forecast(tx: &mut Tx<'_>, id: EventId) -> StoreResult<Option<Kept>> {
    tx.first(&format!("{FORECAST} WHERE bucket = $1 AND id = $2"), params![id.bucket_number(), id])?.as_ref().map(kept_of).transpose()
}
