//! The planners as somebody runs them: plans that repeat, that are kept on Ctrl-C, and files that are wrong.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// A folder of its own, gone afterwards.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("baton-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        Self(folder)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, text).expect("written");
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn plan(what: &str, file: &Path, words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_baton")).args(["plan", what]).arg(file).args(words).output().expect("baton runs")
}

fn said(output: &Output) -> Value {
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}{err}");
    serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}"))
}

/// Customers on a spiral, all day long.
fn solomon(customers: usize) -> String {
    let mut text =
        "SPIRAL\n\nVEHICLE\nNUMBER CAPACITY\n 25 200\n\nCUSTOMER\nCUST NO. XCOORD. YCOORD. DEMAND READY DUE SERVICE\n\n0 50 50 0 0 1000 0\n".to_owned();
    for at in 1..=customers {
        text.push_str(&format!("{at} {} {} {} 0 900 10\n", at * 37 % 101, at * 53 % 97, 5 + at % 20));
    }
    text
}

fn shop(jobs: usize, machines: usize) -> String {
    let row = |job: usize| (0..machines).map(|step| format!("{} {} ", (step * 7 + job * 3) % machines, 5 + (job * 31 + step * 17) % 90)).collect::<String>();
    format!("{jobs} {machines}\n{}", (0..jobs).map(|job| row(job) + "\n").collect::<String>())
}

fn evening() -> Value {
    let boxes: Vec<Value> = (0..20)
        .map(|at| json!({"id": format!("b{at}"), "place": 1 + at % 4, "tubes": 20 + at, "swabbed": at * 5, "ready": at * 5 + 30, "load_minutes": 3}))
        .collect();
    json!({
        "age_minutes_max": 360,
        "minutes": (0..5_i64).map(|from| (0..5_i64).map(|to| 12 * (from - to).abs()).collect::<Vec<_>>()).collect::<Vec<_>>(),
        "laboratories": [{"id": "lab", "place": 0, "opens": 0, "closes": 1440, "unload_minutes": 5, "intake_per_hour": 200}],
        "vans": [{"id": "v1", "place": 0, "shift_starts": 0, "shift_ends": 600, "tubes_max": 120}, {"id": "v2", "place": 2, "shift_starts": 0, "shift_ends": 600, "tubes_max": 120}],
        "boxes": boxes,
    })
}

/// A desk around the clock for a week.
fn desk() -> String {
    let people: Vec<Value> = (0..7)
        .map(|at| json!({"id": format!("P{at}"), "skills": ["desk"], "max_minutes": 2880, "max_consecutive": 5, "min_days_off": 1, "max_weekends": 1}))
        .collect();
    let shift = |id: &str, start: u32| json!({"id": id, "start_minute": start, "minutes": 495, "handover_minutes": 15});
    let posts = json!([{"id": "front", "skill": "desk", "needs": {"early": 1, "late": 1, "night": 1}}]);
    json!({"days": 7, "shifts": [shift("early", 360), shift("late", 840), shift("night", 1320)], "posts": posts, "people": people}).to_string()
}

#[test]
fn the_same_seed_and_work_give_the_same_plan_to_the_byte() {
    let folder = Folder::new("plans-repeat");
    let files = [
        ("routes", "solomon", folder.write("spiral.txt", &solomon(40)), "30"),
        ("routes", "couriers", folder.write("evening.json", &evening().to_string()), "10"),
        ("production", "jobshop", folder.write("shop.txt", &shop(8, 6)), "6"),
        ("roster", "relay", folder.write("desk.json", &desk()), "20000"),
    ];
    for (what, format, file, work) in files {
        let out = |name: &str| folder.0.join(name);
        for name in ["one", "two"] {
            let path = out(name);
            said(&plan(what, &file, &["--format", format, "--work", work, "--seed", "7", "--json", "--out", &path.display().to_string()]));
        }
        let (one, two) = (std::fs::read(out("one")).expect("a plan"), std::fs::read(out("two")).expect("a plan"));
        assert!(!one.is_empty() && one == two, "{what} {format}");
    }
}

#[cfg(unix)]
#[test]
fn ctrl_c_keeps_the_best_plan() {
    let folder = Folder::new("plans-stopped");
    let (file, out) = (folder.write("spiral.txt", &solomon(100)), folder.0.join("plan.json"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_baton"));
    command.args(["plan", "routes"]).arg(&file).args(["--format", "solomon", "--seconds", "300", "--json", "--out"]).arg(&out);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("baton runs");
    // The first better plan is told: the search is on, and listens.
    let mut first = [0];
    std::io::Read::read_exact(child.stderr.as_mut().expect("piped"), &mut first).expect("progress");
    #[allow(clippy::disallowed_methods)] // how long people wait for it is wall time
    let interrupted = Instant::now();
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill").success());
    let output = child.wait_with_output().expect("ends");
    assert!(interrupted.elapsed() < Duration::from_secs(60), "long before its budget");
    assert_eq!(said(&output)["violations"], json!([]));
    let written: Value = serde_json::from_slice(&std::fs::read(&out).expect("a plan")).expect("JSON");
    let served: usize = written["routes"].as_array().expect("routes").iter().map(|route| route.as_array().expect("a route").len()).sum();
    assert_eq!(served, 100);
}

#[test]
fn a_wrong_file_is_named_with_its_line() {
    let folder = Folder::new("plans-wrong");
    let (words, bytes) = (folder.write("words.txt", "hello\nworld\n"), folder.0.join("bytes"));
    std::fs::write(&bytes, b"fine\nstill\n\xff\xfe").expect("written");
    for (what, format) in [
        ("routes", "solomon"),
        ("routes", "couriers"),
        ("routes", "shuttles"),
        ("production", "jobshop"),
        ("production", "factory"),
        ("roster", "relay"),
        ("beds", ""),
        ("points", ""),
    ] {
        let format: &[&str] = if format.is_empty() { &[] } else { &["--format", format] };
        let output = plan(what, &words, format);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(1) && error.contains("words.txt") && error.contains("line 1"), "{what}: {error}");
        let error = String::from_utf8_lossy(&plan(what, &bytes, format).stderr).into_owned();
        assert!(error.contains("line 3: is no UTF-8 text"), "{what}: {error}");
    }
}

#[test]
fn an_evening_is_planned_again_and_keeps_what_has_begun() {
    let folder = Folder::new("plans-again");
    let mut problem = evening();
    let (file, first, again) = (folder.write("evening.json", &problem.to_string()), folder.0.join("first.json"), folder.0.join("again.json"));
    let first_words = first.display().to_string();
    said(&plan("routes", &file, &["--format", "couriers", "--work", "10", "--json", "--out", &first_words]));
    let more = json!({"id": "late", "place": 3, "tubes": 10, "swabbed": 100, "ready": 150, "load_minutes": 3});
    problem["boxes"].as_array_mut().expect("a list").push(more);
    let file = folder.write("evening.json", &problem.to_string());
    let words = ["--format", "couriers", "--work", "10", "--published", &first_words, "--now", "120", "--json", "--out", &again.display().to_string()];
    let figures = said(&plan("routes", &file, &words));
    assert_eq!((&figures["violations"], &figures["broken"]), (&json!([]), &json!(0)), "{figures}");
    assert!(figures["trips_begun"].as_u64() > Some(0), "{figures}");
}

#[test]
fn a_roster_is_written_as_a_sheet_and_read_back_with_its_breaches() {
    let folder = Folder::new("plans-sheet");
    let (file, sheet, review) = (folder.write("desk.json", &desk()), folder.0.join("roster.xlsx"), folder.0.join("review.json"));
    let (sheet_words, review_words) = (sheet.display().to_string(), review.display().to_string());
    let planned = said(&plan("roster", &file, &["--format", "relay", "--work", "100000", "--json", "--out", &sheet_words]));
    let check = |roster: &str| {
        let words = ["--format", "relay", "--check", roster, "--rules", "hse-good-practice", "--monday", "2022-04-04", "--json", "--out", &review_words];
        said(&plan("roster", &file, &words))
    };
    let read = check(&sheet_words);
    assert_eq!((&read["duties"], &read["broken"]), (&planned["duties"], &json!(0)), "{read}");
    let nights = (0..7).map(|day| format!("{day},night,front,P0\n")).collect::<String>();
    let overworked = folder.write("nights.csv", &format!("day,shift,post,person\n{nights}"));
    let read = check(&overworked.display().to_string());
    assert!(read["broken"].as_u64() > Some(0) && read["hard"].as_u64() > Some(0), "{read}");
    let wrong = folder.write("wrong.csv", "day,shift,post,person\n0,night,front,P0\nx,night,front,P0\n");
    let output = plan("roster", &file, &["--format", "relay", "--check", &wrong.display().to_string()]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("row 3, day: `x` is not a whole number"), "{output:?}");
    // Somebody falls ill: the rest of the published roster stays.
    let away =
        ["--format", "relay", "--work", "100000", "--published", &sheet_words, "--away", "P0:4-6", "--begun-days", "3", "--json", "--out", &review_words];
    let again = said(&plan("roster", &file, &away));
    assert!(again["added"].as_u64() <= Some(3) && again["removed"].as_u64() <= Some(3), "{again}");
}
