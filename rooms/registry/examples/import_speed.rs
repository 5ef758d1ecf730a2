//! How long an import takes: `cargo run --release -p baton-registry --example import_speed -- 500000 [FOLDER] [postgres://…]`.
//! Makes a roster of people who do not exist, imports it, imports it again, searches, and takes it back.

#![allow(clippy::print_stdout, clippy::print_stderr, clippy::disallowed_methods)] // a measuring tool

use std::sync::Arc;
use std::time::Instant;

use baton_desk::{Actor, Role, Scope};
use baton_kit::{Device, Language, Site, SystemClock, SystemEntropy};
use baton_ledger::{Ledger, Place, Surroundings};
use baton_registry::rules::document::{credit_check, resident_check};
use baton_registry::{Mode, run_import, store, undo_import};

const SURNAMES: &str = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗高郑梁谢宋唐许邓冯韩曹曾彭萧蔡潘田董袁于余叶蒋杜苏魏程吕丁沈任姚卢傅钟姜崔谭廖范汪陆金石戴贾韦夏邱方侯邹熊孟秦白江阎薛尹段雷黎史龙陶贺顾毛郝龚邵万钱严";
const GIVEN: &str = "伟芳娜秀英敏静丽强磊军洋勇艳杰娟涛明超霞平刚桂文华建国志玉红梅春兰婷雪晨宇轩浩然子涵欣怡梓萱俊博思远嘉诚美玲晓东海燕丹萍鑫鹏飞龙凤云天佳琪雨桐诗瑶梦洁宁波峰斌辉健康乐成林森雯颖慧倩薇蕾";

fn roster(people: usize) -> Vec<u8> {
    let (surnames, given): (Vec<char>, Vec<char>) = (SURNAMES.chars().collect(), GIVEN.chars().collect());
    let mut text = String::from("姓名,证件类型,证件号码,手机号,地址,园区编码,网格编码,楼栋编码,户号,单位统一社会信用代码,单位名称,标签\r\n");
    let mut state = 1_u64;
    let mut draw = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 33) as usize) % below
    };
    for n in 0..people {
        // Few names are common and most are rare, as in life.
        let skewed = |draw: &mut dyn FnMut(usize) -> usize, below: usize| {
            let (a, b) = (draw(below), draw(below));
            a * b / below
        };
        let mut name = String::from(surnames[skewed(&mut draw, surnames.len())]);
        name.push(given[skewed(&mut draw, given.len())]);
        if draw(100) < 78 {
            name.push(given[skewed(&mut draw, given.len())]);
        }
        let mut id = format!("3199{:02}19{:02}{:02}{:02}{:03}", n / 500_000 + 1, 40 + n / 336_000 % 50, n / 28_000 % 12 + 1, n / 1000 % 28 + 1, n % 1000);
        id.push(char::from(resident_check(id.as_bytes())));
        let (zone, enterprise) = (n / 11_112 + 1, n / 13);
        let mut code = format!("9131990000{enterprise:07}");
        code.push(credit_check(&code).unwrap_or('0'));
        let building = n / 110 % 101;
        text.push_str(&format!(
            "{name},居民身份证,{id},194{n:08},江月路{}弄{building}号{}室,Z{zone:02},G{:02},B{building:03},H{:06},{code},江月{enterprise}号电子有限公司,职工\r\n",
            zone * 100, n % 110, building / 4, n / 3
        ));
    }
    text.into_bytes()
}

/// Seconds of processor time this process has used, where the system tells (100 ticks a second on Linux).
fn processor_s() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or("").split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|ticks| ticks.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / 100.0
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let people: usize = arguments.next().and_then(|n| n.parse().ok()).unwrap_or(20_000);
    let folder = arguments.next().unwrap_or_else(|| format!("{}/import-speed-{}", std::env::temp_dir().display(), std::process::id()));
    let place = Place::new(&folder, arguments.next());
    place.create(&SystemEntropy).expect("a new folder");
    let folds = vec![baton_registry::room().fold];
    let around = Surroundings { clock: Arc::new(SystemClock), entropy: Arc::new(SystemEntropy), folds, server: Device::new(1).expect("fits") };
    let ledger = Ledger::open(place, around, |_, _| {}).expect("opens");
    let actor = Actor { roles: vec![Role::Administrator], scope: Scope::Everywhere, ..Actor::anonymous(Language::English) };
    let bytes = roster(people);
    println!("{people} people, {} MB of CSV", bytes.len() >> 20);
    let import = |mode| {
        let (start, used) = (Instant::now(), processor_s());
        let report = run_import(&ledger, &Site::shanghai(), &actor, &bytes, "roster.csv", None, mode, |done, all| {
            if done % 40_000 == 0 {
                eprintln!("  {done} of {all} after {:.1} s", start.elapsed().as_secs_f64());
            }
        });
        println!("{mode:?}: {:.1} s, {:.1} s of processor", start.elapsed().as_secs_f64(), processor_s() - used);
        report
    };
    println!("{:?}", import(Mode::DryRun).expect("a dry run").counts);
    let report = import(Mode::Commit).expect("an import");
    println!("{:?}, {} places, {} problems", report.counts, report.places.len() as u64 + report.places_more, report.problems.len());
    println!("again: {:?}", import(Mode::Commit).map(|report| report.counts));
    for text in ["张伟", "伟", "王", "陈晓东", "zhangwei", "zxd", "19400000077", "319901194001010017"] {
        let start = Instant::now();
        let found = ledger.read(|tx| Ok(store::search(tx, ledger.vault(), text, 20)?)).expect("a search").len();
        println!("search {text}: {found} in {:.1} ms", start.elapsed().as_secs_f64() * 1e3);
    }
    let start = Instant::now();
    let violations = ledger.read(|tx| Ok(store::check_invariants(tx)?)).expect("checked");
    println!("{} violations, checked in {:.1} s", violations.len(), start.elapsed().as_secs_f64());
    let start = Instant::now();
    let undone = undo_import(&ledger, &actor, report.import.expect("committed"), |_, _| {}).expect("taken back");
    println!("undone: {undone} in {:.1} s", start.elapsed().as_secs_f64());
    drop(ledger);
    let size = |name: &str| std::fs::metadata(format!("{folder}/{name}")).map_or(0, |file| file.len() >> 20);
    println!("ledger {} MB, projections {} MB, keys {} MB", size("ledger.db"), size("projections.db"), size("keys.db"));
    _ = std::fs::remove_dir_all(folder);
}
