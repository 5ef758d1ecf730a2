//! A PDF that was not changed in any byte: a comment line behind its last one signs everything before it.

use baton_ledger::hex;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};

use super::report::{ReportProblem, ReportSummary, from_hex, verify_report};

/// What is signed begins with this, so that no other signature of the installation passes for a paper's.
const DOMAIN: &[u8] = b"baton paper 1\0";
/// A comment for whoever reads PDF; it stands within the last kilobyte, where readers look for the end.
const LEAD: &[u8] = b"\n%baton-seal 1 ";
const KEY: usize = 64;
const SIGNATURE: usize = 128;
const SEAL: usize = LEAD.len() + KEY + 1 + SIGNATURE + 1;
/// A paper is never longer: five hundred reports are some two megabytes.
const BYTES_MAX: usize = 64 << 20;

/// What a valid paper says, in short.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PaperSummary {
    /// Ed25519 public key that sealed it, in hexadecimal.
    pub key: String,
    /// True when the key was compared with one the caller trusts.
    pub key_expected: bool,
    /// The signed reports inside, in their order.
    pub reports: Vec<ReportSummary>,
}

/// Whether a file is meant to be a PDF.
pub fn is_pdf(bytes: &[u8]) -> bool {
    bytes.starts_with(b"%PDF-")
}

/// The PDF with its seal.
pub fn seal(mut pdf: Vec<u8>, key: &SigningKey) -> Vec<u8> {
    pdf.extend_from_slice(LEAD);
    pdf.extend_from_slice(hex(key.verifying_key().as_bytes()).as_bytes());
    pdf.push(b' ');
    let signature = key.sign(&[DOMAIN, &pdf].concat());
    pdf.extend_from_slice(hex(&signature.to_bytes()).as_bytes());
    pdf.push(b'\n');
    pdf
}

/// Checks every byte of a sealed PDF, and the signed reports inside by the same key.
pub fn verify_paper(bytes: &[u8], expected: Option<&VerifyingKey>) -> Result<PaperSummary, ReportProblem> {
    if bytes.len() > BYTES_MAX {
        return Err(ReportProblem::TooLong(bytes.len()));
    }
    let at = bytes.len().checked_sub(SEAL).filter(|_| is_pdf(bytes)).ok_or(ReportProblem::NoSeal)?;
    let (key, rest) = bytes[at..].strip_prefix(LEAD).ok_or(ReportProblem::NoSeal)?.split_at(KEY);
    let signature = rest.strip_prefix(b" ").and_then(|rest| rest.strip_suffix(b"\n")).ok_or(ReportProblem::NoSeal)?;
    let (key, signature) = (written(key)?, written(signature)?);
    let verifying = from_hex(key).and_then(|bytes| VerifyingKey::from_bytes(&bytes).ok()).ok_or(ReportProblem::NoSeal)?;
    let signature = Signature::from_bytes(&from_hex(signature).ok_or(ReportProblem::NoSeal)?);
    let signed = [DOMAIN, &bytes[..bytes.len() - SIGNATURE - 1]].concat();
    verifying.verify_strict(&signed, &signature).map_err(|_| ReportProblem::SignatureWrong)?;
    if expected.is_some_and(|expected| *expected != verifying) {
        return Err(ReportProblem::OtherKey { found: key.to_owned() });
    }
    let reports = inside(bytes, key).map(|text| verify_report(text, Some(&verifying))).collect::<Result<Vec<_>, _>>()?;
    if reports.is_empty() {
        return Err(ReportProblem::NothingInside);
    }
    Ok(PaperSummary { key: key.to_owned(), key_expected: expected.is_some(), reports })
}

/// Hexadecimal as we write it: small letters. Otherwise the case of a letter could be changed unseen.
fn written(text: &[u8]) -> Result<&str, ReportProblem> {
    let ours = text.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    std::str::from_utf8(text).ok().filter(|_| ours).ok_or(ReportProblem::NoSeal)
}

/// The report files in the PDF: attachments stand in it as they are, and each begins with the key. Called on a PDF whose seal holds.
fn inside<'b>(bytes: &'b [u8], key: &str) -> impl Iterator<Item = &'b [u8]> {
    let begins = format!("\n{{\"key\":\"{key}\",\"report\":").into_bytes();
    let ends = b"\nendstream";
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let start = rest.windows(begins.len()).position(|window| window == begins)? + 1;
        let length = rest[start..].windows(ends.len()).position(|window| window == ends)?;
        let file = &rest[start..start + length];
        rest = &rest[start + length..];
        Some(file)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paper::report::sign_report;
    use baton_documents::pdf::{Attachment, Block, Paper, pdf};
    use proptest::prelude::*;
    use serde_json::json;
    use std::sync::OnceLock;

    fn key(seed: u8) -> SigningKey {
        SigningKey::from_bytes(&[seed; 32])
    }

    fn sealed() -> &'static [u8] {
        static SEALED: OnceLock<Vec<u8>> = OnceLock::new();
        SEALED.get_or_init(|| {
            let report = json!({"installation": "测试", "person": "12", "result": "negative", "issued": "2026-03-27 20:00", "tubes": []});
            let attachment = |name: &str| Attachment {
                name: name.to_owned(),
                media_type: "application/json".to_owned(),
                description: "signed".to_owned(),
                bytes: sign_report(report.clone(), &key(1)).into_bytes(),
            };
            let paper = Paper {
                title: "报告".to_owned(),
                language: "zh-Hans".to_owned(),
                author: "测试".to_owned(),
                footer: "1".to_owned(),
                page_words: "%n/%m".to_owned(),
                blocks: vec![Block::Heading { level: 1, text: "阴性".to_owned() }],
                attachments: vec![attachment("a.json"), attachment("b.json")],
            };
            seal(pdf(&paper).unwrap(), &key(1))
        })
    }

    #[test]
    fn a_sealed_paper_says_whose_it_is_and_what_is_inside() {
        let summary = verify_paper(sealed(), None).unwrap();
        assert_eq!((summary.reports.len(), summary.reports[1].result.as_str(), summary.key_expected), (2, "negative", false));
        assert!(verify_paper(sealed(), Some(&key(1).verifying_key())).unwrap().key_expected);
        assert!(matches!(verify_paper(sealed(), Some(&key(2).verifying_key())), Err(ReportProblem::OtherKey { .. })));
        // Readers look for the end of a PDF in its last kilobyte.
        let end = &sealed()[sealed().len() - 1024..];
        assert!(end.windows(5).any(|window| window == b"%%EOF"));
    }

    #[test]
    fn what_is_no_sealed_paper_is_named() {
        assert_eq!(verify_paper(b"%PDF-1.7", None), Err(ReportProblem::NoSeal));
        assert_eq!(verify_paper(&sealed()[5..], None), Err(ReportProblem::NoSeal));
        let bare = &sealed()[..sealed().len() - SEAL];
        assert_eq!(verify_paper(bare, None), Err(ReportProblem::NoSeal));
        let longer = [sealed(), b"\n"].concat();
        assert!(verify_paper(&longer, None).is_err(), "nothing may be added behind the seal");
        assert_eq!(verify_paper(&seal(b"%PDF-1.7 nothing".to_vec(), &key(1)), None), Err(ReportProblem::NothingInside));
        // Sealed again by another: the seal holds, the reports inside are not theirs.
        assert_eq!(verify_paper(&seal(bare.to_vec(), &key(2)), None), Err(ReportProblem::NothingInside));
    }

    #[test]
    fn every_changed_byte_of_the_seal_shows() {
        for at in sealed().len() - SEAL..sealed().len() {
            // One bit, the case of a letter, another digit.
            for by in [1, 2, 16, 32, 224] {
                let mut changed = sealed().to_vec();
                changed[at] = changed[at].wrapping_add(by);
                assert!(verify_paper(&changed, None).is_err(), "byte {at} changed by {by}");
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        #[test]
        fn every_changed_byte_shows(at: proptest::sample::Index, by in 1u8..=255) {
            let mut changed = sealed().to_vec();
            let at = at.index(changed.len());
            changed[at] = changed[at].wrapping_add(by);
            prop_assert!(verify_paper(&changed, None).is_err(), "byte {}", at);
        }
    }
}
