//! Every text exists in three languages with the same values in it, every key that is asked for exists, and none is there for nobody.

use std::collections::{BTreeMap, BTreeSet};

use super::Finding;
use super::source::{Kind, Source, Token};
use super::tree::Tree;

pub const LANGUAGES: [&str; 3] = ["en", "zh-Hans", "zh-Hant"];

/// Calls whose first argument is a key: `page.t("box-title")`.
const CALLS: [&str; 2] = ["t", "words"];
/// Calls whose first argument is a key when a list of values follows: `page.with("box-title", &[…])`.
const CALLS_WITH_VALUES: [&str; 2] = ["with", "find"];
/// Fields that hold a key: `words: "nav-boxes"`.
const FIELDS: [&str; 1] = ["words"];
/// Constructors whose first argument is a code, with what stands before it in its key.
const CODED: [(&str, &str, &str); 1] = [("Note", "new", "note-")];

/// One message of a Fluent file.
pub struct Message {
    pub file: String,
    pub line: usize,
    pub values: BTreeSet<String>,
}

/// All messages of one language by key, and what is said twice.
pub fn messages(tree: &Tree, language: &str) -> (BTreeMap<String, Message>, Vec<Finding>) {
    let folder = format!("locales/{language}/");
    let mut messages = BTreeMap::new();
    let mut findings = Vec::new();
    for (path, text) in tree.files(move |path| path.starts_with(&folder) && path.ends_with(".ftl")) {
        for (key, message) in read(path, text) {
            if let Some(first) = messages.insert(key.clone(), message) {
                findings.push(Finding::new(path, 1, format!("says {key} a second time, after {}:{}: remove one", first.file, first.line)));
            }
        }
    }
    (messages, findings)
}

fn read(path: &str, text: &str) -> Vec<(String, Message)> {
    let mut messages: Vec<(String, Message)> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let key = line.split_once('=').map(|(key, _)| key.trim_end());
        if let Some(key) =
            key.filter(|key| key.starts_with(|c: char| c.is_ascii_lowercase()) && key.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c)))
        {
            messages.push((key.to_owned(), Message { file: path.to_owned(), line: number + 1, values: BTreeSet::new() }));
        }
        if let Some((_, message)) = messages.last_mut().filter(|_| !line.starts_with('#')) {
            message.values.extend(values(line));
        }
    }
    messages
}

/// The names after `$`.
fn values(line: &str) -> impl Iterator<Item = String> + '_ {
    let name = |rest: &str| rest.chars().take_while(|c| c.is_ascii_alphanumeric() || "-_".contains(*c)).collect::<String>();
    line.split('$').skip(1).map(name).filter(|name| !name.is_empty())
}

pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let languages = LANGUAGES.map(|language| {
        let (messages, twice) = messages(tree, language);
        findings.extend(twice);
        messages
    });
    findings.extend(unequal(&languages));
    let known = &languages[0];
    let asked: Vec<(Finding, String)> = tree.product().flat_map(asked).collect();
    for (mut place, key) in asked {
        if !known.contains_key(&key) {
            place.problem = format!("asks for the text {key}, which locales/{}/ does not have: write it in three languages", LANGUAGES[0]);
            findings.push(place);
        }
    }
    findings.extend(for_nobody(tree, known));
    findings.extend(LANGUAGES.iter().filter(|language| language.starts_with("zh")).flat_map(|language| narrow_punctuation(tree, language)));
    findings
}

/// Chinese texts are set with full-width punctuation.
fn narrow_punctuation(tree: &Tree, language: &str) -> Vec<Finding> {
    let is_chinese = |c: char| ('\u{4e00}'..='\u{9fff}').contains(&c);
    let folder = format!("locales/{language}/");
    let mut findings = Vec::new();
    for (path, text) in tree.files(move |path| path.starts_with(&folder) && path.ends_with(".ftl")) {
        for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.starts_with('#')) {
            let letters: Vec<char> = line.chars().collect();
            let narrow = letters.windows(2).find(|pair| is_chinese(pair[0]) && ",;:?!()".contains(pair[1]) || pair[0] == '(' && is_chinese(pair[1]));
            if let Some(pair) = narrow {
                findings.push(Finding::new(path, number + 1, format!("sets {}{} with narrow punctuation: use the full-width form", pair[0], pair[1])));
            }
        }
    }
    findings
}

fn unequal(languages: &[BTreeMap<String, Message>; 3]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let [first, others @ ..] = languages;
    for (other, language) in others.iter().zip(&LANGUAGES[1..]) {
        for (key, message) in first {
            let file = message.file.replacen(LANGUAGES[0], language, 1);
            match other.get(key) {
                None => findings.push(Finding::new(&file, 1, format!("lacks {key}, which {}:{} has", message.file, message.line))),
                Some(own) if own.file != file => findings.push(Finding::new(
                    &own.file,
                    own.line,
                    format!("says {key}, which in {} lies in another file: put them into files of one name", LANGUAGES[0]),
                )),
                Some(own) if own.values != message.values => {
                    findings.push(Finding::new(
                        &own.file,
                        own.line,
                        format!("{key} takes {:?}, in {} {:?}: use the same values", own.values, LANGUAGES[0], message.values),
                    ));
                }
                Some(_) => {}
            }
        }
        let more = other.iter().filter(|(key, _)| !first.contains_key(*key));
        findings.extend(
            more.map(|(key, own)| Finding::new(&own.file, own.line, format!("says {key}, which {} does not: write it there, or remove it", LANGUAGES[0]))),
        );
    }
    findings
}

/// Every key a source asks for by its full name, with the place.
fn asked(source: &Source) -> Vec<(Finding, String)> {
    let tokens = source.product_tokens();
    let key_at = |at: usize| Some((Finding::new(&source.path, tokens[at].line, ""), key(&tokens, at)?));
    (0..tokens.len()).filter_map(key_at).collect()
}

fn key(tokens: &[&Token], at: usize) -> Option<String> {
    let text = tokens[at].text()?;
    let before = |back: usize| at.checked_sub(back).map(|at| tokens[at]);
    let called = before(1)?.kind == Kind::Open('(');
    if called && CODED.iter().any(|(kind, make, _)| before(2).is_some_and(|t| t.is_word(make)) && before(5).is_some_and(|t| t.is_word(kind))) {
        return CODED.first().map(|(_, _, prefix)| format!("{prefix}{text}"));
    }
    if !text.contains('-') || !text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-') {
        return None;
    }
    let name = |names: &[&str], back: usize| before(back).is_some_and(|token| names.iter().any(|name| token.is_word(name)));
    let followed = || matches!((tokens.get(at + 1), tokens.get(at + 2)), (Some(comma), Some(and)) if comma.is_mark(',') && and.is_mark('&'));
    let asks = (called && name(&CALLS, 2)) || (called && name(&CALLS_WITH_VALUES, 2) && followed()) || (before(1)?.is_mark(':') && name(&FIELDS, 2));
    asks.then(|| text.to_owned())
}

/// Texts whose key, or the beginning of it before a `{…}`, stands in no source.
fn for_nobody(tree: &Tree, known: &BTreeMap<String, Message>) -> Vec<Finding> {
    let literals: BTreeSet<&str> = tree.product().flat_map(|source| source.tokens.iter()).filter_map(Token::text).collect();
    let scripts: String = tree.files(|path| path.ends_with(".js")).map(|(_, text)| text).collect();
    let made: Vec<&str> = literals.iter().filter_map(|text| text.split_once('{').map(|(start, _)| start)).filter(|start| start.ends_with('-')).collect();
    let prefixes: Vec<&str> = made.into_iter().chain(CODED.iter().map(|(_, _, prefix)| *prefix)).chain(["refusal-"]).collect();
    let used = |key: &str| literals.contains(key) || prefixes.iter().any(|prefix| key.starts_with(prefix)) || scripts.contains(key);
    let unused = known.iter().filter(|(key, _)| !used(key));
    unused.map(|(key, message)| Finding::new(&message.file, message.line, format!("{key} is asked for by nobody: remove it in three languages"))).collect()
}

#[cfg(test)]
mod tests {
    use super::super::tree::small;
    use super::*;

    fn found(ftl: [&str; 3], source: &str) -> Vec<String> {
        let [en, hans, hant] = ftl;
        let files = [("locales/en/a.ftl", en), ("locales/zh-Hans/a.ftl", hans), ("locales/zh-Hant/a.ftl", hant), ("rooms/a/src/pages.rs", source)];
        check(&small(&files)).iter().map(ToString::to_string).collect()
    }

    const ASKS: &str = "fn a() { html! { (page.t(\"box-title\")) } }";

    #[test]
    fn three_equal_files_pass() {
        let ftl = "# a comment = $x\nbox-title = Box { $code }\n    and { $n ->\n        [one] one\n       *[other] more\n    }\n";
        assert_eq!(found([ftl; 3], ASKS), Vec::<String>::new());
    }

    #[test]
    fn chinese_is_set_with_full_width_punctuation() {
        let ftl = |text: &str| format!("box-title = {text}\n");
        let (en, wide, narrow) = (ftl("Boxes (all), sealed"), ftl("转运箱（全部），已封"), ftl("转运箱(全部)"));
        assert_eq!(found([&en, &wide, &wide], ASKS), Vec::<String>::new());
        assert_eq!(found([&en, &wide, &narrow], ASKS), vec!["locales/zh-Hant/a.ftl:1: sets 箱( with narrow punctuation: use the full-width form"]);
    }

    #[test]
    fn what_a_language_lacks_or_says_otherwise_is_found() {
        let en = "box-title = Box { $code }\n";
        assert_eq!(found([en, "", en], ASKS), vec!["locales/zh-Hans/a.ftl:1: lacks box-title, which locales/en/a.ftl:1 has"]);
        assert!(found([en, en, "box-title = 箱 { $name }\n"], ASKS)[0].starts_with("locales/zh-Hant/a.ftl:1: box-title takes {\"name\"}"));
        assert!(found([en, &format!("{en}box-more = x\n"), en], ASKS)[0].starts_with("locales/zh-Hans/a.ftl:2: says box-more"));
        assert!(found([&format!("{en}{en}"), en, en], ASKS)[0].contains("a second time"));
    }

    #[test]
    fn every_way_to_ask_is_seen() {
        let source = "fn a() {\n page.t(\"a-one\");\n page.with(\"a-two\", &[]);\n NavItem { words: \"a-three\" };\n words(\"a-four\");\n Note::new(\"five\");\n Refusal::ruled(\"x\").with(\"a-six\", 1);\n #[cfg(test)] { t(\"a-seven\") }\n}";
        let asked: Vec<String> = found([""; 3], source).iter().map(|finding| finding.split(' ').nth(5).unwrap().trim_end_matches(',').to_owned()).collect();
        assert_eq!(asked, vec!["a-one", "a-two", "a-three", "a-four", "note-five"]);
    }

    #[test]
    fn a_text_for_nobody_is_found() {
        let ftl = "box-title = a\nbox-stage-open = b\nnote-late = c\nrefusal-full = d\nbox-lonely = e\n";
        let source = "fn a() { page.t(\"box-title\"); page.t(&format!(\"box-stage-{}\", x)); }";
        assert_eq!(found([ftl; 3], source), vec!["locales/en/a.ftl:5: box-lonely is asked for by nobody: remove it in three languages"]);
    }
}
