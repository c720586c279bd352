//! Where a configuration comes from: a file of ours or the folder of a Janus server, over it the environment, over that what was
//! set on the command line. Each is tried as it is laid over the others, so that what is wrong is known by where it was set.

use std::path::{Path, PathBuf};

use serde::Deserialize as _;
use toml::{Table, Value};

use super::{Config, ConfigError};
use crate::janus::JanusConfig;

/// Variables of ours begin so, and have two underscores between section and key.
const PREFIX: &str = "PLENUM_";
const BETWEEN: &str = "__";

/// What a configuration is read from, at the start and at every reload.
#[derive(Debug, Clone, Default)]
pub struct Source {
    /// A file of ours.
    pub file: Option<PathBuf>,
    /// The folder of a Janus server, in place of a file.
    pub janus: Option<PathBuf>,
    /// `key=value` with dotted keys.
    pub assignments: Vec<String>,
}

/// A key that was set over the file.
struct Overlay {
    /// How it was set, as the operator knows it.
    name: String,
    /// Dotted.
    key: String,
    /// As it was written.
    text: String,
}

impl Source {
    /// Reads the configuration: the defaults, then the file or folder, then `PLENUM_SECTION__KEY` from the environment, then
    /// the assignments.
    ///
    /// # Errors
    /// Names the key, where it was set, and what would be right.
    pub fn load(&self) -> Result<Config, ConfigError> {
        let (mut config, mut table) = match &self.janus {
            Some(folder) => {
                let janus = JanusConfig::read(folder)?;
                (janus.as_config()?, janus.settings().clone())
            }
            None => self.file.as_deref().map_or_else(|| Ok(Default::default()), read)?,
        };
        for overlay in self.overlays()? {
            (config, table) = overlay.lay_over(table)?;
        }
        config.validate(self.file.as_deref()).map_err(|error| self.located(error))?;
        Ok(config)
    }

    /// An error about a value, at the place that set it.
    #[must_use]
    pub fn located(&self, error: ConfigError) -> ConfigError {
        let Some(key) = error.key() else { return error };
        let sets = |overlay: &Overlay| {
            let begins = |long: &str, short: &str| {
                long.strip_prefix(short).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            };
            begins(key, &overlay.key) || begins(&overlay.key, key)
        };
        let overlays = self.overlays().unwrap_or_default();
        match overlays.into_iter().rev().find(sets) {
            Some(overlay) => error.at(overlay.name),
            None => error,
        }
    }

    fn overlays(&self) -> Result<Vec<Overlay>, ConfigError> {
        let mut overlays = Vec::new();
        let mut variables: Vec<_> =
            std::env::vars_os().filter_map(|(name, text)| Some((name.into_string().ok()?, text))).collect();
        variables.sort();
        for (name, text) in variables {
            let Some(rest) = name.strip_prefix(PREFIX) else { continue };
            let key = rest.to_lowercase().replace(BETWEEN, ".");
            let Ok(text) = text.into_string() else {
                return Err(ConfigError::overlay(&name, &key, "must be UTF-8"));
            };
            // Others have variables that begin so too, such as Kubernetes with a service of this name.
            if rest.contains(BETWEEN) || sections().contains_key(&key) {
                overlays.push(Overlay { name, key, text });
            } else if let Some(key) = meant(&key, &text) {
                let right = format!("{PREFIX}{}", key.to_uppercase().replace('.', BETWEEN));
                return Err(ConfigError::overlay(&name, &key, &format!("must be {right}: two underscores")));
            }
        }
        for assignment in &self.assignments {
            let (key, text) = assignment.split_once('=').ok_or_else(|| ConfigError::assignment(assignment))?;
            let (key, text) = (key.trim().to_owned(), text.to_owned());
            overlays.push(Overlay { name: "--set".to_owned(), key, text });
        }
        Ok(overlays)
    }
}

impl Overlay {
    /// The value is TOML, or else a bare text; and a text as well where what looks like a number has to be one.
    fn lay_over(&self, table: Table) -> Result<(Config, Table), ConfigError> {
        let bare = Value::String(self.text.clone());
        let parsed = toml::from_str::<Table>(&format!("value = {}", self.text)).ok();
        let parsed = parsed.filter(|table| table.len() == 1).and_then(|mut table| table.remove("value"));
        let first = self.with(table.clone(), parsed.clone().unwrap_or_else(|| bare.clone()));
        if first.is_err() && parsed.is_some() { self.with(table, bare).or(first) } else { first }
    }

    fn with(&self, table: Table, value: Value) -> Result<(Config, Table), ConfigError> {
        let wrong = |problem: &str| ConfigError::overlay(&self.name, &self.key, problem);
        let mut root = Value::Table(table);
        let path: Vec<&str> = self.key.split('.').collect();
        set(&mut root, &path, value).map_err(|problem| wrong(&problem))?;
        let config = Config::deserialize(root.clone()).map_err(|error| wrong(error.message()))?;
        let Value::Table(table) = root else { return Err(wrong("must be a key of a section")) };
        Ok((config, table))
    }
}

/// A file of ours.
fn read(path: &Path) -> Result<(Config, Table), ConfigError> {
    let bytes = std::fs::read(path).map_err(|error| ConfigError::unreadable(path, &error))?;
    let text = String::from_utf8(bytes).map_err(|error| ConfigError::not_utf8(path, &error))?;
    let config = toml::from_str(&text).map_err(|error| ConfigError::file(path, &text, &error))?;
    let table = toml::from_str(&text).map_err(|error| ConfigError::file(path, &text, &error))?;
    Ok((config, table))
}

/// Sets what `path` names. A number in it names an item of a list; the one behind the last is a new one.
fn set(node: &mut Value, path: &[&str], value: Value) -> Result<(), String> {
    let Some((name, rest)) = path.split_first() else {
        merge(node, value);
        return Ok(());
    };
    if let Ok(index) = name.parse::<usize>() {
        if !node.is_array() {
            *node = Value::Array(Vec::new());
        }
        let Value::Array(items) = node else { return Ok(()) };
        if index > items.len() {
            return Err(format!("must name an item from 0 to {}: there are no more", items.len()));
        }
        if index == items.len() {
            items.push(Value::Table(Table::new()));
        }
        return set(&mut items[index], rest, value);
    }
    if !node.is_table() {
        *node = Value::Table(Table::new());
    }
    let Value::Table(table) = node else { return Ok(()) };
    set(table.entry(*name).or_insert_with(|| Value::Table(Table::new())), rest, value)
}

/// Sections are laid over each other; everything else is replaced.
fn merge(node: &mut Value, value: Value) {
    match (node, value) {
        (Value::Table(under), Value::Table(over)) => {
            for (name, value) in over {
                merge(under.entry(name).or_insert_with(|| Value::Table(Table::new())), value);
            }
        }
        (node, value) => *node = value,
    }
}

/// The key that was meant by one that has a single underscore behind its section, if `text` could be its value.
fn meant(key: &str, text: &str) -> Option<String> {
    let sections = sections();
    let mut named = sections.keys().filter_map(|section| {
        let rest = key.strip_prefix(section.as_str())?.strip_prefix('_')?;
        Some(format!("{section}.{rest}"))
    });
    named.find(|key| {
        let overlay = Overlay { name: String::new(), key: key.clone(), text: text.to_owned() };
        overlay.lay_over(Table::new()).is_ok()
    })
}

/// The sections that can be set as a whole.
fn sections() -> Table {
    Table::try_from(Config { rooms: Some(Vec::new()), ..Config::default() }).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn laid(under: &str, key: &str, text: &str) -> Result<String, String> {
        let overlay = Overlay { name: "X".to_owned(), key: key.to_owned(), text: text.to_owned() };
        let (_, table) = overlay.lay_over(toml::from_str(under).unwrap()).map_err(|error| error.to_string())?;
        Ok(table.to_string())
    }

    #[test]
    fn values_are_toml_or_texts() {
        for (key, text, expected) in [
            ("http.port", "9000", "[http]\nport = 9000\n"),
            ("http.acl", r#"["10.0.0.0/8"]"#, "[http]\nacl = [\"10.0.0.0/8\"]\n"),
            ("signaling.server_name", "hall", "[signaling]\nserver_name = \"hall\"\n"),
            ("signaling.server_name", "42", "[signaling]\nserver_name = \"42\"\n"),
            ("http", "{ port = 1 }", "[http]\nport = 1\n"),
            ("rooms", "[{ room = 5 }]", "[[rooms]]\nroom = 5\n"),
            ("rooms.0.pin", "0042", "[[rooms]]\npin = \"0042\"\n"),
        ] {
            assert_eq!(laid("", key, text).as_deref(), Ok(expected));
        }
    }

    #[test]
    fn what_is_there_already_stays() {
        let under = "[http]\nport = 1\ntls = true\n\n[[rooms]]\nroom = 5\n";
        assert_eq!(laid(under, "http", "{ port = 2 }").unwrap(), under.replace("port = 1", "port = 2"));
        assert!(laid(under, "rooms.0.pin", "p").unwrap().ends_with("[[rooms]]\npin = \"p\"\nroom = 5\n"));
        assert!(laid(under, "rooms.1.room", "6").unwrap().ends_with("[[rooms]]\nroom = 6\n"));
        assert_eq!(
            laid(under, "rooms.2.room", "6").unwrap_err(),
            "X: rooms.2.room: must name an item from 0 to 1: there are no more"
        );
    }

    #[test]
    fn one_underscore_too_few_is_noticed_where_it_could_be_meant() {
        assert_eq!(meant("http_port", "9000").as_deref(), Some("http.port"));
        // What Kubernetes says of a service called plenum-http.
        assert_eq!(meant("http_port", "tcp://10.0.0.1:8088"), None);
        assert_eq!(meant("service_port", "8088"), None);
    }
}
