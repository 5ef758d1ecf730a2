//! Every dependency is told in docs/decisions/dependencies.md, and used where it is declared.

use super::Finding;
use super::dead::normal;
use super::source::Source;
use super::tree::{Tree, manifest_lines};

const TOLD: &str = "docs/decisions/dependencies.md";

pub fn check(tree: &Tree) -> Vec<Finding> {
    let told = tree.texts.get(TOLD).map_or("", String::as_str);
    let mut findings = Vec::new();
    for (line, name) in tree.texts.get("Cargo.toml").map_or(Vec::new(), |text| manifest_lines(text)) {
        if !name.starts_with("baton-") && !told.contains(&format!("`{name}`")) {
            findings.push(Finding::new("Cargo.toml", line, format!("{name} is not told in {TOLD}: its job, and why this one")));
        }
        let declares = |text: &str| manifest_lines(text).iter().any(|(_, own)| *own == name);
        if !tree.files(|path| path.ends_with("/Cargo.toml")).any(|(_, text)| declares(text)) {
            findings.push(Finding::new("Cargo.toml", line, format!("{name} is declared by no crate: remove it")));
        }
    }
    for (path, text) in tree.files(|path| path.ends_with("/Cargo.toml")) {
        let sources = sources_of(tree, path.trim_end_matches("Cargo.toml"));
        for (line, name) in manifest_lines(text) {
            let word = name.replace('-', "_");
            if !sources.iter().any(|source| source.tokens.iter().any(|token| token.is_word(&word))) {
                findings.push(Finding::new(path, line, format!("{name} is used by no source of this crate: remove it")));
            }
        }
    }
    findings
}

/// The sources in a crate's folder, and those it takes from elsewhere by `#[path]`, with all beside them.
fn sources_of<'t>(tree: &'t Tree, folder: &str) -> Vec<&'t Source> {
    let own = || tree.sources.iter().filter(|source| source.path.starts_with(folder));
    let beside = |path: &str| path.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
    let stated =
        own().flat_map(|source| source.modules.iter().filter_map(move |module| Some(format!("{}/{}", beside(&source.path), module.stated_path.as_ref()?))));
    let taken: Vec<String> = stated.map(|path| beside(&normal(&path))).collect();
    tree.sources.iter().filter(|source| source.path.starts_with(folder) || taken.iter().any(|taken| source.path.starts_with(&format!("{taken}/")))).collect()
}

#[cfg(test)]
mod tests {
    use super::super::tree::small;
    use super::*;

    #[test]
    fn what_is_not_told_or_not_used_is_found() {
        let root = "[workspace.dependencies]\nbaton-a = { path = \"a\" }\nserde = \"1\"\nhmac = \"1\"\nzip = \"1\"\n";
        let tree = small(&[
            ("Cargo.toml", root),
            (TOLD, "| `serde`, `zip` | x |\n"),
            ("a/Cargo.toml", "[dependencies]\nserde.workspace = true\nhmac.workspace = true\n"),
            ("a/src/lib.rs", "use serde::Serialize; // hmac"),
            ("b/Cargo.toml", "[dev-dependencies]\nbaton-a.workspace = true\n"),
            ("b/tests/all.rs", "use baton_a::x;"),
            ("c/Cargo.toml", "[dependencies]\nserde = \"1\"\n"),
            ("c/src/lib.rs", "#[path = \"../../a/src/lib.rs\"] mod taken;"),
        ]);
        let found: Vec<String> = check(&tree).iter().map(ToString::to_string).collect();
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(found[0].starts_with("Cargo.toml:4: hmac is not told"), "{found:?}");
        assert!(found[1].starts_with("Cargo.toml:5: zip is declared by no crate"), "{found:?}");
        assert!(found[2].starts_with("a/Cargo.toml:3: hmac is used by no source"), "{found:?}");
    }
}
