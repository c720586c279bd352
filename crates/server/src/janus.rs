//! The configuration folder of a Janus server, read as it is: what of it is a setting here, and of everything else why
//! not. Writes nothing, and knows no grammar: that is `jcfg`'s.

mod keys;
mod network;
mod rooms;
mod value;

use std::fmt;
use std::io;
use std::path::Path;

use jcfg::{Group, Setting, Value};

use crate::config::remedy::remedy;
use crate::config::{Config, ConfigError, Media};
use keys::{FILES, Meaning, Section};
use value::{boolean, first_port, natural, pairs, text, texts};

/// What a Janus server's folder says in the words of [`Config`].
#[derive(Debug, Default)]
pub struct JanusConfig {
    /// Keys that differ from the default or were written down.
    settings: toml::Table,
    notes: Vec<Note>,
}

/// Something that was not taken over.
#[derive(Debug)]
pub struct Note {
    place: Place,
    why: String,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.why)
    }
}

/// Where a key stands.
#[derive(Clone, Debug)]
struct Place {
    file: String,
    line: Option<usize>,
    key: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, " line {line}")?;
        }
        if self.key.is_empty() { Ok(()) } else { write!(f, ": {}", self.key) }
    }
}

/// A file of the folder.
#[derive(Debug)]
struct Document {
    name: String,
    group: Group,
}

impl Document {
    fn place(&self, section: &str, setting: &Setting) -> Place {
        let key = format!("{section}.{}", setting.name);
        Place { file: self.name.clone(), line: Some(setting.position.line), key }
    }

    /// A setting of a section, and where it stands.
    fn find(&self, section: &str, name: &str) -> Option<(Place, &Value)> {
        let Value::Group(group) = &self.group.get(section)?.value else { return None };
        let setting = group.get(name)?;
        Some((self.place(section, setting), &setting.value))
    }

    /// Whether a switch is on; it is off where it is not there.
    fn switch(&self, section: &str, name: &str) -> Result<bool, ConfigError> {
        self.find(section, name).map_or(Ok(false), |(place, value)| boolean(&place, value))
    }
}

impl JanusConfig {
    /// Reads a folder. Files that are not there leave everything as it is by default, without the demo room; `janus.jcfg`
    /// must be.
    ///
    /// # Errors
    /// Names the file, the line, the key, and what would be right.
    pub fn read(folder: &Path) -> Result<Self, ConfigError> {
        let mut config = Self::default();
        // Without the AudioBridge's file a Janus has no rooms.
        config.settings.insert("rooms".to_owned(), toml::Value::Array(Vec::new()));
        for (name, sections) in FILES {
            let path = folder.join(name);
            let bytes = match std::fs::read(&path) {
                Ok(bytes) => bytes,
                Err(error) if error.kind() == io::ErrorKind::NotFound && name != "janus.jcfg" => continue,
                Err(error) => return Err(ConfigError::unreadable(&path, &error)),
            };
            let group = Group::parse(&bytes).map_err(|error| ConfigError::foreign(&path.display(), &error))?;
            let document = Document { name: name.to_owned(), group };
            if config.is_off(&document)? {
                let place = Place { file: document.name.clone(), line: None, key: String::new() };
                config.note(place, "this transport is off (enabled = false), so nothing of it is taken over");
                continue;
            }
            let first = config.notes.len();
            config.take_sections(&document, sections)?;
            match name {
                "janus.jcfg" => config.take_core(&document)?,
                "janus.plugin.audiobridge.jcfg" => config.take_rooms(&document)?,
                "janus.transport.http.jcfg" => config.take_http(&document)?,
                "janus.transport.websockets.jcfg" => config.take_websockets(&document)?,
                _ => {}
            }
            config.notes[first..].sort_by_key(|note| note.place.line);
        }
        config.as_config()?;
        Ok(config)
    }

    /// What was not taken over, in the order of the files.
    #[must_use]
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// The same as a file of ours, with what was not taken over in comments.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let mut text = toml::to_string(&self.settings).unwrap_or_default();
        if !self.notes.is_empty() {
            text.push_str("\n# What has no meaning here, and why:\n");
        }
        for note in &self.notes {
            text.push_str(&format!("# {note}\n"));
        }
        text
    }

    /// Keys of ours that differ from the default or were written down.
    pub(crate) fn settings(&self) -> &toml::Table {
        &self.settings
    }

    pub(crate) fn as_config(&self) -> Result<Config, ConfigError> {
        let table = toml::Value::Table(self.settings.clone());
        table.try_into().map_err(|error: toml::de::Error| ConfigError::foreign(&"the folder", &error.message()))
    }

    /// A transport that has a switch for all of itself.
    fn is_off(&self, document: &Document) -> Result<bool, ConfigError> {
        let switched = ["janus.transport.pfunix.jcfg", "janus.transport.rabbitmq.jcfg", "janus.transport.mqtt.jcfg"];
        Ok(switched.contains(&document.name.as_str())
            && !document.switch("general", "enabled")?
            && !document.switch("admin", "admin_enabled")?)
    }

    /// Goes through everything that a file says, so that nothing of it is left without a word.
    fn take_sections(&mut self, document: &Document, sections: &[Section]) -> Result<(), ConfigError> {
        for setting in &document.group.settings {
            if document.name == "janus.plugin.audiobridge.jcfg" && setting.name.starts_with("room-") {
                continue;
            }
            let known = sections.iter().find(|section| section.name == setting.name);
            let (Some(section), Value::Group(group)) = (known, &setting.value) else {
                let key = setting.name.clone();
                let place = Place { file: document.name.clone(), line: Some(setting.position.line), key };
                self.note(place, "Janus has no such section");
                continue;
            };
            for setting in &group.settings {
                let place = document.place(section.name, setting);
                let meaning = section.keys.iter().find(|(name, _)| *name == setting.name).map(|(_, meaning)| meaning);
                self.take(document, place, &setting.value, meaning.unwrap_or(&Meaning::Nothing(keys::UNKNOWN)))?;
            }
        }
        Ok(())
    }

    fn take(&mut self, document: &Document, place: Place, value: &Value, meaning: &Meaning) -> Result<(), ConfigError> {
        match meaning {
            Meaning::Bool(key) => self.set(place.clone(), key, boolean(&place, value)?),
            Meaning::Number(key) => self.set(place.clone(), key, natural(&place, value)?),
            Meaning::Text(key) => self.set(place.clone(), key, text(&place, value)?),
            Meaning::One(key) => self.set(place.clone(), key, vec![text(&place, value)?]),
            Meaning::Texts(key) => self.set(place.clone(), key, texts(&place, value)?),
            Meaning::Pairs(key) => self.set(place.clone(), key, pairs(&place, value)?),
            Meaning::Switch(key) if boolean(&place, value)? => self.set(place, key, toml::Table::new()),
            Meaning::Switch(_) => Ok(()),
            Meaning::Where((section, name), inner) => {
                if document.switch(section, name)? {
                    self.take(document, place, value, inner)
                } else {
                    self.note(place, format!("{section}.{name} is not on"));
                    Ok(())
                }
            }
            Meaning::Networks(key) => self.set(place.clone(), key, network::list(&place, value)?),
            Meaning::Nothing(why) => {
                self.note(place, *why);
                Ok(())
            }
            Meaning::Together => Ok(()),
        }
    }

    /// Sets a dotted key, if there is such a key and the value is one for it.
    fn set(&mut self, place: Place, key: &str, value: impl Into<toml::Value>) -> Result<(), ConfigError> {
        let value = value.into();
        let alone = key
            .rsplit('.')
            .fold(value.clone(), |inner, part| toml::Value::Table(toml::Table::from_iter([(part.to_owned(), inner)])));
        if let Err(error) = alone.try_into::<Config>() {
            if error.message().contains("unknown field") {
                self.note(place, "this version of Plenum does not have it");
                return Ok(());
            }
            return Err(ConfigError::foreign(&place, &remedy(None, error.message())));
        }
        let (sections, name) = key.rsplit_once('.').unwrap_or(("", key));
        let mut table = &mut self.settings;
        for section in sections.split('.') {
            let inner = table.entry(section).or_insert_with(|| toml::Value::Table(toml::Table::new()));
            let toml::Value::Table(inner) = inner else { return Ok(()) };
            table = inner;
        }
        match (table.get_mut(name), value) {
            // A section that is switched on may have some of its keys already.
            (Some(toml::Value::Table(_)), toml::Value::Table(_)) => {}
            (_, value) => drop(table.insert(name.to_owned(), value)),
        }
        Ok(())
    }

    fn note(&mut self, place: Place, why: impl Into<String>) {
        self.notes.push(Note { place, why: why.into() });
    }

    /// What is more than one value taken over as it is.
    fn take_core(&mut self, janus: &Document) -> Result<(), ConfigError> {
        if let Some((place, value)) = janus.find("general", "debug_level") {
            let level = natural(&place, value)?;
            let filter = match level {
                0 => "off",
                1 | 2 => "error",
                3 => "warn",
                4 => "info,str0m=error,is=error,dimpl=error",
                5 | 6 => "debug,str0m=error,is=error,dimpl=error",
                _ => "trace,str0m=error,is=error,dimpl=error",
            };
            self.set(place, "log.filter", filter)?;
        }
        let is_on = match janus.find("general", "token_auth") {
            Some((place, value)) => boolean(&place, value)?,
            None => false,
        };
        match janus.find("general", "token_auth_secret") {
            Some((place, value)) if is_on => {
                let secret = text(&place, value)?;
                self.set(place, "signaling.token_auth_secret", secret)?;
            }
            Some((place, _)) => self.note(place, "token_auth is not on"),
            None => {}
        }
        self.take_addresses(janus)?;
        if let Some((place, value)) = janus.find("media", "rtp_port_range") {
            let first = first_port(&place, value)?;
            self.set(place.clone(), "media.port", i64::from(first))?;
            self.note(
                place,
                "of the range only the first port matters: each net thread takes one port, counted up from it",
            );
        }
        if let Some((place, value)) = janus.find("nat", "ice_tcp")
            && boolean(&place, value)?
        {
            let port = match janus.find("media", "rtp_port_range") {
                Some((place, value)) => first_port(&place, value)?,
                None => Media::default().port,
            };
            self.set(place.clone(), "media.tcp_port", i64::from(port))?;
            self.note(place, "TCP connections are taken on one port, the first of rtp_port_range");
        }
        for (library, key) in [("libjanus_http.so", "http.enabled"), ("libjanus_websockets.so", "websocket.enabled")] {
            let disabled = janus.find("transports", "disable");
            if let Some((place, value)) = disabled
                && text(&place, value)?.split(',').any(|name| name.trim() == library)
            {
                self.set(place, key, false)?;
            }
        }
        Ok(())
    }

    /// The addresses of media: one to use, and one to tell.
    fn take_addresses(&mut self, janus: &Document) -> Result<(), ConfigError> {
        for (section, name, key, why) in [
            ("nat", "ice_enforce_list", "media.address", "media.address takes one address, not a list or an interface"),
            ("general", "interface", "media.address", "media.address takes an address, not the name of an interface"),
            ("nat", "nat_1_1_mapping", "media.public_ip", "media.public_ip takes one address"),
        ] {
            let Some((place, value)) = janus.find(section, name) else { continue };
            let address = text(&place, value)?;
            match address.trim().parse::<std::net::IpAddr>() {
                Ok(address) => self.set(place, key, address.to_string())?,
                Err(_) => self.note(place, why),
            }
        }
        Ok(())
    }

    fn take_http(&mut self, http: &Document) -> Result<(), ConfigError> {
        let tls = self.certificate(http, &[("general", "https"), ("admin", "admin_https")])?;
        self.note_unless(tls, http);
        let is_on = match http.find("admin", "admin_http") {
            Some((place, value)) => {
                let is_on = boolean(&place, value)?;
                if !is_on {
                    self.note(
                        place,
                        "the port of the admin API has the metrics too, so it is open, for this machine only",
                    );
                }
                is_on
            }
            None => false,
        };
        match http.find("admin", "admin_ip") {
            Some((place, value)) if is_on => {
                let address = text(&place, value)?;
                self.set(place, "admin.address", address)?;
            }
            Some((place, _)) => self.note(place, "admin_http is not on"),
            None if is_on => {
                let place = Place { file: http.name.clone(), line: None, key: "admin.admin_http".to_owned() };
                self.set(place, "admin.address", "0.0.0.0")?;
            }
            None => {}
        }
        Ok(())
    }

    fn take_websockets(&mut self, websockets: &Document) -> Result<(), ConfigError> {
        let tls = self.certificate(websockets, &[("general", "wss"), ("admin", "admin_wss")])?;
        self.note_unless(tls, websockets);
        if let Some((place, value)) = websockets.find("admin", "admin_ws_acl") {
            let networks = network::list(&place, value)?;
            match self.settings.get("admin").and_then(|admin| admin.get("acl")) {
                None => self.set(place, "admin.acl", networks)?,
                Some(there) if *there == toml::Value::from(networks) => {}
                Some(_) => self.note(place, "all ports of the admin API have one list: admin.acl, from admin_acl"),
            }
        }
        for key in ["allow_origin", "enforce_cors"] {
            let Some((place, value)) = websockets.find("cors", key) else { continue };
            let there = self.settings.get("http").and_then(|http| http.get(key));
            let here: toml::Value =
                if key == "enforce_cors" { boolean(&place, value)?.into() } else { text(&place, value)?.into() };
            match there {
                Some(there) if *there == here => {}
                Some(_) => self.note(place, "HTTP and WebSocket have one setting: that of janus.transport.http.jcfg"),
                None => self.set(place, &format!("http.{key}"), here)?,
            }
        }
        Ok(())
    }

    /// The certificate of a file, if one of these switches of it is on; whether one is.
    fn certificate(&mut self, document: &Document, switches: &[(&str, &str)]) -> Result<bool, ConfigError> {
        let mut is_on = false;
        for (section, name) in switches {
            if let Some((place, value)) = document.find(section, name) {
                is_on |= boolean(&place, value)?;
            }
        }
        if is_on {
            for (name, key) in [("cert_pem", "tls.certificate"), ("cert_key", "tls.key")] {
                if let Some((place, value)) = document.find("certificates", name) {
                    let path = text(&place, value)?;
                    self.set(place, key, path)?;
                }
            }
            if let Some((place, _)) = document.find("certificates", "cert_pwd") {
                return Err(ConfigError::foreign(
                    &place,
                    &"must be left out: store the key without a password (openssl pkey -in old.key -out new.key)",
                ));
            }
        }
        Ok(is_on)
    }

    fn note_unless(&mut self, tls: bool, document: &Document) {
        if !tls && let Some((place, _)) = document.find("certificates", "cert_pem") {
            self.note(place, "no port of this file has TLS on");
        }
    }
}
