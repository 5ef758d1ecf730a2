//! The three languages Baton speaks from its first page.

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize, schemars::JsonSchema)]
pub enum Language {
    #[default]
    #[serde(rename = "zh-Hans")]
    ChineseSimplified,
    #[serde(rename = "zh-Hant")]
    ChineseTraditional,
    #[serde(rename = "en")]
    English,
}

impl Language {
    pub const ALL: [Language; 3] = [Language::ChineseSimplified, Language::ChineseTraditional, Language::English];

    /// The BCP 47 tag.
    pub fn tag(self) -> &'static str {
        match self {
            Language::ChineseSimplified => "zh-Hans",
            Language::ChineseTraditional => "zh-Hant",
            Language::English => "en",
        }
    }
    /// Its own name for itself.
    pub fn own_name(self) -> &'static str {
        match self {
            Language::ChineseSimplified => "简体中文",
            Language::ChineseTraditional => "繁體中文",
            Language::English => "English",
        }
    }
    /// What stands between the members of a list.
    pub fn comma(self) -> &'static str {
        match self {
            Language::ChineseSimplified | Language::ChineseTraditional => "、",
            Language::English => ", ",
        }
    }
    /// The language a tag asks for: `zh-TW` and `zh-HK` are Traditional, other `zh` Simplified.
    pub fn from_tag(tag: &str) -> Option<Self> {
        let tag = tag.trim().to_ascii_lowercase();
        let traditional = ["zh-hant", "zh-tw", "zh-hk", "zh-mo"].iter().any(|t| tag.starts_with(t));
        match tag.split('-').next() {
            Some("zh") if traditional => Some(Language::ChineseTraditional),
            Some("zh") => Some(Language::ChineseSimplified),
            Some("en") => Some(Language::English),
            _ => None,
        }
    }
    /// The best match for an `Accept-Language` header, in the order the header states.
    pub fn negotiate(header: &str) -> Option<Self> {
        header.split(',').find_map(|part| Self::from_tag(part.split(';').next().unwrap_or(part)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn taiwan_and_hong_kong_read_traditional() {
        assert_eq!(Language::negotiate("fr, zh-TW;q=0.9, en"), Some(Language::ChineseTraditional));
        assert_eq!(Language::negotiate("zh-CN"), Some(Language::ChineseSimplified));
        assert_eq!(Language::negotiate("de"), None);
        for language in Language::ALL {
            assert_eq!(Language::from_tag(language.tag()), Some(language));
        }
    }
}
