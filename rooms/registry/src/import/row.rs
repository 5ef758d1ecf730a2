//! One row of a roster: what it says of a person, or what is wrong with it.

use baton_sheets::Row;

use super::mapping::{Field, Mapping};
use crate::events::{DocumentKind, Particulars};
use crate::rules::{document, name};
use baton_kit::Language;

/// Something wrong with one row; the place is as the user sees it. Never what the cell says.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, schemars::JsonSchema)]
pub struct RowProblem {
    pub row: usize,
    /// Column counted from 1; nothing when the sheet has no such column.
    pub column: Option<usize>,
    pub field: &'static str,
    /// Key of its words behind `registry-problem-`.
    pub code: &'static str,
    /// The earlier row that bears the same document.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_row: Option<usize>,
}

impl RowProblem {
    pub(super) fn new(row: &Row, mapping: &Mapping, field: Field, code: &'static str) -> Self {
        Self { row: row.number, column: mapping.column(field).map(|column| column + 1), field: field.name(), code, first_row: None }
    }
}

/// What a row says of a person, in normal form. `document` is there even when something else is wrong.
#[derive(Default)]
pub(super) struct Read {
    pub(super) document: Option<(DocumentKind, String)>,
    pub(super) problems: Vec<RowProblem>,
    pub(super) name: String,
    pub(super) phone: Option<String>,
    /// In normal form.
    pub(super) credit_code: Option<String>,
}

pub(super) fn read(row: &Row, mapping: &Mapping) -> Read {
    let cell = |field| mapping.cell(row, field);
    let mut read = Read { name: name::tidy(cell(Field::Name)), ..Read::default() };
    let mut wrong = Vec::new();
    if read.name.is_empty() {
        wrong.push((Field::Name, "empty"));
    } else if read.name.chars().count() > name::NAME_LENGTH_MAX {
        wrong.push((Field::Name, "length"));
    } else if name::terms(&read.name).is_empty() {
        wrong.push((Field::Name, "character"));
    }
    match document_kind(cell(Field::DocumentKind)) {
        None => wrong.push((Field::DocumentKind, "document-kind")),
        Some(kind) => match document::document(kind, cell(Field::Document)) {
            Ok(number) => read.document = Some((kind, number)),
            Err(problem) => wrong.push((Field::Document, problem.code())),
        },
    }
    if !cell(Field::Phone).is_empty() {
        match document::phone(cell(Field::Phone)) {
            Ok(number) => read.phone = Some(number),
            Err(problem) => wrong.push((Field::Phone, problem.code())),
        }
    }
    if !cell(Field::EnterpriseCode).is_empty() {
        match document::credit_code(cell(Field::EnterpriseCode)) {
            Ok(code) => read.credit_code = Some(code),
            Err(problem) => wrong.push((Field::EnterpriseCode, problem.code())),
        }
    }
    for (field, length_max) in [
        (Field::Zone, 20),
        (Field::Grid, 40),
        (Field::Building, 40),
        (Field::Household, 60),
        (Field::Address, 200),
        (Field::EnterpriseName, 120),
        (Field::Tags, 200),
        (Field::Language, 40),
    ] {
        if cell(field).chars().count() > length_max {
            wrong.push((field, "length"));
        }
    }
    read.problems = wrong.into_iter().map(|(field, code)| RowProblem::new(row, mapping, field, code)).collect();
    read
}

impl Read {
    /// What is sealed; only for a row without problems.
    pub(super) fn particulars(self, row: &Row, mapping: &Mapping) -> Option<Particulars> {
        let (document_kind, document) = self.document?;
        let address = Some(name::tidy(mapping.cell(row, Field::Address))).filter(|text| !text.is_empty());
        Some(Particulars { name: self.name, document_kind, document, phone: self.phone, address, language: language(mapping.cell(row, Field::Language)) })
    }
}

/// `标签` may hold several, separated as people do.
pub(super) fn tags(row: &Row, mapping: &Mapping) -> Vec<String> {
    let mut tags: Vec<String> = Vec::new();
    for tag in mapping.cell(row, Field::Tags).split([',', ';', '，', '、', '；', '|']).map(str::trim) {
        if !tag.is_empty() && !tags.iter().any(|known| known == tag) {
            tags.push(tag.to_owned());
        }
    }
    tags
}

/// The language a word means; one in which we have no words is left out, and whoever prints chooses.
fn language(word: &str) -> Option<Language> {
    let word = document::narrow(word).to_lowercase();
    let is = |words: &[&str]| words.contains(&word.as_str());
    match () {
        () if is(&["zh-hans", "zh-cn", "zh", "中文", "汉语", "普通话", "简体", "简体中文"]) => Some(Language::ChineseSimplified),
        () if is(&["zh-hant", "zh-tw", "zh-hk", "繁体", "繁體", "繁体中文", "繁體中文", "正體", "正體中文", "國語"]) => {
            Some(Language::ChineseTraditional)
        }
        () if is(&["en", "english", "英文", "英语", "英語"]) => Some(Language::English),
        () => None,
    }
}

/// The kind a word means; blank means a citizen number, as on most rosters.
pub fn document_kind(word: &str) -> Option<DocumentKind> {
    let word = document::narrow(word).to_lowercase();
    let has = |parts: &[&str]| parts.iter().any(|part| word.contains(part));
    Some(match () {
        () if word.is_empty() => DocumentKind::ResidentId,
        () if DocumentKind::from_name(&word).is_some() => DocumentKind::from_name(&word)?,
        // Longer names first: 外国人永久居留身份证 also contains 身份证.
        () if has(&["永久居留", "永居", "permanentresident"]) => DocumentKind::ForeignPermanentResidentId,
        () if has(&["港澳居民来往", "港澳居民來往", "回乡证", "回鄉證", "港澳通行证", "homereturn"]) => {
            DocumentKind::HongKongMacaoPermit
        }
        () if has(&["台湾居民来往", "台灣居民來往", "臺灣居民來往", "台胞证", "台胞證", "臺胞證"]) => DocumentKind::TaiwanPermit,
        () if has(&["护照", "護照", "passport"]) => DocumentKind::Passport,
        // The residence cards of Hong Kong, Macao and Taiwan residents bear citizen numbers.
        () if has(&["身份证", "身分證", "身份證", "居住证", "居住證", "residentid", "idcard"]) => DocumentKind::ResidentId,
        () if has(&["其他", "其它", "other", "军官证", "户口簿", "出生"]) => DocumentKind::Other,
        () => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_is_read_as_people_write_it() {
        for (word, meant) in [
            ("中文", Some(Language::ChineseSimplified)),
            ("ZH-Hant", Some(Language::ChineseTraditional)),
            (" English ", Some(Language::English)),
            ("日本語", None),
            ("", None),
        ] {
            assert_eq!(language(word), meant, "{word}");
        }
    }

    #[test]
    fn who_said_nothing_is_told_things_as_their_document_suggests() {
        let person =
            |document_kind, language| Particulars { name: String::new(), document_kind, document: String::new(), phone: None, address: None, language };
        assert_eq!(person(DocumentKind::TaiwanPermit, None).told_in(), Some(Language::ChineseTraditional));
        assert_eq!(person(DocumentKind::Passport, Some(Language::ChineseSimplified)).told_in(), Some(Language::ChineseSimplified));
        assert_eq!(person(DocumentKind::Other, None).told_in(), None);
    }

    fn mapping() -> Mapping {
        Mapping::guess(&["姓名", "证件类型", "证件号码", "手机号", "统一社会信用代码", "标签"].map(str::to_owned))
    }

    fn problems(cells: [&str; 6]) -> Vec<(Option<usize>, &'static str)> {
        read(&Row::from_cells(7, &cells), &mapping()).problems.iter().map(|problem| (problem.column, problem.code)).collect()
    }

    #[test]
    fn a_good_row_comes_to_normal_form() {
        let row = Row::from_cells(7, &[" 张 伟 ", "", "１１０１０５１９４９１２３１００２x", "+86 138-0013-8000", "", "职工、快递，职工"]);
        let read = read(&row, &mapping());
        assert_eq!(read.problems, vec![]);
        let particulars = read.particulars(&row, &mapping()).unwrap();
        assert_eq!(
            (particulars.name.as_str(), particulars.document.as_str(), particulars.phone.as_deref()),
            ("张 伟", "11010519491231002X", Some("13800138000"))
        );
        assert_eq!(tags(&row, &mapping()), ["职工", "快递"]);
    }

    #[test]
    fn every_problem_of_a_row_is_named_with_its_column() {
        assert_eq!(
            problems(["", "", "110105194912310021", "138001", "91350100M000100Y44", ""]),
            vec![(Some(1), "empty"), (Some(3), "check"), (Some(4), "length"), (Some(5), "check")]
        );
        assert_eq!(problems(["张伟", "学生证", "1", "", "", ""]), vec![(Some(2), "document-kind")]);
        assert_eq!(problems(["···", "护照", "E12345678", "", "", ""]), vec![(Some(1), "character")]);
        assert_eq!(problems(["张伟", "", "4.40301E+17", "", "", ""]), vec![(Some(3), "length")]);
    }

    #[test]
    fn kinds_of_documents_are_told_by_their_names() {
        use DocumentKind::*;
        let words = [
            ("", ResidentId),
            ("居民身份证", ResidentId),
            ("PASSPORT", Passport),
            ("港澳居民来往内地通行证", HongKongMacaoPermit),
            ("台胞证", TaiwanPermit),
            ("外国人永久居留身份证", ForeignPermanentResidentId),
            ("其他", Other),
            ("taiwan_permit", TaiwanPermit),
        ];
        for (word, kind) in words {
            assert_eq!(document_kind(word), Some(kind), "{word}");
        }
        assert_eq!(document_kind("学生证"), None);
    }
}
