//! The city's people as the sheet a zone office would send: CSV for the import, with mistakes on request.

use std::io::{self, Write};

use crate::chance::{Chance, Purpose};
use crate::people::{City, DocumentKind, Occupation, Person};

/// The language of the header row, of document kinds and of tags.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Headers {
    #[default]
    Chinese,
    English,
}

#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct RosterOptions {
    pub headers: Headers,
    /// Share of people whose row has a mistake, or who come twice.
    pub error_rate: f64,
}

/// What is wrong with a row.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum RosterFault {
    /// The resident number's check character is wrong.
    WrongCheckDigit,
    MissingName,
    MissingDocument,
    /// The phone number has lost its last two digits.
    ShortPhone,
    /// The enterprise's credit code has a wrong check character.
    WrongCreditCode,
    /// The row before, once more.
    Duplicate,
    /// The document of the row before under another name.
    NumberOfAnother,
}

/// One mistake put into the sheet, to hold against what the import reports.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RosterError {
    /// Row of the sheet counted from 1, the header being row 1.
    pub row: usize,
    pub person: u32,
    pub fault: RosterFault,
}

const CHINESE: [&str; 12] =
    ["姓名", "证件类型", "证件号码", "手机号", "地址", "园区编码", "网格编码", "楼栋编码", "户号", "单位统一社会信用代码", "单位名称", "标签"];
const ENGLISH: [&str; 12] =
    ["name", "document_type", "document_number", "phone", "address", "zone", "grid", "building", "household", "enterprise_code", "enterprise_name", "tag"];
const NAME: usize = 0;
const DOCUMENT: usize = 2;
const PHONE: usize = 3;
const CREDIT_CODE: usize = 9;

/// Writes the header and one row per person; the mistakes made on purpose come back in the order of their rows.
///
/// # Errors
/// Whatever the writer says. Rows are written one by one: give it a buffer.
pub fn write_roster(city: &City, options: RosterOptions, out: &mut impl Write) -> io::Result<Vec<RosterError>> {
    let headers = match options.headers {
        Headers::Chinese => CHINESE,
        Headers::English => ENGLISH,
    };
    write_row(out, &headers)?;
    let mut errors = Vec::new();
    let mut row = 1;
    for person in city.all() {
        row += 1;
        let mut cells = cells(city, &person, options.headers);
        let Some(fault) = draw_fault(city, &person, options.error_rate) else {
            write_row(out, &cells)?;
            continue;
        };
        if matches!(fault, RosterFault::Duplicate | RosterFault::NumberOfAnother) {
            write_row(out, &cells)?;
            row += 1;
        }
        spoil(&mut cells, fault);
        write_row(out, &cells)?;
        errors.push(RosterError { row, person: person.index, fault });
    }
    Ok(errors)
}

fn draw_fault(city: &City, person: &Person, rate: f64) -> Option<RosterFault> {
    use RosterFault::{Duplicate, MissingDocument, MissingName, NumberOfAnother, ShortPhone, WrongCheckDigit, WrongCreditCode};
    let mut chance = Chance::new(city.seed, Purpose::RosterError, u64::from(person.index));
    if !chance.happens(rate) {
        return None;
    }
    let faults = [(WrongCheckDigit, 3), (MissingName, 1), (MissingDocument, 1), (ShortPhone, 2), (WrongCreditCode, 1), (Duplicate, 3), (NumberOfAnother, 1)];
    let fault = chance.weighted(&faults);
    let possible = match fault {
        WrongCheckDigit => person.document.kind == DocumentKind::ResidentId,
        ShortPhone => person.phone.is_some(),
        WrongCreditCode => person.enterprise.is_some(),
        _ => true,
    };
    Some(if possible { fault } else { MissingName })
}

fn spoil(cells: &mut [String; 12], fault: RosterFault) {
    match fault {
        RosterFault::WrongCheckDigit => replace_last(&mut cells[DOCUMENT]),
        RosterFault::MissingName => cells[NAME].clear(),
        RosterFault::MissingDocument => cells[DOCUMENT].clear(),
        RosterFault::ShortPhone => cells[PHONE].truncate(9),
        RosterFault::WrongCreditCode => replace_last(&mut cells[CREDIT_CODE]),
        RosterFault::Duplicate => {}
        RosterFault::NumberOfAnother => cells[NAME].push('安'),
    }
}

fn replace_last(cell: &mut String) {
    let wrong = if cell.pop() == Some('1') { '2' } else { '1' };
    cell.push(wrong);
}

fn cells(city: &City, person: &Person, headers: Headers) -> [String; 12] {
    let enterprise = person.enterprise.map(|index| city.enterprise(index));
    let (credit_code, enterprise_name) = enterprise.map(|e| (e.credit_code, e.name)).unwrap_or_default();
    [
        person.name.clone(),
        document_word(person.document.kind, headers).to_owned(),
        person.document.number.clone(),
        person.phone.clone().unwrap_or_default(),
        person.address.clone(),
        City::zone_code(person.home.zone),
        City::grid_code(person.home),
        City::building_code(person.home),
        household_code(person),
        credit_code,
        enterprise_name,
        occupation_word(person.occupation, headers).to_owned(),
    ]
}

/// The household's name on the roster.
pub fn household_code(person: &Person) -> String {
    format!("H{:07}", person.household.first)
}

pub fn document_word(kind: DocumentKind, headers: Headers) -> &'static str {
    let (chinese, english) = match kind {
        DocumentKind::ResidentId => ("居民身份证", "resident_id"),
        DocumentKind::Passport => ("护照", "passport"),
        DocumentKind::HongKongMacaoPermit => ("港澳居民来往内地通行证", "hong_kong_macao_permit"),
        DocumentKind::TaiwanPermit => ("台湾居民来往大陆通行证", "taiwan_permit"),
    };
    match headers {
        Headers::Chinese => chinese,
        Headers::English => english,
    }
}

fn occupation_word(occupation: Occupation, headers: Headers) -> &'static str {
    let (chinese, english) = match occupation {
        Occupation::Child => ("儿童", "child"),
        Occupation::Student => ("学生", "student"),
        Occupation::Employee => ("职工", "employee"),
        Occupation::Courier => ("快递", "courier"),
        Occupation::AtHome => ("居家", "at_home"),
        Occupation::Retired => ("退休", "retired"),
    };
    match headers {
        Headers::Chinese => chinese,
        Headers::English => english,
    }
}

fn write_row<S: AsRef<str>>(out: &mut impl Write, cells: &[S]) -> io::Result<()> {
    for (index, cell) in cells.iter().enumerate() {
        if index > 0 {
            out.write_all(b",")?;
        }
        let cell = cell.as_ref();
        if cell.contains([',', '"', '\n', '\r']) {
            write!(out, "\"{}\"", cell.replace('"', "\"\""))?;
        } else {
            out.write_all(cell.as_bytes())?;
        }
    }
    out.write_all(b"\r\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::documents;

    fn resident_number_holds(number: &str) -> bool {
        number.len() == 18 && number.is_ascii() && number.ends_with(documents::resident_check(&number.as_bytes()[..17]))
    }

    fn sheet(options: RosterOptions, people: u32) -> (Vec<Vec<String>>, Vec<RosterError>) {
        let mut bytes = Vec::new();
        let errors = write_roster(&City::new(8, people), options, &mut bytes).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        // No cell of the synthetic city needs quoting.
        assert!(!text.contains('"'));
        let rows = text.lines().map(|line| line.split(',').map(str::to_owned).collect()).collect();
        (rows, errors)
    }

    #[test]
    fn a_clean_roster_has_a_row_for_everyone_in_order() {
        let (rows, errors) = sheet(RosterOptions::default(), 2_000);
        assert!(errors.is_empty());
        assert_eq!(rows.len(), 2_001);
        assert_eq!(rows[0][..3], ["姓名", "证件类型", "证件号码"]);
        let city = City::new(8, 2_000);
        for (row, person) in rows[1..].iter().zip(city.all()) {
            assert_eq!((row.len(), &row[0], &row[2]), (12, &person.name, &person.document.number));
            assert_eq!(row[1] == "居民身份证", resident_number_holds(&row[2]));
        }
        let (english, _) = sheet(RosterOptions { headers: Headers::English, ..RosterOptions::default() }, 5);
        assert_eq!((&*english[0][9], &*english[1][1]), ("enterprise_code", "resident_id"));
    }

    #[test]
    fn every_listed_mistake_is_in_its_row_and_no_other() {
        let (clean, _) = sheet(RosterOptions::default(), 5_000);
        let (rows, errors) = sheet(RosterOptions { error_rate: 0.05, ..RosterOptions::default() }, 5_000);
        assert!((200..300).contains(&errors.len()), "{}", errors.len());
        let kinds: std::collections::HashSet<_> = errors.iter().map(|error| error.fault).collect();
        assert_eq!(kinds.len(), 7);
        for error in &errors {
            let (row, right) = (&rows[error.row - 1], &clean[error.person as usize + 1]);
            match error.fault {
                RosterFault::WrongCheckDigit => assert!(!resident_number_holds(&row[DOCUMENT])),
                RosterFault::MissingName => assert_eq!(row[NAME], ""),
                RosterFault::MissingDocument => assert_eq!(row[DOCUMENT], ""),
                RosterFault::ShortPhone => assert_eq!(row[PHONE].len(), 9),
                RosterFault::WrongCreditCode => assert_ne!(documents::credit_check(&row[CREDIT_CODE][..17]), row[CREDIT_CODE].chars().last()),
                RosterFault::Duplicate => assert_eq!((row, &rows[error.row - 2]), (right, right)),
                RosterFault::NumberOfAnother => {
                    assert!(row[DOCUMENT] == right[DOCUMENT] && row[NAME] != right[NAME])
                }
            }
        }
        let listed: std::collections::HashSet<usize> = errors.iter().map(|error| error.row).collect();
        let sound: Vec<_> = rows.iter().enumerate().filter(|(at, _)| !listed.contains(&(at + 1))).map(|(_, row)| row.clone()).collect();
        let spoiled: std::collections::HashSet<u32> =
            errors.iter().filter(|error| !matches!(error.fault, RosterFault::Duplicate | RosterFault::NumberOfAnother)).map(|error| error.person + 1).collect();
        let expected: Vec<_> = clean.iter().enumerate().filter(|(at, _)| !spoiled.contains(&(*at as u32))).map(|(_, row)| row.clone()).collect();
        assert_eq!(sound, expected);
    }

    #[test]
    fn cells_with_commas_are_quoted() {
        let mut bytes = Vec::new();
        write_row(&mut bytes, &["a,b", "say \"x\"", "c"]).unwrap();
        assert_eq!(bytes, b"\"a,b\",\"say \"\"x\"\"\",c\r\n");
    }
}
