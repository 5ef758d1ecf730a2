//! All SQL of the room. [`apply`] folds events; the rest answers questions.

pub mod bench;
pub mod check;
pub mod clock;
pub mod day;
pub mod evidence;
pub(crate) mod fold;
pub mod graph;
pub mod lineage;
pub mod pools;
pub mod results;
pub mod stages;

use baton_kit::{TubeId, TypedId};
use baton_ledger::{Row, StoreError, StoreResult, Tx, params};
use serde::de::DeserializeOwned;

use crate::events::WellContent;
use crate::model::TubeClock;

pub use fold::apply;

/// Columns that may differ between equal histories.
pub const VOLATILE: &[&str] = &[];

pub(crate) fn json<T: DeserializeOwned>(table: &'static str, row: &str, text: &str) -> StoreResult<T> {
    serde_json::from_str(text).map_err(|error| StoreError::Inconsistent { table, row: row.to_owned(), problem: error.to_string() })
}

/// A word a table holds that the program does not know.
pub(crate) fn unknown_word(table: &'static str, row: impl ToString, word: &str) -> StoreError {
    StoreError::Inconsistent { table, row: row.to_string(), problem: format!("no meaning is known for {word:?}") }
}

pub(crate) fn content_name(content: WellContent) -> &'static str {
    match content {
        WellContent::Tube(_) => "tube",
        WellContent::NoTemplateControl => "no_template_control",
        WellContent::PositiveControl => "positive_control",
        WellContent::ExtractionControl => "extraction_control",
    }
}

pub(crate) fn content_of(name: &str, tube: Option<TubeId>) -> Option<WellContent> {
    match (name, tube) {
        ("tube", Some(tube)) => Some(WellContent::Tube(tube)),
        ("no_template_control", _) => Some(WellContent::NoTemplateControl),
        ("positive_control", _) => Some(WellContent::PositiveControl),
        ("extraction_control", _) => Some(WellContent::ExtractionControl),
        _ => None,
    }
}

/// A tube with the times of its box. An id carries its bucket in its highest bits, so a join finds the row by primary key.
pub(crate) const CLOCK: &str = "SELECT t.tube, t.code, t.campaign, t.point, t.ratio, t.follow_up, t.fluid_lot, t.opened_us, t.members, t.first_swab_us, t.sealed_us, t.sealed_count, \
     t.box, t.boxed_us, b.handed_us, b.arrived_us, t.laboratory, t.accessioned_us, t.rejected, t.lost, t.plate, t.laid_us, t.run, t.read_us, t.outcome, t.released_us \
     FROM tube_clock t LEFT JOIN box_clock b ON b.bucket = t.box >> 56 AND b.box = t.box";
/// How many columns [`CLOCK`] has: where a longer statement goes on.
pub(crate) const CLOCK_COLUMNS: usize = 26;

/// Reads a row of [`CLOCK`].
pub(crate) fn clock_of(row: &Row) -> StoreResult<TubeClock> {
    let tube: TubeId = row.id(0)?;
    let outcome = match row.maybe_text(24)? {
        Some(name) => Some(crate::events::TubeOutcome::from_name(name).ok_or_else(|| unknown_word("tube_clock", tube, name))?),
        None => None,
    };
    Ok(TubeClock {
        tube,
        code: row.maybe_text(1)?.map(str::to_owned),
        campaign: row.maybe_id(2)?,
        point: row.maybe_id(3)?,
        ratio: row.maybe_int(4)?,
        follow_up: row.truth(5)?,
        fluid_lot: row.maybe_id(6)?,
        opened: row.maybe_time(7)?,
        members: row.int(8)?,
        first_swab: row.maybe_time(9)?,
        sealed: row.maybe_time(10)?,
        sealed_count: row.maybe_int(11)?,
        box_id: row.maybe_id(12)?,
        boxed: row.maybe_time(13)?,
        handed: row.maybe_time(14)?,
        arrived: row.maybe_time(15)?,
        laboratory: row.maybe_id(16)?,
        accessioned: row.maybe_time(17)?,
        rejected: row.maybe_text(18)?.map(str::to_owned),
        lost: row.maybe_text(19)?.map(str::to_owned),
        plate: row.maybe_id(20)?,
        laid: row.maybe_time(21)?,
        run: row.maybe_id(22)?,
        read: row.maybe_time(23)?,
        outcome,
        released: row.maybe_time(25)?,
    })
}

pub fn tube(tx: &mut Tx<'_>, tube: TubeId) -> StoreResult<Option<TubeClock>> {
    tx.first(&format!("{CLOCK} WHERE t.bucket = $1 AND t.tube = $2"), params![tube.bucket_number(), tube])?.as_ref().map(clock_of).transpose()
}

/// Tubes in the order of their ids, from after one.
pub fn tubes_after(tx: &mut Tx<'_>, after: TubeId, limit: i64) -> StoreResult<Vec<TubeId>> {
    let sql = "SELECT tube FROM tube_clock WHERE (bucket, tube) > ($1, $2) ORDER BY bucket, tube LIMIT $3";
    tx.query(sql, params![after.bucket_number(), after, limit])?.iter().map(|row| row.id(0)).collect()
}

/// Tubes that bear this label; more than one only when a label was printed twice.
pub fn tubes_by_code(tx: &mut Tx<'_>, code: &str) -> StoreResult<Vec<TubeClock>> {
    tx.query(&format!("{CLOCK} WHERE t.code = $1 ORDER BY t.opened_us DESC LIMIT 20"), params![code])?.iter().map(clock_of).collect()
}
