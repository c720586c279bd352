//! What is different between two configurations, key by key, and what of a new one can be taken over while the server runs.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use toml::{Table, Value};

use super::{Admin, Config, Http, Log, Media, Mixer, Room, Secret, Signaling, WebSocket};

/// A key with two values, as an operator may read them: of a secret only whether there is one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Dotted. Rooms are named by their ids.
    pub key: String,
    /// What it was; none = it was not there.
    pub old: Option<String>,
    /// What it is; none = it is not there any more.
    pub new: Option<String>,
}

/// What stands for a secret.
const HIDDEN: &str = "(a secret)";

impl Config {
    /// This configuration with all of `new` that takes effect without a restart: in `config/plenum.toml` these keys are marked
    /// `# live`. Of the rooms it is those that this one does not have.
    #[must_use]
    pub fn reloaded(&self, new: &Self) -> Self {
        let mut next = self.clone();
        next.log = Log { filter: new.log.filter.clone(), ..next.log };
        next.http = Http {
            allow_origin: new.http.allow_origin.clone(),
            enforce_cors: new.http.enforce_cors,
            acl: new.http.acl.clone(),
            acl_forwarded: new.http.acl_forwarded,
            ..next.http
        };
        next.websocket =
            WebSocket { acl: new.websocket.acl.clone(), acl_forwarded: new.websocket.acl_forwarded, ..next.websocket };
        next.admin = Admin {
            secret: new.admin.secret.clone(),
            token: new.admin.token.clone(),
            acl: new.admin.acl.clone(),
            acl_forwarded: new.admin.acl_forwarded,
            ..next.admin
        };
        next.tls = new.tls.clone();
        next.proxies = new.proxies.clone();
        next.signaling = Signaling { string_ids: next.signaling.string_ids, ..new.signaling.clone() };
        next.limits = new.limits.clone();
        next.media = Media {
            no_media_timeout: new.media.no_media_timeout,
            slowlink_threshold: new.media.slowlink_threshold,
            ..next.media
        };
        next.mixer = Mixer { complexity: new.mixer.complexity, ..next.mixer };
        let added = self.added_rooms(new);
        if !added.is_empty() {
            next.rooms = Some(self.rooms().into_iter().chain(added).collect());
        }
        next
    }

    /// The rooms of `new` that this configuration does not have, but for those whose ids the server would draw: they cannot be
    /// told apart.
    pub(crate) fn added_rooms(&self, new: &Self) -> Vec<Room> {
        let ours = self.rooms();
        let is_new = |room: &Room| !room.room.is_blank() && ours.iter().all(|our| our.room != room.room);
        new.rooms().into_iter().filter(is_new).collect()
    }

    /// What `new` has otherwise, in the order of the keys.
    #[must_use]
    pub fn changes(&self, new: &Self) -> Vec<Change> {
        let (old, new) = (self.values(new), new.values(self));
        let keys: BTreeSet<_> = old.keys().chain(new.keys()).collect();
        let changed = keys.into_iter().filter(|key| old.get(*key) != new.get(*key));
        let shown = |shown: Option<&Shown>| shown.map(|shown| shown.text.clone());
        changed.map(|key| Change { key: key.clone(), old: shown(old.get(key)), new: shown(new.get(key)) }).collect()
    }

    /// Every secret and its key; the test of the documented keys holds this list complete.
    #[must_use]
    pub fn secrets(&self) -> Vec<(String, &Secret)> {
        let mut secrets: Vec<(String, &Secret)> = Vec::new();
        let named = [
            ("admin.secret", &self.admin.secret),
            ("admin.token", &self.admin.token),
            ("signaling.api_secret", &self.signaling.api_secret),
            ("signaling.token_auth_secret", &self.signaling.token_auth_secret),
            ("signaling.admin_key", &self.signaling.admin_key),
        ];
        secrets.extend(named.into_iter().filter_map(|(key, secret)| Some((key.to_owned(), secret.as_ref()?))));
        if let Some(turn) = &self.turn {
            secrets.push(("turn.secret".to_owned(), &turn.secret));
        }
        if let Some(rabbitmq) = &self.rabbitmq {
            secrets.push(("rabbitmq.password".to_owned(), &rabbitmq.password));
        }
        if let Some(password) = self.mqtt.as_ref().and_then(|mqtt| mqtt.password.as_ref()) {
            secrets.push(("mqtt.password".to_owned(), password));
        }
        for (index, webhook) in self.webhooks.iter().enumerate() {
            secrets.extend(webhook.key.as_ref().map(|key| (format!("webhooks.{index}.key"), key)));
        }
        for room in self.rooms.iter().flatten() {
            for (key, secret) in [("secret", &room.secret), ("pin", &room.pin)] {
                secrets.extend(secret.as_ref().map(|secret| (format!("rooms.{}.{key}", room.room), secret)));
            }
            let tokens = room.allowed.iter().flatten().enumerate();
            secrets.extend(tokens.map(|(index, token)| (format!("rooms.{}.allowed.{index}", room.room), token)));
        }
        secrets
    }

    /// What an operator should know of it that is no reason to refuse it.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let exposed = self.secrets().into_iter().filter_map(|(key, secret)| {
            let file = secret.exposed_file()?.display();
            Some(format!("{key}: everybody on this machine can read {file}: chmod o= {file}"))
        });
        exposed.collect()
    }

    /// Every value by its key. Of a room that `other` does not have it is its description only.
    fn values(&self, other: &Self) -> BTreeMap<String, Shown> {
        let mut values = BTreeMap::new();
        let plain = Self { rooms: None, webhooks: Vec::new(), ..self.clone() };
        flatten("", Table::try_from(plain).unwrap_or_default(), &mut values);
        for (index, webhook) in self.webhooks.iter().enumerate() {
            flatten(&format!("webhooks.{index}"), Table::try_from(webhook).unwrap_or_default(), &mut values);
        }
        let others = other.rooms();
        let (shared, own): (Vec<Room>, Vec<Room>) =
            self.rooms().into_iter().partition(|room| others.iter().any(|other| other.room == room.room));
        for room in shared {
            let key = format!("rooms.{}", room.room);
            flatten(&key, Table::try_from(room).unwrap_or_default(), &mut values);
        }
        for (key, secret) in self.secrets() {
            let list = key.split_once(".allowed.").map(|(room, _)| format!("{room}.allowed"));
            values.retain(|name, _| !(name == &key || name == &format!("{key}.file") || Some(name) == list.as_ref()));
            values.insert(key, Shown { text: HIDDEN.to_owned(), hidden: Some(secret.reveal().to_owned()) });
        }
        for room in own {
            let key = format!("rooms.{}", room.room);
            values.retain(|name, _| !name.starts_with(&format!("{key}.")));
            values.insert(key, Shown { text: format!("{:?}", room.description), hidden: None });
        }
        values
    }
}

/// A value, and what of it is compared but not shown.
#[derive(PartialEq, Eq)]
struct Shown {
    text: String,
    hidden: Option<String>,
}

fn flatten(prefix: &str, table: Table, values: &mut BTreeMap<String, Shown>) {
    for (name, value) in table {
        let key = if prefix.is_empty() { name } else { format!("{prefix}.{name}") };
        match value {
            Value::Table(inner) => flatten(&key, inner, values),
            Value::String(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::Boolean(_)
            | Value::Datetime(_)
            | Value::Array(_) => drop(values.insert(key, Shown { text: value.to_string(), hidden: None })),
        }
    }
}
