//! Values as Janus takes them: of whatever type they are written, what counts is their text.

use jcfg::Value;

use super::Place;
use crate::config::ConfigError;

/// `true`, `"yes"`, `1` and their opposites.
pub(super) fn boolean(place: &Place, value: &Value) -> Result<bool, ConfigError> {
    match scalar(value).as_deref().map(str::to_ascii_lowercase).as_deref() {
        Some("true" | "yes" | "1") => Ok(true),
        Some("false" | "no" | "0") => Ok(false),
        _ => Err(ConfigError::foreign(place, &"must be true or false")),
    }
}

/// A number that is not negative.
pub(super) fn natural(place: &Place, value: &Value) -> Result<i64, ConfigError> {
    let number = scalar(value).and_then(|text| text.trim().parse().ok()).filter(|number: &i64| *number >= 0);
    number.ok_or_else(|| ConfigError::foreign(place, &"must be a number that is not negative"))
}

/// A text, or what can be written as one.
pub(super) fn text(place: &Place, value: &Value) -> Result<String, ConfigError> {
    scalar(value).ok_or_else(|| ConfigError::foreign(place, &"must be a text"))
}

/// Texts in an array or a list.
pub(super) fn texts(place: &Place, value: &Value) -> Result<Vec<String>, ConfigError> {
    match value {
        Value::Array(values) | Value::List(values) => values.iter().map(|value| text(place, value)).collect(),
        Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::String(_) | Value::Group(_) => {
            Err(ConfigError::foreign(place, &"must be an array of texts, such as [\"one\", \"two\"]"))
        }
    }
}

/// The first port of a range, such as `20000-40000`.
pub(super) fn first_port(place: &Place, value: &Value) -> Result<u16, ConfigError> {
    let range = text(place, value)?;
    let first = range.split('-').next().and_then(|first| first.trim().parse().ok());
    first.ok_or_else(|| ConfigError::foreign(place, &"must be two ports, such as \"20000-40000\""))
}

/// Texts two by two in a list.
pub(super) fn pairs(place: &Place, value: &Value) -> Result<Vec<Vec<String>>, ConfigError> {
    let wrong = || ConfigError::foreign(place, &"must be a list of pairs, such as ( [\"name\", \"value\"] )");
    let (Value::Array(values) | Value::List(values)) = value else { return Err(wrong()) };
    let pair = |value: &Value| texts(place, value).ok().filter(|pair| pair.len() == 2).ok_or_else(wrong);
    values.iter().map(pair).collect()
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::Bool(value) => Some(value.to_string()),
        Value::Int(number) => Some(number.to_string()),
        Value::Float(number) => Some(number.to_string()),
        Value::String(text) => Some(text.clone()),
        Value::Array(_) | Value::List(_) | Value::Group(_) => None,
    }
}
