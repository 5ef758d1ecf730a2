//! All SQL of findings.

use std::collections::BTreeSet;

use baton_kit::{AnyId, CampaignId, EventId, PersonId, PlaceId, Timestamp, TubeId, TypedId};
use baton_ledger::{Event, Row, StoreResult, Tx, params};

use crate::events::SettleFinding;
use crate::model::{Member, Specimen, Tube};
use crate::rules::{Findings, PERSON_CODES, TUBE_CODES};

/// One contradiction as stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    pub subject: AnyId,
    pub code: String,
    pub person: Option<PersonId>,
    pub point: Option<PlaceId>,
    pub campaign: Option<CampaignId>,
    pub at: Timestamp,
    pub settled: Option<(Timestamp, String)>,
}

const INSERT: &str = "INSERT INTO screening_finding (bucket, subject, code, person, point, campaign, at_us, settled, remark) VALUES ($1, $2, $3, $4, $5, $6, $7, 0, '') \
                      ON CONFLICT (bucket, subject, code, person) DO UPDATE SET at_us = excluded.at_us, point = excluded.point, campaign = excluded.campaign";

fn raw(id: Option<impl TypedId>) -> i64 {
    id.map_or(0, TypedId::raw)
}

/// Makes the stored findings of a tube what `found` says; what a person settled stays.
pub fn of_tube(tx: &mut Tx<'_>, tube: &Tube, members: &[Member], found: &Findings) -> StoreResult<()> {
    if tube.findings == 0 && found.is_empty() {
        return Ok(());
    }
    let bucket = tube.id.bucket_number();
    let rows = tx.query("SELECT code, person, settled FROM screening_finding WHERE bucket = $1 AND subject = $2", params![bucket, tube.id])?;
    let mut settled = 0;
    for row in rows.iter().filter(|row| row.text(0).is_ok_and(|code| TUBE_CODES.contains(&code))) {
        let (code, person) = (row.text(0)?, row.int(1)?);
        let stays = found.iter().any(|(wanted, who)| *wanted == code && raw(*who) == person);
        if row.truth(2)? {
            settled += i64::from(!stays);
        } else if !stays {
            tx.execute(
                "DELETE FROM screening_finding WHERE bucket = $1 AND subject = $2 AND code = $3 AND person = $4",
                params![bucket, tube.id, code, person],
            )?;
        }
    }
    let first = members.first().map_or(tube.opened_at, |member| member.swabbed);
    for (code, person) in found {
        let at = match *code {
            "count-mismatch" | "sealed-twice" => tube.seal.map_or(first, |seal| seal.at),
            "tube-unknown" => first.max(tube.seal.map_or(first, |seal| seal.at)),
            "sampled-after-seal" | "twice-in-tube" => members.iter().rev().find(|m| Some(m.person) == *person).map_or(first, |m| m.swabbed),
            "tube-full" => members.last().map_or(first, |m| m.swabbed),
            _ => tube.opened_at,
        };
        tx.execute(INSERT, params![bucket, tube.id, *code, raw(*person), raw(tube.point), raw(tube.campaign), at])?;
    }
    tx.execute("UPDATE tube SET findings = $3 WHERE bucket = $1 AND id = $2", params![bucket, tube.id, found.len() as i64 + settled])?;
    Ok(())
}

pub fn any_of_person(tx: &mut Tx<'_>, person: PersonId) -> StoreResult<bool> {
    Ok(tx.first("SELECT subject FROM screening_finding WHERE person = $1 LIMIT 1", params![person])?.is_some())
}

/// As [`of_tube`], for what contradicts among one person's specimens of a campaign.
pub fn of_person(tx: &mut Tx<'_>, campaign: CampaignId, person: PersonId, specimens: &[Specimen], found: &BTreeSet<(TubeId, &'static str)>) -> StoreResult<()> {
    // `+ 0`: or else SQLite looks through all open findings instead of this person's.
    let sql = "SELECT bucket, subject, code FROM screening_finding WHERE person = $1 AND campaign = $2 AND settled + 0 = 0";
    let rows = tx.query(sql, params![person, campaign])?;
    for row in rows.iter().filter(|row| row.text(2).is_ok_and(|code| PERSON_CODES.contains(&code))) {
        let (subject, code) = (row.int(1)?, row.text(2)?);
        if !found.iter().any(|(tube, wanted)| tube.raw() == subject && *wanted == code) {
            tx.execute(
                "DELETE FROM screening_finding WHERE bucket = $1 AND subject = $2 AND code = $3 AND person = $4",
                params![row.int(0)?, subject, code, person],
            )?;
        }
    }
    for (tube, code) in found {
        let Some(specimen) = specimens.iter().find(|specimen| specimen.tube.id == *tube) else { continue };
        tx.execute(INSERT, params![tube.bucket_number(), *tube, *code, person, raw(specimen.tube.point), campaign, specimen.swabbed])?;
    }
    Ok(())
}

/// Somebody undid a scan that nobody sent.
pub fn scan_unknown(tx: &mut Tx<'_>, scan: EventId, at: Timestamp) -> StoreResult<()> {
    // Of several undoings the earliest gives the time, whichever came first.
    tx.execute(
        "INSERT INTO screening_finding (bucket, subject, code, person, point, campaign, at_us, settled, remark) VALUES ($1, $2, 'scan-unknown', 0, 0, 0, $3, 0, '') \
         ON CONFLICT (bucket, subject, code, person) DO UPDATE SET at_us = CASE WHEN excluded.at_us < screening_finding.at_us THEN excluded.at_us ELSE screening_finding.at_us END",
        params![scan.bucket_number(), scan, at],
    )?;
    Ok(())
}

/// What was missing has arrived.
pub fn vanish(tx: &mut Tx<'_>, subject: i64, bucket: i64, code: &str) -> StoreResult<()> {
    tx.execute("DELETE FROM screening_finding WHERE bucket = $1 AND subject = $2 AND code = $3 AND settled = 0", params![bucket, subject, code])?;
    Ok(())
}

pub fn settled(tx: &mut Tx<'_>, event: &Event) -> StoreResult<()> {
    let command = event.decided::<SettleFinding>()?.command;
    tx.execute(
        "UPDATE screening_finding SET settled = 1, settled_us = $5, settled_by = $6, remark = $7 WHERE bucket = $1 AND subject = $2 AND code = $3 AND person = $4",
        params![command.subject.bucket_number(), command.subject, &command.code, raw(command.person), event.happened, event.actor, &command.remark],
    )?;
    Ok(())
}

/// Whether a finding is open; nothing when there is none.
pub fn is_open(tx: &mut Tx<'_>, subject: AnyId, code: &str, person: Option<PersonId>) -> StoreResult<Option<bool>> {
    let sql = "SELECT settled FROM screening_finding WHERE bucket = $1 AND subject = $2 AND code = $3 AND person = $4";
    let row = tx.first(sql, params![subject.bucket_number(), subject, code, raw(person)])?;
    row.map(|row| Ok(!row.truth(0)?)).transpose()
}

fn finding_of(row: &Row) -> StoreResult<Finding> {
    let settled = row.maybe_time(6)?.map(|at| Ok::<_, baton_ledger::StoreError>((at, row.text(7)?.to_owned()))).transpose()?;
    let some = |column| row.int(column).ok().filter(|raw| *raw != 0);
    Ok(Finding {
        subject: row.id(0)?,
        code: row.text(1)?.to_owned(),
        person: some(2).and_then(|raw| PersonId::from_raw(raw).ok()),
        point: some(3).and_then(|raw| PlaceId::from_raw(raw).ok()),
        campaign: some(4).and_then(|raw| CampaignId::from_raw(raw).ok()),
        at: row.time(5)?,
        settled,
    })
}

/// The newest findings, open or settled.
pub fn findings(tx: &mut Tx<'_>, settled: bool, limit: i64) -> StoreResult<Vec<Finding>> {
    let sql = "SELECT subject, code, person, point, campaign, at_us, settled_us, remark FROM screening_finding WHERE settled = $1 ORDER BY at_us DESC, subject, code, person LIMIT $2";
    tx.query(sql, params![settled, limit])?.iter().map(finding_of).collect()
}

/// Open findings of one tube.
pub fn findings_of_subject(tx: &mut Tx<'_>, subject: AnyId) -> StoreResult<Vec<Finding>> {
    let sql = "SELECT subject, code, person, point, campaign, at_us, settled_us, remark FROM screening_finding WHERE bucket = $1 AND subject = $2 ORDER BY at_us, code, person";
    tx.query(sql, params![subject.bucket_number(), subject])?.iter().map(finding_of).collect()
}
