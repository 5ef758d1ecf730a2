//! The commands of `docs/operate/scale-out.md`, run word for word against the test server.

use std::path::Path;
use std::process::Command;

use baton_ground::Plot;

const GUIDE: &str = include_str!("../../../docs/operate/scale-out.md");

fn blocks() -> Vec<&'static str> {
    GUIDE.split("```sh run\n").skip(1).filter_map(|rest| rest.split_once("```").map(|(block, _)| block)).collect()
}

/// Runs a block as an operator would, with its folders moved below `root`.
fn run(block: &str, root: &Path, database: &str) -> String {
    let here = root.display();
    let script = block.replace("/srv/", &format!("{here}/srv/")).replace("/mnt/", &format!("{here}/mnt/"));
    let beside = Path::new(env!("CARGO_BIN_EXE_baton")).parent().expect("a folder").display().to_string();
    let path = format!("{beside}:{}", std::env::var("PATH").unwrap_or_default());
    let mut shell = Command::new("bash");
    shell.args(["-euc", &script]).env("PATH", path).env_remove("BATON_DATA").env_remove("BATON_DATABASE");
    if !database.is_empty() {
        shell.env("BATON_DATABASE", database);
    }
    let done = shell.output().expect("bash");
    assert!(done.status.success(), "{script}\n{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    String::from_utf8_lossy(&done.stdout).into_owned()
}

fn head(said: &str) -> String {
    let words: Vec<&str> = said.split_whitespace().collect();
    let at = words.iter().position(|word| *word == "head").unwrap_or_else(|| panic!("no head in {said}"));
    words[at + 1].to_owned()
}

#[test]
fn an_installation_moves_to_postgresql_and_a_second_server_joins() {
    let blocks = blocks();
    assert_eq!(blocks.len(), 3, "the guide's commands");
    let Some(plot) = Plot::postgres("an_installation_moves_to_postgresql_and_a_second_server_joins") else { return };
    let database = plot.database.clone().expect("a database");
    let root = &plot.folder;
    ["srv", "mnt/backup", "mnt/safe"].iter().for_each(|folder| std::fs::create_dir_all(root.join(folder)).expect("a folder"));
    run(
        "baton init --data /srv/baton --name Harbour\nBATON_PASSWORD=a-long-password baton user add --data /srv/baton --login wang --name Wang --role auditor --scope everywhere",
        root,
        "",
    );
    let copied = head(&run(blocks[0], root, ""));
    let moved = run(blocks[1], root, &database);
    assert_eq!(head(&moved), copied, "{moved}");
    run(blocks[2], root, &database);
    let listed = run("baton user list --data /srv/baton-2", root, &database);
    assert!(listed.contains("wang"), "the second server reads the keys and the database: {listed}");
}
