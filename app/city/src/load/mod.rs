//! Load on a real server: real sign-ins, real facts over keep-alive HTTP, and a count of everything acknowledged afterwards.
//!
//! Every figure stands beside what the machine could do just before and just after: a bare `hello`, a sync, a plain append.

mod calibrate;
mod drills;
mod station;
mod town;
mod watch;
mod wire;

use std::path::PathBuf;

pub use calibrate::Calibration;
pub use drills::{load, overload, storm};
pub(crate) use wire::Wire;

/// What a load is made of.
#[derive(Clone, Debug)]
pub struct LoadSettings {
    /// The program.
    pub baton: PathBuf,
    /// A folder that does not exist yet.
    pub data: PathBuf,
    pub seed: u64,
    /// Everybody on the roster; each is sampled at most once in a round.
    pub people: u32,
    /// How many campaigns the whole roster comes to, one after the other.
    pub rounds: u32,
    /// Devices, each with a connection of its own.
    pub connections: u32,
    /// People told about in one request: 1, or whole tubes of ten.
    pub batch: u32,
    /// People sampled per second; 0 for as many as the server takes.
    pub rate: u32,
    pub seconds: f64,
    /// Result look-ups per second beside the scans, for `storm`.
    pub look_ups: u32,
    /// How many times its capacity is offered, for `overload`.
    pub times: f64,
}

/// One stretch of load.
#[derive(Clone, Debug, Default, serde::Serialize)]
pub struct Stretch {
    pub name: String,
    pub seconds: f64,
    /// People per second that were due; 0 when the next request followed the last answer.
    pub offered_per_s: f64,
    /// People sampled and acknowledged per second.
    pub people_per_s: f64,
    /// All facts acknowledged per second: tubes opened and sealed are facts too.
    pub facts_per_s: f64,
    /// From when a request was due to its answer.
    pub ack_ms_p50: f64,
    pub ack_ms_p99: f64,
    pub ack_ms_p999: f64,
    pub refused: u64,
    pub refusal_ms_p99: f64,
    pub look_ups_per_s: f64,
    pub look_up_ms_p99: f64,
    pub look_ups_refused: u64,
    /// Of the look-ups, those that were shown the whole result; the others asked whether it had moved.
    pub results_shown: u64,
    pub notes: u64,
}

/// What a load found.
#[derive(Clone, Debug, serde::Serialize)]
pub struct LoadReport {
    pub people: u32,
    pub rounds: u32,
    pub connections: u32,
    pub batch: u32,
    pub before: Calibration,
    pub after: Calibration,
    pub import_per_s: f64,
    pub stretches: Vec<Stretch>,
    pub acknowledged: u64,
    pub resent: u64,
    /// Acknowledged facts that are not at the place they were given.
    pub lost: u64,
    /// Events beyond the acknowledged facts and what was there before.
    pub doubled: i64,
    pub verify: String,
    pub follower_lag_s_p99: f64,
    pub follower_lag_events_max: u64,
    /// From the last acknowledgement until the tables showed it.
    pub caught_up_s: f64,
    pub facts_per_group: f64,
    pub commit_ms: f64,
    pub server_cpu_us_per_fact: f64,
    pub server_memory_mib_max: u64,
    pub disk_bytes_per_fact: f64,
    /// Overload only: seconds from the end of the overload until a second without a refusal and with quick answers.
    pub normal_after_s: Option<f64>,
}

impl LoadReport {
    pub fn passed(&self) -> bool {
        self.lost == 0 && self.doubled == 0 && self.verify == "ok" && self.acknowledged > 0
    }

    /// Name and value of everything, as a table.
    pub fn rows(&self) -> Vec<(String, String)> {
        let mut rows = Calibration::rows(&self.before, &self.after);
        let mut row = |name: &str, value: String| rows.push((name.to_owned(), value));
        row("people on the roster · rounds", format!("{} · {}", self.people, self.rounds));
        row("roster imported, people/s", format!("{:.0}", self.import_per_s));
        let hello = (self.before.hello_per_s + self.after.hello_per_s) / 2.0;
        let append = (self.before.append_per_s + self.after.append_per_s) / 2.0;
        for stretch in &self.stretches {
            let mut row = |name: &str, value: String| row(&format!("{}: {name}", stretch.name), value);
            if stretch.offered_per_s > 0.0 {
                row("people due/s", format!("{:.0}", stretch.offered_per_s));
            }
            row("people sampled/s", format!("{:.0}", stretch.people_per_s));
            row("facts/s", format!("{:.0}", stretch.facts_per_s));
            row("requests/s ÷ hello", format!("{:.3}", stretch.people_per_s / f64::from(self.batch) / hello));
            row("facts/s ÷ SQLite append", format!("{:.3}", stretch.facts_per_s / append));
            row("ack p50 / p99 / p99.9 ms", format!("{:.1} / {:.1} / {:.1}", stretch.ack_ms_p50, stretch.ack_ms_p99, stretch.ack_ms_p999));
            row("refused (503)", stretch.refused.to_string());
            if stretch.refused > 0 {
                row("refusal p99 ms", format!("{:.1}", stretch.refusal_ms_p99));
            }
            if stretch.look_ups_per_s > 0.0 {
                row("result look-ups/s", format!("{:.0}", stretch.look_ups_per_s));
                row("look-up p99 ms", format!("{:.1}", stretch.look_up_ms_p99));
                row("look-ups refused (503)", stretch.look_ups_refused.to_string());
                row("shown the whole result", stretch.results_shown.to_string());
            }
        }
        self.rows_at_the_end(&mut row);
        rows
    }

    fn rows_at_the_end(&self, row: &mut impl FnMut(&str, String)) {
        row("facts acknowledged", self.acknowledged.to_string());
        row("facts sent again unanswered", self.resent.to_string());
        row("acknowledged and lost", self.lost.to_string());
        row("recorded twice", self.doubled.to_string());
        row("verify", self.verify.clone());
        row("follower lag p99 s", format!("{:.2}", self.follower_lag_s_p99));
        row("follower lag max events", self.follower_lag_events_max.to_string());
        row("caught up after s", format!("{:.2}", self.caught_up_s));
        row("facts per commit", format!("{:.0}", self.facts_per_group));
        row("commit ms", format!("{:.2}", self.commit_ms));
        row("server CPU µs per fact", format!("{:.1}", self.server_cpu_us_per_fact));
        row("server memory MiB", self.server_memory_mib_max.to_string());
        row("disk bytes per fact", format!("{:.0}", self.disk_bytes_per_fact));
        if let Some(seconds) = self.normal_after_s {
            row("normal again after s", format!("{seconds:.1}"));
        }
    }
}
