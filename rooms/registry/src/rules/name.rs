//! How a name is found again without being stored: the terms under which it stands, and those a question asks for.
//!
//! Chinese names are found by any two neighbouring characters (two-character names are the normal case), by one character,
//! by pinyin in full and by its initials. Terms leave this module in the open; the store keeps only keyed hashes of them.

use std::collections::BTreeSet;

use pinyin::ToPinyin;

use super::document::narrow_character;

/// A name is cut here before terms are made of it.
pub const NAME_LENGTH_MAX: usize = 60;
/// At most so many readings of a whole name: characters with several readings multiply.
const READINGS_MAX: usize = 4;

/// A name as people write it: trimmed, inner blanks single.
pub fn tidy(name: &str) -> String {
    name.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The name in runs of Chinese characters and of letters; blanks, dots and hyphens only separate letters.
struct Parts {
    han: Vec<char>,
    words: Vec<String>,
}

fn parts(name: &str) -> Parts {
    let mut parts = Parts { han: Vec::new(), words: Vec::new() };
    let mut word = String::new();
    for c in name.chars().take(NAME_LENGTH_MAX).map(narrow_character) {
        if c.is_alphanumeric() && !is_han(c) {
            word.extend(c.to_lowercase().map(|c| if c == 'ü' { 'v' } else { c }));
            continue;
        }
        if c == '\'' || c == '’' {
            continue; // xi'an
        }
        if !word.is_empty() {
            parts.words.push(std::mem::take(&mut word));
        }
        if is_han(c) {
            parts.han.push(c);
        }
    }
    if !word.is_empty() {
        parts.words.push(word);
    }
    parts
}

fn is_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}' | '〇')
}

/// All terms of a name.
pub fn terms(name: &str) -> BTreeSet<String> {
    let Parts { han, words } = parts(name);
    let mut terms: BTreeSet<String> = han.iter().map(|c| format!("h{c}")).collect();
    terms.extend(han.windows(2).map(|pair| format!("h{}{}", pair[0], pair[1])));
    for reading in readings(&han) {
        terms.insert(format!("p{}", reading.concat()));
        terms.insert(format!("p{}", reading.iter().filter_map(|syllable| syllable.chars().next()).collect::<String>()));
    }
    if !words.is_empty() {
        terms.insert(format!("p{}", words.concat()));
        terms.extend(words.iter().map(|word| format!("p{word}")));
    }
    terms
}

/// Characters that names read in more than one way, the first the most usual in names. Dictionaries list many more readings,
/// most of them dead; everything else is read as the dictionary's first.
const READINGS: [(&str, &[&str]); 32] = [
    ("曾", &["zeng", "ceng"]),
    ("单單", &["shan", "dan", "chan"]),
    ("仇", &["qiu", "chou"]),
    ("解", &["xie", "jie"]),
    ("朴", &["piao", "pu"]),
    ("查", &["zha", "cha"]),
    ("盖蓋", &["gai", "ge"]),
    ("区區", &["ou", "qu"]),
    ("乐樂", &["le", "yue"]),
    ("覃", &["qin", "tan"]),
    ("翟", &["zhai", "di"]),
    ("尉", &["wei", "yu"]),
    ("缪繆", &["miao", "mou"]),
    ("种", &["chong", "zhong"]),
    ("员員", &["yuan", "yun"]),
    ("折", &["she", "zhe"]),
    ("黑", &["he", "hei"]),
    ("车車", &["che", "ju"]),
    ("召", &["shao", "zhao"]),
    ("薄", &["bo", "bao"]),
    ("洗", &["xian", "xi"]),
    ("隗", &["wei", "kui"]),
    ("盛晟", &["sheng", "cheng"]),
    ("茜", &["xi", "qian"]),
    ("长長", &["chang", "zhang"]),
    ("行", &["xing", "hang"]),
    ("朝", &["chao", "zhao"]),
    ("重", &["chong", "zhong"]),
    ("柏", &["bai", "bo"]),
    ("娜", &["na", "nuo"]),
    ("阿", &["a", "e"]),
    ("祭", &["zhai", "ji"]),
];

fn syllables(c: char) -> Vec<String> {
    match READINGS.iter().find(|(characters, _)| characters.contains(c)) {
        Some((_, readings)) => readings.iter().map(|reading| (*reading).to_owned()).collect(),
        None => c.to_pinyin().map(|reading| typed(reading.plain())).into_iter().collect(),
    }
}

/// `lü` as keyboards write it.
fn typed(syllable: &str) -> String {
    syllable.replace('ü', "v")
}

/// The ways to read a name, the most usual first. A character without a reading leaves the name without any.
fn readings(han: &[char]) -> Vec<Vec<String>> {
    let mut all: Vec<Vec<String>> = if han.is_empty() { Vec::new() } else { vec![Vec::new()] };
    for c in han {
        let syllables = syllables(*c);
        let longer = syllables.iter().flat_map(|syllable| all.iter().map(|before| [before.as_slice(), std::slice::from_ref(syllable)].concat()));
        all = longer.take(READINGS_MAX).collect();
    }
    all
}

/// The terms a question asks for: any of the alternatives, each with all of its terms.
pub fn asked(text: &str) -> Vec<Vec<String>> {
    let Parts { han, words } = parts(text);
    match (han.len(), words.len()) {
        (0, 0) => Vec::new(),
        (0, 1) => vec![vec![format!("p{}", words[0])]],
        (0, _) => vec![vec![format!("p{}", words.concat())], words.iter().map(|word| format!("p{word}")).collect()],
        (1, _) => vec![vec![format!("h{}", han[0])]],
        _ => vec![han.windows(2).map(|pair| format!("h{}{}", pair[0], pair[1])).collect()],
    }
}

/// Whether a name really answers a question whose terms it has: bigrams may come from different places.
pub fn answers(name: &str, text: &str) -> bool {
    let (name_han, asked_han) = (parts(name).han, parts(text).han);
    if !asked_han.is_empty() {
        return name_han.windows(asked_han.len()).any(|run| run == asked_han);
    }
    let terms = terms(name);
    asked(text).iter().any(|alternative| alternative.iter().all(|term| terms.contains(term)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn found(name: &str, text: &str) -> bool {
        let terms = terms(name);
        let has_terms = asked(text).iter().any(|alternative| alternative.iter().all(|term| terms.contains(term)));
        has_terms && answers(name, text)
    }

    #[test]
    fn two_characters_are_found_anywhere_in_a_name() {
        for text in ["张伟", "伟芳", "张伟芳", "张", "芳", "zhangweifang", "Zhang Weifang", "zwf", "ZHANG WEI FANG"] {
            assert!(found("张伟芳", text), "{text}");
        }
        for text in ["张芳", "芳张", "李", "zhangwei", "zw", "伟芳张", ""] {
            assert!(!found("张伟芳", text), "{text}");
        }
    }

    #[test]
    fn surnames_with_two_readings_are_found_by_both() {
        for text in ["zengli", "cengli", "zl"] {
            assert!(found("曾丽", text), "{text}");
        }
        assert!(found("单雄信", "shanxiongxin") && found("单雄信", "danxiongxin"));
        assert!(found("吕布", "lvbu") && found("吕布", "Lü Bu"));
        assert!(!found("王芳", "yufang"), "dead readings are noise");
    }

    #[test]
    fn dots_and_foreign_names_are_no_obstacle() {
        assert!(found("阿卜杜拉·买买提", "买买提") && found("阿卜杜拉·买买提", "拉买"));
        for text in ["john", "SMITH", "smith john", "johnsmith", "Ｊｏｈｎ"] {
            assert!(found("John Smith", text), "{text}");
        }
        assert!(!found("John Smith", "jane"));
        assert!(found("O'Brien", "obrien"));
        assert_eq!(tidy("  John \t Smith "), "John Smith");
    }

    #[test]
    fn readings_are_bounded() {
        assert!(readings(&['单'; 40]).len() <= READINGS_MAX);
        assert!(terms(&"乐".repeat(500)).len() < 100);
    }

    proptest! {
        #[test]
        fn every_run_of_a_chinese_name_finds_it(name in "[一-龟]{2,6}", from in 0..5_usize, length in 1..6_usize) {
            let letters: Vec<char> = name.chars().collect();
            let from = from % letters.len();
            let run: String = letters[from..].iter().take(length).collect();
            prop_assert!(found(&name, &run), "{} in {}", run, name);
        }

        #[test]
        fn no_text_panics(name in ".{0,80}", text in ".{0,20}") {
            _ = found(&name, &text);
        }
    }
}
