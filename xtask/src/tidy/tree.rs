//! The files of the repository, read once.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::dead;
use super::source::Source;

const ENDINGS: [&str; 7] = ["rs", "js", "sql", "ftl", "toml", "md", "txt"];
const PASSED_BY: [&str; 5] = ["target", "demo-data", "node_modules", "corpus", "artifacts"];

/// All texts by their path from the root, with `/` between folders.
pub struct Tree {
    pub texts: BTreeMap<String, String>,
    /// The Rust sources that parse.
    pub sources: Vec<Source>,
    /// Those that do not, with the line and the reason.
    pub unparsed: Vec<(String, usize, String)>,
}

/// The root of the repository: above this crate.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the repository").to_owned()
}

impl Tree {
    pub fn load(root: &Path) -> anyhow::Result<Self> {
        let mut texts = BTreeMap::new();
        read_folder(root, root, &mut texts)?;
        Ok(Self::of(texts))
    }

    /// A tree from texts; tests make small ones.
    pub fn of(texts: BTreeMap<String, String>) -> Self {
        let mut tree = Self { texts, sources: Vec::new(), unparsed: Vec::new() };
        for (path, text) in tree.texts.iter().filter(|(path, _)| path.ends_with(".rs")) {
            match Source::parse(path, text) {
                Ok(source) => tree.sources.push(source),
                Err((line, reason)) => tree.unparsed.push((path.clone(), line, reason)),
            }
        }
        dead::mark_tests(&mut tree);
        tree
    }

    /// Files whose path passes.
    pub fn files<'t>(&'t self, passes: impl Fn(&str) -> bool + 't) -> impl Iterator<Item = (&'t str, &'t str)> {
        self.texts.iter().map(|(path, text)| (path.as_str(), text.as_str())).filter(move |(path, _)| passes(path))
    }

    /// The sources of the product itself: not this crate, whose rules name what they ban.
    pub fn product(&self) -> impl Iterator<Item = &Source> {
        self.sources.iter().filter(|source| !source.path.starts_with("xtask/"))
    }
}

fn read_folder(root: &Path, folder: &Path, texts: &mut BTreeMap<String, String>) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with('.') || PASSED_BY.contains(&name.as_ref()) {
            continue;
        }
        if path.is_dir() {
            read_folder(root, &path, texts)?;
        } else if path.extension().is_some_and(|ending| ENDINGS.iter().any(|known| ending == *known)) {
            let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
            texts.insert(path.strip_prefix(root)?.to_string_lossy().replace('\\', "/"), text);
        }
    }
    Ok(())
}

/// The dependencies a manifest declares, with their lines.
pub fn manifest_lines(text: &str) -> Vec<(usize, &str)> {
    let mut inside = false;
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if line.starts_with('[') {
            inside = line.contains("dependencies");
        } else if let Some(name) = line.split(['.', '=', ' ']).next().filter(|name| inside && !name.is_empty() && !name.starts_with('#')) {
            found.push((number + 1, name));
        }
    }
    found
}

/// The line, from 1, on which a byte of a text stands.
pub fn line_of(text: &str, byte: usize) -> usize {
    text[..byte.min(text.len())].matches('\n').count() + 1
}

/// A tree from `(path, text)` pairs.
#[cfg(test)]
pub fn small(files: &[(&str, &str)]) -> Tree {
    Tree::of(files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect())
}
