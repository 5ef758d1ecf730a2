use std::borrow::Cow;
use std::io::{Cursor, Read};

use zip::ZipArchive;

use crate::limits::Limits;
use crate::problem::{ErrorKind, Notes, ParseError};

const MEMBERS_MAX: usize = 1_000;

/// The XML of an RDML file: the archive member that begins with an `rdml` element, whatever its name, or the file
/// itself where it is not packed.
pub(super) fn xml_bytes<'a>(bytes: &'a [u8], notes: &mut Notes, limits: Limits) -> Result<Cow<'a, [u8]>, ParseError> {
    if !crate::sniff::is_archive(bytes) {
        return Ok(Cow::Borrowed(bytes));
    }
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|error| notes.damaged(error))?;
    if archive.len() > MEMBERS_MAX {
        return Err(notes.over_limit("archive members", MEMBERS_MAX as u64));
    }
    let mut order: Vec<(bool, bool, usize, String)> = Vec::new();
    for index in 0..archive.len() {
        let name = archive.name_for_index(index).and_then(Result::ok).unwrap_or_default().into_owned();
        let lower = name.to_lowercase();
        order.push((lower != "rdml_data.xml", !lower.ends_with(".xml"), index, name));
    }
    order.sort();
    for (_, _, index, name) in order {
        if holds_rdml(&mut archive, index) {
            notes.member = Some(name);
            return unpack(&mut archive, index, notes, limits).map(Cow::Owned);
        }
    }
    Err(notes.error(ErrorKind::Missing { what: "archive member that is RDML".to_owned() }))
}

fn holds_rdml(archive: &mut ZipArchive<Cursor<&[u8]>>, index: usize) -> bool {
    let mut head = Vec::new();
    let Ok(member) = archive.by_index(index) else {
        return false;
    };
    // A damaged end of the head shows again when the member is unpacked.
    let _ = member.take(8 << 10).read_to_end(&mut head);
    crate::sniff::is_rdml_xml(&head)
}

fn unpack(archive: &mut ZipArchive<Cursor<&[u8]>>, index: usize, notes: &Notes, limits: Limits) -> Result<Vec<u8>, ParseError> {
    let member = archive.by_index(index).map_err(|error| notes.damaged(error))?;
    let mut unpacked = Vec::new();
    // The size an archive states may be a lie, so what comes out is measured.
    member.take(limits.unpacked_bytes_max.saturating_add(1)).read_to_end(&mut unpacked).map_err(|error| notes.damaged(error))?;
    if unpacked.len() as u64 > limits.unpacked_bytes_max {
        return Err(notes.over_limit("bytes once unpacked", limits.unpacked_bytes_max));
    }
    Ok(unpacked)
}
