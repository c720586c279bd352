//! Why a configuration is refused: always the key, where it stands, and what would be right.

use std::fmt::Write as _;
use std::io;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A configuration that the server does not start with.
#[derive(Debug)]
pub struct ConfigError(String);

impl std::error::Error for ConfigError {}

impl std::fmt::Display for ConfigError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl ConfigError {
    /// A value of the right type that cannot be used: `right` says what could. The line is looked up in `file`.
    #[must_use]
    pub fn value(file: Option<&Path>, key: &str, right: &str) -> Self {
        let mut text = String::new();
        if let Some(path) = file
            && let Some(line) = std::fs::read_to_string(path).ok().and_then(|text| line_of(&text, key))
        {
            let _ = write!(text, "{} line {line}: ", path.display());
        }
        let _ = write!(text, "{key}: must be {right}");
        Self(text)
    }

    pub(crate) fn unreadable(path: &Path, error: &io::Error) -> Self {
        Self(format!("{}: cannot be read: {error}", path.display()))
    }

    /// `toml`'s own message holds the line, the text there, and what was expected.
    pub(crate) fn file(path: &Path, error: &toml::de::Error) -> Self {
        Self(format!("{}: {error}", path.display()))
    }

    /// Something wrong in a file that is not ours; `place` names it and what is wrong there.
    pub(crate) fn foreign(place: &dyn std::fmt::Display, problem: &dyn std::fmt::Display) -> Self {
        Self(format!("{place}: {problem}"))
    }

    pub(super) fn assignment(text: &str) -> Self {
        Self(format!("--set {text}: must be KEY=VALUE, such as --set http.port=9000"))
    }

    /// An error in the environment or a flag: `figment` knows which of them set the key.
    pub(super) fn overlay(error: &figment::Error) -> Self {
        let problem = |error: figment::Error| {
            let source = error.metadata.map(|metadata| metadata.name).filter(|name| name.contains("environment"));
            let source = source.unwrap_or("--set".into());
            format!("{source}: {}: {}", error.path.join("."), error.kind)
        };
        Self(error.clone().into_iter().map(problem).collect::<Vec<_>>().join("; "))
    }
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
    use super::line_of;

    #[test]
    fn a_key_is_found_on_its_line() {
        let text = "[http]\nport = 1\n\n[[rooms]]\nroom = 5\n[[rooms]]\nroom = 6\nsampling_rate = 44100\n";
        assert_eq!(line_of(text, "http.port"), Some(2));
        assert_eq!(line_of(text, "rooms.1.sampling_rate"), Some(8));
        assert_eq!(line_of(text, "rooms.0.room"), Some(5));
        assert_eq!(line_of(text, "media.port"), None);
    }
}
