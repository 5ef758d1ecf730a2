//! All SQL of tubes and the scans in them, and the step that draws every consequence of a changed tube.

use baton_kit::time::{DAY_US, HOUR_US};
use baton_kit::{AccountId, CampaignId, EventId, LotId, PersonId, PlaceId, Timestamp, TubeId, TypedId};
use baton_ledger::{Event, EventBody, Param, Row, StoreError, StoreResult, Tx, params};

use baton_registry::store as registry;

use crate::campaign;
use crate::events::{PersonSampled, ScanUndone, TubeOpened, TubeSealed};
use crate::finding;
use crate::follow_up;
use crate::model::{Journey, Member, Outcome, Seal, Specimen, Tube};
use crate::rules::{self, LotState, TubeContext};

const TUBE: &str = "t.id, t.opened, t.code, t.campaign, t.round, t.point, t.ratio, t.follow_up, t.fluid_lot, t.opened_us, t.opened_by, t.swabs, \
                    t.seal, t.sealed_us, t.sealed_count, t.resealed, t.accessioned_us, t.rejected, t.lost_us, t.lost, t.outcome, t.released, t.held_us, t.held_outcome, t.findings";

fn small(row: &Row, column: usize) -> StoreResult<u16> {
    Ok(u16::try_from(row.int(column)?).unwrap_or(u16::MAX))
}

fn id_or_none<T: TypedId>(row: &Row, column: usize) -> StoreResult<Option<T>> {
    if row.int(column)? == 0 { Ok(None) } else { row.id(column).map(Some) }
}

/// A tube from the columns of [`TUBE`], the first of them at `from`.
fn tube_of(row: &Row, from: usize) -> StoreResult<Tube> {
    let seal = match row.maybe_id::<EventId>(from + 12)? {
        Some(event) => Some(Seal { event, at: row.time(from + 13)?, count: small(row, from + 14)? }),
        None => None,
    };
    let held = match row.maybe_time(from + 22)? {
        Some(at) => Outcome::from_name(row.text(from + 23)?).map(|outcome| (at, outcome)),
        None => None,
    };
    let lost = row.maybe_time(from + 18)?.map(|at| Ok::<_, StoreError>((at, row.text(from + 19)?.to_owned()))).transpose()?;
    Ok(Tube {
        id: row.id(from)?,
        opened: row.truth(from + 1)?,
        code: row.text(from + 2)?.to_owned(),
        campaign: id_or_none(row, from + 3)?,
        round: small(row, from + 4)?,
        point: id_or_none(row, from + 5)?,
        ratio: small(row, from + 6)?,
        follow_up: row.truth(from + 7)?,
        fluid_lot: row.maybe_id(from + 8)?,
        opened_at: row.time(from + 9)?,
        opened_by: row.maybe_id(from + 10)?,
        swabs: small(row, from + 11)?,
        seal,
        resealed: row.truth(from + 15)?,
        journey: journey_of(row, from, lost.as_ref())?,
        first_held: held,
        lost,
        findings: row.int(from + 24)?,
    })
}

/// An outcome outranks the road; a rejection or a loss counts unless the tube was accepted afterwards.
fn journey_of(row: &Row, from: usize, lost: Option<&(Timestamp, String)>) -> StoreResult<Journey> {
    if let Some(outcome) = Outcome::from_name(row.text(from + 20)?) {
        return Ok(if row.truth(from + 21)? { Journey::Released(outcome) } else { Journey::Preliminary(outcome) });
    }
    let (accessioned, rejected) = (row.maybe_time(from + 16)?, row.text(from + 17)?);
    if !rejected.is_empty() {
        return Ok(Journey::Void(rejected.to_owned()));
    }
    Ok(match (accessioned, lost) {
        (Some(accepted), Some((at, reason))) if *at >= accepted => Journey::Void(reason.clone()),
        (None, Some((_, reason))) => Journey::Void(reason.clone()),
        (Some(_), _) => Journey::InLaboratory,
        (None, None) => Journey::Travelling,
    })
}

pub fn tube(tx: &mut Tx<'_>, id: TubeId) -> StoreResult<Option<Tube>> {
    let row = tx.first(&format!("SELECT {TUBE} FROM tube t WHERE t.bucket = $1 AND t.id = $2"), params![id.bucket_number(), id])?;
    row.map(|row| tube_of(&row, 0)).transpose()
}

/// Tubes that bear this label, oldest first. More than one is a finding.
pub fn tubes_by_code(tx: &mut Tx<'_>, code: &str) -> StoreResult<Vec<Tube>> {
    let rows = tx.query(&format!("SELECT {TUBE} FROM tube t WHERE t.code = $1 ORDER BY t.opened_us, t.id LIMIT 20"), params![code])?;
    rows.iter().map(|row| tube_of(row, 0)).collect()
}

/// The tubes an operator opened and did not seal yet, oldest first.
pub fn unsealed_of(tx: &mut Tx<'_>, account: AccountId) -> StoreResult<Vec<Tube>> {
    let rows =
        tx.query(&format!("SELECT {TUBE} FROM tube t WHERE t.opened_by = $1 AND t.sealed_us IS NULL ORDER BY t.opened_us, t.id LIMIT 50"), params![account])?;
    rows.iter().map(|row| tube_of(row, 0)).collect()
}

/// The tubes opened at a point since `from`, newest first.
pub fn tubes_of_point(tx: &mut Tx<'_>, point: PlaceId, from: Timestamp, limit: i64) -> StoreResult<Vec<Tube>> {
    let sql = format!("SELECT {TUBE} FROM tube t WHERE t.point = $1 AND t.opened_us >= $2 ORDER BY t.opened_us DESC, t.id DESC LIMIT $3");
    tx.query(&sql, params![point, from, limit])?.iter().map(|row| tube_of(row, 0)).collect()
}

/// Scans of a tube that stand, oldest first.
pub fn members(tx: &mut Tx<'_>, tube: TubeId) -> StoreResult<Vec<Member>> {
    let rows = tx.query("SELECT scan, person, swabbed_us FROM member WHERE tube = $1 AND undoing IS NULL", params![tube])?;
    let mut members = Vec::with_capacity(rows.len());
    for row in &rows {
        members.push(Member { scan: row.id(0)?, person: row.id(1)?, swabbed: row.time(2)? });
    }
    members.sort_by_key(|member| (member.swabbed, member.scan));
    Ok(members)
}

/// When the oldest swab in these tubes was taken.
pub fn first_swab(tx: &mut Tx<'_>, tubes: &[TubeId]) -> StoreResult<Option<Timestamp>> {
    let mut first: Option<Timestamp> = None;
    for some in tubes.chunks(200) {
        let marks: Vec<String> = (1..=some.len()).map(|n| format!("${n}")).collect();
        let values: Vec<Param<'_>> = some.iter().map(|tube| Param::Int(tube.raw())).collect();
        let sql = format!("SELECT min(swabbed_us) FROM member WHERE tube IN ({}) AND undoing IS NULL", marks.join(", "));
        let oldest = tx.one(&sql, &values)?.maybe_time(0)?;
        first = first.into_iter().chain(oldest).min();
    }
    Ok(first)
}

/// How busy a point is: when somebody was swabbed there last, swabs of the last hour, tubes not sealed and when the first of them was opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Busy {
    pub last: Option<Timestamp>,
    pub swabs: i64,
    pub unsealed: i64,
    pub since: Option<Timestamp>,
}

pub fn busy(tx: &mut Tx<'_>, point: PlaceId, now: Timestamp) -> StoreResult<Busy> {
    let sql = "SELECT max(m.swabbed_us), count(m.scan) FROM tube t JOIN member m ON m.tube = t.id WHERE t.point = $1 AND t.opened_us >= $2 AND m.undoing IS NULL AND m.swabbed_us >= $3";
    let swabs = tx.one(sql, params![point, now.plus_us(-2 * HOUR_US), now.plus_us(-HOUR_US)])?;
    let sql = "SELECT count(*), min(opened_us) FROM tube WHERE point = $1 AND opened_us >= $2 AND seal IS NULL AND opened = 1";
    let open = tx.one(sql, params![point, now.plus_us(-DAY_US)])?;
    Ok(Busy { last: swabs.maybe_time(0)?, swabs: swabs.int(1)?, unsealed: open.int(0)?, since: open.maybe_time(1)? })
}

/// All swabs of a person that stand and whose tube is known, oldest first.
pub fn specimens(tx: &mut Tx<'_>, person: PersonId) -> StoreResult<Vec<Specimen>> {
    let sql = format!(
        "SELECT m.scan, m.swabbed_us, {TUBE} FROM member m JOIN tube t ON t.bucket = m.bucket AND t.id = m.tube WHERE m.person = $1 AND m.undoing IS NULL AND t.opened = 1"
    );
    let rows = tx.query(&sql, params![person])?;
    let mut specimens = Vec::with_capacity(rows.len());
    for row in &rows {
        specimens.push(Specimen { scan: row.id(0)?, swabbed: row.time(1)?, tube: tube_of(row, 2)? });
    }
    specimens.sort_by_key(|specimen| (specimen.swabbed, specimen.scan));
    Ok(specimens)
}

/// One scan as stored, undone or not.
#[derive(Clone, Copy, Debug)]
pub struct Scan {
    pub tube: Option<TubeId>,
    pub person: Option<PersonId>,
    pub undone: bool,
}

pub fn scan(tx: &mut Tx<'_>, scan: EventId) -> StoreResult<Option<Scan>> {
    let row = tx.first("SELECT tube, person, undoing FROM member WHERE bucket = $1 AND scan = $2", params![scan.bucket_number(), scan])?;
    row.map(|row| Ok(Scan { tube: row.maybe_id(0)?, person: row.maybe_id(1)?, undone: row.maybe_int(2)?.is_some() })).transpose()
}

/// Makes sure that there is a row for a tube of which somebody spoke.
fn ensure_tube(tx: &mut Tx<'_>, id: TubeId) -> StoreResult<()> {
    tx.execute(
        "INSERT INTO tube (bucket, id, opened, code, campaign, round, point, ratio, follow_up, opened_us, swabs, resealed, rejected, lost, outcome, released, held_outcome, findings) \
         VALUES ($1, $2, 0, '', 0, 0, 0, 0, 0, 0, 0, 0, '', '', '', 0, '', 0) ON CONFLICT (bucket, id) DO NOTHING",
        params![id.bucket_number(), id],
    )?;
    Ok(())
}

pub fn tube_opened(tx: &mut Tx<'_>, event: &Event) -> StoreResult<()> {
    let body: TubeOpened = event.body()?;
    let id: TubeId = event.id.created();
    ensure_tube(tx, id)?;
    let round = campaign::store::round_at(tx, body.campaign, event.happened)?;
    tx.execute(
        "UPDATE tube SET opened = 1, code = $3, campaign = $4, round = $5, point = $6, ratio = $7, follow_up = $8, fluid_lot = $9, opened_us = $10, opened_by = $11 WHERE bucket = $1 AND id = $2",
        params![id.bucket_number(), id, &body.code, body.campaign, i64::from(round), body.point, i64::from(body.ratio), body.follow_up, body.fluid_lot, event.happened, event.actor],
    )?;
    tube_changed(tx, id)?;
    // An older label opened late makes the newer ones second.
    for other in tubes_by_code(tx, &body.code)?.into_iter().filter(|other| other.id != id) {
        let members = members(tx, other.id)?;
        judge_tube(tx, &other, &members)?;
    }
    Ok(())
}

/// Tubes opened, filled and sealed by many hands at once. In whatever order such facts come they leave the same tables, so
/// what concerns a tube is drawn once for all of its scans.
pub fn told_together(tx: &mut Tx<'_>, events: &[Event]) -> StoreResult<()> {
    let of_kind = |kind: &'static str| events.iter().filter(move |event| event.kind == kind);
    of_kind(TubeOpened::KIND).try_for_each(|event| tube_opened(tx, event))?;
    let mut scans = Vec::with_capacity(events.len());
    for event in of_kind(PersonSampled::KIND) {
        scans.push((event, event.body::<PersonSampled>()?));
    }
    scans.sort_by_key(|(_, body)| body.tube);
    people_sampled(tx, &scans)?;
    of_kind(TubeSealed::KIND).try_for_each(|event| tube_sealed(tx, event))
}

fn people_sampled(tx: &mut Tx<'_>, scans: &[(&Event, PersonSampled)]) -> StoreResult<()> {
    for scans in scans.chunk_by(|a, b| a.1.tube == b.1.tube) {
        let mut people = Vec::with_capacity(scans.len());
        for (event, body) in scans {
            if scan_stands(tx, event, body)? {
                people.push(body.person);
            }
        }
        let tube = scans[0].1.tube;
        if !people.is_empty() {
            scans_changed(tx, tube, &people, Change::Came)?;
        }
    }
    Ok(())
}

pub fn person_sampled(tx: &mut Tx<'_>, event: &Event) -> StoreResult<()> {
    let body: PersonSampled = event.body()?;
    if scan_stands(tx, event, &body)? { scans_changed(tx, body.tube, &[body.person], Change::Came) } else { Ok(()) }
}

/// Writes a scan down; false when it was undone before it arrived.
fn scan_stands(tx: &mut Tx<'_>, event: &Event, body: &PersonSampled) -> StoreResult<bool> {
    let row = tx.one(
        "INSERT INTO member (bucket, scan, tube, person, swabbed_us, account, undone_reason) VALUES ($1, $2, $3, $4, $5, $6, '') \
         ON CONFLICT (bucket, scan) DO UPDATE SET tube = excluded.tube, person = excluded.person, swabbed_us = excluded.swabbed_us, account = excluded.account RETURNING undoing",
        params![event.id.bucket_number(), event.id, body.tube, body.person, event.happened, event.actor],
    )?;
    let undone = row.maybe_int(0)?.is_some();
    if undone {
        finding::store::vanish(tx, event.id.raw(), event.id.bucket_number(), "scan-unknown")?;
    }
    Ok(!undone)
}

pub fn scan_undone(tx: &mut Tx<'_>, event: &Event) -> StoreResult<()> {
    let body: ScanUndone = event.body()?;
    // Of two undoings of one scan the one with the smaller id is kept, whichever came first.
    let row = tx.one(
        "INSERT INTO member (bucket, scan, undoing, undone_reason, undone_us) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (bucket, scan) DO UPDATE SET \
         undone_reason = CASE WHEN member.undoing IS NULL OR member.undoing > excluded.undoing THEN excluded.undone_reason ELSE member.undone_reason END, \
         undone_us = CASE WHEN member.undoing IS NULL OR member.undoing > excluded.undoing THEN excluded.undone_us ELSE member.undone_us END, \
         undoing = CASE WHEN member.undoing IS NULL OR member.undoing > excluded.undoing THEN excluded.undoing ELSE member.undoing END \
         RETURNING tube, person",
        params![body.scan.bucket_number(), body.scan, event.id, &body.reason, event.happened],
    )?;
    match (row.maybe_id::<TubeId>(0)?, row.maybe_id::<PersonId>(1)?) {
        (Some(tube), Some(person)) => scans_changed(tx, tube, &[person], Change::Went),
        _ => finding::store::scan_unknown(tx, body.scan, event.happened),
    }
}

pub fn tube_sealed(tx: &mut Tx<'_>, event: &Event) -> StoreResult<()> {
    let body: TubeSealed = event.body()?;
    ensure_tube(tx, body.tube)?;
    let key = (body.tube.bucket_number(), body.tube);
    tx.execute("UPDATE tube SET resealed = 1 WHERE bucket = $1 AND id = $2 AND seal <> $3", params![key.0, key.1, event.id])?;
    // The last seal counts, by its own time.
    tx.execute(
        "UPDATE tube SET seal = $3, sealed_us = $4, sealed_count = $5 WHERE bucket = $1 AND id = $2 \
         AND (seal IS NULL OR sealed_us < $4 OR (sealed_us = $4 AND seal < $3))",
        params![key.0, key.1, event.id, event.happened, i64::from(body.count)],
    )?;
    let Some(tube) = tube(tx, body.tube)? else { return Ok(()) };
    if tube.ratio == 1 {
        return tube_changed(tx, tube.id); // a count other than one: nobody's own
    }
    let members = members(tx, tube.id)?;
    judge_scans(tx, &tube, &members)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Change {
    Came,
    Went,
}

/// Scans of these people in this tube came or went.
fn scans_changed(tx: &mut Tx<'_>, id: TubeId, people: &[PersonId], change: Change) -> StoreResult<()> {
    let known = match (tube(tx, id)?, change) {
        (None, Change::Came) => {
            ensure_tube(tx, id)?;
            tube(tx, id)?
        }
        (known, _) => known,
    };
    let Some(mut tube) = known else { return Ok(()) };
    if let Some(point) = tube.point {
        tx.moved("queue", point.raw());
    }
    let members = members(tx, id)?;
    tube.swabs = u16::try_from(members.len()).unwrap_or(u16::MAX);
    tx.execute("UPDATE tube SET swabs = $3 WHERE bucket = $1 AND id = $2", params![id.bucket_number(), id, members.len() as i64])?;
    judge_scans(tx, &tube, &members)?;
    let Some(campaign) = tube.campaign.filter(|_| tube.opened) else { return Ok(()) };
    for person in people {
        person_moved(tx, campaign, tube.round, *person, change == Change::Came)?;
    }
    if tube.ratio == 1 {
        // Whether a single tube is one person's own depends on who else is in it.
        for other in members.iter().filter(|member| people.len() > 1 || member.person != people[0]) {
            person_changed(tx, campaign, tube.round, other.person)?;
        }
    }
    Ok(())
}

/// Something that concerns everybody in the tube became known.
pub fn tube_changed(tx: &mut Tx<'_>, id: TubeId) -> StoreResult<()> {
    let Some(tube) = tube(tx, id)? else { return Ok(()) };
    let members = members(tx, id)?;
    judge_tube(tx, &tube, &members)?;
    let Some(campaign) = tube.campaign.filter(|_| tube.opened) else { return Ok(()) };
    for member in &members {
        person_changed(tx, campaign, tube.round, member.person)?;
    }
    Ok(())
}

/// Looks at a tube with all that surrounds it.
fn judge_tube(tx: &mut Tx<'_>, tube: &Tube, members: &[Member]) -> StoreResult<()> {
    let context = context(tx, tube)?;
    finding::store::of_tube(tx, tube, members, &rules::tube_findings(tube, members, &context))
}

/// As [`judge_tube`] after a scan or a seal. These do not change the surroundings: a tube without findings has nothing odd around it.
fn judge_scans(tx: &mut Tx<'_>, tube: &Tube, members: &[Member]) -> StoreResult<()> {
    if !tube.opened || tube.findings > 0 {
        return judge_tube(tx, tube, members);
    }
    let quiet = TubeContext { campaign_known: true, ..TubeContext::default() };
    finding::store::of_tube(tx, tube, members, &rules::tube_findings(tube, members, &quiet))
}

fn context(tx: &mut Tx<'_>, tube: &Tube) -> StoreResult<TubeContext> {
    if !tube.opened {
        return Ok(TubeContext::default());
    }
    let code_used = tubes_by_code(tx, &tube.code)?.first().is_some_and(|first| first.id != tube.id);
    let campaign = match tube.campaign {
        Some(campaign) => campaign::store::campaign(tx, campaign)?,
        None => None,
    };
    Ok(TubeContext {
        code_used,
        lot: lot_state(tx, tube.fluid_lot, tube.opened_at)?,
        campaign_known: campaign.is_some(),
        campaign_ratio: campaign.map(|c| c.ratio),
    })
}

/// What is wrong with a lot of fluid for a tube opened at `at`.
pub fn lot_state(tx: &mut Tx<'_>, lot: Option<LotId>, at: Timestamp) -> StoreResult<LotState> {
    let Some(lot) = lot else { return Ok(LotState::Usable) };
    Ok(match registry::lot(tx, lot)? {
        None => LotState::Unknown,
        Some(lot) if lot.recalled.is_some() => LotState::Recalled,
        Some(lot) if lot.expires <= at => LotState::Expired,
        Some(_) => LotState::Usable,
    })
}

/// A lot was added or recalled: its tubes are looked at again.
pub fn lot_changed(tx: &mut Tx<'_>, lot: LotId) -> StoreResult<()> {
    let rows = tx.query(&format!("SELECT {TUBE} FROM tube t WHERE t.fluid_lot = $1"), params![lot])?;
    for row in &rows {
        let tube = tube_of(row, 0)?;
        let members = members(tx, tube.id)?;
        judge_tube(tx, &tube, &members)?;
    }
    Ok(())
}

/// A campaign or a round of it begins: tubes that were opened in it already move over to it.
pub fn round_opened(tx: &mut Tx<'_>, campaign: CampaignId, round: u16, opens: Timestamp) -> StoreResult<()> {
    let rows =
        tx.query("SELECT id, round FROM tube WHERE campaign = $1 AND opened_us >= $2 AND round < $3 ORDER BY id", params![campaign, opens, i64::from(round)])?;
    for row in &rows {
        let (id, before): (TubeId, u16) = (row.id(0)?, small(row, 1)?);
        tx.execute("UPDATE tube SET round = $3 WHERE bucket = $1 AND id = $2", params![id.bucket_number(), id, i64::from(round)])?;
        tube_changed(tx, id)?;
        for member in members(tx, id)? {
            person_changed(tx, campaign, before, member.person)?;
        }
    }
    Ok(())
}

/// A person's swabs of one campaign, oldest first.
pub fn specimens_in(tx: &mut Tx<'_>, campaign: CampaignId, person: PersonId) -> StoreResult<Vec<Specimen>> {
    let mut specimens = specimens(tx, person)?;
    specimens.retain(|specimen| specimen.tube.campaign == Some(campaign));
    Ok(specimens)
}

/// Draws all consequences for one person: standing in each round touched, follow-up list, findings.
pub fn person_changed(tx: &mut Tx<'_>, campaign: CampaignId, round: u16, person: PersonId) -> StoreResult<()> {
    person_moved(tx, campaign, round, person, false)
}

/// As [`person_changed`]. `quiet`: nothing that was written before about this person can have become wrong,
/// so somebody with one plain specimen needs neither list nor findings: most people, most of the time.
fn person_moved(tx: &mut Tx<'_>, campaign: CampaignId, round: u16, person: PersonId, quiet: bool) -> StoreResult<()> {
    tx.moved("result", person.raw());
    let specimens = specimens_in(tx, campaign, person)?;
    let mut rounds: Vec<u16> = specimens.iter().map(|specimen| specimen.tube.round).chain([round]).collect();
    rounds.sort_unstable();
    rounds.dedup();
    let mut listed = false;
    for round in rounds {
        listed |= campaign::store::stand(tx, campaign, round, person, &specimens)?;
    }
    let follow_ups = rules::follow_ups(&specimens);
    if quiet && listed && specimens.len() == 1 && follow_ups.is_empty() {
        return Ok(());
    }
    follow_up::store::list(tx, campaign, person, &follow_ups)?;
    let known = listed || registry::exists(tx, person)?;
    finding::store::of_person(tx, campaign, person, &specimens, &rules::person_findings(&specimens, known))
}

/// A laboratory or a courier said something about a tube.
pub fn tube_told(tx: &mut Tx<'_>, id: TubeId, told: Told<'_>, at: Timestamp) -> StoreResult<()> {
    let before = tube(tx, id)?;
    if before.is_none() {
        ensure_tube(tx, id)?;
    }
    let key = (id.bucket_number(), id);
    match told {
        Told::Accessioned { event, rejected } => tx.execute(
            "UPDATE tube SET accession = $3, accessioned_us = $4, rejected = $5 WHERE bucket = $1 AND id = $2 AND (accession IS NULL OR accessioned_us < $4 OR (accessioned_us = $4 AND accession < $3))",
            params![key.0, key.1, event, at, rejected],
        )?,
        Told::Lost { reason } => tx.execute(
            "UPDATE tube SET lost_us = $3, lost = $4 WHERE bucket = $1 AND id = $2 AND (lost_us IS NULL OR lost_us < $3 OR (lost_us = $3 AND lost < $4))",
            params![key.0, key.1, at, reason],
        )?,
        // What was released stays until it is amended; a preliminary hold stays until something is released.
        Told::Read { outcome } => tx.execute(
            "UPDATE tube SET outcome = $3 WHERE bucket = $1 AND id = $2 AND released = 0 AND (outcome = '' OR outcome = 'negative' OR $3 <> 'negative')",
            params![key.0, key.1, outcome.name()],
        )?,
        Told::Released { outcome } => tx.execute("UPDATE tube SET outcome = $3, released = 1 WHERE bucket = $1 AND id = $2", params![key.0, key.1, outcome.name()])?,
    };
    tx.execute(
        "UPDATE tube SET held_us = $3, held_outcome = outcome WHERE bucket = $1 AND id = $2 AND held_us IS NULL AND outcome <> '' AND outcome <> 'negative'",
        params![key.0, key.1, at],
    )?;
    let (Some(before), Some(after)) = (before, tube(tx, id)?) else { return Ok(()) };
    let members = members(tx, id)?;
    for member in &members {
        // What is told may change what they read even where it leaves them standing as before: an amendment, a second lot.
        tx.moved("result", member.person.raw());
    }
    // What others say changes nothing about who is in the tube and how it was sealed.
    let same = before.journey == after.journey && before.first_held == after.first_held && before.lost == after.lost;
    let Some(campaign) = after.campaign.filter(|_| after.opened && !same) else { return Ok(()) };
    let quiet = before.first_held.is_none() && before.lost.is_none() && !matches!(before.journey, Journey::Void(_));
    for member in members {
        person_moved(tx, campaign, after.round, member.person, quiet)?;
    }
    Ok(())
}

/// What others say about a tube.
#[derive(Clone, Copy, Debug)]
pub enum Told<'a> {
    /// `rejected` is empty when the tube was accepted.
    Accessioned {
        event: EventId,
        rejected: &'a str,
    },
    Lost {
        reason: &'a str,
    },
    Read {
        outcome: Outcome,
    },
    /// Released, or amended after its release.
    Released {
        outcome: Outcome,
    },
}
