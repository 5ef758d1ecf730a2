use std::borrow::Cow;

use encoding_rs::{GB18030, UTF_16BE, UTF_16LE};

use crate::problem::SheetErrorKind;

/// How a text was encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    Utf8,
    Utf16LittleEndian,
    Utf16BigEndian,
    /// GB18030, of which GBK and GB2312 are parts: what Chinese Windows calls ANSI.
    Gb18030,
}

impl Encoding {
    pub fn name(self) -> &'static str {
        match self {
            Encoding::Utf8 => "UTF-8",
            Encoding::Utf16LittleEndian => "UTF-16LE",
            Encoding::Utf16BigEndian => "UTF-16BE",
            Encoding::Gb18030 => "GB18030",
        }
    }
}

/// Decodes text: byte-order mark first, then UTF-8, then UTF-16 without a mark (told by its zero bytes), then GB18030.
///
/// # Errors
/// [`SheetErrorKind::UnknownEncoding`] with the first byte that fits none of them.
pub fn decode(bytes: &[u8]) -> Result<(Cow<'_, str>, Encoding), SheetErrorKind> {
    if let Some(rest) = bytes.strip_prefix(b"\xEF\xBB\xBF") {
        return match std::str::from_utf8(rest) {
            Ok(text) => Ok((Cow::Borrowed(text), Encoding::Utf8)),
            Err(error) => Err(SheetErrorKind::UnknownEncoding { byte: error.valid_up_to() + 3 }),
        };
    }
    if let Some(rest) = bytes.strip_prefix(b"\xFF\xFE") {
        return decode_utf16(rest, Encoding::Utf16LittleEndian, 2);
    }
    if let Some(rest) = bytes.strip_prefix(b"\xFE\xFF") {
        return decode_utf16(rest, Encoding::Utf16BigEndian, 2);
    }
    if let Some(encoding) = unmarked_utf16(bytes) {
        return decode_utf16(bytes, encoding, 0);
    }
    let error = match std::str::from_utf8(bytes) {
        Ok(text) => return Ok((Cow::Borrowed(text), Encoding::Utf8)),
        Err(error) => error,
    };
    match GB18030.decode_without_bom_handling_and_without_replacement(bytes) {
        Some(text) => Ok((text, Encoding::Gb18030)),
        None => Err(SheetErrorKind::UnknownEncoding { byte: error.valid_up_to() }),
    }
}

fn decode_utf16(bytes: &[u8], encoding: Encoding, mark: usize) -> Result<(Cow<'_, str>, Encoding), SheetErrorKind> {
    let decoder = if encoding == Encoding::Utf16LittleEndian { UTF_16LE } else { UTF_16BE };
    match decoder.decode_without_bom_handling_and_without_replacement(bytes) {
        Some(text) => Ok((text, encoding)),
        None => Err(SheetErrorKind::UnknownEncoding { byte: mark }),
    }
}

/// Latin text in UTF-16 without a mark has a zero in nearly every second byte.
fn unmarked_utf16(bytes: &[u8]) -> Option<Encoding> {
    let head = &bytes[..bytes.len().min(512) & !1];
    if head.len() < 8 {
        return None;
    }
    let zeros = |offset: usize| head.iter().skip(offset).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd, half) = (zeros(0), zeros(1), head.len() / 2);
    match () {
        () if odd * 4 > half * 3 && even == 0 => Some(Encoding::Utf16LittleEndian),
        () if even * 4 > half * 3 && odd == 0 => Some(Encoding::Utf16BigEndian),
        () => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16(text: &str, little: bool) -> Vec<u8> {
        text.encode_utf16().flat_map(|unit| if little { unit.to_le_bytes() } else { unit.to_be_bytes() }).collect()
    }

    #[test]
    fn every_encoding_gives_the_same_text() {
        let text = "姓名,电话\n张三,13800138000\n";
        let (gbk, _, failed) = GB18030.encode(text);
        assert!(!failed);
        let marked = |mark: &[u8], body: Vec<u8>| [mark, &body].concat();
        let cases = [
            (text.as_bytes().to_vec(), Encoding::Utf8),
            (marked(b"\xEF\xBB\xBF", text.as_bytes().to_vec()), Encoding::Utf8),
            (marked(b"\xFF\xFE", utf16(text, true)), Encoding::Utf16LittleEndian),
            (marked(b"\xFE\xFF", utf16(text, false)), Encoding::Utf16BigEndian),
            (gbk.into_owned(), Encoding::Gb18030),
        ];
        for (bytes, encoding) in cases {
            let (decoded, found) = decode(&bytes).unwrap();
            assert_eq!((&*decoded, found), (text, encoding));
        }
    }

    #[test]
    fn latin_utf16_is_told_without_a_mark() {
        let text = "well,cycle,fluor\nA1,1,0.5\n";
        assert_eq!(decode(&utf16(text, true)).unwrap().1, Encoding::Utf16LittleEndian);
        assert_eq!(decode(&utf16(text, false)).unwrap().0, text);
    }

    #[test]
    fn the_first_foreign_byte_is_named() {
        assert_eq!(decode(b"caf\xE9,ol\xE9"), Err(SheetErrorKind::UnknownEncoding { byte: 3 }));
        assert_eq!(decode(b"\xEF\xBB\xBFab\xFF"), Err(SheetErrorKind::UnknownEncoding { byte: 5 }));
        assert_eq!(decode(b"\xFF\xFEa"), Err(SheetErrorKind::UnknownEncoding { byte: 2 }));
    }
}
