//! Words in three languages, from Fluent files. A key that is missing is a failed test, not a blank on a page.

use std::collections::HashMap;

use baton_kit::{Language, Refusal};
use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};

/// All texts of all rooms.
pub struct Texts {
    bundles: HashMap<Language, FluentBundle<FluentResource>>,
}

impl Texts {
    /// Reads the files of the rooms; each gives one text per language.
    pub fn of(rooms: impl Iterator<Item = [&'static str; 3]>) -> Result<Self, String> {
        let mut bundles = HashMap::new();
        let rooms: Vec<[&'static str; 3]> = rooms.collect();
        for (index, language) in Language::ALL.into_iter().enumerate() {
            let tag = language.tag().parse().map_err(|error| format!("{error:?}"))?;
            let mut bundle = FluentBundle::new_concurrent(vec![tag]);
            bundle.set_use_isolating(false);
            for texts in &rooms {
                let resource = FluentResource::try_new(texts[index].to_owned()).map_err(|(_, errors)| format!("{}: {errors:?}", language.tag()))?;
                bundle.add_resource(resource).map_err(|errors| format!("{}: {errors:?}", language.tag()))?;
            }
            bundles.insert(language, bundle);
        }
        Ok(Self { bundles })
    }

    pub fn words(&self, language: Language) -> Words<'_> {
        Words { texts: self, language }
    }
}

/// The words of one language.
#[derive(Clone, Copy)]
pub struct Words<'t> {
    texts: &'t Texts,
    pub language: Language,
}

impl<'t> Words<'t> {
    /// The same texts in another language.
    pub fn in_language(&self, language: Language) -> Words<'t> {
        Words { texts: self.texts, language }
    }

    /// The text of a key.
    pub fn t(&self, key: &str) -> String {
        self.with(key, &[])
    }

    /// The text of a key with named values.
    pub fn with(&self, key: &str, values: &[(&str, &str)]) -> String {
        self.find(key, values).unwrap_or_else(|| {
            debug_assert!(false, "no text for {key} in {}", self.language.tag());
            format!("⟨{key}⟩")
        })
    }

    /// The text of a key, if there is one.
    pub fn find(&self, key: &str, values: &[(&str, &str)]) -> Option<String> {
        let bundle = self.texts.bundles.get(&self.language)?;
        let pattern = bundle.get_message(key)?.value()?;
        let mut arguments = FluentArgs::new();
        for (name, value) in values {
            // Numbers stay numbers, so that plural rules can see them.
            let value = value
                .parse::<i64>()
                .ok()
                .filter(|n| n.to_string() == *value && n.abs() < 1_000_000_000)
                .map_or_else(|| FluentValue::from((*value).to_owned()), FluentValue::from);
            arguments.set((*name).to_owned(), value);
        }
        let mut errors = Vec::new();
        let text = bundle.format_pattern(pattern, Some(&arguments), &mut errors).into_owned();
        debug_assert!(errors.is_empty(), "{key}: {errors:?}");
        Some(text)
    }

    /// A refusal in words, and what to do next.
    pub fn refusal(&self, refusal: &Refusal) -> (String, Option<String>) {
        let values: Vec<(&str, &str)> = refusal.arguments.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let key = format!("refusal-{}", refusal.code);
        (self.with(&key, &values), self.find(&format!("{key}-next"), &values))
    }

    /// A note in words (`note-<code>`).
    pub fn note(&self, note: &baton_ledger::Note) -> String {
        let values: Vec<(&str, &str)> = note.arguments.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        self.with(&format!("note-{}", note.code), &values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_take_values_and_plurals() {
        let en = "tubes = { $n ->\n    [one] { $n } tube\n   *[other] { $n } tubes\n}\n";
        let texts = Texts::of([["tubes = { $n } 管\n", "tubes = { $n } 管\n", en]].into_iter()).unwrap();
        assert_eq!(texts.words(Language::English).with("tubes", &[("n", "1")]), "1 tube");
        assert_eq!(texts.words(Language::English).with("tubes", &[("n", "3")]), "3 tubes");
        assert_eq!(texts.words(Language::ChineseSimplified).with("tubes", &[("n", "3")]), "3 管");
    }

    #[test]
    fn a_key_in_two_files_is_an_error() {
        let one = ["a = x\n"; 3];
        assert!(Texts::of([one, one].into_iter()).is_err());
    }
}
