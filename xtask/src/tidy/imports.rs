//! Imports run one way: kit <- engines, codecs, patterns <- ledger <- desk <- rooms <- app.

use std::collections::{BTreeMap, BTreeSet};

use super::Finding;
use super::tree::{Tree, manifest_lines};

/// Rooms that may read those before them.
const CHAIN: [&str; 6] = ["registry", "screening", "custody", "laboratory", "exchange", "outlook"];
/// What every room may read.
const READ_BY_ALL: &str = "registry";
/// The only file that names every room.
const ALL_ROOMS: &str = "app/baton/src/rooms.rs";

/// How far from the ground a crate stands; crates of one folder may use each other, as far as cargo lets them.
fn height(folder: &str) -> Option<u8> {
    Some(match folder {
        // Only tests use the latter.
        "base/kit" | "base/hostile" => 0,
        _ if folder.starts_with("engines/") || folder.starts_with("codecs/") || folder.starts_with("patterns/") => 1,
        // Tests of the ledger and of all above stand on it.
        "base/ledger" | "base/ground" => 2,
        "base/desk" => 3,
        _ if folder.starts_with("rooms/") => 4,
        _ if folder.starts_with("app/") => 5,
        "xtask" | "fuzz" => 6,
        _ => return None,
    })
}

pub fn check(tree: &Tree) -> Vec<Finding> {
    let crates: BTreeMap<&str, &str> = manifests(tree).filter_map(|(folder, _, text)| Some((package_name(text)?, folder))).collect();
    let mut findings = Vec::new();
    for (folder, path, text) in manifests(tree) {
        if height(folder).is_none() {
            findings.push(Finding::new(path, 1, "lies in no folder of the house: move it, or give its folder a place in xtask/src/tidy/imports.rs"));
        }
        for (line, dependency) in manifest_lines(text) {
            let Some(used) = crates.get(dependency) else { continue };
            if let Some(problem) = problem(folder, used) {
                findings.push(Finding::new(path, line, format!("{folder} uses {used}: {problem}")));
            }
        }
    }
    findings.extend(names_every_room(tree));
    findings
}

/// Folder, path and text of every crate's manifest.
fn manifests(tree: &Tree) -> impl Iterator<Item = (&str, &str, &str)> {
    tree.files(|path| path.ends_with("/Cargo.toml")).map(|(path, text)| (path.trim_end_matches("/Cargo.toml"), path, text))
}

fn package_name(text: &str) -> Option<&str> {
    text.lines().find_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'))
}

fn problem(from: &str, to: &str) -> Option<String> {
    let (above, below) = (height(from)?, height(to)?);
    if above > below {
        return None;
    }
    if above < below {
        return Some("imports run kit <- engines, codecs, patterns <- ledger <- desk <- rooms <- app; let it come as data or as an event".to_owned());
    }
    let (family, room) = from.split_once('/')?;
    let (other_family, other) = to.split_once('/')?;
    if family != other_family {
        return Some(format!("{family} and {other_family} stand side by side; what both need belongs into base/kit or a room"));
    }
    let place = |name| CHAIN.iter().position(|room| *room == name);
    let forward = place(room).zip(place(other)).is_some_and(|(own, read)| read < own);
    if family != "rooms" || other == READ_BY_ALL || forward {
        return None;
    }
    Some(format!("rooms read one another only along {}; the rest talk by events (follow.rs)", CHAIN.join(" <- ")))
}

fn names_every_room(tree: &Tree) -> Vec<Finding> {
    let rooms: BTreeSet<String> =
        manifests(tree).filter(|(folder, ..)| folder.starts_with("rooms/")).filter_map(|(.., text)| Some(package_name(text)?.replace('-', "_"))).collect();
    if rooms.len() < 2 {
        return Vec::new();
    }
    let names_all = |source: &&super::source::Source| rooms.iter().all(|room| source.tokens.iter().any(|token| token.is_word(room)));
    // The last room of the chain needs all the others to be tested at all.
    let elsewhere = tree.product().filter(|source| source.path != ALL_ROOMS && !source.path.contains("/tests/")).filter(names_all);
    elsewhere.map(|source| Finding::new(&source.path, 1, format!("names every room; only {ALL_ROOMS} may: take the rooms from there"))).collect()
}

#[cfg(test)]
mod tests {
    use super::super::tree::small;
    use super::*;

    fn manifest(name: &str, uses: &[&str]) -> String {
        let uses: String = uses.iter().map(|name| format!("{name}.workspace = true\n")).collect();
        format!("[package]\nname = \"{name}\"\n\n[dependencies]\nserde.workspace = true\n{uses}")
    }

    fn findings(crates: &[(&str, &str, &[&str])]) -> Vec<String> {
        let files: Vec<(String, String)> = crates.iter().map(|(folder, name, uses)| (format!("{folder}/Cargo.toml"), manifest(name, uses))).collect();
        let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        check(&small(&files)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_stands_higher_may_use_what_stands_lower() {
        let house: [(&str, &str, &[&str]); 7] = [
            ("base/kit", "kit", &[]),
            ("codecs/sheets", "sheets", &["kit"]),
            ("codecs/instruments", "instruments", &["sheets"]),
            ("base/desk", "desk", &["kit"]),
            ("rooms/registry", "registry", &["desk", "sheets"]),
            ("rooms/guard", "guard", &["registry"]),
            ("rooms/custody", "custody", &["registry", "desk"]),
        ];
        assert_eq!(findings(&house), Vec::<String>::new());
    }

    #[test]
    fn what_stands_lower_may_not() {
        let found = findings(&[
            ("base/kit", "kit", &["desk"]),
            ("base/desk", "desk", &[]),
            ("engines/pcr", "pcr", &["sheets"]),
            ("codecs/sheets", "sheets", &[]),
            ("lost", "lost", &[]),
        ]);
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(found[0].starts_with("base/kit/Cargo.toml:6: base/kit uses base/desk"), "{found:?}");
        assert!(found[1].contains("side by side"), "{found:?}");
        assert!(found[2].starts_with("lost/Cargo.toml:1"), "{found:?}");
    }

    #[test]
    fn rooms_read_along_the_chain_only() {
        let found = findings(&[
            ("rooms/screening", "screening", &["custody"]),
            ("rooms/custody", "custody", &["screening"]),
            ("rooms/guard", "guard", &["screening"]),
            ("rooms/registry", "registry", &["guard"]),
        ]);
        assert_eq!(found.len(), 3, "{found:?}");
    }

    #[test]
    fn one_file_names_every_room() {
        let files = [
            ("rooms/registry/Cargo.toml", "name = \"baton-registry\"\n"),
            ("rooms/custody/Cargo.toml", "name = \"baton-custody\"\n"),
            ("app/baton/src/rooms.rs", "use baton_registry; use baton_custody;"),
            ("app/baton/src/main.rs", "use baton_registry; /* baton_custody */"),
            ("app/baton/src/other.rs", "use baton_registry::x; fn a() { baton_custody::room() }"),
        ];
        let found = check(&small(&files));
        assert_eq!(found.iter().map(|finding| finding.file.as_str()).collect::<Vec<_>>(), vec!["app/baton/src/other.rs"]);
    }
}
