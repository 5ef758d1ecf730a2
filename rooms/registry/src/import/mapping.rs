//! Which column of a sheet holds what, guessed from the headers people use, or said by hand.

use baton_kit::Refusal;
use baton_sheets::Row;

use crate::rules::document::narrow;

/// What a roster may say of a person.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Field {
    Name,
    DocumentKind,
    Document,
    Phone,
    Address,
    Zone,
    ZoneName,
    Grid,
    GridName,
    Building,
    BuildingName,
    Household,
    EnterpriseCode,
    EnterpriseName,
    Tags,
    Language,
}

const FIELDS: usize = 16;

impl Field {
    pub const ALL: [Field; FIELDS] = [
        Field::Name,
        Field::DocumentKind,
        Field::Document,
        Field::Phone,
        Field::Address,
        Field::Zone,
        Field::ZoneName,
        Field::Grid,
        Field::GridName,
        Field::Building,
        Field::BuildingName,
        Field::Household,
        Field::EnterpriseCode,
        Field::EnterpriseName,
        Field::Tags,
        Field::Language,
    ];

    /// Its name in JSON, on the command line and in the texts (`registry-field-<name>`).
    pub fn name(self) -> &'static str {
        self.headers()[0]
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.name() == name)
    }

    /// Headers that mean this field, the house's own name first. Compared without blanks, case, `_`, `-`, brackets and what stands in them.
    fn headers(self) -> &'static [&'static str] {
        match self {
            Field::Name => &["name", "姓名", "名字", "人员姓名", "員工姓名", "员工姓名", "full name", "person name"],
            Field::DocumentKind => &["document_type", "证件类型", "證件類型", "证件种类", "證件種類", "id type", "document kind"],
            Field::Document => &[
                "document_number",
                "证件号码",
                "證件號碼",
                "证件号",
                "證件號",
                "身份证号",
                "身份证号码",
                "身份证",
                "身分證號",
                "身分證字號",
                "身份證號碼",
                "公民身份号码",
                "id number",
                "id no",
                "document",
                "id card",
            ],
            Field::Phone => &[
                "phone",
                "手机号",
                "手机号码",
                "手機號",
                "手機號碼",
                "手机",
                "手機",
                "电话",
                "電話",
                "联系电话",
                "聯絡電話",
                "联系方式",
                "mobile",
                "telephone",
                "phone number",
            ],
            Field::Address => &["address", "地址", "住址", "现住址", "現住址", "居住地址", "详细地址", "詳細地址"],
            Field::Household => &["household", "户号", "戶號", "家庭编号", "房号", "房號", "门牌号", "household number", "room"],
            Field::Language => &["language", "语言", "語言", "报告语言", "報告語言", "语种", "語種", "report language"],
            Field::Tags => &["tag", "标签", "標籤", "人员类别", "人員類別", "人群分类", "人群分類", "tags", "category"],
            _ => self.headers_of_place(),
        }
    }

    fn headers_of_place(self) -> &'static [&'static str] {
        match self {
            Field::Zone => &["zone", "园区编码", "園區編碼", "园区代码", "园区", "園區", "片区", "片區", "片区编码", "片區編碼", "zone code"],
            Field::ZoneName => &["zone_name", "园区名称", "園區名稱", "片区名称", "片區名稱"],
            Field::Grid => &["grid", "网格编码", "網格編碼", "网格代码", "网格", "網格", "网格号", "grid code"],
            Field::GridName => &["grid_name", "网格名称", "網格名稱"],
            Field::Building => &["building", "楼栋编码", "樓棟編碼", "楼栋", "樓棟", "楼号", "樓號", "栋号", "building code"],
            Field::BuildingName => &["building_name", "楼栋名称", "樓棟名稱"],
            Field::EnterpriseCode => &[
                "enterprise_code",
                "单位统一社会信用代码",
                "单位社会信用代码",
                "統一社會信用代碼",
                "统一社会信用代码",
                "信用代码",
                "信用代碼",
                "credit code",
                "uscc",
                "company code",
            ],
            Field::EnterpriseName => &[
                "enterprise_name",
                "单位名称",
                "單位名稱",
                "工作单位",
                "工作單位",
                "企业名称",
                "企業名稱",
                "公司名称",
                "公司",
                "单位",
                "enterprise",
                "company",
                "employer",
            ],
            _ => &[],
        }
    }
}

fn comparable(header: &str) -> String {
    let plain = narrow(header).to_lowercase();
    let outside = plain.split(['(', '[', '【']).next().unwrap_or("");
    outside.chars().filter(|c| !matches!(c, '_' | '-' | '*' | ':')).collect()
}

/// The column (from 0) of each field.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Mapping([Option<usize>; FIELDS]);

impl Mapping {
    /// From the headers of a sheet; the first of several columns for one field wins.
    pub fn guess(headers: &[String]) -> Self {
        let mut mapping = Self::default();
        for (column, header) in headers.iter().enumerate() {
            let header = comparable(header);
            let field = Field::ALL.into_iter().find(|field| field.headers().iter().any(|known| comparable(known) == header));
            if let Some(field) = field.filter(|field| mapping.column(*field).is_none()) {
                mapping.set(field, Some(column));
            }
        }
        mapping
    }

    pub fn set(&mut self, field: Field, column: Option<usize>) {
        self.0[field as usize] = column;
    }

    pub fn column(&self, field: Field) -> Option<usize> {
        self.0[field as usize]
    }

    /// What a column is taken for.
    pub fn field(&self, column: usize) -> Option<Field> {
        Field::ALL.into_iter().find(|field| self.column(*field) == Some(column))
    }

    /// The cell of a field, without outer blanks; blank where the sheet has no such column.
    pub fn cell<'r>(&self, row: &'r Row, field: Field) -> &'r str {
        self.column(field).map_or("", |column| baton_sheets::unguard_formula(row.cell(column).trim()))
    }

    /// Refuses a sheet without the columns nobody can be entered without, or with columns it does not have.
    pub fn check(&self, columns: usize) -> Result<(), Refusal> {
        for field in [Field::Name, Field::Document] {
            if self.column(field).is_none() {
                return Err(Refusal::ruled("import-column-missing").with("field", field.name()));
            }
        }
        if self.column(Field::Zone).is_none() && self.column(Field::EnterpriseCode).is_none() {
            return Err(Refusal::ruled("import-column-missing").with("field", Field::Zone.name()));
        }
        match self.0.iter().flatten().find(|column| **column >= columns) {
            Some(column) => Err(Refusal::malformed("import-column-beyond").with("column", column + 1)),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn chinese_and_english_headers_are_told() {
        let chinese =
            ["姓名", "证件类型", "证件号码", "手机号", "地址", "园区编码", "网格编码", "楼栋编码", "户号", "单位统一社会信用代码", "单位名称", "标签"];
        let english = [
            "name",
            "document_type",
            "document_number",
            "phone",
            "address",
            "zone",
            "grid",
            "building",
            "household",
            "enterprise_code",
            "enterprise_name",
            "tag",
        ];
        assert_eq!(Mapping::guess(&headers(&chinese)), Mapping::guess(&headers(&english)));
        assert_eq!((0..12).filter_map(|column| Mapping::guess(&headers(&chinese)).field(column)).count(), 12);
        let loose = Mapping::guess(&headers(&["序号", "* 姓 名", "身份证号（18位）", "Zone Code"]));
        assert_eq!((loose.column(Field::Name), loose.column(Field::Document), loose.column(Field::Zone)), (Some(1), Some(2), Some(3)));
        assert!(loose.check(4).is_ok());
    }

    #[test]
    fn no_header_means_two_fields() {
        let all: Vec<String> = Field::ALL.iter().flat_map(|field| field.headers()).map(|header| comparable(header)).collect();
        let of_several: Vec<&String> = all
            .iter()
            .filter(|header| Field::ALL.iter().filter(|field| field.headers().iter().any(|known| comparable(known) == **header)).count() > 1)
            .collect();
        assert_eq!(of_several, Vec::<&String>::new());
    }

    #[test]
    fn what_cannot_be_missing_is_named() {
        let refusal = |names: &[&str]| Mapping::guess(&headers(names)).check(names.len()).unwrap_err();
        assert_eq!(refusal(&["姓名", "园区"]).arguments, vec![("field", "document_number".to_owned())]);
        assert_eq!(refusal(&["姓名", "证件号"]).arguments, vec![("field", "zone".to_owned())]);
        let mut mapping = Mapping::guess(&headers(&["姓名", "证件号", "园区"]));
        mapping.set(Field::Phone, Some(3));
        assert_eq!(mapping.check(3).unwrap_err().code, "import-column-beyond");
    }
}
