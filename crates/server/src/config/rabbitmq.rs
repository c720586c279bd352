//! `[rabbitmq]`: the Janus and admin APIs over a RabbitMQ broker.

use serde::{Deserialize, Serialize};

use super::{BrokerTls, Secret};

/// AMQP has one byte for the length of a name (AMQP 0-9-1, section 4.2.5.3).
const LONGEST_NAME: usize = 255;

/// `[rabbitmq]`: served if it is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RabbitMq {
    /// The broker's host.
    pub host: String,
    /// The broker's port.
    pub port: u16,
    /// The virtual host.
    pub vhost: String,
    /// Who we are.
    pub username: String,
    /// What proves it.
    pub password: Secret,
    /// Seconds; 0 = never.
    pub heartbeat: u64,
    /// The exchange for what we say; none = the default exchange.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exchange: Option<String>,
    /// The kind of `exchange`.
    pub exchange_type: ExchangeType,
    /// TLS, if it is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<BrokerTls>,
    /// The queues of the Janus API; served if it is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api: Option<RabbitMqQueues>,
    /// The queues of the admin API; served if it is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub admin: Option<RabbitMqQueues>,
}

/// The kinds of exchanges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ExchangeType {
    /// To all queues bound to it.
    Fanout,
    /// To the queues bound with the routing key.
    Direct,
    /// To the queues whose pattern fits the routing key.
    Topic,
    /// To the queues whose headers fit.
    Headers,
}

/// `[rabbitmq.api]` and `[rabbitmq.admin]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RabbitMqQueues {
    /// The queue of requests; none = `to_janus`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue_name: Option<String>,
    /// The routing key of requests.
    pub to_janus: String,
    /// The routing key of replies and events.
    pub from_janus: String,
    /// Declare a queue `from_janus`.
    pub declare_outgoing_queue: bool,
    /// The queue of requests survives a restart of the broker.
    pub queue_durable: bool,
    /// The queue of requests goes when nobody reads it.
    pub queue_autodelete: bool,
    /// Nobody else may read the queue of requests.
    pub queue_exclusive: bool,
}

impl Default for RabbitMq {
    fn default() -> Self {
        Self {
            host: "localhost".to_owned(),
            port: 5672,
            vhost: "/".to_owned(),
            username: "guest".to_owned(),
            password: "guest".to_owned().into(),
            heartbeat: 60,
            exchange: None,
            exchange_type: ExchangeType::Fanout,
            tls: None,
            api: None,
            admin: None,
        }
    }
}

impl Default for RabbitMqQueues {
    fn default() -> Self {
        Self {
            queue_name: None,
            to_janus: String::new(),
            from_janus: String::new(),
            declare_outgoing_queue: true,
            queue_durable: false,
            queue_autodelete: false,
            queue_exclusive: false,
        }
    }
}

impl RabbitMq {
    /// The first key that cannot be used, and what it must be.
    pub(super) fn problem(&self) -> Option<(String, String)> {
        let wrong = |key: &str, right: &str| Some((key.to_owned(), right.to_owned()));
        if self.host.is_empty() {
            return wrong("host", "the name or address of the broker");
        }
        if self.heartbeat > u64::from(u16::MAX) {
            return wrong("heartbeat", "at most 65535 seconds");
        }
        if self.exchange.as_ref().is_some_and(|name| !is_name(name)) {
            return wrong("exchange", NAME);
        }
        if self.api.is_none() && self.admin.is_none() {
            return wrong("api", "there, or rabbitmq.admin: the queues to serve");
        }
        let sections = [("api", &self.api), ("admin", &self.admin)];
        let sections: Vec<_> = sections.iter().filter_map(|(name, queues)| Some((*name, queues.as_ref()?))).collect();
        for (section, queues) in &sections {
            let names = [
                ("queue_name", queues.incoming()),
                ("to_janus", queues.to_janus.as_str()),
                ("from_janus", queues.from_janus.as_str()),
            ];
            if let Some((key, _)) = names.iter().rev().find(|(_, name)| !is_name(name)) {
                return wrong(&format!("{section}.{key}"), NAME);
            }
            // What we say would come back as a request, and be answered.
            if sections.iter().any(|(_, other)| other.incoming() == queues.from_janus) {
                return wrong(&format!("{section}.from_janus"), "no queue of requests");
            }
        }
        if let [(_, api), (_, admin)] = sections[..]
            && api.incoming() == admin.incoming()
        {
            return wrong("admin.to_janus", "another queue than that of rabbitmq.api");
        }
        self.tls.as_ref().and_then(BrokerTls::problem)
    }
}

impl RabbitMqQueues {
    fn incoming(&self) -> &str {
        self.queue_name.as_deref().unwrap_or(&self.to_janus)
    }
}

const NAME: &str = "a name of 1 to 255 bytes";

fn is_name(text: &str) -> bool {
    (1..=LONGEST_NAME).contains(&text.len())
}
