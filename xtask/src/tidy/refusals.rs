//! Every code of a refusal has its words in three languages and is met in a test.

use std::collections::BTreeSet;

use super::Finding;
use super::source::{Kind, Source, Token};
use super::texts::{LANGUAGES, messages};
use super::tree::Tree;

/// How a refusal is made.
const MAKERS: [&str; 6] = ["new", "ruled", "conflict", "absent", "malformed", "forbidden"];

pub fn check(tree: &Tree) -> Vec<Finding> {
    let words = LANGUAGES.map(|language| (language, messages(tree, language).0));
    let tested: BTreeSet<&str> = tree.product().flat_map(Source::texts_in_tests).collect();
    let journeys: String = tree.files(|path| path.starts_with("tests/")).map(|(_, text)| text).collect();
    let is_tested = |code: &str| tested.iter().any(|text| contains_code(text, code)) || contains_code(&journeys, code);
    let mut findings = Vec::new();
    let mut seen = BTreeSet::new();
    for (source, line, code) in tree.product().flat_map(|source| refused(source).into_iter().map(move |(line, code)| (source, line, code))) {
        if !seen.insert(code.clone()) {
            continue; // said where it first stands
        }
        let key = format!("refusal-{code}");
        let silent: Vec<&str> = words.iter().filter(|(_, words)| !words.contains_key(&key)).map(|(language, _)| *language).collect();
        if !silent.is_empty() {
            findings.push(Finding::new(
                &source.path,
                line,
                format!("refuses with {code}, but {key} is not in locales/{}: say it in three languages", silent.join(", ")),
            ));
        }
        if !is_tested(&code) {
            findings.push(Finding::new(&source.path, line, format!("refuses with {code}, which no test meets: write one that names the code")));
        }
    }
    findings
}

/// The code as a word of its own: `box-full` is not in `box-fuller`.
fn contains_code(text: &str, code: &str) -> bool {
    let joins = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    text.match_indices(code).any(|(at, _)| !text[..at].ends_with(joins) && !text[at + code.len()..].starts_with(joins))
}

/// `Refusal::ruled("code"` outside tests: the line and the code.
fn refused(source: &Source) -> Vec<(usize, String)> {
    let tokens = source.product_tokens();
    tokens.windows(6).filter_map(|window| Some((window[5].line, made(window)?.to_owned()))).collect()
}

fn made<'t>(window: &[&'t Token]) -> Option<&'t str> {
    let [kind, first, second, maker, open, code] = window else { return None };
    let makes =
        kind.is_word("Refusal") && first.is_mark(':') && second.is_mark(':') && MAKERS.iter().any(|name| maker.is_word(name)) && open.kind == Kind::Open('(');
    if makes { code.text() } else { None }
}

#[cfg(test)]
mod tests {
    use super::super::tree::small;
    use super::*;

    const RULES: &str = "fn a() { Err(Refusal::ruled(\"box-full\").with(\"n\", 1)) }\n#[cfg(test)]\nmod tests { fn b() { Refusal::ruled(\"only-here\"); } }\n";

    fn found(files: &[(&str, &str)]) -> Vec<String> {
        let all: Vec<(&str, &str)> = [("rooms/a/src/rules.rs", RULES)].into_iter().chain(files.iter().copied()).collect();
        check(&small(&all)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_code_without_words_or_test_is_found() {
        let found = found(&[("locales/en/a.ftl", "refusal-box-full = Full\n"), ("rooms/a/tests/all.rs", "const A: &str = \"box-fuller\";")]);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].starts_with("rooms/a/src/rules.rs:1: refuses with box-full, but refusal-box-full is not in locales/zh-Hans, zh-Hant"), "{found:?}");
        assert!(found[1].contains("no test meets"), "{found:?}");
    }

    #[test]
    fn a_code_with_both_passes() {
        let words = "refusal-box-full = Full\n";
        let texts = [("locales/en/a.ftl", words), ("locales/zh-Hans/a.ftl", words), ("locales/zh-Hant/a.ftl", words)];
        for test in [("rooms/a/tests/all.rs", "const A: &str = \"box-full\";"), ("tests/journeys/a.txt", "> refused: box-full\n")] {
            let files: Vec<(&str, &str)> = texts.into_iter().chain([test]).collect();
            assert_eq!(found(&files), Vec::<String>::new());
        }
    }
}
