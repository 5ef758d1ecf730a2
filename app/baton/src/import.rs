//! `import`: a roster from a CSV or XLSX file.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use baton_desk::App;
use baton_kit::ImportId;
use baton_registry::import::{ImportReport, Mode, run_import, undo_import};
use clap::Args;

use crate::installation::{Where, in_words, language, operator, progress, show};

/// How many problems are printed; the rest are counted.
const PRINTED: usize = 50;

#[derive(Args)]
pub(crate) struct Import {
    #[command(flatten)]
    at: Where,
    /// The roster: CSV, XLSX or XLS; Chinese or English headers.
    #[arg(required_unless_present = "undo")]
    file: Option<PathBuf>,
    /// Only say what would be done.
    #[arg(long)]
    dry_run: bool,
    /// Also end the memberships of people who are not in the file any more.
    #[arg(long, conflicts_with = "dry_run")]
    end_gone: bool,
    /// Take an import back.
    #[arg(long, value_name = "IMPORT", conflicts_with_all = ["dry_run", "end_gone", "file"])]
    undo: Option<ImportId>,
    #[arg(long)]
    json: bool,
}

impl Import {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let held = self.at.hold()?;
        let app = &held.app;
        let bar = progress("importing");
        let tell = |done: u64, all: u64| show(&bar, done as i64, all as i64);
        if let Some(import) = self.undo {
            let people = undo_import(&app.ledger, &operator(), import, tell).map_err(|refusal| in_words(app, &refusal))?;
            bar.finish_and_clear();
            println!("{}", serde_json::json!({ "undone": people }));
            return Ok(ExitCode::SUCCESS);
        }
        let file = self.file.context("a file to import")?;
        let bytes = std::fs::read(&file).with_context(|| file.display().to_string())?;
        let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let mode = match (self.dry_run, self.end_gone) {
            (true, _) => Mode::DryRun,
            (false, true) => Mode::CommitAndEndGone,
            (false, false) => Mode::Commit,
        };
        let report = run_import(&app.ledger, &app.site, &operator(), &bytes, &name, None, mode, tell).map_err(|refusal| in_words(app, &refusal))?;
        bar.finish_and_clear();
        if self.json {
            println!("{}", serde_json::to_string(&report)?)
        } else {
            print(app, &report)
        }
        Ok(if report.counts.refused > 0 { ExitCode::from(3) } else { ExitCode::SUCCESS })
    }
}

fn print(app: &App, report: &ImportReport) {
    let words = app.texts.words(language());
    for column in &report.columns {
        println!("{:>3}  {}  →  {}", column.column, column.header, column.field.map_or("–".to_owned(), |field| words.t(&format!("registry-field-{field}"))));
    }
    for problem in report.problems.iter().take(PRINTED) {
        let column = problem.column.map_or(String::new(), |column| format!(":{column}"));
        println!("{}{column}  {}", problem.row, words.t(&format!("registry-problem-{}", problem.code)));
    }
    let unprinted = report.problems.len().saturating_sub(PRINTED) as u64 + report.problems_more;
    if unprinted > 0 {
        println!("… {unprinted}");
    }
    println!("{}", serde_json::json!({"rows": report.rows, "counts": report.counts, "import": report.import}));
}
