use std::borrow::Cow;
use std::io::Read;

use crate::limits::Limits;
use crate::problem::{ErrorKind, Notes, ParseError, ProblemKind};

/// A file format of an instrument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// RDML 1.0–1.4, packed or plain XML.
    Rdml,
    /// `cycle,<name>…`, one row per cycle.
    PlainCurves,
    Unknown,
}

/// Tells the format from the first bytes (for archives, from the members); the name only breaks ties.
pub fn sniff(bytes: &[u8], _file_name: &str) -> Format {
    if is_archive(bytes) {
        return Format::Rdml;
    }
    let head = head_text(bytes);
    let first = head.trim_start_matches('\u{FEFF}').trim_start();
    if is_rdml_xml(bytes) {
        return Format::Rdml;
    }
    if crate::curves::is_header(first) {
        Format::PlainCurves
    } else {
        Format::Unknown
    }
}

/// A zip archive, also one with the marker of a split archive in front.
pub(crate) fn is_archive(bytes: &[u8]) -> bool {
    [b"PK\x03\x04", b"PK\x07\x08", b"PK00"]
        .iter()
        .any(|mark| bytes.starts_with(*mark))
}

/// Whether the bytes begin as XML with an `rdml` element, with or without a prefix.
pub(crate) fn is_rdml_xml(bytes: &[u8]) -> bool {
    let head = head_text(bytes);
    let first = head.trim_start_matches('\u{FEFF}').trim_start();
    first.starts_with('<') && (first.contains("<rdml") || first.contains(":rdml "))
}

/// The whole text; what is in no Unicode encoding is read as GB18030 or Windows-1252, which is reported.
pub(crate) fn decode_text<'a>(
    bytes: &'a [u8],
    notes: &mut Notes,
) -> Result<Cow<'a, str>, ParseError> {
    use baton_sheets::{Encoding, SheetErrorKind};
    match baton_sheets::decode(bytes) {
        Ok((text, Encoding::Gb18030)) => {
            notes.add(
                None,
                None,
                ProblemKind::GuessedEncoding {
                    encoding: "GB18030",
                },
            );
            Ok(text)
        }
        Ok((text, _)) => Ok(text),
        Err(SheetErrorKind::UnknownEncoding { byte }) if is_western(bytes) => {
            notes.add(
                None,
                format!("byte {byte}"),
                ProblemKind::GuessedEncoding {
                    encoding: "Windows-1252",
                },
            );
            Ok(encoding_rs::WINDOWS_1252
                .decode_without_bom_handling(bytes)
                .0)
        }
        Err(SheetErrorKind::UnknownEncoding { byte }) => {
            Err(notes.error(ErrorKind::UnknownEncoding { byte }))
        }
        Err(other) => Err(notes.error(ErrorKind::Sheet(other))),
    }
}

/// Western text has few bytes beyond ASCII and no control bytes but line ends and tabs.
fn is_western(bytes: &[u8]) -> bool {
    let marked = bytes.starts_with(b"\xFF\xFE")
        || bytes.starts_with(b"\xFE\xFF")
        || bytes.starts_with(b"\xEF\xBB\xBF");
    let high = bytes.iter().filter(|byte| **byte >= 0x80).count();
    let control = bytes
        .iter()
        .any(|byte| *byte < 0x20 && !matches!(byte, b'\t' | b'\r' | b'\n' | 0x0C));
    !marked && !control && high * 10 <= bytes.len()
}

/// The first 8 KiB as text, as far as it can be told.
fn head_text(bytes: &[u8]) -> Cow<'_, str> {
    let head = &bytes[..bytes.len().min(8 << 10)];
    match baton_sheets::decode(head) {
        Ok((text, _)) => text,
        Err(_) => String::from_utf8_lossy(head),
    }
}

/// Unpacks a gzip file in bounded memory; `None` when it is not one.
pub(crate) fn gunzip(
    bytes: &[u8],
    notes: &Notes,
    limits: Limits,
) -> Result<Option<Vec<u8>>, ParseError> {
    if !bytes.starts_with(b"\x1F\x8B") {
        return Ok(None);
    }
    let mut unpacked = Vec::new();
    let reader = flate2::read::MultiGzDecoder::new(bytes);
    reader
        .take(limits.unpacked_bytes_max.saturating_add(1))
        .read_to_end(&mut unpacked)
        .map_err(|error| notes.damaged(error))?;
    if unpacked.len() as u64 > limits.unpacked_bytes_max {
        return Err(notes.over_limit("bytes once unpacked", limits.unpacked_bytes_max));
    }
    Ok(Some(unpacked))
}
