//! A message to bytes: UTF-8, segments ended by a carriage return.

use std::fmt::Write;

use crate::message::{Message, Repetition, Segment, Separators};

impl Message {
    /// As it goes on the wire.
    pub fn write(&self) -> String {
        let mut text = String::new();
        for segment in &self.segments {
            write_segment(&mut text, segment, &self.separators);
            text.push('\r');
        }
        text
    }
}

fn write_segment(text: &mut String, segment: &Segment, separators: &Separators) {
    text.push_str(&segment.name);
    let declares = matches!(segment.name.as_str(), "MSH" | "FHS" | "BHS");
    if declares {
        text.push(separators.field);
        text.push_str(&separators.encoding());
    }
    for field in segment.fields.iter().skip(if declares { 2 } else { 0 }) {
        text.push(separators.field);
        for (n, repetition) in field.0.iter().enumerate() {
            if n > 0 {
                text.push(separators.repetition);
            }
            write_repetition(text, repetition, separators);
        }
    }
}

fn write_repetition(text: &mut String, repetition: &Repetition, separators: &Separators) {
    for (n, component) in repetition.0.iter().enumerate() {
        if n > 0 {
            text.push(separators.component);
        }
        for (n, subcomponent) in component.iter().enumerate() {
            if n > 0 {
                text.push(separators.subcomponent);
            }
            escape(text, subcomponent, separators);
        }
    }
}

fn escape(text: &mut String, plain: &str, separators: &Separators) {
    for c in plain.chars() {
        let name = match c {
            _ if c == separators.field => "F",
            _ if c == separators.component => "S",
            _ if c == separators.subcomponent => "T",
            _ if c == separators.repetition => "R",
            _ if c == separators.escape => "E",
            _ if Some(c) == separators.truncation => "P",
            '\n' => ".br",
            _ if c.is_control() => {
                text.push(separators.escape);
                text.push('X');
                let mut bytes = [0; 4];
                for byte in c.encode_utf8(&mut bytes).bytes() {
                    _ = write!(text, "{byte:02X}");
                }
                text.push(separators.escape);
                continue;
            }
            _ => {
                text.push(c);
                continue;
            }
        };
        text.push(separators.escape);
        text.push_str(name);
        text.push(separators.escape);
    }
}
