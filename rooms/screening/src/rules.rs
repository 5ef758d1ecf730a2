//! Pure rules of the room: what may be decided, and what follows from specimens. No store, no clock.

use std::collections::BTreeSet;

use baton_kit::{PersonId, Refusal, Timestamp, TubeId, time::DAY_US};

use crate::events::{Cadence, CloseFollowUp, ExemptPerson, OpenCampaign, OpenRound, SettleFinding};
use crate::model::{Campaign, DueState, FollowUp, Journey, Member, Outcome, Specimen, Standing, Tube};

/// Swabs per tube that were validated with people's swabs (LAB.md §5).
pub const RATIOS: [u16; 4] = [1, 5, 10, 20];
/// The longest window of a round.
pub const WINDOW_LONGEST_US: i64 = 31 * DAY_US;
/// Longest list of places, tags or people in one campaign.
pub const WHO_LIMIT: usize = 20_000;
pub const EXEMPTIONS: [&str; 5] = ["medical", "tested_elsewhere", "left", "under_age", "other"];
pub const WAIVERS: [&str; 5] = ["hospital", "quarantined_elsewhere", "died", "left", "other"];
pub const UNDO_REASONS: [&str; 4] = ["wrong_person", "wrong_tube", "not_swabbed", "other"];
const TEXT_LIMIT: usize = 500;

/// What a new campaign is judged by.
#[derive(Clone, Copy, Debug)]
pub struct CampaignContext {
    /// Every place named is known.
    pub places_known: bool,
    pub people_known: bool,
}

pub fn open_campaign(context: CampaignContext, command: &OpenCampaign, now: Timestamp) -> Result<(), Refusal> {
    if command.name.trim().is_empty() || command.name.chars().count() > 120 {
        return Err(Refusal::ruled("campaign-name-wrong"));
    }
    let who = &command.who;
    if who.places.is_empty() && who.tags.is_empty() && who.people.is_empty() {
        return Err(Refusal::ruled("who-empty"));
    }
    if who.places.len().max(who.tags.len()).max(who.people.len()) > WHO_LIMIT {
        return Err(Refusal::ruled("who-too-long").with("limit", WHO_LIMIT));
    }
    if !context.places_known || !context.people_known {
        return Err(Refusal::ruled("who-unknown"));
    }
    if command.assay.trim().is_empty() || command.assay.len() > 80 {
        return Err(Refusal::ruled("screening-assay-unknown"));
    }
    if !RATIOS.contains(&command.ratio) {
        return Err(Refusal::ruled("ratio-unvalidated").with("ratio", command.ratio));
    }
    if matches!(command.cadence, Cadence::EveryDays(days) if days == 0 || days > 60) {
        return Err(Refusal::ruled("cadence-wrong"));
    }
    window(command.opens_us, command.closes_us, now)
}

fn window(opens: Timestamp, closes: Timestamp, now: Timestamp) -> Result<(), Refusal> {
    let long = closes.since(opens);
    if long <= 0 || long > WINDOW_LONGEST_US || closes <= now {
        return Err(Refusal::ruled("window-wrong"));
    }
    Ok(())
}

pub fn open_round(campaign: Option<&Campaign>, command: &OpenRound, now: Timestamp) -> Result<(), Refusal> {
    let campaign = campaign.ok_or_else(|| Refusal::absent("campaign-unknown"))?;
    if campaign.cadence == Cadence::Once {
        return Err(Refusal::ruled("campaign-once"));
    }
    if command.round != campaign.rounds + 1 {
        return Err(Refusal::conflict("round-number-wrong").with("round", campaign.rounds + 1));
    }
    if command.opens_us <= campaign.opens {
        return Err(Refusal::ruled("round-overlaps"));
    }
    window(command.opens_us, command.closes_us, now)
}

/// `standing` is the person's in the last round, if they are on the list.
pub fn exempt_person(campaign: Option<&Campaign>, standing: Option<DueState>, command: &ExemptPerson) -> Result<(), Refusal> {
    campaign.ok_or_else(|| Refusal::absent("campaign-unknown"))?;
    reason(&EXEMPTIONS, &command.reason, &command.remark)?;
    match standing {
        None => Err(Refusal::absent("person-not-due")),
        Some(DueState::Due) => Ok(()),
        Some(DueState::Exempt) => Err(Refusal::conflict("already-exempt")),
        Some(_) => Err(Refusal::conflict("already-sampled")),
    }
}

fn reason(known: &[&str], code: &str, remark: &str) -> Result<(), Refusal> {
    if !known.contains(&code) {
        return Err(Refusal::malformed("screening-reason-unknown").with("reason", code));
    }
    if code == "other" && remark.trim().is_empty() {
        return Err(Refusal::ruled("screening-remark-missing"));
    }
    if remark.chars().count() > TEXT_LIMIT {
        return Err(Refusal::ruled("screening-remark-long").with("limit", TEXT_LIMIT));
    }
    Ok(())
}

/// `open` is nothing when there is no such entry, false when it is closed already.
pub fn close_follow_up(open: Option<bool>, command: &CloseFollowUp) -> Result<(), Refusal> {
    reason(&WAIVERS, &command.reason, &command.remark)?;
    match open {
        None => Err(Refusal::absent("follow-up-unknown")),
        Some(false) => Err(Refusal::conflict("follow-up-closed")),
        Some(true) => Ok(()),
    }
}

pub fn settle_finding(open: Option<bool>, command: &SettleFinding) -> Result<(), Refusal> {
    if command.remark.trim().is_empty() {
        return Err(Refusal::ruled("screening-remark-missing"));
    }
    if command.remark.chars().count() > TEXT_LIMIT {
        return Err(Refusal::ruled("screening-remark-long").with("limit", TEXT_LIMIT));
    }
    match open {
        None => Err(Refusal::absent("screening-finding-unknown")),
        Some(false) => Err(Refusal::conflict("screening-finding-settled")),
        Some(true) => Ok(()),
    }
}

/// What a specimen says about its person.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Finds<'s> {
    Travelling,
    InLaboratory,
    /// Never tested: swab again, with the coded reason.
    Void(&'s str),
    /// Not clean. `resample`: swab this person again, singly; not so while their own positive waits for its release.
    Held {
        outcome: Outcome,
        resample: bool,
    },
    /// A released negative of a pool.
    Clean,
    /// A released result of the person's own specimen.
    Own(Outcome),
}

/// Reads one specimen. A pool never says "positive person": it holds.
pub fn finds(tube: &Tube) -> Finds<'_> {
    let own = tube.is_own_specimen();
    match &tube.journey {
        Journey::Travelling => Finds::Travelling,
        Journey::InLaboratory | Journey::Preliminary(Outcome::Negative) => Finds::InLaboratory,
        Journey::Void(reason) => Finds::Void(reason),
        Journey::Released(outcome @ (Outcome::Negative | Outcome::Positive)) if own => Finds::Own(*outcome),
        Journey::Released(Outcome::Negative) => Finds::Clean,
        Journey::Preliminary(outcome) | Journey::Released(outcome) => Finds::Held { outcome: *outcome, resample: needs_another_swab(own, *outcome) },
    }
}

/// The follow-up rule: whoever's tube was not clean is swabbed again, except when the tube is their own and plainly positive.
fn needs_another_swab(own: bool, outcome: Outcome) -> bool {
    match outcome {
        Outcome::Negative => false,
        Outcome::Positive => !own,
        Outcome::SingleTarget | Outcome::Invalid => true,
    }
}

/// The first later specimen of their own that says plainly what a hold left open.
fn cleared_by<'s>(hold: &Specimen, specimens: &'s [Specimen]) -> Option<&'s Specimen> {
    specimens.iter().find(|later| (later.swabbed, later.scan) > (hold.swabbed, hold.scan) && matches!(finds(&later.tube), Finds::Own(_)))
}

/// Where a person stands in a round, from all their specimens of the campaign, oldest first.
pub fn stand(specimens: &[Specimen], round: u16, exemption: Option<&str>) -> Standing {
    let here = || specimens.iter().filter(move |specimen| specimen.tube.round == round);
    let last = |wanted: fn(&Finds<'_>) -> bool| here().rfind(move |s| wanted(&finds(&s.tube)));
    if let Some(hold) = here().rfind(|s| matches!(finds(&s.tube), Finds::Held { .. }) && cleared_by(s, specimens).is_none()) {
        return standing(DueState::Held, "", "", hold);
    }
    let clearing = here().filter(|s| matches!(finds(&s.tube), Finds::Held { .. })).filter_map(|hold| cleared_by(hold, specimens));
    let own: Vec<&Specimen> = here().filter(|s| matches!(finds(&s.tube), Finds::Own(_))).chain(clearing).collect();
    if let Some(decisive) = own.iter().find(|s| finds(&s.tube) == Finds::Own(Outcome::Positive)).or(own.last()) {
        let result = if finds(&decisive.tube) == Finds::Own(Outcome::Positive) { "positive" } else { "negative" };
        return standing(DueState::Resulted, "", result, decisive);
    }
    if let Some(clean) = last(|f| *f == Finds::Clean) {
        return standing(DueState::Resulted, "", "negative", clean);
    }
    if let Some(pending) = last(|f| *f == Finds::InLaboratory) {
        return standing(DueState::Pending, "", "", pending);
    }
    if let Some(under_way) = last(|f| *f == Finds::Travelling) {
        return standing(DueState::Sampled, "", "", under_way);
    }
    if let Some(reason) = exemption {
        return Standing { state: DueState::Exempt, reason: reason.to_owned(), result: "", tube: None, swabbed: None };
    }
    match last(|f| matches!(f, Finds::Void(_))) {
        Some(void) => match finds(&void.tube) {
            Finds::Void(reason) => standing(DueState::Due, reason, "", void),
            _ => standing(DueState::Due, "", "", void),
        },
        None => Standing { state: DueState::Due, reason: String::new(), result: "", tube: None, swabbed: None },
    }
}

fn standing(state: DueState, reason: &str, result: &'static str, specimen: &Specimen) -> Standing {
    Standing { state, reason: reason.to_owned(), result, tube: Some(specimen.tube.id), swabbed: Some(specimen.swabbed) }
}

/// The person's entries on the follow-up list, from all their specimens of the campaign, oldest first.
pub fn follow_ups(specimens: &[Specimen]) -> Vec<FollowUp> {
    specimens.iter().filter_map(|specimen| follow_up(specimen, specimens)).collect()
}

fn follow_up(specimen: &Specimen, all: &[Specimen]) -> Option<FollowUp> {
    let tube = &specimen.tube;
    let later =
        |single: bool| all.iter().rev().find(|s| (s.swabbed, s.scan) > (specimen.swabbed, specimen.scan) && (!single || s.tube.ratio == 1)).map(|s| s.tube.id);
    let entry = |reason: &str, single, opened, closed| FollowUp {
        tube: tube.id,
        round: tube.round,
        reason: reason.to_owned(),
        single,
        opened,
        closed,
        again: later(single),
    };
    match finds(tube) {
        Finds::Held { outcome, resample: true } => {
            let opened = tube.first_held.map_or(specimen.swabbed, |(at, _)| at);
            Some(entry(outcome.name(), true, opened, cleared_by(specimen, all).map(|_| "single_result")))
        }
        Finds::Void(reason) => {
            let tested = all.iter().any(|s| s.tube.round == tube.round && matches!(finds(&s.tube), Finds::Clean | Finds::Own(_)));
            Some(entry(reason, false, tube.lost.as_ref().map_or(specimen.swabbed, |(at, _)| *at), tested.then_some("resulted")))
        }
        _ => {
            let (at, outcome) = tube.first_held?;
            needs_another_swab(tube.is_own_specimen(), outcome).then(|| entry(outcome.name(), true, at, Some("amended")))
        }
    }
}

/// Whom to visit first, 1 before 4: a pool that shows the virus, then what hints at it, then what could not be read, then what was never tested.
pub fn priority(reason: &str) -> u8 {
    match Outcome::from_name(reason) {
        Some(Outcome::Positive) => 1,
        Some(Outcome::SingleTarget) => 2,
        Some(Outcome::Invalid) => 3,
        Some(Outcome::Negative) | None => 4,
    }
}

/// What else is known about a tube's surroundings, for its findings.
#[derive(Clone, Debug, Default)]
pub struct TubeContext {
    /// An earlier tube bears the same label.
    pub code_used: bool,
    pub lot: LotState,
    pub campaign_known: bool,
    pub campaign_ratio: Option<u16>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum LotState {
    /// None was scanned, or it may be used.
    #[default]
    Usable,
    Unknown,
    Expired,
    Recalled,
}

/// Contradictions around one tube: code, and the person it is about if it is about one.
pub type Findings = BTreeSet<(&'static str, Option<PersonId>)>;

/// Codes that [`tube_findings`] answers for; [`person_findings`] answers for the others.
pub const TUBE_CODES: [&str; 12] = [
    "tube-unknown",
    "tube-full",
    "code-used",
    "fluid-expired",
    "fluid-recalled",
    "fluid-unknown",
    "campaign-unknown",
    "ratio-exceeds",
    "sampled-after-seal",
    "twice-in-tube",
    "count-mismatch",
    "sealed-twice",
];
pub const PERSON_CODES: [&str; 3] = ["sampled-twice", "pool-during-hold", "person-unknown"];

pub fn tube_findings(tube: &Tube, members: &[Member], context: &TubeContext) -> Findings {
    let mut found = Findings::new();
    let mut find = |holds: bool, code, person| {
        if holds {
            found.insert((code, person));
        }
    };
    find(!tube.opened && (!members.is_empty() || tube.seal.is_some()), "tube-unknown", None);
    if tube.opened {
        find(members.len() > usize::from(tube.ratio), "tube-full", None);
        find(context.code_used, "code-used", None);
        find(context.lot == LotState::Expired, "fluid-expired", None);
        find(context.lot == LotState::Recalled, "fluid-recalled", None);
        find(context.lot == LotState::Unknown, "fluid-unknown", None);
        find(!context.campaign_known, "campaign-unknown", None);
        find(context.campaign_ratio.is_some_and(|allowed| tube.ratio > allowed), "ratio-exceeds", None);
    }
    if let Some(seal) = tube.seal {
        find(usize::from(seal.count) != members.len(), "count-mismatch", None);
        for member in members.iter().filter(|member| member.swabbed > seal.at) {
            find(true, "sampled-after-seal", Some(member.person));
        }
    }
    find(tube.resealed, "sealed-twice", None);
    for member in members {
        find(members.iter().filter(|other| other.person == member.person).count() > 1, "twice-in-tube", Some(member.person));
    }
    found
}

/// Contradictions among one person's specimens of a campaign, oldest first: the tube each is about, and its code.
pub fn person_findings(specimens: &[Specimen], known: bool) -> BTreeSet<(TubeId, &'static str)> {
    let mut found = BTreeSet::new();
    for (index, specimen) in specimens.iter().enumerate() {
        let tube = &specimen.tube;
        if !known {
            found.insert((tube.id, "person-unknown"));
        }
        let earlier = || specimens[..index].iter().filter(|other| other.tube.id != tube.id);
        let void = |other: &Specimen| matches!(finds(&other.tube), Finds::Void(_));
        if !tube.follow_up && earlier().any(|other| other.tube.round == tube.round && !void(other) && other.tube.first_held.is_none()) {
            found.insert((tube.id, "sampled-twice"));
        }
        let held_by_then = |other: &Specimen| {
            matches!(finds(&other.tube), Finds::Held { resample: true, .. }) && other.tube.first_held.is_some_and(|(at, _)| at <= specimen.swabbed)
        };
        if tube.ratio > 1 && earlier().any(held_by_then) {
            found.insert((tube.id, "pool-during-hold"));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use baton_kit::{AnyId, Bucket, Device, PlaceId, TypedId};

    use super::*;
    use crate::events::Who;

    const NOW: Timestamp = Timestamp(1_774_000_000_000_000);
    const HERE: CampaignContext = CampaignContext { places_known: true, people_known: true };

    fn id<T: TypedId>(n: u32) -> T {
        baton_kit::EventId::new(Bucket::new(5).unwrap(), Device::new(7).unwrap(), n).created()
    }
    fn code(answer: Result<(), Refusal>) -> &'static str {
        answer.err().map_or("", |refusal| refusal.code)
    }

    fn daily() -> OpenCampaign {
        OpenCampaign {
            name: "round".to_owned(),
            who: Who { places: vec![id::<PlaceId>(1)], ..Who::default() },
            assay: "orf1ab-n-ic".to_owned(),
            ratio: 10,
            opens_us: NOW,
            closes_us: NOW.plus_us(DAY_US),
            cadence: Cadence::EveryDays(1),
        }
    }
    fn running() -> Campaign {
        let OpenCampaign { name, who, assay, ratio, cadence, opens_us: opens, closes_us: closes } = daily();
        Campaign { id: id(1), name, who, assay, ratio, cadence, rounds: 1, opens, closes }
    }
    fn opening(change: impl FnOnce(&mut OpenCampaign)) -> &'static str {
        let mut command = daily();
        change(&mut command);
        code(open_campaign(HERE, &command, NOW))
    }

    #[test]
    fn a_campaign_is_bounded() {
        assert_eq!(opening(|_| {}), "");
        assert_eq!(opening(|c| c.who.tags = vec!["t".to_owned(); WHO_LIMIT]), "");
        assert_eq!(opening(|c| c.who.tags = vec!["t".to_owned(); WHO_LIMIT + 1]), "who-too-long");
        assert_eq!(opening(|c| c.who.people = vec![id(1); WHO_LIMIT + 1]), "who-too-long");
        assert_eq!(opening(|c| c.assay = " ".to_owned()), "screening-assay-unknown");
        assert_eq!(opening(|c| c.assay = "a".repeat(81)), "screening-assay-unknown");
        for (days, wanted) in [(0, "cadence-wrong"), (1, ""), (60, ""), (61, "cadence-wrong")] {
            assert_eq!(opening(|c| c.cadence = Cadence::EveryDays(days)), wanted, "{days} days");
        }
    }

    #[test]
    fn a_window_has_a_length_and_an_end_to_come() {
        assert_eq!(opening(|c| c.closes_us = c.opens_us), "window-wrong");
        assert_eq!(opening(|c| c.closes_us = c.opens_us.plus_us(WINDOW_LONGEST_US)), "");
        assert_eq!(opening(|c| c.closes_us = c.opens_us.plus_us(WINDOW_LONGEST_US + 1)), "window-wrong");
        assert_eq!(opening(|c| (c.opens_us, c.closes_us) = (NOW.plus_us(-DAY_US), NOW)), "window-wrong", "over before it was opened");
    }

    #[test]
    fn the_next_round_opens_after_the_last() {
        let campaign = running();
        let next = |opens_us: Timestamp| {
            code(open_round(Some(&campaign), &OpenRound { campaign: campaign.id, round: 2, opens_us, closes_us: NOW.plus_us(2 * DAY_US) }, NOW))
        };
        assert_eq!(next(NOW.plus_us(DAY_US)), "");
        assert_eq!(next(NOW), "round-overlaps");
        assert_eq!(next(NOW.plus_us(-1)), "round-overlaps");
        let unknown = OpenRound { campaign: id(2), round: 1, opens_us: NOW, closes_us: NOW.plus_us(1) };
        assert_eq!(code(open_round(None, &unknown, NOW)), "campaign-unknown");
    }

    #[test]
    fn a_positive_pool_is_visited_before_a_lost_tube() {
        let order: Vec<u8> = ["positive", "single_target", "invalid", "leaked"].into_iter().map(priority).collect();
        assert_eq!(order, [1, 2, 3, 4]);
    }

    /// The judgement of a coded reason with its remark, by the rule given.
    fn judged_remarks(judge: impl Fn(&str, &str) -> &'static str) {
        assert_eq!(judge("left", ""), "");
        assert_eq!(judge("other", " "), "screening-remark-missing");
        assert_eq!(judge("other", &"字".repeat(TEXT_LIMIT)), "", "counted in characters, not bytes");
        assert_eq!(judge("left", &"字".repeat(TEXT_LIMIT + 1)), "screening-remark-long");
        assert_eq!(judge("whim", ""), "screening-reason-unknown");
    }

    #[test]
    fn only_who_is_due_is_excused() {
        let campaign = running();
        let excuse = |standing, reason: &str, remark: &str| {
            let command = ExemptPerson { campaign: campaign.id, person: id(9), reason: reason.to_owned(), remark: remark.to_owned() };
            code(exempt_person(Some(&campaign), standing, &command))
        };
        judged_remarks(|reason, remark| excuse(Some(DueState::Due), reason, remark));
        assert_eq!(excuse(None, "medical", ""), "person-not-due");
        for state in DueState::ALL {
            let wanted = match state {
                DueState::Due => "",
                DueState::Exempt => "already-exempt",
                _ => "already-sampled",
            };
            assert_eq!(excuse(Some(state), "medical", ""), wanted, "{state:?}");
        }
    }

    #[test]
    fn a_follow_up_is_closed_once() {
        let close = |open, reason: &str, remark: &str| {
            let command = CloseFollowUp { tube: id(1), person: id(9), reason: reason.to_owned(), remark: remark.to_owned() };
            code(close_follow_up(open, &command))
        };
        judged_remarks(|reason, remark| close(Some(true), reason, remark));
        assert_eq!(close(None, "left", ""), "follow-up-unknown");
        assert_eq!(close(Some(false), "left", ""), "follow-up-closed");
    }

    #[test]
    fn a_finding_is_settled_once_and_with_words() {
        let settle = |open, remark: &str| {
            let command = SettleFinding { subject: id::<AnyId>(1), code: "tube-full".to_owned(), person: None, remark: remark.to_owned() };
            code(settle_finding(open, &command))
        };
        assert_eq!(settle(Some(true), "counted again"), "");
        assert_eq!(settle(Some(true), "\t"), "screening-remark-missing");
        assert_eq!(settle(Some(true), &"字".repeat(TEXT_LIMIT + 1)), "screening-remark-long");
        assert_eq!(settle(None, "seen"), "screening-finding-unknown");
        assert_eq!(settle(Some(false), "seen"), "screening-finding-settled");
    }
}
