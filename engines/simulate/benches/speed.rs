//! Events per CPU-second: `cargo bench -p baton-simulate --bench speed`. The 8-station exponential tandem of the planning notes at 10,000 and 500,000
//! entities, replications per minute, the variance that common random numbers save, mean waits beside queueing theory, and a forecast of 10,000 tubes. With `SIMPY_PYTHON` set to a Python
//! that has SimPy, the same tandem runs there too and the ratio is printed.

#![allow(clippy::print_stdout, clippy::disallowed_methods)] // a benchmark reads the clock and prints

use std::error::Error;
use std::process::Command;

use baton_simulate::distribution::Distribution;
use baton_simulate::kernel::{Calendar, Station};
use baton_simulate::statistics::{mean_and_half_width, mean_and_variance};
use baton_simulate::twin::{ArrivalStream, Budget, Limit, LiveEntity, LiveState, Milestone, Place, Rate, forecast};
use baton_simulate::{InTurn, Model, Settings, parse, run};

const SERVERS: [u32; 8] = [3, 6, 4, 8, 5, 12, 6, 3];

fn main() -> Result<(), Box<dyn Error>> {
    for (entities, replications) in [(10_000, 100), (500_000, 2)] {
        let (model, before) = (tandem(entities, 0)?, cpu_s());
        let report = run(&model, None, &Settings { replications, seed: 1 }, &InTurn, &|| true)?;
        let spent = cpu_s() - before;
        let per_minute = 60.0 * f64::from(replications) / spent;
        println!("tandem {entities}: {:.1} M events/CPU-s, {per_minute:.0} replications/CPU-min; {spent:.2} CPU-s", report.events as f64 / spent / 1e6);
        peer(entities, report.events as f64 / spent);
    }
    common_random_numbers()?;
    theory()?;
    live_forecast()
}

/// Mean waits over 40 replications beside queueing theory: does the 95 % interval cover it?
fn theory() -> Result<(), Box<dyn Error>> {
    let single = |service: &str, servers: u32, rate: f64| {
        let arrivals = format!(r#"{{"distribution": "exponential", "rate_per_s": {rate}}}"#);
        let station = format!(r#"{{"name": "s", "servers": {servers}, "service": {{{service}}}, "next": null}}"#);
        parse(&format!(r#"{{"arrivals": {arrivals}, "entities": 50000, "stations": [{station}]}}"#))
    };
    let many = single(r#""distribution": "exponential", "mean_s": 1"#, 10, 8.0)?;
    let erlang = erlang_wait(8.0, 1.0, 10);
    covers("Erlang C, 10 servers at 0.8", &many, &[erlang])?;
    covers("Pollaczek-Khinchine, M/D/1 at 0.75", &single(r#""distribution": "deterministic", "value_s": 1.5"#, 1, 0.5)?, &[2.25])?;
    let pollaczek = 0.75 * 1.5 * (1.0 + 0.8 * 0.8) / (2.0 * 0.25);
    covers("Pollaczek-Khinchine, lognormal at 0.75", &single(r#""distribution": "lognormal", "mean_s": 1.5, "cv": 0.8"#, 1, 0.5)?, &[pollaczek])?;
    let expected: Vec<f64> = SERVERS.iter().map(|servers| erlang_wait(10.0, f64::from(*servers) * 0.085, *servers)).collect();
    covers("Jackson tandem, station by station", &tandem(50_000, 0)?, &expected)?;
    let mut queues = Vec::new();
    for seed in 0..40 {
        queues.push(run(&many, None, &Settings { replications: 1, seed: 100 + seed }, &InTurn, &|| true)?.stations[0].mean_queue);
    }
    let (queue, half_width) = mean_and_half_width(&queues);
    told("Little, queue of the 10 servers", queue, half_width.unwrap_or(f64::NAN), 8.0 * erlang);
    Ok(())
}

fn covers(name: &str, model: &Model, expected: &[f64]) -> Result<(), Box<dyn Error>> {
    let report = run(model, None, &Settings { replications: 40, seed: 5 }, &InTurn, &|| true)?;
    for (station, expected) in report.stations.iter().zip(expected) {
        told(name, station.mean_wait_s, station.ci95_s.unwrap_or(f64::NAN), *expected);
    }
    Ok(())
}

fn told(name: &str, seen: f64, half_width: f64, expected: f64) {
    let word = if (seen - expected).abs() <= half_width { "covers" } else { "MISSES" };
    println!("{name}: {seen:.4} ± {half_width:.4} {word} {expected:.4}");
}

/// Mean wait of M/M/c (Erlang C, from B by its recursion).
fn erlang_wait(rate: f64, mean_service: f64, servers: u32) -> f64 {
    let load = rate * mean_service;
    let blocked = (1..=servers).fold(1.0, |blocked, k| load * blocked / (f64::from(k) + load * blocked));
    blocked / (1.0 - load / f64::from(servers) * (1.0 - blocked)) * mean_service / (f64::from(servers) - load)
}

fn tandem(entities: u32, extra: u32) -> Result<Model, Box<dyn Error>> {
    let stations = SERVERS.iter().enumerate().map(|(index, servers)| {
        let next = if index < 7 { format!("\"s{}\"", index + 1) } else { "null".to_owned() };
        let mean = f64::from(*servers) * 0.085;
        let servers = if index == 0 { servers + extra } else { *servers };
        format!(r#"{{"name": "s{index}", "servers": {servers}, "service": {{"distribution": "exponential", "mean_s": {mean}}}, "next": {next}}}"#)
    });
    let stations = stations.collect::<Vec<_>>().join(",");
    let arrivals = r#"{"distribution": "exponential", "rate_per_s": 10}"#;
    Ok(parse(&format!(r#"{{"arrivals": {arrivals}, "entities": {entities}, "stations": [{stations}]}}"#))?)
}

fn common_random_numbers() -> Result<(), Box<dyn Error>> {
    const PAIRS: u64 = 400;
    let (model, more) = (tandem(10_000, 0)?, tandem(10_000, 1)?);
    let report = run(&model, Some(&more), &Settings { replications: PAIRS as u32, seed: 1 }, &InTurn, &|| true)?;
    let paired = report.difference.and_then(|difference| difference.variance).unwrap_or(f64::NAN);
    let one =
        |model: &Model, seed| -> Result<f64, Box<dyn Error>> { Ok(run(model, None, &Settings { replications: 1, seed }, &InTurn, &|| true)?.sojourn.mean_s) };
    let mut differences = Vec::new();
    for seed in 0..PAIRS {
        differences.push(one(&more, 10_000 + seed)? - one(&model, seed)?);
    }
    let independent = mean_and_variance(&differences).1.unwrap_or(f64::NAN);
    println!(
        "one more server, {PAIRS} pairs: variance {paired:.5} with common random numbers, {independent:.5} without, {:.0} times less",
        independent / paired
    );
    Ok(())
}

/// 5,000 tubes in the laboratory and 5,000 to come through eight stages, two of them batches.
fn live_forecast() -> Result<(), Box<dyn Error>> {
    let mut stations = Vec::new();
    for (index, (servers, mean_s)) in (0u32..).zip([(6, 20.0), (4, 15.0), (12, 45.0), (8, 30.0), (6, 5_400.0), (6, 4_200.0), (3, 10.0), (2, 5.0)]) {
        let station = Station::new(format!("stage {index}"), Calendar::constant(servers)?, Distribution::lognormal(mean_s, 0.3)?);
        let station = if index == 4 || index == 5 { station.batch(94, 900.0) } else { station };
        stations.push(if index == 7 { station } else { station.to(index + 1) });
    }
    let entity = |key: u64| {
        let place = Place::Waiting { station: (key % 8) as u32, waited_s: (key / 8) as f64 };
        LiveEntity { key, age_s: (key / 8) as f64 + 600.0, place }
    };
    let stream = ArrivalStream { name: "city".to_owned(), station: 0, rates: vec![Rate { from_s: 0.0, per_s: 0.2 }], until_s: 25_000.0, age_s: 600.0 };
    let limit = Some(Limit { seconds: 21_600.0, until: Milestone::Leave, begins: Vec::new() });
    let live = LiveState { stations, entities: (0..5_000).map(entity).collect(), runs: Vec::new(), streams: vec![stream], limit };
    let before = cpu_s();
    let forecast = forecast(&live, &Budget { replications: 200, seed: 1 }, &InTurn, &|| true)?;
    println!("forecast of 10,000 tubes, 200 replications: {:.2} CPU-s; last result at {:?}", cpu_s() - before, forecast.last_result_s);
    Ok(())
}

/// CPU time of this process, from the kernel's scheduler where there is one.
fn cpu_s() -> f64 {
    let text = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    let nanoseconds = text.split(' ').next().and_then(|word| word.parse::<f64>().ok());
    nanoseconds.map_or_else(wall_s, |nanoseconds| nanoseconds * 1e-9)
}

fn wall_s() -> f64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0.0, |time| time.as_secs_f64())
}

fn peer(entities: u32, own: f64) {
    let Some(python) = std::env::var_os("SIMPY_PYTHON") else { return };
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/simpy_tandem.py");
    let output = Command::new(python).args([script, &entities.min(20_000).to_string()]).output();
    let speed = output.ok().and_then(|output| String::from_utf8_lossy(&output.stdout).trim().parse::<f64>().ok());
    match speed {
        Some(speed) => println!("  SimPy: {:.3} M events/CPU-s, {:.0} times less", speed / 1e6, own / speed),
        None => println!("  SimPy did not run"),
    }
}
