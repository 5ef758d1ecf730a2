//! JSON with line numbers, so that an error can name its line. Repeated keys and trailing text are errors.

use super::ModelError;

const MOST_DEPTH: u32 = 16;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Null,
    Bool,
    Number(f64),
    Text(String),
    List(Vec<Node>),
    Object(Vec<(String, Node)>),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    pub line: u32,
    pub value: Value,
}

pub(super) fn read(text: &str) -> Result<Node, ModelError> {
    let mut reader = Reader { text, at: 0, line: 1 };
    let node = reader.node(0)?;
    reader.space();
    if reader.at < text.len() { Err(reader.error("nothing may follow the model")) } else { Ok(node) }
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    line: u32,
}

impl<'t> Reader<'t> {
    fn error(&self, problem: impl Into<String>) -> ModelError {
        ModelError { line: self.line, field: "JSON".to_owned(), problem: problem.into() }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while let Some(byte @ (b' ' | b'\t' | b'\r' | b'\n')) = self.peek() {
            self.line += u32::from(byte == b'\n');
            self.at += 1;
        }
    }

    /// Skips space and, if it stands there, the mark.
    fn take(&mut self, mark: u8) -> bool {
        self.space();
        let found = self.peek() == Some(mark);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, mark: u8) -> Result<(), ModelError> {
        if self.take(mark) { Ok(()) } else { Err(self.error(format!("expected `{}`", char::from(mark)))) }
    }

    fn node(&mut self, depth: u32) -> Result<Node, ModelError> {
        self.space();
        let line = self.line;
        if depth > MOST_DEPTH {
            return Err(self.error(format!("may not be nested deeper than {MOST_DEPTH}")));
        }
        let value = match self.peek() {
            Some(b'{') => self.object(depth)?,
            Some(b'[') => self.list(depth)?,
            Some(b'"') => Value::Text(self.string()?),
            Some(b'-' | b'0'..=b'9') => Value::Number(self.number()?),
            _ => self.word()?,
        };
        Ok(Node { line, value })
    }

    fn object(&mut self, depth: u32) -> Result<Value, ModelError> {
        self.expect(b'{')?;
        let mut fields: Vec<(String, Node)> = Vec::new();
        if self.take(b'}') {
            return Ok(Value::Object(fields));
        }
        let mut known = std::collections::HashSet::new();
        loop {
            self.space();
            let name = self.string()?;
            if !known.insert(name.clone()) {
                return Err(self.error(format!("the key {name:?} stands twice")));
            }
            self.expect(b':')?;
            fields.push((name, self.node(depth + 1)?));
            if !self.take(b',') {
                self.expect(b'}')?;
                return Ok(Value::Object(fields));
            }
        }
    }

    fn list(&mut self, depth: u32) -> Result<Value, ModelError> {
        self.expect(b'[')?;
        let mut items = Vec::new();
        if self.take(b']') {
            return Ok(Value::List(items));
        }
        loop {
            items.push(self.node(depth + 1)?);
            if !self.take(b',') {
                self.expect(b']')?;
                return Ok(Value::List(items));
            }
        }
    }

    fn string(&mut self) -> Result<String, ModelError> {
        let start = self.at;
        if self.peek() != Some(b'"') {
            return Err(self.error("expected a text in quotes"));
        }
        self.at += 1;
        loop {
            match self.peek() {
                None | Some(b'\n') => return Err(self.error("a text is not closed")),
                Some(b'"') => break,
                Some(b'\\') => self.at += 2,
                Some(_) => self.at += 1,
            }
        }
        self.at += 1;
        let quoted = self.text.get(start..self.at).unwrap_or("");
        serde_json::from_str(quoted).map_err(|_| self.error("a text holds a wrong escape or a control character"))
    }

    fn number(&mut self) -> Result<f64, ModelError> {
        let word = self.letters();
        serde_json::from_str(word).map_err(|_| self.error(format!("{word:?} is not a number")))
    }

    fn word(&mut self) -> Result<Value, ModelError> {
        match self.letters() {
            "null" => Ok(Value::Null),
            "true" | "false" => Ok(Value::Bool),
            word => Err(self.error(format!("expected a value, found {word:?}"))),
        }
    }

    fn letters(&mut self) -> &'t str {
        let (text, start) = (self.text, self.at);
        while self.peek().is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.')) {
            self.at += 1;
        }
        &text[start..self.at]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_know_their_lines() -> Result<(), ModelError> {
        let Value::Object(fields) = read("{\"a\": [1,\n -2.5e1],\n\"b\\n\": null, \"c\": true}")?.value else { panic!("an object") };
        assert_eq!(fields[0].0, "a");
        let Value::List(items) = &fields[0].1.value else { panic!("a list") };
        assert_eq!(items[1], Node { line: 2, value: Value::Number(-25.0) });
        assert_eq!(fields[1], ("b\n".to_owned(), Node { line: 3, value: Value::Null }));
        assert_eq!(fields[2].1.value, Value::Bool);
        Ok(())
    }

    #[test]
    fn broken_texts_are_refused_with_their_line() {
        let deep = "[".repeat(100_000);
        let broken = [
            "",
            "{",
            "[1,]",
            "{\"a\" 1}",
            "{\"a\": 1,}",
            "{\"a\": 1 \"b\": 2}",
            "[1 2]",
            "01",
            "1.",
            "+1",
            "NaN",
            "Infinity",
            "1e999",
            "nul",
            "\"a",
            "\"\\x\"",
            "\"\\",
            "[1] 2",
            "{a: 1}",
            &deep,
            "\u{feff}1",
            "[1é]",
            "\"\u{1}\"",
        ];
        for text in broken {
            assert!(read(text).is_err(), "{text}");
        }
        assert_eq!(read("{\n\"a\": 1,\n\"a\": 2}").map_err(|error| error.to_string()), Err("line 3: JSON: the key \"a\" stands twice".to_owned()));
    }
}
