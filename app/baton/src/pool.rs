//! `pool`: which pools to make, what pool results say of the people in them, and what would happen to a whole population.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use baton_pooling::Mixing;
use baton_pooling::decode::{DecodeOptions, Prior};
use baton_pooling::dilution::{CqDistribution, Dilution, ShiftModel};
use baton_pooling::matrix::PoolMatrix;
use baton_pooling::plan::{Limits, Workload};
use baton_pooling::population::{Clustering, Population};
use baton_pooling::random::SeededSource;
use baton_pooling::reports::{DEFAULT_CUTOFF, DecodeReport, PlanReport, PlanRequest, decode_report, plan_report};
use baton_pooling::scheme::{Assay, Scheme};
use baton_pooling::simulate::{Simulation, SimulationReport, simulate};
use baton_pooling::tables::{Problem, read_cq_distribution, read_design};
use clap::{Args, Subcommand};

/// A design or an outcome table is never larger.
const FILE_BYTES_MAX: u64 = 256 << 20;

#[derive(Subcommand)]
pub(crate) enum PoolCommand {
    /// Expected tests, sensitivity and turnaround of every scheme at today's prevalence, and which one to take.
    #[command(
        after_help = "Example:\n  baton pool plan --prevalence 0.01\n  baton pool plan --prevalence 0.02 --sensitivity 0.98 --specificity 0.998 --cq-distribution cq.csv --cutoff 37 --json\n  baton pool plan --prevalence 0.01 --mixing swab --assay orf1ab-n-ic"
    )]
    Plan(Plan),
    /// Which samples of a pooling design are positive, negative, or to be tested again.
    #[command(
        after_help = "The design: one row a pool, one column a sample, 0 or 1.  The outcomes: pool,result[,cq]\n\nExample:\n  baton pool decode --design design.csv --outcomes outcomes.csv --json"
    )]
    Decode(Decode),
    /// Draws a population, runs a scheme with the real decoder, and counts tests, missed and false alarms.
    #[command(
        after_help = "Example:\n  baton pool simulate --scheme dorfman:10 --prevalence 0.01 --people 100000\n  baton pool simulate --scheme array:24x24 --prevalence 0.01 --group-size 4 --correlation 0.4 --json"
    )]
    Simulate(Simulate),
}

impl PoolCommand {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Plan(command) => command.run(),
            Self::Decode(command) => command.run(),
            Self::Simulate(command) => command.run(),
        }
    }
}

/// Who is tested, and how well a test does.
#[derive(Args)]
struct Conditions {
    /// Share of people who are infected, 0 to 1.
    #[arg(long, value_parser = probability)]
    prevalence: f64,
    /// Chance that a test finds an infected specimen.
    #[arg(long, default_value = "1", value_parser = probability)]
    sensitivity: f64,
    /// Chance that a test of a clean specimen is negative.
    #[arg(long, default_value = "1", value_parser = probability)]
    specificity: f64,
    /// Cq values of positives tested singly: one a line, or a table with a column cq. Pools lose those that dilution hides.
    #[arg(long)]
    cq_distribution: Option<PathBuf>,
    /// Cq above which the assay reads negative.
    #[arg(long, requires = "cq_distribution")]
    cutoff: Option<f64>,
    /// People per household or workgroup that is pooled together.
    #[arg(long, requires = "correlation")]
    group_size: Option<u32>,
    /// Correlation of two members of a group, 0 to 1.
    #[arg(long, requires = "group_size", value_parser = probability)]
    correlation: Option<f64>,
}

fn probability(text: &str) -> Result<f64, String> {
    let value: f64 = text.parse().map_err(|_| "is no number".to_owned())?;
    if (0.0..=1.0).contains(&value) { Ok(value) } else { Err("is not between 0 and 1".to_owned()) }
}

impl Conditions {
    fn clustering(&self) -> Option<Clustering> {
        self.group_size.zip(self.correlation).map(|(group_size, correlation)| Clustering { group_size, correlation })
    }

    fn cq_distribution(&self) -> anyhow::Result<Option<CqDistribution>> {
        let Some(path) = &self.cq_distribution else { return Ok(None) };
        let (distribution, problems) = read_cq_distribution(&read(path)?);
        let Some(distribution) = distribution else { bail!("{}: {}", path.display(), in_lines(&problems)) };
        for problem in &problems {
            eprintln!("{}: {problem}", path.display());
        }
        Ok(Some(distribution))
    }
}

fn read(path: &Path) -> anyhow::Result<String> {
    let file = std::fs::File::open(path).with_context(|| path.display().to_string())?;
    let mut text = String::new();
    file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text).with_context(|| path.display().to_string())?;
    if text.len() as u64 > FILE_BYTES_MAX {
        bail!("{}: larger than {FILE_BYTES_MAX} bytes", path.display());
    }
    Ok(text)
}

fn matrix(path: &Path) -> anyhow::Result<PoolMatrix> {
    let (design, problems) = read_design(&read(path)?);
    let Some(design) = design else { bail!("{}: {}", path.display(), in_lines(&problems)) };
    Ok(design.matrix)
}

fn in_lines(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[derive(Args)]
pub(crate) struct Plan {
    #[command(flatten)]
    conditions: Conditions,
    /// No pool larger than this.
    #[arg(long)]
    largest_pool: Option<u32>,
    /// Stages of a hierarchical scheme at most: 2, 3 or 4.
    #[arg(long, default_value = "3", value_parser = clap::value_parser!(u32).range(2..=4))]
    stages: u32,
    /// Pools must keep this share of single testing's sensitivity (0.9 when Cq data are given).
    #[arg(long, value_parser = probability)]
    relative_sensitivity: Option<f64>,
    /// What is mixed: aliquots of single specimens in the laboratory, or swabs in one tube in the field.
    #[arg(long, value_enum, default_value = "aliquot", requires_if("swab", "assay"))]
    mixing: MixingAsked,
    /// An assay: only ratios that it is validated for, with the fluid of its tubes.
    #[arg(long)]
    assay: Option<String>,
    /// A pooling matrix (as for decode) to be compared with the schemes.
    #[arg(long)]
    matrix: Vec<PathBuf>,
    /// People to be tested today: gives the turnaround.
    #[arg(long, requires = "tests_per_hour")]
    people: Option<u64>,
    /// What the laboratory does in an hour.
    #[arg(long, requires = "people")]
    tests_per_hour: Option<f64>,
    /// From a stage's tubes to its results.
    #[arg(long, default_value = "4")]
    hours_per_stage: f64,
    /// From a held pool to its members' new swabs in the laboratory, when swabs are mixed.
    #[arg(long, default_value = "0")]
    re_swab_hours: f64,
    /// The last answer must be there within so many hours.
    #[arg(long, requires = "people")]
    hours: Option<f64>,
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum MixingAsked {
    Aliquot,
    Swab,
}

impl Plan {
    fn run(self) -> anyhow::Result<ExitCode> {
        let pools = match &self.assay {
            Some(assay) => Some(baton_laboratory::pooling::pools_of(assay).with_context(|| format!("--assay: there are no rules named {assay}"))?),
            None => None,
        };
        let (validated, field_shift) = pools.unzip();
        let (mixing, shift) = match (self.mixing, field_shift) {
            (MixingAsked::Swab, Some(shift)) => (Mixing::Swab, shift),
            _ => (Mixing::Aliquot, ShiftModel::Aliquot),
        };
        let limits = Limits {
            mixing,
            validated,
            largest_pool: self.largest_pool,
            relative_sensitivity: self.relative_sensitivity,
            stages: self.stages,
            hours: self.hours,
        };
        let hours_per_stage = self.hours_per_stage;
        let workload = self.people.zip(self.tests_per_hour);
        let request = PlanRequest {
            sensitivity: self.conditions.sensitivity,
            specificity: self.conditions.specificity,
            clustering: self.conditions.clustering(),
            cq_distribution: self.conditions.cq_distribution()?,
            cutoff: self.conditions.cutoff,
            limits,
            workload: workload.map(|(people, tests_per_hour)| Workload { people, tests_per_hour, hours_per_stage, re_swab_hours: self.re_swab_hours }),
            shift,
            matrices: self.matrix.iter().map(|path| matrix(path)).collect::<anyhow::Result<_>>()?,
            ..PlanRequest::new(self.conditions.prevalence)
        };
        let report = plan_report(&request).map_err(|error| anyhow::anyhow!("{error}"))?;
        if self.json {
            println!("{}", serde_json::to_string(&report)?);
        } else {
            print_plan(&report);
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn print_plan(report: &PlanReport) {
    println!("{:<20}{:<12}{:>14}{:>13}{:>13}", "scheme", "sizes", "tests/person", "sensitivity", "specificity");
    for scheme in &report.schemes {
        let mark = if scheme.allowed { "" } else { "  not allowed" };
        println!(
            "{:<20}{:<12}{:>14.4}{:>13.4}{:>13.4}{mark}",
            word(&scheme.scheme),
            in_words(&scheme.sizes),
            scheme.tests_per_person,
            scheme.sensitivity,
            scheme.specificity
        );
        for reason in scheme.reasons.iter().filter(|_| !scheme.allowed) {
            println!("{:>20}{}", "", reason.text);
        }
    }
    let recommended = &report.recommended;
    println!("\nTake {} {}: {:.4} tests a person", word(&recommended.scheme), in_words(&recommended.sizes), recommended.tests_per_person);
    for reason in &recommended.reasons {
        println!("  {}", reason.text);
    }
}

/// The word that the JSON has for it.
fn word(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

fn in_words(sizes: &[u32]) -> String {
    sizes.iter().map(ToString::to_string).collect::<Vec<_>>().join(":")
}

#[derive(Args)]
pub(crate) struct Decode {
    /// One row a pool, one column a sample, cells 0 or 1; a header names the samples.
    #[arg(long)]
    design: PathBuf,
    /// pool,result[,cq]
    #[arg(long)]
    outcomes: PathBuf,
    /// Chance that a pool with an infected member reads positive.
    #[arg(long, default_value = "0.98", value_parser = probability)]
    sensitivity: f64,
    /// Chance that a clean pool reads negative.
    #[arg(long, default_value = "0.998", value_parser = probability)]
    specificity: f64,
    /// Share of people infected; estimated from the pools when absent.
    #[arg(long, value_parser = probability)]
    prevalence: Option<f64>,
    /// Share of the infected who must end up positive or on the retest list.
    #[arg(long, default_value = "0.99", value_parser = probability)]
    required_sensitivity: f64,
    #[arg(long)]
    json: bool,
}

impl Decode {
    fn run(self) -> anyhow::Result<ExitCode> {
        let options = DecodeOptions {
            assay: Assay { sensitivity: self.sensitivity, specificity: self.specificity },
            prior: self.prevalence.map_or(Prior::Estimated, Prior::Prevalence),
            required_sensitivity: self.required_sensitivity,
            ..DecodeOptions::default()
        };
        let (design, outcomes) = (read(&self.design)?, read(&self.outcomes)?);
        let report = decode_report(&design, &outcomes, &options).map_err(|problems| anyhow::anyhow!("{}: {}", self.design.display(), in_lines(&problems)))?;
        for problem in &report.problems {
            eprintln!("{}: {problem}", self.outcomes.display());
        }
        if self.json {
            println!("{}", serde_json::to_string(&report)?);
        } else {
            print_decoded(&report);
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn print_decoded(report: &DecodeReport) {
    let posterior = |sample: &String| report.posterior.get(sample).copied().unwrap_or_default();
    for (title, samples) in [("positive", &report.positive), ("test again", &report.retest)] {
        println!("{title}: {}", samples.len());
        for sample in samples {
            println!("  {sample:<20}{:.4}", posterior(sample));
        }
    }
    println!("negative: {}\nprevalence taken: {:.5}", report.negative.len(), report.prevalence);
    for finding in &report.findings {
        println!("{}: {} {}", finding.code, finding.pool.as_deref().unwrap_or(""), finding.samples.join(", "));
    }
}

#[derive(Args)]
pub(crate) struct Simulate {
    /// individual, dorfman:10, hierarchical:25:5:1, array:24x24 or matrix:DESIGN.csv
    #[arg(long)]
    scheme: String,
    #[command(flatten)]
    conditions: Conditions,
    /// Rounded up to whole pools.
    #[arg(long, default_value = "100000")]
    people: u32,
    /// Standard deviation of a test's Cq, cycles.
    #[arg(long, default_value = "0.3", requires = "cq_distribution")]
    cq_noise: f64,
    #[arg(long, default_value = "4")]
    hours_per_stage: f64,
    /// Added once when single tests need a new swab.
    #[arg(long, default_value = "0")]
    re_swab_hours: f64,
    #[arg(long, default_value = "1")]
    seed: u64,
    #[arg(long)]
    json: bool,
}

impl Simulate {
    fn run(self) -> anyhow::Result<ExitCode> {
        let cutoff = self.conditions.cutoff.unwrap_or(DEFAULT_CUTOFF);
        let distribution = self.conditions.cq_distribution()?;
        let simulation = Simulation {
            population: Population { prevalence: self.conditions.prevalence, clustering: self.conditions.clustering() },
            assay: Assay { sensitivity: self.conditions.sensitivity, specificity: self.conditions.specificity },
            dilution: distribution.map(|cq_distribution| Dilution { cq_distribution, cutoff, shift: ShiftModel::Aliquot }),
            cq_noise: self.cq_noise,
            scheme: scheme(&self.scheme)?,
            persons: self.people,
            hours_per_stage: self.hours_per_stage,
            re_swab_hours: self.re_swab_hours,
        };
        let report = simulate(&simulation, &mut SeededSource::new(self.seed)).map_err(|error| anyhow::anyhow!("{error}"))?;
        if self.json {
            println!("{}", serde_json::to_string(&report)?);
        } else {
            print_simulated(&report);
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn print_simulated(report: &SimulationReport) {
    println!("{} people, {} infected", report.persons, report.positives);
    println!("{} tests, {:.4} a person; {} people tested singly after a pool", report.tests, report.tests_per_person, report.tested_singly);
    println!("missed {} (sensitivity {:.4}), false alarms {} (specificity {:.5})", report.missed, report.sensitivity, report.false_alarms, report.specificity);
    println!("hours to the answer: {:.1} on average, {:.1} at most", report.mean_hours, report.longest_hours);
}

fn scheme(text: &str) -> anyhow::Result<Scheme> {
    let (name, rest) = text.split_once(':').unwrap_or((text, ""));
    let number = |text: &str| text.parse::<u32>().with_context(|| format!("--scheme: {text:?} is no size"));
    Ok(match name {
        "individual" if rest.is_empty() => Scheme::Individual,
        "dorfman" => Scheme::Dorfman { size: number(rest)? },
        "hierarchical" => Scheme::Hierarchical { sizes: rest.split(':').map(number).collect::<anyhow::Result<_>>()? },
        "array" => {
            let (rows, columns) = rest.split_once('x').unwrap_or((rest, rest));
            Scheme::Array { rows: number(rows)?, columns: number(columns)? }
        }
        "matrix" => Scheme::Matrix { matrix: matrix(Path::new(rest))? },
        _ => bail!("--scheme: {text:?} is not individual, dorfman:N, hierarchical:A:B:1, array:RxC or matrix:FILE"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemes_are_read_as_written() {
        assert_eq!(scheme("individual").unwrap(), Scheme::Individual);
        assert_eq!(scheme("dorfman:10").unwrap(), Scheme::Dorfman { size: 10 });
        assert_eq!(scheme("hierarchical:25:5:1").unwrap(), Scheme::Hierarchical { sizes: vec![25, 5, 1] });
        assert_eq!(scheme("array:12x8").unwrap(), Scheme::Array { rows: 12, columns: 8 });
        assert_eq!(scheme("array:12").unwrap(), Scheme::Array { rows: 12, columns: 12 });
        for wrong in ["", "dorfman", "dorfman:x", "pyramid:3", "matrix:/nowhere"] {
            assert!(scheme(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_probability_is_one() {
        assert_eq!(probability("0.01"), Ok(0.01));
        for wrong in ["-0.1", "1.1", "NaN", "many"] {
            assert!(probability(wrong).is_err(), "{wrong}");
        }
    }
}
