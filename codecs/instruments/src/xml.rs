//! A cursor over XML that sees children of the element it stands in; nothing is built in memory.

use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

use crate::limits::NAME_BYTES_MAX;

/// Where and why XML could not be followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct XmlError {
    pub(crate) line: usize,
    pub(crate) detail: String,
}

pub(crate) struct Xml<'a> {
    reader: Reader<&'a [u8]>,
    text: &'a str,
    /// Bytes counted so far and the line they end in.
    counted: (usize, usize),
}

impl<'a> Xml<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        let mut reader = Reader::from_str(text);
        let config = reader.config_mut();
        config.expand_empty_elements = true;
        config.allow_dangling_amp = true;
        Xml { reader, text, counted: (0, 1) }
    }

    /// Line of the cursor, from 1.
    pub(crate) fn line(&mut self) -> usize {
        let read = usize::try_from(self.reader.buffer_position()).unwrap_or(usize::MAX).min(self.text.len());
        let (from, line) = self.counted;
        let fresh = self.text.as_bytes().get(from..read).unwrap_or(&[]);
        self.counted = (read.max(from), line + fresh.iter().filter(|byte| **byte == b'\n').count());
        self.counted.1
    }

    fn error(&mut self, detail: impl ToString) -> XmlError {
        XmlError { line: self.line(), detail: detail.to_string() }
    }

    fn event(&mut self) -> Result<Event<'a>, XmlError> {
        match self.reader.read_event() {
            Ok(Event::Eof) => Err(self.error("the XML ends inside an element")),
            Ok(event) => Ok(event),
            Err(error) => Err(self.error(error)),
        }
    }

    /// The document's outermost element.
    pub(crate) fn root(&mut self) -> Result<BytesStart<'a>, XmlError> {
        loop {
            if let Event::Start(start) = self.event()? {
                return Ok(start);
            }
        }
    }

    /// The next child of the element the cursor is in; `None` behind the last one. The child must be consumed
    /// by [`Xml::text`], [`Xml::skip`] or by taking its own children to the end.
    pub(crate) fn child(&mut self) -> Result<Option<BytesStart<'a>>, XmlError> {
        loop {
            match self.event()? {
                Event::Start(start) => return Ok(Some(start)),
                Event::End(_) => return Ok(None),
                _ => {}
            }
        }
    }

    /// Passes over the element just returned.
    pub(crate) fn skip(&mut self, start: &BytesStart<'a>) -> Result<(), XmlError> {
        match self.reader.read_to_end(start.name()) {
            Ok(_) => Ok(()),
            Err(error) => Err(self.error(error)),
        }
    }

    /// Text of the element just returned; elements inside it are passed over.
    pub(crate) fn text(&mut self) -> Result<String, XmlError> {
        let mut content = String::new();
        loop {
            match self.event()? {
                Event::Text(text) => content.push_str(&text.xml10_content()),
                Event::CData(text) => content.push_str(&text.xml10_content()),
                Event::GeneralRef(reference) => match reference.resolve_char_ref().map_err(|error| self.error(error))? {
                    Some(letter) => content.push(letter),
                    None => content.push_str(predefined(&reference.xml10_content()).ok_or_else(|| self.error("an undefined entity"))?),
                },
                Event::Start(start) => self.skip(&start)?,
                Event::End(_) => return Ok(content),
                _ => {}
            }
            if content.len() > NAME_BYTES_MAX {
                return Err(self.error("text of more than 1 KiB in one element"));
            }
        }
    }

    /// Value of an attribute, whatever its prefix, outer blanks removed.
    pub(crate) fn attribute(&mut self, start: &BytesStart<'a>, name: &str) -> Result<Option<String>, XmlError> {
        // Looking for doubled names would take the square of their number.
        for attribute in start.attributes().with_checks(false) {
            let attribute = attribute.map_err(|error| self.error(error))?;
            if attribute.key.local_name().as_ref() == name {
                let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|error| self.error(error))?;
                if value.len() > NAME_BYTES_MAX {
                    return Err(self.error("an attribute of more than 1 KiB"));
                }
                return Ok(Some(value.trim().to_owned()));
            }
        }
        Ok(None)
    }
}

fn predefined(entity: &str) -> Option<&'static str> {
    Some(match entity {
        "lt" => "<",
        "gt" => ">",
        "amp" => "&",
        "apos" => "'",
        "quot" => "\"",
        _ => return None,
    })
}
