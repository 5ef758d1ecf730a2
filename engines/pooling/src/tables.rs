//! Reads the small tables pooling needs: designs, outcomes, Cq lists.
//!
//! Comma, semicolon or tab separated, with or without a header. Nothing is guessed silently: every
//! oddity is a problem with its line; a design with a wrong cell is not returned at all.

use crate::decode::Reading;
use crate::dilution::CqDistribution;
use crate::matrix::{MAX_MEMBERSHIPS, MAX_POOLS, MAX_SAMPLES, PoolMatrix};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fmt;

const MAX_BYTES: usize = 256 << 20;
const MAX_PROBLEMS: usize = 100;

/// Something odd in an input table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Line of the file, from 1; 0 for the whole file.
    pub line: usize,
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)
    }
}

#[derive(Default)]
struct Problems(Vec<Problem>);

impl Problems {
    fn add(&mut self, line: usize, message: String) {
        if self.0.len() < MAX_PROBLEMS {
            self.0.push(Problem { line, message });
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
    let separator = separator.unwrap_or(',');
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines.map(|(at, line)| (at + 1, cells(line, separator))).collect()
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

fn bit(cell: &str) -> Option<bool> {
    match cell {
        "0" | "0.0" => Some(false),
        "1" | "1.0" => Some(true),
        _ => None,
    }
}

/// Reads a design: rows are pools, columns are samples, cells 0 or 1. A header names the samples, a
/// first column that is not 0/1 (or is headed by an empty cell or `pool`) names the pools.
pub fn read_design(text: &str) -> (Option<NamedDesign>, Vec<Problem>) {
    let mut problems = Problems::default();
    if text.len() > MAX_BYTES {
        problems.add(0, format!("larger than {MAX_BYTES} bytes"));
        return (None, problems.0);
    }
    let rows = table(text);
    let has_header = rows.first().is_some_and(|(_, row)| row.iter().skip(1).any(|cell| bit(cell).is_none()));
    let header = has_header.then(|| rows[0].1.clone());
    let body = &rows[usize::from(has_header)..];
    let Some((_, first)) = body.first() else {
        problems.add(0, "the design has no pools".to_owned());
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
        problems.add(0, format!("more than {MAX_POOLS} pools or {MAX_SAMPLES} samples"));
        return (None, problems.0);
    }
    if samples.len() != width {
        problems.add(rows[0].0, format!("{} sample names for {width} columns", samples.len()));
    }
    let members = read_members(body, skip, width, &mut problems);
    let pools: Vec<String> = match pools_named {
        true => body.iter().map(|(_, row)| row[0].clone()).collect(),
        false => (1..=body.len()).map(|pool| pool.to_string()).collect(),
    };
    check_unique(&pools, "pool", &mut problems);
    check_unique(&samples, "sample", &mut problems);
    if !problems.0.is_empty() {
        return (None, problems.0);
    }
    match PoolMatrix::new(width, members) {
        Ok(matrix) => {
            let design = NamedDesign { matrix, pools, samples, pools_named };
            (Some(design), problems.0)
        }
        Err(message) => {
            problems.add(0, message);
            (None, problems.0)
        }
    }
}

fn read_members(body: &[(usize, Vec<String>)], skip: usize, width: usize, problems: &mut Problems) -> Vec<Vec<u32>> {
    let mut total = 0;
    let mut pools = Vec::with_capacity(body.len());
    for (line, row) in body {
        if row.len() != width + skip {
            problems.add(*line, format!("{} cells, expected {}", row.len(), width + skip));
        }
        let mut members = Vec::new();
        for (column, cell) in row.iter().skip(skip).enumerate() {
            match bit(cell) {
                Some(true) if total < MAX_MEMBERSHIPS => {
                    total += 1;
                    members.push(column as u32);
                }
                Some(true) => problems.add(*line, format!("more than {MAX_MEMBERSHIPS} ones")),
                Some(false) => {}
                None => problems.add(*line, format!("column {}: '{cell}' is not 0 or 1", column + skip + 1)),
            }
        }
        pools.push(members);
    }
    pools
}

fn check_unique(names: &[String], what: &str, problems: &mut Problems) {
    let mut seen = HashMap::new();
    for (at, name) in names.iter().enumerate() {
        if let Some(before) = seen.insert(name, at) {
            problems.add(0, format!("{what} name '{name}' stands at {} and {}", before + 1, at + 1));
        }
    }
}

/// Reads outcomes `pool,result[,cq]` for a design. Pools without a usable line are `Unusable`.
pub fn read_outcomes(text: &str, design: &NamedDesign) -> (Vec<Reading>, Vec<Problem>) {
    let mut problems = Problems::default();
    let mut readings = vec![None; design.pools.len()];
    if text.len() > MAX_BYTES {
        problems.add(0, format!("larger than {MAX_BYTES} bytes"));
        return (vec![Reading::Unusable; design.pools.len()], problems.0);
    }
    let mut rows = table(text);
    let columns = outcome_columns(&mut rows);
    let zero_based = !design.pools_named && rows.iter().any(|(_, row)| row.first().is_some_and(|cell| cell == "0"));
    let by_name: HashMap<&str, usize> = design.pools.iter().enumerate().map(|(at, name)| (name.as_str(), at)).collect();
    for (line, row) in &rows {
        let cell = |column: Option<usize>| column.and_then(|at| row.get(at)).map_or("", String::as_str);
        let name = cell(Some(columns.pool));
        let number = name.parse::<usize>().ok();
        let pool = match number {
            Some(number) if zero_based => Some(number).filter(|number| *number < design.pools.len()),
            _ => by_name.get(name).copied(),
        };
        let Some(pool) = pool else {
            problems.add(*line, format!("pool '{name}' is not in the design"));
            continue;
        };
        let reading = read_result(cell(columns.result), cell(columns.cq), *line, &mut problems);
        match readings[pool] {
            None => readings[pool] = Some(reading),
            Some(before) => {
                problems.add(*line, format!("pool '{name}' has a second result"));
                if before != reading {
                    readings[pool] = Some(Reading::Unusable);
                }
            }
        }
    }
    for (name, reading) in design.pools.iter().zip(&readings) {
        if reading.is_none() {
            problems.add(0, format!("pool '{name}' has no result"));
        }
    }
    let or_unusable = |reading: Option<Reading>| reading.unwrap_or(Reading::Unusable);
    (readings.into_iter().map(or_unusable).collect(), problems.0)
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
        let pool = named(row, &["pool", "pool_id", "pool id"]);
        let result = named(row, &["result", "outcome", "call"]);
        (pool, result, named(row, &["cq", "ct", "cp"]))
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

fn read_result(result: &str, cq: &str, line: usize, problems: &mut Problems) -> Reading {
    let value = read_cq(cq);
    match result.to_lowercase().as_str() {
        "negative" | "neg" | "n" | "0" | "-" | "not detected" | "false" => Reading::Negative,
        "positive" | "pos" | "p" | "1" | "+" | "detected" | "true" => Reading::Positive { cq: value },
        "" if value.is_some() => Reading::Positive { cq: value },
        // Without a result column a Cq that the instrument wrote as "none" is a negative.
        "" if !cq.is_empty() && value.is_none() => Reading::Negative,
        "" | "missing" | "invalid" | "failed" | "inconclusive" | "indeterminate" | "grey" | "gray" | "single_target" | "single target" | "na" | "n/a" => {
            Reading::Unusable
        }
        other => {
            problems.add(line, format!("result '{other}' is not known; the pool counts as unusable"));
            Reading::Unusable
        }
    }
}

/// Reads a Cq list: one value per line, or a table with a column `cq`, `ct`, `cp` or ending in `_cq`.
/// Cells that mean "no Cq" are left out.
pub fn read_cq_distribution(text: &str) -> (Option<CqDistribution>, Vec<Problem>) {
    let mut problems = Problems::default();
    if text.len() > MAX_BYTES {
        problems.add(0, format!("larger than {MAX_BYTES} bytes"));
        return (None, problems.0);
    }
    let rows = table(text);
    let is_cq = |cell: &String| {
        let name = cell.to_lowercase();
        ["cq", "ct", "cp"].contains(&name.as_str()) || name.ends_with("_cq") || name.ends_with("_ct")
    };
    let headed = rows.first().and_then(|(_, row)| row.iter().position(is_cq));
    let column = headed.unwrap_or(0);
    let mut values = Vec::new();
    for (at, (line, row)) in rows.iter().enumerate().skip(usize::from(headed.is_some())) {
        let cell = row.get(column).map_or("", String::as_str);
        let none = ["", "na", "n/a", "nan", "undetermined", "none"].contains(&cell.to_lowercase().as_str());
        match (read_cq(cell), cell.parse::<f64>()) {
            (Some(value), _) => values.push(value),
            (None, Err(_)) if !none && at > 0 => {
                problems.add(*line, format!("'{cell}' is not a Cq"));
            }
            _ => {}
        }
    }
    match CqDistribution::new(values) {
        Ok(distribution) => (Some(distribution), problems.0),
        Err(message) => {
            problems.add(0, message);
            (None, problems.0)
        }
    }
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
