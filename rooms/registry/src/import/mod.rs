//! A roster taken in: mapping, dry run, commit, undo, and the same file again as a difference.

mod commit;
mod decide;
pub mod mapping;
mod places;
mod plan;
mod report;
mod row;
mod undo;

pub use mapping::{Field, Mapping};
pub use report::{ColumnUsed, ImportReport, NewPlace, Repeated};
pub use row::{RowProblem, document_kind};

use baton_desk::Actor;
use baton_kit::{ImportId, Refusal, Site, Status};
use baton_ledger::{Ledger, Undecided};
use sha2::Digest;

/// What to do with a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Only say what would be done.
    DryRun,
    /// Record new and changed people. Whoever is registered in the file's places and not in the file is counted and left alone.
    Commit,
    /// As `Commit`, and end the memberships of those who are not in the file any more. Refused while rows are left out.
    CommitAndEndGone,
}

/// Reads a roster (CSV, XLSX or XLS) and holds it against the registry; unless it is a dry run, records what is new and changed.
///
/// `actor` must reach what is written: zones are added only by whoever reaches everything. Rows with errors are left out and
/// listed. `progress` hears (people recorded and folded, all of them) on the calling thread. When this returns, pages show it.
///
/// # Errors
/// `import-file-wrong`, `import-column-missing`, `import-column-beyond`, `import-nothing`, `import-gone-with-errors`, and whatever the ledger refuses.
#[allow(clippy::too_many_arguments)] // the whole task of one import, called from two doors
pub fn run_import(
    ledger: &Ledger,
    site: &Site,
    actor: &Actor,
    bytes: &[u8],
    file_name: &str,
    mapping: Option<Mapping>,
    mode: Mode,
    progress: impl FnMut(u64, u64),
) -> Result<ImportReport, Refusal> {
    let work = || {
        let mut plan = plan::plan(ledger, actor, bytes, file_name, mapping)?;
        if mode == Mode::DryRun {
            return Ok(plan.report);
        }
        let end_gone = mode == Mode::CommitAndEndGone;
        if end_gone && plan.report.counts.refused > 0 {
            return Err(Refusal::ruled("import-gone-with-errors").with("rows", plan.report.counts.refused).into());
        }
        if plan.people.is_empty() && (plan.gone.is_empty() || !end_gone) {
            return Err(Refusal::ruled("import-nothing").into());
        }
        let sha256 = baton_ledger::hex(&sha2::Sha256::digest(bytes));
        plan.report.import = Some(commit::carry_out(ledger, site, actor, sha256, &plan, end_gone, progress)?);
        Ok(plan.report)
    };
    refusal(work())
}

/// Takes an import back. Its new people are withdrawn, changed ones get their earlier particulars and membership, ended
/// memberships run on. Whoever was changed again after it stays as they are now. The number of people taken back.
///
/// # Errors
/// `no-such-thing`, `import-undone-already`, and whatever the ledger refuses.
pub fn undo_import(ledger: &Ledger, actor: &Actor, import: ImportId, progress: impl FnMut(u64, u64)) -> Result<u64, Refusal> {
    refusal(undo::undo(ledger, actor, import, progress))
}

fn refusal<T>(result: Result<T, Undecided>) -> Result<T, Refusal> {
    result.map_err(|undecided| match undecided {
        Undecided::Refused(refusal) => refusal,
        Undecided::Store(error) => {
            tracing::error!(%error, "an import failed");
            Refusal::new("store-broken", Status::Broken)
        }
    })
}
