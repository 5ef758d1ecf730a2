//! `verify-report`: whether a report is what the laboratory signed.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use baton_laboratory::verify_report;
use baton_ledger::Secrets;
use clap::Args;

#[derive(Args)]
pub(crate) struct VerifyReport {
    /// A signed report as downloaded.
    file: PathBuf,
    /// The public key it must be signed by, in hexadecimal (`baton verify-report` prints it for a report you trust).
    #[arg(long, conflicts_with = "data")]
    key: Option<String>,
    /// Or the data folder of the installation that must have signed it.
    #[arg(long)]
    data: Option<PathBuf>,
    #[arg(long)]
    json: bool,
}

impl VerifyReport {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let bytes = std::fs::read(&self.file).with_context(|| self.file.display().to_string())?;
        let expected = match (&self.key, &self.data) {
            (Some(key), _) => Some(baton_laboratory::report::key_from_hex(key).context("--key is no public key in hexadecimal")?),
            (None, Some(data)) => Some(Secrets::load(&data.join("secrets"))?.verifying()),
            (None, None) => None,
        };
        let report = match verify_report(&bytes, expected.as_ref()) {
            Ok(report) => report,
            Err(problem) if self.json => {
                println!("{}", serde_json::json!({"valid": false, "problem": problem.to_string()}));
                return Ok(ExitCode::from(2));
            }
            Err(problem) => bail!("{}: NOT VALID: {problem}", self.file.display()),
        };
        if self.json {
            println!(
                "{}",
                serde_json::json!({"valid": true, "key": report.key, "key_expected": report.key_expected, "installation": report.installation, "person": report.person, "result": report.result, "issued": report.issued, "earlier_values": report.earlier_values})
            );
        } else {
            println!("valid: {} by {} on {}", report.result, report.installation, report.issued);
            println!("signed by key {}{}", report.key, if report.key_expected { ", the one expected" } else { "; compare it with the laboratory's" });
        }
        Ok(ExitCode::SUCCESS)
    }
}
