//! Data types: identifiers, codes, references, quantities, times.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::Release;

/// Left out of the JSON when empty: FHIR knows neither null nor empty lists.
pub(crate) fn is_empty<T>(list: &[T]) -> bool {
    list.is_empty()
}

/// A number whose digits are kept as written: 1.0 is not 1.00.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Decimal(String);

impl Decimal {
    /// So many hundredths, with both digits.
    pub fn hundredths(hundredths: i64) -> Self {
        let sign = if hundredths < 0 { "-" } else { "" };
        let whole = hundredths.unsigned_abs();
        Self(format!("{sign}{}.{:02}", whole / 100, whole % 100))
    }
    pub fn text(&self) -> &str {
        &self.0
    }
}

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        RawValue::from_string(self.0.clone()).map_err(serde::ser::Error::custom)?.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?.get();
        if raw.starts_with(|c: char| c == '-' || c.is_ascii_digit()) {
            Ok(Self(raw.to_owned()))
        } else {
            Err(serde::de::Error::custom(format!("{raw} is not a number")))
        }
    }
}

/// An instant, `2026-03-27T04:05:06.123Z`; made from microseconds since 1970 UTC.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Moment(pub String);

impl Moment {
    pub fn from_us(us: i64) -> Self {
        let (days, in_day) = (us.div_euclid(86_400_000_000), us.rem_euclid(86_400_000_000));
        let (year, month, day) = date_of(days);
        let (seconds, millis) = (in_day / 1_000_000, in_day % 1_000_000 / 1_000);
        Self(format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{millis:03}Z", seconds / 3600, seconds / 60 % 60, seconds % 60))
    }

    /// The first microsecond it names, and the first one after it: a date names a day, a minute a minute. Times without a
    /// zone are taken as UTC, as the standard says of servers that know no better.
    pub fn span(text: &str) -> Option<(i64, i64)> {
        let (date, time) = text.split_once('T').map_or((text, None), |(date, time)| (date, Some(time)));
        let parts: Vec<i64> = date.split('-').enumerate().map(|(n, part)| digits(part, if n == 0 { 4 } else { 2 })).collect::<Option<_>>()?;
        match (parts.as_slice(), time) {
            ([year], None) => Some((start_of(*year, 1, 1)?, start_of(year + 1, 1, 1)?)),
            ([year, month], None) => {
                let next = if *month == 12 { start_of(year + 1, 1, 1)? } else { start_of(*year, month + 1, 1)? };
                Some((start_of(*year, *month, 1)?, next))
            }
            ([year, month, day], None) => start_of(*year, *month, *day).map(|start| (start, start + 86_400_000_000)),
            ([year, month, day], Some(time)) => {
                let (from, long) = time_span(time)?;
                start_of(*year, *month, *day).map(|start| (start + from, start + from + long))
            }
            _ => None,
        }
    }
}

fn digits(text: &str, count: usize) -> Option<i64> {
    if text.len() != count || !text.bytes().all(|b| b.is_ascii_digit()) { None } else { text.parse().ok() }
}

/// Microseconds since midnight UTC, and for how long the text stands.
fn time_span(text: &str) -> Option<(i64, i64)> {
    let zone_at = text.find(['Z', '+', '-']).unwrap_or(text.len());
    let (clock, zone) = text.split_at_checked(zone_at)?;
    let offset = match zone.chars().next() {
        None | Some('Z') => 0,
        Some(sign) => {
            let (hours, minutes) = zone.get(1..)?.split_once(':')?;
            let minutes = digits(hours, 2)? * 60 + digits(minutes, 2)?;
            if sign == '-' { -minutes } else { minutes }
        }
    };
    let mut parts = clock.split(':');
    let (hour, minute) = (digits(parts.next()?, 2)?, digits(parts.next()?, 2)?);
    let (second, long) = match parts.next() {
        None => (0, 60_000_000),
        Some(seconds) => seconds_span(seconds)?,
    };
    if parts.next().is_some() || hour > 23 || minute > 59 || second >= 61_000_000 || offset.abs() > 14 * 60 {
        return None;
    }
    Some((((hour * 60 + minute) - offset) * 60_000_000 + second, long))
}

fn seconds_span(text: &str) -> Option<(i64, i64)> {
    let Some((whole, fraction)) = text.split_once('.') else {
        return Some((digits(text, 2)? * 1_000_000, 1_000_000));
    };
    if fraction.is_empty() || fraction.len() > 9 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let kept = &fraction[..fraction.len().min(6)];
    let unit = 10_i64.pow(6 - kept.len() as u32);
    Some((digits(whole, 2)? * 1_000_000 + kept.parse::<i64>().ok()? * unit, unit))
}

/// Days since 1970 of a date that exists.
fn start_of(year: i64, month: i64, day: i64) -> Option<i64> {
    let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let long = match month {
        4 | 6 | 9 | 11 => 30,
        2 => 28 + i64::from(leap),
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=9999).contains(&year) || !(1..=long).contains(&day) {
        return None;
    }
    // Days from civil, by the Gregorian rule; March begins the counted year.
    let (y, m) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let (era, of_era) = (y.div_euclid(400), y.rem_euclid(400));
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + (153 * m + 2) / 5 + day - 1 - 719_468;
    Some(days * 86_400_000_000)
}

/// Year, month and day of a number of days since 1970.
fn date_of(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let (era, of_era) = (z.div_euclid(146_097), z.rem_euclid(146_097));
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let m = (5 * of_year + 2) / 153;
    let month = if m < 10 { m + 3 } else { m - 9 };
    (year + era * 400 + i64::from(month <= 2), month, of_year - (153 * m + 2) / 5 + 1)
}

#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Meta {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_updated: Option<Moment>,
}

#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Identifier {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

impl Identifier {
    pub fn new(system: &str, value: impl ToString) -> Self {
        Self { system: Some(system.to_owned()), value: Some(value.to_string()) }
    }
}

#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Coding {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display: Option<String>,
}

impl Coding {
    pub fn new(system: &str, code: &str, display: &str) -> Self {
        Self { system: Some(system.to_owned()), code: Some(code.to_owned()), display: Some(display.to_owned()) }
    }
}

#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct CodeableConcept {
    #[serde(skip_serializing_if = "is_empty")]
    pub coding: Vec<Coding>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

impl CodeableConcept {
    pub fn of(coding: Coding) -> Self {
        Self { text: coding.display.clone(), coding: vec![coding] }
    }
    pub fn text(text: &str) -> Self {
        Self { coding: Vec::new(), text: Some(text.to_owned()) }
    }
}

/// A code where R4 has a CodeableConcept and R5 a CodeableReference.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Concept {
    R5 { concept: CodeableConcept },
    R4(CodeableConcept),
}

impl Concept {
    pub fn of(release: Release, concept: CodeableConcept) -> Self {
        match release {
            Release::R4 => Concept::R4(concept),
            Release::R5 => Concept::R5 { concept },
        }
    }
}

#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Reference {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identifier: Option<Identifier>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display: Option<String>,
}

impl Reference {
    /// To a resource of this server.
    pub fn to(kind: &str, id: impl std::fmt::Display) -> Self {
        Self { reference: Some(format!("{kind}/{id}")), ..Self::default() }
    }
    /// To something that is known by a number and a name, but not served as a resource.
    pub fn logical(system: &str, value: impl ToString, display: Option<String>) -> Self {
        Self { reference: None, identifier: Some(Identifier::new(system, value)), display }
    }
}

#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Period {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<Moment>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<Moment>,
}

#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Quantity {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Decimal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct HumanName {
    #[serde(rename = "use", skip_serializing_if = "Option::is_none")]
    pub usage: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Annotation {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<Moment>,
    pub text: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn digits_are_kept() {
        let read: Quantity = serde_json::from_str(r#"{"value":1.00}"#).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), r#"{"value":1.00}"#);
        assert_eq!(Decimal::hundredths(2430).text(), "24.30");
        assert_eq!(Decimal::hundredths(-5).text(), "-0.05");
        assert!(serde_json::from_str::<Quantity>(r#"{"value":"1"}"#).is_err());
    }

    #[test]
    fn a_text_names_a_span_of_time() {
        let second = 1_000_000;
        assert_eq!(Moment::span("1970"), Some((0, 365 * 86_400 * second)));
        assert_eq!(Moment::span("1970-12"), Some((334 * 86_400 * second, 365 * 86_400 * second)));
        assert_eq!(Moment::span("1970-01-02"), Some((86_400 * second, 2 * 86_400 * second)));
        assert_eq!(Moment::span("1970-01-01T08:00+08:00"), Some((0, 60 * second)));
        assert_eq!(Moment::span("1970-01-01T00:00:01Z"), Some((second, 2 * second)));
        assert_eq!(Moment::span("1970-01-01T00:00:01.25Z"), Some((1_250_000, 1_260_000)));
        for wrong in ["", "x", "2026-13", "2026-02-29", "2026-01-01T", "2026-01-01T25:00", "2026-01-01T10:00+", "2026-1-1T1:1:1.", "99999", "2026-01-01T1é:00"]
        {
            assert_eq!(Moment::span(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn an_instant_names_the_millisecond_it_was_made_from(us in 0i64..4_000_000_000_000_000) {
            let (from, to) = Moment::span(&Moment::from_us(us).0).unwrap();
            prop_assert_eq!(from, us - us.rem_euclid(1000));
            prop_assert_eq!(to, from + 1000);
        }

        #[test]
        fn no_text_breaks_the_reading_of_times(text in "[0-9TZ:.+é-]{0,30}") {
            _ = Moment::span(&text);
        }
    }
}
