//! Bytes from a client to JSON documents, as strictly as the Janus API reads them. It must not know what a document asks for.

use std::collections::VecDeque;

use serde_json::{Deserializer, Value};

/// Why bytes are no document, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Malformed {
    pub line: usize,
    pub column: usize,
    pub text: String,
}

/// The one document of an HTTP body.
pub(super) fn parse_one(bytes: &[u8]) -> Result<Value, Malformed> {
    let value = serde_json::from_slice(bytes)?;
    accept(&value, bytes, 0)?;
    Ok(value)
}

/// All documents of a WebSocket message, in order; at least one, and none if any of them is malformed.
pub(super) fn parse_all(bytes: &[u8]) -> Result<VecDeque<Value>, Malformed> {
    let mut documents = VecDeque::new();
    let mut stream = Deserializer::from_slice(bytes).into_iter();
    loop {
        let start = stream.byte_offset();
        let Some(document) = stream.next() else { break };
        let document = document?;
        accept(&document, &bytes[..stream.byte_offset()], start)?;
        documents.push_back(document);
    }
    if documents.is_empty() {
        return Err(Malformed::at(&[], "no document"));
    }
    Ok(documents)
}

impl Malformed {
    fn at(before: &[u8], text: &str) -> Self {
        let lines = before.split(|byte| *byte == b'\n');
        let last_line = lines.clone().next_back().unwrap_or_default();
        Self { line: lines.count(), column: last_line.len() + 1, text: text.to_owned() }
    }
}

impl From<serde_json::Error> for Malformed {
    fn from(error: serde_json::Error) -> Self {
        let text = error.to_string();
        // serde_json ends its text with " at line L column C", which the caller says in the protocol's own way.
        let text = text.split(" at line ").next().unwrap_or(&text).to_owned();
        Self { line: error.line(), column: error.column(), text }
    }
}

/// Refuses what serde_json accepts and the Janus API does not: a bare scalar, integers beyond 64 signed bits (serde_json
/// makes a float of them) and NUL in a string. `bytes` from `start` are well-formed JSON: its tokens need no second parser.
fn accept(document: &Value, bytes: &[u8], start: usize) -> Result<(), Malformed> {
    if !(document.is_object() || document.is_array()) {
        return Err(Malformed::at(&bytes[..start], "'[' or '{' expected"));
    }
    let mut in_string = false;
    let mut at = start;
    while at < bytes.len() {
        let rest = &bytes[at..];
        at += match rest[0] {
            b'"' => {
                in_string = !in_string;
                1
            }
            b'\\' if rest.starts_with(b"\\u0000") => return Err(Malformed::at(&bytes[..at], "NUL in a string")),
            b'\\' => 2,
            b'-' | b'0'..=b'9' if !in_string => {
                let number = number_at(rest);
                if number.bytes().all(|byte| byte == b'-' || byte.is_ascii_digit()) && number.parse::<i64>().is_err() {
                    return Err(Malformed::at(&bytes[..at], "integer out of range"));
                }
                number.len()
            }
            _ => 1,
        };
    }
    Ok(())
}

fn number_at(bytes: &[u8]) -> &str {
    let is_part = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E');
    let length = bytes.iter().take_while(|byte| is_part(byte)).count();
    std::str::from_utf8(&bytes[..length]).unwrap_or_default()
}
