//! What of this room is in somebody's hand now.

use baton_desk::{Actor, Card, InboxItem, Role, Scope, Tone};
use baton_kit::{
    Timestamp,
    time::{HOUR_US, MINUTE_US},
};
use baton_ledger::{StoreResult, Tx};

use baton_registry::events::PlaceKind;
use baton_registry::model::Place;
use baton_registry::store as registry;

use crate::board::drawing::percent;
use crate::campaign::store::{self as campaigns, Ask};
use crate::events::Cadence;
use crate::follow_up;
use crate::model::Campaign;
use crate::specimen::{pages::resume_link, store as specimens};
use crate::view::reach;

/// A filled tube should be sealed this soon after its opening.
const SEAL_WITHIN_US: i64 = 30 * MINUTE_US;
/// From when on a manager is told of people who are still missing.
const CLOSING_US: i64 = 3 * HOUR_US;
/// For how long after a round's end its missing people stay in the inbox.
const AFTERWARDS_US: i64 = 24 * HOUR_US;

pub fn inbox(tx: &mut Tx<'_>, actor: &Actor, now: Timestamp) -> StoreResult<Vec<InboxItem>> {
    let mut items = Vec::new();
    if actor.has_any(&[Role::SamplingNurse, Role::PointLeader])
        && let Some(account) = actor.account
    {
        for tube in specimens::unsealed_of(tx, account)?.into_iter().take(5) {
            let (Some(campaign), Some(point)) = (tube.campaign, tube.point) else { continue };
            items.push(InboxItem {
                words: "inbox-tube-unsealed",
                arguments: vec![("code", tube.code), ("count", tube.swabs.to_string()), ("ratio", tube.ratio.to_string())],
                link: resume_link(campaign, point),
                deadline_us: Some(tube.opened_at.plus_us(SEAL_WITHIN_US)),
                place: Some(point),
            });
        }
    }
    if actor.has_any(&[Role::ZoneManager, Role::GridWarden]) {
        for campaign in campaigns::running(tx, now.plus_us(-AFTERWARDS_US))?.iter().filter(|campaign| campaign.opens <= now) {
            items.extend(of_campaign(tx, actor, campaign, now)?);
        }
    }
    Ok(items)
}

/// Campaigns on somebody's cards, those that end first.
const CAMPAIGNS: usize = 3;
/// Points on a leader's cards.
const POINTS: usize = 3;

/// A sampler's tubes, a leader's points, and for those who look after people: coverage, who is missing, who is held.
pub fn cards(tx: &mut Tx<'_>, actor: &Actor, now: Timestamp) -> StoreResult<Vec<Card>> {
    let mut cards = Vec::new();
    if actor.has_any(&[Role::SamplingNurse, Role::PointLeader])
        && let Some(account) = actor.account
    {
        for tube in specimens::unsealed_of(tx, account)?.into_iter().take(2) {
            let (Some(campaign), Some(point)) = (tube.campaign, tube.point) else { continue };
            let place = registry::place(tx, point)?.map_or_else(|| point.to_string(), |place| place.name);
            let card = Card::new(format!("{}/{}", tube.swabs, tube.ratio), "card-tube-open", resume_link(campaign, point));
            cards.push(card.with("code", tube.code).with("point", place).by(Some(tube.opened_at.plus_us(SEAL_WITHIN_US))));
        }
        cards.push(Card::new(0, "card-facts-waiting", "/sampling").tone(Tone::Warn).stored("baton-waiting"));
    }
    if actor.has(Role::PointLeader) {
        for point in points_of(tx, actor)? {
            let busy = specimens::busy(tx, point.id, now)?;
            let last = busy.last.map_or(0, |at| now.since(at) / MINUTE_US);
            let words = if busy.last.is_some() { "card-point-busy" } else { "card-point-quiet" };
            let link = format!("/points/{}/line", point.id);
            cards.push(Card::new(busy.swabs, words, link).with("point", &point.name).with("minutes", last).with("lanes", point.details.lanes.unwrap_or(1)));
            if busy.unsealed > 0 {
                let card = Card::new(busy.unsealed, "card-point-unsealed", "/points").with("point", point.name);
                cards.push(card.by(busy.since.map(|at| at.plus_us(SEAL_WITHIN_US))));
            }
        }
    }
    if actor.has_any(&[Role::ZoneManager, Role::GridWarden, Role::EnterpriseContact]) {
        let running = campaigns::running(tx, now)?;
        for campaign in running.iter().filter(|campaign| campaign.opens <= now).take(CAMPAIGNS) {
            cards.extend(campaign_cards(tx, actor, campaign)?);
        }
    }
    Ok(cards)
}

/// The points somebody's scope names one by one.
fn points_of(tx: &mut Tx<'_>, actor: &Actor) -> StoreResult<Vec<Place>> {
    let Scope::Places(places) = &actor.scope else { return Ok(Vec::new()) };
    let mut points = Vec::new();
    for place in places.iter().take(50) {
        points.extend(registry::place(tx, *place)?.filter(|place| place.kind == PlaceKind::Point && !place.closed));
    }
    points.truncate(POINTS);
    Ok(points)
}

fn campaign_cards(tx: &mut Tx<'_>, actor: &Actor, campaign: &Campaign) -> StoreResult<Vec<Card>> {
    let ask = Ask { campaign: campaign.id, round: campaign.rounds, reach: reach(actor), within: None };
    let counts = campaigns::total(tx, &ask)?;
    let Some(covered) = percent(&counts) else { return Ok(Vec::new()) };
    let card = |number: String, words, page: &str| Card::new(number, words, format!("/campaigns/{}{page}", campaign.id)).with("campaign", &campaign.name);
    let whole = counts.listed() - counts.exempt;
    let mut cards = vec![card(format!("{covered}%"), "card-coverage", "").with("whole", whole).with("resulted", counts.resulted)];
    if counts.due > 0 {
        cards.push(card(counts.due.to_string(), "card-missing", "/missing").by(Some(campaign.closes)));
    }
    if counts.held > 0 {
        cards.push(card(counts.held.to_string(), "card-held", "/follow-up").tone(Tone::Bad));
    }
    Ok(cards)
}

fn of_campaign(tx: &mut Tx<'_>, actor: &Actor, campaign: &Campaign, now: Timestamp) -> StoreResult<Vec<InboxItem>> {
    let mut items = Vec::new();
    let item = |words, count: i64, page: &str, deadline| InboxItem {
        words,
        arguments: vec![("campaign", campaign.name.clone()), ("count", count.to_string())],
        link: format!("/campaigns/{}{page}", campaign.id),
        deadline_us: deadline,
        place: None,
    };
    let ask = Ask { campaign: campaign.id, round: campaign.rounds, reach: reach(actor), within: None };
    let missing = campaigns::total(tx, &ask)?.due;
    let closing = now >= campaign.closes.plus_us(-CLOSING_US);
    if missing > 0 && (closing || actor.has(Role::GridWarden)) {
        let words = if now >= campaign.closes { "inbox-people-missed" } else { "inbox-people-missing" };
        items.push(item(words, missing, "/missing", Some(campaign.closes)));
    }
    let waiting =
        follow_up::store::open_entries(tx, campaign.id, 5_000)?.into_iter().filter(|entry| entry.again.is_none() && actor.scope.reaches_any(&entry.at.chain()));
    let waiting: Vec<Timestamp> = waiting.map(|entry| entry.opened).collect();
    if let Some(first) = waiting.iter().min() {
        items.push(item("inbox-follow-up", waiting.len() as i64, "/follow-up", Some(first.plus_us(2 * HOUR_US))));
    }
    if let Cadence::EveryDays(days) = campaign.cadence {
        let next = campaign.opens.plus_us(i64::from(days) * 24 * HOUR_US);
        if actor.has(Role::ZoneManager) && now >= next.plus_us(-CLOSING_US) {
            items.push(item("inbox-round-due", i64::from(campaign.rounds) + 1, "", Some(next)));
        }
    }
    Ok(items)
}
