//! What a message may look like: JSON in which strings stand for more than themselves. `"*"` is anything, `"$name"`
//! whatever it was the first time, an object with the key `"..."` may have more keys, an array beginning with `"..."`
//! more elements.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::script::FOLDER;

/// What names stand for.
#[derive(Clone, Default)]
pub(crate) struct Bindings(BTreeMap<String, Value>);

impl Bindings {
    pub(crate) fn bind(&mut self, name: &str, value: Value) {
        self.0.insert(name.to_owned(), value);
    }

    /// Lets a name stand for something new.
    pub(crate) fn forget(&mut self, name: &str) {
        self.0.remove(name);
    }

    /// The number a name stands for.
    pub(crate) fn number(&self, name: &str) -> Result<u64, String> {
        self.0.get(name).and_then(Value::as_u64).ok_or_else(|| format!("{name} stands for no number"))
    }

    /// `template` with names and `@file` texts put in.
    pub(crate) fn fill(&self, template: &Value) -> Result<Value, String> {
        Ok(match template {
            Value::String(text) if text.starts_with('$') => {
                self.0.get(text).cloned().ok_or_else(|| format!("{text} stands for nothing"))?
            }
            Value::String(text) if text.starts_with('@') => Value::String(sdp(&text[1..])?),
            Value::Array(items) => items.iter().map(|item| self.fill(item)).collect::<Result<_, _>>()?,
            Value::Object(fields) => {
                Value::Object(fields.iter().map(|(key, value)| Ok((key.clone(), self.fill(value)?))).collect::<Result<
                    Map<_, _>,
                    String,
                >>(
                )?)
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => template.clone(),
        })
    }

    /// Whether `value` is as `pattern` says; binds names that are new.
    pub(crate) fn fits(&mut self, pattern: &Value, value: &Value) -> Result<(), String> {
        match (pattern, value) {
            (Value::String(text), _) if text == "*" => Ok(()),
            (Value::String(name), _) if name.starts_with('$') => match self.0.get(name) {
                None => {
                    self.0.insert(name.clone(), value.clone());
                    Ok(())
                }
                Some(known) if known == value => Ok(()),
                Some(known) => Err(format!("{name} is {known}, not {value}")),
            },
            (Value::Object(pattern), Value::Object(value)) => self.object_fits(pattern, value),
            (Value::Array(pattern), Value::Array(value)) => self.array_fits(pattern, value),
            _ if pattern == value => Ok(()),
            _ => Err(format!("{value} instead of {pattern}")),
        }
    }

    fn object_fits(&mut self, pattern: &Map<String, Value>, value: &Map<String, Value>) -> Result<(), String> {
        for (key, pattern) in pattern.iter().filter(|(key, _)| *key != "...") {
            let value = value.get(key).ok_or_else(|| format!("no {key}"))?;
            self.fits(pattern, value).map_err(|problem| format!("{key}: {problem}"))?;
        }
        match value.keys().find(|key| !pattern.contains_key(*key)) {
            Some(key) if !pattern.contains_key("...") => Err(format!("unexpected {key}")),
            _ => Ok(()),
        }
    }

    fn array_fits(&mut self, pattern: &[Value], value: &[Value]) -> Result<(), String> {
        if let [Value::String(dots), wanted @ ..] = pattern
            && dots == "..."
        {
            for pattern in wanted {
                if !value.iter().any(|value| self.fits(pattern, value).is_ok()) {
                    return Err(format!("nothing like {pattern}"));
                }
            }
            return Ok(());
        }
        if pattern.len() != value.len() {
            return Err(format!("{} elements instead of {}", value.len(), pattern.len()));
        }
        pattern.iter().zip(value).try_for_each(|(pattern, value)| self.fits(pattern, value))
    }
}

/// An SDP by name, with the line ends that SDP has.
pub(crate) fn sdp(name: &str) -> Result<String, String> {
    let path = format!("{FOLDER}/sdp/{name}.sdp");
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
    Ok(text.lines().map(|line| format!("{line}\r\n")).collect())
}
