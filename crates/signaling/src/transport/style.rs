//! How the JSON of each transport is written. It must not know what it says.

use std::io;

use std::sync::atomic::{AtomicU8, Ordering};

use serde_json::Value;
use serde_json::ser::{Formatter, PrettyFormatter, Serializer};

use super::JsonStyles;
use crate::{Carrier, JsonStyle};

/// The style of each transport now: an operator can change it.
#[derive(Debug)]
pub(super) struct Styles {
    http: AtomicU8,
    websocket: AtomicU8,
    unix: AtomicU8,
    rabbitmq: AtomicU8,
    mqtt: AtomicU8,
}

impl Styles {
    pub(super) fn new(JsonStyles { http, websocket, unix }: JsonStyles) -> Self {
        let [http, websocket, unix, rabbitmq, mqtt] =
            [http, websocket, unix, JsonStyle::Compact, JsonStyle::Compact].map(|style| AtomicU8::new(style as u8));
        Self { http, websocket, unix, rabbitmq, mqtt }
    }

    /// Of what is carried so, or by HTTP.
    pub(super) fn of(&self, carrier: Option<Carrier>) -> JsonStyle {
        let style = self.place(carrier).load(Ordering::Relaxed);
        [JsonStyle::Plain, JsonStyle::Indented].into_iter().find(|it| *it as u8 == style).unwrap_or_default()
    }

    pub(super) fn set(&self, carrier: Option<Carrier>, style: JsonStyle) {
        self.place(carrier).store(style as u8, Ordering::Relaxed);
    }

    fn place(&self, carrier: Option<Carrier>) -> &AtomicU8 {
        match carrier {
            None => &self.http,
            Some(Carrier::WebSocket) => &self.websocket,
            Some(Carrier::Unix) => &self.unix,
            Some(Carrier::RabbitMq) => &self.rabbitmq,
            Some(Carrier::Mqtt) => &self.mqtt,
        }
    }
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
