//! `verify-report`: whether a report is what the laboratory signed, as JSON or as PDF.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use baton_desk::paper::report::{ReportProblem, ReportSummary, key_from_hex, verify_report};
use baton_desk::paper::sealed::{self, verify_paper};
use baton_ledger::Secrets;
use clap::Args;

#[derive(Args)]
pub(crate) struct VerifyReport {
    /// A signed report as downloaded, JSON or PDF.
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
            (Some(key), _) => Some(key_from_hex(key).context("--key is no public key in hexadecimal")?),
            (None, Some(data)) => Some(Secrets::load(&data.join("secrets"))?.verifying()),
            (None, None) => None,
        };
        let checked = match sealed::is_pdf(&bytes) {
            true => verify_paper(&bytes, expected.as_ref()).map(|paper| (paper.key, paper.key_expected, paper.reports)),
            false => verify_report(&bytes, expected.as_ref()).map(|report| (report.key.clone(), report.key_expected, vec![report])),
        };
        match checked {
            Ok((key, key_expected, reports)) => self.valid(&key, key_expected, &reports),
            Err(problem) => return self.not_valid(&problem),
        }
        Ok(ExitCode::SUCCESS)
    }

    fn not_valid(&self, problem: &ReportProblem) -> anyhow::Result<ExitCode> {
        if self.json {
            println!("{}", serde_json::json!({"valid": false, "problem": problem.to_string()}));
            return Ok(ExitCode::from(2));
        }
        bail!("{}: NOT VALID: {problem}", self.file.display());
    }

    fn valid(&self, key: &str, key_expected: bool, reports: &[ReportSummary]) {
        for report in reports {
            if self.json {
                println!("{}", json_of(report, key_expected));
            } else {
                println!("valid: {} by {} on {}", report.result, report.installation, report.issued);
            }
        }
        if !self.json {
            println!("signed by key {key}{}", if key_expected { ", the one expected" } else { "; compare it with the laboratory's" });
        }
    }
}

/// One line for each report in the file.
fn json_of(report: &ReportSummary, key_expected: bool) -> serde_json::Value {
    serde_json::json!({
        "valid": true,
        "key": report.key,
        "key_expected": key_expected,
        "installation": report.installation,
        "kind": report.kind,
        "person": report.person,
        "result": report.result,
        "issued": report.issued,
        "earlier_values": report.earlier_values,
    })
}
