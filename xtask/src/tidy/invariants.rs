//! Every room has a README that names its invariants, and a name there stands for something in the code.

use std::collections::BTreeSet;

use super::Finding;
use super::source::{Kind, Source};
use super::tree::{Tree, line_of};

pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let rooms: BTreeSet<&str> = tree.texts.keys().filter_map(|path| path.strip_prefix("rooms/")?.split_once("/src/").map(|(room, _)| room)).collect();
    for room in rooms {
        let path = format!("rooms/{room}/README.md");
        let Some(readme) = tree.texts.get(&path) else {
            findings.push(Finding::new(&path, 1, "is missing: the nouns, the states, the invariants by name"));
            continue;
        };
        let told = names(readme);
        if told.is_empty() {
            findings.push(Finding::new(&path, 1, "names no invariant: write `XX-1: …` for what always holds"));
        }
        let folder = format!("rooms/{room}/");
        let sources: Vec<&Source> = tree.product().filter(|source| source.path.starts_with(&folder)).collect();
        for (source, line, name) in sources.iter().flat_map(|source| declared(source)) {
            if !told.iter().any(|(_, told)| *told == name) {
                findings.push(Finding::new(&source.path, line, format!("declares the invariant {name}, which {path} does not tell")));
            }
        }
        for (at, name) in told {
            if !tree.product().any(|source| names(&tree.texts[&source.path]).iter().any(|(_, own)| *own == name)) {
                findings.push(Finding::new(
                    &path,
                    line_of(readme, at),
                    format!("tells {name}, which no source names: check it (Invariant::new) or name it in a test"),
                ));
            }
        }
    }
    findings
}

/// Names such as `CU-1`, with their place; in sources also as statics: `CU_1`.
fn names(text: &str) -> Vec<(usize, String)> {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let mut names: Vec<(usize, String)> = Vec::new();
    let mut at = 0;
    for piece in text.split(|c| !word(c)) {
        let name = piece.trim_end_matches(['-', '_']).replace('_', "-");
        let is_name = name.split_once('-').is_some_and(|(letters, number)| {
            letters.len() == 2 && letters.chars().all(|c| c.is_ascii_uppercase()) && !number.is_empty() && number.chars().all(|c| c.is_ascii_digit())
        });
        if is_name && !names.iter().any(|(_, known)| *known == name) {
            names.push((at, name));
        }
        at += piece.len() + text[at + piece.len()..].chars().next().map_or(0, char::len_utf8);
    }
    names
}

/// `Invariant::new("CU-1"` outside tests.
fn declared<'s>(source: &&'s Source) -> Vec<(&'s Source, usize, String)> {
    let tokens = source.product_tokens();
    let is = |window: &[&super::source::Token]| window[0].is_word("Invariant") && window[3].is_word("new") && window[4].kind == Kind::Open('(');
    let found = tokens.windows(6).filter(|window| is(window));
    found.filter_map(|window| Some((*source, window[5].line, window[5].text()?.to_owned()))).collect()
}

#[cfg(test)]
mod tests {
    use super::super::tree::small;
    use super::*;

    fn found(readme: Option<&str>, source: &str) -> Vec<String> {
        let mut files = vec![("rooms/a/src/lib.rs", source)];
        files.extend(readme.map(|text| ("rooms/a/README.md", text)));
        check(&small(&files)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn names_in_the_readme_and_in_the_code_are_the_same() {
        let source = "static CU_1: Invariant = Invariant::new(\"CU-1\", \"one holder\");\n/// Holds CU-2.\nfn a() {}";
        assert_eq!(found(Some("盒 `CU-1: one holder`\n- `CU-2: …` (ISO 15189, UTF-8, CU-1)\n"), source), Vec::<String>::new());
        assert!(found(None, source)[0].starts_with("rooms/a/README.md:1: is missing"));
        assert!(found(Some("nothing"), "")[0].contains("names no invariant"));
        let one_sided = found(Some("`CU-2: a`\n`CU-9: b`\n"), source);
        assert_eq!(one_sided.len(), 2, "{one_sided:?}");
        assert!(one_sided[0].starts_with("rooms/a/src/lib.rs:1: declares the invariant CU-1"), "{one_sided:?}");
        assert!(one_sided[1].starts_with("rooms/a/README.md:2: tells CU-9"), "{one_sided:?}");
    }
}
