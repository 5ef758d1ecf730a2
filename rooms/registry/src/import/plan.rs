//! What a file would change: rows judged on two threads, then held against the registry.

use std::collections::{HashMap, HashSet};

use baton_desk::{Actor, Scope};
use baton_kit::{PersonId, Refusal};
use baton_ledger::{Ledger, Secrets, StoreResult, Tx, Undecided, to_json};
use baton_sheets::{Limits, Row, Table};

use super::mapping::{Field, Mapping};
use super::places::{Belongs, Named, Places, Slot};
use super::report::{ColumnUsed, ImportReport, LISTED_MAX, Repeated};
use super::row::{self, RowProblem};
use crate::{keys, store};

/// What becomes of a row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fate {
    /// A person nobody knew, or one withdrawn before, under their old id.
    New(Option<PersonId>),
    Changed(PersonId),
}

/// A row to be recorded.
#[derive(Clone, Copy, Debug)]
pub(super) struct Planned {
    /// Index into the table's rows.
    pub(super) index: u32,
    pub(super) belongs: Belongs,
    pub(super) fate: Fate,
}

/// A file, judged.
pub(super) struct Plan {
    pub(super) table: Table,
    pub(super) mapping: Mapping,
    pub(super) places: Places,
    pub(super) people: Vec<Planned>,
    pub(super) gone: Vec<PersonId>,
    pub(super) report: ImportReport,
    /// Where the rows that were not left out belong.
    spoken_of: HashSet<Belongs>,
}

/// What one row is, seen alone.
struct Judged {
    document_key: Option<i64>,
    /// To tell the same person twice from one document under two names.
    name_key: i64,
    credit_code: Option<String>,
    problems: Vec<RowProblem>,
}

pub(super) fn plan(ledger: &Ledger, actor: &Actor, bytes: &[u8], file_name: &str, mapping: Option<Mapping>) -> Result<Plan, Undecided> {
    let table = baton_sheets::read(bytes, file_name, Limits::default()).map_err(|error| Refusal::malformed("import-file-wrong").with("problem", error))?;
    let mapping = mapping.unwrap_or_else(|| Mapping::guess(&table.headers));
    mapping.check(table.headers.len())?;
    let judged = judge_all(&table.rows, &mapping, ledger.secrets());
    let report = ImportReport {
        file: file_name.to_owned(),
        rows: table.rows.len() as u64,
        columns: columns(&table, &mapping),
        sheet: table.problems.iter().take(200).map(ToString::to_string).collect(),
        ..ImportReport::default()
    };
    let mut plan = Plan { table, mapping, places: Places::default(), people: Vec::new(), gone: Vec::new(), report, spoken_of: HashSet::new() };
    ledger.read(|tx| Ok(plan.hold_against(tx, ledger.secrets(), actor, judged)?))?;
    Ok(plan)
}

fn columns(table: &Table, mapping: &Mapping) -> Vec<ColumnUsed> {
    let used = |(column, header): (usize, &String)| ColumnUsed { column: column + 1, header: header.clone(), field: mapping.field(column).map(Field::name) };
    table.headers.iter().enumerate().map(used).collect()
}

fn judge_all(rows: &[Row], mapping: &Mapping, secrets: &Secrets) -> Vec<Judged> {
    let judge_some = |rows: &[Row]| rows.iter().map(|row| judge(row, mapping, secrets)).collect::<Vec<_>>();
    let (first, second) = rows.split_at(rows.len() / 2);
    let (mut judged, rest) = std::thread::scope(|scope| {
        let other = scope.spawn(|| judge_some(second));
        (judge_some(first), other.join())
    });
    match rest {
        Ok(rest) => judged.extend(rest),
        Err(panic) => std::panic::resume_unwind(panic),
    }
    judged
}

fn judge(row: &Row, mapping: &Mapping, secrets: &Secrets) -> Judged {
    let read = row::read(row, mapping);
    let document_key = read.document.as_ref().map(|(kind, number)| keys::document(secrets, *kind, number));
    Judged { document_key, name_key: secrets.lookup("content", &read.name), credit_code: read.credit_code, problems: read.problems }
}

impl Plan {
    fn hold_against(&mut self, tx: &mut Tx<'_>, secrets: &Secrets, actor: &Actor, judged: Vec<Judged>) -> StoreResult<()> {
        let known = store::content_keys(tx)?;
        let mut first: HashMap<i64, (usize, i64)> = HashMap::with_capacity(judged.len());
        let mut seen: HashSet<PersonId> = HashSet::new();
        for (index, judged) in judged.into_iter().enumerate() {
            let number = self.table.rows[index].number;
            let stored = judged.document_key.and_then(|key| known.get(&key));
            // Whoever is in the file is not gone, even when their row is left out.
            seen.extend(stored.map(|stored| stored.person));
            let earlier = judged.document_key.and_then(|key| first.get(&key).copied());
            if let Some((first_row, name_key)) = earlier
                && judged.problems.is_empty()
            {
                self.again(index, first_row, name_key == judged.name_key);
                continue;
            }
            let belongs = self.places_of(tx, actor, index, &judged)?;
            let Some(belongs) = belongs else { continue };
            self.spoken_of.insert(belongs);
            if let Some(key) = judged.document_key {
                first.insert(key, (number, judged.name_key));
            }
            match stored {
                Some(stored) if stored.active => {
                    let same = stored.content.is_some() && stored.content == self.content(secrets, index, belongs)?;
                    if same {
                        self.report.counts.unchanged += 1;
                    } else {
                        self.report.counts.changed += 1;
                        self.people.push(Planned { index: index as u32, belongs, fate: Fate::Changed(stored.person) });
                    }
                }
                stored => {
                    self.report.counts.new += 1;
                    self.people.push(Planned { index: index as u32, belongs, fate: Fate::New(stored.map(|stored| stored.person)) });
                }
            }
        }
        self.places.keep_named(&self.spoken_of);
        let added: Vec<_> = self.places.added().map(|add| add.place.clone()).collect();
        self.report.places_more = added.len().saturating_sub(LISTED_MAX) as u64;
        self.report.places = added.into_iter().take(LISTED_MAX).collect();
        self.find_gone(tx, &seen, known.is_empty())
    }

    fn again(&mut self, index: usize, first_row: usize, same_name: bool) {
        let row = &self.table.rows[index];
        if same_name {
            self.report.add_repeated(Repeated { row: row.number, first_row });
        } else {
            let problem = RowProblem { first_row: Some(first_row), ..RowProblem::new(row, &self.mapping, Field::Document, "document-of-another") };
            self.refuse(vec![problem]);
        }
    }

    fn refuse(&mut self, problems: Vec<RowProblem>) {
        self.report.counts.refused += 1;
        self.report.add_problems(problems);
    }

    /// Where the row belongs; nothing when the row is left out, which is then in the report.
    fn places_of(&mut self, tx: &mut Tx<'_>, actor: &Actor, index: usize, judged: &Judged) -> StoreResult<Option<Belongs>> {
        if !judged.problems.is_empty() {
            self.refuse(judged.problems.clone());
            return Ok(None);
        }
        let row = &self.table.rows[index];
        let found = self.places.belongs(tx, &Named::new(row, &self.mapping, judged.credit_code.as_deref()))?;
        let code = match found {
            None => "zone-missing",
            Some(belongs) if may_write(actor, belongs) => return Ok(Some(belongs)),
            Some(_) => "out-of-scope",
        };
        let problem = RowProblem::new(row, &self.mapping, Field::Zone, code);
        self.refuse(vec![problem]);
        Ok(None)
    }

    /// What the fold would store for this row; nothing while one of its places is still to be added.
    fn content(&self, secrets: &Secrets, index: usize, belongs: Belongs) -> StoreResult<Option<i64>> {
        let row = &self.table.rows[index];
        let Some(mut membership) = belongs.known() else { return Ok(None) };
        let Some(particulars) = row::read(row, &self.mapping).particulars(row, &self.mapping) else { return Ok(None) };
        let zone = membership.zone.map_or(0, baton_kit::TypedId::bucket_number);
        membership.household = household(secrets, zone, row, &self.mapping);
        Ok(Some(keys::content(secrets, &to_json(&particulars)?, &membership, &row::tags(row, &self.mapping))))
    }

    /// Who is registered where the file speaks of, and not in the file. A file about one enterprise speaks of that enterprise only.
    fn find_gone(&mut self, tx: &mut Tx<'_>, seen: &HashSet<PersonId>, first_import: bool) -> StoreResult<()> {
        if first_import {
            return Ok(());
        }
        let enterprises: HashSet<Option<Slot>> = self.spoken_of.iter().map(|belongs| belongs.enterprise).collect();
        let zones: HashSet<Slot> = self.spoken_of.iter().map(|belongs| belongs.zone).collect();
        let mut members = Vec::new();
        match enterprises.into_iter().collect::<Vec<_>>()[..] {
            [Some(Slot::Known(enterprise))] => members = store::members_of(tx, enterprise, true)?,
            [Some(Slot::New(_))] => {}
            _ => {
                for zone in zones {
                    if let Slot::Known(zone) = zone {
                        members.extend(store::members_of(tx, zone, false)?);
                    }
                }
            }
        }
        members.sort_unstable();
        members.retain(|person| !seen.contains(person));
        self.report.counts.gone = members.len() as u64;
        self.gone = members;
        Ok(())
    }
}

/// A zone is added only by whoever reaches everything, other places by whoever reaches the zone; otherwise one of the row's places must be in reach.
fn may_write(actor: &Actor, belongs: Belongs) -> bool {
    match belongs.zone {
        _ if actor.scope == Scope::Everywhere => true,
        Slot::Known(zone) if actor.scope.reaches(zone) => true,
        _ => belongs.known().is_some() && actor.scope.reaches_any(&belongs.chain()),
    }
}

pub(super) fn household(secrets: &Secrets, zone_bucket: i64, row: &Row, mapping: &Mapping) -> Option<i64> {
    let code = mapping.cell(row, Field::Household);
    (!code.is_empty()).then(|| keys::household(secrets, zone_bucket, code))
}
