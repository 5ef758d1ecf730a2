//! A statement as a file that can be checked without us: canonical JSON, signed by the installation's key.

use baton_ledger::hex;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use serde_json::{Map, Value, json};

/// What is signed begins with this, so that no other signature of the installation passes for a report's.
const DOMAIN: &[u8] = b"baton report 1\0";
/// A report is never longer.
const BYTES_MAX: usize = 1 << 20;

/// Why a file is no report to be trusted.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ReportProblem {
    #[error("the file is {0} bytes long; a report has at most {BYTES_MAX}")]
    TooLong(usize),
    #[error("not a report: {0}")]
    NotAReport(String),
    #[error("field {0} is missing or not what it should be")]
    Field(&'static str),
    #[error("the signature does not fit: the report was changed after it was signed, or signed with another key")]
    SignatureWrong,
    #[error("a PDF without this laboratory's seal behind its last byte")]
    NoSeal,
    #[error("the PDF carries no signed report inside")]
    NothingInside,
    #[error("signed by {found}, not by the key expected")]
    OtherKey { found: String },
}

/// What a valid report says, in short.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReportSummary {
    /// The installation's name, as the report states it.
    pub installation: String,
    /// Ed25519 public key that signed it, in hexadecimal.
    pub key: String,
    /// True when the key was compared with one the caller trusts.
    pub key_expected: bool,
    /// What it is about: `person`, or `day`, `evidence`.
    pub kind: String,
    /// The person, or what else it is about.
    pub person: String,
    /// What the person is told from the newest tube: `negative`, `positive`, `held`…
    pub result: String,
    pub issued: String,
    /// How many corrected values the report shows beside those that hold.
    pub earlier_values: usize,
}

/// The one way a JSON value is written for signing: keys sorted, no blanks.
pub fn canonical(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let mut keys: Vec<&String> = fields.keys().collect();
            keys.sort();
            let inside: Vec<String> = keys.into_iter().map(|key| format!("{}:{}", Value::from(key.as_str()), canonical(&fields[key]))).collect();
            format!("{{{}}}", inside.join(","))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(",")),
        plain => plain.to_string(),
    }
}

fn to_sign(report: &Value, key: &str) -> Vec<u8> {
    [DOMAIN, key.as_bytes(), b"\0", canonical(report).as_bytes()].concat()
}

/// The file: report, public key, signature.
pub fn sign_report(report: Value, key: &SigningKey) -> String {
    let public = hex(key.verifying_key().as_bytes());
    let signature = key.sign(&to_sign(&report, &public));
    canonical(&json!({"report": report, "key": public, "signature": hex(&signature.to_bytes())}))
}

/// Checks a report file. Without `expected` it says whose key it was, and whether the file is as that key signed it.
pub fn verify_report(bytes: &[u8], expected: Option<&VerifyingKey>) -> Result<ReportSummary, ReportProblem> {
    if bytes.len() > BYTES_MAX {
        return Err(ReportProblem::TooLong(bytes.len()));
    }
    let file: Map<String, Value> = serde_json::from_slice(bytes).map_err(|error| ReportProblem::NotAReport(error.to_string()))?;
    let report = file.get("report").filter(|report| report.is_object()).ok_or(ReportProblem::Field("report"))?;
    let key = text(&file, "key")?;
    let verifying = from_hex(key).and_then(|bytes| VerifyingKey::from_bytes(&bytes).ok()).ok_or(ReportProblem::Field("key"))?;
    let signature = from_hex(text(&file, "signature")?).map(|bytes| Signature::from_bytes(&bytes)).ok_or(ReportProblem::Field("signature"))?;
    verifying.verify_strict(&to_sign(report, key), &signature).map_err(|_| ReportProblem::SignatureWrong)?;
    if expected.is_some_and(|expected| *expected != verifying) {
        return Err(ReportProblem::OtherKey { found: key.to_owned() });
    }
    summary(report, key, expected.is_some())
}

fn summary(report: &Value, key: &str, key_expected: bool) -> Result<ReportSummary, ReportProblem> {
    let fields = report.as_object().ok_or(ReportProblem::Field("report"))?;
    // A person's report names no kind: it was the first there was.
    let kind = fields.get("kind").map_or(Ok("person"), |kind| kind.as_str().ok_or(ReportProblem::Field("report.kind")))?;
    let tubes = match (kind, fields.get("tubes").and_then(Value::as_array)) {
        (_, Some(tubes)) => tubes.as_slice(),
        ("person", None) => return Err(ReportProblem::Field("report.tubes")),
        _ => &[],
    };
    let earlier = |tube: &Value| tube["earlier"].as_array().map_or(0, Vec::len);
    Ok(ReportSummary {
        installation: text(fields, "installation")?.to_owned(),
        key: key.to_owned(),
        key_expected,
        kind: kind.to_owned(),
        person: text(fields, if kind == "person" { "person" } else { "subject" })?.to_owned(),
        result: text(fields, "result")?.to_owned(),
        issued: text(fields, "issued")?.to_owned(),
        earlier_values: tubes.iter().map(earlier).sum(),
    })
}

fn text<'v>(fields: &'v Map<String, Value>, name: &'static str) -> Result<&'v str, ReportProblem> {
    fields.get(name).and_then(Value::as_str).ok_or(ReportProblem::Field(name))
}

/// A public key as people copy it.
pub fn key_from_hex(text: &str) -> Option<VerifyingKey> {
    from_hex(text.trim()).and_then(|bytes| VerifyingKey::from_bytes(&bytes).ok())
}

pub(crate) fn from_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() != 2 * N || !text.is_ascii() {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, at) in bytes.iter_mut().zip((0..text.len()).step_by(2)) {
        *byte = u8::from_str_radix(&text[at..at + 2], 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(seed: u8) -> SigningKey {
        SigningKey::from_bytes(&[seed; 32])
    }

    fn report() -> Value {
        json!({"installation": "测试", "person": "12", "result": "negative", "issued": "2026-03-27 20:00", "tubes": [{"code": "T1", "earlier": [{"outcome": "positive"}]}]})
    }

    #[test]
    fn a_report_says_whose_key_signed_it_and_what_it_held_before() {
        let file = sign_report(report(), &key(1));
        let summary = verify_report(file.as_bytes(), None).unwrap();
        assert_eq!((summary.result.as_str(), summary.earlier_values, summary.key_expected), ("negative", 1, false));
        assert_eq!(summary.key, hex(key(1).verifying_key().as_bytes()));
        assert!(verify_report(file.as_bytes(), Some(&key(1).verifying_key())).unwrap().key_expected);
        assert!(matches!(verify_report(file.as_bytes(), Some(&key(2).verifying_key())), Err(ReportProblem::OtherKey { .. })));
    }

    #[test]
    fn blanks_and_the_order_of_fields_do_not_matter_but_every_value_does() {
        let file = sign_report(report(), &key(1));
        let pretty = serde_json::to_string_pretty(&serde_json::from_str::<Value>(&file).unwrap()).unwrap();
        assert!(verify_report(pretty.as_bytes(), None).is_ok());
        let forged = file.replace("\"result\":\"negative\"", "\"result\":\"positive\"");
        assert_ne!(forged, file);
        assert_eq!(verify_report(forged.as_bytes(), None), Err(ReportProblem::SignatureWrong));
        let other = hex(key(2).verifying_key().as_bytes());
        let swapped = file.replace(&hex(key(1).verifying_key().as_bytes()), &other);
        assert_eq!(verify_report(swapped.as_bytes(), None), Err(ReportProblem::SignatureWrong));
    }

    #[test]
    fn what_is_no_report_is_named() {
        assert!(matches!(verify_report(b"x", None), Err(ReportProblem::NotAReport(_))));
        assert_eq!(verify_report(b"{}", None), Err(ReportProblem::Field("report")));
        assert_eq!(verify_report(br#"{"report":{},"key":"zz"}"#, None), Err(ReportProblem::Field("key")));
        assert_eq!(verify_report(&vec![b' '; BYTES_MAX + 1], None), Err(ReportProblem::TooLong(BYTES_MAX + 1)));
    }

    proptest! {
        #[test]
        fn every_changed_byte_shows(at in 0usize..600, by in 1u8..255) {
            let file = sign_report(report(), &key(1)).into_bytes();
            let at = at % file.len();
            let mut changed = file.clone();
            changed[at] = changed[at].wrapping_add(by);
            // A change that reads as the same JSON (there is none in canonical text but a letter's case in hexadecimal) is no change.
            let same = serde_json::from_slice::<Value>(&changed).ok() == serde_json::from_slice::<Value>(&file).ok();
            let hexadecimal = changed.eq_ignore_ascii_case(&file);
            prop_assert!(same || hexadecimal || verify_report(&changed, None).is_err());
        }

        #[test]
        fn no_bytes_break_the_checker(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(verify_report(&bytes, None).is_err());
        }
    }
}
