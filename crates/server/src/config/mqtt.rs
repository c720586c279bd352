//! `[mqtt]`: the Janus and admin APIs over an MQTT broker.

use serde::{Deserialize, Serialize};

use super::{BrokerTls, Secret};

/// MQTT has two bytes for the length of a text (MQTT 3.1.1, section 1.5.3).
const LONGEST_TEXT: usize = 65_535;

/// `[mqtt]`: served if it is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mqtt {
    /// `tcp://HOST:PORT`, or `ssl://HOST:PORT` for TLS.
    pub url: String,
    /// The version of the protocol.
    pub version: MqttVersion,
    /// By what the broker knows us.
    pub client_id: String,
    /// Who we are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// What proves it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<Secret>,
    /// Seconds; 0 = never.
    pub keep_alive: u16,
    /// The broker keeps nothing for us while we are away.
    pub clean_session: bool,
    /// Messages that the broker has not acknowledged.
    pub max_inflight: u16,
    /// Messages that wait while there is no connection.
    pub max_buffered: usize,
    /// Version 5: names of user properties that a reply takes over from its request.
    pub proxy_user_properties: Vec<String>,
    /// Version 5: names and values of user properties that every reply has.
    pub add_user_properties: Vec<(String, String)>,
    /// Settings of TLS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<BrokerTls>,
    /// The topics of the Janus API; served if it is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api: Option<MqttTopics>,
    /// The topics of the admin API; served if it is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub admin: Option<MqttTopics>,
    /// What others are told of us, if it is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<MqttStatus>,
}

/// The versions of MQTT.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum MqttVersion {
    /// 3.1.1
    #[serde(rename = "3.1.1")]
    V3,
    /// 5
    #[serde(rename = "5")]
    V5,
}

/// `[mqtt.api]` and `[mqtt.admin]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MqttTopics {
    /// Where requests come; none = `to-janus` or `to-janus-admin`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subscribe_topic: Option<String>,
    /// 0, 1 or 2.
    pub subscribe_qos: u8,
    /// Where replies and events go; none = `from-janus` or `from-janus-admin`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub publish_topic: Option<String>,
    /// 0, 1 or 2.
    pub publish_qos: u8,
}

/// `[mqtt.status]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MqttStatus {
    /// Where others are told.
    pub topic: String,
    /// 0, 1 or 2.
    pub qos: u8,
    /// Those who come later are told as well.
    pub retain: bool,
    /// Said when we are connected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connect_message: Option<String>,
    /// Said when we go, and by the broker when we are lost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disconnect_message: Option<String>,
}

/// Where a broker is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BrokerUrl {
    pub host: String,
    pub port: u16,
    pub tls: bool,
}

impl Default for Mqtt {
    fn default() -> Self {
        Self {
            url: "tcp://localhost:1883".to_owned(),
            version: MqttVersion::V3,
            client_id: "guest".to_owned(),
            username: None,
            password: None,
            keep_alive: 20,
            clean_session: false,
            max_inflight: 10,
            max_buffered: 100,
            proxy_user_properties: Vec::new(),
            add_user_properties: Vec::new(),
            tls: None,
            api: None,
            admin: None,
            status: None,
        }
    }
}

impl Default for MqttTopics {
    fn default() -> Self {
        Self { subscribe_topic: None, subscribe_qos: 1, publish_topic: None, publish_qos: 1 }
    }
}

impl Default for MqttStatus {
    fn default() -> Self {
        Self { topic: "status".to_owned(), qos: 1, retain: false, connect_message: None, disconnect_message: None }
    }
}

impl Mqtt {
    /// Where the broker is; `None` if `url` does not say it.
    pub(crate) fn broker(&self) -> Option<BrokerUrl> {
        let (scheme, rest) = self.url.split_once("://")?;
        let (tls, usual_port) = match scheme {
            "tcp" | "mqtt" => (false, 1883),
            "ssl" | "mqtts" => (true, 8883),
            _ => return None,
        };
        // An IPv6 address has colons of its own, and stands in brackets.
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, port.parse().ok()?),
            Some(_) | None => (rest, usual_port),
        };
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let is_host = !host.is_empty() && !host.contains(['/', '@', '?', '#']);
        is_host.then(|| BrokerUrl { host: host.to_owned(), port, tls })
    }

    /// The first key that cannot be used, and what it must be.
    pub(super) fn problem(&self) -> Option<(String, String)> {
        let wrong = |key: &str, right: &str| Some((key.to_owned(), right.to_owned()));
        match self.broker() {
            None => return wrong("url", "tcp://HOST:PORT, or ssl://HOST:PORT for TLS"),
            Some(broker) if self.tls.is_some() && !broker.tls => {
                return wrong("url", "ssl://HOST:PORT, as there is an mqtt.tls");
            }
            Some(_) => {}
        }
        if self.client_id.is_empty() && !self.clean_session {
            return wrong("client_id", "a name by which the broker knows us again, or mqtt.clean_session true");
        }
        if self.password.is_some() && self.username.is_none() {
            return wrong("username", "there, as mqtt.password is");
        }
        if self.max_inflight == 0 {
            return wrong("max_inflight", "at least 1");
        }
        let properties = [
            ("proxy_user_properties", self.proxy_user_properties.is_empty()),
            ("add_user_properties", self.add_user_properties.is_empty()),
        ];
        if self.version == MqttVersion::V3
            && let Some((key, _)) = properties.iter().find(|(_, empty)| !empty)
        {
            return wrong(key, "empty, or mqtt.version \"5\": older versions have no user properties");
        }
        self.topics_problem()
            .or_else(|| self.status.as_ref().and_then(MqttStatus::problem))
            .or_else(|| self.tls.as_ref().and_then(BrokerTls::problem))
    }

    fn topics_problem(&self) -> Option<(String, String)> {
        let sections = [("api", &self.api), ("admin", &self.admin)];
        let sections: Vec<_> = sections.iter().filter_map(|(name, topics)| Some((*name, topics.as_ref()?))).collect();
        if sections.is_empty() {
            return Some(("api".to_owned(), "there, or mqtt.admin: the topics to serve".to_owned()));
        }
        let incoming: Vec<_> = sections.iter().map(|(section, topics)| topics.subscribe_topic(section)).collect();
        for (section, topics) in &sections {
            let (subscribe, publish) = (topics.subscribe_topic(section), topics.publish_topic(section));
            let right = if !is_topic(&subscribe) {
                ("subscribe_topic", TOPIC)
            } else if !is_topic(&publish) {
                ("publish_topic", TOPIC)
            } else if topics.subscribe_qos > 2 {
                ("subscribe_qos", QOS)
            } else if topics.publish_qos > 2 {
                ("publish_qos", QOS)
            } else if incoming.iter().filter(|topic| **topic == subscribe).count() > 1 {
                ("subscribe_topic", "another topic than that of the other API")
            } else if incoming.contains(&publish) {
                // What we say would come back as a request, and be answered.
                ("publish_topic", "no topic of requests")
            } else {
                continue;
            };
            return Some((format!("{section}.{}", right.0), right.1.to_owned()));
        }
        None
    }
}

impl MqttTopics {
    /// Where requests of `section` come.
    pub(crate) fn subscribe_topic(&self, section: &str) -> String {
        self.subscribe_topic.clone().unwrap_or_else(|| format!("to-janus{}", suffix(section)))
    }

    /// Where replies and events of `section` go.
    pub(crate) fn publish_topic(&self, section: &str) -> String {
        self.publish_topic.clone().unwrap_or_else(|| format!("from-janus{}", suffix(section)))
    }
}

impl MqttStatus {
    fn problem(&self) -> Option<(String, String)> {
        if !is_topic(&self.topic) {
            Some(("status.topic".to_owned(), TOPIC.to_owned()))
        } else if self.qos > 2 {
            Some(("status.qos".to_owned(), QOS.to_owned()))
        } else {
            None
        }
    }
}

const TOPIC: &str = "a topic: 1 to 65535 bytes without + and #";
const QOS: &str = "0, 1 or 2";

fn suffix(section: &str) -> &'static str {
    if section == "admin" { "-admin" } else { "" }
}

fn is_topic(text: &str) -> bool {
    (1..=LONGEST_TEXT).contains(&text.len()) && !text.contains(['+', '#', '\0'])
}
