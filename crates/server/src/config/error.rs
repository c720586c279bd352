//! Why a configuration is refused: always the key, where it stands, and what would be right.

use std::fmt;
use std::io;
use std::ops::Range;
use std::path::Path;
use std::string::FromUtf8Error;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::remedy::remedy;

/// A configuration that the server does not start with.
#[derive(Debug)]
pub struct ConfigError {
    /// Where it was set: a file with a line, a variable, a flag.
    place: Option<String>,
    /// Dotted, if it is about one.
    key: Option<String>,
    problem: String,
}

impl std::error::Error for ConfigError {}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in [&self.place, &self.key].into_iter().flatten() {
            write!(f, "{part}: ")?;
        }
        f.write_str(&self.problem)
    }
}

impl ConfigError {
    /// A value of the right type that cannot be used: `right` says what could. The line is looked up in `file`.
    #[must_use]
    pub fn value(file: Option<&Path>, key: &str, right: &str) -> Self {
        let place = file.and_then(|path| {
            let line = line_of(&std::fs::read_to_string(path).ok()?, key)?;
            Some(format!("{} line {line}", path.display()))
        });
        Self { place, key: Some(key.to_owned()), problem: format!("must be {right}") }
    }

    /// The key that it is about.
    pub(crate) fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// The same, at another place.
    pub(super) fn at(self, place: String) -> Self {
        Self { place: Some(place), ..self }
    }

    pub(crate) fn unreadable(path: &Path, error: &io::Error) -> Self {
        Self::foreign(&path.display(), &format!("cannot be read: {error}"))
    }

    pub(super) fn not_utf8(path: &Path, error: &FromUtf8Error) -> Self {
        let (bytes, wrong) = (error.as_bytes(), error.utf8_error().valid_up_to());
        let line = line_at(bytes, wrong);
        let byte = bytes.get(wrong).copied().unwrap_or_default();
        Self::foreign(
            &format_args!("{} line {line}", path.display()),
            &format_args!("must be UTF-8: byte {byte:#04x} is not"),
        )
    }

    /// What is no TOML, or not of our types. `text` is what is in the file.
    pub(crate) fn file(path: &Path, text: &str, error: &toml::de::Error) -> Self {
        let Range { start, .. } = error.span().unwrap_or(0..0);
        let line = line_at(text.as_bytes(), start);
        let place = Some(format!("{} line {line}", path.display()));
        match DeTable::parse(text) {
            Ok(document) => {
                let key = key_at(document.get_ref(), start);
                Self { place, problem: remedy(key.as_deref(), error.message()), key }
            }
            Err(_) => {
                let name = text.lines().nth(line - 1).and_then(name_in);
                let there = name.map(|name| format!(", in: {name} = …")).unwrap_or_default();
                Self { place, key: None, problem: format!("must be TOML: {}{there}", error.message()) }
            }
        }
    }

    /// A key that was set by an environment variable or a flag, which `name` is.
    pub(super) fn overlay(name: &str, key: &str, problem: &str) -> Self {
        let problem = remedy(Some(key), problem);
        Self { place: Some(name.to_owned()), key: Some(key.to_owned()), problem }
    }

    /// Something wrong in a file that is not ours; `place` names it and what is wrong there.
    pub(crate) fn foreign(place: &dyn fmt::Display, problem: &dyn fmt::Display) -> Self {
        Self { place: Some(place.to_string()), key: None, problem: problem.to_string() }
    }

    pub(super) fn assignment(text: &str) -> Self {
        Self::foreign(&format_args!("--set {text}"), &"must be KEY=VALUE, such as --set http.port=9000")
    }
}

/// What a line sets. What to may be a secret.
fn name_in(line: &str) -> Option<&str> {
    let name = line.split_once('=')?.0.trim();
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte)).then_some(name)
}

fn line_at(text: &[u8], offset: usize) -> usize {
    text.iter().take(offset).filter(|byte| **byte == b'\n').count() + 1
}

/// The dotted key at an offset: that of a key, or of the value that is there.
fn key_at(table: &DeTable<'_>, offset: usize) -> Option<String> {
    let below = |name: &str, rest: Option<String>| rest.map(|rest| format!("{name}.{rest}"));
    for (name, value) in table {
        let name_text: &str = name.get_ref();
        let found = match value.get_ref() {
            DeValue::Table(inner) => below(name_text, key_at(inner, offset)),
            DeValue::Array(items) => items.iter().enumerate().find_map(|(index, item)| {
                let inner = item.get_ref().as_table().and_then(|inner| key_at(inner, offset));
                below(name_text, below(&index.to_string(), inner))
            }),
            DeValue::String(_)
            | DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_) => None,
        };
        let here = || name.span().contains(&offset) || value.span().contains(&offset);
        if let Some(found) = found.or_else(|| here().then(|| name_text.to_owned())) {
            return Some(found);
        }
    }
    None
}

/// The line, from 1, on which the dotted `key` is set.
fn line_of(text: &str, key: &str) -> Option<usize> {
    let document = DeTable::parse(text).ok()?;
    let mut offset = None;
    let mut node: Option<&DeValue<'_>> = None;
    let mut table: Option<&DeTable<'_>> = Some(document.get_ref());
    for part in key.split('.') {
        let next: &Spanned<DeValue<'_>> = match (table, node) {
            (Some(table), _) => {
                let (name, value) = table.get_key_value(part)?;
                offset = Some(name.span().start);
                value
            }
            (None, Some(DeValue::Array(items))) => {
                let item = items.get(part.parse::<usize>().ok()?)?;
                offset = Some(item.span().start);
                item
            }
            (None, _) => break,
        };
        node = Some(next.get_ref());
        table = next.get_ref().as_table();
    }
    Some(text[..offset?].matches('\n').count() + 1)
}

#[cfg(test)]
mod tests {
    use toml::de::DeTable;

    use super::{key_at, line_of};

    #[test]
    fn a_key_is_found_on_its_line() {
        let text = "[http]\nport = 1\n\n[[rooms]]\nroom = 5\n[[rooms]]\nroom = 6\nsampling_rate = 44100\n";
        assert_eq!(line_of(text, "http.port"), Some(2));
        assert_eq!(line_of(text, "rooms.1.sampling_rate"), Some(8));
        assert_eq!(line_of(text, "rooms.0.room"), Some(5));
        assert_eq!(line_of(text, "media.port"), None);
    }

    #[test]
    fn an_offset_is_in_a_key() {
        let text = "[http]\nport = 1\nacl = [\"a\", \"b\"]\n\n[[rooms]]\nroom = 5\n[[rooms]]\nroom = 6\n";
        let document = DeTable::parse(text).unwrap();
        let at = |part: &str| key_at(document.get_ref(), text.find(part).unwrap());
        assert_eq!(at("port").as_deref(), Some("http.port"));
        assert_eq!(at("1").as_deref(), Some("http.port"));
        assert_eq!(at("\"b\"").as_deref(), Some("http.acl"));
        assert_eq!(at("6").as_deref(), Some("rooms.1.room"));
    }
}
