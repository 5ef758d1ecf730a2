//! Measures a planner within a budget of processor time, which a loaded machine does not distort. Every figure is the checker's.
//!
//! ```text
//! measure roster|routes|shop FILE CPU_SECONDS SEED [THREADS]
//! measure generate DAYS STAFF SHIFTS SEED tight|loose
//! ```
#![allow(clippy::print_stdout, clippy::print_stderr, clippy::disallowed_methods)]

#[path = "../tests/family/mod.rs"]
mod family;

use std::cell::Cell;
use std::time::{Duration, Instant};

use baton_plan::roster::solve::Budget;
use baton_plan::{Crew, Job, production, roster, routes};

struct Threads(usize);

impl Crew for Threads {
    fn hands(&self) -> usize {
        self.0
    }

    fn run<'a>(&self, jobs: Vec<Job<'a>>) {
        std::thread::scope(|scope| jobs.into_iter().for_each(|job| _ = scope.spawn(job)));
    }
}

/// Seconds of processor time of the whole process (Linux; ticks of 10 ms).
fn processor_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux tells the processor time");
    let fields: Vec<f64> = stat.rsplit(')').next().expect("a name").split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse().ok()).collect();
    fields.iter().sum::<f64>() / 100.0
}

thread_local! {
    static LAST: Cell<Option<(Instant, f64)>> = const { Cell::new(None) };
}

/// The same, looked up once a millisecond.
fn spent() -> f64 {
    match LAST.get() {
        Some((at, seconds)) if at.elapsed() < Duration::from_millis(1) => seconds,
        _ => {
            let seconds = processor_seconds();
            LAST.set(Some((Instant::now(), seconds)));
            seconds
        }
    }
}

/// What was asked for on the command line.
struct Asked {
    text: String,
    budget: f64,
    seed: u64,
    crew: Threads,
}

impl Asked {
    fn roster(&self) -> (String, usize) {
        let problem = roster::format::parse(&self.text).expect("an instance");
        let share = || (spent() / self.budget) as f32;
        let mut told = i64::MAX;
        let mut tell = |progress: roster::solve::Progress| {
            if progress.objective != told {
                told = progress.objective;
                eprintln!("{:>7.1} CPU-s  {told}  {} illegal, {} M steps", processor_seconds(), progress.illegal_rows, progress.work / 1_000_000);
            }
        };
        let plan = roster::solve::solve(&problem, self.seed, &self.crew, Budget::Share(&share), &mut tell);
        let report = roster::check::check(&problem, &plan);
        (report.objective().to_string(), report.violations.len())
    }

    fn routes(&self) -> (String, usize) {
        let problem = routes::parse(&self.text).expect("an instance");
        let mut tell = |progress: routes::Progress| {
            eprintln!("{:>7.1} CPU-s  {:.1}  {} routes, {} rounds", processor_seconds(), progress.cost, progress.routes, progress.rounds);
        };
        let plan = routes::solve(&problem, self.seed, &self.crew, &|| spent() / self.budget, &mut tell);
        let report = routes::check(&problem, &plan);
        (format!("{:.1}, {} routes", report.cost, report.vehicles), report.violations.len())
    }

    fn shop(&self) -> (String, usize) {
        let shop = production::parse_job_shop(&self.text).expect("a shop");
        let mut tell = |progress: production::Progress| {
            eprintln!("{:>7.1} CPU-s  {}  round {}", processor_seconds(), progress.makespan, progress.rounds);
        };
        let plan = production::solve(&shop, self.seed, &self.crew, &|| spent() < self.budget, &mut tell);
        let report = production::check(&shop, &plan);
        (report.makespan.to_string(), report.violations.len())
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize| arguments[at].parse::<u64>().expect("a number");
    if arguments[0] == "generate" {
        print!("{}", family::instance(number(4), number(1) as usize, number(2) as usize, number(3) as usize, arguments[5] == "tight"));
        return;
    }
    let text = std::fs::read_to_string(&arguments[1]).expect("the file");
    let budget = arguments[2].parse().expect("seconds");
    let asked = Asked { text, budget, seed: number(3), crew: Threads(arguments.get(4).map_or(2, |_| number(4) as usize)) };
    let began = Instant::now();
    let (found, violations) = match arguments[0].as_str() {
        "roster" => asked.roster(),
        "routes" => asked.routes(),
        _ => asked.shop(),
    };
    let name = arguments[1].rsplit('/').next().unwrap_or_default();
    let (spent, wall) = (processor_seconds(), began.elapsed().as_secs_f64());
    println!("{name} seed {}: {found} with {violations} violations; {spent:.1} CPU-s, {wall:.1} s", arguments[3]);
}
