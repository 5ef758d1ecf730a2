//! Pictures of every page in `docs/screens`, made from the real pages after a day of a small city.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};

/// Makes all pictures anew, and the page that shows them.
pub fn run() -> anyhow::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("the root")?;
    let folder = root.join("docs/screens");
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    std::fs::create_dir_all(&folder)?;
    let tests = Command::new("cargo")
        .args(["test", "-p", "baton", "--bin", "baton", "--", "testing::screens", "testing::pools"])
        .env("BATON_SCREENS", &folder)
        .status()?;
    ensure!(tests.success(), "a page has a fault, see above");
    let index = index(&folder)?;
    std::fs::write(folder.join("README.md"), index)?;
    Ok(())
}

/// Every page with its two pictures.
fn index(folder: &Path) -> anyhow::Result<String> {
    let mut names = BTreeSet::new();
    for entry in std::fs::read_dir(folder)? {
        let file = entry?.file_name().to_string_lossy().into_owned();
        names.extend(file.strip_suffix("--390.webp").map(str::to_owned));
    }
    ensure!(!names.is_empty(), "no pictures were made: is a browser installed?");
    let mut text = "# Every page, on a phone and on a desk\n\nMade by `cargo xtask screens` from a played day of a city of 300; nobody in it exists. What each page weighs: [weights.md](weights.md).\n".to_owned();
    for name in names {
        text.push_str(&format!("\n## {name}\n\n<img src=\"{name}--390.webp\" width=\"195\" alt=\"{name}, phone\"> <img src=\"{name}--1440.webp\" width=\"560\" alt=\"{name}, desk\">\n"));
    }
    Ok(text)
}
