//! Every `.rs` file is reached by a `mod` from a root of its crate.

use std::collections::BTreeMap;

use super::Finding;
use super::source::Module;
use super::tree::Tree;

pub fn check(tree: &Tree) -> Vec<Finding> {
    let reached = reached(tree);
    let dead = tree.sources.iter().filter(|source| !reached.contains_key(&source.path));
    dead.map(|source| Finding::new(&source.path, 1, "is reached by no mod: name it in its parent, or remove it")).collect()
}

/// Files that only test builds reach are test code.
pub fn mark_tests(tree: &mut Tree) {
    let reached = reached(tree);
    for source in &mut tree.sources {
        source.test_only |= reached.get(&source.path).is_some_and(|only_tests| *only_tests);
    }
}

/// Every reached file, and whether only tests reach it.
fn reached(tree: &Tree) -> BTreeMap<String, bool> {
    let mut reached = BTreeMap::new();
    for source in tree.sources.iter().filter(|source| is_root(tree, &source.path)) {
        follow(tree, &source.path, false, &mut reached);
    }
    reached
}

/// The files cargo starts from: `src/lib.rs`, `src/main.rs`, `src/bin/*`, `build.rs`, and one or `main.rs` of a folder in tests, examples, benches; fuzz targets.
fn is_root(tree: &Tree, path: &str) -> bool {
    let is_crate = |folder: &str| tree.texts.contains_key(&format!("{folder}/Cargo.toml"));
    let parts: Vec<&str> = path.split('/').collect();
    (1..parts.len()).any(|at| {
        is_crate(&parts[..at].join("/"))
            && matches!(
                &parts[at..],
                ["build.rs"]
                    | ["src", "lib.rs" | "main.rs"]
                    | ["src", "bin", _]
                    | ["src", "bin", _, "main.rs"]
                    | ["tests" | "examples" | "benches" | "fuzz_targets", _]
                    | ["tests" | "examples" | "benches", _, "main.rs"]
            )
    })
}

fn follow(tree: &Tree, path: &str, only_tests: bool, reached: &mut BTreeMap<String, bool>) {
    if reached.get(path).is_some_and(|known| !known || only_tests) {
        return;
    }
    let Some(source) = tree.sources.iter().find(|source| source.path == path) else { return };
    reached.insert(path.to_owned(), only_tests);
    let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
    let owns_folder = file == "mod.rs" || is_root(tree, path);
    let inside = if owns_folder { folder.to_owned() } else { path.trim_end_matches(".rs").to_owned() };
    follow_modules(tree, &source.modules, folder, &inside, only_tests, reached);
}

fn follow_modules(tree: &Tree, modules: &[Module], folder: &str, inside: &str, only_tests: bool, reached: &mut BTreeMap<String, bool>) {
    for module in modules {
        let (name, only_tests) = (&module.name, only_tests || module.only_tests);
        if let Some(inline) = &module.inline {
            follow_modules(tree, inline, folder, &format!("{inside}/{name}"), only_tests, reached);
            continue;
        }
        let candidates = match &module.stated_path {
            Some(path) => vec![format!("{folder}/{path}")],
            None => vec![format!("{inside}/{name}.rs"), format!("{inside}/{name}/mod.rs")],
        };
        for candidate in candidates {
            follow(tree, &normal(&candidate), only_tests, reached);
        }
    }
}

/// Without `..`.
pub fn normal(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            ".." => _ = parts.pop(),
            "." | "" => {}
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::super::tree::small;
    use super::*;

    #[test]
    fn a_file_that_nobody_names_is_dead() {
        let tree = small(&[
            ("a/Cargo.toml", ""),
            ("a/build.rs", ""),
            ("a/src/lib.rs", "mod one; #[cfg(test)] mod testing; mod inline { mod deep; } #[path = \"odd/place.rs\"] mod odd;"),
            ("a/src/one.rs", "mod two;"),
            ("a/src/one/two.rs", ""),
            ("a/src/testing/mod.rs", "mod helper;"),
            ("a/src/testing/helper.rs", "const A: &str = \"in a test\";"),
            ("a/src/inline/deep.rs", ""),
            ("a/src/odd/place.rs", ""),
            ("a/tests/suite/main.rs", "mod house;"),
            ("a/tests/suite/house.rs", ""),
            ("a/src/two.rs", ""),
            ("a/src/one/three.rs", "// mod three;"),
            ("a/tests/suite/unnamed.rs", ""),
        ]);
        let dead: Vec<String> = check(&tree).into_iter().map(|finding| finding.file).collect();
        assert_eq!(dead, vec!["a/src/one/three.rs", "a/src/two.rs", "a/tests/suite/unnamed.rs"]);
        let helper = tree.sources.iter().find(|source| source.path == "a/src/testing/helper.rs").unwrap();
        assert_eq!(helper.texts_in_tests().collect::<Vec<_>>(), vec!["in a test"]);
    }
}
