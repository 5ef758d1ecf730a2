//! The figures as Prometheus reads them: text format 0.0.4.

use std::fmt::{Display, Write};
use std::sync::atomic::Ordering;

use baton_ledger::Histogram;

use super::figures::Figures;
use crate::App;

/// Collects lines; each name's help and type once, before its values.
#[derive(Default)]
struct Text(String);

impl Text {
    fn about(&mut self, name: &str, kind: &str, help: &str) {
        _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }
    fn line(&mut self, name: &str, labels: &str, value: impl Display) {
        _ = if labels.is_empty() { writeln!(self.0, "{name} {value}") } else { writeln!(self.0, "{name}{{{labels}}} {value}") };
    }
    fn one(&mut self, name: &str, kind: &str, help: &str, value: impl Display) {
        self.about(name, kind, help);
        self.line(name, "", value);
    }
    /// `scale` turns what was counted into the unit of the name.
    fn histogram(&mut self, name: &str, labels: &str, histogram: &Histogram, scale: f64) {
        let (below, all, sum) = histogram.read();
        let comma = if labels.is_empty() { "" } else { "," };
        for (bound, count) in below {
            self.line(&format!("{name}_bucket"), &format!("{labels}{comma}le=\"{}\"", bound as f64 * scale), count);
        }
        self.line(&format!("{name}_bucket"), &format!("{labels}{comma}le=\"+Inf\""), all);
        self.line(&format!("{name}_sum"), labels, sum as f64 * scale);
        self.line(&format!("{name}_count"), labels, all);
    }
}

const SECONDS: f64 = 1e-6;

pub(crate) fn text(app: &App) -> String {
    let (now, mut text) = (Figures::of(app), Text::default());
    ledger(app, &now, &mut text);
    text.one("baton_ladder_step", "gauge", "Step of the degradation ladder; 0 is normal.", now.step);
    text.one("baton_slow_statements_total", "counter", "Statements slow enough to be logged.", now.slow_statements);
    text.about("baton_requests_under_way", "gauge", "Requests under way by budget.");
    for budget in &now.budgets {
        text.line("baton_requests_under_way", &format!("budget=\"{}\"", budget.name), budget.under_way);
    }
    text.about("baton_shed_total", "counter", "Requests refused at once, by reason: a full lane, or a full budget.");
    text.line("baton_shed_total", "reason=\"lane\"", now.lane_shed);
    for budget in &now.budgets {
        text.line("baton_shed_total", &format!("reason=\"{}\"", budget.name), budget.shed);
    }
    text.one("baton_unavailable_total", "counter", "Requests answered with 503, for whatever reason.", app.meter.shed());
    text.about("baton_requests_total", "counter", "Requests answered, by route and status.");
    for ((method, path, status), count) in app.meter.answered() {
        text.line("baton_requests_total", &format!("method=\"{method}\",route=\"{path}\",status=\"{status}\""), count);
    }
    text.about("baton_request_seconds", "histogram", "From a request to its answer, by budget.");
    for (budget, took) in app.meter.took() {
        text.histogram("baton_request_seconds", &format!("budget=\"{}\"", budget.name()), took, SECONDS);
    }
    text.0
}

fn ledger(app: &App, now: &Figures, text: &mut Text) {
    let meter = app.ledger.meter();
    text.one("baton_facts_total", "counter", "Facts made durable and acknowledged.", now.facts);
    text.one("baton_facts_repeated_total", "counter", "Facts that were in the ledger already.", now.repeated);
    text.one("baton_decisions_total", "counter", "Decisions taken.", now.decisions);
    text.about("baton_group_facts", "histogram", "Facts committed together.");
    text.histogram("baton_group_facts", "", &meter.group_facts, 1.0);
    text.about("baton_commit_seconds", "histogram", "A commit of the ledger: written and synced.");
    text.histogram("baton_commit_seconds", "", &meter.commit_us, SECONDS);
    text.about("baton_group_seconds", "histogram", "A group of facts from the lane to its commit.");
    text.histogram("baton_group_seconds", "", &meter.group_us, SECONDS);
    text.one("baton_group_failures_total", "counter", "Groups that could not be written.", now.failed);
    text.one("baton_ledger_writable", "gauge", "1 when the last group could be written.", u8::from(now.writable));
    text.one("baton_waiting", "gauge", "Facts and commands that wait to be written.", now.waiting);
    text.about("baton_lane_waiting", "gauge", "The same by lane; empty lanes are left out.");
    for (lane, waiting) in &now.lanes {
        text.line("baton_lane_waiting", &format!("lane=\"{lane}\""), waiting);
    }
    text.one("baton_ledger_events", "gauge", "Place of the last durable event.", now.committed);
    text.one("baton_follower_lag_events", "gauge", "Durable events that the tables do not show yet.", now.committed - now.folded);
    text.one("baton_follower_lag_seconds", "gauge", "For how long the oldest of them has waited.", now.lag_us as f64 * SECONDS);
    text.one("baton_folded_total", "counter", "Events folded into the tables.", meter.folded.load(Ordering::Relaxed));
    text.about("baton_fold_seconds", "histogram", "A transaction of the follower.");
    text.histogram("baton_fold_seconds", "", &meter.fold_us, SECONDS);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_histogram_is_written_as_prometheus_reads_it() {
        let histogram = Histogram::new(&[1_000, 2_000_000]);
        histogram.record(500);
        histogram.record(1_500_000);
        let mut text = Text::default();
        text.about("took_seconds", "histogram", "How long.");
        text.histogram("took_seconds", "of=\"x\"", &histogram, SECONDS);
        let expected = "# HELP took_seconds How long.\n# TYPE took_seconds histogram\n\
                        took_seconds_bucket{of=\"x\",le=\"0.001\"} 1\ntook_seconds_bucket{of=\"x\",le=\"2\"} 2\ntook_seconds_bucket{of=\"x\",le=\"+Inf\"} 2\n\
                        took_seconds_sum{of=\"x\"} 1.5005\ntook_seconds_count{of=\"x\"} 2\n";
        assert_eq!(text.0, expected);
    }
}
