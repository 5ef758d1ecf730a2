//! Reads the small tables pooling needs: designs, outcomes, Cq lists.
//!
//! Comma, semicolon or tab separated, with or without a header. Nothing is guessed silently: every
//! oddity is a problem with its line; a design with a wrong cell is not returned at all.

use crate::decode::Reading;
use crate::dilution::CqDistribution;
use crate::matrix::{MAX_MEMBERSHIPS, MAX_POOLS, MAX_SAMPLES, PoolMatrix};
use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};
use std::collections::HashMap;
use std::fmt;

const MAX_BYTES: usize = 256 << 20;
const MAX_PROBLEMS: usize = 100;

/// What can be odd in an input table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Oddity {
    FileTooLarge,
    NoPools,
    DesignTooLarge,
    /// More or fewer sample names than columns.
    SampleNames {
        names: usize,
        columns: usize,
    },
    CellCount {
        cells: usize,
        expected: usize,
    },
    NotZeroOrOne {
        column: usize,
        cell: String,
    },
    PoolNameTwice {
        name: String,
        first: usize,
        second: usize,
    },
    SampleNameTwice {
        name: String,
        first: usize,
        second: usize,
    },
    PoolUnknown {
        name: String,
    },
    /// No name of the outcomes is one of the design; the numbers in them are.
    MatchedByNumber,
    SecondResult {
        pool: String,
    },
    NoResult {
        pool: String,
    },
    ResultUnknown {
        result: String,
    },
    NotACq {
        cell: String,
    },
    NoCq,
    /// Refused by the decoder: a probability out of range, a Cq that is none.
    Refused {
        message: String,
    },
}

impl Oddity {
    /// Stable code for messages and translations.
    pub fn code(&self) -> &'static str {
        match self {
            Self::FileTooLarge => "file_too_large",
            Self::NoPools => "no_pools",
            Self::DesignTooLarge => "design_too_large",
            Self::SampleNames { .. } => "sample_names",
            Self::CellCount { .. } => "cell_count",
            Self::NotZeroOrOne { .. } => "not_zero_or_one",
            Self::PoolNameTwice { .. } => "pool_name_twice",
            Self::SampleNameTwice { .. } => "sample_name_twice",
            Self::PoolUnknown { .. } => "pool_unknown",
            Self::MatchedByNumber => "matched_by_number",
            Self::SecondResult { .. } => "second_result",
            Self::NoResult { .. } => "no_result",
            Self::ResultUnknown { .. } => "result_unknown",
            Self::NotACq { .. } => "not_a_cq",
            Self::NoCq => "no_cq",
            Self::Refused { .. } => "refused",
        }
    }

    /// The values its words mention, by the names the texts use.
    pub fn values(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::FileTooLarge => vec![("limit", MAX_BYTES.to_string())],
            Self::NoPools | Self::MatchedByNumber | Self::NoCq => Vec::new(),
            Self::DesignTooLarge => vec![("pools", MAX_POOLS.to_string()), ("samples", MAX_SAMPLES.to_string())],
            Self::SampleNames { names, columns } => vec![("names", names.to_string()), ("columns", columns.to_string())],
            Self::CellCount { cells, expected } => vec![("cells", cells.to_string()), ("expected", expected.to_string())],
            Self::NotZeroOrOne { column, cell } => vec![("column", column.to_string()), ("cell", cell.clone())],
            Self::PoolNameTwice { name, first, second } | Self::SampleNameTwice { name, first, second } => {
                vec![("name", name.clone()), ("first", first.to_string()), ("second", second.to_string())]
            }
            Self::PoolUnknown { name } => vec![("name", name.clone())],
            Self::SecondResult { pool } | Self::NoResult { pool } => vec![("pool", pool.clone())],
            Self::ResultUnknown { result } => vec![("result", result.clone())],
            Self::NotACq { cell } => vec![("cell", cell.clone())],
            Self::Refused { message } => vec![("message", message.clone())],
        }
    }
}

impl fmt::Display for Oddity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FileTooLarge => write!(f, "larger than {MAX_BYTES} bytes"),
            Self::NoPools => f.write_str("the design has no pools"),
            Self::DesignTooLarge => write!(f, "more than {MAX_POOLS} pools, {MAX_SAMPLES} samples or {MAX_MEMBERSHIPS} ones"),
            Self::SampleNames { names, columns } => write!(f, "{names} sample names for {columns} columns"),
            Self::CellCount { cells, expected } => write!(f, "{cells} cells, expected {expected}"),
            Self::NotZeroOrOne { column, cell } => write!(f, "column {column}: '{cell}' is not 0 or 1"),
            Self::PoolNameTwice { name, first, second } => write!(f, "pool name '{name}' stands at {first} and {second}"),
            Self::SampleNameTwice { name, first, second } => write!(f, "sample name '{name}' stands at {first} and {second}"),
            Self::PoolUnknown { name } => write!(f, "pool '{name}' is not in the design"),
            Self::MatchedByNumber => f.write_str("the pools have other names than in the design; they were matched by the number in the name"),
            Self::SecondResult { pool } => write!(f, "pool '{pool}' has a second result"),
            Self::NoResult { pool } => write!(f, "pool '{pool}' has no result"),
            Self::ResultUnknown { result } => write!(f, "result '{result}' is not known; the pool counts as unusable"),
            Self::NotACq { cell } => write!(f, "'{cell}' is not a Cq"),
            Self::NoCq => f.write_str("no Cq value was found"),
            Self::Refused { message } => f.write_str(message),
        }
    }
}

/// Something odd in an input table, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Line of the file, from 1; 0 for the whole file.
    pub line: usize,
    pub oddity: Oddity,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}", self.oddity),
            line => write!(f, "line {line}: {}", self.oddity),
        }
    }
}

impl Serialize for Problem {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Problem", 3)?;
        fields.serialize_field("line", &self.line)?;
        fields.serialize_field("code", self.oddity.code())?;
        fields.serialize_field("message", &self.oddity.to_string())?;
        fields.end()
    }
}

#[derive(Default)]
struct Problems(Vec<Problem>);

impl Problems {
    fn add(&mut self, line: usize, oddity: Oddity) {
        if self.0.len() < MAX_PROBLEMS {
            self.0.push(Problem { line, oddity });
        }
    }
}

/// A design with the names of its pools and samples.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedDesign {
    pub matrix: PoolMatrix,
    pub pools: Vec<String>,
    pub samples: Vec<String>,
    /// Whether the file named its pools; otherwise they are numbered from 1.
    pub pools_named: bool,
}

/// Non-empty lines with their numbers, cells trimmed and unquoted.
fn table(text: &str) -> Vec<(usize, Vec<String>)> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or("");
    let separator = [',', '\t', ';'].into_iter().find(|separator| first.contains(*separator));
    // Numbers between blanks, as matrices are often saved.
    let blanks = separator.is_none() && first.split_whitespace().count() > 1 && first.split_whitespace().all(|cell| cell.parse::<f64>().is_ok());
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let split = |line: &str| if blanks { line.split_whitespace().map(str::to_owned).collect() } else { cells(line, separator.unwrap_or(',')) };
    lines.map(|(at, line)| (at + 1, split(line))).collect()
}

fn cells(line: &str, separator: char) -> Vec<String> {
    let mut cells = vec![String::new()];
    let mut quoted = false;
    for letter in line.chars() {
        match letter {
            '"' => quoted = !quoted,
            letter if letter == separator && !quoted => cells.push(String::new()),
            letter => {
                if let Some(cell) = cells.last_mut() {
                    cell.push(letter);
                }
            }
        }
    }
    cells.iter().map(|cell| cell.trim().to_owned()).collect()
}

/// 0 or 1, however a program wrote it: `1`, `1.0`, `1.000e+00`, `True`.
fn bit(cell: &str) -> Option<bool> {
    match cell {
        "0" => Some(false),
        "1" => Some(true),
        _ if cell.eq_ignore_ascii_case("false") => Some(false),
        _ if cell.eq_ignore_ascii_case("true") => Some(true),
        _ => match cell.parse::<f64>() {
            Ok(0.0) => Some(false),
            Ok(1.0) => Some(true),
            _ => None,
        },
    }
}

/// Reads a design: rows are pools, columns are samples, cells 0 or 1. A header names the samples, a
/// first column that is not 0/1 (or is headed by an empty cell or `pool`) names the pools.
pub fn read_design(text: &str) -> (Option<NamedDesign>, Vec<Problem>) {
    let mut problems = Problems::default();
    if text.len() > MAX_BYTES {
        problems.add(0, Oddity::FileTooLarge);
        return (None, problems.0);
    }
    let mut rows = table(text);
    if rows.iter().all(|(_, row)| row.len() > 1 && row.last().is_some_and(String::is_empty)) {
        rows.iter_mut().for_each(|(_, row)| row.truncate(row.len() - 1));
    }
    let has_header = rows.first().is_some_and(|(_, row)| row.iter().skip(1).any(|cell| bit(cell).is_none()));
    let header = has_header.then(|| rows[0].1.clone());
    let body = &rows[usize::from(has_header)..];
    let Some((_, first)) = body.first() else {
        problems.add(0, Oddity::NoPools);
        return (None, problems.0);
    };
    let corner = header.as_ref().and_then(|header| header.first());
    let names_headed = corner.is_some_and(|cell| cell.is_empty() || cell.to_lowercase().starts_with("pool"));
    // A header that is one cell short names the samples only.
    let header_short = header.as_ref().is_some_and(|header| header.len() + 1 == first.len());
    let pools_named = names_headed || header_short || body.iter().any(|(_, row)| row.first().is_some_and(|cell| bit(cell).is_none()));
    let skip = usize::from(pools_named);
    let width = first.len() - skip;
    let samples: Vec<String> = match &header {
        Some(header) => header.iter().skip(if header_short { 0 } else { skip }).cloned().collect(),
        None => (1..=width).map(|sample| sample.to_string()).collect(),
    };
    if body.len() > MAX_POOLS || width > MAX_SAMPLES {
        problems.add(0, Oddity::DesignTooLarge);
        return (None, problems.0);
    }
    if samples.len() != width {
        problems.add(rows[0].0, Oddity::SampleNames { names: samples.len(), columns: width });
    }
    let members = read_members(body, skip, width, &mut problems);
    let pools: Vec<String> = match pools_named {
        true => body.iter().map(|(_, row)| row[0].clone()).collect(),
        false => (1..=body.len()).map(|pool| pool.to_string()).collect(),
    };
    check_unique(&pools, &mut problems, |name, first, second| Oddity::PoolNameTwice { name, first, second });
    check_unique(&samples, &mut problems, |name, first, second| Oddity::SampleNameTwice { name, first, second });
    if !problems.0.is_empty() {
        return (None, problems.0);
    }
    match PoolMatrix::new(width, members) {
        Ok(matrix) => (Some(NamedDesign { matrix, pools, samples, pools_named }), problems.0),
        Err(message) => {
            problems.add(0, Oddity::Refused { message });
            (None, problems.0)
        }
    }
}

fn read_members(body: &[(usize, Vec<String>)], skip: usize, width: usize, problems: &mut Problems) -> Vec<Vec<u32>> {
    let mut total = 0;
    let mut pools = Vec::with_capacity(body.len());
    for (line, row) in body {
        if row.len() != width + skip {
            problems.add(*line, Oddity::CellCount { cells: row.len(), expected: width + skip });
        }
        let mut members = Vec::new();
        for (column, cell) in row.iter().skip(skip).enumerate() {
            match bit(cell) {
                Some(true) if total < MAX_MEMBERSHIPS => {
                    total += 1;
                    members.push(column as u32);
                }
                Some(true) => problems.add(*line, Oddity::DesignTooLarge),
                Some(false) => {}
                None => problems.add(*line, Oddity::NotZeroOrOne { column: column + skip + 1, cell: cell.clone() }),
            }
        }
        pools.push(members);
    }
    pools
}

fn check_unique(names: &[String], problems: &mut Problems, twice: fn(String, usize, usize) -> Oddity) {
    let mut seen = HashMap::new();
    for (at, name) in names.iter().enumerate() {
        if let Some(before) = seen.insert(name, at) {
            problems.add(0, twice(name.clone(), before + 1, at + 1));
        }
    }
}

/// Reads outcomes `pool,result[,cq]` for a design. Pools without a usable line are `Unusable`.
pub fn read_outcomes(text: &str, design: &NamedDesign) -> (Vec<Reading>, Vec<Problem>) {
    let mut problems = Problems::default();
    let mut readings = vec![None; design.pools.len()];
    if text.len() > MAX_BYTES {
        problems.add(0, Oddity::FileTooLarge);
        return (vec![Reading::Unusable; design.pools.len()], problems.0);
    }
    let mut rows = table(text);
    let columns = outcome_columns(&mut rows);
    let places = places(&rows, columns.pool, design, &mut problems);
    for ((line, row), pool) in rows.iter().zip(places) {
        let cell = |column: Option<usize>| column.and_then(|at| row.get(at)).map_or("", String::as_str);
        let name = cell(Some(columns.pool)).to_owned();
        let Some(pool) = pool else {
            problems.add(*line, Oddity::PoolUnknown { name });
            continue;
        };
        let reading = read_result(cell(columns.result), cell(columns.cq), *line, &mut problems);
        match readings[pool] {
            None => readings[pool] = Some(reading),
            Some(before) => {
                problems.add(*line, Oddity::SecondResult { pool: name });
                if before != reading {
                    readings[pool] = Some(Reading::Unusable);
                }
            }
        }
    }
    for (name, reading) in design.pools.iter().zip(&readings) {
        if reading.is_none() {
            problems.add(0, Oddity::NoResult { pool: name.clone() });
        }
    }
    let or_unusable = |reading: Option<Reading>| reading.unwrap_or(Reading::Unusable);
    (readings.into_iter().map(or_unusable).collect(), problems.0)
}

/// Which pool of the design each row is about. Pools without names count from 1, or from 0 when a row says 0.
fn places(rows: &[(usize, Vec<String>)], column: usize, design: &NamedDesign, problems: &mut Problems) -> Vec<Option<usize>> {
    let names: Vec<&str> = rows.iter().map(|(_, row)| row.get(column).map_or("", String::as_str)).collect();
    if !design.pools_named {
        let first = if names.iter().any(|name| number_in(name) == Some(0)) { 0 } else { 1 };
        let place = |name: &&str| number_in(name)?.checked_sub(first).filter(|at| *at < design.pools.len());
        return names.iter().map(place).collect();
    }
    let spelled = |name: &str| name.to_lowercase();
    let by_name: HashMap<String, usize> = design.pools.iter().enumerate().map(|(at, name)| (spelled(name), at)).collect();
    let exact: HashMap<&str, usize> = design.pools.iter().enumerate().map(|(at, name)| (name.as_str(), at)).collect();
    let found: Vec<Option<usize>> = names.iter().map(|name| exact.get(name).or_else(|| by_name.get(&spelled(name))).copied()).collect();
    if found.iter().any(Option::is_some) {
        return found;
    }
    let by_number: HashMap<usize, usize> = design.pools.iter().enumerate().filter_map(|(at, name)| Some((number_in(name)?, at))).collect();
    let found: Vec<Option<usize>> = names.iter().map(|name| by_number.get(&number_in(name)?).copied()).collect();
    if by_number.len() < design.pools.len() || found.iter().all(Option::is_none) {
        return vec![None; rows.len()];
    }
    problems.add(0, Oddity::MatchedByNumber);
    found
}

/// The number at the end of a name: 7 of `7`, `P07` and `pool_7`.
fn number_in(name: &str) -> Option<usize> {
    let digits = name.len() - name.trim_end_matches(|letter: char| letter.is_ascii_digit()).len();
    name[name.len() - digits..].parse().ok()
}

struct OutcomeColumns {
    pool: usize,
    result: Option<usize>,
    cq: Option<usize>,
}

/// Takes the header off when there is one.
fn outcome_columns(rows: &mut Vec<(usize, Vec<String>)>) -> OutcomeColumns {
    let named = |row: &[String], names: &[&str]| row.iter().position(|cell| names.contains(&cell.to_lowercase().as_str()));
    let header = rows.first().map(|(_, row)| {
        let pool = named(row, &["pool", "pool_id", "pool id", "pool_name", "pool name", "poolid", "池", "混样", "混样管", "混樣", "混樣管"]);
        let result = named(row, &["result", "outcome", "call", "结果", "結果"]);
        (pool, result, named(row, &["cq", "ct", "cp", "cq value", "ct value", "cq_value", "ct_value", "cq值", "ct值"]))
    });
    match header {
        Some((Some(pool), result, cq)) if result.is_some() || cq.is_some() => {
            rows.remove(0);
            OutcomeColumns { pool, result, cq }
        }
        _ => OutcomeColumns { pool: 0, result: Some(1), cq: Some(2) },
    }
}

/// A Cq, or none: instruments write "no Cq" in many ways.
fn read_cq(cell: &str) -> Option<f64> {
    let value: f64 = cell.parse().ok()?;
    (value > 0.0 && value < 100.0).then_some(value)
}

const NEGATIVE: [&str; 14] = ["negative", "neg", "n", "0", "0.0", "-", "−", "not detected", "undetected", "false", "no", "阴性", "陰性", "未检出"];
const POSITIVE: [&str; 12] = ["positive", "pos", "p", "1", "1.0", "+", "detected", "true", "yes", "阳性", "陽性", "检出"];
const UNUSABLE: [&str; 18] = [
    "",
    "missing",
    "invalid",
    "failed",
    "inconclusive",
    "indeterminate",
    "grey",
    "gray",
    "single_target",
    "single target",
    "na",
    "n/a",
    "nan",
    "无效",
    "無效",
    "单靶标",
    "單靶標",
    "灰区",
];

fn read_result(result: &str, cq: &str, line: usize, problems: &mut Problems) -> Reading {
    let value = read_cq(cq);
    match result.to_lowercase().as_str() {
        word if NEGATIVE.contains(&word) => Reading::Negative,
        word if POSITIVE.contains(&word) => Reading::Positive { cq: value },
        "" if value.is_some() => Reading::Positive { cq: value },
        // Without a result column a Cq that the instrument wrote as "none" is a negative.
        "" if !cq.is_empty() && value.is_none() => Reading::Negative,
        word if UNUSABLE.contains(&word) => Reading::Unusable,
        other => {
            problems.add(line, Oddity::ResultUnknown { result: other.to_owned() });
            Reading::Unusable
        }
    }
}

/// Reads a Cq list: one value per line or a list in brackets, or a table with a column `cq`, `ct`, `cp` or a longer name of
/// that kind, and perhaps one of counts or weights. Cells that mean "no Cq" are left out.
pub fn read_cq_distribution(text: &str) -> (Option<CqDistribution>, Vec<Problem>) {
    let mut problems = Problems::default();
    if text.len() > MAX_BYTES {
        problems.add(0, Oddity::FileTooLarge);
        return (None, problems.0);
    }
    let listed = text.trim_start_matches('\u{feff}').trim();
    let rows = match listed.strip_prefix('[') {
        Some(list) => table(&list.trim_end_matches(']').replace(',', "\n")),
        None => table(text),
    };
    let headed = rows.first().and_then(|(_, row)| row.iter().position(|cell| is_cq_name(cell)));
    let column = headed.unwrap_or(0);
    let weights = headed.and_then(|_| rows[0].1.iter().position(|cell| WEIGHT_NAMES.contains(&cell.to_lowercase().as_str())));
    let mut values = Vec::new();
    for (at, (line, row)) in rows.iter().enumerate().skip(usize::from(headed.is_some())) {
        let cell = row.get(column).map_or("", String::as_str);
        let none = ["", "na", "n/a", "nan", "undetermined", "none"].contains(&cell.to_lowercase().as_str());
        let weight = weights.map_or(Some(1.0), |column| row.get(column)?.parse::<f64>().ok().filter(|weight| weight.is_finite() && *weight >= 0.0));
        match (read_cq(cell), cell.parse::<f64>(), weight) {
            (Some(value), _, Some(weight)) => values.push((value, weight)),
            (Some(_), _, None) => problems.add(*line, Oddity::NotACq { cell: row.join(",") }),
            (None, Err(_), _) if !none && at > 0 => problems.add(*line, Oddity::NotACq { cell: cell.to_owned() }),
            _ => {}
        }
    }
    let values = if weights.is_some() { spelled_out(&values) } else { values.into_iter().map(|(value, _)| value).collect() };
    if values.is_empty() {
        problems.add(0, Oddity::NoCq);
        return (None, problems.0);
    }
    match CqDistribution::new(values) {
        Ok(distribution) => (Some(distribution), problems.0),
        Err(message) => {
            problems.add(0, Oddity::Refused { message });
            (None, problems.0)
        }
    }
}

const WEIGHT_NAMES: [&str; 8] = ["count", "n", "weight", "frequency", "probability", "share", "density", "人数"];

fn is_cq_name(cell: &str) -> bool {
    let name = cell.to_lowercase();
    let kinds = ["cq", "ct", "cp"];
    kinds.contains(&name.as_str())
        || kinds.iter().any(|kind| [' ', '_'].iter().any(|gap| name.ends_with(&format!("{gap}{kind}")) || name.starts_with(&format!("{kind}{gap}"))))
}

/// Counts become so many equal values; other weights are rounded to some hundred thousand values in all.
fn spelled_out(weighted: &[(f64, f64)]) -> Vec<f64> {
    const VALUES: f64 = 200_000.0;
    let total: f64 = weighted.iter().map(|(_, weight)| weight).sum();
    let counts = total <= VALUES && weighted.iter().all(|(_, weight)| weight.fract() == 0.0);
    let scale = if counts { 1.0 } else { VALUES / total };
    weighted.iter().flat_map(|(value, weight)| std::iter::repeat_n(*value, (weight * scale).round() as usize)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn design(text: &str) -> NamedDesign {
        let (design, problems) = read_design(text);
        assert_eq!(problems, []);
        design.expect("no problems")
    }

    #[test]
    fn designs_come_with_and_without_names() {
        let named = design("pool,s1,s2,s3\nA,1,0,1\nB,0,1,1\n");
        assert_eq!((named.pools.join(" "), named.samples.join(" ")), ("A B".to_owned(), "s1 s2 s3".to_owned()));
        assert_eq!(named.matrix.members(0), [0, 2]);
        let bare = design("1,0,1\r\n0,1,1\r\n");
        assert_eq!((bare.pools.join(" "), bare.samples.join(" ")), ("1 2".to_owned(), "1 2 3".to_owned()));
        assert_eq!(bare.matrix, named.matrix);
        let columns_only = design("s1\ts2\ts3\n1\t0\t1\n0\t1\t1\n");
        assert_eq!((columns_only.matrix, columns_only.pools_named), (named.matrix.clone(), false));
        let numbered = design(",\"1\",\"2\",\"3\"\n1,1,0,1\n2,0,1,1\n");
        assert_eq!((numbered.matrix, numbered.pools_named), (named.matrix, true));
    }

    #[test]
    fn wrong_designs_name_the_cell() {
        let (design, problems) = read_design("pool,s1,s2\nA,1,2\nB,1\nA,0,1\n");
        assert_eq!(design, None);
        let messages: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(messages[0], "line 2: column 3: '2' is not 0 or 1");
        assert_eq!(messages[1], "line 3: 2 cells, expected 3");
        assert!(messages[2].contains("'A' stands at 1 and 3"));
        assert_eq!(read_design("").0, None);
    }

    #[test]
    fn outcomes_are_matched_by_name() {
        let design = design("pool,s1,s2\nA,1,0\nB,0,1\nC,1,1\nD,1,0\n");
        let text = "pool,result,cq\nB,positive,31.5\nA,neg,\nC,odd,\nX,positive,\nA,negative,\n";
        let (readings, problems) = read_outcomes(text, &design);
        let expected = [Reading::Negative, Reading::Positive { cq: Some(31.5) }, Reading::Unusable, Reading::Unusable];
        assert_eq!(readings, expected);
        let lines: Vec<usize> = problems.iter().map(|problem| problem.line).collect();
        assert_eq!(lines, [4, 5, 6, 0]);
    }

    #[test]
    fn matrices_are_read_as_programs_save_them() {
        let plain = design("1,0,1\n0,1,1\n");
        for text in [
            "1 0 1\n0 1 1\n",
            "1.000000000000000000e+00 0.000000000000000000e+00 1.000000000000000000e+00\n0.0 1.0 1.0\n",
            "True,False,True\nFalse,True,True\n",
            "1,0,1,\n0,1,1,\n",
        ] {
            assert_eq!(design(text), plain, "{text}");
        }
        let with_index = design(",0,1,2\n0,1,0,1\n1,0,1,1\n");
        assert_eq!(
            (with_index.matrix, with_index.pools, with_index.samples.join(" ")),
            (plain.matrix, vec!["0".to_owned(), "1".to_owned()], "0 1 2".to_owned())
        );
    }

    #[test]
    fn results_are_read_in_every_usual_word() {
        let design = design("1,1\n");
        for (word, reading) in [
            ("Positive", Reading::Positive { cq: None }),
            ("POS", Reading::Positive { cq: None }),
            ("+", Reading::Positive { cq: None }),
            ("1.0", Reading::Positive { cq: None }),
            ("阳性", Reading::Positive { cq: None }),
            ("negative", Reading::Negative),
            ("Neg", Reading::Negative),
            ("-", Reading::Negative),
            ("0", Reading::Negative),
            ("陰性", Reading::Negative),
            ("invalid", Reading::Unusable),
            ("NaN", Reading::Unusable),
        ] {
            assert_eq!(read_outcomes(&format!("pool,result\n1,{word}\n"), &design), (vec![reading], vec![]), "{word}");
        }
    }

    #[test]
    fn pools_with_other_names_are_matched_by_their_number_and_said_so() {
        let (unnamed, named) = (design("1,0\n0,1\n1,1\n"), design("pool,a,b\nP01,1,0\nP02,0,1\nP03,1,1\n"));
        let positive = Reading::Positive { cq: None };
        let expected = vec![Reading::Negative, positive, positive];
        for text in ["pool_1,neg\npool_2,pos\npool_3,pos\n", "0,neg\n1,pos\n2,pos\n", "pool0,neg\npool1,pos\npool2,pos\n"] {
            assert_eq!(read_outcomes(text, &unnamed), (expected.clone(), vec![]), "{text}");
        }
        let (readings, problems) = read_outcomes("1,neg\n2,pos\n3,pos\n", &named);
        assert_eq!((readings, problems.iter().map(|problem| problem.oddity.code()).collect::<Vec<_>>()), (expected.clone(), vec!["matched_by_number"]));
        assert_eq!(read_outcomes("p01,neg\np02,pos\np03,pos\n", &named), (expected, vec![]));
        assert!(read_outcomes("p01,neg\n2,pos\n", &named).1.iter().any(|problem| problem.oddity == Oddity::PoolUnknown { name: "2".to_owned() }));
    }

    #[test]
    fn contradicting_results_of_one_pool_are_unusable() {
        let design = design("1,1\n1,0\n");
        let (readings, _) = read_outcomes("0,negative\n1,positive\n1,negative\n", &design);
        assert_eq!(readings, [Reading::Negative, Reading::Unusable]);
    }

    #[test]
    fn cq_lists_and_tables_are_read() {
        let (list, problems) = read_cq_distribution("25.5\nUndetermined\n30\n0\n");
        assert_eq!((list.map(|list| list.share_until(26.0)), problems), (Some(0.5), vec![]));
        let (table, _) = read_cq_distribution("sample,corr_cq\na,25.5\nb,30\nc,x\n");
        assert_eq!(table.map(|table| table.quantile(1.0)), Some(30.0));
        assert_eq!(read_cq_distribution("").0, None);
        let (bracketed, problems) = read_cq_distribution("[25.5, 30,\n 35]");
        assert_eq!((bracketed.map(|list| list.share_until(30.0)), problems), (Some(2.0 / 3.0), vec![]));
        for table in ["Ct value,count\n25,3\n30,1\n", "probability,cq\n0.75,25\n0.25,30\n"] {
            let (weighted, problems) = read_cq_distribution(table);
            assert_eq!((weighted.map(|list| list.share_until(26.0)), problems), (Some(0.75), vec![]), "{table}");
        }
        assert_eq!(read_cq_distribution("cq,count\n25,many\n30,1\n").1.len(), 1);
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in "[01,;\t\n\"a-c.é]{0,80}", outcomes in "[01,\nabpn.]{0,60}") {
            if let (Some(design), _) = read_design(&text) {
                let (readings, _) = read_outcomes(&outcomes, &design);
                prop_assert_eq!(readings.len(), design.matrix.pool_count());
            }
            let _ = read_cq_distribution(&text);
        }
    }
}
