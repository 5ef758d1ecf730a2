//! Jobs of operations in a fixed order on machines, the aim being the shortest makespan.

use crate::routes::fault::{Fault, Words};

/// Bounds of one file.
pub const JOBS_MAX: i64 = 2000;
pub const MACHINES_MAX: i64 = 500;
pub const OPERATIONS_MAX: usize = 20_000;
pub const DURATION_MAX: i64 = 1_000_000;
/// Of the longest durations of all operations together: no makespan is longer.
pub const DURATIONS_MAX: i64 = 1_000_000_000;

/// A machine that can do an operation, and how long it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Alternative {
    /// From 0.
    pub machine: usize,
    pub duration: i32,
}

/// A job shop: per job its operations in technological order, per operation the machines that can do it (one each in a plain job shop).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shop {
    pub machines: usize,
    pub jobs: Vec<Vec<Vec<Alternative>>>,
}

impl Shop {
    /// Whether some operation has a choice of machines.
    #[must_use]
    pub fn flexible(&self) -> bool {
        self.jobs.iter().flatten().any(|alternatives| alternatives.len() > 1)
    }

    #[must_use]
    pub fn operations(&self) -> usize {
        self.jobs.iter().map(Vec::len).sum()
    }
}

fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let numbered = text.lines().enumerate().map(|(at, line)| (at + 1, line.trim()));
    numbered.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
}

fn too_many(line: usize) -> Fault {
    Fault::new(line, "operations", format!("are more than {OPERATIONS_MAX}"))
}

/// Reads JSPLIB text: `#` comments, `jobs machines`, then one line per job of pairs `machine duration`, machines from 0.
///
/// # Errors
/// With the line and the field.
pub fn parse_job_shop(text: &str) -> Result<Shop, Fault> {
    let mut lines = lines(text);
    let (jobs, machines) = head(lines.next())?;
    let mut shop = Shop { machines, jobs: Vec::new() };
    for (at, line) in lines {
        if shop.jobs.len() == jobs {
            return Err(Fault::new(at, "job", format!("is one more than the {jobs} announced")));
        }
        let mut words = Words::new(std::iter::once((at, line)));
        let mut job = Vec::new();
        while words.left() > 0 {
            let machine = words.whole("machine", 0, machines as i64 - 1)? as usize;
            job.push(vec![Alternative { machine, duration: words.whole("duration", 0, DURATION_MAX)? as i32 }]);
        }
        shop.jobs.push(job);
        if shop.operations() > OPERATIONS_MAX {
            return Err(too_many(at));
        }
    }
    if shop.jobs.len() < jobs {
        return Err(Fault::new(0, "job", format!("{} of {jobs} jobs are there", shop.jobs.len())));
    }
    bounded(shop)
}

/// Reads flexible job shop text (Brandimarte): `jobs machines [average]`, then per job the number of operations and per operation the
/// number of alternatives followed by pairs `machine duration`, machines from 1.
///
/// # Errors
/// With the line and the field.
pub fn parse_flexible(text: &str) -> Result<Shop, Fault> {
    let mut lines = lines(text);
    let (jobs, machines) = head(lines.next())?;
    let mut words = Words::new(lines);
    let mut shop = Shop { machines, jobs: Vec::new() };
    let mut operations = 0;
    for _ in 0..jobs {
        let count = words.whole("operations of a job", 0, OPERATIONS_MAX as i64)?;
        let mut job = Vec::new();
        for _ in 0..count {
            job.push(alternatives(&mut words, machines)?);
            operations += 1;
            if operations > OPERATIONS_MAX {
                return Err(too_many(words.rest().map_or(0, |(line, _)| line)));
            }
        }
        shop.jobs.push(job);
    }
    match words.rest() {
        Some((at, word)) => Err(Fault::new(at, "end", format!("`{word}` comes after the last job"))),
        None => bounded(shop),
    }
}

fn alternatives(words: &mut Words, machines: usize) -> Result<Vec<Alternative>, Fault> {
    let mut alternatives: Vec<Alternative> = Vec::new();
    for _ in 0..words.whole("number of alternatives", 1, MACHINES_MAX)? {
        let line = words.rest().map_or(0, |(line, _)| line);
        let machine = words.whole("machine", 1, machines as i64)? as usize - 1;
        if alternatives.iter().any(|known| known.machine == machine) {
            return Err(Fault::new(line, "machine", format!("{} is there twice for one operation", machine + 1)));
        }
        alternatives.push(Alternative { machine, duration: words.whole("duration", 0, DURATION_MAX)? as i32 });
    }
    Ok(alternatives)
}

fn head(line: Option<(usize, &str)>) -> Result<(usize, usize), Fault> {
    let (at, line) = line.ok_or_else(|| Fault::new(0, "jobs and machines", "are missing: the file is empty"))?;
    let mut words = Words::new(std::iter::once((at, line)));
    Ok((words.whole("jobs", 1, JOBS_MAX)? as usize, words.whole("machines", 1, MACHINES_MAX)? as usize))
}

fn bounded(shop: Shop) -> Result<Shop, Fault> {
    let longest = |alternatives: &Vec<Alternative>| alternatives.iter().map(|one| i64::from(one.duration)).max().unwrap_or(0);
    let whole: i64 = shop.jobs.iter().flatten().map(longest).sum();
    if whole > DURATIONS_MAX {
        return Err(Fault::new(0, "durations", format!("are {whole} together, more than {DURATIONS_MAX}")));
    }
    Ok(shop)
}
