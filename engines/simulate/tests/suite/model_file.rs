//! The model file and what is printed: every refusal by line and field, the keys in their order, the same bytes on any threads.

use std::sync::atomic::{AtomicU32, Ordering};

use baton_simulate::{InTurn, RunError, Settings, Workers, parse, run};
use proptest::prelude::*;

use super::{Outcome, Threads};

const EXAMPLE: &str = r#"{"arrivals": {"distribution": "exponential", "rate_per_s": 10.0},
 "entities": 400,
 "stations": [
  {"name": "swab", "servers": 3, "service": {"distribution": "exponential", "mean_s": 0.3}, "batch": null, "next": "lab"},
  {"name": "lab", "servers": 2, "service": {"distribution": "lognormal", "mean_s": 5.4, "cv": 0.5},
   "batch": {"size": 94, "max_wait_s": 9}, "next": null}],
 "calendar": {"swab": [{"from_s": 0, "servers": 3}, {"from_s": 28.5, "servers": 6}]}}"#;

#[test]
fn the_example_is_read() -> Outcome {
    let model = parse(EXAMPLE)?;
    let report = run(&model, None, &Settings { replications: 3, seed: 1 }, &InTurn, &|| true)?;
    assert_eq!((report.replications, report.stations.len()), (3, 2));
    assert!(report.events > 3 * 800 && report.events < 3 * 1200, "a batch is one completion: {}", report.events);
    let times = parse(
        r#"{"arrivals": {"times": [0, 0, 1.5]}, "stations": [{"name": "a", "servers": 1, "service": {"distribution": "uniform", "low_s": 1, "high_s": 1}}]}"#,
    )?;
    assert_eq!(run(&times, None, &Settings { replications: 1, seed: 1 }, &InTurn, &|| true)?.stations[0].mean_wait_s, 1.5 / 3.0 + 0.5 / 3.0 - 1.0 / 6.0);
    Ok(())
}

#[test]
fn what_is_printed_has_its_keys_in_order() -> Outcome {
    let one = r#"{"arrivals": {"times": [0, 1]}, "stations": [{"name": "a", "servers": 1, "service": {"distribution": "deterministic", "value_s": 3}}]}"#;
    let two = one.replace("\"servers\": 1", "\"servers\": 2");
    let print = |replications, compare: bool| -> Result<String, Box<dyn std::error::Error>> {
        let other = parse(&two)?;
        let report = run(&parse(one)?, compare.then_some(&other), &Settings { replications, seed: 1 }, &InTurn, &|| true)?;
        Ok(serde_json::to_string(&report.timed(2.0))?)
    };
    let station = r#""stations":[{"name":"a","mean_wait_s":1.0,"ci95_s":null,"utilisation":1.0,"mean_queue":0.3333333333333333}]"#;
    let sojourn = r#""sojourn":{"mean_s":4.0,"ci95_s":null,"p50_s":3.0,"p95_s":5.0,"p99_s":5.0}"#;
    assert_eq!(print(1, false)?, format!(r#"{{"replications":1,"events":4,"horizon_s":6.0,{station},{sojourn},"events_per_cpu_s":2.0}}"#));
    let printed = print(1, true)?;
    assert!(printed.contains(r#""p99_s":5.0},"difference":{"mean_s":-1.0,"variance":null},"events_per_cpu_s":4.0}"#), "{printed}");
    let printed = print(2, true)?;
    assert!(printed.contains(r#""ci95_s":0.0"#) && printed.contains(r#""difference":{"mean_s":-1.0,"variance":0.0}"#), "{printed}");
    Ok(())
}

/// (what to replace in the example, with what, the error).
const REFUSALS: [(&str, &str, &str); 45] = [
    ("\"rate_per_s\": 10.0", "\"rate_per_s\": 0", "line 1: arrivals.rate_per_s: must be above 0, is 0"),
    ("\"rate_per_s\": 10.0", "\"rate_per_s\": -1", "line 1: arrivals.rate_per_s: "),
    ("\"rate_per_s\": 10.0", "\"rate_per_s\": 1e10", "line 1: arrivals.rate_per_s: "),
    ("\"rate_per_s\": 10.0", "\"rate\": 10", "line 1: arrivals.rate: is no key here"),
    (", \"rate_per_s\": 10.0", "", "line 1: arrivals.rate_per_s: is missing"),
    ("\"distribution\": \"exponential\", \"rate_per_s\"", "\"distribution\": \"uniform\", \"rate_per_s\"", "line 1: arrivals.distribution: "),
    ("\"rate_per_s\": 10.0", "\"times\": [1]", "line 1: arrivals.distribution: is no key here"),
    ("\"distribution\": \"exponential\", \"rate_per_s\": 10.0", "\"times\": []", "line 1: arrivals.times: "),
    ("\"distribution\": \"exponential\", \"rate_per_s\": 10.0", "\"times\": [1, 2]", "line 2: entities: differs from the 2 arrival times"),
    ("\"distribution\": \"exponential\", \"rate_per_s\": 10.0", "\"times\": [1, 0.5]", "line 1: arrivals.times[1]: times may not decrease"),
    ("\"distribution\": \"exponential\", \"rate_per_s\": 10.0", "\"times\": [-1]", "line 1: arrivals.times[0]: "),
    ("\"distribution\": \"exponential\", \"rate_per_s\": 10.0", "\"times\": [\"1\"]", "line 1: arrivals.times[0]: must be a number"),
    ("\"entities\": 400", "\"entities\": 0", "line 2: entities: must be a whole number of 1 to 10000000, is 0"),
    ("\"entities\": 400", "\"entities\": 1.5", "line 2: entities: "),
    ("\"entities\": 400", "\"entities\": 10000001", "line 2: entities: "),
    ("\"entities\": 400", "\"entities\": null", "line 1: entities: is missing"),
    ("\"entities\": 400", "\"entities\": 4, \"entities\": 4", "line 2: JSON: the key \"entities\" stands twice"),
    ("\"entities\": 400", "\"seed\": 1", "line 2: seed: is no key here"),
    ("\"servers\": 2", "\"servers\": 0", "line 5: stations[1].servers: "),
    ("\"servers\": 2", "\"servers\": 1000001", "line 5: stations[1].servers: "),
    ("\"servers\": 2, ", "", "line 5: stations[1].servers: is missing"),
    ("\"servers\": 2", "\"servers\": 2, \"priority\": 1", "line 5: stations[1].priority: is no key here"),
    ("\"name\": \"lab\"", "\"name\": \"swab\"", "line 5: stations[1].name: \"swab\" names two stations"),
    ("\"name\": \"lab\"", "\"name\": \"\"", "line 5: stations[1].name: "),
    ("\"name\": \"lab\"", "\"name\": 7", "line 5: stations[1].name: must be a text"),
    ("\"next\": \"lab\"", "\"next\": \"lob\"", "line 4: stations[0].next: \"lob\" names no station"),
    ("\"next\": \"lab\"", "\"next\": \"swab\"", "line 4: stations[0].next: leads back"),
    ("\"next\": null", "\"next\": \"swab\"", "line 4: stations[0].next: leads back"),
    ("\"next\": null", "\"next\": \"lab\"", "line 6: stations[1].next: leads back"),
    ("\"mean_s\": 0.3", "\"mean_s\": 0", "line 4: stations[0].service.mean_s: must be above 0"),
    ("\"mean_s\": 0.3", "\"mean_s\": NaN", "line 4: JSON: expected a value, found \"NaN\""),
    ("\"mean_s\": 0.3", "\"mean_s\": 1e999", "line 4: JSON: \"1e999\" is not a number"),
    ("\"mean_s\": 0.3", "\"mean_s\": 0.3, \"cv\": 1", "line 4: stations[0].service.cv: is no key here"),
    ("\"cv\": 0.5", "\"cv\": -0.5", "line 5: stations[1].service.cv: "),
    ("\"lognormal\"", "\"gamma\"", "line 5: stations[1].service.distribution: "),
    ("\"size\": 94", "\"size\": 0", "line 6: stations[1].batch.size: "),
    (", \"max_wait_s\": 9", "", "line 6: stations[1].batch.max_wait_s: is missing"),
    ("\"max_wait_s\": 9", "\"max_wait_s\": -9", "line 6: stations[1].batch.max_wait_s: must lie between 0 and 1000000000, is -9"),
    ("\"batch\": null", "\"batch\": 3", "line 4: stations[0].batch: must be an object"),
    ("{\"swab\": [{\"from_s\": 0", "{\"swab\": [{\"from_s\": 1", "line 7: calendar.swab[0].from_s: steps must start at 0"),
    ("28.5", "0", "line 7: calendar.swab[1].from_s: "),
    ("\"servers\": 6", "\"servers\": 0", "line 7: calendar.swab[1].servers: the last step"),
    ("\"servers\": 6", "\"staff\": 0", "line 7: calendar.swab[1].staff: is no key here"),
    ("{\"swab\": [", "{\"swob\": [", "line 7: calendar.swob: names no station"),
    ("[{\"from_s\": 0, \"servers\": 3}, {\"from_s\": 28.5, \"servers\": 6}]", "[]", "line 7: calendar.swab: must have at least one step"),
];

#[test]
fn every_refusal_names_its_line_and_field() {
    for (from, to, expected) in REFUSALS {
        let text = EXAMPLE.replacen(from, to, 1);
        assert_ne!(text, EXAMPLE, "{from}");
        let error = parse(&text).map_or_else(|error| error.to_string(), |_| "accepted".to_owned());
        assert!(error.starts_with(expected), "{from} -> {to}: {error}");
    }
    let sized = |stations: &str| parse(&format!("{{\"arrivals\": {{\"times\": [0]}}, \"stations\": {stations}}}")).map_err(|error| error.field);
    assert_eq!(sized("[]"), Err("stations".to_owned()));
    assert_eq!(sized("{}"), Err("stations".to_owned()));
    assert_eq!(sized(&format!("[{}1]", "1,".repeat(1000))), Err("stations".to_owned()));
    assert_eq!(parse("[]").map_err(|error| error.to_string()), Err("line 1: model: must be an object".to_owned()));
}

#[test]
fn replications_are_bounded_and_can_be_stopped() -> Outcome {
    let model = parse(EXAMPLE)?;
    let settings = |replications| Settings { replications, seed: 9 };
    for replications in [0, 1_000_001] {
        let result = run(&model, None, &settings(replications), &InTurn, &|| true);
        assert!(matches!(result, Err(RunError::Replications { asked, .. }) if asked == replications));
    }
    assert_eq!(run(&model, None, &settings(5), &InTurn, &|| false), Err(RunError::Stopped));
    let left = AtomicU32::new(3);
    let stopped = run(&model, None, &settings(5), &InTurn, &|| left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok())?;
    let three = run(&model, None, &settings(3), &InTurn, &|| true)?;
    assert_eq!(stopped, three, "the first three of five are the three of three");
    Ok(())
}

/// From the last to the first.
struct Backwards;

impl Workers for Backwards {
    fn each(&self, jobs: u32, job: &(dyn Fn(u32) + Sync)) {
        (0..jobs).rev().for_each(job);
    }
}

#[test]
fn the_same_bytes_on_any_threads() -> Outcome {
    let model = parse(EXAMPLE)?;
    let other = parse(&EXAMPLE.replace("\"servers\": 2", "\"servers\": 3"))?;
    let print = |workers: &dyn Workers, seed| -> Result<String, Box<dyn std::error::Error>> {
        Ok(serde_json::to_string(&run(&model, Some(&other), &Settings { replications: 23, seed }, workers, &|| true)?)?)
    };
    let expected = print(&InTurn, 7)?;
    for workers in [&Threads(1) as &dyn Workers, &Threads(2), &Threads(5), &Threads(64), &Backwards] {
        assert_eq!(print(workers, 7)?, expected);
    }
    assert_ne!(print(&InTurn, 8)?, expected);
    Ok(())
}

#[test]
fn a_station_keeps_its_demands_in_another_model() -> Outcome {
    let alone = |name: &str, before: &str| -> Result<f64, Box<dyn std::error::Error>> {
        let text = format!(
            r#"{{"arrivals": {{"times": [0, 100, 200]}}, "stations": [{before}{{"name": "{name}", "servers": 1, "service": {{"distribution": "exponential", "mean_s": 3}}}}]}}"#
        );
        Ok(run(&parse(&text)?, None, &Settings { replications: 4, seed: 1 }, &InTurn, &|| true)?.sojourn.mean_s)
    };
    let before = |next: &str| format!(r#"{{"name": "first", "servers": 1, "service": {{"distribution": "deterministic", "value_s": 1}}, "next": "{next}"}},"#);
    assert!((alone("a", &before("a"))? - alone("a", "")? - 1.0).abs() < 1e-9);
    assert_ne!(alone("b", "")?, alone("a", "")?, "another name draws anew");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_it_panic(at in 0usize..500, length in 0usize..40, with in "[\\[\\]{}\",:0-9a-z\\\\. é-]{0,6}") {
        let at = at.min(EXAMPLE.len());
        let end = (at + length).min(EXAMPLE.len());
        let text = format!("{}{with}{}", &EXAMPLE[..at], &EXAMPLE[end..]);
        if let Err(error) = parse(&text) {
            prop_assert!(error.line >= 1 && !error.field.is_empty());
        }
    }
}
