//! The shared data, which lies outside the repository; a test without it says so and passes.
#![allow(clippy::print_stderr, dead_code)]

use std::path::PathBuf;

fn root() -> PathBuf {
    std::env::var_os("BATON_SHARED").map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared")), PathBuf::from).join("data")
}

/// Bytes of a shared file.
pub fn read_shared(path: &str) -> Option<Vec<u8>> {
    if !root().is_dir() {
        eprintln!("skipped: no shared data at {} (set BATON_SHARED)", root().display());
        return None;
    }
    Some(std::fs::read(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}")))
}

/// Paths of the shared files in a folder that end in `ending`, sorted.
pub fn files(folder: &str, ending: &str) -> Vec<String> {
    if !root().is_dir() {
        eprintln!("skipped: no shared data at {} (set BATON_SHARED)", root().display());
        return Vec::new();
    }
    let entries = std::fs::read_dir(root().join(folder)).unwrap_or_else(|error| panic!("{folder}: {error}"));
    let mut paths: Vec<String> =
        entries.map(|entry| format!("{folder}/{}", entry.unwrap().file_name().to_string_lossy())).filter(|path| path.ends_with(ending)).collect();
    paths.sort();
    paths
}

/// Cells of a simple table.
pub fn rows(bytes: &[u8], delimiter: char) -> impl Iterator<Item = Vec<String>> + '_ {
    std::str::from_utf8(bytes).unwrap().lines().map(move |line| line.split(delimiter).map(str::to_owned).collect())
}
