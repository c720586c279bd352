//! How the JSON of each transport is written. It must not know what it says.

use std::io;

use serde_json::Value;
use serde_json::ser::{Formatter, PrettyFormatter, Serializer};

/// The look of JSON.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum JsonStyle {
    /// No spaces.
    #[default]
    Compact,
    /// One line, a space behind each comma and colon.
    Plain,
    /// Many lines, three spaces for each level.
    Indented,
}

impl JsonStyle {
    pub(super) fn write(self, message: &Value) -> String {
        match self {
            Self::Compact => message.to_string(),
            Self::Plain => formatted(message, Spaced),
            Self::Indented => formatted(message, PrettyFormatter::with_indent(b"   ")),
        }
    }

    /// Writes anew what is JSON already, in the compact style.
    pub(super) fn rewrite(self, text: String) -> String {
        match self {
            Self::Compact => text,
            Self::Plain | Self::Indented => match serde_json::from_str(&text) {
                Ok(message) => self.write(&message),
                Err(_) => text,
            },
        }
    }
}

fn formatted(message: &Value, formatter: impl Formatter) -> String {
    let mut text = Vec::new();
    let written = serde::Serialize::serialize(message, &mut Serializer::with_formatter(&mut text, formatter));
    // Neither memory nor a `Value` refuses to be written, and what is written of it is UTF-8.
    written.ok().and_then(|()| String::from_utf8(text).ok()).unwrap_or_else(|| message.to_string())
}

struct Spaced;

impl Formatter for Spaced {
    fn begin_array_value<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_key<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn styles_differ_in_space_only() {
        let message = json!({"a": [1, {"b": "x, y: z"}], "c": {}, "d": []});
        assert_eq!(JsonStyle::Compact.write(&message), r#"{"a":[1,{"b":"x, y: z"}],"c":{},"d":[]}"#);
        assert_eq!(JsonStyle::Plain.write(&message), r#"{"a": [1, {"b": "x, y: z"}], "c": {}, "d": []}"#);
        let indented = "{\n   \"a\": [\n      1,\n      {\n         \"b\": \"x, y: z\"\n      }\n   ],\n   \"c\": {},\n   \"d\": []\n}";
        assert_eq!(JsonStyle::Indented.write(&message), indented);
        for style in [JsonStyle::Compact, JsonStyle::Plain, JsonStyle::Indented] {
            let compact = message.to_string();
            assert_eq!(style.rewrite(compact), style.write(&message));
        }
    }
}
