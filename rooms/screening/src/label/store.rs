//! All SQL of label blocks. Whether a label was used is asked of the tubes: it is stored once.

use baton_kit::{AccountId, EventId, PlaceId, Timestamp, TypedId};
use baton_ledger::{Event, Param, Row, StoreResult, Tx, params};

use super::rules::{self, Account};
use crate::events::{IssueLabels, LabelsPrinted, LabelsStruckOff};

/// A block as issued.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Block {
    pub id: EventId,
    pub first: i64,
    pub count: i64,
    pub point: PlaceId,
    /// The device it was issued to, if to one alone.
    pub device: Option<i64>,
    pub issued: Timestamp,
    pub issued_by: Option<AccountId>,
    /// How often it was printed; more than once is a reprint.
    pub prints: i64,
}

impl Block {
    pub fn last(&self) -> i64 {
        self.first + self.count - 1
    }
}

pub fn issued(tx: &mut Tx<'_>, event: &Event) -> StoreResult<()> {
    let decided = event.decided::<IssueLabels>()?;
    tx.execute(
        "INSERT INTO label_block (bucket, id, first, count, point, device, issued_us, issued_by, prints) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0)",
        params![
            event.id.bucket_number(),
            event.id,
            decided.outcome.first,
            i64::from(decided.command.count),
            decided.command.point,
            decided.command.device.map(i64::from),
            event.happened,
            event.actor
        ],
    )?;
    Ok(())
}

pub fn printed(tx: &mut Tx<'_>, event: &Event) -> StoreResult<()> {
    let body: LabelsPrinted = event.body()?;
    tx.execute("UPDATE label_block SET prints = prints + 1 WHERE bucket = $1 AND id = $2", params![body.block.bucket_number(), body.block])?;
    Ok(())
}

pub fn struck_off(tx: &mut Tx<'_>, event: &Event) -> StoreResult<()> {
    let body: LabelsStruckOff = event.body()?;
    let rows: Vec<Vec<Param<'_>>> =
        body.serials().map(|serial| params![event.id.bucket_number(), serial, &body.reason, event.happened, event.actor].to_vec()).collect();
    tx.insert_many("INSERT INTO label_struck (bucket, number, reason, at_us, told_by) VALUES", 5, &rows, "ON CONFLICT (bucket, number) DO NOTHING")?;
    Ok(())
}

const BLOCK: &str = "SELECT id, first, count, point, device, issued_us, issued_by, prints FROM label_block";

fn block_of(row: &Row) -> StoreResult<Block> {
    Ok(Block {
        id: row.id(0)?,
        first: row.int(1)?,
        count: row.int(2)?,
        point: row.id(3)?,
        device: row.maybe_int(4)?,
        issued: row.time(5)?,
        issued_by: row.maybe_id(6)?,
        prints: row.int(7)?,
    })
}

/// The number after the last that was issued.
pub fn next_serial(tx: &mut Tx<'_>) -> StoreResult<i64> {
    let row = tx.first("SELECT first + count FROM label_block ORDER BY first DESC LIMIT 1", &[])?;
    row.map_or(Ok(1), |row| row.int(0))
}

pub fn block(tx: &mut Tx<'_>, id: EventId) -> StoreResult<Option<Block>> {
    tx.first(&format!("{BLOCK} WHERE bucket = $1 AND id = $2"), params![id.bucket_number(), id])?.map(|row| block_of(&row)).transpose()
}

/// The newest first, before this number; of these points, if not of all.
pub fn blocks_before(tx: &mut Tx<'_>, serial: i64, points: Option<&[PlaceId]>, limit: i64) -> StoreResult<Vec<Block>> {
    let mut values = params![serial, limit].to_vec();
    values.extend(points.unwrap_or_default().iter().map(|point| Param::from(*point)));
    let of_points = match points {
        None => String::new(),
        Some([]) => return Ok(Vec::new()),
        Some(points) => format!(" AND point IN ({})", (3..3 + points.len()).map(|n| format!("${n}")).collect::<Vec<_>>().join(", ")),
    };
    tx.query(&format!("{BLOCK} WHERE first < $1{of_points} ORDER BY first DESC LIMIT $2"), &values)?.iter().map(block_of).collect()
}

/// The block a number was issued with.
pub fn block_of_serial(tx: &mut Tx<'_>, serial: i64) -> StoreResult<Option<Block>> {
    Ok(blocks_before(tx, serial + 1, None, 1)?.into_iter().find(|block| serial <= block.last()))
}

/// Why a number was struck off, if it was.
pub fn struck(tx: &mut Tx<'_>, serial: i64) -> StoreResult<Option<String>> {
    let row = tx.first("SELECT reason FROM label_struck WHERE number = $1 ORDER BY bucket LIMIT 1", params![serial])?;
    row.map(|row| Ok(row.text(0)?.to_owned())).transpose()
}

/// What became of a block's labels.
pub fn account(tx: &mut Tx<'_>, block: &Block) -> StoreResult<Account> {
    // Without the check character, so that both stores' orders of letters agree.
    let (from, to) = (format!("B{:09}", block.first), format!("B{:09}", block.last() + 1));
    let codes = tx.query("SELECT code FROM tube WHERE code >= $1 AND code < $2 AND opened = 1", params![&from, &to])?;
    let used: Vec<i64> = codes.iter().filter_map(|row| rules::serial(row.text(0).ok()?).ok().map(i64::from)).collect();
    let rows = tx.query("SELECT number, reason FROM label_struck WHERE number >= $1 AND number <= $2", params![block.first, block.last()])?;
    let struck: Vec<(i64, String)> = rows.iter().map(|row| Ok((row.int(0)?, row.text(1)?.to_owned()))).collect::<StoreResult<_>>()?;
    Ok(rules::account(block.first..=block.last(), &used, &struck))
}
