use std::borrow::Cow;
use std::io::Read;

use crate::columns::Role;
use crate::document::Document;
use crate::limits::Limits;
use crate::problem::{ErrorKind, Notes, ParseError, ProblemKind};

const GZIP: &[u8] = b"\x1F\x8B";

/// A file format of an instrument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// RDML 1.0–1.4, packed or plain XML.
    Rdml,
    /// `cycle,<name>…`, one row per cycle; also Bio-Rad's amplification export.
    PlainCurves,
    /// QuantStudio and ViiA 7 text: `* Key = Value`, then `[Section]` tables.
    QuantStudioText,
    /// QuantStudio and ViiA 7 workbook: a worksheet per section.
    QuantStudioWorkbook,
    /// Design & Analysis workbook, xlsx or xls.
    DesignAndAnalysis,
    /// Diomni workbook.
    Diomni,
    /// Applied Biosystems comma-separated export: facts, then one table.
    AbiCsv,
    /// Bio-Rad CFX Manager and Maestro table of Cq.
    BioRadCfx,
    /// LightCycler 480 raw fluorescence, all programs.
    LightCycler480Raw,
    /// LightCycler 480 table of crossing points.
    LightCycler480Cp,
    /// SDS 2.x results.
    Sds,
    /// Fluidigm BioMark table results.
    BioMark,
    /// Any other table of wells with Cq or curves.
    WellTable,
    /// A workbook; which one shows when it is read.
    Workbook,
    Unknown,
}

/// Tells the format from the first bytes (for archives, from the members).
///
/// Workbooks are told apart by [`crate::parse`]; a file that is [`Format::Unknown`] here may still turn out to be a
/// [`Format::WellTable`] there.
pub fn sniff(bytes: &[u8], file_name: &str) -> Format {
    if bytes.starts_with(GZIP) {
        let mut head = Vec::new();
        // A damaged end shows again when the file is unpacked.
        let _ = flate2::read::MultiGzDecoder::new(bytes).take(8 << 10).read_to_end(&mut head);
        return if head.starts_with(GZIP) { Format::Unknown } else { sniff(&head, file_name) };
    }
    let lower = file_name.to_lowercase();
    if is_archive(bytes) {
        let is_workbook = lower.ends_with(".xlsx") || (!lower.ends_with(".rdml") && has_workbook_member(bytes));
        return if is_workbook { Format::Workbook } else { Format::Rdml };
    }
    if baton_sheets::is_workbook(bytes) {
        return Format::Workbook;
    }
    if is_rdml_xml(bytes) {
        return Format::Rdml;
    }
    let head = head_text(bytes);
    sniff_text(head.trim_start_matches('\u{FEFF}').trim_start())
}

fn sniff_text(head: &str) -> Format {
    let line_with = |parts: &[&str]| crate::lines::lines(head).any(|(_, line)| parts.iter().all(|part| line.contains(part)));
    let starts = |mark: &str| head.starts_with(mark);
    match () {
        () if starts("* ") && line_with(&[" = "]) => Format::QuantStudioText,
        () if starts("[Sample Setup]") || starts("[Results]") || starts("[Amplification Data]") => Format::QuantStudioText,
        () if starts("SDS ") => Format::Sds,
        () if starts("Chip Run Filename") => Format::BioMark,
        () if line_with(&["SamplePos", "Prog#", "Cycle#"]) => Format::LightCycler480Raw,
        () if starts("Experiment:") && line_with(&["Pos", "Cp"]) => Format::LightCycler480Cp,
        () if line_with(&["Well", "Fluor", "Cq"]) || line_with(&["Well", "Fluor", "C(t)"]) => Format::BioRadCfx,
        () if starts("Block Type") || line_with(&["Experiment Type"]) => Format::AbiCsv,
        () if crate::curves::is_header(head) => Format::PlainCurves,
        () => Format::Unknown,
    }
}

/// Which workbook a document was read from.
pub(crate) fn workbook_format(document: &Document) -> Format {
    let software = document.fact(&["Software Name and Version", "Software name"]).unwrap_or_default();
    let has = |role| document.tables.iter().any(|table| table.columns.has(role));
    let converted = document.fact(&["Warning"]).unwrap_or_default();
    match () {
        () if software.contains("Diomni") || converted.contains("Diomni") => Format::Diomni,
        () if software.contains("Design") || document.fact(&["Run Start Date/Time"]).is_some() => Format::DesignAndAnalysis,
        () if document.fact(&["Experiment Type", "Block Type"]).is_some() => Format::QuantStudioWorkbook,
        () if has(Role::Dye) && has(Role::Cq) => Format::BioRadCfx,
        () => Format::WellTable,
    }
}

/// Whether a zip archive is a workbook; only its list of members is read.
fn has_workbook_member(bytes: &[u8]) -> bool {
    zip::ZipArchive::new(std::io::Cursor::new(bytes)).is_ok_and(|archive| {
        (0..archive.len().min(1_000)).any(|index| archive.name_for_index(index).and_then(Result::ok).is_some_and(|name| name.starts_with("xl/")))
    })
}

/// A zip archive, also one with the marker of a split archive in front.
pub(crate) fn is_archive(bytes: &[u8]) -> bool {
    [b"PK\x03\x04", b"PK\x07\x08", b"PK00"].iter().any(|mark| bytes.starts_with(*mark))
}

/// Whether the bytes begin as XML with an `rdml` element, with or without a prefix.
pub(crate) fn is_rdml_xml(bytes: &[u8]) -> bool {
    let head = head_text(bytes);
    let first = head.trim_start_matches('\u{FEFF}').trim_start();
    first.starts_with('<') && (first.contains("<rdml") || first.contains(":rdml "))
}

/// The whole text; what is in no Unicode encoding is read as GB18030 or Windows-1252, which is reported.
pub(crate) fn decode_text<'a>(bytes: &'a [u8], notes: &mut Notes) -> Result<Cow<'a, str>, ParseError> {
    use baton_sheets::{Encoding, SheetErrorKind};
    match baton_sheets::decode(bytes) {
        Ok((text, Encoding::Gb18030)) => {
            notes.add(None, None, ProblemKind::GuessedEncoding { encoding: "GB18030" });
            Ok(text)
        }
        Ok((text, _)) => Ok(text),
        Err(SheetErrorKind::UnknownEncoding { byte }) if is_western(bytes) => {
            notes.add(None, format!("byte {byte}"), ProblemKind::GuessedEncoding { encoding: "Windows-1252" });
            Ok(encoding_rs::WINDOWS_1252.decode_without_bom_handling(bytes).0)
        }
        Err(SheetErrorKind::UnknownEncoding { byte }) => Err(notes.error(ErrorKind::UnknownEncoding { byte })),
        Err(other) => Err(notes.error(ErrorKind::Sheet(other))),
    }
}

/// Western text has few bytes beyond ASCII and no control bytes but line ends and tabs.
fn is_western(bytes: &[u8]) -> bool {
    let marked = bytes.starts_with(b"\xFF\xFE") || bytes.starts_with(b"\xFE\xFF") || bytes.starts_with(b"\xEF\xBB\xBF");
    let high = bytes.iter().filter(|byte| **byte >= 0x80).count();
    let control = bytes.iter().any(|byte| *byte < 0x20 && !matches!(byte, b'\t' | b'\r' | b'\n' | 0x0C));
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
pub(crate) fn gunzip(bytes: &[u8], notes: &Notes, limits: Limits) -> Result<Option<Vec<u8>>, ParseError> {
    if !bytes.starts_with(GZIP) {
        return Ok(None);
    }
    let mut unpacked = Vec::new();
    let reader = flate2::read::MultiGzDecoder::new(bytes);
    reader.take(limits.unpacked_bytes_max.saturating_add(1)).read_to_end(&mut unpacked).map_err(|error| notes.damaged(error))?;
    if unpacked.len() as u64 > limits.unpacked_bytes_max {
        return Err(notes.over_limit("bytes once unpacked", limits.unpacked_bytes_max));
    }
    Ok(Some(unpacked))
}
